//! The check of a greeting, and the header fields that tell of it.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use ehlo::HeloCheck;
use ehlo::identity::{Advice, Claim, DnsAnswer, Enforcement, Finding, Iprev, NameSyntax};
use ehlo::identity::{DnsQuery, UnexpectedAnswer};
use ehlo::syntax::path::{ClientName, Domain, Host};
use ehlo::trace::{AuthenticationResults, Protocol, ReceivedField, Timestamp};

use super::{assert_no_control, choices, wire};

const PEERS: [IpAddr; 4] = [
    IpAddr::V4(Ipv4Addr::new(192, 0, 2, 1)),
    IpAddr::V6(Ipv6Addr::new(0x2001, 0xdb8, 0, 0, 0, 0, 0, 1)),
    IpAddr::V6(Ipv6Addr::new(0, 0, 0, 0, 0, 0xffff, 0xc000, 0x201)),
    IpAddr::V4(Ipv4Addr::LOCALHOST),
];
const OTHER: IpAddr = IpAddr::V4(Ipv4Addr::new(198, 51, 100, 7));

/// A greeting is checked with any answers: the first line is the claimed name, and each further
/// line answers the next question. The number of questions is bounded, an answer that does not fit
/// changes nothing, the verdict is that of a naive check, mail is never refused for a name that
/// leads elsewhere, and the header fields have one line for each clause.
pub fn identity(input: &[u8]) {
    let ([choice], rest) = choices(input);
    let peer = PEERS[usize::from(choice) % PEERS.len()];
    let own = [Host::new("mx.example.net").expect("a name"), Host::AddressLiteral(OTHER.into())];
    let mut lines = rest.split(|byte| *byte == b'\n');
    let claimed = lines.next().and_then(|line| core::str::from_utf8(line).ok()).unwrap_or("a");
    let Ok(claimed) = ClientName::any(claimed) else { return };

    let mut check = HeloCheck::new(peer, claimed).with_own(&own);
    let claim = check.verdict().claim;
    let is_asked_for = claim == Claim::TemporaryFailure;
    let mut expected = Expected { claim, is_asked_for, ..Expected::NONE };
    let mut questions = 0;
    for line in lines {
        let Some(query) = check.query() else { break };
        questions += 1;
        assert!(questions <= HeloCheck::MAX_QUERIES, "{questions} questions");
        let (kind, line) = choices::<1>(line);
        let names: Vec<&str> =
            line.split(|byte| *byte == b' ').flat_map(core::str::from_utf8).collect();
        let addresses: Vec<IpAddr> =
            line.iter().map(|byte| if byte % 4 == 1 { peer } else { OTHER }).collect();
        let (answer, misfit) = match (query, kind[0] % 4) {
            (DnsQuery::Pointer(asked), kind) => {
                assert_eq!(asked, peer.to_canonical());
                let misfit = DnsAnswer::Addresses(&addresses);
                let answer = match kind {
                    0 => DnsAnswer::DoesNotExist,
                    1 => DnsAnswer::TemporaryFailure,
                    _ => DnsAnswer::Names(&names),
                };
                (answer, misfit)
            }
            (DnsQuery::Addresses(asked), kind) => {
                assert!(asked.is_ascii());
                let answer = match kind {
                    0 => DnsAnswer::DoesNotExist,
                    1 => DnsAnswer::TemporaryFailure,
                    _ => DnsAnswer::Addresses(&addresses),
                };
                (answer, DnsAnswer::Names(&names))
            }
        };
        expected.note(query, answer, peer, claimed);
        let before = format!("{check:?}");
        assert_eq!(check.answer(misfit), Err(UnexpectedAnswer));
        assert_eq!(format!("{check:?}"), before);
        check.answer(answer).expect("an answer to what was asked");
    }
    let is_done = check.query().is_none();
    if is_done {
        assert_eq!(check.answer(DnsAnswer::DoesNotExist), Err(UnexpectedAnswer));
    }
    bounded(&check);
    judged(&check, &expected, is_done);
    traced(&check);
}

/// The conclusions from the answers by the letter of RFC 8601 §3.
struct Expected {
    claim: Claim,
    /// The claimed name is one that the DNS can know.
    is_asked_for: bool,
    pointer: Option<Iprev>,
    confirmed: bool,
    failed: bool,
}

impl Expected {
    const NONE: Self = Self {
        claim: Claim::Unchecked,
        is_asked_for: false,
        pointer: None,
        confirmed: false,
        failed: false,
    };

    fn note(
        &mut self,
        query: DnsQuery<'_>,
        answer: DnsAnswer<'_>,
        peer: IpAddr,
        claimed: ClientName<'_>,
    ) {
        let is_peer = |address: &IpAddr| address.to_canonical() == peer.to_canonical();
        match (query, answer) {
            (DnsQuery::Pointer(_), DnsAnswer::TemporaryFailure) => {
                self.pointer = Some(Iprev::TempError);
            }
            (DnsQuery::Pointer(_), DnsAnswer::Names([]) | DnsAnswer::DoesNotExist) => {
                self.pointer = Some(Iprev::PermError);
            }
            (DnsQuery::Pointer(_), _) => self.pointer = Some(Iprev::Fail),
            (DnsQuery::Addresses(name), answer) => {
                let claim = match answer {
                    DnsAnswer::TemporaryFailure => Claim::TemporaryFailure,
                    DnsAnswer::Addresses(addresses) if addresses.iter().any(is_peer) => {
                        Claim::Matches
                    }
                    DnsAnswer::Addresses([_, ..]) => Claim::Elsewhere,
                    _ => Claim::NoAddress,
                };
                let text = claimed.to_string();
                let text = text.strip_suffix('.').unwrap_or(&text);
                if self.is_asked_for && text.eq_ignore_ascii_case(name.as_str()) {
                    self.claim = claim;
                } else {
                    self.confirmed |= claim == Claim::Matches;
                    self.failed |= claim == Claim::TemporaryFailure;
                }
            }
        }
    }
}

fn bounded(check: &HeloCheck<'_>) {
    let names: Vec<&str> = check.reverse_names().map(|name| name.as_str()).collect();
    // The claimed name needs no room.
    assert!(names.len() <= HeloCheck::MAX_NAMES + 1);
    let claimed = check.verdict().claimed.to_string();
    let claimed = claimed.strip_suffix('.').unwrap_or(&claimed);
    let kept = names.iter().filter(|name| !name.eq_ignore_ascii_case(claimed));
    assert!(kept.map(|name| name.len()).sum::<usize>() <= HeloCheck::NAMES_BYTES);
    for name in names {
        assert!(name.is_ascii() && Domain::new(&name.replace('_', "x")).is_ok(), "{name:?}");
    }
}

fn judged(check: &HeloCheck<'_>, expected: &Expected, is_done: bool) {
    let verdict = check.verdict();
    assert_eq!(verdict.syntax, NameSyntax::of(verdict.claimed));
    assert_eq!(verdict.claim, expected.claim);
    let text = verdict.claimed.to_string();
    if verdict.syntax == NameSyntax::FullyQualified {
        assert!(text.contains('.') && ClientName::new(&text) == Ok(verdict.claimed), "{text}");
    }
    // The claimed name is asked for once, and counts as a reverse name if it is one.
    let stripped = text.strip_suffix('.').unwrap_or(&text);
    let is_both = expected.is_asked_for
        && check.reverse_names().any(|name| name.as_str().eq_ignore_ascii_case(stripped));
    let confirmed = expected.confirmed || (is_both && expected.claim == Claim::Matches);
    let failed = expected.failed || (is_both && expected.claim == Claim::TemporaryFailure);
    let iprev = match expected.pointer {
        None => Iprev::TempError,
        Some(Iprev::Fail) if check.reverse_names().next().is_none() => Iprev::PermError,
        Some(Iprev::Fail) if confirmed => Iprev::Pass,
        Some(Iprev::Fail) if failed => Iprev::TempError,
        Some(iprev) => iprev,
    };
    if is_done || iprev != Iprev::Fail {
        assert_eq!(verdict.iprev, iprev, "{verdict}");
    } else {
        // Not all names were asked for, unless the claimed one is all that is left.
        assert!([Iprev::TempError, Iprev::Fail].contains(&verdict.iprev), "{verdict}");
    }
    assert_eq!(verdict.verified_name().is_some(), verdict.iprev == Iprev::Pass);
    assert_no_control(verdict.to_string().as_bytes());

    let findings: Vec<Finding> = verdict.findings().collect();
    let refusable = findings.iter().find_map(|finding| finding.reply());
    match verdict.advice(Enforcement::Record) {
        Advice::Accept => assert!(findings.is_empty()),
        Advice::Record(finding) => assert_eq!(findings.first(), Some(&finding)),
        other => panic!("{other:?} where it is to be recorded"),
    }
    match verdict.advice(Enforcement::Enforce) {
        Advice::Refuse { finding, reply } => {
            assert!(!reply.code().is_positive() && reply.enhanced_code().is_some());
            assert_eq!((Some(reply), finding.reply()), (refusable, Some(reply)));
            let only_the_name = [
                Finding::NameElsewhere,
                Finding::NameWithoutAddress,
                Finding::NameUnknown,
                Finding::GenericReverseName,
            ];
            assert!(!only_the_name.contains(&finding));
        }
        advice => assert!(refusable.is_none() && advice == verdict.advice(Enforcement::Record)),
    }
}

fn traced(check: &HeloCheck<'_>) {
    let verdict = check.verdict();
    let by = Domain::new("mx.example.net").expect("a name");
    let date = Timestamp::utc(1_800_000_000).expect("a year of the grammar");
    let received = ReceivedField::checked(verdict, by.into(), Protocol::ESMTP, date);
    for (field, lines) in
        [(wire(&received), 4), (wire(&AuthenticationResults::new(by, &verdict)), 2)]
    {
        let text = core::str::from_utf8(&field).expect("US-ASCII");
        let text = text.strip_suffix("\r\n").expect("a field ends with CRLF");
        assert_eq!(text.split("\r\n").count(), lines, "{text}");
        for (at, line) in text.split("\r\n").enumerate() {
            assert!(line.len() <= 998);
            let line = if at == 0 { line } else { line.strip_prefix('\t').expect("a fold") };
            assert_no_control(line.as_bytes());
        }
    }
}

//! `HeloCheck` on the full product of facts, driven by a resolver in memory: verdict and advice are
//! those of a checked-in table, and every row of it obeys the RFCs.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::fs;
use std::net::IpAddr;
use std::path::Path;

use ehlo::HeloCheck;
use ehlo::identity::{Advice, Claim, DnsAnswer, Enforcement, Finding, Forgery, Iprev};
use ehlo::identity::{DnsQuery, Verdict};
use ehlo::syntax::path::{ClientName, Host};

#[test]
fn verdicts_and_advice_are_those_of_the_table() {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("snapshots/identity.tsv");
    let mut now = String::from(HEADER);
    let mut rows = 0;
    product(|row, check| {
        rows += 1;
        let verdict = check.verdict();
        let advice = |enforcement| match verdict.advice(enforcement) {
            Advice::Accept => "accept".to_owned(),
            Advice::Record(_) => "record".to_owned(),
            Advice::Refuse { reply, .. } => {
                format!("{} {}", reply.code(), reply.enhanced_code().expect("it has one"))
            }
            other => panic!("{other:?}"),
        };
        let words = [
            row.family.name.to_owned(),
            row.claimed.to_owned(),
            row.pointer.to_owned(),
            row.forward.to_owned(),
            row.resolves.to_owned(),
            row.queries.to_string(),
            verdict.syntax.as_str().to_owned(),
            verdict.claim.to_string(),
            verdict.iprev.to_string(),
            verdict.verified_name().map_or("-", |name| name.as_str()).to_owned(),
            (if verdict.generic { "generic" } else { "-" }).to_owned(),
            verdict.forgery.map_or("-", Forgery::as_str).to_owned(),
            advice(Enforcement::Record),
            advice(Enforcement::Enforce),
        ];
        writeln!(now, "{}", words.join("\t")).expect("a string grows");
    });
    assert!(rows > 1000, "{rows} rows");
    if std::env::var_os("EHLO_UPDATE_SNAPSHOTS").is_some() {
        fs::write(&path, &now).expect("the snapshot is written");
    }
    let then = fs::read_to_string(&path).expect("the snapshot");
    for (then, now) in then.lines().zip(now.lines()) {
        assert_eq!(now, then, "with EHLO_UPDATE_SNAPSHOTS=1 the table is written anew");
    }
    assert!(then == now, "the table has more rows, or fewer");
}

/// RFC 8601 §3, on the facts as the zone has them.
#[test]
fn iprev_is_that_of_rfc_8601() {
    product(|row, check| {
        let verdict = check.verdict();
        let expected = match row.pointer {
            // A record that holds no name is as none.
            "none" | "unusable" => Iprev::PermError,
            "failure" => Iprev::TempError,
            _ => {
                let is = |lead: &str| row.forward.split('+').any(|forward| forward == lead);
                if is("peer") {
                    Iprev::Pass
                } else if is("failure") {
                    Iprev::TempError
                } else {
                    Iprev::Fail
                }
            }
        };
        assert_eq!(verdict.iprev, expected, "{}", row.name());
    });
}

/// RFC 5321 §4.1.4: "if the verification fails, the server MUST NOT refuse to accept a message on
/// that basis": nothing but the claim being wrong is no reason.
#[test]
fn mail_is_never_refused_because_the_name_leads_elsewhere() {
    let (mut mismatches, mut recorded) = (0, 0);
    product(|row, check| {
        let verdict = check.verdict();
        let is_wrong = !matches!(verdict.claim, Claim::Matches | Claim::Unchecked);
        let is_else_right =
            verdict.syntax.is_valid() && verdict.iprev == Iprev::Pass && verdict.forgery.is_none();
        if is_wrong && is_else_right {
            mismatches += 1;
            let advice = verdict.advice(Enforcement::Enforce);
            assert!(matches!(advice, Advice::Record(_)), "{}: {advice:?}", row.name());
        }
        let advice = verdict.advice(Enforcement::default());
        assert!(!matches!(advice, Advice::Refuse { .. }), "{}", row.name());
        recorded += usize::from(advice != Advice::Accept);
    });
    assert!(mismatches > 20 && recorded > 500, "{mismatches}, {recorded}");
}

/// An error that may be gone later is never answered by a 5yz of its own.
#[test]
fn temporary_failures_are_answered_by_4yz() {
    product(|row, check| {
        if let Advice::Refuse { finding, reply } = check.verdict().advice(Enforcement::Enforce) {
            let is_temporary = finding == Finding::ReverseUnknown;
            let class = reply.code().number() / 100;
            assert_eq!(class, if is_temporary { 4 } else { 5 }, "{}", row.name());
            let enhanced = reply.enhanced_code().expect("an enhanced code");
            assert_eq!(u16::from(enhanced.class()), class);
        }
    });
}

#[test]
fn an_ipv4_mapped_peer_is_an_ipv4_peer() {
    product(|row, check| {
        let IpAddr::V4(address) = row.family.peer else { return };
        let mapped = IpAddr::V6(address.to_ipv6_mapped());
        let own = own();
        let claimed = ClientName::any(row.claimed).expect("a line");
        let mut again = HeloCheck::new(mapped, claimed).with_own(&own);
        row.zone.answer_all(&mut again);
        assert_eq!(again.verdict(), check.verdict(), "{}", row.name());
    });
}

#[test]
fn questions_are_bounded_whatever_the_reverse_zone_says() {
    let peer: IpAddr = "192.0.2.1".parse().expect("an address");
    let label = "l".repeat(60);
    let many: Vec<String> = (0..1000).map(|at| format!("h{at}.{label}.example")).collect();
    let long: Vec<String> = (0..1000).map(|at| format!("{label}.{label}.{label}.h{at}")).collect();
    for (names, kept) in [(many, HeloCheck::MAX_NAMES), (long, HeloCheck::NAMES_BYTES / 187)] {
        let names: Vec<&str> = names.iter().map(String::as_str).collect();
        let mut check = HeloCheck::new(peer, ClientName::new("mx.example.org").expect("a name"));
        let mut queries = 0;
        while let Some(query) = check.query() {
            queries += 1;
            let answer = match query {
                DnsQuery::Pointer(_) => DnsAnswer::Names(&names),
                DnsQuery::Addresses(_) => DnsAnswer::TemporaryFailure,
            };
            check.answer(answer).expect("an answer that fits");
        }
        assert_eq!((check.reverse_names().count(), queries), (kept, kept + 2));
        assert!(queries <= HeloCheck::MAX_QUERIES);
        assert_eq!(check.verdict().iprev, Iprev::TempError);
    }
}

#[test]
fn what_is_not_answered_in_time_counts_as_a_temporary_failure() {
    let own = own();
    let row = |answers: &[DnsAnswer<'_>]| -> (Iprev, Claim) {
        let peer = "192.0.2.1".parse().expect("an address");
        let claimed = ClientName::new("mx.example.org").expect("a name");
        let mut check = HeloCheck::new(peer, claimed).with_own(&own);
        for answer in answers {
            check.answer(*answer).expect("an answer that fits");
        }
        let Verdict { iprev, claim, .. } = check.verdict();
        (iprev, claim)
    };
    let names = DnsAnswer::Names(&["mail.example.org"]);
    assert_eq!(row(&[]), (Iprev::TempError, Claim::TemporaryFailure));
    assert_eq!(row(&[DnsAnswer::DoesNotExist]), (Iprev::PermError, Claim::TemporaryFailure));
    assert_eq!(row(&[names]), (Iprev::TempError, Claim::TemporaryFailure));
    let open = DnsAnswer::DoesNotExist;
    assert_eq!(row(&[names, open]), (Iprev::Fail, Claim::TemporaryFailure));
    assert_eq!(row(&[names, open, open]), (Iprev::Fail, Claim::NoAddress));
}

#[test]
fn our_own_name_is_ours_to_claim() {
    let own = own();
    for peer in ["127.0.0.1", "::1", "198.51.100.25", "2001:db8:25::25", "::ffff:127.0.0.1"] {
        for claimed in ["mx.example.net", "[198.51.100.25]"] {
            let claimed = ClientName::new(claimed).expect("a name");
            let mut check =
                HeloCheck::new(peer.parse().expect("an address"), claimed).with_own(&own);
            while check.query().is_some() {
                check.answer(DnsAnswer::DoesNotExist).expect("it fits every question");
            }
            assert_eq!(check.verdict().forgery, None, "{peer} as {claimed}");
        }
    }
    // And `localhost` is that of a client on this host only.
    for (peer, forgery) in [("127.0.0.1", None), ("192.0.2.1", Some(Forgery::Loopback))] {
        for claimed in ["localhost", "LOCALHOST.localdomain", "a.localhost", "[127.1.2.3]"] {
            let claimed = ClientName::new(claimed).expect("a name");
            let check = HeloCheck::new(peer.parse().expect("an address"), claimed);
            assert_eq!(check.verdict().forgery, forgery, "{peer} as {claimed}");
        }
    }
    // RFC 6761 §6.3 has `localhost` alone: a router's default domain is that of many hosts.
    for claimed in
        ["nas.localdomain", "localdomain.example", "a.localhost.localdomain", "localdomain"]
    {
        let claimed = ClientName::new(claimed).expect("a name");
        let check = HeloCheck::new("192.0.2.1".parse().expect("an address"), claimed);
        assert_eq!(check.verdict().forgery, None, "{claimed}");
    }
}

/// What is asked in turn; each answer is what `lead` says of the name.
fn asked(
    names: &[&str],
    claimed: &str,
    lead: impl Fn(&str) -> DnsAnswer<'static>,
) -> (Vec<String>, Verdict<'static>) {
    let peer: IpAddr = "192.0.2.1".parse().expect("an address");
    let claimed = ClientName::any(claimed.to_owned().leak()).expect("a name");
    let check = Box::leak(Box::new(HeloCheck::new(peer, claimed)));
    let mut asked = Vec::new();
    while let Some(query) = check.query() {
        let answer = match query {
            DnsQuery::Pointer(_) => DnsAnswer::Names(names),
            DnsQuery::Addresses(name) => {
                asked.push(name.as_str().to_lowercase());
                lead(&name.as_str().to_lowercase())
            }
        };
        check.answer(answer).expect("an answer that fits");
    }
    (asked, check.verdict())
}

const PEER: DnsAnswer<'static> =
    DnsAnswer::Addresses(&[IpAddr::V4(std::net::Ipv4Addr::new(192, 0, 2, 1))]);
const ELSEWHERE: DnsAnswer<'static> =
    DnsAnswer::Addresses(&[IpAddr::V4(std::net::Ipv4Addr::new(198, 51, 100, 7))]);

/// A question that cannot change whether the reverse DNS is right comes behind those that can.
#[test]
fn v129_the_claimed_name_is_asked_for_last() {
    let (order, verdict) = asked(&["ok.example.org"], "slow.example.org", |name| match name {
        "ok.example.org" => PEER,
        _ => DnsAnswer::TemporaryFailure,
    });
    assert_eq!(order, ["ok.example.org", "slow.example.org"]);
    assert_eq!((verdict.iprev, verdict.claim), (Iprev::Pass, Claim::TemporaryFailure));
    // Also when time is over before it is asked.
    let peer = "192.0.2.1".parse().expect("an address");
    let mut check = HeloCheck::new(peer, ClientName::new("slow.example.org").expect("a name"));
    for (answer, iprev) in [
        (DnsAnswer::Names(&["a.example", "bb.example"]), Iprev::TempError),
        (ELSEWHERE, Iprev::TempError),
        (ELSEWHERE, Iprev::Fail),
    ] {
        check.answer(answer).expect("an answer that fits");
        assert_eq!(check.verdict().iprev, iprev);
    }
    assert!(check.query().is_some());
    // It comes first where its answer decides.
    let names = ["mail.example.org", "a.example", "MX.example.org."];
    let (order, verdict) = asked(&names, "mx.example.org", |_| PEER);
    assert_eq!((&order[..], verdict.iprev), (&["mx.example.org".to_owned()][..], Iprev::Pass));
    let (order, _) = asked(&names, "mx.example.org", |_| ELSEWHERE);
    assert_eq!(order, ["mx.example.org", "a.example", "mail.example.org"]);
}

/// No question takes the time of those behind it.
#[test]
fn v129_every_question_has_its_share_of_the_time() {
    use std::time::Duration;
    let peer = "192.0.2.1".parse().expect("an address");
    let all: Vec<String> = (0..40).map(|at| format!("h{at}.example.org")).collect();
    for count in [0, 1, 2, 10, 40] {
        for claimed in ["mx.example.org", "[192.0.2.1]", "h3.example.org"] {
            let names: Vec<&str> = all.iter().take(count).map(String::as_str).collect();
            let mut check = HeloCheck::new(peer, ClientName::new(claimed).expect("a name"));
            let mut left = Duration::from_secs(5);
            while let Some(query) = check.query() {
                let share = check.time_for_query(left);
                assert!(share >= Duration::from_millis(200), "{query:?} has {share:?} of {left:?}");
                assert!(share <= left);
                let answer = match query {
                    DnsQuery::Pointer(_) => DnsAnswer::Names(&names),
                    DnsQuery::Addresses(_) => DnsAnswer::TemporaryFailure,
                };
                check.answer(answer).expect("an answer that fits");
                // It took all its time.
                left -= share;
            }
            assert_eq!(check.time_for_query(left), Duration::ZERO, "nothing is asked");
        }
    }
}

/// Of many names it does not depend on chance which are looked at: RFC 1034 §3.6, a set has no order.
#[test]
fn v130_of_many_names_the_claimed_one_counts() {
    for count in [1, 10, 11, 15, 60, 500] {
        let mut names: Vec<String> = (0..count).map(|at| format!("n{at}.x.example")).collect();
        for place in [0, count / 2, count] {
            let mut names = names.clone();
            names.insert(place, "a-rather-long-name-of-a-host.example.org".to_owned());
            let names: Vec<&str> = names.iter().map(String::as_str).collect();
            let claimed = "A-rather-long-name-of-a-host.example.org";
            let (order, verdict) =
                asked(&names, claimed, |name| if name.starts_with('a') { PEER } else { ELSEWHERE });
            assert_eq!((order.len(), verdict.iprev), (1, Iprev::Pass), "{place} of {count}");
        }
        names.truncate(0);
    }
}

proptest::proptest! {
    #[test]
    fn v130_verdicts_do_not_depend_on_an_order(
        mut names in proptest::collection::vec("[a-cA-C]{1,3}(-[a-c0-9]{1,60})?\\.[a-c]{1,2}\\.example\\.?", 0..30),
        seed in proptest::num::u64::ANY,
        claimed in proptest::sample::select(&["a.a.example", "mx.example.org", "[192.0.2.1]"][..]),
    ) {
        use proptest::prelude::*;
        use std::hash::{DefaultHasher, Hash as _, Hasher as _};
        let lead = |name: &str| {
            let mut hasher = DefaultHasher::new();
            (seed, name).hash(&mut hasher);
            match hasher.finish() % 16 {
                0 => PEER,
                1 => DnsAnswer::TemporaryFailure,
                2 => DnsAnswer::DoesNotExist,
                _ => ELSEWHERE,
            }
        };
        let found = |names: &[String]| {
            let names: Vec<&str> = names.iter().map(String::as_str).collect();
            let (order, verdict) = asked(&names, claimed, lead);
            (order, verdict.to_string())
        };
        let before = found(&names);
        for turn in 0..4 {
            let by = names.len() * turn / 5;
            names.rotate_left(by);
            if turn % 2 == 0 {
                names.reverse();
            }
            prop_assert_eq!(&found(&names), &before);
        }
        names.sort();
        prop_assert_eq!(&found(&names), &before);
    }
}

/// One combination of facts.
struct Row<'r> {
    family: &'r Family,
    claimed: &'r str,
    /// Which names the peer's address has.
    pointer: &'r str,
    /// Where these lead, joined by `+`.
    forward: &'r str,
    /// Where the claimed name leads.
    resolves: &'r str,
    queries: usize,
    zone: &'r Zone,
}

impl Row<'_> {
    fn name(&self) -> String {
        let Self { family, claimed, pointer, forward, resolves, .. } = self;
        format!("{} {claimed} {pointer} {forward} {resolves}", family.name)
    }
}

/// Addresses of one family.
struct Family {
    name: &'static str,
    peer: IpAddr,
    other: IpAddr,
    /// Names as providers make them of the peer's address.
    generic: &'static str,
    literals: [&'static str; 4],
}

fn families() -> [Family; 2] {
    let address = |text: &str| text.parse().expect("an address");
    [
        Family {
            name: "v4",
            peer: address("192.0.2.1"),
            other: address("198.51.100.7"),
            generic: "192-0-2-1.isp.example",
            literals: ["[192.0.2.1]", "[192.0.2.9]", "[127.0.0.1]", "192.0.2.1"],
        },
        Family {
            name: "v6",
            peer: address("2001:db8::1"),
            other: address("2001:db8:7::7"),
            generic: "2001-db8-0-0-0-0-0-1.isp.example",
            literals: ["[IPv6:2001:DB8:0::1]", "[IPv6:2001:db8::9]", "[IPv6:::1]", "2001:db8::1"],
        },
    ]
}

/// The receiver's own names and addresses.
fn own() -> [Host<'static>; 3] {
    ["mx.example.net", "[198.51.100.25]", "[IPv6:2001:db8:25::25]"]
        .map(|host| Host::new(host).expect("a host"))
}

/// Names that the DNS can know.
const NAMES: [&str; 5] = [
    "mx.example.org",
    "xn--mnchen-3ya.example",
    "my_host.example.org",
    "mx.dot.example.",
    "mx.example.net",
];

/// Names that nobody is asked for.
const OTHERS: [&str; 13] = [
    "host",
    "host.123",
    "localhost",
    "localhost.localdomain",
    "[198.51.100.25]",
    "[x400:c=us]",
    "[2001:db8::1]",
    "[300.0.0.1]",
    "xn--99999999999.example",
    "m\u{fc}nchen.example",
    "-host.example",
    "my host",
    "a234567890123456789012345678901234567890123456789012345678901234.example",
];

const LEADS: [&str; 4] = ["peer", "elsewhere", "none", "failure"];

/// What the peer's address may have for names, and where these lead; `same` is the claimed name,
/// which leads where it leads.
fn pointers() -> Vec<(&'static str, Vec<&'static str>)> {
    let mut all = vec![
        ("none", vec![""]),
        ("failure", vec![""]),
        ("same", vec![""]),
        ("generic", vec!["peer", "elsewhere"]),
        ("unusable", vec![""]),
        ("other", LEADS.to_vec()),
        ("other+same", LEADS.to_vec()),
    ];
    let two = ["elsewhere+peer", "failure+peer", "failure+elsewhere", "none+failure", "none+none"];
    all.push(("other+third", two.to_vec()));
    all
}

/// Every combination of the facts, with the check that has asked all it asks.
fn product(mut take: impl FnMut(Row<'_>, &HeloCheck<'_>)) {
    let own = own();
    for family in &families() {
        let names = NAMES.iter().map(|name| (*name, &LEADS[..]));
        let others = OTHERS.iter().chain(&family.literals).map(|name| (*name, &[""][..]));
        for (claimed, resolves) in names.chain(others) {
            for ((pointer, forwards), resolves) in
                pointers().iter().flat_map(|pointer| resolves.iter().map(move |r| (pointer, *r)))
            {
                if resolves.is_empty() && pointer.ends_with("same") {
                    continue;
                }
                for forward in forwards {
                    let (zone, forward) = zone(family, claimed, pointer, forward, resolves);
                    let name = ClientName::any(claimed).expect("a line");
                    let mut check = HeloCheck::new(family.peer, name).with_own(&own);
                    let queries = zone.answer_all(&mut check);
                    let (forward, zone) = (forward.as_str(), &zone);
                    take(
                        Row { family, claimed, pointer, forward, resolves, queries, zone },
                        &check,
                    );
                }
            }
        }
    }
}

/// The zone of a combination, and where the names of the address lead.
fn zone(
    family: &Family,
    claimed: &str,
    pointer: &str,
    forward: &str,
    resolves: &str,
) -> (Zone, String) {
    let claimed = claimed.strip_suffix('.').unwrap_or(claimed).to_owned();
    let mut zone = Zone { pointer: None, addresses: BTreeMap::new() };
    let mut forwards: Vec<&str> = forward.split('+').filter(|lead| !lead.is_empty()).collect();
    let mut names: Vec<String> = Vec::new();
    for (at, kind) in pointer.split('+').enumerate() {
        let name = match kind {
            "same" => {
                forwards.push(resolves);
                names.push(claimed.to_uppercase());
                continue;
            }
            "other" => "mail.example.org.",
            "third" => "third.example.org",
            "generic" => family.generic,
            "unusable" => {
                names.extend(
                    ["", ".", "a b", "-a.example", "m\u{fc}nchen.example"].map(String::from),
                );
                continue;
            }
            _ => continue,
        };
        names.push(name.to_owned());
        let name = name.strip_suffix('.').unwrap_or(name).to_owned();
        zone.addresses.insert(name, lead(family, forwards[at]));
    }
    zone.pointer = match pointer {
        "none" => Some(Vec::new()),
        "failure" => None,
        _ => Some(names),
    };
    if !resolves.is_empty() {
        zone.addresses.insert(claimed, lead(family, resolves));
    }
    (zone, forwards.join("+"))
}

fn lead(family: &Family, lead: &str) -> Option<Vec<IpAddr>> {
    match lead {
        "peer" => Some(vec![family.other, family.peer]),
        "elsewhere" => Some(vec![family.other]),
        "none" => Some(Vec::new()),
        "failure" => None,
        _ => panic!("{lead:?} leads nowhere"),
    }
}

/// A resolver in memory: nothing is a temporary failure, an empty list is a name that does not
/// exist.
struct Zone {
    pointer: Option<Vec<String>>,
    addresses: BTreeMap<String, Option<Vec<IpAddr>>>,
}

impl Zone {
    /// Answers until nothing is asked: how often it was.
    fn answer_all(&self, check: &mut HeloCheck<'_>) -> usize {
        let names: Option<Vec<&str>> =
            self.pointer.as_ref().map(|names| names.iter().map(String::as_str).collect());
        let mut asked = Vec::new();
        while let Some(query) = check.query() {
            let question = format!("{query:?}").to_lowercase();
            assert!(!asked.contains(&question), "{question} is asked again");
            asked.push(question);
            let answer = match query {
                DnsQuery::Pointer(_) => match &names {
                    None => DnsAnswer::TemporaryFailure,
                    Some(names) if names.is_empty() => DnsAnswer::DoesNotExist,
                    Some(names) => DnsAnswer::Names(names),
                },
                DnsQuery::Addresses(name) => {
                    let name = name.as_str().to_lowercase();
                    match self.addresses.get(&name).unwrap_or_else(|| panic!("no {name}")) {
                        None => DnsAnswer::TemporaryFailure,
                        Some(addresses) => DnsAnswer::Addresses(addresses),
                    }
                }
            };
            check.answer(answer).expect("an answer that fits");
        }
        asked.len()
    }
}

const HEADER: &str = "\
# What HeloCheck finds, and what a receiver may do, for each combination of facts. The receiver is mx.example.net.
# family: of the peer's address. claimed: the argument of EHLO. pointer: names of the peer's address (same: the claimed one).
# forward: where these lead. resolves: where the claimed name leads. The rest is found: queries to verified, and so on.
family\tclaimed\tpointer\tforward\tresolves\tqueries\tsyntax\tclaim\tiprev\tverified\tgeneric\tforgery\trecord\tenforce
";

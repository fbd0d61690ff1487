//! A greeting is checked, and what was found is written.

use core::hint::black_box;
use core::net::{IpAddr, Ipv4Addr};

use ehlo::HeloCheck;
use ehlo::identity::{Advice, Claim, DnsAnswer, DnsQuery, Enforcement, Iprev};
use ehlo::syntax::path::{ClientName, Domain};
use ehlo::trace::{AuthenticationResults, Protocol, ReceivedField, Timestamp};
use ehlo::{Code, Encode};

pub fn run() -> Option<()> {
    let verified = check(black_box("mx.example.org"), black_box(DnsAnswer::Addresses(&[PEER])))?;
    let mismatch = check(black_box("xn--mnchen-3ya.example"), black_box(DnsAnswer::DoesNotExist))?;
    let literal = check(black_box("[192.0.2.1]"), black_box(DnsAnswer::TemporaryFailure))?;
    let codes = [(verified, None), (mismatch, Some(550)), (literal, Some(451))];
    codes.iter().all(|(found, code)| found.map(Code::number) == *code).then_some(())
}

/// The code that a receiver may answer, where the reverse name leads to `answer`.
fn check(claimed: &str, answer: DnsAnswer<'_>) -> Option<Option<Code>> {
    let mut check = HeloCheck::new(PEER, ClientName::new(claimed).ok()?);
    while let Some(query) = check.query() {
        let answer = match query {
            DnsQuery::Pointer(_) => DnsAnswer::Names(&["mx.example.org."]),
            DnsQuery::Addresses(_) => answer,
        };
        check.answer(answer).ok()?;
    }
    let verdict = check.verdict();
    (verdict.claim != Claim::Matches || claimed.starts_with('[') || verdict.iprev == Iprev::Pass)
        .then_some(())?;
    let by = Domain::new("mx.example.net").ok()?;
    let date = Timestamp::utc(black_box(1_800_000_000))?;
    let field = ReceivedField::checked(verdict, by.into(), Protocol::ESMTP, date);
    let mut out = [0; 512];
    let written = field.encode(&mut out).ok().and_then(|length| out.get(..length))?;
    written.ends_with(b"\tFri, 15 Jan 2027 08:00:00 +0000\r\n").then_some(())?;
    let written = AuthenticationResults::new(by, &verdict).encode(&mut out).ok()?;
    out.get(..written)?.starts_with(b"Authentication-Results: mx.example.net;").then_some(())?;
    Some(match verdict.advice(Enforcement::Enforce) {
        Advice::Refuse { reply, .. } => Some(reply.code()),
        _ => None,
    })
}

const PEER: IpAddr = IpAddr::V4(Ipv4Addr::new(192, 0, 2, 1));

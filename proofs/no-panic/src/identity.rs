//! Checks of greetings, and the header fields that tell of them: the name is a peer's, and so is
//! whatever its reverse zone says.

use std::hint::black_box;
use std::net::IpAddr;

use ehlo::HeloCheck;
use ehlo::identity::{Advice, DnsAnswer, DnsQuery, Enforcement, Verdict};
use ehlo::syntax::BufferTooSmall;
use ehlo::syntax::path::{ClientName, Domain, Host};
use ehlo::trace::{AuthenticationResults, Protocol, ReceivedField, Timestamp};
use ehlo::{Encode, SyntaxError};
use no_panic::no_panic;

pub fn run(input: &[u8], out: &mut [u8]) -> usize {
    let text = std::str::from_utf8(input).unwrap_or_default().lines().next_back().unwrap_or("mx");
    let Ok(claimed) = name(text) else { return 0 };
    let own = [Host::AddressLiteral(IpAddr::from([127, 0, 0, 1]).into())];
    let mut bytes = 0;
    for peer in [IpAddr::from([192, 0, 2, 1]), IpAddr::from([0, 1, 2, 3, 4, 5, 6, 7])] {
        let peer = black_box(peer);
        let mut check = start(peer, claimed, &own);
        for answer in black_box([
            DnsAnswer::Names(&[text, "mx.example.org."]),
            DnsAnswer::Addresses(&[peer]),
            DnsAnswer::TemporaryFailure,
            DnsAnswer::DoesNotExist,
        ]) {
            bytes += usize::from(answered(&mut check, answer));
        }
        let verdict = verdict(&check);
        bytes += usize::from(matches!(advice(&verdict), Advice::Refuse { .. }));
        if let (Ok(by), Some(date)) = (Domain::new(text), date(black_box(1_800_000_000))) {
            let field = ReceivedField::checked(verdict, by.into(), Protocol::ESMTP, date);
            bytes += received(&field, out).unwrap_or_default();
            let results = AuthenticationResults::new(by, &verdict);
            bytes += authentication_results(&results, out).unwrap_or_default();
        }
    }
    bytes
}

#[no_panic]
#[inline(never)]
fn name(text: &str) -> Result<ClientName<'_>, SyntaxError> {
    ClientName::any(text)
}

#[no_panic]
#[inline(never)]
fn start<'a>(peer: IpAddr, claimed: ClientName<'a>, own: &'a [Host<'a>]) -> HeloCheck<'a> {
    HeloCheck::new(peer, claimed).with_own(own)
}

#[no_panic]
#[inline(never)]
fn answered(check: &mut HeloCheck<'_>, answer: DnsAnswer<'_>) -> bool {
    let is_pointer = matches!(check.query(), Some(DnsQuery::Pointer(_)));
    check.answer(answer).is_ok() && is_pointer
}

#[no_panic]
#[inline(never)]
fn verdict<'c>(check: &'c HeloCheck<'_>) -> Verdict<'c> {
    check.verdict()
}

#[no_panic]
#[inline(never)]
fn advice(verdict: &Verdict<'_>) -> Advice {
    verdict.advice(Enforcement::Enforce)
}

#[no_panic]
#[inline(never)]
fn date(unix_seconds: i64) -> Option<Timestamp> {
    Timestamp::utc(unix_seconds)
}

#[no_panic]
#[inline(never)]
fn received(field: &ReceivedField<'_>, out: &mut [u8]) -> Result<usize, BufferTooSmall> {
    field.encode(out)
}

#[no_panic]
#[inline(never)]
fn authentication_results(
    results: &AuthenticationResults<'_>,
    out: &mut [u8],
) -> Result<usize, BufferTooSmall> {
    results.encode(out)
}

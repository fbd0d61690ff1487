//! The header fields that a server puts in front of a message it has taken: `Return-Path:`,
//! `Delivered-To:` and `Received:`, RFC 5321 §4.4.

use std::fmt::Write as _;
use std::net::{IpAddr, SocketAddr};
use std::time::Duration;

use crate::maildir::Stamp;

/// Where a message came from and how.
pub(crate) struct Trace<'t> {
    /// The reverse-path with its brackets.
    pub(crate) from: &'t str,
    /// The recipients without brackets.
    pub(crate) to: &'t [String],
    /// What the client called itself.
    pub(crate) helo: &'t str,
    pub(crate) peer: SocketAddr,
    /// This server.
    pub(crate) host: &'t str,
    /// The keyword after `with`, RFC 3848 and RFC 6531 §4.3.
    pub(crate) protocol: &'t str,
}

impl Trace<'_> {
    /// The header fields, each with its CRLF.
    pub(crate) fn header(&self, stamp: &Stamp) -> String {
        let Self { from, to, helo, peer, host, protocol } = self;
        // RFC 5321 §4.4: "return-path line at the beginning of the mail data".
        let mut header = format!("Return-Path: {from}\r\n");
        for to in *to {
            let _ = write!(header, "Delivered-To: {to}\r\n");
        }
        // RFC 5321 §4.4: `Stamp = From-domain By-domain Opt-info [CFWS] ";" FWS date-time`
        let _ = write!(
            header,
            "Received: from {helo} ({peer})\r\n\tby {host} with {protocol} id {id};\r\n\t{date}\r\n",
            peer = address_literal(peer.ip()),
            id = stamp.id,
            date = date_time(stamp.since_epoch),
        );
        header
    }
}

/// `address-literal`, RFC 5321 §4.1.3.
pub(crate) fn address_literal(address: IpAddr) -> String {
    match address.to_canonical() {
        IpAddr::V4(address) => format!("[{address}]"),
        IpAddr::V6(address) => format!("[IPv6:{address}]"),
    }
}

/// `date-time`, RFC 5322 §3.3, in UTC.
pub(crate) fn date_time(since_epoch: Duration) -> String {
    let seconds = since_epoch.as_secs();
    let (mut day, second) = (seconds / 86_400, seconds % 86_400);
    // 1 January 1970 was a Thursday.
    let weekday = ["Thu", "Fri", "Sat", "Sun", "Mon", "Tue", "Wed"][(day % 7) as usize];
    let mut year = 1970;
    while day >= 365 + leap(year) {
        day -= 365 + leap(year);
        year += 1;
    }
    let mut months = MONTHS.into_iter().map(|(name, days)| match name {
        "Feb" => (name, days + leap(year)),
        _ => (name, days),
    });
    let month = loop {
        match months.next() {
            Some((_, days)) if day >= days => day -= days,
            Some((name, _)) => break name,
            None => break "Dec",
        }
    };
    let (hour, minute, second) = (second / 3600, second / 60 % 60, second % 60);
    format!("{weekday}, {:02} {month} {year} {hour:02}:{minute:02}:{second:02} +0000", day + 1)
}

/// The days by which `year` is longer than 365.
fn leap(year: u64) -> u64 {
    u64::from(matches!((year % 4, year % 100, year % 400), (0, 1.., _) | (_, _, 0)))
}

const MONTHS: [(&str, u64); 12] = [
    ("Jan", 31),
    ("Feb", 28),
    ("Mar", 31),
    ("Apr", 30),
    ("May", 31),
    ("Jun", 30),
    ("Jul", 31),
    ("Aug", 31),
    ("Sep", 30),
    ("Oct", 31),
    ("Nov", 30),
    ("Dec", 31),
];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn dates() {
        let at = |seconds| date_time(Duration::from_secs(seconds));
        assert_eq!(at(0), "Thu, 01 Jan 1970 00:00:00 +0000");
        assert_eq!(at(951_782_400), "Tue, 29 Feb 2000 00:00:00 +0000");
        assert_eq!(at(1_709_251_199), "Thu, 29 Feb 2024 23:59:59 +0000");
        assert_eq!(at(1_735_689_599), "Tue, 31 Dec 2024 23:59:59 +0000");
        assert_eq!(at(4_107_542_400), "Mon, 01 Mar 2100 00:00:00 +0000");
    }

    #[test]
    fn addresses() {
        let literal = |text: &str| text.parse().map(address_literal);
        assert_eq!(literal("192.0.2.1"), Ok("[192.0.2.1]".into()));
        assert_eq!(literal("::ffff:192.0.2.1"), Ok("[192.0.2.1]".into()));
        assert_eq!(literal("2001:db8::1"), Ok("[IPv6:2001:db8::1]".into()));
    }
}

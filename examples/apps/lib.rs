//! What the examples share: the name of this machine, the choices of a flag, dates, text that is
//! safe to print, a resolver, and whom TLS trusts.

pub mod dns;
pub mod tls;

use std::fmt::Write as _;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr, UdpSocket};
use std::process::Command;
use std::time::Duration;

use ehlo::HeloName;
use ehlo::data::Newlines;
use ehlo::identity::{HeloNameError, OwnHost};
use ehlo::syntax::path::ClientName;
use ehlo::trace::Timestamp;

/// The name of this machine, or `localhost` where it has none that RFC 5321 §4.1.2 allows.
pub fn host_name() -> String {
    let kernel = std::fs::read_to_string("/proc/sys/kernel/hostname").ok();
    let name = kernel.or_else(|| {
        let output = Command::new("hostname").output().ok()?;
        String::from_utf8(output.stdout).ok()
    });
    match name.as_deref().map(str::trim) {
        Some(name) if ClientName::new(name).is_ok() => name.to_owned(),
        _ => "localhost".to_owned(),
    }
}

/// What to greet the server at this address with: the name that `--helo` gives, or else that of this
/// machine, or else the address that the connection will come from.
///
/// # Errors
///
/// What is wrong with the name, for that server.
pub fn helo_name(given: Option<&str>, server: SocketAddr) -> Result<String, HeloNameError> {
    if let Some(name) = given {
        return HeloName::for_server(name, server.ip()).map(|name| name.to_string());
    }
    // Nothing is sent: it is the system that knows the way.
    let any: IpAddr = match server {
        SocketAddr::V4(_) => Ipv4Addr::UNSPECIFIED.into(),
        SocketAddr::V6(_) => Ipv6Addr::UNSPECIFIED.into(),
    };
    let way = UdpSocket::bind((any, 0)).and_then(|socket| {
        socket.connect(server)?;
        socket.local_addr()
    });
    let host = host_name();
    let own = OwnHost { host: &host, domain: None, address: way.ok().map(|own| own.ip()) };
    let mut name = [0; HeloName::MAX_LEN];
    own.helo_name(server.ip(), &mut name).map(|name| name.to_string())
}

/// The policy that `--newlines` names.
///
/// # Errors
///
/// The names that there are.
pub fn newlines(name: &str) -> Result<Newlines, &'static str> {
    match name {
        "reject" => Ok(Newlines::Reject),
        "normalise" => Ok(Newlines::Normalise),
        "keep" => Ok(Newlines::Keep),
        _ => Err("one of reject, normalise, keep"),
    }
}

/// A name for a host, as `--hostname` and `--helo` take it.
///
/// # Errors
///
/// What is wrong with it.
pub fn name(text: &str) -> Result<String, ehlo::SyntaxError> {
    ClientName::new(text).map(|name| name.to_string())
}

/// What a peer said, on one line and without control characters: they, and what would turn the
/// direction of the text, are written as `\u{…}`.
pub fn printable(text: &str) -> String {
    let mut line = String::with_capacity(text.len());
    for character in text.chars() {
        if matches!(character, ' '..='~') || character.is_alphanumeric() {
            line.push(character);
        } else {
            // Writing to a string never fails.
            let _ = write!(line, "{}", character.escape_unicode());
        }
    }
    line
}

/// `date-time`, RFC 5322 §3.3, in UTC; empty from the year 10000 on, which it cannot tell.
pub fn date_time(since_epoch: Duration) -> String {
    let seconds = i64::try_from(since_epoch.as_secs()).ok();
    seconds.and_then(Timestamp::utc).map_or_else(String::new, |moment| moment.to_string())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_line_stays_one_line() {
        assert_eq!(printable("a\r\nb\u{85}\u{202e}ü"), r"a\u{d}\u{a}b\u{85}\u{202e}ü");
    }

    #[test]
    fn this_machine_has_a_name() {
        assert!(ClientName::new(&host_name()).is_ok());
        let here = SocketAddr::from(([127, 0, 0, 1], 25));
        assert!(helo_name(None, here).is_ok());
        assert_eq!(helo_name(Some("localhost"), here), Ok("localhost".to_owned()));
        let there = SocketAddr::from(([192, 0, 2, 25], 25));
        assert_eq!(helo_name(Some("localhost"), there), Err(HeloNameError::ThisHost));
    }
}

#[cfg(doctest)]
#[doc = include_str!("../../docs/helo.md")]
struct HeloGuide;

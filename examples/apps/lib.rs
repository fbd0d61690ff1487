//! What the applications share: the name of this machine, the values of flags, dates, text that is
//! safe to print, output that never blocks, networks and the connections from each, a resolver, the
//! mail exchanges of a domain, and the certificates that TLS trusts.

pub mod cause;
pub mod dns;
pub mod exchanges;
pub mod network;
pub mod output;
pub mod places;
pub mod tls;

use std::fmt::Write as _;
use std::net::IpAddr;
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

/// What to greet the server at `server` with: the name that `--helo` gives, or else that of this machine,
/// or else `local`, the address that this connection comes from (RFC 5321 §4.1.4).
///
/// # Errors
///
/// What is wrong with the name, for that server.
pub fn helo_name(
    given: Option<&str>,
    server: IpAddr,
    local: Option<IpAddr>,
) -> Result<String, HeloNameError> {
    if let Some(name) = given {
        return HeloName::for_server(name, server).map(|name| name.to_string());
    }
    let host = host_name();
    let own = OwnHost { host: &host, domain: None, address: local };
    let mut name = [0; HeloName::MAX_LEN];
    own.helo_name(server, &mut name).map(|name| name.to_string())
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

/// A name for a host, as `--hostname` and `--helo` take it; U-labels become A-labels.
///
/// # Errors
///
/// What is wrong with it.
pub fn name(text: &str) -> Result<String, ehlo::SyntaxError> {
    let name = a_labels(text).unwrap_or_else(|| text.to_owned());
    ClientName::new(&name).map(|name| name.to_string())
}

/// A domain in A-labels (RFC 5891 §5), as servers without SMTPUTF8 know it; `None` if it is in US-ASCII,
/// or has none.
pub fn a_labels(domain: &str) -> Option<String> {
    if domain.is_ascii() { None } else { idna::domain_to_ascii_strict(domain).ok() }
}

/// What a peer said, on one line: printable Unicode as it is. What controls a terminal, ends a line or
/// turns the direction of the text is written as `\u{…}`.
pub fn printable(text: &str) -> String {
    let mut line = String::with_capacity(text.len());
    for character in text.chars() {
        if is_printable(character) {
            line.push(character);
        } else {
            // Writing to a string never fails.
            let _ = write!(line, "{}", character.escape_unicode());
        }
    }
    line
}

/// Whether Rust prints the character as it is within a string: all but control and format characters,
/// separators other than the space, private and unassigned code points.
fn is_printable(character: char) -> bool {
    match character {
        ' '..='~' => true,
        '\0'..='\x7f' => false,
        // Within a string a combining character is printed as it is, at its start it is not.
        _ => {
            let mut text = ['a', character].iter().collect::<String>();
            text.push('a');
            text.escape_debug().eq(text.chars())
        }
    }
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
        let escaped = r"a\u{d}\u{a}b\u{85}\u{202e}ü\u{2028}\u{200f}\u{feff}";
        assert_eq!(printable("a\r\nb\u{85}\u{202e}ü\u{2028}\u{200f}\u{feff}"), escaped);
    }

    #[test]
    fn printable_text_stays_as_it_is() {
        for text in
            ["mensagem aceita ✓", "não", "e\u{301}", "日本語", "“quoted” — 5 €", r#"\ " ' ~"#, "😀"]
        {
            assert_eq!(printable(text), text);
        }
    }

    #[test]
    fn domains_have_a_labels() {
        assert_eq!(a_labels("münchen.example").as_deref(), Some("xn--mnchen-3ya.example"));
        for domain in ["mx.example", "", "b\u{202e}.example", "two words ü"] {
            assert_eq!(a_labels(domain), None, "{domain}");
        }
    }

    #[test]
    fn this_machine_has_a_name() {
        assert!(ClientName::new(&host_name()).is_ok());
        let here = IpAddr::from([127, 0, 0, 1]);
        assert!(helo_name(None, here, Some(here)).is_ok());
        assert_eq!(helo_name(Some("localhost"), here, None), Ok("localhost".to_owned()));
        let there = IpAddr::from([192, 0, 2, 25]);
        assert_eq!(helo_name(Some("localhost"), there, None), Err(HeloNameError::ThisHost));
    }
}

#[cfg(doctest)]
#[doc = include_str!("../../docs/helo.md")]
struct HeloGuide;

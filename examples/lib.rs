//! What the examples share: the name of this machine, the choices of a flag, and text that is safe
//! to print.

use std::fmt::Write as _;
use std::process::Command;

use ehlo::{ClientName, Newlines};

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
    }
}

//! `--transcript`: every line of the conversation, but no secret and no mail data.

use std::borrow::Cow;
use std::io::{self, Write as _};

use base64::Engine as _;
use base64::alphabet::STANDARD;
use base64::engine::{DecodePaddingMode, GeneralPurpose, GeneralPurposeConfig};
use ehlo::{Command, Parsed, Policy};
use ehlo_apps::printable;

/// Cuts what goes each way into lines. Mail data is counted, not shown.
#[derive(Default)]
pub(crate) struct Transcript {
    client: Vec<u8>,
    server: Vec<u8>,
    /// Bytes of the mail data so far, between the 354 and the final dot.
    mail_data: Option<usize>,
    /// Bytes of a chunk that are still to come, behind BDAT.
    chunk: usize,
    /// AUTH was said, and its last reply has not come.
    authenticates: bool,
    /// The next line answers a challenge.
    responds: bool,
}

impl Transcript {
    pub(crate) fn sent(&mut self, mut bytes: &[u8]) {
        while !bytes.is_empty() {
            if self.chunk > 0 {
                let length = self.chunk.min(bytes.len());
                self.chunk -= length;
                bytes = bytes.get(length..).unwrap_or_default();
                continue;
            }
            let line = bytes.split_inclusive(|byte| *byte == b'\n').next().unwrap_or_default();
            bytes = bytes.get(line.len()..).unwrap_or_default();
            self.client.extend_from_slice(line);
            if self.client.ends_with(b"\n") {
                let line = std::mem::take(&mut self.client);
                self.sent_line(&line);
            }
        }
    }

    fn sent_line(&mut self, line: &[u8]) {
        match &mut self.mail_data {
            Some(bytes) if line != b".\r\n" => *bytes += line.len(),
            Some(bytes) => {
                print(&format!("C: [{bytes} bytes of mail data]"));
                print("C: .");
                self.mail_data = None;
            }
            None if std::mem::take(&mut self.responds) => {
                // `*` cancels, and gives nothing away.
                show("C", if line == b"*\r\n" { line } else { REDACTED });
            }
            None => {
                self.authenticates |= is_auth(line);
                show("C", &without_secret(line));
                let command = Command::parse(line, &Policy::STRICT);
                if let Ok(Parsed::Complete { value: Command::Bdat { size, .. }, .. }) = command {
                    self.chunk = usize::try_from(size).unwrap_or(usize::MAX);
                    print(&format!("C: [{size} bytes of mail data]"));
                }
            }
        }
    }

    pub(crate) fn received(&mut self, bytes: &[u8]) {
        for part in bytes.split_inclusive(|byte| *byte == b'\n') {
            self.server.extend_from_slice(part);
            if self.server.ends_with(b"\n") {
                let line = std::mem::take(&mut self.server);
                self.received_line(&line);
            }
        }
    }

    fn received_line(&mut self, line: &[u8]) {
        if !self.authenticates {
            if line.starts_with(b"354") {
                self.mail_data = Some(0);
            }
            return show("S", line);
        }
        // A challenge may show what the client has said, and so does a server that repeats what it does
        // not understand.
        let (code, text) = line.split_at(line.len().min(4));
        let is_empty = text.trim_ascii().is_empty();
        show("S", &if is_empty { line.into() } else { Cow::from([code, REDACTED].concat()) });
        self.responds = code.starts_with(b"334");
        self.authenticates = self.responds || code.ends_with(b"-");
    }
}

/// The text without words that show the password, as it is or in base64: some servers repeat what they do
/// not understand.
pub(crate) fn without_password(text: &str, password: Option<&str>) -> String {
    let Some(password) = password else { return text.to_owned() };
    let shows = |word: &str| {
        let decoded =
            BASE64.decode(word.trim_matches(|edge| matches!(edge, '"' | '\'' | ':' | '.')));
        word.contains(password)
            || decoded
                .is_ok_and(|it| it.windows(password.len()).any(|it| it == password.as_bytes()))
    };
    let words = text.split(' ').map(|word| if shows(word) { "[redacted]" } else { word });
    words.collect::<Vec<_>>().join(" ")
}

/// The line of a command; of AUTH, the verb and the mechanism.
fn without_secret(line: &[u8]) -> Cow<'_, [u8]> {
    let mut words = line.splitn(3, |byte| *byte == b' ');
    match (words.next(), words.next(), words.next()) {
        (Some(verb), Some(mechanism), Some(_)) if is_auth(line) => {
            [verb, mechanism, REDACTED].join(&b' ').into()
        }
        _ => line.into(),
    }
}

fn is_auth(line: &[u8]) -> bool {
    line.get(..5).is_some_and(|verb| verb.eq_ignore_ascii_case(b"AUTH "))
}

const REDACTED: &[u8] = b"[redacted]\r\n";

fn show(who: &str, line: &[u8]) {
    let line = line.strip_suffix(b"\r\n").unwrap_or(line);
    print(&format!("{who}: {}", printable(&String::from_utf8_lossy(line))));
}

/// A line on standard error, which decides nothing about the mail.
fn print(line: &str) {
    let _ = writeln!(io::stderr().lock(), "{line}");
}

/// Padded or not.
const BASE64: GeneralPurpose = GeneralPurpose::new(
    &STANDARD,
    GeneralPurposeConfig::new().with_decode_padding_mode(DecodePaddingMode::Indifferent),
);

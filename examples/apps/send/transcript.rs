//! `--transcript`: every line of the conversation, but no secret and no mail data.

#![allow(clippy::print_stderr)] // the transcript is the point

use std::borrow::Cow;

use ehlo::{Command, Parsed, Policy};
use ehlo_apps::printable;

/// Cuts what goes each way into lines. Mail data is counted, not shown.
#[derive(Default)]
pub(crate) struct Transcript {
    client: Vec<u8>,
    server: Vec<u8>,
    /// Octets of the mail data so far, between the 354 and the final dot.
    mail_data: Option<usize>,
    /// Octets of a chunk that are still to come, behind BDAT.
    chunk: usize,
    /// The next line answers a challenge.
    response: bool,
}

impl Transcript {
    pub(crate) fn sent(&mut self, mut octets: &[u8]) {
        while !octets.is_empty() {
            if self.chunk > 0 {
                let length = self.chunk.min(octets.len());
                self.chunk -= length;
                octets = octets.get(length..).unwrap_or_default();
                continue;
            }
            let line = octets.split_inclusive(|octet| *octet == b'\n').next().unwrap_or_default();
            octets = octets.get(line.len()..).unwrap_or_default();
            self.client.extend_from_slice(line);
            if self.client.ends_with(b"\n") {
                let line = std::mem::take(&mut self.client);
                self.sent_line(&line);
            }
        }
    }

    fn sent_line(&mut self, line: &[u8]) {
        match &mut self.mail_data {
            Some(octets) if line != b".\r\n" => *octets += line.len(),
            Some(octets) => {
                eprintln!("C: [{octets} octets of mail data]\nC: .");
                self.mail_data = None;
            }
            None if std::mem::take(&mut self.response) => {
                // `*` cancels, and gives nothing away.
                show("C", if line == b"*\r\n" { line } else { REDACTED });
            }
            None => {
                show("C", &without_secret(line));
                let command = Command::parse(line, &Policy::STRICT);
                if let Ok(Parsed::Complete { value: Command::Bdat { size, .. }, .. }) = command {
                    self.chunk = usize::try_from(size).unwrap_or(usize::MAX);
                    eprintln!("C: [{size} octets of mail data]");
                }
            }
        }
    }

    pub(crate) fn received(&mut self, octets: &[u8]) {
        for part in octets.split_inclusive(|octet| *octet == b'\n') {
            self.server.extend_from_slice(part);
            if self.server.ends_with(b"\n") {
                let line = std::mem::take(&mut self.server);
                if line.starts_with(b"354") {
                    self.mail_data = Some(0);
                }
                self.response = line.starts_with(b"334");
                show("S", &line);
            }
        }
    }
}

/// The line of a command; of AUTH, the verb and the mechanism.
fn without_secret(line: &[u8]) -> Cow<'_, [u8]> {
    let mut words = line.splitn(3, |octet| *octet == b' ');
    match (words.next(), words.next(), words.next()) {
        (Some(verb), Some(mechanism), Some(_)) if verb.eq_ignore_ascii_case(b"AUTH") => {
            [verb, mechanism, REDACTED].join(&b' ').into()
        }
        _ => line.into(),
    }
}

const REDACTED: &[u8] = b"[redacted]\r\n";

fn show(who: &str, line: &[u8]) {
    let line = line.strip_suffix(b"\r\n").unwrap_or(line);
    eprintln!("{who}: {}", printable(&String::from_utf8_lossy(line)));
}

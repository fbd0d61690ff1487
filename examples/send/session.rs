//! The conversation: what the machine asks for, and what it is given.

use std::io;
use std::ops::ControlFlow;
use std::process::ExitCode;

use ehlo::delivery::{Delivery, Envelope, Event};
use ehlo::{Answer, Endpoint, Extension, SendError, Turn};

use crate::content::Content;
use crate::report::Report;

/// One message, to be sent a number of times over one connection.
pub(crate) struct Session<'v> {
    /// For a server that does not offer 8BITMIME, and for one that does.
    envelopes: [&'v Envelope<'v>; 2],
    content: Content,
    /// Messages to be begun.
    left: u32,
    report: Report<'v>,
    piece: Vec<u8>,
}

impl<'v> Session<'v> {
    pub(crate) fn new(
        envelopes: [&'v Envelope<'v>; 2],
        content: Content,
        count: u32,
        report: Report<'v>,
    ) -> Self {
        Self { envelopes, content, left: count, report, piece: vec![0; PIECE] }
    }

    /// Answers one event; breaks off after the last.
    pub(crate) fn step(&mut self, turn: Turn<'_, Delivery<'v>>) -> ControlFlow<()> {
        let Turn { event, mut answer } = turn;
        match event {
            Event::NeedEnvelope => self.envelope(answer),
            Event::NeedContent { offset, .. } => {
                if offset == 0 {
                    self.content.rewind();
                }
                if let Err(error) = self.content(&mut answer) {
                    answer.abandon(error);
                }
            }
            Event::Closed => {
                self.report.end(self.left);
                return ControlFlow::Break(());
            }
            event => self.report.record(&event),
        }
        ControlFlow::Continue(())
    }

    /// The connection broke: whatever was not answered stays so.
    pub(crate) fn broken(&mut self, error: &io::Error, endpoint: &mut Endpoint<Delivery<'v>>) {
        self.report.fail(&match error.kind() {
            io::ErrorKind::WouldBlock | io::ErrorKind::TimedOut => "timeout".to_owned(),
            _ => error.to_string(),
        });
        endpoint.machine_mut().poison();
        while self.step(endpoint.turn()).is_continue() {}
    }

    pub(crate) fn exit_code(&self) -> ExitCode {
        self.report.exit_code()
    }

    fn envelope(&mut self, answer: Answer<'_, Delivery<'v>>) {
        if self.left == 0 {
            return answer.quit();
        }
        self.left -= 1;
        self.report.begin();
        let [without, with] = self.envelopes;
        let envelope = if offers_eight_bit(answer.machine()) { with } else { without };
        answer.envelope(envelope);
    }

    /// The next piece of the content, and with the last one its end.
    fn content(&mut self, answer: &mut Answer<'_, Delivery<'v>>) -> Result<(), SendError> {
        let octets = self.content.read(&mut self.piece).map_err(|error| {
            self.report.fail(&format!("cannot read the content: {error}"));
            SendError::NoContent
        })?;
        let piece = self.piece.get(..octets).unwrap_or_default();
        // RFC 6152 §3: "if a server SMTP does not support the 8-bit MIME transport extension …, a
        // client SMTP must not, under any circumstances, attempt to transfer a content which
        // contains characters outside the US-ASCII octet range".
        let [without, with] = self.envelopes;
        if without.body != with.body && !offers_eight_bit(answer.machine()) && !piece.is_ascii() {
            return Err(SendError::NotOffered(Extension::EightBitMime));
        }
        if octets < PIECE {
            answer.last_mail_data(piece)?;
        } else {
            answer.mail_data(piece)?;
        }
        self.report.progress(octets);
        Ok(())
    }
}

fn offers_eight_bit(delivery: &Delivery<'_>) -> bool {
    delivery.client().capabilities().contains(Extension::EightBitMime)
}

/// Octets of the content that are read at once.
const PIECE: usize = 64 * 1024;

//! The conversation: what the machine asks for, and what it is given.

use std::io;
use std::ops::ControlFlow;
use std::process::ExitCode;

use ehlo::delivery::{Delivery, Envelope, Event};
use ehlo::{Answer, Endpoint, Extension, SendError, Turn, Verb};

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
            Event::NeedContent => {
                if let Err(event) = self.content(&mut answer) {
                    // Whoever breaks off before the final dot has sent nothing.
                    self.report.record(&event);
                    answer.machine_mut().poison();
                }
            }
            Event::Closed => {
                self.report.record(&Event::Closed);
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
        self.report.next(self.left > 0);
        if self.left == 0 {
            return answer.quit();
        }
        self.left -= 1;
        let [without, with] = self.envelopes;
        let envelope = if offers_eight_bit(answer.machine()) { with } else { without };
        answer.envelope(envelope);
    }

    /// The next piece of the content, or its end. What it fails with is the event to be reported.
    fn content(&mut self, answer: &mut Answer<'_, Delivery<'v>>) -> Result<(), Event<'static>> {
        let octets = self.content.read(&mut self.piece).map_err(|error| {
            self.report.fail(&format!("cannot read the content: {error}"));
            Event::Closed
        })?;
        let not_sent = |error| Event::NotSent { index: None, at: Verb::Data, error };
        let Some(piece @ [_, ..]) = self.piece.get(..octets) else {
            return answer.end_mail_data().map_err(not_sent);
        };
        // RFC 6152 §3: "if a server SMTP does not support the 8-bit MIME transport extension …, a
        // client SMTP must not, under any circumstances, attempt to transfer a content which
        // contains characters outside the US-ASCII octet range".
        let [without, with] = self.envelopes;
        if without.body != with.body && !offers_eight_bit(answer.machine()) && !piece.is_ascii() {
            return Err(not_sent(SendError::NotOffered(Extension::EightBitMime)));
        }
        answer.mail_data(piece).map_err(not_sent)?;
        self.report.progress(octets);
        Ok(())
    }
}

fn offers_eight_bit(delivery: &Delivery<'_>) -> bool {
    delivery.client().capabilities().contains(Extension::EightBitMime)
}

/// Octets of the content that are read at once.
const PIECE: usize = 64 * 1024;

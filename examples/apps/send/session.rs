//! The messages for the conversation, and what is heard of it.

use std::error::Error;
use std::io;
use std::process::ExitCode;

use ehlo::Extension;
use ehlo::delivery::{Event, Outcome};
use ehlo::syntax::sasl::{Mechanisms, SaslMechanism};
use ehlo::{Delivery, Envelope};
use ehlo_io::MessageSource;
use ehlo_sasl::{AnyClient, Channel, Credentials};

use crate::arguments::Arguments;
use crate::content::{Content, Reader};
use crate::report::Report;
use crate::transcript::Transcript;

/// One message, to be sent a number of times over one connection.
pub(crate) struct Session<'v> {
    /// For a server that does not offer 8BITMIME, and for one that does.
    envelopes: [&'v Envelope<'v>; 2],
    content: Content,
    /// Messages to be begun.
    left: u32,
    report: Report<'v>,
    credentials: Option<Credentials<'v>>,
    mechanism: Option<SaslMechanism>,
    transcript: Option<Transcript>,
}

impl<'v> Session<'v> {
    pub(crate) fn new(
        arguments: &'v Arguments,
        envelopes: [&'v Envelope<'v>; 2],
        content: Content,
        report: Report<'v>,
    ) -> Self {
        Self {
            envelopes,
            content,
            left: arguments.count,
            report,
            credentials: arguments.credentials(),
            mechanism: arguments.mechanism,
            transcript: arguments.transcript.then(Transcript::default),
        }
    }

    /// The connection broke; whatever was not answered has been reported so.
    pub(crate) fn broken(&mut self, error: &io::Error) {
        self.report.broken(&match error.kind() {
            io::ErrorKind::WouldBlock | io::ErrorKind::TimedOut => "timeout".to_owned(),
            _ => error.to_string(),
        });
    }

    pub(crate) fn exit_code(&self) -> ExitCode {
        self.report.exit_code()
    }
}

impl<'v> MessageSource<'v> for Session<'v> {
    type Content = Reader;

    fn envelope(&mut self, delivery: &Delivery<'v>) -> Option<&'v Envelope<'v>> {
        self.left = self.left.checked_sub(1)?;
        self.report.begin();
        // RFC 6152 §3: "If a server SMTP does not support the 8-bit MIME transport extension …, then
        // the client SMTP must not, under any circumstances, attempt to transfer a content that
        // contains characters outside of the US-ASCII octet range": of content that nobody has read
        // yet, the machine stops at the first.
        let [without, with] = self.envelopes;
        let offered = delivery.client().capabilities().contains(Extension::EightBitMime);
        Some(if offered { with } else { without })
    }

    fn content(&mut self, _: usize) -> Option<Reader> {
        match self.content.reader() {
            Ok(reader) => Some(reader.watched(self.report.bar())),
            Err(error) => {
                self.on_error(&error);
                None
            }
        }
    }

    /// The report has kept them itself, with the text of the replies.
    fn finished(&mut self, _: usize, _: &[Outcome]) {}

    fn event(&mut self, event: &Event<'_>) {
        self.report.record(event);
        if matches!(event, Event::Closed) {
            self.report.end(self.left);
        }
    }

    fn sent(&mut self, octets: &[u8]) {
        if let Some(transcript) = &mut self.transcript {
            transcript.sent(octets);
        }
    }

    fn received(&mut self, octets: &[u8]) {
        if let Some(transcript) = &mut self.transcript {
            transcript.received(octets);
        }
    }

    fn on_error(&mut self, error: &(dyn Error + 'static)) {
        self.report.fail(&error.to_string());
    }

    fn mechanism(&mut self, offered: Mechanisms, channel: Channel<'_>) -> Option<AnyClient<'v>> {
        let credentials = self.credentials.as_ref()?;
        let Some(mechanism) = self.mechanism else {
            return AnyClient::strongest(offered, credentials, channel);
        };
        if !offered.contains(mechanism) {
            self.report.fail(&format!("{} is not offered, or not outside TLS", mechanism.name()));
            return None;
        }
        let alone = Mechanisms::NONE.with(mechanism);
        AnyClient::new(mechanism, credentials)
            // One that is bound to the connection needs to know it.
            .or_else(|| AnyClient::strongest(alone, credentials, channel))
    }
}

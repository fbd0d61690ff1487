//! One session: the messages for the conversation, and what is heard of it.

use std::error::Error;

use ehlo::Delivery;
use ehlo::Envelope;
use ehlo::delivery::Event;
use ehlo::machine::PlaintextInjection;
use ehlo::syntax::sasl::{Mechanisms, SaslMechanism};
use ehlo_apps::cause::{cause, find};
use ehlo_io::{MessageSource, RecipientReport};
use ehlo_sasl::{AnyClient, Channel, Credentials};

use crate::arguments::Arguments;
use crate::content::{Content, Reader};
use crate::envelopes::Envelopes;
use crate::report::Report;
use crate::transcript::Transcript;

/// One message, to be sent a number of times over one connection.
pub(crate) struct Session<'v, 'r> {
    envelopes: &'v Envelopes<'v>,
    content: &'r mut Content,
    report: &'r mut Report,
    credentials: Option<Credentials<'v>>,
    mechanism: Option<SaslMechanism>,
    transcript: Option<Transcript>,
}

impl<'v, 'r> Session<'v, 'r> {
    pub(crate) fn new(
        arguments: &'v Arguments,
        envelopes: &'v Envelopes<'v>,
        content: &'r mut Content,
        report: &'r mut Report,
    ) -> Self {
        Self {
            envelopes,
            content,
            report,
            credentials: arguments.credentials(),
            mechanism: arguments.mechanism,
            transcript: arguments.transcript.then(Transcript::default),
        }
    }
}

impl<'v> MessageSource<'v> for Session<'v, '_> {
    type Content = Reader;

    fn envelope(&mut self, delivery: &Delivery<'v>) -> Option<&'v Envelope<'v>> {
        let (envelope, is_converted) = self.envelopes.choose(delivery.client().capabilities());
        self.report.begin(is_converted).then_some(envelope)
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
    fn finished(&mut self, _: usize, _: &[RecipientReport]) {}

    fn event(&mut self, event: &Event<'_>) {
        self.report.record(event);
    }

    fn sent(&mut self, bytes: &[u8]) {
        if let Some(transcript) = &mut self.transcript {
            transcript.sent(bytes);
        }
    }

    fn received(&mut self, bytes: &[u8]) {
        if let Some(transcript) = &mut self.transcript {
            transcript.received(bytes);
        }
    }

    fn on_error(&mut self, error: &(dyn Error + 'static)) {
        let is_injection = find::<PlaintextInjection>(error).is_some();
        self.report.fail(&cause(error), is_injection);
    }

    fn has_credentials(&self) -> bool {
        self.credentials.is_some()
    }

    fn mechanism(&mut self, offered: Mechanisms, channel: Channel<'_>) -> Option<AnyClient<'v>> {
        let credentials = self.credentials.as_ref()?;
        let Some(mechanism) = self.mechanism else {
            return AnyClient::strongest(offered, credentials, channel);
        };
        if !offered.contains(mechanism) {
            let name = mechanism.name();
            self.report.fail(&format!("{name} is not offered, or not outside TLS"), false);
            return None;
        }
        let alone = Mechanisms::NONE.with(mechanism);
        AnyClient::new(mechanism, credentials)
            // One that is bound to the connection needs to know it.
            .or_else(|| AnyClient::strongest(alone, credentials, channel))
    }
}

//! The way to send an envelope to this server, found before any of it is sent.

use crate::client::error::SendError;
use crate::delivery::config::ChunkingPolicy;
use crate::delivery::delivery::Delivery;
use crate::delivery::envelope::{Envelope, Recipient};
use crate::syntax::capability::Capabilities;
use crate::syntax::command::command::Command;
use crate::syntax::extension::Extension;
use crate::syntax::parameter::{Body, Parameter, Parameters};

/// The way in which the server's extensions let an envelope be sent: see [`Delivery::plan`].
///
/// ```
/// use ehlo::{Delivery, DeliveryConfig, Envelope};
/// use ehlo::{Extension, ForwardPath, HeloName, ReversePath, SendError};
/// use ehlo::machine::Machine;
/// use ehlo::syntax::parameter::Body;
///
/// let recipients = [ForwardPath::new("b@example.org")?];
/// let mut envelope = Envelope::new(ReversePath::new("a@example.org")?, &recipients);
/// let mut delivery = Delivery::new(HeloName::new("client.example")?, DeliveryConfig::default());
/// delivery.receive(b"220 mx.example\r\n");
/// delivery.transmit(&mut [0; 512])?;
/// delivery.receive(b"250-mx.example\r\n250-PIPELINING\r\n250 CHUNKING\r\n");
///
/// assert!(delivery.plan(&envelope)?.chunks);
/// envelope.body = Body::EightBitMime;
/// assert_eq!(delivery.plan(&envelope), Err(SendError::NotOffered(Extension::EightBitMime)));
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Plan {
    /// The delivery sends commands before the server answers the ones before them, RFC 2920.
    pub pipelined: bool,
    /// The content is sent by BDAT, RFC 3030.
    pub chunks: bool,
    /// The content is sent before the server answers the RCPT commands.
    pub early: bool,
    /// The RCPT commands that the server takes in one transaction, its RCPTMAX of RFC 9422; `None`
    /// for no limit.
    pub recipients: Option<u32>,
}

impl Delivery<'_> {
    /// The way in which this server lets `envelope` be sent, as far as MAIL and the content are
    /// concerned; the machine checks each recipient later.
    ///
    /// A caller that has the content in several forms calls it after [`Event::NeedEnvelope`].
    ///
    /// # Errors
    ///
    /// [`SendError`] for what the server's extensions forbid; [`Event::NotSent`] would report the
    /// same.
    ///
    /// [`Event::NeedEnvelope`]: super::Event::NeedEnvelope
    /// [`Event::NotSent`]: super::Event::NotSent
    pub fn plan(&self, envelope: &Envelope<'_>) -> Result<Plan, SendError> {
        let offered = self.client.capabilities();
        with_mail(envelope, offered, |command| self.client.permits(command))?;
        let chunking = offered.contains(Extension::Chunking);
        let pipelined = self.config.pipelining && offered.contains(Extension::Pipelining);
        let chunks = match self.config.chunking {
            // RFC 3030 §3: a binary message goes by BDAT only.
            _ if envelope.body() == Body::BinaryMime && chunking => true,
            _ if envelope.body() == Body::BinaryMime => return Err(SendError::BinaryByData),
            ChunkingPolicy::Never => false,
            ChunkingPolicy::Pipelined => chunking && pipelined,
            ChunkingPolicy::Offered => chunking,
        };
        let is_small = envelope.size.is_some_and(|size| size <= self.config.early_content);
        Ok(Plan {
            pipelined,
            chunks,
            early: chunks && pipelined && is_small && self.config.early_content > 0,
            recipients: offered.rcpt_max(),
        })
    }

    /// Checks that this server lets `recipient` be sent with `envelope`, apart from the number of
    /// recipients.
    ///
    /// A caller calls it after [`Event::NeedEnvelope`], and builds an envelope of the addresses
    /// that can be sent. If only the domain of an address is outside US-ASCII, it can use the
    /// A-labels.
    ///
    /// ```
    /// use ehlo::machine::Machine;
    /// use ehlo::{Delivery, DeliveryConfig, Envelope, ForwardPath, HeloName, ReversePath, SendError};
    ///
    /// let recipients = [ForwardPath::new("b@bücher.example")?];
    /// let envelope = Envelope::new(ReversePath::new("a@example.org")?, &recipients);
    /// let mut delivery = Delivery::new(HeloName::new("client.example")?, DeliveryConfig::default());
    /// delivery.receive(b"220 mx.example\r\n");
    /// delivery.transmit(&mut [0; 512])?;
    /// delivery.receive(b"250 mx.example\r\n");
    ///
    /// let plan = delivery.plan_recipient(&envelope, &recipients[0].into());
    /// assert_eq!(plan, Err(SendError::NeedsALabels));
    /// let converted = ForwardPath::new("b@xn--bcher-kva.example")?;
    /// assert_eq!(delivery.plan_recipient(&envelope, &converted.into()), Ok(()));
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    ///
    /// # Errors
    ///
    /// [`SendError`] for what the server's extensions forbid; [`Event::NotSent`] would report the
    /// same.
    ///
    /// [`Event::NeedEnvelope`]: super::Event::NeedEnvelope
    /// [`Event::NotSent`]: super::Event::NotSent
    pub fn plan_recipient(
        &self,
        envelope: &Envelope<'_>,
        recipient: &Recipient<'_>,
    ) -> Result<(), SendError> {
        self.permits(recipient, envelope.smtputf8 || envelope.parameters.smtputf8())
    }

    /// Whether a recipient can be sent in the open transaction.
    pub(super) fn permits(
        &self,
        recipient: &Recipient<'_>,
        smtputf8: bool,
    ) -> Result<(), SendError> {
        let Recipient { forward_path, parameters } = recipient;
        self.client.permits_recipient(forward_path, parameters, smtputf8)
    }
}

/// Calls `take` with the MAIL command of `envelope`.
pub(super) fn with_mail<T>(
    envelope: &Envelope<'_>,
    offered: &Capabilities,
    take: impl FnOnce(&Command<'_>) -> Result<T, SendError>,
) -> Result<T, SendError> {
    let mut parameters = [Parameter::SmtpUtf8; MAIL_PARAMETERS];
    let own = [
        envelope.size.filter(|_| offered.contains(Extension::Size)).map(Parameter::Size),
        (envelope.body != Body::SevenBit).then_some(Parameter::Body(envelope.body)),
        envelope.smtputf8.then_some(Parameter::SmtpUtf8),
    ];
    let mut count = 0;
    for parameter in own.into_iter().flatten().chain(envelope.parameters.iter()) {
        let Some(place) = parameters.get_mut(count) else {
            return Err(SendError::TooManyParameters);
        };
        *place = parameter;
        count += 1;
    }
    let parameters = Parameters::mail(parameters.get(..count).unwrap_or_default())
        .map_err(|error| SendError::Parameter(error.kind))?;
    take(&Command::Mail { reverse_path: envelope.reverse_path, parameters })
}

/// The most parameters of one MAIL command; a client of the RFCs needs less than half as many.
const MAIL_PARAMETERS: usize = 24;

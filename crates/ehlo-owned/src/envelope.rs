//! An envelope that owns its addresses.

use ehlo::syntax::parameter::Body;
use ehlo::{Envelope, SyntaxError};

use crate::parameters::MailParametersBuf;
use crate::path::ReversePathBuf;
use crate::recipient::{RecipientBuf, RecipientList};

/// An owned [`Envelope`]: where a message comes from and where it goes, RFC 5321 §2.3.1.
///
/// ```
/// use ehlo::ForwardPath;
/// use ehlo_owned::EnvelopeBuf;
///
/// let mut envelope = EnvelopeBuf::new(
///     "smith@example.com".parse()?,
///     ["jones@example.org".parse()?, "<green@example.org> NOTIFY=NEVER".parse()?],
/// );
/// envelope.size = Some(1000);
/// let lent = envelope.as_envelope();
/// let first = lent.recipients.recipient(0).map(|it| it.forward_path);
/// assert_eq!(first, Some(ForwardPath::new("jones@example.org")?));
/// assert_eq!(EnvelopeBuf::try_from(lent)?, envelope);
/// # Ok::<(), ehlo::SyntaxError>(())
/// ```
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
#[cfg_attr(feature = "serde", serde(deny_unknown_fields))]
#[non_exhaustive]
pub struct EnvelopeBuf {
    /// Where notifications go.
    pub reverse_path: ReversePathBuf,
    /// Parameters of MAIL beside those of the fields below.
    #[cfg_attr(
        feature = "serde",
        serde(default, skip_serializing_if = "MailParametersBuf::is_empty")
    )]
    pub parameters: MailParametersBuf,
    /// The recipients, in the order in which their outcomes are counted.
    pub recipients: RecipientList,
    /// The size of the content in bytes, where it is known.
    #[cfg_attr(feature = "serde", serde(default, skip_serializing_if = "Option::is_none"))]
    pub size: Option<u64>,
    /// What the content needs of its way.
    #[cfg_attr(
        feature = "serde",
        serde(
            default = "crate::serde_text::seven_bit",
            skip_serializing_if = "crate::serde_text::is_seven_bit",
            with = "crate::serde_text::body"
        )
    )]
    pub body: Body,
    /// An address or a header field needs SMTPUTF8, RFC 6531.
    #[cfg_attr(
        feature = "serde",
        serde(default, skip_serializing_if = "crate::serde_text::is_false")
    )]
    pub smtputf8: bool,
    /// The content can be had more than once: [`Envelope::repeatable`].
    #[cfg_attr(
        feature = "serde",
        serde(default, skip_serializing_if = "crate::serde_text::is_false")
    )]
    pub repeatable: bool,
}

impl EnvelopeBuf {
    /// An envelope without parameters, for 7-bit content of unknown size that goes once; as
    /// [`Envelope::new`].
    pub fn new(
        reverse_path: ReversePathBuf,
        recipients: impl IntoIterator<Item = RecipientBuf>,
    ) -> Self {
        Self {
            reverse_path,
            parameters: MailParametersBuf::default(),
            recipients: recipients.into_iter().collect(),
            size: None,
            body: Body::SevenBit,
            smtputf8: false,
            repeatable: false,
        }
    }

    /// The envelope, for a delivery.
    pub fn as_envelope(&self) -> Envelope<'_> {
        Envelope {
            parameters: self.parameters.as_parameters(),
            size: self.size,
            body: self.body,
            smtputf8: self.smtputf8,
            repeatable: self.repeatable,
            ..Envelope::new(self.reverse_path.as_reverse_path(), &self.recipients)
        }
    }
}

/// Fails where the parameters of an address belong to another command, or are too long.
impl TryFrom<&Envelope<'_>> for EnvelopeBuf {
    type Error = SyntaxError;

    fn try_from(envelope: &Envelope<'_>) -> Result<Self, SyntaxError> {
        let all = (0..).map_while(|index| envelope.recipients.recipient(index));
        Ok(Self {
            reverse_path: envelope.reverse_path.into(),
            parameters: envelope.parameters.try_into()?,
            recipients: all.map(RecipientBuf::try_from).collect::<Result<_, _>>()?,
            size: envelope.size,
            body: envelope.body,
            smtputf8: envelope.smtputf8,
            repeatable: envelope.repeatable,
        })
    }
}

/// Fails where the parameters of an address belong to another command, or are too long.
impl TryFrom<Envelope<'_>> for EnvelopeBuf {
    type Error = SyntaxError;

    fn try_from(envelope: Envelope<'_>) -> Result<Self, SyntaxError> {
        Self::try_from(&envelope)
    }
}

//! What a delivery reports.

use crate::client::error::SendError;
use crate::syntax::command::Verb;
use crate::syntax::error::SyntaxError;
use crate::syntax::reply::Reply;
use crate::syntax::sasl::Mechanisms;

/// What a [`Delivery`](crate::Delivery) reports.
///
/// Envelopes are counted from 0 in the order in which they were given, recipients from 0 in the
/// order of their envelope.
///
/// ```
/// use ehlo::{Delivery, DeliveryConfig};
/// use ehlo::delivery::Event;
/// use ehlo::HeloName;
/// use ehlo::machine::Machine;
/// use ehlo::syntax::command::Verb;
///
/// let mut delivery = Delivery::new(HeloName::new("client.example")?, DeliveryConfig::DEFAULT);
/// let refused = delivery.receive(b"554 no service\r\n").event;
/// assert!(matches!(refused, Event::Refused { part: None, to: Verb::Greeting, .. }));
/// assert_eq!(refused.envelope(), None);
/// # Ok::<(), ehlo::identity::HeloNameError>(())
/// ```
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Event<'i> {
    /// The input holds no whole reply; read more.
    NeedInput,
    /// STARTTLS was accepted: hand the connection to TLS, and say
    /// [`tls_established`](crate::Delivery::tls_established) or
    /// [`tls_failed`](crate::Delivery::tls_failed). Who asks for the next event instead has failed.
    StartTls,
    /// The client may authenticate with one of these mechanisms:
    /// [`authenticate`](crate::Delivery::authenticate), or
    /// [`skip_authentication`](crate::Delivery::skip_authentication).
    NeedAuthentication(Mechanisms),
    /// The server's challenge within AUTH, a 334: [`respond`](crate::Delivery::respond).
    Challenge(Reply<'i>),
    /// Give the next [`envelope`](crate::Delivery::envelope), or
    /// [`quit`](crate::Delivery::quit), or say that it comes [`later`](crate::Delivery::defer_envelope).
    NeedEnvelope,
    /// The content goes now: [`mail_data`](crate::Delivery::mail_data), as often as there is more,
    /// then [`end_mail_data`](crate::Delivery::end_mail_data); or
    /// [`last_mail_data`](crate::Delivery::last_mail_data) with the last of it.
    NeedContent {
        /// The envelope.
        envelope: usize,
        /// Bytes of the content that were taken before. An envelope that is
        /// [`repeatable`](crate::Envelope::repeatable) may come to 0 again: its content then goes
        /// once more from its beginning.
        offset: u64,
    },
    /// The reply to the RCPT of one recipient. Another one than a 2yz is its outcome.
    Recipient {
        /// The envelope.
        envelope: usize,
        /// The recipient.
        index: usize,
        /// The reply.
        reply: Reply<'i>,
    },
    /// The reply to the message.
    Message {
        /// The recipients whose outcome it is.
        part: RecipientRange,
        /// It is the outcome of the first of them only that has none, as in LMTP.
        first_only: bool,
        /// The reply.
        reply: Reply<'i>,
    },
    /// A refusal that decides for more than one recipient: of the session, of MAIL, of DATA or of a
    /// chunk.
    Refused {
        /// The recipients whose outcome it is; none if it is that of all envelopes to come.
        part: Option<RecipientRange>,
        /// What was refused.
        to: Verb,
        /// The reply.
        reply: Reply<'i>,
    },
    /// Something that the server or the RFCs do not allow was not sent.
    NotSent {
        /// The recipients whose outcome it is.
        part: RecipientRange,
        /// What was not sent.
        at: Verb,
        /// Why.
        error: SendError,
    },
    /// The recipients of an envelope from this one on, as many as the server takes at once, go in a
    /// further transaction. Outcomes of theirs that said "too many recipients" are void.
    Split {
        /// The envelope.
        envelope: usize,
        /// The first of the recipients.
        first: usize,
    },
    /// Every recipient of an envelope has its outcome; for those that nothing was said of the
    /// session ended before. Comes once for each envelope.
    Finished {
        /// The envelope.
        envelope: usize,
    },
    /// Any other reply; nothing needs to be done.
    Reply {
        /// What is answered.
        to: Verb,
        /// The reply.
        reply: Reply<'i>,
    },
    /// The session ended before this was answered.
    Unanswered {
        /// The recipients that it concerns.
        part: Option<RecipientRange>,
        /// What has no reply.
        to: Verb,
    },
    /// A reply that answers nothing; the session is over.
    Unsolicited(Reply<'i>),
    /// What the server sent is no reply; the session is over.
    Violation(SyntaxError),
    /// The session takes no envelope, or no more of them. What is open is brought to its end.
    Unusable(UnusableSession),
    /// The session is over.
    Closed,
}

impl<'i> Event<'i> {
    /// The reply within an attempt to authenticate: a challenge, or what ends it.
    pub const fn authentication(&self) -> Option<&Reply<'i>> {
        match self {
            Self::Challenge(reply)
            | Self::Reply { to: Verb::Auth | Verb::AuthResponse, reply }
            | Self::Refused { to: Verb::Auth | Verb::AuthResponse, reply, .. } => Some(reply),
            _ => None,
        }
    }

    /// The envelope that the event speaks of, if it is one alone.
    pub const fn envelope(&self) -> Option<usize> {
        match self {
            Self::NeedContent { envelope, .. }
            | Self::Recipient { envelope, .. }
            | Self::Split { envelope, .. }
            | Self::Finished { envelope } => Some(*envelope),
            Self::Message { part, .. } | Self::NotSent { part, .. } => Some(part.envelope),
            Self::Refused { part: Some(part), .. } | Self::Unanswered { part: Some(part), .. } => {
                Some(part.envelope)
            }
            _ => None,
        }
    }
}

/// The recipients of an envelope, from one on up to another, that have no outcome yet.
///
/// ```
/// use ehlo::delivery::{Event, RecipientRange};
/// use ehlo::{Code, Reply};
/// use ehlo::syntax::command::Verb;
///
/// // The server does not want this sender, whoever the recipients are.
/// let part = RecipientRange { envelope: 3, first: 0, end: usize::MAX };
/// let reply = Reply::new(Code::MAILBOX_UNAVAILABLE, "not from there");
/// let refused = Event::Refused { part: Some(part), to: Verb::Mail, reply };
/// assert_eq!(refused.envelope(), Some(3));
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct RecipientRange {
    /// The envelope.
    pub envelope: usize,
    /// The first recipient.
    pub first: usize,
    /// The first that belongs no more to it; `usize::MAX` for all up to the last.
    pub end: usize,
}

/// Why a session takes no envelope.
///
/// ```
/// use ehlo::delivery::UnusableSession;
///
/// assert_eq!(UnusableSession::EhloRefused.to_string(), "EHLO was refused");
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum UnusableSession {
    /// EHLO was refused, and HELO is not to be said, or would be of no use: it has neither the TLS
    /// nor the authentication that is required.
    EhloRefused,
    /// The connection was closed at EHLO. Another one with
    /// [`HelloPolicy::HeloOnly`](super::HelloPolicy::HeloOnly) may do.
    EhloClosed,
    /// TLS is required and not offered.
    TlsNotOffered,
    /// TLS is required and was refused.
    TlsRefused,
    /// The handshake failed. Where TLS is not required, another connection with
    /// [`TlsPolicy::Forbid`](super::TlsPolicy::Forbid) may do.
    TlsFailed,
    /// Bytes in clear stood between STARTTLS and the handshake.
    PlaintextInjection,
    /// Authentication is required, and no mechanism is offered that can be used: none at all, none that
    /// may be used here, or none that the application has credentials for.
    AuthNotOffered,
    /// Authentication is required and failed.
    NotAuthenticated,
    /// The server has not proven itself, as the mechanism asks of it, RFC 5802 §3: nothing more is sent
    /// to it.
    ServerNotAuthentic,
    /// The server takes no more messages in this session: its MAILMAX, RFC 9422. Another connection
    /// does.
    MailMax,
}

impl UnusableSession {
    /// The command or the moment that it comes from.
    pub(super) const fn stage(self) -> Verb {
        match self {
            Self::EhloRefused | Self::EhloClosed => Verb::Ehlo,
            Self::TlsNotOffered | Self::TlsRefused => Verb::StartTls,
            Self::TlsFailed | Self::PlaintextInjection => Verb::Handshake,
            Self::AuthNotOffered | Self::NotAuthenticated | Self::ServerNotAuthentic => Verb::Auth,
            Self::MailMax => Verb::Mail,
        }
    }
}

impl core::fmt::Display for UnusableSession {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        f.write_str(match self {
            Self::EhloRefused => "EHLO was refused",
            Self::EhloClosed => "the connection was closed at EHLO",
            Self::TlsNotOffered => "TLS is required and not offered",
            Self::TlsRefused => "TLS is required and was refused",
            Self::TlsFailed => "the TLS handshake failed",
            Self::PlaintextInjection => "bytes in clear between STARTTLS and the handshake",
            Self::AuthNotOffered => "no mechanism of authentication is offered that can be used",
            Self::NotAuthenticated => "authentication failed",
            Self::ServerNotAuthentic => "the server has not proven itself",
            Self::MailMax => "no more messages in this session",
        })
    }
}

impl core::error::Error for UnusableSession {}

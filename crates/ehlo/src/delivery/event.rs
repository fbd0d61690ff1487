//! The events that a delivery reports.

use crate::client::error::SendError;
use crate::syntax::command::Verb;
use crate::syntax::error::SyntaxError;
use crate::syntax::reply::Reply;
use crate::syntax::sasl::Mechanisms;

/// An event that a [`Delivery`](crate::Delivery) reports.
///
/// Envelopes are counted from 0 in the order in which the caller gave them, recipients from 0 in
/// the order of their envelope.
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
    /// STARTTLS was accepted: do the TLS handshake, then call
    /// [`tls_established`](crate::Delivery::tls_established) or
    /// [`tls_failed`](crate::Delivery::tls_failed). If the caller asks for the next event instead, the
    /// session ends: [`TlsNotBegun`](UnusableSession::TlsNotBegun).
    StartTls,
    /// The client may authenticate with one of these mechanisms:
    /// [`authenticate`](crate::Delivery::authenticate), or
    /// [`skip_authentication`](crate::Delivery::skip_authentication).
    NeedAuthentication(Mechanisms),
    /// The server's challenge within AUTH, a 334: call [`respond`](crate::Delivery::respond).
    Challenge(Reply<'i>),
    /// Call [`envelope`](crate::Delivery::envelope) with the next one,
    /// [`quit`](crate::Delivery::quit), or [`defer_envelope`](crate::Delivery::defer_envelope).
    NeedEnvelope,
    /// The server expects content: call [`mail_data`](crate::Delivery::mail_data) for each piece,
    /// then [`end_mail_data`](crate::Delivery::end_mail_data); or
    /// [`last_mail_data`](crate::Delivery::last_mail_data) with the last piece.
    NeedContent {
        /// The envelope.
        envelope: usize,
        /// The number of bytes of the content that were taken before. It can return to 0 for an
        /// envelope that is [`repeatable`](crate::Envelope::repeatable): the caller then provides
        /// the content again from its beginning.
        offset: u64,
    },
    /// The reply to the RCPT of one recipient. A reply other than a 2yz is its outcome.
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
        /// The recipients to which the reply applies.
        part: RecipientRange,
        /// The reply applies only to the first of them that has no outcome yet, as in LMTP.
        first_only: bool,
        /// The reply.
        reply: Reply<'i>,
    },
    /// A refusal that applies to more than one recipient: of the session, of MAIL, of DATA or of a
    /// chunk.
    Refused {
        /// The recipients to which it applies; `None` for all envelopes to come.
        part: Option<RecipientRange>,
        /// The refused command.
        to: Verb,
        /// The reply.
        reply: Reply<'i>,
    },
    /// The machine did not send something that the server or the RFCs forbid.
    NotSent {
        /// The recipients to which it applies.
        part: RecipientRange,
        /// The command that was not sent.
        at: Verb,
        /// The reason.
        error: SendError,
    },
    /// The recipients of an envelope from this one on, as many as the server takes at once, follow
    /// in a further transaction. Earlier replies "too many recipients" to them are void.
    Split {
        /// The envelope.
        envelope: usize,
        /// The first of the recipients.
        first: usize,
    },
    /// Every recipient of an envelope has its outcome; for a recipient without an event, the
    /// session ended first. The event comes once for each envelope.
    Finished {
        /// The envelope.
        envelope: usize,
    },
    /// Any other reply, for information.
    Reply {
        /// The command that it answers.
        to: Verb,
        /// The reply.
        reply: Reply<'i>,
    },
    /// The session ended before the server answered this command.
    Unanswered {
        /// The recipients to which it applies; `None` if it concerns no transaction.
        part: Option<RecipientRange>,
        /// The command without a reply.
        to: Verb,
    },
    /// A reply to no command; the session is over.
    Unsolicited(Reply<'i>),
    /// The bytes from the server are not a reply; the session is over.
    Violation(SyntaxError),
    /// The session takes no envelope, or no further ones. Open envelopes are completed.
    Unusable(UnusableSession),
    /// The session is over.
    Closed,
}

impl<'i> Event<'i> {
    /// The reply within an attempt to authenticate: a challenge, or the end of the attempt.
    pub const fn authentication(&self) -> Option<&Reply<'i>> {
        match self {
            Self::Challenge(reply)
            | Self::Reply { to: Verb::Auth | Verb::AuthResponse, reply }
            | Self::Refused { to: Verb::Auth | Verb::AuthResponse, reply, .. } => Some(reply),
            _ => None,
        }
    }

    /// The reply that the event brings, if it brings one.
    pub const fn reply(&self) -> Option<&Reply<'i>> {
        match self {
            Self::Challenge(reply)
            | Self::Unsolicited(reply)
            | Self::Recipient { reply, .. }
            | Self::Message { reply, .. }
            | Self::Refused { reply, .. }
            | Self::Reply { reply, .. } => Some(reply),
            _ => None,
        }
    }

    /// The envelope of the event, if the event concerns exactly one.
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

/// The recipients of an envelope in a range of indices. Recipients in the range that have an outcome
/// keep it: [`undecided`](Self::undecided) names the others.
///
/// ```
/// use ehlo::delivery::{Event, Outcome, Outcomes, RecipientRange};
/// use ehlo::{Code, Reply};
/// use ehlo::syntax::command::Verb;
///
/// // The server refuses this sender for all recipients.
/// let part = RecipientRange { envelope: 3, first: 0, end: usize::MAX };
/// let reply = Reply::new(Code::MAILBOX_UNAVAILABLE, "not from there");
/// let refused = Event::Refused { part: Some(part), to: Verb::Mail, reply };
/// assert_eq!(refused.envelope(), Some(3));
///
/// // Before that the second recipient had its own answer.
/// let mut memory = [Outcome::PENDING; 3];
/// let mut outcomes = Outcomes::begin(&mut memory, 3).expect("a new list");
/// outcomes.record(&Event::Recipient { envelope: 3, index: 1, reply });
/// assert!(part.undecided(&memory).eq([0, 2]));
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct RecipientRange {
    /// The envelope.
    pub envelope: usize,
    /// The first recipient.
    pub first: usize,
    /// The end of the range, exclusive; `usize::MAX` for all up to the last.
    pub end: usize,
}

/// The reason why a session takes no envelope.
///
/// ```
/// use ehlo::delivery::UnusableSession;
///
/// assert_eq!(UnusableSession::EhloRefused.to_string(), "EHLO was refused");
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum UnusableSession {
    /// EHLO was refused, and HELO is forbidden or would not help, because it has neither the TLS
    /// nor the authentication that is required.
    EhloRefused,
    /// The server closed the connection at EHLO. Another connection with
    /// [`HelloPolicy::HeloOnly`](super::HelloPolicy::HeloOnly) may work.
    EhloClosed,
    /// TLS is required and not offered.
    TlsNotOffered,
    /// TLS is required and was refused.
    TlsRefused,
    /// The handshake failed. If TLS is not required, another connection with
    /// [`TlsPolicy::Forbid`](super::TlsPolicy::Forbid) may work.
    TlsFailed,
    /// The server agreed to begin TLS, and the application did not begin it. For a stream without TLS,
    /// call [`forbid_tls`](crate::Delivery::forbid_tls) before the session begins.
    TlsNotBegun,
    /// Plaintext bytes arrived between STARTTLS and the handshake.
    PlaintextInjection,
    /// Authentication is required, and the server offers no usable mechanism: no mechanism at all,
    /// no mechanism that may be used here, or no mechanism for which the application has
    /// credentials.
    AuthNotOffered,
    /// Authentication is required and failed.
    NotAuthenticated,
    /// The server did not prove its identity as the mechanism requires, RFC 5802 §3: the machine
    /// sends nothing more to it.
    ServerNotAuthentic,
    /// The server takes no more messages in this session: its MAILMAX, RFC 9422 §4.1. Another
    /// connection can deliver them.
    MailMax,
}

impl UnusableSession {
    /// The command or moment at which it arises.
    pub(super) const fn stage(self) -> Verb {
        match self {
            Self::EhloRefused | Self::EhloClosed => Verb::Ehlo,
            Self::TlsNotOffered | Self::TlsRefused => Verb::StartTls,
            Self::TlsFailed | Self::TlsNotBegun | Self::PlaintextInjection => Verb::Handshake,
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
            Self::TlsNotBegun => "the server agreed to begin TLS, and this side did not begin it",
            Self::PlaintextInjection => "plaintext between STARTTLS and the TLS handshake",
            Self::AuthNotOffered => "the server offers no usable authentication mechanism",
            Self::NotAuthenticated => "authentication failed",
            Self::ServerNotAuthentic => "the server did not prove its identity",
            Self::MailMax => "the server takes no more messages in this session",
        })
    }
}

impl core::error::Error for UnusableSession {}

//! Envelopes: the sender, the recipients and the needs of a message.

use crate::syntax::parameter::{Body, Parameters};
use crate::syntax::path::forward_path::ForwardPath;
use crate::syntax::path::reverse_path::ReversePath;

/// The envelope of one message, RFC 5321 §2.3.1.
///
/// ```
/// use ehlo::{Envelope, ForwardPath, ReversePath};
/// use ehlo::syntax::parameter::Body;
///
/// let recipients = [ForwardPath::new("jones@example.org")?, ForwardPath::Postmaster];
/// let envelope = Envelope {
///     size: Some(1000),
///     body: Body::EightBitMime,
///     ..Envelope::new(ReversePath::new("smith@example.com")?, &recipients)
/// };
/// assert!(envelope.recipients.recipient(1).is_some());
/// assert!(envelope.recipients.recipient(2).is_none());
/// # Ok::<(), ehlo::SyntaxError>(())
/// ```
#[derive(Clone, Copy, Debug)]
pub struct Envelope<'e> {
    /// The address for notifications; the null reverse-path asks for no notifications.
    pub reverse_path: ReversePath<'e>,
    /// Parameters of MAIL beyond those in the fields below.
    pub parameters: Parameters<'e>,
    /// The recipients, in the order in which their outcomes are counted.
    pub recipients: &'e dyn Recipients,
    /// The size of the content in bytes, `None` if unknown: declared to a server that offers SIZE.
    pub size: Option<u64>,
    /// The encoding that the content needs; [`Body::SevenBit`] needs no extension.
    pub body: Body,
    /// An address or a header field needs SMTPUTF8, RFC 6531.
    pub smtputf8: bool,
    /// The caller can provide the content more than once, so that recipients beyond the server's
    /// limit for one transaction can be sent in further ones. Otherwise their outcome is deferred.
    pub repeatable: bool,
}

impl<'e> Envelope<'e> {
    /// An envelope without parameters, for 7-bit content of unknown size that the caller provides
    /// once.
    pub const fn new(reverse_path: ReversePath<'e>, recipients: &'e dyn Recipients) -> Self {
        Self {
            reverse_path,
            parameters: Parameters::NONE,
            recipients,
            size: None,
            body: Body::SevenBit,
            smtputf8: false,
            repeatable: false,
        }
    }

    /// The encoding that the content needs, from the field or the parameters.
    pub(super) fn body(&self) -> Body {
        match self.body {
            Body::SevenBit => self.parameters.body().unwrap_or(Body::SevenBit),
            body => body,
        }
    }
}

/// One recipient of an envelope.
///
/// ```
/// use ehlo::ForwardPath;
/// use ehlo::delivery::Recipient;
/// use ehlo::syntax::parameter::{Notify, Parameter, Parameters};
///
/// let parameters = [Parameter::Notify(Notify::FAILURE)];
/// let recipient = Recipient {
///     parameters: Parameters::rcpt(&parameters)?,
///     ..ForwardPath::new("jones@example.org")?.into()
/// };
/// assert_eq!(recipient.parameters.to_string(), "NOTIFY=FAILURE");
/// # Ok::<(), ehlo::SyntaxError>(())
/// ```
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Recipient<'e> {
    /// The address.
    pub forward_path: ForwardPath<'e>,
    /// Parameters of RCPT.
    pub parameters: Parameters<'e>,
}

impl<'e> From<ForwardPath<'e>> for Recipient<'e> {
    fn from(forward_path: ForwardPath<'e>) -> Self {
        Self { forward_path, parameters: Parameters::NONE }
    }
}

/// A source of recipients, each known by its index. It is [`Sync`], so that a delivery can move
/// between threads.
///
/// ```
/// use ehlo::ForwardPath;
/// use ehlo::delivery::{Recipient, Recipients};
///
/// /// Addresses that were checked when they were stored.
/// #[derive(Debug)]
/// struct Addresses(Vec<String>);
///
/// impl Recipients for Addresses {
///     fn recipient(&self, index: usize) -> Option<Recipient<'_>> {
///         ForwardPath::new(self.0.get(index)?).ok().map(Recipient::from)
///     }
/// }
///
/// let addresses = Addresses(vec!["jones@example.org".to_owned()]);
/// assert!(addresses.recipient(0).is_some());
/// assert!(addresses.recipient(1).is_none());
/// ```
pub trait Recipients: core::fmt::Debug + Sync {
    /// The recipient at `index`, counted from 0; `None` after the last. While the envelope is open,
    /// the same index must give the same recipient.
    fn recipient(&self, index: usize) -> Option<Recipient<'_>>;
}

/// A value that names one recipient: slices and arrays of it are [`Recipients`].
///
/// ```
/// use ehlo::delivery::{AsRecipient, Recipient, Recipients};
/// use ehlo::{Envelope, ForwardPath, ReversePath};
///
/// /// A user of a host that is known.
/// #[derive(Debug)]
/// struct User(String);
///
/// impl AsRecipient for User {
///     fn as_recipient(&self) -> Recipient<'_> {
///         ForwardPath::new(&self.0).unwrap_or(ForwardPath::Postmaster).into()
///     }
/// }
///
/// let users = [User("jones@example.org".to_owned()), User("green@example.org".to_owned())];
/// let envelope = Envelope::new(ReversePath::Null, &users);
/// let green = envelope.recipients.recipient(1).map(|it| it.forward_path);
/// assert_eq!(green, Some(ForwardPath::new("green@example.org")?));
/// # Ok::<(), ehlo::SyntaxError>(())
/// ```
pub trait AsRecipient {
    /// The recipient.
    fn as_recipient(&self) -> Recipient<'_>;
}

impl AsRecipient for ForwardPath<'_> {
    fn as_recipient(&self) -> Recipient<'_> {
        (*self).into()
    }
}

impl AsRecipient for Recipient<'_> {
    fn as_recipient(&self) -> Recipient<'_> {
        *self
    }
}

impl<T: AsRecipient + ?Sized> AsRecipient for &T {
    fn as_recipient(&self) -> Recipient<'_> {
        (**self).as_recipient()
    }
}

impl<T: AsRecipient + core::fmt::Debug + Sync> Recipients for [T] {
    fn recipient(&self, index: usize) -> Option<Recipient<'_>> {
        self.get(index).map(AsRecipient::as_recipient)
    }
}

/// Pass a slice whose length is known at run time as a reference to a reference: `&&[Recipient]`.
impl<T: Recipients + ?Sized> Recipients for &T {
    fn recipient(&self, index: usize) -> Option<Recipient<'_>> {
        (**self).recipient(index)
    }
}

impl<T, const N: usize> Recipients for [T; N]
where
    [T]: Recipients,
    T: core::fmt::Debug + Sync,
{
    fn recipient(&self, index: usize) -> Option<Recipient<'_>> {
        self.as_slice().recipient(index)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn recipients_counted_at_run_time() -> Result<(), crate::syntax::error::SyntaxError> {
        let all = [ForwardPath::new("a@b.example")?, ForwardPath::Postmaster];
        for count in 0..=all.len() {
            let slice = all.get(..count).unwrap_or_default();
            let envelope = Envelope::new(ReversePath::Null, &slice);
            assert_eq!((0..9).map_while(|i| envelope.recipients.recipient(i)).count(), count);
        }
        Ok(())
    }
}

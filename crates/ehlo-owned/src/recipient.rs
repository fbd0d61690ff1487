//! One recipient, and a list of them.

use alloc::format;
use alloc::vec::Vec;
use core::fmt;
use core::ops::{Deref, DerefMut};
use core::str::FromStr;

use ehlo::delivery::{AsRecipient, Recipient, Recipients};
use ehlo::{Command, ForwardPath, Policy, SyntaxError};

use crate::parameters::RcptParametersBuf;
use crate::path::ForwardPathBuf;
use crate::text::serde_string;

/// An owned [`Recipient`]: an address, and the parameters of its RCPT.
///
/// As text it is what stands behind `RCPT TO:`.
///
/// ```
/// use ehlo_owned::RecipientBuf;
///
/// let jones: RecipientBuf = "<jones@example.org> NOTIFY=FAILURE".parse()?;
/// assert_eq!(jones.forward_path.as_str(), "<jones@example.org>");
/// assert_eq!(jones.parameters.as_str(), "NOTIFY=FAILURE");
/// assert_eq!(jones.to_string(), "<jones@example.org> NOTIFY=FAILURE");
/// assert_eq!("green@example.org".parse::<RecipientBuf>()?.to_string(), "<green@example.org>");
/// # Ok::<(), ehlo::SyntaxError>(())
/// ```
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct RecipientBuf {
    /// The address.
    pub forward_path: ForwardPathBuf,
    /// Parameters of RCPT.
    pub parameters: RcptParametersBuf,
}

impl RecipientBuf {
    #[cfg(feature = "serde")]
    fn read(text: &str) -> Result<Self, SyntaxError> {
        text.parse().or_else(|error| Self::of(text, &crate::text::READ).map_err(|_| error))
    }

    fn of(text: &str, policy: &Policy) -> Result<Self, SyntaxError> {
        const HEAD: &str = "RCPT TO:";

        let line = format!("{HEAD}{text}");
        let located = |error: SyntaxError| {
            let offset = error.offset.saturating_sub(HEAD.len());
            SyntaxError { offset, ..error }
        };
        match Command::parse_line(line.as_bytes(), policy).map_err(located)? {
            Command::Rcpt { forward_path, parameters } => {
                let parameters = parameters.try_into()?;
                Ok(Self { forward_path: forward_path.into(), parameters })
            }
            _ => Ok(ForwardPath::new(text)?.into()),
        }
    }
}

impl AsRecipient for RecipientBuf {
    fn as_recipient(&self) -> Recipient<'_> {
        Recipient {
            forward_path: self.forward_path.as_forward_path(),
            parameters: self.parameters.as_parameters(),
        }
    }
}

impl AsRecipient for ForwardPathBuf {
    fn as_recipient(&self) -> Recipient<'_> {
        self.as_forward_path().into()
    }
}

impl From<ForwardPathBuf> for RecipientBuf {
    fn from(forward_path: ForwardPathBuf) -> Self {
        Self { forward_path, parameters: RcptParametersBuf::default() }
    }
}

impl From<ForwardPath<'_>> for RecipientBuf {
    fn from(forward_path: ForwardPath<'_>) -> Self {
        ForwardPathBuf::from(forward_path).into()
    }
}

/// Fails for a parameter of MAIL, and for parameters that are too long.
impl TryFrom<Recipient<'_>> for RecipientBuf {
    type Error = SyntaxError;

    fn try_from(recipient: Recipient<'_>) -> Result<Self, SyntaxError> {
        let parameters = recipient.parameters.try_into()?;
        Ok(Self { forward_path: recipient.forward_path.into(), parameters })
    }
}

/// What stands behind `RCPT TO:`; the brackets may be missing.
impl FromStr for RecipientBuf {
    type Err = SyntaxError;

    fn from_str(text: &str) -> Result<Self, SyntaxError> {
        Self::of(text, &Policy::STRICT.with_smtputf8(true).with_missing_brackets(true))
    }
}

impl TryFrom<&str> for RecipientBuf {
    type Error = SyntaxError;

    fn try_from(text: &str) -> Result<Self, SyntaxError> {
        text.parse()
    }
}

impl fmt::Display for RecipientBuf {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.forward_path.fmt(f)?;
        if !self.parameters.is_empty() {
            write!(f, " {}", self.parameters)?;
        }
        Ok(())
    }
}

serde_string!(RecipientBuf);

/// A list of recipients behind a pointer, as the [`Recipients`] of an envelope: a `Vec`, a `Box`, an `Arc`,
/// of [`RecipientBuf`], [`ForwardPathBuf`] or what else an array of recipients may hold.
///
/// ```
/// use std::sync::Arc;
/// use ehlo::{Envelope, ForwardPath, ReversePath};
/// use ehlo_owned::{ForwardPathBuf, RecipientList};
///
/// let mut list: RecipientList = ["jones@example.org".parse()?].into_iter().collect();
/// list.push("green@example.org".parse()?);
/// let envelope = Envelope::new(ReversePath::Null, &list);
/// assert!(envelope.recipients.recipient(1).is_some());
///
/// let shared: Arc<[ForwardPathBuf]> = Arc::new(["<Postmaster>".parse()?]);
/// let shared = RecipientList(shared);
/// let envelope = Envelope::new(ReversePath::Null, &shared);
/// let first = envelope.recipients.recipient(0).map(|it| it.forward_path);
/// assert_eq!(first, Some(ForwardPath::Postmaster));
/// # Ok::<(), ehlo::SyntaxError>(())
/// ```
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize), serde(transparent))]
pub struct RecipientList<C = Vec<RecipientBuf>>(pub C);

impl<C> Recipients for RecipientList<C>
where
    C: Deref + fmt::Debug + Sync,
    C::Target: Recipients,
{
    fn recipient(&self, index: usize) -> Option<Recipient<'_>> {
        self.0.deref().recipient(index)
    }
}

impl<C> Deref for RecipientList<C> {
    type Target = C;

    fn deref(&self) -> &C {
        &self.0
    }
}

impl<C> DerefMut for RecipientList<C> {
    fn deref_mut(&mut self) -> &mut C {
        &mut self.0
    }
}

impl<C> From<C> for RecipientList<C> {
    fn from(list: C) -> Self {
        Self(list)
    }
}

impl<T, C: FromIterator<T>> FromIterator<T> for RecipientList<C> {
    fn from_iter<I: IntoIterator<Item = T>>(items: I) -> Self {
        Self(items.into_iter().collect())
    }
}

impl<C: IntoIterator> IntoIterator for RecipientList<C> {
    type Item = C::Item;
    type IntoIter = C::IntoIter;

    fn into_iter(self) -> C::IntoIter {
        self.0.into_iter()
    }
}

#[allow(clippy::into_iter_without_iter)] // `iter` is that of the list
impl<'a, C> IntoIterator for &'a RecipientList<C>
where
    &'a C: IntoIterator,
{
    type Item = <&'a C as IntoIterator>::Item;
    type IntoIter = <&'a C as IntoIterator>::IntoIter;

    fn into_iter(self) -> Self::IntoIter {
        (&self.0).into_iter()
    }
}

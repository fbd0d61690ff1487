//! Mailboxes and paths.

use alloc::boxed::Box;
use alloc::format;
use alloc::string::ToString;
use core::cmp::Ordering;

use ehlo::syntax::path::{Mailbox, Path};
use ehlo::{ForwardPath, ReversePath, SyntaxError};

use crate::text::{READ, checked, owned_text};

/// An owned [`Mailbox`]: `local@domain`, RFC 5321 §4.1.2.
///
/// ```
/// use ehlo::syntax::path::Mailbox;
/// use ehlo_owned::MailboxBuf;
///
/// let jones: MailboxBuf = "jones@example.org".parse()?;
/// assert_eq!(jones.as_str(), "jones@example.org");
/// assert_eq!(jones.as_mailbox().local_part().as_str(), "jones");
/// assert_eq!(jones, MailboxBuf::from(Mailbox::new("jones@EXAMPLE.org")?));
/// assert!("jones".parse::<MailboxBuf>().is_err());
/// # Ok::<(), ehlo::SyntaxError>(())
/// ```
#[derive(Clone)]
pub struct MailboxBuf {
    /// As a path, in brackets: so a policy reads it.
    path: Box<str>,
}

impl MailboxBuf {
    /// The mailbox.
    pub fn as_mailbox(&self) -> Mailbox<'_> {
        let path = ReversePath::parse(self.path.as_bytes(), &READ);
        checked(path.ok().and_then(|path| path.mailbox()))
    }

    /// The mailbox as it stands on the wire, without brackets.
    pub fn as_str(&self) -> &str {
        let inside = self.path.strip_prefix('<').and_then(|path| path.strip_suffix('>'));
        inside.unwrap_or_default()
    }

    #[cfg(feature = "serde")]
    fn read(text: &str) -> Result<Self, SyntaxError> {
        let strict = text.parse();
        let lenient = || {
            let path = format!("<{text}>");
            ReversePath::parse(path.as_bytes(), &READ).ok()?.mailbox().map(Self::from)
        };
        strict.or_else(|error| lenient().ok_or(error))
    }
}

owned_text!(MailboxBuf, as_mailbox -> Mailbox, SyntaxError);

impl From<&Mailbox<'_>> for MailboxBuf {
    fn from(mailbox: &Mailbox<'_>) -> Self {
        Self { path: format!("<{mailbox}>").into() }
    }
}

impl PartialOrd for MailboxBuf {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

/// By domain, then by local part.
impl Ord for MailboxBuf {
    fn cmp(&self, other: &Self) -> Ordering {
        self.as_mailbox().cmp(&other.as_mailbox())
    }
}

macro_rules! path_buf {
    ($owned:ident, $lend:ident -> $borrowed:ident) => {
        impl $owned {
            /// The path.
            pub fn $lend(&self) -> $borrowed<'_> {
                checked($borrowed::parse(self.0.as_bytes(), &READ).ok())
            }

            /// The path as it stands on the wire, in brackets.
            pub fn as_str(&self) -> &str {
                &self.0
            }

            #[cfg(feature = "serde")]
            fn read(text: &str) -> Result<Self, SyntaxError> {
                let lenient = || $borrowed::parse(text.as_bytes(), &READ).map(Self::from);
                text.parse().or_else(|error| lenient().map_err(|_| error))
            }
        }

        owned_text!($owned, $lend -> $borrowed, SyntaxError);

        impl From<&$borrowed<'_>> for $owned {
            fn from(path: &$borrowed<'_>) -> Self {
                Self(path.to_string().into())
            }
        }

        impl From<Path<'_>> for $owned {
            fn from(path: Path<'_>) -> Self {
                Self::from($borrowed::Path(path))
            }
        }

        impl From<Mailbox<'_>> for $owned {
            fn from(mailbox: Mailbox<'_>) -> Self {
                Self::from($borrowed::from(mailbox))
            }
        }

        impl From<MailboxBuf> for $owned {
            fn from(mailbox: MailboxBuf) -> Self {
                Self(mailbox.path)
            }
        }

        impl PartialOrd for $owned {
            fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
                Some(self.cmp(other))
            }
        }

        /// As of the borrowed form.
        impl Ord for $owned {
            fn cmp(&self, other: &Self) -> Ordering {
                self.$lend().cmp(&other.$lend())
            }
        }
    };
}

/// An owned [`ReversePath`]: where a message comes from, RFC 5321 §4.1.2.
///
/// ```
/// use ehlo::ReversePath;
/// use ehlo_owned::ReversePathBuf;
///
/// let sender: ReversePathBuf = "smith@example.com".parse()?;
/// assert_eq!(sender.as_str(), "<smith@example.com>");
/// assert_eq!("<>".parse::<ReversePathBuf>()?, ReversePath::Null);
/// assert_eq!(ReversePathBuf::default(), ReversePath::Null);
/// # Ok::<(), ehlo::SyntaxError>(())
/// ```
#[derive(Clone)]
pub struct ReversePathBuf(Box<str>);

path_buf!(ReversePathBuf, as_reverse_path -> ReversePath);

/// The null reverse-path.
impl Default for ReversePathBuf {
    fn default() -> Self {
        ReversePath::Null.into()
    }
}

/// An owned [`ForwardPath`]: where a message goes, RFC 5321 §4.1.1.3.
///
/// ```
/// use ehlo::ForwardPath;
/// use ehlo_owned::ForwardPathBuf;
///
/// let jones: ForwardPathBuf = "jones@example.org".parse()?;
/// assert_eq!(jones.to_string(), "<jones@example.org>");
/// assert_eq!(jones.as_forward_path(), ForwardPath::new("jones@Example.org")?);
/// let mut all = vec![jones, "<Postmaster>".parse()?, "green@example.com".parse()?];
/// all.sort();
/// # Ok::<(), ehlo::SyntaxError>(())
/// ```
#[derive(Clone)]
pub struct ForwardPathBuf(Box<str>);

path_buf!(ForwardPathBuf, as_forward_path -> ForwardPath);

//! The shared methods of `ForwardPath` and `ReversePath`.

/// The methods and traits of an enum of a [`Path`](super::Path), a user without a domain, and one
/// other case, which is written as `$wire`. `$rule` reads it as it stands in a command.
macro_rules! path_or {
    ($name:ident, $other:ident $wire:literal, $rule:path) => {
        impl<'a> $name<'a> {
            /// The path that is `input`, as it stands in a command.
            ///
            /// # Errors
            ///
            /// The kind of the part that is wrong, with the offset in `input`.
            pub fn parse(
                input: &'a [u8],
                policy: &$crate::syntax::policy::Policy,
            ) -> Result<Self, $crate::syntax::error::SyntaxError> {
                let kind = $crate::syntax::error::SyntaxErrorKind::Path;
                $crate::syntax::grammar::whole(input, kind, |input| $rule(input, policy))
            }

            #[doc = concat!("The path; `None` for `", $wire, "` and for a user without a domain.")]
            pub const fn path(&self) -> Option<$crate::syntax::path::Path<'a>> {
                match self {
                    Self::$other | Self::Local(_) => None,
                    Self::Path(path) => Some(*path),
                }
            }

            #[doc = concat!("The mailbox, without a source route; `None` for `", $wire,
                                                        "` and for a user without a domain.")]
            pub fn mailbox(&self) -> Option<$crate::syntax::path::Mailbox<'a>> {
                self.path().map(|path| path.mailbox())
            }

            #[doc = concat!("The part behind the `@`; `None` for `", $wire,
                                                        "` and for a user without a domain.")]
            pub fn domain(&self) -> Option<$crate::syntax::path::Host<'a>> {
                self.mailbox().map(|mailbox| mailbox.domain())
            }

            /// Returns `true` if it needs no SMTPUTF8.
            pub const fn is_ascii(&self) -> bool {
                match self {
                    Self::$other => true,
                    Self::Local(user) => user.is_ascii(),
                    Self::Path(path) => path.is_ascii(),
                }
            }

            /// Returns `true` if it is within the sizes of RFC 5321 §4.5.3.1, as
            /// [`Path::is_within_limits`](crate::syntax::path::Path::is_within_limits).
            pub fn is_within_limits(&self) -> bool {
                match self {
                    Self::$other => true,
                    Self::Local(user) => {
                        user.as_bytes().len() <= $crate::syntax::limits::LOCAL_PART
                    }
                    Self::Path(path) => path.is_within_limits(),
                }
            }
        }

        $crate::syntax::grammar::try_from_str!($name);

        impl<'a> From<$crate::syntax::path::Mailbox<'a>> for $name<'a> {
            fn from(mailbox: $crate::syntax::path::Mailbox<'a>) -> Self {
                Self::Path(mailbox.into())
            }
        }

        impl<'a> From<$crate::syntax::path::Path<'a>> for $name<'a> {
            fn from(path: $crate::syntax::path::Path<'a>) -> Self {
                Self::Path(path)
            }
        }

        impl core::fmt::Debug for $name<'_> {
            fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
                match self {
                    Self::$other => f.write_str($wire),
                    Self::Local(user) => {
                        f.write_str("<")?;
                        $crate::syntax::grammar::escape(user.as_str(), f)?;
                        f.write_str(">")
                    }
                    Self::Path(path) => core::fmt::Debug::fmt(path, f),
                }
            }
        }

        impl core::fmt::Display for $name<'_> {
            fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
                match self {
                    Self::$other => f.pad($wire),
                    Self::Local(user) => write!(f, "<{user}>"),
                    Self::Path(path) => core::fmt::Display::fmt(path, f),
                }
            }
        }

        impl $crate::syntax::encode::Encode for $name<'_> {
            fn write_to(&self, writer: &mut $crate::syntax::encode::Writer<'_>) {
                match self {
                    Self::$other => writer.put($wire.as_bytes()),
                    Self::Local(user) => {
                        writer.put(b"<");
                        user.write_to(writer);
                        writer.put(b">");
                    }
                    Self::Path(path) => path.write_to(writer),
                }
            }
        }
    };
}
pub(super) use path_or;

//! What all owned texts have in common.

use ehlo::Policy;

/// Reads what any policy has read: the text of a value that was checked before.
pub(crate) const READ: Policy = Policy::LENIENT;

/// What a text gives that was checked when its value was made, and is written as every policy reads it.
pub(crate) fn checked<T>(read: Option<T>) -> T {
    match read {
        Some(value) => value,
        None => unreachable!("the text was checked when the value was made"),
    }
}

/// The traits of `$owned`, which has `as_str`, `read` (what serde reads) and `$lend`, which lends a
/// `$borrowed<'_>` made from a text by `TryFrom<&str>`.
macro_rules! owned_text {
    ($owned:ident, $lend:ident -> $borrowed:ident, $error:ty) => {
        impl core::str::FromStr for $owned {
            type Err = $error;

            fn from_str(text: &str) -> Result<Self, $error> {
                $borrowed::new(text).map(Self::from)
            }
        }

        impl From<$borrowed<'_>> for $owned {
            fn from(borrowed: $borrowed<'_>) -> Self {
                Self::from(&borrowed)
            }
        }

        $crate::text::owned_traits!($owned, $lend -> $borrowed, $error);
    };
}
pub(crate) use owned_text;

/// The same without what makes one.
macro_rules! owned_traits {
    ($owned:ident, $lend:ident -> $borrowed:ident, $error:ty) => {
        impl TryFrom<&str> for $owned {
            type Error = $error;

            fn try_from(text: &str) -> Result<Self, $error> {
                text.parse()
            }
        }

        impl TryFrom<alloc::string::String> for $owned {
            type Error = $error;

            fn try_from(text: alloc::string::String) -> Result<Self, $error> {
                text.parse()
            }
        }

        impl From<$owned> for alloc::string::String {
            fn from(owned: $owned) -> Self {
                owned.as_str().into()
            }
        }

        impl<'a> From<&'a $owned> for $borrowed<'a> {
            fn from(owned: &'a $owned) -> Self {
                owned.$lend()
            }
        }

        impl AsRef<str> for $owned {
            fn as_ref(&self) -> &str {
                self.as_str()
            }
        }

        impl PartialEq for $owned {
            fn eq(&self, other: &Self) -> bool {
                self.as_str() == other.as_str() || self.$lend() == other.$lend()
            }
        }

        impl Eq for $owned {}

        impl PartialEq<$borrowed<'_>> for $owned {
            fn eq(&self, other: &$borrowed<'_>) -> bool {
                self.$lend() == *other
            }
        }

        impl PartialEq<$owned> for $borrowed<'_> {
            fn eq(&self, other: &$owned) -> bool {
                *self == other.$lend()
            }
        }

        impl core::hash::Hash for $owned {
            fn hash<H: core::hash::Hasher>(&self, state: &mut H) {
                self.$lend().hash(state);
            }
        }

        impl core::fmt::Debug for $owned {
            fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
                core::fmt::Debug::fmt(&self.$lend(), f)
            }
        }

        impl core::fmt::Display for $owned {
            fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
                f.pad(self.as_str())
            }
        }

        $crate::text::serde_string!($owned);
    };
}
pub(crate) use owned_traits;

/// Serde by `Display` and `read`.
macro_rules! serde_string {
    ($owned:ident) => {
        #[cfg(feature = "serde")]
        impl serde::Serialize for $owned {
            fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
                serializer.collect_str(self)
            }
        }

        #[cfg(feature = "serde")]
        impl<'de> serde::Deserialize<'de> for $owned {
            fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
                let text: alloc::borrow::Cow<'de, str> =
                    serde::Deserialize::deserialize(deserializer)?;
                Self::read(&text).map_err(serde::de::Error::custom)
            }
        }
    };
}
pub(crate) use serde_string;

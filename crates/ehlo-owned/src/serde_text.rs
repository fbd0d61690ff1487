//! Serde for what the core has as enums and codes, and for a reply.

use alloc::borrow::Cow;
use alloc::vec::Vec;

use ehlo::Code;
use ehlo::syntax::parameter::Body;
use serde::de::Error as _;
use serde::{Deserialize, Deserializer, Serialize, Serializer};

use crate::reply::ReplyBuf;

/// A type whose values are known, each by its `Display`.
macro_rules! named {
    ($module:ident, $type:ty, $what:literal, $all:expr) => {
        pub(crate) mod $module {
            use alloc::borrow::Cow;
            use alloc::string::ToString;

            use serde::de::Error as _;
            use serde::{Deserialize, Deserializer, Serializer};

            pub(crate) fn serialize<S: Serializer>(
                value: &$type,
                serializer: S,
            ) -> Result<S::Ok, S::Error> {
                serializer.collect_str(value)
            }

            pub(crate) fn deserialize<'de, D: Deserializer<'de>>(
                deserializer: D,
            ) -> Result<$type, D::Error> {
                let name = Cow::<'de, str>::deserialize(deserializer)?;
                let found = $all.iter().find(|value| value.to_string() == name);
                found.copied().ok_or_else(|| D::Error::custom($what))
            }
        }
    };
}

named!(fate, ehlo::delivery::Fate, "not the fate of a recipient", {
    use ehlo::delivery::Fate::{Accepted, Deferred, Pending, Refused, Unknown};
    [Pending, Accepted, Deferred, Refused, Unknown]
});
named!(verb, ehlo::syntax::command::Verb, "not a stage of a session", {
    ehlo::syntax::command::Verb::ALL
});
named!(body, ehlo::syntax::parameter::Body, "not a value of BODY", {
    use ehlo::syntax::parameter::Body::{BinaryMime, EightBitMime, SevenBit};
    [SevenBit, EightBitMime, BinaryMime]
});

pub(crate) const fn seven_bit() -> Body {
    Body::SevenBit
}

pub(crate) fn is_seven_bit(body: &Body) -> bool {
    *body == Body::SevenBit
}

pub(crate) const fn is_false(value: &bool) -> bool {
    !*value
}

/// A reply code as a number.
mod code {
    use super::{Code, Deserialize, Deserializer, Serializer};
    use serde::de::Error as _;

    pub(crate) fn serialize<S: Serializer>(code: &Code, to: S) -> Result<S::Ok, S::Error> {
        to.serialize_u16(code.number())
    }

    pub(crate) fn deserialize<'de, D: Deserializer<'de>>(from: D) -> Result<Code, D::Error> {
        let number = u16::deserialize(from)?;
        Code::new(number).ok_or_else(|| D::Error::custom("not a reply code"))
    }
}

/// The same for a code that may be missing.
pub(crate) mod optional_code {
    use super::{Code, Deserialize, Deserializer, Serialize, Serializer};
    use serde::de::Error as _;

    // Serde asks for this signature.
    #[allow(clippy::ref_option)]
    pub(crate) fn serialize<S: Serializer>(code: &Option<Code>, to: S) -> Result<S::Ok, S::Error> {
        code.map(Code::number).serialize(to)
    }

    pub(crate) fn deserialize<'de, D: Deserializer<'de>>(
        from: D,
    ) -> Result<Option<Code>, D::Error> {
        let Some(number) = Option::<u16>::deserialize(from)? else { return Ok(None) };
        Code::new(number).map(Some).ok_or_else(|| D::Error::custom("not a reply code"))
    }
}

/// An enhanced status code that may be missing, as a string.
pub(crate) mod enhanced_code {
    use super::{Cow, Deserialize, Deserializer, Serializer};
    use ehlo::syntax::code::EnhancedCode;
    use serde::de::Error as _;

    // Serde asks for this signature.
    #[allow(clippy::ref_option)]
    pub(crate) fn serialize<S: Serializer>(
        code: &Option<EnhancedCode>,
        to: S,
    ) -> Result<S::Ok, S::Error> {
        match code {
            Some(code) => to.collect_str(code),
            None => to.serialize_none(),
        }
    }

    pub(crate) fn deserialize<'de, D: Deserializer<'de>>(
        from: D,
    ) -> Result<Option<EnhancedCode>, D::Error> {
        let text = Option::<Cow<'de, str>>::deserialize(from)?;
        text.map(|text| text.parse().map_err(D::Error::custom)).transpose()
    }
}

/// A reply as a map.
#[derive(Serialize, Deserialize)]
#[serde(rename = "Reply", deny_unknown_fields)]
struct ReplyMap<'a> {
    #[serde(with = "code")]
    code: Code,
    #[serde(default, skip_serializing_if = "Option::is_none", with = "enhanced_code")]
    enhanced_code: Option<ehlo::syntax::code::EnhancedCode>,
    #[serde(borrow)]
    lines: Vec<Cow<'a, str>>,
}

/// As a map of `code`, `enhanced_code` and `lines`; bytes that are not UTF-8 are replaced by U+FFFD.
impl Serialize for ReplyBuf {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let lines = self.lines().collect();
        ReplyMap { code: self.code(), enhanced_code: self.enhanced_code(), lines }
            .serialize(serializer)
    }
}

impl<'de> Deserialize<'de> for ReplyBuf {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let ReplyMap { code, enhanced_code, lines } = ReplyMap::deserialize(deserializer)?;
        Self::from_lines(code, enhanced_code, lines).map_err(D::Error::custom)
    }
}

//! The parameter of DELIVERBY, RFC 2852.

use super::EhloParams;
use super::words::number;
use crate::syntax::encode::{Encode, Writer};

/// The parameter of DELIVERBY, RFC 2852 §2: `deliverby-param = min-by-time *( ','
/// extension-token )`.
///
/// ```
/// use ehlo::Capability;
/// use ehlo::syntax::capability::DeliverBy;
///
/// let minimum = Capability::DeliverBy(DeliverBy::new(Some(240)));
/// assert_eq!(Capability::parse(b"DELIVERBY 240"), minimum);
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct DeliverBy<'a> {
    minimum: Option<u32>,
    /// The bytes behind the first comma.
    tokens: &'a [u8],
}

impl<'a> DeliverBy<'a> {
    /// A smallest by-time that the server accepts with the mode "return", in seconds up to 999,999,999.
    pub const fn new(minimum: Option<u32>) -> Self {
        let minimum = match minimum {
            Some(seconds) if seconds > 999_999_999 => Some(999_999_999),
            other => other,
        };
        Self { minimum, tokens: &[] }
    }

    /// `min-by-time = [1*9DIGIT]`
    pub(super) fn parse(parameters: EhloParams<'a>) -> Self {
        let word = parameters.first();
        let mut parts = word.splitn(2, |&byte| byte == b',');
        let digits = parts.next().filter(|digits| digits.len() <= 9);
        let minimum = digits.and_then(number).and_then(|number| u32::try_from(number).ok());
        Self { minimum, tokens: parts.next().unwrap_or_default() }
    }

    /// The smallest by-time that the server accepts with the mode "return", in seconds.
    pub const fn minimum(&self) -> Option<u32> {
        self.minimum
    }

    /// Extensions of the extension; no RFC defines any.
    pub fn tokens(&self) -> impl Iterator<Item = &'a str> + use<'a> {
        let tokens = self.tokens.split(|&byte| byte == b',').filter(|token| !token.is_empty());
        tokens.map(|token| core::str::from_utf8(token).unwrap_or_default())
    }
}

/// A space before the parameter, if there is any.
impl Encode for DeliverBy<'_> {
    fn write_to(&self, writer: &mut Writer<'_>) {
        if self.minimum.is_some() || !self.tokens.is_empty() {
            writer.put_byte(b' ');
        }
        if let Some(minimum) = self.minimum {
            writer.put_number(u64::from(minimum));
        }
        if !self.tokens.is_empty() {
            writer.put_byte(b',');
            writer.put(self.tokens);
        }
    }
}

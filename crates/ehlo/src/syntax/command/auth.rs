//! The name in AUTH, RFC 4954 §4.

use crate::syntax::encode::{Encode, Writer};
use crate::syntax::error::{SyntaxError, SyntaxErrorKind};
use crate::syntax::grammar::{Fault, IResult, MECH_CHAR, as_str, many1, try_from_str, whole};
use crate::syntax::sasl::SaslMechanism;

/// The name of a SASL mechanism: `sasl-mech = 1*20mech-char`, RFC 4422 §3.1.
///
/// Parsing and comparison ignore case; encoding writes upper case.
///
/// ```
/// use ehlo::syntax::command::Mechanism;
///
/// assert_eq!(Mechanism::new("scram-sha-256")?, Mechanism::new("SCRAM-SHA-256")?);
/// assert_eq!(Mechanism::new("plain")?.to_string(), "PLAIN");
/// assert_eq!(Mechanism::from(ehlo::syntax::sasl::SaslMechanism::Plain).as_str(), "PLAIN");
/// assert!(Mechanism::new("").is_err());
/// assert!(Mechanism::new("ECDSA-NIST256P-CHALLENGE").is_err());
/// # Ok::<(), ehlo::SyntaxError>(())
/// ```
#[derive(Clone, Copy)]
pub struct Mechanism<'a>(&'a [u8]);

impl<'a> Mechanism<'a> {
    /// The mechanism of this name.
    ///
    /// # Errors
    ///
    /// `Mechanism`, with the offset in `name`.
    pub fn new(name: &'a str) -> Result<Self, SyntaxError> {
        whole(name.as_bytes(), SyntaxErrorKind::Mechanism, sasl_mech)
    }

    /// The [`SaslMechanism`] of this name; `None` if it has no such mechanism. A server reports no
    /// AUTH with a name that has none.
    pub fn known(&self) -> Option<SaslMechanism> {
        SaslMechanism::from_name(self.0)
    }

    /// The name as it was written.
    pub fn as_str(&self) -> &'a str {
        as_str(self.0)
    }
}

try_from_str!(Mechanism);

/// The name as it was written.
impl AsRef<str> for Mechanism<'_> {
    fn as_ref(&self) -> &str {
        self.as_str()
    }
}

impl From<SaslMechanism> for Mechanism<'static> {
    fn from(mechanism: SaslMechanism) -> Self {
        Self(mechanism.name().as_bytes())
    }
}

impl PartialEq for Mechanism<'_> {
    fn eq(&self, other: &Self) -> bool {
        self.0.eq_ignore_ascii_case(other.0)
    }
}

impl Eq for Mechanism<'_> {}

impl core::hash::Hash for Mechanism<'_> {
    fn hash<H: core::hash::Hasher>(&self, state: &mut H) {
        self.0.iter().for_each(|byte| state.write_u8(byte.to_ascii_uppercase()));
        state.write_u8(0xFF);
    }
}

impl core::fmt::Debug for Mechanism<'_> {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        core::fmt::Debug::fmt(self.as_str(), f)
    }
}

impl core::fmt::Display for Mechanism<'_> {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        crate::syntax::grammar::display::<20>(self, f)
    }
}

impl Encode for Mechanism<'_> {
    fn write_to(&self, writer: &mut Writer<'_>) {
        self.0.iter().for_each(|byte| writer.put_byte(byte.to_ascii_uppercase()));
    }
}

/// `sasl-mech = 1*20mech-char`.
pub(crate) fn sasl_mech(input: &[u8]) -> IResult<'_, Mechanism<'_>> {
    let (rest, name) = many1(input, &MECH_CHAR, SyntaxErrorKind::Mechanism)?;
    if name.len() > 20 {
        return Fault::error(input, SyntaxErrorKind::Mechanism);
    }
    Ok((rest, Mechanism(name)))
}

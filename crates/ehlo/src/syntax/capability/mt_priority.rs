//! The parameter of MT-PRIORITY, RFC 6710.

use core::fmt;
use core::hash::{Hash, Hasher};

use super::EhloParams;
use super::words::hash_in_any_case;
use crate::syntax::error::{SyntaxError, SyntaxErrorKind};

/// A priority assignment profile, RFC 6710 §3 and §9.2.
///
/// ```
/// use ehlo::Capability;
/// use ehlo::syntax::capability::PriorityProfile;
///
/// let mixer = Capability::MtPriority(Some(PriorityProfile::MIXER));
/// assert_eq!(Capability::parse(b"MT-PRIORITY mixer"), mixer);
/// ```
#[derive(Clone, Copy)]
pub struct PriorityProfile<'a>(&'a str);

impl<'a> PriorityProfile<'a> {
    /// RFC 6710 appendix B.
    pub const MIXER: Self = Self("MIXER");
    /// RFC 6710 appendix A.
    pub const STANAG4406: Self = Self("STANAG4406");
    /// RFC 6710 appendix C.
    pub const NSEP: Self = Self("NSEP");

    /// `priority-profile = 1*20(ALPHA / DIGIT / "-" / "_" / ".")`
    pub fn new(name: &'a str) -> Option<Self> {
        let named = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_' | b'.');
        (matches!(name.len(), 1..=20) && name.bytes().all(named)).then_some(Self(name))
    }

    pub(super) fn parse(parameters: EhloParams<'a>) -> Option<Self> {
        parameters.iter().next().and_then(Self::new)
    }

    /// The name as it was written.
    pub const fn name(&self) -> &'a str {
        self.0
    }
}

impl<'a> TryFrom<&'a str> for PriorityProfile<'a> {
    type Error = SyntaxError;

    fn try_from(name: &'a str) -> Result<Self, SyntaxError> {
        Self::new(name).ok_or(SyntaxError { kind: SyntaxErrorKind::ParameterValue, offset: 0 })
    }
}

impl AsRef<str> for PriorityProfile<'_> {
    fn as_ref(&self) -> &str {
        self.0
    }
}

impl fmt::Display for PriorityProfile<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.0)
    }
}

impl Hash for PriorityProfile<'_> {
    fn hash<H: Hasher>(&self, state: &mut H) {
        hash_in_any_case(self.0.as_bytes(), state);
    }
}

impl PartialEq for PriorityProfile<'_> {
    fn eq(&self, other: &Self) -> bool {
        self.0.eq_ignore_ascii_case(other.0)
    }
}

impl Eq for PriorityProfile<'_> {}

impl fmt::Debug for PriorityProfile<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.0)
    }
}

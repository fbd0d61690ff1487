//! SASL mechanisms by name.

use core::fmt;
use core::iter::FusedIterator;
use core::str::FromStr;

use crate::syntax::error::{SyntaxError, SyntaxErrorKind};
use crate::syntax::keyword::Names;

macro_rules! mechanisms {
    ($($(#[doc = $doc:literal])+ $variant:ident $name:literal;)*) => {
        /// A SASL mechanism that mail servers offer.
        ///
        /// ```
        /// use ehlo::syntax::sasl::SaslMechanism;
        ///
        /// assert_eq!(SaslMechanism::from_name(b"scram-sha-256"), Some(SaslMechanism::ScramSha256));
        /// assert_eq!(SaslMechanism::Plain.name(), "PLAIN");
        /// ```
        #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
        #[non_exhaustive]
        #[repr(u8)]
        pub enum SaslMechanism {
            $($(#[doc = $doc])+ $variant,)*
        }

        impl SaslMechanism {
            /// Every mechanism, the strongest first.
            pub const ALL: &'static [Self] = &[$(Self::$variant,)*];

            /// The name, in upper case.
            pub const fn name(self) -> &'static str {
                match self {
                    $(Self::$variant => $name,)*
                }
            }
        }

        const NAMES: Names<{ SaslMechanism::ALL.len() }> = Names::new([$($name,)*]);
    };
}

mechanisms! {
    /// RFC 4422 appendix A: TLS establishes the identity.
    External "EXTERNAL";
    /// With channel binding; draft-melnikov-scram-sha-512.
    ScramSha512Plus "SCRAM-SHA-512-PLUS";
    /// draft-melnikov-scram-sha-512.
    ScramSha512 "SCRAM-SHA-512";
    /// With channel binding, RFC 7677.
    ScramSha256Plus "SCRAM-SHA-256-PLUS";
    /// RFC 7677.
    ScramSha256 "SCRAM-SHA-256";
    /// With channel binding, RFC 5802.
    ScramSha1Plus "SCRAM-SHA-1-PLUS";
    /// RFC 5802.
    ScramSha1 "SCRAM-SHA-1";
    /// Kerberos V5, RFC 4752.
    Gssapi "GSSAPI";
    /// RFC 7628.
    OauthBearer "OAUTHBEARER";
    /// Google, Microsoft; older than OAUTHBEARER.
    Xoauth2 "XOAUTH2";
    /// RFC 2195.
    CramMd5 "CRAM-MD5";
    /// RFC 2831; historic by RFC 6331.
    DigestMd5 "DIGEST-MD5";
    /// RFC 4616.
    Plain "PLAIN";
    /// draft-murchison-sasl-login; obsolete, and offered by most servers.
    Login "LOGIN";
    /// Microsoft; negotiation of GSSAPI mechanisms.
    GssSpnego "GSS-SPNEGO";
    /// Microsoft.
    Ntlm "NTLM";
    /// RFC 2444.
    Otp "OTP";
    /// RFC 4505: no identity.
    Anonymous "ANONYMOUS";
}

impl SaslMechanism {
    /// Returns `true` if the client sends a password or a token unprotected. Such a mechanism must
    /// not be used without TLS, RFC 4954 §4.
    pub const fn is_plaintext(self) -> bool {
        matches!(self, Self::Plain | Self::Login | Self::Xoauth2 | Self::OauthBearer)
    }

    /// Returns `true` if a client uses it inside TLS only: it [sends a
    /// password](Self::is_plaintext), or an eavesdropper can try out passwords on the recorded
    /// exchange as fast as hardware permits. RFC 6331 says so of DIGEST-MD5, and CRAM-MD5 has fewer
    /// defences.
    pub const fn needs_tls(self) -> bool {
        self.is_plaintext() || matches!(self, Self::CramMd5 | Self::DigestMd5 | Self::Ntlm)
    }

    /// Returns `true` if the server sends the first message, so that AUTH has no initial response,
    /// RFC 4954 §4. `false` for LOGIN: clients send the name as an initial response, and servers
    /// accept it.
    pub const fn is_server_first(self) -> bool {
        matches!(self, Self::CramMd5 | Self::DigestMd5)
    }

    /// The mechanism of this name, in any case.
    pub fn from_name(name: &[u8]) -> Option<Self> {
        Self::ALL.get(NAMES.find(name)?).copied()
    }
}

/// The name, in upper case.
impl fmt::Display for SaslMechanism {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.name())
    }
}

impl AsRef<str> for SaslMechanism {
    fn as_ref(&self) -> &str {
        self.name()
    }
}

/// The mechanism of a name, in any case.
///
/// ```
/// use ehlo::syntax::sasl::SaslMechanism;
///
/// assert_eq!("plain".parse(), Ok(SaslMechanism::Plain));
/// assert!("X-OWN".parse::<SaslMechanism>().is_err());
/// ```
impl FromStr for SaslMechanism {
    type Err = SyntaxError;

    fn from_str(name: &str) -> Result<Self, SyntaxError> {
        let error = SyntaxError { kind: SyntaxErrorKind::Mechanism, offset: 0 };
        Self::from_name(name.as_bytes()).ok_or(error)
    }
}

/// A set of SASL mechanisms.
///
/// ```
/// use ehlo::syntax::sasl::{Mechanisms, SaslMechanism};
///
/// let offered = Mechanisms::from_iter([SaslMechanism::Login, SaslMechanism::Plain]);
/// assert!(offered.contains(SaslMechanism::Plain));
/// // The strongest first.
/// assert_eq!(offered.to_string(), "PLAIN LOGIN");
/// for mechanism in offered {
///     assert!(mechanism.is_plaintext());
/// }
/// ```
#[derive(Clone, Copy, Default, PartialEq, Eq, Hash)]
pub struct Mechanisms(u32);

impl Mechanisms {
    /// No mechanism.
    pub const NONE: Self = Self(0);

    /// The mechanisms that must not be used without TLS: see [`SaslMechanism::is_plaintext`].
    pub const PLAINTEXT: Self = Self::NONE
        .with(SaslMechanism::Plain)
        .with(SaslMechanism::Login)
        .with(SaslMechanism::Xoauth2)
        .with(SaslMechanism::OauthBearer);

    /// The mechanisms that a client uses inside TLS alone: see [`SaslMechanism::needs_tls`].
    pub const NEED_TLS: Self = Self::PLAINTEXT
        .with(SaslMechanism::CramMd5)
        .with(SaslMechanism::DigestMd5)
        .with(SaslMechanism::Ntlm);

    /// The set with this mechanism.
    #[must_use]
    pub const fn with(self, mechanism: SaslMechanism) -> Self {
        Self(self.0 | bit(mechanism))
    }

    /// The set without this mechanism.
    #[must_use]
    pub const fn without(self, mechanism: SaslMechanism) -> Self {
        Self(self.0 & !bit(mechanism))
    }

    /// The mechanisms of either set.
    #[must_use]
    pub const fn union(self, other: Self) -> Self {
        Self(self.0 | other.0)
    }

    /// The mechanisms of both sets.
    #[must_use]
    pub const fn intersection(self, other: Self) -> Self {
        Self(self.0 & other.0)
    }

    /// The mechanisms of this set that are not in the other.
    #[must_use]
    pub const fn difference(self, other: Self) -> Self {
        Self(self.0 & !other.0)
    }

    /// Returns `true` if the set has this mechanism.
    pub const fn contains(self, mechanism: SaslMechanism) -> bool {
        self.0 & bit(mechanism) != 0
    }

    /// Returns `true` if the set is empty.
    pub const fn is_empty(self) -> bool {
        self.0 == 0
    }

    /// The number of mechanisms.
    pub const fn len(self) -> usize {
        self.0.count_ones() as usize
    }

    /// The mechanisms, in the order of [`SaslMechanism::ALL`]: the strongest first.
    pub const fn iter(self) -> MechanismsIter {
        MechanismsIter(self.0)
    }
}

impl IntoIterator for Mechanisms {
    type Item = SaslMechanism;
    type IntoIter = MechanismsIter;

    fn into_iter(self) -> MechanismsIter {
        self.iter()
    }
}

impl IntoIterator for &Mechanisms {
    type Item = SaslMechanism;
    type IntoIter = MechanismsIter;

    fn into_iter(self) -> MechanismsIter {
        self.iter()
    }
}

impl FromIterator<SaslMechanism> for Mechanisms {
    fn from_iter<I: IntoIterator<Item = SaslMechanism>>(mechanisms: I) -> Self {
        mechanisms.into_iter().fold(Self::NONE, Self::with)
    }
}

impl Extend<SaslMechanism> for Mechanisms {
    fn extend<I: IntoIterator<Item = SaslMechanism>>(&mut self, mechanisms: I) {
        *self = mechanisms.into_iter().fold(*self, Self::with);
    }
}

impl From<SaslMechanism> for Mechanisms {
    fn from(mechanism: SaslMechanism) -> Self {
        Self::NONE.with(mechanism)
    }
}

/// The names with spaces between them, as AUTH has them in a reply to EHLO.
impl fmt::Display for Mechanisms {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut separator = "";
        for mechanism in self {
            f.write_str(core::mem::replace(&mut separator, " "))?;
            f.write_str(mechanism.name())?;
        }
        Ok(())
    }
}

/// The mechanisms of a set in turn, from [`Mechanisms::iter`].
///
/// ```
/// use ehlo::syntax::sasl::{Mechanisms, SaslMechanism};
///
/// let mut iter = Mechanisms::from(SaslMechanism::Plain).iter();
/// assert_eq!((iter.len(), iter.next(), iter.next()), (1, Some(SaslMechanism::Plain), None));
/// ```
#[derive(Clone, Debug)]
pub struct MechanismsIter(u32);

impl Iterator for MechanismsIter {
    type Item = SaslMechanism;

    fn next(&mut self) -> Option<SaslMechanism> {
        let mechanism = SaslMechanism::ALL.get(self.0.trailing_zeros() as usize)?;
        self.0 &= !bit(*mechanism);
        Some(*mechanism)
    }

    fn size_hint(&self) -> (usize, Option<usize>) {
        let left = self.0.count_ones() as usize;
        (left, Some(left))
    }
}

impl ExactSizeIterator for MechanismsIter {}

impl FusedIterator for MechanismsIter {}

impl fmt::Debug for Mechanisms {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_set().entries(self.iter()).finish()
    }
}

const fn bit(mechanism: SaslMechanism) -> u32 {
    1 << mechanism as u8
}

const _: () = assert!(SaslMechanism::ALL.len() <= 32);

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_set_of_plaintext_mechanisms_is_complete() {
        for mechanism in SaslMechanism::ALL {
            assert_eq!(Mechanisms::PLAINTEXT.contains(*mechanism), mechanism.is_plaintext());
            assert_eq!(Mechanisms::NEED_TLS.contains(*mechanism), mechanism.needs_tls());
        }
    }
}

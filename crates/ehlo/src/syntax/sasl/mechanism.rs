//! SASL mechanisms by name.

use crate::syntax::keyword::Names;

macro_rules! mechanisms {
    ($($(#[doc = $doc:literal])+ $variant:ident $name:literal;)*) => {
        /// A SASL mechanism that has a name here: those that mail servers are seen to offer.
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
            /// Every mechanism here.
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
    /// RFC 4422 appendix A: the identity is known from TLS.
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
    /// draft-murchison-sasl-login; obsolete, and offered by most.
    Login "LOGIN";
    /// Microsoft; negotiation of GSSAPI mechanisms.
    GssSpnego "GSS-SPNEGO";
    /// Microsoft.
    Ntlm "NTLM";
    /// RFC 2444.
    Otp "OTP";
    /// RFC 4505: nobody in particular.
    Anonymous "ANONYMOUS";
}

impl SaslMechanism {
    /// Whether a password, or a token that is as good as one, goes to the server as it is: not
    /// without TLS, RFC 4954 §4.
    pub const fn is_plaintext(self) -> bool {
        matches!(self, Self::Plain | Self::Login | Self::Xoauth2 | Self::OauthBearer)
    }

    /// Whether the server speaks first, so that there is no initial response, RFC 4954 §4. LOGIN
    /// is none: clients send the name with it, and servers take it.
    pub const fn is_server_first(self) -> bool {
        matches!(self, Self::CramMd5 | Self::DigestMd5)
    }

    /// The mechanism of this name, in any case.
    pub fn from_name(name: &[u8]) -> Option<Self> {
        Self::ALL.get(NAMES.find(name)?).copied()
    }
}

/// A set of SASL mechanisms.
///
/// ```
/// use ehlo::syntax::sasl::{Mechanisms, SaslMechanism};
///
/// let offered = Mechanisms::NONE.with(SaslMechanism::Plain).with(SaslMechanism::Login);
/// assert!(offered.contains(SaslMechanism::Plain));
/// assert!(offered.iter().eq([SaslMechanism::Plain, SaslMechanism::Login]));
/// ```
#[derive(Clone, Copy, Default, PartialEq, Eq, Hash)]
pub struct Mechanisms(u32);

impl Mechanisms {
    /// No mechanism.
    pub const NONE: Self = Self(0);

    /// Those that are not to be used without TLS: see [`SaslMechanism::is_plaintext`].
    pub const PLAINTEXT: Self = Self::NONE
        .with(SaslMechanism::Plain)
        .with(SaslMechanism::Login)
        .with(SaslMechanism::Xoauth2)
        .with(SaslMechanism::OauthBearer);

    /// The same with this one.
    #[must_use]
    pub const fn with(self, mechanism: SaslMechanism) -> Self {
        Self(self.0 | bit(mechanism))
    }

    /// The same without this one.
    #[must_use]
    pub const fn without(self, mechanism: SaslMechanism) -> Self {
        Self(self.0 & !bit(mechanism))
    }

    /// Those of either set.
    #[must_use]
    pub const fn union(self, other: Self) -> Self {
        Self(self.0 | other.0)
    }

    /// Those of both sets.
    #[must_use]
    pub const fn intersection(self, other: Self) -> Self {
        Self(self.0 & other.0)
    }

    /// Those of this set that are not in the other.
    #[must_use]
    pub const fn difference(self, other: Self) -> Self {
        Self(self.0 & !other.0)
    }

    /// Whether this one is in it.
    pub const fn contains(self, mechanism: SaslMechanism) -> bool {
        self.0 & bit(mechanism) != 0
    }

    /// Whether it is empty.
    pub const fn is_empty(self) -> bool {
        self.0 == 0
    }

    /// The mechanisms, in the order of [`SaslMechanism::ALL`].
    pub fn iter(self) -> impl Iterator<Item = SaslMechanism> + Clone {
        SaslMechanism::ALL.iter().copied().filter(move |&mechanism| self.contains(mechanism))
    }
}

impl core::fmt::Debug for Mechanisms {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
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
        }
    }
}

//! The parameters of AUTH, RFC 4954.

use super::EhloParams;
use crate::syntax::encode::Writer;
use crate::syntax::sasl::{Mechanisms, SaslMechanism};

/// The parameters of AUTH: names of SASL mechanisms, RFC 4954 §3.
///
/// Two are equal when they list the same names in the same order, in any case.
///
/// ```
/// use ehlo::Capability;
/// use ehlo::syntax::sasl::SaslMechanism;
///
/// let Capability::Auth(offered) = Capability::parse(b"AUTH PLAIN X-OWN") else { panic!() };
/// assert!(offered.iter().eq(["PLAIN", "X-OWN"]));
/// assert!(offered.known().contains(SaslMechanism::Plain));
/// ```
#[derive(Clone, Copy)]
pub struct AuthMechanisms<'a>(Names<'a>);

#[derive(Clone, Copy)]
enum Names<'a> {
    Listed(EhloParams<'a>),
    Known(Mechanisms),
}

impl<'a> AuthMechanisms<'a> {
    /// The words of a line.
    pub const fn listed(words: EhloParams<'a>) -> Self {
        Self(Names::Listed(words))
    }

    /// These mechanisms, in the order of their set.
    pub const fn of(mechanisms: Mechanisms) -> Self {
        Self(Names::Known(mechanisms))
    }

    /// The names in turn.
    pub fn iter(&self) -> impl Iterator<Item = &'a str> + use<'a> {
        let (listed, known) = match self.0 {
            Names::Listed(words) => (words, Mechanisms::NONE),
            Names::Known(mechanisms) => (EhloParams::NONE, mechanisms),
        };
        let listed = names(listed).map(|name| core::str::from_utf8(name).unwrap_or_default());
        listed.chain(known.iter().map(|mechanism| -> &'a str { mechanism.name() }))
    }

    /// Those that this crate has a name for.
    pub fn known(&self) -> Mechanisms {
        match self.0 {
            Names::Known(mechanisms) => mechanisms,
            Names::Listed(words) => {
                let known = names(words).filter_map(SaslMechanism::from_name);
                known.fold(Mechanisms::NONE, Mechanisms::with)
            }
        }
    }

    /// The names, with `first` before the first of them and spaces before the others.
    pub(super) fn write(&self, first: u8, writer: &mut Writer<'_>) {
        let mut separator = first;
        for name in self.iter() {
            writer.put_octet(core::mem::replace(&mut separator, b' '));
            writer.put(name.as_bytes());
        }
        if separator == b'=' {
            writer.put_octet(separator);
        }
    }
}

/// The names in turn. No name has a `=`, and lists of the older form have it in odd places.
fn names(words: EhloParams<'_>) -> impl Iterator<Item = &[u8]> {
    let names = words.words().flat_map(|word| word.split(|&octet| octet == b'='));
    names.filter(|name| !name.is_empty())
}

impl PartialEq for AuthMechanisms<'_> {
    fn eq(&self, other: &Self) -> bool {
        let (mut names, mut others) = (self.iter(), other.iter());
        loop {
            match (names.next(), others.next()) {
                (Some(name), Some(other)) if name.eq_ignore_ascii_case(other) => {}
                (None, None) => return true,
                _ => return false,
            }
        }
    }
}

impl Eq for AuthMechanisms<'_> {}

impl core::fmt::Debug for AuthMechanisms<'_> {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        f.debug_list().entries(self.iter()).finish()
    }
}

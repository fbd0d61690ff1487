//! The parameters of AUTH, RFC 4954.

use core::fmt;
use core::hash::{Hash, Hasher};
use core::iter::FusedIterator;

use super::words::{hash_in_any_case, is_word, put_words};
use super::{EhloParams, EhloWords};
use crate::syntax::encode::Writer;
use crate::syntax::grammar::{as_str, split};
use crate::syntax::sasl::{Mechanisms, MechanismsIter, SaslMechanism};

/// The parameters of AUTH, the names of SASL mechanisms: RFC 4954 §3.
///
/// Two lists are equal when they have the same names in the same order; case does not matter.
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
    pub const fn iter(&self) -> MechanismNames<'a> {
        match self.0 {
            Names::Listed(words) => MechanismNames {
                listed: Some(words.iter()),
                word: &[],
                known: Mechanisms::NONE.iter(),
            },
            Names::Known(mechanisms) => {
                MechanismNames { listed: None, word: &[], known: mechanisms.iter() }
            }
        }
    }

    /// The mechanisms that [`SaslMechanism`] names.
    pub fn known(&self) -> Mechanisms {
        match self.0 {
            Names::Known(mechanisms) => mechanisms,
            Names::Listed(words) => {
                let names = words.split(|byte| !is_word(byte) || byte == b'=');
                let known = names.filter_map(SaslMechanism::from_name);
                known.fold(Mechanisms::NONE, Mechanisms::with)
            }
        }
    }

    /// The names, with `first` before the first of them and spaces before the others.
    pub(super) fn write(&self, first: u8, writer: &mut Writer<'_>) {
        let mut separator = first;
        for name in self {
            writer.put_byte(core::mem::replace(&mut separator, b' '));
            writer.put(name.as_bytes());
        }
        if separator == b'=' {
            writer.put_byte(separator);
        }
    }
}

/// The names of [`AuthMechanisms`] in turn.
///
/// ```
/// use ehlo::Capability;
///
/// let Capability::Auth(offered) = Capability::parse(b"AUTH PLAIN LOGIN") else { panic!() };
/// assert_eq!(offered.into_iter().last(), Some("LOGIN"));
/// ```
#[derive(Clone, Debug)]
pub struct MechanismNames<'a> {
    listed: Option<EhloWords<'a>>,
    /// The unread part of a word.
    word: &'a [u8],
    known: MechanismsIter,
}

impl<'a> Iterator for MechanismNames<'a> {
    type Item = &'a str;

    fn next(&mut self) -> Option<&'a str> {
        let Some(listed) = &mut self.listed else {
            return self.known.next().map(SaslMechanism::name);
        };
        loop {
            // No name has a `=`, and lists of the older form have it in odd places.
            let end = self.word.iter().position(|&byte| byte == b'=');
            let (name, rest) = split(self.word, end.unwrap_or(self.word.len()));
            self.word = rest.get(1..).unwrap_or_default();
            if !name.is_empty() {
                return Some(as_str(name));
            }
            if self.word.is_empty() {
                self.word = listed.next()?.as_bytes();
            }
        }
    }
}

impl FusedIterator for MechanismNames<'_> {}

impl<'a> IntoIterator for AuthMechanisms<'a> {
    type Item = &'a str;
    type IntoIter = MechanismNames<'a>;

    fn into_iter(self) -> MechanismNames<'a> {
        self.iter()
    }
}

impl<'a> IntoIterator for &AuthMechanisms<'a> {
    type Item = &'a str;
    type IntoIter = MechanismNames<'a>;

    fn into_iter(self) -> MechanismNames<'a> {
        self.iter()
    }
}

/// The names with a space between them.
impl fmt::Display for AuthMechanisms<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        put_words(self.iter(), f)
    }
}

impl Hash for AuthMechanisms<'_> {
    fn hash<H: Hasher>(&self, state: &mut H) {
        self.iter().for_each(|name| hash_in_any_case(name.as_bytes(), state));
    }
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

impl fmt::Debug for AuthMechanisms<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_list().entries(self.iter()).finish()
    }
}

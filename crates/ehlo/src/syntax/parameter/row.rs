//! The macro that makes everything about a parameter from one row of the table.

use super::KIND;
use crate::syntax::encode::{Encode, Writer};
use crate::syntax::grammar::{Fault, of_byte};

/// Makes `Parameter`, `Known` and the code that reads, checks and writes them, from one row per
/// parameter:
///
/// ```text
/// /// Documentation of the variant.
/// Variant(name: Type = rule), "KEYWORD", Place, Extension, allowance;
/// ```
///
/// - `Variant`: of [`Parameter`](super::Parameter). Without the brackets the parameter has no value.
/// - `rule`: reads the value, `fn(&[u8]) -> IResult<'_, Type>`. It stops at the first byte that
///   is not part of the value; the caller checks that the word ends there. With `, policy` behind
///   it the rule has a second argument, the [`Policy`](crate::Policy).
/// - `; marks`: `fn(&Type) -> u32`, the bits that a value adds to the set of those seen, besides
///   the bit of its parameter: [`BINARY`](super::marks::BINARY), [`UTF8`](super::marks::UTF8), ….
/// - `Place`: the commands in which it may appear, a [`Place`](super::place::Place).
/// - `Extension`: the extension whose offer licenses it.
/// - `allowance`: the number of bytes that its RFC adds to the command line. If the RFC has no
///   number (RET, NOTIFY, CONPERM, CONNEG, PRDR), the length of the longest parameter with the
///   space in front.
macro_rules! parameters {
    ($(
        $(#[doc = $doc:literal])+
        $name:ident $(($field:ident: $value:ty = $rule:path $(, $policy:ident)? $(; $marks:path)?))?,
        $keyword:literal, $place:ident, $extension:ident, $allowance:literal;
    )*) => {
        /// One parameter: `esmtp-param = esmtp-keyword ["=" esmtp-value]`, RFC 5321 §4.1.2.
        ///
        /// ```
        /// use ehlo::Extension;
        /// use ehlo::syntax::parameter::{Parameter, Priority};
        ///
        /// let parameter = Parameter::MtPriority(Priority::new(-3)?);
        /// assert_eq!(parameter.to_string(), "MT-PRIORITY=-3");
        /// assert_eq!(parameter.extension(), Some(Extension::MtPriority));
        /// # Ok::<(), ehlo::SyntaxError>(())
        /// ```
        #[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
        #[non_exhaustive]
        pub enum Parameter<'a> {
            $($(#[doc = $doc])+ $name$(($value))?,)*
            /// A parameter that this crate does not know.
            Other($crate::syntax::parameter::OtherParameter<'a>),
        }

        impl<'a> Parameter<'a> {
            /// The keyword, in upper case; that of an unknown parameter as it was written.
            pub fn keyword(&self) -> &'a str {
                match self.known() {
                    Ok(known) => known.keyword(),
                    Err(other) => other.keyword(),
                }
            }

            /// The extension that licenses it; `None` for an unknown parameter.
            pub fn extension(&self) -> Option<$crate::syntax::extension::Extension> {
                if self.seen() & $crate::syntax::parameter::marks::BINARY != 0 {
                    return Some($crate::syntax::extension::Extension::BinaryMime);
                }
                self.known().ok().map(Known::extension)
            }

            /// The number of bytes that it adds to the 512 of a command line, RFC 5321 §4.1.1.11; 0
            /// for an unknown parameter.
            pub fn allowance(&self) -> usize {
                self.known().map_or(0, Known::allowance)
            }

            /// The row of a known parameter; the parameter itself if it has no row.
            fn known(&self) -> Result<Known, $crate::syntax::parameter::OtherParameter<'a>> {
                Ok(match self {
                    $(Self::$name { .. } => Known::$name,)*
                    Self::Other(other) => return Err(*other),
                })
            }

            /// The bits that it adds to the set of those seen.
            #[allow(unused_variables)] // most values add nothing
            pub(super) fn seen(&self) -> u32 {
                match self {
                    $(Self::$name$(($field))? => Known::$name.bit() $($(| $marks($field))?)?,)*
                    Self::Other(other) => other.seen(),
                }
            }

            /// `esmtp-param` at the front of `input`, which was checked before.
            pub(super) fn read(
                input: &'a [u8],
            ) -> $crate::syntax::grammar::IResult<'a, Self> {
                let Some(known) = Known::identify(input) else {
                    let (rest, other) = $crate::syntax::parameter::other::other(input, true)?;
                    return Ok((rest, Self::Other(other)));
                };
                Ok(match known {
                    $(Known::$name => {
                        let rest = input.get($keyword.len()..).unwrap_or_default();
                        $(let (rest, $field) = $rule(
                            $crate::syntax::parameter::row::behind_equals(rest)?
                            $(, { let $policy = &$crate::syntax::policy::Policy::LENIENT; $policy })?
                        )?;)?
                        (rest, Self::$name$(($field))?)
                    })*
                })
            }

            /// `esmtp-param` at the front of `input`, with a value in the grammar of its RFC:
            /// returns the bits that it adds to the set of those seen. The caller checks that a
            /// space or the end of the line follows.
            #[inline]
            pub(super) fn check(
                input: &'a [u8],
                policy: &$crate::syntax::policy::Policy,
            ) -> $crate::syntax::grammar::IResult<'a, u32> {
                let word = $crate::syntax::grammar::words::load(input);
                // No known keyword is a single byte; unknown ones of one byte are the most
                // parameters that fit in a line.
                if word & 0xFF00 == u64::from(b' ') << 8
                    && input.first().is_some_and(u8::is_ascii_alphanumeric)
                {
                    let rest = $crate::syntax::grammar::split(input, 1).1;
                    return Ok((rest, $crate::syntax::parameter::marks::UNKNOWN));
                }
                let Some(known) = KEYWORDS.find_start(input, word) else {
                    return $crate::syntax::parameter::other::check(input, policy);
                };
                // The length of the keyword is a constant in each arm, so that a processor that
                // guesses the arm right goes on without waiting for the keyword.
                Ok(match known {
                    $(Known::$name => $crate::syntax::parameter::row::check_row!(
                        (input, policy, Known::$name), $keyword
                        $(, ($rule $(, $policy)?) $($marks)?)?
                    ),)*
                })
            }

            /// The same if the bytes behind a known keyword do not belong there: the keyword may be
            /// the front of a longer one.
            #[cold]
            fn check_longer(
                input: &'a [u8],
                policy: &$crate::syntax::policy::Policy,
            ) -> $crate::syntax::grammar::IResult<'a, u32> {
                match Known::identify(input) {
                    Some(known) => {
                        let rest = $crate::syntax::grammar::split(input, known.keyword().len()).1;
                        if $crate::syntax::grammar::is_word_end_under(policy, rest)
                            && !known.has_value()
                        {
                            return Ok((rest, known.bit()));
                        }
                        Err($crate::syntax::parameter::row::bad_value(rest))
                    }
                    None => $crate::syntax::parameter::other::check(input, policy),
                }
            }
        }

        impl $crate::syntax::encode::Encode for Parameter<'_> {
            fn write_to(&self, writer: &mut $crate::syntax::encode::Writer<'_>) {
                match self {
                    $(Self::$name$(($field))? => {
                        writer.put($keyword.as_bytes());
                        $(
                            writer.put(b"=");
                            $crate::syntax::parameter::row::Value::write($field, writer);
                        )?
                    })*
                    Self::Other(other) => other.write_to(writer),
                }
            }
        }

        impl core::fmt::Display for Parameter<'_> {
            fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
                $crate::syntax::grammar::display_or::<1024>(self, f, |f| match self {
                    Self::Other(other) => core::fmt::Display::fmt(other, f),
                    _ => Err(core::fmt::Error),
                })
            }
        }

        /// A parameter that has a row, without its value.
        #[derive(Clone, Copy, Debug, PartialEq, Eq)]
        #[repr(u8)]
        pub(super) enum Known {
            $($name,)*
        }

        impl Known {
            pub(super) const ALL: &'static [Self] = &[$(Self::$name,)*];

            /// The keyword, in upper case.
            pub(super) const fn keyword(self) -> &'static str {
                match self {
                    $(Self::$name => $keyword,)*
                }
            }

            /// The commands that it belongs to.
            pub(super) const fn place(self) -> $crate::syntax::parameter::place::Place {
                match self {
                    $(Self::$name => $crate::syntax::parameter::place::Place::$place,)*
                }
            }

            /// The extension that licenses it.
            pub(super) const fn extension(self) -> $crate::syntax::extension::Extension {
                match self {
                    $(Self::$name => $crate::syntax::extension::Extension::$extension,)*
                }
            }

            /// The number of bytes that it adds to the command line.
            pub(super) const fn allowance(self) -> usize {
                match self {
                    $(Self::$name => $allowance,)*
                }
            }

            /// Returns `true` if it has a value.
            const fn has_value(self) -> bool {
                match self {
                    $(Self::$name => !stringify!($($rule)?).is_empty(),)*
                }
            }

            /// Its bit in a set.
            pub(super) const fn bit(self) -> u32 {
                1 << self as u8
            }

            /// The parameter whose keyword, in any case, stands at the front of `input`.
            pub(super) fn identify(input: &[u8]) -> Option<Self> {
                KEYWORDS.find(input)
            }
        }

        // The bits above are those of `list`.
        const _: () = assert!(Known::ALL.len() <= 28, "a set has no bit left for the parameter");

        static KEYWORDS: $crate::syntax::parameter::keywords::Keywords<Known> =
            $crate::syntax::parameter::keywords::Keywords::new([$(($keyword, Known::$name),)*]);
    };
}
pub(super) use parameters;

/// One arm of `Parameter::check`: with a value, or without.
macro_rules! check_row {
    (($input:ident, $policy:ident, $known:path), $keyword:literal) => {
        match $input.get($keyword.len()..) {
            Some(rest) if $crate::syntax::grammar::is_word_end(rest) => (rest, $known.bit()),
            _ => return Self::check_longer($input, $policy),
        }
    };
    (
        ($input:ident, $policy:ident, $known:path), $keyword:literal,
        ($rule:path $(, $with_policy:ident)?) $($marks:path)?
    ) => {
        match $input.split_at_checked($keyword.len() + 1) {
            Some(([.., b'='], value)) => {
                let (rest, _value) = $rule(value $(, { let $with_policy = $policy; $with_policy })?)?;
                (rest, $known.bit() $(| $marks(&_value))?)
            }
            _ => return Self::check_longer($input, $policy),
        }
    };
}
pub(super) use check_row;

/// The input behind the `=` at the front of `rest`.
#[inline]
pub(super) fn behind_equals(rest: &[u8]) -> Result<&[u8], nom::Err<Fault<'_>>> {
    match rest {
        [b'=', value @ ..] => Ok(value),
        _ => Err(bad_value(rest)),
    }
}

/// The error for bytes behind a keyword that are not a value of it.
pub(super) fn bad_value(rest: &[u8]) -> nom::Err<Fault<'_>> {
    nom::Err::Error(Fault { rest, kind: of_byte(rest, KIND) })
}

/// A value that can stand behind the `=`.
pub(super) trait Value {
    /// Appends its wire form.
    fn write(&self, writer: &mut Writer<'_>);
}

impl<T: Encode> Value for T {
    fn write(&self, writer: &mut Writer<'_>) {
        self.write_to(writer);
    }
}

impl Value for u64 {
    fn write(&self, writer: &mut Writer<'_>) {
        writer.put_number(*self);
    }
}

#[cfg(test)]
mod tests {
    //! The promise of CONTRIBUTING about a new parameter: one row, and it is read, checked and
    //! written.
    #![allow(clippy::unwrap_used, unreachable_pub)] // a test fails by panicking

    extern crate std;

    use std::string::ToString as _;

    use super::super::{Priority, marks, place, word};
    use crate::syntax::error::SyntaxErrorKind;
    use crate::syntax::extension::Extension;
    use crate::syntax::policy::Policy;

    super::parameters! {
        /// Bytes of the message.
        Size(bytes: u64 = word::size), "SIZE", Mail, Size, 26;
        /// No value.
        Prdr, "PRDR", Mail, Prdr, 5;
        /// The additional row; it begins like another one.
        PriorityOfRecipient(priority: Priority = word::priority; urgent), "PRIORITY-2", Rcpt, Verb, 14;
    }

    fn urgent(priority: &Priority) -> u32 {
        if priority.value() > 4 { marks::BINARY } else { 0 }
    }

    #[test]
    fn one_row_is_all_of_a_parameter() {
        let parameter = Parameter::PriorityOfRecipient(Priority::new(3).unwrap());
        assert_eq!(parameter.keyword(), "PRIORITY-2");
        assert_eq!(parameter.extension(), Some(Extension::Verb));
        assert_eq!(parameter.allowance(), 14);
        assert_eq!(Known::PriorityOfRecipient.place(), place::Place::Rcpt);
        assert_eq!(parameter.to_string(), "PRIORITY-2=3");

        assert_eq!(Parameter::read(b"priority-2=3 X"), Ok((&b" X"[..], parameter)));
        let seen = Known::PriorityOfRecipient.bit();
        assert_eq!(
            Parameter::check(b"Priority-2=3\r\n", &Policy::STRICT),
            Ok((&b"\r\n"[..], seen))
        );
        assert_eq!(parameter.seen(), seen);
    }

    #[test]
    fn a_value_may_add_a_mark() {
        let seen = Known::PriorityOfRecipient.bit() | marks::BINARY;
        assert_eq!(Parameter::check(b"PRIORITY-2=5", &Policy::STRICT), Ok((&b""[..], seen)));
        assert_eq!(Parameter::read(b"PRIORITY-2=5").map(|(_, p)| p.seen()), Ok(seen));
    }

    #[test]
    fn what_is_wrong_with_the_row_more() {
        for bad in [&b"PRIORITY-2"[..], b"PRIORITY-2 ", b"PRIORITY-2=", b"PRIORITY-2=x"] {
            let Err(nom::Err::Error(fault)) = Parameter::check(bad, &Policy::STRICT) else {
                panic!("{} is right", bad.escape_ascii());
            };
            assert_eq!(fault.kind, SyntaxErrorKind::ParameterValue, "{}", bad.escape_ascii());
        }
        // A longer keyword, and one that is cut off, are other parameters.
        for other in [&b"PRIORITY-22=1"[..], b"PRIORITY-=1", b"PRDR-=1", b"SIZE2=1"] {
            assert_eq!(Parameter::check(other, &Policy::STRICT), Ok((&b""[..], marks::UNKNOWN)));
        }
    }
}

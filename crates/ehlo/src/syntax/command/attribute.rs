//! The arguments of XCLIENT and XFORWARD, as Postfix documents them.

use crate::syntax::command::Verb;
use crate::syntax::encode::{Encode, Writer};
use crate::syntax::error::{SyntaxError, SyntaxErrorKind};
use crate::syntax::grammar::{
    Fault, IResult, LDH, after_space, display, of_byte, run, skip_white_space, split,
};
use crate::syntax::parameter::Xtext;
use crate::syntax::parameter::xtext;
use crate::syntax::policy::Policy;

macro_rules! names {
    ($($(#[doc = $doc:literal])+ $name:ident $text:literal $xclient:literal $xforward:literal;)*) => {
        /// The name of an attribute of XCLIENT or XFORWARD.
        ///
        /// ```
        /// use ehlo::syntax::command::Verb;
        /// use ehlo::syntax::command::AttributeName;
        ///
        /// assert!(AttributeName::Login.is_of(Verb::Xclient));
        /// assert!(!AttributeName::Login.is_of(Verb::Xforward));
        /// ```
        #[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
        #[non_exhaustive]
        pub enum AttributeName {
            $($(#[doc = $doc])+ $name,)*
        }

        impl core::fmt::Display for AttributeName {
            fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
                f.pad(self.as_str())
            }
        }

        impl AttributeName {
            /// The name, in upper case.
            pub const fn as_str(self) -> &'static str {
                match self {
                    $(Self::$name => $text,)*
                }
            }

            /// The attribute of this name, in any case.
            pub fn from_name(name: &[u8]) -> Option<Self> {
                [$(Self::$name,)*].into_iter().find(|attribute| {
                    attribute.as_str().as_bytes().eq_ignore_ascii_case(name)
                })
            }

            /// Returns `true` if `verb` takes this attribute.
            pub const fn is_of(self, verb: Verb) -> bool {
                match self {
                    $(Self::$name => {
                        matches!(verb, Verb::Xclient) && $xclient
                            || matches!(verb, Verb::Xforward) && $xforward
                    })*
                }
            }
        }
    };
}

names! {
    /// The client's host name.
    Name "NAME" true true;
    /// The client's address: an IPv4 address, or `IPV6:` and an IPv6 address.
    Addr "ADDR" true true;
    /// The client's port.
    Port "PORT" true true;
    /// The protocol that the client speaks.
    Proto "PROTO" true true;
    /// The client's argument of EHLO.
    Helo "HELO" true true;
    /// XCLIENT: the client's SASL login name.
    Login "LOGIN" true false;
    /// XCLIENT: the address that the client connected to.
    DestAddr "DESTADDR" true false;
    /// XCLIENT: the port that the client connected to.
    DestPort "DESTPORT" true false;
    /// XFORWARD: the message's queue identifier upstream.
    Ident "IDENT" false true;
    /// XFORWARD: `LOCAL` or `REMOTE`.
    Source "SOURCE" false true;
}

/// `attribute-name"="attribute-value` of XCLIENT and XFORWARD.
///
/// ```
/// use ehlo::syntax::command::{Attribute, AttributeName};
/// use ehlo::syntax::parameter::Xtext;
///
/// let attribute = Attribute::new(AttributeName::Name, Xtext::new("mail.example.org")?)?;
/// assert!(!attribute.is_unavailable());
/// # Ok::<(), ehlo::SyntaxError>(())
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Attribute<'a> {
    name: AttributeName,
    value: Xtext<'a>,
}

impl<'a> Attribute<'a> {
    /// An attribute of this value, 1 to 255 bytes on the wire.
    ///
    /// # Errors
    ///
    /// `Argument` out of these bounds.
    pub fn new(name: AttributeName, value: Xtext<'a>) -> Result<Self, SyntaxError> {
        if matches!(value.wire_len(), 1..=255) {
            Ok(Self { name, value })
        } else {
            Err(SyntaxError { kind: KIND, offset: 0 })
        }
    }

    /// The name.
    pub const fn name(&self) -> AttributeName {
        self.name
    }

    /// The value.
    pub const fn value(&self) -> Xtext<'a> {
        self.value
    }

    /// Returns `true` if the value says that there is no value: `[UNAVAILABLE]` or `[TEMPUNAVAIL]`,
    /// in any case.
    pub fn is_unavailable(&self) -> bool {
        let is = |word: &[u8]| {
            let lower = |byte: u8| byte.to_ascii_lowercase();
            self.value.decoded().map(lower).eq(word.iter().copied())
        };
        is(b"[unavailable]") || is(b"[tempunavail]")
    }
}

impl core::fmt::Display for Attribute<'_> {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        display::<512>(self, f)
    }
}

impl Encode for Attribute<'_> {
    fn write_to(&self, writer: &mut Writer<'_>) {
        writer.put(self.name.as_str().as_bytes());
        writer.put(b"=");
        self.value.write_to(writer);
    }
}

/// `1*( SP attribute-name"="attribute-value )`: as received, or given by the caller.
///
/// ```
/// use ehlo::syntax::command::Verb;
/// use ehlo::syntax::command::{Attribute, AttributeName, Attributes};
/// use ehlo::syntax::parameter::Xtext;
///
/// let list = [Attribute::new(AttributeName::Login, Xtext::new("joe")?)?];
/// assert_eq!(Attributes::new(Verb::Xclient, &list)?.iter().next(), Some(list[0]));
/// assert!(Attributes::new(Verb::Xforward, &list).is_err());
/// # Ok::<(), ehlo::SyntaxError>(())
/// ```
#[derive(Clone, Copy)]
pub struct Attributes<'a>(Source<'a>);

#[derive(Clone, Copy, Debug)]
enum Source<'a> {
    /// Valid, without the space in front.
    Wire(&'a [u8]),
    List(&'a [Attribute<'a>]),
}

impl<'a> Attributes<'a> {
    /// These attributes, at least one, for XCLIENT or XFORWARD.
    ///
    /// # Errors
    ///
    /// `Argument` when the command does not take one of them, `MissingArgument` when `list` is
    /// empty, `LineTooLong` when the line would exceed 512 bytes.
    pub fn new(verb: Verb, list: &'a [Attribute<'a>]) -> Result<Self, SyntaxError> {
        if list.is_empty() {
            return Err(SyntaxError { kind: SyntaxErrorKind::MissingArgument, offset: 0 });
        }
        if let Some(offset) = list.iter().position(|attribute| !attribute.name.is_of(verb)) {
            return Err(SyntaxError { kind: KIND, offset });
        }
        let attributes = Self(Source::List(list));
        let length = attributes.encoded_len();
        if length > 500 {
            return Err(SyntaxError { kind: SyntaxErrorKind::LineTooLong, offset: length });
        }
        Ok(attributes)
    }

    /// The attributes in their order.
    pub fn iter(&self) -> AttributesIter<'a> {
        AttributesIter(self.0)
    }
}

impl PartialEq for Attributes<'_> {
    fn eq(&self, other: &Self) -> bool {
        self.iter().eq(other.iter())
    }
}

impl Eq for Attributes<'_> {}

impl core::hash::Hash for Attributes<'_> {
    fn hash<H: core::hash::Hasher>(&self, state: &mut H) {
        self.iter().for_each(|attribute| attribute.hash(state));
    }
}

impl core::fmt::Debug for Attributes<'_> {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        f.debug_list().entries(self.iter()).finish()
    }
}

impl core::fmt::Display for Attributes<'_> {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        for (i, attribute) in self.iter().enumerate() {
            if i > 0 {
                f.write_str(" ")?;
            }
            core::fmt::Display::fmt(&attribute, f)?;
        }
        Ok(())
    }
}

impl Encode for Attributes<'_> {
    fn write_to(&self, writer: &mut Writer<'_>) {
        for (i, attribute) in self.iter().enumerate() {
            if i > 0 {
                writer.put(b" ");
            }
            attribute.write_to(writer);
        }
    }
}

impl<'a> IntoIterator for Attributes<'a> {
    type Item = Attribute<'a>;
    type IntoIter = AttributesIter<'a>;

    fn into_iter(self) -> AttributesIter<'a> {
        self.iter()
    }
}

impl<'a> IntoIterator for &Attributes<'a> {
    type Item = Attribute<'a>;
    type IntoIter = AttributesIter<'a>;

    fn into_iter(self) -> AttributesIter<'a> {
        self.iter()
    }
}

/// The attributes of a command, one by one: see [`Attributes::iter`].
///
/// ```
/// use ehlo::syntax::command::{Attribute, AttributeName, Attributes, Verb};
/// use ehlo::syntax::parameter::Xtext;
///
/// let list = [Attribute::new(AttributeName::Login, Xtext::new("joe")?)?];
/// let mut attributes = Attributes::new(Verb::Xclient, &list)?.into_iter();
/// assert_eq!(attributes.next().map(|attribute| attribute.name()), Some(AttributeName::Login));
/// # Ok::<(), ehlo::SyntaxError>(())
/// ```
#[derive(Clone, Debug)]
pub struct AttributesIter<'a>(Source<'a>);

impl<'a> Iterator for AttributesIter<'a> {
    type Item = Attribute<'a>;

    fn next(&mut self) -> Option<Attribute<'a>> {
        match &mut self.0 {
            Source::List(list) => {
                let (first, rest) = list.split_first()?;
                *list = rest;
                Some(*first)
            }
            Source::Wire(wire) => {
                let (rest, attribute) = attribute(wire).ok()?;
                *wire = skip_white_space(rest);
                Some(attribute)
            }
        }
    }
}

/// `attribute *( SP attribute )`.
pub(super) fn attributes<'i>(
    input: &'i [u8],
    verb: Verb,
    policy: &Policy,
) -> IResult<'i, Attributes<'i>> {
    let mut rest = input;
    loop {
        let (after, attribute) = attribute(rest)?;
        if !attribute.name.is_of(verb) {
            return Fault::error(rest, KIND);
        }
        if let Some(next) = after_space(after, policy) {
            rest = next;
            continue;
        }
        let wire = split(input, input.len() - after.len()).0;
        return Ok((after, Attributes(Source::Wire(wire))));
    }
}

/// `attribute-name"="attribute-value`, where the value is `xtext`, RFC 3461 §4.
fn attribute(input: &[u8]) -> IResult<'_, Attribute<'_>> {
    let (name, after) = split(input, run(input, &LDH));
    let (Some(name), [b'=', value @ ..]) = (AttributeName::from_name(name), after) else {
        return Fault::error(input, of_byte(input, KIND));
    };
    let (rest, value) = xtext(value)?;
    match Attribute::new(name, value) {
        Ok(attribute) => Ok((rest, attribute)),
        Err(_) => Fault::error(input, KIND),
    }
}

const KIND: SyntaxErrorKind = SyntaxErrorKind::Argument;

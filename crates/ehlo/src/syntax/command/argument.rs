//! The arguments of the smaller commands.

use crate::syntax::encode::{Encode, Writer};
use crate::syntax::error::{SyntaxError, SyntaxErrorKind};
use crate::syntax::grammar::{
    ATEXT, Fault, IResult, URI, VCHAR, hex_digit, many1, of_byte, run, split, try_from_str, whole,
    wire_text,
};
use crate::syntax::limits;
use crate::syntax::path::{Domain, LocalPart, Mailbox};
use crate::syntax::path::{Text, checked_mailbox, domain, local_part, quoted_string, text_of};
use crate::syntax::policy::Policy;

const KIND: SyntaxErrorKind = SyntaxErrorKind::Argument;

/// `String = Atom / Quoted-string`, RFC 5321 §4.1.2: the argument of HELP.
///
/// At most 505 bytes.
///
/// ```
/// use ehlo::syntax::command::SmtpString;
///
/// assert_eq!(SmtpString::new("MAIL")?.as_str(), "MAIL");
/// assert!(SmtpString::new("MAIL FROM").is_err());
/// assert!(SmtpString::new(r#""MAIL FROM""#).is_ok());
/// # Ok::<(), ehlo::SyntaxError>(())
/// ```
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub struct SmtpString<'a>(&'a [u8]);

impl<'a> SmtpString<'a> {
    /// The string of this text, with its quotes if it has any.
    ///
    /// # Errors
    ///
    /// `Argument`, `Control`, `NonAscii` or `LineTooLong`, with the offset in `text`.
    pub fn new(text: &'a str) -> Result<Self, SyntaxError> {
        whole(text.as_bytes(), KIND, string)
    }
}

wire_text!(SmtpString);

/// `String = Atom / Quoted-string`.
pub(super) fn string(input: &[u8]) -> IResult<'_, SmtpString<'_>> {
    let (rest, text) = if input.first() == Some(&b'"') {
        quoted_string(input, &Policy::STRICT)?
    } else {
        many1(input, &ATEXT, KIND)?
    };
    if text.len() > MAX {
        return Fault::error(split(input, MAX).1, SyntaxErrorKind::LineTooLong);
    }
    Ok((rest, SmtpString(text)))
}

/// The argument of VRFY and EXPN, RFC 5321 §3.5.1: a user, a list, or a mailbox.
///
/// The grammar of the commands says `String`, which has no dot and no `@`; §3.5.1 allows a user
/// name and domain, too.
///
/// ```
/// use ehlo::syntax::command::UserOrList;
///
/// assert!(matches!(UserOrList::new("staff")?, UserOrList::Name(_)));
/// assert!(matches!(UserOrList::new("bob@example.org")?, UserOrList::Mailbox(_)));
/// assert!(UserOrList::new("Bob Smith").is_err());
/// # Ok::<(), ehlo::SyntaxError>(())
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum UserOrList<'a> {
    /// A name, quoted where it must be.
    Name(LocalPart<'a>),
    /// A mailbox.
    Mailbox(Mailbox<'a>),
}

impl<'a> UserOrList<'a> {
    /// The user, list or mailbox of this text.
    ///
    /// # Errors
    ///
    /// The kind of the part that is wrong, with the offset in `text`.
    pub fn new(text: &'a str) -> Result<Self, SyntaxError> {
        let policy = Policy { smtputf8: true, ..Policy::STRICT };
        whole(text.as_bytes(), KIND, |input| user_or_list(input, &policy))
    }

    /// Returns `true` if it can do without SMTPUTF8.
    pub const fn is_ascii(&self) -> bool {
        match self {
            Self::Name(name) => name.is_ascii(),
            Self::Mailbox(mailbox) => mailbox.is_ascii(),
        }
    }
}

try_from_str!(UserOrList, EtrnNode);

impl core::fmt::Display for UserOrList<'_> {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        match self {
            Self::Name(name) => core::fmt::Display::fmt(name, f),
            Self::Mailbox(mailbox) => core::fmt::Display::fmt(mailbox, f),
        }
    }
}

impl Encode for UserOrList<'_> {
    fn write_to(&self, writer: &mut Writer<'_>) {
        match self {
            Self::Name(name) => name.write_to(writer),
            Self::Mailbox(mailbox) => mailbox.write_to(writer),
        }
    }
}

/// `String / Mailbox`; in brackets under [`Policy::brackets_in_vrfy`].
pub(super) fn user_or_list<'i>(input: &'i [u8], policy: &Policy) -> IResult<'i, UserOrList<'i>> {
    if let (true, [b'<', inside @ ..]) = (policy.brackets_in_vrfy, input) {
        let (end, argument) = user_or_list(inside, &Policy { brackets_in_vrfy: false, ..*policy })?;
        return match end {
            [b'>', rest @ ..] => Ok((rest, argument)),
            _ => Fault::error(end, of_byte(end, KIND)),
        };
    }
    let (rest, name) = local_part(input, policy)?;
    if rest.first() != Some(&b'@') {
        return Ok((rest, UserOrList::Name(name)));
    }
    let (rest, mailbox) = checked_mailbox(input, policy)?;
    Ok((rest, UserOrList::Mailbox(mailbox)))
}

/// The queue that ETRN starts: `[<option character>]<node name>`, RFC 1985 §5.
///
/// ```
/// use ehlo::syntax::command::EtrnNode;
/// use ehlo::syntax::path::Domain;
///
/// assert_eq!(EtrnNode::new("@example.org")?, EtrnNode::Subdomains(Domain::new("example.org")?));
/// assert!(matches!(EtrnNode::new("#queue")?, EtrnNode::Queue(_)));
/// # Ok::<(), ehlo::SyntaxError>(())
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum EtrnNode<'a> {
    /// Messages for this host.
    Host(Domain<'a>),
    /// `@`: messages for this domain and those below it.
    Subdomains(Domain<'a>),
    /// `#`: the queue of this name, which only the server can interpret.
    Queue(Text<'a>),
}

impl<'a> EtrnNode<'a> {
    /// The node of this text, with its option character in front.
    ///
    /// # Errors
    ///
    /// The kind of the part that is wrong, with the offset in `text`.
    pub fn new(text: &'a str) -> Result<Self, SyntaxError> {
        whole(text.as_bytes(), KIND, |input| etrn_node(input, &Policy::STRICT))
    }
}

impl core::fmt::Display for EtrnNode<'_> {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        match self {
            Self::Host(name) => core::fmt::Display::fmt(name, f),
            Self::Subdomains(name) => write!(f, "@{name}"),
            Self::Queue(name) => write!(f, "#{name}"),
        }
    }
}

impl Encode for EtrnNode<'_> {
    fn write_to(&self, writer: &mut Writer<'_>) {
        match self {
            Self::Host(name) => name.write_to(writer),
            Self::Subdomains(name) => {
                writer.put(b"@");
                name.write_to(writer);
            }
            Self::Queue(name) => {
                writer.put(b"#");
                name.write_to(writer);
            }
        }
    }
}

pub(super) fn etrn_node<'i>(input: &'i [u8], policy: &Policy) -> IResult<'i, EtrnNode<'i>> {
    let policy = &Policy { smtputf8: false, ..*policy };
    match input {
        [b'@', name @ ..] => domain(name, policy).map(|(r, name)| (r, EtrnNode::Subdomains(name))),
        [b'#', b' ', ..] => Fault::error(input, KIND),
        [b'#', name @ ..] => text_of(name).map(|(rest, name)| (rest, EtrnNode::Queue(name))),
        _ => domain(input, policy).map(|(rest, name)| (rest, EtrnNode::Host(name))),
    }
}

/// The domains of ATRN: `domain *("," domain)`, each of two labels or more, RFC 2645 §5.2.
///
/// At most 505 bytes.
///
/// ```
/// use ehlo::syntax::command::DomainList;
///
/// let list = DomainList::new("example.org,example.com")?;
/// assert_eq!(list.domains().count(), 2);
/// assert!(DomainList::new("example.org, example.com").is_err());
/// # Ok::<(), ehlo::SyntaxError>(())
/// ```
#[derive(Clone, Copy)]
pub struct DomainList<'a>(&'a [u8]);

impl<'a> DomainList<'a> {
    /// The list of this text.
    ///
    /// # Errors
    ///
    /// `Domain`, `DomainTooLong` or `LineTooLong`, with the offset in `text`.
    pub fn new(text: &'a str) -> Result<Self, SyntaxError> {
        whole(text.as_bytes(), SyntaxErrorKind::Domain, domain_list)
    }

    /// The domains one by one.
    pub fn domains(&self) -> impl Iterator<Item = Domain<'a>> + use<'a> {
        self.0.split(|&byte| byte == b',').map(Domain::known)
    }
}

wire_text!(DomainList);

impl PartialEq for DomainList<'_> {
    fn eq(&self, other: &Self) -> bool {
        self.0.eq_ignore_ascii_case(other.0)
    }
}

impl Eq for DomainList<'_> {}

impl core::hash::Hash for DomainList<'_> {
    fn hash<H: core::hash::Hasher>(&self, state: &mut H) {
        self.domains().for_each(|domain| domain.hash(state));
    }
}

pub(super) fn domain_list(input: &[u8]) -> IResult<'_, DomainList<'_>> {
    let mut rest = input;
    loop {
        let (after, name) = domain(rest, &Policy::STRICT)?;
        // RFC 2645 §5.2: `domain = sub-domain 1*("." sub-domain)`
        if !name.as_bytes().contains(&b'.') {
            return Fault::error(rest, SyntaxErrorKind::Domain);
        }
        if let [b',', next @ ..] = after {
            rest = next;
            continue;
        }
        let list = split(input, input.len() - after.len()).0;
        if list.len() > MAX {
            return Fault::error(split(input, MAX).1, SyntaxErrorKind::LineTooLong);
        }
        return Ok((after, DomainList(list)));
    }
}

/// `absolute-URI`, RFC 3986 §4.3: the address that BURL fetches (RFC 4468 §3.2). At most 499 bytes.
///
/// ```
/// use ehlo::syntax::command::AbsoluteUri;
///
/// let uri = AbsoluteUri::new("imap://joe@example.com/Drafts/;uid=20")?;
/// assert_eq!(uri.as_str(), "imap://joe@example.com/Drafts/;uid=20");
/// assert!(AbsoluteUri::new("/Drafts").is_err());
/// assert!(AbsoluteUri::new("imap://example.com/a b").is_err());
/// # Ok::<(), ehlo::SyntaxError>(())
/// ```
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub struct AbsoluteUri<'a>(&'a [u8]);

impl<'a> AbsoluteUri<'a> {
    /// The URI of this text.
    ///
    /// # Errors
    ///
    /// `Argument` or `LineTooLong`, with the offset in `text`.
    pub fn new(text: &'a str) -> Result<Self, SyntaxError> {
        whole(text.as_bytes(), KIND, absolute_uri)
    }
}

wire_text!(AbsoluteUri);

/// `absolute-URI = scheme ":" hier-part [ "?" query ]`,
/// `scheme = ALPHA *( ALPHA / DIGIT / "+" / "-" / "." )`: the scheme and the characters.
pub(super) fn absolute_uri(input: &[u8]) -> IResult<'_, AbsoluteUri<'_>> {
    let is_scheme = |byte: &u8| byte.is_ascii_alphanumeric() || b"+-.".contains(byte);
    let scheme = input.iter().take_while(|byte| is_scheme(byte)).count();
    let mut rest = match split(input, scheme) {
        ([first, ..], [b':', rest @ ..]) if first.is_ascii_alphabetic() => rest,
        (_, rest) => return Fault::error(rest, of_byte(rest, KIND)),
    };
    loop {
        rest = split(rest, run(rest, &URI)).1;
        match rest {
            [b'%', high, low, after @ ..] if hex_digit(*high).and(hex_digit(*low)).is_some() => {
                rest = after;
            }
            [b'%', ..] => return Fault::error(rest, KIND),
            _ => break,
        }
    }
    let uri = split(input, input.len() - rest.len()).0;
    if uri.len() >= MAX {
        return Fault::error(split(input, MAX).1, SyntaxErrorKind::LineTooLong);
    }
    Ok((rest, AbsoluteUri(uri)))
}

/// A verb that this crate does not know: printable characters without a space.
///
/// Comparison ignores case; encoding keeps the case.
///
/// ```
/// use ehlo::syntax::command::OtherVerb;
///
/// assert_eq!(OtherVerb::new("xyzzy")?, OtherVerb::new("XYZZY")?);
/// assert!(OtherVerb::new("MAIL").is_err());
/// assert!(OtherVerb::new("XYZ ZY").is_err());
/// # Ok::<(), ehlo::SyntaxError>(())
/// ```
#[derive(Clone, Copy)]
pub struct OtherVerb<'a>(&'a [u8]);

impl<'a> OtherVerb<'a> {
    /// The verb of this name, at most 255 bytes.
    ///
    /// # Errors
    ///
    /// `UnknownVerb` when `name` is no verb, or one that [`Command`](crate::Command) has a variant
    /// for; `ObsoleteVerb` for SEND, SOML and SAML; `LineTooLong`.
    pub fn new(name: &'a str) -> Result<Self, SyntaxError> {
        let kind = match super::verb::Known::of(name.as_bytes()) {
            Some(super::verb::Known::Obsolete) => SyntaxErrorKind::ObsoleteVerb,
            Some(_) => SyntaxErrorKind::UnknownVerb,
            None => return whole(name.as_bytes(), SyntaxErrorKind::UnknownVerb, other_verb),
        };
        Err(SyntaxError { kind, offset: 0 })
    }
}

wire_text!(OtherVerb);

impl PartialEq for OtherVerb<'_> {
    fn eq(&self, other: &Self) -> bool {
        self.0.eq_ignore_ascii_case(other.0)
    }
}

impl Eq for OtherVerb<'_> {}

impl core::hash::Hash for OtherVerb<'_> {
    fn hash<H: core::hash::Hasher>(&self, state: &mut H) {
        self.0.iter().for_each(|byte| state.write_u8(byte.to_ascii_uppercase()));
        state.write_u8(0xFF);
    }
}

pub(super) fn other_verb(input: &[u8]) -> IResult<'_, OtherVerb<'_>> {
    let (rest, verb) = many1(input, &VCHAR, SyntaxErrorKind::UnknownVerb)?;
    if verb.len() > limits::DOMAIN {
        return Fault::error(input, SyntaxErrorKind::LineTooLong);
    }
    Ok((rest, OtherVerb(verb)))
}

/// As of [`Text`](crate::syntax::path::Text).
const MAX: usize = 505;

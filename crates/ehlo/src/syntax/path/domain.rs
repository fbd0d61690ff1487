//! `Domain` and `Host`, RFC 5321 §4.1.2, with the U-labels of RFC 6531.

use core::cmp::Ordering;

use super::AddressLiteral;
use crate::syntax::encode::{Encode, Writer};
use crate::syntax::error::{SyntaxError, SyntaxErrorKind};
use crate::syntax::grammar::{
    Fault, IResult, as_str, of_byte, scan, split, try_from_str, whole, wire_text,
};
use crate::syntax::limits;
use crate::syntax::policy::Policy;

/// A domain name: `Domain = sub-domain *("." sub-domain)`, RFC 5321 §4.1.2.
///
/// At most 255 bytes in labels of at most 63. A label may be a U-label (RFC 6531 §3.3), in valid
/// UTF-8. Comparison ignores ASCII case (RFC 5321 §2.4); a U-label and its A-label are two
/// different names here.
///
/// ```
/// use ehlo::syntax::path::Domain;
///
/// assert_eq!(Domain::new("Example.ORG")?, Domain::new("example.org")?);
/// assert!(Domain::new("my_host.example").is_err());
/// assert!(Domain::new("example.org\r\nRSET").is_err());
/// # Ok::<(), ehlo::SyntaxError>(())
/// ```
#[doc(alias = "host name")]
#[derive(Clone, Copy)]
pub struct Domain<'a>(&'a [u8]);

impl<'a> Domain<'a> {
    /// The domain of this name, in US-ASCII or UTF-8.
    ///
    /// # Errors
    ///
    /// `Domain` or `DomainTooLong`, with the offset in `name`.
    pub fn new(name: &'a str) -> Result<Self, SyntaxError> {
        whole(name.as_bytes(), SyntaxErrorKind::Domain, |input| domain(input, &UTF8))
    }

    /// A name that is known to be valid.
    pub(crate) const fn known(name: &'a [u8]) -> Self {
        Self(name)
    }

    /// Returns `true` if it has no U-label.
    pub const fn is_ascii(&self) -> bool {
        self.0.is_ascii()
    }
}

wire_text!(Domain);

/// RFC 5321 §2.4: "Mailbox domains follow normal DNS rules and are hence not case sensitive."
impl PartialEq for Domain<'_> {
    fn eq(&self, other: &Self) -> bool {
        self.0.eq_ignore_ascii_case(other.0)
    }
}

impl Eq for Domain<'_> {}

impl PartialOrd for Domain<'_> {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

/// By byte, without regard to ASCII case.
impl Ord for Domain<'_> {
    fn cmp(&self, other: &Self) -> Ordering {
        let lower = |byte: &u8| byte.to_ascii_lowercase();
        self.0.iter().map(lower).cmp(other.0.iter().map(lower))
    }
}

impl core::hash::Hash for Domain<'_> {
    fn hash<H: core::hash::Hasher>(&self, state: &mut H) {
        self.0.iter().for_each(|byte| state.write_u8(byte.to_ascii_lowercase()));
        state.write_u8(0xFF);
    }
}

/// The part behind the `@`: `Domain / address-literal`, RFC 5321 §4.1.2.
///
/// ```
/// use ehlo::syntax::path::{Host, Mailbox};
///
/// let mailbox = Mailbox::new("postmaster@[IPv6:2001:db8::1]")?;
/// assert!(matches!(mailbox.domain(), Host::AddressLiteral(_)));
/// # Ok::<(), ehlo::SyntaxError>(())
/// ```
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Host<'a> {
    /// A name.
    Domain(Domain<'a>),
    /// An address in brackets.
    AddressLiteral(AddressLiteral<'a>),
}

impl<'a> Host<'a> {
    /// The host of this text: a name, or an address literal in its brackets.
    ///
    /// # Errors
    ///
    /// `Domain`, `DomainTooLong` or `AddressLiteral`, with the offset in `text`.
    pub fn new(text: &'a str) -> Result<Self, SyntaxError> {
        whole(text.as_bytes(), SyntaxErrorKind::Domain, |input| host(input, &UTF8))
    }

    /// Returns `true` if it has no U-label.
    pub const fn is_ascii(&self) -> bool {
        match self {
            Self::Domain(domain) => domain.is_ascii(),
            Self::AddressLiteral(_) => true,
        }
    }
}

try_from_str!(Host);

impl core::fmt::Debug for Host<'_> {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        match self {
            Self::Domain(domain) => core::fmt::Debug::fmt(domain, f),
            Self::AddressLiteral(literal) => core::fmt::Debug::fmt(literal, f),
        }
    }
}

impl core::fmt::Display for Host<'_> {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        match self {
            Self::Domain(domain) => core::fmt::Display::fmt(domain, f),
            Self::AddressLiteral(literal) => core::fmt::Display::fmt(literal, f),
        }
    }
}

impl Encode for Host<'_> {
    fn write_to(&self, writer: &mut Writer<'_>) {
        match self {
            Self::Domain(domain) => domain.write_to(writer),
            Self::AddressLiteral(literal) => literal.write_to(writer),
        }
    }
}

impl<'a> From<Domain<'a>> for Host<'a> {
    fn from(domain: Domain<'a>) -> Self {
        Self::Domain(domain)
    }
}

impl<'a> From<AddressLiteral<'a>> for Host<'a> {
    fn from(literal: AddressLiteral<'a>) -> Self {
        Self::AddressLiteral(literal)
    }
}

/// `Domain / address-literal`.
#[inline]
pub(crate) fn host<'i>(input: &'i [u8], policy: &Policy) -> IResult<'i, Host<'i>> {
    if input.first() == Some(&b'[') {
        let (rest, literal) = super::literal::address_literal(input)?;
        Ok((rest, Host::AddressLiteral(literal)))
    } else {
        let (rest, domain) = domain(input, policy)?;
        Ok((rest, Host::Domain(domain)))
    }
}

/// `Domain = sub-domain *("." sub-domain)`, `sub-domain = Let-dig [Ldh-str]`,
/// `Ldh-str = *( ALPHA / DIGIT / "-" ) Let-dig`.
///
/// The common case is a domain whose labels cannot be too long.
#[inline]
pub(crate) fn domain<'i>(input: &'i [u8], policy: &Policy) -> IResult<'i, Domain<'i>> {
    let length = scan::domain(input, 0);
    let (name, rest) = split(input, length);
    let is_name = length <= limits::LABEL && scan::is_name(input, 0, length);
    if is_name && !matches!(rest.first(), Some(b'_' | b'.' | b'-' | 128..)) {
        return Ok((rest, Domain(name)));
    }
    any_domain(input, policy)
}

/// The input behind the domain of a source route, in the common case. For labels of a letter or two
/// a wide search does not pay.
#[inline]
pub(super) fn after_domain_of_route(input: &[u8]) -> Option<&[u8]> {
    let (length, last) = ranked(input);
    let rest = split(input, length).1;
    let is_name = length <= limits::LABEL && last == LET_DIG;
    (is_name && matches!(rest, [b',' | b':', ..])).then_some(rest)
}

/// The length of the run that may be a domain, and the rank of its last byte.
///
/// One table lookup and one comparison per byte: see [`RANK`].
#[inline]
fn ranked(input: &[u8]) -> (usize, u8) {
    let mut last = DOT;
    let mut length = 0;
    for &byte in input {
        let rank = RANK[usize::from(byte)];
        if last + rank > WORST {
            break;
        }
        last = rank;
        length += 1;
    }
    (length, last)
}

/// `Domain` with the rare forms, and with the errors.
#[inline]
pub(super) fn any_domain<'i>(input: &'i [u8], policy: &Policy) -> IResult<'i, Domain<'i>> {
    let (length, last) = ranked(input);
    let (name, rest) = split(input, length);
    if let Some(&byte) = rest.first() {
        let extended = byte >= 0x80 || (byte == b'_' && policy.underscore_in_domain);
        if extended || (last == DOT && byte == b'-') || byte == b'.' {
            return extended_domain(input, policy);
        }
        // RFC 5321 §4.1.2: "In particular, the underscore character is not permitted."
        if byte == b'_' {
            return Fault::error(rest, SyntaxErrorKind::Domain);
        }
    }
    if last == DOT && length > 1 && policy.trailing_dot {
        // The byte before the dot is a letter or digit: no other pair has such ranks.
        let name = split(input, length - 1).0;
        return if is_too_long(name) {
            Fault::error(input, SyntaxErrorKind::DomainTooLong)
        } else {
            Ok((rest, Domain(name)))
        };
    }
    if last != LET_DIG {
        return Fault::error(rest, of_byte(rest, SyntaxErrorKind::Domain));
    }
    if length > limits::LABEL && is_too_long(name) {
        return Fault::error(input, SyntaxErrorKind::DomainTooLong);
    }
    Ok((rest, Domain(name)))
}

/// RFC 5321 §4.5.3.1.2 and RFC 1035 §2.3.4.
fn is_too_long(name: &[u8]) -> bool {
    name.len() > limits::DOMAIN || name.split(|&o| o == b'.').any(|l| l.len() > limits::LABEL)
}

/// The same with the additions of RFC 6531 §3.3, `sub-domain =/ U-label`, and those of the policy.
#[cold]
fn extended_domain<'i>(input: &'i [u8], policy: &Policy) -> IResult<'i, Domain<'i>> {
    let is_part = |byte: &u8| {
        RANK[usize::from(*byte)] < STOP
            || (*byte == b'_' && policy.underscore_in_domain)
            || *byte >= 0x80
    };
    let length = input.iter().position(|byte| !is_part(byte)).unwrap_or(input.len());
    let (name, rest) = split(input, length);
    let name = if policy.trailing_dot { name.strip_suffix(b".").unwrap_or(name) } else { name };
    if !name.is_ascii() && !policy.smtputf8 {
        let at = name.iter().position(|byte| *byte >= 0x80).unwrap_or_default();
        return Fault::error(split(input, at).1, unexpected_utf8(name));
    }
    if core::str::from_utf8(name).is_err() {
        return Fault::error(input, SyntaxErrorKind::NonAscii);
    }
    let mut at = 0;
    for label in name.split(|&byte| byte == b'.') {
        let is_label = !matches!(label, [] | [b'-', ..] | [.., b'-']);
        if !is_label || as_str(label).chars().any(is_disallowed) {
            return Fault::error(split(input, at).1, SyntaxErrorKind::Domain);
        }
        at += label.len() + 1;
    }
    if is_too_long(name) {
        return Fault::error(input, SyntaxErrorKind::DomainTooLong);
    }
    Ok((rest, Domain(name)))
}

/// The error for bytes above 127 where only US-ASCII is read: a valid address of RFC 6531 needs its
/// extension; other bytes are not text at all.
pub(super) fn unexpected_utf8(text: &[u8]) -> SyntaxErrorKind {
    if core::str::from_utf8(text).is_ok() {
        SyntaxErrorKind::NeedsSmtpUtf8
    } else {
        SyntaxErrorKind::NonAscii
    }
}

/// Returns `true` if a code point is in no U-label (RFC 5890 §2.3.2.1), judged by whole blocks.
///
/// RFC 5892 derives the exact set from the Unicode tables; these blocks hold no PVALID code point
/// that a registry delegates.
pub(crate) fn is_disallowed(character: char) -> bool {
    let code = u32::from(character);
    DISALLOWED.iter().any(|&(first, last)| (first..=last).contains(&code))
}

const DISALLOWED: [(u32, u32); 17] = [
    (0x0080, 0x00B6),     // controls, Latin-1 punctuation and symbols
    (0x00B8, 0x00BF),     // the same after MIDDLE DOT, which is CONTEXTO
    (0x00D7, 0x00D7),     // MULTIPLICATION SIGN
    (0x00F7, 0x00F7),     // DIVISION SIGN
    (0x2000, 0x200B),     // spaces; ZERO WIDTH NON-JOINER and JOINER, CONTEXTJ, follow
    (0x200E, 0x214D),     // marks, punctuation, super- and subscripts, currencies, letterlike
    (0x2150, 0x2183),     // number forms
    (0x2185, 0x2BFF),     // arrows to miscellaneous symbols
    (0x2E00, 0x2E2E),     // supplemental punctuation
    (0x2E30, 0x3004),     // the same, CJK radicals, IDEOGRAPHIC FULL STOP
    (0x3008, 0x3020),     // CJK brackets
    (0xD800, 0xF8FF),     // surrogates, private use
    (0xFE00, 0xFE1F),     // variation selectors, vertical forms
    (0xFE30, 0xFE6F),     // compatibility and small forms
    (0xFEFF, 0xFFFF),     // ZERO WIDTH NO-BREAK SPACE, half- and fullwidth forms, specials
    (0x1F000, 0x1FAFF),   // emoji
    (0xE0000, 0x10_FFFF), // tags, variation selectors, private use
];

/// The rank of a byte in a domain. Two neighbours whose ranks add up to more than [`WORST`] end it:
/// `..`, `.-`, `-.`, and any byte before one that a domain cannot have. The start counts as a dot.
static RANK: [u8; 256] = {
    let mut rank = [STOP; 256];
    let mut byte = 0;
    while byte < 128_u8 {
        if byte.is_ascii_alphanumeric() {
            rank[byte as usize] = LET_DIG;
        }
        byte += 1;
    }
    rank[b'-' as usize] = HYPHEN;
    rank[b'.' as usize] = DOT;
    rank
};
const LET_DIG: u8 = 0;
const HYPHEN: u8 = 1;
const DOT: u8 = 3;
const WORST: u8 = 3;
const STOP: u8 = 4;

/// The policy of the constructors: the grammar of RFC 6531, without leniencies.
pub(crate) const UTF8: Policy = Policy { smtputf8: true, ..Policy::STRICT };

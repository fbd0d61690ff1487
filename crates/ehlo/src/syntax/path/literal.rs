//! `address-literal`, RFC 5321 §4.1.3.

use core::cmp::Ordering;
use core::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use nom::Parser as _;
use nom::sequence::preceded;

use crate::syntax::encode::{Encode, Writer};
use crate::syntax::error::{SyntaxError, SyntaxErrorKind};
use crate::syntax::grammar::{
    DCONTENT, Fault, IResult, LDH, byte, display, hex_digit, run, split, try_from_str, whole,
};

const KIND: SyntaxErrorKind = SyntaxErrorKind::AddressLiteral;

/// An address in brackets: `[192.0.2.1]`, `[IPv6:2001:db8::1]`, `[tag:content]`.
///
/// Parsing follows RFC 5321's rules: "::" stands for at least two groups, and a number of an IPv4
/// address may have leading zeros. Encoding has one form: no leading zeros, lower case, the longest
/// row of zeros as "::".
///
/// ```
/// use core::net::{IpAddr, Ipv6Addr};
/// use ehlo::syntax::path::AddressLiteral;
///
/// let literal = AddressLiteral::new("[ipv6:0:0:0:0:0:0:0:1]")?;
/// assert_eq!(literal, AddressLiteral::from(IpAddr::V6(Ipv6Addr::LOCALHOST)));
/// assert_eq!(literal.to_string(), "[IPv6:::1]");
/// assert!(AddressLiteral::new("[IPv6:1:2:3:4:5:6:7::]").is_err());
/// # Ok::<(), ehlo::SyntaxError>(())
/// ```
#[doc(alias = "IP address")]
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum AddressLiteral<'a> {
    /// `IPv4-address-literal`.
    Ipv4(Ipv4Addr),
    /// `IPv6-address-literal`.
    Ipv6(Ipv6Addr),
    /// `General-address-literal`; its tag need not be registered.
    General(GeneralAddressLiteral<'a>),
}

impl<'a> AddressLiteral<'a> {
    /// The literal of this text, with its brackets.
    ///
    /// # Errors
    ///
    /// `AddressLiteral`, with the offset in `text`.
    pub fn new(text: &'a str) -> Result<Self, SyntaxError> {
        whole(text.as_bytes(), KIND, address_literal)
    }

    /// The IP address; `None` for a general literal.
    pub const fn ip(&self) -> Option<IpAddr> {
        match self {
            Self::Ipv4(address) => Some(IpAddr::V4(*address)),
            Self::Ipv6(address) => Some(IpAddr::V6(*address)),
            Self::General(_) => None,
        }
    }
}

try_from_str!(AddressLiteral, GeneralAddressLiteral);

impl From<IpAddr> for AddressLiteral<'_> {
    fn from(address: IpAddr) -> Self {
        match address {
            IpAddr::V4(address) => Self::Ipv4(address),
            IpAddr::V6(address) => Self::Ipv6(address),
        }
    }
}

impl core::fmt::Debug for AddressLiteral<'_> {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        core::fmt::Display::fmt(self, f)
    }
}

impl core::fmt::Display for AddressLiteral<'_> {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        display::<512>(self, f)
    }
}

impl Encode for AddressLiteral<'_> {
    fn write_to(&self, writer: &mut Writer<'_>) {
        writer.put(b"[");
        match self {
            Self::Ipv4(address) => write_ipv4(*address, writer),
            Self::Ipv6(address) => {
                writer.put(b"IPv6:");
                write_ipv6(*address, writer);
            }
            Self::General(general) => writer.put(general.0),
        }
        writer.put(b"]");
    }
}

/// `General-address-literal = Standardized-tag ":" 1*dcontent`, RFC 5321 §4.1.3.
///
/// The tag is never `IPv6`. Comparison ignores the case of tags, not that of content.
///
/// ```
/// use ehlo::syntax::path::GeneralAddressLiteral;
///
/// let literal = GeneralAddressLiteral::new("x400:c=us")?;
/// assert_eq!((literal.tag(), literal.content()), ("x400", "c=us"));
/// # Ok::<(), ehlo::SyntaxError>(())
/// ```
#[derive(Clone, Copy)]
pub struct GeneralAddressLiteral<'a>(&'a [u8]);

impl<'a> GeneralAddressLiteral<'a> {
    /// The literal of `tag:content`, without brackets.
    ///
    /// # Errors
    ///
    /// `AddressLiteral`, with the offset in `text`; also over 253 bytes, which do not fit in a
    /// path.
    pub fn new(text: &'a str) -> Result<Self, SyntaxError> {
        whole(text.as_bytes(), KIND, general_address_literal)
    }

    /// The part before the first colon.
    pub fn tag(&self) -> &'a str {
        crate::syntax::grammar::as_str(self.parts().0)
    }

    /// The part behind the first colon.
    pub fn content(&self) -> &'a str {
        crate::syntax::grammar::as_str(self.parts().1)
    }

    /// The whole literal without brackets.
    pub fn as_str(&self) -> &'a str {
        crate::syntax::grammar::as_str(self.0)
    }

    fn parts(&self) -> (&'a [u8], &'a [u8]) {
        let (tag, content) = split(self.0, run(self.0, &LDH));
        (tag, content.strip_prefix(b":").unwrap_or(content))
    }
}

impl PartialEq for GeneralAddressLiteral<'_> {
    fn eq(&self, other: &Self) -> bool {
        let ((tag, content), (other_tag, other_content)) = (self.parts(), other.parts());
        tag.eq_ignore_ascii_case(other_tag) && content == other_content
    }
}

impl Eq for GeneralAddressLiteral<'_> {}

impl PartialOrd for GeneralAddressLiteral<'_> {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

/// By tag without regard to case, then by content.
impl Ord for GeneralAddressLiteral<'_> {
    fn cmp(&self, other: &Self) -> Ordering {
        let ((tag, content), (other_tag, other_content)) = (self.parts(), other.parts());
        let lower = |byte: &u8| byte.to_ascii_lowercase();
        let tags = tag.iter().map(lower).cmp(other_tag.iter().map(lower));
        tags.then_with(|| content.cmp(other_content))
    }
}

impl core::hash::Hash for GeneralAddressLiteral<'_> {
    fn hash<H: core::hash::Hasher>(&self, state: &mut H) {
        self.parts().1.hash(state);
    }
}

impl core::fmt::Debug for GeneralAddressLiteral<'_> {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        core::fmt::Debug::fmt(crate::syntax::grammar::as_str(self.0), f)
    }
}

impl core::fmt::Display for GeneralAddressLiteral<'_> {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        f.pad(self.as_str())
    }
}

/// `address-literal = "[" ( IPv4-address-literal / IPv6-address-literal /
/// General-address-literal ) "]"`.
pub(crate) fn address_literal(input: &[u8]) -> IResult<'_, AddressLiteral<'_>> {
    let (inside, ()) = byte(b'[', KIND)(input)?;
    let (content, rest) = split(inside, run(inside, &DCONTENT));
    let (rest, ()) = byte(b']', KIND)(rest)?;
    let literal = match content.split_first_chunk::<5>() {
        // An IPv6 tag never starts a general literal.
        Some((tag, address)) if tag.eq_ignore_ascii_case(b"IPv6:") => {
            ipv6_addr(address).map(AddressLiteral::Ipv6)
        }
        _ => match ipv4_address_literal(content) {
            Some(address) => Some(AddressLiteral::Ipv4(address)),
            None => match general_address_literal(content) {
                Ok(([], general)) => Some(AddressLiteral::General(general)),
                _ => None,
            },
        },
    };
    match literal {
        Some(literal) => Ok((rest, literal)),
        None => Fault::error(inside, KIND),
    }
}

/// `General-address-literal = Standardized-tag ":" 1*dcontent`, `Standardized-tag = Ldh-str`.
fn general_address_literal(input: &[u8]) -> IResult<'_, GeneralAddressLiteral<'_>> {
    let (tag, after) = split(input, run(input, &LDH));
    if !tag.last().is_some_and(u8::is_ascii_alphanumeric) || tag.eq_ignore_ascii_case(b"IPv6") {
        return Fault::error(input, KIND);
    }
    let (rest, _) =
        preceded(byte(b':', KIND), |input| crate::syntax::grammar::many1(input, &DCONTENT, KIND))
            .parse(after)?;
    let literal = split(input, input.len().saturating_sub(rest.len())).0;
    if literal.len() > crate::syntax::limits::PATH {
        return Fault::error(input, SyntaxErrorKind::PathTooLong);
    }
    Ok((rest, GeneralAddressLiteral(literal)))
}

/// `IPv4-address-literal = Snum 3("."  Snum)`; all of `text`.
pub(crate) fn ipv4_address_literal(text: &[u8]) -> Option<Ipv4Addr> {
    let mut parts = text.split(|&byte| byte == b'.');
    let mut numbers = [0; 4];
    for number in &mut numbers {
        *number = snum(parts.next()?)?;
    }
    parts.next().is_none().then(|| Ipv4Addr::from(numbers))
}

/// `Snum = 1*3DIGIT ; representing a decimal integer value in the range 0 through 255`.
fn snum(text: &[u8]) -> Option<u8> {
    let mut number = 0_u16;
    for digit in text {
        if !digit.is_ascii_digit() {
            return None;
        }
        number = number.checked_mul(10)?.checked_add(u16::from(digit - b'0'))?;
    }
    if matches!(text.len(), 1..=3) { u8::try_from(number).ok() } else { None }
}

/// `IPv6-addr = IPv6-full / IPv6-comp / IPv6v4-full / IPv6v4-comp`; all of `text`.
pub(crate) fn ipv6_addr(text: &[u8]) -> Option<Ipv6Addr> {
    let mut groups = Groups::default();
    let mut rest = text;
    if let [b':', b':', after @ ..] = rest {
        groups.gap = Some(0);
        rest = after;
        if rest.is_empty() {
            return groups.address();
        }
    }
    loop {
        let (hex, after) = split(rest, rest.iter().take_while(|o| o.is_ascii_hexdigit()).count());
        if after.first() == Some(&b'.') {
            let [a, b, c, d] = ipv4_address_literal(rest)?.octets();
            groups.push(u16::from_be_bytes([a, b]))?;
            groups.push(u16::from_be_bytes([c, d]))?;
            return groups.address();
        }
        // `IPv6-hex = 1*4HEXDIG`
        if !matches!(hex.len(), 1..=4) {
            return None;
        }
        groups.push(hex.iter().fold(0, |n, &o| (n << 4) | u16::from(hex_digit(o).unwrap_or(0))))?;
        match after {
            [] => return groups.address(),
            [b':', b':', after @ ..] if groups.gap.is_none() => {
                groups.gap = Some(groups.count);
                rest = after;
                if rest.is_empty() {
                    return groups.address();
                }
            }
            [b':', after @ ..] => rest = after,
            _ => return None,
        }
    }
}

/// The groups of an IPv6 address during parsing, and the place of its "::".
#[derive(Default)]
struct Groups {
    read: [u16; 8],
    count: usize,
    gap: Option<usize>,
}

impl Groups {
    fn push(&mut self, group: u16) -> Option<()> {
        *self.read.get_mut(self.count)? = group;
        self.count += 1;
        Some(())
    }

    fn address(self) -> Option<Ipv6Addr> {
        let gap = match self.gap {
            None if self.count == 8 => 8,
            // RFC 5321 §4.1.3: "The "::" represents at least 2 16-bit groups of zeros."
            Some(gap) if self.count <= 6 => gap,
            _ => return None,
        };
        let mut segments = [0; 8];
        for (i, group) in self.read.into_iter().take(self.count).enumerate() {
            let at = if i < gap { i } else { i + 8 - self.count };
            *segments.get_mut(at)? = group;
        }
        Some(Ipv6Addr::from(segments))
    }
}

pub(crate) fn write_ipv4(address: Ipv4Addr, writer: &mut Writer<'_>) {
    let [a, b, c, d] = address.octets();
    writer.put_number(u64::from(a));
    for number in [b, c, d] {
        writer.put_byte(b'.');
        writer.put_number(u64::from(number));
    }
}

/// The form of RFC 5952 §4; its "::", too, stands for at least two groups.
pub(crate) fn write_ipv6(address: Ipv6Addr, writer: &mut Writer<'_>) {
    if let Some(mapped) = address.to_ipv4_mapped() {
        writer.put(b"::ffff:");
        return write_ipv4(mapped, writer);
    }
    let (mut gap, mut gap_length, mut length) = (8, 1, 0);
    for (i, group) in address.segments().into_iter().enumerate() {
        length = if group == 0 { length + 1 } else { 0 };
        if length > gap_length {
            (gap, gap_length) = (i + 1 - length, length);
        }
    }
    for (i, group) in address.segments().into_iter().enumerate() {
        if i == gap {
            writer.put(b"::");
        } else if i < gap || i >= gap + gap_length {
            if i > 0 && i != gap + gap_length {
                writer.put(b":");
            }
            write_hex(group, writer);
        }
    }
}

fn write_hex(group: u16, writer: &mut Writer<'_>) {
    for shift in [12, 8, 4, 0] {
        if group >> shift != 0 || shift == 0 {
            let digit = (group >> shift) & 15;
            // A digit is below 16.
            writer.put_byte(if digit < 10 { b'0' + digit as u8 } else { b'a' + digit as u8 - 10 });
        }
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)] // a test fails by panicking
mod tests {
    use super::*;

    #[test]
    fn an_ipv6_address_is_written_as_the_standard_library_does() {
        for groups in 0..=u8::MAX {
            let mut segments = [0; 8];
            for (i, segment) in segments.iter_mut().enumerate() {
                *segment = u16::from(groups >> i & 1) * 0xa0b;
            }
            let address = Ipv6Addr::from(segments);
            let mut out = [0; 64];
            let mut writer = Writer::new(&mut out);
            write_ipv6(address, &mut writer);
            let written = writer.finish().unwrap();
            let text = core::str::from_utf8(&out[..written]).unwrap();
            assert_eq!(text.parse::<Ipv6Addr>().unwrap(), address);
            assert_eq!(ipv6_addr(text.as_bytes()), Some(address));
        }
    }

    #[test]
    fn general_literal_with_an_ipv6_tag_is_none() {
        assert!(GeneralAddressLiteral::new("ipV6:x").is_err());
        assert!(AddressLiteral::new("[IPv6:x]").is_err());
        assert!(AddressLiteral::new("[IPv7:x]").is_ok());
    }
}

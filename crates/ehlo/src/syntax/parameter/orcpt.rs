//! ORCPT=, RFC 3461 §4.2, with the address type `utf-8` of RFC 6533 §3.

use super::xtext::{Coding, DecodedXtext, embedded_unicode_char, encoded1};
use super::{KIND, marks};
use crate::syntax::encode::{Encode, Writer};
use crate::syntax::error::SyntaxError;
use crate::syntax::grammar::{
    ADDR_TYPE, Fault, IResult, QCHAR, after_literal, as_str, escape, many1, run, split, whole,
};
use crate::syntax::path::UTF8;
use crate::syntax::policy::Policy;

/// ORCPT=: the recipient as the sender first named it, RFC 3461 §4.2.
///
/// `original-recipient-address = addr-type ";" xtext`. An address of type `utf-8` has the coding of
/// RFC 6533 §3 instead: `utf-8-addr-xtext`, or `utf-8-addr-unitext` under SMTPUTF8. At most 500
/// characters in all. Comparison ignores the case of types and compares decoded addresses.
///
/// ```
/// use ehlo::Encode;
/// use ehlo::syntax::parameter::Orcpt;
///
/// let orcpt = Orcpt::new("rfc822", "a+b@example.com")?;
/// let mut out = [0; 32];
/// let written = orcpt.encode(&mut out)?;
/// assert_eq!(&out[..written], b"rfc822;a+2Bb@example.com");
/// assert_eq!(orcpt, Orcpt::from_encoded("RFC822;a+2Bb@example.com")?);
///
/// let orcpt = Orcpt::from_encoded(r"utf-8;pel\x{E9}@example.com")?;
/// let address: Vec<u8> = orcpt.address().collect();
/// assert_eq!(address, "pelé@example.com".as_bytes());
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[doc(alias = "DSN")]
#[doc(alias = "original recipient")]
#[derive(Clone, Copy)]
pub struct Orcpt<'a> {
    addr_type: &'a [u8],
    address: &'a [u8],
    coding: Coding,
}

impl<'a> Orcpt<'a> {
    /// The plain address `address` of the type `addr_type`.
    ///
    /// # Errors
    ///
    /// `ParameterValue` when the type is no atom, the address is empty or holds a control byte, or
    /// both together are too long once encoded.
    pub fn new(addr_type: &'a str, address: &'a str) -> Result<Self, SyntaxError> {
        let addr_type = whole(addr_type.as_bytes(), KIND, |input| many1(input, &ADDR_TYPE, KIND))?;
        let bad = address.is_empty() || address.bytes().any(|byte| byte.is_ascii_control());
        let orcpt = Self { addr_type, address: address.as_bytes(), coding: Coding::Plain };
        if bad || orcpt.encoded_len() > MAX {
            return Err(SyntaxError { kind: KIND, offset: 0 });
        }
        Ok(orcpt)
    }

    /// The address that `text` encodes, with its type in front.
    ///
    /// # Errors
    ///
    /// `ParameterValue`, with the offset in `text`.
    pub fn from_encoded(text: &'a str) -> Result<Self, SyntaxError> {
        whole(text.as_bytes(), KIND, |input| orcpt(input, &UTF8))
    }

    /// The type of the address, for instance `rfc822`.
    pub fn addr_type(&self) -> &'a str {
        as_str(self.addr_type)
    }

    /// The bytes of the address, decoded.
    pub fn address(&self) -> DecodedXtext<'a> {
        DecodedXtext::new(self.address, self.coding)
    }

    /// Writes the decoded address to the front of `out`; `None` when it does not fit.
    pub fn decode_address<'o>(&self, out: &'o mut [u8]) -> Option<&'o [u8]> {
        self.address().copy_to(out)
    }

    /// Returns `true` if it needs no SMTPUTF8.
    pub fn is_ascii(&self) -> bool {
        // Only RFC 6533 has bytes above 127 in an address.
        self.coding != Coding::Utf8Addr || self.address.is_ascii()
    }

    /// The marks that it adds to the set of those seen.
    pub(super) fn marks(&self) -> u32 {
        if self.is_ascii() { 0 } else { marks::UTF8 }
    }

    fn is_utf8(&self) -> bool {
        self.addr_type.eq_ignore_ascii_case(b"utf-8")
    }
}

impl PartialEq for Orcpt<'_> {
    fn eq(&self, other: &Self) -> bool {
        self.addr_type.eq_ignore_ascii_case(other.addr_type) && self.address().eq(other.address())
    }
}

impl Eq for Orcpt<'_> {}

impl core::hash::Hash for Orcpt<'_> {
    fn hash<H: core::hash::Hasher>(&self, state: &mut H) {
        self.address().for_each(|byte| state.write_u8(byte));
        state.write_u8(0xFF);
    }
}

impl core::fmt::Debug for Orcpt<'_> {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        write!(f, "{};", as_str(self.addr_type))?;
        escape(as_str(self.address), f)
    }
}

impl Encode for Orcpt<'_> {
    fn write_to(&self, writer: &mut Writer<'_>) {
        writer.put(self.addr_type);
        writer.put(b";");
        if self.coding != Coding::Plain {
            writer.put(self.address);
        } else if self.is_utf8() {
            as_str(self.address).chars().for_each(|character| write_char(character, writer));
        } else if let Ok(xtext) = super::Xtext::new(as_str(self.address)) {
            xtext.write_to(writer);
        }
    }
}

/// `utf-8-addr-xtext = 1*(QCHAR / EmbeddedUnicodeChar)`, RFC 6533 §3: one character of it.
fn write_char(character: char, writer: &mut Writer<'_>) {
    let code = u32::from(character);
    match u8::try_from(code) {
        Ok(byte) if QCHAR[usize::from(byte)] => writer.put_byte(byte),
        _ => {
            writer.put(b"\\x{");
            let [_, bytes @ ..] = code.to_be_bytes();
            let mut started = false;
            for (i, byte) in bytes.into_iter().enumerate() {
                if byte >> 4 != 0 || started || i == 2 {
                    super::xtext::write_hex(byte, writer);
                    started = true;
                } else if byte != 0 {
                    // A digit is below 16.
                    let digit = byte & 15;
                    writer.put_byte(if digit < 10 { b'0' + digit } else { b'A' + (digit - 10) });
                    started = true;
                }
            }
            writer.put(b"}");
        }
    }
}

/// `original-recipient-address = addr-type ";" xtext`, `addr-type = atom`.
pub(super) fn orcpt<'i>(input: &'i [u8], policy: &Policy) -> IResult<'i, Orcpt<'i>> {
    let (addr_type, address) = match after_literal(input, b"rfc822;") {
        Some(address) => (split(input, 6).0, address),
        None => other_addr_type(input)?,
    };
    let (rest, coding) = if addr_type.len() == 5 && addr_type.eq_ignore_ascii_case(b"utf-8") {
        (utf8_enc_addr(address, policy.smtputf8)?.0, Coding::Utf8Addr)
    } else {
        (encoded1(address)?.0, Coding::Xtext)
    };
    // RFC 3461 §4.2: at most 500 characters.
    if input.len() - rest.len() > MAX {
        return Fault::error(split(input, MAX).1, KIND);
    }
    let address = split(address, address.len().saturating_sub(rest.len())).0;
    Ok((rest, Orcpt { addr_type, address, coding }))
}

/// `addr-type ";"`, and the input behind it.
fn other_addr_type(input: &[u8]) -> Result<(&[u8], &[u8]), nom::Err<Fault<'_>>> {
    let (rest, addr_type) = many1(input, &ADDR_TYPE, KIND)?;
    match rest {
        [b';', address @ ..] => Ok((addr_type, address)),
        _ => Err(nom::Err::Error(Fault { rest, kind: KIND })),
    }
}

/// `utf-8-enc-addr = utf-8-addr-xtext / utf-8-addr-unitext / utf-8-address`, RFC 6533 §3.
fn utf8_enc_addr(input: &[u8], utf8: bool) -> IResult<'_, ()> {
    let mut rest = input;
    let mut is_ascii = true;
    loop {
        rest = split(rest, run(rest, &QCHAR)).1;
        rest = match rest {
            [b'\\', ..] => embedded_unicode_char(rest)?.0,
            [128..=255, after @ ..] if utf8 => {
                is_ascii = false;
                after
            }
            _ => break,
        };
    }
    let text = split(input, input.len() - rest.len()).0;
    if text.is_empty() || (!is_ascii && core::str::from_utf8(text).is_err()) {
        return Fault::error(rest, KIND);
    }
    Ok((rest, ()))
}

const MAX: usize = 500;

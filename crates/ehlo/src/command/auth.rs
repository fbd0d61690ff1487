//! The arguments of AUTH, RFC 4954 §4.

use crate::grammar::{Fault, IResult, MECH_CHAR, as_str, base64, many1, whole};
use crate::sasl::{decoded, encoded};
use crate::{Encode, SyntaxError, SyntaxErrorKind, Writer, limits};

/// The name of a SASL mechanism: `sasl-mech = 1*20mech-char`, RFC 4422 §3.1.
///
/// Read in any case, compared without case, written in upper case.
///
/// ```
/// use ehlo::Mechanism;
///
/// assert_eq!(Mechanism::new("scram-sha-256")?, Mechanism::new("SCRAM-SHA-256")?);
/// assert_eq!(Mechanism::new("plain")?.to_string(), "PLAIN");
/// assert!(Mechanism::new("").is_err());
/// assert!(Mechanism::new("ECDSA-NIST256P-CHALLENGE").is_err());
/// # Ok::<(), ehlo::SyntaxError>(())
/// ```
#[derive(Clone, Copy)]
pub struct Mechanism<'a>(&'a [u8]);

impl<'a> Mechanism<'a> {
    /// The mechanism of this name.
    ///
    /// # Errors
    ///
    /// `Mechanism`, with the offset in `name`.
    pub fn new(name: &'a str) -> Result<Self, SyntaxError> {
        whole(name.as_bytes(), SyntaxErrorKind::Mechanism, sasl_mech)
    }

    /// The name as it was written.
    pub fn as_str(&self) -> &'a str {
        as_str(self.0)
    }
}

impl PartialEq for Mechanism<'_> {
    fn eq(&self, other: &Self) -> bool {
        self.0.eq_ignore_ascii_case(other.0)
    }
}

impl Eq for Mechanism<'_> {}

impl core::hash::Hash for Mechanism<'_> {
    fn hash<H: core::hash::Hasher>(&self, state: &mut H) {
        self.0.iter().for_each(|octet| state.write_u8(octet.to_ascii_uppercase()));
        state.write_u8(0xFF);
    }
}

impl core::fmt::Debug for Mechanism<'_> {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        core::fmt::Debug::fmt(self.as_str(), f)
    }
}

impl core::fmt::Display for Mechanism<'_> {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        crate::grammar::display::<20>(self, f)
    }
}

impl Encode for Mechanism<'_> {
    fn write_to(&self, writer: &mut Writer<'_>) {
        self.0.iter().for_each(|octet| writer.put_octet(octet.to_ascii_uppercase()));
    }
}

/// `sasl-mech = 1*20mech-char`.
pub(crate) fn sasl_mech(input: &[u8]) -> IResult<'_, Mechanism<'_>> {
    let (rest, name) = many1(input, &MECH_CHAR, SyntaxErrorKind::Mechanism)?;
    if name.len() > 20 {
        return Fault::error(input, SyntaxErrorKind::Mechanism);
    }
    Ok((rest, Mechanism(name)))
}

/// `initial-response = base64 / "="`, RFC 4954 §8: what a client says before it is asked.
///
/// Made from octets, which are encoded as they are written, or from the wire. Compared by what it
/// means. `Debug` shows nothing of it.
///
/// ```
/// use ehlo::{Encode, InitialResponse};
///
/// let response = InitialResponse::new(b"\0test\x001234")?;
/// let mut out = [0; 32];
/// let written = response.encode(&mut out)?;
/// assert_eq!(&out[..written], b"AHRlc3QAMTIzNA==");
/// assert_eq!(response, InitialResponse::from_base64("AHRlc3QAMTIzNA==")?);
/// assert_eq!(InitialResponse::new(b"")?, InitialResponse::EMPTY);
/// assert_eq!(format!("{response:?}"), "<redacted>");
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, Copy)]
pub struct InitialResponse<'a> {
    octets: &'a [u8],
    is_base64: bool,
}

impl<'a> InitialResponse<'a> {
    /// The response of no octets, `=`.
    pub const EMPTY: Self = Self { octets: &[], is_base64: false };

    /// The response of these octets.
    ///
    /// # Errors
    ///
    /// `LineTooLong` when the command line would be over 12 288 octets. RFC 4954 §4 wants it under
    /// 512 besides: "it MUST NOT use the initial response parameter" otherwise.
    pub const fn new(octets: &'a [u8]) -> Result<Self, SyntaxError> {
        if octets.len() > MAX {
            return Err(SyntaxError { kind: SyntaxErrorKind::LineTooLong, offset: MAX });
        }
        Ok(Self { octets, is_base64: false })
    }

    /// The response that `text` is on the wire: base64, or `=`.
    ///
    /// # Errors
    ///
    /// `Base64`, with the offset in `text`; `LineTooLong`.
    pub fn from_base64(text: &'a str) -> Result<Self, SyntaxError> {
        if text.len() > MAX / 3 * 4 {
            return Err(SyntaxError { kind: SyntaxErrorKind::LineTooLong, offset: MAX });
        }
        whole(text.as_bytes(), SyntaxErrorKind::Base64, initial_response)
    }

    /// The octets that it means.
    pub fn octets(&self) -> impl Iterator<Item = u8> + use<'a> {
        let (base64, plain): (&[u8], &[u8]) =
            if self.is_base64 { (self.octets, &[]) } else { (&[], self.octets) };
        let decoded = base64.chunks(4).flat_map(|digits| {
            let (octets, length) = decoded(digits);
            octets.into_iter().take(length)
        });
        decoded.chain(plain.iter().copied())
    }

    /// Writes the octets that it means to the front of `out`; `None` when they do not fit.
    pub fn decode<'o>(&self, out: &'o mut [u8]) -> Option<&'o [u8]> {
        let mut length = 0;
        for octet in self.octets() {
            *out.get_mut(length)? = octet;
            length += 1;
        }
        out.get(..length)
    }
}

impl PartialEq for InitialResponse<'_> {
    fn eq(&self, other: &Self) -> bool {
        self.octets().eq(other.octets())
    }
}

impl Eq for InitialResponse<'_> {}

impl core::hash::Hash for InitialResponse<'_> {
    fn hash<H: core::hash::Hasher>(&self, state: &mut H) {
        self.octets().for_each(|octet| state.write_u8(octet));
        state.write_u8(0xFF);
    }
}

impl core::fmt::Debug for InitialResponse<'_> {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        f.write_str("<redacted>")
    }
}

impl Encode for InitialResponse<'_> {
    fn write_to(&self, writer: &mut Writer<'_>) {
        if self.is_base64 {
            writer.put(self.octets);
        } else if self.octets.is_empty() {
            writer.put(b"=");
        } else {
            self.octets.chunks(3).for_each(|chunk| writer.put(&encoded(chunk)));
        }
    }
}

/// `initial-response = base64 / "="`.
pub(crate) fn initial_response(input: &[u8]) -> IResult<'_, InitialResponse<'_>> {
    if let [b'=', rest @ ..] = input {
        return Ok((rest, InitialResponse::EMPTY));
    }
    let (rest, octets) = base64(input, SyntaxErrorKind::Base64)?;
    Ok((rest, InitialResponse { octets, is_base64: true }))
}

/// Octets whose base64 fits in a line with `AUTH`, a mechanism of 20 characters and CRLF.
const MAX: usize = (limits::AUTH_LINE - 28) / 4 * 3;

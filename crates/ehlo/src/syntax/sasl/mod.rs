//! The lines of an authentication exchange, RFC 4954 §4, and the names of the mechanisms.
//!
//! The crate [`ehlo-sasl`](https://docs.rs/ehlo-sasl) has the mechanisms, and the exchanges that
//! connect them to the machines.

mod mechanism;

use base64::Engine;
use base64::engine::general_purpose::{GeneralPurpose, GeneralPurposeConfig, STANDARD};

pub use mechanism::{Mechanisms, MechanismsIter, SaslMechanism};

use crate::syntax::encode::{BufferTooSmall, Encode, Writer};
use crate::syntax::error::{SyntaxError, SyntaxErrorKind};
use crate::syntax::grammar::{self, IResult, run};
use crate::syntax::limits;

/// A message of a SASL exchange: bytes, in base64 on the wire.
///
/// It holds either base64 that was received or bytes to send. Two values are equal when they
/// represent the same bytes. `Debug` shows the length alone.
///
/// ```
/// use ehlo::Encode;
/// use ehlo::syntax::sasl::SaslData;
///
/// let data = SaslData::parse(b"AGFubmEAc2VjcmV0")?;
/// let mut out = [0; 32];
/// let decoded = data.decode(&mut out)?;
/// assert_eq!(&out[..decoded], b"\0anna\0secret");
///
/// let written = SaslData::new(b"\0anna\0secret").encode(&mut out)?;
/// assert_eq!(&out[..written], b"AGFubmEAc2VjcmV0");
/// # Ok::<(), Box<dyn core::error::Error>>(())
/// ```
#[derive(Clone, Copy)]
pub struct SaslData<'a>(Form<'a>);

#[derive(Clone, Copy)]
enum Form<'a> {
    /// Canonical base64.
    Base64(&'a [u8]),
    Bytes(&'a [u8]),
}

impl<'a> SaslData<'a> {
    /// No bytes.
    pub const EMPTY: Self = Self(Form::Bytes(&[]));

    /// These bytes.
    pub const fn new(bytes: &'a [u8]) -> Self {
        Self(Form::Bytes(bytes))
    }

    /// The bytes that `base64` represents; an empty slice represents no bytes.
    ///
    /// `base64 = base64-terminal / ( 1*(4base64-char) [base64-terminal] )`
    ///
    /// # Errors
    ///
    /// [`SyntaxErrorKind::Base64`] at the first byte that is out of place: one that is not base64,
    /// `=` before the end, missing padding, or bits behind the last byte that are not zero.
    pub fn parse(base64: &'a [u8]) -> Result<Self, SyntaxError> {
        if base64.is_empty() {
            return Ok(Self::EMPTY);
        }
        let digits = run(base64, &grammar::BASE64);
        let fault = |offset| Err(SyntaxError { kind: KIND, offset });
        let Ok(([], text)) = grammar::base64(base64, KIND) else { return fault(digits) };
        let data = Self(Form::Base64(text));
        if data.is_canonical() { Ok(data) } else { fault(digits.saturating_sub(1)) }
    }

    /// Returns `true` if the bits behind the last byte are zero, as RFC 4648 §3.5 requires of an
    /// encoder.
    ///
    /// The initial response of a parsed AUTH command may be an exception, because the grammar of
    /// RFC 4954 does not require zeros; every other value is canonical.
    pub fn is_canonical(&self) -> bool {
        // The last four digits decide.
        let Form::Base64([.., a, b, c, d]) = self.0 else { return true };
        STANDARD.decode_slice([*a, *b, *c, *d], &mut [0; 3]).is_ok()
    }

    /// An initial response, in which `=` represents no bytes. RFC 4954 §8:
    /// `initial-response = base64 / "="`.
    ///
    /// # Errors
    ///
    /// Those of [`parse`](Self::parse), and [`SyntaxErrorKind::Base64`] for an empty word.
    pub fn parse_initial(word: &'a [u8]) -> Result<Self, SyntaxError> {
        match word {
            [] => Err(SyntaxError { kind: SyntaxErrorKind::Base64, offset: 0 }),
            b"=" => Ok(Self(Form::Base64(&[]))),
            _ => Self::parse(word),
        }
    }

    /// The number of bytes that [`decode`](Self::decode) writes.
    pub fn decoded_len(&self) -> usize {
        match self.0 {
            Form::Bytes(bytes) => bytes.len(),
            Form::Base64(base64) => {
                let padding = base64.iter().rev().take_while(|&&byte| byte == b'=').count();
                (base64.len() / 4).saturating_mul(3).saturating_sub(padding)
            }
        }
    }

    /// Returns `true` if it represents no bytes.
    pub const fn is_empty(&self) -> bool {
        match self.0 {
            Form::Bytes(bytes) | Form::Base64(bytes) => bytes.is_empty(),
        }
    }

    /// Writes the bytes to the front of `out` and returns their number.
    ///
    /// # Errors
    ///
    /// [`BufferTooSmall`] when the bytes do not fit; the content of `out` is then unspecified.
    pub fn decode(&self, out: &mut [u8]) -> Result<usize, BufferTooSmall> {
        let mut writer = Writer::new(out);
        self.for_each_piece(|bytes| writer.put(bytes));
        writer.finish()
    }

    /// Appends the word that an AUTH command has for an initial response: `=` for no bytes.
    pub fn write_initial(&self, writer: &mut Writer<'_>) {
        if self.is_empty() {
            writer.put_byte(b'=');
        } else {
            self.write_to(writer);
        }
    }

    /// Passes the bytes to `take`, in order, piece by piece.
    fn for_each_piece(&self, mut take: impl FnMut(&[u8])) {
        match self.0 {
            Form::Bytes(bytes) => take(bytes),
            Form::Base64(base64) => base64.chunks(BLOCK / 3 * 4).for_each(|digits| {
                let mut bytes = [0; BLOCK];
                // The constructor checked the base64, so every four digits of it are valid.
                let length = BASE64.decode_slice(digits, &mut bytes).unwrap_or_default();
                take(bytes.get(..length).unwrap_or_default());
            }),
        }
    }
}

/// These bytes, as [`SaslData::new`] takes them.
impl<'a> From<&'a [u8]> for SaslData<'a> {
    fn from(bytes: &'a [u8]) -> Self {
        Self::new(bytes)
    }
}

impl<'a> From<&'a str> for SaslData<'a> {
    fn from(text: &'a str) -> Self {
        Self::new(text.as_bytes())
    }
}

/// The base64, without a CRLF.
impl Encode for SaslData<'_> {
    fn write_to(&self, writer: &mut Writer<'_>) {
        match self.0 {
            Form::Base64(base64) => writer.put(base64),
            Form::Bytes(bytes) => {
                bytes.chunks(BLOCK).for_each(|bytes| {
                    let mut digits = [0; BLOCK / 3 * 4];
                    let length = BASE64.encode_slice(bytes, &mut digits).unwrap_or_default();
                    writer.put(digits.get(..length).unwrap_or_default());
                });
            }
        }
    }
}

impl PartialEq for SaslData<'_> {
    fn eq(&self, other: &Self) -> bool {
        match (self.0, other.0) {
            (Form::Bytes(a), Form::Bytes(b)) => a == b,
            (Form::Base64(base64), Form::Bytes(bytes))
            | (Form::Bytes(bytes), Form::Base64(base64)) => {
                let mut rest = Some(bytes);
                Self(Form::Base64(base64)).for_each_piece(|piece| {
                    rest = rest.and_then(|rest| rest.strip_prefix(piece));
                });
                rest.is_some_and(<[u8]>::is_empty)
            }
            // Two forms of the same bytes can differ in leftover bits alone.
            (Form::Base64(a), Form::Base64(b)) => {
                let mut same = a.len() == b.len();
                for (a, b) in a.chunks(BLOCK / 3 * 4).zip(b.chunks(BLOCK / 3 * 4)) {
                    let (mut bytes, mut others) = ([0; BLOCK], [0; BLOCK]);
                    let length = BASE64.decode_slice(a, &mut bytes).ok();
                    same &= length == BASE64.decode_slice(b, &mut others).ok() && bytes == others;
                }
                same
            }
        }
    }
}

impl Eq for SaslData<'_> {}

impl core::fmt::Debug for SaslData<'_> {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        write!(f, "SaslData(redacted, {} bytes)", self.decoded_len())
    }
}

impl core::hash::Hash for SaslData<'_> {
    fn hash<H: core::hash::Hasher>(&self, state: &mut H) {
        self.for_each_piece(|bytes| bytes.iter().for_each(|byte| state.write_u8(*byte)));
        state.write_u8(0xFF);
    }
}

/// A server's challenge, the text of a 334. RFC 4954 §8: `continue-req = "334" SP [base64] CRLF`.
///
/// ```
/// use ehlo::{Encode, Parsed, Policy, Reply};
/// use ehlo::syntax::sasl::{Challenge, SaslData};
///
/// let mut out = [0; 32];
/// let written = Challenge(SaslData::new(b"Username:")).encode(&mut out)?;
/// assert_eq!(&out[..written], b"334 VXNlcm5hbWU6\r\n");
///
/// let Parsed::Complete { value, .. } = Reply::parse(&out[..written], &Policy::STRICT)? else {
///     panic!()
/// };
/// assert_eq!(Challenge::from_reply(&value)?.0, SaslData::new(b"Username:"));
/// # Ok::<(), Box<dyn core::error::Error>>(())
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Challenge<'a>(pub SaslData<'a>);

impl<'a> Challenge<'a> {
    /// The challenge in a 334.
    ///
    /// # Errors
    ///
    /// [`SyntaxErrorKind::Base64`] when the text is not base64, or the reply has more than one line. The
    /// client must then answer [`Response::Cancel`], RFC 4954 §4.
    pub fn from_reply(reply: &crate::syntax::reply::Reply<'a>) -> Result<Self, SyntaxError> {
        let mut lines = reply.lines();
        let text = lines.next().unwrap_or_default();
        if lines.next().is_some() {
            return Err(SyntaxError { kind: SyntaxErrorKind::Base64, offset: text.len() });
        }
        SaslData::parse(text).map(Self)
    }
}

impl<'a> From<SaslData<'a>> for Challenge<'a> {
    fn from(data: SaslData<'a>) -> Self {
        Self(data)
    }
}

/// The reply line with its CRLF.
impl Encode for Challenge<'_> {
    fn write_to(&self, writer: &mut Writer<'_>) {
        // RFC 4954 §4: the space stands there even if the challenge is empty.
        writer.put(b"334 ");
        self.0.write_to(writer);
        writer.put(b"\r\n");
    }
}

/// A client's answer to a [`Challenge`]: one line. RFC 4954 §4.
///
/// ```
/// use ehlo::syntax::sasl::{Response, SaslData};
///
/// assert_eq!(Response::parse(b"*")?, Response::Cancel);
/// assert_eq!(Response::parse(b"YW5uYQ==")?, Response::Data(SaslData::new(b"anna")));
/// assert!(Response::parse(b"YW5uYQ=").is_err());
/// # Ok::<(), ehlo::SyntaxError>(())
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Response<'a> {
    /// The bytes that the mechanism sends.
    Data(SaslData<'a>),
    /// `*`: the client gives up, and the server answers 501.
    Cancel,
}

impl<'a> Response<'a> {
    /// The answer in a line without its CRLF. An empty line and `=` both represent no bytes.
    ///
    /// # Errors
    ///
    /// [`SyntaxErrorKind::Base64`], or [`SyntaxErrorKind::AuthLineTooLong`] for a line of more
    /// than [`limits::AUTH_LINE`] bytes with its CRLF.
    pub fn parse(line: &'a [u8]) -> Result<Self, SyntaxError> {
        // RFC 4954 §4: "12288 octets is considered to be a sufficient line length limit for handling
        // of deployed authentication mechanisms."
        let most = limits::AUTH_LINE - 2;
        if line.len() > most {
            return Err(SyntaxError { kind: SyntaxErrorKind::AuthLineTooLong, offset: most });
        }
        Self::parse_any_length(line)
    }

    /// As [`parse`](Self::parse), for a line of any length.
    pub(crate) fn parse_any_length(line: &'a [u8]) -> Result<Self, SyntaxError> {
        match line {
            b"*" => Ok(Self::Cancel),
            // RFC 4954 §4 has "=" for an initial response of zero length. Some clients send it as a
            // response, too, where it has no other meaning.
            b"=" => Ok(Self::Data(SaslData::EMPTY)),
            _ => SaslData::parse(line).map(Self::Data),
        }
    }
}

impl<'a> From<SaslData<'a>> for Response<'a> {
    fn from(data: SaslData<'a>) -> Self {
        Self::Data(data)
    }
}

/// The line with its CRLF.
impl Encode for Response<'_> {
    fn write_to(&self, writer: &mut Writer<'_>) {
        match self {
            Self::Data(data) => data.write_to(writer),
            Self::Cancel => writer.put_byte(b'*'),
        }
        writer.put(b"\r\n");
    }
}

/// `initial-response = base64 / "="`, RFC 4954 §8, as the grammar has it.
pub(crate) fn initial_response(input: &[u8]) -> IResult<'_, SaslData<'_>> {
    if let [b'=', rest @ ..] = input {
        return Ok((rest, SaslData(Form::Base64(&[]))));
    }
    let (rest, base64) = grammar::base64(input, KIND)?;
    Ok((rest, SaslData(Form::Base64(base64))))
}

const KIND: SyntaxErrorKind = SyntaxErrorKind::Base64;

/// [`SaslData::is_canonical`] judges leftover bits.
const BASE64: GeneralPurpose = GeneralPurpose::new(
    &base64::alphabet::STANDARD,
    GeneralPurposeConfig::new().with_decode_allow_trailing_bits(true),
);

/// The number of bytes that are decoded or encoded at once.
const BLOCK: usize = 48;

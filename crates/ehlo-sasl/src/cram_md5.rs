//! CRAM-MD5, RFC 2195.

use hmac::{Hmac, Mac as _};
use md5::Md5;

use crate::client::written;
use crate::client::{ClientFailure, ClientMechanism};
use crate::credentials::{Credentials, CredentialsError, Proof, identity};
use crate::secret::StoredSecret;
use crate::server::{MALFORMED, decoded, text};
use crate::server::{ServerFailure, ServerMechanism, ServerTurn};
use ehlo::syntax::command::Mechanism;
use ehlo::syntax::sasl::{SaslData, SaslMechanism};

/// A client of CRAM-MD5, RFC 2195: it sends the name and a digest of the challenge, keyed with the
/// password.
///
/// ```
/// use ehlo_sasl::{ClientMechanism, CramMd5Client, Credentials};
///
/// let tim = Credentials::password("tim", "tanstaaftanstaaf")?;
/// let mut client = CramMd5Client::new(&tim).unwrap();
/// let mut buffer = [0; 64];
/// let challenge = b"<1896.697170952@postoffice.reston.mci.net>";
/// let answer = client.respond(challenge, &mut buffer)?;
/// assert_eq!(answer, b"tim b913a602c7eda7a495b4e6e7334d3890");
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, Debug)]
pub struct CramMd5Client<'a> {
    credentials: Credentials<'a>,
    answered: bool,
}

impl<'a> CramMd5Client<'a> {
    /// A client with this name and password; `None` for other credentials.
    pub fn new(credentials: &Credentials<'a>) -> Option<Self> {
        let usable = credentials.mechanisms().contains(SaslMechanism::CramMd5);
        usable.then_some(Self { credentials: *credentials, answered: false })
    }
}

impl ClientMechanism for CramMd5Client<'_> {
    fn name(&self) -> Mechanism<'static> {
        SaslMechanism::CramMd5.into()
    }

    fn initial_response<'b>(
        &mut self,
        _buffer: &'b mut [u8],
    ) -> Result<Option<&'b [u8]>, ClientFailure> {
        Ok(None)
    }

    fn respond<'b>(
        &mut self,
        challenge: &[u8],
        buffer: &'b mut [u8],
    ) -> Result<&'b [u8], ClientFailure> {
        // An empty challenge would give an answer that is valid for every server with an empty
        // challenge.
        if core::mem::replace(&mut self.answered, true) || challenge.is_empty() {
            self.answered = false;
            return Err(ClientFailure::Challenge);
        }
        let Proof::Password(password) = self.credentials.proof() else {
            return Err(ClientFailure::Credentials);
        };
        let digest = keyed(password, challenge).ok_or(ClientFailure::Credentials)?;
        let digest = digest.finalize().into_bytes();
        written(buffer, |writer| {
            writer.put(self.credentials.authentication().unwrap_or_default().as_bytes());
            writer.put_byte(b' ');
            for byte in digest {
                writer.put(&[hex(byte >> 4), hex(byte & 0xF)]);
            }
        })
    }

    fn is_done(&self) -> bool {
        self.answered
    }
}

/// A server of CRAM-MD5, RFC 2195. It asks for the password of the user, as
/// [`StoredSecret::Password`]. If the answer was keyed with that password, it asks for a verdict on
/// [`Proof::Verified`].
///
/// ```
/// use ehlo::syntax::sasl::SaslData;
/// use ehlo_sasl::{CramMd5Server, ServerMechanism, ServerTurn, StoredSecret};
///
/// let challenge = "<1896.697170952@postoffice.reston.mci.net>";
/// let mut server = CramMd5Server::new(challenge)?;
/// let mut buffer = [0; 64];
/// assert_eq!(server.respond(None, &mut buffer)?, ServerTurn::Challenge(challenge.as_bytes()));
/// let answer = SaslData::new(b"tim b913a602c7eda7a495b4e6e7334d3890");
/// assert_eq!(server.respond(Some(&answer), &mut buffer)?, ServerTurn::Secret("tim"));
/// let secret = StoredSecret::Password("tanstaaftanstaaf");
/// assert!(matches!(server.secret(Some(&secret), &mut buffer)?, ServerTurn::Verify(_)));
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone)]
pub struct CramMd5Server {
    challenge: Bytes,
    name: Bytes,
    digest: [u8; 16],
    stage: Stage,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Stage {
    New,
    Challenged,
    Answered,
    Over,
}

impl CramMd5Server {
    /// A server with this challenge, `"<" … "@" … ">"`. The challenge must be new and
    /// unpredictable: RFC 2195 §2 makes it of random digits, the time and the name of the host.
    ///
    /// # Errors
    ///
    /// [`CredentialsError`]: a challenge that is not a msg-id, or has over 255 bytes.
    pub fn new(challenge: &str) -> Result<Self, CredentialsError> {
        let inner = challenge.strip_prefix('<').and_then(|rest| rest.strip_suffix('>'));
        let inner = inner.ok_or(CredentialsError::Forbidden)?;
        let (left, right) = inner.split_once('@').ok_or(CredentialsError::Forbidden)?;
        if left.is_empty() || right.is_empty() {
            return Err(CredentialsError::Empty);
        }
        if !inner.bytes().all(|byte| byte.is_ascii_graphic()) {
            return Err(CredentialsError::Forbidden);
        }
        let challenge = Bytes::new(challenge.as_bytes()).ok_or(CredentialsError::Forbidden)?;
        Ok(Self { challenge, name: Bytes::EMPTY, digest: [0; 16], stage: Stage::New })
    }
}

impl ServerMechanism for CramMd5Server {
    fn respond<'b>(
        &mut self,
        message: Option<&SaslData<'_>>,
        buffer: &'b mut [u8],
    ) -> Result<ServerTurn<'b>, ServerFailure> {
        match (core::mem::replace(&mut self.stage, Stage::Over), message) {
            (Stage::New, None) => {
                self.stage = Stage::Challenged;
                self.challenge.copy(buffer).map(ServerTurn::Challenge)
            }
            (Stage::New, Some(_)) => Err(ServerFailure::InitialResponse),
            (Stage::Challenged, Some(message)) => {
                let (name, digest) = answer(decoded(message, buffer)?).ok_or(MALFORMED)?;
                identity(name).map_err(|_| ServerFailure::Credentials)?;
                self.name = Bytes::new(name.as_bytes()).ok_or(ServerFailure::Credentials)?;
                self.digest = digest;
                self.stage = Stage::Answered;
                Ok(ServerTurn::Secret(name))
            }
            _ => Err(ServerFailure::OutOfTurn),
        }
    }

    fn secret<'b>(
        &mut self,
        secret: Option<&StoredSecret<'_>>,
        buffer: &'b mut [u8],
    ) -> Result<ServerTurn<'b>, ServerFailure> {
        if core::mem::replace(&mut self.stage, Stage::Over) != Stage::Answered {
            return Err(ServerFailure::OutOfTurn);
        }
        // An unknown user takes as long as a wrong password.
        let (password, known) = match secret {
            Some(StoredSecret::Password(password)) => (*password, true),
            None => ("", false),
            Some(_) => return Err(ServerFailure::Temporary),
        };
        let expected = keyed(password, self.challenge.bytes()).ok_or(ServerFailure::Temporary)?;
        let right = expected.verify_slice(&self.digest).is_ok();
        if !(right && known) {
            return Err(ServerFailure::Credentials);
        }
        let name = text(self.name.copy(buffer)?)?;
        let credentials = Credentials::received(Some(name), None, Proof::Verified);
        credentials.map(ServerTurn::Verify).ok_or(ServerFailure::Credentials)
    }
}

impl core::fmt::Debug for CramMd5Server {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        f.write_str("CramMd5Server(redacted)")
    }
}

/// Up to 255 bytes.
#[derive(Clone)]
struct Bytes {
    bytes: [u8; 255],
    length: u8,
}

impl Bytes {
    const EMPTY: Self = Self { bytes: [0; 255], length: 0 };

    fn new(from: &[u8]) -> Option<Self> {
        let mut bytes = [0; 255];
        bytes.get_mut(..from.len())?.copy_from_slice(from);
        Some(Self { bytes, length: u8::try_from(from.len()).ok()? })
    }

    fn bytes(&self) -> &[u8] {
        self.bytes.get(..usize::from(self.length)).unwrap_or_default()
    }

    fn copy<'b>(&self, buffer: &'b mut [u8]) -> Result<&'b [u8], ServerFailure> {
        let copy = buffer.get_mut(..usize::from(self.length));
        let copy = copy.ok_or(ServerFailure::BufferTooSmall)?;
        copy.copy_from_slice(self.bytes());
        Ok(copy)
    }
}

/// RFC 2195 §2: "a string consisting of the user name, a space, and a 'digest'", in lower-case
/// hexadecimal. A name may have spaces.
fn answer(message: &[u8]) -> Option<(&str, [u8; 16])> {
    let (name, digits) = core::str::from_utf8(message).ok()?.rsplit_once(' ')?;
    if name.is_empty() || name.contains('\0') || digits.len() != 32 {
        return None;
    }
    let mut digest = [0; 16];
    for (byte, pair) in digest.iter_mut().zip(digits.as_bytes().chunks_exact(2)) {
        let [high, low] = pair else { return None };
        *byte = digit(*high)? << 4 | digit(*low)?;
    }
    Some((name, digest))
}

/// HMAC-MD5 of `text`, RFC 2104; a key may have any length.
fn keyed(password: &str, text: &[u8]) -> Option<Hmac<Md5>> {
    let mut hmac = Hmac::<Md5>::new_from_slice(password.as_bytes()).ok()?;
    hmac.update(text);
    Some(hmac)
}

const fn hex(digit: u8) -> u8 {
    if digit < 10 { b'0' + digit } else { b'a' + (digit - 10) }
}

const fn digit(hex: u8) -> Option<u8> {
    match hex {
        b'0'..=b'9' => Some(hex - b'0'),
        b'a'..=b'f' => Some(hex - b'a' + 10),
        _ => None,
    }
}

//! LOGIN, draft-murchison-sasl-login.

use crate::client::written;
use crate::client::{ClientFailure, ClientMechanism};
use crate::credentials::{Credentials, Proof, identity};
use crate::server::{ServerFailure, ServerMechanism, ServerTurn};
use crate::server::{decoded, text};
use ehlo::syntax::command::Mechanism;
use ehlo::syntax::sasl::{SaslData, SaslMechanism};

/// A client of LOGIN: it sends the name, then the password, and does not read the challenges.
///
/// ```
/// use ehlo_sasl::{ClientMechanism, Credentials, LoginClient};
///
/// let mut login = LoginClient::new(&Credentials::password("anna", "secret")?).unwrap();
/// let mut buffer = [0; 16];
/// assert_eq!(login.initial_response(&mut buffer)?, None);
/// assert_eq!(login.respond(b"User Name\0", &mut buffer)?, b"anna");
/// assert_eq!(login.respond(b"", &mut buffer)?, b"secret");
/// assert!(login.is_done());
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, Debug)]
pub struct LoginClient<'a> {
    credentials: Credentials<'a>,
    answered: u8,
}

impl<'a> LoginClient<'a> {
    /// A client with this name and password; `None` for other credentials.
    pub fn new(credentials: &Credentials<'a>) -> Option<Self> {
        let usable = credentials.mechanisms().contains(SaslMechanism::Login);
        usable.then_some(Self { credentials: *credentials, answered: 0 })
    }
}

impl ClientMechanism for LoginClient<'_> {
    fn name(&self) -> Mechanism<'static> {
        SaslMechanism::Login.into()
    }

    fn initial_response<'b>(
        &mut self,
        _buffer: &'b mut [u8],
    ) -> Result<Option<&'b [u8]>, ClientFailure> {
        Ok(None)
    }

    fn respond<'b>(
        &mut self,
        _challenge: &[u8],
        buffer: &'b mut [u8],
    ) -> Result<&'b [u8], ClientFailure> {
        self.answered = self.answered.saturating_add(1);
        let answer = match (self.answered, self.credentials.proof()) {
            (1, _) => self.credentials.authentication().unwrap_or_default(),
            (2, Proof::Password(password)) => password,
            _ => return Err(ClientFailure::Challenge),
        };
        written(buffer, |writer| writer.put(answer.as_bytes()))
    }

    // The draft has the client ignore the contents of both challenges, and servers send prompts of
    // every kind, many of them not in base64.
    fn reads_challenges(&self) -> bool {
        false
    }

    fn is_done(&self) -> bool {
        self.answered == 2
    }
}

/// A server of LOGIN. It asks for the name and the password in the words that clients expect, also
/// takes the name as an initial response, and then asks for a verdict on a [`Proof::Password`].
///
/// It reports an error in the name after it has read the password, because many clients send the
/// password without reading the reply to the name. It refuses an empty name or password, and
/// control characters in them, without asking the application.
///
/// ```
/// use ehlo::syntax::sasl::SaslData;
/// use ehlo_sasl::{LoginServer, ServerMechanism, ServerTurn};
///
/// let (mut login, mut buffer) = (LoginServer::new(), [0; 16]);
/// let turn = login.respond(Some(&SaslData::new(b"anna")), &mut buffer)?;
/// assert_eq!(turn, ServerTurn::Challenge(b"Password:"));
/// let turn = login.respond(Some(&SaslData::new(b"secret")), &mut buffer)?;
/// let ServerTurn::Verify(credentials) = turn else { panic!() };
/// assert_eq!(credentials.authentication(), Some("anna"));
/// # Ok::<(), ehlo_sasl::ServerFailure>(())
/// ```
#[derive(Clone)]
pub struct LoginServer {
    name: [u8; NAME],
    /// The length of the name in bytes, or its error, once the client has sent it.
    given: Option<Result<usize, ServerFailure>>,
}

impl LoginServer {
    /// A server that has not received anything.
    pub const fn new() -> Self {
        Self { name: [0; NAME], given: None }
    }

    fn take_name(&mut self, message: &SaslData<'_>) -> Result<usize, ServerFailure> {
        // The name is longer than a name may be.
        let length = message.decode(&mut self.name).map_err(|_| ServerFailure::Credentials)?;
        identity(text(self.name.get(..length).unwrap_or_default())?)
            .map_err(|_| ServerFailure::Credentials)?;
        Ok(length)
    }
}

impl ServerMechanism for LoginServer {
    fn respond<'b>(
        &mut self,
        message: Option<&SaslData<'_>>,
        buffer: &'b mut [u8],
    ) -> Result<ServerTurn<'b>, ServerFailure> {
        let Some(message) = message else { return Ok(ServerTurn::Challenge(b"Username:")) };
        let Some(given) = self.given else {
            self.given = Some(self.take_name(message));
            return Ok(ServerTurn::Challenge(b"Password:"));
        };
        let length = given?;
        let (name, room) =
            buffer.split_at_mut_checked(length).ok_or(ServerFailure::BufferTooSmall)?;
        name.copy_from_slice(self.name.get(..length).ok_or(ServerFailure::OutOfTurn)?);
        let password = Proof::Password(text(decoded(message, room)?)?);
        let credentials = Credentials::received(Some(text(name)?), None, password);
        credentials.map(ServerTurn::Verify).ok_or(ServerFailure::Credentials)
    }
}

impl Default for LoginServer {
    fn default() -> Self {
        Self::new()
    }
}

impl core::fmt::Debug for LoginServer {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        f.debug_struct("LoginServer").field("named", &self.given.is_some()).finish_non_exhaustive()
    }
}

/// The most bytes of a name, as RFC 4616 §2 limits them in PLAIN.
const NAME: usize = 255;

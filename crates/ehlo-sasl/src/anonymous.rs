//! ANONYMOUS, RFC 4505.

use crate::client::written;
use crate::client::{ClientFailure, ClientMechanism};
use crate::credentials::{Credentials, Proof};
use crate::server::{MALFORMED, decoded, text};
use crate::server::{ServerFailure, ServerMechanism, ServerTurn};
use ehlo::syntax::command::Mechanism;
use ehlo::syntax::sasl::{SaslData, SaslMechanism};

/// A client of ANONYMOUS, RFC 4505: nobody in particular.
///
/// ```
/// use ehlo_sasl::{AnonymousClient, ClientExchange, Credentials};
/// use ehlo::Encode;
///
/// let client = AnonymousClient::new(&Credentials::anonymous("sirhc")?).unwrap();
/// let (mut buffer, mut out) = ([0; 64], [0; 64]);
/// let n = ClientExchange::new(client).start(&mut buffer)?.encode(&mut out)?;
/// assert_eq!(&out[..n], b"AUTH ANONYMOUS c2lyaGM=\r\n");
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, Debug)]
pub struct AnonymousClient<'a> {
    trace: &'a str,
    sent: bool,
}

impl<'a> AnonymousClient<'a> {
    /// A client that is [anonymous](Credentials::anonymous); none for other credentials.
    pub fn new(credentials: &Credentials<'a>) -> Option<Self> {
        if !credentials.mechanisms().contains(SaslMechanism::Anonymous) {
            return None;
        }
        match credentials.proof() {
            Proof::Anonymous(trace) => Some(Self { trace, sent: false }),
            _ => None,
        }
    }
}

impl ClientMechanism for AnonymousClient<'_> {
    fn name(&self) -> Mechanism<'static> {
        SaslMechanism::Anonymous.into()
    }

    fn initial_response<'b>(
        &mut self,
        buffer: &'b mut [u8],
    ) -> Result<Option<&'b [u8]>, ClientFailure> {
        self.sent = true;
        written(buffer, |writer| writer.put(self.trace.as_bytes())).map(Some)
    }

    fn respond<'b>(
        &mut self,
        _challenge: &[u8],
        _buffer: &'b mut [u8],
    ) -> Result<&'b [u8], ClientFailure> {
        self.sent = false;
        Err(ClientFailure::Challenge)
    }

    fn is_done(&self) -> bool {
        self.sent
    }
}

/// A server of ANONYMOUS, RFC 4505. It asks for a verdict on [`Proof::Anonymous`].
///
/// ```
/// use ehlo::syntax::sasl::SaslData;
/// use ehlo_sasl::{AnonymousServer, Proof, ServerMechanism, ServerTurn};
///
/// let mut buffer = [0; 64];
/// let trace = SaslData::parse(b"c2lyaGM=").unwrap();
/// let turn = AnonymousServer::new().respond(Some(&trace), &mut buffer)?;
/// let ServerTurn::Verify(credentials) = turn else { panic!() };
/// assert_eq!(credentials.proof(), Proof::Anonymous("sirhc"));
/// assert_eq!(credentials.identity(), None);
/// # Ok::<(), ehlo_sasl::ServerFailure>(())
/// ```
#[derive(Clone, Debug, Default)]
pub struct AnonymousServer(());

impl AnonymousServer {
    /// A server that has not heard anything.
    pub const fn new() -> Self {
        Self(())
    }
}

impl ServerMechanism for AnonymousServer {
    fn respond<'b>(
        &mut self,
        message: Option<&SaslData<'_>>,
        buffer: &'b mut [u8],
    ) -> Result<ServerTurn<'b>, ServerFailure> {
        let Some(message) = message else { return Ok(ServerTurn::Challenge(b"")) };
        let trace = text(decoded(message, buffer)?)?;
        let credentials = Credentials::anonymous(trace).map_err(|_| MALFORMED)?;
        Ok(ServerTurn::Verify(credentials))
    }
}

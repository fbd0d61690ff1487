//! The client of SCRAM.

use core::ops::RangeInclusive;
use std::borrow::Cow;
use std::string::String;
use std::vec::Vec;

use rsasl::prelude::{SASLClient, Session};
use zeroize::Zeroizing;

use super::{Answers, Family, grammar};
use crate::client::written;
use crate::client::{ClientFailure, ClientMechanism};
use crate::credentials::{ChannelBinding, Credentials, Proof};
use ehlo::syntax::command::Mechanism;
use ehlo::syntax::sasl::SaslMechanism;

/// A client of SCRAM-SHA-1 or SCRAM-SHA-256, RFC 5802 and RFC 7677, or of one with -PLUS: it proves
/// that it knows the password, and requires the same of the server.
///
/// ```
/// use ehlo::syntax::sasl::SaslMechanism;
/// use ehlo_sasl::{ClientMechanism, Credentials, ScramClient};
///
/// let user = Credentials::password("user", "pencil")?;
/// let mut client = ScramClient::new(SaslMechanism::ScramSha256, &user, None).unwrap();
/// let mut buffer = [0; 256];
/// let first = client.initial_response(&mut buffer)?.unwrap();
/// assert!(first.starts_with(b"n,,n=user,r="));
/// assert!(!client.is_done());
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
pub struct ScramClient {
    mechanism: SaslMechanism,
    session: Option<Session>,
    first: Vec<u8>,
    iterations: RangeInclusive<u32>,
    stage: Stage,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Stage {
    First,
    Final,
    Done,
}

impl ScramClient {
    /// A client with this name and password, which `SASLprep`, RFC 4013, prepares. `None` for other
    /// credentials or another mechanism, and for a -PLUS mechanism without `binding`.
    ///
    /// `binding` with a mechanism that is not -PLUS says that the client could have bound the
    /// channel but got no offer. A server that has sent the offer takes that for an attack, RFC
    /// 5802 §6.
    pub fn new(
        mechanism: SaslMechanism,
        credentials: &Credentials<'_>,
        binding: Option<ChannelBinding<'_>>,
    ) -> Option<Self> {
        let family = Family::new(mechanism)?;
        let Proof::Password(password) = credentials.proof() else { return None };
        if family.plus && binding.is_none() {
            return None;
        }
        let answers = Answers {
            name: prepared(credentials.authentication()?)?,
            authorization: credentials.authorization().map(String::from),
            password: Some(Zeroizing::new(prepared(password)?)),
            can_bind: binding.is_some(),
            binding: Answers::binding(binding),
            ..Answers::default()
        };
        let client = SASLClient::new(answers.config(family)?);
        let session = client.start_suggested_iter([family.name()?]).ok()?;
        Some(Self {
            mechanism,
            session: Some(session),
            first: Vec::new(),
            iterations: Self::ITERATIONS,
            stage: Stage::First,
        })
    }

    /// The number of hash iterations that the server may ask for. Less than 4096, the least of RFC 7677 §4,
    /// helps an eavesdropper to guess the password; a million takes about a second.
    pub const ITERATIONS: RangeInclusive<u32> = 4096..=2_000_000;

    /// Sets other bounds than [`ITERATIONS`](Self::ITERATIONS).
    #[must_use]
    pub fn with_iterations(self, iterations: RangeInclusive<u32>) -> Self {
        Self { iterations, ..self }
    }

    /// Lets rsasl take a step; a failed session is not used again.
    fn step(&mut self, message: Option<&[u8]>) -> Result<Vec<u8>, ClientFailure> {
        let mut session = self.session.take().ok_or(ClientFailure::Over)?;
        let mut out = Vec::new();
        session.step(message, &mut out).map_err(|_| ClientFailure::ServerNotAuthentic)?;
        self.session = Some(session);
        Ok(out)
    }
}

impl ClientMechanism for ScramClient {
    fn name(&self) -> Mechanism<'static> {
        self.mechanism.into()
    }

    fn initial_response<'b>(
        &mut self,
        buffer: &'b mut [u8],
    ) -> Result<Option<&'b [u8]>, ClientFailure> {
        if self.first.is_empty() {
            self.first = self.step(None)?;
        }
        written(buffer, |writer| writer.put(&self.first)).map(Some)
    }

    fn respond<'b>(
        &mut self,
        challenge: &[u8],
        buffer: &'b mut [u8],
    ) -> Result<&'b [u8], ClientFailure> {
        let stage = core::mem::replace(&mut self.stage, Stage::First);
        match stage {
            Stage::First if !self.first.is_empty() => {
                let count = grammar::server_first(challenge).ok_or(ClientFailure::Challenge)?;
                if !self.iterations.contains(&count) {
                    self.session = None;
                    return Err(ClientFailure::Iterations);
                }
                let message = self.step(Some(challenge))?;
                self.first = Vec::new();
                self.stage = Stage::Final;
                written(buffer, |writer| writer.put(&message))
            }
            Stage::Final => {
                let server_final = grammar::server_final(challenge);
                match server_final.ok_or(ClientFailure::Challenge)? {
                    Ok(()) => self.step(Some(challenge))?,
                    Err(()) => return Err(ClientFailure::ServerNotAuthentic),
                };
                self.session = None;
                self.stage = Stage::Done;
                Ok(b"")
            }
            _ => Err(ClientFailure::Challenge),
        }
    }

    fn is_done(&self) -> bool {
        self.stage == Stage::Done
    }
}

impl core::fmt::Debug for ScramClient {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        f.debug_struct("ScramClient")
            .field("mechanism", &self.mechanism)
            .field("stage", &self.stage)
            .finish_non_exhaustive()
    }
}

/// RFC 5802 §2.2: "Apply the `SASLprep` profile".
fn prepared(text: &str) -> Option<String> {
    stringprep::saslprep(text).ok().map(Cow::into_owned).filter(|text| !text.is_empty())
}

//! The server of SCRAM.

use std::string::String;
use std::vec::Vec;

use rsasl::prelude::{SASLServer, Session};
use zeroize::Zeroizing;

use super::grammar::{ClientFirst, Flag, is_client_final};
use super::keys::hmac_sha_256;
use super::{Answers, Family, Keys, Proven};
use crate::credentials::{ChannelBinding, Credentials, Proof, identity};
use crate::gs2::saslname;
use crate::secret::StoredSecret;
use crate::server::{MALFORMED, decoded};
use crate::server::{ServerFailure, ServerMechanism, ServerTurn};
use ehlo::syntax::sasl::{SaslData, SaslMechanism};

/// A server of SCRAM-SHA-1 or SCRAM-SHA-256, RFC 5802 and RFC 7677, or of one with -PLUS. It asks
/// for the stored keys of the user, as [`StoredSecret::Scram`]. When the client has proven that it
/// knows the password, it asks for a verdict on [`Proof::Verified`].
///
/// ```
/// use ehlo::syntax::sasl::{SaslData, SaslMechanism};
/// use ehlo_sasl::{ScramSecret, ScramServer, ServerMechanism, ServerTurn, StoredSecret};
///
/// let mechanism = SaslMechanism::ScramSha256;
/// let mut server = ScramServer::new(mechanism, None).unwrap();
/// let mut buffer = [0; 256];
/// let first = SaslData::new(b"n,,n=user,r=rOprNGfwEbeRWgbNEkqO");
/// assert_eq!(server.respond(Some(&first), &mut buffer)?, ServerTurn::Secret("user"));
///
/// let secret = ScramSecret::derive(mechanism, "pencil", b"sixteen of salt.", 4096).unwrap();
/// let stored = StoredSecret::Scram(secret.keys());
/// let ServerTurn::Challenge(challenge) = server.secret(Some(&stored), &mut buffer)? else {
///     panic!()
/// };
/// assert!(challenge.starts_with(b"r=rOprNGfwEbeRWgbNEkqO"));
/// assert!(challenge.ends_with(b",s=c2l4dGVlbiBvZiBzYWx0Lg==,i=4096"));
/// # Ok::<(), ehlo_sasl::ServerFailure>(())
/// ```
pub struct ScramServer {
    family: Family,
    binding: Option<(String, Vec<u8>)>,
    decoy: Option<(Zeroizing<Vec<u8>>, u32)>,
    session: Option<Session<Proven>>,
    client_first: Vec<u8>,
    name: String,
    authorization: Option<String>,
    server_final: Vec<u8>,
    stage: Stage,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Stage {
    New,
    Secret,
    Challenged,
    Proven,
    Accepted,
    Over,
}

impl ScramServer {
    /// A server of this mechanism; `None` for a mechanism that is not a SCRAM of this crate, and for a
    /// -PLUS mechanism without `binding`.
    ///
    /// A server that offers -PLUS passes `binding` for both forms of a mechanism: a client that
    /// could bind the channel and did not see the offer is under attack, RFC 5802 §6.
    pub fn new(mechanism: SaslMechanism, binding: Option<ChannelBinding<'_>>) -> Option<Self> {
        let family = Family::new(mechanism)?;
        if family.plus && binding.is_none() {
            return None;
        }
        Some(Self {
            family,
            binding: Answers::binding(binding),
            decoy: None,
            session: None,
            client_first: Vec::new(),
            name: String::new(),
            authorization: None,
            server_final: Vec::new(),
            stage: Stage::New,
        })
    }

    /// Makes users that do not exist look as if they did: each gets a constant salt, derived from `key`,
    /// and this number of iterations. The key is random, secret, and kept as long as the passwords; the
    /// number is the one of existing users.
    ///
    /// Without a decoy, the salt of a user that does not exist changes with every attempt.
    #[must_use]
    pub fn with_decoy(self, key: &[u8], iterations: u32) -> Self {
        Self { decoy: Some((Zeroizing::new(key.into()), iterations)), ..self }
    }

    fn begin<'b>(
        &mut self,
        message: &SaslData<'_>,
        buffer: &'b mut [u8],
    ) -> Result<ServerTurn<'b>, ServerFailure> {
        self.client_first = decoded(message, buffer)?.to_vec();
        let first = ClientFirst::parse(&self.client_first).ok_or(MALFORMED)?;
        let suits = match (first.flag, &self.binding) {
            (Flag::Bound(name), Some((ours, _))) => self.family.plus && name == ours,
            // RFC 5802 §6: "If the flag is set to "y" and the server supports channel binding, the
            // server MUST fail authentication."
            (Flag::Yes, binding) => !self.family.plus && binding.is_none(),
            (Flag::No, _) => !self.family.plus,
            (Flag::Bound(_), None) => false,
        };
        if !suits {
            return Err(ServerFailure::Credentials);
        }
        self.authorization = first.authorization.map(unescaped).transpose()?;
        self.name = unescaped(first.username)?;
        for name in self.authorization.as_deref().into_iter().chain([&*self.name]) {
            identity(name).map_err(|_| ServerFailure::Credentials)?;
        }
        self.stage = Stage::Secret;
        Ok(ServerTurn::Secret(copied(&self.name, buffer)?.0))
    }

    fn finish<'b>(
        &mut self,
        message: &SaslData<'_>,
        buffer: &'b mut [u8],
    ) -> Result<ServerTurn<'b>, ServerFailure> {
        let client_final = decoded(message, buffer)?;
        if !is_client_final(client_final) {
            return Err(MALFORMED);
        }
        let mut session = self.session.take().ok_or(ServerFailure::OutOfTurn)?;
        self.server_final = Vec::new();
        session
            .step(Some(client_final), &mut self.server_final)
            .map_err(|_| ServerFailure::Credentials)?;
        session.validation().ok_or(ServerFailure::Credentials)?;
        self.stage = Stage::Proven;
        let (name, rest) = copied(&self.name, buffer)?;
        let authorization = match &self.authorization {
            Some(authorization) => Some(copied(authorization, rest)?.0),
            None => None,
        };
        let credentials = Credentials::received(Some(name), authorization, Proof::Verified);
        credentials.map(ServerTurn::Verify).ok_or(ServerFailure::Credentials)
    }

    /// Keys for a user that does not exist; no password matches them.
    fn decoy(&self) -> Option<Keys> {
        let (key, iterations) = self.decoy.as_ref()?;
        let salt = hmac_sha_256(key, self.name.as_bytes())?;
        // Keys that belong to no password.
        let none = hmac_sha_256(key, &*salt)?;
        let keys = none.get(..self.family.hash)?;
        Some(Keys {
            iterations: *iterations,
            salt: salt.get(..16)?.to_vec(),
            stored_key: Zeroizing::new(keys.to_vec()),
            server_key: Zeroizing::new(keys.to_vec()),
        })
    }
}

impl ServerMechanism for ScramServer {
    fn respond<'b>(
        &mut self,
        message: Option<&SaslData<'_>>,
        buffer: &'b mut [u8],
    ) -> Result<ServerTurn<'b>, ServerFailure> {
        let stage = core::mem::replace(&mut self.stage, Stage::Over);
        match (stage, message) {
            (Stage::New, None) => {
                self.stage = Stage::New;
                Ok(ServerTurn::Challenge(b""))
            }
            (Stage::New, Some(message)) => self.begin(message, buffer),
            (Stage::Challenged, Some(message)) => self.finish(message, buffer),
            // RFC 4954 §4: the client answers the last challenge with an empty line.
            (Stage::Accepted, Some(message)) if message.is_empty() => Ok(ServerTurn::Success),
            (Stage::Accepted, Some(_)) => Err(MALFORMED),
            _ => Err(ServerFailure::OutOfTurn),
        }
    }

    fn secret<'b>(
        &mut self,
        secret: Option<&StoredSecret<'_>>,
        buffer: &'b mut [u8],
    ) -> Result<ServerTurn<'b>, ServerFailure> {
        if core::mem::replace(&mut self.stage, Stage::Over) != Stage::Secret {
            return Err(ServerFailure::OutOfTurn);
        }
        let keys = match secret {
            Some(StoredSecret::Scram(keys)) => Some(Keys {
                iterations: keys.iterations,
                salt: keys.salt.into(),
                stored_key: Zeroizing::new(keys.stored_key.into()),
                server_key: Zeroizing::new(keys.server_key.into()),
            }),
            None => self.decoy(),
            Some(_) => return Err(ServerFailure::Temporary),
        };
        let fits = |keys: &Keys| {
            keys.iterations > 0
                && !keys.salt.is_empty()
                && keys.stored_key.len() == self.family.hash
                && keys.server_key.len() == self.family.hash
        };
        if !keys.as_ref().is_none_or(fits) {
            return Err(ServerFailure::Temporary);
        }
        let answers = Answers {
            keys,
            can_bind: self.binding.is_some(),
            binding: self.binding.clone(),
            ..Answers::default()
        };
        let failed = ServerFailure::Temporary;
        let config = answers.config(self.family).ok_or(failed)?;
        let name = self.family.name().ok_or(failed)?;
        let mut session = SASLServer::new(config).start_suggested(name).map_err(|_| failed)?;
        let mut server_first = Vec::new();
        session.step(Some(&self.client_first), &mut server_first).map_err(|_| failed)?;
        self.session = Some(session);
        self.stage = Stage::Challenged;
        let challenge = buffer.get_mut(..server_first.len());
        let challenge = challenge.ok_or(ServerFailure::BufferTooSmall)?;
        challenge.copy_from_slice(&server_first);
        Ok(ServerTurn::Challenge(challenge))
    }

    fn accepted<'b>(&mut self, buffer: &'b mut [u8]) -> Result<ServerTurn<'b>, ServerFailure> {
        if core::mem::replace(&mut self.stage, Stage::Over) != Stage::Proven {
            return Err(ServerFailure::OutOfTurn);
        }
        self.stage = Stage::Accepted;
        let challenge = buffer.get_mut(..self.server_final.len());
        let challenge = challenge.ok_or(ServerFailure::BufferTooSmall)?;
        challenge.copy_from_slice(&self.server_final);
        Ok(ServerTurn::Challenge(challenge))
    }
}

impl core::fmt::Debug for ScramServer {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        f.debug_struct("ScramServer")
            .field("mechanism", &self.family.mechanism)
            .field("stage", &self.stage)
            .finish_non_exhaustive()
    }
}

fn unescaped(name: &str) -> Result<String, ServerFailure> {
    let mut bytes = name.as_bytes().to_vec();
    saslname(&mut bytes).map(String::from).ok_or(MALFORMED)
}

/// Copies `name` to the front of `buffer`; returns it and the rest of the buffer.
fn copied<'b>(name: &str, buffer: &'b mut [u8]) -> Result<(&'b str, &'b mut [u8]), ServerFailure> {
    let (copy, rest) =
        buffer.split_at_mut_checked(name.len()).ok_or(ServerFailure::BufferTooSmall)?;
    copy.copy_from_slice(name.as_bytes());
    Ok((core::str::from_utf8(copy).map_err(|_| MALFORMED)?, rest))
}

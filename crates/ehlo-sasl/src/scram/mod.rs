//! SCRAM-SHA-1 and SCRAM-SHA-256, RFC 5802 and RFC 7677, with and without channel binding.
//!
//! rsasl provides the cryptography and the exchange. It indexes into messages without checking
//! their length, asks its questions by callbacks, and hashes as often as the server says. Therefore
//! this module first parses every message by the grammar of RFC 5802 §7, and passes only valid ones
//! to rsasl.

mod client;
mod grammar;
mod keys;
mod server;

pub use client::ScramClient;
pub use keys::ScramSecret;
pub use server::ScramServer;

use std::string::String;
use std::vec::Vec;

use rsasl::callback::{Context, Request, SessionCallback, SessionData};
use rsasl::mechanisms::scram::{
    SCRAM_SHA1, SCRAM_SHA1_PLUS, SCRAM_SHA256, SCRAM_SHA256_PLUS, properties::ScramStoredPassword,
};
use rsasl::prelude::{Mechname, Registry, SASLConfig, SessionError, Validation};
use rsasl::property::{
    AuthId, AuthzId, ChannelBindingName, ChannelBindings, OverrideCBType, Password,
};
use rsasl::validate::{Validate, ValidationError};
use zeroize::Zeroizing;

use crate::credentials::ChannelBinding;
use ehlo::syntax::sasl::SaslMechanism;

/// The answers to the questions of rsasl, known beforehand.
#[derive(Default)]
struct Answers {
    name: String,
    authorization: Option<String>,
    password: Option<Zeroizing<String>>,
    keys: Option<Keys>,
    binding: Option<(String, Vec<u8>)>,
    /// This side can bind a channel, whether or not it does.
    can_bind: bool,
}

/// An owned copy of [`ScramKeys`](super::ScramKeys).
struct Keys {
    iterations: u32,
    salt: Vec<u8>,
    stored_key: Zeroizing<Vec<u8>>,
    server_key: Zeroizing<Vec<u8>>,
}

impl Answers {
    fn binding(binding: Option<ChannelBinding<'_>>) -> Option<(String, Vec<u8>)> {
        binding.map(|binding| (binding.name().into(), binding.data().into()))
    }

    fn config(self, mechanism: Family) -> Option<std::sync::Arc<SASLConfig>> {
        let mechanisms = Registry::with_mechanisms(mechanism.registry);
        SASLConfig::builder().with_registry(mechanisms).with_callback(self).ok()
    }
}

impl SessionCallback for Answers {
    fn callback(
        &self,
        _session: &SessionData,
        context: &Context<'_>,
        request: &mut Request<'_>,
    ) -> Result<(), SessionError> {
        request.satisfy::<AuthId>(&self.name)?;
        if let Some(authorization) = &self.authorization {
            request.satisfy::<AuthzId>(authorization)?;
        }
        if let Some(password) = &self.password {
            request.satisfy::<Password>(password.as_bytes())?;
        }
        if let Some(keys) = &self.keys {
            request.satisfy::<ScramStoredPassword<'_>>(&ScramStoredPassword::new(
                keys.iterations,
                &keys.salt,
                &keys.stored_key,
                &keys.server_key,
            ))?;
        }
        if let Some((name, data)) = &self.binding {
            request.satisfy::<OverrideCBType>(name)?;
            if context.get_ref::<ChannelBindingName>() == Some(name) {
                request.satisfy::<ChannelBindings>(data)?;
            }
        }
        Ok(())
    }

    fn enable_channel_binding(&self) -> bool {
        self.can_bind
    }

    fn validate(
        &self,
        _session: &SessionData,
        _context: &Context<'_>,
        validate: &mut Validate<'_>,
    ) -> Result<(), ValidationError> {
        validate.finalize::<Proven>(());
        Ok(())
    }
}

/// The client has proven that it knows the password.
struct Proven;

impl Validation for Proven {
    type Value = ();
}

/// One of the four mechanisms.
#[derive(Clone, Copy)]
struct Family {
    mechanism: SaslMechanism,
    registry: &'static [rsasl::prelude::Mechanism],
    /// Bytes of the hash.
    hash: usize,
    /// The channel is bound.
    plus: bool,
}

impl Family {
    fn new(mechanism: SaslMechanism) -> Option<Self> {
        static SHA_1: [rsasl::prelude::Mechanism; 1] = [SCRAM_SHA1];
        static SHA_1_PLUS: [rsasl::prelude::Mechanism; 1] = [SCRAM_SHA1_PLUS];
        static SHA_256: [rsasl::prelude::Mechanism; 1] = [SCRAM_SHA256];
        static SHA_256_PLUS: [rsasl::prelude::Mechanism; 1] = [SCRAM_SHA256_PLUS];
        let (registry, hash, plus): (&'static [_], _, _) = match mechanism {
            SaslMechanism::ScramSha1 => (&SHA_1, 20, false),
            SaslMechanism::ScramSha1Plus => (&SHA_1_PLUS, 20, true),
            SaslMechanism::ScramSha256 => (&SHA_256, 32, false),
            SaslMechanism::ScramSha256Plus => (&SHA_256_PLUS, 32, true),
            _ => return None,
        };
        Some(Self { mechanism, registry, hash, plus })
    }

    fn name(&self) -> Option<&'static Mechname> {
        Mechname::parse(self.mechanism.name().as_bytes()).ok()
    }
}

//! Who may authenticate, and what is kept of each user.

use std::collections::HashMap;

use ehlo::syntax::sasl::{Mechanisms, SaslMechanism};
use ehlo_sasl::{Credentials, Proof, ScramKeys, ScramSecret, StoredSecret};
use subtle::ConstantTimeEq as _;

use crate::tls::randomise;

/// What is offered wherever there are users. To these come, inside TLS, those with -PLUS.
pub(crate) const MECHANISMS: Mechanisms = Mechanisms::NONE
    .with(SaslMechanism::ScramSha256)
    .with(SaslMechanism::ScramSha1)
    .with(SaslMechanism::CramMd5)
    .with(SaslMechanism::OauthBearer)
    .with(SaslMechanism::Xoauth2)
    .with(SaslMechanism::Plain)
    .with(SaslMechanism::Login);

/// The mechanisms that are offered where the channel can be bound, RFC 5802 §6.
pub(crate) const BOUND_MECHANISMS: Mechanisms =
    MECHANISMS.with(SaslMechanism::ScramSha256Plus).with(SaslMechanism::ScramSha1Plus);

/// RFC 7677 §4: at least as many.
pub(crate) const ITERATIONS: u32 = 4096;

/// The users by name.
pub(crate) struct Users {
    users: HashMap<String, User>,
    /// Makes a salt for those who do not exist.
    decoy: [u8; 32],
}

/// A server for production would keep the keys only, and could then not offer CRAM-MD5, which needs the
/// password.
struct User {
    password: String,
    salt: [u8; 16],
    sha_1: Keys,
    sha_256: Keys,
}

struct Keys {
    stored: Vec<u8>,
    server: Vec<u8>,
}

impl Users {
    /// These users, each a name and a password.
    pub(crate) fn new(users: &[(String, String)]) -> Result<Self, String> {
        let mut decoy = [0; 32];
        randomise(&mut decoy)?;
        let users = users.iter().map(|(name, password)| {
            let user = User::new(password)?;
            Ok((name.clone(), user.ok_or(format!("the password of {name} is not one for SCRAM"))?))
        });
        Ok(Self { users: users.collect::<Result<_, String>>()?, decoy })
    }

    /// Whose credentials these are, if they are right. No user may act for another.
    pub(crate) fn verify<'s>(&'s self, claim: &Credentials<'s>) -> Option<&'s str> {
        let name = match claim.proof() {
            _ if claim.acts_for_another() && claim.authentication().is_some() => None,
            Proof::Password(secret) => claim.authentication().filter(|name| self.has(name, secret)),
            // RFC 7628 §3.1: the client says for whom it acts, or nothing: then the token says it.
            Proof::Token(token) => match claim.identity() {
                Some(name) => Some(name).filter(|name| self.has(name, token)),
                None => self.users.keys().map(String::as_str).find(|name| self.has(name, token)),
            },
            Proof::Verified => claim.authentication(),
            _ => None,
        };
        name.filter(|name| self.users.contains_key(*name))
    }

    /// What is stored of the user of this name, in the form that the mechanism wants.
    pub(crate) fn secret(&self, mechanism: SaslMechanism, name: &str) -> Option<StoredSecret<'_>> {
        use SaslMechanism::{CramMd5, ScramSha1, ScramSha1Plus, ScramSha256, ScramSha256Plus};
        let user = self.users.get(name)?;
        match mechanism {
            CramMd5 => Some(StoredSecret::Password(&user.password)),
            ScramSha1 | ScramSha1Plus => Some(user.scram(&user.sha_1)),
            ScramSha256 | ScramSha256Plus => Some(user.scram(&user.sha_256)),
            _ => None,
        }
    }

    pub(crate) fn decoy(&self) -> &[u8] {
        &self.decoy
    }

    fn has(&self, name: &str, secret: &str) -> bool {
        let user = self.users.get(name);
        user.is_some_and(|user| user.password.as_bytes().ct_eq(secret.as_bytes()).into())
    }
}

impl User {
    /// None if `SASLprep`, RFC 4013, forbids the password.
    fn new(password: &str) -> Result<Option<Self>, String> {
        let mut salt = [0; 16];
        randomise(&mut salt)?;
        let keys = |mechanism| {
            let secret = ScramSecret::derive(mechanism, password, &salt, ITERATIONS)?;
            let ScramKeys { stored_key, server_key, .. } = secret.keys();
            Some(Keys { stored: stored_key.to_vec(), server: server_key.to_vec() })
        };
        let sha_1 = keys(SaslMechanism::ScramSha1);
        let sha_256 = keys(SaslMechanism::ScramSha256);
        let user = sha_1.zip(sha_256).map(|(sha_1, sha_256)| Self {
            password: password.to_owned(),
            salt,
            sha_1,
            sha_256,
        });
        Ok(user)
    }

    fn scram<'u>(&'u self, keys: &'u Keys) -> StoredSecret<'u> {
        StoredSecret::Scram(ScramKeys {
            iterations: ITERATIONS,
            salt: &self.salt,
            stored_key: &keys.stored,
            server_key: &keys.server,
        })
    }
}

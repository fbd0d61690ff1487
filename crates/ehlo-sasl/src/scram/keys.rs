//! The keys that a server of SCRAM stores.

use hmac::{Hmac, Mac as _};
use sha1::Sha1;
use sha2::{Digest as _, Sha256};
use zeroize::Zeroizing;

use crate::secret::ScramKeys;
use ehlo::syntax::sasl::SaslMechanism;

/// The [`ScramKeys`] of a password, RFC 5802 §3; overwritten when dropped.
///
/// ```
/// use ehlo::syntax::sasl::SaslMechanism;
/// use ehlo_sasl::{ScramSecret, StoredSecret};
///
/// let salt = [0x2A; 16]; // random, and another one for each user
/// let secret = ScramSecret::derive(SaslMechanism::ScramSha256, "pencil", &salt, 4096).unwrap();
/// assert_eq!(secret.keys().stored_key.len(), 32);
/// let stored = StoredSecret::Scram(secret.keys());
/// # let _ = stored;
/// ```
#[derive(Clone)]
pub struct ScramSecret<'a> {
    iterations: u32,
    salt: &'a [u8],
    length: usize,
    stored_key: Zeroizing<[u8; 32]>,
    server_key: Zeroizing<[u8; 32]>,
}

impl<'a> ScramSecret<'a> {
    /// The keys of this password, after `SASLprep`, RFC 4013. The derivation takes `iterations`
    /// computations of HMAC; RFC 7677 §4 requires at least 4096.
    ///
    /// `None` for a mechanism that is not a SCRAM of this crate, an empty salt, zero iterations, or a
    /// password that `SASLprep` forbids.
    pub fn derive(
        mechanism: SaslMechanism,
        password: &str,
        salt: &'a [u8],
        iterations: u32,
    ) -> Option<Self> {
        if salt.is_empty() || iterations == 0 {
            return None;
        }
        let password = Zeroizing::new(stringprep::saslprep(password).ok()?.into_owned());
        let mut salted = Zeroizing::new([0; 32]);
        let mut secret = Self {
            iterations,
            salt,
            length: super::Family::new(mechanism)?.hash,
            stored_key: Zeroizing::new([0; 32]),
            server_key: Zeroizing::new([0; 32]),
        };
        let salted = salted.get_mut(..secret.length)?;
        if secret.length == 20 {
            pbkdf2::pbkdf2_hmac::<Sha1>(password.as_bytes(), salt, iterations, salted);
            let client_key = hmac_sha_1(salted, b"Client Key")?;
            put(&mut secret.stored_key, &Sha1::digest(*client_key))?;
            put(&mut secret.server_key, &*hmac_sha_1(salted, b"Server Key")?)?;
        } else {
            pbkdf2::pbkdf2_hmac::<Sha256>(password.as_bytes(), salt, iterations, salted);
            let client_key = hmac_sha_256(salted, b"Client Key")?;
            put(&mut secret.stored_key, &Sha256::digest(*client_key))?;
            put(&mut secret.server_key, &*hmac_sha_256(salted, b"Server Key")?)?;
        }
        Some(secret)
    }

    /// The keys to store.
    pub fn keys(&self) -> ScramKeys<'_> {
        ScramKeys {
            iterations: self.iterations,
            salt: self.salt,
            stored_key: self.stored_key.get(..self.length).unwrap_or_default(),
            server_key: self.server_key.get(..self.length).unwrap_or_default(),
        }
    }
}

impl core::fmt::Debug for ScramSecret<'_> {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        f.write_str("ScramSecret(redacted)")
    }
}

pub(super) fn hmac_sha_256(key: &[u8], text: &[u8]) -> Option<Zeroizing<[u8; 32]>> {
    let mut hmac = Hmac::<Sha256>::new_from_slice(key).ok()?;
    hmac.update(text);
    Some(Zeroizing::new(hmac.finalize().into_bytes().into()))
}

fn hmac_sha_1(key: &[u8], text: &[u8]) -> Option<Zeroizing<[u8; 20]>> {
    let mut hmac = Hmac::<Sha1>::new_from_slice(key).ok()?;
    hmac.update(text);
    Some(Zeroizing::new(hmac.finalize().into_bytes().into()))
}

fn put(to: &mut [u8; 32], from: &[u8]) -> Option<()> {
    to.get_mut(..from.len())?.copy_from_slice(from);
    Some(())
}

//! Secrets that a server has stored.

/// The stored secret of a user, for the mechanisms that do not send the password. `Debug` shows its kind
/// alone.
///
/// ```
/// use ehlo_sasl::StoredSecret;
///
/// assert_eq!(format!("{:?}", StoredSecret::Password("secret")), "Password(redacted)");
/// ```
#[derive(Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum StoredSecret<'a> {
    /// The password itself, which CRAM-MD5 needs.
    Password(&'a str),
    /// The keys that SCRAM keeps instead of the password.
    Scram(ScramKeys<'a>),
}

impl core::fmt::Debug for StoredSecret<'_> {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        f.write_str(match self {
            Self::Password(_) => "Password(redacted)",
            Self::Scram(_) => "Scram(redacted)",
        })
    }
}

/// The keys that a server keeps instead of a password, RFC 5802 §3: enough to verify a client that knows
/// the password, not enough to act as that client. The feature `scram` derives and uses them.
///
/// ```
/// use ehlo_sasl::ScramKeys;
///
/// let keys = ScramKeys { iterations: 4096, salt: b"sea", stored_key: &[1; 32], server_key: &[2; 32] };
/// assert_eq!(format!("{keys:?}"), "ScramKeys(redacted)");
/// ```
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct ScramKeys<'a> {
    /// The number of hash iterations; at least 4096 by RFC 7677 §4.
    pub iterations: u32,
    /// The salt of the hash.
    pub salt: &'a [u8],
    /// `StoredKey`, as long as the hash: 20 bytes for SHA-1, 32 for SHA-256.
    pub stored_key: &'a [u8],
    /// `ServerKey`, as long as the hash.
    pub server_key: &'a [u8],
}

impl core::fmt::Debug for ScramKeys<'_> {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        f.write_str("ScramKeys(redacted)")
    }
}

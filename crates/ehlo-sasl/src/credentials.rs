//! Credentials, their proofs, and the channel that protects them.

use ehlo::syntax::sasl::{Mechanisms, SaslMechanism};

/// The identity of a user, the identity that the user acts for, and the proof. RFC 4422 §2.
///
/// A client's application gives credentials to a mechanism. A server's mechanism gives them to the
/// application for a verdict; no identity and no password in them has control characters, so that they
/// can be logged. `Debug` shows the identities alone, and redacts the proof.
///
/// ```
/// use ehlo_sasl::{Credentials, Proof};
///
/// let anna = Credentials::password("anna", "secret")?;
/// assert_eq!((anna.authentication(), anna.authorization()), (Some("anna"), None));
/// assert_eq!(anna.proof(), Proof::Password("secret"));
/// assert!(!format!("{anna:?}").contains("secret"));
///
/// let for_bob = anna.acting_for("bob")?;
/// assert!(for_bob.acts_for_another());
/// # Ok::<(), ehlo_sasl::CredentialsError>(())
/// ```
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct Credentials<'a> {
    authentication: Option<&'a str>,
    authorization: Option<&'a str>,
    proof: Proof<'a>,
}

impl<'a> Credentials<'a> {
    /// A user name and its password.
    ///
    /// # Errors
    ///
    /// [`CredentialsError`]: an empty string, a control character in the name, or NUL in the
    /// password.
    pub fn password(name: &'a str, password: &'a str) -> Result<Self, CredentialsError> {
        if password.is_empty() {
            return Err(CredentialsError::Empty);
        }
        if password.contains('\0') {
            return Err(CredentialsError::Forbidden);
        }
        Ok(Self::of(Some(identity(name)?), None, Proof::Password(password)))
    }

    /// A user name and an OAuth 2.0 bearer token that was issued for it.
    ///
    /// # Errors
    ///
    /// [`CredentialsError`]: as for [`password`](Self::password), or a token that is not a `b64token`,
    /// RFC 6750 §2.1.
    pub fn token(name: &'a str, token: &'a str) -> Result<Self, CredentialsError> {
        Ok(Self::of(Some(identity(name)?), None, Proof::Token(b64token(token)?)))
    }

    /// The identity that the layer below knows, for example by a TLS client certificate. RFC 4422
    /// appendix A.
    pub const fn external() -> Self {
        Self::of(None, None, Proof::External)
    }

    /// No identity, with an address or a word that the server may log, or an empty string. RFC 4505.
    ///
    /// # Errors
    ///
    /// [`CredentialsError`]: a control character, or more than 255 characters.
    pub fn anonymous(trace: &'a str) -> Result<Self, CredentialsError> {
        // RFC 4505 §2: `token = 1*255TCHAR`.
        if trace.chars().count() > 255 || trace.chars().any(is_prohibited) {
            return Err(CredentialsError::Forbidden);
        }
        Ok(Self::of(None, None, Proof::Anonymous(trace)))
    }

    /// Sets another identity to act for, the authorization identity of RFC 4422 §2. LOGIN,
    /// CRAM-MD5, XOAUTH2 and ANONYMOUS cannot carry it.
    ///
    /// # Errors
    ///
    /// [`CredentialsError`]: an empty string, or a control character.
    pub fn acting_for(self, authorization: &'a str) -> Result<Self, CredentialsError> {
        Ok(Self { authorization: Some(identity(authorization)?), ..self })
    }

    /// Credentials that a client has sent; `None` if a part is empty or has a character that cannot be
    /// in it, so that no user can have them.
    pub(crate) fn received(
        authentication: Option<&'a str>,
        authorization: Option<&'a str>,
        proof: Proof<'a>,
    ) -> Option<Self> {
        let password = match proof {
            Proof::Password(password) => Some(password),
            _ => None,
        };
        // RFC 4616 §2: "if preparation fails or results in an empty string, verification SHALL
        // fail", and SASLprep has no control characters.
        let parts = [authentication, authorization, password].into_iter().flatten();
        let usable = parts.map(identity).all(|part| part.is_ok());
        usable.then_some(Self::of(authentication, authorization, proof))
    }

    const fn of(
        authentication: Option<&'a str>,
        authorization: Option<&'a str>,
        proof: Proof<'a>,
    ) -> Self {
        Self { authentication, authorization, proof }
    }

    /// The authentication identity: the user that the password or token belongs to. `None` where the
    /// proof itself identifies the user: with EXTERNAL and OAUTHBEARER.
    pub const fn authentication(&self) -> Option<&'a str> {
        self.authentication
    }

    /// The authorization identity: the user that the client wants to act for, if it named one.
    pub const fn authorization(&self) -> Option<&'a str> {
        self.authorization
    }

    /// The proof of the authentication identity.
    pub const fn proof(&self) -> Proof<'a> {
        self.proof
    }

    /// The identity of the session once the credentials are accepted: the authorization identity, or
    /// else the authentication identity.
    pub fn identity(&self) -> Option<&'a str> {
        self.authorization.or(self.authentication)
    }

    /// Returns `true` if the client wants to act for a user other than itself, as far as the
    /// mechanism can tell.
    pub fn acts_for_another(&self) -> bool {
        self.authorization.is_some() && self.authorization != self.authentication
    }
}

impl core::fmt::Debug for Credentials<'_> {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        f.debug_struct("Credentials")
            .field("authentication", &self.authentication)
            .field("authorization", &self.authorization)
            .field("proof", &self.proof)
            .finish()
    }
}

/// The proof of an identity. `Debug` shows its kind alone.
///
/// ```
/// use ehlo_sasl::Proof;
///
/// assert_eq!(format!("{:?}", Proof::Password("secret")), "Password(redacted)");
/// ```
#[derive(Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum Proof<'a> {
    /// A password, for the application to compare.
    Password(&'a str),
    /// A bearer token, RFC 6750, for the application to verify: that it is valid, and that it belongs to
    /// the claimed identity.
    Token(&'a str),
    /// The lower layer proves it: the application knows the identity that TLS has authenticated.
    External,
    /// No proof. The text is an address or a word that the client left, without any meaning.
    Anonymous(&'a str),
    /// The mechanism has verified the identity; the application decides whether it may enter.
    Verified,
}

/// The kind of [`Proof`] that a mechanism carries.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Kind {
    Password,
    Token,
    External,
    Anonymous,
}

impl<'a> Proof<'a> {
    /// The kind; `None` for a proof that a client cannot have.
    pub(crate) const fn kind(self) -> Option<Kind> {
        match self {
            Self::Password(_) => Some(Kind::Password),
            Self::Token(_) => Some(Kind::Token),
            Self::External => Some(Kind::External),
            Self::Anonymous(_) => Some(Kind::Anonymous),
            Self::Verified => None,
        }
    }

    /// The text that the client sends; empty where there is no text.
    pub(crate) const fn text(self) -> &'a str {
        match self {
            Self::Password(text) | Self::Token(text) | Self::Anonymous(text) => text,
            Self::External | Self::Verified => "",
        }
    }
}

impl core::fmt::Debug for Proof<'_> {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        f.write_str(match self {
            Self::Password(_) => "Password(redacted)",
            Self::Token(_) => "Token(redacted)",
            Self::External => "External",
            Self::Anonymous(trace) => return write!(f, "Anonymous({trace:?})"),
            Self::Verified => "Verified",
        })
    }
}

/// The reason why a string cannot be part of [`Credentials`].
///
/// ```
/// use ehlo_sasl::{Credentials, CredentialsError};
///
/// assert_eq!(Credentials::password("", "secret"), Err(CredentialsError::Empty));
/// assert_eq!(Credentials::password("an\0na", "secret"), Err(CredentialsError::Forbidden));
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum CredentialsError {
    /// The string is empty.
    Empty,
    /// The string has a character that credentials cannot have, or is too long.
    Forbidden,
}

impl core::fmt::Display for CredentialsError {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        f.write_str(match self {
            Self::Empty => "empty credentials",
            Self::Forbidden => "a character that credentials cannot have",
        })
    }
}

impl core::error::Error for CredentialsError {}

/// The protection of the connection, for a client that chooses a mechanism.
///
/// ```
/// use ehlo_sasl::{Channel, Credentials};
/// use ehlo::syntax::sasl::{Mechanisms, SaslMechanism};
///
/// let offered = Mechanisms::NONE.with(SaslMechanism::Plain).with(SaslMechanism::Login);
/// let anna = Credentials::password("anna", "secret")?;
/// assert_eq!(Channel::Protected.strongest(offered, &anna), Some(SaslMechanism::Plain));
/// assert_eq!(Channel::Clear.strongest(offered, &anna), None);
/// # Ok::<(), ehlo_sasl::CredentialsError>(())
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Channel<'a> {
    /// No protection: mechanisms that need TLS are not used, RFC 4954 §4. See [`Mechanisms::NEED_TLS`].
    Clear,
    /// TLS, or an explicit decision to send secrets without it.
    Protected,
    /// TLS, with the data that binds the exchange to it.
    Bound(ChannelBinding<'a>),
}

impl<'a> Channel<'a> {
    /// The strongest mechanism that the server offers and that can carry these credentials: the first of
    /// [`SaslMechanism::ALL`]. The result does not depend on earlier attempts, so that a weaker
    /// mechanism never follows one that failed.
    pub fn strongest(
        &self,
        offered: Mechanisms,
        credentials: &Credentials<'_>,
    ) -> Option<SaslMechanism> {
        let common = offered.intersection(credentials.mechanisms());
        let usable = match self {
            Self::Clear => common.difference(Mechanisms::NEED_TLS).difference(BINDING),
            Self::Protected => common.difference(BINDING),
            Self::Bound(_) => common,
        };
        usable.iter().next()
    }

    /// The data that binds the exchange to TLS.
    pub const fn binding(&self) -> Option<ChannelBinding<'a>> {
        match self {
            Self::Bound(binding) => Some(*binding),
            Self::Clear | Self::Protected => None,
        }
    }
}

/// Data that both ends of a TLS connection know and an attacker between them does not, RFC 5056.
/// `Debug` shows its type alone.
///
/// ```
/// use ehlo_sasl::ChannelBinding;
///
/// // RFC 9266: 32 bytes that TLS 1.3 exports with the label EXPORTER-Channel-Binding.
/// let exported = [7; 32];
/// let binding = ChannelBinding::new("tls-exporter", &exported)?;
/// assert_eq!(binding.name(), "tls-exporter");
/// # Ok::<(), ehlo_sasl::CredentialsError>(())
/// ```
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct ChannelBinding<'a> {
    name: &'a str,
    data: &'a [u8],
}

impl<'a> ChannelBinding<'a> {
    /// A type of RFC 5929 or RFC 9266, as `tls-exporter` or `tls-server-end-point`, and its data.
    ///
    /// # Errors
    ///
    /// [`CredentialsError`]: an empty name or no data, or a name that is not
    /// `cb-name = 1*(ALPHA / DIGIT / "." / "-")`, RFC 5802 §7.
    pub fn new(name: &'a str, data: &'a [u8]) -> Result<Self, CredentialsError> {
        if name.is_empty() || data.is_empty() {
            return Err(CredentialsError::Empty);
        }
        if !name.bytes().all(|byte| byte.is_ascii_alphanumeric() || b".-".contains(&byte)) {
            return Err(CredentialsError::Forbidden);
        }
        Ok(Self { name, data })
    }

    /// The type.
    pub const fn name(&self) -> &'a str {
        self.name
    }

    /// The data.
    pub const fn data(&self) -> &'a [u8] {
        self.data
    }
}

impl core::fmt::Debug for ChannelBinding<'_> {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        write!(f, "ChannelBinding({})", self.name)
    }
}

/// An identity that any mechanism can carry, and that may be shown in a line of a log.
pub(crate) fn identity(name: &str) -> Result<&str, CredentialsError> {
    if name.is_empty() {
        return Err(CredentialsError::Empty);
    }
    if name.chars().any(is_prohibited) {
        return Err(CredentialsError::Forbidden);
    }
    Ok(name)
}

/// Returns `true` if a character is in no identity: RFC 4013 §2.3 prohibits control characters and
/// those that change how text is displayed, RFC 3454 C.2 and C.8. The isolates and the mark of
/// Unicode 6.3, which are younger, count too; characters that `SASLprep` maps to nothing do not.
fn is_prohibited(character: char) -> bool {
    character.is_control()
        || matches!(
            character,
            '\u{61c}' | '\u{6dd}' | '\u{70f}' | '\u{180e}' | '\u{200e}' | '\u{200f}'
                | '\u{2028}'..='\u{202e}'
                | '\u{2061}'..='\u{206f}'
                | '\u{fff9}'..='\u{fffc}'
                | '\u{1d173}'..='\u{1d17a}'
        )
}

/// `b64token = 1*( ALPHA / DIGIT / "-" / "." / "_" / "~" / "+" / "/" ) *"="`, RFC 6750 §2.1.
pub(super) fn b64token(token: &str) -> Result<&str, CredentialsError> {
    let mut characters = token.as_bytes();
    while let [rest @ .., b'='] = characters {
        characters = rest;
    }
    if characters.is_empty() {
        return Err(CredentialsError::Empty);
    }
    let allowed = |byte: &u8| byte.is_ascii_alphanumeric() || b"-._~+/".contains(byte);
    if characters.iter().all(allowed) { Ok(token) } else { Err(CredentialsError::Forbidden) }
}

/// The mechanisms that need a [`ChannelBinding`].
pub(super) const BINDING: Mechanisms =
    Mechanisms::NONE.with(SaslMechanism::ScramSha1Plus).with(SaslMechanism::ScramSha256Plus);

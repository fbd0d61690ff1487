//! The service extensions by name: those of the IANA registry, and a few that are not registered.

use crate::syntax::error::{SyntaxError, SyntaxErrorKind};
use crate::syntax::keyword::Names;

macro_rules! extensions {
    ($($(#[doc = $doc:literal])+ $name:ident $keyword:literal;)*) => {
        /// A service extension, RFC 5321 §2.2.
        ///
        /// ```
        /// use ehlo::Extension;
        ///
        /// assert_eq!(Extension::from_keyword(b"starttls"), Some(Extension::StartTls));
        /// assert_eq!(Extension::EightBitMime.keyword(), "8BITMIME");
        /// ```
        #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
        #[non_exhaustive]
        #[repr(u8)]
        pub enum Extension {
            $($(#[doc = $doc])+ $name,)*
        }

        impl Extension {
            /// Every extension, in the order of the registry.
            pub const ALL: &'static [Self] = &[$(Self::$name,)*];

            /// The EHLO keyword, in upper case.
            pub const fn keyword(self) -> &'static str {
                match self {
                    $(Self::$name => $keyword,)*
                }
            }
        }

        const KEYWORDS: Names<{ Extension::ALL.len() }> = Names::new([$($keyword,)*]);
    };
}

extensions! {
    /// Send to terminal, RFC 821; deprecated.
    Send "SEND";
    /// Send as mail or to terminal, RFC 821; deprecated.
    Soml "SOML";
    /// Send as mail and to terminal, RFC 821; deprecated.
    Saml "SAML";
    /// Verify, RFC 5321 §4.1.1.6; a required command, which some servers list.
    Vrfy "VRFY";
    /// Expand the mailing list, RFC 5321 §4.1.1.7.
    Expn "EXPN";
    /// Supply helpful information, RFC 5321 §4.1.1.8.
    Help "HELP";
    /// Turn the operation around, RFC 821; deprecated.
    Turn "TURN";
    /// 8-bit content in lines, RFC 6152.
    EightBitMime "8BITMIME";
    /// Message size declaration, RFC 1870.
    Size "SIZE";
    /// Verbose, Eric Allman; no definition.
    Verb "VERB";
    /// One message transaction only, Eric Allman; no definition.
    Onex "ONEX";
    /// Content in chunks by BDAT, RFC 3030.
    Chunking "CHUNKING";
    /// Content without lines, RFC 3030.
    BinaryMime "BINARYMIME";
    /// Checkpoint and restart, RFC 1845; experimental.
    Checkpoint "CHECKPOINT";
    /// Deliver by a time, RFC 2852.
    DeliverBy "DELIVERBY";
    /// Command pipelining, RFC 2920.
    Pipelining "PIPELINING";
    /// Delivery status notification, RFC 3461.
    Dsn "DSN";
    /// Extended turn, RFC 1985.
    Etrn "ETRN";
    /// Enhanced status codes in replies, RFC 2034.
    EnhancedStatusCodes "ENHANCEDSTATUSCODES";
    /// TLS, RFC 3207.
    StartTls "STARTTLS";
    /// Notification of no soliciting, RFC 3865.
    NoSoliciting "NO-SOLICITING";
    /// Message tracking, RFC 3885.
    Mtrk "MTRK";
    /// Responsible submitter, RFC 4405.
    Submitter "SUBMITTER";
    /// Authenticated TURN, RFC 2645.
    Atrn "ATRN";
    /// Authentication, RFC 4954.
    Auth "AUTH";
    /// Future message release, RFC 4865.
    FutureRelease "FUTURERELEASE";
    /// Internationalised addresses of RFC 5336; obsolete.
    Utf8Smtp "UTF8SMTP";
    /// Internationalised addresses, RFC 6531.
    SmtpUtf8 "SMTPUTF8";
    /// Remote content, RFC 4468.
    Burl "BURL";
    /// Content conversion permission, RFC 4141.
    ConPerm "CONPERM";
    /// Content conversion negotiation, RFC 4141.
    ConNeg "CONNEG";
    /// Priority message handling, RFC 6710.
    MtPriority "MT-PRIORITY";
    /// Require recipient valid since, RFC 7293.
    Rrvs "RRVS";
    /// Require TLS, RFC 8689.
    RequireTls "REQUIRETLS";
    /// Server limits, RFC 9422.
    Limits "LIMITS";
    /// The attributes of a peer, as a proxy knows them, Postfix; not registered.
    Xclient "XCLIENT";
    /// The client's attributes for logging, Postfix; not registered.
    Xforward "XFORWARD";
    /// A reply for each recipient after the data, Exim; not registered.
    Prdr "PRDR";
}

/// The keyword.
impl core::fmt::Display for Extension {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        f.pad(self.keyword())
    }
}

impl AsRef<str> for Extension {
    fn as_ref(&self) -> &str {
        self.keyword()
    }
}

/// The extension of a keyword, in any case.
///
/// ```
/// use ehlo::Extension;
///
/// assert_eq!("StartTLS".parse(), Ok(Extension::StartTls));
/// assert!("X-OWN".parse::<Extension>().is_err());
/// ```
impl core::str::FromStr for Extension {
    type Err = SyntaxError;

    fn from_str(keyword: &str) -> Result<Self, SyntaxError> {
        let error = SyntaxError { kind: SyntaxErrorKind::Parameter, offset: 0 };
        Self::from_keyword(keyword.as_bytes()).ok_or(error)
    }
}

impl Extension {
    /// The extension of this EHLO keyword, in any case; the whole keyword must match.
    #[inline]
    pub fn from_keyword(keyword: &[u8]) -> Option<Self> {
        Self::ALL.get(KEYWORDS.find(keyword)?).copied()
    }

    /// The length of the word that a line begins with, 24 if it may be longer, and its extension.
    #[inline]
    pub(crate) fn front(line: &[u8]) -> (usize, Option<Self>) {
        let (length, place) = KEYWORDS.find_front(line);
        (length, place.and_then(|place| Self::ALL.get(place)).copied())
    }

    /// The bit of the extension in a set.
    #[inline]
    pub(crate) const fn bit(self) -> u64 {
        1 << self as u8
    }
}

const _: () = assert!(Extension::ALL.len() <= 64);

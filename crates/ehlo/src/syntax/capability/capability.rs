//! One line of an EHLO reply. RFC 5321 §4.1.1.1.

use core::fmt;

use crate::syntax::encode::{Encode, Writer};
use crate::syntax::extension::Extension;
use crate::syntax::grammar::as_str;
use crate::syntax::grammar::text::put_text;
use crate::syntax::limits;

use super::words::{is_word, number};
use super::{
    AuthMechanisms, DeliverBy, EhloKeyword, EhloParams, FutureRelease, Limits, PriorityProfile,
    SolicitationKeywords,
};

macro_rules! capabilities {
    ($($(#[doc = $doc:literal])+ $name:ident,)*) => {
        /// One line of an EHLO reply after the first: a keyword and its parameters.
        ///
        /// Parsing never fails and reads as much as it can: keywords in any case, and parameters
        /// behind tabs, several spaces, `=` or bytes that a text cannot have. The reason: a client
        /// that misses an offer sends mail without TLS, or not at all. Parsing ignores what an RFC
        /// tells a client to ignore; it keeps every other line as it is.
        ///
        /// ```
        /// use ehlo::{Capability, Encode, Extension};
        ///
        /// assert_eq!(Capability::parse(b"size 1000"), Capability::Size(Some(1000)));
        /// assert_eq!(Capability::parse(b"STARTTLS").extension(), Some(Extension::StartTls));
        /// assert_eq!(Capability::parse(b"X_PIPE"), Capability::Malformed(b"X_PIPE"));
        ///
        /// let mut out = [0; 16];
        /// let written = Capability::Size(None).encode(&mut out)?;
        /// assert_eq!(&out[..written], b"SIZE");
        /// # Ok::<(), ehlo::syntax::BufferTooSmall>(())
        /// ```
        #[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
        #[non_exhaustive]
        pub enum Capability<'a> {
            $($(#[doc = $doc])+ $name,)*
            /// The largest message in bytes, RFC 1870 §3. Zero means no fixed maximum; `None` means
            /// that the server gave no size. A word that is not a number below 2^64 is ignored.
            Size(Option<u64>),
            /// SASL mechanisms, RFC 4954 §3.
            Auth(AuthMechanisms<'a>),
            /// SASL mechanisms in the form `AUTH=`, which is older than the RFC and not in its grammar.
            LegacyAuth(AuthMechanisms<'a>),
            /// Deliver by a time, RFC 2852 §2.
            DeliverBy(DeliverBy<'a>),
            /// Future message release, RFC 4865 §3. Without both parameters it is
            /// [`Malformed`](Self::Malformed).
            FutureRelease(FutureRelease),
            /// Server limits, RFC 9422 §3. With a syntax error it is
            /// [`Malformed`](Self::Malformed).
            Limits(Limits<'a>),
            /// Remote content, RFC 4468 §3: `imap`, or `imap://` and a server.
            Burl(EhloParams<'a>),
            /// Priority message handling, RFC 6710 §3: the priority assignment profile.
            MtPriority(Option<PriorityProfile<'a>>),
            /// Notification of no soliciting, RFC 3865 §2.
            NoSoliciting(SolicitationKeywords<'a>),
            /// The attributes that XCLIENT takes; Postfix, `XCLIENT_README`.
            Xclient(EhloParams<'a>),
            /// The attributes that XFORWARD takes; Postfix, `XFORWARD_README`.
            Xforward(EhloParams<'a>),
            /// A keyword that this crate does not know.
            Other {
                /// The keyword.
                keyword: EhloKeyword<'a>,
                /// The parameters behind it.
                parameters: EhloParams<'a>,
            },
            /// A line outside the grammar, without its CRLF.
            Malformed(&'a [u8]),
        }

        impl<'a> Capability<'a> {
            /// The capability that consists of a keyword alone, or of a keyword with parameters of
            /// unknown form.
            pub(super) fn of(extension: Extension, parameters: EhloParams<'a>) -> Option<Self> {
                Some(match extension {
                    $(Extension::$name => Self::$name,)*
                    Extension::Size => Self::Size(size(parameters)),
                    Extension::Auth => Self::Auth(AuthMechanisms::listed(parameters)),
                    Extension::DeliverBy => Self::DeliverBy(DeliverBy::parse(parameters)),
                    Extension::FutureRelease => {
                        Self::FutureRelease(FutureRelease::parse(parameters)?)
                    }
                    Extension::Limits => Self::Limits(Limits::parse(parameters)?),
                    Extension::Burl => Self::Burl(parameters),
                    Extension::MtPriority => {
                        Self::MtPriority(PriorityProfile::parse(parameters))
                    }
                    Extension::NoSoliciting => {
                        Self::NoSoliciting(SolicitationKeywords::parse(parameters))
                    }
                    Extension::Xclient => Self::Xclient(parameters),
                    Extension::Xforward => Self::Xforward(parameters),
                })
            }

            /// The extension that the line offers.
            pub const fn extension(&self) -> Option<Extension> {
                Some(match self {
                    $(Self::$name => Extension::$name,)*
                    Self::Size(_) => Extension::Size,
                    Self::Auth(_) | Self::LegacyAuth(_) => Extension::Auth,
                    Self::DeliverBy(_) => Extension::DeliverBy,
                    Self::FutureRelease(_) => Extension::FutureRelease,
                    Self::Limits(_) => Extension::Limits,
                    Self::Burl(_) => Extension::Burl,
                    Self::MtPriority(_) => Extension::MtPriority,
                    Self::NoSoliciting(_) => Extension::NoSoliciting,
                    Self::Xclient(_) => Extension::Xclient,
                    Self::Xforward(_) => Extension::Xforward,
                    Self::Other { .. } | Self::Malformed(_) => return None,
                })
            }
        }
    };
}

capabilities! {
    /// Send to terminal, RFC 821; deprecated.
    Send,
    /// Send as mail or to terminal, RFC 821; deprecated.
    Soml,
    /// Send as mail and to terminal, RFC 821; deprecated.
    Saml,
    /// Verify, RFC 5321 §4.1.1.6.
    Vrfy,
    /// Expand the mailing list, RFC 5321 §4.1.1.7.
    Expn,
    /// Supply helpful information, RFC 5321 §4.1.1.8.
    Help,
    /// Turn the operation around, RFC 821; deprecated.
    Turn,
    /// 8-bit content in lines, RFC 6152.
    EightBitMime,
    /// Verbose, Eric Allman; no definition.
    Verb,
    /// One message transaction only, Eric Allman; no definition.
    Onex,
    /// Content in chunks by BDAT, RFC 3030.
    Chunking,
    /// Content without lines, RFC 3030.
    BinaryMime,
    /// Checkpoint and restart, RFC 1845.
    Checkpoint,
    /// Command pipelining, RFC 2920.
    Pipelining,
    /// Delivery status notification, RFC 3461.
    Dsn,
    /// Extended turn, RFC 1985.
    Etrn,
    /// Enhanced status codes in replies, RFC 2034.
    EnhancedStatusCodes,
    /// TLS, RFC 3207.
    StartTls,
    /// Message tracking, RFC 3885.
    Mtrk,
    /// Responsible submitter, RFC 4405.
    Submitter,
    /// Authenticated TURN, RFC 2645.
    Atrn,
    /// Internationalised addresses as RFC 5336 had them; obsolete.
    Utf8Smtp,
    /// Internationalised addresses, RFC 6531 §3.1, which tells a client to ignore any parameters.
    SmtpUtf8,
    /// Content conversion permission, RFC 4141.
    ConPerm,
    /// Content conversion negotiation, RFC 4141.
    ConNeg,
    /// Require recipient valid since, RFC 7293.
    Rrvs,
    /// Require TLS, RFC 8689.
    RequireTls,
    /// A reply for each recipient after the data, Exim.
    Prdr,
}

impl<'a> Capability<'a> {
    /// The capability that a line of an EHLO reply offers; `line` has no code and no CRLF.
    ///
    /// `ehlo-line = ehlo-keyword *( SP ehlo-param )`,
    /// `ehlo-keyword = (ALPHA / DIGIT) *(ALPHA / DIGIT / "-")`
    pub fn parse(line: &'a [u8]) -> Self {
        Self::parse_line(line).unwrap_or(Self::Malformed(line))
    }

    fn parse_line(line: &'a [u8]) -> Option<Self> {
        let start = line.iter().position(|&byte| is_word(byte))?;
        let rest = line.get(start..)?;
        let is_end = |byte: &u8| !is_word(*byte) || *byte == b'=';
        let (keyword, rest) =
            rest.split_at_checked(rest.iter().position(is_end).unwrap_or(rest.len()))?;
        match Extension::from_keyword(keyword) {
            Some(extension) => Self::with_parameters(extension, rest),
            None if rest.first() == Some(&b'=') => None,
            None => Some(Self::Other {
                keyword: EhloKeyword::checked(keyword)?,
                parameters: EhloParams::received(rest),
            }),
        }
    }

    /// The capability of a keyword, whose parameters are `rest`: empty, or words behind a space or
    /// behind another byte that servers write in its place.
    #[inline]
    pub(super) fn with_parameters(extension: Extension, rest: &'a [u8]) -> Option<Self> {
        if let (Extension::Auth, [b'=', mechanisms @ ..]) = (extension, rest) {
            return Some(Self::LegacyAuth(AuthMechanisms::listed(EhloParams::received(
                mechanisms,
            ))));
        }
        // RFC 9422 §3: a limit that begins with "=" has a basic syntax error.
        let equals = if matches!(extension, Extension::Limits) { None } else { Some(&b'=') };
        let mut words = rest;
        while let [byte, after @ ..] = words {
            if is_word(*byte) && Some(byte) != equals {
                break;
            }
            words = after;
        }
        Self::of(extension, EhloParams::received(words))
    }
}

/// See [`Capability::parse`].
impl<'a> From<&'a str> for Capability<'a> {
    fn from(line: &'a str) -> Self {
        Self::parse(line.as_bytes())
    }
}

/// The line as it is written; `…` replaces the part beyond the length of a reply line.
///
/// ```
/// use ehlo::Capability;
///
/// assert_eq!(Capability::from("size\t1000").to_string(), "SIZE 1000");
/// ```
impl fmt::Display for Capability<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut line = [0; limits::REPLY_LINE];
        if let Ok(length) = self.encode(&mut line) {
            return f.write_str(as_str(line.get(..length).unwrap_or_default()));
        }
        f.write_str(self.extension().map_or("", Extension::keyword))?;
        f.write_str(" …")
    }
}

/// The line without its code and CRLF.
impl Encode for Capability<'_> {
    fn write_to(&self, writer: &mut Writer<'_>) {
        if let Some(extension) = self.extension() {
            writer.put(extension.keyword().as_bytes());
        }
        match self {
            Self::Size(Some(size)) => {
                writer.put_byte(b' ');
                writer.put_number(*size);
            }
            Self::Auth(mechanisms) => mechanisms.write(b' ', writer),
            Self::LegacyAuth(mechanisms) => mechanisms.write(b'=', writer),
            Self::DeliverBy(deliver_by) => deliver_by.write_to(writer),
            Self::FutureRelease(future_release) => future_release.write_to(writer),
            Self::Limits(limits) => limits.write_to(writer),
            Self::MtPriority(Some(profile)) => {
                writer.put_byte(b' ');
                writer.put(profile.name().as_bytes());
            }
            Self::NoSoliciting(keywords) => keywords.write_to(writer),
            Self::Burl(parameters) | Self::Xclient(parameters) | Self::Xforward(parameters) => {
                parameters.write_to(writer);
            }
            Self::Other { keyword, parameters } => {
                writer.put(keyword.as_str().as_bytes());
                parameters.write_to(writer);
            }
            // It may hold any byte: one that a text cannot have is written as a question mark.
            Self::Malformed(line) => put_text(line, writer),
            _ => {}
        }
    }
}

/// `size-param ::= [1*DIGIT]`
fn size(parameters: EhloParams<'_>) -> Option<u64> {
    number(parameters.first())
}

//! Keywords and parameters that an application adds to those of the registry.

use super::{Capability, EhloKeyword};
use crate::syntax::error::{SyntaxError, SyntaxErrorKind};
use crate::syntax::extension::Extension;
use crate::syntax::limits;
use crate::syntax::parameter::{Place, is_registered};

/// One line that a reply to EHLO may have beside those of [`Capabilities`](super::Capabilities): a
/// keyword that no RFC of this crate knows, with the parameters of MAIL and RCPT that it licenses, or
/// the words behind a registered keyword. [`Offers`] checks it.
///
/// RFC 5321 §2.2.2: a keyword that does not begin with X belongs to a registered extension.
///
/// ```
/// use ehlo::syntax::capability::Offer;
///
/// const XOORG: Offer = Offer::new("XOORG").with_mail(&["XOORG"]);
/// const BURL: Offer = Offer::new("BURL imap");
/// assert_eq!((XOORG.line(), BURL.line()), ("XOORG", "BURL imap"));
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Offer {
    line: &'static str,
    mail: &'static [&'static str],
    rcpt: &'static [&'static str],
}

impl Offer {
    /// A line of a reply to EHLO, without its code: `ehlo-keyword *( SP ehlo-param )`, RFC 5321
    /// §4.1.1.1.
    pub const fn new(line: &'static str) -> Self {
        Self { line, mail: &[], rcpt: &[] }
    }

    /// Sets the keywords of the parameters that MAIL may then have.
    #[must_use]
    pub const fn with_mail(self, keywords: &'static [&'static str]) -> Self {
        Self { mail: keywords, ..self }
    }

    /// Sets the keywords of the parameters that RCPT may then have.
    #[must_use]
    pub const fn with_rcpt(self, keywords: &'static [&'static str]) -> Self {
        Self { rcpt: keywords, ..self }
    }

    /// The line.
    pub const fn line(&self) -> &'static str {
        self.line
    }

    /// The keywords of the parameters of MAIL.
    pub const fn mail(&self) -> &'static [&'static str] {
        self.mail
    }

    /// The keywords of the parameters of RCPT.
    pub const fn rcpt(&self) -> &'static [&'static str] {
        self.rcpt
    }

    /// The keyword.
    pub(super) const fn keyword(&self) -> &'static str {
        let line = self.line.as_bytes();
        let Some((keyword, _)) = line.split_at_checked(keyword_length(line)) else { return "" };
        match core::str::from_utf8(keyword) {
            Ok(keyword) => keyword,
            // It is ASCII.
            Err(_) => "",
        }
    }

    /// The registered extension of the keyword.
    pub(super) const fn extension(&self) -> Option<Extension> {
        let mut all = Extension::ALL;
        while let [extension, rest @ ..] = all {
            if is_same(extension.keyword(), self.keyword()) {
                return Some(*extension);
            }
            all = rest;
        }
        None
    }

    pub(super) fn capability(&self) -> Capability<'static> {
        Capability::from(self.line)
    }

    /// Whether it licenses a parameter.
    pub(super) fn licenses(&self, keyword: &str, place: Place) -> bool {
        let among =
            |keywords: &[&str]| keywords.iter().any(|own| own.eq_ignore_ascii_case(keyword));
        match place {
            Place::Mail => among(self.mail),
            Place::Rcpt => among(self.rcpt),
            Place::Both => among(self.mail) || among(self.rcpt),
        }
    }

    const fn check(&self) -> Result<(), SyntaxErrorKind> {
        let line = self.line.as_bytes();
        // RFC 5321 §4.5.3.1.5: 512 bytes with the code and the CRLF.
        if line.len() > limits::REPLY_LINE - 6 {
            return Err(SyntaxErrorKind::LineTooLong);
        }
        let mut at = keyword_length(line);
        if !is_keyword(self.keyword()) || (at < line.len() && line[at] != b' ') {
            return Err(SyntaxErrorKind::Parameter);
        }
        // `*( SP ehlo-param )`, `ehlo-param = 1*(%d33-126)`
        while at < line.len() {
            let is_space = line[at] == b' ';
            let ends_word = at + 1 == line.len() || line[at + 1] == b' ';
            if !matches!(line[at], b' '..=b'~') || (is_space && ends_word) {
                return Err(SyntaxErrorKind::Parameter);
            }
            at += 1;
        }
        let parameters = !self.mail.is_empty() || !self.rcpt.is_empty();
        match self.extension() {
            // What stands behind the others, `Capabilities` has as values, and the machines keep to it.
            Some(
                Extension::Burl
                | Extension::NoSoliciting
                | Extension::Xclient
                | Extension::Xforward,
            ) if !parameters => Ok(()),
            None if are_keywords(self.mail) && are_keywords(self.rcpt) => Ok(()),
            _ => Err(SyntaxErrorKind::Parameter),
        }
    }
}

/// Checked lines, for [`Capabilities::with_offers`](super::Capabilities::with_offers) at a server and
/// [`ClientConfig::offers`](crate::ClientConfig::offers) at a client.
///
/// ```
/// use ehlo::syntax::capability::{Capabilities, Offer, Offers};
///
/// static OFFERS: Offers = match Offers::new(&[
///     Offer::new("X-TEST").with_mail(&["X-FOO"]).with_rcpt(&["X-BAR"]),
///     Offer::new("BURL imap"),
/// ]) {
///     Ok(offers) => offers,
///     Err(_) => panic!("the lines are right"),
/// };
///
/// let offered = Capabilities::NONE.with_offers(&OFFERS);
/// assert_eq!(offered.to_string(), "BURL imap, X-TEST");
/// static WRONG: &[Offer] = &[Offer::new("X\r\n")];
/// assert!(Offers::new(WRONG).is_err());
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Offers(&'static [Offer]);

impl Offers {
    /// No lines.
    pub const NONE: &'static Self = &Self(&[]);

    /// The most lines.
    pub const MAX: usize = 20;

    /// These lines.
    ///
    /// # Errors
    ///
    /// `offset` is the index in `list`. `Parameter` for a line or a keyword outside its grammar, a
    /// registered keyword whose words are values of [`Capabilities`](super::Capabilities) (all but
    /// BURL, NO-SOLICITING, XCLIENT and XFORWARD), a parameter that has a type here, and for more than
    /// [`MAX`](Self::MAX) lines; `LineTooLong`; `DuplicateParameter` for a keyword that stands twice.
    pub const fn new(list: &'static [Offer]) -> Result<Self, SyntaxError> {
        let mut at = 0;
        while at < list.len() {
            if at == Self::MAX {
                return Err(SyntaxError { kind: SyntaxErrorKind::Parameter, offset: at });
            }
            if let Err(kind) = list[at].check() {
                return Err(SyntaxError { kind, offset: at });
            }
            let mut before = 0;
            while before < at {
                if is_same(list[before].keyword(), list[at].keyword()) {
                    let kind = SyntaxErrorKind::DuplicateParameter;
                    return Err(SyntaxError { kind, offset: at });
                }
                before += 1;
            }
            at += 1;
        }
        Ok(Self(list))
    }

    /// The lines.
    pub const fn as_slice(&self) -> &'static [Offer] {
        self.0
    }

    /// The words behind a registered keyword.
    pub(super) fn words(&self, extension: Extension) -> Option<Capability<'static>> {
        let offer = self.0.iter().find(|offer| offer.extension() == Some(extension))?;
        Some(offer.capability())
    }

    /// The place of a keyword that is not registered.
    pub(super) fn place(&self, keyword: EhloKeyword<'_>) -> Option<usize> {
        let is_it = |offer: &Offer| offer.keyword().eq_ignore_ascii_case(keyword.as_str());
        self.0.iter().position(is_it)
    }
}

/// `ehlo-keyword = (ALPHA / DIGIT) *(ALPHA / DIGIT / "-")`; that of parameters is the same.
const fn is_keyword(text: &str) -> bool {
    let bytes = text.as_bytes();
    !bytes.is_empty() && bytes[0] != b'-' && keyword_length(bytes) == bytes.len()
}

const fn are_keywords(mut list: &[&str]) -> bool {
    while let [keyword, rest @ ..] = list {
        if !is_keyword(keyword) || is_registered(keyword) {
            return false;
        }
        list = rest;
    }
    true
}

const fn keyword_length(line: &[u8]) -> usize {
    let mut length = 0;
    while length < line.len() && (line[length].is_ascii_alphanumeric() || line[length] == b'-') {
        length += 1;
    }
    length
}

const fn is_same(one: &str, other: &str) -> bool {
    let (one, other) = (one.as_bytes(), other.as_bytes());
    if one.len() != other.len() {
        return false;
    }
    let mut at = 0;
    while at < one.len() {
        if !one[at].eq_ignore_ascii_case(&other[at]) {
            return false;
        }
        at += 1;
    }
    true
}

/// The bits of registered extensions, and the first bit above them.
pub(super) const REGISTERED: u64 = FIRST_PRIVATE - 1;
pub(super) const FIRST_PRIVATE: u64 = 1 << Extension::ALL.len();

const _: () = assert!(Extension::ALL.len() + Offers::MAX <= 64, "a set has no bit left");

//! `Received:`, RFC 5321 §4.4: the time stamp line.

use core::net::IpAddr;

use super::{FOLD, Timestamp, put_ctext, put_literal};
use crate::identity::Verdict;
use crate::syntax::encode::{Encode, Writer};
use crate::syntax::error::{SyntaxError, SyntaxErrorKind};
use crate::syntax::grammar::{ATEXT, many1, split, whole, wire_text};
use crate::syntax::limits;
use crate::syntax::path::forward_path::ForwardPath;
use crate::syntax::path::{ClientName, Domain, Host};

/// `Received:`, `Time-stamp-line` of RFC 5321 §4.4: the origin of a message, its recipient, the
/// protocol and the time.
///
/// It is folded before each clause; no line exceeds 998 bytes, whatever the names.
///
/// ```
/// use ehlo::trace::{Atom, Protocol, ReceivedField, Timestamp};
/// use ehlo::{Encode, ForwardPath};
/// use ehlo::syntax::path::{ClientName, Domain, Host};
///
/// let by = Host::new("mx.example.net")?;
/// let date = Timestamp::utc(1_800_000_000).unwrap();
/// let received = ReceivedField {
///     peer: Some("192.0.2.1".parse()?),
///     reverse_name: Some(Domain::new("mail.example.org")?),
///     id: Some(Atom::new("4F1B")?),
///     recipient: Some(ForwardPath::new("b@example.net")?),
///     ..ReceivedField::new(ClientName::new("mx.example.org")?, by, Protocol::ESMTP, date)
/// };
/// let mut out = [0; 256];
/// let written = received.encode(&mut out)?;
/// assert_eq!(
///     core::str::from_utf8(&out[..written])?,
///     "Received: from mx.example.org (mail.example.org [192.0.2.1])\r\n\
///      \tby mx.example.net with ESMTP id 4F1B\r\n\
///      \tfor <b@example.net>;\r\n\
///      \tFri, 15 Jan 2027 08:00:00 +0000\r\n"
/// );
/// # Ok::<(), Box<dyn core::error::Error>>(())
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ReceivedField<'a> {
    /// The name that the client greeted with. If it is neither a domain nor a literal, it stands in a
    /// comment, and the address of the peer takes its place.
    pub claimed: ClientName<'a>,
    /// The client's address, from the connection. §4.4: the "FROM" clause has it and the name.
    pub peer: Option<IpAddr>,
    /// The name of that address, if it was verified.
    pub reverse_name: Option<Domain<'a>>,
    /// The result of a check of the name, written as a comment; it also has the reverse name, if
    /// `reverse_name` is `None`.
    pub verdict: Option<Verdict<'a>>,
    /// This server.
    pub by: Host<'a>,
    /// The protocol by which the message came.
    pub with: Protocol,
    /// The identifier of the message on this server.
    pub id: Option<Atom<'a>>,
    /// The recipient, only if the message has no other one, RFC 5321 §7.6. A source route is left out,
    /// and so is the postmaster without a domain, which the clause cannot express.
    pub recipient: Option<ForwardPath<'a>>,
    /// The time at which it was received.
    pub date: Timestamp,
}

impl<'a> ReceivedField<'a> {
    /// The field without its optional parts.
    pub const fn new(
        claimed: ClientName<'a>,
        by: Host<'a>,
        with: Protocol,
        date: Timestamp,
    ) -> Self {
        Self {
            claimed,
            peer: None,
            reverse_name: None,
            verdict: None,
            by,
            with,
            id: None,
            recipient: None,
            date,
        }
    }

    /// The field of a client whose name was checked: with its address and the verdict.
    pub const fn checked(
        verdict: Verdict<'a>,
        by: Host<'a>,
        with: Protocol,
        date: Timestamp,
    ) -> Self {
        let mut field = Self::new(verdict.claimed, by, with, date);
        field.peer = Some(verdict.peer);
        field.verdict = Some(verdict);
        field
    }

    /// `From-domain = "FROM" FWS Extended-Domain`, and a comment.
    fn write_from(&self, writer: &mut Writer<'_>) {
        writer.put(b"from ");
        let irregular = match self.claimed {
            ClientName::Domain(domain) if is_plain(domain) => {
                domain.write_to(writer);
                None
            }
            ClientName::AddressLiteral(literal) => {
                literal.write_to(writer);
                None
            }
            ClientName::Domain(domain) => Some(domain.as_bytes()),
            ClientName::Irregular(text) => Some(text.as_bytes()),
        };
        match (irregular, self.peer) {
            (None, _) => {}
            (Some(_), Some(peer)) => put_literal(peer, writer),
            (Some(_), None) => writer.put(b"unknown"),
        }
        if let Some(peer) = self.peer {
            // `TCP-info = address-literal / ( Domain FWS address-literal )`
            writer.put(b" (");
            let verified = self.verdict.and_then(|verdict| verdict.verified_name());
            if let Some(name) = self.reverse_name.or(verified).filter(|name| is_plain(*name)) {
                name.write_to(writer);
                writer.put_byte(b' ');
            }
            put_literal(peer, writer);
            writer.put_byte(b')');
        }
        self.write_comment(irregular, writer);
    }

    fn write_comment(&self, irregular: Option<&[u8]>, writer: &mut Writer<'_>) {
        if irregular.is_none() && self.verdict.is_none() {
            return;
        }
        writer.put(FOLD);
        writer.put(b"(helo");
        if let Some(text) = irregular {
            writer.put_byte(b'=');
            // The line must not be too long even with every byte quoted.
            put_ctext(split(text, limits::DOMAIN).0, writer);
        }
        if let Some(verdict) = self.verdict {
            let facts = [
                (&b" syntax="[..], verdict.syntax.as_str()),
                (b" claim=", verdict.claim.as_str()),
                (b" iprev=", verdict.iprev.as_str()),
            ];
            for (name, value) in facts {
                writer.put(name);
                writer.put(value.as_bytes());
            }
            if let Some(forgery) = verdict.forgery {
                writer.put(b" forgery=");
                writer.put(forgery.as_str().as_bytes());
            }
        }
        writer.put_byte(b')');
    }
}

impl Encode for ReceivedField<'_> {
    fn write_to(&self, writer: &mut Writer<'_>) {
        // `Time-stamp-line = "Received:" FWS Stamp <CRLF>`,
        // `Stamp = From-domain By-domain Opt-info [CFWS] ";" FWS date-time`
        writer.put(b"Received: ");
        self.write_from(writer);
        writer.put(FOLD);
        writer.put(b"by ");
        self.by.write_to(writer);
        // `Opt-info = [Via] [With] [ID] [For] [Additional-Registered-Clauses]`
        writer.put(b" with ");
        writer.put(self.with.as_str().as_bytes());
        if let Some(id) = self.id {
            writer.put(b" id ");
            id.write_to(writer);
        }
        if let Some(path) = self.recipient.and_then(|recipient| recipient.path()) {
            writer.put(FOLD);
            writer.put(b"for ");
            path.without_route().write_to(writer);
        }
        writer.put_byte(b';');
        writer.put(FOLD);
        self.date.write_to(writer);
        writer.put(b"\r\n");
    }
}

/// Returns `true` if a name is in the grammar of RFC 5321 §4.1.2; a leniently read name may not be.
fn is_plain(name: Domain<'_>) -> bool {
    name.is_ascii() && !name.as_bytes().contains(&b'_')
}

/// The protocol by which a message came, for the "with" clause: RFC 5321 §4.4, RFC 3848 and RFC
/// 6531 §4.3.
///
/// ```
/// use ehlo::trace::Protocol;
///
/// assert_eq!(Protocol::ESMTP.as_str(), "ESMTP");
/// assert_eq!(Protocol { tls: true, authenticated: true, ..Protocol::ESMTP }.as_str(), "ESMTPSA");
/// assert_eq!(Protocol { smtputf8: true, ..Protocol::LMTP }.as_str(), "UTF8LMTP");
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Protocol {
    /// LMTP, RFC 2033.
    pub lmtp: bool,
    /// Greeted by EHLO; always so in LMTP. Otherwise the keyword is `SMTP`, because the registry
    /// has no other.
    pub extended: bool,
    /// Inside TLS.
    pub tls: bool,
    /// After AUTH.
    pub authenticated: bool,
    /// A message that needs SMTPUTF8.
    pub smtputf8: bool,
}

impl Protocol {
    /// A session with HELO.
    pub const SMTP: Self =
        Self { lmtp: false, extended: false, tls: false, authenticated: false, smtputf8: false };

    /// A session with EHLO.
    pub const ESMTP: Self = Self { extended: true, ..Self::SMTP };

    /// A session of LMTP.
    pub const LMTP: Self = Self { lmtp: true, ..Self::ESMTP };

    /// The keyword.
    pub const fn as_str(self) -> &'static str {
        let Self { lmtp, extended, tls, authenticated, smtputf8 } = self;
        match (lmtp, smtputf8, tls, authenticated) {
            (false, ..) if !extended => "SMTP",
            (false, false, false, false) => "ESMTP",
            (false, false, false, true) => "ESMTPA",
            (false, false, true, false) => "ESMTPS",
            (false, false, true, true) => "ESMTPSA",
            (false, true, false, false) => "UTF8SMTP",
            (false, true, false, true) => "UTF8SMTPA",
            (false, true, true, false) => "UTF8SMTPS",
            (false, true, true, true) => "UTF8SMTPSA",
            (true, false, false, false) => "LMTP",
            (true, false, false, true) => "LMTPA",
            (true, false, true, false) => "LMTPS",
            (true, false, true, true) => "LMTPSA",
            (true, true, false, false) => "UTF8LMTP",
            (true, true, false, true) => "UTF8LMTPA",
            (true, true, true, false) => "UTF8LMTPS",
            (true, true, true, true) => "UTF8LMTPSA",
        }
    }
}

impl core::fmt::Display for Protocol {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        f.pad(self.as_str())
    }
}

/// `Atom`, RFC 5321 §4.1.2: one to 255 bytes of `atext`, without a dot.
///
/// ```
/// use ehlo::trace::Atom;
///
/// assert_eq!(Atom::new("1rABCd-0002xy-3F")?.as_str(), "1rABCd-0002xy-3F");
/// assert!(Atom::new("a b").is_err());
/// assert!(Atom::new("a\r\nb").is_err());
/// # Ok::<(), ehlo::SyntaxError>(())
/// ```
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub struct Atom<'a>(&'a [u8]);

impl<'a> Atom<'a> {
    /// The atom of this text.
    ///
    /// # Errors
    ///
    /// `Argument`, `Control`, `NonAscii` or `LineTooLong`, with the offset in `text`.
    pub fn new(text: &'a str) -> Result<Self, SyntaxError> {
        const KIND: SyntaxErrorKind = SyntaxErrorKind::Argument;
        let atom = whole(text.as_bytes(), KIND, |input| many1(input, &ATEXT, KIND))?;
        if atom.len() > limits::DOMAIN {
            return Err(SyntaxError { kind: SyntaxErrorKind::LineTooLong, offset: limits::DOMAIN });
        }
        Ok(Self(atom))
    }
}

wire_text!(Atom);

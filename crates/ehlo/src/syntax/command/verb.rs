//! The verbs of the commands that this crate knows, told apart by four letters in a [perfect
//! hash](perfect_hash).
//!
//! A new verb is a row of [`VERBS`], and an arm wherever the compiler misses one. Its first four
//! letters must be no other's. Measure with `ci/instructions`, contest `commands/core`.

use crate::syntax::extension::Extension;
use crate::syntax::grammar::{after_literal, perfect_hash};

/// A command by name, or another event that has a reply although no command was sent.
///
/// ```
/// use ehlo::{Command, Extension};
/// use ehlo::syntax::command::Verb;
///
/// let chunk = Command::Bdat { size: 10, last: true };
/// assert_eq!(chunk.verb(), Verb::BdatLast);
/// assert_eq!(Verb::BdatLast.extension(), Some(Extension::Chunking));
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[non_exhaustive]
#[repr(u8)]
pub enum Verb {
    /// The connection was opened, RFC 5321 §3.1.
    Greeting,
    /// RFC 5321 §4.1.1.1. Valid at any time between transactions and within one, where it acts as
    /// RSET; a server that refuses it "MUST stay in the same state", §4.1.4.
    Ehlo,
    /// RFC 5321 §4.1.1.1, as EHLO.
    Helo,
    /// RFC 2033 §4.1, as EHLO.
    Lhlo,
    /// RFC 5321 §4.1.1.2. "MUST NOT be sent if a mail transaction is already open", §4.1.4. 355 is
    /// that of RFC 1845 §3.
    Mail,
    /// RFC 5321 §4.1.1.3.
    Rcpt,
    /// RFC 5321 §4.1.1.4. Wants a recipient, §3.3; 354 opens the mail data.
    Data,
    /// The mail data after DATA came to its end, RFC 5321 §4.1.1.4: the buffers are cleared whatever
    /// the reply.
    Message,
    /// A chunk that is not the last, RFC 3030 §2. After a refusal "A RSET command MUST be issued to
    /// clear the transaction before additional commands may be sent."
    Bdat,
    /// The last chunk, RFC 3030 §2: the transaction is over whatever the reply.
    BdatLast,
    /// Content by reference that is not the last, RFC 4468 §3.
    Burl,
    /// The last content by reference, RFC 4468 §3.
    BurlLast,
    /// RFC 5321 §4.1.1.5: it "may be issued by the client at any time", before EHLO too.
    Rset,
    /// RFC 5321 §4.1.1.6. It "can be used at any time during a session", §4.1.4.
    Vrfy,
    /// RFC 5321 §4.1.1.7, as VRFY.
    Expn,
    /// RFC 5321 §4.1.1.8, as VRFY.
    Help,
    /// RFC 5321 §4.1.1.9, as VRFY.
    Noop,
    /// RFC 5321 §4.1.1.10: it "may be issued at any time"; after a refused greeting it is the only
    /// one, §3.1. Whatever the reply, the client closes.
    Quit,
    /// RFC 3207 §4; within a transaction it is refused.
    StartTls,
    /// TLS was negotiated, RFC 3207 §4.2: both peers are back in their initial state. It has no
    /// reply; its success counts as a 220.
    Handshake,
    /// RFC 4954 §4: "not permitted during a mail transaction".
    Auth,
    /// A client's response within AUTH, RFC 4954 §4.
    AuthResponse,
    /// RFC 1985 §5; not within a transaction.
    Etrn,
    /// RFC 2645 §5.2. After 250 the roles are exchanged: this session is over.
    Atrn,
    /// Postfix, `XCLIENT_README`: 220 is the greeting of a new session.
    Xclient,
    /// Postfix, `XFORWARD_README`.
    Xforward,
    /// RFC 821 §3.8; obsolete, and no server performs it.
    Turn,
    /// RFC 821 §3.4: SEND, SOML, SAML; obsolete, and no server performs them.
    Send,
    /// A verb that this crate does not know.
    Other,
}

impl Verb {
    /// All verbs, in the order of the session table.
    pub const ALL: &'static [Self] = &[
        Self::Greeting,
        Self::Ehlo,
        Self::Helo,
        Self::Lhlo,
        Self::Mail,
        Self::Rcpt,
        Self::Data,
        Self::Message,
        Self::Bdat,
        Self::BdatLast,
        Self::Burl,
        Self::BurlLast,
        Self::Rset,
        Self::Vrfy,
        Self::Expn,
        Self::Help,
        Self::Noop,
        Self::Quit,
        Self::StartTls,
        Self::Handshake,
        Self::Auth,
        Self::AuthResponse,
        Self::Etrn,
        Self::Atrn,
        Self::Xclient,
        Self::Xforward,
        Self::Turn,
        Self::Send,
        Self::Other,
    ];

    /// The extension whose offer licenses the verb; `None` for a verb of the base protocol.
    pub const fn extension(self) -> Option<Extension> {
        Some(match self {
            Self::Bdat | Self::BdatLast => Extension::Chunking,
            Self::Burl | Self::BurlLast => Extension::Burl,
            Self::StartTls => Extension::StartTls,
            Self::Auth | Self::AuthResponse => Extension::Auth,
            Self::Etrn => Extension::Etrn,
            Self::Atrn => Extension::Atrn,
            Self::Xclient => Extension::Xclient,
            Self::Xforward => Extension::Xforward,
            Self::Turn => Extension::Turn,
            Self::Send => Extension::Send,
            _ => return None,
        })
    }
}

/// The verb as it is sent; for an event without a command, a name in words.
///
/// ```
/// use ehlo::syntax::command::Verb;
///
/// assert_eq!(Verb::StartTls.to_string(), "STARTTLS");
/// assert_eq!(Verb::Message.to_string(), "end of mail data");
/// ```
impl core::fmt::Display for Verb {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        f.pad(match self {
            Self::Greeting => "greeting",
            Self::Ehlo => "EHLO",
            Self::Helo => "HELO",
            Self::Lhlo => "LHLO",
            Self::Mail => "MAIL",
            Self::Rcpt => "RCPT",
            Self::Data => "DATA",
            Self::Message => "end of mail data",
            Self::Bdat => "BDAT",
            Self::BdatLast => "BDAT LAST",
            Self::Burl => "BURL",
            Self::BurlLast => "BURL LAST",
            Self::Rset => "RSET",
            Self::Vrfy => "VRFY",
            Self::Expn => "EXPN",
            Self::Help => "HELP",
            Self::Noop => "NOOP",
            Self::Quit => "QUIT",
            Self::StartTls => "STARTTLS",
            Self::Handshake => "TLS handshake",
            Self::Auth => "AUTH",
            Self::AuthResponse => "AUTH response",
            Self::Etrn => "ETRN",
            Self::Atrn => "ATRN",
            Self::Xclient => "XCLIENT",
            Self::Xforward => "XFORWARD",
            Self::Turn => "TURN",
            Self::Send => "SEND",
            Self::Other => "other command",
        })
    }
}

/// The verbs that this crate knows.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Known {
    Ehlo,
    Helo,
    Lhlo,
    Mail,
    Rcpt,
    Data,
    Bdat,
    Rset,
    Vrfy,
    Expn,
    Help,
    Noop,
    Quit,
    StartTls,
    Auth,
    Etrn,
    Atrn,
    Burl,
    Xclient,
    Xforward,
    Turn,
    /// SEND, SOML and SAML of RFC 821.
    Obsolete,
}

impl Known {
    /// The verb that is `token`, in any case.
    pub(super) fn of(token: &[u8]) -> Option<Self> {
        let (known, rest) = Self::at(token)?;
        rest.is_empty().then_some(known)
    }

    /// The same in the terms of the session table. A BDAT or BURL counts as not the last, because
    /// its argument is unknown here.
    pub(super) const fn verb(self) -> Verb {
        match self {
            Self::Ehlo => Verb::Ehlo,
            Self::Helo => Verb::Helo,
            Self::Lhlo => Verb::Lhlo,
            Self::Mail => Verb::Mail,
            Self::Rcpt => Verb::Rcpt,
            Self::Data => Verb::Data,
            Self::Bdat => Verb::Bdat,
            Self::Rset => Verb::Rset,
            Self::Vrfy => Verb::Vrfy,
            Self::Expn => Verb::Expn,
            Self::Help => Verb::Help,
            Self::Noop => Verb::Noop,
            Self::Quit => Verb::Quit,
            Self::StartTls => Verb::StartTls,
            Self::Auth => Verb::Auth,
            Self::Etrn => Verb::Etrn,
            Self::Atrn => Verb::Atrn,
            Self::Burl => Verb::Burl,
            Self::Xclient => Verb::Xclient,
            Self::Xforward => Verb::Xforward,
            Self::Turn => Verb::Turn,
            Self::Obsolete => Verb::Send,
        }
    }

    /// The verb at the front of `line`, and the bytes behind it.
    #[inline]
    pub(super) fn at(line: &[u8]) -> Option<(Self, &[u8])> {
        let (start, rest) = line.split_first_chunk::<4>()?;
        let key = key(*start);
        let (name, known) = SLOTS[slot(key)];
        if name != key {
            return None;
        }
        let rest = match known {
            Self::StartTls => after_literal(rest, b"TTLS")?,
            Self::Xclient => after_literal(rest, b"ENT")?,
            Self::Xforward => after_literal(rest, b"WARD")?,
            _ => rest,
        };
        Some((known, rest))
    }
}

/// The first four letters of each verb.
const VERBS: [(&[u8; 4], Known); 24] = [
    (b"EHLO", Known::Ehlo),
    (b"HELO", Known::Helo),
    (b"LHLO", Known::Lhlo),
    (b"MAIL", Known::Mail),
    (b"RCPT", Known::Rcpt),
    (b"DATA", Known::Data),
    (b"BDAT", Known::Bdat),
    (b"RSET", Known::Rset),
    (b"VRFY", Known::Vrfy),
    (b"EXPN", Known::Expn),
    (b"HELP", Known::Help),
    (b"NOOP", Known::Noop),
    (b"QUIT", Known::Quit),
    (b"STAR", Known::StartTls),
    (b"AUTH", Known::Auth),
    (b"ETRN", Known::Etrn),
    (b"ATRN", Known::Atrn),
    (b"BURL", Known::Burl),
    (b"XCLI", Known::Xclient),
    (b"XFOR", Known::Xforward),
    (b"TURN", Known::Turn),
    (b"SEND", Known::Obsolete),
    (b"SOML", Known::Obsolete),
    (b"SAML", Known::Obsolete),
];

/// Four letters as a number, whatever their case. No other byte becomes a letter.
const fn key(letters: [u8; 4]) -> u32 {
    u32::from_le_bytes(letters) & 0xDFDF_DFDF
}

/// The place of a key in [`SLOTS`].
#[inline]
const fn slot(key: u32) -> usize {
    perfect_hash::slot::<64>(key as u64, MULTIPLIER)
}

const MULTIPLIER: u64 = {
    let mut keys = [0; VERBS.len()];
    let mut i = 0;
    while i < VERBS.len() {
        keys[i] = key(*VERBS[i].0) as u64;
        i += 1;
    }
    perfect_hash::multiplier::<64>(&keys)
};

/// A free slot has the key 0, which no verb has.
static SLOTS: [(u32, Known); 64] = {
    let mut slots = [(0, Known::Obsolete); 64];
    let mut i = 0;
    while i < VERBS.len() {
        let key = key(*VERBS[i].0);
        let at = slot(key);
        assert!(slots[at].0 == 0, "two verbs begin with the same four letters");
        slots[at] = (key, VERBS[i].1);
        i += 1;
    }
    slots
};

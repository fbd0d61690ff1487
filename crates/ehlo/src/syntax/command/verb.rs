//! The verbs that have a command of their own, told from four letters by a perfect hash.

use crate::Verb;
use crate::grammar::after_literal;

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
    /// The verb that `token` is, in any case.
    pub(super) fn of(token: &[u8]) -> Option<Self> {
        let (known, rest) = Self::at(token)?;
        rest.is_empty().then_some(known)
    }

    /// The same as the session table has it. Without its argument a BDAT or BURL is not the last.
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

    /// The verb at the front of `line`, and what follows it.
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

/// Four letters as a number, whatever their case. No other octet becomes a letter.
const fn key(letters: [u8; 4]) -> u32 {
    u32::from_le_bytes(letters) & 0xDFDF_DFDF
}

/// The place of a key in [`SLOTS`], below 64.
const fn slot(key: u32) -> usize {
    (key.wrapping_mul(MULTIPLIER) >> 26) as usize
}

/// Gives each verb a slot of its own; `SLOTS` does not compile otherwise.
const MULTIPLIER: u32 = 0x1F48_BFF9;

/// A free slot has the key 0, which no verb has.
static SLOTS: [(u32, Known); 64] = {
    let mut slots = [(0, Known::Obsolete); 64];
    let mut i = 0;
    while i < VERBS.len() {
        let key = key(*VERBS[i].0);
        let at = slot(key);
        assert!(slots[at].0 == 0, "two verbs in one slot");
        slots[at] = (key, VERBS[i].1);
        i += 1;
    }
    slots
};

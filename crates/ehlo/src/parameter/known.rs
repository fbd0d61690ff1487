//! The parameters that have a type here: name, command, extension, octets they add to the line.

use crate::grammar::{LDH, scan};
use crate::{Capabilities, Extension};

macro_rules! known {
    ($($name:ident $keyword:literal $place:ident $extension:ident $allowance:literal;)*) => {
        /// A parameter with a type of its own.
        #[derive(Clone, Copy, Debug, PartialEq, Eq)]
        #[repr(u8)]
        pub(crate) enum Known {
            $($name,)*
        }

        impl Known {
            pub(super) const ALL: &'static [Self] = &[$(Self::$name,)*];

            /// The keyword, in upper case.
            pub(super) const fn keyword(self) -> &'static str {
                match self {
                    $(Self::$name => $keyword,)*
                }
            }

            /// The commands that it belongs to.
            pub(super) const fn place(self) -> Place {
                match self {
                    $(Self::$name => Place::$place,)*
                }
            }

            /// The extension that licenses it.
            pub(super) const fn extension(self) -> Extension {
                match self {
                    $(Self::$name => Extension::$extension,)*
                }
            }

            /// Octets that its RFC adds to the command line. Where the RFC is silent (RET, NOTIFY,
            /// CONPERM, CONNEG, PRDR), the parameter's own longest form with the space in front.
            pub(super) const fn allowance(self) -> usize {
                match self {
                    $(Self::$name => $allowance,)*
                }
            }
        }
    };
}

known! {
    Size "SIZE" Mail Size 26;
    Body "BODY" Mail EightBitMime 16;
    SmtpUtf8 "SMTPUTF8" Mail SmtpUtf8 10;
    Ret "RET" Mail Dsn 9;
    Envid "ENVID" Mail Dsn 107;
    Auth "AUTH" Mail Auth 500;
    By "BY" Mail DeliverBy 17;
    HoldFor "HOLDFOR" Mail FutureRelease 34;
    HoldUntil "HOLDUNTIL" Mail FutureRelease 34;
    MtPriority "MT-PRIORITY" Mail MtPriority 15;
    RequireTls "REQUIRETLS" Mail RequireTls 11;
    Solicit "SOLICIT" Mail NoSoliciting 1007;
    Mtrk "MTRK" Mail Mtrk 40;
    TransId "TRANSID" Mail Checkpoint 88;
    ConPerm "CONPERM" Mail ConPerm 8;
    Submitter "SUBMITTER" Mail Submitter 264;
    AltAddress "ALT-ADDRESS" Both Utf8Smtp 460;
    Prdr "PRDR" Mail Prdr 5;
    Notify "NOTIFY" Rcpt Dsn 29;
    Orcpt "ORCPT" Rcpt Dsn 507;
    Rrvs "RRVS" Rcpt Rrvs 33;
    ConNeg "CONNEG" Rcpt ConNeg 7;
}

/// Octets by which the parameters of the extensions in `offered` may lengthen a line, RFC 5321
/// §4.5.3.1.4; those of MAIL or those of RCPT, whichever are more.
pub(crate) fn allowance(offered: &Capabilities) -> usize {
    let of = |other: Place| {
        let offered = Known::ALL.iter().filter(|known| offered.contains(known.extension()));
        offered.filter(|known| known.place() != other).map(|known| known.allowance()).sum::<usize>()
    };
    of(Place::Rcpt).max(of(Place::Mail))
}

impl Known {
    /// Its place in a set.
    pub(super) const fn bit(self) -> u32 {
        1 << self as u8
    }
}

/// The command that a parameter belongs to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Place {
    Mail,
    Rcpt,
    Both,
}

impl Place {
    /// The parameters that do not belong to this command.
    pub(super) const fn others(self) -> u32 {
        match self {
            Self::Mail => OF_RCPT_ALONE,
            Self::Rcpt => OF_MAIL_ALONE,
            Self::Both => 0,
        }
    }
}

const OF_MAIL_ALONE: u32 = of(Place::Mail);
const OF_RCPT_ALONE: u32 = of(Place::Rcpt);

const fn of(place: Place) -> u32 {
    let mut of = 0;
    let mut i = 0;
    while i < Known::ALL.len() {
        if Known::ALL[i].place() as u8 == place as u8 {
            of |= Known::ALL[i].bit();
        }
        i += 1;
    }
    of
}

/// The parameter whose keyword, in any case, stands at the front of `input`.
#[inline]
pub(super) fn identify(input: &[u8]) -> Option<Known> {
    let key = scan::keyword(input) & FOLD;
    let slot = &SLOTS[slot(key)];
    if slot.key != key || key == 0 {
        return None;
    }
    let (keyword, rest) = input.split_at_checked(slot.length)?;
    // Of a keyword of more than eight letters the last eight are yet to be seen.
    let tail = match keyword.last_chunk::<8>() {
        Some(tail) => u64::from_le_bytes(*tail) & FOLD,
        None => key,
    };
    let is_longer = rest.first().is_some_and(|octet| LDH[usize::from(*octet)]);
    (tail == slot.tail && !is_longer).then_some(slot.known)
}

/// The first eight letters of a keyword as a number, whatever their case.
const fn key(keyword: &[u8]) -> u64 {
    let mut key = 0;
    let mut i = 0;
    while i < keyword.len() && i < 8 {
        key |= (keyword[i] as u64) << (8 * i);
        i += 1;
    }
    key & FOLD
}

/// Folds the case of letters. Of the octets that a keyword can be told from, none becomes another
/// one of a keyword.
const FOLD: u64 = 0xDFDF_DFDF_DFDF_DFDF;

/// The place of a key in [`SLOTS`], below 64.
const fn slot(key: u64) -> usize {
    (key.wrapping_mul(MULTIPLIER) >> 58) as usize
}

/// Gives each known keyword a slot of its own; `SLOTS` does not compile otherwise.
const MULTIPLIER: u64 = 0x7BE9_0291_7B70_A2A9;

#[derive(Clone, Copy)]
struct Slot {
    /// 0, which no keyword has, in a free slot.
    key: u64,
    /// The same of the last eight letters.
    tail: u64,
    known: Known,
    /// Octets of the keyword.
    length: usize,
}

static SLOTS: [Slot; 64] = {
    let mut slots = [Slot { key: 0, tail: 0, known: Known::Size, length: 0 }; 64];
    let mut i = 0;
    while i < Known::ALL.len() {
        let known = Known::ALL[i];
        let keyword = known.keyword().as_bytes();
        let at = slot(key(keyword));
        assert!(slots[at].key == 0, "two keywords in one slot");
        let tail = match keyword.last_chunk::<8>() {
            Some(tail) => key(tail),
            None => key(keyword),
        };
        slots[at] = Slot { key: key(keyword), tail, known, length: keyword.len() };
        i += 1;
    }
    slots
};

//! The parameters that have a type here: name, command, extension, octets they add to the line.

use crate::grammar::{LDH, fold, scan};
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
pub(super) fn identify(input: &[u8]) -> Option<Known> {
    let known = starting(input)?;
    let next = input.get(known.keyword().len());
    (!next.is_some_and(|octet| LDH[usize::from(*octet)])).then_some(known)
}

/// The parameter with whose keyword, in any case, `input` starts; the keyword that stands there may
/// be a longer one.
#[inline]
pub(super) fn starting(input: &[u8]) -> Option<Known> {
    let word = scan::word(input);
    let key = scan::letters(word);
    let slot = &SLOTS[slot(key)];
    if slot.key != key {
        return None;
    }
    if let Some(long) = &slot.long {
        // Its first letters were seen, but not all of it.
        let tail = input.get(long.tail_at..).map_or(0, scan::word);
        let is_same = (word ^ long.head) & long.head_case == 0;
        if !is_same || (tail ^ long.tail) & long.tail_case != 0 {
            return None;
        }
    }
    Some(slot.known)
}

/// The place of a key in [`SLOTS`], below 64.
const fn slot(key: u64) -> usize {
    (key.wrapping_mul(MULTIPLIER) >> 58) as usize
}

/// Gives each known keyword a slot of its own; `SLOTS` does not compile otherwise.
const MULTIPLIER: u64 = 0x7FD6_3116_E1EA_24C5;

#[derive(Clone, Copy)]
struct Slot {
    /// The [letters](scan::letters) of the keyword; of a free slot a number that are none.
    key: u64,
    known: Known,
    /// A keyword of which the key is not all.
    long: Option<Long>,
}

/// A keyword of eight octets or more: its first eight and its last eight.
#[derive(Clone, Copy)]
struct Long {
    head: u64,
    tail: u64,
    /// The bits that count: all but the case of letters.
    head_case: u64,
    tail_case: u64,
    /// Where the last eight begin.
    tail_at: usize,
}

static SLOTS: [Slot; 64] = {
    let mut slots = [Slot { key: u64::MAX, known: Known::Size, long: None }; 64];
    let mut i = 0;
    while i < Known::ALL.len() {
        let known = Known::ALL[i];
        let keyword = known.keyword().as_bytes();
        let (head, head_case) = octets(keyword, 0);
        let key = scan::letters(head);
        let long = if keyword.len() < 8 {
            // Letters alone, so that the key is all of it.
            assert!(key == head, "a short keyword has something else than letters");
            None
        } else {
            let tail_at = keyword.len() - 8;
            let (tail, tail_case) = octets(keyword, tail_at);
            Some(Long { head, tail, head_case, tail_case, tail_at })
        };
        let at = slot(key);
        assert!(slots[at].key == u64::MAX, "two keywords in one slot");
        slots[at] = Slot { key, known, long };
        i += 1;
    }
    slots
};

/// Eight octets of a keyword from `start` on, zeros behind its end, and their bits that count.
const fn octets(keyword: &[u8], start: usize) -> (u64, u64) {
    let (mut octets, mut case) = (0, 0);
    let mut i = 0;
    while i < 8 && start + i < keyword.len() {
        let octet = keyword[start + i];
        octets |= (octet as u64) << (8 * i);
        case |= (fold(octet) as u64) << (8 * i);
        i += 1;
    }
    (octets, case)
}

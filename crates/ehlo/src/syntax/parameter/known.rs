//! The parameters that have a type here: name, command, extension, octets they add to the line.

use crate::syntax::capability::Capabilities;
use crate::syntax::extension::Extension;
use crate::syntax::grammar::{LDH, fold, scan};

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
    let known = starting(input, scan::word(input))?;
    let next = input.get(known.keyword().len());
    (!next.is_some_and(|octet| LDH[usize::from(*octet)])).then_some(known)
}

/// The parameter with whose keyword, in any case, `input` starts, of which `word` is the first
/// [word](scan::word); the keyword that stands there may be a longer one.
#[inline]
pub(super) fn starting(input: &[u8], word: u64) -> Option<Known> {
    let [first, second] = &SLOTS[slot(word)];
    let keyword = if first.is_headed(word) {
        first
    } else if second.is_headed(word) {
        second
    } else {
        return None;
    };
    // Its first octets were seen, but not all of it.
    if keyword.tail_at > 0 {
        let tail = input.get(keyword.tail_at..).map_or(0, scan::word);
        if (tail ^ keyword.tail) & keyword.tail_case != 0 {
            return None;
        }
    }
    Some(keyword.known)
}

/// The place in [`SLOTS`], below 64, of the keywords that begin with the two letters of this word.
const fn slot(word: u64) -> usize {
    // The case is dropped, and so is all behind them.
    ((word & 0xDFDF).wrapping_mul(MULTIPLIER) >> 58) as usize
}

/// Gives each two letters that known keywords begin with a slot of their own; `SLOTS` does not
/// compile otherwise.
const MULTIPLIER: u64 = 0x95E6_0AF5_93BD_04CF;

/// A keyword: its first eight octets, and its last eight if it has more.
#[derive(Clone, Copy)]
struct Keyword {
    head: u64,
    tail: u64,
    /// The bits that count: all but the case of letters.
    head_case: u64,
    tail_case: u64,
    /// Where the last eight begin; 0 if the first are all.
    tail_at: usize,
    known: Known,
}

impl Keyword {
    const fn new(known: Known) -> Self {
        let keyword = known.keyword().as_bytes();
        let tail_at = keyword.len().saturating_sub(8);
        let (head, head_case) = octets(keyword, 0);
        let (tail, tail_case) = octets(keyword, tail_at);
        Self { head, tail, head_case, tail_case, tail_at, known }
    }

    /// Whether a word has its first octets.
    #[inline]
    const fn is_headed(&self, word: u64) -> bool {
        (word ^ self.head) & self.head_case == 0
    }
}

/// No more than two keywords begin with the same two letters. Where there are fewer, one stands that
/// does not begin with them.
static SLOTS: [[Keyword; 2]; 64] = {
    let mut slots = [[Keyword::new(Known::Size); 2]; 64];
    let mut used = [0; 64];
    let mut i = 0;
    while i < Known::ALL.len() {
        let keyword = Keyword::new(Known::ALL[i]);
        let at = slot(keyword.head);
        if used[at] > 0 {
            let same = (slots[at][0].head ^ keyword.head).trailing_zeros();
            assert!(same >= 16, "different letters in one slot");
        }
        slots[at][used[at]] = keyword;
        used[at] += 1;
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

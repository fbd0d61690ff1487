//! The parameters that have a type here: name, command, extension, octets they add to the line.

use crate::Extension;

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

impl Known {
    /// Whether it has no value.
    #[inline]
    pub(super) const fn is_flag(self) -> bool {
        const FLAGS: u32 = Known::SmtpUtf8.bit()
            | Known::RequireTls.bit()
            | Known::ConPerm.bit()
            | Known::Prdr.bit()
            | Known::ConNeg.bit();
        self.bit() & FLAGS != 0
    }

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

/// The parameter of this keyword, in any case.
#[inline]
pub(super) fn identify(keyword: &[u8]) -> Option<Known> {
    let key = key(keyword);
    let known = SLOTS[slot(key)]?;
    let name = known.keyword().as_bytes();
    let is_same = KEYS[known as usize] == key
        && name.len() == keyword.len()
        && (name.len() <= 8 || name.eq_ignore_ascii_case(keyword));
    is_same.then_some(known)
}

/// The last eight characters of a keyword, in upper case. No two known keywords share them.
const fn key(keyword: &[u8]) -> u64 {
    let mut key = 0;
    let mut rest = keyword;
    while let [octet, after @ ..] = rest {
        // Of the characters of a keyword, `& 0xDF` folds the case of letters and nothing else.
        key = (key << 8) | (*octet & 0xDF) as u64;
        rest = after;
    }
    key
}

/// The place of a key in [`SLOTS`], below 64.
const fn slot(key: u64) -> usize {
    (key.wrapping_mul(MULTIPLIER) >> 58) as usize
}

/// The keys of the known parameters, by number.
static KEYS: [u64; Known::ALL.len()] = {
    let mut keys = [0; Known::ALL.len()];
    let mut i = 0;
    while i < keys.len() {
        keys[i] = key(Known::ALL[i].keyword().as_bytes());
        i += 1;
    }
    keys
};

/// Gives each known keyword a slot of its own; `SLOTS` does not compile otherwise.
const MULTIPLIER: u64 = 0xF645_3AA7_1756_E2E7;

static SLOTS: [Option<Known>; 64] = {
    let mut slots = [None; 64];
    let mut i = 0;
    while i < Known::ALL.len() {
        let at = slot(KEYS[i]);
        assert!(slots[at].is_none(), "two keywords in one slot");
        slots[at] = Some(Known::ALL[i]);
        i += 1;
    }
    slots
};

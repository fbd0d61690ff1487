//! THE TABLE: which verb is valid in which state, and which state follows each reply.
//!
//! The state of SMTP changes with the reply, not with the command. One table without roles and bytes
//! therefore serves both peers: a server applies a row when it sends the reply, a client when it
//! receives it. Validity is checked once, when a command is issued; [`next`] looks at the verb and
//! the reply only, because a pipelined DATA may be answered 354 after every RCPT was refused (RFC 2920
//! §3.1).

use crate::syntax::code::{Code, Severity};
use crate::syntax::command::Verb;

/// The state of a session.
///
/// ```
/// use ehlo::{Code, session};
/// use ehlo::session::State;
/// use ehlo::syntax::command::Verb;
///
/// assert!(session::is_valid(State::Ready, Verb::Mail));
/// assert_eq!(session::next(State::Ready, Verb::Mail, Code::OK), State::Mail);
/// assert!(!session::is_valid(State::Mail, Verb::Mail));
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[non_exhaustive]
#[repr(u8)]
pub enum State {
    /// Connected; the server's greeting is awaited.
    Greeting,
    /// The server greeted with a refusal and waits for QUIT, RFC 5321 §3.1.
    Rejected,
    /// Greeted, before EHLO, HELO or LHLO; also after TLS was established.
    Start,
    /// After EHLO, HELO or LHLO, with no mail transaction open.
    Ready,
    /// A mail transaction is open and has no recipient.
    Mail,
    /// A mail transaction is open and has a recipient.
    Rcpt,
    /// Mail data flows until the line with a single dot.
    Data,
    /// A chunk was accepted, and more must follow, RFC 3030.
    Chunk,
    /// A chunk was refused: only RSET or a new EHLO leads on from here, RFC 3030 §2.
    Failed,
    /// An authentication exchange is under way, RFC 4954.
    Auth,
    /// STARTTLS was accepted; the next bytes belong to TLS, RFC 3207.
    Tls,
    /// The session is over.
    Closed,
}

impl State {
    /// All states, in the order in which a session may see them.
    pub const ALL: [Self; 12] = [
        Self::Greeting,
        Self::Rejected,
        Self::Start,
        Self::Ready,
        Self::Mail,
        Self::Rcpt,
        Self::Data,
        Self::Chunk,
        Self::Failed,
        Self::Auth,
        Self::Tls,
        Self::Closed,
    ];

    /// Returns `true` if a mail transaction is open.
    pub const fn is_transaction(self) -> bool {
        matches!(self, Self::Mail | Self::Rcpt | Self::Data | Self::Chunk | Self::Failed)
    }
}

/// The state as a word.
impl core::fmt::Display for State {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        f.pad(match self {
            Self::Greeting => "greeting",
            Self::Rejected => "rejected",
            Self::Start => "start",
            Self::Ready => "ready",
            Self::Mail => "mail",
            Self::Rcpt => "rcpt",
            Self::Data => "data",
            Self::Chunk => "chunk",
            Self::Failed => "failed",
            Self::Auth => "auth",
            Self::Tls => "tls",
            Self::Closed => "closed",
        })
    }
}

/// Returns `true` if `verb` may be issued in `state`, RFC 5321 §4.1.4.
pub const fn is_valid(state: State, verb: Verb) -> bool {
    rule(verb).valid & bit(state) != 0
}

/// The state after `code` answered `verb` in `state`.
pub const fn next(state: State, verb: Verb, code: Code) -> State {
    // RFC 5321 §4.2.3: "Service not available, closing transmission channel (This may be a reply to
    // any command if the service knows it must shut down)".
    if code.number() == 421 {
        return State::Closed;
    }
    let rule = rule(verb);
    let lead = match code.severity() {
        // RFC 5321 §4.3.2: an unknown code counts by its first digit. If the reply hands the
        // connection over, to a session or to TLS, only a listed code does so.
        severity if rule.exact && severity.is_positive() && !rule.lists(code) => rule.negative,
        Severity::PositiveCompletion => rule.completion,
        Severity::PositiveIntermediate => rule.intermediate,
        Severity::TransientNegative | Severity::PermanentNegative => rule.negative,
    };
    match lead {
        Lead::Stay => state,
        // A chunk that is refused outside a transaction, such as one pipelined behind a refused MAIL,
        // changes nothing.
        Lead::To(State::Failed) if !state.is_transaction() => state,
        Lead::To(state) => state,
        Lead::Reset if matches!(state, State::Start) => State::Start,
        Lead::Reset => State::Ready,
    }
}

/// Returns `true` if a client must wait for the reply to `verb` before it sends anything else, RFC
/// 2920 §3.1.
pub const fn ends_group(verb: Verb) -> bool {
    rule(verb).ends_group
}

/// Returns `true` if `verb` carries no mail forward, with any reply. A server may limit the number
/// of such commands.
pub const fn is_idle(verb: Verb) -> bool {
    rule(verb).idle
}

/// Returns `true` if §4.3.2 of RFC 5321, or the RFC of the extension, lets a server answer `verb`
/// with `code`. A positive code must be listed. A 4yz or 5yz may answer any verb, because policy
/// may refuse any command, except for codes that belong to certain commands: 535 to AUTH, 459 to
/// ETRN, 555 to MAIL and RCPT.
pub const fn may_answer(verb: Verb, code: Code) -> bool {
    if matches!(verb, Verb::Other) {
        // RFC 5321 leaves the replies to an unknown verb to its own specification.
        return true;
    }
    if code.is_positive() {
        return rule(verb).lists(code);
    }
    match code.number() {
        // RFC 4954 §6; 454 is also RFC 3207's.
        432 | 534 | 535 | 538 => matches!(verb, Verb::Auth | Verb::AuthResponse),
        454 => matches!(verb, Verb::Auth | Verb::AuthResponse | Verb::StartTls),
        // RFC 2645 §5.2 and RFC 1985 §5.
        453 => matches!(verb, Verb::Atrn),
        458 | 459 => matches!(verb, Verb::Etrn),
        // RFC 5321 §4.1.1.11, and RFC 7504.
        455 | 555 | 556 => matches!(verb, Verb::Mail | Verb::Rcpt),
        // RFC 5321 §3.4: an address that is not local.
        551 => matches!(verb, Verb::Rcpt | Verb::Vrfy | Verb::Expn),
        _ => true,
    }
}

/// The code that answers `verb` when it succeeds: the first that the rule lists.
pub(crate) const fn success(verb: Verb) -> Code {
    match rule(verb).positive {
        [first, ..] => match Code::new(*first) {
            Some(code) => code,
            None => Code::OK,
        },
        [] => Code::OK,
    }
}

macro_rules! table {
    ($($verb:ident in [$($state:ident)*],
        2 => $completion:tt, 3 => $intermediate:tt, no => $negative:tt, codes [$($code:literal)*] $($flag:ident)*;)*) => {
        const fn rule(verb: Verb) -> &'static Rule {
            match verb {
                $(Verb::$verb => const {
                    &Rule {
                        valid: 0 $(| bit(State::$state))*,
                        completion: lead!($completion),
                        intermediate: lead!($intermediate),
                        negative: lead!($negative),
                        positive: &[$($code,)*],
                        ends_group: flag!(last in $($flag)*),
                        exact: flag!(exact in $($flag)*),
                        idle: flag!(idle in $($flag)*),
                    }
                },)*
            }
        }
    };
}

macro_rules! flag {
    ($name:ident in) => { false };
    (last in last $($rest:ident)*) => { true };
    (exact in exact $($rest:ident)*) => { true };
    (idle in idle $($rest:ident)*) => { true };
    ($name:ident in $other:ident $($rest:ident)*) => { flag!($name in $($rest)*) };
}

macro_rules! lead {
    (stay) => {
        Lead::Stay
    };
    (reset) => {
        Lead::Reset
    };
    ($state:ident) => {
        Lead::To(State::$state)
    };
}

// A row: the states in which the verb is valid; the state after a 2yz, a 3yz and a refusal; the positive
// codes that may answer it; and flags. `last`: it must be the last command of a pipelined group.
// `exact`: a positive code that is not listed counts as a refusal. `idle`: it carries no mail forward.
table! {
    // The connection was opened, RFC 5321 §3.1.
    Greeting in [Greeting], 2 => Start, 3 => Rejected, no => Rejected, codes [220] last exact;
    // RFC 5321 §4.1.1.1. Valid at any time between transactions and within one, where it acts as
    // RSET; a server that refuses it "MUST stay in the same state", §4.1.4.
    Ehlo in [Start Ready Mail Rcpt Chunk Failed], 2 => Ready, 3 => stay, no => stay, codes [250] last idle;
    // RFC 5321 §4.1.1.1, as EHLO.
    Helo in [Start Ready Mail Rcpt Chunk Failed], 2 => Ready, 3 => stay, no => stay, codes [250] last idle;
    // RFC 2033 §4.1, as EHLO.
    Lhlo in [Start Ready Mail Rcpt Chunk Failed], 2 => Ready, 3 => stay, no => stay, codes [250] last idle;
    // RFC 5321 §4.1.1.2. "MUST NOT be sent if a mail transaction is already open", §4.1.4. 355 is
    // that of RFC 1845 §3.
    Mail in [Ready], 2 => Mail, 3 => Mail, no => stay, codes [250 355];
    // RFC 5321 §4.1.1.3.
    Rcpt in [Mail Rcpt], 2 => Rcpt, 3 => stay, no => stay, codes [250 251];
    // RFC 5321 §4.1.1.4. Wants a recipient, §3.3. 354 opens the mail data, and by §4.3.2 any other
    // 3yz does too.
    Data in [Rcpt], 2 => stay, 3 => Data, no => stay, codes [354] last;
    // The mail data after DATA came to its end, RFC 5321 §4.1.1.4: the buffers are cleared whatever
    // the reply.
    Message in [Data], 2 => Ready, 3 => Ready, no => Ready, codes [250];
    // A chunk that is not the last, RFC 3030 §2. After a refusal "A RSET command MUST be issued to
    // clear the transaction before additional commands may be sent."
    Bdat in [Rcpt Chunk], 2 => Chunk, 3 => Failed, no => Failed, codes [250];
    // The last chunk, RFC 3030 §2: the transaction is over whatever the reply.
    BdatLast in [Rcpt Chunk], 2 => Ready, 3 => Ready, no => Ready, codes [250];
    // Content by reference that is not the last, RFC 4468 §3.
    Burl in [Rcpt Chunk], 2 => Chunk, 3 => Failed, no => Failed, codes [250];
    // The last content by reference, RFC 4468 §3.
    BurlLast in [Rcpt Chunk], 2 => Ready, 3 => Ready, no => Ready, codes [250] last;
    // RFC 5321 §4.1.1.5: it "may be issued by the client at any time", before EHLO too.
    Rset in [Start Ready Mail Rcpt Chunk Failed], 2 => reset, 3 => stay, no => stay, codes [250] idle;
    // RFC 5321 §4.1.1.6. It "can be used at any time during a session", §4.1.4.
    Vrfy in [Start Ready Mail Rcpt Chunk Failed], 2 => stay, 3 => stay, no => stay, codes [250 251 252] last idle;
    // RFC 5321 §4.1.1.7, as VRFY.
    Expn in [Start Ready Mail Rcpt Chunk Failed], 2 => stay, 3 => stay, no => stay, codes [250 252] last idle;
    // RFC 5321 §4.1.1.8, as VRFY.
    Help in [Start Ready Mail Rcpt Chunk Failed], 2 => stay, 3 => stay, no => stay, codes [214 211] last idle;
    // RFC 5321 §4.1.1.9, as VRFY.
    Noop in [Start Ready Mail Rcpt Chunk Failed], 2 => stay, 3 => stay, no => stay, codes [250] last idle;
    // RFC 5321 §4.1.1.10: it "may be issued at any time"; after a refused greeting it is the only
    // one, §3.1. Whatever the reply, the client closes.
    Quit in [Rejected Start Ready Mail Rcpt Chunk Failed], 2 => Closed, 3 => Closed, no => Closed, codes [221] last;
    // RFC 3207 §4; within a transaction it is refused.
    StartTls in [Ready], 2 => Tls, 3 => stay, no => stay, codes [220] last exact idle;
    // TLS was negotiated, RFC 3207 §4.2: both peers are back in their initial state. It has no
    // reply; its success counts as a 220.
    Handshake in [Tls], 2 => Start, 3 => Closed, no => Closed, codes [220] last exact;
    // RFC 4954 §4: "not permitted during a mail transaction".
    Auth in [Ready], 2 => Ready, 3 => Auth, no => stay, codes [235 334] last exact idle;
    // A client's response within AUTH, RFC 4954 §4.
    AuthResponse in [Auth], 2 => Ready, 3 => Auth, no => Ready, codes [235 334] last exact idle;
    // RFC 1985 §5; not within a transaction.
    Etrn in [Ready], 2 => stay, 3 => stay, no => stay, codes [250 251 252 253] last idle;
    // RFC 2645 §5.2. After 250 the roles are exchanged: this session is over.
    Atrn in [Ready], 2 => Closed, 3 => stay, no => stay, codes [250] last exact idle;
    // Postfix, `XCLIENT_README`: 220 is the greeting of a new session.
    Xclient in [Start Ready], 2 => Start, 3 => stay, no => stay, codes [220] last exact idle;
    // Postfix, `XFORWARD_README`.
    Xforward in [Ready], 2 => stay, 3 => stay, no => stay, codes [250] idle;
    // RFC 821 §3.8; no server performs it.
    Turn in [Start Ready Mail Rcpt Chunk Failed], 2 => stay, 3 => stay, no => stay, codes [] last idle;
    // RFC 821 §3.4: SEND, SOML, SAML; no server performs them.
    Send in [Start Ready Mail Rcpt Chunk Failed], 2 => stay, 3 => stay, no => stay, codes [] idle;
    // A verb that this crate does not know.
    Other in [Start Ready Mail Rcpt Chunk Failed], 2 => stay, 3 => stay, no => stay, codes [] last idle;
}

#[derive(Clone, Copy)]
struct Rule {
    /// One bit a state.
    valid: u16,
    completion: Lead,
    intermediate: Lead,
    negative: Lead,
    positive: &'static [u16],
    ends_group: bool,
    exact: bool,
    idle: bool,
}

impl Rule {
    const fn lists(&self, code: Code) -> bool {
        let mut i = 0;
        while i < self.positive.len() {
            if self.positive[i] == code.number() {
                return true;
            }
            i += 1;
        }
        false
    }
}

#[derive(Clone, Copy)]
enum Lead {
    Stay,
    To(State),
    /// RSET: the state after the greeting command, or before it.
    Reset,
}

const fn bit(state: State) -> u16 {
    1 << state as u16
}

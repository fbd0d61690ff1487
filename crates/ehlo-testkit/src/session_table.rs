//! The state × verb × reply product of the session table, as text.
//!
//! ```
//! let table = ehlo_testkit::session_table::text();
//! assert!(table.contains("StartTls      valid Tls"));
//! ```

use std::fmt::Write as _;

use ehlo::session::State;
use ehlo::syntax::command::Verb;
use ehlo::{Code, session};

/// The validity of every verb in every state, and the state after a 2yz, a 3yz, a 4yz and a 5yz.
///
/// The text has a row if the verb is valid, or if some reply to it changes the state: a reply may
/// come in another state than the one in which the command was sent.
pub fn text() -> String {
    let mut text = String::from(HEADER);
    for state in State::ALL {
        writeln!(text, "\n{state:?}").expect("a string grows");
        for verb in Verb::ALL.iter().copied() {
            let valid = session::is_valid(state, verb);
            let leads = REPLIES.map(|codes| session::next(state, verb, usual(verb, codes)));
            if !valid && leads == [state; 4] {
                continue;
            }
            let mark = if valid { "valid" } else { "-" };
            write!(text, "    {:13} {mark:5}", format!("{verb:?}")).expect("a string grows");
            for lead in leads {
                let lead = if lead == state { "." } else { &format!("{lead:?}") };
                write!(text, " {lead:8}").expect("a string grows");
            }
            let end = text.trim_end().len();
            text.truncate(end);
            text.push('\n');
        }
    }
    text
}

/// The first of `codes` that may answer `verb`; the first of all, if none may.
fn usual(verb: Verb, codes: &[u16]) -> Code {
    let mut codes = codes.iter().filter_map(|number| Code::new(*number)).peekable();
    let first = *codes.peek().expect("a reply code");
    codes.find(|code| session::may_answer(verb, *code)).unwrap_or(first)
}

const REPLIES: [&[u16]; 4] = [&[250, 220, 221, 235, 214], &[354, 334, 355], &[450], &[550]];

const HEADER: &str = "\
# Which verb is valid in which state, and where each reply leads (a dot: nowhere).
# Verbs that are not valid and that no reply moves are left out. 421 closes from anywhere.
#   verb          valid 2yz      3yz      4yz      5yz
";

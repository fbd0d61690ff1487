//! The session table against its snapshot, and against RFC 5321 §4.1.4 and §4.3.2 row by row.

use std::fs;
use std::path::Path;

use ehlo::session::State::{
    self, Chunk, Closed, Data, Greeting, Mail, Rcpt, Ready, Rejected, Start,
};
use ehlo::syntax::code::Severity;
use ehlo::syntax::command::Verb;
use ehlo::{Code, session};

#[test]
fn the_product_is_the_snapshot() {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("snapshots/session_table.txt");
    let now = ehlo_testkit::session_table::text();
    if std::env::var_os("EHLO_UPDATE_SNAPSHOTS").is_some() {
        fs::write(&path, &now).expect("the snapshot is written");
    }
    let then = fs::read_to_string(&path).expect("the snapshot");
    assert!(
        then == now,
        "the table differs from {}; with EHLO_UPDATE_SNAPSHOTS=1 it is written anew",
        path.display()
    );
}

/// RFC 5321 §4.1.4: the order of commands.
#[test]
fn rfc_5321_section_4_1_4_holds() {
    use Verb::{Ehlo, Expn, Helo, Help, Noop, Quit, Rset, Vrfy};

    // RFC 5321 §4.1.4: "A session that will contain mail transactions MUST first be initialized by
    // the use of the EHLO command": no MAIL before it.
    assert!(!session::is_valid(Start, Verb::Mail));
    // RFC 5321 §4.1.4: "The NOOP, HELP, EXPN, VRFY, and RSET commands can be used at any time during
    // a session, or without previously initializing a session."
    for state in [Start, Ready, Mail, Rcpt] {
        for verb in [Noop, Help, Expn, Vrfy, Rset, Ehlo, Helo, Quit] {
            assert!(session::is_valid(state, verb), "{verb:?} in {state:?}");
        }
        for verb in [Noop, Help, Expn, Vrfy] {
            for code in [250, 214, 252, 500, 502, 550] {
                assert_eq!(next(state, verb, code), state, "{verb:?} moves {state:?}");
            }
        }
        // RFC 5321 §4.1.4: "the SMTP server MUST clear all buffers and reset the state exactly as if
        // a RSET command had been issued."
        assert_eq!(next(state, Ehlo, 250), Ready);
        // RFC 5321 §4.1.4: "501, 500, 502, or 550 failure replies MUST be returned as appropriate.
        // The SMTP server MUST stay in the same state after transmitting these replies".
        for code in [500, 501, 502, 550] {
            assert_eq!(next(state, Ehlo, code), state);
        }
        // RFC 5321 §4.1.1.10: "the receiver MUST send a "221 OK" reply, and then close the
        // transmission channel"; §4.1.1.5: "An SMTP server MUST NOT close the connection as the
        // result of receiving a RSET".
        assert_eq!(next(state, Quit, 221), Closed);
        assert_ne!(next(state, Rset, 250), Closed);
    }
    // RFC 5321 §4.1.4: MAIL "MUST NOT be sent if a mail transaction is already open".
    for state in [Mail, Rcpt, Chunk] {
        assert!(!session::is_valid(state, Verb::Mail));
    }
    // RFC 5321 §4.1.4: "If the transaction beginning command argument is not acceptable, a 501
    // failure reply MUST be returned and the SMTP server MUST stay in the same state."
    assert_eq!(next(Ready, Verb::Mail, 501), Ready);
    assert_eq!(next(Ready, Verb::Mail, 550), Ready);
    assert_eq!(next(Ready, Verb::Mail, 250), Mail);
    // RCPT wants MAIL, DATA wants RCPT, RFC 5321 §3.3.
    assert!(!session::is_valid(Ready, Verb::Rcpt) && !session::is_valid(Start, Verb::Rcpt));
    assert!(session::is_valid(Mail, Verb::Rcpt) && session::is_valid(Rcpt, Verb::Rcpt));
    assert!(!session::is_valid(Ready, Verb::Data) && !session::is_valid(Mail, Verb::Data));
    assert!(session::is_valid(Rcpt, Verb::Data));
    // A recipient that is refused changes nothing.
    assert_eq!(next(Mail, Verb::Rcpt, 550), Mail);
    assert_eq!(next(Rcpt, Verb::Rcpt, 550), Rcpt);
    assert_eq!(next(Mail, Verb::Rcpt, 251), Rcpt);
    // RSET before EHLO stays before EHLO.
    assert_eq!(next(Start, Rset, 250), Start);
    assert_eq!(next(Rcpt, Rset, 250), Ready);
    // RFC 5321 §4.1.1.4: after the mail data the buffers are cleared whatever the reply.
    for code in [250, 451, 552, 554] {
        assert_eq!(next(Data, Verb::Message, code), Ready);
    }
    // RFC 5321 §3.1: a server that refuses the session waits for QUIT.
    assert_eq!(next(Greeting, Verb::Greeting, 554), Rejected);
    for verb in Verb::ALL {
        assert_eq!(session::is_valid(Rejected, *verb), *verb == Quit, "{verb:?}");
    }
    // RFC 5321 §3.8: 421 closes, whatever it answers.
    for verb in Verb::ALL {
        assert_eq!(next(Rcpt, *verb, 421), Closed);
    }
}

/// RFC 5321 §4.3.2: the positive replies of each command, and RFC 7504 and the extensions beside.
#[test]
fn rfc_5321_section_4_3_2_holds() {
    let rows: &[(Verb, &[u16])] = &[
        (Verb::Greeting, &[220]),
        (Verb::Ehlo, &[250]),
        (Verb::Helo, &[250]),
        (Verb::Mail, &[250]),
        (Verb::Rcpt, &[250, 251]),
        (Verb::Data, &[354]),
        (Verb::Message, &[250]),
        (Verb::Rset, &[250]),
        (Verb::Vrfy, &[250, 251, 252]),
        (Verb::Expn, &[250, 252]),
        (Verb::Help, &[211, 214]),
        (Verb::Noop, &[250]),
        (Verb::Quit, &[221]),
        (Verb::StartTls, &[220]),
        (Verb::Auth, &[235, 334]),
        (Verb::AuthResponse, &[235, 334]),
    ];
    for (verb, listed) in rows {
        for number in 200..400 {
            // RFC 1845 §3 adds 355 to MAIL.
            let extension = *verb == Verb::Mail && number == 355;
            let code = Code::new(number).expect("a reply code");
            assert_eq!(
                session::may_answer(*verb, code),
                listed.contains(&number) || extension,
                "{verb:?} {number}"
            );
        }
        for number in [421, 450, 500, 501, 503, 550, 554] {
            assert!(session::may_answer(*verb, Code::new(number).expect("a reply code")));
        }
    }
}

/// Negative codes that say what is so of one command alone.
#[test]
fn a_code_of_one_command_answers_no_other() {
    use Verb::{Atrn, Auth, AuthResponse, Etrn, Expn, Mail, Rcpt, StartTls, Vrfy};

    let rows: &[(u16, &[Verb])] = &[
        (432, &[Auth, AuthResponse]),
        (453, &[Atrn]),
        (454, &[Auth, AuthResponse, StartTls]),
        (455, &[Mail, Rcpt]),
        (458, &[Etrn]),
        (459, &[Etrn]),
        (534, &[Auth, AuthResponse]),
        (535, &[Auth, AuthResponse]),
        (538, &[Auth, AuthResponse]),
        (551, &[Rcpt, Vrfy, Expn]),
        (555, &[Mail, Rcpt]),
        (556, &[Mail, Rcpt]),
    ];
    for number in 400..600 {
        let listed = rows.iter().find(|(code, _)| *code == number);
        for verb in Verb::ALL.iter().filter(|verb| **verb != Verb::Other) {
            let answers = session::may_answer(*verb, Code::new(number).expect("a reply code"));
            assert_eq!(answers, listed.is_none_or(|(_, verbs)| verbs.contains(verb)), "{verb:?}");
        }
    }
}

#[test]
fn a_negative_reply_never_opens_anything() {
    for state in State::ALL {
        for verb in Verb::ALL {
            for number in [450, 550] {
                let after = next(state, *verb, number);
                let code = Code::new(number).expect("a reply code");
                assert!(code.severity() >= Severity::TransientNegative);
                assert!(
                    after == state || matches!(after, Ready | Rejected | Closed | State::Failed),
                    "{verb:?} {number} leads from {state:?} to {after:?}"
                );
            }
        }
    }
}

/// What hands the connection over wants its own code: no other 2yz or 3yz does it.
#[test]
fn another_positive_code_hands_nothing_over() {
    let rows: &[(State, Verb, &[u16], State)] = &[
        (Greeting, Verb::Greeting, &[221, 250, 354], Rejected),
        (Ready, Verb::StartTls, &[221, 250, 354], Ready),
        (Rcpt, Verb::Data, &[220, 250], Rcpt),
        (Ready, Verb::Auth, &[220, 250, 354], Ready),
        (State::Auth, Verb::AuthResponse, &[250, 354], Ready),
        (Ready, Verb::Xclient, &[250], Ready),
        (Ready, Verb::Atrn, &[220, 252], Ready),
    ];
    for (state, verb, numbers, after) in rows {
        for number in *numbers {
            assert_eq!(next(*state, *verb, *number), *after, "{number} to {verb:?}");
        }
    }
    // Elsewhere a code that nobody knows is taken by its first digit.
    assert_eq!(next(Mail, Verb::Rcpt, 259), Rcpt);
    assert_eq!(next(Start, Verb::Ehlo, 299), Ready);
    for number in [300, 334, 350, 351, 355] {
        assert_eq!(next(Rcpt, Verb::Data, number), Data);
    }
}

fn next(state: State, verb: Verb, number: u16) -> State {
    session::next(state, verb, Code::new(number).expect("a reply code"))
}

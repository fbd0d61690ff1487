//! `Policy::LENIENT` reads what real peers send: every vector that most of the compared servers take
//! passes under it, or is named here with the reason.

use ehlo::{Command, Parsed, Policy};
use ehlo_testkit::vectors::{PathRule, commands, paths};

/// What most servers take and no policy here does, with the reason.
const EXCEPTIONS: [(&str, &[&str]); 13] = [
    (
        "a bare CR, a bare LF or another control character is in no line: RFC 5321 §2.3.8, §4.1.2",
        &[
            "cmd-460", "cmd-462", "cmd-464", "cmd-465", "cmd-486", "path-122", "path-123",
            "path-128", "path-129",
        ],
    ),
    (
        "bytes that are no UTF-8 can neither be shown nor handed on: RFC 6531 §3.3",
        &[
            "cmd-472", "cmd-480", "path-130", "path-291", "path-292", "path-293", "path-294",
            "path-296", "path-297",
        ],
    ),
    ("no such name can be looked up: RFC 5891 §4.2.2", &["path-299", "path-300", "path-305"]),
    ("a label that ends in a hyphen: no name that mail goes to has one", &["cmd-173"]),
    ("white space within a path may be a part of the address or not", &["cmd-177", "path-061"]),
    (
        "a comment, quotes within a dot-string, or a backslash outside of quotes: obsolete forms, \
         which programs take for different addresses",
        &["path-079", "path-080", "path-086", "path-087", "path-091", "path-092", "path-093"],
    ),
    ("a colon in a local part: a URI, or the end of a source route", &["path-072", "path-082"]),
    (
        "a source route that is none: where the mailbox begins is a guess",
        &[
            "path-040", "path-042", "path-043", "path-045", "path-049", "path-050", "path-051",
            "path-052", "path-053",
        ],
    ),
    ("a parameter given twice: which of them holds is a guess", &["cmd-245"]),
    ("AUTH= is an identity, which is not to be guessed: RFC 4954 §5", &["cmd-280"]),
    ("a line of 4,007 bytes: its length is for the limits of a server", &["cmd-329"]),
    ("quotes that do not end", &["cmd-121"]),
    ("HELP with two words: nothing depends on it", &["cmd-072"]),
];

#[test]
fn lenient_reads_what_most_servers_take() {
    let mut refused = Vec::new();
    let mut known: Vec<&str> = EXCEPTIONS.iter().flat_map(|(_, ids)| *ids).copied().collect();
    let mut judge = |id: &str, line: &[u8], is_majority: bool| {
        if !is_majority || passes(line) {
            return;
        }
        match known.iter().position(|exception| *exception == id) {
            Some(at) => drop(known.swap_remove(at)),
            None => refused.push(format!("{id}: {}", line.escape_ascii())),
        }
    };
    for vector in commands() {
        let most = vector.accepted_by.len() > vector.refused_by.len();
        judge(&vector.id, &vector.input, most);
    }
    for vector in paths() {
        let most = vector.accepted_by.len() > vector.refused_by.len();
        // As the servers were asked: in a command.
        let (start, end) = match vector.rule {
            PathRule::ReversePath if vector.smtputf8 => ("MAIL FROM:", " SMTPUTF8"),
            PathRule::ReversePath => ("MAIL FROM:", ""),
            PathRule::ForwardPath => ("RCPT TO:", ""),
            PathRule::Mailbox => ("RCPT TO:<", ">"),
            _ => ("EHLO ", ""),
        };
        let line = [start.as_bytes(), &vector.input, end.as_bytes(), b"\r\n"].concat();
        judge(&vector.id, &line, most);
    }
    assert!(refused.is_empty(), "{refused:#?}");
    assert!(known.is_empty(), "they pass, or most servers refuse them: {known:?}");
}

fn passes(line: &[u8]) -> bool {
    match Command::parse(line, &Policy::LENIENT) {
        // A verb that nobody knows is no command that was read.
        Ok(Parsed::Complete { value: Command::Other { .. }, .. }) => false,
        Ok(Parsed::Complete { consumed, .. }) => consumed == line.len(),
        _ => false,
    }
}

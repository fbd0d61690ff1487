//! A command line.

use ehlo::syntax::{SyntaxErrorKind, limits};
use ehlo::{Command, Parsed, Policy};

use super::{any_policy, assert_one_line, hash, wire};

/// A line of a client under every policy: a parsed command is written in one form, which parses to
/// the same command and is harmless; no prefix of a command is another command; a lenient policy
/// reads everything that the strict one reads, with the same result.
pub fn command(input: &[u8]) {
    let strict = judge(input, &Policy::STRICT);
    for policy in [Policy::STRICT.with_smtputf8(true), Policy::LENIENT, any_policy(input)] {
        let other = judge(input, &policy);
        if let Some(command) = strict {
            assert_eq!(other, Some(command), "{policy:?}");
        }
    }
}

fn judge<'i>(input: &'i [u8], policy: &Policy) -> Option<Command<'i>> {
    let end = input.iter().position(|byte| *byte == b'\n').map(|at| at + 1);
    let line = end.map_or(input, |end| &input[..end]);
    match (Command::parse(input, policy), end) {
        (Ok(Parsed::Complete { value, consumed }), Some(end)) => {
            assert_eq!(consumed, end);
            // RFC 5321 §4.1.1: white space at the end is tolerated; a policy reads TABs for spaces.
            let mut text = line[..end - 2].trim_ascii_end().to_vec();
            if policy.extra_white_space || policy.space_after_colon {
                text.iter_mut().filter(|byte| **byte == b'\t').for_each(|byte| *byte = b' ');
            }
            assert_one_line(&[&text, b"\r\n".as_slice()].concat());
            assert!(line.len() <= value.max_len(), "{} bytes of {value:?}", line.len());
            assert!(wire(&value).len() <= value.max_len(), "{value:?} is written in more");
            prefixes(line, policy);
            comes_back(&value, line, policy);
            folds(line, &value, policy);
            Some(value)
        }
        (Ok(Parsed::Incomplete), None) => {
            assert!(input.len() <= limits::AUTH_LINE);
            None
        }
        (Err(error), _) => {
            assert!(error.offset <= line.len(), "{error:?} in {} bytes", line.len());
            assert!(!error.code().is_positive());
            // As a line without its end it is as wrong.
            if let Some(body) = line.strip_suffix(b"\r\n") {
                assert_eq!(Command::parse_line(body, policy), Err(error));
            }
            None
        }
        (other, _) => panic!("{other:?} with an LF at {end:?}"),
    }
}

/// No prefix of the line is a command.
fn prefixes(line: &[u8], policy: &Policy) {
    let step = (line.len() / 64).max(1);
    for end in (0..line.len()).rev().step_by(step) {
        assert_eq!(Command::parse(&line[..end], policy), Ok(Parsed::Incomplete));
    }
}

fn comes_back(command: &Command<'_>, line: &[u8], policy: &Policy) {
    let canonical = wire(command);
    assert_one_line(&canonical);
    match Command::parse(&canonical, policy) {
        Ok(Parsed::Complete { value, consumed }) => {
            assert_eq!((&value, consumed), (command, canonical.len()));
            assert_eq!(hash(&value), hash(command));
            assert_eq!(value.verb(), command.verb());
            assert_eq!(wire(&value), canonical);
        }
        // The brackets that a lenient policy does not miss, and the dotted form of an IPv6 address,
        // may be too much for the line.
        Err(error) if canonical.len() > limits::COMMAND_LINE && canonical.len() > line.len() => {
            assert_eq!(error.kind, SyntaxErrorKind::LineTooLong);
            assert!(canonical.len() <= line.len() + 10);
        }
        other => panic!("{} is {other:?}", canonical.escape_ascii()),
    }
}

/// RFC 5321 §2.4: the verb means the same in either case.
fn folds(line: &[u8], command: &Command<'_>, policy: &Policy) {
    let mut folded = line.to_vec();
    for byte in folded.iter_mut().take_while(|byte| byte.is_ascii_alphabetic()) {
        *byte ^= 0x20;
    }
    let Ok(Parsed::Complete { value, .. }) = Command::parse(&folded, policy) else {
        panic!("{} is refused", folded.escape_ascii())
    };
    assert_eq!(&value, command);
}

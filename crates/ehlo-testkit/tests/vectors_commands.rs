//! `commands.jsonl`: what the ABNF of commands takes and refuses.
#![allow(clippy::unwrap_used)] // a test fails by panicking
#![allow(clippy::trivially_copy_pass_by_ref)] // as in the crate itself

use ehlo::{Command, Encode, Parsed, Policy};
use ehlo_testkit::vectors::{CommandVector, commands};

/// Vectors that a parser does not decide by itself.
///
/// `cmd-459`, `XFORWARD ADDR=10.0.0.1`, is an error where XFORWARD was not offered, which the
/// session knows; RFC 5321 §4.1.1.1 lists what is offered in the reply to EHLO. The parser reads it.
const EXCEPTIONS: [&str; 1] = ["cmd-459"];

#[test]
fn every_command_vector_agrees() {
    let mut wrong = Vec::new();
    let mut count = 0;
    for vector in commands() {
        count += 1;
        let policy = policy(&vector);
        let verdict = verdict(&vector.input, &policy);
        let mut expected = vector.is_valid;
        if EXCEPTIONS.contains(&&*vector.id) {
            assert!(vector.is_disputed && !expected, "{vector:?}");
            expected = true;
        }
        if verdict.is_ok() != expected {
            wrong.push(format!("{vector:?}: {verdict:?}"));
        }
    }
    assert_eq!(count, 317);
    assert!(wrong.is_empty(), "{wrong:#?}");
}

#[test]
fn every_good_command_comes_back_from_its_own_encoding() {
    for vector in commands() {
        let policy = policy(&vector);
        let Ok(command) = verdict(&vector.input, &policy) else { continue };
        let canonical = encoded(&command);
        let again = verdict(&canonical, &policy).unwrap();
        assert_eq!(again, command, "{vector:?}");
        assert_eq!(encoded(&again), canonical, "{vector:?}");
        assert_eq!(command.encoded_len(), canonical.len());
        assert!(command.encode(&mut vec![0; canonical.len() - 1]).is_err());
    }
}

#[test]
fn every_strict_prefix_is_incomplete() {
    for vector in commands() {
        let policy = policy(&vector);
        if verdict(&vector.input, &policy).is_err() {
            continue;
        }
        for end in 0..vector.input.len() {
            assert_eq!(
                Command::parse(&vector.input[..end], &policy),
                Ok(Parsed::Incomplete),
                "{vector:?}"
            );
        }
        let mut longer = vector.input.clone();
        longer.extend_from_slice(b"QUIT\r\n");
        let Ok(Parsed::Complete { consumed, .. }) = Command::parse(&longer, &policy) else {
            panic!("{vector:?}")
        };
        assert_eq!(consumed, vector.input.len());
    }
}

#[test]
fn every_extension_of_a_vector_licenses_its_command() {
    let mut count = 0;
    for vector in commands().filter(|vector| vector.is_valid) {
        let Some(extension) = vector.extension else { continue };
        let extensions: Vec<_> = match verdict(&vector.input, &policy(&vector)).unwrap() {
            Command::Mail { parameters, .. } | Command::Rcpt { parameters, .. } => {
                let listed: Vec<_> = parameters.iter().filter_map(|p| p.extension()).collect();
                let mut known: Vec<_> = parameters.extensions().collect();
                known.sort_unstable();
                let mut expected = listed.clone();
                expected.sort_unstable();
                expected.dedup();
                known.dedup();
                assert_eq!(known, expected, "{vector:?}");
                listed
            }
            command => command.extension().into_iter().collect(),
        };
        assert!(extensions.contains(&extension), "{vector:?}");
        count += 1;
    }
    assert!(count >= 25, "{count}");
}

fn policy(vector: &CommandVector) -> Policy {
    Policy::STRICT.with_smtputf8(vector.smtputf8)
}

/// The command; a verb that the crate does not know is answered with 500.
fn verdict<'i>(input: &'i [u8], policy: &Policy) -> Result<Command<'i>, String> {
    match Command::parse(input, policy) {
        Ok(Parsed::Complete { value: Command::Other { .. }, .. }) => Err("500".to_owned()),
        Ok(Parsed::Complete { value, consumed }) if consumed == input.len() => Ok(value),
        other => Err(format!("{other:?}")),
    }
}

fn encoded(command: &Command<'_>) -> Vec<u8> {
    let mut out = vec![0; 16_384];
    let written = command.encode(&mut out).unwrap();
    out.truncate(written);
    out
}

//! `paths.jsonl`: what the ABNF of paths takes and refuses.
#![allow(clippy::unwrap_used)] // a test fails by panicking

use ehlo::syntax::path::{AddressLiteral, Domain, Mailbox};
use ehlo::{Encode, ForwardPath, Policy, ReversePath};
use ehlo_testkit::vectors::{PathRule, paths};

#[test]
fn every_path_vector_agrees() {
    let mut wrong = Vec::new();
    let mut count = 0;
    for vector in paths() {
        count += 1;
        let verdict = parse(vector.rule, &vector.input, vector.smtputf8);
        if verdict.is_ok() != vector.is_valid {
            wrong.push(format!("{vector:?}: {verdict:?}"));
        }
        if let Ok(canonical) = verdict {
            let again = parse(vector.rule, &canonical, vector.smtputf8);
            assert_eq!(again.as_ref(), Ok(&canonical), "not idempotent: {vector:?}");
        }
    }
    assert_eq!(count, 317);
    assert!(wrong.is_empty(), "{wrong:#?}");
}

/// The canonical form of `input` read as a `rule`.
fn parse(rule: PathRule, input: &[u8], smtputf8: bool) -> Result<Vec<u8>, String> {
    let policy = Policy::STRICT.with_smtputf8(smtputf8);
    let text = || core::str::from_utf8(input).map_err(|error| error.to_string());
    match rule {
        PathRule::ReversePath => encoded(ReversePath::parse(input, &policy)),
        PathRule::ForwardPath => encoded(ForwardPath::parse(input, &policy)),
        PathRule::Mailbox => encoded(Mailbox::new(text()?)),
        PathRule::Domain => encoded(Domain::new(text()?)),
        PathRule::AddressLiteral => encoded(AddressLiteral::new(text()?)),
        _ => Err(format!("no rule {rule:?}")),
    }
}

fn encoded(value: Result<impl Encode, ehlo::SyntaxError>) -> Result<Vec<u8>, String> {
    let value = value.map_err(|error| format!("{error:?}"))?;
    let mut out = [0; 1024];
    let written = value.encode(&mut out).unwrap();
    Ok(out[..written].to_vec())
}

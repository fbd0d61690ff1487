//! `paths.jsonl`: what the ABNF of paths takes and refuses.
#![allow(clippy::unwrap_used)] // a test fails by panicking

use ehlo::syntax::path::{AddressLiteral, Domain, Mailbox};
use ehlo::{Encode, ForwardPath, Policy, ReversePath};
use serde_json::Value;

const PATHS: &str = include_str!("../vectors/paths.jsonl");

#[test]
fn every_path_vector_agrees() {
    let mut wrong = Vec::new();
    let mut count = 0;
    for vector in PATHS.lines().map(|line| serde_json::from_str::<Value>(line).unwrap()) {
        count += 1;
        let input = octets(vector["input"].as_str().unwrap());
        let smtputf8 = vector["smtputf8"].as_bool().unwrap_or(false);
        let verdict = parse(vector["as"].as_str().unwrap(), &input, smtputf8);
        let expected = vector["expect"] == "ok";
        if verdict.is_ok() != expected {
            wrong.push(format!("{vector}: {verdict:?}"));
        }
        if let Ok(canonical) = verdict {
            let again = parse(vector["as"].as_str().unwrap(), &canonical, smtputf8);
            assert_eq!(again.as_ref(), Ok(&canonical), "not idempotent: {vector}");
        }
    }
    assert_eq!(count, 317);
    assert!(wrong.is_empty(), "{wrong:#?}");
}

/// The canonical form of `input` read as a `rule`.
fn parse(rule: &str, input: &[u8], smtputf8: bool) -> Result<Vec<u8>, String> {
    let policy = Policy { smtputf8, ..Policy::STRICT };
    let text = || core::str::from_utf8(input).map_err(|error| error.to_string());
    match rule {
        "reverse-path" => encoded(ReversePath::parse(input, &policy)),
        "forward-path" => encoded(ForwardPath::parse(input, &policy)),
        "mailbox" => encoded(Mailbox::new(text()?)),
        "domain" => encoded(Domain::new(text()?)),
        "address-literal" => encoded(AddressLiteral::new(text()?)),
        _ => Err(format!("no rule {rule}")),
    }
}

fn encoded(value: Result<impl Encode, ehlo::SyntaxError>) -> Result<Vec<u8>, String> {
    let value = value.map_err(|error| format!("{error:?}"))?;
    let mut out = [0; 1024];
    let written = value.encode(&mut out).unwrap();
    Ok(out[..written].to_vec())
}

/// The octets that a string of the vectors carries as Latin-1 code points.
fn octets(text: &str) -> Vec<u8> {
    text.chars().map(|c| u8::try_from(u32::from(c)).unwrap()).collect()
}

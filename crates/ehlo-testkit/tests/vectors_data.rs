//! Every line of `data.jsonl`, whole and at every split.

use std::fs;

use ehlo::data::{DataDecoder, DataEncoder, Newlines};
use ehlo_testkit::mail_data::{Outcome, decode, encode};
use ehlo_testkit::split::every_split;
use serde_json::Value;

#[test]
fn decoding() {
    let mut run = 0;
    for vector in vectors("decode") {
        let input = octets(&vector["input"]).expect("an input");
        let rest = octets(&vector["rest"]);
        let is_refused = vector["bare_cr_or_lf"] == true || input.contains(&0);
        let id = &vector["id"];
        every_split(&input, |pieces| {
            let kept = decode(DataDecoder::new(Newlines::Keep), pieces);
            let strict = decode(DataDecoder::new(Newlines::Reject), pieces);
            if vector["eod"] == true {
                let consumed = input.len() - rest.as_ref().expect("a rest").len();
                let body = octets(&vector["body"]).expect("a body");
                assert_eq!(kept, Outcome { body, end: Some((Ok(()), consumed)) }, "{id}");
                let (verdict, at) = strict.end.expect("the same end");
                assert_eq!((verdict.is_err(), at), (is_refused, consumed), "{id}");
            } else {
                assert_eq!((kept.end, strict.end), (None, None), "{id}");
            }
        });
        // Whatever the input, the end that comes after it is found.
        let ended = [&input[..], b"\r\n.\r\n"].concat();
        if vector["eod"] == false {
            every_split(&ended, |pieces| {
                let strict = decode(DataDecoder::new(Newlines::Reject), pieces);
                let (verdict, at) = strict.end.expect("an end");
                assert_eq!((verdict.is_err(), at), (is_refused, ended.len()), "{id}");
            });
        }
        run += 1;
    }
    assert_eq!(run, 43, "vectors of direction decode");
}

#[test]
fn encoding() {
    let mut run = 0;
    for vector in vectors("encode") {
        let content = octets(&vector["input"]).expect("an input");
        let output = octets(&vector["output"]);
        let id = &vector["id"];
        every_split(&content, |pieces| {
            let wire = encode(DataEncoder::new(Newlines::Reject), pieces, 16);
            assert_eq!(wire.ok(), output, "{id}");
        });
        run += 1;
    }
    assert_eq!(run, 15, "vectors of direction encode");
}

fn vectors(direction: &str) -> Vec<Value> {
    let path = concat!(env!("CARGO_MANIFEST_DIR"), "/../ehlo-testkit/vectors/data.jsonl");
    fs::read_to_string(path)
        .expect("the vectors")
        .lines()
        .map(|line| serde_json::from_str::<Value>(line).expect("JSON"))
        .filter(|vector| vector["dir"] == direction)
        .collect()
}

/// The octets that a string carries as Latin-1 code points; `None` for null.
fn octets(value: &Value) -> Option<Vec<u8>> {
    let octet = |character| u8::try_from(u32::from(character)).expect("Latin-1");
    Some(value.as_str()?.chars().map(octet).collect())
}

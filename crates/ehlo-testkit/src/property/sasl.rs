//! The lines of a SASL exchange.

use ehlo::syntax::sasl::{Challenge, Response, SaslData};
use ehlo::syntax::{SyntaxErrorKind, Writer, limits};
use ehlo::{Command, Encode as _, Parsed, Policy, Reply};

use super::wire;

/// A line of a client within AUTH is base64 as a naive decoder reads it, and is encoded to the same
/// line; any bytes survive both ways. `Debug` shows none of them.
pub fn sasl(input: &[u8]) {
    line(input);
    bytes(input);
}

fn line(line: &[u8]) {
    let naive = naive(line);
    match Response::parse(line) {
        Ok(Response::Cancel) => assert_eq!(line, b"*"),
        Ok(Response::Data(data)) if line == b"=" => assert_eq!(data, SaslData::EMPTY),
        Ok(Response::Data(data)) => {
            let naive = naive.as_deref().expect("base64");
            assert_eq!(data.decoded_len(), naive.len());
            let mut out = vec![0; naive.len()];
            assert_eq!(data.decode(&mut out), Ok(naive.len()));
            assert_eq!(out, naive);
            assert_eq!(data, SaslData::new(naive));
            assert_eq!(wire(&data), line);
            assert_eq!(data.is_empty(), naive.is_empty());
            let shown = format!("{data:?}");
            assert_eq!(shown, format!("SaslData(redacted, {} bytes)", naive.len()));
        }
        Err(error) => {
            assert!(error.offset <= line.len());
            let long = line.len() + 2 > limits::AUTH_LINE;
            assert_eq!(error.kind == SyntaxErrorKind::AuthLineTooLong, long);
            assert!(long || naive.is_none(), "{error:?}");
        }
    }
    initial(line, naive.as_deref());
}

/// The initial response of AUTH, where an empty one is "=" and spare bits are only noted.
fn initial(word: &[u8], naive: Option<&[u8]>) {
    if word.trim_ascii() != word || word.is_empty() {
        return;
    }
    let line = [b"AUTH PLAIN ", word].concat();
    match Command::parse_line(&line, &Policy::STRICT) {
        Ok(Command::Auth { initial_response: Some(data), .. }) => {
            assert_eq!(naive.is_some(), data.is_canonical() && word != b"=");
            let mut out = vec![0; data.decoded_len()];
            assert_eq!(data.decode(&mut out), Ok(out.len()));
            assert_eq!(naive.unwrap_or(&out), out);
            let shown = format!("{:?}", Command::parse_line(&line, &Policy::STRICT));
            assert!(shown.contains("redacted"), "{shown}");
        }
        Ok(other) => panic!("{} is {other:?}", line.escape_ascii()),
        Err(error) => {
            assert!(error.offset <= line.len());
            assert!(naive.is_none() || line.len() + 2 > limits::AUTH_LINE, "{error:?}");
        }
    }
}

fn bytes(bytes: &[u8]) {
    let data = SaslData::new(bytes);
    let base64 = wire(&data);
    assert_eq!(naive(&base64).as_deref(), Some(bytes));
    assert_eq!(SaslData::parse(&base64), Ok(data));
    let reply = wire(&Challenge(data));
    if let Ok(Parsed::Complete { value, consumed }) = Reply::parse(&reply, &Policy::STRICT) {
        assert_eq!(consumed, reply.len());
        assert_eq!(Challenge::from_reply(&value), Ok(Challenge(data)));
    } else {
        assert!(reply.len() > 4096);
    }
    let mut initial = vec![0; data.encoded_len() + 1];
    let mut writer = Writer::new(&mut initial);
    data.write_initial(&mut writer);
    let written = writer.finish().expect("room for a word");
    assert_eq!(SaslData::parse_initial(&initial[..written]), Ok(data));
}

/// RFC 4648 §4 with padding and without spare bits, digit by digit.
fn naive(base64: &[u8]) -> Option<Vec<u8>> {
    let mut bytes = Vec::new();
    let mut groups = base64.chunks(4).peekable();
    while let Some(group) = groups.next() {
        let padding = group.iter().rev().take_while(|digit| **digit == b'=').count();
        if group.len() < 4 || padding > 2 || (padding > 0 && groups.peek().is_some()) {
            return None;
        }
        let mut number = 0_u32;
        for digit in &group[..4 - padding] {
            let value = match digit {
                b'A'..=b'Z' => digit - b'A',
                b'a'..=b'z' => digit - b'a' + 26,
                b'0'..=b'9' => digit - b'0' + 52,
                b'+' => 62,
                b'/' => 63,
                _ => return None,
            };
            number = number << 6 | u32::from(value);
        }
        number <<= 6 * padding;
        let [_, all @ ..] = number.to_be_bytes();
        let (kept, spare) = all.split_at(3 - padding);
        if spare.iter().any(|byte| *byte != 0) {
            return None;
        }
        bytes.extend(kept);
    }
    Some(bytes)
}

//! The decoder and the encoder against naive ones that see the whole input at once.

use ehlo::NewlineErrorKind::{BareCr, BareLf, LineTooLong, Nul};
use ehlo::{DataDecoder, DataEncoder, NewlineError, NewlineErrorKind, Newlines};
use proptest::prelude::*;

use crate::feed::{Outcome, decode, encode};

const ALPHABET: [u8; 5] = *b"\r\n.\0a";

const ALL: [Newlines; 4] =
    [Newlines::Reject, Newlines::RejectAroundDot, Newlines::Normalise, Newlines::Keep];

#[test]
fn decoder_on_every_short_input() {
    for input in inputs(if cfg!(debug_assertions) { 6 } else { 8 }) {
        for newlines in ALL {
            let expected = decoded(newlines, None, &input);
            for split in 0..=input.len() {
                let (head, tail) = input.split_at(split);
                let outcome = decode(DataDecoder::new(newlines), &[head, tail]);
                assert_eq!(outcome, expected, "{newlines:?} {:?} at {split}", input.escape_ascii());
            }
            let pieces: Vec<_> = input.chunks(1).collect();
            assert_eq!(decode(DataDecoder::new(newlines), &pieces), expected);
        }
    }
}

#[test]
fn encoder_on_every_short_content() {
    for content in inputs(if cfg!(debug_assertions) { 5 } else { 7 }) {
        for newlines in ALL {
            let expected = encoded(newlines, &content);
            for room in [2, 3, 5, 64] {
                for split in 0..=content.len() {
                    let (head, tail) = content.split_at(split);
                    let wire = encode(DataEncoder::new(newlines), &[head, tail], room);
                    assert_eq!(wire, expected, "{newlines:?} {:?}", content.escape_ascii());
                }
            }
        }
    }
}

/// The searches have strides: what matters may stand anywhere in them.
#[test]
fn every_short_sequence_at_every_place_of_a_long_text() {
    for filler in [&b"a"[..], b"a\r\n", b"abcdefghijklmnop.\r\n", b"..a\r\n"] {
        let text: Vec<u8> = filler.iter().copied().cycle().take(200).collect();
        for sequence in inputs(if cfg!(debug_assertions) { 2 } else { 4 }) {
            for place in 0..150 {
                let input = [&text[..place], &sequence[..], &text[place..], b"\r\n.\r\n"].concat();
                for newlines in ALL {
                    let outcome = decode(DataDecoder::new(newlines), &[&input]);
                    let expected = decoded(newlines, None, &input);
                    assert_eq!(outcome, expected, "{newlines:?} {:?}", input.escape_ascii());
                    let wire = encode(DataEncoder::new(newlines), &[&input], 600);
                    let expected = encoded(newlines, &input);
                    assert_eq!(wire, expected, "{newlines:?} {:?}", input.escape_ascii());
                }
            }
        }
    }
}

proptest! {
    #[test]
    fn decoder(
        input in text(),
        cuts in prop::collection::vec(any::<prop::sample::Index>(), 0..6),
        newlines in prop::sample::select(&ALL[..]),
    ) {
        let pieces = pieces(&input, &cuts);
        let expected = decoded(newlines, None, &input);
        prop_assert_eq!(decode(DataDecoder::new(newlines), &pieces), expected.clone());
        let octets: Vec<_> = input.chunks(1).collect();
        prop_assert_eq!(decode(DataDecoder::new(newlines), &octets), expected);
    }

    #[test]
    fn decoder_with_line_limit(
        input in text(),
        cuts in prop::collection::vec(any::<prop::sample::Index>(), 0..6),
        limit in 1_u16..80,
        newlines in prop::sample::select(
            &[Newlines::Reject, Newlines::RejectAroundDot, Newlines::Keep][..]
        ),
    ) {
        let decoder = DataDecoder::new(newlines).with_line_limit(Some(limit));
        let expected = decoded(newlines, Some(limit), &input);
        prop_assert_eq!(decode(decoder, &pieces(&input, &cuts)), expected);
    }

    #[test]
    fn encoder(
        content in text(),
        cuts in prop::collection::vec(any::<prop::sample::Index>(), 0..6),
        newlines in prop::sample::select(&ALL[..]),
        room in 2_usize..200,
    ) {
        let wire = encode(DataEncoder::new(newlines), &pieces(&content, &cuts), room);
        prop_assert_eq!(wire, encoded(newlines, &content));
    }

    #[test]
    fn decoder_undoes_encoder(
        content in text(),
        cuts in prop::collection::vec(any::<prop::sample::Index>(), 0..6),
        newlines in prop::sample::select(&ALL[..]),
        room in 2_usize..200,
    ) {
        let Ok(wire) = encode(DataEncoder::new(newlines), &[&content], room) else {
            return Ok(());
        };
        let outcome = decode(DataDecoder::new(newlines), &pieces(&wire, &cuts));
        let mut body =
            if newlines == Newlines::Normalise { normalised(&content) } else { content };
        if !body.is_empty() && !body.ends_with(b"\r\n") {
            body.extend_from_slice(b"\r\n");
        }
        prop_assert_eq!(outcome, Outcome { body, end: Some((Ok(()), wire.len())) });
    }
}

/// Lines, ends of data and what looks like them, with runs longer than a vector.
fn text() -> impl Strategy<Value = Vec<u8>> {
    let word = prop_oneof![
        4 => prop::sample::select(&ALPHABET[..]).prop_map(|octet| vec![octet]),
        3 => Just(b"\r\n".to_vec()),
        2 => Just(b"\r\n.".to_vec()),
        1 => Just(b"\r\n.\r\n".to_vec()),
        2 => (1_usize..80).prop_map(|length| vec![b'a'; length]),
        1 => (1_usize..1500).prop_map(|length| b"abc\r\n".repeat(length / 5)),
    ];
    prop::collection::vec(word, 0..24).prop_map(|words| words.concat())
}

fn pieces<'i>(input: &'i [u8], cuts: &[prop::sample::Index]) -> Vec<&'i [u8]> {
    let mut cuts: Vec<_> = cuts.iter().map(|cut| cut.index(input.len() + 1)).collect();
    cuts.sort_unstable();
    let mut pieces = Vec::new();
    let mut start = 0;
    for end in cuts.into_iter().chain([input.len()]) {
        pieces.push(&input[start..end]);
        start = end;
    }
    pieces
}

/// Every string over the alphabet of up to `length` octets.
fn inputs(length: u32) -> impl Iterator<Item = Vec<u8>> {
    (0..=length).flat_map(|length| {
        (0..5_usize.pow(length)).map(move |mut number| {
            let mut input = Vec::new();
            for _ in 0..length {
                input.push(ALPHABET[number % 5]);
                number /= 5;
            }
            input
        })
    })
}

fn decoded(newlines: Newlines, limit: Option<u16>, input: &[u8]) -> Outcome {
    let end = if input.starts_with(b".\r\n") {
        Some(0)
    } else {
        input.windows(5).position(|octets| octets == b"\r\n.\r\n").map(|crlf| crlf + 2)
    };
    let wire = end.map_or(input, |end| &input[..end]);
    let error = first_error(newlines, limit, wire);
    let known = error.map_or(wire.len(), |(known, _)| known);

    let mut body = Vec::new();
    for (at, octet) in wire[..known].iter().enumerate() {
        let after_stuffing = at > 0 && is_line_dot(wire, at - 1);
        if is_line_dot(wire, at) {
            continue;
        }
        // A CR that may end the data is withheld: to the end of the input, or to the error.
        let refused = error.is_some_and(|(_, error)| error.kind == BareCr);
        let withheld = after_stuffing && *octet == b'\r' && at + 1 == known;
        if withheld && (refused || known == input.len()) {
            continue;
        }
        body.push(*octet);
    }
    if newlines == Newlines::Normalise {
        let open_cr = body.ends_with(b"\r");
        body = normalised(&body);
        if open_cr {
            body.pop();
        }
    }
    let verdict = error.map_or(Ok(()), |(_, error)| Err(error));
    Outcome { body, end: end.map(|end| (verdict, end + 3)) }
}

/// The first error, and the offset of the octet that shows it.
fn first_error(
    newlines: Newlines,
    limit: Option<u16>,
    wire: &[u8],
) -> Option<(usize, NewlineError)> {
    let mut errors = Vec::new();
    let mut error = |known: usize, kind: NewlineErrorKind, offset: usize| {
        // A bare CR is known by the octet behind it, so there must be one.
        if known < wire.len() {
            errors.push((known, NewlineError { kind, offset: offset as u64 }));
        }
    };
    for at in 0..wire.len() {
        match (newlines, wire[at]) {
            (Newlines::Reject, b'\r' | b'\n' | 0) => match bare(wire, at) {
                Some(BareCr) => error(at + 1, BareCr, at),
                Some(kind) => error(at, kind, at),
                None => {}
            },
            (Newlines::RejectAroundDot, b'.') => {
                let before = at.checked_sub(1).and_then(|before| bare(wire, before));
                let follows = wire.get(at + 1).copied();
                let is_followed = matches!(follows, Some(b'\r' | b'\n' | 0));
                match before {
                    Some(kind) if is_followed => error(at + 1, kind, at - 1),
                    None if is_followed && is_line_dot(wire, at) => match bare(wire, at + 1) {
                        Some(BareCr) => error(at + 2, BareCr, at + 1),
                        Some(kind) => error(at + 1, kind, at + 1),
                        None => {}
                    },
                    _ => {}
                }
            }
            _ => {}
        }
    }
    if let Some(limit) = limit {
        let mut line = 0;
        for at in 0..wire.len() {
            line += usize::from(!is_line_dot(wire, at));
            if line > usize::from(limit) {
                error(at, LineTooLong, at);
                break;
            }
            if wire[..=at].ends_with(b"\r\n") {
                line = 0;
            }
        }
    }
    errors.into_iter().min_by_key(|(known, error)| (*known, error.offset))
}

/// What is bare at `at`; a CR at the end of the wire is.
fn bare(wire: &[u8], at: usize) -> Option<NewlineErrorKind> {
    match wire[at] {
        b'\r' if wire.get(at + 1) != Some(&b'\n') => Some(BareCr),
        b'\n' if !wire[..at].ends_with(b"\r") => Some(BareLf),
        0 => Some(Nul),
        _ => None,
    }
}

fn is_line_dot(wire: &[u8], at: usize) -> bool {
    wire[at] == b'.' && (at == 0 || wire[..at].ends_with(b"\r\n"))
}

fn normalised(content: &[u8]) -> Vec<u8> {
    let mut lines = Vec::new();
    for (at, octet) in content.iter().enumerate() {
        match (octet, bare(content, at)) {
            (_, Some(BareCr | BareLf)) => lines.extend_from_slice(b"\r\n"),
            _ => lines.push(*octet),
        }
    }
    lines
}

fn encoded(newlines: Newlines, content: &[u8]) -> Result<Vec<u8>, NewlineError> {
    for at in 0..content.len() {
        if let Some(kind) = bare(content, at) {
            let around = content[at + 1..].starts_with(b".")
                && matches!(content.get(at + 2), None | Some(b'\r' | b'\n' | 0));
            if newlines == Newlines::Reject || newlines == Newlines::RejectAroundDot && around {
                return Err(NewlineError { kind, offset: at as u64 });
            }
        }
    }
    let content =
        if newlines == Newlines::Normalise { normalised(content) } else { content.to_vec() };
    let mut wire = Vec::new();
    for at in 0..content.len() {
        if is_line_dot(&content, at) {
            wire.push(b'.');
        }
        wire.push(content[at]);
    }
    if !wire.is_empty() && !wire.ends_with(b"\r\n") {
        wire.extend_from_slice(b"\r\n");
    }
    wire.extend_from_slice(b".\r\n");
    Ok(wire)
}

//! The decoder and the encoder against naive ones that see the whole input at once.

use ehlo::data::{DataDecoder, DataEncoder, Newlines};
use ehlo_testkit::mail_data::reference::{decoded, encoded, normalised};
use ehlo_testkit::mail_data::{Outcome, decode, encode};
use ehlo_testkit::property::chunks;
use proptest::prelude::*;

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

/// By DATA and by BDAT alike.
#[test]
fn chunks_of_every_short_content() {
    for content in inputs(if cfg!(debug_assertions) { 4 } else { 6 }) {
        for policy in 0..4 {
            for text_line in [0, 3] {
                for sizes in [[0, 0, 1], [1, 0, 2]] {
                    let head = [&[policy, text_line], &sizes[..], &[2, 3, 0]].concat();
                    chunks(&[head, content.clone()].concat());
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
        let bytes: Vec<_> = input.chunks(1).collect();
        prop_assert_eq!(decode(DataDecoder::new(newlines), &bytes), expected);
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
        4 => prop::sample::select(&ALPHABET[..]).prop_map(|byte| vec![byte]),
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

/// Every string over the alphabet of up to `length` bytes.
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

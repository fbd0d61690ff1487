//! Mail data.

use ehlo::data::{DataDecoder, DataEncoder, Newlines};

use super::{choices, pieces};
use crate::mail_data::reference::{decoded, encoded, normalised};
use crate::mail_data::{Outcome, decode, encode};

/// The bytes behind a 354 under every policy, cut anywhere: the decoder agrees with a naive one
/// that sees the whole input.
pub fn data_decoder(input: &[u8]) {
    let ([limit, cuts @ ..], bytes) = choices::<4>(input);
    let cut = pieces(bytes, cuts);
    let single: Vec<&[u8]> = bytes.chunks(1).collect();
    for newlines in ALL {
        // With a limit on the line, what counts is the line of the wire, which NORMALISE changes.
        let limit = Some(u16::from(limit)).filter(|l| *l > 0 && newlines != Newlines::Normalise);
        let decoder = DataDecoder::new(newlines).with_line_limit(limit);
        let expected = decoded(newlines, limit, bytes);
        assert_eq!(decode(decoder, &[bytes]), expected, "{newlines:?} whole");
        assert_eq!(decode(decoder, &cut), expected, "{newlines:?} {cuts:?}");
        assert_eq!(decode(decoder, &single), expected, "{newlines:?} byte by byte");
    }
}

/// The content of a message under every policy, cut anywhere, into output of any size: the encoder
/// agrees with a naive one, and the decoder returns the content.
pub fn data_encoder(input: &[u8]) {
    let ([room, cuts @ ..], content) = choices::<4>(input);
    let room = usize::from(room).max(DataEncoder::MIN_ROOM);
    let cut = pieces(content, cuts);
    for newlines in ALL {
        let expected = encoded(newlines, content);
        assert_eq!(encode(DataEncoder::new(newlines), &cut, room), expected, "{newlines:?}");
        let Ok(wire) = expected else { continue };
        assert_eq!(encode(DataEncoder::new(newlines), &[content], 1 << 16).as_ref(), Ok(&wire));

        let mut body = match newlines {
            Newlines::Normalise => normalised(content),
            _ => content.to_vec(),
        };
        if !body.is_empty() && !body.ends_with(b"\r\n") {
            body.extend(b"\r\n");
        }
        let expected = Outcome { body, end: Some((Ok(()), wire.len())) };
        let followed = [&wire, b"QUIT\r\n".as_slice()].concat();
        assert_eq!(decode(DataDecoder::new(newlines), &pieces(&followed, cuts)), expected);
    }
}

const ALL: [Newlines; 4] =
    [Newlines::Reject, Newlines::RejectAroundDot, Newlines::Normalise, Newlines::Keep];

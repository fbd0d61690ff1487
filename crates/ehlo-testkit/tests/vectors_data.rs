//! Every line of `data.jsonl`, whole and at every split.

use ehlo::data::{DataDecoder, DataEncoder, Newlines};
use ehlo_testkit::mail_data::{Outcome, decode, encode};
use ehlo_testkit::split::every_split;
use ehlo_testkit::vectors::{DataVector, data};

#[test]
fn every_vector_is_decoded() {
    let mut run = 0;
    for vector in data() {
        let DataVector::Decode { id, input, decoded, has_bare_cr_or_lf } = vector else { continue };
        let is_refused = has_bare_cr_or_lf || input.contains(&0);
        every_split(&input, |pieces| {
            let kept = decode(DataDecoder::new(Newlines::Keep), pieces);
            let strict = decode(DataDecoder::new(Newlines::Reject), pieces);
            let Some(decoded) = &decoded else {
                return assert_eq!((kept.end, strict.end), (None, None), "{id}");
            };
            let consumed = input.len() - decoded.unread.len();
            let body = decoded.body.clone();
            assert_eq!(kept, Outcome { body, end: Some((Ok(()), consumed)) }, "{id}");
            let (verdict, at) = strict.end.expect("the same end");
            assert_eq!((verdict.is_err(), at), (is_refused, consumed), "{id}");
        });
        // Whatever the input, the end that comes after it is found.
        let ended = [&input[..], b"\r\n.\r\n"].concat();
        if decoded.is_none() {
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
fn every_vector_is_encoded() {
    let mut run = 0;
    for vector in data() {
        let DataVector::Encode { id, content, output } = vector else { continue };
        every_split(&content, |pieces| {
            let wire = encode(DataEncoder::new(Newlines::Reject), pieces, 16);
            assert_eq!(wire.ok(), output, "{id}");
        });
        run += 1;
    }
    assert_eq!(run, 15, "vectors of direction encode");
}

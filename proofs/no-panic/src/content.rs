//! L1: mail data and chunks.

use std::hint::black_box;

use ehlo::data::{
    ChunkDecoder, Content, DataDecoder, DataEncoder, Decoded, FinishError, NewlineError, Newlines,
    Progress,
};
use no_panic::no_panic;

pub fn run(input: &[u8], out: &mut [u8]) -> usize {
    let all = [Newlines::Reject, Newlines::RejectAroundDot, Newlines::Normalise, Newlines::Keep];
    let mut bytes = 0;
    for newlines in black_box(all) {
        let mut decoder = DataDecoder::new(newlines).with_line_limit(black_box(Some(1000)));
        let mut rest = input;
        loop {
            let decoded = decode(&mut decoder, rest);
            rest = &rest[decoded.consumed..];
            match decoded.content {
                Content::Data(data) => bytes += data.len(),
                Content::NeedInput | Content::End(_) => break,
            }
        }
        let mut encoder = DataEncoder::new(newlines);
        if let Ok(progress) = encode(&mut encoder, input, out) {
            bytes += progress.written + finish(&mut encoder, out).unwrap_or_default();
        }
    }
    let mut chunk = ChunkDecoder::new(black_box(Newlines::Normalise));
    chunk.begin(black_box(100), black_box(true));
    bytes + take(&mut chunk, input).consumed
}

#[no_panic]
#[inline(never)]
fn decode<'i>(decoder: &mut DataDecoder, input: &'i [u8]) -> Decoded<'i> {
    decoder.decode(input)
}

#[no_panic]
#[inline(never)]
fn encode(
    encoder: &mut DataEncoder,
    content: &[u8],
    out: &mut [u8],
) -> Result<Progress, NewlineError> {
    encoder.encode(content, out)
}

#[no_panic]
#[inline(never)]
fn finish(encoder: &mut DataEncoder, out: &mut [u8]) -> Result<usize, FinishError> {
    encoder.finish(out)
}

#[no_panic]
#[inline(never)]
fn take<'i>(chunk: &mut ChunkDecoder, input: &'i [u8]) -> Decoded<'i> {
    chunk.take(input)
}

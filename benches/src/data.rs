//! Mail data: dots removed and added.

use std::hint::black_box;

use ehlo::data::{Content, DataDecoder, DataEncoder, Newlines};
use io_smtp::coroutine::{SmtpCoroutine, SmtpCoroutineState, SmtpYield};
use io_smtp::rfc5321::data::SmtpData;
use memchr::memmem::Finder;
use smtp_proto::request::receiver::DataReceiver;

use crate::Contest;
use crate::corpus::{self, CHUNK};

/// What a server does with the wire form of `message`, which comes in chunks.
pub(crate) fn decode(name: &'static str, message: &[u8]) -> Contest {
    let wire = corpus::on_the_wire(message);
    let mut whole = Vec::with_capacity(wire.len());
    let mut piece = Vec::with_capacity(CHUNK);
    let kib = wire.len() >> 10;
    Contest::new(name, wire, (kib, "KiB"))
        .ehlo("ehlo, Keep", |wire| ehlo(Newlines::Keep, wire))
        .ehlo("ehlo, Reject", |wire| ehlo(Newlines::Reject, wire))
        .ehlo("ehlo, Normalise", |wire| ehlo(Newlines::Normalise, wire))
        .peer("smtp-proto", move |wire| smtp_proto(wire, &mut whole))
        .peer("smtp-proto, drained", move |wire| smtp_proto_drained(wire, &mut piece))
        .peer("mailrs-smtp-proto", mailrs)
        .floor("memmem", find)
}

/// What a client does with `message`, which comes in chunks.
pub(crate) fn encode(name: &'static str, message: Vec<u8>) -> Contest {
    let room = vec![0; 2 * CHUNK + DataEncoder::MAX_END];
    let [mut keep, mut reject, mut normalise] = [room.clone(), room.clone(), room];
    let [mut first, mut second] = [(); 2].map(|()| Vec::with_capacity(2 * CHUNK));
    let kib = message.len() >> 10;
    Contest::new(name, message, (kib, "KiB"))
        .ehlo("ehlo, Keep", move |message| ehlo_encode(Newlines::Keep, message, &mut keep))
        .ehlo("ehlo, Reject", move |message| ehlo_encode(Newlines::Reject, message, &mut reject))
        .ehlo("ehlo, Normalise", move |message| {
            ehlo_encode(Newlines::Normalise, message, &mut normalise)
        })
        .peer("io-smtp", io_smtp_encode)
        .floor("byte by byte", move |message| bytes_encode(message, &mut first))
        .floor("memmem and copy", move |message| find_encode(message, &mut second))
}

fn ehlo(newlines: Newlines, wire: &[u8]) -> usize {
    let mut decoder = DataDecoder::new(newlines);
    let mut length = 0;
    for chunk in wire.chunks(CHUNK) {
        let mut rest = chunk;
        loop {
            let found = decoder.decode(rest);
            rest = &rest[found.consumed..];
            match found.content {
                Content::Data(data) => length += black_box(data).len(),
                Content::NeedInput => break,
                Content::End(end) => return if end.is_ok() { length } else { 0 },
            }
        }
    }
    0
}

/// As it is meant to be used: the message grows in one buffer.
fn smtp_proto(wire: &[u8], message: &mut Vec<u8>) -> usize {
    message.clear();
    let mut receiver = DataReceiver::new();
    for chunk in wire.chunks(CHUNK) {
        if receiver.ingest(&mut chunk.iter(), message) {
            return black_box(message).len();
        }
    }
    0
}

/// The message is taken away after each chunk. The receiver takes back a byte at the end, so
/// this is wrong where the end is cut in two; here it only shows what the buffer costs.
fn smtp_proto_drained(wire: &[u8], piece: &mut Vec<u8>) -> usize {
    let mut receiver = DataReceiver::new();
    let mut length = 0;
    for chunk in wire.chunks(CHUNK) {
        piece.clear();
        let is_end = receiver.ingest(&mut chunk.iter(), piece);
        length += black_box(&*piece).len();
        if is_end {
            return length;
        }
    }
    0
}

/// The message in one piece: it knows no other.
fn mailrs(wire: &[u8]) -> usize {
    black_box(mailrs_smtp_proto::unstuff_data(wire)).len()
}

fn find(wire: &[u8]) -> usize {
    let finder = Finder::new(b"\r\n.");
    wire.chunks(CHUNK).map(|chunk| finder.find_iter(chunk).count()).sum()
}

fn ehlo_encode(newlines: Newlines, message: &[u8], out: &mut [u8]) -> usize {
    let mut encoder = DataEncoder::new(newlines);
    let mut length = 0;
    for chunk in message.chunks(CHUNK) {
        let mut rest = chunk;
        while !rest.is_empty() {
            let Ok(progress) = encoder.encode(rest, out) else { return 0 };
            black_box(&*out);
            rest = &rest[progress.consumed..];
            length += progress.written;
        }
    }
    length + encoder.finish(out).unwrap_or_default()
}

/// The message in one piece, which its coroutine wants to own: the copy is counted.
fn io_smtp_encode(message: &[u8]) -> usize {
    let mut data = SmtpData::new(message.to_vec());
    let mut input = None;
    loop {
        match data.resume(input.take()) {
            SmtpCoroutineState::Yielded(SmtpYield::WantsWrite(wire)) if wire != b"DATA\r\n" => {
                return black_box(wire).len();
            }
            SmtpCoroutineState::Yielded(SmtpYield::WantsWrite(_)) => {}
            SmtpCoroutineState::Yielded(SmtpYield::WantsRead) => input = Some(&b"354 go\r\n"[..]),
            SmtpCoroutineState::Complete(_) => return 0,
        }
    }
}

/// A state and a branch for each byte. lettre's encoder, which is not public, works like this.
fn bytes_encode(message: &[u8], out: &mut Vec<u8>) -> usize {
    let mut length = 0;
    let mut before = *b"\r\n";
    for chunk in message.chunks(CHUNK) {
        out.clear();
        for &byte in chunk {
            if byte == b'.' && before == *b"\r\n" {
                out.push(b'.');
            }
            out.push(byte);
            before = [before[1], byte];
        }
        length += black_box(&*out).len();
    }
    length + b".\r\n".len()
}

/// Dots at the front of a chunk are missed.
fn find_encode(message: &[u8], out: &mut Vec<u8>) -> usize {
    let finder = Finder::new(b"\r\n.");
    let mut length = 0;
    for chunk in message.chunks(CHUNK) {
        out.clear();
        let mut start = 0;
        for found in finder.find_iter(chunk) {
            out.extend_from_slice(&chunk[start..found + 2]);
            out.push(b'.');
            start = found + 2;
        }
        out.extend_from_slice(&chunk[start..]);
        length += black_box(&*out).len();
    }
    length + b".\r\n".len()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn everybody_gives_the_same_message() {
        for message in [corpus::text, corpus::dotted_text, corpus::dots].map(|make| make(1 << 20)) {
            let wire = corpus::on_the_wire(&message);
            // What comes before the end is a line, the CRLF of which is the message's.
            for newlines in [Newlines::Keep, Newlines::Reject, Newlines::Normalise] {
                assert_eq!(ehlo(newlines, &wire), message.len());
                let mut out = vec![0; 2 * CHUNK + DataEncoder::MAX_END];
                assert_eq!(ehlo_encode(newlines, &message, &mut out), wire.len());
            }
            assert_eq!(mailrs(&wire), message.len());
            assert_eq!(io_smtp_encode(&message), wire.len());
            assert_eq!(bytes_encode(&message, &mut Vec::new()), wire.len());
        }
    }

    /// smtp-proto takes a dot at the front of the data for text.
    #[test]
    fn smtp_proto_gives_the_same_message() {
        let message = corpus::text(1 << 20);
        let wire = corpus::on_the_wire(&message);
        assert_eq!(smtp_proto(&wire, &mut Vec::new()), message.len());
        assert_eq!(smtp_proto_drained(&wire, &mut Vec::new()), message.len());
    }
}

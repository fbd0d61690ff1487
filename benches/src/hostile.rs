//! Input that is meant to hurt, each kind once as long as the other time: what takes more than
//! twice as long is not linear.

use std::hint::black_box;

use ehlo::data::{Content, DataDecoder, Newlines};
use ehlo::server::Event;
use ehlo::syntax::reply::{ReplyFrame, ReplyLimits};
use ehlo::{Command, Parsed, Policy, Server};

use crate::Contest;
use crate::commands::server_config;

/// Of the whole input and of the first half of it.
fn contest(
    name: &'static str,
    size: usize,
    input: impl Fn(usize) -> Vec<u8>,
    run: fn(&[u8]) -> usize,
) -> Contest {
    let (half, all) = (input(size / 2), input(size));
    let bytes = all.len();
    Contest::new(name, all, (bytes, "byte"))
        .ehlo("ehlo", run)
        .ehlo("ehlo, half the input", move |_| run(&half))
}

/// A command line without an end, which a server is fed byte by byte.
pub(crate) fn endless_command(name: &'static str) -> Contest {
    contest(name, 1 << 20, |size| vec![b'a'; size], server_bytewise)
}

/// The same, and every byte is a CR.
pub(crate) fn endless_cr(name: &'static str) -> Contest {
    contest(name, 1 << 20, |size| vec![b'\r'; size], server_bytewise)
}

/// A reply of as many lines as one may have, byte by byte.
pub(crate) fn many_reply_lines(name: &'static str) -> Contest {
    contest(name, 1 << 18, |size| b"250-a\r\n".repeat(size / 7), frame_bytewise)
}

/// A reply in one line as long as one may be, byte by byte.
pub(crate) fn long_reply_line(name: &'static str) -> Contest {
    let line = |size| [b"250 ".to_vec(), vec![b'a'; size - 8]].concat();
    contest(name, 1 << 16, line, frame_bytewise)
}

/// Lines of MAIL with as many parameters as they have room for, up to the longest line that is
/// looked at; the double input has lines of the double length.
pub(crate) fn many_parameters(name: &'static str) -> Contest {
    commands(name, 3100, |length| format!("MAIL FROM:<>{}", " X".repeat((length - 12) / 2)))
}

/// The same with keywords of two letters, which must be told from known ones.
pub(crate) fn two_letters(name: &'static str) -> Contest {
    commands(name, 3100, |length| format!("MAIL FROM:<>{}", " XY".repeat((length - 12) / 3)))
}

/// Lines of RCPT whose local part is nothing but quoted pairs.
pub(crate) fn deep_quoting(name: &'static str) -> Contest {
    commands(name, 500, |length| format!("RCPT TO:<\"{}\"@a>", "\\\"".repeat((length - 14) / 2)))
}

/// Lines of RCPT with a source route as long as the line, and no end of the path.
pub(crate) fn source_route(name: &'static str) -> Contest {
    commands(name, 500, |length| format!("RCPT TO:<{}@a:b@c", "@a,".repeat((length - 16) / 3)))
}

/// Lines of MAIL with a value in xtext of which every byte is encoded.
pub(crate) fn xtext(name: &'static str) -> Contest {
    commands(name, 500, |length| format!("MAIL FROM:<> AUTH={}", "+2B".repeat((length - 20) / 3)))
}

/// Lines of AUTH with an initial response as long as one may be.
pub(crate) fn initial_response(name: &'static str) -> Contest {
    commands(name, 12_000, |length| format!("AUTH PLAIN {}", "QUJD".repeat((length - 13) / 4)))
}

/// Lines that are longer than any command.
pub(crate) fn long_lines(name: &'static str) -> Contest {
    commands(name, 1 << 20, |length| format!("NOOP {}", "a".repeat(length - 7)))
}

/// Mail data in which nearly the end comes over and over.
pub(crate) fn nearly_the_end(name: &'static str) -> Contest {
    contest(name, 1 << 20, |size| b"\r\n.\r".repeat(size / 4), |input| decode(input, input.len()))
}

/// Mail data of bare LF, each of which becomes a CRLF.
pub(crate) fn bare_lf(name: &'static str) -> Contest {
    contest(name, 1 << 20, |size| vec![b'\n'; size], |input| decode(input, input.len()))
}

/// The same with a letter before each, so that no two of them come together.
pub(crate) fn bare_lf_and_text(name: &'static str) -> Contest {
    contest(name, 1 << 20, |size| b"a\n".repeat(size / 2), |input| decode(input, input.len()))
}

/// Mail data of dots, byte by byte.
pub(crate) fn data_bytewise(name: &'static str) -> Contest {
    contest(name, 1 << 20, |size| b".\r\n".repeat(size / 3), |input| decode(input, 1))
}

/// As many lines of `size` bytes as of half of it.
fn commands(name: &'static str, size: usize, line: impl Fn(usize) -> String) -> Contest {
    let number = (1 << 20) / size;
    let input = |size| (line(size / number) + "\r\n").into_bytes().repeat(number);
    contest(name, size * number, input, parse)
}

/// Every line, whatever comes of it.
fn parse(mut input: &[u8]) -> usize {
    let mut refused = 0;
    while let Some(end) = memchr::memchr(b'\n', input) {
        let (line, rest) = input.split_at(end + 1);
        let parsed = Command::parse(line, &Policy::STRICT);
        refused += usize::from(!matches!(parsed, Ok(Parsed::Complete { .. })));
        black_box(&parsed);
        input = rest;
    }
    refused + 1
}

fn server_bytewise(input: &[u8]) -> usize {
    let mut server = Server::new(server_config());
    let mut out = [0; 512];
    let (mut start, mut replies) = (0, 0);
    let mut end = 0;
    while end <= input.len() {
        let received = server.receive(&input[start..end]);
        start += received.consumed;
        match received.event {
            Event::NeedInput | Event::Closed => end += 1,
            event => {
                black_box(&event);
                let reply = server.standard_reply("mx.example");
                replies += usize::from(server.reply(&reply, &mut out).is_ok());
            }
        }
    }
    replies
}

fn frame_bytewise(input: &[u8]) -> usize {
    let limits = ReplyLimits { line: u16::MAX, lines: u16::MAX, bytes: u32::MAX };
    let mut frame = ReplyFrame::new();
    let mut looked = 0;
    for at in 0..input.len() {
        looked += usize::from(frame.advance(&input[..=at], &limits, &Policy::STRICT) == Ok(None));
    }
    looked
}

fn decode(input: &[u8], chunk: usize) -> usize {
    let mut decoder = DataDecoder::new(Newlines::Normalise);
    let mut length = 0;
    for mut rest in input.chunks(chunk) {
        loop {
            let found = decoder.decode(rest);
            rest = &rest[found.consumed..];
            match black_box(found.content) {
                Content::Data(data) => length += data.len(),
                Content::NeedInput => break,
                Content::End(_) => length += 1,
            }
        }
    }
    length
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_input_is_looked_at() {
        for (build, bytes) in [
            (many_reply_lines as fn(_) -> Contest, (1 << 18) / 7 * 7),
            (long_reply_line, (1 << 16) - 4),
        ] {
            assert_eq!(build("").sides[0].run(), bytes);
        }
    }
}

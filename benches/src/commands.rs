//! Commands: bytes to a typed, borrowed value.
//!
//! lettre and io-smtp are clients and have no parser of commands.

use std::hint::black_box;

use ehlo::server::Event;
use ehlo::server::ServerLimits;
use ehlo::syntax::capability::Capabilities;
use ehlo::{Command, Extension, Parsed, Policy, Server, ServerConfig};
use memchr::{memchr, memchr_iter};
use smtp_proto::Request;
use smtp_proto::request::receiver::RequestReceiver;

use crate::Contest;
use crate::corpus::{self, Random};

/// Commands in one piece.
pub(crate) fn whole(
    name: &'static str,
    size: usize,
    line: fn(&mut Random, &mut String),
) -> Contest {
    let corpus = corpus::lines(size, line);
    let requests = corpus::requests(&corpus);
    let commands = memchr_iter(b'\n', &corpus).count();
    Contest::new(name, corpus, (commands, "command"))
        .ehlo("ehlo", ehlo)
        .ehlo("ehlo, every value read", ehlo_reading)
        .peer("smtp-proto", |corpus| smtp_proto(corpus).accepted)
        .peer("mailrs-smtp-proto", |corpus| mailrs(corpus).accepted)
        .peer("smtp-codec", |corpus| smtp_codec(corpus).accepted)
        .floor("memchr", |corpus| memchr_iter(b'\n', corpus).count())
        .floor("httparse", move |_| httparse(&requests))
}

/// Commands of a session, one byte at a time.
pub(crate) fn bytewise(name: &'static str, size: usize) -> Contest {
    let corpus = corpus::session(size);
    let bytes = corpus.len();
    Contest::new(name, corpus, (bytes, "byte"))
        .ehlo("ehlo, no session", ehlo_bytewise)
        .ehlo("ehlo, whole server", ehlo_server)
        .peer("smtp-proto", smtp_proto_bytewise)
}

/// How many commands a parser took.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
struct Verdicts {
    accepted: usize,
    refused: usize,
}

impl Verdicts {
    fn add(&mut self, is_accepted: bool) {
        self.accepted += usize::from(is_accepted);
        self.refused += usize::from(!is_accepted);
    }
}

fn ehlo(mut input: &[u8]) -> usize {
    let mut accepted = 0;
    while let Ok(Parsed::Complete { value, consumed }) = Command::parse(input, &Policy::STRICT) {
        black_box(&value);
        accepted += 1;
        input = &input[consumed..];
    }
    accepted
}

/// The values of parameters are checked by the parser and read when they are asked for: here all
/// of them are.
fn ehlo_reading(mut input: &[u8]) -> usize {
    let mut read = 0;
    while let Ok(Parsed::Complete { value, consumed }) = Command::parse(input, &Policy::STRICT) {
        if let Command::Mail { parameters, .. } | Command::Rcpt { parameters, .. } = &value {
            for parameter in parameters {
                black_box(&parameter);
                read += 1;
            }
        }
        black_box(&value);
        input = &input[consumed..];
    }
    read
}

fn smtp_proto(input: &[u8]) -> Verdicts {
    let mut verdicts = Verdicts::default();
    let mut bytes = input.iter();
    while !bytes.as_slice().is_empty() {
        let request = Request::parse(&mut bytes);
        verdicts.add(request.is_ok());
        black_box(&request);
    }
    verdicts
}

/// Takes a line as text, so the line is found and checked to be UTF-8 first.
fn mailrs(mut input: &[u8]) -> Verdicts {
    let mut verdicts = Verdicts::default();
    while let Some(end) = memchr(b'\n', input) {
        let line = input[..end].strip_suffix(b"\r").unwrap_or_default();
        let line = std::str::from_utf8(line).unwrap_or_default();
        let command = mailrs_smtp_proto::parse_command(line);
        verdicts.add(command.is_ok());
        black_box(&command);
        input = &input[end + 1..];
    }
    verdicts
}

fn smtp_codec(mut input: &[u8]) -> Verdicts {
    let mut verdicts = Verdicts::default();
    while !input.is_empty() {
        if let Ok((rest, command)) = smtp_codec::parse::command::command(input) {
            black_box(&command);
            verdicts.add(true);
            input = rest;
        } else {
            verdicts.add(false);
            input = memchr(b'\n', input).map_or(&[], |end| &input[end + 1..]);
        }
    }
    verdicts
}

fn httparse(mut input: &[u8]) -> usize {
    let mut parsed = 0;
    while !input.is_empty() {
        let mut headers = [httparse::EMPTY_HEADER; 4];
        let mut request = httparse::Request::new(&mut headers);
        let Ok(httparse::Status::Complete(consumed)) = request.parse(input) else { break };
        black_box(&request);
        parsed += 1;
        input = &input[consumed..];
    }
    parsed
}

/// The whole server: framing, parsing, the session, and a reply to each command.
fn ehlo_server(input: &[u8]) -> usize {
    let mut server = Server::new(server_config());
    let mut out = [0; 1024];
    let (mut start, mut written) = (0, 0);
    for end in 0..=input.len() {
        loop {
            let received = server.receive(&input[start..end]);
            start += received.consumed;
            match received.event {
                Event::NeedInput => break,
                Event::Refused(refusal) => panic!("{refusal:?}"),
                event => {
                    black_box(&event);
                    let reply = server.standard_reply("mx.example");
                    written += server.reply(&reply, &mut out).unwrap_or_default();
                }
            }
        }
    }
    written
}

/// A server that offers all of which it needs no help.
pub(crate) fn server_config() -> ServerConfig {
    let offered = [
        Extension::Pipelining,
        Extension::EightBitMime,
        Extension::EnhancedStatusCodes,
        Extension::Dsn,
        Extension::Chunking,
    ];
    ServerConfig {
        offered: offered
            .into_iter()
            .fold(Capabilities::NONE.with_size(50 << 20), Capabilities::with),
        // The streams have no end, and one session each.
        limits: ServerLimits::UNLIMITED,
        ..ServerConfig::DEFAULT
    }
}

/// What an application writes that has no need of the session: it looks for the end of the line in
/// what is new.
fn ehlo_bytewise(input: &[u8]) -> usize {
    let (mut start, mut accepted) = (0, 0);
    for end in 1..=input.len() {
        if memchr(b'\n', &input[end - 1..end]).is_some() {
            let command = Command::parse(&input[start..end], &Policy::STRICT);
            accepted += usize::from(command.is_ok());
            black_box(&command);
            start = end;
        }
    }
    accepted
}

fn smtp_proto_bytewise(input: &[u8]) -> usize {
    let mut receiver = RequestReceiver::default();
    let mut accepted = 0;
    for byte in input.chunks(1) {
        let request = receiver.ingest(&mut byte.iter());
        accepted += usize::from(request.is_ok());
        black_box(&request);
    }
    accepted
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A parser that gives up early is not fast.
    #[test]
    fn who_refuses_what() {
        type Line = fn(&mut Random, &mut String);
        let corpora: [(Line, [usize; 3]); 3] = [
            // BDAT is unknown to two of them.
            (corpus::core, [0, 200, 200]),
            (corpus::parameters, [0, 0, 0]),
            // SUBMITTER, ALT-ADDRESS, PRDR and X-… are to smtp-proto.
            (corpus::every_parameter, [177, 0, 0]),
        ];
        for (line, refused) in corpora {
            let corpus = corpus::lines(corpus::SMALL, line);
            let lines = memchr_iter(b'\n', &corpus).count();
            assert_eq!(ehlo(&corpus), lines);
            assert_eq!(httparse(&corpus::requests(&corpus)), lines);
            let verdicts = [smtp_proto, mailrs, smtp_codec].map(|parse| parse(&corpus));
            assert_eq!(verdicts.map(|verdicts| verdicts.refused), refused, "of {lines}");
        }
    }

    /// What is not checked costs nothing; by smtp-proto, mailrs-smtp-proto and smtp-codec.
    #[test]
    fn who_checks_what() {
        let cases: [(&str, [usize; 3]); 9] = [
            ("MAIL FROM:<a..b@example.com>\r\n", [0, 1, 0]),
            ("MAIL FROM:<a@-b-.com>\r\n", [1, 1, 0]),
            ("MAIL FROM:<a b@example.com>\r\n", [0, 1, 0]),
            ("RCPT TO:<a@[1.2.3]>\r\n", [0, 1, 0]),
            ("EHLO -host\r\n", [1, 1, 0]),
            ("MAIL FROM:<a@b.com> SIZE=1 SIZE=2\r\n", [1, 1, 1]),
            ("MAIL FROM:<a@b.com> MT-PRIORITY=99\r\n", [1, 1, 1]),
            ("MAIL FROM:<a@b.com> HOLDUNTIL=2020-02-31T12:00:00Z\r\n", [1, 1, 1]),
            ("RSET\n", [1, 0, 0]),
        ];
        for (line, accepted) in cases {
            assert_eq!(ehlo(line.as_bytes()), 0, "{line:?}");
            let verdicts = [smtp_proto, mailrs, smtp_codec].map(|parse| parse(line.as_bytes()));
            assert_eq!(verdicts.map(|verdicts| verdicts.accepted), accepted, "{line:?}");
        }
    }

    #[test]
    fn all_bytes_are_used() {
        let corpus = corpus::session(corpus::SMALL);
        let lines = memchr_iter(b'\n', &corpus).count();
        assert_eq!(ehlo_bytewise(&corpus), lines);
        assert_eq!(smtp_proto_bytewise(&corpus), lines);
        assert!(ehlo_server(&corpus) > lines * b"250 2.0.0 ok\r\n".len());
    }
}

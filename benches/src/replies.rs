//! Replies: bytes to a code, an enhanced code and lines; and EHLO replies to capabilities.
//!
//! mailrs-smtp-proto is a server's half and has no parser of replies.

use std::hint::black_box;
use std::rc::Rc;

use ehlo::syntax::capability::Capabilities;
use ehlo::syntax::code::EnhancedCode;
use ehlo::syntax::reply::{ReplyFrame, ReplyLimits};
use ehlo::{Capability, Parsed, Policy, Reply};
use io_smtp::rfc5321::{SmtpEhloResponse, SmtpResponse};
use lettre::transport::smtp::extension::ServerInfo;
use lettre::transport::smtp::response::Response;
use memchr::memchr_iter;
use smtp_proto::EhloResponse;
use smtp_proto::response::parser::ResponseReceiver;

use crate::Contest;
use crate::corpus;

/// Replies in one piece.
pub(crate) fn whole(name: &'static str, parts: &[&str]) -> Contest {
    let corpus = corpus::shuffled(corpus::SMALL, parts);
    let replies = Rc::new(split(&corpus));
    let same = Rc::clone(&replies);
    Contest::new(name, corpus, (replies.len(), "reply"))
        .ehlo("ehlo", ehlo)
        .ehlo("ehlo, every line read", ehlo_lines)
        .peer("smtp-proto", smtp_proto)
        .peer("smtp-codec", smtp_codec)
        .peer("lettre", move |_| replies.iter().map(|reply| lettre(reply)).sum())
        .peer("io-smtp", move |_| same.iter().map(|reply| io_smtp(reply)).sum())
        .floor("memchr", |corpus| memchr_iter(b'\n', corpus).count())
}

/// EHLO replies to what they offer.
pub(crate) fn capabilities(name: &'static str) -> Contest {
    let corpus = corpus::shuffled(corpus::SMALL, &corpus::EHLO);
    let replies = Rc::new(split(&corpus));
    let same = Rc::clone(&replies);
    Contest::new(name, corpus, (replies.len(), "reply"))
        .ehlo("ehlo", ehlo_summary)
        .ehlo("ehlo, every line typed", ehlo_capabilities)
        .peer("smtp-proto", smtp_proto_capabilities)
        .peer("smtp-codec", smtp_codec_capabilities)
        .peer("lettre", move |_| replies.iter().map(|reply| lettre_capabilities(reply)).sum())
        .peer("io-smtp", move |_| same.iter().map(|reply| io_smtp_capabilities(reply)).sum())
        .floor("memchr", |corpus| memchr_iter(b'\n', corpus).count())
}

/// Replies one byte at a time.
pub(crate) fn bytewise(name: &'static str, parts: &[&str]) -> Contest {
    let corpus = corpus::shuffled(corpus::SMALL, parts);
    let bytes = corpus.len();
    Contest::new(name, corpus, (bytes, "byte"))
        .ehlo("ehlo", ehlo_bytewise)
        .peer("smtp-proto", smtp_proto_bytewise)
}

/// One reply each: some peers cannot tell where one ends.
fn split(mut corpus: &[u8]) -> Vec<String> {
    let mut replies = Vec::new();
    while let Ok(Parsed::Complete { consumed, .. }) = Reply::parse(corpus, &Policy::STRICT) {
        replies.push(String::from_utf8_lossy(&corpus[..consumed]).into_owned());
        corpus = &corpus[consumed..];
    }
    replies
}

/// Every reply at the front of `input`.
fn for_each(mut input: &[u8], mut of: impl FnMut(&Reply<'_>) -> usize) -> usize {
    let mut sum = 0;
    while let Ok(Parsed::Complete { value, consumed }) = Reply::parse(input, &Policy::STRICT) {
        sum += of(&value);
        black_box(&value);
        input = &input[consumed..];
    }
    sum
}

fn ehlo(input: &[u8]) -> usize {
    for_each(input, codes)
}

fn codes(reply: &Reply<'_>) -> usize {
    let detail = reply.enhanced_code().map_or(0, EnhancedCode::detail);
    usize::from(reply.code().number()) + usize::from(detail)
}

fn ehlo_lines(input: &[u8]) -> usize {
    for_each(input, |reply| codes(reply) + reply.lines().map(<[u8]>::len).sum::<usize>())
}

fn smtp_proto(input: &[u8]) -> usize {
    let mut bytes = input.iter();
    let mut sum = 0;
    while let Ok(reply) = ResponseReceiver::default().parse(&mut bytes) {
        sum += usize::from(reply.code) + usize::from(reply.esc[2]);
        black_box(&reply);
    }
    sum
}

/// Finds where the reply ends; the code is read apart, the text not at all.
fn smtp_codec(mut input: &[u8]) -> usize {
    use smtp_codec::parse::response::{Reply_code, Reply_line};

    let mut sum = 0;
    while let Ok((rest, reply)) = Reply_line(input) {
        sum += Reply_code(reply).map_or(0, |(_, code)| usize::from(code));
        black_box(reply);
        input = rest;
    }
    sum
}

/// One reply as text: neither finding its end nor checking that it is UTF-8 is counted.
fn lettre(reply: &str) -> usize {
    let reply = black_box(reply.parse::<Response>());
    usize::from(reply.is_ok_and(|reply| reply.is_positive()))
}

/// One reply: finding its end is not counted.
fn io_smtp(reply: &str) -> usize {
    let reply = black_box(SmtpResponse::parse(reply.as_bytes()));
    reply.map_or(0, |reply| usize::from(reply.code.code()))
}

fn ehlo_summary(input: &[u8]) -> usize {
    for_each(input, |reply| {
        let capabilities = black_box(Capabilities::from_reply(reply));
        usize::from(capabilities.size().is_some())
    })
}

fn ehlo_capabilities(input: &[u8]) -> usize {
    for_each(input, |reply| {
        let typed = reply.lines().skip(1).map(Capability::parse);
        typed.map(|line| usize::from(black_box(line).extension().is_some())).sum()
    })
}

fn smtp_proto_capabilities(input: &[u8]) -> usize {
    let mut bytes = input.iter();
    let mut sum = 0;
    while let Ok(reply) = EhloResponse::parse(&mut bytes) {
        sum += usize::from(reply.size > 0);
        black_box(&reply);
    }
    sum
}

fn smtp_codec_capabilities(mut input: &[u8]) -> usize {
    let mut replies = 0;
    while let Ok((rest, reply)) = smtp_codec::parse::response::ehlo_ok_rsp(input) {
        black_box(&reply);
        replies += 1;
        input = rest;
    }
    replies
}

fn lettre_capabilities(reply: &str) -> usize {
    let Ok(reply) = reply.parse::<Response>() else { return 0 };
    usize::from(black_box(ServerInfo::from_response(&reply)).is_ok())
}

/// Lines of text, none of them typed.
fn io_smtp_capabilities(reply: &str) -> usize {
    let reply = black_box(SmtpEhloResponse::parse(reply.as_bytes()));
    reply.map_or(0, |reply| reply.capabilities.len())
}

fn ehlo_bytewise(input: &[u8]) -> usize {
    let limits = ReplyLimits::DEFAULT;
    let mut frame = ReplyFrame::new();
    let (mut start, mut sum) = (0, 0);
    for end in 1..=input.len() {
        if let Ok(Some(length)) = frame.advance(&input[start..end], &limits, &Policy::STRICT) {
            sum += for_each(&input[start..start + length], codes);
            start += length;
            frame = ReplyFrame::new();
        }
    }
    sum
}

fn smtp_proto_bytewise(input: &[u8]) -> usize {
    let mut receiver = ResponseReceiver::default();
    let mut sum = 0;
    for byte in input.chunks(1) {
        if let Ok(reply) = receiver.parse(&mut byte.iter()) {
            sum += usize::from(reply.code) + usize::from(reply.esc[2]);
            black_box(&reply);
            receiver.reset();
        }
    }
    sum
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn everybody_reads_every_reply() {
        for parts in [&corpus::SINGLE[..], &corpus::MULTI[..]] {
            let corpus = corpus::shuffled(corpus::SMALL, parts);
            let replies = split(&corpus);
            let number = |reply: &String| reply[..3].parse::<usize>().unwrap_or_default();
            let numbers: Vec<_> = replies.iter().map(number).collect();
            let codes = numbers.iter().sum();
            assert_eq!(replies.concat().as_bytes(), corpus);
            assert_eq!(smtp_codec(&corpus), codes);
            assert_eq!(replies.iter().map(|reply| io_smtp(reply)).sum::<usize>(), codes);
            let positive = numbers.iter().filter(|&&code| code < 400).count();
            assert_eq!(replies.iter().map(|reply| lettre(reply)).sum::<usize>(), positive);
            assert!(smtp_proto(&corpus) > codes);
            assert_eq!(ehlo(&corpus), smtp_proto(&corpus));
            assert_eq!(ehlo(&corpus), ehlo_bytewise(&corpus));
            assert_eq!(ehlo(&corpus), smtp_proto_bytewise(&corpus));
        }
    }

    #[test]
    fn everybody_reads_every_capability() {
        let corpus = corpus::shuffled(corpus::SMALL, &corpus::EHLO);
        let replies = split(&corpus);
        let sizes = ehlo_summary(&corpus);
        assert!(sizes > replies.len() / 2);
        assert_eq!(smtp_proto_capabilities(&corpus), sizes);
        assert_eq!(smtp_codec_capabilities(&corpus), replies.len());
        assert_eq!(replies.iter().map(|r| lettre_capabilities(r)).sum::<usize>(), replies.len());
        let lines = memchr_iter(b'\n', &corpus).count() - replies.len();
        assert_eq!(replies.iter().map(|r| io_smtp_capabilities(r)).sum::<usize>(), lines);
    }
}

//! L0: commands, paths, parameters, replies, capabilities and SASL lines.

use std::hint::black_box;

use ehlo::syntax::BufferTooSmall;
use ehlo::syntax::capability::Capabilities;
use ehlo::syntax::parameter::{Parameter, Parameters};
use ehlo::syntax::reply::{ReplyFrame, ReplyLimits};
use ehlo::syntax::sasl::{Challenge, Response, SaslData};
use ehlo::{
    Capability, Code, Command, Encode, ForwardPath, Parsed, Policy, Reply, ReversePath, SyntaxError,
};
use no_panic::no_panic;

pub fn run(input: &[u8], out: &mut [u8]) -> usize {
    let limits = black_box(&ReplyLimits::DEFAULT);
    let mut bytes = 0;
    for policy in [Policy::STRICT, Policy::LENIENT] {
        let policy = black_box(&policy);
        if let Ok(Parsed::Complete { value, consumed }) = command_parse(input, policy) {
            bytes += consumed + command_encode(&value, out).unwrap_or_default();
        }
        if let Ok(command) = command_parse_line(input, policy) {
            bytes += command.max_len();
            if let Command::Mail { parameters, .. } | Command::Rcpt { parameters, .. } = command {
                bytes += parameters_count(&parameters);
                for parameter in parameters {
                    bytes += parameter_encode(&parameter, out).unwrap_or_default();
                }
            }
        }
        if let Ok(path) = reverse_path_parse(input, policy) {
            bytes += reverse_path_encode(&path, out).unwrap_or_default();
        }
        if let Ok(path) = forward_path_parse(input, policy) {
            bytes += usize::from(forward_path_is_ascii(&path));
        }
        if let Ok(Parsed::Complete { value, consumed }) = reply_parse(input, policy) {
            bytes += consumed + reply_encode(&value, out).unwrap_or_default();
            bytes += reply_text(&value);
            bytes += usize::from(capabilities_from_reply(&value) == Capabilities::NONE);
            bytes += challenge_from_reply(&value).map_or(0, |challenge| challenge.0.decoded_len());
        }
        let mut frame = ReplyFrame::new();
        for half in [&input[..input.len() / 2], input] {
            let length = reply_frame_advance(&mut frame, half, limits, policy);
            bytes += length.ok().flatten().unwrap_or_default();
        }
    }
    bytes += capability_encode(&capability_parse(input), out).unwrap_or_default();
    if let Ok(text) = std::str::from_utf8(input) {
        bytes += own_reply_encode(text, out).unwrap_or_default();
    }
    if let Ok(response) = response_parse(input) {
        bytes += response_encode(&response, out).unwrap_or_default();
        if let Response::Data(data) = response {
            bytes += sasl_data_decode(&data, out).unwrap_or_default();
        }
    }
    bytes
}

#[no_panic]
#[inline(never)]
fn command_parse<'i>(input: &'i [u8], policy: &Policy) -> Result<Parsed<Command<'i>>, SyntaxError> {
    Command::parse(input, policy)
}

#[no_panic]
#[inline(never)]
fn command_parse_line<'i>(input: &'i [u8], policy: &Policy) -> Result<Command<'i>, SyntaxError> {
    Command::parse_line(input, policy)
}

#[no_panic]
#[inline(never)]
fn command_encode(command: &Command<'_>, out: &mut [u8]) -> Result<usize, BufferTooSmall> {
    command.encode(out)
}

#[no_panic]
#[inline(never)]
fn parameters_count(parameters: &Parameters<'_>) -> usize {
    let licensed = parameters.iter().filter(|parameter| parameter.extension().is_some()).count();
    let size = parameters.size().map_or(0, |size| size as usize);
    licensed.wrapping_add(size).wrapping_add(usize::from(parameters.body().is_some()))
}

#[no_panic]
#[inline(never)]
fn parameter_encode(parameter: &Parameter<'_>, out: &mut [u8]) -> Result<usize, BufferTooSmall> {
    parameter.encode(out)
}

#[no_panic]
#[inline(never)]
fn reverse_path_parse<'i>(
    input: &'i [u8],
    policy: &Policy,
) -> Result<ReversePath<'i>, SyntaxError> {
    ReversePath::parse(input, policy)
}

#[no_panic]
#[inline(never)]
fn reverse_path_encode(path: &ReversePath<'_>, out: &mut [u8]) -> Result<usize, BufferTooSmall> {
    path.encode(out)
}

#[no_panic]
#[inline(never)]
fn forward_path_parse<'i>(
    input: &'i [u8],
    policy: &Policy,
) -> Result<ForwardPath<'i>, SyntaxError> {
    ForwardPath::parse(input, policy)
}

#[no_panic]
#[inline(never)]
fn forward_path_is_ascii(path: &ForwardPath<'_>) -> bool {
    path.is_ascii()
}

#[no_panic]
#[inline(never)]
fn reply_parse<'i>(input: &'i [u8], policy: &Policy) -> Result<Parsed<Reply<'i>>, SyntaxError> {
    Reply::parse(input, policy)
}

#[no_panic]
#[inline(never)]
fn reply_frame_advance(
    frame: &mut ReplyFrame,
    input: &[u8],
    limits: &ReplyLimits,
    policy: &Policy,
) -> Result<Option<usize>, SyntaxError> {
    frame.advance(input, limits, policy)
}

#[no_panic]
#[inline(never)]
fn reply_encode(reply: &Reply<'_>, out: &mut [u8]) -> Result<usize, BufferTooSmall> {
    reply.encode(out)
}

#[no_panic]
#[inline(never)]
fn reply_text(reply: &Reply<'_>) -> usize {
    let text = reply.lines().map(<[u8]>::len).sum::<usize>();
    text.wrapping_add(reply.domain().map_or(0, str::len))
        .wrapping_add(reply.enhanced_code().map_or(0, |code| code.encoded_len()))
}

/// A reply of one's own, of a text that a peer may have chosen.
#[no_panic]
#[inline(never)]
fn own_reply_encode(text: &str, out: &mut [u8]) -> Result<usize, BufferTooSmall> {
    Reply::new(Code::MAILBOX_UNAVAILABLE, text).with_domain(text).encode(out)
}

#[no_panic]
#[inline(never)]
fn capability_parse(line: &[u8]) -> Capability<'_> {
    Capability::parse(line)
}

#[no_panic]
#[inline(never)]
fn capability_encode(capability: &Capability<'_>, out: &mut [u8]) -> Result<usize, BufferTooSmall> {
    capability.encode(out)
}

#[no_panic]
#[inline(never)]
fn capabilities_from_reply(reply: &Reply<'_>) -> Capabilities {
    Capabilities::from_reply(reply)
}

#[no_panic]
#[inline(never)]
fn challenge_from_reply<'i>(reply: &Reply<'i>) -> Result<Challenge<'i>, SyntaxError> {
    Challenge::from_reply(reply)
}

#[no_panic]
#[inline(never)]
fn response_parse(line: &[u8]) -> Result<Response<'_>, SyntaxError> {
    Response::parse(line)
}

#[no_panic]
#[inline(never)]
fn response_encode(response: &Response<'_>, out: &mut [u8]) -> Result<usize, BufferTooSmall> {
    response.encode(out)
}

#[no_panic]
#[inline(never)]
fn sasl_data_decode(data: &SaslData<'_>, out: &mut [u8]) -> Result<usize, BufferTooSmall> {
    data.decode(out)
}

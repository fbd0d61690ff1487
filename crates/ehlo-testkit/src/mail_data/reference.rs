//! A naive decoder and a naive encoder of mail data, which see the whole input at once.

use ehlo::data::NewlineErrorKind::{BareCr, BareLf, LineTooLong, Nul};
use ehlo::data::{NewlineError, NewlineErrorKind, Newlines};

use super::Outcome;

/// The result of decoding `input`.
pub fn decoded(newlines: Newlines, limit: Option<u16>, input: &[u8]) -> Outcome {
    let end = if input.starts_with(b".\r\n") {
        Some(0)
    } else {
        input.windows(5).position(|bytes| bytes == b"\r\n.\r\n").map(|crlf| crlf + 2)
    };
    let wire = end.map_or(input, |end| &input[..end]);
    let error = first_error(newlines, limit, wire);
    let known = error.map_or(wire.len(), |(known, _)| known);

    let mut body = Vec::new();
    for (at, byte) in wire[..known].iter().enumerate() {
        let after_stuffing = at > 0 && is_line_dot(wire, at - 1);
        if is_line_dot(wire, at) {
            continue;
        }
        // A CR that may end the data is withheld: to the end of the input, or to the error.
        let refused = error.is_some_and(|(_, error)| error.kind == BareCr);
        let withheld = after_stuffing && *byte == b'\r' && at + 1 == known;
        if withheld && (refused || known == input.len()) {
            continue;
        }
        body.push(*byte);
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

/// The first error, and the offset of the byte that shows it.
fn first_error(
    newlines: Newlines,
    limit: Option<u16>,
    wire: &[u8],
) -> Option<(usize, NewlineError)> {
    let mut errors = Vec::new();
    let mut error = |known: usize, kind: NewlineErrorKind, offset: usize| {
        // A bare CR is known by the byte behind it, so there must be one.
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

/// The kind of the bare byte at `at`; a CR at the end of the wire is bare.
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

/// `content` with CRLF for each bare CR and bare LF.
pub fn normalised(content: &[u8]) -> Vec<u8> {
    let mut lines = Vec::new();
    for (at, byte) in content.iter().enumerate() {
        match (byte, bare(content, at)) {
            (_, Some(BareCr | BareLf)) => lines.extend_from_slice(b"\r\n"),
            _ => lines.push(*byte),
        }
    }
    lines
}

/// The encoded `content`, with the end.
///
/// # Errors
///
/// The error that `newlines` demands.
pub fn encoded(newlines: Newlines, content: &[u8]) -> Result<Vec<u8>, NewlineError> {
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

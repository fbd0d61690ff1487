//! Reading a command: framing, dispatch on the verb, its argument.

// From the verb to the last parameter of MAIL and RCPT, values stay in registers: a call that is
// not inlined returns its result in memory, which costs more than the work of the rule.
#![allow(clippy::inline_always)]

use super::command::Command;
use super::verb::Known;
use super::{argument, attribute, auth};
use crate::syntax::command::Verb;
use crate::syntax::error::{Parsed, SyntaxError, SyntaxErrorKind};
use crate::syntax::grammar::words::line_feed;
use crate::syntax::grammar::{
    Fault, IResult, after_literal, after_space, digits, is_end, of_byte, scan, skip_white_space,
    split,
};
use crate::syntax::limits;
use crate::syntax::parameter::{MAX_ALLOWANCE, Place, parameters};
use crate::syntax::path::{client_name, forward_path, helo_name, reverse_path, text_of};
use crate::syntax::policy::Policy;
use crate::syntax::sasl::initial_response;

impl<'a> Command<'a> {
    /// The command at the front of `input`, including its CRLF.
    ///
    /// [`Parsed::Incomplete`] as long as there is no LF. SEND, SOML and SAML (RFC 821) are
    /// recognised by their names and refused as obsolete.
    ///
    /// # Errors
    ///
    /// The kind of the error, with the offset in the line. A line may have 512 bytes with its CRLF,
    /// plus the bytes that its parameters allow; a line of AUTH 12,288.
    pub fn parse(input: &'a [u8], policy: &Policy) -> Result<Parsed<Self>, SyntaxError> {
        framed(input, policy)
    }

    /// The command of a whole line, without its CRLF.
    ///
    /// # Errors
    ///
    /// As for [`parse`](Self::parse).
    pub fn parse_line(line: &'a [u8], policy: &Policy) -> Result<Self, SyntaxError> {
        whole_line(line, policy)
    }

    /// The same for a line of any length.
    pub(crate) fn parse_any_length(line: &'a [u8], policy: &Policy) -> Result<Self, SyntaxError> {
        line_of_any_length(line, policy)
    }
}

/// The command at the front of `input`.
///
/// No rule takes a CR, so the common line, without white space at its end and of 512 bytes at
/// most, is read up to its CRLF without looking for it first.
fn framed<'i>(input: &'i [u8], policy: &Policy) -> Result<Parsed<Command<'i>>, SyntaxError> {
    let window = split(input, limits::COMMAND_LINE).0;
    command(window, policy, |result| match result {
        Ok(([b'\r', b'\n', rest @ ..], value)) => {
            Ok(Parsed::Complete { value, consumed: window.len() - rest.len() })
        }
        Ok((rest, _)) => framed_first(input, window, &unexpected(rest), policy),
        Err(error) => framed_first(input, window, &error, policy),
    })
}

/// The same for a line that is incomplete, long or wrong, or has white space at its end; `error`
/// says why the front of `window` is not a command with its CRLF.
#[cold]
fn framed_first<'i>(
    input: &'i [u8],
    window: &'i [u8],
    error: &nom::Err<Fault<'i>>,
    policy: &Policy,
) -> Result<Parsed<Command<'i>>, SyntaxError> {
    let Some(end) = line_feed(input) else {
        if input.len() > limits::AUTH_LINE {
            return Err(SyntaxError { kind: SyntaxErrorKind::LineTooLong, offset: input.len() });
        }
        return Ok(Parsed::Incomplete);
    };
    // RFC 5321 §2.3.8: "Conforming implementations MUST NOT recognize or generate any other
    // character or character sequence as a line terminator" than CR LF.
    let Some([text @ .., b'\r']) = input.get(..end) else {
        return Err(SyntaxError { kind: SyntaxErrorKind::BareLf, offset: end });
    };
    if end < limits::COMMAND_LINE && !matches!(text.last(), Some(b' ' | b'\t')) {
        return Err(diagnose(error, window, text));
    }
    whole_line(text, policy).map(|value| Parsed::Complete { value, consumed: end + 1 })
}

/// The command of a line without its CRLF.
fn whole_line<'i>(line: &'i [u8], policy: &Policy) -> Result<Command<'i>, SyntaxError> {
    if line.len() + 2 > limits::COMMAND_LINE {
        return long_line(line, policy);
    }
    line_of_any_length(line, policy)
}

/// The command of a line without its CRLF; the caller checks the length.
#[inline]
fn line_of_any_length<'i>(line: &'i [u8], policy: &Policy) -> Result<Command<'i>, SyntaxError> {
    let text = trimmed(line);
    whole_command(text, policy).map_err(|error| diagnose(&error, text, line))
}

/// A line of more than 512 bytes: RFC 5321 §4.5.3.1.4 as extensions change it.
#[cold]
fn long_line<'i>(line: &'i [u8], policy: &Policy) -> Result<Command<'i>, SyntaxError> {
    let too_long = |limit: usize| {
        Err(SyntaxError { kind: SyntaxErrorKind::LineTooLong, offset: limit.saturating_sub(2) })
    };
    let verb = line.split(|&byte| byte == b' ').next().and_then(Known::of);
    let limit = match verb {
        Some(Known::Auth) => limits::AUTH_LINE,
        Some(Known::Mail | Known::Rcpt) => limits::COMMAND_LINE + MAX_ALLOWANCE,
        _ => limits::COMMAND_LINE,
    };
    if line.len() + 2 > limit {
        return too_long(limit);
    }
    let text = trimmed(line);
    match whole_command(text, policy) {
        Ok(command) if line.len() + 2 > command.line_limit() => too_long(command.line_limit()),
        Ok(command) => Ok(command),
        Err(error) => Err(diagnose(&error, text, line)),
    }
}

/// RFC 5321 §4.1.1: "receivers SHOULD tolerate trailing white space before the terminating <CRLF>".
#[inline]
fn trimmed(line: &[u8]) -> &[u8] {
    let mut line = line;
    while let [rest @ .., b' ' | b'\t'] = line {
        line = rest;
    }
    line
}

/// The error of a line in which reading `text` found `error`; a byte that no command may have comes
/// first.
#[cold]
fn diagnose(error: &nom::Err<Fault<'_>>, text: &[u8], line: &[u8]) -> SyntaxError {
    if let Some(offset) = scan::control(line) {
        let kind = match line.get(offset) {
            Some(b'\r') => SyntaxErrorKind::BareCr,
            Some(b'\n') => SyntaxErrorKind::BareLf,
            _ => SyntaxErrorKind::Control,
        };
        return SyntaxError { kind, offset };
    }
    match error {
        nom::Err::Error(fault) | nom::Err::Failure(fault) => fault.locate(text),
        nom::Err::Incomplete(_) => {
            SyntaxError { kind: SyntaxErrorKind::Argument, offset: line.len() }
        }
    }
}

/// One command; all of `line`.
fn whole_command<'i>(line: &'i [u8], policy: &Policy) -> Result<Command<'i>, nom::Err<Fault<'i>>> {
    command(line, policy, |result| match result? {
        ([], command) => Ok(command),
        (rest, _) => Err(unexpected(rest)),
    })
}

/// The error for bytes where the line should end.
#[cold]
fn unexpected(rest: &[u8]) -> nom::Err<Fault<'_>> {
    let kind = of_byte(rest, SyntaxErrorKind::UnexpectedArgument);
    nom::Err::Error(Fault { rest, kind })
}

/// The result of `done` for one command, up to the white space or CR behind it. Each branch calls
/// `done` itself, so that the commands need not all be written to one place first.
#[inline(always)]
fn command<'i, T>(
    line: &'i [u8],
    policy: &Policy,
    done: impl Fn(IResult<'i, Command<'i>>) -> T,
) -> T {
    let (known, rest) = match Known::at(line) {
        Some((known, rest)) if matches!(rest.first(), None | Some(b' ' | b'\t' | b'\r')) => {
            (known, rest)
        }
        _ => return done(other(line, policy)),
    };
    match known {
        Known::Mail => done(mail(rest, policy)),
        Known::Rcpt => done(rcpt(rest, policy)),
        Known::Data => done(Ok((rest, Command::Data))),
        Known::Rset => done(Ok((rest, Command::Rset))),
        Known::Quit => done(Ok((rest, Command::Quit))),
        Known::Bdat => done(required(rest, policy, |input| bdat(input, policy), |command| command)),
        _ => done(rare(known, line, rest, policy)),
    }
}

/// The commands that are rare in a session.
#[inline(never)]
fn rare<'i>(
    known: Known,
    line: &'i [u8],
    rest: &'i [u8],
    policy: &Policy,
) -> IResult<'i, Command<'i>> {
    match known {
        Known::StartTls => Ok((rest, Command::StartTls)),
        Known::Turn => Ok((rest, Command::Turn)),
        Known::Ehlo => required(rest, policy, |input| client_name(input, policy), Command::Ehlo),
        Known::Helo => required(rest, policy, |input| helo_name(input, policy), Command::Helo),
        Known::Lhlo => required(rest, policy, |input| client_name(input, policy), Command::Lhlo),
        Known::Noop => optional(rest, policy, text_of, Command::Noop),
        Known::Help => optional(rest, policy, argument::string, Command::Help),
        Known::Vrfy => required(
            rest,
            policy,
            |i| verification(i, policy),
            |(argument, smtputf8)| Command::Vrfy { argument, smtputf8 },
        ),
        Known::Expn => required(
            rest,
            policy,
            |i| verification(i, policy),
            |(argument, smtputf8)| Command::Expn { argument, smtputf8 },
        ),
        Known::Auth => {
            required(rest, policy, |input| auth_command(input, policy), |command| command)
        }
        Known::Etrn => {
            required(rest, policy, |input| argument::etrn_node(input, policy), Command::Etrn)
        }
        Known::Atrn => optional(rest, policy, argument::domain_list, Command::Atrn),
        Known::Burl => required(rest, policy, |input| burl(input, policy), |command| command),
        Known::Xclient => required(
            rest,
            policy,
            |i| attribute::attributes(i, Verb::Xclient, policy),
            Command::Xclient,
        ),
        Known::Xforward => required(
            rest,
            policy,
            |i| attribute::attributes(i, Verb::Xforward, policy),
            Command::Xforward,
        ),
        Known::Mail
        | Known::Rcpt
        | Known::Data
        | Known::Rset
        | Known::Quit
        | Known::Bdat
        | Known::Obsolete => Fault::error(line, SyntaxErrorKind::ObsoleteVerb),
    }
}

/// `SP argument`.
#[inline]
fn required<'i, T>(
    input: &'i [u8],
    policy: &Policy,
    rule: impl FnOnce(&'i [u8]) -> IResult<'i, T>,
    make: impl FnOnce(T) -> Command<'i>,
) -> IResult<'i, Command<'i>> {
    match after_space(input, policy) {
        Some(text) => rule(text).map(|(rest, value)| (rest, make(value))),
        None if is_end(input) => Fault::error(input, SyntaxErrorKind::MissingArgument),
        None => Fault::error(input, SyntaxErrorKind::Argument),
    }
}

/// `[ SP argument ]`.
#[inline]
fn optional<'i, T>(
    input: &'i [u8],
    policy: &Policy,
    rule: impl FnOnce(&'i [u8]) -> IResult<'i, T>,
    make: impl FnOnce(Option<T>) -> Command<'i>,
) -> IResult<'i, Command<'i>> {
    if is_end(input) {
        return Ok((input, make(None)));
    }
    match after_space(input, policy) {
        Some(text) => rule(text).map(|(rest, value)| (rest, make(Some(value)))),
        None => Fault::error(input, SyntaxErrorKind::Argument),
    }
}

/// `mail = "MAIL FROM:" Reverse-path [SP Mail-parameters] CRLF`, behind its verb.
#[inline(always)]
fn mail<'i>(input: &'i [u8], policy: &Policy) -> IResult<'i, Command<'i>> {
    let path = keyword(input, b" FROM:", policy)?;
    let (rest, reverse_path) = match reverse_path(path, policy) {
        Ok(result) => result,
        Err(error) => return Err(sender(path, error)),
    };
    let (rest, parameters) = parameters(rest, Place::Mail, policy)?;
    if policy.smtputf8 && !parameters.smtputf8() {
        // RFC 6531 §3.4: an address in UTF-8 is in order only with the parameter SMTPUTF8.
        if !reverse_path.is_ascii() || parameters.has_utf8() {
            let kind = SyntaxErrorKind::SenderNeedsSmtpUtf8;
            return Err(nom::Err::Error(Fault { rest: path, kind }));
        }
    }
    Ok((rest, Command::Mail { reverse_path, parameters }))
}

/// The error of a reverse-path. RFC 6531 §3.5 has a separate code for MAIL.
#[cold]
fn sender<'i>(path: &'i [u8], error: nom::Err<Fault<'i>>) -> nom::Err<Fault<'i>> {
    match error {
        _ if is_end(path) => {
            nom::Err::Error(Fault { rest: path, kind: SyntaxErrorKind::MissingArgument })
        }
        nom::Err::Error(Fault { rest, kind: SyntaxErrorKind::NeedsSmtpUtf8 }) => {
            nom::Err::Error(Fault { rest, kind: SyntaxErrorKind::SenderNeedsSmtpUtf8 })
        }
        error => error,
    }
}

/// `rcpt = "RCPT TO:" ( "<Postmaster@" Domain ">" / "<Postmaster>" / Forward-path )
/// [SP Rcpt-parameters] CRLF`, behind its verb.
#[inline(always)]
fn rcpt<'i>(input: &'i [u8], policy: &Policy) -> IResult<'i, Command<'i>> {
    let path = keyword(input, b" TO:", policy)?;
    let (rest, forward_path) = match forward_path(path, policy) {
        Ok(result) => result,
        Err(_) if is_end(path) => {
            let kind = SyntaxErrorKind::MissingArgument;
            return Err(nom::Err::Error(Fault { rest: path, kind }));
        }
        Err(error) => return Err(error),
    };
    let (rest, parameters) = parameters(rest, Place::Rcpt, policy)?;
    Ok((rest, Command::Rcpt { forward_path, parameters }))
}

/// `SP "FROM:"` or `SP "TO:"`, and no space behind it.
///
/// RFC 5321 §3.3: "spaces are not permitted on either side of the colon".
#[inline]
fn keyword<'i, const N: usize>(
    input: &'i [u8],
    keyword: &'static [u8; N],
    policy: &Policy,
) -> Result<&'i [u8], nom::Err<Fault<'i>>> {
    let path = match after_literal(input, keyword) {
        Some(path) => path,
        None => spaced_keyword(input, keyword, policy)?,
    };
    Ok(if policy.space_after_colon { skip_white_space(path) } else { path })
}

/// The same for other forms: under [`Policy::extra_white_space`] with other white space before the
/// keyword, or some before its colon.
#[cold]
fn spaced_keyword<'i>(
    input: &'i [u8],
    keyword: &'static [u8],
    policy: &Policy,
) -> Result<&'i [u8], nom::Err<Fault<'i>>> {
    let spaced = || {
        let word = keyword.strip_prefix(b" ")?.strip_suffix(b":")?;
        let (start, rest) = after_space(input, policy)?.split_at_checked(word.len())?;
        let path = skip_white_space(rest).strip_prefix(b":")?;
        start.eq_ignore_ascii_case(word).then_some(path)
    };
    if let (true, Some(path)) = (policy.extra_white_space, spaced()) {
        return Ok(path);
    }
    let kind =
        if is_end(input) { SyntaxErrorKind::MissingArgument } else { SyntaxErrorKind::Argument };
    Err(nom::Err::Error(Fault { rest: input, kind: of_byte(input, kind) }))
}

/// `[ SP word ]`: the input behind it, and whether it was there.
#[inline]
fn optional_word<'i, const N: usize>(
    input: &'i [u8],
    word: &'static [u8; N],
    policy: &Policy,
) -> (&'i [u8], bool) {
    let rest = after_space(input, policy).and_then(|rest| after_literal(rest, word));
    (rest.unwrap_or(input), rest.is_some())
}

/// `bdat-cmd ::= "BDAT" SP chunk-size [ SP end-marker ] CR LF`, RFC 3030 §2.
#[inline(always)]
fn bdat<'i>(input: &'i [u8], policy: &Policy) -> IResult<'i, Command<'i>> {
    let kind = SyntaxErrorKind::ChunkSize;
    let (rest, size) = digits(input, usize::MAX, kind)?;
    let Some(size) = size else {
        return Fault::error(input, kind);
    };
    if is_end(rest) {
        return Ok((rest, Command::Bdat { size, last: false }));
    }
    let (rest, last) = optional_word(rest, b"LAST", policy);
    Ok((rest, Command::Bdat { size, last }))
}

/// `vrfy = "VRFY" SP String [ SP "SMTPUTF8" ] CRLF`, RFC 6531 §3.7.4.2; `expn` likewise.
fn verification<'i>(
    input: &'i [u8],
    policy: &Policy,
) -> IResult<'i, (argument::UserOrList<'i>, bool)> {
    let (rest, argument) = argument::user_or_list(input, policy)?;
    let (rest, smtputf8) = optional_word(rest, b"SMTPUTF8", policy);
    if !smtputf8 && !argument.is_ascii() {
        return Fault::error(input, SyntaxErrorKind::NeedsSmtpUtf8);
    }
    Ok((rest, (argument, smtputf8)))
}

/// `auth-command = "AUTH" SP sasl-mech [SP initial-response] …`, RFC 4954 §8, behind its verb.
fn auth_command<'i>(input: &'i [u8], policy: &Policy) -> IResult<'i, Command<'i>> {
    let (rest, mechanism) = auth::sasl_mech(input)?;
    let (rest, initial_response) = match after_space(rest, policy) {
        Some(text) => {
            let (rest, response) = initial_response(text)?;
            (rest, Some(response))
        }
        None if is_end(rest) => (rest, None),
        None => return Fault::error(input, SyntaxErrorKind::Mechanism),
    };
    if !is_end(rest) {
        return Fault::error(rest, of_byte(rest, SyntaxErrorKind::Base64));
    }
    Ok((rest, Command::Auth { mechanism, initial_response }))
}

/// `burl-cmd = "BURL" SP absolute-URI [SP end-marker] CRLF`, RFC 4468 §3, behind its verb.
fn burl<'i>(input: &'i [u8], policy: &Policy) -> IResult<'i, Command<'i>> {
    let (rest, url) = argument::absolute_uri(input)?;
    let (rest, last) = optional_word(rest, b"LAST", policy);
    Ok((rest, Command::Burl { url, last }))
}

/// A verb that this crate does not know; or no verb at all.
#[cold]
fn other<'i>(line: &'i [u8], policy: &Policy) -> IResult<'i, Command<'i>> {
    let (rest, verb) = argument::other_verb(line)?;
    if is_end(rest) {
        return Ok((rest, Command::Other { verb, argument: None }));
    }
    match optional(rest, policy, text_of, |argument| Command::Other { verb, argument }) {
        Ok((end, command)) if is_end(end) => Ok((end, command)),
        _ => Fault::error(rest, SyntaxErrorKind::UnknownVerb),
    }
}

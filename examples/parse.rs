//! What the parsers say of each line of standard input.
//!
//! ```text
//! $ printf '%s\n' 'MAIL FROM:<a@b.example>\r\n' | parse command
//! ok MAIL FROM:<a@b.example>\r\n
//! ```
#![allow(clippy::print_stdout, clippy::print_stderr)] // the verdicts are the point, and errors

use std::io::{self, BufRead, BufWriter, Write};
use std::process::ExitCode;

use clap::{Parser, ValueEnum};
use ehlo::data::{Content, DataDecoder, Newlines};
use ehlo::syntax::SyntaxErrorKind;
use ehlo::{
    Capability, Command, Encode, ForwardPath, Parsed, Policy, Reply, ReversePath, SyntaxError,
};

/// Reads one input per line of standard input, where `\r \n \t \0 \\ \xNN` stand for bytes, and
/// prints `ok CANONICAL` or `error CODE OFFSET REASON`.
#[derive(Parser)]
struct Arguments {
    /// What each line is; a command or reply comes with its CRLF.
    what: What,
    /// Read as leniently as the crate can.
    #[arg(long)]
    lenient: bool,
    /// Read addresses in UTF-8, as after an offer of SMTPUTF8.
    #[arg(long)]
    smtputf8: bool,
}

#[derive(Clone, Copy, ValueEnum)]
enum What {
    /// A command line.
    Command,
    /// A reply, of one line or several.
    Reply,
    /// A reverse-path or a forward-path, in its brackets.
    Path,
    /// A line of a reply to EHLO, without its code.
    Capability,
    /// What follows a 354.
    Data,
}

fn main() -> ExitCode {
    let arguments = Arguments::parse();
    let mut policy = if arguments.lenient { Policy::LENIENT } else { Policy::STRICT };
    policy.smtputf8 = arguments.smtputf8;
    match run(arguments.what, arguments.lenient, &policy) {
        Ok(()) => ExitCode::SUCCESS,
        // The reader of the verdicts has read enough.
        Err(error) if error.kind() == io::ErrorKind::BrokenPipe => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("parse: {error}");
            ExitCode::from(2)
        }
    }
}

fn run(what: What, lenient: bool, policy: &Policy) -> io::Result<()> {
    let mut input = io::stdin().lock();
    let mut output = BufWriter::new(io::stdout().lock());
    let (mut line, mut bytes, mut verdict) = (Vec::new(), Vec::new(), Vec::new());
    loop {
        line.clear();
        if input.read_until(b'\n', &mut line)? == 0 {
            return output.flush();
        }
        let text = line.strip_suffix(b"\n").unwrap_or(&line);
        bytes.clear();
        verdict.clear();
        let judged = match unescape(text, &mut bytes) {
            Ok(()) => judge(what, lenient, policy, &bytes, &mut verdict),
            Err(offset) => Err(Fault { code: 500, offset, reason: "no such escape" }),
        };
        match judged {
            Ok(()) => {
                output.write_all(b"ok ")?;
                escape(&verdict, &mut output)?;
                output.write_all(b"\n")?;
            }
            Err(Fault { code, offset, reason }) => {
                writeln!(output, "error {code} {offset} {reason}")?;
            }
        }
    }
}

/// The canonical form of `bytes`, or what is wrong with them.
fn judge(
    what: What,
    lenient: bool,
    policy: &Policy,
    bytes: &[u8],
    verdict: &mut Vec<u8>,
) -> Result<(), Fault> {
    match what {
        What::Command => {
            let command = whole(Command::parse(bytes, policy)?, bytes)?;
            if let Command::Other { .. } = command {
                let kind = SyntaxErrorKind::UnknownVerb;
                return Err(SyntaxError { kind, offset: 0 }.into());
            }
            encode(&command, verdict);
        }
        What::Reply => encode(&whole(Reply::parse(bytes, policy)?, bytes)?, verdict),
        What::Path => match ReversePath::parse(bytes, policy) {
            Ok(path) => encode(&path, verdict),
            // The one path that is no reverse-path is the domainless Postmaster.
            Err(error) => match ForwardPath::parse(bytes, policy) {
                Ok(path) => encode(&path, verdict),
                Err(_) => return Err(error.into()),
            },
        },
        What::Capability => match Capability::parse(bytes) {
            Capability::Malformed(_) => {
                let kind = SyntaxErrorKind::Argument;
                return Err(SyntaxError { kind, offset: 0 }.into());
            }
            capability => encode(&capability, verdict),
        },
        What::Data => {
            let newlines = if lenient { Newlines::Keep } else { Newlines::Reject };
            let mut decoder = DataDecoder::new(newlines);
            let mut rest = bytes;
            loop {
                let found = decoder.decode(rest);
                rest = rest.get(found.consumed..).unwrap_or_default();
                match found.content {
                    Content::Data(data) => verdict.extend_from_slice(data),
                    Content::NeedInput => return Err(Fault::incomplete(bytes)),
                    Content::End(result) => {
                        result.map_err(|error| Fault {
                            code: error.code().number(),
                            offset: usize::try_from(error.offset).unwrap_or(usize::MAX),
                            reason: error.kind.text(),
                        })?;
                        break;
                    }
                }
            }
            if !rest.is_empty() {
                let offset = bytes.len() - rest.len();
                return Err(Fault { code: 500, offset, reason: "bytes behind the end" });
            }
        }
    }
    Ok(())
}

fn whole<T>(parsed: Parsed<T>, bytes: &[u8]) -> Result<T, Fault> {
    match parsed {
        Parsed::Complete { value, consumed } if consumed == bytes.len() => Ok(value),
        Parsed::Complete { consumed, .. } => {
            Err(Fault { code: 500, offset: consumed, reason: "bytes behind the end" })
        }
        Parsed::Incomplete => Err(Fault::incomplete(bytes)),
    }
}

fn encode(value: &impl Encode, out: &mut Vec<u8>) {
    out.resize(value.encoded_len(), 0);
    let written = value.encode(out).expect("as long as it said");
    out.truncate(written);
}

/// What is wrong with a line.
struct Fault {
    code: u16,
    offset: usize,
    reason: &'static str,
}

impl Fault {
    fn incomplete(bytes: &[u8]) -> Self {
        Self { code: 500, offset: bytes.len(), reason: "incomplete" }
    }
}

impl From<SyntaxError> for Fault {
    fn from(error: SyntaxError) -> Self {
        Self { code: error.code().number(), offset: error.offset, reason: error.kind.text() }
    }
}

/// The bytes that `text` stands for, or where it has a backslash that stands for no byte.
fn unescape(text: &[u8], bytes: &mut Vec<u8>) -> Result<(), usize> {
    let mut rest = text.iter().copied();
    while let Some(byte) = rest.next() {
        let at = text.len() - rest.len() - 1;
        if byte != b'\\' {
            bytes.push(byte);
            continue;
        }
        bytes.push(match rest.next() {
            Some(b'r') => b'\r',
            Some(b'n') => b'\n',
            Some(b't') => b'\t',
            Some(b'0') => 0,
            Some(b'\\') => b'\\',
            Some(b'x') => {
                let digits = [rest.next(), rest.next()]
                    .map(|digit| digit.and_then(|digit| char::from(digit).to_digit(16)));
                match digits {
                    [Some(high), Some(low)] => u8::try_from(high * 16 + low).unwrap_or_default(),
                    _ => return Err(at),
                }
            }
            _ => return Err(at),
        });
    }
    Ok(())
}

fn escape(bytes: &[u8], output: &mut impl Write) -> io::Result<()> {
    for byte in bytes {
        match byte {
            b'\r' => output.write_all(b"\\r"),
            b'\n' => output.write_all(b"\\n"),
            b'\t' => output.write_all(b"\\t"),
            0 => output.write_all(b"\\0"),
            b'\\' => output.write_all(b"\\\\"),
            0x20..=0x7e => output.write_all(&[*byte]),
            _ => write!(output, "\\x{byte:02x}"),
        }?;
    }
    Ok(())
}

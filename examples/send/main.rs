//! Sends a message through [`Delivery`], and says what became of each recipient.
//!
//! ```text
//! cargo run --release --example send -- --from a@example.org --to b@example.org --file mail.eml
//! ```
//!
//! `session.rs` is the conversation and knows of no runtime, `carry.rs` puts it on a socket,
//! `content.rs` reads the message, `report.rs` keeps the outcomes, `transcript.rs` shows the lines.

mod carry;
mod content;
mod report;
mod session;
mod transcript;

use std::error::Error;
use std::path::PathBuf;
use std::process::ExitCode;

use clap::{Parser, ValueEnum};
use ehlo::delivery::{ChunkingPolicy, Delivery, DeliveryConfig, Envelope, Recipient, TlsPolicy};
use ehlo::{
    Body, ClientConfig, ClientName, Envid, ForwardPath, Newlines, Notify, Parameter, Parameters,
    Ret, ReversePath,
};

use content::Content;
use report::Report;
use session::Session;

/// Sends one message, and prints a line for each recipient:
/// `accepted|deferred|refused|unknown <ADDRESS> CODE ENHANCED text`.
///
/// Ends with 0 when all were accepted, with 1 when any was refused or deferred, with 2 when the
/// session failed or an outcome is unknown.
#[derive(Debug, Parser)]
#[command(name = "send")]
struct Arguments {
    /// The server.
    #[arg(long, value_name = "HOST:PORT", default_value = "127.0.0.1:2525")]
    server: String,
    /// What to say in EHLO [default: the name of this machine].
    #[arg(long, value_name = "NAME", value_parser = ehlo_examples::name)]
    helo: Option<String>,
    /// Where notifications go; empty for the null reverse-path.
    #[arg(long, value_name = "ADDRESS", value_parser = reverse_path)]
    from: String,
    /// A recipient; repeatable.
    #[arg(long, value_name = "ADDRESS", value_parser = forward_path, required = true)]
    to: Vec<String>,
    /// The content; `-` for standard input.
    #[arg(long, value_name = "FILE", default_value = "-")]
    file: PathBuf,
    /// Bare CR and bare LF in the content: normalise, reject or keep.
    #[arg(long, value_name = "POLICY", default_value = "normalise",
        value_parser = ehlo_examples::newlines)]
    newlines: Newlines,
    /// How many times to send it over the connection.
    #[arg(long, value_name = "N", default_value_t = 1,
        value_parser = clap::value_parser!(u32).range(1..))]
    count: u32,
    /// Which adapter carries the session.
    #[arg(long, value_enum, default_value_t = Runtime::Blocking)]
    runtime: Runtime,
    /// Speak LMTP (RFC 2033).
    #[arg(long)]
    lmtp: bool,
    /// Wait for each reply, even where PIPELINING is offered.
    #[arg(long)]
    no_pipelining: bool,
    /// Send the content by DATA, even where CHUNKING is offered.
    #[arg(long)]
    no_chunking: bool,
    /// What to declare the content as. The default is what a file needs, and for standard input
    /// 8bitmime where the server offers it; 8-bit content is never sent as 7bit.
    #[arg(long, value_enum)]
    body: Option<BodyArgument>,
    /// Ask for SMTPUTF8; an address in UTF-8 does so by itself.
    #[arg(long)]
    smtputf8: bool,
    /// When to be notified (RFC 3461): never, or some of success,failure,delay.
    #[arg(long, value_name = "EVENTS", value_parser = notify)]
    notify: Option<Notify>,
    /// How much of the message a notification returns.
    #[arg(long, value_enum)]
    ret: Option<RetArgument>,
    /// A name for the envelope, returned in notifications.
    #[arg(long, value_name = "TEXT", value_parser = envid)]
    envid: Option<String>,
    /// Print every line to standard error.
    #[arg(long)]
    transcript: bool,
}

#[derive(Clone, Copy, Debug, ValueEnum)]
enum Runtime {
    /// ehlo-blocking, on the sockets of std.
    Blocking,
    /// ehlo-tokio.
    Tokio,
}

#[derive(Clone, Copy, Debug, ValueEnum)]
enum BodyArgument {
    /// US-ASCII.
    #[value(name = "7bit")]
    SevenBit,
    /// Any octets in lines (RFC 6152).
    #[value(name = "8bitmime")]
    EightBitMime,
}

#[derive(Clone, Copy, Debug, ValueEnum)]
enum RetArgument {
    /// All of it.
    Full,
    /// Its header section.
    Hdrs,
}

fn main() -> ExitCode {
    match run(&Arguments::parse()) {
        Ok(code) => code,
        Err(error) => {
            report::error(&error.to_string());
            ExitCode::from(2)
        }
    }
}

fn run(arguments: &Arguments) -> Result<ExitCode, Box<dyn Error>> {
    let helo = arguments.helo.clone().unwrap_or_else(ehlo_examples::host_name);
    let content = Content::open(&arguments.file, arguments.count, arguments.newlines)
        .map_err(|error| format!("cannot read {}: {error}", arguments.file.display()))?;

    let rcpt_parameters: Vec<_> = arguments.notify.map(Parameter::Notify).into_iter().collect();
    let mut recipients = Vec::new();
    for to in &arguments.to {
        let forward_path = ForwardPath::new(to)?;
        recipients
            .push(Recipient { forward_path, parameters: Parameters::rcpt(&rcpt_parameters)? });
    }
    let recipients = recipients.as_slice();

    let mut mail_parameters = Vec::new();
    match arguments.ret {
        Some(RetArgument::Full) => mail_parameters.push(Parameter::Ret(Ret::Full)),
        Some(RetArgument::Hdrs) => mail_parameters.push(Parameter::Ret(Ret::Hdrs)),
        None => {}
    }
    if let Some(envid) = &arguments.envid {
        mail_parameters.push(Parameter::Envid(Envid::new(envid)?));
    }
    let reverse_path = ReversePath::new(&arguments.from)?;
    let is_ascii = |recipient: &Recipient<'_>| recipient.forward_path.is_ascii();
    let seven_bit = Envelope {
        parameters: Parameters::mail(&mail_parameters)?,
        size: content.wire_size(),
        smtputf8: arguments.smtputf8
            || !reverse_path.is_ascii()
            || !recipients.iter().all(is_ascii),
        repeatable: content.is_repeatable(),
        ..Envelope::new(reverse_path, &recipients)
    };
    let eight_bit = Envelope { body: Body::EightBitMime, ..seven_bit };
    let envelopes = match (arguments.body, content.is_eight_bit()) {
        (Some(BodyArgument::SevenBit), Some(true)) => return Err("the content is not 7bit".into()),
        (Some(BodyArgument::SevenBit), _) | (None, Some(false)) => [&seven_bit, &seven_bit],
        (Some(BodyArgument::EightBitMime), _) | (None, Some(true)) => [&eight_bit, &eight_bit],
        (None, None) => [&seven_bit, &eight_bit],
    };

    let client = ClientConfig {
        newlines: arguments.newlines,
        pipelining: !arguments.no_pipelining,
        ..ClientConfig::DEFAULT
    };
    let config = DeliveryConfig {
        client,
        lmtp: arguments.lmtp,
        tls: TlsPolicy::Forbid,
        chunking: if arguments.no_chunking {
            ChunkingPolicy::Never
        } else {
            ChunkingPolicy::Offered
        },
        ..DeliveryConfig::DEFAULT
    };
    let delivery = Delivery::new(ClientName::new(&helo)?, config);
    let octets = content.length().map(|length| length * u64::from(arguments.count));
    let report = Report::new(recipients, octets);
    let mut session = Session::new(envelopes, content, arguments.count, report);
    match arguments.runtime {
        Runtime::Blocking => carry::blocking(arguments, delivery, &mut session)?,
        Runtime::Tokio => carry::tokio(arguments, delivery, &mut session)?,
    }
    Ok(session.exit_code())
}

fn reverse_path(text: &str) -> Result<String, ehlo::SyntaxError> {
    ReversePath::new(text).map(|path| path.to_string())
}

fn forward_path(text: &str) -> Result<String, ehlo::SyntaxError> {
    ForwardPath::new(text).map(|path| path.to_string())
}

fn notify(text: &str) -> Result<Notify, &'static str> {
    if text.eq_ignore_ascii_case("never") {
        return Ok(Notify::NEVER);
    }
    text.split(',').try_fold(Notify::NEVER, |events, event| {
        Ok(events
            | match event.to_ascii_lowercase().as_str() {
                "success" => Notify::SUCCESS,
                "failure" => Notify::FAILURE,
                "delay" => Notify::DELAY,
                _ => return Err("never, or some of success,failure,delay"),
            })
    })
}

fn envid(text: &str) -> Result<String, ehlo::SyntaxError> {
    Envid::new(text).map(|_| text.to_owned())
}

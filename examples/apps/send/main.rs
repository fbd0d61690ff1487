//! Sends a message through [`Delivery`], and says what became of each recipient.
//!
//! ```text
//! cargo run --release --example send -- --from a@example.org --to b@example.org --file mail.eml
//! ```
//!
//! `arguments.rs` is the command line, `carry.rs` puts the conversation on a socket of one of three
//! runtimes, `session.rs` has the messages for it, `content.rs` reads them, `report.rs` keeps the
//! outcomes, `transcript.rs` shows the lines.

mod arguments;
mod carry;
mod content;
mod report;
mod session;
mod transcript;

use std::error::Error;
use std::process::ExitCode;

use clap::Parser as _;
use ehlo::delivery::{AuthPolicy, ChunkingPolicy, Recipient, TlsPolicy};
use ehlo::syntax::parameter::{Envid, Parameter, Parameters, Ret};
use ehlo::{ClientConfig, ForwardPath, HeloName, ReversePath};
use ehlo::{Delivery, DeliveryConfig, Envelope};

use arguments::{Arguments, Body, Runtime, Tls};
use carry::Way;
use content::Content;
use report::Report;
use session::Session;

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
    let way = Way::new(arguments)?;
    let server = way.server()?;
    let helo = ehlo_apps::helo_name(arguments.helo.as_deref(), server)?;
    // RFC 3030 §3: what is binary has no lines.
    let is_binary = matches!(arguments.body, Some(Body::BinaryMime));
    if is_binary && arguments.no_chunking {
        return Err("--body binarymime goes in chunks, without --no-chunking".into());
    }
    let newlines = (!is_binary).then_some(arguments.newlines);
    let content = Content::open(&arguments.file, arguments.count, newlines)
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
        Some(arguments::Ret::Full) => mail_parameters.push(Parameter::Ret(Ret::Full)),
        Some(arguments::Ret::Hdrs) => mail_parameters.push(Parameter::Ret(Ret::Hdrs)),
        None => {}
    }
    if let Some(envid) = &arguments.envid {
        mail_parameters.push(Parameter::Envid(Envid::new(envid)?));
    }
    if arguments.requiretls {
        mail_parameters.push(Parameter::RequireTls);
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
    let eight_bit = Envelope { body: ehlo::syntax::parameter::Body::EightBitMime, ..seven_bit };
    let binary = Envelope { body: ehlo::syntax::parameter::Body::BinaryMime, ..seven_bit };
    let envelopes = match (arguments.body, content.is_eight_bit()) {
        (Some(Body::SevenBit), Some(true)) => return Err("the content is not 7bit".into()),
        (Some(Body::SevenBit), _) | (None, Some(false)) => [&seven_bit, &seven_bit],
        (Some(Body::EightBitMime), _) | (None, Some(true)) => [&eight_bit, &eight_bit],
        (Some(Body::BinaryMime), _) => [&binary, &binary],
        (None, None) => [&seven_bit, &eight_bit],
    };

    let config = config(arguments);
    let delivery = Delivery::new(HeloName::for_server(&helo, server.ip())?, config);
    let octets = content.length().map(|length| length * u64::from(arguments.count));
    let report = Report::new(recipients, octets);
    let mut session = Session::new(arguments, envelopes, content, report);
    match arguments.runtime {
        Runtime::Blocking => carry::blocking(&way, delivery, &mut session)?,
        Runtime::Tokio => carry::tokio(&way, delivery, &mut session)?,
        Runtime::AsyncStd => carry::async_std(&way, delivery, &mut session)?,
    }
    Ok(session.exit_code())
}

/// What the flags make of the conversation.
fn config(arguments: &Arguments) -> DeliveryConfig {
    let client = ClientConfig {
        newlines: arguments.newlines,
        pipelining: !arguments.no_pipelining,
        implicit_tls: arguments.tls == Tls::Implicit,
        ..ClientConfig::DEFAULT
    };
    DeliveryConfig {
        client,
        lmtp: arguments.lmtp,
        tls: match arguments.tls {
            // RFC 8689 §4.2.1: such a message is for TLS alone.
            Tls::Opportunistic if arguments.requiretls => TlsPolicy::Require,
            Tls::Off => TlsPolicy::Forbid,
            Tls::Opportunistic => TlsPolicy::Opportunistic,
            Tls::Require | Tls::Implicit => TlsPolicy::Require,
        },
        auth: if arguments.user.is_some() { AuthPolicy::Require } else { AuthPolicy::Never },
        chunking: if arguments.no_chunking {
            ChunkingPolicy::Never
        } else {
            ChunkingPolicy::Offered
        },
        ..DeliveryConfig::DEFAULT
    }
}

//! Sends a message through [`Delivery`], and says what became of each recipient.
//!
//! ```text
//! cargo run --release --example send -- --from a@example.org --to b@example.org --file mail.eml
//! ```
//!
//! `arguments.rs` is the command line, `route.rs` finds the server, `link.rs` connects, `carry.rs` puts
//! the conversation on a socket of one of three runtimes, `envelopes.rs` has the envelopes for it and
//! `content.rs` reads the content, `session.rs` gives both to the conversation, `report.rs` and
//! `message.rs` keep the outcomes, `transcript.rs` shows the lines.

mod arguments;
mod carry;
mod content;
mod envelopes;
mod link;
mod message;
mod report;
mod route;
mod session;
mod transcript;

use std::error::Error;
use std::process::ExitCode;

use clap::Parser as _;
use ehlo::delivery::{AuthPolicy, ChunkingPolicy, HelloPolicy, TlsPolicy, UnusableSession};
use ehlo::syntax::parameter::{Envid, Parameter, Ret};
use ehlo::{ClientConfig, Delivery, DeliveryConfig, HeloName};
use ehlo_apps::cause::cause;
use ehlo_apps::output::complain;
use ehlo_apps::{helo_name, host_name, tls};
use ehlo_io::TimeLimits;
use ehlo_tokio::Connector;

use arguments::{Arguments, Body, Tls};
use carry::Carrier;
use content::Content;
use envelopes::{Addresses, Common, Envelopes};
use link::{Link, Server, Target};
use report::Report;
use route::Route;
use session::Session;

fn main() -> ExitCode {
    match run(&Arguments::parse()) {
        Ok(code) => code,
        Err(error) => {
            complain("send", &error.to_string());
            ExitCode::from(2)
        }
    }
}

fn run(arguments: &Arguments) -> Result<ExitCode, Box<dyn Error>> {
    arguments.port().map(drop).or_else(|error| match arguments.server {
        Server::Unix(_) => Ok(()),
        Server::Tcp { .. } => Err(error),
    })?;
    // RFC 3030 §3: what is binary has no lines.
    let is_binary = matches!(arguments.body, Some(Body::BinaryMime));
    if is_binary && arguments.no_chunking {
        return Err("--body binarymime goes in chunks, without --no-chunking".into());
    }
    let newlines = (!is_binary).then_some(arguments.newlines);
    let content = Content::open(&arguments.file, arguments.count, newlines)
        .map_err(|error| format!("cannot read {}: {error}", arguments.file.display()))?;

    let given = Addresses { from: arguments.from.clone(), to: arguments.to.clone() };
    let converted = given.in_a_labels().filter(|_| !arguments.smtputf8);
    let rcpt_parameters: Vec<_> = arguments.notify.map(Parameter::Notify).into_iter().collect();
    let mail_parameters = mail_parameters(arguments)?;
    let common =
        Common { parameters: &mail_parameters, body: arguments.body, smtputf8: arguments.smtputf8 };
    let recipients = given.recipients(&rcpt_parameters)?;
    let recipients = recipients.as_slice();
    let as_given = envelopes::pair(&given.from, &recipients, &common, &content)?;
    let converted_recipients = match &converted {
        Some(converted) => converted.recipients(&rcpt_parameters)?,
        None => Vec::new(),
    };
    let converted_recipients = converted_recipients.as_slice();
    let in_a_labels = match &converted {
        Some(converted) => {
            Some(envelopes::pair(&converted.from, &converted_recipients, &common, &content)?)
        }
        None => None,
    };
    let envelopes = Envelopes { as_given, in_a_labels };

    let bytes = content.length().map(|length| length * u64::from(arguments.count));
    let mut report = Report::new(arguments, converted.as_ref(), bytes);
    let host = host_name();
    // RFC 6761 §6.3: localhost is this host everywhere.
    let own = [arguments.helo.as_deref().unwrap_or(&host), &host, "localhost"];
    let route = Route::new(arguments, &own)?;
    let mut work = Work { arguments, envelopes: &envelopes, content, report: &mut report };
    work.send(route);
    Ok(report.exit_code())
}

/// What there is to send, and what became of it.
struct Work<'a> {
    arguments: &'a Arguments,
    envelopes: &'a Envelopes<'a>,
    content: Content,
    report: &'a mut Report,
}

impl Work<'_> {
    /// Sends the messages to the first server that takes one.
    fn send(&mut self, mut route: Route<'_>) {
        let mut target = match route.next() {
            Ok(target) => target,
            Err(why) => return self.report.without_route(why),
        };
        let mut config = config(self.arguments);
        loop {
            let ended = self.attempt(&target, config);
            if let Some(another) = self.another(config) {
                config = another;
                self.report.begin_again();
                continue;
            }
            // RFC 5321 §5.1: "the SMTP client MUST be able to try (and retry) each of the relevant
            // addresses in this list in order, until a delivery attempt succeeds."
            let next = self.report.took_no_message().then(|| route.next().ok()).flatten();
            match (next, ended) {
                (Some(next), ended) => {
                    let error = ended.map(|error| error.map(|error| cause(&error)));
                    let error = error.unwrap_or_else(Some);
                    self.report.go_on(&target, error.as_deref());
                    (target, config) = (next, self::config(self.arguments));
                }
                (None, Ok(error)) => return self.report.close(error.as_ref()),
                (None, Err(error)) => return self.report.without_connection(&error),
            }
        }
    }

    /// One session, and the error that ended it. The other error tells why there was none.
    fn attempt(
        &mut self,
        target: &Target,
        config: DeliveryConfig,
    ) -> Result<Option<std::io::Error>, String> {
        let carrier = carrier(self.arguments, target.server.name())?;
        let link = Link::open(self.arguments, target)?;
        let (server, given) = (link.server, self.arguments.helo.as_deref());
        let helo = helo_name(given, server, link.local).map_err(|error| error.to_string())?;
        let helo = HeloName::for_server(&helo, server).map_err(|error| error.to_string())?;
        let delivery = Delivery::new(helo, config);
        let mut session =
            Session::new(self.arguments, self.envelopes, &mut self.content, self.report);
        Ok(carrier.deliver(link, delivery, &mut session).err())
    }

    /// What to try on another connection to a server that took no message on this one.
    fn another(&self, config: DeliveryConfig) -> Option<DeliveryConfig> {
        match self.report.unusable()? {
            UnusableSession::TlsFailed
                if self.arguments.may_go_on_in_clear_text() && !self.report.was_injected() =>
            {
                Some(DeliveryConfig { tls: TlsPolicy::Forbid, ..config })
            }
            UnusableSession::EhloClosed if config.hello == HelloPolicy::Reconnect => {
                Some(DeliveryConfig { hello: HelloPolicy::HeloOnly, ..config })
            }
            _ => None,
        }
    }
}

/// How the conversation is carried, and how the server is known to be the right one.
fn carrier(arguments: &Arguments, name: &str) -> Result<Carrier, String> {
    let failed = |error: ehlo_tokio::TlsError| format!("{name}: {error}");
    let tls = match (&arguments.ca, arguments.pin) {
        _ if !arguments.verifies() => Connector::unverified(name).map_err(failed)?,
        (Some(file), _) => tls::trusting(file, name)?,
        (None, Some(pin)) => tls::pinned(pin, name)?,
        (None, None) => Connector::new(name).map_err(failed)?,
    };
    let limits = TimeLimits::DEFAULT;
    Ok(Carrier {
        runtime: arguments.runtime,
        tls,
        implicit: arguments.tls == Tls::Implicit,
        limits: arguments.timeout.map_or(limits, |timeout| limits.with_wait(timeout)),
    })
}

fn mail_parameters(arguments: &Arguments) -> Result<Vec<Parameter<'_>>, Box<dyn Error>> {
    let mut parameters = Vec::new();
    match arguments.ret {
        Some(arguments::Ret::Full) => parameters.push(Parameter::Ret(Ret::Full)),
        Some(arguments::Ret::Hdrs) => parameters.push(Parameter::Ret(Ret::Hdrs)),
        None => {}
    }
    if let Some(envid) = &arguments.envid {
        parameters.push(Parameter::Envid(Envid::new(envid)?));
    }
    if arguments.requiretls {
        parameters.push(Parameter::RequireTls);
    }
    Ok(parameters)
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
        lmtp: arguments.is_lmtp(),
        hello: arguments.hello.policy(),
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

//! The command line of `send`.

use std::net::SocketAddr;
use std::path::PathBuf;
use std::time::Duration;

use clap::{Parser, ValueEnum};
use ehlo::data::Newlines;
use ehlo::delivery::HelloPolicy;
use ehlo::syntax::parameter::{Envid, Notify};
use ehlo::syntax::sasl::SaslMechanism;
use ehlo::{ForwardPath, ReversePath};
use ehlo_apps::tls::Fingerprint;
use ehlo_sasl::Credentials;

use crate::link::Server;

/// Sends one message, and prints a line for each recipient:
/// `accepted|deferred|refused|unknown <ADDRESS> CODE ENHANCED text`, in which `-` stands for a code
/// that no reply has given.
///
/// Ends with 0 when all were accepted, with 1 when any was refused or deferred by an answer, with 2
/// when the session failed or an outcome is unknown.
#[derive(Debug, Parser)]
#[command(name = "send")]
pub(crate) struct Arguments {
    /// The server. Without a port it is 25, or 465 with `--tls implicit`; LMTP has none of its own.
    /// unix:PATH is LMTP over a Unix socket.
    #[arg(long, value_name = "HOST:PORT", default_value = "127.0.0.1:2525")]
    pub(crate) server: Server,
    /// The server is a domain: its mail exchanges are tried in their order (RFC 5321 §5.1), until one
    /// takes a message. In TLS each has to show a certificate for its own name, where that is verified.
    #[arg(long, conflicts_with_all = ["lmtp", "user"])]
    pub(crate) mx: bool,
    /// The DNS server to ask for mail exchanges [default: those of this machine].
    #[arg(long, value_name = "ADDR:PORT", requires = "mx")]
    pub(crate) dns: Option<SocketAddr>,
    /// What to say in EHLO [default: the name of this machine, or else its address].
    #[arg(long, value_name = "NAME", value_parser = ehlo_apps::name)]
    pub(crate) helo: Option<String>,
    /// Where notifications go; empty for the null reverse-path.
    #[arg(long, value_name = "ADDRESS", value_parser = reverse_path)]
    pub(crate) from: String,
    /// A recipient; repeatable.
    #[arg(long, value_name = "ADDRESS", value_parser = forward_path, required = true)]
    pub(crate) to: Vec<String>,
    /// The content; `-` for standard input.
    #[arg(long, value_name = "FILE", default_value = "-")]
    pub(crate) file: PathBuf,
    /// Bare CR and bare LF in the content: normalise, reject or keep.
    #[arg(long, value_name = "POLICY", default_value = "normalise",
        value_parser = ehlo_apps::newlines)]
    pub(crate) newlines: Newlines,
    /// How many times to send it over the connection.
    #[arg(long, value_name = "N", default_value_t = 1,
        value_parser = clap::value_parser!(u32).range(1..))]
    pub(crate) count: u32,
    /// Which adapter carries the session.
    #[arg(long, value_enum, default_value_t = Runtime::Blocking)]
    pub(crate) runtime: Runtime,
    /// Whether the session goes on inside TLS.
    #[arg(long, value_enum, default_value_t = Tls::Opportunistic)]
    pub(crate) tls: Tls,
    /// Trust the authorities and the certificates of servers in this PEM file, and not the authorities
    /// of this machine.
    #[arg(long, value_name = "FILE", conflicts_with_all = ["insecure", "pin"])]
    pub(crate) ca: Option<PathBuf>,
    /// Trust the certificate with this fingerprint alone, as `openssl x509 -fingerprint -sha256`
    /// prints it.
    #[arg(long, value_name = "SHA256", conflicts_with = "insecure")]
    pub(crate) pin: Option<Fingerprint>,
    /// Trust any certificate.
    #[arg(long)]
    pub(crate) insecure: bool,
    /// Authenticate; without that nothing is sent. The certificate is then verified.
    #[arg(long, value_name = "NAME:PASSWORD", value_parser = user)]
    pub(crate) user: Option<User>,
    /// Authenticate by this mechanism [default: the strongest that is offered]. OAUTHBEARER and
    /// XOAUTH2 take a token for the password.
    #[arg(long, value_name = "NAME", value_parser = mechanism, requires = "user")]
    pub(crate) mechanism: Option<SaslMechanism>,
    /// Speak LMTP (RFC 2033).
    #[arg(long)]
    pub(crate) lmtp: bool,
    /// Wait for each reply, even where PIPELINING is offered.
    #[arg(long)]
    pub(crate) no_pipelining: bool,
    /// Send the content by DATA, even where CHUNKING is offered.
    #[arg(long)]
    pub(crate) no_chunking: bool,
    /// What to declare the content as. The default is what a file needs, and for standard input
    /// 8bitmime where the server offers it; 8-bit content is never sent as 7bit.
    #[arg(long, value_enum)]
    pub(crate) body: Option<Body>,
    /// Ask for SMTPUTF8; an address in UTF-8 does so by itself.
    #[arg(long)]
    pub(crate) smtputf8: bool,
    /// When to be notified (RFC 3461): never, or some of success,failure,delay.
    #[arg(long, value_name = "EVENTS", value_parser = notify)]
    pub(crate) notify: Option<Notify>,
    /// How much of the message a notification returns.
    #[arg(long, value_enum)]
    pub(crate) ret: Option<Ret>,
    /// A name for the envelope, returned in notifications.
    #[arg(long, value_name = "TEXT", value_parser = envid)]
    pub(crate) envid: Option<String>,
    /// Have the message go inside TLS all the way, with certificates that are verified (RFC 8689).
    #[arg(long, conflicts_with = "insecure")]
    pub(crate) requiretls: bool,
    /// Print every line to standard error, but no secret.
    #[arg(long)]
    pub(crate) transcript: bool,
    /// A limit for each wait, where it is shorter than that of the protocol. The reply to QUIT is
    /// awaited for two seconds at most.
    #[arg(long, value_name = "SECONDS", value_parser = seconds)]
    pub(crate) timeout: Option<Duration>,
    /// What to greet with.
    #[arg(long, value_enum, default_value_t = Hello::Fallback)]
    pub(crate) hello: Hello,
}

impl Arguments {
    /// The port of a TCP server, or that of the protocol where none was given.
    pub(crate) fn port(&self) -> Result<u16, &'static str> {
        match self.server {
            Server::Tcp { port: Some(port), .. } => Ok(port),
            // RFC 2033 keeps LMTP off port 25, and gives it no other.
            _ if self.is_lmtp() => Err("--server needs a port for LMTP: HOST:PORT"),
            // RFC 8314 §7.3.
            _ if self.tls == Tls::Implicit => Ok(465),
            _ => Ok(25),
        }
    }

    pub(crate) fn is_lmtp(&self) -> bool {
        self.lmtp || matches!(self.server, Server::Unix(_))
    }

    /// What proves who the user is.
    pub(crate) fn credentials(&self) -> Option<Credentials<'_>> {
        let User { name, password } = self.user.as_ref()?;
        // `user` has seen to it that they can be used.
        match self.mechanism {
            Some(SaslMechanism::OauthBearer | SaslMechanism::Xoauth2) => {
                Credentials::token(name, password).ok()
            }
            _ => Credentials::password(name, password).ok(),
        }
    }

    /// Whether the server must show a certificate that is trusted: everywhere but in an attempt to
    /// be better than clear text (RFC 7435), which gives nothing away.
    pub(crate) fn verifies(&self) -> bool {
        let has_trust = self.ca.is_some() || self.pin.is_some();
        let has_reason = self.user.is_some() || has_trust || self.requiretls;
        match self.tls {
            Tls::Off => false,
            Tls::Opportunistic => has_reason && !self.insecure,
            Tls::Require | Tls::Implicit => !self.insecure,
        }
    }

    /// Whether a handshake that failed is followed by another connection, in clear text: where nothing
    /// but an attempt was wanted, and nothing is secret. RFC 7435 §3.
    pub(crate) fn may_go_on_in_clear_text(&self) -> bool {
        self.tls == Tls::Opportunistic
            && !self.verifies()
            && self.user.is_none()
            && !self.requiretls
    }
}

/// A name and what proves it. `Debug` shows the name.
#[derive(Clone)]
pub(crate) struct User {
    name: String,
    password: String,
}

impl User {
    pub(crate) fn password(&self) -> &str {
        &self.password
    }
}

impl std::fmt::Debug for User {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "User({:?})", self.name)
    }
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum Runtime {
    /// ehlo-blocking, on the sockets of std.
    Blocking,
    /// ehlo-tokio.
    Tokio,
    /// ehlo-async-std, on the sockets of smol.
    AsyncStd,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum Tls {
    /// In clear text.
    Off,
    /// STARTTLS where it is offered; the certificate is verified only with --user, --ca, --pin or
    /// --requiretls. Otherwise mail goes in clear text on another connection where the handshake fails.
    Opportunistic,
    /// STARTTLS, or nothing is sent.
    Require,
    /// TLS from the first byte (RFC 8314).
    Implicit,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum Hello {
    /// EHLO alone.
    Ehlo,
    /// EHLO, and HELO where it is refused.
    Fallback,
    /// The same, and HELO on another connection where the server closes this one at EHLO.
    Reconnect,
    /// HELO alone.
    Helo,
}

impl Hello {
    pub(crate) const fn policy(self) -> HelloPolicy {
        match self {
            Self::Ehlo => HelloPolicy::EhloOnly,
            Self::Fallback => HelloPolicy::Fallback,
            Self::Reconnect => HelloPolicy::Reconnect,
            Self::Helo => HelloPolicy::HeloOnly,
        }
    }
}

#[derive(Clone, Copy, Debug, ValueEnum)]
pub(crate) enum Body {
    /// US-ASCII.
    #[value(name = "7bit")]
    SevenBit,
    /// Any bytes in lines (RFC 6152).
    #[value(name = "8bitmime")]
    EightBitMime,
    /// Any bytes as they are, by CHUNKING only (RFC 3030); `--newlines` means nothing.
    #[value(name = "binarymime")]
    BinaryMime,
}

#[derive(Clone, Copy, Debug, ValueEnum)]
pub(crate) enum Ret {
    /// All of it.
    Full,
    /// Its header section.
    Hdrs,
}

fn reverse_path(text: &str) -> Result<String, ehlo::SyntaxError> {
    ReversePath::new(text).map(|path| path.to_string())
}

fn forward_path(text: &str) -> Result<String, ehlo::SyntaxError> {
    ForwardPath::new(text).map(|path| path.to_string())
}

fn seconds(text: &str) -> Result<Duration, &'static str> {
    let seconds = text.parse().ok().filter(|seconds| (1..=86_400).contains(seconds));
    seconds.map(Duration::from_secs).ok_or("a number of seconds from 1 to 86400")
}

fn user(text: &str) -> Result<User, String> {
    let (name, password) = text.split_once(':').ok_or("NAME:PASSWORD")?;
    Credentials::password(name, password).map_err(|error| error.to_string())?;
    Ok(User { name: name.to_owned(), password: password.to_owned() })
}

fn mechanism(name: &str) -> Result<SaslMechanism, String> {
    let tokens = [SaslMechanism::OauthBearer, SaslMechanism::Xoauth2];
    let passwords = Credentials::password("name", "password").map(|any| any.mechanisms());
    let all = tokens
        .into_iter()
        .chain(passwords.into_iter().flat_map(|all| all.iter().collect::<Vec<_>>()));
    let all: Vec<_> = all.collect();
    let known = SaslMechanism::from_name(name.to_ascii_uppercase().as_bytes());
    known.filter(|mechanism| all.contains(mechanism)).ok_or_else(|| {
        let names: Vec<_> = all.iter().map(|mechanism| mechanism.name()).collect();
        format!("one of {}", names.join(", "))
    })
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

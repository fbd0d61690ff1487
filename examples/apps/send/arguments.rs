//! The command line of `send`.

use std::path::PathBuf;
use std::str::FromStr;

use clap::{Parser, ValueEnum};
use ehlo::data::Newlines;
use ehlo::syntax::parameter::{Envid, Notify};
use ehlo::syntax::sasl::SaslMechanism;
use ehlo::{ForwardPath, ReversePath};
use ehlo_sasl::Credentials;

/// Sends one message, and prints a line for each recipient:
/// `accepted|deferred|refused|unknown <ADDRESS> CODE ENHANCED text`, in which `-` stands for a code
/// that no reply has given.
///
/// Ends with 0 when all were accepted, with 1 when any was refused or deferred, with 2 when the
/// session failed or an outcome is unknown.
#[derive(Debug, Parser)]
#[command(name = "send")]
pub(crate) struct Arguments {
    /// The server. Without a port it is 25, or 465 with `--tls implicit`; LMTP has none of its own.
    #[arg(long, value_name = "HOST:PORT", default_value = "127.0.0.1:2525")]
    pub(crate) server: Server,
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
    /// Trust the authorities of this PEM file, and not those of this machine.
    #[arg(long, value_name = "FILE", conflicts_with = "insecure")]
    pub(crate) ca: Option<PathBuf>,
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
}

impl Arguments {
    /// The port of the server, and the one that the protocol has where none was given.
    pub(crate) fn port(&self) -> Result<u16, &'static str> {
        match self.server.port {
            Some(port) => Ok(port),
            // RFC 2033 keeps LMTP off port 25, and gives it no other.
            None if self.lmtp => Err("--server needs a port for LMTP: HOST:PORT"),
            // RFC 8314 §7.3.
            None if self.tls == Tls::Implicit => Ok(465),
            None => Ok(25),
        }
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
        let has_reason = self.user.is_some() || self.ca.is_some() || self.requiretls;
        match self.tls {
            Tls::Off => false,
            Tls::Opportunistic => has_reason && !self.insecure,
            Tls::Require | Tls::Implicit => !self.insecure,
        }
    }
}

/// A host, and perhaps a port.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Server {
    pub(crate) host: String,
    port: Option<u16>,
}

impl FromStr for Server {
    type Err = &'static str;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let (host, port) = match text.strip_prefix('[') {
            Some(rest) => {
                let (host, rest) = rest.split_once(']').ok_or("no ] behind the address")?;
                (host, if rest.is_empty() { None } else { Some(rest) })
            }
            // An IPv6 address without brackets has no room for a port.
            None if text.matches(':').count() > 1 => (text, None),
            None => text.find(':').map_or((text, None), |at| {
                let (host, port) = text.split_at(at);
                (host, Some(port))
            }),
        };
        if host.is_empty() {
            return Err("no host: HOST, HOST:PORT or [IPV6]:PORT");
        }
        let port = port.map(|port| {
            let number = port.strip_prefix(':').and_then(|number| number.parse().ok());
            number.filter(|number| *number > 0).ok_or("no port number behind the host")
        });
        Ok(Self { host: host.to_owned(), port: port.transpose()? })
    }
}

impl std::fmt::Display for Server {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(&self.host)?;
        self.port.map_or(Ok(()), |port| write!(f, ":{port}"))
    }
}

/// A name and what proves it. `Debug` shows the name.
#[derive(Clone)]
pub(crate) struct User {
    name: String,
    password: String,
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
    /// In clear.
    Off,
    /// STARTTLS where it is offered; the certificate is verified only with --user, --ca or
    /// --requiretls.
    Opportunistic,
    /// STARTTLS, or nothing is sent.
    Require,
    /// TLS from the first octet (RFC 8314).
    Implicit,
}

#[derive(Clone, Copy, Debug, ValueEnum)]
pub(crate) enum Body {
    /// US-ASCII.
    #[value(name = "7bit")]
    SevenBit,
    /// Any octets in lines (RFC 6152).
    #[value(name = "8bitmime")]
    EightBitMime,
    /// Any octets as they are, by CHUNKING only (RFC 3030); `--newlines` means nothing.
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

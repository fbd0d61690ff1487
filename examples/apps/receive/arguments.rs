//! The command line, and what it makes of the server.

use std::net::SocketAddr;
use std::path::PathBuf;

use clap::Parser;
use ehlo::data::Newlines;
use ehlo::identity::Enforcement;
use ehlo::server::{Role, ServerLimits};
use ehlo::syntax::capability::Capabilities;
use ehlo::{Extension, ForwardPath, Policy, ServerConfig};
use ehlo_apps::network::Network;
use ehlo_io::proxy_header::Versions;

use crate::listener::Listen;

/// A mail sink that loses nothing.
///
/// Ctrl-C and SIGTERM let open transactions come to their end. SIGHUP reads the certificate and its
/// key again.
#[derive(Debug, Parser)]
#[command(name = "receive")]
pub(crate) struct Arguments {
    /// Where to listen: port 0 takes a free one, and unix:PATH takes LMTP over a Unix socket.
    #[arg(long, value_name = "ADDR:PORT", default_value = "127.0.0.1:2525")]
    pub(crate) listen: Listen,
    /// The name in the greeting, the reply to EHLO and the Received: line [default: the machine's].
    #[arg(long, value_name = "NAME", value_parser = ehlo_apps::name)]
    pub(crate) hostname: Option<String>,
    /// Store each message in DIR/new. Without it messages are accepted and dropped: a line is
    /// printed for each, and nothing is kept.
    #[arg(long, value_name = "DIR")]
    pub(crate) maildir: Option<PathBuf>,
    /// Speak LMTP (RFC 2033) instead of SMTP.
    #[arg(long, conflicts_with = "submission")]
    pub(crate) lmtp: bool,
    /// Take submissions (RFC 6409): mail of clients that have authenticated.
    #[arg(long)]
    pub(crate) submission: bool,
    /// Offer STARTTLS, with a fresh self-signed certificate unless there is --cert.
    #[arg(long)]
    pub(crate) tls: bool,
    /// The certificate chain for TLS in PEM, the server's certificate first; implies --tls.
    #[arg(long, value_name = "FILE", requires = "key")]
    pub(crate) cert: Option<PathBuf>,
    /// The private key of that certificate in PEM.
    #[arg(long, value_name = "FILE", requires = "cert")]
    pub(crate) key: Option<PathBuf>,
    /// TLS from the first byte instead of STARTTLS (RFC 8314).
    #[arg(long)]
    pub(crate) implicit_tls: bool,
    /// Answer 530 5.7.0 until TLS is established.
    #[arg(long)]
    pub(crate) require_tls: bool,
    /// Offer AUTH to a user of this name and password, which for OAUTHBEARER and XOAUTH2 is the
    /// token; repeatable. CRAM-MD5 and SCRAM are offered in clear text too; PLAIN, LOGIN, OAUTHBEARER
    /// and XOAUTH2, which show the password, inside TLS only, unless --allow-plaintext-auth.
    #[arg(long, value_name = "NAME:PASSWORD", value_parser = user)]
    pub(crate) user: Vec<(String, String)>,
    /// Answer 530 5.7.0 to MAIL until the client has authenticated.
    #[arg(long)]
    pub(crate) require_auth: bool,
    /// Take passwords outside TLS too.
    #[arg(long)]
    pub(crate) allow_plaintext_auth: bool,
    /// The largest message in bytes; 0 for no limit.
    #[arg(long, value_name = "BYTES", default_value_t = 50 << 20)]
    pub(crate) max_size: u64,
    /// Recipients of one message.
    #[arg(long, value_name = "N", default_value_t = 1000)]
    pub(crate) max_recipients: u16,
    /// Connections at once; the surplus is answered 421.
    #[arg(long, value_name = "N", default_value_t = 1024,
        value_parser = clap::value_parser!(u32).range(1..=1 << 20))]
    pub(crate) max_connections: u32,
    /// Connections from one address at once; an IPv6 address counts by its /64. Addresses in --trust
    /// are not counted, the clients for which they speak are.
    #[arg(long, value_name = "N", default_value_t = 100,
        value_parser = clap::value_parser!(u32).range(1..=1 << 20))]
    pub(crate) max_per_address: u32,
    /// How long a client may keep silent.
    #[arg(long, value_name = "SECONDS", default_value_t = 300,
        value_parser = clap::value_parser!(u64).range(1..=86_400))]
    pub(crate) timeout: u64,
    /// The least rate of content in bytes a second, after a grace of ten seconds; 0 for none.
    #[arg(long, value_name = "BYTES", default_value_t = 500)]
    pub(crate) min_rate: u32,
    /// Refuse this recipient with 550 5.1.1; repeatable.
    #[arg(long, value_name = "ADDRESS", value_parser = address)]
    pub(crate) reject: Vec<String>,
    /// Refuse this recipient with 451 4.3.0; repeatable.
    #[arg(long, value_name = "ADDRESS", value_parser = address)]
    pub(crate) defer: Vec<String>,
    /// Bare CR and bare LF in mail data: reject, normalise or keep.
    #[arg(long, value_name = "POLICY", default_value = "reject",
        value_parser = ehlo_apps::newlines)]
    pub(crate) newlines: Newlines,
    /// Take what real clients send beside the grammar, where it cannot be mistaken for anything else.
    #[arg(long)]
    pub(crate) lenient: bool,
    /// Check in the DNS whether greetings are true: off, record (in the Received: line) or enforce
    /// (refuse MAIL of a client without a sound name, unless it has authenticated).
    #[arg(long, value_name = "POLICY", default_value = "off", value_parser = check_helo)]
    pub(crate) check_helo: CheckHelo,
    /// The DNS server to ask [default: those of this machine].
    #[arg(long, value_name = "ADDR:PORT")]
    pub(crate) dns: Option<SocketAddr>,
    /// Accept XCLIENT and XFORWARD from clients at this address or in this network, as `10.0.0.0/8` or
    /// `2001:db8::/32`; repeatable. After XCLIENT the address that it states decides.
    #[arg(long, value_name = "ADDR")]
    pub(crate) trust: Vec<Network>,
    /// Every connection begins with a header of the PROXY protocol, of this version, and is closed
    /// without one. Such a header can state any address: let the proxy alone connect.
    #[arg(long, value_name = "v1|v2|any", value_parser = versions)]
    pub(crate) proxy: Option<Versions>,
    /// Print one JSON object for each event of a session.
    #[arg(long)]
    pub(crate) json: bool,
}

impl Arguments {
    /// Whether there is TLS at all.
    pub(crate) fn has_tls(&self) -> bool {
        self.tls || self.implicit_tls || self.cert.is_some()
    }

    fn is_local(&self) -> bool {
        matches!(self.listen, Listen::Unix(_))
    }

    /// What contradicts itself.
    pub(crate) fn contradiction(&self) -> Option<&'static str> {
        if self.is_local() && self.submission {
            return Some("--listen unix:PATH is for LMTP, without --submission");
        }
        if self.is_local() && self.proxy.is_some() {
            return Some("--proxy needs a TCP port to listen on");
        }
        if self.require_tls && !self.has_tls() {
            return Some("--require-tls needs --tls, --cert or --implicit-tls");
        }
        // With XCLIENT a trusted client says who has authenticated.
        let no_client_can = self.user.is_empty() && self.trust.is_empty();
        (self.require_auth && no_client_can).then_some("--require-auth needs --user or --trust")
    }

    /// What the machine enforces; what it offers is the same.
    pub(crate) fn server_config(&self) -> ServerConfig {
        let mut offered = [
            Extension::Pipelining,
            Extension::EightBitMime,
            Extension::SmtpUtf8,
            Extension::Chunking,
            Extension::BinaryMime,
            Extension::EnhancedStatusCodes,
            Extension::Dsn,
        ]
        .into_iter()
        .fold(Capabilities::NONE, Capabilities::with)
        .with_size(self.max_size);
        if self.has_tls() {
            // REQUIRETLS asks nothing of a server that sends no message on.
            offered = offered.with(Extension::StartTls).with(Extension::RequireTls);
        }
        if !self.user.is_empty() {
            offered = offered.with_mechanisms(crate::users::MECHANISMS);
        }
        let role = match (self.lmtp || self.is_local(), self.submission) {
            (true, _) => Role::Lmtp,
            (_, true) => Role::Submission,
            _ => Role::Smtp,
        };
        ServerConfig {
            role,
            offered,
            policy: if self.lenient { Policy::LENIENT } else { ServerConfig::DEFAULT.policy },
            newlines: self.newlines,
            implicit_tls: self.implicit_tls,
            require_tls: self.require_tls,
            // RFC 6409 §4.3: a submission server wants to know who it is.
            require_auth: self.require_auth || self.submission,
            plaintext_auth: self.allow_plaintext_auth,
            limits: ServerLimits { recipients: self.max_recipients, ..ServerLimits::DEFAULT },
            ..ServerConfig::DEFAULT
        }
    }
}

fn versions(text: &str) -> Result<Versions, &'static str> {
    match text {
        "v1" => Ok(Versions::V1),
        "v2" => Ok(Versions::V2),
        "any" => Ok(Versions::Any),
        _ => Err("one of v1, v2, any"),
    }
}

/// What becomes of the check of a greeting; `None` is not to check.
#[derive(Clone, Copy, Debug)]
pub(crate) struct CheckHelo(pub(crate) Option<Enforcement>);

fn check_helo(text: &str) -> Result<CheckHelo, &'static str> {
    match text {
        "off" => Ok(CheckHelo(None)),
        "record" => Ok(CheckHelo(Some(Enforcement::Record))),
        "enforce" => Ok(CheckHelo(Some(Enforcement::Enforce))),
        _ => Err("one of off, record, enforce"),
    }
}

fn address(text: &str) -> Result<String, ehlo::SyntaxError> {
    ForwardPath::new(text).map(|path| path.to_string())
}

fn user(text: &str) -> Result<(String, String), &'static str> {
    match text.split_once(':') {
        Some((name, password)) if !name.is_empty() && !password.is_empty() => {
            Ok((name.to_owned(), password.to_owned()))
        }
        _ => Err("a name and a password with a colon between them"),
    }
}

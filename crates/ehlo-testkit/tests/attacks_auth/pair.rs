//! A server and a client of one connection, each with the little of an application that
//! authentication needs.

use ehlo::machine::Received;
use ehlo::server::Event;
use ehlo::syntax::capability::Capabilities;
use ehlo::syntax::command::Verb;
use ehlo::syntax::path::ClientName;
use ehlo::syntax::sasl::{Mechanisms, SaslMechanism};
use ehlo::{Client, ClientConfig, Command, Encode as _, Server, ServerConfig, client};
use ehlo_sasl::{
    AnyClient, AnyServer, ClientExchange, ClientFailure, ClientStep, Credentials, Proof,
    ServerExchange, ServerStep, StoredSecret,
};

pub(crate) const CHALLENGE: &str = "<1896.697170952@mx.example>";

/// A server inside TLS that knows anna, by the password "secret" and the token "valid".
pub(crate) struct Desk {
    pub(crate) server: Server,
    exchange: Option<ServerExchange<AnyServer>>,
    /// anna may act for whom she likes.
    pub(crate) delegates: bool,
    buffer: Vec<u8>,
    unread: Vec<u8>,
    outbox: Vec<u8>,
}

impl Desk {
    pub(crate) fn new() -> Self {
        let mechanisms = SaslMechanism::ALL.iter().copied();
        Self::with(ServerConfig {
            offered: offered(mechanisms.fold(Mechanisms::NONE, Mechanisms::with)),
            implicit_tls: true,
            ..ServerConfig::DEFAULT
        })
    }

    pub(crate) fn with(config: ServerConfig) -> Self {
        Self {
            server: Server::new(config),
            exchange: None,
            delegates: false,
            buffer: vec![0; ServerExchange::<AnyServer>::BUFFER],
            unread: Vec::new(),
            outbox: Vec::new(),
        }
    }

    /// The replies to these lines, all but the greeting and those to EHLO.
    pub(crate) fn replies(&mut self, lines: &[&str]) -> Vec<String> {
        self.take(b"EHLO client.example\r\n");
        self.outbox.clear();
        let mut replies = Vec::new();
        for line in lines {
            self.take(line.as_bytes());
            self.take(b"\r\n");
            let text = String::from_utf8(std::mem::take(&mut self.outbox)).expect("ASCII");
            replies.push(text.trim_end_matches("\r\n").to_owned());
        }
        replies
    }

    pub(crate) fn take(&mut self, bytes: &[u8]) {
        self.unread.extend(bytes);
        let unread = std::mem::take(&mut self.unread);
        let mut at = 0;
        loop {
            let Received { consumed, event } = self.server.receive(&unread[at..]);
            at += consumed;
            match event {
                Event::NeedInput | Event::Closed => break,
                Event::Command(Command::Auth { mechanism, initial_response }) => {
                    let server = server(mechanism.as_str());
                    self.exchange = server.map(ServerExchange::new);
                    self.auth(|exchange, buffer| exchange.start(initial_response.as_ref(), buffer));
                }
                Event::AuthResponse(response) => {
                    self.auth(|exchange, buffer| exchange.receive(&response, buffer));
                }
                Event::Refused(refusal) => {
                    self.exchange = None;
                    self.say(&refusal.reply());
                }
                _ => self.say(&self.server.standard_reply("mx.example")),
            }
        }
        self.unread = unread[at..].to_vec();
    }

    /// Takes one step, and those that need nothing of the client.
    fn auth(
        &mut self,
        first: impl for<'b> FnOnce(&mut ServerExchange<AnyServer>, &'b mut [u8]) -> ServerStep<'b>,
    ) {
        let Some(mut exchange) = self.exchange.take() else {
            return self.say(&self.server.standard_reply("mx.example"));
        };
        let mut buffer = std::mem::take(&mut self.buffer);
        let mut step = first(&mut exchange, &mut buffer);
        loop {
            step = match step {
                ServerStep::Challenge(data) => {
                    break self.write(|server, out| server.challenge(&data, out));
                }
                ServerStep::Reply(reply) => break self.say(&reply),
                ServerStep::Verify(credentials) if !is_right(&credentials) => {
                    exchange.refuse(&mut buffer)
                }
                ServerStep::Verify(_) if self.delegates => {
                    exchange.accept_authorization(&mut buffer)
                }
                ServerStep::Verify(_) => exchange.accept(&mut buffer),
                ServerStep::Secret(name) => {
                    let known = name == "anna";
                    secret(&mut exchange, known, &mut buffer)
                }
            };
        }
        self.buffer = buffer;
        if !exchange.is_over() {
            self.exchange = Some(exchange);
        }
    }

    fn say(&mut self, reply: &ehlo::Reply<'_>) {
        self.write(|server, out| server.reply(reply, out));
    }

    fn write(
        &mut self,
        write: impl FnOnce(&mut Server, &mut [u8]) -> Result<usize, ehlo::ReplyError>,
    ) {
        let mut out = [0; 2048];
        let length = write(&mut self.server, &mut out).expect("a reply that fits");
        self.outbox.extend(&out[..length]);
    }

    /// No byte of a password or token is left where messages were.
    pub(crate) fn is_wiped(&self) -> bool {
        !self.buffer.windows(6).any(|bytes| bytes == b"secret" || bytes == b"valid\x01")
    }
}

fn is_right(credentials: &Credentials<'_>) -> bool {
    match credentials.proof() {
        Proof::Password(password) => {
            credentials.authentication() == Some("anna") && password == "secret"
        }
        Proof::Token(token) => {
            let long = token.len() > 600 && token.bytes().all(|byte| byte == b'v');
            token == "valid" || long
        }
        // The certificate is anna's.
        Proof::External | Proof::Anonymous(_) | Proof::Verified => true,
        _ => false,
    }
}

/// What is stored of anna, as the mechanism needs it.
fn secret<'b>(
    exchange: &mut ServerExchange<AnyServer>,
    known: bool,
    buffer: &'b mut [u8],
) -> ServerStep<'b> {
    #[cfg(feature = "scram")]
    {
        use ehlo_sasl::ScramSecret;
        use std::sync::OnceLock;

        static SHA_1: OnceLock<ScramSecret<'_>> = OnceLock::new();
        static SHA_256: OnceLock<ScramSecret<'_>> = OnceLock::new();
        for (stored, mechanism) in
            [(&SHA_1, SaslMechanism::ScramSha1), (&SHA_256, SaslMechanism::ScramSha256)]
        {
            if format!("{exchange:?}").contains(&format!("{mechanism:?}")) {
                let secret = stored.get_or_init(|| {
                    ScramSecret::derive(mechanism, "secret", b"salt", 4096).expect("a SCRAM")
                });
                let stored = StoredSecret::Scram(secret.keys());
                return exchange.secret(Some(&stored).filter(|_| known), buffer);
            }
        }
    }
    let stored = StoredSecret::Password("secret");
    exchange.secret(Some(&stored).filter(|_| known), buffer)
}

fn server(name: &str) -> Option<AnyServer> {
    let mechanism = SaslMechanism::from_name(name.as_bytes())?;
    #[cfg(feature = "cram-md5")]
    if mechanism == SaslMechanism::CramMd5 {
        return ehlo_sasl::CramMd5Server::new(CHALLENGE).ok().map(AnyServer::from);
    }
    #[cfg(feature = "scram")]
    if let Some(server) = ehlo_sasl::ScramServer::new(mechanism, Some(crate::binding())) {
        return Some(server.into());
    }
    AnyServer::new(mechanism)
}

fn offered(mechanisms: Mechanisms) -> Capabilities {
    Capabilities::NONE
        .with(ehlo::Extension::EnhancedStatusCodes)
        .with(ehlo::Extension::Auth)
        .with_mechanisms(mechanisms)
}

/// A client inside TLS that authenticates as soon as it may.
pub(crate) struct Caller<'c> {
    pub(crate) client: Client,
    exchange: ClientExchange<AnyClient<'c>>,
    buffer: Vec<u8>,
    unread: Vec<u8>,
    outbox: Vec<u8>,
    pub(crate) result: Option<Result<(), ClientFailure>>,
}

impl<'c> Caller<'c> {
    pub(crate) fn new(mechanism: AnyClient<'c>) -> Self {
        let config = ClientConfig { implicit_tls: true, ..ClientConfig::DEFAULT };
        Self {
            client: Client::new(config),
            exchange: ClientExchange::new(mechanism),
            buffer: vec![0; 4096],
            unread: Vec::new(),
            outbox: Vec::new(),
            result: None,
        }
    }

    /// What is sent after each of these replies, the greeting and that to EHLO apart.
    pub(crate) fn lines(&mut self, replies: &[&str]) -> Vec<String> {
        self.take(b"220 mx.example\r\n");
        let names = SaslMechanism::ALL.iter().map(|mechanism| format!(" {}", mechanism.name()));
        let hello = format!("250-mx.example\r\n250 AUTH{}\r\n", names.collect::<String>());
        self.outbox.clear();
        self.take(hello.as_bytes());
        let mut lines = vec![self.fetch()];
        for reply in replies {
            self.take(format!("{reply}\r\n").as_bytes());
            lines.push(self.fetch());
        }
        lines
    }

    fn fetch(&mut self) -> String {
        let text = String::from_utf8(std::mem::take(&mut self.outbox)).expect("ASCII");
        text.trim_end_matches("\r\n").to_owned()
    }

    pub(crate) fn take(&mut self, bytes: &[u8]) {
        self.unread.extend(bytes);
        let unread = std::mem::take(&mut self.unread);
        let mut at = 0;
        loop {
            let Received { consumed, event } = self.client.receive(&unread[at..]);
            at += consumed;
            let mut out = vec![0; 16 << 10];
            let sent = match event {
                client::Event::Reply { to: Verb::Greeting, .. } => {
                    let name = ClientName::new("client.example").expect("a name");
                    self.client.send(&Command::Ehlo(name), &mut out)
                }
                client::Event::Reply { to: Verb::Ehlo, .. } => {
                    let command = self.exchange.start(&mut self.buffer).expect("room");
                    self.client.send(&command, &mut out)
                }
                client::Event::Reply { to: Verb::Auth | Verb::AuthResponse, reply } => {
                    match self.exchange.receive(&reply, &mut self.buffer) {
                        ClientStep::Respond(response) => self.client.respond(&response, &mut out),
                        ClientStep::Done(result) => {
                            self.result = Some(result);
                            Ok(0)
                        }
                    }
                }
                _ => break,
            };
            self.outbox.extend(&out[..sent.expect("what may be sent")]);
        }
        self.unread = unread[at..].to_vec();
    }
}

/// Lets the two talk, so many bytes at a time; all that was said.
pub(crate) fn talk(caller: &mut Caller<'_>, desk: &mut Desk, bytes: usize) -> String {
    let mut said = String::new();
    desk.take(b"");
    loop {
        for piece in std::mem::take(&mut desk.outbox).chunks(bytes) {
            said += std::str::from_utf8(piece).expect("ASCII");
            caller.take(piece);
        }
        if caller.outbox.is_empty() {
            return said;
        }
        for piece in std::mem::take(&mut caller.outbox).chunks(bytes) {
            said += std::str::from_utf8(piece).expect("ASCII");
            desk.take(piece);
        }
    }
}

/// The line of base64 for these bytes.
pub(crate) fn base64(bytes: &[u8]) -> String {
    let data = ehlo::syntax::sasl::SaslData::new(bytes);
    let mut out = vec![0; data.encoded_len()];
    data.encode(&mut out).expect("room");
    String::from_utf8(out).expect("ASCII")
}

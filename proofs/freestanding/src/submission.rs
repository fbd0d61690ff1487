//! A `Client` against a `Server`: STARTTLS, AUTH, chunks.

use core::hint::black_box;

use ehlo::server::Role;
use ehlo::syntax::capability::Capabilities;
use ehlo::syntax::command::Mechanism;
use ehlo::syntax::parameter::{Body, Parameter, Parameters};
use ehlo::syntax::path::ClientName;
use ehlo::syntax::sasl::{Mechanisms, Response, SaslData, SaslMechanism};
use ehlo::{
    Client, ClientConfig, Code, Command, Extension, ForwardPath, Reply, ReversePath, Server,
    ServerConfig, client, server,
};

use crate::wire::Wire;

pub fn run() -> Option<()> {
    let config = ServerConfig {
        role: Role::Submission,
        offered: Capabilities::NONE
            .with(Extension::StartTls)
            .with(Extension::Chunking)
            .with(Extension::BinaryMime)
            .with(Extension::EightBitMime)
            .with(Extension::EnhancedStatusCodes)
            .with_size(1 << 20)
            .with_mechanisms(Mechanisms::NONE.with(SaslMechanism::Plain)),
        require_tls: true,
        require_auth: true,
        ..ServerConfig::DEFAULT
    };
    let mut session = Session {
        client: Client::new(black_box(ClientConfig::DEFAULT)),
        server: Server::new(black_box(config)),
        up: Wire::new(),
        down: Wire::new(),
        taken: 0,
        last: None,
    };
    let name = ClientName::new(black_box("client.example")).ok()?;
    let sender = ReversePath::new(black_box("anna@example.org")).ok()?;
    let recipient = ForwardPath::new(black_box("b@example.net")).ok()?;
    let parameters = [Parameter::Size(6), Parameter::Body(Body::BinaryMime)];
    let mail =
        Command::Mail { reverse_path: sender, parameters: Parameters::mail(&parameters).ok()? };
    let rcpt = Command::Rcpt { forward_path: recipient, parameters: Parameters::NONE };
    let auth = Command::Auth { mechanism: Mechanism::new("PLAIN").ok()?, initial_response: None };

    session.exchange()?;
    session.ask(&Command::Ehlo(name), Code::OK)?;
    session.ask(&Command::StartTls, Code::SERVICE_READY)?;
    session.client.tls_established(session.down.unread()).ok()?;
    session.server.tls_established(session.up.unread()).ok()?;
    session.ask(&Command::Ehlo(name), Code::OK)?;
    session.ask(&auth, Code::AUTHENTICATION_CONTINUES)?;
    let response = Response::Data(SaslData::new(b"\0anna\0secret"));
    session.up.write(|out| session.client.respond(&response, out))?;
    session.exchange()?;
    session.ask(&mail, Code::OK)?;
    session.ask(&rcpt, Code::OK)?;
    for (chunk, last) in [(b"\0\r\n", false), (b"\n.\r", true)] {
        let bdat = Command::Bdat { size: chunk.len() as u64, last };
        session.up.write(|out| session.client.send(&bdat, out))?;
        session.up.write(|out| session.client.mail_data(chunk, out).map(|p| p.written))?;
        session.exchange()?;
    }
    session.ask(&Command::Quit, Code::SERVICE_CLOSING)?;
    let authenticated = session.client.is_authenticated() && session.server.is_authenticated();
    (authenticated && session.taken == 6).then_some(())
}

struct Session {
    client: Client,
    server: Server,
    up: Wire,
    down: Wire,
    /// Bytes of mail data that the server has taken.
    taken: usize,
    /// The code of the last reply.
    last: Option<Code>,
}

impl Session {
    /// Sends a command, which the server is to answer with `code`.
    fn ask(&mut self, command: &Command<'_>, code: Code) -> Option<()> {
        self.up.write(|out| self.client.send(command, out))?;
        self.exchange()?;
        (self.last == Some(code)).then_some(())
    }

    /// Lets the server take all there is, then the client.
    fn exchange(&mut self) -> Option<()> {
        self.serve()?;
        loop {
            let received = self.client.receive(self.down.unread());
            match received.event {
                client::Event::Reply { reply, .. } => self.last = Some(reply.code()),
                _ => return Some(()),
            }
            self.down.drop_front(received.consumed);
        }
    }

    fn serve(&mut self) -> Option<()> {
        loop {
            let received = self.server.receive(self.up.unread());
            let consumed = received.consumed;
            let mut bytes = [0; 64];
            let reply = match received.event {
                server::Event::NeedInput | server::Event::StartTls | server::Event::Closed => {
                    self.up.drop_front(consumed);
                    return Some(());
                }
                server::Event::Chunk { .. } => None,
                server::Event::MailData(data) => {
                    self.taken = self.taken.checked_add(data.len())?;
                    None
                }
                server::Event::Command(Command::Auth { .. }) => {
                    Some(Reply::new(Code::AUTHENTICATION_CONTINUES, ""))
                }
                server::Event::AuthResponse(Response::Data(data)) => {
                    let length = data.decode(&mut bytes).ok()?;
                    let known = bytes.get(..length)? == b"\0anna\0secret";
                    known.then(|| Reply::new(Code::AUTHENTICATION_SUCCEEDED, "welcome"))
                }
                server::Event::EndOfMailData { .. } => Some(server::ACCEPTED),
                _ => Some(self.server.standard_reply("mx.example")),
            };
            self.up.drop_front(consumed);
            if let Some(reply) = reply {
                self.down.write(|out| self.server.reply(&reply, out))?;
            }
        }
    }
}

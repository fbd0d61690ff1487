//! A proxy: a server and a client machine back to back. It passes a session through, and keeps the
//! recipients back that are not of its domain. What it passes on it has understood: nothing can be
//! smuggled through it.
#![allow(clippy::print_stdout, clippy::print_stderr)] // that is what it is for

use std::error::Error;
use std::net::{SocketAddr, TcpListener, TcpStream};

use ehlo::server::Event;
use ehlo::syntax::capability::Capabilities;
use ehlo::syntax::path::ClientName;
use ehlo::{Client, ClientConfig, Code, Command, Extension, Reply, Server, ServerConfig, client};
use ehlo_blocking::{Connection, configure_tcp};
use ehlo_io::{Buffered, PendingEvent};

fn main() -> Result<(), Box<dyn Error>> {
    let listener = TcpListener::bind("127.0.0.1:2526")?;
    println!("listening on {}", listener.local_addr()?);
    for stream in listener.incoming() {
        if let Err(error) = pass(stream?, ([127, 0, 0, 1], 2525).into(), "@x.example>") {
            eprintln!("a session broke off: {error}");
        }
    }
    Ok(())
}

/// Passes one session on to the server at `up`. Recipients are those that end with `domain`.
pub(crate) fn pass(stream: TcpStream, up: SocketAddr, domain: &str) -> Result<(), Box<dyn Error>> {
    configure_tcp(&stream)?;
    let offered = Capabilities::NONE.with(Extension::Pipelining);
    let config = ServerConfig { offered, ..ServerConfig::DEFAULT };
    let mut down = Connection::new(stream, Server::new(config));
    let up = TcpStream::connect(up)?;
    configure_tcp(&up)?;
    let mut up = Connection::new(up, Client::new(ClientConfig::DEFAULT));
    reply(&mut up)?;
    ask(&mut up, &Command::Ehlo(ClientName::new("proxy.example")?))?;
    loop {
        let PendingEvent { event, responder } = down.next()?;
        match event {
            Event::Command(Command::Rcpt { forward_path, .. })
                if !forward_path.to_string().ends_with(domain) =>
            {
                responder.reply(&Reply::new(Code::MAILBOX_UNAVAILABLE, "not here"))?;
            }
            Event::Command(
                command @ (Command::Mail { .. }
                | Command::Rcpt { .. }
                | Command::Data
                | Command::Rset),
            ) => responder.reply(&ask(&mut up, &command)?)?,
            // RFC 5321 §4.1.4: EHLO and HELO clear the state "as if a RSET command had been issued".
            Event::Command(Command::Ehlo(_) | Command::Helo(_)) => {
                if ask(&mut up, &Command::Rset)?.code().is_positive() {
                    responder.standard_reply("proxy.example")?;
                } else {
                    responder.reply(&Reply::new(Code::SERVICE_NOT_AVAILABLE, "out of step"))?;
                }
            }
            Event::MailData(data) => {
                up.endpoint().responder().mail_data(data)?;
                up.flush()?;
            }
            Event::EndOfMailData { .. } => {
                up.endpoint().responder().end_mail_data()?;
                responder.reply(&reply(&mut up)?)?;
            }
            // Half of it is with the other server, which is never to hear of an end.
            Event::Refused(refusal) if up.endpoint().machine().wants_content() => {
                responder.reply(&refusal.reply())?;
                return Ok(down.close()?);
            }
            Event::Closed => return Ok(down.close()?),
            _ => responder.standard_reply("proxy.example")?,
        }
    }
}

/// The reply to a command.
fn ask<'c>(
    up: &'c mut Connection<TcpStream, Client>,
    command: &Command<'_>,
) -> Result<Reply<'c>, Box<dyn Error>> {
    let endpoint: &mut Buffered<Client> = up.endpoint();
    endpoint.send(command)?;
    reply(up)
}

fn reply(up: &mut Connection<TcpStream, Client>) -> Result<Reply<'_>, Box<dyn Error>> {
    match up.next()?.event {
        client::Event::Reply { reply, .. } => Ok(reply),
        event => Err(format!("{event:?}").into()),
    }
}

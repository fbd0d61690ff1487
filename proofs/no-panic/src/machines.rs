//! L2: server, client and delivery.

use std::hint::black_box;

use ehlo::data::Progress;
use ehlo::machine::{Machine, Received};
use ehlo::syntax::BufferTooSmall;
use ehlo::syntax::capability::Capabilities;
use ehlo::syntax::command::Mechanism;
use ehlo::syntax::sasl::{Response, SaslData};
use ehlo::{
    Client, ClientConfig, Command, Delivery, Envelope, Extension, ForwardPath, HeloName, Policy,
    Reply, ReplyError, ReversePath, SendError, Server, ServerConfig, client, server,
};
use ehlo::{DeliveryConfig, delivery};
use no_panic::no_panic;

pub fn run(input: &[u8], out: &mut [u8]) -> usize {
    serve(input, out) + ask(input, out) + deliver(input, out)
}

fn serve(input: &[u8], out: &mut [u8]) -> usize {
    let config = ServerConfig {
        offered: Extension::ALL.iter().fold(Capabilities::NONE, |all, e| all.with(*e)),
        plaintext_auth: true,
        ..ServerConfig::DEFAULT
    };
    let mut server = Server::new(black_box(config));
    let (mut rest, mut bytes) = (input, 0);
    for _ in 0..=input.len() {
        let received = server_receive(&mut server, rest);
        rest = &rest[received.consumed..];
        match received.event {
            server::Event::NeedInput | server::Event::Closed => break,
            server::Event::MailData(data) => bytes += data.len(),
            server::Event::StartTls => bytes += usize::from(server_upgrade(&mut server, rest)),
            _ => {
                let reply = server_standard_reply(&server, black_box("mx.example"));
                bytes += server_reply(&mut server, &reply, out).unwrap_or_default();
            }
        }
    }
    bytes
}

fn ask(input: &[u8], out: &mut [u8]) -> usize {
    let mut client = Client::new(black_box(ClientConfig::DEFAULT));
    let (mut rest, mut bytes) = (input, 0);
    for line in input.split(|byte| *byte == b'\n') {
        let received = client_receive(&mut client, rest);
        rest = &rest[received.consumed..];
        if let Ok(command) = Command::parse_line(line, &Policy::LENIENT) {
            bytes += client_send(&mut client, &command, out).unwrap_or_default();
        }
        if let Ok(response) = Response::parse(line) {
            bytes += client_respond(&mut client, &response, out).unwrap_or_default();
        }
        bytes += client_mail_data(&mut client, line, out).map_or(0, |progress| progress.written);
        bytes += client_end_mail_data(&mut client, out).unwrap_or_default();
        bytes += usize::from(client_upgrade(&mut client, rest));
    }
    bytes
}

fn deliver(input: &[u8], out: &mut [u8]) -> usize {
    let Ok(name) = HeloName::new(black_box("client.example")) else { return 0 };
    let Ok(recipient) = ForwardPath::new(black_box("b@example.org")) else { return 0 };
    let recipients = [recipient, recipient];
    let envelope = Envelope::new(ReversePath::Null, &recipients);
    let mut delivery = Delivery::new(name, black_box(DeliveryConfig::default()));
    let (mut rest, mut bytes) = (input, 0);
    for _ in 0..=input.len() {
        bytes += delivery_transmit(&mut delivery, out).unwrap_or_default();
        let received = delivery_receive(&mut delivery, rest);
        rest = &rest[received.consumed..];
        match received.event {
            delivery::Event::StartTls => {
                bytes += usize::from(delivery_upgrade(&mut delivery, rest));
            }
            delivery::Event::NeedAuthentication(_) => {
                bytes += delivery_authenticate(&mut delivery, out).unwrap_or_default();
            }
            delivery::Event::Challenge(_) => {
                let response = Response::Cancel;
                bytes += delivery_respond(&mut delivery, &response, out).unwrap_or_default();
            }
            delivery::Event::NeedEnvelope => {
                bytes += usize::from(delivery_envelope(&mut delivery, black_box(&envelope)));
            }
            delivery::Event::NeedContent { .. } => {
                bytes += delivery_mail_data(&mut delivery, input, out).map_or(0, |p| p.written);
                bytes += delivery_last_mail_data(&mut delivery, rest, out).map_or(0, |p| p.written);
                bytes += delivery_end_mail_data(&mut delivery, out).unwrap_or_default();
                delivery_abandon(&mut delivery);
            }
            delivery::Event::NeedInput | delivery::Event::Closed => break,
            _ => {}
        }
    }
    bytes
}

#[no_panic]
#[inline(never)]
fn server_receive<'i>(server: &mut Server, input: &'i [u8]) -> Received<server::Event<'i>> {
    server.receive(input)
}

#[no_panic]
#[inline(never)]
fn server_reply(
    server: &mut Server,
    reply: &Reply<'_>,
    out: &mut [u8],
) -> Result<usize, ReplyError> {
    server.reply(reply, out)
}

#[no_panic]
#[inline(never)]
fn server_standard_reply<'h>(server: &Server, host: &'h str) -> Reply<'h> {
    server.standard_reply(host)
}

#[no_panic]
#[inline(never)]
fn server_upgrade(server: &mut Server, leftover: &[u8]) -> bool {
    server.tls_established(leftover).is_ok()
}

#[no_panic]
#[inline(never)]
fn client_receive<'i>(client: &mut Client, input: &'i [u8]) -> Received<client::Event<'i>> {
    client.receive(input)
}

#[no_panic]
#[inline(never)]
fn client_send(
    client: &mut Client,
    command: &Command<'_>,
    out: &mut [u8],
) -> Result<usize, SendError> {
    client.send(command, out)
}

#[no_panic]
#[inline(never)]
fn client_respond(
    client: &mut Client,
    response: &Response<'_>,
    out: &mut [u8],
) -> Result<usize, SendError> {
    client.respond(response, out)
}

#[no_panic]
#[inline(never)]
fn client_mail_data(
    client: &mut Client,
    content: &[u8],
    out: &mut [u8],
) -> Result<Progress, SendError> {
    client.mail_data(content, out)
}

#[no_panic]
#[inline(never)]
fn client_end_mail_data(client: &mut Client, out: &mut [u8]) -> Result<usize, SendError> {
    client.end_mail_data(out)
}

#[no_panic]
#[inline(never)]
fn client_upgrade(client: &mut Client, leftover: &[u8]) -> bool {
    client.tls_established(leftover).is_ok()
}

// These three call the application's `Recipients` through a pointer, behind which a panic can be for
// all the optimiser knows; `../../freestanding-no-panic` has none.

#[inline(never)]
fn delivery_receive<'i>(
    delivery: &mut Delivery<'_>,
    input: &'i [u8],
) -> Received<delivery::Event<'i>> {
    delivery.receive(input)
}

#[inline(never)]
fn delivery_transmit(delivery: &mut Delivery<'_>, out: &mut [u8]) -> Result<usize, BufferTooSmall> {
    delivery.transmit(out)
}

#[inline(never)]
fn delivery_envelope<'e>(delivery: &mut Delivery<'e>, envelope: &'e Envelope<'e>) -> bool {
    delivery.envelope(envelope)
}

#[no_panic]
#[inline(never)]
fn delivery_mail_data(
    delivery: &mut Delivery<'_>,
    content: &[u8],
    out: &mut [u8],
) -> Result<Progress, SendError> {
    delivery.mail_data(content, out)
}

#[no_panic]
#[inline(never)]
fn delivery_end_mail_data(delivery: &mut Delivery<'_>, out: &mut [u8]) -> Result<usize, SendError> {
    delivery.end_mail_data(out)
}

#[no_panic]
#[inline(never)]
fn delivery_last_mail_data(
    delivery: &mut Delivery<'_>,
    content: &[u8],
    out: &mut [u8],
) -> Result<Progress, SendError> {
    delivery.last_mail_data(content, out)
}

#[no_panic]
#[inline(never)]
fn delivery_abandon(delivery: &mut Delivery<'_>) {
    delivery.abandon(SendError::NotPipelining);
}

#[no_panic]
#[inline(never)]
fn delivery_upgrade(delivery: &mut Delivery<'_>, leftover: &[u8]) -> bool {
    delivery.tls_established(leftover).is_ok()
}

#[no_panic]
#[inline(never)]
fn delivery_authenticate(delivery: &mut Delivery<'_>, out: &mut [u8]) -> Result<usize, SendError> {
    let mechanism = Mechanism::new("PLAIN").map_err(|_| SendError::NotPipelining)?;
    let initial_response = Some(SaslData::new(black_box(b"\0user\0password")));
    delivery.authenticate(&Command::Auth { mechanism, initial_response }, out)
}

#[no_panic]
#[inline(never)]
fn delivery_respond(
    delivery: &mut Delivery<'_>,
    response: &Response<'_>,
    out: &mut [u8],
) -> Result<usize, SendError> {
    delivery.respond(response, out)
}

//! A client on smol: one message, one recipient, inside TLS where the server offers it.
#![allow(clippy::print_stdout, clippy::print_stderr)] // that is what it is for

use std::error::Error;

use ehlo::delivery::Outcome;
use ehlo::{Delivery, DeliveryConfig, Envelope};
use ehlo::{ForwardPath, HeloName, ReversePath};
use ehlo_async_std::{Connector, TlsConnection};
use ehlo_io::MessageQueue;
use smol::{Timer, net::TcpStream};

fn main() -> Result<(), Box<dyn Error>> {
    let connector = Connector::new("localhost")?;
    let tell = |outcome: &Outcome| println!("{:?}", outcome.fate);
    smol::block_on(send("localhost:2525", &connector, tell))
}

pub(crate) async fn send(
    server: &str,
    connector: &Connector,
    tell: impl Fn(&Outcome),
) -> Result<(), Box<dyn Error>> {
    let recipients = [ForwardPath::new("b@x.example")?];
    let envelope = Envelope::new(ReversePath::new("a@x.example")?, &recipients);
    let content: &[u8] = b"Subject: x\r\n\r\nHello!\r\n";
    // `TlsPolicy::Require` is for a password, or for content that nobody else may read.
    let delivery = Delivery::new(HeloName::new("client.example")?, DeliveryConfig::DEFAULT);
    let messages = MessageQueue::new([(&envelope, content)], |_, outcomes| tell(&outcomes[0]))
        .on_error(|error| eprintln!("{error}"));
    let stream = TcpStream::connect(server).await?;
    stream.set_nodelay(true)?;
    let mut connection = TlsConnection::new(stream.into(), delivery, Timer::after);
    Ok(connection.deliver_tls(messages, connector).await?.into_result()?)
}

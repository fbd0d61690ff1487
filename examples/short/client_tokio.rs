//! A client on tokio: one message, one recipient, inside TLS where the server offers it.
#![allow(clippy::print_stdout, clippy::print_stderr)] // that is what it is for

use std::error::Error;

use ehlo::delivery::Outcome;
use ehlo::{Delivery, DeliveryConfig, Envelope};
use ehlo::{ForwardPath, HeloName, ReversePath};
use ehlo_io::MessageQueue;
use ehlo_tokio::{Connector, TlsConnection};
use tokio::net::TcpStream;
use tokio::time::sleep;

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Box<dyn Error>> {
    let connector = Connector::new("localhost")?;
    send("localhost:2525", &connector, |outcome| println!("{:?}", outcome.fate)).await
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
    let mut connection = TlsConnection::new(stream.into(), delivery, sleep);
    Ok(connection.deliver_tls(messages, connector).await?.into_result()?)
}

//! A client on tokio: one message, one recipient.
#![allow(clippy::print_stdout)] // that is what it is for

use std::error::Error;

use ehlo::delivery::{Outcome, TlsPolicy};
use ehlo::{Delivery, DeliveryConfig, Envelope};
use ehlo::{ForwardPath, HeloName, ReversePath};
use ehlo_io::MessageQueue;
use ehlo_tokio::Connection;
use tokio::net::TcpStream;
use tokio::time::sleep;

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Box<dyn Error>> {
    send("127.0.0.1:2525", |outcome| println!("{:?}", outcome.fate)).await
}

pub(crate) async fn send(server: &str, tell: impl Fn(&Outcome)) -> Result<(), Box<dyn Error>> {
    let recipients = [ForwardPath::new("b@x.example")?];
    let envelope = Envelope::new(ReversePath::new("a@x.example")?, &recipients);
    let content: &[u8] = b"Subject: x\r\n\r\nHello!\r\n";
    let config = DeliveryConfig { tls: TlsPolicy::Forbid, ..DeliveryConfig::DEFAULT };
    let delivery = Delivery::new(HeloName::new("client.example")?, config);
    let messages = MessageQueue::new([(&envelope, content)], |_, outcomes| tell(&outcomes[0]));
    let stream = TcpStream::connect(server).await?;
    stream.set_nodelay(true)?;
    Ok(Connection::new(stream, delivery, sleep).deliver(messages).await?.into_result()?)
}

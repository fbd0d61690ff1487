//! A client on async-std: one message, one recipient.
#![allow(clippy::print_stdout)] // that is what it is for

use std::error::Error;

use async_std::{net::TcpStream, task};
use ehlo::delivery::{Outcome, TlsPolicy};
use ehlo::{Delivery, DeliveryConfig, Envelope};
use ehlo::{ForwardPath, HeloName, ReversePath};
use ehlo_async_std::Connection;
use ehlo_io::MessageQueue;

fn main() -> Result<(), Box<dyn Error>> {
    task::block_on(send("127.0.0.1:2525", |outcome| println!("{:?}", outcome.fate)))
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
    Ok(Connection::new(stream, delivery, task::sleep).deliver(messages).await?.into_result()?)
}

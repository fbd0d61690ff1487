//! A client on smol: one message, one recipient.
#![allow(clippy::print_stdout)] // that is what it is for

use std::error::Error;

use ehlo::delivery::{Delivery, DeliveryConfig, Envelope, Fate, TlsPolicy};
use ehlo::{Ended, ForwardPath, HeloName, Mailing, ReversePath};
use smol::net::{AsyncToSocketAddrs, TcpStream};

fn main() -> Result<(), Box<dyn Error>> {
    let sent =
        smol::block_on(send("127.0.0.1:2525", "a@x.example", "b@x.example", b"Subject: x\r\n"))?;
    println!("{sent:?}");
    Ok(())
}

pub(crate) async fn send(
    server: impl AsyncToSocketAddrs,
    from: &str,
    to: &str,
    content: &[u8],
) -> Result<Option<Fate>, Box<dyn Error>> {
    let recipients = [ForwardPath::new(to)?];
    let envelope = Envelope::new(ReversePath::new(from)?, &recipients);
    let config = DeliveryConfig { tls: TlsPolicy::Forbid, ..DeliveryConfig::DEFAULT };
    let delivery = Delivery::new(HeloName::new("client.example")?, config);
    let mut fate = None;
    let messages =
        Mailing::new([(&envelope, content)], |_, outcomes| fate = Some(outcomes[0].fate));
    let stream = TcpStream::connect(server).await?;
    stream.set_nodelay(true)?;
    let timer = async |time| {
        smol::Timer::after(time).await;
    };
    let mut connection = ehlo_async_std::Connection::new(stream, delivery);
    match (connection.deliver(messages, timer).await?, fate) {
        // The session ended before the message was begun.
        (Ended::Early(why), None) => Err(why.into()),
        (_, fate) => Ok(fate),
    }
}

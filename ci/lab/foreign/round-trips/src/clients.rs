//! The clients: each sends messages to recipients over one connection, and ends it.

use std::net::{SocketAddr, TcpStream};
use std::process::{Command, Stdio};
use std::time::Duration;

use ehlo::delivery::{ChunkingPolicy, Event, TlsPolicy};
use ehlo::{Delivery, DeliveryConfig, Envelope};
use ehlo::{ForwardPath, HeloName, ReversePath};
use ehlo_blocking::Connection;

use crate::Failure;

/// A message, and how often and to whom.
#[derive(Clone, Copy, Debug)]
pub struct Order<'o> {
    pub from: &'o str,
    pub to: &'o [String],
    pub content: &'o [u8],
    pub messages: usize,
}

pub fn ehlo(
    server: SocketAddr,
    order: Order<'_>,
    pipelining: bool,
    chunking: ChunkingPolicy,
) -> Result<(), Failure> {
    let paths = order.to.iter().map(|address| ForwardPath::new(address));
    let recipients = paths.collect::<Result<Vec<_>, _>>()?;
    let recipients = recipients.as_slice();
    let envelope = Envelope {
        size: Some(order.content.len() as u64),
        ..Envelope::new(ReversePath::new(order.from)?, &recipients)
    };
    let mut config =
        DeliveryConfig { tls: TlsPolicy::Forbid, chunking, ..DeliveryConfig::default() };
    config.client.pipelining = pipelining;
    let stream = TcpStream::connect(server)?;
    stream.set_nodelay(true)?;
    let delivery = Delivery::new(HeloName::new("client.example")?, config);
    let mut connection = Connection::new(stream, delivery);
    let mut left = order.messages;
    loop {
        let turn = connection.next()?;
        let mut answer = turn.responder;
        match turn.event {
            Event::NeedEnvelope if left == 0 => answer.quit(),
            Event::NeedEnvelope => {
                left -= 1;
                answer.envelope(&envelope);
            }
            Event::NeedContent { .. } => answer.last_mail_data(order.content)?,
            Event::Closed => return Ok(()),
            _ => {}
        }
    }
}

pub fn lettre(server: SocketAddr, order: Order<'_>) -> Result<(), Failure> {
    use lettre::transport::smtp::client::SmtpConnection;
    use lettre::transport::smtp::extension::ClientId;

    let to = order.to.iter().map(|address| address.parse()).collect::<Result<Vec<_>, _>>()?;
    let envelope = lettre::address::Envelope::new(Some(order.from.parse()?), to)?;
    let name = ClientId::Domain("client.example".into());
    let mut connection = SmtpConnection::connect(server, Some(TIMEOUT), &name, None, None)?;
    for _ in 0..order.messages {
        connection.send(&envelope, order.content)?;
    }
    connection.quit()?;
    Ok(())
}

pub fn mail_send(server: SocketAddr, order: Order<'_>) -> Result<(), Failure> {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    runtime.block_on(async {
        let builder = mail_send::SmtpClientBuilder::new(server.ip().to_string(), server.port())?;
        let mut client =
            builder.helo_host("client.example").timeout(TIMEOUT).connect_plain().await?;
        for _ in 0..order.messages {
            let to: Vec<&str> = order.to.iter().map(String::as_str).collect();
            let message = mail_send::smtp::message::Message::new(order.from, to, order.content);
            client.send(message).await?;
        }
        client.quit().await?;
        Ok(())
    })
}

pub fn io_smtp(server: SocketAddr, order: Order<'_>) -> Result<(), Failure> {
    use io_smtp::client::{SmtpClient, SmtpClientStd};
    use io_smtp::message::SmtpMessageSendOptions;
    use io_smtp::rfc5321::{
        SmtpDomain, SmtpForwardPath, SmtpLocalPart, SmtpMailbox, SmtpReversePath,
    };

    let domain = |name: &str| SmtpDomain(name.to_owned().into());
    let mailbox = |address: &str| {
        let (local_part, name) = address.split_once('@').ok_or("no address")?;
        let local_part = SmtpLocalPart(local_part.to_owned().into());
        Ok::<_, Failure>(SmtpMailbox { local_part, domain: domain(name).into() })
    };
    let from = SmtpReversePath::from(mailbox(order.from)?);
    let to = order.to.iter().map(|address| Ok(SmtpForwardPath::from(mailbox(address)?)));
    let to = to.collect::<Result<Vec<_>, Failure>>()?;
    let stream = TcpStream::connect(server)?;
    stream.set_nodelay(true)?;
    let mut client = SmtpClientStd::new(stream);
    client.greeting()?;
    client.ehlo(domain("client.example").into())?;
    for _ in 0..order.messages {
        let options = SmtpMessageSendOptions::default();
        client.send(from.clone(), to.clone(), order.content.to_vec(), options)?;
    }
    client.quit()?;
    Ok(())
}

/// Postfix's, with its own content.
pub fn smtp_source(server: SocketAddr, order: Order<'_>) -> Result<(), Failure> {
    let status = Command::new("smtp-source")
        .args(["-d", "-c", "-s", "1", "-m", &order.messages.to_string()])
        .args(["-r", &order.to.len().to_string(), "-f", order.from, "-t", &order.to[0]])
        .arg(format!("inet:{server}"))
        .env("PATH", "/usr/sbin:/usr/bin:/bin")
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .status()?;
    if !status.success() {
        return Err(format!("smtp-source: {status}").into());
    }
    Ok(())
}

const TIMEOUT: Duration = Duration::from_secs(30);

//! A whole `Delivery` against a `Server`: two messages, one recipient refused.

use core::hint::black_box;

use ehlo::DeliveryConfig;
use ehlo::delivery::{Event, Fate, Outcome, Outcomes};
use ehlo::delivery::{Recipient, Recipients};
use ehlo::machine::Machine as _;
use ehlo::{
    Code, Command, Delivery, Envelope, ForwardPath, HeloName, Reply, ReversePath, Server,
    ServerConfig, server,
};

use crate::wire::Wire;

pub fn run() -> Option<()> {
    let recipients = To([
        ForwardPath::new(black_box("anna@example.org")).ok()?,
        ForwardPath::new(black_box("nobody@example.org")).ok()?,
        ForwardPath::new(black_box("\"b c\"@[192.0.2.1]")).ok()?,
    ]);
    let sender = ReversePath::new(black_box("a@example.net")).ok()?;
    let envelope = Envelope { size: Some(1000), ..Envelope::new(sender, &recipients) };
    let name = HeloName::new(black_box("client.example")).ok()?;
    let mut client = Delivery::new(name, black_box(DeliveryConfig::default()));
    let mut server = Server::new(black_box(ServerConfig::DEFAULT));
    let mut memory = [Outcome::PENDING; 3];
    let mut outcomes = Outcomes::begin(&mut memory, 0)?;
    let (mut up, mut down, mut taken) = (Wire::new(), Wire::new(), Wire::new());
    let mut messages = 0;
    for _ in 0..200 {
        up.write(|out| client.transmit(out))?;
        let received = client.receive(down.unread());
        let consumed = received.consumed;
        outcomes.record(&received.event);
        match received.event {
            Event::NeedInput => serve(&mut server, &mut up, &mut down, &mut taken)?,
            Event::NeedEnvelope if messages == 2 => client.quit(),
            Event::NeedEnvelope => {
                messages += 1;
                client.envelope(&envelope);
            }
            Event::NeedContent { .. } => {
                up.write(|out| client.mail_data(CONTENT, out).map(|progress| progress.written))?;
                up.write(|out| client.end_mail_data(out))?;
            }
            Event::Closed => {
                let whole = taken.unread().split_at_checked(CONTENT.len())?;
                let fates = memory.map(|outcome| outcome.fate);
                let as_expected = [Fate::Accepted, Fate::Refused, Fate::Accepted];
                return (whole == (CONTENT, CONTENT) && fates == as_expected).then_some(());
            }
            _ => {}
        }
        down.drop_front(consumed);
    }
    None
}

/// The recipients. Whoever has a pointer to them has one to their `Debug` too, so that it stays in
/// the program: it formats nothing, as `core::fmt` is beside the point here.
struct To<'a>([ForwardPath<'a>; 3]);

impl Recipients for To<'_> {
    fn recipient(&self, index: usize) -> Option<Recipient<'_>> {
        self.0.recipient(index)
    }
}

impl core::fmt::Debug for To<'_> {
    fn fmt(&self, _: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        Ok(())
    }
}

fn serve(server: &mut Server, up: &mut Wire, down: &mut Wire, taken: &mut Wire) -> Option<()> {
    loop {
        let received = server.receive(up.unread());
        let consumed = received.consumed;
        let reply = match received.event {
            server::Event::NeedInput => return Some(()),
            server::Event::Closed => {
                server.end_of_input();
                return Some(());
            }
            server::Event::MailData(data) => {
                taken.put(data)?;
                None
            }
            server::Event::Command(Command::Rcpt { forward_path, .. })
                if forward_path == ForwardPath::new("nobody@example.org").ok()? =>
            {
                Some(Reply::new(Code::MAILBOX_UNAVAILABLE, black_box("5.1.1 nobody here")))
            }
            server::Event::EndOfMailData { .. } => Some(server::ACCEPTED),
            _ => Some(server.standard_reply("mx.example")),
        };
        up.drop_front(consumed);
        if let Some(reply) = reply {
            down.write(|out| server.reply(&reply, out))?;
        }
    }
}

const CONTENT: &[u8] = b"Subject: dots\r\n\r\n.\r\n..\r\ntext\r\n";

//! A whole session of a server: greeting, EHLO, a message of 1 KiB, QUIT.
//!
//! No peer has a session without I/O.

use std::hint::black_box;

use ehlo::Server;
use ehlo::server::Event;

use crate::commands::server_config;
use crate::{Contest, corpus};

/// The client sends each burst that PIPELINING allows in one piece.
pub(crate) fn server(name: &'static str) -> Contest {
    let message = corpus::on_the_wire(&corpus::text(1 << 10));
    let bursts: [&[u8]; 3] = [
        b"EHLO client.example\r\n",
        b"MAIL FROM:<sender@client.example> SIZE=1024 BODY=8BITMIME\r\n\
          RCPT TO:<one@mx.example>\r\nRCPT TO:<two@mx.example> NOTIFY=FAILURE\r\nDATA\r\n",
        &[&message, &b"QUIT\r\n"[..]].concat(),
    ];
    let bursts = bursts.map(<[u8]>::to_vec);
    Contest::new(name, bursts.concat(), (1, "session")).ehlo("ehlo", move |_| run(&bursts))
}

fn run(bursts: &[Vec<u8>]) -> usize {
    let mut server = Server::new(server_config());
    let mut out = [0; 1024];
    let mut written = 0;
    for burst in bursts {
        let mut rest = &burst[..];
        loop {
            let received = server.receive(rest);
            rest = &rest[received.consumed..];
            match black_box(received.event) {
                Event::NeedInput | Event::Closed => break,
                Event::MailData(data) => written += data.len(),
                Event::Refused(refusal) => panic!("{refusal:?}"),
                _ => {
                    let reply = server.standard_reply("mx.example");
                    written += server.reply(&reply, &mut out).unwrap_or_default();
                }
            }
        }
    }
    written
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_message_arrives() {
        assert!(server("").sides[0].run() > 1 << 10);
    }
}

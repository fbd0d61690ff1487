//! The proxy between clients and servers that behave, that refuse, and that are gone.

use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::sync::Arc;
use std::thread::{self, JoinHandle};
use std::time::{Duration, Instant};

use ehlo_blocking::ShutdownHandle;

use crate::{MessageSource, keep, proxy, server_blocking};

/// A proxy that ends with the test.
struct Proxy {
    address: SocketAddr,
    handle: ShutdownHandle,
    thread: Option<JoinHandle<std::io::Result<()>>>,
}

impl Proxy {
    fn start(up: SocketAddr) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").expect("a port");
        let address = listener.local_addr().expect("an address");
        let handle = ShutdownHandle::new();
        let shutdown = handle.shutdown();
        let thread = thread::spawn(move || proxy::run(listener, up, "@x.example>", shutdown));
        Self { address, handle, thread: Some(thread) }
    }

    fn connect(&self) -> TcpStream {
        let client = TcpStream::connect(self.address).expect("a socket");
        client.set_read_timeout(Some(Duration::from_secs(30))).expect("a socket");
        client
    }

    /// The codes of the replies to these lines.
    fn codes(&self, lines: &[u8]) -> String {
        let mut client = self.connect();
        client.write_all(lines).expect("room");
        let mut heard = String::new();
        client.read_to_string(&mut heard).expect("replies");
        heard.lines().map(|line| &line[..4]).collect()
    }
}

impl Drop for Proxy {
    fn drop(&mut self) {
        self.handle.shut_down();
        let _ = self.thread.take().map(JoinHandle::join);
    }
}

/// A server that takes all mail; what it received.
fn through_the_proxy(lines: &[u8]) -> (String, Vec<Vec<u8>>) {
    let messages = MessageSource::default();
    let listener = TcpListener::bind("127.0.0.1:0").expect("a port");
    let (up, take) = (listener.local_addr().expect("an address"), keep(&messages));
    let handle = ShutdownHandle::new();
    let shutdown = handle.shutdown();
    let server = thread::spawn(move || server_blocking::run(listener, shutdown, take));
    let codes = Proxy::start(up).codes(lines);
    handle.shut_down();
    server.join().expect("a server").expect("a listener");
    (codes, Arc::into_inner(messages).expect("all are gone").into_inner().expect("messages"))
}

/// A server that answers by this script: a verb, or a dot for the end of content, and its reply; the
/// rest is 250. After an empty reply it closes.
fn scripted(script: &'static [(&'static str, &'static str)]) -> SocketAddr {
    let listener = TcpListener::bind("127.0.0.1:0").expect("a port");
    let address = listener.local_addr().expect("an address");
    thread::spawn(move || {
        for stream in listener.incoming() {
            let stream = stream.expect("a connection");
            thread::spawn(move || answer(stream, script));
        }
    });
    address
}

fn answer(stream: TcpStream, script: &[(&str, &str)]) -> Option<()> {
    let reply = |verb: &str, other: &'static str| {
        script.iter().find(|(key, _)| *key == verb).map_or(other, |(_, reply)| *reply).to_owned()
    };
    let mut lines = BufReader::new(stream);
    let say = |to: &mut TcpStream, text: String| {
        (!text.is_empty()).then(|| to.write_all(format!("{text}\r\n").as_bytes()).ok()).flatten()
    };
    say(lines.get_mut(), reply("", "220 up.example ESMTP"))?;
    let mut is_content = false;
    loop {
        let mut line = String::new();
        lines.read_line(&mut line).ok().filter(|length| *length > 0)?;
        let verb = if line == ".\r\n" { "." } else { &line[..4] };
        if is_content && verb != "." {
            continue;
        }
        let text = reply(verb, if verb == "DATA" { "354 go" } else { "250 ok" });
        is_content = text.starts_with("354");
        say(lines.get_mut(), text)?;
    }
}

const MESSAGE: &[u8] = b"EHLO c.example\r\nMAIL FROM:<a@x.example>\r\nRCPT TO:<b@x.example>\r\n\
    DATA\r\none\r\n.\r\nQUIT\r\n";

#[test]
fn the_proxy_keeps_recipients_back() {
    let (codes, messages) = through_the_proxy(
        b"EHLO c.example\r\nMAIL FROM:<a@x.example>\r\nRCPT TO:<b@y.example>\r\n\
          RCPT TO:<b@x.example>\r\nDATA\r\nSubject: x\r\n\r\n..\r\n.\r\nQUIT\r\n",
    );
    assert_eq!(codes.replace("250-", ""), "220 250 250 550 250 354 250 221 ");
    assert_eq!(messages, [b"Subject: x\r\n\r\n.\r\n"]);
}

#[test]
fn a_greeting_ends_the_transaction_behind_the_proxy_too() {
    for hello in ["EHLO c.example\r\n", "HELO c.example\r\n"] {
        let (_, messages) = through_the_proxy(
            format!(
                "EHLO c.example\r\nMAIL FROM:<a@x.example>\r\nRCPT TO:<b@x.example>\r\n{hello}\
                 MAIL FROM:<a@x.example>\r\nRCPT TO:<c@x.example>\r\nDATA\r\none\r\n.\r\nQUIT\r\n"
            )
            .as_bytes(),
        );
        assert_eq!(messages, [b"one\r\n"], "{hello}");
    }
}

#[test]
fn nothing_is_smuggled_through_the_proxy() {
    // Some take this for the end of the data, and the rest for another message.
    let (codes, messages) = through_the_proxy(
        b"HELO c.example\r\nMAIL FROM:<a@x.example>\r\nRCPT TO:<b@x.example>\r\nDATA\r\none\r\n\
          \n.\r\nMAIL FROM:<admin@x.example>\r\nRCPT TO:<b@x.example>\r\nDATA\r\ntwo\r\n.\r\n",
    );
    assert_eq!(codes, "220 250 250 250 354 550 421 ");
    assert!(messages.is_empty(), "{messages:?}");
}

#[test]
fn every_reply_is_passed_on() {
    for (script, replies) in [
        (&[(".", "251 forwarded")][..], "250 250 250 354 251 221 "),
        (&[(".", "350 what")], "250 250 250 354 350 221 "),
        (&[("MAIL", "535 not so")], "250 535 503 503 "),
        (&[("MAIL", "551 not here")], "250 551 503 503 "),
        (&[("RCPT", "252 perhaps")], "250 250 252 354 250 221 "),
        (&[("DATA", "250 yes")], "250 250 250 250 "),
        (&[("DATA", "554 no")], "250 250 250 554 "),
        (&[("RCPT", "450-first\r\n450 second")], "250 250 450-450 554 "),
    ] {
        let codes = Proxy::start(scripted(script)).codes(MESSAGE);
        let codes = codes.replace("250-", "");
        assert!(codes.starts_with(&format!("220 {replies}")), "{script:?}: {codes}");
    }
}

#[test]
fn a_server_that_is_gone_is_told_as_421() {
    let nobody = TcpListener::bind("127.0.0.1:0").expect("a port").local_addr().expect("one");
    assert_eq!(Proxy::start(nobody).codes(b""), "421 ");
    for (script, replies) in [
        (&[("", "554 no service")][..], "554 "),
        (&[("", "421 busy")], "421 "),
        (&[("", "")], "421 "),
        (&[("EHLO", "502 what")], "421 "),
        (&[("MAIL", "")], "220 250 421 "),
        (&[("RCPT", "421 closing")], "220 250 250 421 "),
        (&[("DATA", "")], "220 250 250 250 421 "),
        (&[(".", "")], "220 250 250 250 354 421 "),
    ] {
        let codes = Proxy::start(scripted(script)).codes(MESSAGE).replace("250-", "");
        assert_eq!(codes, replies, "{script:?}");
    }
}

#[test]
fn one_client_does_not_wait_for_another() {
    let proxy = Proxy::start(scripted(&[]));
    let mut idle = proxy.connect();
    idle.read_exact(&mut [0; 4]).expect("a greeting");
    let start = Instant::now();
    assert!(proxy.codes(MESSAGE).starts_with("220 "));
    assert!(start.elapsed() < Duration::from_secs(3));
    drop(idle);
}

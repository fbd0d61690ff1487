//! A server by a handler, the same one in every adapter.

use std::io::{self, Read as _, Write as _};
use std::net::{TcpListener, TcpStream};
use std::thread;

use ehlo::server::{ACCEPTED, Role};
use ehlo::syntax::capability::Capabilities;
use ehlo::syntax::parameter::Parameters;
use ehlo::syntax::path::Host;
use ehlo::trace::Timestamp;
use ehlo::{Code, Extension, ForwardPath, Reply, ReversePath, Server, ServerConfig};
use ehlo_io::{Content, Handler, ReplyBuf, ShutdownHandle, Transaction};

/// Keeps messages, and refuses some.
#[derive(Default)]
struct Store(Vec<(Transaction, Vec<u8>)>);

/// Content that cannot be stored where it holds "full".
struct Buffer(Vec<u8>);

impl Content for Buffer {
    async fn write(&mut self, piece: &[u8]) -> io::Result<()> {
        self.0.extend_from_slice(piece);
        let is_full = self.0.windows(4).any(|word| word == b"full");
        if is_full { Err(io::ErrorKind::StorageFull.into()) } else { Ok(()) }
    }
}

fn refused(text: &'static str) -> Result<(), ReplyBuf> {
    Err(Reply::new(Code::MAILBOX_UNAVAILABLE, text).into())
}

impl Handler for Store {
    type Content = Buffer;

    async fn mail(
        &mut self,
        _: &Transaction,
        from: ReversePath<'_>,
        _: Parameters<'_>,
    ) -> Result<(), ReplyBuf> {
        if from.to_string().contains("spam") { refused("no") } else { Ok(()) }
    }

    async fn rcpt(
        &mut self,
        transaction: &Transaction,
        to: ForwardPath<'_>,
        _: Parameters<'_>,
    ) -> Result<(), ReplyBuf> {
        assert!(!transaction.reverse_path().is_empty());
        if to.to_string().contains("@here.") { Ok(()) } else { refused("not here") }
    }

    async fn content(&mut self, transaction: &Transaction) -> Result<Buffer, ReplyBuf> {
        assert!(!transaction.recipients().is_empty());
        if transaction.reverse_path() == "<late@x.example>" {
            return Err(Reply::new(Code::LOCAL_ERROR, "4.3.0 later").into());
        }
        Ok(Buffer(Vec::new()))
    }

    async fn message(&mut self, transaction: &Transaction, content: Buffer) -> ReplyBuf {
        self.0.push((transaction.clone(), content.0));
        ACCEPTED.into()
    }
}

const CONFIG: ServerConfig = ServerConfig {
    offered: Capabilities::NONE
        .with(Extension::Pipelining)
        .with(Extension::Chunking)
        .with(Extension::SmtpUtf8),
    ..ServerConfig::DEFAULT
};

const SAID: &str = "EHLO c.example\r\n\
    MAIL FROM:<spam@x.example>\r\n\
    MAIL FROM:<a@x.example> SMTPUTF8\r\n\
    RCPT TO:<b@there.example>\r\nRCPT TO:<b@here.example>\r\n\
    DATA\r\none\r\n.\r\n\
    MAIL FROM:<two@x.example>\r\nRCPT TO:<b@here.example>\r\nBDAT 3\r\nxxxRSET\r\n\
    MAIL FROM:<two@x.example>\r\nRCPT TO:<b@here.example>\r\nRCPT TO:<c@here.example>\r\n\
    BDAT 2\r\n2\rBDAT 1 LAST\r\n\n\
    MAIL FROM:<late@x.example>\r\nRCPT TO:<b@here.example>\r\nDATA\r\nBDAT 1 LAST\r\nx\
    MAIL FROM:<three@x.example>\r\nRCPT TO:<b@here.example>\r\nDATA\r\nfull\r\nmore\r\n.\r\n\
    MAIL FROM:<four@x.example>\r\nRCPT TO:<b@here.example>\r\nDATA\r\nbare\nLF\r\n.\r\n\
    QUIT\r\n";

const CODES: &[&str] = &[
    "220", "250", "550", "250", "550", "250", "354", "250", // one
    "250", "250", "250", "250", // abandoned
    "250", "250", "250", "250", "250", // two
    "250", "250", "451", "451", // late
    "250", "250", "354", "451", // three
    "250", "250", "354", "550", // four
    "221",
];

fn converse(said: &'static str, serve: impl FnOnce(TcpStream)) -> Vec<String> {
    let listener = TcpListener::bind("127.0.0.1:0").expect("a port");
    let address = listener.local_addr().expect("an address");
    let client = thread::spawn(move || {
        let mut stream = TcpStream::connect(address).expect("a connection");
        stream.write_all(said.as_bytes()).expect("room");
        let mut heard = String::new();
        stream.read_to_string(&mut heard).expect("text");
        heard
    });
    let (stream, _) = listener.accept().expect("a connection");
    ehlo_blocking::configure_tcp(&stream).expect("a socket");
    serve(stream);
    let heard = client.join().expect("a client");
    let last = heard.lines().filter(|line| line.as_bytes().get(3) == Some(&b' '));
    last.map(|line| line[..3].to_owned()).collect()
}

fn check(store: &Store) {
    let Store(messages) = store;
    let contents: Vec<&[u8]> = messages.iter().map(|(_, content)| &content[..]).collect();
    assert_eq!(contents, [&b"one\r\n"[..], b"2\r\n"]);
    let (one, _) = &messages[0];
    assert_eq!((one.client_name(), one.parameters()), (Some("c.example"), "SMTPUTF8"));
    let recipients = |at: usize| messages[at].0.recipients().iter().map(|to| &to.forward_path[..]);
    assert!(recipients(0).eq(["<b@here.example>"]));
    assert!(recipients(1).eq(["<b@here.example>", "<c@here.example>"]));
    let by = Host::new("mx.example").expect("a name");
    let line = one.received(by, None, Timestamp::utc(0).expect("a time")).expect("a name");
    assert!(line.starts_with("Received: from c.example ([127.0.0.1])\r\n"), "{line}");
    assert!(line.contains("with UTF8SMTP\r\n\tfor <b@here.example>;"), "{line}");
}

#[test]
fn blocking() {
    let mut store = Store::default();
    let codes = converse(SAID, |stream| {
        let peer = stream.peer_addr().ok().map(|address| address.ip());
        let mut connection = ehlo_blocking::Connection::new(stream, Server::new(CONFIG));
        let mut shutdown = ShutdownHandle::new().shutdown();
        connection.handle(&mut store, peer, &mut shutdown, "mx.example").expect("a session");
        connection.close().expect("a socket");
    });
    assert_eq!(codes, CODES);
    check(&store);
}

#[test]
fn tokio_runtime() {
    let mut store = Store::default();
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().expect("one");
    let codes = converse(SAID, |stream| {
        let peer = stream.peer_addr().ok().map(|address| address.ip());
        stream.set_nonblocking(true).expect("a socket");
        runtime.block_on(async {
            let stream = tokio::net::TcpStream::from_std(stream).expect("a socket");
            let server = Server::new(CONFIG);
            let mut connection = ehlo_tokio::Connection::new(stream, server, tokio::time::sleep);
            let mut shutdown = ShutdownHandle::new().shutdown();
            let session = connection.handle(&mut store, peer, &mut shutdown, "mx.example");
            is_send(session).await.expect("a session");
            connection.close().await.expect("a socket");
        });
    });
    assert_eq!(codes, CODES);
    check(&store);
}

fn is_send<F: Future + Send>(future: F) -> F {
    future
}

#[test]
fn async_std_runtime() {
    let mut store = Store::default();
    let codes = converse(SAID, |stream| {
        let peer = stream.peer_addr().ok().map(|address| address.ip());
        async_std::task::block_on(async {
            let stream = async_std::net::TcpStream::from(stream);
            let server = Server::new(CONFIG);
            let mut connection =
                ehlo_async_std::Connection::new(stream, server, async_std::task::sleep);
            let mut shutdown = ShutdownHandle::new().shutdown();
            let session = connection.handle(&mut store, peer, &mut shutdown, "mx.example");
            session.await.expect("a session");
            connection.close().await.expect("a socket");
        });
    });
    assert_eq!(codes, CODES);
    check(&store);
}

/// RFC 2033 §4.2: one reply for each recipient that was accepted.
#[test]
fn lmtp_has_a_reply_for_each_recipient() {
    const SESSION: &str = "LHLO c.example\r\nMAIL FROM:<>\r\nRCPT TO:<b@here.example>\r\n\
        RCPT TO:<x@there.example>\r\nRCPT TO:<c@here.example>\r\nDATA\r\none\r\n.\r\nQUIT\r\n";
    let mut store = Store::default();
    let codes = converse(SESSION, |stream| {
        let server = Server::new(ServerConfig { role: Role::Lmtp, ..CONFIG });
        let mut connection = ehlo_blocking::Connection::new(stream, server);
        let mut shutdown = ShutdownHandle::new().shutdown();
        connection.handle(&mut store, None, &mut shutdown, "mx.example").expect("a session");
        connection.close().expect("a socket");
    });
    assert_eq!(codes, ["220", "250", "250", "250", "550", "250", "354", "250", "250", "221"]);
    assert_eq!((store.0.len(), store.0[0].0.recipients().len()), (1, 2));
}

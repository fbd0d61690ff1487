//! Runs the short examples.
#![allow(dead_code)] // each has a main function of its own

#[path = "../../client_async_std.rs"]
mod client_async_std;
#[path = "../../client_blocking.rs"]
mod client_blocking;
#[path = "../../client_smol.rs"]
mod client_smol;
#[path = "../../client_tokio.rs"]
mod client_tokio;
#[path = "../../double.rs"]
mod double;
#[path = "../../embedded.rs"]
mod embedded;
#[path = "../../proxy.rs"]
mod proxy;
#[path = "../../server_async_std.rs"]
mod server_async_std;
#[path = "../../server_blocking.rs"]
mod server_blocking;
#[path = "../../server_smol.rs"]
mod server_smol;
#[path = "../../server_tokio.rs"]
mod server_tokio;

mod behind_the_proxy;

use std::cell::Cell;
use std::net::{SocketAddr, TcpListener};
use std::sync::{Arc, LazyLock, Mutex, mpsc};
use std::thread;

use ehlo::delivery::{Fate, Outcome};
use ehlo::{Delivery, DeliveryConfig, Envelope};
use ehlo::{ForwardPath, HeloName, ReversePath, ServerConfig};
use ehlo_blocking::ShutdownHandle;
use ehlo_io::{MessageQueue, SessionEnd};
use ehlo_tokio::{Connector, rustls};

const CONTENT: &[u8] = b"Subject: x\r\n\r\n.\r\n..two\r\n";

/// What the clients send.
const SENT: &[u8] = b"Subject: x\r\n\r\nHello!\r\n";

const CLIENTS: usize = 4;

/// Both ends of TLS, with a certificate that is made for the run.
static TLS: LazyLock<(Arc<rustls::ServerConfig>, Connector)> = LazyLock::new(|| {
    let made =
        rcgen::generate_simple_self_signed(["mx.example".to_owned()]).expect("a certificate");
    let key = rustls::pki_types::PrivatePkcs8KeyDer::from(made.signing_key.serialize_der());
    let server = ehlo_tokio::server_config(vec![made.cert.der().clone()], key.into());
    let mut roots = rustls::RootCertStore::empty();
    roots.add(made.cert.der().clone()).expect("a root");
    let client = Connector::trusting(roots, "mx.example").expect("a name");
    (server.expect("a key"), client)
});

type MessageSource = Arc<Mutex<Vec<Vec<u8>>>>;

fn keep(messages: &MessageSource) -> impl Fn(&[u8]) + Clone + Send + Sync + 'static {
    let messages = messages.clone();
    move |content| messages.lock().expect("no test panics here").push(content.to_vec())
}

/// Each client, once.
fn sends_by_every_client(server: SocketAddr) {
    let accepted = Cell::new(0);
    let tell = |outcome: &Outcome| {
        assert_eq!(outcome.fate, Fate::Accepted, "{outcome:?}");
        accepted.set(accepted.get() + 1);
    };
    let server = server.to_string();
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
    let runtime = runtime.expect("a runtime");
    client_blocking::send(&server, tell).expect("a session");
    let connector = &TLS.1;
    runtime.block_on(client_tokio::send(&server, connector, tell)).expect("a session");
    smol::block_on(client_smol::send(&server, connector, tell)).expect("a session");
    async_std::task::block_on(client_async_std::send(&server, tell)).expect("a session");
    assert_eq!(accepted.get(), CLIENTS);
}

#[test]
fn the_blocking_server_takes_from_every_client() {
    let messages = MessageSource::default();
    let listener = TcpListener::bind("127.0.0.1:0").expect("a port");
    let (address, take) = (listener.local_addr().expect("an address"), keep(&messages));
    let handle = ShutdownHandle::new();
    let shutdown = handle.shutdown();
    let server = thread::spawn(move || server_blocking::run(listener, shutdown, take));
    sends_by_every_client(address);
    handle.shut_down();
    server.join().expect("a server").expect("a listener");
    assert_eq!(*messages.lock().expect("messages"), [SENT; CLIENTS]);
}

/// The same for a server on a runtime.
macro_rules! takes_from_every_client {
    ($test:ident, $server:ident on $listener:ty, $block_on:expr $(, $tls:expr)?) => {
        #[test]
        fn $test() {
            let messages = MessageSource::default();
            let take = keep(&messages);
            let (address, addressed) = mpsc::channel();
            let handle = ShutdownHandle::new();
            let shutdown = handle.shutdown();
            let server = thread::spawn(move || {
                $block_on(async {
                    let listener = <$listener>::bind("127.0.0.1:0").await.expect("a port");
                    address.send(listener.local_addr().expect("an address")).expect("a test");
                    $server::run(listener, $($tls,)? shutdown, take).await;
                });
            });
            sends_by_every_client(addressed.recv().expect("a server"));
            handle.shut_down();
            server.join().expect("a server");
            assert_eq!(*messages.lock().expect("messages"), [SENT; CLIENTS]);
        }
    };
}

takes_from_every_client!(
    the_server_on_tokio_takes_from_every_client,
    server_tokio on tokio::net::TcpListener,
    |server| tokio::runtime::Runtime::new().expect("a runtime").block_on(server),
    None
);
takes_from_every_client!(
    the_server_on_tokio_takes_from_every_client_inside_tls,
    server_tokio on tokio::net::TcpListener,
    |server| tokio::runtime::Runtime::new().expect("a runtime").block_on(server),
    Some(TLS.0.clone())
);

/// RFC 5321 §4.5.3.2.7: "An SMTP server SHOULD have a timeout of at least 5 minutes while it is
/// awaiting the next command from the sender."
#[test]
fn the_server_on_tokio_drops_a_silent_client_after_five_minutes() {
    use tokio::io::AsyncReadExt as _;

    let mut runtime = tokio::runtime::Builder::new_current_thread();
    let runtime = runtime.enable_all().start_paused(true).build().expect("a runtime");
    let (heard, waited) = runtime.block_on(async {
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.expect("a port");
        let address = listener.local_addr().expect("an address");
        tokio::spawn(server_tokio::run(listener, None, std::future::pending(), |_: &[u8]| {}));
        let begun = tokio::time::Instant::now();
        let mut client = tokio::net::TcpStream::connect(address).await.expect("a server");
        let mut heard = String::new();
        client.read_to_string(&mut heard).await.expect("a server");
        (heard, begun.elapsed())
    });
    assert!(heard.ends_with("421 4.4.2 mx.example took too long, closing\r\n"), "{heard}");
    assert!((300..340).contains(&waited.as_secs()), "{waited:?}");
}
takes_from_every_client!(
    the_server_on_smol_takes_from_every_client,
    server_smol on smol::net::TcpListener,
    smol::block_on
);
takes_from_every_client!(
    the_server_on_async_std_takes_from_every_client,
    server_async_std on async_std::net::TcpListener,
    async_std::task::block_on
);

#[test]
fn the_double_stands_in_for_a_server() {
    let recipients = ["b@x.example", "nobody@x.example"];
    let recipients = recipients.map(|path| ForwardPath::new(path).expect("a path"));
    let envelope = Envelope::new(ReversePath::Null, &recipients);
    let mut fates = Vec::new();
    let messages = MessageQueue::new([(&envelope, CONTENT), (&envelope, b"")], |_, outcomes| {
        fates.extend(outcomes.iter().map(|outcome| outcome.fate));
    });
    let name = HeloName::new("client.example").expect("a name");
    let delivery = Delivery::new(name, DeliveryConfig::DEFAULT);
    let stream = double::Double::new(ServerConfig::DEFAULT);
    let mut connection = ehlo_blocking::Connection::new(stream, delivery);
    assert_eq!(connection.deliver(messages).expect("a session"), SessionEnd::Done);
    assert_eq!(fates, [Fate::Accepted, Fate::Refused].repeat(2));
    assert_eq!(connection.stream().messages, [CONTENT, b""]);
}

#[test]
fn two_kibibytes_are_enough_for_a_device() {
    let long = [&b"x"[..], &b"0123456789\r\n".repeat(1000)].concat();
    let mut lines =
        b"EHLO c.example\r\nMAIL FROM:<a@x.example>\r\nRCPT TO:<b@x.example>\r\n".to_vec();
    lines.extend([b"DATA\r\n", &long[..], b".\r\nNOOP\r\nQUIT\r\n"].concat());
    let mut line = embedded::Memory { input: &lines, output: Vec::new() };
    let (mut content, mut ends) = (Vec::new(), 0);
    let ended = embedded::device::session(&mut line, &mut [0; 2048], |piece| {
        content.extend_from_slice(piece);
        ends += usize::from(piece.is_empty());
    });
    assert!(ended.is_ok(), "{ended:?}");
    assert!(content == long && ends == 1);
    assert!(line.output.ends_with(b"221 2.0.0 device.example closing\r\n"));
}

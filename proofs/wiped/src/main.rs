//! Every way in which a credential passes the buffers of a connection, with an allocator that looks
//! into the memory that is given back.

mod allocator;
mod stream;

use std::future::pending;
use std::pin::pin;
use std::task::{Context, Poll, Waker};

use ehlo::delivery::{AuthPolicy, TlsPolicy};
use ehlo::syntax::command::Mechanism;
use ehlo::syntax::path::ClientName;
use ehlo::syntax::sasl::{Mechanisms, Response, SaslData, SaslMechanism};
use ehlo::{
    Client, ClientConfig, Command, Delivery, DeliveryConfig, Envelope, ForwardPath, HeloName,
    ReversePath, Server, ServerConfig,
};
use ehlo_io::{Buffered, Connection, MessageQueue};
use ehlo_sasl::Credentials;
use stream::{Memory, Script};

const PASSWORD: &str = "correct-horse-battery";
const AUTH: &[u8] = b"AUTH PLAIN AHVzZXIAY29ycmVjdC1ob3JzZS1iYXR0ZXJ5\r\n";
/// The message of PLAIN, RFC 4616.
const MESSAGE: &[u8] = b"\0user\0correct-horse-battery";

fn main() {
    let mut failed = 0;
    for (name, case) in CASES {
        case();
        let found = allocator::take_found();
        if found > 0 {
            println!("{name}: a credential in {found} blocks of memory");
            failed += 1;
        }
    }
    if cfg!(feature = "control-leak") {
        drop(std::hint::black_box(AUTH.to_vec()));
        failed += allocator::take_found();
    }
    println!("{} cases, {failed} with a credential", CASES.len());
    std::process::exit(i32::from(failed > 0));
}

const CASES: [(&str, fn()); 14] = [
    ("a server that answers AUTH", || server_answers(AUTH)),
    ("a server that answers a pipeline", || {
        let pipeline = [AUTH, &b"NOOP\r\n".repeat(3000)].concat();
        server_answers(&pipeline);
        forget(pipeline);
    }),
    ("a server that is dropped within the line", || drop(server_has(&AUTH[..AUTH.len() - 2]))),
    ("a server that is dropped behind it", || {
        let mut server = server_has(AUTH);
        server.next_event();
        drop(server);
    }),
    ("a server that reads a line that grows", || {
        let mut server = server_has(&AUTH[..40]);
        server.push_input(&b"0123456789abcdef".repeat(600));
        drop(server);
    }),
    ("a server that gives back its buffers", || {
        let mut server = server_has(&AUTH[..45]);
        server.release_buffers();
        server.push_input(&AUTH[45..]);
        server.next_event();
        server.release_buffers();
    }),
    ("a server that shuts down", || {
        let mut server = greeted(CONFIG);
        server.machine_mut().shut_down();
        server.push_input(AUTH);
        answer(&mut server);
    }),
    ("a server that does not offer AUTH", || {
        let mut server = greeted(ServerConfig::DEFAULT);
        server.push_input(AUTH);
        answer(&mut server);
    }),
    ("a client that is dropped before AUTH is sent", || drop(client_says(&auth()))),
    ("a client whose AUTH is sent", || {
        let mut client = client_says(&auth());
        client.advance_write(20);
        client.release_buffers();
        client.advance_write(client.output().len());
        client.push_input(b"421 busy\r\n");
        client.next_event();
        client.release_buffers();
    }),
    ("a client whose session is over with AUTH unsent", || {
        let mut client = client_says(&auth());
        client.push_input(b"421 busy\r\n");
        while client.is_ready() && client.next_event().event != ehlo::client::Event::Closed {}
        client.release_buffers();
    }),
    ("a client whose response is long", || {
        let mut client = client_says(&Command::Auth {
            mechanism: Mechanism::new("XOAUTH2").expect("a mechanism"),
            initial_response: None,
        });
        client.advance_write(client.output().len());
        client.push_input(b"334 \r\n");
        client.next_event();
        let long = [MESSAGE, &[b'x'; 3000]].concat();
        client.responder().respond(&Response::Data(SaslData::new(&long))).expect("a response");
        client.advance_write(client.output().len());
        client.release_buffers();
        forget(long);
    }),
    ("a delivery that is answered 235", || deliver(&[b"235 yes\r\n", b"221 bye\r\n"])),
    ("a delivery that is answered 421", || deliver(&[b"421 busy\r\n"])),
];

const CONFIG: ServerConfig = ServerConfig {
    offered: ServerConfig::DEFAULT
        .offered
        .with_mechanisms(Mechanisms::NONE.with(SaslMechanism::Plain)),
    plaintext_auth: true,
    ..ServerConfig::DEFAULT
};

fn greeted(config: ServerConfig) -> Buffered<Server> {
    let mut server = Buffered::new(Server::new(config));
    server.push_input(b"EHLO client.example\r\n");
    answer(&mut server);
    server
}

fn server_has(bytes: &[u8]) -> Buffered<Server> {
    let mut server = greeted(CONFIG);
    server.push_input(bytes);
    assert!(server.capacity() > 0);
    server
}

fn server_answers(bytes: &[u8]) {
    let mut server = server_has(bytes);
    answer(&mut server);
    server.release_buffers();
}

fn answer(server: &mut Buffered<Server>) {
    while server.is_ready() {
        let next = server.next_event();
        if next.event == ehlo::server::Event::Closed {
            break;
        }
        next.responder.standard_reply("mx.example").expect("a reply");
        server.advance_write(server.output().len());
    }
}

fn auth() -> Command<'static> {
    Command::Auth {
        mechanism: Mechanism::new("PLAIN").expect("a mechanism"),
        initial_response: Some(SaslData::new(MESSAGE)),
    }
}

fn client_says(command: &Command<'_>) -> Buffered<Client> {
    let config = ClientConfig { plaintext_auth: true, ..ClientConfig::DEFAULT };
    let mut client = Buffered::new(Client::new(config));
    client.push_input(b"220 mx.example\r\n");
    client.next_event();
    let name = ClientName::new("client.example").expect("a name");
    client.send(&Command::Ehlo(name)).expect("a command");
    client.advance_write(client.output().len());
    client.push_input(b"250-mx.example\r\n250 AUTH PLAIN XOAUTH2\r\n");
    client.next_event();
    client.send(command).expect("a command");
    client
}

fn deliver(replies: &[&'static [u8]]) {
    let to = [ForwardPath::new("b@x.example").expect("a path")];
    let envelope = Envelope::new(ReversePath::new("a@x.example").expect("a path"), &to);
    let config = DeliveryConfig {
        client: ClientConfig { plaintext_auth: true, ..ClientConfig::DEFAULT },
        tls: TlsPolicy::Forbid,
        auth: AuthPolicy::Require,
        ..DeliveryConfig::DEFAULT
    };
    let name = HeloName::new("client.example").expect("a name");
    let begin: [&'static [u8]; 2] = [b"220 a\r\n", b"250-b\r\n250 AUTH PLAIN\r\n"];
    let script = Script::new(begin.iter().chain(replies).copied().collect());
    let mut connection =
        Connection::<_, _, Memory, _>::new(script, Delivery::new(name, config), |_| {
            pending::<()>()
        });
    let credentials = Credentials::password("user", PASSWORD).expect("credentials");
    let messages = MessageQueue::new([(&envelope, &b"x\r\n"[..])], |_, _| {});
    let delivered = pin!(connection.deliver(messages.authenticate(credentials)))
        .poll(&mut Context::from_waker(Waker::noop()));
    assert!(matches!(delivered, Poll::Ready(_)), "{delivered:?}");
    assert!(connection.stream().heard_auth(), "AUTH was not sent");
    drop(connection);
}

/// What the program itself has is none of the library's affair.
fn forget(bytes: Vec<u8>) {
    std::mem::forget(bytes);
}

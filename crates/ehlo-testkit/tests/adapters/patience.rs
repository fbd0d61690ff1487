//! How long a peer may take: for a command, for content, for the end.

use std::io::{BufRead, BufReader, ErrorKind, Write};
use std::thread;
use std::time::{Duration, Instant};

use ehlo::delivery::Fate;
use ehlo::server::Event;
use ehlo::{
    Delivery, DeliveryConfig, Envelope, ForwardPath, HeloName, ReversePath, Server, ServerConfig,
};
use ehlo_io::{ConnectionLimits, MessageQueue, PendingEvent, SessionEnd, Shutdown, TimeLimits};

use crate::carry::{Adapter, Wire};
use crate::pipe::Pipe;
use crate::serving::{Caller, Served};

const LIMIT: Duration = Duration::from_millis(400);

fn hurried<A: Adapter>() -> Served {
    A::serve(ConnectionLimits::new(200, 200), TimeLimits::DEFAULT.with_wait(LIMIT))
}

/// A hundred at a time: each hears 421 when its time is over, and not before.
pub fn silent_clients_are_dropped<A: Adapter>() {
    let served = hurried::<A>();
    let begun = Instant::now();
    let mut callers: Vec<Caller> = (0..100).map(|_| Caller::new(&served)).collect();
    for caller in &mut callers {
        assert_eq!(caller.hears(), "220");
    }
    for caller in &mut callers {
        let mut line = String::new();
        caller.0.read_line(&mut line).expect("a reply");
        assert_eq!(line, "421 4.4.2 mx.example took too long, closing\r\n");
    }
    let lasted = begun.elapsed();
    assert!((LIMIT..Duration::from_secs(20)).contains(&lasted), "{lasted:?}");
    for caller in callers {
        assert!(caller.left_alone());
    }
    served.end();
}

/// Bytes that never make a command, or that come too slowly for content, do not hold a session: in
/// the line of a command, by DATA, in a chunk, and in chunks of one byte.
pub fn v98_clients_that_drip_are_dropped<A: Adapter>() {
    let served = hurried::<A>();
    let mail = ["EHLO c.example", "MAIL FROM:<a@x.example>", "RCPT TO:<b@x.example>"];
    for (begin, drip) in [
        (None, &b"x"[..]),
        (Some("DATA"), b"x"),
        (Some("DATA"), b"\r\n"),
        (Some("BDAT 1000000\r\n"), b"x"),
        (Some("BDAT 1\r\nx"), b"BDAT 1\r\nx"),
    ] {
        let mut caller = Caller::new(&served);
        assert_eq!(caller.hears(), "220");
        if let Some(begin) = begin {
            for line in mail {
                caller.talk(line);
            }
            caller.0.get_mut().write_all(format!("{begin}\r\n").as_bytes()).expect("a server");
        }
        let begun = Instant::now();
        let stream = caller.0.get_ref().try_clone().expect("a socket");
        stream.set_nodelay(true).expect("a socket");
        let dripping = thread::spawn(move || {
            let mut stream = stream;
            while stream.write_all(drip).is_ok() && begun.elapsed() < Duration::from_secs(20) {
                thread::sleep(Duration::from_millis(40));
            }
        });
        let (mut last, mut is_reset) = (String::new(), false);
        loop {
            let mut line = String::new();
            match caller.0.read_line(&mut line) {
                Ok(1..) => last = line,
                Ok(0) => break,
                Err(error) => {
                    assert_eq!(error.kind(), ErrorKind::ConnectionReset, "{begin:?}");
                    is_reset = true;
                    break;
                }
            }
        }
        let lasted = begun.elapsed();
        assert!(lasted < Duration::from_secs(10), "{begin:?} {drip:?}: {lasted:?}");
        // A reset may take the last line with it.
        assert!(last.starts_with("421 4.4.2 ") || is_reset, "{begin:?} {drip:?}: {last}");
        drop(caller);
        dripping.join().expect("a client");
    }
    served.end();
}

/// Content at the rate is taken, however long it is, though no wait is that long.
pub fn slow_content_is_taken<A: Adapter>() {
    let served = hurried::<A>();
    let mut caller = Caller::new(&served);
    assert_eq!(caller.hears(), "220");
    for line in ["EHLO c.example", "MAIL FROM:<a@x.example>", "RCPT TO:<b@x.example>", "DATA"] {
        caller.talk(line);
    }
    let begun = Instant::now();
    while begun.elapsed() < 4 * LIMIT {
        caller.0.get_mut().write_all(&b"0123456789\r\n".repeat(10)).expect("a server");
        thread::sleep(Duration::from_millis(50));
    }
    assert_eq!(caller.says("."), "250");
    drop(caller);
    served.end();
}

/// A server that does not answer QUIT has all that it was told, and holds nobody.
pub fn quit_is_not_waited_for<A: Adapter>() {
    let recipients = [ForwardPath::new("b@x.example").expect("a path")];
    let envelope = Envelope::new(ReversePath::new("a@x.example").expect("a path"), &recipients);
    let (client, server) = Pipe::pair(1 << 14);
    let serving = thread::spawn(move || {
        let mut server = BufReader::new(server);
        for reply in ["220 a\r\n", "250 b\r\n", "250 c\r\n", "250 d\r\n", "354 e\r\n", "250 f\r\n"]
        {
            server.get_mut().write_all(reply.as_bytes()).expect("room");
            let mut line = String::new();
            while !(line.ends_with("\r\n") && (!reply.starts_with('3') || line.ends_with(".\r\n")))
            {
                match server.read_line(&mut line) {
                    Err(error) if error.kind() == ErrorKind::WouldBlock => {}
                    read => assert!(read.expect("a client") > 0),
                }
            }
        }
        server
    });
    let adapter = A::default();
    let name = HeloName::new("client.example").expect("a name");
    let delivery = Delivery::new(name, DeliveryConfig::DEFAULT);
    let mut connection = adapter.connection(adapter.stream(Wire::Pipe(client)), delivery);
    let mut fates = Vec::new();
    let messages = MessageQueue::new([(&envelope, &b"x\r\n"[..])], |_, outcomes| {
        fates.extend(outcomes.iter().map(|outcome| outcome.fate));
    });
    let begun = Instant::now();
    let ended = adapter.deliver(&mut connection, messages, None);
    let lasted = begun.elapsed();
    assert_eq!(ended.expect("all is said"), SessionEnd::Done);
    assert_eq!(fates, [Fate::Accepted]);
    assert!((Duration::from_secs(2)..Duration::from_secs(8)).contains(&lasted), "{lasted:?}");
    let _server = serving.join().expect("a server");
}

/// The limits of the machines themselves, by clocks that run a thousand times as fast.
macro_rules! five_minutes {
    ($test:ident, $adapter:ident, $block_on:expr, $sleep:expr) => {
        #[test]
        fn $test() {
            let (mut client, server) = Pipe::pair(1 << 14);
            let begun = Instant::now();
            let session = async move {
                let machine = Server::new(ServerConfig::DEFAULT);
                let mut connection = $adapter::Connection::new(server, machine, |time| {
                    let sleep = $sleep;
                    sleep(time / 1000)
                });
                let mut never = ehlo_io::ShutdownHandle::new().shutdown();
                loop {
                    let next = connection.next_until(&mut never, "mx.example").await;
                    let PendingEvent { event, responder } = match next {
                        Ok(next) => next,
                        Err(error) => return error.kind(),
                    };
                    assert_ne!(event, Event::Closed);
                    responder.standard_reply("mx.example").expect("a reply");
                }
            };
            assert_eq!($block_on(session), ErrorKind::TimedOut);
            let lasted = begun.elapsed();
            assert!((300..3000).contains(&lasted.as_millis()), "{lasted:?}");
            let mut heard = String::new();
            std::io::Read::read_to_string(&mut client, &mut heard).expect("a server");
            assert!(heard.ends_with("421 4.4.2 mx.example took too long, closing\r\n"), "{heard}");
        }
    };
}

five_minutes!(five_minutes_on_smol, ehlo_async_std, smol::block_on, smol::Timer::after);
five_minutes!(
    five_minutes_on_async_std,
    ehlo_async_std,
    async_std::task::block_on,
    async_std::task::sleep
);
five_minutes!(
    five_minutes_on_tokio,
    ehlo_tokio,
    |session| {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_time().build();
        runtime.expect("a runtime").block_on(session)
    },
    tokio::time::sleep
);

/// A session that is over the limits is told so by the first event.
#[test]
fn an_immediate_shutdown_is_said_at_once() {
    let (mut client, server) = Pipe::pair(1 << 14);
    let machine = Server::new(ServerConfig::DEFAULT);
    let mut connection = ehlo_blocking::Connection::new(server, machine);
    let next = connection.next_until(&mut Shutdown::immediate(), "mx.example");
    assert_eq!(next.expect("a stream").event, Event::Closed);
    drop(connection);
    let mut heard = String::new();
    std::io::Read::read_to_string(&mut client, &mut heard).expect("a server");
    assert_eq!(heard, "421 mx.example closing, try again later\r\n");
}

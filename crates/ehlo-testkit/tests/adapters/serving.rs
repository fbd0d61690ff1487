//! The loop of a server: its limits, its end, and handlers that fail.

use std::io::{BufRead, BufReader, Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use ehlo_io::{ConnectionLimits, ShutdownHandle, TimeLimits};

use crate::carry::Adapter;

/// A server that runs.
pub struct Served {
    pub address: SocketAddr,
    /// Tells it to end.
    pub handle: ShutdownHandle,
    pub thread: JoinHandle<()>,
}

impl Served {
    pub fn end(self) {
        self.handle.shut_down();
        self.thread.join().expect("a server that ends in order");
    }
}

/// A client by hand.
pub struct Caller(pub BufReader<TcpStream>);

impl Caller {
    pub fn new(served: &Served) -> Self {
        let stream = TcpStream::connect(served.address).expect("a server");
        stream.set_read_timeout(Some(Duration::from_secs(30))).expect("a socket");
        Self(BufReader::new(stream))
    }

    /// The code of the next reply of one line.
    pub fn hears(&mut self) -> String {
        let mut line = String::new();
        self.0.read_line(&mut line).expect("a reply");
        line.chars().take(3).collect()
    }

    pub fn says(&mut self, line: &str) -> String {
        self.0.get_mut().write_all(format!("{line}\r\n").as_bytes()).expect("a server");
        self.hears()
    }

    /// Says a line, and hears all lines of its reply.
    pub fn talk(&mut self, line: &str) {
        self.0.get_mut().write_all(format!("{line}\r\n").as_bytes()).expect("a server");
        let mut reply = String::new();
        while reply.as_bytes().get(3) != Some(&b' ') {
            reply.clear();
            self.0.read_line(&mut reply).expect("a reply");
            assert!(reply.starts_with(['2', '3']), "{line}: {reply}");
        }
    }

    pub fn left_alone(mut self) -> bool {
        matches!(self.0.read(&mut [0]), Ok(0) | Err(_))
    }
}

pub fn one_address_has_its_share<A: Adapter>() {
    let served = A::serve(ConnectionLimits::new(10, 2), TimeLimits::DEFAULT);
    let (mut one, mut two) = (Caller::new(&served), Caller::new(&served));
    assert_eq!([one.hears(), two.hears()], ["220", "220"]);
    let mut three = Caller::new(&served);
    assert_eq!(three.hears(), "421");
    assert!(three.left_alone());
    assert_eq!(one.says("QUIT"), "221");
    assert!(one.left_alone());
    // It is a moment before the place is free.
    let heard = (0..1000).map(|_| Caller::new(&served).hears()).find(|heard| heard != "421");
    assert_eq!(heard.as_deref(), Some("220"));
    assert_eq!(two.says("NOOP"), "250");
    drop(two);
    served.end();
}

pub fn all_have_to_wait_when_it_is_full<A: Adapter>() {
    let served = A::serve(ConnectionLimits::new(2, 10), TimeLimits::DEFAULT);
    let mut inside = [Caller::new(&served), Caller::new(&served)];
    assert_eq!(inside.each_mut().map(Caller::hears), ["220", "220"]);
    let mut outside = Caller::new(&served);
    let stream = outside.0.get_ref();
    stream.set_read_timeout(Some(Duration::from_millis(100))).expect("a socket");
    assert!(outside.0.read(&mut [0]).is_err(), "there are three inside");
    outside.0.get_ref().set_read_timeout(Some(Duration::from_secs(30))).expect("a socket");
    drop(inside);
    assert_eq!(outside.hears(), "220");
    drop(outside);
    served.end();
}

pub fn a_handler_that_panics_ends_alone<A: Adapter>() {
    let served = A::serve(ConnectionLimits::new(2, 2), TimeLimits::DEFAULT);
    let mut other = Caller::new(&served);
    assert_eq!(other.hears(), "220");
    // More often than there are places or threads.
    for _ in 0..9 {
        let mut caller = Caller::new(&served);
        assert_eq!(caller.hears(), "220");
        caller.0.get_mut().write_all(b"VRFY panic\r\n").expect("a server");
        assert!(caller.left_alone());
    }
    assert_eq!(other.says("NOOP"), "250");
    drop(other);
    served.end();
}

pub fn what_is_open_is_finished<A: Adapter>() {
    let served = A::serve(ConnectionLimits::new(10, 10), TimeLimits::DEFAULT);
    let mut callers = [(); 3].map(|()| Caller::new(&served));
    assert_eq!(callers.each_mut().map(Caller::hears), ["220"; 3]);
    let [mut idle, mut busy, mut full] = callers;
    for caller in [&mut busy, &mut full] {
        for line in ["HELO c.example", "MAIL FROM:<a@x.example>", "RCPT TO:<b@x.example>"] {
            assert_eq!(caller.says(line), "250", "{line}");
        }
    }
    assert_eq!(full.says("DATA"), "354");
    let Served { handle, thread, .. } = served;
    handle.shut_down();
    assert_eq!(idle.hears(), "421");
    assert!(idle.left_alone());
    assert_eq!(full.says("Subject: x\r\n\r\n."), "250");
    assert_eq!(full.hears(), "421");
    assert!(!thread.is_finished());
    assert_eq!(busy.says("RSET"), "250");
    assert_eq!(busy.hears(), "421");
    thread.join().expect("a server that ends in order");
}

/// A client that hears 421 and stays, one that has said QUIT and stays, and one in the middle of a
/// message: the server returns all the same, and whoever comes then is refused by the system.
pub fn a_server_that_shuts_down_returns<A: Adapter>() {
    let limits = ConnectionLimits::new(10, 10).with_grace(Duration::from_secs(1));
    let served = A::serve(limits, TimeLimits::DEFAULT.with_linger(Duration::from_millis(500)));
    let mut callers = [(); 3].map(|()| Caller::new(&served));
    assert_eq!(callers.each_mut().map(Caller::hears), ["220"; 3]);
    let [mut idle, mut over, mut busy] = callers;
    assert_eq!(over.says("QUIT"), "221");
    for line in ["HELO c.example", "MAIL FROM:<a@x.example>", "RCPT TO:<b@x.example>"] {
        assert_eq!(busy.says(line), "250", "{line}");
    }
    let begun = Instant::now();
    let (address, handle) = (served.address, served.handle);
    handle.shut_down();
    assert_eq!(idle.hears(), "421");
    served.thread.join().expect("a server that ends in order");
    let lasted = begun.elapsed();
    assert!(lasted < Duration::from_secs(4), "{lasted:?}");
    TcpStream::connect(address).expect_err("nobody listens");
    for caller in [idle, over, busy] {
        assert!(caller.left_alone());
    }
}

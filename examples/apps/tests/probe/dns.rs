//! A DNS server that knows a few names, RFC 1035 §4.

#![allow(dead_code)] // each test program uses a part of this

use std::net::{Ipv4Addr, UdpSocket};

/// What there is to say of a name.
pub(crate) enum Answer {
    Address(Ipv4Addr),
    Names(Vec<String>),
    /// Preferences and names; an empty name is the root.
    Exchanges(Vec<(u16, String)>),
    /// The name exists, without such a record.
    NoRecord,
    /// The name does not exist.
    Nothing,
    /// SERVFAIL.
    Failure,
}

/// The records of this server; what it does not know does not exist.
fn answer(name: &str, kind: u16) -> Answer {
    let address = |last| Answer::Address(Ipv4Addr::new(192, 0, 2, last));
    let names = |names: &[&str]| Answer::Names(names.iter().map(ToString::to_string).collect());
    match (name, kind) {
        ("mx.test", A) => Answer::Address(Ipv4Addr::LOCALHOST),
        ("client.test", A) => address(10),
        ("10.2.0.192.in-addr.arpa", PTR) => names(&["other.test", "client.test"]),
        ("missing.test", A) => address(20),
        ("mismatch.test", A) => address(30),
        ("30.2.0.192.in-addr.arpa", PTR) => names(&["other.test"]),
        ("other.test", A) => address(99),
        ("failing.test", A) => address(40),
        ("40.2.0.192.in-addr.arpa", PTR) => Answer::Failure,
        ("192-0-2-50.pool.test", A) => address(50),
        ("50.2.0.192.in-addr.arpa", PTR) => names(&["192-0-2-50.pool.test"]),
        ("60.2.0.192.in-addr.arpa", PTR) => names(&["host name.test"]),
        (name, _) if name.ends_with(".broken") => Answer::Failure,
        _ => Answer::Nothing,
    }
}

pub(crate) struct Server {
    pub(crate) address: String,
}

impl Server {
    /// Answers until the test is over.
    pub(crate) fn start() -> Self {
        Self::serve(answer)
    }

    /// The same with other records.
    pub(crate) fn serve(answer: impl Fn(&str, u16) -> Answer + Send + 'static) -> Self {
        let socket = UdpSocket::bind("127.0.0.1:0").expect("loopback is there");
        let address = socket.local_addr().expect("it is bound").to_string();
        std::thread::spawn(move || {
            let mut query = [0; 512];
            while let Ok((bytes, client)) = socket.recv_from(&mut query) {
                let response = respond(query.get(..bytes).expect("it was received"), &answer);
                let _ = socket.send_to(&response, client);
            }
        });
        Self { address }
    }
}

fn respond(query: &[u8], answer: impl Fn(&str, u16) -> Answer) -> Vec<u8> {
    let (name, kind, end) = question(query);
    let (code, data): (u8, Vec<Vec<u8>>) = match answer(&name, kind) {
        Answer::Address(address) => (0, vec![address.octets().to_vec()]),
        Answer::Names(names) => (0, names.iter().map(|name| labels(name)).collect()),
        Answer::Exchanges(list) => {
            let data = |(preference, name): &(u16, String)| {
                [&preference.to_be_bytes()[..], &labels(name)].concat()
            };
            (0, list.iter().map(data).collect())
        }
        Answer::NoRecord => (0, vec![]),
        Answer::Nothing => (3, vec![]),
        Answer::Failure => (2, vec![]),
    };
    let count = u8::try_from(data.len()).expect("there are few");
    // The query's number; a response, by an authority, with recursion; one question.
    let mut response = query[..2].to_vec();
    response.extend([0x85, 0x80 | code, 0, 1, 0, count, 0, 0, 0, 0]);
    response.extend(&query[HEADER..end]);
    for data in data {
        // The name of the question, the type, IN, a minute.
        response.extend([0xC0, 12]);
        response.extend(kind.to_be_bytes());
        response.extend([0, 1, 0, 0, 0, 60]);
        response.extend(u16::try_from(data.len()).expect("it is short").to_be_bytes());
        response.extend(data);
    }
    response
}

/// The name in lower case, the type, and where the question ends.
fn question(query: &[u8]) -> (String, u16, usize) {
    let (mut name, mut at) = (Vec::new(), HEADER);
    while query[at] > 0 {
        let label = &query[at + 1..at + 1 + usize::from(query[at])];
        name.push(String::from_utf8_lossy(label).to_ascii_lowercase());
        at += 1 + label.len();
    }
    (name.join("."), u16::from_be_bytes([query[at + 1], query[at + 2]]), at + 5)
}

fn labels(name: &str) -> Vec<u8> {
    let mut bytes = Vec::new();
    for label in name.split('.').filter(|label| !label.is_empty()) {
        bytes.push(u8::try_from(label.len()).expect("it is short"));
        bytes.extend(label.bytes());
    }
    bytes.push(0);
    bytes
}

const HEADER: usize = 12;
pub(crate) const A: u16 = 1;
pub(crate) const PTR: u16 = 12;
pub(crate) const MX: u16 = 15;

//! The attacks on servers and the vectors of sessions, on a socket: `attacks.tsv` and
//! `sessions.jsonl` against `receive`.

use std::collections::BTreeMap;
use std::io::{ErrorKind, Read as _, Write as _};
use std::net::{Shutdown, TcpStream};

use rustls::{ClientConnection, StreamOwned};
use serde_json::Value;

use crate::process::{LONG, Receive, wait_until};

const ATTACKS: &str = include_str!("attacks.tsv");
const SESSIONS: &str = include_str!("../../../../crates/ehlo-testkit/vectors/sessions.jsonl");

#[test]
fn every_attack_on_a_socket() {
    let mut servers: BTreeMap<&str, Vec<[&str; 4]>> = BTreeMap::new();
    let mut numbers: Vec<u8> = Vec::new();
    for row in ATTACKS.lines().filter(|line| !line.starts_with('#')) {
        let columns: Vec<&str> = row.split('\t').collect();
        let [attacks, flags, send, replies, kept] = columns[..] else { panic!("{row}") };
        let number = |name: &str| name[1..].parse::<u8>().expect("a number");
        numbers.extend(attacks.split(' ').map(number));
        if flags == "-" {
            assert!(!kept.is_empty(), "{row}: why not?");
        } else {
            servers.entry(flags).or_default().push([attacks, send, replies, kept]);
        }
    }
    numbers.dedup();
    let all: Vec<u8> = (1..=101).filter(|number| !matches!(number, 58 | 70)).collect();
    assert_eq!(numbers, all, "every attack has its row");

    let mut wrong = Vec::new();
    for (flags, attacks) in servers {
        let receive = Receive::start(&flags.split_whitespace().collect::<Vec<_>>());
        for [attack, send, replies, kept] in attacks {
            let (replies, kept) = (expanded(replies), contents(kept));
            // Whole, and byte by byte.
            let single = expanded(send).len() <= 1000;
            for size in [Some(usize::MAX), single.then_some(1)].into_iter().flatten() {
                let seen = attacked(&receive, send, size);
                let messages = receive.messages().into_iter();
                let mut stored: Vec<Vec<u8>> = messages
                    .map(|message| {
                        let is_kept = kept.contains(&message.behind_header);
                        if is_kept { message.behind_header } else { message.content }
                    })
                    .collect();
                stored.sort();
                receive.clear();
                if seen != replies.trim() || stored != kept {
                    wrong.push(format!("{attack} {send}: {seen}, {} kept", stored.len()));
                }
            }
        }
        wait_until("nothing is left of what was cut off", || receive.entries("tmp") == 0);
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

/// The codes of the replies to what `send` says, in writes of `size` bytes.
fn attacked(receive: &Receive, send: &str, size: usize) -> String {
    let mut line = Line::open(receive);
    assert_eq!(line.reply(), Some(220));
    let (text, silent) = match send.strip_suffix("<silence>") {
        Some(text) => (text, true),
        None => (send, false),
    };
    let text = expanded(text);
    let mut codes = Vec::new();
    let mut rest = text.as_str();
    while let Some((at, token)) = next_token(rest) {
        line.say(&rest[..at], size);
        rest = &rest[at + token.len()..];
        if token == "<notify>" {
            codes.extend(line.notify());
            continue;
        }
        loop {
            let code = line.reply().expect("a 220 comes");
            codes.push(code);
            if code == 220 {
                break;
            }
        }
        if token == "<tls>" {
            line = line.into_tls();
        }
    }
    line.say(rest, size);
    if !silent {
        line.end();
    }
    codes.extend(std::iter::from_fn(|| line.reply()));
    codes.iter().map(u16::to_string).collect::<Vec<_>>().join(" ")
}

fn next_token(text: &str) -> Option<(usize, &str)> {
    let places = ["<220>", "<tls>", "<notify>"].into_iter();
    places.filter_map(|token| Some((text.find(token)?, token))).min()
}

#[test]
fn every_session_on_a_socket() {
    let flags = ["--tls", "--user", "user:secret", "--max-size", "10485760"];
    let (clear, implicit) =
        (Receive::start(&flags), Receive::start(&[&flags[..], &["--implicit-tls"]].concat()));
    let mut count = 0;
    for line in SESSIONS.lines() {
        let session: Value = serde_json::from_str(line).expect("JSON");
        let tls = session["tls"].as_bool().unwrap_or(false);
        for size in [1, usize::MAX] {
            let mut line = Line::open(if tls { &implicit } else { &clear });
            if tls {
                line = line.into_tls();
            }
            hold(&session, &mut line, size);
        }
        count += 1;
    }
    assert_eq!(count, 36);
}

/// Says what the session says, step by step.
fn hold(session: &Value, line: &mut Line, size: usize) {
    let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
    line.write(&latin1(&text(&session["early"])), size);
    let mut greeted = false;
    for step in session["steps"].as_array().expect("steps") {
        let (mut send, wanted) = (text(&step["send"]), text(&step["reply"]));
        if !std::mem::replace(&mut greeted, true) {
            assert_eq!(line.reply(), Some(220), "{step}");
            if send.is_empty() {
                continue;
            }
        }
        if let Some(mark) = session["split_at"].as_str() {
            send = send.replace(mark, "");
        }
        let early = session["early"].as_str() == Some(&send);
        if !early {
            line.write(&latin1(&send), size);
        }
        // The last of the replies is meant.
        let code = (0..replies(&session["name"], &send)).filter_map(|_| line.reply()).last();
        // A session that is over answers nothing.
        let Some(code) = code else {
            assert!(wanted.contains("421"), "{}: no reply to {step}", session["name"]);
            return;
        };
        assert!(fits(code, &wanted), "{}: {code} to {step}", session["name"]);
    }
}

/// How many replies a step has: one, but where it pipelines.
fn replies(name: &Value, send: &str) -> usize {
    match name.as_str() {
        Some("pipelined-full") if send.matches("\r\n").count() > 1 => 4,
        Some("ehlo-mail-pipelined") if send.matches("\r\n").count() > 1 => 2,
        _ => 1,
    }
}

/// `5..`, with alternatives behind `|`.
fn fits(code: u16, pattern: &str) -> bool {
    let code = code.to_string();
    pattern.split('|').any(|pattern| {
        pattern.len() == 3 && pattern.bytes().zip(code.bytes()).all(|(p, c)| p == b'.' || p == c)
    })
}

/// A connection as a client sees it.
struct Line {
    stream: Stream,
    unread: Vec<u8>,
}

enum Stream {
    Plain(TcpStream),
    Tls(Box<StreamOwned<ClientConnection, TcpStream>>),
}

impl Line {
    fn open(receive: &Receive) -> Self {
        let stream = TcpStream::connect(&receive.address).expect("it listens");
        stream.set_read_timeout(Some(LONG)).expect("not zero");
        stream.set_write_timeout(Some(LONG)).expect("not zero");
        stream.set_nodelay(true).expect("a socket");
        Self { stream: Stream::Plain(stream), unread: Vec::new() }
    }

    fn into_tls(self) -> Self {
        let Stream::Plain(stream) = self.stream else { panic!("TLS within TLS") };
        let connector = ehlo_tokio::Connector::unverified("mx.example").expect("a name");
        let (config, name) = (connector.config().clone(), connector.name().clone());
        let connection = ClientConnection::new(config, name).expect("a connection");
        let stream = StreamOwned::new(connection, stream);
        Self { stream: Stream::Tls(Box::new(stream)), unread: self.unread }
    }

    /// Sends text of the table.
    fn say(&mut self, text: &str, size: usize) {
        for piece in text.split('~') {
            self.write(&bytes(piece), size);
        }
    }

    /// Sends as long as the server listens: it need not hear all of it.
    fn write(&mut self, bytes: &[u8], size: usize) {
        for piece in bytes.chunks(size) {
            let written = match &mut self.stream {
                Stream::Plain(stream) => stream.write_all(piece),
                Stream::Tls(stream) => stream.write_all(piece).and_then(|()| stream.flush()),
            };
            if let Err(error) = written {
                let left = [ErrorKind::BrokenPipe, ErrorKind::ConnectionReset];
                assert!(left.contains(&error.kind()), "{error}");
                return;
            }
        }
    }

    /// Says that no more comes; of what is outside TLS alone, as a server may go on.
    fn end(&mut self) {
        match &mut self.stream {
            Stream::Plain(stream) => drop(stream.shutdown(Shutdown::Write)),
            Stream::Tls(stream) => {
                stream.conn.send_close_notify();
                let _ = stream.flush();
                let _ = stream.sock.shutdown(Shutdown::Write);
            }
        }
    }

    /// Ends TLS in one direction, waits for the end of the other, and goes on without; the replies
    /// until then.
    fn notify(&mut self) -> Vec<u16> {
        let Stream::Tls(stream) = &mut self.stream else { panic!("no TLS to end") };
        stream.conn.send_close_notify();
        let _ = stream.flush();
        let codes = std::iter::from_fn(|| self.reply()).collect();
        let Stream::Tls(stream) = &mut self.stream else { panic!("no TLS to end") };
        self.stream = Stream::Plain(stream.sock.try_clone().expect("a socket"));
        codes
    }

    /// The code of the next reply; none at the end, or where what comes is none.
    fn reply(&mut self) -> Option<u16> {
        loop {
            let mut rest = &self.unread[..];
            while let Some(end) = rest.iter().position(|byte| *byte == b'\n') {
                let line = &rest[..end];
                rest = &rest[end + 1..];
                if line.get(3) == Some(&b'-') {
                    continue;
                }
                let code = std::str::from_utf8(line.get(..3)?).ok()?.parse().ok()?;
                self.unread = rest.to_vec();
                return Some(code);
            }
            let mut room = [0; 4096];
            let read = match &mut self.stream {
                Stream::Plain(stream) => stream.read(&mut room),
                Stream::Tls(stream) => stream.read(&mut room),
            };
            match read {
                Ok(0) => return None,
                Ok(length) => self.unread.extend(&room[..length]),
                Err(error) => {
                    let ends = [ErrorKind::ConnectionReset, ErrorKind::UnexpectedEof];
                    assert!(ends.contains(&error.kind()), "{error}");
                    return None;
                }
            }
        }
    }
}

/// The text with what it stands for in the place of `$…` and `{N*…}`.
fn expanded(text: &str) -> String {
    let mail = "MAIL FROM:<a@b.example>\\r\\nRCPT TO:<c@d.example>\\r\\n";
    let text = text.replace("$E", "EHLO client.example\\r\\n").replace("$M", mail);
    let mut rest = &*text.replace("$D", &format!("{mail}DATA\\r\\n"));
    let mut whole = String::new();
    while let Some((before, after)) = rest.split_once('{') {
        let (repeated, after) = after.split_once('}').expect("a repetition has an end");
        let (count, repeated) = repeated.split_once('*').expect("a repetition has a number");
        whole += before;
        whole += &repeated.repeat(count.parse().expect("a number"));
        rest = after;
    }
    whole + rest
}

/// The bytes that escaped text stands for.
fn bytes(text: &str) -> Vec<u8> {
    let mut bytes = Vec::new();
    let mut rest = text.as_bytes().iter();
    while let Some(&byte) = rest.next() {
        bytes.push(match (byte, rest.as_slice()) {
            (b'\\', [escape, ..]) => {
                let escape = *escape;
                rest.next();
                match escape {
                    b'r' => b'\r',
                    b'n' => b'\n',
                    b't' => b'\t',
                    b'0' => 0,
                    b'\\' => b'\\',
                    _ => {
                        let digits: Vec<u8> = rest.by_ref().take(2).copied().collect();
                        let digits = std::str::from_utf8(&digits).expect("two digits");
                        u8::from_str_radix(digits, 16).expect("a byte")
                    }
                }
            }
            _ => byte,
        });
    }
    bytes
}

fn contents(kept: &str) -> Vec<Vec<u8>> {
    match kept {
        "-" => Vec::new(),
        _ => kept.split(" / ").map(|content| bytes(&expanded(content))).collect(),
    }
}

/// The bytes that a string of the vectors carries as Latin-1 code points.
fn latin1(text: &str) -> Vec<u8> {
    text.chars().map(|c| u8::try_from(u32::from(c)).expect("Latin-1")).collect()
}

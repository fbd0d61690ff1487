//! Seeds: the vectors and the transcripts as inputs of the properties, for the start of a fuzzer.
//!
//! `cargo run --example write_seeds -- FOLDER` writes them as files.

use std::sync::OnceLock;

use ehlo::server::Role;

use crate::transcript::{self, Item, Transcript};
use crate::vectors::{self, DataVector};

/// An input, and its name.
type Seed = (String, Vec<u8>);

/// The seeds of a property, each with its name; empty if there is no property of this name.
///
/// ```
/// use ehlo_testkit::{property, seeds};
///
/// for (name, property) in property::ALL {
///     for (_, seed) in seeds::of(name).iter().take(3) {
///         property(seed);
///     }
/// }
/// ```
pub fn of(property: &str) -> &'static [Seed] {
    static ALL: OnceLock<Vec<(&str, Vec<Seed>)>> = OnceLock::new();
    let all = ALL.get_or_init(|| {
        vec![
            ("command", commands()),
            ("path", paths()),
            ("parameters", parameters()),
            ("reply", headed(&[0, 1, 1, 0], replies())),
            ("capability", capabilities()),
            ("data_decoder", headed(&[0, 2, 1, 3], data())),
            ("data_encoder", headed(&[3, 2, 1, 3], data())),
            ("chunks", headed(&[0, 0, 3, 1, 5, 2, 7, 4], data())),
            ("sasl", sasl()),
            ("server", servers()),
            ("budget", headed(&[0], data())),
            ("client", clients()),
            ("session", sessions()),
            ("delivery", deliveries()),
            ("identity", identities()),
        ]
    });
    all.iter().find(|(name, _)| *name == property).map_or(&[], |(_, seeds)| seeds)
}

fn commands() -> Vec<Seed> {
    short(vectors::commands().map(|vector| (vector.id, vector.input)))
}

fn paths() -> Vec<Seed> {
    short(vectors::paths().map(|vector| (vector.id, vector.input)))
}

fn replies() -> Vec<Seed> {
    short(vectors::replies().map(|vector| (vector.id, vector.input)))
}

fn data() -> Vec<Seed> {
    short(vectors::data().map(|vector| match vector {
        DataVector::Decode { id, input, .. } => (id, input),
        DataVector::Encode { id, content, .. } => (id, content),
    }))
}

/// Drops long inputs, with which a fuzzer makes no progress; the vectors have separate tests.
fn short(seeds: impl Iterator<Item = Seed>) -> Vec<Seed> {
    seeds.filter(|(_, bytes)| bytes.len() <= 2048).collect()
}

fn headed(head: &[u8], seeds: Vec<Seed>) -> Vec<Seed> {
    seeds.into_iter().map(|(name, bytes)| (name, [head, &bytes].concat())).collect()
}

/// The parameters behind the path of MAIL and RCPT.
fn parameters() -> Vec<Seed> {
    let seeds = commands().into_iter().filter_map(|(name, bytes)| {
        let at = bytes.windows(2).position(|two| two == b"> ")?;
        let parameters = bytes[at + 2..].strip_suffix(b"\r\n")?;
        (!parameters.is_empty()).then(|| (name, parameters.to_vec()))
    });
    seeds.collect()
}

/// The lines of EHLO replies without their codes.
fn capabilities() -> Vec<Seed> {
    let seeds = replies().into_iter().filter_map(|(name, bytes)| {
        let lines = bytes.split(|byte| *byte == b'\n').skip(1);
        let lines: Vec<&[u8]> = lines
            .filter_map(|line| line.strip_suffix(b"\r").unwrap_or(line).get(4..))
            .filter(|line| !line.is_empty())
            .collect();
        (!lines.is_empty()).then(|| (name, lines.join(&b'\n')))
    });
    seeds.collect()
}

/// The words of AUTH, and the lines that have none.
fn sasl() -> Vec<Seed> {
    let mut seeds: Vec<Seed> =
        ["*", "=", "YQ==", "YWI=", "YWJj", "YWJjZA==", "YR==", "AA=A", "AAA"]
            .into_iter()
            .map(|word| (format!("word-{word}").replace('=', "_").replace('*', "x"), word.into()))
            .collect();
    seeds.extend(commands().into_iter().filter_map(|(name, bytes)| {
        let line = bytes.strip_prefix(b"AUTH ")?.strip_suffix(b"\r\n")?;
        let word = line.splitn(2, |byte| *byte == b' ').nth(1)?;
        Some((name, word.to_vec()))
    }));
    seeds
}

/// All bytes of the client, or all bytes of the server.
fn side(transcript: &Transcript, client: bool) -> Vec<u8> {
    let bytes = transcript.items.iter().filter_map(|item| match item {
        Item::Client(line) if client => Some(line.as_slice()),
        Item::Server(reply) if !client => Some(reply.as_slice()),
        _ => None,
    });
    bytes.collect::<Vec<_>>().concat()
}

fn flags(transcript: &Transcript) -> u8 {
    let config = &transcript.config;
    let bit = |is: bool, bit: u8| u8::from(is) << bit;
    bit(config.role == Role::Lmtp, 1)
        | bit(config.implicit_tls, 3)
        | bit(config.require_tls, 4)
        | bit(config.require_auth, 5)
        | bit(config.plaintext_auth, 6)
}

/// Offers all; the answers are standard ones, or every second one is not.
fn servers() -> Vec<Seed> {
    let seeds = transcript::all().flat_map(|(name, transcript)| {
        let bytes = side(&transcript, true);
        let flags = flags(&transcript);
        [(0, 255), (0xC4, 0x7F), (0xCC, 255), (0, 0)].map(|(answers, offers)| {
            let head = [flags, offers, answers, 5, 7, 11];
            (format!("{name}-{answers}-{offers}"), [&head[..], &bytes].concat())
        })
    });
    seeds.collect()
}

fn clients() -> Vec<Seed> {
    let seeds = transcript::all().map(|(name, transcript)| {
        let mut script = operations(&transcript);
        script.truncate(63);
        let count = u8::try_from(script.len()).expect("63 at most");
        let head = [flags(&transcript) & 8, count, 3, 5, 9];
        (name.to_owned(), [&head[..], &script, &side(&transcript, false)].concat())
    });
    seeds.collect()
}

fn sessions() -> Vec<Seed> {
    let seeds = transcript::all().flat_map(|(name, transcript)| {
        let script = operations(&transcript);
        let flags = flags(&transcript);
        [(0, 0), (0xC4, 9), (0xCC, 1)].map(|(answers, size)| {
            let head = [flags, 255, answers, 0, size, size];
            (format!("{name}-{answers}"), [&head[..], &script].concat())
        })
    });
    seeds.collect()
}

/// The lines of the client as operations of a scripted one.
fn operations(transcript: &Transcript) -> Vec<u8> {
    let mut operations = Vec::new();
    let (mut is_data, mut is_auth) = (false, false);
    for item in &transcript.items {
        match item {
            Item::Server(reply) => {
                is_data = reply.starts_with(b"354");
                is_auth = reply.starts_with(b"334");
            }
            Item::Client(line) if is_data => operations.push(match line.as_slice() {
                b".\r\n" => 128,
                [b'.', ..] => 3,
                _ => 0,
            }),
            Item::Client(line) if is_auth => operations.push(u8::from(line != b"*\r\n")),
            Item::Client(line) => {
                let verb = line.split(|o| b" \r".contains(o)).next().unwrap_or_default();
                let verb = verb.to_ascii_uppercase();
                let verbs = [
                    "EHLO", "HELO", "LHLO", "MAIL", "", "", "", "", "RCPT", "", "", "", "", "DATA",
                    "", "", "BDAT", "", "RSET", "NOOP", "QUIT", "STARTTLS", "AUTH", "", "VRFY",
                    "EXPN", "HELP", "ETRN", "XCLIENT", "XYZZY", "BURL", "ATRN",
                ];
                let place = verbs.iter().position(|name| name.as_bytes() == verb);
                operations.extend(place.and_then(|place| u8::try_from(place).ok()));
            }
            _ => {}
        }
    }
    operations
}

fn deliveries() -> Vec<Seed> {
    let ends: [(&str, &str); 16] = [
        ("chunks", "250 a\r\n250 b\r\n550 c\r\n250 d\r\n250 2.6.0 taken\r\n"),
        ("chunk-refused", "250 a\r\n250 b\r\n250 c\r\n552 d\r\n503 e\r\n250 reset\r\n503 f\r\n"),
        ("nobody-in-chunks", "250 a\r\n550 b\r\n550 c\r\n554 d\r\n554 e\r\n250 reset\r\n"),
        ("too-many", "250 a\r\n250 b\r\n452 c\r\n354 go\r\n250 taken\r\n250 d\r\n250 e\r\n"),
        ("accepted", "250 a\r\n250 b\r\n250 c\r\n354 go\r\n250 2.6.0 taken\r\n221 bye\r\n"),
        ("one-refused", "250 a\r\n550 5.1.1 b\r\n250 c\r\n354 go\r\n250 taken\r\n221 bye\r\n"),
        ("all-refused", "250 a\r\n550 b\r\n552 c\r\n554 no\r\n221 bye\r\n"),
        ("lone-dot", "250 a\r\n550 b\r\n450 c\r\n354 go\r\n554 no\r\n221 bye\r\n"),
        ("mail-refused", "550 a\r\n503 b\r\n503 c\r\n503 no\r\n250 reset\r\n221 bye\r\n"),
        ("data-refused", "250 a\r\n250 b\r\n250 c\r\n451 no\r\n250 reset\r\n221 bye\r\n"),
        ("message-refused", "250 a\r\n250 b\r\n250 c\r\n354 go\r\n554 no\r\n221 bye\r\n"),
        ("cut", "250 a\r\n250 b\r\n250 c\r\n354 go\r\n"),
        ("closing", "250 a\r\n250 b\r\n421 c\r\n"),
        ("lmtp", "250 a\r\n250 b\r\n250 c\r\n354 go\r\n250 b\r\n452 c\r\n221 bye\r\n"),
        ("unsolicited", "250 a\r\n250 b\r\n250 c\r\n354 go\r\n250 d\r\n250 e\r\n221 bye\r\n"),
        ("violation", "250 a\r\n250-b\r\n550 c\r\n"),
    ];
    let starts = [
        ("chunking", "220 mx\r\n250-mx\r\n250-CHUNKING\r\n250-SIZE 99\r\n250 PIPELINING\r\n"),
        ("limits", "220 mx\r\n250-mx\r\n250-CHUNKING\r\n250 LIMITS RCPTMAX=1 MAILMAX=3\r\n"),
        ("starttls", "220 mx\r\n250-mx\r\n250 STARTTLS\r\n220 go\r\n250 mx\r\n"),
        ("pipelining", "220 mx\r\n250-mx\r\n250-SMTPUTF8\r\n250 PIPELINING\r\n"),
        ("plain", "220 mx\r\n250 mx\r\n"),
        ("helo", "220 mx\r\n502 what\r\n250 mx\r\n"),
    ];
    let mut seeds = Vec::new();
    for (name, start) in starts {
        for (end, rest) in ends {
            let flags = if end == "lmtp" { 16 } else { 0 };
            let twice = format!("{start}{rest}{rest}");
            // Recipients, and how the envelopes and their content go.
            for more in [1, 17, 33, 65, 129] {
                let head = [flags, more, 4, 6, 8];
                let bytes = [&head[..], twice.as_bytes()].concat();
                seeds.push((format!("{name}-{end}-{more}"), bytes));
            }
        }
    }
    seeds
}

/// Names from the greetings of the vectors and others, each with answers of every kind.
fn identities() -> Vec<Seed> {
    let answers = [
        ("confirmed", "2mail.example.org. mx2.example.org\n2b\n2a"),
        ("mismatch", "2mail.example.org mail.example.org\n2b\n2b\n1"),
        ("no-pointer", "0\n2ab"),
        ("failure", "1\n1"),
        ("pool", "2192-0-2-1.dsl.isp.example\n0\n2a"),
        ("odd", "2. a_b.example \u{fc}.example\n1\n0\n2a"),
    ];
    let own = [
        "mx.example.org",
        "mx.example.net",
        "my_host.example.org",
        "mail.example.org.",
        "xn--mnchen-3ya.example",
        "xn--99999999999.example",
        "m\u{fc}nchen.example",
        "localhost.localdomain",
        "192.0.2.1",
        "[192.0.2.1]",
        "[IPv6:2001:db8::1]",
        "[2001:db8::1]",
        "[198.51.100.7]",
        "my (odd) host\\",
    ];
    let mut names: Vec<Seed> =
        own.into_iter().enumerate().map(|(at, name)| (at.to_string(), name.into())).collect();
    names.extend(commands().into_iter().filter_map(|(id, bytes)| {
        let name = bytes.strip_prefix(b"EHLO ").or_else(|| bytes.strip_prefix(b"HELO "))?;
        Some((id, name.strip_suffix(b"\r\n")?.to_vec()))
    }));
    let mut seeds = Vec::new();
    for (id, name) in names {
        for (at, (kind, answers)) in answers.into_iter().enumerate() {
            let peer = u8::try_from(at % 4).expect("below four");
            let bytes = [&[peer], name.as_slice(), b"\n", answers.as_bytes()].concat();
            seeds.push((format!("{id}-{kind}"), bytes));
        }
    }
    seeds
}

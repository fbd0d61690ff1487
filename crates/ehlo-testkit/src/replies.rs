//! What a server answers to every command in every state, as text.

use std::fmt::Write as _;

use ehlo::{
    Capabilities, Code, Extension, FutureRelease, Mechanisms, ReleaseTime, Reply, Role,
    SaslMechanism, ServerConfig, ServerLimits, State,
};

use crate::peer::Peer;

/// A table for each kind of server: a command in each row, a state in each column, and the code of
/// the reply in each field. The application gives the standard replies to what the machine leaves
/// to it.
pub fn replies() -> String {
    let mut text = String::from(HEADER);
    for (title, config, blocks) in tables() {
        writeln!(text, "\n{title}").expect("a string grows");
        write!(text, "{:54}", "").expect("a string grows");
        for (column, ..) in COLUMNS {
            write!(text, " {column:>8}").expect("a string grows");
        }
        text.push('\n');
        for command in blocks.iter().copied().flatten() {
            write!(text, "{command:54}").expect("a string grows");
            for (_, state, way) in COLUMNS {
                write!(text, " {:>8}", reply(config, state, way, command)).expect("a string grows");
            }
            text.push('\n');
        }
    }
    text
}

/// The code of the reply to `command` in the state to which `way` leads.
fn reply(config: ServerConfig, state: State, way: &str, command: &str) -> String {
    let hello = if config.role == Role::Lmtp { "LHLO" } else { "EHLO" };
    let mut peer = Peer::new(config);
    if state == State::Rejected {
        let refusal = Reply::new(Code::TRANSACTION_FAILED, "no");
        peer.server.reply(&refusal, &mut [0; 64]).expect("a greeting");
    }
    peer.feed(b"");
    for line in way.split_inclusive('\n') {
        peer.feed(line.replace("EHLO", hello).as_bytes());
        if peer.server.state() == State::Tls {
            peer.establish_tls();
            peer.feed(format!("{hello} client.example\r\n").as_bytes());
        }
    }
    if peer.server.state() != state || (way.contains("STARTTLS") && !peer.server.is_tls()) {
        return "-".into();
    }
    // What a chunk announces follows it.
    let size = command.strip_prefix("BDAT ").and_then(|size| size.split(' ').next()?.parse().ok());
    let chunk = "x".repeat(size.unwrap_or_default());
    let codes = peer.feed(format!("{command}\r\n{chunk}").as_bytes());
    match codes[..] {
        [] => ".".into(),
        [code] => code.to_string(),
        _ => format!("{codes:?}"),
    }
}

type Block = &'static [&'static str];

fn tables() -> [(&'static str, ServerConfig, Vec<Block>); 8] {
    let everything = Extension::ALL
        .iter()
        .fold(Capabilities::NONE, |offered, extension| offered.with(*extension))
        .with_size(1000)
        .with_deliver_by(Some(60))
        .with_future_release(
            ReleaseTime::new((2030, 1, 1), (0, 0, 0))
                .and_then(|until| FutureRelease::new(600, until))
                .expect("limits"),
        )
        .with_mechanisms(Mechanisms::NONE.with(SaslMechanism::Plain).with(SaslMechanism::CramMd5));
    let all = ServerConfig {
        offered: everything,
        plaintext_auth: true,
        limits: ServerLimits::UNLIMITED,
        ..ServerConfig::DEFAULT
    };
    let nothing = ServerConfig { offered: Capabilities::NONE, ..all };
    let valid = || vec![VALID, EXTENSIONS, PARAMETERS];
    [
        ("Everything is offered, and the command is right", all, valid()),
        ("Everything is offered, and the command is wrong", all, vec![WRONG]),
        ("Nothing is offered, and the command is right", nothing, valid()),
        ("Nothing is offered, and the command is wrong", nothing, vec![WRONG]),
        ("LMTP", ServerConfig { role: Role::Lmtp, ..all }, vec![VALID, EXTENSIONS, WRONG]),
        (
            "Submission, before the client has authenticated",
            ServerConfig { role: Role::Submission, require_auth: true, ..all },
            vec![VALID, EXTENSIONS],
        ),
        ("TLS is required", ServerConfig { require_tls: true, ..all }, vec![VALID, EXTENSIONS]),
        (
            "Plaintext mechanisms inside TLS only",
            ServerConfig { plaintext_auth: false, ..all },
            vec![&["AUTH PLAIN", "AUTH PLAIN AHVzZXIAc2VjcmV0", "AUTH CRAM-MD5", "AUTH LOGIN"]],
        ),
    ]
}

/// A column: its name, the state, and the way there. In `Greeting`, `Tls` and `Closed` nothing is
/// read.
const COLUMNS: [(&str, State, &str); 11] = [
    ("Rejected", State::Rejected, ""),
    ("Start", State::Start, ""),
    ("HELO", State::Ready, "HELO client.example\r\n"),
    ("Ready", State::Ready, "EHLO client.example\r\n"),
    ("in TLS", State::Ready, "EHLO client.example\r\nSTARTTLS\r\n"),
    ("Mail", State::Mail, "EHLO client.example\r\nMAIL FROM:<a@b.example>\r\n"),
    (
        "Rcpt",
        State::Rcpt,
        "EHLO client.example\r\nMAIL FROM:<a@b.example>\r\nRCPT TO:<c@d.example>\r\n",
    ),
    (
        "Chunk",
        State::Chunk,
        "EHLO client.example\r\nMAIL FROM:<a@b.example>\r\nRCPT TO:<c@d.example>\r\nBDAT 0\r\n",
    ),
    (
        "Failed",
        State::Failed,
        "EHLO client.example\r\nMAIL FROM:<a@b.example>\r\nRCPT TO:<c@d.example>\r\nBDAT x\r\n",
    ),
    ("Auth", State::Auth, "EHLO client.example\r\nAUTH PLAIN\r\n"),
    (
        "Data",
        State::Data,
        "EHLO client.example\r\nMAIL FROM:<a@b.example>\r\nRCPT TO:<c@d.example>\r\nDATA\r\n",
    ),
];

const VALID: Block = &[
    "EHLO client.example",
    "EHLO [192.0.2.1]",
    "HELO client.example",
    "LHLO client.example",
    "MAIL FROM:<a@b.example>",
    "MAIL FROM:<>",
    "RCPT TO:<c@d.example>",
    "RCPT TO:<Postmaster>",
    "RCPT TO:<@relay.example:c@d.example>",
    "DATA",
    "RSET",
    "VRFY someone",
    "EXPN list",
    "HELP",
    "HELP MAIL",
    "NOOP",
    "NOOP anything at all",
    "QUIT",
    "TURN",
    "SEND FROM:<a@b.example>",
    "XYZZY",
    "XYZZY with arguments",
];

const EXTENSIONS: Block = &[
    "STARTTLS",
    "AUTH PLAIN",
    "AUTH PLAIN AHVzZXIAc2VjcmV0",
    "AUTH PLAIN AHVzZXIAd3Jvbmc=",
    "AUTH PLAIN =",
    "AUTH CRAM-MD5 =",
    "AUTH SCRAM-SHA-256",
    "BDAT 0",
    "BDAT 1",
    "BDAT 0 LAST",
    "BDAT 1 LAST",
    "BDAT 1001 LAST",
    "BURL imap://imap.example/INBOX",
    "BURL imap://imap.example/INBOX LAST",
    "ETRN example.org",
    "ATRN example.org",
    "XCLIENT ADDR=192.0.2.1",
    "XFORWARD ADDR=192.0.2.1",
    "VRFY someone SMTPUTF8",
];

const PARAMETERS: Block = &[
    "MAIL FROM:<a@b.example> SIZE=1000",
    "MAIL FROM:<a@b.example> SIZE=1001",
    "MAIL FROM:<a@b.example> BODY=8BITMIME",
    "MAIL FROM:<a@b.example> BODY=BINARYMIME",
    "MAIL FROM:<a@b.example> SMTPUTF8",
    "MAIL FROM:<a@b.example> RET=HDRS ENVID=x",
    "MAIL FROM:<a@b.example> AUTH=<>",
    "MAIL FROM:<a@b.example> BY=60;R",
    "MAIL FROM:<a@b.example> BY=59;R",
    "MAIL FROM:<a@b.example> BY=-1;N",
    "MAIL FROM:<a@b.example> HOLDFOR=600",
    "MAIL FROM:<a@b.example> HOLDFOR=601",
    "MAIL FROM:<a@b.example> HOLDUNTIL=2030-01-01T00:00:00Z",
    "MAIL FROM:<a@b.example> HOLDUNTIL=2030-01-01T00:00:01Z",
    "MAIL FROM:<a@b.example> MT-PRIORITY=3",
    "MAIL FROM:<a@b.example> REQUIRETLS",
    "MAIL FROM:<a@b.example> SOLICIT=org.example:ADV",
    "MAIL FROM:<a@b.example> X-UNKNOWN=1",
    "RCPT TO:<c@d.example> NOTIFY=NEVER",
    "RCPT TO:<c@d.example> ORCPT=rfc822;c@d.example",
    "RCPT TO:<c@d.example> RRVS=2020-01-01T00:00:00Z",
    "RCPT TO:<c@d.example> X-UNKNOWN",
];

const WRONG: Block = &[
    "",
    " NOOP",
    "EHLO",
    "EHLO -",
    "EHLO a b",
    "HELO",
    "LHLO",
    "MAIL",
    "MAIL FROM:",
    "MAIL FROM:a@b.example",
    "MAIL FROM: <a@b.example>",
    "MAIL FROM:<a@b.example",
    "MAIL FROM:<a>",
    "MAIL TO:<a@b.example>",
    "MAIL FROM:<a@b.example> SIZE=x",
    "MAIL FROM:<a@b.example> SIZE=1 SIZE=1",
    "MAIL FROM:<a@b.example> BODY=9BIT",
    "MAIL FROM:<a@b.example> SMTPUTF8=1",
    "MAIL FROM:<a@b.example> NOTIFY=NEVER",
    "MAIL FROM:<a@b.example> HOLDFOR=1 HOLDFOR=1",
    "MAIL FROM:<a@b.example> BY=0;R",
    "RCPT",
    "RCPT TO:<>",
    "RCPT TO:<c@>",
    "RCPT TO:<c@d.example> =",
    "RCPT TO:<c@d.example> SIZE=1",
    "DATA now",
    "RSET now",
    "VRFY",
    "EXPN",
    "HELP two words",
    "QUIT now",
    "STARTTLS now",
    "AUTH",
    "AUTH PLAIN x",
    "AUTH PLAIN dGVzdA",
    "BDAT",
    "BDAT x",
    "BDAT -1",
    "BDAT 18446744073709551616",
    "BURL",
    "BURL x",
    "ETRN",
    "ATRN a,,b",
    "XCLIENT",
    "XCLIENT FOO=1",
    "XFORWARD ADDR",
];

const HEADER: &str = "\
# The code that a server answers to a command (row) in a state (column): the machine's own verdict,
# or the standard reply where the application decides. A dot: no reply, as the line is content. A
# dash: there is no way into the state. HELO: greeted so, with no extension in force; in TLS: greeted
# with EHLO inside TLS. Failed: after a chunk that was refused. In Greeting, Tls and Closed nothing is
# read.
";

//! The server's reply to every command in every state.
//!
//! ```
//! use ehlo_testkit::reply_table::answers;
//!
//! let asks = |state| move |answer: &ehlo_testkit::reply_table::Answer| {
//!     (answer.server, answer.state, answer.command) == ("all", state, "DATA")
//! };
//! let replies = ["ehlo", "rcpt"].map(|state| answers().into_iter().find(asks(state)).unwrap().reply);
//! assert_eq!(replies, ["503 5.5.1", "354"]);
//! ```

use ehlo::server::{Role, ServerLimits};
use ehlo::session::State;
use ehlo::syntax::capability::{Capabilities, FutureRelease, ReleaseTime};
use ehlo::syntax::sasl::{Mechanisms, SaslMechanism};
use ehlo::{Code, Extension, Parsed, Policy, Reply, ServerConfig};

use crate::peer::Peer;

/// The reply of one server to one command in one state.
///
/// ```
/// let answers = ehlo_testkit::reply_table::answers();
/// let noop = answers.iter().find(|answer| answer.command == "NOOP").expect("it is tried");
/// assert_eq!((noop.server, noop.state), ("all", "rejected"));
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Answer {
    /// The kind of server.
    pub server: &'static str,
    /// The state.
    pub state: &'static str,
    /// The command, without its CRLF.
    pub command: &'static str,
    /// The code and the enhanced status code of the reply; slashes separate several replies. `.`
    /// means no reply, and `-` that no way leads into the state.
    pub reply: String,
}

/// The replies of every kind of server to every command in every state. The application sends the
/// standard replies.
pub fn answers() -> Vec<Answer> {
    let mut answers = Vec::new();
    for (server, config) in servers() {
        for (state, reached, way) in STATES {
            for command in BLOCKS.into_iter().flatten().copied() {
                let reply = reply(config, reached, way, command);
                answers.push(Answer { server, state, command, reply });
            }
        }
    }
    answers
}

/// The reply to `command` in the state to which `way` leads.
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
        }
    }
    if peer.server.state() != state
        || way.contains("STARTTLS") != peer.server.is_tls()
        || way.contains("AUTH PLAIN A") != peer.server.is_authenticated()
    {
        return "-".into();
    }
    peer.sent.clear();
    // What a chunk announces follows it.
    let size = command.strip_prefix("BDAT ").and_then(|size| size.split(' ').next()?.parse().ok());
    let chunk = "x".repeat(size.unwrap_or_default());
    peer.feed(format!("{command}\r\n{chunk}").as_bytes());
    let mut replies = Vec::new();
    let mut rest = &*peer.sent;
    while let Ok(Parsed::Complete { value, consumed }) = Reply::parse(rest, &Policy::STRICT) {
        rest = &rest[consumed..];
        let enhanced = value.enhanced_code().map(|code| format!(" {code}"));
        replies.push(format!("{}{}", value.code(), enhanced.unwrap_or_default()));
    }
    assert!(rest.is_empty(), "{:?} is no reply", rest.escape_ascii().to_string());
    if replies.is_empty() { ".".into() } else { replies.join("/") }
}

type Block = &'static [&'static str];

fn servers() -> [(&'static str, ServerConfig); 6] {
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
    let plaintext = everything.with_mechanisms(Mechanisms::NONE.with(SaslMechanism::Plain));
    [
        ("all", all),
        ("none", ServerConfig { offered: Capabilities::NONE, ..all }),
        ("lmtp", ServerConfig { role: Role::Lmtp, ..all }),
        ("submission", ServerConfig { role: Role::Submission, require_auth: true, ..all }),
        ("tls-first", ServerConfig { require_tls: true, ..all }),
        ("clear", ServerConfig { offered: plaintext, plaintext_auth: false, ..all }),
    ]
}

/// A state: its name, where the session then stands, and the way there. In `Greeting`, `Tls` and
/// `Closed` nothing is read.
const STATES: [(&str, State, &str); 14] = [
    ("rejected", State::Rejected, ""),
    ("start", State::Start, ""),
    ("helo", State::Ready, "HELO client.example\r\n"),
    ("ehlo", State::Ready, "EHLO client.example\r\n"),
    ("tls-start", State::Start, "EHLO client.example\r\nSTARTTLS\r\n"),
    ("tls", State::Ready, "EHLO client.example\r\nSTARTTLS\r\nEHLO client.example\r\n"),
    ("authenticated", State::Ready, "EHLO client.example\r\nAUTH PLAIN AHVzZXIAc2VjcmV0\r\n"),
    ("auth", State::Auth, "EHLO client.example\r\nAUTH PLAIN\r\n"),
    ("mail", State::Mail, "EHLO client.example\r\nMAIL FROM:<a@b.example>\r\n"),
    (
        "binary",
        State::Rcpt,
        "EHLO client.example\r\nMAIL FROM:<a@b.example> BODY=BINARYMIME\r\nRCPT TO:<c@d.example>\r\n",
    ),
    (
        "rcpt",
        State::Rcpt,
        "EHLO client.example\r\nMAIL FROM:<a@b.example>\r\nRCPT TO:<c@d.example>\r\n",
    ),
    (
        "chunk",
        State::Chunk,
        "EHLO client.example\r\nMAIL FROM:<a@b.example>\r\nRCPT TO:<c@d.example>\r\nBDAT 0\r\n",
    ),
    (
        "failed",
        State::Failed,
        "EHLO client.example\r\nMAIL FROM:<a@b.example>\r\nRCPT TO:<c@d.example>\r\nBDAT 1\r\n\n",
    ),
    (
        "data",
        State::Data,
        "EHLO client.example\r\nMAIL FROM:<a@b.example>\r\nRCPT TO:<c@d.example>\r\nDATA\r\n",
    ),
];

const BLOCKS: [Block; 4] = [VALID, EXTENSIONS, PARAMETERS, WRONG];

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
    "XYZZY ü",
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
    "BDAT 1001",
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
    "RCPT TO:<ü@d.example>",
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
    "MAIL FROM:<ü@b.example>",
    "MAIL FROM:<a@b.example\x07>",
    "RCPT",
    "RCPT TO:<>",
    "RCPT TO:<c@>",
    "RCPT TO:<c@d.example> =",
    "RCPT TO:<c@d.example> SIZE=1",
    "DATA now",
    "RSET now",
    "VRFY",
    "VRFY ü",
    "VRFY ü SMTPUTF8",
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

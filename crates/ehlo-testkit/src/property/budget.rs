//! The bound on the commands of a client that brings no mail.

use ehlo::server::{Event, Role, ServerLimits};
use ehlo::session::State;
use ehlo::syntax::command::Verb;
use ehlo::{Code, Policy, Reply, ReplyError, Server, ServerConfig};

use super::server::config;

/// Sends commands of any kind that bring no accepted mail to a server that answers them in any way.
/// Whatever the commands, the session is over after as many as its limits allow.
pub fn budget(input: &[u8]) {
    let [flags, script @ ..] = input else { return };
    let limits = ServerLimits {
        recipients: 3,
        messages: 4,
        errors: 5,
        idle: 6,
        unknown: 2,
        text_line: 10,
        discarded: 20_000,
        ..ServerLimits::DEFAULT
    };
    let offers = if flags & 128 == 0 { 255 } else { 127 };
    let policy = Policy::STRICT.with_any_reply_code(flags & 4 != 0);
    let config = ServerConfig { limits, policy, plaintext_auth: true, ..config(*flags, offers) };
    let most = most(&limits);
    let mut server = Server::new(config);
    let mut unread = Vec::new();
    let mut asked = 0;
    let steps: Vec<[u8; 2]> = script.chunks_exact(2).map(|step| [step[0], step[1]]).collect();
    // A stubborn client says the same in the end, and hears the same.
    let last = if flags & 8 == 0 { [7, 255] } else { steps.last().copied().unwrap_or([0, 0]) };
    for [choice, answer] in steps.into_iter().chain(std::iter::repeat_n(last, most)) {
        asked += take(&mut server, &mut unread, answer);
        match server.state() {
            State::Closed => return,
            State::Tls => {
                unread.clear();
                server.tls_established(b"").expect("nothing is left over");
            }
            State::Data => unread.extend_from_slice(b"\r\n.\r\n"),
            _ => unread.extend_from_slice(&command(config.role, choice)),
        }
        assert!(asked <= most, "{asked} commands: {server:?}");
    }
    take(&mut server, &mut unread, 255);
    assert_eq!(server.state(), State::Closed, "after {asked} commands: {server:?}");
}

/// The commands of a session without an accepted message: what each limit bounds, and what one MAIL
/// may bring before its transaction is over.
fn most(limits: &ServerLimits) -> usize {
    let [recipients, errors, idle] =
        [limits.recipients, limits.errors, limits.idle].map(usize::from);
    let messages = usize::try_from(limits.messages).unwrap_or(usize::MAX);
    // MAIL, as many recipients again as are surplus, DATA and the end of its data, or a last chunk.
    let transaction = 1 + 2 * recipients + 2;
    // The greeting, and the command that is answered 421.
    messages * transaction + errors + idle + 2
}

fn command(role: Role, choice: u8) -> Vec<u8> {
    let hello = if role == Role::Lmtp { "LHLO c.example" } else { "EHLO c.example" };
    let commands = [
        hello,
        "MAIL FROM:<a@b.example>",
        "RCPT TO:<c@d.example>",
        "DATA",
        "BDAT 0",
        "BDAT 0 LAST",
        "RSET",
        "NOOP",
        "VRFY a",
        "EXPN a",
        "HELP",
        "STARTTLS",
        "AUTH PLAIN",
        "AUTH PLAIN AHVzZXIAc2VjcmV0",
        "*",
        "XCLIENT ADDR=192.0.2.1",
        "XFORWARD ADDR=192.0.2.1",
        "ETRN d.example",
        "TURN",
        "SEND FROM:<a@b.example>",
        "XYZZY",
        "MAIL FROM:<a@b.example> SIZE=99999999999",
        "RCPT TO:<c",
        "",
        "=",
        "BDAT 9999 LAST",
        "NOOP NOOP NOOP",
    ];
    // The commands of a transaction come more often than the others.
    let command = match choice % 64 {
        at @ 0..27 => commands[usize::from(at)],
        at => commands[usize::from(at % 4)],
    };
    let long = if choice > 250 { "x".repeat(13_000) } else { String::new() };
    let content = if command.starts_with("BDAT 9999") { "y".repeat(9999) } else { String::new() };
    format!("{command}{long}\r\n{content}").into_bytes()
}

/// Gives the machine all that is unread, and answers what it reports; how many answers there were, of
/// which LMTP's to one message are one.
fn take(server: &mut Server, unread: &mut Vec<u8>, number: u8) -> usize {
    let mut asked = 0;
    loop {
        let received = server.receive(unread);
        let again = matches!(received.event, Event::NeedReply);
        let at_end = matches!(received.event, Event::NeedInput | Event::StartTls | Event::Closed);
        let consumed = received.consumed;
        unread.drain(..consumed);
        if at_end {
            return asked;
        }
        let Some(verb) = server.pending() else { continue };
        answer(server, verb, number);
        asked += usize::from(!again);
    }
}

/// Answers in one of several ways, but accepts no message.
fn answer(server: &mut Server, verb: Verb, number: u8) {
    let number = match number % 6 {
        0 => 550,
        1 => 451,
        2 => 250,
        3 => 334,
        _ => 0,
    };
    let standard = server.standard_reply("mx.example");
    let is_message = matches!(verb, Verb::Message | Verb::BdatLast | Verb::BurlLast);
    let own = Code::new(number).filter(|code| !(is_message && code.is_positive()));
    let not_taken = Reply::new(Code::LOCAL_ERROR, "not taken");
    let standard = if is_message && standard.code().is_positive() { not_taken } else { standard };
    let mut out = [0; 4096];
    let reply = own.map_or(standard, |code| Reply::new(code, ""));
    // The machine's own 421 is not put off.
    let is_over = standard.code() == Code::SERVICE_NOT_AVAILABLE;
    match server.reply(if is_over { &standard } else { &reply }, &mut out) {
        Ok(_) => {}
        Err(ReplyError::NotAllowed { .. }) => {
            server.reply(&standard, &mut out).expect("the standard reply");
        }
        Err(error) => panic!("{error}"),
    }
}

//! Replies.

use ehlo::client::Event;
use ehlo::machine::Machine;
use ehlo::session::State;
use ehlo::syntax::limits;
use ehlo::{Client, ClientConfig, Command, Extension, Parsed, Policy, Reply, SendError};

use crate::{PIPELINING, PLAIN, after, ehlo, events, hear, mail, rcpt, send};

fn awaiting_mail() -> Client {
    let mut client = after(ClientConfig::DEFAULT, PLAIN);
    send(&mut client, &mail()).expect("MAIL");
    client
}

/// What is no reply ends the session, and is no success of anything.
fn is_violation(bytes: &[u8]) {
    let (reported, mut client) = events(&awaiting_mail(), bytes, true);
    let shown = bytes.escape_ascii();
    assert!(reported[0].starts_with("Violation"), "{shown}: {reported:?}");
    assert_eq!(&reported[1..], ["Unanswered { to: Mail }", "Closed"], "{shown}");
    assert_eq!(send(&mut client, &rcpt()), Err(SendError::Closed), "{shown}");
}

#[test]
fn v57_a_code_that_changes() {
    for bytes in ["250-a\r\n550 b\r\n", "550-a\r\n250 b\r\n", "250-a\r\n251 b\r\n", "250-a\r\n25"] {
        if bytes.ends_with("25") {
            let (reported, _) = events(&awaiting_mail(), bytes.as_bytes(), true);
            assert_eq!(reported, ["Unanswered { to: Mail }", "Closed"]);
        } else {
            is_violation(bytes.as_bytes());
        }
    }
}

/// bpo-16042 and its kin: the limits are 4 KiB for a line, and 1,000 lines or 64 KiB in all.
#[test]
fn v59_replies_without_end() {
    for (piece, most) in
        [(&b"250-X\r\n"[..], 7000), (b"x", 4096), (&[b'x'; 1000], 5000), (b"250-\r\n", 6000)]
    {
        let mut client = awaiting_mail();
        let mut unread = if piece[0] == b'x' { b"250 ".to_vec() } else { Vec::new() };
        loop {
            let received = client.receive(&unread);
            match received.event {
                Event::NeedInput => {}
                Event::Violation(_) => break,
                other => panic!("{other:?}"),
            }
            unread.drain(..received.consumed);
            unread.extend_from_slice(piece);
            assert!(unread.len() <= most + piece.len(), "{} bytes are kept", unread.len());
        }
        assert_eq!(send(&mut client, &rcpt()), Err(SendError::Closed));
    }
}

#[test]
fn v60_codes_that_are_none() {
    for bytes in [
        "150 x\r\n",
        "650 x\r\n",
        "000 x\r\n",
        "25 x\r\n",
        "2500 OK\r\n",
        "+250 OK\r\n",
        "250_OK\r\n",
        "250OK\r\n",
        "ABC x\r\n",
        " 250 OK\r\n",
        "\r\n",
        "２５０ OK\r\n",
        "HTTP/1.1 400 Bad Request\r\n",
        "250 OK\n",
        "250 OK\rx\r\n",
        "-ERR\r\n",
    ] {
        is_violation(bytes.as_bytes());
    }
    // A second digit that no RFC has: the first one counts.
    for (reply, state) in
        [("299 x\r\n", State::Mail), ("260\r\n", State::Mail), ("599 x\r\n", State::Ready)]
    {
        let mut client = awaiting_mail();
        hear(&mut client, reply);
        assert_eq!(client.state(), state, "{reply}");
    }
}

#[test]
fn v61_a_reply_that_is_cut_off() {
    for bytes in ["", "2", "250", "250 ", "250 OK", "250 OK\r", "250-OK\r\n", "250-OK\r\n250"] {
        let (reported, mut client) = events(&awaiting_mail(), bytes.as_bytes(), true);
        assert_eq!(reported, ["Unanswered { to: Mail }", "Closed"], "{bytes:?}");
        assert_eq!(send(&mut client, &rcpt()), Err(SendError::Closed));
    }
}

/// Bytes behind the last reply that was awaited: found before the next command, not after it.
#[test]
fn v62_more_than_was_asked() {
    for more in ["250 more\r\n", "2", "\r\n", "250-x\r\n"] {
        let mut client = awaiting_mail();
        let bytes = format!("250 ok\r\n{more}");
        let received = client.receive(bytes.as_bytes());
        assert!(matches!(received.event, Event::Reply { .. }));
        assert_eq!(send(&mut client, &rcpt()), Err(SendError::OutOfStep), "{more:?}");
    }
    // It came later, but was there before the command: whoever asks the machine first is told.
    let mut client = awaiting_mail();
    hear(&mut client, "250 ok\r\n");
    Machine::wants(&mut client, b"250 more");
    assert_eq!(send(&mut client, &rcpt()), Err(SendError::OutOfStep));
    let (reported, _) = events(&awaiting_mail(), b"250 ok\r\n250 more\r\n", false);
    assert_eq!(reported[1..], ["Unsolicited(Reply(250 more))", "Closed"]);
    // A reply to each command that is in flight is none too many.
    let mut client = after(ClientConfig::DEFAULT, PIPELINING);
    for command in [mail(), rcpt(), rcpt()] {
        send(&mut client, &command).expect("a group");
    }
    let (reported, mut client) = events(&client, b"250 a\r\n250 b\r\n250 c\r\n", false);
    assert_eq!(reported.len(), 3);
    assert!(send(&mut client, &rcpt()).is_ok());
}

#[test]
fn v63_a_421_fails_all_that_is_in_flight() {
    let group = [mail(), rcpt(), rcpt(), Command::Data];
    let verbs = ["Mail", "Rcpt", "Rcpt", "Data"];
    for place in 0..group.len() {
        let mut client = after(ClientConfig::DEFAULT, PIPELINING);
        for command in &group {
            send(&mut client, command).expect("a group");
        }
        let bytes = "250 ok\r\n".repeat(place) + "421 closing\r\n250 ok\r\n354 go\r\n";
        let (reported, mut client) = run(&client, bytes.as_bytes());
        let answered = reported.iter().filter(|event| event.starts_with("Reply")).count();
        assert_eq!(answered, place + 1);
        let expected: Vec<String> =
            verbs[place + 1..].iter().map(|verb| format!("Unanswered {{ to: {verb} }}")).collect();
        assert_eq!(reported[place + 1..reported.len() - 1], expected);
        assert_eq!(reported.last().map(String::as_str), Some("Closed"));
        assert_eq!(send(&mut client, &Command::Quit), Err(SendError::Closed));
        assert!(!client.wants_content());
    }
    // Also where nothing was asked.
    let mut idle = after(ClientConfig::DEFAULT, PLAIN);
    let event = format!("{:?}", idle.receive(b"421 closing\r\n").event);
    assert_eq!(event, "Unsolicited(Reply(421 closing))");
    assert_eq!((idle.state(), idle.receive(b"").event), (State::Closed, Event::Closed));
}

/// As `events`, but what is the same twice stays so.
fn run(client: &Client, bytes: &[u8]) -> (Vec<String>, Client) {
    let mut client = client.clone();
    let mut rest = bytes;
    let mut events = Vec::new();
    loop {
        let received = client.receive(rest);
        rest = &rest[received.consumed..];
        events.push(format!("{:?}", received.event));
        if received.event == Event::Closed {
            return (events, client);
        }
    }
}

#[test]
fn v64_offers_that_are_none() {
    let reply = "250-Hello client\r\n250-XSTARTTLS\r\n250-STARTTLSX\r\n250-AUTH=LOGIN\r\n\
                 250-size 99999999999999999999999999\r\n250-8bitmime \r\n250-8BITMIME\r\n250-X-\u{1}\r\n\
                 250-PIPELINING:\r\n250-CHUNKINGS\r\n250 \r\n";
    let client = after(ClientConfig::DEFAULT, reply);
    let offered = client.capabilities();
    for extension in [Extension::StartTls, Extension::Pipelining, Extension::Chunking] {
        assert!(!offered.contains(extension), "{extension:?}");
    }
    assert!(offered.contains(Extension::EightBitMime) && offered.contains(Extension::Auth));
    assert_eq!(offered.size(), None);
    // The first line is a name, whatever it looks like.
    let client = after(ClientConfig::DEFAULT, "250 STARTTLS\r\n");
    assert!(client.capabilities().is_empty());
}

#[test]
fn v65_control_bytes_are_kept_and_escaped() {
    let bytes = b"550 a\x1b[2J\x07\xff\xc2\x85\\\r\n";
    let policy = Policy::STRICT.with_any_reply_text(true);
    let Ok(Parsed::Complete { value, .. }) = Reply::parse(bytes, &policy) else { panic!() };
    assert_eq!(value.text(), &bytes[4..bytes.len() - 2]);
    for shown in [format!("{value}"), format!("{value:?}")] {
        assert!(shown.bytes().all(|byte| matches!(byte, 32..=126)), "{shown:?}");
    }
    // NUL, and a bare CR or LF, are in no reply.
    for bytes in [&b"550 a\0b\r\n"[..], b"550 a\rb\r\n", b"550 a\nb\r\n"] {
        is_violation(bytes);
    }
}

#[test]
fn v67_greetings() {
    for refusal in ["554 go away\r\n", "421 later\r\n", "521 no mail\r\n", "450 x\r\n"] {
        let mut client = Client::new(ClientConfig::DEFAULT);
        hear(&mut client, refusal);
        let is_over = refusal.starts_with("421");
        let state = if is_over { State::Closed } else { State::Rejected };
        assert_eq!(client.state(), state, "{refusal}");
        assert!(send(&mut client, &ehlo()).is_err());
        assert_eq!(send(&mut client, &Command::Quit).is_ok(), !is_over);
    }
    for fine in ["220 ********\r\n", "220-mx.example\r\n220-no spam\r\n220 \r\n", "220\r\n"] {
        let mut client = Client::new(ClientConfig::DEFAULT);
        hear(&mut client, fine);
        assert_eq!(client.state(), State::Start, "{fine}");
    }
    for wrong in ["250 mx.example\r\n", "354 go\r\n", "221 bye\r\n", "334 \r\n"] {
        let (reported, mut client) =
            events(&Client::new(ClientConfig::DEFAULT), wrong.as_bytes(), false);
        assert_eq!((reported.len(), &*reported[1]), (2, "Closed"), "{wrong}");
        assert_eq!(send(&mut client, &ehlo()), Err(SendError::Closed), "{wrong}");
        assert_eq!(send(&mut client, &Command::Quit), Err(SendError::Closed), "{wrong}");
    }
}

#[test]
fn v98_timeouts() {
    let mut client = Client::new(ClientConfig::DEFAULT);
    assert_eq!(client.timeout(), limits::GREETING_TIMEOUT);
    client = after(ClientConfig::DEFAULT, PLAIN);
    send(&mut client, &mail()).expect("MAIL");
    assert_eq!(client.timeout(), limits::MAIL_TIMEOUT);
    hear(&mut client, "250 ok\r\n");
    send(&mut client, &rcpt()).expect("RCPT");
    assert_eq!(client.timeout(), limits::RCPT_TIMEOUT);
    hear(&mut client, "250 ok\r\n");
    send(&mut client, &Command::Data).expect("DATA");
    assert_eq!(client.timeout(), limits::DATA_TIMEOUT);
    hear(&mut client, "354 go\r\n");
    assert_eq!(client.timeout(), limits::DATA_BLOCK_TIMEOUT);
    client.end_mail_data(&mut [0; 8]).expect("the end");
    assert_eq!(client.timeout(), limits::MESSAGE_TIMEOUT);
}

/// A server that says more than it was asked is heard once, and the session is over, however what it
/// says is cut.
#[test]
fn the_first_reply_to_nothing_ends_the_session() {
    for more in
        ["250 b\r\n250 c\r\n", "250 b\r\n421 c\r\n", "250-b\r\n250 c\r\n421 d", "250 b\r\nx\r\n"]
    {
        for end in [false, true] {
            let said = format!("220 a\r\n{more}");
            let (events, _) = events(&Client::new(ClientConfig::DEFAULT), said.as_bytes(), end);
            assert_eq!(events.len(), 3, "{more}: {events:#?}");
            assert!(events[0].starts_with("Reply") && events[1].starts_with("Unsolicited"));
            assert_eq!(events[2], "Closed");
        }
    }
}

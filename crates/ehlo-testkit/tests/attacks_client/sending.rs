//! What a client sends, and what it makes of what became of it.

use ehlo::client::Event;
use ehlo::data::{Newlines, Progress};
use ehlo::session::State;
use ehlo::syntax::command::Verb;
use ehlo::syntax::parameter::{Body, Parameter, Parameters};
use ehlo::syntax::path::ClientName;
use ehlo::{Client, ClientConfig, Command, Extension, ForwardPath, ReversePath, SendError};

use crate::{PIPELINING, PLAIN, after, events, hear, mail, rcpt, send};

const CHUNKING: &str = "250-mx.example\r\n250-CHUNKING\r\n250-BINARYMIME\r\n250 8BITMIME\r\n";

fn content(client: &mut Client, content: &[u8]) -> Result<Progress, SendError> {
    client.mail_data(content, &mut [0; 256])
}

fn open(client: &mut Client) {
    send(client, &mail()).expect("MAIL");
    hear(client, "250 ok\r\n");
    send(client, &rcpt()).expect("RCPT");
    hear(client, "250 ok\r\n");
}

fn mail_with<'a>(parameters: &'a [Parameter<'a>]) -> Command<'a> {
    Command::Mail {
        reverse_path: ReversePath::new("a@b.example").expect("a path"),
        parameters: Parameters::mail(parameters).expect("parameters"),
    }
}

#[test]
fn v21_only_a_3yz_opens_the_data() {
    for reply in ["354 go\r\n", "350 go\r\n", "334 \r\n", "399 x\r\n"] {
        let mut client = after(ClientConfig::DEFAULT, PLAIN);
        open(&mut client);
        send(&mut client, &Command::Data).expect("DATA");
        hear(&mut client, reply);
        assert!(client.wants_content() && content(&mut client, b"x").is_ok(), "{reply}");
    }
    for reply in ["250 ok\r\n", "220 ok\r\n", "450 x\r\n", "550 x\r\n"] {
        let mut client = after(ClientConfig::DEFAULT, PLAIN);
        open(&mut client);
        send(&mut client, &Command::Data).expect("DATA");
        assert!(content(&mut client, b"x").is_err(), "before the reply");
        hear(&mut client, reply);
        assert!(!client.wants_content());
        let refused = content(&mut client, b"x");
        assert!(matches!(refused, Err(SendError::OutOfState { .. })), "{reply}");
        assert!(client.end_mail_data(&mut [0; 8]).is_err(), "{reply}");
    }
    // RFC 2920 §3.1: 354 though every recipient was refused: nothing but the dot.
    let mut client = after(ClientConfig::DEFAULT, PIPELINING);
    for command in [mail(), rcpt(), Command::Data] {
        send(&mut client, &command).expect("a group");
    }
    for reply in ["250 ok\r\n", "550 no\r\n", "354 go\r\n"] {
        hear(&mut client, reply);
    }
    assert_eq!(content(&mut client, b"secret"), Err(SendError::NoRecipients));
    let mut out = [0; 8];
    assert_eq!(client.end_mail_data(&mut out), Ok(3));
    assert_eq!(&out[..3], b".\r\n");
}

#[test]
fn v22_content_goes_as_it_was_announced() {
    // 8-bit content that was not announced, or cannot be.
    let mut client = after(ClientConfig::DEFAULT, PLAIN);
    open(&mut client);
    send(&mut client, &Command::Data).expect("DATA");
    hear(&mut client, "354 go\r\n");
    assert!(content(&mut client, b"7-bit\r\n").is_ok());
    assert_eq!(content(&mut client, b"8-b\xeft\r\n"), Err(SendError::EightBitContent));
    let eight_bit = [Parameter::Body(Body::EightBitMime)];
    let mut client = after(ClientConfig::DEFAULT, PLAIN);
    let refused = send(&mut client, &mail_with(&eight_bit));
    assert_eq!(refused, Err(SendError::NotOffered(Extension::EightBitMime)));
    let mut client = after(ClientConfig::DEFAULT, CHUNKING);
    send(&mut client, &mail_with(&eight_bit)).expect("MAIL");
    hear(&mut client, "250 ok\r\n");
    send(&mut client, &rcpt()).expect("RCPT");
    hear(&mut client, "250 ok\r\n");
    send(&mut client, &Command::Data).expect("DATA");
    hear(&mut client, "354 go\r\n");
    assert!(content(&mut client, b"8-b\xeft\r\n").is_ok());
    // Binary content by BDAT alone.
    let binary = [Parameter::Body(Body::BinaryMime)];
    let mut client = after(ClientConfig::DEFAULT, "250-mx.example\r\n250 CHUNKING\r\n");
    let refused = send(&mut client, &mail_with(&binary));
    assert_eq!(refused, Err(SendError::NotOffered(Extension::BinaryMime)));
    let mut client = after(ClientConfig::DEFAULT, CHUNKING);
    send(&mut client, &mail_with(&binary)).expect("MAIL");
    hear(&mut client, "250 ok\r\n");
    send(&mut client, &rcpt()).expect("RCPT");
    hear(&mut client, "250 ok\r\n");
    assert_eq!(send(&mut client, &Command::Data), Err(SendError::BinaryByData));
    send(&mut client, &Command::Bdat { size: 4, last: true }).expect("BDAT");
    assert!(content(&mut client, b"\0\xff\n\r").is_ok());
}

#[test]
fn v78_chunks_are_counted() {
    let mut client = after(ClientConfig::DEFAULT, PLAIN);
    open(&mut client);
    let chunk = |size, last| Command::Bdat { size, last };
    assert_eq!(send(&mut client, &chunk(1, true)), Err(SendError::NotOffered(Extension::Chunking)));

    let mut client = after(ClientConfig::DEFAULT, CHUNKING);
    open(&mut client);
    assert_eq!(send(&mut client, &chunk(5, false)).as_deref(), Ok("BDAT 5\r\n"));
    assert_eq!(send(&mut client, &Command::Rset), Err(SendError::ChunkIncomplete));
    let all = content(&mut client, b"abcdefgh").expect("a chunk");
    assert_eq!((all.consumed, all.written), (5, 5), "no more than was announced");
    assert!(!client.wants_content());
    hear(&mut client, "250 ok\r\n");
    assert_eq!(send(&mut client, &chunk(0, true)).as_deref(), Ok("BDAT 0 LAST\r\n"));
    hear(&mut client, "250 taken\r\n");
    assert_eq!(client.state(), State::Ready);

    // After a refusal no more chunks, only RSET.
    for reply in ["452 full\r\n", "554 no\r\n"] {
        let mut client = after(ClientConfig::DEFAULT, CHUNKING);
        open(&mut client);
        send(&mut client, &chunk(1, false)).expect("BDAT");
        content(&mut client, b"x").expect("a chunk");
        hear(&mut client, reply);
        let refused = send(&mut client, &chunk(1, true));
        assert!(matches!(refused, Err(SendError::OutOfState { .. })), "{refused:?}");
        assert!(send(&mut client, &Command::Rset).is_ok());
    }
    // The session is over within a chunk: no byte of it is sent any more.
    let mut client = after(ClientConfig::DEFAULT, CHUNKING);
    open(&mut client);
    send(&mut client, &chunk(5, true)).expect("BDAT");
    hear(&mut client, "421 closing\r\n");
    assert!(!client.wants_content());
    assert_eq!(content(&mut client, b"abcde"), Err(SendError::Closed));
}

#[test]
fn v95_lock_step_and_the_ends_of_groups() {
    let mut client = after(ClientConfig::DEFAULT, PLAIN);
    send(&mut client, &mail()).expect("MAIL");
    assert_eq!(send(&mut client, &rcpt()), Err(SendError::NotPipelining));
    // RFC 2920 §3.1: these are the last of their group.
    let offer = "250-mx.example\r\n250-PIPELINING\r\n250-STARTTLS\r\n250 AUTH SCRAM-SHA-256\r\n";
    let mechanism = ehlo::syntax::command::Mechanism::new("SCRAM-SHA-256").expect("a name");
    for last in [
        crate::ehlo(),
        Command::Noop(None),
        Command::Quit,
        Command::StartTls,
        Command::Auth { mechanism, initial_response: None },
        Command::Vrfy {
            argument: ehlo::syntax::command::UserOrList::new("x").expect("a name"),
            smtputf8: false,
        },
        Command::Expn {
            argument: ehlo::syntax::command::UserOrList::new("x").expect("a name"),
            smtputf8: false,
        },
    ] {
        let mut client = after(ClientConfig::DEFAULT, offer);
        send(&mut client, &Command::Rset).expect("RSET");
        send(&mut client, &last).expect("the last of its group");
        assert_eq!(send(&mut client, &Command::Rset), Err(SendError::WaitForReply), "{last:?}");
    }
    // Replies are matched by counting, whatever they say.
    let mut client = after(ClientConfig::DEFAULT, PIPELINING);
    for command in [mail(), rcpt(), rcpt(), Command::Data] {
        send(&mut client, &command).expect("a group");
    }
    let bytes = b"250 RCPT ok\r\n550 MAIL\r\n250 2.1.0 sender ok\r\n354 go\r\n";
    let (reported, client) = events(&client, bytes, false);
    for (event, verb) in reported.iter().zip(["Mail", "Rcpt", "Rcpt", "Data"]) {
        assert!(event.starts_with(&format!("Reply {{ to: {verb},")), "{event}");
    }
    assert_eq!((client.accepted(), client.state()), (1, State::Data));
}

#[test]
fn v96_no_answer_to_the_message() {
    let mut client = after(ClientConfig::DEFAULT, PLAIN);
    open(&mut client);
    send(&mut client, &Command::Data).expect("DATA");
    hear(&mut client, "354 go\r\n");
    content(&mut client, b"x\r\n").expect("content");
    client.end_mail_data(&mut [0; 8]).expect("the end");
    for bytes in ["", "2", "250 taken", "250 taken\r"] {
        let (reported, _) = events(&client, bytes.as_bytes(), true);
        assert_eq!(reported, ["Unanswered { to: Message }", "Closed"], "{bytes}");
    }
    // An abandoned wait is the same.
    client.abort();
    let verb = Verb::Message;
    assert_eq!(client.receive(b"250 taken\r\n").event, Event::Unanswered { to: verb });
}

#[test]
fn v99_lmtp_replies_are_counted() {
    let mut client = Client::new(ClientConfig::DEFAULT);
    hear(&mut client, "220 mx.example LMTP\r\n");
    send(&mut client, &Command::Lhlo(ClientName::new("client.example").expect("a name")))
        .expect("LHLO");
    hear(&mut client, "250 mx.example\r\n");
    open(&mut client);
    send(&mut client, &rcpt()).expect("RCPT");
    hear(&mut client, "250 ok\r\n");
    send(&mut client, &Command::Data).expect("DATA");
    hear(&mut client, "354 go\r\n");
    client.end_mail_data(&mut [0; 8]).expect("the end");
    // Too few.
    let (reported, _) = events(&client, b"250 one\r\n", true);
    assert!(reported[0].starts_with("Reply { to: Message"));
    assert_eq!(reported[1..], ["Unanswered { to: Message }", "Closed"]);
    // As many as there are recipients.
    let (reported, mut enough) = events(&client, b"250 one\r\n452 two\r\n", false);
    assert_eq!(reported.len(), 2);
    assert!(send(&mut enough, &mail()).is_ok());
    // Too many.
    let (reported, mut many) = events(&client, b"250 one\r\n452 two\r\n250 three\r\n", false);
    assert_eq!(reported[2..], ["Unsolicited(Reply(250 three))", "Closed"]);
    assert_eq!(send(&mut many, &mail()), Err(SendError::Closed));
}

#[test]
fn v100_addresses_in_utf8() {
    let utf8 = "jürgen@b.example";
    let from = ReversePath::new(utf8).expect("a path");
    let to = ForwardPath::new(utf8).expect("a path");
    let announced = [Parameter::SmtpUtf8];
    let offer = "250-mx.example\r\n250-8BITMIME\r\n250 SMTPUTF8\r\n";
    let mail = |parameters| Command::Mail { reverse_path: from, parameters };
    let rcpt = Command::Rcpt { forward_path: to, parameters: Parameters::NONE };

    let mut client = after(ClientConfig::DEFAULT, PLAIN);
    let parameters = Parameters::mail(&announced).expect("parameters");
    let refused = send(&mut client, &mail(parameters));
    assert_eq!(refused, Err(SendError::NotOffered(Extension::SmtpUtf8)));
    assert_eq!(send(&mut client, &mail(Parameters::NONE)), Err(SendError::NeedsSmtpUtf8));
    open(&mut client);
    assert_eq!(send(&mut client, &rcpt), Err(SendError::NeedsSmtpUtf8));

    let mut client = after(ClientConfig::DEFAULT, offer);
    assert_eq!(send(&mut client, &mail(Parameters::NONE)), Err(SendError::NeedsSmtpUtf8));
    assert!(send(&mut client, &mail(parameters)).is_ok());
    hear(&mut client, "250 ok\r\n");
    assert!(send(&mut client, &rcpt).is_ok());
    assert!(ClientName::new("jürgen.example").is_err(), "A-labels in EHLO");
}

/// Content that is pipelined behind what ends another transaction would go to the recipients of that
/// one where the end is refused. Once it is answered, the caller knows.
#[test]
fn v116_no_chunk_goes_behind_the_end_of_another_transaction() {
    const BOTH: &str = "250-mx.example\r\n250-CHUNKING\r\n250 PIPELINING\r\n";
    let chunk = Command::Bdat { size: 1, last: true };
    for end in [Command::Rset, Command::Bdat { size: 0, last: true }] {
        for reply in ["250 ok\r\n", "452 no\r\n"] {
            let mut client = after(ClientConfig::DEFAULT, BOTH);
            open(&mut client);
            for command in [end, mail(), rcpt()] {
                send(&mut client, &command).expect("a command");
            }
            assert_eq!(send(&mut client, &chunk), Err(SendError::WaitForReply));
            hear(&mut client, reply);
            assert!(send(&mut client, &chunk).is_ok(), "{reply}");
        }
    }
}

/// What a policy refuses by DATA it refuses by BDAT, wherever the chunks are cut, and what it lets pass is
/// the same on the wire but for the dots.
#[test]
fn v120_chunks_are_under_the_policy_of_data() {
    const OFFERED: &str = "250-mx.example\r\n250-CHUNKING\r\n250 PIPELINING\r\n";
    const BINARY: &str = "250-mx\r\n250-CHUNKING\r\n250-BINARYMIME\r\n250 PIPELINING\r\n";
    let policies =
        [Newlines::Reject, Newlines::RejectAroundDot, Newlines::Keep, Newlines::Normalise];
    for newlines in policies {
        let config = ClientConfig { newlines, ..ClientConfig::DEFAULT };
        let mut by_data = after(config, OFFERED);
        open(&mut by_data);
        let by_bdat = by_data.clone();
        send(&mut by_data, &Command::Data).expect("DATA");
        hear(&mut by_data, "354 go\r\n");
        for_every(b"\r\n\0.x", 5, &mut |text| {
            let data = by_lines(by_data.clone(), text);
            for cut in 0..=text.len() {
                let pieces = [&text[..cut], &text[cut..]];
                let chunks = by_chunks(by_bdat.clone(), &pieces);
                // A CR at the very end has no room for the LF that it becomes.
                if newlines == Newlines::Normalise && text.ends_with(b"\r") {
                    assert!(chunks.is_err(), "{}", text.escape_ascii());
                } else {
                    assert_eq!(chunks, data, "{newlines:?}: {} at {cut}", text.escape_ascii());
                }
            }
        });
    }
    // What was declared as binary has no lines.

    let binary = [Parameter::Body(Body::BinaryMime)];
    let mut client = after(ClientConfig::DEFAULT, BINARY);
    send(&mut client, &mail_with(&binary)).expect("MAIL");
    hear(&mut client, "250 ok\r\n");
    send(&mut client, &rcpt()).expect("RCPT");
    hear(&mut client, "250 ok\r\n");
    let wire = by_chunks(client, &[b"a\nb\r", b"\0"]);
    assert_eq!(wire.as_deref(), Ok(&b"a\nb\r\0"[..]));
}

/// Every text of at most so many of these bytes.
fn for_every(bytes: &[u8], most: usize, take: &mut dyn FnMut(&[u8])) {
    fn longer(text: &mut Vec<u8>, bytes: &[u8], most: usize, take: &mut dyn FnMut(&[u8])) {
        take(text);
        if text.len() < most {
            for byte in bytes {
                text.push(*byte);
                longer(text, bytes, most, take);
                text.pop();
            }
        }
    }
    longer(&mut Vec::new(), bytes, most, take);
}

/// What goes behind 354, without the end and the dots that were stuffed.
fn by_lines(mut client: Client, text: &[u8]) -> Result<Vec<u8>, SendError> {
    let mut out = [0; 64];
    let progress = client.mail_data(text, &mut out)?;
    assert_eq!(progress.consumed, text.len());
    let end = client.end_mail_data(&mut out[progress.written..])?;
    let wire = &out[..progress.written + end];
    let lines = wire.strip_suffix(b".\r\n").expect("a dot");
    let is_whole = text.is_empty() || ends_line(&out[..progress.written]);
    let lines = if is_whole { lines } else { lines.strip_suffix(b"\r\n").expect("CRLF") };
    // A dot at the beginning of a line of CRLF has another before it.
    let mut content = Vec::new();
    for (place, byte) in lines.iter().enumerate() {
        if !(*byte == b'.' && (place == 0 || lines[..place].ends_with(b"\r\n"))) {
            content.push(*byte);
        }
    }
    Ok(content)
}

fn ends_line(wire: &[u8]) -> bool {
    wire.ends_with(b"\r\n")
}

/// What goes in chunks, one for each piece.
fn by_chunks(mut client: Client, pieces: &[&[u8]]) -> Result<Vec<u8>, SendError> {
    let mut wire = Vec::new();
    for (number, piece) in pieces.iter().enumerate() {
        let last = number + 1 == pieces.len();
        let size = client.chunk_size(piece)?;
        send(&mut client, &Command::Bdat { size, last }).map(drop)?;
        let mut rest = *piece;
        while client.wants_content() {
            let mut out = [0; 3];
            let progress = client.mail_data(rest, &mut out)?;
            assert!(progress.written > 0, "no progress");
            wire.extend(&out[..progress.written]);
            rest = &rest[progress.consumed..];
        }
        assert!(rest.is_empty(), "the size was that of the piece");
    }
    Ok(wire)
}

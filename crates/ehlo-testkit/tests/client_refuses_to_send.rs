//! What a client refuses to send: each check, before a byte is written, and nothing has changed.

use ehlo::client::Event;
use ehlo::data::Newlines;
use ehlo::session::State;
use ehlo::syntax::command::Verb;
use ehlo::syntax::parameter::{Body, Envid, Notify, Orcpt, Parameter, Parameters, Ret};
use ehlo::syntax::path::ClientName;
use ehlo::syntax::sasl::SaslData;
use ehlo::{Client, ClientConfig, Command, Extension, ForwardPath, ReversePath, SendError};

/// A client that has said EHLO, to which this was offered.
fn after(offered: &str) -> Client {
    of_config(ClientConfig::DEFAULT, offered)
}

fn of_config(config: ClientConfig, offered: &str) -> Client {
    let mut client = Client::new(config);
    hear(&mut client, "220 mx.example\r\n");
    let name = ClientName::new("client.example").expect("a name");
    send(&mut client, &Command::Ehlo(name)).expect("EHLO");
    let mut lines = vec!["mx.example"];
    lines.extend(offered.split_terminator(','));
    hear(&mut client, &format!("250-{}\r\n250 HELP\r\n", lines.join("\r\n250-")));
    client
}

fn hear(client: &mut Client, reply: &str) {
    let event = client.receive(reply.as_bytes()).event;
    assert!(matches!(event, Event::Reply { .. }), "{event:?}");
}

/// Sends, and if it is refused makes sure that nothing was written and nothing has changed.
fn send(client: &mut Client, command: &Command<'_>) -> Result<usize, SendError> {
    let before = format!("{client:?}");
    let mut out = [0; 16_384];
    let sent = client.send(command, &mut out);
    if sent.is_err() {
        assert!(out.iter().all(|byte| *byte == 0), "{command:?}");
        assert_eq!(format!("{client:?}"), before, "{command:?}");
    }
    sent
}

fn mail<'a>(address: &'a str, parameters: &'a [Parameter<'a>]) -> Command<'a> {
    Command::Mail {
        reverse_path: ReversePath::new(address).expect("a path"),
        parameters: Parameters::mail(parameters).expect("parameters"),
    }
}

fn rcpt<'a>(address: &'a str, parameters: &'a [Parameter<'a>]) -> Command<'a> {
    Command::Rcpt {
        forward_path: ForwardPath::new(address).expect("a path"),
        parameters: Parameters::rcpt(parameters).expect("parameters"),
    }
}

#[test]
fn a_command_out_of_state_is_refused() {
    let mut client = after("PIPELINING");
    for command in [rcpt("b@x.example", &[]), Command::Data] {
        let state = State::Ready;
        let refused = Err(SendError::OutOfState { state, verb: command.verb() });
        assert_eq!(send(&mut client, &command), refused);
    }
    send(&mut client, &mail("a@x.example", &[])).expect("MAIL");
    let refused = send(&mut client, &mail("a@x.example", &[]));
    assert_eq!(refused, Err(SendError::OutOfState { state: State::Mail, verb: Verb::Mail }));
}

#[test]
fn a_parameter_without_its_extension_is_refused() {
    let envid = Envid::new("id").expect("an identifier");
    let orcpt = Orcpt::new("rfc822", "b@x.example").expect("an address");
    for (parameter, extension) in [
        (Parameter::Size(1), Extension::Size),
        (Parameter::Body(Body::EightBitMime), Extension::EightBitMime),
        (Parameter::Body(Body::BinaryMime), Extension::BinaryMime),
        (Parameter::SmtpUtf8, Extension::SmtpUtf8),
        (Parameter::Ret(Ret::Full), Extension::Dsn),
        (Parameter::Envid(envid), Extension::Dsn),
        (Parameter::RequireTls, Extension::RequireTls),
    ] {
        let parameters = [parameter];
        let refused = send(&mut after(""), &mail("a@x.example", &parameters));
        assert_eq!(refused, Err(SendError::NotOffered(extension)));
    }
    for parameter in [Parameter::Notify(Notify::NEVER), Parameter::Orcpt(orcpt)] {
        let mut client = after("PIPELINING");
        send(&mut client, &mail("a@x.example", &[])).expect("MAIL");
        let refused = send(&mut client, &rcpt("b@x.example", &[parameter]));
        assert_eq!(refused, Err(SendError::NotOffered(Extension::Dsn)));
    }
}

/// RFC 8689 §4.2.1, even if a server offers it outside TLS.
#[test]
fn requiretls_outside_tls_is_refused() {
    let mut client = after("REQUIRETLS,STARTTLS");
    let parameters = [Parameter::RequireTls];
    let command = mail("a@x.example", &parameters);
    assert_eq!(send(&mut client, &command), Err(SendError::TlsRequired));
}

#[test]
fn a_size_over_the_limit_is_refused() {
    let sizes = [Parameter::Size(1000), Parameter::Size(1001)];
    let [within, over] =
        sizes.each_ref().map(|size| mail("a@x.example", std::slice::from_ref(size)));
    let mut client = after("SIZE 1000");
    assert_eq!(send(&mut client, &over), Err(SendError::MessageTooLarge));
    assert!(send(&mut client, &within).is_ok());
    // RFC 1870 §4: without a number, or with 0, there is no fixed maximum.
    for offered in ["SIZE", "SIZE 0"] {
        assert!(send(&mut after(offered), &over).is_ok());
    }
}

#[test]
fn utf8_without_smtputf8_is_refused() {
    let utf8 = [Parameter::SmtpUtf8];
    let mut client = after("SMTPUTF8,8BITMIME,DSN,PIPELINING");
    let refused = send(&mut client, &mail("jürgen@x.example", &[]));
    assert_eq!(refused, Err(SendError::NeedsSmtpUtf8));
    // RFC 6533 §3: an original recipient in UTF-8, too.
    let orcpt =
        [Parameter::Orcpt(Orcpt::from_encoded("utf-8;jürgen@x.example").expect("an address"))];
    send(&mut client, &mail("a@x.example", &[])).expect("MAIL");
    for command in [rcpt("jürgen@x.example", &[]), rcpt("b@x.example", &orcpt)] {
        assert_eq!(send(&mut client, &command), Err(SendError::NeedsSmtpUtf8), "{command:?}");
    }
    send(&mut client, &Command::Rset).expect("RSET");
    send(&mut client, &mail("jürgen@x.example", &utf8)).expect("MAIL");
    for command in [rcpt("jürgen@x.example", &[]), rcpt("b@x.example", &orcpt)] {
        assert!(send(&mut client, &command).is_ok(), "{command:?}");
    }
}

/// RFC 9422 §4.
#[test]
fn messages_and_recipients_over_the_limits_are_refused() {
    let mut client = after("PIPELINING,LIMITS RCPTMAX=2 MAILMAX=2");
    for _ in 0..2 {
        send(&mut client, &mail("a@x.example", &[])).expect("MAIL");
        for address in ["b@x.example", "c@x.example"] {
            send(&mut client, &rcpt(address, &[])).expect("RCPT");
        }
        let refused = send(&mut client, &rcpt("d@x.example", &[]));
        assert_eq!(refused, Err(SendError::TooManyRecipients));
        send(&mut client, &Command::Rset).expect("RSET");
    }
    let refused = send(&mut client, &mail("a@x.example", &[]));
    assert_eq!(refused, Err(SendError::TooManyMessages));
}

#[test]
fn domains_over_the_limit_are_refused() {
    let mut client = after("PIPELINING,LIMITS RCPTDOMAINMAX=2");
    let many = |client: &mut Client, addresses: &[&str]| {
        send(client, &mail("a@x.example", &[])).expect("MAIL");
        let sent = addresses.iter().map(|address| send(client, &rcpt(address, &[])).map(|_| ()));
        let sent: Vec<_> = sent.collect();
        send(client, &Command::Rset).expect("RSET");
        sent
    };
    let over = Err(SendError::TooManyDomains);
    // Without regard to case, and the postmaster has none.
    let all = ["b@x.example", "c@Y.example", "d@y.example", "e@z.example", "Postmaster"];
    assert_eq!(many(&mut client, &all), [Ok(()), Ok(()), Ok(()), over, Ok(())]);
    // Those of the transaction before count, too.
    assert_eq!(many(&mut client, &["e@z.example", "b@x.example"]), [over, Ok(())]);
    assert_eq!(many(&mut client, &["e@[192.0.2.1]"]), [over]);
    // More than can be remembered are the server's to count.
    let mut client = after("PIPELINING,LIMITS RCPTDOMAINMAX=9");
    let addresses: Vec<String> = (0..20).map(|n| format!("b@{n}.example")).collect();
    let addresses: Vec<&str> = addresses.iter().map(String::as_str).collect();
    assert!(many(&mut client, &addresses).iter().all(Result::is_ok));
    let mut client = after("PIPELINING,LIMITS RCPTDOMAINMAX=8");
    let sent = many(&mut client, &addresses);
    assert!(sent[..8].iter().all(Result::is_ok) && sent[8..].iter().all(|sent| *sent == over));
}

/// RFC 5321 §4.5.3.1.4, and what parameters add to it.
#[test]
fn lines_that_are_too_long_are_refused() {
    let text = |length: usize| "x".repeat(length);
    let verb = ehlo::syntax::command::OtherVerb::new("XLONG").expect("a verb");
    let long = [text(504), text(505)];
    let [within, over] = long.each_ref().map(|rest| {
        let argument = Some(ehlo::syntax::path::Text::new(rest).expect("a text"));
        Command::Other { verb, argument }
    });
    assert_eq!(send(&mut after(""), &over), Err(SendError::LineTooLong));
    assert_eq!(send(&mut after(""), &within), Ok(512));
    // 256 of the path, and 500 of ORCPT, which RFC 3461 §4.2 adds to the line.
    let local = text(64);
    let address = format!("{local}@{}.{}.{}", text(63), text(63), text(60));
    let orcpt = format!("{}@x.example", text(480));
    let orcpt = [Parameter::Orcpt(Orcpt::new("rfc822", &orcpt).expect("an address"))];
    let mut client = after("DSN,PIPELINING");
    send(&mut client, &mail("a@x.example", &[])).expect("MAIL");
    assert!(send(&mut client, &rcpt(&address, &orcpt)).is_ok());
}

/// RFC 4954 §4: a line of the exchange has at most 12,288 bytes with its CRLF.
#[test]
fn responses_that_are_too_long_are_refused() {
    for (bytes, fits) in [(9213, true), (9216, false)] {
        let mut client = after("AUTH SCRAM-SHA-256");
        let mechanism =
            ehlo::syntax::command::Mechanism::new("SCRAM-SHA-256").expect("a mechanism");
        send(&mut client, &Command::Auth { mechanism, initial_response: None }).expect("AUTH");
        hear(&mut client, "334 \r\n");
        let data = vec![b'x'; bytes];
        let response = ehlo::syntax::sasl::Response::Data(SaslData::new(&data));
        let mut out = [0; 16_384];
        let sent = client.respond(&response, &mut out);
        if fits {
            assert!(sent.is_ok_and(|written| written <= 12_288), "{sent:?}");
        } else {
            assert_eq!(sent, Err(SendError::LineTooLong));
        }
    }
}

#[test]
fn content_that_does_not_fill_its_chunk_is_refused() {
    let config = ClientConfig { newlines: Newlines::Normalise, ..ClientConfig::DEFAULT };
    // A CRLF that stands for one byte at the end of a chunk; a CR that would need an LF behind it.
    for (size, content) in [(1, "\n"), (1, "\r"), (2, "a\r"), (4, "a\n\r")] {
        let mut client = of_config(config, "CHUNKING");
        send(&mut client, &mail("a@x.example", &[])).expect("MAIL");
        hear(&mut client, "250 ok\r\n");
        send(&mut client, &rcpt("b@x.example", &[])).expect("RCPT");
        hear(&mut client, "250 ok\r\n");
        send(&mut client, &Command::Bdat { size, last: true }).expect("BDAT");
        let before = format!("{client:?}");
        let refused = client.mail_data(content.as_bytes(), &mut [0; 64]);
        assert_eq!(refused, Err(SendError::ChunkIncomplete), "{content:?}");
        assert_eq!(format!("{client:?}"), before, "{content:?}");
        let filled =
            client.mail_data(&b"abcd"[..usize::try_from(size).expect("few")], &mut [0; 64]);
        assert!(filled.is_ok() && !client.wants_content(), "{content:?}");
    }
}

//! Sizes of RFC 5321 §4.5.3.1: what is received may be longer, what is sent may not unless it is
//! allowed.
#![allow(clippy::unwrap_used)] // a test fails by panicking

use ehlo::client::Event as ClientEvent;
use ehlo::server::Event;
use ehlo::syntax::SyntaxErrorKind as Kind;
use ehlo::syntax::parameter::{AuthIdentity, Parameter, Parameters, XtextMailbox};
use ehlo::{
    Client, ClientConfig, Command, ForwardPath, Policy, ReversePath, SendError, Server,
    ServerConfig,
};

/// A local part of 65 bytes, one of 300, a quoted one, a path of more than 256 bytes with a local part
/// of 64, one with a source route.
fn long_paths() -> Vec<String> {
    let domain = format!("{0}.{0}.{0}.example", "b".repeat(63));
    vec![
        format!("<{}@d.example>", "x".repeat(65)),
        format!("<{}@d.example>", "x".repeat(300)),
        format!("<\"{}\"@d.example>", "x".repeat(63)),
        format!("<{}@{domain}>", "x".repeat(64)),
        format!("<@{domain}:{}@d.example>", "x".repeat(60)),
    ]
}

#[test]
fn a_server_takes_them_unless_it_is_told_not_to() {
    for path in long_paths() {
        for lines in
            [format!("MAIL FROM:{path}\r\n"), format!("MAIL FROM:<>\r\nRCPT TO:{path}\r\n")]
        {
            let said = format!("EHLO c.example\r\n{lines}");
            for (policy, is_taken) in [
                (ServerConfig::DEFAULT.policy, true),
                (Policy::LENIENT, true),
                (Policy::STRICT, false),
                (Policy::LENIENT.with_any_length(false), false),
            ] {
                let mut server = Server::new(ServerConfig { policy, ..ServerConfig::DEFAULT });
                server.reply(&server.standard_reply("mx.example"), &mut [0; 512]).unwrap();
                assert_eq!(is_command(&mut server, said.as_bytes()), is_taken, "{said} {policy:?}");
            }
        }
    }
}

/// Whether the last of these commands is one that the application is asked about.
fn is_command(server: &mut Server, said: &[u8]) -> bool {
    let mut rest = said;
    let mut is_command = false;
    while !rest.is_empty() {
        let received = server.receive(rest);
        rest = &rest[received.consumed..];
        is_command = matches!(received.event, Event::Command(_));
        if !matches!(received.event, Event::NeedInput) {
            let reply = server.standard_reply("mx.example");
            server.reply(&reply, &mut [0; 1024]).unwrap();
        }
    }
    is_command
}

#[test]
fn strict_parsing_keeps_the_sizes() {
    for path in long_paths() {
        let kind = ForwardPath::parse(path.as_bytes(), &Policy::STRICT).unwrap_err().kind;
        assert!(matches!(kind, Kind::LocalPartTooLong | Kind::PathTooLong), "{path}: {kind:?}");
        assert_eq!(ForwardPath::new(&path).unwrap_err().kind, kind);
        let lenient = ForwardPath::parse(path.as_bytes(), &Policy::LENIENT).unwrap();
        assert!(!lenient.is_within_limits());
        assert_eq!(lenient.to_string(), path);
        assert_eq!(format!("{lenient:?}"), path);
        assert_eq!(lenient.path().unwrap().to_string(), path);
        let mailbox = lenient.mailbox().unwrap();
        assert_eq!(mailbox.to_string(), format!("{}@{}", mailbox.local_part(), mailbox.domain()));
    }
    let longest = format!("<{}@d.example>", "x".repeat(64));
    assert!(ForwardPath::new(&longest).unwrap().is_within_limits());
    // No line is so long.
    let endless = format!("<{}@d.example>", "x".repeat(70_000));
    let error = ForwardPath::parse(endless.as_bytes(), &Policy::LENIENT).unwrap_err();
    assert_eq!(error.kind, Kind::LocalPartTooLong);
}

#[test]
fn a_client_sends_them_only_where_its_policy_has_them() {
    for path in long_paths() {
        let reverse_path = ReversePath::parse(path.as_bytes(), &Policy::LENIENT).unwrap();
        let forward_path = ForwardPath::parse(path.as_bytes(), &Policy::LENIENT).unwrap();
        let mail = Command::Mail { reverse_path, parameters: Parameters::NONE };
        let rcpt = Command::Rcpt { forward_path, parameters: Parameters::NONE };
        let mut out = [0; 1024];
        let mut client = greeted(ClientConfig::DEFAULT);
        assert_eq!(client.send(&mail, &mut out), Err(SendError::PathTooLong));
        transaction(&mut client);
        assert_eq!(client.send(&rcpt, &mut out), Err(SendError::PathTooLong));

        let policy = ClientConfig::DEFAULT.policy.with_any_length(true);
        let mut client = greeted(ClientConfig { policy, ..ClientConfig::DEFAULT });
        let written = client.send(&mail, &mut out).unwrap();
        assert_eq!(&out[..written], format!("MAIL FROM:{path}\r\n").as_bytes());
    }
}

fn greeted(config: ClientConfig) -> Client {
    let mut client = Client::new(config);
    heard(&mut client, b"220 mx.example\r\n");
    let hello = Command::parse_line(b"EHLO c.example", &Policy::STRICT).unwrap();
    client.send(&hello, &mut [0; 512]).unwrap();
    heard(&mut client, b"250 mx.example\r\n");
    client
}

fn transaction(client: &mut Client) {
    let mail = Command::parse_line(b"MAIL FROM:<>", &Policy::STRICT).unwrap();
    client.send(&mail, &mut [0; 512]).unwrap();
    heard(client, b"250 OK\r\n");
}

fn heard(client: &mut Client, said: &[u8]) {
    assert!(matches!(client.receive(said).event, ClientEvent::Reply { .. }));
}

#[test]
fn a_mailbox_in_a_parameter_is_as_long() {
    let line = format!("MAIL FROM:<> AUTH={}+2B@d.example", "x".repeat(300));
    let error = Command::parse_line(line.as_bytes(), &Policy::STRICT).unwrap_err();
    assert_eq!(error.kind, Kind::ParameterValue);
    let Command::Mail { parameters, .. } =
        Command::parse_line(line.as_bytes(), &Policy::LENIENT).unwrap()
    else {
        panic!("it is MAIL")
    };
    let Some(Parameter::Auth(AuthIdentity::Mailbox(mailbox))) = parameters.iter().next() else {
        panic!("it is AUTH")
    };
    let mut room = [0; 512];
    let decoded = mailbox.decode(&mut room).unwrap();
    assert_eq!(decoded.local_part().as_bytes().len(), 301);
    assert_eq!(parameters.to_string(), line["MAIL FROM:<> ".len()..]);
    assert!(XtextMailbox::new(&decoded.to_string()).is_err());
}

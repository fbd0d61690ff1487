//! What is told of the server's words.

use std::net::TcpListener;

use ehlo::Extension;
use serde_json::Value;

use crate::server::Script;
use crate::{dns, probe, told};

#[test]
fn every_keyword_has_its_sentence() {
    let dns = dns::Server::start();
    let mut reply = "250-mx.test\r\n".to_owned();
    for extension in Extension::ALL {
        let parameters = match extension {
            Extension::FutureRelease => " 3600 2030-01-31T00:00:00Z",
            Extension::Limits => " RCPTMAX=20 MAILMAX=5 X-OWN=1",
            _ => "",
        };
        reply += &["250-", extension.keyword(), parameters, "\r\n"].concat();
    }
    reply += "250 X-OWN a b\r\n";
    let told = told(&Script::sound().with("EHLO", reply).start(), &dns, &["--tls", "off"]);
    let keywords = told.json["ehlo"]["keywords"].as_array().expect("there are some");
    assert_eq!(keywords.len(), Extension::ALL.len() + 1);
    let mut meanings = vec![];
    for (keyword, extension) in keywords.iter().zip(Extension::ALL) {
        assert_eq!(keyword["keyword"], extension.keyword());
        let meaning = keyword["meaning"].as_str().unwrap_or_default();
        assert!(meaning.ends_with('.'), "{keyword}");
        assert!(!meanings.contains(&meaning), "{meaning} is said twice");
        meanings.push(meaning);
    }
    let last = keywords.last().expect("there is one");
    assert_eq!((&last["line"], &last["meaning"]), (&"X-OWN a b".into(), &Value::Null));
    assert!(meanings.contains(
        &"Sets limits: 20 recipients in a transaction, 5 transactions in a session, \
          X-OWN=1 (not known to this program)."
    ));
    assert!(
        meanings.contains(
            &"Holds a message back for up to 3600 seconds, until 2030-01-31 at the latest."
        )
    );
}

#[test]
fn parameters_are_part_of_the_sentence() {
    let dns = dns::Server::start();
    let cases = [
        ("SIZE", "no maximum is announced"),
        ("SIZE 0", "no fixed maximum"),
        ("SIZE 1000", "up to 1000 bytes."),
        ("SIZE 10240000", "up to 10240000 bytes (9.7 MiB)."),
        ("SIZE 18446744073709551615", "(16777215.9 TiB)."),
        (
            "AUTH PLAIN SCRAM-SHA-256 X-OWN",
            "PLAIN (shows the secret to the server), SCRAM-SHA-256, X-OWN (not known to this program).",
        ),
        ("AUTH=LOGIN", "for clients older than RFC 2554"),
        ("AUTH", "names no mechanism"),
        ("DELIVERBY 240", "240 seconds away at least"),
        ("MT-PRIORITY MIXER", "by the profile MIXER"),
        (
            "NO-SOLICITING org.example:ADV,org.example:ADLT",
            "labelled org.example:ADV, org.example:ADLT.",
        ),
        ("BURL imap imap://mail.test", "IMAP server itself: imap, imap://mail.test."),
        ("XCLIENT NAME ADDR", "as a proxy does: NAME, ADDR."),
        ("XFORWARD NAME", "for its log: NAME."),
    ];
    for (line, expected) in cases {
        let reply = format!("250-mx.test\r\n250 {line}\r\n");
        let told = told(&Script::sound().with("EHLO", reply).start(), &dns, &["--tls", "off"]);
        let meaning = told.json["ehlo"]["keywords"][0]["meaning"].as_str();
        assert!(meaning.is_some_and(|meaning| meaning.contains(expected)), "{line}: {meaning:?}");
    }
}

#[test]
fn keywords_that_should_not_be_there_are_found() {
    let dns = dns::Server::start();
    let cases = [
        ("AUTH PLAIN CRAM-MD5", "AUTH invites passwords outside TLS: PLAIN."),
        ("BINARYMIME", "BINARYMIME is offered without CHUNKING."),
        ("SMTPUTF8", "SMTPUTF8 is offered without 8BITMIME."),
        ("REQUIRETLS", "REQUIRETLS is offered outside TLS."),
        ("TURN", "TURN is offered, by which anybody can fetch others' mail."),
        ("X_OWN", "A line of the answer to EHLO is outside the grammar: X_OWN"),
        ("a\x1b[1mb\x07", r"A line of the answer to EHLO is outside the grammar: a\u{1b}[1mb\u{7}"),
    ];
    for (line, expected) in cases {
        let reply = format!("250-mx.test\r\n250 {line}\r\n");
        let told = told(&Script::sound().with("EHLO", reply).start(), &dns, &["--tls", "off"]);
        assert_eq!((told.wrong(), told.code), (vec![expected], Some(1)));
    }
}

#[test]
fn helo_is_tried() {
    let dns = dns::Server::start();
    let refused = Script::sound().with("EHLO", "502 5.5.1 no\r\n").start();
    let told_of_refused = told(&refused, &dns, &[]);
    let wrong = told_of_refused.wrong();
    assert!(wrong.len() == 1 && wrong[0].starts_with("EHLO is refused"), "{wrong:?}");
    assert_eq!(told_of_refused.json["helo"]["code"], 250);

    let none = Script::sound().with("HELO", "502 5.5.1 no\r\n").start();
    assert_eq!(told(&none, &dns, &[]).wrong(), ["Plain HELO is refused: 502 5.5.1 no"]);

    let gone = Script::sound().with("HELO", "").start();
    let expected = "Plain HELO is not answered: \
        the server closed the connection instead of answering HELO.";
    assert_eq!(told(&gone, &dns, &[]).wrong(), [expected]);

    let as_ehlo = Script::sound().with("HELO", "250-mx.test\r\n250 PIPELINING\r\n").start();
    let told_of_extensions = told(&as_ehlo, &dns, &[]);
    let expected = ["HELO is answered with extensions, as if it were EHLO."];
    assert_eq!(told_of_extensions.wrong(), expected);

    // RFC 5321 §4.1.1.1: it takes no address literal.
    let literal = ["--helo", "[192.0.2.10]", "--ip", "192.0.2.10"];
    let told_of_literal = told(&none, &dns, &literal);
    assert_eq!((told_of_literal.code, &told_of_literal.json["helo"]), (Some(0), &Value::Null));
    assert!(told_of_literal.findings("notice")[0].starts_with("HELO was not tried"));
}

#[test]
fn this_machine_has_a_name_to_greet_with() {
    let (dns, server) = (dns::Server::start(), Script::sound().start());
    let output = std::process::Command::new(crate::example("probe"))
        .args([&server, "--json", "--dns", &dns.address])
        .output()
        .expect("probe starts");
    let json: Value = serde_json::from_slice(&output.stdout).expect("it is JSON");
    let name = json["helo_name"].as_str().expect("there is one");
    assert!(ehlo::syntax::path::ClientName::new(name).is_ok(), "{name}");
    // It was not given, so it is not checked.
    assert_eq!(json["checks"].as_array().map(Vec::len), Some(1));
    assert_eq!(output.status.code(), Some(0));
}

#[test]
fn a_server_that_refuses_or_breaks_off_has_findings() {
    let dns = dns::Server::start();
    let busy = Script { greeting: "554 mx.test no\r\n", ..Script::sound() }.start();
    let told_of_busy = told(&busy, &dns, &[]);
    let expected = ["The server refuses to talk to this client: 554 mx.test no"];
    assert_eq!((told_of_busy.wrong(), told_of_busy.code), (expected.to_vec(), Some(1)));

    let gone = Script::sound().with("EHLO", "").start();
    let expected =
        ["The session ended early: the server closed the connection instead of answering EHLO."];
    assert_eq!(told(&gone, &dns, &[]).wrong(), expected);
}

#[test]
fn no_mail_server_is_an_error_of_one_line() {
    let dns = dns::Server::start();
    let greeting = |greeting| Script { greeting, ..Script::sound() }.start();
    let cases = [
        ("127.0.0.1:1".to_owned(), "cannot connect to 127.0.0.1:1: "),
        (greeting("SSH-2.0-OpenSSH_9.2\r\n"), "not a reply of SMTP: "),
        (greeting("250 mx.test\r\n"), "it greets with 250 mx.test"),
    ];
    for (server, expected) in cases {
        let output = probe(&server, &dns, &[]);
        let error = String::from_utf8_lossy(&output.stderr);
        assert!(error.starts_with("probe: ") && error.contains(expected), "{error}");
        assert_eq!((error.lines().count(), output.status.code()), (1, Some(2)), "{error}");
        assert!(output.stdout.is_empty());
    }
}

#[test]
fn a_silent_server_is_waited_for_as_long_as_was_said() {
    let dns = dns::Server::start();
    let silent = TcpListener::bind("127.0.0.1:0").expect("loopback is there");
    let address = silent.local_addr().expect("it is bound").to_string();
    let output = std::process::Command::new(crate::example("probe"))
        .args([&address, "--timeout", "1", "--dns", &dns.address])
        .output()
        .expect("probe starts");
    let error = String::from_utf8_lossy(&output.stderr);
    assert_eq!(error, format!("probe: {address}: no answer within 1s\n"));
    assert_eq!(output.status.code(), Some(2));
}

#[test]
fn colours_are_for_terminals() {
    let (dns, server) = (dns::Server::start(), Script::sound().start());
    for (arguments, coloured) in [
        (&[][..], false),
        (&["--color", "auto"], false),
        (&["--color", "never"], false),
        (&["--color", "always"], true),
        (&["--color", "always", "--json"], false),
    ] {
        let output = probe(&server, &dns, arguments);
        assert_eq!(output.stdout.contains(&0x1b), coloured, "{arguments:?}");
    }
}

#[test]
fn arguments_that_are_wrong_are_told_at_once() {
    let dns = dns::Server::start();
    for (server, arguments) in [
        ("", &[][..]),
        ("a b", &[]),
        ("mx.test:0", &[]),
        ("mx.test:x", &[]),
        ("mx.test:65536", &[]),
        ("[mx.test]:25", &[]),
        ("[::1]25", &[]),
        ("127.0.0.1", &["--helo", ""]),
        ("127.0.0.1", &["--ip", "mx.test"]),
        ("127.0.0.1", &["--timeout", "0"]),
    ] {
        let output = probe(server, &dns, arguments);
        assert_eq!(output.status.code(), Some(2), "{server} {arguments:?}");
        assert!(String::from_utf8_lossy(&output.stderr).starts_with("error: "));
    }
}

#[test]
fn a_firewall_that_rewrites_smtp_is_named() {
    let dns = dns::Server::start();
    let masked = "250-mx.test\r\n250-XXXXXXXA\r\n250 SIZE\r\n";
    let stars = || Script { greeting: "220 ****************************\r\n", ..Script::sound() };
    for script in [
        stars().with("EHLO", "500 5.5.1 Command unrecognized: \"XXXX client.test\"\r\n"),
        stars(),
        Script::sound().with("EHLO", masked),
    ] {
        let told = told(&script.start(), &dns, &[]);
        let wrong = told.wrong();
        assert!(wrong.iter().any(|wrong| wrong.contains("firewall")), "{wrong:?}");
        assert_eq!(told.code, Some(1));
    }
    let told = told(&Script::sound().start(), &dns, &[]);
    assert!(!told.json.to_string().contains("firewall"));
}

#[test]
fn a_session_that_ends_at_ehlo_is_not_asked_for_helo() {
    let dns = dns::Server::start();
    let script = Script::sound().with("EHLO", "421 mx.test not you\r\n");
    let told = told(&script.start(), &dns, &[]);
    let wrong = told.wrong();
    assert!(wrong.iter().any(|wrong| wrong.contains("ends the session at EHLO")), "{wrong:?}");
    assert_eq!(wrong.len(), 1, "{wrong:?}");
}

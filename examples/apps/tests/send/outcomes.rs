//! A line for each recipient, and an exit code by what became of the mail.

use std::ffi::OsStr;

use crate::process::{send, text};
use crate::server::{Script, Server};

const RUNTIMES: [&str; 3] = ["blocking", "tokio", "async-std"];

/// What is printed of two recipients, and the exit code.
fn outcome(address: &str, flags: &[&str]) -> (String, Option<i32>, String) {
    let to = ["--to", "b@example.org", "--to", "c@example.org"];
    let output = send(address, &[&to, flags].concat(), OsStr::new("-"), b"Subject: x\n\nhi\n");
    let error = String::from_utf8_lossy(&output.stderr).into_owned();
    (text(&output), output.status.code(), error)
}

#[test]
fn the_exit_code_tells_what_became_of_the_mail() {
    for (script, words, code) in [
        (&[][..], ["accepted", "accepted"], 0),
        // Whatever is said after that.
        (&[("QUIT", "500 what")], ["accepted", "accepted"], 0),
        (&[("QUIT", "421 bye!")], ["accepted", "accepted"], 0),
        (&[("QUIT", "!")], ["accepted", "accepted"], 0),
        (&[("QUIT", "no reply at all!")], ["accepted", "accepted"], 0),
        (&[(".", "250 taken\r\n221 bye!")], ["accepted", "accepted"], 0),
        (&[(".", "250 taken!")], ["accepted", "accepted"], 0),
        // An answer concerns the mail.
        (&[("", "554 no service!")], ["refused", "refused"], 1),
        (&[("", "421 busy!")], ["deferred", "deferred"], 1),
        (&[("MAIL", "550 no")], ["refused", "refused"], 1),
        (&[("RCPT TO:<c", "450 later")], ["accepted", "deferred"], 1),
        (&[("RCPT", "550 no")], ["refused", "refused"], 1),
        (&[("DATA", "451 later")], ["deferred", "deferred"], 1),
        (&[(".", "451 later")], ["deferred", "deferred"], 1),
        // The session failed, or nothing is known.
        (&[("", "!")], ["deferred", "deferred"], 2),
        (&[("", "nonsense!")], ["deferred", "deferred"], 2),
        (&[("EHLO", "421 busy!")], ["deferred", "deferred"], 2),
        (&[("EHLO", "500 what"), ("HELO", "500 what")], ["refused", "refused"], 2),
        (&[("MAIL", "!")], ["deferred", "deferred"], 2),
        (&[(".", "!")], ["unknown", "unknown"], 2),
    ] {
        let scripts: &'static [Script] = Box::leak(Box::new([script]));
        let server = Server::start(scripts);
        let (lines, status, error) = outcome(&server.address, &[]);
        let printed: Vec<_> = lines.lines().map(|line| line.split(' ').next()).collect();
        assert_eq!(printed, words.map(Some), "{script:?}: {lines}{error}");
        assert_eq!(status, Some(code), "{script:?}: {lines}{error}");
        assert_eq!(error.is_empty(), code < 2 || lines.contains("accepted"), "{script:?}: {error}");
    }
}

#[test]
fn there_are_lines_without_a_connection_too() {
    for runtime in RUNTIMES {
        let (lines, status, error) = outcome("127.0.0.1:1", &["--runtime", runtime]);
        let why = "- - not sent: cannot connect to 127.0.0.1:1: connection refused";
        assert_eq!(
            lines,
            format!("deferred <b@example.org> {why}\ndeferred <c@example.org> {why}\n")
        );
        assert_eq!(status, Some(2));
        assert_eq!(error, "send: cannot connect to 127.0.0.1:1: connection refused\n");
    }
    // Localhost is no name for a host elsewhere.
    let (lines, status, _) = outcome("unix:/nowhere/lmtp", &[]);
    assert_eq!((lines.lines().count(), status), (2, Some(2)), "{lines}");
}

#[test]
fn the_cause_is_told_in_words() {
    const CLEAR: &[Script] = &[&[]];
    const GONE: &[Script] = &[&[("MAIL", "!")]];
    for runtime in RUNTIMES {
        let server = Server::start(CLEAR);
        let implicit = ["--tls", "implicit", "--insecure", "--runtime", runtime];
        let (lines, status, error) = outcome(&server.address, &implicit);
        let why = "- - not sent: the server does not speak TLS here";
        assert_eq!(
            (lines, status),
            (format!("deferred <b@example.org> {why}\ndeferred <c@example.org> {why}\n"), Some(2))
        );
        assert_eq!(error, "send: the server does not speak TLS here\n");
        // A handshake that is broken off.
        let server = Server::start(&[&[("", "!")]]);
        let (lines, status, error) = outcome(&server.address, &implicit);
        let why = error.trim_end().strip_prefix("send: ").expect("the cause");
        assert!(
            lines.starts_with(&format!("deferred <b@example.org> - - not sent: {why}\n")),
            "{lines}"
        );
        assert_eq!(status, Some(2));
        let server = Server::start(GONE);
        let (_, _, error) = outcome(&server.address, &["--runtime", runtime]);
        assert!(error.starts_with("send: the ") && !error.contains("os error"), "{error}");
        assert_eq!(error.lines().count(), 1, "{error}");
    }
}

#[test]
fn another_protocol_is_guessed_where_the_command_is_not_known() {
    const REFUSED: &[Script] = &[&[("EHLO", "500 what")]];
    for (reply, is_guessed) in [
        ("500 what", true),
        ("502 what", true),
        ("503 what", true),
        ("421 busy!", false),
        ("450 later", false),
        ("554 no", false),
    ] {
        let script: Script = Box::leak(Box::new([("EHLO", reply), ("HELO", reply)]));
        let server = Server::start(Box::leak(Box::new([script])));
        let (_, _, error) = outcome(&server.address, &[]);
        assert_eq!(error.contains("is it LMTP?"), is_guessed, "{reply}: {error}");
    }
    // The reason is then that authentication needs EHLO.
    let server = Server::start(REFUSED);
    let (_, _, error) = outcome(&server.address, &["--user", "a:b", "--tls", "off"]);
    assert!(!error.contains("is it LMTP?"), "{error}");
}

#[test]
fn replies_are_printed_in_any_language_but_control_nothing() {
    const SCRIPTS: &[Script] = &[&[(".", "250 mensagem aceita ✓ não \u{1b}[2J\u{202e}")]];
    let server = Server::start(SCRIPTS);
    let (lines, _, _) = outcome(&server.address, &[]);
    assert!(lines.contains(r"mensagem aceita ✓ não \u{1b}[2J\u{202e}"), "{lines}");
}

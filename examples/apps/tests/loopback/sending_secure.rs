//! `send` inside TLS and with a password, and what it does where either cannot be had.

use std::ffi::OsStr;
use std::fs;
use std::path::PathBuf;
use std::process::Output;

use crate::hostile::{Say, Script, attack};
use crate::process::{Receive, text};
use crate::sending::RUNTIMES;

const ACCEPTED: &str = "accepted <b@example.org> 250 2.6.0 accepted\n";

/// A key for localhost and 127.0.0.1, in files that go with it.
struct Key(PathBuf);

impl Key {
    fn new(name: &str) -> Self {
        let dir = format!("ehlo-key-{}-{name}", std::process::id());
        let dir = std::env::temp_dir().join(dir);
        fs::create_dir_all(&dir).expect("there is room");
        let names = ["localhost", "127.0.0.1"].map(str::to_owned);
        let made = rcgen::generate_simple_self_signed(names).expect("the names are names");
        fs::write(dir.join("chain.pem"), made.cert.pem()).expect("there is room");
        fs::write(dir.join("key.pem"), made.signing_key.serialize_pem()).expect("there is room");
        Self(dir)
    }

    fn file(&self, name: &str) -> String {
        self.0.join(name).into_os_string().into_string().expect("its name is text")
    }

    fn receive(&self, arguments: &[&str]) -> Receive {
        let (chain, key) = (self.file("chain.pem"), self.file("key.pem"));
        Receive::start(&[&["--cert", &chain, "--key", &key], arguments].concat())
    }
}

impl Drop for Key {
    fn drop(&mut self) {
        let _ = fs::remove_dir_all(&self.0);
    }
}

fn error(output: &Output) -> String {
    String::from_utf8_lossy(&output.stderr).into_owned()
}

fn standard_input() -> &'static OsStr {
    OsStr::new("-")
}

#[test]
fn inside_tls_however_it_begins() {
    let key = Key::new("begins");
    let ca = key.file("chain.pem");
    let (starttls, implicit) = (key.receive(&["--require-tls"]), key.receive(&["--implicit-tls"]));
    for runtime in RUNTIMES {
        for (receive, flags) in [
            (&starttls, &["--tls", "require", "--ca", &ca][..]),
            (&starttls, &["--tls", "opportunistic"]),
            (&starttls, &["--tls", "require", "--insecure"]),
            (&implicit, &["--tls", "implicit", "--ca", &ca]),
        ] {
            let flags = [flags, &["--runtime", runtime, "--count", "2"]].concat();
            let output = receive.send(&flags, standard_input(), b"a\n.\n");
            assert_eq!(text(&output), ACCEPTED.repeat(2), "{flags:?} {}", error(&output));
            assert_eq!(output.status.code(), Some(0));
            for message in receive.messages() {
                assert!(message.header.contains(" with ESMTPS id "), "{}", message.header);
                assert_eq!(message.content, b"a\r\n.\r\n");
            }
            receive.clear();
        }
    }
}

#[test]
fn a_certificate_that_nobody_vouches_for() {
    let (key, other) = (Key::new("unknown"), Key::new("other"));
    let ca = other.file("chain.pem");
    let (starttls, implicit) = (key.receive(&[]), key.receive(&["--implicit-tls"]));
    for runtime in RUNTIMES {
        for (receive, flags) in [
            (&starttls, &["--tls", "require", "--ca", &ca][..]),
            (&starttls, &["--tls", "opportunistic", "--ca", &ca]),
            (&implicit, &["--tls", "implicit", "--ca", &ca]),
        ] {
            let output =
                receive.send(&[flags, &["--runtime", runtime]].concat(), standard_input(), b"");
            assert_eq!(output.status.code(), Some(2), "{flags:?}");
            let said = error(&output);
            assert!(said.contains("the server's certificate"), "{said}");
            assert_eq!(said.lines().count(), 1, "{said}");
            assert!(!text(&output).contains("accepted"));
        }
    }
    let output = starttls.send(&["--ca", "/nowhere"], standard_input(), b"");
    assert_eq!(output.status.code(), Some(2));
    assert!(error(&output).starts_with("send: /nowhere: "), "{}", error(&output));
    assert!(starttls.messages().is_empty() && implicit.messages().is_empty());
}

#[test]
fn nothing_in_clear_where_tls_is_required() {
    let receive = Receive::start(&[]);
    for runtime in RUNTIMES {
        for flags in [&["--tls", "require", "--insecure"][..], &["--requiretls"]] {
            let flags = [flags, &["--runtime", runtime, "--transcript"]].concat();
            let output = receive.send(&flags, standard_input(), b"");
            let said = error(&output);
            assert_eq!(output.status.code(), Some(2), "{said}");
            assert!(said.ends_with("send: TLS is required and not offered\n"), "{said}");
            assert!(!said.contains("MAIL FROM"), "{said}");
            let why = "deferred <b@example.org> - - not sent: TLS is required and not offered\n";
            assert_eq!(text(&output), why);
        }
    }
    assert!(receive.messages().is_empty());
}

#[test]
fn every_mechanism_and_no_secret_in_the_transcript() {
    let key = Key::new("mechanism");
    let ca = key.file("chain.pem");
    let receive = key.receive(&["--require-auth", "--user", "anna:open-sesame"]);
    let mechanisms = [
        "PLAIN",
        "LOGIN",
        "CRAM-MD5",
        "SCRAM-SHA-1",
        "SCRAM-SHA-256",
        "SCRAM-SHA-256-PLUS",
        "OAUTHBEARER",
        "XOAUTH2",
    ];
    for (i, mechanism) in mechanisms.into_iter().enumerate() {
        let flags = ["--ca", &ca, "--mechanism", mechanism, "--transcript"];
        let runtime = ["--runtime", RUNTIMES[i % RUNTIMES.len()]];
        let right = [&flags[..], &runtime, &["--user", "anna:open-sesame"]].concat();
        let output = receive.send(&right, standard_input(), b"hello\n");
        let said = error(&output);
        assert_eq!(text(&output), ACCEPTED, "{mechanism}: {said}");
        assert!(said.contains(&format!("C: AUTH {mechanism}")), "{said}");
        assert!(said.contains("[redacted]"), "{said}");
        // The password, and what base64 makes of it behind one, two and three bytes.
        for secret in ["open-sesame", "b3Blbi1zZXNhbWU", "9wZW4tc2VzYW1l", "vcGVuLXNlc2FtZ"] {
            assert!(!said.contains(secret), "{mechanism}: {said}");
        }
        assert!(receive.messages()[0].header.contains(" with ESMTPSA id "));
        receive.clear();

        let wrong = [&flags[..], &runtime, &["--user", "anna:close-sesame"]].concat();
        let output = receive.send(&wrong, standard_input(), b"hello\n");
        assert_eq!(output.status.code(), Some(2), "{mechanism}");
        assert!(text(&output).starts_with("refused <b@example.org> 535 "), "{}", text(&output));
        assert!(error(&output).contains("send: the server refused"), "{}", error(&output));
        assert!(receive.messages().is_empty());
    }
}

#[test]
fn a_password_does_not_go_in_clear() {
    let flags = ["--allow-plaintext-auth", "--user", "anna:open-sesame"];
    let receive = Receive::start(&flags);
    for mechanism in ["PLAIN", "LOGIN", "OAUTHBEARER", "XOAUTH2"] {
        let flags = ["--mechanism", mechanism, "--user", "anna:open-sesame", "--transcript"];
        let output = receive.send(&flags, standard_input(), b"");
        let said = error(&output);
        assert_eq!(output.status.code(), Some(2), "{said}");
        assert!(!said.contains("C: AUTH"), "{said}");
        assert!(said.contains(&format!("send: {mechanism} is not offered, or not outside TLS\n")));
    }
    let output = receive.send(&["--user", "anna:open-sesame"], standard_input(), b"");
    assert_eq!(text(&output), ACCEPTED, "SCRAM gives nothing away: {}", error(&output));
}

#[test]
fn requiretls_is_a_parameter_of_mail() {
    const OFFERED: Script = &[
        ("", Say::This("220 mx\r\n")),
        ("EHLO", Say::This("250-mx\r\n250 REQUIRETLS\r\n")),
        ("QUIT", Say::Last("221 bye\r\n")),
    ];
    let key = Key::new("requiretls");
    let ca = key.file("chain.pem");
    let mut receive = key.receive(&["--json"]);
    let output = receive.send(&["--requiretls", "--ca", &ca], standard_input(), b"");
    assert_eq!(text(&output), ACCEPTED, "{}", error(&output));
    assert!((0..6).any(|_| receive.line().contains("REQUIRETLS")));

    // RFC 8689 §4.2.1: outside TLS the offer is worth nothing.
    attack(OFFERED, &["--requiretls"], |output, heard| {
        assert!(!heard.contains("MAIL"), "{heard}");
        assert_eq!(output.status.code(), Some(2));
    });
}

#[test]
fn a_challenge_that_cannot_be_answered() {
    const NONSENSE: Script = &[
        ("", Say::This("220 mx\r\n")),
        ("EHLO", Say::This("250-mx\r\n250 AUTH CRAM-MD5 SCRAM-SHA-256\r\n")),
        ("AUTH", Say::This("334 !\r\n")),
        ("*", Say::This("501 5.7.0 cancelled\r\n")),
        ("QUIT", Say::Last("221 bye\r\n")),
    ];
    attack(NONSENSE, &["--user", "anna:open-sesame"], |output, heard| {
        // RFC 4954 §4: the client cancels, and no weaker mechanism follows.
        assert!(heard.ends_with("\r\n*\r\nQUIT\r\n"), "{heard}");
        let said = "send: the server sent a challenge that cannot be answered\n";
        assert_eq!(error(output), said);
        assert_eq!(output.status.code(), Some(2));
    });
}

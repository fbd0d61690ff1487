//! When another connection is made, and how long one is waited for.

use std::ffi::OsStr;
use std::io::{BufRead as _, BufReader, Write as _};
use std::process::Output;
use std::time::{Duration, Instant};

use crate::process::{send, text};
use crate::server::{Script, Server};

const RUNTIMES: [&str; 3] = ["blocking", "tokio", "async-std"];
const OFFER: (&str, &str) = ("EHLO", "250-mx.test\r\n250 STARTTLS");

fn sent(server: &Server, flags: &[&str]) -> Output {
    let flags = [&["--to", "b@example.org"], flags].concat();
    send(&server.address, &flags, OsStr::new("-"), b"Subject: x\n\nhi\n")
}

#[test]
fn opportunistic_tls_goes_on_in_clear_text_on_a_new_connection() {
    const SCRIPTS: [&[Script]; 2] = [
        // It closes at the ClientHello, or answers with text.
        &[&[OFFER, ("STARTTLS", "220 go!")], &[OFFER]],
        &[&[OFFER, ("STARTTLS", "220 go"), ("\u{16}", "500 what")], &[OFFER]],
    ];
    for runtime in RUNTIMES {
        for scripts in SCRIPTS {
            let server = Server::start(scripts);
            let output = sent(&server, &["--runtime", runtime]);
            assert!(text(&output).starts_with("accepted "), "{output:?}");
            assert_eq!(output.status.code(), Some(0));
            let heard = server.heard();
            assert_eq!(heard.len(), 2, "{heard:?}");
            assert!(!heard[1].contains("STARTTLS") && heard[1].contains("MAIL"), "{heard:?}");
        }
    }
}

#[test]
fn nothing_goes_in_clear_text_where_there_is_a_reason_for_tls() {
    const SCRIPTS: &[Script] = &[&[OFFER, ("STARTTLS", "220 go!")], &[OFFER]];
    const INJECTED: &[Script] = &[&[OFFER, ("STARTTLS", "220 go\r\n250 ok")], &[OFFER]];
    let pin = "a".repeat(64);
    for (scripts, flags) in [
        (SCRIPTS, &["--tls", "require", "--insecure"][..]),
        (SCRIPTS, &["--user", "anna:secret", "--insecure"]),
        (SCRIPTS, &["--user", "anna:secret"]),
        (SCRIPTS, &["--pin", &pin]),
        (SCRIPTS, &["--requiretls"]),
        (INJECTED, &[]),
    ] {
        let server = Server::start(scripts);
        let output = sent(&server, flags);
        assert!(text(&output).starts_with("deferred "), "{flags:?}: {output:?}");
        assert_eq!(output.status.code(), Some(2));
        let heard = server.heard();
        assert_eq!(heard.len(), 1, "{flags:?}: {heard:?}");
        assert!(!heard[0].contains("MAIL") && !heard[0].contains("AUTH"), "{heard:?}");
    }
}

#[test]
fn a_greeting_is_chosen() {
    const CLOSES: &[Script] = &[&[("EHLO", "!")], &[("EHLO", "!")]];
    const REFUSES: &[Script] = &[&[("EHLO", "502 what")]];
    for (scripts, hello, word, connections) in [
        (CLOSES, "fallback", "deferred", 1),
        (CLOSES, "reconnect", "accepted", 2),
        (CLOSES, "ehlo", "deferred", 1),
        (CLOSES, "helo", "accepted", 1),
        (REFUSES, "fallback", "accepted", 1),
        (REFUSES, "reconnect", "accepted", 1),
        (REFUSES, "ehlo", "deferred", 1),
        (REFUSES, "helo", "accepted", 1),
    ] {
        let server = Server::start(scripts);
        let output = sent(&server, &["--hello", hello]);
        assert!(text(&output).starts_with(word), "{hello}: {output:?}");
        assert_eq!(server.heard().len(), connections, "{hello}");
    }
}

#[test]
fn a_wait_has_a_limit() {
    const SILENT: &[Script] = &[&[("MAIL", "")]];
    const NO_GREETING: &[Script] = &[&[("", "")]];
    const NO_FAREWELL: &[Script] = &[&[("QUIT", "")]];
    for runtime in RUNTIMES {
        for (scripts, word) in
            [(SILENT, "deferred"), (NO_GREETING, "deferred"), (NO_FAREWELL, "accepted")]
        {
            let server = Server::start(scripts);
            let start = Instant::now();
            let output = sent(&server, &["--timeout", "1", "--runtime", runtime]);
            assert!(text(&output).starts_with(word), "{output:?}");
            assert!(start.elapsed() < Duration::from_secs(5), "{runtime}: {:?}", start.elapsed());
        }
    }
}

#[test]
#[cfg(unix)]
fn lmtp_goes_over_a_unix_socket() {
    for runtime in RUNTIMES {
        let name = format!("ehlo-send-{}-{runtime}", std::process::id());
        let path = std::env::temp_dir().join(name);
        let listener = std::os::unix::net::UnixListener::bind(&path).expect("a socket");
        let server = std::thread::spawn(move || {
            let (stream, _) = listener.accept().expect("a connection");
            let mut lines = BufReader::new(stream);
            let mut heard = String::new();
            let mut reply = "220 mx.test LMTP\r\n";
            while lines.get_mut().write_all(reply.as_bytes()).is_ok() {
                let start = heard.len();
                if lines.read_line(&mut heard).expect("a line") == 0 {
                    break;
                }
                reply = match &heard[start..] {
                    "DATA\r\n" => "354 go\r\n",
                    ".\r\n" => "250 one\r\n450 two\r\n",
                    line if line.starts_with(['L', 'M', 'R', 'Q']) => "250 ok\r\n",
                    _ => "",
                };
            }
            heard
        });
        let to = ["--to", "b@example.org", "--to", "c@example.org", "--runtime", runtime];
        let address = format!("unix:{}", path.display());
        let output = send(&address, &to, OsStr::new("-"), b"Subject: x\n");
        let lines = text(&output);
        assert!(
            lines.starts_with("accepted <b@") && lines.contains("\ndeferred <c@"),
            "{output:?}"
        );
        assert!(server.join().expect("a server").starts_with("LHLO client.example\r\n"));
        let _ = std::fs::remove_file(&path);
    }
}

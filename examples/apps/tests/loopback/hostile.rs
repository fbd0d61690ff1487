//! Servers that mean harm, on a socket: `send` believes none of them.

use std::ffi::OsStr;
use std::io::{BufRead as _, BufReader, ErrorKind, Write as _};
use std::net::{Shutdown, TcpListener, TcpStream};
use std::process::Output;
use std::thread::{self, JoinHandle};

use crate::process::{LONG, send, text};

const RUNTIMES: [&str; 3] = ["blocking", "tokio", "async-std"];

/// What the server says to a line that begins so; the greeting to the empty one.
pub(crate) type Script = &'static [(&'static str, Say)];

#[derive(Clone, Copy)]
pub(crate) enum Say {
    This(&'static str),
    /// This, and no more.
    Last(&'static str),
    /// This, again and again for as long as somebody listens.
    WithoutEnd(&'static str),
}
use Say::{Last, This, WithoutEnd};

/// A server of one connection; all that it was told comes out of it.
fn serve(script: Script) -> (String, JoinHandle<String>) {
    let listener = TcpListener::bind("127.0.0.1:0").expect("loopback is there");
    let address = listener.local_addr().expect("it is bound").to_string();
    let server = thread::spawn(move || {
        let (stream, _) = listener.accept().expect("somebody connects");
        stream.set_read_timeout(Some(LONG)).expect("not zero");
        stream.set_write_timeout(Some(LONG)).expect("not zero");
        let mut reader = BufReader::new(stream);
        let mut heard = Vec::new();
        let mut is_content = false;
        say(script, "", reader.get_ref());
        loop {
            let mut line = Vec::new();
            match reader.read_until(b'\n', &mut line) {
                Ok(0) => break,
                Ok(_) => heard.extend(&line),
                // Who hangs up with something unread resets the connection.
                Err(error) if error.kind() == ErrorKind::ConnectionReset => break,
                Err(error) => panic!("{error} after {}", heard.escape_ascii()),
            }
            let line = String::from_utf8_lossy(&line).into_owned();
            if !is_content || line == ".\r\n" {
                is_content = say(script, &line, reader.get_ref()).starts_with("354");
            }
        }
        String::from_utf8_lossy(&heard).into_owned()
    });
    (address, server)
}

/// Says what the script has for a line.
fn say(script: Script, line: &str, mut stream: &TcpStream) -> &'static str {
    let fits = |(start, _): &&(&str, Say)| {
        if start.is_empty() { line.is_empty() } else { line.starts_with(start) }
    };
    let what = script.iter().find(fits).map_or(This("250 ok\r\n"), |(_, what)| *what);
    match what {
        This(text) => {
            // Nobody need listen any more.
            let _ = stream.write_all(text.as_bytes());
            text
        }
        Last(text) => {
            let _ = stream.write_all(text.as_bytes());
            let _ = stream.shutdown(Shutdown::Write);
            text
        }
        WithoutEnd(text) => {
            let block = text.repeat(65_536 / text.len());
            let limit = 1 << 30;
            let blocks = (0..limit / block.len()).take_while(|_| {
                // The client hangs up; on a timeout it has not.
                let written = stream.write_all(block.as_bytes());
                let timeout = |error: &std::io::Error| {
                    matches!(error.kind(), ErrorKind::WouldBlock | ErrorKind::TimedOut)
                };
                assert!(!written.as_ref().is_err_and(timeout), "the client neither reads nor ends");
                written.is_ok()
            });
            assert!(blocks.count() < limit / block.len(), "the client reads without end");
            text
        }
    }
}

/// Sends to three recipients by each runtime: what is said of them, and what the server was told.
pub(crate) fn attack(script: Script, arguments: &[&str], check: impl Fn(&Output, &str)) {
    for runtime in RUNTIMES {
        let (address, server) = serve(script);
        let mut all = vec!["--runtime", runtime];
        for to in ["b@example.org", "c@example.org", "d@example.org"] {
            all.extend(["--to", to]);
        }
        all.extend(arguments);
        let output = send(&address, &all, OsStr::new("-"), b"Subject: x\r\n\r\nsecret\r\n");
        let heard = server.join().expect("the server does its part");
        assert!(!text(&output).contains("accepted"), "{runtime}: {}", text(&output));
        check(&output, &heard);
    }
}

/// The fates of the recipients, in order.
fn fates(output: &Output) -> Vec<String> {
    let first_word = |line: &str| line.split(' ').next().unwrap_or_default().to_owned();
    text(output).lines().map(first_word).collect()
}

fn errors(output: &Output) -> String {
    String::from_utf8_lossy(&output.stderr).into_owned()
}

const GREETING: (&str, Say) = ("", This("220 mx.example\r\n"));
const HELLO: (&str, Say) = ("EHLO", This("250-mx.example\r\n250 PIPELINING\r\n"));

#[test]
fn v59_a_reply_without_end() {
    const LINES: Script = &[GREETING, ("EHLO", WithoutEnd("250-and so on\r\n"))];
    const LINE: Script = &[GREETING, ("EHLO", WithoutEnd("250-and so on "))];
    const GREETS: Script = &[("", WithoutEnd("220-and so on\r\n"))];
    for (script, heard_by_then) in
        [(LINES, "EHLO client.example\r\n"), (LINE, "EHLO client.example\r\n"), (GREETS, "")]
    {
        attack(script, &[], |output, heard| {
            assert_eq!(fates(output), ["deferred"; 3], "{}", text(output));
            assert_eq!((output.status.code(), heard), (Some(2), heard_by_then));
        });
    }
}

#[test]
fn v57_lines_of_two_minds() {
    const ENVELOPE: Script = &[GREETING, HELLO, ("MAIL", This("250-ok\r\n550 no\r\n"))];
    const DATA: Script =
        &[GREETING, HELLO, ("DATA", This("354 go\r\n")), (".", This("550-no\r\n250 taken\r\n"))];
    const POSITIVE: Script =
        &[GREETING, HELLO, ("DATA", This("354 go\r\n")), (".", This("250-taken\r\n550 no\r\n"))];
    attack(ENVELOPE, &[], |output, heard| {
        assert_eq!(fates(output), ["deferred"; 3], "{}", text(output));
        assert!(!heard.contains("secret"), "{heard}");
    });
    for script in [DATA, POSITIVE] {
        attack(script, &[], |output, heard| {
            assert_eq!(fates(output), ["unknown"; 3], "{}", text(output));
            assert!(heard.contains("secret\r\n.\r\n"), "{heard}");
        });
    }
}

#[test]
fn v61_truncated_replies() {
    const MESSAGE: Script =
        &[GREETING, HELLO, ("DATA", This("354 go\r\n")), (".", Last("250 2.0.0 taken"))];
    const HALF: Script = &[GREETING, ("EHLO", Last("250-mx.example\r\n250 PIPELINI"))];
    const RECIPIENT: Script = &[GREETING, HELLO, ("RCPT TO:<c", Last("250"))];
    attack(MESSAGE, &[], |output, _| {
        assert_eq!((fates(output), output.status.code()), (vec!["unknown".into(); 3], Some(2)));
    });
    attack(HALF, &[], |output, heard| {
        assert_eq!((fates(output), heard), (vec!["deferred".into(); 3], "EHLO client.example\r\n"));
    });
    attack(RECIPIENT, &[], |output, heard| {
        assert_eq!(fates(output), ["deferred"; 3]);
        assert!(!heard.contains("secret"), "{heard}");
    });
}

/// A server that says 235 before it has proved that it knows the password is not the one.
#[test]
fn v54_an_early_235() {
    const SCRAM: Script = &[
        GREETING,
        ("EHLO", This("250-mx.example\r\n250 AUTH SCRAM-SHA-256 SCRAM-SHA-1\r\n")),
        ("AUTH", This("235 2.7.0 welcome\r\n")),
    ];
    attack(SCRAM, &["--user", "user:password", "--tls", "off"], |output, heard| {
        assert_eq!(fates(output), ["deferred"; 3], "{}", errors(output));
        assert_eq!(output.status.code(), Some(2));
        assert!(heard.contains("AUTH ") && !heard.contains("MAIL"), "{heard}");
    });
}

/// The 220 and what claims to be said inside TLS, in one segment: CVE-2021-38371 among others.
#[test]
fn v34_v35_replies_injected_before_tls() {
    const HELLO: (&str, Say) = ("EHLO", This("250-mx.example\r\n250 STARTTLS\r\n"));
    const WHOLE: Script = &[
        GREETING,
        HELLO,
        ("STARTTLS", This("220 go\r\n250-mx.example\r\n250 AUTH PLAIN\r\n")),
        ("AUTH", This("235 2.7.0 welcome\r\n")),
    ];
    const FRAGMENT: Script = &[GREETING, HELLO, ("STARTTLS", This("220 go\r\n250-mx"))];
    for script in [WHOLE, FRAGMENT] {
        for tls in ["opportunistic", "require"] {
            for more in [&[][..], &["--user", "user:password"]] {
                let arguments = [&["--tls", tls, "--insecure"], more].concat();
                attack(script, &arguments, |output, heard| {
                    assert_eq!(heard, "EHLO client.example\r\nSTARTTLS\r\n");
                    assert_eq!(fates(output), ["deferred"; 3], "{}", errors(output));
                    assert_eq!(output.status.code(), Some(2));
                });
            }
        }
    }
}

/// Whoever wants TLS sends nothing without it, whatever becomes of STARTTLS.
#[test]
fn v37_tls_that_is_taken_away() {
    const NOT_OFFERED: Script = &[GREETING, ("EHLO", This("250-mx.example\r\n250 AUTH PLAIN\r\n"))];
    const OFFERED: (&str, Say) =
        ("EHLO", This("250-mx.example\r\n250-AUTH PLAIN\r\n250 STARTTLS\r\n"));
    const REFUSED: Script = &[GREETING, OFFERED, ("STARTTLS", This("454 4.7.0 not now\r\n"))];
    const NOT_220: Script = &[GREETING, OFFERED, ("STARTTLS", This("250 go\r\n"))];
    const BYE: Script = &[GREETING, OFFERED, ("STARTTLS", Last("221 bye\r\n"))];
    const GONE: Script = &[GREETING, OFFERED, ("STARTTLS", Last(""))];
    for script in [NOT_OFFERED, REFUSED, NOT_220, BYE, GONE] {
        for user in [&[][..], &["--user", "user:password"]] {
            let arguments = [&["--tls", "require", "--insecure"], user].concat();
            attack(script, &arguments, |output, heard| {
                assert!(!heard.contains("MAIL") && !heard.contains("AUTH"), "{heard}");
                assert_eq!(fates(output), ["deferred"; 3], "{}", errors(output));
                assert_eq!(output.status.code(), Some(2));
            });
        }
    }
}

#[test]
fn v63_a_421_between_pipelined_replies() {
    const ENVELOPE: Script = &[GREETING, HELLO, ("RCPT TO:<c", Last("421 4.3.2 closing\r\n"))];
    const OPEN: Script = &[GREETING, HELLO, ("RCPT TO:<c", This("421 4.3.2 closing\r\n"))];
    for script in [ENVELOPE, OPEN] {
        attack(script, &[], |output, heard| {
            assert_eq!(fates(output), ["deferred"; 3], "{}", text(output));
            assert!(heard.ends_with("DATA\r\n"), "{heard}");
        });
    }
}

/// More than was asked, so that the next reply would be taken for another's.
#[test]
fn v62_a_reply_too_many() {
    const GREETS: Script = &[("", This("220 mx.example\r\n250 taken\r\n"))];
    const DATA: Script = &[GREETING, HELLO, ("DATA", This("354 go\r\n250 2.0.0 taken\r\n"))];
    attack(GREETS, &[], |output, heard| {
        assert_eq!((fates(output), heard), (vec!["deferred".into(); 3], ""));
    });
    attack(DATA, &[], |output, heard| {
        assert_eq!(fates(output), ["deferred"; 3]);
        assert!(!heard.contains("\r\n.\r\n"), "{heard}");
    });
}

#[test]
fn v67_greetings_that_are_none() {
    const OK: Script = &[("", This("250 mx.example\r\n"))];
    const GO: Script = &[("", This("354 go\r\n"))];
    const MASKED: Script = &[("", This("220 ********\r\n")), ("EHLO", This("502 what\r\n"))];
    for script in [OK, GO] {
        attack(script, &[], |output, heard| {
            assert_eq!((fates(output), heard), (vec!["deferred".into(); 3], ""));
        });
    }
    // A firewall's is one; without EHLO there is no TLS.
    attack(MASKED, &["--tls", "require"], |_, heard| assert!(!heard.contains("MAIL"), "{heard}"));
}

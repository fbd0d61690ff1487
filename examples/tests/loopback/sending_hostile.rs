//! Servers that cheat, and what `send` makes of them: never more than they said, and in good time.

use std::ffi::OsStr;
use std::io::{BufRead as _, BufReader, Write as _};
use std::net::{Shutdown, TcpListener};
use std::process::Output;
use std::thread::{self, JoinHandle};

use crate::process::{LONG, send, text};
use crate::sending::RUNTIMES;
use crate::sending_secure::error;

#[test]
fn a_server_that_cheats() {
    let auth = "250-mx\r\n250 AUTH CRAM-MD5 SCRAM-SHA-256\r\n";
    let cases: [(&[Step], &str); 3] = [
        (
            &[("", "220 mx\r\n"), ("EHLO", auth), ("AUTH", "235 2.7.0 welcome\r\n")],
            "send: the server said yes before it had proven itself\n",
        ),
        (
            // What follows the 220 in clear was not said inside TLS.
            &[
                ("", "220 mx\r\n"),
                ("EHLO", "250-mx\r\n250 STARTTLS\r\n"),
                ("STARTTLS", "220 go\r\n250-mx\r\n250 AUTH PLAIN\r\n"),
            ],
            "send: octets in clear between STARTTLS and the handshake\n",
        ),
        (
            &[
                ("", "220 mx\r\n"),
                ("EHLO", auth),
                ("AUTH", "334 !\r\n"),
                ("*", "501 5.7.0 cancelled\r\n"),
                ("QUIT", "221 bye\r\n"),
            ],
            "send: the server sent a challenge that cannot be answered\n",
        ),
    ];
    for runtime in RUNTIMES {
        for (script, said) in cases {
            let server = Script::start(script);
            let flags = ["--user", "anna:open-sesame", "--to", "b@example.org"];
            let output = server.send(&[&flags[..], &["--runtime", runtime]].concat());
            assert_eq!(output.status.code(), Some(2), "{script:?}");
            assert!(!text(&output).contains("accepted"), "{}", text(&output));
            assert!(error(&output).starts_with(said), "{said:?}: {}", error(&output));
        }
    }
}

/// What is wrong with a reply, and what is said of the recipient.
#[test]
fn a_server_whose_replies_are_wrong() {
    let hello = [("", "220 mx\r\n"), ("EHLO", "250-mx\r\n250 PIPELINING\r\n")];
    let endless: &'static str = "250-and so on\r\n".repeat(100_000).leak();
    let long: &'static str = format!("250 {}\r\n", "x".repeat(1 << 17)).leak();
    let cases: [(&[Step], i32, &str, &str); 7] = [
        (&[("", "220 mx\r\n"), ("EHLO", endless)], 2, "this is no reply: ", "deferred"),
        (&[("", "220 mx\r\n"), ("EHLO", long)], 2, "this is no reply: ", "deferred"),
        // The lines of one reply have one code.
        (
            &[("", "220 mx\r\n"), ("EHLO", "250-mx\r\n550 no\r\n")],
            2,
            "this is no reply: ",
            "deferred",
        ),
        (
            &[("", "220 mx\r\n"), ("EHLO", "250-mx\r\n25")],
            2,
            "the connection ended before the reply",
            "deferred",
        ),
        // More is said than was asked for.
        (
            &[("", "220 mx\r\n"), ("EHLO", "250 mx\r\n250 ok\r\n250 ok\r\n354 go\r\n250 ok\r\n")],
            2,
            "nothing asked for this: ",
            "deferred",
        ),
        // 421 between the replies to a group ends it.
        (
            &[hello[0], hello[1], ("MAIL", "250 ok\r\n421 4.3.2 closing\r\n")],
            1,
            "",
            "deferred <b@example.org> 421 4.3.2 closing\n",
        ),
        (
            &[hello[0], hello[1], ("MAIL", "421 4.3.2 closing\r\n250 ok\r\n354 go\r\n")],
            1,
            "",
            "deferred <b@example.org> 421 4.3.2 closing\n",
        ),
    ];
    for runtime in RUNTIMES {
        for (script, code, said, outcome) in cases {
            let server = Script::start(script);
            let output = server.send(&["--to", "b@example.org", "--runtime", runtime]);
            let shown = script.last().map(|(_, reply)| reply.get(..40).unwrap_or(reply));
            assert_eq!(output.status.code(), Some(code), "{shown:?} {}", error(&output));
            assert!(text(&output).starts_with(outcome), "{shown:?}: {}", text(&output));
            assert!(error(&output).contains(said), "{shown:?}: {}", error(&output));
        }
    }
}

/// How a command begins, and the reply to it.
type Step = (&'static str, &'static str);

/// A server that expects commands with these beginnings, answers each, and ends.
pub(crate) struct Script {
    address: String,
    server: JoinHandle<()>,
}

impl Script {
    pub(crate) fn start(script: &[Step]) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").expect("loopback is there");
        let address = listener.local_addr().expect("it is bound").to_string();
        let script = script.to_vec();
        let server = thread::spawn(move || {
            let (stream, _) = listener.accept().expect("somebody connects");
            stream.set_read_timeout(Some(LONG)).expect("not zero");
            let mut stream = BufReader::new(stream);
            for (expected, reply) in script {
                let mut line = String::new();
                if !expected.is_empty() {
                    stream.read_line(&mut line).expect("a command comes");
                }
                assert!(line.starts_with(expected), "{line:?} is not {expected}");
                // Who is told too much may go.
                let _ = stream.get_mut().write_all(reply.as_bytes());
            }
            // Whatever comes now is no mail data.
            let _ = stream.get_mut().shutdown(Shutdown::Write);
            let mut rest = Vec::new();
            let _ = stream.read_until(0, &mut rest);
            let rest = String::from_utf8_lossy(&rest);
            assert!(!rest.contains("Subject:"), "{rest:?}");
        });
        Self { address, server }
    }

    pub(crate) fn send(self, arguments: &[&str]) -> Output {
        let output = send(&self.address, arguments, OsStr::new("-"), b"Subject: x\n");
        self.server.join().expect("the server got what it expected");
        output
    }
}

//! What `send` says of its recipients, and what arrives.

use std::ffi::OsStr;
use std::io::{BufRead as _, BufReader, Read as _, Write as _};

use crate::process::{LONG, Receive, send, text};

pub(crate) const RUNTIMES: [&str; 3] = ["blocking", "tokio", "async-std"];

#[test]
fn every_content_arrives_as_it_was() {
    let mut eight_bit: Vec<u8> = (1..=255).filter(|byte| !b"\r\n".contains(byte)).collect();
    eight_bit.extend_from_slice(b"\r\n");
    let long = b"0123456789abcdef\r\n.\r\n".repeat(150_000);
    let contents: [(&str, &[u8], &[u8]); 8] = [
        ("empty", b"", b""),
        ("only dots", b".\r\n..\r\n...\r\n", b".\r\n..\r\n...\r\n"),
        ("a dot alone", b".", b".\r\n"),
        ("no final CRLF", b"Subject: a\r\n\r\nb", b"Subject: a\r\n\r\nb\r\n"),
        ("lines of Unix", b"Subject: a\n\nb\n.\n", b"Subject: a\r\n\r\nb\r\n.\r\n"),
        ("8-bit", &eight_bit, &eight_bit),
        ("over a batch", &long, &long),
        ("CRLF alone", b"\r\n", b"\r\n"),
    ];
    for runtime in RUNTIMES {
        for (name, content, expected) in contents {
            let receive = Receive::start(&[]);
            let file = receive.file("content", content);
            for from in [file.as_os_str(), OsStr::new("-")] {
                let output = receive.send(&["--runtime", runtime], from, content);
                assert_eq!(
                    text(&output),
                    "accepted <b@example.org> 250 2.6.0 accepted\n",
                    "{name}"
                );
                assert_eq!(output.status.code(), Some(0), "{name}");
                let messages = receive.messages();
                let [message] = messages.as_slice() else { panic!("{name}: not one message") };
                assert!(message.content == expected, "{name}: {runtime} changed it");
                assert!(message.header.starts_with("Return-Path: <a@example.org>\r\n"));
                assert!(message.header.contains("\r\nDelivered-To: b@example.org\r\n"));
                assert!(message.header.contains("\tby mx.example with ESMTP id "));
                receive.clear();
            }
        }
    }
}

#[test]
fn one_of_five_recipients_is_refused() {
    for runtime in RUNTIMES {
        let mut receive = Receive::start(&["--reject", "Third@example.ORG"]);
        let mut arguments = vec!["--runtime", runtime];
        let names = ["First", "second", "Third", "fourth", "fifth"];
        let addresses = names.map(|name| format!("{name}@example.org"));
        for address in &addresses {
            arguments.extend(["--to", address]);
        }
        let output = receive.send_to(&arguments, OsStr::new("-"), b"hello\n");
        let lines: Vec<_> = text(&output).lines().map(str::to_owned).collect();
        assert_eq!(
            lines,
            [
                "accepted <First@example.org> 250 2.6.0 accepted",
                "accepted <second@example.org> 250 2.6.0 accepted",
                "refused <Third@example.org> 550 5.1.1 no such mailbox",
                "accepted <fourth@example.org> 250 2.6.0 accepted",
                "accepted <fifth@example.org> 250 2.6.0 accepted",
            ]
        );
        assert_eq!(output.status.code(), Some(1));
        let messages = receive.messages();
        let [message] = messages.as_slice() else { panic!("not one message") };
        assert_eq!(message.header.matches("Delivered-To:").count(), 4);
        let line = receive.line();
        assert!(line.starts_with("message id="), "{line}");
        assert!(
            line.contains(
                " from=<a@example.org> to=<First@example.org>,<second@example.org>,\
                <fourth@example.org>,<fifth@example.org> size=7 protocol=ESMTP helo=client.example"
            ),
            "{line}"
        );
    }
}

#[test]
fn nobody_is_left() {
    let receive = Receive::start(&["--reject", "b@example.org", "--defer", "c@example.org"]);
    for arguments in [&["--no-pipelining"][..], &[]] {
        let mut all = vec!["--to", "b@example.org", "--to", "c@EXAMPLE.org", "--count", "2"];
        all.extend(arguments);
        let output = receive.send_to(&all, OsStr::new("-"), b"hello\n");
        let once = "refused <b@example.org> 550 5.1.1 no such mailbox\n\
            deferred <c@EXAMPLE.org> 451 4.3.0 mailbox not available now\n";
        assert_eq!(text(&output), once.repeat(2));
        assert_eq!(output.status.code(), Some(1));
    }
    assert!(receive.messages().is_empty());
}

#[test]
fn many_messages_on_one_connection() {
    for runtime in RUNTIMES {
        let receive = Receive::start(&[]);
        let file = receive.file("content", b"one\n.two\n");
        for from in [file.as_os_str(), OsStr::new("-")] {
            let arguments = ["--runtime", runtime, "--count", "20"];
            let output = receive.send(&arguments, from, b"one\n.two\n");
            let line = "accepted <b@example.org> 250 2.6.0 accepted\n";
            assert_eq!(text(&output), line.repeat(20));
            assert_eq!(output.status.code(), Some(0));
            let messages = receive.messages();
            assert_eq!(messages.len(), 20);
            assert!(messages.iter().all(|message| message.content == b"one\r\n.two\r\n"));
            receive.clear();
        }
    }
}

#[test]
fn lmtp_answers_for_each_recipient() {
    for runtime in RUNTIMES {
        let receive = Receive::start(&["--lmtp", "--reject", "c@example.org"]);
        let output = receive.send(
            &["--lmtp", "--to", "c@example.org", "--to", "d@example.org", "--runtime", runtime],
            OsStr::new("-"),
            b"hello\n",
        );
        assert_eq!(
            text(&output),
            "accepted <b@example.org> 250 2.6.0 accepted\n\
            refused <c@example.org> 550 5.1.1 no such mailbox\n\
            accepted <d@example.org> 250 2.6.0 accepted\n"
        );
        assert_eq!(output.status.code(), Some(1));
        assert!(receive.messages()[0].header.contains(" with LMTP id "));
    }
}

#[test]
fn bare_newlines() {
    let strict = Receive::start(&[]);
    for runtime in RUNTIMES {
        let arguments = ["--runtime", runtime, "--newlines", "reject"];
        let output = strict.send(&arguments, OsStr::new("-"), b"a\r\nb\n");
        assert_eq!(
            text(&output),
            "refused <b@example.org> - - not sent: bare LF at byte 4 of the data\n"
        );
        assert_eq!(output.status.code(), Some(1));
        let arguments = ["--runtime", runtime, "--no-chunking", "--newlines", "keep"];
        let output = strict.send(&arguments, OsStr::new("-"), b"a\r\nb\n");
        assert_eq!(text(&output), "refused <b@example.org> 550 5.5.2 bare LF\n");
        assert_eq!(output.status.code(), Some(1));
    }
    assert!(strict.messages().is_empty());
    assert_eq!(strict.entries("tmp"), 0);

    for (policy, arrives) in [("normalise", &b"a\r\nb\r\nc\r\n"[..]), ("keep", b"a\nb\rc\r\n")] {
        let receive = Receive::start(&["--newlines", policy]);
        let arguments = ["--no-chunking", "--newlines", "keep"];
        let output = receive.send(&arguments, OsStr::new("-"), b"a\nb\rc\r\n");
        assert_eq!(output.status.code(), Some(0));
        assert_eq!(receive.messages()[0].content, arrives);
    }
}

#[test]
fn parameters_reach_the_server() {
    let mut receive = Receive::start(&["--json"]);
    let output = receive.send(
        &["--notify", "success,delay", "--ret", "hdrs", "--envid", "a b", "--transcript"],
        OsStr::new("-"),
        "é\n".as_bytes(),
    );
    assert_eq!(output.status.code(), Some(0));
    let transcript = String::from_utf8_lossy(&output.stderr);
    assert!(transcript.contains("C: EHLO client.example\nS: 250-mx.example\n"), "{transcript}");
    let content = "C: BDAT 4 LAST\nC: [4 bytes of mail data]\nC: QUIT\nS: 250 2.6.0 ";
    assert!(transcript.contains(content), "{transcript}");
    let events: Vec<serde_json::Value> =
        (0..6).map(|_| serde_json::from_str(&receive.line()).expect("each line is JSON")).collect();
    let names: Vec<_> = events.iter().map(|event| event["event"].as_str()).collect();
    let expected = ["connect", "helo", "mail", "rcpt", "message", "disconnect"];
    assert_eq!(names, expected.map(Some));
    let parameters = serde_json::json!(["BODY=8BITMIME", "RET=HDRS", "ENVID=a+20b"]);
    assert_eq!(events[2]["parameters"], parameters);
    assert_eq!(events[3]["parameters"], serde_json::json!(["NOTIFY=SUCCESS,DELAY"]));
    assert_eq!(events[4]["size"], 4);
}

#[test]
fn chunks_are_left_out_on_demand() {
    let receive = Receive::start(&[]);
    let output = receive.send(&["--no-chunking", "--transcript"], OsStr::new("-"), b"a\n.\n");
    assert_eq!(output.status.code(), Some(0));
    let transcript = String::from_utf8_lossy(&output.stderr);
    let content = "C: [7 bytes of mail data]\nC: .\nC: QUIT\nS: 250 2.6.0 ";
    assert!(transcript.contains(content), "{transcript}");
    assert!(transcript.contains("\nC: DATA\n"), "{transcript}");
    assert_eq!(receive.messages()[0].content, b"a\r\n.\r\n");
}

#[test]
fn the_declared_size_is_what_arrives() {
    let mut receive = Receive::start(&["--json", "--newlines", "keep"]);
    let contents =
        ["", "a", "a\n", "a\r", "a\r\n", "\n", "\r", "\r\n", "\r\r\n\n\r", "\na\rb\n.\n"];
    for content in contents {
        let file = receive.file("content", content.as_bytes());
        for arguments in [
            &["--newlines", "normalise"][..],
            &["--newlines", "keep"],
            &["--newlines", "normalise", "--no-chunking"],
            &["--newlines", "keep", "--no-chunking"],
        ] {
            receive.send(arguments, file.as_os_str(), b"");
            let events: Vec<serde_json::Value> = (0..6)
                .map(|_| serde_json::from_str(&receive.line()).expect("each line is JSON"))
                .collect();
            let size = format!("SIZE={}", events[4]["size"]);
            assert_eq!(events[2]["parameters"][0], size, "{content:?} {arguments:?}");
        }
    }
}

#[test]
fn addresses_in_utf8() {
    let mut receive = Receive::start(&[]);
    let output = receive.send_to(&["--to", "ü@example.org"], OsStr::new("-"), b"hello\n");
    assert_eq!(text(&output), "accepted <ü@example.org> 250 2.6.0 accepted\n");
    let line = receive.line();
    assert!(line.contains(" to=<ü@example.org> size=7 protocol=UTF8SMTP "), "{line}");
}

#[test]
fn a_session_that_fails() {
    for runtime in RUNTIMES {
        let nobody = "127.0.0.1:1";
        let output =
            send(nobody, &["--to", "b@example.org", "--runtime", runtime], OsStr::new("-"), b"");
        assert_eq!(output.status.code(), Some(2));
        let error = String::from_utf8_lossy(&output.stderr).into_owned();
        assert!(error.starts_with("send: cannot connect to 127.0.0.1:1: "), "{error}");
        assert_eq!(error.lines().count(), 1);
        let line = "deferred <b@example.org> - - not sent: cannot connect to 127.0.0.1:1: ";
        assert!(text(&output).starts_with(line), "{}", text(&output));
    }
    let output = send("127.0.0.1:1", &["--to", "b@example.org"], OsStr::new("/nowhere"), b"");
    assert_eq!(output.status.code(), Some(2));
    assert!(String::from_utf8_lossy(&output.stderr).starts_with("send: cannot read /nowhere: "));
}

#[test]
fn a_server_with_and_without_a_port() {
    // Nobody can connect to the broadcast address.
    for (server, flags, said) in [
        ("255.255.255.255:2525", &[][..], "cannot connect to 255.255.255.255:2525: "),
        ("255.255.255.255", &[], "cannot connect to 255.255.255.255:25: "),
        (
            "255.255.255.255",
            &["--tls", "implicit", "--insecure"],
            "cannot connect to 255.255.255.255:465: ",
        ),
        ("[ff02::1]", &[], "cannot connect to [ff02::1]:25: "),
        ("ff02::1", &[], "cannot connect to [ff02::1]:25: "),
        ("mx.example", &["--lmtp"], "--server needs a port for LMTP: HOST:PORT"),
        (":25", &[], "no host: HOST, HOST:PORT, [IPV6]:PORT or unix:PATH"),
        ("mx.example:", &[], "no port number behind the host"),
        ("mx.example:0", &[], "no port number behind the host"),
        ("mx.example:smtp", &[], "no port number behind the host"),
        ("[::1", &[], "no ] behind the address"),
        ("[::1]25", &[], "no port number behind the host"),
    ] {
        let flags = [flags, &["--to", "b@example.org"]].concat();
        let output = send(server, &flags, OsStr::new("-"), b"");
        let error = String::from_utf8_lossy(&output.stderr).into_owned();
        assert!(error.contains(said), "{server}: {error}");
        assert_eq!(output.status.code(), Some(2));
    }
}

#[test]
fn the_wrong_protocol() {
    let (smtp, lmtp) = (Receive::start(&[]), Receive::start(&["--lmtp"]));
    for (receive, flags, said) in [
        (&smtp, &["--lmtp"][..], "send: LHLO was refused, is it SMTP? 50"),
        (&lmtp, &[], "send: HELO was refused, is it LMTP? 50"),
    ] {
        let output = receive.send(flags, OsStr::new("-"), b"");
        let error = String::from_utf8_lossy(&output.stderr).into_owned();
        assert!(error.starts_with(said), "{error}");
        assert_eq!(error.lines().count(), 1);
        assert_eq!(output.status.code(), Some(2));
        assert!(text(&output).starts_with("refused <b@example.org> 50"), "{}", text(&output));
    }
}

#[test]
fn binary_content() {
    let binary = b"\x00\n\r.\r\nno line end";
    for runtime in RUNTIMES {
        let receive = Receive::start(&[]);
        let file = receive.file("content", binary);
        for from in [file.as_os_str(), OsStr::new("-")] {
            let flags = ["--body", "binarymime", "--runtime", runtime];
            let output = receive.send(&flags, from, binary);
            assert_eq!(text(&output), "accepted <b@example.org> 250 2.6.0 accepted\n");
            assert_eq!(receive.messages()[0].content, binary);
            receive.clear();
            // RFC 3030 §3: a binary message goes by BDAT alone.
            let output = receive.send(&[&flags[..], &["--no-chunking"]].concat(), from, binary);
            assert_eq!(output.status.code(), Some(2));
            let error = "send: --body binarymime goes in chunks, without --no-chunking\n";
            assert_eq!(String::from_utf8_lossy(&output.stderr), error);
            assert!(receive.messages().is_empty());
        }
    }
}

/// What a server says that breaks off, and what is said of the recipient.
#[test]
fn a_server_that_breaks_off() {
    let cases = [
        (&["554 mx.example no\r\n"][..], 1, "refused <b@example.org> 554 - mx.example no\n"),
        (&["220 mx\r\n", "250 mx\r\n"], 2, "deferred <b@example.org> - - no reply to MAIL\n"),
        (
            &["220 mx\r\n", "250 mx\r\n", "250 ok\r\n", "250 ok\r\n", "354 go\r\n"],
            2,
            "unknown <b@example.org> - - no reply to MESSAGE\n",
        ),
        (&["nonsense\r\n"], 2, "deferred <b@example.org> - - this is no reply: no reply code\n"),
    ];
    for runtime in RUNTIMES {
        for (replies, code, line) in cases {
            let listener = std::net::TcpListener::bind("127.0.0.1:0").expect("loopback is there");
            let address = listener.local_addr().expect("it is bound").to_string();
            let server = std::thread::spawn(move || {
                let (mut stream, _) = listener.accept().expect("somebody connects");
                stream.set_read_timeout(Some(LONG)).expect("not zero");
                for (i, reply) in replies.iter().enumerate() {
                    if i > 0 {
                        let mut buffer = [0; 1024];
                        let bytes = stream.read(&mut buffer).expect("a command comes");
                        assert!(bytes > 0);
                    }
                    stream.write_all(reply.as_bytes()).expect("somebody listens");
                }
                let mut rest = Vec::new();
                if replies.last().is_some_and(|last| last.starts_with("354")) {
                    let mut reader = BufReader::new(stream);
                    while !rest.ends_with(b"\r\n.\r\n") {
                        assert!(reader.read_until(b'\n', &mut rest).expect("data comes") > 0);
                    }
                } else if replies.len() > 1 {
                    let _ = stream.read(&mut [0; 1024]);
                }
            });
            let arguments = ["--to", "b@example.org", "--runtime", runtime];
            let output = send(&address, &arguments, OsStr::new("-"), b"hello\n");
            server.join().expect("the server got what it expected");
            assert_eq!(text(&output), line, "{replies:?}");
            assert_eq!(output.status.code(), Some(code), "{replies:?}");
        }
    }
}

//! What is stored, where, and how it is written.

use std::os::unix::fs::PermissionsExt as _;
use std::process::Stdio;

use crate::process::{Client, Receive};

#[test]
fn the_sender_does_not_write_in_the_fields_of_the_server() {
    let server = Receive::start(&[]);
    let mut client = Client::open(&server);
    client.hello();
    for (content, begins) in [
        (
            "\tfor <victim@x.example>; Fri, 1 Jan 1999 00:00:00 +0000\r\nSubject: s\r\n\r\nx\r\n",
            false,
        ),
        (" (iprev=pass)\r\n", false),
        ("just text\r\nmore\r\n", false),
        ("x\r\n", false),
        ("\r\nbody\r\n", true),
        ("Subject: s\r\n\r\nx\r\n", true),
    ] {
        assert_eq!(&client.message(content)[..3], "250");
        let last = server.last();
        let (fields, _) = last.split_once(content).expect("the content");
        assert!(fields.contains("Received:"));
        assert_eq!(fields.ends_with("+0000\r\n"), begins, "{last}");
        assert!(begins || fields.ends_with("+0000\r\n\r\n"), "{last}");
    }
    // The same in pieces.
    for command in ["MAIL FROM:<a@b.example>", "RCPT TO:<c@d.example>", "DATA"] {
        client.ask(command);
    }
    for byte in b"\tforged\r\n" {
        client.say_bytes(&[*byte]);
        std::thread::sleep(std::time::Duration::from_millis(3));
    }
    client.ask(".");
    assert!(server.last().ends_with("+0000\r\n\r\n\tforged\r\n"));
}

#[test]
fn many_recipients_and_content_in_pieces_are_stored_as_they_are() {
    let server = Receive::start(&[]);
    let mut client = Client::open(&server);
    client.hello();
    client.ask("MAIL FROM:<a@b.example>");
    let name = "x".repeat(60);
    for number in 0..900 {
        assert!(client.ask(&format!("RCPT TO:<{name}{number}@d.example>")).starts_with("250"));
    }
    client.ask("DATA");
    for piece in ["Sub", "ject", ": x\r\n\r\nbody\r\n"] {
        client.say(piece);
        std::thread::sleep(std::time::Duration::from_millis(50));
    }
    assert!(client.ask(".").starts_with("250"));
    assert!(server.last().ends_with("+0000\r\nSubject: x\r\n\r\nbody\r\n"));
}

#[test]
fn mail_is_for_its_owner_alone() {
    let server = Receive::start(&[]);
    let mut client = Client::open(&server);
    client.hello();
    client.message("Subject: x\r\n");
    let mode =
        |path: &std::path::Path| path.metadata().expect("a file").permissions().mode() & 0o777;
    for part in ["", "tmp", "new", "cur"] {
        assert_eq!(mode(&server.dir.join(part)), 0o700, "{part:?}");
    }
    let file = std::fs::read_dir(server.dir.join("new")).expect("a folder").next();
    assert_eq!(mode(&file.expect("a message").expect("a message").path()), 0o600);
}

#[test]
fn a_full_disk_is_told_as_such_and_ends_nothing() {
    // A limit on the size of files stands for a disk that is full.
    let server = Receive::start_after("ulimit -f 64", &[], Stdio::inherit());
    let mut client = Client::open(&server);
    client.hello();
    let content = format!("Subject: x\r\n\r\n{}", "0123456789\r\n".repeat(20_000));
    let reply = client.message(&content);
    assert!(reply.starts_with("452 4.3.1 "), "{reply}");
    assert_eq!(server.entries("new"), 0);
    assert_eq!(server.entries("tmp"), 0);
    assert_eq!(&client.message("Subject: x\r\n")[..3], "250");
    assert_eq!(server.entries("new"), 1);
}

#[test]
fn an_address_does_not_forge_a_line_of_the_log() {
    let mut server = Receive::start(&[]);
    let mut client = Client::open(&server);
    client.hello();
    client.ask("MAIL FROM:<\"x> to=<victim@x.example> size=9\"@a.example>");
    client.ask("RCPT TO:<\"a>,<b\"@d.example>");
    client.ask("DATA");
    client.ask(".");
    let line = server.line();
    let fields: Vec<_> = line.split(' ').filter_map(|field| field.split('=').next()).collect();
    assert_eq!(fields, ["message", "id", "from", "to", "size", "protocol", "helo"], "{line}");
    assert!(!line.contains(">,<"), "{line}");
}

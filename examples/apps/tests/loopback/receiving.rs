//! How `receive` serves clients that behave and clients that do not.

use std::ffi::OsStr;
use std::fs;
use std::net::{TcpListener, TcpStream};

use crate::process::{Client, Receive, text, wait_until};

#[test]
fn a_client_of_ipv6() {
    if TcpListener::bind("[::1]:0").is_err() {
        return;
    }
    let receive = Receive::start(&["--listen", "[::1]:0"]);
    receive.send(&[], OsStr::new("-"), b"");
    assert!(receive.messages()[0].header.contains(" from client.example ([IPv6:::1])\r\n"));
}

#[test]
fn sizes_and_recipients_are_limited() {
    let receive = Receive::start(&["--max-size", "100", "--max-recipients", "1"]);
    let large = "x".repeat(101);
    let file = receive.file("content", large.as_bytes());
    let output = receive.send(&[], file.as_os_str(), b"");
    let refused =
        "refused <b@example.org> - - not sent: the message is over the server's maximum size\n";
    assert_eq!(text(&output), refused);
    let output = receive.send(&[], OsStr::new("-"), large.as_bytes());
    let refused = "refused <b@example.org> 552 5.3.4 message exceeds the maximum size\n";
    assert_eq!(text(&output), refused);
    assert!(receive.messages().is_empty());
    assert_eq!(receive.entries("tmp"), 0);
    let output = receive.send(&["--to", "c@example.org"], OsStr::new("-"), b"");
    assert_eq!(
        text(&output),
        "accepted <b@example.org> 250 2.6.0 accepted\n\
        deferred <c@example.org> 452 4.5.3 too many recipients\n"
    );
}

#[test]
fn chunks() {
    let receive = Receive::start(&[]);
    let mut client = Client::connect(&receive, "EHLO client.example\r\n");
    client.say(
        "MAIL FROM:<>\r\nRCPT TO:<Postmaster>\r\nBDAT 4\r\na\r\n.MAIL FROM:<>\r\nBDAT 0\r\nBDAT 3 LAST\r\n\r\nb",
    );
    for code in ["250", "250", "250", "503", "250", "250"] {
        assert!(client.reply().starts_with(code));
    }
    assert_eq!(receive.messages()[0].content, b"a\r\n.\r\nb");
    assert!(
        receive.messages()[0].header.starts_with("Return-Path: <>\r\nDelivered-To: Postmaster\r\n")
    );

    client.say("MAIL FROM:<>\r\nRCPT TO:<Postmaster>\r\nBDAT 4\r\na\r\n.RSET\r\n");
    for code in ["250", "250", "250", "250"] {
        assert!(client.reply().starts_with(code));
    }
    assert_eq!((receive.messages().len(), receive.entries("tmp")), (1, 0));
}

#[test]
fn a_client_that_leaves_leaves_nothing() {
    let receive = Receive::start(&[]);
    let mut client = Client::connect(&receive, "EHLO client.example\r\n");
    client.say("MAIL FROM:<>\r\nRCPT TO:<Postmaster>\r\nDATA\r\n");
    (0..3).for_each(|_| drop(client.reply()));
    client.say(&"0123456789\r\n".repeat(20_000));
    wait_until("there is a file in tmp", || receive.entries("tmp") == 1);
    drop(client);
    wait_until("it is gone", || receive.entries("tmp") == 0);
    assert!(receive.messages().is_empty());
}

#[test]
fn a_message_that_cannot_be_stored_is_deferred() {
    let receive = Receive::start(&[]);
    fs::remove_dir(receive.dir.join("tmp")).expect("it is empty");
    let long = "0123456789\r\n".repeat(20_000);
    for content in ["", &long] {
        let output = receive.send(&["--count", "2"], OsStr::new("-"), content.as_bytes());
        let line = "deferred <b@example.org> 451 4.3.0 cannot store the message now\n";
        assert_eq!(text(&output), line.repeat(2));
        assert_eq!(output.status.code(), Some(1));
    }
    assert!(receive.messages().is_empty());
}

#[test]
fn a_client_of_helo() {
    let mut receive = Receive::start(&[]);
    let mut client = Client::connect(&receive, "HELO client.example\r\n");
    client.say("MAIL FROM:<a@example.org>\r\nRCPT TO:<b@example.org>\r\nDATA\r\n.\r\nQUIT\r\n");
    let replies = [(); 6].map(|()| client.reply());
    assert_eq!(
        replies.map(|reply| reply[..reply.len().min(3)].to_owned()),
        ["250", "250", "354", "250", "221", ""]
    );
    assert!(receive.messages()[0].header.contains(
        "\r\nReceived: from client.example ([127.0.0.1])\r\n\tby mx.example with SMTP id "
    ));
    assert!(receive.line().contains(" size=0 protocol=SMTP helo=client.example"));
}

#[test]
fn the_surplus_is_turned_away() {
    let receive = Receive::start(&["--max-connections", "1"]);
    let first = Client::connect(&receive, "");
    let mut second = Client::open(&receive);
    assert!(second.reply().starts_with("421 mx.example too many connections"));
    assert_eq!(second.reply(), "");
    drop(first);
    wait_until("there is room", || Client::open(&receive).reply().starts_with("220 "));
}

#[test]
fn a_silent_client_is_left() {
    let receive = Receive::start(&["--timeout", "1"]);
    let mut client = Client::connect(&receive, "EHLO client.example\r\n");
    assert_eq!(client.reply(), "421 4.4.2 mx.example took too long, closing\r\n");
    assert_eq!(client.reply(), "");
}

#[test]
fn an_interrupt_finishes_what_is_open() {
    for signal in ["INT", "TERM"] {
        let mut receive = Receive::start(&[]);
        let mut open = Client::connect(&receive, "EHLO client.example\r\n");
        let mut idle = Client::connect(&receive, "EHLO client.example\r\n");
        let mut silent = Client::connect(&receive, "EHLO client.example\r\n");
        open.say("MAIL FROM:<>\r\nRCPT TO:<Postmaster>\r\nDATA\r\n");
        (0..3).for_each(|_| drop(open.reply()));
        open.say("half");
        receive.interrupt(signal);
        wait_until("nobody listens", || TcpStream::connect(&receive.address).is_err());
        let closing = "421 4.3.2 mx.example closing, try again later\r\n";
        for client in [&mut idle, &mut silent] {
            assert_eq!(client.reply(), closing);
            assert_eq!(client.reply(), "");
        }
        open.say(" and half\r\n.\r\n");
        assert!(open.reply().starts_with("250 "));
        assert_eq!(open.reply(), closing);
        assert_eq!(receive.messages()[0].content, b"half and half\r\n");
        drop((open, idle, silent));
        assert_eq!(receive.wait(), Some(0));
    }
}

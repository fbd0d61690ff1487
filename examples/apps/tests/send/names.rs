//! Domains that are not in US-ASCII.

use std::ffi::OsStr;

use crate::process::{send, text};
use crate::server::{Script, Server};

const PLAIN: &[Script] = &[&[]];
const UTF8: &[Script] = &[&[("EHLO", "250-mx.test\r\n250-8BITMIME\r\n250 SMTPUTF8")]];

#[test]
fn domains_go_in_a_labels_to_a_server_without_smtputf8() {
    let flags = ["--to", "info@münchen.example", "--to", "b@example.org"];
    let server = Server::start(PLAIN);
    let output = send(&server.address, &flags, OsStr::new("-"), b"Subject: x\n");
    let lines = "accepted <info@münchen.example> 250 - ok (sent as <info@xn--mnchen-3ya.example>)\n\
                 accepted <b@example.org> 250 - ok\n";
    assert_eq!(text(&output), lines, "{output:?}");
    assert!(server.heard()[0].contains("RCPT TO:<info@xn--mnchen-3ya.example>\r\n"));

    let server = Server::start(UTF8);
    let output = send(&server.address, &flags, OsStr::new("-"), b"Subject: x\n");
    assert_eq!(text(&output).lines().next(), Some("accepted <info@münchen.example> 250 - ok"));
    assert!(server.heard()[0].contains("RCPT TO:<info@münchen.example>\r\n"));
}

#[test]
fn what_needs_smtputf8_is_not_changed() {
    for flags in [
        &["--to", "jürgen@münchen.example"][..],
        &["--to", "info@münchen.example", "--smtputf8"],
        &["--to", "b@example.org", "--smtputf8"],
    ] {
        let server = Server::start(PLAIN);
        let output = send(&server.address, flags, OsStr::new("-"), b"Subject: x\n");
        assert!(text(&output).starts_with("refused "), "{output:?}");
        assert_eq!(output.status.code(), Some(1));
        assert!(!server.heard()[0].contains("MAIL"));
    }
}

#[test]
fn a_name_to_greet_with_goes_in_a_labels() {
    let server = Server::start(PLAIN);
    let mut command = std::process::Command::new(crate::process::example("send"));
    command.args(["--server", &server.address, "--from", "", "--to", "b@example.org"]);
    let output = command.args(["--helo", "münchen.example", "--file", "/dev/null"]).output();
    assert!(output.expect("send").status.success());
    assert!(server.heard()[0].starts_with("EHLO xn--mnchen-3ya.example\r\n"));
}

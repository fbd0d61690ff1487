//! Nothing that is printed shows the password, whoever says it.

use std::ffi::OsStr;

use crate::process::{send, text};
use crate::server::{Script, Server};

#[test]
fn a_server_that_repeats_the_password_is_not_printed() {
    const OFFER: (&str, &str) = ("EHLO", "250-mx.test\r\n250 AUTH SCRAM-SHA-256");
    const SCRIPTS: &[Script] =
        &[&[OFFER, ("AUTH", "535-no: AUTH PLAIN AGFubmEAczNjcjN0UHc=\r\n535 nor s3cr3tPw")]];
    const CHALLENGE: &[Script] = &[&[OFFER, ("AUTH", "334 PHMzY3IzdFB3QG14Pg==")]];
    for scripts in [SCRIPTS, CHALLENGE] {
        let server = Server::start(scripts);
        let flags = ["--to", "b@example.org", "--user", "anna:s3cr3tPw", "--tls", "off"];
        let flags = [&flags[..], &["--transcript", "--timeout", "2"]].concat();
        let output = send(&server.address, &flags, OsStr::new("-"), b"Subject: x\n");
        let printed = text(&output) + &String::from_utf8_lossy(&output.stderr);
        for secret in ["s3cr3tPw", "AGFubmEAczNjcjN0UHc", "PHMzY3IzdFB3"] {
            assert!(!printed.contains(secret), "{printed}");
        }
        assert!(printed.contains("[redacted]"), "{printed}");
        assert!(!text(&output).contains("accepted"));
    }
}

//! AUTH, RFC 4954.

use ehlo::client::Event;
use ehlo::session::State;
use ehlo::syntax::command::Mechanism;
use ehlo::syntax::sasl::Response;
use ehlo::syntax::sasl::{Challenge, SaslData};
use ehlo::{Client, ClientConfig, Command, Extension, Parsed, Policy, Reply, SendError};

use crate::{PLAIN, after, hear, send};

const INSIDE_TLS: ClientConfig = ClientConfig { implicit_tls: true, ..ClientConfig::DEFAULT };
const OFFER: &str =
    "250-mx.example\r\n250 AUTH PLAIN LOGIN XOAUTH2 SCRAM-SHA-256 CRAM-MD5 X-NEW\r\n";

fn auth(name: &str) -> Command<'_> {
    Command::Auth { mechanism: Mechanism::new(name).expect("a name"), initial_response: None }
}

fn respond(client: &mut Client, response: &Response<'_>) -> Result<String, SendError> {
    let mut out = [0; 512];
    let written = client.respond(response, &mut out)?;
    Ok(String::from_utf8_lossy(&out[..written]).into_owned())
}

#[test]
fn v45_no_password_goes_in_clear() {
    for name in ["PLAIN", "plain", "LOGIN", "XOAUTH2", "CRAM-MD5"] {
        let mut client = after(ClientConfig::DEFAULT, OFFER);
        assert_eq!(send(&mut client, &auth(name)), Err(SendError::EncryptionRequired), "{name}");
        let forced = ClientConfig { plaintext_auth: true, ..ClientConfig::DEFAULT };
        assert!(send(&mut after(forced, OFFER), &auth(name)).is_ok(), "{name}");
        assert!(send(&mut after(INSIDE_TLS, OFFER), &auth(name)).is_ok(), "{name}");
    }
    for name in ["SCRAM-SHA-256", "X-NEW"] {
        assert!(send(&mut after(ClientConfig::DEFAULT, OFFER), &auth(name)).is_ok(), "{name}");
    }
}

/// CVE-2026-41319: what was offered before TLS is no offer.
#[test]
fn v46_only_what_is_offered_now() {
    let mut client = after(INSIDE_TLS, "250-mx.example\r\n250 AUTH SCRAM-SHA-256\r\n");
    assert_eq!(send(&mut client, &auth("PLAIN")), Err(SendError::NotOffered(Extension::Auth)));
    send(&mut client, &crate::ehlo()).expect("EHLO");
    hear(&mut client, PLAIN);
    let refused = send(&mut client, &auth("SCRAM-SHA-256"));
    assert_eq!(refused, Err(SendError::NotOffered(Extension::Auth)));
}

#[test]
fn v47_a_challenge_that_cannot_be_read_is_cancelled() {
    for challenge in ["334 not base64\r\n", "334 AA=\r\n", "334-VXNl\r\n334 cg==\r\n", "334 =\r\n"]
    {
        let mut client = after(INSIDE_TLS, OFFER);
        send(&mut client, &auth("LOGIN")).expect("AUTH");
        let received = client.receive(challenge.as_bytes());
        let Event::Reply { reply, .. } = received.event else { panic!("{challenge}") };
        assert!(Challenge::from_reply(&reply).is_err(), "{challenge}");
        assert_eq!(respond(&mut client, &Response::Cancel).as_deref(), Ok("*\r\n"));
        hear(&mut client, "501 cancelled\r\n");
        assert_eq!((client.state(), client.is_authenticated()), (State::Ready, false));
        assert!(send(&mut client, &auth("SCRAM-SHA-256")).is_ok());
    }
}

/// Only 235 says that the client has authenticated, only once, and only when it asked.
#[test]
fn v54_success_that_is_none() {
    for reply in ["250 ok\r\n", "220 ok\r\n", "354 go\r\n", "535 no\r\n", "454 later\r\n"] {
        let mut client = after(INSIDE_TLS, OFFER);
        send(&mut client, &auth("LOGIN")).expect("AUTH");
        hear(&mut client, "334 VXNlcm5hbWU6\r\n");
        respond(&mut client, &Response::Data(SaslData::new(b"user"))).expect("a response");
        hear(&mut client, reply);
        assert_eq!((client.state(), client.is_authenticated()), (State::Ready, false), "{reply}");
        let late = respond(&mut client, &Response::Data(SaslData::new(b"secret")));
        assert!(matches!(late, Err(SendError::OutOfState { .. })), "{reply}");
    }
    // A 235 to the first message of a mechanism that has two is seen as that.
    let mut client = after(INSIDE_TLS, OFFER);
    send(&mut client, &auth("SCRAM-SHA-256")).expect("AUTH");
    hear(&mut client, "235 so soon\r\n");
    assert_eq!(client.state(), State::Ready);
    let refused = send(&mut client, &auth("PLAIN"));
    assert!(matches!(refused, Err(SendError::OutOfState { .. })), "{refused:?}");
}

#[test]
fn v55_no_secret_is_shown() {
    let mut client = after(INSIDE_TLS, OFFER);
    let command = Command::Auth {
        mechanism: Mechanism::new("PLAIN").expect("a name"),
        initial_response: Some(SaslData::new(b"\0user\0secret")),
    };
    send(&mut client, &command).expect("AUTH");
    let response = Response::Data(SaslData::new(b"secret"));
    let Ok(Parsed::Complete { value: reply, .. }) =
        Reply::parse(b"334 c2VjcmV0\r\n", &Policy::STRICT)
    else {
        panic!("a reply")
    };
    let challenge = Challenge::from_reply(&reply).expect("a challenge");
    let shown = format!("{client:?} {command:?} {response:?} {challenge:?}");
    assert!(!shown.contains("secret") && !shown.contains("c2VjcmV0"), "{shown}");
}

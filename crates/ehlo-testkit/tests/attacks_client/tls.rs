//! STARTTLS, RFC 3207.

use ehlo::machine::PlaintextInjection;
use ehlo::session::State;
use ehlo::syntax::command::Mechanism;
use ehlo::syntax::command::Verb;
use ehlo::syntax::sasl::SaslData;
use ehlo::{ClientConfig, Command, Extension, SendError};

use crate::{PLAIN, after, ehlo, events, hear, mail, rcpt, send};

const STARTTLS: &str = "250-mx.example\r\n250-STARTTLS\r\n250 AUTH PLAIN\r\n";
const REQUIRED: ClientConfig = ClientConfig { require_tls: true, ..ClientConfig::DEFAULT };

fn auth() -> Command<'static> {
    Command::Auth {
        mechanism: Mechanism::new("PLAIN").expect("a name"),
        initial_response: Some(SaslData::new(b"\0user\0secret")),
    }
}

/// CVE-2021-38371, CVE-2021-22947: what came with the 220 is no reply inside TLS.
#[test]
fn v34_replies_injected_before_tls() {
    let mut client = after(ClientConfig::DEFAULT, STARTTLS);
    send(&mut client, &Command::StartTls).expect("STARTTLS");
    let bytes = b"220 go\r\n250-x\r\n250 AUTH PLAIN\r\n";
    let received = client.receive(bytes);
    assert_eq!((received.consumed, client.state()), (8, State::Tls));
    // It is not read, however often the machine is asked.
    assert_eq!(client.receive(&bytes[8..]).consumed, 0);
    assert_eq!(client.tls_established(&bytes[8..]), Err(PlaintextInjection));
    assert_eq!(send(&mut client, &ehlo()), Err(SendError::Closed));
}

#[test]
fn v35_a_fragment_before_tls() {
    let mut client = after(ClientConfig::DEFAULT, STARTTLS);
    send(&mut client, &Command::StartTls).expect("STARTTLS");
    let received = client.receive(b"220 go\r\n250-x");
    assert_eq!((received.consumed, client.state()), (8, State::Tls));
    assert_eq!(client.clone().tls_established(b"250-x"), Err(PlaintextInjection));
    // Handed to TLS by choice, it is not put before the first reply inside.
    client.tls_established(b"").expect("nothing is left over");
    send(&mut client, &ehlo()).expect("EHLO");
    hear(&mut client, PLAIN);
    assert_eq!(client.state(), State::Ready);
}

#[test]
fn v36_tls_forgets_what_came_before() {
    let mut client = after(ClientConfig::DEFAULT, STARTTLS);
    assert!(client.capabilities().contains(Extension::StartTls));
    send(&mut client, &Command::StartTls).expect("STARTTLS");
    hear(&mut client, "220 go\r\n");
    client.tls_established(b"").expect("nothing is left over");
    assert!(client.capabilities().is_empty() && client.is_tls() && !client.is_extended());
    for command in [mail(), rcpt(), auth(), Command::StartTls] {
        let refused = send(&mut client, &command);
        assert!(matches!(refused, Err(SendError::OutOfState { .. })), "{refused:?}");
    }
    send(&mut client, &ehlo()).expect("EHLO");
    hear(&mut client, "250-mx.example\r\n250 AUTH PLAIN\r\n");
    assert_eq!(send(&mut client, &auth()).expect("AUTH"), "AUTH PLAIN AHVzZXIAc2VjcmV0\r\n");
}

/// CVE-2016-0772, CVE-2021-22946: with TLS required, nothing but 220 goes on.
#[test]
fn v37_no_mail_and_no_password_without_tls() {
    // STARTTLS is not offered, or taken out of the offer.
    let mut client = after(REQUIRED, "250-mx.example\r\n250 AUTH PLAIN\r\n");
    assert_eq!(
        send(&mut client, &Command::StartTls),
        Err(SendError::NotOffered(Extension::StartTls))
    );
    for command in [mail(), auth()] {
        assert_eq!(send(&mut client, &command), Err(SendError::TlsRequired));
    }
    assert!(send(&mut client, &Command::Quit).is_ok());
    // It is offered, and refused, or answered with something else than 220.
    for reply in [
        "454 not now\r\n",
        "500 what\r\n",
        "221 bye\r\n",
        "250 ok\r\n",
        "221-two\r\n221 lines\r\n",
        "334 \r\n",
        "354 go\r\n",
    ] {
        let mut client = after(REQUIRED, STARTTLS);
        send(&mut client, &Command::StartTls).expect("STARTTLS");
        hear(&mut client, reply);
        assert_eq!((client.state(), client.is_tls()), (State::Ready, false), "{reply}");
        assert_eq!(client.tls_established(b""), Err(PlaintextInjection), "{reply}");
        let mut client = after(REQUIRED, STARTTLS);
        send(&mut client, &Command::StartTls).expect("STARTTLS");
        hear(&mut client, reply);
        for command in [mail(), auth()] {
            assert_eq!(send(&mut client, &command), Err(SendError::TlsRequired), "{reply}");
        }
    }
    // Nothing comes at all.
    let mut client = after(REQUIRED, STARTTLS);
    send(&mut client, &Command::StartTls).expect("STARTTLS");
    let (reported, mut client) = events(&client, b"22", true);
    assert_eq!(reported, ["Unanswered { to: StartTls }", "Closed"]);
    assert_eq!(send(&mut client, &mail()), Err(SendError::Closed));
    // Inside TLS it goes.
    let mut client = after(ClientConfig { implicit_tls: true, ..REQUIRED }, PLAIN);
    assert!(send(&mut client, &mail()).is_ok());
}

#[test]
fn v38_starttls_is_not_sent_inside_tls() {
    let mut client = after(ClientConfig { implicit_tls: true, ..REQUIRED }, STARTTLS);
    let refused = send(&mut client, &Command::StartTls);
    assert_eq!(refused, Err(SendError::OutOfState { state: State::Ready, verb: Verb::StartTls }));
}

//! Credentials that no user has never reach the application.

use ehlo::Code;
use ehlo::syntax::sasl::{Response, SaslData, SaslMechanism};
use ehlo_sasl::{AnyServer, Credentials, ServerExchange, ServerMechanism, ServerStep};
use proptest::prelude::*;

/// Characters that no identity has: they forge a line of a log, or hide in it.
const CONTROLS: &[char] = &[
    '\0', '\u{1}', '\t', '\n', '\r', '\u{1b}', '\u{7f}', '\u{80}', '\u{85}', '\u{9f}', '\u{2028}',
    '\u{2029}', '\u{200e}', '\u{200f}', '\u{202a}', '\u{202e}', '\u{2066}', '\u{2069}', '\u{206f}',
    '\u{fff9}',
];

/// The reply to these messages in turn, and how many were read: the application is asked nothing.
fn refusal(server: AnyServer, messages: &[&[u8]], begins: bool) -> (u16, usize) {
    let (mut exchange, mut buffer) = (ServerExchange::new(server), vec![0; 9216]);
    let data: Vec<_> = messages.iter().map(|message| SaslData::new(message)).collect();
    let (initial, rest) = if begins { (data.first(), &data[1..]) } else { (None, &data[..]) };
    let mut count = usize::from(begins);
    let mut step = exchange.start(initial, &mut buffer);
    for message in rest {
        if let ServerStep::Reply(reply) = step {
            return (reply.code().number(), count);
        }
        assert!(matches!(step, ServerStep::Challenge(_)), "{messages:?}: {step:?}");
        step = exchange.receive(&Response::Data(*message), &mut buffer);
        count += 1;
    }
    let ServerStep::Reply(reply) = step else { panic!("{messages:?}: {step:?}") };
    (reply.code().number(), count)
}

fn plain(message: &[u8]) -> u16 {
    refusal(AnyServer::new(SaslMechanism::Plain).unwrap(), &[message], true).0
}

/// The name and the password are both read before the reply: the second is no command.
fn login(name: &[u8], password: &[u8]) -> u16 {
    let [(code, count), with_initial] = [false, true].map(|begins| {
        let server = AnyServer::new(SaslMechanism::Login).unwrap();
        refusal(server, &[name, password], begins)
    });
    assert_eq!(count, 2, "{name:?}");
    assert_eq!((code, count), with_initial, "{name:?}");
    code
}

/// RFC 4616 §2: "if preparation fails or results in an empty string, verification SHALL fail".
#[test]
fn v126_an_empty_name_or_password_is_a_wrong_one() {
    let refused = Code::CREDENTIALS_INVALID.number();
    for message in [&b"\0\0"[..], b"\0a\0", b"\0\0b", b"a\0\0b", b"a\0b\0"] {
        assert_eq!(plain(message), refused, "{message:?}");
    }
    for (name, password) in [("", ""), ("anna", ""), ("", "secret")] {
        assert_eq!(login(name.as_bytes(), password.as_bytes()), refused, "{name:?} {password:?}");
    }
}

/// The name of LOGIN is answered by a question for the password, whatever it is.
#[test]
fn v126_the_password_of_login_is_never_a_command() {
    let long = [b'x'; 300];
    for name in [&b"an\0na"[..], b"\xFF", &long, &[b'x'; 9000]] {
        login(name, b"QUIT");
    }
    assert_eq!(login(&[b'x'; 256], b"secret"), Code::CREDENTIALS_INVALID.number());
    assert_eq!(login(b"anna", b"\xFF"), Code::ARGUMENT_SYNTAX_ERROR.number());
}

#[test]
fn v127_controls_in_a_name_or_password() {
    for control in CONTROLS {
        for odd in [format!("{control}"), format!("an{control}na"), format!("anna{control}")] {
            assert!(Credentials::password(&odd, "secret").is_err(), "{odd:?}");
            assert!(Credentials::external().acting_for(&odd).is_err(), "{odd:?}");
            let mut codes = vec![login(odd.as_bytes(), b"secret"), login(b"anna", odd.as_bytes())];
            for message in [
                format!("\0{odd}\0secret"),
                format!("\0anna\0{odd}"),
                format!("{odd}\0anna\0secret"),
            ] {
                codes.push(plain(message.as_bytes()));
            }
            // A NUL in PLAIN parts the message, so that it has too many parts.
            let nul = *control == '\0';
            assert!(codes.iter().all(|code| *code == 535 || nul && *code == 501), "{codes:?}");
        }
    }
}

/// The same of the mechanisms in which an identity stands in a grammar.
#[test]
fn v127_controls_in_identities_of_other_mechanisms() {
    for control in CONTROLS {
        let odd = format!("an{control}na");
        for (mechanism, message) in [
            (SaslMechanism::External, odd.clone()),
            (SaslMechanism::Anonymous, odd.clone()),
            (SaslMechanism::Xoauth2, format!("user={odd}\x01auth=Bearer t\x01\x01")),
            (SaslMechanism::OauthBearer, format!("n,a={odd},\x01auth=Bearer t\x01\x01")),
        ] {
            let server = AnyServer::new(mechanism).unwrap();
            // The reason of a refusal, where it is a challenge, is answered by nothing.
            let (code, _) = refusal(server, &[message.as_bytes(), b""], true);
            assert!([501, 535].contains(&code), "{mechanism:?} {control:?}: {code}");
        }
        #[cfg(feature = "cram-md5")]
        {
            let server = ehlo_sasl::CramMd5Server::new("<a@b>").unwrap().into();
            let answer = format!("{odd} {}", "0".repeat(32));
            let (code, _) = refusal(server, &[answer.as_bytes()], false);
            assert!([501, 535].contains(&code), "CRAM-MD5 {control:?}: {code}");
        }
        #[cfg(feature = "scram")]
        for message in [format!("n,,n={odd},r=abc"), format!("n,a={odd},n=anna,r=abc")] {
            let server = ehlo_sasl::ScramServer::new(SaslMechanism::ScramSha256, None).unwrap();
            let (code, _) = refusal(server.into(), &[message.as_bytes()], true);
            assert!([501, 535].contains(&code), "SCRAM {control:?}: {code}");
        }
    }
}

proptest! {
    /// Whatever the message: what the application is asked about has no control character in it.
    #[test]
    fn v127_no_identity_has_a_control(
        parts in prop::collection::vec("[a-z\\r\\n\\t\u{85}\u{202e}\u{2028}é=, ]{0,6}", 3),
    ) {
        let [authorization, name, secret] = &parts[..] else { panic!() };
        for (mechanism, message) in [
            (SaslMechanism::Plain, format!("{authorization}\0{name}\0{secret}")),
            (SaslMechanism::External, name.clone()),
            (SaslMechanism::Anonymous, name.clone()),
            (SaslMechanism::Xoauth2, format!("user={name}\x01auth=Bearer t\x01\x01")),
            (SaslMechanism::OauthBearer, format!("n,a={name},\x01auth=Bearer t\x01\x01")),
        ] {
            let mut server = AnyServer::new(mechanism).unwrap();
            let mut buffer = [0; 512];
            let turn = server.respond(Some(&SaslData::new(message.as_bytes())), &mut buffer);
            let Ok(ehlo_sasl::ServerTurn::Verify(credentials)) = turn else { continue };
            let proof = match credentials.proof() {
                ehlo_sasl::Proof::Password(text) | ehlo_sasl::Proof::Anonymous(text) => text,
                _ => "",
            };
            for text in [credentials.authentication(), credentials.authorization(), Some(proof)] {
                let text = text.unwrap_or_default();
                prop_assert!(!text.contains(CONTROLS), "{mechanism:?} {text:?}");
            }
        }
    }
}

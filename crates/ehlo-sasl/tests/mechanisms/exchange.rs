//! What a client makes of challenges that are not as RFC 4954 has them.

use ehlo::syntax::sasl::{Response, SaslData, SaslMechanism};
use ehlo::{Code, Encode as _, Parsed, Policy, Reply};
use ehlo_sasl::{AnyClient, ClientExchange, ClientFailure, ClientStep, Credentials, LoginClient};
use proptest::prelude::*;

fn anna() -> Credentials<'static> {
    Credentials::password("anna", "secret").unwrap()
}

/// The line that the client sends after each of these replies; empty when the attempt is over.
fn lines(client: AnyClient<'_>, replies: &[&[u8]]) -> (Vec<String>, Option<ClientFailure>) {
    let mut exchange = ClientExchange::new(client);
    let (mut buffer, mut out) = ([0; 1024], [0; 2048]);
    let n = exchange.start(&mut buffer).unwrap().encode(&mut out).unwrap();
    let mut lines = vec![String::from_utf8_lossy(&out[..n]).trim_end().to_owned()];
    let mut failure = None;
    for reply in replies {
        let bytes = [reply, &b"\r\n"[..]].concat();
        let policy = Policy::STRICT.with_any_reply_text(true);
        let Ok(Parsed::Complete { value, .. }) = Reply::parse(&bytes, &policy) else { panic!() };
        lines.push(match exchange.receive(&value, &mut buffer) {
            ClientStep::Respond(response) => {
                let n = response.encode(&mut out).unwrap();
                String::from_utf8_lossy(&out[..n]).trim_end().to_owned()
            }
            ClientStep::Done(result) => {
                failure = result.err();
                String::new()
            }
        });
    }
    (lines, failure)
}

/// The draft of LOGIN has the client ignore the contents of both challenges.
#[test]
fn login_answers_prompts_of_any_form() {
    for prompts in [
        [&b"334 VXNlcm5hbWU6"[..], b"334 UGFzc3dvcmQ6"],
        [b"334 Username:", b"334 Password:"],
        [b"334 VXNlcm5hbWU", b"334 UGFzc3dvcmQ="],
        [b"334  VXNlcm5hbWU6", b"334 UGFzc3dvcmQ6 "],
        [b"334 ", b"334 "],
        [b"334", b"334"],
        [b"334 \t", b"334 ="],
        [b"334 Benutzername f\xC3\xBCr mx.example:", b"334 Pa\xDFwort:"],
        [b"334 VXNlcm5hbWU6VXNl=cm5hbWU6", b"334 *"],
    ] {
        let login = AnyClient::new(SaslMechanism::Login, &anna()).unwrap();
        let replies = [prompts[0], prompts[1], b"235 welcome"];
        let (lines, failure) = lines(login, &replies);
        assert_eq!(lines, ["AUTH LOGIN", "YW5uYQ==", "c2VjcmV0", ""], "{prompts:?}");
        assert_eq!(failure, None, "{prompts:?}");
    }
}

/// RFC 4954 §8: a challenge is one line.
#[test]
fn a_challenge_of_several_lines_is_cancelled() {
    for challenge in [&b"334-VXNl\r\n334 cm5hbWU6"[..], b"334-\r\n334 "] {
        for mechanism in [SaslMechanism::Login, SaslMechanism::Plain] {
            let client = AnyClient::new(mechanism, &anna()).unwrap();
            let (lines, failure) = lines(client, &[challenge, b"501 cancelled"]);
            assert_eq!(lines[1..], ["*", ""], "{mechanism:?}");
            assert_eq!(failure, Some(ClientFailure::Challenge));
        }
    }
}

#[test]
fn a_mechanism_that_reads_its_challenge_wants_base64() {
    for challenge in
        [&b"334 Username:"[..], b"334 PDFAYj", b"334 PDFAYj4===", b"334-PDFAYj4=\r\n334 PDFAYj4="]
    {
        for (mechanism, credentials) in [
            #[cfg(feature = "cram-md5")]
            (SaslMechanism::CramMd5, anna()),
            #[cfg(feature = "scram")]
            (SaslMechanism::ScramSha256, anna()),
            (SaslMechanism::Xoauth2, Credentials::token("anna", "t").unwrap()),
        ] {
            let client = AnyClient::new(mechanism, &credentials).unwrap();
            let (lines, failure) = lines(client, &[challenge, b"501 cancelled"]);
            assert_eq!(lines[1], "*", "{mechanism:?}");
            assert_eq!(failure, Some(ClientFailure::Challenge));
        }
    }
}

/// Blanks around the base64 are no part of it.
#[test]
fn blanks_around_a_challenge_are_skipped() {
    for challenge in [&b"334  e30="[..], b"334 e30= ", b"334 \te30=\t", b"334   e30=  "] {
        let token = Credentials::token("anna", "t").unwrap();
        let client = AnyClient::new(SaslMechanism::Xoauth2, &token).unwrap();
        let (lines, failure) = lines(client, &[challenge, b"535 no"]);
        assert_eq!(lines[1..], ["", ""]);
        assert_eq!(failure, Some(ClientFailure::Refused));
    }
    #[cfg(feature = "cram-md5")]
    for challenge in [&b"334  PDFAYj4="[..], b"334 PDFAYj4= \t"] {
        let right = AnyClient::new(SaslMechanism::CramMd5, &anna()).unwrap();
        let (right, _) = lines(right, &[b"334 PDFAYj4="]);
        let client = AnyClient::new(SaslMechanism::CramMd5, &anna()).unwrap();
        assert_eq!(lines(client, &[challenge]).0, right);
    }
}

/// A server that does not read the initial response asks for it by an empty challenge.
#[test]
fn an_initial_response_that_was_ignored_is_sent_once_more() {
    let token = Credentials::token("anna", "t").unwrap();
    for (mechanism, credentials) in [
        (SaslMechanism::Plain, anna()),
        (SaslMechanism::External, Credentials::external()),
        (SaslMechanism::External, Credentials::external().acting_for("bob").unwrap()),
        (SaslMechanism::Anonymous, Credentials::anonymous("word").unwrap()),
        (SaslMechanism::Xoauth2, token),
        (SaslMechanism::OauthBearer, token),
        #[cfg(feature = "scram")]
        (SaslMechanism::ScramSha1, anna()),
        #[cfg(feature = "scram")]
        (SaslMechanism::ScramSha256, anna()),
    ] {
        for empty in [&b"334 "[..], b"334", b"334  "] {
            let client = AnyClient::new(mechanism, &credentials).unwrap();
            let (lines, failure) = lines(client, &[empty, empty, b"501 cancelled"]);
            let (command, initial) = lines[0].rsplit_once(' ').unwrap();
            assert_eq!(command, format!("AUTH {}", mechanism.name()));
            assert_eq!(lines[1], if initial == "=" { "" } else { initial }, "{mechanism:?}");
            // Once: after that the mechanism decides, and none of these has an answer but those
            // whose refusal is a challenge.
            let refusal = match mechanism {
                SaslMechanism::Xoauth2 => "",
                SaslMechanism::OauthBearer => "AQ==",
                _ => "*",
            };
            assert_eq!(lines[2], refusal, "{mechanism:?}");
            assert!(failure.is_some());
        }
        // And success after it is success where the mechanism has nothing left to prove.
        let client = AnyClient::new(mechanism, &credentials).unwrap();
        let (_, failure) = lines(client, &[b"334 ", b"235 welcome"]);
        let is_mutual = mechanism.name().starts_with("SCRAM");
        assert_eq!(failure, is_mutual.then_some(ClientFailure::EarlySuccess), "{mechanism:?}");
    }
}

proptest! {
    #[test]
    fn login_ignores_any_prompt(first in "[^\r\n\0]{0,80}", second in "[ -~]{0,80}") {
        let login = LoginClient::new(&anna()).unwrap();
        let (mut exchange, mut buffer) = (ClientExchange::new(login), [0; 64]);
        exchange.start(&mut buffer).unwrap();
        for (prompt, answer) in [(first, &b"anna"[..]), (second, b"secret")] {
            let reply = Reply::new(Code::AUTHENTICATION_CONTINUES, &prompt);
            let expected = ClientStep::Respond(Response::Data(SaslData::new(answer)));
            prop_assert_eq!(exchange.receive(&reply, &mut buffer), expected);
        }
    }
}

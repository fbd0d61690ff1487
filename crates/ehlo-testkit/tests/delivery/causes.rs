//! The table of `Outcome`: what happened, and what is said of it.

use ehlo::delivery::{AuthPolicy, Cause, Event, Fate, HelloPolicy, TlsPolicy, UnusableSession};
use ehlo::delivery::{Outcome, Outcomes};
use ehlo::machine::Machine;
use ehlo::syntax::SyntaxErrorKind;
use ehlo::syntax::command::{Mechanism, Verb};
use ehlo::syntax::parameter::Body;
use ehlo::syntax::sasl::{Response, SaslData, SaslMechanism};
use ehlo::{Code, Command, Delivery, DeliveryConfig, Envelope, Extension, HeloName, SendError};

use crate::harness::{Caller, PIPELINING, PLAIN, Run, five, script, sender};

/// What a row of the table is.
struct Row {
    /// What the server answers to lines that begin so, and what it offers.
    offered: &'static str,
    replies: &'static [(&'static str, &'static str)],
    config: DeliveryConfig,
    /// What is said of the first recipient: its fate and cause, the stage, the code, and in words.
    expected: (Fate, Cause, Verb, Option<u16>, &'static str),
}

const USUAL: DeliveryConfig = DeliveryConfig::DEFAULT;
const TLS: DeliveryConfig = DeliveryConfig { tls: TlsPolicy::Require, ..USUAL };
const AUTH: DeliveryConfig = DeliveryConfig {
    auth: AuthPolicy::Require,
    client: ehlo::ClientConfig { implicit_tls: true, ..USUAL.client },
    ..USUAL
};
const OPTIONAL: DeliveryConfig = DeliveryConfig { auth: AuthPolicy::Optional, ..AUTH };
const EHLO_ONLY: DeliveryConfig = DeliveryConfig { hello: HelloPolicy::EhloOnly, ..USUAL };
const RECONNECT: DeliveryConfig = DeliveryConfig { hello: HelloPolicy::Reconnect, ..USUAL };
const LMTP: DeliveryConfig = DeliveryConfig { lmtp: true, ..USUAL };

const STARTTLS: &str = "250-mx.example\r\n250 STARTTLS\r\n";
const OFFERS_AUTH: &str = "250-mx.example\r\n250 AUTH PLAIN LOGIN\r\n";
const OFFERS_NTLM: &str = "250-mx.example\r\n250 AUTH NTLM GSSAPI\r\n";

/// Logs in by PLAIN, then by LOGIN; gives a challenge with a text up.
fn log_in(caller: &mut Caller<'_, '_>, event: &Event<'_>) {
    match event {
        Event::StartTls => caller.delivery.tls_failed(),
        Event::NeedAuthentication(offered) => {
            let usable = [SaslMechanism::Plain, SaslMechanism::Login];
            let Some(mechanism) = usable.into_iter().find(|one| offered.contains(*one)) else {
                return caller.delivery.skip_authentication();
            };
            let mechanism = Mechanism::new(mechanism.name()).expect("a name");
            let initial_response = Some(SaslData::new(b"secret"));
            let command = Command::Auth { mechanism, initial_response };
            caller.write(|delivery, room| delivery.authenticate(&command, room)).expect("AUTH");
        }
        Event::Challenge(reply) if reply.lines().next() == Some(b"wrong") => {
            caller.delivery.server_not_authentic();
        }
        Event::Challenge(_) => {
            let cancel = Response::Cancel;
            caller.write(|delivery, room| delivery.respond(&cancel, room)).expect("a response");
        }
        _ => {}
    }
}

#[test]
fn each_cause_has_its_fate() {
    for row in rows() {
        let recipients = five();
        let mut run = Run::new(&[Envelope::new(sender(), &recipients)]);
        run.config = row.config;
        run.secure = log_in;
        // What comes a byte at a time is taken for the answer to the next command.
        let all_at_once = row.expected.1 == Cause::Unsolicited;
        for pieces in [1, usize::MAX].into_iter().skip(usize::from(all_at_once)) {
            run.pieces = pieces;
            let outcome = run.carry(script(row.offered, row.replies)).first;
            let (fate, cause, stage, code, words) = row.expected;
            let code = code.and_then(Code::new);
            let seen = (outcome.fate, outcome.cause, outcome.stage, outcome.code);
            assert_eq!(seen, (fate, cause, stage, code), "{:?}", row.replies);
            assert_eq!(outcome.to_string(), words, "{:?}", row.replies);
        }
    }
}

#[allow(clippy::too_many_lines)] // a row for each cause
fn rows() -> Vec<Row> {
    use Cause::{NoReply, Reply, Unsolicited, Unusable, Violation};
    use Fate::{Accepted, Deferred, Refused, Unknown};
    let row = |offered, replies, config, expected| Row { offered, replies, config, expected };
    let not_authenticated = Unusable(UnusableSession::NotAuthenticated);
    vec![
        row(
            PLAIN,
            &[],
            USUAL,
            (
                Accepted,
                Reply,
                Verb::Message,
                Some(250),
                "accepted by the reply to the message: 250 2.6.0",
            ),
        ),
        // Replies to what is of the mail are taken at their word.
        row(
            PLAIN,
            &[("MAIL", "451 4.7.1 later\r\n")],
            USUAL,
            (Deferred, Reply, Verb::Mail, Some(451), "deferred by the reply to MAIL: 451 4.7.1"),
        ),
        row(
            PLAIN,
            &[("MAIL", "550 5.7.1 no\r\n")],
            USUAL,
            (Refused, Reply, Verb::Mail, Some(550), "refused by the reply to MAIL: 550 5.7.1"),
        ),
        row(
            PLAIN,
            &[("RCPT", "550 5.1.1 no\r\n")],
            USUAL,
            (Refused, Reply, Verb::Rcpt, Some(550), "refused by the reply to RCPT: 550 5.1.1"),
        ),
        row(
            PLAIN,
            &[("RCPT", "552 5.5.3 many\r\n")],
            USUAL,
            (Deferred, Reply, Verb::Rcpt, Some(552), "deferred by the reply to RCPT: 552 5.5.3"),
        ),
        row(
            PLAIN,
            &[("DATA", "554 5.7.1 no\r\n")],
            USUAL,
            (Refused, Reply, Verb::Data, Some(554), "refused by the reply to DATA: 554 5.7.1"),
        ),
        row(
            PLAIN,
            &[("DATA", "250 done\r\n")],
            USUAL,
            (Deferred, Reply, Verb::Data, Some(250), "deferred by the reply to DATA: 250"),
        ),
        row(
            PLAIN,
            &[(".", "550 5.7.1 spam\r\n")],
            USUAL,
            (
                Refused,
                Reply,
                Verb::Message,
                Some(550),
                "refused by the reply to the message: 550 5.7.1",
            ),
        ),
        // The session.
        row(
            PLAIN,
            &[("QUIT", "221 bye\r\n"), ("EHLO", "421 4.3.2 down\r\n")],
            USUAL,
            (Deferred, Reply, Verb::Ehlo, Some(421), "deferred by the reply to EHLO: 421 4.3.2"),
        ),
        row(
            PLAIN,
            &[("EHLO", "502 5.5.1 what\r\n"), ("HELO", "550 5.7.1 no\r\n")],
            USUAL,
            (Refused, Reply, Verb::Helo, Some(550), "refused by the reply to HELO: 550 5.7.1"),
        ),
        row(
            PLAIN,
            &[("LHLO", "500 5.5.1 what\r\n")],
            LMTP,
            (Refused, Reply, Verb::Lhlo, Some(500), "refused by the reply to LHLO: 500 5.5.1"),
        ),
        row(
            PLAIN,
            &[("EHLO", "502 5.5.1 what\r\n")],
            EHLO_ONLY,
            (Deferred, Reply, Verb::Ehlo, Some(502), "deferred by the reply to EHLO: 502 5.5.1"),
        ),
        row(
            PLAIN,
            &[("EHLO", "502 5.5.1 what\r\n")],
            TLS,
            (Deferred, Reply, Verb::Ehlo, Some(502), "deferred by the reply to EHLO: 502 5.5.1"),
        ),
        row(
            PLAIN,
            &[("EHLO", "502 5.5.1 what\r\n")],
            AUTH,
            (Deferred, Reply, Verb::Ehlo, Some(502), "deferred by the reply to EHLO: 502 5.5.1"),
        ),
        row(
            PLAIN,
            &[],
            TLS,
            (
                Deferred,
                Unusable(UnusableSession::TlsNotOffered),
                Verb::StartTls,
                None,
                "deferred, nothing was sent: TLS is required and not offered",
            ),
        ),
        row(
            STARTTLS,
            &[("STARTTLS", "554 5.7.0 no\r\n")],
            TLS,
            (
                Deferred,
                Reply,
                Verb::StartTls,
                Some(554),
                "deferred by the reply to STARTTLS: 554 5.7.0",
            ),
        ),
        row(
            STARTTLS,
            &[],
            TLS,
            (
                Deferred,
                Unusable(UnusableSession::TlsFailed),
                Verb::Handshake,
                None,
                "deferred, nothing was sent: the TLS handshake failed",
            ),
        ),
        row(
            PLAIN,
            &[],
            AUTH,
            (
                Deferred,
                Unusable(UnusableSession::AuthNotOffered),
                Verb::Auth,
                None,
                "deferred, nothing was sent: the server offers no usable authentication mechanism",
            ),
        ),
        row(
            OFFERS_NTLM,
            &[],
            AUTH,
            (
                Deferred,
                Unusable(UnusableSession::AuthNotOffered),
                Verb::Auth,
                None,
                "deferred, nothing was sent: the server offers no usable authentication mechanism",
            ),
        ),
        row(
            OFFERS_AUTH,
            &[("AUTH", "535 5.7.8 no\r\n")],
            AUTH,
            (Refused, Reply, Verb::Auth, Some(535), "refused by the reply to AUTH: 535 5.7.8"),
        ),
        row(
            OFFERS_AUTH,
            &[("AUTH", "501 5.5.4 too long\r\n")],
            AUTH,
            (Refused, Reply, Verb::Auth, Some(501), "refused by the reply to AUTH: 501 5.5.4"),
        ),
        row(
            OFFERS_AUTH,
            &[("AUTH", "454 4.7.0 later\r\n")],
            AUTH,
            (Deferred, Reply, Verb::Auth, Some(454), "deferred by the reply to AUTH: 454 4.7.0"),
        ),
        row(
            OFFERS_AUTH,
            &[("AUTH", "504 5.5.4 what\r\n")],
            AUTH,
            (Deferred, Reply, Verb::Auth, Some(504), "deferred by the reply to AUTH: 504 5.5.4"),
        ),
        row(
            OFFERS_AUTH,
            &[("AUTH", "534 5.7.9 weak\r\n")],
            AUTH,
            (Deferred, Reply, Verb::Auth, Some(534), "deferred by the reply to AUTH: 534 5.7.9"),
        ),
        row(
            "250-mx\r\n250 AUTH PLAIN NTLM\r\n",
            &[("AUTH", "504 5.5.4 what\r\n")],
            AUTH,
            (
                Deferred,
                not_authenticated,
                Verb::Auth,
                Some(504),
                "deferred, nothing was sent: authentication failed: 504 5.5.4",
            ),
        ),
        row(
            OFFERS_AUTH,
            &[("AUTH", "334 what\r\n"), ("*", "501 5.7.0 cancelled\r\n")],
            AUTH,
            (Deferred, Reply, Verb::Auth, Some(501), "deferred by the reply to AUTH: 501 5.7.0"),
        ),
        row(
            OFFERS_AUTH,
            &[("AUTH", "334 wrong\r\n")],
            AUTH,
            (
                Deferred,
                Unusable(UnusableSession::ServerNotAuthentic),
                Verb::Auth,
                None,
                "deferred, nothing was sent: the server did not prove its identity",
            ),
        ),
        row(
            OFFERS_AUTH,
            &[("AUTH", "334 wrong\r\n")],
            OPTIONAL,
            (
                Deferred,
                Unusable(UnusableSession::ServerNotAuthentic),
                Verb::Auth,
                None,
                "deferred, nothing was sent: the server did not prove its identity",
            ),
        ),
        // What has no reply.
        row(
            PLAIN,
            &[("EHLO", "")],
            USUAL,
            (Deferred, NoReply, Verb::Ehlo, None, "deferred, no reply to EHLO"),
        ),
        row(
            PLAIN,
            &[("EHLO", "")],
            RECONNECT,
            (
                Deferred,
                Unusable(UnusableSession::EhloClosed),
                Verb::Ehlo,
                None,
                "deferred, nothing was sent: the connection was closed at EHLO",
            ),
        ),
        row(
            OFFERS_AUTH,
            &[("AUTH", "")],
            AUTH,
            (Deferred, NoReply, Verb::Auth, None, "deferred, no reply to AUTH"),
        ),
        row(
            PLAIN,
            &[("MAIL", "")],
            USUAL,
            (Deferred, NoReply, Verb::Mail, None, "deferred, no reply to MAIL"),
        ),
        row(
            PIPELINING,
            &[("RCPT", ""), ("DATA", "")],
            USUAL,
            (Deferred, NoReply, Verb::Rcpt, None, "deferred, no reply to RCPT"),
        ),
        row(
            PLAIN,
            &[(".", "")],
            USUAL,
            (Unknown, NoReply, Verb::Message, None, "unknown, no reply to the message"),
        ),
        // What is none.
        row(
            PLAIN,
            &[("EHLO", "250-mx\r\n251 x\r\n")],
            USUAL,
            (
                Deferred,
                Violation(SyntaxErrorKind::ReplyCodeChanges),
                Verb::Greeting,
                None,
                "deferred, the server sent no valid reply: reply code changes between lines",
            ),
        ),
        row(
            PLAIN,
            &[("EHLO", "250 mx\r\n421 4.3.2 down\r\n")],
            USUAL,
            (
                Deferred,
                Unsolicited,
                Verb::Ehlo,
                Some(421),
                "deferred, the server ended the session after EHLO: 421 4.3.2",
            ),
        ),
        row(
            OFFERS_AUTH,
            &[("AUTH", "235 ok\r\n421 4.3.2 down\r\n")],
            AUTH,
            (
                Deferred,
                Unsolicited,
                Verb::Auth,
                Some(421),
                "deferred, the server ended the session after AUTH: 421 4.3.2",
            ),
        ),
    ]
}

/// What this side does not send, and a session that ends when nothing is awaited.
#[test]
fn what_is_not_sent_has_its_fate() {
    let recipients = five();
    let envelope = Envelope { body: Body::EightBitMime, ..Envelope::new(sender(), &recipients) };
    let outcome = Run::new(&[envelope]).carry(script(PLAIN, &[])).first;
    let error = SendError::NotOffered(Extension::EightBitMime);
    assert_eq!((outcome.fate, outcome.cause), (Fate::Refused, Cause::NotSent(error)));
    assert_eq!((outcome.stage, outcome.code), (Verb::Mail, None));
    assert_eq!(
        outcome.to_string(),
        "refused, MAIL was not sent: the server does not offer 8BITMIME"
    );
    let mut run = Run::new(&[Envelope::new(sender(), &recipients)]);
    run.give = |_, _| Err(SendError::NoContent);
    let outcome = run.carry(script(PLAIN, &[])).first;
    assert_eq!(
        (outcome.fate, outcome.cause),
        (Fate::Deferred, Cause::NotSent(SendError::NoContent))
    );
    assert_eq!(
        outcome.to_string(),
        "deferred, the message was not sent: the content is not available"
    );
}

/// A connection that ends while the client has nothing to say.
#[test]
fn a_session_that_ends_between_two_commands() {
    let name = HeloName::new("client.example").expect("a name");
    let mut delivery = Delivery::new(name, USUAL);
    let mut memory = [Outcome::PENDING];
    let mut outcomes = Outcomes::begin(&mut memory, 0).expect("nothing is decided");
    for said in ["220 mx.example\r\n", "250 mx.example\r\n"] {
        outcomes.record(&delivery.receive(said.as_bytes()).event);
        delivery.transmit(&mut [0; 64]).expect("room");
    }
    assert_eq!(delivery.receive(b"").event, Event::NeedEnvelope);
    delivery.defer_envelope();
    delivery.end_of_input();
    outcomes.record(&delivery.receive(b"").event);
    let [outcome] = memory;
    assert_eq!((outcome.fate, outcome.cause), (Fate::Deferred, Cause::Ended));
    assert_eq!(outcome.to_string(), "deferred, the session ended after EHLO");
}

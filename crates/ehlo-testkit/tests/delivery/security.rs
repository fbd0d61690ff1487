//! What comes before the first envelope: TLS, authentication, HELO.

use ehlo::delivery::{AuthPolicy, Event, Fate, HelloPolicy, TlsPolicy};
use ehlo::machine::PlaintextInjection;
use ehlo::session::State;
use ehlo::syntax::command::Mechanism;
use ehlo::syntax::command::Verb;
use ehlo::syntax::sasl::Response;
use ehlo::syntax::sasl::{Mechanisms, SaslData, SaslMechanism};
use ehlo::{Command, Envelope, SendError};

use crate::harness::{
    Caller, ONE_REFUSED, PIPELINING, PLAIN, Report, Run, fates, five, script, sender,
};

const STARTTLS: &str = "250-mx.example\r\n250 STARTTLS\r\n";
const STARTTLS_AUTH: &str = "250-mx.example\r\n250-AUTH PLAIN LOGIN CRAM-MD5\r\n250 STARTTLS\r\n";
const AUTH: &str = "250-mx.example\r\n250 AUTH PLAIN LOGIN CRAM-MD5\r\n";

fn one<'e>(recipients: &'e [ehlo::ForwardPath<'static>; 5]) -> Run<'e> {
    Run::new(&[Envelope::new(sender(), recipients)])
}

fn upgrade(caller: &mut Caller<'_, '_>, event: &Event<'_>) {
    if *event == Event::StartTls {
        assert_eq!(caller.delivery.client().state(), State::Tls);
        caller.delivery.tls_established(caller.unread).expect("nothing left over");
    }
}

fn has(report: &Report, what: &str) -> bool {
    report.events.iter().any(|event| event == what)
}

#[test]
fn tls_where_it_is_offered() {
    let recipients = five();
    let mut run = one(&recipients);
    run.secure = upgrade;
    let both = "EHLO client.example\r\nSTARTTLS\r\nEHLO client.example\r\nMAIL FROM";
    for tls in [TlsPolicy::Opportunistic, TlsPolicy::Require] {
        run.config.tls = tls;
        // The server says other things inside TLS.
        let mut server = script(PLAIN, &[]);
        let mut hellos = 0;
        let report = run.carry(|line| {
            hellos += usize::from(line.starts_with(b"EHLO"));
            if hellos == 1 && line.starts_with(b"EHLO") {
                return STARTTLS.as_bytes().to_vec();
            }
            if line.starts_with(b"STARTTLS") { b"220 go\r\n".to_vec() } else { server(line) }
        });
        assert_eq!(fates(&report.outcomes[0]), ONE_REFUSED);
        assert!(report.sent.starts_with(both), "{}", report.sent);
    }
    // Not again inside TLS, whatever the server offers there; and not by nobody's wish.
    let report = run.carry(script(STARTTLS, &[]));
    assert_eq!(report.sent.matches("STARTTLS").count(), 1);
    assert_eq!(fates(&report.outcomes[0]), ONE_REFUSED);
    run.config.tls = TlsPolicy::Forbid;
    let report = run.carry(script(STARTTLS, &[]));
    assert!(!report.sent.contains("STARTTLS"));
    assert_eq!(fates(&report.outcomes[0]), ONE_REFUSED);
    run.config.client.implicit_tls = true;
    run.config.tls = TlsPolicy::Require;
    let report = run.carry(script(STARTTLS, &[]));
    assert!(!report.sent.contains("STARTTLS"));
    assert_eq!(fates(&report.outcomes[0]), ONE_REFUSED);
}

/// Where TLS is required and not to be had, nothing follows but QUIT.
#[test]
fn v37_no_mail_without_tls() {
    let recipients = five();
    let mut run = one(&recipients);
    run.secure = upgrade;
    for by_client in [true, false] {
        run.config.tls = if by_client { TlsPolicy::Opportunistic } else { TlsPolicy::Require };
        run.config.client.require_tls = by_client;
        let report = run.carry(script(PIPELINING, &[]));
        assert_eq!(report.sent, "EHLO client.example\r\nQUIT\r\n");
        assert!(has(&report, "Unusable(TlsNotOffered)"), "{:?}", report.events);
        let report = run.carry(script(PLAIN, &[("EHLO", "502 what\r\n")]));
        assert_eq!(report.sent, "EHLO client.example\r\nQUIT\r\n");
        assert!(has(&report, "Unusable(EhloRefused)"));
        for reply in ["454 4.7.0 not now\r\n", "250 ok\r\n", "502 5.5.1 what\r\n", "354 go\r\n"] {
            let overrides: &'static [_] = Vec::from([("STARTTLS", reply)]).leak();
            let report = run.carry(script(STARTTLS, overrides));
            assert_eq!(report.sent, "EHLO client.example\r\nSTARTTLS\r\nQUIT\r\n", "{reply}");
            assert!(has(&report, "Unusable(TlsRefused)"));
        }
    }
}

#[test]
fn tls_refused_where_it_is_not_required() {
    let recipients = five();
    let run = one(&recipients);
    let report = run.carry(script(STARTTLS, &[("STARTTLS", "454 4.7.0 not now\r\n")]));
    assert_eq!(fates(&report.outcomes[0]), ONE_REFUSED);
    assert!(report.sent.starts_with("EHLO client.example\r\nSTARTTLS\r\nMAIL"));
}

/// After a handshake that failed the connection is of no use, and plaintext behind the 220
/// are somebody else's.
#[test]
fn tls_that_fails() {
    let recipients = five();
    let mut run = one(&recipients);
    let sent = "EHLO client.example\r\nSTARTTLS\r\n";
    let fail: fn(&mut Caller<'_, '_>, &Event<'_>) = |caller, event| {
        if *event == Event::StartTls {
            caller.delivery.tls_failed();
        }
    };
    for tls in [TlsPolicy::Opportunistic, TlsPolicy::Require] {
        run.config.tls = tls;
        // Without a handshake none has failed.
        let ignore: fn(&mut Caller<'_, '_>, &Event<'_>) = |_, _| {};
        for (secure, why) in [(fail, "Unusable(TlsFailed)"), (ignore, "Unusable(TlsNotBegun)")] {
            run.secure = secure;
            let report = run.carry(script(STARTTLS, &[]));
            assert_eq!(report.sent, sent);
            assert!(has(&report, why), "{:?}", report.events);
            assert_eq!(report.events.last().map(String::as_str), Some("Closed"));
        }
        run.secure = |caller, event| {
            if *event == Event::StartTls {
                assert_eq!(caller.delivery.tls_established(caller.unread), Err(PlaintextInjection));
            }
        };
        let injected = "220 go\r\n250-mx.example\r\n250 PIPELINING\r\n";
        let overrides: &'static [_] = Vec::from([("STARTTLS", injected)]).leak();
        let report = run.carry(script(STARTTLS, overrides));
        assert_eq!(report.sent, sent);
        assert!(has(&report, "Unusable(PlaintextInjection)"), "{:?}", report.events);
    }
    // At another time it means nothing.
    run.secure = |caller, _| {
        if caller.delivery.client().state() == State::Tls {
            caller.delivery.tls_established(caller.unread).expect("nothing left over");
        } else {
            caller.delivery.tls_failed();
        }
    };
    let report = run.carry(script(STARTTLS, &[]));
    assert_eq!(fates(&report.outcomes[0]), ONE_REFUSED);
}

fn plain(initial_response: Option<SaslData<'_>>) -> Command<'_> {
    Command::Auth { mechanism: Mechanism::new("PLAIN").expect("a name"), initial_response }
}

/// PLAIN with an initial response.
fn log_in(caller: &mut Caller<'_, '_>, event: &Event<'_>) {
    upgrade(caller, event);
    if let Event::NeedAuthentication(mechanisms) = event {
        if mechanisms.contains(SaslMechanism::Plain) {
            let command = plain(Some(SaslData::new(b"\0user\0secret")));
            caller.write(|delivery, room| delivery.authenticate(&command, room)).expect("AUTH");
        } else {
            caller.delivery.skip_authentication();
        }
    }
}

#[test]
fn authentication_inside_tls() {
    let recipients = five();
    let mut run = one(&recipients);
    run.secure = log_in;
    run.config.auth = AuthPolicy::Require;
    let report = run.carry(script(STARTTLS_AUTH, &[("AUTH", "235 2.7.0 welcome\r\n")]));
    assert_eq!(fates(&report.outcomes[0]), ONE_REFUSED);
    let start = "EHLO client.example\r\nSTARTTLS\r\nEHLO client.example\r\n\
        AUTH PLAIN AHVzZXIAc2VjcmV0\r\nMAIL";
    assert!(report.sent.starts_with(start), "{}", report.sent);
    let all = Mechanisms::NONE
        .with(SaslMechanism::Plain)
        .with(SaslMechanism::Login)
        .with(SaslMechanism::CramMd5);
    assert!(has(&report, &format!("NeedAuthentication({all:?})")));
}

/// Outside TLS only what shows nothing of the password is to be had, unless the caller insists.
/// CRAM-MD5 shows enough to try passwords out.
#[test]
fn v118_authentication_in_clear() {
    const SCRAM: &str = "250-mx\r\n250 AUTH SCRAM-SHA-256 PLAIN LOGIN CRAM-MD5 DIGEST-MD5\r\n";
    let recipients = five();
    let mut run = one(&recipients);
    run.secure = log_in;
    for auth in [AuthPolicy::Optional, AuthPolicy::Require] {
        run.config.auth = auth;
        run.config.client.plaintext_auth = false;
        let is_required = auth == AuthPolicy::Require;
        for (offered, asks) in [
            (SCRAM, true),
            (AUTH, false),
            ("250-mx\r\n250 AUTH PLAIN LOGIN\r\n", false),
            (PLAIN, false),
        ] {
            let report = run.carry(script(offered, &[("AUTH", "235 2.7.0 welcome\r\n")]));
            assert!(!report.sent.contains("AUTH"));
            let scram = Mechanisms::NONE.with(SaslMechanism::ScramSha256);
            assert_eq!(has(&report, &format!("NeedAuthentication({scram:?})")), asks);
            assert_eq!(report.sent.contains("MAIL"), !is_required);
            assert_eq!(has(&report, "Unusable(AuthNotOffered)"), is_required);
        }
        run.config.client.plaintext_auth = true;
        let report = run.carry(script(AUTH, &[("AUTH", "235 2.7.0 welcome\r\n")]));
        assert!(report.sent.contains("AUTH PLAIN AHVzZXIAc2VjcmV0\r\nMAIL"));
    }
    run.config.auth = AuthPolicy::Never;
    let report = run.carry(script(AUTH, &[]));
    assert!(!report.sent.contains("AUTH") && report.sent.contains("MAIL"));
}

/// Credentials that an application has are used, or no mail is sent.
#[test]
fn v118_no_mail_without_the_credentials_that_were_given() {
    let recipients = five();
    for implicit_tls in [true, false] {
        for (offered, overrides, sends) in [
            (AUTH, &[("AUTH", "235 2.7.0 welcome\r\n")][..], implicit_tls),
            (AUTH, &[("AUTH", "535 5.7.8 no\r\n")], false),
            (AUTH, &[("AUTH", "504 5.5.4 what\r\n")], false),
            (PLAIN, &[], false),
            (PLAIN, &[("EHLO", "502 5.5.1 what\r\n")], false),
        ] {
            for auth in [AuthPolicy::Never, AuthPolicy::Require, AuthPolicy::Optional] {
                let mut run = one(&recipients);
                (run.config.auth, run.config.client.implicit_tls) = (auth, implicit_tls);
                run.begin = |delivery| assert!(delivery.require_authentication());
                run.secure = log_in;
                let report = run.carry(script(offered, overrides));
                let sends = sends || auth == AuthPolicy::Optional;
                assert_eq!(report.sent.contains("MAIL"), sends, "{}", report.sent);
                let ends = report.events.iter().any(|event| event.starts_with("Unusable("));
                assert_eq!(ends, !sends, "{:?}", report.events);
            }
        }
    }
}

/// Between two envelopes it is not too late; within one it is.
#[test]
fn credentials_that_come_later() {
    let recipients = five();
    let mut run = Run::new(&[Envelope::new(sender(), &recipients); 2]);
    run.config.client.implicit_tls = true;
    run.config.pipeline_messages = false;
    run.secure = |caller, event| match event {
        Event::Reply { to: Verb::Mail, .. } => {
            let is_done = caller.delivery.client().is_authenticated();
            assert_eq!(caller.delivery.require_authentication(), is_done);
        }
        _ => log_in(caller, event),
    };
    run.between = |delivery| assert!(delivery.require_authentication());
    let report = run.carry(script(AUTH, &[("AUTH", "235 2.7.0 welcome\r\n")]));
    assert_eq!(report.sent.matches("MAIL").count(), 2);
    let (first, second) = report.sent.split_once(".\r\nAUTH PLAIN").expect("AUTH behind the first");
    assert!(first.contains("MAIL") && second.contains("MAIL"), "{}", report.sent);
}

/// A server that has not proven itself gets nothing more, not even QUIT, whatever the policy.
#[test]
fn v118_a_server_that_is_not_what_it_says_gets_no_mail() {
    let recipients = five();
    for auth in [AuthPolicy::Optional, AuthPolicy::Require] {
        for reply in ["334 dj13cm9uZw==\r\n", "235 2.7.0 welcome\r\n"] {
            let mut run = one(&recipients);
            (run.config.auth, run.config.client.implicit_tls) = (auth, true);
            run.secure = |caller, event| match event.authentication() {
                Some(_) => caller.delivery.server_not_authentic(),
                None => log_in(caller, event),
            };
            let overrides: &'static [_] = Vec::from([("AUTH", reply)]).leak();
            let report = run.carry(script(AUTH, overrides));
            assert!(report.sent.ends_with("AUTH PLAIN AHVzZXIAc2VjcmV0\r\n"), "{}", report.sent);
            assert!(has(&report, "Unusable(ServerNotAuthentic)"), "{:?}", report.events);
        }
    }
}

/// RFC 4954 §4: where the mechanism is not taken, another one is tried; outside TLS none that is weaker,
/// as somebody on the way may have said so. A refused password is not tried again.
#[test]
fn v119_another_mechanism_is_no_weaker_one_outside_tls() {
    const ALL: &str = "250-mx\r\n250 AUTH SCRAM-SHA-512 SCRAM-SHA-256 SCRAM-SHA-1 PLAIN LOGIN\r\n";
    let recipients = five();
    for (implicit_tls, plaintext_auth) in [(true, false), (false, false), (false, true)] {
        for reply in ["504 5.5.4 what\r\n", "534 5.7.9 weak\r\n", "535 5.7.8 no\r\n", "454 no\r\n"]
        {
            let mut run = one(&recipients);
            run.config.client.implicit_tls = implicit_tls;
            run.config.client.plaintext_auth = plaintext_auth;
            run.config.auth = AuthPolicy::Require;
            // SCRAM-SHA-256 first, then what is left in its order.
            run.secure = |caller, event| {
                let Event::NeedAuthentication(offered) = event else { return };
                let first = Some(SaslMechanism::ScramSha256).filter(|one| offered.contains(*one));
                let Some(next) = first.or_else(|| offered.iter().next()) else { return };
                let mechanism = Mechanism::new(next.name()).expect("a name");
                let command = Command::Auth { mechanism, initial_response: None };
                caller.write(|delivery, room| delivery.authenticate(&command, room)).expect("AUTH");
            };
            let overrides: &'static [_] = Vec::from([("AUTH", reply)]).leak();
            let report = run.carry(script(ALL, overrides));
            let tried: Vec<&str> =
                report.sent.lines().filter_map(|line| line.strip_prefix("AUTH ")).collect();
            let expected = match (&reply[..3], implicit_tls) {
                ("535" | "454", _) => &["SCRAM-SHA-256"][..],
                (_, true) => &["SCRAM-SHA-256", "SCRAM-SHA-512", "SCRAM-SHA-1", "PLAIN", "LOGIN"],
                (_, false) => &["SCRAM-SHA-256", "SCRAM-SHA-512"],
            };
            assert_eq!(tried, expected, "{reply}");
            // The last reply is the outcome.
            assert_eq!(
                report.first.code.map(|code| code.to_string()).as_deref(),
                Some(&reply[..3])
            );
            assert!(!report.sent.contains("MAIL"));
        }
    }
}

#[test]
fn authentication_by_challenges() {
    let recipients = five();
    let mut run = one(&recipients);
    run.config.auth = AuthPolicy::Require;
    run.config.client.implicit_tls = true;
    run.secure = |caller, event| match event {
        Event::NeedAuthentication(_) => {
            caller.write(|delivery, room| delivery.authenticate(&plain(None), room)).expect("AUTH");
        }
        Event::Challenge(reply) => {
            assert_eq!(event.authentication(), Some(reply));
            let response = if reply.lines().next() == Some(b"") {
                Response::Data(SaslData::new(b"\0user\0secret"))
            } else {
                Response::Cancel
            };
            caller.write(|delivery, room| delivery.respond(&response, room)).expect("a response");
        }
        _ => {}
    };
    let replies = [("AUTH", "334 \r\n"), ("AHVz", "235 2.7.0 welcome\r\n")];
    let report = run.carry(script(AUTH, Vec::from(replies).leak()));
    assert_eq!(fates(&report.outcomes[0]), ONE_REFUSED);
    assert!(report.sent.contains("AUTH PLAIN\r\nAHVzZXIAc2VjcmV0\r\nMAIL"), "{}", report.sent);
    // A challenge that has no answer; another mechanism may be tried, and PLAIN is not offered
    // again.
    run.secure = |caller, event| match event {
        Event::NeedAuthentication(mechanisms) if !mechanisms.contains(SaslMechanism::Plain) => {
            caller.delivery.skip_authentication();
        }
        Event::NeedAuthentication(_) => {
            caller.write(|delivery, room| delivery.authenticate(&plain(None), room)).expect("AUTH");
        }
        Event::Challenge(_) => {
            let cancel = Response::Cancel;
            caller.write(|delivery, room| delivery.respond(&cancel, room)).expect("a response");
        }
        _ => {}
    };
    let replies = [("AUTH", "334 what\r\n"), ("*", "501 5.7.0 cancelled\r\n")];
    let report = run.carry(script(AUTH, Vec::from(replies).leak()));
    assert_eq!(report.sent, "EHLO client.example\r\nAUTH PLAIN\r\n*\r\nQUIT\r\n");
    assert!(has(&report, "Unusable(NotAuthenticated)"));
}

#[test]
fn authentication_that_fails() {
    let recipients = five();
    let mut run = one(&recipients);
    run.config.client.implicit_tls = true;
    run.secure = log_in;
    for (reply, again) in [
        ("535 5.7.8 no\r\n", false),
        ("454 4.7.0 later\r\n", false),
        ("250 welcome\r\n", false),
        ("504 5.5.4 what\r\n", true),
        ("534 5.7.9 too weak\r\n", true),
    ] {
        let overrides: &'static [_] = Vec::from([("AUTH", reply)]).leak();
        run.config.auth = AuthPolicy::Require;
        let report = run.carry(script(AUTH, overrides));
        let sent = "EHLO client.example\r\nAUTH PLAIN AHVzZXIAc2VjcmV0\r\nQUIT\r\n";
        assert_eq!(report.sent, sent, "{reply}");
        assert!(has(&report, "Unusable(NotAuthenticated)"));
        let asked = report.events.iter().filter(|event| event.starts_with("NeedAuth")).count();
        assert_eq!(asked, if again { 2 } else { 1 }, "{reply}");
        let refused =
            report.events.iter().any(|event| event.contains("Refused { part: None, to: Auth"));
        assert_eq!(refused, !again, "{reply}");
        run.config.auth = AuthPolicy::Optional;
        let report = run.carry(script(AUTH, overrides));
        assert_eq!(fates(&report.outcomes[0]), ONE_REFUSED);
    }
}

#[test]
fn authentication_at_another_time() {
    let recipients = five();
    let mut run = one(&recipients);
    run.config.client.implicit_tls = true;
    run.config.auth = AuthPolicy::Optional;
    run.secure = |caller, event| match event {
        Event::NeedAuthentication(_) => {
            let refused =
                caller.write(|delivery, room| delivery.authenticate(&Command::Data, room));
            assert!(matches!(refused, Err(SendError::OutOfState { verb: Verb::Data, .. })));
            caller.delivery.skip_authentication();
        }
        Event::Reply { to: Verb::Ehlo | Verb::Mail, .. } => {
            let refused = caller.write(|delivery, room| delivery.authenticate(&plain(None), room));
            if matches!(event, Event::Reply { to: Verb::Mail, .. }) {
                assert!(matches!(refused, Err(SendError::OutOfState { verb: Verb::Auth, .. })));
            }
            caller.delivery.skip_authentication();
        }
        _ => {}
    };
    let report = run.carry(script(PLAIN, &[]));
    assert_eq!(fates(&report.outcomes[0]), ONE_REFUSED);
}

#[test]
fn ehlo_and_helo() {
    let recipients = five();
    let mut run = one(&recipients);
    run.config.hello = HelloPolicy::EhloOnly;
    let report = run.carry(script(PLAIN, &[("EHLO", "502 5.5.1 what\r\n")]));
    assert_eq!(report.sent, "EHLO client.example\r\nQUIT\r\n");
    assert!(has(&report, "Unusable(EhloRefused)"), "{:?}", report.events);
    for (hello, closed) in [(HelloPolicy::Fallback, false), (HelloPolicy::Reconnect, true)] {
        run.config.hello = hello;
        let report = run.carry(script(PLAIN, &[("EHLO", "")]));
        assert_eq!(report.sent, "EHLO client.example\r\n");
        assert_eq!(has(&report, "Unusable(EhloClosed)"), closed, "{:?}", report.events);
        let report = run.carry(script(PLAIN, &[("EHLO", "502 5.5.1 what\r\n")]));
        assert_eq!(fates(&report.outcomes[0]), ONE_REFUSED);
    }
    // HELO has neither TLS nor AUTH: who requires one of them does not say it.
    for (tls, auth) in
        [(TlsPolicy::Require, AuthPolicy::Never), (TlsPolicy::Opportunistic, AuthPolicy::Require)]
    {
        let mut run = one(&recipients);
        (run.config.tls, run.config.auth) = (tls, auth);
        let report = run.carry(script(PLAIN, &[("EHLO", "502 5.5.1 what\r\n")]));
        assert_eq!(report.sent, "EHLO client.example\r\nQUIT\r\n");
        assert!(has(&report, "Unusable(EhloRefused)"), "{:?}", report.events);
        run.config.hello = HelloPolicy::Reconnect;
        let report = run.carry(script(PLAIN, &[("EHLO", "")]));
        assert!(!has(&report, "Unusable(EhloClosed)"), "{:?}", report.events);
    }
    for hello in [HelloPolicy::HeloOnly, HelloPolicy::HeloFirst] {
        run.config.hello = hello;
        let report = run.carry(script(PLAIN, &[]));
        assert!(report.sent.starts_with("HELO client.example\r\nMAIL"));
        let report = run.carry(script(PIPELINING, &[("HELO", "502 5.5.1 say EHLO\r\n")]));
        let is_last = hello == HelloPolicy::HeloOnly;
        let next = if is_last { "QUIT\r\n" } else { "EHLO client.example\r\nMAIL" };
        assert!(report.sent.starts_with(&format!("HELO client.example\r\n{next}")));
        // There is no third attempt.
        let refusals = [("HELO", "502 5.5.1 no\r\n"), ("EHLO", "502 5.5.1 no\r\n")];
        let report = run.carry(script(PLAIN, Vec::from(refusals).leak()));
        assert!(report.sent.ends_with("QUIT\r\n"));
        assert_eq!(report.sent.lines().count(), if is_last { 2 } else { 3 });
    }
    run.config.hello = HelloPolicy::HeloOnly;
    run.config.lmtp = true;
    let report = run.carry(script(PLAIN, &[(".", "250 a\r\n250 b\r\n250 d\r\n550 e\r\n")]));
    assert!(report.sent.starts_with("LHLO client.example\r\nMAIL"));
    assert_eq!(fates(&report.outcomes[0])[4], Fate::Refused);
    // 421 is no refusal of EHLO, and neither is a closed connection one of LHLO.
    let report = run.carry(script(PLAIN, &[("LHLO", "502 5.5.1 what\r\n")]));
    assert_eq!(report.sent, "LHLO client.example\r\nQUIT\r\n");
}

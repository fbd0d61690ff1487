//! Whom `receive` believes: clients that authenticate, proxies, and names in the DNS.

use ehlo::syntax::sasl::SaslMechanism;
use ehlo::{Code, Encode as _, Reply};
use ehlo_sasl::{ClientExchange, ClientStep, Credentials, ScramClient};

use crate::dns;
use crate::process::{Client, Receive, refuses};

const ANNA: &[&str] = &["--user", "anna:s3cr3t", "--allow-plaintext-auth"];
const TRUST: &[&str] = &["--trust", "127.0.0.1", "--json"];

/// Says each line and expects a reply that begins so.
fn talk(client: &mut Client, lines: &[(&str, &str)]) {
    for (line, expected) in lines {
        client.say(&format!("{line}\r\n"));
        let reply = client.reply();
        assert!(reply.starts_with(expected), "{reply:?} to {line:?}");
    }
}

const MESSAGE: &[(&str, &str)] = &[
    ("MAIL FROM:<a@example.org>", "250 "),
    ("RCPT TO:<b@example.org>", "250 "),
    ("DATA", "354 "),
    (".", "250 "),
];

#[test]
fn who_must_authenticate_and_has_may_send() {
    let mut receive = Receive::start(&[ANNA, &["--require-auth", "--json"]].concat());
    let mut client = Client::connect(&receive, "EHLO client.example\r\n");
    talk(
        &mut client,
        &[
            ("MAIL FROM:<a@example.org>", "530 5.7.0"),
            // "\0anna\0wrong", "\0nobody\0s3cr3t", "\0anna\0s3cr3t" with another to act for
            ("AUTH PLAIN AGFubmEAd3Jvbmc=", "535 5.7.8"),
            ("AUTH PLAIN AG5vYm9keQBzM2NyM3Q=", "535 5.7.8"),
            ("AUTH PLAIN Ym9iAGFubmEAczNjcjN0", "535 5.7.8"),
            ("AUTH LOGIN", "334 VXNlcm5hbWU6"),
            ("*", "501 5.7.0"),
            ("AUTH PLAIN AGFubmEAczNjcjN0", "235 2.7.0"),
            ("AUTH PLAIN AGFubmEAczNjcjN0", "503 5.5.1"),
        ],
    );
    talk(&mut client, MESSAGE);
    talk(&mut client, &[("QUIT", "221 ")]);
    assert!(receive.messages()[0].header.contains(" with ESMTPA id "));
    let mut output = String::new();
    while !output.contains("\"disconnect\"") {
        output += &receive.line();
    }
    assert!(output.contains(r#""mechanism":"PLAIN","session":0,"user":"anna""#), "{output}");
    for secret in ["s3cr3t", "wrong", "AGFubmE", "AG5vYm9keQ", "Ym9iAGFubmE"] {
        assert!(!output.contains(secret), "{secret} in {output}");
    }
}

/// RFC 5802 §5: the server has seen the proof before its last message, and the exchange may still fail.
#[test]
fn who_fails_behind_the_proof_has_not_authenticated() {
    let receive = Receive::start(&[ANNA, &["--require-auth"]].concat());
    let mut client = Client::connect(&receive, "EHLO client.example\r\n");
    let anna = Credentials::password("anna", "s3cr3t").expect("a name and a password");
    let scram = ScramClient::new(SaslMechanism::ScramSha256, &anna, None).expect("a client");
    let mut exchange = ClientExchange::new(scram);
    let (mut buffer, mut out) = ([0; 512], [0; 1024]);

    let auth = exchange.start(&mut buffer).expect("AUTH");
    let written = auth.encode(&mut out).expect("room");
    client.say_bytes(&out[..written]);
    let challenge = client.reply();
    let challenge = challenge.trim_end().strip_prefix("334 ").expect("the server's first message");
    let reply = Reply::new(Code::AUTHENTICATION_CONTINUES, challenge);
    let ClientStep::Respond(proof) = exchange.receive(&reply, &mut buffer) else {
        panic!("no proof for {challenge}");
    };
    let written = proof.encode(&mut out).expect("room");
    client.say_bytes(&out[..written]);
    assert!(client.reply().starts_with("334 "), "the proof is right");
    talk(
        &mut client,
        &[
            ("bm90IGVtcHR5", "501 "),
            ("EHLO client.example", "250 "),
            ("MAIL FROM:<a@example.org>", "530 5.7.0"),
        ],
    );
}

#[test]
fn what_nobody_could_satisfy_is_refused_at_the_start() {
    assert!(refuses(&["--require-tls"]).contains("--require-tls needs --tls"));
    assert!(refuses(&["--require-auth"]).contains("--require-auth needs --user or --trust"));
    // Without TLS there are CRAM-MD5 and SCRAM.
    Receive::start(&["--require-auth", "--user", "anna:s3cr3t"]);
}

#[test]
fn a_token_of_oauth_says_whose_it_is() {
    let receive = Receive::start(ANNA);
    for command in [
        // "n,a=anna,\x01auth=Bearer s3cr3t\x01\x01", the same without a name
        "AUTH OAUTHBEARER bixhPWFubmEsAWF1dGg9QmVhcmVyIHMzY3IzdAEB",
        "AUTH OAUTHBEARER biwsAWF1dGg9QmVhcmVyIHMzY3IzdAEB",
        // "user=anna\x01auth=Bearer s3cr3t\x01\x01"
        "AUTH XOAUTH2 dXNlcj1hbm5hAWF1dGg9QmVhcmVyIHMzY3IzdAEB",
    ] {
        let mut client = Client::connect(&receive, "EHLO client.example\r\n");
        talk(&mut client, &[(command, "235 ")]);
    }
    let mut client = Client::connect(&receive, "EHLO client.example\r\n");
    // "n,a=anna,\x01auth=Bearer other\x01\x01": the reason, and then the failure.
    let other = "AUTH OAUTHBEARER bixhPWFubmEsAWF1dGg9QmVhcmVyIG90aGVyAQE=";
    talk(&mut client, &[(other, "334 "), ("AQ==", "535 5.7.8")]);
}

#[test]
fn no_password_is_taken_in_clear() {
    let receive = Receive::start(&["--user", "anna:s3cr3t", "--tls", "--submission"]);
    let mut client = Client::connect(&receive, "");
    client.say("EHLO client.example\r\n");
    let offered = client.whole_reply();
    assert!(offered.contains("STARTTLS") && offered.contains("AUTH SCRAM-SHA-256"), "{offered}");
    assert!(!offered.contains("PLAIN") && !offered.contains("-PLUS"), "{offered}");
    talk(
        &mut client,
        &[("AUTH PLAIN AGFubmEAczNjcjN0", "538 5.7.11"), ("MAIL FROM:<>", "530 5.7.0")],
    );
}

#[test]
fn nothing_but_starttls_where_tls_is_required() {
    let receive = Receive::start(&["--tls", "--require-tls"]);
    let mut client = Client::connect(&receive, "EHLO client.example\r\n");
    talk(&mut client, &[("MAIL FROM:<>", "530 5.7.0"), ("NOOP", "250 "), ("STARTTLS", "220 ")]);
}

#[test]
fn a_trusted_client_may_speak_for_another() {
    let receive = Receive::start(&[TRUST, &["--require-auth"]].concat());
    let mut client = Client::connect(&receive, "EHLO proxy.example\r\n");
    talk(
        &mut client,
        &[
            ("XCLIENT ADDR=not-one", "501 5.5.4"),
            ("XFORWARD NAME=origin.example SOURCE=REMOTE", "250 "),
            ("XCLIENT ADDR=192.0.2.1 PORT=4711 NAME=[UNAVAILABLE] LOGIN=anna", "220 mx.example"),
            ("MAIL FROM:<>", "530 "),
            ("EHLO client.example", "250 "),
            // Not for the client that was stated: see `receive/trust.rs`.
            ("XFORWARD NAME=origin.example SOURCE=REMOTE", "502 "),
        ],
    );
    talk(&mut client, MESSAGE);
    let header = &receive.messages()[0].header;
    assert!(header.contains("from client.example ([192.0.2.1])\r\n"), "{header}");
    assert!(header.contains(" with ESMTPA id "), "{header}");
}

#[test]
fn a_client_that_is_not_trusted_may_not() {
    for flags in [&[][..], &["--trust", "192.0.2.1"]] {
        let receive = Receive::start(flags);
        let mut client = Client::connect(&receive, "");
        client.say("EHLO client.example\r\n");
        assert!(!client.whole_reply().contains("XCLIENT"));
        talk(&mut client, &[("XCLIENT ADDR=192.0.2.1", "502 "), ("XFORWARD NAME=a", "502 ")]);
        let mut client = Client::open(&receive);
        assert!(client.reply().starts_with("220 "));
        talk(&mut client, &[("PROXY TCP4 192.0.2.1 192.0.2.2 1 25", "500 ")]);
    }
}

#[test]
fn what_the_dns_says_of_a_greeting_is_recorded() {
    let dns = dns::Server::start();
    let receive =
        Receive::start(&[TRUST, &["--check-helo", "record", "--dns", &dns.address]].concat());
    let mut client = Client::connect(&receive, "EHLO proxy.example\r\n");
    talk(&mut client, &[("XCLIENT ADDR=192.0.2.30", "220 "), ("EHLO mismatch.test", "250 ")]);
    talk(&mut client, MESSAGE);
    let header = &receive.messages()[0].header;
    let recorded = "from mismatch.test ([192.0.2.30])\r\n\
        \t(helo syntax=fully-qualified claim=matches iprev=fail)\r\n";
    assert!(header.contains(recorded), "{header}");
    receive.clear();
    let mut client = Client::connect(&receive, "EHLO proxy.example\r\n");
    talk(&mut client, &[("XCLIENT ADDR=192.0.2.10", "220 "), ("EHLO client.test", "250 ")]);
    talk(&mut client, MESSAGE);
    let header = &receive.messages()[0].header;
    let recorded = "from client.test (client.test [192.0.2.10])\r\n\
        \t(helo syntax=fully-qualified claim=matches iprev=pass)\r\n";
    assert!(header.contains(recorded), "{header}");
}

#[test]
fn a_client_without_a_sound_name_is_refused_unless_it_has_authenticated() {
    let dns = dns::Server::start();
    let flags = [TRUST, ANNA, &["--check-helo", "enforce", "--dns", &dns.address]].concat();
    let receive = Receive::start(&flags);
    let mut client = Client::connect(&receive, "EHLO proxy.example\r\n");
    talk(
        &mut client,
        &[
            ("XCLIENT ADDR=192.0.2.30", "220 "),
            ("EHLO mismatch.test", "250 "),
            ("MAIL FROM:<a@example.org>", "550 5.7.25"),
            ("RCPT TO:<b@example.org>", "503 "),
            ("AUTH PLAIN AGFubmEAczNjcjN0", "235 "),
        ],
    );
    talk(&mut client, MESSAGE);
    // RFC 5321 §4.1.4: a name that has another address is no reason.
    let mut client = Client::connect(&receive, "EHLO proxy.example\r\n");
    talk(&mut client, &[("XCLIENT ADDR=192.0.2.10", "220 "), ("EHLO other.test", "250 ")]);
    talk(&mut client, MESSAGE);
}

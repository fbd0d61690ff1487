//! Attacks on authentication, V45 to V56, and each mechanism's client against its server through
//! both machines.

mod pair;

use ehlo::syntax::capability::Capabilities;
use ehlo::syntax::sasl::{Mechanisms, SaslMechanism};
use ehlo::{Extension, ServerConfig};
use ehlo_sasl::{
    AnyClient, AnyServer, Channel, ChannelBinding, ClientFailure, Credentials, ServerExchange,
    ServerStep,
};
use pair::{Caller, Desk, base64, talk};

fn anna() -> Credentials<'static> {
    Credentials::password("anna", "secret").expect("credentials")
}

fn binding() -> ChannelBinding<'static> {
    ChannelBinding::new("tls-exporter", &[0xE4; 32]).expect("a binding")
}

/// Every mechanism of the build, with credentials that are right and others that are not.
fn mechanisms() -> Vec<(SaslMechanism, Credentials<'static>, Option<Credentials<'static>>)> {
    let token = |token| Credentials::token("anna", token).expect("a token");
    let (long, wrong) = ("v".repeat(700).leak(), Credentials::password("anna", "Secret").ok());
    let mut all = vec![
        (SaslMechanism::Plain, anna(), wrong),
        (SaslMechanism::Plain, anna(), Credentials::password("eve", "secret").ok()),
        (SaslMechanism::Plain, anna(), anna().acting_for("bob").ok()),
        (SaslMechanism::Login, anna(), wrong),
        (
            SaslMechanism::External,
            Credentials::external(),
            Credentials::external().acting_for("eve").ok(),
        ),
        (SaslMechanism::Anonymous, Credentials::anonymous("hello").expect("a word"), None),
        (SaslMechanism::Xoauth2, token("valid"), Some(token("expired"))),
        (SaslMechanism::Xoauth2, token(long), Some(token("expired"))),
    ];
    if cfg!(feature = "cram-md5") {
        all.push((SaslMechanism::CramMd5, anna(), wrong));
        all.push((SaslMechanism::CramMd5, anna(), Credentials::password("eve", "secret").ok()));
    }
    if cfg!(feature = "scram") {
        for mechanism in [
            SaslMechanism::ScramSha1,
            SaslMechanism::ScramSha1Plus,
            SaslMechanism::ScramSha256,
            SaslMechanism::ScramSha256Plus,
        ] {
            all.push((mechanism, anna(), wrong));
            all.push((mechanism, anna(), Credentials::password("eve", "secret").ok()));
            all.push((mechanism, anna(), anna().acting_for("bob").ok()));
        }
    }
    all
}

fn client(mechanism: SaslMechanism, credentials: &Credentials<'static>) -> AnyClient<'static> {
    let only = Mechanisms::NONE.with(mechanism);
    let client = AnyClient::strongest(only, credentials, Channel::Bound(binding()));
    // A client that could bind the channel and was not offered it says so; the server knows better.
    #[cfg(feature = "scram")]
    if let Some(client) = ehlo_sasl::ScramClient::new(mechanism, credentials, None) {
        return AnyClient::Scram(client);
    }
    client.expect("a mechanism of the build")
}

fn xoauth2(token: &'static str) -> AnyClient<'static> {
    let credentials = Credentials::token("anna", token).expect("a token");
    AnyClient::new(SaslMechanism::Xoauth2, &credentials).expect("a client")
}

#[test]
fn every_mechanism_against_itself() {
    for (mechanism, right, wrong) in mechanisms() {
        for bytes in [1, usize::MAX] {
            let (mut caller, mut desk) = (Caller::new(client(mechanism, &right)), Desk::new());
            let said = talk(&mut caller, &mut desk, bytes);
            assert_eq!(caller.result, Some(Ok(())), "{mechanism:?}: {said}");
            assert!(said.ends_with("235 2.7.0 authentication successful\r\n"), "{said}");
            assert!(caller.client.is_authenticated() && desk.server.is_authenticated());
            assert!(desk.is_wiped(), "{mechanism:?}");

            let Some(wrong) = wrong else { continue };
            let (mut caller, mut desk) = (Caller::new(client(mechanism, &wrong)), Desk::new());
            let said = talk(&mut caller, &mut desk, bytes);
            assert_eq!(caller.result, Some(Err(ClientFailure::Refused)), "{mechanism:?}: {said}");
            assert!(said.ends_with("535 5.7.8 authentication credentials invalid\r\n"), "{said}");
            assert!(!caller.client.is_authenticated() && !desk.server.is_authenticated());
            assert!(desk.is_wiped(), "{mechanism:?}");
        }
    }
}

#[test]
fn one_who_may_act_for_another() {
    let token = Credentials::token("anna", "valid").expect("a token");
    let external = Credentials::external().acting_for("bob").expect("an identity");
    let mut all = vec![
        (SaslMechanism::Plain, anna().acting_for("bob").expect("an identity")),
        (SaslMechanism::External, external),
        (SaslMechanism::OauthBearer, token),
    ];
    if cfg!(feature = "scram") {
        let bob = anna().acting_for("b=o,b").expect("an identity");
        all.push((SaslMechanism::ScramSha256, bob));
    }
    for (mechanism, credentials) in all {
        for bytes in [1, usize::MAX] {
            let mut desk = Desk::new();
            desk.delegates = true;
            let mut caller = Caller::new(client(mechanism, &credentials));
            let said = talk(&mut caller, &mut desk, bytes);
            assert_eq!(caller.result, Some(Ok(())), "{mechanism:?}: {said}");
        }
    }
}

#[test]
fn the_lines_of_a_long_initial_response() {
    let token = "v".repeat(700);
    let credentials = Credentials::token("anna", &token).expect("a token");
    let xoauth2 = AnyClient::new(SaslMechanism::Xoauth2, &credentials).expect("a client");
    let lines = Caller::new(xoauth2).lines(&["334 ", "235 ok"]);
    assert_eq!(lines[0], "AUTH XOAUTH2");
    let message = format!("user=anna\x01auth=Bearer {token}\x01\x01");
    assert_eq!(lines[1], base64(message.as_bytes()));
    // A line of 512 bytes with its CRLF is the longest that has it.
    for (length, held) in [(348, false), (349, true)] {
        let token = "v".repeat(length);
        let credentials = Credentials::token("anna", &token).expect("a token");
        let xoauth2 = AnyClient::new(SaslMechanism::Xoauth2, &credentials).expect("a client");
        let mut caller = Caller::new(xoauth2);
        let line = &caller.lines(&[])[0];
        assert_eq!(line == "AUTH XOAUTH2", held, "{length}: {}", line.len());
        assert!(line.len() + 2 <= 512);
    }
    // The server has something to say before it has heard anything: not to PLAIN.
    let credentials = Credentials::token("anna", &token).expect("a token");
    let xoauth2 = AnyClient::new(SaslMechanism::Xoauth2, &credentials).expect("a client");
    let mut caller = Caller::new(xoauth2);
    assert_eq!(caller.lines(&["334 e30=", "501 cancelled"])[1], "*");
    assert_eq!(caller.result, Some(Err(ClientFailure::Challenge)));
}

#[test]
fn v45_no_password_goes_in_clear() {
    let all = SaslMechanism::ALL.iter().copied().fold(Mechanisms::NONE, Mechanisms::with);
    let token = Credentials::token("anna", "valid").expect("a token");
    assert_eq!(Channel::Clear.strongest(all, &token), None);
    let plaintext = Mechanisms::PLAINTEXT;
    assert_eq!(Channel::Clear.strongest(plaintext, &anna()), None);
    assert!(Channel::Protected.strongest(plaintext, &anna()).is_some());
    if let Some(mechanism) = Channel::Clear.strongest(all, &anna()) {
        assert!(!mechanism.is_plaintext());
    }

    let mut desk = Desk::with(ServerConfig {
        offered: Capabilities::NONE.with(Extension::Auth).with_mechanisms(plaintext),
        ..ServerConfig::DEFAULT
    });
    for reply in desk.replies(&["AUTH PLAIN AGFubmEAc2VjcmV0", "AUTH LOGIN"]) {
        assert!(["530", "538", "504", "502"].contains(&&reply[..3]), "{reply}");
    }
    assert!(!desk.server.is_authenticated());
}

#[test]
fn v46_no_weaker_mechanism_after_a_stronger_one() {
    let all = SaslMechanism::ALL.iter().copied().fold(Mechanisms::NONE, Mechanisms::with);
    let first = Channel::Protected.strongest(all, &anna()).expect("a mechanism");
    let strongest = if cfg!(feature = "scram") {
        SaslMechanism::ScramSha256
    } else if cfg!(feature = "cram-md5") {
        SaslMechanism::CramMd5
    } else {
        SaslMechanism::Plain
    };
    assert_eq!(first, strongest);
    let client = AnyClient::strongest(all, &anna(), Channel::Protected).expect("a client");
    for refusal in ["504 5.5.4 no such mechanism", "535 5.7.8 no", "534 5.7.9 too weak"] {
        let client = AnyClient::strongest(all, &anna(), Channel::Protected).expect("a client");
        let mut caller = Caller::new(client);
        let lines = caller.lines(&[refusal]);
        assert!(lines[0].starts_with(&format!("AUTH {}", first.name())), "{}", lines[0]);
        assert_eq!((&*lines[1], caller.result), ("", Some(Err(ClientFailure::Refused))));
    }
    // The attempt cannot go on, and the choice is the same again.
    let (mut exchange, mut buffer) = (ehlo_sasl::ClientExchange::new(client), [0; 512]);
    exchange.start(&mut buffer).expect("a command");
    let refusal = ehlo::Reply::new(ehlo::Code::CREDENTIALS_INVALID, "no");
    exchange.receive(&refusal, &mut buffer);
    assert!(exchange.is_over());
    assert_eq!(exchange.start(&mut buffer), Err(ClientFailure::Over));
    assert_eq!(Channel::Protected.strongest(all, &anna()), Some(first));
    let bound = Channel::Bound(binding()).strongest(all, &anna());
    assert_eq!(bound == Some(SaslMechanism::ScramSha256Plus), cfg!(feature = "scram"));
}

#[test]
fn v47_a_cancelled_exchange_leaves_a_usable_session() {
    let mut desk = Desk::new();
    for begin in [
        &["AUTH PLAIN"][..],
        &["AUTH LOGIN"],
        &["AUTH LOGIN", "YW5uYQ=="],
        &["AUTH LOGIN YW5uYQ=="],
        &["AUTH EXTERNAL"],
        &["AUTH ANONYMOUS"],
        &["AUTH XOAUTH2"],
        &["AUTH OAUTHBEARER"],
        &["AUTH XOAUTH2 dXNlcj1hbm5hAWF1dGg9QmVhcmVyIGV4cGlyZWQBAQ=="],
    ] {
        let lines = [begin, &["*", "NOOP"]].concat();
        let replies = desk.replies(&lines);
        for challenge in &replies[..begin.len()] {
            assert!(challenge.starts_with("334 "), "{begin:?}: {challenge}");
        }
        assert_eq!(replies[begin.len()], "501 5.7.0 authentication cancelled", "{begin:?}");
        assert!(replies[begin.len() + 1].starts_with("250 "));
    }
    let again = desk.replies(&["AUTH PLAIN AGFubmEAc2VjcmV0"]);
    assert_eq!(again, ["235 2.7.0 authentication successful"]);

    for challenge in ["334 not base64", "334-e30=\r\n334 e30="] {
        let mut caller = Caller::new(xoauth2("expired"));
        assert_eq!(caller.lines(&[challenge, "501 no"])[1..], ["*", ""]);
        assert_eq!(caller.result, Some(Err(ClientFailure::Challenge)));
    }
    // LOGIN does not read what it is asked.
    let login = AnyClient::new(SaslMechanism::Login, &anna()).expect("a client");
    let mut caller = Caller::new(login);
    assert_eq!(caller.lines(&["334 not base64", "535 no"]), ["AUTH LOGIN", "YW5uYQ==", ""]);
    assert_eq!(caller.result, Some(Err(ClientFailure::Refused)));
}

#[test]
fn v48_base64_that_is_none() {
    let wrong = ["=AAA", "AAA=BBB", "dGVzdA", "AHVz-_A=", "AHVz AHVz", "dGVzdB==", "AAB=", "AAAAA"];
    for text in wrong {
        let mut desk = Desk::new();
        let replies = desk.replies(&["AUTH LOGIN", text, "NOOP", &format!("AUTH PLAIN {text}")]);
        assert_eq!(replies[1], "501 5.5.2 cannot decode base64", "{text}");
        assert!(replies[2].starts_with("250"));
        assert!(replies[3].starts_with("501 5.5."), "{text}: {}", replies[3]);
        assert!(!desk.server.is_authenticated());
    }
    // Bits behind the last byte are not for the grammar of RFC 4954 to see.
    let replies = Desk::new().replies(&["AUTH PLAIN AGFubmEAc2VjcmV0AB=="]);
    assert_eq!(replies, ["501 5.5.2 cannot decode base64"]);
}

#[test]
fn v49_a_response_of_12288_bytes() {
    let mut desk = Desk::new();
    let longest = "A".repeat(12_284);
    let replies =
        desk.replies(&["AUTH PLAIN", &longest, "AUTH PLAIN", &"A".repeat(12_288), "NOOP"]);
    // All NUL, and taken whole.
    assert_eq!(replies[1], "501 5.5.2 cannot understand the SASL message");
    assert!(replies[3].starts_with("500 5.5.6 "), "{}", replies[3]);
    assert!(replies[4].starts_with("250 "), "{}", replies[4]);
}

#[test]
fn v50_attempts_are_apart() {
    let mut desk = Desk::new();
    let replies = desk.replies(&[
        "AUTH LOGIN YW5uYQ==",
        "d3Jvbmc=",
        "AUTH LOGIN",
        "c2VjcmV0",
        "*",
        "AUTH PLAIN AGFubmEAc2VjcmV0",
        "AUTH PLAIN AGFubmEAc2VjcmV0",
        "RSET",
        "AUTH PLAIN AGFubmEAc2VjcmV0",
    ]);
    let codes: Vec<_> = replies.iter().map(|reply| &reply[..3]).collect();
    assert_eq!(codes, ["334", "535", "334", "334", "501", "235", "503", "250", "503"]);
    // The second attempt asks for the name again.
    assert_eq!(replies[2], "334 VXNlcm5hbWU6");
    let replies = Desk::new().replies(&["MAIL FROM:<a@b.example>", "AUTH LOGIN"]);
    assert!(replies[1].starts_with("503 "), "{}", replies[1]);

    // An exchange that is over, or began, does not begin again.
    let mut buffer = vec![0; ServerExchange::<AnyServer>::BUFFER];
    let login = AnyServer::new(SaslMechanism::Login).expect("a server");
    let mut exchange = ServerExchange::new(login);
    exchange.start(None, &mut buffer);
    let ServerStep::Reply(reply) = exchange.start(None, &mut buffer) else { panic!() };
    assert_eq!(reply.code(), ehlo::Code::TEMPORARY_FAILURE);
    assert!(exchange.is_over());
}

#[test]
fn v51_messages_of_plain() {
    for message in [&b"anna"[..], b"anna\0secret", b"\0anna\0secret\0", b"\0\0anna\0secret"] {
        let mut desk = Desk::new();
        let replies = desk.replies(&[&format!("AUTH PLAIN {}", base64(message))]);
        assert_eq!(replies, ["501 5.5.2 cannot understand the SASL message"]);
    }
    // The application says that the password is right, and no more.
    let for_bob = format!("AUTH PLAIN {}", base64(b"bob\0anna\0secret"));
    let replies = Desk::new().replies(&[&for_bob]);
    assert_eq!(replies, ["535 5.7.8 authentication credentials invalid"]);
    let mut desk = Desk::new();
    desk.delegates = true;
    assert!(desk.replies(&[&for_bob])[0].starts_with("235 "));
    let for_anna = format!("AUTH PLAIN {}", base64(b"anna\0anna\0secret"));
    assert!(Desk::new().replies(&[&for_anna])[0].starts_with("235 "));
}

/// `+41` is xtext for `A`, so that what is no xtext would be one user or another by chance.
#[test]
fn v127_an_identity_of_a_proxy_has_one_reading() {
    use ehlo::{Command, Policy};
    for raw in ["user+tag@d.example", "a=b", "+", "user+4", "us er", "us\ter"] {
        let line = format!("XCLIENT ADDR=192.0.2.1 LOGIN={raw}");
        assert!(Command::parse_line(line.as_bytes(), &Policy::LENIENT).is_err(), "{raw}");
    }
    let line = b"XCLIENT ADDR=192.0.2.1 LOGIN=user+2Btag@d.example";
    assert!(Command::parse_line(line, &Policy::STRICT).is_ok());
}

#[test]
fn v52_initial_responses() {
    let replies = Desk::new().replies(&["AUTH PLAIN =", "AUTH EXTERNAL =", "NOOP"]);
    assert_eq!(replies[0], "501 5.5.2 cannot understand the SASL message");
    assert!(replies[1].starts_with("235 "), "{}", replies[1]);
    // `=` is for the command, and some clients say it in a line of its own.
    for nothing in ["=", ""] {
        let replies = Desk::new().replies(&["AUTH EXTERNAL", nothing]);
        assert_eq!(replies, ["334 ", "235 2.7.0 authentication successful"], "{nothing:?}");
        let replies = Desk::new().replies(&["AUTH ANONYMOUS", nothing]);
        assert_eq!(replies, ["334 ", "235 2.7.0 authentication successful"], "{nothing:?}");
    }
    // LOGIN is the server's to begin, and clients begin it all the same.
    let replies = Desk::new().replies(&["AUTH LOGIN YW5uYQ==", "c2VjcmV0"]);
    assert_eq!(replies, ["334 UGFzc3dvcmQ6", "235 2.7.0 authentication successful"]);
    if cfg!(feature = "cram-md5") {
        let replies =
            Desk::new().replies(&["AUTH CRAM-MD5 dGlt", "AUTH CRAM-MD5 =", "AUTH CRAM-MD5"]);
        assert!(replies[0].starts_with("501 5.7.0 "), "{}", replies[0]);
        assert!(replies[1].starts_with("501 5.7.0 "), "{}", replies[1]);
        assert_eq!(replies[2], format!("334 {}", base64(pair::CHALLENGE.as_bytes())));
    }
}

#[test]
fn v53_a_response_is_never_a_command() {
    // Each is base64 of what may be a name, or is none; the password is asked for all the same.
    for line in ["", "=", "NOOP", "QUIT", "RSET"] {
        let mut desk = Desk::new();
        let replies = desk.replies(&["AUTH LOGIN", line, "QUIT", "NOOP"]);
        assert_eq!(replies[..2], ["334 VXNlcm5hbWU6", "334 UGFzc3dvcmQ6"], "{line:?}");
        let refused = replies[2].starts_with("535 5.7.8") || replies[2].starts_with("501 5.5.2");
        assert!(refused && replies[3].starts_with("250 "), "{line:?}: {replies:?}");
    }
    for begin in ["AUTH LOGIN =", "AUTH LOGIN YQpi"] {
        let replies = Desk::new().replies(&[begin, "c2VjcmV0", "NOOP"]);
        assert_eq!(replies[0], "334 UGFzc3dvcmQ6", "{begin}");
        assert_eq!(replies[1], "535 5.7.8 authentication credentials invalid", "{begin}");
        assert!(replies[2].starts_with("250 "));
    }
    let replies = Desk::new().replies(&["AUTH LOGIN", "EHLO client.example"]);
    assert_eq!(replies[1], "501 5.5.2 cannot decode base64");
}

#[test]
fn v54_success_before_the_end() {
    let login = || AnyClient::new(SaslMechanism::Login, &anna()).expect("a client");
    for replies in [&["235 ok"][..], &["334 ", "235 ok"], &["334 !", "235 ok"]] {
        let mut caller = Caller::new(login());
        caller.lines(replies);
        assert_eq!(caller.result, Some(Err(ClientFailure::EarlySuccess)), "{replies:?}");
    }
    let mut caller = Caller::new(xoauth2("expired"));
    caller.lines(&["334 e30=", "235 ok"]);
    assert_eq!(caller.result, Some(Err(ClientFailure::EarlySuccess)));
    // It did not fit the command, and was never said.
    let long = "v".repeat(700);
    let token = Credentials::token("anna", &long).expect("a token");
    let mut caller = Caller::new(AnyClient::new(SaslMechanism::Xoauth2, &token).expect("a client"));
    caller.lines(&["235 ok"]);
    assert_eq!(caller.result, Some(Err(ClientFailure::EarlySuccess)));

    let mut caller = Caller::new(login());
    let lines = caller.lines(&["334-VXNl\r\n334 cm5h", "501 cancelled"]);
    assert_eq!(lines, ["AUTH LOGIN", "*", ""]);
    assert_eq!(caller.result, Some(Err(ClientFailure::Challenge)));
    // A server that goes on after `*` is not to be talked to.
    let mut caller = Caller::new(xoauth2("expired"));
    caller.lines(&["334 !", "334 e30="]);
    assert_eq!(caller.result, Some(Err(ClientFailure::Reply)));
    assert!(ClientFailure::Reply.is_fatal() && ClientFailure::EarlySuccess.is_fatal());
}

#[cfg(feature = "scram")]
#[test]
fn v54_scram_without_the_servers_signature() {
    let scram = || client(SaslMechanism::ScramSha256, &anna());
    for early in 0..2 {
        let mut caller = Caller::new(scram());
        let first = caller.lines(&[]).remove(0);
        let first = ehlo_unbase64(first.rsplit_once(' ').expect("an initial response").1);
        let nonce = first.rsplit_once("r=").expect("a nonce").1.to_owned();
        let server_first = format!("r={nonce}x,s=c2FsdA==,i=4096");
        let mut replies = vec![format!("334 {}", base64(server_first.as_bytes()))];
        replies.truncate(early);
        replies.push("235 ok".into());
        for reply in &replies {
            caller.take(format!("{reply}\r\n").as_bytes());
        }
        assert_eq!(caller.result, Some(Err(ClientFailure::EarlySuccess)));
    }
}

#[cfg(feature = "scram")]
fn ehlo_unbase64(text: &str) -> String {
    let mut out = vec![0; text.len()];
    let data = ehlo::syntax::sasl::SaslData::parse(text.as_bytes()).expect("base64");
    let length = data.decode(&mut out).expect("room");
    String::from_utf8(out[..length].to_vec()).expect("UTF-8")
}

#[test]
fn v55_no_secret_is_shown_or_left() {
    let mut buffer = vec![0; ServerExchange::<AnyServer>::BUFFER];
    for (mechanism, credentials, _) in mechanisms() {
        let client = client(mechanism, &credentials);
        let mut exchange = ehlo_sasl::ClientExchange::new(client);
        let mut room = [0; 2048];
        let command = format!("{:?}", exchange.start(&mut room));
        let shown = format!("{command} {exchange:?} {credentials:?}");
        let mut parts = vec!["secret".to_owned(), base64(b"secret"), "valid".into(), "vvvv".into()];
        parts.push(format!("{:?}", b"secret")[1..20].into());
        for part in parts {
            assert!(!shown.contains(&part), "{mechanism:?}: {shown}");
        }
    }
    let plain = AnyServer::new(SaslMechanism::Plain).expect("a server");
    let mut exchange = ServerExchange::new(plain);
    let message = ehlo::syntax::sasl::SaslData::new(b"\0anna\0secret");
    let step = exchange.start(Some(&message), &mut buffer);
    assert!(!format!("{step:?}").contains("secret"), "{step:?}");
    assert!(!format!("{exchange:?}").contains("secret"), "{exchange:?}");
    assert!(buffer.windows(6).any(|bytes| bytes == b"secret"));
    exchange.refuse(&mut buffer);
    assert!(!buffer.windows(6).any(|bytes| bytes == b"secret"));
}

#[test]
fn v56_no_line_break_by_the_parameter_of_mail() {
    for identity in ["a+0D+0ARCPT", "a@b.example+0D+0A", "nobody", "a+00@b.example", "+3C"] {
        let replies = Desk::new().replies(&[&format!("MAIL FROM:<a@b.example> AUTH={identity}")]);
        assert!(replies[0].starts_with("501 "), "{identity}: {}", replies[0]);
    }
    for identity in ["e+3Dmc2@example.com", "<>"] {
        let replies = Desk::new().replies(&[&format!("MAIL FROM:<a@b.example> AUTH={identity}")]);
        assert!(replies[0].starts_with("250 "), "{identity}: {}", replies[0]);
    }
}

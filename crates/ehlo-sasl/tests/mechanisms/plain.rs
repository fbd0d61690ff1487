//! PLAIN, LOGIN, EXTERNAL and ANONYMOUS.

use ehlo::syntax::sasl::{SaslData, SaslMechanism};
use ehlo_sasl::{
    AnonymousServer, ClientFailure, ClientMechanism, Credentials, CredentialsError, ExternalServer,
    LoginClient, LoginServer, PlainServer, ServerFailure, ServerMechanism,
};

use crate::{MALFORMED, Turn, client, say, verify};

/// RFC 4616 §4 and RFC 4954 §4.1.
#[test]
fn vectors_of_plain() {
    for (authorization, name, password, message, base64) in [
        ("", "tim", "tanstaaftanstaaf", &b"\0tim\0tanstaaftanstaaf"[..], ""),
        ("Ursel", "Kurt", "xipj3plmq", b"Ursel\0Kurt\0xipj3plmq", ""),
        ("test", "test", "1234", b"test\0test\x001234", "dGVzdAB0ZXN0ADEyMzQ="),
    ] {
        let credentials = Credentials::password(name, password).unwrap();
        let credentials = match authorization {
            "" => credentials,
            other => credentials.acting_for(other).unwrap(),
        };
        assert_eq!(client(SaslMechanism::Plain, &credentials), message);
        let expected = verify(name, authorization, password);
        assert_eq!(say(&mut PlainServer::new(), message), Ok(expected));
        if !base64.is_empty() {
            assert_eq!(SaslData::parse(base64.as_bytes()), Ok(SaslData::new(message)));
        }
    }
}

#[test]
fn plain_is_of_three_parts_in_utf_8() {
    for message in [
        &b""[..],
        b"\0",
        b"a\0b",
        b"\0a\0b\0",
        b"\0\0a\0b",
        b"\0a\0b\0c",
        b"anna",
        b"\0anna\0\xFF",
        b"\0\xC0\x80\0b",
    ] {
        let said = say(&mut PlainServer::new(), message);
        assert_eq!(said, Err(MALFORMED), "{}", message.escape_ascii());
    }
    // Of three parts, and of nobody.
    for message in [&b"\0\0"[..], b"\0a\0", b"\0\0b", b"a\0\0b", b"\0a\nb\0c", b"\0a\0b\tc"] {
        let said = say(&mut PlainServer::new(), message);
        assert_eq!(said, Err(ServerFailure::Credentials), "{}", message.escape_ascii());
    }
    // RFC 4616 §2: each of up to 255 bytes must be taken.
    let longest = "é".repeat(127) + "x";
    let message = format!("{longest}\0{longest}\0{longest}");
    let expected = verify(&longest, &longest, &longest);
    assert_eq!(say(&mut PlainServer::new(), message.as_bytes()), Ok(expected));
    let mut room = [0; 3];
    let short = PlainServer::new().respond(Some(&SaslData::new(b"\0a\0b")), &mut room);
    assert_eq!(short, Err(ServerFailure::BufferTooSmall));
}

#[test]
fn clients_that_begin_wait_for_an_empty_challenge() {
    for mechanism in [
        SaslMechanism::Plain,
        SaslMechanism::External,
        SaslMechanism::Anonymous,
        SaslMechanism::Xoauth2,
        SaslMechanism::OauthBearer,
    ] {
        let mut server = ehlo_sasl::AnyServer::new(mechanism).unwrap();
        let turn = server.respond(None, &mut []).map(Turn::from);
        assert_eq!(turn, Ok(Turn::Challenge(Vec::new())), "{mechanism:?}");
    }
}

#[test]
fn login_in_three_steps_and_in_two() {
    let mut server = LoginServer::new();
    let turn = server.respond(None, &mut []).map(Turn::from);
    assert_eq!(turn, Ok(Turn::Challenge(b"Username:".into())));
    assert_eq!(say(&mut server, b"anna"), Ok(Turn::Challenge(b"Password:".into())));
    assert_eq!(say(&mut server, b"secret"), Ok(verify("anna", "", "secret")));

    let mut server = LoginServer::new();
    assert_eq!(say(&mut server, b"anna"), Ok(Turn::Challenge(b"Password:".into())));
    assert_eq!(say(&mut server, b"s \xC3\xA9"), Ok(verify("anna", "", "s é")));

    let nobody = ServerFailure::Credentials;
    for (name, failure) in
        [(&b""[..], nobody), (b"an\0na", nobody), (b"\xFF", MALFORMED), (&[b'x'; 256], nobody)]
    {
        let mut server = LoginServer::new();
        assert_eq!(say(&mut server, name), Ok(Turn::Challenge(b"Password:".into())));
        assert_eq!(say(&mut server, b"secret"), Err(failure));
    }
    for (password, failure) in
        [(&b""[..], nobody), (b"\0", nobody), (b"a\x01", nobody), (b"\xFF", MALFORMED)]
    {
        let mut server = LoginServer::new();
        assert!(say(&mut server, &[b'x'; 255]).is_ok());
        assert_eq!(say(&mut server, password), Err(failure));
    }
    // The buffer has room for both.
    let mut server = LoginServer::new();
    say(&mut server, b"anna").unwrap();
    let mut room = [0; 9];
    let short = server.clone().respond(Some(&SaslData::new(b"secret")), &mut room);
    assert_eq!(short, Err(ServerFailure::BufferTooSmall));
    assert!(server.respond(Some(&SaslData::new(b"secret")), &mut [0; 10]).is_ok());
}

#[test]
fn login_answers_whatever_is_asked_twice() {
    let anna = Credentials::password("anna", "secret").unwrap();
    for (first, second) in
        [("Username:", "Password:"), ("User Name\0", "Password\0"), ("", ""), ("x", "Benutzer")]
    {
        let mut client = LoginClient::new(&anna).unwrap();
        let mut buffer = [0; 16];
        assert!(!client.is_done());
        assert_eq!(client.respond(first.as_bytes(), &mut buffer), Ok(&b"anna"[..]));
        assert!(!client.is_done());
        assert_eq!(client.respond(second.as_bytes(), &mut buffer), Ok(&b"secret"[..]));
        assert!(client.is_done());
        let third = client.respond(b"", &mut buffer);
        assert_eq!(third, Err(ClientFailure::Challenge));
        assert!(!client.is_done());
    }
    assert!(LoginClient::new(&anna.acting_for("bob").unwrap()).is_none());
}

#[test]
fn external() {
    let itself = Credentials::external();
    assert_eq!(client(SaslMechanism::External, &itself), b"");
    let bob = itself.acting_for("bob").unwrap();
    assert_eq!(client(SaslMechanism::External, &bob), b"bob");
    let said = say(&mut ExternalServer::new(), b"");
    assert_eq!(said, Ok(verify("", "", "External")));
    let said = say(&mut ExternalServer::new(), "bö".as_bytes());
    assert_eq!(said, Ok(verify("", "bö", "External")));
    for wrong in [&b"\0"[..], b"b\0", b"\xFF"] {
        assert_eq!(say(&mut ExternalServer::new(), wrong), Err(MALFORMED));
    }
}

/// RFC 4505 §4: `c2lyaGM=`.
#[test]
fn anonymous() {
    let sirhc = Credentials::anonymous("sirhc").unwrap();
    assert_eq!(client(SaslMechanism::Anonymous, &sirhc), b"sirhc");
    assert_eq!(client(SaslMechanism::Anonymous, &Credentials::anonymous("").unwrap()), b"");
    assert_eq!(say(&mut AnonymousServer::new(), b"sirhc"), Ok(verify("", "", "sirhc")));
    assert_eq!(say(&mut AnonymousServer::new(), b""), Ok(verify("", "", "")));
    let longest = "é".repeat(255);
    assert_eq!(say(&mut AnonymousServer::new(), longest.as_bytes()), Ok(verify("", "", &longest)));
    for wrong in [&b"a\nb"[..], b"\0", b"\xFF", &[b'x'; 256]] {
        assert_eq!(say(&mut AnonymousServer::new(), wrong), Err(MALFORMED));
    }
    assert_eq!(Credentials::anonymous("\r\n"), Err(CredentialsError::Forbidden));
}

#[test]
fn credentials_are_checked() {
    use CredentialsError::{Empty, Forbidden};
    for (name, password, error) in [
        ("", "x", Empty),
        ("x", "", Empty),
        ("a\0", "x", Forbidden),
        ("a\r\nb", "x", Forbidden),
        ("a\u{1}", "x", Forbidden),
        ("a\u{85}", "x", Forbidden),
        ("x", "a\0", Forbidden),
    ] {
        assert_eq!(Credentials::password(name, password), Err(error), "{name:?} {password:?}");
    }
    let anna = Credentials::password("anna", "a\u{1} =,é").unwrap();
    assert_eq!(anna.acting_for(""), Err(Empty));
    assert_eq!(anna.acting_for("a\u{1}"), Err(Forbidden));
    assert!(!anna.acts_for_another() && !anna.acting_for("anna").unwrap().acts_for_another());
    assert_eq!(anna.identity(), Some("anna"));
    assert_eq!(anna.acting_for("bob").unwrap().identity(), Some("bob"));
    for token in ["", "=", "a b", "a\u{1}", "a=b", "é", "a\r\n"] {
        assert!(Credentials::token("anna", token).is_err(), "{token:?}");
    }
    assert!(Credentials::token("anna", "aZ09-._~+/==").is_ok());
}

#[test]
fn the_strongest_that_fits() {
    use SaslMechanism::{Anonymous, External, Login, OauthBearer, Plain, Xoauth2};
    use ehlo::syntax::sasl::Mechanisms;
    use ehlo_sasl::Channel;

    let offered =
        [Login, Plain, Xoauth2, External].into_iter().fold(Mechanisms::NONE, Mechanisms::with);
    let password = Credentials::password("anna", "secret").unwrap();
    let token = Credentials::token("anna", "secret").unwrap();
    let external = Credentials::external();
    let anonymous = Credentials::anonymous("").unwrap();
    for (credentials, protected, clear) in [
        (password, Some(Plain), None),
        (token, Some(Xoauth2), None),
        (external, Some(External), Some(External)),
        (anonymous, None, None),
    ] {
        assert_eq!(Channel::Protected.strongest(offered, &credentials), protected);
        assert_eq!(Channel::Clear.strongest(offered, &credentials), clear);
    }
    let all = offered.with(OauthBearer).with(Anonymous);
    assert_eq!(Channel::Protected.strongest(all, &token), Some(OauthBearer));
    assert_eq!(Channel::Clear.strongest(all, &anonymous), Some(Anonymous));
    let login = Mechanisms::NONE.with(Login).with(Xoauth2);
    let for_bob = password.acting_for("bob").unwrap();
    assert_eq!(Channel::Protected.strongest(login, &for_bob), None);
    assert_eq!(Channel::Protected.strongest(login.with(Plain), &for_bob), Some(Plain));
}

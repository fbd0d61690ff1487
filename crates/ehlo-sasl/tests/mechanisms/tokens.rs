//! XOAUTH2 and OAUTHBEARER.

use ehlo::syntax::sasl::SaslMechanism;
use ehlo_sasl::{
    AnyClient, ClientFailure, ClientMechanism, Credentials, OauthBearerClient, OauthBearerServer,
    ServerFailure, ServerMechanism, Xoauth2Server,
};

use crate::{MALFORMED, Turn, client, say, verify};

const TOKEN: &str = "vF9dft4qmTc2Nvb3RlckBhbHRhdmlzdGEuY29tCg==";

/// RFC 7628 §4.1, without the channel's SASL name, and Google's description of XOAUTH2.
#[test]
fn vectors() {
    let user = Credentials::token("user@example.com", TOKEN).unwrap();
    let mut buffer = [0; 256];
    let mut bearer = OauthBearerClient::new(&user).unwrap().at("server.example.com", 587);
    let message = format!(
        "n,a=user@example.com,\x01host=server.example.com\x01port=587\x01auth=Bearer {TOKEN}\x01\x01"
    );
    let first = bearer.initial_response(&mut buffer).unwrap().unwrap();
    assert_eq!(first, message.as_bytes());
    let said = say(&mut OauthBearerServer::new(), message.as_bytes());
    assert_eq!(said, Ok(verify("", "user@example.com", TOKEN)));

    let someone = "someuser@example.com";
    let message = format!("user={someone}\x01auth=Bearer {TOKEN}\x01\x01");
    let credentials = Credentials::token(someone, TOKEN).unwrap();
    assert_eq!(client(SaslMechanism::Xoauth2, &credentials), message.as_bytes());
    let said = say(&mut Xoauth2Server::new(), message.as_bytes());
    assert_eq!(said, Ok(verify(someone, "", TOKEN)));
}

#[test]
fn names_are_escaped() {
    let odd = Credentials::token("a,b=c", "t").unwrap();
    let message = client(SaslMechanism::OauthBearer, &odd);
    assert_eq!(message, b"n,a=a=2Cb=3Dc,\x01auth=Bearer t\x01\x01");
    assert_eq!(say(&mut OauthBearerServer::new(), &message), Ok(verify("", "a,b=c", "t")));
    let for_bob = odd.acting_for("bob").unwrap();
    assert!(client(SaslMechanism::OauthBearer, &for_bob).starts_with(b"n,a=bob,"));
    assert!(AnyClient::new(SaslMechanism::Xoauth2, &for_bob).is_none());
    let bearer = OauthBearerClient::new(&odd).unwrap().at("h\x01auth=x", 25);
    assert!(!format!("{bearer:?}").contains("auth=x"));
}

#[test]
fn messages_of_oauthbearer() {
    for (message, authorization) in [
        ("n,,\x01auth=Bearer t\x01\x01", ""),
        ("y,,\x01auth=bEARER   t\x01\x01", ""),
        ("n,a=b,\x01port=25\x01auth=Bearer t\x01x=\t y\x01\x01", "b"),
    ] {
        let said = say(&mut OauthBearerServer::new(), message.as_bytes());
        assert_eq!(said, Ok(verify("", authorization, "t")), "{message:?}");
    }
    for message in [
        "",
        "n",
        "n,,",
        "n,,\x01",
        "n,\x01auth=Bearer t\x01\x01",
        "p=tls-unique,,\x01auth=Bearer t\x01\x01",
        "x,,\x01auth=Bearer t\x01\x01",
        "n,b=c,\x01auth=Bearer t\x01\x01",
        "n,a=,\x01auth=Bearer t\x01\x01",
        "n,a==2D,\x01auth=Bearer t\x01\x01",
        "n,a=x,y,\x01auth=Bearer t\x01\x01",
        "n,,\x01auth=Bearer t\x01",
        "n,,\x01auth=Bearer t",
        "n,,\x01auth=Bearer t\x01\x01\x01",
        "n,,\x01auth=Basic t\x01\x01",
        "n,,\x01auth=Bearer\x01\x01",
        "n,,\x01auth=Bearer \x01\x01",
        "n,,\x01auth=Bearer t u\x01\x01",
        "n,,\x01auth=Bearer t\x01auth=Bearer u\x01\x01",
        "n,,\x01=x\x01auth=Bearer t\x01\x01",
        "n,,\x01k1=x\x01auth=Bearer t\x01\x01",
        "n,,\x01auth=Bearer t\x01x=\0\x01\x01",
        "n,,\x01auth=Bearer t\x01x=é\x01\x01",
        "n,,\x01auth\x01\x01",
    ] {
        let said = say(&mut OauthBearerServer::new(), message.as_bytes());
        assert_eq!(said, Err(MALFORMED), "{message:?}");
    }
    // RFC 7628 §4.3: no token, but a question.
    for message in ["n,,\x01\x01", "n,a=b,\x01host=h\x01\x01", "\x01"] {
        let mut server = OauthBearerServer::new();
        let said = say(&mut server, message.as_bytes());
        assert_eq!(said, Ok(Turn::Challenge(br#"{"status":"invalid_token"}"#.into())));
        assert_eq!(say(&mut server, b"\x01"), Err(ServerFailure::Credentials));
    }
}

#[test]
fn messages_of_xoauth2() {
    for message in [
        "",
        "user=a\x01auth=Bearer t\x01",
        "user=a\x01auth=Bearer t\x01\x01\x01",
        "user=a\x01auth=Bearer t\0\x01\x01",
        "usr=a\x01auth=Bearer t\x01\x01",
        "user=a\x01auth=Basic t\x01\x01",
        "user=a\x01auth=Bearer \x01\x01",
        "auth=Bearer t\x01user=a\x01\x01",
        "user=a\x01x=y\x01auth=Bearer t\x01\x01",
    ] {
        let said = say(&mut Xoauth2Server::new(), message.as_bytes());
        assert_eq!(said, Err(MALFORMED), "{message:?}");
    }
}

/// They are refused as a token that has run out is, by a challenge and then a reply.
#[test]
fn names_that_no_user_has() {
    for message in ["user=\x01auth=Bearer t\x01\x01", "user=a\0\x01auth=Bearer t\x01\x01"] {
        let mut server = Xoauth2Server::new();
        let said = say(&mut server, message.as_bytes());
        assert!(matches!(said, Ok(Turn::Challenge(_))), "{said:?}");
        assert_eq!(say(&mut server, b""), Err(ServerFailure::Credentials));
    }
}

#[test]
fn a_refusal_is_answered_then_final() {
    for (mechanism, answer) in
        [(SaslMechanism::OauthBearer, &b"\x01"[..]), (SaslMechanism::Xoauth2, b"")]
    {
        let credentials = Credentials::token("anna", "expired").unwrap();
        let mut buffer = [0; 256];
        let mut client = AnyClient::new(mechanism, &credentials).unwrap();
        assert!(!client.is_done());
        let first = client.initial_response(&mut buffer).unwrap().unwrap().to_vec();
        assert!(client.is_done());

        let mut server = ehlo_sasl::AnyServer::new(mechanism).unwrap();
        assert!(matches!(say(&mut server, &first), Ok(Turn::Verify(..))));
        let mut room = [0; 256];
        let turn = server.refused(&mut room).map(Turn::from);
        let Ok(Turn::Challenge(reason)) = turn else { panic!("{turn:?}") };
        let reason: serde_json::Value = serde_json::from_slice(&reason).unwrap();
        assert!(reason["status"].is_string());

        assert_eq!(client.respond(b"{}", &mut buffer), Ok(answer));
        assert!(!client.is_done());
        assert_eq!(client.respond(b"{}", &mut buffer), Err(ClientFailure::Challenge));
        for said in [answer, b"anything", b"user=a\x01auth=Bearer t\x01\x01"] {
            assert_eq!(say(&mut server, said), Err(ServerFailure::Credentials));
        }
    }
}

//! CRAM-MD5.

use ehlo_sasl::{
    ClientFailure, ClientMechanism, CramMd5Client, CramMd5Server, Credentials, ServerFailure,
    ServerMechanism, StoredSecret,
};

use crate::{MALFORMED, Turn, say, verify};

const CHALLENGE: &str = "<1896.697170952@postoffice.reston.mci.net>";
const ANSWER: &[u8] = b"tim b913a602c7eda7a495b4e6e7334d3890";

fn challenged() -> CramMd5Server {
    let mut server = CramMd5Server::new(CHALLENGE).unwrap();
    let turn = server.respond(None, &mut [0; 64]).map(Turn::from);
    assert_eq!(turn, Ok(Turn::Challenge(CHALLENGE.into())));
    server
}

/// RFC 2195 §2.
#[test]
fn vector() {
    let tim = Credentials::password("tim", "tanstaaftanstaaf").unwrap();
    let mut client = CramMd5Client::new(&tim).unwrap();
    let mut buffer = [0; 64];
    assert_eq!(client.initial_response(&mut buffer), Ok(None));
    assert!(!client.is_done());
    assert_eq!(client.respond(CHALLENGE.as_bytes(), &mut buffer), Ok(ANSWER));
    assert!(client.is_done());
    assert_eq!(client.respond(CHALLENGE.as_bytes(), &mut buffer), Err(ClientFailure::Challenge));
    assert!(!client.is_done());

    let mut server = challenged();
    assert_eq!(say(&mut server, ANSWER), Ok(Turn::Secret("tim".into())));
    let right = StoredSecret::Password("tanstaaftanstaaf");
    let turn = server.secret(Some(&right), &mut buffer).map(Turn::from);
    assert_eq!(turn, Ok(verify("tim", "", "Verified")));
    assert_eq!(server.secret(Some(&right), &mut buffer), Err(ServerFailure::OutOfTurn));
}

#[test]
fn a_wrong_password_and_nobody_are_the_same() {
    for secret in [Some(StoredSecret::Password("wrong")), None] {
        let mut server = challenged();
        say(&mut server, ANSWER).unwrap();
        let mut room = [0; 64];
        let turn = server.secret(secret.as_ref(), &mut room);
        assert_eq!(turn, Err(ServerFailure::Credentials));
    }
    // The digest of the empty password is no way in for a user who does not exist.
    let empty = "nobody 6dd0ba66ebeb2e51d9ff8d9cf3ff8f20";
    let mut server = challenged();
    assert!(matches!(say(&mut server, empty.as_bytes()), Ok(Turn::Secret(_))));
    assert_eq!(server.secret(None, &mut [0; 64]), Err(ServerFailure::Credentials));
}

#[test]
fn messages() {
    let long = format!("{} b913a602c7eda7a495b4e6e7334d3890", "x".repeat(256));
    let mut server = challenged();
    assert_eq!(say(&mut server, long.as_bytes()), Err(ServerFailure::Credentials));
    let mut server = challenged();
    let spaced = b"t i m b913a602c7eda7a495b4e6e7334d3890";
    assert_eq!(say(&mut server, spaced), Ok(Turn::Secret("t i m".into())));
    for message in [
        &b""[..],
        b"tim",
        b"tim ",
        b" b913a602c7eda7a495b4e6e7334d3890",
        b"tim b913a602c7eda7a495b4e6e7334d389",
        b"tim b913a602c7eda7a495b4e6e7334d38900",
        b"tim B913A602C7EDA7A495B4E6E7334D3890",
        b"tim g913a602c7eda7a495b4e6e7334d3890",
        b"ti\0m b913a602c7eda7a495b4e6e7334d3890",
        b"\xFF b913a602c7eda7a495b4e6e7334d3890",
    ] {
        let mut server = challenged();
        assert_eq!(say(&mut server, message), Err(MALFORMED), "{}", message.escape_ascii());
        assert_eq!(say(&mut server, ANSWER), Err(ServerFailure::OutOfTurn));
    }
    let mut server = CramMd5Server::new(CHALLENGE).unwrap();
    assert_eq!(say(&mut server, b""), Err(ServerFailure::InitialResponse));
    let mut server = CramMd5Server::new(CHALLENGE).unwrap();
    assert_eq!(server.secret(None, &mut [0; 64]), Err(ServerFailure::OutOfTurn));
}

#[test]
fn challenges() {
    for wrong in ["", "<>", "<@>", "<a@>", "<@b>", "a@b", "<a@b", "<a b@c>", "<a\r\n@b>", "<é@b>"]
    {
        assert!(CramMd5Server::new(wrong).is_err(), "{wrong:?}");
    }
    assert!(CramMd5Server::new(&format!("<{}@b>", "a".repeat(251))).is_ok());
    assert!(CramMd5Server::new(&format!("<{}@b>", "a".repeat(252))).is_err());
    let tim = Credentials::password("tim", "x").unwrap();
    let empty = CramMd5Client::new(&tim).unwrap().respond(b"", &mut [0; 64]).map(<[u8]>::to_vec);
    assert_eq!(empty, Err(ClientFailure::Challenge));
}

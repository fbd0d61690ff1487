//! SCRAM: its random nonces cannot be given, so the vectors of the RFCs go to an oracle, and the
//! oracle plays the other side.

use ehlo::syntax::sasl::SaslMechanism::{
    self, ScramSha1, ScramSha1Plus, ScramSha256, ScramSha256Plus,
};
use ehlo_sasl::{
    ChannelBinding, ClientFailure, ClientMechanism, Credentials, ScramClient, ScramKeys,
    ScramSecret, ScramServer, ServerFailure, ServerMechanism, StoredSecret,
};
use hmac::{Hmac, Mac as _};
use proptest::prelude::*;
use proptest::sample::Index;
use sha1::Sha1;
use sha2::{Digest as _, Sha256};

use crate::{MALFORMED, Turn, say, verify};

/// What RFC 5802 §3 computes of a password and the messages without the proof.
struct Oracle {
    sha_256: bool,
    salted: Vec<u8>,
}

impl Oracle {
    fn new(mechanism: SaslMechanism, password: &str, salt: &[u8], iterations: u32) -> Self {
        let sha_256 = matches!(mechanism, ScramSha256 | ScramSha256Plus);
        let password = password.as_bytes();
        let mut salted = vec![0; if sha_256 { 32 } else { 20 }];
        if sha_256 {
            pbkdf2::pbkdf2_hmac::<Sha256>(password, salt, iterations, &mut salted);
        } else {
            pbkdf2::pbkdf2_hmac::<Sha1>(password, salt, iterations, &mut salted);
        }
        Self { sha_256, salted }
    }

    fn hmac(&self, key: &[u8], text: &str) -> Vec<u8> {
        if self.sha_256 {
            let hmac = Hmac::<Sha256>::new_from_slice(key).unwrap();
            hmac.chain_update(text).finalize().into_bytes().to_vec()
        } else {
            let hmac = Hmac::<Sha1>::new_from_slice(key).unwrap();
            hmac.chain_update(text).finalize().into_bytes().to_vec()
        }
    }

    fn stored_key(&self) -> Vec<u8> {
        let key = self.hmac(&self.salted, "Client Key");
        if self.sha_256 { Sha256::digest(key).to_vec() } else { Sha1::digest(key).to_vec() }
    }

    fn proof(&self, messages: &str) -> String {
        let key = self.hmac(&self.salted, "Client Key");
        let signature = self.hmac(&self.stored_key(), messages);
        base64(&key.iter().zip(signature).map(|(a, b)| a ^ b).collect::<Vec<_>>())
    }

    fn server_key(&self) -> Vec<u8> {
        self.hmac(&self.salted, "Server Key")
    }

    fn verifier(&self, messages: &str) -> String {
        base64(&self.hmac(&self.server_key(), messages))
    }
}

fn base64(bytes: &[u8]) -> String {
    use ehlo::Encode as _;
    let mut out = vec![0; bytes.len() * 2 + 4];
    let length = ehlo::syntax::sasl::SaslData::new(bytes).encode(&mut out).unwrap();
    String::from_utf8(out[..length].to_vec()).unwrap()
}

fn unbase64(text: &str) -> Vec<u8> {
    let mut out = vec![0; text.len()];
    let length =
        ehlo::syntax::sasl::SaslData::parse(text.as_bytes()).unwrap().decode(&mut out).unwrap();
    out[..length].to_vec()
}

/// RFC 5802 §5 and RFC 7677 §3: mechanism, client nonce, nonce, salt, proof, verifier.
const VECTORS: [(SaslMechanism, &str, &str, &str, &str, &str); 2] = [
    (
        ScramSha1,
        "fyko+d2lbbFgONRv9qkxdawL",
        "fyko+d2lbbFgONRv9qkxdawL3rfcNHYJY1ZVvWVs7j",
        "QSXCR+Q6sek8bf92",
        "v0X8v3Bz2T0CJGbJQyF0X+HI4Ts=",
        "rmF9pqV8S7suAoZWja4dJRkFsKQ=",
    ),
    (
        ScramSha256,
        "rOprNGfwEbeRWgbNEkqO",
        "rOprNGfwEbeRWgbNEkqO%hvYDpWUa2RaTCAfuxFIlj)hNlF$k0",
        "W22ZaJ0SNY7soEsUEjb6gQ==",
        "dHzbZapWIk4jUhN+Ute9ytag9zjfMHgsqmmiz7AndVQ=",
        "6rriTRBi23WpRR/wtup+mMhUZUn/dB5nLTJRsjl95G4=",
    ),
];

fn messages(first_bare: &str, server_first: &str, without_proof: &str) -> String {
    format!("{first_bare},{server_first},{without_proof}")
}

#[test]
fn vectors() {
    for (mechanism, client_nonce, nonce, salt, proof, verifier) in VECTORS {
        let oracle = Oracle::new(mechanism, "pencil", &unbase64(salt), 4096);
        let messages = messages(
            &format!("n=user,r={client_nonce}"),
            &format!("r={nonce},s={salt},i=4096"),
            &format!("c=biws,r={nonce}"),
        );
        assert_eq!(oracle.proof(&messages), proof);
        assert_eq!(oracle.verifier(&messages), verifier);

        // What is stored verifies the RFC's proof and makes its verifier.
        let salt = unbase64(salt);
        let secret = ScramSecret::derive(mechanism, "pencil", &salt, 4096).unwrap();
        let keys = secret.keys();
        assert_eq!(keys.stored_key, oracle.stored_key());
        assert_eq!(base64(&oracle.hmac(keys.server_key, &messages)), verifier);
        assert_eq!((keys.iterations, keys.salt), (4096, &salt[..]));
    }
    assert!(ScramSecret::derive(SaslMechanism::Plain, "pencil", b"salt", 4096).is_none());
    assert!(ScramSecret::derive(ScramSha1, "pencil", b"", 4096).is_none());
    assert!(ScramSecret::derive(ScramSha1, "pencil", b"salt", 0).is_none());
    assert!(ScramSecret::derive(ScramSha1, "\u{7}", b"salt", 1).is_none());
    // RFC 4013 §3: soft hyphen, ligature and non-ASCII space are not what they seem.
    let plain = ScramSecret::derive(ScramSha1, "pencil fi", b"salt", 1).unwrap();
    let odd = ScramSecret::derive(ScramSha1, "pen\u{AD}cil\u{A0}\u{FB01}", b"salt", 1).unwrap();
    assert_eq!(plain.keys(), odd.keys());
}

fn respond(client: &mut ScramClient, challenge: &str) -> Result<String, ClientFailure> {
    let mut buffer = [0; 1024];
    let response = client.respond(challenge.as_bytes(), &mut buffer)?;
    Ok(String::from_utf8(response.to_vec()).unwrap())
}

fn begin(client: &mut ScramClient) -> String {
    let mut buffer = [0; 1024];
    let first = client.initial_response(&mut buffer).unwrap().unwrap().to_vec();
    assert_eq!(client.initial_response(&mut buffer).unwrap().unwrap(), first);
    String::from_utf8(first).unwrap()
}

fn user() -> Credentials<'static> {
    Credentials::password("user", "pencil").unwrap()
}

const EXPORTED: [u8; 32] = [0xE4; 32];

fn binding() -> ChannelBinding<'static> {
    ChannelBinding::new("tls-exporter", &EXPORTED).unwrap()
}

/// The client's side against the oracle's.
#[test]
fn client_against_oracle() {
    for mechanism in [ScramSha1, ScramSha1Plus, ScramSha256, ScramSha256Plus] {
        let plus = matches!(mechanism, ScramSha1Plus | ScramSha256Plus);
        let binding = plus.then(binding);
        let mut client = ScramClient::new(mechanism, &user(), binding).unwrap();
        let first = begin(&mut client);
        let header = if plus { "p=tls-exporter,," } else { "n,," };
        let bare = first.strip_prefix(header).unwrap();
        let nonce = format!("{}%server", bare.strip_prefix("n=user,r=").unwrap());
        let oracle = Oracle::new(mechanism, "pencil", b"salt", 4096);
        let server_first = format!("r={nonce},s={},i=4096", base64(b"salt"));
        let client_final = respond(&mut client, &server_first).unwrap();
        assert!(!client.is_done());
        let (without_proof, proof) = client_final.split_once(",p=").unwrap();
        let data = if plus { &EXPORTED[..] } else { b"" };
        let input = base64(&[header.as_bytes(), data].concat());
        assert_eq!(without_proof, format!("c={input},r={nonce}"));
        let messages = messages(bare, &server_first, without_proof);
        assert_eq!(proof, oracle.proof(&messages));
        let verifier = format!("v={}", oracle.verifier(&messages));
        assert_eq!(respond(&mut client, &verifier), Ok(String::new()));
        assert!(client.is_done());
        assert_eq!(respond(&mut client, &verifier), Err(ClientFailure::Challenge));
        assert!(!client.is_done());
    }
}

#[test]
fn the_server_has_to_prove_itself() {
    let answered = || {
        let mut client = ScramClient::new(ScramSha256, &user(), None).unwrap();
        let nonce = begin(&mut client).rsplit_once("r=").unwrap().1.to_owned();
        respond(&mut client, &format!("r={nonce}x,s=c2FsdA==,i=4096")).unwrap();
        client
    };
    let wrong = format!("v={}", base64(&[1; 32]));
    for (challenge, failure) in [
        (&*wrong, ClientFailure::ServerNotAuthentic),
        ("v=AAAA", ClientFailure::ServerNotAuthentic),
        ("e=invalid-proof", ClientFailure::ServerNotAuthentic),
        ("", ClientFailure::Challenge),
        ("v", ClientFailure::Challenge),
        ("v=", ClientFailure::Challenge),
        ("e", ClientFailure::Challenge),
        ("x=y", ClientFailure::Challenge),
    ] {
        let mut client = answered();
        assert_eq!(respond(&mut client, challenge), Err(failure), "{challenge}");
        assert!(!client.is_done());
        assert!(respond(&mut client, challenge).is_err());
    }
}

#[test]
fn what_a_server_may_say_first() {
    use ClientFailure::{Challenge, Iterations, ServerNotAuthentic};

    let refused = |message: &dyn Fn(&str) -> String| {
        let mut client = ScramClient::new(ScramSha256, &user(), None).unwrap();
        let nonce = begin(&mut client).rsplit_once("r=").unwrap().1.to_owned();
        let failure = respond(&mut client, &message(&nonce)).unwrap_err();
        assert!(respond(&mut client, &message(&nonce)).is_err() && !client.is_done());
        failure
    };
    // A nonce that is not the client's, or is nobody else's.
    assert_eq!(refused(&|_| "r=other,s=c2FsdA==,i=4096".into()), ServerNotAuthentic);
    assert_eq!(refused(&|nonce| format!("r={nonce},s=c2FsdA==,i=4096")), ServerNotAuthentic);
    for count in ["1", "4095", "2000001", "4294967295"] {
        assert_eq!(refused(&|nonce| format!("r={nonce}x,s=c2FsdA==,i={count}")), Iterations);
    }
    for rest in ["", ",", ",s", ",s=", ",s=c2FsdA==", ",s=c2FsdA==,", ",s=c2FsdA==,i", ",s=A,i=1"] {
        assert_eq!(refused(&|nonce| format!("r={nonce}x{rest}")), Challenge, "{rest}");
    }
    let mut client = ScramClient::new(ScramSha1, &user(), None).unwrap().with_iterations(1..=1);
    let nonce = begin(&mut client).rsplit_once("r=").unwrap().1.to_owned();
    assert!(respond(&mut client, &format!("r={nonce}x,s=c2FsdA==,i=1")).is_ok());
}

#[test]
fn credentials_that_do_not_suit() {
    assert!(ScramClient::new(SaslMechanism::Plain, &user(), None).is_none());
    assert!(ScramClient::new(ScramSha1Plus, &user(), None).is_none());
    let token = Credentials::token("user", "t").unwrap();
    assert!(ScramClient::new(ScramSha1, &token, None).is_none());
    let forbidden = Credentials::password("user", "\u{7}").unwrap();
    assert!(ScramClient::new(ScramSha1, &forbidden, None).is_none());
    let mut client = ScramClient::new(ScramSha1, &user(), Some(binding())).unwrap();
    assert!(begin(&mut client).starts_with("y,,n=user,r="));
    let odd = Credentials::password("a,b=c", "x").unwrap().acting_for("d,=").unwrap();
    let mut client = ScramClient::new(ScramSha1, &odd, None).unwrap();
    assert!(begin(&mut client).starts_with("n,a=d=2C=3D,n=a=2Cb=3Dc,r="));
    let mut early = ScramClient::new(ScramSha1, &user(), None).unwrap();
    assert_eq!(respond(&mut early, "r=x,s=c2FsdA==,i=4096"), Err(ClientFailure::Challenge));
}

/// A server that was told who it is, and its first message.
fn asked(
    mechanism: SaslMechanism,
    binding: Option<ChannelBinding<'_>>,
    first: &str,
    keys: Option<ScramKeys<'_>>,
) -> (ScramServer, Result<String, ServerFailure>) {
    let mut server = ScramServer::new(mechanism, binding).unwrap();
    let turn = say(&mut server, first.as_bytes());
    assert!(matches!(turn, Ok(Turn::Secret(_))), "{turn:?}");
    let stored = keys.map(StoredSecret::Scram);
    let mut buffer = [0; 1024];
    let said = match server.secret(stored.as_ref(), &mut buffer).map(Turn::from) {
        Ok(Turn::Challenge(challenge)) => Ok(String::from_utf8(challenge).unwrap()),
        Ok(other) => panic!("{other:?}"),
        Err(failure) => Err(failure),
    };
    (server, said)
}

/// The server's side against the oracle's.
#[test]
fn server_against_oracle() {
    for mechanism in [ScramSha1, ScramSha1Plus, ScramSha256, ScramSha256Plus] {
        let plus = matches!(mechanism, ScramSha1Plus | ScramSha256Plus);
        let binding = plus.then(binding);
        let header = if plus { "p=tls-exporter,a=bob=2C," } else { "n,a=bob=2C," };
        let secret = ScramSecret::derive(mechanism, "pencil", b"salt", 4096).unwrap();
        let oracle = Oracle::new(mechanism, "pencil", b"salt", 4096);
        let bare = "n=us=3Der,r=fyko+d2lbbFgONRv9qkxdawL";
        let first = format!("{header}{bare}");
        let (mut server, challenge) = asked(mechanism, binding, &first, Some(secret.keys()));
        let server_first = challenge.unwrap();
        let (nonce, rest) = server_first.split_once(',').unwrap();
        assert!(nonce.starts_with("r=fyko+d2lbbFgONRv9qkxdawL") && nonce.len() > 40);
        assert_eq!(rest, "s=c2FsdA==,i=4096");
        let data = if plus { &EXPORTED[..] } else { b"" };
        let input = base64(&[header.as_bytes(), data].concat());
        let without_proof = format!("c={input},{nonce}");
        let messages = messages(bare, &server_first, &without_proof);
        let client_final = format!("{without_proof},p={}", oracle.proof(&messages));
        let turn = say(&mut server, client_final.as_bytes());
        assert_eq!(turn, Ok(verify("us=er", "bob,", "Verified")));
        let mut buffer = [0; 128];
        let turn = server.accepted(&mut buffer).map(Turn::from);
        let verifier = format!("v={}", oracle.verifier(&messages));
        assert_eq!(turn, Ok(Turn::Challenge(verifier.into())));
        assert_eq!(say(&mut server, b""), Ok(Turn::Success));
        assert_eq!(say(&mut server, b""), Err(ServerFailure::OutOfTurn));
    }
}

#[test]
fn a_wrong_proof_is_refused() {
    use ServerFailure::Credentials as Refused;

    let secret = ScramSecret::derive(ScramSha256, "pencil", b"salt", 4096).unwrap();
    let oracle = Oracle::new(ScramSha256, "wrong", b"salt", 4096);
    let proven = |answer: &dyn Fn(&str, &str) -> String| {
        let first = "n,,n=user,r=x";
        let (mut server, challenge) = asked(ScramSha256, None, first, Some(secret.keys()));
        let challenge = challenge.unwrap();
        let nonce = challenge.split_once(',').unwrap().0;
        let said = say(&mut server, answer(nonce, &challenge).as_bytes());
        assert_eq!(say(&mut server, b""), Err(ServerFailure::OutOfTurn));
        assert_eq!(server.accepted(&mut [0; 64]), Err(ServerFailure::OutOfTurn));
        said.unwrap_err()
    };
    let right = Oracle::new(ScramSha256, "pencil", b"salt", 4096);
    let prove = |oracle: &Oracle, nonce: &str, challenge: &str, cbind: &str| {
        let without_proof = format!("c={cbind},{nonce}");
        let messages = messages("n=user,r=x", challenge, &without_proof);
        format!("{without_proof},p={}", oracle.proof(&messages))
    };
    assert_eq!(proven(&|nonce, challenge| prove(&oracle, nonce, challenge, "biws")), Refused);
    // "y,," and nothing where "n,," was said.
    assert_eq!(proven(&|nonce, challenge| prove(&right, nonce, challenge, "eSws")), Refused);
    assert_eq!(proven(&|_, challenge| prove(&right, "r=x", challenge, "biws")), Refused);
    assert_eq!(proven(&|nonce, _| format!("c=biws,{nonce},p=AAAA")), Refused);
    let long = base64(&[0; 64]);
    assert_eq!(proven(&|nonce, _| format!("c=biws,{nonce},p={long}")), Refused);
    for wrong in ["", "c", "c=biws", "c=biws,r", "c=biws,r=", "c=biws,r=x,p", "c=biws,r=x,p=,"] {
        assert_eq!(proven(&|_, _| wrong.into()), MALFORMED);
    }
}

#[test]
fn what_a_client_may_say_first() {
    for (binding, mechanism, message) in [
        // RFC 5802 §6: the client believes that it was not offered what it was offered.
        (Some(binding()), ScramSha256, "y,,n=user,r=x"),
        (None, ScramSha256, "p=tls-exporter,,n=user,r=x"),
        (Some(binding()), ScramSha256, "p=tls-exporter,,n=user,r=x"),
        (Some(binding()), ScramSha256Plus, "n,,n=user,r=x"),
        (Some(binding()), ScramSha256Plus, "y,,n=user,r=x"),
        (Some(binding()), ScramSha256Plus, "p=tls-unique,,n=user,r=x"),
    ] {
        let mut server = ScramServer::new(mechanism, binding).unwrap();
        let turn = say(&mut server, message.as_bytes());
        assert_eq!(turn, Err(ServerFailure::Credentials), "{message}");
        assert_eq!(say(&mut server, b"n,,n=user,r=x"), Err(ServerFailure::OutOfTurn));
    }
    for (binding, message) in
        [(None, "y,,n=user,r=x"), (None, "n,,n=user,r=x"), (Some(binding()), "n,,n=user,r=x")]
    {
        let mut server = ScramServer::new(ScramSha1, binding).unwrap();
        assert_eq!(say(&mut server, message.as_bytes()), Ok(Turn::Secret("user".into())));
    }
    // Some of them bring rsasl to a panic.
    for message in ["", "n", "n,", "n,,", "n,,n", "n,x,n=u,r=x", "n,,n=u,", "n,,n=u,r", "n,,n=,r=x"]
    {
        let mut server = ScramServer::new(ScramSha1, None).unwrap();
        assert_eq!(say(&mut server, message.as_bytes()), Err(MALFORMED), "{message}");
    }
    let mut server = ScramServer::new(ScramSha1, None).unwrap();
    assert_eq!(say(&mut server, b"n,,n=u=2D,r=x"), Err(MALFORMED));
    assert!(ScramServer::new(ScramSha1Plus, None).is_none());
    assert!(ScramServer::new(SaslMechanism::Plain, None).is_none());
}

proptest! {
    /// rsasl indexes into messages: whatever the change, it is seen before.
    #[test]
    fn changed_messages_are_refused(
        place in any::<Index>(),
        byte in prop::sample::select(b"\0,=rspcvie 019aA+/\xFF".to_vec()),
        cut in any::<bool>(),
    ) {
        let change = |message: &str| {
            let mut message = message.as_bytes().to_vec();
            let place = place.index(message.len());
            message[place] = byte;
            if cut {
                message.truncate(place);
            }
            message
        };
        let secret = ScramSecret::derive(ScramSha1, "pencil", b"salt", 1).unwrap();
        let stored = StoredSecret::Scram(secret.keys());
        let mut buffer = [0; 1024];

        let mut server = ScramServer::new(ScramSha1, None).unwrap();
        if say(&mut server, &change("n,a=bob,n=user,r=nonce")).is_ok() {
            server.secret(Some(&stored), &mut buffer).unwrap();
        }

        let (mut server, challenge) =
            asked(ScramSha1, None, "n,,n=user,r=nonce", Some(secret.keys()));
        let challenge = challenge.unwrap();
        let nonce = challenge.split_once(',').unwrap().0;
        let oracle = Oracle::new(ScramSha1, "pencil", b"salt", 1);
        let without_proof = format!("c=biws,{nonce}");
        let messages = messages("n=user,r=nonce", &challenge, &without_proof);
        let right = format!("{without_proof},p={}", oracle.proof(&messages));
        let changed = change(&right);
        let said = say(&mut server, &changed);
        prop_assert_eq!(said.is_ok(), changed == right.as_bytes());

        let mut client = ScramClient::new(ScramSha1, &user(), None).unwrap().with_iterations(1..=9);
        let nonce = begin(&mut client).rsplit_once("r=").unwrap().1.to_owned();
        let server_first = format!("r={nonce}x,s=c2FsdA==,i=1");
        if client.respond(&change(&server_first), &mut buffer).is_ok() {
            let wrong = format!("v={}", base64(&[1; 20]));
            prop_assert!(client.respond(&change(&wrong), &mut buffer).is_err());
            prop_assert!(!client.is_done());
        }
    }
}

#[test]
fn nobody_looks_like_somebody() {
    let decoyed = |name: &str, key: &[u8]| {
        let server = ScramServer::new(ScramSha256, None).unwrap();
        let mut server = server.with_decoy(key, 5000);
        say(&mut server, format!("n,,n={name},r=x").as_bytes()).unwrap();
        let turn = server.secret(None, &mut [0; 256]).map(Turn::from);
        let Ok(Turn::Challenge(challenge)) = turn else { panic!("{turn:?}") };
        let challenge = String::from_utf8(challenge).unwrap();
        let (nonce, rest) = challenge.split_once(',').unwrap();
        let client_final = format!("c=biws,{nonce},p={}", base64(&[0; 32]));
        assert_eq!(say(&mut server, client_final.as_bytes()), Err(ServerFailure::Credentials));
        rest.to_owned()
    };
    let bob = decoyed("bob", b"key");
    assert_eq!(bob, decoyed("bob", b"key"));
    assert_ne!(bob, decoyed("eve", b"key"));
    assert_ne!(bob, decoyed("bob", b"other"));
    assert!(bob.starts_with("s=") && bob.ends_with("==,i=5000") && bob.len() == 2 + 24 + 7);

    let (_, challenge) = asked(ScramSha256, None, "n,,n=bob,r=x", None);
    assert!(challenge.is_ok());
}

#[test]
fn secrets_that_do_not_suit() {
    let secret = ScramSecret::derive(ScramSha1, "pencil", b"salt", 4096).unwrap();
    let keys = secret.keys();
    for (mechanism, keys) in [
        (ScramSha256, keys),
        (ScramSha1, ScramKeys { salt: b"", ..keys }),
        (ScramSha1, ScramKeys { iterations: 0, ..keys }),
        (ScramSha1, ScramKeys { server_key: b"short", ..keys }),
    ] {
        let (_, said) = asked(mechanism, None, "n,,n=user,r=x", Some(keys));
        assert_eq!(said, Err(ServerFailure::Temporary));
    }
    let mut server = ScramServer::new(ScramSha1, None).unwrap();
    say(&mut server, b"n,,n=user,r=x").unwrap();
    let password = StoredSecret::Password("pencil");
    assert_eq!(server.secret(Some(&password), &mut [0; 64]), Err(ServerFailure::Temporary));
}

#[test]
fn sessions_may_be_sent_to_another_thread() {
    fn is_send<T: Send>(_: &T) {}
    is_send(&ScramClient::new(ScramSha1, &user(), None).unwrap());
    is_send(&ehlo_sasl::AnyServer::from(ScramServer::new(ScramSha1, None).unwrap()));
}

#[test]
fn debug_shows_no_key() {
    let secret = ScramSecret::derive(ScramSha1, "pencil", b"salt", 1).unwrap();
    let client = ScramClient::new(ScramSha1, &user(), None).unwrap();
    let server = ScramServer::new(ScramSha1, None).unwrap().with_decoy(b"pencil", 1);
    let stored = StoredSecret::Scram(secret.keys());
    let shown = format!("{secret:?} {stored:?} {:?} {client:?} {server:?}", secret.keys());
    let key = format!("{:?}", secret.keys().stored_key);
    assert!(!shown.contains("pencil") && !shown.contains(&key[1..8]), "{shown}");
    assert!(shown.contains("ScramSha1"), "{shown}");
}

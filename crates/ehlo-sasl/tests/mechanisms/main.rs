//! SASL mechanisms: the vectors of their RFCs, what they refuse, and what they keep to themselves.

#![allow(clippy::unwrap_used)] // a test fails by a panic

mod any_bytes;
#[cfg(feature = "cram-md5")]
mod cram_md5;
mod exchange;
mod nobody;
mod plain;
#[cfg(feature = "scram")]
mod scram;
mod tokens;

use ehlo::syntax::SyntaxErrorKind;
use ehlo::syntax::sasl::SaslData;
use ehlo::syntax::sasl::SaslMechanism;
use ehlo_sasl::{
    AnyClient, ClientMechanism, Credentials, Proof, ServerFailure, ServerMechanism, ServerTurn,
};

const MALFORMED: ServerFailure = ServerFailure::Syntax(SyntaxErrorKind::SaslMessage);

/// What a server says to one message, owned.
#[derive(Debug, PartialEq, Eq)]
enum Turn {
    Challenge(Vec<u8>),
    /// Authentication identity, authorization identity, and what proves the former.
    Verify(Option<String>, Option<String>, String),
    Secret(String),
    Success,
}

impl From<ServerTurn<'_>> for Turn {
    fn from(turn: ServerTurn<'_>) -> Self {
        match turn {
            ServerTurn::Challenge(challenge) => Self::Challenge(challenge.into()),
            ServerTurn::Verify(credentials) => Self::Verify(
                credentials.authentication().map(String::from),
                credentials.authorization().map(String::from),
                match credentials.proof() {
                    Proof::Password(text) | Proof::Token(text) | Proof::Anonymous(text) => {
                        text.into()
                    }
                    other => format!("{other:?}"),
                },
            ),
            ServerTurn::Secret(name) => Self::Secret(name.into()),
            ServerTurn::Success => Self::Success,
        }
    }
}

fn verify(authentication: &str, authorization: &str, proof: &str) -> Turn {
    let given = |identity: &str| Some(String::from(identity)).filter(|given| !given.is_empty());
    Turn::Verify(given(authentication), given(authorization), proof.into())
}

fn say(server: &mut impl ServerMechanism, message: &[u8]) -> Result<Turn, ServerFailure> {
    server.respond(Some(&SaslData::new(message)), &mut [0; 4096]).map(Turn::from)
}

fn client(mechanism: SaslMechanism, credentials: &Credentials<'_>) -> Vec<u8> {
    let mut client = AnyClient::new(mechanism, credentials).unwrap();
    assert_eq!(client.name(), mechanism.into());
    let mut buffer = [0; 4096];
    let first = client.initial_response(&mut buffer).unwrap().unwrap().to_vec();
    // Asked once more it is the same, in a buffer that is as long as it must be.
    let mut exact = vec![0; first.len()];
    assert_eq!(client.initial_response(&mut exact).unwrap().unwrap(), first);
    if let Some(length) = first.len().checked_sub(1) {
        assert!(client.initial_response(&mut exact[..length]).is_err());
    }
    first
}

#[test]
fn debug_shows_no_secret() {
    let password = Credentials::password("anna", "secret").unwrap();
    let token = Credentials::token("anna", "secret").unwrap();
    let mut shown = vec![format!("{password:?} {token:?}")];
    for mechanism in SaslMechanism::ALL {
        for credentials in [&password, &token] {
            let Some(mut client) = AnyClient::new(*mechanism, credentials) else { continue };
            shown.push(format!(" {client:?}"));
            let mut buffer = [0; 256];
            let first = client.initial_response(&mut buffer).unwrap().unwrap_or_default();
            if let Some(mut server) = ehlo_sasl::AnyServer::new(*mechanism) {
                let mut room = [0; 256];
                let turn = server.respond(Some(&SaslData::new(first)), &mut room);
                shown.push(format!(" {turn:?}"));
                shown.push(format!(" {server:?}"));
            }
            shown.push(format!(" {client:?}"));
        }
    }
    let shown = shown.concat();
    assert!(shown.len() > 1000, "{shown}");
    assert!(!shown.contains("secret") && !shown.contains("115, 101"), "{shown}");
    assert!(shown.contains("anna"), "{shown}");
}

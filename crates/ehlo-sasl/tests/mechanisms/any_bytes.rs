//! Mechanisms and exchanges bear any bytes, in any order of calls.

use ehlo::syntax::sasl::{Response, SaslData, SaslMechanism};
use ehlo::{Code, Reply};
use ehlo_sasl::{
    AnyClient, AnyServer, ClientExchange, ClientStep, Credentials, ServerExchange, ServerStep,
    StoredSecret,
};
use proptest::prelude::*;

fn servers() -> Vec<AnyServer> {
    #[allow(unused_mut)] // features add to them
    let mut servers: Vec<_> =
        SaslMechanism::ALL.iter().copied().filter_map(AnyServer::new).collect();
    #[cfg(feature = "cram-md5")]
    servers.push(ehlo_sasl::CramMd5Server::new("<a@b>").unwrap().into());
    #[cfg(feature = "scram")]
    for mechanism in [SaslMechanism::ScramSha1, SaslMechanism::ScramSha256] {
        servers.push(ehlo_sasl::ScramServer::new(mechanism, None).unwrap().into());
    }
    servers
}

/// What may be done with a server, whether or not it is its turn.
#[derive(Clone, Debug)]
enum Call {
    Start(Option<Vec<u8>>),
    Receive(Vec<u8>),
    Cancel,
    Accept,
    AcceptAuthorization,
    Refuse,
    Secret(Option<String>),
}

fn message() -> impl Strategy<Value = Vec<u8>> {
    let whole = prop::sample::select(WHOLE);
    let changed = (whole.clone(), any::<prop::sample::Index>(), byte(), any::<bool>());
    prop_oneof![
        whole.prop_map(<[u8]>::to_vec),
        changed.prop_map(|(whole, place, byte, cut)| {
            let mut message = whole.to_vec();
            let place = place.index(message.len());
            message[place] = byte;
            if cut {
                message.truncate(place);
            }
            message
        }),
        prop::collection::vec(byte(), 0..20),
        prop::collection::vec(any::<u8>(), 0..600),
    ]
}

const WHOLE: &[&[u8]] = &[
    b"\0anna\0secret",
    b"bob\0anna\0secret",
    b"anna",
    b"user=anna\x01auth=Bearer t\x01\x01",
    b"n,a=anna,\x01auth=Bearer t\x01\x01",
    b"anna 00000000000000000000000000000000",
    b"n,,n=anna,r=x",
    b"y,a=b,n=anna,r=x",
    b"c=biws,r=x,p=AAAA",
];

fn byte() -> impl Strategy<Value = u8> {
    prop::sample::select(&b"\0\x01 ,=+/abcinprsuvy\xC3\xA9\xFF"[..])
}

fn call() -> impl Strategy<Value = Call> {
    prop_oneof![
        4 => prop::option::of(message()).prop_map(Call::Start),
        6 => message().prop_map(Call::Receive),
        1 => Just(Call::Cancel),
        2 => Just(Call::Accept),
        1 => Just(Call::AcceptAuthorization),
        1 => Just(Call::Refuse),
        2 => prop::option::of("[a-z]{0,3}").prop_map(Call::Secret),
    ]
}

proptest! {
    #[test]
    fn of_a_client(calls in prop::collection::vec(call(), 1..8), room in 0_usize..2000) {
        for server in servers() {
            let mut exchange = ServerExchange::new(server);
            let mut buffer = vec![0; room];
            let (mut verified, mut accepted) = (false, false);
            for call in &calls {
                let step = match call {
                    Call::Start(message) => {
                        let message = message.as_deref().map(SaslData::new);
                        exchange.start(message.as_ref(), &mut buffer)
                    }
                    Call::Receive(message) => {
                        exchange.receive(&Response::Data(SaslData::new(message)), &mut buffer)
                    }
                    Call::Cancel => exchange.receive(&Response::Cancel, &mut buffer),
                    Call::Accept => exchange.accept(&mut buffer),
                    Call::AcceptAuthorization => exchange.accept_authorization(&mut buffer),
                    Call::Refuse => exchange.refuse(&mut buffer),
                    Call::Secret(secret) => {
                        let secret = secret.as_deref().map(StoredSecret::Password);
                        exchange.secret(secret.as_ref(), &mut buffer)
                    }
                };
                accepted |= verified && matches!(call, Call::Accept | Call::AcceptAuthorization);
                verified = matches!(step, ServerStep::Verify(_));
                prop_assert_eq!(exchange.is_over(), matches!(step, ServerStep::Reply(_)));
                let ServerStep::Reply(reply) = step else { continue };
                let code = reply.code();
                prop_assert!([235, 454, 500, 501, 535].contains(&code.number()), "{code}");
                prop_assert_eq!(reply.lines().count(), 1);
                // Nobody enters whom the application has not let in.
                prop_assert!(code != Code::AUTHENTICATION_SUCCEEDED || accepted);
            }
        }
    }

    #[test]
    fn of_a_server(
        replies in prop::collection::vec((0_usize..6, message()), 1..6),
        room in 0_usize..600,
    ) {
        let password = Credentials::password("anna", "secret").unwrap();
        let token = Credentials::token("anna", "t").unwrap();
        for mechanism in SaslMechanism::ALL {
            for credentials in [password, token, Credentials::external()] {
                let Some(client) = AnyClient::new(*mechanism, &credentials) else { continue };
                let mut exchange = ClientExchange::new(client);
                let mut buffer = vec![0; room];
                if exchange.start(&mut buffer).is_err() {
                    continue;
                }
                for (code, message) in &replies {
                    let code = Code::new([235, 334, 334, 535, 454, 250][*code]).unwrap();
                    let text = String::from_utf8_lossy(message);
                    let base64 = written(message);
                    for text in [&*text, &*base64] {
                        let step = exchange.receive(&Reply::new(code, text), &mut buffer);
                        let done = matches!(step, ClientStep::Done(_));
                        prop_assert_eq!(exchange.is_over(), done);
                        if step == ClientStep::Done(Ok(())) {
                            prop_assert_eq!(code, Code::AUTHENTICATION_SUCCEEDED);
                        }
                    }
                }
            }
        }
    }
}

fn written(bytes: &[u8]) -> String {
    use ehlo::Encode as _;
    let data = SaslData::new(bytes);
    let mut out = vec![0; data.encoded_len()];
    data.encode(&mut out).unwrap();
    String::from_utf8(out).unwrap()
}

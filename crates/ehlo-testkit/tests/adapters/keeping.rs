//! Sessions that are kept, inside TLS.

use std::thread;

use ehlo::delivery::{Fate, UnusableSession};
use ehlo::server::Event;
use ehlo::syntax::capability::Capabilities;
use ehlo::syntax::sasl::{Mechanisms, SaslMechanism};
use ehlo::{Delivery, DeliveryConfig, Extension, HeloName, Server, ServerConfig};
use ehlo_blocking::Connector;
use ehlo_io::{EndReason, FailureCause};
use ehlo_sasl::Credentials;

use crate::carry::{Adapter, Wire};
use crate::delivering::serve;
use crate::tls;
use crate::wires::{Kind, wires};

/// One greeting, one handshake and one AUTH serve envelopes that are made on the way.
pub fn a_kept_session_is_inside_tls<A: Adapter>(kind: Kind) {
    let (client, server) = wires(kind);
    let serving = thread::spawn(move || serve::<A>(server, config()));
    let addresses: Vec<_> = (0..3).map(|number| format!("b{number}@x.example")).collect();
    let content = b"Subject: x\r\n\r\nHello!\r\n";
    let adapter = A::default();
    let reports =
        adapter.keep(begun(&adapter, client), Some(password()), tls::client(), &addresses, content);
    let reports = reports.expect("a session");
    assert!(reports.iter().map(|report| &report.address).eq(&addresses));
    assert!(reports.iter().all(|report| report.fate == Fate::Accepted && report.text.is_some()));
    let application = serving.join().expect("a server");
    assert_eq!(application.user.as_deref(), Some("user"));
    assert_eq!(application.messages.len(), 3);
}

/// A certificate of another name opens no session, and the failure names that cause.
pub fn a_session_says_why_its_handshake_failed<A: Adapter>(kind: Kind) {
    let (client, server) = wires(kind);
    let serving = thread::spawn(move || {
        let adapter = A::default();
        let mut connection = adapter.connection(adapter.stream(server), Server::new(config()));
        let mut begins = false;
        while !begins {
            let next = adapter.next(&mut connection, |next| {
                begins = next.event == Event::StartTls;
                if !begins {
                    next.responder.standard_reply("mx.example").ok();
                }
            });
            next.expect("a stream that holds");
        }
        adapter.accept_tls(&mut connection, tls::server()).expect_err("nobody trusts it");
    });
    let name = "other.example".try_into().expect("a name");
    let other = Connector::with_config(tls::client().config().clone(), name);
    let adapter = A::default();
    let kept = adapter.keep(begun(&adapter, client), Some(password()), &other, &[], b"");
    let failure = kept.expect_err("another name");
    let unusable = EndReason::Unusable(UnusableSession::TlsFailed);
    assert!(matches!(failure.cause, FailureCause::Ended(reason) if reason == unusable));
    let error = failure.error.as_deref().expect("the error of the handshake");
    assert!(error.contains("certificate"), "{error}");
    assert!(failure.to_string().contains(error), "{failure}");
    serving.join().expect("a server");
}

/// Offers AUTH inside TLS, and takes nothing outside it.
fn config() -> ServerConfig {
    let offered = [Extension::Pipelining, Extension::Chunking, Extension::StartTls];
    let offered = offered.into_iter().fold(Capabilities::NONE, Capabilities::with);
    let offered = offered.with_mechanisms(Mechanisms::NONE.with(SaslMechanism::Plain));
    ServerConfig { offered, require_tls: true, ..ServerConfig::DEFAULT }
}

fn password() -> Credentials<'static> {
    Credentials::password("user", "secret").expect("credentials")
}

fn begun<A: Adapter>(adapter: &A, wire: Wire) -> A::Connection<Delivery<'static>> {
    let name = HeloName::new("client.example").expect("a name");
    adapter.connection(adapter.stream(wire), Delivery::new(name, DeliveryConfig::DEFAULT))
}

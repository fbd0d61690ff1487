//! What is told of TLS and of certificates.

use std::sync::Arc;

use rcgen::{CertificateParams, KeyPair, date_time_ymd};
use rustls::ServerConfig;
use rustls::crypto::ring;
use rustls::pki_types::PrivateKeyDer;

use crate::server::Script;
use crate::{Told, dns, probe, told};

const OFFER: &str = "250-mx.test\r\n250-STARTTLS\r\n250-PIPELINING\r\n250 SIZE 1000\r\n";
const INSIDE: &str = "250-mx.test\r\n250-SIZE 2000\r\n250-PIPELINING\r\n250 AUTH PLAIN\r\n";

/// A server that has TLS, with a certificate for these names and years, issued by itself.
fn server(names: &[&str], years: (i32, i32)) -> Script {
    let names: Vec<_> = names.iter().map(|name| (*name).to_owned()).collect();
    let mut certificate = CertificateParams::new(names).expect("they are names");
    certificate.not_before = date_time_ymd(years.0, 1, 1);
    certificate.not_after = date_time_ymd(years.1, 1, 1);
    let key = KeyPair::generate().expect("there is chance");
    let certificate = certificate.self_signed(&key).expect("the key is its own");
    let key = PrivateKeyDer::try_from(key.serialize_der()).expect("it is a key");
    let config = ServerConfig::builder_with_provider(Arc::new(ring::default_provider()));
    let config = config.with_safe_default_protocol_versions().expect("there are versions");
    let config =
        config.with_no_client_auth().with_single_cert(vec![certificate.der().clone()], key);
    let tls = Some(Arc::new(config.expect("the key fits")));
    let script = Script { tls, ehlo_in_tls: INSIDE, ..Script::sound() };
    script.with("EHLO", OFFER).with("STARTTLS", "220 go\r\n")
}

#[test]
fn what_appears_and_vanishes_is_marked() {
    let (dns, server) =
        (dns::Server::start(), server(&["mx.test", "127.0.0.1"], (2020, 2200)).start());
    let output = probe(&server, &dns, &[]);
    assert_eq!(output.status.code(), Some(0));
    let text = String::from_utf8_lossy(&output.stdout);
    let (_, inside) = text.split_once("inside TLS\n").expect("there is EHLO again");
    let marks: Vec<_> = inside.lines().take(5).filter_map(|line| line.get(..6)).collect();
    assert_eq!(marks, ["  250 ", "~ SIZE", "  PIPE", "+ AUTH", "- STAR"], "{text}");
    for line in [
        "\n  for the names   mx.test, 127.0.0.1\n",
        "\n  valid from      Wed, 01 Jan 2020 00:00:00 +0000\n",
        "\n  valid until     Wed, 01 Jan 2200 00:00:00 +0000\n",
    ] {
        assert!(text.contains(line), "{line} is not in {text}");
    }
    assert!(text.contains("\n  TLS 1.3, TLS_"), "{text}");
}

#[test]
fn certificates_are_judged() {
    let dns = dns::Server::start();
    let by_name = |script: Script| -> Told {
        let server = script.start();
        let port = server.rsplit(':').next().expect("there is a port").to_owned();
        told(&format!("mx.test:{port}"), &dns, &[])
    };
    let sound = by_name(server(&["mx.test"], (2020, 2200)));
    assert_eq!((sound.wrong().len(), sound.code), (0, Some(0)));
    assert!(sound.findings("notice")[0].starts_with("The certificate is issued by itself"));

    let other = by_name(server(&["other.test"], (2020, 2200)));
    assert_eq!(other.wrong(), ["The certificate is not for mx.test."]);
    let expired = by_name(server(&["mx.test"], (2001, 2002)));
    let wrong = expired.wrong();
    assert!(wrong.len() == 1 && wrong[0].starts_with("The certificate expired "), "{wrong:?}");
    let early = by_name(server(&["mx.test"], (2150, 2200)));
    let wrong = early.wrong();
    assert!(wrong.len() == 1 && wrong[0].starts_with("The certificate is valid only in "));
    assert_eq!(early.json["tls"]["certificate"]["names"], serde_json::json!(["mx.test"]));
}

#[test]
fn an_address_needs_no_certificate_of_its_own() {
    let dns = dns::Server::start();
    // By its address, a server is who it says it is.
    let told_of_name = told(&server(&["mx.test"], (2020, 2200)).start(), &dns, &[]);
    assert_eq!(told_of_name.findings("notice").len(), 1, "{}", told_of_name.json);
    let told_of_other = told(&server(&["other.test"], (2020, 2200)).start(), &dns, &[]);
    assert!(told_of_other.findings("notice").contains(&"The certificate is not for mx.test."));
    assert_eq!(told_of_other.code, Some(0));
}

#[test]
fn tls_that_is_missing_or_broken_is_found() {
    let dns = dns::Server::start();
    let none = Script::sound().start();
    for (mode, code) in [("off", 0), ("opportunistic", 0), ("require", 1)] {
        let told = told(&none, &dns, &["--tls", mode]);
        assert_eq!(told.code, Some(code), "{mode}");
        let mentioned = told.json["findings"].to_string().contains("STARTTLS is not offered");
        assert_eq!(mentioned, mode != "off");
    }
    let refused = Script::sound().with("EHLO", OFFER).with("STARTTLS", "454 4.7.0 later\r\n");
    let told_of_refused = told(&refused.start(), &dns, &[]);
    assert_eq!(told_of_refused.wrong(), ["STARTTLS is offered, and refused: 454 4.7.0 later"]);

    // Plaintext behind the 220 would be taken for the answer to EHLO inside TLS.
    let injected = server(&["mx.test"], (2020, 2200));
    let mut injected = Script { replies: vec![], ..injected }.with("EHLO", OFFER);
    injected = injected.with("STARTTLS", "220 go\r\n250-mx.test\r\n250 AUTH PLAIN\r\n");
    let told_of_injected = told(&injected.start(), &dns, &[]);
    let wrong = told_of_injected.wrong();
    assert!(
        wrong.len() == 1 && wrong[0].starts_with("STARTTLS is offered, and TLS fails"),
        "{wrong:?}"
    );
    assert_eq!(told_of_injected.json["ehlo_in_tls"], serde_json::Value::Null);

    let twice = Script { ehlo_in_tls: OFFER, ..server(&["mx.test"], (2020, 2200)) };
    assert_eq!(told(&twice.start(), &dns, &[]).wrong(), ["STARTTLS is offered inside TLS."]);
}

#[test]
fn a_server_in_clear_is_no_server_for_implicit_tls() {
    let (dns, server) = (dns::Server::start(), Script::sound().start());
    let output = probe(&server, &dns, &["--tls", "implicit"]);
    let error = String::from_utf8_lossy(&output.stderr);
    assert!(error.starts_with(&format!("probe: TLS with {server}: ")), "{error}");
    assert_eq!((error.lines().count(), output.status.code()), (1, Some(2)));
}

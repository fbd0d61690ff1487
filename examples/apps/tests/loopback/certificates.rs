//! Certificates that `send` must not trust, and one that it may.

use std::ffi::OsStr;
use std::fs;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU32, Ordering};

use rcgen::{BasicConstraints, CertificateParams, IsCa, Issuer, KeyPair, date_time_ymd};

use crate::process::{Receive, text};

/// An authority of one's own.
struct Authority(Issuer<'static, KeyPair>, String);

impl Authority {
    fn new() -> Self {
        let mut own = CertificateParams::new(Vec::new()).expect("no names");
        own.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        let key = KeyPair::generate().expect("there is chance");
        let text = own.self_signed(&key).expect("the key is its own").pem();
        Self(Issuer::new(own, key), text)
    }

    /// A server with a certificate for this name, until this year; the file of the authority's.
    fn server(&self, name: &str, until: i32) -> (Receive, PathBuf) {
        let mut certificate = CertificateParams::new([name.to_owned()]).expect("a name");
        certificate.not_before = date_time_ymd(2001, 1, 1);
        certificate.not_after = date_time_ymd(until, 1, 1);
        let key = KeyPair::generate().expect("there is chance");
        let certificate = certificate.signed_by(&key, &self.0).expect("the authority signs");
        let files = Files::new();
        let (chain, secret) = (files.path("chain.pem"), files.path("key.pem"));
        fs::write(&chain, certificate.pem()).expect("the directory is there");
        fs::write(&secret, key.serialize_pem()).expect("the directory is there");
        let (chain, secret) = (chain.to_str().expect("UTF-8"), secret.to_str().expect("UTF-8"));
        let receive = Receive::start(&["--cert", chain, "--key", secret]);
        let authority = receive.file("authority.pem", self.1.as_bytes());
        (receive, authority)
    }
}

/// Files that go when the server has read them.
struct Files(PathBuf);

impl Files {
    fn new() -> Self {
        static COUNT: AtomicU32 = AtomicU32::new(0);
        let count = COUNT.fetch_add(1, Ordering::Relaxed);
        let name = format!("ehlo-certificates-{}-{count}", std::process::id());
        let dir = std::env::temp_dir().join(name);
        fs::create_dir_all(&dir).expect("there is room");
        Self(dir)
    }

    fn path(&self, name: &str) -> PathBuf {
        self.0.join(name)
    }
}

impl Drop for Files {
    fn drop(&mut self) {
        let _ = fs::remove_dir_all(&self.0);
    }
}

fn send(receive: &Receive, authority: Option<&Path>, runtime: &str) -> (Option<i32>, String) {
    let mut arguments = vec!["--tls", "require", "--runtime", runtime];
    if let Some(authority) = authority {
        arguments.extend(["--ca", authority.to_str().expect("UTF-8")]);
    }
    let output = receive.send(&arguments, OsStr::new("-"), b"secret\r\n");
    (output.status.code(), text(&output))
}

/// A name that is another's, a certificate that has expired, and one of an issuer that nobody knows.
#[test]
fn v42_certificates_that_are_wrong() {
    let authority = Authority::new();
    for runtime in ["blocking", "tokio", "async-std"] {
        let (sound, its_authority) = authority.server("127.0.0.1", 2200);
        let (code, told) = send(&sound, Some(&its_authority), runtime);
        assert_eq!((code, told.starts_with("accepted ")), (Some(0), true), "{told}");

        let (misnamed, _) = authority.server("mx.test", 2200);
        let (expired, _) = authority.server("127.0.0.1", 2002);
        let (stranger, _) = Authority::new().server("127.0.0.1", 2200);
        let alone = Receive::start(&["--tls"]);
        for (server, authority) in [
            (&misnamed, Some(&its_authority)),
            (&expired, Some(&its_authority)),
            (&stranger, Some(&its_authority)),
            (&alone, Some(&its_authority)),
            (&sound, None),
            (&alone, None),
        ] {
            server.clear();
            let (code, told) = send(server, authority.map(PathBuf::as_path), runtime);
            assert_eq!((code, told.starts_with("deferred ")), (Some(2), true), "{told}");
            assert!(server.messages().is_empty());
        }
    }
}

//! Certificates that are trusted as they are.

use std::ffi::OsStr;
use std::fs;
use std::path::Path;

use rcgen::{BasicConstraints, CertificateParams, IsCa, KeyPair};

use crate::process::{Receive, text};

/// A self-signed certificate for 127.0.0.1, that of an authority or not, and its key: the names of their
/// files.
fn certificate(name: &str, is_authority: bool, host: &str) -> [String; 2] {
    let mut params = CertificateParams::new([host.to_owned()]).expect("a name");
    if is_authority {
        params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
    }
    let key = KeyPair::generate().expect("a key");
    let certificate = params.self_signed(&key).expect("a certificate");
    let folder = Path::new(env!("CARGO_TARGET_TMPDIR"));
    let files = ["cert", "key"].map(|part| folder.join(format!("send-{name}-{part}.pem")));
    fs::write(&files[0], certificate.pem()).expect("a file");
    fs::write(&files[1], key.serialize_pem()).expect("a file");
    files.map(|file| file.to_str().expect("text").to_owned())
}

fn fingerprint(file: &str) -> String {
    use rustls::pki_types::CertificateDer;
    use rustls::pki_types::pem::PemObject as _;
    use sha2::{Digest as _, Sha256};

    let der = CertificateDer::from_pem_file(file).expect("a certificate");
    let digits: Vec<_> = Sha256::digest(der).iter().map(|byte| format!("{byte:02X}")).collect();
    digits.join(":")
}

#[test]
fn a_self_signed_certificate_is_trusted_by_its_file_and_by_its_fingerprint() {
    for is_authority in [true, false] {
        let [cert, key] = certificate(&format!("own-{is_authority}"), is_authority, "127.0.0.1");
        let [other, _] = certificate(&format!("other-{is_authority}"), is_authority, "127.0.0.1");
        let receive = Receive::start(&["--cert", &cert, "--key", &key]);
        for runtime in ["blocking", "tokio", "async-std"] {
            for (flags, is_trusted) in [
                (["--ca", &cert], true),
                (["--ca", &other], false),
                (["--pin", &fingerprint(&cert)], true),
                (["--pin", &fingerprint(&other)], false),
            ] {
                let flags = [&flags[..], &["--tls", "require", "--runtime", runtime]].concat();
                let output = receive.send(&flags, OsStr::new("-"), b"Subject: x\n");
                let word = if is_trusted { "accepted" } else { "deferred" };
                assert!(text(&output).starts_with(word), "{flags:?}: {output:?}");
                if !is_trusted {
                    let error = String::from_utf8_lossy(&output.stderr);
                    assert!(error.contains("the server's certificate is "), "{error}");
                }
            }
        }
    }
}

#[test]
fn a_certificate_for_another_name_is_trusted_by_its_fingerprint_alone() {
    let [cert, key] = certificate("name", false, "other.example");
    let receive = Receive::start(&["--cert", &cert, "--key", &key]);
    for (flags, word) in
        [(["--ca", &cert], "deferred"), (["--pin", &fingerprint(&cert)], "accepted")]
    {
        let flags = [&flags[..], &["--tls", "require"]].concat();
        let output = receive.send(&flags, OsStr::new("-"), b"Subject: x\n");
        assert!(text(&output).starts_with(word), "{flags:?}: {output:?}");
    }
}

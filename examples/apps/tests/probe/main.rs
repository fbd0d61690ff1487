//! `probe` against servers that say what a test wants, as a process that talks over loopback.

mod dns;
mod guide;
mod names;
mod server;
mod telling;
mod tls;

use std::path::PathBuf;
use std::process::{Command, Output};

use serde_json::Value;

/// What `probe` told with `--json`.
struct Told {
    code: Option<i32>,
    json: Value,
}

impl Told {
    /// The texts of the findings of a level.
    fn findings(&self, level: &str) -> Vec<&str> {
        let findings = self.json["findings"].as_array().expect("there is a list");
        let of_level = findings.iter().filter(|finding| finding["level"] == level);
        of_level.map(|finding| finding["text"].as_str().expect("it is text")).collect()
    }

    fn wrong(&self) -> Vec<&str> {
        self.findings("wrong")
    }
}

/// Runs `probe` with a DNS server of the test and `--helo`, `--ip` that are right there.
fn probe(server: &str, dns: &dns::Server, arguments: &[&str]) -> Output {
    let own = if arguments.contains(&"--helo") {
        &[][..]
    } else {
        &["--helo", "client.test", "--ip", "192.0.2.10"]
    };
    Command::new(example("probe"))
        .arg(server)
        .args(["--dns", &dns.address, "--timeout", "20"])
        .args(own)
        .args(arguments)
        .env_remove("NO_COLOR")
        .env_remove("CLICOLOR_FORCE")
        .output()
        .expect("probe starts")
}

fn told(server: &str, dns: &dns::Server, arguments: &[&str]) -> Told {
    let output = probe(server, dns, &[arguments, &["--json"]].concat());
    let error = String::from_utf8_lossy(&output.stderr);
    assert_eq!(error, "", "probe complains");
    let json: Value = serde_json::from_slice(&output.stdout).expect("it is JSON");
    let code = output.status.code();
    assert_eq!(json["sound"], Value::Bool(code == Some(0)), "{json}");
    Told { code, json }
}

/// `cargo test` builds the examples beside the directory that the tests are in.
fn example(name: &str) -> PathBuf {
    let test = std::env::current_exe().expect("a test knows where it is");
    let target = test.ancestors().nth(2).expect("it is in target/PROFILE/deps");
    let path = target.join("examples").join(name).with_extension(std::env::consts::EXE_EXTENSION);
    assert!(path.exists(), "{} is missing: cargo build --examples", path.display());
    path
}

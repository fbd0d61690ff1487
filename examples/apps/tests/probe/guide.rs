//! The commands of `docs/helo.md`, with what they print there.
//!
//! The blocks that are marked `console` are run in their order: what begins with `$ ` is a command,
//! the lines behind it are what it prints, and `...` stands for any number of lines. The examples are
//! run as they were built for the test. The ports of the guide are replaced by free ones, and the DNS
//! server of the guide by one of the test that has the same records, unless `EHLO_DNSMASQ` is set:
//! then dnsmasq itself is run.

use std::io::{BufRead as _, BufReader};
use std::net::{Ipv4Addr, TcpListener, TcpStream};
use std::path::Path;
use std::process::{Child, Command, Stdio};

use crate::dns::{A, Answer, PTR, Server};
use crate::example;

#[test]
fn the_guide_tells_what_its_commands_print() {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../docs/helo.md");
    let guide = std::fs::read_to_string(path).expect("the guide");
    let mut terminal = Terminal::default();
    let mut count = 0;
    for (command, expected) in commands(&guide) {
        let printed = terminal.run(&command);
        assert!(is_alike(&expected, &printed), "$ {command}\nprints:\n{}", printed.join("\n"));
        count += 1;
    }
    assert!(count >= 10, "{count} commands");
}

/// Negative control: what is not printed is missed.
#[test]
fn lines_are_compared() {
    let printed = ["a", "b", "c"].map(str::to_owned);
    for (expected, is_so) in [
        (&["a", "b", "c"][..], true),
        (&["...", "b", "..."], true),
        (&["...", "c"], true),
        (&["..."], true),
        (&["a", "...", "c"], true),
        (&["a", "...", "b", "c", "..."], true),
        (&["a", "b"], false),
        (&["...", "b"], false),
        (&["b", "..."], false),
        (&["...", "c", "b", "..."], false),
        (&[], false),
    ] {
        let expected: Vec<String> = expected.iter().map(ToString::to_string).collect();
        assert_eq!(is_alike(&expected, &printed), is_so, "{expected:?}");
    }
}

/// What the guide's terminals do.
#[derive(Default)]
struct Terminal {
    dns: Option<Dns>,
    receive: Option<Receive>,
    status: Option<i32>,
}

/// The DNS server of the guide: its address, and what runs it.
enum Dns {
    InTest(Server),
    Dnsmasq(String, Child),
}

/// A running `receive`.
struct Receive {
    child: Child,
    address: String,
}

impl Terminal {
    /// Runs a command, in the background if it does not end by itself, and tells what it printed.
    fn run(&mut self, command: &str) -> Vec<String> {
        if command == "echo $?" {
            return vec![self.status.expect("a command ended before").to_string()];
        }
        if let Some(options) = command.strip_prefix("dnsmasq ") {
            let is_real = std::env::var_os("EHLO_DNSMASQ").is_some();
            self.dns = Some(if is_real { dnsmasq(options) } else { Dns::InTest(zone(options)) });
            return Vec::new();
        }
        let command = command.strip_prefix("cargo run --release --example ").expect("an example");
        let (name, arguments) = command.split_once(" -- ").unwrap_or((command, ""));
        let mut process = Command::new(example(name));
        process.env_remove("CLICOLOR_FORCE").env("NO_COLOR", "1");
        process.args(arguments.split_whitespace().map(|argument| self.real(argument)));
        if name == "receive" {
            let mut child = process.stdout(Stdio::piped()).spawn().expect("receive starts");
            let mut line = String::new();
            let stdout = child.stdout.take().expect("it is piped");
            BufReader::new(stdout).read_line(&mut line).expect("it says where it listens");
            let address = line.trim().strip_prefix("listening on ").expect("so it does").to_owned();
            self.receive = Some(Receive { child, address });
            return vec![line.trim_end().replace(self.receive_address(), SERVER)];
        }
        let output = process.output().expect("an example starts");
        assert_eq!(String::from_utf8_lossy(&output.stderr), "", "{command} complains");
        self.status = output.status.code();
        String::from_utf8_lossy(&output.stdout).lines().map(str::to_owned).collect()
    }

    /// An argument of the guide with the addresses that there are here.
    fn real(&self, argument: &str) -> String {
        match argument {
            SERVER if self.receive.is_none() => "127.0.0.1:0".to_owned(),
            SERVER => self.receive_address().to_owned(),
            DNS => match self.dns.as_ref().expect("a DNS server was started") {
                Dns::InTest(server) => server.address.clone(),
                Dns::Dnsmasq(address, _) => address.clone(),
            },
            argument => argument.to_owned(),
        }
    }

    fn receive_address(&self) -> &str {
        &self.receive.as_ref().expect("a server was started").address
    }
}

impl Drop for Receive {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

impl Drop for Dns {
    fn drop(&mut self) {
        if let Self::Dnsmasq(_, child) = self {
            let _ = child.kill();
            let _ = child.wait();
        }
    }
}

/// dnsmasq with these options, but for the port.
fn dnsmasq(options: &str) -> Dns {
    let free = TcpListener::bind("127.0.0.1:0").and_then(|listener| listener.local_addr());
    let address = free.expect("loopback is there").to_string();
    let (_, port) = address.rsplit_once(':').expect("an address has a port");
    let (_, guides) = DNS.rsplit_once(':').expect("so has the guide's");
    let options = options.replace(&format!("--port={guides}"), &format!("--port={port}"));
    let child = Command::new("dnsmasq").args(options.split_whitespace()).spawn();
    let dns = Dns::Dnsmasq(address.clone(), child.expect("dnsmasq starts"));
    for _ in 0..1000 {
        if TcpStream::connect(&address).is_ok() {
            return dns;
        }
        std::thread::sleep(std::time::Duration::from_millis(10));
    }
    panic!("dnsmasq does not listen at {address}");
}

/// A DNS server with the records of these options of dnsmasq: names of hosts, addresses of names,
/// and names of addresses.
fn zone(options: &str) -> Server {
    let mut hosts: Vec<(String, Ipv4Addr)> = Vec::new();
    let mut pointers: Vec<(String, String)> = Vec::new();
    for option in options.split_whitespace() {
        let (option, value) = option.split_once('=').unwrap_or((option, ""));
        let parts: Vec<&str> = value.split(['/', ',']).filter(|part| !part.is_empty()).collect();
        match (option, parts.as_slice()) {
            ("--host-record", [name, address]) => {
                let address: Ipv4Addr = address.parse().expect("an address");
                let [a, b, c, d] = address.octets();
                hosts.push(((*name).to_owned(), address));
                pointers.push((format!("{d}.{c}.{b}.{a}.in-addr.arpa"), (*name).to_owned()));
            }
            ("--address", [name, address]) => {
                hosts.push(((*name).to_owned(), address.parse().expect("an address")));
            }
            ("--ptr-record", [address, name]) => {
                pointers.push(((*address).to_owned(), (*name).to_owned()));
            }
            ("--port", [port]) => assert!(DNS.ends_with(port)),
            (option, _) => assert!(OTHER_OPTIONS.contains(&option), "{option} is not known here"),
        }
    }
    assert!(hosts.len() > 3 && pointers.len() > 2);
    Server::serve(move |name, kind| {
        let host = hosts.iter().find(|(host, _)| kind == A && host == name);
        let pointers = pointers.iter().filter(|(address, _)| kind == PTR && address == name);
        let names: Vec<String> = pointers.map(|(_, name)| name.clone()).collect();
        match host {
            Some((_, address)) => Answer::Address(*address),
            None if names.is_empty() => Answer::Nothing,
            None => Answer::Names(names),
        }
    })
}

/// The commands of the blocks marked `console`, each with the lines behind it.
fn commands(guide: &str) -> Vec<(String, Vec<String>)> {
    let mut commands: Vec<(String, Vec<String>)> = Vec::new();
    let mut is_console = false;
    let mut lines = guide.lines();
    while let Some(line) = lines.next() {
        if line.starts_with("```") {
            is_console = line == "```console";
        } else if let Some(command) = line.strip_prefix("$ ").filter(|_| is_console) {
            let mut command = command.to_owned();
            while let Some(start) = command.strip_suffix('\\') {
                let rest = lines.next().expect("the line goes on").trim_start();
                command = format!("{start}{rest}");
            }
            commands.push((command, Vec::new()));
        } else if is_console {
            commands.last_mut().expect("a command comes first").1.push(line.to_owned());
        }
    }
    commands
}

/// Whether these lines were printed, where `...` stands for any number of lines.
fn is_alike(expected: &[String], printed: &[String]) -> bool {
    match expected.split_first() {
        None => printed.is_empty(),
        Some((line, rest)) if line == "..." => {
            (0..=printed.len()).any(|skipped| is_alike(rest, &printed[skipped..]))
        }
        Some((line, rest)) => match printed.split_first() {
            Some((first, others)) => first == line && is_alike(rest, others),
            None => false,
        },
    }
}

/// Where the servers of the guide listen.
const SERVER: &str = "127.0.0.1:2525";
const DNS: &str = "127.0.0.1:5353";

/// Options that say where dnsmasq has its records from, and not what they are.
const OTHER_OPTIONS: [&str; 7] = [
    "--keep-in-foreground",
    "--conf-file",
    "--listen-address",
    "--bind-interfaces",
    "--no-resolv",
    "--no-hosts",
    "--local",
];

//! A server that answers by a list.

use std::io::{BufRead as _, BufReader, Write as _};
use std::net::{Ipv4Addr, TcpListener, TcpStream};
use std::sync::{Arc, Mutex};
use std::thread;

/// What it says to a line that begins so: a command, a dot for the end of content, or nothing for the
/// greeting. After a text that ends with `!` it closes; what is not in the list is answered 250, and
/// DATA 354.
pub(crate) type Script = &'static [(&'static str, &'static str)];

/// A server of one connection after the other, each by its script; the last is for those that follow.
pub(crate) struct Server {
    pub(crate) address: String,
    heard: Arc<Mutex<Vec<String>>>,
}

impl Server {
    pub(crate) fn start(scripts: &'static [Script]) -> Self {
        Self::start_at(Ipv4Addr::LOCALHOST, 0, scripts)
    }

    /// The same at this address; the port 0 is one that is free.
    pub(crate) fn start_at(address: Ipv4Addr, port: u16, scripts: &'static [Script]) -> Self {
        let listener = TcpListener::bind((address, port)).expect("a port");
        let address = listener.local_addr().expect("an address").to_string();
        let heard = Arc::<Mutex<Vec<String>>>::default();
        let lines = Arc::clone(&heard);
        thread::spawn(move || {
            for (number, stream) in listener.incoming().enumerate() {
                lines.lock().expect("not poisoned").push(String::new());
                let script = scripts[number.min(scripts.len() - 1)];
                // It ends when the client is gone.
                let _ = stream.and_then(|stream| answer(stream, script, &lines));
            }
        });
        Self { address, heard }
    }

    pub(crate) fn port(&self) -> u16 {
        let (_, port) = self.address.rsplit_once(':').expect("an address and a port");
        port.parse().expect("a port")
    }

    /// What the client said on each connection.
    pub(crate) fn heard(&self) -> Vec<String> {
        self.heard.lock().expect("not poisoned").clone()
    }
}

fn answer(stream: TcpStream, script: Script, heard: &Mutex<Vec<String>>) -> std::io::Result<()> {
    let mut lines = BufReader::new(stream);
    let mut is_content = false;
    let mut line = String::new();
    loop {
        let found = script.iter().find(|(start, _)| match *start {
            "" => line.is_empty(),
            start => line.starts_with(start),
        });
        let reply = match found {
            Some((_, reply)) => *reply,
            None if line.is_empty() => "220 mx.test ESMTP",
            None if line.starts_with("DATA") => "354 go",
            None if line.starts_with("QUIT") => "221 bye!",
            None => "250 ok",
        };
        is_content |= reply.starts_with("354");
        let text = reply.trim_end_matches('!');
        if !text.is_empty() {
            lines.get_mut().write_all(format!("{text}\r\n").as_bytes())?;
        }
        if reply.ends_with('!') {
            return Ok(());
        }
        loop {
            line.clear();
            if lines.read_line(&mut line)? == 0 {
                return Ok(());
            }
            if let Some(last) = heard.lock().expect("not poisoned").last_mut() {
                last.push_str(&line);
            }
            if !is_content || line == ".\r\n" {
                is_content = false;
                break;
            }
        }
    }
}

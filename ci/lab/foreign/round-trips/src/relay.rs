//! A relay that counts how often the client speaks after it has been answered.

use std::io::{self, Read, Write};
use std::net::{Shutdown, SocketAddr, TcpListener, TcpStream};
use std::sync::mpsc::{self, RecvTimeoutError, Sender};
use std::thread;
use std::time::Duration;

/// Carries the next connection to `listener` on to `server`, to its end; how often the client had
/// something to say after it had heard something.
pub fn relay(listener: &TcpListener, server: SocketAddr) -> io::Result<u32> {
    let (client, _) = listener.accept()?;
    let server = TcpStream::connect(server)?;
    client.set_nodelay(true)?;
    server.set_nodelay(true)?;
    let (sender, heard) = mpsc::channel();
    listen(client.try_clone()?, Side::Client, sender.clone());
    listen(server.try_clone()?, Side::Server, sender);

    let mut from_client = Waiting::default();
    let mut from_server = Waiting::default();
    let mut turns = 0;
    let mut speaks = Side::Server;
    loop {
        match heard.recv_timeout(SILENCE) {
            Ok((Side::Client, bytes)) => from_client.hear(&bytes),
            Ok((Side::Server, bytes)) => from_server.hear(&bytes),
            Err(RecvTimeoutError::Timeout | RecvTimeoutError::Disconnected) => {
                if !from_client.bytes.is_empty() {
                    turns += u32::from(speaks == Side::Server);
                    speaks = Side::Client;
                    from_client.pass_on(&server)?;
                } else if !from_server.bytes.is_empty() {
                    speaks = Side::Server;
                    from_server.pass_on(&client)?;
                } else if from_client.has_ended && from_server.has_ended {
                    return Ok(turns);
                }
                from_client.end(&server);
                from_server.end(&client);
            }
        }
    }
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Side {
    Client,
    Server,
}

/// What one side has said and the other has not heard.
#[derive(Default)]
struct Waiting {
    bytes: Vec<u8>,
    has_ended: bool,
}

impl Waiting {
    fn hear(&mut self, bytes: &[u8]) {
        self.has_ended |= bytes.is_empty();
        self.bytes.extend_from_slice(bytes);
    }

    fn pass_on(&mut self, mut to: &TcpStream) -> io::Result<()> {
        match to.write_all(&self.bytes) {
            // Who has hung up hears nothing.
            Err(error) if error.kind() == io::ErrorKind::BrokenPipe => {}
            result => result?,
        }
        self.bytes.clear();
        Ok(())
    }

    fn end(&self, to: &TcpStream) {
        if self.has_ended && self.bytes.is_empty() {
            // It may be closed already.
            let _ = to.shutdown(Shutdown::Write);
        }
    }
}

/// Hands on what `stream` brings, and nothing once at its end.
fn listen(mut stream: TcpStream, side: Side, heard: Sender<(Side, Vec<u8>)>) {
    thread::spawn(move || {
        let mut buffer = [0; 16 * 1024];
        loop {
            // A connection that breaks has ended, too.
            let length = stream.read(&mut buffer).unwrap_or(0);
            if heard.send((side, buffer[..length].to_vec())).is_err() || length == 0 {
                return;
            }
        }
    });
}

/// After so long without a word a side waits for the other.
const SILENCE: Duration = Duration::from_millis(150);

//! The server: it takes every message.

use std::io;
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::sync::{Arc, Mutex};
use std::thread;

use ehlo::server::Event;
use ehlo::{Extension, Server, ServerConfig};
use ehlo_blocking::Connection;
use ehlo_testkit::application::{Application, Message};

use crate::Failure;

/// The messages that have come.
pub type Taken = Arc<Mutex<Vec<Message>>>;

/// What it offers: all that lets a client save round trips.
pub const CONFIG: ServerConfig = ServerConfig {
    offered: ServerConfig::DEFAULT.offered.with(Extension::Chunking),
    ..ServerConfig::DEFAULT
};

/// A server on a port of its own, for as long as the program runs.
pub fn start(taken: &Taken) -> io::Result<SocketAddr> {
    let listener = TcpListener::bind("127.0.0.1:0")?;
    let address = listener.local_addr()?;
    let taken = Arc::clone(taken);
    thread::spawn(move || {
        for stream in listener.incoming().flatten() {
            let taken = Arc::clone(&taken);
            thread::spawn(move || {
                if let Err(error) = serve(stream, &taken) {
                    eprintln!("round-trips: the server: {error}");
                }
            });
        }
    });
    Ok(address)
}

fn serve(stream: TcpStream, taken: &Taken) -> Result<(), Failure> {
    stream.set_nodelay(true)?;
    let mut application = Application::default();
    let mut connection = Connection::new(stream, Server::new(CONFIG));
    loop {
        let turn = connection.next()?;
        if turn.event == Event::Closed {
            return Ok(());
        }
        if let Some(reply) = application.answer(&turn.event, turn.responder.machine()) {
            turn.responder.reply(&reply).map_err(|error| error.to_string())?;
        }
        taken.lock().map_err(|error| error.to_string())?.append(&mut application.messages);
    }
}

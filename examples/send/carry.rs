//! Puts the conversation on a socket: by blocking calls, or by tokio.

use std::io;
use std::net::{TcpStream, ToSocketAddrs as _};
use std::time::Duration;

use ehlo::delivery::Delivery;

use crate::Arguments;
use crate::session::Session;
use crate::transcript::Tap;

/// On `std::net`, whose sockets keep the time themselves.
pub(crate) fn blocking<'v>(
    arguments: &Arguments,
    delivery: Delivery<'v>,
    session: &mut Session<'v>,
) -> Result<(), String> {
    let cannot = |error: io::Error| format!("cannot connect to {}: {error}", arguments.server);
    let stream = connect(&arguments.server).map_err(cannot)?;
    let tap = Tap::new(stream, arguments.transcript);
    let mut connection = ehlo_blocking::Connection::new(tap, delivery);
    let mut limit = Duration::ZERO;
    loop {
        if limit != connection.timeout() {
            limit = connection.timeout();
            let stream = connection.stream().stream();
            stream.set_read_timeout(Some(limit)).map_err(cannot)?;
            stream.set_write_timeout(Some(limit)).map_err(cannot)?;
        }
        match connection.next() {
            Ok(turn) => {
                if session.step(turn).is_break() {
                    return Ok(());
                }
            }
            Err(error) => {
                session.broken(&error, connection.endpoint());
                return Ok(());
            }
        }
    }
}

/// On tokio, whose timer goes around each wait. There is one connection and nothing else to do, so
/// the content may be read by blocking calls in between.
pub(crate) fn tokio<'v>(
    arguments: &Arguments,
    delivery: Delivery<'v>,
    session: &mut Session<'v>,
) -> Result<(), String> {
    let cannot = |error: io::Error| format!("cannot connect to {}: {error}", arguments.server);
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
    runtime.map_err(cannot)?.block_on(async {
        let stream = tokio::net::TcpStream::connect(&arguments.server);
        let stream = tokio::time::timeout(CONNECT, stream).await;
        let stream = stream.map_err(io::Error::from).flatten().map_err(cannot)?;
        stream.set_nodelay(true).map_err(cannot)?;
        let tap = Tap::new(stream, arguments.transcript);
        let mut connection = ehlo_tokio::Connection::new(tap, delivery);
        loop {
            let turn = tokio::time::timeout(connection.timeout(), connection.next()).await;
            match turn.map_err(io::Error::from).and_then(|turn| turn) {
                Ok(turn) => {
                    if session.step(turn).is_break() {
                        return Ok(());
                    }
                }
                Err(error) => {
                    session.broken(&error, connection.endpoint());
                    return Ok(());
                }
            }
        }
    })
}

/// Tries each address of the server. RFC 5321 says nothing of how long.
fn connect(server: &str) -> io::Result<TcpStream> {
    let mut last = io::Error::new(io::ErrorKind::NotFound, "no address");
    for address in server.to_socket_addrs()? {
        match TcpStream::connect_timeout(&address, CONNECT) {
            Ok(stream) => {
                // Without this a command may wait 40 ms for the peer's delayed ACK.
                stream.set_nodelay(true)?;
                return Ok(stream);
            }
            Err(error) => last = error,
        }
    }
    Err(last)
}

const CONNECT: Duration = Duration::from_secs(30);

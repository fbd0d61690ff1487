//! The header of the PROXY protocol in front of a connection.

use std::io;

use ehlo_apps::proxy_header::{Header, Malformed, Proxied, Versions};
use tokio::io::AsyncReadExt as _;
use tokio::net::TcpStream;

/// Takes the header off the front of the stream, and not a byte more: what follows may be a TLS
/// handshake.
///
/// # Errors
///
/// Those of the stream, `UnexpectedEof` where the stream ends within the header, and `InvalidData` for
/// a header that is malformed or missing.
pub(crate) async fn read(stream: &mut TcpStream, versions: Versions) -> io::Result<Proxied> {
    let mut header = Header::new(versions);
    let mut front = [0; PIECE];
    loop {
        let length = stream.peek(&mut front).await?;
        if length == 0 {
            return Err(io::ErrorKind::UnexpectedEof.into());
        }
        let available = front.get(..length).unwrap_or_default();
        let (taken, proxied) = header.take(available).map_err(invalid)?;
        // They are there.
        stream.read_exact(front.get_mut(..taken).unwrap_or_default()).await?;
        if let Some(proxied) = proxied {
            return Ok(proxied);
        }
    }
}

fn invalid(error: Malformed) -> io::Error {
    io::Error::new(io::ErrorKind::InvalidData, error)
}

/// Bytes that are looked at at a time.
const PIECE: usize = 256;

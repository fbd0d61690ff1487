//! One connection, from the first octet to the last: who comes through a proxy, what is inside TLS
//! from the start, and how it ends.

use std::io;
use std::net::SocketAddr;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use ehlo::{Server, limits};
use ehlo_tokio::MaybeTls;
use serde_json::json;
use tokio::io::AsyncWriteExt as _;
use tokio::net::TcpStream;
use tokio::sync::watch;
use tokio::time::{sleep, timeout};

use crate::session::Session;
use crate::{Service, trust};

/// Serves one client until the session is over, the client is silent for too long, or the server
/// stops.
pub(crate) async fn serve(
    stream: TcpStream,
    peer: SocketAddr,
    service: &Service,
    stopped: watch::Receiver<bool>,
) {
    static COUNT: AtomicU64 = AtomicU64::new(0);
    let number = COUNT.fetch_add(1, Ordering::Relaxed);
    service.log.event(|| json!({"event": "connect", "session": number, "peer": peer}));
    let reason = match converse(stream, peer, number, service, stopped).await {
        Ok(reason) => reason.to_owned(),
        Err(error) => error.to_string(),
    };
    service.log.event(|| json!({"event": "disconnect", "session": number, "reason": reason}));
}

/// The machine on its stream.
pub(crate) type Connection = ehlo_tokio::TlsConnection<TcpStream, Server>;

async fn converse(
    stream: TcpStream,
    peer: SocketAddr,
    number: u64,
    service: &Service,
    mut stopped: watch::Receiver<bool>,
) -> io::Result<&'static str> {
    // What a session needs for a moment only is kept out of the future that lasts as long as it.
    let (mut connection, client) =
        Box::pin(begin(stream, peer, number, service, &mut stopped)).await?;
    let mut session = Session::new(service, number, client);
    session.bind(&mut connection);
    let end = session.run(&mut connection, &mut stopped).await;
    // What the client still sends is read, so that the last reply is not lost to a reset.
    let _ = timeout(LINGER, connection.close()).await;
    end
}

/// What comes before the session: the header of a proxy, and TLS where it begins at once. Returns
/// the connection with the client's own address.
async fn begin(
    mut stream: TcpStream,
    mut client: SocketAddr,
    number: u64,
    service: &Service,
    stopped: &mut watch::Receiver<bool>,
) -> io::Result<(Connection, SocketAddr)> {
    let mut server = service.server(client.ip());
    if service.trusts(client.ip()) {
        let greeting = greet(&mut server, service)?;
        stream.write_all(&greeting).await?;
        // A proxy speaks before it is spoken to; whoever comes without one takes the greeting.
        let proxied = tokio::select! {
            address = trust::proxied(&mut stream) => address?,
            _ = stopped.wait_for(|stopped| *stopped) => None,
            () = sleep(service.timeout) => None,
        };
        if let Some(address) = proxied {
            service.log.event(|| json!({"event": "proxy", "session": number, "client": address}));
            (client, server) = (address, service.server(address.ip()));
            greet(&mut server, service)?;
        }
    }
    let mut connection = Connection::new(MaybeTls::Clear(stream), server);
    if let (Some(tls), true) = (&service.tls, service.config.implicit_tls) {
        timeout(service.timeout, connection.implicit_tls(tls)).await??;
    }
    Ok((connection, client))
}

/// The greeting, which the client gets before it is known whether a proxy speaks for it; inside TLS
/// it has to wait.
fn greet(server: &mut Server, service: &Service) -> io::Result<Vec<u8>> {
    let mut greeting = Vec::new();
    if !service.config.implicit_tls {
        greeting.resize(limits::REPLY_LINE, 0);
        let reply = server.standard_reply(&service.host);
        let length = server.reply(&reply, &mut greeting).map_err(io::Error::other)?;
        greeting.truncate(length);
    }
    Ok(greeting)
}

/// How long the end of a connection may take.
pub(crate) const LINGER: Duration = Duration::from_secs(1);

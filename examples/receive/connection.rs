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
    let reason = match begin(stream, peer, number, service, stopped).await {
        Ok(reason) => reason.to_owned(),
        Err(error) => error.to_string(),
    };
    service.log.event(|| json!({"event": "disconnect", "session": number, "reason": reason}));
}

/// The machine on its stream.
pub(crate) type Connection = ehlo_tokio::Connection<MaybeTls<TcpStream>, Server>;

async fn begin(
    mut stream: TcpStream,
    mut peer: SocketAddr,
    number: u64,
    service: &Service,
    mut stopped: watch::Receiver<bool>,
) -> io::Result<&'static str> {
    let mut server = service.server(peer.ip());
    if service.trusts(peer.ip()) {
        let greeting = greet(&mut server, service)?;
        stream.write_all(&greeting).await?;
        // A proxy speaks before it is spoken to; whoever comes without one takes the greeting.
        let client = tokio::select! {
            client = trust::proxied(&mut stream) => client?,
            _ = stopped.wait_for(|stopped| *stopped) => None,
            () = sleep(service.timeout) => None,
        };
        if let Some(client) = client {
            service.log.event(|| json!({"event": "proxy", "session": number, "client": client}));
            (peer, server) = (client, service.server(client.ip()));
            greet(&mut server, service)?;
        }
    }
    let stream = match &service.tls {
        // The futures of a handshake are large, and needed for a moment only.
        Some(tls) if service.config.implicit_tls => {
            let stream = timeout(service.timeout, Box::pin(tls.accept(stream))).await??;
            MaybeTls::Tls(Box::new(stream.into()))
        }
        _ => MaybeTls::Clear(stream),
    };
    let mut connection = Connection::new(stream, server);
    let mut session = Session::new(service, number, peer);
    session.bind(&mut connection);
    let end = session.run(&mut connection, &mut stopped).await;
    // What the client still sends is read, so that the last reply is not lost to a reset.
    let _ = timeout(LINGER, connection.close()).await;
    end
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

//! One connection, from the first octet to the last: who comes through a proxy, what is inside TLS
//! from the start, and how it ends.

use std::io;
use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use ehlo::syntax::limits;
use ehlo::{Code, Reply, Server};
use ehlo_tokio::{Incoming, Runtime, Shutdown};
use serde_json::json;
use tokio::io::AsyncWriteExt as _;
use tokio::net::TcpStream;
use tokio::time::{sleep, timeout};

use crate::session::Session;
use crate::{Service, trust};

/// Serves one client until the session is over, the client is silent for too long, or the server
/// stops.
pub(crate) fn serve(
    visit: Incoming<TcpStream>,
    service: Arc<Service>,
) -> impl Future<Output = ()> + Send + 'static {
    // The future lasts as long as the connection: what is there at its beginning only is kept out.
    let beginning = Box::pin(begin(visit, service));
    async move {
        let Some((mut connection, mut session)) = beginning.await else { return };
        let end = session.run(&mut connection).await;
        // What the client still sends is read, so that the last reply is not lost to a reset.
        let _ = timeout(LINGER, connection.close()).await;
        session.end(end);
    }
}

/// The machine on its stream.
pub(crate) type Connection = ehlo_tokio::TlsConnection<TcpStream, Server, Runtime>;

/// What comes before the session; none if it does not come to one.
async fn begin(visit: Incoming<TcpStream>, service: Arc<Service>) -> Option<(Connection, Session)> {
    static COUNT: AtomicU64 = AtomicU64::new(0);
    let Incoming { stream, address, shutdown: mut stop, .. } = visit;
    // Without this a reply may wait 40 ms for the peer's delayed ACK.
    let _ = stream.set_nodelay(true);
    if stop.is_requested() {
        let _ = timeout(LINGER, turn_away(stream, &service)).await;
        return None;
    }
    let number = COUNT.fetch_add(1, Ordering::Relaxed);
    service.log.event(|| json!({"event": "connect", "session": number, "peer": address}));
    match enter(stream, address, number, &service, &mut stop).await {
        Ok((mut connection, client)) => {
            let mut session = Session::new(service, stop, number, client);
            session.bind(&mut connection);
            Some((connection, session))
        }
        Err(error) => {
            service.log.disconnect(number, &error.to_string());
            None
        }
    }
}

/// Answers a connection that is one too many with 421 in place of the greeting.
async fn turn_away(stream: TcpStream, service: &Service) -> io::Result<()> {
    if service.config.implicit_tls {
        // Nothing can be said before a handshake, which would cost more than a place.
        return Ok(());
    }
    let server = Server::new(service.config);
    let mut connection = ehlo_tokio::Connection::new(stream, server, Runtime);
    let reply = Reply::new(Code::SERVICE_NOT_AVAILABLE, "too many connections, try again later");
    let reply = reply.with_domain(&service.host);
    connection.endpoint().reply(&reply)?;
    connection.close().await
}

/// Takes the header of a proxy, and begins TLS where it begins at once. Returns the connection and
/// the client's own address.
async fn enter(
    mut stream: TcpStream,
    mut client: SocketAddr,
    number: u64,
    service: &Service,
    stop: &mut Shutdown,
) -> io::Result<(Connection, SocketAddr)> {
    let mut server = service.server(client.ip());
    if service.trusts(client.ip()) {
        let greeting = greet(&mut server, service)?;
        stream.write_all(&greeting).await?;
        // A proxy speaks before it is spoken to; whoever comes without one takes the greeting.
        let proxied = tokio::select! {
            address = trust::proxied(&mut stream) => address?,
            () = stop => None,
            () = sleep(service.timeout) => None,
        };
        if let Some(address) = proxied {
            service.log.event(|| json!({"event": "proxy", "session": number, "client": address}));
            (client, server) = (address, service.server(address.ip()));
            greet(&mut server, service)?;
        }
    }
    let mut connection = Connection::new(stream.into(), server, Runtime);
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

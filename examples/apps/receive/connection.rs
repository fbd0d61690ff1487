//! One connection, from the first byte to the last: for whom a proxy speaks, what is inside TLS from the
//! start, and how it ends.

use std::io;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use ehlo::{Code, Reply, Server, ServerConfig};
use ehlo_io::proxy_header::{self, Proxied};
use ehlo_tokio::{Incoming, Runtime, Shutdown, Tokio};
use serde_json::json;

use crate::Service;
use crate::client::{Origin, Rights};
use crate::listener::{Stream, origin, tcp};
use crate::session::Session;

/// Serves one client until the session is over, the client is silent for too long, or the server
/// stops.
pub(crate) fn serve(
    incoming: Incoming<Stream>,
    service: Arc<Service>,
) -> impl Future<Output = ()> + Send + 'static {
    // The future lasts as long as the connection: what is there at its beginning only is kept out.
    let beginning = Box::pin(begin(incoming, service));
    async move {
        let Some((mut connection, mut session)) = beginning.await else { return };
        let end = session.run(&mut connection).await;
        // What the client still sends is read, so that the last reply is not lost to a reset.
        let _ = connection.close().await;
        session.end(end);
    }
}

/// The machine on its stream.
pub(crate) type Connection = ehlo_tokio::TlsConnection<Stream, Server, Runtime>;

/// What comes before the session; `None` if it does not come to one.
async fn begin(incoming: Incoming<Stream>, service: Arc<Service>) -> Option<(Connection, Session)> {
    static COUNT: AtomicU64 = AtomicU64::new(0);
    let Incoming { mut stream, address, shutdown: mut stop, .. } = incoming;
    let origin = origin(&stream, address);
    if let Some(stream) = tcp(&mut stream) {
        // Without this a reply may wait 40 ms for the peer's delayed ACK.
        let _ = stream.set_nodelay(true);
    }
    if stop.is_requested() {
        turn_away(stream, &service, "too many connections, try again later").await;
        return None;
    }
    let number = COUNT.fetch_add(1, Ordering::Relaxed);
    service.log.event(|| json!({"event": "connect", "session": number, "peer": origin.address()}));
    let origin = match proxied(&mut stream, origin, number, &service, &mut stop).await {
        Ok(origin) => origin,
        Err(error) => {
            service.log.disconnect(number, &error.to_string());
            return None;
        }
    };
    let Some(rights) = Rights::of(&origin, &service) else {
        service.log.disconnect(number, TOO_MANY);
        turn_away(stream, &service, TOO_MANY).await;
        return None;
    };
    let config = ServerConfig { offered: rights.offered, ..service.config };
    let mut connection = Connection::new(stream.into(), Server::new(config), Runtime);
    connection.set_time_limits(service.limits);
    let begun = match &service.tls {
        Some(tls) if service.config.implicit_tls => connection.implicit_tls(&tls.current()).await,
        _ => Ok(()),
    };
    if let Err(error) = begun {
        service.log.disconnect(number, &error.to_string());
        return None;
    }
    let mut session = Session::new(service, stop, number, origin, rights.place);
    session.bind(&mut connection);
    Some((connection, session))
}

/// Where the client is: `--proxy` has the proxy say so. The receiver must not guess whether the
/// header is there, so nothing is said or done before it is.
async fn proxied(
    stream: &mut Stream,
    origin: Origin,
    number: u64,
    service: &Service,
    stop: &mut Shutdown,
) -> io::Result<Origin> {
    let (Some(versions), Origin::Address(proxy)) = (service.proxy, origin) else {
        return Ok(origin);
    };
    let stream = tcp(stream).ok_or(io::ErrorKind::Unsupported)?;
    let limit = service.limits.wait().unwrap_or(HEADER).min(HEADER);
    let said = tokio::select! {
        said = proxy_header::read::<Tokio, _, _>(stream, versions, Runtime, limit) => said?,
        () = stop => return Err(io::ErrorKind::Interrupted.into()),
    };
    let origin = match said {
        Proxied::Client { source, .. } => Origin::from(source),
        Proxied::Unknown => Origin::Behind(proxy),
        Proxied::Local => origin,
    };
    service.log.event(|| {
        let client = matches!(said, Proxied::Client { .. }).then(|| origin.address());
        json!({"event": "proxy", "session": number, "client": client})
    });
    Ok(origin)
}

/// Answers a connection with 421 in place of the greeting.
async fn turn_away(stream: Stream, service: &Service, text: &str) {
    if service.config.implicit_tls {
        // Nothing can be said before a handshake, which would cost more than a place.
        return;
    }
    let server = Server::new(service.config);
    let mut connection = ehlo_tokio::Connection::new(stream, server, Runtime);
    let reply = Reply::new(Code::SERVICE_NOT_AVAILABLE, text).with_domain(&service.host);
    if connection.endpoint().reply(&reply).is_ok() {
        let _ = connection.close().await;
    }
}

pub(crate) const TOO_MANY: &str = "too many connections from your address, try again later";
/// How long a proxy may take for its header.
const HEADER: Duration = Duration::from_secs(30);

//! The listeners, tasks and timer of tokio.

use std::time::Duration;

use ehlo_io::{ConnectionLimits, Incoming, SessionTask, Timer};
use tokio::net::{TcpListener, TcpStream};
use tokio::time::Sleep;

/// Tokio's tasks and timer: [`serve`] uses it, and it is a timer for a
/// [`Connection`](crate::Connection) whose type must be named.
///
/// ```
/// use ehlo::Server;
/// use ehlo_tokio::{Connection, Runtime};
/// use tokio::net::TcpStream;
///
/// struct Session {
///     connection: Connection<TcpStream, Server, Runtime>,
/// }
/// ```
#[derive(Clone, Copy, Debug, Default)]
pub struct Runtime;

impl Timer for Runtime {
    type Sleep = Sleep;

    fn sleep(&self, duration: Duration) -> Sleep {
        tokio::time::sleep(duration)
    }
}

impl ehlo_io::Runtime<'static> for Runtime {
    fn spawn(&self, task: SessionTask<'static>) {
        tokio::spawn(task);
    }
}

/// Accepts connections from `listener` and passes each to `handler` in a separate task, until
/// `shutdown` is ready. Then it closes the listener, gives the open sessions the grace of the
/// `limits`, and returns: see [`ehlo_io::serve`].
///
/// `TCP_NODELAY` is set on each connection: without it a reply may wait 40 ms for the peer's delayed
/// acknowledgement.
///
/// ```
/// use ehlo::{Server, ServerConfig, server::Event};
/// use ehlo_io::PendingEvent;
/// use ehlo_tokio::{Connection, ConnectionLimits, Incoming, ShutdownHandle, serve};
/// use tokio::net::{TcpListener, TcpStream};
/// use tokio::time::sleep;
///
/// async fn session(mut incoming: Incoming<TcpStream>) -> std::io::Result<()> {
///     let server = Server::new(ServerConfig::DEFAULT);
///     let mut connection = Connection::new(incoming.stream, server, sleep);
///     loop {
///         let shutdown = &mut incoming.shutdown;
///         let PendingEvent { event, responder } = connection.next_until(shutdown, "mx.example").await?;
///         match event {
///             Event::Closed => return connection.close().await,
///             _ => responder.standard_reply("mx.example")?,
///         }
///     }
/// }
///
/// # tokio::runtime::Builder::new_current_thread().enable_all().build()?.block_on(async {
/// let listener = TcpListener::bind("127.0.0.1:0").await?;
/// let handle = ShutdownHandle::new();
/// # handle.shut_down();
/// serve(listener, ConnectionLimits::new(1000, 10), handle.shutdown(), async |incoming| {
///     session(incoming).await.unwrap_or_else(|error| eprintln!("a session broke off: {error}"));
/// }).await;
/// # Ok::<_, Box<dyn std::error::Error>>(())
/// # })?;
/// # Ok::<_, Box<dyn std::error::Error>>(())
/// ```
pub async fn serve<H, F>(
    listener: TcpListener,
    limits: ConnectionLimits,
    shutdown: impl Future<Output = ()>,
    handler: H,
) where
    H: Fn(Incoming<TcpStream>) -> F,
    F: Future<Output = ()> + Send + 'static,
{
    let accept = async move || {
        let (stream, address) = listener.accept().await?;
        stream.set_nodelay(true)?;
        Ok((stream, address))
    };
    ehlo_io::serve(&Runtime, accept, limits, shutdown, handler).await;
}

//! The tasks and the timer of the caller's runtime.

use std::io;
use std::net::SocketAddr;
use std::time::Duration;

use ehlo_io::{ConnectionLimits, Incoming, SessionTask, Timer};

/// A runtime as two of its functions: a timer, and one that spawns a task.
///
/// ```
/// use ehlo::{Server, ServerConfig, server::Event};
/// use ehlo_async_std::{Connection, ConnectionLimits, Incoming, Runtime, ShutdownHandle};
/// use ehlo_io::PendingEvent;
/// use smol::Timer;
/// use smol::net::{TcpListener, TcpStream};
///
/// async fn session(mut incoming: Incoming<TcpStream>) -> std::io::Result<()> {
///     incoming.stream.set_nodelay(true)?;
///     let server = Server::new(ServerConfig::DEFAULT);
///     let mut connection = Connection::new(incoming.stream, server, Timer::after);
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
/// # smol::block_on(async {
/// // On async-std: `Runtime::new(async_std::task::sleep, async_std::task::spawn)`.
/// let runtime = Runtime::new(Timer::after, |task| smol::spawn(task).detach());
/// let listener = TcpListener::bind("127.0.0.1:0").await?;
/// let accept = async move || listener.accept().await;
/// let handle = ShutdownHandle::new();
/// # handle.shut_down();
/// runtime.serve(accept, ConnectionLimits::new(1000, 10), handle.shutdown(), async |incoming| {
///     session(incoming).await.unwrap_or_else(|error| eprintln!("a session broke off: {error}"));
/// }).await;
/// # Ok::<_, std::io::Error>(())
/// # })?;
/// # Ok::<_, std::io::Error>(())
/// ```
#[doc(alias = "executor")]
#[derive(Clone, Copy, Debug)]
pub struct Runtime<T, P> {
    timer: T,
    spawn: P,
}

impl<T: Timer, P: Fn(SessionTask<'static>) -> R, R> Runtime<T, P> {
    /// A runtime that waits with `timer`, and runs concurrent tasks with `spawn`, whose result is
    /// dropped.
    pub const fn new(timer: T, spawn: P) -> Self {
        Self { timer, spawn }
    }

    /// Accepts connections and passes each to `handler` in a separate task, until `shutdown` is
    /// ready. Then it closes the listener, which `accept` owns, gives the open sessions the grace
    /// of the `limits`, and returns: see [`ehlo_io::serve`].
    pub async fn serve<L, S, H, F>(
        &self,
        accept: L,
        limits: ConnectionLimits,
        shutdown: impl Future<Output = ()>,
        handler: H,
    ) where
        L: AsyncFn() -> io::Result<(S, SocketAddr)> + 'static,
        H: Fn(Incoming<S>) -> F,
        F: Future<Output = ()> + Send + 'static,
    {
        ehlo_io::serve(self, accept, limits, shutdown, handler).await;
    }
}

impl<T: Timer, P> Timer for Runtime<T, P> {
    type Sleep = T::Sleep;

    fn sleep(&self, duration: Duration) -> T::Sleep {
        self.timer.sleep(duration)
    }
}

impl<T: Timer, P: Fn(SessionTask<'static>) -> R, R> ehlo_io::Runtime<'static> for Runtime<T, P> {
    fn spawn(&self, task: SessionTask<'static>) {
        (self.spawn)(task);
    }
}

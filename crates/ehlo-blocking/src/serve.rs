//! The loop of a server, with a thread for each session.

use std::collections::BTreeMap;
use std::future::poll_fn;
use std::io;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, Shutdown, SocketAddr, TcpListener, TcpStream};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::pin::pin;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::task::{Context, Poll, Wake, Waker};
use std::thread::{self, Scope};
use std::time::Duration;

use ehlo_io::{ConnectionLimits, Incoming, Runtime, SessionTask, Timer};

use crate::configure_tcp;
use crate::socket::block_on;

/// Accepts connections from `listener`, [configures](configure_tcp) each and passes it to `handler`
/// in a separate thread, until `shutdown` is ready. Then it closes the listener, gives the open
/// sessions the grace of the `limits`, shuts down the sockets of the remaining ones, and returns
/// when their handlers have returned. See [`ehlo_io::serve`].
///
/// A handler that panics ends only its own session. The shutdown must wake its waker, as that of a
/// [`ShutdownHandle`](crate::ShutdownHandle) does, because the loop waits in a system call.
///
/// ```
/// use ehlo_blocking::{ConnectionLimits, ShutdownHandle, serve};
/// use std::io::{Read, Write};
/// use std::net::{TcpListener, TcpStream};
///
/// let listener = TcpListener::bind("127.0.0.1:0")?;
/// let mut client = TcpStream::connect(listener.local_addr()?)?;
/// let handle = ShutdownHandle::new();
/// serve(listener, ConnectionLimits::new(100, 10), handle.shutdown(), |mut incoming| {
///     incoming.stream.write_all(b"hello").unwrap();
///     handle.shut_down();
/// })?;
/// let mut heard = String::new();
/// client.read_to_string(&mut heard)?;
/// assert_eq!(heard, "hello");
/// # Ok::<(), std::io::Error>(())
/// ```
///
/// # Errors
///
/// Those of the listener when it cannot tell its address: no connection is accepted then.
pub fn serve(
    listener: TcpListener,
    limits: ConnectionLimits,
    shutdown: impl Future<Output = ()>,
    handler: impl Fn(Incoming<TcpStream>) + Sync,
) -> io::Result<()> {
    let knock = Arc::new(Knock::new(&listener)?);
    let waker = Waker::from(knock.clone());
    let accept = async move || {
        poll_fn(|_| match listener.accept() {
            // It is no client: the loop only checks the shutdown.
            _ if knock.knocked.swap(false, Ordering::AcqRel) => Poll::Pending,
            Ok((stream, address)) => {
                Poll::Ready(configure_tcp(&stream).map(|()| (stream, address)))
            }
            Err(error) => Poll::Ready(Err(error)),
        })
        .await
    };
    let sessions = Sessions::default();
    let session = |incoming: Incoming<TcpStream>| {
        let (sessions, handler) = (&sessions, &handler);
        async move {
            // Without its socket the session could not be ended.
            if let Some(_open) = sessions.open(&incoming.stream) {
                handler(incoming);
            }
        }
    };
    thread::scope(|scope| {
        let threads = Threads { scope };
        let mut serving = pin!(ehlo_io::serve(&threads, accept, limits, shutdown, session));
        while serving.as_mut().poll(&mut Context::from_waker(&waker)).is_pending() {}
        for socket in sessions.lock().values() {
            // The session may have ended already.
            let _ = socket.shutdown(Shutdown::Both);
        }
    });
    Ok(())
}

/// A thread for each session.
struct Threads<'s, 'e> {
    scope: &'s Scope<'s, 'e>,
}

impl Timer for Threads<'_, '_> {
    type Sleep = std::future::Ready<()>;

    fn sleep(&self, duration: Duration) -> Self::Sleep {
        thread::sleep(duration);
        std::future::ready(())
    }
}

impl<'s> Runtime<'s> for Threads<'s, '_> {
    fn spawn(&self, task: SessionTask<'s>) {
        let run = || {
            let _: thread::Result<()> = catch_unwind(AssertUnwindSafe(|| block_on(task)));
        };
        // If no thread can be started, the connection is closed.
        let _ = thread::Builder::new().spawn_scoped(self.scope, run);
    }
}

/// The sockets of the open sessions, by a number.
#[derive(Default)]
struct Sessions(Mutex<BTreeMap<u64, TcpStream>>);

impl Sessions {
    fn lock(&self) -> MutexGuard<'_, BTreeMap<u64, TcpStream>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn open(&self, stream: &TcpStream) -> Option<Open<'_>> {
        let socket = stream.try_clone().ok()?;
        let mut sessions = self.lock();
        let number = sessions.last_key_value().map_or(0, |(last, _)| last + 1);
        sessions.insert(number, socket);
        Some(Open { sessions: self, number })
    }
}

struct Open<'s> {
    sessions: &'s Sessions,
    number: u64,
}

impl Drop for Open<'_> {
    fn drop(&mut self) {
        self.sessions.lock().remove(&self.number);
    }
}

/// Wakes a loop that waits in `accept`, by a connection to its own listener.
struct Knock {
    address: SocketAddr,
    knocked: AtomicBool,
}

impl Knock {
    fn new(listener: &TcpListener) -> io::Result<Self> {
        let mut address = listener.local_addr()?;
        match address.ip() {
            IpAddr::V4(any) if any.is_unspecified() => address.set_ip(Ipv4Addr::LOCALHOST.into()),
            IpAddr::V6(any) if any.is_unspecified() => address.set_ip(Ipv6Addr::LOCALHOST.into()),
            _ => {}
        }
        Ok(Self { address, knocked: AtomicBool::new(false) })
    }
}

impl Wake for Knock {
    fn wake(self: Arc<Self>) {
        self.knocked.store(true, Ordering::Release);
        // If the queue of connections is full, the loop is awake already.
        let _ = TcpStream::connect_timeout(&self.address, Duration::from_secs(1));
    }
}

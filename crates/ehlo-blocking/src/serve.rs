//! The loop of whoever listens, with a thread for each session.

use std::future::poll_fn;
use std::io;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr, TcpListener, TcpStream};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError, mpsc};
use std::task::Poll;
use std::thread;
use std::time::Duration;

use ehlo_io::{ConnectionLimits, Incoming, SessionTask};

use crate::{block_on, configure_tcp};

/// Accepts connections, [`configure_tcp`]s each and hands it to `handler`, on one of so many `threads`,
/// until `halt` says so; then waits for the sessions that are open. `door` limits how many there are.
/// While the door is full nothing is accepted; while no thread is free, one connection is, and waits.
/// A handler that panics ends its session alone. It asks
/// [`Connection::next_until`](crate::Connection::next_until) for events.
///
/// A session has its thread to its end. So the door's limit for one address is to be below the number
/// of threads: where it is not, one address that keeps its sessions open has them all.
///
/// ```
/// use ehlo_blocking::{ConnectionLimits, ShutdownHandle, serve};
/// use std::io::Read;
/// use std::net::{TcpListener, TcpStream};
///
/// let listener = TcpListener::bind("127.0.0.1:0")?;
/// let halt = ShutdownHandle::new(&listener)?;
/// let mut client = TcpStream::connect(listener.local_addr()?)?;
/// serve(&listener, ConnectionLimits::new(100, 10), 32, &halt.clone(), |mut visit| {
///     std::io::Write::write_all(&mut visit.stream, b"hello").unwrap();
///     halt.halt();
/// });
/// let mut heard = String::new();
/// client.read_to_string(&mut heard)?;
/// assert_eq!(heard, "hello");
/// # Ok::<(), std::io::Error>(())
/// ```
pub fn serve(
    listener: &TcpListener,
    door: ConnectionLimits,
    threads: usize,
    halt: &ShutdownHandle,
    handler: impl Fn(Incoming<TcpStream>) + Sync,
) {
    let handler = &handler;
    let (tasks, taken) = mpsc::sync_channel::<SessionTask<'_>>(0);
    let taken = Mutex::new(taken);
    let work = || {
        // One waits in `recv` and the others for it.
        let next = || taken.lock().unwrap_or_else(PoisonError::into_inner).recv();
        while let Ok(task) = next() {
            let _: thread::Result<()> = catch_unwind(AssertUnwindSafe(|| block_on(task)));
        }
    };
    let accept = || {
        poll_fn(|_| match listener.accept() {
            // It is the halt itself that has come.
            _ if halt.is_halted() => Poll::Pending,
            Ok((stream, address)) => {
                Poll::Ready(configure_tcp(&stream).map(|()| (stream, address)))
            }
            Err(error) => Poll::Ready(Err(error)),
        })
    };
    let session = |visit| async move { handler(visit) };
    thread::scope(|scope| {
        for _ in 0..threads.max(1) {
            scope.spawn(work);
        }
        // They end with the channel.
        let spawn = move |task| tasks.send(task);
        let sleep = async |time| thread::sleep(time);
        block_on(ehlo_io::serve(accept, door, || halt.halted(), sleep, spawn, session));
    });
}

/// Ends [`serve`].
///
/// ```
/// use ehlo_blocking::{ConnectionLimits, ShutdownHandle, serve};
/// use std::net::TcpListener;
///
/// let listener = TcpListener::bind("127.0.0.1:0")?;
/// let halt = ShutdownHandle::new(&listener)?;
/// halt.halt();
/// // Nobody is let in, and it returns.
/// serve(&listener, ConnectionLimits::new(100, 10), 32, &halt, |_| unreachable!());
/// # Ok::<(), std::io::Error>(())
/// ```
#[derive(Clone, Debug)]
pub struct ShutdownHandle {
    halted: Arc<AtomicBool>,
    address: SocketAddr,
}

impl ShutdownHandle {
    /// What ends the loop over `listener`.
    ///
    /// # Errors
    ///
    /// Those of the socket.
    pub fn new(listener: &TcpListener) -> io::Result<Self> {
        let mut address = listener.local_addr()?;
        match address.ip() {
            IpAddr::V4(any) if any.is_unspecified() => address.set_ip(Ipv4Addr::LOCALHOST.into()),
            IpAddr::V6(any) if any.is_unspecified() => address.set_ip(Ipv6Addr::LOCALHOST.into()),
            _ => {}
        }
        Ok(Self { halted: Arc::default(), address })
    }

    /// Nothing more is accepted, and sessions end once nothing in them is open.
    pub fn halt(&self) {
        self.halted.store(true, Ordering::Release);
        // Wakes the loop, where it waits for somebody to come; where many wait it need not be woken.
        let _ = TcpStream::connect_timeout(&self.address, Duration::from_secs(1));
    }

    fn is_halted(&self) -> bool {
        self.halted.load(Ordering::Acquire)
    }

    fn halted(&self) -> impl Future<Output = ()> + Send + use<> {
        let halt = self.clone();
        poll_fn(move |_| if halt.is_halted() { Poll::Ready(()) } else { Poll::Pending })
    }
}

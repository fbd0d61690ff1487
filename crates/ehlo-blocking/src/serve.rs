//! The loop of whoever listens, with a thread for each session.

use std::future::poll_fn;
use std::io;
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError, mpsc};
use std::task::Poll;
use std::thread;
use std::time::Duration;

use ehlo::{Door, Stop, Visit};

use crate::prepare;

/// Accepts connections, [`prepare`]s each and hands it to `handler`, on one of so many `threads`,
/// until `halt` says so; then waits for the sessions that are open. `door` limits how many there are.
/// While no thread is free, or the door is full, nothing is accepted. A handler that panics ends its
/// session alone. It asks [`Connection::next_until`](crate::Connection::next_until) for events.
///
/// A session has its thread to its end. So the door's limit for one address is to be below the number
/// of threads: where it is not, one address that keeps its sessions open has them all.
///
/// ```
/// use ehlo_blocking::{Door, Halt, serve};
/// use std::io::Read;
/// use std::net::{TcpListener, TcpStream};
///
/// let listener = TcpListener::bind("127.0.0.1:0")?;
/// let halt = Halt::new(&listener)?;
/// let mut client = TcpStream::connect(listener.local_addr()?)?;
/// serve(&listener, Door::new(100, 10), 32, &halt.clone(), |mut visit| {
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
    mut door: Door,
    threads: usize,
    halt: &Halt,
    handler: impl Fn(Visit<TcpStream>) + Sync,
) {
    let (visits, taken) = mpsc::sync_channel(0);
    let taken = Mutex::new(taken);
    let work = || {
        // One waits in `recv` and the others for it.
        let next = || taken.lock().unwrap_or_else(PoisonError::into_inner).recv();
        while let Ok((visit, pass)) = next() {
            let _: thread::Result<()> = catch_unwind(AssertUnwindSafe(|| handler(visit)));
            drop(pass);
        }
    };
    thread::scope(|scope| {
        // They end with the channel.
        let visits = visits;
        for _ in 0..threads.max(1) {
            scope.spawn(work);
        }
        while !halt.is_halted() {
            if door.is_full() {
                thread::sleep(MOMENT);
                continue;
            }
            let accepted = listener.accept();
            let prepared = accepted.and_then(|(stream, address)| {
                prepare(&stream)?;
                Ok((stream, address))
            });
            match prepared {
                Ok(_) if halt.is_halted() => {}
                Ok((stream, address)) => {
                    let Some(pass) = door.admit(address.ip()) else { continue };
                    let stop = if pass.is_welcome() { halt.stop() } else { Stop::NOW };
                    let visit = Visit { stream, address, stop };
                    if visits.send((visit, pass)).is_err() {
                        return;
                    }
                }
                // As for want of descriptors.
                Err(_) => thread::sleep(MOMENT),
            }
        }
    });
}

/// Ends [`serve`].
///
/// ```
/// use ehlo_blocking::{Door, Halt, serve};
/// use std::net::TcpListener;
///
/// let listener = TcpListener::bind("127.0.0.1:0")?;
/// let halt = Halt::new(&listener)?;
/// halt.halt();
/// // Nobody is let in, and it returns.
/// serve(&listener, Door::new(100, 10), 32, &halt, |_| unreachable!());
/// # Ok::<(), std::io::Error>(())
/// ```
#[derive(Clone, Debug)]
pub struct Halt {
    halted: Arc<AtomicBool>,
    address: SocketAddr,
}

impl Halt {
    /// What ends the loop over `listener`.
    ///
    /// # Errors
    ///
    /// Those of the socket.
    pub fn new(listener: &TcpListener) -> io::Result<Self> {
        Ok(Self { halted: Arc::default(), address: listener.local_addr()? })
    }

    /// Nothing more is accepted, and sessions end once nothing in them is open.
    pub fn halt(&self) {
        self.halted.store(true, Ordering::Release);
        // Wakes the loop, which waits for somebody to come.
        let _ = TcpStream::connect(self.address);
    }

    fn is_halted(&self) -> bool {
        self.halted.load(Ordering::Acquire)
    }

    fn stop(&self) -> Stop {
        let halted = self.halted.clone();
        Stop::when(poll_fn(move |_| {
            if halted.load(Ordering::Acquire) { Poll::Ready(()) } else { Poll::Pending }
        }))
    }
}

/// After which one looks again whether there is room.
const MOMENT: Duration = Duration::from_millis(20);

//! A connection in memory, with as much room as a test wants, that counts what is written to it.

use std::collections::VecDeque;
use std::io::{self, Read, Write};
use std::pin::Pin;
use std::sync::{Arc, Mutex, MutexGuard};
use std::task::{Context, Poll, Wake, Waker};
use std::thread::{self, Thread};
use std::time::Duration;

use ehlo_blocking::HalfClose;
use tokio::io::ReadBuf;

/// One end.
pub struct Pipe {
    inward: Arc<Mutex<Way>>,
    outward: Arc<Mutex<Way>>,
}

/// One direction.
struct Way {
    bytes: VecDeque<u8>,
    room: usize,
    writes: usize,
    reads: usize,
    /// Nothing more is written, or nobody reads.
    closed: bool,
    reader: Option<Waker>,
    writer: Option<Waker>,
}

impl Pipe {
    /// Both ends; each direction holds at most `room` bytes.
    pub fn pair(room: usize) -> (Self, Self) {
        let [one, other] = [(); 2].map(|()| {
            Arc::new(Mutex::new(Way {
                bytes: VecDeque::new(),
                room,
                writes: 0,
                reads: 0,
                closed: false,
                reader: None,
                writer: None,
            }))
        });
        let back = Self { inward: other.clone(), outward: one.clone() };
        (Self { inward: one, outward: other }, back)
    }

    /// Counts the writes to this end and the reads from it that moved bytes, also when it has been
    /// given away.
    pub fn calls(&self) -> impl Fn() -> (usize, usize) + use<> {
        let (inward, outward) = (self.inward.clone(), self.outward.clone());
        move || (lock(&outward).writes, lock(&inward).reads)
    }

    fn poll_read(&self, context: &Context<'_>, space: &mut [u8]) -> Poll<io::Result<usize>> {
        let mut way = lock(&self.inward);
        if way.bytes.is_empty() && !way.closed {
            way.reader = Some(context.waker().clone());
            return Poll::Pending;
        }
        wake(&mut way.writer);
        way.reads += usize::from(!way.bytes.is_empty());
        Poll::Ready(way.bytes.read(space))
    }

    fn poll_write(&self, context: &Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
        let mut way = lock(&self.outward);
        let room = bytes.len().min(way.room - way.bytes.len());
        if way.closed {
            return Poll::Ready(Err(io::ErrorKind::BrokenPipe.into()));
        }
        if room == 0 {
            way.writer = Some(context.waker().clone());
            return Poll::Pending;
        }
        way.bytes.extend(&bytes[..room]);
        way.writes += 1;
        wake(&mut way.reader);
        Poll::Ready(Ok(room))
    }

    fn close(&self) {
        let mut way = lock(&self.outward);
        way.closed = true;
        wake(&mut way.reader);
        wake(&mut way.writer);
    }
}

impl Drop for Pipe {
    fn drop(&mut self) {
        self.close();
        let mut way = lock(&self.inward);
        way.closed = true;
        wake(&mut way.writer);
    }
}

/// Like a socket that returns an error when it would block for long.
fn block<T>(mut poll: impl FnMut(&Context<'_>) -> Poll<io::Result<T>>) -> io::Result<T> {
    struct Unpark(Thread);
    impl Wake for Unpark {
        fn wake(self: Arc<Self>) {
            self.0.unpark();
        }
    }
    let waker = Waker::from(Arc::new(Unpark(thread::current())));
    for _ in 0..2 {
        if let Poll::Ready(done) = poll(&Context::from_waker(&waker)) {
            return done;
        }
        thread::park_timeout(Duration::from_millis(5));
    }
    Err(io::ErrorKind::WouldBlock.into())
}

impl Read for Pipe {
    fn read(&mut self, space: &mut [u8]) -> io::Result<usize> {
        block(|context| self.poll_read(context, space))
    }
}

impl Write for Pipe {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        block(|context| self.poll_write(context, bytes))
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

impl HalfClose for Pipe {
    fn half_close(&mut self) -> io::Result<()> {
        self.close();
        Ok(())
    }
}

impl tokio::io::AsyncRead for Pipe {
    fn poll_read(
        self: Pin<&mut Self>,
        context: &mut Context<'_>,
        space: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        let read = Self::poll_read(&self, context, space.initialize_unfilled());
        read.map_ok(|bytes| space.advance(bytes))
    }
}

impl tokio::io::AsyncWrite for Pipe {
    fn poll_write(
        self: Pin<&mut Self>,
        context: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        Self::poll_write(&self, context, bytes)
    }

    fn poll_flush(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<io::Result<()>> {
        Poll::Ready(Ok(()))
    }

    fn poll_shutdown(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<io::Result<()>> {
        self.close();
        Poll::Ready(Ok(()))
    }
}

impl smol::io::AsyncRead for Pipe {
    fn poll_read(
        self: Pin<&mut Self>,
        context: &mut Context<'_>,
        space: &mut [u8],
    ) -> Poll<io::Result<usize>> {
        Self::poll_read(&self, context, space)
    }
}

impl smol::io::AsyncWrite for Pipe {
    fn poll_write(
        self: Pin<&mut Self>,
        context: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        Self::poll_write(&self, context, bytes)
    }

    fn poll_flush(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<io::Result<()>> {
        Poll::Ready(Ok(()))
    }

    fn poll_close(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<io::Result<()>> {
        self.close();
        Poll::Ready(Ok(()))
    }
}

fn lock(way: &Mutex<Way>) -> MutexGuard<'_, Way> {
    way.lock().expect("no test panics in here")
}

fn wake(waker: &mut Option<Waker>) {
    if let Some(waker) = waker.take() {
        waker.wake();
    }
}

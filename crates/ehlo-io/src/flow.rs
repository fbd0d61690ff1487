//! The loop of every connection, which decides when to read and when to write.

use alloc::boxed::Box;
use core::task::{Context, Poll, ready};
use std::io;

use ehlo::machine::{Expects, Machine};

use crate::buffered::Buffered;
use crate::stream::StreamIo;

/// A stream, its adapter, and its status.
pub(crate) struct Link<'c, S, A> {
    pub(crate) stream: &'c mut S,
    pub(crate) adapter: &'c mut A,
    pub(crate) status: &'c mut Status,
}

/// The status of a stream.
#[derive(Debug, Default)]
pub(crate) struct Status {
    /// Bytes were written since the last flush.
    unflushed: bool,
    /// The stream was closed for writing.
    pub(crate) closed: bool,
    /// The peer has closed its side.
    ended: bool,
    pub(crate) failure: Option<Box<Failure>>,
}

impl Status {
    pub(crate) fn fail(&mut self, failure: Failure) {
        self.failure = Some(Box::new(failure));
    }
}

/// A failed write: the bytes that the peer sent before it are still read.
#[derive(Debug)]
pub(crate) struct Failure {
    kind: io::ErrorKind,
    /// The error, until it is returned for the first time.
    error: Option<io::Error>,
    /// All bytes that the peer sent are in the inbox, or the wait for them has ended.
    pub(crate) drained: bool,
    /// The machine was told: what it reports comes before the error.
    broken: bool,
}

impl Failure {
    pub(crate) fn new(error: io::Error) -> Self {
        Self { kind: error.kind(), error: Some(error), drained: false, broken: false }
    }

    /// The failure that breaks the session off.
    pub(crate) fn broken(error: io::Error) -> Self {
        Self { kind: error.kind(), error: Some(error), drained: true, broken: true }
    }

    /// The failure after its error was returned to the caller.
    pub(crate) fn told(kind: io::ErrorKind) -> Self {
        Self { kind, error: None, drained: false, broken: false }
    }

    pub(crate) fn error(&mut self) -> io::Error {
        self.error.take().unwrap_or_else(|| self.kind.into())
    }
}

impl<M: Machine> Buffered<M> {
    /// Writes due output and reads, until [`next_event`](Self::next_event) has an event.
    ///
    /// A caller that stops polling loses nothing. Due output is sent in one write once the input is
    /// used up. Reading continues while a write is blocked, so two full pipes never wait for each
    /// other. After a number of reads without an event other tasks run, so that a time limit takes
    /// effect however fast the peer sends.
    ///
    /// A failed write becomes an error only after the bytes that the peer sent before it were read
    /// and taken: a server that refuses content in the middle sends a reply, and closes.
    pub(crate) fn poll_ready<S, A: StreamIo<S>>(
        &mut self,
        context: &mut Context<'_>,
        link: &mut Link<'_, S, A>,
    ) -> Poll<io::Result<()>> {
        // A blocked write is not tried again before all available input is read.
        let mut blocked = false;
        let mut rounds = 0;
        loop {
            if link.status.failure.is_some() {
                return self.poll_last_words(context, link);
            }
            let ready = self.is_ready();
            if ready && !self.must_flush() {
                return Poll::Ready(Ok(()));
            }
            let flushed = if blocked { Poll::Pending } else { self.poll_flush(context, link) };
            blocked = flushed.is_pending();
            if let Poll::Ready(Err(error)) = flushed {
                link.status.fail(Failure::new(error));
                continue;
            }
            if ready && (flushed.is_ready() || link.status.ended || self.unread() >= UNREAD_MAX) {
                ready!(flushed)?;
                continue;
            }
            let read = link.adapter.poll_read(link.stream, context, self.read_buffer());
            let Poll::Ready(read) = read else {
                self.release_buffers();
                return Poll::Pending;
            };
            let bytes = read?;
            link.status.ended |= bytes == 0;
            self.advance_read(bytes);
            rounds += 1;
            if rounds == READS {
                return yield_now(context);
            }
        }
    }

    /// Returns the events of the bytes that the peer sent before writing failed; then the error.
    fn poll_last_words<S, A: StreamIo<S>>(
        &mut self,
        context: &mut Context<'_>,
        link: &mut Link<'_, S, A>,
    ) -> Poll<io::Result<()>> {
        ready!(self.poll_drained(context, link));
        let is_due = |failure: &Failure| failure.broken && failure.error.is_some();
        let is_due = link.status.failure.as_deref().is_some_and(is_due) && self.machine().is_over();
        if !is_due && self.machine().expects() == Expects::Reply && self.is_ready() {
            return Poll::Ready(Ok(()));
        }
        let error = link.status.failure.as_mut().map(|failure| failure.error());
        Poll::Ready(error.map_or(Ok(()), Err))
    }

    /// Reads the bytes that the peer sent before writing failed. At a server they do not matter,
    /// because the client gets no answer.
    pub(crate) fn poll_drained<S, A: StreamIo<S>>(
        &mut self,
        context: &mut Context<'_>,
        link: &mut Link<'_, S, A>,
    ) -> Poll<()> {
        let Some(failure) = &mut link.status.failure else { return Poll::Ready(()) };
        self.discard_output();
        while self.machine().expects() == Expects::Reply && !failure.drained {
            match ready!(link.adapter.poll_read(link.stream, context, self.read_buffer())) {
                Ok(bytes @ 1..) => self.advance_read(bytes),
                _ => failure.drained = true,
            }
            failure.drained |= self.unread() >= UNREAD_MAX;
        }
        Poll::Ready(())
    }

    /// Writes all of the outbox.
    pub(crate) fn poll_flush<S, A: StreamIo<S>>(
        &mut self,
        context: &mut Context<'_>,
        link: &mut Link<'_, S, A>,
    ) -> Poll<io::Result<()>> {
        while !self.output().is_empty() {
            let written = link.adapter.poll_write(link.stream, context, self.output());
            self.advance_write(ready!(some(written))?);
            link.status.unflushed = true;
        }
        if link.status.unflushed {
            ready!(link.adapter.poll_flush(link.stream, context))?;
            link.status.unflushed = false;
        }
        Poll::Ready(Ok(()))
    }

    /// Writes all of the outbox, closes the stream for writing, and reads the bytes that the peer
    /// still sends: closing before they are read may destroy the last reply (RFC 1122 §4.2.2.13). A
    /// client keeps the replies of its server; a server drops the commands of its client, which get
    /// no answer any more.
    pub(crate) fn poll_close<S, A: StreamIo<S>>(
        &mut self,
        context: &mut Context<'_>,
        link: &mut Link<'_, S, A>,
    ) -> Poll<io::Result<()>> {
        ready!(self.poll_flush(context, link))?;
        if !link.status.closed {
            ready!(link.adapter.poll_close(link.stream, context))?;
            link.status.closed = true;
        }
        for _ in 0..LAST_READS {
            let read = link.adapter.poll_read(link.stream, context, self.read_buffer());
            let bytes = ready!(read)?;
            if bytes == 0 {
                return Poll::Ready(Ok(()));
            }
            if self.machine().expects() == Expects::Reply && self.unread() < UNREAD_MAX {
                self.advance_read(bytes);
            }
        }
        yield_now(context)
    }
}

/// Lets other tasks and timers run: the task is polled again at once.
pub(crate) fn yield_now<T>(context: &Context<'_>) -> Poll<T> {
    context.waker().wake_by_ref();
    Poll::Pending
}

/// The number of bytes written; 0 is an error.
pub(crate) fn some(written: Poll<io::Result<usize>>) -> Poll<io::Result<usize>> {
    Poll::Ready(match ready!(written)? {
        0 => Err(io::ErrorKind::WriteZero.into()),
        bytes => Ok(bytes),
    })
}

/// The number of reads without an event after which other tasks run, because a peer may send faster
/// than its bytes are taken.
const READS: u32 = 32;
/// The same at the end of a session, which should be short.
const LAST_READS: u32 = 4;
/// The most bytes that are read ahead from a peer that does not read.
const UNREAD_MAX: usize = 1 << 20;

#[cfg(test)]
mod tests {
    use alloc::vec::Vec;
    use core::task::Waker;

    use super::*;
    use ehlo::{Server, ServerConfig};

    /// A stream that gives what it holds, and then nothing.
    struct Memory;

    impl StreamIo<Vec<u8>> for Memory {
        fn poll_read(
            &mut self,
            stream: &mut Vec<u8>,
            _: &mut Context<'_>,
            space: &mut [u8],
        ) -> Poll<io::Result<usize>> {
            if stream.is_empty() {
                return Poll::Pending;
            }
            let bytes = space.len().min(stream.len());
            space[..bytes].copy_from_slice(&stream[..bytes]);
            stream.drain(..bytes);
            Poll::Ready(Ok(bytes))
        }

        fn poll_write(
            &mut self,
            _: &mut Vec<u8>,
            _: &mut Context<'_>,
            bytes: &[u8],
        ) -> Poll<io::Result<usize>> {
            Poll::Ready(Ok(bytes.len()))
        }

        fn poll_flush(&mut self, _: &mut Vec<u8>, _: &mut Context<'_>) -> Poll<io::Result<()>> {
            Poll::Ready(Ok(()))
        }

        fn poll_close(&mut self, _: &mut Vec<u8>, _: &mut Context<'_>) -> Poll<io::Result<()>> {
            Poll::Ready(Ok(()))
        }
    }

    #[test]
    fn a_connection_that_waits_has_no_buffers() {
        let mut server = Buffered::new(Server::new(ServerConfig::DEFAULT));
        let mut context = Context::from_waker(Waker::noop());
        let message = [&b"0123456789\r\n".repeat(1 << 15)[..], b".\r\n"].concat();
        let mail = b"HELO c\r\nMAIL FROM:<a@x>\r\nRCPT TO:<b@x>\r\nDATA\r\n";
        for (bytes, least) in
            [(&b""[..], 0), (b"NOOP\r\n", 0), (mail, 0), (&message, 0), (b"NO", 2)]
        {
            let mut stream = bytes.to_vec();
            let (adapter, status) = (&mut Memory, &mut Status::default());
            let mut link = Link { stream: &mut stream, adapter, status };
            while server.poll_ready(&mut context, &mut link).is_ready() {
                let _ = server.next_event().responder.standard_reply("mx.example");
                assert!(server.capacity() <= 128 * 1024, "{}", server.capacity());
            }
            // A line that has begun is kept, and little beside it.
            let most = if least > 0 { 256 } else { 0 };
            assert!((least..=most).contains(&server.capacity()), "{}", server.capacity());
        }
    }
}

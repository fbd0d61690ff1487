//! The loop that every adapter runs, over any stream.

use core::task::{Context, Poll, ready};

use crate::buffered::Buffered;
use ehlo::machine::Machine;

/// A stream, as an adapter hands it to its [`Buffered`].
///
/// A stream that blocks is always [`Poll::Ready`].
///
/// ```
/// use std::task::{Context, Poll, Waker};
///
/// use ehlo::{Server, ServerConfig};
/// use ehlo_io::{Buffered, Transport};
///
/// /// A peer that says nothing and reads everything.
/// struct Silent;
///
/// impl Transport for Silent {
///     type Error = std::io::Error;
///
///     fn poll_read(&mut self, _: &mut Context<'_>, _: &mut [u8]) -> Poll<std::io::Result<usize>> {
///         Poll::Pending
///     }
///
///     fn poll_write(&mut self, _: &mut Context<'_>, octets: &[u8]) -> Poll<std::io::Result<usize>> {
///         Poll::Ready(Ok(octets.len()))
///     }
///
///     fn poll_flush(&mut self, _: &mut Context<'_>) -> Poll<std::io::Result<()>> {
///         Poll::Ready(Ok(()))
///     }
///
///     fn poll_close(&mut self, _: &mut Context<'_>) -> Poll<std::io::Result<()>> {
///         Poll::Ready(Ok(()))
///     }
/// }
///
/// let mut endpoint = Buffered::new(Server::new(ServerConfig::DEFAULT));
/// let mut context = Context::from_waker(Waker::noop());
/// assert!(endpoint.poll_ready(&mut context, &mut Silent).is_ready());
/// endpoint.next_event().responder.standard_reply("mx.example")?;
/// assert!(endpoint.poll_ready(&mut context, &mut Silent).is_pending());
/// assert!(endpoint.output().is_empty());
/// # Ok::<(), ehlo::ReplyError>(())
/// ```
pub trait Transport {
    /// What can go wrong with the stream.
    type Error;

    /// Reads into `space`, which is not empty: how many octets, 0 at the end of the stream.
    ///
    /// # Errors
    ///
    /// Those of the stream.
    fn poll_read(
        &mut self,
        context: &mut Context<'_>,
        space: &mut [u8],
    ) -> Poll<Result<usize, Self::Error>>;

    /// Writes from `octets`, which is not empty: how many, at least 1.
    ///
    /// # Errors
    ///
    /// Those of the stream, among them that it takes no more.
    fn poll_write(
        &mut self,
        context: &mut Context<'_>,
        octets: &[u8],
    ) -> Poll<Result<usize, Self::Error>>;

    /// Sends what the stream itself has kept back.
    ///
    /// # Errors
    ///
    /// Those of the stream.
    fn poll_flush(&mut self, context: &mut Context<'_>) -> Poll<Result<(), Self::Error>>;

    /// Tells the peer that nothing more comes.
    ///
    /// # Errors
    ///
    /// Those of the stream.
    fn poll_close(&mut self, context: &mut Context<'_>) -> Poll<Result<(), Self::Error>>;
}

impl<M: Machine> Buffered<M> {
    /// Writes what is due and reads, until [`turn`](Self::next_event) has an event.
    ///
    /// Nothing is lost when it is not asked again. What is due goes out in one write when there is
    /// nothing more to take from what was read. While a write is blocked reading goes on, so two
    /// full pipes never wait for each other. After 32 reads without an event it gives way, so that
    /// the time limit of a wait is seen however fast the peer sends.
    ///
    /// # Errors
    ///
    /// Those of the stream. Its end is an event, not an error.
    pub fn poll_ready<T: Transport>(
        &mut self,
        context: &mut Context<'_>,
        transport: &mut T,
    ) -> Poll<Result<(), T::Error>> {
        // A write that is blocked is not tried again before all is read that is there.
        let mut blocked = false;
        let mut rounds = 0;
        loop {
            let ready = self.is_ready();
            if ready && !self.must_flush() {
                return Poll::Ready(Ok(()));
            }
            let flushed =
                if blocked { Poll::Pending } else { self.poll_flush(context, transport)? };
            blocked = flushed.is_pending();
            if ready && (flushed.is_ready() || self.ended || self.unread >= UNREAD_MAX) {
                ready!(flushed);
                continue;
            }
            let Poll::Ready(read) = transport.poll_read(context, self.read_buffer()) else {
                self.release_buffers();
                return Poll::Pending;
            };
            self.advance_read(read?);
            rounds += 1;
            if rounds == READS {
                return give_way(context);
            }
        }
    }

    /// Writes all of the outbox.
    ///
    /// # Errors
    ///
    /// Those of the stream.
    pub fn poll_flush<T: Transport>(
        &mut self,
        context: &mut Context<'_>,
        transport: &mut T,
    ) -> Poll<Result<(), T::Error>> {
        while !self.outbox.is_empty() {
            let octets = ready!(transport.poll_write(context, &self.outbox))?;
            self.advance_write(octets);
            self.unflushed = true;
        }
        if self.unflushed {
            ready!(transport.poll_flush(context))?;
            self.unflushed = false;
        }
        Poll::Ready(Ok(()))
    }

    /// Writes all of the outbox, tells the peer that nothing more comes, and reads, without looking
    /// at it, what the peer still sends: closing before it is read may take the last reply from the
    /// peer (RFC 1122 §4.2.2.13).
    ///
    /// # Errors
    ///
    /// Those of the stream.
    pub fn poll_close<T: Transport>(
        &mut self,
        context: &mut Context<'_>,
        transport: &mut T,
    ) -> Poll<Result<(), T::Error>> {
        ready!(self.poll_flush(context, transport))?;
        if !self.closed {
            ready!(transport.poll_close(context))?;
            self.closed = true;
        }
        for _ in 0..READS {
            if ready!(transport.poll_read(context, self.read_buffer()))? == 0 {
                return Poll::Ready(Ok(()));
            }
        }
        give_way(context)
    }
}

/// Lets others go on, whoever waits for time to pass among them: asked again at once.
pub(super) fn give_way<T>(context: &Context<'_>) -> Poll<T> {
    context.waker().wake_by_ref();
    Poll::Pending
}

/// Reads without an event after which others go on: a peer may send faster than its octets are taken.
const READS: u32 = 32;
/// Octets that are read ahead of a peer that does not read.
const UNREAD_MAX: usize = 1 << 20;

#[cfg(test)]
mod tests {
    use alloc::vec::Vec;
    use core::convert::Infallible;
    use core::task::Waker;

    use super::*;
    use ehlo::{Server, ServerConfig};

    /// Gives what it holds, and then nothing.
    struct Silent(Vec<u8>);

    impl Transport for Silent {
        type Error = Infallible;

        fn poll_read(
            &mut self,
            _: &mut Context<'_>,
            space: &mut [u8],
        ) -> Poll<Result<usize, Infallible>> {
            if self.0.is_empty() {
                return Poll::Pending;
            }
            let octets = space.len().min(self.0.len());
            space[..octets].copy_from_slice(&self.0[..octets]);
            self.0.drain(..octets);
            Poll::Ready(Ok(octets))
        }

        fn poll_write(
            &mut self,
            _: &mut Context<'_>,
            octets: &[u8],
        ) -> Poll<Result<usize, Infallible>> {
            Poll::Ready(Ok(octets.len()))
        }

        fn poll_flush(&mut self, _: &mut Context<'_>) -> Poll<Result<(), Infallible>> {
            Poll::Ready(Ok(()))
        }

        fn poll_close(&mut self, _: &mut Context<'_>) -> Poll<Result<(), Infallible>> {
            Poll::Ready(Ok(()))
        }
    }

    #[test]
    fn a_connection_that_waits_has_no_buffers() {
        let mut endpoint = Buffered::new(Server::new(ServerConfig::DEFAULT));
        let mut context = Context::from_waker(Waker::noop());
        let message = [&b"0123456789\r\n".repeat(1 << 15)[..], b".\r\n"].concat();
        let mail = b"HELO c\r\nMAIL FROM:<a@x>\r\nRCPT TO:<b@x>\r\nDATA\r\n";
        for (octets, least) in
            [(&b""[..], 0), (b"NOOP\r\n", 0), (mail, 0), (&message, 0), (b"NO", 2)]
        {
            let mut silent = Silent(octets.to_vec());
            while endpoint.poll_ready(&mut context, &mut silent).is_ready() {
                let _ = endpoint.next_event().responder.standard_reply("mx.example");
                assert!(endpoint.capacity() <= 128 * 1024, "{}", endpoint.capacity());
            }
            // A line that has begun is kept, and the room behind it.
            let most = if least > 0 { 32 * 1024 } else { 0 };
            assert!((least..=most).contains(&endpoint.capacity()), "{}", endpoint.capacity());
        }
    }

    #[test]
    #[should_panic(expected = "more was read")]
    fn a_stream_cannot_read_more_than_there_is_space() {
        let mut endpoint = Buffered::new(Server::new(ServerConfig::DEFAULT));
        let octets = endpoint.read_buffer().len();
        endpoint.advance_read(octets + 1);
    }

    #[test]
    #[should_panic(expected = "more was sent")]
    fn a_stream_cannot_send_what_is_not_there() {
        Buffered::new(Server::new(ServerConfig::DEFAULT)).advance_write(1);
    }
}

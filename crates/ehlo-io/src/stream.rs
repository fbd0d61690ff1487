//! The traits that an adapter implements for its streams.

use core::task::{Context, Poll};
use std::io;

/// Reads and writes streams of one type, `S`: an adapter implements it.
///
/// A blocking stream always returns [`Poll::Ready`]; or it may return [`Poll::Pending`] after a
/// while, and is then polled again.
///
/// ```
/// use ehlo_io::StreamIo;
/// use std::io::Result;
/// use std::task::{Context, Poll, Waker};
///
/// /// A peer that reads everything and sends nothing.
/// struct Silent;
///
/// impl StreamIo<()> for Silent {
///     fn poll_read(&mut self, _: &mut (), _: &mut Context<'_>, _: &mut [u8]) -> Poll<Result<usize>> {
///         Poll::Pending
///     }
///     fn poll_write(&mut self, _: &mut (), _: &mut Context<'_>, bytes: &[u8]) -> Poll<Result<usize>> {
///         Poll::Ready(Ok(bytes.len()))
///     }
///     fn poll_flush(&mut self, _: &mut (), _: &mut Context<'_>) -> Poll<Result<()>> {
///         Poll::Ready(Ok(()))
///     }
///     fn poll_close(&mut self, _: &mut (), _: &mut Context<'_>) -> Poll<Result<()>> {
///         Poll::Ready(Ok(()))
///     }
/// }
///
/// let mut context = Context::from_waker(Waker::noop());
/// assert!(matches!(Silent.poll_write(&mut (), &mut context, b"NOOP\r\n"), Poll::Ready(Ok(6))));
/// ```
#[doc(alias = "transport")]
pub trait StreamIo<S> {
    /// Reads into `space`, which is not empty. Returns the number of bytes, 0 at the end of the
    /// stream.
    ///
    /// # Errors
    ///
    /// Those of the stream.
    fn poll_read(
        &mut self,
        stream: &mut S,
        context: &mut Context<'_>,
        space: &mut [u8],
    ) -> Poll<io::Result<usize>>;

    /// Writes from `bytes`, which is not empty. Returns the number of bytes written, 0 when the
    /// stream takes no more.
    ///
    /// # Errors
    ///
    /// Those of the stream.
    fn poll_write(
        &mut self,
        stream: &mut S,
        context: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>>;

    /// Sends the bytes that the stream has buffered.
    ///
    /// # Errors
    ///
    /// Those of the stream.
    fn poll_flush(&mut self, stream: &mut S, context: &mut Context<'_>) -> Poll<io::Result<()>>;

    /// Closes the stream for writing. Reading continues.
    ///
    /// # Errors
    ///
    /// Those of the stream.
    fn poll_close(&mut self, stream: &mut S, context: &mut Context<'_>) -> Poll<io::Result<()>>;
}

/// An adapter that reads the content of messages from `R`.
///
/// ```
/// use ehlo_io::ContentReader;
/// use std::io::{Read, Result};
/// use std::task::{Context, Poll, Waker};
///
/// struct Memory;
///
/// impl ContentReader<&[u8]> for Memory {
///     fn read(reader: &mut &[u8], _: &mut Context<'_>, space: &mut [u8]) -> Poll<Result<usize>> {
///         Poll::Ready(Read::read(reader, space))
///     }
/// }
///
/// let (mut content, mut context) = (&b"Hello!\r\n"[..], Context::from_waker(Waker::noop()));
/// let read = Memory::read(&mut content, &mut context, &mut [0; 5]);
/// assert!(matches!(read, Poll::Ready(Ok(5))) && content == b"!\r\n");
/// ```
pub trait ContentReader<R> {
    /// Reads into `space`, which is not empty. Returns the number of bytes, 0 at the end of the
    /// content.
    ///
    /// # Errors
    ///
    /// Those of the reader.
    fn read(reader: &mut R, context: &mut Context<'_>, space: &mut [u8])
    -> Poll<io::Result<usize>>;
}

/// An adapter that writes the content of messages to `W`.
///
/// ```
/// use ehlo_io::ContentWriter;
/// use std::io::{Result, Write};
/// use std::task::{Context, Poll, Waker};
///
/// struct Memory;
///
/// impl ContentWriter<Vec<u8>> for Memory {
///     fn write(writer: &mut Vec<u8>, _: &mut Context<'_>, bytes: &[u8]) -> Poll<Result<usize>> {
///         Poll::Ready(Write::write(writer, bytes))
///     }
///     fn flush(writer: &mut Vec<u8>, _: &mut Context<'_>) -> Poll<Result<()>> {
///         Poll::Ready(Write::flush(writer))
///     }
/// }
///
/// let (mut content, mut context) = (Vec::new(), Context::from_waker(Waker::noop()));
/// assert!(Memory::write(&mut content, &mut context, b"Hello!\r\n").is_ready());
/// assert_eq!(content, b"Hello!\r\n");
/// ```
pub trait ContentWriter<W> {
    /// Writes from `bytes`, which is not empty. Returns the number of bytes written, 0 when the
    /// writer takes no more.
    ///
    /// # Errors
    ///
    /// Those of the writer.
    fn write(writer: &mut W, context: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>>;

    /// Passes on the bytes that the writer has buffered.
    ///
    /// # Errors
    ///
    /// Those of the writer.
    fn flush(writer: &mut W, context: &mut Context<'_>) -> Poll<io::Result<()>>;
}

//! What a test asks of a server.

use std::fmt;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};
use std::time::{Duration, Instant};

use crate::error::NotReceived;
use crate::memory::MemoryStream;
use crate::message::Message;
use crate::shared::Shared;

/// A server's state: what it has received, and how it behaves. A clone is the same server.
///
/// [`MockBuilder::in_memory`](crate::MockBuilder::in_memory) makes one without a port. A
/// [`MockServer`](crate::MockServer) has one, and all its methods.
///
/// ```
/// use std::io::{Read, Write};
/// use ehlo_mock::MockServer;
///
/// let mock = MockServer::smtp().in_memory()?;
/// let mut stream = mock.connect();
/// stream.write_all(b"QUIT\r\n")?;
/// let mut said = String::new();
/// stream.read_to_string(&mut said)?;
/// assert_eq!(said, "220 mock.example ESMTP ready\r\n221 2.0.0 mock.example closing\r\n");
/// assert!(mock.messages().is_empty());
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone)]
pub struct Mock(pub(crate) Arc<Shared>);

impl Mock {
    /// A connection in memory. The server answers when the stream is read. It offers no TLS there.
    pub fn connect(&self) -> MemoryStream {
        MemoryStream::new(Arc::clone(&self.0))
    }

    /// The messages that were accepted so far, in their order.
    pub fn messages(&self) -> Vec<Message> {
        self.0.lock().messages.clone()
    }

    /// Takes the messages out, so that the next test begins without them.
    pub fn take_messages(&self) -> Vec<Message> {
        std::mem::take(&mut self.0.lock().messages)
    }

    /// What went wrong in the sessions so far: commands that the server refused by its own judgement,
    /// connections that broke, TLS handshakes that failed. One line each, without credentials.
    pub fn errors(&self) -> Vec<String> {
        self.0.lock().errors.clone()
    }

    /// Waits until so many messages were accepted, for at most ten seconds, and returns all. It blocks the
    /// thread.
    ///
    /// # Errors
    ///
    /// [`NotReceived`].
    pub fn wait_for(&self, messages: usize) -> Result<Vec<Message>, NotReceived> {
        self.wait_for_within(messages, Duration::from_secs(10))
    }

    /// The same, for at most this time.
    ///
    /// # Errors
    ///
    /// [`NotReceived`].
    pub fn wait_for_within(
        &self,
        messages: usize,
        limit: Duration,
    ) -> Result<Vec<Message>, NotReceived> {
        let begun = Instant::now();
        let mut state = self.0.lock();
        while state.messages.len() < messages {
            let Some(left) = limit.checked_sub(begun.elapsed()).filter(|left| !left.is_zero())
            else {
                let errors = state.errors.clone();
                return Err(NotReceived {
                    wanted: messages,
                    received: state.messages.len(),
                    errors,
                });
            };
            state = self.0.wait(state, left);
        }
        Ok(state.messages.clone())
    }

    /// A future of any runtime that is ready when so many messages were accepted; it gives all. It has no
    /// limit of its own.
    ///
    /// ```
    /// # async fn test(send_welcome: impl AsyncFn()) -> Result<(), Box<dyn std::error::Error>> {
    /// let server = ehlo_mock::MockServer::smtp().start()?;
    /// send_welcome().await;
    /// let messages = server.received(1).await;
    /// # drop(messages);
    /// # Ok(())
    /// # }
    /// ```
    pub fn received(&self, messages: usize) -> Received<'_> {
        Received { mock: self, messages }
    }
}

impl fmt::Debug for Mock {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let state = self.0.lock();
        f.debug_struct("Mock")
            .field("role", &self.0.config.role)
            .field("messages", &state.messages)
            .field("errors", &state.errors)
            .finish_non_exhaustive()
    }
}

/// Waits for messages: see [`Mock::received`].
///
/// ```
/// use std::task::{Context, Poll, Waker};
/// use ehlo_mock::MockServer;
///
/// let mock = MockServer::smtp().in_memory()?;
/// let received = std::pin::pin!(mock.received(0));
/// assert_eq!(received.poll(&mut Context::from_waker(Waker::noop())), Poll::Ready(vec![]));
/// # Ok::<(), ehlo_mock::MockError>(())
/// ```
#[derive(Debug)]
#[must_use = "a future does nothing unless it is awaited"]
pub struct Received<'m> {
    mock: &'m Mock,
    messages: usize,
}

impl Future for Received<'_> {
    type Output = Vec<Message>;

    fn poll(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Vec<Message>> {
        let mut state = self.mock.0.lock();
        if state.messages.len() >= self.messages {
            return Poll::Ready(state.messages.clone());
        }
        if !state.waiting.iter().any(|waker| waker.will_wake(context.waker())) {
            state.waiting.push(context.waker().clone());
        }
        Poll::Pending
    }
}

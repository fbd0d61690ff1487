//! The messages of a delivery.

use core::error::Error;
use core::task::{Context, Poll};

use ehlo::Delivery;
use ehlo::Envelope;
use ehlo::delivery::Event;
use ehlo::syntax::sasl::Mechanisms;
use ehlo_sasl::{AnyClient, Channel, Credentials};

use crate::deliver::report::RecipientReport;

/// The messages that [`Connection::deliver`](crate::Connection::deliver) sends, and the receiver of
/// their outcomes.
///
/// [`MessageQueue`] implements it for an iterator of envelopes and their content. Another
/// implementation may choose the envelope by the server's extensions, open the content more than
/// once, and see every event.
///
/// ```
/// use ehlo::Envelope;
/// use ehlo::delivery::Fate;
/// use ehlo::Delivery;
/// use ehlo_io::{MessageSource, RecipientReport};
///
/// /// The same content for every envelope, as often as it is asked for.
/// struct Circular<'v> {
///     envelopes: std::slice::Iter<'v, Envelope<'v>>,
///     text: &'v [u8],
///     accepted: usize,
/// }
///
/// impl<'v> MessageSource<'v> for Circular<'v> {
///     type Content = &'v [u8];
///
///     fn envelope(&mut self, _: &Delivery<'v>) -> Option<&'v Envelope<'v>> {
///         self.envelopes.next()
///     }
///
///     fn content(&mut self, _: usize) -> Option<&'v [u8]> {
///         Some(self.text)
///     }
///
///     fn finished(&mut self, _: usize, recipients: &[RecipientReport]) {
///         self.accepted += recipients.iter().filter(|one| one.fate == Fate::Accepted).count();
///     }
/// }
///
/// let mut messages = Circular { envelopes: [].iter(), text: b"Hello!\r\n", accepted: 0 };
/// assert_eq!(messages.content(0), Some(&b"Hello!\r\n"[..]));
/// messages.finished(0, &[]);
/// assert_eq!(messages.accepted, 0);
/// ```
pub trait MessageSource<'v> {
    /// The type of reader for content: std's `Read`, or the `AsyncRead` of the adapter's runtime.
    type Content;

    /// The next envelope; `None` ends the session. `delivery` knows the server's extensions:
    /// [`Delivery::plan`].
    fn envelope(&mut self, delivery: &Delivery<'v>) -> Option<&'v Envelope<'v>>;

    /// The content of an envelope, from its beginning; envelopes are counted from 0. `None` if the
    /// content is not available: the delivery then abandons the message. It is called more than
    /// once only for an envelope that is [`repeatable`](Envelope::repeatable).
    fn content(&mut self, envelope: usize) -> Option<Self::Content>;

    /// What comes next: by default an [`envelope`](Self::envelope), or the end of the session. A
    /// source that waits for its next message, as on a channel, has it pending: replies are read
    /// meanwhile, and no time limit runs for a server that owes nothing. Not called again before the
    /// last one was ready.
    fn poll_next(
        &mut self,
        _context: &mut Context<'_>,
        delivery: &Delivery<'v>,
    ) -> Poll<NextEnvelope<'v>> {
        let next = self.envelope(delivery);
        Poll::Ready(next.map_or(NextEnvelope::Quit, NextEnvelope::Envelope))
    }

    /// Called when every recipient of an envelope has its outcome; these are in the order of the
    /// recipients, each with the text of the server's reply.
    fn finished(&mut self, envelope: usize, recipients: &[RecipientReport]);

    /// Called with every event before it is handled, for example a reply, or the reason why a
    /// session takes no envelope.
    fn event(&mut self, _event: &Event<'_>) {}

    /// Called with the bytes that are written to the server, for a transcript: the bytes of SMTP,
    /// inside TLS too. They include credentials.
    fn sent(&mut self, _bytes: &[u8]) {}

    /// Called with the bytes that are read from the server.
    fn received(&mut self, _bytes: &[u8]) {}

    /// Called with errors outside SMTP: content could not be read, the TLS handshake failed, or the
    /// server failed to authenticate itself. Events report the consequences.
    fn on_error(&mut self, _error: &(dyn Error + 'static)) {}

    /// Returns `true` if there are credentials: no mail is then sent without them, unless
    /// [`AuthPolicy::Optional`](ehlo::delivery::AuthPolicy::Optional) allows it. Called at the
    /// beginning of the session.
    fn has_credentials(&self) -> bool {
        false
    }

    /// The client's side of one of the mechanisms `offered`, for one attempt to authenticate;
    /// `None` if it can use no mechanism of them. It is called again only if the server refused the
    /// mechanism: a refused password is not tried again.
    fn mechanism(&mut self, _offered: Mechanisms, _channel: Channel<'_>) -> Option<AnyClient<'v>> {
        None
    }
}

/// What a [`MessageSource`] has next.
///
/// ```
/// use ehlo::{Envelope, ForwardPath, ReversePath};
/// use ehlo_io::NextEnvelope;
///
/// let recipients = [ForwardPath::new("b@example.org")?];
/// let envelope = Envelope::new(ReversePath::Null, &recipients);
/// assert!(matches!(NextEnvelope::Envelope(&envelope), NextEnvelope::Envelope(_)));
/// # Ok::<(), ehlo::SyntaxError>(())
/// ```
#[derive(Clone, Copy, Debug)]
pub enum NextEnvelope<'v> {
    /// An envelope.
    Envelope(&'v Envelope<'v>),
    /// Nothing more: the session ends by QUIT.
    Quit,
    /// Nothing now: what is open is finished, and the session is kept, as
    /// [`SessionEnd::Idle`](super::SessionEnd::Idle).
    Idle,
}

impl<'v, X: MessageSource<'v> + ?Sized> MessageSource<'v> for &mut X {
    type Content = X::Content;

    fn poll_next(
        &mut self,
        context: &mut Context<'_>,
        delivery: &Delivery<'v>,
    ) -> Poll<NextEnvelope<'v>> {
        (**self).poll_next(context, delivery)
    }

    fn envelope(&mut self, delivery: &Delivery<'v>) -> Option<&'v Envelope<'v>> {
        (**self).envelope(delivery)
    }

    fn content(&mut self, envelope: usize) -> Option<Self::Content> {
        (**self).content(envelope)
    }

    fn finished(&mut self, envelope: usize, recipients: &[RecipientReport]) {
        (**self).finished(envelope, recipients);
    }

    fn event(&mut self, event: &Event<'_>) {
        (**self).event(event);
    }

    fn sent(&mut self, bytes: &[u8]) {
        (**self).sent(bytes);
    }

    fn received(&mut self, bytes: &[u8]) {
        (**self).received(bytes);
    }

    fn on_error(&mut self, error: &(dyn Error + 'static)) {
        (**self).on_error(error);
    }

    fn has_credentials(&self) -> bool {
        (**self).has_credentials()
    }

    fn mechanism(&mut self, offered: Mechanisms, channel: Channel<'_>) -> Option<AnyClient<'v>> {
        (**self).mechanism(offered, channel)
    }
}

/// A [`MessageSource`] from an iterator of envelopes, each with one reader of its content. It
/// passes outcomes to a closure: the number of the envelope, counted from 0, and one outcome for
/// each recipient. Other errors go to [`on_error`](Self::on_error).
///
/// An envelope that the session did not take, because it ended before, has no outcome: it is still
/// in the [`iterator`](Self::into_unsent).
///
/// ```
/// use ehlo::{Delivery, DeliveryConfig, Envelope};
/// use ehlo::delivery::Fate;
/// use ehlo::{ForwardPath, HeloName, ReversePath};
/// use ehlo_io::{Connection, MessageQueue, SessionEnd};
/// # use ehlo_io::{ContentReader, StreamIo};
/// # use std::io::{Read, Result};
/// # use std::task::{Context, Poll, Waker};
/// # #[derive(Default)]
/// # struct Memory;
/// # impl StreamIo<&[u8]> for Memory {
/// #     fn poll_read(&mut self, stream: &mut &[u8], _: &mut Context<'_>, to: &mut [u8]) -> Poll<Result<usize>> {
/// #         let line = to.len().min(7);
/// #         Poll::Ready(stream.read(&mut to[..line]))
/// #     }
/// #     fn poll_write(&mut self, _: &mut &[u8], _: &mut Context<'_>, from: &[u8]) -> Poll<Result<usize>> {
/// #         Poll::Ready(Ok(from.len()))
/// #     }
/// #     fn poll_flush(&mut self, _: &mut &[u8], _: &mut Context<'_>) -> Poll<Result<()>> {
/// #         Poll::Ready(Ok(()))
/// #     }
/// #     fn poll_close(&mut self, _: &mut &[u8], _: &mut Context<'_>) -> Poll<Result<()>> {
/// #         Poll::Ready(Ok(()))
/// #     }
/// # }
/// # impl ContentReader<&[u8]> for Memory {
/// #     fn read(content: &mut &[u8], _: &mut Context<'_>, to: &mut [u8]) -> Poll<Result<usize>> {
/// #         Poll::Ready(content.read(to))
/// #     }
/// # }
/// # let sleep = |_| std::future::pending::<()>(); // nothing is waited for
///
/// let recipients = [ForwardPath::new("b@example.org")?];
/// let envelope = Envelope::new(ReversePath::new("a@example.org")?, &recipients);
/// let mut fates = Vec::new();
/// let messages = MessageQueue::new([(&envelope, "Subject: x\r\n\r\nHello!\r\n".as_bytes())], |_, all| {
///     fates.extend(all.iter().map(|outcome| outcome.fate));
/// });
///
/// // A server's side of the session, in memory.
/// let stream = &b"220 a\r\n250 b\r\n250 c\r\n250 d\r\n354 e\r\n250 f\r\n221 g\r\n"[..];
/// let delivery = Delivery::new(HeloName::new("client.example")?, DeliveryConfig::DEFAULT);
/// let mut connection = Connection::<_, _, Memory, _>::new(stream, delivery, sleep);
/// # let connection = &mut connection;
/// # let ended = std::pin::pin!(async {
/// let ended = connection.deliver(messages).await?;
/// assert_eq!(ended, SessionEnd::Done);
/// # Result::Ok(()) }).poll(&mut Context::from_waker(Waker::noop()));
/// # assert!(ended.is_ready());
/// assert_eq!(fates, [Fate::Accepted]);
/// # use std::future::Future;
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[doc(alias = "queue")]
#[derive(Debug)]
pub struct MessageQueue<'v, I, R, F, T = fn(&(dyn Error + 'static))> {
    unsent: I,
    content: Option<R>,
    finished: F,
    on_error: T,
    credentials: Option<Credentials<'v>>,
}

impl<'v, I, R, F> MessageQueue<'v, I, R, F>
where
    I: Iterator<Item = (&'v Envelope<'v>, R)>,
    F: FnMut(usize, &[RecipientReport]),
{
    /// A queue of the envelopes and contents of `messages`; it calls the closure with their
    /// outcomes.
    pub fn new(messages: impl IntoIterator<IntoIter = I>, finished: F) -> Self {
        let unsent = messages.into_iter();
        Self { unsent, content: None, finished, on_error: |_| {}, credentials: None }
    }
}

impl<'v, I, R, F, T> MessageQueue<'v, I, R, F, T> {
    /// The same, with a closure for [`MessageSource::on_error`]: for a failed TLS handshake, or
    /// content that could not be read.
    ///
    /// ```
    /// use ehlo::Envelope;
    /// use ehlo_io::{MessageQueue, MessageSource};
    ///
    /// let nothing: [(&Envelope<'_>, &[u8]); 0] = [];
    /// let mut heard = Vec::new();
    /// let mut messages = MessageQueue::new(nothing, |_, _| {}).on_error(|error| heard.push(error.to_string()));
    /// MessageSource::on_error(&mut messages, &std::fmt::Error);
    /// # drop(messages);
    /// assert_eq!(heard.len(), 1);
    /// ```
    pub fn on_error<U: FnMut(&(dyn Error + 'static))>(
        self,
        on_error: U,
    ) -> MessageQueue<'v, I, R, F, U> {
        let Self { unsent, content, finished, credentials, .. } = self;
        MessageQueue { unsent, content, finished, on_error, credentials }
    }

    /// The same, with authentication by the strongest offered mechanism that can use `credentials`.
    /// If the server refuses the mechanism, another one is tried: inside TLS any, outside TLS a
    /// stronger one. A refused password is not tried again.
    ///
    /// Without authentication no message is sent, unless
    /// [`AuthPolicy::Optional`](ehlo::delivery::AuthPolicy::Optional) allows it.
    #[must_use]
    pub fn authenticate(self, credentials: Credentials<'v>) -> Self {
        Self { credentials: Some(credentials), ..self }
    }

    /// The messages that were not begun, of a session that [ended early](super::SessionEnd::Early).
    pub fn into_unsent(self) -> I {
        self.unsent
    }
}

impl<'v, I, R, F, T> MessageSource<'v> for MessageQueue<'v, I, R, F, T>
where
    I: Iterator<Item = (&'v Envelope<'v>, R)>,
    F: FnMut(usize, &[RecipientReport]),
    T: FnMut(&(dyn Error + 'static)),
{
    type Content = R;

    fn envelope(&mut self, _: &Delivery<'v>) -> Option<&'v Envelope<'v>> {
        let (envelope, content) = self.unsent.next()?;
        self.content = Some(content);
        Some(envelope)
    }

    fn content(&mut self, _: usize) -> Option<R> {
        self.content.take()
    }

    fn finished(&mut self, envelope: usize, recipients: &[RecipientReport]) {
        (self.finished)(envelope, recipients);
    }

    fn on_error(&mut self, error: &(dyn Error + 'static)) {
        (self.on_error)(error);
    }

    fn has_credentials(&self) -> bool {
        self.credentials.is_some()
    }

    fn mechanism(&mut self, offered: Mechanisms, channel: Channel<'_>) -> Option<AnyClient<'v>> {
        AnyClient::strongest(offered, self.credentials.as_ref()?, channel)
    }
}

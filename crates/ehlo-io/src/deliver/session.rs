//! A session that is kept: greeted, authenticated, and ready for message after message.

use alloc::string::String;
use alloc::vec::Vec;
use core::fmt::{self, Write as _};
use core::task::{Context, Poll};
use std::io;

use ehlo::syntax::sasl::Mechanisms;
use ehlo::{Delivery, Envelope};
use ehlo_sasl::{AnyClient, Channel, Credentials};

use crate::connection::Connection;
use crate::deliver::driver::{Driver, LastWords, Read, Step};
use crate::deliver::messages::{MessageSource, NextEnvelope};
use crate::deliver::report::RecipientReport;
use crate::deliver::session_end::{EndReason, SessionEnd};
use crate::error::TlsStateError;
use crate::stream::{ContentReader, StreamIo};
use crate::time::Timer;

/// A session that is kept between messages: greeted, inside TLS and authenticated as its delivery
/// says. It borrows nothing, so a pool or a queue holds it, and the envelopes are made on the way. It
/// works with the streams of every adapter.
///
/// `send` takes it out, so a call that is dropped in the middle leaves a session that is over.
///
/// ```
/// use ehlo::{Delivery, DeliveryConfig, Envelope, ForwardPath, HeloName, ReversePath};
/// use ehlo_io::{Connection, Session};
/// # use ehlo_io::{ContentReader, StreamIo};
/// # use std::future::Future;
/// # use std::io::{Read, Result};
/// # use std::pin::pin;
/// # use std::task::{Context, Poll, Waker};
/// # type Replies = std::vec::IntoIter<&'static str>;
/// # #[derive(Default)]
/// # struct Script;
/// # impl StreamIo<Replies> for Script {
/// #     fn poll_read(&mut self, stream: &mut Replies, _: &mut Context<'_>, out: &mut [u8]) -> Poll<Result<usize>> {
/// #         Poll::Ready(stream.next().map_or(Ok(0), |reply| reply.as_bytes().read(out)))
/// #     }
/// #     fn poll_write(&mut self, _: &mut Replies, _: &mut Context<'_>, bytes: &[u8]) -> Poll<Result<usize>> {
/// #         Poll::Ready(Ok(bytes.len()))
/// #     }
/// #     fn poll_flush(&mut self, _: &mut Replies, _: &mut Context<'_>) -> Poll<Result<()>> { Poll::Ready(Ok(())) }
/// #     fn poll_close(&mut self, _: &mut Replies, _: &mut Context<'_>) -> Poll<Result<()>> { Poll::Ready(Ok(())) }
/// # }
/// # impl ContentReader<&[u8]> for Script {
/// #     fn read(from: &mut &[u8], _: &mut Context<'_>, out: &mut [u8]) -> Poll<Result<usize>> {
/// #         Poll::Ready(Read::read(from, out))
/// #     }
/// # }
/// # let ok = "250 2.0.0 ok\r\n";
/// # let message = [ok, ok, "354 go on\r\n", "250 2.0.0 queued as 17\r\n"];
/// # let all = [&["220 mx.example\r\n", "250 mx.example\r\n"][..], &message, &message].concat();
/// # let (stream, sleep) = (all.into_iter(), |_| std::future::pending::<()>());
///
/// # let work = async {
/// let delivery = Delivery::new(HeloName::new("client.example").unwrap(), DeliveryConfig::DEFAULT);
/// let connection = Connection::<_, _, Script, _>::new(stream, delivery, sleep);
/// let mut session = Session::open(connection, None).await.unwrap();
/// for address in ["b@example.org", "c@example.org"] {
///     let recipients = [ForwardPath::new(address).unwrap()];
///     let envelope = Envelope::new(ReversePath::new("a@example.org").unwrap(), &recipients);
///     let reports = session.send(&envelope, &b"Subject: x\r\n\r\nHello!\r\n"[..]).await.unwrap();
///     assert_eq!(reports[0].text.as_deref(), Some("queued as 17"));
/// }
/// # };
/// # let mut work = pin!(work);
/// # let mut context = Context::from_waker(Waker::noop());
/// # assert!((0..100).any(|_| work.as_mut().poll(&mut context).is_ready()));
/// ```
#[doc(alias = "pool")]
pub struct Session<S, A, T: Timer> {
    connection: Option<Connection<S, Delivery<'static>, A, T>>,
    end: Option<SendFailure>,
}

impl<S: fmt::Debug, A, T: Timer> fmt::Debug for Session<S, A, T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Session")
            .field("connection", &self.connection)
            .field("end", &self.end)
            .finish()
    }
}

impl<S, A: StreamIo<S>, T: Timer> Session<S, A, T> {
    /// Begins the session of a new connection: greeting, EHLO, and AUTH with `credentials`, without
    /// which nothing is sent then unless
    /// [`AuthPolicy::Optional`](ehlo::delivery::AuthPolicy::Optional) allows it. Does not begin TLS, as
    /// [`Connection::deliver`]. A connection whose delivery is idle is taken as it is.
    ///
    /// # Errors
    ///
    /// [`SendFailure`]: why the session takes no envelope.
    pub async fn open<'v>(
        mut connection: Connection<S, Delivery<'v>, A, T>,
        credentials: Option<Credentials<'v>>,
    ) -> Result<Self, SendFailure> {
        if !connection.buffered.machine_mut().forbid_tls() {
            return Err(SendFailure::io(TlsStateError::NoTls.into()));
        }
        let mut driver = Driver::new(Between { next: NextEnvelope::Idle, credentials }, NO_CONTENT);
        let step = driver.run(&mut connection).await;
        let last_words = core::mem::take(&mut driver.last_words);
        drop(driver);
        Self::kept(connection, step, last_words)
    }

    /// Keeps the session of a connection that has come to [rest](SessionEnd::Idle), as by
    /// [`Connection::deliver`] or `deliver_tls`.
    ///
    /// # Errors
    ///
    /// The connection as it is, when its delivery is not [idle](Delivery::is_idle).
    #[allow(clippy::result_large_err)] // it is the connection itself
    pub fn new(
        connection: Connection<S, Delivery<'_>, A, T>,
    ) -> Result<Self, Connection<S, Delivery<'_>, A, T>> {
        Ok(Self { connection: Some(connection.into_idle()?), end: None })
    }

    /// Sends one message, and says what became of each recipient, with the text of the server's
    /// reply. Neither the envelope nor the content is needed afterwards.
    ///
    /// When the session breaks meanwhile, the reports say so, by
    /// [`Fate::Unknown`](ehlo::delivery::Fate::Unknown) behind the end of the content and
    /// [`Fate::Deferred`](ehlo::delivery::Fate::Deferred) before it, and [`end`](Self::end) says why.
    ///
    /// # Errors
    ///
    /// [`SendFailure`] when the message was not begun: it can be sent over another session.
    pub async fn send<R>(
        &mut self,
        envelope: &Envelope<'_>,
        content: R,
    ) -> Result<Vec<RecipientReport>, SendFailure>
    where
        A: ContentReader<R>,
    {
        let taken = self.connection.take();
        let mut connection: Connection<S, Delivery<'_>, A, T> =
            taken.ok_or_else(|| SendFailure::io(io::ErrorKind::NotConnected.into()))?;
        let mut message =
            Message { envelope: Some(envelope), content: Some(content), reports: None };
        let mut driver = Driver::new(&mut message, A::read);
        connection.clock.restart();
        let step = driver.run(&mut connection).await;
        let last_words = core::mem::take(&mut driver.last_words);
        drop(driver);
        match (Self::kept(connection, step, last_words), message.reports) {
            (Ok(kept), Some(reports)) => {
                *self = kept;
                Ok(reports)
            }
            (Err(failure), Some(reports)) => {
                self.end = Some(failure);
                Ok(reports)
            }
            (Err(failure), None) => Err(failure),
            (Ok(_), None) => Err(SendFailure::io(io::ErrorKind::NotConnected.into())),
        }
    }

    /// Says NOOP, to find out whether the server is still there: before a message that goes over a
    /// session that was idle.
    ///
    /// # Errors
    ///
    /// [`SendFailure`] when it is not; the session is then over.
    pub async fn check(&mut self) -> Result<(), SendFailure> {
        let mut connection = self
            .connection
            .take()
            .ok_or_else(|| SendFailure::io(io::ErrorKind::NotConnected.into()))?;
        connection.buffered.machine_mut().noop();
        let mut driver =
            Driver::new(Between { next: NextEnvelope::Idle, credentials: None }, NO_CONTENT);
        connection.clock.restart();
        let step = driver.run(&mut connection).await;
        let last_words = core::mem::take(&mut driver.last_words);
        drop(driver);
        *self = Self::kept(connection, step, last_words)?;
        Ok(())
    }

    /// Ends the session by QUIT, and closes the connection. A session that is over is closed already.
    ///
    /// # Errors
    ///
    /// Those of the stream.
    pub async fn quit(self) -> io::Result<()> {
        let Some(mut connection) = self.connection else { return Ok(()) };
        let mut driver =
            Driver::new(Between { next: NextEnvelope::Quit, credentials: None }, NO_CONTENT);
        connection.clock.restart();
        driver.run(&mut connection).await?;
        connection.close().await
    }

    /// Whether the session takes another message, as far as is known without asking the server:
    /// [`check`](Self::check) asks.
    pub const fn is_open(&self) -> bool {
        self.connection.is_some()
    }

    /// Why the session ended while a message was sent.
    pub const fn end(&self) -> Option<&SendFailure> {
        self.end.as_ref()
    }

    /// The connection, idle; `None` when the session is over.
    pub fn into_connection(self) -> Option<Connection<S, Delivery<'static>, A, T>> {
        self.connection
    }

    pub(crate) fn kept(
        connection: Connection<S, Delivery<'_>, A, T>,
        step: io::Result<Step>,
        LastWords { reply, error }: LastWords,
    ) -> Result<Self, SendFailure> {
        let cause = match step {
            Err(error) => FailureCause::Io(error),
            Ok(Step::Closed(SessionEnd::Early(reason))) => FailureCause::Ended(reason),
            Ok(Step::Upgrade | Step::Closed(_)) => match connection.into_idle() {
                Ok(rested) => return Ok(Self { connection: Some(rested), end: None }),
                Err(_) => FailureCause::Ended(EndReason::Closed),
            },
        };
        Err(SendFailure { cause, reply, error })
    }
}

/// Why a session took no message, or ended, with the server's words.
///
/// ```
/// use ehlo_io::{EndReason, FailureCause, SendFailure};
///
/// let cause = FailureCause::Ended(EndReason::Closed);
/// let reply = Some("shutting down".to_owned());
/// let failure = SendFailure { cause, reply, error: None };
/// assert_eq!(failure.to_string(), "the server closed the connection (shutting down)");
/// ```
#[derive(Debug)]
pub struct SendFailure {
    /// Why.
    pub cause: FailureCause,
    /// The text of the reply that ended the session, where one did; lines are divided by LF.
    pub reply: Option<String>,
    /// The text of the first error outside SMTP, where there was one: a TLS handshake that failed, a
    /// server that did not prove its identity, or content that could not be read.
    pub error: Option<String>,
}

/// Why a session ended.
///
/// ```
/// use ehlo_io::{EndReason, FailureCause};
///
/// assert!(matches!(FailureCause::Ended(EndReason::Closed), FailureCause::Ended(_)));
/// ```
#[derive(Debug)]
pub enum FailureCause {
    /// By what the server said, or did not offer.
    Ended(EndReason),
    /// By an error of the stream, or of time.
    Io(io::Error),
}

impl SendFailure {
    const fn io(error: io::Error) -> Self {
        Self { cause: FailureCause::Io(error), reply: None, error: None }
    }
}

impl fmt::Display for SendFailure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.cause {
            FailureCause::Ended(reason) => reason.fmt(f)?,
            FailureCause::Io(error) => error.fmt(f)?,
        }
        if let Some(error) = &self.error {
            f.write_str(": ")?;
            // It may quote the peer: no line break gets into a log.
            for letter in error.chars() {
                if letter.is_control() {
                    write!(f, "{}", letter.escape_default())?;
                } else {
                    f.write_char(letter)?;
                }
            }
        }
        match &self.reply {
            Some(reply) => write!(f, " ({})", reply.escape_debug()),
            None => Ok(()),
        }
    }
}

impl core::error::Error for SendFailure {
    fn source(&self) -> Option<&(dyn core::error::Error + 'static)> {
        match &self.cause {
            FailureCause::Ended(reason) => Some(reason),
            FailureCause::Io(error) => Some(error),
        }
    }
}

impl<S, A, T: Timer> Connection<S, Delivery<'_>, A, T> {
    /// Puts the session to rest, as [`Delivery::into_idle`] does: it borrows nothing then.
    ///
    /// # Errors
    ///
    /// The connection as it is, when its delivery is not [idle](Delivery::is_idle), or bytes were
    /// read or wait to be written.
    #[allow(clippy::result_large_err)] // it is the connection itself
    pub fn into_idle(self) -> Result<Connection<S, Delivery<'static>, A, T>, Self> {
        let Self { stream, adapter, buffered, clock, limits, status } = self;
        match buffered.into_idle() {
            Ok(buffered) => Ok(Connection { stream, adapter, buffered, clock, limits, status }),
            Err(buffered) => Err(Self { stream, adapter, buffered, clock, limits, status }),
        }
    }
}

/// No message.
pub(crate) struct Between<'v> {
    pub(crate) next: NextEnvelope<'v>,
    pub(crate) credentials: Option<Credentials<'v>>,
}

impl<'v> MessageSource<'v> for Between<'v> {
    type Content = ();

    fn envelope(&mut self, _: &Delivery<'v>) -> Option<&'v Envelope<'v>> {
        None
    }

    fn poll_next(&mut self, _: &mut Context<'_>, _: &Delivery<'v>) -> Poll<NextEnvelope<'v>> {
        Poll::Ready(self.next)
    }

    fn content(&mut self, _: usize) -> Option<()> {
        None
    }

    fn finished(&mut self, _: usize, _: &[RecipientReport]) {}

    fn has_credentials(&self) -> bool {
        self.credentials.is_some()
    }

    fn mechanism(&mut self, offered: Mechanisms, channel: Channel<'_>) -> Option<AnyClient<'v>> {
        AnyClient::strongest(offered, self.credentials.as_ref()?, channel)
    }
}

/// One message.
struct Message<'v, R> {
    envelope: Option<&'v Envelope<'v>>,
    content: Option<R>,
    reports: Option<Vec<RecipientReport>>,
}

impl<'v, R> MessageSource<'v> for Message<'v, R> {
    type Content = R;

    fn envelope(&mut self, _: &Delivery<'v>) -> Option<&'v Envelope<'v>> {
        self.envelope.take()
    }

    fn poll_next(&mut self, _: &mut Context<'_>, _: &Delivery<'v>) -> Poll<NextEnvelope<'v>> {
        Poll::Ready(self.envelope.take().map_or(NextEnvelope::Idle, NextEnvelope::Envelope))
    }

    fn content(&mut self, _: usize) -> Option<R> {
        self.content.take()
    }

    fn finished(&mut self, _: usize, recipients: &[RecipientReport]) {
        self.reports = Some(recipients.to_vec());
    }
}

pub(crate) const NO_CONTENT: Read<()> = |(), _, _| Poll::Ready(Ok(0));

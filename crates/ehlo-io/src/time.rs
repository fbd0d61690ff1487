//! Timers, and limits on the time that a peer may take.

use core::fmt;
use core::num::NonZeroU32;
use core::time::Duration;

/// A source of time, passed to the constructor of a [`Connection`](crate::Connection).
///
/// Every function from a duration to a future that is ready after that duration implements it, for
/// example `tokio::time::sleep`, `smol::Timer::after` and `async_std::task::sleep`.
///
/// ```
/// use ehlo_io::Timer;
/// use std::future::{Ready, ready};
/// use std::time::Duration;
///
/// /// A timer for tests: no time passes at all.
/// #[derive(Clone, Copy)]
/// struct Instantly;
///
/// impl Timer for Instantly {
///     type Sleep = Ready<()>;
///
///     fn sleep(&self, _: Duration) -> Ready<()> {
///         ready(())
///     }
/// }
///
/// fn is_timer(_: impl Timer) {}
/// is_timer(Instantly);
/// is_timer(tokio::time::sleep);
/// is_timer(async |time| std::thread::sleep(time));
/// # mod tokio { pub mod time { pub fn sleep(_: std::time::Duration) -> std::future::Ready<()> { std::future::ready(()) } } }
/// ```
#[doc(alias = "clock")]
#[doc(alias = "timeout")]
pub trait Timer {
    /// Ready when the time has passed. Its output is dropped.
    type Sleep: Future;

    /// Returns a future that is ready after `duration`.
    fn sleep(&self, duration: Duration) -> Self::Sleep;

    /// The time since a fixed moment, if the timer can tell it; `sleep` is then not used. It serves
    /// blocking streams, because no future is woken while a stream blocks.
    fn now(&self) -> Option<Duration> {
        None
    }
}

impl<T: Fn(Duration) -> Z, Z: Future> Timer for T {
    type Sleep = Z;

    fn sleep(&self, duration: Duration) -> Z {
        self(duration)
    }
}

/// The limits on the time of a peer, beside those of its machine.
///
/// A wait for a command, a reply or a handshake is limited by
/// [`Machine::timeout`](ehlo::machine::Machine::timeout) (RFC 5321 §4.5.3.2), and by
/// [`with_wait`](Self::with_wait). It is one wait up to the whole command or reply, however many
/// reads it takes.
///
/// Content must keep a rate. It begins with as much time as a wait; waiting for more uses that time
/// up, and received bytes add to it: a second for each 500 bytes, up to the initial time. So a
/// client that sends one byte a second has five minutes for its message, and one that sends 500
/// bytes a second has no limit. A chunk of BDAT is content, and so is the wait for the next one.
///
/// ```
/// use ehlo_io::TimeLimits;
/// use std::time::Duration;
///
/// let limits = TimeLimits::DEFAULT.with_wait(Duration::from_secs(60)).with_content_rate(2000);
/// assert_eq!(limits.wait(), Some(Duration::from_secs(60)));
/// assert_eq!(limits.content_rate(), 2000);
/// assert_eq!(limits.linger(), Duration::from_secs(2));
/// ```
#[doc(alias = "timeout")]
#[doc(alias = "deadline")]
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct TimeLimits {
    wait: Millis,
    content_grace: Millis,
    content_rate: u32,
    linger: Millis,
}

impl TimeLimits {
    /// The machine's limits, 500 bytes of content per second, and two seconds for the end of a
    /// session.
    pub const DEFAULT: Self = Self {
        wait: Millis::MAX,
        content_grace: Millis::MAX,
        content_rate: 500,
        linger: Millis(2000),
    };

    /// Limits every wait to `wait`, whatever the machine's limit.
    #[must_use]
    pub const fn with_wait(self, wait: Duration) -> Self {
        Self { wait: Millis::of(wait), ..self }
    }

    /// Sets the time by which content may fall behind its rate, in place of the time of a wait.
    #[must_use]
    pub const fn with_content_grace(self, grace: Duration) -> Self {
        Self { content_grace: Millis::of(grace), ..self }
    }

    /// Sets the least rate of content in bytes per second; 0 leaves only the limit of a wait.
    #[must_use]
    pub const fn with_content_rate(self, bytes_per_second: u32) -> Self {
        Self { content_rate: bytes_per_second, ..self }
    }

    /// Sets the longest wait of `close` for the peer to close too, and of `deliver` for the reply
    /// to QUIT.
    #[must_use]
    pub const fn with_linger(self, linger: Duration) -> Self {
        Self { linger: Millis::of(linger), ..self }
    }

    /// The longest wait; `None` when the machine alone decides.
    pub const fn wait(&self) -> Option<Duration> {
        self.wait.limit()
    }

    /// The time by which content may fall behind its rate; `None` for the time of a wait.
    pub const fn content_grace(&self) -> Option<Duration> {
        self.content_grace.limit()
    }

    /// The least rate of content in bytes per second; 0 for no limit.
    pub const fn content_rate(&self) -> u32 {
        self.content_rate
    }

    /// The longest wait at the end of a session.
    pub const fn linger(&self) -> Duration {
        self.linger.duration()
    }

    /// The limit of a wait for which the machine allows `machine`.
    pub(crate) fn limit(&self, machine: Duration) -> Duration {
        self.wait.duration().min(machine)
    }

    /// The initial time of content, where a wait is limited to `wait`.
    pub(crate) fn grace(&self, wait: Duration) -> Duration {
        self.content_grace.duration().min(wait)
    }

    /// The time that `bytes` of content add; `None` if any number of bytes adds a whole wait.
    pub(crate) fn worth(&self, bytes: u64) -> Option<Duration> {
        let rate = NonZeroU32::new(self.content_rate)?;
        Some(Duration::from_nanos(bytes.saturating_mul(1_000_000_000 / u64::from(rate.get()))))
    }
}

impl Default for TimeLimits {
    fn default() -> Self {
        Self::DEFAULT
    }
}

/// A time in milliseconds, up to 49 days; small, because each session holds several.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Millis(pub(crate) u32);

impl Millis {
    pub(crate) const ZERO: Self = Self(0);
    /// A time that is in effect unlimited.
    pub(crate) const MAX: Self = Self(u32::MAX);

    /// A time of at least `duration`, up to the longest.
    pub(crate) const fn of(duration: Duration) -> Self {
        let millis = duration.as_nanos().div_ceil(1_000_000);
        if millis < u32::MAX as u128 {
            #[allow(clippy::cast_possible_truncation)] // it is less
            Self(millis as u32)
        } else {
            Self::MAX
        }
    }

    pub(crate) const fn duration(self) -> Duration {
        Duration::from_millis(self.0 as u64)
    }

    const fn limit(self) -> Option<Duration> {
        if self.0 == u32::MAX { None } else { Some(self.duration()) }
    }

    pub(crate) const fn plus(self, other: Self) -> Self {
        Self(self.0.saturating_add(other.0))
    }

    pub(crate) const fn minus(self, other: Self) -> Self {
        Self(self.0.saturating_sub(other.0))
    }
}

/// The error of a wait that reached its limit.
#[derive(Clone, Copy, Debug)]
pub(crate) struct TimedOut;

impl fmt::Display for TimedOut {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("the peer took too long")
    }
}

impl core::error::Error for TimedOut {}

impl From<TimedOut> for std::io::Error {
    fn from(error: TimedOut) -> Self {
        Self::new(std::io::ErrorKind::TimedOut, error)
    }
}

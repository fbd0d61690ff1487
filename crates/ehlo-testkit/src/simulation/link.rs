//! One direction of a connection.

use std::collections::VecDeque;
use std::time::Duration;

/// The properties of one direction of a connection.
///
/// ```
/// use std::time::Duration;
///
/// use ehlo_testkit::simulation::Link;
///
/// // 10 Mbit/s, which break after 5,000 bytes.
/// let link = Link { bandwidth: 1_250_000, cut: Some(5000), ..Link::new(Duration::from_millis(20)) };
/// assert_eq!(link.latency.as_millis(), 20);
/// ```
#[derive(Clone, Copy, Debug)]
pub struct Link {
    /// The time from the last byte of a segment to its arrival.
    pub latency: Duration,
    /// Bytes per second; 0 for no limit.
    pub bandwidth: u64,
    /// The most bytes that arrive together.
    pub segment: usize,
    /// The most bytes that are sent and not yet read.
    pub window: usize,
    /// The number of bytes after which the connection breaks, in both directions; `None` for never.
    pub cut: Option<usize>,
}

impl Link {
    /// A link with this latency and without other limits.
    pub const fn new(latency: Duration) -> Self {
        Self { latency, bandwidth: 0, segment: usize::MAX, window: usize::MAX, cut: None }
    }
}

/// A link with what is on its way.
pub(super) struct Pipe {
    link: Link,
    /// Segments on the way, with the time of their arrival.
    segments: VecDeque<(Duration, Vec<u8>)>,
    /// Bytes of the first of them that were read.
    taken: usize,
    /// Bytes sent and not read.
    unread: usize,
    /// When the last segment has left.
    free: Duration,
    /// Bytes that were sent.
    pub(super) sent: usize,
    /// Nothing more is sent.
    pub(super) is_ended: bool,
    /// The connection is broken: what is sent now arrives nowhere.
    pub(super) is_cut: bool,
}

impl Pipe {
    pub(super) const fn new(link: Link) -> Self {
        Self {
            link,
            segments: VecDeque::new(),
            taken: 0,
            unread: 0,
            free: Duration::ZERO,
            sent: 0,
            is_ended: false,
            is_cut: false,
        }
    }

    /// Bytes that were read.
    pub(super) const fn read_so_far(&self) -> usize {
        self.sent - self.unread
    }

    /// Sends as much of `outbox` as the window has room for, in segments; what is sent leaves it.
    /// Whether anything was.
    pub(super) fn write(&mut self, clock: Duration, outbox: &mut Vec<u8>) -> bool {
        if self.is_cut {
            let moved = !outbox.is_empty();
            outbox.clear();
            return moved;
        }
        let mut taken = 0;
        while taken < outbox.len() && self.unread < self.link.window {
            let room = self.link.window - self.unread;
            let length = (outbox.len() - taken).min(self.link.segment).min(room);
            self.send(clock, &outbox[taken..taken + length]);
            taken += length;
        }
        outbox.drain(..taken);
        taken > 0
    }

    fn send(&mut self, clock: Duration, segment: &[u8]) {
        let left = self.link.cut.map_or(usize::MAX, |cut| cut.saturating_sub(self.sent));
        self.is_cut |= left <= segment.len();
        let segment = &segment[..segment.len().min(left)];
        if segment.is_empty() {
            return;
        }
        let bytes = u32::try_from(self.link.bandwidth).expect("a bandwidth");
        let one = Duration::from_secs(1).checked_div(bytes).unwrap_or_default();
        let length = u32::try_from(segment.len()).expect("a segment");
        self.free = self.free.max(clock) + one * length;
        self.sent += segment.len();
        self.unread += segment.len();
        self.segments.push_back((self.free + self.link.latency, segment.to_vec()));
    }

    /// Reads a segment that has arrived into `inbox`, up to `room` bytes of it there; how many
    /// that were, 0 at the end, and none when nothing has come.
    pub(super) fn read(
        &mut self,
        clock: Duration,
        inbox: &mut Vec<u8>,
        room: usize,
    ) -> Option<usize> {
        let Some((arrival, segment)) = self.segments.front() else {
            return (self.is_cut || self.is_ended).then_some(0);
        };
        let rest = &segment[self.taken..];
        let rest = &rest[..rest.len().min(room.saturating_sub(inbox.len()))];
        if *arrival > clock || rest.is_empty() {
            return None;
        }
        inbox.extend_from_slice(rest);
        let length = rest.len();
        self.unread -= length;
        self.taken += length;
        if self.taken == segment.len() {
            self.taken = 0;
            self.segments.pop_front();
        }
        Some(length)
    }

    pub(super) fn next_arrival(&self, clock: Duration) -> Option<Duration> {
        self.segments.front().map(|(arrival, _)| *arrival).filter(|arrival| *arrival > clock)
    }
}

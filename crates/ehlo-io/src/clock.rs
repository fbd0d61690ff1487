//! The time limits of consecutive waits.

use alloc::boxed::Box;
use core::pin::Pin;
use core::task::{Context, Poll, ready};
use core::time::Duration;

use crate::time::{Millis, Timer};

/// Measures waits with one timer that runs through all of them.
///
/// A session waits about four times per message, and starting and cancelling a runtime's timer for
/// each wait costs a wake-up. Therefore a timer repeats with a sixteenth of the shortest limit, and
/// a wait ends after the corresponding number of ticks. The tick in progress when a wait begins
/// does not count: a wait lasts up to two ticks longer than its limit, and never less. Time between
/// waits does not count, because the timer is not polled then.
pub(crate) struct Clock<T: Timer> {
    timer: T,
    sleep: Option<Pin<Box<T::Sleep>>>,
    tick: Millis,
    /// The time left for the wait; `None` before it has begun.
    left: Option<Millis>,
    /// The moment of that measurement, for a timer that tells the time.
    seen: Millis,
}

impl<T: Timer> Clock<T> {
    pub(crate) const fn new(timer: T) -> Self {
        Self { timer, sleep: None, tick: Millis::MAX, left: None, seen: Millis::ZERO }
    }

    /// Ends the wait: the next one starts with its full limit.
    pub(crate) const fn restart(&mut self) {
        self.left = None;
    }

    /// Adds `time` to the current wait, up to `most` in all.
    pub(crate) fn gain(&mut self, time: Duration, most: Duration) {
        if let Some(left) = self.left {
            let most = Millis::of(most).plus(self.running());
            self.left = Some(left.plus(Millis::of(time)).min(most.max(left)));
        }
    }

    /// Ready when `limit` has passed since the first call, or since the [`restart`](Self::restart).
    pub(crate) fn poll(&mut self, context: &mut Context<'_>, limit: Duration) -> Poll<()> {
        let limit = Millis::of(limit);
        if let Some(now) = self.timer.now() {
            let now = Millis::of(now);
            let passed = now.minus(core::mem::replace(&mut self.seen, now));
            let left = self.left.map_or(limit, |left| left.minus(passed));
            self.left = Some(left).filter(|left| *left > Millis::ZERO);
            return if left == Millis::ZERO { Poll::Ready(()) } else { Poll::Pending };
        }
        loop {
            let left = self.left.unwrap_or_else(|| {
                let tick = Millis(limit.0 / TICKS).max(SHORTEST.min(limit));
                if self.tick > tick {
                    self.tick = tick;
                    self.sleep = None;
                }
                limit.plus(self.running())
            });
            self.left = Some(left);
            let (tick, timer) = (self.tick, &self.timer);
            let sleep = self.sleep.get_or_insert_with(|| Box::pin(timer.sleep(tick.duration())));
            ready!(sleep.as_mut().poll(context));
            self.sleep = None;
            let left = left.minus(tick);
            self.left = Some(left).filter(|left| *left > Millis::ZERO);
            if left == Millis::ZERO {
                return Poll::Ready(());
            }
        }
    }

    /// The tick in progress does not count.
    fn running(&self) -> Millis {
        if self.sleep.is_some() { self.tick } else { Millis::ZERO }
    }
}

/// The number of ticks in the shortest limit.
const TICKS: u32 = 16;
/// The shortest tick, for limits that are longer.
const SHORTEST: Millis = Millis(250);

#[cfg(test)]
mod tests {
    use super::*;
    use alloc::rc::Rc;
    use alloc::vec::Vec;
    use core::cell::{Cell, RefCell};
    use core::future::poll_fn;
    use core::task::Waker;

    /// A clock that stands still until it is set, and remembers for how long it was asked to sleep.
    #[derive(Clone, Default)]
    struct Stopped {
        now: Rc<Cell<u64>>,
        asked: Rc<RefCell<Vec<u64>>>,
    }

    impl Timer for Stopped {
        type Sleep = Pin<Box<dyn Future<Output = ()>>>;

        fn sleep(&self, time: Duration) -> Self::Sleep {
            self.asked.borrow_mut().push(time.as_secs());
            let (now, end) = (self.now.clone(), self.now.get() + time.as_secs());
            Box::pin(poll_fn(
                move |_| if now.get() < end { Poll::Pending } else { Poll::Ready(()) },
            ))
        }
    }

    fn poll(clock: &mut Clock<Stopped>, limit: u64) -> Poll<()> {
        clock.poll(&mut Context::from_waker(Waker::noop()), Duration::from_secs(limit))
    }

    #[test]
    fn a_wait_is_as_long_as_its_limit_or_an_eighth_longer() {
        for before in [0, 1, 9, 10, 11, 79] {
            let timer = Stopped::default();
            let mut clock = Clock::new(timer.clone());
            // A wait that something came of, and then one of which nothing does.
            assert!(poll(&mut clock, 80).is_pending());
            timer.now.set(before);
            clock.restart();
            for limit in [80, 81, 159, 160, 1600] {
                let begun = timer.now.get();
                while poll(&mut clock, limit).is_pending() {
                    timer.now.set(timer.now.get() + 1);
                }
                let waited = timer.now.get() - begun;
                assert!((limit..=limit + limit / 8).contains(&waited), "{waited} for {limit}");
            }
        }
    }

    #[test]
    fn a_shorter_limit_has_shorter_ticks() {
        let timer = Stopped::default();
        let mut clock = Clock::new(timer.clone());
        for limit in [160, 320, 16, 160] {
            clock.restart();
            assert!(poll(&mut clock, limit).is_pending());
        }
        assert_eq!(*timer.asked.borrow(), [10, 1]);
    }

    #[test]
    fn what_comes_at_the_rate_goes_on_for_ever_and_what_drips_does_not() {
        let most = Duration::from_secs(80);
        for (gained, goes_on) in [(1000, true), (500, false), (1, false), (0, false)] {
            let timer = Stopped::default();
            let mut clock = Clock::new(timer.clone());
            let over = (0..1000).find(|_| {
                timer.now.set(timer.now.get() + 1);
                clock.gain(Duration::from_millis(gained), most);
                poll(&mut clock, 80).is_ready()
            });
            assert_eq!(over.is_none(), goes_on, "{gained}");
            assert!(over.is_none_or(|seconds| (79..200).contains(&seconds)), "{over:?}");
        }
    }

    #[test]
    fn time_is_not_saved_up() {
        let timer = Stopped::default();
        let mut clock = Clock::new(timer.clone());
        assert!(poll(&mut clock, 80).is_pending());
        clock.gain(Duration::from_secs(100_000), Duration::from_secs(80));
        let over = (0..1000).find(|_| {
            timer.now.set(timer.now.get() + 1);
            poll(&mut clock, 80).is_ready()
        });
        assert!(over.is_some_and(|seconds| (79..=90).contains(&seconds)), "{over:?}");
    }
}

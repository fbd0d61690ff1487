//! The time limit of one wait after the other.

use alloc::boxed::Box;
use core::pin::Pin;
use core::task::{Context, Poll, ready};
use core::time::Duration;

/// The timer of the caller, and the wait that it measures.
///
/// A timer for each wait would be begun and given up four times a message, and a runtime wakes up for
/// each. So the timer runs in ticks of a sixteenth of a limit, through waits that come and go, and a wait
/// is over by the number of ticks. The one that runs when it begins does not count, and the last may be
/// begun only: two ticks more than the limit, at most.
#[derive(Debug)]
pub(super) struct Alarm<C, F> {
    timer: C,
    tick: Duration,
    sleep: Option<Pin<Box<F>>>,
    /// Ticks up to the end of the wait; none before it has begun.
    left: Option<u32>,
}

impl<C: FnMut(Duration) -> F, F: Future> Alarm<C, F> {
    pub(super) const fn new(timer: C) -> Self {
        Self { timer, tick: Duration::MAX, sleep: None, left: None }
    }

    /// What was awaited has come: the next wait is another one.
    pub(super) const fn restart(&mut self) {
        self.left = None;
    }

    /// Ready when `limit` has passed since this was asked first, or since the
    /// [`restart`](Self::restart).
    pub(super) fn poll(&mut self, context: &mut Context<'_>, limit: Duration) -> Poll<F::Output> {
        loop {
            let mut left = self.left.unwrap_or_else(|| {
                if self.tick > limit / TICKS {
                    self.tick = limit / TICKS;
                    self.sleep = None;
                }
                let ticks = limit.as_nanos().div_ceil(self.tick.as_nanos().max(1));
                u32::try_from(ticks).unwrap_or(u32::MAX).saturating_add(self.sleep.is_some().into())
            });
            self.left = Some(left);
            let (tick, timer) = (self.tick, &mut self.timer);
            let sleep = self.sleep.get_or_insert_with(|| Box::pin(timer(tick)));
            let passed = ready!(sleep.as_mut().poll(context));
            self.sleep = None;
            left = left.saturating_sub(1);
            self.left = Some(left);
            if left == 0 {
                self.left = None;
                return Poll::Ready(passed);
            }
        }
    }
}

/// Ticks of the shortest limit.
const TICKS: u32 = 16;

#[cfg(test)]
mod tests {
    use super::*;
    use alloc::rc::Rc;
    use alloc::vec::Vec;
    use core::cell::{Cell, RefCell};
    use core::future::poll_fn;
    use core::task::Waker;

    type Timer = Pin<Box<dyn Future<Output = ()>>>;

    /// A clock, and an alarm by it that remembers for how long it was set.
    struct Clock {
        now: Rc<Cell<u64>>,
        set: Rc<RefCell<Vec<u64>>>,
    }

    impl Clock {
        fn new() -> Self {
            Self { now: Rc::default(), set: Rc::default() }
        }

        fn alarm(&self) -> Alarm<impl FnMut(Duration) -> Timer, Timer> {
            let (now, set) = (self.now.clone(), self.set.clone());
            Alarm::new(move |time: Duration| {
                set.borrow_mut().push(time.as_secs());
                let (now, end) = (now.clone(), now.get() + time.as_secs());
                let timer =
                    poll_fn(move |_| if now.get() < end { Poll::Pending } else { Poll::Ready(()) });
                Box::pin(timer) as Timer
            })
        }
    }

    #[test]
    fn a_wait_is_as_long_as_its_limit_or_an_eighth_longer() {
        for before in [0, 1, 9, 10, 11, 79] {
            let clock = Clock::new();
            let mut alarm = clock.alarm();
            let mut context = Context::from_waker(Waker::noop());
            // A wait that something came of, and then one of which nothing does.
            assert!(alarm.poll(&mut context, Duration::from_secs(80)).is_pending());
            clock.now.set(before);
            alarm.restart();
            for limit in [80, 81, 159, 160, 1600] {
                let begun = clock.now.get();
                while alarm.poll(&mut context, Duration::from_secs(limit)).is_pending() {
                    clock.now.set(clock.now.get() + 1);
                }
                let waited = clock.now.get() - begun;
                assert!((limit..=limit + limit / 8).contains(&waited), "{waited} for {limit}");
            }
        }
    }

    #[test]
    fn a_shorter_limit_has_shorter_ticks() {
        let clock = Clock::new();
        let mut alarm = clock.alarm();
        let mut context = Context::from_waker(Waker::noop());
        for limit in [160, 320, 16, 160] {
            alarm.restart();
            assert!(alarm.poll(&mut context, Duration::from_secs(limit)).is_pending());
        }
        assert_eq!(*clock.set.borrow(), [10, 1]);
    }
}

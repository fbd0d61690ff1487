//! The commands in flight, run-length encoded: a thousand RCPT are one run.

use crate::syntax::command::Verb;

/// A queue of verbs whose replies are due, in the order in which they were sent.
#[derive(Clone, Copy, Debug)]
pub(super) struct Flight {
    runs: [Run; CAPACITY],
    length: u8,
}

impl Flight {
    pub(super) const EMPTY: Self =
        Self { runs: [Run { verb: Verb::Other, count: 0 }; CAPACITY], length: 0 };

    /// Returns `true` if there is room for `verb`.
    pub(super) fn has_room(&self, verb: Verb) -> bool {
        usize::from(self.length) < CAPACITY || self.last_run().is_some_and(|run| run.takes(verb))
    }

    /// Adds `verb` at the end, if there is room.
    pub(super) fn push(&mut self, verb: Verb) {
        let length = usize::from(self.length);
        if let Some(run) = length.checked_sub(1).and_then(|last| self.runs.get_mut(last)) {
            if run.takes(verb) {
                run.count += 1;
                return;
            }
        }
        if let Some(run) = self.runs.get_mut(length) {
            *run = Run { verb, count: 1 };
            self.length += 1;
        }
    }

    /// The verb whose reply comes next.
    pub(super) fn first(&self) -> Option<Verb> {
        self.runs().first().map(|run| run.verb)
    }

    /// The verb that was sent last.
    pub(super) fn last(&self) -> Option<Verb> {
        self.last_run().map(|run| run.verb)
    }

    /// Removes the verb whose reply comes next.
    pub(super) fn pop(&mut self) -> Option<Verb> {
        let run = self.runs.first_mut().filter(|_| self.length > 0)?;
        let verb = run.verb;
        run.count -= 1;
        if run.count == 0 {
            self.runs.rotate_left(1);
            self.length -= 1;
        }
        Some(verb)
    }

    /// The verbs in order, each run once.
    pub(super) fn verbs(&self) -> impl Iterator<Item = Verb> + '_ {
        self.runs().iter().map(|run| run.verb)
    }

    fn runs(&self) -> &[Run] {
        self.runs.get(..usize::from(self.length)).unwrap_or_default()
    }

    fn last_run(&self) -> Option<&Run> {
        self.runs().last()
    }
}

#[derive(Clone, Copy, Debug)]
struct Run {
    verb: Verb,
    count: u16,
}

impl Run {
    fn takes(&self, verb: Verb) -> bool {
        self.verb == verb && self.count < u16::MAX
    }
}

/// Room for seven messages behind one another: MAIL, RCPT × n, BDAT.
const CAPACITY: usize = 21;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_run_of_any_length_takes_one_place() {
        let mut flight = Flight::EMPTY;
        flight.push(Verb::Mail);
        for _ in 0..1000 {
            flight.push(Verb::Rcpt);
        }
        assert_eq!((flight.length, flight.last()), (2, Some(Verb::Rcpt)));
        assert_eq!(flight.pop(), Some(Verb::Mail));
        for _ in 0..1000 {
            assert_eq!(flight.pop(), Some(Verb::Rcpt));
        }
        assert_eq!((flight.pop(), flight.first()), (None, None));
    }

    #[test]
    fn a_full_queue_says_so() {
        let mut flight = Flight::EMPTY;
        for _ in 0..CAPACITY {
            assert!(flight.has_room(Verb::Rset));
            flight.push(if flight.length % 2 == 0 { Verb::Mail } else { Verb::Rset });
        }
        assert!(!flight.has_room(Verb::Rset) && flight.has_room(Verb::Mail));
    }
}

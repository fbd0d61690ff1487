//! One job, and everybody who does it.

use std::fmt;
use std::rc::Rc;

/// A job on one corpus, done by `ehlo`, by peers, and by something that does far less.
pub struct Contest {
    /// `group/job`.
    pub name: &'static str,
    corpus: Rc<[u8]>,
    /// Elements of the corpus.
    pub elements: usize,
    /// What an element is.
    pub unit: &'static str,
    /// Who does it; the first is `ehlo`.
    pub sides: Vec<Side>,
}

impl Contest {
    /// A contest on `corpus`, which has `elements` units, with no side yet.
    pub(crate) fn new(
        name: &'static str,
        corpus: Vec<u8>,
        (elements, unit): (usize, &'static str),
    ) -> Self {
        Self { name, corpus: corpus.into(), elements, unit, sides: Vec::new() }
    }

    /// The same with `ehlo` as a side.
    pub(crate) fn ehlo(self, name: &'static str, run: impl Run) -> Self {
        self.side(name, Kind::Ehlo, run)
    }

    /// The same with a peer as a side.
    pub(crate) fn peer(self, name: &'static str, run: impl Run) -> Self {
        self.side(name, Kind::Peer, run)
    }

    /// The same with something that does less as a side.
    pub(crate) fn floor(self, name: &'static str, run: impl Run) -> Self {
        self.side(name, Kind::Floor, run)
    }

    fn side(mut self, name: &'static str, kind: Kind, run: impl Run) -> Self {
        self.sides.push(Side { name, kind, corpus: Rc::clone(&self.corpus), run: Box::new(run) });
        self
    }

    /// Bytes of the corpus.
    pub fn bytes(&self) -> usize {
        self.corpus.len()
    }
}

/// From the corpus to a number that depends on all of the work.
pub(crate) trait Run: FnMut(&[u8]) -> usize + 'static {}

impl<F: FnMut(&[u8]) -> usize + 'static> Run for F {}

impl fmt::Debug for Contest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name)
    }
}

/// Somebody who does the job.
pub struct Side {
    /// The crate, and which of its ways.
    pub name: &'static str,
    /// Whose it is.
    pub kind: Kind,
    corpus: Rc<[u8]>,
    run: Box<dyn Run>,
}

impl Side {
    /// Does the job once. The number depends on all of the work, so that none is optimised away.
    pub fn run(&mut self) -> usize {
        (self.run)(&self.corpus)
    }
}

impl fmt::Debug for Side {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name)
    }
}

/// Whose a side is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// This project's.
    Ehlo,
    /// Another crate's.
    Peer,
    /// Nobody's parser: how fast less than the job can be done.
    Floor,
}

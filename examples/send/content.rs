//! The content of the message: read piece by piece, from the start for each message.

use std::fs::{self, File};
use std::io::{self, Cursor, Read};
use std::path::{Path, PathBuf};

use ehlo::Newlines;

/// Where the content comes from, and what is known of it.
pub(crate) struct Content {
    source: Source,
    reader: Option<Box<dyn Read>>,
    facts: Option<Facts>,
}

enum Source {
    File(PathBuf),
    Memory(Vec<u8>),
    /// Standard input or a pipe: its one reader is there from the start.
    Stream,
}

/// What one reading of the content has shown.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
struct Facts {
    /// Octets as they are read.
    length: u64,
    /// Octets as the server will count them, RFC 1870 §5: without the dots that are stuffed.
    wire_size: u64,
    is_eight_bit: bool,
}

impl Content {
    /// The content of `file`, read once beforehand. Standard input or a pipe cannot be: it is kept
    /// in memory if it is needed more than once.
    pub(crate) fn open(file: &Path, count: u32, newlines: Newlines) -> io::Result<Self> {
        let mut stream: Box<dyn Read> = if file == Path::new("-") {
            Box::new(io::stdin())
        } else {
            Box::new(File::open(file)?)
        };
        let source = if file != Path::new("-") && fs::metadata(file)?.is_file() {
            Source::File(file.to_owned())
        } else if count > 1 {
            let mut octets = Vec::new();
            stream.read_to_end(&mut octets)?;
            Source::Memory(octets)
        } else {
            return Ok(Self { source: Source::Stream, reader: Some(stream), facts: None });
        };
        let mut content = Self { source, reader: None, facts: None };
        content.facts = Some(Facts::of(content.reader()?, newlines)?);
        Ok(content)
    }

    /// The size to be declared, where it is known.
    pub(crate) fn wire_size(&self) -> Option<u64> {
        self.facts.map(|facts| facts.wire_size)
    }

    /// The octets of all readings, where they are known.
    pub(crate) fn length(&self) -> Option<u64> {
        self.facts.map(|facts| facts.length)
    }

    /// Whether it has octets above 127, where that is known.
    pub(crate) fn is_eight_bit(&self) -> Option<bool> {
        self.facts.map(|facts| facts.is_eight_bit)
    }

    /// Whether it can be read more than once.
    pub(crate) fn is_repeatable(&self) -> bool {
        !matches!(self.source, Source::Stream)
    }

    /// The next piece is the first.
    pub(crate) fn rewind(&mut self) {
        if self.is_repeatable() {
            self.reader = None;
        }
    }

    /// Reads the next piece, which fills `piece` unless it is the last.
    pub(crate) fn read(&mut self, piece: &mut [u8]) -> io::Result<usize> {
        let mut reader = match self.reader.take() {
            Some(reader) => reader,
            None => self.reader()?,
        };
        let mut octets = 0;
        while let Some(room @ [_, ..]) = piece.get_mut(octets..) {
            match reader.read(room) {
                Ok(0) => break,
                Ok(more) => octets += more,
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                Err(error) => return Err(error),
            }
        }
        self.reader = Some(reader);
        Ok(octets)
    }

    fn reader(&self) -> io::Result<Box<dyn Read>> {
        Ok(match &self.source {
            Source::File(path) => Box::new(File::open(path)?),
            Source::Memory(octets) => Box::new(Cursor::new(octets.clone())),
            Source::Stream => Box::new(io::empty()),
        })
    }
}

impl Facts {
    fn of(mut reader: impl Read, newlines: Newlines) -> io::Result<Self> {
        let mut facts = Self::default();
        let mut piece = vec![0; 64 * 1024];
        // Nothing has the same effect as a CRLF.
        let mut last = [b'\r', b'\n'];
        loop {
            let octets = match reader.read(&mut piece) {
                Ok(0) => break,
                Ok(octets) => piece.get(..octets).unwrap_or_default(),
                Err(error) if error.kind() == io::ErrorKind::Interrupted => continue,
                Err(error) => return Err(error),
            };
            facts.length += octets.len() as u64;
            facts.is_eight_bit |= !octets.is_ascii();
            if newlines == Newlines::Normalise {
                facts.wire_size += completed(last[1], octets);
            }
            last = match octets {
                [.., before, octet] => [*before, *octet],
                [octet] => [last[1], *octet],
                [] => last,
            };
        }
        facts.wire_size += facts.length;
        // The encoder ends the last line, where the content does not.
        facts.wire_size += match (last, newlines) {
            ([b'\r', b'\n'], _) | ([_, b'\n'], Newlines::Normalise) => 0,
            ([_, b'\r'], Newlines::Normalise) => 1,
            _ => 2,
        };
        Ok(facts)
    }
}

/// How many octets of CR and LF stand alone.
fn completed(before: u8, octets: &[u8]) -> u64 {
    let pairs = std::iter::once(&before).chain(octets).zip(octets);
    pairs.filter(|&(&before, &octet)| (before == b'\r') != (octet == b'\n')).count() as u64
}

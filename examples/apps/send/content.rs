//! The content of the message: read piece by piece, from the start for each message.

use std::fs::{self, File};
use std::io::{self, Cursor, Read};
use std::path::{Path, PathBuf};
use std::pin::Pin;
use std::task::{Context, Poll};

use ehlo::data::Newlines;
use indicatif::ProgressBar;

/// Where the content comes from, and what is known of it.
pub(crate) struct Content {
    source: Source,
    facts: Option<Facts>,
}

enum Source {
    File(PathBuf),
    Memory(Vec<u8>),
    /// Standard input or a pipe: its one reader, until it is taken.
    Stream(Option<Box<dyn Read>>),
}

/// What one reading of the content has shown.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
struct Facts {
    /// Bytes as they are read.
    length: u64,
    /// Bytes as the server will count them, RFC 1870 §5: without the dots that are stuffed.
    wire_size: u64,
    is_eight_bit: bool,
}

impl Content {
    /// The content of `file`, read once beforehand. Standard input or a pipe cannot be: it is kept
    /// in memory if it is needed more than once. Binary content has no policy of newlines.
    pub(crate) fn open(file: &Path, count: u32, newlines: Option<Newlines>) -> io::Result<Self> {
        let mut stream: Box<dyn Read> = if file == Path::new("-") {
            Box::new(io::stdin())
        } else {
            Box::new(File::open(file)?)
        };
        let source = if file != Path::new("-") && fs::metadata(file)?.is_file() {
            Source::File(file.to_owned())
        } else if count > 1 {
            let mut bytes = Vec::new();
            stream.read_to_end(&mut bytes)?;
            Source::Memory(bytes)
        } else {
            return Ok(Self { source: Source::Stream(Some(stream)), facts: None });
        };
        let mut content = Self { source, facts: None };
        content.facts = Some(Facts::of(content.reader()?, newlines)?);
        Ok(content)
    }

    /// The size to be declared, where it is known.
    pub(crate) fn wire_size(&self) -> Option<u64> {
        self.facts.map(|facts| facts.wire_size)
    }

    /// The bytes of all readings, where they are known.
    pub(crate) fn length(&self) -> Option<u64> {
        self.facts.map(|facts| facts.length)
    }

    /// Whether it has bytes above 127, where that is known.
    pub(crate) fn is_eight_bit(&self) -> Option<bool> {
        self.facts.map(|facts| facts.is_eight_bit)
    }

    /// Whether it can be read more than once.
    pub(crate) fn is_repeatable(&self) -> bool {
        !matches!(self.source, Source::Stream(_))
    }

    /// The content from its beginning.
    pub(crate) fn reader(&mut self) -> io::Result<Reader> {
        Ok(Reader::new(match &mut self.source {
            Source::File(path) => Box::new(File::open(path)?),
            Source::Memory(bytes) => Box::new(Cursor::new(bytes.clone())),
            Source::Stream(stream) => {
                let once = || io::Error::other("the content can be read only once");
                stream.take().ok_or_else(once)?
            }
        }))
    }
}

/// Content that is being read: by blocking calls, whichever trait they are asked for through.
pub(crate) struct Reader {
    bytes: Box<dyn Read>,
    bar: ProgressBar,
}

impl Reader {
    fn new(bytes: Box<dyn Read>) -> Self {
        Self { bytes, bar: ProgressBar::hidden() }
    }

    /// The same, shown by `bar` as it is read.
    pub(crate) fn watched(self, bar: &ProgressBar) -> Self {
        Self { bar: bar.clone(), ..self }
    }
}

impl Read for Reader {
    fn read(&mut self, space: &mut [u8]) -> io::Result<usize> {
        loop {
            match self.bytes.read(space) {
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                result => return result.inspect(|bytes| self.bar.inc(*bytes as u64)),
            }
        }
    }
}

impl tokio::io::AsyncRead for Reader {
    fn poll_read(
        mut self: Pin<&mut Self>,
        _: &mut Context<'_>,
        space: &mut tokio::io::ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        let bytes = self.read(space.initialize_unfilled())?;
        space.advance(bytes);
        Poll::Ready(Ok(()))
    }
}

impl futures_io::AsyncRead for Reader {
    fn poll_read(
        mut self: Pin<&mut Self>,
        _: &mut Context<'_>,
        space: &mut [u8],
    ) -> Poll<io::Result<usize>> {
        Poll::Ready(self.read(space))
    }
}

impl Facts {
    fn of(mut reader: Reader, newlines: Option<Newlines>) -> io::Result<Self> {
        let mut facts = Self::default();
        let mut piece = vec![0; 64 * 1024];
        // Nothing has the same effect as a CRLF.
        let mut last = [b'\r', b'\n'];
        loop {
            let bytes = match reader.read(&mut piece)? {
                0 => break,
                bytes => piece.get(..bytes).unwrap_or_default(),
            };
            facts.length += bytes.len() as u64;
            facts.is_eight_bit |= !bytes.is_ascii();
            if newlines == Some(Newlines::Normalise) {
                facts.wire_size += completed(last[1], bytes);
            }
            last = match bytes {
                [.., before, byte] => [*before, *byte],
                [byte] => [last[1], *byte],
                [] => last,
            };
        }
        facts.wire_size += facts.length;
        // The encoder ends the last line, where the content does not.
        facts.wire_size += match (last, newlines) {
            (_, None) | ([b'\r', b'\n'], _) | ([_, b'\n'], Some(Newlines::Normalise)) => 0,
            ([_, b'\r'], Some(Newlines::Normalise)) => 1,
            _ => 2,
        };
        Ok(facts)
    }
}

/// How many bytes of CR and LF stand alone.
fn completed(before: u8, bytes: &[u8]) -> u64 {
    let pairs = std::iter::once(&before).chain(bytes).zip(bytes);
    pairs.filter(|&(&before, &byte)| (before == b'\r') != (byte == b'\n')).count() as u64
}

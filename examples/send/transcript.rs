//! `--transcript`: every line that goes over a stream, whichever runtime it belongs to.

#![allow(clippy::print_stderr)] // the transcript is the point

use std::io::{self, Read, Write};
use std::pin::Pin;
use std::task::{Context, Poll, ready};

use ehlo::{Command, Parsed, Policy};
use ehlo_examples::printable;
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};

/// A stream that shows its lines on standard error, where that is wanted.
pub(crate) struct Tap<S> {
    stream: S,
    transcript: Option<Transcript>,
}

impl<S> Tap<S> {
    pub(crate) fn new(stream: S, shown: bool) -> Self {
        Self { stream, transcript: shown.then(Transcript::default) }
    }

    pub(crate) fn stream(&self) -> &S {
        &self.stream
    }

    fn sent(&mut self, octets: &[u8]) {
        if let Some(transcript) = &mut self.transcript {
            transcript.sent(octets);
        }
    }

    fn received(&mut self, octets: &[u8]) {
        if let Some(transcript) = &mut self.transcript {
            transcript.received(octets);
        }
    }
}

impl<S: Read> Read for Tap<S> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let octets = self.stream.read(buffer)?;
        self.received(buffer.get(..octets).unwrap_or_default());
        Ok(octets)
    }
}

impl<S: Write> Write for Tap<S> {
    fn write(&mut self, buffer: &[u8]) -> io::Result<usize> {
        let octets = self.stream.write(buffer)?;
        self.sent(buffer.get(..octets).unwrap_or_default());
        Ok(octets)
    }

    fn flush(&mut self) -> io::Result<()> {
        self.stream.flush()
    }
}

impl<S: AsyncRead + Unpin> AsyncRead for Tap<S> {
    fn poll_read(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        let before = buffer.filled().len();
        ready!(Pin::new(&mut self.stream).poll_read(context, buffer))?;
        self.received(buffer.filled().get(before..).unwrap_or_default());
        Poll::Ready(Ok(()))
    }
}

impl<S: AsyncWrite + Unpin> AsyncWrite for Tap<S> {
    fn poll_write(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        buffer: &[u8],
    ) -> Poll<io::Result<usize>> {
        let octets = ready!(Pin::new(&mut self.stream).poll_write(context, buffer))?;
        self.sent(buffer.get(..octets).unwrap_or_default());
        Poll::Ready(Ok(octets))
    }

    fn poll_flush(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_flush(context)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_shutdown(context)
    }
}

/// Cuts what goes each way into lines. Mail data is counted, not shown.
#[derive(Default)]
struct Transcript {
    client: Vec<u8>,
    server: Vec<u8>,
    /// Octets of the mail data so far, between the 354 and the final dot.
    mail_data: Option<usize>,
    /// Octets of a chunk that are still to come, behind BDAT.
    chunk: usize,
}

impl Transcript {
    fn sent(&mut self, mut octets: &[u8]) {
        while !octets.is_empty() {
            if self.chunk > 0 {
                let length = self.chunk.min(octets.len());
                self.chunk -= length;
                octets = octets.get(length..).unwrap_or_default();
                continue;
            }
            let line = octets.split_inclusive(|octet| *octet == b'\n').next().unwrap_or_default();
            octets = octets.get(line.len()..).unwrap_or_default();
            self.client.extend_from_slice(line);
            if self.client.ends_with(b"\n") {
                let line = std::mem::take(&mut self.client);
                self.sent_line(&line);
            }
        }
    }

    fn sent_line(&mut self, line: &[u8]) {
        match &mut self.mail_data {
            Some(octets) if line != b".\r\n" => *octets += line.len(),
            Some(octets) => {
                eprintln!("C: [{octets} octets of mail data]\nC: .");
                self.mail_data = None;
            }
            None => {
                show("C", line);
                let command = Command::parse(line, &Policy::STRICT);
                if let Ok(Parsed::Complete { value: Command::Bdat { size, .. }, .. }) = command {
                    self.chunk = usize::try_from(size).unwrap_or(usize::MAX);
                    eprintln!("C: [{size} octets of mail data]");
                }
            }
        }
    }

    fn received(&mut self, octets: &[u8]) {
        for part in octets.split_inclusive(|octet| *octet == b'\n') {
            self.server.extend_from_slice(part);
            if self.server.ends_with(b"\n") {
                let line = std::mem::take(&mut self.server);
                if line.starts_with(b"354") {
                    self.mail_data = Some(0);
                }
                show("S", &line);
            }
        }
    }
}

fn show(who: &str, line: &[u8]) {
    let line = line.strip_suffix(b"\r\n").unwrap_or(line);
    eprintln!("{who}: {}", printable(&String::from_utf8_lossy(line)));
}

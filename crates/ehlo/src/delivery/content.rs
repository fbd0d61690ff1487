//! The content: lines after 354, or chunks.

use crate::client::error::SendError;
use crate::data::{DataEncoder, Progress};
use crate::delivery::chunk::Chunk;
use crate::delivery::delivery::{Delivery, Stage};
use crate::syntax::command::Verb;
use crate::syntax::command::command::Command;
use crate::syntax::encode::BufferTooSmall;

impl Delivery<'_> {
    /// Writes a piece of the content into `out`, when [`Event::NeedContent`] asks for it.
    ///
    /// If the content is sent in chunks, each call begins a chunk of the size of `content`, unless
    /// the previous chunk is incomplete: after a call that did not consume all, call again with the
    /// rest. With [`CONTENT_ROOM`](Self::CONTENT_ROOM) bytes of room a call always makes progress.
    ///
    /// [`Event::NeedContent`]: super::Event::NeedContent
    ///
    /// # Errors
    ///
    /// Those of [`Client::mail_data`](crate::Client::mail_data). The message cannot be completed
    /// then: [`abandon`](Self::abandon) it with the error.
    pub fn mail_data(&mut self, content: &[u8], out: &mut [u8]) -> Result<Progress, SendError> {
        self.piece(content, false, out)
    }

    /// Writes the last piece of the content into `out`, and the end of the content as soon as the
    /// piece is consumed: with BDAT the piece is the last chunk.
    ///
    /// # Errors
    ///
    /// Those of [`mail_data`](Self::mail_data).
    pub fn last_mail_data(
        &mut self,
        content: &[u8],
        out: &mut [u8],
    ) -> Result<Progress, SendError> {
        self.piece(content, true, out)
    }

    /// Writes the end of the content into `out` and returns its length in bytes: the line with a
    /// single dot, or `BDAT 0 LAST`; before it the CRLF that the last line lacks.
    ///
    /// # Errors
    ///
    /// Those of [`mail_data`](Self::mail_data).
    pub fn end_mail_data(&mut self, out: &mut [u8]) -> Result<usize, SendError> {
        match self.piece(b"", true, out) {
            Ok(progress) => Ok(progress.written),
            // Without PIPELINING it is sent after the reply to the chunk before it.
            Err(SendError::NotPipelining) => {
                self.stage = Stage::LastChunk;
                Ok(0)
            }
            Err(error) => Err(error),
        }
    }

    /// Abandons the message whose content was asked for, for example because the rest is not
    /// available: `error` is the outcome of its recipients. At any other time the call has no
    /// effect.
    ///
    /// Between two chunks the session continues; elsewhere only closing the connection ends a
    /// message.
    pub fn abandon(&mut self, error: SendError) {
        if !matches!(self.stage, Stage::Content | Stage::LastChunk) {
            return;
        }
        let in_chunks = self.current.as_ref().is_some_and(|current| current.flags.chunks);
        if !in_chunks || self.client.wants_content() {
            self.client.abort();
        }
        let at = if in_chunks { Verb::Bdat } else { Verb::Message };
        self.give_up_current(at, error);
    }

    /// The room in bytes with which a piece of content always makes progress.
    pub const CONTENT_ROOM: usize = 48;

    /// Returns `true` if the server can take a piece of the content now.
    pub(super) fn takes_content(&self) -> bool {
        let Some(current) = &self.current else { return false };
        !current.flags.chunks
            || self.client.wants_content()
            || self.client.permits_now(Verb::Bdat).is_ok()
    }

    fn piece(&mut self, content: &[u8], last: bool, out: &mut [u8]) -> Result<Progress, SendError> {
        let in_chunks = match &self.current {
            // The message failed before all of its content was given: the rest is dropped.
            Some(current) if current.flags.failed && self.stage != Stage::Content => {
                return Ok(Progress { consumed: content.len(), written: 0 });
            }
            Some(current) if self.stage == Stage::Content => current.flags.chunks,
            _ => return self.client.mail_data(content, out),
        };
        let progress = if in_chunks {
            self.chunk(content, last, out)?
        } else {
            self.stuffed(content, last, out)?
        };
        self.written |= progress.written > 0;
        if let Some(current) = &mut self.current {
            current.offset = current.offset.saturating_add(progress.consumed as u64);
        }
        Ok(progress)
    }

    /// Writes content after 354.
    fn stuffed(
        &mut self,
        content: &[u8],
        last: bool,
        out: &mut [u8],
    ) -> Result<Progress, SendError> {
        let mut progress = NO_PROGRESS;
        if !content.is_empty() {
            // The end needs room behind the last byte.
            let end = if last { DataEncoder::MAX_END } else { 0 };
            let room = out.len().saturating_sub(end);
            progress = self.client.mail_data(content, out.get_mut(..room).unwrap_or_default())?;
            if progress == NO_PROGRESS {
                return Err(BufferTooSmall { needed: Self::CONTENT_ROOM }.into());
            }
        }
        if last && progress.consumed == content.len() {
            let rest = out.get_mut(progress.written..).unwrap_or_default();
            progress.written += self.client.end_mail_data(rest)?;
            self.content_is_written();
        }
        Ok(progress)
    }

    /// Writes content in chunks.
    fn chunk(&mut self, content: &[u8], last: bool, out: &mut [u8]) -> Result<Progress, SendError> {
        let mut begin = 0;
        if !self.client.wants_content() {
            begin = self.begin_chunk(content, last, out)?;
            if begin == 0 {
                return Ok(Progress { consumed: content.len(), written: 0 });
            }
        } else if last && content.is_empty() {
            return Err(SendError::ChunkIncomplete);
        }
        let rest = out.get_mut(begin..).unwrap_or_default();
        let Progress { consumed, written } = self.fill_chunk(content, rest)?;
        if !self.client.wants_content() {
            let failed = self.current.as_ref().is_some_and(|current| current.flags.failed);
            if self.chunk.last {
                self.content_is_written();
            } else if failed {
                self.stage = Stage::Failed;
            }
        }
        Ok(Progress { consumed, written: begin + written })
    }

    /// Writes BDAT; writes nothing if the chunk would be empty and is not the last.
    fn begin_chunk(
        &mut self,
        content: &[u8],
        last: bool,
        out: &mut [u8],
    ) -> Result<usize, SendError> {
        self.client.permits_eight_bit(content)?;
        let mut chunk = Chunk { last, ..Chunk::NONE };
        let mut size = content.len() as u64;
        let mut behind = None;
        if let Some(lines) = self.client.lines() {
            let (length, mut after) = lines.measure(content)?;
            behind = Some(after);
            chunk.is_changed = length != size;
            size = length;
            if last {
                let mut end = [0; DataEncoder::MAX_END];
                let length = after.finish(&mut end)?;
                chunk.end = end.get(..length).map_or(0, <[u8]>::len);
                size = size.saturating_add(length as u64);
            }
        }
        if size == 0 && !last {
            return Ok(0);
        }
        if out.len() < Self::CONTENT_ROOM {
            return Err(BufferTooSmall { needed: Self::CONTENT_ROOM }.into());
        }
        let written = self.client.send(&Command::Bdat { size, last }, out)?;
        if let Some((behind, lines)) = behind.zip(self.client.lines()).filter(|_| !chunk.is_changed)
        {
            *lines = behind;
        }
        self.chunk = chunk;
        Ok(written)
    }

    /// Writes bytes of the open chunk. It keeps the last byte of the content back until the end of
    /// the last line fits behind it.
    fn fill_chunk(&mut self, content: &[u8], out: &mut [u8]) -> Result<Progress, SendError> {
        let kept = if self.chunk.end > 0 { content.len().min(1) } else { 0 };
        let (front, last) = content.split_at_checked(content.len() - kept).unwrap_or_default();
        let mut progress = self.put(front, out)?;
        let rest = out.get_mut(progress.written..).unwrap_or_default();
        if progress.consumed == front.len() && self.chunk.end > 0 && rest.len() >= END_ROOM {
            let byte = self.put(last, rest)?;
            // The content is shorter than measured: no other bytes may fill its place.
            if self.client.chunk_left() != self.chunk.end as u64 {
                return Err(SendError::ChunkIncomplete);
            }
            let rest = rest.get_mut(byte.written..).unwrap_or_default();
            let end: &[u8] = if self.chunk.end == 1 { b"\n" } else { b"\r\n" };
            let end = self.client.chunk_bytes(end, rest)?;
            progress.consumed += byte.consumed;
            progress.written += byte.written + end.written;
        }
        Ok(progress)
    }

    /// Writes content of the open chunk.
    fn put(&mut self, content: &[u8], out: &mut [u8]) -> Result<Progress, SendError> {
        if content.is_empty() {
            return Ok(NO_PROGRESS);
        }
        if !self.chunk.is_changed {
            return self.client.chunk_bytes(content, out);
        }
        let mut progress = NO_PROGRESS;
        let mut line = [0; 128];
        loop {
            let content = content.get(progress.consumed..).unwrap_or_default();
            let out = out.get_mut(progress.written..).unwrap_or_default();
            // Content beyond the chunk belongs to the next one.
            let left = usize::try_from(self.client.chunk_left()).unwrap_or(usize::MAX);
            let room = out.len().min(left).min(line.len());
            let room = line.get_mut(..room).unwrap_or_default();
            let step = match self.client.lines() {
                Some(lines) if left > 0 => lines.encode(content, room)?,
                _ => NO_PROGRESS,
            };
            if step == NO_PROGRESS {
                return Ok(progress);
            }
            self.client.chunk_bytes(line.get(..step.written).unwrap_or_default(), out)?;
            progress.consumed += step.consumed;
            progress.written += step.written;
        }
    }

    fn content_is_written(&mut self) {
        self.stage = Stage::Ended;
        if let Some(current) = &mut self.current {
            current.flags.ended = true;
            // No reply is due.
            if current.flags.answered {
                self.stage = Stage::Failed;
            }
        }
    }
}

const NO_PROGRESS: Progress = Progress { consumed: 0, written: 0 };

/// The last byte of the content under any policy, and the end of its line.
const END_ROOM: usize = 6;

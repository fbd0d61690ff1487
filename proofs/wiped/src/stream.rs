//! A server that says one thing after the other.

use std::io::Result;
use std::task::{Context, Poll};

use ehlo_io::{ContentReader, StreamIo};

pub(crate) struct Script {
    replies: std::vec::IntoIter<&'static [u8]>,
    heard_auth: bool,
}

impl Script {
    pub(crate) fn new(replies: Vec<&'static [u8]>) -> Self {
        Self { replies: replies.into_iter(), heard_auth: false }
    }

    pub(crate) fn heard_auth(&self) -> bool {
        self.heard_auth
    }
}

#[derive(Default)]
pub(crate) struct Memory;

impl StreamIo<Script> for Memory {
    fn poll_read(
        &mut self,
        script: &mut Script,
        _: &mut Context<'_>,
        space: &mut [u8],
    ) -> Poll<Result<usize>> {
        let reply = script.replies.next().unwrap_or_default();
        space[..reply.len()].copy_from_slice(reply);
        Poll::Ready(Ok(reply.len()))
    }

    fn poll_write(
        &mut self,
        script: &mut Script,
        _: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<Result<usize>> {
        script.heard_auth |= bytes.starts_with(b"AUTH PLAIN ");
        Poll::Ready(Ok(bytes.len()))
    }

    fn poll_flush(&mut self, _: &mut Script, _: &mut Context<'_>) -> Poll<Result<()>> {
        Poll::Ready(Ok(()))
    }

    fn poll_close(&mut self, _: &mut Script, _: &mut Context<'_>) -> Poll<Result<()>> {
        Poll::Ready(Ok(()))
    }
}

impl ContentReader<&[u8]> for Memory {
    fn read(reader: &mut &[u8], _: &mut Context<'_>, space: &mut [u8]) -> Poll<Result<usize>> {
        Poll::Ready(std::io::Read::read(reader, space))
    }
}

//! The content of a message, by DATA and by BDAT.

use super::event::{Event, Reason};
use super::read::at_most;
use super::server::{Reading, Server, Transaction};
use crate::data::{Before, Content, DataDecoder, NewlineError, Newlines};
use crate::machine::Received;
use crate::syntax::command::Verb;

impl Server {
    pub(super) fn mail_data<'i>(&mut self, input: &'i [u8]) -> Received<Event<'i>> {
        let Reading::Data(decoder) = &mut self.reading else {
            return Received { consumed: 0, event: Event::NeedInput };
        };
        let found = decoder.decode(input);
        let event = match found.content {
            Content::NeedInput => Event::MailData(&[]),
            Content::Data(data) => Event::MailData(self.fitting(data)),
            Content::End(Ok(())) => self.end_of_data(),
            Content::End(Err(NewlineError { kind, offset })) => {
                self.reading = Reading::Line;
                self.refuse(Verb::Message, Reason::Newlines(kind), offset, None)
            }
        };
        Received { consumed: found.consumed, event }
    }

    /// The part of `data` that fits into the largest message; if that is not all, the message is refused,
    /// RFC 1870 §6.3.
    fn fitting<'i>(&mut self, data: &'i [u8]) -> &'i [u8] {
        let fits = at_most(self.largest_message().saturating_sub(self.transaction.size), data);
        if fits.len() < data.len() {
            self.verdict = Some(Reason::MessageTooLarge);
        }
        self.transaction.size += fits.len() as u64;
        fits
    }

    pub(super) fn end_of_data<'i>(&mut self) -> Event<'i> {
        self.reading = Reading::Line;
        match self.verdict.take() {
            Some(reason) => self.refuse(Verb::Message, reason, 0, None),
            None => self.end_of_message(Verb::Message),
        }
    }

    fn end_of_message<'i>(&mut self, verb: Verb) -> Event<'i> {
        self.pend(verb, None);
        Event::EndOfMailData { size: self.transaction.size }
    }

    /// Takes the front of `input` within a chunk of which `left` bytes are to come.
    pub(super) fn chunk<'i>(
        &mut self,
        input: &'i [u8],
        left: u64,
        last: bool,
    ) -> Received<Event<'i>> {
        if left > 0 {
            let (consumed, data) = self.content(at_most(left, input));
            self.reading = Reading::chunk(left - consumed as u64, last);
            return Received { consumed, event: Event::MailData(data) };
        }
        if last && self.verdict.is_none() {
            if let Some(data) = self.end_of_content() {
                return Received { consumed: 0, event: Event::MailData(data) };
            }
        }
        self.reading = Reading::Line;
        let verb = if last { Verb::BdatLast } else { Verb::Bdat };
        let event = match self.verdict.take() {
            Some(reason @ Reason::Newlines(_)) => {
                self.refuse(verb, reason, self.transaction.size, None)
            }
            Some(reason) => self.refuse(verb, reason, 0, None),
            None if last => self.end_of_message(verb),
            None => {
                self.pend(verb, None);
                Event::EndOfChunk
            }
        };
        Received { consumed: 0, event }
    }

    /// Takes the front of `input`, bytes of a chunk: the number of bytes, and the data to report.
    ///
    /// RFC 3030 §3: only BODY=BINARYMIME may have content without lines, so the policy of DATA holds for
    /// all other content.
    fn content<'i>(&mut self, input: &'i [u8]) -> (usize, &'i [u8]) {
        let Some(mut decoder) = self.content_decoder() else {
            return (input.len(), self.fitting(input));
        };
        let found = decoder.content(input);
        let (before, line) = decoder.place();
        (self.transaction.before, self.transaction.line) = (Some(before), line);
        let data = match found.content {
            Content::Data(data) => self.fitting(data),
            Content::NeedInput | Content::End(_) => &[],
        };
        if let Some(error) = decoder.error() {
            self.refuse_content(error);
        }
        (found.consumed, data)
    }

    /// The data that the end of the last chunk adds to the content, if any. An error there refuses it.
    fn end_of_content(&mut self) -> Option<&'static [u8]> {
        match self.content_decoder()?.end_of_content() {
            Content::Data(data) => {
                self.transaction.before = Some(Before::Start);
                Some(self.fitting(data))
            }
            Content::End(Err(error)) => {
                self.refuse_content(error);
                None
            }
            Content::End(Ok(())) | Content::NeedInput => None,
        }
    }

    fn refuse_content(&mut self, error: NewlineError) {
        self.verdict = Some(Reason::Newlines(error.kind));
        self.transaction.size = error.offset;
    }

    /// The decoder of content in chunks, in the state after the last chunk; `None` if all bytes
    /// pass.
    fn content_decoder(&self) -> Option<DataDecoder> {
        let Transaction { size, line, before, .. } = self.transaction;
        let (newlines, text_line) = (self.config.newlines, self.config.limits.text_line);
        if newlines == Newlines::Keep && text_line == 0 {
            return None;
        }
        let decoder = DataDecoder::resumed(newlines, size, before?, line);
        Some(decoder.with_line_limit(Some(text_line)))
    }
}

//! The writing half: the choice of the next command.

use crate::client::error::SendError;
use crate::delivery::delivery::{Delivery, Stage};
use crate::delivery::envelope::Recipient;
use crate::delivery::event::RecipientRange;
use crate::delivery::plan::with_mail;
use crate::delivery::transaction::Transaction;
use crate::identity::HeloName;
use crate::syntax::command::Verb;
use crate::syntax::command::command::Command;
use crate::syntax::encode::BufferTooSmall;
use crate::syntax::path::ClientName;

impl<'e> Delivery<'e> {
    /// Writes all commands that may be sent and fit.
    pub(super) fn write(&mut self, out: &mut [u8]) -> Result<usize, BufferTooSmall> {
        let mut written = 0;
        loop {
            self.settle();
            if self.due.is_any() || !self.is_open() {
                break;
            }
            let stage = self.stage;
            match self.command(out.get_mut(written..).unwrap_or_default()) {
                Ok(0) if self.stage == stage => break,
                Ok(more) => written += more,
                Err(SendError::BufferTooSmall(error)) if written == 0 => return Err(error),
                Err(
                    SendError::BufferTooSmall(_)
                    | SendError::WaitForReply
                    | SendError::NotPipelining
                    | SendError::WindowFull,
                ) => break,
                Err(error) => self.refuse(error),
            }
        }
        self.written |= written > 0;
        Ok(written)
    }

    /// Writes the next command. Returns 0 if there is no command, or if a stage ends without one.
    fn command(&mut self, out: &mut [u8]) -> Result<usize, SendError> {
        let (command, then) = match self.stage {
            Stage::Hello if self.config.lmtp => {
                (Command::Lhlo(self.client_name()?), Stage::Replies)
            }
            Stage::Hello => (Command::Ehlo(self.client_name()?), Stage::Replies),
            Stage::Helo => (Command::Helo(self.client_name()?), Stage::Replies),
            Stage::StartTls => (Command::StartTls, Stage::Replies),
            Stage::Mail => return self.mail(out),
            Stage::Rcpt => return self.rcpt(out),
            Stage::Transfer => return self.transfer(out),
            Stage::LastChunk => {
                self.stage = Stage::Content;
                let end = self.last_mail_data(b"", out);
                if end.is_err() {
                    self.stage = Stage::LastChunk;
                }
                return Ok(end?.written);
            }
            Stage::LoneDot => {
                let written = self.client.end_mail_data(out)?;
                self.stage = Stage::Ended;
                if let Some(current) = &mut self.current {
                    current.flags.ended = true;
                }
                return Ok(written);
            }
            Stage::Rset => (Command::Rset, Stage::Mail),
            Stage::Noop => (Command::Noop(None), Stage::Replies),
            Stage::Quit => (Command::Quit, Stage::Replies),
            Stage::Greeting
            | Stage::Handshake
            | Stage::Authenticate
            | Stage::Replies
            | Stage::Idle
            | Stage::Content
            | Stage::Ended
            | Stage::Failed => return Ok(0),
        };
        let written = self.client.send(&command, out)?;
        self.stage = then;
        if command == Command::Rset && self.current.is_none() {
            self.idle();
        }
        Ok(written)
    }

    fn client_name(&self) -> Result<ClientName<'e>, SendError> {
        let out_of_state = SendError::OutOfState { state: self.client.state(), verb: Verb::Ehlo };
        self.name.map(HeloName::client_name).ok_or(out_of_state)
    }

    fn mail(&mut self, out: &mut [u8]) -> Result<usize, SendError> {
        let Some(current) = &self.current else { return Ok(0) };
        let envelope = current.envelope;
        let plan = self.plan(envelope)?;
        // No command is sent before there is a recipient.
        match current.recipient(current.next) {
            Some(recipient) => {
                if let Err(error) = self.permits(&recipient, current.smtputf8()) {
                    self.skip(error);
                    return Ok(0);
                }
            }
            None if current.next == current.first => return Err(SendError::NoRecipients),
            // Each recipient was left out, and has its outcome.
            None => {
                self.due.finished = Some(current.number);
                self.current = None;
                self.idle();
                return Ok(0);
            }
        }
        let offered = *self.client.capabilities();
        let written = with_mail(envelope, &offered, |command| self.client.send(command, out))?;
        if let Some(current) = &mut self.current {
            current.flags.chunks = plan.chunks;
            // Content waits for the replies if the message before it failed or may fail: a server
            // that keeps that transaction open would add the content to it.
            current.flags.early = plan.early && self.old.is_none() && !self.end_refused;
        }
        self.statistics.transactions = self.statistics.transactions.saturating_add(1);
        self.stage = Stage::Rcpt;
        Ok(written)
    }

    fn rcpt(&mut self, out: &mut [u8]) -> Result<usize, SendError> {
        let Some(current) = self.current else { return Ok(0) };
        let Some(recipient) = current.recipient(current.next) else {
            self.stage = Stage::Transfer;
            return Ok(0);
        };
        // RFC 9422 §4.2.
        let most = self.client.capabilities().rcpt_max();
        if most.is_some_and(|most| current.sent >= most) {
            if !current.envelope.repeatable {
                let rest = RecipientRange { first: current.next, ..current.rest() };
                self.due.not_sent = Some((rest, Verb::Rcpt, SendError::TooManyRecipients));
            }
            self.stage = Stage::Transfer;
            return Ok(0);
        }
        if let Err(error) = self.permits(&recipient, current.smtputf8()) {
            self.skip(error);
            return Ok(0);
        }
        let Recipient { forward_path, parameters } = recipient;
        let written = self.client.send(&Command::Rcpt { forward_path, parameters }, out)?;
        if let Some(current) = &mut self.current {
            current.next += 1;
            current.sent += 1;
        }
        Ok(written)
    }

    /// Leaves one recipient out.
    fn skip(&mut self, error: SendError) {
        if let Some(current) = &mut self.current {
            self.due.not_sent = Some((current.one(current.next), Verb::Rcpt, error));
            current.skip();
        }
    }

    fn transfer(&mut self, out: &mut [u8]) -> Result<usize, SendError> {
        let Some(current) = self.current else { return Ok(0) };
        // RFC 5321 §3.3: no DATA when every RCPT was refused.
        if current.has_nobody() {
            self.fail();
            return Ok(0);
        }
        if !current.flags.chunks {
            let written = self.client.send(&Command::Data, out)?;
            self.stage = Stage::Replies;
            return Ok(written);
        }
        if current.flags.early || current.is_answered() {
            self.stage = Stage::Content;
        }
        Ok(0)
    }

    /// Handles a command that could not be sent.
    fn refuse(&mut self, error: SendError) {
        let at = match self.stage {
            Stage::Mail => Verb::Mail,
            Stage::Rcpt => Verb::Rcpt,
            Stage::Transfer => Verb::Data,
            Stage::LoneDot => Verb::Message,
            Stage::LastChunk => Verb::BdatLast,
            _ => return self.client.abort(),
        };
        self.give_up_current(at, error);
    }

    /// Stops the current transaction for this reason.
    pub(super) fn give_up_current(&mut self, at: Verb, error: SendError) {
        let Some(current) = &mut self.current else { return };
        current.flags.decided = true;
        let rest = current.rest();
        self.due.not_sent = Some((rest, at, error));
        if at == Verb::Mail {
            self.current = None;
            self.due.finished = Some(rest.envelope);
            return self.idle();
        }
        self.fail();
    }

    /// Stops the current transaction, except for the rest of a chunk.
    pub(super) fn fail(&mut self) {
        let Some(current) = &mut self.current else { return };
        current.flags.failed = true;
        let completes_chunk = current.flags.chunks && self.client.wants_content();
        match self.stage {
            Stage::Content if completes_chunk => {}
            Stage::Mail
            | Stage::Rcpt
            | Stage::Transfer
            | Stage::Content
            | Stage::LastChunk
            | Stage::LoneDot
            | Stage::Replies => self.stage = Stage::Failed,
            _ => {}
        }
    }

    /// Ends a failed transaction once every reply has come; RSET clears the rest of it at the
    /// server.
    pub(super) fn settle(&mut self) {
        if self.stage != Stage::Failed || self.client.awaits().is_some() || !self.is_open() {
            return;
        }
        let Some(current) = self.current.take() else { return };
        if current.flags.again {
            let Transaction { envelope, number, first, .. } = current;
            self.current = Some(Transaction::new(envelope, number, first));
            self.stage = Stage::Rset;
        } else {
            // RFC 3030 §2: after a chunk that was refused the state is "indeterminate".
            let is_open = self.client.state().is_transaction();
            self.over(&current, is_open || current.flags.answered);
        }
    }

    /// Ends the current transaction, which the caller has taken: another one follows for the
    /// remaining recipients, or the envelope is finished.
    pub(super) fn over(&mut self, over: &Transaction<'e>, resets: bool) {
        self.later = false;
        if let Some(first) = over.following() {
            self.current = Some(Transaction::new(over.envelope, over.number, first));
            self.due.split = Some((over.number, first));
            self.stage = Stage::Mail;
        } else {
            self.due.finished = Some(over.number);
            self.idle();
        }
        if resets {
            self.stage = Stage::Rset;
        }
    }
}

//! The client's writing half: the rules for sending, and the encoding.

use crate::client::client::{Client, Envelope};
use crate::client::error::SendError;
use crate::data::{DataEncoder, Progress};
use crate::session::{self, State};
use crate::syntax::command::Mechanism;
use crate::syntax::command::Verb;
use crate::syntax::command::command::Command;
use crate::syntax::encode::Encode;
use crate::syntax::extension::Extension;
use crate::syntax::limits;
use crate::syntax::parameter::{Body, Parameters, Place};
use crate::syntax::path::Mailbox;
use crate::syntax::path::forward_path::ForwardPath;
use crate::syntax::sasl::Response;
use crate::syntax::sasl::SaslMechanism;

impl Client {
    /// Writes `command` into `out` and returns its length in bytes.
    ///
    /// Several commands may be in flight if the server offers PIPELINING. The client judges a
    /// command in the state that follows if all commands in flight succeed.
    ///
    /// # Errors
    ///
    /// [`SendError`] for a command that RFC 5321, RFC 2920 or the server's extensions forbid.
    /// Nothing is written then, and the state is unchanged.
    pub fn send(&mut self, command: &Command<'_>, out: &mut [u8]) -> Result<usize, SendError> {
        let verb = command.verb();
        self.permits_now(verb)?;
        // RFC 4954 §4: "After a successful AUTH command completes, a server MUST reject any further
        // AUTH commands with a 503 reply."
        let again = (verb == Verb::Auth && self.authenticated)
            // RFC 3207 §4.2: "A client MUST NOT attempt to start a TLS session if a TLS session is
            // already active."
            || (verb == Verb::StartTls && self.tls);
        if again || !session::is_valid(self.assumed, verb) {
            return Err(SendError::OutOfState { state: self.assumed, verb });
        }
        self.permits(command)?;
        if command.encoded_len() > command.line_limit() {
            return Err(SendError::LineTooLong);
        }
        let written = command.encode(out)?;
        match command {
            Command::Mail { parameters, .. } => {
                self.messages = self.messages.saturating_add(1);
                self.encoder = DataEncoder::without_dots(self.config.newlines);
                self.envelope = Envelope {
                    recipients: 0,
                    smtputf8: parameters.smtputf8(),
                    body: parameters.body().unwrap_or(Body::SevenBit),
                };
            }
            Command::Rcpt { forward_path, .. } => {
                self.envelope.recipients += 1;
                self.domains.note(forward_path);
            }
            Command::Bdat { size, last } => (self.chunk, self.last_chunk) = (*size, *last),
            _ => {}
        }
        self.issue(verb);
        Ok(written)
    }

    /// Writes a response within AUTH into `out`, RFC 4954 §4, and returns its length in bytes.
    ///
    /// # Errors
    ///
    /// [`SendError::OutOfState`] when no challenge awaits a response, and those of
    /// [`send`](Self::send).
    pub fn respond(&mut self, response: &Response<'_>, out: &mut [u8]) -> Result<usize, SendError> {
        let verb = Verb::AuthResponse;
        self.permits_now(verb)?;
        if !session::is_valid(self.assumed, verb) {
            return Err(SendError::OutOfState { state: self.assumed, verb });
        }
        if response.encoded_len() > limits::AUTH_LINE {
            return Err(SendError::LineTooLong);
        }
        let written = response.encode(out)?;
        self.issue(verb);
        Ok(written)
    }

    /// Writes a piece of the content into `out`: after 354 with dots stuffed, RFC 5321 §4.5.2, and
    /// after BDAT without, up to the end of the chunk.
    ///
    /// [`ClientConfig::newlines`](crate::ClientConfig::newlines) applies to both, unless the
    /// message was declared as BODY=BINARYMIME. Under
    /// [`Newlines::Normalise`](crate::data::Newlines::Normalise) the bytes of a chunk
    /// [differ](Self::chunk_size) from the content.
    ///
    /// # Errors
    ///
    /// [`SendError`] when no content is due, or for content that the newline policy refuses. A
    /// message with refused content cannot be completed: only closing the connection ends it.
    pub fn mail_data(&mut self, content: &[u8], out: &mut [u8]) -> Result<Progress, SendError> {
        if self.chunk > 0 && self.envelope.body != Body::BinaryMime {
            return self.chunk_lines(content, out);
        }
        if self.chunk > 0 {
            return self.chunk_bytes(content, out);
        }
        self.permits_content()?;
        if self.accepted == 0 {
            return Err(SendError::NoRecipients);
        }
        // It takes no more than fits.
        self.permits_eight_bit(content.get(..out.len()).unwrap_or(content))?;
        Ok(self.encoder.encode(content, out)?)
    }

    /// The size that BDAT must declare for `content`, which follows the chunks of the transaction.
    /// Under [`Newlines::Normalise`](crate::data::Newlines::Normalise) it differs from the length
    /// of `content`.
    ///
    /// ```
    /// use ehlo::data::Newlines;
    /// use ehlo::{Client, ClientConfig};
    ///
    /// let config = ClientConfig { newlines: Newlines::Normalise, ..ClientConfig::DEFAULT };
    /// assert_eq!(Client::new(config).chunk_size(b"one\ntwo\n")?, 10);
    /// assert!(Client::new(ClientConfig::DEFAULT).chunk_size(b"one\ntwo\n").is_err());
    /// # Ok::<(), ehlo::SendError>(())
    /// ```
    ///
    /// # Errors
    ///
    /// [`SendError::Newlines`] for content that the policy refuses, before any of it is sent.
    pub fn chunk_size(&self, content: &[u8]) -> Result<u64, SendError> {
        if self.envelope.body == Body::BinaryMime {
            return Ok(content.len() as u64);
        }
        Ok(self.encoder.measure(content)?.0)
    }

    /// The encoder of lines for content in chunks; `None` for content without lines, RFC 3030 §3.
    pub(crate) fn lines(&mut self) -> Option<&mut DataEncoder> {
        (self.envelope.body != Body::BinaryMime).then_some(&mut self.encoder)
    }

    /// Writes content of the open chunk, under the newline policy.
    fn chunk_lines(&mut self, content: &[u8], out: &mut [u8]) -> Result<Progress, SendError> {
        self.permits_bytes()?;
        let room = usize::try_from(self.chunk).map_or(out.len(), |left| left.min(out.len()));
        self.permits_eight_bit(content.get(..room).unwrap_or(content))?;
        let has_room = out.len() >= DataEncoder::MIN_ROOM;
        let room = out.get_mut(..room).unwrap_or_default();
        let before = self.encoder;
        let progress = self.encoder.encode(content, room)?;
        let left = self.chunk - progress.written as u64;
        // A CRLF that replaces one byte must be in one chunk.
        let is_stuck = progress.written == 0 && !content.is_empty() && has_room;
        let permitted = match left {
            _ if is_stuck => Err(SendError::ChunkIncomplete),
            0 if self.last_chunk => self.permits_end_of_lines(),
            _ => Ok(()),
        };
        match permitted {
            Ok(()) => self.chunk = left,
            Err(SendError::ChunkIncomplete) => self.encoder = before,
            Err(_) => {}
        }
        permitted.map(|()| progress)
    }

    /// Writes content of the open chunk unchanged.
    pub(crate) fn chunk_bytes(
        &mut self,
        content: &[u8],
        out: &mut [u8],
    ) -> Result<Progress, SendError> {
        self.permits_bytes()?;
        let room = content.len().min(out.len());
        let length = usize::try_from(self.chunk).unwrap_or(usize::MAX).min(room);
        self.permits_eight_bit(content.get(..length).unwrap_or_default())?;
        if let (Some(to), Some(from)) = (out.get_mut(..length), content.get(..length)) {
            to.copy_from_slice(from);
        }
        self.chunk -= length as u64;
        Ok(Progress { consumed: length, written: length })
    }

    /// Whether content in chunks may end at this point.
    fn permits_end_of_lines(&self) -> Result<(), SendError> {
        let mut end = [0; DataEncoder::MAX_END];
        // The byte that would complete a CR cannot follow the last chunk.
        match { self.encoder }.finish(&mut end)? {
            1 => Err(SendError::ChunkIncomplete),
            _ => Ok(()),
        }
    }

    /// Writes the end of the content after 354 into `out`: the line with a single dot, and before
    /// it the CRLF that the content's last line lacks. Returns its length in bytes.
    ///
    /// # Errors
    ///
    /// Those of [`mail_data`](Self::mail_data).
    pub fn end_mail_data(&mut self, out: &mut [u8]) -> Result<usize, SendError> {
        self.permits_content()?;
        let written = self.encoder.finish(out)?;
        self.encoder = DataEncoder::without_dots(self.config.newlines);
        self.sending = false;
        self.issue(Verb::Message);
        Ok(written)
    }

    /// Returns `true` if the server expects content now: 354 came, or a chunk is incomplete.
    pub const fn wants_content(&self) -> bool {
        (self.sending || self.chunk > 0) && !matches!(self.state, State::Closed)
    }

    /// The bytes of a chunk that are still to be sent.
    pub(crate) const fn chunk_left(&self) -> u64 {
        self.chunk
    }

    fn issue(&mut self, verb: Verb) {
        self.flight.push(verb);
        self.assumed = session::next(self.assumed, verb, session::success(verb));
    }

    /// Whether the client may send any byte.
    pub(crate) fn permits_bytes(&self) -> Result<(), SendError> {
        if self.state == State::Closed {
            return Err(SendError::Closed);
        }
        if self.out_of_step {
            return Err(SendError::OutOfStep);
        }
        Ok(())
    }

    // RFC 6152 §3: 8-bit content only where BODY=8BITMIME was said.
    pub(crate) fn permits_eight_bit(&self, content: &[u8]) -> Result<(), SendError> {
        if self.envelope.body == Body::SevenBit && !self.config.any_content && !content.is_ascii() {
            return Err(SendError::EightBitContent);
        }
        Ok(())
    }

    fn permits_content(&self) -> Result<(), SendError> {
        self.permits_bytes()?;
        if !self.sending {
            return Err(SendError::OutOfState { state: self.assumed, verb: Verb::Message });
        }
        Ok(())
    }

    /// Whether `verb` may be sent behind the commands in flight.
    pub(crate) fn permits_now(&self, verb: Verb) -> Result<(), SendError> {
        self.permits_bytes()?;
        if self.chunk > 0 {
            return Err(SendError::ChunkIncomplete);
        }
        let Some(last) = self.flight.last() else { return Ok(()) };
        // RFC 2920 §3.1: EHLO, DATA, VRFY, EXPN, TURN, QUIT and NOOP "can only appear as the last
        // command in a group".
        if session::ends_group(last) {
            return Err(SendError::WaitForReply);
        }
        if !self.config.pipelining || !self.capabilities.contains(Extension::Pipelining) {
            return Err(SendError::NotPipelining);
        }
        // A refusal of RSET, or of the end of another message, may leave that transaction open.
        // Content behind it would go to the recipients of that transaction.
        if carries_content(verb) && !self.flight.verbs().all(is_of_transaction) {
            return Err(SendError::WaitForReply);
        }
        if !self.flight.has_room(verb) {
            return Err(SendError::WindowFull);
        }
        Ok(())
    }

    pub(crate) fn permits(&self, command: &Command<'_>) -> Result<(), SendError> {
        if self.config.require_tls && !self.tls && !goes_in_clear(command.verb()) {
            return Err(SendError::TlsRequired);
        }
        if let Some(extension) = command.extension() {
            self.permits_extension(extension)?;
        }
        match command {
            Command::Mail { reverse_path, parameters } => {
                self.permits_size(reverse_path.is_within_limits())?;
                self.permits_parameters(parameters, Place::Mail)?;
                // RFC 1870 §6: no message larger than the fixed maximum; 0 means that there is no
                // maximum.
                let maximum = self.capabilities.size().filter(|size| *size > 0);
                if parameters.size().zip(maximum).is_some_and(|(size, maximum)| size > maximum) {
                    return Err(SendError::MessageTooLarge);
                }
                if self.capabilities.mail_max().is_some_and(|max| self.messages >= max) {
                    return Err(SendError::TooManyMessages);
                }
                // RFC 8689 §4.2.1: a client has to "Establish a TLS-protected SMTP session" first,
                // and without one on any host "MUST NOT transmit the message".
                if parameters.requiretls() && !self.tls {
                    return Err(SendError::TlsRequired);
                }
                let mailbox = reverse_path.mailbox().filter(|_| !reverse_path.is_ascii());
                self.permits_utf8(mailbox, parameters, parameters.smtputf8())
            }
            Command::Rcpt { forward_path, parameters } => {
                self.permits_recipient(forward_path, parameters, self.envelope.smtputf8)?;
                if self.capabilities.rcpt_max().is_some_and(|max| self.envelope.recipients >= max) {
                    return Err(SendError::TooManyRecipients);
                }
                Ok(())
            }
            // RFC 3030 §3: "BINARYMIME cannot be used with the DATA command."
            Command::Data if self.envelope.body == Body::BinaryMime => Err(SendError::BinaryByData),
            Command::Bdat { size: 0, last: true } if self.envelope.body != Body::BinaryMime => {
                self.permits_end_of_lines()
            }
            // RFC 6531 §3.7.4.2: in UTF-8 only where SMTPUTF8 is offered, and then with the keyword.
            Command::Vrfy { argument, smtputf8 } | Command::Expn { argument, smtputf8 } => {
                if *smtputf8 {
                    self.permits_extension(Extension::SmtpUtf8)
                } else if argument.is_ascii() {
                    Ok(())
                } else {
                    Err(SendError::NeedsSmtpUtf8)
                }
            }
            // RFC 4954 §4: "If use of the initial response argument would cause the AUTH command to
            // exceed this length, the client MUST NOT use the initial response parameter".
            Command::Auth { .. } if command.encoded_len() > limits::COMMAND_LINE => {
                Err(SendError::InitialResponseTooLong)
            }
            Command::Auth { mechanism, .. } => self.permits_mechanism(*mechanism),
            _ => Ok(()),
        }
    }

    /// Whether a recipient may be sent in a transaction with or without SMTPUTF8, apart from the
    /// number of recipients.
    pub(crate) fn permits_recipient(
        &self,
        forward_path: &ForwardPath<'_>,
        parameters: &Parameters<'_>,
        smtputf8: bool,
    ) -> Result<(), SendError> {
        self.permits_size(forward_path.is_within_limits())?;
        self.permits_parameters(parameters, Place::Rcpt)?;
        let mailbox = forward_path.mailbox().filter(|_| !forward_path.is_ascii());
        self.permits_utf8(mailbox, parameters, smtputf8)?;
        let domains = self.capabilities.rcpt_domain_max();
        if domains.is_some_and(|max| !self.domains.permit(forward_path, max)) {
            return Err(SendError::TooManyDomains);
        }
        Ok(())
    }

    /// RFC 5321 §4.5.3.1: a server need not accept a longer local part or path.
    fn permits_size(&self, is_within_limits: bool) -> Result<(), SendError> {
        if is_within_limits || self.config.policy.any_length {
            Ok(())
        } else {
            Err(SendError::PathTooLong)
        }
    }

    /// RFC 6531 §3.4: an address outside US-ASCII, whose mailbox is `mailbox`, needs SMTPUTF8.
    /// Without an offer of it, a domain outside US-ASCII can be sent in A-labels, RFC 5890
    /// §2.3.2.1.
    fn permits_utf8(
        &self,
        mailbox: Option<Mailbox<'_>>,
        parameters: &Parameters<'_>,
        smtputf8: bool,
    ) -> Result<(), SendError> {
        let is_offered = self.capabilities.contains(Extension::SmtpUtf8);
        match mailbox {
            _ if smtputf8 => Ok(()),
            _ if parameters.has_utf8() => Err(SendError::NeedsSmtpUtf8),
            None => Ok(()),
            Some(mailbox) if mailbox.local_part().is_ascii() && !is_offered => {
                Err(SendError::NeedsALabels)
            }
            Some(_) => Err(SendError::NeedsSmtpUtf8),
        }
    }

    fn permits_mechanism(&self, mechanism: Mechanism<'_>) -> Result<(), SendError> {
        let name = mechanism.as_str().as_bytes();
        let Some(mechanism) = SaslMechanism::from_name(name) else { return Ok(()) };
        if !self.config.unoffered && !self.capabilities.mechanisms().contains(mechanism) {
            return Err(SendError::NotOffered(Extension::Auth));
        }
        if mechanism.needs_tls() && !self.tls && !self.config.plaintext_auth {
            return Err(SendError::EncryptionRequired);
        }
        Ok(())
    }

    fn permits_parameters(
        &self,
        parameters: &Parameters<'_>,
        place: Place,
    ) -> Result<(), SendError> {
        for parameter in parameters {
            if let Some(extension) = parameter.extension() {
                self.permits_extension(extension)?;
            } else {
                let is_licensed = self.capabilities.licenses(parameter.keyword(), place);
                if !self.config.unoffered && !is_licensed {
                    return Err(SendError::UnknownParameter);
                }
            }
        }
        Ok(())
    }

    fn permits_extension(&self, extension: Extension) -> Result<(), SendError> {
        if self.config.unoffered || self.capabilities.contains(extension) {
            Ok(())
        } else {
            Err(SendError::NotOffered(extension))
        }
    }
}

/// Returns `true` if a client that requires TLS may send `verb` before TLS is established.
const fn goes_in_clear(verb: Verb) -> bool {
    matches!(
        verb,
        Verb::Ehlo
            | Verb::Helo
            | Verb::Lhlo
            | Verb::StartTls
            | Verb::Noop
            | Verb::Rset
            | Verb::Quit
    )
}

const fn carries_content(verb: Verb) -> bool {
    matches!(verb, Verb::Bdat | Verb::BdatLast | Verb::Burl | Verb::BurlLast)
}

/// Returns `true` if `verb` precedes content in the transaction of that content.
const fn is_of_transaction(verb: Verb) -> bool {
    matches!(verb, Verb::Mail | Verb::Rcpt | Verb::Bdat | Verb::Burl)
}

//! The rules of the RFCs for commands, before the application decides.

use super::config::{Role, is_reached};
use super::domains::Domains;
use super::event::Reason;
use super::server::{Facts, Server};
use crate::session::{self, State};
use crate::syntax::capability::{Capabilities, ReleaseTime};
use crate::syntax::command::Mechanism;
use crate::syntax::command::Verb;
use crate::syntax::command::command::Command;
use crate::syntax::error::{SyntaxError, SyntaxErrorKind};
use crate::syntax::extension::Extension;
use crate::syntax::limits;
use crate::syntax::parameter::allowance;
use crate::syntax::parameter::{ByMode, OtherParameter, Parameter, Parameters, Place};
use crate::syntax::sasl::Mechanisms;

impl Server {
    /// The capabilities that EHLO lists now: the configured ones that can be used at this moment.
    pub fn offered(&self) -> Capabilities {
        let mut offered = without_impossible(self.config.offered);
        // A limit that the machine cannot keep.
        if offered.rcpt_domain_max().is_some() && self.most_domains().is_none() {
            offered = offered.with_limits(offered.limits().with_rcpt_domain_max(0));
        }
        for extension in CONDITIONAL {
            if !self.offers(extension) {
                offered = offered.without(extension);
            }
        }
        if self.offers(Extension::Auth) {
            offered.with_mechanisms(self.mechanisms())
        } else {
            offered
        }
    }

    /// The command of a line without its CRLF.
    pub(super) fn parse<'i>(&self, line: &'i [u8]) -> Result<Command<'i>, SyntaxError> {
        let mut policy = self.config.policy;
        policy.smtputf8 = self.in_force(Extension::SmtpUtf8);
        let too_long = |limit: usize| {
            Err(SyntaxError { kind: SyntaxErrorKind::LineTooLong, offset: limit.saturating_sub(2) })
        };
        let bytes = line.len() + 2;
        let base = self.command_line();
        if bytes <= base {
            return Command::parse_any_length(line, &policy);
        }
        // RFC 5321 §4.1.1.11 and RFC 4954 §4: MAIL, RCPT and AUTH alone may be longer.
        let auth_line = self.auth_line();
        let verb = line.first_chunk::<5>().map(|verb| verb.map(|byte| byte.to_ascii_uppercase()));
        let longest = match verb.as_ref() {
            Some(b"AUTH ") => auth_line,
            Some(b"MAIL " | b"RCPT ") => self.longest_command(),
            _ => base,
        };
        if bytes > longest {
            return too_long(longest);
        }
        let command = Command::parse_any_length(line, &policy)?;
        let limit = match &command {
            Command::Auth { .. } => auth_line,
            command => {
                command.line_limit().saturating_sub(limits::COMMAND_LINE).saturating_add(base)
            }
        };
        if bytes > limit { too_long(limit) } else { Ok(command) }
    }

    /// The reason why the session takes no more commands, if there is one.
    pub(super) const fn is_spent(&self) -> Option<Reason> {
        let limits = &self.config.limits;
        if self.facts.has(Facts::SHUTTING_DOWN) {
            return Some(Reason::ShuttingDown);
        }
        if is_reached(self.errors, limits.errors) || is_reached(self.unknown, limits.unknown) {
            return Some(Reason::TooManyErrors);
        }
        None
    }

    /// The limit of commands that carry no mail forward is reached.
    pub(super) const fn is_idle(&self) -> bool {
        is_reached(self.idle, self.config.limits.idle)
    }

    /// The RCPT commands that one transaction may have; [`u32::MAX`] for no limit.
    pub(super) fn most_recipients(&self) -> u32 {
        let announced = self.config.offered.rcpt_max().unwrap_or(u32::MAX);
        let limit = match self.config.limits.recipients {
            // In LMTP every one is answered after the data, RFC 2033 §4.2, so it must be counted.
            u16::MAX if self.config.role != Role::Lmtp => u32::MAX,
            limit => limit.into(),
        };
        limit.min(announced)
    }

    /// The domains that the recipients of a session may have, if there is a limit.
    pub(super) const fn most_domains(&self) -> Option<u32> {
        match self.config.offered.rcpt_domain_max() {
            Some(max) if max <= Domains::MAX => Some(max),
            _ => None,
        }
    }

    /// Returns `true` if the client must await the reply to `verb` before it sends more, RFC 2920
    /// §3.1.
    pub(super) fn ends_group(&self, verb: Verb) -> bool {
        match verb {
            // A BDAT is followed by its chunk, and input after QUIT is ignored.
            Verb::Bdat | Verb::BdatLast | Verb::Quit => false,
            _ => session::ends_group(verb) || !self.in_force(Extension::Pipelining),
        }
    }

    pub(super) fn judge(&self, command: &Command<'_>) -> Result<(), Reason> {
        let verb = command.verb();
        self.judge_verb(verb)?;
        if (session::is_idle(verb) || is_empty_chunk(command)) && self.is_idle() {
            return Err(Reason::TooManyIdleCommands);
        }
        // RFC 3207 §4.2 and RFC 4954 §4: only once.
        if (verb == Verb::StartTls && self.facts.has(Facts::TLS))
            || (verb == Verb::Auth && self.facts.has(Facts::AUTHENTICATED))
        {
            return Err(Reason::BadSequence);
        }
        self.judge_order(verb)?;
        // The reply to EHLO offers extensions; a client that said HELO was offered none.
        if verb.extension().is_some() && !self.facts.has(Facts::EXTENDED) && verb != Verb::Xclient {
            return Err(Reason::BadSequence);
        }
        match command {
            Command::Mail { parameters, .. } => self.judge_mail(parameters),
            Command::Rcpt { forward_path, parameters } => {
                self.judge_parameters(parameters, Place::Rcpt)?;
                // RFC 6531 §3.4: an address in UTF-8 only in a transaction that said SMTPUTF8.
                if !forward_path.is_ascii() && !self.transaction.smtputf8 {
                    return Err(Reason::Syntax(SyntaxErrorKind::NeedsSmtpUtf8));
                }
                if u32::from(self.transaction.commands) >= self.most_recipients() {
                    return Err(Reason::TooManyRecipients);
                }
                // RFC 9422 §4.3: the limit is of the session.
                match self.most_domains() {
                    Some(max) if self.domains.with(forward_path, max).is_none() => {
                        Err(Reason::TooManyDomains)
                    }
                    _ => Ok(()),
                }
            }
            Command::Data if self.transaction.is_binary() => Err(Reason::BinaryByData),
            Command::Bdat { size, .. }
                if self
                    .transaction
                    .size
                    .checked_add(*size)
                    .is_none_or(|size| size > self.largest_message()) =>
            {
                Err(Reason::MessageTooLarge)
            }
            Command::Auth { mechanism, initial_response } => {
                self.judge_auth(*mechanism, initial_response.is_some())
            }
            _ => Ok(()),
        }
    }

    /// Judges the verb without its arguments.
    pub(super) fn judge_verb(&self, verb: Verb) -> Result<(), Reason> {
        // RFC 5321 §3.1: after a refusing greeting the server answers 503 until QUIT comes.
        if self.state == State::Rejected && verb != Verb::Quit {
            return Err(Reason::BadSequence);
        }
        // RFC 2033 §4.1: LHLO in place of HELO and EHLO, which get a 500.
        if match self.config.role {
            Role::Lmtp => matches!(verb, Verb::Ehlo | Verb::Helo),
            Role::Smtp | Role::Submission => verb == Verb::Lhlo,
        } {
            return Err(Reason::Syntax(SyntaxErrorKind::UnknownVerb));
        }
        if verb.extension().is_some_and(|extension| !self.has(extension)) {
            return Err(Reason::NotImplemented);
        }
        // RFC 3207 §4: 530 "to every command other than NOOP, EHLO, STARTTLS, or QUIT".
        if self.config.require_tls
            && !self.facts.has(Facts::TLS)
            && !matches!(
                verb,
                Verb::Noop | Verb::Ehlo | Verb::Lhlo | Verb::StartTls | Verb::Quit | Verb::Xclient
            )
        {
            return Err(Reason::TlsRequired);
        }
        // RFC 4954 §6: 530 to any command other than AUTH, EHLO, HELO, NOOP, RSET or QUIT; as
        // above, in any state and with any arguments.
        if self.config.require_auth
            && !self.facts.has(Facts::AUTHENTICATED)
            && !matches!(
                verb,
                Verb::Auth
                    | Verb::Ehlo
                    | Verb::Helo
                    | Verb::Lhlo
                    | Verb::Noop
                    | Verb::Rset
                    | Verb::Quit
                    | Verb::StartTls
                    // A trusted proxy may state the user of its client.
                    | Verb::Xclient
                    | Verb::Xforward
            )
        {
            return Err(Reason::AuthenticationRequired);
        }
        Ok(())
    }

    fn judge_order(&self, verb: Verb) -> Result<(), Reason> {
        if session::is_valid(self.state, verb)
            || (self.config.policy.mail_before_hello
                && (self.state, verb) == (State::Start, Verb::Mail))
        {
            return Ok(());
        }
        Err(match (self.state, verb) {
            // RFC 5321 §3.3: "if … all such commands were rejected, the server MAY return a
            // "command out of sequence" (503) or "no valid recipients" (554) reply"; RFC 2033 §4.2
            // wants the 503.
            (
                State::Mail,
                Verb::Data | Verb::Bdat | Verb::BdatLast | Verb::Burl | Verb::BurlLast,
            ) if self.config.role != Role::Lmtp => Reason::NoValidRecipients,
            _ => Reason::BadSequence,
        })
    }

    fn judge_mail(&self, parameters: &Parameters<'_>) -> Result<(), Reason> {
        let most =
            self.config.offered.mail_max().unwrap_or(u32::MAX).min(self.config.limits.messages);
        if self.messages >= most && most < u32::MAX {
            return Err(Reason::TooManyMessages);
        }
        self.judge_parameters(parameters, Place::Mail)?;
        // RFC 1870 §6.1: 552 when the declared size exceeds the fixed maximum.
        if parameters.size().is_some_and(|size| size > self.largest_message()) {
            return Err(Reason::MessageTooLarge);
        }
        let mut holds = 0;
        for parameter in parameters {
            match parameter {
                // RFC 2852 §3: "Any attempt by a client to specify a by-mode of "R" and a by-time
                // strictly less than this limit, min-by-time, will be rejected with a permanent
                // failure (55z) reply code."
                Parameter::By(by)
                    if by.mode() == ByMode::Return
                        && self
                            .config
                            .offered
                            .deliver_by()
                            .is_some_and(|least| by.seconds().unsigned_abs() < least) =>
                {
                    return Err(Reason::ByTimeTooShort);
                }
                Parameter::HoldFor(_) | Parameter::HoldUntil(_) => {
                    holds += 1;
                    // RFC 4865 §5: one of them, and within the limits that were offered.
                    if holds > 1 || self.is_held_too_long(&parameter) {
                        return Err(Reason::HeldTooLong);
                    }
                }
                _ => {}
            }
        }
        Ok(())
    }

    fn is_held_too_long(&self, parameter: &Parameter<'_>) -> bool {
        let Some(limit) = self.config.offered.future_release() else { return false };
        match parameter {
            Parameter::HoldFor(interval) => interval.seconds() > limit.interval(),
            // RFC 4865 §5: in UTC, which is written Z.
            Parameter::HoldUntil(time) => {
                ReleaseTime::parse(time.as_str().as_bytes()).is_none_or(|time| time > limit.until())
            }
            _ => false,
        }
    }

    // RFC 5321 §4.1.1.11: "If the server SMTP does not recognize or cannot implement one or more of
    // the parameters associated with a particular MAIL FROM or RCPT TO command, it will return code
    // 555."
    fn judge_parameters(&self, parameters: &Parameters<'_>, place: Place) -> Result<(), Reason> {
        for parameter in parameters {
            match parameter.extension() {
                Some(extension) if self.in_force(extension) => {}
                Some(extension) => return Err(Reason::NotOffered(extension)),
                None => {
                    if let Parameter::Other(parameter) = parameter {
                        self.judge_private(&parameter, parameters, place)?;
                    }
                }
            }
        }
        Ok(())
    }

    /// Judges a parameter that no RFC of this crate knows.
    #[cold]
    fn judge_private(
        &self,
        parameter: &OtherParameter<'_>,
        all: &Parameters<'_>,
        place: Place,
    ) -> Result<(), Reason> {
        let keyword = parameter.keyword();
        if !self.facts.has(Facts::EXTENDED) || !self.config.offered.licenses(keyword, place) {
            return Err(Reason::UnknownParameter);
        }
        let same = all.iter().filter(|one| one.keyword().eq_ignore_ascii_case(keyword));
        if same.count() > 1 {
            return Err(Reason::Syntax(SyntaxErrorKind::DuplicateParameter));
        }
        Ok(())
    }

    fn judge_auth(&self, mechanism: Mechanism<'_>, begins: bool) -> Result<(), Reason> {
        let configured = self.config.offered.mechanisms();
        // RFC 4954 §4: 504 for a mechanism that is not offered.
        let Some(known) = mechanism.known().filter(|known| configured.contains(*known)) else {
            return Err(Reason::NoSuchMechanism);
        };
        if !self.mechanisms().contains(known) {
            return Err(Reason::EncryptionRequired);
        }
        // RFC 4954 §4: an initial response to a mechanism in which the server begins: 501.
        if known.is_server_first() && begins {
            return Err(Reason::UnexpectedInitialResponse);
        }
        Ok(())
    }

    /// The extension is configured, and can be offered.
    const fn has(&self, extension: Extension) -> bool {
        self.config.offered.contains(extension) && self.config.can_offer(extension)
    }

    /// Returns `true` if the extension can be used at this moment by a client that has said EHLO.
    fn offers(&self, extension: Extension) -> bool {
        self.has(extension)
            && match extension {
                // RFC 3207 §4.2: STARTTLS is not offered again inside TLS.
                Extension::StartTls => !self.facts.has(Facts::TLS),
                // RFC 8689 §4: REQUIRETLS is offered inside TLS only.
                Extension::RequireTls => self.facts.has(Facts::TLS),
                Extension::Auth => !self.mechanisms().is_empty(),
                _ => true,
            }
    }

    /// The mechanisms that can be used at this moment.
    pub(super) fn mechanisms(&self) -> Mechanisms {
        let configured = self.config.offered.mechanisms();
        // RFC 4954 §4: no plaintext mechanism works without TLS.
        if self.facts.has(Facts::TLS) || self.config.plaintext_auth {
            configured
        } else {
            configured.difference(Mechanisms::PLAINTEXT)
        }
    }

    pub(super) fn in_force(&self, extension: Extension) -> bool {
        self.facts.has(Facts::EXTENDED) && self.offers(extension)
    }

    /// RFC 1870 §4: the fixed maximum; [`u64::MAX`] for no maximum.
    pub(super) fn largest_message(&self) -> u64 {
        match self.config.offered.size() {
            None | Some(0) => u64::MAX,
            Some(size) => size,
        }
    }

    /// RFC 5321 §4.5.3.1.4: 512 bytes, unless configured otherwise. A line has at least its LF.
    pub(super) fn command_line(&self) -> usize {
        usize::from(self.config.limits.command_line.max(1))
    }

    fn auth_line(&self) -> usize {
        usize::from(self.config.limits.auth_line.max(1))
    }

    /// The longest command line, with what the extensions in force add.
    pub(super) fn longest_command(&self) -> usize {
        let more = if self.facts.has(Facts::EXTENDED) {
            allowance(|extension| self.config.offered.contains(extension))
        } else {
            0
        };
        self.command_line() + more
    }

    /// The longest line that may come now: of a command, of AUTH, or within it.
    pub(super) fn longest_line(&self) -> usize {
        let auth_line = self.auth_line();
        match self.state {
            State::Auth => auth_line,
            State::Ready if self.in_force(Extension::Auth) => auth_line.max(self.longest_command()),
            _ => self.longest_command(),
        }
    }
}

/// An empty chunk that does not end the message.
const fn is_empty_chunk(command: &Command<'_>) -> bool {
    matches!(command, Command::Bdat { size: 0, last: false })
}

/// The extensions that are offered under a condition.
const CONDITIONAL: [Extension; 6] = [
    Extension::StartTls,
    Extension::RequireTls,
    Extension::Auth,
    Extension::Etrn,
    Extension::Atrn,
    Extension::BinaryMime,
];

/// The offer without the extensions that no server can offer: `ServerConfig::can_offer`.
const fn without_impossible(offered: Capabilities) -> Capabilities {
    offered
        .without(Extension::Checkpoint)
        .without(Extension::Prdr)
        .without(Extension::Utf8Smtp)
        .without(Extension::Turn)
        .without(Extension::Send)
        .without(Extension::Soml)
        .without(Extension::Saml)
}

//! What became of each recipient: a line on standard output, and the exit code.

use std::io::{self, IsTerminal as _, Write as _};
use std::process::ExitCode;

use ehlo::delivery::{Event, Fate, UnusableSession};
use ehlo::route::NoRoute;
use ehlo::syntax::command::Verb;
use ehlo_apps::cause::cause;
use ehlo_apps::output::complain;
use ehlo_apps::printable;
use indicatif::{ProgressBar, ProgressStyle};

use crate::arguments::Arguments;
use crate::envelopes::Addresses;
use crate::link::Target;
use crate::message::{Message, name, reply_text, severity};
use crate::transcript::without_password;

/// The outcomes of one message after the other, to the same recipients.
pub(crate) struct Report {
    recipients: Vec<Addressee>,
    /// What no line may show.
    password: Option<String>,
    /// The messages whose outcomes are not printed.
    open: Vec<Message>,
    begun: u32,
    /// Messages to be begun.
    left: u32,
    worst: u8,
    /// Why the session failed.
    failure: Option<String>,
    /// Something came in clear text behind the reply to STARTTLS.
    injected: bool,
    /// The session ended before a reply.
    interrupted: bool,
    /// Why the session takes no message.
    unusable: Option<UnusableSession>,
    /// What the server said last of the session, where that was a refusal.
    said: String,
    bar: ProgressBar,
}

/// A recipient in brackets, and in A-labels where that is another address.
struct Addressee {
    address: String,
    in_a_labels: Option<String>,
}

impl Report {
    /// Of the messages that `arguments` want sent, perhaps to addresses in A-labels, `content` bytes in
    /// all.
    pub(crate) fn new(
        arguments: &Arguments,
        in_a_labels: Option<&Addresses>,
        content: Option<u64>,
    ) -> Self {
        let recipients = arguments.to.iter().enumerate().map(|(index, address)| Addressee {
            address: address.clone(),
            in_a_labels: in_a_labels
                .and_then(|addresses| addresses.to.get(index).cloned())
                .filter(|in_a_labels| in_a_labels != address),
        });
        let bar = match content {
            Some(bytes) if bytes > 1 << 20 && io::stderr().is_terminal() => ProgressBar::new(bytes),
            _ => ProgressBar::hidden(),
        };
        let template = "{bar:40} {bytes}/{total_bytes} {bytes_per_sec}";
        if let Ok(style) = ProgressStyle::with_template(template) {
            bar.set_style(style);
        }
        Self {
            // A session that is refused is refused for the first message.
            open: vec![Message::new(0, false, arguments.to.len())],
            recipients: recipients.collect(),
            password: arguments.user.as_ref().map(|user| user.password().to_owned()),
            begun: 0,
            left: arguments.count,
            worst: 0,
            failure: None,
            injected: false,
            interrupted: false,
            unusable: None,
            said: String::new(),
            bar,
        }
    }

    /// The next message begins, to addresses in A-labels or as they were given. `false` if there is
    /// none.
    pub(crate) fn begin(&mut self, is_converted: bool) -> bool {
        let Some(left) = self.left.checked_sub(1) else { return false };
        self.left = left;
        let message = Message::new(self.begun as usize, is_converted, self.recipients.len());
        match self.open.first_mut() {
            Some(first) if self.begun == 0 => *first = message,
            _ => self.open.push(message),
        }
        self.begun += 1;
        true
    }

    /// Takes what the event says of the recipients.
    pub(crate) fn record(&mut self, event: &Event<'_>) {
        // For those who have an outcome the end of the session changes nothing.
        self.interrupted |=
            matches!(event, Event::Unanswered { .. } | Event::Finished { .. } | Event::Closed)
                && self.open.iter().any(|it| it.is_concerned(event) && it.is_pending());
        match event {
            Event::Reply { reply, .. } | Event::Unsolicited(reply)
                if !reply.code().is_positive() =>
            {
                self.said = without_password(&reply_text(reply), self.password.as_deref());
            }
            _ => {}
        }
        for message in &mut self.open {
            message.record(event, &self.said, self.password.as_deref());
        }
        match event {
            Event::Finished { envelope } => self.print(|message| message.number == *envelope),
            Event::Violation(error) => self.fail(&format!("this is no reply: {error}"), false),
            Event::Unsolicited(reply) => {
                self.fail(&format!("this answers nothing: {reply}"), false);
            }
            Event::Unusable(why) => {
                self.unusable = Some(*why);
                self.fail(&why.to_string(), false);
            }
            Event::Refused { to: to @ (Verb::Lhlo | Verb::Ehlo | Verb::Helo), reply, .. } => {
                // What does not know the command; anything else refuses this client.
                let is_unknown = matches!(reply.code().number(), 500 | 502 | 503);
                let guess = match to {
                    _ if !is_unknown || self.password.is_some() => "",
                    Verb::Lhlo => ", is it SMTP?",
                    _ => ", is it LMTP?",
                };
                self.fail(&format!("{} was refused{guess} {reply}", name(*to)), false);
            }
            _ => {}
        }
    }

    /// The session failed; what is said first is the reason, and what follows from it is not said.
    pub(crate) fn fail(&mut self, text: &str, is_injection: bool) {
        self.injected |= is_injection;
        self.failure.get_or_insert_with(|| text.to_owned());
    }

    /// Why the session took no message at all, where another one may.
    pub(crate) fn unusable(&self) -> Option<UnusableSession> {
        self.unusable.filter(|_| self.begun == 0)
    }

    /// Whether something came in clear text where TLS was to begin.
    pub(crate) const fn was_injected(&self) -> bool {
        self.injected
    }

    /// Nothing was sent, and another session begins.
    pub(crate) fn begin_again(&mut self) {
        let why = self.why();
        complain("send", &format!("{why}: once more, on another connection"));
        self.forget();
    }

    /// Whether there was no session that takes messages.
    pub(crate) const fn took_no_message(&self) -> bool {
        self.begun == 0
    }

    /// This server did not take a message, for this reason or for the one that it gave; another is
    /// tried.
    pub(crate) fn go_on(&mut self, server: &Target, error: Option<&str>) {
        let why = match (&self.failure, error) {
            (Some(failure), _) => failure,
            (None, _) if !self.said.is_empty() => &self.said,
            (None, Some(error)) => error,
            (None, None) => "the session ended",
        };
        complain("send", &printable(&format!("{server}: {why}: on to the next")));
        self.forget();
    }

    /// As before any connection.
    fn forget(&mut self) {
        self.open = vec![Message::new(0, false, self.recipients.len())];
        (self.failure, self.unusable, self.interrupted) = (None, None, false);
        self.said.clear();
    }

    /// There is no server for the domain.
    pub(crate) fn without_route(&mut self, why: NoRoute) {
        for index in 0..self.recipients.len() {
            let event = Event::Recipient { envelope: 0, index, reply: why.reply() };
            self.record(&event);
        }
        if !why.is_permanent() {
            self.worst = 2;
            self.fail(&why.to_string(), false);
        }
        self.close(None);
    }

    /// There is no connection.
    pub(crate) fn without_connection(&mut self, why: &str) {
        self.fail(why, false);
        for message in &mut self.open {
            message.record(&Event::Closed, &self.said, None);
            message.texts.fill(format!("not sent: {}", printable(why)));
        }
        self.close(None);
    }

    /// The session is over, by this error or in good order.
    pub(crate) fn close(&mut self, error: Option<&io::Error>) {
        if self.begun == 0 && self.unusable.is_some() {
            let why = self.why();
            for message in &mut self.open {
                message.explain(&format!("not sent: {why}"));
            }
        }
        let is_interrupted = self.interrupted || self.open.iter().any(Message::is_pending);
        for message in &mut self.open {
            message.record(&Event::Closed, &self.said, None);
        }
        // TLS that fails from the first byte comes before any greeting.
        if let Some(error) = error.filter(|_| self.begun == 0) {
            let why = format!("not sent: {}", printable(&cause(error)));
            self.open.iter_mut().for_each(|message| message.explain_silence(&why));
        }
        self.print(|_| true);
        if is_interrupted {
            let ended = "the connection ended before the reply".to_owned();
            self.fail(&error.map_or(ended, |error| cause(error)), false);
        }
        // The first was given up with the session.
        let left = self.left.saturating_sub(u32::from(self.begun == 0));
        if left > 0 {
            self.worst = 2;
            self.fail(&format!("the session ended with {left} messages unsent"), false);
        }
        self.bar.finish_and_clear();
    }

    /// Shows what is read of the content.
    pub(crate) const fn bar(&self) -> &ProgressBar {
        &self.bar
    }

    /// Says why not all were accepted, where it is the session that failed.
    pub(crate) fn exit_code(&self) -> ExitCode {
        if let Some(failure) = self.failure.as_ref().filter(|_| self.worst > 0) {
            complain("send", failure);
        }
        ExitCode::from(self.worst)
    }

    /// Why the session took no message.
    fn why(&self) -> String {
        let why = self.unusable.map(|why| why.to_string()).unwrap_or_default();
        match &self.failure {
            Some(failure) if *failure != why => format!("{why}: {}", printable(failure)),
            _ => why,
        }
    }

    /// Prints the outcomes of some of the open messages, which are open no more.
    fn print(&mut self, which: impl Fn(&Message) -> bool) {
        for message in std::mem::take(&mut self.open) {
            if which(&message) {
                self.print_one(&message);
            } else {
                self.open.push(message);
            }
        }
    }

    fn print_one(&mut self, message: &Message) {
        let outcomes = message.outcomes.iter().zip(&message.texts);
        for (addressee, (outcome, text)) in self.recipients.iter().zip(outcomes) {
            self.worst = self.worst.max(severity(outcome));
            let word = match outcome.fate {
                Fate::Accepted => "accepted",
                Fate::Deferred => "deferred",
                Fate::Refused => "refused",
                Fate::Unknown | Fate::Pending => "unknown",
            };
            let code = outcome.code.map_or("-".to_owned(), |code| code.to_string());
            let enhanced = outcome.enhanced_code.map_or("-".to_owned(), |code| code.to_string());
            let address = printable(&addressee.address);
            let sent = addressee.in_a_labels.as_ref().filter(|_| message.is_converted);
            let sent = sent.map(|sent| format!(" (sent as {sent})")).unwrap_or_default();
            // The reader may be gone; the exit code still says it.
            let mut out = io::stdout().lock();
            let line = format!("{word} {address} {code} {enhanced} {text}{sent}");
            let _ = self.bar.suspend(|| writeln!(out, "{line}"));
        }
    }
}

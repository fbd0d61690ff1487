//! What became of each recipient: a line on standard output, and the exit code.

#![allow(clippy::print_stderr)] // errors of a command line go there

use std::io::{IsTerminal as _, Write as _};
use std::process::ExitCode;

use ehlo::Reply;
use ehlo::delivery::{Event, Fate, Outcome, Outcomes, Recipient, UnusableSession};
use ehlo::syntax::command::Verb;
use ehlo_apps::printable;
use indicatif::{ProgressBar, ProgressStyle};

/// The outcomes of one message after the other, to the same recipients.
pub(crate) struct Report<'v> {
    recipients: &'v [Recipient<'v>],
    /// The messages whose outcomes were not printed.
    open: Vec<Message>,
    begun: usize,
    worst: u8,
    /// Why the session failed.
    failure: Option<String>,
    /// Why the session takes no message.
    unusable: Option<UnusableSession>,
    bar: ProgressBar,
}

/// What is known of one message.
struct Message {
    /// Its place among the envelopes.
    number: usize,
    outcomes: Vec<Outcome>,
    /// What was said of each recipient.
    texts: Vec<String>,
}

impl<'v> Report<'v> {
    pub(crate) fn new(recipients: &'v [Recipient<'v>], content: Option<u64>) -> Self {
        let bar = match content {
            Some(octets) if octets > 1 << 20 && std::io::stderr().is_terminal() => {
                ProgressBar::new(octets)
            }
            _ => ProgressBar::hidden(),
        };
        let template = "{bar:40} {bytes}/{total_bytes} {bytes_per_sec}";
        if let Ok(style) = ProgressStyle::with_template(template) {
            bar.set_style(style);
        }
        // A session that is refused is refused for the first message.
        let open = vec![Message::new(0, recipients.len())];
        Self { recipients, open, begun: 0, worst: 0, failure: None, unusable: None, bar }
    }

    /// Takes what the event says of the recipients.
    pub(crate) fn record(&mut self, event: &Event<'_>) {
        // Who has an outcome misses nothing when the session ends.
        if matches!(event, Event::Unanswered { .. } | Event::Finished { .. } | Event::Closed)
            && self.open.iter().any(|message| message.is_concerned(event) && message.is_pending())
        {
            self.fail("the connection ended before the reply");
        }
        for message in &mut self.open {
            message.record(event);
        }
        match event {
            Event::Finished { envelope } => {
                self.print(|message| message.number == *envelope);
            }
            Event::Violation(error) => self.fail(&format!("this is no reply: {error}")),
            Event::Unsolicited(reply) => self.fail(&format!("nothing asked for this: {reply}")),
            Event::Unusable(why) => {
                self.unusable = Some(*why);
                self.fail(&why.to_string());
            }
            Event::Refused { to: to @ (Verb::Lhlo | Verb::Ehlo | Verb::Helo), reply, .. } => {
                let other = if *to == Verb::Lhlo { "SMTP" } else { "LMTP" };
                self.fail(&format!("{} was refused, is it {other}? {reply}", name(*to)));
            }
            _ => {}
        }
    }

    /// The next message begins.
    pub(crate) fn begin(&mut self) {
        if self.begun > 0 {
            self.open.push(Message::new(self.begun, self.recipients.len()));
        }
        self.begun += 1;
    }

    /// The session is over, and so many messages were not begun.
    pub(crate) fn end(&mut self, left: u32) {
        self.print(|_| true);
        // The first was given up with the session.
        let left = left - u32::from(self.begun == 0 && left > 0);
        if left > 0 {
            self.fail(&format!("the session ended with {left} messages unsent"));
        }
        self.bar.finish_and_clear();
    }

    /// The session failed; what is said first is the reason, and what follows from it is not said.
    pub(crate) fn fail(&mut self, text: &str) {
        if self.failure.is_none() {
            self.failure = Some(text.to_owned());
        }
        self.worst = 2;
    }

    /// The connection broke, and that is the reason of what has failed since, if anything has.
    pub(crate) fn broken(&mut self, text: &str) {
        if let Some(failure) = &mut self.failure {
            text.clone_into(failure);
        }
    }

    /// Shows what is read of the content.
    pub(crate) const fn bar(&self) -> &ProgressBar {
        &self.bar
    }

    /// Says why the session failed, if it did.
    pub(crate) fn exit_code(&self) -> ExitCode {
        if let Some(failure) = &self.failure {
            error(failure);
        }
        ExitCode::from(self.worst)
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
        for (recipient, (outcome, text)) in self.recipients.iter().zip(outcomes) {
            let (word, severity) = match outcome.fate {
                Fate::Accepted => ("accepted", 0),
                Fate::Deferred => ("deferred", 1),
                Fate::Refused => ("refused", 1),
                Fate::Unknown | Fate::Pending => ("unknown", 2),
            };
            self.worst = self.worst.max(severity);
            let why = self.unusable.filter(|_| self.begun == 0 && outcome.code.is_none());
            let text = why.map_or_else(|| text.clone(), |why| format!("not sent: {why}"));
            let address = printable(&recipient.forward_path.to_string());
            let code = outcome.code.map_or("-".to_owned(), |code| code.to_string());
            let enhanced = outcome.enhanced_code.map_or("-".to_owned(), |code| code.to_string());
            // Whoever reads may have gone; the exit code says it all the same.
            let mut out = std::io::stdout().lock();
            let _ = self.bar.suspend(|| writeln!(out, "{word} {address} {code} {enhanced} {text}"));
        }
    }
}

impl Message {
    fn new(number: usize, recipients: usize) -> Self {
        let outcomes = vec![Outcome::PENDING; recipients];
        Self { number, outcomes, texts: vec![String::new(); recipients] }
    }

    fn is_concerned(&self, event: &Event<'_>) -> bool {
        event.envelope().is_none_or(|number| number == self.number)
    }

    /// Whether a recipient has no outcome.
    fn is_pending(&self) -> bool {
        self.outcomes.iter().any(|outcome| outcome.fate == Fate::Pending)
    }

    fn record(&mut self, event: &Event<'_>) {
        let before = self.outcomes.clone();
        Outcomes::resume(&mut self.outcomes, self.number).record(event);
        for ((before, outcome), text) in before.iter().zip(&self.outcomes).zip(&mut self.texts) {
            if before.fate != outcome.fate {
                *text = text_of(event, outcome);
            }
        }
    }
}

/// What an event says of an outcome, in one line.
fn text_of(event: &Event<'_>, outcome: &Outcome) -> String {
    match event {
        Event::Recipient { reply, .. }
        | Event::Message { reply, .. }
        | Event::Refused { reply, .. } => reply_text(reply),
        Event::NotSent { error, .. } => format!("not sent: {error}"),
        _ => format!("no reply to {}", name(outcome.stage)),
    }
}

fn name(verb: Verb) -> String {
    format!("{verb:?}").to_uppercase()
}

fn reply_text(reply: &Reply<'_>) -> String {
    let lines: Vec<_> = reply.lines().map(String::from_utf8_lossy).collect();
    printable(&lines.join(" / "))
}

/// One line on standard error.
pub(crate) fn error(text: &str) {
    eprintln!("send: {}", printable(text));
}

//! What became of each recipient: a line on standard output, and the exit code.

#![allow(clippy::print_stderr)] // errors of a command line go there

use std::io::{IsTerminal as _, Write as _};
use std::process::ExitCode;

use ehlo::delivery::{Event, Fate, Outcome, Outcomes, Recipient};
use ehlo::{Reply, Verb};
use ehlo_examples::printable;
use indicatif::{ProgressBar, ProgressStyle};

/// The outcomes of one message after the other, to the same recipients.
pub(crate) struct Report<'v> {
    recipients: &'v [Recipient<'v>],
    outcomes: Vec<Outcome>,
    lmtp: bool,
    /// What was said of each recipient.
    texts: Vec<String>,
    /// There is a message, or will be, whose outcomes were not printed.
    open: bool,
    first: bool,
    worst: u8,
    bar: ProgressBar,
}

impl<'v> Report<'v> {
    pub(crate) fn new(recipients: &'v [Recipient<'v>], lmtp: bool, content: Option<u64>) -> Self {
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
        let outcomes = vec![Outcome::PENDING; recipients.len()];
        let texts = vec![String::new(); recipients.len()];
        Self { recipients, outcomes, lmtp, texts, open: true, first: true, worst: 0, bar }
    }

    /// Takes what the event says of the recipients.
    pub(crate) fn record(&mut self, event: &Event<'_>) {
        let pending = |outcome: &Outcome| outcome.fate == Fate::Pending;
        let before: Vec<bool> = self.outcomes.iter().map(pending).collect();
        Outcomes::resume(&mut self.outcomes, self.lmtp).record(event);
        let decided = self.outcomes.iter().map(|outcome| !pending(outcome));
        for ((before, decided), text) in before.into_iter().zip(decided).zip(&mut self.texts) {
            if before && decided {
                *text = text_of(event);
            }
        }
        match event {
            // All messages have their outcomes by then.
            Event::Unanswered { to: Verb::Quit } => {}
            Event::Unanswered { .. } => self.fail("the connection ended before the reply"),
            Event::Violation(error) => self.fail(&format!("this is no reply: {error}")),
            Event::Unsolicited(reply) => self.fail(&format!("nothing asked for this: {reply}")),
            _ => {}
        }
    }

    /// The next message begins, or there is none.
    pub(crate) fn next(&mut self, more: bool) {
        if !std::mem::take(&mut self.first) {
            self.print();
        }
        self.outcomes.fill(Outcome::PENDING);
        self.open = more;
    }

    /// The session is over, and so many messages were not begun.
    pub(crate) fn end(&mut self, left: u32) {
        if self.open {
            self.print();
        }
        // The first was given up with the session.
        let left = left - u32::from(self.first && left > 0);
        if left > 0 {
            self.fail(&format!("the session ended with {left} messages unsent"));
        }
        self.bar.finish_and_clear();
    }

    /// The session failed.
    pub(crate) fn fail(&mut self, text: &str) {
        if self.worst < 2 {
            self.bar.suspend(|| error(text));
        }
        self.worst = 2;
    }

    /// Octets of the content were sent.
    pub(crate) fn progress(&self, octets: usize) {
        self.bar.inc(octets as u64);
    }

    pub(crate) fn exit_code(&self) -> ExitCode {
        ExitCode::from(self.worst)
    }

    fn print(&mut self) {
        let outcomes = self.outcomes.iter().zip(&self.texts);
        for (recipient, (outcome, text)) in self.recipients.iter().zip(outcomes) {
            let (word, severity) = match outcome.fate {
                Fate::Accepted => ("accepted", 0),
                Fate::Deferred => ("deferred", 1),
                Fate::Refused => ("refused", 1),
                Fate::Unknown | Fate::Pending => ("unknown", 2),
            };
            self.worst = self.worst.max(severity);
            let address = printable(&recipient.forward_path.to_string());
            let code = outcome.code.map_or("-".to_owned(), |code| code.to_string());
            let enhanced = outcome.enhanced_code.map_or("-".to_owned(), |code| code.to_string());
            // Whoever reads may have gone; the exit code says it all the same.
            let mut out = std::io::stdout().lock();
            let _ = self.bar.suspend(|| writeln!(out, "{word} {address} {code} {enhanced} {text}"));
        }
    }
}

/// What an event says, in one line.
fn text_of(event: &Event<'_>) -> String {
    match event {
        Event::Recipient { reply, .. }
        | Event::Message { reply }
        | Event::Refused { reply, .. } => reply_text(reply),
        Event::NotSent { error, .. } => error.to_string(),
        Event::Unanswered { to } => format!("no reply to {}", format!("{to:?}").to_uppercase()),
        _ => "the session ended".to_owned(),
    }
}

fn reply_text(reply: &Reply<'_>) -> String {
    let lines: Vec<_> = reply.lines().map(String::from_utf8_lossy).collect();
    printable(&lines.join(" / "))
}

/// One line on standard error.
pub(crate) fn error(text: &str) {
    eprintln!("send: {}", printable(text));
}

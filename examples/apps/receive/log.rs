//! What is printed: a line for each message, or a JSON object for each event. Nothing here waits, and
//! nothing fails: lines that are not read are dropped and counted, and mail is taken as before.

use std::collections::HashMap;
use std::fmt::Write as _;
use std::io;
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

use ehlo_apps::output::Output;
use ehlo_apps::printable;
use serde_json::{Value, json};

/// Standard output and standard error.
pub(crate) struct Log {
    json: bool,
    output: Output,
    errors: Output,
    /// The warnings of each kind, lately.
    warnings: Mutex<HashMap<&'static str, Warnings>>,
}

impl Log {
    pub(crate) fn new(json: bool) -> io::Result<Self> {
        let notice = move |lost| {
            if json {
                json!({"event": "lost", "lines": lost}).to_string()
            } else {
                format!("{lost} lines lost")
            }
        };
        // A program that reads JSON waits for it.
        let moment = if json { Duration::ZERO } else { MOMENT };
        let lost = |lost| format!("receive: {lost} lines lost");
        Ok(Self {
            json,
            output: Output::new(io::stdout(), moment, notice)?,
            errors: Output::new(io::stderr(), Duration::ZERO, lost)?,
            warnings: Mutex::default(),
        })
    }

    /// Waits a moment for those who read.
    pub(crate) fn flush(&self) {
        self.output.flush(PATIENCE);
        self.errors.flush(PATIENCE);
    }

    /// An event of a session, where those are wanted. JSON escapes what could break the line.
    pub(crate) fn event(&self, event: impl FnOnce() -> Value) {
        if self.json {
            self.output.print(&event().to_string());
        }
    }

    /// A session is over.
    pub(crate) fn disconnect(&self, session: u64, reason: &str) {
        self.event(|| json!({"event": "disconnect", "session": session, "reason": reason}));
    }

    /// A message that was stored.
    pub(crate) fn message(&self, message: &Message<'_>) {
        if self.json {
            self.event(|| message.json());
        } else {
            self.output.print(&message.line());
        }
    }

    /// One line.
    pub(crate) fn line(&self, text: &str) {
        self.output.print(&printable(text));
    }

    /// One line on standard error: what has failed, and why. Of one kind there are [`BURST`] lines
    /// within [`PERIOD`]; how many more there were is told with the next one.
    pub(crate) fn warn(&self, what: &'static str, why: &str) {
        let mut all = self.warnings.lock().unwrap_or_else(PoisonError::into_inner);
        let Some(left_out) = all.entry(what).or_default().admit(Instant::now()) else { return };
        let more = match left_out {
            0 => String::new(),
            more => format!(" ({more} more like this since the last)"),
        };
        self.errors.print(&printable(&format!("receive: {what}: {why}{more}")));
    }
}

/// The warnings of one kind.
#[derive(Debug, Default)]
struct Warnings {
    since: Option<Instant>,
    /// How many there were since then.
    count: u64,
}

impl Warnings {
    /// Whether another warning is printed, and how many were left out before it.
    fn admit(&mut self, now: Instant) -> Option<u64> {
        let is_over = self.since.is_none_or(|since| now.duration_since(since) >= PERIOD);
        let left_out = if is_over { self.count.saturating_sub(BURST) } else { 0 };
        if is_over {
            (self.since, self.count) = (Some(now), 0);
        }
        self.count += 1;
        (self.count <= BURST).then_some(left_out)
    }
}

/// A message that was stored.
pub(crate) struct Message<'m> {
    pub(crate) session: u64,
    pub(crate) id: &'m str,
    /// With its brackets.
    pub(crate) from: &'m str,
    /// Without brackets.
    pub(crate) to: &'m [String],
    pub(crate) size: u64,
    pub(crate) protocol: &'m str,
    pub(crate) helo: &'m str,
    /// As whom the client has authenticated.
    pub(crate) user: Option<&'m str>,
    /// The name of the file in `new`.
    pub(crate) file: Option<&'m str>,
}

impl Message<'_> {
    fn json(&self) -> Value {
        let Self { session, id, from, to, size, protocol, helo, user, file } = self;
        json!({
            "event": "message", "session": session, "id": id, "from": from, "to": to,
            "size": size, "protocol": protocol, "helo": helo, "user": user, "file": file,
        })
    }

    fn line(&self) -> String {
        let Self { id, from, to, size, protocol, helo, .. } = self;
        let from = word(from.trim_start_matches('<').trim_end_matches('>'));
        let to: Vec<_> = to.iter().map(|to| format!("<{}>", word(to))).collect();
        let (to, helo) = (to.join(","), word(helo));
        format!("message id={id} from=<{from}> to={to} size={size} protocol={protocol} helo={helo}")
    }
}

/// What a client says, as one word that ends where it ends: RFC 5321 §4.1.2 has spaces, commas and
/// angle brackets in the quoted local part of an address.
fn word(text: &str) -> String {
    let mut word = String::with_capacity(text.len());
    for character in printable(text).chars() {
        match character {
            ' ' | ',' | '<' | '>' => {
                // Writing to a string never fails.
                let _ = write!(word, "{}", character.escape_unicode());
            }
            _ => word.push(character),
        }
    }
    word
}

/// How long a line waits for others.
const MOMENT: Duration = Duration::from_millis(50);
/// How long to wait for those who read, when the program ends.
const PATIENCE: Duration = Duration::from_millis(500);
/// Warnings of one kind within a period.
const BURST: u64 = 10;
const PERIOD: Duration = Duration::from_secs(10);

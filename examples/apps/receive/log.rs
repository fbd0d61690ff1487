//! What is printed: a line for each message, or a JSON object for each event.

#![allow(clippy::print_stderr)] // errors of a command line go there

use std::io::Write as _;
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use ehlo_apps::printable;
use serde_json::Value;
use tokio::sync::Notify;
use tokio::time::sleep;

/// Prints to standard output: JSON at once, for the program that waits for it, and the lines that
/// come within a moment in one write.
pub(crate) struct Log {
    json: bool,
    text: Mutex<String>,
    has_more: Notify,
}

impl Log {
    pub(crate) fn new(json: bool) -> Self {
        Self { json, text: Mutex::default(), has_more: Notify::new() }
    }

    /// Prints what comes, for ever.
    pub(crate) async fn run(&self) {
        loop {
            self.has_more.notified().await;
            sleep(MOMENT).await;
            self.flush();
        }
    }

    /// Prints what has come.
    pub(crate) fn flush(&self) {
        let mut text = self.text.lock().unwrap_or_else(PoisonError::into_inner);
        // Whoever reads may have gone; mail is taken all the same.
        let _ = std::io::stdout().write_all(text.as_bytes());
        text.clear();
    }

    /// An event of a session, where those are wanted. JSON escapes what could break the line.
    pub(crate) fn event(&self, event: impl FnOnce() -> Value) {
        if self.json {
            self.print(&event().to_string());
        }
    }

    /// A session is over.
    pub(crate) fn disconnect(&self, session: u64, reason: &str) {
        self.event(
            || serde_json::json!({"event": "disconnect", "session": session, "reason": reason}),
        );
    }

    /// A message that was stored.
    pub(crate) fn message(&self, message: &Message<'_>) {
        let Message { session, id, from, to, size, protocol, helo, user, file } = message;
        if self.json {
            self.event(|| {
                serde_json::json!({
                    "event": "message", "session": session, "id": id, "from": from, "to": to,
                    "size": size, "protocol": protocol, "helo": helo, "user": user, "file": file,
                })
            });
        } else {
            let to: Vec<_> = to.iter().map(|to| format!("<{to}>")).collect();
            let to = to.join(",");
            self.line(&format!(
                "message id={id} from={from} to={to} size={size} protocol={protocol} helo={helo}"
            ));
        }
    }

    /// One line.
    pub(crate) fn line(&self, text: &str) {
        self.print(&printable(text));
    }

    fn print(&self, line: &str) {
        let mut text = self.text.lock().unwrap_or_else(PoisonError::into_inner);
        text.extend([line, "\n"]);
        let is_due = self.json || text.len() > MUCH;
        drop(text);
        if is_due {
            self.flush();
        } else {
            self.has_more.notify_one();
        }
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
    /// Who has authenticated.
    pub(crate) user: Option<&'m str>,
    /// The name of the file in `new`.
    pub(crate) file: Option<&'m str>,
}

/// One line on standard error.
pub(crate) fn error(text: &str) {
    eprintln!("receive: {}", printable(text));
}

/// How long a line may wait for others.
const MOMENT: Duration = Duration::from_millis(50);
/// Octets that may wait: for who does not keep up with them, sessions wait in the end.
const MUCH: usize = 64 * 1024;

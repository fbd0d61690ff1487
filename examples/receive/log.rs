//! What is printed: a line for each message, or a JSON object for each event.

#![allow(clippy::print_stderr)] // errors of a command line go there

use std::io::Write as _;

use ehlo_examples::printable;
use serde_json::Value;

/// Prints to standard output.
pub(crate) struct Log {
    json: bool,
}

impl Log {
    pub(crate) fn new(json: bool) -> Self {
        Self { json }
    }

    /// An event of a session, where those are wanted. JSON escapes what could break the line.
    pub(crate) fn event(&self, event: impl FnOnce() -> Value) {
        if self.json {
            print(&event().to_string());
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
            line(&format!(
                "message id={id} from={from} to={to} size={size} protocol={protocol} helo={helo}"
            ));
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

/// One line on standard output.
pub(crate) fn line(text: &str) {
    print(&printable(text));
}

fn print(line: &str) {
    // Whoever reads may have gone; mail is taken all the same.
    let _ = writeln!(std::io::stdout().lock(), "{line}");
}

/// One line on standard error.
pub(crate) fn error(text: &str) {
    eprintln!("receive: {}", printable(text));
}

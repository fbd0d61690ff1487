//! The format of transcripts.

use ehlo::data::Newlines;
use ehlo::server::{Role, ServerLimits};
use ehlo::session::State;
use ehlo::syntax::capability::Capabilities;
use ehlo::syntax::sasl::{Mechanisms, SaslMechanism};
use ehlo::{Extension, ServerConfig};

/// One session.
///
/// ```
/// use ehlo_testkit::transcript::{Item, Transcript};
///
/// let session = Transcript::parse("% offer SIZE=1000\nS: 220 mx\nC: NOOP\nS: 250 2.0.0 OK\n")?;
/// assert_eq!(session.config.offered.size(), Some(1000));
/// assert_eq!(session.items[1], Item::Client(b"NOOP\r\n".to_vec()));
/// # Ok::<(), String>(())
/// ```
#[derive(Clone, Debug)]
pub struct Transcript {
    /// The configuration of the server.
    pub config: ServerConfig,
    /// Run the session through the server machine alone.
    pub only_server: bool,
    /// The lines in order.
    pub items: Vec<Item>,
}

/// A step of a session.
///
/// ```
/// use ehlo_testkit::transcript::{Item, Transcript};
///
/// let session = Transcript::parse("S: 220-mx\nS: 220 here\n")?;
/// assert_eq!(session.items, [Item::Server(b"220-mx\r\n220 here\r\n".to_vec())]);
/// # Ok::<(), String>(())
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Item {
    /// A line of the client, with its end.
    Client(Vec<u8>),
    /// A whole reply of the server.
    Server(Vec<u8>),
    /// The state after the reply before it.
    State(State),
    /// The reason why the server machine refuses the command of the reply before it.
    Refused(String),
    /// The connection continues inside TLS.
    Tls,
}

impl Transcript {
    /// Reads a transcript.
    ///
    /// # Errors
    ///
    /// The number of an invalid line, and the error in it.
    pub fn parse(text: &str) -> Result<Self, String> {
        let mut transcript = Self {
            config: ServerConfig { offered: Capabilities::NONE, ..ServerConfig::DEFAULT },
            only_server: false,
            items: Vec::new(),
        };
        let mut reply = Vec::new();
        for (number, line) in text.lines().enumerate() {
            transcript
                .line(line, &mut reply)
                .map_err(|why| format!("line {}: {why}", number + 1))?;
        }
        if reply.is_empty() { Ok(transcript) } else { Err("a reply without an end".into()) }
    }

    fn line(&mut self, line: &str, reply: &mut Vec<u8>) -> Result<(), String> {
        let Some((sign, rest)) = line.split_at_checked(2) else {
            return if line.is_empty() { Ok(()) } else { Err(format!("{line:?} is no line")) };
        };
        match sign {
            "# " => {}
            "% " => self.directive(rest)?,
            "C:" => {
                self.items.push(Item::Client(unescape(rest.strip_prefix(' ').unwrap_or(rest))?));
            }
            "S:" => {
                let line = unescape(rest.strip_prefix(' ').unwrap_or(rest))?;
                let more = line.get(3) == Some(&b'-');
                reply.extend(line);
                if !more {
                    self.items.push(Item::Server(std::mem::take(reply)));
                }
            }
            "= " => {
                let state = State::ALL.into_iter().find(|s| format!("{s:?}") == rest);
                self.items.push(Item::State(state.ok_or_else(|| format!("no state {rest:?}"))?));
            }
            "! " => self.items.push(Item::Refused(rest.to_owned())),
            "* " if rest == "TLS" => self.items.push(Item::Tls),
            _ => return Err(format!("{line:?} is no line")),
        }
        Ok(())
    }

    fn directive(&mut self, directive: &str) -> Result<(), String> {
        let mut words = directive.split_whitespace();
        match words.next() {
            Some("offer") => {
                for word in words {
                    self.config.offered = offer(self.config.offered, word)?;
                }
            }
            Some("lmtp") => self.config.role = Role::Lmtp,
            Some("tls") => self.config.implicit_tls = true,
            Some("plaintext-auth") => self.config.plaintext_auth = true,
            Some("require-tls") => self.config.require_tls = true,
            Some("require-auth") => self.config.require_auth = true,
            Some("only") => self.only_server = true,
            Some("submission") => self.config.role = Role::Submission,
            Some("keep-newlines") => self.config.newlines = Newlines::Keep,
            Some("limit") => {
                for word in words {
                    limit(&mut self.config.limits, word)
                        .ok_or_else(|| format!("no limit {word:?}"))?;
                }
            }
            _ => return Err(format!("no directive {directive:?}")),
        }
        Ok(())
    }
}

/// A reply in a transcript, with the state and the reason behind it.
#[derive(Clone, Debug, Default)]
pub(super) struct Expected {
    pub(super) reply: Vec<u8>,
    pub(super) state: Option<State>,
    pub(super) refused: Option<String>,
}

/// The part of a session between two changes of the layer below.
#[derive(Clone, Debug, Default)]
pub(super) struct Segment {
    pub(super) client: Vec<u8>,
    pub(super) replies: Vec<Expected>,
}

impl Transcript {
    /// The bytes that the client sends, and those that it receives, up to TLS or the end; then
    /// those behind it.
    pub fn exchanges(&self) -> Vec<(Vec<u8>, Vec<u8>)> {
        let segments = self.segments().into_iter();
        segments
            .map(|segment| {
                let replies = segment.replies.into_iter().flat_map(|expected| expected.reply);
                (segment.client, replies.collect())
            })
            .collect()
    }

    pub(super) fn segments(&self) -> Vec<Segment> {
        let mut segments = vec![Segment::default()];
        for item in &self.items {
            let segment = segments.last_mut().expect("there is a first segment");
            match item {
                Item::Client(line) => segment.client.extend(line),
                Item::Server(reply) => {
                    segment.replies.push(Expected { reply: reply.clone(), ..Expected::default() });
                }
                Item::State(state) => {
                    segment.replies.last_mut().expect("a reply before =").state = Some(*state);
                }
                Item::Refused(reason) => {
                    segment.replies.last_mut().expect("a reply before !").refused =
                        Some(reason.clone());
                }
                Item::Tls => segments.push(Segment::default()),
            }
        }
        segments
    }

    /// The messages as they were before the dots were stuffed, found without the machines.
    pub(super) fn messages(&self) -> Vec<Vec<u8>> {
        let mut messages = Vec::new();
        let mut open: Option<Vec<u8>> = None;
        for item in &self.items {
            match (item, &mut open) {
                (Item::Server(reply), _) if reply.starts_with(b"354") => open = Some(Vec::new()),
                (Item::Client(line), Some(_)) if line == b".\r\n" => messages.extend(open.take()),
                (Item::Client(line), Some(message)) => {
                    message.extend(line.strip_prefix(b".").unwrap_or(line));
                }
                _ => {}
            }
        }
        messages
    }
}

fn limit(limits: &mut ServerLimits, word: &str) -> Option<()> {
    let (name, number) = word.split_once('=')?;
    match name {
        "text-line" => limits.text_line = number.parse().ok()?,
        "recipients" => limits.recipients = number.parse().ok()?,
        "messages" => limits.messages = number.parse().ok()?,
        "discarded" => limits.discarded = number.parse().ok()?,
        "errors" => limits.errors = number.parse().ok()?,
        "idle" => limits.idle = number.parse().ok()?,
        "unknown" => limits.unknown = number.parse().ok()?,
        _ => return None,
    }
    Some(())
}

fn offer(offered: Capabilities, word: &str) -> Result<Capabilities, String> {
    let (keyword, value) = word.split_once('=').unwrap_or((word, ""));
    let extension = Extension::from_keyword(keyword.as_bytes())
        .ok_or_else(|| format!("no extension {keyword:?}"))?;
    Ok(match extension {
        Extension::Size if !value.is_empty() => {
            offered.with_size(value.parse().map_err(|_| format!("no size {value:?}"))?)
        }
        Extension::Auth => {
            let mechanisms = value.split(',').try_fold(Mechanisms::NONE, |all, name| {
                let mechanism = SaslMechanism::from_name(name.as_bytes())
                    .ok_or_else(|| format!("no mechanism {name:?}"))?;
                Ok::<_, String>(all.with(mechanism))
            })?;
            offered.with_mechanisms(mechanisms)
        }
        _ => offered.with(extension),
    })
}

/// The bytes that a line with escapes stands for.
fn unescape(line: &str) -> Result<Vec<u8>, String> {
    let mut bytes = Vec::new();
    let mut rest = line.bytes();
    while let Some(byte) = rest.next() {
        if byte != b'\\' {
            bytes.push(byte);
            continue;
        }
        bytes.push(match rest.next() {
            Some(b'r') => b'\r',
            Some(b'n') => b'\n',
            Some(b't') => b'\t',
            Some(b'0') => 0,
            Some(b'\\') => b'\\',
            Some(b'x') => {
                let digits: String = rest.by_ref().take(2).map(char::from).collect();
                u8::from_str_radix(&digits, 16).map_err(|_| format!("no byte \\x{digits}"))?
            }
            Some(b'c') => return Ok(bytes),
            other => return Err(format!("no escape {other:?}")),
        });
    }
    bytes.extend(b"\r\n");
    Ok(bytes)
}

/// Bytes in words, for messages.
pub(super) fn show(bytes: &[u8]) -> String {
    format!("{:?}", bytes.escape_ascii().to_string())
}

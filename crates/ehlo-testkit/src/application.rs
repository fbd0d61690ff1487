//! The application of a mail server, as small as possible, on any transport.
//!
//! ```
//! use ehlo::ServerConfig;
//! use ehlo_testkit::peer::Peer;
//!
//! let mut peer = Peer::new(ServerConfig::DEFAULT);
//! peer.feed(b"EHLO c.example\r\nMAIL FROM:<a@b.example>\r\nRCPT TO:<c@d.example>\r\nDATA\r\n");
//! peer.feed(b"Subject: x\r\n.\r\n");
//! let [message] = &peer.application.messages[..] else { panic!("one message") };
//! assert_eq!((&*message.from, &*message.content), ("a@b.example", &b"Subject: x\r\n"[..]));
//! ```

use ehlo::server::{ACCEPTED, Event, Reason};
use ehlo::syntax::code::EnhancedCode;
use ehlo::syntax::command::Verb;
use ehlo::syntax::sasl::Response;
use ehlo::syntax::sasl::SaslData;
use ehlo::{Code, Command, Reply, Server};

/// The name that the application greets with.
pub const HOST: &str = "mx.example";

/// The results of one session: messages, and a login.
///
/// It accepts every message whole, refuses the local part `nobody`, and knows one user: `user` with
/// the password `secret`, by PLAIN alone.
///
/// ```
/// use ehlo::{Server, ServerConfig};
/// use ehlo_testkit::application::Application;
///
/// let (mut application, mut server) = (Application::default(), Server::new(ServerConfig::DEFAULT));
/// let event = server.receive(b"").event;
/// let greeting = application.answer(&event, &server).expect("a greeting");
/// assert_eq!(greeting.code().number(), 220);
/// ```
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Application {
    /// The messages that were accepted, in order.
    pub messages: Vec<Message>,
    /// The authenticated user; `None` before AUTH.
    pub user: Option<String>,
    open: Message,
}

/// A message with its envelope.
///
/// ```
/// use ehlo_testkit::application::Message;
///
/// let message = Message { from: "a@b.example".into(), ..Message::default() };
/// assert!(message.to.is_empty() && message.content.is_empty());
/// ```
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Message {
    /// The reverse-path, without its brackets.
    pub from: String,
    /// The recipients that were accepted, without their brackets.
    pub to: Vec<String>,
    /// The content.
    pub content: Vec<u8>,
}

impl Application {
    /// The content of the open message, as far as it has arrived.
    pub fn open(&self) -> &[u8] {
        &self.open.content
    }

    /// The answer to `event`, if the event needs one. Pass it to the server before the next event.
    ///
    /// `server` is the machine that reported the event.
    pub fn answer(&mut self, event: &Event<'_>, server: &Server) -> Option<Reply<'static>> {
        match event {
            Event::NeedInput | Event::Chunk { .. } | Event::StartTls | Event::Closed => None,
            Event::MailData(data) => {
                self.open.content.extend_from_slice(data);
                None
            }
            Event::Refused(refusal) => {
                let is_content =
                    matches!(refusal.verb, Verb::Message | Verb::Bdat | Verb::BdatLast);
                // RFC 5321 §4.2.4: a command that is not implemented does nothing.
                if is_content && refusal.reason != Reason::NotImplemented {
                    self.open = Message::default();
                }
                Some(refusal.reply())
            }
            Event::EndOfMailData { size } => {
                assert_eq!(*size, self.open.content.len() as u64, "the size that was counted");
                self.messages.push(std::mem::take(&mut self.open));
                Some(ACCEPTED)
            }
            Event::Command(command) => Some(self.command(command, server)),
            Event::AuthResponse(response) => Some(self.response(response)),
            // In LMTP, the reply for the next recipient.
            Event::NeedReply => Some(ACCEPTED),
            _ => Some(server.standard_reply(HOST)),
        }
    }

    fn command(&mut self, command: &Command<'_>, server: &Server) -> Reply<'static> {
        match command {
            Command::Mail { reverse_path, .. } => {
                self.open = Message { from: bare(reverse_path), ..Message::default() };
            }
            Command::Rcpt { forward_path, .. } => {
                if bare(forward_path).starts_with("nobody@") {
                    return reply(Code::MAILBOX_UNAVAILABLE, (5, 1, 1), "no such user");
                }
                self.open.to.push(bare(forward_path));
            }
            Command::Rset | Command::Ehlo(_) | Command::Helo(_) | Command::Lhlo(_) => {
                self.open = Message::default();
            }
            Command::Auth { mechanism, initial_response } if mechanism.as_str() == "PLAIN" => {
                return match initial_response {
                    None => Reply::new(Code::AUTHENTICATION_CONTINUES, ""),
                    Some(data) => self.plain(data),
                };
            }
            _ => {}
        }
        server.standard_reply(HOST)
    }

    fn response(&mut self, response: &Response<'_>) -> Reply<'static> {
        let Response::Data(data) = response else {
            return reply(Code::ARGUMENT_SYNTAX_ERROR, (5, 7, 0), "authentication cancelled");
        };
        self.plain(data)
    }

    /// `message = [authzid] UTF8NUL authcid UTF8NUL passwd`, RFC 4616 §2.
    fn plain(&mut self, data: &SaslData<'_>) -> Reply<'static> {
        let mut message = vec![0; data.decoded_len()];
        data.decode(&mut message).expect("it says how many bytes it has");
        let parts: Vec<&[u8]> = message.split(|byte| *byte == 0).collect();
        let [acts_for, user, password] = parts[..] else {
            return reply(Code::ARGUMENT_SYNTAX_ERROR, (5, 5, 2), "no PLAIN message");
        };
        // No user may act for another.
        let alone = acts_for.is_empty() || acts_for == user;
        if alone && user == b"user" && password == b"secret" {
            self.user = Some("user".into());
            reply(Code::AUTHENTICATION_SUCCEEDED, (2, 7, 0), "welcome")
        } else {
            reply(Code::CREDENTIALS_INVALID, (5, 7, 8), "authentication failed")
        }
    }
}

/// A path without its brackets.
fn bare(path: &impl ToString) -> String {
    path.to_string().trim_matches(['<', '>']).to_owned()
}

fn reply(
    code: Code,
    (class, subject, detail): (u8, u16, u16),
    text: &'static str,
) -> Reply<'static> {
    let enhanced = EnhancedCode::new(class, subject, detail).expect("a status code");
    Reply::enhanced(code, enhanced, text)
}

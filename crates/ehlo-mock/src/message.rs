//! What was received.

use std::borrow::Cow;
use std::fmt;

use ehlo::syntax::path::Mailbox;
use ehlo_owned::{MailParametersBuf, RecipientBuf, ReversePathBuf};

/// A message that the server has accepted.
///
/// ```
/// use std::io::{Read, Write};
/// use ehlo_mock::MockServer;
///
/// let mock = MockServer::lmtp().in_memory()?;
/// let mut stream = mock.connect();
/// stream.write_all(b"LHLO client.example\r\nMAIL FROM:<> SIZE=20\r\nRCPT TO:<jones@example.org>\r\nDATA\r\n")?;
/// stream.write_all(b"Subject: a\r\n b\r\n\r\nHello\r\n.\r\nQUIT\r\n")?;
/// stream.read_to_end(&mut Vec::new())?;
///
/// let [message] = &mock.messages()[..] else { panic!("one message was sent") };
/// assert_eq!((message.from(), message.to()), (String::new(), vec!["jones@example.org".to_owned()]));
/// assert_eq!(message.parameters.as_str(), "SIZE=20");
/// assert_eq!(message.header("subject").as_deref(), Some("a b"));
/// assert_eq!(message.body(), "Hello\r\n");
/// assert_eq!((message.client.as_str(), message.user.as_deref(), message.tls), ("client.example", None, false));
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct Message {
    /// The name that the client gave in EHLO, HELO or LHLO.
    pub client: String,
    /// The user that the client has authenticated as.
    pub user: Option<String>,
    /// The message came inside TLS.
    pub tls: bool,
    /// Where notifications go.
    pub reverse_path: ReversePathBuf,
    /// All parameters of MAIL.
    pub parameters: MailParametersBuf,
    /// The recipients that were accepted, with the parameters of their RCPT. In LMTP, those whose message
    /// was accepted too.
    pub recipients: Vec<RecipientBuf>,
    /// The content as it was sent, without stuffed dots.
    pub content: Vec<u8>,
}

/// With the content as text.
impl fmt::Debug for Message {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Message")
            .field("client", &self.client)
            .field("user", &self.user)
            .field("tls", &self.tls)
            .field("reverse_path", &self.reverse_path)
            .field("parameters", &self.parameters)
            .field("recipients", &self.recipients)
            .field("content", &self.text())
            .finish()
    }
}

impl Message {
    /// The sender's mailbox, without brackets; empty for `<>`.
    pub fn from(&self) -> String {
        let mailbox = self.reverse_path.as_reverse_path().mailbox();
        mailbox.as_ref().map(Mailbox::to_string).unwrap_or_default()
    }

    /// The mailboxes of the recipients, without brackets, in the order of RCPT; `Postmaster` for the one
    /// without a domain.
    pub fn to(&self) -> Vec<String> {
        let address = |recipient: &RecipientBuf| {
            let path = recipient.forward_path.as_forward_path();
            match path.mailbox() {
                Some(mailbox) => mailbox.to_string(),
                None => path.local_part().to_string(),
            }
        };
        self.recipients.iter().map(address).collect()
    }

    /// The content; bytes that are not UTF-8 are replaced by U+FFFD.
    pub fn text(&self) -> Cow<'_, str> {
        String::from_utf8_lossy(&self.content)
    }

    /// What stands behind the empty line that ends the header, as [`text`](Self::text). Nothing is
    /// decoded: a parser of MIME does that.
    pub fn body(&self) -> Cow<'_, str> {
        String::from_utf8_lossy(self.parts().1)
    }

    /// The value of the first field of this name in the header, in one line; encoded words stay as they
    /// are. RFC 5322 §2.2.
    pub fn header(&self, name: &str) -> Option<String> {
        let header = String::from_utf8_lossy(self.parts().0);
        let mut lines = header.split("\r\n").peekable();
        while let Some(line) = lines.next() {
            let Some((field, value)) = line.split_once(':') else { continue };
            if !field.trim_end().eq_ignore_ascii_case(name) {
                continue;
            }
            let mut value = value.to_owned();
            // RFC 5322 §2.2.3: a line that begins with white space goes on with the field.
            while let Some(more) = lines.next_if(|line| line.starts_with([' ', '\t'])) {
                value.push_str(more);
            }
            return Some(value.trim().to_owned());
        }
        None
    }

    /// The header, and the body.
    fn parts(&self) -> (&[u8], &[u8]) {
        let content = &self.content[..];
        if let Some(body) = content.strip_prefix(b"\r\n") {
            return (b"", body);
        }
        let end = content.windows(4).position(|window| window == b"\r\n\r\n");
        match end.and_then(|end| Some((content.get(..end)?, content.get(end + 4..)?))) {
            Some(parts) => parts,
            None => (content, b""),
        }
    }
}

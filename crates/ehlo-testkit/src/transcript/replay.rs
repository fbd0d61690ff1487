//! A transcript against any server.

use std::error::Error;
use std::fmt;

use ehlo::{Parsed, Policy, Reply};

use super::format::{Item, Transcript, show};

/// An input of a server during the replay of a transcript.
///
/// ```
/// use ehlo_testkit::transcript::Stimulus;
///
/// let stimulus = Stimulus::Receive(b"NOOP\r\n");
/// assert_ne!(stimulus, Stimulus::Connect);
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Stimulus<'t> {
    /// A client connects; the server greets it.
    Connect,
    /// The client sends these bytes: one line, or several at once.
    Receive(&'t [u8]),
    /// The TLS handshake is done: the following bytes are inside TLS.
    Tls,
}

impl Transcript {
    /// Replays the client's side against any server, and compares the codes of its replies.
    ///
    /// `server` gets the client's bytes up to the next reply, and returns all bytes of the server's
    /// answer. It should offer the extensions in the transcript's [`config`](Self::config).
    ///
    /// A server that knows two commands, against a transcript with one of them and against another
    /// transcript:
    ///
    /// ```
    /// use ehlo_testkit::transcript::{Stimulus, Transcript};
    ///
    /// let server = |stimulus: Stimulus<'_>| match stimulus {
    ///     Stimulus::Connect => b"220 mx.example\r\n".to_vec(),
    ///     Stimulus::Receive(b"NOOP\r\n") => b"250 OK\r\n".to_vec(),
    ///     Stimulus::Receive(b"QUIT\r\n") => b"221 bye\r\n".to_vec(),
    ///     _ => b"500 what?\r\n".to_vec(),
    /// };
    /// let session = Transcript::parse("S: 220 mx\nC: NOOP\nS: 250 OK\nC: QUIT\nS: 221 bye\n")?;
    /// session.replay(server)?;
    ///
    /// let session = Transcript::parse("S: 220 mx\nC: HELO client.example\nS: 250 mx\n")?;
    /// let mismatch = session.replay(server).unwrap_err();
    /// assert_eq!((mismatch.expected, mismatch.found), (vec![250], vec![500]));
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    ///
    /// # Errors
    ///
    /// The first turn with other codes.
    pub fn replay(&self, mut server: impl FnMut(Stimulus<'_>) -> Vec<u8>) -> Result<(), Mismatch> {
        let mut items = self.items.iter().peekable();
        let mut is_connected = false;
        while items.peek().is_some() {
            let mut sent = Vec::new();
            while let Some(Item::Client(line)) = items.next_if(|i| matches!(i, Item::Client(_))) {
                sent.extend_from_slice(line);
            }
            let stimulus = match items.peek() {
                _ if !sent.is_empty() => Stimulus::Receive(&sent),
                Some(Item::Tls) => {
                    items.next();
                    Stimulus::Tls
                }
                _ if is_connected => {
                    items.next();
                    continue;
                }
                _ => Stimulus::Connect,
            };
            is_connected = true;
            let mut expected = Vec::new();
            while let Some(item) = items.next_if(|i| !matches!(i, Item::Client(_) | Item::Tls)) {
                if let Item::Server(reply) = item {
                    expected.extend(codes(reply).0);
                }
            }
            let said = server(stimulus);
            let (found, rest) = codes(&said);
            if found != expected || !rest.is_empty() {
                return Err(Mismatch { sent, expected, found, unread: rest.to_vec() });
            }
        }
        Ok(())
    }
}

/// The first difference between a server and a transcript.
///
/// ```
/// use ehlo_testkit::transcript::Transcript;
///
/// let session = Transcript::parse("S: 220 mx\n").expect("a transcript");
/// let mismatch = session.replay(|_| b"554 no\r\n".to_vec()).unwrap_err();
/// assert_eq!(mismatch.to_string(), "554 instead of 220 to nothing");
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Mismatch {
    /// The bytes that the client sent; empty if it connected, or if TLS began.
    pub sent: Vec<u8>,
    /// The codes of the replies in the transcript.
    pub expected: Vec<u16>,
    /// The codes of the server's replies.
    pub found: Vec<u16>,
    /// The bytes behind them that are not a whole reply.
    pub unread: Vec<u8>,
}

impl fmt::Display for Mismatch {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let list = |codes: &[u16]| match codes {
            [] => "no reply".to_owned(),
            _ => codes.iter().map(u16::to_string).collect::<Vec<_>>().join(" "),
        };
        write!(f, "{} instead of {} to ", list(&self.found), list(&self.expected))?;
        match &*self.sent {
            [] => f.write_str("nothing")?,
            sent => f.write_str(&show(sent))?,
        }
        if !self.unread.is_empty() {
            write!(f, ", and then {}", show(&self.unread))?;
        }
        Ok(())
    }
}

impl Error for Mismatch {}

/// The codes of the replies, and what follows the last whole one.
fn codes(mut said: &[u8]) -> (Vec<u16>, &[u8]) {
    let mut codes = Vec::new();
    while let Ok(Parsed::Complete { value, consumed }) = Reply::parse(said, &Policy::LENIENT) {
        codes.push(value.code().number());
        said = &said[consumed..];
    }
    (codes, said)
}

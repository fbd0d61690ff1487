//! Sessions with a server.

use super::SESSIONS;
use super::line::{bytes, lines};

/// The input of a client in one session, and the replies of a server.
///
/// The server offers PIPELINING, 8BITMIME, ENHANCEDSTATUSCODES, CHUNKING, STARTTLS, SIZE and AUTH
/// PLAIN, and accepts every sender and recipient.
///
/// ```
/// let session = ehlo_testkit::vectors::sessions().next().expect("there are vectors");
/// assert_eq!(session.name, "helo-resets");
/// let first = &session.steps[0];
/// assert_eq!(first.send, b"EHLO client.test\r\n");
/// assert!(first.matches(250) && !first.matches(500));
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct SessionVector {
    /// The permanent number of the vector.
    pub id: String,
    /// Its subject, in one word.
    pub name: String,
    /// The session is inside TLS from its beginning, RFC 8314 §3.
    pub implicit_tls: bool,
    /// The bytes that the client sends before it reads the greeting.
    pub early: Vec<u8>,
    /// The steps after the greeting.
    pub steps: Vec<SessionStep>,
    /// The special feature of the vector, in words.
    pub note: String,
}

/// The bytes that a client sends at once, and the last reply to them.
///
/// ```
/// let mut sessions = ehlo_testkit::vectors::sessions();
/// assert!(sessions.all(|session| session.steps.iter().all(|step| !step.matches(999))));
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct SessionStep {
    /// One command or several, or mail data; empty for the greeting.
    pub send: Vec<u8>,
    /// The places at which the bytes are cut, if they matter.
    pub cuts: Vec<usize>,
    /// Codes, joined by `|`; a dot stands for any digit.
    pub reply: String,
}

impl SessionStep {
    /// Returns `true` if the reply may have this code.
    pub fn matches(&self, code: u16) -> bool {
        let code = code.to_string();
        let fits = |pattern: &str| {
            let mut digits = pattern.bytes().zip(code.bytes());
            pattern.len() == code.len() && digits.all(|(p, c)| p == b'.' || p == c)
        };
        self.reply.split('|').any(fits)
    }
}

/// All sessions.
///
/// ```
/// assert!(ehlo_testkit::vectors::sessions().count() > 30);
/// ```
pub fn sessions() -> impl Iterator<Item = SessionVector> {
    lines(SESSIONS).map(|line| {
        let mark = line.text("split_at");
        let step = |step: &super::line::Line| {
            let (send, cuts) = cut(&step.text("send"), &mark);
            SessionStep { send, cuts, reply: step.text("reply") }
        };
        SessionVector {
            id: line.text("id"),
            name: line.text("name"),
            implicit_tls: line.is("tls"),
            early: bytes(&line.text("early")),
            steps: line.objects("steps").iter().map(step).collect(),
            note: line.text("note"),
        }
    })
}

/// The bytes without the marks, and where these were.
fn cut(text: &str, mark: &str) -> (Vec<u8>, Vec<usize>) {
    if mark.is_empty() {
        return (bytes(text), Vec::new());
    }
    let (mut send, mut cuts) = (Vec::new(), Vec::new());
    for part in text.split(mark) {
        send.extend(bytes(part));
        cuts.push(send.len());
    }
    cuts.pop();
    (send, cuts)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_pattern_stands_for_any_of_its_codes() {
        let matches = |code, reply: &str| {
            let reply = reply.to_owned();
            SessionStep { send: Vec::new(), cuts: Vec::new(), reply }.matches(code)
        };
        assert!(matches(250, "250") && matches(550, "5..") && matches(554, "503|554"));
        assert!(!matches(250, "5..") && !matches(421, "503|554") && !matches(250, "25"));
    }

    #[test]
    fn marks_are_cuts() {
        assert_eq!(cut("a|b", "|"), (b"ab".to_vec(), vec![1]));
        assert_eq!(cut("a|b", ""), (b"a|b".to_vec(), vec![]));
    }
}

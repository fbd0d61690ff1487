//! What the server does where a test says so.

use std::time::Duration;

use ehlo::SyntaxError;
use ehlo_owned::ReplyBuf;

/// Where in a session something is to happen.
///
/// ```
/// use ehlo_mock::{Action, MockServer, Stage};
///
/// let busy = Action::reply("421 4.3.2 shutting down");
/// let server = MockServer::smtp().at(Stage::Greeting, busy).start()?;
/// # drop(server);
/// # Ok::<(), ehlo_mock::MockError>(())
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Stage {
    /// The connection was made.
    Greeting,
    /// EHLO, HELO or LHLO.
    Ehlo,
    /// STARTTLS.
    StartTls,
    /// AUTH.
    Auth,
    /// MAIL.
    Mail,
    /// RCPT, of any recipient.
    Rcpt,
    /// DATA, or the first BDAT of a message; a reply to the latter comes when its content was read.
    Data,
    /// The end of the content.
    EndOfData,
    /// QUIT.
    Quit,
}

/// What the server does in place of the usual, or before it.
///
/// ```
/// use std::time::Duration;
/// use ehlo_mock::{Action, MockServer, Stage};
///
/// let server = MockServer::smtp()
///     .at(Stage::Mail, Action::delay(Duration::from_millis(10)))
///     .at(Stage::Data, Action::disconnect())
///     .start()?;
/// # drop(server);
/// # Ok::<(), ehlo_mock::MockError>(())
/// ```
#[derive(Clone, Debug)]
pub struct Action(pub(crate) Kind);

#[derive(Clone, Debug)]
pub(crate) enum Kind {
    Reply(Result<ReplyBuf, SyntaxError>),
    Delay(Duration),
    Disconnect,
    LoseReply,
}

impl Action {
    /// Answers with this reply, a line such as `450 4.2.1 try again`. A positive reply accepts, with a text
    /// of your own. A line that is not a reply is an error of [`start`](crate::MockBuilder::start).
    pub fn reply(line: &str) -> Self {
        Self(Kind::Reply(line.parse()))
    }

    /// Answers with this reply, of any number of lines.
    pub fn reply_with(reply: ReplyBuf) -> Self {
        Self(Kind::Reply(Ok(reply)))
    }

    /// Waits, and then goes on with the next rule, or as usual. The wait ends when the server is dropped.
    pub fn delay(time: Duration) -> Self {
        Self(Kind::Delay(time))
    }

    /// Closes the connection without an answer, and without the effect of the command: at
    /// [`Stage::EndOfData`] the message is not kept.
    pub fn disconnect() -> Self {
        Self(Kind::Disconnect)
    }

    /// Does what the command asks for, and closes the connection in place of the reply: at
    /// [`Stage::EndOfData`] the message is kept, and the client cannot know.
    pub fn lose_reply() -> Self {
        Self(Kind::LoseReply)
    }
}

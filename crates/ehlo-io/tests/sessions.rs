//! Sessions that are kept, and the server's words in every result.
#![cfg(feature = "std")]

use std::future::pending;
use std::io::{Error, ErrorKind, Result};
use std::pin::pin;
use std::task::{Context, Poll, Waker};

use ehlo::delivery::{Event, Fate, Outcome, Outcomes, UnusableSession};
use ehlo::{ClientConfig, Delivery, DeliveryConfig, Envelope, ForwardPath, HeloName, ReversePath};
use ehlo_io::{
    Connection, ContentReader, EndReason, FailureCause, MessageQueue, MessageSource, NextEnvelope,
    PendingEvent, RecipientReport, SendFailure, Session, SessionEnd, StreamIo,
};
use ehlo_sasl::Credentials;

/// A server that says one thing for the connection and one for each write, and then breaks off, is closed, or is silent.
#[derive(Debug)]
struct Script {
    says: std::vec::IntoIter<&'static str>,
    then: Then,
    heard: String,
    owes: usize,
}

#[derive(Clone, Copy, Debug)]
enum Then {
    Resets,
    Closes,
    Waits,
}

fn script(says: &[&'static str], then: Then) -> Script {
    let says = Vec::from(says);
    Script { says: says.into_iter(), then, heard: String::new(), owes: 1 }
}

#[derive(Default)]
struct Memory;

impl StreamIo<Script> for Memory {
    fn poll_read(
        &mut self,
        s: &mut Script,
        _: &mut Context<'_>,
        to: &mut [u8],
    ) -> Poll<Result<usize>> {
        if s.owes == 0 && s.says.len() > 0 {
            return Poll::Pending;
        }
        s.owes = s.owes.saturating_sub(1);
        match (s.says.next(), s.then) {
            (Some(text), _) => {
                to[..text.len()].copy_from_slice(text.as_bytes());
                Poll::Ready(Ok(text.len()))
            }
            (None, Then::Closes) => Poll::Ready(Ok(0)),
            (None, Then::Resets) => Poll::Ready(Err(ErrorKind::ConnectionReset.into())),
            (None, Then::Waits) => Poll::Pending,
        }
    }

    fn poll_write(
        &mut self,
        s: &mut Script,
        _: &mut Context<'_>,
        from: &[u8],
    ) -> Poll<Result<usize>> {
        s.heard.push_str(&String::from_utf8_lossy(from));
        s.owes += 1;
        Poll::Ready(Ok(from.len()))
    }

    fn poll_flush(&mut self, _: &mut Script, _: &mut Context<'_>) -> Poll<Result<()>> {
        Poll::Ready(Ok(()))
    }

    fn poll_close(&mut self, _: &mut Script, _: &mut Context<'_>) -> Poll<Result<()>> {
        Poll::Ready(Ok(()))
    }
}

impl ContentReader<&[u8]> for Memory {
    fn read(content: &mut &[u8], _: &mut Context<'_>, to: &mut [u8]) -> Poll<Result<usize>> {
        Poll::Ready(std::io::Read::read(content, to))
    }
}

type Never = fn(std::time::Duration) -> std::future::Pending<()>;
type Kept = Session<Script, Memory, Never>;

fn connection<'v>(script: Script) -> Connection<Script, Delivery<'v>, Memory, Never> {
    let name = HeloName::new("client.example").expect("a name");
    Connection::new(script, Delivery::new(name, DeliveryConfig::DEFAULT), |_| pending())
}

/// What a future comes to that never waits.
fn now<T>(future: impl Future<Output = T>) -> T {
    match pin!(future).poll(&mut Context::from_waker(Waker::noop())) {
        Poll::Ready(value) => value,
        Poll::Pending => panic!("it waits"),
    }
}

const GREETED: [&str; 2] = ["220 mx.example\r\n", "250 mx.example\r\n"];
const CONTENT: &[u8] = b"Subject: x\r\n\r\nHello!\r\n";

/// The signature that mail-sending libraries have: everything that is given goes away before the session.
fn send(
    session: &mut Kept,
    from: &str,
    to: &[String],
) -> std::result::Result<Vec<RecipientReport>, SendFailure> {
    let to: Vec<_> = to.iter().map(|to| ForwardPath::new(to).expect("a path")).collect();
    let to = to.as_slice();
    let envelope = Envelope::new(ReversePath::new(from).expect("a path"), &to);
    now(session.send(&envelope, CONTENT))
}

fn open(says: &[&'static str], then: Then) -> Kept {
    let says = [&GREETED, says].concat();
    now(Session::open(connection(script(&says, then)), None)).expect("a session")
}

const TAKEN: [&str; 4] = ["250 ok\r\n", "250 ok\r\n", "354 go\r\n", "250 2.6.0 queued as 1A2B\r\n"];

#[test]
fn a_kept_session_sends_envelopes_that_go_away() {
    let mut pool = vec![open(&[TAKEN, TAKEN].concat(), Then::Waits)];
    for number in 0..2 {
        let mut session = pool.pop().expect("a session");
        let reports = send(&mut session, "a@x.example", &[format!("b{number}@x.example")]);
        let [report] = &reports.expect("it was begun")[..] else { panic!("one recipient") };
        assert_eq!(report.fate, Fate::Accepted);
        assert_eq!(report.address, format!("b{number}@x.example"));
        assert_eq!(report.text.as_deref(), Some("queued as 1A2B"));
        assert!(session.is_open());
        pool.push(session);
    }
    let mut connection = pool.remove(0).into_connection().expect("it is open");
    assert_eq!(connection.stream().heard.matches("EHLO").count(), 1);
    assert_eq!(connection.stream().heard.matches("MAIL").count(), 2);
}

#[test]
fn each_recipient_has_the_text_of_its_own_reply() {
    let says = [
        "250 ok\r\n",
        "550-5.1.1 no such user\r\n550 5.1.1 ask\r\n",
        "250 ok\r\n",
        "354 go\r\n",
        "250 done\r\n",
    ];
    let mut session = open(&says, Then::Waits);
    let to = ["nobody@x.example", "b@x.example"].map(str::to_owned);
    let reports = send(&mut session, "a@x.example", &to).expect("it was begun");
    let texts: Vec<_> = reports.iter().map(|report| report.text.as_deref()).collect();
    assert_eq!(texts, [Some("no such user\nask"), Some("done")]);
    assert_eq!(reports[0].fate, Fate::Refused);
}

#[test]
fn what_breaks_behind_the_dot_is_unknown_and_before_it_deferred() {
    for (replies, fate) in
        [(0, Fate::Deferred), (1, Fate::Deferred), (2, Fate::Deferred), (3, Fate::Unknown)]
    {
        for then in [Then::Resets, Then::Closes] {
            let mut session = open(&TAKEN[..replies], then);
            let reports = send(&mut session, "a@x.example", &["b@x.example".to_owned()]);
            let reports = reports.expect("it was begun");
            assert_eq!(reports[0].fate, fate, "after {replies} replies");
            assert!(!session.is_open() && session.end().is_some());
            let again = send(&mut session, "a@x.example", &["b@x.example".to_owned()]);
            assert!(matches!(again, Err(SendFailure { cause: FailureCause::Io(_), .. })));
        }
    }
}

#[test]
fn a_session_that_is_refused_has_the_reply_that_ended_it() {
    let refused = script(&["554 5.7.1 see https://x.example\r\n"], Then::Closes);
    let failure = now(Session::open(connection(refused), None)).expect_err("it is refused");
    assert!(matches!(failure.cause, FailureCause::Ended(EndReason::Refused { .. })));
    assert_eq!(failure.reply.as_deref(), Some("see https://x.example"));
}

#[test]
fn a_check_finds_out_that_an_idle_session_is_over() {
    let mut session = open(&["250 ok\r\n", "421 4.4.2 idle too long\r\n"], Then::Closes);
    now(session.check()).expect("it is open");
    let failure = now(session.check()).expect_err("it is over");
    assert_eq!(failure.reply.as_deref(), Some("idle too long"));
    assert!(!session.is_open());
}

#[test]
fn credentials_that_cannot_be_used_open_no_session() {
    let credentials = Some(Credentials::password("user", "secret").expect("credentials"));
    let connection = connection(script(&[&GREETED[..], &["221 bye\r\n"]].concat(), Then::Closes));
    let failure = now(Session::open(connection, credentials)).expect_err("no AUTH");
    let FailureCause::Ended(reason) = failure.cause else { panic!("{failure:?}") };
    assert_eq!(reason, EndReason::Unusable(UnusableSession::AuthNotOffered));
}

#[test]
fn a_session_without_authentication_has_the_reply_that_refused_it() {
    let offer = "250-b\r\n250 AUTH PLAIN\r\n";
    for (says, code, words) in [
        (&["535 5.7.8 wrong password\r\n"][..], 535, "wrong password"),
        (&["504 5.5.4 not that one\r\n"], 504, "not that one"),
        (&["454 4.7.0 directory is down\r\n"], 454, "directory is down"),
    ] {
        let says = [&["220 a\r\n", offer][..], says, &["221 bye\r\n"]].concat();
        let name = HeloName::new("client.example").expect("a name");
        let client = ClientConfig { plaintext_auth: true, ..ClientConfig::DEFAULT };
        let config = DeliveryConfig { client, ..DeliveryConfig::DEFAULT };
        let delivery = Delivery::new(name, config);
        let connection: Connection<_, _, Memory, Never> =
            Connection::new(script(&says, Then::Closes), delivery, |_| pending());
        let credentials = Some(Credentials::password("user", "secret").expect("credentials"));
        let failure = now(Session::open(connection, credentials)).expect_err("no AUTH");
        let FailureCause::Ended(EndReason::Refused { code: refused, .. }) = failure.cause else {
            panic!("{failure:?}")
        };
        assert_eq!((refused.number(), failure.reply.as_deref()), (code, Some(words)));
    }
}

/// Content whose file cannot be read.
struct Unreadable;

impl ContentReader<Unreadable> for Memory {
    fn read(_: &mut Unreadable, _: &mut Context<'_>, _: &mut [u8]) -> Poll<Result<usize>> {
        Poll::Ready(Err(Error::other("\"/a\" is gone\r\n")))
    }
}

#[test]
fn content_that_cannot_be_read_says_why() {
    let recipients = [ForwardPath::new("b@x.example").expect("a path")];
    let envelope = Envelope::new(ReversePath::Null, &recipients);
    let mut session = open(&TAKEN[..3], Then::Closes);
    let reports = now(session.send(&envelope, Unreadable)).expect("it was begun");
    assert_eq!(reports[0].fate, Fate::Deferred);
    let end = session.end().expect("DATA cannot be taken back");
    assert_eq!(end.error.as_deref(), Some("\"/a\" is gone\r\n"));
    assert!(end.to_string().ends_with(": \"/a\" is gone\\r\\n"), "{end}");
}

/// Waits once before each envelope, and then is at rest.
struct Waits<'v> {
    envelopes: Vec<&'v Envelope<'v>>,
    waited: bool,
    texts: Vec<Option<String>>,
}

impl<'v> MessageSource<'v> for Waits<'v> {
    type Content = &'v [u8];

    fn envelope(&mut self, _: &Delivery<'v>) -> Option<&'v Envelope<'v>> {
        self.envelopes.pop()
    }

    fn poll_next(
        &mut self,
        _: &mut Context<'_>,
        delivery: &Delivery<'v>,
    ) -> Poll<NextEnvelope<'v>> {
        self.waited = !self.waited;
        if self.waited {
            return Poll::Pending;
        }
        Poll::Ready(self.envelope(delivery).map_or(NextEnvelope::Idle, NextEnvelope::Envelope))
    }

    fn content(&mut self, _: usize) -> Option<&'v [u8]> {
        Some(CONTENT)
    }

    fn finished(&mut self, _: usize, recipients: &[RecipientReport]) {
        self.texts.extend(recipients.iter().map(|recipient| recipient.text.clone()));
    }
}

#[test]
fn a_source_may_wait_for_its_next_message() {
    let recipients = [ForwardPath::new("b@x.example").expect("a path")];
    let envelope = Envelope::new(ReversePath::Null, &recipients);
    let mut messages = Waits { envelopes: vec![&envelope; 2], waited: false, texts: Vec::new() };
    let says = [&GREETED[..], &TAKEN, &TAKEN].concat();
    let mut connection = connection(script(&says, Then::Waits));
    let mut context = Context::from_waker(Waker::noop());
    let ended = {
        let mut delivered = pin!(connection.deliver(&mut messages));
        // Time has no limit while the server owes nothing, and each poll asks the messages again.
        (0..9).find_map(|_| match delivered.as_mut().poll(&mut context) {
            Poll::Ready(ended) => Some(ended),
            Poll::Pending => None,
        })
    };
    assert_eq!(ended.expect("an end").expect("no error"), SessionEnd::Idle);
    assert_eq!(messages.texts, vec![Some("queued as 1A2B".to_owned()); 2]);
    assert!(Session::new(connection).is_ok());
}

#[test]
fn a_queue_has_the_server_s_words() {
    let recipients = [ForwardPath::new("b@x.example").expect("a path")];
    let envelope = Envelope::new(ReversePath::Null, &recipients);
    let says = [&GREETED[..], &["452 4.3.1 disk full\r\n", "221 bye\r\n"]].concat();
    let mut heard = Vec::new();
    let messages = MessageQueue::new([(&envelope, CONTENT)], |_, recipients| {
        heard.extend(recipients.iter().map(ToString::to_string));
    });
    let ended = now(connection(script(&says, Then::Closes)).deliver(messages));
    assert_eq!(ended.map_err(|error: Error| error.kind()), Ok(SessionEnd::Done));
    let words = "b@x.example: deferred by the reply to MAIL: 452 4.3.1 (disk full)";
    assert_eq!(heard, [words]);
}

/// The events of a loop that ends at the first error, as most do.
fn outcome_by_next(replies: usize, then: Then) -> (Fate, Option<ErrorKind>) {
    let recipients = [ForwardPath::new("b@x.example").expect("a path")];
    let envelope = Envelope::new(ReversePath::Null, &recipients);
    let says = [&GREETED[..], &TAKEN[..replies]].concat();
    let mut connection = connection(script(&says, then));
    let mut memory = [Outcome::PENDING];
    let mut outcomes = Outcomes::begin(&mut memory, 0).expect("a new list");
    let mut begun = false;
    let error = loop {
        let PendingEvent { event, mut responder } = match now(connection.next()) {
            Ok(pending) => pending,
            Err(error) => break Some(error.kind()),
        };
        outcomes.record(&event);
        match event {
            Event::NeedEnvelope if !begun => {
                begun = true;
                responder.envelope(&envelope);
            }
            Event::NeedEnvelope => responder.quit(),
            Event::NeedContent { .. } => responder.last_mail_data(CONTENT).expect("content"),
            Event::Closed => break None,
            _ => {}
        }
    };
    (memory[0].fate, error)
}

#[test]
fn an_error_of_next_comes_behind_the_honest_outcomes() {
    for (replies, fate) in
        [(0, Fate::Deferred), (1, Fate::Deferred), (2, Fate::Deferred), (3, Fate::Unknown)]
    {
        let error = Some(ErrorKind::ConnectionReset);
        assert_eq!(outcome_by_next(replies, Then::Resets), (fate, error));
        assert_eq!(outcome_by_next(replies, Then::Closes), (fate, None));
    }
}

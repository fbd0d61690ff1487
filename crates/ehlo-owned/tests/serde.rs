//! What the serialised forms look like, and what is refused when they are read.
#![cfg(feature = "serde")]
#![allow(clippy::unwrap_used)] // a test fails by a panic

use ehlo::delivery::Event;
use ehlo::syntax::parameter::Body;
use ehlo::{Reply, SendError, syntax::command::Verb};
use ehlo_owned::{
    EnvelopeBuf, ForwardPathBuf, HeloNameBuf, MailParametersBuf, OutcomeList, RecipientOutcome,
    ReplyBuf, ReversePathBuf,
};
use serde_json::json;

#[test]
fn an_envelope_is_a_map() {
    let mut envelope = EnvelopeBuf::new(
        "smith@example.com".parse().unwrap(),
        ["<jones@example.org> NOTIFY=NEVER".parse().unwrap(), "<Postmaster>".parse().unwrap()],
    );
    let least = json!({
        "reverse_path": "<smith@example.com>",
        "recipients": ["<jones@example.org> NOTIFY=NEVER", "<Postmaster>"],
    });
    assert_eq!(serde_json::to_value(&envelope).unwrap(), least);
    assert_eq!(serde_json::from_value::<EnvelopeBuf>(least).unwrap(), envelope);

    envelope.parameters = "RET=HDRS".parse().unwrap();
    envelope.size = Some(1000);
    envelope.body = Body::EightBitMime;
    (envelope.smtputf8, envelope.repeatable) = (true, true);
    let full = json!({
        "reverse_path": "<smith@example.com>",
        "parameters": "RET=HDRS",
        "recipients": ["<jones@example.org> NOTIFY=NEVER", "<Postmaster>"],
        "size": 1000,
        "body": "8BITMIME",
        "smtputf8": true,
        "repeatable": true,
    });
    assert_eq!(serde_json::to_value(&envelope).unwrap(), full);
    assert_eq!(serde_json::from_value::<EnvelopeBuf>(full).unwrap(), envelope);
}

#[test]
fn what_is_read_is_checked() {
    fn is_refused<T: serde::de::DeserializeOwned>(value: serde_json::Value) -> bool {
        serde_json::from_value::<T>(value).is_err()
    }
    assert!(is_refused::<ForwardPathBuf>(json!("jones")));
    assert!(is_refused::<ForwardPathBuf>(json!("<jones@example.org>\r\n")));
    assert!(is_refused::<ReversePathBuf>(json!(7)));
    assert!(is_refused::<HeloNameBuf>(json!("localhost")));
    assert!(is_refused::<MailParametersBuf>(json!("NOTIFY=NEVER")));
    assert!(is_refused::<EnvelopeBuf>(json!({ "reverse_path": "<>" })));
    let unknown = json!({ "reverse_path": "<>", "recipients": [], "sice": 1 });
    assert!(is_refused::<EnvelopeBuf>(unknown));
    assert!(is_refused::<ReplyBuf>(json!({ "code": 199, "lines": [] })));
    assert!(is_refused::<ReplyBuf>(json!({ "code": 250, "lines": ["a\r\n250 b"] })));
    let mismatch = json!({ "code": 250, "enhanced_code": "5.1.1", "lines": [] });
    assert!(is_refused::<ReplyBuf>(mismatch));
}

#[test]
fn outcomes_keep_their_replies() {
    let all = ["jones@example.org", "green@example.org", "brown@example.org"];
    let all = all.map(|address| address.parse().unwrap());
    let envelope = EnvelopeBuf::new("<>".parse().unwrap(), all);
    let mut outcomes = OutcomeList::begin(&envelope.as_envelope(), 1);
    let reply = |text| Reply::try_from(text).unwrap();
    let no = reply("550 5.1.1 no such user");
    // Of another envelope.
    outcomes.record(&Event::Recipient { envelope: 0, index: 1, reply: no });
    outcomes.record(&Event::Recipient { envelope: 1, index: 0, reply: no });
    outcomes.record(&Event::Reply { to: Verb::Data, reply: reply("354 go ahead") });
    let part = ehlo::delivery::RecipientRange { envelope: 1, first: 0, end: usize::MAX };
    let queued = reply("250 2.0.0 queued as 42");
    outcomes.record(&Event::Message { part, first_only: true, reply: queued });
    let error = SendError::NoContent;
    outcomes.record(&Event::NotSent { part, at: Verb::Data, error });
    let all = outcomes.into_vec();
    assert_eq!(
        serde_json::to_value(&all[0]).unwrap(),
        json!({
            "recipient": "<jones@example.org>",
            "fate": "refused",
            "stage": "RCPT",
            "code": 550,
            "enhanced_code": "5.1.1",
            "reply": { "code": 550, "enhanced_code": "5.1.1", "lines": ["no such user"] },
            "reason": "refused by the reply to RCPT: 550 5.1.1",
        })
    );
    let words = "<green@example.org>: accepted by the reply to the message: 250 2.0.0 queued as 42";
    assert_eq!(all[1].to_string(), words);
    assert_eq!((all[2].code, &all[2].reply), (None, &None));
    for outcome in all {
        let text = serde_json::to_string(&outcome).unwrap();
        assert_eq!(serde_json::from_str::<RecipientOutcome>(&text).unwrap(), outcome);
    }
}

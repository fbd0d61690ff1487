//! Borrowed to owned and back: the values are equal, and each is written as what it was read from is.
#![allow(clippy::unwrap_used)] // a test fails by a panic

use std::collections::hash_map::DefaultHasher;
use std::hash::{Hash, Hasher};

use ehlo::delivery::Recipient;
use ehlo::syntax::code::EnhancedCode;
use ehlo::syntax::parameter::Parameters;
use ehlo::syntax::path::Mailbox;
use ehlo::syntax::reply::ReplyLimits;
use ehlo::{
    Code, Command, Encode, Envelope, ForwardPath, HeloName, Parsed, Policy, Reply, ReversePath,
};
use ehlo_owned::{
    EnvelopeBuf, ForwardPathBuf, HeloNameBuf, MailParametersBuf, MailboxBuf, RcptParametersBuf,
    RecipientBuf, ReplyBuf, ReversePathBuf,
};
use proptest::prelude::*;

/// Pieces of paths, good and bad, so that many of their sequences are paths.
const PATH_PIECES: &str = r#"(a|Joe|\.|"a\\ b@c"|"joe"|ü|@|b\.example|B\.EXAMPLE|b_c\.d|xn--p1ai|\[192\.0\.2\.1\]|\[ipv6:2001:0db8:0:0:0:0:0:1\]|\[x400:c=US\]|@r\.example:|@r\.example,@s\.example:|x{64}|x{80}|\.){1,6}"#;

/// Parameters of both commands, as they are read under some policy.
const PARAMETERS: &[&str] = &[
    "SIZE=1000",
    "size=99999999999999999999",
    "BODY=8bitmime",
    "SMTPUTF8",
    "RET=hdrs",
    "ENVID=QQ+2b314159",
    "AUTH=<>",
    "AUTH=e+3Dmc2@example.com",
    "BY=120;R",
    "HOLDFOR=60",
    "HOLDUNTIL=2027-01-01T00:00:00z",
    "MT-PRIORITY=-3",
    "REQUIRETLS",
    "MTRK=YWJjZGVmZ2hpamtsbW5vcHFyc3R1dnd4eXo=:60",
    "TRANSID=<1@a.example>",
    "SUBMITTER=a@b.example",
    "NOTIFY=delay,success",
    "ORCPT=rfc822;a+40b.example",
    "ORCPT=utf-8;ü@b.example",
    "RRVS=2027-01-01T00:00:00Z;C",
    "X-FOO=ü",
    "x-bar",
];

proptest! {
    #![proptest_config(ProptestConfig::with_cases(512))]

    #[test]
    fn paths(inside in PATH_PIECES, lenient: bool) {
        let policy = if lenient { Policy::LENIENT } else { Policy::STRICT };
        let path = format!("<{inside}>");
        if let Ok(borrowed) = ReversePath::parse(path.as_bytes(), &policy) {
            let owned = ReversePathBuf::from(borrowed);
            prop_assert_eq!(owned.as_reverse_path(), borrowed);
            prop_assert_eq!(wire(&owned.as_reverse_path()), wire(&borrowed));
            prop_assert_eq!(owned.as_str().as_bytes(), wire(&borrowed));
            prop_assert_eq!(hash(&owned), hash(&borrowed));
            again(&owned);
            if let Some(mailbox) = borrowed.mailbox() {
                mailboxes(mailbox);
            }
        }
        if let Ok(borrowed) = ForwardPath::parse(path.as_bytes(), &policy) {
            let owned = ForwardPathBuf::from(borrowed);
            prop_assert_eq!(owned.as_forward_path(), borrowed);
            prop_assert_eq!(wire(&owned.as_forward_path()), wire(&borrowed));
            prop_assert_eq!(hash(&owned), hash(&borrowed));
            again(&owned);
            let recipient = RecipientBuf::from(borrowed);
            prop_assert_eq!(recipient.to_string(), owned.to_string());
            again(&recipient);
        }
    }

    #[test]
    fn order_is_that_of_the_borrowed(left in PATH_PIECES, right in PATH_PIECES) {
        let (left, right) = (format!("<{left}>"), format!("<{right}>"));
        let left = ForwardPath::parse(left.as_bytes(), &Policy::LENIENT);
        let right = ForwardPath::parse(right.as_bytes(), &Policy::LENIENT);
        if let (Ok(left), Ok(right)) = (left, right) {
            let owned = (ForwardPathBuf::from(left), ForwardPathBuf::from(right));
            prop_assert_eq!(owned.0.cmp(&owned.1), left.cmp(&right));
            prop_assert_eq!(owned.0 == owned.1, left == right);
        }
    }

    #[test]
    fn envelopes(
        from in PATH_PIECES,
        to in PATH_PIECES,
        mail in proptest::sample::subsequence(PARAMETERS, 0..4),
        rcpt in proptest::sample::subsequence(PARAMETERS, 0..4),
    ) {
        let line = |head: &str, path: &str, parameters: &[&str]| {
            let words = parameters.iter().map(|word| format!(" {word}"));
            format!("{head}:<{path}>{}", words.collect::<String>())
        };
        let (mail, rcpt) = (line("MAIL FROM", &from, &mail), line("RCPT TO", &to, &rcpt));
        let mail = Command::parse_line(mail.as_bytes(), &Policy::LENIENT);
        let rcpt = Command::parse_line(rcpt.as_bytes(), &Policy::LENIENT);
        let (
            Ok(Command::Mail { reverse_path, parameters: of_mail }),
            Ok(Command::Rcpt { forward_path, parameters }),
        ) = (mail, rcpt) else {
            return Ok(());
        };
        let owned = MailParametersBuf::try_from(of_mail).unwrap();
        prop_assert_eq!(owned.as_parameters(), of_mail);
        prop_assert_eq!(wire(&owned.as_parameters()), wire(&of_mail));
        prop_assert_eq!(owned.is_empty(), of_mail.is_empty());
        again(&owned);
        let owned = RcptParametersBuf::try_from(parameters).unwrap();
        prop_assert_eq!(owned.as_parameters(), parameters);
        prop_assert_eq!(wire(&owned.as_parameters()), wire(&parameters));
        again(&owned);

        let recipients = [Recipient { forward_path, parameters }, ForwardPath::Postmaster.into()];
        let envelope = Envelope {
            parameters: of_mail,
            size: Some(9),
            ..Envelope::new(reverse_path, &recipients)
        };
        let owned = EnvelopeBuf::try_from(envelope).unwrap();
        let lent = owned.as_envelope();
        prop_assert_eq!((lent.reverse_path, lent.parameters), (reverse_path, of_mail));
        let all: Vec<_> = (0..9).map_while(|index| lent.recipients.recipient(index)).collect();
        prop_assert_eq!(&all[..], &recipients[..]);
        prop_assert_eq!(EnvelopeBuf::try_from(lent).unwrap(), owned.clone());
        json(&owned);
        again(&owned.recipients[0]);
    }

    #[test]
    fn parsed_replies(
        code in 195_u16..600,
        lines in proptest::collection::vec(proptest::collection::vec(any::<u8>(), 0..40), 1..4),
        enhanced in "(|2\\.0\\.0 |5\\.1\\.1 )",
    ) {
        let mut bytes = Vec::new();
        for (index, line) in lines.iter().enumerate() {
            let separator = if index + 1 == lines.len() { ' ' } else { '-' };
            bytes.extend(format!("{code}{separator}{enhanced}").bytes());
            bytes.extend(line);
            bytes.extend(b"\r\n");
        }
        if let Ok(Parsed::Complete { value, consumed }) = Reply::parse(&bytes, &Policy::LENIENT) {
            let owned = ReplyBuf::from(value);
            prop_assert_eq!(owned.as_reply(), value);
            prop_assert_eq!(owned.as_bytes(), &bytes[..consumed]);
            prop_assert_eq!(owned.to_string(), value.to_string());
            if value.lines().all(|line| std::str::from_utf8(line).is_ok()) {
                json(&owned);
            }
        }
    }

    #[test]
    fn built_replies(
        code in 200_u16..600,
        text in "(?s).{0,600}",
        host in proptest::option::of("[a-z. ]{0,9}"),
        class in proptest::sample::select(vec![0_u8, 2, 4, 5]),
    ) {
        let mut reply = Reply::new(Code::new(code).unwrap(), &text);
        if let Some(enhanced) = EnhancedCode::new(class, 1, 1) {
            reply = reply.with_enhanced_code(enhanced);
        }
        if let Some(host) = &host {
            reply = reply.with_domain(host);
        }
        let owned = ReplyBuf::from(reply);
        prop_assert_eq!(owned.as_bytes(), wire(&reply));
        prop_assert_eq!(wire(&owned.as_reply()), wire(&reply));
        // A host's name that looks like an enhanced status code is one on the wire.
        if host.is_none() {
            prop_assert_eq!(owned.as_reply(), reply);
        }
        json(&owned);
    }

    #[test]
    fn lines_of_replies(lines in proptest::collection::vec("(?s).{0,20}", 0..4)) {
        let clean = |line: &String| !line.contains(['\r', '\n', '\0']);
        let reply = ReplyBuf::from_lines(Code::OK, None, &lines);
        prop_assert_eq!(reply.is_ok(), lines.iter().all(clean));
    }
}

#[test]
fn names_of_clients() {
    let names = [
        "mail.example.com",
        "MAIL.example.com",
        "[192.0.2.1]",
        "[IPv6:2001:db8::1]",
        "[ipv6:2001:0DB8:0:0:0:0:0:1]",
        "localhost",
        "client",
        "[127.0.0.1]",
    ];
    let local = [127, 0, 0, 1].into();
    let all = names.map(|name| HeloName::for_server(name, local).unwrap());
    for name in all {
        let owned = HeloNameBuf::from(name);
        assert_eq!(owned, name);
        assert_eq!(wire(&owned.as_helo_name()), wire(&name));
        assert_eq!(hash(&owned), hash(&name));
        for other in all {
            let other_owned = HeloNameBuf::from(other);
            assert_eq!(owned.cmp(&other_owned).is_eq(), name == other, "{name} {other}");
            assert_eq!(owned.cmp(&other_owned), other_owned.cmp(&owned).reverse());
        }
    }
}

#[test]
fn what_no_text_can_bring_in() {
    for text in ["a@b.example>\r\nDATA", "a@b.example\r\n", "<a@b.example> X\r\n", "", "a b@c"] {
        assert!(text.parse::<MailboxBuf>().is_err(), "{text:?}");
        assert!(text.parse::<ForwardPathBuf>().is_err(), "{text:?}");
        assert!(text.parse::<RecipientBuf>().is_err(), "{text:?}");
        assert!(text.is_empty() || text.parse::<MailParametersBuf>().is_err(), "{text:?}");
        assert!(text.is_empty() || text.parse::<ReversePathBuf>().is_err(), "{text:?}");
    }
    // Of the other command, or twice.
    assert!("NOTIFY=NEVER".parse::<MailParametersBuf>().is_err());
    assert!("SIZE=1".parse::<RcptParametersBuf>().is_err());
    let error = "SIZE=1 SIZE=2".parse::<MailParametersBuf>().unwrap_err();
    assert_eq!(error.offset, 7);
    let error = "a@b.example NOTIFY=x".parse::<RecipientBuf>().unwrap_err();
    assert_eq!(error.offset, 19);
}

#[test]
fn parameters_of_a_list_for_either_command() {
    use ehlo::syntax::parameter::{Notify, Parameter};

    let list = [Parameter::Size(1), Parameter::Notify(Notify::NEVER)];
    let parameters = Parameters::new(&list).unwrap();
    assert!(MailParametersBuf::try_from(parameters).is_err());
    assert!(RcptParametersBuf::try_from(parameters).is_err());
}

#[test]
fn replies_beyond_the_usual_limits() {
    let line = "x".repeat(5000);
    let bytes = format!("250-{line}\r\n").repeat(30) + "250 end\r\n";
    assert!(Reply::parse(bytes.as_bytes(), &Policy::STRICT).is_err());
    let limits = ReplyLimits { line: 6000, lines: 31, bytes: 1 << 20 };
    let parsed = Reply::parse_within(bytes.as_bytes(), &limits, &Policy::STRICT).unwrap();
    let Parsed::Complete { value, .. } = parsed else { panic!("it is whole") };
    assert_eq!(ReplyBuf::from(value).as_reply(), value);

    let text = "a\n".repeat(70_000);
    let cut = ReplyBuf::from(Reply::new(Code::MAILBOX_UNAVAILABLE, &text));
    assert_eq!(cut.as_bytes(), b"550 \r\n");
}

fn mailboxes(borrowed: Mailbox<'_>) {
    let owned = MailboxBuf::from(borrowed);
    assert_eq!(owned.as_mailbox(), borrowed);
    assert_eq!(wire(&owned.as_mailbox()), wire(&borrowed));
    assert_eq!(owned.as_str().as_bytes(), wire(&borrowed));
    assert_eq!(hash(&owned), hash(&borrowed));
    again(&owned);
}

fn wire(value: &impl Encode) -> Vec<u8> {
    let mut out = vec![0; value.encoded_len()];
    value.encode(&mut out).unwrap();
    out
}

fn hash(value: &impl Hash) -> u64 {
    let mut hasher = DefaultHasher::new();
    value.hash(&mut hasher);
    hasher.finish()
}

/// By the text, where a strict parser takes it, and by serde.
fn again<T: Text>(owned: &T) {
    if let Ok(again) = owned.to_string().parse::<T>() {
        assert_eq!(again, *owned);
    }
    json(owned);
}

#[cfg(feature = "serde")]
trait Serde: serde::Serialize + serde::de::DeserializeOwned {}
#[cfg(feature = "serde")]
impl<T: serde::Serialize + serde::de::DeserializeOwned> Serde for T {}
#[cfg(not(feature = "serde"))]
trait Serde {}
#[cfg(not(feature = "serde"))]
impl<T> Serde for T {}

trait Text: std::str::FromStr + ToString + Eq + std::fmt::Debug + Serde {}
impl<T: std::str::FromStr + ToString + Eq + std::fmt::Debug + Serde> Text for T {}

#[cfg(feature = "serde")]
fn json<T: Serde + Eq + std::fmt::Debug>(owned: &T) {
    let text = serde_json::to_string(owned).unwrap();
    assert_eq!(serde_json::from_str::<T>(&text).unwrap(), *owned, "{text}");
}

#[cfg(not(feature = "serde"))]
fn json<T: Serde>(_: &T) {}

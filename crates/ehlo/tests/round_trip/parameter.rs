//! The parameters of MAIL and RCPT, each built from numbers and plain text.

use std::collections::HashSet;

use ehlo::{
    AuthIdentity, Body, By, ByMode, Command, DateTime, Envid, ForwardPath, HoldInterval, Mtrk,
    Notify, Orcpt, OtherParameter, Parameter, Parameters, Policy, Priority, Ret, ReversePath, Rrvs,
    RrvsAction, Solicit, SyntaxError, TransId, XtextMailbox,
};
use proptest::prelude::*;

use crate::path::ascii_mailbox;
use crate::{UTF8, text};

/// What a parameter is built from, for it borrows.
#[derive(Clone, Debug)]
pub(crate) enum Given {
    Size(u64),
    Body(Body),
    SmtpUtf8,
    Ret(Ret),
    Envid(String),
    Auth(Option<String>),
    By(i32, ByMode, bool),
    HoldFor(u32),
    HoldUntil(String),
    MtPriority(i8),
    RequireTls,
    Solicit(String),
    Mtrk(String, Option<u32>),
    TransId(String),
    ConPerm,
    Submitter(String),
    AltAddress(String),
    Prdr,
    Notify(Notify),
    Orcpt(String, String),
    Rrvs(String, Option<RrvsAction>),
    ConNeg,
    Other(String, Option<String>),
}

impl Given {
    pub(crate) fn build(&self) -> Result<Parameter<'_>, SyntaxError> {
        Ok(match self {
            Self::Size(octets) => Parameter::Size(*octets),
            Self::Body(body) => Parameter::Body(*body),
            Self::SmtpUtf8 => Parameter::SmtpUtf8,
            Self::Ret(ret) => Parameter::Ret(*ret),
            Self::Envid(plain) => Parameter::Envid(Envid::new(plain)?),
            Self::Auth(None) => Parameter::Auth(AuthIdentity::Null),
            Self::Auth(Some(plain)) => {
                Parameter::Auth(AuthIdentity::Mailbox(XtextMailbox::new(plain)?))
            }
            Self::By(seconds, mode, trace) => Parameter::By(By::new(*seconds, *mode, *trace)?),
            Self::HoldFor(seconds) => Parameter::HoldFor(HoldInterval::new(*seconds)?),
            Self::HoldUntil(moment) => Parameter::HoldUntil(DateTime::new(moment)?),
            Self::MtPriority(value) => Parameter::MtPriority(Priority::new(*value)?),
            Self::RequireTls => Parameter::RequireTls,
            Self::Solicit(words) => Parameter::Solicit(Solicit::new(words)?),
            Self::Mtrk(certifier, timeout) => Parameter::Mtrk(Mtrk::new(certifier, *timeout)?),
            Self::TransId(text) => Parameter::TransId(TransId::new(text)?),
            Self::ConPerm => Parameter::ConPerm,
            Self::Submitter(plain) => Parameter::Submitter(XtextMailbox::new(plain)?),
            Self::AltAddress(plain) => Parameter::AltAddress(XtextMailbox::new(plain)?),
            Self::Prdr => Parameter::Prdr,
            Self::Notify(notify) => Parameter::Notify(*notify),
            Self::Orcpt(addr_type, plain) => Parameter::Orcpt(Orcpt::new(addr_type, plain)?),
            Self::Rrvs(since, action) => {
                Parameter::Rrvs(Rrvs::new(DateTime::new(since)?, *action)?)
            }
            Self::ConNeg => Parameter::ConNeg,
            Self::Other(keyword, value) => {
                Parameter::Other(OtherParameter::new(keyword, value.as_deref())?)
            }
        })
    }
}

fn moment() -> impl Strategy<Value = String> {
    let date = (0_u32..10_000, 1_u32..13, 1_u32..29);
    (date, (0_u32..24, 0_u32..60, 0_u32..61), prop_oneof![Just("Z"), Just("z"), Just("+00:00")])
        .prop_map(|((year, month, day), (hour, minute, second), zone)| {
            format!("{year:04}-{month:02}-{day:02}T{hour:02}:{minute:02}:{second:02}{zone}")
        })
}

/// Text that needs every kind of encoding, of so many characters at most.
fn plain(most: usize) -> impl Strategy<Value = String> {
    let piece = prop_oneof!["[ -~]{1,8}", "[+=\\\\ ]{1,3}", "[a-zü\u{e9}日]{1,4}"];
    prop::collection::vec(piece, 1..4)
        .prop_map(move |pieces| pieces.concat().chars().take(most).collect::<String>())
}

fn other() -> impl Strategy<Value = Given> {
    ("X-[A-Za-z0-9-]{1,10}", prop::option::of("[!-<>-~]{1,20}"))
        .prop_map(|(keyword, value)| Given::Other(keyword, value))
}

pub(crate) fn of_mail() -> impl Strategy<Value = Given> {
    let by = prop_oneof![
        (-999_999_999..1_000_000_000, Just(ByMode::Notify)),
        (1..1_000_000_000, Just(ByMode::Return)),
    ];
    let bodies = vec![Body::SevenBit, Body::EightBitMime, Body::BinaryMime];
    prop_oneof![
        any::<u64>().prop_map(Given::Size),
        prop::sample::select(bodies).prop_map(Given::Body),
        Just(Given::SmtpUtf8),
        prop_oneof![Just(Ret::Full), Just(Ret::Hdrs)].prop_map(Given::Ret),
        plain(30).prop_map(Given::Envid),
        prop::option::of(ascii_mailbox()).prop_map(Given::Auth),
        (by, any::<bool>()).prop_map(|((seconds, mode), trace)| Given::By(seconds, mode, trace)),
        (1_u32..1_000_000_000).prop_map(Given::HoldFor),
        moment().prop_map(Given::HoldUntil),
        (-9_i8..10).prop_map(Given::MtPriority),
        Just(Given::RequireTls),
        "[A-Za-z][A-Za-z0-9._:-]{0,20}(,[A-Za-z][A-Za-z0-9._:-]{0,9}){0,2}"
            .prop_map(Given::Solicit),
        ("[A-Za-z0-9+/]{1,22}", prop::option::of(0_u32..1_000_000_000))
            .prop_map(|(certifier, timeout)| Given::Mtrk(certifier, timeout)),
        "<[A-Za-z0-9!#$]{1,8}(\\.[a-z]{1,4})?@[A-Za-z0-9]{1,8}\\.example>".prop_map(Given::TransId),
        Just(Given::ConPerm),
        ascii_mailbox().prop_map(Given::Submitter),
        ascii_mailbox().prop_map(Given::AltAddress),
        Just(Given::Prdr),
        other(),
    ]
}

pub(crate) fn of_rcpt() -> impl Strategy<Value = Given> {
    let actions = vec![None, Some(RrvsAction::Continue), Some(RrvsAction::Reject)];
    prop_oneof![
        (any::<[bool; 3]>()).prop_map(|[success, failure, delay]| {
            let events =
                [(success, Notify::SUCCESS), (failure, Notify::FAILURE), (delay, Notify::DELAY)];
            let chosen = events.into_iter().filter(|(is, _)| *is);
            Given::Notify(chosen.fold(Notify::NEVER, |all, (_, event)| all | event))
        }),
        (prop_oneof![Just("rfc822"), Just("utf-8"), Just("x400")], plain(40))
            .prop_map(|(addr_type, plain)| Given::Orcpt(addr_type.to_owned(), plain)),
        (moment(), prop::sample::select(actions))
            .prop_map(|(since, action)| Given::Rrvs(since, action)),
        Just(Given::ConNeg),
        ascii_mailbox().prop_map(Given::AltAddress),
        other(),
    ]
}

/// Parameters of which none stands twice, HOLDFOR and HOLDUNTIL together count as one.
pub(crate) fn distinct<'g>(given: &'g [Given]) -> Vec<Parameter<'g>> {
    let mut seen = HashSet::new();
    let built = given.iter().map(|given: &'g Given| given.build().unwrap());
    built
        .filter(|parameter| {
            let hold = parameter.keyword().starts_with("HOLD");
            seen.insert(if hold { "HOLD" } else { parameter.keyword() })
        })
        .collect()
}

/// What `parameters` are on the wire, behind the start of a command, is read back as the same.
fn comes_back(start: &str, parameters: &Parameters<'_>) {
    let line = format!("{start} {parameters}");
    let read = match Command::parse_line(line.as_bytes(), &UTF8) {
        Ok(Command::Mail { parameters, .. } | Command::Rcpt { parameters, .. }) => parameters,
        other => panic!("{line} is {other:?}"),
    };
    assert_eq!(&read, parameters);
    assert_eq!(text(&read), text(parameters));
    assert!(read.iter().eq(parameters.iter()));
}

proptest! {
    #[test]
    fn each_of_mail(given in of_mail()) {
        let list = [given.build().unwrap()];
        comes_back("MAIL FROM:<>", &Parameters::mail(&list).unwrap());
        assert!(Parameters::mail(&[list[0], list[0]]).is_err() || list[0].extension().is_none());
        let both = matches!(given, Given::AltAddress(_) | Given::Other(..));
        assert_eq!(Parameters::rcpt(&list).is_ok(), both);
    }

    #[test]
    fn each_of_rcpt(given in of_rcpt()) {
        let list = [given.build().unwrap()];
        comes_back("RCPT TO:<a@b.example>", &Parameters::rcpt(&list).unwrap());
        let both = matches!(given, Given::AltAddress(_) | Given::Other(..));
        assert_eq!(Parameters::mail(&list).is_ok(), both);
    }

    #[test]
    fn many(
        mail in prop::collection::vec(of_mail(), 0..6),
        rcpt in prop::collection::vec(of_rcpt(), 0..4),
    ) {
        let mail = distinct(&mail);
        if !mail.is_empty() {
            comes_back("MAIL FROM:<>", &Parameters::mail(&mail).unwrap());
        }
        let rcpt = distinct(&rcpt);
        if !rcpt.is_empty() {
            comes_back("RCPT TO:<a@b.example>", &Parameters::rcpt(&rcpt).unwrap());
        }
    }

    /// What was plain is plain again.
    #[test]
    fn decoding(plain in plain(40), mailbox in ascii_mailbox()) {
        let octets = plain.as_bytes();
        assert!(Envid::new(&plain).map_or(true, |e| e.xtext().decoded().eq(octets.iter().copied())));
        for addr_type in ["rfc822", "utf-8"] {
            let orcpt = Orcpt::new(addr_type, &plain).unwrap();
            let wire = text(&orcpt);
            assert!(wire.is_ascii());
            let read = Orcpt::from_encoded(&wire).unwrap();
            assert!(read.address().eq(octets.iter().copied()), "{}", wire);
            assert_eq!(read, orcpt);
        }
        let xtext = XtextMailbox::new(&mailbox).unwrap();
        let mut out = [0; 254];
        assert_eq!(text(&xtext.decode(&mut out).unwrap()), mailbox.as_str());
        let wire = text(&xtext);
        assert_eq!(XtextMailbox::from_encoded(&wire).unwrap(), xtext);
    }

    /// A moment is what a calendar that walks day by day says.
    #[test]
    fn moments(days in 0_i64..60_000, seconds in 0_i64..86_400) {
        let (mut year, mut month, mut rest) = (1970_i64, 1, days);
        let leap = |year: i64| year % 4 == 0 && (year % 100 != 0 || year % 400 == 0);
        loop {
            let length = match month {
                2 => 28 + i64::from(leap(year)),
                4 | 6 | 9 | 11 => 30,
                _ => 31,
            };
            if rest < length {
                break;
            }
            rest -= length;
            month += 1;
            if month == 13 {
                (year, month) = (year + 1, 1);
            }
        }
        let (hour, minute, second) = (seconds / 3600, seconds / 60 % 60, seconds % 60);
        let text = format!("{year:04}-{month:02}-{:02}T{hour:02}:{minute:02}:{second:02}Z", rest + 1);
        assert_eq!(DateTime::new(&text).unwrap().unix_seconds(), days * 86_400 + seconds);
    }
}

/// Parameters of one command do not pass for those of the other.
#[test]
fn places() {
    let (mail, rcpt) = ([Parameter::Prdr], [Parameter::ConNeg]);
    assert!(Parameters::mail(&rcpt).is_err() && Parameters::rcpt(&mail).is_err());
    let reverse_path = ReversePath::Null;
    let line = text(&Command::Mail { reverse_path, parameters: Parameters::new(&rcpt).unwrap() });
    assert!(Command::parse_line(line.trim_end().as_bytes(), &Policy::STRICT).is_err());
    let forward_path = ForwardPath::Postmaster;
    let line = text(&Command::Rcpt { forward_path, parameters: Parameters::new(&mail).unwrap() });
    assert!(Command::parse_line(line.trim_end().as_bytes(), &Policy::STRICT).is_err());
}

//! The parameters of MAIL and RCPT: one row for each of the IANA registry's, and a few more.
#![allow(clippy::unwrap_used)] // a test fails by panicking

use ehlo::syntax::SyntaxErrorKind as Kind;
use ehlo::syntax::parameter::{Body, Notify, Parameter, Parameters};
use ehlo::syntax::path::Mailbox;
use ehlo::{Command, Encode, Extension, ForwardPath, Parsed, Policy, ReversePath, SyntaxError};

const MAIL: &str = "MAIL FROM:<a@b.example>";
const RCPT: &str = "RCPT TO:<a@b.example>";

/// Command, keyword, extension, bytes it adds, values that are right, values that are wrong; a
/// value is what follows the keyword.
type Row = (
    &'static str,
    &'static str,
    Extension,
    usize,
    &'static [&'static str],
    &'static [&'static str],
);

const ROWS: &[Row] = &[
    (
        MAIL,
        "SIZE",
        Extension::Size,
        26,
        &["=0", "=1000", "=00000000000000001000", "=18446744073709551616"],
        &["", "=", "=-1", "=+1", "=1.5", "=ABC", "=000000000000000000001"],
    ),
    (
        MAIL,
        "BODY",
        Extension::EightBitMime,
        16,
        &["=7BIT", "=8bitMIME"],
        &["", "=", "=9BIT", "=8BITMIMEX", "=8BIT"],
    ),
    (MAIL, "BODY", Extension::BinaryMime, 16, &["=BINARYMIME", "=binarymime"], &["=BINARY"]),
    (
        MAIL,
        "TRANSID",
        Extension::Checkpoint,
        88,
        &["=<12345@claremont.edu>", "=<a!b.c@d>"],
        &["", "=", "=a@b", "=<a>", "=<a@b", "=<a..b@c>", "=<a@b>c", "=<(a)@b>"],
    ),
    (
        MAIL,
        "BY",
        Extension::DeliverBy,
        17,
        &["=120;R", "=120;RT", "=-10;N", "=+22;nt", "=0;N", "=-999999999;N", "=999999999;R"],
        &["", "=", "=120", "=120;", "=120;T", "=;R", "=-1;R", "=0;R", "=1000000000;N", "=1;RTT"],
    ),
    (MAIL, "RET", Extension::Dsn, 9, &["=FULL", "=hdrs"], &["", "=", "=INVALID", "=FULLX"]),
    (
        MAIL,
        "ENVID",
        Extension::Dsn,
        107,
        &["=QQ314159", "=a+20b", "=a+2bb"],
        &["", "=", "=a+ZZ", "=a+2", "=a+0D+0A", "=a+00"],
    ),
    (
        RCPT,
        "NOTIFY",
        Extension::Dsn,
        29,
        &["=NEVER", "=SUCCESS,FAILURE,DELAY", "=delay", "=DELAY,SUCCESS"],
        &["", "=", "=,", "=NEVER,SUCCESS", "=SUCCESS,NEVER", "=SUCCESS,", "=,SUCCESS", "=X"],
    ),
    (
        RCPT,
        "ORCPT",
        Extension::Dsn,
        507,
        &["=rfc822;Bob@Example.COM", "=rfc822;George+20@Tax-+20ME+20.GOV", "=utf-8;a\\x{E9}@b"],
        &[
            "",
            "=",
            "=rfc822",
            "=rfc822;",
            "=;a",
            "=rfc822;a+4",
            "=rf(c;a",
            "=utf-8;\\x{D800}",
            "=utf-8;\\x{A}",
            "=utf-8;a+20b",
            "=utf-8;\\x{110000}",
            "=rfc822;a+0D+0Ab",
        ],
    ),
    (
        MAIL,
        "SOLICIT",
        Extension::NoSoliciting,
        1007,
        &["=net.example:ADV", "=net.example:ADV,org.example:ADV:ADLT"],
        &["", "=", "=1x", "=a,", "=,a", "=a,,b", "=a;b"],
    ),
    (
        MAIL,
        "MTRK",
        Extension::Mtrk,
        40,
        &["=fFzBQY1yD8BUa8e3E3Vx2g", "=fFzB+/aa:86400", "=a:999999999"],
        &["", "=", "=:1", "=a:", "=a:x", "=a:1234567890", "=a;1"],
    ),
    (
        MAIL,
        "SUBMITTER",
        Extension::Submitter,
        264,
        &["=joe@example.com", "=e+3Dmc2@example.com"],
        &["", "=", "=joe", "=<>", "=joe@"],
    ),
    (
        MAIL,
        "AUTH",
        Extension::Auth,
        500,
        &["=<>", "=+3C+3E", "=e+3Dmc2@example.com", "=user@example.com", "=+22a+20b+22@c.example"],
        &["", "=", "=<he+YYa>", "=notamailbox", "=a@b+0D+0ARCPT", "=<a@b>"],
    ),
    (
        MAIL,
        "HOLDFOR",
        Extension::FutureRelease,
        34,
        &["=1", "=999999999"],
        &["", "=", "=0", "=01", "=XYZ", "=1000000000", "=-1"],
    ),
    (
        MAIL,
        "HOLDUNTIL",
        Extension::FutureRelease,
        34,
        &["=2027-01-01T00:00:00Z", "=2027-01-01t00:00:00z"],
        &["", "=", "=12345", "=2027-01-01T00:00:00+01:00", "=2027-02-29T00:00:00Z"],
    ),
    (MAIL, "SMTPUTF8", Extension::SmtpUtf8, 10, &[""], &["=", "=YES"]),
    (MAIL, "CONPERM", Extension::ConPerm, 8, &[""], &["=", "=1"]),
    (RCPT, "CONNEG", Extension::ConNeg, 7, &[""], &["=", "=1"]),
    (
        MAIL,
        "MT-PRIORITY",
        Extension::MtPriority,
        15,
        &["=0", "=9", "=-9", "=3"],
        &["", "=", "=10", "=-", "=+3", "=-0", "=03"],
    ),
    (
        RCPT,
        "RRVS",
        Extension::Rrvs,
        33,
        &["=2014-04-03T23:01:00Z", "=2014-04-03T23:01:00-08:00;c", "=2014-04-03T23:01:00Z;R"],
        &[
            "",
            "=",
            "=ABC",
            "=2014-04-03T23:01:00.5Z",
            "=2014-04-03T23:01:00Z;X",
            "=2014-04-03T23:01:00Z;",
        ],
    ),
    (MAIL, "REQUIRETLS", Extension::RequireTls, 11, &[""], &["=", "=1"]),
    (
        MAIL,
        "ALT-ADDRESS",
        Extension::Utf8Smtp,
        460,
        &["=joe@example.com", "=a+2Bb@example.com"],
        &["", "=", "=joe", "=joe+20@example.com"],
    ),
    (RCPT, "ALT-ADDRESS", Extension::Utf8Smtp, 460, &["=joe@example.com"], &[""]),
    (MAIL, "PRDR", Extension::Prdr, 5, &[""], &["=", "=1"]),
];

#[test]
fn every_row_is_read_and_written() {
    for (command, keyword, extension, allowance, good, bad) in ROWS {
        for value in *good {
            let line = format!("{command} {keyword}{value}");
            let parameters = parameters(&line).unwrap();
            let list: Vec<_> = parameters.iter().collect();
            assert_eq!(list.len(), 1, "{line}");
            assert_eq!(list[0].keyword(), *keyword, "{line}");
            assert_eq!(list[0].extension(), Some(*extension), "{line}");
            assert_eq!(list[0].allowance(), *allowance, "{line}");
            assert_eq!(parameters.allowance(), *allowance, "{line}");
            assert!(parameters.extensions().eq([*extension]), "{line}");
            assert!(!matches!(list[0], Parameter::Other(_)), "{line}");
            assert_eq!(parameters.unknown(), None);
            assert_eq!(parameters, Parameters::new(&list).unwrap(), "{line}");
            let lower = format!("{command} {}{value}", keyword.to_lowercase());
            assert_eq!(parameters, self::parameters(&lower).unwrap());
        }
        for value in *bad {
            let line = format!("{command} {keyword}{value}");
            let error = parameters(&line).unwrap_err();
            assert_eq!(error.kind, Kind::ParameterValue, "{line}");
            assert_eq!(
                (error.code().number(), error.enhanced_code().to_string()),
                (501, "5.5.4".to_owned()),
                "{line}"
            );
            assert!(error.offset > command.len(), "{line}");
        }
    }
}

#[test]
fn a_parameter_stands_once() {
    for (command, keyword, _, _, good, _) in ROWS {
        let line = format!("{command} {keyword}{} X=1 {keyword}{}", good[0], good[good.len() - 1]);
        let error = parameters(&line).unwrap_err();
        assert_eq!(error.kind, Kind::DuplicateParameter, "{line}");
        assert_eq!(error.offset, line.rfind(keyword).unwrap(), "{line}");
    }
    let both = format!("{MAIL} HOLDFOR=1 HOLDUNTIL=2027-01-01T00:00:00Z");
    assert_eq!(parameters(&both).unwrap_err().kind, Kind::DuplicateParameter);
    let unknown = format!("{MAIL} X=1 X=1 X");
    assert_eq!(parameters(&unknown).unwrap().iter().count(), 3);
}

#[test]
fn a_parameter_stands_on_its_own_command() {
    for (command, keyword, _, _, good, _) in ROWS {
        if *keyword == "ALT-ADDRESS" {
            continue;
        }
        let other = if *command == MAIL { RCPT } else { MAIL };
        let line = format!("{other} {keyword}{}", good[0]);
        let error = parameters(&line).unwrap_err();
        assert_eq!(error.kind, Kind::MisplacedParameter, "{line}");
        assert_eq!(error.code().number(), 555);
        let line = format!("{command} {keyword}{}", good[0]);
        let list: Vec<_> = parameters(&line).unwrap().iter().collect();
        let places = (Parameters::mail(&list).is_ok(), Parameters::rcpt(&list).is_ok());
        assert_eq!(places, (*command == MAIL, *command == RCPT), "{line}");
    }
}

#[test]
fn a_keyword_is_the_whole_word() {
    for (command, keyword, ..) in ROWS {
        for line in [
            format!("{command} {keyword}X=1"),
            format!("{command} {keyword}-=1"),
            format!("{command} X{keyword}=1"),
            format!("{command} {}=1", &keyword[..keyword.len() - 1]),
            format!("{command} {keyword}{keyword}"),
        ] {
            let parameters = parameters(&line).unwrap();
            assert!(matches!(parameters.unknown(), Some(Parameter::Other(_))), "{line}");
            assert_eq!(parameters.extensions().count(), 0, "{line}");
        }
        let line = format!("{command} {keyword}_=1");
        assert!(parameters(&line).is_err(), "{line}");
    }
}

#[test]
fn unknown_ones_reach_the_caller() {
    let line = format!("{MAIL} X-COLOUR=blue FOO BAR=a;b,c");
    let parameters = parameters(&line).unwrap();
    let seen: Vec<_> = parameters
        .iter()
        .map(|parameter| match parameter {
            Parameter::Other(other) => (other.keyword(), other.value()),
            known => panic!("{known:?}"),
        })
        .collect();
    assert_eq!(seen, [("X-COLOUR", Some("blue")), ("FOO", None), ("BAR", Some("a;b,c"))]);
    for (bad, kind) in [
        ("FOO=", Kind::ParameterValue),
        ("FOO=a=b", Kind::ParameterValue),
        ("FOO=é", Kind::NonAscii),
        ("-FOO", Kind::Parameter),
        ("=1", Kind::Parameter),
        ("F_O=1", Kind::Parameter),
        (" FOO", Kind::Parameter),
        ("FOO  BAR", Kind::Parameter),
        ("FOO\tBAR", Kind::Parameter),
    ] {
        let line = format!("{MAIL} {bad}");
        assert_eq!(self::parameters(&line).unwrap_err().kind, kind, "{line}");
    }
}

#[test]
fn typed_lookups() {
    let line = format!("{MAIL} RET=HDRS SIZE=12 X=1 BODY=BINARYMIME SMTPUTF8 REQUIRETLS");
    let parameters = parameters(&line).unwrap();
    assert_eq!(parameters.size(), Some(12));
    assert_eq!(parameters.body(), Some(Body::BinaryMime));
    assert!(parameters.smtputf8() && parameters.requiretls() && !parameters.is_empty());
    let over = format!("{MAIL} SIZE=99999999999999999999");
    assert_eq!(self::parameters(&over).unwrap().size(), Some(u64::MAX));
    let none = self::parameters(MAIL).unwrap();
    assert!(none.is_empty() && none.size().is_none() && none.body().is_none());
    assert_eq!(none, Parameters::NONE);
}

#[test]
fn notify_is_a_set() {
    let notify = |line: &str| match parameters(line).unwrap().iter().next() {
        Some(Parameter::Notify(notify)) => notify,
        other => panic!("{other:?}"),
    };
    assert_eq!(notify(&format!("{RCPT} NOTIFY=NEVER")), Notify::NEVER);
    let both = notify(&format!("{RCPT} NOTIFY=DELAY,SUCCESS"));
    assert_eq!(both, Notify::SUCCESS | Notify::DELAY);
    assert_eq!(Parameter::Notify(both).to_string(), "NOTIFY=SUCCESS,DELAY");
}

#[test]
fn limits_of_values() {
    let envid = |n: usize| parameters(&format!("{MAIL} ENVID={}", "x".repeat(n))).map(drop);
    assert!(envid(100).is_ok());
    assert_eq!(envid(101).unwrap_err().kind, Kind::ParameterValue);
    let orcpt = |n: usize| parameters(&format!("{RCPT} ORCPT=rfc822;{}", "x".repeat(n))).map(drop);
    assert!(orcpt(493).is_ok());
    assert_eq!(orcpt(494).unwrap_err().kind, Kind::ParameterValue);
    let solicit = |n: usize| parameters(&format!("{MAIL} SOLICIT={}", "x".repeat(n))).map(drop);
    assert!(solicit(1000).is_ok());
    assert_eq!(solicit(1001).unwrap_err().kind, Kind::ParameterValue);
    let trans_id =
        |n: usize| parameters(&format!("{MAIL} TRANSID=<{}@b>", "x".repeat(n))).map(drop);
    assert!(trans_id(76).is_ok());
    assert_eq!(trans_id(77).unwrap_err().kind, Kind::ParameterValue);
    // A local part has 64 bytes at most, and so has one that is encoded.
    let auth = |n: usize| parameters(&format!("{MAIL} AUTH={}@b", "+2B".repeat(n))).map(drop);
    assert!(auth(64).is_ok());
    assert_eq!(auth(65).unwrap_err().kind, Kind::ParameterValue);
}

#[test]
fn an_unencoded_mailbox_is_encoded_as_it_is_written() {
    let mailbox = ehlo::syntax::parameter::XtextMailbox::new("e=mc2+x@example.com").unwrap();
    let list = [Parameter::Auth(ehlo::syntax::parameter::AuthIdentity::Mailbox(mailbox))];
    let parameters = Parameters::mail(&list).unwrap();
    assert_eq!(parameters.to_string(), "AUTH=e+3Dmc2+2Bx@example.com");
    let mut room = [0; 254];
    assert_eq!(mailbox.decode(&mut room), Some(Mailbox::new("e=mc2+x@example.com").unwrap()));
}

#[test]
fn utf8_values_need_the_policy_and_the_parameter() {
    let policy = Policy::STRICT.with_smtputf8(true);
    let orcpt = "RCPT TO:<a@b.example> ORCPT=utf-8;pelé@example.com";
    assert!(Command::parse_line(orcpt.as_bytes(), &policy).is_ok());
    assert!(Command::parse_line(orcpt.as_bytes(), &Policy::STRICT).is_err());
    let other = "MAIL FROM:<a@b.example> X=é";
    let error = Command::parse_line(other.as_bytes(), &policy).unwrap_err();
    assert_eq!(error.kind, Kind::SenderNeedsSmtpUtf8);
    let other = "MAIL FROM:<a@b.example> X=é SMTPUTF8";
    assert!(Command::parse_line(other.as_bytes(), &policy).is_ok());
}

#[test]
fn thousands_of_parameters_are_refused_as_one_line() {
    let line = format!("{MAIL}{}\r\n", " X=1".repeat(5000));
    let error = Command::parse(line.as_bytes(), &Policy::STRICT).unwrap_err();
    assert_eq!(error.kind, Kind::LineTooLong);
    let list: Vec<_> = (0..5000)
        .map(|_| {
            Parameter::Other(ehlo::syntax::parameter::OtherParameter::new("X", Some("1")).unwrap())
        })
        .collect();
    let parameters = Parameters::mail(&list).unwrap();
    assert_eq!(parameters.iter().count(), 5000);
    for command in [
        Command::Mail { reverse_path: ReversePath::Null, parameters },
        Command::Rcpt { forward_path: ForwardPath::Postmaster, parameters },
    ] {
        let mut written = vec![0; command.max_len()];
        let length = command.encode(&mut written).unwrap();
        let error = Command::parse(&written[..length], &Policy::STRICT).unwrap_err();
        assert_eq!(error.kind, Kind::LineTooLong);
    }
}

fn parameters(line: &str) -> Result<Parameters<'_>, SyntaxError> {
    let wire = format!("{line}\r\n");
    let whole = Command::parse(wire.as_bytes(), &Policy::STRICT).map(|parsed| match parsed {
        Parsed::Complete { value, consumed } => {
            assert_eq!(consumed, wire.len());
            format!("{value:?}")
        }
        Parsed::Incomplete => panic!("{line}"),
    });
    let result = Command::parse_line(line.as_bytes(), &Policy::STRICT);
    assert_eq!(whole, result.map(|command| format!("{command:?}")));
    match result? {
        Command::Mail { parameters, .. } | Command::Rcpt { parameters, .. } => Ok(parameters),
        other => panic!("{other:?}"),
    }
}

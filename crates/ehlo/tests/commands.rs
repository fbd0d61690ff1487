//! What a command line may be, what is wrong with one, and where.
#![allow(clippy::unwrap_used)] // a test fails by panicking
#![allow(clippy::trivially_copy_pass_by_ref)] // as in the crate itself

use ehlo::syntax::SyntaxErrorKind as Kind;
use ehlo::syntax::code::EnhancedCode;
use ehlo::syntax::command::Verb;
use ehlo::syntax::command::{
    AbsoluteUri, DomainList, EtrnNode, Mechanism, OtherVerb, SmtpString, UserOrList,
};
use ehlo::syntax::parameter::Xtext;
use ehlo::syntax::path::{
    AddressLiteral, ClientName, Domain, LocalPart, Mailbox, Path, SourceRoute, Text,
};
use ehlo::syntax::sasl::SaslData;
use ehlo::{Command, Encode, Extension, ForwardPath, Parsed, Policy, ReversePath, SyntaxError};

const STRICT: &Policy = &Policy::STRICT;

fn line<'l>(line: &'l str, policy: &Policy) -> Result<Command<'l>, SyntaxError> {
    Command::parse_line(line.as_bytes(), policy)
}

/// Kind, offset and code of what is wrong with a line.
fn wrong(text: &str, policy: &Policy) -> (Kind, usize, u16) {
    let error = line(text, policy).unwrap_err();
    (error.kind, error.offset, error.code().number())
}

#[test]
fn errors_say_what_where_and_which_reply() {
    for (text, expected) in [
        ("", (Kind::UnknownVerb, 0, 500)),
        (" NOOP", (Kind::UnknownVerb, 0, 500)),
        ("SEND FROM:<a@b.example>", (Kind::ObsoleteVerb, 0, 502)),
        ("EHLO", (Kind::MissingArgument, 4, 501)),
        ("EHLO foo_bar", (Kind::Domain, 8, 501)),
        ("EHLO foo bar", (Kind::Domain, 8, 501)),
        ("EHLO a..b", (Kind::Domain, 7, 501)),
        ("EHLO [1.2.3]", (Kind::AddressLiteral, 6, 501)),
        ("EHLO bücher.example", (Kind::NonAscii, 6, 500)),
        ("HELO [192.0.2.1]", (Kind::Domain, 5, 501)),
        ("RSET now", (Kind::UnexpectedArgument, 4, 501)),
        ("MAIL", (Kind::MissingArgument, 4, 501)),
        ("MAIL TO:<a@b>", (Kind::Argument, 4, 501)),
        ("MAIL\tFROM:<a@b>", (Kind::Argument, 4, 501)),
        ("MAIL FROM:", (Kind::MissingArgument, 10, 501)),
        ("MAIL FROM: <a@b>", (Kind::Path, 10, 501)),
        ("MAIL FROM:<a@b", (Kind::Path, 14, 501)),
        ("MAIL FROM:<a@b>x", (Kind::Parameter, 15, 501)),
        ("MAIL FROM:<a..b@c>", (Kind::LocalPart, 13, 501)),
        ("MAIL FROM:<a b@c>", (Kind::Path, 12, 501)),
        ("MAIL FROM:<\"a@c>", (Kind::LocalPart, 16, 501)),
        ("MAIL FROM:<a@b_c>", (Kind::Domain, 14, 501)),
        ("MAIL FROM:<a@b> SIZE=x", (Kind::ParameterValue, 21, 501)),
        ("MAIL FROM:<a@b> NOTIFY=NEVER", (Kind::MisplacedParameter, 16, 555)),
        ("MAIL FROM:<ü@b>", (Kind::SenderNeedsSmtpUtf8, 11, 550)),
        ("MAIL FROM:<a@ü>", (Kind::SenderNeedsSmtpUtf8, 13, 550)),
        ("RCPT TO:", (Kind::MissingArgument, 8, 501)),
        ("RCPT TO:<>", (Kind::LocalPart, 9, 501)),
        ("RCPT TO:<ü@b>", (Kind::NeedsSmtpUtf8, 9, 553)),
        ("RCPT TO:<\"ü\"@b>", (Kind::NeedsSmtpUtf8, 10, 553)),
        ("BDAT", (Kind::MissingArgument, 4, 501)),
        ("BDAT x", (Kind::ChunkSize, 5, 501)),
        ("BDAT 18446744073709551616", (Kind::ChunkSize, 5, 501)),
        ("BDAT 10 LST", (Kind::UnexpectedArgument, 7, 501)),
        ("AUTH", (Kind::MissingArgument, 4, 501)),
        ("AUTH !!", (Kind::Mechanism, 5, 504)),
        ("AUTH PLAIN *", (Kind::Base64, 11, 501)),
        ("AUTH PLAIN AAAA BBBB", (Kind::Base64, 15, 501)),
        ("VRFY ü", (Kind::NeedsSmtpUtf8, 5, 553)),
        ("HELP MAIL FROM", (Kind::UnexpectedArgument, 9, 501)),
        ("ETRN", (Kind::MissingArgument, 4, 501)),
        ("ATRN example", (Kind::Domain, 5, 501)),
        ("BURL /x", (Kind::Argument, 5, 501)),
        ("XCLIENT IDENT=1", (Kind::Argument, 8, 501)),
        ("XFORWARD LOGIN=1", (Kind::Argument, 9, 501)),
    ] {
        assert_eq!(wrong(text, STRICT), expected, "{text}");
    }
    let needs = line("RCPT TO:<ü@b>", STRICT).unwrap_err();
    assert_eq!(Some(needs.enhanced_code()), EnhancedCode::new(5, 6, 7));
}

#[test]
fn control_bytes_and_bare_ends_of_line_come_first() {
    for (input, expected) in [
        (&b"NOOP\n"[..], (Kind::BareLf, 4)),
        (b"NOOP foo\nRSET\r\n", (Kind::BareLf, 8)),
        (b"NOOP foo\rbar\r\n", (Kind::BareCr, 8)),
        (b"NOOP\r\r\n", (Kind::BareCr, 4)),
        (b"NOOP\0\r\n", (Kind::Control, 4)),
        (b"XYZZY \x1b\r\n", (Kind::Control, 6)),
        (b"MAIL FROM:<\"a\rb\"@c>\r\n", (Kind::BareCr, 13)),
        (b"MAIL FROM:<a\0b@c>\r\n", (Kind::Control, 12)),
        (b"MAIL FROM:<a\x7fb@c>\r\n", (Kind::Control, 12)),
        (b"\x80FAIL\r\n", (Kind::NonAscii, 0)),
        (b"RCPT TO:<\xff@c>\r\n", (Kind::NonAscii, 9)),
    ] {
        let error = Command::parse(input, STRICT).unwrap_err();
        assert_eq!((error.kind, error.offset), expected, "{input:?}");
    }
}

#[test]
fn a_line_has_512_bytes_and_what_its_parameters_add() {
    let padded =
        |text: &str, length: usize| format!("{text}{}\r\n", "x".repeat(length - text.len() - 2));
    let verdict = |text: &str| match Command::parse(text.as_bytes(), STRICT) {
        Ok(Parsed::Complete { .. }) => Ok(()),
        Ok(Parsed::Incomplete) => panic!("{text}"),
        Err(error) => Err((error.kind, error.offset)),
    };
    let unknown = "MAIL FROM:<a@b.example> X=";
    assert_eq!(verdict(&padded(unknown, 512)), Ok(()));
    assert_eq!(verdict(&padded(unknown, 513)), Err((Kind::LineTooLong, 510)));
    let sized = "MAIL FROM:<a@b.example> SIZE=1 X=";
    assert_eq!(verdict(&padded(sized, 512 + 26)), Ok(()));
    assert_eq!(verdict(&padded(sized, 513 + 26)), Err((Kind::LineTooLong, 536)));
    assert_eq!(verdict(&padded("NOOP ", 505)), Ok(()));
    assert_eq!(verdict(&padded("NOOP ", 513)), Err((Kind::LineTooLong, 510)));
    assert_eq!(verdict(&padded("MAIL FROM:<a@b> SOLICIT=", 1024)), Ok(()));
    // No parameter may add more: 2,651 bytes are those of MAIL together.
    assert_eq!(verdict(&padded("MAIL FROM:<a@b> X=", 70_000)), Err((Kind::LineTooLong, 3161)));
    let auth = |n: usize| format!("AUTH PLAIN {}\r\n", "A".repeat(n));
    assert_eq!(verdict(&auth(12_272)), Ok(()));
    assert_eq!(verdict(&auth(12_276)), Err((Kind::LineTooLong, 12_286)));
    let spaces = format!("NOOP{}\r\n", " ".repeat(507));
    assert_eq!(verdict(&spaces), Err((Kind::LineTooLong, 510)));
    let endless = vec![b'x'; 12_289];
    assert_eq!(Command::parse(&endless[..12_288], STRICT), Ok(Parsed::Incomplete));
    assert_eq!(Command::parse(&endless, STRICT).unwrap_err().kind, Kind::LineTooLong);
}

#[test]
fn lengths_of_paths() {
    let kind = |text: &str| {
        ForwardPath::parse(text.as_bytes(), STRICT).map(drop).map_err(|error| error.kind)
    };
    let local = |n: usize| format!("<{}@example.com>", "a".repeat(n));
    assert!(kind(&local(64)).is_ok());
    assert_eq!(kind(&local(65)), Err(Kind::LocalPartTooLong));
    let quoted = |n: usize| format!("<\"{}\"@example.com>", "a".repeat(n));
    assert!(kind(&quoted(62)).is_ok());
    assert_eq!(kind(&quoted(63)), Err(Kind::LocalPartTooLong));
    let label = |n: usize| format!("<a@{}.example>", "b".repeat(n));
    assert!(kind(&label(63)).is_ok());
    assert_eq!(kind(&label(64)), Err(Kind::DomainTooLong));
    let last = |n: usize| format!("<a@{}>", "b".repeat(n));
    assert!(kind(&last(63)).is_ok());
    assert_eq!(kind(&last(64)), Err(Kind::DomainTooLong));
    let name = |n: usize| "b.".repeat(n / 2 - 1) + &"b".repeat(n - n / 2 * 2 + 2);
    let domain = |n: usize| Domain::new(&name(n)).map(drop).map_err(|error| error.kind);
    assert_eq!(name(255).len(), 255);
    assert_eq!((domain(255), domain(256)), (Ok(()), Err(Kind::DomainTooLong)));
    let path = |n: usize| format!("<a@{}>", name(n - 4));
    assert!(kind(&path(256)).is_ok());
    assert_eq!(kind(&path(257)), Err(Kind::PathTooLong));
    let mailbox = |n: usize| Mailbox::new(&format!("a@{}", name(n - 2))).map(drop);
    assert!(mailbox(254).is_ok());
    assert_eq!(mailbox(255).unwrap_err().kind, Kind::PathTooLong);
    // Written again, the address would be longer than it was.
    let literal = |n: usize| format!("<@{}:a@[IPv6:::ffff:ffff:ffff]>", name(n));
    let length = literal(30).len() - 30;
    assert!(kind(&literal(256 - 6 - length)).is_ok());
    assert_eq!(kind(&literal(257 - 6 - length)), Err(Kind::PathTooLong));
}

#[test]
fn each_leniency_is_its_own() {
    for (i, (set, texts)) in LENIENCIES.iter().enumerate() {
        let policy = &set(Policy::STRICT);
        for text in *texts {
            assert!(line(text, policy).is_ok(), "{text}: {:?}", line(text, policy));
            assert!(line(text, &Policy::LENIENT).is_ok(), "{text}");
            assert!(line(text, STRICT).is_err(), "{text}");
            for (j, (other, _)) in LENIENCIES.iter().enumerate() {
                let other = &other(Policy::STRICT);
                assert_eq!(line(text, other).is_ok(), i == j, "{text}: {other:?}");
            }
        }
    }
}

/// Each leniency, and lines that no other reads.
const LENIENCIES: &[Leniency] = &[
    (
        |policy| policy.with_space_after_colon(true),
        &["MAIL FROM: <a@b>", "MAIL FROM:   <> SIZE=1", "RCPT TO: <a@b>", "RCPT TO: <Postmaster>"],
    ),
    (
        |policy| policy.with_missing_brackets(true),
        &["MAIL FROM:a@b", "MAIL FROM:a@b SIZE=1", "RCPT TO:a@[192.0.2.1]", "RCPT TO:postmaster"],
    ),
    (
        |policy| policy.with_underscore_in_domain(true),
        &["MAIL FROM:<a@b_c.example>", "RCPT TO:<@_a:b@_c>"],
    ),
    (
        |policy| policy.with_any_client_name(true),
        &[
            "EHLO -foo",
            "EHLO foo.",
            "EHLO [192.0.2.1] text",
            "HELO [192.0.2.1]",
            "HELO !!",
            "LHLO [x]",
        ],
    ),
    (|policy| policy.with_brackets_in_vrfy(true), &["VRFY <a@b>", "EXPN <list>"]),
    (
        |policy| policy.with_smtputf8(true),
        &["RCPT TO:<ü@bücher.example>", "MAIL FROM:<ü@b> SMTPUTF8", "VRFY ü SMTPUTF8"],
    ),
    (
        |policy| policy.with_extra_white_space(true),
        &[
            "MAIL  FROM:<a@b>",
            "MAIL\tFROM:<a@b>",
            "MAIL FROM :<a@b>",
            "RCPT \t TO\t:<a@b>",
            "MAIL FROM:<a@b>  SIZE=1",
            "MAIL FROM:<a@b>\tSIZE=1",
            "MAIL FROM:<> \tSIZE=1 \t BODY=8BITMIME",
            "MAIL FROM:<a@b> REQUIRETLS\tSIZE=1",
            "MAIL FROM:<a@b> X-Y\tX-Z=1  X-Z X",
            "MAIL FROM:<a@b> AUTH=c@d\tBODY=7BIT",
            "RCPT TO:<a@b>  NOTIFY=NEVER",
            "RCPT TO:<Postmaster>\tORCPT=rfc822;a@b",
            "BDAT  10",
            "BDAT 10  LAST",
            "BDAT\t10\tLAST",
            "AUTH  PLAIN",
            "AUTH PLAIN  AGEAYg==",
            "AUTH\tPLAIN\tAGEAYg==",
            "AUTH PLAIN  =",
            "HELO \tfoo",
            "LHLO\t[192.0.2.1]",
            "VRFY  a",
            "VRFY a  SMTPUTF8",
            "EXPN\ta",
            "HELP  a",
            "NOOP\ta",
            "ETRN  a.b",
            "ATRN  a.b",
            "BURL  imap://a/b  LAST",
            "XCLIENT  NAME=a  ADDR=b",
            "XFORWARD\tNAME=a\tSOURCE=LOCAL",
        ],
    ),
    (
        |policy| policy.with_doubled_brackets(true),
        &[
            "MAIL FROM:<<a@b>>",
            "MAIL FROM:<<>>",
            "RCPT TO:<<a@b>> NOTIFY=NEVER",
            "RCPT TO:<<@c:a@b>>",
            "RCPT TO:<<postmaster>>",
        ],
    ),
    (
        |policy| policy.with_missing_domain(true),
        &[
            "RCPT TO:<user>",
            "RCPT TO:<user> NOTIFY=NEVER",
            "RCPT TO:<\"a user\">",
            "MAIL FROM:<root>",
            "MAIL FROM:<root> SIZE=1",
        ],
    ),
    (
        |policy| policy.with_any_dots(true),
        &[
            "MAIL FROM:<a..b@d>",
            "MAIL FROM:<a.@d>",
            "MAIL FROM:<.a@d>",
            "RCPT TO:<a...b..@d>",
            "RCPT TO:<@c:a.@d>",
            "VRFY a..b@d",
        ],
    ),
    (
        |policy| policy.with_trailing_dot(true),
        &["MAIL FROM:<a@b.example.>", "RCPT TO:<@c:a@b.>", "VRFY a@b.", "ETRN b.example."],
    ),
    (
        |policy| policy.with_any_length(true),
        &[
            concat!(
                "MAIL FROM:<gmailuser+caf_=website_8b506e99-aaaa-4bbb-8ccc-1234567890ab",
                "=mail.jam.example@gmail.example>"
            ),
            concat!(
                "RCPT TO:<\"aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa",
                "\"@example.com>"
            ),
            concat!(
                "MAIL FROM:<a@b> AUTH=aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa",
                "aaaaaaaaaa+2B@example.com"
            ),
            "VRFY aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa",
        ],
    ),
];

type Leniency = (fn(Policy) -> Policy, &'static [&'static str]);

#[test]
fn lenient_readings() {
    let lenient = &Policy::LENIENT;
    let name = line("EHLO  foo ", lenient).unwrap();
    assert_eq!(name, Command::Ehlo(ClientName::new("foo").unwrap()));
    let Command::Ehlo(ClientName::Irregular(text)) =
        line("EHLO [1.2.3.4] my client", lenient).unwrap()
    else {
        panic!("it is irregular")
    };
    assert_eq!(text.as_str(), "[1.2.3.4] my client");
    assert_eq!(line("MAIL FROM: a@b", lenient), line("MAIL FROM:<a@b>", STRICT));
    assert_eq!(line("VRFY <a@b>", lenient), line("VRFY a@b", STRICT));
    assert_eq!(line("MAIL  FROM :\t <<a@b.>>", lenient), line("MAIL FROM:<a@b>", STRICT));
    assert_eq!(line("MAIL FROM:<<>>", lenient), line("MAIL FROM:<>", STRICT));
    let Command::Rcpt { forward_path, .. } = line("RCPT TO:<<user>>", lenient).unwrap() else {
        panic!("it is RCPT")
    };
    assert_eq!(forward_path, ForwardPath::Local(LocalPart::new("user").unwrap()));
    assert_eq!((forward_path.domain(), forward_path.to_string()), (None, "<user>".to_owned()));
    let Command::Mail { reverse_path, .. } = line("MAIL FROM:<ü..b@d> SMTPUTF8", lenient).unwrap()
    else {
        panic!("it is MAIL")
    };
    assert_eq!(reverse_path.local_part().unwrap().as_str(), "ü..b");
    assert_eq!(
        line("RCPT\tTO: a@b\t NOTIFY=NEVER \tRRVS=2014-04-03T23:01:00Z \t", lenient),
        line("RCPT TO:<a@b> NOTIFY=NEVER RRVS=2014-04-03T23:01:00Z", STRICT)
    );
    assert_eq!(line("AUTH\tplain  =", lenient), line("AUTH PLAIN =", STRICT));
    assert_eq!(line("BDAT \t10 \tlast", lenient), line("BDAT 10 LAST", STRICT));
    // No policy lets these pass.
    for text in [
        "MAIL FROM:<a@b",
        "MAIL FROM:a@b>",
        "MAIL FROM:a b@c",
        "RCPT TO:<>",
        "RCPT TO:",
        "MAIL FROM:",
        "EHLO",
        "EHLO bücher.example",
        "MAIL FROM:<a@b> SIZE=",
        "RSET x",
        "MAIL FROM:<a @b>",
        "MAIL FROM:< a@b>",
        "MAIL FROM:<a@b >",
        "MAIL FROM:<a@b>SIZE=1",
        "MAIL FROM: SIZE=1",
        "MAIL FROM:<<a@b>",
        "MAIL FROM:<a@b>>",
        "MAIL FROM:<<<a@b>>>",
        "RCPT TO:<<>>",
        "MAIL FROM:<..@d>",
        "MAIL FROM:<@d>",
        "MAIL FROM:<a@.>",
        "MAIL FROM:<a@b..>",
        "MAIL FROM:<a@[192.0.2.1].>",
        "MAIL FROM:<@c.:a@b>",
        "RCPT TO:user",
        "AUTH PLAIN AA AA",
        "BDAT 1 0",
    ] {
        assert!(line(text, lenient).is_err(), "{text}");
    }
}

#[test]
fn smtputf8_is_asked_for_by_its_parameter() {
    let policy = &Policy::STRICT.with_smtputf8(true);
    assert_eq!(wrong("MAIL FROM:<ü@b>", policy), (Kind::SenderNeedsSmtpUtf8, 10, 550));
    assert!(line("MAIL FROM:<ü@b> SMTPUTF8", policy).is_ok());
    assert_eq!(wrong("VRFY ü", policy).0, Kind::NeedsSmtpUtf8);
    assert!(line("EXPN staff SMTPUTF8", STRICT).is_ok());
    let path = ReversePath::new("<ü@b>").unwrap();
    assert!(!path.is_ascii() && !path.path().unwrap().mailbox().local_part().is_ascii());
    for host in ["ex\u{3002}ample", "a\u{200b}b", "\u{1F600}", "ａ", "-ü", "ü-", "ü..b", "\u{a0}"]
    {
        assert!(Domain::new(host).is_err(), "{host}");
    }
    for host in ["bücher", "例え.テスト", "한국", "संगठन", "क्‍ष", "ß.ελ", "l·l"]
    {
        assert!(Domain::new(host).is_ok(), "{host}");
    }
}

#[test]
fn postmaster_needs_no_domain() {
    for text in ["RCPT TO:<Postmaster>", "rcpt to:<pOSTMASTER>"] {
        let Command::Rcpt { forward_path, .. } = line(text, STRICT).unwrap() else { panic!() };
        assert_eq!(forward_path, ForwardPath::Postmaster);
        assert_eq!(forward_path.to_string(), "<Postmaster>");
    }
    let path = ForwardPath::new("<Postmaster@b.example>").unwrap();
    assert!(path.path().is_some());
    assert!(ForwardPath::parse(b"Postmaster", STRICT).is_err());
    assert!(ReversePath::parse(b"<Postmaster>", STRICT).is_err());
    assert_eq!(ReversePath::new("").unwrap(), ReversePath::Null);
}

#[test]
fn verbs_and_what_licenses_them() {
    for (text, verb, extension) in [
        ("EHLO a", Verb::Ehlo, None),
        ("HELO a", Verb::Helo, None),
        ("LHLO a", Verb::Lhlo, None),
        ("MAIL FROM:<>", Verb::Mail, None),
        ("RCPT TO:<a@b>", Verb::Rcpt, None),
        ("DATA", Verb::Data, None),
        ("BDAT 1", Verb::Bdat, Some(Extension::Chunking)),
        ("BDAT 1 LAST", Verb::BdatLast, Some(Extension::Chunking)),
        ("RSET", Verb::Rset, None),
        ("VRFY a", Verb::Vrfy, None),
        ("EXPN a", Verb::Expn, None),
        ("HELP", Verb::Help, None),
        ("NOOP", Verb::Noop, None),
        ("QUIT", Verb::Quit, None),
        ("STARTTLS", Verb::StartTls, Some(Extension::StartTls)),
        ("AUTH PLAIN =", Verb::Auth, Some(Extension::Auth)),
        ("ETRN #x", Verb::Etrn, Some(Extension::Etrn)),
        ("ATRN", Verb::Atrn, Some(Extension::Atrn)),
        ("ATRN a.b,c.d", Verb::Atrn, Some(Extension::Atrn)),
        ("BURL imap://a/b", Verb::Burl, Some(Extension::Burl)),
        ("BURL imap://a/b last", Verb::BurlLast, Some(Extension::Burl)),
        ("XCLIENT NAME=[UNAVAILABLE]", Verb::Xclient, Some(Extension::Xclient)),
        ("XFORWARD NAME=a+20b ADDR=192.0.2.1", Verb::Xforward, Some(Extension::Xforward)),
        ("TURN", Verb::Turn, Some(Extension::Turn)),
        ("XYZZY and more", Verb::Other, None),
        ("MAILFROM:<a@b>", Verb::Other, None),
        ("STARTTLSX", Verb::Other, None),
        ("DATA_", Verb::Other, None),
    ] {
        let command = line(text, STRICT).unwrap();
        assert_eq!((command.verb(), command.extension()), (verb, extension), "{text}");
        if verb != Verb::Other {
            assert_eq!(line(&text.to_lowercase(), STRICT).unwrap().verb(), verb, "{text}");
            let verb = text.split(' ').next().unwrap();
            assert!(OtherVerb::new(verb).is_err(), "{text}");
        }
    }
    for verb in ["SEND", "soml", "Saml"] {
        assert_eq!(wrong(verb, STRICT), (Kind::ObsoleteVerb, 0, 502));
        assert_eq!(OtherVerb::new(verb).unwrap_err().kind, Kind::ObsoleteVerb);
    }
}

#[test]
fn secrets_stay_out_of_debug() {
    let command = line("AUTH PLAIN AHRlc3QAc2VjcmV0", STRICT).unwrap();
    let shown = format!("{command:?}");
    assert!(shown.contains("redacted") && !shown.contains("AHRl"), "{shown}");
    let Command::Auth { initial_response: Some(response), .. } = command else { panic!() };
    let mut room = [0; 64];
    let length = response.decode(&mut room).unwrap();
    assert_eq!(&room[..length], b"\0test\0secret");
    assert!(response.decode(&mut [0; 3]).is_err());
    assert!(!format!("{:?}", SaslData::new(b"secret")).contains("secret"));
}

#[test]
fn nothing_brings_an_end_of_line_onto_the_wire() {
    for bad in ["\r\n", "\r", "\n", "\0", "\r\nRSET", "\u{10a}\n"] {
        let text = format!("a{bad}b");
        let quoted = format!("\"{text}\"");
        assert!(Domain::new(&text).is_err());
        assert!(LocalPart::new(&text).is_err() && LocalPart::new(&quoted).is_err());
        assert!(Mailbox::new(&format!("{text}@c")).is_err());
        assert!(Mailbox::new(&format!("{quoted}@c")).is_err());
        assert!(Mailbox::new(&format!("c@d{bad}")).is_err());
        assert!(Path::new(&format!("<c@d>{bad}")).is_err());
        assert!(ReversePath::new(&format!("<c@{text}>")).is_err());
        assert!(ForwardPath::new(&format!("{text}@c")).is_err());
        assert!(ForwardPath::new(&format!("<Postmaster>{bad}")).is_err());
        assert!(SourceRoute::new(&format!("@{text}")).is_err());
        assert!(AddressLiteral::new(&format!("[x:{text}]")).is_err());
        assert!(ClientName::new(&text).is_err());
        assert!(Text::new(&text).is_err() && Text::new(bad).is_err());
        assert!(SmtpString::new(&text).is_err() && SmtpString::new(&quoted).is_err());
        assert!(UserOrList::new(&text).is_err());
        assert!(Mechanism::new(&text).is_err());
        assert!(SaslData::parse(format!("AAAA{bad}").as_bytes()).is_err());
        assert!(EtrnNode::new(&text).is_err() && EtrnNode::new(&format!("#{text}")).is_err());
        assert!(DomainList::new(&format!("c.d,{text}")).is_err());
        assert!(AbsoluteUri::new(&format!("imap://{text}")).is_err());
        assert!(OtherVerb::new(&text).is_err());
        assert!(Xtext::new(&text).is_err() && Xtext::from_encoded(&text).is_err());
        assert!(
            ehlo::syntax::parameter::Envid::new(&text).is_err()
                && ehlo::syntax::parameter::Orcpt::new("rfc822", &text).is_err()
        );
        assert!(ehlo::syntax::parameter::Orcpt::new(&text, "x").is_err());
        assert!(
            ehlo::syntax::parameter::Solicit::new(&text).is_err()
                && ehlo::syntax::parameter::Mtrk::new(&text, None).is_err()
        );
        assert!(ehlo::syntax::parameter::TransId::new(&format!("<a@{text}>")).is_err());
        assert!(
            ehlo::syntax::parameter::DateTime::new(&format!("2027-01-01T00:00:00Z{bad}")).is_err()
        );
        assert!(ehlo::syntax::parameter::XtextMailbox::new(&format!("c@{text}")).is_err());
        assert!(ehlo::syntax::parameter::OtherParameter::new(&text, None).is_err());
        assert!(ehlo::syntax::parameter::OtherParameter::new("X", Some(&text)).is_err());
    }
}

#[test]
fn addresses_are_written_in_one_form() {
    for (text, canonical) in [
        ("[001.02.3.004]", "[1.2.3.4]"),
        ("[ipv6:0:0:0:0:0:0:0:1]", "[IPv6:::1]"),
        ("[IPv6:2001:DB8:0:0:1:0:0:1]", "[IPv6:2001:db8::1:0:0:1]"),
        ("[IPv6:1:0:2:3:4:5:6:7]", "[IPv6:1:0:2:3:4:5:6:7]"),
        ("[IPv6:::ffff:1.2.3.4]", "[IPv6:::ffff:1.2.3.4]"),
        ("[IPv6:::FFFF:102:304]", "[IPv6:::ffff:1.2.3.4]"),
        ("[IPv6:::]", "[IPv6:::]"),
        ("[IPv6:1:2:3:4:5:6::]", "[IPv6:1:2:3:4:5:6::]"),
        ("[IPv6:::3:4:5:6:7:8]", "[IPv6:::3:4:5:6:7:8]"),
        ("[X-foo:bar!baz]", "[X-foo:bar!baz]"),
    ] {
        let literal = AddressLiteral::new(text).unwrap();
        assert_eq!(literal.to_string(), canonical);
        assert_eq!(AddressLiteral::new(canonical), Ok(literal));
    }
    assert_eq!(AddressLiteral::new("[x-A:b]"), AddressLiteral::new("[X-a:b]"));
    assert_ne!(AddressLiteral::new("[x-a:b]"), AddressLiteral::new("[x-a:B]"));
    let mailbox = Mailbox::new("a@[IPv6:0:0:0:0:0:0:0:1]").unwrap();
    assert_eq!(mailbox, Mailbox::new("a@[IPv6:::1]").unwrap());
    assert_ne!(mailbox, Mailbox::new("A@[IPv6:::1]").unwrap());
}

/// The brackets that were missing are written.
#[test]
fn what_was_read_leniently_is_no_longer_than_it_says() {
    let line = format!("MAIL FROM:a@b XX{}\r\n", " X".repeat(247));
    assert_eq!(line.len(), 512);
    let Ok(Parsed::Complete { value, .. }) = Command::parse(line.as_bytes(), &Policy::LENIENT)
    else {
        panic!("the line has 512 bytes")
    };
    assert_eq!((value.encoded_len(), value.max_len()), (514, 514));
}

#[test]
fn what_is_shown_is_the_line_without_secrets() {
    for text in [
        "EHLO a.example",
        "HELO a.example",
        "LHLO [192.0.2.1]",
        "MAIL FROM:<a@b> SIZE=1 BODY=8BITMIME X",
        "RCPT TO:<Postmaster> NOTIFY=SUCCESS,DELAY ORCPT=rfc822;a+2Bb@c",
        "DATA",
        "BDAT 10",
        "BDAT 10 LAST",
        "RSET",
        "VRFY a@b SMTPUTF8",
        "EXPN list",
        "HELP",
        "HELP MAIL",
        "NOOP any text",
        "QUIT",
        "STARTTLS",
        "AUTH PLAIN",
        "ETRN @a.example",
        "ETRN #queue",
        "ATRN a.b,c.d",
        "BURL imap://a/b LAST",
        "XCLIENT NAME=a ADDR=192.0.2.1",
        "XFORWARD SOURCE=LOCAL",
        "TURN",
        "XYZZY and more",
    ] {
        let command = line(text, STRICT).unwrap();
        assert_eq!(command.to_string(), text);
        let mut written = vec![0; command.max_len()];
        let length = command.encode(&mut written).unwrap();
        assert_eq!(written[..length], *format!("{text}\r\n").as_bytes());
    }
    let command = line("AUTH PLAIN AGEAYg==", STRICT).unwrap();
    assert_eq!(command.to_string(), "AUTH PLAIN [redacted]");
}

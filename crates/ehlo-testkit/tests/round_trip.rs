//! What is written is read again, and what is read is written in one form only.
#![allow(clippy::unwrap_used)] // a test fails by panicking
#![allow(clippy::trivially_copy_pass_by_ref)] // as in the crate itself

use ehlo::syntax::command::Verb;
use ehlo::syntax::command::{
    AbsoluteUri, Attribute, AttributeName, Attributes, DomainList, EtrnNode, Mechanism, OtherVerb,
    SmtpString, UserOrList,
};
use ehlo::syntax::parameter::{
    AuthIdentity, Body, By, ByMode, DateTime, Envid, HoldInterval, Mtrk, Notify, Orcpt,
    OtherParameter, Parameter, Parameters, Priority, Ret, Rrvs, RrvsAction, Solicit, TransId,
    Xtext, XtextMailbox,
};
use ehlo::syntax::path::{AddressLiteral, ClientName, Text};
use ehlo::syntax::sasl::SaslData;
use ehlo::{Command, Encode, ForwardPath, Parsed, Policy, ReversePath};
use ehlo_testkit::vectors;
use proptest::collection::vec;
use proptest::prelude::*;

/// Every command of the vectors, and every path behind RCPT TO.
fn inputs() -> Vec<Vec<u8>> {
    let paths = vectors::paths().map(|path| [b"RCPT TO:", &*path.input, b"\r\n"].concat());
    vectors::commands().map(|command| command.input).chain(paths).collect()
}

const DOMAIN: &str =
    "[a-zA-Z0-9]([a-z0-9-]{0,20}[a-z0-9])?(\\.[a-z0-9]([a-z0-9-]{0,20}[a-z])?){0,3}";
const LOCAL_PART: &str = "[a-zA-Z0-9!#$%&'*+/=?^_`{|}~-]{1,12}(\\.[a-z0-9_=+-]{1,12}){0,3}|\"([ !#-\\[\\]-~]|\\\\[ -~]){0,30}\"";
const UTF8_LOCAL_PART: &str =
    "[a-zü用户ж]{1,8}(\\.[a-zéß]{1,5}){0,2}|\"([ !#-\\[a-zé用]|\\\\[ -~]){0,12}\"";
const WORD: &str = "[A-Za-z][A-Za-z0-9._:-]{0,12}";
/// Anything that a person types, but for the control bytes.
const PLAIN: &str = "[^\\p{Cc}]{1,16}";

fn policy() -> Policy {
    Policy::STRICT.with_smtputf8(true)
}

fn encoded(value: &impl Encode) -> Vec<u8> {
    let mut out = vec![0; value.encoded_len()];
    assert_eq!(value.encode(&mut out), Ok(out.len()));
    if let Some(less) = out.len().checked_sub(1) {
        assert_eq!(value.encode(&mut vec![0; less]).unwrap_err().needed, out.len());
    }
    out
}

/// Writes and reads a command, whole, by its line, by every prefix, and with more behind it.
fn check(command: &Command<'_>, policy: &Policy) {
    let wire = encoded(command);
    let shown = String::from_utf8_lossy(&wire).into_owned();
    let complete = Ok(Parsed::Complete { value: *command, consumed: wire.len() });
    assert!(wire.len() <= command.max_len(), "{shown}");
    assert_eq!(Command::parse(&wire, policy), complete, "{shown}");
    assert_eq!(Command::parse_line(&wire[..wire.len() - 2], policy), Ok(*command), "{shown}");
    for end in 0..wire.len() {
        assert_eq!(Command::parse(&wire[..end], policy), Ok(Parsed::Incomplete), "{shown}");
    }
    let pipelined = [&wire[..], b"NOOP\r\n"].concat();
    assert_eq!(Command::parse(&pipelined, policy), complete, "{shown}");
    let spaced = [&wire[..wire.len() - 2], b" \t \r\n"].concat();
    assert_eq!(
        Command::parse(&spaced, policy),
        Ok(Parsed::Complete { value: *command, consumed: spaced.len() }),
        "{shown}"
    );
    let text = &wire[..wire.len() - 2];
    assert!(!text.iter().any(u8::is_ascii_control), "{shown}");
}

fn check_mail(parameter: Parameter<'_>) {
    let list = [parameter, Parameter::SmtpUtf8];
    let parameters = Parameters::mail(&list).unwrap();
    let reverse_path = ReversePath::new("a@b.example").unwrap();
    check(&Command::Mail { reverse_path, parameters }, &policy());
}

fn check_rcpt(parameter: Parameter<'_>) {
    let list = [parameter];
    let parameters = Parameters::rcpt(&list).unwrap();
    check(&Command::Rcpt { forward_path: ForwardPath::Postmaster, parameters }, &policy());
}

fn mailbox() -> impl Strategy<Value = String> {
    (LOCAL_PART, prop_oneof![DOMAIN.prop_map(|d| d), literal()])
        .prop_map(|(local, domain)| format!("{local}@{domain}"))
        .prop_filter("the local part has 64 bytes at most", |text| {
            ehlo::syntax::path::Mailbox::new(text).is_ok()
        })
}

fn literal() -> impl Strategy<Value = String> {
    prop_oneof![
        any::<std::net::IpAddr>().prop_map(|ip| AddressLiteral::from(ip).to_string()),
        any::<[u8; 4]>().prop_map(|[a, b, c, d]| format!("[{a:03}.{b}.{c:02}.{d}]")),
        any::<[u16; 8]>().prop_map(|g| {
            let groups: Vec<_> = g.iter().map(|g| format!("{:04X}", g & 3)).collect();
            format!("[ipv6:{}]", groups.join(":"))
        }),
        "\\[x-[a-z0-9]{1,9}:[!-Z^-~]{1,20}\\]",
    ]
}

proptest! {
    #[test]
    fn paths(text in mailbox(), route in vec(DOMAIN, 0..3), size in any::<u64>()) {
        let route = route.iter().map(|d| format!("@{d}")).collect::<Vec<_>>().join(",");
        let text = if route.is_empty() { text } else { format!("<{route}:{text}>") };
        prop_assume!(text.len() < 240);
        let list = [Parameter::Size(size)];
        let parameters = Parameters::mail(&list).unwrap();
        let reverse_path = ReversePath::new(&text).unwrap();
        check(&Command::Mail { reverse_path, parameters }, &Policy::STRICT);
        let forward_path = ForwardPath::new(&text).unwrap();
        check(&Command::Rcpt { forward_path, parameters: Parameters::NONE }, &Policy::STRICT);
        let path = forward_path.path().unwrap();
        prop_assert_eq!(path.to_string().into_bytes(), encoded(&path));
        prop_assert_eq!(path.route().is_some(), !route.is_empty());
        prop_assert_eq!(path.without_route().mailbox(), path.mailbox());
    }

    #[test]
    fn utf8_paths(local in UTF8_LOCAL_PART, domain in "[a-zéü]{1,9}\\.(example|рф)") {
        let text = format!("{local}@{domain}");
        let forward_path = ForwardPath::new(&text).unwrap();
        check(&Command::Rcpt { forward_path, parameters: Parameters::NONE }, &policy());
        let list = [Parameter::SmtpUtf8];
        let parameters = Parameters::mail(&list).unwrap();
        let reverse_path = ReversePath::new(&text).unwrap();
        check(&Command::Mail { reverse_path, parameters }, &policy());
        let bare = encoded(&Command::Mail { reverse_path, parameters: Parameters::NONE });
        let result = Command::parse(&bare, &policy());
        prop_assert_eq!(result.is_ok(), text.is_ascii());
    }

    #[test]
    fn equal_local_parts_have_equal_meaning(text in "[a-z.\\\\\"@ ]{1,10}") {
        let mut quoted = String::from("\"");
        for character in text.chars() {
            if matches!(character, '"' | '\\') {
                quoted.push('\\');
            }
            quoted.push(character);
        }
        quoted.push('"');
        let every: String = text.chars().flat_map(|c| ['\\', c]).collect();
        let every = format!("\"{every}\"");
        let (quoted, every) =
            (ehlo::syntax::path::LocalPart::new(&quoted).unwrap(), ehlo::syntax::path::LocalPart::new(&every).unwrap());
        prop_assert_eq!(quoted, every);
        prop_assert!(quoted.unquoted().eq(text.bytes()));
        if let Ok(bare) = ehlo::syntax::path::LocalPart::new(&text) {
            if !bare.is_quoted() {
                prop_assert_eq!(bare, quoted);
            }
        }
    }

    #[test]
    fn greetings(name in prop_oneof![DOMAIN.prop_map(|d| d), literal()]) {
        let name = ClientName::new(&name).unwrap();
        check(&Command::Ehlo(name), &Policy::STRICT);
        check(&Command::Lhlo(name), &Policy::STRICT);
        let lenient = Policy::STRICT.with_any_client_name(true);
        check(&Command::Helo(name), &lenient);
        let text = encoded(&name);
        let is_domain = matches!(name, ClientName::Domain(_));
        let line = [b"HELO ", &text[..]].concat();
        prop_assert_eq!(Command::parse_line(&line, &Policy::STRICT).is_ok(), is_domain);
    }

    #[test]
    fn irregular_greetings(text in "[!-~]([ -~]{0,20}[!-~])?") {
        let lenient = Policy::STRICT.with_any_client_name(true);
        let text = Text::new(&text).unwrap();
        let name = ClientName::new(text.as_str()).unwrap_or(ClientName::Irregular(text));
        check(&Command::Ehlo(name), &lenient);
        check(&Command::Noop(Some(text)), &Policy::STRICT);
    }

    #[test]
    fn mail_parameters(
        plain in PLAIN, mailbox in mailbox(), seconds in 1..=999_999_999_u32, flag in any::<bool>(),
        word in WORD, number in -9..=9_i8, local in "[a-z]{1,9}(\\.[a-z]{1,9})?",
    ) {
        if let Ok(envid) = Envid::new(&plain) {
            check_mail(Parameter::Envid(envid));
        }
        check_mail(Parameter::Auth(AuthIdentity::Null));
        let mailbox = XtextMailbox::new(&mailbox).unwrap();
        check_mail(Parameter::Auth(AuthIdentity::Mailbox(mailbox)));
        check_mail(Parameter::Submitter(mailbox));
        check_mail(Parameter::AltAddress(mailbox));
        check_mail(Parameter::HoldFor(HoldInterval::new(seconds).unwrap()));
        let signed = i32::try_from(seconds).unwrap();
        check_mail(Parameter::By(By::new(-signed, ByMode::Notify, flag).unwrap()));
        check_mail(Parameter::By(By::new(signed, ByMode::Return, flag).unwrap()));
        check_mail(Parameter::MtPriority(Priority::new(number).unwrap()));
        check_mail(Parameter::Mtrk(Mtrk::new(&local.replace('.', "+"), Some(seconds)).unwrap()));
        check_mail(Parameter::Mtrk(Mtrk::new(&local.replace('.', "/"), None).unwrap()));
        let words = format!("{word},{word}");
        check_mail(Parameter::Solicit(Solicit::new(&words).unwrap()));
        let id = format!("<{local}@{local}>");
        check_mail(Parameter::TransId(TransId::new(&id).unwrap()));
        check_mail(Parameter::Ret(if flag { Ret::Full } else { Ret::Hdrs }));
        check_mail(Parameter::Body(if flag { Body::BinaryMime } else { Body::SevenBit }));
        for parameter in [Parameter::RequireTls, Parameter::ConPerm, Parameter::Prdr] {
            check_mail(parameter);
        }
    }

    #[test]
    fn rcpt_parameters(plain in PLAIN, events in 0..8_u8, year in 1970..2100, month in 1..=12) {
        let events = [Notify::SUCCESS, Notify::FAILURE, Notify::DELAY]
            .into_iter()
            .enumerate()
            .filter(|(i, _)| events >> i & 1 == 1)
            .fold(Notify::NEVER, |events, (_, event)| events | event);
        check_rcpt(Parameter::Notify(events));
        check_rcpt(Parameter::Orcpt(Orcpt::new("rfc822", &plain).unwrap()));
        let orcpt = Orcpt::new("UTF-8", &plain).unwrap();
        check_rcpt(Parameter::Orcpt(orcpt));
        prop_assert!(orcpt.address().eq(plain.bytes()));
        let moment = format!("{year:04}-{month:02}-28T23:59:60-02:30");
        let moment = DateTime::new(&moment).unwrap();
        for action in [None, Some(RrvsAction::Continue), Some(RrvsAction::Reject)] {
            check_rcpt(Parameter::Rrvs(Rrvs::new(moment, action).unwrap()));
        }
        check_rcpt(Parameter::ConNeg);
    }

    #[test]
    fn unknown_parameters(keyword in "[A-Z0-9][A-Z0-9-]{0,12}", value in "[!-<>-~é]{1,12}") {
        for value in [None, Some(&value[..])] {
            if let Ok(parameter) = OtherParameter::new(&keyword, value) {
                check_mail(Parameter::Other(parameter));
                check_rcpt(Parameter::Other(parameter));
            }
        }
    }

    #[test]
    fn xtext_means_what_it_was_made_of(plain in "[^\\p{Cc}]{0,40}|[\\t+=~! -]{0,40}") {
        let xtext = Xtext::new(&plain).unwrap();
        let wire = String::from_utf8(encoded(&xtext)).unwrap();
        let again = Xtext::from_encoded(&wire).unwrap();
        prop_assert_eq!(again, xtext);
        prop_assert!(again.decoded().eq(plain.bytes()));
        let mut room = [0; 256];
        prop_assert_eq!(again.decode(&mut room), Some(plain.as_bytes()));
        let lower = wire.chars().map(|c| c.to_ascii_lowercase()).collect::<String>();
        if plain.chars().all(|c| !c.is_ascii_uppercase()) {
            prop_assert_eq!(Xtext::from_encoded(&lower).unwrap(), xtext);
        }
    }

    #[test]
    fn other_commands(
        local in LOCAL_PART, domain in DOMAIN, bytes in vec(any::<u8>(), 0..200),
        text in "[!-~]([ -~]{0,20}[!-~])?", mechanism in "[A-Za-z0-9_-]{1,20}", last in any::<bool>(),
        size in any::<u64>(), path in "[a-zA-Z0-9/?@:;=.~_-]{0,30}(%[0-9A-Fa-f]{2})?",
    ) {
        let strict = Policy::STRICT;
        check(&Command::Bdat { size, last }, &strict);
        let mailbox = format!("{local}@{domain}");
        for text in [&local, &mailbox] {
            if let Ok(argument) = UserOrList::new(text) {
                check(&Command::Vrfy { argument, smtputf8: last }, &strict);
                check(&Command::Expn { argument, smtputf8: last }, &strict);
            }
        }
        if let Ok(string) = SmtpString::new(&local) {
            check(&Command::Help(Some(string)), &strict);
        }
        let mechanism = Mechanism::new(&mechanism).unwrap();
        let response = SaslData::new(&bytes);
        let mut room = vec![0; bytes.len()];
        prop_assert_eq!(response.decode(&mut room), Ok(bytes.len()));
        prop_assert_eq!(&room, &bytes);
        check(&Command::Auth { mechanism, initial_response: Some(response) }, &strict);
        check(&Command::Auth { mechanism, initial_response: None }, &strict);
        let node = format!("{}{domain}", if last { "@" } else { "" });
        check(&Command::Etrn(EtrnNode::new(&node).unwrap()), &strict);
        let queue = format!("#{text}");
        check(&Command::Etrn(EtrnNode::new(&queue).unwrap()), &strict);
        let list = format!("a.{domain},{domain}.b");
        check(&Command::Atrn(Some(DomainList::new(&list).unwrap())), &strict);
        let url = format!("imap://{domain}/{path}");
        check(&Command::Burl { url: AbsoluteUri::new(&url).unwrap(), last }, &strict);
        let value = Xtext::new(&text).unwrap();
        let names = [AttributeName::Name, AttributeName::Addr, AttributeName::Helo];
        let list = names.map(|name| Attribute::new(name, value).unwrap());
        let attributes = Attributes::new(Verb::Xclient, &list).unwrap();
        check(&Command::Xclient(attributes), &strict);
        check(&Command::Xforward(attributes), &strict);
        if let Ok(verb) = OtherVerb::new(&text.replace(' ', "")) {
            check(&Command::Other { verb, argument: None }, &strict);
            check(&Command::Other { verb, argument: Some(Text::new(&text).unwrap()) }, &strict);
        }
    }

    /// One byte of a vector is changed, left out or put in: whatever is read comes back, and the
    /// line says the same as the input that it stands in.
    #[test]
    fn near_misses(
        choice in any::<prop::sample::Index>(), at in any::<prop::sample::Index>(),
        byte in prop_oneof![any::<u8>(), prop::sample::select(&b"\r\n\0 \t.-@<>\"\\=+:;[],A0\xC3\xA9"[..])],
        edit in 0..3,
    ) {
        let mut inputs = inputs();
        let mut input = inputs.swap_remove(choice.index(inputs.len()));
        prop_assume!(input.len() < 2000);
        let at = at.index(input.len());
        match edit {
            0 => input[at] = byte,
            1 => { input.remove(at); }
            _ => input.insert(at, byte),
        }
        for policy in [Policy::STRICT, policy(), Policy::LENIENT] {
            read_anything(&input, &policy);
        }
    }

    #[test]
    fn anything_at_all(input in vec(any::<u8>(), 0..80), verb in prop::sample::select(&[
        "MAIL FROM:", "RCPT TO:<", "EHLO ", "AUTH ", "BDAT ", "VRFY ", "XCLIENT NAME=", "BURL ", "",
    ][..])) {
        let input = [verb.as_bytes(), &input, b"\r\n"].concat();
        read_anything(&input, &Policy::STRICT);
        read_anything(&input, &Policy::LENIENT);
    }
}

/// Reads `input`, whatever it is.
fn read_anything(input: &[u8], policy: &Policy) {
    match Command::parse(input, policy) {
        Ok(Parsed::Complete { value, consumed }) => {
            let line = input[..consumed].strip_suffix(b"\r\n").unwrap();
            assert!(!line.contains(&b'\n') && !line.contains(&b'\r'));
            assert_eq!(Command::parse_line(line, policy), Ok(value));
            let canonical = encoded(&value);
            let again = Command::parse(&canonical, policy);
            assert_eq!(again, Ok(Parsed::Complete { value, consumed: canonical.len() }));
        }
        Ok(Parsed::Incomplete) => assert!(!input.contains(&b'\n')),
        Err(error) => {
            assert!(error.offset <= input.len(), "{error:?}");
            let end = input.iter().position(|o| *o == b'\n').unwrap_or(input.len());
            if let Some(line) = input[..end].strip_suffix(b"\r") {
                assert_eq!(Command::parse_line(line, policy), Err(error));
            }
        }
    }
}

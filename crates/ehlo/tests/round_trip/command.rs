//! Commands.

use std::hash::{BuildHasher as _, RandomState};

use ehlo::{
    AbsoluteUri, Attribute, AttributeName, Attributes, ClientName, Command, DomainList, EtrnNode,
    ForwardPath, Mechanism, OtherVerb, Parameters, Parsed, ReversePath, SaslData, SmtpString, Text,
    UserOrList, Verb, Xtext,
};
use proptest::prelude::*;

use crate::parameter::{distinct, of_mail, of_rcpt};
use crate::path::{ascii_domain, domain, literal, local_part, mailbox, path};
use crate::{UTF8, wire};

/// The command's own line is read as the command, and no part of it as another.
fn round_trip(command: &Command<'_>) {
    let line = wire(command);
    let shown = line.escape_ascii();
    let body = line.strip_suffix(b"\r\n").unwrap();
    assert!(!body.iter().any(u8::is_ascii_control), "{shown}");
    if line.len() > command.max_len() {
        assert!(Command::parse(&line, &UTF8).is_err(), "{shown}");
        return;
    }
    let parsed = Command::parse(&line, &UTF8);
    assert_eq!(parsed, Ok(Parsed::Complete { value: *command, consumed: line.len() }), "{shown}");
    let Ok(Parsed::Complete { value, .. }) = parsed else { return };
    assert_eq!((wire(&value), value.verb()), (line.clone(), command.verb()));
    let state = RandomState::new();
    assert_eq!(state.hash_one(value), state.hash_one(command), "{shown}");
    for end in 0..line.len() {
        assert_eq!(Command::parse(&line[..end], &UTF8), Ok(Parsed::Incomplete), "{shown} to {end}");
    }
    let two = [&line[..], b"RSET\r\n"].concat();
    assert_eq!(Command::parse(&two, &UTF8), parsed, "{shown}");
}

/// Printable text that neither begins nor ends with a space.
fn printable() -> impl Strategy<Value = String> {
    "[!-~]([ -~]{0,40}[!-~])?"
}

proptest! {
    #[test]
    fn hello(name in prop_oneof![ascii_domain(), literal()], helo in ascii_domain()) {
        let name = ClientName::new(&name).unwrap();
        round_trip(&Command::Ehlo(name));
        round_trip(&Command::Lhlo(name));
        round_trip(&Command::Helo(ClientName::new(&helo).unwrap()));
    }

    #[test]
    fn mail(path in prop::option::of(path()), given in prop::collection::vec(of_mail(), 0..5)) {
        let reverse_path = match &path {
            Some(path) => ReversePath::new(path).unwrap(),
            None => ReversePath::Null,
        };
        let mut list = distinct(&given);
        if !reverse_path.is_ascii() && !list.contains(&ehlo::Parameter::SmtpUtf8) {
            list.push(ehlo::Parameter::SmtpUtf8);
        }
        let parameters = Parameters::mail(&list).unwrap();
        round_trip(&Command::Mail { reverse_path, parameters });
    }

    #[test]
    fn rcpt(path in prop::option::of(path()), given in prop::collection::vec(of_rcpt(), 0..4)) {
        let forward_path = match &path {
            Some(path) => ForwardPath::new(path).unwrap(),
            None => ForwardPath::Postmaster,
        };
        let list = distinct(&given);
        round_trip(&Command::Rcpt { forward_path, parameters: Parameters::rcpt(&list).unwrap() });
    }

    #[test]
    fn chunks(size: u64, last: bool) {
        round_trip(&Command::Bdat { size, last });
    }

    #[test]
    fn verification(text in prop_oneof![local_part(), mailbox()], asked: bool) {
        let argument = UserOrList::new(&text).unwrap();
        let smtputf8 = asked || !argument.is_ascii();
        round_trip(&Command::Vrfy { argument, smtputf8 });
        round_trip(&Command::Expn { argument, smtputf8 });
    }

    #[test]
    fn words(
        string in prop_oneof!["[A-Za-z0-9!#$%&'*+/=?^_`{|}~-]{1,20}", "\"([ !#-\\[\\]-~]|\\\\[ -~]){0,20}\""],
        text in printable(),
    ) {
        round_trip(&Command::Help(Some(SmtpString::new(&string).unwrap())));
        round_trip(&Command::Noop(Some(Text::new(&text).unwrap())));
        for bad in ["\r\n", "\n", "\0"] {
            assert!(Text::new(&format!("{text}{bad}RSET")).is_err());
            assert!(SmtpString::new(&format!("{string}{bad}RSET")).is_err());
        }
    }

    #[test]
    fn auth(
        mechanism in "[A-Z0-9_-]{1,20}",
        response in prop::option::of(prop::collection::vec(any::<u8>(), 0..300)),
    ) {
        let mechanism = Mechanism::new(&mechanism).unwrap();
        let initial_response = response.as_deref().map(SaslData::new);
        let command = Command::Auth { mechanism, initial_response };
        round_trip(&command);
        assert!(response.is_none() || format!("{command:?}").contains("redacted"));
    }

    #[test]
    fn queues(name in ascii_domain(), queue in "[!-~]{1,30}", parents in prop::collection::vec(ascii_domain(), 1..4)) {
        for node in [name.clone(), format!("@{name}"), format!("#{queue}")] {
            round_trip(&Command::Etrn(EtrnNode::new(&node).unwrap()));
        }
        // Each of two labels or more.
        let list = parents.iter().map(|name| format!("{name}.example")).collect::<Vec<_>>().join(",");
        if let Ok(list) = DomainList::new(&list) {
            assert_eq!(list.domains().count(), parents.len());
            round_trip(&Command::Atrn(Some(list)));
        }
    }

    #[test]
    fn urls(url in "[a-z][a-z0-9+.-]{0,6}:[A-Za-z0-9._~:/?@!$&'()*+,;=-]{0,40}(%[0-9A-F]{2}){0,3}", last: bool) {
        round_trip(&Command::Burl { url: AbsoluteUri::new(&url).unwrap(), last });
    }

    #[test]
    fn attributes(
        values in prop::collection::vec(("[ -~]{1,20}", any::<prop::sample::Index>()), 1..6),
    ) {
        use AttributeName::{Addr, DestAddr, DestPort, Helo, Ident, Login, Name, Port, Proto, Source};
        let xclient = [Name, Addr, Port, Proto, Helo, Login, DestAddr, DestPort];
        let xforward = [Name, Addr, Port, Proto, Helo, Ident, Source];
        for (verb, names) in [(Verb::Xclient, &xclient[..]), (Verb::Xforward, &xforward[..])] {
            let list: Vec<_> = values
                .iter()
                .map(|(value, name)| Attribute::new(*name.get(names), Xtext::new(value).unwrap()).unwrap())
                .collect();
            let attributes = Attributes::new(verb, &list).unwrap();
            assert!(attributes.iter().eq(list.iter().copied()));
            round_trip(&match verb {
                Verb::Xclient => Command::Xclient(attributes),
                _ => Command::Xforward(attributes),
            });
        }
    }

    #[test]
    fn others(verb in "[!-~]{1,12}", rest in prop::option::of(printable())) {
        prop_assume!(OtherVerb::new(&verb).is_ok());
        let verb = OtherVerb::new(&verb).unwrap();
        let rest = rest.as_deref().map(|rest| Text::new(rest).unwrap());
        round_trip(&Command::Other { verb, rest });
    }

    /// RFC 6531 §3.4: an address in UTF-8 needs the parameter beside it.
    #[test]
    fn utf8_is_asked_for(domain in domain()) {
        prop_assume!(!domain.is_ascii());
        let line = format!("MAIL FROM:<a@{domain}>");
        assert!(Command::parse_line(line.as_bytes(), &UTF8).is_err());
        assert!(Command::parse_line(format!("{line} SMTPUTF8").as_bytes(), &UTF8).is_ok());
    }
}

#[test]
fn commands_without_arguments() {
    for command in [
        Command::Data,
        Command::Rset,
        Command::Help(None),
        Command::Noop(None),
        Command::Quit,
        Command::StartTls,
        Command::Atrn(None),
        Command::Turn,
    ] {
        round_trip(&command);
    }
}

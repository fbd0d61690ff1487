//! The parameters of MAIL and RCPT.

use std::collections::HashSet;

use ehlo::syntax::parameter::{AuthIdentity, Body, Parameter, Parameters, Xtext, XtextMailbox};
use ehlo::{Command, Extension, Policy, SyntaxError};

use super::{assert_no_control, hash, wire};

/// `esmtp-param *(SP esmtp-param)` on both commands: no known parameter appears twice, the
/// properties of the list are those of its members, and a list built of them is equal and has the
/// same form.
pub fn parameters(input: &[u8]) {
    for start in [&b"MAIL FROM:<> "[..], b"RCPT TO:<a@b> "] {
        let line = [start, input].concat();
        for policy in [Policy::STRICT.with_smtputf8(true), Policy::STRICT] {
            match Command::parse_line(&line, &policy) {
                Ok(Command::Mail { parameters, .. }) => judge(&parameters, |l| Parameters::mail(l)),
                Ok(Command::Rcpt { parameters, .. }) => judge(&parameters, |l| Parameters::rcpt(l)),
                Ok(other) => panic!("{} is {other:?}", line.escape_ascii()),
                Err(error) => assert!(error.offset <= line.len()),
            }
        }
    }
}

fn judge(
    parameters: &Parameters<'_>,
    build: impl for<'l> Fn(&'l [Parameter<'l>]) -> Result<Parameters<'l>, SyntaxError>,
) {
    let list: Vec<Parameter<'_>> = parameters.iter().collect();
    assert_eq!(parameters.is_empty(), list.is_empty());
    let known = || list.iter().filter(|parameter| !matches!(parameter, Parameter::Other(_)));

    let keywords: HashSet<_> = known().map(Parameter::keyword).collect();
    assert_eq!(keywords.len(), known().count(), "a known parameter stands twice");
    assert!(!(keywords.contains("HOLDFOR") && keywords.contains("HOLDUNTIL")));

    let find = |keyword| list.iter().find(|parameter| parameter.keyword() == keyword);
    let size = find("SIZE").map(|parameter| match parameter {
        Parameter::Size(bytes) => *bytes,
        other => panic!("{other:?}"),
    });
    assert_eq!(parameters.size(), size);
    let body = find("BODY").map(|parameter| match parameter {
        Parameter::Body(body) => *body,
        other => panic!("{other:?}"),
    });
    assert_eq!(parameters.body(), body);
    assert_eq!(parameters.smtputf8(), find("SMTPUTF8").is_some());
    assert_eq!(parameters.requiretls(), find("REQUIRETLS").is_some());
    let unknown = list.iter().find(|parameter| parameter.extension().is_none());
    assert_eq!(parameters.unknown(), unknown.copied());
    assert_eq!(parameters.allowance(), known().map(Parameter::allowance).sum::<usize>());
    let extensions: HashSet<_> = known().filter_map(Parameter::extension).collect();
    assert_eq!(parameters.extensions().collect::<HashSet<_>>(), extensions);
    let binary = body == Some(Body::BinaryMime);
    assert_eq!(extensions.contains(&Extension::BinaryMime), binary);

    let own = build(&list).expect("what was parsed");
    assert_eq!(&own, parameters);
    assert_eq!(hash(&own), hash(parameters));
    let bytes = wire(parameters);
    assert_no_control(&bytes);
    assert_eq!(wire(&own), bytes);
    for parameter in &list {
        let alone = wire(parameter);
        assert_no_control(&alone);
        assert!(!alone.contains(&b' '));
        assert_eq!(parameter.to_string().as_bytes(), alone);
        decodes(parameter);
    }
}

/// Asserts that a decoded value has no control byte except HT.
fn decodes(parameter: &Parameter<'_>) {
    match parameter {
        Parameter::Envid(envid) => plain(envid.xtext()),
        Parameter::Auth(AuthIdentity::Mailbox(mailbox))
        | Parameter::Submitter(mailbox)
        | Parameter::AltAddress(mailbox) => mailbox_of(mailbox),
        Parameter::Orcpt(orcpt) => {
            let bytes: Vec<u8> = orcpt.address().collect();
            assert!(!bytes.is_empty() && !bytes.iter().any(|o| o.is_ascii_control() && *o != 9));
            let mut out = vec![0; bytes.len()];
            assert_eq!(orcpt.decode_address(&mut out), Some(bytes.as_slice()));
            assert_eq!(orcpt.decode_address(&mut out[1..]), None);
        }
        Parameter::HoldUntil(moment) => assert!(moment.is_utc()),
        Parameter::Rrvs(rrvs) => assert!(!rrvs.since().has_fraction()),
        Parameter::By(by) => assert!(by.seconds().unsigned_abs() <= 999_999_999),
        _ => {}
    }
}

fn plain(xtext: Xtext<'_>) {
    let bytes: Vec<u8> = xtext.decoded().collect();
    assert!(!bytes.iter().any(|byte| byte.is_ascii_control() && *byte != b'\t'));
    let mut out = vec![0; bytes.len()];
    assert_eq!(xtext.decode(&mut out), Some(bytes.as_slice()));
    if let Ok(text) = core::str::from_utf8(&bytes) {
        assert_eq!(Xtext::new(text), Ok(xtext));
    }
}

fn mailbox_of(mailbox: &XtextMailbox<'_>) {
    let mut out = [0; 254];
    let decoded = mailbox.decode(&mut out).expect("a mailbox of 254 bytes at most");
    let text = decoded.to_string();
    let again = XtextMailbox::new(&text).expect("what was decoded");
    let mut out = [0; 254];
    assert_eq!(again.decode(&mut out), Some(decoded));
    plain(mailbox.xtext());
}

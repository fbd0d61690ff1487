//! EHLO capabilities: every row of the registry, and what real servers send beside it.

#![allow(clippy::unwrap_used)] // a test fails by a panic

use ehlo::syntax::capability::{
    AuthMechanisms, Capabilities, DeliverBy, EhloKeyword, EhloParams, FutureRelease, Limits,
    PriorityProfile, ReleaseTime, SolicitationKeywords,
};
use ehlo::syntax::sasl::{Mechanisms, SaslMechanism};
use ehlo::{Capability, Code, Encode, Extension, Parsed, Policy, Reply};
use ehlo_testkit::vectors::{EXTENSIONS, SASL_MECHANISMS, rows};
use proptest::prelude::*;

fn line(capability: &Capability<'_>) -> String {
    let mut out = vec![0; capability.encoded_len()];
    capability.encode(&mut out).unwrap();
    String::from_utf8(out).unwrap()
}

fn params(words: &str) -> EhloParams<'_> {
    EhloParams::new(words).unwrap()
}

fn other<'a>(keyword: &'a str, words: &'a str) -> Capability<'a> {
    Capability::Other { keyword: EhloKeyword::new(keyword).unwrap(), parameters: params(words) }
}

fn new_year() -> ReleaseTime {
    ReleaseTime::new((2027, 1, 1), (0, 0, 0)).unwrap()
}

/// A line for each keyword of `smtp_extensions.tsv`, in its order, and its type.
fn registry() -> Vec<(&'static str, Capability<'static>)> {
    let mechanisms = Mechanisms::NONE.with(SaslMechanism::CramMd5).with(SaslMechanism::Plain);
    vec![
        ("SEND", Capability::Send),
        ("SOML", Capability::Soml),
        ("SAML", Capability::Saml),
        ("VRFY", Capability::Vrfy),
        ("EXPN", Capability::Expn),
        ("HELP", Capability::Help),
        ("TURN", Capability::Turn),
        ("8BITMIME", Capability::EightBitMime),
        ("SIZE 52428800", Capability::Size(Some(52_428_800))),
        ("VERB", Capability::Verb),
        ("ONEX", Capability::Onex),
        ("CHUNKING", Capability::Chunking),
        ("BINARYMIME", Capability::BinaryMime),
        ("CHECKPOINT", Capability::Checkpoint),
        ("DELIVERBY 240", Capability::DeliverBy(DeliverBy::new(Some(240)))),
        ("PIPELINING", Capability::Pipelining),
        ("DSN", Capability::Dsn),
        ("ETRN", Capability::Etrn),
        ("ENHANCEDSTATUSCODES", Capability::EnhancedStatusCodes),
        ("STARTTLS", Capability::StartTls),
        (
            "NO-SOLICITING net.example:ADV,org.example:ADV:ADLT",
            Capability::NoSoliciting(
                SolicitationKeywords::new("net.example:ADV,org.example:ADV:ADLT").unwrap(),
            ),
        ),
        ("MTRK", Capability::Mtrk),
        ("SUBMITTER", Capability::Submitter),
        ("ATRN", Capability::Atrn),
        ("AUTH CRAM-MD5 PLAIN", Capability::Auth(AuthMechanisms::of(mechanisms))),
        (
            "FUTURERELEASE 604800 2027-01-01T00:00:00Z",
            Capability::FutureRelease(FutureRelease::new(604_800, new_year()).unwrap()),
        ),
        ("UTF8SMTP", Capability::Utf8Smtp),
        ("SMTPUTF8", Capability::SmtpUtf8),
        ("BURL imap imap://mail.example", Capability::Burl(params("imap imap://mail.example"))),
        ("CONPERM", Capability::ConPerm),
        ("CONNEG", Capability::ConNeg),
        ("MT-PRIORITY NSEP", Capability::MtPriority(Some(PriorityProfile::NSEP))),
        ("RRVS", Capability::Rrvs),
        ("REQUIRETLS", Capability::RequireTls),
        (
            "LIMITS RCPTMAX=20 MAILMAX=5 RCPTDOMAINMAX=3",
            Capability::Limits(
                Limits::NONE.with_rcpt_max(20).with_mail_max(5).with_rcpt_domain_max(3),
            ),
        ),
    ]
}

#[test]
fn every_row_of_the_registry_is_typed() {
    let keywords: Vec<_> = rows(EXTENSIONS).map(|row| row[0]).collect();
    assert_eq!(keywords.len(), 35);
    let typed = registry();
    assert_eq!(typed.len(), keywords.len());
    for ((text, capability), keyword) in typed.into_iter().zip(keywords) {
        assert_eq!(text.split(' ').next(), Some(keyword));
        assert_eq!(Capability::parse(text.as_bytes()), capability, "{keyword}");
        assert_eq!(line(&capability), text, "{keyword}");
        let extension = capability.extension().unwrap();
        assert_eq!(extension.keyword(), keyword);
        assert_eq!(Extension::from_keyword(keyword.as_bytes()), Some(extension));

        // In any case, with spaces to spare.
        let spaced = text.to_ascii_lowercase().replace(' ', "  ") + " ";
        assert_eq!(Capability::parse(spaced.as_bytes()).extension(), Some(extension), "{spaced}");
        // As a whole word only.
        for near in [format!("{keyword}X"), format!("X{keyword}"), format!("{keyword}-")] {
            assert_eq!(Capability::parse(near.as_bytes()), other(&near, ""), "{near}");
        }
        let joined = format!("{keyword}_");
        assert_eq!(Capability::parse(joined.as_bytes()), Capability::Malformed(joined.as_bytes()));
        // By itself, except where an RFC wants parameters.
        let alone = Capability::parse(keyword.as_bytes());
        if matches!(extension, Extension::FutureRelease | Extension::Limits) {
            assert_eq!(alone, Capability::Malformed(keyword.as_bytes()));
        } else {
            assert_eq!(alone.extension(), Some(extension));
            assert_eq!(line(&alone), keyword);
        }
        // In the summary, and out of it.
        let mut offered = Capabilities::NONE;
        offered.insert(&capability);
        assert!(offered.contains(extension), "{keyword}");
        assert_eq!(offered.iter().count(), 1);
        assert_eq!(offered.without(extension), Capabilities::NONE, "{keyword}");
    }
}

#[test]
fn keywords_outside_the_registry_are_kept() {
    let attributes = "NAME ADDR PORT PROTO HELO LOGIN DESTADDR DESTPORT";
    assert_eq!(
        Capability::parse(format!("XCLIENT {attributes}").as_bytes()),
        Capability::Xclient(params(attributes))
    );
    assert_eq!(Capability::parse(b"XFORWARD NAME ADDR"), Capability::Xforward(params("NAME ADDR")));
    assert_eq!(Capability::parse(b"PRDR"), Capability::Prdr);
    assert_eq!(Capability::parse(b"X-EXPS GSSAPI NTLM"), other("X-EXPS", "GSSAPI NTLM"));
    assert_eq!(Capability::parse(b"PIPECONNECT"), other("PIPECONNECT", ""));
    assert_eq!(line(&Capability::parse(b"x-Foo  a   b ")), "x-Foo a b");
}

#[test]
fn malformed_lines_are_kept_and_harmless() {
    for text in ["", " ", "\t\u{e9}", "-X", "X_PIPE_CONNECT", "X-A=1", "STARTTLS;", "=STARTTLS"] {
        let capability = Capability::parse(text.as_bytes());
        assert_eq!(capability, Capability::Malformed(text.as_bytes()), "{text}");
        assert_eq!(capability.extension(), None);
        let mut offered = Capabilities::NONE;
        offered.insert(&capability);
        assert_eq!(offered, Capabilities::NONE);
    }
    assert_eq!(line(&Capability::Malformed(b"X_A\r\nB\0\xE9")), "X_A??B??");
    assert!(EhloParams::new("a\tb").is_err());
    assert_eq!(EhloParams::new("ab\nc").unwrap_err().offset, 2);
    assert_eq!(EhloKeyword::new("a-\r").unwrap_err().offset, 2);
    assert!(EhloKeyword::new("").is_err());
    assert!(EhloKeyword::new("-a").is_err());
}

/// What is offered in a form that is not the grammar's is offered: an extension that is overlooked is
/// mail in clear text, or no mail.
#[test]
fn v128_odd_offers_are_read() {
    let mechanisms = Mechanisms::NONE.with(SaslMechanism::Login).with(SaslMechanism::Plain);
    let auth = |bytes: &[u8]| match Capability::parse(bytes) {
        Capability::Auth(listed) | Capability::LegacyAuth(listed) => listed.known(),
        other => panic!("{}: {other:?}", bytes.escape_ascii()),
    };
    for bytes in [
        &b"AUTH LOGIN PLAIN"[..],
        b"AUTH\tLOGIN PLAIN",
        b"AUTH PLAIN LOGIN\xa0",
        b"AUTH PLAIN\xc2\xa0LOGIN",
        b" AUTH LOGIN\tPLAIN\t",
        b"auth  Login \x01 pLAIN \xff",
        b"AUTH LOGIN \xfc\xfd PLAIN X_OWN",
        b"AUTH=LOGIN\tPLAIN",
        b"AUTH= LOGIN PLAIN ",
        b"AUTH = LOGIN PLAIN",
        b"AUTH\t=LOGIN PLAIN",
        b"AUTH =LOGIN =PLAIN",
        b"AUTH LOGIN=PLAIN",
    ] {
        assert_eq!(auth(bytes), mechanisms, "{}", bytes.escape_ascii());
    }
    for bytes in [
        &b"SIZE 1000"[..],
        b"SIZE  1000",
        b"SIZE\t1000",
        b"SIZE=1000",
        b"SIZE = 1000 \xa0",
        b"\tsize\x0b1000\t",
        b"Size\xa01000 more",
    ] {
        let parsed = Capability::parse(bytes);
        assert_eq!(parsed, Capability::Size(Some(1000)), "{}", bytes.escape_ascii());
    }
    for bytes in [
        &b"STARTTLS\t"[..],
        b"STARTTLS ",
        b" STARTTLS",
        b"\tstartTLS",
        b"STARTTLS\xa0",
        b"STARTTLS\0",
        b"STARTTLS x\x7fy",
        b"STARTTLS=",
        b"STARTTLS=yes",
    ] {
        let parsed = Capability::parse(bytes);
        assert_eq!(parsed, Capability::StartTls, "{}", bytes.escape_ascii());
    }
    assert_eq!(Capability::parse(b"X-EXPS\tNTLM\xa0"), other("X-EXPS", "NTLM"));
}

/// A whole reply, as a client reads it.
#[test]
fn v128_odd_offers_are_in_the_summary() {
    let bytes: &[u8] = b"250-mx.example\r\n250-STARTTLS\t\r\n250- PIPELINING\r\n250-\t8BITMIME\r\n\
        250-SIZE\t1000\r\n250-DSN\xa0\r\n250-CHUNKING=\r\n250-ENHANCEDSTATUSCODES=\r\n\
        250-X-UNKNOWN\xa0\r\n250 AUTH\tPLAIN LOGIN\xa0\r\n";
    let policy = Policy::STRICT.with_any_reply_text(true);
    let Ok(Parsed::Complete { value, .. }) = Reply::parse(bytes, &policy) else { panic!() };
    let offered = [
        Extension::StartTls,
        Extension::Pipelining,
        Extension::EightBitMime,
        Extension::Dsn,
        Extension::Chunking,
        Extension::EnhancedStatusCodes,
    ];
    let expected = offered.into_iter().fold(Capabilities::NONE, Capabilities::with);
    let mechanisms = Mechanisms::NONE.with(SaslMechanism::Login).with(SaslMechanism::Plain);
    let expected = expected.with_size(1000).with_mechanisms(mechanisms);
    assert_eq!(Capabilities::from_reply(&value), expected);
}

proptest! {
    /// Blanks, tabs, bytes of no text and other words take nothing away that is offered.
    #[test]
    fn v128_noise_takes_no_offer_away(
        offered in capabilities(),
        noise in prop::collection::vec((blank(), "[a-z\u{e9}\u{1}]{1,5}", any::<bool>()), 40..41),
    ) {
        let mut bytes = b"250-mx.example\r\n".to_vec();
        let lines: Vec<_> = offered.iter().collect();
        for (capability, (blank, word, is_lower)) in lines.iter().zip(&noise) {
            let mut text = line(capability);
            if *is_lower && !matches!(capability, Capability::FutureRelease(_)) {
                text.make_ascii_lowercase();
            }
            let words: Vec<_> = text.split(' ').map(str::as_bytes).collect();
            bytes.extend(b"250-");
            bytes.extend(blank);
            bytes.extend(words.join(&blank[..]));
            bytes.extend(blank);
            // RFC 9422 §3: a client ignores all limits of a line with a word that is none.
            if !matches!(capability, Capability::Limits(_)) && words.len() < 3 {
                bytes.extend(word.as_bytes());
            }
            bytes.extend(b"\r\n");
        }
        bytes.extend(b"250 X-LAST\r\n");
        let policy = Policy::STRICT.with_any_reply_text(true);
        let Ok(Parsed::Complete { value, .. }) = Reply::parse(&bytes, &policy) else { panic!() };
        let found = Capabilities::from_reply(&value);
        for capability in &lines {
            let extension = capability.extension().unwrap();
            prop_assert!(found.contains(extension), "{extension:?}: {}", bytes.escape_ascii());
        }
        prop_assert_eq!(found.mechanisms(), offered.mechanisms());
        prop_assert_eq!(found.size(), offered.size());
        prop_assert_eq!(found.limits(), offered.limits());
    }
}

proptest! {
    /// What both offer is offered by each, whichever is asked first.
    #[test]
    fn intersection_is_what_both_offer(one in capabilities(), other in capabilities()) {
        let both = one.intersection(other);
        prop_assert_eq!(both, other.intersection(one));
        prop_assert_eq!(one.intersection(one), one);
        prop_assert_eq!(one.intersection(Capabilities::NONE), Capabilities::NONE);
        prop_assert_eq!(both.intersection(one), both);
        for extension in Extension::ALL {
            if both.contains(*extension) {
                prop_assert!(one.contains(*extension) && other.contains(*extension));
            }
        }
        for (least, a, b) in [
            (both.size(), one.size(), other.size()),
            (both.rcpt_max().map(u64::from), one.rcpt_max().map(u64::from), None),
        ] {
            let given = |size: Option<u64>| size.filter(|size| *size > 0);
            if let (Some(least), Some(a)) = (given(least), given(a)) {
                prop_assert!(least <= a && given(b).is_none_or(|b| least <= b));
            }
        }
        prop_assert_eq!(both.mechanisms().difference(one.mechanisms()), Mechanisms::NONE);
    }

    /// The iterators, sets and texts of std are those of the calls.
    #[test]
    fn iterators_give_what_is_offered(offered in capabilities()) {
        prop_assert_eq!(offered.into_iter().collect::<Capabilities>(), offered);
        let lines: Vec<_> = offered.iter().map(|capability| capability.to_string()).collect();
        prop_assert_eq!(offered.to_string(), lines.join(", "));
        let mechanisms = offered.mechanisms();
        prop_assert_eq!(mechanisms.into_iter().collect::<Mechanisms>(), mechanisms);
        let names: Vec<_> = mechanisms.iter().map(SaslMechanism::name).collect();
        prop_assert_eq!(mechanisms.to_string(), names.join(" "));
        prop_assert_eq!((mechanisms.len(), mechanisms.iter().len()), (names.len(), names.len()));
        for capability in offered {
            let line = capability.to_string();
            prop_assert_eq!(Capability::from(&*line), capability);
            if let Capability::Auth(listed) = Capability::from(&*line) {
                prop_assert_eq!(listed.to_string(), mechanisms.to_string());
            }
        }
    }
}

/// What may stand between two words, and is no word.
fn blank() -> impl Strategy<Value = Vec<u8>> {
    prop::collection::vec(prop::sample::select(&b" \t\x0b\x01\x7f\x80\xa0\xff"[..]), 1..4)
}

#[test]
fn size_reads_its_limit() {
    assert_eq!(Capability::parse(b"SIZE 0"), Capability::Size(Some(0)));
    assert_eq!(Capability::parse(b"SIZE 18446744073709551615"), Capability::Size(Some(u64::MAX)));
    for ignored in ["18446744073709551616", "99999999999999999999999", "abc", "1k", "-1", "+1"] {
        let text = format!("SIZE {ignored}");
        assert_eq!(Capability::parse(text.as_bytes()), Capability::Size(None), "{text}");
    }
    let offered = Capabilities::NONE.with_size(0);
    assert_eq!((offered.size(), Capabilities::NONE.with(Extension::Size).size()), (Some(0), None));
}

#[test]
fn auth_reads_its_mechanisms() {
    let Capability::Auth(listed) = Capability::parse(b"auth plain  X-OWN Login ") else { panic!() };
    assert!(listed.iter().eq(["plain", "X-OWN", "Login"]));
    let known = Mechanisms::NONE.with(SaslMechanism::Login).with(SaslMechanism::Plain);
    assert_eq!(listed.known(), known);
    assert_eq!(Capability::parse(b"AUTH LOGIN"), Capability::parse(b"auth login"));
    assert_ne!(Capability::parse(b"AUTH LOGIN"), Capability::parse(b"AUTH LOGIN PLAIN"));

    let legacy = Capability::parse(b"AUTH=LOGIN PLAIN");
    assert!(matches!(legacy, Capability::LegacyAuth(listed) if listed.known() == known));
    assert_eq!(line(&legacy), "AUTH=LOGIN PLAIN");
    assert_eq!(line(&Capability::parse(b"AUTH=")), "AUTH=");

    let mut offered = Capabilities::NONE;
    offered.insert(&Capability::parse(b"AUTH PLAIN"));
    offered.insert(&Capability::parse(b"AUTH=LOGIN"));
    assert_eq!(offered.mechanisms(), known);
}

#[test]
fn every_mechanism_is_found_by_its_name() {
    for (place, &mechanism) in SaslMechanism::ALL.iter().enumerate() {
        let name = mechanism.name();
        assert_eq!(SaslMechanism::from_name(name.to_lowercase().as_bytes()), Some(mechanism));
        assert_eq!(SaslMechanism::from_name(format!("{name}-").as_bytes()), None);
        let alone = Mechanisms::NONE.with(mechanism);
        assert!(alone.iter().eq([mechanism]));
        assert!(alone.without(mechanism).is_empty());
        let others = SaslMechanism::ALL.iter().enumerate().filter(|&(other, _)| other != place);
        assert!(others.into_iter().all(|(_, &other)| !alone.contains(other)));
    }
    // RFC 4954 §3 and the registry: these are the names that must not be missing.
    let names: Vec<_> = rows(SASL_MECHANISMS).map(|row| row[0]).collect();
    for mechanism in SaslMechanism::ALL {
        let name = mechanism.name().trim_end_matches("-PLUS");
        assert!(names.iter().any(|row| row.starts_with(name)), "{name}");
    }
}

#[test]
fn deliver_by_reads_its_minimum() {
    let parsed = |text: &'static str| match Capability::parse(text.as_bytes()) {
        Capability::DeliverBy(deliver_by) => deliver_by,
        other => panic!("{other:?}"),
    };
    assert_eq!(parsed("DELIVERBY").minimum(), None);
    assert_eq!(parsed("DELIVERBY 999999999").minimum(), Some(999_999_999));
    assert_eq!(parsed("DELIVERBY 1000000000").minimum(), None);
    assert_eq!(parsed("DELIVERBY x").minimum(), None);
    let extended = parsed("DELIVERBY 60,a,b=c");
    assert_eq!(extended.minimum(), Some(60));
    assert!(extended.tokens().eq(["a", "b=c"]));
    assert_eq!(line(&Capability::DeliverBy(extended)), "DELIVERBY 60,a,b=c");
    assert_eq!(line(&Capability::DeliverBy(parsed("DELIVERBY ,a"))), "DELIVERBY ,a");
    assert_eq!(DeliverBy::new(Some(u32::MAX)).minimum(), Some(999_999_999));
}

#[test]
fn future_release_reads_its_limits() {
    for malformed in [
        "FUTURERELEASE 1",
        "FUTURERELEASE 0 2027-01-01T00:00:00Z",
        "FUTURERELEASE 01 2027-01-01T00:00:00Z",
        "FUTURERELEASE 1000000000 2027-01-01T00:00:00Z",
        "FUTURERELEASE 1 2027-01-01T00:00:00",
        "FUTURERELEASE 1 2027-01-01T00:00:00+00:00",
        "FUTURERELEASE 1 2027-02-29T00:00:00Z",
        "FUTURERELEASE 1 2027-13-01T00:00:00Z",
        "FUTURERELEASE 1 2027-04-31T00:00:00Z",
        "FUTURERELEASE 1 2027-01-01T24:00:00Z",
        "FUTURERELEASE 1 2027-01-01T00:60:00Z",
        "FUTURERELEASE 1 2027-01-01T00:00:61Z",
        "FUTURERELEASE 1 2027-01-01T00:00:00.Z",
        "FUTURERELEASE 1 2027-01-01T00:00:00.xZ",
        "FUTURERELEASE 1 2027-01-01 00:00:00Z",
        "FUTURERELEASE 1 27-01-01T00:00:00Z",
        "FUTURERELEASE 2027-01-01T00:00:00Z 1",
    ] {
        let capability = Capability::parse(malformed.as_bytes());
        assert_eq!(capability, Capability::Malformed(malformed.as_bytes()), "{malformed}");
    }
    let lenient = Capability::parse(b"FUTURERELEASE 86400 2028-02-29t23:59:60.25z");
    assert_eq!(line(&lenient), "FUTURERELEASE 86400 2028-02-29T23:59:60Z");
    assert!(FutureRelease::new(0, new_year()).is_none());
    // Without its parameters there is nothing to offer.
    let offered = Capabilities::NONE.with(Extension::FutureRelease);
    assert_eq!(offered, Capabilities::NONE);
    assert!(ReleaseTime::new((2026, 12, 31), (23, 59, 59)).unwrap() < new_year());
    assert_eq!((new_year().date(), new_year().time()), ((2027, 1, 1), (0, 0, 0)));
}

#[test]
fn limits_read_their_names() {
    let parsed = |text: &'static str| match Capability::parse(text.as_bytes()) {
        Capability::Limits(limits) => Some(limits),
        Capability::Malformed(_) => None,
        other => panic!("{other:?}"),
    };
    let limits = parsed("LIMITS rcptmax=999999 X-OWN=a=b mailmax X_1 RCPTDOMAINMAX=1").unwrap();
    assert_eq!(limits.rcpt_max(), Some(999_999));
    assert_eq!((limits.mail_max(), limits.rcpt_domain_max()), (None, Some(1)));
    assert!(limits.unknown().eq([("X-OWN", Some("a=b")), ("X_1", None)]));
    assert_eq!(
        line(&Capability::Limits(limits)),
        "LIMITS RCPTMAX=999999 RCPTDOMAINMAX=1 X-OWN=a=b X_1"
    );
    // RFC 9422 §3: an error in one value concerns that limit, a basic one all.
    for value in ["0", "01", "1000000", "x", "1x"] {
        let text = format!("LIMITS RCPTMAX={value} MAILMAX=2");
        let Capability::Limits(limits) = Capability::parse(text.as_bytes()) else { panic!() };
        assert_eq!((limits.rcpt_max(), limits.mail_max()), (None, Some(2)), "{value}");
    }
    for none in [
        "LIMITS",
        "LIMITS =1",
        "LIMITS A= B=1",
        "LIMITS A=b;c",
        "LIMITS RCPTMAX=1 a.b=1",
        "LIMITS RCPTMAX=0999",
    ] {
        assert_eq!(parsed(none), None, "{none}");
    }
    assert_eq!(Limits::NONE.with_mail_max(u32::MAX).mail_max(), Some(999_999));
    let own = Capabilities::NONE.with_limits(Limits::NONE.with_mail_max(7));
    assert_eq!((own.mail_max(), own.rcpt_max(), own.rcpt_domain_max()), (Some(7), None, None));
}

#[test]
fn profiles_and_solicitation_keywords_are_read() {
    let profile = |text: &'static str| match Capability::parse(text.as_bytes()) {
        Capability::MtPriority(profile) => profile.map(|profile| profile.name()),
        other => panic!("{other:?}"),
    };
    assert_eq!(profile("MT-PRIORITY"), None);
    assert_eq!(profile("MT-PRIORITY X.own_1-2"), Some("X.own_1-2"));
    assert_eq!(profile("MT-PRIORITY abcdefghijklmnopqrstu"), None);
    assert_eq!(profile("MT-PRIORITY a/b"), None);
    let own = Capabilities::NONE.with_priority_profile(PriorityProfile::new("mixer").unwrap());
    assert_eq!(own.priority_profile(), Some(PriorityProfile::MIXER));

    let Capability::NoSoliciting(none) = Capability::parse(b"NO-SOLICITING a,,b") else { panic!() };
    assert_eq!(none.iter().count(), 0);
    assert!(SolicitationKeywords::new(&"a".repeat(1001)).is_none());
}

fn capabilities() -> impl Strategy<Value = Capabilities> {
    let plain: Vec<_> = registry()
        .into_iter()
        .map(|(_, capability)| capability.extension().unwrap())
        .filter(|extension| *extension != Extension::Limits)
        .chain([Extension::Xclient, Extension::Xforward, Extension::Prdr])
        .collect();
    let numbers = (0_u32..1_000_000, 0_u32..1_000_000, 1_u32..1_000_000);
    (
        prop::sample::subsequence(plain.clone(), 0..plain.len()),
        prop::option::of(any::<u64>()),
        prop::option::of(prop::sample::subsequence(SaslMechanism::ALL, 0..8)),
        prop::option::of(numbers),
        prop::option::of(prop::option::of(0_u32..1_000_000_000)),
        prop::option::of((1_u32..1_000_000_000, 0_u16..10_000, 1_u8..13, 1_u8..29, 0_u8..24)),
        prop::option::of(0_usize..3),
    )
        .prop_map(|(extensions, size, mechanisms, limits, deliver_by, release, profile)| {
            let mut own = extensions.into_iter().fold(Capabilities::NONE, Capabilities::with);
            if let Some(size) = size {
                own = own.with_size(size);
            }
            if let Some(mechanisms) = mechanisms {
                own = own.with_mechanisms(
                    mechanisms.into_iter().fold(Mechanisms::NONE, Mechanisms::with),
                );
            }
            if let Some((rcpt, mail, domains)) = limits {
                let limits = Limits::NONE.with_rcpt_max(rcpt).with_mail_max(mail);
                own = own.with_limits(limits.with_rcpt_domain_max(domains));
            }
            if let Some(minimum) = deliver_by {
                own = own.with_deliver_by(minimum);
            }
            if let Some((interval, year, month, day, hour)) = release {
                let until = ReleaseTime::new((year, month, day), (hour, 59, 60)).unwrap();
                own = own.with_future_release(FutureRelease::new(interval, until).unwrap());
            }
            if let Some(profile) = profile {
                let profiles =
                    [PriorityProfile::MIXER, PriorityProfile::STANAG4406, PriorityProfile::NSEP];
                own = own.with_priority_profile(profiles[profile]);
            }
            own
        })
}

proptest! {
    #[test]
    fn summary_survives_the_wire(own in capabilities()) {
        let mut bytes = b"250-mx.example greets you\r\n".to_vec();
        for capability in own {
            let text = line(&capability);
            prop_assert_eq!(Capability::parse(text.as_bytes()), capability);
            bytes.extend_from_slice(format!("250-{text}\r\n").as_bytes());
        }
        bytes.extend_from_slice(b"250 X-LAST\r\n");
        let Ok(Parsed::Complete { value, .. }) = Reply::parse(&bytes, &Policy::STRICT) else {
            panic!();
        };
        prop_assert_eq!(Capabilities::from_reply(&value), own);
        let order: Vec<_> = own.iter().map(|capability| capability.extension()).collect();
        prop_assert!(order.is_sorted());
    }

    #[test]
    fn reply_offers_what_its_lines_offer(
        lines in prop::collection::vec(
            prop_oneof![
                8 => prop::sample::select(registry()).prop_map(|(text, _)| text.to_owned()),
                1 => "[A-Z=_\t -]{0,30}",
                1 => "(AUTH|auth|SIZE|LIMITS|DSN)[= ](PLAIN|LOGIN|RCPTMAX=1|77)?( NTLM)?",
            ],
            1..12,
        ),
        greeting in "[a-z. ]{0,40}",
    ) {
        let mut bytes = format!("250-{greeting}\r\n");
        let mut expected = Capabilities::NONE;
        for (place, text) in lines.iter().enumerate() {
            let separator = if place + 1 == lines.len() { ' ' } else { '-' };
            bytes.push_str("250");
            bytes.push(separator);
            bytes.push_str(text);
            bytes.push_str("\r\n");
            expected.insert(&Capability::parse(text.as_bytes()));
        }
        let Ok(Parsed::Complete { value, .. }) = Reply::parse(bytes.as_bytes(), &Policy::STRICT)
        else {
            panic!();
        };
        prop_assert_eq!(Capabilities::from_reply(&value), expected);
        let text = format!("{greeting}\n{}", lines.join("\n"));
        let built = Reply::new(Code::OK, &text);
        if !lines.iter().any(String::is_empty) {
            prop_assert_eq!(Capabilities::from_reply(&built), expected);
        }
    }

    #[test]
    fn any_line_is_a_capability(
        keyword in prop_oneof![
            prop::sample::select(registry()).prop_map(|(text, _)| text.to_owned()),
            "[A-Za-z0-9-]{0,12}",
            Just("LIMITS".to_owned()), Just("AUTH=".to_owned()), Just("DELIVERBY".to_owned()),
            Just("NO-SOLICITING".to_owned()), Just("MT-PRIORITY".to_owned()),
        ],
        rest in prop_oneof!["", " [ -~]{0,30}", " [A-Z]{1,9}=[0-9]{1,7}( [A-Z]=)?", "\\PC{0,8}"],
    ) {
        let text = format!("{keyword}{rest}");
        let capability = Capability::parse(text.as_bytes());
        let written = line(&capability);
        if let Capability::Malformed(kept) = capability {
            prop_assert_eq!(kept, text.as_bytes());
        } else {
            prop_assert_eq!(Capability::parse(written.as_bytes()), capability);
            prop_assert_eq!(line(&Capability::parse(written.as_bytes())), written.clone());
        }
        prop_assert!(written.bytes().all(|byte| byte == 9 || (32..=126).contains(&byte)));
    }
}

#[test]
fn no_limits_without_a_limit() {
    let none = Capabilities::NONE.with(Extension::Limits);
    assert_eq!(none, Capabilities::NONE);
    let some = Capabilities::NONE.with_limits(Limits::NONE.with_rcpt_max(5));
    assert!(some.contains(Extension::Limits));
    assert_eq!(some.with(Extension::Limits), some);
    assert_eq!(some.with_limits(Limits::NONE), none);
    // What a server announces that has no name here is no line to pass on.
    let mut unknown = Capabilities::NONE;
    unknown.insert(&Capability::parse(b"LIMITS FOO=1"));
    assert!(unknown.contains(Extension::Limits));
    assert_eq!(unknown.iter().count(), 0);
}

#[test]
fn only_a_250_offers_anything() {
    for (bytes, empty) in [
        (&b"250-mx\r\n250 DSN\r\n"[..], false),
        (b"251-mx\r\n251 DSN\r\n", true),
        (b"550-mx\r\n550 DSN\r\n", true),
        (b"250 DSN\r\n", true),
    ] {
        let Ok(Parsed::Complete { value, .. }) = Reply::parse(bytes, &Policy::STRICT) else {
            panic!();
        };
        assert_eq!(Capabilities::from_reply(&value).is_empty(), empty);
    }
}

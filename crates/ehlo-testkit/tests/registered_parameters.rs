//! The parameters of MAIL, RCPT, VRFY and EXPN against the registry, row by row.
#![allow(clippy::unwrap_used)] // a test fails by panicking

use ehlo::syntax::SyntaxErrorKind;
use ehlo::syntax::code::EnhancedStatus;
use ehlo::syntax::parameter::Parameter;
use ehlo::{Command, Encode, Extension, Parsed, Policy};
use ehlo_testkit::vectors::{ENHANCED_STATUS_CODES, PARAMETERS, rows};

/// A row: the command, the parameter as it is written, its extension, and values that are none.
const ROWS: &[(&str, &str, Extension, &[&str])] = &[
    ("MAIL", "SIZE=1000", Extension::Size, &["=", "", "=x", "=-1", "=123456789012345678901"]),
    ("MAIL", "BODY=8BITMIME", Extension::EightBitMime, &["", "=", "=9BIT"]),
    (
        "MAIL",
        "TRANSID=<12@client.example>",
        Extension::Checkpoint,
        &["", "=12@x", "=<12>", "=<@x>"],
    ),
    ("MAIL", "BY=120;RT", Extension::DeliverBy, &["", "=120", "=0;R", "=-1;R", "=1234567890;N"]),
    ("MAIL", "RET=HDRS", Extension::Dsn, &["", "=", "=ALL"]),
    ("MAIL", "ENVID=QQ314159", Extension::Dsn, &["", "=", "=a+4", "=a+ZZ"]),
    ("RCPT", "NOTIFY=SUCCESS,DELAY", Extension::Dsn, &["", "=", "=NEVER,DELAY", "=SUCCESS,"]),
    ("RCPT", "ORCPT=rfc822;Bob@x.example", Extension::Dsn, &["", "=", "=rfc822", "=;a@x"]),
    ("MAIL", "SOLICIT=net.example:ADV", Extension::NoSoliciting, &["", "=", "=1x", "=a,"]),
    ("MAIL", "MTRK=YWJjZA:3600", Extension::Mtrk, &["", "=", "=YWJj:", "=YWJj:1234567890"]),
    ("MAIL", "SUBMITTER=a@x.example", Extension::Submitter, &["", "=", "=nobody"]),
    ("MAIL", "AUTH=a@x.example", Extension::Auth, &["", "=", "=nobody", "=a@x+0D"]),
    ("MAIL", "HOLDFOR=86400", Extension::FutureRelease, &["", "=0", "=x", "=1000000000"]),
    (
        "MAIL",
        "HOLDUNTIL=2027-01-01T00:00:00Z",
        Extension::FutureRelease,
        &["", "=2027-13-01T00:00:00Z", "=2027-01-01T00:00:00+01:00", "=1"],
    ),
    ("MAIL", "SMTPUTF8", Extension::SmtpUtf8, &["=", "=1"]),
    ("MAIL", "CONPERM", Extension::ConPerm, &["=", "=1"]),
    ("RCPT", "CONNEG", Extension::ConNeg, &["=", "=1"]),
    ("MAIL", "MT-PRIORITY=-9", Extension::MtPriority, &["", "=10", "=-0", "=+3", "=03"]),
    (
        "RCPT",
        "RRVS=2014-04-03T23:01:00Z;C",
        Extension::Rrvs,
        &["", "=x", "=2014-04-03T23:01:00Z;X"],
    ),
    ("MAIL", "REQUIRETLS", Extension::RequireTls, &["=", "=1"]),
    ("MAIL", "ALT-ADDRESS=a@x.example", Extension::Utf8Smtp, &["", "=", "=nobody"]),
    ("VRFY", "SMTPUTF8", Extension::SmtpUtf8, &[]),
    ("MAIL", "PRDR", Extension::Prdr, &["=", "=1"]),
];

#[test]
fn every_row_of_the_registry_is_typed() {
    let registry: Vec<Vec<&str>> = rows(PARAMETERS).collect();
    assert_eq!(registry.len(), ROWS.len());
    for (row, (verb, text, extension, wrong)) in registry.iter().zip(ROWS) {
        let keyword = text.split('=').next().unwrap();
        assert_eq!((row[0].split('/').next(), row[1]), (Some(*verb), keyword));
        assert!(row[5].split(' ').any(|name| name == extension.keyword()), "{keyword}");
        if *verb == "VRFY" {
            for verb in ["VRFY", "EXPN"] {
                assert_eq!(
                    canonical(&format!("{verb} user {text}\r\n")).as_deref(),
                    Ok(&*format!("{verb} user {text}\r\n"))
                );
            }
            continue;
        }
        // Typed, licensed, and written back as it was.
        let line = command(verb, text);
        let parsed = parse(line.as_bytes()).unwrap();
        let (Command::Mail { parameters, .. } | Command::Rcpt { parameters, .. }) = parsed else {
            panic!("{line}");
        };
        let typed: Vec<_> = parameters.iter().collect();
        assert!(!matches!(typed[..], [Parameter::Other(_)]), "{keyword}");
        assert_eq!((typed.len(), typed[0].keyword()), (1, keyword));
        assert_eq!(typed[0].extension(), Some(*extension));
        assert_eq!(canonical(&line).as_deref(), Ok(&*line));
        // In any case.
        assert_eq!(
            parse(
                command(
                    verb,
                    &text
                        .to_ascii_lowercase()
                        .replace("t00", "T00")
                        .replace("t23", "T23")
                        .replace("00z", "00Z")
                )
                .as_bytes()
            )
            .map(|c| c.verb()),
            Ok(parsed.verb()),
            "{keyword}"
        );
        // Once, and on its own command.
        let twice = command(verb, &format!("{text} {text}"));
        assert_eq!(canonical(&twice), Err(SyntaxErrorKind::DuplicateParameter), "{keyword}");
        if row[0] != "MAIL/RCPT" {
            let other = if *verb == "MAIL" { "RCPT" } else { "MAIL" };
            assert!(canonical(&command(other, text)).is_err(), "{keyword} on {other}");
        }
        // With the values of its grammar only.
        for value in *wrong {
            let line = command(verb, &format!("{keyword}{value}"));
            assert!(canonical(&line).is_err(), "{line}");
        }
        // As a whole word only: its neighbours are parameters that nobody knows.
        let Ok(Command::Mail { parameters, .. }) = parse(b"MAIL FROM:<> X-SIZE=1 SIZEX=1\r\n")
        else {
            panic!("unknown parameters are kept");
        };
        assert!(parameters.iter().all(|parameter| parameter.extension().is_none()));
        // And it makes room for itself.
        if let Ok(bytes) = row[4].split(' ').next().unwrap_or_default().parse::<usize>() {
            assert_eq!(typed[0].allowance(), bytes, "{keyword}");
        }
    }
}

fn command(verb: &str, parameters: &str) -> String {
    match verb {
        "MAIL" => format!("MAIL FROM:<s@x.example> {parameters}\r\n"),
        _ => format!("RCPT TO:<r@x.example> {parameters}\r\n"),
    }
}

fn parse(line: &[u8]) -> Result<Command<'_>, SyntaxErrorKind> {
    match Command::parse(line, &Policy::STRICT) {
        Ok(Parsed::Complete { value, .. }) => Ok(value),
        Ok(Parsed::Incomplete) => panic!("{:?} is whole", line.escape_ascii().to_string()),
        Err(error) => Err(error.kind),
    }
}

fn canonical(line: &str) -> Result<String, SyntaxErrorKind> {
    let command = parse(line.as_bytes())?;
    let mut out = vec![0; command.encoded_len()];
    command.encode(&mut out).unwrap();
    Ok(String::from_utf8(out).unwrap())
}

#[test]
fn every_enhanced_status_code_of_the_registry_is_known() {
    let listed: Vec<_> = rows(ENHANCED_STATUS_CODES).map(|row| row[0]).collect();
    let named: Vec<_> = EnhancedStatus::ALL.iter().map(|status| format!("{status:?}")).collect();
    assert_eq!(named, listed);
    for status in EnhancedStatus::ALL {
        assert!(status.meaning().is_some());
        assert_eq!(status.permanent().status(), *status);
    }
}

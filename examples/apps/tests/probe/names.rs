//! Names and addresses.

use crate::server::Script;
use crate::{dns, probe, told};

#[test]
fn a_name_is_checked_against_its_address() {
    let (dns, server) = (dns::Server::start(), Script::sound().start());
    // The name, the address, what is found, and words of the one finding.
    let cases = [
        ("client.test", "192.0.2.10", ["Matches", "pass"], ""),
        ("client.test", "::ffff:192.0.2.10", ["Matches", "pass"], ""),
        ("[192.0.2.10]", "192.0.2.10", ["Matches", "pass"], ""),
        ("192-0-2-50.pool.test", "192.0.2.50", ["Matches", "pass"], ""),
        (
            "missing.test",
            "192.0.2.20",
            ["Matches", "permerror"],
            "no reverse DNS name: a receiver may answer 550 5.7.25.",
        ),
        ("mismatch.test", "192.0.2.30", ["Matches", "fail"], "has the reverse DNS name other.test"),
        (
            "failing.test",
            "192.0.2.40",
            ["Matches", "temperror"],
            "cannot be looked up now: a receiver may answer 451 4.7.25.",
        ),
        (
            "other.test",
            "192.0.2.10",
            ["Elsewhere", "pass"],
            "other.test has other addresses than 192.0.2.10.",
        ),
        (
            "nowhere.test",
            "192.0.2.10",
            ["NoAddress", "pass"],
            "nowhere.test has no address in DNS.",
        ),
        (
            "mail.broken",
            "192.0.2.10",
            ["TemporaryFailure", "pass"],
            "addresses of mail.broken cannot be looked up now.",
        ),
        (
            "client",
            "192.0.2.10",
            ["Unchecked", "pass"],
            "not fully qualified: a receiver may answer 501 5.5.4.",
        ),
    ];
    for (name, address, found, words) in cases {
        let told = told(&server, &dns, &["--helo", name, "--ip", address]);
        let check = &told.json["checks"][1];
        assert_eq!([&check["claim"], &check["iprev"]], found, "{name}");
        assert_eq!((&check["of"], &check["name"]), (&"own".into(), &name.into()));
        let wrong = told.wrong();
        match words {
            "" => assert_eq!((wrong.len(), told.code), (0, Some(0)), "{name}: {wrong:?}"),
            words => {
                assert!(wrong.len() == 1 && wrong[0].contains(words), "{name}: {wrong:?}");
                assert_eq!(told.code, Some(1));
            }
        }
    }
}

#[test]
fn what_is_to_be_changed_is_told() {
    let (dns, server) = (dns::Server::start(), Script::sound().start());
    let output = probe(&server, &dns, &["--helo", "mismatch.test", "--ip", "192.0.2.30"]);
    let text = String::from_utf8_lossy(&output.stdout);
    for line in [
        "no  the address leads to a name and back, other.test: the name does not have this address",
        "a PTR record of 192.0.2.30 that says mismatch.test",
        "a record other.test A 192.0.2.30",
    ] {
        assert!(text.contains(line), "{line} is not in {text}");
    }
    let output = probe(&server, &dns, &["--helo", "other.test", "--ip", "192.0.2.10"]);
    let text = String::from_utf8_lossy(&output.stdout);
    for setting in ["smtp_helo_name", "helo_data", "confDOMAIN_NAME", "relay helo NAME"] {
        assert!(text.contains(setting), "{setting} is not in {text}");
    }
}

#[test]
fn the_announced_name_is_checked() {
    let dns = dns::Server::start();
    let cases = [
        ("220 other.test ESMTP Postfix\r\n", "other.test has other addresses than 127.0.0.1."),
        ("220 mx ESMTP Postfix\r\n", "mx: the name is not fully qualified."),
        ("220 mx_1.test ESMTP Postfix\r\n", "mx_1.test: a host name has no underscore."),
        ("220 \r\n", "The greeting does not say which host this is."),
    ];
    for (greeting, expected) in cases {
        let server = Script { greeting, ..Script::sound() }.start();
        let told = told(&server, &dns, &[]);
        assert!(told.wrong().contains(&expected), "{greeting}: {:?}", told.wrong());
        assert_eq!(told.code, Some(1));
        let changes = told.json["findings"][0]["change"].to_string();
        if greeting.contains("Postfix") {
            assert!(!changes.contains("Exim"), "{changes}");
        }
    }
    // The two names of a server need not be the same, but each is checked.
    let told = told(&Script::sound().with("EHLO", "250 missing.test\r\n").start(), &dns, &[]);
    assert_eq!(told.findings("notice").len(), 2, "{}", told.json);
    assert_eq!(told.wrong(), ["missing.test has other addresses than 127.0.0.1."]);
    assert_eq!(told.json["checks"].as_array().map(Vec::len), Some(3));
}

#[test]
fn an_address_that_others_do_not_see_is_not_checked() {
    let (dns, server) = (dns::Server::start(), Script::sound().start());
    let told = told(&server, &dns, &["--helo", "client.test"]);
    assert_eq!(told.json["checks"].as_array().map(Vec::len), Some(1));
    assert!(told.findings("notice").iter().any(|text| text.contains("with --ip")));
    assert_eq!(told.code, Some(0));
}

#[test]
fn the_server_is_found_by_its_name() {
    let (dns, server) = (dns::Server::start(), Script::sound().start());
    let port = server.rsplit(':').next().expect("there is a port");
    let told = told(&format!("mx.test:{port}"), &dns, &[]);
    assert_eq!((&told.json["host"], told.code), (&"mx.test".into(), Some(0)));
    for (host, reason) in [
        ("nowhere.test:25", "probe: cannot resolve nowhere.test: it does not exist\n"),
        ("mx.broken:25", "probe: cannot resolve mx.broken: "),
    ] {
        let output = probe(host, &dns, &[]);
        let error = String::from_utf8_lossy(&output.stderr);
        assert!(error.starts_with(reason) && error.lines().count() == 1, "{error}");
        assert_eq!(output.status.code(), Some(2));
    }
}

#[test]
fn a_name_that_cannot_be_said_is_explained() {
    let (dns, server) = (dns::Server::start(), Script::sound().start());
    for (name, words) in [
        ("my_host.example.org", "a host name has no underscore"),
        ("client.test.", "the name ends with a dot"),
        ("münchen.test", "A-labels are to be sent, xn--mnchen-3ya.test"),
        ("2001:db8::10", "an address needs brackets"),
        ("192.0.2.10", "an address needs brackets"),
        ("[2001:db8::10]", "begins with [IPv6:"),
        ("host name", "neither a host name nor an address literal"),
    ] {
        let told = told(&server, &dns, &["--helo", name, "--ip", "192.0.2.10"]);
        assert_eq!(told.code, Some(1), "{name}");
        let wrong = told.wrong();
        assert!(wrong.iter().any(|wrong| wrong.contains(words)), "{name}: {wrong:?}");
        // Something is said to the server all the same.
        assert!(told.json["ehlo"]["reply"]["code"] == 250, "{name}: {}", told.json);
    }
}

#[test]
fn a_reverse_record_that_is_no_host_name_has_no_name_to_print() {
    let (dns, server) = (dns::Server::start(), Script::sound().start());
    let output = probe(&server, &dns, &["--helo", "client.test", "--ip", "192.0.2.60"]);
    let text = String::from_utf8_lossy(&output.stdout);
    assert!(!text.contains("name ,") && !text.contains("back, :"), "{text}");
    assert_eq!(output.status.code(), Some(1));
}

//! Keywords and parameters that no RFC knows, from a client through a proxy to a server, and what a
//! server offers in words and numbers.

use ehlo::server::{CannotOffer, Event, Reason};
use ehlo::syntax::capability::{Capabilities, Limits, Offer, Offers};
use ehlo::syntax::parameter::{OtherParameter, Parameter, Parameters};
use ehlo::syntax::path::ClientName;
use ehlo::syntax::{SyntaxErrorKind, command::Verb};
use ehlo::{
    Client, ClientConfig, Command, Extension, ForwardPath, ReversePath, SendError, Server,
    ServerConfig,
};
use ehlo_testkit::peer::Peer;

static OFFERS: Offers = match Offers::new(&[
    Offer::new("XOORG").with_mail(&["XOORG"]),
    Offer::new("X-TEST one two").with_mail(&["X-FOO"]).with_rcpt(&["X-BAR", "X-FOO"]),
    Offer::new("BURL imap imap://mail.example"),
    Offer::new("NO-SOLICITING net.example:ADV"),
]) {
    Ok(offers) => offers,
    Err(_) => panic!("the lines are right"),
};

const PLAIN: ServerConfig = ServerConfig {
    offered: Capabilities::NONE.with(Extension::Pipelining).with(Extension::EnhancedStatusCodes),
    ..ServerConfig::DEFAULT
};
const OFFERING: ServerConfig =
    ServerConfig { offered: PLAIN.offered.with_offers(&OFFERS), ..PLAIN };

fn said(peer: &mut Peer, line: &str) -> String {
    peer.sent.clear();
    peer.feed(format!("{line}\r\n").as_bytes());
    String::from_utf8_lossy(&peer.sent).trim_end().to_owned()
}

fn greeted(config: ServerConfig) -> Peer {
    let mut peer = Peer::new(config);
    peer.feed(b"");
    said(&mut peer, "EHLO c.example");
    peer
}

#[test]
fn ehlo_lists_them_with_their_words() {
    let mut peer = Peer::new(OFFERING);
    peer.feed(b"");
    let listed = said(&mut peer, "EHLO c.example");
    for line in [
        "250-PIPELINING",
        "250-NO-SOLICITING net.example:ADV",
        "250-BURL imap imap://mail.example",
        "250-XOORG",
        "250 X-TEST one two",
    ] {
        assert!(listed.lines().any(|own| own == line), "{line}: {listed}");
    }
    // Without its extension there are no words of it.
    let offered = OFFERING.offered.without(Extension::Burl);
    assert!(!offered.to_string().contains("BURL"));
}

#[test]
fn a_server_takes_what_it_offers_and_nothing_else() {
    let cases = [
        ("MAIL FROM:<a@x.example> X-FOO=bar XOORG=x.example", "250", "555 5.5.4"),
        ("MAIL FROM:<a@x.example> xoorg x-foo=1", "250", "555 5.5.4"),
        ("MAIL FROM:<a@x.example> X-BAR=1", "555 5.5.4", "555 5.5.4"),
        ("MAIL FROM:<a@x.example> X-BAZ", "555 5.5.4", "555 5.5.4"),
        ("MAIL FROM:<a@x.example> X-FOO X-FOO=2", "501", "555 5.5.4"),
        ("MAIL FROM:<a@x.example> X-FOO=", "501", "501"),
    ];
    for (line, offering, plain) in cases {
        for (config, code) in [(OFFERING, offering), (PLAIN, plain)] {
            let reply = said(&mut greeted(config), line);
            assert!(reply.starts_with(code), "{line}: {reply}");
        }
    }
    let mut peer = greeted(OFFERING);
    said(&mut peer, "MAIL FROM:<a@x.example>");
    for (line, code) in [("X-FOO X-BAR=1", "250"), ("XOORG", "555"), ("X-BAR x-bar", "501")] {
        let reply = said(&mut peer, &format!("RCPT TO:<b@y.example> {line}"));
        assert!(reply.starts_with(code), "{line}: {reply}");
    }
    // A client that said HELO was offered nothing.
    said(&mut peer, "HELO c.example");
    let reply = said(&mut peer, "MAIL FROM:<a@x.example> X-FOO=bar");
    assert!(reply.starts_with("555"), "{reply}");
}

#[test]
fn what_is_wrong_with_an_offer_is_told() {
    use SyntaxErrorKind::{DuplicateParameter, LineTooLong, Parameter as Wrong};
    const LONG: &str = match std::str::from_utf8(&[b'X'; 507]) {
        Ok(text) => text,
        Err(_) => panic!("ASCII"),
    };
    const MANY: &[Offer] = &[Offer::new("X"); 21];
    static CASES: &[(&[Offer], SyntaxErrorKind, usize)] = &[
        (&[Offer::new("")], Wrong, 0),
        (&[Offer::new("-X")], Wrong, 0),
        (&[Offer::new("X"), Offer::new("Y\r\nZ")], Wrong, 1),
        (&[Offer::new("X ")], Wrong, 0),
        (&[Offer::new("X  Y")], Wrong, 0),
        (&[Offer::new("X é")], Wrong, 0),
        (&[Offer::new("X=Y")], Wrong, 0),
        (&[Offer::new("SIZE 1000")], Wrong, 0),
        (&[Offer::new("AUTH PLAIN")], Wrong, 0),
        (&[Offer::new("BURL imap").with_mail(&["X"])], Wrong, 0),
        (&[Offer::new("X").with_mail(&["SIZE"])], Wrong, 0),
        (&[Offer::new("X").with_rcpt(&["X=Y"])], Wrong, 0),
        (&[Offer::new("X"), Offer::new("x Y")], DuplicateParameter, 1),
        (&[Offer::new(LONG)], LineTooLong, 0),
        (MANY, DuplicateParameter, 1),
    ];
    for (list, kind, offset) in CASES {
        let error = Offers::new(list).expect_err("it is wrong");
        assert_eq!((error.kind, error.offset), (*kind, *offset), "{list:?}");
    }
}

/// What an application gave, a new client does not have.
#[test]
fn an_offer_is_withdrawn_with_the_trust_it_came_from() {
    let private = "MAIL FROM:<a@x.example> X-FOO=bar";
    let with = |extension| ServerConfig { offered: OFFERING.offered.with(extension), ..OFFERING };
    let mut peer = greeted(with(Extension::Xclient));
    assert!(said(&mut peer, "XCLIENT NAME=other.example").starts_with("220"));
    said(&mut peer, "EHLO other.example");
    assert!(said(&mut peer, private).starts_with("555"));

    for (again, code) in [(false, "555"), (true, "250")] {
        let mut peer =
            greeted(ServerConfig { offered: PLAIN.offered.with(Extension::StartTls), ..PLAIN });
        peer.server.offer(OFFERING.offered.with(Extension::StartTls));
        assert!(said(&mut peer, "STARTTLS").starts_with("220"));
        assert_eq!(peer.server.tls_established(b""), Ok(()));
        if again {
            peer.server.offer(OFFERING.offered);
        }
        said(&mut peer, "EHLO c.example");
        let reply = said(&mut peer, private);
        assert!(reply.starts_with(code), "{reply}");
    }
    // What was configured from the start stays.
    let mut peer = greeted(with(Extension::StartTls));
    assert!(said(&mut peer, "STARTTLS").starts_with("220"));
    assert_eq!(peer.server.tls_established(b""), Ok(()));
    said(&mut peer, "EHLO c.example");
    assert!(said(&mut peer, private).starts_with("250"));
}

/// RFC 9422 §4.3.
#[test]
fn a_server_keeps_to_the_domains_that_it_offers() {
    for max in 1..=3_u32 {
        let offered = PLAIN
            .offered
            .with_limits(Limits::NONE.with_rcpt_domain_max(max))
            .with(Extension::Xclient);
        let mut peer = greeted(ServerConfig { offered, ..PLAIN });
        for message in 0..3 {
            said(&mut peer, "MAIL FROM:<a@x.example>");
            for domain in 0..6_u32 {
                let reply = said(&mut peer, &format!("RCPT TO:<b@D{domain}.Example>"));
                let expected = if domain < max { "250" } else { "452 4.5.3" };
                assert!(reply.starts_with(expected), "{max} {message} {domain}: {reply}");
                let lower = said(&mut peer, &format!("RCPT TO:<c@d{domain}.example>"));
                assert!(lower.starts_with(expected), "{max} {domain}: {lower}");
            }
            assert!(said(&mut peer, "RCPT TO:<postmaster>").starts_with("250"));
            said(&mut peer, "RSET");
        }
        // XCLIENT begins another session.
        assert!(said(&mut peer, "XCLIENT NAME=other.example").starts_with("220"));
        said(&mut peer, "EHLO other.example");
        said(&mut peer, "MAIL FROM:<a@x.example>");
        assert!(said(&mut peer, "RCPT TO:<b@new.example>").starts_with("250"));
    }
    // It has no place for the names of more, so it offers no more.
    let offered = PLAIN.offered.with_limits(Limits::NONE.with_rcpt_domain_max(4).with_rcpt_max(7));
    let config = ServerConfig { offered, ..PLAIN };
    assert_eq!(config.check(), Err(CannotOffer(Extension::Limits)));
    let limits = Server::new(config).offered().limits();
    assert_eq!((limits.rcpt_domain_max(), limits.rcpt_max()), (None, Some(7)));
}

/// A client, a proxy and a server, each with its own machine.
#[test]
fn private_parameters_go_from_a_client_through_a_proxy_to_a_server() {
    for (proxy, server, fault) in [
        (true, true, None),
        (true, false, Some("server")),
        (false, true, Some("proxy")),
        (false, false, Some("proxy")),
    ] {
        let of = |offers| if offers { OFFERING } else { PLAIN };
        // What the server offers, and what the proxy passes on of it.
        let mut behind = Server::new(of(server));
        let mut up = client(true, &mut behind, false);
        let passed = of(proxy).offered.intersection(*up.capabilities());
        let mut front = Server::new(ServerConfig { offered: passed, ..PLAIN });
        let mut user = client(true, &mut front, false);

        let one = [other("X-FOO", "bar"), other("XOORG", "x.example")];
        let mail = mail(&one);
        let sent = pass(&mut user, &mut front, &mail);
        if fault.is_some() {
            assert_eq!(sent, Err(SendError::UnknownParameter), "{proxy} {server}");
            // A client that sends it all the same hears 555.
            let mut tester = client(true, &mut front, true);
            assert_eq!(pass(&mut tester, &mut front, &mail), Ok(555));
            continue;
        }
        assert_eq!((sent, pass(&mut up, &mut behind, &mail)), (Ok(250), Ok(250)));
        let two = [other("X-BAR", "baz")];
        let rcpt = rcpt(&two);
        assert_eq!(pass(&mut user, &mut front, &rcpt), Ok(250));
        assert_eq!(pass(&mut up, &mut behind, &rcpt), Ok(250));
    }
    // A client that was not told of them sends none, whatever the server offers.
    let mut server = Server::new(OFFERING);
    let one = [other("X-FOO", "bar")];
    let mut user = client(false, &mut server, false);
    assert_eq!(pass(&mut user, &mut server, &mail(&one)), Err(SendError::UnknownParameter));
}

/// Sends what a server does not offer, which no client does by default.
#[test]
fn a_tester_sends_what_is_not_offered() {
    for (tests, sent) in [(false, Err(SendError::NotOffered(Extension::Size))), (true, Ok(555))] {
        let mut server = Server::new(PLAIN);
        let mut user = client(false, &mut server, tests);
        let size = [Parameter::Size(1000)];
        assert_eq!(pass(&mut user, &mut server, &mail(&size)), sent);
    }
}

fn other<'a>(keyword: &'a str, value: &'a str) -> Parameter<'a> {
    Parameter::Other(OtherParameter::new(keyword, Some(value)).expect("a parameter"))
}

fn mail<'a>(list: &'a [Parameter<'a>]) -> Command<'a> {
    let parameters = Parameters::mail(list).expect("of MAIL");
    Command::Mail { reverse_path: ReversePath::Null, parameters }
}

fn rcpt<'a>(list: &'a [Parameter<'a>]) -> Command<'a> {
    let parameters = Parameters::rcpt(list).expect("of RCPT");
    let forward_path = ForwardPath::try_from("b@y.example").expect("a path");
    Command::Rcpt { forward_path, parameters }
}

/// A client that has said EHLO.
fn client(knows: bool, server: &mut Server, unoffered: bool) -> Client {
    let offers = if knows { &OFFERS } else { Offers::NONE };
    let mut client = Client::new(ClientConfig { offers, unoffered, ..ClientConfig::DEFAULT });
    let mut out = [0; 1024];
    if server.pending() == Some(Verb::Greeting) {
        let n = server.reply(&server.standard_reply("mx.example"), &mut out).expect("a greeting");
        client.receive(&out[..n]);
    } else {
        client.receive(b"220 mx.example\r\n");
    }
    let name = ClientName::new("c.example").expect("a name");
    pass(&mut client, server, &Command::Ehlo(name)).expect("EHLO");
    client
}

/// Sends a command to a server, which answers as usual: the code.
fn pass(client: &mut Client, server: &mut Server, command: &Command<'_>) -> Result<u16, SendError> {
    let mut out = [0; 1024];
    let n = client.send(command, &mut out)?;
    match server.receive(&out[..n]).event {
        Event::Command(received) => assert_eq!(received, *command),
        Event::Refused(refusal) => assert!(
            matches!(refusal.reason, Reason::UnknownParameter | Reason::NotOffered(_)),
            "{refusal:?}"
        ),
        event => panic!("{event:?}"),
    }
    let mut reply = [0; 1024];
    let n = server.reply(&server.standard_reply("mx.example"), &mut reply).expect("a reply");
    match client.receive(&reply[..n]).event {
        ehlo::client::Event::Reply { reply, .. } => Ok(reply.code().number()),
        event => panic!("{event:?}"),
    }
}

//! Sequence and resources.

use ehlo::machine::Machine;
use ehlo::server::Event;
use ehlo::server::{Role, ServerLimits};
use ehlo::session::State;
use ehlo::syntax::capability::Capabilities;
use ehlo::syntax::command::Verb;
use ehlo::syntax::limits;
use ehlo::{Code, Extension, Reply, ReplyError, Server, ServerConfig};
use ehlo_testkit::peer::Peer;

use crate::{CONFIG, ENVELOPE, INSIDE_TLS, after, codes, feed};

/// ALPACA and its kin: whatever another protocol begins with ends the session, and none of it comes
/// back.
#[test]
fn v44_no_other_protocol_is_spoken_and_nothing_is_echoed() {
    let inputs: [&[u8]; 9] = [
        b"POST / HTTP/1.1\r\nHost: mx.example\r\n\r\nEHLO x\r\nMAIL FROM:<a@b.example>\r\n",
        b"GET /<script>alert(1)</script> HTTP/1.1\r\n",
        b"OPTIONS sip:x SIP/2.0\r\n",
        b"Host: <script>\r\n",
        b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n",
        b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03",
        b"\x80\x2e\x01\x03\x01",
        b"\x00\x00\x00\x0c",
        b"\xff\xf4\xff\xfd\x06",
    ];
    for input in inputs {
        for greeted in [Peer::new(CONFIG), after(CONFIG, b""), after(CONFIG, ENVELOPE)] {
            let mut greeted = greeted;
            greeted.feed(b"");
            greeted.sent.clear();
            let (codes, peer) = feed(&greeted, input);
            assert_eq!((codes, peer.is_closed()), (vec![421], true), "{}", input.escape_ascii());
            assert_eq!(peer.sent, b"421 4.7.0 this is SMTP\r\n");
        }
    }
    // Within AUTH it is a response, within the mail data content.
    let peer = after(INSIDE_TLS, b"AUTH PLAIN\r\n");
    assert_eq!(codes(&peer, b"GET / HTTP/1.1\r\n"), [501]);
    let peer = after(CONFIG, ENVELOPE);
    assert_eq!(codes(&peer, b"DATA\r\nHost: x\r\nGET /\r\n.\r\n"), [354, 250]);
}

#[test]
fn v94_early_talkers() {
    // It is seen, and answered in order.
    for early in [&b"E"[..], b"EHLO client.example\r\n", b"EHLO client.example\r\nNOOP\r\n"] {
        let mut peer = Peer::new(CONFIG);
        let replies = peer.feed(early);
        assert!(peer.server.talked_early());
        assert_eq!(replies[0], 220);
        assert_eq!(replies.len(), 1 + early.split(|byte| *byte == b'\n').count() - 1);
    }
    assert!(!after(CONFIG, b"").server.talked_early());

    // Where so configured it is refused: 554, then QUIT only.
    let strict = ServerConfig { refuse_early: true, ..CONFIG };
    let mut peer = Peer::new(strict);
    assert_eq!(peer.feed(b"EHLO client.example\r\nQUIT\r\n"), [554, 503, 221]);
    let mut peer = Peer::new(strict);
    assert_eq!(peer.feed(b""), [220]);
    assert_eq!(peer.feed(b"EHLO client.example\r\n"), [250], "a client that waits");
}

#[test]
fn v94_speaking_out_of_turn() {
    let strict = ServerConfig { refuse_early: true, ..CONFIG };
    // EHLO and MAIL in one packet; a message before its 354; anything behind NOOP.
    for bytes in [
        &b"EHLO client.example\r\nMAIL FROM:<a@b.example>\r\n"[..],
        b"MAIL FROM:<a@b.example>\r\nRCPT TO:<c@d.example>\r\nDATA\r\nSubject: x\r\n\r\nx\r\n.\r\n",
        b"NOOP\r\nRSET\r\n",
        b"STARTTLS\r\nEHLO client.example\r\n",
    ] {
        let mut peer = after(strict, b"");
        assert_eq!(peer.feed(bytes).last(), Some(&554), "{}", bytes.escape_ascii());
        assert!(peer.is_closed() && peer.application.messages.is_empty());
    }
    // What RFC 2920 and RFC 3030 let a client send is taken.
    let mut peer = after(strict, b"");
    assert_eq!(
        peer.feed(b"RSET\r\nMAIL FROM:<>\r\nRCPT TO:<c@d.example>\r\nDATA\r\n"),
        [250, 250, 250, 354]
    );
    assert_eq!(
        peer.feed(
            b"x\r\n.\r\nMAIL FROM:<>\r\nRCPT TO:<c@d.example>\r\nBDAT 1\r\nxBDAT 1 LAST\r\ny"
        ),
        [250, 250, 250, 250, 250]
    );
    assert_eq!(peer.feed(b"QUIT\r\nQUIT\r\n"), [221]);
    // Without PIPELINING nothing may be sent ahead.
    let lock_step = ServerConfig { offered: Capabilities::NONE, ..strict };
    let mut peer = after(lock_step, b"");
    assert_eq!(peer.feed(b"MAIL FROM:<>\r\nRCPT TO:<c@d.example>\r\n"), [554]);
}

#[test]
fn v97_the_default_budgets() {
    let config = ServerConfig { limits: ServerLimits::DEFAULT, ..CONFIG };
    let mut peer = after(config, b"");
    let replies = peer.feed(&b"DATA\r\n".repeat(30));
    assert_eq!((&replies[..20], replies[20], replies.len()), (&[503; 20][..], 421, 21));
    assert!(peer.is_closed());
    // EHLO was the first of a hundred.
    let mut peer = after(config, b"");
    let replies = peer.feed(&b"NOOP\r\n".repeat(200));
    assert_eq!((&replies[..99], replies[99], replies.len()), (&[250; 99][..], 421, 100));
    let mut peer = after(config, b"");
    assert_eq!(peer.feed(&b"XYZZY\r\n".repeat(20)).len(), 11);
    let mut peer = after(config, b"");
    let replies = peer.feed(&[ENVELOPE, b"DATA\r\n.\r\n"].concat().repeat(1001));
    assert_eq!((replies.len(), replies.last()), (4001, Some(&421)));
    // Recipients that do not exist count, too.
    let mut peer = after(config, b"MAIL FROM:<>\r\n");
    assert_eq!(peer.feed(&b"RCPT TO:<nobody@d.example>\r\n".repeat(30)).len(), 21);
    // Without limits there are none.
    let mut peer = after(ServerConfig { limits: ServerLimits::UNLIMITED, ..CONFIG }, b"");
    assert_eq!(peer.feed(&b"NOOP\r\nDATA\r\nX\r\n".repeat(30_000)).len(), 90_000);
}

/// The chunks of a client that was cut off are not read any more, nor taken for commands.
#[test]
fn v97_what_follows_the_421_is_nothing() {
    let limits = ServerLimits { errors: 1, ..ServerLimits::DEFAULT };
    let peer = after(ServerConfig { limits, ..CONFIG }, b"");
    let (codes, peer) = feed(&peer, b"DATA\r\nBDAT 6\r\nNOOP\r\nNOOP\r\n");
    assert_eq!((codes, peer.is_closed()), (vec![503, 421], true));
}

/// Whatever is asked over and over without mail, however it is answered, comes to an end.
#[test]
fn v104_nothing_is_asked_for_ever() {
    let offered = CONFIG.offered.with(Extension::Xclient);
    let limits = ServerLimits { recipients: 100, ..ServerLimits::DEFAULT };
    let config = ServerConfig { offered, limits, ..INSIDE_TLS };
    let (not_now, yes) = (Reply::new(Code::LOCAL_ERROR, "not now"), Reply::new(Code::OK, "yes"));
    let go_on = Reply::new(Code::AUTHENTICATION_CONTINUES, "");
    let long = [&b"NOOP "[..], &[b'x'; 13_000], b"\r\n"].concat();
    let with_recipient = [ENVELOPE, b"RCPT TO:<c@d.example>\r\n"].concat();
    // What is sent first, what over and over, the answer where it is not the standard one, and how
    // many replies there are until the 421.
    #[allow(clippy::type_complexity)] // a row of a table
    let cases: [(&[u8], &[u8], Option<Reply<'_>>, usize); 12] = [
        (b"", &long, None, 10),
        (&with_recipient, b"BDAT 0\r\n", None, 99),
        // A hundred, and a hundred more that are told to come again; then each is an error.
        (&with_recipient, b"RCPT TO:<c@d.example>\r\n", None, 98 + 100 + 20),
        (&with_recipient, b"DATA\r\n", Some(not_now), 20),
        (b"", b"AUTH PLAIN AHVzZXIAc2VjcmV0\r\n", Some(not_now), 20),
        (b"AUTH PLAIN\r\n", b"AHVzZXIAc2VjcmV0\r\n", Some(go_on), 98),
        (b"", b"XCLIENT ADDR=192.0.2.1\r\n", Some(not_now), 20),
        (b"", b"XYZZY\r\n", Some(yes), 99),
        (b"", b"XYZZY\r\n", Some(not_now), 20),
        (b"", b"NOOP x y z\r\n", None, 99),
        // What the machine refuses, the application may refuse otherwise.
        (b"", b"DATA\r\n", Some(not_now), 20),
        (b"", b"MAIL FROM:<x>\r\n", Some(not_now), 20),
    ];
    for (first, bytes, answer, most) in cases {
        let shown = bytes[..bytes.len().min(40)].escape_ascii();
        let mut peer = after(config, first);
        let mut replies = 0;
        while peer.server.state() != State::Closed {
            assert!(replies <= most, "{replies} replies to {shown}");
            peer.unread.extend_from_slice(bytes);
            loop {
                let received = peer.server.receive(&peer.unread);
                peer.unread.drain(..received.consumed);
                if peer.server.pending().is_none() {
                    break;
                }
                let standard = peer.server.standard_reply("mx.example");
                let own = answer.filter(|_| standard.code() != Code::SERVICE_NOT_AVAILABLE);
                let reply = own.unwrap_or(standard);
                peer.server.reply(&reply, &mut [0; 512]).expect("a reply");
                replies += usize::from(peer.server.state() != State::Closed);
            }
        }
        assert_eq!(replies, most, "{shown}");
    }
}

/// After 221, after 421 and where TLS begins, there is nothing to say, asked for or not.
#[test]
fn v105_nothing_is_said_after_the_end() {
    let reply = Reply::new(Code::SERVICE_NOT_AVAILABLE, "timeout").with_domain("mx.example");
    let mut out = [0; 64];
    let mut ends = [after(CONFIG, b"QUIT\r\n"), after(CONFIG, b"STARTTLS\r\n"), after(CONFIG, b"")];
    ends[2].server.close(&reply, &mut out).expect("a 421");
    let mut lost = after(CONFIG, b"");
    lost.end_of_input();
    for mut peer in ends.into_iter().chain([lost]) {
        let state = peer.server.state();
        for _ in 0..3 {
            assert_eq!(peer.server.close(&reply, &mut out), Err(ReplyError::NothingPending));
            assert_eq!(peer.server.state(), state);
        }
    }
    let mut peer = after(CONFIG, b"STARTTLS\r\n");
    peer.establish_tls();
    let written = peer.server.close(&reply, &mut out).expect("a 421 inside TLS");
    assert_eq!(&out[..written], b"421 4.0.0 mx.example timeout\r\n");
}

#[test]
fn v98_timeouts() {
    // RFC 5321 §4.5.3.2.7: at least five minutes, whatever is awaited.
    for peer in [
        after(CONFIG, b""),
        after(CONFIG, ENVELOPE),
        after(CONFIG, &[ENVELOPE, b"DATA\r\n"].concat()),
    ] {
        assert!(peer.server.timeout() >= limits::COMMAND_TIMEOUT);
    }
}

#[test]
fn v99_one_reply_for_each_recipient() {
    let lmtp = ServerConfig { role: Role::Lmtp, ..CONFIG };
    for end in [&b"DATA\r\nx\r\n.\r\n"[..], b"BDAT 3 LAST\r\nx\r\n"] {
        let mut server = Server::new(lmtp);
        let mut out = [0; 512];
        let input = [
            b"LHLO client.example\r\nMAIL FROM:<>\r\nRCPT TO:<1@d.example>\r\nRCPT TO:<2@d.example>\r\n",
            end,
        ]
        .concat();
        let mut rest = &input[..];
        let mut after_data = 0;
        loop {
            let received = server.receive(rest);
            let owes = !matches!(
                received.event,
                Event::MailData(_) | Event::Chunk { .. } | Event::NeedInput
            );
            if matches!(server.pending(), Some(Verb::Message | Verb::BdatLast)) {
                after_data += 1;
                let expected = received.event == Event::NeedReply;
                assert_eq!(expected, after_data > 1, "the end of the data, then what is owed");
            }
            let at_end = received.event == Event::NeedInput;
            rest = &rest[received.consumed..];
            if at_end {
                break;
            }
            if owes {
                server.reply(&server.standard_reply("mx.example"), &mut out).expect("a reply");
            }
        }
        assert_eq!((after_data, server.state()), (2, State::Ready));
        // One too many.
        let reply = Reply::new(Code::OK, "and one more");
        assert_eq!(server.reply(&reply, &mut out), Err(ReplyError::NothingPending));
    }
}

//! Commands, addresses and their limits.

use ehlo::server::Event;
use ehlo::server::ServerLimits;
use ehlo::session::State;
use ehlo::syntax::capability::Capabilities;
use ehlo::{Code, Command, Extension, Policy, Reply, Server, ServerConfig};
use ehlo_testkit::peer::Peer;

use crate::{CONFIG, ENVELOPE, INSIDE_TLS, after, codes, feed};

fn greeted() -> Peer {
    after(CONFIG, b"")
}

/// CVE-2019-16928 among others: one reply to a line of any length, and the next one is in step.
#[test]
fn v79_lines_without_end() {
    for length in [513, 12_289, 70_000, 1 << 20] {
        for verb in ["NOOP ", "EHLO ", "XYZZY ", "RSET ", "BDATX "] {
            let line = [verb.as_bytes(), &vec![b'y'; length][..], b"\r\nNOOP\r\n"].concat();
            for size in [1000, 65_536, line.len()] {
                let mut peer = greeted();
                let mut replies = Vec::new();
                for piece in line.chunks(size) {
                    replies.extend(peer.feed(piece));
                    assert!(peer.unread.len() <= 16 * 1024, "{} are kept", peer.unread.len());
                }
                assert_eq!(replies, [500, 250], "{verb}{length} in pieces of {size}");
            }
        }
    }
    // At every split, with bare CR and LF behind the limit: they end no line.
    let mut line = b"NOOP ".to_vec();
    line.resize(4000, b'y');
    line.extend(b"\rX\nMAIL FROM:<evil@example.org>\n\r\r\nNOOP\r\n");
    let config = ServerConfig { offered: Capabilities::NONE, ..CONFIG };
    assert_eq!(codes(&after(config, b""), &line), [500, 250]);
}

/// A line that never ends is skipped up to a limit, as a refused chunk is; then the session is over.
#[test]
fn v107_a_line_without_end_ends_the_session() {
    let limits = ServerLimits { discarded: 10_000, ..CONFIG.limits };
    let config = ServerConfig { limits, offered: Capabilities::NONE, ..CONFIG };
    let auth = ServerConfig { limits, ..INSIDE_TLS };
    let peers = [
        (after(config, b""), 512),
        (after(config, ENVELOPE), 512),
        (after(auth, b"AUTH PLAIN\r\n"), limits.auth_line.into()),
    ];
    for (before, line) in peers {
        for size in [1, 7, 1000, 1 << 16] {
            let mut peer = before.clone();
            let bytes = vec![b'x'; line + 10_000];
            for (place, piece) in bytes.chunks(size).enumerate() {
                let is_last = size * (place + 1) >= bytes.len();
                assert_eq!(peer.feed(piece), [500][..usize::from(is_last)], "{place} of {size}");
            }
            assert!(peer.is_closed());
            assert!(peer.feed(b"\r\nNOOP\r\n").is_empty());
            // One byte less is a line that is too long.
            let mut peer = before.clone();
            let bytes = [&bytes[2..], b"\r\nNOOP\r\n"].concat();
            let pieces: Vec<&[u8]> = bytes.chunks(size).collect();
            assert_eq!(peer.feed_pieces(&pieces), [500, 250], "in pieces of {size}");
        }
    }
    let mut peer = after(CONFIG, b"");
    let mut taken = 0;
    while !peer.is_closed() {
        peer.feed(&vec![b'x'; 1 << 16]);
        taken += 1 << 16;
        assert!(peer.unread.len() <= 1 << 16 && taken <= (64 << 20) + (1 << 18), "{taken}");
    }
}

/// Lines of which none is allowed, as small as a configuration can make them: each is answered,
/// however it is cut.
#[test]
fn no_limit_is_too_small_for_an_answer() {
    for command_line in [0, 1, 2, 5] {
        let limits = ServerLimits { command_line, auth_line: 0, ..CONFIG.limits };
        let config = ServerConfig { limits, offered: Capabilities::NONE, ..CONFIG };
        let mut peer = Peer::new(config);
        peer.feed(b"");
        assert_eq!(codes(&peer, b"EHLO client.example\r\nNOOP\r\n"), [500, 500], "{command_line}");
    }
}

/// RFC 4954 §6: 530 to any command but a few, whether it is well formed, and in its place, or not;
/// as RFC 3207 §4 has it where TLS is required.
#[test]
fn what_wants_authentication_says_so() {
    let required = ServerConfig { require_auth: true, ..INSIDE_TLS };
    for line in [
        "MAIL FROM:<a@b.example>",
        "MAIL FROM:<a",
        "RCPT TO:<c@d.example>",
        "RCPT TO:",
        "DATA",
        "DATA now",
        "BDAT 0 LAST",
        "VRFY a",
        "VRFY",
        "XYZZY",
    ] {
        let peer = after(required, b"");
        assert_eq!(codes(&peer, format!("{line}\r\nNOOP\r\n").as_bytes()), [530, 250], "{line}");
        let peer = after(required, b"AUTH PLAIN AHVzZXIAc2VjcmV0\r\n");
        assert_ne!(codes(&peer, format!("{line}\r\n").as_bytes()), [530], "{line}");
    }
    for line in ["EHLO c.example", "HELO c.example", "NOOP", "RSET", "QUIT", "AUTH PLAIN"] {
        let peer = after(required, b"");
        assert!(codes(&peer, format!("{line}\r\n").as_bytes())[0] < 400, "{line}");
    }
}

#[test]
fn v80_line_ends_that_are_none() {
    let lines: [&[u8]; 6] = [
        b"NOOP\n",
        b"\n",
        b"NOOP\r\r\n",
        b"NOOP a\rb\r\n",
        b"NOOP\n\r\n",
        b"MAIL FROM:<a@b\r>\r\n",
    ];
    for line in lines {
        let bytes = [line, b"MAIL FROM:<a@b.example>\r\n"].concat();
        let (codes, peer) = feed(&greeted(), &bytes);
        assert_eq!((codes, peer.is_closed()), (vec![500], true), "{}", line.escape_ascii());
    }
}

#[test]
fn v82_bytes_above_127() {
    let utf8 = ServerConfig { offered: CONFIG.offered.with(Extension::SmtpUtf8), ..CONFIG };
    let cases: [(&[u8], u16, u16); 9] = [
        ("MAIL FROM:<jürgen@b.example>\r\n".as_bytes(), 550, 550),
        ("MAIL FROM:<jürgen@b.example> SMTPUTF8\r\n".as_bytes(), 550, 250),
        (b"MAIL FROM:<j\xfcrgen@b.example> SMTPUTF8\r\n", 500, 500),
        (b"MAIL FROM:<a\xc0\xafb@b.example> SMTPUTF8\r\n", 500, 500),
        (b"MAIL FROM:<a\xed\xa0\x80b@b.example> SMTPUTF8\r\n", 500, 500),
        (b"MAIL FROM:<a\xf8\x88\x80\x80\x80b@b.example> SMTPUTF8\r\n", 500, 500),
        ("VRFY jürgen\r\n".as_bytes(), 553, 553),
        ("VRFY jürgen SMTPUTF8\r\n".as_bytes(), 553, 252),
        ("EHLO jürgen.example\r\n".as_bytes(), 500, 500),
    ];
    for (line, without, with) in cases {
        let seen = (codes(&greeted(), line), codes(&after(utf8, b""), line));
        assert_eq!(seen, (vec![without], vec![with]), "{}", line.escape_ascii());
    }
    // A recipient in UTF-8 in a transaction that did not say so.
    let peer = after(utf8, b"MAIL FROM:<a@b.example>\r\n");
    assert_eq!(codes(&peer, "RCPT TO:<jürgen@d.example>\r\n".as_bytes()), [553]);
}

/// CVE-2020-7247.
#[test]
fn v83_a_shell_command_is_no_path() {
    for path in [
        ";for i in 0 1 2 3;do read r;done;sh;exit 0;",
        ";id;@",
        "|/bin/sh",
        "a b@c.example",
        "a@b.example;id",
        "`id`@b.example>",
        "",
    ] {
        let line = format!("RCPT TO:<{path}>\r\n");
        let peer = after(CONFIG, b"MAIL FROM:<>\r\n");
        assert_eq!(codes(&peer, line.as_bytes()), [501], "{path}");
    }
    assert_eq!(codes(&greeted(), b"MAIL FROM:<;for i in 0 1 2;do read r;done;sh;>\r\n"), [501]);
}

/// CVE-2019-10149: what the grammar allows is handed on as it is, and means nothing here.
#[test]
fn v84_values_are_opaque() {
    let (codes, peer) = feed(
        &greeted(),
        b"MAIL FROM:<${run{x}}@b.example>\r\nRCPT TO:<'`|&$(x)\"@d.example>\r\nRCPT TO:<a'--%s@d.example>\r\nDATA\r\nx\r\n.\r\n",
    );
    assert_eq!(codes, [250, 501, 250, 354, 250]);
    let message = &peer.application.messages[0];
    assert_eq!((&*message.from, &*message.to[0]), ("${run{x}}@b.example", "a'--%s@d.example"));
    // CVE-2025-26794: an argument of ETRN is a domain, or nothing.
    let config = ServerConfig { offered: CONFIG.offered.with(Extension::Etrn), ..CONFIG };
    let etrn = |line: &[u8]| crate::codes(&after(config, b""), line);
    assert_eq!(etrn(b"ETRN a';drop table x;--\r\n"), [501]);
    assert_eq!(etrn(b"ETRN example.org\r\n"), [502]);
}

/// CVE-2019-15846, CVE-2020-28022: a quote or a backslash at the very end.
#[test]
fn v85_quotes_without_end() {
    for line in [
        "MAIL FROM:<\"a\\",
        "MAIL FROM:<\"a\\\"",
        "MAIL FROM:<\"",
        "MAIL FROM:<a@b.example> AUTH=\"",
        "MAIL FROM:<a@b.example> AUTH=\\",
        "MAIL FROM:<a@b.example> AUTH=+",
        "MAIL FROM:<a@b.example> AUTH=+4",
        "MAIL FROM:<a@b.example> SIZE=",
        "VRFY \"a\\",
        "HELP \"",
    ] {
        let bytes = format!("{line}\r\nNOOP\r\n");
        assert_eq!(codes(&after(INSIDE_TLS, b""), bytes.as_bytes()), [501, 250], "{line}");
    }
}

/// CVE-2023-42117: what looks like an address is one, or no literal.
#[test]
fn v86_address_literals() {
    for (literal, code) in [
        ("[127.0.0.1]", 250),
        ("[IPv6:::1]", 250),
        ("[IPv6:1:2:3:4:5:6::]", 250),
        ("[IPv6:1:2:3:4:5:6:7::]", 501),
        ("[IPv6:1::2::3]", 501),
        ("[IPv6:12345::]", 501),
        ("[IPv6:::1.2.3.4]", 250),
        ("[127.0.0.256]", 501),
        ("[127.0.0]", 501),
        ("[127.0.0.1", 501),
        ("[]", 501),
        ("[x]", 501),
    ] {
        let line = format!("MAIL FROM:<a@{literal}>\r\n");
        assert_eq!(codes(&greeted(), line.as_bytes()), [code], "{literal}");
        assert_eq!(
            codes(&greeted(), format!("EHLO {literal}\r\n").as_bytes()),
            [code],
            "{literal}"
        );
    }
}

#[test]
fn v87_a_thousand_recipients_and_no_more() {
    let limits = ServerLimits { errors: 1, ..ServerLimits::DEFAULT };
    let mut peer = after(ServerConfig { limits, ..CONFIG }, b"MAIL FROM:<>\r\n");
    let replies = peer.feed(&b"RCPT TO:<c@d.example>\r\n".repeat(1200));
    assert!(replies[..1000].iter().all(|code| *code == 250));
    assert!(replies[1000..].iter().all(|code| *code == 452), "and no 421");
    assert_eq!(peer.server.recipients(), 1000);
    // The counter does not run over where there is no limit.
    let limits = ServerLimits::UNLIMITED;
    let mut peer = after(ServerConfig { limits, ..CONFIG }, b"MAIL FROM:<>\r\n");
    for _ in 0..70 {
        assert!(peer.feed(&b"RCPT TO:<c@d.example>\r\n".repeat(1000)).iter().all(|c| *c == 250));
    }
    assert_eq!(peer.server.recipients(), u16::MAX);
    assert_eq!(peer.feed(b"DATA\r\nx\r\n.\r\n"), [354, 250]);
}

/// RFC 5321 §4.5.3.1, each at one less, the limit, and one more. Those of a path are kept where the
/// policy says so; by default a longer one is taken, which real mail has.
#[test]
fn v88_limits() {
    let lengthy = ServerConfig { offered: Capabilities::NONE, ..CONFIG };
    let bare = ServerConfig { policy: Policy::STRICT, ..lengthy };
    let path = |local: usize, domain: usize| {
        let mut host = "d".repeat(63) + ".";
        host = host.repeat(domain / 64 + 1);
        host.truncate(domain);
        if host.ends_with('.') {
            host.pop();
            host.push('d');
        }
        format!("MAIL FROM:<{}@{host}>\r\n", "l".repeat(local))
    };
    for (line, code) in [
        (path(63, 10), 250),
        (path(64, 10), 250),
        (path(65, 10), 501),
        // 256 bytes with brackets and "@".
        (path(63, 189), 250),
        (path(63, 190), 250),
        (path(63, 191), 501),
        (path(1, 251), 250),
        (path(1, 252), 250),
        (path(1, 253), 501),
        (format!("NOOP {}\r\n", "x".repeat(504)), 250),
        (format!("NOOP {}\r\n", "x".repeat(505)), 250),
        (format!("NOOP {}\r\n", "x".repeat(506)), 500),
        (format!("EHLO {}\r\n", "d".repeat(63)), 250),
        (format!("EHLO {}\r\n", "d".repeat(64)), 501),
    ] {
        assert_eq!(codes(&after(bare, b""), line.as_bytes()), [code], "{line}");
        let code = if line.starts_with("MAIL") { 250 } else { code };
        assert_eq!(codes(&after(lengthy, b""), line.as_bytes()), [code], "{line}");
    }
    // With SIZE a MAIL may have 26 bytes more, and a NOOP still not.
    let size = ServerConfig { offered: Capabilities::NONE.with_size(0), ..CONFIG };
    assert_eq!(codes(&after(size, b""), format!("NOOP {}\r\n", "x".repeat(506)).as_bytes()), [500]);
    // Replies: 512 bytes a line, whatever the text.
    let mut server = Server::new(bare);
    let text = "x".repeat(5000);
    let mut out = [0; 8192];
    let written = server.reply(&Reply::new(Code::SERVICE_READY, &text), &mut out).expect("room");
    assert!(out[..written].split_inclusive(|byte| *byte == b'\n').all(|line| line.len() <= 512));
}

/// What is logged cannot write to a terminal or begin a line: `Debug` escapes it.
#[test]
fn v90_what_is_shown_is_escaped() {
    let lenient = Policy::LENIENT.with_smtputf8(true);
    for line in [
        "MAIL FROM:<a\u{202e}b@b.example> SMTPUTF8",
        "RCPT TO:<\"\u{7f}\"@b.example>",
        "NOOP \u{1b}[31m",
        "XYZZY \u{7}",
        "HELP \u{1b}",
    ] {
        let shown = match Command::parse_line(line.as_bytes(), &lenient) {
            Ok(command) => format!("{command:?}"),
            Err(error) => format!("{error:?} {error}"),
        };
        let is_plain = |c: char| c.escape_debug().len() == 1 || matches!(c, '"' | '\'' | '\\');
        assert!(shown.chars().all(is_plain), "{shown:?}");
    }
    let mut server = Server::new(CONFIG);
    server.reply(&server.standard_reply("mx.example"), &mut [0; 512]).expect("a greeting");
    let shown = format!("{:?}", server.receive(b"NOOP \x1b]0;x\x07\r\n").event);
    assert!(!shown.contains(['\u{1b}', '\u{7}']), "{shown:?}");
}

/// No domain that another form of a domain hides in: dots that are none, invisible and other
/// characters that no name has.
#[test]
fn v91_domains_in_disguise() {
    let utf8 = ServerConfig { offered: CONFIG.offered.with(Extension::SmtpUtf8), ..CONFIG };
    for domain in ["a\u{3002}b.example", "a\u{200b}.example", "\u{1f600}.example", "ａ.example"] {
        let line = format!("MAIL FROM:<a@{domain}> SMTPUTF8\r\n");
        assert_eq!(codes(&after(utf8, b""), line.as_bytes()), [501], "{domain}");
    }
    // The case of a local part is kept.
    let (codes, peer) = feed(
        &after(utf8, b""),
        b"MAIL FROM:<UsEr@B.example>\r\nRCPT TO:<CamelCase@d.example>\r\nDATA\r\n.\r\n",
    );
    assert_eq!(codes, [250, 250, 354, 250]);
    assert_eq!(peer.application.messages[0].from, "UsEr@B.example");
    assert_eq!(peer.application.messages[0].to, ["CamelCase@d.example"]);
}

#[test]
fn v89_every_unknown_word_changes_nothing() {
    for word in
        ["DEBUG", "WIZ", "KILL", "SHELL", "EXEC", "QUITX", "EHLO\tx", "STARTTLSX", "XCLIENTX a=b"]
    {
        let (codes, peer) = feed(&greeted(), format!("{word}\r\n").as_bytes());
        assert!(matches!(codes[..], [500 | 501]), "{word}: {codes:?}");
        assert_eq!(peer.server.state(), State::Ready, "{word}");
    }
    // Where it is offered, XCLIENT begins the session anew.
    let config = ServerConfig { offered: CONFIG.offered.with(Extension::Xclient), ..CONFIG };
    let (codes, peer) =
        feed(&after(config, b""), b"XCLIENT ADDR=192.0.2.1\r\nMAIL FROM:<a@b.example>\r\n");
    assert_eq!((codes, peer.server.state()), (vec![220, 503], State::Start));
}

/// A proxy hands a client's bytes on behind its XCLIENT: what the proxy was trusted with, the stated
/// client is not. It could say in its turn who has authenticated.
#[test]
fn v103_a_stated_client_states_nothing() {
    let offered = CONFIG.offered.with(Extension::Xclient).with(Extension::Xforward);
    let config = ServerConfig { offered, require_auth: true, ..INSIDE_TLS };
    let stated = b"XCLIENT ADDR=192.0.2.9 LOGIN=[UNAVAILABLE]\r\n";
    let again = b"XCLIENT ADDR=192.0.2.1 LOGIN=admin\r\n";
    let (codes, peer) = feed(&after(config, b""), &[&stated[..], again].concat());
    assert_eq!(codes, [220, 502]);
    let hello = b"EHLO client.example\r\nXFORWARD ADDR=192.0.2.1\r\nMAIL FROM:<a@b.example>\r\n";
    let (codes, peer) = feed(&peer, &[&hello[..], again].concat());
    assert_eq!(codes, [250, 502, 530, 502]);
    let sent = String::from_utf8(peer.sent).expect("ASCII");
    assert_eq!(sent.matches("XCLIENT").count(), 1, "{sent}");

    // What is offered is offered until it is set anew, whether XCLIENT comes or not.
    let mut peer = after(config, b"");
    peer.server.offer(CONFIG.offered);
    assert_eq!(peer.feed(again), [502]);
    peer.server.offer(offered);
    assert_eq!(peer.feed(again), [220]);

    // The application judges the stated address: before its reply, or behind it.
    for before in [true, false] {
        for (trusted, login) in [(true, false), (false, true), (true, true), (false, false)] {
            let mut server = after(config, b"").server;
            let judge = |server: &mut Server| {
                if trusted {
                    server.offer(offered);
                }
                if login {
                    server.assume_authenticated();
                }
            };
            assert!(matches!(server.receive(stated).event, Event::Command(_)));
            if before {
                judge(&mut server);
            }
            server.reply(&server.standard_reply("mx.example"), &mut [0; 64]).expect("220");
            if !before {
                judge(&mut server);
            }
            assert_eq!(server.offered().contains(Extension::Xclient), trusted);
            assert_eq!(server.is_authenticated(), login);
            // Each XCLIENT takes back what the one before it gave.
            if matches!(server.receive(again).event, Event::Command(_)) {
                server.reply(&server.standard_reply("mx.example"), &mut [0; 64]).expect("220");
                assert!(trusted && !server.is_authenticated());
                assert!(!server.offered().contains(Extension::Xclient));
            }
        }
    }

    // What is refused takes nothing back.
    let mut server = after(config, b"").server;
    server.receive(stated);
    let refusal = Reply::new(Code::MAILBOX_UNAVAILABLE, "not for this one");
    server.reply(&refusal, &mut [0; 64]).expect("a refusal");
    assert!(server.offered().contains(Extension::Xclient));
}

/// Reply texts from elsewhere: a line break in them begins a line of the same reply.
#[test]
fn v28_a_reply_cannot_be_split() {
    let mut server = Server::new(CONFIG);
    server.reply(&server.standard_reply("mx.example"), &mut [0; 512]).expect("a greeting");
    for text in ["no\r\n250 ok", "no\n250 ok", "no\r250 ok", "no\r\n\r\n250 ok\0", "250-x\r\n"] {
        assert!(matches!(server.receive(b"NOOP\r\n").event, Event::Command(_)));
        let mut out = [0; 512];
        let reply = Reply::new(Code::MAILBOX_UNAVAILABLE, text);
        let written = server.reply(&reply, &mut out).expect("room");
        let lines: Vec<&[u8]> = out[..written].split_inclusive(|byte| *byte == b'\n').collect();
        for (place, line) in lines.iter().enumerate() {
            let start: &[u8] = if place + 1 < lines.len() { b"550-5.0.0 " } else { b"550 5.0.0 " };
            assert!(line.starts_with(start) && line.ends_with(b"\r\n"), "{}", line.escape_ascii());
        }
    }
}

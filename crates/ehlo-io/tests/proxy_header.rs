//! The header of the PROXY protocol: in every cut, against what is wrong, and beside another parser.
#![cfg(feature = "std")]
#![allow(clippy::unwrap_used)] // a test fails by a panic

use std::io::{self, Read};
use std::net::SocketAddr;
use std::pin::pin;
use std::task::{Context, Poll, Waker};
use std::time::Duration;

use ehlo_io::StreamIo;
use ehlo_io::proxy_header::{Proxied, ProxyHeader, ProxyHeaderError, Taken, Versions, read};
use proptest::prelude::*;

const IPV4: [u8; 12] = [192, 0, 2, 7, 192, 0, 2, 1, 0x12, 0x67, 0, 25];

/// Version 2 with this command and family, these addresses, and so many bytes behind them.
fn v2(command: u8, family: u8, addresses: &[u8], more: usize) -> Vec<u8> {
    let length = u16::try_from(addresses.len() + more).unwrap().to_be_bytes();
    let head = [&b"\r\n\r\n\0\r\nQUIT\n"[..], &[command, family], &length].concat();
    [head, addresses.to_vec(), vec![b'z'; more]].concat()
}

fn client(source: &str, destination: &str) -> Proxied {
    Proxied::Client { source: source.parse().unwrap(), destination: destination.parse().unwrap() }
}

fn headers() -> Vec<(Vec<u8>, Proxied)> {
    let four = client("192.0.2.7:4711", "192.0.2.1:25");
    let mut ipv6 = [0; 36];
    (ipv6[0], ipv6[15], ipv6[16], ipv6[31], ipv6[33], ipv6[35]) = (0x20, 7, 0x20, 1, 25, 26);
    let six = client("[2000::7]:25", "[2000::1]:26");
    let longest = format!("PROXY UNKNOWN {}\r\n", "f".repeat(91));
    let most = format!("PROXY TCP6 {0} {0} 65535 65535\r\n", ["ffff"; 8].join(":"));
    let all = format!("[{}]:65535", ["ffff"; 8].join(":"));
    assert_eq!((longest.len(), most.len()), (107, 104));
    vec![
        (b"PROXY TCP4 192.0.2.7 192.0.2.1 4711 25\r\n".to_vec(), four),
        (b"PROXY TCP4 0.0.0.0 1.1.1.1 0 0\r\n".to_vec(), client("0.0.0.0:0", "1.1.1.1:0")),
        (b"PROXY TCP6 2000::7 2000::1 25 26\r\n".to_vec(), six),
        (most.into_bytes(), client(&all, &all)),
        (b"PROXY UNKNOWN\r\n".to_vec(), Proxied::Unknown),
        (b"PROXY UNKNOWN ffff::1 ffff::2 1 2\r\n".to_vec(), Proxied::Unknown),
        (longest.into_bytes(), Proxied::Unknown),
        (v2(0x21, 0x11, &IPV4, 0), four),
        (v2(0x21, 0x12, &IPV4, 0), four),
        (v2(0x21, 0x11, &IPV4, 24), four),
        (v2(0x21, 0x11, &IPV4, 500), four),
        (v2(0x21, 0x11, &IPV4, 65_523), four),
        (v2(0x21, 0x21, &ipv6, 0), six),
        (v2(0x21, 0x21, &ipv6, 1), six),
        (v2(0x21, 0x00, &[], 0), Proxied::Unknown),
        (v2(0x21, 0x00, &[], 36), Proxied::Unknown),
        (v2(0x21, 0x10, &IPV4, 0), Proxied::Unknown),
        (v2(0x21, 0x31, &[0; 216], 0), Proxied::Unknown),
        (v2(0x20, 0x00, &[], 0), Proxied::Local),
        (v2(0x20, 0x11, &IPV4, 7), Proxied::Local),
        // The family counts for nothing there.
        (v2(0x20, 0xff, &[], 3), Proxied::Local),
    ]
}

/// What comes of the input in these pieces.
fn take(versions: Versions, pieces: &[&[u8]]) -> Result<Taken, ProxyHeaderError> {
    let mut header = ProxyHeader::new(versions);
    let mut sum = 0;
    for piece in pieces {
        let Taken { consumed, proxied } = header.take(piece)?;
        sum += consumed;
        if proxied.is_some() {
            return Ok(Taken { consumed: sum, proxied });
        }
        assert_eq!(consumed, piece.len());
    }
    Ok(Taken { consumed: sum, proxied: None })
}

#[test]
fn v141_a_header_is_the_same_in_every_cut() {
    for (header, proxied) in headers() {
        let whole = Ok(Taken { consumed: header.len(), proxied: Some(proxied) });
        let input = [header.as_slice(), b"EHLO c.example\r\n"].concat();
        let end = if header.len() > 1000 { 100 } else { input.len() };
        for cut in (0..=end).chain([header.len() - 1, header.len(), input.len()]) {
            let (first, second) = input.split_at(cut);
            assert_eq!(take(Versions::Any, &[first, second]), whole, "cut at {cut}");
        }
        let bytes: Vec<_> = input.chunks(1).collect();
        assert_eq!(take(Versions::Any, &bytes), whole);
        for end in (0..header.len()).take(300) {
            let part = Ok(Taken { consumed: end, proxied: None });
            assert_eq!(take(Versions::Any, &[&input[..end]]), part);
        }
    }
}

#[test]
fn v141_nothing_behind_a_header_is_read() {
    for (header, proxied) in headers() {
        let mut reader = ProxyHeader::new(Versions::Any);
        let (mut rest, mut reads) = (header.as_slice(), 0);
        let said = loop {
            let needed = reader.needed().unwrap();
            assert!(needed > 0 && needed <= rest.len(), "{needed} of {}", rest.len());
            let (piece, after) = rest.split_at(needed);
            rest = after;
            reads += 1;
            if let Some(said) = reader.take(piece).unwrap().proxied {
                break said;
            }
        };
        assert_eq!((said, rest, reader.needed()), (proxied, &b""[..], Ok(0)));
        assert!(reads <= 60, "{reads} reads");
    }
}

#[test]
fn a_version_that_is_not_taken_is_refused_at_its_first_byte() {
    for (header, _) in headers() {
        let other = if header[0] == b'P' { Versions::V2 } else { Versions::V1 };
        assert_eq!(take(other, &[&header[..1]]), Err(ProxyHeaderError::Signature));
        let own = if header[0] == b'P' { Versions::V1 } else { Versions::V2 };
        assert!(take(own, &[&header]).is_ok());
    }
}

#[test]
fn v141_what_is_not_a_header_is_refused_in_every_cut() {
    let long = format!("PROXY UNKNOWN {}\r\n", "f".repeat(92));
    for (input, error) in [
        (&b"EHLO client.example\r\n"[..], ProxyHeaderError::Signature),
        (b"P\r\n", ProxyHeaderError::Signature),
        (b"PROXY\r\n", ProxyHeaderError::Signature),
        (b"proxy UNKNOWN\r\n", ProxyHeaderError::Signature),
        (b"\x16\x03\x01", ProxyHeaderError::Signature),
        (b"\r\n\r\n\0\r\nQUIP", ProxyHeaderError::Signature),
        (b"PROXY \r\n", ProxyHeaderError::Fields),
        (b"PROXY UNKNOWNS\r\n", ProxyHeaderError::Fields),
        (b"PROXY TCP5 1 2 3 4\r\n", ProxyHeaderError::Fields),
        (b"PROXY TCP4 192.0.2.7 192.0.2.1 4711\r\n", ProxyHeaderError::Fields),
        (b"PROXY TCP4 192.0.2.7 192.0.2.1 4711 \r\n", ProxyHeaderError::Port),
        (b"PROXY TCP4 192.0.2.7 192.0.2.1 4711 25 \r\n", ProxyHeaderError::Fields),
        (b"PROXY TCP4  192.0.2.7 192.0.2.1 4711 25\r\n", ProxyHeaderError::Fields),
        (b"PROXY TCP4 192.0.2.7 192.0.2.1 4711 25\n", ProxyHeaderError::LineEnd),
        (b"PROXY TCP4 192.0.2.7 192.0.2.1 4711 25\rx", ProxyHeaderError::LineEnd),
        (b"PROXY TCP4 2000::7 2000::1 25 25\r\n", ProxyHeaderError::Address),
        (b"PROXY TCP6 192.0.2.7 192.0.2.1 25 25\r\n", ProxyHeaderError::Address),
        (b"PROXY TCP4 192.0.2.07 192.0.2.1 25 25\r\n", ProxyHeaderError::Address),
        (b"PROXY TCP4 192.0.2.7 192.0.2.1 4711 65536\r\n", ProxyHeaderError::Port),
        (b"PROXY TCP4 192.0.2.7 192.0.2.1 4711 025\r\n", ProxyHeaderError::Port),
        (b"PROXY TCP4 192.0.2.7 192.0.2.1 4711 +25\r\n", ProxyHeaderError::Port),
        (b"PROXY TCP4 192.0.2.7 192.0.2.1 47\xff1 25\r\n", ProxyHeaderError::Fields),
        (long.as_bytes(), ProxyHeaderError::TooLong),
        (&v2(0x11, 0x11, &IPV4, 0), ProxyHeaderError::Version),
        (&v2(0x22, 0x11, &IPV4, 0), ProxyHeaderError::Command),
        (&v2(0x21, 0x41, &IPV4, 0), ProxyHeaderError::Family),
        (&v2(0x21, 0x13, &IPV4, 0), ProxyHeaderError::Family),
        (&v2(0x21, 0x11, &IPV4[..11], 0), ProxyHeaderError::Length),
        (&v2(0x21, 0x21, &IPV4, 0), ProxyHeaderError::Length),
        (&v2(0x21, 0x31, &IPV4, 0), ProxyHeaderError::Length),
    ] {
        for cut in 0..=input.len() {
            let (first, second) = input.split_at(cut);
            let shown = input.escape_ascii();
            assert_eq!(take(Versions::Any, &[first, second]), Err(error), "{shown} at {cut}");
        }
    }
}

/// Gives at most so many bytes at a time, and is pending in between.
struct Drops<'b>(&'b [u8], usize, bool);

#[derive(Default)]
struct Memory;

impl StreamIo<Drops<'_>> for Memory {
    fn poll_read(
        &mut self,
        stream: &mut Drops<'_>,
        context: &mut Context<'_>,
        space: &mut [u8],
    ) -> Poll<io::Result<usize>> {
        stream.2 = !stream.2;
        if stream.2 {
            context.waker().wake_by_ref();
            return Poll::Pending;
        }
        let most = space.len().min(stream.1);
        Poll::Ready(stream.0.read(&mut space[..most]))
    }

    fn poll_write(
        &mut self,
        _: &mut Drops<'_>,
        _: &mut Context<'_>,
        _: &[u8],
    ) -> Poll<io::Result<usize>> {
        Poll::Ready(Err(io::ErrorKind::Unsupported.into()))
    }

    fn poll_flush(&mut self, _: &mut Drops<'_>, _: &mut Context<'_>) -> Poll<io::Result<()>> {
        Poll::Ready(Ok(()))
    }

    fn poll_close(&mut self, _: &mut Drops<'_>, _: &mut Context<'_>) -> Poll<io::Result<()>> {
        Poll::Ready(Ok(()))
    }
}

/// Reads from a stream that gives `step` bytes at a time; `sleeps` says whether time passes at once.
fn read_all(input: &[u8], step: usize, sleeps: bool) -> (io::Result<Proxied>, usize) {
    let mut stream = Drops(input, step, false);
    let timer =
        |_| std::future::poll_fn(move |_| if sleeps { Poll::Ready(()) } else { Poll::Pending });
    let said = {
        let limit = Duration::from_secs(30);
        let mut reading = pin!(read::<Memory, _, _>(&mut stream, Versions::Any, timer, limit));
        loop {
            if let Poll::Ready(said) =
                reading.as_mut().poll(&mut Context::from_waker(Waker::noop()))
            {
                break said;
            }
        }
    };
    (said, stream.0.len())
}

#[test]
fn a_header_is_read_from_a_stream() {
    for (header, proxied) in headers() {
        let input = [header.as_slice(), b"\x16\x03\x01"].concat();
        for step in [1, 2, 7, 1000] {
            let (said, left) = read_all(&input, step, false);
            assert_eq!((said.unwrap(), left), (proxied, 3), "{step} bytes at a time");
        }
        let (said, _) = read_all(&header[..header.len() - 1], 1000, false);
        assert_eq!(said.unwrap_err().kind(), io::ErrorKind::UnexpectedEof);
        let (said, _) = read_all(&header, 1, true);
        assert_eq!(said.unwrap_err().kind(), io::ErrorKind::TimedOut);
    }
    let (said, left) = read_all(b"EHLO client.example\r\n", 1, false);
    let error = said.unwrap_err();
    assert_eq!((error.kind(), left), (io::ErrorKind::InvalidData, 20));
    assert!(error.get_ref().unwrap().is::<ProxyHeaderError>());
}

proptest! {
    /// Both versions of one header say the same.
    #[test]
    fn addresses_are_those_that_were_sent(source: SocketAddr, destination: SocketAddr, more in 0_usize..80) {
        let (ips, family) = match (source, destination) {
            (SocketAddr::V4(from), SocketAddr::V4(to)) => {
                ([from.ip().octets(), to.ip().octets()].concat(), ("TCP4", 0x11))
            }
            (SocketAddr::V6(from), SocketAddr::V6(to)) => {
                ([from.ip().octets(), to.ip().octets()].concat(), ("TCP6", 0x21))
            }
            _ => return Ok(()),
        };
        let (from, to) = (source.port(), destination.port());
        let line = format!("PROXY {} {} {} {from} {to}\r\n", family.0, source.ip(), destination.ip());
        let ports = [from.to_be_bytes(), to.to_be_bytes()].concat();
        let binary = v2(0x21, family.1, &[ips, ports].concat(), more);
        for header in [line.as_bytes(), &binary] {
            let said = take(Versions::Any, &[header]).unwrap();
            let Some(Proxied::Client { source: read, destination: to }) = said.proxied else {
                panic!("{said:?}");
            };
            prop_assert_eq!((read.ip(), read.port()), (source.ip(), source.port()));
            prop_assert_eq!((to.ip(), to.port()), (destination.ip(), destination.port()));
        }
    }

    /// No panic, and no piece that makes a difference.
    #[test]
    fn any_bytes_in_any_cut(
        head in proptest::sample::select(vec![&b""[..], b"PROXY ", b"PROXY TCP4 ", b"\r\n\r\n\0\r\nQUIT\n", b"\r\n\r\n\0\r\nQUIT\n\x21\x11\0\x0c"]),
        tail in proptest::collection::vec(any::<u8>(), 0..130),
        cut: prop::sample::Index,
    ) {
        let input = [head, &tail].concat();
        let (first, second) = input.split_at(cut.index(input.len() + 1));
        prop_assert_eq!(take(Versions::Any, &[&input]), take(Versions::Any, &[first, second]));
    }
}

//! The header of the PROXY protocol, versions 1 and 2: a proxy says in front of a connection for which
//! client it speaks.
//!
//! <https://www.haproxy.org/download/2.9/doc/proxy-protocol.txt>

use std::fmt;
use std::net::SocketAddr;

use ppp::{v1, v2};

/// The versions of the header that `--proxy` allows.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Versions {
    /// Version 1, a line of text.
    V1,
    /// Version 2, binary.
    V2,
    /// Either.
    Any,
}

/// For whom a proxy speaks.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Proxied {
    /// A client at this address.
    Client(SocketAddr),
    /// A client whose address the proxy does not tell.
    Unknown,
    /// No client: the proxy checks whether this server is alive.
    Proxy,
}

/// A header that comes in pieces.
///
/// ```
/// use ehlo_apps::proxy_header::{Header, Proxied, Versions};
///
/// let mut header = Header::new(Versions::Any);
/// assert_eq!(header.take(b"PROXY TCP4 192.0.2.7 192.0.2.1 47")?, (33, None));
/// let client = Proxied::Client(([192, 0, 2, 7], 4711).into());
/// assert_eq!(header.take(b"11 25\r\nEHLO c.example\r\n")?, (7, Some(client)));
/// # Ok::<(), ehlo_apps::proxy_header::Malformed>(())
/// ```
#[derive(Debug)]
pub struct Header {
    versions: Versions,
    bytes: Vec<u8>,
}

impl Header {
    /// Nothing has come yet.
    pub const fn new(versions: Versions) -> Self {
        Self { versions, bytes: Vec::new() }
    }

    /// Takes the bytes of `input` that belong to the header: their number, and what the header says
    /// when it is whole.
    ///
    /// # Errors
    ///
    /// [`Malformed`], as soon as it can be told.
    pub fn take(&mut self, input: &[u8]) -> Result<(usize, Option<Proxied>), Malformed> {
        let before = self.bytes.len();
        for byte in input {
            self.bytes.push(*byte);
            if self.is_whole()? {
                return Ok((self.bytes.len() - before, Some(self.parse()?)));
            }
        }
        Ok((input.len(), None))
    }

    /// Whether the last byte is the last of the header.
    fn is_whole(&self) -> Result<bool, Malformed> {
        let (v1, v2) = (v1::PROTOCOL_PREFIX.as_bytes(), v2::PROTOCOL_PREFIX);
        if self.versions != Versions::V2 && begins(&self.bytes, v1) {
            // "So a 108-byte buffer is always enough to store all the line and a trailing zero".
            return match self.bytes.last() {
                Some(b'\n') => Ok(true),
                _ if self.bytes.len() == V1_MAX => Err(Malformed),
                _ => Ok(false),
            };
        }
        if self.versions != Versions::V1 && begins(&self.bytes, v2) {
            let length = self.bytes.get(V2_LENGTH..V2_FIXED).and_then(|two| two.try_into().ok());
            let length = length.map(u16::from_be_bytes);
            return Ok(
                length.is_some_and(|length| self.bytes.len() == V2_FIXED + usize::from(length))
            );
        }
        Err(Malformed)
    }

    fn parse(&self) -> Result<Proxied, Malformed> {
        if self.bytes.starts_with(v2::PROTOCOL_PREFIX) {
            let header = v2::Header::try_from(self.bytes.as_slice()).map_err(|_| Malformed)?;
            return Ok(match header.addresses {
                // The receiver "must use the real connection endpoints".
                _ if header.command == v2::Command::Local => Proxied::Proxy,
                v2::Addresses::IPv4(ip) => {
                    Proxied::Client((ip.source_address, ip.source_port).into())
                }
                v2::Addresses::IPv6(ip) => {
                    Proxied::Client((ip.source_address, ip.source_port).into())
                }
                v2::Addresses::Unix(_) | v2::Addresses::Unspecified => Proxied::Unknown,
            });
        }
        let header = v1::Header::try_from(self.bytes.as_slice()).map_err(|_| Malformed)?;
        Ok(match header.addresses {
            v1::Addresses::Tcp4(ip) => Proxied::Client((ip.source_address, ip.source_port).into()),
            v1::Addresses::Tcp6(ip) => Proxied::Client((ip.source_address, ip.source_port).into()),
            v1::Addresses::Unknown => Proxied::Unknown,
        })
    }
}

/// What begins a connection is no header of an allowed version.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Malformed;

impl fmt::Display for Malformed {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("the connection does not begin with a PROXY header")
    }
}

impl std::error::Error for Malformed {}

/// Whether one of them is the beginning of the other.
fn begins(bytes: &[u8], signature: &[u8]) -> bool {
    bytes.iter().zip(signature).all(|(byte, expected)| byte == expected)
}

/// Bytes of the longest header of version 1, with its CRLF.
const V1_MAX: usize = 107;
/// Bytes of a header of version 2 without its addresses, the last two of which are the length of these.
const V2_FIXED: usize = 16;
const V2_LENGTH: usize = 14;

#[cfg(test)]
mod tests {
    use super::*;

    /// Version 2 with this command and family, these addresses, and TLVs of so many bytes.
    fn v2(command: u8, family: u8, addresses: &[u8], more: usize) -> Vec<u8> {
        let length = u16::try_from(addresses.len() + more).expect("16 bits").to_be_bytes();
        let mut tlv = Vec::new();
        if more > 0 {
            let value = u16::try_from(more - 3).expect("16 bits").to_be_bytes();
            tlv = [&[0xe0][..], &value, &vec![b'z'; more - 3]].concat();
        }
        [v2::PROTOCOL_PREFIX, &[command, family], &length, addresses, &tlv].concat()
    }

    const IPV4: [u8; 12] = [192, 0, 2, 7, 192, 0, 2, 1, 0x12, 0x67, 0, 25];

    fn headers() -> Vec<(Vec<u8>, Proxied)> {
        let client = Proxied::Client(([192, 0, 2, 7], 4711).into());
        let mut ipv6 = [0; 36];
        (ipv6[0], ipv6[15], ipv6[33]) = (0x20, 7, 25);
        let address: SocketAddr = "[2000::7]:25".parse().expect("an address");
        let longest = format!("PROXY UNKNOWN {}\r\n", "f".repeat(V1_MAX - 16));
        vec![
            (b"PROXY TCP4 192.0.2.7 192.0.2.1 4711 25\r\n".to_vec(), client),
            (b"PROXY TCP6 2000::7 2000::1 25 25\r\n".to_vec(), Proxied::Client(address)),
            (b"PROXY UNKNOWN\r\n".to_vec(), Proxied::Unknown),
            (longest.into_bytes(), Proxied::Unknown),
            (v2(0x21, 0x11, &IPV4, 0), client),
            (v2(0x21, 0x11, &IPV4, 500), client),
            (v2(0x21, 0x11, &IPV4, 1100), client),
            (v2(0x21, 0x11, &IPV4, 65_523), client),
            (v2(0x21, 0x21, &ipv6, 0), Proxied::Client(address)),
            (v2(0x21, 0x00, &[], 0), Proxied::Unknown),
            (v2(0x21, 0x31, &[0; 216], 0), Proxied::Unknown),
            (v2(0x20, 0x00, &[], 0), Proxied::Proxy),
            (v2(0x20, 0x11, &IPV4, 0), Proxied::Proxy),
        ]
    }

    /// What comes of the input in these pieces: the bytes that were taken, and the verdict.
    fn take(versions: Versions, pieces: &[&[u8]]) -> Result<(usize, Option<Proxied>), Malformed> {
        let mut header = Header::new(versions);
        let mut sum = 0;
        for piece in pieces.iter().filter(|piece| !piece.is_empty()) {
            let (taken, proxied) = header.take(piece)?;
            sum += taken;
            if proxied.is_some() {
                return Ok((sum, proxied));
            }
            assert_eq!(taken, piece.len());
        }
        Ok((sum, None))
    }

    #[test]
    fn a_header_may_be_cut_anywhere_and_what_follows_is_left() {
        for (header, proxied) in headers() {
            let input = [header.as_slice(), b"EHLO c.example\r\n"].concat();
            // A cut among many TLVs is like another.
            let end = if header.len() > 2000 { 64 } else { header.len() };
            for cut in (0..end).chain([header.len() - 1, header.len(), input.len()]) {
                let (first, second) = input.split_at(cut);
                let taken = take(Versions::Any, &[first, second]);
                assert_eq!(taken, Ok((header.len(), Some(proxied))), "cut at {cut}");
            }
            let bytes: Vec<_> = input.chunks(1).collect();
            assert_eq!(take(Versions::Any, &bytes), Ok((header.len(), Some(proxied))));
            for end in (0..header.len()).take(200) {
                assert_eq!(take(Versions::Any, &[&input[..end]]), Ok((end, None)));
            }
        }
    }

    #[test]
    fn a_version_that_is_not_allowed_is_refused_at_its_first_byte() {
        for (header, _) in headers() {
            let other = if header[0] == b'P' { Versions::V2 } else { Versions::V1 };
            assert_eq!(take(other, &[&header[..1]]), Err(Malformed));
        }
    }

    #[test]
    fn what_is_no_header_is_refused() {
        let long = format!("PROXY UNKNOWN {}\r\n", "f".repeat(V1_MAX - 15));
        for input in [
            &b"EHLO client.example\r\n"[..],
            b"P\r\n",
            b"PROXY\r\n",
            b"PROXY TCP4 192.0.2.7 192.0.2.1 4711 \r\n",
            b"PROXY TCP4 192.0.2.7 192.0.2.1 4711 25\n",
            b"PROXY TCP4 2000::7 2000::1 25 25\r\n",
            b"PROXY TCP4 192.0.2.7 192.0.2.1 4711 65536\r\n",
            b"\x16\x03\x01",
            b"\r\n\r\n\0\r\nQUIP",
            long.as_bytes(),
            &v2(0x11, 0x11, &IPV4, 0),
            &v2(0x22, 0x11, &IPV4, 0),
            &v2(0x21, 0x11, &IPV4[..11], 0),
        ] {
            assert_eq!(take(Versions::Any, &[input]), Err(Malformed), "{input:?}");
        }
    }
}

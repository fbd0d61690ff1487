//! A header that arrives in pieces.

use super::error::ProxyHeaderError;
use super::proxied::Proxied;
use super::{v1, v2};

/// The versions of the header that are taken.
///
/// ```
/// use ehlo_io::proxy_header::{ProxyHeader, Versions};
///
/// assert!(ProxyHeader::new(Versions::V2).take(b"PROXY ").is_err());
/// ```
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub enum Versions {
    /// Version 1, a line of text.
    V1,
    /// Version 2, binary.
    V2,
    /// Either.
    #[default]
    Any,
}

/// What became of a piece of input: see [`ProxyHeader::take`].
///
/// ```
/// use ehlo_io::proxy_header::{ProxyHeader, Taken, Versions};
///
/// let taken = ProxyHeader::new(Versions::Any).take(b"PROXY TC")?;
/// assert_eq!(taken, Taken { consumed: 8, proxied: None });
/// # Ok::<(), ehlo_io::proxy_header::ProxyHeaderError>(())
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Taken {
    /// Bytes of the input that belong to the header.
    pub consumed: usize,
    /// What the header says, once it is whole.
    pub proxied: Option<Proxied>,
}

/// A header that arrives in pieces.
///
/// The further fields of version 2 (TLVs) are skipped.
///
/// ```
/// use ehlo_io::proxy_header::{Proxied, ProxyHeader, Taken, Versions};
///
/// let mut header = ProxyHeader::new(Versions::Any);
/// let taken = header.take(b"PROXY TCP4 192.0.2.7 192.0.2.1 47")?;
/// assert_eq!(taken, Taken { consumed: 33, proxied: None });
/// let taken = header.take(b"11 25\r\nEHLO client.example\r\n")?;
/// assert_eq!(taken.consumed, 7);
/// let (source, destination) = ("192.0.2.7:4711".parse()?, "192.0.2.1:25".parse()?);
/// assert_eq!(taken.proxied, Some(Proxied::Client { source, destination }));
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[doc(alias = "HAProxy")]
#[derive(Clone, Debug)]
pub struct ProxyHeader {
    versions: Versions,
    /// The line of version 1; of version 2 what stands before the TLVs.
    kept: [u8; v1::LONGEST],
    length: usize,
    /// Bytes of version 2 that come behind those that are kept.
    skipped: usize,
}

impl ProxyHeader {
    /// Bytes of the longest header: the length of version 2 has 16 bits.
    pub const MAX_LEN: usize = v2::FIXED + u16::MAX as usize;

    /// Nothing has come yet.
    pub const fn new(versions: Versions) -> Self {
        Self { versions, kept: [0; v1::LONGEST], length: 0, skipped: 0 }
    }

    /// Takes the bytes of `input` that belong to the header: all, or those up to its end. After the end,
    /// and after an error, it is not called again.
    ///
    /// # Errors
    ///
    /// [`ProxyHeaderError`], at the first byte that cannot be right, or at the end of a field.
    pub fn take(&mut self, input: &[u8]) -> Result<Taken, ProxyHeaderError> {
        let mut rest = input;
        loop {
            // The verdict depends on what came, and not on the pieces that it came in.
            let needed = self.needed()?;
            if needed == 0 {
                let proxied =
                    if self.is_v2() { v2::parse(self.kept())? } else { v1::parse(self.kept())? };
                return Ok(Taken { consumed: input.len() - rest.len(), proxied: Some(proxied) });
            }
            let Some((&byte, after)) = rest.split_first() else {
                return Ok(Taken { consumed: input.len(), proxied: None });
            };
            let is_kept = !self.is_v2() || self.length < v2::KEPT;
            if let Some(place) = self.kept.get_mut(self.length).filter(|_| is_kept) {
                *place = byte;
                self.length += 1;
                rest = after;
            } else {
                // What is not looked at is not gone through.
                let skipped = needed.min(rest.len());
                self.skipped += skipped;
                rest = rest.get(skipped..).unwrap_or_default();
            }
        }
    }

    /// Bytes that certainly still belong to the header; 0 when it is whole. A reader that asks for no more
    /// than these at a time takes nothing of what follows, such as the first bytes of a TLS handshake.
    ///
    /// ```
    /// use ehlo_io::proxy_header::{ProxyHeader, Versions};
    ///
    /// let mut header = ProxyHeader::new(Versions::Any);
    /// let mut input = &b"PROXY UNKNOWN\r\n\x16\x03\x01"[..];
    /// while header.needed()? > 0 {
    ///     let (piece, rest) = input.split_at(header.needed()?);
    ///     header.take(piece)?;
    ///     input = rest;
    /// }
    /// assert_eq!(input, b"\x16\x03\x01");
    /// # Ok::<(), ehlo_io::proxy_header::ProxyHeaderError>(())
    /// ```
    ///
    /// # Errors
    ///
    /// As of [`take`](Self::take).
    pub fn needed(&self) -> Result<usize, ProxyHeaderError> {
        let kept = self.kept();
        let may_be_v1 = self.versions != Versions::V2 && begins(kept, v1::SIGNATURE);
        let may_be_v2 = self.versions != Versions::V1 && begins(kept, v2::SIGNATURE);
        match (may_be_v1, may_be_v2) {
            (false, false) => Err(ProxyHeaderError::Signature),
            // Nothing has come.
            (true, true) => Ok(v1::SHORTEST.min(v2::FIXED)),
            (true, false) => v1::needed(kept),
            (false, true) => v2::needed(kept, self.skipped),
        }
    }

    fn kept(&self) -> &[u8] {
        self.kept.get(..self.length).unwrap_or_default()
    }

    fn is_v2(&self) -> bool {
        self.length > 0 && begins(self.kept(), v2::SIGNATURE)
    }
}

/// Whether one of them is the beginning of the other.
fn begins(bytes: &[u8], signature: &[u8]) -> bool {
    bytes.iter().zip(signature).all(|(byte, expected)| byte == expected)
}

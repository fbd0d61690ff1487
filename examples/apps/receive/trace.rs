//! The header fields that a server puts in front of a message: `Return-Path:`, `Delivered-To:` and
//! `Received:`, RFC 5321 §4.4.

use std::error::Error;
use std::net::IpAddr;

use ehlo::syntax::path::{ClientName, Host};
use ehlo::trace::{Atom, Protocol, ReceivedField, ReturnPath, Timestamp};
use ehlo::{Encode, ForwardPath, ReversePath};

use crate::greeting::Findings;
use crate::maildir::Stamp;

/// Where a message came from and how.
pub(crate) struct Trace<'t> {
    /// The reverse-path with its brackets.
    pub(crate) from: &'t str,
    /// The recipients without brackets.
    pub(crate) to: &'t [String],
    /// What the client called itself.
    pub(crate) helo: &'t str,
    /// `None` for a client on this machine.
    pub(crate) peer: Option<IpAddr>,
    /// What a check of its greeting has found.
    pub(crate) findings: Option<&'t Findings>,
    /// This server.
    pub(crate) host: &'t str,
    pub(crate) protocol: Protocol,
}

impl Trace<'_> {
    /// The header fields, each with its CRLF.
    pub(crate) fn header(&self, stamp: &Stamp) -> Result<Vec<u8>, Box<dyn Error + Send + Sync>> {
        let mut header = Vec::new();
        // RFC 5321 §4.4: "return-path line at the beginning of the mail data".
        append(&mut header, &ReturnPath(ReversePath::new(self.from)?))?;
        for to in self.to {
            header.extend_from_slice(format!("Delivered-To: {to}\r\n").as_bytes());
        }
        let date = Timestamp::utc(stamp.since_epoch.as_secs().try_into()?);
        let date = date.ok_or("the clock is out of all bounds")?;
        let (claimed, by) = (ClientName::new(self.helo)?, Host::new(self.host)?);
        let received = ReceivedField {
            peer: self.peer,
            verdict: self.peer.zip(self.findings).map(|(peer, it)| it.verdict(peer, claimed)),
            id: Some(Atom::new(&stamp.id)?),
            recipient: match self.to {
                [only] => Some(ForwardPath::new(only)?),
                _ => None,
            },
            ..ReceivedField::new(claimed, by, self.protocol, date)
        };
        append(&mut header, &received)?;
        Ok(header)
    }
}

fn append(header: &mut Vec<u8>, field: &impl Encode) -> Result<(), ehlo::syntax::BufferTooSmall> {
    let start = header.len();
    header.resize(start + field.encoded_len(), 0);
    field.encode(&mut header[start..]).map(drop)
}

//! The header fields that a server puts in front of a message it has taken: `Return-Path:`,
//! `Delivered-To:` and `Received:`, RFC 5321 §4.4.

use std::fmt::Write as _;
use std::net::{IpAddr, SocketAddr};

use ehlo_examples::date_time;

use crate::maildir::Stamp;

/// Where a message came from and how.
pub(crate) struct Trace<'t> {
    /// The reverse-path with its brackets.
    pub(crate) from: &'t str,
    /// The recipients without brackets.
    pub(crate) to: &'t [String],
    /// What the client called itself.
    pub(crate) helo: &'t str,
    pub(crate) peer: SocketAddr,
    /// This server.
    pub(crate) host: &'t str,
    /// The keyword after `with`, RFC 3848 and RFC 6531 §4.3.
    pub(crate) protocol: &'t str,
}

impl Trace<'_> {
    /// The header fields, each with its CRLF.
    pub(crate) fn header(&self, stamp: &Stamp) -> String {
        let Self { from, to, helo, peer, host, protocol } = self;
        // RFC 5321 §4.4: "return-path line at the beginning of the mail data".
        let mut header = format!("Return-Path: {from}\r\n");
        for to in *to {
            let _ = write!(header, "Delivered-To: {to}\r\n");
        }
        // RFC 5321 §4.4: `Stamp = From-domain By-domain Opt-info [CFWS] ";" FWS date-time`
        let _ = write!(
            header,
            "Received: from {helo} ({peer})\r\n\tby {host} with {protocol} id {id};\r\n\t{date}\r\n",
            peer = address_literal(peer.ip()),
            id = stamp.id,
            date = date_time(stamp.since_epoch),
        );
        header
    }
}

/// `address-literal`, RFC 5321 §4.1.3.
fn address_literal(address: IpAddr) -> String {
    match address.to_canonical() {
        IpAddr::V4(address) => format!("[{address}]"),
        IpAddr::V6(address) => format!("[IPv6:{address}]"),
    }
}

//! `Authentication-Results:`, RFC 8601.

use core::net::IpAddr;

use super::FOLD;
use crate::identity::{Iprev, Verdict};
use crate::syntax::encode::{Encode, Writer};
use crate::syntax::path::Domain;

/// `Authentication-Results:` with the result of "iprev" alone, RFC 8601 §2.2 and §2.7.3.
///
/// A server that writes this field removes fields with its own name from the incoming message (§5), and
/// adds the results of other methods to the same field.
///
/// ```
/// use ehlo::Encode;
/// use ehlo::syntax::path::{ClientName, Domain};
/// use ehlo::trace::AuthenticationResults;
/// use ehlo::HeloCheck;
/// use ehlo::identity::DnsAnswer;
///
/// let mut check = HeloCheck::new("2001:db8::1".parse()?, ClientName::new("mx")?);
/// check.answer(DnsAnswer::DoesNotExist)?;
/// let results = AuthenticationResults::new(Domain::new("mx.example.net")?, &check.verdict());
/// let mut out = [0; 128];
/// let written = results.encode(&mut out)?;
/// assert_eq!(
///     core::str::from_utf8(&out[..written])?,
///     "Authentication-Results: mx.example.net;\r\n\tiprev=permerror policy.iprev=\"2001:db8::1\"\r\n"
/// );
/// # Ok::<(), Box<dyn core::error::Error>>(())
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct AuthenticationResults<'a> {
    /// `authserv-id`: the server that checked.
    pub server: Domain<'a>,
    /// The result.
    pub iprev: Iprev,
    /// The address that was checked.
    pub peer: IpAddr,
    /// Its name, if that was verified; it stands in a comment.
    pub name: Option<Domain<'a>>,
}

impl<'a> AuthenticationResults<'a> {
    /// The field of `server` for the result of a check.
    pub const fn new(server: Domain<'a>, verdict: &Verdict<'a>) -> Self {
        let Verdict { iprev, peer, .. } = *verdict;
        Self { server, iprev, peer, name: verdict.verified_name() }
    }

    /// Appends the result without the field's name, the server and the CRLF: `methodspec` and
    /// `propspec`, for a field that has others too.
    pub fn write_result_to(&self, writer: &mut Writer<'_>) {
        writer.put(b"iprev=");
        writer.put(self.iprev.as_str().as_bytes());
        // RFC 8601 §2.2: `pvalue` is a token or a quoted string, and no token has a colon.
        writer.put(b" policy.iprev=");
        match self.peer.to_canonical() {
            IpAddr::V4(address) => crate::syntax::path::write_ipv4(address, writer),
            IpAddr::V6(address) => {
                writer.put_byte(b'"');
                crate::syntax::path::write_ipv6(address, writer);
                writer.put_byte(b'"');
            }
        }
        if let Some(name) = self.name {
            writer.put(b" (");
            name.write_to(writer);
            writer.put_byte(b')');
        }
    }
}

impl Encode for AuthenticationResults<'_> {
    fn write_to(&self, writer: &mut Writer<'_>) {
        writer.put(b"Authentication-Results: ");
        self.server.write_to(writer);
        writer.put_byte(b';');
        writer.put(FOLD);
        self.write_result_to(writer);
        writer.put(b"\r\n");
    }
}

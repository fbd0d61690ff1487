//! The client, as far as it is known.

use std::net::SocketAddr;

use ehlo::syntax::path::ClientName;

use crate::greeting::Findings;

/// The client, as far as it is known.
pub(crate) struct Client {
    /// The number of the session.
    pub(crate) session: u64,
    pub(crate) address: SocketAddr,
    /// What it calls itself.
    pub(crate) helo: Box<str>,
    /// As whom it has authenticated.
    pub(crate) user: Option<Box<str>>,
    /// Whether what it calls itself is true, where that was checked.
    pub(crate) findings: Option<Box<Findings>>,
}

impl Client {
    pub(crate) fn new(session: u64, address: SocketAddr) -> Self {
        Self { session, address, helo: Box::default(), user: None, findings: None }
    }

    /// What was found of what it calls itself, in words.
    pub(crate) fn verdict(&self) -> Option<String> {
        let (findings, name) = (self.findings.as_ref()?, ClientName::new(&self.helo).ok()?);
        Some(findings.verdict(self.address.ip(), name).to_string())
    }
}

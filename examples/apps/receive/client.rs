//! The client, as far as it is known, and what its address allows it.

use std::net::{IpAddr, SocketAddr};

use ehlo::Extension;
use ehlo::syntax::capability::Capabilities;
use ehlo::syntax::path::ClientName;
use ehlo_apps::places::Place;

use crate::Service;
use crate::greeting::Findings;

/// The client, as far as it is known.
pub(crate) struct Client {
    /// The number of the session.
    pub(crate) session: u64,
    pub(crate) origin: Origin,
    /// What it calls itself.
    pub(crate) helo: Box<str>,
    /// As whom it has authenticated.
    pub(crate) user: Option<Box<str>>,
    /// Whether what it calls itself is true, where that was checked.
    pub(crate) findings: Option<Box<Findings>>,
}

impl Client {
    pub(crate) fn new(session: u64, origin: Origin) -> Self {
        Self { session, origin, helo: Box::default(), user: None, findings: None }
    }

    /// What was found of what it calls itself, in words.
    pub(crate) fn verdict(&self) -> Option<String> {
        let (findings, name) = (self.findings.as_ref()?, ClientName::new(&self.helo).ok()?);
        Some(findings.verdict(self.origin.ip()?, name).to_string())
    }
}

/// Where the client is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Origin {
    /// At this address: that of the connection, or the one that a proxy states.
    Address(SocketAddr),
    /// Behind the proxy at this address, which does not tell more. Nothing that is allowed to the
    /// proxy is allowed to this client.
    Behind(SocketAddr),
    /// On this machine, at the other end of a Unix socket.
    Local,
}

impl Origin {
    /// The address, or the last that is known on the way to the client.
    pub(crate) fn address(&self) -> Option<SocketAddr> {
        match self {
            Self::Address(address) | Self::Behind(address) => Some(*address),
            Self::Local => None,
        }
    }

    pub(crate) fn ip(&self) -> Option<IpAddr> {
        self.address().map(|address| address.ip())
    }
}

impl From<SocketAddr> for Origin {
    fn from(address: SocketAddr) -> Self {
        Self::Address(SocketAddr::new(address.ip().to_canonical(), address.port()))
    }
}

/// What a client may do because of where it is.
pub(crate) struct Rights {
    /// XCLIENT and XFORWARD, where it may speak for others.
    pub(crate) offered: Capabilities,
    /// Its place among the connections of its address.
    pub(crate) place: Option<Place>,
}

impl Rights {
    /// All that hangs on the client's address, judged anew whenever that changes: by a PROXY header,
    /// by XCLIENT. `None` if its address has too many connections.
    ///
    /// Postfix does the same after each XCLIENT: a proxy passes on what the client says afterwards.
    pub(crate) fn of(origin: &Origin, service: &Service) -> Option<Self> {
        let offered = service.config.offered;
        let Origin::Address(address) = origin else { return Some(Self { offered, place: None }) };
        if service.trusts(address.ip()) {
            // It speaks for many, each of which counts by itself once it is stated.
            let offered = offered.with(Extension::Xclient).with(Extension::Xforward);
            return Some(Self { offered, place: None });
        }
        let place = service.places.take(address.ip())?;
        Some(Self { offered, place: Some(place) })
    }
}

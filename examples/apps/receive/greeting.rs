//! Whether a greeting is true: [`HeloCheck`] asks, the DNS answers, and what was found is kept for
//! the session.

use std::net::{IpAddr, SocketAddr};
use std::time::Duration;

use ehlo::HeloCheck;
use ehlo::Reply;
use ehlo::identity::{Advice, Claim, Enforcement, Forgery, Iprev, NameSyntax, Verdict};
use ehlo::syntax::path::{ClientName, Domain, Host};
use ehlo_apps::dns::Resolver;

/// Checks the greetings of clients.
pub(crate) struct Greetings {
    resolver: Resolver,
    enforcement: Enforcement,
    /// The name of this server, which no client may claim.
    host: String,
}

impl Greetings {
    /// Asks `dns`, or the servers of this machine.
    pub(crate) fn new(
        enforcement: Enforcement,
        dns: Option<SocketAddr>,
        host: &str,
    ) -> Result<Self, String> {
        let resolver = Resolver::new(dns, PATIENCE)?;
        Ok(Self { resolver, enforcement, host: host.to_owned() })
    }

    /// What there is to say of a client at `peer` that calls itself `claimed`.
    pub(crate) async fn check(&self, peer: IpAddr, claimed: ClientName<'_>) -> Findings {
        let own: Vec<_> = Host::new(&self.host).into_iter().collect();
        let mut check = HeloCheck::new(peer, claimed).with_own(&own);
        self.resolver.settle(&mut check).await;
        Findings::new(&check.verdict(), self.enforcement)
    }
}

/// A [`Verdict`] that borrows nothing.
pub(crate) struct Findings {
    syntax: NameSyntax,
    claim: Claim,
    iprev: Iprev,
    reverse_name: Option<String>,
    generic: bool,
    forgery: Option<Forgery>,
    /// The reply that refuses the client's mail, if it is to be refused.
    pub(crate) refusal: Option<Reply<'static>>,
}

impl Findings {
    fn new(verdict: &Verdict<'_>, enforcement: Enforcement) -> Self {
        let Verdict { syntax, claim, iprev, generic, forgery, .. } = *verdict;
        let reverse_name = verdict.reverse_name.map(|name| name.to_string());
        // RFC 5321 §4.1.4 forbids to refuse mail because the name does not match the address, and
        // the advice does not.
        let refusal = match verdict.advice(enforcement) {
            Advice::Refuse { reply, .. } => Some(reply),
            _ => None,
        };
        Self { syntax, claim, iprev, reverse_name, generic, forgery, refusal }
    }

    /// The verdict, on the client that was checked.
    pub(crate) fn verdict<'v>(&'v self, peer: IpAddr, claimed: ClientName<'v>) -> Verdict<'v> {
        let Self { syntax, claim, iprev, generic, forgery, .. } = *self;
        let reverse_name = self.reverse_name.as_deref().and_then(|name| Domain::new(name).ok());
        let peer = peer.to_canonical();
        Verdict { claimed, peer, syntax, claim, iprev, reverse_name, generic, forgery }
    }
}

/// How long the client waits for the DNS at most.
const PATIENCE: Duration = Duration::from_secs(5);

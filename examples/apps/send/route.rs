//! Which servers to try: the one of the command line, or the mail exchanges of a domain.

use std::error::Error;
use std::hash::{BuildHasher as _, Hasher as _, RandomState};
use std::net::IpAddr;
use std::time::Duration;

use ehlo::route::{MxPlan, NoRoute, OwnHosts};
use ehlo::syntax::path::Host;
use ehlo_apps::a_labels;
use ehlo_apps::dns::Resolver;
use tokio::runtime::{Builder, Runtime};

use crate::arguments::Arguments;
use crate::link::{Server, Target};

/// The servers to try, in their order.
pub(crate) enum Route<'o> {
    /// This one alone, unless it was tried.
    Server(Option<Target>),
    Domain(Box<Exchanges<'o>>),
}

/// The mail exchanges of a domain.
pub(crate) struct Exchanges<'o> {
    plan: MxPlan<'o>,
    resolver: Resolver,
    runtime: Runtime,
    port: u16,
}

impl<'o> Route<'o> {
    /// The route that the command line asks for. This host is known as `own`.
    ///
    /// # Errors
    ///
    /// The server is no domain, or there is no DNS server to ask.
    pub(crate) fn new(arguments: &Arguments, own: &'o [&'o str]) -> Result<Self, Box<dyn Error>> {
        let host = match &arguments.server {
            Server::Tcp { host, .. } if arguments.mx => host,
            Server::Unix(_) if arguments.mx => return Err("--mx needs a domain as --server".into()),
            _ => {
                let server = arguments.server.with_port(arguments.port().ok());
                return Ok(Self::Server(Some(Target { server, address: None })));
            }
        };
        let port = arguments.port()?;
        let domain = match host.parse() {
            Ok(IpAddr::V4(address)) => format!("[{address}]"),
            Ok(IpAddr::V6(address)) => format!("[IPv6:{address}]"),
            Err(_) => {
                let domain = host.strip_suffix('.').unwrap_or(host);
                a_labels(domain).unwrap_or_else(|| domain.to_owned())
            }
        };
        let own = OwnHosts { names: own, addresses: &[] };
        let seed = RandomState::new().build_hasher().finish();
        let domain = Host::new(&domain).map_err(|error| format!("--server {domain}: {error}"))?;
        let plan = MxPlan::new(domain, own, seed);
        let runtime = Builder::new_current_thread().enable_all().build()?;
        let patience = arguments.timeout.map_or(PATIENCE, |limit| PATIENCE.min(limit));
        let resolver = Resolver::new(arguments.dns, patience)?;
        Ok(Self::Domain(Box::new(Exchanges { plan, resolver, runtime, port })))
    }

    /// The next server.
    ///
    /// # Errors
    ///
    /// There is no further one, or none at all.
    pub(crate) fn next(&mut self) -> Result<Target, NoRoute> {
        let exchanges = match self {
            Self::Server(server) => return server.take().ok_or(NoRoute::Exhausted),
            Self::Domain(exchanges) => exchanges,
        };
        let Exchanges { plan, resolver, runtime, port } = &mut **exchanges;
        let exchange = runtime.block_on(resolver.next_exchange(plan))?;
        let host = match exchange.host {
            host if host.is_empty() => exchange.address.to_string(),
            host => host,
        };
        let server = Server::Tcp { host, port: Some(*port) };
        Ok(Target { server, address: Some(exchange.address) })
    }
}

/// How long an answer of the DNS is waited for.
const PATIENCE: Duration = Duration::from_secs(15);

//! The answers to [`HeloCheck`]'s questions, by hickory.

use std::net::{IpAddr, SocketAddr};
use std::time::Duration;

use ehlo::HeloCheck;
use ehlo::identity::{Answer, Query};
use hickory_resolver::config::{
    ConnectionConfig, NameServerConfig, ResolveHosts, ResolverConfig,
};
use hickory_resolver::net::runtime::TokioRuntimeProvider;
use hickory_resolver::net::{DnsError, NetError};
use hickory_resolver::proto::rr::{Name, RData, RecordType};
use hickory_resolver::{Resolver as Hickory, TokioResolver};

/// A resolver for a tokio runtime. It asks the DNS alone: the hosts file and the search list of
/// this machine are nothing that a peer could see.
#[derive(Debug)]
pub struct Resolver {
    hickory: TokioResolver,
    patience: Duration,
}

/// Why there is no answer.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Failure {
    /// No such name, or no such record of it.
    DoesNotExist,
    /// It cannot be found out now.
    Temporary(String),
}

impl Resolver {
    /// A resolver that asks `server`, or those of this machine, and waits for `patience` in each
    /// call.
    ///
    /// # Errors
    ///
    /// What is wrong with the configuration of this machine.
    pub fn new(server: Option<SocketAddr>, patience: Duration) -> Result<Self, String> {
        let builder = match server {
            None => TokioResolver::builder_tokio(),
            Some(server) => {
                let connections = [ConnectionConfig::udp(), ConnectionConfig::tcp()].map(|mut one| {
                    one.port = server.port();
                    one
                });
                let server = NameServerConfig::new(server.ip(), true, connections.into());
                let config = ResolverConfig::from_name_servers(vec![server]);
                Ok(Hickory::builder_with_config(config, TokioRuntimeProvider::default()))
            }
        };
        let mut builder = builder.map_err(|error| format!("no DNS server: {error}"))?;
        builder.options_mut().use_hosts_file = ResolveHosts::Never;
        let hickory = builder.build().map_err(|error| format!("no DNS server: {error}"))?;
        Ok(Self { hickory, patience })
    }

    /// Answers all questions of a check. Those that are not answered in time stay open, which
    /// counts as a temporary failure.
    pub async fn settle(&self, check: &mut HeloCheck<'_>) {
        let answers = async {
            while let Some(query) = check.query() {
                let answered = match query {
                    Query::Pointer(address) => {
                        let names = self.pointers(address).await;
                        let names = names.as_ref().map(|names| {
                            names.iter().map(String::as_str).collect::<Vec<_>>()
                        });
                        check.answer(names.as_deref().map_or_else(|e| (*e).into(), |n| Answer::Names(n)))
                    }
                    Query::Addresses(name) => {
                        let name = name.to_string();
                        let addresses = self.addresses_like(&name, check.verdict().peer).await;
                        check.answer(match &addresses {
                            Ok(addresses) => Answer::Addresses(addresses),
                            Err(failure) => failure.into(),
                        })
                    }
                };
                if answered.is_err() {
                    return;
                }
            }
        };
        let _ = tokio::time::timeout(self.patience, answers).await;
    }

    /// The addresses of a name, of both kinds.
    ///
    /// # Errors
    ///
    /// [`Failure`], if there is none of either.
    pub async fn addresses(&self, name: &str) -> Result<Vec<IpAddr>, Failure> {
        let four = self.lookup(name, RecordType::A).await;
        let six = self.lookup(name, RecordType::AAAA).await;
        match (four, six) {
            (Ok(mut four), Ok(six)) => {
                four.extend(six);
                Ok(four)
            }
            (Ok(addresses), Err(_)) | (Err(_), Ok(addresses)) => Ok(addresses),
            (Err(Failure::DoesNotExist), Err(failure)) | (Err(failure), Err(_)) => Err(failure),
        }
    }
}

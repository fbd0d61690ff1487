//! The answers to [`HeloCheck`]'s questions, by hickory.

use std::net::{IpAddr, SocketAddr};
use std::time::Duration;

use ehlo::HeloCheck;
use ehlo::identity::{DnsAnswer, DnsQuery};
use hickory_resolver::config::{ConnectionConfig, NameServerConfig, ResolveHosts, ResolverConfig};
use hickory_resolver::net::runtime::TokioRuntimeProvider;
use hickory_resolver::net::{DnsError, NetError};
use hickory_resolver::proto::op::ResponseCode;
use hickory_resolver::proto::rr::{Name, RData, RecordType};
use hickory_resolver::{Resolver as Hickory, TokioResolver};
use tokio::time::{Instant, timeout};

/// A resolver for a tokio runtime. It asks the DNS alone: the hosts file and the search list of
/// this machine are nothing that a peer could see.
///
/// Loopback addresses and `localhost` it knows by itself (RFC 6761 §6.3).
#[derive(Debug)]
pub struct Resolver {
    hickory: TokioResolver,
    pub(crate) patience: Duration,
}

/// Why there is no answer.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Failure {
    /// No such name.
    DoesNotExist,
    /// The name has no such record.
    NoRecord,
    /// It cannot be found out now, for this reason.
    Temporary(String),
}

impl Resolver {
    /// A resolver that asks `server`, or those of this machine, and takes `patience` at most for
    /// a question, and for all questions of one check together.
    ///
    /// # Errors
    ///
    /// What is wrong with the configuration of this machine.
    pub fn new(server: Option<SocketAddr>, patience: Duration) -> Result<Self, String> {
        let builder = match server {
            None => TokioResolver::builder_tokio(),
            Some(server) => {
                let mut connections = vec![ConnectionConfig::udp(), ConnectionConfig::tcp()];
                for connection in &mut connections {
                    connection.port = server.port();
                }
                let server = NameServerConfig::new(server.ip(), true, connections);
                let config = ResolverConfig::from_name_servers(vec![server]);
                Ok(Hickory::builder_with_config(config, TokioRuntimeProvider::default()))
            }
        };
        let mut builder = builder.map_err(|error| format!("no DNS server: {error}"))?;
        builder.options_mut().use_hosts_file = ResolveHosts::Never;
        let hickory = builder.build().map_err(|error| format!("no DNS server: {error}"))?;
        Ok(Self { hickory, patience })
    }

    /// Answers all questions of a check. One that is not answered in its share of the time counts as a
    /// temporary failure.
    pub async fn settle(&self, check: &mut HeloCheck<'_>) {
        let end = Instant::now() + self.patience;
        while let Some(query) = check.query() {
            // No question takes the time of those behind it.
            let share = check.time_for_query(end.saturating_duration_since(Instant::now()));
            let late = |_| Failure::Temporary("no answer in time".to_owned());
            match query {
                DnsQuery::Pointer(address) => {
                    let names = timeout(share, self.names(address)).await;
                    let names = names.map_err(late).and_then(|names| names);
                    let found: Result<Vec<_>, _> =
                        names.as_ref().map(|names| names.iter().map(String::as_str).collect());
                    answer(check, found.as_ref().map(|all| DnsAnswer::Names(all)).map_err(|e| *e));
                }
                DnsQuery::Addresses(name) => {
                    let like = check.verdict().peer;
                    let found = timeout(share, self.addresses(name.as_str(), like)).await;
                    let found = found.map_err(late).and_then(|found| found);
                    answer(check, found.as_ref().map(|all| DnsAnswer::Addresses(all)));
                }
            }
        }
    }

    /// The names of an address.
    ///
    /// # Errors
    ///
    /// [`Failure`], if there is none.
    pub async fn names(&self, address: IpAddr) -> Result<Vec<String>, Failure> {
        let name = |data: &RData| match data {
            RData::PTR(name) => Some(name.to_ascii()),
            _ => None,
        };
        self.lookup(Name::from(address), RecordType::PTR, name).await
    }

    /// The addresses of a name that are of the same kind as `like`, or those of the other kind, if
    /// it has none of that.
    ///
    /// # Errors
    ///
    /// [`Failure`], if it has none of either.
    pub async fn addresses(&self, name: &str, like: IpAddr) -> Result<Vec<IpAddr>, Failure> {
        let kinds = match like {
            IpAddr::V4(_) => [RecordType::A, RecordType::AAAA],
            IpAddr::V6(_) => [RecordType::AAAA, RecordType::A],
        };
        // It is absolute.
        let name = Name::from_ascii(format!("{}.", name.trim_end_matches('.')));
        let name = name.map_err(|_| Failure::DoesNotExist)?;
        let address = |data: &RData| match data {
            RData::A(address) => Some(IpAddr::V4(address.0)),
            RData::AAAA(address) => Some(IpAddr::V6(address.0)),
            _ => None,
        };
        match self.lookup(name.clone(), kinds[0], address).await {
            Err(Failure::DoesNotExist | Failure::NoRecord) => {
                self.lookup(name, kinds[1], address).await
            }
            result => result,
        }
    }

    /// The values of the records of a name.
    pub(crate) async fn lookup<T>(
        &self,
        name: Name,
        kind: RecordType,
        value: impl Fn(&RData) -> Option<T>,
    ) -> Result<Vec<T>, Failure> {
        let answers =
            self.hickory.lookup(name, kind).await.map_err(|error| Failure::from(&error))?;
        let values: Vec<_> = answers.answers().iter().filter_map(|one| value(&one.data)).collect();
        if values.is_empty() { Err(Failure::NoRecord) } else { Ok(values) }
    }
}

impl From<&NetError> for Failure {
    fn from(error: &NetError) -> Self {
        match error {
            // A name that is not there, or not with such a record; and what a server fails at.
            NetError::Dns(DnsError::NoRecordsFound(none)) => match none.response_code {
                ResponseCode::NXDomain => Self::DoesNotExist,
                ResponseCode::NoError => Self::NoRecord,
                _ => Self::Temporary(error.to_string()),
            },
            error => Self::Temporary(error.to_string()),
        }
    }
}

impl std::fmt::Display for Failure {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::DoesNotExist => f.write_str("it does not exist"),
            Self::NoRecord => f.write_str("it has no such record"),
            Self::Temporary(reason) => f.write_str(reason),
        }
    }
}

impl std::error::Error for Failure {}

fn answer(check: &mut HeloCheck<'_>, found: Result<DnsAnswer<'_>, &Failure>) {
    let answer = match found {
        Ok(found) => found,
        Err(Failure::DoesNotExist | Failure::NoRecord) => DnsAnswer::DoesNotExist,
        Err(Failure::Temporary(_)) => DnsAnswer::TemporaryFailure,
    };
    // It is an answer to what was asked.
    let _ = check.answer(answer);
}

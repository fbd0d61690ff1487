//! The mail exchanges of a domain: [`MxPlan`] asks, hickory answers.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, UdpSocket};

use ehlo::route::{MxAnswer, MxPlan, MxQuery, MxStep, NoRoute};
use hickory_resolver::proto::rr::{Name, RData, RecordType};
use tokio::time::timeout;

use crate::dns::{Failure, Resolver};

/// An address to try.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Exchange {
    /// The name of the host; empty for an address literal.
    pub host: String,
    /// Its address.
    pub address: IpAddr,
}

impl Resolver {
    /// The next address of a plan, whose questions are answered as far as it takes.
    ///
    /// # Errors
    ///
    /// [`NoRoute`], if there is no further one.
    pub async fn next_exchange(&self, plan: &mut MxPlan<'_>) -> Result<Exchange, NoRoute> {
        loop {
            let (asks_for_exchanges, name) = match plan.step() {
                MxStep::Try(target) => {
                    let (host, address) = (target.host.to_owned(), target.address);
                    return Ok(Exchange { host, address });
                }
                MxStep::End(why) => return Err(why),
                MxStep::Query(MxQuery::Exchanges(name)) => (true, name.to_owned()),
                MxStep::Query(MxQuery::Addresses(name)) => (false, name.to_owned()),
                MxStep::Query(_) => return Err(NoRoute::LookupFailed),
            };
            // It is an answer to what was asked.
            let _ = if asks_for_exchanges {
                let found = self.in_time(self.exchanges(&name)).await;
                let found: Result<Vec<_>, _> = found.as_ref().map(|all| {
                    all.iter().map(|(preference, name)| (*preference, name.as_str())).collect()
                });
                plan.answer(match &found {
                    Ok(records) => MxAnswer::Exchanges(records),
                    Err(Failure::NoRecord) => MxAnswer::Exchanges(&[]),
                    Err(failure) => without(failure),
                })
            } else {
                let found = self.in_time(self.all_addresses(&name)).await;
                plan.answer(match &found {
                    Ok(addresses) => MxAnswer::Addresses(addresses),
                    Err(Failure::NoRecord) => MxAnswer::Addresses(&[]),
                    Err(failure) => without(failure),
                })
            };
        }
    }

    async fn in_time<T>(
        &self,
        question: impl Future<Output = Result<T, Failure>>,
    ) -> Result<T, Failure> {
        let late = |_| Failure::Temporary("no answer in time".to_owned());
        timeout(self.patience, question).await.map_err(late).and_then(|found| found)
    }

    /// Preferences and names; `.` is the name of a null MX.
    async fn exchanges(&self, name: &str) -> Result<Vec<(u16, String)>, Failure> {
        let exchange = |data: &RData| match data {
            RData::MX(mx) => Some((mx.preference, mx.exchange.to_ascii())),
            _ => None,
        };
        self.lookup(absolute(name)?, RecordType::MX, exchange).await
    }

    /// The addresses of both kinds, those to which no route leads last: RFC 6724 §6, rule 1.
    async fn all_addresses(&self, name: &str) -> Result<Vec<IpAddr>, Failure> {
        let name = absolute(name)?;
        let address = |data: &RData| match data {
            RData::A(address) => Some(IpAddr::V4(address.0)),
            RData::AAAA(address) => Some(IpAddr::V6(address.0)),
            _ => None,
        };
        let (six, four) = tokio::join!(
            self.lookup(name.clone(), RecordType::AAAA, address),
            self.lookup(name, RecordType::A, address),
        );
        let mut addresses = match (six, four) {
            (Ok(six), Ok(four)) => [six, four].concat(),
            (Ok(addresses), Err(_)) | (Err(_), Ok(addresses)) => addresses,
            // Those that are not known now may be there.
            (Err(failure @ Failure::Temporary(_)), Err(_)) | (Err(_), Err(failure)) => {
                return Err(failure);
            }
        };
        addresses.sort_by_key(|address| !has_route(*address));
        Ok(addresses)
    }
}

/// The answer where there is no record.
fn without(failure: &Failure) -> MxAnswer<'static> {
    match failure {
        Failure::DoesNotExist | Failure::NoRecord => MxAnswer::DoesNotExist,
        Failure::Temporary(_) => MxAnswer::TemporaryFailure,
    }
}

fn absolute(name: &str) -> Result<Name, Failure> {
    let name = Name::from_ascii(format!("{}.", name.trim_end_matches('.')));
    name.map_err(|_| Failure::DoesNotExist)
}

/// Whether packets to this address would go somewhere. None is sent.
fn has_route(address: IpAddr) -> bool {
    let local: IpAddr = match address {
        IpAddr::V4(_) => Ipv4Addr::UNSPECIFIED.into(),
        IpAddr::V6(_) => Ipv6Addr::UNSPECIFIED.into(),
    };
    UdpSocket::bind((local, 0)).and_then(|socket| socket.connect((address, 25))).is_ok()
}

//! The header of the PROXY protocol, versions 1 and 2: a proxy says in front of a connection for which
//! client it speaks.
//!
//! `read` takes it from a stream, with the feature `std`. [`ProxyHeader`] takes it in pieces, without I/O
//! and without an allocation. Read it before the connection is made, and only from clients that are
//! proxies: a header can state any address. Where it is wrong or missing, close the connection.
//!
//! <https://www.haproxy.org/download/2.9/doc/proxy-protocol.txt>

mod error;
mod header;
mod proxied;
#[cfg(feature = "std")]
mod read;
mod v1;
mod v2;

pub use error::ProxyHeaderError;
pub use header::{ProxyHeader, Taken, Versions};
pub use proxied::Proxied;
#[cfg(feature = "std")]
pub use read::read;

//! For whom a proxy speaks.

use core::net::SocketAddr;

/// For whom a proxy speaks.
///
/// ```
/// use ehlo_io::proxy_header::{Proxied, ProxyHeader, Versions};
///
/// let taken = ProxyHeader::new(Versions::Any).take(b"PROXY UNKNOWN\r\n")?;
/// assert_eq!(taken.proxied, Some(Proxied::Unknown));
/// # Ok::<(), ehlo_io::proxy_header::ProxyHeaderError>(())
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Proxied {
    /// A client.
    Client {
        /// Its address.
        source: SocketAddr,
        /// The address that it has connected to.
        destination: SocketAddr,
    },
    /// A client whose address the proxy does not tell, or that is not on IP.
    Unknown,
    /// No client: the proxy speaks for itself, as where it checks whether this server is alive. The
    /// addresses are those of the connection.
    Local,
}

//! Streams that may begin TLS.

use std::io;
use std::sync::Arc;

use ehlo_io::{MaybeTlsIo, TlsHandshake, TlsStreamInfo};
use ehlo_rustls::{Connector, rustls::ServerConfig};
use tokio::io::{AsyncRead, AsyncWrite};
use tokio_rustls::{TlsAcceptor, TlsConnector, TlsStream};

use crate::Tokio;

/// A machine on a stream that may begin TLS: see [`ehlo_io::Connection`]. `start_tls`,
/// `implicit_tls` and `deliver_tls` take a [`Connector`] at a client and an
/// `Arc<rustls::ServerConfig>`, for example from [`server_config`](ehlo_rustls::server_config), at
/// a server.
///
/// ```
/// use ehlo::{Delivery, DeliveryConfig, Envelope};
/// use ehlo::delivery::{Fate, TlsPolicy};
/// use ehlo::server::{ACCEPTED, Event};
/// use ehlo::{Extension, ForwardPath, HeloName, ReversePath, Server, ServerConfig};
/// use ehlo_io::{MessageQueue, PendingEvent};
/// use ehlo_tokio::rustls::{RootCertStore, pki_types::PrivatePkcs8KeyDer};
/// use ehlo_tokio::{Connector, TlsConnection};
/// use tokio::time::sleep;
///
/// # tokio::runtime::Builder::new_current_thread().enable_time().build()?.block_on(async {
/// let made = rcgen::generate_simple_self_signed(["mx.example".to_owned()])?;
/// let key = PrivatePkcs8KeyDer::from(made.signing_key.serialize_der());
/// let tls = ehlo_tokio::server_config(vec![made.cert.der().clone()], key.into())?;
/// let (client, stream) = tokio::io::duplex(4096);
///
/// let server = tokio::spawn(async move {
///     let offered = ServerConfig::DEFAULT.offered.with(Extension::StartTls);
///     let config = ServerConfig { offered, require_tls: true, ..ServerConfig::DEFAULT };
///     let mut connection = TlsConnection::new(stream.into(), Server::new(config), sleep);
///     loop {
///         let PendingEvent { event, responder } = connection.next().await?;
///         match event {
///             Event::StartTls => connection.start_tls(&tls).await?,
///             Event::Closed => return std::io::Result::Ok(()),
///             Event::EndOfMailData { .. } => responder.reply(&ACCEPTED)?,
///             _ => responder.standard_reply("mx.example")?,
///         }
///     }
/// });
///
/// let mut roots = RootCertStore::empty();
/// roots.add(made.cert.der().clone())?;
/// let connector = Connector::trusting(roots, "mx.example")?;
/// let recipients = [ForwardPath::new("b@example.org")?];
/// let envelope = Envelope::new(ReversePath::new("a@example.com")?, &recipients);
/// let mut fates = Vec::new();
/// let messages = MessageQueue::new([(&envelope, &b"Subject: x\r\n"[..])], |_, outcomes| {
///     fates.push(outcomes[0].fate);
/// });
/// // Such as why a handshake failed.
/// let messages = messages.on_error(|error| eprintln!("{error}"));
/// let config = DeliveryConfig { tls: TlsPolicy::Require, ..DeliveryConfig::DEFAULT };
/// let delivery = Delivery::new(HeloName::new("client.example")?, config);
/// let mut connection = TlsConnection::new(client.into(), delivery, sleep);
/// connection.deliver_tls(messages, &connector).await?.into_result()?;
/// assert_eq!(fates, [Fate::Accepted]);
/// drop(connection);
/// # let _ = server.await?;
/// # Ok::<_, Box<dyn std::error::Error>>(())
/// # })?;
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
pub type TlsConnection<S, M, T> = ehlo_io::Connection<MaybeTls<S>, M, MaybeTlsIo<Tokio>, T>;

/// A stream in clear text that may begin TLS.
pub type MaybeTls<S> = ehlo_io::MaybeTls<S, TlsStream<S>>;

impl<S: AsyncRead + AsyncWrite + Unpin> TlsHandshake<S, Connector> for Tokio {
    type Tls = TlsStream<S>;

    async fn handshake(stream: S, with: &Connector) -> io::Result<TlsStream<S>> {
        let connector = TlsConnector::from(with.config().clone());
        connector.connect(with.name().clone(), stream).await.map(TlsStream::Client)
    }
}

impl<S: AsyncRead + AsyncWrite + Unpin> TlsHandshake<S, Arc<ServerConfig>> for Tokio {
    type Tls = TlsStream<S>;

    async fn handshake(stream: S, with: &Arc<ServerConfig>) -> io::Result<TlsStream<S>> {
        TlsAcceptor::from(with.clone()).accept(stream).await.map(TlsStream::Server)
    }
}

impl<S> TlsStreamInfo<S, TlsStream<S>> for Tokio {
    fn below(tls: &mut TlsStream<S>) -> &mut S {
        tls.get_mut().0
    }

    fn tls_exporter(tls: &TlsStream<S>) -> Option<[u8; 32]> {
        match tls {
            TlsStream::Client(tls) => ehlo_rustls::tls_exporter(tls.get_ref().1),
            TlsStream::Server(tls) => ehlo_rustls::tls_exporter(tls.get_ref().1),
        }
    }
}

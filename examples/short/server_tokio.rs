//! A server on tokio, inside TLS where a client asks for it: it prints what it receives, and shuts down
//! gracefully at Ctrl-C.
//!
//! Its arguments are the files of a certificate chain and of its key. Without them there is no TLS.
#![allow(clippy::print_stdout, clippy::print_stderr)] // that is what it is for

use std::sync::Arc;
use std::{error::Error, io};

use ehlo::server::{ACCEPTED, Event};
use ehlo::{Command, Extension, Server};
use ehlo_io::PendingEvent;
use ehlo_tokio::rustls::ServerConfig as TlsConfig;
use ehlo_tokio::rustls::pki_types::{CertificateDer, PrivateKeyDer, pem::PemObject as _};
use ehlo_tokio::{ConnectionLimits, Incoming, TlsConnection, serve, server_config};
use tokio::net::{TcpListener, TcpStream};
use tokio::time::sleep;

type Tls = Option<Arc<TlsConfig>>;

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Box<dyn Error>> {
    let listener = TcpListener::bind("127.0.0.1:2525").await?;
    let shutdown = async { drop(tokio::signal::ctrl_c().await) };
    let print = |content: &[u8]| println!("{}", String::from_utf8_lossy(content));
    run(listener, tls()?, shutdown, print).await;
    Ok(())
}

fn tls() -> Result<Tls, Box<dyn Error>> {
    let mut files = std::env::args_os().skip(1);
    let (Some(chain), Some(key)) = (files.next(), files.next()) else { return Ok(None) };
    let chain = CertificateDer::pem_file_iter(chain)?.collect::<Result<_, _>>()?;
    Ok(Some(server_config(chain, PrivateKeyDer::from_pem_file(key)?)?))
}

/// Serves a thousand sessions at a time, of which ten from one address, until `shutdown`.
pub(crate) async fn run(
    listener: TcpListener,
    tls: Tls,
    shutdown: impl Future<Output = ()>,
    take: impl Fn(&[u8]) + Clone + Send + Sync + 'static,
) {
    let handler = |incoming| {
        let (tls, take) = (tls.clone(), take.clone());
        async move {
            session(incoming, tls, take)
                .await
                .unwrap_or_else(|e| eprintln!("a session broke off: {e}"));
        }
    };
    serve(listener, ConnectionLimits::new(1000, 10), shutdown, handler).await;
}

async fn session(
    mut incoming: Incoming<TcpStream>,
    tls: Tls,
    take: impl Fn(&[u8]),
) -> io::Result<()> {
    let mut config = ehlo::ServerConfig::DEFAULT;
    if tls.is_some() {
        config.offered = config.offered.with(Extension::StartTls);
    }
    let server = Server::new(config);
    let mut connection = TlsConnection::new(incoming.stream.into(), server, sleep);
    let mut content = Vec::new();
    loop {
        let next = connection.next_until(&mut incoming.shutdown, HOST).await?;
        let PendingEvent { event, responder } = next;
        match (event, &tls) {
            (Event::Closed, _) => return connection.close().await,
            (Event::StartTls, Some(tls)) => {
                connection.start_tls(tls).await?;
                continue;
            }
            (Event::Command(Command::Mail { .. }), _) => content.clear(),
            (Event::MailData(data), _) => content.extend_from_slice(data),
            (Event::EndOfMailData { .. }, _) => {
                take(&content);
                responder.reply(&ACCEPTED)?;
                continue;
            }
            _ => {}
        }
        responder.standard_reply(HOST)?;
    }
}

const HOST: &str = "mx.example";

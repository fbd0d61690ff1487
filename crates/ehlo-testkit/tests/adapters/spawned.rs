//! What every asynchronous call gives can be handed to a runtime with threads.

use std::io;
use std::sync::Arc;

use ehlo::{Delivery, DeliveryConfig, Envelope};
use ehlo::{ForwardPath, HeloName, ReversePath, Server, ServerConfig};
use ehlo_blocking::Connector;
use ehlo_io::{MessageQueue, SessionEnd, Shutdown};

fn is_send<T: Send>(_: T) {}

macro_rules! may_be_spawned {
    ($test:ident, $adapter:ident, $stream:ty, $timer:expr) => {
        #[test]
        fn $test() {
            async fn deliver(stream: $stream, connector: Connector) -> io::Result<SessionEnd> {
                let to = [ForwardPath::new("b@x.example").expect("a path")];
                let from = ReversePath::new("a@x.example").expect("a path");
                let envelope = Envelope::new(from, &to);
                let name = HeloName::new("client.example").expect("a name");
                let delivery = Delivery::new(name, DeliveryConfig::DEFAULT);
                let mut connection = $adapter::TlsConnection::new(stream.into(), delivery, $timer);
                let mut messages = MessageQueue::new([(&envelope, &b"x\r\n"[..])], |_, _| ());
                connection.deliver(&mut messages).await?.into_result().ok();
                connection.deliver_tls(messages, &connector).await
            }

            async fn serve(
                stream: $stream,
                config: Arc<rustls::ServerConfig>,
                mut stop: Shutdown,
            ) -> io::Result<()> {
                let machine = Server::new(ServerConfig::DEFAULT);
                let mut connection = $adapter::TlsConnection::new(stream.into(), machine, $timer);
                connection.implicit_tls(&config).await?;
                connection.start_tls(&config).await?;
                connection.next().await?.responder.standard_reply("mx.example").ok();
                connection.next_until(&mut stop, "mx.example").await?;
                let mut content = Vec::new();
                connection.collect(&mut content, "mx.example").await?;
                connection.flush().await?;
                connection.close().await
            }

            // It is compiled, and that is all.
            let _ = |stream, connector| is_send(deliver(stream, connector));
            let _ = |stream, config, stop| is_send(serve(stream, config, stop));
        }
    };
}

may_be_spawned!(on_tokio, ehlo_tokio, tokio::net::TcpStream, tokio::time::sleep);
may_be_spawned!(on_smol, ehlo_async_std, smol::net::TcpStream, smol::Timer::after);
may_be_spawned!(on_async_std, ehlo_async_std, async_std::net::TcpStream, async_std::task::sleep);

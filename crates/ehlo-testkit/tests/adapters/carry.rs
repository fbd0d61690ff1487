//! The adapters, behind one trait: a test is written once and runs through each.

use std::future::poll_fn;
use std::io;
use std::net::{Ipv4Addr, Shutdown, TcpListener, TcpStream};
use std::pin::{Pin, pin};
use std::sync::{Arc, mpsc};
use std::task::{Context, Poll};
use std::thread;
use std::time::Duration;

use ehlo::machine::Upgrade;
use ehlo::server::{ACCEPTED, Event};
use ehlo::{Command, Delivery, Envelope, Extension, ForwardPath, ReversePath, Server};
use ehlo_blocking::{BlockingSession, Connector};
use ehlo_io::{
    Buffered, ConnectionLimits, Incoming, MessageSource, PendingEvent, RecipientReport,
    SendFailure, Session, SessionEnd, ShutdownHandle, TimeLimits,
};
use ehlo_sasl::Credentials;
use rustls::ServerConfig;

use crate::pipe::Pipe;
use crate::serving::Served;

/// One end of a connection that nobody carries yet.
pub enum Wire {
    Pipe(Pipe),
    Tcp(TcpStream),
}

/// An adapter on a runtime.
pub trait Adapter: Default + Send + 'static {
    /// Bytes that a connection may hold so that much waits for little.
    const NARROW: usize = 7;

    /// A stream without TLS.
    type Stream: Send;
    /// The adapter's connection, on a stream that may go on inside TLS.
    type Connection<M>: Send
    where
        M: Upgrade + Send;

    fn stream(&self, wire: Wire) -> Self::Stream;

    fn connection<M: Upgrade + Send>(
        &self,
        stream: Self::Stream,
        machine: M,
    ) -> Self::Connection<M>;

    /// Waits for the next event, and has `take` answer it. Where a wait can be given up, it is each
    /// time that nothing has come, and begun again.
    fn next<M: Upgrade + Send, R>(
        &self,
        connection: &mut Self::Connection<M>,
        take: impl FnOnce(PendingEvent<'_, M>) -> R,
    ) -> io::Result<R>;

    fn flush<M: Upgrade + Send>(&self, connection: &mut Self::Connection<M>) -> io::Result<()>;

    fn close<M: Upgrade + Send>(&self, connection: &mut Self::Connection<M>) -> io::Result<()>;

    fn endpoint<'c, M: Upgrade + Send>(
        &self,
        connection: &'c mut Self::Connection<M>,
    ) -> &'c mut Buffered<M>;

    fn accept_tls<M: Upgrade + Send>(
        &self,
        connection: &mut Self::Connection<M>,
        config: &Arc<ServerConfig>,
    ) -> io::Result<()>;

    fn connect_tls<M: Upgrade + Send>(
        &self,
        connection: &mut Self::Connection<M>,
        connector: &Connector,
    ) -> io::Result<()>;

    /// TLS from the beginning, as the server.
    fn accept_implicit<M: Upgrade + Send>(
        &self,
        connection: &mut Self::Connection<M>,
        config: &Arc<ServerConfig>,
    ) -> io::Result<()>;

    /// TLS from the beginning, as the client.
    fn connect_implicit<M: Upgrade + Send>(
        &self,
        connection: &mut Self::Connection<M>,
        connector: &Connector,
    ) -> io::Result<()>;

    fn channel_binding<M: Upgrade + Send>(
        &self,
        connection: &mut Self::Connection<M>,
    ) -> Option<[u8; 32]>;

    fn deliver<'v, X: MessageSource<'v, Content = &'v [u8]> + Send>(
        &self,
        connection: &mut Self::Connection<Delivery<'v>>,
        messages: X,
        tls: Option<&Connector>,
    ) -> io::Result<SessionEnd>;

    /// Keeps a session, inside TLS where it is offered, and sends the content to each address by an
    /// envelope of its own.
    fn keep(
        &self,
        connection: Self::Connection<Delivery<'_>>,
        credentials: Option<Credentials<'_>>,
        tls: &Connector,
        addresses: &[String],
        content: &[u8],
    ) -> Result<Vec<RecipientReport>, SendFailure>;

    /// Reads the content of a message: its size, and what it is.
    fn collect(
        &self,
        connection: &mut Self::Connection<Server>,
    ) -> io::Result<(Option<u64>, Vec<u8>)>;

    /// A server whose handler gives standard replies, panics at VRFY, and closes in order. It offers
    /// CHUNKING.
    fn serve(limits: ConnectionLimits, time: TimeLimits) -> Served;
}

const SERVED: ehlo::ServerConfig = ehlo::ServerConfig {
    offered: ehlo::ServerConfig::DEFAULT.offered.with(Extension::Chunking),
    ..ehlo::ServerConfig::DEFAULT
};

/// The answer to an event; whether it was the last.
fn answer(next: PendingEvent<'_, Server>) -> bool {
    assert!(!matches!(next.event, Event::Command(Command::Vrfy { .. })), "as it is to");
    let is_last = next.event == Event::Closed;
    if matches!(next.event, Event::EndOfMailData { .. }) {
        next.responder.reply(&ACCEPTED).ok();
    } else {
        next.responder.standard_reply("mx.example").ok();
    }
    is_last
}

/// `ehlo-blocking`, on the sockets of std.
#[derive(Default)]
pub struct BlockingIo;

pub trait Duplex: io::Read + io::Write + ehlo_blocking::HalfClose + Send {}

impl<T: io::Read + io::Write + ehlo_blocking::HalfClose + Send> Duplex for T {}

/// A stream of [`BlockingIo`].
pub struct Blocks(pub Box<dyn Duplex>);

impl io::Read for Blocks {
    fn read(&mut self, space: &mut [u8]) -> io::Result<usize> {
        self.0.read(space)
    }
}

impl io::Write for Blocks {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0.write(bytes)
    }

    fn flush(&mut self) -> io::Result<()> {
        self.0.flush()
    }
}

impl ehlo_blocking::HalfClose for Blocks {
    fn half_close(&mut self) -> io::Result<()> {
        self.0.half_close()
    }
}

impl Adapter for BlockingIo {
    /// Each time that both directions are full costs a wait.
    const NARROW: usize = 512;

    type Stream = Blocks;
    type Connection<M>
        = ehlo_blocking::TlsConnection<Blocks, M>
    where
        M: Upgrade + Send;

    fn stream(&self, wire: Wire) -> Blocks {
        match wire {
            Wire::Pipe(pipe) => Blocks(Box::new(pipe)),
            Wire::Tcp(socket) => {
                ehlo_blocking::configure_tcp(&socket).expect("a socket");
                assert!(socket.nodelay().expect("a socket"));
                Blocks(Box::new(socket))
            }
        }
    }

    fn connection<M: Upgrade + Send>(&self, stream: Blocks, machine: M) -> Self::Connection<M> {
        ehlo_blocking::TlsConnection::new(stream.into(), machine)
    }

    fn next<M: Upgrade + Send, R>(
        &self,
        connection: &mut Self::Connection<M>,
        take: impl FnOnce(PendingEvent<'_, M>) -> R,
    ) -> io::Result<R> {
        connection.next().map(take)
    }

    fn flush<M: Upgrade + Send>(&self, connection: &mut Self::Connection<M>) -> io::Result<()> {
        connection.flush()
    }

    fn close<M: Upgrade + Send>(&self, connection: &mut Self::Connection<M>) -> io::Result<()> {
        connection.close()
    }

    fn endpoint<'c, M: Upgrade + Send>(
        &self,
        connection: &'c mut Self::Connection<M>,
    ) -> &'c mut Buffered<M> {
        connection.endpoint()
    }

    fn accept_tls<M: Upgrade + Send>(
        &self,
        connection: &mut Self::Connection<M>,
        config: &Arc<ServerConfig>,
    ) -> io::Result<()> {
        connection.start_tls(config)
    }

    fn connect_tls<M: Upgrade + Send>(
        &self,
        connection: &mut Self::Connection<M>,
        connector: &Connector,
    ) -> io::Result<()> {
        connection.start_tls(connector)
    }

    fn accept_implicit<M: Upgrade + Send>(
        &self,
        connection: &mut Self::Connection<M>,
        config: &Arc<ServerConfig>,
    ) -> io::Result<()> {
        connection.implicit_tls(config)
    }

    fn connect_implicit<M: Upgrade + Send>(
        &self,
        connection: &mut Self::Connection<M>,
        connector: &Connector,
    ) -> io::Result<()> {
        connection.implicit_tls(connector)
    }

    fn channel_binding<M: Upgrade + Send>(
        &self,
        connection: &mut Self::Connection<M>,
    ) -> Option<[u8; 32]> {
        connection.channel_binding()
    }

    fn deliver<'v, X: MessageSource<'v, Content = &'v [u8]> + Send>(
        &self,
        connection: &mut Self::Connection<Delivery<'v>>,
        messages: X,
        tls: Option<&Connector>,
    ) -> io::Result<SessionEnd> {
        match tls {
            None => connection.deliver(messages),
            Some(connector) => connection.deliver_tls(messages, connector),
        }
    }

    fn keep(
        &self,
        connection: Self::Connection<Delivery<'_>>,
        credentials: Option<Credentials<'_>>,
        tls: &Connector,
        addresses: &[String],
        content: &[u8],
    ) -> Result<Vec<RecipientReport>, SendFailure> {
        let mut session = BlockingSession::open_tls(connection, credentials, tls)?;
        let mut all = Vec::new();
        for address in addresses {
            session.check()?;
            let recipients = [ForwardPath::new(address).expect("a path")];
            all.extend(session.send(&Envelope::new(ReversePath::Null, &recipients), content)?);
        }
        session.quit().expect("a stream that holds");
        Ok(all)
    }

    fn collect(
        &self,
        connection: &mut Self::Connection<Server>,
    ) -> io::Result<(Option<u64>, Vec<u8>)> {
        let mut content = Vec::new();
        Ok((connection.collect(&mut content, "mx.example")?, content))
    }

    fn serve(limits: ConnectionLimits, time: TimeLimits) -> Served {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).expect("a port");
        let address = listener.local_addr().expect("an address");
        let handle = ShutdownHandle::new();
        let shutdown = handle.shutdown();
        let thread = thread::spawn(move || {
            let served = ehlo_blocking::serve(listener, limits, shutdown, |mut incoming| {
                let machine = Server::new(SERVED);
                let mut connection = ehlo_blocking::Connection::new(incoming.stream, machine);
                connection.set_time_limits(time);
                let (shutdown, host) = (&mut incoming.shutdown, "mx.example");
                while connection.next_until(shutdown, host).is_ok_and(|next| !answer(next)) {}
                connection.close().ok();
            });
            served.expect("a listener");
        });
        Served { address, handle, thread }
    }
}

/// The next event of an asynchronous connection. Each time that nothing has come the future is
/// dropped, and another one is made.
macro_rules! impatient {
    ($connection:ident, $take:ident) => {{
        let mut take = Some($take);
        poll_fn(move |context| match pin!($connection.next()).poll(context) {
            Poll::Ready(Ok(turn)) => Poll::Ready(Ok(take.take().expect("one event")(turn))),
            Poll::Ready(Err(error)) => Poll::Ready(Err(error)),
            Poll::Pending => Poll::Pending,
        })
    }};
}

/// The same for a call without an event.
macro_rules! again {
    ($call:expr) => {
        poll_fn(|context| pin!($call).poll(context))
    };
}

/// An adapter whose streams have `AsyncRead` and `AsyncWrite` of one kind or another.
macro_rules! asynchronous {
    (
        $(#[$doc:meta])* $name:ident, $adapter:ident, $duplex:ident($read:path, $write:path),
        tcp: $tcp:expr, block_on: $block_on:expr, timer: $timer:expr, sleep: $sleep:ty,
        listener: $listener:ty, serve: $serve:expr $(,)?
    ) => {
        pub trait $duplex: $read + $write + Unpin + Send {}

        impl<T: $read + $write + Unpin + Send> $duplex for T {}

        impl Adapter for $name {
            type Stream = Box<dyn $duplex>;
            type Connection<M>
                = $adapter::TlsConnection<Box<dyn $duplex>, M, fn(Duration) -> $sleep>
            where
                M: Upgrade + Send;

            fn stream(&self, wire: Wire) -> Self::Stream {
                match wire {
                    Wire::Pipe(pipe) => Box::new(pipe),
                    Wire::Tcp(socket) => {
                        socket.set_nodelay(true).expect("a socket");
                        socket.set_nonblocking(true).expect("a socket");
                        $tcp(self, socket)
                    }
                }
            }

            fn connection<M: Upgrade + Send>(
                &self,
                stream: Self::Stream,
                machine: M,
            ) -> Self::Connection<M> {
                $adapter::TlsConnection::new(stream.into(), machine, $timer)
            }

            fn next<M: Upgrade + Send, R>(
                &self,
                connection: &mut Self::Connection<M>,
                take: impl FnOnce(PendingEvent<'_, M>) -> R,
            ) -> io::Result<R> {
                $block_on(self, impatient!(connection, take))
            }

            fn flush<M: Upgrade + Send>(
                &self,
                connection: &mut Self::Connection<M>,
            ) -> io::Result<()> {
                $block_on(self, again!(connection.flush()))
            }

            fn close<M: Upgrade + Send>(
                &self,
                connection: &mut Self::Connection<M>,
            ) -> io::Result<()> {
                $block_on(self, again!(connection.close()))
            }

            fn endpoint<'c, M: Upgrade + Send>(
                &self,
                connection: &'c mut Self::Connection<M>,
            ) -> &'c mut Buffered<M> {
                connection.endpoint()
            }

            fn accept_tls<M: Upgrade + Send>(
                &self,
                connection: &mut Self::Connection<M>,
                config: &Arc<ServerConfig>,
            ) -> io::Result<()> {
                $block_on(self, connection.start_tls(config))
            }

            fn connect_tls<M: Upgrade + Send>(
                &self,
                connection: &mut Self::Connection<M>,
                connector: &Connector,
            ) -> io::Result<()> {
                $block_on(self, connection.start_tls(connector))
            }

            fn accept_implicit<M: Upgrade + Send>(
                &self,
                connection: &mut Self::Connection<M>,
                config: &Arc<ServerConfig>,
            ) -> io::Result<()> {
                $block_on(self, connection.implicit_tls(config))
            }

            fn connect_implicit<M: Upgrade + Send>(
                &self,
                connection: &mut Self::Connection<M>,
                connector: &Connector,
            ) -> io::Result<()> {
                $block_on(self, connection.implicit_tls(connector))
            }

            fn channel_binding<M: Upgrade + Send>(
                &self,
                connection: &mut Self::Connection<M>,
            ) -> Option<[u8; 32]> {
                connection.channel_binding()
            }

            fn deliver<'v, X: MessageSource<'v, Content = &'v [u8]> + Send>(
                &self,
                connection: &mut Self::Connection<Delivery<'v>>,
                messages: X,
                tls: Option<&Connector>,
            ) -> io::Result<SessionEnd> {
                match tls {
                    None => $block_on(self, connection.deliver(messages)),
                    Some(connector) => $block_on(self, connection.deliver_tls(messages, connector)),
                }
            }

            fn keep(
                &self,
                connection: Self::Connection<Delivery<'_>>,
                credentials: Option<Credentials<'_>>,
                tls: &Connector,
                addresses: &[String],
                content: &[u8],
            ) -> Result<Vec<RecipientReport>, SendFailure> {
                $block_on(self, async {
                    let mut session = Session::open_tls(connection, credentials, tls).await?;
                    let mut all = Vec::new();
                    for address in addresses {
                        session.check().await?;
                        let recipients = [ForwardPath::new(address).expect("a path")];
                        let envelope = Envelope::new(ReversePath::Null, &recipients);
                        all.extend(session.send(&envelope, content).await?);
                    }
                    session.quit().await.expect("a stream that holds");
                    Ok(all)
                })
            }

            fn collect(
                &self,
                connection: &mut Self::Connection<Server>,
            ) -> io::Result<(Option<u64>, Vec<u8>)> {
                let mut content = Vec::new();
                Ok(($block_on(self, connection.collect(&mut content, "mx.example"))?, content))
            }

            fn serve(limits: ConnectionLimits, time: TimeLimits) -> Served {
                let handle = ShutdownHandle::new();
                let shutdown = handle.shutdown();
                let (send, receive) = mpsc::channel();
                let serving = move |this: &$name| {
                    $block_on(this, async {
                        let listener = <$listener>::bind("127.0.0.1:0").await.expect("a port");
                        send.send(listener.local_addr().expect("an address")).expect("a test");
                        let handler = move |mut incoming: Incoming<_>| async move {
                            let machine = Server::new(SERVED);
                            let stream = incoming.stream;
                            let mut connection = $adapter::Connection::new(stream, machine, $timer);
                            connection.set_time_limits(time);
                            let (shutdown, host) = (&mut incoming.shutdown, "mx.example");
                            let mut goes_on = |context: &mut Context<'_>| {
                                let next = pin!(connection.next_until(shutdown, host));
                                next.poll(context).map(|next| next.is_ok_and(|next| !answer(next)))
                            };
                            while poll_fn(&mut goes_on).await {}
                            connection.close().await.ok();
                        };
                        $serve(listener, limits, shutdown, handler).await;
                    });
                };
                let thread = thread::spawn(move || serving(&$name::default()));
                let address = receive.recv().expect("a server");
                Served { address, handle, thread }
            }
        }
    };
}

/// `ehlo-tokio` on tokio.
pub struct Tokio(tokio::runtime::Runtime);

impl Default for Tokio {
    fn default() -> Self {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
        Self(runtime.expect("a runtime"))
    }
}

asynchronous! {
    Tokio, ehlo_tokio, TokioDuplex(tokio::io::AsyncRead, tokio::io::AsyncWrite),
    tcp: |tokio: &Tokio, socket| {
        let _guard = tokio.0.enter();
        Box::new(tokio::net::TcpStream::from_std(socket).expect("a socket"))
    },
    block_on: |tokio: &Tokio, future| tokio.0.block_on(future),
    timer: tokio::time::sleep as fn(_) -> _, sleep: tokio::time::Sleep,
    listener: tokio::net::TcpListener,
    serve: ehlo_tokio::serve,
}

/// `ehlo-async-std` on smol.
#[derive(Default)]
pub struct Smol;

asynchronous! {
    Smol, ehlo_async_std, SmolDuplex(smol::io::AsyncRead, smol::io::AsyncWrite),
    tcp: |_: &Smol, socket| {
        let socket = smol::Async::<TcpStream>::new(socket).expect("a socket");
        Box::new(smol::net::TcpStream::from(socket))
    },
    block_on: |_: &Smol, future| smol::block_on(future),
    timer: smol::Timer::after as fn(_) -> _, sleep: smol::Timer,
    listener: smol::net::TcpListener,
    serve: async |listener: smol::net::TcpListener, limits, shutdown, handler| {
        let runtime =
            ehlo_async_std::Runtime::new(smol::Timer::after, |task| smol::spawn(task).detach());
        runtime.serve(async move || listener.accept().await, limits, shutdown, handler).await;
    },
}

/// `ehlo-async-std` on async-std.
#[derive(Default)]
pub struct AsyncStd;

asynchronous! {
    AsyncStd, ehlo_async_std,
    AsyncStdDuplex(smol::io::AsyncRead, smol::io::AsyncWrite),
    tcp: |_: &AsyncStd, socket| Box::new(Shuts(async_std::net::TcpStream::from(socket))),
    block_on: |_: &AsyncStd, future| async_std::task::block_on(future),
    timer: (|time| Box::pin(async_std::task::sleep(time))) as fn(Duration) -> AsyncStdSleep,
    sleep: AsyncStdSleep,
    listener: async_std::net::TcpListener,
    serve: async |listener: async_std::net::TcpListener, limits, shutdown, handler| {
        let runtime =
            ehlo_async_std::Runtime::new(async_std::task::sleep, async_std::task::spawn);
        runtime.serve(async move || listener.accept().await, limits, shutdown, handler).await;
    },
}

/// async-std's timer has no name.
type AsyncStdSleep = Pin<Box<dyn Future<Output = ()> + Send>>;

/// A socket of async-std, which by itself tells the peer nothing when it is closed for writing.
struct Shuts(async_std::net::TcpStream);

impl smol::io::AsyncRead for Shuts {
    fn poll_read(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        space: &mut [u8],
    ) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.0).poll_read(context, space)
    }
}

impl smol::io::AsyncWrite for Shuts {
    fn poll_write(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.0).poll_write(context, bytes)
    }

    fn poll_flush(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.0).poll_flush(context)
    }

    fn poll_close(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<io::Result<()>> {
        Poll::Ready(self.0.shutdown(Shutdown::Write))
    }
}

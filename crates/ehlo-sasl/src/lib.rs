//! SASL authentication for SMTP, RFC 4954 and RFC 4422: client and server, without I/O.
//!
//! The crate adds authentication to the machines of [`ehlo`]. An application has one exchange for
//! each AUTH command: it passes in the messages of the peer, sends the messages that come out, and
//! answers one question, whether the credentials are right. The caller owns the buffers.
//!
//! | I want to | see |
//! | --- | --- |
//! | authenticate as a client | [`Credentials`], [`AnyClient`], [`ClientExchange`] |
//! | let clients authenticate at a server | [`AnyServer`], [`ServerExchange`], and [`Proof`] for the verdict |
//! | deliver mail with a password or token | the crate `ehlo-io`, which runs the exchange |
//! | write a mechanism that is not here | [`ClientMechanism`], [`ServerMechanism`] |
//!
//! # Mechanisms and features
//!
//! | mechanism | client | server | stored for a user | feature |
//! | --- | --- | --- | --- | --- |
//! | PLAIN, RFC 4616 | [`PlainClient`] | [`PlainServer`] | anything that verifies a password | |
//! | LOGIN, obsolete | [`LoginClient`] | [`LoginServer`] | the same | |
//! | SCRAM-SHA-256 and SCRAM-SHA-1, also -PLUS, RFC 5802 and 7677 | `ScramClient` | `ScramServer` | [`ScramKeys`] | `scram` |
//! | OAUTHBEARER, RFC 7628 | [`OauthBearerClient`] | [`OauthBearerServer`] | | |
//! | XOAUTH2, Google and Microsoft | [`Xoauth2Client`] | [`Xoauth2Server`] | | |
//! | EXTERNAL, RFC 4422 | [`ExternalClient`] | [`ExternalServer`] | | |
//! | ANONYMOUS, RFC 4505 | [`AnonymousClient`] | [`AnonymousServer`] | | |
//! | CRAM-MD5, RFC 2195 | `CramMd5Client` | `CramMd5Server` | the password itself | `cram-md5` |
//!
//! Both features are off by default. Without `scram` the crate is `no_std` and does not allocate;
//! `scram` needs `std`.
//!
//! PLAIN, LOGIN, OAUTHBEARER and XOAUTH2 send the secret unprotected, and CRAM-MD5 lets an
//! eavesdropper guess it: [`Channel::strongest`] does not choose them without TLS. A SCRAM exchange
//! also proves that the server knows the password, and with -PLUS that both sides are the ends of
//! the same TLS connection.
//!
//! # Safety of secrets
//!
//! Passwords and tokens are redacted in `Debug`. [`ServerExchange`] overwrites the buffer when the verdict
//! is known. Identities with control characters never reach the application, so that they can be logged.
//! Success before a mechanism is complete is a failure.
//!
//! # A client
//!
//! From the choice of the mechanism to the result:
//!
//! ```
//! use ehlo_sasl::{AnyClient, Channel, ClientExchange, ClientStep, Credentials};
//! use ehlo::{Code, Encode, Reply};
//! use ehlo::syntax::sasl::{Mechanisms, SaslMechanism};
//!
//! # let offered = Mechanisms::from_iter([SaslMechanism::Login, SaslMechanism::Plain]);
//! // `offered` is client.capabilities().mechanisms(); the channel is protected if client.is_tls().
//! let credentials = Credentials::password("anna", "secret")?;
//! let mechanism = AnyClient::strongest(offered, &credentials, Channel::Protected)
//!     .ok_or("no mechanism that these credentials can use is offered")?;
//! let mut exchange = ClientExchange::new(mechanism);
//!
//! // The command goes to client.send.
//! let (mut buffer, mut out) = ([0; 1024], [0; 512]);
//! let command = exchange.start(&mut buffer)?;
//! let n = command.encode(&mut out)?;
//! assert_eq!(&out[..n], b"AUTH PLAIN AGFubmEAc2VjcmV0\r\n");
//!
//! // The reply comes from client.receive.
//! let reply = Reply::new(Code::AUTHENTICATION_SUCCEEDED, "welcome");
//! match exchange.receive(&reply, &mut buffer) {
//!     // The response goes to client.respond, and its reply to exchange.receive.
//!     ClientStep::Respond(_response) => unreachable!("PLAIN has one message"),
//!     ClientStep::Done(result) => result?,
//! }
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```
//!
//! # A server
//!
//! From the events of the machine to the replies. The loop answers the questions of every mechanism;
//! CRAM-MD5 and SCRAM are created by `CramMd5Server::new` and `ScramServer::new` instead of
//! [`AnyServer::new`], and `exchange.secret` then passes them the stored secret of the user.
//!
//! ```
//! use ehlo_sasl::{AnyServer, Proof, ServerExchange, ServerStep};
//! use ehlo::Server;
//! use ehlo::server::Event;
//! use ehlo::{Command, ReplyError, ServerConfig};
//! use ehlo::syntax::capability::Capabilities;
//! use ehlo::syntax::sasl::{Mechanisms, SaslMechanism};
//!
//! /// Writes the answer to one event into `out`, and returns its length.
//! fn answer(
//!     event: &Event<'_>,
//!     server: &mut Server,
//!     attempt: &mut Option<ServerExchange<AnyServer>>,
//!     buffer: &mut [u8],
//!     out: &mut [u8],
//! ) -> Result<usize, ReplyError> {
//!     let step = match event {
//!         Event::Command(Command::Auth { mechanism, initial_response }) => {
//!             *attempt = mechanism.known().and_then(AnyServer::new).map(ServerExchange::new);
//!             attempt.as_mut().map(|it| it.start(initial_response.as_ref(), buffer))
//!         }
//!         Event::AuthResponse(response) => attempt.as_mut().map(|it| it.receive(response, buffer)),
//!         _ => None,
//!     };
//!     // Another event, or a mechanism that was offered and is not in this crate.
//!     let (Some(mut step), Some(exchange)) = (step, attempt) else {
//!         return server.reply(&server.standard_reply("mx.example"), out);
//!     };
//!     loop {
//!         step = match step {
//!             ServerStep::Challenge(data) => return server.challenge(&data, out),
//!             ServerStep::Reply(reply) => return server.reply(&reply, out),
//!             ServerStep::Verify(claim) => match (claim.authentication(), claim.proof()) {
//!                 (Some("anna"), Proof::Password("secret")) => exchange.accept(buffer),
//!                 _ => exchange.refuse(buffer),
//!             },
//!             ServerStep::Secret(_name) => exchange.secret(None, buffer),
//!         };
//!     }
//! }
//!
//! # let offered = Mechanisms::NONE.with(SaslMechanism::Plain).with(SaslMechanism::Login);
//! # let mut server = Server::new(ServerConfig {
//! #     offered: Capabilities::NONE.with_mechanisms(offered),
//! #     implicit_tls: true,
//! #     ..ServerConfig::DEFAULT
//! # });
//! # let (mut attempt, mut buffer, mut out) = (None, [0; 1024], [0; 1024]);
//! # let mut say = |line: &'static str| {
//! #     let event = server.receive(line.as_bytes()).event;
//! #     let n = answer(&event, &mut server, &mut attempt, &mut buffer, &mut out).unwrap();
//! #     String::from_utf8_lossy(&out[..n]).into_owned()
//! # };
//! # say("");
//! # say("EHLO client.example\r\n");
//! // `say` gives a line to Server::receive, its event to `answer`, and returns what `answer` wrote.
//! assert_eq!(say("AUTH LOGIN\r\n"), "334 VXNlcm5hbWU6\r\n");
//! assert_eq!(say("YW5uYQ==\r\n"), "334 UGFzc3dvcmQ6\r\n");
//! assert_eq!(say("d3Jvbmc=\r\n"), "535 authentication credentials invalid\r\n");
//! assert_eq!(say("AUTH PLAIN AGFubmEAc2VjcmV0\r\n"), "235 authentication successful\r\n");
//! ```
#![no_std]
#![forbid(unsafe_code)]

#[cfg(feature = "scram")]
extern crate std;

mod anonymous;
mod any;
mod client;
#[cfg(feature = "cram-md5")]
mod cram_md5;
mod credentials;
mod external;
mod gs2;
mod login;
mod oauthbearer;
mod plain;
#[cfg(feature = "scram")]
mod scram;
mod secret;
mod server;
mod single;
mod table;
mod xoauth2;

pub use anonymous::{AnonymousClient, AnonymousServer};
pub use any::{AnyClient, AnyServer};
pub use client::{ClientExchange, ClientFailure, ClientMechanism, ClientStep};
#[cfg(feature = "cram-md5")]
pub use cram_md5::{CramMd5Client, CramMd5Server};
pub use credentials::{Channel, ChannelBinding, Credentials, CredentialsError, Proof};
pub use external::{ExternalClient, ExternalServer};
pub use login::{LoginClient, LoginServer};
pub use oauthbearer::{OauthBearerClient, OauthBearerServer};
pub use plain::{PlainClient, PlainServer};
#[cfg(feature = "scram")]
pub use scram::{ScramClient, ScramSecret, ScramServer};
pub use secret::{ScramKeys, StoredSecret};
pub use server::{ServerExchange, ServerFailure, ServerMechanism, ServerStep, ServerTurn};
pub use xoauth2::{Xoauth2Client, Xoauth2Server};

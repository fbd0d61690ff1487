//! Authentication: the lines of an exchange, RFC 4954 §4, and the mechanisms that speak in them,
//! RFC 4422.
//!
//! A mechanism is a [`ClientMechanism`] or a [`ServerMechanism`]: messages in, messages out, in
//! buffers of the caller. [`ClientExchange`] and [`ServerExchange`] tie one to the commands and
//! replies of SMTP. Neither decides: who may enter is for the application to say, and what it needs
//! to know for that it is asked as data.
//!
//! | mechanism | client | server | feature |
//! | --- | --- | --- | --- |
//! | EXTERNAL, RFC 4422 | [`ExternalClient`] | [`ExternalServer`] | |
//! | OAUTHBEARER, RFC 7628 | [`OauthBearerClient`] | [`OauthBearerServer`] | |
//! | XOAUTH2 | [`Xoauth2Client`] | [`Xoauth2Server`] | |
//! | PLAIN, RFC 4616 | [`PlainClient`] | [`PlainServer`] | |
//! | LOGIN | [`LoginClient`] | [`LoginServer`] | |
//! | ANONYMOUS, RFC 4505 | [`AnonymousClient`] | [`AnonymousServer`] | |
//! | SCRAM-SHA-256 and -1, also -PLUS, RFC 5802 and 7677 | `ScramClient` | `ScramServer` | `scram` |
//! | CRAM-MD5, RFC 2195 | `CramMd5Client` | `CramMd5Server` | `cram-md5` |
//!
//! A client's attempt, from the choice of the mechanism to the response:
//!
//! ```
//! use ehlo_sasl::{AnyClient, Channel, ClientExchange, ClientStep, Credentials};
//! use ehlo::Encode;
//! use ehlo::syntax::sasl::{Mechanisms, SaslMechanism};
//!
//! # let offered = Mechanisms::NONE.with(SaslMechanism::Login).with(SaslMechanism::Plain);
//! // client.capabilities().mechanisms() says what is offered, client.is_tls() what protects.
//! let credentials = Credentials::password("anna", "secret")?;
//! let mechanism = AnyClient::strongest(offered, &credentials, Channel::Protected).unwrap();
//! let mut exchange = ClientExchange::new(mechanism);
//! let (mut buffer, mut out) = ([0; 1024], [0; 512]);
//! let command = exchange.start(&mut buffer)?;
//! // client.send(&command, &mut out); what comes back goes to exchange.receive.
//! let n = command.encode(&mut out)?;
//! assert_eq!(&out[..n], b"AUTH PLAIN AGFubmEAc2VjcmV0\r\n");
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```
//!
//! A server's, from the events of the machine to the replies. It answers the questions of any
//! mechanism; CRAM-MD5 and SCRAM are made with `CramMd5Server::new` and `ScramServer::new` in the
//! place of [`AnyServer::new`], and want what is stored of the user.
//!
//! ```
//! use ehlo_sasl::{AnyServer, Proof, ServerExchange, ServerStep};
//! use ehlo::Server;
//! use ehlo::server::Event;
//! use ehlo::{Command, ReplyError, ServerConfig};
//! use ehlo::syntax::capability::Capabilities;
//! use ehlo::syntax::sasl::{Mechanisms, SaslMechanism};
//!
//! /// Answers one event into `out`; the length of the answer.
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
//!     // Another event, or a mechanism that was offered and is not here.
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
//! // say(line) gives the line to Server::receive, and its event to the function above.
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

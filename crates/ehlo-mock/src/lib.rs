//! A mail server for tests: how to test that a program sends the right mail.
//!
//! Start a [`MockServer`], let the program send to its address, and look at what came:
//!
//! ```
//! use ehlo_mock::MockServer;
//!
//! let server = MockServer::smtp().start()?;
//! send_welcome(server.address(), "jones@example.org");
//!
//! let [welcome] = &server.wait_for(1)?[..] else { panic!("one message was sent") };
//! assert_eq!(welcome.from(), "noreply@example.com");
//! assert_eq!(welcome.to(), ["jones@example.org"]);
//! assert_eq!(welcome.header("Subject").as_deref(), Some("Welcome"));
//! assert!(welcome.body().contains("at noon"));
//!
//! /// The program under test.
//! fn send_welcome(server: std::net::SocketAddr, to: &str) {
//!     // …
//! #   use ehlo::{Delivery, DeliveryConfig, Envelope, ForwardPath, HeloName, ReversePath};
//! #   let recipients = [ForwardPath::new(to).unwrap()];
//! #   let from = ReversePath::new("noreply@example.com").unwrap();
//! #   let envelope = Envelope::new(from, &recipients);
//! #   let content = "Subject: Welcome\r\n\r\nWe meet at noon.\r\n".as_bytes();
//! #   let delivery = Delivery::new(HeloName::new("client.example").unwrap(), DeliveryConfig::DEFAULT);
//! #   let stream = std::net::TcpStream::connect(server).unwrap();
//! #   let queue = ehlo_io::MessageQueue::new([(&envelope, content)], |_, _| {});
//! #   ehlo_blocking::Connection::new(stream, delivery).deliver(queue).unwrap();
//! }
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```
//!
//! # What can go wrong
//!
//! By recipient, or by [`Stage`] of the session, an [`Action`] replies, waits or closes the connection:
//!
//! ```
//! use std::time::Duration;
//! use ehlo_mock::{Action, MockServer, Stage};
//!
//! let server = MockServer::smtp()
//!     .refuse("nobody@example.org")
//!     .to("slow@example.org", Action::delay(Duration::from_millis(50)))
//!     // Greylisting: deferred once.
//!     .to("jones@example.org", Action::reply("450 4.7.1 try again")).times(1)
//!     // The message is stored, and the client does not hear of it.
//!     .at(Stage::EndOfData, Action::lose_reply()).times(1)
//!     .start()?;
//! # drop(server);
//! # Ok::<(), ehlo_mock::MockError>(())
//! ```
//!
//! # Which server
//!
//! | | |
//! | --- | --- |
//! | [`MockServer::smtp`], [`MockServer::submission`], [`MockServer::lmtp`] | the role |
//! | [`MockBuilder::user`], [`MockBuilder::token`] | who may authenticate |
//! | `MockBuilder::starttls`, `MockBuilder::implicit_tls` | TLS, with the feature `rustls` |
//! | [`MockBuilder::configure`] | all else that a server has: extensions, limits, leniencies |
//! | [`MockBuilder::start`] | a port of the loopback interface, and threads |
//! | [`MockBuilder::in_memory`] | no port and no thread: [`Mock::connect`] gives a stream |
//!
//! The server is strict, so that a test finds what another server would refuse: a bare LF, an address
//! outside the grammar, a parameter that was not offered. [`Mock::errors`] says what was wrong.
//!
//! # In asynchronous programs
//!
//! The server's threads do not depend on a runtime. [`Mock::received`] is a future for any of them;
//! [`Mock::wait_for`] blocks the thread that calls it, and is for programs on another thread.
#![forbid(unsafe_code)]

mod action;
mod auth;
mod builder;
mod error;
mod memory;
mod message;
mod mock;
mod rules;
mod server;
mod session;
mod shared;
#[cfg(feature = "rustls")]
mod tls;

pub use action::{Action, Stage};
pub use builder::MockBuilder;
pub use error::{MockError, NotReceived};
pub use memory::MemoryStream;
pub use message::Message;
pub use mock::{Mock, Received};
pub use server::MockServer;

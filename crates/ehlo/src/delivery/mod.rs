//! Delivery: a whole client session, from the greeting to QUIT.
//!
//! The owner of the connection runs a loop: send the bytes that [`Delivery`](crate::Delivery)
//! writes, pass it the bytes that arrive, and answer its [`Event`]. Only these events need an
//! answer:
//! | event | answer |
//! | --- | --- |
//! | [`NeedInput`](Event::NeedInput) | read more, or call [`end_of_input`](crate::machine::Machine::end_of_input) |
//! | [`StartTls`](Event::StartTls) | the handshake; [`tls_established`](crate::Delivery::tls_established) or [`tls_failed`](crate::Delivery::tls_failed) |
//! | [`NeedAuthentication`](Event::NeedAuthentication) | [`authenticate`](crate::Delivery::authenticate) or [`skip_authentication`](crate::Delivery::skip_authentication) |
//! | [`Challenge`](Event::Challenge) | [`respond`](crate::Delivery::respond), with the response of a `ClientExchange` of `ehlo-sasl` |
//! | [`NeedEnvelope`](Event::NeedEnvelope) | [`envelope`](crate::Delivery::envelope), [`quit`](crate::Delivery::quit) or [`defer_envelope`](crate::Delivery::defer_envelope) |
//! | [`NeedContent`](Event::NeedContent) | [`mail_data`](crate::Delivery::mail_data) or [`last_mail_data`](crate::Delivery::last_mail_data); [`abandon`](crate::Delivery::abandon) if it is not available |
//! | [`Closed`](Event::Closed) | close the connection |
//!
//! [`Outcomes`] records all events and holds the outcome of each recipient at the end.
//!
//! ```
//! use ehlo::{Delivery, DeliveryConfig, Envelope};
//! use ehlo::delivery::{Event, Fate, Outcome, Outcomes};
//! use ehlo::{ForwardPath, HeloName, ReversePath};
//! use ehlo::machine::Machine;
//!
//! let recipients = [ForwardPath::new("b@example.net")?, ForwardPath::new("nobody@example.net")?];
//! let content = b"Subject: hello\r\n\r\nHello!\r\n";
//! let envelope = Envelope {
//!     size: Some(content.len() as u64),
//!     ..Envelope::new(ReversePath::new("a@example.org")?, &recipients)
//! };
//! let conversation = [
//!     ("", "220 mx.example ESMTP\r\n"),
//!     ("EHLO client.example\r\n", "250-mx.example\r\n250-PIPELINING\r\n250 CHUNKING\r\n"),
//!     (
//!         "MAIL FROM:<a@example.org>\r\n\
//!          RCPT TO:<b@example.net>\r\n\
//!          RCPT TO:<nobody@example.net>\r\n\
//!          BDAT 26 LAST\r\n\
//!          Subject: hello\r\n\r\nHello!\r\n",
//!         "250 2.1.0 ok\r\n250 2.1.5 ok\r\n550 5.1.1 no such user\r\n250 2.6.0 taken\r\n",
//!     ),
//!     ("QUIT\r\n", "221 2.0.0 bye\r\n"),
//! ];
//!
//! let mut delivery = Delivery::new(HeloName::new("client.example")?, DeliveryConfig::default());
//! let mut memory = [Outcome::PENDING; 2];
//! let mut outcomes = Outcomes::begin(&mut memory, 0).expect("nothing is decided");
//! let (mut input, mut sent, mut out) = (Vec::new(), Vec::new(), [0; 1024]);
//! for (says, answers) in conversation {
//!     loop {
//!         let written = delivery.transmit(&mut out)?;
//!         sent.extend_from_slice(&out[..written]);
//!         let received = delivery.receive(&input);
//!         outcomes.record(&received.event);
//!         match received.event {
//!             Event::NeedInput => break,
//!             Event::NeedEnvelope if delivery.statistics().envelopes == 0 => {
//!                 delivery.envelope(&envelope);
//!             }
//!             Event::NeedEnvelope => delivery.quit(),
//!             Event::NeedContent { offset, .. } => {
//!                 let rest = &content[offset as usize..];
//!                 let progress = delivery.last_mail_data(rest, &mut out)?;
//!                 sent.extend_from_slice(&out[..progress.written]);
//!             }
//!             _ => {}
//!         }
//!         input.drain(..received.consumed);
//!     }
//!     assert_eq!(String::from_utf8_lossy(&sent), says);
//!     sent.clear();
//!     input.extend_from_slice(answers.as_bytes());
//! }
//! // The reply to QUIT, and the end.
//! let received = delivery.receive(&input);
//! assert!(matches!(received.event, Event::Reply { .. }));
//! assert_eq!(delivery.receive(&input[received.consumed..]).event, Event::Closed);
//! assert_eq!(memory.map(|outcome| outcome.fate), [Fate::Accepted, Fate::Refused]);
//! assert_eq!(delivery.round_trips(), 3);
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```

mod chunk;
pub(crate) mod config;
mod content;
pub(crate) mod delivery;
pub(crate) mod envelope;
mod event;
mod idle;
mod outcome;
mod outcomes;
mod pending_events;
mod plan;
mod read;
mod session;
mod transaction;
mod write;

pub use config::{AuthPolicy, ChunkingPolicy, HelloPolicy, TlsPolicy};
pub use delivery::DeliveryStatistics;
pub use envelope::{AsRecipient, Recipient, Recipients};
pub use event::{Event, RecipientRange, UnusableSession};
pub use outcome::{Cause, Fate, Outcome};
pub use outcomes::Outcomes;
pub use plan::Plan;

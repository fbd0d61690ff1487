//! A session between two envelopes: idle, lent, checked, and begun from a client.

use crate::client::client::Client;
use crate::delivery::chunk::Chunk;
use crate::delivery::config::{AuthPolicy, Config, DeliveryConfig, TlsPolicy};
use crate::delivery::delivery::{Delivery, DeliveryStatistics, Stage};
use crate::delivery::pending_events::PendingEvents;
use crate::session::State;
use crate::syntax::reply::Reply;
use crate::syntax::sasl::Mechanisms;

impl Delivery<'_> {
    /// Puts a session to rest when it has no envelope: it keeps its greeting, TLS and
    /// authentication, and borrows nothing. A queue or a pool keeps it, and any `Delivery<'e>` can be
    /// made of it by moving it: a `Delivery<'static>` is a `Delivery<'e>` for every `'e`. From then on
    /// envelopes are counted from 0 again.
    ///
    /// ```
    /// use ehlo::machine::Machine;
    /// use ehlo::{Delivery, DeliveryConfig, Envelope, ForwardPath, HeloName, ReversePath};
    ///
    /// let name = String::from("client.example"); // goes away before the session does
    /// let mut delivery = Delivery::new(HeloName::new(&name)?, DeliveryConfig::DEFAULT);
    /// delivery.receive(b"220 mx.example ESMTP\r\n");
    /// delivery.transmit(&mut [0; 64])?;
    /// delivery.receive(b"250 mx.example\r\n");
    /// let mut pool: Vec<Delivery<'static>> = Vec::new();
    /// pool.extend(delivery.into_idle().ok());
    /// drop(name);
    ///
    /// let recipients = vec![ForwardPath::new("b@example.org")?];
    /// let recipients = recipients.as_slice();
    /// let envelope = Envelope::new(ReversePath::Null, &recipients);
    /// let mut delivery: Delivery<'_> = pool.pop().expect("a session");
    /// assert!(delivery.envelope(&envelope));
    /// assert!(delivery.into_idle().is_err()); // the envelope is open
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    ///
    /// # Errors
    ///
    /// The session as it is, when it is not idle: see [`is_idle`](Self::is_idle).
    #[allow(clippy::result_large_err)] // it is the session itself
    pub fn into_idle(self) -> Result<Delivery<'static>, Self> {
        if !self.is_idle() {
            return Err(self);
        }
        let statistics = DeliveryStatistics { envelopes: 0, ..self.statistics };
        let Self { client, config, mechanisms, has_tried_auth, end_refused, written, .. } = self;
        Ok(Delivery {
            has_tried_auth,
            end_refused,
            written,
            statistics,
            ..Delivery::idle_with(client, config, mechanisms)
        })
    }

    /// Whether [`envelope`](Self::envelope) would begin one now.
    pub fn wants_envelope(&self) -> bool {
        self.is_open() && self.takes_envelope()
    }

    /// Whether the session awaits an envelope, has none open, and has said all that it has to say:
    /// [`into_idle`](Self::into_idle) succeeds. False once the session is known to be over.
    pub fn is_idle(&self) -> bool {
        self.stage == Stage::Idle
            && self.old.is_none()
            && self.current.is_none()
            && !self.due.is_any()
            && self.client.awaits().is_none()
            && self.client.state() == State::Ready
            && self.is_open()
    }

    /// Sends NOOP, RFC 5321 §4.1.1.9, to find out whether the server is still there: as before an
    /// envelope that goes over a session that was idle. [`Event::NeedEnvelope`] comes behind a 2yz;
    /// any other reply is an [`Event::Refused`] of the session. Whether it does; it has no effect when
    /// the session is not [idle](Self::is_idle).
    ///
    /// [`Event::NeedEnvelope`]: super::Event::NeedEnvelope
    /// [`Event::Refused`]: super::Event::Refused
    ///
    /// ```
    /// use ehlo::delivery::Event;
    /// use ehlo::machine::Machine;
    /// use ehlo::{Delivery, DeliveryConfig, HeloName};
    ///
    /// let mut delivery = Delivery::new(HeloName::new("client.example")?, DeliveryConfig::DEFAULT);
    /// assert!(!delivery.noop());
    /// delivery.receive(b"220 mx.example ESMTP\r\n");
    /// let mut out = [0; 64];
    /// delivery.transmit(&mut out)?;
    /// delivery.receive(b"250 mx.example\r\n");
    /// assert!(delivery.noop());
    /// let written = delivery.transmit(&mut out)?;
    /// assert_eq!(&out[..written], b"NOOP\r\n");
    /// delivery.receive(b"250 ok\r\n");
    /// assert_eq!(delivery.receive(b"").event, Event::NeedEnvelope);
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn noop(&mut self) -> bool {
        let is_idle = self.is_idle();
        if is_idle {
            self.stage = Stage::Noop;
        }
        is_idle
    }

    /// The reply to NOOP; whether the session goes on.
    pub(super) fn noop_reply(&mut self, reply: &Reply<'_>) -> bool {
        let goes_on = reply.code().is_positive();
        if goes_on {
            self.idle();
        } else {
            self.stage = Stage::Quit;
        }
        goes_on
    }
}

impl Delivery<'static> {
    /// A delivery in a session that `client` has begun by other means: greeted, by EHLO, HELO or
    /// LHLO, and where it is to be, inside TLS and authenticated. It says LHLO's LMTP where the client
    /// does. STARTTLS is not said; under [`AuthPolicy::Optional`] and [`AuthPolicy::Require`] a client
    /// that has not authenticated does so now. Of `config` the client's part is not used, it has its
    /// own.
    ///
    /// ```
    /// use ehlo::{Client, ClientConfig, Command, Delivery, DeliveryConfig};
    /// use ehlo::syntax::path::ClientName;
    ///
    /// let mut client = Client::new(ClientConfig::DEFAULT);
    /// client.receive(b"220 mx.example ESMTP\r\n");
    /// let hello = Command::Ehlo(ClientName::new("client.example")?);
    /// client.send(&hello, &mut [0; 64])?;
    /// client.receive(b"250 mx.example\r\n");
    /// let delivery = Delivery::from_client(client, DeliveryConfig::DEFAULT).expect("it is greeted");
    /// assert!(delivery.is_idle());
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    ///
    /// # Errors
    ///
    /// The client as it is, when it is not in [`State::Ready`] with every command answered, or is not
    /// inside TLS where [`TlsPolicy::Require`] wants that.
    #[allow(clippy::result_large_err)] // it is the session itself
    pub fn from_client(client: Client, config: DeliveryConfig) -> Result<Self, Client> {
        let is_ready = client.state() == State::Ready
            && client.awaits().is_none()
            && client.permits_bytes().is_ok();
        let is_secure = client.is_tls() || config.tls != TlsPolicy::Require;
        if !is_ready || !is_secure {
            return Err(client);
        }
        let lmtp = client.is_lmtp();
        let of_client = *client.config();
        let config = Config::of(&DeliveryConfig { lmtp, client: of_client, ..config });
        let transactions = client.messages();
        let mut delivery = Self::idle_with(client, config, Mechanisms::NONE);
        delivery.statistics.transactions = transactions;
        if delivery.config.auth != AuthPolicy::Never && !delivery.client.is_authenticated() {
            delivery.identify();
        } else {
            delivery.idle();
        }
        Ok(delivery)
    }

    /// Lends a session that is stored to envelopes that live shorter than it: those of one call. When
    /// `use_it` returns, the session is [idle](Self::into_idle) again; one that is not is over, and of
    /// what was open nothing is said.
    ///
    /// ```
    /// use ehlo::delivery::{Event, Fate, Outcome, Outcomes};
    /// use ehlo::machine::{Machine, Received};
    /// use ehlo::{Delivery, Envelope, ForwardPath, ReversePath};
    /// use std::error::Error;
    /// use std::io::{Read, Write};
    ///
    /// struct Sender<S> {
    ///     session: Delivery<'static>,
    ///     stream: S,
    /// }
    ///
    /// impl<S: Read + Write> Sender<S> {
    ///     fn send(&mut self, from: &str, to: &[String], content: &[u8]) -> Result<Vec<Outcome>, Box<dyn Error>> {
    ///         let to = to.iter().map(|to| ForwardPath::new(to)).collect::<Result<Vec<_>, _>>()?;
    ///         let to = to.as_slice();
    ///         let envelope = Envelope::new(ReversePath::new(from)?, &to);
    ///         let mut memory = vec![Outcome::PENDING; to.len()];
    ///         let mut outcomes = Outcomes::begin(&mut memory, 0).expect("a new list");
    ///         let Self { session, stream } = self;
    ///         session.lend(|delivery| {
    ///             delivery.envelope(&envelope);
    ///             let (mut input, mut out) = (Vec::new(), vec![0; 2 * content.len() + 1024]);
    ///             loop {
    ///                 let written = delivery.transmit(&mut out)?;
    ///                 stream.write_all(&out[..written])?;
    ///                 let Received { consumed, event } = delivery.receive(&input);
    ///                 outcomes.record(&event);
    ///                 match event {
    ///                     Event::NeedInput => {
    ///                         let read = stream.read(&mut out)?;
    ///                         input.extend_from_slice(&out[..read]);
    ///                         if read == 0 {
    ///                             delivery.end_of_input();
    ///                         }
    ///                     }
    ///                     Event::NeedContent { .. } => {
    ///                         let progress = delivery.last_mail_data(content, &mut out)?;
    ///                         stream.write_all(&out[..progress.written])?;
    ///                     }
    ///                     Event::NeedEnvelope => delivery.defer_envelope(),
    ///                     Event::Finished { .. } | Event::Closed => return Ok::<_, Box<dyn Error>>(()),
    ///                     _ => {}
    ///                 }
    ///                 input.drain(..consumed);
    ///             }
    ///         })?;
    ///         Ok(memory)
    ///     }
    /// }
    /// # /// A server's side, one reply for each read.
    /// # struct Script(std::vec::IntoIter<&'static str>);
    /// # impl Read for Script {
    /// #     fn read(&mut self, to: &mut [u8]) -> std::io::Result<usize> {
    /// #         self.0.next().unwrap_or_default().as_bytes().read(to)
    /// #     }
    /// # }
    /// # impl Write for Script {
    /// #     fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
    /// #         Ok(bytes.len())
    /// #     }
    /// #     fn flush(&mut self) -> std::io::Result<()> {
    /// #         Ok(())
    /// #     }
    /// # }
    /// # let mut client = ehlo::Client::new(ehlo::ClientConfig::DEFAULT);
    /// # client.receive(b"220 mx.example ESMTP\r\n");
    /// # let hello = ehlo::Command::Ehlo(ehlo::syntax::path::ClientName::new("client.example")?);
    /// # client.send(&hello, &mut [0; 64])?;
    /// # client.receive(b"250 mx.example\r\n");
    /// # let session = Delivery::from_client(client, ehlo::DeliveryConfig::DEFAULT).expect("it is greeted");
    /// # let says = ["250 ok\r\n", "250 ok\r\n", "354 go\r\n", "250 taken\r\n"];
    /// # let stream = Script(says.repeat(2).into_iter());
    /// let mut sender = Sender { session, stream };
    /// for number in 0..2 {
    ///     let to = [format!("jones{number}@example.org")]; // it goes away before the session does
    ///     let outcomes = sender.send("smith@example.com", &to, b"Subject: x\r\n\r\nHello!\r\n")?;
    ///     assert_eq!(outcomes[0].fate, Fate::Accepted);
    /// }
    /// # Ok::<(), Box<dyn Error>>(())
    /// ```
    pub fn lend<'e, T>(&mut self, use_it: impl FnOnce(&mut Delivery<'e>) -> T) -> T {
        let mut client = Client::new(*self.client.config());
        client.abort();
        let over = Delivery::idle_with(client, self.config, Mechanisms::NONE);
        let mut lent: Delivery<'e> = core::mem::replace(self, over);
        let made = use_it(&mut lent);
        if let Ok(rested) = lent.into_idle() {
            *self = rested;
        }
        made
    }

    /// A session whose client has nothing open.
    fn idle_with(client: Client, config: Config, mechanisms: Mechanisms) -> Self {
        Self {
            client,
            name: None,
            config,
            stage: Stage::Idle,
            old: None,
            current: None,
            chunk: Chunk::NONE,
            mechanisms,
            has_tried_auth: false,
            due: PendingEvents::NONE,
            later: false,
            end_refused: false,
            written: false,
            statistics: DeliveryStatistics::NONE,
        }
    }
}

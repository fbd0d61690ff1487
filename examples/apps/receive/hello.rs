//! The part of a session that is about the client: where it is, who it says it is, and whether that is
//! so.

use std::io;
use std::net::SocketAddr;

use ehlo::syntax::command::Attributes;
use ehlo::syntax::path::ClientName;
use ehlo::syntax::sasl::SaslMechanism;
use ehlo::{Code, Reply, Server};
use ehlo_io::Responder;
use serde_json::json;

use crate::authentication::{Attempt, Said};
use crate::client::{Client, Origin, Rights};
use crate::connection::{Connection, TOO_MANY};
use crate::session::{Session, reply};
use crate::users::BOUND_MECHANISMS;
use crate::xclient::{self, Stated, StatedAddress};

impl Session {
    /// Asks the DNS whether the client is who it says it is.
    pub(crate) async fn greeting(&mut self, connection: &mut Connection) -> io::Result<()> {
        if let (Some(greetings), Some(ip)) = (&self.service.greetings, self.client.origin.ip()) {
            let name = ClientName::new(&self.client.helo).map_err(io::Error::other)?;
            let findings = greetings.check(ip, name).await;
            self.client.findings = Some(Box::new(findings));
        }
        self.hello(connection.endpoint().responder())
    }

    /// The client has said who it is.
    pub(crate) fn hello(&mut self, mut answer: Responder<'_, Server>) -> io::Result<()> {
        if self.client.user.is_some() {
            // A proxy has said so; or AUTH has been answered 235, and it stays so.
            answer.machine_mut().assume_authenticated();
        }
        self.service.log.event(|| {
            let verb = answer.machine().pending().map(|verb| format!("{verb:?}").to_uppercase());
            json!({"event": "helo", "session": self.client.session, "verb": verb,
                "name": self.client.helo, "verdict": self.client.verdict()})
        });
        self.standard_reply(answer)
    }

    /// The reply to MAIL of a client that does not say who it is. One that has authenticated need not:
    /// it may come from anywhere.
    pub(crate) fn refusal(&self, server: &Server) -> Option<Reply<'static>> {
        let findings = self.client.findings.as_ref()?;
        findings.refusal.filter(|_| !server.is_authenticated())
    }

    /// XCLIENT: a trusted client says for whom it goes on. The session begins anew.
    pub(crate) fn state(
        &mut self,
        attributes: &Attributes<'_>,
        mut answer: Responder<'_, Server>,
    ) -> io::Result<()> {
        let Some(stated) = Stated::new(attributes) else {
            let reply = reply(Code::ARGUMENT_SYNTAX_ERROR, (5, 5, 4), "no such address or port");
            return Ok(answer.reply(&reply)?);
        };
        let session = self.client.session;
        self.service.log.event(|| {
            let attributes = xclient::object(attributes);
            json!({"event": "xclient", "session": session, "attributes": attributes})
        });
        let origin = match (stated.address, self.client.origin) {
            (StatedAddress::Known(ip), origin) => {
                let port = stated.port.or_else(|| Some(origin.address()?.port()));
                Origin::from(SocketAddr::new(ip, port.unwrap_or_default()))
            }
            (StatedAddress::Unavailable, Origin::Address(proxy)) => Origin::Behind(proxy),
            (_, origin) => origin,
        };
        if !self.relocate(origin, answer.machine_mut()) {
            let reply = Reply::new(Code::SERVICE_NOT_AVAILABLE, TOO_MANY);
            let reply = reply.with_domain(&self.service.host);
            return Ok(answer.reply(&reply)?);
        }
        self.client.user = stated.user.map(Into::into);
        self.standard_reply(answer)
    }

    /// The client is somewhere else, and nothing that was allowed to it before is. `false` if there are
    /// too many from there.
    fn relocate(&mut self, origin: Origin, server: &mut Server) -> bool {
        self.client = Client::new(self.client.session, origin);
        // It does not count twice.
        self.place = None;
        let Some(rights) = Rights::of(&origin, &self.service) else { return false };
        self.place = rights.place;
        server.offer(rights.offered);
        if self.binding.is_some() && !rights.offered.mechanisms().is_empty() {
            server.offer_mechanisms(BOUND_MECHANISMS);
        }
        true
    }

    /// RFC 3207 §4.2: what the client has said in clear text is forgotten.
    pub(crate) async fn start_tls(&mut self, connection: &mut Connection) -> io::Result<()> {
        let Some(tls) = &self.service.tls else { return Ok(()) };
        connection.start_tls(&tls.current()).await?;
        self.client = Client::new(self.client.session, self.client.origin);
        self.bind(connection);
        Ok(())
    }

    /// Offers the mechanisms that are bound to the TLS connection, where it can be.
    pub(crate) fn bind(&mut self, connection: &mut Connection) {
        let session = self.client.session;
        if !connection.endpoint().machine().is_tls() {
            return;
        }
        self.service.log.event(|| json!({"event": "tls", "session": session}));
        self.binding = connection.channel_binding().map(Box::new);
        if self.binding.is_some() && !self.service.config.offered.mechanisms().is_empty() {
            connection.endpoint().machine_mut().offer_mechanisms(BOUND_MECHANISMS);
        }
    }

    pub(crate) fn attempt(&self, mechanism: SaslMechanism) -> Option<Box<Attempt>> {
        let binding = self.binding.as_ref().map(|binding| binding.as_slice());
        Attempt::new(mechanism, &self.service.users, binding, &self.service.host).map(Box::new)
    }

    pub(crate) fn authenticate(
        &mut self,
        said: &Said<'_>,
        answer: Responder<'_, Server>,
    ) -> io::Result<()> {
        let Some(mut attempt) = self.attempt.take() else { return self.standard_reply(answer) };
        let code = attempt.answer(said, &self.service.users, answer)?;
        if code == Code::AUTHENTICATION_CONTINUES {
            self.attempt = Some(attempt);
            return Ok(());
        }
        // RFC 4954 §4: 235 alone says that the client has authenticated. Whose attempt it is may be
        // known before, as with SCRAM, and the exchange fail after that.
        let Attempt { mechanism, user, .. } = *attempt;
        let user = user.filter(|_| code == Code::AUTHENTICATION_SUCCEEDED);
        self.service.log.event(|| {
            json!({"event": "auth", "session": self.client.session, "mechanism": mechanism.name(),
                "user": user, "code": code.number()})
        });
        self.client.user = user.map(String::into_boxed_str);
        Ok(())
    }
}

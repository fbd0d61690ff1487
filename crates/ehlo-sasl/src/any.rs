//! A mechanism that is chosen while the program runs.

use crate::anonymous::{AnonymousClient, AnonymousServer};
use crate::client::{ClientFailure, ClientMechanism};
#[cfg(feature = "scram")]
use crate::credentials::BINDING;
use crate::credentials::{Channel, Credentials};
use crate::external::{ExternalClient, ExternalServer};
use crate::login::{LoginClient, LoginServer};
use crate::oauthbearer::{OauthBearerClient, OauthBearerServer};
use crate::plain::{PlainClient, PlainServer};
use crate::secret::StoredSecret;
use crate::server::{ServerFailure, ServerMechanism, ServerTurn};
use crate::xoauth2::{Xoauth2Client, Xoauth2Server};
use ehlo::syntax::command::Mechanism;
use ehlo::syntax::sasl::{Mechanisms, SaslData, SaslMechanism};

macro_rules! any_client {
    ($($(#[$cfg:meta])* $variant:ident($client:ty);)*) => {
        /// A client of any mechanism of this crate.
        ///
        /// ```
        /// use ehlo_sasl::{AnyClient, Channel, ClientMechanism, Credentials};
        /// use ehlo::syntax::sasl::{Mechanisms, SaslMechanism};
        ///
        /// let offered = Mechanisms::NONE.with(SaslMechanism::Login).with(SaslMechanism::Plain);
        /// let anna = Credentials::password("anna", "secret")?;
        /// let client = AnyClient::strongest(offered, &anna, Channel::Protected).unwrap();
        /// assert_eq!(client.name(), SaslMechanism::Plain.into());
        /// # Ok::<(), ehlo_sasl::CredentialsError>(())
        /// ```
        #[derive(Debug)]
        #[non_exhaustive]
        #[allow(missing_docs)] // each variant is its mechanism
        pub enum AnyClient<'a> {
            $($(#[$cfg])* $variant($client),)*
        }

        impl ClientMechanism for AnyClient<'_> {
            fn name(&self) -> Mechanism<'static> {
                match self {
                    $($(#[$cfg])* Self::$variant(client) => client.name(),)*
                }
            }

            fn initial_response<'b>(
                &mut self,
                buffer: &'b mut [u8],
            ) -> Result<Option<&'b [u8]>, ClientFailure> {
                match self {
                    $($(#[$cfg])* Self::$variant(client) => client.initial_response(buffer),)*
                }
            }

            fn respond<'b>(
                &mut self,
                challenge: &[u8],
                buffer: &'b mut [u8],
            ) -> Result<&'b [u8], ClientFailure> {
                match self {
                    $($(#[$cfg])* Self::$variant(client) => client.respond(challenge, buffer),)*
                }
            }

            fn is_done(&self) -> bool {
                match self {
                    $($(#[$cfg])* Self::$variant(client) => client.is_done(),)*
                }
            }
        }
    };
}

any_client! {
    Plain(PlainClient<'a>);
    Login(LoginClient<'a>);
    External(ExternalClient<'a>);
    Anonymous(AnonymousClient<'a>);
    Xoauth2(Xoauth2Client<'a>);
    OauthBearer(OauthBearerClient<'a>);
    #[cfg(feature = "cram-md5")]
    CramMd5(super::CramMd5Client<'a>);
    #[cfg(feature = "scram")]
    Scram(super::ScramClient);
}

impl<'a> AnyClient<'a> {
    /// A client of the strongest mechanism that the server offers and these credentials can be used
    /// with, as [`Channel::strongest`] says.
    pub fn strongest(
        offered: Mechanisms,
        credentials: &Credentials<'a>,
        channel: Channel<'_>,
    ) -> Option<Self> {
        let mechanism = channel.strongest(offered, credentials)?;
        #[cfg(feature = "scram")]
        if is_scram(mechanism) {
            // RFC 5802 §6: "y" only where the server has not offered -PLUS; with it "n", if another
            // mechanism is stronger.
            let binds = BINDING.contains(mechanism) || offered.intersection(BINDING).is_empty();
            let binding = channel.binding().filter(|_| binds);
            return super::ScramClient::new(mechanism, credentials, binding).map(Self::Scram);
        }
        Self::new(mechanism, credentials)
    }

    /// A client of this mechanism; none if it is not of this crate, or not for these credentials,
    /// or needs a [`ChannelBinding`](super::ChannelBinding).
    pub fn new(mechanism: SaslMechanism, credentials: &Credentials<'a>) -> Option<Self> {
        match mechanism {
            SaslMechanism::Plain => PlainClient::new(credentials).map(Self::Plain),
            SaslMechanism::Login => LoginClient::new(credentials).map(Self::Login),
            SaslMechanism::External => ExternalClient::new(credentials).map(Self::External),
            SaslMechanism::Anonymous => AnonymousClient::new(credentials).map(Self::Anonymous),
            SaslMechanism::Xoauth2 => Xoauth2Client::new(credentials).map(Self::Xoauth2),
            SaslMechanism::OauthBearer => {
                OauthBearerClient::new(credentials).map(Self::OauthBearer)
            }
            #[cfg(feature = "cram-md5")]
            SaslMechanism::CramMd5 => super::CramMd5Client::new(credentials).map(Self::CramMd5),
            #[cfg(feature = "scram")]
            _ if is_scram(mechanism) => {
                super::ScramClient::new(mechanism, credentials, None).map(Self::Scram)
            }
            _ => None,
        }
    }
}

#[cfg(feature = "scram")]
const fn is_scram(mechanism: SaslMechanism) -> bool {
    BINDING.contains(mechanism)
        || matches!(mechanism, SaslMechanism::ScramSha1 | SaslMechanism::ScramSha256)
}

macro_rules! any_server {
    ($($(#[$cfg:meta])* $variant:ident($server:ty);)*) => {
        /// A server of any mechanism of this crate.
        ///
        /// ```
        /// use ehlo::syntax::sasl::SaslMechanism;
        /// use ehlo_sasl::AnyServer;
        ///
        /// assert!(matches!(AnyServer::new(SaslMechanism::Login), Some(AnyServer::Login(_))));
        /// assert!(AnyServer::new(SaslMechanism::Ntlm).is_none());
        /// ```
        #[derive(Debug)]
        #[non_exhaustive]
        #[allow(missing_docs)] // each variant is its mechanism
        #[allow(clippy::large_enum_variant)] // there is one, for one attempt
        pub enum AnyServer {
            $($(#[$cfg])* $variant($server),)*
        }

        impl ServerMechanism for AnyServer {
            fn respond<'b>(
                &mut self,
                message: Option<&SaslData<'_>>,
                buffer: &'b mut [u8],
            ) -> Result<ServerTurn<'b>, ServerFailure> {
                match self {
                    $($(#[$cfg])* Self::$variant(server) => server.respond(message, buffer),)*
                }
            }

            fn secret<'b>(
                &mut self,
                secret: Option<&StoredSecret<'_>>,
                buffer: &'b mut [u8],
            ) -> Result<ServerTurn<'b>, ServerFailure> {
                match self {
                    $($(#[$cfg])* Self::$variant(server) => server.secret(secret, buffer),)*
                }
            }

            fn accepted<'b>(
                &mut self,
                buffer: &'b mut [u8],
            ) -> Result<ServerTurn<'b>, ServerFailure> {
                match self {
                    $($(#[$cfg])* Self::$variant(server) => server.accepted(buffer),)*
                }
            }

            fn refused<'b>(
                &mut self,
                buffer: &'b mut [u8],
            ) -> Result<ServerTurn<'b>, ServerFailure> {
                match self {
                    $($(#[$cfg])* Self::$variant(server) => server.refused(buffer),)*
                }
            }
        }

        $(
            $(#[$cfg])*
            impl From<$server> for AnyServer {
                fn from(server: $server) -> Self {
                    Self::$variant(server)
                }
            }
        )*
    };
}

any_server! {
    Plain(PlainServer);
    Login(LoginServer);
    External(ExternalServer);
    Anonymous(AnonymousServer);
    Xoauth2(Xoauth2Server);
    OauthBearer(OauthBearerServer);
    #[cfg(feature = "cram-md5")]
    CramMd5(super::CramMd5Server);
    #[cfg(feature = "scram")]
    Scram(super::ScramServer);
}

impl AnyServer {
    /// A server of this mechanism, if it is of this crate and needs nothing else. CRAM-MD5 needs a
    /// challenge, and is made from its server; so is SCRAM, which may be bound to a channel.
    pub const fn new(mechanism: SaslMechanism) -> Option<Self> {
        Some(match mechanism {
            SaslMechanism::Plain => Self::Plain(PlainServer::new()),
            SaslMechanism::Login => Self::Login(LoginServer::new()),
            SaslMechanism::External => Self::External(ExternalServer::new()),
            SaslMechanism::Anonymous => Self::Anonymous(AnonymousServer::new()),
            SaslMechanism::Xoauth2 => Self::Xoauth2(Xoauth2Server::new()),
            SaslMechanism::OauthBearer => Self::OauthBearer(OauthBearerServer::new()),
            _ => return None,
        })
    }
}

//! The macro behind the table of mechanisms in `any.rs`: it makes `AnyClient`, `AnyServer` and
//! `ROWS`.

macro_rules! mechanisms {
    (
        {$($name:ident: $client:ty, $server:ident, $kind:ident $($authorization:ident)?;)*}
        {$(
            $(#[$cfg:meta])*
            $other:ident: $other_client:ty, $other_server:ident,
            $other_kind:ident $($other_authorization:ident)?;
        )*}
        Scram: $scram_client:ident, $scram_server:ident, $scram_kind:ident authorization
            for $($family:ident),*;
    ) => {
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
            $($name($client),)*
            $($(#[$cfg])* $other($other_client),)*
            #[cfg(feature = "scram")] Scram($scram_client),
        }

        impl<'a> AnyClient<'a> {
            /// A client of this mechanism; `None` if it is not in this build, cannot carry these
            /// credentials, or needs a [`ChannelBinding`](crate::ChannelBinding).
            pub fn new(mechanism: SaslMechanism, credentials: &Credentials<'a>) -> Option<Self> {
                match mechanism {
                    $(SaslMechanism::$name => <$client>::new(credentials).map(Self::$name),)*
                    $(
                        $(#[$cfg])*
                        SaslMechanism::$other => {
                            <$other_client>::new(credentials).map(Self::$other)
                        }
                    )*
                    #[cfg(feature = "scram")]
                    $(SaslMechanism::$family)|* => {
                        $scram_client::new(mechanism, credentials, None).map(Self::Scram)
                    }
                    _ => None,
                }
            }
        }

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
            $($name($server),)*
            $($(#[$cfg])* $other($other_server),)*
            #[cfg(feature = "scram")] Scram($scram_server),
        }

        impl AnyServer {
            /// A server of this mechanism; `None` if this build does not have it, or if it needs an
            /// argument. CRAM-MD5 needs a challenge, and SCRAM may be bound to a channel: make them
            /// from their own types.
            pub const fn new(mechanism: SaslMechanism) -> Option<Self> {
                Some(match mechanism {
                    $(SaslMechanism::$name => Self::$name($server::new()),)*
                    _ => return None,
                })
            }
        }

        /// The mechanisms of this build.
        pub(crate) const ROWS: &[Row] = &[
            $(Row {
                mechanism: SaslMechanism::$name,
                kind: Kind::$kind,
                authorization: has!($($authorization)?),
            },)*
            $($(#[$cfg])* Row {
                mechanism: SaslMechanism::$other,
                kind: Kind::$other_kind,
                authorization: has!($($other_authorization)?),
            },)*
            $(#[cfg(feature = "scram")] Row {
                mechanism: SaslMechanism::$family,
                kind: Kind::$scram_kind,
                authorization: true,
            },)*
        ];

        delegate! {
            $([] $name $server,)*
            $([$(#[$cfg])*] $other $other_server,)*
            [#[cfg(feature = "scram")]] Scram $scram_server,
        }
    };
}

macro_rules! has {
    () => {
        false
    };
    (authorization) => {
        true
    };
}

/// Passes each call on to the mechanism.
macro_rules! delegate {
    ($([$($cfg:tt)*] $name:ident $server:ident,)*) => {
        impl ClientMechanism for AnyClient<'_> {
            fn name(&self) -> Mechanism<'static> {
                match self {
                    $($($cfg)* Self::$name(client) => client.name(),)*
                }
            }

            fn initial_response<'b>(
                &mut self,
                buffer: &'b mut [u8],
            ) -> Result<Option<&'b [u8]>, ClientFailure> {
                match self {
                    $($($cfg)* Self::$name(client) => client.initial_response(buffer),)*
                }
            }

            fn respond<'b>(
                &mut self,
                challenge: &[u8],
                buffer: &'b mut [u8],
            ) -> Result<&'b [u8], ClientFailure> {
                match self {
                    $($($cfg)* Self::$name(client) => client.respond(challenge, buffer),)*
                }
            }

            fn reads_challenges(&self) -> bool {
                match self {
                    $($($cfg)* Self::$name(client) => client.reads_challenges(),)*
                }
            }

            fn is_done(&self) -> bool {
                match self {
                    $($($cfg)* Self::$name(client) => client.is_done(),)*
                }
            }
        }

        impl ServerMechanism for AnyServer {
            fn respond<'b>(
                &mut self,
                message: Option<&SaslData<'_>>,
                buffer: &'b mut [u8],
            ) -> Result<ServerTurn<'b>, ServerFailure> {
                match self {
                    $($($cfg)* Self::$name(server) => server.respond(message, buffer),)*
                }
            }

            fn secret<'b>(
                &mut self,
                secret: Option<&StoredSecret<'_>>,
                buffer: &'b mut [u8],
            ) -> Result<ServerTurn<'b>, ServerFailure> {
                match self {
                    $($($cfg)* Self::$name(server) => server.secret(secret, buffer),)*
                }
            }

            fn accepted<'b>(
                &mut self,
                buffer: &'b mut [u8],
            ) -> Result<ServerTurn<'b>, ServerFailure> {
                match self {
                    $($($cfg)* Self::$name(server) => server.accepted(buffer),)*
                }
            }

            fn refused<'b>(
                &mut self,
                buffer: &'b mut [u8],
            ) -> Result<ServerTurn<'b>, ServerFailure> {
                match self {
                    $($($cfg)* Self::$name(server) => server.refused(buffer),)*
                }
            }
        }

        $(
            $($cfg)*
            impl From<$server> for AnyServer {
                fn from(server: $server) -> Self {
                    Self::$name(server)
                }
            }
        )*
    };
}

pub(crate) use {delegate, has, mechanisms};

//! The shared parts of mechanisms with a single client message.
//!
//! Such a mechanism is a file that defines the message, for the client with
//! [`single_message_client`] and for the server with [`single_message_server`], and a row of the
//! table in `any.rs`. [`PlainClient`](crate::PlainClient) is the shortest example.

/// The state of a client.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Stage {
    New,
    Sent,
    /// The server asked for more than the mechanism has, or sent the reason of its refusal.
    Refused,
}

/// Declares the client of a mechanism: the type, the
/// [`SaslMechanism`](ehlo::syntax::sasl::SaslMechanism), and optionally the answer to a challenge
/// with the reason of a refusal, and another field. The file adds a method `write_message`.
macro_rules! single_message_client {
    (
        $(#[$doc:meta])*
        $client:ident: $mechanism:ident
        $(, answer_to_refusal: $answer:expr)?
        $(; $field:ident: $type:ty = $value:expr)?
    ) => {
        $(#[$doc])*
        #[derive(Clone, Debug)]
        pub struct $client<'a> {
            credentials: $crate::Credentials<'a>,
            stage: $crate::single::Stage,
            $($field: $type,)?
        }

        impl<'a> $client<'a> {
            /// A client with these credentials; `None` if the mechanism cannot carry them, see
            /// [`Credentials::mechanisms`](crate::Credentials::mechanisms).
            pub fn new(credentials: &$crate::Credentials<'a>) -> Option<Self> {
                let mechanism = ehlo::syntax::sasl::SaslMechanism::$mechanism;
                credentials.mechanisms().contains(mechanism).then_some(Self {
                    credentials: *credentials,
                    stage: $crate::single::Stage::New,
                    $($field: $value,)?
                })
            }
        }

        impl $crate::ClientMechanism for $client<'_> {
            fn name(&self) -> ehlo::syntax::command::Mechanism<'static> {
                ehlo::syntax::sasl::SaslMechanism::$mechanism.into()
            }

            fn initial_response<'b>(
                &mut self,
                buffer: &'b mut [u8],
            ) -> Result<Option<&'b [u8]>, $crate::ClientFailure> {
                self.stage = $crate::single::Stage::Sent;
                $crate::client::written(buffer, |writer| self.write_message(writer)).map(Some)
            }

            fn respond<'b>(
                &mut self,
                _challenge: &[u8],
                _buffer: &'b mut [u8],
            ) -> Result<&'b [u8], $crate::ClientFailure> {
                let stage = core::mem::replace(&mut self.stage, $crate::single::Stage::Refused);
                match stage {
                    $($crate::single::Stage::Sent => Ok($answer),)?
                    _ => Err($crate::ClientFailure::Challenge),
                }
            }

            fn is_done(&self) -> bool {
                self.stage == $crate::single::Stage::Sent
            }
        }
    };
}

/// Declares the server of a mechanism: the type, the function that reads the message, and
/// optionally the challenge that tells the client the reason of a refusal.
///
/// The function returns `None` for a well-formed message with credentials that no user can have: the
/// client is then refused without asking the application.
macro_rules! single_message_server {
    ($(#[$doc:meta])* $server:ident: $read:path $(, refusal: $refusal:expr)?) => {
        $(#[$doc])*
        #[derive(Clone, Debug, Default)]
        pub struct $server {
            refused: bool,
        }

        impl $server {
            /// A server that has not received anything.
            pub const fn new() -> Self {
                Self { refused: false }
            }

            fn refuse(&mut self) -> Result<$crate::ServerTurn<'static>, $crate::ServerFailure> {
                const REFUSAL: &[&[u8]] = &[$($refusal)?];
                self.refused = true;
                let challenge = REFUSAL.first().ok_or($crate::ServerFailure::Credentials)?;
                Ok($crate::ServerTurn::Challenge(challenge))
            }
        }

        impl $crate::ServerMechanism for $server {
            fn respond<'b>(
                &mut self,
                message: Option<&ehlo::syntax::sasl::SaslData<'_>>,
                buffer: &'b mut [u8],
            ) -> Result<$crate::ServerTurn<'b>, $crate::ServerFailure> {
                // The client got the reason of the refusal: every answer to it is refused.
                if self.refused {
                    return Err($crate::ServerFailure::Credentials);
                }
                // RFC 4954 §4: if the client sends first and has not, the challenge is empty.
                let Some(message) = message else {
                    return Ok($crate::ServerTurn::Challenge(b""));
                };
                match $read($crate::server::decoded(message, buffer)?)? {
                    Some(credentials) => Ok($crate::ServerTurn::Verify(credentials)),
                    None => self.refuse(),
                }
            }

            fn refused<'b>(
                &mut self,
                _buffer: &'b mut [u8],
            ) -> Result<$crate::ServerTurn<'b>, $crate::ServerFailure> {
                self.refuse()
            }
        }
    };
}

pub(crate) use {single_message_client, single_message_server};

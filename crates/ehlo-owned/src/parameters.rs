//! The parameters of MAIL and of RCPT.

use alloc::boxed::Box;
use alloc::format;
use alloc::string::ToString;

use ehlo::syntax::parameter::Parameters;
use ehlo::{Command, Policy, SyntaxError};

use crate::text::{READ, checked, owned_traits};

macro_rules! parameters_buf {
    ($owned:ident, $command:ident, $head:literal) => {
        impl $owned {
            /// The parameters.
            pub fn as_parameters(&self) -> Parameters<'_> {
                checked(self.parsed(&READ).ok())
            }

            /// The parameters as they stand on the wire, a space between two; empty without any.
            pub fn as_str(&self) -> &str {
                self.line.get($head.len()..).unwrap_or_default()
            }

            /// Whether there is no parameter.
            pub fn is_empty(&self) -> bool {
                self.line.is_empty()
            }

            fn of(text: &str, policy: &Policy) -> Result<Self, SyntaxError> {
                if text.is_empty() {
                    return Ok(Self::default());
                }
                let given = Self { line: format!(concat!($head, "{}"), text).into() };
                let as_written = given.parsed(policy)?.to_string();
                let owned = Self { line: format!(concat!($head, "{}"), as_written).into() };
                // What is written again may be longer.
                owned.parsed(&READ)?;
                Ok(owned)
            }

            fn parsed(&self, policy: &Policy) -> Result<Parameters<'_>, SyntaxError> {
                if self.line.is_empty() {
                    return Ok(Parameters::NONE);
                }
                match Command::parse_line(self.line.as_bytes(), policy) {
                    Ok(Command::$command { parameters, .. }) => Ok(parameters),
                    Ok(_) => Ok(Parameters::NONE),
                    Err(error) => {
                        let offset = error.offset.saturating_sub($head.len());
                        Err(SyntaxError { offset, ..error })
                    }
                }
            }

            #[cfg(feature = "serde")]
            fn read(text: &str) -> Result<Self, SyntaxError> {
                Self::of(text, &READ)
            }
        }

        impl core::str::FromStr for $owned {
            type Err = SyntaxError;

            fn from_str(text: &str) -> Result<Self, SyntaxError> {
                Self::of(text, &Policy::STRICT.with_smtputf8(true))
            }
        }

        /// Fails for a parameter of the other command, and for a line that is too long.
        impl TryFrom<&Parameters<'_>> for $owned {
            type Error = SyntaxError;

            fn try_from(parameters: &Parameters<'_>) -> Result<Self, SyntaxError> {
                Self::of(&parameters.to_string(), &READ)
            }
        }

        /// Fails for a parameter of the other command, and for a line that is too long.
        impl TryFrom<Parameters<'_>> for $owned {
            type Error = SyntaxError;

            fn try_from(parameters: Parameters<'_>) -> Result<Self, SyntaxError> {
                Self::try_from(&parameters)
            }
        }

        owned_traits!($owned, as_parameters -> Parameters, SyntaxError);
    };
}

/// Owned [`Parameters`] of MAIL, RFC 5321 §4.1.1.2.
///
/// ```
/// use ehlo::syntax::parameter::{Parameter, Parameters};
/// use ehlo_owned::MailParametersBuf;
///
/// let parameters: MailParametersBuf = "SIZE=1000 BODY=8BITMIME".parse()?;
/// assert_eq!(parameters.as_parameters().size(), Some(1000));
/// let list = [Parameter::Size(1000)];
/// assert_eq!(MailParametersBuf::try_from(Parameters::mail(&list)?)?.as_str(), "SIZE=1000");
/// assert!("NOTIFY=NEVER".parse::<MailParametersBuf>().is_err());
/// assert!("SIZE=1\r\nRSET".parse::<MailParametersBuf>().is_err());
/// # Ok::<(), ehlo::SyntaxError>(())
/// ```
#[derive(Clone, Default)]
pub struct MailParametersBuf {
    /// A whole command, so that the grammar of commands reads it; empty without parameters.
    line: Box<str>,
}

parameters_buf!(MailParametersBuf, Mail, "MAIL FROM:<> ");

/// Owned [`Parameters`] of RCPT, RFC 5321 §4.1.1.3.
///
/// ```
/// use ehlo_owned::RcptParametersBuf;
///
/// let parameters: RcptParametersBuf = "NOTIFY=SUCCESS,DELAY".parse()?;
/// assert_eq!(parameters.to_string(), "NOTIFY=SUCCESS,DELAY");
/// assert!(RcptParametersBuf::default().is_empty());
/// # Ok::<(), ehlo::SyntaxError>(())
/// ```
#[derive(Clone, Default)]
pub struct RcptParametersBuf {
    /// As that of MAIL.
    line: Box<str>,
}

parameters_buf!(RcptParametersBuf, Rcpt, "RCPT TO:<Postmaster> ");

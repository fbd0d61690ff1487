//! A command as a line of a log, without secrets.

use core::fmt::{Display, Formatter, Result};

use super::command::Command;
use crate::syntax::parameter::Parameters;

/// The line without its CRLF. An initial response of AUTH is shown as `[redacted]`, because it
/// often is a password.
impl Display for Command<'_> {
    fn fmt(&self, f: &mut Formatter<'_>) -> Result {
        match self {
            Self::Ehlo(name) => write!(f, "EHLO {name}"),
            Self::Helo(name) => write!(f, "HELO {name}"),
            Self::Lhlo(name) => write!(f, "LHLO {name}"),
            Self::Mail { reverse_path, parameters } => {
                write!(f, "MAIL FROM:{reverse_path}")?;
                write_parameters(parameters, f)
            }
            Self::Rcpt { forward_path, parameters } => {
                write!(f, "RCPT TO:{forward_path}")?;
                write_parameters(parameters, f)
            }
            Self::Data => f.write_str("DATA"),
            Self::Bdat { size, last } => write!(f, "BDAT {size}{}", word(*last, " LAST")),
            Self::Rset => f.write_str("RSET"),
            Self::Vrfy { argument, smtputf8 } => {
                write!(f, "VRFY {argument}{}", word(*smtputf8, " SMTPUTF8"))
            }
            Self::Expn { argument, smtputf8 } => {
                write!(f, "EXPN {argument}{}", word(*smtputf8, " SMTPUTF8"))
            }
            Self::Help(argument) => write_optional("HELP", argument.as_ref(), f),
            Self::Noop(argument) => write_optional("NOOP", argument.as_ref(), f),
            Self::Quit => f.write_str("QUIT"),
            Self::StartTls => f.write_str("STARTTLS"),
            Self::Auth { mechanism, initial_response } => {
                write!(f, "AUTH {mechanism}{}", word(initial_response.is_some(), " [redacted]"))
            }
            Self::Etrn(node) => write!(f, "ETRN {node}"),
            Self::Atrn(domains) => write_optional("ATRN", domains.as_ref(), f),
            Self::Burl { url, last } => write!(f, "BURL {url}{}", word(*last, " LAST")),
            Self::Xclient(attributes) => write!(f, "XCLIENT {attributes}"),
            Self::Xforward(attributes) => write!(f, "XFORWARD {attributes}"),
            Self::Turn => f.write_str("TURN"),
            Self::Other { verb, argument } => write_optional(verb.as_str(), argument.as_ref(), f),
        }
    }
}

fn write_parameters(parameters: &Parameters<'_>, f: &mut Formatter<'_>) -> Result {
    parameters.iter().try_for_each(|parameter| write!(f, " {parameter}"))
}

fn write_optional(verb: &str, argument: Option<&impl Display>, f: &mut Formatter<'_>) -> Result {
    match argument {
        Some(argument) => write!(f, "{verb} {argument}"),
        None => f.write_str(verb),
    }
}

const fn word(is_there: bool, word: &'static str) -> &'static str {
    if is_there { word } else { "" }
}

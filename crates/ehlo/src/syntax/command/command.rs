//! A command: its arguments, its wire form, how long its line may be.

use super::verb;
use super::{
    AbsoluteUri, Attributes, DomainList, EtrnNode, Mechanism, OtherVerb, SmtpString, UserOrList,
    Verb,
};
use crate::syntax::encode::{Encode, Writer};
use crate::syntax::extension::Extension;
use crate::syntax::limits;
use crate::syntax::parameter::Parameters;
use crate::syntax::path::ClientName;
use crate::syntax::path::Text;
use crate::syntax::path::forward_path::ForwardPath;
use crate::syntax::path::reverse_path::ReversePath;
use crate::syntax::sasl::SaslData;

/// One command of a client, borrowed from the line that it was read from.
///
/// ```
/// use ehlo::{Command, Encode, Parsed, Policy, ReversePath};
///
/// let line = b"MAIL FROM:<bob@example.org> SIZE=1000\r\n";
/// let Parsed::Complete { value, consumed } = Command::parse(line, &Policy::STRICT)? else {
///     panic!("the line has its CRLF");
/// };
/// assert_eq!(consumed, line.len());
/// let Command::Mail { reverse_path, parameters } = value else { panic!("it is a MAIL") };
/// assert_eq!(reverse_path, ReversePath::new("bob@example.org")?);
/// assert_eq!(parameters.size(), Some(1000));
///
/// assert_eq!(value.to_string(), "MAIL FROM:<bob@example.org> SIZE=1000");
///
/// let mut out = [0; 64];
/// let written = value.encode(&mut out).expect("64 bytes are enough");
/// assert_eq!(&out[..written], line);
/// # Ok::<(), ehlo::SyntaxError>(())
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Command<'a> {
    /// `EHLO`, RFC 5321 §4.1.1.1.
    Ehlo(ClientName<'a>),
    /// `HELO`, RFC 5321 §4.1.1.1. Its grammar allows a domain only; `Policy::any_client_name` also
    /// reads an address literal.
    Helo(ClientName<'a>),
    /// `LHLO`, RFC 2033 §4.1.
    Lhlo(ClientName<'a>),
    /// `MAIL`, RFC 5321 §4.1.1.2.
    Mail {
        /// The address for notifications.
        reverse_path: ReversePath<'a>,
        /// The parameters of extensions.
        parameters: Parameters<'a>,
    },
    /// `RCPT`, RFC 5321 §4.1.1.3.
    Rcpt {
        /// One recipient.
        forward_path: ForwardPath<'a>,
        /// The parameters of extensions.
        parameters: Parameters<'a>,
    },
    /// `DATA`, RFC 5321 §4.1.1.4.
    Data,
    /// `BDAT`, RFC 3030 §2.
    Bdat {
        /// The number of bytes that follow the command line.
        size: u64,
        /// Whether this chunk is the last of the message.
        last: bool,
    },
    /// `RSET`, RFC 5321 §4.1.1.5.
    Rset,
    /// `VRFY`, RFC 5321 §4.1.1.6.
    Vrfy {
        /// The user.
        argument: UserOrList<'a>,
        /// Whether the reply may be in UTF-8, RFC 6531 §3.7.4.2.
        smtputf8: bool,
    },
    /// `EXPN`, RFC 5321 §4.1.1.7.
    Expn {
        /// The list.
        argument: UserOrList<'a>,
        /// Whether the reply may be in UTF-8, RFC 6531 §3.7.4.2.
        smtputf8: bool,
    },
    /// `HELP`, RFC 5321 §4.1.1.8.
    Help(Option<SmtpString<'a>>),
    /// `NOOP`, RFC 5321 §4.1.1.9, whose argument "servers SHOULD ignore", whatever it is.
    Noop(Option<Text<'a>>),
    /// `QUIT`, RFC 5321 §4.1.1.10.
    Quit,
    /// `STARTTLS`, RFC 3207 §4.
    StartTls,
    /// `AUTH`, RFC 4954 §4.
    Auth {
        /// The SASL mechanism.
        mechanism: Mechanism<'a>,
        /// The client's first message, if the mechanism allows one.
        initial_response: Option<SaslData<'a>>,
    },
    /// `ETRN`, RFC 1985 §5.
    Etrn(EtrnNode<'a>),
    /// `ATRN`, RFC 2645 §5.2; `None` asks for all domains that the client may have.
    Atrn(Option<DomainList<'a>>),
    /// `BURL`, RFC 4468 §3.
    Burl {
        /// The address of the content.
        url: AbsoluteUri<'a>,
        /// Whether this content is the last of the message.
        last: bool,
    },
    /// `XCLIENT`, Postfix.
    Xclient(Attributes<'a>),
    /// `XFORWARD`, Postfix.
    Xforward(Attributes<'a>),
    /// `TURN`, RFC 821 §3.8; obsolete.
    Turn,
    /// Any other verb.
    Other {
        /// The verb.
        verb: OtherVerb<'a>,
        /// The text behind it.
        argument: Option<Text<'a>>,
    },
}

impl Command<'_> {
    /// The verb of a line that need not be a command: its first word.
    pub(crate) fn verb_of(line: &[u8]) -> Verb {
        let word = line.split(|byte| matches!(byte, b' ' | b'\t')).next().unwrap_or_default();
        verb::Known::of(word).map_or(Verb::Other, verb::Known::verb)
    }

    /// The verb.
    pub const fn verb(&self) -> Verb {
        match self {
            Self::Ehlo(_) => Verb::Ehlo,
            Self::Helo(_) => Verb::Helo,
            Self::Lhlo(_) => Verb::Lhlo,
            Self::Mail { .. } => Verb::Mail,
            Self::Rcpt { .. } => Verb::Rcpt,
            Self::Data => Verb::Data,
            Self::Bdat { last: false, .. } => Verb::Bdat,
            Self::Bdat { last: true, .. } => Verb::BdatLast,
            Self::Rset => Verb::Rset,
            Self::Vrfy { .. } => Verb::Vrfy,
            Self::Expn { .. } => Verb::Expn,
            Self::Help(_) => Verb::Help,
            Self::Noop(_) => Verb::Noop,
            Self::Quit => Verb::Quit,
            Self::StartTls => Verb::StartTls,
            Self::Auth { .. } => Verb::Auth,
            Self::Etrn(_) => Verb::Etrn,
            Self::Atrn(_) => Verb::Atrn,
            Self::Burl { last: false, .. } => Verb::Burl,
            Self::Burl { last: true, .. } => Verb::BurlLast,
            Self::Xclient(_) => Verb::Xclient,
            Self::Xforward(_) => Verb::Xforward,
            Self::Turn => Verb::Turn,
            Self::Other { .. } => Verb::Other,
        }
    }

    /// The extension that licenses the verb, as [`Verb::extension`]. Parameters may need others:
    /// [`Parameters::extensions`].
    pub const fn extension(&self) -> Option<Extension> {
        self.verb().extension()
    }

    /// The most bytes of its line, CRLF included: 512 and the bytes that its parameters add (RFC
    /// 5321 §4.5.3.1.4, §4.1.1.11), or 12,288 for AUTH (RFC 4954 §4). The [encoded](Encode) command
    /// never exceeds this length: if a lenient policy or the limits of a server have let in a
    /// longer one, this is its encoded length.
    pub fn max_len(&self) -> usize {
        self.line_limit().max(self.encoded_len())
    }

    /// The most bytes that the RFCs allow for its line, CRLF included.
    pub(crate) fn line_limit(&self) -> usize {
        match self {
            // RFC 4954 §4 gives the exchange 12288; a client keeps this line of it to 512.
            Self::Auth { .. } => limits::AUTH_LINE,
            Self::Mail { parameters, .. } | Self::Rcpt { parameters, .. } => {
                limits::COMMAND_LINE + parameters.allowance()
            }
            _ => limits::COMMAND_LINE,
        }
    }
}

impl Encode for Command<'_> {
    fn write_to(&self, writer: &mut Writer<'_>) {
        match self {
            Self::Ehlo(name) => write(writer, b"EHLO ", name),
            Self::Helo(name) => write(writer, b"HELO ", name),
            Self::Lhlo(name) => write(writer, b"LHLO ", name),
            Self::Mail { reverse_path, parameters } => {
                write(writer, b"MAIL FROM:", reverse_path);
                write_parameters(writer, parameters);
            }
            Self::Rcpt { forward_path, parameters } => {
                write(writer, b"RCPT TO:", forward_path);
                write_parameters(writer, parameters);
            }
            Self::Data => writer.put(b"DATA"),
            Self::Bdat { size, last } => {
                writer.put(b"BDAT ");
                writer.put_number(*size);
                writer.put(if *last { b" LAST" } else { b"" });
            }
            Self::Rset => writer.put(b"RSET"),
            Self::Vrfy { argument, smtputf8 } => {
                write(writer, b"VRFY ", argument);
                writer.put(if *smtputf8 { b" SMTPUTF8" } else { b"" });
            }
            Self::Expn { argument, smtputf8 } => {
                write(writer, b"EXPN ", argument);
                writer.put(if *smtputf8 { b" SMTPUTF8" } else { b"" });
            }
            Self::Help(argument) => write_optional(writer, b"HELP", argument.as_ref()),
            Self::Noop(argument) => write_optional(writer, b"NOOP", argument.as_ref()),
            Self::Quit => writer.put(b"QUIT"),
            Self::StartTls => writer.put(b"STARTTLS"),
            Self::Auth { mechanism, initial_response } => {
                write(writer, b"AUTH ", mechanism);
                if let Some(response) = initial_response {
                    writer.put_byte(b' ');
                    response.write_initial(writer);
                }
            }
            Self::Etrn(node) => write(writer, b"ETRN ", node),
            Self::Atrn(domains) => write_optional(writer, b"ATRN", domains.as_ref()),
            Self::Burl { url, last } => {
                write(writer, b"BURL ", url);
                writer.put(if *last { b" LAST" } else { b"" });
            }
            Self::Xclient(attributes) => write(writer, b"XCLIENT ", attributes),
            Self::Xforward(attributes) => write(writer, b"XFORWARD ", attributes),
            Self::Turn => writer.put(b"TURN"),
            Self::Other { verb, argument } => {
                verb.write_to(writer);
                write_optional(writer, b"", argument.as_ref());
            }
        }
        writer.put(b"\r\n");
    }
}

fn write(writer: &mut Writer<'_>, verb: &[u8], argument: &impl Encode) {
    writer.put(verb);
    argument.write_to(writer);
}

fn write_optional(writer: &mut Writer<'_>, verb: &[u8], argument: Option<&impl Encode>) {
    writer.put(verb);
    if let Some(argument) = argument {
        writer.put(b" ");
        argument.write_to(writer);
    }
}

fn write_parameters(writer: &mut Writer<'_>, parameters: &Parameters<'_>) {
    if !parameters.is_empty() {
        write(writer, b" ", parameters);
    }
}

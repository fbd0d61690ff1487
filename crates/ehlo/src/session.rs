//! THE TABLE: which verb is valid in which state, and where each reply leads.

/// A command by name, or one of the moments that a reply answers though no command was sent.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[non_exhaustive]
pub enum Verb {
    /// The connection was opened, RFC 5321 §3.1.
    Greeting,
    /// RFC 5321 §4.1.1.1.
    Ehlo,
    /// RFC 5321 §4.1.1.1.
    Helo,
    /// RFC 2033 §4.1.
    Lhlo,
    /// RFC 5321 §4.1.1.2.
    Mail,
    /// RFC 5321 §4.1.1.3.
    Rcpt,
    /// RFC 5321 §4.1.1.4.
    Data,
    /// The mail data after DATA came to its end, RFC 5321 §4.1.1.4.
    Message,
    /// A chunk that is not the last, RFC 3030 §2.
    Bdat,
    /// The last chunk, RFC 3030 §2.
    BdatLast,
    /// Content by reference that is not the last, RFC 4468 §3.
    Burl,
    /// The last content by reference, RFC 4468 §3.
    BurlLast,
    /// RFC 5321 §4.1.1.5.
    Rset,
    /// RFC 5321 §4.1.1.6.
    Vrfy,
    /// RFC 5321 §4.1.1.7.
    Expn,
    /// RFC 5321 §4.1.1.8.
    Help,
    /// RFC 5321 §4.1.1.9.
    Noop,
    /// RFC 5321 §4.1.1.10.
    Quit,
    /// RFC 3207 §4.
    StartTls,
    /// RFC 4954 §4.
    Auth,
    /// A client's response within AUTH, RFC 4954 §4.
    AuthResponse,
    /// RFC 1985 §5.
    Etrn,
    /// RFC 2645 §5.2.
    Atrn,
    /// Postfix, `XCLIENT_README`.
    Xclient,
    /// Postfix, `XFORWARD_README`.
    Xforward,
    /// RFC 821 §3.8.
    Turn,
    /// RFC 821 §3.4: SEND, SOML, SAML.
    Send,
    /// A verb that this crate does not know.
    Other,
}

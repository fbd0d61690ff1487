//! Departures from strictness, each a choice of the application.

/// How strictly the peer's octets are read.
///
/// Every field is a leniency that some real peer needs; all are off in [`Policy::STRICT`], the
/// default. `docs/departures.md` names the peers.
///
/// ```
/// use ehlo::Policy;
///
/// let policy = Policy { space_after_colon: true, ..Policy::STRICT };
/// assert!(!policy.missing_brackets);
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Policy {
    /// Read addresses and parameter values in UTF-8 (RFC 6531 §3.3), as after an offer of SMTPUTF8.
    pub smtputf8: bool,
    /// `MAIL FROM: <a@b>`. RFC 5321 §3.3: "spaces are not permitted on either side of the colon".
    pub space_after_colon: bool,
    /// `MAIL FROM:a@b`. RFC 5321 §4.1.2: `Path = "<" [ A-d-l ":" ] Mailbox ">"`.
    pub missing_brackets: bool,
    /// `EHLO my_host.example`. RFC 5321 §4.1.2: `sub-domain = Let-dig [Ldh-str]`.
    pub underscore_in_domain: bool,
    /// `EHLO -host`, `EHLO host.`, `EHLO [10.0.0.1] text`: any printable name in a greeting.
    /// RFC 5321 §4.1.1.1: `ehlo = "EHLO" SP ( Domain / address-literal ) CRLF`.
    pub any_client_name: bool,
    /// A reply's text in any octets but CR, LF and NUL. RFC 5321 §4.2:
    /// `textstring = 1*(%d09 / %d32-126)`.
    pub any_reply_text: bool,
    /// `VRFY <a@b>`. RFC 5321 §4.1.1.6: `vrfy = "VRFY" SP String CRLF`.
    pub brackets_in_vrfy: bool,
    /// A server takes MAIL from a client that has not said EHLO or HELO. RFC 5321 §4.1.4: "A
    /// session that will contain mail transactions MUST first be initialized by the use of the EHLO
    /// command."
    pub mail_before_hello: bool,
    /// A server may answer with a code that RFC 5321 §4.3.2, or the RFC of the extension, does not
    /// have for the command: see [`session::may_answer`](crate::session::may_answer).
    pub any_reply_code: bool,
}

impl Policy {
    /// The grammar of the RFCs, nothing more.
    pub const STRICT: Self = Self {
        smtputf8: false,
        space_after_colon: false,
        missing_brackets: false,
        underscore_in_domain: false,
        any_client_name: false,
        any_reply_text: false,
        brackets_in_vrfy: false,
        mail_before_hello: false,
        any_reply_code: false,
    };

    /// Everything that a real peer is known to send and that cannot be mistaken for anything else.
    /// The order of commands and the codes of replies stay as they are.
    pub const LENIENT: Self = Self {
        smtputf8: true,
        space_after_colon: true,
        missing_brackets: true,
        underscore_in_domain: true,
        any_client_name: true,
        any_reply_text: true,
        brackets_in_vrfy: true,
        mail_before_hello: false,
        any_reply_code: false,
    };
}

impl Default for Policy {
    fn default() -> Self {
        Self::STRICT
    }
}

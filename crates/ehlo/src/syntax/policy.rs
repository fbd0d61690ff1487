//! The strictness with which a peer's bytes are read: the application chooses each leniency.

macro_rules! policy {
    ($($(#[doc = $doc:literal])+ $name:ident $with:ident $lenient:literal;)*) => {
        /// The strictness with which a peer's bytes are read.
        ///
        /// Every field is a leniency that some real peer needs; all are off in [`Policy::STRICT`],
        /// the default. `docs/departures.md` names the peers. Later versions may add fields, so
        /// make a policy from one of the constants by its `with_…` methods, which are `const`, or
        /// by assignment.
        ///
        /// ```
        /// use ehlo::Policy;
        ///
        /// const POLICY: Policy = Policy::STRICT.with_space_after_colon(true);
        /// assert!(POLICY.space_after_colon && !POLICY.missing_brackets);
        ///
        /// let mut policy = Policy::LENIENT;
        /// policy.missing_brackets = false;
        /// assert_eq!(policy, Policy::LENIENT.with_missing_brackets(false));
        /// ```
        #[doc(alias = "lenient")]
        #[doc(alias = "quirks")]
        #[doc(alias = "relaxed")]
        #[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
        #[non_exhaustive]
        pub struct Policy {
            $($(#[doc = $doc])+ pub $name: bool,)*
        }

        impl Policy {
            /// The grammar of the RFCs and the sizes of RFC 5321 §4.5.3.1, without leniencies.
            pub const STRICT: Self = Self { $($name: false,)* };

            /// Everything that a real peer is known to send and that has only one possible meaning.
            /// The order of commands and the codes of replies stay strict.
            pub const LENIENT: Self = Self { $($name: $lenient,)* };

            $(
                #[doc = concat!("The same policy with [`", stringify!($name),
                    "`](Self::", stringify!($name), ") on or off.")]
                #[must_use]
                pub const fn $with(mut self, on: bool) -> Self {
                    self.$name = on;
                    self
                }
            )*
        }
    };
}

policy! {
    /// Read addresses and parameter values in UTF-8 (RFC 6531 §3.3), as after an offer of SMTPUTF8.
    smtputf8 with_smtputf8 true;
    /// `MAIL FROM: <a@b>`, spaces or TABs. RFC 5321 §3.3: "spaces are not permitted on either side of
    /// the colon".
    space_after_colon with_space_after_colon true;
    /// `MAIL  FROM:<a@b>`, `MAIL FROM :<a@b>`, `AUTH  PLAIN`, `RCPT TO:<a@b>  NOTIFY=NEVER`: several
    /// spaces or TABs where the grammar has one space, and before the colon.
    extra_white_space with_extra_white_space true;
    /// `MAIL FROM:a@b`. RFC 5321 §4.1.2: `Path = "<" [ A-d-l ":" ] Mailbox ">"`.
    missing_brackets with_missing_brackets true;
    /// `MAIL FROM:<<a@b>>`: the brackets of a path twice.
    doubled_brackets with_doubled_brackets true;
    /// `RCPT TO:<user>`, `MAIL FROM:<root>`: a user of the server, without a domain. RFC 5321
    /// §4.1.1.3 allows it for the postmaster alone. The brackets are required, because a parameter
    /// looks like a bare user.
    missing_domain with_missing_domain true;
    /// `<a..b@d>`, `<.a@d>`, `<a.@d>`: dots anywhere in a local part. RFC 5321 §4.1.2:
    /// `Dot-string = Atom *("."  Atom)`.
    any_dots with_any_dots true;
    /// A local part of more than 64 bytes, and a path of more than 256: as long as the command line
    /// lets it be. RFC 5321 §4.5.3.1 has these sizes for a sender, and "To the maximum extent
    /// possible, implementation techniques that impose no limits on the length of these objects
    /// should be used" for a receiver. On in the policy of
    /// [`ServerConfig::DEFAULT`](crate::ServerConfig::DEFAULT); a client sends such a path only where
    /// its own policy has it.
    any_length with_any_length true;
    /// `<a@b.example.>`: the dot of an absolute name behind the domain of a mailbox; the parsed
    /// value leaves it out. RFC 5321 §4.1.2: `Domain = sub-domain *("." sub-domain)`.
    trailing_dot with_trailing_dot true;
    /// `EHLO my_host.example`. RFC 5321 §4.1.2: `sub-domain = Let-dig [Ldh-str]`.
    underscore_in_domain with_underscore_in_domain true;
    /// `EHLO -host`, `EHLO host.`, `EHLO [10.0.0.1] text`: any printable name in a greeting.
    /// RFC 5321 §4.1.1.1: `ehlo = "EHLO" SP ( Domain / address-literal ) CRLF`.
    any_client_name with_any_client_name true;
    /// A reply's text in any bytes but CR, LF and NUL. RFC 5321 §4.2:
    /// `textstring = 1*(%d09 / %d32-126)`.
    any_reply_text with_any_reply_text true;
    /// `VRFY <a@b>`. RFC 5321 §4.1.1.6: `vrfy = "VRFY" SP String CRLF`.
    brackets_in_vrfy with_brackets_in_vrfy true;
    /// A server takes MAIL from a client that has not said EHLO or HELO. RFC 5321 §4.1.4: "A session
    /// that will contain mail transactions MUST first be initialized by the use of the EHLO command."
    mail_before_hello with_mail_before_hello false;
    /// A server may answer with a code that RFC 5321 §4.3.2, or the RFC of the extension, does not
    /// list for the command: see [`session::may_answer`](crate::session::may_answer).
    any_reply_code with_any_reply_code false;
}

impl Default for Policy {
    fn default() -> Self {
        Self::STRICT
    }
}

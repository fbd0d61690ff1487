//! The parameters that have a type in this crate: one row holds everything about one.
//!
//! The module [`row`](super::row) explains the columns.

use super::{
    AuthIdentity, Body, By, DateTime, Envid, HoldInterval, Mtrk, Notify, Orcpt, Priority, Ret,
    Rrvs, Solicit, TransId, XtextMailbox,
};
use super::{OtherParameter, dsn, marks, orcpt, time, word, xtext};
use crate::syntax::error::{SyntaxError, SyntaxErrorKind};

super::row::parameters! {
    /// MAIL: bytes of the message, RFC 1870; a larger number than [`u64::MAX`] becomes
    /// [`u64::MAX`].
    Size(bytes: u64 = word::size), "SIZE", Mail, Size, 26;
    /// MAIL: the kind of content, RFC 6152 and RFC 3030.
    Body(body: Body = word::body; Body::marks), "BODY", Mail, EightBitMime, 16;
    /// MAIL: addresses and headers may be in UTF-8, RFC 6531.
    SmtpUtf8, "SMTPUTF8", Mail, SmtpUtf8, 10;
    /// MAIL: how much of the message a notification returns, RFC 3461.
    Ret(ret: Ret = dsn::ret), "RET", Mail, Dsn, 9;
    /// MAIL: a name for the envelope, RFC 3461.
    Envid(envid: Envid<'a> = dsn::envid), "ENVID", Mail, Dsn, 107;
    /// MAIL: the submitter, RFC 4954 §5.
    Auth(identity: AuthIdentity<'a> = xtext::auth_identity, policy), "AUTH", Mail, Auth, 500;
    /// MAIL: deliver by a time, RFC 2852.
    By(by: By = time::deliver_by), "BY", Mail, DeliverBy, 17;
    /// MAIL: release after this long, RFC 4865.
    HoldFor(interval: HoldInterval = time::hold_for; marks::hold), "HOLDFOR", Mail, FutureRelease, 34;
    /// MAIL: release at this moment, in UTC, RFC 4865.
    HoldUntil(moment: DateTime<'a> = time::hold_until; marks::hold),
        "HOLDUNTIL", Mail, FutureRelease, 34;
    /// MAIL: the priority, RFC 6710.
    MtPriority(priority: Priority = word::priority), "MT-PRIORITY", Mail, MtPriority, 15;
    /// MAIL: relay over verified TLS only, RFC 8689.
    RequireTls, "REQUIRETLS", Mail, RequireTls, 11;
    /// MAIL: the classes of its solicitation, RFC 3865.
    Solicit(solicit: Solicit<'a> = word::solicit), "SOLICIT", Mail, NoSoliciting, 1007;
    /// MAIL: tracking, RFC 3885.
    Mtrk(mtrk: Mtrk<'a> = word::mtrk), "MTRK", Mail, Mtrk, 40;
    /// MAIL: the name of a transaction to resume, RFC 1845.
    TransId(id: TransId<'a> = word::trans_id), "TRANSID", Mail, Checkpoint, 88;
    /// MAIL: content may be converted, RFC 4141.
    ConPerm, "CONPERM", Mail, ConPerm, 8;
    /// MAIL: the responsible submitter, RFC 4405.
    Submitter(mailbox: XtextMailbox<'a> = xtext::xtext_mailbox, policy), "SUBMITTER", Mail, Submitter, 264;
    /// MAIL and RCPT: an address in US-ASCII in place of one in UTF-8, RFC 5336; obsolete.
    AltAddress(mailbox: XtextMailbox<'a> = xtext::xtext_mailbox, policy),
        "ALT-ADDRESS", Both, Utf8Smtp, 460;
    /// MAIL: a reply for each recipient after the data, Exim; not registered.
    Prdr, "PRDR", Mail, Prdr, 5;
    /// RCPT: the events to be notified of, RFC 3461.
    Notify(events: Notify = dsn::notify), "NOTIFY", Rcpt, Dsn, 29;
    /// RCPT: the original recipient, RFC 3461.
    Orcpt(recipient: Orcpt<'a> = orcpt::orcpt, policy; Orcpt::marks), "ORCPT", Rcpt, Dsn, 507;
    /// RCPT: valid since, RFC 7293.
    Rrvs(rrvs: Rrvs<'a> = time::rrvs), "RRVS", Rcpt, Rrvs, 33;
    /// RCPT: asks for the kinds of content that the recipient can handle, RFC 4141.
    ConNeg, "CONNEG", Rcpt, ConNeg, 7;
}

impl<'a> OtherParameter<'a> {
    /// A parameter of this keyword and value, together at most 512 bytes.
    ///
    /// # Errors
    ///
    /// `Parameter` when `keyword` is no keyword, or one that
    /// [`Parameter`](crate::syntax::parameter::Parameter) has a variant for; `ParameterValue` when
    /// `value` is no value; `LineTooLong`.
    pub fn new(keyword: &'a str, value: Option<&'a str>) -> Result<Self, SyntaxError> {
        let other = Self::any(keyword, None)?;
        if Known::identify(other.keyword().as_bytes()).is_some() {
            return Err(SyntaxError { kind: SyntaxErrorKind::Parameter, offset: 0 });
        }
        Self::any(keyword, value)
    }
}

/// Whether a parameter of this keyword, in any case, has a type here.
pub(crate) const fn is_registered(keyword: &str) -> bool {
    let mut all = Known::ALL;
    while let [known, rest @ ..] = all {
        if is_same(known.keyword().as_bytes(), keyword.as_bytes()) {
            return true;
        }
        all = rest;
    }
    false
}

const fn is_same(one: &[u8], other: &[u8]) -> bool {
    let mut at = 0;
    while at < one.len() && at < other.len() && one[at].eq_ignore_ascii_case(&other[at]) {
        at += 1;
    }
    at == one.len() && at == other.len()
}

//! What each EHLO keyword says, in a sentence.

use ehlo::Capability;
use ehlo::syntax::capability::{AuthMechanisms, DeliverBy, FutureRelease, Limits};
use ehlo::syntax::sasl::SaslMechanism;

/// What a line of an EHLO reply says; `None` where the keyword has no meaning that is known here.
pub(crate) fn sentence(capability: &Capability<'_>) -> Option<String> {
    let fixed = match capability {
        Capability::Size(size) => return Some(of_size(*size)),
        Capability::Auth(mechanisms) => return Some(of_auth(mechanisms)),
        Capability::LegacyAuth(mechanisms) => {
            return Some(format!(
                "{} In a form for clients older than RFC 2554.",
                of_auth(mechanisms)
            ));
        }
        Capability::DeliverBy(deliver_by) => return Some(of_deliver_by(deliver_by)),
        Capability::FutureRelease(future) => return Some(of_future_release(future)),
        Capability::Limits(limits) => return Some(of_limits(limits)),
        Capability::Burl(words) if !words.is_empty() => {
            let servers = list(words.iter());
            return Some(format!("Fetches content from an IMAP server itself: {servers}."));
        }
        Capability::MtPriority(Some(profile)) => {
            let name = profile.name();
            return Some(format!("Takes a priority for each message, by the profile {name}."));
        }
        Capability::NoSoliciting(keywords) if keywords.iter().next().is_some() => {
            let keywords = list(keywords.iter());
            return Some(format!("Does not want mail that is labelled {keywords}."));
        }
        Capability::Xclient(attributes) => {
            let attributes = list(attributes.iter());
            return Some(format!(
                "Trusts this client to say who the real client is, as a proxy does: {attributes}."
            ));
        }
        Capability::Xforward(attributes) => {
            let attributes = list(attributes.iter());
            return Some(format!(
                "Takes from this client who the original client was, for its log: {attributes}."
            ));
        }
        Capability::Send => "Delivers to terminals (SEND); long deprecated.",
        Capability::Soml => "Delivers to terminals, or else by mail (SOML); long deprecated.",
        Capability::Saml => "Delivers to terminals and by mail (SAML); long deprecated.",
        Capability::Vrfy => "Says whether a mailbox exists, when asked by VRFY.",
        Capability::Expn => "Says who is on a mailing list, when asked by EXPN.",
        Capability::Help => "Answers HELP.",
        Capability::Turn => "Changes roles with anyone (TURN); deprecated, for mail can be stolen.",
        Capability::EightBitMime => "Takes bytes above 127 in the lines of a message.",
        Capability::Verb => "Has a verbose mode for its users (VERB).",
        Capability::Onex => "Can be told that one message is all (ONEX).",
        Capability::Chunking => "Takes content in chunks of a given size (BDAT) beside DATA.",
        Capability::BinaryMime => "Takes any bytes, without lines, in chunks.",
        Capability::Checkpoint => "Goes on with a message where a broken connection left it.",
        Capability::Pipelining => "Takes several commands at once, without waiting in between.",
        Capability::Dsn => "Sends notifications of delivery, delay or failure as the sender asks.",
        Capability::Etrn => "Begins to deliver what it holds for a domain, when asked by ETRN.",
        Capability::EnhancedStatusCodes => "Explains its replies by codes such as 5.1.1.",
        Capability::StartTls => "Goes on inside TLS on request.",
        Capability::Mtrk => "Lets the sender track a message.",
        Capability::Submitter => "Takes the address that is responsible for sending a message.",
        Capability::Atrn => "Changes roles with a client that has authenticated itself (ATRN).",
        Capability::Utf8Smtp => "Takes addresses in UTF-8 by an experiment that SMTPUTF8 replaced.",
        Capability::SmtpUtf8 => "Takes addresses and headers in UTF-8.",
        Capability::ConPerm => "May be permitted to convert content.",
        Capability::ConNeg => "Tells what content the recipient can handle.",
        Capability::Rrvs => "Delivers only if the mailbox has had the same owner since a date.",
        Capability::RequireTls => "Keeps a message inside verified TLS on all its way, on request.",
        Capability::Prdr => "Answers for each recipient after the content.",
        Capability::Burl(_) => "Fetches content from an IMAP server itself.",
        Capability::MtPriority(None) => "Takes a priority for each message.",
        Capability::NoSoliciting(_) => "Takes part in labelling unsolicited mail.",
        _ => return None,
    };
    Some(fixed.to_owned())
}

/// Why a keyword has no sentence.
pub(crate) fn unknown(capability: &Capability<'_>) -> &'static str {
    match capability {
        Capability::Malformed(_) => "Not in the grammar of RFC 5321: clients ignore it.",
        _ => "Not known to this program.",
    }
}

fn of_size(size: Option<u64>) -> String {
    match size {
        None => "Takes the size of a message beforehand; no maximum is announced.".to_owned(),
        Some(0) => "Takes the size of a message beforehand; there is no fixed maximum.".to_owned(),
        Some(bytes) => format!("Takes messages of up to {bytes} bytes{}.", rounded(bytes)),
    }
}

/// In larger units, where that is shorter.
fn rounded(bytes: u64) -> String {
    let units = [("TiB", 1_u64 << 40), ("GiB", 1 << 30), ("MiB", 1 << 20), ("KiB", 1 << 10)];
    let Some((unit, size)) = units.into_iter().find(|(_, size)| bytes >= *size) else {
        return String::new();
    };
    match (bytes / size, bytes % size * 10 / size) {
        (whole, 0) => format!(" ({whole} {unit})"),
        (whole, tenths) => format!(" ({whole}.{tenths} {unit})"),
    }
}

fn of_auth(mechanisms: &AuthMechanisms<'_>) -> String {
    let names = mechanisms.iter().map(|name| match SaslMechanism::from_name(name.as_bytes()) {
        Some(known) if known.is_plaintext() => format!("{name} (shows the secret to the server)"),
        Some(_) => name.to_owned(),
        None => format!("{name} (not known to this program)"),
    });
    match list(names) {
        none if none.is_empty() => "Authenticates, but names no mechanism.".to_owned(),
        names => format!("Authenticates by {names}."),
    }
}

fn of_deliver_by(deliver_by: &DeliverBy<'_>) -> String {
    match deliver_by.minimum() {
        None => "Delivers a message by a given time, or says that it could not.".to_owned(),
        Some(seconds) => format!(
            "Delivers a message by a given time, {seconds} seconds away at least, or says that it \
             could not."
        ),
    }
}

fn of_future_release(future: &FutureRelease) -> String {
    let (year, month, day) = future.until().date();
    format!(
        "Holds a message back for up to {} seconds, until {year:04}-{month:02}-{day:02} at the \
         latest.",
        future.interval()
    )
}

fn of_limits(limits: &Limits<'_>) -> String {
    let known = [
        (limits.rcpt_max(), "recipients in a transaction"),
        (limits.mail_max(), "transactions in a session"),
        (limits.rcpt_domain_max(), "domains of recipients in a session"),
    ];
    let known = known.iter().filter_map(|(limit, what)| Some(format!("{} {what}", (*limit)?)));
    let unknown = limits.unknown().map(|(name, value)| match value {
        Some(value) => format!("{name}={value} (not known to this program)"),
        None => format!("{name} (not known to this program)"),
    });
    format!("Sets limits: {}.", list(known.chain(unknown)))
}

fn list(words: impl Iterator<Item = impl Into<String>>) -> String {
    words.map(Into::into).collect::<Vec<_>>().join(", ")
}

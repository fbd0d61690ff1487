//! What is not as it should be in what the server says, and what to change.

use std::time::Duration;

use ehlo::syntax::sasl::{Mechanisms, SaslMechanism};
use ehlo::{Capability, Code, Extension};
use rustls::pki_types::ServerName;

use crate::TlsMode;
use crate::certificate::{Certificate, Tls};
use crate::heard::{Heard, Helo, Said, Upgrade};
use crate::remedies::Remedy;
use crate::session::Target;

/// One thing to say about the server.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Finding {
    pub(crate) level: Level,
    pub(crate) text: String,
    /// Any of them may be what is needed.
    pub(crate) remedies: Vec<Remedy>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Level {
    /// To be mended: mail may be refused, or be read by others.
    Wrong,
    /// Good to know.
    Notice,
}

impl Finding {
    pub(crate) fn wrong(text: impl Into<String>) -> Self {
        Self { level: Level::Wrong, text: text.into(), remedies: Vec::new() }
    }

    pub(crate) fn notice(text: impl Into<String>) -> Self {
        Self { level: Level::Notice, ..Self::wrong(text) }
    }

    pub(crate) fn mended_by(self, remedy: Remedy) -> Self {
        Self { remedies: vec![remedy], ..self }
    }
}

/// All findings on what was said, `now` being the time since the epoch.
pub(crate) fn of_session(target: &Target, heard: &Heard, now: Duration) -> Vec<Finding> {
    let mut findings = Vec::new();
    if heard.greeting.code != Code::SERVICE_READY {
        let text = format!("The server refuses to talk to this client: {}", heard.greeting);
        findings.push(Finding::wrong(text));
    }
    if let Some(reason) = &heard.broken {
        findings.push(Finding::wrong(format!("The session ended early: {reason}.")));
    }
    for said in [&heard.ehlo, &heard.ehlo_in_tls].into_iter().flatten().filter(|said| !said.is_ok())
    {
        if said.code == Code::SERVICE_NOT_AVAILABLE {
            findings.push(Finding::wrong(format!("The server ends the session at EHLO: {said}")));
            continue;
        }
        // RFC 5321 §2.2.1: "servers MUST support the EHLO command even if they do not implement
        // any specific extensions".
        findings.push(Finding::wrong(format!(
            "EHLO is refused, and with it TLS, authentication and every other extension: {said}"
        )));
    }
    if is_rewritten(heard) {
        let text = "A firewall on the way rewrites SMTP: it hides the greeting or the replies to \
                    EHLO, and with them TLS and every other extension.";
        findings.push(Finding::wrong(text).mended_by(Remedy::Firewall));
    } else {
        names(heard, &mut findings);
    }
    helo(heard, &mut findings);
    for (said, in_tls) in [(&heard.ehlo, false), (&heard.ehlo_in_tls, true)] {
        let offered: Vec<_> = said.iter().flat_map(Said::keywords).map(Capability::parse).collect();
        keywords(&offered, in_tls, &mut findings);
        if let Some(said) = said {
            grammar(said, &mut findings);
        }
    }
    tls(target, heard, now, &mut findings);
    findings
}

/// Whether a firewall masks what the server says, as those of Cisco do: asterisks in the greeting, and X
/// in place of each letter of a keyword or a command that they do not know.
fn is_rewritten(heard: &Heard) -> bool {
    let first = heard.greeting.lines.first().map(Vec::as_slice).unwrap_or_default();
    let stars = String::from_utf8_lossy(first).matches('*').count();
    let is_masked = |line: &Vec<u8>| {
        line.split(|byte| !byte.is_ascii_alphanumeric()).any(|word| word.starts_with(b"XXXX"))
    };
    let said = [&heard.ehlo, &heard.ehlo_in_tls].into_iter().flatten();
    (stars >= 4 && 2 * stars >= first.len()) || said.flat_map(|said| &said.lines).any(is_masked)
}

/// The host that the server says it is, in its greeting and in its answer to EHLO.
pub(crate) fn announced(heard: &Heard) -> [Option<&str>; 2] {
    let greeting = Some(&heard.greeting).filter(|said| said.code == Code::SERVICE_READY);
    let ehlo = heard.ehlo_in_tls.as_ref().or(heard.ehlo.as_ref()).filter(|said| said.is_ok());
    [greeting, ehlo].map(|said| said.and_then(|said| said.domain.as_deref()))
}

// RFC 5321 §4.2: `Greeting = ( "220 " (Domain / address-literal) …`, and §4.1.1.1: the answer to
// EHLO begins with the Domain too.
fn names(heard: &Heard, findings: &mut Vec<Finding>) {
    let [greeting, ehlo] = announced(heard);
    if heard.greeting.code == Code::SERVICE_READY && greeting.is_none() {
        let finding = Finding::wrong("The greeting does not say which host this is.");
        findings.push(finding.mended_by(Remedy::ServerName));
    }
    match (greeting, ehlo) {
        (_, None) if heard.ehlo.as_ref().is_some_and(Said::is_ok) => {
            let finding = Finding::wrong("The answer to EHLO does not say which host this is.");
            findings.push(finding.mended_by(Remedy::ServerName));
        }
        (Some(greeting), Some(ehlo)) if !greeting.eq_ignore_ascii_case(ehlo) => {
            let text = format!(
                "The greeting says that this is {greeting}, and the answer to EHLO that it is {ehlo}."
            );
            findings.push(Finding::notice(text).mended_by(Remedy::ServerName));
        }
        _ => {}
    }
}

fn helo(heard: &Heard, findings: &mut Vec<Finding>) {
    findings.push(match &heard.helo {
        // RFC 5321 §4.5.1: HELO is among the commands that every server must support.
        Helo::Answered(said) if !said.is_ok() => {
            Finding::wrong(format!("Plain HELO is refused: {said}"))
        }
        // RFC 5321 §3.2: "Servers MUST NOT return the extended EHLO-style response to a HELO
        // command."
        Helo::Answered(said)
            if said.keywords().any(|line| Capability::parse(line).extension().is_some()) =>
        {
            Finding::wrong("HELO is answered with extensions, as if it were EHLO.")
        }
        Helo::Unanswered(reason) => {
            Finding::wrong(format!("Plain HELO is not answered: {reason}."))
        }
        Helo::NoConnection(reason) => {
            Finding::notice(format!("HELO was not tried, as a second connection failed: {reason}."))
        }
        Helo::Untried if heard.name.starts_with('[') => Finding::notice(
            "HELO was not tried, as it takes no address literal: give a name with --helo.",
        ),
        Helo::Answered(_) | Helo::Untried => return,
    });
}

fn keywords(offered: &[Capability<'_>], in_tls: bool, findings: &mut Vec<Finding>) {
    let offers = |extension| offered.iter().any(|line| line.extension() == Some(extension));
    let mechanisms = offered.iter().fold(Mechanisms::NONE, |all, line| match line {
        Capability::Auth(listed) | Capability::LegacyAuth(listed) => all.union(listed.known()),
        _ => all,
    });
    let plaintext = mechanisms.intersection(Mechanisms::PLAINTEXT);
    if !in_tls && !plaintext.is_empty() {
        // RFC 4954 §4: not to be offered where a listener can read the password.
        let names: Vec<_> = plaintext.iter().map(SaslMechanism::name).collect();
        let text = format!("AUTH invites passwords outside TLS: {}.", names.join(", "));
        findings.push(Finding::wrong(text).mended_by(Remedy::AuthOnlyInTls));
    }
    let pairs = [
        // RFC 3030 §3: BINARYMIME "can only be used with the "CHUNKING" service extension".
        (Extension::BinaryMime, Extension::Chunking),
        // RFC 6531 §3.1: SMTPUTF8 goes with 8BITMIME.
        (Extension::SmtpUtf8, Extension::EightBitMime),
    ];
    for (extension, needed) in pairs {
        if offers(extension) && !offers(needed) {
            let (extension, needed) = (extension.keyword(), needed.keyword());
            findings.push(Finding::wrong(format!("{extension} is offered without {needed}.")));
        }
    }
    // RFC 3207 §4.2: STARTTLS must not be offered inside TLS.
    if in_tls && offers(Extension::StartTls) {
        findings.push(Finding::wrong("STARTTLS is offered inside TLS."));
    }
    // RFC 8689 §4: REQUIRETLS is offered inside TLS only.
    if !in_tls && offers(Extension::RequireTls) {
        findings.push(Finding::wrong("REQUIRETLS is offered outside TLS."));
    }
    // RFC 5321 appendix F.1: TURN lets anybody fetch the mail of others.
    if offers(Extension::Turn) {
        findings.push(Finding::wrong("TURN is offered, by which anybody can fetch others' mail."));
    }
    if offers(Extension::Xclient) {
        let text = "XCLIENT is offered: this client may pass itself off as any other.";
        findings.push(Finding::notice(text));
    }
}

/// RFC 5321 §4.1.1.1: keywords and parameters are of printable US-ASCII. Clients may read what they can
/// of the others, or take nothing of them.
fn grammar(said: &Said, findings: &mut Vec<Finding>) {
    for line in said.keywords() {
        let is_printable = line.iter().all(|byte| matches!(byte, b' '..=b'~'));
        if !is_printable || matches!(Capability::parse(line), Capability::Malformed(_)) {
            let line = ehlo_apps::printable(&String::from_utf8_lossy(line));
            let text = format!("A line of the answer to EHLO is outside the grammar: {line}");
            findings.push(Finding::wrong(text));
        }
    }
}

fn tls(target: &Target, heard: &Heard, now: Duration, findings: &mut Vec<Finding>) {
    match &heard.tls {
        Upgrade::Untried => {}
        Upgrade::NotOffered => {
            let text = "STARTTLS is not offered: mail comes in clear text, and anybody on the way can read it.";
            let finding = match target.tls {
                TlsMode::Require => Finding::wrong(text),
                _ => Finding::notice(text),
            };
            findings.push(finding.mended_by(Remedy::OfferTls));
        }
        Upgrade::Refused(said) => {
            let text = format!("STARTTLS is offered, and refused: {said}");
            findings.push(Finding::wrong(text).mended_by(Remedy::OfferTls));
        }
        Upgrade::Failed(reason) => {
            let text = format!("STARTTLS is offered, and TLS fails: {reason}.");
            findings.push(Finding::wrong(text).mended_by(Remedy::OfferTls));
        }
        Upgrade::Established(Tls { certificate: Err(reason), .. }) => {
            let text = format!("The certificate cannot be read: {reason}.");
            findings.push(Finding::wrong(text).mended_by(Remedy::Certificate));
        }
        Upgrade::Established(Tls { certificate: Ok(certificate), .. }) => {
            dates(certificate, now, findings);
            owner(target, heard, certificate, findings);
        }
    }
}

fn dates(certificate: &Certificate, now: Duration, findings: &mut Vec<Finding>) {
    let days = |span: Duration| span.as_secs() / 86_400;
    let finding = if let Some(since) = now.checked_sub(certificate.not_after) {
        Finding::wrong(format!("The certificate expired {} days ago.", days(since)))
    } else if let Some(until) =
        certificate.not_before.checked_sub(now).filter(|span| !span.is_zero())
    {
        Finding::wrong(format!("The certificate is valid only in {} days.", days(until)))
    } else if days(certificate.not_after.saturating_sub(now)) < SOON {
        let left = days(certificate.not_after.saturating_sub(now));
        Finding::notice(format!("The certificate expires in {left} days."))
    } else {
        return;
    };
    findings.push(finding.mended_by(Remedy::Certificate));
}

fn owner(target: &Target, heard: &Heard, certificate: &Certificate, findings: &mut Vec<Finding>) {
    if certificate.is_self_issued() {
        findings.push(Finding::notice(
            "The certificate is issued by itself: a client that verifies it will not go on.",
        ));
    }
    if certificate.is_for(&target.server_name) {
        return;
    }
    let finding = match &target.server_name {
        ServerName::DnsName(name) => {
            Finding::wrong(format!("The certificate is not for {}.", name.as_ref()))
        }
        // Clients connect to a name: the one that the server says is the likeliest.
        _ => match announced(heard).into_iter().flatten().last() {
            Some(name) => match ServerName::try_from(name) {
                Ok(server_name) if certificate.is_for(&server_name) => return,
                _ => Finding::notice(format!("The certificate is not for {name}.")),
            },
            None => return,
        },
    };
    findings.push(finding.mended_by(Remedy::Certificate));
}

/// Days before its end in which a certificate should be replaced.
const SOON: u64 = 14;

//! Whether names fit addresses: the server's own, and what one says to it.

use std::net::IpAddr;

use ehlo::HeloCheck;
use ehlo::Reply;
use ehlo::identity::{Claim, Finding as Cause, Iprev, NameSyntax, Verdict};
use ehlo::syntax::path::ClientName;
use ehlo_apps::dns::Resolver;
use ehlo_apps::printable;
use serde_json::{Value, json};

use crate::findings::{Finding, Level, announced};
use crate::heard::Heard;
use crate::remedies::Remedy;

/// What was found out about one name at one address.
pub(crate) struct Check {
    whose: Whose,
    name: String,
    address: IpAddr,
    pub(crate) facts: Vec<Fact>,
    json: Value,
}

/// What was asked, and whether it is so; `None` if that cannot be told now.
pub(crate) struct Fact {
    pub(crate) holds: Option<bool>,
    pub(crate) text: String,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Whose {
    Server,
    Own,
}

/// Checks the names that the server announces against its address, and the client's own name, if it was
/// given, against the client's own address.
pub(crate) async fn checks(
    heard: &Heard,
    own: Option<(&str, Option<IpAddr>)>,
    resolver: &Resolver,
    findings: &mut Vec<Finding>,
) -> Vec<Check> {
    let [greeting, ehlo] = announced(heard);
    let other = ehlo.filter(|ehlo| !greeting.is_some_and(|name| name.eq_ignore_ascii_case(ehlo)));
    let mut checks = Vec::new();
    for name in [greeting, other].into_iter().flatten() {
        checks.extend(check(Whose::Server, name, heard.peer.ip(), resolver, findings).await);
    }
    match own {
        None => {}
        Some((name, Some(address))) => {
            checks.extend(check(Whose::Own, name, address, resolver, findings).await);
        }
        Some((name, None)) => match heard.local.ip() {
            address if is_private(address) => findings.push(Finding::notice(format!(
                "{name} was not checked: mail from here does not come from {address} as others \
                 see it. Give the address that it comes from with --ip."
            ))),
            address => checks.extend(check(Whose::Own, name, address, resolver, findings).await),
        },
    }
    checks
}

impl Check {
    pub(crate) fn title(&self) -> String {
        let whose = match self.whose {
            Whose::Server => "Is it",
            Whose::Own => "Are you",
        };
        format!("{whose} {} at {}?", printable(&self.name), self.address)
    }

    pub(crate) const fn json(&self) -> &Value {
        &self.json
    }
}

/// `None` if there is not even text to check.
async fn check(
    whose: Whose,
    name: &str,
    address: IpAddr,
    resolver: &Resolver,
    findings: &mut Vec<Finding>,
) -> Option<Check> {
    let claimed = ClientName::any(name);
    let mut check = HeloCheck::new(address, claimed.ok()?);
    resolver.settle(&mut check).await;
    let verdict = check.verdict();
    let causes: Vec<_> = verdict.findings().collect();
    findings.extend(causes.iter().map(|cause| finding(whose, *cause, &verdict)));
    let names: Vec<_> = check.reverse_names().map(|name| name.to_string()).collect();
    Some(Check {
        whose,
        name: name.to_owned(),
        address: verdict.peer,
        facts: facts(&verdict),
        json: json!({
            "of": match whose { Whose::Server => "server", Whose::Own => "own" },
            "name": name,
            "address": verdict.peer.to_string(),
            "syntax": format!("{:?}", verdict.syntax),
            "claim": format!("{:?}", verdict.claim),
            "iprev": verdict.iprev.as_str(),
            "reverse_names": names,
            "verified_name": verdict.verified_name().map(|name| name.to_string()),
            "generic": verdict.generic,
            "forgery": verdict.forgery.map(|forgery| format!("{forgery:?}")),
            "findings": causes.iter().map(|cause| cause.text()).collect::<Vec<_>>(),
        }),
    })
}

fn facts(verdict: &Verdict<'_>) -> Vec<Fact> {
    let address = verdict.peer;
    let fact = |holds, text| Fact { holds, text };
    let mut facts = vec![fact(Some(verdict.syntax.is_valid()), verdict.syntax.text().to_owned())];
    let leads = format!("the name leads to {address}");
    match verdict.claim {
        Claim::Matches => facts.push(fact(Some(true), leads)),
        Claim::Elsewhere => facts.push(fact(Some(false), format!("{leads}: elsewhere"))),
        Claim::NoAddress => facts.push(fact(Some(false), format!("{leads}: it has no address"))),
        Claim::TemporaryFailure => facts.push(fact(None, format!("{leads}: DNS does not say"))),
        Claim::Unchecked => {}
    }
    let reverse = verdict.reverse_name.map(|name| format!(", {name}"));
    let leads = format!("the address leads to a name and back{}", reverse.unwrap_or_default());
    facts.push(match (verdict.iprev, verdict.reverse_name) {
        (Iprev::Pass, _) => fact(Some(true), leads),
        (Iprev::Fail, Some(_)) => {
            fact(Some(false), format!("{leads}: the name does not have this address"))
        }
        (Iprev::Fail, None) => fact(Some(false), format!("{leads}: {NO_HOST_NAME}")),
        (Iprev::PermError, _) => fact(Some(false), format!("{leads}: it has no name")),
        (Iprev::TempError, _) => fact(None, format!("{leads}: DNS does not say")),
    });
    facts
}

fn finding(whose: Whose, cause: Cause, verdict: &Verdict<'_>) -> Finding {
    let (name, address) = (printable(&verdict.claimed.to_string()), verdict.peer);
    let rename = match whose {
        Whose::Server => Remedy::ServerName,
        Whose::Own => Remedy::ClientName,
    };
    let forward = |name| Remedy::ForwardDns { address, name };
    let reverse = || {
        let is_name = verdict.syntax == NameSyntax::FullyQualified;
        let name = if is_name { &name } else { "the name to greet with" };
        Remedy::ReverseDns { address, name: name.to_owned() }
    };
    let back = verdict.reverse_name.map(|name| name.to_string());
    let (text, remedies) = match (cause, back) {
        (Cause::Syntax(syntax), _) => {
            let a_labels = ehlo_apps::a_labels(&name).filter(|_| syntax == NameSyntax::NotAscii);
            let a_labels = a_labels.map(|name| format!(", {name}")).unwrap_or_default();
            (format!("{name}: {}{a_labels}", syntax.text()), vec![rename])
        }
        (Cause::Forgery(_), _) => {
            (format!("{name} means this host to everybody, not the one at {address}"), vec![rename])
        }
        (Cause::NoReverseName, _) => {
            (format!("{address} has no reverse DNS name"), vec![reverse()])
        }
        (Cause::ReverseMismatch, Some(back)) => (
            format!("{address} has the reverse DNS name {back}, which does not have this address"),
            vec![reverse(), forward(back)],
        ),
        (Cause::ReverseMismatch, None) => {
            (format!("{address} has a reverse DNS record: {NO_HOST_NAME}"), vec![reverse()])
        }
        (Cause::ReverseUnknown, _) => (
            format!("The reverse DNS of {address} cannot be looked up now"),
            vec![Remedy::DnsServers { what: format!("the reverse DNS of {address}") }],
        ),
        (Cause::NameElsewhere, _) if verdict.syntax == NameSyntax::AddressLiteral => {
            (format!("{name} is not the address {address}"), vec![rename])
        }
        (Cause::NameElsewhere, _) => {
            (format!("{name} has other addresses than {address}"), vec![rename, forward(name)])
        }
        (Cause::NameWithoutAddress, _) => {
            (format!("{name} has no address in DNS"), vec![rename, forward(name)])
        }
        (Cause::NameUnknown, _) => (
            format!("The addresses of {name} cannot be looked up now"),
            vec![Remedy::DnsServers { what: name.clone() }],
        ),
        (Cause::GenericReverseName, back) => {
            let back = back.unwrap_or_else(|| format!("The reverse DNS name of {address}"));
            (
                format!("{back} looks like one of many names that a provider gives out"),
                vec![reverse()],
            )
        }
        (other, _) => (format!("{name}: {other}"), Vec::new()),
    };
    let level = match cause {
        Cause::GenericReverseName => Level::Notice,
        _ => Level::Wrong,
    };
    // What it means for those whose mail goes out under this name.
    let text = match cause.reply().filter(|_| whose == Whose::Own) {
        Some(reply) => format!("{text}: a receiver may answer {}.", codes(&reply)),
        None => format!("{text}."),
    };
    Finding { level, text, remedies }
}

/// The codes of a reply, as in `550 5.7.25`.
fn codes(reply: &Reply<'_>) -> String {
    let enhanced = reply.enhanced_code().map(|code| format!(" {code}")).unwrap_or_default();
    format!("{}{enhanced}", reply.code())
}

/// Whether it is an address that the rest of the Internet does not see.
fn is_private(address: IpAddr) -> bool {
    match address.to_canonical() {
        IpAddr::V4(address) => {
            // RFC 6598: what a provider shares among its customers.
            let is_shared = matches!(address.octets(), [100, 64..=127, ..]);
            address.is_private() || address.is_loopback() || address.is_link_local() || is_shared
        }
        IpAddr::V6(address) => {
            address.is_loopback() || address.is_unique_local() || address.is_unicast_link_local()
        }
    }
}

/// A PTR record may name anything, the root and text with spaces too.
const NO_HOST_NAME: &str = "what it names is no host name";

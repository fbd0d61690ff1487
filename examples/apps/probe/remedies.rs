//! What to change, and where: the settings of the servers that are met most, and DNS.

use std::net::IpAddr;

use crate::heard::Said;

/// What has to be changed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Remedy {
    /// What the server calls itself in its greeting and its answer to EHLO.
    ServerName,
    /// What a server says in EHLO when it is the client.
    ClientName,
    /// The address has no name, or another one.
    ReverseDns { address: IpAddr, name: String },
    /// The name has no address, or another one.
    ForwardDns { address: IpAddr, name: String },
    /// The DNS servers that answer for this fail.
    DnsServers { what: String },
    /// TLS is not offered.
    OfferTls,
    /// The certificate is not the right one.
    Certificate,
    /// Passwords are invited in clear text.
    AuthOnlyInTls,
    /// A firewall rewrites the session.
    Firewall,
}

/// A mail server by its greeting.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Software {
    Postfix,
    Exim,
    Sendmail,
    OpenSmtpd,
    Haraka,
    Exchange,
}

impl Software {
    const ALL: [Self; 6] =
        [Self::Postfix, Self::Exim, Self::Sendmail, Self::OpenSmtpd, Self::Haraka, Self::Exchange];

    /// What the greeting says that it is.
    pub(crate) fn of(greeting: &Said) -> Option<Self> {
        let text = greeting.to_string();
        Self::ALL.into_iter().find(|software| match software {
            Self::Exchange => text.contains("Microsoft ESMTP"),
            other => text.contains(other.name()),
        })
    }

    pub(crate) const fn name(self) -> &'static str {
        match self {
            Self::Postfix => "Postfix",
            Self::Exim => "Exim",
            Self::Sendmail => "Sendmail",
            Self::OpenSmtpd => "OpenSMTPD",
            Self::Haraka => "Haraka",
            Self::Exchange => "Exchange",
        }
    }
}

impl Remedy {
    /// One line for each place where it may be changed: all servers, unless it is known which one
    /// this is.
    pub(crate) fn lines(&self, software: Option<Software>) -> Vec<String> {
        match self {
            Self::ReverseDns { address, name } => vec![format!(
                "Reverse DNS, at the provider of the address: a PTR record of {address} that says \
                 {name}"
            )],
            Self::ForwardDns { address, name } => {
                let record = if address.is_ipv4() { "A" } else { "AAAA" };
                vec![format!("DNS, in the zone of {name}: a record {name} {record} {address}")]
            }
            Self::DnsServers { what } => {
                vec![format!(
                    "DNS: the servers of the zone that {what} is in do not answer properly"
                )]
            }
            Self::ServerName => settings(&SERVER_NAME, software),
            // The sender may run another program than the server that is asked.
            Self::ClientName => settings(&CLIENT_NAME, None),
            Self::OfferTls => settings(&OFFER_TLS, software),
            Self::Certificate => settings(&CERTIFICATE, software),
            Self::AuthOnlyInTls => settings(&AUTH_ONLY_IN_TLS, software),
            Self::Firewall => FIREWALL.map(str::to_owned).to_vec(),
        }
    }
}

type Settings = [(Software, &'static str)];

fn settings(all: &Settings, software: Option<Software>) -> Vec<String> {
    let known = all.iter().any(|(one, _)| Some(*one) == software);
    let chosen = all.iter().filter(|(one, _)| !known || Some(*one) == software);
    chosen.map(|(one, text)| format!("{}: {text}", one.name())).collect()
}

const SERVER_NAME: [(Software, &str); 6] = [
    (Software::Postfix, "myhostname in main.cf (and smtpd_banner must begin with $myhostname)"),
    (Software::Exim, "primary_hostname (and smtp_banner, if it is set)"),
    (Software::Sendmail, "define(`confDOMAIN_NAME', ...) in sendmail.mc"),
    (Software::OpenSmtpd, "listen on ... hostname NAME in smtpd.conf"),
    (Software::Haraka, "config/me"),
    (Software::Exchange, "Set-ReceiveConnector ... -Fqdn NAME"),
];

const CLIENT_NAME: [(Software, &str); 6] = [
    (Software::Postfix, "smtp_helo_name in main.cf (by default $myhostname)"),
    (Software::Exim, "helo_data of the smtp transport (by default $primary_hostname)"),
    (Software::Sendmail, "define(`confDOMAIN_NAME', ...) in sendmail.mc"),
    (Software::OpenSmtpd, "action ... relay helo NAME in smtpd.conf"),
    (Software::Haraka, "config/me"),
    (Software::Exchange, "Set-SendConnector ... -Fqdn NAME"),
];

const OFFER_TLS: [(Software, &str); 5] = [
    (Software::Postfix, "smtpd_tls_security_level = may, smtpd_tls_chain_files in main.cf"),
    (Software::Exim, "tls_advertise_hosts = *, tls_certificate, tls_privatekey"),
    (Software::Sendmail, "confSERVER_CERT and confSERVER_KEY in sendmail.mc"),
    (Software::OpenSmtpd, "pki NAME cert ..., pki NAME key ..., listen on ... tls pki NAME"),
    (Software::Haraka, "the plugin tls, and config/tls.ini"),
];

const CERTIFICATE: [(Software, &str); 5] = [
    (Software::Postfix, "smtpd_tls_chain_files (or smtpd_tls_cert_file) in main.cf"),
    (Software::Exim, "tls_certificate and tls_privatekey"),
    (Software::Sendmail, "confSERVER_CERT and confSERVER_KEY in sendmail.mc"),
    (Software::OpenSmtpd, "pki NAME cert and pki NAME key in smtpd.conf"),
    (Software::Haraka, "cert and key in config/tls.ini"),
];

const AUTH_ONLY_IN_TLS: [(Software, &str); 4] = [
    (Software::Postfix, "smtpd_tls_auth_only = yes in main.cf"),
    (Software::Exim, "server_advertise_condition = ${if def:tls_in_cipher} of the authenticator"),
    (Software::Sendmail, "define(`confAUTH_OPTIONS', `p') in sendmail.mc"),
    (Software::OpenSmtpd, "listen on ... tls-require auth in smtpd.conf"),
];

const FIREWALL: [&str; 2] = [
    "Cisco ASA: no inspect esmtp in the policy map (or allow-tls in its parameters)",
    "Cisco PIX: no fixup protocol smtp 25",
];

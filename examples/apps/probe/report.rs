//! Prints what was found: for people, or as one JSON object.

use std::io::{self, Write};

use anstream::AutoStream;
use clap::ColorChoice;
use clap::builder::styling::{AnsiColor, Style};
use ehlo::{Capability, Extension};
use ehlo_apps::{date_time, printable};
use serde_json::{Value, json};

use crate::certificate::Tls;
use crate::findings::{Finding, Level};
use crate::heard::{Heard, Said, Upgrade};
use crate::identity::{Check, Fact};
use crate::remedies::Software;
use crate::sentences::{sentence, unknown};

/// All that there is to print.
pub(crate) struct Report<'r> {
    /// The host as it was given.
    pub(crate) host: &'r str,
    pub(crate) heard: &'r Heard,
    pub(crate) checks: &'r [Check],
    pub(crate) findings: &'r [Finding],
}

impl Report<'_> {
    pub(crate) fn is_sound(&self) -> bool {
        self.wrong() == 0
    }

    fn wrong(&self) -> usize {
        self.findings.iter().filter(|finding| finding.level == Level::Wrong).count()
    }

    pub(crate) fn text(&self, color: ColorChoice) -> io::Result<()> {
        let choice = match color {
            ColorChoice::Auto => anstream::ColorChoice::Auto,
            ColorChoice::Always => anstream::ColorChoice::Always,
            ColorChoice::Never => anstream::ColorChoice::Never,
        };
        let out = &mut AutoStream::new(io::stdout().lock(), choice);
        let Heard { peer, greeting, ehlo, ehlo_in_tls, .. } = self.heard;
        writeln!(
            out,
            "{HEAD}{}{HEAD:#} at {} port {}",
            printable(self.host),
            peer.ip(),
            peer.port()
        )?;
        let established = match &self.heard.tls {
            Upgrade::Established(tls) => Some(tls),
            _ => None,
        };
        // With implicit TLS it comes first.
        if let (Some(tls), None) = (established, ehlo) {
            write_tls(out, tls)?;
        }
        writeln!(out, "\n{HEAD}Greeting{HEAD:#}\n  {greeting}")?;
        let ehlo_verb = format!("EHLO {}", self.heard.name);
        if let Some(said) = ehlo {
            writeln!(out, "\n{HEAD}{ehlo_verb}{HEAD:#}")?;
            write_hello(out, said, None)?;
        }
        if let (Some(tls), Some(_)) = (established, ehlo) {
            write_tls(out, tls)?;
        }
        if let Some(said) = ehlo_in_tls {
            writeln!(out, "\n{HEAD}{ehlo_verb}{HEAD:#}, inside TLS")?;
            write_hello(out, said, ehlo.as_ref())?;
        }
        if let Some(said) = self.heard.helo.answer() {
            writeln!(out, "\n{HEAD}HELO {}{HEAD:#}\n  {said}", self.heard.name)?;
        }
        for check in self.checks {
            writeln!(out, "\n{HEAD}{}{HEAD:#}", check.title())?;
            for Fact { holds, text } in &check.facts {
                let (style, mark) = match holds {
                    Some(true) => (GOOD, "yes"),
                    Some(false) => (BAD, "no "),
                    None => (DIM, "?  "),
                };
                writeln!(out, "  {style}{mark}{style:#} {text}")?;
            }
        }
        self.write_findings(out)
    }

    fn write_findings(&self, out: &mut impl Write) -> io::Result<()> {
        writeln!(out, "\n{HEAD}Findings{HEAD:#}")?;
        let software = Software::of(&self.heard.greeting);
        for finding in self.findings {
            let (style, mark) = match finding.level {
                Level::Wrong => (BAD, "wrong "),
                Level::Notice => (DIM, "notice"),
            };
            writeln!(out, "  {style}{mark}{style:#} {}", printable(&finding.text))?;
            for line in finding.remedies.iter().flat_map(|remedy| remedy.lines(software)) {
                writeln!(out, "         {DIM}{}{DIM:#}", printable(&line))?;
            }
        }
        match self.wrong() {
            0 => writeln!(out, "  {GOOD}sound{GOOD:#}"),
            1 => writeln!(out, "  {BAD}1 finding{BAD:#}"),
            wrong => writeln!(out, "  {BAD}{wrong} findings{BAD:#}"),
        }
    }

    pub(crate) fn json(&self) -> io::Result<()> {
        let Heard { peer, greeting, ehlo, ehlo_in_tls, helo, tls, .. } = self.heard;
        let software = Software::of(greeting);
        let findings = self.findings.iter().map(|finding| {
            let change: Vec<_> =
                finding.remedies.iter().flat_map(|remedy| remedy.lines(software)).collect();
            let level = match finding.level {
                Level::Wrong => "wrong",
                Level::Notice => "notice",
            };
            json!({ "level": level, "text": finding.text, "change": change })
        });
        let value = json!({
            "host": self.host,
            "helo_name": self.heard.name,
            "address": peer.ip().to_string(),
            "port": peer.port(),
            "software": software.map(Software::name),
            "greeting": said_json(greeting),
            "ehlo": ehlo.as_ref().map(hello_json),
            "tls": tls_json(tls),
            "ehlo_in_tls": ehlo_in_tls.as_ref().map(hello_json),
            "helo": helo.answer().map(said_json),
            "checks": self.checks.iter().map(Check::json).collect::<Vec<_>>(),
            "findings": findings.collect::<Vec<_>>(),
            "sound": self.is_sound(),
        });
        writeln!(io::stdout().lock(), "{value}")
    }
}

/// The first line of the answer, and a sentence for each keyword; what is new or gone since
/// `before` is marked.
fn write_hello(out: &mut impl Write, said: &Said, before: Option<&Said>) -> io::Result<()> {
    if !said.is_ok() {
        return writeln!(out, "  {BAD}{said}{BAD:#}");
    }
    let first = said.lines.first().map(Vec::as_slice).unwrap_or_default();
    writeln!(out, "  {} {}", said.code, printable(&String::from_utf8_lossy(first)))?;
    for line in said.keywords() {
        let mark = match before {
            None => " ",
            Some(before) => match before.keywords().find(|other| same_keyword(line, other)) {
                None => "+",
                Some(other) if Capability::parse(other) == Capability::parse(line) => " ",
                Some(_) => "~",
            },
        };
        write_keyword(out, mark, line)?;
    }
    let gone = before.into_iter().flat_map(Said::keywords);
    for line in gone.filter(|line| !said.keywords().any(|other| same_keyword(line, other))) {
        write_keyword(out, "-", line)?;
    }
    Ok(())
}

fn write_keyword(out: &mut impl Write, mark: &str, line: &[u8]) -> io::Result<()> {
    let capability = Capability::parse(line);
    let line = printable(&String::from_utf8_lossy(line));
    let style = match mark {
        "+" | "~" => GOOD,
        "-" => BAD,
        _ => Style::new(),
    };
    let (meaning, dim) = match sentence(&capability) {
        Some(sentence) => (printable(&sentence), Style::new()),
        None => (unknown(&capability).to_owned(), DIM),
    };
    writeln!(out, "{style}{mark}{style:#} {KEYWORD}{line:24}{KEYWORD:#} {dim}{meaning}{dim:#}")
}

fn write_tls(out: &mut impl Write, tls: &Tls) -> io::Result<()> {
    writeln!(out, "\n{HEAD}TLS{HEAD:#}\n  {}, {}", tls.version, tls.cipher_suite)?;
    match &tls.certificate {
        Err(reason) => writeln!(out, "  {BAD}no certificate: {}{BAD:#}", printable(reason)),
        Ok(certificate) => {
            writeln!(out, "  certificate of  {}", printable(&certificate.subject))?;
            writeln!(out, "  for the names   {}", printable(&certificate.names.join(", ")))?;
            writeln!(out, "  issued by       {}", printable(&certificate.issuer))?;
            writeln!(out, "  valid from      {}", date_time(certificate.not_before))?;
            writeln!(out, "  valid until     {}", date_time(certificate.not_after))
        }
    }
}

/// Whether two lines are about the same keyword.
fn same_keyword(line: &[u8], other: &[u8]) -> bool {
    let keyword = |line: &[u8]| {
        let end = line.iter().position(|byte| matches!(byte, b' ' | b'=')).unwrap_or(line.len());
        (line.get(..end).unwrap_or_default().to_ascii_uppercase(), line.get(end) == Some(&b'='))
    };
    keyword(line) == keyword(other)
}

fn said_json(said: &Said) -> Value {
    let lines = said.lines.iter().map(|line| String::from_utf8_lossy(line));
    json!({
        "code": said.code.number(),
        "enhanced": said.enhanced.map(|code| code.to_string()),
        "domain": said.domain.as_deref().filter(|_| said.is_ok()),
        "lines": lines.collect::<Vec<_>>(),
    })
}

fn hello_json(said: &Said) -> Value {
    let keywords = said.keywords().map(|line| {
        let capability = Capability::parse(line);
        let known = capability.extension().map(Extension::keyword);
        json!({
            "line": String::from_utf8_lossy(line),
            "keyword": known,
            "meaning": sentence(&capability),
        })
    });
    let keywords: Vec<_> = keywords.collect();
    json!({ "reply": said_json(said), "keywords": keywords })
}

fn tls_json(tls: &Upgrade) -> Value {
    match tls {
        Upgrade::Untried => json!({ "result": "untried" }),
        Upgrade::NotOffered => json!({ "result": "not offered" }),
        Upgrade::Refused(said) => json!({ "result": "refused", "reply": said_json(said) }),
        Upgrade::Failed(reason) => json!({ "result": "failed", "reason": reason }),
        Upgrade::Established(tls) => json!({
            "result": "established",
            "version": tls.version,
            "cipher_suite": tls.cipher_suite,
            "certificate": tls.certificate.as_ref().ok().map(|certificate| json!({
                "subject": certificate.subject,
                "issuer": certificate.issuer,
                "names": certificate.names,
                "not_before": date_time(certificate.not_before),
                "not_after": date_time(certificate.not_after),
            })),
        }),
    }
}

const HEAD: Style = Style::new().bold();
const KEYWORD: Style = AnsiColor::Cyan.on_default();
const GOOD: Style = AnsiColor::Green.on_default();
const BAD: Style = AnsiColor::Red.on_default().bold();
const DIM: Style = Style::new().dimmed();

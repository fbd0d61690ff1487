//! What a server has said, kept.

use std::net::SocketAddr;

use ehlo::syntax::code::{EnhancedCode, Severity};
use ehlo::{Code, Reply};
use ehlo_apps::printable;

use crate::certificate::Tls;

/// All that one session by EHLO has told.
pub(crate) struct Heard {
    pub(crate) peer: SocketAddr,
    pub(crate) local: SocketAddr,
    /// What this client called itself.
    pub(crate) name: String,
    pub(crate) greeting: Said,
    /// The answer to EHLO, and the one inside TLS; with implicit TLS there is but one.
    pub(crate) ehlo: Option<Said>,
    pub(crate) ehlo_in_tls: Option<Said>,
    pub(crate) helo: Helo,
    pub(crate) tls: Upgrade,
    /// Why the session did not come to its end.
    pub(crate) broken: Option<String>,
}

/// What became of HELO: on the same connection where EHLO was refused, or else on another one.
pub(crate) enum Helo {
    /// The name is an address literal, or it did not come to that.
    Untried,
    NoConnection(String),
    Unanswered(String),
    Answered(Said),
}

impl Helo {
    pub(crate) const fn answer(&self) -> Option<&Said> {
        match self {
            Self::Answered(said) => Some(said),
            _ => None,
        }
    }
}

/// What became of TLS.
pub(crate) enum Upgrade {
    /// It was not to be tried, or it did not come to that.
    Untried,
    NotOffered,
    Refused(Said),
    Failed(String),
    Established(Tls),
}

/// A reply, kept.
pub(crate) struct Said {
    pub(crate) code: Code,
    pub(crate) enhanced: Option<EnhancedCode>,
    /// The first word of the text.
    pub(crate) domain: Option<String>,
    /// The text, without codes.
    pub(crate) lines: Vec<Vec<u8>>,
}

impl Said {
    pub(crate) fn is_ok(&self) -> bool {
        self.code.severity() == Severity::PositiveCompletion
    }

    /// The lines after the first: the keywords of an answer to EHLO.
    pub(crate) fn keywords(&self) -> impl Iterator<Item = &[u8]> {
        let lines = self.lines.iter().map(Vec::as_slice);
        lines.skip(1).filter(|_| self.is_ok())
    }
}

impl From<&Reply<'_>> for Said {
    fn from(reply: &Reply<'_>) -> Self {
        Self {
            code: reply.code(),
            enhanced: reply.enhanced_code(),
            domain: reply.domain().map(str::to_owned),
            lines: reply.lines().map(<[u8]>::to_vec).collect(),
        }
    }
}

/// On one line, as it may be printed.
impl std::fmt::Display for Said {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{}", self.code)?;
        if let Some(enhanced) = self.enhanced {
            write!(f, " {enhanced}")?;
        }
        for (i, line) in self.lines.iter().enumerate() {
            let line = printable(&String::from_utf8_lossy(line));
            write!(f, "{}{line}", if i == 0 { " " } else { " / " })?;
        }
        Ok(())
    }
}

//! The envelopes of the message: one for each kind of server.

use ehlo::delivery::Recipient;
use ehlo::syntax::capability::Capabilities;
use ehlo::syntax::parameter::{Body, Parameter, Parameters};
use ehlo::{Envelope, Extension, ForwardPath, ReversePath};

use crate::arguments;
use crate::content::Content;

/// The addresses of the message, as they were given or in A-labels.
pub(crate) struct Addresses {
    pub(crate) from: String,
    pub(crate) to: Vec<String>,
}

impl Addresses {
    /// The same for a server without SMTPUTF8, RFC 5891 §5: domains in A-labels. `None` if nothing
    /// changes, or if a local part needs SMTPUTF8.
    pub(crate) fn in_a_labels(&self) -> Option<Self> {
        let from = in_a_labels(&self.from)?;
        let to: Option<Vec<_>> = self.to.iter().map(|to| in_a_labels(to)).collect();
        let to = to.filter(|to| (&from, to) != (&self.from, &self.to))?;
        Some(Self { from, to })
    }

    /// The recipients, each with these parameters.
    pub(crate) fn recipients<'a>(
        &'a self,
        parameters: &'a [Parameter<'a>],
    ) -> Result<Vec<Recipient<'a>>, Box<dyn std::error::Error>> {
        let recipient = |to: &'a String| {
            let forward_path = ForwardPath::new(to)?;
            Ok(Recipient { forward_path, parameters: Parameters::rcpt(parameters)? })
        };
        self.to.iter().map(recipient).collect()
    }
}

/// What the envelopes have in common.
pub(crate) struct Common<'a> {
    pub(crate) parameters: &'a [Parameter<'a>],
    pub(crate) body: Option<arguments::Body>,
    pub(crate) smtputf8: bool,
}

/// The envelopes for a server that does not offer 8BITMIME, and for one that does.
pub(crate) fn pair<'a>(
    from: &'a str,
    recipients: &'a &'a [Recipient<'a>],
    common: &Common<'a>,
    content: &Content,
) -> Result<[Envelope<'a>; 2], Box<dyn std::error::Error>> {
    let reverse_path = ReversePath::new(from)?;
    let is_ascii = reverse_path.is_ascii()
        && recipients.iter().all(|recipient| recipient.forward_path.is_ascii());
    let envelope = Envelope {
        parameters: Parameters::mail(common.parameters)?,
        size: content.wire_size(),
        smtputf8: common.smtputf8 || !is_ascii,
        repeatable: content.is_repeatable(),
        ..Envelope::new(reverse_path, recipients)
    };
    let of = |body| Envelope { body, ..envelope };
    Ok(match (common.body, content.is_eight_bit()) {
        (Some(arguments::Body::SevenBit), Some(true)) => {
            return Err("the content is not 7bit".into());
        }
        (Some(arguments::Body::SevenBit), _) | (None, Some(false)) => [envelope; 2],
        (Some(arguments::Body::EightBitMime), _) | (None, Some(true)) => {
            [of(Body::EightBitMime); 2]
        }
        (Some(arguments::Body::BinaryMime), _) => [of(Body::BinaryMime); 2],
        // The content is not read yet: the machine stops at the first 8-bit byte.
        (None, None) => [envelope, of(Body::EightBitMime)],
    })
}

/// The envelopes of the message.
pub(crate) struct Envelopes<'a> {
    pub(crate) as_given: [Envelope<'a>; 2],
    pub(crate) in_a_labels: Option<[Envelope<'a>; 2]>,
}

impl<'a> Envelopes<'a> {
    /// The one for a server that offers this, and whether its addresses are in A-labels.
    pub(crate) fn choose(&'a self, offered: &Capabilities) -> (&'a Envelope<'a>, bool) {
        let a_labels = self.in_a_labels.as_ref();
        let a_labels = a_labels.filter(|_| !offered.contains(Extension::SmtpUtf8));
        let [without, with] = a_labels.unwrap_or(&self.as_given);
        // RFC 6152 §3: "If a server SMTP does not support the 8-bit MIME transport extension …, then
        // the client SMTP must not, under any circumstances, attempt to transfer a content that
        // contains characters outside of the US-ASCII octet range".
        let offers = offered.contains(Extension::EightBitMime);
        (if offers { with } else { without }, a_labels.is_some())
    }
}

/// A path in brackets with the domain of its mailbox in A-labels.
fn in_a_labels(path: &str) -> Option<String> {
    if path.is_ascii() {
        return Some(path.to_owned());
    }
    // A domain has no at sign.
    let (local, domain) = path.rsplit_once('@').filter(|(local, _)| local.is_ascii())?;
    let domain = ehlo_apps::a_labels(domain.strip_suffix('>')?)?;
    Some(format!("{local}@{domain}>"))
}

//! The messages of RFC 5802 §7.
//!
//! An extension that is not mandatory "MUST be ignored", but its bytes are part of the signed
//! message, and rsasl leaves them out. A message with an extension could only end in a wrong
//! signature, so this parser refuses it. No RFC defines one.

use ehlo::syntax::sasl::SaslData;

/// `gs2-cbind-flag = ("p=" cb-name) / "n" / "y"`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Flag<'m> {
    /// The client cannot bind the channel.
    No,
    /// The client can, and believes that the server cannot.
    Yes,
    /// The client binds the channel with this type of binding.
    Bound(&'m str),
}

/// `client-first-message = gs2-header client-first-message-bare`; names are as they were written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct ClientFirst<'m> {
    pub(super) flag: Flag<'m>,
    pub(super) authorization: Option<&'m str>,
    pub(super) username: &'m str,
}

impl<'m> ClientFirst<'m> {
    pub(super) fn parse(message: &'m [u8]) -> Option<Self> {
        let mut parts = core::str::from_utf8(message).ok()?.split(',');
        // gs2-header = gs2-cbind-flag "," [ authzid ] ","
        let flag = match parts.next()? {
            "n" => Flag::No,
            "y" => Flag::Yes,
            bound => Flag::Bound(bound.strip_prefix("p=").filter(|name| is_cb_name(name))?),
        };
        let authorization = match parts.next()? {
            "" => None,
            authzid => Some(authzid.strip_prefix("a=").filter(|name| !name.is_empty())?),
        };
        // client-first-message-bare = [reserved-mext ","] username "," nonce ["," extensions]
        let username = parts.next()?.strip_prefix("n=").filter(|name| !name.is_empty())?;
        nonce(parts.next()?)?;
        if parts.next().is_some() || username.contains('\0') {
            return None;
        }
        Some(Self { flag, authorization, username })
    }
}

/// `client-final-message = client-final-message-without-proof "," proof`: whether it is one.
pub(super) fn is_client_final(message: &[u8]) -> bool {
    let parse = || {
        let mut parts = core::str::from_utf8(message).ok()?.split(',');
        base64(parts.next()?.strip_prefix("c=")?)?;
        nonce(parts.next()?)?;
        base64(parts.next()?.strip_prefix("p=")?)?;
        parts.next().is_none().then_some(())
    };
    parse().is_some()
}

/// `server-first-message = [reserved-mext ","] nonce "," salt "," iteration-count ["," extensions]`:
/// the iteration count.
pub(super) fn server_first(message: &[u8]) -> Option<u32> {
    let mut parts = core::str::from_utf8(message).ok()?.split(',');
    nonce(parts.next()?)?;
    base64(parts.next()?.strip_prefix("s=")?)?;
    let count = parts.next()?.strip_prefix("i=")?;
    // posit-number = %x31-39 *DIGIT
    if count.starts_with('0') || !count.bytes().all(|byte| byte.is_ascii_digit()) {
        return None;
    }
    let count = count.parse().ok()?;
    parts.next().is_none().then_some(count)
}

/// `server-final-message = (server-error / verifier) ["," extensions]`: whether it is one, with a
/// verifier or an error.
pub(super) fn server_final(message: &[u8]) -> Option<Result<(), ()>> {
    let mut parts = core::str::from_utf8(message).ok()?.split(',');
    let first = parts.next()?;
    if !parts.all(is_attr_val) {
        return None;
    }
    if let Some(verifier) = first.strip_prefix("v=") {
        return base64(verifier).map(Ok);
    }
    first.strip_prefix("e=").filter(|error| !error.is_empty()).map(|_| Err(()))
}

/// `nonce = "r=" c-nonce [s-nonce]`, where `printable = %x21-2B / %x2D-7E`.
fn nonce(part: &str) -> Option<()> {
    let nonce = part.strip_prefix("r=").filter(|nonce| !nonce.is_empty())?;
    nonce.bytes().all(|byte| byte.is_ascii_graphic()).then_some(())
}

/// Base64 of at least one byte.
fn base64(text: &str) -> Option<()> {
    SaslData::parse(text.as_bytes()).ok().filter(|data| !data.is_empty()).map(drop)
}

/// `cb-name = 1*(ALPHA / DIGIT / "." / "-")`.
fn is_cb_name(name: &str) -> bool {
    !name.is_empty()
        && name.bytes().all(|byte| byte.is_ascii_alphanumeric() || b".-".contains(&byte))
}

/// `attr-val = ALPHA "=" value`, where `value = 1*value-char`.
fn is_attr_val(part: &str) -> bool {
    let mut bytes = part.bytes();
    bytes.next().is_some_and(|name| name.is_ascii_alphabetic())
        && bytes.next() == Some(b'=')
        && bytes.next().is_some()
        && !part.contains('\0')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn client_first() {
        let parsed = ClientFirst::parse(b"n,,n=user,r=fyko+d2lbbFgONRv9qkxdawL");
        let plain = ClientFirst { flag: Flag::No, authorization: None, username: "user" };
        assert_eq!(parsed, Some(plain));
        let parsed = ClientFirst::parse(b"p=tls-exporter,a=b=2Cc,n=u=3D,r=x");
        let bound = ClientFirst {
            flag: Flag::Bound("tls-exporter"),
            authorization: Some("b=2Cc"),
            username: "u=3D",
        };
        assert_eq!(parsed, Some(bound));
        for wrong in [
            &b""[..],
            b"n",
            b"n,",
            b"n,,",
            b"n,,n",
            b"n,,n=",
            b"n,,n=u",
            b"n,,n=u,",
            b"n,,n=u,r",
            b"n,,n=u,r=",
            b"n,a,n=u,r=x",
            b"n,a=,n=u,r=x",
            b"n,b=c,n=u,r=x",
            b"x,,n=u,r=x",
            b"p=,,n=u,r=x",
            b"p=a b,,n=u,r=x",
            b"p,,n=u,r=x",
            b"n,,m=1,n=u,r=x",
            b"n,,n=u,r=x\x7f",
            b"n,,n=u,r=x y",
            b"n,,n=u,r=x,z=1",
            b"n,,n=\0,r=x",
            b"n,,n=\xff,r=x",
        ] {
            assert_eq!(ClientFirst::parse(wrong), None, "{}", wrong.escape_ascii());
        }
    }

    #[test]
    fn other_messages() {
        assert!(is_client_final(b"c=biws,r=fyko,p=v0X8v3Bz2T0CJGbJQyF0X+HI4Ts="));
        for wrong in ["", "c", "c=", "c=biws", "c=biws,r=x", "c=biws,r=x,p", "c=biws,r=x,p="] {
            assert!(!is_client_final(wrong.as_bytes()), "{wrong}");
        }
        assert!(!is_client_final(b"c=biws,r=x,p=AAAA,"));
        assert!(!is_client_final(b"c=biws,r=x,p=AAA"));

        assert_eq!(server_first(b"r=fyko3rf,s=QSXCR+Q6sek8bf92,i=4096"), Some(4096));
        for wrong in [
            "",
            "r",
            "r=x",
            "r=x,s",
            "r=x,s=",
            "r=x,s=AAAA",
            "r=x,s=AAAA,i",
            "r=x,s=AAAA,i=",
            "r=x,s=AAAA,i=0",
            "r=x,s=AAAA,i=01",
            "r=x,s=AAAA,i=+1",
            "r=x,s=AAAA,i=4294967296",
            "m=x,r=x,s=AAAA,i=1",
            "r=x,s=AAAA,i=1,e=f",
        ] {
            assert_eq!(server_first(wrong.as_bytes()), None, "{wrong}");
        }

        assert_eq!(server_final(b"v=rmF9pqV8S7suAoZWja4dJRkFsKQ="), Some(Ok(())));
        assert_eq!(server_final(b"v=AAAA,x=y"), Some(Ok(())));
        assert_eq!(server_final(b"e=invalid-proof"), Some(Err(())));
        for wrong in ["", "v", "v=", "e", "e=", "v=AAA", "x=y", "v=AAAA,", "v=AAAA,x"] {
            assert_eq!(server_final(wrong.as_bytes()), None, "{wrong}");
        }
    }
}

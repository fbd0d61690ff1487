//! Lines of other protocols: a web browser that was tricked into connecting (ALPACA), or TLS on a
//! port without TLS.
//!
//! The program behind such a line does not speak SMTP, and an attacker may choose the bytes that
//! follow; the session ends at the first one.

/// Returns `true` if no line of SMTP begins with this byte: a record of TLS begins with 22, an old
/// `ClientHello` with 128.
pub(super) const fn begins_with(byte: u8) -> bool {
    !byte.is_ascii_graphic() && !matches!(byte, b' ' | b'\t' | b'\r' | b'\n')
}

/// Returns `true` if a line that is not a command belongs to HTTP, or is a header field.
pub(super) fn is_line(line: &[u8]) -> bool {
    let word = line.split(|byte| *byte == b' ').next().unwrap_or_default();
    let is_method = HTTP.iter().any(|method| word.eq_ignore_ascii_case(method));
    is_method || matches!(word, [_, .., b':'])
}

/// The methods of RFC 9110 §9.3, PATCH, and the preface of HTTP/2.
const HTTP: [&[u8]; 10] = [
    b"GET", b"HEAD", b"POST", b"PUT", b"DELETE", b"CONNECT", b"OPTIONS", b"TRACE", b"PATCH", b"PRI",
];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn other_protocols_are_told_from_mistakes() {
        for line in ["GET / HTTP/1.1", "post /x", "PRI * HTTP/2.0", "Host: mx.example", "x: y"] {
            assert!(is_line(line.as_bytes()), "{line}");
        }
        for line in
            ["", ":", "GETS", "XPOST x", "MAIL FROM:<a@b", "RCPT TO: <a@b>", "a:b c", "FOO BAR:"]
        {
            assert!(!is_line(line.as_bytes()), "{line}");
        }
        assert!(begins_with(0x16) && begins_with(0x80) && begins_with(0) && begins_with(127));
        assert!(!"azAZ09.!\"\r\n\t ".bytes().any(begins_with));
    }
}

//! The separation of a server's own fields from the content of its client.

/// The bytes to write between the fields that a server adds to a message and the content of the
/// client: an empty line, or nothing. `front` is the front of the content, and `is_all` says
/// whether it is the whole content. `None` means that the decision needs more of the content.
///
/// RFC 5322 §2.2.3: a line that begins with white space continues the field above it. Directly after
/// `Received:` or `Authentication-Results:`, such a first line would let the client extend a field of
/// the server, for example with a forged result of a check. If the content begins neither with a field
/// nor with the empty line that ends the header section, an empty line therefore comes first. It ends
/// the fields of the server, and all of the content is body, RFC 5322 §2.1.
///
/// The first byte is enough to see white space. The result is `None` only for an empty front, for a
/// CR, and for bytes that may be the name of a field, up to [`SEPARATOR_MAX`] bytes.
///
/// ```
/// use ehlo::trace::separator;
///
/// assert_eq!(separator(b"Subject: hi\r\n", false), Some(&b""[..]));
/// assert_eq!(separator(b"\r\nno header", false), Some(&b""[..]));
/// assert_eq!(separator(b"\tfor <forged@example.org>;", false), Some(&b"\r\n"[..]));
/// assert_eq!(separator(b"just text\r\n", false), Some(&b"\r\n"[..]));
///
/// assert_eq!(separator(b"Subj", false), None);
/// assert_eq!(separator(b"Subj", true), Some(&b"\r\n"[..]));
/// ```
pub fn separator(front: &[u8], is_all: bool) -> Option<&'static [u8]> {
    let line = front.get(..SEPARATOR_MAX).unwrap_or(front);
    let is_over = is_all || line.len() == SEPARATOR_MAX;
    // RFC 5322 §3.6.8: `field-name = 1*ftext`.
    let name = line.iter().position(|byte| !is_ftext(*byte)).unwrap_or(line.len());
    let behind = line.get(name..).unwrap_or_default();
    if name == 0 {
        return match behind {
            [b'\r', b'\n', ..] => Some(b""),
            // An empty message has the fields only.
            [] if is_over => Some(b""),
            [] | [b'\r'] if !is_over => None,
            _ => Some(b"\r\n"),
        };
    }
    // RFC 5322 §4.5.8: `obs-optional = field-name *WSP ":" unstructured CRLF`.
    match behind.iter().find(|byte| !matches!(byte, b' ' | b'\t')) {
        Some(b':') => Some(b""),
        None if !is_over => None,
        _ => Some(b"\r\n"),
    }
}

/// The most bytes of content that [`separator`] needs; RFC 5322 §2.1.1: lines have up to 998
/// characters.
pub const SEPARATOR_MAX: usize = 998;

/// RFC 5322 §3.6.8: `ftext = %d33-57 / %d59-126`.
const fn is_ftext(byte: u8) -> bool {
    matches!(byte, 33..=57 | 59..=126)
}

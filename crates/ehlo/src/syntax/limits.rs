//! RFC 5321 §4.5.3: sizes and timeouts.

use core::time::Duration;

/// §4.5.3.1.1: bytes of a local part, quotes included.
pub const LOCAL_PART: usize = 64;
/// §4.5.3.1.2: bytes of a domain.
pub const DOMAIN: usize = 255;
/// RFC 1035 §2.3.4: bytes of one label of a domain.
pub const LABEL: usize = 63;
/// §4.5.3.1.3: bytes of a path, brackets included.
pub const PATH: usize = 256;
/// §4.5.3.1.4: bytes of a command line with its CRLF; extensions add to it.
pub const COMMAND_LINE: usize = 512;
/// §4.5.3.1.5: bytes of a reply line with its code and CRLF.
pub const REPLY_LINE: usize = 512;
/// §4.5.3.1.6: bytes of a text line with its CRLF, without a stuffed dot.
pub const TEXT_LINE: usize = 1000;
/// §4.5.3.1.7: bytes of a message that every server must accept.
pub const MESSAGE: u64 = 64 * 1024;
/// §4.5.3.1.8: recipients of a message that every server must accept.
pub const RECIPIENTS: u32 = 100;
/// RFC 4954 §4: bytes of a line of an AUTH exchange with its CRLF.
pub const AUTH_LINE: usize = 12_288;

/// §4.5.3.2.1: the wait for the greeting.
pub const GREETING_TIMEOUT: Duration = Duration::from_secs(5 * 60);
/// §4.5.3.2.2: the wait for the reply to MAIL, and to commands for which the RFC has no figure.
pub const MAIL_TIMEOUT: Duration = Duration::from_secs(5 * 60);
/// §4.5.3.2.3: the wait for the reply to RCPT.
pub const RCPT_TIMEOUT: Duration = Duration::from_secs(5 * 60);
/// §4.5.3.2.4: the wait for the 354 to DATA.
pub const DATA_TIMEOUT: Duration = Duration::from_secs(2 * 60);
/// §4.5.3.2.5: the wait for the peer to accept a block of mail data.
pub const DATA_BLOCK_TIMEOUT: Duration = Duration::from_secs(3 * 60);
/// §4.5.3.2.6: the wait for the reply to the final dot.
pub const MESSAGE_TIMEOUT: Duration = Duration::from_secs(10 * 60);
/// §4.5.3.2.7: a server's wait for the next command.
pub const COMMAND_TIMEOUT: Duration = Duration::from_secs(5 * 60);

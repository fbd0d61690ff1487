//! The decoder and the encoder of mail data.

mod attacks;
mod oracle;

//! Reply codes (RFC 5321 §4.2) and enhanced status codes (RFC 3463).

pub(crate) mod code;
mod enhanced;

pub use code::{ParseCodeError, Severity};
pub use enhanced::{EnhancedCode, EnhancedStatus};

pub(crate) use code::Code;

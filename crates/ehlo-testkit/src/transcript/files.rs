//! The transcripts of this package.

use super::format::Transcript;

/// The transcripts as text, each with its name, in order: the dialogues of RFC 5321's appendix D, one
/// for each feature, and one for each attack that a session can show, called `vNN-…`.
///
/// ```
/// use ehlo_testkit::transcript::TEXTS;
///
/// let (_, text) = TEXTS.iter().find(|(name, _)| *name == "pipelined").expect("it is there");
/// assert!(text.contains("C: RCPT TO:"));
/// ```
pub const TEXTS: &[(&str, &str)] = include!(concat!(env!("OUT_DIR"), "/transcripts.rs"));

/// All transcripts of this package, each with its name.
///
/// ```
/// use ehlo_testkit::transcript;
///
/// assert!(transcript::all().count() > 70);
/// ```
pub fn all() -> impl Iterator<Item = (&'static str, Transcript)> {
    TEXTS.iter().map(|(name, text)| (*name, Transcript::parse(text).expect("a transcript")))
}

//! Where a parameter may stand.

/// The command that a parameter belongs to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Place {
    Mail,
    Rcpt,
    Both,
}

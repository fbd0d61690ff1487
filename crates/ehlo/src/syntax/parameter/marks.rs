//! The marks that a parameter's value adds to the set of those seen, beside the bit of its
//! parameter.

/// An unknown parameter was seen.
pub(super) const UNKNOWN: u32 = 1 << 31;
/// BODY=BINARYMIME was seen.
pub(super) const BINARY: u32 = 1 << 30;
/// A value in UTF-8 was seen.
pub(super) const UTF8: u32 = 1 << 29;
/// HOLDFOR or HOLDUNTIL was seen. RFC 4865 §4: one and only one hold-param.
pub(super) const HOLD: u32 = 1 << 28;

/// The mark of a `hold-param`.
pub(super) const fn hold<T>(_: &T) -> u32 {
    HOLD
}

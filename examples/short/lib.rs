//! The programs of the project's README and guides, run as tests.

#[cfg(doctest)]
#[doc = include_str!("../../README.md")]
struct Readme;

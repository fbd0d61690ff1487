//! The examples are run with `cargo run --release --example NAME`; this crate itself is empty.

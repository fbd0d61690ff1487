//! `Delivery` against scripts.

#![allow(unreachable_pub)] // what the parts share

mod harness;
mod outcomes;

//! `Delivery` against scripts.

#![allow(unreachable_pub)] // what the parts share

mod chunking;
mod harness;
mod outcomes;
mod overlap;
mod security;
mod split;

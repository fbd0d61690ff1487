//! `Delivery` against scripts.

#![allow(unreachable_pub)] // what the parts share
#![allow(clippy::redundant_closure_for_method_calls)] // a method is not general over its lifetime

mod causes;
mod chunking;
mod harness;
mod outcomes;
mod overlap;
mod security;
mod split;

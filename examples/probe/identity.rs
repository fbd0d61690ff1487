//! Whether names fit addresses: the server's own, and what one says to it.

use std::net::IpAddr;

use ehlo_examples::dns::Resolver;
use serde_json::{Value, json};

use crate::findings::Finding;
use crate::session::Heard;

/// One name at one address.
pub(crate) struct Check {
    pub(crate) facts: Vec<Fact>,
}

/// What was asked, and whether it is so; nothing if that cannot be told now.
pub(crate) struct Fact {
    pub(crate) holds: Option<bool>,
    pub(crate) text: String,
}

pub(crate) async fn checks(
    _heard: &Heard,
    _own: Option<(&str, Option<IpAddr>)>,
    _resolver: &Resolver,
    _findings: &mut Vec<Finding>,
) -> Vec<Check> {
    Vec::new()
}

impl Check {
    pub(crate) fn title(&self) -> String { String::new() }
    pub(crate) fn json(&self) -> Value { json!({}) }
}

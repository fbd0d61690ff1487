//! How large the machines are: a server of a hundred thousand connections has as many of them.

#![allow(clippy::print_stdout)] // the numbers, with `--nocapture`

use ehlo::{Client, Command, Delivery, HeloCheck, Reply, Server, delivery, server};

#[test]
fn machines_have_a_bound() {
    for (name, size, most) in [
        ("Server", size_of::<Server>(), 168),
        ("Client", size_of::<Client>(), 296),
        ("Delivery", size_of::<Delivery<'_>>(), 640),
        ("HeloCheck", size_of::<HeloCheck<'_>>(), 1280),
        ("Command", size_of::<Command<'_>>(), 64),
        ("Reply", size_of::<Reply<'_>>(), 56),
        ("server::Event", size_of::<server::Event<'_>>(), 80),
        ("delivery::Event", size_of::<delivery::Event<'_>>(), 88),
    ] {
        println!("{name}: {size} bytes, at most {most}");
        assert!(size <= most, "{name} has {size} bytes, more than {most}");
    }
}

//! What one client may take.

use std::thread;
use std::time::{Duration, Instant};

use crate::process::{Client, Receive};

#[test]
fn an_address_has_so_many_connections() {
    let server = Receive::start(&["--max-per-address", "3"]);
    let mut held: Vec<Client> = (0..3).map(|_| Client::open(&server)).collect();
    assert!(held.iter_mut().all(|client| client.reply().starts_with("220")));
    let mut surplus = Client::open(&server);
    let reply = surplus.reply();
    assert!(reply.starts_with("421 ") && reply.contains("your address"), "{reply}");
    assert!(surplus.is_cut_off());
    held[0].ask("QUIT");
    held.remove(0);
    thread::sleep(Duration::from_millis(200));
    assert!(Client::open(&server).reply().starts_with("220"));
}

#[test]
fn a_hundred_is_the_default_and_a_trusted_proxy_does_not_count() {
    let server = Receive::start(&[]);
    let mut held: Vec<Client> = (0..101).map(|_| Client::open(&server)).collect();
    let refused = held.iter_mut().map(Client::reply).filter(|it| it.starts_with("421"));
    assert_eq!(refused.count(), 1);
    let server = Receive::start(&["--trust", "127.0.0.1", "--max-per-address", "1"]);
    let mut held: Vec<Client> = (0..3).map(|_| Client::open(&server)).collect();
    assert!(held.iter_mut().all(|client| client.hello().contains("XCLIENT")));
    assert_eq!(&held[0].ask("XCLIENT ADDR=192.0.2.7")[..3], "220");
    assert_eq!(&held[1].ask("XCLIENT ADDR=192.0.2.7")[..3], "421");
    assert_eq!(&held[2].ask("XCLIENT ADDR=192.0.2.8")[..3], "220");
}

#[test]
fn leniency_is_a_choice() {
    for (flags, code) in [(&[][..], "501"), (&["--lenient"], "250")] {
        let server = Receive::start(flags);
        let mut client = Client::open(&server);
        client.hello();
        assert_eq!(&client.ask("MAIL FROM: <a@b.example>")[..3], code);
    }
}

#[test]
fn content_that_drips_is_cut_off() {
    for (flags, is_cut) in [(&[][..], true), (&["--min-rate", "0"], false)] {
        let server = Receive::start(&[&["--timeout", "2"], flags].concat());
        let mut client = Client::open(&server);
        client.hello();
        for command in ["MAIL FROM:<a@b.example>", "RCPT TO:<c@d.example>", "DATA"] {
            client.ask(command);
        }
        let start = Instant::now();
        while start.elapsed() < Duration::from_secs(6) && !client.has_reply() {
            client.drip();
            thread::sleep(Duration::from_millis(200));
        }
        assert_eq!(client.has_reply(), is_cut, "{flags:?}");
        if is_cut {
            assert!(client.reply().starts_with("421 4.4.2 "));
        }
    }
}

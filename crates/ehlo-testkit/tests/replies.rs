//! What a server answers to every command in every state, against its snapshot, which was derived
//! from RFC 5321 §4.1.4 and §4.3.2 and the extensions' RFCs.

use std::fs;
use std::path::Path;

use ehlo::server::Event;
use ehlo::{Code, Reply, Server, ServerConfig, State};

#[test]
fn every_command_in_every_state() {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("snapshots/replies.txt");
    let now = ehlo_testkit::replies::replies();
    if std::env::var_os("EHLO_UPDATE_SNAPSHOTS").is_some() {
        fs::write(&path, &now).expect("the snapshot is written");
    }
    let then = fs::read_to_string(&path).expect("the snapshot");
    for (now, then) in now.lines().zip(then.lines()) {
        assert_eq!(now, then, "with EHLO_UPDATE_SNAPSHOTS=1 {} is written anew", path.display());
    }
    assert_eq!(now.lines().count(), then.lines().count());
}

/// The states that have no column: nothing is read in them.
#[test]
fn where_nothing_is_read() {
    let mut server = Server::new(ServerConfig::DEFAULT);
    assert_eq!(server.state(), State::Greeting);
    for event in [Event::Greeting, Event::NeedReply] {
        let received = server.receive(b"NOOP\r\n");
        assert_eq!((received.consumed, received.event), (0, event));
    }
    let reply = Reply::new(Code::SERVICE_NOT_AVAILABLE, "not now");
    server.reply(&reply, &mut [0; 64]).expect("a greeting");
    assert_eq!(server.state(), State::Closed);
    let received = server.receive(b"NOOP\r\n");
    assert_eq!((received.consumed, received.event), (0, Event::Closed));
}

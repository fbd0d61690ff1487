//! A server for the tests of a program in any language: it prints its address, and then a line for each
//! message, until its standard input ends.
#![allow(clippy::print_stdout)] // that is what it is for

use std::io::{self, Read};

use ehlo_mock::MockServer;

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let server = MockServer::smtp().refuse("nobody@example.org").start()?;
    println!("{}", server.address());
    let received = server.clone();
    std::thread::spawn(move || {
        for number in 1.. {
            // One message after another.
            let messages = loop {
                if let Ok(messages) = received.wait_for(number) {
                    break messages;
                }
            };
            if let Some(message) = messages.get(number - 1) {
                println!("{:?} {:?} {}", message.from(), message.to(), message.content.len());
            }
        }
    });
    io::stdin().read_to_end(&mut Vec::new())?;
    for error in server.errors() {
        println!("{error}");
    }
    Ok(())
}

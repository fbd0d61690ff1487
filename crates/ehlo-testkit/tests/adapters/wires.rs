//! Pairs of ends.

use std::net::{Ipv4Addr, TcpListener, TcpStream};

use crate::carry::Wire;
use crate::pipe::Pipe;

/// What is between two ends.
#[derive(Clone, Copy)]
pub enum Kind {
    /// Memory, which holds so many bytes in each direction.
    Memory(usize),
    /// TCP, on the loopback.
    Tcp,
}

/// Both ends of a connection.
pub fn wires(kind: Kind) -> (Wire, Wire) {
    match kind {
        Kind::Memory(room) => {
            let (one, other) = Pipe::pair(room);
            (Wire::Pipe(one), Wire::Pipe(other))
        }
        Kind::Tcp => {
            let (one, other) = sockets();
            (Wire::Tcp(one), Wire::Tcp(other))
        }
    }
}

pub fn sockets() -> (TcpStream, TcpStream) {
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).expect("a port");
    let one = TcpStream::connect(listener.local_addr().expect("an address")).expect("a socket");
    let (other, _) = listener.accept().expect("a socket");
    (one, other)
}

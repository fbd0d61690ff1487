//! Both sides under one clock.

use std::time::Duration;

use super::client::ClientEnd;
use super::configuration::Simulation;
use super::link::Pipe;
use super::report::Report;
use super::server::ServerEnd;

impl Simulation<'_> {
    /// Runs the session from the greeting to its end.
    ///
    /// # Errors
    ///
    /// [`Deadlock`].
    pub fn run(&self) -> Result<Report, Deadlock> {
        let mut clock = Duration::ZERO;
        let (mut up, mut down) = (Pipe::new(self.up), Pipe::new(self.down));
        let mut client = ClientEnd::new(self);
        let mut server = ServerEnd::new(self);
        loop {
            let mut moved = true;
            while moved {
                moved = client.step(clock, &mut up, &mut down);
                moved |= server.step(clock, &mut up, &mut down);
                // A connection breaks in both directions.
                if up.is_cut || down.is_cut {
                    up.is_cut = true;
                    down.is_cut = true;
                }
                up.is_ended |= client.is_closed;
            }
            let next = [up.next_arrival(clock), down.next_arrival(clock), server.wakes(clock)];
            match next.into_iter().flatten().min() {
                _ if client.is_closed && server.is_closed => {
                    return Ok(client.report(server, clock, &up, &down));
                }
                Some(next) => clock = next,
                None if client.is_closed => return Ok(client.report(server, clock, &up, &down)),
                None => return Err(Deadlock(format!("at {clock:?}: {client}, {server}"))),
            }
        }
    }
}

/// Neither side can do anything, and no bytes are on the way.
///
/// ```
/// use std::time::Duration;
///
/// use ehlo::ServerConfig;
/// use ehlo_testkit::simulation::{Room, Simulation};
///
/// let mut simulation = Simulation::new(ServerConfig::DEFAULT, Duration::ZERO, &[]);
/// // No reply has room here.
/// simulation.server_room = Room { inbox: 512, outbox: 1 };
/// let deadlock = simulation.run().unwrap_err();
/// assert!(deadlock.to_string().starts_with("nothing moves"));
/// ```
#[derive(Clone, Debug)]
pub struct Deadlock(String);

impl std::fmt::Display for Deadlock {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "nothing moves {}", self.0)
    }
}

impl std::error::Error for Deadlock {}

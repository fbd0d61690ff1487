//! How many round trips a message costs, with ehlo and with other clients of SMTP.
//!
//! Every client speaks to the same server over a relay that has no latency but counts turns: it
//! passes on what one side says only when that side has fallen silent, so whatever a client sends
//! without waiting for a reply is one turn. The table goes to standard output.

mod clients;
mod relay;
mod server;
mod table;

use std::process::ExitCode;

fn main() -> ExitCode {
    match table::table() {
        Ok(table) => {
            print!("{table}");
            ExitCode::SUCCESS
        }
        Err(error) => {
            eprintln!("round-trips: {error}");
            ExitCode::FAILURE
        }
    }
}

/// Anything that goes wrong ends the measurement.
type Failure = Box<dyn std::error::Error + Send + Sync>;

//! A million sessions in memory, each from the greeting to QUIT: `simulate_sessions [COUNT [SECONDS]]`.
//!
//! In each a client delivers a message to three recipients, of whom the server refuses one, over a
//! link with a latency of its own, by DATA or in chunks. Every outcome is compared with what the
//! server knows. It fails if one is wrong, or if the time is over, a minute unless told otherwise,
//! before all sessions are.

#![allow(clippy::print_stdout)] // figures

use std::num::ParseIntError;
use std::process::ExitCode;
use std::thread;
use std::time::{Duration, Instant};

use ehlo::syntax::capability::Capabilities;
use ehlo::{Envelope, Extension, ForwardPath, ReversePath, ServerConfig};
use ehlo_testkit::simulation::Simulation;

fn main() -> ExitCode {
    let mut arguments = std::env::args().skip(1).map(|argument| argument.parse());
    let mut next = |usual| arguments.next().unwrap_or(Ok(usual));
    match (next(1_000_000), next(60)) {
        (Ok(count), Ok(seconds)) => measure(count, Duration::from_secs(seconds)),
        (Err(error), _) | (_, Err(error)) => usage(&error),
    }
}

fn usage(error: &ParseIntError) -> ExitCode {
    println!("{error}: simulate_sessions [COUNT [SECONDS]]");
    ExitCode::from(2)
}

fn measure(count: u64, limit: Duration) -> ExitCode {
    let threads = thread::available_parallelism().map_or(1, usize::from) as u64;
    let begin = Instant::now();
    let done: u64 = thread::scope(|scope| {
        let share = |thread| count / threads + u64::from(thread < count % threads);
        let carry = |thread| scope.spawn(move || sessions(share(thread), begin + limit));
        let running: Vec<_> = (0..threads).map(carry).collect();
        running.into_iter().map(|thread| thread.join().expect("every session is right")).sum()
    });
    let took = begin.elapsed().as_secs_f64();
    #[allow(clippy::cast_precision_loss)] // a figure to be read
    let rate = done as f64 / took;
    println!("{done} sessions in {took:.1} s on {threads} threads: {rate:.0} in a second");
    if done < count {
        println!("{count} were asked for");
        return ExitCode::FAILURE;
    }
    ExitCode::SUCCESS
}

/// Carries so many sessions, or as many as there is time for; how many those were.
fn sessions(count: u64, end: Instant) -> u64 {
    const PIPELINING: Capabilities = ServerConfig::DEFAULT.offered;
    let recipients = ["a@x.example", "bad@x.example", "c@x.example"]
        .map(|address| ForwardPath::new(address).expect("an address"));
    let sender = ReversePath::new("s@x.example").expect("a path");
    let envelopes = [Envelope { size: Some(20), ..Envelope::new(sender, &recipients) }];
    let ways = [PIPELINING, PIPELINING.with(Extension::Chunking)].map(|offered| {
        let server = ServerConfig { offered, ..ServerConfig::DEFAULT };
        Simulation::new(server, Duration::from_millis(20), &envelopes)
    });
    for session in 0..count {
        // Asking for the time costs less than a session, but not nothing.
        if session % 64 == 0 && Instant::now() >= end {
            return session;
        }
        let simulation = &ways[usize::from(session % 2 == 1)];
        let report = simulation.run().expect("no deadlock");
        report.check(simulation).expect("honest outcomes");
        assert_eq!((report.messages.len(), report.messages[0].to.len()), (1, 2));
        assert_eq!(report.messages[0].content, simulation.content);
    }
    count
}

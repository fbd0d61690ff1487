//! A million conversations between a client and a server that refuses any command, at random:
//! `simulate_refusals [COUNT [FIRST]]`, with the seed of the first.
//!
//! In each, what the server has stored for whom is compared with what was meant, and with what the
//! client reported. It fails at the first that differs, and prints it.

#![allow(clippy::print_stdout)] // figures

use std::process::ExitCode;
use std::thread;
use std::time::Instant;

use ehlo_testkit::simulation::refusals;

fn main() -> ExitCode {
    let mut arguments = std::env::args().skip(1).map(|argument| argument.parse::<u64>());
    let mut next = |usual| arguments.next().unwrap_or(Ok(usual));
    let (Ok(count), Ok(first)) = (next(1_000_000), next(0)) else {
        println!("simulate_refusals [COUNT [FIRST]]");
        return ExitCode::from(2);
    };
    let threads = thread::available_parallelism().map_or(1, usize::from);
    let begin = Instant::now();
    let failed = thread::scope(|scope| {
        let carry = |thread: usize| {
            let seeds = (first..first.saturating_add(count)).skip(thread).step_by(threads);
            scope.spawn(move || {
                seeds.into_iter().find_map(|seed| Some((seed, refusals::conversation(seed).err()?)))
            })
        };
        let running: Vec<_> = (0..threads).map(carry).collect();
        let ended = running.into_iter().map(|thread| thread.join().expect("no panic"));
        ended.collect::<Vec<_>>().into_iter().flatten().min_by_key(|(seed, _)| *seed)
    });
    if let Some((seed, why)) = failed {
        println!("conversation {seed}: {why}");
        return ExitCode::FAILURE;
    }
    println!("{count} conversations in {:.1} s: all as meant", begin.elapsed().as_secs_f64());
    ExitCode::SUCCESS
}

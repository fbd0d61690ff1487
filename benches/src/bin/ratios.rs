//! How long `ehlo` takes beside its peers, and whether that is within the bounds.
//!
//! `cargo run --release -p ehlo-benches --bin ratios [-- [--check] [part of a name]…]`; with
//! `--profile lto` in place of `--release` for fat LTO. `--check` fails when a bound is exceeded.
//!
//! Absolute times mean little on a machine that has other work; ratios do, if the sides take turns
//! that are short and many. Time of the thread is counted, not of the clock on the wall, and the
//! best turn of each side: what else runs can only slow one down.

#![allow(clippy::print_stdout)] // tables are what it is for
#![allow(clippy::cast_precision_loss)] // of times and sizes far below 2^52

use std::process::ExitCode;
use std::time::{Duration, Instant};

use cpu_time::ThreadTime;
use ehlo_benches::{CONTESTS, Contest, Kind};

fn main() -> ExitCode {
    let (options, names): (Vec<_>, Vec<_>) =
        std::env::args().skip(1).partition(|argument| argument.starts_with("--"));
    let profile = profile();
    println!("Profile `{profile}`.");
    let mut verdicts = Vec::new();
    for (name, build) in CONTESTS {
        if names.is_empty() || names.iter().any(|part| name.contains(part)) {
            let mut contest = build(name);
            let bounds: Vec<_> = BOUNDS.iter().filter(|bound| bound.contest == *name).collect();
            let mut times = Times::of(&mut contest);
            for _ in 0..3 {
                if bounds.iter().all(|bound| bound.judge(&contest, &times, &profile).is_kept) {
                    break;
                }
                times.add(&mut contest);
            }
            print_times(&contest, &times);
            verdicts.extend(bounds.iter().map(|bound| bound.judge(&contest, &times, &profile)));
        }
    }
    println!("\n| contest | side | against | ratio | (median) | bound | |");
    println!("| --- | --- | --- | --- | --- | --- | --- |");
    for verdict in &verdicts {
        println!("{}", verdict.row);
    }
    let exceeded = verdicts.iter().filter(|verdict| !verdict.is_kept).count();
    println!("\n{} of {} bounds are kept.", verdicts.len() - exceeded, verdicts.len());
    ExitCode::from(u8::from(exceeded > 0 && options.iter().any(|option| option == "--check")))
}

/// The profile that this was built in: the folder that it lies in.
fn profile() -> String {
    let folder = std::env::current_exe().ok().and_then(|path| {
        let folder = path.parent()?.file_name()?.to_str()?;
        Some(folder.to_owned())
    });
    folder.unwrap_or_default()
}

/// What was promised of a side of a contest.
struct Bound {
    contest: &'static str,
    side: &'static str,
    against: Against,
    limit: Limit,
}

/// With what a side is compared.
enum Against {
    /// The faster of these.
    Sides(&'static [&'static str]),
    /// The fastest peer.
    Peers,
}

/// What the comparison must come to.
#[derive(Clone, Copy)]
enum Limit {
    /// So many times its time at most.
    Time(f64),
    /// The same with fat LTO, and in the default release profile.
    TimeLtoRelease(f64, f64),
    /// So many times its speed at least.
    Speed(f64),
}

struct Verdict {
    row: String,
    is_kept: bool,
}

impl Bound {
    fn judge(&self, contest: &Contest, times: &Times, profile: &str) -> Verdict {
        let index = |name| {
            let found = contest.sides.iter().position(|side| side.name == name);
            found.unwrap_or_else(|| panic!("{} has no side {name}", contest.name))
        };
        let own = index(self.side);
        let others: Vec<_> = match self.against {
            Against::Sides(names) => names.iter().map(|name| index(name)).collect(),
            Against::Peers => (0..contest.sides.len())
                .filter(|&side| contest.sides[side].kind == Kind::Peer)
                .collect(),
        };
        let fastest = others.into_iter().min_by(|&a, &b| times.best(a).total_cmp(&times.best(b)));
        let other = fastest.unwrap_or(own);
        let ratios = [times.best(own) / times.best(other), times.median_ratio(own, other)];
        let (unit, [ratio, median], sign, bound, is_kept) = match self.limit {
            Limit::TimeLtoRelease(bound, _) if profile != "release" => time(ratios, bound),
            Limit::Time(bound) | Limit::TimeLtoRelease(_, bound) => time(ratios, bound),
            Limit::Speed(bound) => {
                let speeds = ratios.map(f64::recip);
                ("speed", speeds, '≥', bound, speeds[0] >= bound)
            }
        };
        let row = format!(
            "| {} | {} | {} | {ratio:.2} × {unit} | ({median:.2}) | {sign} {bound:.2} | {} |",
            contest.name,
            self.side,
            contest.sides[other].name,
            if is_kept { "ok" } else { "**OVER**" },
        );
        Verdict { row, is_kept }
    }
}

fn time(ratios: [f64; 2], bound: f64) -> (&'static str, [f64; 2], char, f64, bool) {
    ("time", ratios, '≤', bound, ratios[0] <= bound)
}

/// The time in seconds of one run, by side and turn.
struct Times(Vec<Vec<f64>>);

impl Times {
    fn of(contest: &mut Contest) -> Self {
        let mut times = Self(vec![Vec::new(); contest.sides.len()]);
        times.add(contest);
        times
    }

    /// Lets the sides take turns.
    fn add(&mut self, contest: &mut Contest) {
        let repeats: Vec<_> = contest
            .sides
            .iter_mut()
            .map(|side| {
                side.run();
                let start = ThreadTime::now();
                side.run();
                let once = start.elapsed().as_secs_f64();
                (TURN.as_secs_f64() / once).clamp(1.0, 10_000.0).round()
            })
            .collect();
        let start = Instant::now();
        for round in 0..MAX_ROUNDS {
            if round >= MIN_ROUNDS && start.elapsed() > BUDGET {
                break;
            }
            let sides = contest.sides.len();
            // Whoever comes first finds the cache as another left it.
            for place in 0..sides {
                let side = (place + round) % sides;
                let start = ThreadTime::now();
                let mut repeat = 0.0;
                while repeat < repeats[side] {
                    std::hint::black_box(contest.sides[side].run());
                    repeat += 1.0;
                }
                self.0[side].push(start.elapsed().as_secs_f64() / repeats[side]);
            }
        }
    }

    fn best(&self, side: usize) -> f64 {
        self.0[side].iter().copied().fold(f64::INFINITY, f64::min)
    }

    /// The median of the ratios within a round.
    fn median_ratio(&self, side: usize, other: usize) -> f64 {
        let mut ratios: Vec<_> =
            self.0[side].iter().zip(&self.0[other]).map(|(own, other)| own / other).collect();
        ratios.sort_by(f64::total_cmp);
        ratios[ratios.len() / 2]
    }
}

fn print_times(contest: &Contest, times: &Times) {
    let Contest { name, elements, unit, sides, .. } = contest;
    println!("\n| {name} | ns a {unit} | MB/s | ehlo takes |\n| --- | ---: | ---: | ---: |");
    for (index, side) in sides.iter().enumerate() {
        let best = times.best(index);
        println!(
            "| {} | {:.1} | {:.0} | {:.2} × |",
            side.name,
            best * 1e9 / *elements as f64,
            contest.bytes() as f64 / best / 1e6,
            times.best(0) / best,
        );
    }
}

/// What is promised, as ratios.
const BOUNDS: &[Bound] = &[
    commands("commands/core", 0.45),
    commands("commands/parameters", 0.50),
    commands("commands/core-4MiB", 0.60),
    commands("commands/parameters-4MiB", 0.60),
    // The peer has no session.
    bytewise("commands/bytewise", "ehlo, no session"),
    bytewise("commands/bytewise", "ehlo, whole server"),
    replies("replies/single", 0.50),
    replies("replies/multi", 0.50),
    replies("replies/ehlo", 0.95),
    bytewise("replies/bytewise-single", "ehlo"),
    bytewise("replies/bytewise-multi", "ehlo"),
    data("decode/text", "ehlo, Keep", Against::Sides(&["memmem"]), 0.80),
    data("decode/text", "ehlo, Reject", Against::Sides(&["smtp-proto"]), 1.00),
    data("decode/dotted-text", "ehlo, Keep", Against::Peers, 0.50),
    data("decode/dotted-text", "ehlo, Reject", Against::Peers, 0.50),
    data("decode/dots", "ehlo, Keep", Against::Peers, 0.50),
    data("decode/dots", "ehlo, Reject", Against::Peers, 0.50),
    data("encode/text", "ehlo, Reject", RIGHT_ENCODERS, 0.90),
    data("encode/dotted-text", "ehlo, Reject", RIGHT_ENCODERS, 0.90),
    data("encode/dots", "ehlo, Reject", RIGHT_ENCODERS, 0.90),
    doubled("hostile/endless-command"),
    doubled("hostile/endless-cr"),
    doubled("hostile/long-lines"),
    doubled("hostile/many-parameters"),
    doubled("hostile/two-letters"),
    doubled("hostile/deep-quoting"),
    doubled("hostile/source-route"),
    doubled("hostile/xtext"),
    doubled("hostile/initial-response"),
    doubled("hostile/many-reply-lines"),
    doubled("hostile/long-reply-line"),
    doubled("hostile/nearly-the-end"),
    doubled("hostile/bare-lf"),
    doubled("hostile/bare-lf-and-text"),
    doubled("hostile/data-bytewise"),
];

const RIGHT_ENCODERS: Against = Against::Sides(&["io-smtp", "byte by byte"]);

const fn commands(contest: &'static str, lto: f64) -> Bound {
    let against = Against::Sides(&["smtp-proto"]);
    Bound { contest, side: "ehlo", against, limit: Limit::TimeLtoRelease(lto, 0.65) }
}

const fn bytewise(contest: &'static str, side: &'static str) -> Bound {
    let against = Against::Sides(&["smtp-proto"]);
    Bound { contest, side, against, limit: Limit::Time(1.0) }
}

const fn replies(contest: &'static str, bound: f64) -> Bound {
    Bound { contest, side: "ehlo", against: Against::Peers, limit: Limit::Time(bound) }
}

const fn data(contest: &'static str, side: &'static str, against: Against, speed: f64) -> Bound {
    Bound { contest, side, against, limit: Limit::Speed(speed) }
}

const fn doubled(contest: &'static str) -> Bound {
    let against = Against::Sides(&["ehlo, half the input"]);
    Bound { contest, side: "ehlo", against, limit: Limit::Time(2.1) }
}

/// How long a side runs before the next one does.
const TURN: Duration = Duration::from_micros(400);
/// How long a contest lasts, unless it needs longer for its rounds.
const BUDGET: Duration = Duration::from_millis(1500);
const MIN_ROUNDS: usize = 31;
const MAX_ROUNDS: usize = 400;

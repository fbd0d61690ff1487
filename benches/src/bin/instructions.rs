//! Compares what callgrind counted with the checked-in table, and with the bounds; or writes the
//! table anew. `ci/instructions` runs it.
//!
//! In: a line of JSON for each benchmark, as gungraun writes it. With `--write` the table takes
//! what was counted; without, a count that grew by more than the tolerance is a failure, as is one
//! that is over its bound and was not before.

#![allow(clippy::print_stdout)] // a table is what it is for
#![allow(clippy::cast_precision_loss)] // of counts far below 2^52

use std::collections::BTreeMap;
use std::error::Error;
use std::io::BufRead as _;
use std::process::ExitCode;
use std::{env, fmt, fs, io};

use ehlo_benches::contest;
use serde_json::Value;

const TABLE: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/instructions.md");

/// By how much a count may grow; the table has two decimals.
const TOLERANCE: f64 = 1.03;

/// The most instructions that an element may cost, by the start of the contest's name.
const BOUNDS: [(&str, f64); 4] = [
    ("commands/core", 500.0),
    ("commands/parameters", 700.0),
    ("commands/every-parameter", 700.0),
    ("hostile/", 25.0),
];

/// How many times the instructions the double input may cost.
const DOUBLING: f64 = 2.1;
const HALF: &str = "ehlo, half the input";

fn main() -> Result<ExitCode, Box<dyn Error>> {
    let is_write = env::args().any(|argument| argument == "--write");
    let before = read_table(&fs::read_to_string(TABLE).unwrap_or_default());
    let counts = read_counts()?;
    if counts.is_empty() {
        return Err("nothing was counted".into());
    }
    let mut rows = Vec::new();
    let mut failures = Vec::new();
    for (index, (key, total)) in counts.iter().enumerate() {
        let Key { contest: name, side } = key;
        let contest = contest(name);
        if side == HALF {
            continue;
        }
        let each = total / contest.elements as f64;
        let bound = BOUNDS.iter().find(|(start, _)| side == "ehlo" && name.starts_with(start));
        let over = if bound.is_some_and(|(_, most)| each > *most) { " **over**" } else { "" };
        let most = bound.map(|(_, most)| format!("≤ {most}{over}")).unwrap_or_default();
        rows.push(format!("| {name} | {side} | {each:.2} | {} | {most} |\n", contest.unit));
        let was_over = |most| before.get(key).is_some_and(|old| *old > most);
        if bound.is_some_and(|&(_, most)| each > most && !was_over(most)) {
            failures.push(format!("{key}: {each:.1} a {}, {most} promised", contest.unit));
        }
        let half =
            counts.iter().skip(index + 1).find(|(k, _)| k.contest == *name && k.side == HALF);
        if let Some((_, half)) = half.filter(|(_, half)| total / half > DOUBLING) {
            failures.push(format!("{key}: {:.2} × for the double input", total / half));
        }
        match before.get(key) {
            Some(old) if side.starts_with("ehlo") && each > old * TOLERANCE + 0.01 => {
                failures.push(format!("{key}: {each:.1} a {}, {old:.1} before", contest.unit));
            }
            Some(_) => {}
            None if is_write => {}
            None => failures.push(format!("{key}: not in the table")),
        }
    }
    let table = HEADER.to_owned() + &rows.concat();
    print!("{table}");
    if is_write {
        fs::write(TABLE, table)?;
    }
    for failure in &failures {
        println!("OVER {failure}");
    }
    Ok(ExitCode::from(u8::from(!is_write && !failures.is_empty())))
}

/// What was measured.
#[derive(Debug, PartialEq, Eq, PartialOrd, Ord)]
struct Key {
    contest: String,
    side: String,
}

impl fmt::Display for Key {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}, {}", self.contest, self.side)
    }
}

/// The instructions of each benchmark, in the order in which they ran.
fn read_counts() -> Result<Vec<(Key, f64)>, Box<dyn Error>> {
    let mut counts = Vec::new();
    for line in io::stdin().lock().lines() {
        let summary: Value = serde_json::from_str(&line?)?;
        // (prepare("commands/core", "ehlo"))
        let description = summary["description"].as_str().unwrap_or_default();
        let mut quoted = description.split('"').skip(1).step_by(2).map(str::to_owned);
        let total = &summary["profiles"][0]["data"]["total"];
        let ir = find(total, "Ir").and_then(|ir| find(ir, "new")).and_then(Value::as_f64);
        match (quoted.next(), quoted.next(), ir) {
            (Some(contest), Some(side), Some(ir)) => counts.push((Key { contest, side }, ir)),
            _ => return Err(format!("no count in {summary}").into()),
        }
    }
    Ok(counts)
}

/// The first value of this name, at any depth.
fn find<'v>(value: &'v Value, name: &str) -> Option<&'v Value> {
    match value {
        Value::Object(fields) => {
            fields.get(name).or_else(|| fields.values().find_map(|field| find(field, name)))
        }
        Value::Array(values) => values.iter().find_map(|value| find(value, name)),
        _ => None,
    }
}

fn read_table(table: &str) -> BTreeMap<Key, f64> {
    let rows = table.lines().filter_map(|line| {
        let mut cells = line.trim_matches('|').split('|').map(str::trim);
        let (contest, side) = (cells.next()?.to_owned(), cells.next()?.to_owned());
        Some((Key { contest, side }, cells.next()?.parse().ok()?))
    });
    rows.collect()
}

const HEADER: &str = "\
# Instructions

Callgrind counts with fat LTO on x86-64 with AVX2; `ci/instructions` compares, and `ci/instructions --write` rewrites this
page. The rows of peers are for comparison, and have no bound. [Measurements](../docs/measurements.md) explains each count over its
bound; such a count must not grow either.

| contest | side | instructions | per | bound |
| --- | --- | ---: | --- | --- |
";

//! Plans against what the DNS says: a table, and properties.
#![allow(clippy::unwrap_used)] // a test fails by a panic

use std::collections::{HashMap, HashSet};
use std::fmt::Write as _;
use std::net::{IpAddr, Ipv4Addr};

use ehlo::route::{MxAnswer, MxPlan, MxQuery, MxStep, NoRoute, OwnHosts};
use ehlo::syntax::path::Host;
use proptest::prelude::*;

/// What a resolver knows.
#[derive(Clone, Debug, Default)]
struct Zone {
    exchanges: HashMap<String, Vec<(u16, String)>>,
    addresses: HashMap<String, Vec<IpAddr>>,
    aliases: HashMap<String, String>,
    empty: HashSet<String>,
    failing: HashSet<String>,
}

impl Zone {
    /// Answers one question of `plan`.
    fn answer(&self, plan: &mut MxPlan<'_>, query: &Asked) {
        let (name, is_exchange) = match query {
            Asked::Exchanges(name) => (name, true),
            Asked::Addresses(name) => (name, false),
        };
        let (exchanges, addresses);
        let answer = if self.failing.contains(name) {
            MxAnswer::TemporaryFailure
        } else if let Some(target) = self.aliases.get(name) {
            MxAnswer::Alias(target)
        } else if is_exchange && let Some(list) = self.exchanges.get(name) {
            exchanges = list
                .iter()
                .map(|(preference, name)| (*preference, name.as_str()))
                .collect::<Vec<_>>();
            MxAnswer::Exchanges(&exchanges)
        } else if is_exchange && self.empty.contains(name) {
            MxAnswer::Exchanges(&[])
        } else if !is_exchange && let Some(list) = self.addresses.get(name) {
            addresses = list.clone();
            MxAnswer::Addresses(&addresses)
        } else if self.empty.contains(name) || self.exchanges.contains_key(name) {
            MxAnswer::Addresses(&[])
        } else {
            MxAnswer::DoesNotExist
        };
        plan.answer(answer).unwrap();
    }
}

/// A question without its lifetime.
enum Asked {
    Exchanges(String),
    Addresses(String),
}

/// The host, the preference and the address of each target, and the end; and how much was asked.
fn run(mut plan: MxPlan<'_>, zone: &Zone) -> (Vec<(String, u16, IpAddr)>, NoRoute, usize) {
    let (mut targets, mut questions) = (Vec::new(), 0);
    loop {
        let asked = match plan.step() {
            MxStep::Query(MxQuery::Exchanges(name)) => Asked::Exchanges(name.to_owned()),
            MxStep::Query(MxQuery::Addresses(name)) => Asked::Addresses(name.to_owned()),
            MxStep::Query(_) => unreachable!("there is no other question"),
            MxStep::Try(target) => {
                targets.push((target.host.to_owned(), target.preference, target.address));
                continue;
            }
            MxStep::End(why) => return (targets, why, questions),
        };
        questions += 1;
        zone.answer(&mut plan, &asked);
    }
}

#[test]
fn plans_are_those_of_the_table() {
    let table = include_str!("routes.txt");
    let cases: Vec<_> = table.split("\n== ").skip(1).collect();
    assert!(cases.len() > 20);
    for case in cases {
        let (title, lines) = case.split_once('\n').unwrap();
        let mut zone = Zone::default();
        let (mut domain, mut own, mut expected) = ("", Vec::new(), String::new());
        for line in lines.lines().filter(|line| !line.is_empty()) {
            let (word, rest) = line.split_once(' ').unwrap();
            let (name, value) = rest.split_once(" = ").unwrap_or((rest, ""));
            let name_owned = name.to_owned();
            match word {
                "to" => domain = rest,
                "own" => own.extend(rest.split(' ')),
                "mx" => {
                    let records = value.split(", ").map(|record| {
                        let (preference, name) = record.split_once(' ').unwrap();
                        (preference.parse().unwrap(), name.to_owned())
                    });
                    zone.exchanges.insert(name_owned, records.collect());
                }
                "a" => {
                    let addresses = value.split(' ').map(|address| address.parse().unwrap());
                    zone.addresses.insert(name_owned, addresses.collect());
                }
                "alias" => drop(zone.aliases.insert(name_owned, value.to_owned())),
                "nothing" => drop(zone.empty.insert(name_owned)),
                "fails" => drop(zone.failing.insert(name_owned)),
                "try" | "end" => writeln!(expected, "{line}").unwrap(),
                _ => panic!("{title}: {line}"),
            }
        }
        let addresses: Vec<IpAddr> = own.iter().filter_map(|own| own.parse().ok()).collect();
        let own = OwnHosts { names: &own, addresses: &addresses };
        let (targets, end, _) = run(MxPlan::new(Host::new(domain).unwrap(), own, 7), &zone);
        let mut seen = String::new();
        for (host, preference, address) in targets {
            let host = if host.is_empty() { "-" } else { &host };
            writeln!(seen, "try {host} {preference} {address}").unwrap();
        }
        writeln!(seen, "end {end:?}").unwrap();
        assert_eq!(seen, expected, "{title}");
    }
}

#[test]
fn exchanges_of_one_preference_change_places_by_the_seed() {
    let mut zone = Zone::default();
    let names = ["a.example", "b.example", "c.example"];
    zone.exchanges.insert("example.org".into(), names.map(|name| (10, name.to_owned())).into());
    for (last, name) in (1..).zip(names) {
        zone.addresses.insert(name.to_owned(), vec![Ipv4Addr::new(192, 0, 2, last).into()]);
    }
    let orders: HashSet<Vec<String>> = (0..200)
        .map(|seed| {
            let plan = MxPlan::new(Host::new("example.org").unwrap(), OwnHosts::NONE, seed);
            run(plan, &zone).0.into_iter().map(|(host, ..)| host).collect()
        })
        .collect();
    assert_eq!(orders.len(), 6, "{orders:?}");
}

#[test]
fn an_answer_that_does_not_fit_changes_nothing() {
    let mut plan = MxPlan::new(Host::new("example.org").unwrap(), OwnHosts::NONE, 0);
    assert!(plan.answer(MxAnswer::Addresses(&[])).is_err());
    assert_eq!(plan.step(), MxStep::Query(MxQuery::Exchanges("example.org")));
    plan.answer(MxAnswer::Exchanges(&[(0, ".")])).unwrap();
    assert!(plan.answer(MxAnswer::DoesNotExist).is_err());
    assert_eq!(plan.step(), MxStep::End(NoRoute::NullMx));
}

/// One of a few names, so that zones have circles and names that occur twice.
fn name() -> impl Strategy<Value = String> {
    prop::sample::select(vec![
        ".",
        "a",
        "b.example",
        "B.example.",
        "c.example",
        "d.example",
        "x y",
        "",
    ])
    .prop_map(str::to_owned)
}

fn address() -> impl Strategy<Value = IpAddr> {
    (0..6_u8, any::<bool>()).prop_map(|(last, mapped)| {
        let address = Ipv4Addr::new(192, 0, 2, last);
        if mapped { address.to_ipv6_mapped().into() } else { address.into() }
    })
}

fn zone() -> impl Strategy<Value = Zone> {
    (
        prop::collection::hash_map(name(), prop::collection::vec((0..4_u16, name()), 0..20), 0..4),
        prop::collection::hash_map(name(), prop::collection::vec(address(), 0..5), 0..6),
        prop::collection::hash_map(name(), name(), 0..2),
        prop::collection::hash_set(name(), 0..3),
        prop::collection::hash_set(name(), 0..2),
    )
        .prop_map(|(exchanges, addresses, aliases, empty, failing)| Zone {
            exchanges,
            addresses,
            aliases,
            empty,
            failing,
        })
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(4000))]
    #[test]
    fn a_plan_ends_and_gives_each_address_once(
        zone in zone(),
        seed in any::<u64>(),
        own in prop::collection::vec(name(), 0..2),
        own_addresses in prop::collection::vec(address(), 0..2),
    ) {
        let names: Vec<&str> = own.iter().map(String::as_str).collect();
        let own = OwnHosts { names: &names, addresses: &own_addresses };
        let plan = MxPlan::new(Host::new("b.example").unwrap(), own, seed);
        let (targets, end, questions) = run(plan, &zone);
        prop_assert!(questions <= 41);
        let addresses: HashSet<IpAddr> = targets.iter().map(|target| target.2.to_canonical()).collect();
        prop_assert_eq!(addresses.len(), targets.len(), "an address twice");
        prop_assert!(targets.is_sorted_by_key(|target| target.1), "{:?}", targets);
        for own in &own_addresses {
            prop_assert!(!addresses.contains(&own.to_canonical()), "mail comes back to this host");
        }
        for (host, ..) in &targets {
            prop_assert!(!names.iter().any(|own| own.trim_end_matches('.').eq_ignore_ascii_case(host)));
        }
        if matches!(end, NoRoute::NullMx | NoRoute::DoesNotExist | NoRoute::Loop | NoRoute::Unusable) {
            prop_assert!(targets.is_empty());
        }
        prop_assert_eq!(end.is_permanent(), end.reply().code().number() >= 500);
    }
}

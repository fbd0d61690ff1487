//! Every contest by criterion:
//! `cargo bench -p ehlo-benches --features throughput --bench throughput [-- part of a name]`.

use std::hint::black_box;
use std::time::Duration;

use criterion::{Criterion, Throughput};
use ehlo_benches::CONTESTS;

fn main() {
    let mut criterion = Criterion::default()
        .warm_up_time(Duration::from_millis(300))
        .measurement_time(Duration::from_secs(1))
        .sample_size(20)
        .configure_from_args();
    for (name, build) in CONTESTS {
        let mut contest = build(name);
        let (bytes, elements) = (contest.bytes() as u64, contest.elements as u64);
        let mut group = criterion.benchmark_group(*name);
        group.throughput(Throughput::ElementsAndBytes { elements, bytes });
        for side in &mut contest.sides {
            group.bench_function(side.name, |bencher| bencher.iter(|| black_box(side.run())));
        }
        group.finish();
    }
    criterion.final_summary();
}

//! What it costs to find a connection, and to let one come and go, among 15 000.

use std::hint::black_box;

use criterion::{BatchSize, Criterion, criterion_group, criterion_main};
use gateway::benchmarks::{Crowd, id_of};

const CONNECTIONS: usize = 15_000;

fn registry(criterion: &mut Criterion) {
    let crowd = Crowd::gather(CONNECTIONS);
    let mut group = criterion.benchmark_group("registry of 15000");
    let mut number = 0;
    group.bench_function("look up", |bencher| {
        bencher.iter(|| {
            number = (number + 7919) % CONNECTIONS;
            assert!(crowd.has(black_box(&id_of(number))));
        });
    });
    group.bench_function("look up one that is gone", |bencher| {
        let id = id_of(CONNECTIONS);
        bencher.iter(|| assert!(!crowd.has(black_box(&id))));
    });
    group.bench_function("enter and leave", |bencher| {
        let id = id_of(CONNECTIONS);
        bencher.iter(|| crowd.come_and_go(black_box(id)));
    });
    group.sample_size(10).bench_function("gather all and leave", |bencher| {
        bencher.iter_batched(|| (), |()| drop(Crowd::gather(CONNECTIONS)), BatchSize::PerIteration);
    });
    group.finish();
}

criterion_group!(benches, registry);
criterion_main!(benches);

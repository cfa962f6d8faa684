//! Predicting cells, and building and opening the default benchmark.
//!
//! Warm, one thread for predictions, all cores for building; each figure is for all 423,624 cells, throughput for one.

use std::hint::black_box;
use std::ops::ControlFlow;
use std::path::Path;

use criterion::{Criterion, Throughput, criterion_group, criterion_main};
use ecnas::benchmark::Builder;
use ecnas::cell::{Cell, enumerate};
use ecnas::metrics::Budget;
use ecnas::query::RecipeQuery;
use ecnas::snapshot::{MappedBytes, Snapshot};
use ecnas::surrogate::Surrogate;

fn surrogate(c: &mut Criterion) {
    let cells: Vec<Cell> = enumerate(7, 9).collect();
    let surrogate = Surrogate::embedded();
    println!(
        "{} cells, {}, fitted with seed {}",
        cells.len(),
        surrogate.name(),
        surrogate.seed()
    );
    let mut group = c.benchmark_group("surrogate");
    group.throughput(Throughput::Elements(cells.len() as u64));
    group.sample_size(10);
    group.bench_function("predict all", |b| {
        b.iter(|| surrogate.predict_all(black_box(&cells)).len())
    });
    let predictions = surrogate.predict_all(&cells);
    let budget = Budget::epochs(108).unwrap();
    group.bench_function("figures at a budget", |b| {
        let figures = || {
            let all = predictions.iter().filter_map(|own| own.at(budget).ok());
            all.map(|own| own.energy_kwh.value).sum::<f64>()
        };
        b.iter(figures)
    });
    group.throughput(Throughput::Elements(cells.len().div_ceil(100) as u64));
    group.bench_function("one by one", |b| {
        b.iter(|| {
            for cell in cells.iter().step_by(100) {
                black_box(surrogate.predict(*cell));
            }
        })
    });
    group.throughput(Throughput::Elements(cells.len() as u64));
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("built.ecnas");
    group.bench_function("build the default benchmark", |b| {
        b.iter(|| {
            let builder = Builder::new(&path, surrogate, None).unwrap();
            builder.finish(|_| ControlFlow::Continue(())).unwrap().bytes
        })
    });
    group.finish();
    let bytes = std::fs::metadata(&path).unwrap().len();
    println!("the default benchmark: {bytes} bytes, in the page cache");

    let mut group = c.benchmark_group("default benchmark");
    group.throughput(Throughput::Bytes(bytes));
    group.bench_function("open a private copy, every byte verified", |b| {
        b.iter(|| Snapshot::open(black_box(&path)).unwrap())
    });
    group.bench_function("verify every structure too", |b| {
        let snapshot = Snapshot::open(&path).unwrap();
        b.iter(|| snapshot.verify().unwrap().trials)
    });
    group.bench_function("map", |b| b.iter(|| mapped(black_box(&path))));
    group.bench_function("map and find the best recipes with their edits", |b| {
        b.iter(|| {
            let snapshot = mapped(&path);
            let view = snapshot.only_table().unwrap().view(budget).unwrap();
            view.recipes(&RecipeQuery::default())
                .unwrap()
                .front()
                .unwrap()
                .len()
        })
    });
    group.finish();
}

#[allow(unsafe_code)]
fn mapped(path: &Path) -> Snapshot<MappedBytes> {
    // SAFETY: nobody else knows of the file, and it is not changed.
    unsafe { Snapshot::map(path).unwrap() }
}

criterion_group!(benches, surrogate);
criterion_main!(benches);

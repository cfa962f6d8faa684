//! Opening, look-ups, columns and verification of a sealed snapshot, beside a `HashMap` and the peers' usual way.
//!
//! `cargo bench --bench snapshot`; `ECNAS_BENCH_CELLS` sets the number of cells (default 100,000; 4 trials each).

mod common;

use std::collections::HashMap;

use criterion::{BatchSize, Criterion, Throughput};
use ecnas::cell::{Cell, CellHash};
use ecnas::metrics::{Budget, Metric, TableInfo};
use ecnas::query::{Loss, RecipeQuery, recipes};
use ecnas::snapshot::{Snapshot, SnapshotWriter};
use rand::SeedableRng;
use rand::rngs::StdRng;
use rand::seq::SliceRandom;

fn main() {
    let count = std::env::var("ECNAS_BENCH_CELLS").ok();
    let count: usize = count.and_then(|text| text.parse().ok()).unwrap_or(100_000);
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("synthetic.ecnas");
    let mut cells: Vec<(Cell, CellHash)> = ecnas::cell::enumerate(7, 9)
        .take(count)
        .map(|cell| (cell, cell.hash()))
        .collect();
    let mut writer = SnapshotWriter::create(&path).unwrap();
    let info = TableInfo {
        name: "synthetic".to_owned(),
        ..TableInfo::default()
    };
    writer.begin_table(info).unwrap();
    for trial in common::trials_from(cells.iter().copied()) {
        writer.add(&trial).unwrap();
    }
    let sealed = writer.finish().unwrap();
    println!(
        "seed {}, {count} cells x {:?} epochs, {} trials, {} bytes, warm",
        common::SEED,
        common::BUDGETS,
        sealed.trials,
        sealed.bytes
    );
    cells.shuffle(&mut StdRng::seed_from_u64(common::SEED));

    let mut criterion = Criterion::default().configure_from_args();
    open(&mut criterion, &path, sealed.bytes);

    // SAFETY: nothing changes the file while the benchmark runs.
    #[allow(unsafe_code)]
    let snapshot = unsafe { Snapshot::map(&path) }.unwrap();
    let table = snapshot.only_table().unwrap();
    let view = table.view(Budget::epochs(108).unwrap()).unwrap();
    let map: HashMap<CellHash, f64> = view
        .rows()
        .map(|row| (row.hash(), row.get(Metric::Energy).unwrap()))
        .collect();

    let mut group = criterion.benchmark_group("look-up, each depending on the last");
    let in_snapshot = |hash| {
        view.get(hash)
            .and_then(|row| row.get(Metric::Energy))
            .unwrap()
    };
    let in_map = |hash| map[&hash];
    let look_ups: [(&str, &dyn Fn(CellHash) -> f64); 2] = [
        ("snapshot, by hash", &in_snapshot),
        ("HashMap in memory", &in_map),
    ];
    for (name, look_up) in look_ups {
        let mut at = 0;
        group.bench_function(name, |bencher| {
            bencher.iter(|| {
                // The next key depends on this answer, so that reads do not overlap.
                let energy = look_up(cells[at].1);
                at = (at + 1 + (energy.to_bits() & 7) as usize) % cells.len();
            });
        });
    }
    let mut at = 0;
    let drawings: Vec<Cell> = map
        .keys()
        .take(1000)
        .filter_map(|&h| view.get(h)?.cell())
        .collect();
    group.bench_function("snapshot, by cell (hashes it)", |bencher| {
        bencher.iter(|| {
            at = (at + 1) % drawings.len();
            view.get(drawings[at]).unwrap().id()
        });
    });
    group.finish();

    let mut group = criterion.benchmark_group("read");
    group.bench_function("a row's trials with their checkpoints", |bencher| {
        let row = view.rows().next().unwrap();
        bencher.iter(|| {
            let trials = row.trials().map(|trial| trial.unwrap().checkpoints().len());
            trials.sum::<usize>()
        });
    });
    group.bench_function("open a view and borrow the energy column", |bencher| {
        bencher.iter_batched(
            || view.budget(),
            |budget| {
                table
                    .view(budget)
                    .unwrap()
                    .column(Metric::Energy)
                    .unwrap()
                    .len()
            },
            BatchSize::SmallInput,
        );
    });
    group.throughput(Throughput::Elements(count as u64));
    group.bench_function("sum of the energy column", |bencher| {
        bencher.iter(|| view.column(Metric::Energy).unwrap().iter().sum::<f64>());
    });
    group.finish();

    let mut group = criterion.benchmark_group("query");
    group.sample_size(10);
    let mut query = RecipeQuery::default();
    query.tolerated_loss = Loss::Absolute(0.001);
    let found = recipes(&view, &query).unwrap().recipes.len();
    group.bench_function(format!("recipes ({found} found, with edits)"), |bencher| {
        bencher.iter(|| recipes(&view, &query).unwrap().recipes.len());
    });
    group.finish();
    criterion.final_summary();
}

fn open(criterion: &mut Criterion, path: &std::path::Path, bytes: u64) {
    let mut group = criterion.benchmark_group("open");
    group.bench_function("mapped, quick", |bencher| {
        // SAFETY: nothing changes the file while the benchmark runs.
        #[allow(unsafe_code)]
        bencher.iter(|| unsafe { Snapshot::map(path) }.unwrap().tables().len());
    });
    group.sample_size(10);
    group.throughput(Throughput::Bytes(bytes));
    group.bench_function("private copy, verified", |bencher| {
        bencher.iter(|| Snapshot::open(path).unwrap().tables().len());
    });
    group.finish();
}

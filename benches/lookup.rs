//! Look-ups of all cells of the search space by hash, beside a `HashMap` and redb in the same run.
//!
//! `cargo bench --bench lookup`; `ECNAS_BENCH_CELLS` sets the number of cells (default 423,624: all of them; beyond that, random
//! hashes).

mod common;

use std::collections::HashMap;
use std::hint::black_box;

use criterion::{Criterion, Throughput};
use ecnas::cell::CellHash;
use ecnas::metrics::{Budget, Metric, TableInfo, Trial};
use ecnas::snapshot::{Snapshot, SnapshotWriter};
use rand::rngs::StdRng;
use rand::seq::SliceRandom;
use rand::{Rng, SeedableRng};
use redb::{Database, ReadableDatabase, TableDefinition};

const ROWS: TableDefinition<'_, [u8; 16], u32> = TableDefinition::new("rows");
const BATCH: usize = 1024;

fn main() {
    let count = std::env::var("ECNAS_BENCH_CELLS").ok();
    let count: usize = count.and_then(|text| text.parse().ok()).unwrap_or(423_624);
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("cells.ecnas");
    let mut writer = SnapshotWriter::create(&path).unwrap();
    let info = TableInfo {
        name: "cells".to_owned(),
        ..TableInfo::default()
    };
    writer.begin_table(info).unwrap();
    let budget = Budget::epochs(108).unwrap();
    let mut keys: Vec<CellHash> = Vec::new();
    let cells = ecnas::cell::enumerate(7, 9).map(|cell| (cell.hash(), Some(cell)));
    let mut random = StdRng::seed_from_u64(common::SEED);
    let more = std::iter::repeat_with(|| (CellHash::from_bytes(random.random()), None));
    for (number, (hash, cell)) in cells.chain(more).take(count).enumerate() {
        let mut trial = Trial::new(hash, budget, 1);
        trial.cell = cell;
        trial.totals.set(Metric::Energy, (number % 1000) as f64);
        writer.add(&trial).unwrap();
        keys.push(trial.hash);
    }
    let sealed = writer.finish().unwrap();
    println!(
        "seed {}, {count} cells, one trial each, {} bytes, all keys in random order",
        common::SEED,
        sealed.bytes
    );
    keys.shuffle(&mut StdRng::seed_from_u64(common::SEED));

    // SAFETY: nothing changes the file while the benchmark runs.
    #[allow(unsafe_code)]
    let snapshot = unsafe { Snapshot::map(&path) }.unwrap();
    let table = snapshot.only_table().unwrap();
    let view = table.view(budget).unwrap();
    let map: HashMap<CellHash, u32> = keys
        .iter()
        .map(|&hash| (hash, table.row(hash).unwrap().0))
        .collect();
    let database = Database::create(folder.path().join("cells.redb")).unwrap();
    let transaction = database.begin_write().unwrap();
    {
        let mut rows = transaction.open_table(ROWS).unwrap();
        for (hash, &row) in &map {
            rows.insert(hash.to_bytes(), row).unwrap();
        }
    }
    transaction.commit().unwrap();
    let transaction = database.begin_read().unwrap();
    let rows = transaction.open_table(ROWS).unwrap();

    let mut criterion = Criterion::default().configure_from_args();
    let copy = Snapshot::open(&path).unwrap();
    let in_copy = |hash: CellHash| copy.only_table().unwrap().row(hash).unwrap().0;
    let in_snapshot = |hash: CellHash| table.row(hash).unwrap().0;
    let in_map = |hash: CellHash| map[&hash];
    let in_redb = |hash: CellHash| rows.get(hash.to_bytes()).unwrap().unwrap().value();
    let by_view = |hash: CellHash| view.get(hash).unwrap().get(Metric::Energy).unwrap() as u32;
    let look_ups: [(&str, &dyn Fn(CellHash) -> u32); 5] = [
        ("snapshot, mapped: row", &in_snapshot),
        ("snapshot, private copy: row", &in_copy),
        ("HashMap: row", &in_map),
        ("redb: row", &in_redb),
        ("snapshot: energy", &by_view),
    ];
    let mut group = criterion.benchmark_group("each depending on the last");
    for (name, look_up) in look_ups {
        let mut at = 0;
        group.bench_function(name, |bencher| {
            bencher.iter(|| {
                // The next key depends on this answer, so that reads do not overlap.
                at += 1 + (look_up(keys[at]) & 7) as usize;
                if at >= keys.len() {
                    at -= keys.len();
                }
            });
        });
    }
    group.finish();

    let mut group = criterion.benchmark_group("batches of 1,024");
    group.throughput(Throughput::Elements(BATCH as u64));
    let batches: Vec<&[CellHash]> = keys.chunks_exact(BATCH).collect();
    let mut at = 0;
    let mut next = || {
        at = (at + 1) % batches.len();
        batches[at]
    };
    let mut found = Vec::new();
    group.bench_function("snapshot", |bencher| {
        bencher.iter(|| {
            found.clear();
            table.rows_into(next(), &mut found);
            found.len()
        });
    });
    group.bench_function("HashMap", |bencher| {
        bencher.iter(|| {
            found.clear();
            let rows = next().iter().map(|hash| map.get(hash).copied());
            found.extend(rows.map(|row| row.map(ecnas::snapshot::RowId)));
            found.len()
        });
    });
    group.finish();

    let mut group = criterion.benchmark_group("open");
    let hash = keys[0];
    group.bench_function("map, look a row up", |bencher| {
        bencher.iter(|| {
            // SAFETY: nothing changes the file while the benchmark runs.
            #[allow(unsafe_code)]
            let snapshot = unsafe { Snapshot::map(&path) }.unwrap();
            snapshot.only_table().unwrap().row(hash)
        });
    });
    group.bench_function("map, count within a bound", |bencher| {
        bencher.iter(|| {
            // SAFETY: nothing changes the file while the benchmark runs.
            #[allow(unsafe_code)]
            let snapshot = unsafe { Snapshot::map(&path) }.unwrap();
            let table = snapshot.only_table().unwrap();
            let view = table.view(budget).unwrap();
            let query = view.query().at_most(Metric::Energy, 300.0).unwrap();
            query.count().unwrap()
        });
    });
    let bytes = std::fs::read(&path).unwrap();
    let aligned = ecnas::snapshot::AlignedBytes::copy_from(&bytes);
    group.bench_function("both over bytes in memory", |bencher| {
        bencher.iter(|| {
            let snapshot = Snapshot::from_bytes(black_box(aligned.as_ref())).unwrap();
            let table = snapshot.only_table().unwrap();
            let view = table.view(budget).unwrap();
            let query = view.query().at_most(Metric::Energy, 300.0).unwrap();
            (table.row(hash), query.count().unwrap())
        });
    });
    group.bench_function("map, touch two pages, unmap (probe)", |bencher| {
        bencher.iter(|| ecnas_map(&path));
    });
    group.finish();
    criterion.final_summary();
}

/// Maps the file and reads its first and last byte.
fn ecnas_map(path: &std::path::Path) -> u8 {
    let file = std::fs::File::open(path).unwrap();
    // SAFETY: nothing changes the file while the benchmark runs.
    #[allow(unsafe_code)]
    let map = unsafe { memmap2::Mmap::map(&file) }.unwrap();
    map[0] ^ map[map.len() - 1]
}

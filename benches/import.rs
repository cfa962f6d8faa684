//! Import and export of EC-NAS TFRecords. Set `ECNAS_DATA`, or have the data in `../shared/data`.
//!
//! The file is the measured 4-vertex one over and over, with another budget each time: about 200 MB, in the page cache.

#[path = "../tests/common/mod.rs"]
mod common;

use std::fs::File;
use std::hint::black_box;
use std::io::{BufWriter, sink};

use criterion::{Criterion, Throughput, criterion_group, criterion_main};
use ecnas::import::tfrecord::{decode_record, encode_record, write_tfrecord};
use ecnas::import::{Import, ImportOptions};
use ecnas::metrics::{Budget, Trial};

const COPIES: u32 = 245;

fn import(c: &mut Criterion) {
    let Some(path) = common::data("ec-nas/energy_4V9E_4epochs.tfrecord") else {
        return;
    };
    let options = ImportOptions::default();
    let real: Vec<Trial> = Import::open(&path, &options)
        .and_then(|import| import.collect::<Result<Vec<_>, _>>())
        .map(|batches| batches.into_iter().flatten().collect())
        .expect("the released file can be read");

    let dir = tempfile::tempdir().expect("a temporary folder");
    let file = dir.path().join("large.tfrecord");
    let trials = (0..COPIES).flat_map(|copy| {
        real.iter().map(move |trial| {
            let mut trial = trial.clone();
            trial.budget = Budget::epochs(trial.budget.get() + 1000 * copy)?;
            Ok::<_, ecnas::metrics::BudgetError>(trial)
        })
    });
    let out = BufWriter::new(File::create(&file).expect("a temporary file"));
    let written = write_tfrecord(trials, out).expect("the file can be written");
    println!(
        "{} records, {} bytes, in the page cache",
        written.records, written.bytes
    );

    let mut group = c.benchmark_group("import");
    group.sample_size(10);
    let read = || {
        let import = Import::open(&file, &options).expect("the file can be opened");
        import.finish().expect("the file can be read").info
    };
    group.throughput(Throughput::Bytes(written.bytes));
    group.bench_function("tfrecord, bytes", |b| b.iter(read));
    group.throughput(Throughput::Elements(written.records));
    group.bench_function("tfrecord, records", |b| b.iter(read));
    group.finish();

    let mut group = c.benchmark_group("one thread");
    let payloads: Vec<_> = real
        .iter()
        .filter_map(|trial| encode_record(trial).ok())
        .collect();
    group.throughput(Throughput::Elements(real.len() as u64));
    group.bench_function("decode records", |b| {
        b.iter(|| {
            payloads
                .iter()
                .filter_map(|payload| decode_record(black_box(payload)).ok())
                .count()
        });
    });
    group.bench_function("write tfrecord", |b| {
        b.iter(|| write_tfrecord(real.iter().cloned().map(Ok::<_, std::fmt::Error>), sink()).ok());
    });
    group.finish();
}

criterion_group!(benches, import);
criterion_main!(benches);

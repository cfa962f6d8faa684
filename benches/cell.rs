//! Building, comparing, hashing, editing and enumerating cells.
//!
//! The cells are every 300th of the 359,082 with 7 vertices, warm, one thread;
//! each figure is for all of them, throughput for one.

use std::hint::black_box;

use criterion::{Criterion, Throughput, criterion_group, criterion_main};
use ecnas::cell::{Cell, Space, enumerate, hash_all};

fn sample() -> Vec<Cell> {
    let seven = enumerate(7, 9).filter(|cell| cell.graph().vertices() == 7);
    seven.step_by(300).collect()
}

fn cells(c: &mut Criterion) {
    let cells = sample();
    let texts: Vec<_> = cells
        .iter()
        .map(|cell| (cell.given().adjacency_bits(), cell.given().operations()))
        .collect();
    println!("{} cells of 7 vertices", cells.len());

    let mut group = c.benchmark_group("cell");
    group.throughput(Throughput::Elements(cells.len() as u64));
    group.bench_function("build and prune", |b| {
        b.iter(|| {
            for (adjacency, operations) in &texts {
                let _ = black_box(Cell::from_bits(adjacency, operations));
            }
        })
    });
    let mut each = |name: &str, run: fn(&Cell, &Cell) -> u64| {
        group.bench_function(name, |b| {
            b.iter(|| {
                for (cell, other) in cells.iter().zip(cells.iter().rev()) {
                    black_box(run(black_box(cell), black_box(other)));
                }
            })
        });
    };
    each("from code", |cell, _| {
        Cell::from_code(cell.code()).map_or(0, Cell::code)
    });
    each("hash", |cell, _| u64::from(cell.hash().to_bytes()[0]));
    each("canonical", |cell, _| cell.canonical().code());
    each("equality", |cell, other| u64::from(cell == other));
    each("trainable parameters", |cell, _| {
        cell.trainable_parameters()
    });
    each("macs", |cell, _| cell.macs().total());
    each("edit distance", |cell, other| {
        cell.edit_distance(other) as u64
    });
    each("edits", |cell, other| cell.edits_to(other).len() as u64);
    each("neighbours", |cell, _| cell.neighbours().len() as u64);
    group.finish();

    let mut group = c.benchmark_group("space");
    group.throughput(Throughput::Elements(423_624));
    group.bench_function("enumerate 7/9", |b| {
        b.iter(|| enumerate(7, 9).map(Cell::code).max())
    });
    let all: Vec<Cell> = enumerate(7, 9).collect();
    group.sample_size(10);
    group.bench_function("hash all, one core", |b| b.iter(|| hash_all(&all)));
    group.bench_function("hash all one by one, one core", |b| {
        b.iter(|| all.iter().map(Cell::hash).max())
    });
    group.bench_function("enumerate and hash all, all cores", |b| {
        b.iter(|| Space::new(7, 9).len())
    });
    group.finish();
}

criterion_group!(benches, cells);
criterion_main!(benches);

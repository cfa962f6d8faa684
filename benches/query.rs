//! Range and dominance queries at the size of the whole search space, beside a scan in the same run.
//!
//! `cargo bench --bench query`; `ECNAS_BENCH_CELLS` sets the number of cells (default 423,624: all of them).

mod common;

use std::hint::black_box;

use criterion::Criterion;
use ecnas::index::IndexBuilder;
use ecnas::metrics::{Budget, Metric};
use ecnas::snapshot::{RowId, View};

const SELECTIVITIES: [f64; 5] = [0.00001, 0.001, 0.01, 0.1, 0.5];

/// Boxes that about such a share of the rows lies in, at different places.
fn boxes(view: &View<'_>, share: f64) -> Vec<(f64, f64)> {
    let energy = sorted(view.column(Metric::Energy).unwrap());
    let accuracy = view.column(Metric::ValidationAccuracy).unwrap();
    let by_energy = |quantile: f64| energy[(quantile * (energy.len() - 1) as f64) as usize];
    (0..16)
        .map(|number| {
            // Bounds on the energy from just enough rows to all of them; the accuracy then is what leaves the share.
            let quantile = share + (1.0 - share) * (f64::from(number) + 1.0) / 17.0;
            let most = by_energy(quantile.max(share * 1.01));
            let rows = view.column(Metric::Energy).unwrap().iter().zip(accuracy);
            let left: Vec<f64> = rows.filter(|(e, _)| **e <= most).map(|(_, a)| *a).collect();
            let left = sorted(&left);
            let wanted = (share * energy.len() as f64) as usize;
            (most, left[left.len().saturating_sub(wanted.max(1))])
        })
        .collect()
}

fn sorted(values: &[f64]) -> Vec<f64> {
    let mut values: Vec<f64> = values.to_vec();
    values.sort_by(f64::total_cmp);
    values
}

fn main() {
    let cells = std::env::var("ECNAS_BENCH_CELLS").ok();
    let cells = cells.and_then(|text| text.parse().ok()).unwrap_or(423_624);
    let snapshot = common::sealed_columns(cells);
    let table = snapshot.only_table().unwrap();
    for (budget, sizes) in table.index_sizes().unwrap() {
        let bytes: usize = sizes.iter().map(|size| size.bytes).sum();
        println!(
            "index of {}: {:.1} bytes a row",
            budget.map_or("the table".to_owned(), |budget| budget.to_string()),
            bytes as f64 / cells as f64
        );
    }
    let mut criterion = Criterion::default().configure_from_args();
    for epochs in [108, 12] {
        let view = table.view(Budget::epochs(epochs).unwrap()).unwrap();
        ranges(&mut criterion, &view, epochs);
        best(&mut criterion, &view, epochs);
    }
    build(
        &mut criterion,
        &table.view(Budget::epochs(12).unwrap()).unwrap(),
    );
    criterion.final_summary();
}

fn ranges(criterion: &mut Criterion, view: &View<'_>, epochs: u32) {
    let energy = view.column(Metric::Energy).unwrap();
    let accuracy = view.column(Metric::ValidationAccuracy).unwrap();
    for share in SELECTIVITIES {
        let boxes = boxes(view, share);
        let mut group = criterion.benchmark_group(format!(
            "{epochs} epochs, energy x accuracy box of {} %",
            100.0 * share
        ));
        let mut at = 0;
        let mut next = || {
            at = (at + 1) % boxes.len();
            boxes[at]
        };
        let query = |(most, least): (f64, f64)| {
            let query = view.query().at_most(Metric::Energy, most).unwrap();
            query.at_least(Metric::ValidationAccuracy, least).unwrap()
        };
        group.bench_function("count", |b| {
            b.iter(|| query(next()).count().unwrap());
        });
        if share >= 0.001 {
            group.bench_function("row set", |b| {
                b.iter(|| query(next()).rows().unwrap());
            });
            let mut ids = Vec::new();
            group.bench_function("ids", |b| {
                b.iter(|| {
                    ids.clear();
                    query(next()).ids_into(&mut ids).unwrap();
                    ids.len()
                });
            });
            group.bench_function("ids by a scan", |b| {
                b.iter(|| {
                    let (most, least) = next();
                    ids.clear();
                    let rows = energy.iter().zip(accuracy).enumerate();
                    for (row, (&e, &a)) in rows {
                        if e <= most && a >= least {
                            ids.push(row as u32);
                        }
                    }
                    ids.len()
                });
            });
        }
        if share == 0.01 {
            let times = sorted(view.column(Metric::TrainingTime).unwrap());
            group.bench_function("three-way conjunction, row set", |b| {
                b.iter(|| {
                    let slow = times[times.len() / 3];
                    query(next())
                        .at_least(Metric::TrainingTime, slow)
                        .unwrap()
                        .rows()
                        .unwrap()
                });
            });
            let tests = sorted(view.column(Metric::TestAccuracy).unwrap());
            group.bench_function("three-way conjunction of paired metrics, row set", |b| {
                b.iter(|| {
                    let least = tests[tests.len() / 2];
                    query(next())
                        .at_least(Metric::TestAccuracy, least)
                        .unwrap()
                        .rows()
                        .unwrap()
                });
            });
        }
        if share == 0.1 {
            group.bench_function("one bound on accuracy, row set", |b| {
                b.iter(|| {
                    view.query()
                        .at_least(Metric::ValidationAccuracy, next().1)
                        .unwrap()
                        .rows()
                        .unwrap()
                });
            });
            let times = sorted(view.column(Metric::TrainingTime).unwrap());
            group.bench_function("one bound on time, row set", |b| {
                b.iter(|| {
                    view.query()
                        .at_most(Metric::TrainingTime, times[times.len() / 10])
                        .unwrap()
                        .rows()
                        .unwrap()
                });
            });
        }
        group.finish();
    }
}

fn best(criterion: &mut Criterion, view: &View<'_>, epochs: u32) {
    let mut group = criterion.benchmark_group(format!("{epochs} epochs, best"));
    let accuracies = sorted(view.column(Metric::ValidationAccuracy).unwrap());
    let energies = sorted(view.column(Metric::Energy).unwrap());
    let mut at = 0;
    let mut quantile = |values: &[f64]| {
        at = (at + 389) % 1000;
        values[values.len() * at / 1000]
    };
    group.bench_function("10 cheapest with accuracy >= a", |b| {
        b.iter(|| {
            let query = view
                .query()
                .at_least(Metric::ValidationAccuracy, quantile(&accuracies));
            query.unwrap().lowest(Metric::Energy, 10).unwrap()
        });
    });
    group.bench_function("10 most accurate with energy <= e", |b| {
        b.iter(|| {
            let query = view.query().at_most(Metric::Energy, quantile(&energies));
            query
                .unwrap()
                .highest(Metric::ValidationAccuracy, 10)
                .unwrap()
        });
    });
    group.bench_function("10 nearest to (energy, accuracy)", |b| {
        b.iter(|| {
            let wanted = [
                ("energy_kwh", quantile(&energies)),
                ("validation_accuracy", quantile(&accuracies)),
            ];
            view.query().nearest(&wanted, 10).unwrap()
        });
    });
    let mut row = 0;
    group.bench_function("values of a random row (probe)", |b| {
        b.iter(|| {
            row = (row + 7_654_321) % view.len();
            let row = view.at(RowId(row as u32)).unwrap();
            black_box((row.get(Metric::Energy), row.get(Metric::ValidationAccuracy)))
        });
    });
    group.finish();
}

fn build(criterion: &mut Criterion, view: &View<'_>) {
    let mut group = criterion.benchmark_group("build");
    group.sample_size(10);
    let columns = [
        Metric::Energy,
        Metric::ValidationAccuracy,
        Metric::TestAccuracy,
        Metric::TrainAccuracy,
        Metric::TrainingTime,
        Metric::Co2e,
    ];
    group.bench_function("all indexes of one budget, 2 cores", |b| {
        b.iter(|| {
            let mut builder = IndexBuilder::new(view.len());
            for metric in columns {
                builder = builder
                    .column(metric.name(), view.column(metric).unwrap())
                    .unwrap();
            }
            for accuracy in ["validation_accuracy", "test_accuracy"] {
                builder = builder.pair("energy_kwh", accuracy).unwrap();
            }
            builder.build().unwrap().as_ref().len()
        });
    });
    group.finish();
}

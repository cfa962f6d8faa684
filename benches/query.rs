//! Range and dominance queries at the size of the whole search space, beside a scan in the same run.
//!
//! `cargo bench --bench query`; `ECNAS_BENCH_CELLS` sets the number of cells (default 423,624: all of them).

mod common;

use std::hint::black_box;

use criterion::Criterion;
use ecnas::index::IndexBuilder;
use ecnas::metrics::{Budget, Metric};
use ecnas::pareto;
use ecnas::query::{Loss, Objective, RecipeQuery, Reference};
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
    let sizes = table.index_sizes().unwrap();
    for budget in std::iter::once(None).chain(table.budgets().map(Some)) {
        let own = sizes.iter().filter(|(own, _)| *own == budget);
        let bytes: usize = own.map(|(_, size)| size.bytes).sum();
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
        dominance(&mut criterion, &view, epochs);
        recipes(&mut criterion, &view, epochs);
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

fn dominance(criterion: &mut Criterion, view: &View<'_>, epochs: u32) {
    let mut group = criterion.benchmark_group(format!("{epochs} epochs, dominance"));
    let usual = view
        .dominance([Objective::ENERGY, Objective::VALIDATION_ACCURACY])
        .unwrap();
    let energies = sorted(view.column(Metric::Energy).unwrap());
    let accuracies = sorted(view.column(Metric::ValidationAccuracy).unwrap());
    let points: Vec<[f64; 2]> = (0..997)
        .map(|number| {
            let at =
                |values: &[f64], step: usize| values[values.len() * (number * step % 997) / 997];
            [at(&energies, 389), at(&accuracies, 611)]
        })
        .collect();
    let mut at = 0;
    let mut next = || {
        at = (at + 1) % points.len();
        points[at]
    };
    group.bench_function("is a point dominated", |b| {
        b.iter(|| usual.is_dominated(next()));
    });
    group.bench_function("how many rows dominate a point", |b| {
        b.iter(|| usual.dominator_count(next()));
    });
    group.bench_function("which rows dominate a point", |b| {
        b.iter(|| usual.dominators(next()));
    });
    println!("front of {} rows", usual.front().len());
    group.bench_function("front of the view (stored)", |b| {
        b.iter(|| black_box(&usual).front().len());
    });
    let mut row = 0;
    group.bench_function("non-domination rank of a row (stored)", |b| {
        b.iter(|| {
            row = (row + 7_654_321) % view.len();
            usual.layer(RowId(row as u32))
        });
    });
    let boxes = boxes(view, 0.1);
    let mut at = 0;
    group.bench_function("front inside a box of 10 % of the rows", |b| {
        b.iter(|| {
            at = (at + 1) % boxes.len();
            let (most, least) = boxes[at];
            let query = view.query().at_most(Metric::Energy, most).unwrap();
            let query = query.at_least(Metric::ValidationAccuracy, least).unwrap();
            usual.front_in(&query).unwrap()
        });
    });
    let bounds = usual.bounds().unwrap();
    group.bench_function("hypervolume", |b| {
        b.iter(|| usual.hypervolume(bounds.reference));
    });
    group.sample_size(10);
    let column = |metric| view.column(metric).unwrap();
    let costs: Vec<[f64; 3]> = column(Metric::Energy)
        .iter()
        .zip(column(Metric::ValidationAccuracy))
        .zip(column(Metric::TrainableParameters))
        .map(|((e, a), p)| [*e, -a, *p])
        .collect();
    let pairs: Vec<[f64; 2]> = costs.iter().map(|&[e, a, _]| [e, a]).collect();
    group.bench_function("front over 2 objectives, from nothing", |b| {
        b.iter(|| pareto::front(&pairs).len());
    });
    group.bench_function("front over 3 objectives, from nothing", |b| {
        b.iter(|| pareto::front(&costs).len());
    });
    group.bench_function("layers over 2 objectives, from nothing", |b| {
        b.iter(|| pareto::layers(&pairs).len());
    });
    group.finish();
}

fn recipes(criterion: &mut Criterion, view: &View<'_>, epochs: u32) {
    let mut group = criterion.benchmark_group(format!("{epochs} epochs, recipe"));
    let mut query = RecipeQuery::default();
    let search = view.recipes(&query).unwrap();
    let mut row = 0;
    group.bench_function("best for any row", |b| {
        b.iter(|| {
            row = (row + 7_654_321) % view.len();
            search.best_for(RowId(row as u32))
        });
    });
    query.tolerated_loss = Loss::Absolute(0.001);
    let good = view
        .query()
        .at_least(Metric::ValidationAccuracy, 0.9)
        .unwrap();
    let references: Vec<RecipeQuery> = good
        .sample(64, common::SEED)
        .unwrap()
        .into_iter()
        .map(|row| {
            let mut query = query.clone();
            query.reference = Reference::Cell(view.at(row).unwrap().hash());
            query
        })
        .collect();
    let found: usize = references
        .iter()
        .map(|q| view.recipes(q).unwrap().front().unwrap().len())
        .sum();
    let mut at = 0;
    let name = format!(
        "front of recipes with edits ({} on average)",
        found / references.len()
    );
    group.bench_function(name, |b| {
        b.iter(|| {
            at = (at + 1) % references.len();
            view.recipes(&references[at]).unwrap().front().unwrap()
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

//! Range queries against scans over the rows.

#[path = "common/model.rs"]
mod model;

use std::ops::Bound;

use ecnas::cell::{Cell, Feature};
use ecnas::index::{Interval, RowSet};
use ecnas::metrics::{Metric, Provenance, Provenances, TableInfo, Trial};
use ecnas::query::{Direction, Predicate, Query, QueryError};
use ecnas::snapshot::{AlignedBytes, Repeats, RowId, Snapshot, SnapshotWriter, View};
use model::budget;
use proptest::prelude::*;

const METRICS: [Metric; 5] = [
    Metric::Energy,
    Metric::ValidationAccuracy,
    Metric::TestAccuracy,
    Metric::TrainingTime,
    Metric::TotalTime, // has no index
];

/// At one budget: the values of a cell's trial; `None`: no trial.
type Values = Option<[Option<f64>; 5]>;

#[derive(Debug, Clone)]
struct Row {
    drawn: bool,
    budgets: [Values; 2],
}

fn sealed(rows: &[Row]) -> Snapshot {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("t.ecnas");
    let mut writer = SnapshotWriter::create(&path).unwrap();
    let info = TableInfo {
        name: "t".to_owned(),
        provenance: Provenances::uniform(Provenance::Measured)
            .with_results(&[Metric::TrainingTime], &Provenance::Scaled),
        ..TableInfo::default()
    };
    writer.begin_table(info).unwrap();
    for (cell, row) in ecnas::cell::enumerate(6, 9).zip(rows) {
        for (epochs, values) in [4, 108].into_iter().zip(&row.budgets) {
            let Some(values) = values else { continue };
            let mut trial = Trial::new(cell.hash(), budget(epochs), 1);
            trial.cell = row.drawn.then_some(cell);
            for (metric, value) in METRICS.into_iter().zip(values) {
                trial.totals.set_some(metric, *value);
            }
            writer.add(&trial).unwrap();
        }
    }
    writer.finish().unwrap();
    Snapshot::from_bytes(AlignedBytes::copy_from(&std::fs::read(path).unwrap())).unwrap()
}

fn value() -> impl Strategy<Value = Option<f64>> {
    prop_oneof![
        8 => (0..10_i32).prop_map(|value| Some(f64::from(value) / 8.0)),
        8 => (0..10_000_i32).prop_map(|value| Some(f64::from(value) / 7919.0)),
        1 => prop::sample::select(vec![f64::NAN, f64::INFINITY, f64::NEG_INFINITY, -0.0, 5e-324]).prop_map(Some),
        1 => Just(None),
    ]
}

fn rows() -> impl Strategy<Value = Vec<Row>> {
    let values = || {
        prop_oneof![
            7 => prop::array::uniform5(value()).prop_map(Some),
            1 => Just(None),
        ]
    };
    let row = (prop::bool::weighted(0.9), [values(), values()])
        .prop_map(|(drawn, budgets)| Row { drawn, budgets });
    prop_oneof![
        3 => prop::collection::vec(row.clone(), 0..80),
        1 => prop::collection::vec(row, 1_500..3_000),
    ]
}

fn interval() -> impl Strategy<Value = Interval> {
    let number = prop_oneof![
        (0..10_i32).prop_map(|value| f64::from(value) / 8.0),
        (0..10_000_i32).prop_map(|value| f64::from(value) / 7919.0),
        prop::sample::select(vec![f64::INFINITY, f64::NEG_INFINITY, 0.0]),
    ];
    let bound = (number, 0..3_u8).prop_map(|(number, kind)| match kind {
        0 => Bound::Included(number),
        1 => Bound::Excluded(number),
        _ => Bound::Unbounded,
    });
    (bound.clone(), bound).prop_map(|bounds| Interval::new(bounds).unwrap())
}

/// What is asked, as data, so that a scan can answer it too.
#[derive(Debug, Clone)]
struct Question {
    bounds: Vec<(Metric, Interval)>,
    feature: Option<(Feature, u8, u8)>,
    among: Option<Vec<bool>>,
}

fn question() -> impl Strategy<Value = Question> {
    let bounds = prop::collection::vec((prop::sample::select(METRICS.to_vec()), interval()), 0..4);
    let feature = (
        prop::sample::select(Feature::ALL.to_vec()),
        0..6_u8,
        0..6_u8,
    );
    let among = prop::collection::vec(any::<bool>(), 0..3_000);
    (
        bounds,
        prop::option::weighted(0.3, feature),
        prop::option::weighted(0.2, among),
    )
        .prop_map(|(bounds, feature, among)| Question {
            bounds,
            feature,
            among,
        })
}

impl Question {
    fn set(&self) -> Option<RowSet> {
        let among = self.among.as_ref()?.iter().enumerate();
        let among = among.filter(|(_, among)| **among);
        Some(among.map(|(row, _)| RowId(row as u32)).collect())
    }

    /// The query; `None` where the view lacks a column.
    fn ask<'v, 's>(&self, view: &'v View<'s>) -> Option<Query<'v, 's>> {
        let mut query = view.query();
        for &(metric, interval) in &self.bounds {
            query = match query.within(metric, interval) {
                Ok(query) => query,
                Err(QueryError::Snapshot(_)) => return None,
                Err(error) => panic!("{error}"),
            };
        }
        if let Some((feature, least, most)) = self.feature {
            query = query.structure(feature, least..=most);
        }
        if let Some(set) = self.set() {
            query = query.among(&set);
        }
        Some(query)
    }

    fn holds(&self, row: ecnas::snapshot::Row<'_, '_>) -> bool {
        let bounds = self.bounds.iter().all(|(metric, interval)| {
            row.get(*metric)
                .is_some_and(|value| interval.contains(value))
        });
        let feature = self.feature.is_none_or(|(feature, least, most)| {
            row.cell()
                .is_some_and(|cell| (least..=most).contains(&cell.feature(feature)))
        });
        let among = self.among.as_ref();
        let among = among.is_none_or(|among| among.get(row.id().index()) == Some(&true));
        bounds && feature && among
    }

    fn scan(&self, view: &View<'_>) -> Vec<u32> {
        let rows = view.rows().filter(|row| self.holds(*row));
        rows.map(|row| row.id().0).collect()
    }
}

fn ids(rows: &[RowId]) -> Vec<u32> {
    rows.iter().map(|row| row.0).collect()
}

/// Rows by value; ties by row.
fn sorted(view: &View<'_>, rows: &[u32], metric: Metric, direction: Direction) -> Vec<u32> {
    let value = |row: u32| view.at(RowId(row)).unwrap().get(metric);
    let mut rows: Vec<u32> = rows
        .iter()
        .copied()
        .filter(|&row| value(row).is_some())
        .collect();
    rows.sort_by(|&a, &b| {
        let values = value(a).partial_cmp(&value(b)).unwrap();
        match direction {
            Direction::Minimize => values,
            Direction::Maximize => values.reverse(),
        }
    });
    rows
}

fn policies() -> impl Strategy<Value = Repeats> {
    prop::sample::select(vec![Repeats::Mean, Repeats::Given(1), Repeats::Given(2)])
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(120))]

    #[test]
    fn queries_find_what_a_scan_finds(
        rows in rows(),
        questions in prop::collection::vec(question(), 1..6),
        policy in policies(),
        by in prop::sample::select(METRICS.to_vec()),
        direction in prop::sample::select(vec![Direction::Minimize, Direction::Maximize]),
        page in (0..40_usize, 0..40_usize),
    ) {
        let snapshot = sealed(&rows);
        let table = snapshot.only_table().unwrap();
        for view in table.budgets().map(|budget| table.view_with(budget, policy).unwrap()) {
            for question in &questions {
                let Some(query) = question.ask(&view) else { continue };
                let expected = question.scan(&view);
                prop_assert_eq!(query.count().unwrap(), expected.len());
                prop_assert_eq!(query.exists().unwrap(), !expected.is_empty());
                prop_assert_eq!(query.rows().unwrap().to_vec(), expected.clone());
                prop_assert_eq!(query.ids().unwrap(), expected.clone());
                let mut appended = vec![7];
                query.ids_into(&mut appended).unwrap();
                prop_assert_eq!(&appended[1..], &expected);
                prop_assert_eq!(query.explain().unwrap().rows, expected.len());
                if view.column(by).is_err() {
                    prop_assert!(query.ordered(by, direction).is_err());
                    continue;
                }
                let in_order = sorted(&view, &expected, by, direction);
                let found: Vec<u32> = query.ordered(by, direction).unwrap().map(|row| row.0).collect();
                prop_assert_eq!(&found, &in_order);
                let (start, len) = page;
                let expected_page: Vec<u32> = in_order.iter().copied().skip(start).take(len).collect();
                prop_assert_eq!(ids(&query.page(by, direction, start, len).unwrap()), expected_page);
                let best = match direction {
                    Direction::Minimize => query.lowest(by, len),
                    Direction::Maximize => query.highest(by, len),
                };
                let expected_best: Vec<u32> = in_order.iter().copied().take(len).collect();
                prop_assert_eq!(ids(&best.unwrap()), expected_best);
            }
        }
    }

    #[test]
    fn the_nearest_rows_are_those_of_a_scan(
        rows in rows(),
        question in question(),
        wanted in (0.0..1.2_f64, 0.0..1.2_f64),
        bounded in any::<bool>(),
        k in 0..20_usize,
    ) {
        let snapshot = sealed(&rows);
        let table = snapshot.only_table().unwrap();
        for view in table.budgets().map(|budget| table.view(budget).unwrap()) {
            let query = if bounded { question.ask(&view) } else { Some(view.query()) };
            let Some(query) = query else { continue };
            let columns = [Metric::Energy, Metric::ValidationAccuracy].map(|metric| view.column(metric));
            let [Ok(energy), Ok(accuracy)] = columns else { continue };
            let spread = |values: &[f64]| {
                let finite: Vec<f64> = values.iter().copied().filter(|value| value.is_finite()).collect();
                let least = finite.iter().copied().fold(f64::INFINITY, f64::min);
                let greatest = finite.iter().copied().fold(f64::NEG_INFINITY, f64::max);
                if greatest > least { greatest - least } else { 1.0 }
            };
            let (dx, dy) = (spread(energy), spread(accuracy));
            let mut expected: Vec<(f64, u32)> = (0..view.len() as u32)
                .filter(|&row| {
                    !bounded || question.holds(view.at(RowId(row)).unwrap())
                })
                .map(|row| {
                    let x = (energy[row as usize] - wanted.0).abs() / dx;
                    let y = (accuracy[row as usize] - wanted.1).abs() / dy;
                    ((x * x + y * y).sqrt(), row)
                })
                .filter(|(distance, _)| distance.is_finite())
                .collect();
            expected.sort_by(|a, b| a.partial_cmp(b).unwrap());
            expected.truncate(k);
            let point = [("energy_kwh", wanted.0), ("validation_accuracy", wanted.1)];
            let found = query.nearest(&point, k).unwrap();
            let found: Vec<(f64, u32)> = found.into_iter().map(|(row, distance)| (distance, row.0)).collect();
            prop_assert_eq!(found, expected);
        }
    }

    #[test]
    fn samples_are_distinct_rows_of_the_answer(rows in rows(), question in question(), k in 0..50_usize, seed in any::<u64>()) {
        let snapshot = sealed(&rows);
        let table = snapshot.only_table().unwrap();
        for view in table.budgets().map(|budget| table.view(budget).unwrap()) {
            let Some(query) = question.ask(&view) else { continue };
            let expected = question.scan(&view);
            let sample = ids(&query.sample(k, seed).unwrap());
            prop_assert_eq!(sample.len(), k.min(expected.len()));
            prop_assert!(sample.is_sorted_by(|a, b| a < b));
            prop_assert!(sample.iter().all(|row| expected.contains(row)));
            prop_assert_eq!(ids(&query.sample(k, seed).unwrap()), sample);
        }
    }

    #[test]
    fn predicates_are_read_as_they_are_written(metric in prop::sample::select(METRICS.to_vec()), interval in interval()) {
        // One bound, or an equation: what a predicate can say.
        let predicate = Predicate::Within { column: metric.name().into(), interval };
        let text = predicate.to_string();
        if text.matches('<').count() <= 1 && !text.ends_with(metric.name()) && !text.starts_with(char::is_numeric) && !text.starts_with(['-', 'i']) {
            prop_assert_eq!(text.parse::<Predicate>().unwrap(), predicate);
        }
    }
}

/// A table of the first 40 cells: energy ascends, accuracy has ties, the last cell is known by its hash alone.
fn small() -> Snapshot {
    let rows: Vec<Row> = (0..40_u32)
        .map(|number| {
            let energy = f64::from(number) / 100.0;
            let accuracy = 0.9 + f64::from(number % 5) / 100.0;
            let values = [
                Some(energy),
                Some(accuracy),
                None,
                Some(10.0 * energy),
                Some(1.0),
            ];
            Row {
                drawn: number != 39,
                budgets: [Some(values), (number < 20).then_some(values)],
            }
        })
        .collect();
    sealed(&rows)
}

#[test]
fn conditions_on_structure_provenance_and_sets() {
    let snapshot = small();
    let (short, long) = (
        snapshot.view("t", budget(4)).unwrap(),
        snapshot.view("t", budget(108)).unwrap(),
    );
    assert_eq!(
        (
            short.query().count().unwrap(),
            long.query().count().unwrap()
        ),
        (40, 20)
    );
    let cells: Vec<Cell> = ecnas::cell::enumerate(6, 9).take(39).collect();
    let with = |feature: Feature, value: u8| {
        cells
            .iter()
            .filter(|cell| cell.feature(feature) == value)
            .count()
    };
    for feature in Feature::ALL {
        for value in 0..6 {
            let found = short.query().structure(feature, value..=value);
            assert_eq!(
                found.count().unwrap(),
                with(feature, value),
                "{feature:?} {value}"
            );
        }
    }
    let measured = |metric| {
        short
            .query()
            .provenance(metric, &Provenance::Measured)
            .unwrap()
            .count()
            .unwrap()
    };
    assert_eq!(
        (measured(Metric::Energy), measured(Metric::TrainingTime)),
        (40, 0)
    );
    // Sets of two budgets can be cut: rows have the same numbers.
    let cheap = short
        .query()
        .at_most(Metric::Energy, 0.1)
        .unwrap()
        .rows()
        .unwrap();
    let good = long
        .query()
        .at_least(Metric::ValidationAccuracy, 0.94)
        .unwrap();
    assert_eq!(
        (&cheap & &good.rows().unwrap()).len(),
        good.among(&cheap).count().unwrap()
    );
    let dear = &short.row_set() - &cheap;
    assert_eq!((cheap.len(), dear.len()), (11, 29));
}

#[test]
fn predicates_in_words() {
    let snapshot = small();
    let view = snapshot.view("t", budget(4)).unwrap();
    let count = |texts: &[&str]| {
        let mut query = view.query();
        for text in texts {
            query = query.matching(&text.parse::<Predicate>()?)?;
        }
        query.count()
    };
    assert_eq!(count(&["energy_kwh <= 0.1"]).unwrap(), 11);
    assert_eq!(count(&["energy_kwh<0.1"]).unwrap(), 10);
    assert_eq!(
        count(&["energy_kwh>0.1", "energy_kwh<=0.2", "total_time_s=1"]).unwrap(),
        10
    );
    assert_eq!(count(&["energy_kwh==0.1"]).unwrap(), 1);
    assert_eq!(count(&["energy_kwh=measured"]).unwrap(), 40);
    assert_eq!(count(&["energy_kwh=predicted by an oracle"]).unwrap(), 0);
    assert_eq!(
        count(&["vertices<=3"]).unwrap(),
        count(&["vertices<4"]).unwrap()
    );
    assert_eq!(count(&["vertices>300"]).unwrap(), 0);
    for (text, expected) in [
        ("energy_kwh", "expected a name, one of"),
        ("<=3", "expected a name before"),
        ("energy_kwh<=much", "expected a number"),
        ("energy_kwh<=NaN", "expected a number"),
        ("energy_kwh=", "expected a number"),
        ("vertices=many", "expected a number"),
        ("power<=3", "has no column `power`"),
    ] {
        let error = count(&[text]).unwrap_err().to_string();
        assert!(error.contains(expected), "{text}: {error}");
    }
    let error = view.query().at_most(Metric::Energy, f64::NAN).unwrap_err();
    assert!(error.to_string().contains("found NaN"), "{error}");
    let error = view
        .query()
        .nearest(&[("energy_kwh", f64::INFINITY)], 1)
        .unwrap_err();
    assert!(error.to_string().contains("finite"), "{error}");
}

#[test]
fn a_query_says_how_it_was_answered() {
    let snapshot = small();
    let (short, long) = (
        snapshot.view("t", budget(4)).unwrap(),
        snapshot.view("t", budget(108)).unwrap(),
    );
    let structures = |query: Query<'_, '_>| -> Vec<&'static str> {
        let steps = query.explain().unwrap().steps;
        steps.iter().map(|step| step.structure).collect()
    };
    let boxed = |view| -> Query<'_, '_> {
        let view: &View<'_> = view;
        view.query()
            .at_most(Metric::Energy, 0.15)
            .unwrap()
            .at_least(Metric::ValidationAccuracy, 0.92)
            .unwrap()
    };
    assert_eq!(
        structures(short.query().at_most(Metric::Energy, 0.1).unwrap()),
        ["rank order"]
    );
    assert_eq!(structures(boxed(&short)), ["grid"]);
    assert_eq!(
        structures(boxed(&long).at_least(Metric::TotalTime, 0.0).unwrap()),
        ["row order", "codes", "values"]
    );
    assert_eq!(
        structures(short.query().at_least(Metric::TotalTime, 0.0).unwrap()),
        ["scan"]
    );
    let text = boxed(&short).explain().unwrap().to_string();
    assert!(
        text.contains("energy_kwh<=0.15 and validation_accuracy>=0.92"),
        "{text}"
    );
}

//! Recipes against double loops.

#[path = "common/model.rs"]
mod model;

use ecnas::carbon::Site;
use ecnas::cell::{Cell, CellHash};
use ecnas::metrics::{Metric, TableInfo, Trial};
use ecnas::query::{
    Direction, Loss, Objective, RecipeError, RecipeQuery, RecipeSearch, Reference, Tolerance,
    recipes,
};
use ecnas::snapshot::{AlignedBytes, Repeats, RowId, Snapshot, SnapshotWriter, View};
use model::budget;
use proptest::prelude::*;

/// Energy, accuracy, training time.
const METRICS: [Metric; 3] = [
    Metric::Energy,
    Metric::ValidationAccuracy,
    Metric::TrainingTime,
];

type Values = [Option<f64>; 3];

/// Of a cell: at two budgets of table `a`, and of table `b`, if it is there.
#[derive(Debug, Clone)]
struct Row {
    drawn: bool,
    a: [Values; 2],
    b: Option<Values>,
}

fn cells(count: usize) -> Vec<Cell> {
    ecnas::cell::enumerate(5, 9).take(count).collect()
}

fn sealed(rows: &[Row]) -> Snapshot {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("t.ecnas");
    let mut writer = SnapshotWriter::create(&path).unwrap();
    let trial = |cell: Cell, epochs: u32, row: &Row, values: &Values| {
        let mut trial = Trial::new(cell.hash(), budget(epochs), 1);
        trial.cell = row.drawn.then_some(cell);
        for (metric, value) in METRICS.into_iter().zip(values) {
            trial.totals.set_some(metric, *value);
        }
        trial
    };
    for name in ["a", "b"] {
        let info = TableInfo {
            name: name.to_owned(),
            pue: Some(1.59),
            ..TableInfo::default()
        };
        writer.begin_table(info).unwrap();
        for (cell, row) in cells(rows.len()).into_iter().zip(rows) {
            if name == "a" {
                writer.add(&trial(cell, 4, row, &row.a[0])).unwrap();
                writer.add(&trial(cell, 108, row, &row.a[1])).unwrap();
            } else if let Some(values) = &row.b {
                writer.add(&trial(cell, 4, row, values)).unwrap();
            }
        }
    }
    writer.finish().unwrap();
    Snapshot::from_bytes(AlignedBytes::copy_from(&std::fs::read(path).unwrap())).unwrap()
}

fn rows() -> impl Strategy<Value = Vec<Row>> {
    let value = |special: Vec<f64>| {
        prop_oneof![
            12 => (0..12_i32).prop_map(|value| Some(f64::from(value) / 8.0)),
            12 => (0..500_i32).prop_map(|value| Some(f64::from(value) / 64.0)),
            1 => prop::sample::select(special).prop_map(Some),
            1 => Just(None),
        ]
    };
    let values = move || {
        let energy = value(vec![f64::NAN, f64::INFINITY, -0.0, 5e-324]);
        let accuracy = value(vec![f64::NAN, -0.0, 1.0]);
        let time = value(vec![f64::NAN, f64::INFINITY]);
        (energy, accuracy, time).prop_map(|(energy, accuracy, time)| [energy, accuracy, time])
    };
    let row = (
        prop::bool::weighted(0.9),
        [values(), values()],
        prop::option::weighted(0.8, values()),
    )
        .prop_map(|(drawn, a, b)| Row { drawn, a, b });
    prop::collection::vec(row, 1..80)
}

fn loss() -> impl Strategy<Value = Loss> {
    prop_oneof![
        (0..6_u32).prop_map(|loss| Loss::Absolute(f64::from(loss) / 8.0)),
        (0..6_u32).prop_map(|loss| Loss::Relative(f64::from(loss) / 8.0)),
    ]
}

/// Whether a value is no worse than the reference's but for the loss.
fn is_as_good(value: f64, reference: f64, loss: Loss, direction: Direction) -> bool {
    let loss = match loss {
        Loss::Absolute(loss) => loss,
        // Nothing of an infinite value is nothing.
        Loss::Relative(0.0) => 0.0,
        Loss::Relative(loss) => loss * reference.abs(),
    };
    match direction {
        Direction::Minimize => value <= reference + loss,
        Direction::Maximize => value >= reference - loss,
    }
}

/// A cell's values in a view, by `Row::get`.
fn values(view: &View<'_>, hash: CellHash) -> Option<[Option<f64>; 3]> {
    let row = view.get(hash)?;
    Some(METRICS.map(|metric| row.get(metric)))
}

/// Whether a cell is a recipe in a view.
fn holds(view: &View<'_>, query: &RecipeQuery, hash: CellHash, reference: &[f64; 3]) -> bool {
    let Some([Some(energy), Some(accuracy), time]) = values(view, hash) else {
        return false;
    };
    let further = query.tolerances.iter().all(|tolerance| {
        // Time is the only further metric here.
        time.is_some_and(|time| {
            is_as_good(
                time,
                reference[2],
                tolerance.loss,
                tolerance.objective.direction,
            )
        })
    });
    energy < reference[0]
        && is_as_good(
            accuracy,
            reference[1],
            query.tolerated_loss,
            Direction::Maximize,
        )
        && further
}

fn dominates(a: (f64, f64), b: (f64, f64)) -> bool {
    a.0 <= b.0 && a.1 >= b.1 && (a.0 < b.0 || a.1 > b.1)
}

/// The reference's values in a view; `None` where it lacks one that is asked for.
fn reference_in(view: &View<'_>, query: &RecipeQuery, hash: CellHash) -> Option<[f64; 3]> {
    let [energy, accuracy, time] = values(view, hash)?;
    let time = if query.tolerances.is_empty() {
        Some(f64::NAN)
    } else {
        time
    };
    Some([energy?, accuracy?, time?])
}

fn check(
    search: &RecipeSearch<'_, '_>,
    views: &[&View<'_>],
    query: &RecipeQuery,
    references: &[[f64; 3]],
    from: Option<Cell>,
) -> Result<(), TestCaseError> {
    let view = views[0];
    let complete: Vec<(RowId, CellHash, f64, f64)> = view
        .rows()
        .filter_map(|row| {
            Some((
                row.id(),
                row.hash(),
                row.get(Metric::Energy)?,
                row.get(Metric::ValidationAccuracy)?,
            ))
        })
        .collect();
    let mut expected: Vec<_> = complete
        .iter()
        .filter(|(row, hash, ..)| {
            let near = query.most_edits.is_none_or(|most| {
                from.zip(view.at(*row).unwrap().cell())
                    .is_some_and(|(from, to)| from.edits_to(&to).len() <= most)
            });
            near && views
                .iter()
                .zip(references)
                .all(|(view, reference)| holds(view, query, *hash, reference))
        })
        .copied()
        .collect();
    expected.sort_by(|a, b| {
        a.2.partial_cmp(&b.2)
            .unwrap()
            .then(b.3.partial_cmp(&a.3).unwrap())
            .then(a.0.cmp(&b.0))
    });
    let ids: Vec<RowId> = expected.iter().map(|point| point.0).collect();
    prop_assert_eq!(search.rows().unwrap(), ids.clone());
    prop_assert_eq!(
        search.best().unwrap().map(|row| (
            view.at(row).unwrap().get(Metric::Energy),
            view.at(row).unwrap().get(Metric::ValidationAccuracy)
        )),
        expected.first().map(|best| (Some(best.2), Some(best.3)))
    );
    let front: Vec<RowId> = expected
        .iter()
        .filter(|own| {
            !expected
                .iter()
                .any(|other| dominates((other.2, other.3), (own.2, own.3)))
        })
        .map(|point| point.0)
        .collect();
    let found = search.front().unwrap();
    prop_assert!(found.iter().all(|recipe| recipe.on_front));
    prop_assert_eq!(
        found.iter().map(|recipe| recipe.row).collect::<Vec<_>>(),
        front.clone()
    );

    let book = search.book().unwrap();
    prop_assert_eq!(
        (book.reference.energy_kwh, book.reference.accuracy),
        (references[0][0], references[0][1])
    );
    prop_assert_eq!(
        (book.compared, book.missing),
        (complete.len(), view.rows().count() - complete.len())
    );
    prop_assert_eq!(book.recipes.len(), expected.len());
    for (recipe, (row, hash, energy, accuracy)) in book.recipes.iter().zip(expected) {
        prop_assert_eq!(
            (recipe.row, recipe.hash, recipe.energy_kwh, recipe.accuracy),
            (row, hash, energy, accuracy)
        );
        prop_assert_eq!(recipe.on_front, front.contains(&row));
        prop_assert_eq!(recipe.accuracy_change, accuracy - references[0][1]);
        let near = |a: f64, b: f64| (a - b).abs() < 1e-9 || a == b || (a.is_nan() && b.is_nan());
        if references[0][0].is_finite() {
            prop_assert!(near(
                recipe.saving,
                (references[0][0] - energy) / references[0][0]
            ));
            prop_assert!(near(
                recipe.co2e_saved_g,
                (references[0][0] - energy) * 100.0 / 1.59 * 1.2
            ));
        }
        prop_assert!(near(recipe.co2e_g, energy * 100.0 / 1.59 * 1.2));
        let time = view.at(row).unwrap().get(Metric::TrainingTime);
        prop_assert_eq!(recipe.training_time_s, time);
        if let (Some(time), Some(own)) = (book.reference.training_time_s, time) {
            prop_assert!(near(recipe.time_saving.unwrap(), 1.0 - own / time));
        } else {
            prop_assert_eq!(recipe.time_saving, None);
        }
        match from.zip(view.at(row).unwrap().cell()) {
            Some((from, to)) => {
                prop_assert_eq!(recipe.edits.as_ref().unwrap(), &from.edits_to(&to))
            }
            None => prop_assert!(recipe.edits.is_none()),
        }
        prop_assert_eq!(recipe.elsewhere.len(), views.len() - 1);
        for ((other, view), reference) in recipe
            .elsewhere
            .iter()
            .zip(&views[1..])
            .zip(&references[1..])
        {
            let [energy, accuracy, _] = values(view, hash).unwrap();
            prop_assert_eq!(
                (other.table.as_str(), other.budget),
                (view.table().name(), view.budget())
            );
            prop_assert_eq!(
                (Some(other.energy_kwh), Some(other.accuracy)),
                (energy, accuracy)
            );
            prop_assert_eq!(other.accuracy_change, accuracy.unwrap() - reference[1]);
        }
    }
    Ok(())
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(400))]

    #[test]
    fn recipes_are_cheaper_and_as_good_everywhere(
        rows in rows(),
        tolerated_loss in loss(),
        time in prop::option::of(loss()),
        most_edits in prop::option::weighted(0.3, 0..6_usize),
        named in prop::option::of(any::<prop::sample::Index>()),
        point in prop::option::weighted(0.2, prop::array::uniform3(0.0..2.0_f64)),
        also in prop::array::uniform2(prop::bool::weighted(0.4)),
        policy in prop::sample::select(vec![Repeats::Mean, Repeats::Given(1)]),
    ) {
        let snapshot = sealed(&rows);
        let a = snapshot.table("a").unwrap();
        let [here, long] = [4, 108].map(|epochs| a.view_with(budget(epochs), policy).unwrap());
        let there = snapshot.table("b").unwrap().view(budget(4));
        let mut views = vec![&here];
        if also[0] {
            views.push(&long);
        }
        if let (true, Ok(there)) = (also[1], &there) {
            views.push(there);
        }
        for view in &views {
            for metric in METRICS {
                prop_assume!(view.column(metric).is_ok());
            }
        }
        let mut query = RecipeQuery::default();
        query.tolerated_loss = tolerated_loss;
        query.site = Site::new(100.0, Some(1.2)).unwrap();
        query.most_edits = most_edits;
        query.tolerances = time
            .map(|loss| Tolerance { objective: Objective::minimize(Metric::TrainingTime), loss })
            .into_iter()
            .collect();
        let hash = match (point, named) {
            (Some(point), _) => {
                query.most_edits = None;
                let names = METRICS.map(|metric| metric.name().into());
                query.reference = Reference::Point(names.into_iter().zip(point).collect());
                None
            }
            (None, Some(named)) => {
                let hash = cells(rows.len())[named.index(rows.len())].hash();
                query.reference = Reference::Cell(hash);
                Some(hash)
            }
            // The most accurate, then the cheapest, then the first row.
            (None, None) => here
                .rows()
                .filter_map(|row| Some((row.get(Metric::ValidationAccuracy)?, row.get(Metric::Energy)?, row.hash())))
                .reduce(|best, own| if own.0 > best.0 || (own.0 == best.0 && own.1 < best.1) { own } else { best })
                .map(|best| best.2),
        };
        let references: Option<Vec<[f64; 3]>> = views
            .iter()
            .map(|view| match (point, hash) {
                (Some(point), _) => Some(point),
                (None, Some(hash)) => reference_in(view, &query, hash),
                (None, None) => None,
            })
            .collect();
        let from = hash.and_then(|hash| here.get(hash)?.cell());
        let search = here.recipes(&query).and_then(|search| {
            views[1..].iter().try_fold(search, |search, view| search.also_in(view))
        });
        match (search, references) {
            (Ok(search), Some(references)) => {
                prop_assert!(query.most_edits.is_none() || from.is_some());
                check(&search, &views, &query, &references, from)?;
                // Any other row as reference.
                if point.is_none() {
                    for row in here.rows() {
                        let (Some(energy), Some(accuracy)) = (row.get(Metric::Energy), row.get(Metric::ValidationAccuracy)) else {
                            prop_assert_eq!(search.best_for(row.id()), None);
                            continue;
                        };
                        let cheapest = here
                            .rows()
                            .filter_map(|row| Some((row.get(Metric::Energy)?, row.get(Metric::ValidationAccuracy)?)))
                            .filter(|other| other.0 < energy && is_as_good(other.1, accuracy, tolerated_loss, Direction::Maximize))
                            .reduce(|best, own| if own.0 < best.0 || (own.0 == best.0 && own.1 > best.1) { own } else { best });
                        let found = search.best_for(row.id()).map(|row| here.at(row).unwrap());
                        let found = found.map(|row| (row.get(Metric::Energy).unwrap(), row.get(Metric::ValidationAccuracy).unwrap()));
                        prop_assert_eq!(found, cheapest);
                    }
                }
            }
            (Err(RecipeError::NoGraph), _) => prop_assert!(query.most_edits.is_some() && from.is_none()),
            (Err(error), None) => {
                let lacking = matches!(
                    error,
                    RecipeError::IncompleteReference { .. }
                        | RecipeError::NothingToCompare { .. }
                        | RecipeError::Snapshot(_)
                );
                prop_assert!(lacking);
            }
            (search, references) => prop_assert!(false, "{:?} for {:?}", search.err(), references),
        }
    }

    #[test]
    fn cells_within_so_many_edits(a in 0..300_usize, b in 0..300_usize) {
        let all: Vec<Cell> = ecnas::cell::enumerate(5, 9).step_by(8).take(300).collect();
        let (a, b) = (all[a % all.len()], all[b % all.len()]);
        let distance = a.edits_to(&b).len();
        for most in 0..12 {
            prop_assert_eq!(a.is_within_edits(&b, most), distance <= most);
        }
    }
}

fn three() -> Snapshot {
    let row = |energy, accuracy| Row {
        drawn: true,
        a: [[energy, accuracy, None]; 2],
        b: None,
    };
    sealed(&[
        row(Some(1.0), Some(0.9)),
        row(Some(2.0), None),
        row(None, Some(0.5)),
    ])
}

/// No loss of an infinite time: whatever has a time is as good, what has none is not.
#[test]
fn a_reference_without_end() {
    let row = |energy, time| Row {
        drawn: true,
        a: [[Some(energy), Some(0.9), time]; 2],
        b: None,
    };
    let snapshot = sealed(&[
        row(4.0, Some(f64::INFINITY)),
        row(3.0, Some(7.0)),
        row(2.0, Some(f64::INFINITY)),
        row(1.0, None),
    ]);
    let view = snapshot.view("a", budget(4)).unwrap();
    for loss in [
        Loss::Relative(0.0),
        Loss::Relative(0.5),
        Loss::Absolute(0.0),
    ] {
        let mut query = RecipeQuery::default();
        query.reference = Reference::Cell(cells(1)[0].hash());
        query.tolerances = vec![Tolerance {
            objective: Objective::minimize(Metric::TrainingTime),
            loss,
        }];
        let rows = view.recipes(&query).unwrap().rows().unwrap();
        let energies = rows
            .into_iter()
            .map(|row| view.at(row).unwrap().get(Metric::Energy));
        assert_eq!(
            energies.collect::<Vec<_>>(),
            [Some(2.0), Some(3.0)],
            "{loss:?}"
        );
    }
}

#[test]
fn questions_without_sense_are_refused() {
    let snapshot = three();
    let view = snapshot.view("a", budget(4)).unwrap();
    let ask = |change: fn(&mut RecipeQuery)| {
        let mut query = RecipeQuery::default();
        change(&mut query);
        recipes(&view, &query).unwrap_err()
    };
    for loss in [
        ask(|q| q.tolerated_loss = Loss::Absolute(-0.1)),
        ask(|q| q.tolerated_loss = Loss::Relative(f64::NAN)),
        ask(|q| {
            q.tolerances.push(Tolerance {
                objective: Objective::ENERGY,
                loss: Loss::Absolute(-1.0),
            });
        }),
    ] {
        assert!(matches!(loss, RecipeError::ToleratedLoss { .. }), "{loss}");
    }
    let energy = ask(|q| q.accuracy = Metric::Energy);
    assert!(
        matches!(energy, RecipeError::NotAnAccuracy { .. }),
        "{energy}"
    );
    let says = |error: RecipeError, parts: [&str; 2]| {
        let text = error.to_string();
        assert!(parts.iter().all(|part| text.contains(part)), "{text}");
    };
    let absent = ask(|q| q.accuracy = Metric::TestAccuracy);
    says(absent, ["test_accuracy", "`validation_accuracy`"]);
    let incomplete = ask(|q| q.reference = Reference::Cell(cells(2)[1].hash()));
    says(incomplete, ["has no `validation_accuracy`", "table `a`"]);
    let unknown = ask(|q| q.reference = Reference::Cell(CellHash::from_bytes([1; 16])));
    says(unknown, ["does not hold cell 0101", "a"]);
    let point = ask(|q| q.reference = Reference::Point(vec![("energy_kwh".into(), 1.0)]));
    says(point, ["`validation_accuracy`", "none"]);
    let point = ask(|q| q.reference = Reference::Point(vec![("energy_kwh".into(), f64::NAN)]));
    says(point, ["`energy_kwh`", "NaN"]);
    let from_nothing = ask(|q| {
        q.most_edits = Some(1);
        let point = [
            ("energy_kwh".into(), 1.0),
            ("validation_accuracy".into(), 0.9),
        ];
        q.reference = Reference::Point(point.into());
    });
    assert!(
        matches!(from_nothing, RecipeError::NoGraph),
        "{from_nothing}"
    );
    // Energy and accuracy, but never of the same cell.
    let row = |energy, accuracy| Row {
        drawn: true,
        a: [[energy, accuracy, None]; 2],
        b: None,
    };
    let apart = sealed(&[row(Some(1.0), None), row(None, Some(0.5))]);
    for policy in [Repeats::Mean, Repeats::Given(1)] {
        let table = apart.table("a").unwrap();
        let view = table.view_with(budget(4), policy).unwrap();
        let nothing = recipes(&view, &RecipeQuery::default()).unwrap_err();
        assert!(
            matches!(nothing, RecipeError::NothingToCompare { .. }),
            "{nothing}"
        );
    }
}

/// Accuracies of four decimals, dearer and slower the better they are, and beside each the number just below it that is no
/// worse by a unit of the tenth decimal.
fn decimals() -> Snapshot {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("t.ecnas");
    let mut writer = SnapshotWriter::create(&path).unwrap();
    for name in ["a", "b"] {
        let info = TableInfo {
            name: name.to_owned(),
            ..TableInfo::default()
        };
        writer.begin_table(info).unwrap();
        for number in 900..10_000_u64 {
            for (less, key) in [(0, 2 * number), (1, 2 * number + 1)] {
                let accuracy: f64 = format!("{}e-10", number * 1_000_000 - less)
                    .parse()
                    .unwrap();
                let time: f64 = format!("{}e-10", (20_000 - number) * 1_000_000 + less)
                    .parse()
                    .unwrap();
                for epochs in [4, 108] {
                    let hash = CellHash::from_bytes(u128::from(key).to_le_bytes());
                    let mut trial = Trial::new(hash, budget(epochs), 1);
                    trial.totals.set(Metric::ValidationAccuracy, accuracy);
                    trial.totals.set(Metric::TrainingTime, time);
                    trial.totals.set(Metric::Energy, accuracy);
                    writer.add(&trial).unwrap();
                }
            }
        }
    }
    writer.finish().unwrap();
    Snapshot::from_bytes(AlignedBytes::copy_from(&std::fs::read(path).unwrap())).unwrap()
}

#[test]
fn a_tolerance_that_is_met_exactly_in_decimals_is_met_and_a_tenth_decimal_more_is_not() {
    let snapshot = decimals();
    let views: Vec<View<'_>> = [("a", 4), ("a", 108), ("b", 4)]
        .map(|(table, epochs)| snapshot.view(table, budget(epochs)).unwrap())
        .into();
    // Without an index.
    let given = snapshot
        .table("a")
        .unwrap()
        .view_with(budget(4), Repeats::Given(1))
        .unwrap();
    let hash = |number: u64| CellHash::from_bytes(u128::from(2 * number).to_le_bytes());
    let mut missed = 0;
    for number in 1000..10_000 {
        let mut query = RecipeQuery::default();
        query.reference = Reference::Cell(hash(number));
        // Cheaper cells are worse: the cheapest recipe is the one that loses all that is tolerated, of those below it one
        // loses 10^-10 more.
        let expected = views[0].require(hash(number - 100)).unwrap().id();
        let own = views[0].require(hash(number)).unwrap().id();
        let best = |search: &RecipeSearch<'_, '_>| search.best().unwrap();
        for view in [&views[0], &given] {
            let search = view.recipes(&query).unwrap();
            assert_eq!(best(&search), Some(expected), "{number}");
        }
        let accuracy = |row: RowId| views[0].at(row).unwrap().get(Metric::ValidationAccuracy);
        let naive = accuracy(expected).unwrap() >= accuracy(own).unwrap() - 0.01;
        missed += u32::from(!naive);
        if number % 10 != 2 {
            continue;
        }
        let search = views[0].recipes(&query).unwrap();
        assert_eq!(search.best_for(own), Some(expected));
        assert_eq!(search.front().unwrap()[0].row, expected);
        assert_eq!(search.rows().unwrap()[0], expected);
        let search = search.also_in(&views[1]).unwrap();
        let search = search.also_in(&views[2]).unwrap();
        assert_eq!(best(&search), Some(expected), "{number}, elsewhere");
        // Another metric decides, one of which less is better.
        let loss = Loss::Absolute(0.01);
        query.tolerated_loss = Loss::Absolute(0.5);
        query.tolerances = vec![Tolerance {
            objective: Objective::minimize(Metric::TrainingTime),
            loss,
        }];
        let search = views[0].recipes(&query).unwrap();
        assert_eq!(best(&search), Some(expected), "{number}, by time");
        query.tolerances.clear();
        query.tolerated_loss = loss;
        query.cautious = true;
        query.reference = Reference::Point(
            [Metric::Energy, Metric::ValidationAccuracy]
                .map(|metric| (metric.name().into(), accuracy(own).unwrap()))
                .into(),
        );
        let search = views[0].recipes(&query).unwrap();
        assert_eq!(best(&search), Some(expected), "{number}, a point");
    }
    // What binary numbers alone would have missed.
    assert_eq!(missed, 160);
}

#[test]
fn a_reference_of_repeats_near_the_largest_number_is_their_mean() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("t.ecnas");
    let mut writer = SnapshotWriter::create(&path).unwrap();
    writer.begin_table(TableInfo::default()).unwrap();
    for (key, energy, accuracy) in [(1, 1.7e308, 0.9), (2, 0.85e308, 0.895)] {
        for repeat in 1..=2 {
            let mut trial = Trial::new(CellHash::from_bytes([key; 16]), budget(4), repeat);
            trial.totals.set(Metric::Energy, energy);
            trial.totals.set(Metric::ValidationAccuracy, accuracy);
            writer.add(&trial).unwrap();
        }
    }
    writer.finish().unwrap();
    let snapshot = Snapshot::open(&path).unwrap();
    let view = snapshot.only_table().unwrap().view(budget(4)).unwrap();
    let book = recipes(&view, &RecipeQuery::default()).unwrap();
    assert_eq!(book.reference.energy_kwh, 1.7e308);
    assert_eq!(book.recipes[0].saving, 0.5);
}

//! Fronts and recipes against double loops.

#[path = "common/model.rs"]
mod model;

use ecnas::carbon::Site;
use ecnas::cell::{Cell, CellHash};
use ecnas::metrics::{Metric, TableInfo, Trial};
use ecnas::query::{Objective, RecipeError, RecipeQuery, front, recipes};
use ecnas::snapshot::{AlignedBytes, Snapshot, SnapshotWriter};
use model::budget;
use proptest::prelude::*;

/// Energy and accuracy of the first cells of the search space; NaN and missing among them.
type Points = Vec<(Option<f64>, Option<f64>)>;

fn cells(count: usize) -> Vec<Cell> {
    ecnas::cell::enumerate(4, 9).take(count).collect()
}

fn sealed(points: &Points) -> Snapshot {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("t.ecnas");
    let mut writer = SnapshotWriter::create(&path).unwrap();
    let info = TableInfo {
        name: "t".to_owned(),
        pue: Some(1.59),
        ..TableInfo::default()
    };
    writer.begin_table(info).unwrap();
    for (cell, &(energy, accuracy)) in cells(points.len()).into_iter().zip(points) {
        let mut trial = Trial::new(cell.hash(), budget(4), 1);
        trial.cell = Some(cell);
        trial.totals.set_some(Metric::Energy, energy);
        trial.totals.set_some(Metric::ValidationAccuracy, accuracy);
        writer.add(&trial).unwrap();
    }
    writer.finish().unwrap();
    Snapshot::from_bytes(AlignedBytes::copy_from(&std::fs::read(path).unwrap())).unwrap()
}

/// The points that have both values, with their hash.
fn complete(points: &Points) -> Vec<(CellHash, f64, f64)> {
    cells(points.len())
        .iter()
        .zip(points)
        .filter_map(|(cell, &(energy, accuracy))| Some((cell.hash(), energy?, accuracy?)))
        .filter(|(_, energy, accuracy)| !energy.is_nan() && !accuracy.is_nan())
        .collect()
}

fn dominates(a: (f64, f64), b: (f64, f64)) -> bool {
    a.0 <= b.0 && a.1 >= b.1 && (a.0 < b.0 || a.1 > b.1)
}

fn points() -> impl Strategy<Value = Points> {
    let value = |special: Vec<f64>| {
        prop_oneof![
            10 => (0..12_i32).prop_map(|value| Some(f64::from(value) / 8.0)),
            1 => prop::sample::select(special).prop_map(Some),
            1 => Just(None),
        ]
    };
    let energy = value(vec![f64::NAN, f64::INFINITY, -0.0, 5e-324]);
    let accuracy = value(vec![f64::NAN, -0.0, 1.0]);
    prop::collection::vec((energy, accuracy), 0..60)
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(200))]

    #[test]
    fn the_front_is_what_nobody_dominates(points in points()) {
        let complete = complete(&points);
        let snapshot = sealed(&points);
        let Ok(view) = snapshot.view("t", budget(4)) else {
            prop_assert!(points.is_empty());
            return Ok(());
        };
        let objectives = [&Objective::ENERGY, &Objective::VALIDATION_ACCURACY];
        let Ok(found) = front(&view, objectives) else {
            prop_assert!(complete.is_empty());
            return Ok(());
        };
        let mut expected: Vec<CellHash> = complete
            .iter()
            .filter(|b| !complete.iter().any(|a| dominates((a.1, a.2), (b.1, b.2))))
            .map(|point| point.0)
            .collect();
        let mut hashes: Vec<_> = found.rows.iter().map(|&row| view.at(row).unwrap().hash()).collect();
        let energies: Vec<_> = found.rows.iter().map(|&row| view.at(row).unwrap().get(Metric::Energy).unwrap()).collect();
        prop_assert!(energies.is_sorted());
        hashes.sort();
        expected.sort();
        prop_assert_eq!(hashes, expected);
        prop_assert_eq!((found.compared, found.missing), (complete.len(), points.len() - complete.len()));

        // The other way round: dear and inaccurate.
        let worst = [&Objective::maximize(Metric::Energy), &Objective::minimize(Metric::ValidationAccuracy)];
        let mut hashes: Vec<_> = front(&view, worst).unwrap().rows.iter().map(|&row| view.at(row).unwrap().hash()).collect();
        let mut expected: Vec<CellHash> = complete
            .iter()
            .filter(|b| !complete.iter().any(|a| dominates((-a.1, -a.2), (-b.1, -b.2))))
            .map(|point| point.0)
            .collect();
        hashes.sort();
        expected.sort();
        prop_assert_eq!(hashes, expected);
    }

    #[test]
    fn recipes_are_cheaper_and_as_good(points in points(), loss in 0..5_u32, named in any::<prop::sample::Index>()) {
        let complete = complete(&points);
        prop_assume!(!complete.is_empty());
        let snapshot = sealed(&points);
        let view = snapshot.view("t", budget(4)).unwrap();
        let best = complete.iter().map(|point| point.2).fold(f64::NEG_INFINITY, f64::max);
        let cheapest = complete.iter().filter(|point| point.2 == best).map(|point| point.1).fold(f64::INFINITY, f64::min);
        let given = complete[named.index(complete.len())];
        for reference in [None, Some(given.0)] {
            let mut query = RecipeQuery::default();
            query.reference = reference;
            query.tolerated_loss = f64::from(loss) / 8.0;
            query.site = Site::new(100.0, Some(1.2)).unwrap();
            let book = recipes(&view, &query).unwrap();
            let (energy, accuracy) = if reference.is_some() { (given.1, given.2) } else { (cheapest, best) };
            prop_assert_eq!((book.reference.energy_kwh, book.reference.accuracy), (energy, accuracy));
            prop_assert_eq!((book.compared, book.missing), (complete.len(), points.len() - complete.len()));
            let mut expected: Vec<CellHash> = complete
                .iter()
                .filter(|point| point.1 < energy && point.2 >= accuracy - query.tolerated_loss)
                .map(|point| point.0)
                .collect();
            let mut hashes: Vec<_> = book.recipes.iter().map(|recipe| recipe.hash).collect();
            hashes.sort();
            expected.sort();
            prop_assert_eq!(hashes, expected);
            prop_assert!(book.recipes.is_sorted_by(|a, b| a.energy_kwh <= b.energy_kwh));
            for recipe in &book.recipes {
                let point = complete.iter().find(|point| point.0 == recipe.hash).unwrap();
                prop_assert_eq!((recipe.energy_kwh, recipe.accuracy), (point.1, point.2));
                prop_assert_eq!(recipe.accuracy_change, point.2 - accuracy);
                if energy.is_finite() {
                    prop_assert!((recipe.saving - (energy - point.1) / energy).abs() < 1e-12);
                }
                prop_assert!((recipe.co2e_g - point.1 * 100.0 / 1.59 * 1.2).abs() < 1e-9);
                let dominated = book.recipes.iter().any(|other| {
                    dominates((other.energy_kwh, other.accuracy), (recipe.energy_kwh, recipe.accuracy))
                });
                prop_assert_eq!(recipe.on_front, !dominated);
                let edits = recipe.edits.as_ref().unwrap();
                prop_assert!(!edits.is_empty());
                prop_assert_eq!(edits, &book.reference.cell.unwrap().edits_to(&recipe.cell.unwrap()));
            }
        }
    }
}

#[test]
fn questions_without_sense_are_refused() {
    let snapshot = sealed(&vec![
        (Some(1.0), Some(0.9)),
        (Some(2.0), None),
        (None, Some(0.5)),
    ]);
    let view = snapshot.view("t", budget(4)).unwrap();
    let ask = |change: fn(&mut RecipeQuery)| {
        let mut query = RecipeQuery::default();
        change(&mut query);
        recipes(&view, &query).unwrap_err()
    };
    for loss in [
        ask(|q| q.tolerated_loss = -0.1),
        ask(|q| q.tolerated_loss = f64::NAN),
    ] {
        assert!(matches!(loss, RecipeError::ToleratedLoss { .. }), "{loss}");
    }
    let energy = ask(|q| q.accuracy = Metric::Energy);
    assert!(
        matches!(energy, RecipeError::NotAnAccuracy { .. }),
        "{energy}"
    );
    let absent = ask(|q| q.accuracy = Metric::TestAccuracy).to_string();
    assert!(
        absent.contains("test_accuracy") && absent.contains("`validation_accuracy`"),
        "{absent}"
    );
    let incomplete = ask(|q| q.reference = Some(cells(2)[1].hash()));
    assert!(
        incomplete
            .to_string()
            .contains("has no validation_accuracy"),
        "{incomplete}"
    );
    let unknown = ask(|q| q.reference = Some(CellHash::from_bytes([1; 16])));
    assert!(
        unknown.to_string().contains("does not hold cell 0101"),
        "{unknown}"
    );
    // Energy and accuracy, but never of the same cell.
    let apart = sealed(&vec![(Some(1.0), None), (None, Some(0.5))]);
    let view = apart.view("t", budget(4)).unwrap();
    let nothing = recipes(&view, &RecipeQuery::default()).unwrap_err();
    assert!(
        matches!(nothing, RecipeError::NothingToCompare { .. }),
        "{nothing}"
    );
}

//! Tables of measured trials and estimates side by side, against a naive model: what is an estimate, where it comes from,
//! and the cautious answers.

use ecnas::cell::{Cell, CellHash};
use ecnas::metrics::{
    Budget, Estimates, Metric, Provenance, Provenances, Setting, TableInfo, Trial,
};
use ecnas::query::{Loss, Objective, QueryError, RecipeError, RecipeQuery, Reference, Scale};
use ecnas::snapshot::{AlignedBytes, Snapshot, SnapshotWriter};
use proptest::prelude::*;

const ENERGY: &str = "energy_kwh";
const ACCURACY: &str = "validation_accuracy";

/// A value with the ends of its interval.
type Estimate = Option<[f64; 3]>;

/// Of a cell: measured energy and accuracy, estimates of both.
#[derive(Debug, Clone)]
struct Row {
    measured: [Option<f64>; 2],
    estimates: [Estimate; 2],
}

impl Row {
    fn value(&self, metric: usize) -> Option<f64> {
        self.measured[metric].or(self.estimates[metric].map(|own| own[1]))
    }

    /// The worse end: energy high, accuracy low.
    fn worse(&self, metric: usize) -> Option<f64> {
        let end = self.estimates[metric].map(|own| own[if metric == 0 { 2 } else { 0 }]);
        self.measured[metric].or(end)
    }

    fn is_estimate(&self, metric: usize) -> bool {
        self.measured[metric].is_none() && self.estimates[metric].is_some()
    }

    fn is_empty(&self) -> bool {
        (0..2).all(|metric| self.value(metric).is_none())
    }

    fn worse_point(&self) -> Option<[f64; 2]> {
        Some([self.worse(0)?, self.worse(1)?])
    }
}

prop_compose! {
    // Tenths, so that values and ends tie.
    fn estimate()(value in 2..8_u32, low in 0..3_u32, high in 0..3_u32) -> [f64; 3] {
        [value - low, value, value + high].map(|tenths| f64::from(tenths) / 10.0)
    }
}

prop_compose! {
    fn row()(
        measured in prop::array::uniform2(prop::option::weighted(0.4, (1..9_u32).prop_map(|tenths| f64::from(tenths) / 10.0))),
        estimates in prop::array::uniform2(prop::option::weighted(0.8, estimate())),
    ) -> Row {
        Row { measured, estimates }
    }
}

fn cells(count: usize) -> Vec<(CellHash, Cell)> {
    let cells = ecnas::cell::enumerate(5, 9).take(count);
    cells.map(|cell| (cell.hash(), cell)).collect()
}

fn budget() -> Budget {
    Budget::epochs(108).unwrap()
}

fn model() -> Provenance {
    Provenance::Predicted {
        model: "a model".to_owned(),
    }
}

/// As EC-NAS's metered files.
fn metered() -> Setting {
    Setting {
        data_set: Some("CIFAR-10".to_owned()),
        device: Some("Quadro RTX 6000".to_owned()),
        pue: Some(1.59),
    }
}

/// Trials as EC-NAS metered them, estimates for a setting.
fn sealed(rows: &[Row], setting: Setting) -> Snapshot {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("t.ecnas");
    let mut writer = SnapshotWriter::create(&path).unwrap();
    let mut estimates = Provenances::default();
    for name in [ENERGY, ACCURACY] {
        estimates.results.insert(name.to_owned(), model());
    }
    let Setting {
        data_set,
        device,
        pue,
    } = metered();
    let info = TableInfo {
        name: "t".to_owned(),
        data_set,
        device,
        pue,
        provenance: Provenances::uniform(Provenance::Measured),
        estimates: Estimates {
            provenance: estimates,
            setting,
        },
        ..TableInfo::default()
    };
    writer.begin_table(info).unwrap();
    let cells = cells(rows.len());
    for ((hash, _), row) in cells.iter().zip(rows) {
        if row.measured.iter().any(Option::is_some) {
            let mut trial = Trial::new(*hash, budget(), 1);
            trial.totals.set_some(Metric::Energy, row.measured[0]);
            trial
                .totals
                .set_some(Metric::ValidationAccuracy, row.measured[1]);
            writer.add(&trial).unwrap();
        }
    }
    let column = |metric: usize, end: usize| -> Vec<f64> {
        let values = rows
            .iter()
            .map(|row| row.estimates[metric].map(|own| own[end]));
        values.map(|value| value.unwrap_or(f64::NAN)).collect()
    };
    let mut columns: Vec<(String, Vec<f64>)> = Vec::new();
    for (metric, name) in [ENERGY, ACCURACY].into_iter().enumerate() {
        for (end, prefix) in ["low_", "", "high_"].into_iter().enumerate() {
            columns.push((format!("{prefix}{name}"), column(metric, end)));
        }
    }
    let columns: Vec<(&str, &[f64])> = columns
        .iter()
        .map(|(name, values)| (name.as_str(), values.as_slice()))
        .collect();
    writer.add_estimates(budget(), &cells, &columns).unwrap();
    writer.finish().unwrap();
    Snapshot::from_bytes(AlignedBytes::read(&path).unwrap()).unwrap()
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(300))]

    #[test]
    fn mixed_tables_answer_as_a_model_of_them(rows in prop::collection::vec(row(), 1..40)) {
        let snapshot = sealed(&rows, metered());
        snapshot.verify().unwrap();
        // A cell without any value is no row.
        let valued = rows.iter().filter(|row| !row.is_empty()).count();
        prop_assert_eq!(snapshot.only_table().unwrap().len(), valued);
        if valued == 0 {
            return Ok(());
        }
        let view = snapshot.view("t", budget()).unwrap();
        let of = |hash: CellHash| {
            let place = cells(rows.len()).iter().position(|own| own.0 == hash).unwrap();
            &rows[place]
        };
        for (metric, (name, objective)) in
            [(ENERGY, Objective::ENERGY), (ACCURACY, Objective::VALIDATION_ACCURACY)].into_iter().enumerate()
        {
            let measured = rows.iter().filter(|row| row.measured[metric].is_some()).count();
            let estimated = rows.iter().filter(|row| row.is_estimate(metric)).count();
            if measured + estimated == 0 {
                prop_assert!(view.column(name).is_err());
                continue;
            }
            let worse = view.worse_end(&objective).unwrap();
            for row in view.rows() {
                let own = of(row.hash());
                prop_assert_eq!(row.get_named(name), own.value(metric));
                prop_assert_eq!(row.is_estimate(name), own.is_estimate(metric));
                let expected = own.value(metric).map(|_| {
                    if own.is_estimate(metric) { model() } else { Provenance::Measured }
                });
                prop_assert_eq!(row.provenance(name).unwrap(), expected);
                let end = worse[row.id().index()];
                prop_assert_eq!(Some(end).filter(|end| !end.is_nan()), own.worse(metric));
                // Ends of what was measured are not there.
                let low = row.get_named(&format!("low_{name}"));
                let own_low = own.estimates[metric].map(|own| own[0]);
                prop_assert_eq!(low, own_low.filter(|_| own.is_estimate(metric)));
            }
            for (provenance, count) in [(Provenance::Measured, measured), (model(), estimated)] {
                let query = view.query().provenance(name, &provenance).unwrap();
                prop_assert_eq!(query.count().unwrap(), count);
                let parts = view.provenance(name).unwrap();
                let part = parts.iter().find(|(own, _)| *own == provenance);
                prop_assert_eq!(part.map_or(0, |part| part.1), count);
            }
            let nobody = view.query().provenance(name, &Provenance::Scaled).unwrap();
            prop_assert_eq!(nobody.count().unwrap(), 0);
        }
    }

    #[test]
    fn cautious_fronts_and_recipes_are_those_of_the_worse_ends(
        rows in prop::collection::vec(row(), 1..40),
        loss in 0..4_u32,
    ) {
        let snapshot = sealed(&rows, metered());
        let Ok(view) = snapshot.view("t", budget()) else {
            prop_assert!(rows.iter().all(Row::is_empty));
            return Ok(());
        };
        let tolerated = loss;
        let loss = f64::from(loss) / 10.0;
        let objectives = [Objective::ENERGY, Objective::VALIDATION_ACCURACY];
        let Ok(dominance) = view.cautious_dominance(objectives) else {
            return Ok(());
        };
        let dominates = |a: [f64; 2], b: [f64; 2]| a[0] <= b[0] && a[1] >= b[1] && a != b;
        let points: Vec<(CellHash, Option<[f64; 2]>)> = cells(rows.len())
            .into_iter()
            .zip(&rows)
            .map(|((hash, _), row)| (hash, row.worse_point()))
            .collect();
        let mut front: Vec<CellHash> = Vec::new();
        for &(hash, point) in &points {
            let beaten = |point| points.iter().filter_map(|other| other.1).any(|other| dominates(other, point));
            if point.is_some_and(|point| !beaten(point)) {
                front.push(hash);
            }
        }
        front.sort();
        let hash = |row: &ecnas::snapshot::RowId| view.at(*row).unwrap().hash();
        let mut found: Vec<CellHash> = dominance.front().iter().map(hash).collect();
        found.sort();
        prop_assert_eq!(found, front);

        // The reference is taken as it is.
        let references = rows.iter().zip(cells(rows.len()));
        for (reference, (own_hash, _)) in references.take(5) {
            let mut query = RecipeQuery::default();
            query.cautious = true;
            query.reference = Reference::Cell(own_hash);
            query.tolerated_loss = Loss::Absolute(loss);
            let search = view.recipes(&query);
            let (Some(energy), Some(accuracy)) = (reference.value(0), reference.value(1)) else {
                prop_assert!(search.is_err());
                continue;
            };
            let search = search.unwrap();
            let mut expected: Vec<(CellHash, f64, f64)> = Vec::new();
            for &(hash, point) in &points {
                // As written in decimals: by whole tenths.
                let tenths = |value: f64| (value * 10.0).round() as i64;
                let is_as_good = |own: f64| tenths(own) >= tenths(accuracy) - i64::from(tolerated);
                if let Some([own, worst]) = point.filter(|own| own[0] < energy && is_as_good(own[1])) {
                    expected.push((hash, own, worst));
                }
            }
            expected.sort_by(|a, b| a.partial_cmp(b).unwrap());
            let book = search.book().unwrap();
            let mut recipes: Vec<_> = book.recipes.iter().map(|own| (own.hash, own.energy_kwh, own.accuracy)).collect();
            let least = recipes.first().map(|own| own.1);
            prop_assert_eq!(least, expected.iter().map(|own| own.1).reduce(f64::min));
            recipes.sort_by(|a, b| a.partial_cmp(b).unwrap());
            prop_assert_eq!(&recipes, &expected);
            let row = view.get(own_hash).unwrap().id();
            let best = search.best().unwrap();
            prop_assert_eq!(best, book.recipes.first().map(|own| own.row));
            let best_for = search.best_for(row).map(|row| view.worse_end(&Objective::ENERGY).unwrap()[row.index()]);
            prop_assert_eq!(best_for, least);
            for recipe in search.front().unwrap() {
                let own = [recipe.energy_kwh, recipe.accuracy];
                prop_assert!(!expected.iter().any(|other| dominates([other.1, other.2], own)));
                prop_assert_eq!(recipe.saving, 1.0 - recipe.energy_kwh / energy);
            }
        }
    }

    #[test]
    fn recipes_never_lead_from_one_scale_to_another(rows in prop::collection::vec(row(), 1..40), loss in 0..4_u32) {
        let other = Setting { pue: None, ..metered() };
        let snapshot = sealed(&rows, other.clone());
        let Ok(view) = snapshot.view("t", budget()) else {
            prop_assert!(rows.iter().all(Row::is_empty));
            return Ok(());
        };
        let loss = f64::from(loss) / 10.0;
        let both = |metric: usize| {
            let measured = rows.iter().filter(|row| row.measured[metric].is_some()).count();
            let estimated = rows.iter().filter(|row| row.is_estimate(metric)).count();
            measured > 0 && estimated > 0
        };
        let mut query = RecipeQuery::default();
        query.tolerated_loss = Loss::Absolute(loss);
        if view.column(ENERGY).is_err() || view.column(ACCURACY).is_err() {
            return Ok(());
        }
        // An accuracy does not depend on the PUE.
        prop_assert_eq!(view.two_scales(ACCURACY).unwrap(), None);
        let settings = view.two_scales(ENERGY).unwrap();
        prop_assert_eq!(settings, both(0).then(|| [metered(), other.clone()]));
        if !both(0) {
            return Ok(());
        }
        let refused = view.recipes(&query).map(|_| ());
        let is_refused = matches!(&refused, Err(RecipeError::Query(QueryError::TwoScales { column, .. })) if column == ENERGY);
        prop_assert!(is_refused, "{refused:?}");
        for scale in Scale::ALL {
            query.scale = Some(scale);
            let is_on_scale = |row: &Row| row.is_estimate(0) == (scale == Scale::Estimates) && row.value(0).is_some();
            for (reference, (hash, _)) in rows.iter().zip(cells(rows.len())) {
                query.reference = Reference::Cell(hash);
                let (Some(energy), Some(accuracy)) = (reference.value(0), reference.value(1)) else {
                    continue;
                };
                let search = view.recipes(&query);
                if !is_on_scale(reference) {
                    let is_refused = matches!(search, Err(RecipeError::ReferenceOnOtherScale { .. }));
                    prop_assert!(is_refused);
                    continue;
                }
                let search = search.unwrap();
                let mut expected: Vec<CellHash> = Vec::new();
                for (own, (hash, _)) in rows.iter().zip(cells(rows.len())) {
                    let (Some(own_energy), Some(own_accuracy)) = (own.value(0), own.value(1)) else {
                        continue;
                    };
                    if is_on_scale(own) && own_energy < energy && own_accuracy >= accuracy - loss - 1e-9 {
                        expected.push(hash);
                    }
                }
                expected.sort();
                let book = search.book().unwrap();
                let mut found: Vec<CellHash> = book.recipes.iter().map(|recipe| recipe.hash).collect();
                found.sort();
                prop_assert_eq!(&found, &expected);
                prop_assert_eq!(search.best().unwrap(), book.recipes.first().map(|own| own.row));
                let row = view.get(hash).unwrap().id();
                prop_assert_eq!(search.best_for(row), search.best().unwrap());
                let pue = if scale == Scale::Trials { metered().pue } else { None };
                prop_assert_eq!(book.contained_pue, pue);
                let compared = rows.iter().filter(|row| is_on_scale(row) && row.value(1).is_some()).count();
                prop_assert_eq!(book.compared, compared);
            }
        }
    }
}

//! Fronts and hypervolumes of real tables against moocore 0.3.2. The values were computed by `tests/python/fronts.py`, which
//! reads the released files with plain Python.
#![cfg(feature = "import")]

mod common;

use std::ops::ControlFlow;

use ecnas::import::ImportOptions;
use ecnas::metrics::{Budget, Metric};
use ecnas::query::Objective;
use ecnas::snapshot::{Snapshot, View};
use ecnas::store::Store;

/// Table, epochs, objectives (Energy, Validation accuracy, Parameters, training Time, X: test accuracy), cells compared,
/// size of the front, number of layers, hypervolume, the same as a share of the box from the ideal to the reference.
type Expected = (&'static str, u32, &'static str, usize, usize, u32, f64, f64);

#[rustfmt::skip]
const EXPECTED: [Expected; 25] = [
    ("energy_4V9E_4epochs", 4, "EV", 91, 4, 16, 0.017888569799062278, 0.974829497461437),
    ("energy_4V9E_4epochs", 4, "EX", 91, 4, 15, 0.017942800487069623, 0.9741716151861788),
    ("energy_4V9E_4epochs", 4, "EVP", 91, 4, 10, 367744.4385713002, 0.9646460502828159),
    ("energy_4V9E_4epochs", 4, "EVPT", 91, 4, 10, 62271073.23181059, 0.9492696981677563),
    ("energy_4V9E_4epochs", 4, "EVPTX", 91, 5, 10, 33819872.93015314, 0.9057370898734338),
    ("energy_4V9E_4epochs", 12, "EV", 91, 10, 12, 0.036164300730109226, 0.9672161142317804),
    ("energy_4V9E_4epochs", 12, "EX", 91, 8, 12, 0.03530390583715173, 0.9745062997287475),
    ("energy_4V9E_4epochs", 12, "EVP", 91, 10, 9, 737744.359238662, 0.9497694228256109),
    ("energy_4V9E_4epochs", 12, "EVPT", 91, 11, 9, 371087505.90593934, 0.9293566806659214),
    ("energy_4V9E_4epochs", 12, "EVPTX", 91, 12, 9, 143376134.20948827, 0.8782426436308479),
    ("energy_4V9E_4epochs", 36, "EV", 91, 15, 13, 0.052848857258200654, 0.9414210453441464),
    ("energy_4V9E_4epochs", 36, "EX", 91, 10, 13, 0.051129541822453356, 0.9536041172016193),
    ("energy_4V9E_4epochs", 36, "EVP", 91, 18, 11, 1064041.9952188074, 0.9123803118972424),
    ("energy_4V9E_4epochs", 36, "EVPT", 91, 19, 11, 1568883379.1852067, 0.8776671922474544),
    ("energy_4V9E_4epochs", 36, "EVPTX", 91, 21, 11, 290361878.9698338, 0.7967972539073334),
    ("energy_4V9E_4epochs", 108, "EV", 91, 15, 12, 0.09940706639898486, 0.9121551901151774),
    ("energy_4V9E_4epochs", 108, "EX", 91, 17, 12, 0.09655095593706764, 0.9182907765615831),
    ("energy_4V9E_4epochs", 108, "EVP", 91, 22, 10, 1975621.4919906673, 0.8726177700640095),
    ("energy_4V9E_4epochs", 108, "EVPT", 91, 22, 9, 8592325141.61399, 0.8244883833341741),
    ("energy_4V9E_4epochs", 108, "EVPTX", 91, 25, 8, 1046368120.7277827, 0.7175736229123564),
    ("energy_5V9E_4epochs", 4, "EV", 2532, 13, 99, 0.031133129825629293, 0.9681403621621645),
    ("energy_5V9E_4epochs", 4, "EX", 2532, 13, 96, 0.030792199237883094, 0.9689653025032203),
    ("energy_5V9E_4epochs", 4, "EVP", 2532, 26, 48, 960254.3404359898, 0.9605260576807735),
    ("energy_5V9E_4epochs", 4, "EVPT", 2532, 27, 41, 246563561.3000462, 0.9469035437470305),
    ("energy_5V9E_4epochs", 4, "EVPTX", 2532, 32, 38, 165346883.81541228, 0.9006716233875057),
];

fn objective(letter: char) -> Objective {
    match letter {
        'E' => Objective::ENERGY,
        'V' => Objective::VALIDATION_ACCURACY,
        'P' => Objective::minimize(Metric::TrainableParameters),
        'T' => Objective::minimize(Metric::TrainingTime),
        _ => Objective::maximize(Metric::TestAccuracy),
    }
}

fn check<const D: usize>(view: &View<'_>, expected: &Expected) {
    let &(.., letters, compared, front, layers, volume, share) = expected;
    let objectives: Vec<Objective> = letters.chars().map(objective).collect();
    let dominance = view.dominance::<D>(objectives.try_into().unwrap()).unwrap();
    assert_eq!(dominance.compared(), compared, "{expected:?}");
    assert_eq!(dominance.front().len(), front, "{expected:?}");
    let deepest = view
        .rows()
        .filter_map(|row| dominance.layer(row.id()))
        .max();
    assert_eq!(deepest.unwrap() + 1, layers, "{expected:?}");
    let reference = dominance.bounds().unwrap().reference;
    let near = |a: f64, b: f64| (a - b).abs() <= 1e-9 * b;
    let found = dominance.hypervolume(reference);
    assert!(near(found, volume), "{found} for {expected:?}");
    let found = dominance.normalised_hypervolume().unwrap();
    assert!(near(found, share), "{found} for {expected:?}");
}

#[test]
fn fronts_and_hypervolumes_are_those_of_moocore() {
    let mut snapshots: Vec<(&str, Snapshot)> = Vec::new();
    let folder = tempfile::tempdir().unwrap();
    for expected in &EXPECTED {
        let (name, epochs, letters, ..) = *expected;
        if !snapshots.iter().any(|(known, _)| *known == name) {
            let Some(file) = common::data(&format!("ec-nas/{name}.tfrecord")) else {
                return;
            };
            let mut store = Store::open(folder.path().join(format!("{name}.redb"))).unwrap();
            let options = ImportOptions::default();
            let go_on = |_| ControlFlow::Continue(());
            ecnas::ingest(&mut store, &file, None, &options, Default::default(), go_on).unwrap();
            let sealed = folder.path().join(format!("{name}.ecnas"));
            ecnas::seal(&mut store, &sealed).unwrap();
            snapshots.push((name, Snapshot::open(&sealed).unwrap()));
        }
        let snapshot = snapshots.iter().find(|(known, _)| *known == name);
        let budget = Budget::epochs(epochs).unwrap();
        let view = snapshot.unwrap().1.view(name, budget).unwrap();
        match letters.len() {
            2 => check::<2>(&view, expected),
            3 => check::<3>(&view, expected),
            4 => check::<4>(&view, expected),
            _ => check::<5>(&view, expected),
        }
    }
}

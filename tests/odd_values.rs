//! Values that no measurement should have, and keys that come twice: kept to the bit, missing where they are no number, or
//! refused.

use ecnas::cell::{Cell, enumerate};
use ecnas::metrics::{Budget, Metric, TableInfo, Trial, encode_trial};
use ecnas::snapshot::{AlignedBytes, Repeats, Snapshot, SnapshotWriter};
use ecnas::store::{OnDuplicate, Store, StoreError};
use proptest::prelude::*;

/// Energy, accuracy, a column of the user's own.
type Values = [Option<f64>; 3];

fn value() -> impl Strategy<Value = Option<f64>> {
    let odd = vec![
        f64::NAN,
        -f64::NAN,
        f64::INFINITY,
        f64::NEG_INFINITY,
        -0.0,
        0.0,
        5e-324,
        -5e-324,
        f64::MIN_POSITIVE,
        f64::MAX,
        f64::MIN,
        -1.5,
        1.0,
        1.0 + f64::EPSILON,
        7.0,
    ];
    prop_oneof![
        6 => prop::sample::select(odd).prop_map(Some),
        1 => any::<f64>().prop_map(Some),
        1 => Just(None),
    ]
}

fn trials() -> impl Strategy<Value = Vec<Trial>> {
    let one = (
        0..3_usize,
        prop::sample::select(vec![4_u32, 108]),
        1..4_u32,
        [value(), value(), value()],
    );
    let cells: Vec<Cell> = enumerate(3, 9).take(3).collect();
    prop::collection::vec(one, 1..6).prop_map(move |all| {
        let trial = |(cell, epochs, repeat, values): (usize, u32, u32, Values)| {
            let cell = cells[cell];
            let mut trial = Trial::new(cell.hash(), Budget::epochs(epochs).unwrap(), repeat);
            trial.cell = Some(cell);
            trial.totals.set_some(Metric::Energy, values[0]);
            trial.totals.set_some(Metric::ValidationAccuracy, values[1]);
            trial.other = values[2]
                .map(|value| ("own_kwh".to_owned(), value))
                .into_iter()
                .collect();
            trial
        };
        all.into_iter().map(trial).collect()
    })
}

fn bytes(trial: &Trial) -> Vec<u8> {
    encode_trial(trial).unwrap().as_ref().to_vec()
}

/// What a column says: the value to the bit, and nothing for what is no number.
fn said(value: Option<f64>) -> Option<u64> {
    value.filter(|value| !value.is_nan()).map(f64::to_bits)
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(10_000))]

    #[test]
    fn odd_values_are_kept_or_refused(trials in trials()) {
        let mut store = Store::open_on(redb::backends::InMemoryBackend::new(), "memory", 1 << 16).unwrap();
        // The same trial twice is one; another one of the same key is refused, and with it all of them.
        let mut kept: Vec<Trial> = Vec::new();
        let mut clashes = false;
        for trial in &trials {
            let key = |trial: &Trial| (trial.hash, trial.budget, trial.repeat);
            match kept.iter().find(|known| key(known) == key(trial)) {
                Some(known) => clashes |= bytes(known) != bytes(trial),
                None => kept.push(trial.clone()),
            }
        }
        let mut append = store.append("t").unwrap();
        let added = append.add(&trials, OnDuplicate::Refuse);
        if clashes {
            let is_typed = matches!(added, Err(StoreError::Duplicate { .. }));
            prop_assert!(is_typed);
            drop(append);
            prop_assert!(store.tables().unwrap().is_empty());
            return Ok(());
        }
        added.unwrap();
        append.commit(TableInfo::default()).unwrap();

        let folder = tempfile::tempdir_in(shared_memory()).unwrap();
        let path = folder.path().join("t.ecnas");
        ecnas::seal(&mut store, &path).unwrap();
        let sealed = std::fs::read(&path).unwrap();
        let snapshot = Snapshot::from_bytes(AlignedBytes::copy_from(&sealed)).unwrap();
        snapshot.verify().unwrap();
        let table = snapshot.only_table().unwrap();
        let mut found: Vec<Vec<u8>> = table.trials().map(|trial| bytes(&trial.unwrap().to_trial())).collect();
        let mut expected: Vec<Vec<u8>> = kept.iter().map(bytes).collect();
        found.sort();
        expected.sort();
        prop_assert!(found == expected);
        for trial in &kept {
            let view = table.view_with(trial.budget, Repeats::Given(trial.repeat)).unwrap();
            let row = view.get(trial.hash).unwrap();
            for metric in [Metric::Energy, Metric::ValidationAccuracy] {
                prop_assert_eq!(said(row.get(metric)), said(trial.totals.get(metric)));
            }
            let own = trial.other.first().map(|own| own.1);
            prop_assert_eq!(said(row.get_named("own_kwh")), said(own));
        }
    }
}

/// A mean depends on the order of its sum, and rows are in order of the means that their column holds.
#[test]
fn rows_are_in_order_of_their_means_in_whatever_order_repeats_arrive() {
    let cells: Vec<Cell> = enumerate(3, 9).take(2).collect();
    for (cell, other) in [(cells[0], cells[1]), (cells[1], cells[0])] {
        let folder = tempfile::tempdir_in(shared_memory()).unwrap();
        let path = folder.path().join("t.ecnas");
        let mut writer = SnapshotWriter::create(&path).unwrap();
        let info = TableInfo {
            name: "t".to_owned(),
            ..TableInfo::default()
        };
        writer.begin_table(info).unwrap();
        // By repeat: f64::MIN, f64::MAX, -1.5, whose sum is -1.5; as they arrive, it is 0.
        let arriving = [
            (cell, 3, -1.5),
            (cell, 2, f64::MAX),
            (cell, 1, f64::MIN),
            (other, 1, -0.25),
        ];
        for (cell, repeat, energy) in arriving {
            let mut trial = Trial::new(cell.hash(), Budget::epochs(4).unwrap(), repeat);
            trial.totals.set(Metric::Energy, energy);
            writer.add(&trial).unwrap();
        }
        writer.finish().unwrap();
        let snapshot = Snapshot::open(&path).unwrap();
        snapshot.verify().unwrap();
        let view = snapshot.view("t", Budget::epochs(4).unwrap()).unwrap();
        assert_eq!(view.column(Metric::Energy).unwrap(), [-0.5, -0.25]);
    }
}

/// Where files that need not outlive the test are quickest.
fn shared_memory() -> std::path::PathBuf {
    let quick = std::path::PathBuf::from("/dev/shm");
    if quick.is_dir() {
        quick
    } else {
        std::env::temp_dir()
    }
}

//! Snapshots against a slow model, and their refusals.

#[path = "common/model.rs"]
mod model;

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

use ecnas::cell::CellHash;
use ecnas::metrics::{Budget, Metric, Provenance, Provenances, TableInfo, Trial};
use ecnas::snapshot::{
    AlignedBytes, Repeats, Row, RowId, Snapshot, SnapshotError, SnapshotWriter, Table, View,
};
use model::{budget, column_value, encoded, hash, repeats_of, same, trials};
use proptest::prelude::*;

fn info(name: &str) -> TableInfo {
    TableInfo {
        name: name.to_owned(),
        device: Some("a device".to_owned()),
        pue: Some(1.59),
        provenance: Provenances::uniform(Provenance::Measured),
        ..TableInfo::default()
    }
}

fn write(path: &Path, tables: &[(&str, &[Trial])]) {
    let mut writer = SnapshotWriter::create(path).unwrap();
    for (name, trials) in tables {
        writer.begin_table(info(name)).unwrap();
        for trial in *trials {
            writer.add(trial).unwrap();
        }
    }
    writer.finish().unwrap();
}

fn sealed(tables: &[(&str, &[Trial])]) -> Vec<u8> {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("t.ecnas");
    write(&path, tables);
    std::fs::read(path).unwrap()
}

fn open(bytes: &[u8]) -> Result<Snapshot, SnapshotError> {
    Snapshot::from_bytes(AlignedBytes::copy_from(bytes))
}

/// What a policy makes of a cell's repeats: `None` where any of the repeats would do.
fn reduced(policy: Repeats, trials: &[&Trial], column: &str) -> Vec<Option<f64>> {
    let values: Vec<f64> = trials
        .iter()
        .filter_map(|t| column_value(t, column))
        .collect();
    let extreme = |pick: fn(f64, f64) -> f64| values.iter().copied().reduce(pick);
    match policy {
        Repeats::Mean if values.is_empty() => vec![None],
        Repeats::Mean => vec![Some(values.iter().sum::<f64>() / values.len() as f64)],
        Repeats::Min => vec![extreme(f64::min)],
        Repeats::Max => vec![extreme(f64::max)],
        Repeats::Given(repeat) => {
            let given = trials.iter().find(|trial| trial.repeat == repeat);
            vec![given.and_then(|trial| column_value(trial, column))]
        }
        _ if trials.is_empty() => vec![None],
        _ => trials
            .iter()
            .map(|trial| column_value(trial, column))
            .collect(),
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn a_snapshot_answers_as_the_model_does(trials in trials(40), seed in any::<u64>()) {
        let snapshot = open(&sealed(&[("t", &trials)])).unwrap();
        let verified = snapshot.verify().unwrap();
        prop_assert_eq!(verified.trials, trials.len() as u64);
        let table = snapshot.only_table().unwrap();
        prop_assert_eq!(table.info().unwrap(), info("t"));
        let hashes: BTreeSet<CellHash> = trials.iter().map(|trial| trial.hash).collect();
        let budgets: BTreeSet<Budget> = trials.iter().map(|trial| trial.budget).collect();
        prop_assert_eq!(table.len(), hashes.len());
        prop_assert_eq!(table.budgets().collect::<Vec<_>>(), budgets.iter().copied().collect::<Vec<_>>());
        for number in 0..=255 {
            let row = table.row(hash(number));
            prop_assert_eq!(row.is_some(), hashes.contains(&hash(number)));
            prop_assert!(row.is_none_or(|row| table.hash(row) == Some(hash(number))));
        }

        let policies = [
            Repeats::Mean, Repeats::Min, Repeats::Max, Repeats::Given(2), Repeats::Draw { seed },
        ];
        for (&budget, policy) in budgets.iter().flat_map(|b| policies.iter().map(move |p| (b, *p))) {
            let view = table.view_with(budget, policy).unwrap();
            let names: BTreeSet<&str> = view.column_names().collect();
            for &hash in &hashes {
                let repeats = repeats_of(&trials, hash, budget);
                let present = match policy {
                    Repeats::Given(repeat) => repeats.iter().any(|t| t.repeat == repeat),
                    _ => !repeats.is_empty(),
                };
                let row = view.get(hash);
                prop_assert_eq!(row.is_some(), present);
                let columns = Metric::ALL.iter().map(|m| m.name()).chain(["a_kwh", "ab_kwh"]);
                for column in columns.filter(|&column| column != "epoch") {
                    let legal = reduced(policy, &repeats, column);
                    let found = row.and_then(|row| row.get_named(column));
                    prop_assert!(
                        legal.iter().any(|&value| same(found, value)),
                        "{:?} {} {:?} {:?}", policy, column, found, legal
                    );
                    let somewhere = trials.iter().any(|t| t.budget == budget && column_value(t, column).is_some());
                    prop_assert_eq!(names.contains(column), somewhere);
                    if let (Ok(values), Some(row)) = (view.column(column), row) {
                        let value = values[row.id().index()];
                        prop_assert!(same((!value.is_nan()).then_some(value), found));
                    }
                }
                if let Some(row) = row {
                    let full: Vec<_> = row.trials().map(|t| encoded(&t.unwrap().to_trial())).collect();
                    let expected: Vec<_> = repeats.iter().map(|t| encoded(t)).collect();
                    prop_assert_eq!(full, expected);
                }
            }
        }

        // Rows are numbered by mean energy at the largest budget.
        if let Some(&largest) = budgets.last() {
            let mean = |row: u32| {
                let hash = table.hash(RowId(row)).unwrap();
                reduced(Repeats::Mean, &repeats_of(&trials, hash, largest), "energy_kwh")[0]
                    .filter(|energy| !energy.is_nan())
            };
            for row in 1..table.len() as u32 {
                prop_assert!(mean(row - 1).unwrap_or(f64::INFINITY) <= mean(row).unwrap_or(f64::INFINITY) + 1e-12);
            }
        }
        let back: Vec<_> = table.trials_as_imported().map(|t| encoded(&t.unwrap().to_trial())).collect();
        prop_assert_eq!(back, trials.iter().map(encoded).collect::<Vec<_>>());
    }

    #[test]
    fn a_join_finds_the_shared_cells(left in trials(30), right in trials(30)) {
        let snapshot = open(&sealed(&[("l", &left), ("r", &right)])).unwrap();
        let (l, r) = (snapshot.table("l").unwrap(), snapshot.table("r").unwrap());
        let rows: Vec<_> = l.join(r).collect();
        prop_assert!(rows.is_sorted_by(|a, b| a.0 < b.0));
        let mut found: Vec<_> = rows.into_iter().map(|(a, b)| (l.hash(a).unwrap(), r.hash(b).unwrap())).collect();
        found.sort_unstable();
        let hashes = |trials: &[Trial]| trials.iter().map(|t| t.hash).collect::<BTreeSet<_>>();
        let shared: Vec<_> = hashes(&left).intersection(&hashes(&right)).map(|&h| (h, h)).collect();
        prop_assert_eq!(found, shared);
        let asked: Vec<CellHash> = (0..=255).map(hash).collect();
        let one_by_one: Vec<_> = asked.iter().map(|&hash| l.row(hash)).collect();
        prop_assert_eq!(l.rows(&asked), one_by_one);
    }
}

fn example_trials() -> Vec<Trial> {
    let mut trials = Vec::new();
    for (number, epochs, energy) in [(1, 4, 0.5), (1, 108, 9.0), (2, 4, 0.25), (3, 108, 3.0)] {
        let mut trial = Trial::new(hash(number), budget(epochs), 1);
        trial.totals.set(Metric::Energy, energy);
        trials.push(trial);
    }
    trials
}

#[test]
fn what_is_absent_is_named() {
    let snapshot = open(&sealed(&[("one", &example_trials()), ("two", &[])])).unwrap();
    let error = snapshot.table("three").unwrap_err().to_string();
    assert!(
        error.contains("`three`") && error.contains("`one`, `two`"),
        "{error}"
    );
    assert!(matches!(
        snapshot.only_table(),
        Err(SnapshotError::Ambiguous { .. })
    ));
    let table = snapshot.table("one").unwrap();
    let error = table.view(budget(36)).unwrap_err().to_string();
    assert!(
        error.contains("36 epochs") && error.contains("4 and 108 epochs"),
        "{error}"
    );
    let view = table.view(budget(108)).unwrap();
    assert!(view.get(hash(2)).is_none());
    let error = view.require(hash(2)).unwrap_err().to_string();
    assert!(
        error.contains(&hash(2).to_string()) && error.contains("this cell at 4 epochs"),
        "{error}"
    );
    assert!(
        view.require(hash(9))
            .unwrap_err()
            .to_string()
            .contains("no budget")
    );
    let error = view.column(Metric::TestAccuracy).unwrap_err().to_string();
    assert!(
        error.contains("test_accuracy") && error.contains("`energy_kwh`"),
        "{error}"
    );
    let row = view.get(hash(1)).unwrap();
    assert_eq!(row.get(Metric::Energy), Some(9.0));
    assert_eq!(row.get(Metric::TestAccuracy), None);
    assert!(view.at(RowId(3)).is_none());
    // A row without a trial at this budget is there by number, and empty.
    let absent = view.at(table.row(hash(2)).unwrap()).unwrap();
    assert!(!absent.is_present() && absent.get(Metric::Energy).is_none());
    assert_eq!(
        view.rows().map(|row| row.hash()).collect::<Vec<_>>(),
        [hash(3), hash(1)]
    );
    assert_eq!(snapshot.table("two").unwrap().budgets().len(), 0);
}

#[test]
fn a_look_up_borrows_the_file() {
    let snapshot = open(&sealed(&[("t", &example_trials())])).unwrap();
    let file = snapshot.as_bytes().as_ptr_range();
    let view = snapshot.view("t", budget(108)).unwrap();
    let column = view.column(Metric::Energy).unwrap();
    assert!(file.contains(&column.as_ptr().cast()));
}

#[test]
fn snapshots_and_views_cross_threads() {
    fn check<T: Send + Sync>() {}
    check::<Snapshot>();
    check::<Snapshot<ecnas::snapshot::MappedBytes>>();
    check::<Table<'_>>();
    check::<View<'_>>();
    check::<Row<'_, '_>>();
    check::<SnapshotError>();
}

#[test]
fn the_same_trials_give_the_same_bytes() {
    let trials = example_trials();
    assert_eq!(sealed(&[("t", &trials)]), sealed(&[("t", &trials)]));
}

#[test]
fn mapped_and_copied_snapshots_agree() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("t.ecnas");
    write(&path, &[("t", &example_trials())]);
    let copied = Snapshot::open(&path).unwrap();
    // SAFETY: nothing changes the file in this test.
    #[allow(unsafe_code)]
    let mapped = unsafe { Snapshot::map(&path) }.unwrap();
    assert_eq!(copied.as_bytes(), mapped.as_bytes());
    assert_eq!(mapped.verify().unwrap(), copied.verify().unwrap());
    // Replacing by rename leaves open readers with what they opened.
    write(&path, &[("other", &[])]);
    assert_eq!(mapped.only_table().unwrap().name(), "t");
    mapped.verify().unwrap();
    assert_eq!(
        Snapshot::open(&path).unwrap().only_table().unwrap().name(),
        "other"
    );
}

/// Infinities of both signs have no mean, and the column is there all the same.
#[test]
fn values_without_a_mean_are_kept() {
    let trials: Vec<Trial> = [(1, f64::INFINITY), (2, f64::NEG_INFINITY)]
        .map(|(repeat, value)| {
            let mut trial = Trial::new(hash(1), budget(4), repeat);
            trial.totals.set(Metric::TotalCo2e, value);
            trial
        })
        .into();
    let snapshot = open(&sealed(&[("t", &trials)])).unwrap();
    let table = snapshot.only_table().unwrap();
    let least = table.view_with(budget(4), Repeats::Min).unwrap();
    let get = |view: &ecnas::snapshot::View<'_>| view.get(hash(1)).unwrap().get(Metric::TotalCo2e);
    assert_eq!(get(&least), Some(f64::NEG_INFINITY));
    assert_eq!(get(&table.view(budget(4)).unwrap()), None);
}

#[test]
fn every_changed_byte_is_found() {
    let bytes = sealed(&[("t", &example_trials())]);
    for at in 0..bytes.len() {
        let mut damaged = bytes.clone();
        damaged[at] ^= 1 << (at % 8);
        let refused = open(&damaged).and_then(|snapshot| snapshot.verify().map(|_| ()));
        assert!(
            refused.is_err(),
            "a changed byte {at} of {} passed",
            bytes.len()
        );
    }
}

#[test]
fn every_truncation_and_extension_is_refused_at_once() {
    let bytes = sealed(&[("t", &example_trials())]);
    for len in 0..bytes.len() {
        assert!(open(&bytes[..len]).is_err(), "{len} bytes passed");
    }
    for more in 1..=64 {
        let mut longer = bytes.clone();
        longer.resize(bytes.len() + more, 0);
        let error = open(&longer).unwrap_err();
        assert!(matches!(error, SnapshotError::Length { .. }), "{error}");
    }
}

#[test]
fn other_files_are_called_what_they_are() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("file");
    let cases: [(&[u8], &str); 5] = [
        (b"", "an empty file"),
        (
            b"version https://git-lfs.github.com/spec/v1\noid",
            "git lfs pull",
        ),
        (b"redb\x1A\x0A\xA9\x0D\x0A0000000000", "a store"),
        (b"\xf0\x03\0\0\0\0\0\0abcd[\"55\", 4", "a TFRecord"),
        (b"hash,energy_kwh\n", "hash,ene"),
    ];
    for (bytes, says) in cases {
        std::fs::write(&path, bytes).unwrap();
        let error = Snapshot::open(&path).unwrap_err().to_string();
        assert!(
            error.contains(says) || says == "a store" && error.contains("ecnas store"),
            "{error}"
        );
        assert!(error.contains("file"), "{error}");
    }
    assert!(Snapshot::open(folder.path()).is_err());
    let error = Snapshot::open(folder.path().join("none")).unwrap_err();
    assert!(matches!(error, SnapshotError::Io { .. }), "{error}");
}

#[test]
fn later_versions_and_other_byte_orders_are_refused() {
    let bytes = sealed(&[("t", &example_trials())]);
    let mut later = bytes.clone();
    later[8] = 2;
    let error = open(&later).unwrap_err();
    assert!(
        matches!(
            error,
            SnapshotError::Version {
                expected: 1,
                found: 2
            }
        ),
        "{error}"
    );
    let mut other = bytes;
    other[12..16].reverse();
    assert!(matches!(open(&other), Err(SnapshotError::Endianness)));
}

#[test]
fn misaligned_bytes_are_refused() {
    let bytes = sealed(&[("t", &example_trials())]);
    let mut shifted = vec![0; bytes.len() + 16];
    let start = (0..16)
        .find(|at| shifted[*at..].as_ptr().addr() % 16 == 1)
        .unwrap();
    shifted[start..start + bytes.len()].copy_from_slice(&bytes);
    let refused = Snapshot::from_bytes(&shifted[start..start + bytes.len()]);
    assert!(matches!(
        refused,
        Err(SnapshotError::Misaligned { found: 1 })
    ));
}

#[test]
fn a_failed_seal_leaves_the_target_alone() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("t.ecnas");
    write(&path, &[("t", &example_trials())]);
    let before = std::fs::read(&path).unwrap();
    {
        let mut writer = SnapshotWriter::create(&path).unwrap();
        writer.begin_table(info("half")).unwrap();
        writer.add(&example_trials()[0]).unwrap();
    }
    let mut writer = SnapshotWriter::create(&path).unwrap();
    writer.begin_table(info("twice")).unwrap();
    writer.add(&example_trials()[0]).unwrap();
    writer.add(&example_trials()[0]).unwrap();
    let error = writer.finish().unwrap_err();
    assert!(error.to_string().contains("one trial per cell"), "{error}");
    assert_eq!(std::fs::read(&path).unwrap(), before);
    assert_eq!(std::fs::read_dir(folder.path()).unwrap().count(), 1);
    let nowhere = SnapshotWriter::create(folder.path().join("no/such/t.ecnas"));
    assert!(matches!(nowhere, Err(SnapshotError::Io { .. })));
}

#[test]
fn what_the_format_has_no_room_for_is_refused_when_it_is_sealed() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("t.ecnas");
    let with_columns = |count: usize| {
        let mut trial = Trial::new(hash(1), budget(4), 1);
        let names = (0..count).map(|number| format!("column {number}"));
        trial.other = names.zip((0..).map(f64::from)).collect();
        let mut writer = SnapshotWriter::create(&path).unwrap();
        writer.begin_table(info("t")).unwrap();
        writer.add(&trial).unwrap();
        writer.finish()
    };
    with_columns(16_384).unwrap();
    let snapshot = Snapshot::open(&path).unwrap();
    let view = snapshot.view("t", budget(4)).unwrap();
    assert_eq!(view.columns().count(), 16_384);
    let error = with_columns(16_385).unwrap_err().to_string();
    assert!(error.contains("at most 16384"), "{error}");

    let with_tables = |count: usize| {
        let mut writer = SnapshotWriter::create(&path).unwrap();
        for number in 0..count {
            writer.begin_table(info(&number.to_string())).unwrap();
        }
        writer.finish()
    };
    with_tables(10_000).unwrap();
    let snapshot = Snapshot::open(&path).unwrap();
    assert_eq!(snapshot.tables().count(), 10_000);
    let error = with_tables(50_000).unwrap_err().to_string();
    assert!(error.contains("at most 262144"), "{error}");
    // What was there before is there still.
    snapshot.verify().unwrap();
    assert_eq!(Snapshot::open(&path).unwrap().tables().count(), 10_000);
}

#[cfg(unix)]
#[test]
fn a_new_snapshot_can_be_shared() {
    use std::os::unix::fs::PermissionsExt;
    let folder = tempfile::tempdir().unwrap();
    let (path, plain) = (folder.path().join("t.ecnas"), folder.path().join("plain"));
    write(&path, &[("t", &[])]);
    std::fs::write(&plain, b"").unwrap();
    let mode = |path| std::fs::metadata(path).unwrap().permissions().mode() & 0o777;
    assert_eq!(mode(&path), mode(&plain));
}

#[test]
fn draws_are_even_and_repeatable() {
    let mut trials = Vec::new();
    for number in 0..200 {
        for repeat in 1..=3 {
            let mut trial = Trial::new(hash(number), budget(4), repeat);
            trial.totals.set(Metric::Energy, f64::from(repeat));
            trial
                .totals
                .set(Metric::TestAccuracy, f64::from(repeat) / 10.0);
            trials.push(trial);
        }
    }
    let snapshot = open(&sealed(&[("t", &trials)])).unwrap();
    let table = snapshot.only_table().unwrap();
    let drawn = |seed| {
        let view = table.view_with(budget(4), Repeats::Draw { seed }).unwrap();
        view.column(Metric::Energy).unwrap().to_vec()
    };
    assert_eq!(drawn(1), drawn(1));
    assert_ne!(drawn(1), drawn(2));
    let mut counts = BTreeMap::new();
    for value in (0..10).flat_map(drawn) {
        *counts.entry(value as u32).or_insert(0) += 1;
    }
    assert!(
        counts.values().all(|&count| (567..=767).contains(&count)),
        "{counts:?}"
    );
    // Every metric comes from the same repeat.
    let view = table
        .view_with(budget(4), Repeats::Draw { seed: 5 })
        .unwrap();
    for row in view.rows() {
        let energy = row.get(Metric::Energy).unwrap();
        assert_eq!(row.get(Metric::TestAccuracy), Some(energy / 10.0));
    }
}

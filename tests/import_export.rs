//! A table that is exported as CSV and imported again says the same of itself and of its trials.
#![cfg(feature = "import")]

mod common;

use std::fs;
use std::ops::ControlFlow;
use std::path::Path;

use ecnas::cell::{Cell, CellHash, enumerate};
use ecnas::export::write_csv;
use ecnas::import::{Import, ImportOptions};
use ecnas::metrics::{Budget, Checkpoint, Metric, Provenance, Provenances, TableInfo, Trial, Unit};
use ecnas::snapshot::{Snapshot, SnapshotWriter};
use ecnas::store::{OnDuplicate, Store};
use proptest::prelude::*;

/// Exports the only table of a snapshot.
fn export(snapshot: &Snapshot) -> String {
    let mut out = Vec::new();
    write_csv(snapshot.only_table().unwrap(), &mut out).unwrap();
    String::from_utf8(out).unwrap()
}

/// Imports a file, and seals what came of it.
fn import(path: &Path) -> Snapshot {
    let dir = tempfile::tempdir().unwrap();
    let mut store = Store::open(dir.path().join("store.redb")).unwrap();
    let options = ImportOptions::default();
    let go_on = |_| ControlFlow::Continue(());
    ecnas::ingest(
        &mut store,
        path,
        Some("t"),
        &options,
        OnDuplicate::Refuse,
        go_on,
    )
    .unwrap();
    let sealed = ecnas::seal(&mut store, dir.path().join("t.ecnas")).unwrap();
    Snapshot::open(sealed.path).unwrap()
}

fn import_text(text: &str) -> Snapshot {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("t.csv");
    fs::write(&path, text).unwrap();
    import(&path)
}

/// What a table says of itself, but for the file that it came from.
fn said(snapshot: &Snapshot) -> (TableInfo, Vec<(String, Provenance, Provenance)>) {
    let table = snapshot.only_table().unwrap();
    let info = table.info().unwrap();
    let columns = ecnas::export::columns(table).unwrap();
    let of = |name: &&str| {
        let provenance = &info.provenance;
        (
            name.to_string(),
            provenance.of(name),
            provenance.of_checkpoint(name),
        )
    };
    let columns = columns.iter().map(of).collect();
    let facts = TableInfo {
        sources: Vec::new(),
        provenance: Provenances::default(),
        ..info
    };
    (facts, columns)
}

/// Text of any kind: quotes, line ends, control characters, spaces at the ends, what looks like a statement.
fn text() -> impl Strategy<Value = String> {
    let odd = [
        "\"",
        "\"x\" y",
        "a\nb",
        "a\r\n# pue: 7",
        "\u{1b}[31m",
        "\u{85}",
        "\0",
        "\\u0041",
        " x ",
        "",
        "#",
        "ä, ß: €",
        "'=1+1",
        "\u{feff}",
        "\u{2028}x",
    ];
    prop_oneof![
        prop::sample::select(odd.to_vec()).prop_map(str::to_owned),
        ".{0,12}",
        any::<String>(),
    ]
}

fn provenance() -> impl Strategy<Value = Provenance> {
    use Provenance::{Averaged, Computed, Copied, Measured, Scaled, Unstated};
    prop_oneof![
        4 => prop::sample::select(vec![Unstated, Measured, Scaled, Averaged, Copied, Computed]),
        1 => text().prop_map(|model| Provenance::Predicted { model }),
    ]
}

/// Names of a user's own columns, none of which another reading than that is possible of.
const OWN: [&str; 9] = [
    "=1+1",
    "'@x",
    "latency_ms",
    "a;b;c;d;e;f;g;h",
    "a:b",
    "\"quoted\"",
    "# x",
    "own_0",
    "ä\tb",
];

prop_compose! {
    fn provenances()(
        all in provenance(),
        results in prop::collection::vec((0..Metric::ALL.len() + OWN.len(), provenance()), 0..6),
        checkpoints in prop::collection::vec((0..Metric::ALL.len() + OWN.len(), provenance()), 0..6),
    ) -> Provenances {
        let name = |number: usize| match Metric::ALL.get(number) {
            Some(metric) => metric.name().to_owned(),
            None => OWN[number - Metric::ALL.len()].to_owned(),
        };
        let mut stated = Provenances::uniform(all);
        stated.results.extend(results.into_iter().map(|(n, own)| (name(n), own)));
        stated.checkpoints.extend(checkpoints.into_iter().map(|(n, own)| (name(n), own)));
        stated
    }
}

prop_compose! {
    fn info()(
        data_set in prop::option::of(text()),
        device in prop::option::of(text()),
        origin in prop::option::of(text()),
        licence in prop::option::of(text()),
        pue in prop::option::of(prop_oneof![Just(1.0), Just(1.59), 1.0..1e300_f64]),
        provenance in provenances(),
    ) -> TableInfo {
        let mut info = TableInfo::default();
        (info.name, info.search_space) = ("t".to_owned(), Some("NAS-Bench-101".to_owned()));
        (info.data_set, info.device, info.origin, info.licence) = (data_set, device, origin, licence);
        (info.pue, info.provenance) = (pue, provenance);
        info
    }
}

/// A value that a run can have observed.
fn value(metric: Metric) -> BoxedStrategy<f64> {
    let odd = prop::sample::select(vec![0.0, -0.0, 5e-324, 0.1 + 0.2, 1.0, 1.0 - f64::EPSILON]);
    match metric.unit() {
        Unit::Fraction => prop_oneof![odd, 0.0..=1.0_f64].boxed(),
        _ => prop_oneof![odd, 0.0..1e9_f64, Just(f64::MAX), Just(1e16), Just(3.0)].boxed(),
    }
}

prop_compose! {
    fn trial()(
        cell in 0..9_usize,
        epochs in prop::sample::select(vec![1_u32, 4, 108]),
        totals in prop::collection::vec(0..Metric::ALL.len(), 0..6)
            .prop_flat_map(|metrics| metrics.into_iter().map(|number| {
                let metric = Metric::ALL[number];
                (Just(metric), value(metric))
            }).collect::<Vec<_>>()),
        own in prop::collection::vec((0..OWN.len(), any::<f64>()), 0..3),
        drawn in any::<bool>(),
    ) -> Trial {
        let cells: Vec<Cell> = enumerate(4, 9).take(8).collect();
        let known = cells.get(cell).copied();
        let hash = known.map_or(CellHash::from_bytes([3; 16]), |cell| cell.hash());
        let mut trial = Trial::new(hash, Budget::epochs(epochs).unwrap(), 1);
        trial.cell = known.filter(|_| drawn);
        let mut last = Checkpoint::default();
        for (metric, value) in totals {
            let values = if metric.is_of_whole_run() { &mut trial.totals } else { &mut last.values };
            values.set(metric, value);
        }
        trial.checkpoints.push(last);
        for (number, value) in own {
            if trial.other.iter().all(|(name, _)| name != OWN[number]) {
                trial.other.push((OWN[number].to_owned(), value));
            }
        }
        trial
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn exporting_and_importing_again_changes_nothing(info in info(), trials in prop::collection::vec(trial(), 1..8)) {
        let dir = tempfile::tempdir().unwrap();
        let mut writer = SnapshotWriter::create(dir.path().join("t.ecnas")).unwrap();
        writer.begin_table(info).unwrap();
        for (repeat, mut trial) in (1..).zip(trials) {
            trial.repeat = repeat;
            writer.add(&trial).unwrap();
        }
        let made = Snapshot::open(writer.finish().unwrap().path).unwrap();

        let first = export(&made);
        let imported = import_text(&first);
        // An import adds what follows from a graph; all else is as it was.
        let (facts, columns) = said(&imported);
        let (expected, stated) = said(&made);
        prop_assert_eq!(&facts, &expected);
        for column in stated {
            prop_assert!(columns.contains(&column), "{:?} of {:?}", column, columns);
        }
        let second = export(&imported);
        let again = import_text(&second);
        prop_assert_eq!(&export(&again), &second);
        prop_assert_eq!(said(&again), said(&imported));
    }
}

#[test]
fn a_preamble_says_what_is_known_and_how_to_read_it() {
    let info = TableInfo {
        name: "t".to_owned(),
        device: Some("Quadro \"RTX\" 6000\n# pue: 9".to_owned()),
        pue: Some(1.59),
        provenance: Provenances::uniform(Provenance::Measured),
        ..TableInfo::default()
    };
    let dir = tempfile::tempdir().unwrap();
    let mut writer = SnapshotWriter::create(dir.path().join("t.ecnas")).unwrap();
    writer.begin_table(info).unwrap();
    let cell = enumerate(3, 9).next().unwrap();
    let mut trial = Trial::new(cell.hash(), Budget::epochs(4).unwrap(), 1);
    trial.totals.set(Metric::Energy, 0.5);
    writer.add(&trial).unwrap();
    let snapshot = Snapshot::open(writer.finish().unwrap().path).unwrap();
    let text = export(&snapshot);
    let expected = "# device: \"Quadro \\\"RTX\\\" 6000\\u000a# pue: 9\"\n# pue: 1.59\n# provenance: measured\n\
                    hash,budget_epochs,repeat,adjacency,operations,energy_kwh\n";
    assert!(text.starts_with(expected), "{text}");
}

#[test]
fn released_files_and_results_say_the_same_after_a_round_by_csv() {
    for name in [
        "energy_4V9E_linscale.tfrecord",
        "energy_4V9E_4epochs.tfrecord",
        "results",
    ] {
        let Some(path) = common::data(&format!("ec-nas/{name}")) else {
            return;
        };
        let first = import(&path);
        let csv = export(&first);
        let second = import_text(&csv);
        assert_eq!(said(&second), said(&first), "{name}");
        assert!(export(&second) == csv, "{name}");
    }
}

/// A snapshot with trials of some cells, and estimates of all.
fn estimated(stated: Provenance, trials: usize, path: &Path) -> Snapshot {
    let mut info = TableInfo::default();
    (info.name, info.provenance) = ("t".to_owned(), Provenances::uniform(stated));
    let model = "m".to_owned();
    info.estimates.provenance = Provenances::uniform(Provenance::Predicted { model });
    info.estimates.setting.device = Some("a GPU".to_owned());
    let mut writer = SnapshotWriter::create(path).unwrap();
    writer.begin_table(info).unwrap();
    let cells: Vec<_> = enumerate(4, 9).map(|cell| (cell.hash(), cell)).collect();
    let four = Budget::epochs(4).unwrap();
    for (hash, cell) in cells.iter().take(trials) {
        let mut trial = Trial::new(*hash, four, 1);
        trial.cell = Some(*cell);
        trial.totals.set(Metric::Energy, 1.0);
        writer.add(&trial).unwrap();
    }
    let values: Vec<f64> = (0..cells.len()).map(|n| n as f64).collect();
    writer
        .add_estimates(four, &cells, &[("energy_kwh", &values)])
        .unwrap();
    Snapshot::open(writer.finish().unwrap().path).unwrap()
}

#[test]
fn predictions_that_are_exported_never_come_back_as_measurements() {
    let dir = tempfile::tempdir().unwrap();
    // Measured trials beside estimates: the estimates are left out.
    let mixed = estimated(Provenance::Measured, 3, &dir.path().join("mixed.ecnas"));
    let csv = export(&mixed);
    assert!(
        csv.contains("# estimates energy_kwh: predicted by m\n"),
        "{csv}"
    );
    let back = import_text(&csv);
    let table = back.only_table().unwrap();
    assert_eq!((table.len(), table.trial_count()), (3, 3));
    assert!(csv.contains("# estimates_device: a GPU\n") && table.info().unwrap().device.is_none());
    let provenance = |snapshot: &Snapshot| {
        let info = snapshot.only_table().unwrap().info().unwrap();
        info.provenance.of(Metric::Energy)
    };
    assert_eq!(provenance(&back), Provenance::Measured);
    let again = export(&back);
    assert!(!again.contains("is_estimate"), "{again}");
    assert_eq!(export(&import_text(&again)), again);

    // Estimates alone: they come back as predicted.
    let alone = estimated(Provenance::Unstated, 0, &dir.path().join("alone.ecnas"));
    let back = import_text(&export(&alone));
    assert_eq!(back.only_table().unwrap().trial_count(), 91);
    let device = back.only_table().unwrap().info().unwrap().device;
    assert_eq!(device.as_deref(), Some("a GPU"));
    let model = "m".to_owned();
    assert_eq!(provenance(&back), Provenance::Predicted { model });

    // Without a word of where they come from, they do not come back at all.
    let bare: String = export(&alone)
        .lines()
        .filter(|line| !line.starts_with('#'))
        .fold(String::new(), |all, line| all + line + "\n");
    let path = dir.path().join("bare.csv");
    fs::write(&path, bare).unwrap();
    let error = Import::open(&path, &ImportOptions::default())
        .and_then(Import::finish)
        .unwrap_err();
    assert!(
        error.to_string().contains("all lines hold estimates"),
        "{error}"
    );
}

#[test]
fn names_that_outputs_use_are_refused_on_every_way_in() {
    let dir = tempfile::tempdir().unwrap();
    let cell = enumerate(3, 9).next().unwrap();
    let mut trial = Trial::new(cell.hash(), Budget::epochs(4).unwrap(), 1);
    for name in ecnas::metrics::RESERVED_NAMES
        .into_iter()
        .chain(["Is Estimate", "energy_kwh"])
    {
        trial.other = vec![(name.to_owned(), 1.0)];
        let mut store = Store::open(dir.path().join("s.redb")).unwrap();
        let mut append = store.append("t").unwrap();
        let error = append
            .add(std::slice::from_ref(&trial), OnDuplicate::Refuse)
            .unwrap_err();
        assert!(error.to_string().contains("rename it"), "{name}: {error}");
        drop(append);
        let info = TableInfo {
            name: "t".to_owned(),
            ..TableInfo::default()
        };
        let mut writer = SnapshotWriter::create(dir.path().join("t.ecnas")).unwrap();
        writer.begin_table(info).unwrap();
        let error = writer.add(&trial).unwrap_err();
        assert!(error.to_string().contains("rename it"), "{name}: {error}");
        let cells = [(cell.hash(), cell)];
        let column: (&str, &[f64]) = (name, &[1.0]);
        let added = writer.add_estimates(trial.budget, &cells, &[column]);
        assert_eq!(added.is_ok(), name == "energy_kwh", "{name}");
    }
}

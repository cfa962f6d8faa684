//! Files of every released format version answer for ever, and files of other formats are refused by name.
//!
//! `tests/fixtures` holds a snapshot and a store of each version. Those of a new version are written by
//! `cargo test --test formats -- --ignored`, once, when it is released; what they must answer stands below.

use std::fs;
use std::path::{Path, PathBuf};

use ecnas::cell::{Cell, Op};
use ecnas::metrics::{
    Budget, Checkpoint, Component, Metric, PowerUsage, Provenance, Provenances, TableInfo, Trial,
};
use ecnas::snapshot::{AlignedBytes, Snapshot, SnapshotError};
use ecnas::store::{OnDuplicate, Store, StoreError};

/// Of every released version.
const SNAPSHOTS: &[&str] = &["v1.ecnas"];
const STORES: &[&str] = &["v1.redb"];

fn fixture(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("tests/fixtures")
        .join(name)
}

/// Cells with one operation between input and output, and one without any.
fn drawn(op: Option<Op>) -> Cell {
    match op {
        Some(op) => Cell::from_bits("010001000", &format!("input,{},output", op.name())).unwrap(),
        None => Cell::from_bits("0100", "input,output").unwrap(),
    }
}

fn info() -> TableInfo {
    TableInfo {
        name: "measured".to_owned(),
        search_space: Some("NAS-Bench-101".to_owned()),
        device: Some("a device".to_owned()),
        pue: Some(1.59),
        provenance: Provenances::uniform(Provenance::Measured),
        ..TableInfo::default()
    }
}

/// What the fixtures of every version hold.
fn trials() -> Vec<Trial> {
    let trial = |op, epochs, repeat, energy: Option<f64>, accuracy| {
        let cell = drawn(op);
        let mut trial = Trial::new(cell.hash(), Budget::epochs(epochs).unwrap(), repeat);
        trial.cell = Some(cell);
        let mut last = Checkpoint::default();
        last.values.set_some(Metric::Energy, energy);
        last.values.set(Metric::ValidationAccuracy, accuracy);
        trial.checkpoints = vec![Checkpoint::default(), last];
        trial
    };
    let mut all = vec![
        trial(Some(Op::Conv3x3), 4, 1, Some(0.5), 0.8),
        trial(Some(Op::Conv3x3), 4, 2, Some(0.75), 0.85),
        trial(Some(Op::Conv1x1), 4, 1, Some(0.25), 0.75),
        trial(Some(Op::MaxPool3x3), 4, 1, None, 0.5),
        trial(None, 4, 1, Some(f64::INFINITY), -0.0),
        trial(Some(Op::Conv3x3), 108, 1, Some(16.0), 0.9375),
        trial(Some(Op::Conv1x1), 108, 1, Some(8.0), 0.9296875),
    ];
    all[2].totals.set(Metric::TrainingTime, 1200.5);
    all[2].other = vec![("own_kwh".to_owned(), 2.5)];
    all[2].started = Some("2024-01-01".to_owned());
    all[2].power = vec![PowerUsage {
        component: Component::Gpu,
        device: Some("a device".to_owned()),
        power_w: Some(250.0),
        energy_j: Some(1e6),
    }];
    all[5].unrecognised = vec![("path".to_owned(), "text".to_owned())];
    all[5].verbatim = Some(vec![1, 2, 3]);
    all
}

/// Run by hand when a format version is released; the files are committed.
#[test]
#[ignore = "writes the fixtures"]
fn make_the_fixtures() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("s.redb");
    let mut store = Store::open(&path).unwrap();
    let mut append = store.append("measured").unwrap();
    append.add(&trials(), OnDuplicate::Refuse).unwrap();
    append.commit(info()).unwrap();
    ecnas::seal(&mut store, fixture("v1.ecnas")).unwrap();
    drop(store);
    fs::copy(path, fixture("v1.redb")).unwrap();
}

/// The answers of the fixture, written down by hand from [`trials`].
fn check<B: AsRef<[u8]>>(snapshot: &Snapshot<B>) {
    snapshot.verify().unwrap();
    let table = snapshot.only_table().unwrap();
    let stated = table.info().unwrap();
    assert_eq!((table.name(), stated.pue), ("measured", Some(1.59)));
    assert_eq!(stated.search_space.as_deref(), Some("NAS-Bench-101"));
    assert_eq!((table.len(), table.trial_count()), (4, 7));
    let budgets: Vec<u32> = table.budgets().map(Budget::get).collect();
    assert_eq!(budgets, [4, 108]);

    let short = table.view(Budget::epochs(4).unwrap()).unwrap();
    let of = |op| short.get(drawn(op)).unwrap();
    let values = |op| {
        (
            of(op).get(Metric::Energy),
            of(op).get(Metric::ValidationAccuracy),
        )
    };
    assert_eq!(values(Some(Op::Conv3x3)), (Some(0.625), Some(0.825)));
    assert_eq!(values(Some(Op::Conv1x1)), (Some(0.25), Some(0.75)));
    assert_eq!(values(Some(Op::MaxPool3x3)), (None, Some(0.5)));
    assert_eq!(values(None), (Some(f64::INFINITY), Some(0.0)));
    assert_eq!(of(Some(Op::Conv1x1)).get_named("own_kwh"), Some(2.5));
    let found = short.query().at_most(Metric::Energy, 0.625).unwrap();
    assert_eq!(found.count().unwrap(), 2);

    let long = table.view(Budget::epochs(108).unwrap()).unwrap();
    let hashes = |rows: &[ecnas::snapshot::RowId]| -> Vec<String> {
        let rows = rows.iter().map(|row| long.at(*row).unwrap().hash());
        rows.map(|hash| hash.to_string()).collect()
    };
    use ecnas::query::Objective;
    let pair = [
        Objective::ENERGY,
        Objective::maximize(Metric::ValidationAccuracy),
    ];
    let front = long.dominance(pair).unwrap();
    assert_eq!(
        hashes(front.front()),
        [Some(Op::Conv1x1), Some(Op::Conv3x3)].map(|op| drawn(op).hash().to_string())
    );

    let mut expected = trials();
    let order =
        |a: &Trial, b: &Trial| (a.hash, a.budget, a.repeat).cmp(&(b.hash, b.budget, b.repeat));
    expected.sort_by(order);
    let mut found: Vec<Trial> = table
        .trials()
        .map(|trial| trial.unwrap().to_trial())
        .collect();
    found.sort_by(order);
    assert_eq!(found, expected);
}

#[test]
fn snapshots_of_every_version_answer() {
    for name in SNAPSHOTS {
        check(&Snapshot::open(fixture(name)).unwrap());
    }
}

/// Without files or mapped memory, so that Miri can watch:
/// `MIRIFLAGS=-Zmiri-disable-isolation cargo +nightly miri test --test formats memory`.
#[test]
fn the_reader_is_at_home_in_memory() {
    let bytes = AlignedBytes::copy_from(include_bytes!("fixtures/v1.ecnas"));
    check(&Snapshot::from_bytes(bytes).unwrap());
}

#[test]
fn stores_of_every_version_are_read_and_grow() {
    for name in STORES {
        let folder = tempfile::tempdir().unwrap();
        let (path, sealed) = (folder.path().join(name), folder.path().join("s.ecnas"));
        fs::copy(fixture(name), &path).unwrap();
        let mut store = Store::open(&path).unwrap();
        ecnas::seal(&mut store, &sealed).unwrap();
        check(&Snapshot::open(&sealed).unwrap());
        let mut append = store.append("measured").unwrap();
        let mut more = trials();
        more.truncate(1);
        more[0].repeat = 3;
        append.add(&more, OnDuplicate::Refuse).unwrap();
        append.commit(info()).unwrap();
        assert_eq!(store.table("measured").unwrap().trials, 8);
    }
}

fn refused(change: impl FnOnce(&mut Vec<u8>)) -> SnapshotError {
    let mut bytes = fs::read(fixture("v1.ecnas")).unwrap();
    change(&mut bytes);
    Snapshot::from_bytes(AlignedBytes::copy_from(&bytes)).unwrap_err()
}

#[test]
fn other_formats_are_refused_by_name() {
    // As the magic number is made to show: a transfer that took line ends for text, or the high bit away.
    let error = refused(|bytes| {
        bytes.remove(6);
    });
    assert!(
        matches!(error, SnapshotError::NotASnapshot { .. }),
        "{error}"
    );
    let error = refused(|bytes| bytes[0] &= 0x7F);
    assert!(
        matches!(error, SnapshotError::NotASnapshot { .. }),
        "{error}"
    );
    let error = refused(Vec::clear);
    assert!(
        matches!(error, SnapshotError::NotASnapshot { .. }),
        "{error}"
    );

    for version in [0, 2, 7, u32::MAX] {
        let error = refused(|bytes| bytes[8..12].copy_from_slice(&version.to_le_bytes()));
        assert!(
            matches!(error, SnapshotError::Version { expected: 1, found } if found == version),
            "{error}"
        );
    }
    // The integers of a machine of the other kind.
    let error = refused(|bytes| {
        bytes[8..12].reverse();
        bytes[12..16].reverse();
    });
    assert!(matches!(error, SnapshotError::Endianness), "{error}");
    // The archives of a build with other features of rkyv.
    let error = refused(|bytes| {
        bytes[44] ^= 1;
        let crc = crc32c::crc32c(&bytes[..124]);
        bytes[124..128].copy_from_slice(&crc.to_le_bytes());
    });
    assert!(
        matches!(error, SnapshotError::ArchiveLayout { .. }),
        "{error}"
    );
}

#[test]
fn stores_of_other_formats_are_refused_by_name() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("s.redb");
    // Another database of the same engine.
    {
        let database = redb::Database::create(&path).unwrap();
        let write = database.begin_write().unwrap();
        let table: redb::TableDefinition<'_, &str, u64> = redb::TableDefinition::new("own");
        write.open_table(table).unwrap().insert("a", 1).unwrap();
        write.commit().unwrap();
    }
    let error = Store::open(&path).unwrap_err();
    assert!(matches!(error, StoreError::NotAStore { .. }), "{error}");
    {
        // It has what it had, and nothing of ours.
        use redb::{ReadableDatabase, TableHandle};
        let database = redb::Database::open(&path).unwrap();
        let read = database.begin_read().unwrap();
        let names: Vec<String> = read
            .list_tables()
            .unwrap()
            .map(|table| table.name().to_owned())
            .collect();
        assert_eq!(names, ["own"]);
    }
    // A store from the future.
    fs::copy(fixture("v1.redb"), &path).unwrap();
    {
        let database = redb::Database::open(&path).unwrap();
        let write = database.begin_write().unwrap();
        let meta: redb::TableDefinition<'_, &str, u64> = redb::TableDefinition::new("meta");
        write
            .open_table(meta)
            .unwrap()
            .insert("version", 2)
            .unwrap();
        write.commit().unwrap();
    }
    let error = Store::open(&path).unwrap_err();
    assert!(
        matches!(
            error,
            StoreError::Version {
                expected: 1,
                found: 2,
                ..
            }
        ),
        "{error}"
    );
}

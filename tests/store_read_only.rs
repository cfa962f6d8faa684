//! Stores that are read and not written.

use std::fs;
use std::path::Path;
use std::time::SystemTime;

use ecnas::cell::{Cell, enumerate};
use ecnas::metrics::{Budget, Metric, TableInfo, Trial};
use ecnas::snapshot::Snapshot;
use ecnas::store::{OnDuplicate, Store, StoreError};
use sha2::{Digest, Sha256};

fn trials(epochs: u32) -> Vec<Trial> {
    let trial = |cell: Cell| {
        let mut trial = Trial::new(cell.hash(), Budget::epochs(epochs).unwrap(), 1);
        trial.cell = Some(cell);
        trial.totals.set(Metric::Energy, f64::from(epochs));
        trial
    };
    enumerate(5, 9).map(trial).collect()
}

fn add(store: &mut Store, epochs: u32) {
    let mut append = store.append("t").unwrap();
    append.add(&trials(epochs), OnDuplicate::Refuse).unwrap();
    append.commit(TableInfo::default()).unwrap();
}

/// A digest of a file, and when it was changed last.
fn state(path: &Path) -> (Vec<u8>, SystemTime) {
    let digest = Sha256::digest(fs::read(path).unwrap()).to_vec();
    (digest, fs::metadata(path).unwrap().modified().unwrap())
}

fn count(store: &Store) -> usize {
    let mut count = 0;
    let each = |_| {
        count += 1;
        Ok::<(), StoreError>(())
    };
    store.for_each_trial("t", each).unwrap();
    count
}

/// Everything that reads.
fn read(path: &Path, tables: u64) {
    let mut store = Store::open_read_only(path).unwrap();
    let own = trials(4);
    assert_eq!(store.tables().unwrap()[0].trials, tables * own.len() as u64);
    assert_eq!(store.trials_of("t", own[7].hash).unwrap()[0], own[7]);
    assert_eq!(count(&store), own.len() * tables as usize);
    let verified = store.verify().unwrap();
    assert_eq!(verified.trials, tables * own.len() as u64);
    let sealed = path.with_extension("ecnas");
    ecnas::seal(&mut store, &sealed).unwrap();
    assert_eq!(Snapshot::open(sealed).unwrap().tables().len(), 1);
}

#[test]
fn reading_a_store_changes_not_one_byte_of_it() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("s.redb");
    add(&mut Store::open(&path).unwrap(), 4);
    let before = state(&path);
    read(&path, 1);
    assert_eq!(state(&path), before);
    // It grows as before afterwards.
    add(&mut Store::open(&path).unwrap(), 12);
    read(&path, 2);
}

#[test]
fn a_store_whose_writer_was_killed_is_read_as_its_last_import_left_it() {
    let folder = tempfile::tempdir().unwrap();
    let (path, copy) = (folder.path().join("s.redb"), folder.path().join("c.redb"));
    let mut store = Store::open(&path).unwrap();
    add(&mut store, 4);
    let mut append = store.append("t").unwrap();
    append.add(&trials(12), OnDuplicate::Refuse).unwrap();
    // In the middle of an import.
    fs::copy(&path, &copy).unwrap();
    let before = state(&copy);
    read(&copy, 1);
    assert_eq!(state(&copy), before);
}

#[cfg(target_os = "linux")]
#[test]
fn a_store_that_is_read_is_opened_without_the_permission_to_write() {
    /// The flags of this process's handles of a file.
    fn access(path: &Path) -> Vec<u32> {
        let path = path.canonicalize().unwrap();
        let handles = fs::read_dir("/proc/self/fd").unwrap().flatten();
        let own = handles.filter(|handle| fs::read_link(handle.path()).is_ok_and(|to| to == path));
        own.map(|handle| {
            let about = Path::new("/proc/self/fdinfo").join(handle.file_name());
            let about = fs::read_to_string(about).unwrap();
            let flags = about.lines().find_map(|line| line.strip_prefix("flags:"));
            u32::from_str_radix(flags.unwrap().trim(), 8).unwrap() & 3
        })
        .collect()
    }

    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("s.redb");
    let mut store = Store::open(&path).unwrap();
    add(&mut store, 4);
    assert!(access(&path).contains(&2), "the control: a writer");
    drop(store);
    let mut store = Store::open_read_only(&path).unwrap();
    assert_eq!(access(&path), [0]);
    store.verify().unwrap();
    assert_eq!(access(&path), [0]);
    drop(store);
    assert!(access(&path).is_empty());
}

#[test]
fn a_store_has_one_writer_or_any_number_of_readers() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("s.redb");
    let mut store = Store::open(&path).unwrap();
    add(&mut store, 4);
    let error = Store::open_read_only(&path).unwrap_err();
    assert!(matches!(error, StoreError::Busy { .. }), "{error}");
    assert!(
        error.to_string().contains("wait until it is closed"),
        "{error}"
    );
    drop(store);
    let one = Store::open_read_only(&path).unwrap();
    let other = Store::open_read_only(&path).unwrap();
    let error = Store::open(&path).unwrap_err();
    assert!(matches!(error, StoreError::Busy { .. }), "{error}");
    assert_eq!(count(&one), count(&other));
    drop((one, other));
    add(&mut Store::open(&path).unwrap(), 12);
}

#[test]
fn a_store_that_is_read_refuses_every_change() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("s.redb");
    add(&mut Store::open(&path).unwrap(), 4);
    let before = state(&path);
    let mut store = Store::open_read_only(&path).unwrap();
    let refused = [
        store.append("t").err(),
        store.append("new").err(),
        store.rename_table("t", "u").err(),
        store.describe_table("t", TableInfo::default()).err(),
        store.drop_table("t").err(),
    ];
    for error in refused {
        let error = error.unwrap();
        assert!(matches!(error, StoreError::ReadOnly { .. }), "{error}");
        assert!(error.to_string().contains("open it for writing"), "{error}");
    }
    drop(store);
    assert_eq!(state(&path), before);
}

#[test]
fn a_store_that_is_not_there_is_not_made_by_reading() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("s.redb");
    let error = Store::open_read_only(&path).unwrap_err();
    assert!(matches!(error, StoreError::Io { .. }), "{error}");
    assert!(!path.exists());
    fs::write(&path, "").unwrap();
    let error = Store::open_read_only(&path).unwrap_err();
    assert!(matches!(error, StoreError::NotAStore { .. }), "{error}");
    assert!(error.to_string().contains("an empty file"), "{error}");
    assert!(fs::read(&path).unwrap().is_empty());
    drop(redb::Database::create(&path).unwrap());
    let before = state(&path);
    let error = Store::open_read_only(&path).unwrap_err();
    assert!(matches!(error, StoreError::NotAStore { .. }), "{error}");
    assert_eq!(state(&path), before);
}

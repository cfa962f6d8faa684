//! Sealing: from a store that grows to a snapshot that answers.
//!
//! This is where [`store`](crate::store) and [`snapshot`](crate::snapshot) meet; neither knows the other.

use std::ops::ControlFlow;
use std::path::Path;

use crate::snapshot::{Sealed, SnapshotError, SnapshotWriter};
use crate::store::{Store, StoreError};

/// How far sealing has come, in trials.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub struct SealProgress {
    /// Trials written.
    pub done: u64,
    /// Trials to write.
    pub total: u64,
}

/// What can go wrong while sealing. The target is as before then.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum SealError {
    /// The store cannot be read.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// The snapshot cannot be written.
    #[error(transparent)]
    Snapshot(#[from] SnapshotError),
    /// The store has no table.
    #[error(
        "{path}: the store has no table to seal; import a file first: ecnas import -s STORE FILE"
    )]
    Empty {
        /// The store.
        path: String,
    },
    /// The progress callback asked to stop.
    #[error("sealing was cancelled; no snapshot was written")]
    Cancelled,
}

/// Seals all tables of a store into one snapshot at `target`, replacing a file that is there, but never a store.
///
/// The store is [verified](Store::verify) first. The snapshot is written beside the target, synced, read back, and renamed:
/// readers of the old one keep it. The same store gives the same bytes.
///
/// ```no_run
/// let mut store = ecnas::store::Store::open("ec-nas.redb")?;
/// let sealed = ecnas::seal(&mut store, "ec-nas.ecnas")?;
/// println!("{} trials in {} bytes", sealed.trials, sealed.bytes);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
///
/// # Errors
/// The store is empty or cannot be read, the snapshot cannot be written, or the target is a store.
///
/// # Complexity
/// O(n log n) time; while a table is written, about 150 bytes of memory for each of its trials.
pub fn seal(store: &mut Store, target: impl AsRef<Path>) -> Result<Sealed, SealError> {
    seal_tables(store, &[], target, |_| ControlFlow::Continue(()))
}

/// Seals some tables of a store (all of them where none is named), reporting progress. Where `progress` breaks, sealing
/// stops and the target stays as it was.
///
/// # Errors
/// As [`seal`]; a table is not there; or `progress` broke.
pub fn seal_tables(
    store: &mut Store,
    tables: &[&str],
    target: impl AsRef<Path>,
    mut progress: impl FnMut(SealProgress) -> ControlFlow<()>,
) -> Result<Sealed, SealError> {
    let chosen = if tables.is_empty() {
        store.tables()?
    } else {
        tables
            .iter()
            .map(|name| store.table(name))
            .collect::<Result<_, _>>()?
    };
    if chosen.is_empty() {
        return Err(SealError::Empty {
            path: store.path().display().to_string(),
        });
    }
    // Damage to the store's file ends here: nothing of it flows on.
    store.verify()?;
    let mut state = SealProgress {
        done: 0,
        total: chosen.iter().map(|table| table.trials).sum(),
    };
    let mut writer = SnapshotWriter::create(target.as_ref())?;
    for table in chosen {
        let name = table.info.name.clone();
        writer.begin_table(table.info)?;
        store.for_each_record(&name, |record, trial| {
            writer.add_record(record, trial)?;
            state.done += 1;
            if state.done.is_multiple_of(1024) && progress(state).is_break() {
                return Err(SealError::Cancelled);
            }
            Ok(())
        })?;
    }
    if progress(state).is_break() {
        return Err(SealError::Cancelled);
    }
    Ok(writer.finish()?)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::cell::enumerate;
    use crate::files::faults::{self, Fault};
    use crate::metrics::{Budget, Metric, TableInfo, Trial};
    use crate::snapshot::Snapshot;
    use crate::store::OnDuplicate;

    fn store(path: &Path, epochs: u32) -> Store {
        let mut store = Store::open(path).unwrap();
        let mut append = store.append("t").unwrap();
        let trials: Vec<Trial> = enumerate(5, 9)
            .map(|cell| {
                let mut trial = Trial::new(cell.hash(), Budget::epochs(epochs).unwrap(), 1);
                trial.cell = Some(cell);
                trial.totals.set(Metric::Energy, f64::from(epochs));
                trial
            })
            .collect();
        append.add(&trials, OnDuplicate::Refuse).unwrap();
        append.commit(TableInfo::default()).unwrap();
        store
    }

    /// Every call to the operating system while a snapshot is written fails, in each way, once and for ever.
    #[test]
    fn every_call_that_fails_leaves_the_old_snapshot_or_the_new_one() {
        let folder = tempfile::tempdir().unwrap();
        let target = folder.path().join("t.ecnas");
        let mut before = store(&folder.path().join("before.redb"), 4);
        let mut after = store(&folder.path().join("after.redb"), 108);
        seal(&mut before, &target).unwrap();
        let old = std::fs::read(&target).unwrap();
        faults::set(None);
        seal(&mut after, &target).unwrap();
        let all = faults::set(None);
        assert!(all > 10, "{all} calls");
        let new = std::fs::read(&target).unwrap();
        assert_ne!(old, new);

        let ways: [fn(u32) -> Fault; 4] = [
            Fault::Once,
            Fault::FromThenOn,
            Fault::Interrupted,
            Fault::Short,
        ];
        for way in ways {
            for k in 0.. {
                std::fs::write(&target, &old).unwrap();
                faults::set(Some(way(k)));
                let sealed = seal(&mut after, &target);
                let calls = faults::set(None);
                let found = std::fs::read(&target).unwrap();
                if k >= calls {
                    sealed.unwrap();
                    break;
                }
                let fault = way(k);
                match sealed {
                    // The last call makes durable what is there.
                    Err(_) if calls >= all => assert!(found == new, "{fault:?}"),
                    Err(_) => assert!(found == old, "{fault:?}"),
                    Ok(_) => {
                        assert!(found == new, "{fault:?}");
                        // Only what is called again may have been cut short.
                        assert!(matches!(fault, Fault::Interrupted(_) | Fault::Short(_)));
                    }
                }
                let names = std::fs::read_dir(folder.path()).unwrap();
                assert_eq!(names.count(), 3, "{fault:?} left something");
            }
        }
        after.verify().unwrap();
        Snapshot::open(&target).unwrap().verify().unwrap();
    }
    #[test]
    fn a_store_is_no_place_to_seal_to() {
        let folder = tempfile::tempdir().unwrap();
        let paths = ["own.redb", "other.redb"].map(|name| folder.path().join(name));
        let [mut own, other] = [&paths[0], &paths[1]].map(|path| store(path, 4));
        drop(other);
        for path in &paths {
            let before = std::fs::metadata(path).unwrap().len();
            let error = seal(&mut own, path).unwrap_err();
            let SealError::Snapshot(SnapshotError::TargetIsStore { .. }) = error else {
                panic!("{error}");
            };
            assert_eq!(std::fs::metadata(path).unwrap().len(), before);
        }
        assert_eq!(own.verify().unwrap().tables, 1);
        drop(own);
        assert_eq!(Store::open(&paths[1]).unwrap().tables().unwrap().len(), 1);
    }
}

//! Checking a store: its pages by the storage engine, its trials and keys by us.

use std::hash::{DefaultHasher, Hash, Hasher};

use redb::{ReadableTable, ReadableTableMetadata};

use super::guard::guarded;
use super::schema::{KEYS, NAMES, TABLES, TRIALS, key, table_keys, table_range};
use super::{Store, StoreError};

/// What [`Store::verify`] has checked.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
#[non_exhaustive]
pub struct StoreVerified {
    /// Tables.
    pub tables: u64,
    /// Trials, and as many keys.
    pub trials: u64,
}

impl Store {
    /// Checks every page's checksum, every trial, and that keys and trials belong to each other.
    ///
    /// The storage engine checks its pages when it is told to, not when it reads them: a bit that flipped in the file is
    /// otherwise read as it is. [`seal`](crate::seal) runs this first, so that no damage flows on into a snapshot.
    ///
    /// # Errors
    /// The first damage that is found. Nothing is changed then.
    ///
    /// # Complexity
    /// O(bytes): reads the file twice. 16 bytes of memory for each trial of a table.
    pub fn verify(&mut self) -> Result<StoreVerified, StoreError> {
        let path = self.path.clone();
        guarded(&path, || self.verify_unguarded())
    }

    fn verify_unguarded(&mut self) -> Result<StoreVerified, StoreError> {
        let damaged = |expected, reason: String| StoreError::Damaged {
            path: self.path.clone(),
            expected,
            reason,
        };
        let intact = self.database.get_mut()?.check_integrity();
        let intact = intact.map_err(|error| StoreError::open(&self.path, error))?;
        if !intact {
            return Err(damaged(
                "pages with their checksums",
                "the storage engine repaired its allocation".to_owned(),
            ));
        }
        let read = self.begin_read()?;
        let names = read.open_table(NAMES).map_err(self.failed())?;
        let tables = read.open_table(TABLES).map_err(self.failed())?;
        let trials = read.open_table(TRIALS).map_err(self.failed())?;
        let keys = read.open_table(KEYS).map_err(self.failed())?;
        let mut verified = StoreVerified::default();
        for entry in names.iter().map_err(self.failed())? {
            let (name, id) = entry.map_err(self.failed())?;
            let (name, id) = (name.value().to_owned(), id.value());
            let bytes = tables.get(id).map_err(self.failed())?;
            let bytes = bytes.ok_or_else(|| {
                damaged("a description of each table", format!("none of `{name}`"))
            })?;
            let stored = self.decode(bytes.value())?;
            // In the order of the trials, each with what tells its key from others.
            let mut sequences = Vec::new();
            let (first, last) = table_keys(id).into_inner();
            let of_table = keys.range(first.as_slice()..=last.as_slice());
            for entry in of_table.map_err(self.failed())? {
                let (key, sequence) = entry.map_err(self.failed())?;
                sequences.push((sequence.value(), fingerprint(key.value())));
            }
            sequences.sort_unstable();
            let mut of_trials = sequences.iter();
            let mut count = 0;
            for entry in trials.range(table_range(id)).map_err(self.failed())? {
                let (place, bytes) = entry.map_err(self.failed())?;
                let (_, sequence) = place.value();
                let own = self.trial(bytes.value(), |_, trial| {
                    let key = key(id, trial.hash(), trial.budget().get(), trial.repeat());
                    (sequence, fingerprint(&key))
                })?;
                if of_trials.next() != Some(&own) {
                    return Err(damaged(
                        "the key of each trial",
                        format!("another one of trial {sequence} of `{name}`"),
                    ));
                }
                count += 1;
            }
            if count != stored.trials || sequences.len() as u64 != count {
                return Err(damaged(
                    "as many trials and keys as a table counts",
                    format!(
                        "{count} trials and {} keys, where `{name}` counts {}",
                        sequences.len(),
                        stored.trials
                    ),
                ));
            }
            verified.tables += 1;
            verified.trials += count;
        }
        let whole = trials.len().map_err(self.failed())?;
        if whole != verified.trials {
            return Err(damaged(
                "a table for each trial",
                format!(
                    "{} trials without one",
                    whole.saturating_sub(verified.trials)
                ),
            ));
        }
        Ok(verified)
    }
}

fn fingerprint(key: &[u8]) -> u64 {
    let mut hasher = DefaultHasher::new();
    key.hash(&mut hasher);
    hasher.finish()
}

use std::collections::BTreeMap;

use redb::{ReadableTable, WriteTransaction};

use super::schema::{
    KEYS, META, NAMES, NEXT_TABLE_KEY, StoredTable, TABLES, TRIALS, check_name, key, repeat_of,
};
use super::{Store, StoreError, describe_key};
use crate::metrics::{Provenance, TableInfo, Trial, encode_trial};

/// What to do with a trial whose cell, budget and repeat the table holds already, with other values. (A trial that is there
/// with the same values changes nothing, whatever this says.)
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
#[non_exhaustive]
pub enum OnDuplicate {
    /// An error: nothing of the transaction is stored.
    #[default]
    Refuse,
    /// The table's trial stays.
    Keep,
    /// The new trial takes its place.
    Replace,
    /// The new trial becomes the cell's next repeat.
    Renumber,
}

/// What happened to the trials of a transaction.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
#[non_exhaustive]
pub struct Counts {
    /// Trials that were not there before.
    pub added: u64,
    /// Trials that were there with the same values.
    pub unchanged: u64,
    /// Duplicates with other values that were left out ([`OnDuplicate::Keep`]).
    pub kept: u64,
    /// Duplicates that took the place of a trial ([`OnDuplicate::Replace`]).
    pub replaced: u64,
    /// Duplicates that became a further repeat ([`OnDuplicate::Renumber`]); they count as added too.
    pub renumbered: u64,
}

/// A transaction that adds trials to a table: all of them at [`commit`](Self::commit), or none.
pub struct Append<'s> {
    store: &'s Store,
    write: WriteTransaction,
    id: u32,
    table: StoredTable,
    counts: Counts,
}

impl<'s> Append<'s> {
    pub(super) fn begin(store: &'s Store, name: &str) -> Result<Self, StoreError> {
        check_name(name)?;
        let write = store.database.begin_write().map_err(store.failed())?;
        let (id, table) = {
            let mut names = write.open_table(NAMES).map_err(store.failed())?;
            let tables = write.open_table(TABLES).map_err(store.failed())?;
            let id = names
                .get(name)
                .map_err(store.failed())?
                .map(|id| id.value());
            if let Some(id) = id {
                let bytes = tables.get(id).map_err(store.failed())?;
                let table = store.decode(bytes.as_ref().map_or(&[], |bytes| bytes.value()))?;
                (id, table)
            } else {
                let mut meta = write.open_table(META).map_err(store.failed())?;
                let next = meta.get(NEXT_TABLE_KEY).map_err(store.failed())?;
                let id = next.map_or(0, |next| next.value()) as u32;
                meta.insert(NEXT_TABLE_KEY, u64::from(id) + 1)
                    .map_err(store.failed())?;
                names.insert(name, id).map_err(store.failed())?;
                let info = TableInfo {
                    name: name.to_owned(),
                    ..TableInfo::default()
                };
                let table = StoredTable {
                    info,
                    trials: 0,
                    next_sequence: 0,
                };
                (id, table)
            }
        };
        Ok(Self {
            store,
            write,
            id,
            table,
            counts: Counts::default(),
        })
    }

    /// Adds a batch of trials.
    ///
    /// # Errors
    /// A duplicate under [`OnDuplicate::Refuse`], or a failure to write. The transaction is of no further use then: drop it.
    ///
    /// # Complexity
    /// O(log n) for each trial. Batches of some thousand are quickest.
    pub fn add(&mut self, trials: &[Trial], on_duplicate: OnDuplicate) -> Result<(), StoreError> {
        let (store, id) = (self.store, self.id);
        let mut keys = self.write.open_table(KEYS).map_err(store.failed())?;
        let mut records = self.write.open_table(TRIALS).map_err(store.failed())?;
        for trial in trials {
            let (hash, budget) = (trial.hash, trial.budget.get());
            let encode = |trial: &Trial| {
                encode_trial(trial).map_err(|source| StoreError::Record {
                    path: store.path.clone(),
                    source,
                })
            };
            let mut record = encode(trial)?;
            let mut place = key(id, hash, budget, trial.repeat);
            let known = keys.get(place).map_err(store.failed())?;
            if let Some(sequence) = known.map(|sequence| sequence.value()) {
                let stored = records.get((id, sequence)).map_err(store.failed())?;
                let same = stored.is_some_and(|stored| stored.value() == record.as_ref());
                match on_duplicate {
                    _ if same => self.counts.unchanged += 1,
                    OnDuplicate::Keep => self.counts.kept += 1,
                    OnDuplicate::Replace => {
                        records
                            .insert((id, sequence), record.as_ref())
                            .map_err(store.failed())?;
                        self.counts.replaced += 1;
                    }
                    OnDuplicate::Refuse => {
                        return Err(StoreError::Duplicate {
                            table: self.table.info.name.clone(),
                            key: describe_key(hash, trial.budget, trial.repeat),
                        });
                    }
                    OnDuplicate::Renumber => {
                        let range = key(id, hash, budget, 0)..=key(id, hash, budget, u32::MAX);
                        let mut taken = keys.range(range).map_err(store.failed())?;
                        let last = taken.next_back().transpose().map_err(store.failed())?;
                        let last = last.map_or(0, |(last, _)| repeat_of(last.value()));
                        drop(taken);
                        let renumbered = Trial {
                            repeat: last.saturating_add(1),
                            ..trial.clone()
                        };
                        record = encode(&renumbered)?;
                        place = key(id, hash, budget, renumbered.repeat);
                        self.counts.renumbered += 1;
                    }
                }
                if same || on_duplicate != OnDuplicate::Renumber {
                    continue;
                }
            }
            let sequence = self.table.next_sequence;
            records
                .insert((id, sequence), record.as_ref())
                .map_err(store.failed())?;
            keys.insert(place, sequence).map_err(store.failed())?;
            self.table.next_sequence += 1;
            self.table.trials += 1;
            self.counts.added += 1;
        }
        Ok(())
    }

    /// What has happened so far.
    #[must_use]
    pub const fn counts(&self) -> Counts {
        self.counts
    }

    /// Stores everything durably. `info` is what is known of the trials that were added; it must agree with what the table
    /// says. Its name is ignored. Where nothing was added or replaced, nothing changes.
    ///
    /// # Errors
    /// The values come from elsewhere than the table's (another device, data set or provenance), or the file cannot be
    /// written. Nothing of the transaction is stored then.
    pub fn commit(mut self, info: TableInfo) -> Result<Counts, StoreError> {
        let store = self.store;
        if self.counts.added + self.counts.replaced == 0 {
            self.write.abort().map_err(store.failed())?;
            return Ok(self.counts);
        }
        merge(
            &mut self.table.info,
            info,
            self.table.trials == self.counts.added,
        )?;
        let bytes = store.encode(&self.table)?;
        {
            let mut tables = self.write.open_table(TABLES).map_err(store.failed())?;
            tables
                .insert(self.id, bytes.as_slice())
                .map_err(store.failed())?;
        }
        self.write.commit().map_err(store.failed())?;
        Ok(self.counts)
    }
}

impl std::fmt::Debug for Append<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Append")
            .field("table", &self.table.info.name)
            .field("counts", &self.counts)
            .finish_non_exhaustive()
    }
}

/// Adds what is known of new trials to what is known of the table.
fn merge(table: &mut TableInfo, new: TableInfo, is_new_table: bool) -> Result<(), StoreError> {
    if is_new_table {
        table.provenance = new.provenance;
    } else {
        let name = table.name.as_str();
        agree(name, &table.provenance.results, &new.provenance.results)?;
        let stored = &table.provenance.checkpoints;
        agree(name, stored, &new.provenance.checkpoints)?;
    }
    let fields = [
        ("search space", &mut table.search_space, new.search_space),
        ("data set", &mut table.data_set, new.data_set),
        ("device", &mut table.device, new.device),
        ("origin", &mut table.origin, new.origin),
        ("licence", &mut table.licence, new.licence),
    ];
    for (what, stored, found) in fields {
        match (stored.as_ref(), found) {
            (Some(stored), Some(found)) if *stored != found => {
                return Err(StoreError::Mixed {
                    table: table.name.clone(),
                    what: what.to_owned(),
                    stored: stored.clone(),
                    found,
                });
            }
            (None, Some(found)) => *stored = Some(found),
            _ => {}
        }
    }
    match (table.pue, new.pue) {
        (Some(stored), Some(found)) if stored != found => {
            return Err(StoreError::Mixed {
                table: table.name.clone(),
                what: "the PUE that energy contains".to_owned(),
                stored: stored.to_string(),
                found: found.to_string(),
            });
        }
        (stored, found) => table.pue = stored.or(found),
    }
    for source in new.sources {
        if table
            .sources
            .iter()
            .all(|known| known.sha256 != source.sha256)
        {
            table.sources.push(source);
        }
    }
    Ok(())
}

fn agree(
    table: &str,
    stored: &BTreeMap<String, Provenance>,
    new: &BTreeMap<String, Provenance>,
) -> Result<(), StoreError> {
    let none = Provenance::Unstated;
    for column in stored.keys().chain(new.keys()) {
        let known = stored.get(column).unwrap_or(&none);
        let found = new.get(column).unwrap_or(&none);
        if known != found {
            return Err(StoreError::mixed_provenance(table, column, known, found));
        }
    }
    Ok(())
}

use std::collections::BTreeMap;
use std::ops::Bound;

use redb::{ReadableTable, WriteTransaction};
use rkyv::util::AlignedVec;

use super::guard::{Guarded, guarded};
use super::schema::{
    KEYS, Key, META, NAMES, NEXT_TABLE_KEY, StoredTable, TABLES, TRIALS, check_name, key, repeat_of,
};
use super::{Store, StoreError, describe_key};
use crate::cell::CellHash;
use crate::metrics::{
    ALIGNMENT, Budget, Provenance, RecordError, TableInfo, Trial, TrialRef, encode,
};

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
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
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
    write: Guarded<WriteTransaction>,
    id: u32,
    table: StoredTable,
    counts: Counts,
    /// Keys of new trials that are not written yet: written in order, some ten thousand at once, they cost far less.
    staged: BTreeMap<Key, u64>,
    /// Whether any key of the table is in the file, from this transaction or before it.
    has_written_keys: bool,
}

/// An archived trial.
type Record = AlignedVec<ALIGNMENT>;

/// A trial's key and its archive.
pub(crate) struct EncodedTrial {
    hash: CellHash,
    budget: Budget,
    repeat: u32,
    record: Record,
}

impl EncodedTrial {
    pub(crate) fn new(trial: &Trial) -> Result<Self, RecordError> {
        Ok(Self {
            hash: trial.hash,
            budget: trial.budget,
            repeat: trial.repeat,
            record: encode(trial)?,
        })
    }

    fn renumbered(&self, repeat: u32) -> Result<Self, RecordError> {
        let trial = TrialRef::from_bytes(&self.record)?.to_trial();
        Self::new(&Trial { repeat, ..trial })
    }
}

/// How many keys wait in memory (about 5 MB) before they are written.
const STAGED_KEYS: usize = 1 << 16;

/// New trials that are about to be written.
struct Batch {
    /// The sequence of the first.
    first: u64,
    records: Vec<Record>,
}

impl Batch {
    /// Where in the batch the trial with a sequence is.
    fn place(&self, sequence: u64) -> Option<usize> {
        usize::try_from(sequence.checked_sub(self.first)?).ok()
    }
}

impl<'s> Append<'s> {
    pub(super) fn begin(store: &'s Store, name: &str) -> Result<Self, StoreError> {
        check_name(name)?;
        let write = store.begin_write()?;
        let (id, table) = {
            let mut names = write.get()?.open_table(NAMES).map_err(store.failed())?;
            let tables = write.get()?.open_table(TABLES).map_err(store.failed())?;
            let id = names
                .get(name)
                .map_err(store.failed())?
                .map(|id| id.value());
            if let Some(id) = id {
                let bytes = tables.get(id).map_err(store.failed())?;
                let table = store.decode(bytes.as_ref().map_or(&[], |bytes| bytes.value()))?;
                (id, table)
            } else {
                let mut meta = write.get()?.open_table(META).map_err(store.failed())?;
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
            has_written_keys: table.trials > 0,
            table,
            counts: Counts::default(),
            staged: BTreeMap::new(),
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
        let encoded: Result<Vec<_>, _> = trials.iter().map(EncodedTrial::new).collect();
        self.add_encoded(
            encoded.map_err(|source| self.unreadable(source))?,
            on_duplicate,
        )
    }

    /// As [`add`](Self::add), of trials that were encoded elsewhere, on other threads perhaps.
    pub(crate) fn add_encoded(
        &mut self,
        trials: Vec<EncodedTrial>,
        on_duplicate: OnDuplicate,
    ) -> Result<(), StoreError> {
        let store = self.store;
        guarded(&store.path, || self.add_unguarded(trials, on_duplicate))
    }

    fn add_unguarded(
        &mut self,
        trials: Vec<EncodedTrial>,
        on_duplicate: OnDuplicate,
    ) -> Result<(), StoreError> {
        let mut batch = Batch {
            first: self.table.next_sequence,
            records: Vec::with_capacity(trials.len()),
        };
        for trial in trials {
            self.add_one(trial, on_duplicate, &mut batch)?;
        }
        self.write_batch(&batch)?;
        if self.staged.len() >= STAGED_KEYS {
            self.write_keys()?;
        }
        Ok(())
    }

    fn add_one(
        &mut self,
        mut trial: EncodedTrial,
        on_duplicate: OnDuplicate,
        batch: &mut Batch,
    ) -> Result<(), StoreError> {
        let (id, hash, budget) = (self.id, trial.hash, trial.budget.get());
        let mut place = key(id, hash, budget, trial.repeat);
        if let Some(sequence) = self.sequence_of(&place)? {
            if self.holds(sequence, &trial.record, batch)? {
                self.counts.unchanged += 1;
                return Ok(());
            }
            match on_duplicate {
                OnDuplicate::Refuse => {
                    return Err(StoreError::Duplicate {
                        table: self.table.info.name.clone(),
                        key: describe_key(hash, trial.budget, trial.repeat),
                    });
                }
                OnDuplicate::Keep => {
                    self.counts.kept += 1;
                    return Ok(());
                }
                OnDuplicate::Replace => {
                    self.counts.replaced += 1;
                    return self.replace(sequence, trial.record, batch);
                }
                OnDuplicate::Renumber => {
                    let repeat = self.last_repeat(hash, budget)?.saturating_add(1);
                    trial = trial
                        .renumbered(repeat)
                        .map_err(|source| self.unreadable(source))?;
                    place = key(id, hash, budget, repeat);
                    self.counts.renumbered += 1;
                }
            }
        }
        self.staged.insert(place, self.table.next_sequence);
        batch.records.push(trial.record);
        self.table.next_sequence += 1;
        self.table.trials += 1;
        self.counts.added += 1;
        Ok(())
    }

    fn unreadable(&self, error: RecordError) -> StoreError {
        StoreError::Record {
            path: self.store.path.clone(),
            error,
        }
    }

    /// The sequence of the trial with a key, in the transaction or before it.
    fn sequence_of(&self, place: &Key) -> Result<Option<u64>, StoreError> {
        if let Some(&sequence) = self.staged.get(place) {
            return Ok(Some(sequence));
        }
        if !self.has_written_keys {
            return Ok(None);
        }
        let keys = self
            .write
            .get()?
            .open_table(KEYS)
            .map_err(self.store.failed())?;
        let known = keys.get(place.as_slice()).map_err(self.store.failed())?;
        Ok(known.map(|sequence| sequence.value()))
    }

    /// Whether the trial with a sequence has exactly these bytes.
    fn holds(&self, sequence: u64, record: &[u8], batch: &Batch) -> Result<bool, StoreError> {
        if let Some(place) = batch.place(sequence) {
            return Ok(batch
                .records
                .get(place)
                .is_some_and(|known| known.as_slice() == record));
        }
        let trials = self
            .write
            .get()?
            .open_table(TRIALS)
            .map_err(self.store.failed())?;
        let known = trials
            .get((self.id, sequence))
            .map_err(self.store.failed())?;
        Ok(known.is_some_and(|known| known.value() == record))
    }

    fn replace(&self, sequence: u64, record: Record, batch: &mut Batch) -> Result<(), StoreError> {
        if let Some(slot) = batch
            .place(sequence)
            .and_then(|place| batch.records.get_mut(place))
        {
            *slot = record;
            return Ok(());
        }
        let mut trials = self
            .write
            .get()?
            .open_table(TRIALS)
            .map_err(self.store.failed())?;
        trials
            .insert((self.id, sequence), record.as_slice())
            .map_err(self.store.failed())?;
        Ok(())
    }

    /// The greatest repeat of a cell at a budget, in the transaction or before it.
    fn last_repeat(&self, hash: CellHash, budget: u32) -> Result<u32, StoreError> {
        let first = key(self.id, hash, budget, 0);
        let last = key(self.id, hash, budget, u32::MAX);
        let staged = self.staged.range(first..=last).next_back();
        let staged = staged.map_or(0, |(key, _)| repeat_of(key));
        let keys = self
            .write
            .get()?
            .open_table(KEYS)
            .map_err(self.store.failed())?;
        let mut written = keys
            .range(first.as_slice()..=last.as_slice())
            .map_err(self.store.failed())?;
        let written = written
            .next_back()
            .transpose()
            .map_err(self.store.failed())?;
        Ok(staged.max(written.map_or(0, |(key, _)| repeat_of(key.value()))))
    }

    /// Appends the batch's trials behind the table's last one.
    fn write_batch(&self, batch: &Batch) -> Result<(), StoreError> {
        let failed = |error: redb::CursorError| match error {
            redb::CursorError::Storage(error) => self.store.failed()(error),
            other => StoreError::Storage {
                path: self.store.path.clone(),
                reason: other.to_string(),
            },
        };
        let mut trials = self
            .write
            .get()?
            .open_table(TRIALS)
            .map_err(self.store.failed())?;
        let mut end = trials
            .upper_bound_mut(Bound::Included((self.id, u64::MAX)))
            .map_err(self.store.failed())?;
        for (sequence, record) in (batch.first..).zip(&batch.records) {
            end.insert_before((self.id, sequence), record.as_slice())
                .map_err(failed)?;
        }
        end.close().map_err(self.store.failed())
    }

    /// Writes the staged keys in their order, which touches each page of the file once.
    fn write_keys(&mut self) -> Result<(), StoreError> {
        let mut keys = self
            .write
            .get()?
            .open_table(KEYS)
            .map_err(self.store.failed())?;
        for (key, sequence) in std::mem::take(&mut self.staged) {
            keys.insert(key.as_slice(), sequence)
                .map_err(self.store.failed())?;
        }
        self.has_written_keys = true;
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
    pub fn commit(self, info: TableInfo) -> Result<Counts, StoreError> {
        let store = self.store;
        guarded(&store.path, || self.commit_unguarded(info))
    }

    fn commit_unguarded(mut self, info: TableInfo) -> Result<Counts, StoreError> {
        let store = self.store;
        if self.counts.added + self.counts.replaced == 0 {
            self.write.take()?.abort().map_err(store.failed())?;
            return Ok(self.counts);
        }
        self.write_keys()?;
        merge(
            &mut self.table.info,
            info,
            self.table.trials == self.counts.added,
        )?;
        let bytes = store.encode(&self.table)?;
        {
            let mut tables = self
                .write
                .get()?
                .open_table(TABLES)
                .map_err(store.failed())?;
            tables
                .insert(self.id, bytes.as_slice())
                .map_err(store.failed())?;
        }
        self.write.take()?.commit().map_err(store.failed())?;
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

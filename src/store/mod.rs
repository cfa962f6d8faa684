//! The growing side of a benchmark: trials arrive over time, in transactions, in one redb file.
//!
//! The store is the source of truth while a benchmark grows; queries run on a sealed
//! [snapshot](crate::snapshot). It has one writer, which locks the file, or any number of readers, which never change it
//! ([`Store::open_read_only`]). An import is one transaction: after a crash, a full disk or a cancellation it is there as a
//! whole or not at all.
//!
//! ```
//! use ecnas::cell::Cell;
//! use ecnas::metrics::{Budget, Metric, TableInfo, Trial};
//! use ecnas::store::{OnDuplicate, Store};
//!
//! # let folder = tempfile::tempdir()?;
//! # let path = folder.path().join("own.redb");
//! let cell = Cell::from_bits("0100", "input,output")?;
//! let mut trial = Trial::new(cell.hash(), Budget::epochs(4)?, 1);
//! trial.cell = Some(cell);
//! trial.totals.set(Metric::Energy, 0.0042);
//!
//! let mut store = Store::open(&path)?;
//! let mut append = store.append("own measurements")?;
//! append.add(&[trial], OnDuplicate::Refuse)?;
//! append.commit(TableInfo::default())?;
//! assert_eq!(store.tables()?[0].trials, 1);
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```

mod append;
mod error;
mod guard;
mod read_only;
mod schema;
mod verify;

use std::path::{Path, PathBuf};

use guard::{Guarded, guarded};
use read_only::ReadOnlyFile;
use redb::{Database, ReadableDatabase, ReadableTable, TableError};
use rkyv::rancor;
use rkyv::util::AlignedVec;

#[cfg(feature = "import")]
pub(crate) use append::EncodedTrial;
pub use append::{Append, Counts, OnDuplicate};
pub use error::StoreError;
pub use guard::silence_caught_panics;
pub use verify::StoreVerified;

use crate::cell::CellHash;
use crate::files::{self, Whole};
use crate::metrics::{ALIGNMENT, Budget, TableInfo, Trial, TrialRef, rkyv_error};
use schema::{KEYS, META, NAMES, StoredTable, TABLES, TRIALS, key, table_range};

/// How much memory a store uses for its cache unless said otherwise: 64 MiB.
pub const DEFAULT_CACHE_BYTES: usize = 64 << 20;

/// A store: named tables of trials in one file, with one writer.
pub struct Store {
    database: Guarded<redb::Database>,
    path: PathBuf,
    is_read_only: bool,
}

/// A table of a store.
#[derive(Debug, Clone, PartialEq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
#[non_exhaustive]
pub struct StoreTable {
    /// What its trials have in common.
    pub info: TableInfo,
    /// How many trials it has.
    pub trials: u64,
}

impl Store {
    /// Opens a store, or creates it where there is no file.
    ///
    /// # Errors
    /// The file is no store, of another format version, in use by another process, or cannot be read and written.
    pub fn open(path: impl AsRef<Path>) -> Result<Self, StoreError> {
        Self::open_with_cache(path, DEFAULT_CACHE_BYTES)
    }

    /// As [`open`](Self::open), with a bound on the memory for its cache, in bytes. Pages beyond it go to the file, also
    /// in the middle of a transaction.
    ///
    /// # Errors
    /// As [`open`](Self::open).
    pub fn open_with_cache(path: impl AsRef<Path>, cache_bytes: usize) -> Result<Self, StoreError> {
        let path = path.as_ref();
        if schema::check_start(path)? == schema::Start::Nothing {
            Self::create_whole(path)?;
        }
        Self::begin(path, || {
            Database::builder().set_cache_size(cache_bytes).create(path)
        })
    }

    /// Opens a store to read it: [`tables`](Self::tables), trials, [`verify`](Self::verify), [`seal`](crate::seal). It needs
    /// no permission to write, works on read-only media, and changes not one byte of the file. Where the last writer was
    /// killed, what is to be repaired is repaired in memory.
    ///
    /// Any number of readers may have a store open at once; while they do, it has no writer, if the file system has locks.
    ///
    /// ```
    /// # let folder = tempfile::tempdir()?;
    /// # let path = folder.path().join("own.redb");
    /// # drop(ecnas::store::Store::open(&path)?);
    /// let store = ecnas::store::Store::open_read_only(&path)?;
    /// assert!(store.tables()?.is_empty());
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    ///
    /// # Errors
    /// There is no file, it is no store, of another format version, in use by a writer, or cannot be read. Whatever would
    /// change the store is refused with [`StoreError::ReadOnly`].
    ///
    /// # Complexity
    /// As [`open`](Self::open): microseconds after the last writer closed the store, else O(bytes).
    pub fn open_read_only(path: impl AsRef<Path>) -> Result<Self, StoreError> {
        let path = path.as_ref();
        let failed = |source| StoreError::Io {
            path: path.to_owned(),
            source,
        };
        let file = files::open(path).map_err(failed)?;
        if schema::start_of(&file, path)? == schema::Start::Empty {
            return Err(StoreError::NotAStore {
                path: path.to_owned(),
                found: "an empty file".to_owned(),
            });
        }
        let file = ReadOnlyFile::lock(file).map_err(failed)?;
        let file = file.ok_or_else(|| StoreError::Busy {
            path: path.to_owned(),
        })?;
        let database = guarded(path, || {
            Database::builder()
                .set_cache_size(DEFAULT_CACHE_BYTES)
                .create_with_backend(file)
                .map_err(|error| StoreError::open(path, error))
        });
        let store = Self {
            database: Guarded::new(database?),
            path: path.to_owned(),
            is_read_only: true,
        };
        guarded(path, || store.check_version())?;
        Ok(store)
    }

    /// Makes a new store beside the path and renames it there: a file at the path is a whole store, whenever the power fails.
    fn create_whole(path: &Path) -> Result<(), StoreError> {
        let failed = |source| StoreError::Io {
            path: path.to_owned(),
            source,
        };
        let new = Whole::beside(path).map_err(failed)?;
        drop(Self::begin(new.path(), || Database::create(new.path()))?);
        // Where another process was quicker, its store is the one to open.
        new.put_if_absent().map_err(failed)
    }

    fn begin(
        path: &Path,
        open: impl FnOnce() -> Result<Database, redb::DatabaseError>,
    ) -> Result<Self, StoreError> {
        let database = guarded(path, || {
            open().map_err(|error| StoreError::open(path, error))
        });
        let store = Self {
            database: Guarded::new(database?),
            path: path.to_owned(),
            is_read_only: false,
        };
        guarded(path, || {
            if store.is_new()? {
                store.initialize()?;
            }
            store.check_version()
        })?;
        Ok(store)
    }

    /// As [`open_with_cache`](Self::open_with_cache), on a storage of your own in place of a file, by the storage engine's
    /// own trait: bytes in memory, or a device that fails on purpose. Errors name the path `name`.
    ///
    /// # Errors
    /// As [`open`](Self::open).
    pub fn open_on(
        backend: impl redb::StorageBackend,
        name: impl Into<PathBuf>,
        cache_bytes: usize,
    ) -> Result<Self, StoreError> {
        let path = name.into();
        Self::begin(&path, || {
            Database::builder()
                .set_cache_size(cache_bytes)
                .create_with_backend(backend)
        })
    }

    /// The store's path.
    #[must_use]
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// The tables, by name.
    ///
    /// # Errors
    /// The file cannot be read or is damaged.
    pub fn tables(&self) -> Result<Vec<StoreTable>, StoreError> {
        guarded(&self.path, || self.read_tables())
    }

    fn read_tables(&self) -> Result<Vec<StoreTable>, StoreError> {
        let read = self.begin_read()?;
        let names = read.open_table(NAMES).map_err(self.failed())?;
        let tables = read.open_table(TABLES).map_err(self.failed())?;
        let mut found = Vec::new();
        for entry in names.iter().map_err(self.failed())? {
            let (_, id) = entry.map_err(self.failed())?;
            if let Some(bytes) = tables.get(id.value()).map_err(self.failed())? {
                let stored = self.decode(bytes.value())?;
                found.push(StoreTable {
                    info: stored.info,
                    trials: stored.trials,
                });
            }
        }
        Ok(found)
    }

    /// The table with this name.
    ///
    /// # Errors
    /// There is none; the error names those that there are.
    pub fn table(&self, name: &str) -> Result<StoreTable, StoreError> {
        let tables = self.tables()?;
        let names: Vec<_> = tables.iter().map(|table| table.info.name.clone()).collect();
        let found = tables.into_iter().find(|table| table.info.name == name);
        found.ok_or(StoreError::NoSuchTable {
            table: name.to_owned(),
            tables: names,
        })
    }

    /// Begins to add trials to a table, which is created if it is not there. Nothing is visible until
    /// [`Append::commit`]; dropping it undoes everything.
    ///
    /// # Errors
    /// The file cannot be written, or the name is empty.
    pub fn append(&mut self, table: &str) -> Result<Append<'_>, StoreError> {
        guarded(&self.path, || Append::begin(self, table))
    }

    /// The trials of a cell in a table, by budget and repeat.
    ///
    /// # Errors
    /// There is no such table; the file cannot be read or is damaged.
    ///
    /// # Complexity
    /// O(log n) for each trial.
    pub fn trials_of(
        &self,
        table: &str,
        cell: impl Into<CellHash>,
    ) -> Result<Vec<Trial>, StoreError> {
        let hash: CellHash = cell.into();
        guarded(&self.path, || self.read_trials_of(table, hash))
    }

    fn read_trials_of(&self, table: &str, hash: CellHash) -> Result<Vec<Trial>, StoreError> {
        let id = self.table_id(table)?;
        let read = self.begin_read()?;
        let keys = read.open_table(KEYS).map_err(self.failed())?;
        let trials = read.open_table(TRIALS).map_err(self.failed())?;
        let first = key(id, hash, 0, 0);
        let last = key(id, hash, u32::MAX, u32::MAX);
        let mut found = Vec::new();
        for entry in keys
            .range(first.as_slice()..=last.as_slice())
            .map_err(self.failed())?
        {
            let sequence = entry.map_err(self.failed())?.1.value();
            if let Some(bytes) = trials.get((id, sequence)).map_err(self.failed())? {
                found.push(self.trial(bytes.value(), |_, trial| trial.to_trial())?);
            }
        }
        Ok(found)
    }

    /// Hands every trial of a table to `each`, in the order in which they were imported, until it breaks.
    ///
    /// # Errors
    /// There is no such table; the file cannot be read or is damaged; or the error of `each`.
    ///
    /// # Complexity
    /// O(n), reading the file once from front to back.
    pub fn for_each_trial<E: From<StoreError>>(
        &self,
        table: &str,
        mut each: impl FnMut(Trial) -> Result<(), E>,
    ) -> Result<(), E> {
        self.for_each_record(table, |_, trial| each(trial.to_trial()))
    }

    /// As [`for_each_trial`](Self::for_each_trial), with the archived bytes in place of an owned trial.
    pub(crate) fn for_each_record<E: From<StoreError>>(
        &self,
        table: &str,
        mut each: impl FnMut(&[u8], TrialRef<'_>) -> Result<(), E>,
    ) -> Result<(), E> {
        let mut entries = guarded(&self.path, || {
            let id = self.table_id(table)?;
            let trials = self.begin_read()?.open_table(TRIALS);
            let trials = trials.map_err(self.failed())?;
            trials.range(table_range(id)).map_err(self.failed())
        })?;
        let mut next = || {
            guarded(&self.path, || {
                entries.next().transpose().map_err(self.failed())
            })
        };
        // What the caller does is outside: its panics are its own.
        while let Some((_, bytes)) = next()? {
            self.trial(bytes.value(), &mut each)??;
        }
        Ok(())
    }

    /// Renames a table.
    ///
    /// # Errors
    /// There is no such table, or there is one of the new name already.
    pub fn rename_table(&mut self, from: &str, to: &str) -> Result<(), StoreError> {
        let mut info = self.table(from)?.info;
        info.name = to.to_owned();
        self.change_table(from, Some(info))
    }

    /// Replaces what is known of a table; its name and its sources stay.
    ///
    /// # Errors
    /// There is no such table.
    pub fn describe_table(&mut self, table: &str, info: TableInfo) -> Result<(), StoreError> {
        let stored = self.table(table)?.info;
        let info = TableInfo {
            name: stored.name,
            sources: stored.sources,
            ..info
        };
        self.change_table(table, Some(info))
    }

    /// Removes a table with all its trials.
    ///
    /// # Errors
    /// There is no such table.
    ///
    /// # Complexity
    /// O(n) in its trials.
    pub fn drop_table(&mut self, table: &str) -> Result<(), StoreError> {
        self.change_table(table, None)
    }

    /// Gives a table another description, and name with it, or removes it.
    fn change_table(&mut self, name: &str, info: Option<TableInfo>) -> Result<(), StoreError> {
        guarded(&self.path, || self.change_table_unguarded(name, info))
    }

    fn change_table_unguarded(
        &self,
        name: &str,
        info: Option<TableInfo>,
    ) -> Result<(), StoreError> {
        let id = self.table_id(name)?;
        let failed = self.failed();
        let write = self.begin_write()?;
        {
            let mut names = write.get()?.open_table(NAMES).map_err(self.failed())?;
            let mut tables = write.get()?.open_table(TABLES).map_err(self.failed())?;
            names.remove(name).map_err(self.failed())?;
            if let Some(info) = info {
                if names
                    .get(info.name.as_str())
                    .map_err(self.failed())?
                    .is_some()
                {
                    return Err(StoreError::TableExists { table: info.name });
                }
                schema::check_name(&info.name)?;
                names
                    .insert(info.name.as_str(), id)
                    .map_err(self.failed())?;
                let old = tables.get(id).map_err(self.failed())?;
                let mut stored = self.decode(old.as_ref().map_or(&[], |bytes| bytes.value()))?;
                drop(old);
                stored.info = info;
                let bytes = self.encode(&stored)?;
                tables.insert(id, bytes.as_slice()).map_err(self.failed())?;
            } else {
                tables.remove(id).map_err(self.failed())?;
                let mut trials = write.get()?.open_table(TRIALS).map_err(self.failed())?;
                trials
                    .retain_in(table_range(id), |_, _| false)
                    .map_err(self.failed())?;
                let mut keys = write.get()?.open_table(KEYS).map_err(self.failed())?;
                let range = schema::table_keys(id);
                keys.retain_in(range.start().as_slice()..=range.end().as_slice(), |_, _| {
                    false
                })
                .map_err(self.failed())?;
            }
        }
        write.take()?.commit().map_err(failed)
    }

    /// Whether the database has no table of anybody's.
    fn is_new(&self) -> Result<bool, StoreError> {
        let read = self.begin_read()?;
        let mut tables = read.list_tables().map_err(self.failed())?;
        Ok(tables.next().is_none())
    }

    /// Makes the tables of a new store.
    fn initialize(&self) -> Result<(), StoreError> {
        let write = self.begin_write()?;
        {
            let mut meta = write.get()?.open_table(META).map_err(self.failed())?;
            meta.insert(schema::VERSION_KEY, schema::VERSION)
                .map_err(self.failed())?;
            meta.insert(schema::LAYOUT_KEY, schema::layout())
                .map_err(self.failed())?;
            write.get()?.open_table(NAMES).map_err(self.failed())?;
            write.get()?.open_table(TABLES).map_err(self.failed())?;
            write.get()?.open_table(TRIALS).map_err(self.failed())?;
            write.get()?.open_table(KEYS).map_err(self.failed())?;
        }
        write.take()?.commit().map_err(self.failed())
    }

    fn check_version(&self) -> Result<(), StoreError> {
        let read = self.begin_read()?;
        let not_ours = || StoreError::NotAStore {
            path: self.path.clone(),
            found: "a redb database of another program".to_owned(),
        };
        let meta = match read.open_table(META) {
            Ok(meta) => meta,
            Err(TableError::TableDoesNotExist(_)) => return Err(not_ours()),
            Err(error) => return Err(self.failed()(error)),
        };
        let version = meta.get(schema::VERSION_KEY).map_err(self.failed())?;
        let version = version.ok_or_else(not_ours)?.value();
        if version != schema::VERSION {
            return Err(StoreError::Version {
                path: self.path.clone(),
                expected: schema::VERSION,
                found: version,
            });
        }
        let layout = meta.get(schema::LAYOUT_KEY).map_err(self.failed())?;
        let layout = layout.map(|layout| layout.value()).unwrap_or_default();
        if layout != schema::layout() {
            return Err(StoreError::ArchiveLayout {
                path: self.path.clone(),
                expected: schema::layout(),
                found: layout,
            });
        }
        Ok(())
    }

    fn table_id(&self, name: &str) -> Result<u32, StoreError> {
        let read = self.begin_read()?;
        let names = read.open_table(NAMES).map_err(self.failed())?;
        if let Some(id) = names.get(name).map_err(self.failed())? {
            return Ok(id.value());
        }
        let mut tables = Vec::new();
        for entry in names.iter().map_err(self.failed())? {
            tables.push(entry.map_err(self.failed())?.0.value().to_owned());
        }
        Err(StoreError::NoSuchTable {
            table: name.to_owned(),
            tables,
        })
    }

    fn begin_read(&self) -> Result<redb::ReadTransaction, StoreError> {
        let database = self.database.get()?;
        database.begin_read().map_err(self.failed())
    }

    fn begin_write(&self) -> Result<Guarded<redb::WriteTransaction>, StoreError> {
        if self.is_read_only {
            return Err(StoreError::ReadOnly {
                path: self.path.clone(),
            });
        }
        let write = self.database.get()?.begin_write();
        Ok(Guarded::new(write.map_err(self.failed())?))
    }

    /// Reads an archived trial; redb's values are not aligned, so that it is copied first.
    fn trial<T>(
        &self,
        bytes: &[u8],
        read: impl FnOnce(&[u8], TrialRef<'_>) -> T,
    ) -> Result<T, StoreError> {
        let mut aligned: AlignedVec<ALIGNMENT> = AlignedVec::with_capacity(bytes.len());
        aligned.extend_from_slice(bytes);
        let trial = TrialRef::from_bytes(&aligned).map_err(|error| StoreError::Record {
            path: self.path.clone(),
            error,
        })?;
        Ok(read(&aligned, trial))
    }

    fn decode(&self, bytes: &[u8]) -> Result<StoredTable, StoreError> {
        let mut aligned: AlignedVec<ALIGNMENT> = AlignedVec::with_capacity(bytes.len());
        aligned.extend_from_slice(bytes);
        rkyv::from_bytes::<StoredTable, rancor::Error>(&aligned).map_err(|error| {
            StoreError::Damaged {
                path: self.path.clone(),
                expected: "the description of a table",
                reason: rkyv_error(&error),
            }
        })
    }

    fn encode(&self, table: &StoredTable) -> Result<AlignedVec, StoreError> {
        rkyv::to_bytes::<rancor::Error>(table).map_err(|error| StoreError::Damaged {
            path: self.path.clone(),
            expected: "a description that can be stored",
            reason: rkyv_error(&error),
        })
    }

    /// Turns an error of the storage engine into ours, with the path.
    fn failed<E: Into<redb::Error>>(&self) -> impl Fn(E) -> StoreError + use<E> {
        let path = self.path.clone();
        move |error| StoreError::storage(&path, error.into())
    }
}

impl std::fmt::Debug for Store {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Store").field("path", &self.path).finish()
    }
}

/// The budgets at which trials are stored, for an error message.
pub(crate) fn describe_key(hash: CellHash, budget: Budget, repeat: u32) -> String {
    format!("cell {hash} at {budget}, repeat {repeat}")
}

use std::path::{Path, PathBuf};

use crate::metrics::{Provenance, RecordError};
use crate::short::listed;

/// What can go wrong with a store.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum StoreError {
    /// The operating system refused.
    #[error("{}: cannot read or write the store", path.display())]
    Io {
        /// The store.
        path: PathBuf,
        /// What the operating system said.
        source: std::io::Error,
    },
    /// The file is something else.
    #[error("{}: expected an ecnas store, found {found}", path.display())]
    NotAStore {
        /// The file.
        path: PathBuf,
        /// What it is.
        found: String,
    },
    /// The store is of a format version that this crate does not read.
    #[error(
        "{}: expected store version {expected}, found {found}; use a release of ecnas that reads version {found}",
        path.display()
    )]
    Version {
        /// The store.
        path: PathBuf,
        /// The version that this crate reads.
        expected: u64,
        /// The store's version.
        found: u64,
    },
    /// The archives were laid out by an unreleased state of this crate, or by a build with other rkyv format features.
    #[error(
        "{}: expected archives of layout {expected:#010x}, found {found:#010x}; an unreleased state of ecnas wrote the file, or another crate in this build switches rkyv's format features: import the sources again with this build",
        path.display()
    )]
    ArchiveLayout {
        /// The store.
        path: PathBuf,
        /// This build's layout.
        expected: u64,
        /// The store's layout.
        found: u64,
    },
    /// A writer has the store open, or readers have it open and it was to be written; in this process or another.
    #[error(
        "{}: the store is in use: it has one writer, or readers, at a time; wait until it is closed, or read a sealed snapshot instead",
        path.display()
    )]
    Busy {
        /// The store.
        path: PathBuf,
    },
    /// The store was opened to be read.
    #[error("{}: the store is open for reading only; open it for writing to change it", path.display())]
    ReadOnly {
        /// The store.
        path: PathBuf,
    },
    /// The storage engine found something wrong.
    #[error("{}: the store cannot be used: {reason}; restore a copy, or import its sources into a new store", path.display())]
    Storage {
        /// The store.
        path: PathBuf,
        /// What the storage engine said.
        reason: String,
    },
    /// Bytes in the store are not what they should be.
    #[error("{}: expected {expected}, found something else ({reason}); restore a copy, or import its sources into a new store", path.display())]
    Damaged {
        /// The store.
        path: PathBuf,
        /// What was expected.
        expected: &'static str,
        /// What was found.
        reason: String,
    },
    /// An archived trial cannot be read.
    #[error("{}: {error}", path.display())]
    Record {
        /// The store.
        path: PathBuf,
        /// What is wrong.
        error: RecordError,
    },
    /// No table has this name.
    #[error("no table `{table}`; the store has {}", listed(tables, "`"))]
    NoSuchTable {
        /// The name that was asked for.
        table: String,
        /// The tables that there are.
        tables: Vec<String>,
    },
    /// A table has this name already.
    #[error("table `{table}` is there already; choose another name, or drop it first")]
    TableExists {
        /// The name.
        table: String,
    },
    /// A table's name is empty or has control characters.
    #[error("expected a table name of printable characters, found {found:?}")]
    BadName {
        /// What was given.
        found: String,
    },
    /// A trial of this cell, budget and repeat is there already, with other values.
    #[error(
        "table `{table}` already holds {key}, with other values; import into another table, or say whether to keep, replace or renumber duplicates"
    )]
    Duplicate {
        /// The table.
        table: String,
        /// Cell, budget and repeat.
        key: String,
    },
    /// A source's values come from elsewhere than the table's.
    #[error(
        "table `{table}`: {what} is {stored} in the table, {found} in the source; a table holds values of one kind: import into another table"
    )]
    Mixed {
        /// The table.
        table: String,
        /// What differs.
        what: String,
        /// What the table says.
        stored: String,
        /// What the source says.
        found: String,
    },
}

impl StoreError {
    pub(super) fn open(path: &Path, error: redb::DatabaseError) -> Self {
        match error {
            redb::DatabaseError::DatabaseAlreadyOpen => Self::Busy {
                path: path.to_owned(),
            },
            other => Self::storage(path, other.into()),
        }
    }

    pub(super) fn storage(path: &Path, error: redb::Error) -> Self {
        match error {
            redb::Error::Io(source) => Self::Io {
                path: path.to_owned(),
                source,
            },
            other => Self::Storage {
                path: path.to_owned(),
                reason: other.to_string(),
            },
        }
    }

    pub(super) fn mixed_provenance(
        table: &str,
        column: &str,
        stored: &Provenance,
        found: &Provenance,
    ) -> Self {
        Self::Mixed {
            table: table.to_owned(),
            what: format!("column `{column}`"),
            stored: stored.to_string(),
            found: found.to_string(),
        }
    }
}

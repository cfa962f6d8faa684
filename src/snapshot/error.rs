use std::path::PathBuf;

use crate::cell::CellHash;
use crate::metrics::{Budget, RecordError};
use crate::short::{listed, thousands};

/// What can go wrong with a snapshot.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum SnapshotError {
    /// The operating system refused.
    #[error("{}: cannot {action}", path.display())]
    Io {
        /// The file or folder.
        path: PathBuf,
        /// What was tried.
        action: &'static str,
        /// What the operating system said.
        source: std::io::Error,
    },
    /// A snapshot is to be written where a store is.
    #[error(
        "{}: expected a snapshot to replace or a new name, found a store; choose another name",
        path.display()
    )]
    TargetIsStore {
        /// The store.
        path: PathBuf,
    },
    /// An error in a file, with the file's path.
    #[error("{}: {error}", path.display())]
    In {
        /// The file.
        path: PathBuf,
        /// What is wrong with it.
        error: Box<SnapshotError>,
    },
    /// The file does not begin as a snapshot does.
    #[error("expected a sealed snapshot, found {found}")]
    NotASnapshot {
        /// What the file begins with.
        found: String,
    },
    /// The file is of a format version that this crate does not read.
    #[error(
        "expected snapshot format version {expected}, found {found}; use a release of ecnas that reads version {found}, or seal the store again"
    )]
    Version {
        /// The version that this crate reads.
        expected: u32,
        /// The file's version.
        found: u32,
    },
    /// File or machine stores integers with the most significant byte first.
    #[error(
        "expected a little-endian snapshot on a little-endian machine, found big-endian byte order; seal and read it on a little-endian machine"
    )]
    Endianness,
    /// The archives were laid out by an unreleased state of this crate, or by a build with other rkyv format features.
    #[error(
        "expected archives of layout {expected:#010x}, found {found:#010x}; an unreleased state of ecnas wrote the file, or another crate in this build switches rkyv's format features: import and seal again with this build"
    )]
    ArchiveLayout {
        /// This build's layout.
        expected: u32,
        /// The file's layout.
        found: u32,
    },
    /// The file is shorter or longer than its header says.
    #[error(
        "expected {expected} bytes, found {found}; the file is truncated or has grown: copy it again, or seal the store again"
    )]
    Length {
        /// The length in the header, in bytes.
        expected: u64,
        /// The length found, in bytes.
        found: u64,
    },
    /// Bytes do not have their checksum.
    #[error(
        "{what} at byte {offset}: expected checksum {expected:#010x}, found {found:#010x}; the file is damaged: copy it again, or seal the store again"
    )]
    Checksum {
        /// The part of the file.
        what: String,
        /// Its first byte.
        offset: u64,
        /// The stored checksum.
        expected: u32,
        /// The checksum of the bytes.
        found: u32,
    },
    /// A part of the file is not as the format demands.
    #[error("{what}, found {found}; the file is not a valid snapshot: seal the store again")]
    Malformed {
        /// Where, and what was expected.
        what: String,
        /// What was found.
        found: String,
    },
    /// The bytes do not start at an address that is a multiple of 16.
    #[error(
        "expected bytes aligned to 16, found an address that leaves {found} modulo 16; copy them into `AlignedBytes`"
    )]
    Misaligned {
        /// The address modulo 16.
        found: usize,
    },
    /// An archived trial cannot be read.
    #[error("table `{table}`, {budget}, trial {entry}: {error}")]
    Record {
        /// The table.
        table: String,
        /// The budget.
        budget: Budget,
        /// The trial's number among the budget's trials.
        entry: u64,
        /// What is wrong.
        error: RecordError,
    },
    /// No table has this name.
    #[error("no table `{table}`; this snapshot has {}", listed(tables, "`"))]
    NoSuchTable {
        /// The name that was asked for.
        table: String,
        /// The tables that there are.
        tables: Vec<String>,
    },
    /// A table was not named, and there is more than one.
    #[error("which table? This snapshot has {}", listed(tables, "`"))]
    Ambiguous {
        /// The tables that there are.
        tables: Vec<String>,
    },
    /// The table has no trials at this budget.
    #[error(
        "table `{table}` has no trials at {budget}; it has {}",
        budget_list(budgets)
    )]
    NoSuchBudget {
        /// The table.
        table: String,
        /// The budget that was asked for.
        budget: Budget,
        /// The budgets that it has.
        budgets: Vec<Budget>,
    },
    /// No trial of the view has a value in this column.
    #[error(
        "table `{table}` has no column `{column}` at {budget}; it has {}",
        listed(columns, "`")
    )]
    NoSuchColumn {
        /// The table.
        table: String,
        /// The budget.
        budget: Budget,
        /// The column that was asked for.
        column: String,
        /// The columns that there are.
        columns: Vec<String>,
    },
    /// The table does not hold this cell at this budget.
    #[error(
        "table `{table}` does not hold cell {hash} at {budget}; it holds this cell at {}, and other cells at {}",
        budget_list(cell_budgets),
        budget_list(budgets)
    )]
    NoSuchCell {
        /// The table.
        table: String,
        /// The cell that was asked for.
        hash: CellHash,
        /// The budget.
        budget: Budget,
        /// The budgets at which the table holds the cell.
        cell_budgets: Vec<Budget>,
        /// The budgets that the table has.
        budgets: Vec<Budget>,
    },
    /// Whoever watched the writing ended it.
    #[error("writing the snapshot was interrupted; its target is as it was")]
    Interrupted,
    /// More than the format can hold.
    #[error("{what}: expected at most {limit}, found more; seal it in parts")]
    TooLarge {
        /// What there is too much of.
        what: &'static str,
        /// The limit.
        limit: u64,
    },
}

impl SnapshotError {
    /// Adds the file's path.
    pub(crate) fn at(self, path: &std::path::Path) -> Self {
        match self {
            error @ (Self::Io { .. } | Self::In { .. }) => error,
            error => Self::In {
                path: path.to_owned(),
                error: Box::new(error),
            },
        }
    }
}

/// `4, 12 and 36 epochs`; the first of them where there are many.
fn budget_list(budgets: &[Budget]) -> String {
    const SHOWN: usize = 16;
    let epochs = |budgets: &[Budget]| {
        let epochs: Vec<_> = budgets
            .iter()
            .map(|budget| budget.get().to_string())
            .collect();
        epochs.join(", ")
    };
    match budgets {
        [] => "no budget".to_owned(),
        [only] => only.to_string(),
        [first @ .., last] if budgets.len() <= SHOWN => format!("{} and {last}", epochs(first)),
        many => {
            let (shown, more) = many.split_at(SHOWN);
            let more = thousands(more.len());
            format!("{}, … and {more} more budgets", epochs(shown))
        }
    }
}

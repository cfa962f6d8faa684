use std::fmt;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use crate::carbon::CarbonError;
use crate::cell::{CellError, CellHash, HashError};
use crate::metrics::Budget;

/// Why a source could not be imported. Nothing of it counts as imported then.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ImportError {
    /// The operating system refused to open or read something.
    #[error("{}: cannot be read; {}", path.display(), advice(error))]
    Io {
        /// The file or folder.
        path: PathBuf,
        /// What the operating system said.
        #[source]
        error: io::Error,
    },
    /// The file or folder is not something to import.
    #[error("{}: {reason}", path.display())]
    NotASource {
        /// The file or folder.
        path: PathBuf,
        /// What it is instead.
        reason: NotASource,
    },
    /// A record, or the frame around it, is damaged or does not make sense.
    #[error("{place}: {fault}")]
    Record {
        /// Where.
        place: Place,
        /// What is wrong.
        fault: Box<Fault>,
    },
    /// The caller ended it.
    #[error("reading was cancelled")]
    Cancelled,
    /// The power usage effectiveness of the options is none.
    #[error(transparent)]
    Pue(#[from] CarbonError),
    /// A part of the import stopped without a result.
    #[error("{}: the import stopped without a result; try again, and report it if it happens twice", path.display())]
    Stopped {
        /// The file or folder.
        path: PathBuf,
    },
}

impl ImportError {
    pub(super) fn io(path: impl Into<PathBuf>, error: io::Error) -> Self {
        let path = path.into();
        Self::Io { path, error }
    }

    pub(super) fn not_a_source(path: impl Into<PathBuf>, reason: NotASource) -> Self {
        let path = path.into();
        Self::NotASource { path, reason }
    }

    /// What is wrong with a record, if that is the reason.
    #[must_use]
    pub fn fault(&self) -> Option<&Fault> {
        match self {
            Self::Record { fault, .. } => Some(fault),
            _ => None,
        }
    }

    /// Where in a file the reason is, if it is at one place.
    #[must_use]
    pub const fn place(&self) -> Option<&Place> {
        match self {
            Self::Record { place, .. } => Some(place),
            _ => None,
        }
    }
}

fn advice(error: &io::Error) -> &'static str {
    match error.kind() {
        io::ErrorKind::NotFound => "check the path",
        io::ErrorKind::PermissionDenied => "ask for the permission to read it",
        _ => "check the medium it is on",
    }
}

/// A place in a file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Place {
    /// The file.
    pub path: Arc<Path>,
    /// The record, from 1. In CSV the header is line 1 and record 0.
    pub record: u64,
    /// The line, from 1, in files that have lines.
    pub line: Option<u64>,
    /// The byte offset in the file, from 0.
    pub byte: u64,
}

impl Place {
    pub(super) fn fault(self, fault: impl Into<Fault>) -> ImportError {
        ImportError::Record {
            place: self,
            fault: Box::new(fault.into()),
        }
    }
}

impl fmt::Display for Place {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: record {}", self.path.display(), self.record)?;
        if let Some(line) = self.line {
            write!(f, ", line {line}")?;
        }
        write!(f, ", byte {}", self.byte)
    }
}

/// What a file or folder is, if it is nothing to import.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum NotASource {
    /// The file has no bytes.
    #[error("the file is empty; expected a TFRecord or CSV file, download or export it again")]
    Empty,
    /// The file is the pointer that Git LFS leaves where the data were not fetched.
    #[error(
        "this is a Git LFS pointer, not the data of {} bytes it stands for; run `git lfs pull` in its repository to fetch them",
        size.map_or_else(|| "unknown many".to_owned(), |size| size.to_string())
    )]
    LfsPointer {
        /// The length in bytes of the data that it stands for.
        size: Option<u64>,
    },
    /// The file is a sealed snapshot.
    #[error(
        "this is a sealed snapshot, expected a TFRecord or CSV file; open it directly, it needs no import"
    )]
    Snapshot,
    /// The file is a store.
    #[error(
        "this is a redb store, expected a TFRecord or CSV file; open it as the store to import into"
    )]
    Store,
    /// The file holds graphs without results.
    #[error(
        "these are generated graphs without results; import the folder of results.json files and name this file as its graphs"
    )]
    Graphs,
    /// A single file of the training harness was given.
    #[error(
        "a single JSON file; expected a TFRecord or CSV file, or the folder SPACE/BUDGET_epochs/… that holds results.json files"
    )]
    Json,
    /// The file is compressed.
    #[error("the file is compressed ({how}), expected a TFRecord or CSV file; decompress it first")]
    Compressed {
        /// By what.
        how: &'static str,
    },
    /// Nothing that is known here.
    #[error(
        "expected a TFRecord file, a CSV file or a folder of results.json files, found a file that begins with {found}; export it as CSV with named columns"
    )]
    Unknown {
        /// How the file begins.
        found: String,
    },
    /// The file is too short to tell what it is.
    #[error(
        "expected a TFRecord or CSV file, found a file of length {bytes}; it may be cut off, download or export it again"
    )]
    TooShort {
        /// Its length.
        bytes: usize,
    },
    /// The file is text in UTF-16.
    #[error(
        "the file is text in UTF-16, expected UTF-8; save it as UTF-8 (spreadsheets call it \"CSV UTF-8\") and import that"
    )]
    Utf16,
    /// The file looks like text, and has a byte that no text in UTF-8 has there.
    #[error("{}", not_utf8(*byte, *at))]
    NotUtf8 {
        /// The first such byte.
        byte: u8,
        /// Where it is, in bytes from 0.
        at: u64,
    },
    /// All lines of the file hold estimates, and it does not say by which model.
    #[error(
        "all lines hold estimates (is_estimate is 1), and the file does not state their columns as predicted; state it, for example with the line `# provenance: predicted by MODEL` before the header"
    )]
    EstimatesOnly,
    /// A symbolic link in the folder leads back to where it lies.
    #[error(
        "this symbolic link leads back into {}, in which it lies; remove it, or import the folders of results one by one",
        folder.display()
    )]
    Loop {
        /// Where it leads to.
        folder: PathBuf,
    },
    /// A symbolic link in the folder leads to nothing.
    #[error(
        "this symbolic link leads to nothing, and may stand for a folder of results; mend it or remove it"
    )]
    LinkToNowhere,
    /// There is nothing to import in the folder.
    #[error(
        "the folder holds no results: expected SPACE/BUDGET_epochs/HH/HASH/repeat_K/results.json somewhere below it; check the path"
    )]
    NoResults,
    /// The file has a header and nothing else.
    #[error("the file has a header and no rows; export it again")]
    NoRows,
}

/// Why a byte is none of a text, and what to do.
fn not_utf8(byte: u8, at: u64) -> String {
    let found = match byte {
        0 => "a NUL byte; the file is damaged, or no text: export it again".to_owned(),
        byte => format!(
            "the byte {byte:#04x}, as in Latin-1 or another old encoding; save the file as UTF-8 (spreadsheets call it \"CSV UTF-8\") and import that"
        ),
    };
    format!("expected text in UTF-8, found at byte {at} {found}")
}

/// What is wrong with a record.
#[derive(Debug, Clone, PartialEq, thiserror::Error)]
#[non_exhaustive]
pub enum Fault {
    /// The file ends within a record.
    #[error(
        "the file ends within a record: expected {expected} more bytes, found {found}; it is truncated, download or export it again"
    )]
    Truncated {
        /// Bytes that had to follow.
        expected: u64,
        /// Bytes that follow.
        found: u64,
    },
    /// The checksum of a record's length does not fit.
    #[error(
        "the checksum of the record's length is {found:#010x}, expected {expected:#010x}; the file is damaged or no TFRecord, download it again"
    )]
    LengthChecksum {
        /// What the bytes give.
        expected: u32,
        /// What the file says.
        found: u32,
    },
    /// The checksum of a record's payload does not fit.
    #[error(
        "the checksum of the record's payload is {found:#010x}, expected {expected:#010x}; the file is damaged, download it again"
    )]
    PayloadChecksum {
        /// What the bytes give.
        expected: u32,
        /// What the file says.
        found: u32,
    },
    /// A record is longer than allowed.
    #[error(
        "the record is {declared} bytes long, expected at most {limit}; the file is damaged (in CSV, a quote may not be closed), or raise the limit in the options"
    )]
    TooLong {
        /// The length that the record declares, or that was read without an end of it.
        declared: u64,
        /// The limit of the options.
        limit: u64,
    },
    /// There is more of something than anything real has.
    #[error("expected at most {limit} {what}, found {found}; the file is damaged, export it again")]
    TooMany {
        /// Of what.
        what: &'static str,
        /// The most that is accepted.
        limit: usize,
        /// How many there are.
        found: usize,
    },
    /// The table would have more columns than a snapshot can describe.
    #[error(
        "the table has more columns than a snapshot has room for: each counted once at every budget, expected at most {limit} whose names have at most {limit_bytes} bytes, found more at the first {budgets} budgets; leave columns or budgets out, or import them as several tables"
    )]
    TooManyColumns {
        /// The most columns, each counted at every budget.
        limit: usize,
        /// The most bytes of their names, counted alike.
        limit_bytes: usize,
        /// At how many budgets there were trials so far.
        budgets: usize,
    },
    /// A text has a byte that none in UTF-8 has there.
    #[error("{}", not_utf8(*byte, *at))]
    NotUtf8 {
        /// The first such byte.
        byte: u8,
        /// Where it is in the file, in bytes from 0.
        at: u64,
    },
    /// The JSON of a record is broken or of another shape.
    #[error(
        "expected {expected}, found JSON that is not: {reason}; correct the record or export the file again"
    )]
    Json {
        /// What was expected.
        expected: &'static str,
        /// What the parser said.
        reason: String,
    },
    /// The metrics are no base64.
    #[error("expected the metrics in base64, found {reason}; export the file again")]
    Base64 {
        /// What the decoder said.
        reason: String,
    },
    /// The metrics are no protobuf message of EC-NAS or NAS-Bench-101.
    #[error(
        "expected a protobuf message ModelMetricsEnergy (EC-NAS) or ModelMetrics (NAS-Bench-101), found {reason}; export the file again"
    )]
    Protobuf {
        /// What the decoder said.
        reason: String,
    },
    /// The record has no evaluation.
    #[error(
        "expected at least one evaluation, found none; the run did not finish, train it again or leave the record out"
    )]
    NoEvaluations,
    /// A run's last evaluation is not the one at its budget.
    #[error(
        "expected a last evaluation at epoch {budget}, found epoch {found}; the run did not finish, train it again or remove it"
    )]
    Unfinished {
        /// The budget of the folder.
        budget: Budget,
        /// The last evaluation's epoch.
        found: f64,
    },
    /// The graph is no cell.
    #[error(transparent)]
    Cell(#[from] CellError),
    /// The hash is none.
    #[error(transparent)]
    Hash(#[from] HashError),
    /// The hash is not that of the graph.
    #[error(
        "the graph's hash is {expected}, found {found}; hash and graph do not belong together, correct one of them"
    )]
    HashMismatch {
        /// The hash of the graph.
        expected: CellHash,
        /// The hash in the source.
        found: CellHash,
    },
    /// There is no graph for the hash.
    #[error(
        "no cell with hash {hash} among the generated graphs or the cells of up to {vertices} vertices; name the file of generated graphs that holds it"
    )]
    UnknownHash {
        /// The hash.
        hash: CellHash,
        /// Up to how many vertices the search space was searched.
        vertices: usize,
    },
    /// A number that is no budget.
    #[error("expected a budget of 1 to {max} whole epochs, found {found}; correct the record", max = u32::MAX)]
    Budget {
        /// What was found.
        found: String,
    },
    /// A value that the metric cannot have.
    #[error(
        "{field}: expected {expected}, found {found}; correct the value, or leave it out if it is missing"
    )]
    Value {
        /// The field or column.
        field: String,
        /// What was expected.
        expected: &'static str,
        /// What was found.
        found: String,
    },
    /// A file's path does not say which run it is of.
    #[error(
        "expected a path BUDGET_epochs/HH/HASH/repeat_K/results.json with HH the first two digits of HASH and K from 1; move the file to its place or out of the folder"
    )]
    Path,
    /// The same cell, budget and repeat twice.
    #[error(
        "cell {hash} at {budget}, repeat {repeat} is already in {first}; number the repeats apart or remove one"
    )]
    Duplicate {
        /// The cell.
        hash: CellHash,
        /// The budget.
        budget: Budget,
        /// The repeat.
        repeat: u32,
        /// Where it was before: a line or a path.
        first: String,
    },
    /// The header lacks something, or has something twice.
    #[error("the header {problem}")]
    Header {
        /// What is wrong and what to do.
        problem: String,
    },
    /// A line that is no CSV row of this header.
    #[error("{reason}; correct the line or export the file again")]
    Csv {
        /// What the parser said.
        reason: String,
    },
    /// A row lacks what identifies it.
    #[error("expected a value in column {column}, found none; fill it in")]
    Missing {
        /// The column.
        column: String,
    },
}

//! One sealed, checksummed, immutable file that answers without a load phase.
//!
//! ```text
//! Snapshot            the file: mapped, or a private copy in memory
//!   └─ Table          the trials of one source; rows are cells, numbered by energy at the largest budget
//!        └─ View      the table at one budget, repeats reduced by a policy: columns, look-ups, rows
//!             └─ Row  one cell: its values, and its trials with checkpoints and power
//! ```
//!
//! Everything that is returned borrows the file's bytes; nothing is decoded but what is asked for. [`Snapshot`],
//! [`Table`], [`View`] and [`Row`] are `Send` and `Sync`: threads share one snapshot, processes share one mapped file.
//!
//! | to open | cost | what is checked |
//! | --- | --- | --- |
//! | [`Snapshot::open`] | O(bytes): reads a private copy | every byte, by its checksum |
//! | [`Snapshot::map`] (unsafe) | microseconds, whatever the size; on network file systems as `open` | header, section table, catalog |
//! | [`Snapshot::from_bytes`] | as `map`, over any bytes | header, section table, catalog |
//!
//! [`Snapshot::verify`] checks every byte of a snapshot that was opened quickly, and that its columns and indexes follow from
//! its trials.
//!
//! The file's format is drawn in `docs/design.md`. A snapshot is written by [`SnapshotWriter`], usually through
//! [`seal`](crate::seal), and never changed afterwards.

mod bytes;
mod catalog;
mod derived;
mod error;
mod format;
mod frame;
mod index;
mod keys;
mod reduce;
mod sorted;
mod table;
mod verify;
mod view;
mod writer;

use std::io::Read;
use std::path::Path;

pub use bytes::{AlignedBytes, MappedBytes, Mapping};
pub use error::SnapshotError;
pub(crate) use index::ViewIndex;
pub use reduce::Repeats;
pub use table::{Join, Table};
pub use verify::Verified;
pub use view::{Column, Row, View};
pub use writer::{Sealed, SnapshotWriter};

pub use crate::index::{IndexSize, RowId};
use crate::metrics::Budget;
use format::Header;
use frame::Frame;

/// The first bytes of every snapshot file.
pub const MAGIC: [u8; 8] = format::MAGIC;

/// Whether a file is a snapshot of the length that its header says: a look at its first bytes.
pub(crate) fn has_its_length(path: &Path) -> bool {
    let read = || -> std::io::Result<(Vec<u8>, u64)> {
        let mut start = Vec::new();
        let file = crate::files::open(path)?;
        let len = file.metadata()?.len();
        file.take(format::HEADER_LEN as u64)
            .read_to_end(&mut start)?;
        Ok((start, len))
    };
    read().is_ok_and(|(start, len)| Header::decode(&start).is_ok_and(|own| own.file_len == len))
}

/// A sealed snapshot.
///
/// ```no_run
/// use ecnas::metrics::{Budget, Metric};
/// use ecnas::snapshot::Snapshot;
///
/// let snapshot = Snapshot::open("ec-nas.ecnas")?;
/// let view = snapshot.table("energy_4V9E_4epochs")?.view(Budget::epochs(108)?)?;
/// for row in view.rows().take(3) {
///     println!("{} {:?} kWh", row.hash(), row.get(Metric::Energy));
/// }
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Debug)]
pub struct Snapshot<B = AlignedBytes> {
    bytes: B,
    frame: Frame,
}

impl Snapshot<AlignedBytes> {
    /// Reads a snapshot into memory and compares every byte of it with the checksum that covers it: the safe way to open one,
    /// wherever it lies. [`verify`](Self::verify) also compares its structures with its trials, which tells of files that
    /// somebody made to mislead.
    ///
    /// # Errors
    /// The file cannot be read, is no snapshot, is of another version, or is damaged.
    ///
    /// # Complexity
    /// O(bytes) time and memory, on all cores: some 40 ms for 100 MB in the page cache on 2 cores.
    pub fn open(path: impl AsRef<Path>) -> Result<Self, SnapshotError> {
        let path = path.as_ref();
        let snapshot =
            Self::from_bytes(AlignedBytes::read(path)?).map_err(|error| error.at(path))?;
        snapshot
            .verify_checksums()
            .map_err(|error| error.at(path))?;
        Ok(snapshot)
    }
}

impl Snapshot<MappedBytes> {
    /// Maps a snapshot into memory: pages are read when they are first used and shared with other processes. Only header,
    /// section table and catalog are checked; [`verify`](Self::verify) checks the rest. Damage that was not looked for
    /// gives wrong values or errors, not undefined behaviour.
    ///
    /// # Safety
    /// While the map lives, the file must not be changed or truncated, by this process or any other:
    /// 1. a change under a map is undefined behaviour;
    /// 2. reading a page that was cut off kills the process (SIGBUS).
    ///
    /// Files that [`SnapshotWriter`] wrote are never changed in place, and replacing one (by rename) is safe: readers keep
    /// the old bytes. Do not copy over a snapshot that is in use. On network file systems a private copy is made instead,
    /// and verified as [`Snapshot::open`] does; [`map_with`](Self::map_with) decides otherwise.
    ///
    /// # Errors
    /// The file cannot be mapped, is no snapshot, is of another version, or its frame is damaged.
    ///
    /// # Complexity
    /// O(tables x budgets x columns), independent of the rows: microseconds.
    #[allow(unsafe_code)]
    pub unsafe fn map(path: impl AsRef<Path>) -> Result<Self, SnapshotError> {
        // SAFETY: the caller's promise is the one that is asked for.
        unsafe { Self::map_with(path, Mapping::Automatic) }
    }

    /// As [`map`](Self::map), where `mapping` says whether the file is mapped or copied.
    ///
    /// # Safety
    /// As [`map`](Self::map), where the file is mapped.
    ///
    /// # Errors
    /// As [`map`](Self::map); damage anywhere in the file, where it is copied.
    ///
    /// # Complexity
    /// As [`map`](Self::map), or [`open`](Snapshot::open).
    #[allow(unsafe_code)]
    pub unsafe fn map_with(
        path: impl AsRef<Path>,
        mapping: Mapping,
    ) -> Result<Self, SnapshotError> {
        let path = path.as_ref();
        // SAFETY: the caller's promise is the one that mapping asks for.
        let (bytes, frame) = unsafe { MappedBytes::map(path, mapping)? };
        let snapshot = Self { bytes, frame };
        if !snapshot.is_mapped() {
            snapshot
                .verify_checksums()
                .map_err(|error| error.at(path))?;
        }
        Ok(snapshot)
    }

    /// Whether the file is mapped; else this is a private copy.
    #[must_use]
    pub const fn is_mapped(&self) -> bool {
        self.bytes.is_mapped()
    }
}

impl<B: AsRef<[u8]>> Snapshot<B> {
    /// Opens a snapshot over any bytes that start at an address that is a multiple of 16 ([`AlignedBytes`] does). Only
    /// header, section table and catalog are checked.
    ///
    /// # Errors
    /// The bytes are no snapshot, of another version, misaligned, or the frame is damaged.
    ///
    /// # Complexity
    /// O(tables x budgets x columns), independent of the rows.
    pub fn from_bytes(bytes: B) -> Result<Self, SnapshotError> {
        let frame = Frame::of_bytes(bytes.as_ref())?;
        Ok(Self { bytes, frame })
    }

    /// The tables, in the order of sealing.
    pub fn tables(&self) -> impl ExactSizeIterator<Item = Table<'_>> {
        let file = self.bytes.as_ref();
        let tables = self.frame.layout.tables.iter();
        tables.map(move |layout| Table::new(file, layout))
    }

    /// The table with this name.
    ///
    /// # Errors
    /// There is none; the error names those that there are.
    pub fn table(&self, name: &str) -> Result<Table<'_>, SnapshotError> {
        self.tables()
            .find(|table| table.name() == name)
            .ok_or_else(|| SnapshotError::NoSuchTable {
                table: name.to_owned(),
                tables: self.table_names(),
            })
    }

    /// The only table.
    ///
    /// # Errors
    /// There are none or several; the error names them.
    pub fn only_table(&self) -> Result<Table<'_>, SnapshotError> {
        let mut tables = self.tables();
        match (tables.next(), tables.next()) {
            (Some(table), None) => Ok(table),
            _ => Err(SnapshotError::Ambiguous {
                tables: self.table_names(),
            }),
        }
    }

    /// A table at one budget, repeats reduced to their mean: short for `table(name)?.view(budget)`.
    ///
    /// # Errors
    /// No such table or budget; the error names those that there are.
    pub fn view(&self, table: &str, budget: Budget) -> Result<View<'_>, SnapshotError> {
        self.table(table)?.view(budget)
    }

    /// The whole file.
    pub fn as_bytes(&self) -> &[u8] {
        self.bytes.as_ref()
    }

    /// Compares every byte with the checksum that covers it, as [`open`](Snapshot::open) does.
    ///
    /// # Errors
    /// The first damage that is found, with the section and the byte.
    ///
    /// # Complexity
    /// O(bytes), on all cores.
    pub fn verify_checksums(&self) -> Result<(), SnapshotError> {
        let file = self.bytes.as_ref();
        verify::bytes(file, &self.frame).map(|_| ())
    }

    /// Checks every byte, and that all which follows from trials and estimates is what they make of it: the order of rows, the
    /// look-up, columns, means, indexes. What is not found is a forged trial or estimate whose consequences were forged too,
    /// and a field of a trial that no column shows.
    ///
    /// # Errors
    /// The first damage that is found, with the table, the budget, the section or column, and the byte, row or trial.
    ///
    /// # Complexity
    /// As sealing: O(bytes + n log n) on all cores; a table's indexes are built anew. 24 bytes of memory for each trial of a
    /// table and some 100 for each row.
    pub fn verify(&self) -> Result<Verified, SnapshotError> {
        verify::verify(self.bytes.as_ref(), &self.frame)
    }

    fn table_names(&self) -> Vec<String> {
        self.tables().map(|table| table.name().to_owned()).collect()
    }
}

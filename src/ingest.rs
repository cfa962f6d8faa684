//! Importing: from released files to a store.
//!
//! This is where [`import`](crate::import) and [`store`](crate::store) meet; neither knows the other.

use std::ops::ControlFlow;
use std::path::Path;

use crate::import::{Import, ImportError, ImportOptions, Note, Progress};
use crate::metrics::{RecordError, TableInfo};
use crate::store::{Counts, EncodedTrial, OnDuplicate, Store, StoreError};

/// What an import did.
#[derive(Debug, Clone, PartialEq)]
#[non_exhaustive]
pub struct Ingested {
    /// The table's name.
    pub table: String,
    /// What is known of the source.
    pub info: TableInfo,
    /// What happened to its trials.
    pub counts: Counts,
    /// What a reader should know of the source.
    pub notes: Vec<Note>,
}

/// What can go wrong while importing. The store is as before then.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum IngestError {
    /// The source cannot be read.
    #[error(transparent)]
    Import(#[from] ImportError),
    /// The store cannot be written, or does not take the trials.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// A trial is too large to be stored.
    #[error(transparent)]
    Record(#[from] RecordError),
    /// The progress callback asked to stop.
    #[error("importing was cancelled; the store is as it was")]
    Cancelled,
}

/// Imports a file or folder into a table of a store, in one transaction: all of it, or nothing.
///
/// `table` defaults to the file's name without its extension. Importing the same file again changes nothing. `progress` is
/// called after every batch of some thousand trials; where it breaks, the import is undone.
///
/// ```no_run
/// use std::ops::ControlFlow;
/// use ecnas::import::ImportOptions;
/// use ecnas::store::{OnDuplicate, Store};
///
/// let mut store = Store::open("ec-nas.redb")?;
/// let done = ecnas::ingest(
///     &mut store,
///     "energy_4V9E_4epochs.tfrecord".as_ref(),
///     None,
///     &ImportOptions::default(),
///     OnDuplicate::Refuse,
///     |_| ControlFlow::Continue(()),
/// )?;
/// println!("{} trials into `{}`", done.counts.added, done.table);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
///
/// # Errors
/// The source cannot be read as any known format, or the store cannot be written or refuses a duplicate.
///
/// # Complexity
/// O(n log n) time. Memory is bounded: batches in flight, the store's cache, and 24 bytes for each cell and budget of the
/// source to number repeats.
pub fn ingest(
    store: &mut Store,
    source: &Path,
    table: Option<&str>,
    options: &ImportOptions,
    on_duplicate: OnDuplicate,
    mut progress: impl FnMut(Progress) -> ControlFlow<()>,
) -> Result<Ingested, IngestError> {
    let mut import = Import::open_as(source, options, |trial| EncodedTrial::new(&trial))?;
    let table = table.unwrap_or(import.default_table_name()).to_owned();
    let mut append = store.append(&table)?;
    while let Some(batch) = import.next() {
        let encoded: Result<Vec<_>, _> = batch?.into_iter().collect();
        append.add_encoded(encoded?, on_duplicate)?;
        if progress(import.progress()).is_break() {
            return Err(IngestError::Cancelled);
        }
    }
    let imported = import.finish()?;
    let counts = append.commit(imported.info.clone())?;
    Ok(Ingested {
        table,
        info: imported.info,
        counts,
        notes: imported.notes,
    })
}

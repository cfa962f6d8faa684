//! From released files, training results and a user's own tables to [`Trial`]s, and the way back.
//!
//! | format | what it is | found by |
//! | --- | --- | --- |
//! | TFRecord of EC-NAS | the released benchmark with energy | its frames, and fields that only it has |
//! | TFRecord of NAS-Bench-101 | `nasbench_only108` and `nasbench_full` | its frames |
//! | results tree | what EC-NAS's training harness writes: `SPACE/BUDGET_epochs/HH/HASH/repeat_K/results.json` | a folder |
//! | CSV | a user's own measurements: named columns with units | text |
//!
//! An [`Import`] reads one file or folder in the background, on all cores and in bounded memory, and hands out batches of
//! trials in the source's order. What they have in common comes at the end, in [`Imported`]: the digest of the source,
//! where the values come from, and what its user should know.
//!
//! - A value that the source does not have stays absent.
//! - A value that no run can have observed is an error: NaN, an infinity, an accuracy outside [0, 1], anything negative.
//! - A hash must be that of the graph beside it. Trainable parameters and multiply-accumulates are computed from the graph;
//!   a stated number of parameters is kept, and a [`Note`] says if it differs.
//! - Repeats without numbers count from 1 per cell and budget, in the order of the source. Identical records are kept and
//!   noted. Where the source numbers its repeats, the same number twice is an error.
//! - Every field of a TFRecord is kept, so that [`tfrecord::write_tfrecord`] gives the file back byte for byte.
//!
//! ```no_run
//! use ecnas::import::{Import, ImportOptions};
//!
//! let mut import = Import::open("energy_4V9E_4epochs.tfrecord".as_ref(), &ImportOptions::default())?;
//! for batch in import.by_ref() {
//!     for trial in batch? {
//!         // …
//!     }
//! }
//! let imported = import.finish()?;
//! println!("{:?}: {} trials", imported.info.device, imported.info.sources[0].trials);
//! # Ok::<(), ecnas::import::ImportError>(())
//! ```

mod check;
pub mod csv;
mod detect;
mod digest;
mod error;
mod evidence;
mod facts;
mod json;
mod merge;
mod notes;
mod options;
mod pipeline;
mod power;
mod released;
pub mod results;
pub mod tfrecord;

use std::fmt;
use std::fs::{self, File};
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::Ordering;

pub use error::{Fault, ImportError, NotASource, Place};
pub use notes::Note;
pub use options::ImportOptions;

use detect::Kind;
use digest::Digest;
use merge::{Findings, Merger};
use pipeline::{Counters, Pipeline};

use crate::metrics::{Provenances, SourceInfo, TableInfo, Trial};

/// The format of a source.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Format {
    /// EC-NAS's TFRecord file.
    EcNasTfRecord,
    /// NAS-Bench-101's TFRecord file.
    NasBench101TfRecord,
    /// A tree of `results.json` files.
    ResultsTree,
    /// CSV with named columns.
    Csv,
}

impl Format {
    /// Its name: `ec-nas tfrecord`, `nas-bench-101 tfrecord`, `results tree`, `csv`.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::EcNasTfRecord => "ec-nas tfrecord",
            Self::NasBench101TfRecord => "nas-bench-101 tfrecord",
            Self::ResultsTree => "results tree",
            Self::Csv => "csv",
        }
    }
}

impl fmt::Display for Format {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

/// How far an import is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Progress {
    /// Bytes read.
    pub bytes_read: u64,
    /// Bytes of the whole source.
    pub bytes_total: u64,
    /// Trials parsed.
    pub trials: u64,
}

/// What is known of a source when it was read to its end.
#[derive(Debug, Clone, PartialEq)]
#[non_exhaustive]
pub struct Imported {
    /// What the trials have in common. The name is empty: see [`Import::default_table_name`].
    pub info: TableInfo,
    /// What the user should know.
    pub notes: Vec<Note>,
}

/// One opened source that is read in the background.
///
/// It is an iterator over batches of trials in the source's order, of some thousand trials each. After an error it ends.
/// Dropping it stops the reading.
///
/// # Complexity
/// Memory for a few batches (some 50 MB at most, unless single records are longer than 1 MB), and about 40 bytes per trial
/// to number repeats.
pub struct Import<T = Trial> {
    name: String,
    table_name: String,
    format: Format,
    bytes_total: u64,
    counters: Arc<Counters>,
    options: ImportOptions,
    pipeline: Pipeline<T>,
}

impl Import {
    /// Opens a file or folder and starts to read it. The format is found by content.
    ///
    /// # Errors
    /// What cannot be read or is nothing to import, and a first record that is damaged.
    pub fn open(path: &Path, options: &ImportOptions) -> Result<Self, ImportError> {
        Self::open_as(path, options, |trial| trial)
    }
}

impl<T: Send + 'static> Import<T> {
    /// As [`Import::open`], with batches of what `convert` makes of each trial, on all cores.
    pub(crate) fn open_as(
        path: &Path,
        options: &ImportOptions,
        convert: fn(Trial) -> T,
    ) -> Result<Self, ImportError> {
        let io = |error| ImportError::io(path, error);
        let metadata = fs::metadata(path).map_err(io)?;
        let counters = Arc::new(Counters::default());
        let shared = Arc::clone(&counters);
        let (format, bytes_total, pipeline);
        let mut all_options = options.clone();
        if metadata.is_dir() {
            let (reader, parser, merger) = results::open(path, options, shared)?;
            format = Format::ResultsTree;
            bytes_total = reader.bytes_total();
            pipeline = Pipeline::start(
                path.into(),
                reader,
                parser,
                merger,
                counters.clone(),
                convert,
            )?;
        } else {
            let mut file = File::open(path).map_err(io)?;
            bytes_total = metadata.len();
            match detect::detect(path, &mut file)? {
                Kind::TfRecord => {
                    let (reader, parser, own) =
                        tfrecord::open(path, file, bytes_total, options, shared)?;
                    let merger = Merger::unnumbered();
                    format = own;
                    pipeline = Pipeline::start(
                        path.into(),
                        reader,
                        parser,
                        merger,
                        counters.clone(),
                        convert,
                    )?;
                }
                Kind::Csv => {
                    let (reader, parser, merger, stated) = csv::open(path, file, options, shared)?;
                    all_options = stated;
                    format = Format::Csv;
                    pipeline = Pipeline::start(
                        path.into(),
                        reader,
                        parser,
                        merger,
                        counters.clone(),
                        convert,
                    )?;
                }
            }
        }
        let name = |part: Option<&std::ffi::OsStr>| {
            part.map_or_else(String::new, |part| part.to_string_lossy().into_owned())
        };
        // `..` and `.` have no name of their own.
        let whole = fs::canonicalize(path).unwrap_or_else(|_| path.to_owned());
        let named = if path.file_name().is_some() {
            path
        } else {
            &whole
        };
        Ok(Self {
            name: name(named.file_name()),
            table_name: name(if metadata.is_dir() {
                named.file_name()
            } else {
                named.file_stem()
            }),
            format,
            bytes_total,
            counters,
            options: all_options,
            pipeline,
        })
    }

    /// The source's format.
    #[must_use]
    pub const fn format(&self) -> Format {
        self.format
    }

    /// How far the reading is; it is ahead of the batches that were taken.
    #[must_use]
    pub fn progress(&self) -> Progress {
        Progress {
            bytes_read: self.counters.bytes.load(Ordering::Relaxed),
            bytes_total: self.bytes_total,
            trials: self.counters.trials.load(Ordering::Relaxed),
        }
    }

    /// The name for the table if nobody gives one: the file's name without its extension, or the folder's name.
    #[must_use]
    pub fn default_table_name(&self) -> &str {
        &self.table_name
    }

    /// What is known of the source as a whole. Batches that were not taken are read and dropped.
    ///
    /// # Errors
    /// Those of the batches that were not taken; [`ImportError::Stopped`] after an earlier error.
    pub fn finish(mut self) -> Result<Imported, ImportError> {
        for batch in self.by_ref() {
            batch?;
        }
        let (digest, findings) = self.pipeline.finish()?;
        let source = SourceInfo {
            name: self.name,
            format: self.format.name().to_owned(),
            sha256: digest.sha256,
            bytes: digest.bytes,
            trials: findings.trials,
        };
        Ok(Imported {
            info: info(source, self.format, &digest, &findings, self.options),
            notes: findings.notes,
        })
    }
}

impl<T> Iterator for Import<T> {
    type Item = Result<Vec<T>, ImportError>;

    fn next(&mut self) -> Option<Self::Item> {
        self.pipeline.next()
    }
}

impl<T: Send + 'static> fmt::Debug for Import<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Import")
            .field("name", &self.name)
            .field("format", &self.format)
            .field("progress", &self.progress())
            .finish_non_exhaustive()
    }
}

/// What the options state, else what the released file is known for, else what the values show.
fn info(
    source: SourceInfo,
    format: Format,
    digest: &Digest,
    findings: &Findings,
    options: ImportOptions,
) -> TableInfo {
    let released = released::find(&digest.sha256);
    let known =
        |text: fn(&released::Released) -> &'static str| released.map(|r| text(r).to_owned());
    let evidence = &findings.evidence;
    let differing = |note: &Note| matches!(note, Note::ParametersDiffer { .. });
    let mut provenance = match released {
        Some(released) => released.provenance(),
        None if format == Format::ResultsTree => results::provenance(),
        None => evidence.provenance(!findings.notes.iter().any(differing)),
    };
    if let Some(Provenances {
        results,
        checkpoints,
    }) = options.provenance
    {
        provenance.results.extend(results);
        provenance.checkpoints.extend(checkpoints);
    }
    TableInfo {
        name: String::new(),
        // Every trial has a hash of NAS-Bench-101's.
        search_space: Some("NAS-Bench-101".to_owned()),
        data_set: options.data_set.or_else(|| known(|r| r.data_set)),
        device: options
            .device
            .or_else(|| known(|r| r.device))
            .or_else(|| evidence.device()),
        origin: options.origin.or_else(|| known(|r| r.origin)),
        pue: options
            .pue
            .or_else(|| released.and_then(|r| r.pue))
            .or_else(|| evidence.pue()),
        licence: options.licence.or_else(|| known(|r| r.licence)),
        provenance,
        estimates: Provenances::default(),
        sources: vec![source],
    }
}

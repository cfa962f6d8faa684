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
//! trials in the source's order; [`read_bytes`] reads what is in memory. What trials have in common comes at the end, in
//! [`Imported`]: the digest of the source, where the values come from, and what its user should know.
//!
//! - A value that the source does not have stays absent.
//! - A value that no run can have observed is an error: NaN, an infinity, an accuracy outside [0, 1], anything negative.
//! - A hash must be that of the graph beside it. One without a graph is looked up among the cells of the search space; a
//!   [`Note`] counts those that it does not hold. Trainable parameters and multiply-accumulates are computed from the graph;
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
mod extent;
mod facts;
mod json;
mod merge;
mod notes;
mod options;
mod pipeline;
mod power;
mod released;
mod resolve;
pub mod results;
pub mod tfrecord;

use std::ffi::OsStr;
use std::fmt;
use std::fs;
use std::io::{self, Cursor, Read};
use std::ops::ControlFlow;
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::Ordering;

pub use error::{Fault, ImportError, NotASource, Place};
pub use notes::Note;
pub use options::ImportOptions;

use detect::Kind;
use digest::{Digest, Digesting};
use merge::Findings;
use pipeline::{Counters, Parse, Pipeline, Reader, Source};

use crate::carbon::check_pue;
use crate::files;
use crate::metrics::{Estimates, Provenances, SourceInfo, TableInfo, Trial};

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
        options.pue.map(check_pue).transpose()?;
        let io = |error| ImportError::io(path, error);
        let metadata = fs::metadata(path).map_err(io)?;
        let length = metadata.len();
        if metadata.is_dir() {
            return Self::start(path, results::open(path, options)?, convert);
        }
        let mut file = files::open(path).map_err(io)?;
        match detect::detect(path, &mut file)? {
            Kind::TfRecord => {
                Self::start(path, tfrecord::open(path, file, length, options)?, convert)
            }
            Kind::Csv => Self::start(path, csv::open(path, file, length, options)?, convert),
        }
    }

    fn start<R, P>(
        path: &Path,
        source: Source<R, P>,
        convert: fn(Trial) -> T,
    ) -> Result<Self, ImportError>
    where
        R: Reader<Raw: Send> + Send + 'static,
        P: Parse<R::Raw> + Send + 'static,
    {
        let Source {
            format,
            length,
            options,
            counters,
            reader,
            parser,
            merger,
        } = source;
        let shared = Arc::clone(&counters);
        let pipeline = Pipeline::start(path.into(), reader, parser, merger, shared, convert)?;
        // `..` and `.` have no name of their own.
        let whole = fs::canonicalize(path).unwrap_or_else(|_| path.to_owned());
        let named = if path.file_name().is_some() {
            path
        } else {
            &whole
        };
        Ok(Self {
            name: text(named.file_name()),
            table_name: text(match format {
                Format::ResultsTree => named.file_name(),
                _ => named.file_stem(),
            }),
            format,
            bytes_total: length,
            counters,
            options,
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
        let (name, format) = (self.name, self.format);
        imported(name, format, &digest, findings, self.options)
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

/// Reads a TFRecord or CSV file that is in memory, on this thread. The format is found by content.
///
/// The trials and what is known of them are those that [`Import::open`] would give for a file of this name. Nothing is looked
/// for there: `name` is for messages and for [`SourceInfo::name`].
///
/// ```
/// use ecnas::import::{ImportOptions, read_bytes};
/// let csv = b"hash,energy_wh,epochs\nb49ac8c578b4561d79ac7087988f1c61,500,4\n";
/// let (trials, imported) = read_bytes("own.csv".as_ref(), csv, &ImportOptions::default())?;
/// assert_eq!(trials[0].result(ecnas::metrics::Metric::Energy), Some(0.5));
/// assert_eq!(imported.info.sources[0].name, "own.csv");
/// # Ok::<(), ecnas::import::ImportError>(())
/// ```
///
/// # Errors
/// What is nothing to import, and records that are damaged.
///
/// # Complexity
/// Memory for all trials at once.
pub fn read_bytes(
    name: &Path,
    bytes: &[u8],
    options: &ImportOptions,
) -> Result<(Vec<Trial>, Imported), ImportError> {
    options.pue.map(check_pue).transpose()?;
    let mut file = Cursor::new(bytes);
    let length = bytes.len() as u64;
    match detect::detect(name, &mut file)? {
        Kind::TfRecord => read_here(name, tfrecord::open(name, file, length, options)?),
        Kind::Csv => read_here(name, csv::open(name, file, length, options)?),
    }
}

/// The digest of a file or folder, as an import has it in [`SourceInfo::sha256`]: of a file, the SHA-256 of its bytes; of a
/// folder, what [`results`] says. `progress` is told how many bytes were read, again and again, and may end it.
///
/// ```no_run
/// use std::ops::ControlFlow;
/// use ecnas::import::{ImportOptions, digest};
/// let sha256 = digest("results".as_ref(), &ImportOptions::default(), |_| ControlFlow::Continue(()))?;
/// # Ok::<(), ecnas::import::ImportError>(())
/// ```
///
/// # Errors
/// What cannot be read, or `progress` ended it. Whether it is something to import is not looked at.
pub fn digest(
    path: &Path,
    options: &ImportOptions,
    mut progress: impl FnMut(u64) -> ControlFlow<()>,
) -> Result<[u8; 32], ImportError> {
    let failed = |error| ImportError::io(path, error);
    if fs::metadata(path).map_err(failed)?.is_dir() {
        return Ok(results::digest(path, options, progress)?.sha256);
    }
    let counters = Arc::<Counters>::default();
    let mut file = Digesting::new(files::open(path).map_err(failed)?, Arc::clone(&counters));
    let mut buffer = vec![0; 1 << 16];
    loop {
        match file.read(&mut buffer) {
            Ok(0) => return Ok(file.finish().sha256),
            Ok(_) => {}
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            Err(error) => return Err(failed(error)),
        }
        if progress(counters.bytes.load(Ordering::Relaxed)).is_break() {
            return Err(ImportError::Cancelled);
        }
    }
}

fn read_here<R: Reader, P: Parse<R::Raw>>(
    name: &Path,
    source: Source<R, P>,
) -> Result<(Vec<Trial>, Imported), ImportError> {
    let (trials, digest, findings) =
        pipeline::read_here(source.reader, &source.parser, source.merger)?;
    let name = text(name.file_name());
    let imported = imported(name, source.format, &digest, findings, source.options)?;
    Ok((trials, imported))
}

fn text(part: Option<&OsStr>) -> String {
    part.map_or_else(String::new, |part| part.to_string_lossy().into_owned())
}

/// What is known of a source that was read.
fn imported(
    name: String,
    format: Format,
    digest: &Digest,
    findings: Findings,
    options: ImportOptions,
) -> Result<Imported, ImportError> {
    let estimates = findings.notes.iter().find_map(|note| match note {
        Note::EstimatesLeftOut { first, .. } if findings.trials == 0 => Some(first),
        _ => None,
    });
    if let Some(first) = estimates {
        let path = first.path.as_ref();
        return Err(ImportError::not_a_source(path, NotASource::EstimatesOnly));
    }
    let source = SourceInfo {
        name,
        format: format.name().to_owned(),
        sha256: digest.sha256,
        bytes: digest.bytes,
        trials: findings.trials,
    };
    Ok(Imported {
        info: info(source, format, digest, &findings, options),
        notes: findings.notes,
    })
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
        search_space: Some(csv::SEARCH_SPACE.to_owned()),
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
        estimates: Estimates::default(),
        sources: vec![source],
    }
}

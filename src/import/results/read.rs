//! The files of a tree, for the pipeline.

use std::fs;
use std::ops::ControlFlow;
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::Ordering;

use super::graphs::Graphs;
use super::parse;
use super::walk::{Run, Walk};
use crate::cell::Cell;
use crate::import::digest::{Digest, TreeDigest};
use crate::import::merge::Merger;
use crate::import::pipeline::{
    BATCH_BYTES, BATCH_RECORDS, Counters, Finished, Parse, Parsed, Reader, Source,
};
use crate::import::{Fault, Format, ImportError, ImportOptions, NotASource, Place, json};
use crate::metrics::Trial;

/// A file, and what is known of it before it is parsed.
pub(in crate::import) struct RawRun {
    run: Run,
    cell: Cell,
    bytes: Vec<u8>,
}

pub(in crate::import) struct Results {
    walk: Walk,
    graphs: Graphs,
    record: u64,
    max_record_bytes: u64,
    digest: TreeDigest,
    counters: Arc<Counters>,
}

/// Looks at all paths, to know how much there is.
pub(in crate::import) fn open(
    path: &Path,
    options: &ImportOptions,
) -> Result<Source<Results, RunParser>, ImportError> {
    let io = |error| ImportError::io(path, error);
    // Its own name may be part of the pattern, also if it was given as `.`.
    let folder = fs::canonicalize(path).map_err(io)?;
    let mut length = 0;
    let mut files = 0_u64;
    for file in Walk::new(&folder)? {
        let file = file?;
        let metadata = fs::metadata(&file).map_err(|error| ImportError::io(&file, error))?;
        length += metadata.len();
        files += 1;
    }
    if files == 0 {
        return Err(ImportError::not_a_source(path, NotASource::NoResults));
    }
    let counters = Arc::<Counters>::default();
    let results = Results {
        walk: Walk::new(&folder)?,
        graphs: Graphs::new(&folder, options),
        max_record_bytes: options.max_record_bytes,
        record: 0,
        digest: TreeDigest::new(folder.clone()),
        counters: Arc::clone(&counters),
    };
    let merger = Merger::numbered(Box::new(move |record| {
        let mut walk = Walk::new(&folder).into_iter().flatten();
        let nth = usize::try_from(record - 1).ok().and_then(|n| walk.nth(n));
        match nth {
            Some(Ok(path)) => path.display().to_string(),
            _ => format!("record {record}"),
        }
    }));
    Ok(Source {
        format: Format::ResultsTree,
        length,
        options: options.clone(),
        counters,
        reader: results,
        parser: RunParser,
        merger,
    })
}

/// The digest of a tree, without its trials.
pub(in crate::import) fn digest(
    path: &Path,
    options: &ImportOptions,
    mut progress: impl FnMut(u64) -> ControlFlow<()>,
) -> Result<Digest, ImportError> {
    let folder = fs::canonicalize(path).map_err(|error| ImportError::io(path, error))?;
    let mut digest = TreeDigest::new(folder.clone());
    for (file, record) in Walk::new(&folder)?.zip(1..) {
        let file = file?;
        let bytes = json::read(&place(&file, record), options.max_record_bytes)?;
        if progress(digest.add(&file, &bytes)).is_break() {
            return Err(ImportError::Cancelled);
        }
    }
    Ok(digest.finish())
}

/// Reads one `results.json` from memory, wherever it came from.
///
/// `path` is where the file would be in a tree, `…/BUDGET_epochs/HH/HASH/repeat_K/results.json`; nothing is looked for there.
/// `cell` is the graph that belongs to HASH.
///
/// # Errors
/// A path of another shape, a graph of another hash, and whatever is wrong with the file.
///
/// # Complexity
/// Up to 32 times the file's length in memory.
pub fn read_run(path: &Path, cell: Cell, bytes: &[u8]) -> Result<Trial, ImportError> {
    let place = place(path, 1);
    let run = run(&place)?;
    parse::parse(&run, cell, bytes, &place).map(|parsed| parsed.trial)
}

fn place(path: &Path, record: u64) -> Place {
    Place {
        path: path.into(),
        record,
        line: None,
        byte: 0,
    }
}

/// What the path of a file says.
fn run(place: &Place) -> Result<Run, ImportError> {
    Run::of(&place.path).ok_or_else(|| place.clone().fault(Fault::Path))
}

impl Results {
    fn next_run(&mut self) -> Result<Option<(Place, RawRun)>, ImportError> {
        let Some(path) = self.walk.next().transpose()? else {
            return Ok(None);
        };
        self.record += 1;
        let place = place(&path, self.record);
        let run = run(&place)?;
        let cell = self.graphs.get(&run, &place)?;
        let bytes = json::read(&place, self.max_record_bytes)?;
        let so_far = self.digest.add(&path, &bytes);
        self.counters.bytes.store(so_far, Ordering::Relaxed);
        Ok(Some((place, RawRun { run, cell, bytes })))
    }
}

impl Reader for Results {
    type Raw = RawRun;

    fn next_batch(&mut self) -> Result<Vec<(Place, RawRun)>, ImportError> {
        let mut batch = Vec::new();
        let mut bytes = 0;
        while batch.len() < BATCH_RECORDS && bytes < BATCH_BYTES {
            let Some((place, run)) = self.next_run()? else {
                break;
            };
            bytes += run.bytes.len();
            batch.push((place, run));
        }
        Ok(batch)
    }

    fn finish(self) -> Finished {
        (self.digest.finish(), self.graphs.into_notes())
    }
}

pub(in crate::import) struct RunParser;

impl Parse<RawRun> for RunParser {
    fn parse(&self, place: &Place, raw: RawRun) -> Result<Vec<Parsed>, ImportError> {
        parse::parse(&raw.run, raw.cell, &raw.bytes, place).map(|parsed| vec![parsed])
    }
}

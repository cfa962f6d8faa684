//! From an opened source to its trials, in its order: read a batch of records, parse each, number the trials.
//!
//! What is in memory is read where it is asked for. In the background, one thread reads records and all cores parse them:
//!
//! ```text
//! reader ──(2 batches)──> parser: all cores, then numbering in order ──(2 batches)──> iterator
//! ```
//!
//! Both queues are bounded, so that memory is too. Dropping the iterator closes them, which ends both threads.

use std::error::Error;
use std::io;
use std::path::PathBuf;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::mpsc::{Receiver, SyncSender, sync_channel};
use std::sync::{Arc, OnceLock};
use std::thread::{self, JoinHandle};

use rayon::prelude::*;

use super::digest::Digest;
use super::merge::{Findings, Merger};
use super::{Format, ImportError, ImportOptions, Note, Place};
use crate::metrics::Trial;

/// Most records in a batch.
pub(super) const BATCH_RECORDS: usize = 4096;
/// Bytes after which a batch is full.
pub(super) const BATCH_BYTES: usize = 2 << 20;
/// Batches that wait between two threads.
const WAITING: usize = 2;

/// A trial, and what is only of interest while a source is read.
pub(super) struct Parsed {
    pub trial: Trial,
    /// A hash of the record's bytes, to find identical repeats.
    pub fingerprint: Option<u64>,
    /// The graph's number of parameters, if the source states another.
    pub parameters: Option<u64>,
    /// Whether it is an estimate that would pass for an observation: it is counted, and not imported.
    pub is_left_out: bool,
}

/// What has been done so far, shared between the threads.
#[derive(Default)]
pub(super) struct Counters {
    pub bytes: AtomicU64,
    pub trials: AtomicU64,
}

/// The digest of everything that was read, and what its user should know of the reading.
pub(super) type Finished = (Digest, Vec<Note>);

/// A source's raw records, in order.
pub(super) trait Reader {
    /// A record before it is parsed.
    type Raw;

    /// The next records, none at the end.
    fn next_batch(&mut self) -> Result<Vec<(Place, Self::Raw)>, ImportError>;

    /// What was read, when all of it was.
    fn finish(self) -> Finished;
}

/// Parses a raw record, on any thread.
pub(super) trait Parse<Raw>: Sync {
    /// The trials in a record.
    fn parse(&self, place: &Place, raw: Raw) -> Result<Vec<Parsed>, ImportError>;
}

/// An opened source.
pub(super) struct Source<R, P> {
    pub format: Format,
    /// In bytes.
    pub length: u64,
    /// As they were given, with what the source says of itself.
    pub options: ImportOptions,
    pub counters: Arc<Counters>,
    pub reader: R,
    pub parser: P,
    pub merger: Merger,
}

/// How large a buffer to read with: no larger than the source.
pub(super) fn buffer(length: u64, most: usize) -> usize {
    const LEAST: usize = 1 << 9;
    usize::try_from(length).map_or(most, |length| length.clamp(LEAST, most))
}

/// What a batch's records gave, in order, as trials.
fn merge(
    parsed: impl IntoIterator<Item = (Result<Vec<Parsed>, ImportError>, Place)>,
    merger: &mut Merger,
    trials: &mut Vec<Trial>,
) -> Result<(), ImportError> {
    for (parsed, place) in parsed {
        for parsed in parsed? {
            trials.extend(merger.add(parsed, &place)?);
        }
    }
    Ok(())
}

/// Reads all of it, on this thread.
pub(super) fn read_here<R: Reader>(
    mut reader: R,
    parser: &impl Parse<R::Raw>,
    mut merger: Merger,
) -> Result<(Vec<Trial>, Digest, Findings), ImportError> {
    let mut trials = Vec::new();
    loop {
        let batch = reader.next_batch()?;
        if batch.is_empty() {
            let (digest, notes) = reader.finish();
            return Ok((trials, digest, merger.finish().with(notes)));
        }
        let parsed = batch.into_iter();
        let parsed = parsed.map(|(place, raw)| (parser.parse(&place, raw), place));
        merge(parsed, &mut merger, &mut trials)?;
    }
}

/// Starts the threads that parsing shares, once. Without them it cannot go on, and must not try.
fn threads() -> io::Result<()> {
    static STARTED: OnceLock<Result<(), String>> = OnceLock::new();
    let started = STARTED.get_or_init(|| match rayon::ThreadPoolBuilder::new().build_global() {
        // Without a cause, somebody else has started them.
        Err(error) if error.source().is_some() => Err(error.to_string()),
        _ => Ok(()),
    });
    started
        .clone()
        .map_err(|reason| io::Error::other(format!("no threads to parse with: {reason}")))
}

/// The running threads.
pub(super) struct Pipeline<T> {
    path: PathBuf,
    trials: Option<Receiver<Result<Vec<T>, ImportError>>>,
    reader: Option<JoinHandle<Option<Finished>>>,
    parser: Option<JoinHandle<Option<Findings>>>,
}

impl<T: Send + 'static> Pipeline<T> {
    /// Starts the threads. What comes out are the trials as `convert` makes them, on all cores.
    pub(super) fn start<R>(
        path: PathBuf,
        reader: R,
        parser: impl Parse<R::Raw> + Send + 'static,
        merger: Merger,
        counters: Arc<Counters>,
        convert: fn(Trial) -> T,
    ) -> Result<Self, ImportError>
    where
        R: Reader<Raw: Send> + Send + 'static,
    {
        threads().map_err(|error| ImportError::io(&path, error))?;
        let (raw_out, raw_in) = sync_channel(WAITING);
        let (trials_out, trials_in) = sync_channel(WAITING);
        let spawn = |error| ImportError::io(&path, error);
        let reader = thread::Builder::new()
            .name("ecnas import reader".to_owned())
            .spawn(move || read(reader, &raw_out))
            .map_err(spawn)?;
        let parser = thread::Builder::new()
            .name("ecnas import parser".to_owned())
            .spawn(move || parse(&raw_in, &trials_out, &parser, merger, &counters, convert))
            .map_err(spawn)?;
        Ok(Self {
            path,
            trials: Some(trials_in),
            reader: Some(reader),
            parser: Some(parser),
        })
    }

    /// What was found on the way; to be called when the trials are exhausted.
    pub(super) fn finish(mut self) -> Result<(Digest, Findings), ImportError> {
        self.trials = None;
        let digest = self.reader.take().and_then(|thread| thread.join().ok()?);
        let findings = self.parser.take().and_then(|thread| thread.join().ok()?);
        match (digest, findings) {
            (Some((digest, notes)), Some(findings)) => Ok((digest, findings.with(notes))),
            _ => Err(ImportError::Stopped {
                path: self.path.clone(),
            }),
        }
    }
}

impl<T> Iterator for Pipeline<T> {
    type Item = Result<Vec<T>, ImportError>;

    fn next(&mut self) -> Option<Self::Item> {
        let batch = self.trials.as_ref()?.recv().ok();
        if !matches!(batch, Some(Ok(_))) {
            self.trials = None;
        }
        batch
    }
}

impl<T> Drop for Pipeline<T> {
    fn drop(&mut self) {
        self.trials = None;
        // A thread that panicked has nothing more to say here; `finish` reports it.
        if let Some(thread) = self.parser.take() {
            let _ = thread.join();
        }
        if let Some(thread) = self.reader.take() {
            let _ = thread.join();
        }
    }
}

type RawBatch<R> = Result<Vec<(Place, <R as Reader>::Raw)>, ImportError>;

/// The reader thread. Without a digest if it was stopped.
fn read<R: Reader>(mut reader: R, out: &SyncSender<RawBatch<R>>) -> Option<Finished> {
    loop {
        match reader.next_batch() {
            Ok(batch) if batch.is_empty() => return Some(reader.finish()),
            batch => {
                let failed = batch.is_err();
                out.send(batch).ok()?;
                if failed {
                    return None;
                }
            }
        }
    }
}

/// The parser thread. Without findings if it was stopped.
fn parse<Raw: Send, T: Send>(
    raw: &Receiver<Result<Vec<(Place, Raw)>, ImportError>>,
    out: &SyncSender<Result<Vec<T>, ImportError>>,
    parser: &impl Parse<Raw>,
    mut merger: Merger,
    counters: &Counters,
    convert: fn(Trial) -> T,
) -> Option<Findings> {
    for batch in raw {
        let trials = batch.and_then(|batch| {
            // The first error in the source's order is the one to report, whichever thread is first.
            let parsed: Vec<_> = batch
                .into_par_iter()
                .map(|(place, raw)| (parser.parse(&place, raw), place))
                .collect();
            let mut trials = Vec::with_capacity(parsed.len());
            merge(parsed, &mut merger, &mut trials)?;
            Ok(trials)
        });
        let failed = trials.is_err();
        if let Ok(trials) = &trials {
            let count = trials.len() as u64;
            counters.trials.fetch_add(count, Ordering::Relaxed);
        }
        let converted = trials.map(|trials| trials.into_par_iter().map(convert).collect());
        out.send(converted).ok()?;
        if failed {
            return None;
        }
    }
    Some(merger.finish())
}

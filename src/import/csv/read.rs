//! The rows of a file, for the pipeline.

use std::io::{self, Read, Seek};
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use csv::{ErrorKind, Position, ReaderBuilder, StringRecord};

use super::columns::{Column, Columns};
use super::parse::RowParser;
use super::preamble::Preamble;
use crate::import::digest::{Digest, Digesting};
use crate::import::merge::Merger;
use crate::import::pipeline::{BATCH_BYTES, BATCH_RECORDS, Counters, Reader, Source, buffer};
use crate::import::{Fault, Format, ImportError, ImportOptions, NotASource, Place};

/// Most bytes that are read at once.
const BUFFER: usize = 1 << 18;

pub(in crate::import) struct Rows<R> {
    path: Arc<Path>,
    reader: csv::Reader<Bounded<R>>,
    /// Up to where the file may be read before the next row must end.
    bound: Arc<AtomicU64>,
    limit: u64,
    /// Whether no row was read so far.
    empty: bool,
}

/// Reads what the file says of itself, and the header.
pub(in crate::import) fn open<R: Read + Seek>(
    path: &Path,
    mut file: R,
    length: u64,
    options: &ImportOptions,
) -> Result<Source<Rows<R>, RowParser>, ImportError> {
    let preamble = Preamble::read(&mut file).map_err(|error| ImportError::io(path, error))?;
    let options = preamble.state(path, options)?;
    let limit = options.max_record_bytes.saturating_add(BUFFER as u64);
    let bound = Arc::new(AtomicU64::new(limit));
    let counters = Arc::<Counters>::default();
    let input = Bounded {
        input: Digesting::new(file, Arc::clone(&counters)),
        read: 0,
        bound: Arc::clone(&bound),
        limit: options.max_record_bytes,
    };
    let mut rows = Rows {
        path: path.into(),
        reader: ReaderBuilder::new()
            .delimiter(delimiter(&preamble.header))
            .comment(Some(b'#'))
            .buffer_capacity(buffer(length, BUFFER))
            .from_reader(input),
        bound,
        limit,
        empty: true,
    };
    let header = match rows.reader.headers() {
        Ok(header) => header.clone(),
        Err(error) => return Err(rows.error(error)),
    };
    let place = rows.place(0, Some(1), 0);
    let columns =
        Columns::new(header.iter(), &options).map_err(|fault| place.clone().fault(fault))?;
    let merger = if columns.has(&Column::Repeat) {
        Merger::numbered(Box::new(|line| format!("line {line}")))
    } else {
        Merger::unnumbered()
    };
    Ok(Source {
        format: Format::Csv,
        length,
        options,
        counters,
        reader: rows,
        parser: RowParser { columns },
        merger,
    })
}

/// The separator that the header has most of.
fn delimiter(header: &str) -> u8 {
    let count = |separator: u8| header.bytes().filter(|&byte| byte == separator).count();
    let most = [b'\t', b';', b','].into_iter().max_by_key(|&s| count(s));
    most.unwrap_or(b',')
}

impl<R: Read> Rows<R> {
    fn place(&self, record: u64, line: Option<u64>, byte: u64) -> Place {
        Place {
            path: Arc::clone(&self.path),
            record,
            line,
            byte,
        }
    }

    fn place_of(&self, position: Option<&Position>) -> Place {
        let position = position.unwrap_or_else(|| self.reader.position());
        self.place(position.record(), Some(position.line()), position.byte())
    }

    fn error(&self, error: csv::Error) -> ImportError {
        let place = self.place_of(error.position());
        match error.into_kind() {
            ErrorKind::Io(error) => match error.downcast::<TooLong>() {
                Ok(TooLong { declared, limit }) => place.fault(Fault::TooLong { declared, limit }),
                Err(error) => ImportError::io(&*self.path, error),
            },
            ErrorKind::Utf8 { err, .. } => place.fault(Fault::Csv {
                reason: format!("expected text in UTF-8, found {err}"),
            }),
            ErrorKind::UnequalLengths {
                expected_len, len, ..
            } => place.fault(Fault::Csv {
                reason: format!("expected {expected_len} fields as in the header, found {len}"),
            }),
            other => place.fault(Fault::Csv {
                reason: format!("expected a row, found {other:?}"),
            }),
        }
    }
}

impl<R: Read> Reader for Rows<R> {
    type Raw = StringRecord;

    fn next_batch(&mut self) -> Result<Vec<(Place, StringRecord)>, ImportError> {
        let mut batch = Vec::new();
        let mut bytes = 0;
        while batch.len() < BATCH_RECORDS && bytes < BATCH_BYTES {
            let mut row = StringRecord::new();
            match self.reader.read_record(&mut row) {
                Ok(true) => {}
                Ok(false) if self.empty => {
                    return Err(ImportError::not_a_source(&*self.path, NotASource::NoRows));
                }
                Ok(false) => break,
                Err(error) => return Err(self.error(error)),
            }
            self.empty = false;
            let next = self.reader.position().byte();
            self.bound
                .store(next.saturating_add(self.limit), Ordering::Relaxed);
            bytes += row.as_slice().len();
            batch.push((self.place_of(row.position()), row));
        }
        Ok(batch)
    }

    fn finish(self) -> Result<Digest, ImportError> {
        Ok(self.reader.into_inner().input.finish())
    }
}

/// Refuses to read on when a row does not end: a quote that nobody closes would take the whole file into memory.
struct Bounded<R> {
    input: Digesting<R>,
    read: u64,
    bound: Arc<AtomicU64>,
    limit: u64,
}

impl<R: Read> Read for Bounded<R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let bound = self.bound.load(Ordering::Relaxed);
        if self.read > bound {
            return Err(io::Error::other(TooLong {
                declared: self.read.saturating_sub(bound).saturating_add(self.limit),
                limit: self.limit,
            }));
        }
        let read = self.input.read(buffer)?;
        self.read += read as u64;
        Ok(read)
    }
}

/// A row without an end.
#[derive(Debug, thiserror::Error)]
#[error("a row of over {limit} bytes")]
struct TooLong {
    declared: u64,
    limit: u64,
}

//! The rows of a file, for the pipeline.

use std::io::{self, Read, Seek};
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use csv::{ErrorKind, Position, ReaderBuilder, StringRecord};

use super::columns::{self, Column, Columns};
use super::parse::RowParser;
use super::preamble::Preamble;
use crate::import::detect::first_stray;
use crate::import::digest::Digesting;
use crate::import::merge::Merger;
use crate::import::pipeline::{
    BATCH_BYTES, BATCH_RECORDS, Counters, Finished, Reader, Source, buffer,
};
use crate::import::{Fault, Format, ImportError, ImportOptions, NotASource, Place};

/// Most bytes that are read at once.
const BUFFER: usize = 1 << 18;

pub(in crate::import) struct Rows<R> {
    path: Arc<Path>,
    reader: csv::Reader<Bounded<R>>,
    /// Up to where the file may be read before the next row must end.
    bound: Arc<AtomicU64>,
    /// What [`Text`] found.
    stray: Arc<AtomicU64>,
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
    let preamble = Preamble::read(path, &mut file)?;
    let options = preamble.state(options)?;
    let limit = options.max_record_bytes.saturating_add(BUFFER as u64);
    let bound = Arc::new(AtomicU64::new(limit));
    let counters = Arc::<Counters>::default();
    let input = Bounded {
        input: Digesting::new(file, Arc::clone(&counters)),
        read: 0,
        bound: Arc::clone(&bound),
        limit: options.max_record_bytes,
        text: Text::default(),
    };
    let stray = Arc::clone(&input.text.stray);
    let mut rows = Rows {
        path: path.into(),
        reader: ReaderBuilder::new()
            .delimiter(delimiter(&preamble.header))
            .comment(Some(b'#'))
            .buffer_capacity(buffer(length, BUFFER))
            .from_reader(input),
        bound,
        stray,
        limit,
        empty: true,
    };
    let header = match rows.reader.headers() {
        Ok(header) => header.clone(),
        Err(error) => return Err(rows.error(error)),
    };
    let fault = |fault| preamble.place.clone().fault(fault);
    rows.check_text(&header).map_err(fault)?;
    let columns = Columns::new(header.iter(), &options).map_err(fault)?;
    preamble.check(&columns)?;
    let stated = options.provenance.clone().unwrap_or_default();
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
        parser: RowParser { columns, stated },
        merger,
    })
}

/// The separator between which the header has a column that names cells; else, or if several do, the one it has most of.
fn delimiter(header: &str) -> u8 {
    let count = |separator: char| header.matches(separator).count();
    let names_cells = |separator: char| {
        let mut names = header.split(separator);
        names.any(|name| {
            columns::names_cells(name.trim_matches(|c: char| c == '"' || c.is_whitespace()))
        })
    };
    let best = ['\t', ';', ','];
    let best = best.into_iter().max_by_key(|&s| (names_cells(s), count(s)));
    best.map_or(b',', |separator| separator as u8)
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

    /// Where the first byte that no text has was found, and the byte itself.
    fn stray(&self) -> Option<(u64, u8)> {
        let found = self.stray.load(Ordering::Relaxed);
        (found != Text::NONE).then_some((found >> 8, found as u8))
    }

    /// Refuses a record with a NUL byte, which is no text, though it is UTF-8.
    fn check_text(&self, row: &StringRecord) -> Result<(), Fault> {
        match self.stray() {
            Some((at, byte)) if row.as_slice().contains('\0') => Err(Fault::NotUtf8 { byte, at }),
            _ => Ok(()),
        }
    }

    fn error(&self, error: csv::Error) -> ImportError {
        let place = self.place_of(error.position());
        match error.into_kind() {
            ErrorKind::Io(error) => match error.downcast::<TooLong>() {
                Ok(TooLong { declared, limit }) => place.fault(Fault::TooLong { declared, limit }),
                Err(error) => ImportError::io(&*self.path, error),
            },
            ErrorKind::Utf8 { err, .. } => place.fault(match self.stray() {
                Some((at, byte)) => Fault::NotUtf8 { byte, at },
                None => Fault::Csv {
                    reason: format!("expected text in UTF-8, found {err}"),
                },
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
            let place = self.place_of(row.position());
            if let Err(fault) = self.check_text(&row) {
                return Err(place.fault(fault));
            }
            batch.push((place, row));
        }
        Ok(batch)
    }

    fn finish(self) -> Finished {
        (self.reader.into_inner().input.finish(), Vec::new())
    }
}

/// Refuses to read on when a row does not end: a quote that nobody closes would take the whole file into memory.
struct Bounded<R> {
    input: Digesting<R>,
    read: u64,
    bound: Arc<AtomicU64>,
    limit: u64,
    text: Text,
}

/// Finds the first byte, of what was read, that no text in UTF-8 has at its place.
struct Text {
    /// Its offset times 256, and the byte; [`Text::NONE`] if there is none.
    stray: Arc<AtomicU64>,
    /// The beginning of a character whose end was not read yet, and how many bytes there were before it.
    begun: Vec<u8>,
    before: u64,
}

impl Default for Text {
    fn default() -> Self {
        Self {
            stray: Arc::new(AtomicU64::new(Self::NONE)),
            begun: Vec::new(),
            before: 0,
        }
    }
}

impl Text {
    const NONE: u64 = u64::MAX;

    /// Looks at the next bytes; none are the end.
    fn look(&mut self, bytes: &[u8]) {
        if self.stray.load(Ordering::Relaxed) != Self::NONE {
            return;
        }
        let is_end = bytes.is_empty();
        let mut joined = std::mem::take(&mut self.begun);
        let all = if joined.is_empty() {
            bytes
        } else {
            joined.extend_from_slice(bytes);
            &joined
        };
        let invalid = std::str::from_utf8(all).err();
        let cut = invalid.filter(|error| error.error_len().is_none() && !is_end);
        let (whole, rest) = all.split_at(cut.map_or(all.len(), |error| error.valid_up_to()));
        if let Some((at, byte)) = first_stray(whole) {
            let found = (self.before + at as u64) << 8 | u64::from(byte);
            self.stray.store(found, Ordering::Relaxed);
        }
        self.before += whole.len() as u64;
        let rest = rest.to_vec();
        self.begun = rest;
    }
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
        self.text.look(buffer.get(..read).unwrap_or_default());
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

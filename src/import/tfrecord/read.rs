//! The records of a file, for the pipeline.

use std::io::{BufReader, Read};
use std::path::Path;
use std::sync::Arc;

use super::decode;
use super::frame::{FrameError, Frames};
use crate::import::digest::Digesting;
use crate::import::merge::Merger;
use crate::import::pipeline::{
    BATCH_BYTES, BATCH_RECORDS, Counters, Finished, Parse, Parsed, Reader, Source, buffer,
};
use crate::import::{ImportError, ImportOptions, NotASource, Place};

/// Most bytes that are read at once.
const BUFFER: usize = 1 << 20;

pub(in crate::import) struct TfRecords<R> {
    path: Arc<Path>,
    frames: Frames<BufReader<Digesting<R>>>,
    record: u64,
    /// The first record, which was read to learn the format.
    first: Option<(Place, Vec<u8>)>,
}

/// Reads the first record to tell the format.
pub(in crate::import) fn open<R: Read>(
    path: &Path,
    file: R,
    length: u64,
    options: &ImportOptions,
) -> Result<Source<TfRecords<R>, TfRecordParser>, ImportError> {
    let counters = Arc::<Counters>::default();
    let file = Digesting::new(file, Arc::clone(&counters));
    let input = BufReader::with_capacity(buffer(length, BUFFER), file);
    let mut records = TfRecords {
        path: path.into(),
        frames: Frames::new(input, length, options.max_record_bytes),
        record: 0,
        first: None,
    };
    let Some((place, payload)) = records.next_record()? else {
        return Err(ImportError::not_a_source(path, NotASource::Empty));
    };
    let format = decode::format_of(&payload).map_err(|fault| place.clone().fault(fault))?;
    records.first = Some((place, payload));
    Ok(Source {
        format,
        length,
        options: options.clone(),
        counters,
        reader: records,
        parser: TfRecordParser,
        merger: Merger::unnumbered(),
    })
}

impl<R: Read> TfRecords<R> {
    fn next_record(&mut self) -> Result<Option<(Place, Vec<u8>)>, ImportError> {
        if let Some(first) = self.first.take() {
            return Ok(Some(first));
        }
        self.record += 1;
        let place = Place {
            path: Arc::clone(&self.path),
            record: self.record,
            line: None,
            byte: self.frames.offset(),
        };
        match self.frames.next_payload() {
            Ok(payload) => Ok(payload.map(|payload| (place, payload))),
            Err(FrameError::Fault(fault)) => Err(place.fault(fault)),
            Err(FrameError::Io(error)) => Err(ImportError::io(&*self.path, error)),
        }
    }
}

impl<R: Read> Reader for TfRecords<R> {
    type Raw = Vec<u8>;

    fn next_batch(&mut self) -> Result<Vec<(Place, Vec<u8>)>, ImportError> {
        let mut batch = Vec::new();
        let mut bytes = 0;
        while batch.len() < BATCH_RECORDS && bytes < BATCH_BYTES {
            let Some((place, payload)) = self.next_record()? else {
                break;
            };
            bytes += payload.len();
            batch.push((place, payload));
        }
        Ok(batch)
    }

    fn finish(self) -> Finished {
        (self.frames.into_input().into_inner().finish(), Vec::new())
    }
}

pub(in crate::import) struct TfRecordParser;

impl Parse<Vec<u8>> for TfRecordParser {
    fn parse(&self, place: &Place, payload: Vec<u8>) -> Result<Vec<Parsed>, ImportError> {
        let parsed = decode::parse(&payload).map_err(|fault| place.clone().fault(fault))?;
        Ok(vec![parsed])
    }
}

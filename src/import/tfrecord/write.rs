use std::io::{self, Write};

use super::encode::encode_record;
use super::frame::{HEADER, TRAILER, write_frame};
use crate::cell::CellHash;
use crate::metrics::{Budget, Trial};

/// Why a trial cannot be written as a TFRecord.
#[derive(Debug, Clone, PartialEq, thiserror::Error)]
#[non_exhaustive]
pub enum WriteError {
    /// The format needs the graph.
    #[error(
        "cell {hash} at {budget}, repeat {repeat} has no graph, which a TFRecord needs; export as CSV or JSON, or import it with its graph"
    )]
    NoGraph {
        /// The cell.
        hash: CellHash,
        /// The budget.
        budget: Budget,
        /// The repeat.
        repeat: u32,
    },
    /// The number of parameters has no place in the format.
    #[error(
        "cell {hash} has {found} trainable parameters, expected a whole number that fits in 32 bits; correct it at its source"
    )]
    Parameters {
        /// The cell.
        hash: CellHash,
        /// The number.
        found: f64,
    },
}

/// Why trials were not written.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum WriteTfRecordError<E> {
    /// The trials could not be had.
    #[error(transparent)]
    Trials(E),
    /// A trial does not fit the format.
    #[error(transparent)]
    Trial(#[from] WriteError),
    /// The output failed.
    #[error("the TFRecord file cannot be written; check the space and the permissions there")]
    Io(#[from] io::Error),
}

/// How much was written.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Written {
    /// Records.
    pub records: u64,
    /// Bytes.
    pub bytes: u64,
}

/// Writes trials as a TFRecord file, in their order, and flushes it.
///
/// The trials of a TFRecord file give it back byte for byte. See [`encode_record`] for what is written of others.
/// The output should be buffered.
///
/// # Errors
/// The first error of the trials, of a trial without a graph, or of the output. What was written before stays there.
///
/// # Complexity
/// Memory for one record.
pub fn write_tfrecord<W: Write, E>(
    trials: impl IntoIterator<Item = Result<Trial, E>>,
    mut out: W,
) -> Result<Written, WriteTfRecordError<E>> {
    let mut written = Written::default();
    for trial in trials {
        let payload = encode_record(&trial.map_err(WriteTfRecordError::Trials)?)?;
        write_frame(&mut out, &payload)?;
        written.records += 1;
        written.bytes += HEADER + payload.len() as u64 + TRAILER;
    }
    out.flush()?;
    Ok(written)
}

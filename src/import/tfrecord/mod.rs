//! TFRecord files of EC-NAS and NAS-Bench-101, both ways.
//!
//! ```text
//! length u64 | masked CRC32C of the length | payload | masked CRC32C of the payload      (little-endian), again and again
//! payload: [hash, epochs, row-major adjacency bits, comma-separated operations, base64 of a protobuf message]   (JSON)
//! message: ModelMetricsEnergy (EC-NAS) or ModelMetrics (NAS-Bench-101)
//! ```
//!
//! A trial that was read gives exactly its payload again: where the fields do not suffice for that (an unknown field, other
//! spacing in the JSON), the payload is kept beside them in [`Trial::verbatim`].

mod decode;
mod encode;
mod frame;
mod proto;
mod read;
mod write;

pub use decode::decode_record;
pub use encode::encode_record;
pub(super) use read::open;
pub use write::{WriteError, WriteTfRecordError, Written, write_tfrecord};

#[cfg(doc)]
use crate::metrics::Trial;

/// The name under which a checkpoint's path is kept: NAS-Bench-101 has one per evaluation.
fn checkpoint_path(evaluation: usize) -> String {
    format!("evaluation_data[{evaluation}].checkpoint_path")
}

/// Whether that is such a name: a field of NAS-Bench-101's that has no use here, and nothing to tell the user about.
pub(super) fn is_checkpoint_path(name: &str) -> bool {
    name.starts_with("evaluation_data[") && name.ends_with("].checkpoint_path")
}

/// Whether bytes begin as a TFRecord file does: with a length, and the checksum that belongs to it.
#[must_use]
pub fn is_header(bytes: &[u8]) -> bool {
    matches!(
        bytes,
        [a, b, c, d, e, f, g, h, w, x, y, z, ..]
            if frame::masked_crc(&[*a, *b, *c, *d, *e, *f, *g, *h]) == u32::from_le_bytes([*w, *x, *y, *z])
    )
}

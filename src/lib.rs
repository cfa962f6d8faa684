//! An embedded, energy-aware benchmark database of neural architectures.
#![warn(missing_docs)]
#![deny(unsafe_code)]
#![cfg_attr(
    not(test),
    warn(clippy::unwrap_used, clippy::expect_used, clippy::indexing_slicing)
)]

pub mod carbon;
pub mod cell;
#[cfg(feature = "import")]
pub mod export;
#[cfg(feature = "import")]
pub mod import;
#[cfg(feature = "import")]
mod ingest;
pub mod metrics;
pub mod query;
mod seal;
pub mod snapshot;
pub mod store;

#[cfg(feature = "import")]
pub use ingest::{IngestError, Ingested, ingest};
pub use seal::{SealError, SealProgress, seal, seal_tables};

//! An embedded, energy-aware benchmark database of neural architectures.
#![warn(missing_docs)]
#![deny(unsafe_code)]
#![cfg_attr(
    not(test),
    warn(clippy::unwrap_used, clippy::expect_used, clippy::indexing_slicing)
)]

pub mod carbon;
pub mod cell;
pub mod metrics;
pub mod query;
mod seal;
pub mod snapshot;
pub mod store;

pub use seal::{SealError, SealProgress, seal, seal_tables};

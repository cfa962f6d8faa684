//! An embedded, energy-aware benchmark database of neural architectures.
#![warn(missing_docs)]
#![deny(unsafe_code)]
#![cfg_attr(
    not(test),
    warn(clippy::unwrap_used, clippy::expect_used, clippy::indexing_slicing)
)]

pub mod cell;
#[cfg(feature = "import")]
pub mod import;
pub mod metrics;

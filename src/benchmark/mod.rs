//! The whole search space without training it: a snapshot of all 423,624 cells of NAS-Bench-101, predicted.
//!
//! [`open`] builds it in the user's cache folder when it is first asked for, and from then on maps it at once ([`default_path`]
//! gives its path alone): every cell with its exact parameters and multiply-accumulates, and what a [`Surrogate`] predicts of
//! energy, time and accuracy at 4, 12, 36 and 108 epochs, with intervals. A [`Builder`] does the same at any path, and lays
//! measured trials over the predictions.
//!
//! Everything in it that no trial stands behind is *predicted*, and says so. A front of predictions favours cells whose
//! error is a lucky one: among so many cells some are predicted far too good, and these are the ones that it finds.
//! [`View::cautious_dominance`](crate::snapshot::View::cautious_dominance) and
//! [`RecipeQuery::cautious`](crate::query::RecipeQuery) take the worse end of each interval instead.
//!
//! ```no_run
//! use ecnas::{benchmark, metrics::Budget, query::RecipeQuery};
//! use std::ops::ControlFlow;
//!
//! let snapshot = benchmark::open(|_| ControlFlow::Continue(()))?;
//! let view = snapshot.view(benchmark::TABLE, Budget::epochs(108)?)?;
//! println!("{} recipes", view.recipes(&RecipeQuery::default())?.front()?.len());
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```

mod build;
mod cache;
mod open;

pub use build::{BuildProgress, Builder, Stage};
pub use cache::{default_path, default_path_in};
pub use open::open;

use crate::cache::CacheError;
use crate::snapshot::SnapshotError;
use crate::surrogate::SurrogateError;

#[cfg(doc)]
use crate::surrogate::Surrogate;

/// The name of the table.
pub const TABLE: &str = "nas-bench-101-predicted";

/// Why a benchmark cannot be built.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum BenchmarkError {
    /// The snapshot cannot be written.
    #[error(transparent)]
    Snapshot(#[from] SnapshotError),
    /// The surrogate does not predict what is asked for.
    #[error(transparent)]
    Surrogate(#[from] SurrogateError),
    /// The cache cannot be used. Build the benchmark at a path of your own then.
    #[error(transparent)]
    Cache(CacheError),
    /// There is not enough memory to build it; nothing was written.
    #[error(
        "building the benchmark takes {} MB of memory more, which this process cannot have; raise its limit (`ulimit -v`), or build the benchmark elsewhere and copy it",
        needed_bytes / 1_000_000
    )]
    Memory {
        /// How much it takes, in bytes.
        needed_bytes: u64,
    },
    /// The caller ended it.
    #[error("building the benchmark was interrupted")]
    Interrupted,
}

impl From<CacheError> for BenchmarkError {
    fn from(error: CacheError) -> Self {
        match error {
            CacheError::Interrupted => Self::Interrupted,
            other => Self::Cache(other),
        }
    }
}

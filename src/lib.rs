//! An embedded, energy-aware benchmark database of neural architectures: *what is cheaper and as good?*, answered from
//! measured benchmarks with no server, no Python and no load time.
//!
//! ```text
//!   released files, folders, CSV                      Rust NAS code, cluster jobs, tools
//!               |                                                    ^
//!   import      |  trials with provenance                            |
//!   ingest  ----+                                    query           |  fronts, recipes
//!   store       |  redb: grows in transactions                       |
//!   seal    ----+------------------------------->    snapshot  ------+  one immutable file
//! ```
//!
//! - [`cell`]: the architectures of NAS-Bench-101: pruning, isomorphism, hash, sizes, edits, enumeration, pictures.
//! - [`metrics`]: trials, budgets, units, and where each value comes from.
//! - `import` (feature `import`): TFRecord, trees of `results.json`, CSV; and `export`, the way back.
//! - [`store`]: named tables of trials in one redb file; one import is one transaction.
//! - [`snapshot`]: a sealed, checksummed, immutable file; views, look-ups and columns without a load phase.
//! - [`index`]: rank order, bitmaps, grids of sums, staircases: over columns of a snapshot, or of your own.
//! - [`pareto`]: fronts, layers, hypervolume, knees over plain points.
//! - [`query`]: rows within bounds, dominance, and recipes: cells that are cheaper and as good, with the edits that lead
//!   there.
//! - [`surrogate`]: energy, time and accuracy of cells that nobody trained.
//! - [`benchmark`]: the whole search space, predicted, in the user's cache folder.
//! - [`cache`]: the folder that keeps it, and copies of files that were given to the program directly.
//! - [`carbon`]: from kWh to gCO2e.
//! - [`files`]: files that appear whole.
//!
//! ```no_run
//! use ecnas::{metrics::Budget, query::RecipeQuery, snapshot::Snapshot};
//!
//! let snapshot = Snapshot::open("ec-nas.ecnas")?;
//! let view = snapshot.view("energy_4V9E_4epochs", Budget::epochs(108)?)?;
//! for recipe in view.recipes(&RecipeQuery::default())?.front()? {
//!     println!("{:.0} % less energy: {}", 100.0 * recipe.saving, recipe.hash);
//! }
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```
//!
//! Errors say what was expected, what was found, where, and what to do. A value that was not observed is absent, never
//! zero. Rows, budgets and columns that a table does not have are named in the error that says so. A cause of another
//! kind, such as what the operating system said, is the error's `source()` and is not part of its text: print the chain. An
//! error that adds a place to another one, a file's path or a record, shows both and has no source.
#![warn(missing_docs)]
#![deny(unsafe_code)]
#![cfg_attr(
    not(test),
    warn(clippy::unwrap_used, clippy::expect_used, clippy::indexing_slicing)
)]

pub mod benchmark;
pub mod cache;
pub mod carbon;
pub mod cell;
#[cfg(feature = "import")]
pub mod export;
pub mod files;
#[cfg(feature = "import")]
pub mod import;
pub mod index;
#[cfg(feature = "import")]
mod ingest;
pub mod metrics;
mod parallel;
pub mod pareto;
#[cfg(feature = "plot")]
pub mod plot;
pub mod query;
mod random;
mod seal;
mod short;
mod simd;
pub mod snapshot;
pub mod store;
pub mod surrogate;

#[cfg(feature = "import")]
pub use ingest::{IngestError, Ingested, ingest};
pub use seal::{SealError, SealProgress, seal, seal_tables};

/// The README's examples, compiled with the documentation's.
#[cfg(doctest)]
#[doc = include_str!("../README.md")]
struct Readme;

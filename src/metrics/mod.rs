//! What was observed of a cell: metrics with their units, training budgets, trials, and where each value comes from.
//!
//! ```text
//! Trial            one training run of one cell at one budget
//!   ├─ totals      values of the whole run (parameters, total energy, total time, …)
//!   ├─ checkpoints values at the epochs where the network was evaluated; the last one is the result
//!   ├─ power       average power and energy per device
//!   └─ …           time stamps, columns that this crate has no name for, unrecognised fields
//! TableInfo        what a set of trials has in common: data set, device, sources, provenance of each metric
//! ```
//!
//! Energy in kWh, mass of CO2 equivalents in g, carbon intensity in g/kWh, time in s, power in W; an accuracy is a
//! fraction in `[0, 1]`. A value that was not observed is absent, never zero.

mod budget;
mod interval;
mod metric;
mod names;
mod provenance;
mod record;
#[cfg(feature = "serde")]
mod serde;
mod setting;
mod table;
mod trial;

pub use budget::{Budget, BudgetError};
pub(crate) use interval::without_end;
pub use interval::{high_column, low_column};
pub use metric::{Metric, Unit};
#[cfg(feature = "import")]
pub(crate) use names::plain_name;
pub use names::{RESERVED_NAMES, is_reserved_name};
pub use provenance::{Provenance, Provenances};
pub(crate) use record::{ALIGNMENT, encode, layout_fingerprint, rkyv_error};
pub use record::{CheckpointRef, RecordError, TrialRef, ValuesRef, encode_trial};
pub use setting::Setting;
pub use table::{Estimates, SourceInfo, TableInfo};
pub use trial::{Checkpoint, Component, PowerUsage, Trial, Values};

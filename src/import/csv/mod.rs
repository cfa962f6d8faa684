//! CSV with named columns: a user's own measurements, in any order of columns.
//!
//! | column | header |
//! | --- | --- |
//! | cell | `hash` or `module_hash`; `adjacency` (row-major digits) and `operations` (comma-separated); or all three, which must agree |
//! | budget | `budget`, `epochs` or `budget_epochs`; or the metrics' headers hold it; or [`ImportOptions::budget`] |
//! | repeat | `repeat`, from 1; without it they count in order of appearance |
//! | metric | its [name](crate::metrics::Metric::name), `energy_kwh`, or another unit: `energy_wh`, `energy (J)`, `training_time_h`, `validation_accuracy (%)`; in files with one row per cell also with the budget: `energy_kwh_4_epochs`, `validation_accuracy_108` |
//! | estimate | `is_estimate`, 1 or 0: see below |
//! | any other | kept: numbers in [`Trial::other`], the rest in [`Trial::unrecognised`]; the [reserved names](crate::metrics::RESERVED_NAMES) are refused |
//!
//! A cell that is given by its hash alone is looked up in the search space, which is enumerated for that; a cell that it does
//! not hold stays without a graph, and a [`Note`](super::Note) counts those.
//!
//! Units: kWh, Wh, J, kJ; g, kg, mg; g/kWh, kg/kWh; s, ms, min, h; fraction, percent. An accuracy without a unit is a
//! fraction. Every other metric but counts needs one, in its header or in [`ImportOptions::units`].
//!
//! Lines that begin with `#` are comments. Before the header they may state what the values have in common, unless the
//! options do: `# search_space: NAS-Bench-101`, `# data_set: …`, `# device: …`, `# origin: …`, `# licence: …`, `# pue: …` and
//! `# provenance: measured` (or another of the [words](crate::metrics::Provenance)). `# provenance COLUMN: …` and
//! `# checkpoint_provenance COLUMN: …` speak of single columns, by the names that this crate gives them (`energy_kwh`). A
//! value or a column's name in double quotes is read as a string of JSON. [`write_csv`](crate::export::write_csv) writes
//! these lines.
//!
//! A row whose `is_estimate` is 1 is imported if its metrics are stated to be predicted or computed, by the file or by the
//! options. Else it is left out, and a [`Note`](super::Note) counts those: it must not pass for an observation.
//!
//! An empty field or `NA` is missing; `nan` is refused. Totals, parameters and multiply-accumulates are of the whole run;
//! the other metrics of a row are its one checkpoint. An apostrophe before a header that would be a formula otherwise
//! (`'=x`, as [`csv_cell`](crate::export::csv_cell) writes it) is no part of the name. In a file with budgets in its headers, a row without any value at a
//! budget has no trial there. Fields are separated by commas, semicolons or tabs, whichever the header has most of.

mod columns;
mod parse;
mod preamble;
mod read;
mod unit;

pub(super) use preamble::SEARCH_SPACE;
pub(crate) use preamble::write as write_preamble;
pub(super) use read::open;

#[cfg(doc)]
use {super::ImportOptions, crate::metrics::Trial};

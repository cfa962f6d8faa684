//! Cells that cost less than a reference and are as good, with the edits that lead there.

mod ask;
mod error;
mod search;

pub use ask::{Loss, RecipeQuery, Reference, Tolerance};
pub use error::RecipeError;
pub use search::RecipeSearch;

use crate::cell::{Cell, CellHash, Edits};
use crate::metrics::Budget;
use crate::snapshot::{RowId, View};

/// A cell with what it costs and how good it is, beside the reference.
#[derive(Debug, Clone, PartialEq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
#[non_exhaustive]
pub struct Recipe {
    /// The cell's row.
    pub row: RowId,
    /// The cell's hash.
    pub hash: CellHash,
    /// The cell; `None` where the source had the hash alone.
    pub cell: Option<Cell>,
    /// Energy, in kWh.
    pub energy_kwh: f64,
    /// Accuracy, a fraction.
    pub accuracy: f64,
    /// Training time, in s; `None` where it is missing.
    pub training_time_s: Option<f64>,
    /// CO2 equivalents at the query's site, in g, recomputed from the energy.
    pub co2e_g: f64,
    /// Energy saved, as a fraction of the reference's: 0.75 is 75 %. 0 for the reference itself. CO2 equivalents at the
    /// query's site are saved in the same proportion.
    pub saving: f64,
    /// Training time saved, as a fraction of the reference's; `None` where either is missing, or the two are on
    /// [two scales](View::two_scales).
    pub time_saving: Option<f64>,
    /// CO2 equivalents saved at the query's site, in g.
    pub co2e_saved_g: f64,
    /// Accuracy minus the reference's: negative is a loss.
    pub accuracy_change: f64,
    /// Whether no other recipe is cheaper and at least as accurate, or as cheap and more accurate.
    pub on_front: bool,
    /// The fewest edits that lead from the reference cell to this one; `None` where a cell's graph is not known, or the
    /// reference is no cell.
    pub edits: Option<Edits>,
    /// The same cell in the other views that were asked together with the first.
    pub elsewhere: Vec<Elsewhere>,
}

/// A recipe in another view: another budget, another table.
#[derive(Debug, Clone, PartialEq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
#[non_exhaustive]
pub struct Elsewhere {
    /// The view's table.
    pub table: String,
    /// The view's budget.
    pub budget: Budget,
    /// Energy there, in kWh.
    pub energy_kwh: f64,
    /// Accuracy there, a fraction.
    pub accuracy: f64,
    /// Energy saved there, as a fraction of the reference's there.
    pub saving: f64,
    /// Accuracy minus the reference's there.
    pub accuracy_change: f64,
}

/// What recipes are compared with.
#[derive(Debug, Clone, PartialEq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
#[non_exhaustive]
pub struct Baseline {
    /// The reference's row; `None` if it is no cell.
    pub row: Option<RowId>,
    /// The reference's hash; `None` if it is no cell.
    pub hash: Option<CellHash>,
    /// The reference cell; `None` where its graph is not known, or it is none.
    pub cell: Option<Cell>,
    /// Energy, in kWh.
    pub energy_kwh: f64,
    /// Accuracy, a fraction.
    pub accuracy: f64,
    /// Training time, in s; `None` where it is missing.
    pub training_time_s: Option<f64>,
    /// CO2 equivalents at the query's site, in g, recomputed from the energy.
    pub co2e_g: f64,
}

/// The answer to a [`RecipeQuery`].
#[derive(Debug, Clone, PartialEq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
#[non_exhaustive]
pub struct RecipeBook {
    /// The reference.
    pub reference: Baseline,
    /// The cheaper cells that lose no more than tolerated, cheapest first.
    pub recipes: Vec<Recipe>,
    /// How many cells of the first view have both energy and accuracy.
    pub compared: usize,
    /// How many cells have a trial at the first view's budget but lack energy or accuracy.
    pub missing: usize,
    /// The power usage effectiveness that the energy figures contain, if it is known.
    pub contained_pue: Option<f64>,
}

/// The cells that are cheaper than a reference and as good, but for a tolerated loss, with the edits that lead there:
/// short for `view.recipes(query)?.book()`.
///
/// # Errors
/// The view lacks energy or accuracy, does not hold the reference, or the query makes no sense.
///
/// # Complexity
/// Some microseconds to find k recipes, and some for the edits of each.
pub fn recipes(view: &View<'_>, query: &RecipeQuery) -> Result<RecipeBook, RecipeError> {
    view.recipes(query)?.book()
}

use crate::carbon::CarbonError;
use crate::cell::CellHash;
use crate::metrics::{Budget, Metric};
use crate::query::{QueryError, Scale};
use crate::snapshot::SnapshotError;

/// What can go wrong when asking for recipes.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum RecipeError {
    /// The view lacks what is needed.
    #[error(transparent)]
    Snapshot(#[from] SnapshotError),
    /// The cells within the bounds cannot be found.
    #[error(transparent)]
    Query(#[from] QueryError),
    /// CO2 equivalents cannot be computed.
    #[error(transparent)]
    Carbon(#[from] CarbonError),
    /// The tolerated loss is negative or not a number.
    #[error(
        "expected a tolerated loss of 0 or more (0.01 is one percentage point, or 1 % of the reference's value), found {found}"
    )]
    ToleratedLoss {
        /// What was given.
        found: f64,
    },
    /// The metric is no accuracy.
    #[error(
        "expected an accuracy (validation_accuracy, test_accuracy or train_accuracy), found `{found}`"
    )]
    NotAnAccuracy {
        /// What was given.
        found: Metric,
    },
    /// The reference's values are on the scale that is not compared.
    #[error(
        "expected a reference whose values are {}, found cell {hash} of table `{table}` at {budget}; choose another reference, or the other scale",
        match scale { Scale::Trials => "those of trials", Scale::Estimates => "estimates" }
    )]
    ReferenceOnOtherScale {
        /// The reference.
        hash: CellHash,
        /// The table.
        table: String,
        /// The budget.
        budget: Budget,
        /// The scale asked for.
        scale: Scale,
    },
    /// The reference lacks a value.
    #[error(
        "cell {hash} has no `{column}` in table `{table}` at {budget}; choose another reference"
    )]
    IncompleteReference {
        /// The reference.
        hash: CellHash,
        /// What it lacks.
        column: String,
        /// The table.
        table: String,
        /// The budget.
        budget: Budget,
    },
    /// Edits are limited, but the reference is no cell whose graph is known.
    #[error(
        "expected a reference cell whose graph is known to count edits from, found none; leave the limit on edits out, or name another reference"
    )]
    NoGraph,
    /// A reference that is no cell lacks a value, or has one that is no number.
    #[error("expected a number as `{column}` of the reference, found {found}")]
    IncompletePoint {
        /// The column.
        column: String,
        /// What was given.
        found: String,
    },
    /// No cell of the view has both energy and accuracy.
    #[error(
        "no cell of the view has both energy_kwh and {metric}: there is nothing to choose a reference from"
    )]
    NothingToCompare {
        /// The accuracy asked for.
        metric: Metric,
    },
}

use crate::index::IndexError;
use crate::metrics::{Budget, Setting};
use crate::snapshot::SnapshotError;

/// What can go wrong with a query.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum QueryError {
    /// The view lacks a column, or its bytes are damaged.
    #[error(transparent)]
    Snapshot(#[from] SnapshotError),
    /// An index is damaged.
    #[error(transparent)]
    Index(#[from] IndexError),
    /// A number that is asked for is NaN or infinite.
    #[error("`{column}`: expected a finite number, found {found}")]
    NotFinite {
        /// The column.
        column: String,
        /// What was given.
        found: f64,
    },
    /// A column that is compared holds values of trials and estimates, and they are on two scales.
    #[error(
        "`{column}` of table `{table}` at {budget} is on two scales: trials ({trials}), estimates ({estimates}): compare \
         trials alone or estimates alone, for a saving from one to the other means nothing"
    )]
    TwoScales {
        /// The column.
        column: String,
        /// The table.
        table: String,
        /// The budget.
        budget: Budget,
        /// The circumstances of the trials.
        trials: Box<Setting>,
        /// The circumstances that the estimates are for.
        estimates: Box<Setting>,
    },
    /// A bound is NaN.
    #[error("`{column}`: expected numbers as bounds, found NaN")]
    NotANumber {
        /// The column.
        column: String,
    },
    /// A text is no predicate.
    #[error(
        "`{text}`: expected {expected}; write for example energy_kwh<=0.3, vertices=5, input_output_edge=1 or energy_kwh=measured"
    )]
    Predicate {
        /// The text.
        text: String,
        /// What was expected.
        expected: &'static str,
    },
    /// Too few or too many objectives, or one of them twice.
    #[error("expected 2 to 5 distinct objectives, found {found}")]
    Objectives {
        /// What was given.
        found: String,
    },
}

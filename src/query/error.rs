use crate::index::IndexError;
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

use crate::metrics::Budget;

/// What a surrogate cannot do.
#[derive(Debug, Clone, PartialEq, thiserror::Error)]
#[non_exhaustive]
pub enum SurrogateError {
    /// The bytes are no model of this version.
    #[error(
        "expected a surrogate of format {expected}, found {found}; fit it again with this version of ecnas"
    )]
    Format {
        /// The format that this version reads.
        expected: u32,
        /// What was found.
        found: String,
    },
    /// The bytes are damaged.
    #[error("expected a whole surrogate, found {found}")]
    Damaged {
        /// What was found.
        found: String,
    },
    /// Nothing is known of training for so long.
    #[error(
        "expected a budget of 4, 12, 36 or 108 epochs, found {found}: the surrogate was fitted to these alone"
    )]
    Budget {
        /// The budget asked for.
        found: Budget,
    },
    /// Too few measured cells.
    #[error("expected at least {least} measured cells to fit {what}, found {found}")]
    TooFew {
        /// What was to be fitted.
        what: String,
        /// How many it takes.
        least: usize,
        /// How many there are.
        found: usize,
    },
    /// Values from which nothing can be learned.
    #[error("cannot fit {what}: {found}")]
    Degenerate {
        /// What was to be fitted.
        what: String,
        /// What is wrong with the values.
        found: String,
    },
}

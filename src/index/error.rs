/// What can go wrong with an index.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum IndexError {
    /// The bytes are no index, or of another version, or damaged.
    #[error("index: {what}, found {found}; the index is damaged: build it again")]
    Malformed {
        /// What was expected.
        what: String,
        /// What was found.
        found: String,
    },
    /// A column has another number of rows than the index.
    #[error("column `{column}`: expected {expected} rows, found {found}")]
    Rows {
        /// The column.
        column: String,
        /// The rows of the index.
        expected: usize,
        /// The values of the column.
        found: usize,
    },
    /// A column is not there.
    #[error("expected a column `{column}`, found none; add it before it is named")]
    NoSuchColumn {
        /// The column.
        column: String,
    },
    /// More than an index can hold.
    #[error("{what}: expected at most {limit}, found {found}")]
    TooLarge {
        /// What there is too much of.
        what: &'static str,
        /// The limit.
        limit: u64,
        /// What was found.
        found: u64,
    },
    /// A bound is no number.
    #[error("expected a number as bound, found NaN")]
    NotANumber,
}

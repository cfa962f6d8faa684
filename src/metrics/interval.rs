//! Names of the columns that hold the ends of a column's intervals.

/// The column with the lower end of each value's interval: `low_energy_kwh`.
///
/// Where a column holds estimates, these two say between which ends nine in ten values lie of training runs like those that
/// the estimates' model learned from. Runs that are trained or metered otherwise may lie elsewhere. A value that a trial stands
/// behind has no such ends.
#[must_use]
pub fn low_column(column: &str) -> String {
    format!("low_{column}")
}

/// The column with the upper end of each value's interval: `high_energy_kwh`; see [`low_column`].
#[must_use]
pub fn high_column(column: &str) -> String {
    format!("high_{column}")
}

/// The column whose intervals' ends this one holds, if its name says so.
pub(crate) fn without_end(column: &str) -> Option<&str> {
    column
        .strip_prefix("low_")
        .or_else(|| column.strip_prefix("high_"))
}

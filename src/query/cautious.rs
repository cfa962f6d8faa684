use std::borrow::Cow;

use super::Objective;
use crate::index::RowSet;
use crate::metrics::Provenance;
use crate::snapshot::{RowId, SnapshotError, View};

impl View<'_> {
    /// A metric's values, an estimate at the worse end of its interval: the column
    /// [`Objective::worse_column`]. A value without such an end stays as it is, and so does one that a trial stands behind,
    /// unless the trial's value is predicted; a missing one is NaN.
    ///
    /// # Errors
    /// The view has no such column.
    ///
    /// # Complexity
    /// O(n) where the view has ends for the column, else O(1), no copy.
    pub fn worse_end(&self, objective: &Objective) -> Result<Cow<'_, [f64]>, SnapshotError> {
        let values = self.column(&objective.column)?;
        let Ok(ends) = self.column(objective.worse_column()) else {
            return Ok(Cow::Borrowed(values));
        };
        let column = objective.column.as_ref();
        let of_trials = self.table().info()?.provenance_of(column, false);
        let all_have_ends =
            self.trial_count() == 0 || matches!(of_trials, Provenance::Predicted { .. });
        let estimated = match all_have_ends {
            true => RowSet::new(),
            false => self.estimated_rows(column)?,
        };
        if !all_have_ends && estimated.is_empty() {
            return Ok(Cow::Borrowed(values));
        }
        let worse = values
            .iter()
            .zip(ends)
            .zip(0..)
            .map(|((&value, &end), row)| {
                let has_end = all_have_ends || estimated.contains(RowId(row));
                // No value, no end.
                if value.is_nan() || end.is_nan() || !has_end {
                    value
                } else {
                    end
                }
            });
        Ok(Cow::Owned(worse.collect()))
    }
}

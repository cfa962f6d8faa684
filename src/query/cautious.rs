use std::borrow::Cow;

use super::Objective;
use crate::snapshot::{SnapshotError, View};

impl View<'_> {
    /// A metric's values, an estimate at the worse end of its interval: the column
    /// [`Objective::worse_column`]. A value without such an end, such as a measured one, stays as it is; a missing one is NaN.
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
        let worse = values.iter().zip(ends).map(|(&value, &end)| {
            // No value, no end.
            if value.is_nan() || end.is_nan() {
                value
            } else {
                end
            }
        });
        Ok(Cow::Owned(worse.collect()))
    }
}

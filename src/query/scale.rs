use super::{QueryError, RecipeQuery};
use crate::index::RowSet;
use crate::metrics::Metric;
use crate::snapshot::{SnapshotError, View};

/// Which values of a view are compared where those of trials and the estimates are on [two scales](View::two_scales).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Scale {
    /// Those that a trial stands behind.
    Trials,
    /// The estimates.
    Estimates,
}

impl Scale {
    /// Both of them.
    pub const ALL: [Self; 2] = [Self::Trials, Self::Estimates];

    /// Its name: `trials`, `estimates`.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Trials => "trials",
            Self::Estimates => "estimates",
        }
    }
}

impl RecipeQuery {
    /// The rows whose values are on one scale, in every column that the query compares; `None` where all of them are.
    ///
    /// # Errors
    /// A column is on two scales, and the query does not say which one counts; or the view lacks a column.
    ///
    /// # Complexity
    /// O(1) where the view has no trials or no estimates, else O(n).
    pub fn rows_on_scale(&self, view: &View<'_>) -> Result<Option<RowSet>, QueryError> {
        let tolerances = self.tolerances.iter();
        let tolerances = tolerances.map(|own| own.objective.column.as_ref());
        let compared = [Metric::Energy.name(), self.accuracy.name()];
        let columns = compared.into_iter().chain(tolerances);
        if let Some(scale) = self.scale {
            return Ok(view.rows_of_scale(columns, scale)?);
        }
        for column in columns {
            if let Some([trials, estimates]) = view.two_scales(column)? {
                return Err(QueryError::TwoScales {
                    column: column.to_owned(),
                    table: view.table().name().to_owned(),
                    budget: view.budget(),
                    trials: Box::new(trials),
                    estimates: Box::new(estimates),
                });
            }
        }
        Ok(None)
    }
}

impl View<'_> {
    /// The rows whose values are on the scale of trials, or of estimates, in each of the columns that is on two scales; `None`
    /// where none of them is.
    ///
    /// # Errors
    /// The view lacks a column.
    ///
    /// # Complexity
    /// O(1) where the view has no trials or no estimates, else O(n).
    pub fn rows_of_scale<'c>(
        &self,
        columns: impl IntoIterator<Item = &'c str>,
        scale: Scale,
    ) -> Result<Option<RowSet>, SnapshotError> {
        let mut all: Option<RowSet> = None;
        for column in columns {
            if self.two_scales(column)?.is_none() {
                continue;
            }
            let estimated = self.estimated_rows(column)?;
            let rows = match scale {
                Scale::Trials => &self.row_set() - &estimated,
                Scale::Estimates => estimated,
            };
            all = Some(match all {
                Some(all) => &all & &rows,
                None => rows,
            });
        }
        Ok(all)
    }
}

//! Which columns of a snapshot are indexed, and the indexes of a view.

use std::collections::BTreeMap;
use std::sync::OnceLock;

use super::catalog::BudgetLayout;
use super::{SnapshotError, Table};
use crate::cell::Feature;
use crate::index::{ColumnIndex, Index, IndexBuilder, IndexBytes, IndexError};
use crate::metrics::Metric;

/// Columns that are indexed at every budget.
const COLUMNS: [Metric; 6] = [
    Metric::Energy,
    Metric::ValidationAccuracy,
    Metric::TestAccuracy,
    Metric::TrainAccuracy,
    Metric::TrainingTime,
    Metric::Co2e,
];

/// Columns that are indexed once for the table, where they are the same at every budget.
pub(super) const STRUCTURAL: [Metric; 2] = [Metric::TrainableParameters, Metric::Macs];

/// Pairs of columns for boxes and dominance.
const PAIRS: [(Metric, Metric); 2] = [
    (Metric::Energy, Metric::ValidationAccuracy),
    (Metric::Energy, Metric::TestAccuracy),
];

/// The index of a budget, over one value per row.
pub(super) fn of_budget(rows: usize, columns: &[(&str, &[f64])]) -> Result<IndexBytes, IndexError> {
    let find = |metric: Metric| {
        let mut columns = columns.iter();
        columns.find(|(name, _)| *name == metric.name())
    };
    let mut builder = IndexBuilder::new(rows);
    for (name, values) in COLUMNS.into_iter().filter_map(find) {
        builder = builder.column(*name, values)?;
    }
    for (x, y) in PAIRS {
        if find(x).is_some() && find(y).is_some() {
            builder = builder.pair(x.name(), y.name())?;
        }
    }
    builder.build()
}

/// The index of a table: columns that do not depend on the budget, and the features of its cells.
pub(super) fn of_table(
    columns: &[(Metric, Vec<f64>)],
    cells: &[Option<crate::cell::Cell>],
) -> Result<IndexBytes, IndexError> {
    let mut builder = IndexBuilder::new(cells.len());
    for (metric, values) in columns {
        builder = builder.column(metric.name(), values)?;
    }
    if cells.iter().any(Option::is_some) {
        for feature in Feature::ALL {
            let values = cells
                .iter()
                .map(|cell| cell.map(|cell| cell.feature(feature)));
            builder = builder.category(feature.name(), values.collect())?;
        }
    }
    builder.build()
}

/// The structural columns, kept where they are the same at every budget.
#[derive(Default)]
pub(super) struct Structural {
    columns: BTreeMap<Metric, Option<Vec<f64>>>,
    budgets: usize,
}

impl Structural {
    /// Compares the columns of another budget.
    pub fn add(&mut self, columns: &[(&str, &[f64])]) {
        for metric in STRUCTURAL {
            let mut found = columns.iter();
            let found = found.find(|(name, _)| *name == metric.name());
            let first = self.budgets == 0;
            let kept = self.columns.entry(metric).or_default();
            let bits = |values: &[f64]| {
                values
                    .iter()
                    .map(|value| value.to_bits())
                    .collect::<Vec<_>>()
            };
            match (found, kept.as_ref()) {
                (Some((_, values)), None) if first => *kept = Some(values.to_vec()),
                (Some((_, values)), Some(same)) if bits(values) == bits(same) => {}
                _ => *kept = None,
            }
        }
        self.budgets += 1;
    }

    pub fn agreed(self) -> Vec<(Metric, Vec<f64>)> {
        let columns = self.columns.into_iter();
        columns
            .filter_map(|(metric, values)| Some((metric, values?)))
            .collect()
    }
}

/// The indexes that a view's queries use.
#[derive(Debug)]
pub(crate) struct ViewIndex<'s> {
    /// Of the view's own columns.
    pub budget: Index<'s>,
    table: Table<'s>,
    /// Opened when first asked for; `None` where it is damaged: then queries scan.
    of_table: OnceLock<Option<Index<'s>>>,
}

impl<'s> ViewIndex<'s> {
    pub const fn new(budget: Index<'s>, table: Table<'s>) -> Self {
        Self {
            budget,
            table,
            of_table: OnceLock::new(),
        }
    }

    /// The index of a column.
    pub fn column(&self, name: &str) -> Option<&ColumnIndex<'s>> {
        if STRUCTURAL.iter().any(|metric| metric.name() == name) {
            return self.of_table()?.column(name);
        }
        self.budget.column(name)
    }

    /// The index of a column of the view, given its values too, by which it is found sooner.
    pub fn column_over(&self, name: &str, values: &[f64]) -> Option<&ColumnIndex<'s>> {
        let own = self.budget.column_over(values);
        own.or_else(|| self.column(name))
    }

    /// Of what does not depend on the budget.
    pub fn of_table(&self) -> Option<&Index<'s>> {
        let index = self.of_table.get_or_init(|| self.table.index().ok());
        index.as_ref()
    }
}

/// Says of which table an index cannot be built.
pub(super) fn unbuilt(table: &str) -> impl Fn(IndexError) -> SnapshotError {
    move |error| SnapshotError::Malformed {
        what: format!("expected to index table `{table}`"),
        found: error.to_string(),
    }
}

/// Says where a damaged index lies.
pub(super) fn located(table: &str, layout: &BudgetLayout) -> impl Fn(IndexError) -> SnapshotError {
    let what = format!("table `{table}`, {}", layout.budget);
    move |error| SnapshotError::Malformed {
        what: what.clone(),
        found: error.to_string(),
    }
}

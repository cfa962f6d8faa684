use std::fmt;
use std::sync::OnceLock;

use super::catalog::{BudgetLayout, ColumnLayout};
use super::{Repeats, RowId, SnapshotError, Table, ViewIndex, reduce};
use crate::cell::{Cell, CellHash};
use crate::index::RowSet;
use crate::metrics::{Budget, Metric, Provenance, Setting, TrialRef, Unit};

/// A table at one budget, repeats reduced by a policy: the place where queries run.
///
/// Columns are slices with one `f64` per row, indexed by [`RowId`]; a missing value is NaN there, and `None` where a single
/// value is returned.
pub struct View<'s> {
    table: Table<'s>,
    layout: &'s BudgetLayout,
    repeats: Repeats,
    /// Columns that the policy does not find in the file, computed when first asked for.
    computed: Vec<OnceLock<Vec<f64>>>,
    /// Opened when first asked for; `None` where the policy's values are not those that were indexed.
    index: OnceLock<Option<ViewIndex<'s>>>,
    /// The rows with a trial, collected when first asked for.
    present: OnceLock<RowSet>,
}

/// A column's name, its unit and its values.
#[derive(Clone, Copy)]
#[non_exhaustive]
pub struct Column<'v> {
    /// The name, which ends with the unit.
    pub name: &'v str,
    /// The unit.
    pub unit: Unit,
    /// One value per row; NaN where missing.
    pub values: &'v [f64],
}

impl<'s> View<'s> {
    pub(super) fn new(table: Table<'s>, layout: &'s BudgetLayout, repeats: Repeats) -> Self {
        let computed = layout.columns.iter().map(|_| OnceLock::new()).collect();
        Self {
            table,
            layout,
            repeats,
            computed,
            index: OnceLock::new(),
            present: OnceLock::new(),
        }
    }

    /// The view's table.
    #[must_use]
    pub const fn table(&self) -> Table<'s> {
        self.table
    }

    /// The view's budget.
    #[must_use]
    pub const fn budget(&self) -> Budget {
        self.layout.budget
    }

    /// How repeats become one value.
    #[must_use]
    pub const fn repeats(&self) -> Repeats {
        self.repeats
    }

    /// The number of rows: of the cells of the table, also those without a trial at this budget.
    #[must_use]
    pub const fn len(&self) -> usize {
        self.table.len()
    }

    /// Whether the table has no rows.
    #[must_use]
    pub const fn is_empty(&self) -> bool {
        self.table.is_empty()
    }

    /// The number of trials at this budget.
    #[must_use]
    pub const fn trial_count(&self) -> usize {
        self.layout.trials
    }

    /// The names of the columns: every metric that some trial of the view reports.
    pub fn column_names(&self) -> impl ExactSizeIterator<Item = &'s str> + use<'s> {
        self.layout
            .columns
            .iter()
            .map(|column| column.name.as_str())
    }

    /// A column: one value per row, NaN where missing.
    ///
    /// ```no_run
    /// # use ecnas::{metrics::Metric, snapshot::View};
    /// # fn example(view: &View<'_>) -> Result<(), ecnas::snapshot::SnapshotError> {
    /// let energy_kwh: &[f64] = view.column(Metric::Energy)?;
    /// let own: &[f64] = view.column("inference_energy_kwh")?;
    /// # Ok(()) }
    /// ```
    ///
    /// # Errors
    /// The view has no such column; the error names those that it has.
    ///
    /// # Complexity
    /// O(1), no copy: a slice of the file. Under a policy other than the mean, in a table with repeats, O(trials) the first
    /// time.
    pub fn column(&self, name: impl AsRef<str>) -> Result<&[f64], SnapshotError> {
        Ok(self.named_column(name)?.values)
    }

    /// A column with its name and unit.
    ///
    /// # Errors
    /// As [`column`](Self::column).
    pub fn named_column(&self, name: impl AsRef<str>) -> Result<Column<'_>, SnapshotError> {
        let (name, values) = self.column_entry(name.as_ref())?;
        let unit = Unit::of_name(name);
        Ok(Column { name, unit, values })
    }

    /// A column's name, as the view keeps it, and its values.
    pub(crate) fn column_entry(&self, name: &str) -> Result<(&'s str, &[f64]), SnapshotError> {
        let number = self.layout.column(name);
        let column = number.and_then(|number| self.layout.columns.get(number).zip(Some(number)));
        let (column, number) = column.ok_or_else(|| SnapshotError::NoSuchColumn {
            table: self.table.name().to_owned(),
            budget: self.budget(),
            column: name.to_owned(),
            columns: self.column_names().map(str::to_owned).collect(),
        })?;
        Ok((&column.name, self.values(number)))
    }

    /// All columns.
    pub fn columns(&self) -> impl ExactSizeIterator<Item = Column<'_>> {
        let columns = self.layout.columns.iter().enumerate();
        columns.map(|(number, column)| Column {
            name: &column.name,
            unit: Unit::of_name(&column.name),
            values: self.values(number),
        })
    }

    /// The row of a cell, given its hash or the cell itself in any isomorphic drawing; `None` where the table does not hold
    /// the cell, or has no trial of it at this budget.
    ///
    /// # Complexity
    /// As [`Table::row`].
    pub fn get(&self, cell: impl Into<CellHash>) -> Option<Row<'_, 's>> {
        let row = self.at(self.table.row(cell)?)?;
        row.is_present().then_some(row)
    }

    /// As [`get`](Self::get), with an error that says what is there instead.
    ///
    /// # Errors
    /// The table does not hold the cell at this budget; the error names the table, its budgets, and the cell's.
    pub fn require(&self, cell: impl Into<CellHash>) -> Result<Row<'_, 's>, SnapshotError> {
        let hash: CellHash = cell.into();
        self.get(hash).ok_or_else(|| {
            let row = self.table.row(hash);
            SnapshotError::NoSuchCell {
                table: self.table.name().to_owned(),
                hash,
                budget: self.budget(),
                cell_budgets: row
                    .map(|row| self.table.budgets_of(row).collect())
                    .unwrap_or_default(),
                budgets: self.table.budgets().collect(),
            }
        })
    }

    /// A row by its number; `None` beyond the last. The row may have no trial at this budget.
    #[must_use]
    pub fn at(&self, id: RowId) -> Option<Row<'_, 's>> {
        (id.index() < self.len()).then_some(Row { view: self, id })
    }

    /// The rows that have a trial at this budget, cheapest first (at the table's largest budget).
    pub fn rows(&self) -> impl Iterator<Item = Row<'_, 's>> {
        let ids = (0..self.len() as u32).map(RowId);
        ids.map(|id| Row { view: self, id }).filter(Row::is_present)
    }

    /// The rows that have a trial at this budget, as a set.
    ///
    /// # Complexity
    /// O(n) the first time, then a copy of the set.
    #[must_use]
    pub fn row_set(&self) -> RowSet {
        let present = || self.rows().map(|row| row.id()).collect();
        self.present.get_or_init(present).clone()
    }

    /// Whether the view holds values of trials and estimates side by side.
    #[must_use]
    pub const fn is_mixed(&self) -> bool {
        self.layout.estimated.is_some() && self.layout.trials > 0
    }

    /// The rows whose value in a column is an estimate, which no trial stands behind.
    ///
    /// # Errors
    /// The view has no such column.
    ///
    /// # Complexity
    /// O(n), where the view has estimates at all.
    pub fn estimated_rows(&self, column: impl AsRef<str>) -> Result<RowSet, SnapshotError> {
        let name = self.named_column(column)?.name;
        if self.layout.estimated.is_none() {
            return Ok(RowSet::new());
        }
        let rows = (0..self.len() as u32).filter_map(|row| self.at(RowId(row)));
        let estimated = rows.filter(|row| row.is_estimate(name));
        Ok(estimated.map(|row| row.id()).collect())
    }

    /// Where the values of a column come from, each with its number of rows, most rows first. None where it has no value.
    ///
    /// # Errors
    /// The view has no such column, or the table's description is damaged.
    ///
    /// # Complexity
    /// O(n).
    pub fn provenance(
        &self,
        column: impl AsRef<str>,
    ) -> Result<Vec<(Provenance, usize)>, SnapshotError> {
        let column = self.named_column(column)?;
        let all = column.values.iter().filter(|value| !value.is_nan()).count();
        let estimated = self.estimated_rows(column.name)?.len();
        self.origins(column.name, all - estimated, estimated)
    }

    /// As [`provenance`](Self::provenance), of the rows of a set alone.
    ///
    /// # Errors
    /// As [`provenance`](Self::provenance).
    ///
    /// # Complexity
    /// O(n).
    pub fn provenance_in(
        &self,
        column: impl AsRef<str>,
        rows: &RowSet,
    ) -> Result<Vec<(Provenance, usize)>, SnapshotError> {
        let column = self.named_column(column)?;
        let has_value = |row: &RowId| {
            column
                .values
                .get(row.index())
                .is_some_and(|own| !own.is_nan())
        };
        let all = rows.iter().filter(has_value).count();
        let estimated = (&self.estimated_rows(column.name)? & rows).len();
        self.origins(column.name, all - estimated, estimated)
    }

    fn origins(
        &self,
        column: &str,
        tried: usize,
        estimated: usize,
    ) -> Result<Vec<(Provenance, usize)>, SnapshotError> {
        let info = self.table.info()?;
        let mut parts = vec![(info.provenance_of(column, false), tried)];
        let estimates = info.provenance_of(column, true);
        match parts.first_mut() {
            Some((own, rows)) if *own == estimates => *rows += estimated,
            _ => parts.push((estimates, estimated)),
        }
        parts.retain(|(_, rows)| *rows > 0);
        parts.sort_by_key(|(_, rows)| std::cmp::Reverse(*rows));
        Ok(parts)
    }

    /// The two settings of a column's values, if they are on two scales: first that of the trials, then that of the
    /// estimates. No value of the one can be compared with one of the other; see [`Setting::shares_scale`].
    ///
    /// # Errors
    /// The view has no such column, or the table's description is damaged.
    ///
    /// # Complexity
    /// O(1) where the view has no trials or no estimates, else O(n).
    pub fn two_scales(
        &self,
        column: impl AsRef<str>,
    ) -> Result<Option<[Setting; 2]>, SnapshotError> {
        let column = self.named_column(column)?;
        if !self.is_mixed() {
            return Ok(None);
        }
        let info = self.table.info()?;
        let settings = [info.trial_setting(), info.estimates.setting];
        let [trials, estimates] = &settings;
        if trials.shares_scale(estimates, column.unit) {
            return Ok(None);
        }
        let all = column.values.iter().filter(|value| !value.is_nan()).count();
        let estimated = self.estimated_rows(column.name)?.len();
        Ok((0 < estimated && estimated < all).then_some(settings))
    }

    /// The cells that both views hold at their budgets, as pairs of rows.
    ///
    /// # Complexity
    /// O(n + m) for the whole join.
    pub fn join<'a>(
        &'a self,
        other: &'a View<'s>,
    ) -> impl Iterator<Item = (Row<'a, 's>, Row<'a, 's>)> {
        self.table.join(other.table).filter_map(move |(a, b)| {
            let pair = (self.at(a)?, other.at(b)?);
            (pair.0.is_present() && pair.1.is_present()).then_some(pair)
        })
    }

    /// The indexes of the view's columns; `None` where they do not hold for the policy: then queries scan.
    ///
    /// # Complexity
    /// O(columns), about a microsecond, the first time.
    pub(crate) fn index(&self) -> Result<Option<&ViewIndex<'s>>, SnapshotError> {
        if let Some(index) = self.index.get() {
            return Ok(index.as_ref());
        }
        let reads_file = match self.repeats {
            Repeats::Mean => true,
            Repeats::Min | Repeats::Max | Repeats::Draw { .. } => {
                let mut columns = self.layout.columns.iter();
                columns.all(|column| column.row_means.is_none())
            }
            Repeats::Given(_) => false,
        };
        let budget = reads_file.then(|| self.table.budget_index(self.layout));
        let index = budget
            .transpose()?
            .map(|budget| ViewIndex::new(budget, self.table));
        Ok(self.index.get_or_init(|| index).as_ref())
    }

    fn values(&self, number: usize) -> &[f64] {
        let Some(column) = self.layout.columns.get(number) else {
            return &[];
        };
        match (self.repeats, column.row_means) {
            (Repeats::Mean, Some(means)) => self.table.slice(means),
            // One trial each: its value is the mean, the least and the greatest, and the one drawn.
            (Repeats::Mean | Repeats::Min | Repeats::Max | Repeats::Draw { .. }, None) => {
                self.table.slice(column.trial_values)
            }
            _ => match self.computed.get(number) {
                Some(slot) => slot.get_or_init(|| self.reduce(column)),
                None => &[],
            },
        }
    }

    fn reduce(&self, column: &ColumnLayout) -> Vec<f64> {
        let mut values = self.reduce_trials(column);
        if self.layout.estimated.is_some() {
            let rows = self
                .table
                .slice(column.row_means.unwrap_or(column.trial_values));
            for ((value, &own), row) in values.iter_mut().zip(rows).zip(0..) {
                // An estimate has no repeats: it is there under every policy.
                if value.is_nan() && !self.table.has_trial_value(self.layout, column, RowId(row)) {
                    *value = own;
                }
            }
        }
        values
    }

    fn reduce_trials(&self, column: &ColumnLayout) -> Vec<f64> {
        let values: &[f64] = self.table.slice(column.trial_values);
        let starts: &[u32] = self.table.slice(self.layout.starts);
        match self.repeats {
            Repeats::Mean => reduce::means(starts, values),
            Repeats::Min => reduce::per_row(starts, values, |row| reduce::extreme(row, f64::min)),
            Repeats::Max => reduce::per_row(starts, values, |row| reduce::extreme(row, f64::max)),
            Repeats::Given(_) | Repeats::Draw { .. } => (0..self.len() as u32)
                .map(|row| {
                    let entry = self.chosen_entry(RowId(row));
                    let value = entry.and_then(|entry| values.get(entry));
                    value.copied().unwrap_or(f64::NAN)
                })
                .collect(),
        }
    }

    /// The one trial of a row that a policy picks.
    fn chosen_entry(&self, row: RowId) -> Option<usize> {
        let range = self.table.entry_range(self.layout, row);
        match self.repeats {
            Repeats::Given(repeat) => {
                let entries = self.table.entries(self.layout).get(range.clone())?;
                let place = entries.iter().position(|entry| entry.repeat == repeat)?;
                Some(range.start + place)
            }
            Repeats::Draw { seed } if !range.is_empty() => {
                let hash = self.table.hash(row)?;
                Some(range.start + reduce::draw(seed, hash, range.len()))
            }
            _ => None,
        }
    }

    fn value(&self, number: usize, row: RowId) -> Option<f64> {
        let value = self.values(number).get(row.index()).copied()?;
        (!value.is_nan()).then_some(value)
    }
}

impl fmt::Debug for View<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("View")
            .field("table", &self.table.name())
            .field("budget", &self.budget())
            .field("repeats", &self.repeats)
            .field("rows", &self.len())
            .finish()
    }
}

/// One cell of a view.
#[derive(Clone, Copy)]
pub struct Row<'v, 's> {
    view: &'v View<'s>,
    id: RowId,
}

impl<'v, 's> Row<'v, 's> {
    /// The row's number.
    #[must_use]
    pub const fn id(&self) -> RowId {
        self.id
    }

    /// The view that the row belongs to.
    #[must_use]
    pub const fn view(&self) -> &'v View<'s> {
        self.view
    }

    /// The cell's hash.
    #[must_use]
    pub fn hash(&self) -> CellHash {
        let hash = self.view.table.hash(self.id);
        hash.unwrap_or(CellHash::from_bytes([0; 16]))
    }

    /// The cell as its source drew it; `None` where the source had the hash alone.
    #[must_use]
    pub fn cell(&self) -> Option<Cell> {
        self.view.table.cell(self.id)
    }

    /// The cell's value in a metric, reduced by the view's policy; `None` where it is missing.
    #[must_use]
    pub fn get(&self, metric: Metric) -> Option<f64> {
        self.view.value(self.view.layout.metric(metric)?, self.id)
    }

    /// The cell's value in a column by the column's name; `None` where it is missing.
    #[must_use]
    pub fn get_named(&self, column: &str) -> Option<f64> {
        self.view.value(self.view.layout.column(column)?, self.id)
    }

    /// The number of trials of the cell at the view's budget.
    #[must_use]
    pub fn trial_count(&self) -> usize {
        self.entries().len()
    }

    /// Whether the cell has a trial at the view's budget (under [`Repeats::Given`]: that repeat), or estimates instead.
    #[must_use]
    pub fn is_present(&self) -> bool {
        let (table, layout) = (self.view.table, self.view.layout);
        let is_tried = match self.view.repeats {
            Repeats::Given(_) => self.view.chosen_entry(self.id).is_some(),
            _ => layout.one_each || !self.entries().is_empty(),
        };
        is_tried || (self.entries().is_empty() && table.is_estimated(layout, self.id))
    }

    /// Whether the cell's value in a column is an estimate, which no trial stands behind: it comes from where
    /// [`TableInfo::estimates`](crate::metrics::TableInfo) says. No if it has none.
    #[must_use]
    pub fn is_estimate(&self, column: &str) -> bool {
        let layout = self.view.layout;
        self.view.table.is_estimated(layout, self.id)
            && self.get_named(column).is_some()
            && layout.column(column).is_some_and(|number| {
                let column = layout.columns.get(number);
                column
                    .is_none_or(|column| !self.view.table.has_trial_value(layout, column, self.id))
            })
    }

    /// Where the cell's value in a column comes from; `None` where it has none.
    ///
    /// # Errors
    /// The table's description is damaged.
    ///
    /// # Complexity
    /// That of [`Table::info`]: it reads the description, which takes microseconds.
    pub fn provenance(&self, column: &str) -> Result<Option<Provenance>, SnapshotError> {
        let info = self.view.table.info()?;
        let own = || info.provenance_of(column, self.is_estimate(column));
        Ok(self.get_named(column).map(|_| own()))
    }

    /// The full trials of the cell at the view's budget, by repeat: totals, checkpoints, power, time stamps.
    pub fn trials(&self) -> impl ExactSizeIterator<Item = Result<TrialRef<'s>, SnapshotError>> {
        let (table, layout) = (self.view.table, self.view.layout);
        self.entries().map(move |entry| table.trial(layout, entry))
    }

    fn entries(&self) -> std::ops::Range<usize> {
        self.view.table.entry_range(self.view.layout, self.id)
    }
}

impl fmt::Debug for Row<'_, '_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut map = f.debug_map();
        map.entry(&"hash", &format_args!("{}", self.hash()));
        for (number, column) in self.view.layout.columns.iter().enumerate() {
            if let Some(value) = self.view.value(number, self.id) {
                map.entry(&column.name, &value);
            }
        }
        map.finish()
    }
}

/// Its name, its unit and its length.
impl fmt::Debug for Column<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Column")
            .field("name", &self.name)
            .field("unit", &self.unit)
            .field("values", &self.values.len())
            .finish()
    }
}

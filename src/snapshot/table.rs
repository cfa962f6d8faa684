use std::fmt;

use rkyv::rancor;

use super::catalog::{BudgetLayout, ColumnLayout, TableLayout};
use super::format::{Entry, Section};
use super::keys::{Keys, Slot};
use super::{Repeats, SnapshotError, View};
use crate::cell::{Cell, CellHash};
use crate::index::{Index, IndexSize, RowId};
use crate::metrics::{Budget, Checkpoint, Metric, TableInfo, Trial, TrialRef, rkyv_error};
use crate::short::Short;

/// The trials of one source: rows are cells. Copying it costs nothing.
#[derive(Clone, Copy)]
pub struct Table<'s> {
    file: &'s [u8],
    layout: &'s TableLayout,
}

impl<'s> Table<'s> {
    pub(super) const fn new(file: &'s [u8], layout: &'s TableLayout) -> Self {
        Self { file, layout }
    }

    /// The table's name.
    #[must_use]
    pub fn name(self) -> &'s str {
        &self.layout.name
    }

    /// The number of rows, which is the number of distinct cells.
    #[must_use]
    pub const fn len(self) -> usize {
        self.layout.rows
    }

    /// Whether the table has no rows.
    #[must_use]
    pub const fn is_empty(self) -> bool {
        self.layout.rows == 0
    }

    /// The number of trials at all budgets.
    #[must_use]
    pub fn trial_count(self) -> usize {
        self.layout.budgets.iter().map(|budget| budget.trials).sum()
    }

    /// The budgets that the table has trials at, ascending.
    pub fn budgets(self) -> impl ExactSizeIterator<Item = Budget> + 's {
        self.layout.budgets.iter().map(|layout| layout.budget)
    }

    /// What the table's trials have in common: sources, data set, device, provenance.
    ///
    /// # Errors
    /// The bytes are damaged.
    ///
    /// # Complexity
    /// Decodes it: some microseconds.
    pub fn info(self) -> Result<TableInfo, SnapshotError> {
        let malformed = |error: rancor::Error| SnapshotError::Malformed {
            what: format!("table `{}`: expected what is known of it", self.name()),
            found: rkyv_error(&error),
        };
        rkyv::from_bytes::<TableInfo, rancor::Error>(self.bytes(self.layout.info))
            .map_err(malformed)
    }

    /// The table at one budget, repeats reduced to their mean.
    ///
    /// # Errors
    /// The table has no trials at this budget; the error names the budgets that it has.
    ///
    /// # Complexity
    /// O(1).
    pub fn view(self, budget: Budget) -> Result<View<'s>, SnapshotError> {
        self.view_with(budget, Repeats::Mean)
    }

    /// The table at one budget, repeats reduced by a policy.
    ///
    /// # Errors
    /// The table has no trials at this budget; the error names the budgets that it has.
    ///
    /// # Complexity
    /// O(1). A column is computed when first asked for, in O(trials), unless the policy is the mean or every cell has
    /// exactly one trial; then it is a slice of the file.
    pub fn view_with(self, budget: Budget, repeats: Repeats) -> Result<View<'s>, SnapshotError> {
        let layout = self
            .layout
            .budgets
            .iter()
            .find(|layout| layout.budget == budget)
            .ok_or_else(|| SnapshotError::NoSuchBudget {
                table: self.name().to_owned(),
                budget,
                budgets: self.budgets().collect(),
            })?;
        Ok(View::new(self, layout, repeats))
    }

    /// The row of a cell, given its hash or the cell itself, in any isomorphic drawing.
    ///
    /// # Complexity
    /// O(1): two dependent reads, the first of a small array; a [`Cell`] is hashed first (about 8 us).
    #[must_use]
    pub fn row(self, cell: impl Into<CellHash>) -> Option<RowId> {
        let hash: CellHash = cell.into();
        self.keys()
            .find(hash.as_bytes())
            .map(|slot| RowId(slot.row))
    }

    /// The rows of many cells, in the order of their hashes: as [`row`](Self::row) of each, but several times faster, since
    /// reads overlap.
    ///
    /// # Complexity
    /// O(k) for k hashes.
    #[must_use]
    pub fn rows(self, hashes: &[CellHash]) -> Vec<Option<RowId>> {
        let mut rows = Vec::with_capacity(hashes.len());
        self.rows_into(hashes, &mut rows);
        rows
    }

    /// Appends the rows of many cells: as [`rows`](Self::rows), into memory that is there already.
    pub fn rows_into(self, hashes: &[CellHash], rows: &mut Vec<Option<RowId>>) {
        let keys = hashes.iter().map(CellHash::as_bytes);
        self.keys()
            .find_all(keys, |slot| rows.push(slot.map(|slot| RowId(slot.row))));
    }

    /// The hash of a row's cell, if there is such a row.
    #[must_use]
    pub fn hash(self, row: RowId) -> Option<CellHash> {
        self.slot(row).map(Slot::hash)
    }

    /// A row's cell as its source drew it; `None` where the source had the hash alone, and the search space does not hold it.
    #[must_use]
    pub fn cell(self, row: RowId) -> Option<Cell> {
        self.slot(row)?.cell()
    }

    /// How many rows have no [`cell`](Self::cell): no condition on structure finds them.
    ///
    /// # Complexity
    /// O(n): reads every row.
    #[must_use]
    pub fn unknown_structure(self) -> usize {
        let rows = (0..self.len() as u32).map(RowId);
        rows.filter(|&row| self.cell(row).is_none()).count()
    }

    /// The budgets at which the table has trials or estimates of a row.
    pub fn budgets_of(self, row: RowId) -> impl Iterator<Item = Budget> + 's {
        self.layout
            .budgets
            .iter()
            .filter(move |layout| {
                !self.entry_range(layout, row).is_empty() || self.is_estimated(layout, row)
            })
            .map(|layout| layout.budget)
    }

    /// All trials, budget by budget, each in the order of rows and repeats.
    pub fn trials(self) -> impl Iterator<Item = Result<TrialRef<'s>, SnapshotError>> {
        self.layout
            .budgets
            .iter()
            .flat_map(move |layout| (0..layout.trials).map(move |entry| self.trial(layout, entry)))
    }

    /// All trials in the order in which they were imported, which is that of the files that they came from.
    ///
    /// # Complexity
    /// O(n log n) time and 16 bytes a trial for the order of n trials, then O(1) each.
    pub fn trials_as_imported(self) -> impl Iterator<Item = Result<TrialRef<'s>, SnapshotError>> {
        let mut order: Vec<(u64, u32, u32)> = Vec::with_capacity(self.trial_count());
        for (budget, layout) in self.layout.budgets.iter().enumerate() {
            for (number, entry) in self.entries(layout).iter().enumerate() {
                order.push((entry.sequence, budget as u32, number as u32));
            }
        }
        order.sort_unstable();
        order.into_iter().filter_map(move |(_, budget, number)| {
            let layout = self.layout.budgets.get(budget as usize)?;
            Some(self.trial(layout, number as usize))
        })
    }

    /// Whether some rows have values that no trial stands behind.
    #[must_use]
    pub fn has_estimates(self) -> bool {
        let mut budgets = self.layout.budgets.iter();
        budgets.any(|budget| budget.estimated.is_some())
    }

    /// The estimates of cells that have no trial at a budget, as trials, for formats that know no others: cell by cell in the
    /// order of rows, each with its budgets. What belongs to a checkpoint is in one at the budget's last epoch.
    ///
    /// Nothing in such a trial says that it is an estimate: whoever passes it on has to.
    ///
    /// # Complexity
    /// O(columns) each, one allocation or two.
    pub fn estimated_trials(self) -> impl Iterator<Item = Trial> + use<'s> {
        let rows = (0..self.len() as u32).map(RowId);
        rows.flat_map(move |row| {
            let budgets = self.layout.budgets.iter();
            let untried = budgets.filter(move |layout| {
                self.is_estimated(layout, row) && self.entry_range(layout, row).is_empty()
            });
            untried.filter_map(move |layout| self.estimated_trial(layout, row))
        })
    }

    fn estimated_trial(self, layout: &BudgetLayout, row: RowId) -> Option<Trial> {
        let mut trial = Trial::new(self.hash(row)?, layout.budget, 1);
        trial.cell = self.cell(row);
        let mut last = Checkpoint::default();
        let epochs = f64::from(layout.budget.get());
        last.values.set(Metric::Epoch, epochs);
        for column in &layout.columns {
            let values: &[f64] = self.slice(column.row_means.unwrap_or(column.trial_values));
            let value = values.get(row.index()).filter(|value| !value.is_nan());
            match (Metric::from_name(&column.name), value) {
                (_, None) => {}
                (Some(metric), Some(&value)) if metric.is_of_whole_run() => {
                    trial.totals.set(metric, value);
                }
                (Some(metric), Some(&value)) => last.values.set(metric, value),
                (None, Some(&value)) => trial.other.push((column.name.clone(), value)),
            }
        }
        trial.checkpoints.push(last);
        Some(trial)
    }

    /// Whether both are the same table of the same snapshot, so that their rows have the same numbers.
    pub(crate) fn is(self, other: Self) -> bool {
        std::ptr::eq(self.layout, other.layout)
    }

    /// What each part of the indexes takes: those of the table, then those of each budget.
    ///
    /// # Errors
    /// The bytes of an index are damaged.
    ///
    /// # Complexity
    /// O(columns), whatever the rows.
    pub fn index_sizes(self) -> Result<Vec<(Option<Budget>, IndexSize)>, SnapshotError> {
        let own = self.index()?.sizes().into_iter();
        let mut sizes: Vec<_> = own.map(|size| (None, size)).collect();
        for layout in &self.layout.budgets {
            let own = self.budget_index(layout)?.sizes();
            sizes.extend(own.into_iter().map(|size| (Some(layout.budget), size)));
        }
        Ok(sizes)
    }

    /// The index of what does not depend on the budget.
    pub(super) fn index(self) -> Result<Index<'s>, SnapshotError> {
        let Some(budget) = self.layout.budgets.first() else {
            return Ok(Index::default());
        };
        let column = |name: &str| self.row_values(budget, budget.column(name)?);
        Index::open(self.bytes(self.layout.index), column)
            .map_err(super::index::located(self.name(), budget))
    }

    /// The index of a budget.
    pub(super) fn budget_index(self, budget: &'s BudgetLayout) -> Result<Index<'s>, SnapshotError> {
        let column = |name: &str| self.row_values(budget, budget.column(name)?);
        Index::open(self.bytes(budget.index), column)
            .map_err(super::index::located(self.name(), budget))
    }

    /// A column's mean for each row: a slice of the file.
    pub(super) fn row_values(self, budget: &'s BudgetLayout, column: usize) -> Option<&'s [f64]> {
        let column = budget.columns.get(column)?;
        Some(self.slice(column.row_means.unwrap_or(column.trial_values)))
    }

    /// The cells that both tables hold, as pairs of rows, in the order of this table's rows.
    ///
    /// # Complexity
    /// A look-up in the other table for each row of this one; O(1) memory.
    pub fn join(self, other: Table<'s>) -> Join<'s> {
        Join {
            left: self,
            right: other,
            next: 0,
            hashes: Vec::new(),
            found: Vec::new().into_iter(),
            found_from: 0,
        }
    }

    pub(super) fn bytes(self, section: Section) -> &'s [u8] {
        // Opening checked that every section lies inside the file.
        self.file
            .get(section.offset..section.offset + section.len)
            .unwrap_or_default()
    }

    pub(super) fn slice<T: bytemuck::Pod>(self, section: Section) -> &'s [T] {
        // Opening checked alignment and length, so that the cast cannot fail.
        bytemuck::try_cast_slice(self.bytes(section)).unwrap_or_default()
    }

    pub(super) fn keys(self) -> Keys<'s> {
        Keys {
            seed: self.layout.seed,
            pilots: self.slice(self.layout.pilots),
            slots: self.slice(self.layout.slots),
        }
    }

    /// The slot of a row.
    pub(crate) fn slot(self, row: RowId) -> Option<&'s Slot> {
        let places: &[u32] = self.slice(self.layout.row_slots);
        let place = *places.get(row.index())?;
        let slots: &[Slot] = self.slice(self.layout.slots);
        slots.get(place as usize)
    }

    pub(super) fn entries(self, layout: &BudgetLayout) -> &'s [Entry] {
        self.slice(layout.entries)
    }

    /// Which entries of a budget are the trials of a row.
    pub(super) fn entry_range(self, layout: &BudgetLayout, row: RowId) -> std::ops::Range<usize> {
        let starts: &[u32] = self.slice(layout.starts);
        let bound = |row: usize| starts.get(row).map_or(0, |&start| start as usize);
        let range = bound(row.index())..bound(row.index() + 1);
        if range.start <= range.end && range.end <= layout.trials {
            range
        } else {
            0..0
        }
    }

    /// Whether some trial of a row has a value in a column.
    pub(super) fn has_trial_value(
        self,
        layout: &BudgetLayout,
        column: &ColumnLayout,
        row: RowId,
    ) -> bool {
        let values: &[f64] = self.slice(column.trial_values);
        let own = values.get(self.entry_range(layout, row));
        own.is_some_and(|own| own.iter().any(|value| !value.is_nan()))
    }

    /// Whether a row has a value at a budget that no trial stands behind.
    pub(super) fn is_estimated(self, layout: &BudgetLayout, row: RowId) -> bool {
        layout.estimated.is_some_and(|section| {
            let words: &[u64] = self.slice(section);
            let word = words.get(row.index() / 64);
            word.is_some_and(|word| word >> (row.index() % 64) & 1 == 1)
        })
    }

    pub(super) fn trial(
        self,
        layout: &BudgetLayout,
        entry: usize,
    ) -> Result<TrialRef<'s>, SnapshotError> {
        let record = self.entries(layout).get(entry).and_then(|entry| {
            let start = usize::try_from(entry.offset).ok()?;
            let end = start.checked_add(entry.len as usize)?;
            self.bytes(self.layout.records).get(start..end)
        });
        TrialRef::from_bytes(record.unwrap_or_default()).map_err(|error| SnapshotError::Record {
            table: self.name().to_owned(),
            budget: layout.budget,
            entry: entry as u64,
            error,
        })
    }
}

impl fmt::Debug for Table<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Table")
            .field("name", &self.name())
            .field("rows", &self.len())
            .field("budgets", &Short(&self.budgets().collect::<Vec<_>>()))
            .finish()
    }
}

/// The rows of the cells that two tables share; see [`Table::join`].
#[derive(Clone)]
pub struct Join<'s> {
    left: Table<'s>,
    right: Table<'s>,
    /// The first row of the left table that was not looked for yet.
    next: u32,
    hashes: Vec<CellHash>,
    /// What was found of the rows from `found_from` on.
    found: std::vec::IntoIter<Option<RowId>>,
    found_from: u32,
}

impl Join<'_> {
    /// Looks for the next rows of the left table; whether there were any.
    fn look_up(&mut self) -> bool {
        const BATCH: u32 = 1024;
        let end = (self.next + BATCH).min(self.left.len() as u32);
        let rows = (self.next..end).map(RowId);
        self.hashes.clear();
        // A row without a hash, in a damaged file, ends the join.
        self.hashes
            .extend(rows.map_while(|row| self.left.hash(row)));
        self.found = self.right.rows(&self.hashes).into_iter();
        self.found_from = self.next;
        self.next = end;
        !self.hashes.is_empty()
    }
}

impl Iterator for Join<'_> {
    type Item = (RowId, RowId);

    fn next(&mut self) -> Option<Self::Item> {
        loop {
            for right in self.found.by_ref() {
                let left = RowId(self.found_from);
                self.found_from += 1;
                if let Some(right) = right {
                    return Some((left, right));
                }
            }
            if !self.look_up() {
                return None;
            }
        }
    }
}

/// The tables.
impl fmt::Debug for Join<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Join")
            .field("left", &self.left)
            .field("right", &self.right)
            .finish_non_exhaustive()
    }
}

//! Checking that a table is what its trials and estimates make of it, by the rules of the writer.
//!
//! Given are the trials, the description, the estimates, and the drawings of cells that no trial draws. All else follows from
//! them, byte for byte: the order of rows and entries, where records lie, look-up, columns, indexes.

use std::cmp::Ordering;
use std::collections::HashMap;
use std::ops::Range;

use rkyv::rancor;

use super::catalog::{BudgetLayout, ColumnLayout, TableLayout};
use super::format::Section;
use super::keys;
use super::sorted::{ColumnKey, each_value, order_of_rows};
use super::{RowId, SnapshotError, Table, index, reduce};
use crate::cell::Cell;
use crate::metrics::{ALIGNMENT, Metric, without_end};
use crate::{index::IndexBytes, parallel};

/// Rows that are checked in one go.
const ROWS: u32 = 4096;

/// Checks a table; says how many trials it has.
///
/// # Complexity
/// As sealing it: O(n log n) on all cores. Some 100 bytes of memory for each row and 24 for each trial.
pub(super) fn check(table: Table<'_>, layout: &TableLayout) -> Result<u64, SnapshotError> {
    let checked = Checked { table, layout };
    checked.info()?;
    checked.keys()?;
    for budget in &layout.budgets {
        checked.entries(budget)?;
    }
    checked.records()?;
    let budgets: Vec<Known<'_>> = layout
        .budgets
        .iter()
        .map(|budget| Known::new(table, budget))
        .collect();
    checked.columns(&budgets)?;
    checked.order()?;
    checked.indexes()?;
    Ok(table.trial_count() as u64)
}

/// A table that is being checked.
#[derive(Clone, Copy)]
struct Checked<'s> {
    table: Table<'s>,
    layout: &'s TableLayout,
}

/// A budget's columns, each with its slices of the file.
struct Known<'s> {
    layout: &'s BudgetLayout,
    starts: &'s [u32],
    columns: Vec<KnownColumn<'s>>,
    /// The numbers of columns that are no known metric.
    others: HashMap<&'s str, usize>,
}

struct KnownColumn<'s> {
    name: &'s str,
    layout: &'s ColumnLayout,
    trials: &'s [f64],
    means: Option<&'s [f64]>,
    /// The values of trials in the column whose intervals' ends this column holds.
    of_end: &'s [f64],
}

/// What is seen of a column in some rows.
#[derive(Clone, Copy, Default)]
struct Seen {
    has_value: bool,
    has_estimate: bool,
}

impl<'s> Known<'s> {
    fn new(table: Table<'s>, layout: &'s BudgetLayout) -> Self {
        let columns = layout.columns.iter().map(|column| {
            let of_end = without_end(&column.name).and_then(|of| layout.column(of));
            let of_end = of_end.and_then(|number| layout.columns.get(number));
            KnownColumn {
                name: &column.name,
                layout: column,
                trials: table.slice(column.trial_values),
                means: column.row_means.map(|means| table.slice(means)),
                of_end: of_end.map_or(&[], |of| table.slice(of.trial_values)),
            }
        });
        let names = layout.columns.iter().enumerate();
        Self {
            layout,
            starts: table.slice(layout.starts),
            columns: columns.collect(),
            others: names
                .map(|(number, column)| (column.name.as_str(), number))
                .collect(),
        }
    }

    /// The entries of a row; that they are in order was checked.
    fn entries(&self, row: u32) -> Range<usize> {
        let bound = |row: usize| self.starts.get(row).map_or(0, |&start| start as usize);
        bound(row as usize)..bound(row as usize + 1)
    }

    fn number(&self, key: &ColumnKey<&str>) -> Option<usize> {
        match *key {
            ColumnKey::Known(metric) => self.layout.metric(metric),
            ColumnKey::Other(name) => self.others.get(name).copied(),
        }
    }
}

impl<'s> Checked<'s> {
    fn wrong(self, what: &str, found: impl ToString) -> SnapshotError {
        SnapshotError::Malformed {
            what: format!("table `{}`: {what}", self.layout.name),
            found: found.to_string(),
        }
    }

    fn wrong_at(self, budget: &BudgetLayout, what: &str, found: impl ToString) -> SnapshotError {
        self.wrong_in(&budget.budget.to_string(), what, found)
    }

    fn wrong_in(self, part: &str, what: &str, found: impl ToString) -> SnapshotError {
        SnapshotError::Malformed {
            what: format!("table `{}`, {part}, {what}", self.layout.name),
            found: found.to_string(),
        }
    }

    /// Compares a section with the bytes that it must have.
    fn same(self, section: Section, expected: &[u8]) -> Result<(), SnapshotError> {
        let found = self.table.bytes(section);
        if found == expected {
            return Ok(());
        }
        let pairs = expected.iter().zip(found);
        let at = pairs.take_while(|(a, b)| a == b).count();
        let byte = |bytes: &[u8]| {
            let byte = bytes.get(at).map(|byte| format!("{byte:#04x}"));
            byte.unwrap_or("its end".to_owned())
        };
        let place = section.offset + at;
        let what = format!(
            "{:?} at byte {place}: expected {}",
            section.kind,
            byte(expected)
        );
        Err(self.wrong(&what, byte(found)))
    }

    /// The description is that of the table, and nothing else.
    fn info(self) -> Result<(), SnapshotError> {
        let info = self.table.info()?;
        if info.name != self.layout.name {
            return Err(self.wrong("expected its own name in its description", info.name));
        }
        let bytes = rkyv::to_bytes::<rancor::Error>(&info)
            .map_err(|error| self.wrong("expected a description", error))?;
        self.same(self.layout.info, &bytes)
    }

    /// The look-up is that of the rows' keys, each of which it finds.
    fn keys(self) -> Result<(), SnapshotError> {
        let own = self.table.keys();
        let mut keyed = Vec::with_capacity(self.table.len());
        for row in self.rows() {
            let wrong =
                |what: &str, found: String| self.wrong(&format!("row {}: {what}", row.0), found);
            let Some(slot) = self.table.slot(row) else {
                return Err(wrong("expected a slot", "none".to_owned()));
            };
            // So that no two rows have the same key.
            if slot.row != row.0 || own.find(&slot.key) != Some(slot) {
                let what = "expected a slot of its own to which its key leads";
                return Err(wrong(
                    what,
                    format!("row {} of cell {}", slot.row, slot.hash()),
                ));
            }
            if slot.drawing != 0 && slot.cell().is_none() {
                let what = "expected the drawing of a cell";
                return Err(wrong(what, format!("{:#x}", slot.drawing)));
            }
            keyed.push((slot.key, slot.drawing));
        }
        let built = keys::build(&keyed)?;
        if built.seed != own.seed {
            return Err(self.wrong(&format!("expected seed {}", built.seed), own.seed));
        }
        self.same(self.layout.pilots, bytemuck::cast_slice(&built.pilots))?;
        self.same(self.layout.slots, bytemuck::cast_slice(&built.slots))?;
        self.same(
            self.layout.row_slots,
            bytemuck::cast_slice(&built.row_slots),
        )
    }

    fn rows(self) -> impl Iterator<Item = RowId> {
        (0..self.table.len() as u32).map(RowId)
    }

    /// The entries of a budget are in the order of rows and repeats, each repeat once.
    fn entries(self, budget: &BudgetLayout) -> Result<(), SnapshotError> {
        let starts: &[u32] = self.table.slice(budget.starts);
        let bounds = (starts.first().copied(), starts.last().copied());
        if bounds != (Some(0), u32::try_from(budget.trials).ok()) || !starts.is_sorted() {
            let what = format!(
                "Starts at byte {}: expected ascending numbers from 0 to {}",
                budget.starts.offset, budget.trials
            );
            return Err(self.wrong_at(budget, &what, format!("{bounds:?}")));
        }
        let entries = self.table.entries(budget);
        for row in self.rows() {
            let own = entries.get(self.table.entry_range(budget, row));
            if !own.is_some_and(|own| own.is_sorted_by(|a, b| a.repeat < b.repeat)) {
                let what = format!(
                    "Entries at byte {}: expected the trials of row {} in order",
                    budget.entries.offset, row.0
                );
                return Err(self.wrong_at(budget, &what, "repeats that do not ascend"));
            }
        }
        if budget.trials == 0 && budget.estimated.is_none() {
            return Err(self.wrong_at(budget, "expected trials or estimates", "none"));
        }
        Ok(())
    }

    /// The archives of trials lie one behind the other in the order of import, with zeros between them, and each is used once.
    fn records(self) -> Result<(), SnapshotError> {
        let records = self.table.bytes(self.layout.records);
        let mut lengths = vec![None; self.table.trial_count()];
        let mut offsets = vec![0; lengths.len()];
        for budget in &self.layout.budgets {
            for entry in self.table.entries(budget) {
                let place = usize::try_from(entry.sequence).unwrap_or(usize::MAX);
                match lengths.get_mut(place).zip(offsets.get_mut(place)) {
                    Some((len @ None, offset)) => (*len, *offset) = (Some(entry.len), entry.offset),
                    _ => {
                        let what = format!(
                            "Entries at byte {}: expected trials numbered from 0, each once",
                            budget.entries.offset
                        );
                        return Err(self.wrong_at(budget, &what, entry.sequence));
                    }
                }
            }
        }
        let mut end = 0;
        for (len, offset) in lengths.into_iter().zip(offsets) {
            let start = end;
            end = start + len.unwrap_or_default() as usize;
            let padded = end.next_multiple_of(ALIGNMENT);
            if offset != start as u64 || padded > records.len() {
                let what = format!(
                    "expected trials of at most {} bytes, one behind the other, the next at {start}",
                    records.len()
                );
                return Err(self.wrong(&what, format!("one at {offset} up to {padded}")));
            }
            self.zeros(end..padded)?;
            end = padded;
        }
        if end != records.len() {
            return Err(self.wrong(&format!("expected {end} bytes of trials"), records.len()));
        }
        Ok(())
    }

    /// Between the archives of trials there are zeros.
    fn zeros(self, range: Range<usize>) -> Result<(), SnapshotError> {
        let start = range.start;
        let gap = self.table.bytes(self.layout.records).get(range);
        match gap.and_then(|gap| gap.iter().position(|&byte| byte != 0)) {
            None => Ok(()),
            Some(place) => {
                let place = self.layout.records.offset + start + place;
                let what = format!("byte {place}: expected zero padding between trials");
                Err(self.wrong(&what, "another byte"))
            }
        }
    }

    /// Every value is that of its trial, or the mean of those of its row, or an estimate where there is none.
    fn columns(self, budgets: &[Known<'_>]) -> Result<(), SnapshotError> {
        for known in budgets {
            let key = |column: &KnownColumn<'_>| ColumnKey::of(column.name);
            if !known.columns.is_sorted_by(|a, b| key(a) < key(b)) {
                let names: Vec<_> = known.columns.iter().map(|column| column.name).collect();
                return Err(self.wrong_at(
                    known.layout,
                    "expected columns in order",
                    names.join(", "),
                ));
            }
        }
        let rows = self.table.len() as u32;
        let parts = (0..rows)
            .step_by(ROWS as usize)
            .map(|start| start..(start + ROWS).min(rows));
        let parts = parallel::each(parts.collect(), |part| self.part(budgets, part));
        let mut seen: Vec<Vec<Seen>> = budgets
            .iter()
            .map(|known| vec![Seen::default(); known.columns.len()])
            .collect();
        for part in parts {
            for (all, own) in seen.iter_mut().flatten().zip(part?.into_iter().flatten()) {
                all.has_value |= own.has_value;
                all.has_estimate |= own.has_estimate;
            }
        }
        for (known, seen) in budgets.iter().zip(seen) {
            self.forms(known, &seen)?;
        }
        Ok(())
    }

    /// A column has a value; means and estimates are stored where there is something to say.
    fn forms(self, known: &Known<'_>, seen: &[Seen]) -> Result<(), SnapshotError> {
        let budget = known.layout;
        let starts: &[u32] = self.table.slice(budget.starts);
        let one_each = budget.trials == self.table.len() && starts.is_sorted_by(|a, b| a < b);
        for (column, seen) in known.columns.iter().zip(seen) {
            let wrong = |what: &str, found: &str| {
                self.wrong_at(
                    budget,
                    &format!("column `{}`: expected {what}", column.name),
                    found,
                )
            };
            if !seen.has_value {
                return Err(wrong("a value", "none"));
            }
            match (column.means.is_some(), !one_each || seen.has_estimate) {
                (true, false) => return Err(wrong("no means of single trials", "some")),
                (false, true) => return Err(wrong("means over repeats", "none")),
                _ => {}
            }
        }
        let words: &[u64] = budget
            .estimated
            .map_or(&[], |section| self.table.slice(section));
        let beyond = self.table.len() % 64;
        let spare = words
            .last()
            .is_some_and(|last| beyond != 0 && last >> beyond != 0);
        let any = seen.iter().any(|seen| seen.has_estimate);
        if spare || any != budget.estimated.is_some() {
            return Err(self.wrong_at(
                budget,
                "Estimated: expected bits for rows with estimates alone",
                "others",
            ));
        }
        Ok(())
    }

    /// The columns of some rows, and the rows' drawings; says what was seen of each column of each budget.
    fn part(
        self,
        budgets: &[Known<'_>],
        rows: Range<u32>,
    ) -> Result<Vec<Vec<Seen>>, SnapshotError> {
        let mut drawn = vec![(u64::MAX, 0_u64); rows.len()];
        let mut is_there = vec![false; rows.len()];
        let mut is_estimated = vec![false; rows.len()];
        let mut all = Vec::with_capacity(budgets.len());
        for known in budgets {
            let mut estimated = vec![false; rows.len()];
            let mut values = vec![f64::NAN; known.columns.len()];
            for ((row, drawn), is_there) in rows.clone().zip(&mut drawn).zip(&mut is_there) {
                *is_there |= !known.entries(row).is_empty();
                self.trials(known, RowId(row), &mut values, drawn)?;
            }
            let seen = known.columns.iter();
            let seen = seen.map(|column| self.means(known, column, rows.clone(), &mut estimated));
            all.push(seen.collect::<Result<Vec<_>, _>>()?);
            for (row, (own, any)) in rows.clone().zip(estimated.iter().zip(&mut is_estimated)) {
                if *own != self.table.is_estimated(known.layout, RowId(row)) {
                    let section = known.layout.estimated.map_or(0, |own| own.offset);
                    let place = section + row as usize / 64 * 8;
                    let what = format!(
                        "Estimated at byte {place}: expected {own} for row {row}, by its values"
                    );
                    return Err(self.wrong_at(known.layout, &what, !own));
                }
                *any |= own;
            }
        }
        for ((row, (first, drawing)), (is_there, is_estimated)) in
            rows.zip(drawn).zip(is_there.into_iter().zip(is_estimated))
        {
            let wrong =
                |what: &str, found: String| self.wrong(&format!("row {row}: {what}"), found);
            if !is_there && !is_estimated {
                return Err(wrong("expected a trial or an estimate", "none".to_owned()));
            }
            let own = self.table.slot(RowId(row)).map_or(0, |slot| slot.drawing);
            // Cells that no trial draws may come with their estimates.
            let is_given = first == u64::MAX && is_estimated;
            if own != drawing && !is_given {
                let what = format!("expected the drawing of its first trial, {drawing:#x}");
                return Err(wrong(&what, format!("{own:#x}")));
            }
        }
        Ok(all)
    }

    /// The trials of a row at a budget are its own, and their values those of the columns. Of those that draw the cell, the
    /// first in the order of import is kept: its number, and the drawing.
    fn trials(
        self,
        known: &Known<'_>,
        row: RowId,
        values: &mut [f64],
        drawn: &mut (u64, u64),
    ) -> Result<(), SnapshotError> {
        let budget = known.layout;
        let hash = self.table.hash(row);
        let entries = self.table.entries(budget);
        for number in known.entries(row.0) {
            let trial = self.table.trial(budget, number)?;
            let Some(entry) = entries.get(number) else {
                continue;
            };
            if Some(trial.hash()) != hash
                || trial.budget() != budget.budget
                || trial.repeat() != entry.repeat
            {
                let what = format!("trial {number}: expected a trial of row {}", row.0);
                return Err(self.wrong_at(budget, &what, "one of another row"));
            }
            if let Some(cell) = trial.cell().filter(|_| entry.sequence < drawn.0) {
                *drawn = (entry.sequence, cell.code());
            }
            values.fill(f64::NAN);
            let mut strange = None;
            each_value(trial, |key, value| {
                match known.number(&key).and_then(|column| values.get_mut(column)) {
                    Some(slot) => *slot = value,
                    None if value.is_nan() => {}
                    None => strange = Some(key),
                }
            });
            if let Some(key) = strange {
                let what = format!("trial {number}: expected a column for its values");
                return Err(self.wrong_at(
                    budget,
                    &what,
                    format!("none for `{}`", key.to_owned().name()),
                ));
            }
            for (column, value) in known.columns.iter().zip(&*values) {
                let stored = column.trials.get(number).copied().unwrap_or(f64::NAN);
                if stored.to_bits() != value.to_bits() {
                    let place = column.layout.trial_values.offset + 8 * number;
                    let what = format!(
                        "column `{}`, TrialValues at byte {place}: expected {value} of trial {number}",
                        column.name
                    );
                    return Err(self.wrong_at(budget, &what, stored));
                }
            }
        }
        Ok(())
    }

    /// The values of a column for some rows; notes which of them are estimates.
    fn means(
        self,
        known: &Known<'_>,
        column: &KnownColumn<'_>,
        rows: Range<u32>,
        estimated: &mut [bool],
    ) -> Result<Seen, SnapshotError> {
        let mut seen = Seen::default();
        let wrong = |row: u32, expected: &str, stored: f64| {
            let start = column.layout.row_means.map_or(0, |means| means.offset);
            let what = format!(
                "column `{}`, RowMeans at byte {}: expected {expected} for row {row}",
                column.name,
                start + 8 * row as usize
            );
            self.wrong_at(known.layout, &what, stored)
        };
        for (row, estimated) in rows.zip(estimated) {
            let trials = known.entries(row);
            let own = column.trials.get(trials.clone()).unwrap_or_default();
            let is_tried = reduce::has_value(own);
            seen.has_value |= is_tried;
            let Some(means) = column.means else { continue };
            let stored = means.get(row as usize).copied().unwrap_or(f64::NAN);
            if !is_tried && !stored.is_nan() {
                let of_end = column.of_end.get(trials).unwrap_or_default();
                if reduce::has_value(of_end) {
                    return Err(wrong(row, "no end of a trial's value", stored));
                }
                seen.has_value = true;
                seen.has_estimate = true;
                *estimated = true;
                continue;
            }
            let expected = reduce::mean(own);
            if stored.to_bits() != expected.to_bits() {
                return Err(wrong(row, &expected.to_string(), stored));
            }
        }
        Ok(seen)
    }

    /// Rows are in the order of energy at the largest budget, of equal energy in that of their keys.
    fn order(self) -> Result<(), SnapshotError> {
        let Some(budget) = self.layout.budgets.last() else {
            return match self.table.len() {
                0 => Ok(()),
                rows => Err(self.wrong("expected no rows without a budget", rows)),
            };
        };
        let energies = budget.metric(Metric::Energy);
        let energies = energies.and_then(|number| self.table.row_values(budget, number));
        let key = |row: RowId| {
            (
                energies.and_then(|own| own.get(row.index()).copied()),
                self.table.hash(row),
            )
        };
        let mut rows = self.rows().map(|row| (row, key(row)));
        let Some((_, mut before)) = rows.next() else {
            return Ok(());
        };
        for (row, own) in rows {
            if order_of_rows(before.0, own.0).then(before.1.cmp(&own.1)) != Ordering::Less {
                let what = format!("row {}: expected rows in order of energy and hash", row.0);
                return Err(self.wrong_at(
                    budget,
                    &what,
                    format!("{:?} behind {:?}", own.0, before.0),
                ));
            }
            before = own;
        }
        Ok(())
    }

    /// The indexes are those of the columns and of the cells' features.
    fn indexes(self) -> Result<(), SnapshotError> {
        let unbuilt = index::unbuilt(&self.layout.name);
        let mut structural = index::Structural::default();
        for budget in &self.layout.budgets {
            let columns = budget.columns.iter().enumerate();
            let columns: Vec<(&str, &[f64])> = columns
                .filter_map(|(number, column)| {
                    let values = self.table.row_values(budget, number)?;
                    Some((column.name.as_str(), values))
                })
                .collect();
            structural.add(&columns);
            let built = index::of_budget(self.table.len(), &columns).map_err(&unbuilt)?;
            let what = budget.budget.to_string();
            self.index(&what, budget.index, &built)?;
        }
        let cells: Vec<Option<Cell>> = self.rows().map(|row| self.table.cell(row)).collect();
        let built = index::of_table(&structural.agreed(), &cells).map_err(&unbuilt)?;
        self.index("all budgets", self.layout.index, &built)
    }

    fn index(self, of: &str, section: Section, built: &IndexBytes) -> Result<(), SnapshotError> {
        match built.difference(self.table.bytes(section)) {
            None => Ok(()),
            Some(difference) => {
                let what = format!(
                    "Index at byte {}: expected the {} as the columns make it",
                    section.offset + difference.byte,
                    difference.part
                );
                Err(self.wrong_in(of, &what, "another byte"))
            }
        }
    }
}

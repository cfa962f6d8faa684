//! What a writer collects of a table, and the order in which it is written.

use std::cmp::Ordering;
use std::collections::{BTreeMap, BTreeSet, HashMap};

use super::format::Entry;
use super::{SnapshotError, reduce};
use crate::cell::CellHash;
use crate::metrics::{Metric, TableInfo, TrialRef, without_end};

/// A table whose trials are coming in.
pub(super) struct OpenTable {
    pub info: TableInfo,
    pub records_start: u64,
    pub trials: Vec<TrialKey>,
    /// By column name, one value per trial in order of arrival; NaN where missing. Shorter where the last ones miss.
    pub columns: BTreeMap<ColumnKey, Vec<f64>>,
    pub drawings: BTreeMap<CellHash, u64>,
    /// By budget.
    pub estimates: BTreeMap<u32, Estimates>,
}

/// Known metrics in the order of their codes, then other columns by name.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum ColumnKey<N = String> {
    Known(Metric),
    Other(N),
}

/// Calls `visit` with every value that a trial gives to a column.
pub(super) fn each_value<'a>(trial: TrialRef<'a>, mut visit: impl FnMut(ColumnKey<&'a str>, f64)) {
    // The epoch belongs to a checkpoint; a trial's is its budget.
    for metric in Metric::ALL.into_iter().filter(|own| *own != Metric::Epoch) {
        if let Some(value) = trial.result(metric) {
            visit(ColumnKey::Known(metric), value);
        }
    }
    let mut seen = BTreeSet::new();
    for (name, value) in trial.other() {
        if Metric::from_name(name).is_none() && seen.insert(name) {
            visit(ColumnKey::Other(name), value);
        }
    }
}

impl ColumnKey<&str> {
    pub fn to_owned(&self) -> ColumnKey {
        match *self {
            Self::Known(metric) => ColumnKey::Known(metric),
            Self::Other(name) => ColumnKey::Other(name.to_owned()),
        }
    }
}

impl ColumnKey {
    pub fn of(name: &str) -> Self {
        Metric::from_name(name).map_or_else(|| Self::Other(name.to_owned()), Self::Known)
    }

    pub fn name(&self) -> &str {
        match self {
            Self::Known(metric) => metric.name(),
            Self::Other(name) => name,
        }
    }
}

pub(super) struct TrialKey {
    pub hash: CellHash,
    pub budget: u32,
    pub entry: Entry,
}

impl OpenTable {
    /// The values that a column's trials have, in the order of arrival; none where there is no such column.
    pub fn column(&self, key: &ColumnKey) -> &[f64] {
        self.columns.get(key).map_or(&[], Vec::as_slice)
    }

    /// Leaves out estimates of values that trials have, and cells of which none is left. A cell's drawing is that of its first
    /// trial that has one; else that of an estimate.
    pub fn settle_estimates(&mut self) {
        for (&budget, estimates) in &mut self.estimates {
            let trials = self.trials.iter().enumerate();
            let own: Vec<_> = trials.filter(|(_, own)| own.budget == budget).collect();
            let mut places = HashMap::new();
            if !own.is_empty() {
                places.extend(estimates.hashes.iter().copied().zip(0..));
            }
            let column = |key: &ColumnKey| self.columns.get(key).map_or(&[][..], Vec::as_slice);
            for (key, values) in &mut estimates.columns {
                // A value that a trial stands behind has no interval of a model.
                let of_end = without_end(key.name()).map(ColumnKey::of);
                let tried = [column(key), of_end.as_ref().map_or(&[][..], column)];
                for (number, trial) in &own {
                    let mut tried = tried.iter().filter_map(|column| column.get(*number));
                    let place = places.get(&trial.hash);
                    if let Some(slot) = place.and_then(|&place: &usize| values.get_mut(place))
                        && tried.any(|value| !value.is_nan())
                    {
                        *slot = f64::NAN;
                    }
                }
            }
            estimates.keep_valued();
            for (hash, drawing) in estimates.hashes.iter().zip(&estimates.drawings) {
                self.drawings.entry(*hash).or_insert(*drawing);
            }
        }
        self.estimates.retain(|_, own| !own.hashes.is_empty());
    }
}

/// Values of a budget that no trial stands behind; until a table is settled, also of others.
#[derive(Default)]
pub(super) struct Estimates {
    pub hashes: Vec<CellHash>,
    /// The packed drawing of each.
    pub drawings: Vec<u64>,
    /// By column name, one value per hash; NaN where missing.
    pub columns: BTreeMap<ColumnKey, Vec<f64>>,
}

impl Estimates {
    /// Leaves out cells without any value.
    fn keep_valued(&mut self) {
        let mut kept = vec![false; self.hashes.len()];
        for column in self.columns.values() {
            for (kept, value) in kept.iter_mut().zip(column) {
                *kept |= !value.is_nan();
            }
        }
        if kept.contains(&false) {
            keep(&mut self.hashes, &kept);
            keep(&mut self.drawings, &kept);
            self.columns.values_mut().for_each(|own| keep(own, &kept));
        }
    }
}

fn keep<T>(items: &mut Vec<T>, kept: &[bool]) {
    let mut kept = kept.iter();
    items.retain(|_| kept.next() == Some(&true));
}

/// The rows of a table: keys in order, rows in order of energy, and the trials of each budget in order of row and repeat.
pub(super) struct Sorted {
    pub keys: Vec<CellHash>,
    /// The place of each row's key.
    pub row_keys: Vec<u32>,
    /// By budget: (row, trial number).
    pub budgets: BTreeMap<u32, Vec<(u32, u32)>>,
    /// By budget: the row of each estimate.
    pub estimated: BTreeMap<u32, Vec<u32>>,
}

impl Sorted {
    pub fn new(table: &OpenTable) -> Result<Self, SnapshotError> {
        let mut keys: Vec<CellHash> = table.trials.iter().map(|trial| trial.hash).collect();
        for estimates in table.estimates.values() {
            keys.extend_from_slice(&estimates.hashes);
        }
        keys.sort_unstable();
        keys.dedup();
        // Trials per budget by key; a key's place stands for its row until rows are numbered.
        let mut budgets: BTreeMap<u32, Vec<(u32, u32)>> = BTreeMap::new();
        for (number, trial) in table.trials.iter().enumerate() {
            let place = keys.binary_search(&trial.hash).unwrap_or_default();
            let trials = budgets.entry(trial.budget).or_default();
            trials.push((place as u32, number as u32));
        }
        let mut estimated: BTreeMap<u32, Vec<u32>> = BTreeMap::new();
        for (&budget, estimates) in &table.estimates {
            budgets.entry(budget).or_default();
            let place = |hash| keys.binary_search(hash).unwrap_or_default() as u32;
            estimated.insert(budget, estimates.hashes.iter().map(place).collect());
        }
        let repeat = |&trial: &u32| table.trials.get(trial as usize).map(|t| t.entry.repeat);
        let energy_by_key = budgets.last_key_value().map(|(budget, trials)| {
            // In order of repeat, as the columns' means are taken: sums depend on the order.
            let mut trials = trials.clone();
            trials.sort_unstable_by_key(|(key, trial)| (*key, repeat(trial), *trial));
            let energy = ColumnKey::Known(Metric::Energy);
            let starts = starts(&trials, keys.len());
            let values = in_order(&trials, table.column(&energy));
            let places = estimated.get(budget).map_or(&[][..], Vec::as_slice);
            let estimates = table.estimates.get(budget);
            let estimates = estimates.and_then(|own| own.columns.get(&energy));
            let estimates = estimates.map_or(&[][..], Vec::as_slice);
            let mut means = reduce::means(&starts, &values);
            fill(&mut means, places, estimates);
            means
        });
        // Ties stay in the order of the keys.
        let mut row_keys: Vec<u32> = (0..keys.len() as u32).collect();
        if let Some(energies) = energy_by_key {
            let energy = |&key: &u32| energies.get(key as usize).copied();
            row_keys.sort_by(|a, b| order_of_rows(energy(a), energy(b)));
        }
        let mut key_rows = vec![0_u32; keys.len()];
        for (row, &key) in row_keys.iter().enumerate() {
            if let Some(slot) = key_rows.get_mut(key as usize) {
                *slot = row as u32;
            }
        }
        for (budget, places) in &mut estimated {
            for place in places.iter_mut() {
                *place = key_rows.get(*place as usize).copied().unwrap_or_default();
            }
            let mut rows = places.clone();
            rows.sort_unstable();
            let repeated = rows.windows(2).find(|pair| pair.first() == pair.last());
            if let Some(row) = repeated.and_then(|pair| pair.first()) {
                let hash = row_keys
                    .get(*row as usize)
                    .and_then(|&key| keys.get(key as usize));
                return Err(SnapshotError::Malformed {
                    what: format!(
                        "table `{}`: expected one estimate per cell and budget",
                        table.info.name
                    ),
                    found: format!(
                        "two of cell {} at {budget} epochs",
                        hash.map(ToString::to_string).unwrap_or_default()
                    ),
                });
            }
        }
        for trials in budgets.values_mut() {
            for (place, _) in trials.iter_mut() {
                *place = key_rows.get(*place as usize).copied().unwrap_or_default();
            }
            trials.sort_unstable_by_key(|(row, trial)| (*row, repeat(trial), *trial));
            let repeated = trials.windows(2).find_map(|pair| match pair {
                [(row_a, a), (row_b, b)] if row_a == row_b && repeat(a) == repeat(b) => {
                    table.trials.get(*a as usize)
                }
                _ => None,
            });
            if let Some(trial) = repeated {
                return Err(SnapshotError::Malformed {
                    what: format!(
                        "table `{}`: expected one trial per cell, budget and repeat",
                        table.info.name
                    ),
                    found: format!(
                        "two of cell {} at budget {}, repeat {}",
                        trial.hash, trial.budget, trial.entry.repeat
                    ),
                });
            }
        }
        Ok(Self {
            keys,
            row_keys,
            budgets,
            estimated,
        })
    }
}

/// The order of rows by their energy: missing ones, and NaN, come last; -0 equals 0.
pub(super) fn order_of_rows(a: Option<f64>, b: Option<f64>) -> Ordering {
    let known = |energy: Option<f64>| energy.filter(|energy| !energy.is_nan());
    let key = |energy: Option<f64>| known(energy).map_or(f64::NAN, |energy| energy + 0.0);
    key(a).total_cmp(&key(b))
}

/// A column's values in the order of the given (row, trial) pairs.
pub(super) fn in_order(order: &[(u32, u32)], values: &[f64]) -> Vec<f64> {
    let value = |&(_, trial): &(u32, u32)| values.get(trial as usize).copied();
    order
        .iter()
        .map(|pair| value(pair).unwrap_or(f64::NAN))
        .collect()
}

/// Where each row begins among (row, trial) pairs that are in order of rows, and the end.
pub(super) fn starts(order: &[(u32, u32)], rows: usize) -> Vec<u32> {
    let mut starts = vec![0_u32; rows + 1];
    for &(row, _) in order {
        if let Some(slot) = starts.get_mut(row as usize + 1) {
            *slot += 1;
        }
    }
    let mut sum = 0;
    for slot in &mut starts {
        sum += *slot;
        *slot = sum;
    }
    starts
}

/// Puts estimates in their rows.
pub(super) fn fill(values: &mut [f64], rows: &[u32], estimates: &[f64]) {
    for (&row, &estimate) in rows.iter().zip(estimates) {
        if let Some(slot) = values.get_mut(row as usize).filter(|_| !estimate.is_nan()) {
            *slot = estimate;
        }
    }
}

//! What a writer collects of a table, and the order in which it is written.

use std::collections::BTreeMap;

use super::SnapshotError;
use super::format::Entry;
use crate::cell::CellHash;
use crate::metrics::{Metric, TableInfo};

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
pub(super) enum ColumnKey {
    Known(Metric),
    Other(String),
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

/// Values of a budget that no trial stands behind.
#[derive(Default)]
pub(super) struct Estimates {
    pub hashes: Vec<CellHash>,
    /// By column name, one value per hash; NaN where missing.
    pub columns: BTreeMap<ColumnKey, Vec<f64>>,
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
        let energy_by_key = budgets.last_key_value().map(|(budget, trials)| {
            let mut trials = trials.clone();
            trials.sort_unstable();
            let energies = table.columns.get(&ColumnKey::Known(Metric::Energy));
            let values = in_order(&trials, energies.map_or(&[], Vec::as_slice));
            let mut means = super::reduce::means(&starts(&trials, keys.len()), &values);
            if let Some((estimates, places)) =
                table.estimates.get(budget).zip(estimated.get(budget))
            {
                let energies = estimates.columns.get(&ColumnKey::Known(Metric::Energy));
                fill(&mut means, places, energies.map_or(&[], Vec::as_slice));
            }
            means
        });
        // NaN, which stands for a missing value, sorts last; ties stay in the order of the keys.
        let mut row_keys: Vec<u32> = (0..keys.len() as u32).collect();
        if let Some(energies) = energy_by_key {
            let energy = |&key: &u32| {
                let value = energies.get(key as usize).copied().unwrap_or(f64::NAN);
                if value.is_nan() { f64::NAN } else { value }
            };
            row_keys.sort_by(|a, b| energy(a).total_cmp(&energy(b)));
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
        let repeat = |&trial: &u32| table.trials.get(trial as usize).map(|t| t.entry.repeat);
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

/// Puts estimates where a row has no value yet.
pub(super) fn fill(values: &mut [f64], rows: &[u32], estimates: &[f64]) {
    for (&row, &estimate) in rows.iter().zip(estimates) {
        if let Some(slot) = values.get_mut(row as usize).filter(|slot| slot.is_nan()) {
            *slot = estimate;
        }
    }
}

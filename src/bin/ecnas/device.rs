//! Learning a user's own device from a file of measured cells.

use std::collections::BTreeMap;
use std::path::Path;

use ecnas::cell::{Cell, CellHash};
use ecnas::import::ImportOptions;
use ecnas::metrics::{Budget, Metric};
use ecnas::surrogate::{Device, Surrogate};

use crate::failure::Failure;
use crate::import;

/// Learns from the energies in a file, at the budget that most of its cells have; of several, the smallest.
pub fn learn(path: &Path, surrogate: &Surrogate) -> Result<Device, Failure> {
    let failed = |error: &dyn std::fmt::Display| Failure::error(error).within(path);
    // By budget and cell: sum and count over the repeats.
    let mut sums: BTreeMap<Budget, BTreeMap<CellHash, (Cell, f64, u32)>> = BTreeMap::new();
    import::each_trial(path, &ImportOptions::default(), |trial| {
        let known = Surrogate::EPOCHS.contains(&trial.budget.get());
        let Some(energy) = trial.result(Metric::Energy).filter(|_| known) else {
            return Ok(());
        };
        let cell = trial.cell.ok_or_else(|| {
            let hash = trial.hash;
            failed(&format!(
                "cell {hash} is given by its hash alone; give adjacency and operations"
            ))
        })?;
        let of_budget = sums.entry(trial.budget).or_default();
        let slot = of_budget.entry(trial.hash).or_insert((cell, 0.0, 0));
        slot.1 += energy;
        slot.2 += 1;
        Ok(())
    })?;
    let most = sums
        .iter()
        .rev()
        .max_by_key(|(_, cells)| cells.len())
        .ok_or_else(|| {
            failed(&"expected cells with energy at 4, 12, 36 or 108 epochs, found none")
        })?;
    let (&budget, cells) = most;
    let measured = cells.values();
    let measured: Vec<(Cell, f64)> = measured
        .map(|&(cell, sum, count)| (cell, sum / f64::from(count)))
        .collect();
    let name = path.file_stem().unwrap_or_default().to_string_lossy();
    Device::fit(surrogate, name, budget, &measured).map_err(|error| failed(&error))
}

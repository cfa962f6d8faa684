//! Learning a user's own device from a file of measured cells.

use std::collections::BTreeMap;
use std::path::Path;

use ecnas::cell::{Cell, CellHash};
use ecnas::import::ImportOptions;
use ecnas::metrics::{Budget, Metric};
use ecnas::surrogate::{Device, Surrogate};

use crate::failure::Failure;
use crate::import;

/// The energies of a cell.
#[derive(Default)]
struct Measured {
    cell: Option<Cell>,
    /// Of all repeats, in kWh.
    energy: f64,
    repeats: u32,
}

/// Learns from the energies in a file, at the budget that most of its cells have; of several, the smallest.
pub fn learn(path: &Path, surrogate: &Surrogate) -> Result<Device, Failure> {
    let failed = |error: &dyn std::fmt::Display| Failure::error(error).within(path);
    let mut sums: BTreeMap<Budget, BTreeMap<CellHash, Measured>> = BTreeMap::new();
    let imported = import::each_trial(path, &ImportOptions::default(), |trial| {
        let known = Surrogate::EPOCHS.contains(&trial.budget.get());
        let Some(energy) = trial.result(Metric::Energy).filter(|_| known) else {
            return Ok(());
        };
        let of_budget = sums.entry(trial.budget).or_default();
        let measured = of_budget.entry(trial.hash).or_default();
        measured.cell = measured.cell.or(trial.cell);
        measured.energy += energy;
        measured.repeats += 1;
        Ok(())
    })?;
    import::tell_left_out(path, &imported.notes);
    let most = sums
        .iter()
        .rev()
        .max_by_key(|(_, cells)| cells.len())
        .ok_or_else(|| {
            failed(&"expected cells with energy at 4, 12, 36 or 108 epochs, found none")
        })?;
    let (&budget, cells) = most;
    let measured = means(cells).map_err(|hash| {
        failed(&format!(
            "no cell of up to 7 vertices and 9 edges has the hash {hash}; give its adjacency and operations"
        ))
    })?;
    let name = path.file_stem().unwrap_or_default().to_string_lossy();
    Device::fit(surrogate, name, budget, &measured).map_err(|error| failed(&error))
}

/// Each cell with its mean energy, or the hash of one that importing did not find in the search space.
fn means(cells: &BTreeMap<CellHash, Measured>) -> Result<Vec<(Cell, f64)>, CellHash> {
    let cells = cells.iter().map(|(&hash, measured)| {
        let mean = measured.energy / f64::from(measured.repeats);
        Ok((measured.cell.ok_or(hash)?, mean))
    });
    cells.collect()
}

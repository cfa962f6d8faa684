//! From trials to what a surrogate is fitted to.

use std::collections::BTreeMap;
use std::fmt;

use super::FitData;
use crate::cell::{CellHash, Space};
use crate::metrics::{Metric, Trial};
use crate::surrogate::model::EPOCHS;

/// Trials of one origin: means over the repeats of each cell, by budget.
#[derive(Clone, Default)]
pub struct Trials {
    /// Energy, time, validation accuracy: sum and count.
    sums: BTreeMap<CellHash, [[(f64, u32); 3]; 4]>,
}

impl Trials {
    /// Adds a trial; one at another budget than 4, 12, 36 or 108 epochs is left out.
    pub fn add(&mut self, trial: &Trial) {
        let Some(budget) = EPOCHS
            .iter()
            .position(|&epochs| trial.budget.get() == epochs)
        else {
            return;
        };
        let metrics = [
            Metric::Energy,
            Metric::TrainingTime,
            Metric::ValidationAccuracy,
        ];
        for (metric, slot) in metrics
            .into_iter()
            .zip(&mut self.sums.entry(trial.hash).or_default()[budget])
        {
            if let Some(value) = trial.result(metric).filter(|value| !value.is_nan()) {
                slot.0 += value;
                slot.1 += 1;
            }
        }
    }

    /// A metric's means at a budget, of the cells that the space holds.
    fn means(&self, space: &Space, budget: usize, metric: usize) -> Vec<(crate::cell::Cell, f64)> {
        let known = self.sums.iter().filter_map(|(&hash, sums)| {
            let (sum, count) = sums[budget][metric];
            (count > 0).then(|| Some((space.cell(hash)?, sum / f64::from(count))))?
        });
        known.collect()
    }

    /// A metric per epoch at each budget over that at 4 epochs, of the cells that have both.
    fn growth(&self, metric: usize) -> [Vec<f64>; 4] {
        std::array::from_fn(|budget| {
            let ratios = self.sums.values().filter_map(|sums| {
                let ((base, bases), (sum, count)) = (sums[0][metric], sums[budget][metric]);
                let times = f64::from(EPOCHS[budget]) / f64::from(EPOCHS[0]);
                let ratio = sum / f64::from(count) / (base / f64::from(bases)) / times;
                (bases > 0 && count > 0 && ratio.is_finite()).then_some(ratio)
            });
            ratios.collect()
        })
    }
}

impl FitData {
    /// From trials of three origins: those whose energy at 4 epochs is predicted; those on the GPU whose time at 4 epochs is
    /// predicted and which tell how energy and time grow with the epochs; those on the TPU whose accuracies and time at
    /// 108 epochs are predicted. Cells that the space does not hold are left out.
    #[must_use]
    pub fn from_trials(space: &Space, energy: &Trials, gpu: &Trials, tpu: &Trials) -> Self {
        Self {
            energy_kwh: energy.means(space, 0, 0),
            training_time_s: gpu.means(space, 0, 1),
            tpu_training_time_s: tpu.means(space, 3, 1),
            validation_accuracy: std::array::from_fn(|budget| tpu.means(space, budget, 2)),
            energy_growth: gpu.growth(0),
            time_growth: gpu.growth(1),
        }
    }
}

/// The number of their cells.
impl fmt::Debug for Trials {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Trials({} cells)", self.sums.len())
    }
}

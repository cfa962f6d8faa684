//! What follows from the values themselves, beyond doubt, about where they come from.

use std::collections::BTreeSet;

use crate::metrics::{Component, Metric, Provenance, Provenances, Trial};

const ACCURACIES: [Metric; 3] = [
    Metric::TrainAccuracy,
    Metric::ValidationAccuracy,
    Metric::TestAccuracy,
];

/// Fewer trials than this show nothing: in a handful of runs an accuracy may stay the same by chance.
const ENOUGH: u64 = 10;

const JOULES_PER_KWH: f64 = 3.6e6;

/// Most device names that are kept.
const DEVICES: usize = 16;

/// Gathered trial by trial.
#[derive(Default)]
pub(super) struct Evidence {
    /// Trials with several checkpoints.
    several: u64,
    /// Trials among them with an accuracy that changes from checkpoint to checkpoint.
    changing: u64,
    /// Trials that trained for longer than they took.
    impossible: u64,
    /// Trials without a graph.
    without_graph: u64,
    gpus: BTreeSet<String>,
    /// Trials with a total energy and the energy of their devices, and the least and greatest ratio of the two.
    metered: u64,
    ratios: Option<(f64, f64)>,
}

impl Evidence {
    pub(super) fn add(&mut self, trial: &Trial) {
        if let Some((last, earlier)) = trial.checkpoints.split_last() {
            if !earlier.is_empty() {
                self.several += 1;
                let same = earlier.iter().all(|checkpoint| {
                    ACCURACIES
                        .iter()
                        .all(|&m| checkpoint.values.get(m) == last.values.get(m))
                });
                let any = ACCURACIES.iter().any(|&m| last.values.get(m).is_some());
                self.changing += u64::from(!(same && any));
            }
            let trained = last.values.get(Metric::TrainingTime);
            let total = trial.totals.get(Metric::TotalTime);
            if let (Some(trained), Some(total)) = (trained, total) {
                self.impossible += u64::from(trained > total);
            }
        }
        self.without_graph += u64::from(trial.cell.is_none());
        let devices: Option<f64> = trial.power.iter().map(|usage| usage.energy_j).sum();
        let total = trial.totals.get(Metric::TotalEnergy);
        if let (Some(devices), Some(total)) = (devices, total)
            && devices > 0.0
        {
            let ratio = total * JOULES_PER_KWH / devices;
            let (least, greatest) = self.ratios.unwrap_or((ratio, ratio));
            self.ratios = Some((least.min(ratio), greatest.max(ratio)));
            self.metered += 1;
        }
        for usage in &trial.power {
            if let (Component::Gpu, Some(name)) = (usage.component, &usage.device)
                && self.gpus.len() < DEVICES
                && !self.gpus.contains(name)
            {
                self.gpus.insert(name.clone());
            }
        }
    }

    /// The distinct names of the graphics processors, if any are named.
    pub(super) fn device(&self) -> Option<String> {
        let names: Vec<&str> = self.gpus.iter().map(|name| name.trim()).collect();
        (!names.is_empty()).then(|| names.join(", "))
    }

    /// The power usage effectiveness that energies contain, where total energy is the same multiple of the devices' energy
    /// in every trial.
    pub(super) fn pue(&self) -> Option<f64> {
        let (least, greatest) = self.ratios?;
        let same = self.metered >= ENOUGH && least >= 1.0 && greatest - least < 1e-3 * least;
        same.then(|| ((least + greatest) * 500.0).round() / 1000.0)
    }

    /// The provenance of what the values show by themselves; all else is unstated.
    ///
    /// Accuracies that are the same at all checkpoints of every trial are copies. If, besides, networks trained for longer
    /// than their run took, then the file is scaled as EC-NAS's linear scaling does it: energy, CO2 equivalents and time are
    /// multiples of a shorter run's, and the accuracies are means from NAS-Bench-101.
    pub(super) fn provenance(&self, parameters_fit: bool) -> Provenances {
        let mut all = Provenances::uniform(Provenance::Unstated);
        if self.without_graph > 0 || !parameters_fit {
            all = all.with_results(&[Metric::TrainableParameters], &Provenance::Unstated);
        }
        if self.several >= ENOUGH && self.changing == 0 {
            all = all.with_checkpoints(&ACCURACIES, &Provenance::Copied);
            if self.impossible > 0 {
                let scaled = [Metric::Energy, Metric::Co2e, Metric::TrainingTime];
                all = all
                    .with_results(&scaled, &Provenance::Scaled)
                    .with_results(&ACCURACIES, &Provenance::Averaged);
            }
        }
        all
    }
}

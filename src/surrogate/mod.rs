//! Energy, time and accuracy of cells that nobody trained.
//!
//! A [`Surrogate`] predicts, from a cell's own arithmetic (multiply-accumulates and memory traffic of each operation in
//! each stack, structure, paths), what training its network costs and how accurate it becomes: energy in kWh and time in s
//! on a Quadro RTX 6000, time in s on NAS-Bench-101's TPUs, validation accuracy; each at 4, 12, 36 and 108 epochs, each
//! with an interval that holds about nine in ten training runs like those it learned from, and no others
//! ([`Surrogate::INTERVAL_RUNS`]). Its weights come with the crate; `docs/surrogate.md` is the model
//! card: data, errors, and where not to trust it.
//!
//! Everything that it says is a prediction. It opens no file and knows no table.
//!
//! ```
//! use ecnas::{cell::Cell, metrics::Budget, surrogate::Surrogate};
//!
//! let cell: Cell = "0110001100010000:input,conv1x1-bn-relu,conv3x3-bn-relu,output".parse()?;
//! let prediction = Surrogate::embedded().predict(cell).at(Budget::epochs(108)?)?;
//! let energy = prediction.energy_kwh;
//! assert!(energy.low < energy.value && energy.value < energy.high);
//! assert!(prediction.validation_accuracy.value > 0.9);
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```

mod adapt;
mod error;
mod features;
#[cfg(feature = "fit")]
pub mod fit;
mod model;
mod network;

use std::fmt;
use std::sync::OnceLock;

pub use adapt::Device;
pub use error::SurrogateError;
pub use model::MAGIC;

use crate::cell::Cell;
use crate::metrics::{Budget, Provenance, Setting};
use features::features;
use model::{COSTS, EPOCHS, Growth, Model, TARGETS, Target};
use network::{BATCH, WIDTH};

/// A fitted model; see the [module](self).
#[derive(Clone)]
pub struct Surrogate {
    model: Model,
    fingerprint: u32,
}

/// A predicted value and its interval: nine in ten of [these training runs](Surrogate::INTERVAL_RUNS) lie there, measured on
/// cells not fitted to.
#[derive(Debug, Clone, Copy, PartialEq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
pub struct Estimate {
    /// The value.
    pub value: f64,
    /// The lower end.
    pub low: f64,
    /// The upper end.
    pub high: f64,
}

impl Estimate {
    fn map(self, change: impl Fn(f64) -> f64) -> Self {
        Self {
            value: change(self.value),
            low: change(self.low),
            high: change(self.high),
        }
    }
}

/// What a surrogate says of a cell: [`at`](Self::at) a budget.
#[derive(Clone, Copy)]
pub struct Prediction<'m> {
    model: &'m Model,
    /// By target, in its own scale.
    values: [f32; TARGETS],
    /// By target: logarithm of the spread.
    spreads: [f32; TARGETS],
}

/// What a surrogate says of a cell at a budget.
#[derive(Debug, Clone, Copy, PartialEq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
#[non_exhaustive]
pub struct BudgetPrediction {
    /// Energy of training, in kWh, on a Quadro RTX 6000, growing with the epochs as measured energy does.
    pub energy_kwh: Estimate,
    /// The same, proportional to the epochs: EC-NAS's own scaling, which says more than is used.
    pub linear_energy_kwh: Estimate,
    /// Time of training, in s, on a Quadro RTX 6000.
    pub training_time_s: Estimate,
    /// Time of training, in s, on NAS-Bench-101's TPUs, proportional to the epochs.
    pub tpu_training_time_s: Estimate,
    /// Validation accuracy at the end of training, as NAS-Bench-101 trains.
    pub validation_accuracy: Estimate,
}

impl Surrogate {
    /// The surrogate that comes with the crate.
    ///
    /// # Complexity
    /// It is decoded once for the process: some 0.1 ms.
    #[must_use]
    pub fn embedded() -> &'static Self {
        static EMBEDDED: OnceLock<Surrogate> = OnceLock::new();
        #[expect(
            clippy::expect_used,
            reason = "the bytes are part of the program; a test decodes these very bytes"
        )]
        EMBEDDED.get_or_init(|| {
            Self::from_bytes(include_bytes!("weights.bin")).expect("the crate's weights are whole")
        })
    }

    /// A surrogate that was fitted before.
    ///
    /// # Errors
    /// The bytes are none of this version's, or damaged.
    pub fn from_bytes(bytes: &[u8]) -> Result<Self, SurrogateError> {
        let model = Model::from_bytes(bytes)?;
        let fingerprint = crc32c::crc32c(bytes);
        Ok(Self { model, fingerprint })
    }

    /// The bytes that [`from_bytes`](Self::from_bytes) reads.
    ///
    /// # Errors
    /// None that a fitted surrogate could cause.
    #[cfg(feature = "fit")]
    pub fn to_bytes(&self) -> Result<Vec<u8>, SurrogateError> {
        self.model.to_bytes()
    }

    /// The model's name and version.
    #[must_use]
    pub fn name(&self) -> &str {
        &self.model.name
    }

    /// The seed that it was fitted with.
    #[must_use]
    pub const fn seed(&self) -> u64 {
        self.model.seed
    }

    /// A checksum of the model: another one predicts otherwise.
    #[must_use]
    pub const fn fingerprint(&self) -> u32 {
        self.fingerprint
    }

    /// Where its values come from: predicted by this model.
    #[must_use]
    pub fn provenance(&self) -> Provenance {
        Provenance::Predicted {
            model: self.model.name.clone(),
        }
    }

    /// For which circumstances it predicts. Nothing says which PUE the energies contain that it learned from.
    #[must_use]
    pub fn setting(&self) -> Setting {
        Setting {
            data_set: Some("CIFAR-10".to_owned()),
            device: Some("Quadro RTX 6000".to_owned()),
            pue: None,
        }
    }

    /// Where its energies come from that are proportional to the epochs.
    #[must_use]
    pub fn linear_provenance(&self) -> Provenance {
        Provenance::Predicted {
            model: format!("{}, scaled linearly in epochs", self.model.name),
        }
    }

    /// Of which training runs its intervals speak, as the end of a sentence on where nine in ten of them lie. Runs that are
    /// trained or metered otherwise lie elsewhere: of EC-NAS's 700 cells trained to 108 epochs with its own harness, the
    /// intervals hold a third of the accuracies and none of the energies, which contain a PUE.
    pub const INTERVAL_RUNS: &str = "training runs like those that it learned from: energy as in EC-NAS's metered sample of \
        7-vertex cells, time as in its 4-epoch files, accuracy and TPU time as in NAS-Bench-101";

    /// The budgets that it knows, in epochs.
    pub const EPOCHS: [u32; 4] = EPOCHS;

    /// Predicts for a cell; equal cells give equal predictions.
    ///
    /// # Complexity
    /// A few microseconds; [`predict_all`](Self::predict_all) takes one for each.
    #[must_use]
    pub fn predict(&self, cell: Cell) -> Prediction<'_> {
        let mut predictions = self.predict_all(&[cell]);
        #[expect(clippy::expect_used, reason = "each cell has a prediction")]
        predictions.pop().expect("the prediction of the one cell")
    }

    /// Predicts for many cells, in their order.
    ///
    /// # Complexity
    /// About a microsecond for each.
    #[must_use]
    pub fn predict_all(&self, cells: &[Cell]) -> Vec<Prediction<'_>> {
        let mut predictions = Vec::with_capacity(cells.len());
        crate::simd::widest(
            #[inline(always)]
            || self.predict_batches(cells, &mut predictions),
        );
        predictions
    }

    #[inline(always)]
    fn predict_batches<'m>(&'m self, cells: &[Cell], predictions: &mut Vec<Prediction<'m>>) {
        let model = &self.model;
        let mut batch = [[0.0; WIDTH]; BATCH];
        for cells in cells.chunks(BATCH) {
            for (cell, row) in cells.iter().zip(&mut batch) {
                let features = features(cell.canonical().graph());
                model.standard.apply(&features, row);
            }
            let costs = model.costs.apply(&batch);
            let accuracy = model.accuracy.apply(&batch);
            let spread = model.spread.apply(&batch);
            for (((_, costs), accuracy), spread) in
                cells.iter().zip(&costs).zip(&accuracy).zip(&spread)
            {
                let outputs = costs.iter().take(COSTS).chain(accuracy);
                let mut values = [f32::NAN; TARGETS];
                for ((slot, output), scale) in values.iter_mut().zip(outputs).zip(&model.scales) {
                    *slot = output * scale.deviation + scale.mean;
                }
                let mut spreads = [0.0; TARGETS];
                for (slot, output) in spreads.iter_mut().zip(spread) {
                    *slot = *output;
                }
                predictions.push(Prediction {
                    model,
                    values,
                    spreads,
                });
            }
        }
    }
}

impl Prediction<'_> {
    /// The prediction at a budget.
    ///
    /// # Errors
    /// The budget is none of 4, 12, 36 and 108 epochs.
    pub fn at(&self, budget: Budget) -> Result<BudgetPrediction, SurrogateError> {
        let number = EPOCHS.iter().position(|&epochs| budget.get() == epochs);
        let number = number.ok_or(SurrogateError::Budget { found: budget })?;
        Ok(self.at_number(number))
    }

    fn at_number(&self, number: usize) -> BudgetPrediction {
        let epochs = f64::from(EPOCHS.get(number).copied().unwrap_or_default());
        let times = epochs / 4.0;
        let energy = self.estimate(Target::Energy).map(|wh| wh.max(0.1) / 1000.0);
        let time = self.estimate(Target::Time).map(f64::exp);
        let tpu_time = self.estimate(Target::TpuTime).map(f64::exp);
        let accuracy = [
            Target::Accuracy4,
            Target::Accuracy12,
            Target::Accuracy36,
            Target::Accuracy108,
        ];
        let accuracy = accuracy.get(number).copied().unwrap_or(Target::Accuracy108);
        let accuracy = self.estimate(accuracy);
        BudgetPrediction {
            energy_kwh: grown(energy, times, self.model.energy_growth.get(number)),
            linear_energy_kwh: energy.map(|kwh| kwh * times),
            training_time_s: grown(time, times, self.model.time_growth.get(number)),
            tpu_training_time_s: tpu_time.map(|s| s * epochs / 108.0),
            validation_accuracy: accuracy.map(|log| (1.0 - (-log).exp()).clamp(0.0, 1.0)),
        }
    }

    /// A target with its interval, in its own scale.
    fn estimate(&self, target: Target) -> Estimate {
        let at = |values: &[f32; TARGETS]| {
            f64::from(values.get(target as usize).copied().unwrap_or(f32::NAN))
        };
        let value = at(&self.values);
        let spread = at(&self.spreads).clamp(-20.0, 5.0).exp();
        let scale = self
            .model
            .scales
            .get(target as usize)
            .copied()
            .unwrap_or_default();
        Estimate {
            value,
            low: value + f64::from(scale.low).min(0.0) * spread,
            high: value + f64::from(scale.high).max(0.0) * spread,
        }
    }
}

/// A quantity of 4 epochs at a budget of so many times that, by measured growth. Both are uncertain: relative widths add as
/// squares.
fn grown(base: Estimate, times: f64, growth: Option<&Growth>) -> Estimate {
    let growth = growth.copied().unwrap_or_default();
    let [median, low, high] = [growth.median, growth.low, growth.high].map(f64::from);
    let width = |base_end: f64, growth_end: f64| {
        let (a, b): (f64, f64) = (base_end / base.value - 1.0, growth_end / median - 1.0);
        (a * a + b * b).sqrt()
    };
    let value = base.value * times * median;
    Estimate {
        value,
        low: value * (1.0 - width(base.low, low)).max(0.0),
        high: value * (1.0 + width(base.high, high)),
    }
}

/// Its name and its fingerprint.
impl fmt::Debug for Surrogate {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Surrogate")
            .field("name", &self.name())
            .field("fingerprint", &format_args!("{:#010x}", self.fingerprint))
            .finish_non_exhaustive()
    }
}

/// By which model, and what it says at the largest budget.
impl fmt::Debug for Prediction<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Prediction")
            .field("model", &self.model.name)
            .field("at_108_epochs", &self.at_number(EPOCHS.len() - 1))
            .finish_non_exhaustive()
    }
}

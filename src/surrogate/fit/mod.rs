//! Fitting a surrogate to measured cells (feature `fit`).
//!
//! Cells are split by their hash: an eighth is kept aside for the errors that the report states. The rest is fitted to; by
//! thirds, each predicted by a fit to the other two, it also tells how far off predictions are and how that differs from
//! cell to cell, which gives the intervals. In the end a committee of networks is fitted to all of the rest, and teaches
//! its mean to one network over the whole search space. The same data, seed and machine give the same weights.
// Fixed arrays are indexed by numbers of targets, budgets and features.
#![allow(clippy::indexing_slicing)]

mod data;
mod report;
mod train;

use std::collections::BTreeMap;
use std::fmt;
use std::ops::ControlFlow;

pub use data::Trials;
pub use report::{Accuracy, Report};

use super::features::{FEATURES, features};
use super::model::{COSTS, EPOCHS, Growth, Model, Scale, TARGETS, Target};
use super::network::{BATCH, FARTHEST, Network, Standard, WIDTH};
use super::{Surrogate, SurrogateError};
use crate::cell::{Cell, CellHash, enumerate};
use train::{Plan, Rows, train};

/// What a surrogate is fitted to: values of cells, each at most once.
#[derive(Clone, Default)]
pub struct FitData {
    /// Energy of 4 epochs on the GPU, in kWh.
    pub energy_kwh: Vec<(Cell, f64)>,
    /// Time of 4 epochs on the GPU, in s.
    pub training_time_s: Vec<(Cell, f64)>,
    /// Time of 108 epochs on the TPU, in s.
    pub tpu_training_time_s: Vec<(Cell, f64)>,
    /// Validation accuracy at 4, 12, 36 and 108 epochs.
    pub validation_accuracy: [Vec<(Cell, f64)>; 4],
    /// Energy per epoch at 4, 12, 36 and 108 epochs over that at 4 of the same cell, on one device.
    pub energy_growth: [Vec<f64>; 4],
    /// The same of the time.
    pub time_growth: [Vec<f64>; 4],
}

/// How to fit.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct FitOptions {
    /// The model's name, which stands in the provenance of all that it predicts.
    pub name: String,
    /// Everything random depends on it.
    pub seed: u64,
    /// How often all rows are gone through, of the largest network; others take a share of it. More is slower, and fits
    /// better up to a point.
    pub epochs: usize,
    /// A committee of networks teaches its mean by one cell of the search space in so many.
    pub taught: usize,
}

impl Default for FitOptions {
    fn default() -> Self {
        Self {
            name: "ecnas surrogate 1".to_owned(),
            seed: 101,
            epochs: 300,
            taught: 4,
        }
    }
}

/// How far a fit is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct FitProgress {
    /// Passes over the rows done.
    pub done: u64,
    /// Passes in all.
    pub total: u64,
}

/// Why a surrogate cannot be fitted.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum FitError {
    /// Too few or degenerate values.
    #[error(transparent)]
    Data(#[from] SurrogateError),
    /// The library that fits failed.
    #[error("fitting failed: {0}")]
    Library(String),
    /// The caller ended it.
    #[error("fitting was interrupted")]
    Interrupted,
}

impl From<candle_core::Error> for FitError {
    fn from(error: candle_core::Error) -> Self {
        Self::Library(error.to_string())
    }
}

/// Cells with one value that it takes at least.
const LEAST: usize = 40;
/// One cell in so many is kept aside.
const ASIDE: u8 = 8;
/// Parts of the rest, each predicted by a fit to the others.
const FOLDS: u64 = 3;
/// Networks in a committee.
const MEMBERS: u64 = 5;
/// Smaller errors than this share of a standard deviation are no smaller to the spread.
const LEAST_SPREAD: f32 = 0.02;

/// A cell's features and targets.
struct Sample {
    cell: Cell,
    hash: CellHash,
    features: [f32; FEATURES],
    /// In their own scales; NaN where there is none.
    targets: [f64; TARGETS],
}

impl Sample {
    fn is_aside(&self) -> bool {
        self.hash.to_bytes()[15].is_multiple_of(ASIDE)
    }

    fn fold(&self) -> u64 {
        u64::from(self.hash.to_bytes()[14]) % FOLDS
    }
}

/// Fits a surrogate; `progress` may end it.
///
/// # Errors
/// Some value is there for fewer than 40 cells, is the same for all, or is out of range; or `progress` ended it.
///
/// # Complexity
/// Minutes for 26,000 cells, on one core.
pub fn fit(
    data: &FitData,
    options: &FitOptions,
    mut progress: impl FnMut(FitProgress) -> ControlFlow<()>,
) -> Result<(Surrogate, Report), FitError> {
    let samples = samples(data)?;
    let (aside, fitted): (Vec<Sample>, Vec<Sample>) =
        samples.into_iter().partition(Sample::is_aside);
    let standard = standardise(&fitted)?;
    let scales = scales(&fitted)?;
    let plans = plans(options);
    let of_plan = |plan: &Plan| plan.epochs * (FOLDS + MEMBERS) as usize + student(plan).epochs;
    let total: usize = plans[..2].iter().map(of_plan).sum();
    let total = (total + plans[2].epochs) as u64;
    let mut done = 0;
    let mut tick = || {
        done += 1;
        progress(FitProgress { done, total })
    };
    let mut model = Model {
        name: options.name.clone(),
        seed: options.seed,
        standard,
        scales,
        energy_growth: growth("energy", &data.energy_growth)?,
        time_growth: growth("time", &data.time_growth)?,
        ..Model::default()
    };

    // Errors of cells not fitted to, in standard deviations.
    let mut errors: Vec<[f32; TARGETS]> = vec![[f32::NAN; TARGETS]; fitted.len()];
    for fold in 0..FOLDS {
        let part: Vec<&Sample> = fitted
            .iter()
            .filter(|sample| sample.fold() != fold)
            .collect();
        model.costs = network(&model, &part, &plans[0], 0..COSTS, &mut tick)?;
        model.accuracy = network(&model, &part, &plans[1], COSTS..TARGETS, &mut tick)?;
        let others = fitted
            .iter()
            .zip(&mut errors)
            .filter(|(sample, _)| sample.fold() == fold);
        let (others, slots): (Vec<&Sample>, Vec<_>) = others.unzip();
        for ((sample, values), slot) in others.iter().zip(predict(&model, &others)).zip(slots) {
            *slot = std::array::from_fn(|target| {
                let error = sample.targets[target] - f64::from(values[target]);
                (error / f64::from(model.scales[target].deviation)) as f32
            });
        }
    }
    let all: Vec<&Sample> = fitted.iter().collect();
    let space: Vec<[f32; FEATURES]> = enumerate(7, 9)
        .step_by(options.taught.max(1))
        .map(|cell| standardised(&model.standard, &features(cell.graph())))
        .collect();
    model.costs = taught(&model, &all, &space, &plans[0], 0..COSTS, &mut tick)?;
    model.accuracy = taught(&model, &all, &space, &plans[1], COSTS..TARGETS, &mut tick)?;
    model.spread = spread(&model, &fitted, &errors, &plans[2], &mut tick)?;
    quantiles(&mut model, &fitted, &errors);

    let surrogate = Surrogate::from_bytes(&model.to_bytes()?)?;
    let report = Report::of(&surrogate, &aside, fitted.len(), data);
    Ok((surrogate, report))
}

fn plans(options: &FitOptions) -> [Plan; 3] {
    let plan = |hidden: &[usize], share: f64, decay: f64, weights: &[f64], seed: u64| Plan {
        hidden: hidden.to_vec(),
        epochs: ((options.epochs as f64 * share) as usize).max(1),
        decay,
        weights: weights.to_vec(),
        seed: options.seed.wrapping_add(seed),
    };
    [
        plan(&[64, 64], 1.0, 0.5, &[4.0, 0.5, 1.0], 0),
        plan(&[96, 64], 0.5, 0.3, &[0.5, 0.5, 0.5, 4.0], 1),
        plan(&[16], 0.2, 0.2, &[1.0; TARGETS], 2),
    ]
}

/// Every cell once, in the order of its hash, with what is known of it.
fn samples(data: &FitData) -> Result<Vec<Sample>, FitError> {
    let mut samples: BTreeMap<CellHash, Sample> = BTreeMap::new();
    type Known<'d> = (Target, &'d [(Cell, f64)], &'static str, fn(f64) -> f64);
    let log: fn(f64) -> f64 = f64::ln;
    let of_accuracy: fn(f64) -> f64 = |accuracy| -(1.0 - accuracy).ln();
    let [a4, a12, a36, a108] = &data.validation_accuracy;
    let known: [Known<'_>; TARGETS] = [
        (Target::Energy, &data.energy_kwh, "energy", |kwh| {
            1000.0 * kwh
        }),
        (Target::Time, &data.training_time_s, "time on the GPU", log),
        (
            Target::TpuTime,
            &data.tpu_training_time_s,
            "time on the TPU",
            log,
        ),
        (
            Target::Accuracy4,
            a4,
            "validation accuracy at 4 epochs",
            of_accuracy,
        ),
        (
            Target::Accuracy12,
            a12,
            "validation accuracy at 12 epochs",
            of_accuracy,
        ),
        (
            Target::Accuracy36,
            a36,
            "validation accuracy at 36 epochs",
            of_accuracy,
        ),
        (
            Target::Accuracy108,
            a108,
            "validation accuracy at 108 epochs",
            of_accuracy,
        ),
    ];
    for (target, values, what, transform) in known {
        if values.len() < LEAST {
            return Err(SurrogateError::TooFew {
                what: what.to_owned(),
                least: LEAST,
                found: values.len(),
            }
            .into());
        }
        for &(cell, value) in values {
            let transformed = transform(value);
            let is_fraction = target as usize >= COSTS;
            if !transformed.is_finite() || value < 0.0 || (is_fraction && value >= 1.0) {
                return Err(SurrogateError::Degenerate {
                    what: what.to_owned(),
                    found: format!("{value} for cell {}", cell.hash()),
                }
                .into());
            }
            let cell = cell.canonical();
            let hash = cell.hash();
            let sample = samples.entry(hash).or_insert_with(|| Sample {
                cell,
                hash,
                features: features(cell.graph()),
                targets: [f64::NAN; TARGETS],
            });
            sample.targets[target as usize] = transformed;
        }
    }
    Ok(samples.into_values().collect())
}

fn standardise(samples: &[Sample]) -> Result<Standard, FitError> {
    let count = samples.len().max(1) as f64;
    let mut standard = Standard::default();
    for feature in 0..FEATURES {
        let values = || {
            samples
                .iter()
                .map(|sample| f64::from(sample.features[feature]))
        };
        let mean = values().sum::<f64>() / count;
        let variance = values().map(|value| (value - mean).powi(2)).sum::<f64>() / count;
        standard.means.push(mean as f32);
        standard.scales.push(if variance > 0.0 {
            variance.sqrt().recip() as f32
        } else {
            0.0
        });
    }
    Ok(standard)
}

fn scales(samples: &[Sample]) -> Result<[Scale; TARGETS], FitError> {
    let mut scales = [Scale::default(); TARGETS];
    for (target, scale) in scales.iter_mut().enumerate() {
        let values = || {
            samples
                .iter()
                .map(|sample| sample.targets[target])
                .filter(|value| !value.is_nan())
        };
        let count = values().count().max(1) as f64;
        let mean = values().sum::<f64>() / count;
        let deviation = (values().map(|value| (value - mean).powi(2)).sum::<f64>() / count).sqrt();
        if deviation <= 1e-9 * mean.abs() {
            return Err(SurrogateError::Degenerate {
                what: format!("target {target}"),
                found: format!("the same value for all {count} cells"),
            }
            .into());
        }
        (scale.mean, scale.deviation) = (mean as f32, deviation as f32);
    }
    Ok(scales)
}

/// Features of a sample as a network takes them.
fn standardised(standard: &Standard, features: &[f32; FEATURES]) -> [f32; FEATURES] {
    std::array::from_fn(|k| {
        ((features[k] - standard.means[k]) * standard.scales[k]).clamp(-FARTHEST, FARTHEST)
    })
}

fn network(
    model: &Model,
    samples: &[&Sample],
    plan: &Plan,
    targets: std::ops::Range<usize>,
    tick: &mut dyn FnMut() -> ControlFlow<()>,
) -> Result<Network, FitError> {
    let mut rows = Rows::default();
    for sample in samples {
        let own: Vec<f32> = targets
            .clone()
            .map(|target| {
                let scale = model.scales[target];
                ((sample.targets[target] - f64::from(scale.mean)) / f64::from(scale.deviation))
                    as f32
            })
            .collect();
        if own.iter().any(|value| !value.is_nan()) {
            rows.features
                .push(standardised(&model.standard, &sample.features));
            rows.targets.push(own);
        }
    }
    train(&rows, plan, tick)
}

/// A network that says what a committee says on average, which is better than any of its members; they differ in their
/// seeds (distillation; Hinton, Vinyals, Dean 2015).
fn taught(
    model: &Model,
    samples: &[&Sample],
    space: &[[f32; FEATURES]],
    plan: &Plan,
    targets: std::ops::Range<usize>,
    tick: &mut dyn FnMut() -> ControlFlow<()>,
) -> Result<Network, FitError> {
    let own = samples
        .iter()
        .map(|sample| standardised(&model.standard, &sample.features));
    let mut rows = Rows {
        features: own.chain(space.iter().copied()).collect(),
        targets: Vec::new(),
    };
    rows.targets
        .resize(rows.features.len(), vec![0.0; targets.len()]);
    for member in 0..MEMBERS {
        let mut plan = plan.clone();
        plan.seed = plan.seed.wrapping_add(100 * (member + 1));
        let network = network(model, samples, &plan, targets.clone(), tick)?;
        for (features, slots) in rows
            .features
            .chunks(BATCH)
            .zip(rows.targets.chunks_mut(BATCH))
        {
            let mut batch = [[0.0; WIDTH]; BATCH];
            for (row, features) in batch.iter_mut().zip(features) {
                row[..FEATURES].copy_from_slice(features);
            }
            for (slot, outputs) in slots.iter_mut().zip(&network.apply(&batch)) {
                for (slot, output) in slot.iter_mut().zip(outputs) {
                    *slot += output / MEMBERS as f32;
                }
            }
        }
    }
    train(&rows, &student(plan), tick)
}

/// How what a committee says is learned: there is no noise in it, so that nothing holds the weights back.
fn student(plan: &Plan) -> Plan {
    Plan {
        epochs: (plan.epochs / 6).max(1),
        decay: 0.001,
        weights: vec![1.0; plan.weights.len()],
        ..plan.clone()
    }
}

/// Learns the logarithm of the size of the errors, in each target's own scale.
fn spread(
    model: &Model,
    samples: &[Sample],
    errors: &[[f32; TARGETS]],
    plan: &Plan,
    tick: &mut dyn FnMut() -> ControlFlow<()>,
) -> Result<Network, FitError> {
    let rows = Rows {
        features: samples
            .iter()
            .map(|sample| standardised(&model.standard, &sample.features))
            .collect(),
        targets: errors
            .iter()
            .map(|errors| {
                errors
                    .iter()
                    .map(|error| (error.abs() + LEAST_SPREAD).ln())
                    .collect()
            })
            .collect(),
    };
    let mut network = train(&rows, plan, tick)?;
    if let Some(last) = network.layers.last_mut() {
        let bias = last.bias.as_flattened_mut();
        for (bias, scale) in bias.iter_mut().zip(&model.scales) {
            *bias += scale.deviation.ln();
        }
    }
    Ok(network)
}

fn predict(model: &Model, samples: &[&Sample]) -> Vec<[f32; TARGETS]> {
    predictions(model, samples, |prediction| prediction.values)
}

fn predictions<T>(
    model: &Model,
    samples: &[&Sample],
    of: impl Fn(&super::Prediction<'_>) -> T,
) -> Vec<T> {
    let cells: Vec<Cell> = samples.iter().map(|sample| sample.cell).collect();
    let surrogate = Surrogate {
        model: model.clone(),
        fingerprint: 0,
    };
    surrogate.predict_all(&cells).iter().map(of).collect()
}

/// How many spreads off the errors are that nine in ten do not exceed.
fn quantiles(model: &mut Model, samples: &[Sample], errors: &[[f32; TARGETS]]) {
    let all: Vec<&Sample> = samples.iter().collect();
    let spreads = predictions(model, &all, |prediction| prediction.spreads);
    for target in 0..TARGETS {
        let deviation = model.scales[target].deviation;
        let pairs = errors.iter().zip(&spreads);
        let mut relative: Vec<f32> = pairs
            .map(|(errors, spreads)| errors[target] * deviation / spreads[target].exp())
            .filter(|value| !value.is_nan())
            .collect();
        relative.sort_by(f32::total_cmp);
        model.scales[target].low = quantile(&relative, 0.05);
        model.scales[target].high = quantile(&relative, 0.95);
    }
}

fn quantile(sorted: &[f32], share: f64) -> f32 {
    let place = (share * sorted.len().saturating_sub(1) as f64).round() as usize;
    sorted.get(place).copied().unwrap_or(f32::NAN)
}

fn growth(what: &str, ratios: &[Vec<f64>; 4]) -> Result<[Growth; 4], FitError> {
    let mut growth = [Growth {
        median: 1.0,
        low: 1.0,
        high: 1.0,
    }; 4];
    for ((growth, ratios), epochs) in growth.iter_mut().zip(ratios).zip(EPOCHS).skip(1) {
        if ratios.len() < LEAST {
            return Err(SurrogateError::TooFew {
                what: format!("how {what} grows to {epochs} epochs"),
                least: LEAST,
                found: ratios.len(),
            }
            .into());
        }
        let mut ratios: Vec<f32> = ratios.iter().map(|&ratio| ratio as f32).collect();
        ratios.sort_by(f32::total_cmp);
        *growth = Growth {
            median: quantile(&ratios, 0.5),
            low: quantile(&ratios, 0.05),
            high: quantile(&ratios, 0.95),
        };
    }
    Ok(growth)
}

/// How much there is of each.
impl fmt::Debug for FitData {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let accuracies = self.validation_accuracy.each_ref().map(Vec::len);
        f.debug_struct("FitData")
            .field("energy_kwh", &self.energy_kwh.len())
            .field("training_time_s", &self.training_time_s.len())
            .field("tpu_training_time_s", &self.tpu_training_time_s.len())
            .field("validation_accuracy", &accuracies)
            .field(
                "energy_growth",
                &self.energy_growth.each_ref().map(Vec::len),
            )
            .field("time_growth", &self.time_growth.each_ref().map(Vec::len))
            .finish()
    }
}

//! Fits one network by gradient descent, with candle.

use std::ops::ControlFlow;

use candle_core::{D, Device, Tensor, Var};
use candle_nn::optim::{AdamW, Optimizer, ParamsAdamW};

use super::FitError;
use crate::random::SplitMix;
use crate::surrogate::features::FEATURES;
use crate::surrogate::network::{LANES, Layer, Network};

/// The share of the steps in which the learning rate rises.
const RISING: f64 = 0.1;
const LEARNING_RATE: f64 = 3e-3;
const BATCH: usize = 256;
/// Errors weigh as their squares up to here, in standard deviations, and as themselves beyond.
const HUBER: f64 = 0.3;

/// Rows to fit to: standardised features, and standardised targets, NaN where there is none.
#[derive(Debug, Clone, Default)]
pub(super) struct Rows {
    pub features: Vec<[f32; FEATURES]>,
    pub targets: Vec<Vec<f32>>,
}

/// How a network is fitted.
#[derive(Debug, Clone)]
pub(super) struct Plan {
    pub hidden: Vec<usize>,
    pub epochs: usize,
    /// How strongly weights are drawn towards zero.
    pub decay: f64,
    /// What each target's error weighs, were all targets there for all rows.
    pub weights: Vec<f64>,
    pub seed: u64,
}

struct Weights {
    weights: Var,
    bias: Var,
}

/// Fits a network; `progress` is told of every epoch, and may end it.
pub(super) fn train(
    rows: &Rows,
    plan: &Plan,
    progress: &mut dyn FnMut() -> ControlFlow<()>,
) -> Result<Network, FitError> {
    let device = Device::Cpu;
    let (count, outputs) = (rows.features.len(), plan.weights.len());
    let mut random = SplitMix(plan.seed);
    let mut layers = Vec::new();
    let mut inputs = FEATURES;
    for &width in plan.hidden.iter().chain([&outputs]) {
        let deviation = (1.0 / inputs as f64).sqrt();
        let values: Vec<f32> = (0..inputs * width)
            .map(|_| (random.normal() * deviation) as f32)
            .collect();
        layers.push(Weights {
            weights: Var::from_vec(values, (inputs, width), &device)?,
            bias: Var::zeros(width, candle_core::DType::F32, &device)?,
        });
        inputs = width;
    }
    let vars = layers
        .iter()
        .flat_map(|layer| [layer.weights.clone(), layer.bias.clone()]);
    let parameters = ParamsAdamW {
        lr: LEARNING_RATE,
        weight_decay: plan.decay,
        ..ParamsAdamW::default()
    };
    let mut optimizer = AdamW::new(vars.collect(), parameters)?;

    // A target that few rows have weighs as much as one that all have.
    let weights: Vec<f32> = (0..outputs)
        .map(|target| {
            let have = rows
                .targets
                .iter()
                .filter(|row| row.get(target).is_some_and(|v| !v.is_nan()));
            let share = have.count().max(1) as f64 / count.max(1) as f64;
            (plan.weights.get(target).copied().unwrap_or(1.0) / share) as f32
        })
        .collect();
    let batch = BATCH.min(count.max(1));
    let steps = (plan.epochs * (count / batch)).max(1);
    let mut order: Vec<usize> = (0..count).collect();
    let mut step = 0;
    for _ in 0..plan.epochs {
        random.shuffle(&mut order);
        for places in order.chunks_exact(batch) {
            optimizer.set_learning_rate(rate(step as f64 / steps as f64));
            let picked = || places.iter().copied();
            let x: Vec<f32> = picked()
                .filter_map(|place| rows.features.get(place))
                .flatten()
                .copied()
                .collect();
            let target = |place: usize| rows.targets.get(place).into_iter().flatten().copied();
            let y: Vec<f32> = picked().flat_map(target).collect();
            let zip = y.iter().zip(weights.iter().cycle());
            let mask: Vec<f32> = zip
                .map(|(y, weight)| if y.is_nan() { 0.0 } else { *weight })
                .collect();
            let y: Vec<f32> = y
                .into_iter()
                .map(|y| if y.is_nan() { 0.0 } else { y })
                .collect();
            let x = Tensor::from_vec(x, (batch, FEATURES), &device)?;
            let y = Tensor::from_vec(y, (batch, outputs), &device)?;
            let mask = Tensor::from_vec(mask, (batch, outputs), &device)?;
            let loss = (huber(&(forward(&layers, x)? - y)?)? * mask)?.sum_all()?;
            let loss = (loss / batch as f64)?;
            optimizer.backward_step(&loss)?;
            step += 1;
        }
        if progress().is_break() {
            return Err(FitError::Interrupted);
        }
    }
    to_network(&layers, outputs)
}

fn forward(layers: &[Weights], mut x: Tensor) -> candle_core::Result<Tensor> {
    for (number, layer) in layers.iter().enumerate() {
        x = x
            .matmul(layer.weights.as_tensor())?
            .broadcast_add(layer.bias.as_tensor())?;
        if number + 1 < layers.len() {
            let gate = x.affine(1.0 / 6.0, 0.5)?.clamp(0.0, 1.0)?;
            x = (x * gate)?;
        }
    }
    Ok(x)
}

fn huber(errors: &Tensor) -> candle_core::Result<Tensor> {
    let size = errors.abs()?;
    let near = size.minimum(HUBER)?;
    let squares = (near.sqr()? * 0.5)?;
    squares + ((size - near)? * HUBER)?
}

/// The learning rate at a share of the steps: up, and slowly down to nothing (Smith and Topin 2019).
fn rate(done: f64) -> f64 {
    let half_wave = |share: f64| (1.0 - (std::f64::consts::PI * share).cos()) / 2.0;
    let share = if done < RISING {
        1.0 / 25.0 + 24.0 / 25.0 * half_wave(done / RISING)
    } else {
        1.0 - half_wave((done - RISING) / (1.0 - RISING))
    };
    LEARNING_RATE * share.max(1e-5)
}

/// The weights by the layout that predicting wants.
fn to_network(layers: &[Weights], outputs: usize) -> Result<Network, FitError> {
    let mut network = Network {
        layers: Vec::new(),
        outputs: outputs as u32,
    };
    let mut inputs = FEATURES;
    for layer in layers {
        let weights: Vec<Vec<f32>> = layer.weights.as_tensor().t()?.contiguous()?.to_vec2()?;
        let bias: Vec<f32> = layer.bias.as_tensor().to_vec1()?;
        network.layers.push(Layer::new(inputs, &weights, &bias));
        inputs = layer.bias.dim(D::Minus1)?.next_multiple_of(LANES);
    }
    Ok(network)
}

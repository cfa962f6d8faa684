//! A small neural network: layers of sums of products, with a piecewise quadratic activation between them.
//!
//! Every sum is taken in one order, without fused operations, whatever the processor: the same weights give the same bits
//! everywhere.

use rkyv::{Archive, Deserialize, Serialize};

use super::features::FEATURES;

/// Outputs of a layer that are computed together.
pub(super) const LANES: usize = 16;
/// Cells that are computed together.
pub(super) const BATCH: usize = 4;

/// How far a feature may be from its mean, in standard deviations: what is farther is cut.
pub(super) const FARTHEST: f32 = 5.0;

/// A layer: 16 outputs at a time, one row of weights for each input.
#[derive(Debug, Clone, Default, Archive, Serialize, Deserialize)]
pub(super) struct Layer {
    pub inputs: u32,
    /// For each 16 outputs, for each input: its weights.
    pub weights: Vec<[f32; LANES]>,
    /// For each 16 outputs: what they start from.
    pub bias: Vec<[f32; LANES]>,
}

impl Layer {
    /// From weights by output and input, and biases.
    #[cfg(feature = "fit")]
    pub fn new(inputs: usize, weights: &[Vec<f32>], bias: &[f32]) -> Self {
        let blocks = bias.len().div_ceil(LANES);
        let at = |block: usize, lane: usize| block * LANES + lane;
        let weight = |output: usize, input: usize| {
            let row = weights.get(output).and_then(|row| row.get(input));
            row.copied().unwrap_or_default()
        };
        Self {
            inputs: inputs as u32,
            weights: (0..blocks)
                .flat_map(|block| {
                    (0..inputs).map(move |input| {
                        std::array::from_fn(|lane| weight(at(block, lane), input))
                    })
                })
                .collect(),
            bias: (0..blocks)
                .map(|block| {
                    std::array::from_fn(|lane| bias.get(at(block, lane)).copied().unwrap_or(0.0))
                })
                .collect(),
        }
    }

    /// Whether the lengths fit each other.
    fn is_whole(&self) -> bool {
        self.inputs > 0 && self.weights.len() == self.inputs as usize * self.bias.len()
    }

    /// `inputs` holds a row for each input, `outputs` one for each output, of all cells of a batch.
    #[inline(always)]
    fn apply(&self, inputs: &[[f32; BATCH]], outputs: &mut Vec<[f32; BATCH]>, activate: bool) {
        outputs.clear();
        let blocks = self.weights.chunks_exact((self.inputs as usize).max(1));
        for (weights, bias) in blocks.zip(&self.bias) {
            let mut sums = [*bias; BATCH];
            for (weights, inputs) in weights.iter().zip(inputs) {
                for (sums, input) in sums.iter_mut().zip(inputs) {
                    for (sum, weight) in sums.iter_mut().zip(weights) {
                        *sum += input * weight;
                    }
                }
            }
            if activate {
                for sum in sums.as_flattened_mut() {
                    *sum = hard_swish(*sum);
                }
            }
            let [a, b, c, d] = sums;
            outputs.extend(
                a.into_iter()
                    .zip(b)
                    .zip(c)
                    .zip(d)
                    .map(|(((a, b), c), d)| [a, b, c, d]),
            );
        }
    }
}

/// 0 below -3, x above 3, a parabola between.
#[inline(always)]
fn hard_swish(x: f32) -> f32 {
    x * (x / 6.0 + 0.5).clamp(0.0, 1.0)
}

/// A network over standardised features.
#[derive(Debug, Clone, Default, Archive, Serialize, Deserialize)]
pub(super) struct Network {
    pub layers: Vec<Layer>,
    /// How many outputs mean something.
    pub outputs: u32,
}

impl Network {
    /// Whether the layers fit each other and the features.
    pub fn is_whole(&self) -> bool {
        let mut width = FEATURES;
        self.layers.iter().all(|layer| {
            let fits = layer.is_whole() && layer.inputs as usize == width;
            width = layer.bias.len() * LANES;
            fits
        }) && (1..=width).contains(&(self.outputs as usize))
            && !self.layers.is_empty()
    }

    /// The outputs for a batch of cells, into `outputs`.
    #[inline(always)]
    pub fn apply(
        &self,
        features: &[[f32; BATCH]],
        scratch: &mut Vec<[f32; BATCH]>,
        outputs: &mut Vec<[f32; BATCH]>,
    ) {
        let last = self.layers.len().saturating_sub(1);
        for (number, layer) in self.layers.iter().enumerate() {
            if number == 0 {
                layer.apply(features, outputs, number < last);
            } else {
                std::mem::swap(scratch, outputs);
                layer.apply(scratch, outputs, number < last);
            }
        }
    }
}

/// Means and reciprocals of standard deviations of the features.
#[derive(Debug, Clone, Default, Archive, Serialize, Deserialize)]
pub(super) struct Standard {
    pub means: Vec<f32>,
    /// 0 for features that do not vary.
    pub scales: Vec<f32>,
}

impl Standard {
    pub fn is_whole(&self) -> bool {
        self.means.len() == FEATURES && self.scales.len() == FEATURES
    }

    /// The features of a cell, standardised, into a column of a batch.
    #[inline(always)]
    pub fn apply(
        &self,
        features: &[f32; FEATURES],
        batch: &mut [[f32; BATCH]; FEATURES],
        cell: usize,
    ) {
        let standard = self.means.iter().zip(&self.scales);
        for ((row, value), (mean, scale)) in batch.iter_mut().zip(features).zip(standard) {
            if let Some(slot) = row.get_mut(cell) {
                *slot = ((value - mean) * scale).clamp(-FARTHEST, FARTHEST);
            }
        }
    }
}

/// Runs a closure with the widest vectors that the processor has.
#[inline(always)]
pub(super) fn widest<R>(work: impl FnOnce() -> R) -> R {
    #[cfg(target_arch = "x86_64")]
    {
        if let Some(simd) = pulp::x86::V4::try_new() {
            return simd.vectorize(work);
        }
        if let Some(simd) = pulp::x86::V3::try_new() {
            return simd.vectorize(work);
        }
    }
    work()
}

//! A small neural network: layers of sums of products, with a piecewise quadratic activation between them.
//!
//! Every sum is taken in one order and every product is fused into it, whatever the processor: the same weights give the
//! same bits everywhere. (Where a processor cannot fuse, which x86 does since 2013, that is slow.)
// Fixed arrays are indexed by numbers of lanes and of cells in a batch.
#![allow(clippy::indexing_slicing)]

use rkyv::{Archive, Deserialize, Serialize};

use super::features::FEATURES;

/// Outputs of a layer that are computed together.
pub(super) const LANES: usize = 16;
/// Cells that are computed together.
pub(super) const BATCH: usize = 8;
/// Values that a layer takes or gives at most.
pub(super) const WIDTH: usize = FEATURES.next_multiple_of(LANES);
/// What a layer takes or gives, for each cell of a batch.
pub(super) type Rows = [[f32; WIDTH]; BATCH];

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

    /// Whether the lengths fit each other, and every value is a number.
    fn is_whole(&self) -> bool {
        let mut values = self.weights.iter().chain(&self.bias).flatten();
        self.inputs > 0
            && self.weights.len() == self.inputs as usize * self.bias.len()
            && values.all(|value| value.is_finite())
    }

    #[inline(always)]
    fn apply(&self, inputs: &Rows, outputs: &mut Rows, activate: bool) {
        let count = self.inputs as usize;
        let [i, j, k, l, m, n, o, p] = inputs.each_ref().map(|row| &row[..count.min(WIDTH)]);
        let blocks = self.weights.chunks_exact(count.max(1));
        for (block, (weights, bias)) in blocks.zip(&self.bias).enumerate() {
            // One array for each cell, so that each stays in registers.
            let [mut a, mut b, mut c, mut d, mut e, mut f, mut g, mut h] = [*bias; BATCH];
            for (at, weights) in weights.iter().enumerate().take(i.len()) {
                add(&mut a, weights, i[at]);
                add(&mut b, weights, j[at]);
                add(&mut c, weights, k[at]);
                add(&mut d, weights, l[at]);
                add(&mut e, weights, m[at]);
                add(&mut f, weights, n[at]);
                add(&mut g, weights, o[at]);
                add(&mut h, weights, p[at]);
            }
            for (row, mut sums) in outputs.iter_mut().zip([a, b, c, d, e, f, g, h]) {
                if activate {
                    sums = sums.map(hard_swish);
                }
                if let Some(slot) = row.get_mut(block * LANES..(block + 1) * LANES) {
                    slot.copy_from_slice(&sums);
                }
            }
        }
    }
}

#[inline(always)]
fn add(sums: &mut [f32; LANES], weights: &[f32; LANES], by: f32) {
    for (sum, weight) in sums.iter_mut().zip(weights) {
        *sum = weight.mul_add(by, *sum);
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
            fits && width <= WIDTH
        }) && (1..=width).contains(&(self.outputs as usize))
            && !self.layers.is_empty()
    }

    /// The outputs for a batch of cells.
    #[inline(always)]
    pub fn apply(&self, features: &Rows) -> Rows {
        let (mut values, mut next) = (*features, [[0.0; WIDTH]; BATCH]);
        let last = self.layers.len().saturating_sub(1);
        for (number, layer) in self.layers.iter().enumerate() {
            layer.apply(&values, &mut next, number < last);
            std::mem::swap(&mut values, &mut next);
        }
        values
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
    /// Whether there is one of each for every feature, and every value is a number.
    pub fn is_whole(&self) -> bool {
        let mut values = self.means.iter().chain(&self.scales);
        self.means.len() == FEATURES
            && self.scales.len() == FEATURES
            && values.all(|value| value.is_finite())
    }

    /// The features of a cell, standardised.
    #[inline(always)]
    pub fn apply(&self, features: &[f32; FEATURES], row: &mut [f32; WIDTH]) {
        let standard = self.means.iter().zip(&self.scales);
        for ((slot, value), (mean, scale)) in row.iter_mut().zip(features).zip(standard) {
            *slot = ((value - mean) * scale).clamp(-FARTHEST, FARTHEST);
        }
    }
}

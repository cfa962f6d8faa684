//! Reducing the trials of a row to one value.

use crate::cell::CellHash;

/// How the repeats of a cell at a budget become one value.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
#[non_exhaustive]
pub enum Repeats {
    /// The mean of the repeats that report the metric.
    #[default]
    Mean,
    /// The repeat with this number, from 1; missing where a cell has no such repeat.
    Given(u32),
    /// The least value of each metric.
    Min,
    /// The greatest value of each metric.
    Max,
    /// One repeat per cell, drawn evenly from those that it has: the same for every metric, and the same whenever the seed
    /// is. NAS-Bench-101's own queries draw like this, to show an algorithm the noise of training.
    Draw {
        /// The seed.
        seed: u64,
    },
}

/// One value per row: the mean over the row's values that are no NaN; NaN where there is none.
pub(crate) fn means(starts: &[u32], values: &[f64]) -> Vec<f64> {
    per_row(starts, values, mean)
}

/// One value per row by a rule over the values of its trials.
pub(crate) fn per_row(starts: &[u32], values: &[f64], rule: impl Fn(&[f64]) -> f64) -> Vec<f64> {
    starts
        .windows(2)
        .map(|pair| {
            let row = match *pair {
                [start, end] => values.get(start as usize..end as usize),
                _ => None,
            };
            rule(row.unwrap_or_default())
        })
        .collect()
}

/// Whether one of the values is a number.
pub(crate) fn has_value(values: &[f64]) -> bool {
    values.iter().any(|value| !value.is_nan())
}

/// The mean of the values that are no NaN; NaN where there is none, or infinities of both signs.
pub(crate) fn mean(values: &[f64]) -> f64 {
    let reported = || values.iter().copied().filter(|value| !value.is_nan());
    let count = reported().count() as f64;
    let sum: f64 = reported().fold(0.0, |sum, value| sum + value);
    let mean = if sum.is_finite() {
        sum / count
    } else {
        // A sum of finite values may be beyond what a number can be; their mean is not.
        let scaled: f64 = reported().map(|value| value * SCALE).sum();
        let mean = scaled / count / SCALE;
        mean.clamp(extreme(values, f64::min), extreme(values, f64::max))
    };
    // The bits of a NaN that arithmetic gives depend on the machine.
    if mean.is_nan() { f64::NAN } else { mean }
}

/// 2^-64: more values than a row can have, so scaled, have a sum.
const SCALE: f64 = 1.0 / (1_u128 << 64) as f64;

/// The extreme of the values that are no NaN, by `f64::min` or `f64::max`, which pass over NaN.
pub(crate) fn extreme(values: &[f64], pick: fn(f64, f64) -> f64) -> f64 {
    values.iter().copied().fold(f64::NAN, pick)
}

/// Which of `count` repeats a seed draws for a cell.
pub(crate) fn draw(seed: u64, hash: CellHash, count: usize) -> usize {
    let [low, high] = bytemuck::cast::<[u8; 16], [u64; 2]>(hash.to_bytes()).map(u64::from_le);
    // Two rounds of SplitMix64's finaliser over seed and key: even, and the same on every machine.
    let mixed = mix(mix(seed ^ low) ^ high);
    ((u128::from(mixed) * count as u128) >> 64) as usize
}

const fn mix(mut x: u64) -> u64 {
    x = x.wrapping_add(0x9E37_79B9_7F4A_7C15);
    x = (x ^ (x >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
    x = (x ^ (x >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
    x ^ (x >> 31)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn a_mean_lies_between_its_values_however_large() {
        let (large, most) = (1.7e308, f64::MAX);
        assert_eq!(mean(&[large, large]), large);
        assert_eq!(mean(&[-large, -large, f64::NAN]), -large);
        assert_eq!(mean(&[most; 1000]), most);
        assert_eq!(mean(&[most, most, -most, -most]), 0.0);
        assert_eq!(mean(&[most, most, 0.0, 0.0]), most / 2.0);
        assert_eq!(mean(&[f64::INFINITY, most, most]), f64::INFINITY);
        assert!(mean(&[f64::INFINITY, f64::NEG_INFINITY]).is_nan());
        assert!(mean(&[]).is_nan() && mean(&[f64::NAN]).is_nan());
    }

    proptest! {
        #[test]
        fn the_mean_of_ordinary_values_is_their_sum_over_their_count(
            values in prop::collection::vec(prop_oneof![-1e300..1e300, 0.0..1.0, Just(f64::NAN)], 0..20),
        ) {
            let (mut sum, mut count) = (0.0_f64, 0.0);
            for value in values.iter().copied().filter(|value: &f64| !value.is_nan()) {
                sum += value;
                count += 1.0;
            }
            let expected = if count == 0.0 { f64::NAN } else { sum / count };
            prop_assert_eq!(mean(&values).to_bits(), expected.to_bits());
        }
    }
}

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

pub(crate) fn mean(values: &[f64]) -> f64 {
    let (sum, count) = values
        .iter()
        .filter(|value| !value.is_nan())
        .fold((0.0, 0_u32), |(sum, count), value| (sum + value, count + 1));
    if count == 0 {
        f64::NAN
    } else {
        sum / f64::from(count)
    }
}

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

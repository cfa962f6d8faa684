//! Drawing without putting back.

use std::collections::BTreeSet;

use crate::random::SplitMix;

/// Up to `k` distinct numbers below `count`, ascending, every set of them with the same chance (Floyd's algorithm; Bentley
/// and Floyd 1987). They depend on the seed alone, on every machine.
///
/// # Complexity
/// O(k log k).
pub(super) fn distinct(count: usize, k: usize, seed: u64) -> Vec<usize> {
    if k >= count {
        return (0..count).collect();
    }
    let mut random = SplitMix(seed);
    let mut drawn = BTreeSet::new();
    for last in count - k..count {
        let number = random.below(last as u64 + 1) as usize;
        if !drawn.insert(number) {
            drawn.insert(last);
        }
    }
    drawn.into_iter().collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_number_has_the_same_chance() {
        let mut drawn = [0_u32; 10];
        for seed in 0..20_000 {
            let numbers = distinct(10, 3, seed);
            assert_eq!(numbers.len(), 3);
            assert!(numbers.is_sorted_by(|a, b| a < b));
            for number in numbers {
                drawn[number] += 1;
            }
        }
        // 6,000 expected, standard deviation 65.
        assert!(
            drawn.iter().all(|count| count.abs_diff(6_000) < 400),
            "{drawn:?}"
        );
        assert_eq!(distinct(3, 7, 1), [0, 1, 2]);
        assert_eq!(distinct(0, 7, 1), [0_usize; 0]);
    }
}

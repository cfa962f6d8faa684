//! Counting in two dimensions: sums over coarse cells, and a look at what a box cuts.
//!
//! The orders of x and y are cut into runs of about √n rows each. The grid holds, for every two ends of runs, how many rows
//! lie before both (a summed-area table: Crow 1984): four of these sums count a box of whole runs. What is left of any other
//! box are four strips, shorter than a run, whose rows stand together in the order of x or of y: they are looked at, 32 or
//! 64 at once. All reads are independent of each other, and few: that is what counts when caches are cold.

use std::ops::Range;

/// A stretch of a column's order: whole codes, about √n rows.
#[derive(Debug, Clone, Copy, PartialEq, Eq, bytemuck::Pod, bytemuck::Zeroable)]
#[repr(C)]
pub(super) struct Run {
    /// The place in the order where it begins.
    pub place: u32,
    /// Its first code, counted from 0.
    pub code: u16,
    /// 1 where each of its codes stands for a single value, else 0.
    pub is_single: u16,
}

/// Cuts an order into runs, with the least value of each, given the least value of each code, the place where each begins,
/// with the end, and the value at a place.
pub(super) fn runs(
    edges: &[f64],
    starts: &[u32],
    value_at: impl Fn(u32) -> Option<f64>,
) -> (Vec<Run>, Vec<f64>) {
    let rows = starts.last().copied().unwrap_or_default();
    let most = 1 << rows.max(1).isqrt().ilog2();
    let least_rows = rows.div_ceil(most);
    let mut runs: Vec<Run> = Vec::new();
    let mut least_values = Vec::new();
    for ((code, &least), places) in edges.iter().enumerate().zip(starts.windows(2)) {
        let &[place, end] = places else { continue };
        let is_full = |run: &Run| place.saturating_sub(run.place) >= least_rows;
        if runs.last().is_none_or(is_full) {
            let (code, is_single) = (code as u16, 1);
            runs.push(Run {
                place,
                code,
                is_single,
            });
            least_values.push(least);
        }
        let greatest = end.checked_sub(1).and_then(&value_at);
        if let Some(run) = runs.last_mut() {
            run.is_single &= u16::from(greatest == Some(least));
        }
    }
    (runs, least_values)
}

/// Where a bound cuts an order.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(super) struct Cut {
    /// How many runs begin before it.
    pub runs: usize,
    /// How many places lie before it.
    pub place: u32,
}

/// The end of runs that is nearest to a cut.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Corner {
    /// How many runs end there.
    pub runs: usize,
    /// The place.
    pub place: u32,
}

impl Corner {
    /// In an order of so many places.
    pub fn nearest(runs: &[Run], places: u32, cut: Cut) -> Self {
        let place = cut.place;
        let place_of = |run: usize| runs.get(run).map_or(places, |run| run.place);
        let before = cut.runs.saturating_sub(1);
        let (behind, ahead) = (place_of(before), place_of(cut.runs));
        if place.abs_diff(behind) <= ahead.abs_diff(place) {
            let (runs, place) = (before, behind);
            Self { runs, place }
        } else {
            let (runs, place) = (cut.runs, ahead);
            Self { runs, place }
        }
    }

    /// Adds, to what a box of whole runs holds at this upper end, the rows between the end and a place; takes them off where
    /// the end lies behind it.
    pub fn correct(self, place: u32, count: impl Fn(Range<u32>) -> u32) -> u32 {
        if self.place <= place {
            count(self.place..place)
        } else {
            count(place..self.place).wrapping_neg()
        }
    }
}

/// How many rows lie before each two ends of runs.
#[derive(Debug, Clone, Copy)]
pub(super) struct Grid<'a> {
    /// For each run of x, one for each run of y: how many rows lie up to the ends of both.
    sums: &'a [u32],
    width: usize,
}

impl<'a> Grid<'a> {
    /// Over the sums that [`build`] made; `None` where there are not as many as there must be.
    pub fn new(sums: &'a [u32], x_runs: usize, y_runs: usize) -> Option<Self> {
        let fits = x_runs.checked_mul(y_runs) == Some(sums.len());
        fits.then_some(Self {
            sums,
            width: y_runs,
        })
    }

    fn up_to(&self, x: usize, y: usize) -> u32 {
        let (Some(x), Some(y)) = (x.checked_sub(1), y.checked_sub(1)) else {
            return 0;
        };
        let sum = self.sums.get(x * self.width + y);
        sum.copied().unwrap_or_default()
    }

    /// How many rows lie in a box of whole runs.
    pub fn count(&self, x: [Corner; 2], y: [Corner; 2]) -> u32 {
        let [x_start, x_end] = x.map(|corner| corner.runs);
        let [y_start, y_end] = y.map(|corner| corner.runs);
        let before = |y| self.up_to(x_end, y).wrapping_sub(self.up_to(x_start, y));
        before(y_end).wrapping_sub(before(y_start))
    }
}

/// Builds the sums, given the codes of y (from 1, 0 where missing) in the order of x.
///
/// # Complexity
/// O(n).
pub(super) fn build(x: &[Run], y: &[Run], codes: &[u16]) -> Vec<u32> {
    let width = y.len();
    let codes_of_y = codes.iter().copied().max().unwrap_or_default();
    // The run of each code; one more than there are where it is none.
    let run_of: Vec<usize> = (0..=codes_of_y)
        .map(|code| match code.checked_sub(1) {
            Some(code) => y.partition_point(|run| run.code <= code).wrapping_sub(1),
            None => width,
        })
        .collect();
    let mut sums = vec![0_u32; x.len() * width];
    let mut before = vec![0_u32; width];
    for (number, (run, sums)) in x.iter().zip(sums.chunks_mut(width.max(1))).enumerate() {
        let end = x
            .get(number + 1)
            .map_or(codes.len(), |next| next.place as usize);
        let codes = codes.get(run.place as usize..end).unwrap_or_default();
        let mut own = vec![0_u32; width];
        for &code in codes {
            let run = run_of.get(usize::from(code));
            if let Some(count) = run.and_then(|&run| own.get_mut(run)) {
                *count += 1;
            }
        }
        let mut rows = 0;
        for ((sum, before), own) in sums.iter_mut().zip(&mut before).zip(own) {
            rows += own;
            *before += rows;
            *sum = *before;
        }
    }
    sums
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn corners_count_whole_runs(
            codes in prop::collection::vec(0..40_u16, 0..900),
        ) {
            // Places of x are codes of their own.
            let places: Vec<u32> = (0..=codes.len() as u32).collect();
            let (x, _) = runs(&vec![0.0; codes.len()], &places, |_| None);
            let mut sorted: Vec<u16> = codes.iter().copied().filter(|&code| code > 0).collect();
            sorted.sort_unstable();
            let starts: Vec<u32> = (1..=41_u16)
                .map(|code| sorted.partition_point(|&own| own < code) as u32)
                .collect();
            let (y, _) = runs(&[0.0; 40], &starts, |_| None);
            let sums = build(&x, &y, &codes);
            let grid = Grid::new(&sums, x.len(), y.len()).unwrap();
            let end = |runs: &[Run], number: usize, all: usize| {
                let place = runs.get(number).map_or(all as u32, |run| run.place);
                Corner { runs: number, place }
            };
            for i in 0..=x.len() {
                for j in 0..=y.len() {
                    let (a, b) = (end(&x, i, codes.len()), end(&y, j, sorted.len()));
                    let least = y.get(j).map_or(41, |run| run.code + 1);
                    let before = codes[..a.place as usize].iter();
                    let expected = before.filter(|&&code| code > 0 && code < least).count();
                    let start = Corner { runs: 0, place: 0 };
                    prop_assert_eq!(grid.count([start, a], [start, b]) as usize, expected);
                }
            }
        }

        #[test]
        fn the_nearest_end_of_runs_is_found(
            lengths in prop::collection::vec(1..9_u32, 0..12),
            place in 0..100_u32,
        ) {
            let mut ends = vec![0];
            ends.extend(lengths.iter().scan(0, |end, len| { *end += len; Some(*end) }));
            let places = ends.last().copied().unwrap_or_default();
            let place = place.min(places);
            let runs: Vec<Run> = ends.iter().take(lengths.len())
                .map(|&place| Run { place, code: 0, is_single: 1 })
                .collect();
            let begun = runs.partition_point(|run| run.place <= place);
            let found = Corner::nearest(&runs, places, Cut { runs: begun, place });
            prop_assert_eq!(Some(&found.place), ends.get(found.runs));
            let least = ends.iter().map(|end| end.abs_diff(place)).min();
            prop_assert_eq!(Some(found.place.abs_diff(place)), least);
        }
    }
}

//! What recipes are asked for.

use std::borrow::Cow;

use super::RecipeError;
use crate::carbon::Site;
use crate::cell::CellHash;
use crate::index::Interval;
use crate::metrics::Metric;
use crate::query::{Direction, Objective, Scale};

#[cfg(doc)]
use crate::snapshot::View;

/// What to ask for: cells that cost less energy than a reference and are as good, but for a tolerated loss.
#[derive(Debug, Clone, PartialEq)]
#[non_exhaustive]
pub struct RecipeQuery {
    /// What to compare with.
    pub reference: Reference,
    /// Which accuracy counts.
    pub accuracy: Metric,
    /// How much of it may be lost.
    pub tolerated_loss: Loss,
    /// Further metrics of which no more may be lost than this.
    pub tolerances: Vec<Tolerance>,
    /// How many edits may lead from the reference cell to a recipe. Cells that are known by their hash alone are left out.
    pub most_edits: Option<usize>,
    /// Whether recipes must hold, and are given, at the [worse end](crate::snapshot::View::worse_end) of their estimates'
    /// intervals: more energy, less accuracy. The reference is taken as it is.
    pub cautious: bool,
    /// Which values are compared where those of trials and those that are estimates are on
    /// [two scales](View::two_scales). Unless it is said, such a table is refused.
    pub scale: Option<Scale>,
    /// Where the energy is used, for the CO2 equivalents.
    pub site: Site,
}

impl Default for RecipeQuery {
    /// Reference: the most accurate cell. Tolerated loss: 0.01 of validation accuracy. World's average grid.
    fn default() -> Self {
        Self {
            reference: Reference::MostAccurate,
            accuracy: Metric::ValidationAccuracy,
            tolerated_loss: Loss::Absolute(0.01),
            tolerances: Vec::new(),
            most_edits: None,
            cautious: false,
            scale: None,
            site: Site::default(),
        }
    }
}

/// What recipes are compared with.
#[derive(Debug, Clone, PartialEq, Default)]
#[non_exhaustive]
pub enum Reference {
    /// The most accurate cell of the view, of several the cheapest.
    #[default]
    MostAccurate,
    /// A cell.
    Cell(CellHash),
    /// Values that need not be those of a cell: energy, the accuracy that counts, and each metric with a tolerance of its
    /// own. They are the same in all views that are asked together.
    Point(Vec<(Cow<'static, str>, f64)>),
}

/// How much may be lost.
///
/// A loss of just what is tolerated counts as tolerated, as it is written in decimals: 0.9332 is 0.01 less than 0.9432, although
/// the binary numbers nearest to them differ by a little more. For that, the bound on values is moved by 2^-50 (about 10^-15)
/// of reference and loss, which is more than rounding can be off, and less than a unit of the 14th digit. Where no loss is
/// tolerated, values are compared as they are.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Loss {
    /// In the metric's own unit: 0.01 of an accuracy is one percentage point.
    Absolute(f64),
    /// As a fraction of the reference's value: 0.01 is 1 % of it.
    Relative(f64),
}

/// What rounding can make of a bound, as a part of the numbers that it is computed from. Value, reference and loss are each
/// off by up to 2^-53, and so are product and sum: less than 2^-50 of reference and loss in all.
const ROUNDING: f64 = 1.0 / (1_u64 << 50) as f64;

impl Loss {
    fn number(self) -> f64 {
        match self {
            Self::Absolute(loss) | Self::Relative(loss) => loss,
        }
    }

    pub(super) fn check(self) -> Result<(), RecipeError> {
        let found = self.number();
        if found.is_nan() || found < 0.0 {
            return Err(RecipeError::ToleratedLoss { found });
        }
        Ok(())
    }

    /// The values that are no worse than a reference's but for the loss.
    pub(super) fn leaves(self, reference: f64, direction: Direction) -> Interval {
        let loss = match self {
            Self::Absolute(loss) => loss,
            // No loss at all, be the reference infinite.
            Self::Relative(0.0) => 0.0,
            Self::Relative(loss) => loss * reference.abs(),
        };
        let worse = match direction {
            Direction::Minimize => 1.0,
            Direction::Maximize => -1.0,
        };
        let bound = reference + worse * loss;
        let rounding = ROUNDING * reference.abs() + ROUNDING * loss;
        let rounded = bound + worse * rounding;
        // No finite loss leads to an infinity.
        let bound = if loss > 0.0 && rounded.is_finite() {
            rounded
        } else {
            bound
        };
        let interval = match direction {
            Direction::Minimize => Interval::new(..=bound),
            Direction::Maximize => Interval::new(bound..),
        };
        // Infinity less infinity: whatever is lost is tolerated.
        interval.unwrap_or(Interval::ALL)
    }
}

/// A metric and how much of it may be lost: for one of which less is better, how much more there may be.
#[derive(Debug, Clone, PartialEq)]
pub struct Tolerance {
    /// The metric and its direction.
    pub objective: Objective,
    /// How much may be lost.
    pub loss: Loss,
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The number that is nearest to `count` units of a decimal place.
    fn decimal(count: i64, places: usize) -> f64 {
        format!("{count}e-{places}").parse().unwrap()
    }

    /// Whether values are tolerated that lose what they may, but for so many units of a decimal place.
    fn tolerated(loss: Loss, lost: i64, places: usize, direction: Direction) -> Vec<bool> {
        let one = 10_i64.pow(places as u32);
        let step = one / 10_000;
        let of = |reference: i64| match loss {
            Loss::Absolute(_) => one / 100,
            Loss::Relative(_) => reference / 100,
        };
        let references = (1000..10_000).map(|number| number * step);
        let tolerated = |reference: i64| {
            let lost = of(reference) + lost;
            let value = match direction {
                Direction::Minimize => reference + lost,
                Direction::Maximize => reference - lost,
            };
            let bounds = loss.leaves(decimal(reference, places), direction);
            bounds.contains(decimal(value, places))
        };
        references.map(tolerated).collect()
    }

    #[test]
    fn what_is_lost_counts_as_written_in_decimals() {
        for loss in [Loss::Absolute(0.01), Loss::Relative(0.01)] {
            for direction in [Direction::Minimize, Direction::Maximize] {
                for places in [6, 10, 14] {
                    let ask = |lost| tolerated(loss, lost, places, direction);
                    assert!(ask(0).into_iter().all(|own| own), "{loss:?} {direction:?}");
                    assert!(ask(-1).into_iter().all(|own| own), "{loss:?} {direction:?}");
                    assert!(!ask(1).into_iter().any(|own| own), "{loss:?} {direction:?}");
                }
            }
        }
        // No loss is none.
        let none = Loss::Absolute(0.0).leaves(0.9, Direction::Maximize);
        assert!(none.contains(0.9) && !none.contains(0.9_f64.next_down()));
    }

    #[test]
    fn infinite_references_and_losses_have_bounds() {
        let (most, infinite) = (f64::MAX, f64::INFINITY);
        let leaves = |reference, loss| Loss::Absolute(loss).leaves(reference, Direction::Maximize);
        assert!(leaves(infinite, 1.0).contains(infinite) && !leaves(infinite, 1.0).contains(most));
        assert!(leaves(most, infinite).contains(-infinite));
        assert!(leaves(infinite, infinite).contains(-infinite));
        assert!(leaves(-most, most).contains(-infinite));
        assert!(leaves(most, most).contains(0.0));
    }
}

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
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Loss {
    /// In the metric's own unit: 0.01 of an accuracy is one percentage point.
    Absolute(f64),
    /// As a fraction of the reference's value: 0.01 is 1 % of it.
    Relative(f64),
}

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
        let interval = match direction {
            Direction::Minimize => Interval::new(..=reference + loss),
            Direction::Maximize => Interval::new(reference - loss..),
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

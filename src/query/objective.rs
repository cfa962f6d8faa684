use std::borrow::Cow;

use crate::metrics::{Metric, high_column, low_column};

/// Which way a metric is better, or which end of it comes first.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
#[cfg_attr(feature = "serde", serde(rename_all = "lowercase"))]
pub enum Direction {
    /// Less is better; ascending.
    Minimize,
    /// More is better; descending.
    Maximize,
}

impl Direction {
    /// The value as something to minimise.
    pub(super) fn cost(self, value: f64) -> f64 {
        match self {
            Self::Minimize => value,
            Self::Maximize => -value,
        }
    }
}

/// A metric and the direction in which it is better.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
pub struct Objective {
    /// The column's name.
    pub column: Cow<'static, str>,
    /// Which way is better.
    pub direction: Direction,
}

impl Objective {
    /// The column with the worse end of the metric's intervals: [`high_column`] where less is better, [`low_column`] where
    /// more is.
    #[must_use]
    pub fn worse_column(&self) -> String {
        match self.direction {
            Direction::Minimize => high_column(&self.column),
            Direction::Maximize => low_column(&self.column),
        }
    }

    /// Less energy is better: the first of the usual pair.
    pub const ENERGY: Self = Self::minimize(Metric::Energy);
    /// More validation accuracy is better: the second of the usual pair.
    pub const VALIDATION_ACCURACY: Self = Self::maximize(Metric::ValidationAccuracy);

    /// Less of a metric is better.
    #[must_use]
    pub const fn minimize(metric: Metric) -> Self {
        Self {
            column: Cow::Borrowed(metric.name()),
            direction: Direction::Minimize,
        }
    }

    /// More of a metric is better.
    #[must_use]
    pub const fn maximize(metric: Metric) -> Self {
        Self {
            column: Cow::Borrowed(metric.name()),
            direction: Direction::Maximize,
        }
    }
}

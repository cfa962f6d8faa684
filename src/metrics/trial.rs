use std::fmt;

use super::{Budget, Metric};
use crate::cell::{Cell, CellHash};
use crate::short::Short;

/// A set of metric values, at most one per metric: compact, and without a stand-in for "missing".
///
/// ```
/// use ecnas::metrics::{Metric, Values};
/// let values: Values = [(Metric::Energy, 0.119), (Metric::TestAccuracy, 0.91)].into_iter().collect();
/// assert_eq!(values.get(Metric::Energy), Some(0.119));
/// assert_eq!(values.get(Metric::Co2e), None);
/// ```
#[derive(Clone, PartialEq, Default)]
pub struct Values {
    /// Bit `m` is set where the metric with code `m` has a value.
    pub(super) present: u32,
    /// The values, in the order of the metrics' codes.
    pub(super) values: Vec<f64>,
}

impl Values {
    /// No values.
    #[must_use]
    pub const fn new() -> Self {
        Self {
            present: 0,
            values: Vec::new(),
        }
    }

    /// The metric's value, if it has one. A stored NaN is returned as it is.
    #[must_use]
    pub fn get(&self, metric: Metric) -> Option<f64> {
        let index = position(self.present, metric)?;
        self.values.get(index).copied()
    }

    /// Makes room for so many more values.
    pub fn reserve(&mut self, additional: usize) {
        self.values.reserve(additional);
    }

    /// Sets or replaces a value.
    pub fn set(&mut self, metric: Metric, value: f64) {
        let bit = 1u32 << metric as u32;
        let index = (self.present & (bit - 1)).count_ones() as usize;
        if self.present & bit == 0 {
            self.present |= bit;
            self.values.insert(index, value);
        } else if let Some(slot) = self.values.get_mut(index) {
            *slot = value;
        }
    }

    /// Sets a value where there is one.
    pub fn set_some(&mut self, metric: Metric, value: Option<f64>) {
        if let Some(value) = value {
            self.set(metric, value);
        }
    }

    /// The metrics that have a value, with it.
    pub fn iter(&self) -> impl Iterator<Item = (Metric, f64)> + '_ {
        Metric::ALL
            .into_iter()
            .filter_map(|metric| Some((metric, self.get(metric)?)))
    }

    /// Whether no metric has a value.
    #[must_use]
    pub const fn is_empty(&self) -> bool {
        self.present == 0
    }
}

impl FromIterator<(Metric, f64)> for Values {
    fn from_iter<I: IntoIterator<Item = (Metric, f64)>>(pairs: I) -> Self {
        let mut values = Self::new();
        for (metric, value) in pairs {
            values.set(metric, value);
        }
        values
    }
}

/// Where in a dense list the metric's value stands, given the bit mask of present metrics.
pub(super) fn position(present: u32, metric: Metric) -> Option<usize> {
    let bit = 1u32 << metric as u32;
    (present & bit != 0).then(|| (present & (bit - 1)).count_ones() as usize)
}

/// One evaluation of a network during its training.
#[derive(Debug, Clone, PartialEq, Default)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
pub struct Checkpoint {
    /// The values at this checkpoint.
    pub values: Values,
    /// When metering began, as the source wrote it.
    pub started: Option<String>,
    /// When metering ended, as the source wrote it.
    pub stopped: Option<String>,
}

/// What a device was, in a [`PowerUsage`].
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Component {
    /// A graphics processor.
    Gpu,
    /// A processor package.
    Cpu,
}

impl Component {
    /// `gpu` or `cpu`.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Gpu => "gpu",
            Self::Cpu => "cpu",
        }
    }
}

/// Average power and energy of one device over a trial. The factor for the power usage effectiveness is not in it.
#[derive(Debug, Clone, PartialEq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
pub struct PowerUsage {
    /// What the device is.
    pub component: Component,
    /// Its name, as the source wrote it.
    pub device: Option<String>,
    /// Average power, in W.
    pub power_w: Option<f64>,
    /// Energy, in J.
    pub energy_j: Option<f64>,
}

/// One training run of one cell at one budget.
#[derive(Clone, PartialEq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
pub struct Trial {
    /// The cell's NAS-Bench-101 hash: the key of everything.
    pub hash: CellHash,
    /// The cell as the source draws it; where the source has the hash alone, as the search space does; absent where that
    /// does not hold it.
    pub cell: Option<Cell>,
    /// The training budget.
    pub budget: Budget,
    /// The repeat, from 1.
    pub repeat: u32,
    /// Values of the whole run.
    pub totals: Values,
    /// The checkpoints, in the source's order. The last one is the trial's result.
    pub checkpoints: Vec<Checkpoint>,
    /// Power per device.
    pub power: Vec<PowerUsage>,
    /// When the run began, as the source wrote it.
    pub started: Option<String>,
    /// When the run ended, as the source wrote it.
    pub stopped: Option<String>,
    /// Named values that are no [`Metric`]: a user's own columns. The name carries the unit, and is none of the
    /// [reserved](super::is_reserved_name) ones.
    #[cfg_attr(feature = "serde", serde(with = "super::serde::named"))]
    pub other: Vec<(String, f64)>,
    /// Fields that the importer does not know, as (path, text): kept, not interpreted.
    pub unrecognised: Vec<(String, String)>,
    /// The source's own bytes of this record, kept where the fields above do not suffice to write them again.
    pub verbatim: Option<Vec<u8>>,
}

impl Trial {
    /// A trial without values.
    #[must_use]
    pub fn new(hash: CellHash, budget: Budget, repeat: u32) -> Self {
        Self {
            hash,
            cell: None,
            budget,
            repeat,
            totals: Values::new(),
            checkpoints: Vec::new(),
            power: Vec::new(),
            started: None,
            stopped: None,
            other: Vec::new(),
            unrecognised: Vec::new(),
            verbatim: None,
        }
    }

    /// The trial's result in a metric: the value of the whole run, else that of the last checkpoint.
    #[must_use]
    pub fn result(&self, metric: Metric) -> Option<f64> {
        self.totals
            .get(metric)
            .or_else(|| self.checkpoints.last()?.values.get(metric))
    }
}

/// A map from metrics to values.
impl fmt::Debug for Values {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_map().entries(self.iter()).finish()
    }
}

/// All of it, long lists in short.
impl fmt::Debug for Trial {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Trial")
            .field("hash", &self.hash)
            .field("cell", &self.cell)
            .field("budget", &self.budget)
            .field("repeat", &self.repeat)
            .field("totals", &self.totals)
            .field("checkpoints", &Short(&self.checkpoints))
            .field("power", &Short(&self.power))
            .field("started", &self.started)
            .field("stopped", &self.stopped)
            .field("other", &Short(&self.other))
            .field("unrecognised", &Short(&self.unrecognised))
            .field("verbatim", &self.verbatim.as_deref().map(Short))
            .finish()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn values_keep_the_order_of_the_codes() {
        let mut values = Values::new();
        values.set(Metric::TestAccuracy, 3.0);
        values.set(Metric::Energy, 1.0);
        values.set(Metric::Epoch, 4.0);
        values.set(Metric::Co2e, 2.0);
        values.set(Metric::Energy, 1.5);
        let all: Vec<_> = values.iter().collect();
        assert_eq!(
            all,
            [
                (Metric::Energy, 1.5),
                (Metric::Co2e, 2.0),
                (Metric::TestAccuracy, 3.0),
                (Metric::Epoch, 4.0)
            ]
        );
        assert_eq!(values.get(Metric::Macs), None);
    }
}

//! From the surrogate's GPU to a user's own.

use super::{Estimate, Prediction, Surrogate, SurrogateError};
use crate::cell::Cell;
use crate::metrics::Budget;

/// What the difference between two devices may depend on.
const TERMS: usize = 3;
/// Cells that a device takes at least.
const LEAST: usize = 8;
/// How strongly the difference may be drawn towards a constant factor, from hardly to entirely: the one by which cells that
/// are left out are predicted best. In cells whose terms have a spread of a tenth of a natural logarithm.
const RIDGES: [f64; 5] = [1.0, 10.0, 100.0, 1000.0, f64::INFINITY];

/// Energy on a user's own device, learned from a few dozen cells that were measured there.
///
/// The logarithm of the energy is that of the surrogate's, plus a constant, plus terms in the surrogate's energy and its
/// times on a GPU and on a TPU, which are drawn towards zero (ridge regression), as strongly as predicts cells best that are
/// left out. Its interval is that of the cells it was
/// fitted to, each predicted by a fit to the others.
#[derive(Debug, Clone, PartialEq)]
pub struct Device {
    name: String,
    budget: Budget,
    factor: Factor,
    /// Logarithms of what is left, the quantiles that leave out 5 % at either end.
    low: f64,
    high: f64,
    mean_error: f64,
}

impl Device {
    /// Learns from cells that were measured on a device, all at one budget: each with its energy in kWh.
    ///
    /// ```
    /// use ecnas::{cell::enumerate, metrics::Budget, surrogate::{Device, Surrogate}};
    ///
    /// let surrogate = Surrogate::embedded();
    /// let budget = Budget::epochs(4)?;
    /// // A device that needs half as much, whatever the cell.
    /// let measured: Vec<_> = enumerate(7, 9).step_by(20_000).map(|cell| {
    ///     let energy = surrogate.predict(cell).at(budget).map(|at| at.energy_kwh.value / 2.0);
    ///     energy.map(|kwh| (cell, kwh))
    /// }).collect::<Result<_, _>>()?;
    /// let device = Device::fit(surrogate, "half", budget, &measured)?;
    /// let prediction = surrogate.predict(measured[3].0);
    /// let here = device.energy_kwh(&prediction, budget)?;
    /// assert!((here.value / measured[3].1 - 1.0).abs() < 1e-6);
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    ///
    /// # Errors
    /// Fewer than 8 cells, a budget that the surrogate does not know, or energies that are not positive numbers or are all
    /// of one cell.
    ///
    /// # Complexity
    /// O(n^2) for n cells: each is left out once, for each of five strengths.
    pub fn fit(
        surrogate: &Surrogate,
        name: impl Into<String>,
        budget: Budget,
        measured: &[(Cell, f64)],
    ) -> Result<Self, SurrogateError> {
        let name = name.into();
        let what = || format!("the device `{name}`");
        if measured.len() < LEAST {
            return Err(SurrogateError::TooFew {
                what: what(),
                least: LEAST,
                found: measured.len(),
            });
        }
        let cells: Vec<Cell> = measured.iter().map(|(cell, _)| *cell).collect();
        let mut rows = Vec::with_capacity(measured.len());
        for (prediction, &(cell, energy)) in surrogate.predict_all(&cells).iter().zip(measured) {
            if !(energy.is_finite() && energy > 0.0) {
                return Err(SurrogateError::Degenerate {
                    what: what(),
                    found: format!("an energy of {energy} kWh for cell {}", cell.hash()),
                });
            }
            let (terms, base) = terms(prediction, budget)?;
            rows.push((terms, energy.ln() - base));
        }
        if rows
            .iter()
            .all(|row| row.0 == rows.first().map_or([0.0; TERMS], |row| row.0))
        {
            return Err(SurrogateError::Degenerate {
                what: what(),
                found: "one cell alone, or cells that the surrogate cannot tell apart".to_owned(),
            });
        }
        let size = |left: &[f64]| left.iter().map(|left| left.abs()).sum::<f64>();
        let tried = RIDGES.map(|ridge| (ridge, left_out(&rows, ridge)));
        let best = tried
            .into_iter()
            .min_by(|a, b| size(&a.1).total_cmp(&size(&b.1)));
        let (ridge, mut left) = best.unwrap_or_default();
        let factor = Factor::fit(&rows, ridge);
        left.sort_by(f64::total_cmp);
        let mean_error =
            left.iter().map(|left| left.exp_m1().abs()).sum::<f64>() / left.len() as f64;
        // The quantiles of few values lie between them: rather too far out.
        let rank = ((left.len() + 1) as f64 * 0.05).floor() as usize;
        let end = rank.max(1) - 1;
        Ok(Self {
            name,
            budget,
            factor,
            low: left.get(end).copied().unwrap_or_default().min(0.0),
            high: left
                .iter()
                .rev()
                .nth(end)
                .copied()
                .unwrap_or_default()
                .max(0.0),
            mean_error,
        })
    }

    /// The device's name.
    #[must_use]
    pub fn name(&self) -> &str {
        &self.name
    }

    /// The budget of the measurements.
    #[must_use]
    pub const fn budget(&self) -> Budget {
        self.budget
    }

    /// The mean relative error of cells predicted by a fit to the others: 0.05 is 5 %.
    #[must_use]
    pub const fn mean_error(&self) -> f64 {
        self.mean_error
    }

    /// Energy on this device, in kWh: at a budget other than that of the measurements it grows as on the surrogate's GPU.
    ///
    /// # Errors
    /// The budget is none that the surrogate knows.
    pub fn energy_kwh(
        &self,
        prediction: &Prediction<'_>,
        budget: Budget,
    ) -> Result<Estimate, SurrogateError> {
        let (terms, base) = terms(prediction, self.budget)?;
        let there = prediction.at(budget)?.energy_kwh.value.ln() - base;
        let log = base + self.factor.at(&terms) + there;
        Ok(Estimate {
            value: log.exp(),
            low: (log + self.low).exp(),
            high: (log + self.high).exp(),
        })
    }
}

/// What the difference may depend on, and the logarithm of the surrogate's energy.
fn terms(
    prediction: &Prediction<'_>,
    budget: Budget,
) -> Result<([f64; TERMS], f64), SurrogateError> {
    let at = prediction.at(budget)?;
    let energy = at.energy_kwh.value.ln();
    let times = [at.training_time_s, at.tpu_training_time_s].map(|time| time.value.ln());
    let [time, tpu_time] = times;
    Ok(([energy, time - energy, tpu_time - energy], energy))
}

/// The terms of a cell, and by how much the logarithm of its energy differs from the surrogate's.
type Row = ([f64; TERMS], f64);

/// How far off each cell is, predicted by a fit to the others.
fn left_out(rows: &[Row], ridge: f64) -> Vec<f64> {
    let mut left = Vec::with_capacity(rows.len());
    for (number, (terms, difference)) in rows.iter().enumerate() {
        let mut others = rows.to_vec();
        others.swap_remove(number);
        left.push(difference - Factor::fit(&others, ridge).at(terms));
    }
    left
}

/// A constant, and a slope for each term about its mean.
#[derive(Debug, Clone, PartialEq)]
struct Factor {
    constant: f64,
    means: [f64; TERMS],
    slopes: [f64; TERMS],
}

impl Factor {
    fn fit(rows: &[Row], ridge: f64) -> Self {
        let count = rows.len() as f64;
        let mean = |of: &dyn Fn(&Row) -> f64| rows.iter().map(of).sum::<f64>() / count;
        let term = |row: &Row, k: usize| row.0.get(k).copied().unwrap_or_default();
        let means: [f64; TERMS] = std::array::from_fn(|k| mean(&|row| term(row, k)));
        let constant = mean(&|row| row.1);
        let centred =
            |row: &Row, k: usize| term(row, k) - means.get(k).copied().unwrap_or_default();
        if ridge.is_infinite() {
            return Self {
                constant,
                means,
                slopes: [0.0; TERMS],
            };
        }
        let ridge = ridge * 0.01;
        let mut system: [[f64; TERMS + 1]; TERMS] = [[0.0; TERMS + 1]; TERMS];
        for (k, equation) in system.iter_mut().enumerate() {
            for (l, slot) in equation.iter_mut().enumerate() {
                *slot = rows
                    .iter()
                    .map(|row| {
                        let right = if l < TERMS {
                            centred(row, l)
                        } else {
                            row.1 - constant
                        };
                        centred(row, k) * right
                    })
                    .sum::<f64>();
                if k == l {
                    *slot += ridge;
                }
            }
        }
        Self {
            constant,
            means,
            slopes: solve(system),
        }
    }

    fn at(&self, terms: &[f64; TERMS]) -> f64 {
        let parts = terms.iter().zip(&self.means).zip(&self.slopes);
        self.constant
            + parts
                .map(|((term, mean), slope)| (term - mean) * slope)
                .sum::<f64>()
    }
}

/// Solves a positive definite system, its right side in the last column.
fn solve(mut system: [[f64; TERMS + 1]; TERMS]) -> [f64; TERMS] {
    for pivot in 0..TERMS {
        let Some(row) = system.get(pivot).copied() else {
            continue;
        };
        let divisor = row.get(pivot).copied().unwrap_or(1.0);
        for (number, other) in system.iter_mut().enumerate() {
            let factor = other.get(pivot).copied().unwrap_or_default() / divisor;
            if number != pivot {
                for (slot, value) in other.iter_mut().zip(row) {
                    *slot -= factor * value;
                }
            }
        }
    }
    std::array::from_fn(|k| {
        let row = system.get(k).copied().unwrap_or_default();
        let divisor = row.get(k).copied().unwrap_or(1.0);
        row.last().copied().unwrap_or_default() / divisor
    })
}

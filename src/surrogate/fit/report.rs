//! How good a fitted surrogate is, on cells that were kept aside.

use std::collections::BTreeMap;
use std::fmt;

use super::{FitData, Sample};
use crate::metrics::Budget;
use crate::surrogate::model::{EPOCHS, TARGETS};
use crate::surrogate::{BudgetPrediction, Estimate, Surrogate};

/// Errors of one quantity over some cells.
#[derive(Debug, Clone, Copy, PartialEq)]
#[non_exhaustive]
pub struct Accuracy {
    /// Cells compared.
    pub cells: usize,
    /// Mean absolute error, in the quantity's unit.
    pub mean_absolute_error: f64,
    /// Mean of the relative error: 0.01 is 1 %.
    pub mean_relative_error: f64,
    /// Kendall's rank correlation (tau-b): 1 if the order is right.
    pub kendall_tau: f64,
    /// Share of the cells that lie within their interval.
    pub coverage: f64,
}

/// How good a surrogate is on the cells that were kept aside when it was fitted.
///
/// [`Display`](fmt::Display) writes it as Markdown, for the model card.
#[derive(Debug, Clone, PartialEq)]
#[non_exhaustive]
pub struct Report {
    /// Cells fitted to.
    pub fitted: usize,
    /// Cells kept aside.
    pub aside: usize,
    /// By quantity: its name with the unit, errors over all cells, and by number of vertices.
    pub quantities: Vec<(String, Accuracy, BTreeMap<usize, Accuracy>)>,
    /// Energy per epoch at 4, 12, 36 and 108 epochs over that at 4: median, and the ends of nine in ten.
    pub energy_growth: [[f64; 3]; 4],
    /// The same of the time.
    pub time_growth: [[f64; 3]; 4],
    /// How many ratios the growths were found from.
    pub growth_cells: [usize; 4],
}

/// What is compared: where the truth stands, and what is predicted.
type Quantity = (
    &'static str,
    usize,
    usize,
    fn(f64) -> f64,
    fn(&BudgetPrediction) -> Estimate,
);

const QUANTITIES: [Quantity; TARGETS] = [
    (
        "energy of 4 epochs, Wh",
        0,
        0,
        |wh| wh,
        |at| at.energy_kwh.map(|kwh| 1000.0 * kwh),
    ),
    (
        "time of 4 epochs on the RTX 6000, s",
        1,
        0,
        f64::exp,
        |at| at.training_time_s,
    ),
    ("time of 108 epochs on the TPU, s", 2, 3, f64::exp, |at| {
        at.tpu_training_time_s
    }),
    ("validation accuracy at 4 epochs", 3, 0, accuracy, |at| {
        at.validation_accuracy
    }),
    ("validation accuracy at 12 epochs", 4, 1, accuracy, |at| {
        at.validation_accuracy
    }),
    ("validation accuracy at 36 epochs", 5, 2, accuracy, |at| {
        at.validation_accuracy
    }),
    ("validation accuracy at 108 epochs", 6, 3, accuracy, |at| {
        at.validation_accuracy
    }),
];

fn accuracy(log: f64) -> f64 {
    1.0 - (-log).exp()
}

impl Report {
    pub(super) fn of(
        surrogate: &Surrogate,
        aside: &[Sample],
        fitted: usize,
        data: &FitData,
    ) -> Self {
        let cells: Vec<_> = aside.iter().map(|sample| sample.cell).collect();
        let predictions = surrogate.predict_all(&cells);
        let quantities = QUANTITIES
            .iter()
            .map(|(name, target, budget, truth, predicted)| {
                let mut all = Vec::new();
                let mut by_vertices: BTreeMap<usize, Vec<(f64, Estimate)>> = BTreeMap::new();
                for (sample, prediction) in aside.iter().zip(&predictions) {
                    let own = truth(sample.targets[*target]);
                    let budget = Budget::epochs(EPOCHS[*budget]).ok();
                    let at = budget.and_then(|budget| prediction.at(budget).ok());
                    if let Some(at) = at.filter(|_| !own.is_nan()) {
                        let pair = (own, predicted(&at));
                        all.push(pair);
                        by_vertices
                            .entry(sample.cell.graph().vertices())
                            .or_default()
                            .push(pair);
                    }
                }
                let by_vertices = by_vertices
                    .iter()
                    .map(|(&v, pairs)| (v, Accuracy::of(pairs)))
                    .collect();
                ((*name).to_owned(), Accuracy::of(&all), by_vertices)
            });
        let growth = |growth: &[crate::surrogate::model::Growth; 4]| {
            growth.map(|own| [own.median, own.low, own.high].map(f64::from))
        };
        Self {
            fitted,
            aside: aside.len(),
            quantities: quantities.collect(),
            energy_growth: growth(&surrogate.model.energy_growth),
            time_growth: growth(&surrogate.model.time_growth),
            growth_cells: std::array::from_fn(|budget| data.energy_growth[budget].len()),
        }
    }
}

impl Accuracy {
    fn of(pairs: &[(f64, Estimate)]) -> Self {
        let count = pairs.len().max(1) as f64;
        let mean = |of: &dyn Fn(&(f64, Estimate)) -> f64| pairs.iter().map(of).sum::<f64>() / count;
        Self {
            cells: pairs.len(),
            mean_absolute_error: mean(&|(truth, own)| (own.value - truth).abs()),
            mean_relative_error: mean(&|(truth, own)| (own.value / truth - 1.0).abs()),
            kendall_tau: kendall_tau(pairs),
            coverage: mean(&|(truth, own)| {
                f64::from(u8::from(own.low <= *truth && *truth <= own.high))
            }),
        }
    }
}

/// Kendall's tau-b, pair by pair.
fn kendall_tau(pairs: &[(f64, Estimate)]) -> f64 {
    let (mut agreeing, mut truths, mut values) = (0_i64, 0_i64, 0_i64);
    for (number, (truth, own)) in pairs.iter().enumerate() {
        for (other_truth, other) in pairs.iter().skip(number + 1) {
            let sign = |a: f64, b: f64| i64::from(a > b) - i64::from(a < b);
            let (a, b) = (sign(*truth, *other_truth), sign(own.value, other.value));
            agreeing += a * b;
            truths += a.abs();
            values += b.abs();
        }
    }
    agreeing as f64 / (truths as f64 * values as f64).sqrt()
}

impl fmt::Display for Report {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(
            f,
            "{} cells fitted to, {} kept aside.\n",
            self.fitted, self.aside
        )?;
        writeln!(
            f,
            "| quantity | vertices | cells | mean absolute error | mean relative error | Kendall's tau | within the interval |"
        )?;
        writeln!(f, "| --- | --- | --- | --- | --- | --- | --- |")?;
        let mut line = |name: &str, vertices: &str, own: &Accuracy| {
            writeln!(
                f,
                "| {name} | {vertices} | {} | {:.4} | {:.2} % | {:.3} | {:.1} % |",
                own.cells,
                own.mean_absolute_error,
                100.0 * own.mean_relative_error,
                own.kendall_tau,
                100.0 * own.coverage
            )
        };
        for (name, all, by_vertices) in &self.quantities {
            line(name, "all", all)?;
            for (vertices, own) in by_vertices {
                line("", &vertices.to_string(), own)?;
            }
        }
        writeln!(
            f,
            "\n| epochs | cells | energy per epoch over that of 4 epochs | time per epoch over that of 4 epochs |"
        )?;
        writeln!(f, "| --- | --- | --- | --- |")?;
        let rows = EPOCHS.iter().zip(self.growth_cells);
        for ((epochs, cells), (energy, time)) in rows
            .zip(self.energy_growth.iter().zip(&self.time_growth))
            .skip(1)
        {
            let [median, low, high] = energy;
            let [time, time_low, time_high] = time;
            writeln!(
                f,
                "| {epochs} | {cells} | {median:.3} ({low:.3} to {high:.3}) | {time:.3} ({time_low:.3} to {time_high:.3}) |"
            )?;
        }
        Ok(())
    }
}

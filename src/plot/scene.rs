//! What a picture shows, before it is drawn.

use super::PlotError;
use crate::metrics::{Metric, Provenance};
use crate::query::{Objective, RecipeQuery};
use crate::short::thousands;
use crate::snapshot::{RowId, View};

/// Columns and rows of the density.
pub(super) const BINS: [usize; 2] = [180, 110];

/// Up to how many cells each is drawn; more are counted in squares.
const FEW: usize = 3_000;

/// A point: energy in kWh, accuracy in percent.
pub(super) type Point = (f64, f64);

/// What a picture shows.
pub(super) struct Scene {
    pub title: String,
    pub notes: Vec<String>,
    pub energy: [f64; 2],
    pub accuracy: [f64; 2],
    pub accuracy_name: String,
    pub cells: Cells,
    pub front: Vec<Point>,
    pub knee: Option<Point>,
    pub reference: Point,
    /// Recipes on the front, cheapest first.
    pub recipes: Vec<Point>,
    pub saving: Option<String>,
}

/// All cells of a picture.
pub(super) enum Cells {
    /// Each of few.
    Each(Vec<Point>),
    /// Column, row and count of the squares that are not empty.
    Counts(Vec<(usize, usize, u32)>),
}

impl Scene {
    /// The recipes that save half and more.
    pub fn thrifty(&self) -> impl Iterator<Item = Point> + '_ {
        let half = self.reference.0 / 2.0;
        self.recipes
            .iter()
            .copied()
            .filter(move |own| own.0 <= half)
    }

    pub fn new(view: &View<'_>, query: &RecipeQuery) -> Result<Self, PlotError> {
        let energies = view.column(Metric::Energy)?;
        let accuracies = view.column(query.accuracy)?;
        let point = |row: RowId| {
            let energy = energies.get(row.index()).copied()?;
            let accuracy = accuracies.get(row.index()).copied()?;
            shown((energy, accuracy))
        };
        let on_scale = query.rows_on_scale(view)?;
        let points: Vec<Point> = (0..view.len() as u32)
            .map(RowId)
            .filter(|&row| on_scale.as_ref().is_none_or(|rows| rows.contains(row)))
            .filter_map(point)
            .collect();
        let objectives = [Objective::ENERGY, Objective::maximize(query.accuracy)];
        let dominance = match query.cautious {
            true => view.cautious_dominance(objectives)?,
            false => view.dominance(objectives)?,
        };
        let compared = |row: RowId| shown(dominance.point(row)?.into());
        let front = match &on_scale {
            Some(rows) => dominance.front_of(rows),
            None => dominance.front().to_vec(),
        };
        let knee = dominance.knee_of(&front).and_then(compared);
        let front: Vec<Point> = front.into_iter().filter_map(compared).collect();
        let search = view.recipes(query)?;
        let book = search.front()?;
        let reference = search
            .reference()
            .and_then(point)
            .ok_or(PlotError::NoReference)?;
        let recipes: Vec<Point> = book
            .iter()
            .filter_map(|recipe| shown((recipe.energy_kwh, recipe.accuracy)))
            .collect();
        let saving = book.first().map(|best| {
            format!(
                "{:.0} % less energy, {:.1} points {}",
                100.0 * best.saving,
                (100.0 * best.accuracy_change).abs(),
                if best.accuracy_change < 0.0 {
                    "less accurate"
                } else {
                    "more accurate"
                }
            )
        });

        // Accuracy has a long tail downwards: what lies below the box is counted, not drawn.
        let mut sorted: Vec<f64> = points.iter().map(|point| point.1).collect();
        sorted.sort_by(f64::total_cmp);
        let top = sorted.last().copied().ok_or(PlotError::NothingToDraw)?;
        let twentieth = sorted.get(sorted.len() / 20).copied().unwrap_or(top);
        let low = twentieth.min(reference.1).min(top - 1.0);
        let accuracy = [low - 0.05 * (top - low), top + 0.12 * (top - low)];
        let least = points
            .iter()
            .map(|point| point.0)
            .fold(f64::INFINITY, f64::min);
        let most = points.iter().map(|point| point.0).fold(0.0, f64::max);
        let energy = [least / 1.15, (most * 1.15).min(f64::MAX)];
        let [accuracy_low, accuracy_high] = accuracy;
        let below = points.iter().filter(|point| point.1 < accuracy_low).count();

        let inside = |point: &Point| (accuracy_low..=accuracy_high).contains(&point.1);
        let inside: Vec<Point> = points.iter().copied().filter(inside).collect();
        let cells = match inside.len() {
            ..=FEW => Cells::Each(inside),
            _ => Cells::Counts(counts(&inside, energy, accuracy)),
        };

        let said = |metric: Metric| -> Result<String, PlotError> {
            let parts = match &on_scale {
                Some(rows) => view.provenance_in(metric, rows)?,
                None => view.provenance(metric)?,
            };
            let parts = parts.into_iter();
            let words = parts.map(|(own, rows)| match own {
                Provenance::Predicted { model } => (format!("predicted by {model}"), rows),
                other => (other.word().to_owned(), rows),
            });
            let words: Vec<(String, usize)> = words.collect();
            Ok(match words.as_slice() {
                [(only, _)] => only.clone(),
                several => {
                    let several = several.iter();
                    let several =
                        several.map(|(own, rows)| format!("{own} ({})", thousands(*rows)));
                    several.collect::<Vec<_>>().join(" or ")
                }
            })
        };
        let name = query.accuracy.name().replace('_', " ");
        let (energy_said, accuracy_said) = (said(Metric::Energy)?, said(query.accuracy)?);
        let origin = if energy_said == accuracy_said {
            format!("energy and {name} {energy_said}")
        } else {
            format!("energy {energy_said}, {name} {accuracy_said}")
        };
        let mut notes = vec![format!("{} cells; {origin}", thousands(points.len()))];
        if query.cautious {
            notes.push(
                "front and recipes at the worse ends of their intervals, which speak of runs like those learned from"
                    .to_owned(),
            );
        }
        if below > 0 {
            notes.push(format!(
                "{} less accurate cells lie below the picture",
                thousands(below)
            ));
        }
        Ok(Self {
            title: format!(
                "What is cheaper and as good? {} at {}",
                view.table().name(),
                view.budget()
            ),
            notes,
            energy,
            accuracy,
            accuracy_name: name,
            cells,
            front,
            knee,
            reference,
            recipes,
            saving,
        })
    }
}

/// How many points lie in each square.
fn counts(points: &[Point], energy: [f64; 2], accuracy: [f64; 2]) -> Vec<(usize, usize, u32)> {
    let bin = |value: f64, [from, to]: [f64; 2], bins: usize| {
        let share = (value - from) / (to - from);
        (share * bins as f64) as usize
    };
    let log = energy.map(f64::ln);
    let [columns, rows] = BINS;
    let mut counts = vec![0_u32; columns * rows];
    for &(energy, percent) in points {
        let x = bin(energy.ln(), log, columns);
        let y = bin(percent, accuracy, rows);
        if let Some(count) = counts.get_mut(y * columns + x) {
            *count += 1;
        }
    }
    let counts = counts.iter().enumerate().filter(|(_, count)| **count > 0);
    counts
        .map(|(place, &count)| (place % columns, place / columns, count))
        .collect()
}

/// Where it can be drawn: above zero in energy, finite.
fn shown((energy, accuracy): Point) -> Option<Point> {
    let is_shown = energy > 0.0 && energy.is_finite() && accuracy.is_finite();
    is_shown.then_some((energy, 100.0 * accuracy))
}

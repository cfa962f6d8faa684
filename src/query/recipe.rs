use super::order;
use crate::carbon::{CarbonError, Site};
use crate::cell::{Cell, CellHash, Edits};
use crate::metrics::Metric;
use crate::snapshot::{Row, RowId, SnapshotError, View};

/// What to ask for: cells that cost less energy than a reference and lose at most so much accuracy.
#[derive(Debug, Clone, PartialEq)]
#[non_exhaustive]
pub struct RecipeQuery {
    /// The reference cell; `None`: the most accurate cell of the view, of several the cheapest.
    pub reference: Option<CellHash>,
    /// The accuracy that may be lost, as an absolute fraction: 0.01 is one percentage point.
    pub tolerated_loss: f64,
    /// Which accuracy counts.
    pub accuracy: Metric,
    /// Where the energy is used, for the CO2 equivalents.
    pub site: Site,
}

impl Default for RecipeQuery {
    /// Reference: the most accurate cell. Tolerated loss: 0.01 of validation accuracy. World's average grid.
    fn default() -> Self {
        Self {
            reference: None,
            tolerated_loss: 0.01,
            accuracy: Metric::ValidationAccuracy,
            site: Site::default(),
        }
    }
}

/// A cell with what it costs and how good it is, beside the reference.
#[derive(Debug, Clone, PartialEq)]
#[non_exhaustive]
pub struct Recipe {
    /// The cell's row.
    pub row: RowId,
    /// The cell's hash.
    pub hash: CellHash,
    /// The cell; `None` where the source had the hash alone.
    pub cell: Option<Cell>,
    /// Energy, in kWh.
    pub energy_kwh: f64,
    /// Accuracy, a fraction.
    pub accuracy: f64,
    /// CO2 equivalents at the query's site, in g, recomputed from the energy.
    pub co2e_g: f64,
    /// Energy saved, as a fraction of the reference's: 0.75 is 75 %. 0 for the reference itself.
    pub saving: f64,
    /// Accuracy minus the reference's: negative is a loss.
    pub accuracy_change: f64,
    /// Whether no other recipe is cheaper and at least as accurate, or as cheap and more accurate.
    pub on_front: bool,
    /// The fewest edits that lead from the reference cell to this one; `None` where a cell's graph is not known.
    pub edits: Option<Edits>,
}

/// The answer to a [`RecipeQuery`].
#[derive(Debug, Clone, PartialEq)]
#[non_exhaustive]
pub struct RecipeBook {
    /// The reference cell.
    pub reference: Recipe,
    /// The cheaper cells that lose no more than tolerated, cheapest first.
    pub recipes: Vec<Recipe>,
    /// How many cells have both energy and accuracy.
    pub compared: usize,
    /// How many cells have a trial at the view's budget but lack energy or accuracy.
    pub missing: usize,
    /// The power usage effectiveness that the energy figures contain, if it is known.
    pub contained_pue: Option<f64>,
}

/// What can go wrong when asking for recipes.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum RecipeError {
    /// The view lacks what is needed.
    #[error(transparent)]
    Snapshot(#[from] SnapshotError),
    /// CO2 equivalents cannot be computed.
    #[error(transparent)]
    Carbon(#[from] CarbonError),
    /// The tolerated loss is negative or not a number.
    #[error(
        "expected a tolerated accuracy loss of 0 or more, as a fraction (0.01 is 1 %), found {found}"
    )]
    ToleratedLoss {
        /// What was given.
        found: f64,
    },
    /// The metric is no accuracy.
    #[error(
        "expected an accuracy (validation_accuracy, test_accuracy or train_accuracy), found `{found}`"
    )]
    NotAnAccuracy {
        /// What was given.
        found: Metric,
    },
    /// The reference lacks energy or accuracy.
    #[error("cell {hash} has no {metric} at the view's budget; choose another reference")]
    IncompleteReference {
        /// The reference.
        hash: CellHash,
        /// What it lacks.
        metric: Metric,
    },
    /// No cell of the view has both energy and accuracy.
    #[error(
        "no cell of the view has both energy_kwh and {metric}: there is nothing to choose a reference from"
    )]
    NothingToCompare {
        /// The accuracy asked for.
        metric: Metric,
    },
}

/// The cells that are cheaper than a reference and as good, but for a tolerated loss, with the edits that lead there.
///
/// # Errors
/// The view lacks energy or accuracy, does not hold the reference, or the query makes no sense.
///
/// # Complexity
/// O(n) for the scan, O(k log k) and some microseconds for the edits of each of the k recipes.
pub fn recipes(view: &View<'_>, query: &RecipeQuery) -> Result<RecipeBook, RecipeError> {
    let found = query.tolerated_loss;
    if found.is_nan() || found < 0.0 {
        return Err(RecipeError::ToleratedLoss { found });
    }
    if !matches!(
        query.accuracy,
        Metric::ValidationAccuracy | Metric::TestAccuracy | Metric::TrainAccuracy
    ) {
        return Err(RecipeError::NotAnAccuracy {
            found: query.accuracy,
        });
    }
    let energies = view.column(Metric::Energy)?;
    let accuracies = view.column(query.accuracy)?;
    let points: Vec<Point> = energies
        .iter()
        .zip(accuracies)
        .enumerate()
        .filter(|(_, (energy, accuracy))| !energy.is_nan() && !accuracy.is_nan())
        .map(|(row, (&energy, &accuracy))| Point {
            row: RowId(row as u32),
            energy,
            accuracy,
        })
        .collect();
    let reference = reference(view, query, &points)?;
    let contained_pue = view.table().info()?.pue;
    let describe = |point: &Point, row: Row<'_, '_>| -> Result<Recipe, RecipeError> {
        Ok(Recipe {
            row: point.row,
            hash: row.hash(),
            cell: row.cell(),
            energy_kwh: point.energy,
            accuracy: point.accuracy,
            co2e_g: query.site.co2e_g(point.energy, contained_pue)?,
            saving: 1.0 - point.energy / reference.energy,
            accuracy_change: point.accuracy - reference.accuracy,
            on_front: false,
            edits: None,
        })
    };
    let reference_recipe = match view.at(reference.row) {
        Some(row) => describe(&reference, row)?,
        None => {
            return Err(RecipeError::NothingToCompare {
                metric: query.accuracy,
            });
        }
    };
    let least = reference.accuracy - query.tolerated_loss;
    let mut chosen: Vec<&Point> = points
        .iter()
        .filter(|point| point.energy < reference.energy && point.accuracy >= least)
        .collect();
    chosen.sort_by(|a, b| {
        order(a.energy, b.energy)
            .then(order(b.accuracy, a.accuracy))
            .then(a.row.cmp(&b.row))
    });
    let mut recipes = Vec::with_capacity(chosen.len());
    let mut best = f64::NEG_INFINITY;
    let mut best_energy = f64::NAN;
    for point in chosen {
        let Some(row) = view.at(point.row) else {
            continue;
        };
        let mut recipe = describe(point, row)?;
        recipe.edits = match (reference_recipe.cell, recipe.cell) {
            (Some(from), Some(to)) => Some(from.edits_to(&to)),
            _ => None,
        };
        let ties = point.accuracy == best && point.energy == best_energy;
        recipe.on_front = point.accuracy > best || ties;
        if recipe.on_front {
            (best, best_energy) = (point.accuracy, point.energy);
        }
        recipes.push(recipe);
    }
    Ok(RecipeBook {
        reference: reference_recipe,
        recipes,
        compared: points.len(),
        missing: view.rows().count().saturating_sub(points.len()),
        contained_pue,
    })
}

#[derive(Clone, Copy)]
struct Point {
    row: RowId,
    energy: f64,
    accuracy: f64,
}

fn reference(view: &View<'_>, query: &RecipeQuery, points: &[Point]) -> Result<Point, RecipeError> {
    let Some(hash) = query.reference else {
        return points
            .iter()
            .copied()
            .reduce(|best, point| {
                let better = point.accuracy > best.accuracy
                    || (point.accuracy == best.accuracy && point.energy < best.energy);
                if better { point } else { best }
            })
            .ok_or(RecipeError::NothingToCompare {
                metric: query.accuracy,
            });
    };
    let row = view.require(hash)?;
    let value = |metric| {
        row.get(metric)
            .ok_or(RecipeError::IncompleteReference { hash, metric })
    };
    Ok(Point {
        row: row.id(),
        energy: value(Metric::Energy)?,
        accuracy: value(query.accuracy)?,
    })
}

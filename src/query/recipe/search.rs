use std::borrow::Cow;
use std::fmt;

use super::{Baseline, Elsewhere, Recipe, RecipeBook, RecipeError, RecipeQuery, Reference};
use crate::cell::{Cell, CellHash};
use crate::index::{Interval, PairIndex, RowSet};
use crate::metrics::Metric;
use crate::query::{Direction, Objective, Query, order};
use crate::snapshot::{Row, RowId, SnapshotError, View};

impl<'s> View<'s> {
    /// Looks for cells that cost less energy than a reference and are as good, but for a tolerated loss.
    ///
    /// ```no_run
    /// use ecnas::query::{Loss, RecipeQuery};
    /// # fn example(view: &ecnas::snapshot::View<'_>) -> Result<(), ecnas::query::RecipeError> {
    /// let mut query = RecipeQuery::default();
    /// query.tolerated_loss = Loss::Relative(0.01);
    /// query.most_edits = Some(2);
    /// for recipe in view.recipes(&query)?.front()? {
    ///     println!("{:.0} % less energy: {:?}", 100.0 * recipe.saving, recipe.edits);
    /// }
    /// # Ok(()) }
    /// ```
    ///
    /// # Errors
    /// The view lacks energy or accuracy, does not hold the reference, or the query makes no sense. What is compared is on
    /// [two scales](View::two_scales), and the query does not say [which](RecipeQuery::scale) counts.
    ///
    /// # Complexity
    /// O(log n); O(n) where the view has no index of energy and the accuracy, and no reference is named, or where it holds
    /// trials and estimates side by side.
    pub fn recipes<'q>(
        &'q self,
        query: &'q RecipeQuery,
    ) -> Result<RecipeSearch<'q, 's>, RecipeError> {
        RecipeSearch::new(self, query)
    }
}

/// A search for recipes; see [`View::recipes`].
pub struct RecipeSearch<'q, 's> {
    query: &'q RecipeQuery,
    here: Side<'q, 's>,
    elsewhere: Vec<Side<'q, 's>>,
    /// Of energy and accuracy, if it is indexed.
    pair: Option<PairIndex<'s>>,
    row: Option<RowId>,
    hash: Option<CellHash>,
    cell: Option<Cell>,
}

/// A view, and what must hold in it.
struct Side<'q, 's> {
    view: &'q View<'s>,
    /// The rows whose values are on the scale that counts; `None` where all are.
    on_scale: Option<RowSet>,
    /// The reference's.
    energy: f64,
    accuracy: f64,
    cheaper: Bound<'q>,
    as_good: Bound<'q>,
    tolerances: Vec<Bound<'q>>,
}

/// Where the value of a recipe lies in a column. The values are borrowed if they are the column's own.
struct Bound<'q> {
    column: &'q str,
    values: Cow<'q, [f64]>,
    interval: Interval,
}

impl Bound<'_> {
    fn holds(&self, row: RowId) -> bool {
        let value = self.values.get(row.index());
        value.is_some_and(|&value| self.interval.contains(value))
    }
}

impl<'q, 's> Side<'q, 's> {
    /// What must hold in a view; `value` is the reference's, by column.
    fn new(
        view: &'q View<'s>,
        query: &'q RecipeQuery,
        on_scale: Option<RowSet>,
        value: impl Fn(&str) -> Result<f64, RecipeError>,
    ) -> Result<Self, RecipeError> {
        let energy = value(Metric::Energy.name())?;
        let accuracy = value(query.accuracy.name())?;
        let cheaper = Interval::below(energy);
        let as_good = query.tolerated_loss.leaves(accuracy, Direction::Maximize);
        let values = |objective: &Objective| match query.cautious {
            true => view.worse_end(objective),
            false => view.column(&objective.column).map(Cow::Borrowed),
        };
        let mut tolerances = Vec::with_capacity(query.tolerances.len());
        for tolerance in &query.tolerances {
            let column = tolerance.objective.column.as_ref();
            let own = value(column)?;
            tolerances.push(Bound {
                column,
                values: values(&tolerance.objective)?,
                interval: tolerance.loss.leaves(own, tolerance.objective.direction),
            });
        }
        Ok(Self {
            view,
            on_scale,
            energy,
            accuracy,
            cheaper: Bound {
                column: Metric::Energy.name(),
                values: values(&Objective::ENERGY)?,
                interval: cheaper,
            },
            as_good: Bound {
                column: query.accuracy.name(),
                values: values(&Objective::maximize(query.accuracy))?,
                interval: as_good,
            },
            tolerances,
        })
    }

    fn bounds(&self) -> impl Iterator<Item = &Bound<'q>> {
        let usual = [&self.cheaper, &self.as_good];
        usual.into_iter().chain(&self.tolerances)
    }

    /// As [`new`](Self::new), for a reference that is a row of the view.
    fn of_row(
        view: &'q View<'s>,
        query: &'q RecipeQuery,
        on_scale: Option<RowSet>,
        row: Row<'_, '_>,
    ) -> Result<Self, RecipeError> {
        if let (Some(rows), Some(scale)) = (&on_scale, query.scale)
            && !rows.contains(row.id())
        {
            return Err(RecipeError::ReferenceOnOtherScale {
                hash: row.hash(),
                table: view.table().name().to_owned(),
                budget: view.budget(),
                scale,
            });
        }
        Self::new(view, query, on_scale, |column| {
            // That the column is there at all is said first.
            view.column(column)?;
            row.get_named(column)
                .ok_or_else(|| RecipeError::IncompleteReference {
                    hash: row.hash(),
                    column: column.to_owned(),
                    table: view.table().name().to_owned(),
                    budget: view.budget(),
                })
        })
    }

    fn ask(&self) -> Result<Query<'q, 's>, RecipeError> {
        let mut query = self.rows_on_scale();
        for bound in self.bounds() {
            query = match &bound.values {
                Cow::Borrowed(_) => query.within(bound.column, bound.interval)?,
                Cow::Owned(_) => {
                    let rows = (0..self.view.len() as u32).map(RowId);
                    query.among(&rows.filter(|&row| bound.holds(row)).collect())
                }
            };
        }
        Ok(query)
    }

    /// The rows on the scale that counts.
    fn rows_on_scale(&self) -> Query<'q, 's> {
        let query = self.view.query();
        match &self.on_scale {
            Some(rows) => query.among(rows),
            None => query,
        }
    }

    fn is_on_scale(&self, row: RowId) -> bool {
        let rows = self.on_scale.as_ref();
        rows.is_none_or(|rows| rows.contains(row))
    }

    /// The PUE that the compared energies contain.
    ///
    /// # Complexity
    /// Some microseconds, to read the table's description.
    fn contained_pue(&self) -> Result<Option<f64>, SnapshotError> {
        let info = self.view.table().info()?;
        let energy = Metric::Energy;
        // They are on one scale: the first one tells.
        let mut rows = self.view.rows().filter(|row| self.is_on_scale(row.id()));
        let first = rows.find(|row| row.get(energy).is_some());
        let is_estimate = first.is_some_and(|row| row.is_estimate(energy.name()));
        Ok(if is_estimate {
            info.estimates.setting.pue
        } else {
            info.pue
        })
    }

    fn point(&self, row: RowId) -> Option<(f64, f64)> {
        let energy = *self.cheaper.values.get(row.index())?;
        let accuracy = *self.as_good.values.get(row.index())?;
        (!energy.is_nan() && !accuracy.is_nan()).then_some((energy, accuracy))
    }

    /// The recipe's row in this view, if it holds here.
    fn row_of(&self, recipe: RowId, hash: CellHash, here: &Self) -> Option<RowId> {
        let own = self.view.table();
        let row = if own.is(here.view.table()) {
            recipe
        } else {
            own.row(hash)?
        };
        let holds = self.bounds().all(|bound| bound.holds(row));
        (holds && self.is_on_scale(row)).then_some(row)
    }

    fn elsewhere(&self, row: RowId) -> Option<Elsewhere> {
        let (energy_kwh, accuracy) = self.point(row)?;
        Some(Elsewhere {
            table: self.view.table().name().to_owned(),
            budget: self.view.budget(),
            energy_kwh,
            accuracy,
            saving: 1.0 - energy_kwh / self.energy,
            accuracy_change: accuracy - self.accuracy,
        })
    }
}

impl<'q, 's> RecipeSearch<'q, 's> {
    fn new(view: &'q View<'s>, query: &'q RecipeQuery) -> Result<Self, RecipeError> {
        query.tolerated_loss.check()?;
        for tolerance in &query.tolerances {
            tolerance.loss.check()?;
        }
        let found = query.accuracy;
        if !matches!(
            found,
            Metric::ValidationAccuracy | Metric::TestAccuracy | Metric::TrainAccuracy
        ) {
            return Err(RecipeError::NotAnAccuracy { found });
        }
        let on_scale = query.rows_on_scale(view)?;
        let index = view.index()?;
        let pair = index.filter(|_| on_scale.is_none()).and_then(|index| {
            let pair = index
                .budget
                .pair(Metric::Energy.name(), query.accuracy.name());
            pair.copied()
        });
        let row = match &query.reference {
            Reference::Cell(hash) => Some(view.require(*hash)?),
            Reference::MostAccurate => {
                let best = match pair {
                    Some(pair) => pair.best(f64::INFINITY).map(RowId),
                    None => most_accurate_by_scan(view, query.accuracy, on_scale.as_ref())?,
                };
                let best = best.and_then(|row| view.at(row));
                let metric = query.accuracy;
                Some(best.ok_or(RecipeError::NothingToCompare { metric })?)
            }
            Reference::Point(_) => None,
        };
        let here = match (&query.reference, row) {
            (_, Some(row)) => Side::of_row(view, query, on_scale, row)?,
            (Reference::Point(values), None) => {
                Side::new(view, query, on_scale, |column| point_value(values, column))?
            }
            (_, None) => {
                let metric = query.accuracy;
                return Err(RecipeError::NothingToCompare { metric });
            }
        };
        // What is indexed are the values themselves.
        let is_stored = matches!(here.cheaper.values, Cow::Borrowed(_))
            && matches!(here.as_good.values, Cow::Borrowed(_));
        let pair = pair.filter(|_| is_stored);
        let cell = row.and_then(|row| row.cell());
        if query.most_edits.is_some() && cell.is_none() {
            return Err(RecipeError::NoGraph);
        }
        Ok(Self {
            query,
            here,
            elsewhere: Vec::new(),
            pair,
            row: row.map(|row| row.id()),
            hash: row.map(|row| row.hash()),
            cell,
        })
    }

    /// Asks that recipes are recipes in another view too: at another budget, on another device. There they are compared
    /// with the same reference's values there; cells are the same if their hashes are.
    ///
    /// # Errors
    /// The other view lacks a column, or the reference, or is on two scales.
    pub fn also_in(mut self, view: &'q View<'s>) -> Result<Self, RecipeError> {
        let on_scale = self.query.rows_on_scale(view)?;
        let side = match (&self.query.reference, self.hash) {
            (Reference::Point(values), _) => Side::new(view, self.query, on_scale, |column| {
                point_value(values, column)
            })?,
            (_, Some(hash)) => Side::of_row(view, self.query, on_scale, view.require(hash)?)?,
            (_, None) => {
                let metric = self.query.accuracy;
                return Err(RecipeError::NothingToCompare { metric });
            }
        };
        self.elsewhere.push(side);
        Ok(self)
    }

    /// The reference's row; `None` if it is no cell.
    #[must_use]
    pub const fn reference(&self) -> Option<RowId> {
        self.row
    }

    /// The cheapest recipe, of several the most accurate.
    ///
    /// # Errors
    /// An index is damaged.
    ///
    /// # Complexity
    /// O(log of the front's size) where energy and accuracy are an indexed pair and nothing else is asked; else as
    /// [`rows`](Self::rows).
    pub fn best(&self) -> Result<Option<RowId>, RecipeError> {
        if self.is_plain()
            && let Some(pair) = &self.pair
        {
            return Ok(self.best_in(pair, self.here.energy, self.here.accuracy));
        }
        Ok(self.rows()?.first().copied())
    }

    /// The cheapest recipe for another reference, a row of the same view, by the same tolerated loss of accuracy alone;
    /// `None` where there is none, or the row lacks energy or accuracy.
    ///
    /// # Complexity
    /// O(log of the front's size): less than 0.1 us; O(n) where energy and accuracy are no indexed pair.
    #[must_use]
    pub fn best_for(&self, reference: RowId) -> Option<RowId> {
        let view = self.here.view;
        let reference = view
            .at(reference)
            .filter(|row| self.here.is_on_scale(row.id()))?;
        let energy = reference.get(Metric::Energy)?;
        let accuracy = reference.get(self.query.accuracy)?;
        if let Some(pair) = &self.pair {
            return self.best_in(pair, energy, accuracy);
        }
        let as_good = self
            .query
            .tolerated_loss
            .leaves(accuracy, Direction::Maximize);
        let rows = (0..view.len() as u32).map(RowId);
        let candidates = rows.filter(|&row| {
            let point = self.here.point(row).filter(|_| self.here.is_on_scale(row));
            point.is_some_and(|(own, accuracy)| own < energy && as_good.contains(accuracy))
        });
        candidates.min_by(|&a, &b| self.by_energy(a, b))
    }

    fn best_in(&self, pair: &PairIndex<'_>, energy: f64, accuracy: f64) -> Option<RowId> {
        let as_good = self.query.tolerated_loss;
        let least = as_good.leaves(accuracy, Direction::Maximize).least();
        let row = RowId(pair.cheapest(least)?);
        let (own, _) = self.here.point(row)?;
        (own < energy).then_some(row)
    }

    /// The rows of all recipes, cheapest first; of equal energy, the most accurate first.
    ///
    /// # Errors
    /// An index is damaged.
    ///
    /// # Complexity
    /// O(k log k) for k recipes, and O(k) look-ups for each other table.
    pub fn rows(&self) -> Result<Vec<RowId>, RecipeError> {
        let mut query = self.here.ask()?;
        for other in &self.elsewhere {
            if other.view.table().is(self.here.view.table()) {
                query = query.among(&other.ask()?.rows()?);
            }
        }
        let rows = query.ids()?.into_iter().map(RowId);
        let mut rows: Vec<RowId> = rows.filter(|&row| self.holds(row)).collect();
        rows.sort_by(|&a, &b| self.by_energy(a, b));
        Ok(rows)
    }

    /// Whether a row is within the edits, and a recipe elsewhere.
    fn holds(&self, row: RowId) -> bool {
        let table = self.here.view.table();
        let near = self.query.most_edits.is_none_or(|most| {
            let cells = self.cell.zip(table.cell(row));
            cells.is_some_and(|(from, to)| from.is_within_edits(&to, most))
        });
        near && self.elsewhere.iter().all(|other| {
            let hash = table.hash(row);
            hash.and_then(|hash| other.row_of(row, hash, &self.here))
                .is_some()
        })
    }

    /// The recipes that no other recipe beats in energy and accuracy, cheapest first.
    ///
    /// # Errors
    /// An index is damaged.
    ///
    /// # Complexity
    /// O(recipes' places in the order of energy / 4,096 + k) to find k of them where energy and accuracy are an indexed
    /// pair and nothing else is asked, else as [`rows`](Self::rows); and a microsecond or two for the edits of each.
    pub fn front(&self) -> Result<Vec<Recipe>, RecipeError> {
        let rows: Vec<RowId> = match &self.pair {
            Some(pair) if self.is_plain() => {
                let rows = pair.front_in(self.here.cheaper.interval, self.here.as_good.interval);
                rows.into_iter().map(RowId).collect()
            }
            _ => {
                let rows = self.rows()?;
                let on_front = self.on_front(&rows);
                let rows = rows.into_iter().zip(on_front);
                rows.filter_map(|(row, on_front)| on_front.then_some(row))
                    .collect()
            }
        };
        self.describe(&rows, std::iter::repeat(true))
    }

    /// All recipes, with the reference and how many cells were compared.
    ///
    /// # Errors
    /// An index is damaged.
    ///
    /// # Complexity
    /// As [`rows`](Self::rows), and a microsecond or two for the edits of each recipe.
    pub fn book(&self) -> Result<RecipeBook, RecipeError> {
        let view = self.here.view;
        let rows = self.rows()?;
        let on_front = self.on_front(&rows);
        let compared = self.here.rows_on_scale();
        let compared = compared.has(Metric::Energy)?.has(self.query.accuracy)?;
        let compared = compared.count()?;
        let present = match &self.here.on_scale {
            Some(rows) => rows.len(),
            None => view.row_set().len(),
        };
        let contained_pue = self.here.contained_pue()?;
        let time = self.row.and_then(|row| self.time(row));
        let energy = self.here.energy;
        Ok(RecipeBook {
            reference: Baseline {
                row: self.row,
                hash: self.hash,
                cell: self.cell,
                energy_kwh: energy,
                accuracy: self.here.accuracy,
                training_time_s: time,
                co2e_g: self.query.site.co2e_g(energy, contained_pue)?,
            },
            recipes: self.describe(&rows, on_front)?,
            compared,
            missing: present.saturating_sub(compared),
            contained_pue,
        })
    }

    /// Whether nothing but energy and accuracy decides.
    fn is_plain(&self) -> bool {
        let query = self.query;
        self.elsewhere.is_empty() && query.tolerances.is_empty() && query.most_edits.is_none()
    }

    fn by_energy(&self, a: RowId, b: RowId) -> std::cmp::Ordering {
        let (Some(x), Some(y)) = (self.here.point(a), self.here.point(b)) else {
            return a.cmp(&b);
        };
        order(x.0, y.0).then(order(y.1, x.1)).then(a.cmp(&b))
    }

    /// Of rows in their order: which none of them dominates.
    fn on_front(&self, rows: &[RowId]) -> Vec<bool> {
        let mut best: Option<(f64, f64)> = None;
        let on_front = |row: &RowId| {
            let Some((energy, accuracy)) = self.here.point(*row) else {
                return false;
            };
            let on_front = best.is_none_or(|(best_energy, best_accuracy)| {
                accuracy > best_accuracy || (accuracy == best_accuracy && energy == best_energy)
            });
            if on_front {
                best = Some((energy, accuracy));
            }
            on_front
        };
        rows.iter().map(on_front).collect()
    }

    fn time(&self, row: RowId) -> Option<f64> {
        self.here.view.at(row)?.get(Metric::TrainingTime)
    }

    /// Whether a row's training time and the reference's are on one scale.
    fn comparable_time(&self) -> Result<impl Fn(RowId) -> bool, RecipeError> {
        let (view, time) = (self.here.view, Metric::TrainingTime.name());
        let two_scales = match view.column(time) {
            Ok(_) => view.two_scales(time)?.is_some(),
            Err(_) => false,
        };
        let is_estimate = move |row| view.at(row).is_some_and(|row| row.is_estimate(time));
        let reference = self.row.is_some_and(is_estimate);
        Ok(move |row| !two_scales || is_estimate(row) == reference)
    }

    fn describe(
        &self,
        rows: &[RowId],
        on_front: impl IntoIterator<Item = bool>,
    ) -> Result<Vec<Recipe>, RecipeError> {
        let table = self.here.view.table();
        let site = &self.query.site;
        // It takes microseconds to find out.
        let contained_pue = match site.pue() {
            Some(_) => self.here.contained_pue()?,
            None => None,
        };
        let reference_co2e = site.co2e_g(self.here.energy, contained_pue)?;
        let reference_time = self.row.and_then(|row| self.time(row));
        let comparable_time = self.comparable_time()?;
        let mut recipes = Vec::with_capacity(rows.len());
        // Their slots lie anywhere: read one behind the other, the reads overlap.
        let slots: Vec<_> = rows.iter().map(|&row| table.slot(row).copied()).collect();
        for ((&row, slot), on_front) in rows.iter().zip(slots).zip(on_front) {
            let (Some((energy_kwh, accuracy)), Some(slot)) = (self.here.point(row), slot) else {
                continue;
            };
            let (hash, cell) = (slot.hash(), slot.cell());
            let elsewhere = self.elsewhere.iter().filter_map(|other| {
                let row = other.row_of(row, hash, &self.here)?;
                other.elsewhere(row)
            });
            let training_time_s = self.time(row);
            let co2e_g = site.co2e_g(energy_kwh, contained_pue)?;
            recipes.push(Recipe {
                row,
                hash,
                cell,
                energy_kwh,
                accuracy,
                training_time_s,
                co2e_g,
                saving: 1.0 - energy_kwh / self.here.energy,
                time_saving: training_time_s
                    .zip(reference_time)
                    .filter(|_| comparable_time(row))
                    .map(|(own, reference)| 1.0 - own / reference),
                co2e_saved_g: reference_co2e - co2e_g,
                accuracy_change: accuracy - self.here.accuracy,
                on_front,
                edits: self.cell.zip(cell).map(|(from, to)| from.edits_to(&to)),
                elsewhere: elsewhere.collect(),
            });
        }
        Ok(recipes)
    }
}

/// The most accurate row, of several the cheapest.
fn most_accurate_by_scan(
    view: &View<'_>,
    accuracy: Metric,
    among: Option<&RowSet>,
) -> Result<Option<RowId>, RecipeError> {
    let (energies, accuracies) = (view.column(Metric::Energy)?, view.column(accuracy)?);
    let points = energies
        .iter()
        .zip(accuracies)
        .zip(0..)
        .map(|((e, a), row)| (*e, *a, row))
        .filter(|(.., row)| among.is_none_or(|rows| rows.contains(RowId(*row))));
    let points = points.filter(|(energy, accuracy, _)| !energy.is_nan() && !accuracy.is_nan());
    let best = points.min_by(|a, b| order(b.1, a.1).then(order(a.0, b.0)).then(a.2.cmp(&b.2)));
    Ok(best.map(|(.., row)| RowId(row)))
}

fn point_value(
    values: &[(std::borrow::Cow<'static, str>, f64)],
    column: &str,
) -> Result<f64, RecipeError> {
    let value = values.iter().find(|(name, _)| name == column);
    let value = value.map(|&(_, value)| value);
    value
        .filter(|value| !value.is_nan())
        .ok_or_else(|| RecipeError::IncompletePoint {
            column: column.to_owned(),
            found: value.map_or("none".to_owned(), |value| value.to_string()),
        })
}

/// What is asked, and where.
impl fmt::Debug for RecipeSearch<'_, '_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("RecipeSearch")
            .field("query", self.query)
            .field("view", self.here.view)
            .field("reference", &self.hash)
            .finish_non_exhaustive()
    }
}

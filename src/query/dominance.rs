use std::borrow::Cow;
use std::fmt;
use std::sync::OnceLock;

use super::{Direction, Objective, Query, QueryError};
use crate::index::{Interval, PairIndex, RowBits, RowSet};
use crate::pareto;
use crate::snapshot::{RowId, SnapshotError, View};

impl<'s> View<'s> {
    /// Compares the rows of the view by 2 to 5 objectives.
    ///
    /// ```no_run
    /// use ecnas::query::Objective;
    /// # fn example(view: &ecnas::snapshot::View<'_>) -> Result<(), ecnas::query::QueryError> {
    /// let usual = view.dominance([Objective::ENERGY, Objective::VALIDATION_ACCURACY])?;
    /// println!("{} cells on the front", usual.front().len());
    /// if usual.is_dominated([0.3, 0.93]) {
    ///     println!("{} cells cost less and are as good", usual.dominator_count([0.3, 0.93]));
    /// }
    /// # Ok(()) }
    /// ```
    ///
    /// # Errors
    /// The view lacks a column, objectives are fewer than 2 or more than 5, or name a column twice.
    ///
    /// # Complexity
    /// O(1). What is not stored is computed when first asked for.
    pub fn dominance<const D: usize>(
        &self,
        objectives: [Objective; D],
    ) -> Result<Dominance<'_, 's, D>, QueryError> {
        Dominance::new(self, objectives, View::column_of)
    }

    /// As [`dominance`](Self::dominance), of the [worse end](View::worse_end) of each estimate's interval.
    ///
    /// A front of estimates favours cells whose error is a lucky one: among many cells, those that are estimated too good
    /// are the ones it finds. The cautious front holds those that are good even where the estimate errs to their favour.
    ///
    /// # Errors
    /// As [`dominance`](Self::dominance).
    ///
    /// # Complexity
    /// O(n): nothing of it is stored.
    pub fn cautious_dominance<const D: usize>(
        &self,
        objectives: [Objective; D],
    ) -> Result<Dominance<'_, 's, D>, QueryError> {
        Dominance::new(self, objectives, View::worse_end)
    }

    fn column_of(&self, objective: &Objective) -> Result<Cow<'_, [f64]>, SnapshotError> {
        self.column(&objective.column).map(Cow::Borrowed)
    }
}

impl<'v, 's, const D: usize> Dominance<'v, 's, D> {
    fn new(
        view: &'v View<'s>,
        objectives: [Objective; D],
        values: impl Fn(&'v View<'s>, &Objective) -> Result<Cow<'v, [f64]>, SnapshotError>,
    ) -> Result<Self, QueryError> {
        let names = || objectives.iter().map(|objective| &objective.column);
        let is_distinct = names()
            .enumerate()
            .all(|(place, name)| names().skip(place + 1).all(|other| other != name));
        if !(2..=5).contains(&D) || !is_distinct {
            let names: Vec<&str> = names().map(AsRef::as_ref).collect();
            return Err(QueryError::Objectives {
                found: names.join(", "),
            });
        }
        let mut columns = [const { Cow::Borrowed(&[] as &[f64]) }; D];
        let mut is_stored = true;
        for (slot, objective) in columns.iter_mut().zip(&objectives) {
            *slot = values(view, objective)?;
            is_stored &= std::ptr::eq(slot.as_ptr(), view.column(&objective.column)?.as_ptr());
        }
        let pair = match objectives.as_slice() {
            [x, y]
                if is_stored
                    && x.direction == Direction::Minimize
                    && y.direction == Direction::Maximize =>
            {
                let index = view.index()?;
                index.and_then(|index| index.budget.pair(&x.column, &y.column).copied())
            }
            _ => None,
        };
        Ok(Self {
            view,
            objectives,
            columns,
            pair,
            costs: OnceLock::new(),
            front: OnceLock::new(),
            layers: OnceLock::new(),
        })
    }
}

/// The rows of a view, compared by objectives; see [`View::dominance`].
///
/// Points are in the metrics' own units and the objectives' order. A row that lacks a value in an objective is out: it
/// dominates nothing, nothing dominates it. The same goes for a point with a NaN.
///
/// For energy (less is better) and an accuracy (more is better), in this order, fronts, layers and counts are stored in the
/// snapshot; for other objectives they are computed, once for each `Dominance`.
pub struct Dominance<'v, 's, const D: usize> {
    view: &'v View<'s>,
    objectives: [Objective; D],
    columns: [Cow<'v, [f64]>; D],
    /// Where the two objectives are an indexed pair.
    pair: Option<PairIndex<'s>>,
    /// Each row's values as something to minimise.
    costs: OnceLock<Vec<[f64; D]>>,
    front: OnceLock<Vec<RowId>>,
    layers: OnceLock<Vec<Option<u32>>>,
}

/// What is compared with the rows of a view: one of them, or a free point.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Candidate<const D: usize> {
    /// A row.
    Row(RowId),
    /// Values in the objectives' order, in the metrics' own units.
    Point([f64; D]),
}

impl<const D: usize> From<RowId> for Candidate<D> {
    fn from(row: RowId) -> Self {
        Self::Row(row)
    }
}

impl<const D: usize> From<[f64; D]> for Candidate<D> {
    fn from(point: [f64; D]) -> Self {
        Self::Point(point)
    }
}

impl<'v, 's, const D: usize> Dominance<'v, 's, D> {
    /// The view whose rows are compared.
    #[must_use]
    pub const fn view(&self) -> &'v View<'s> {
        self.view
    }

    /// The objectives.
    #[must_use]
    pub const fn objectives(&self) -> &[Objective; D] {
        &self.objectives
    }

    /// A row's values in the objectives' order; `None` where it lacks one.
    #[must_use]
    pub fn point(&self, row: RowId) -> Option<[f64; D]> {
        let point = self.columns.each_ref().map(|column| {
            let value = column.get(row.index());
            value.copied().unwrap_or(f64::NAN)
        });
        point.iter().all(|value| !value.is_nan()).then_some(point)
    }

    /// How many rows have a value in every objective.
    ///
    /// # Complexity
    /// O(log n) for an indexed pair, else O(n).
    #[must_use]
    pub fn compared(&self) -> usize {
        match &self.pair {
            Some(pair) => pair.count(Interval::ALL, Interval::ALL) as usize,
            None => {
                let rows = (0..self.view.len() as u32).map(RowId);
                rows.filter(|&row| self.point(row).is_some()).count()
            }
        }
    }

    /// How many rows have a trial at the view's budget but lack a value in an objective.
    ///
    /// # Complexity
    /// O(n) the first time for a view.
    #[must_use]
    pub fn missing(&self) -> usize {
        self.view.row_set().len().saturating_sub(self.compared())
    }

    /// The rows that none dominates, best in the first objective first; rows that tie in all objectives are all there.
    ///
    /// # Complexity
    /// O(1), no allocation, for an indexed pair: it is stored. Else that of [`pareto::front`], the first time.
    #[must_use]
    pub fn front(&self) -> &[RowId] {
        match &self.pair {
            Some(pair) => bytemuck::cast_slice(pair.front()),
            None => self.front.get_or_init(|| {
                let front = pareto::front(self.costs());
                front.into_iter().map(RowId).collect()
            }),
        }
    }

    /// The rows of a set that no row of the set dominates, best in the first objective first.
    ///
    /// # Complexity
    /// That of [`pareto::front`] over the set.
    #[must_use]
    pub fn front_of(&self, rows: &RowSet) -> Vec<RowId> {
        self.front_among(rows.iter())
    }

    /// The rows of a query's answer that no row of it dominates, best in the first objective first.
    ///
    /// # Errors
    /// An index is damaged.
    ///
    /// # Complexity
    /// For a box of an indexed pair: O(rows within the bounds of the first metric / 4,096 + size of the front). Else that
    /// of [`pareto::front`] over the answer.
    pub fn front_in(&self, query: &Query<'_, 's>) -> Result<Vec<RowId>, QueryError> {
        if let (Some(pair), [x, y]) = (&self.pair, self.objectives.as_slice())
            && std::ptr::eq(query.view(), self.view)
            && let Some([x, y]) = query.only_box([&x.column, &y.column])
        {
            return Ok(pair.front_in(x, y).into_iter().map(RowId).collect());
        }
        Ok(self.front_among(query.ids()?.into_iter().map(RowId)))
    }

    fn front_among(&self, rows: impl Iterator<Item = RowId>) -> Vec<RowId> {
        let rows: Vec<(RowId, [f64; D])> = rows
            .filter_map(|row| Some((row, self.cost(self.point(row)?))))
            .collect();
        let costs: Vec<[f64; D]> = rows.iter().map(|(_, cost)| *cost).collect();
        let front = pareto::front(&costs).into_iter();
        let front = front.filter_map(|place| rows.get(place as usize));
        front.map(|(row, _)| *row).collect()
    }

    /// Whether a row dominates the candidate.
    ///
    /// # Complexity
    /// O(log of the front's size), some nanoseconds, for an indexed pair; else O(size of the front).
    #[must_use]
    pub fn is_dominated(&self, candidate: impl Into<Candidate<D>>) -> bool {
        let Some(point) = self.resolve(candidate.into()) else {
            return false;
        };
        if let (Some(pair), &[x, y]) = (&self.pair, point.as_slice()) {
            return pair.is_dominated(x, y);
        }
        let cost = self.cost(point);
        let front = self.front().iter().filter_map(|&row| self.point(row));
        front
            .map(|own| self.cost(own))
            .any(|own| pareto::dominates(&own, &cost))
    }

    /// How many rows dominate the candidate.
    ///
    /// # Complexity
    /// O(log n) for an indexed pair, else O(n).
    #[must_use]
    pub fn dominator_count(&self, candidate: impl Into<Candidate<D>>) -> usize {
        self.count(candidate.into(), Side::Better)
    }

    /// The rows that dominate the candidate.
    ///
    /// # Complexity
    /// O(rows that are as good in the first objective), 64 at once, for an indexed pair; else O(n).
    #[must_use]
    pub fn dominators(&self, candidate: impl Into<Candidate<D>>) -> RowSet {
        self.rows(candidate.into(), Side::Better)
    }

    /// How many rows the candidate dominates.
    ///
    /// # Complexity
    /// As [`dominator_count`](Self::dominator_count).
    #[must_use]
    pub fn dominated_count(&self, candidate: impl Into<Candidate<D>>) -> usize {
        self.count(candidate.into(), Side::Worse)
    }

    /// The rows that the candidate dominates.
    ///
    /// # Complexity
    /// As [`dominators`](Self::dominators).
    #[must_use]
    pub fn dominated(&self, candidate: impl Into<Candidate<D>>) -> RowSet {
        self.rows(candidate.into(), Side::Worse)
    }

    /// A row's non-domination rank: 0 on the front, 1 on the front of the rest, and so on; `None` where it lacks a value.
    ///
    /// # Complexity
    /// O(1) for an indexed pair: it is stored. Else that of [`pareto::layers`], the first time.
    #[must_use]
    pub fn layer(&self, row: RowId) -> Option<u32> {
        match &self.pair {
            Some(pair) => pair.layer(row.0),
            None => {
                let layers = self.layers.get_or_init(|| pareto::layers(self.costs()));
                layers.get(row.index()).copied().flatten()
            }
        }
    }

    /// A few rows of the front, such that every row is additively epsilon-dominated by one of them; `epsilon` is in the
    /// metrics' own units. `None` where one of its values is negative or not finite.
    ///
    /// # Complexity
    /// O(f b) for a front of f rows in b boxes of edges epsilon.
    #[must_use]
    pub fn epsilon_front(&self, epsilon: [f64; D]) -> Option<Vec<RowId>> {
        let rows = self.front();
        let costs = self.costs_of(rows);
        let chosen = pareto::epsilon_front(&costs, &epsilon)?.into_iter();
        Some(
            chosen
                .filter_map(|place| rows.get(place as usize).copied())
                .collect(),
        )
    }

    /// Whether a row, were it better by `epsilon` in each objective, would be no worse than the candidate in all of them.
    ///
    /// # Complexity
    /// O(size of the front).
    #[must_use]
    pub fn is_epsilon_dominated(
        &self,
        candidate: impl Into<Candidate<D>>,
        epsilon: [f64; D],
    ) -> bool {
        let Some(point) = self.resolve(candidate.into()) else {
            return false;
        };
        let cost = self.cost(point);
        let front = self.costs_of(self.front());
        front
            .iter()
            .any(|own| pareto::epsilon_dominates(own, &cost, &epsilon))
    }

    /// How far apart the neighbours of each of these rows are in the objectives; usually asked of a front. See
    /// [`pareto::crowding_distance`].
    ///
    /// # Complexity
    /// O(k log k) for k rows.
    #[must_use]
    pub fn crowding_distance(&self, rows: &[RowId]) -> Vec<f64> {
        pareto::crowding_distance(&self.costs_of(rows))
    }

    /// The corners of the front in the metrics' own units: ideal, nadir, and the reference, which is the worst finite value
    /// of any row in each objective. `None` where no row has a value in every objective.
    ///
    /// # Complexity
    /// O(n).
    #[must_use]
    pub fn bounds(&self) -> Option<pareto::Bounds<D>> {
        let mut bounds = pareto::bounds(&self.costs_of(self.front()))?;
        bounds.reference = std::array::from_fn(|objective| {
            let complete = self
                .costs()
                .iter()
                .filter(|cost| !cost.iter().any(|c| c.is_nan()));
            let values = complete.filter_map(|cost| cost.get(objective).copied());
            let finite = values.filter(|value| value.is_finite());
            finite.reduce(f64::max).unwrap_or(f64::NAN)
        });
        for corner in [&mut bounds.ideal, &mut bounds.nadir, &mut bounds.reference] {
            // A cost's cost is the value again.
            *corner = self.cost(*corner);
        }
        Some(bounds)
    }

    /// The volume of what the front dominates, bounded by a reference in the metrics' own units.
    ///
    /// # Complexity
    /// That of [`pareto::hypervolume`] over the front.
    #[must_use]
    pub fn hypervolume(&self, reference: [f64; D]) -> f64 {
        pareto::hypervolume(&self.costs_of(self.front()), &self.cost(reference))
    }

    /// The hypervolume within the view's own reference, as a fraction of the box from ideal to reference: 0 to 1; `None`
    /// where the box is empty.
    ///
    /// # Complexity
    /// As [`bounds`](Self::bounds) and [`hypervolume`](Self::hypervolume).
    #[must_use]
    pub fn normalised_hypervolume(&self) -> Option<f64> {
        let bounds = self.bounds()?;
        let sides = bounds.reference.iter().zip(&bounds.ideal);
        let volume: f64 = sides
            .map(|(reference, ideal)| (reference - ideal).abs())
            .product();
        let share = self.hypervolume(bounds.reference) / volume;
        share.is_finite().then_some(share)
    }

    /// What each row of the front alone adds to the hypervolume within a reference; in the order of the front.
    ///
    /// # Complexity
    /// That of [`pareto::hypervolume_contributions`] over the front.
    #[must_use]
    pub fn contributions(&self, reference: [f64; D]) -> Vec<f64> {
        let costs = self.costs_of(self.front());
        pareto::hypervolume_contributions(&costs, &self.cost(reference))
    }

    /// For each objective the row of the front that is best in it. `None` where the front is empty.
    ///
    /// # Complexity
    /// O(size of the front).
    #[must_use]
    pub fn extremes(&self) -> Option<[RowId; D]> {
        let rows = self.front();
        let places = pareto::extremes(&self.costs_of(rows))?;
        let mut extremes = [RowId(0); D];
        for (slot, place) in extremes.iter_mut().zip(places) {
            *slot = rows.get(place as usize).copied()?;
        }
        Some(extremes)
    }

    fn resolve(&self, candidate: Candidate<D>) -> Option<[f64; D]> {
        match candidate {
            Candidate::Row(row) => self.point(row),
            Candidate::Point(point) => point.iter().all(|value| !value.is_nan()).then_some(point),
        }
    }

    /// Values as something to minimise, and the reverse.
    fn cost(&self, point: [f64; D]) -> [f64; D] {
        let mut cost = point;
        for (value, objective) in cost.iter_mut().zip(&self.objectives) {
            *value = objective.direction.cost(*value);
        }
        cost
    }

    fn costs(&self) -> &[[f64; D]] {
        self.costs.get_or_init(|| {
            let mut costs = vec![[f64::NAN; D]; self.view.len()];
            for (objective, (column, own)) in self.columns.iter().zip(&self.objectives).enumerate()
            {
                for (cost, &value) in costs.iter_mut().zip(column.iter()) {
                    if let Some(slot) = cost.get_mut(objective) {
                        *slot = own.direction.cost(value);
                    }
                }
            }
            costs
        })
    }

    fn costs_of(&self, rows: &[RowId]) -> Vec<[f64; D]> {
        let points = rows.iter().map(|&row| self.point(row));
        points
            .map(|point| self.cost(point.unwrap_or([f64::NAN; D])))
            .collect()
    }

    fn count(&self, candidate: Candidate<D>, side: Side) -> usize {
        let Some(point) = self.resolve(candidate) else {
            return 0;
        };
        if let (Some(pair), &[x, y]) = (&self.pair, point.as_slice()) {
            let count = match side {
                Side::Better => pair.dominator_count(x, y),
                Side::Worse => pair.dominated_count(x, y),
            };
            return count as usize;
        }
        self.scan(point, side).count()
    }

    fn rows(&self, candidate: Candidate<D>, side: Side) -> RowSet {
        let Some(point) = self.resolve(candidate) else {
            return RowSet::new();
        };
        if let (Some(pair), &[x, y]) = (&self.pair, point.as_slice()) {
            let [box_x, box_y] = side.of(x, y);
            let rows = pair.rows(box_x, box_y);
            let equal = pair.ascending(Interval::at(x), Interval::at(y));
            return equal.fold(rows, |mut rows, row| {
                rows.remove(RowId(row));
                rows
            });
        }
        let mut bits = RowBits::window(0..self.view.len() as u32);
        self.scan(point, side).for_each(|row| bits.set(row));
        bits.to_set()
    }

    fn scan(&self, point: [f64; D], side: Side) -> impl Iterator<Item = u32> {
        let cost = self.cost(point);
        let rows = self.costs().iter().zip(0..);
        let rows = rows.filter(move |(own, _)| match side {
            Side::Better => pareto::dominates(own, &cost),
            Side::Worse => pareto::dominates(&cost, own),
        });
        rows.map(|(_, row)| row)
    }
}

impl Dominance<'_, '_, 2> {
    /// The knee of the front: the row where it bends the most; `None` where it has fewer than three distinct points. See
    /// [`pareto::knee`].
    ///
    /// # Complexity
    /// O(f log f) for a front of f rows.
    #[must_use]
    pub fn knee(&self) -> Option<RowId> {
        self.knee_of(self.front())
    }

    /// As [`knee`](Self::knee), of a front of some rows, such as that of [`front_of`](Self::front_of).
    #[must_use]
    pub fn knee_of(&self, front: &[RowId]) -> Option<RowId> {
        let place = pareto::knee(&self.costs_of(front))?;
        front.get(place as usize).copied()
    }
}

/// What is compared with a point.
#[derive(Debug, Clone, Copy)]
enum Side {
    /// What dominates it.
    Better,
    /// What it dominates.
    Worse,
}

impl Side {
    /// The box of an indexed pair, less x and more y being better.
    fn of(self, x: f64, y: f64) -> [Interval; 2] {
        match self {
            Self::Better => [Interval::up_to(x), Interval::from(y)],
            Self::Worse => [Interval::from(x), Interval::up_to(y)],
        }
    }
}

/// What is compared.
impl<const D: usize> fmt::Debug for Dominance<'_, '_, D> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Dominance")
            .field("view", self.view)
            .field("objectives", &self.objectives)
            .finish_non_exhaustive()
    }
}

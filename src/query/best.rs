//! Rows in order: the best, a page, the nearest.

use std::cmp::Ordering;

use super::explain::Trace;
use super::{Direction, Query, QueryError, order};
use crate::index::{ColumnIndex, Interval, PairIndex};
use crate::snapshot::RowId;

/// Below so many candidates, they are sorted instead of being looked for in the order of a column.
const FEW: usize = 1024;

/// Rows in the order of a metric; see [`Query::ordered`].
pub struct Ordered<'v>(Box<dyn Iterator<Item = u32> + 'v>);

impl Iterator for Ordered<'_> {
    type Item = RowId;

    fn next(&mut self) -> Option<RowId> {
        self.0.next().map(RowId)
    }
}

impl<'v, 's: 'v> Query<'v, 's> {
    /// The rows in the order of a metric, found as they are asked for; rows of equal value in ascending order of row. Rows
    /// without a value in the metric are left out.
    ///
    /// # Errors
    /// The view has no such column, or an index is damaged.
    ///
    /// # Complexity
    /// With an index of the metric: O(1) for each row that is passed; blocks of rows without an answer are passed at once
    /// where the metric and a bounded one are an indexed pair. Without one: the rows are found and sorted first.
    pub fn ordered(
        &self,
        metric: impl AsRef<str>,
        direction: Direction,
    ) -> Result<Ordered<'v>, QueryError> {
        self.walk(metric.as_ref(), direction)
    }

    /// One page of the rows in the order of a metric: `len` rows behind the first `start`.
    ///
    /// # Errors
    /// As [`ordered`](Self::ordered).
    ///
    /// # Complexity
    /// O(len) where the metric is indexed and nothing else is asked; else as [`ordered`](Self::ordered).
    pub fn page(
        &self,
        metric: impl AsRef<str>,
        direction: Direction,
        start: usize,
        len: usize,
    ) -> Result<Vec<RowId>, QueryError> {
        let metric = metric.as_ref();
        if direction == Direction::Minimize
            && let Some((column, interval)) = self.only_in(metric)?
        {
            let places = column.ranks(interval);
            let first = u32::try_from(start)
                .ok()
                .and_then(|start| places.start.checked_add(start));
            let first = first.unwrap_or(places.end).min(places.end);
            let rows = (first..places.end).filter_map(|place| column.row_at(place));
            return Ok(rows.take(len).map(RowId).collect());
        }
        let rows = self.ordered(metric, direction)?;
        Ok(rows.skip(start).take(len).collect())
    }

    /// The `k` rows with the least values in a metric, the least first.
    ///
    /// ```no_run
    /// use ecnas::metrics::Metric::{Energy, ValidationAccuracy};
    /// # fn example(view: &ecnas::snapshot::View<'_>) -> Result<(), ecnas::query::QueryError> {
    /// // The cheapest cell that is at least so accurate.
    /// let cheapest = view.query().at_least(ValidationAccuracy, 0.93)?.lowest(Energy, 1)?;
    /// // The most accurate one that costs at most so much.
    /// let best = view.query().at_most(Energy, 0.3)?.highest(ValidationAccuracy, 1)?;
    /// # Ok(()) }
    /// ```
    ///
    /// # Errors
    /// As [`ordered`](Self::ordered).
    ///
    /// # Complexity
    /// As [`ordered`](Self::ordered), for `k` rows.
    pub fn lowest(&self, metric: impl AsRef<str>, k: usize) -> Result<Vec<RowId>, QueryError> {
        self.page(metric, Direction::Minimize, 0, k)
    }

    /// The `k` rows with the greatest values in a metric, the greatest first.
    ///
    /// # Errors
    /// As [`ordered`](Self::ordered).
    ///
    /// # Complexity
    /// O(rows within the other bound / 4,096 + k log k) where metric and bound are an indexed pair; else as
    /// [`ordered`](Self::ordered), for `k` rows.
    pub fn highest(&self, metric: impl AsRef<str>, k: usize) -> Result<Vec<RowId>, QueryError> {
        let metric = metric.as_ref();
        if let Some((pair, x, y)) = self.box_under(metric)? {
            let rows = pair.greatest_in(x, y, k);
            return Ok(rows.into_iter().map(RowId).collect());
        }
        self.page(metric, Direction::Maximize, 0, k)
    }

    /// The `k` rows nearest to wanted values, the nearest first, with their distance: Euclidean, where each metric is
    /// divided by the difference of its greatest and its least finite value in the view. Rows that lack a value, or whose
    /// value is infinite, are left out.
    ///
    /// # Errors
    /// The view lacks a column, or a wanted value is not finite.
    ///
    /// # Complexity
    /// For an indexed pair of metrics, and no conditions: some microseconds, in which boxes grow until one holds `k` rows.
    /// Else O(n).
    pub fn nearest(
        &self,
        wanted: &[(&str, f64)],
        k: usize,
    ) -> Result<Vec<(RowId, f64)>, QueryError> {
        let mut axes = Vec::with_capacity(wanted.len());
        let mut query = self.clone();
        for &(name, value) in wanted {
            if !value.is_finite() {
                return Err(QueryError::NotFinite {
                    column: name.to_owned(),
                    found: value,
                });
            }
            let column = self.view.named_column(name)?;
            query = query.has(name)?;
            let index = self.view.index()?.and_then(|index| index.column(name));
            axes.push(Axis {
                values: column.values,
                wanted: value,
                scale: scale(index, column.values),
            });
        }
        let mut nearest = Nearest {
            k,
            rows: Vec::new(),
        };
        let plain = self.bounds.is_empty()
            && self.within.is_none()
            && self.features.is_empty()
            && !self.never;
        if let (true, &[(x_name, _), (y_name, _)], [x, y]) = (plain, wanted, axes.as_slice())
            && let Some(index) = self.view.index()?
            && let Some(pair) = index.budget.pair(x_name, y_name)
        {
            let box_of = |radius: f64| (x.around(radius), y.around(radius));
            // Of a box with enough rows, none is farther away than its corners.
            let enough = k.min(pair.count(Interval::FINITE, Interval::FINITE) as usize);
            let mut radius = 1.0_f64 / 1024.0;
            while radius.is_finite() && {
                let (x, y) = box_of(radius);
                (pair.count(x, y) as usize) < enough
            } {
                radius *= 2.0;
            }
            let (x, y) = box_of(radius * std::f64::consts::SQRT_2);
            pair.ascending(x, y).for_each(|row| nearest.add(&axes, row));
            return Ok(nearest.finish());
        }
        let found = query.find(&mut Trace::off())?.into_set();
        found.iter().for_each(|row| nearest.add(&axes, row.0));
        Ok(nearest.finish())
    }

    /// The rows in the order of a metric.
    fn walk(&self, metric: &str, direction: Direction) -> Result<Ordered<'v>, QueryError> {
        let query = self.clone().has(metric)?;
        if query.never {
            return Ok(Ordered(Box::new(std::iter::empty())));
        }
        let index = query.view.index()?;
        let column = index.and_then(|index| index.column(metric));
        let (Some(index), Some(&column)) = (index, column) else {
            return query.sorted(metric, direction);
        };
        let fewest = query.bounds.iter().filter_map(|bound| {
            let column = index.column(bound.name)?;
            Some(column.ranks(bound.interval).len())
        });
        let among = query.within.is_some() || !query.features.is_empty();
        if among || fewest.min().is_some_and(|fewest| fewest <= FEW) {
            return query.sorted(metric, direction);
        }
        let own = query.bounds.iter().find(|bound| bound.name == metric);
        let interval = own.map_or(Interval::ALL, |own| own.interval);
        if direction == Direction::Maximize {
            let places = column.ranks(interval);
            let rows = Descending::new(column, places);
            return Ok(Ordered(Box::new(rows.filter(move |&row| query.holds(row)))));
        }
        let mut others = query.bounds.iter().filter(|bound| bound.name != metric);
        let paired = others.find_map(|bound| {
            let pair = index.budget.pair(metric, bound.name)?;
            Some(pair.ascending(interval, bound.interval))
        });
        if let Some(rows) = paired {
            return Ok(Ordered(Box::new(rows.filter(move |&row| query.holds(row)))));
        }
        let rows = column
            .ranks(interval)
            .filter_map(move |place| column.row_at(place));
        Ok(Ordered(Box::new(rows.filter(move |&row| query.holds(row)))))
    }

    /// The rows, found and sorted.
    fn sorted(&self, metric: &str, direction: Direction) -> Result<Ordered<'v>, QueryError> {
        let values = self.view.column(metric)?;
        let mut ids = self.ids()?;
        let cost = |row: u32| {
            let value = values.get(row as usize).copied();
            direction.cost(value.unwrap_or(f64::NAN))
        };
        // Stable: ties stay in ascending order of row.
        ids.sort_by(|&a, &b| order(cost(a), cost(b)));
        Ok(Ordered(Box::new(ids.into_iter())))
    }

    /// The column of a metric and where its value must lie, if it is indexed and nothing else is asked.
    fn only_in(&self, metric: &str) -> Result<Option<(ColumnIndex<'_>, Interval)>, QueryError> {
        // That the column is there is asked elsewhere, where it is not.
        let plain = self.within.is_none() && self.features.is_empty() && !self.never;
        let interval = match self.bounds.as_slice() {
            [] => Interval::ALL,
            [only] if only.name == metric => only.interval,
            _ => return Ok(None),
        };
        let column = self.view.index()?.and_then(|index| index.column(metric));
        Ok(column.filter(|_| plain).map(|column| (*column, interval)))
    }

    /// The box of an indexed pair whose y is the metric, if that is all that is asked.
    fn box_under(
        &self,
        metric: &str,
    ) -> Result<Option<(PairIndex<'_>, Interval, Interval)>, QueryError> {
        let plain = self.within.is_none() && self.features.is_empty() && !self.never;
        let (x, y) = match self.bounds.as_slice() {
            [x] if x.name != metric => (x, Interval::ALL),
            [x, y] if y.name == metric => (x, y.interval),
            [y, x] if y.name == metric => (x, y.interval),
            _ => return Ok(None),
        };
        let pair = self
            .view
            .index()?
            .and_then(|index| index.budget.pair(x.name, metric));
        Ok(pair.filter(|_| plain).map(|pair| (*pair, x.interval, y)))
    }
}

/// The rows of a stretch of a column's order from its end, rows of equal value in ascending order of row.
struct Descending<'a> {
    column: ColumnIndex<'a>,
    /// Places that are left.
    start: u32,
    end: u32,
    /// Places of the value that is being walked.
    tied: std::ops::Range<u32>,
}

impl<'a> Descending<'a> {
    fn new(column: ColumnIndex<'a>, places: std::ops::Range<u32>) -> Self {
        Self {
            column,
            start: places.start,
            end: places.end,
            tied: 0..0,
        }
    }

    fn value(&self, place: u32) -> Option<f64> {
        let row = self.column.row_at(place)?;
        self.column.values().get(row as usize).copied()
    }
}

impl Iterator for Descending<'_> {
    type Item = u32;

    fn next(&mut self) -> Option<u32> {
        if self.tied.is_empty() {
            let last = self.end.checked_sub(1).filter(|&last| last >= self.start)?;
            let value = self.value(last);
            let mut first = last;
            while first > self.start && self.value(first - 1) == value {
                first -= 1;
            }
            self.tied = first..self.end;
            self.end = first;
        }
        self.column.row_at(self.tied.next()?)
    }
}

/// A metric, the value wanted of it, and what its differences are divided by.
struct Axis<'v> {
    values: &'v [f64],
    wanted: f64,
    scale: f64,
}

impl Axis<'_> {
    fn distance(&self, row: u32) -> f64 {
        let value = self.values.get(row as usize).copied().unwrap_or(f64::NAN);
        (value - self.wanted).abs() / self.scale
    }

    /// The values at no greater distance, and what rounding may add to them.
    fn around(&self, radius: f64) -> Interval {
        let reach = radius * self.scale * (1.0 + 1e-9) + self.wanted.abs() * 1e-14;
        let ends = self.wanted - reach..=self.wanted + reach;
        Interval::new(ends).unwrap_or(Interval::ALL)
    }
}

/// The difference of the greatest and the least finite value; 1 where there is none.
fn scale(index: Option<&ColumnIndex<'_>>, values: &[f64]) -> f64 {
    let value = |row: u32| values.get(row as usize).copied();
    let (least, greatest) = match index {
        Some(column) => {
            let finite = column.ranks(Interval::FINITE);
            let at = |place: Option<u32>| column.row_at(place?).and_then(value);
            let ends = (at(Some(finite.start)), at(finite.end.checked_sub(1)));
            if finite.is_empty() {
                (None, None)
            } else {
                ends
            }
        }
        None => {
            let finite = || values.iter().copied().filter(|value| value.is_finite());
            (finite().reduce(f64::min), finite().reduce(f64::max))
        }
    };
    match least.zip(greatest) {
        Some((least, greatest)) if greatest > least && (greatest - least).is_finite() => {
            greatest - least
        }
        _ => 1.0,
    }
}

/// The nearest rows so far, the farthest of them last.
struct Nearest {
    k: usize,
    rows: Vec<(f64, u32)>,
}

impl Nearest {
    fn add(&mut self, axes: &[Axis<'_>], row: u32) {
        let distance = match axes {
            [only] => only.distance(row),
            _ => {
                let squares = axes.iter().map(|axis| axis.distance(row).powi(2));
                squares.sum::<f64>().sqrt()
            }
        };
        if !distance.is_finite() || self.k == 0 {
            return;
        }
        let by_distance = |other: &(f64, u32)| match order(other.0, distance) {
            Ordering::Equal => other.1 < row,
            ordering => ordering == Ordering::Less,
        };
        let place = self.rows.partition_point(by_distance);
        if place < self.k {
            self.rows.truncate(self.k - 1);
            self.rows.insert(place, (distance, row));
        }
    }

    fn finish(self) -> Vec<(RowId, f64)> {
        let rows = self.rows.into_iter();
        rows.map(|(distance, row)| (RowId(row), distance)).collect()
    }
}

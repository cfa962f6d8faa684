use std::fmt;
use std::ops::{RangeBounds, RangeInclusive};

use smallvec::SmallVec;

use super::explain::Trace;
use super::found::Found;
use super::{Explanation, Predicate, QueryError, plan};
use crate::cell::Feature;
use crate::index::{Interval, RowSet};
use crate::metrics::Provenance;
use crate::snapshot::{RowId, View};

impl<'s> View<'s> {
    /// Asks for the rows that satisfy conditions; without any, for all rows that have a trial at the view's budget.
    ///
    /// ```no_run
    /// use ecnas::metrics::Metric::{Energy, ValidationAccuracy};
    /// # fn example(view: &ecnas::snapshot::View<'_>) -> Result<(), ecnas::query::QueryError> {
    /// let good_and_cheap = view.query().at_most(Energy, 0.3)?.at_least(ValidationAccuracy, 0.93)?;
    /// println!("{} cells", good_and_cheap.count()?);
    /// let cheapest = good_and_cheap.lowest(Energy, 10)?;
    /// # Ok(()) }
    /// ```
    ///
    /// # Complexity
    /// O(1): nothing happens before an answer is asked for.
    #[must_use]
    pub const fn query(&self) -> Query<'_, 's> {
        Query {
            view: self,
            bounds: SmallVec::new_const(),
            features: Vec::new(),
            within: None,
            never: false,
        }
    }
}

/// Conditions on the rows of a view, all of which must hold; see [`View::query`].
///
/// A row whose value is missing in a metric that is bounded is not found. Answers are exact for any bound. They come from
/// the view's indexes, or, where a column has none or the view's policy for repeats is not the one that was indexed, from
/// a scan; [`explain`](Self::explain) says which.
#[derive(Clone)]
pub struct Query<'v, 's> {
    pub(super) view: &'v View<'s>,
    /// Few, as a rule: kept in place, without an allocation.
    pub(super) bounds: SmallVec<[Bounded<'v>; 3]>,
    pub(super) features: Vec<(Feature, RangeInclusive<u8>)>,
    pub(super) within: Option<RowSet>,
    /// A condition holds for no row.
    pub(super) never: bool,
}

/// A column and where its value must lie.
#[derive(Debug, Clone, Copy)]
pub(super) struct Bounded<'v> {
    pub name: &'v str,
    pub values: &'v [f64],
    pub interval: Interval,
}

impl Bounded<'_> {
    pub fn holds(&self, row: u32) -> bool {
        let value = self.values.get(row as usize);
        value.is_some_and(|&value| self.interval.contains(value))
    }
}

impl fmt::Display for Bounded<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.interval.write_about(self.name, f)
    }
}

impl<'v, 's> Query<'v, 's> {
    /// The view that is asked.
    #[must_use]
    pub const fn view(&self) -> &'v View<'s> {
        self.view
    }

    /// Keeps rows whose value in a metric lies in an interval.
    ///
    /// # Errors
    /// The view has no such column.
    pub fn within(
        mut self,
        metric: impl AsRef<str>,
        interval: Interval,
    ) -> Result<Self, QueryError> {
        let (name, values) = self.view.column_entry(metric.as_ref())?;
        let mut bounds = self.bounds.iter_mut();
        match bounds.find(|bound| std::ptr::eq(bound.name, name)) {
            Some(bound) => bound.interval = bound.interval.intersect(interval),
            None => self.bounds.push(Bounded {
                name,
                values,
                interval,
            }),
        }
        Ok(self)
    }

    /// Keeps rows whose value in a metric lies in a range: `..=0.3`, `0.9..`, or a pair of bounds.
    ///
    /// # Errors
    /// The view has no such column, or a bound is NaN.
    pub fn between(
        self,
        metric: impl AsRef<str>,
        range: impl RangeBounds<f64>,
    ) -> Result<Self, QueryError> {
        let interval = Interval::new(range).map_err(|_| QueryError::NotANumber {
            column: metric.as_ref().to_owned(),
        })?;
        self.within(metric, interval)
    }

    /// Keeps rows with at most so much of a metric.
    ///
    /// # Errors
    /// As [`between`](Self::between).
    pub fn at_most(self, metric: impl AsRef<str>, most: f64) -> Result<Self, QueryError> {
        self.between(metric, ..=most)
    }

    /// Keeps rows with at least so much of a metric.
    ///
    /// # Errors
    /// As [`between`](Self::between).
    pub fn at_least(self, metric: impl AsRef<str>, least: f64) -> Result<Self, QueryError> {
        self.between(metric, least..)
    }

    /// Keeps rows that have a value in a metric.
    ///
    /// # Errors
    /// The view has no such column.
    pub fn has(self, metric: impl AsRef<str>) -> Result<Self, QueryError> {
        self.within(metric, Interval::ALL)
    }

    /// Keeps rows whose cell has a feature in a range: `2..=4`, `5..`.
    #[must_use]
    pub fn structure(mut self, feature: Feature, values: impl RangeBounds<u8>) -> Self {
        let mut allowed = (0..=u8::MAX).filter(|value| values.contains(value));
        match allowed.next() {
            Some(first) => {
                let last = allowed.next_back().unwrap_or(first);
                self.features.push((feature, first..=last));
            }
            None => self.never = true,
        }
        self
    }

    /// Keeps rows whose value in a metric has this provenance. The values of trials share one, and so do the estimates that
    /// stand where no trial has a value.
    ///
    /// # Errors
    /// The view has no such column, or the table's description is damaged.
    pub fn provenance(
        self,
        metric: impl AsRef<str>,
        provenance: &Provenance,
    ) -> Result<Self, QueryError> {
        let info = self.view.table().info()?;
        let tried = info.provenance_of(metric.as_ref(), false) == *provenance;
        let estimated = info.provenance_of(metric.as_ref(), true) == *provenance;
        let view = self.view;
        let mut query = self.has(&metric)?;
        if tried == estimated {
            query.never |= !tried;
            return Ok(query);
        }
        let rows = view.estimated_rows(&metric)?;
        Ok(match estimated {
            true => query.among(&rows),
            false if rows.is_empty() => query,
            false => query.among(&(&view.row_set() - &rows)),
        })
    }

    /// Keeps rows of a set: of another query, of the same table at another budget.
    #[must_use]
    pub fn among(mut self, rows: &RowSet) -> Self {
        self.within = Some(match self.within.take() {
            Some(own) => &own & rows,
            None => rows.clone(),
        });
        self
    }

    /// Keeps rows for which a predicate holds.
    ///
    /// # Errors
    /// As the method of the predicate's kind.
    pub fn matching(self, predicate: &Predicate) -> Result<Self, QueryError> {
        match predicate {
            Predicate::Within { column, interval } => self.within(column, *interval),
            Predicate::Structure { feature, values } => {
                Ok(self.structure(*feature, values.clone()))
            }
            Predicate::Provenance { column, provenance } => self.provenance(column, provenance),
        }
    }

    /// How many rows are left out only because their structure is unknown: they satisfy all conditions but those on structure,
    /// and their cells are known by hashes alone. None where no condition is on structure.
    ///
    /// # Errors
    /// An index is damaged.
    ///
    /// # Complexity
    /// Two counts.
    pub fn unknown_structure(&self) -> Result<usize, QueryError> {
        if self.features.is_empty() {
            return Ok(0);
        }
        let mut all = self.clone();
        all.features.clear();
        let known = all.clone().structure(Feature::Vertices, ..);
        Ok(all.count()?.saturating_sub(known.count()?))
    }

    /// How many rows there are.
    ///
    /// # Errors
    /// An index is damaged.
    ///
    /// # Complexity
    /// O(log n) for bounds on one indexed metric or on a pair of metrics that is indexed; else as [`rows`](Self::rows).
    pub fn count(&self) -> Result<usize, QueryError> {
        if let Some(count) = plan::count(self)? {
            return Ok(count);
        }
        Ok(self.find(&mut Trace::off())?.len())
    }

    /// Whether there is a row.
    ///
    /// # Errors
    /// An index is damaged.
    ///
    /// # Complexity
    /// As [`count`](Self::count).
    pub fn exists(&self) -> Result<bool, QueryError> {
        Ok(self.count()? > 0)
    }

    /// The rows as a set.
    ///
    /// # Errors
    /// An index is damaged.
    ///
    /// # Complexity
    /// O(rows of the most selective bound), 64 at once where columns are paired or rows are numbered in their order.
    pub fn rows(&self) -> Result<RowSet, QueryError> {
        Ok(self.find(&mut Trace::off())?.into_set())
    }

    /// The numbers of the rows, ascending.
    ///
    /// # Errors
    /// An index is damaged.
    ///
    /// # Complexity
    /// As [`rows`](Self::rows).
    pub fn ids(&self) -> Result<Vec<u32>, QueryError> {
        let mut ids = Vec::new();
        self.ids_into(&mut ids)?;
        Ok(ids)
    }

    /// Appends the numbers of the rows, ascending: as [`ids`](Self::ids), into memory that is there already.
    ///
    /// # Errors
    /// An index is damaged.
    pub fn ids_into(&self, out: &mut Vec<u32>) -> Result<(), QueryError> {
        self.find(&mut Trace::off())?.append_ids(out);
        Ok(())
    }

    /// Runs the query and says which index answered and how many rows it touched.
    ///
    /// # Errors
    /// An index is damaged.
    pub fn explain(&self) -> Result<Explanation, QueryError> {
        let mut trace = Trace::on();
        if let Some(count) = plan::explain_count(self, &mut trace)? {
            return Ok(trace.explain(count));
        }
        let found = self.find(&mut trace)?;
        Ok(trace.explain(found.len()))
    }

    /// Up to `k` rows, each with the same chance, ascending: without putting a row back. The same seed draws the same rows.
    ///
    /// # Errors
    /// An index is damaged.
    ///
    /// # Complexity
    /// As [`rows`](Self::rows), then O(k log k).
    pub fn sample(&self, k: usize, seed: u64) -> Result<Vec<RowId>, QueryError> {
        let rows = self.rows()?;
        let places = super::sample::distinct(rows.len(), k, seed);
        let drawn = places.into_iter().filter_map(|place| rows.nth(place));
        Ok(drawn.collect())
    }

    /// Where the values of two metrics must lie, if that is all that is asked.
    pub(super) fn only_box(&self, metrics: [&str; 2]) -> Option<[Interval; 2]> {
        let known = self
            .bounds
            .iter()
            .all(|bound| metrics.contains(&bound.name));
        let plain = self.within.is_none() && self.features.is_empty() && !self.never;
        let interval = |metric: &str| {
            let own = self.bounds.iter().find(|bound| bound.name == metric);
            own.map_or(Interval::ALL, |own| own.interval)
        };
        (known && plain).then(|| metrics.map(interval))
    }

    pub(super) fn find(&self, trace: &mut Trace) -> Result<Found, QueryError> {
        plan::find(self, trace)
    }

    /// Whether a row satisfies every bound on metrics.
    pub(super) fn holds(&self, row: u32) -> bool {
        self.bounds.iter().all(|bound| bound.holds(row))
    }
}

impl fmt::Debug for Query<'_, '_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let bounds: Vec<String> = self.bounds.iter().map(ToString::to_string).collect();
        f.debug_struct("Query")
            .field("view", self.view)
            .field("bounds", &bounds)
            .field("features", &self.features)
            .field("within", &self.within)
            .finish()
    }
}

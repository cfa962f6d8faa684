use std::ops::{Range, RangeInclusive};

use super::bitmaps::{Bitmaps, BitmapsBuilder};
use super::bits::RowBits;
use super::bytes::{Array, Arrays, Kind};
use super::grid::{self, Cut, Run};
use super::{IndexError, Interval, RowSet, scan, search};

/// How many codes a column has at most; 0 stands for a missing value.
const MOST_CODES: usize = 65_535;
/// How many rows share a code at least where a column has more distinct values than codes are worth having.
const ROWS_PER_CODE: usize = 16;
/// How many quantile buckets a column has.
const BUCKETS: usize = 64;

/// The index of one column: its rank order, its codes, its quantile buckets.
///
/// A *code* numbers the distinct values in ascending order, from 1, or, where there are many, short stretches of them. A
/// bound is found among the least values of the codes and then, if the code holds several values, exactly among those.
#[derive(Debug, Clone, Copy, Default)]
pub struct ColumnIndex<'a> {
    values: &'a [f64],
    order: &'a [u32],
    runs: &'a [Run],
    /// The least value of each run.
    least: &'a [f64],
    edges: &'a [f64],
    starts: &'a [u32],
    codes: &'a [u16],
    buckets: Bitmaps<'a>,
    /// How many rows have a value.
    present: u32,
}

/// The codes that lie wholly in an interval, and the rows of codes that it cuts.
#[derive(Debug, Clone)]
pub(super) struct Span<'a> {
    /// Empty where the first is greater than the last.
    pub whole: RangeInclusive<u16>,
    /// Rows of the codes that are cut, those that lie in the interval: at most two stretches of the order.
    pub cut: [Rows<'a>; 2],
    /// All codes that hold a value of the interval, whole or cut.
    pub touched: RangeInclusive<u16>,
    /// Where the whole codes begin and end in the column's order.
    pub ends: [Cut; 2],
}

impl Default for Span<'_> {
    /// No code.
    fn default() -> Self {
        Self {
            whole: RangeInclusive::new(1, 0),
            cut: [Rows::default(), Rows::default()],
            touched: RangeInclusive::new(1, 0),
            ends: [Cut::default(); 2],
        }
    }
}

/// A stretch of rows in a column's order.
#[derive(Debug, Clone)]
pub(crate) enum Rows<'a> {
    /// Their numbers.
    Listed(&'a [u32]),
    /// The order is that of rows.
    Range(Range<u32>),
}

impl Default for Rows<'_> {
    fn default() -> Self {
        Self::Listed(&[])
    }
}

impl Rows<'_> {
    pub fn len(&self) -> usize {
        match self {
            Self::Listed(rows) => rows.len(),
            Self::Range(rows) => rows.len(),
        }
    }

    pub fn get(&self, place: usize) -> Option<u32> {
        match self {
            Self::Listed(rows) => rows.get(place).copied(),
            Self::Range(rows) => {
                let row = rows.start.checked_add(u32::try_from(place).ok()?)?;
                rows.contains(&row).then_some(row)
            }
        }
    }

    pub fn iter(&self) -> impl Iterator<Item = u32> + '_ {
        (0..self.len()).filter_map(|place| self.get(place))
    }
}

impl<'a> ColumnIndex<'a> {
    pub(super) fn over(values: &'a [f64]) -> Self {
        Self {
            values,
            ..Self::default()
        }
    }

    /// Takes an array that belongs to the column; whether it does.
    pub(super) fn take(&mut self, array: &Array<'a>) -> Result<bool, IndexError> {
        match array.kind {
            Kind::Order => self.order = array.slice()?,
            Kind::Runs => self.runs = array.slice()?,
            Kind::RunLeast => self.least = array.slice()?,
            Kind::Edges => self.edges = array.slice()?,
            Kind::Starts => self.starts = array.slice()?,
            Kind::Codes => self.codes = array.slice()?,
            Kind::Buckets => self.buckets.bytes = array.bytes,
            Kind::BucketEnds => self.buckets.ends = array.slice()?,
            _ => return Ok(false),
        }
        Ok(true)
    }

    /// Whether the lengths of the arrays fit each other.
    pub(super) fn check(&mut self) -> Result<(), IndexError> {
        let rows = self.values.len();
        // Where there is an order, its length says it: no page is touched for it.
        self.present = match self.order.len() {
            0 => self.starts.last().copied().unwrap_or_default(),
            places => places as u32,
        };
        let fits = self.starts.len() == self.edges.len() + 1
            && self.least.len() == self.runs.len()
            && (self.codes.is_empty() || self.codes.len() == rows)
            && self.present as usize <= rows;
        if fits {
            return Ok(());
        }
        Err(IndexError::Malformed {
            what: format!("expected the arrays of a column of {rows} rows"),
            found: format!(
                "{} places, {} and {} runs, {} edges, {} starts up to {}, {} codes",
                self.order.len(),
                self.runs.len(),
                self.least.len(),
                self.edges.len(),
                self.starts.len(),
                self.present(),
                self.codes.len()
            ),
        })
    }

    /// The column's values, one for each row; NaN where missing.
    #[must_use]
    pub const fn values(&self) -> &'a [f64] {
        self.values
    }

    /// How many rows have a value.
    #[must_use]
    pub const fn present(&self) -> u32 {
        self.present
    }

    /// The places, in ascending order of value, of the rows whose value lies in an interval: how many they are is the
    /// range's length.
    ///
    /// # Complexity
    /// O(log n).
    #[must_use]
    pub fn ranks(&self, interval: Interval) -> Range<u32> {
        let [start, end] = self.cuts(interval);
        start.place..end.place
    }

    /// Where an interval begins and ends in the order; an empty one ends where it begins.
    pub(super) fn cuts(&self, interval: Interval) -> [Cut; 2] {
        let [below, within] = interval.limits();
        let cut = |limit: f64| {
            if self.is_row_order() {
                self.cut_values(limit)
            } else {
                self.cut_codes(limit).1
            }
        };
        let start = below.map_or(Cut::default(), cut);
        let end = within.map_or_else(|| self.end(), cut);
        if end.place < start.place {
            return [start; 2];
        }
        [start, end]
    }

    /// As [`cuts`](Self::cuts), with how many codes begin before each.
    fn coded_cuts(&self, interval: Interval) -> [(usize, Cut); 2] {
        let [below, within] = interval.limits();
        let cut = |limit: f64| self.cut_codes(limit);
        let start = below.map_or((0, Cut::default()), cut);
        let end = within.map_or_else(|| (self.edges.len(), self.end()), cut);
        [start, end]
    }

    /// Behind all values.
    const fn end(&self) -> Cut {
        let (runs, place) = (self.runs.len(), self.present());
        Cut { runs, place }
    }

    /// How many runs begin up to a limit, and the first item and the end of the last of them, of what they count.
    fn run_up_to(&self, limit: f64, all: u32, count: impl Fn(&Run) -> u32) -> (usize, Range<u32>) {
        let run = |number: usize| self.runs.get(number);
        let begun = search::up_to(self.least, limit);
        let last = begun.checked_sub(1).and_then(run);
        let items = last.map_or(0, &count)..run(begun).map_or(all, &count);
        (begun, if last.is_some() { items } else { 0..0 })
    }

    /// Where the values up to a limit end, where rows are numbered in their order.
    fn cut_values(&self, limit: f64) -> Cut {
        let (runs, places) = self.run_up_to(limit, self.present(), |run| run.place);
        let values = self.values.get(places.start as usize..places.end as usize);
        let passing = search::up_to(values.unwrap_or_default(), limit) as u32;
        // In a damaged index a run may begin beyond the last row.
        let place = places.start.saturating_add(passing).min(self.present());
        Cut { runs, place }
    }

    /// Where the values up to a limit end, and how many codes begin before that.
    fn cut_codes(&self, limit: f64) -> (usize, Cut) {
        let all = self.edges.len() as u32;
        let (runs, codes) = self.run_up_to(limit, all, |run| run.code.into());
        let edges = self.edges.get(codes.start as usize..codes.end as usize);
        let codes = codes.start as usize + search::up_to(edges.unwrap_or_default(), limit);
        // The last code whose least value passes may hold others that do not.
        let Some(last) = codes.checked_sub(1) else {
            return (0, Cut::default());
        };
        let places = self.start_of(last)..self.start_of(codes);
        let run = runs.checked_sub(1).and_then(|run| self.runs.get(run));
        let place = if run.is_some_and(|run| run.is_single == 1) {
            places.end
        } else {
            self.cut_rows(places, limit)
        };
        (codes, Cut { runs, place })
    }

    /// Of the rows at these places, where those with values up to a limit end.
    fn cut_rows(&self, mut places: Range<u32>, limit: f64) -> u32 {
        /// Values of so few rows are read side by side.
        const FEW: u32 = 32;
        let passes = |row| self.value(row) <= limit;
        while places.end.saturating_sub(places.start) > FEW {
            let middle = places.start.midpoint(places.end);
            match self.row_at(middle).is_some_and(passes) {
                true => places.start = middle + 1,
                false => places.end = middle,
            }
        }
        let rows = self.stretch(places.clone());
        let passing: u32 = rows.iter().map(|row| u32::from(passes(row))).sum();
        places.start + passing
    }

    /// The row at a place in ascending order of value; rows of equal value are in ascending order.
    ///
    /// # Complexity
    /// O(1).
    #[must_use]
    pub fn row_at(&self, place: u32) -> Option<u32> {
        if self.order.is_empty() {
            return (place < self.present()).then_some(place);
        }
        self.order.get(place as usize).copied()
    }

    /// The rows at these places.
    pub(crate) fn stretch(&self, places: Range<u32>) -> Rows<'a> {
        let places = places.start..places.end.min(self.present()).max(places.start);
        if self.order.is_empty() {
            return Rows::Range(places);
        }
        let rows = self.order.get(places.start as usize..places.end as usize);
        Rows::Listed(rows.unwrap_or_default())
    }

    /// Whether rows are numbered in the order of this column.
    pub(crate) const fn is_row_order(&self) -> bool {
        self.order.is_empty()
    }

    /// The runs of the order.
    pub(super) const fn runs(&self) -> &'a [Run] {
        self.runs
    }

    pub(super) const fn codes(&self) -> &'a [u16] {
        self.codes
    }

    /// A row's value.
    pub(super) fn value(&self, row: u32) -> f64 {
        self.values.get(row as usize).copied().unwrap_or(f64::NAN)
    }

    /// The place where a code begins, counted from 0.
    fn start_of(&self, code: usize) -> u32 {
        let start = self.starts.get(code).copied().unwrap_or_default();
        start.min(self.present())
    }

    /// An interval as codes, and the rows of the codes that it cuts.
    pub(super) fn span(&self, interval: Interval) -> Span<'a> {
        let [(first, start), (behind, end)] = self.coded_cuts(interval);
        let runs = [start.runs, end.runs];
        let (start, end) = (start.place, end.place);
        if start >= end {
            return Span::default();
        }
        // The code that holds the last place is whole if it ends there.
        let last = behind - usize::from(end < self.start_of(behind));
        // The code that holds the first place is cut if it begins before it.
        let touched = first + 1 - usize::from(start < self.start_of(first));
        let (whole, cut, places) = if first < last {
            let places = self.start_of(first)..self.start_of(last);
            let before = self.stretch(start..places.start);
            let after = self.stretch(places.end..end);
            // Codes count from 1, and the last one is the one before `last` begins.
            (first as u16 + 1..=last as u16, [before, after], places)
        } else {
            // No code lies in the interval as a whole; one or two are cut.
            (
                RangeInclusive::new(1, 0),
                [self.stretch(start..end), Rows::default()],
                0..0,
            )
        };
        let [start, end] = runs;
        let ends = [(start, places.start), (end, places.end)];
        Span {
            whole,
            cut,
            touched: touched as u16..=behind as u16,
            ends: ends.map(|(runs, place)| Cut { runs, place }),
        }
    }

    /// Whether all values of a code, counted from 1, are equal.
    pub(super) fn is_single(&self, code: u16) -> bool {
        let code = usize::from(code);
        let ends = [
            self.start_of(code.saturating_sub(1)),
            self.start_of(code).saturating_sub(1),
        ];
        let [first, last] = ends.map(|place| self.row_at(place).map(|row| self.value(row)));
        first == last
    }

    /// Of the rows of a window, those whose value lies in an interval, 64 rows at once; `None` where rows have no codes.
    pub(crate) fn marked(&self, interval: Interval, window: Range<u32>) -> Option<RowBits> {
        let mut bits = RowBits::window(window.clone());
        let base = bits.base();
        let codes = self.codes.get(base as usize..window.end as usize)?;
        let span = self.span(interval);
        if !span.whole.is_empty() {
            scan::mark(codes, span.whole, bits.words_mut());
        }
        bits.begin_at(window.start);
        let cut = span.cut.iter().flat_map(|rows| rows.iter());
        cut.filter(|row| window.contains(row))
            .for_each(|row| bits.set(row));
        Some(bits)
    }

    /// Whether every row has a code, so that [`marked`](Self::marked) works.
    pub(crate) const fn is_coded(&self) -> bool {
        !self.codes.is_empty()
    }

    /// How many quantile buckets there are.
    #[must_use]
    pub const fn bucket_count(&self) -> usize {
        self.buckets.len()
    }

    /// The places, in ascending order of value, of a bucket's rows.
    fn bucket_places(&self, bucket: usize) -> Range<u32> {
        quantile(self.present(), bucket, self.bucket_count())
            ..quantile(self.present(), bucket + 1, self.bucket_count())
    }

    /// The rows of a quantile bucket, decoded: bucket 0 holds the rows with the least values.
    ///
    /// # Errors
    /// There is no such bucket, or its bytes are damaged.
    pub fn bucket(&self, bucket: usize) -> Result<RowSet, IndexError> {
        self.buckets.get(bucket)
    }

    /// The rows whose value lies in an interval: whole quantile buckets united with the rows of those that it cuts.
    ///
    /// # Errors
    /// The bytes of a bucket are damaged.
    ///
    /// # Complexity
    /// O(rows found), and O(n / 64) at the ends.
    pub fn rows(&self, interval: Interval) -> Result<RowSet, IndexError> {
        let places = self.ranks(interval);
        if self.is_row_order() {
            return Ok(RowSet::from_range(places));
        }
        let whole: Vec<usize> = (0..self.bucket_count())
            .filter(|&bucket| {
                let bucket = self.bucket_places(bucket);
                places.start <= bucket.start && bucket.end <= places.end && !bucket.is_empty()
            })
            .collect();
        let (covered_from, covered_to) = match (whole.first(), whole.last()) {
            (Some(&first), Some(&last)) => (
                self.bucket_places(first).start,
                self.bucket_places(last).end,
            ),
            _ => (places.end, places.end),
        };
        let mut cut: Vec<u32> = self.stretch(places.start..covered_from).iter().collect();
        cut.extend(self.stretch(covered_to..places.end).iter());
        cut.sort_unstable();
        let cut = RowSet::from_sorted(&cut).unwrap_or_default();
        let buckets: Vec<RowSet> = whole
            .into_iter()
            .map(|bucket| self.bucket(bucket))
            .collect::<Result<_, _>>()?;
        Ok(RowSet::union_of(buckets.into_iter().chain([cut])))
    }
}

/// The first place of a quantile.
fn quantile(present: u32, bucket: usize, buckets: usize) -> u32 {
    (u64::from(present) * bucket as u64 / buckets.max(1) as u64) as u32
}

/// What building a column's index yields besides its arrays.
pub(super) struct Built {
    pub arrays: Arrays,
    order: Vec<u32>,
    is_row_order: bool,
    runs: Vec<Run>,
    least: Vec<f64>,
    edges: Vec<f64>,
    starts: Vec<u32>,
    codes: Vec<u16>,
}

impl Built {
    /// The index that was built.
    pub fn column<'a>(&'a self, values: &'a [f64]) -> ColumnIndex<'a> {
        ColumnIndex {
            values,
            order: if self.is_row_order { &[] } else { &self.order },
            runs: &self.runs,
            least: &self.least,
            edges: &self.edges,
            starts: &self.starts,
            codes: &self.codes,
            buckets: Bitmaps::default(),
            present: self.order.len() as u32,
        }
    }
}

/// Builds the index of a column. Codes are stored where `coded`.
///
/// # Complexity
/// O(n log n).
pub(super) fn build(
    owner: usize,
    name: &str,
    values: &[f64],
    coded: bool,
) -> Result<Built, IndexError> {
    let order = rank_order(values);
    let value = |row: u32| values.get(row as usize).copied().unwrap_or(f64::NAN);
    let (edges, starts) = code_edges(&order, value);
    let mut codes = Vec::new();
    if coded {
        codes = vec![0_u16; values.len()];
        for (code, pair) in starts.windows(2).enumerate() {
            let &[start, end] = pair else { continue };
            for &row in order.get(start as usize..end as usize).unwrap_or_default() {
                if let Some(slot) = codes.get_mut(row as usize) {
                    *slot = code as u16 + 1;
                }
            }
        }
    }
    let mut buckets = BitmapsBuilder::default();
    let present = order.len() as u32;
    if present > 0 {
        for bucket in 0..BUCKETS {
            let places = quantile(present, bucket, BUCKETS) as usize
                ..quantile(present, bucket + 1, BUCKETS) as usize;
            buckets.push(order.get(places).unwrap_or_default().to_vec())?;
        }
    }
    let mut arrays = Arrays::default();
    arrays.push(Kind::Name, owner, name.as_bytes());
    let is_row_order = order
        .iter()
        .enumerate()
        .all(|(place, &row)| place as u32 == row);
    if !is_row_order {
        arrays.push(Kind::Order, owner, &order);
    }
    let at = |place: u32| order.get(place as usize).map(|&row| value(row));
    let (runs, least) = grid::runs(&edges, &starts, at);
    arrays.push(Kind::Runs, owner, &runs);
    arrays.push(Kind::RunLeast, owner, &least);
    arrays.push(Kind::Edges, owner, &edges);
    arrays.push(Kind::Starts, owner, &starts);
    if coded {
        arrays.push(Kind::Codes, owner, &codes);
    }
    arrays.push(Kind::Buckets, owner, &buckets.bytes);
    arrays.push(Kind::BucketEnds, owner, &buckets.ends);
    Ok(Built {
        arrays,
        order,
        is_row_order,
        runs,
        least,
        edges,
        starts,
        codes,
    })
}

/// The rows that have a value in ascending order of value; ties in ascending order of row, -0 equals 0.
fn rank_order(values: &[f64]) -> Vec<u32> {
    let mut keyed: Vec<(u64, u32)> = values
        .iter()
        .enumerate()
        .filter(|(_, value)| !value.is_nan())
        .map(|(row, &value)| (sort_key(value), row as u32))
        .collect();
    if !keyed.is_sorted() {
        keyed.sort_unstable();
    }
    keyed.into_iter().map(|(_, row)| row).collect()
}

/// Numbers that are ordered as the values are; -0 and 0 have the same.
fn sort_key(value: f64) -> u64 {
    let bits = (value + 0.0).to_bits();
    if bits >> 63 == 0 {
        bits | 1 << 63
    } else {
        !bits
    }
}

/// The least value of every code and the place where it begins, with the end.
fn code_edges(order: &[u32], value: impl Fn(u32) -> f64) -> (Vec<f64>, Vec<u32>) {
    let mut edges: Vec<f64> = Vec::new();
    let mut starts: Vec<u32> = Vec::new();
    let mut previous = f64::NAN;
    let mut distinct = 0;
    for &row in order {
        distinct += usize::from(value(row) != previous);
        previous = value(row);
    }
    let most = (order.len() / ROWS_PER_CODE).clamp(1024, MOST_CODES);
    let fine = distinct <= most.max(MOST_CODES / 2);
    // With so many rows to a code, there are at most `most` codes: each begins at a new value.
    let least = if fine { 1 } else { order.len().div_ceil(most) };
    previous = f64::NAN;
    for (place, &row) in order.iter().enumerate() {
        let value = value(row);
        let full = starts
            .last()
            .is_none_or(|&start| place - start as usize >= least);
        if full && value != previous {
            edges.push(value);
            starts.push(place as u32);
        }
        previous = value;
    }
    starts.push(order.len() as u32);
    (edges, starts)
}

use std::cmp::Ordering;
use std::ops::{Range, RangeInclusive};

use super::bits::RowBits;
use super::bytes::{Array, Arrays, Kind};
use super::column::{Built, ColumnIndex, Rows, Span};
use super::grid::{self, Corner, Cut, Grid};
use super::{IndexError, Interval, RowSet, scan};

/// How many codes one of the maxima stands for.
const BLOCK: usize = scan::BLOCK;

/// The index of a pair of columns, x and y: what lies in a box, and what dominates what where less x and more y is better.
#[derive(Debug, Clone, Copy)]
pub struct PairIndex<'a> {
    x: ColumnIndex<'a>,
    y: ColumnIndex<'a>,
    arrays: PairArrays<'a>,
    grid: Grid<'a>,
}

/// The arrays of a pair, as they are read.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct PairArrays<'a> {
    pub columns: &'a [u32],
    codes: Option<&'a [u16]>,
    codes_across: Option<&'a [u16]>,
    maxima: &'a [u16],
    grid: &'a [u32],
    front: &'a [u32],
    staircase: &'a [[f64; 2]],
    layers: &'a [u8],
}

impl<'a> PairArrays<'a> {
    /// Takes an array that belongs to the pair; whether it does.
    pub fn take(&mut self, array: &Array<'a>) -> Result<bool, IndexError> {
        match array.kind {
            Kind::Pair => self.columns = array.slice()?,
            Kind::CodesInOrder => self.codes = Some(array.slice()?),
            Kind::Maxima => self.maxima = array.slice()?,
            Kind::CodesAcross => self.codes_across = Some(array.slice()?),
            Kind::Grid => self.grid = array.slice()?,
            Kind::Front => self.front = array.slice()?,
            Kind::Staircase => self.staircase = array.slice()?,
            Kind::Layers => self.layers = array.bytes,
            _ => return Ok(false),
        }
        Ok(true)
    }
}

impl<'a> PairIndex<'a> {
    pub(super) fn new(
        x: ColumnIndex<'a>,
        y: ColumnIndex<'a>,
        mut arrays: PairArrays<'a>,
    ) -> Result<Self, IndexError> {
        let present = x.present() as usize;
        // Where rows are numbered in the order of x, the codes of y by row are those in the order of x.
        let codes = arrays.codes.or_else(|| y.codes().get(..present));
        let codes = codes.filter(|codes| codes.len() == present);
        let grid = codes.and_then(|_| Grid::new(arrays.grid, x.runs().len(), y.runs().len()));
        // Where x is the order of rows, they are not asked for.
        let across = if x.is_row_order() {
            0
        } else {
            y.present() as usize
        };
        let codes_across = arrays.codes_across.or_else(|| x.codes().get(..across));
        let rows = x.values().len();
        let fits = arrays.maxima.len() == present.div_ceil(BLOCK)
            && arrays.staircase.len() == arrays.front.len()
            && codes_across.is_some_and(|codes| codes.len() == across)
            && (arrays.layers.len() == 2 * rows || arrays.layers.len() == 4 * rows);
        arrays.codes = codes;
        arrays.codes_across = codes_across;
        match grid.filter(|_| fits) {
            Some(grid) => Ok(Self { x, y, arrays, grid }),
            None => Err(IndexError::Malformed {
                what: format!("expected the arrays of a pair over {present} places"),
                found: format!(
                    "{:?} and {:?} codes, {} maxima, {} sums, a front of {} and {}",
                    codes.map(<[u16]>::len),
                    codes_across.map(<[u16]>::len),
                    arrays.maxima.len(),
                    arrays.grid.len(),
                    arrays.front.len(),
                    arrays.staircase.len()
                ),
            }),
        }
    }

    /// The index of x.
    #[must_use]
    pub const fn x(&self) -> &ColumnIndex<'a> {
        &self.x
    }

    /// The index of y.
    #[must_use]
    pub const fn y(&self) -> &ColumnIndex<'a> {
        &self.y
    }

    fn codes(&self) -> &'a [u16] {
        self.arrays.codes.unwrap_or_default()
    }

    /// How many rows lie in a box.
    ///
    /// # Complexity
    /// O(log n) for the bounds, four sums, and strips of less than √n rows in all, 32 or 64 at once, whatever the box holds.
    #[must_use]
    pub fn count(&self, x: Interval, y: Interval) -> u32 {
        let cuts = self.x.cuts(x);
        let span = self.y.span(y);
        let cut = span.cut.iter().flat_map(|rows| rows.iter());
        let cut = cut.filter(|&row| x.contains(self.x.value(row))).count();
        self.count_whole(cuts, &span).wrapping_add(cut as u32)
    }

    /// How many rows stand between two cuts of x and have one of the codes that lie whole in a span.
    fn count_whole(&self, cuts: [Cut; 2], span: &Span<'_>) -> u32 {
        /// So few places are looked at one by one.
        const FEW: u32 = 128;
        let beside = |places: Range<u32>| {
            let codes = self.codes().get(places.start as usize..places.end as usize);
            scan::count(codes.unwrap_or_default(), span.whole.clone())
        };
        let ([start, end], [below, above]) = (cuts, span.ends);
        if end.place.saturating_sub(start.place) <= FEW || below == above {
            return beside(start.place..end.place);
        }
        let (x, y) = (&self.x, &self.y);
        let x_ends = cuts.map(|cut| Corner::nearest(x.runs(), x.present(), cut));
        let y_ends = [below, above].map(|cut| Corner::nearest(y.runs(), y.present(), cut));
        let ([x_start, x_end], [y_start, y_end]) = (x_ends, y_ends);
        let across = |places: Range<u32>| self.count_across(places, [x_start, x_end]);
        self.grid
            .count(x_ends, y_ends)
            .wrapping_add(x_end.correct(end.place, beside))
            .wrapping_sub(x_start.correct(start.place, beside))
            .wrapping_add(y_end.correct(above.place, across))
            .wrapping_sub(y_start.correct(below.place, across))
    }

    /// How many rows stand at these places of y and between two ends of runs of x.
    fn count_across(&self, places: Range<u32>, [start, end]: [Corner; 2]) -> u32 {
        if places.is_empty() || start == end {
            return 0;
        }
        if self.x.is_row_order() {
            let rows = start.place..end.place;
            return match self.y.stretch(places) {
                Rows::Listed(own) => scan::count_rows(own, rows),
                Rows::Range(own) => {
                    let end = own.end.min(rows.end);
                    end.saturating_sub(own.start.max(rows.start))
                }
            };
        }
        let code_at = |corner: Corner| match self.x.runs().get(corner.runs) {
            Some(run) => run.code,
            None => u16::MAX,
        };
        let codes = self.arrays.codes_across.unwrap_or_default();
        let codes = codes.get(places.start as usize..places.end as usize);
        let within = code_at(start).saturating_add(1)..=code_at(end);
        scan::count(codes.unwrap_or_default(), within)
    }

    /// The rows that lie in a box.
    ///
    /// # Complexity
    /// O(rows within the bounds of x), or of the table, 64 of them at once; O(rows found) where they are few.
    #[must_use]
    pub fn rows(&self, x: Interval, y: Interval) -> RowSet {
        self.bits(x, y).to_set()
    }

    /// The rows that lie in a box, as bits.
    pub(crate) fn bits(&self, x: Interval, y: Interval) -> RowBits {
        let places = self.x.ranks(x);
        if self.x.is_row_order() {
            let bits = self.y.marked(y, places.clone());
            return bits.unwrap_or_default();
        }
        let rows = 0..self.x.values().len() as u32;
        // To mark a row by its code costs about a twentieth of what it costs to find it by its place and to set its bit.
        let found = self.count(x, y) as usize;
        if found + places.len() / 20 > rows.len() / 10
            && let (Some(mut bits), Some(by_y)) = (
                self.x.marked(x, rows.clone()),
                self.y.marked(y, rows.clone()),
            )
        {
            bits.intersect(&by_y);
            return bits;
        }
        let mut bits = RowBits::window(rows);
        if found < places.len() / 256 {
            self.ascending(x, y).for_each(|row| bits.set(row));
            return bits;
        }
        let span = self.y.span(y);
        let mut by_place = RowBits::window(places.clone());
        let base = by_place.base();
        if !span.whole.is_empty() {
            let codes = self.codes().get(base as usize..places.end as usize);
            scan::mark(codes.unwrap_or_default(), span.whole, by_place.words_mut());
        }
        by_place.begin_at(places.start);
        let order = self.x.stretch(base..places.end);
        by_place.for_each(|place| {
            if let Some(row) = order.get((place - base) as usize) {
                bits.set(row);
            }
        });
        let cut = span.cut.iter().flat_map(|rows| rows.iter());
        let cut = cut.filter(|&row| x.contains(self.x.value(row)));
        cut.for_each(|row| bits.set(row));
        bits
    }

    /// The rows of a box in ascending order of x (ties in ascending order of row), found as they are asked for.
    ///
    /// # Complexity
    /// O(1) for 4,096 rows without an answer, O(1) for an answer.
    pub fn ascending(&self, x: Interval, y: Interval) -> impl Iterator<Item = u32> + use<'a> {
        let this = *self;
        let span = self.y.span(y);
        let whole = span.whole;
        let mut places = Places::new(self, self.x.ranks(x), span.touched);
        std::iter::from_fn(move || {
            loop {
                let (place, code) = places.next()?;
                let row = this.x.row_at(place)?;
                if whole.contains(&code) || y.contains(this.y.value(row)) {
                    return Some(row);
                }
            }
        })
    }

    /// The rows of a box that no row of the box dominates, in ascending order of x.
    ///
    /// # Complexity
    /// O(rows within the bounds of x / 4,096 + size of the front), a little more where many rows tie.
    #[must_use]
    pub fn front_in(&self, x: Interval, y: Interval) -> Vec<u32> {
        let span = self.y.span(y);
        let mut places = Places::new(self, self.x.ranks(x), span.touched);
        let mut front = Vec::new();
        let mut best = f64::NEG_INFINITY;
        let mut group: Vec<(u32, f64)> = Vec::new();
        while let Some((place, _)) = places.next() {
            let Some(row) = self.x.row_at(place) else {
                break;
            };
            let value = self.x.value(row);
            // All rows of the box with this x: of those only the ones with the greatest y are candidates.
            group.clear();
            let mut end = place;
            while end < places.end()
                && let Some(row) = self.x.row_at(end)
                && self.x.value(row) == value
            {
                let own = self.y.value(row);
                if y.contains(own) {
                    group.push((row, own));
                }
                end += 1;
            }
            let greatest = group
                .iter()
                .map(|&(_, y)| y)
                .fold(f64::NEG_INFINITY, f64::max);
            if !group.is_empty() && (greatest > best || front.is_empty()) {
                best = greatest;
                let ties = group.iter().filter(|&&(_, y)| y == greatest);
                front.extend(ties.map(|&(row, _)| row));
                let code = group.iter().find(|&&(_, y)| y == greatest);
                let code = code.and_then(|&(row, _)| self.y.codes().get(row as usize).copied());
                if let Some(code) = code {
                    let single = self.y.is_single(code);
                    places.raise(code.saturating_add(u16::from(single)));
                }
            }
            // In a damaged index a row may be none, and equal nothing.
            places.skip_to(end.max(place.saturating_add(1)));
        }
        front
    }

    /// The `k` rows of a box with the greatest y: the greatest first, ties in ascending order of row.
    ///
    /// # Complexity
    /// O(rows within the bounds of x / 4,096 + k log k) and a little more: blocks without a candidate are passed over.
    #[must_use]
    pub fn greatest_in(&self, x: Interval, y: Interval, k: usize) -> Vec<u32> {
        let mut places = Places::new(self, self.x.ranks(x), self.y.span(y).touched);
        // The candidates, at most twice as many as wanted.
        let mut best: Vec<(f64, u32)> = Vec::new();
        let by_rank = |a: &(f64, u32), b: &(f64, u32)| {
            let values = b.0.partial_cmp(&a.0).unwrap_or(Ordering::Equal);
            values.then(a.1.cmp(&b.1))
        };
        while k > 0
            && let Some((place, _)) = places.next()
        {
            let Some(row) = self.x.row_at(place) else {
                break;
            };
            let value = self.y.value(row);
            if !y.contains(value) {
                continue;
            }
            best.push((value, row));
            if best.len() == k.saturating_mul(2).min(k.saturating_add(256)) {
                best.select_nth_unstable_by(k - 1, by_rank);
                best.truncate(k);
                let last = best
                    .last()
                    .and_then(|&(_, row)| self.y.codes().get(row as usize));
                if let Some(&code) = last {
                    // A row of a lesser code cannot be among the best any more.
                    places.raise(code);
                }
            }
        }
        best.sort_unstable_by(by_rank);
        best.truncate(k);
        best.into_iter().map(|(_, row)| row).collect()
    }

    /// The rows that none dominates, in ascending order of x; ties are all there.
    ///
    /// # Complexity
    /// O(1): stored.
    #[must_use]
    pub const fn front(&self) -> &'a [u32] {
        self.arrays.front
    }

    /// Of the rows with at least so much y, one with the least x, and of those the greatest y.
    ///
    /// # Complexity
    /// O(log of the front's size).
    #[must_use]
    pub fn cheapest(&self, y: f64) -> Option<u32> {
        let place = self.arrays.staircase.partition_point(|&[_, own]| own < y);
        self.arrays
            .front
            .get(place)
            .copied()
            .filter(|_| !y.is_nan())
    }

    /// Of the rows with at most so much x, one with the greatest y, and of those the least x.
    ///
    /// # Complexity
    /// O(log of the front's size).
    #[must_use]
    pub fn best(&self, x: f64) -> Option<u32> {
        let staircase = self.arrays.staircase;
        let end = staircase.partition_point(|&[own, _]| own <= x);
        let &[_, best] = staircase.get(end.checked_sub(1)?)?;
        // Ties on the front stand together: the first of them has the least row.
        let first = staircase.partition_point(|&[_, own]| own < best);
        self.arrays.front.get(first).copied()
    }

    /// Whether a row dominates a point.
    ///
    /// # Complexity
    /// O(log of the front's size).
    #[must_use]
    pub fn is_dominated(&self, x: f64, y: f64) -> bool {
        // The last row of the front that costs no more is the best of those.
        let mut left = self.arrays.staircase;
        let mut best = None;
        while left.len() > 8 {
            let (low, high) = left.split_at(left.len() / 2);
            let step = high.first();
            let costs_no_more = step.is_some_and(|&[own, _]| own <= x);
            best = if costs_no_more { step } else { best };
            left = if costs_no_more { high } else { low };
        }
        for step in left {
            let &[own, _] = step;
            best = if own <= x { Some(step) } else { best };
        }
        best.is_some_and(|&[best_x, best_y]| best_y > y || (best_y == y && best_x < x))
    }

    /// How many rows dominate a point.
    ///
    /// # Complexity
    /// As [`count`](Self::count).
    #[must_use]
    pub fn dominator_count(&self, x: f64, y: f64) -> u32 {
        if x.is_nan() || y.is_nan() {
            return 0;
        }
        let as_good = self.count(Interval::up_to(x), Interval::from(y));
        as_good.saturating_sub(self.count_at(x, y))
    }

    /// How many rows a point dominates.
    ///
    /// # Complexity
    /// As [`count`](Self::count).
    #[must_use]
    pub fn dominated_count(&self, x: f64, y: f64) -> u32 {
        if x.is_nan() || y.is_nan() {
            return 0;
        }
        let as_bad = self.count(Interval::from(x), Interval::up_to(y));
        as_bad.saturating_sub(self.count_at(x, y))
    }

    /// How many rows lie at a point.
    fn count_at(&self, x: f64, y: f64) -> u32 {
        let (at_x, at_y) = (Interval::at(x), Interval::at(y));
        let places = self.x.ranks(at_x);
        if places.len() > 64 {
            return self.count(at_x, at_y);
        }
        let rows = self.x.stretch(places);
        let equal = rows.iter().filter(|&row| self.y.value(row) == y);
        equal.count() as u32
    }

    /// The rows that dominate a point, in ascending order of x.
    ///
    /// # Complexity
    /// O(rows with less x / 4,096 + rows found).
    pub fn dominators(&self, x: f64, y: f64) -> impl Iterator<Item = u32> + use<'a> {
        let this = *self;
        let nothing = x.is_nan() || y.is_nan();
        let (within, least) = if nothing {
            (
                Interval::up_to(f64::NEG_INFINITY),
                Interval::from(f64::INFINITY),
            )
        } else {
            (Interval::up_to(x), Interval::from(y))
        };
        self.ascending(within, least)
            .filter(move |&row| !nothing && (this.x.value(row) < x || this.y.value(row) > y))
    }

    /// A row's non-domination rank: 0 on the front, 1 on the front of the rest, and so on; `None` where x or y is missing.
    ///
    /// # Complexity
    /// O(1): stored.
    #[must_use]
    pub fn layer(&self, row: u32) -> Option<u32> {
        let row = row as usize;
        let rows = self.x.values().len();
        if self.arrays.layers.len() == 2 * rows {
            let bytes = self.arrays.layers.get(2 * row..2 * row + 2)?;
            let layer = u16::from_le_bytes(bytes.try_into().ok()?);
            return (layer != u16::MAX).then_some(layer.into());
        }
        let bytes = self.arrays.layers.get(4 * row..4 * row + 4)?;
        let layer = u32::from_le_bytes(bytes.try_into().ok()?);
        (layer != u32::MAX).then_some(layer)
    }
}

/// Walks the places of a stretch whose code lies in a range, passing over blocks whose greatest code is too small.
struct Places<'a> {
    codes: &'a [u16],
    maxima: &'a [u16],
    stretch: Range<u32>,
    wanted: RangeInclusive<u16>,
    /// The block whose places are being walked, and which of them are left.
    block: usize,
    bits: u64,
    /// The group of 64 blocks that is being walked, and which of its blocks are left.
    group: usize,
    group_bits: u64,
}

impl<'a> Places<'a> {
    fn new(pair: &PairIndex<'a>, stretch: Range<u32>, wanted: RangeInclusive<u16>) -> Self {
        let mut places = Self {
            codes: pair.codes(),
            maxima: pair.arrays.maxima,
            stretch: stretch.clone(),
            wanted,
            block: 0,
            bits: 0,
            group: 0,
            group_bits: 0,
        };
        if !places.wanted.is_empty() {
            places.skip_to(stretch.start);
        }
        places
    }

    const fn end(&self) -> u32 {
        self.stretch.end
    }

    /// Passes over codes below this one from now on.
    fn raise(&mut self, least: u16) {
        if least > *self.wanted.end() {
            self.stretch.start = self.stretch.end;
        }
        self.wanted = least..=*self.wanted.end();
    }

    /// Goes on at this place.
    fn skip_to(&mut self, place: u32) {
        self.stretch.start = self.stretch.start.max(place);
        if self.stretch.is_empty() || self.wanted.is_empty() {
            self.stretch.start = self.stretch.end;
            (self.bits, self.group_bits) = (0, 0);
            self.group = usize::MAX;
            return;
        }
        let start = self.stretch.start as usize;
        let block = start / BLOCK;
        self.open_group(block / BLOCK);
        self.group_bits &= (u64::MAX << (block % BLOCK)) & !(1 << (block % BLOCK));
        self.open_block(block);
        self.bits &= u64::MAX << (start % BLOCK);
    }

    fn open_group(&mut self, group: usize) {
        let maxima = self.maxima.get(group * BLOCK..).unwrap_or_default();
        self.group = group;
        self.group_bits = scan::mark_block(maxima, *self.wanted.start()..=u16::MAX);
    }

    fn open_block(&mut self, block: usize) {
        let codes = self.codes.get(block * BLOCK..).unwrap_or_default();
        self.block = block;
        self.bits = scan::mark_block(codes, self.wanted.clone());
    }

    /// The next place and its code.
    fn next(&mut self) -> Option<(u32, u16)> {
        loop {
            if self.bits != 0 {
                let place = self.block * BLOCK + self.bits.trailing_zeros() as usize;
                self.bits &= self.bits - 1;
                if place >= self.stretch.end as usize {
                    return None;
                }
                return Some((place as u32, *self.codes.get(place)?));
            }
            if self.group_bits != 0 {
                let block = self.group * BLOCK + self.group_bits.trailing_zeros() as usize;
                self.group_bits &= self.group_bits - 1;
                self.open_block(block);
                continue;
            }
            let next = self.group.checked_add(1)?;
            if next * BLOCK * BLOCK >= self.stretch.end as usize {
                return None;
            }
            self.open_group(next);
        }
    }
}

/// Builds the index of a pair out of those of its columns.
///
/// # Complexity
/// O(n log l) for l layers.
pub(super) fn build(
    owner: usize,
    columns: [usize; 2],
    values: [&[f64]; 2],
    built: [&Built; 2],
) -> Arrays {
    let [x, y] = [0, 1].map(|side: usize| {
        let built = built.get(side)?;
        Some(built.column(values.get(side)?))
    });
    let (Some(x), Some(y)) = (x, y) else {
        return Arrays::default();
    };
    let codes = codes_in_order(&y, &x);
    let maxima: Vec<u16> = codes
        .chunks(BLOCK)
        .map(|block| block.iter().copied().max().unwrap_or_default())
        .collect();
    let (front, layers) = layers(&x, &y);
    let staircase: Vec<[f64; 2]> = front
        .iter()
        .map(|&row| [x.value(row), y.value(row)])
        .collect();
    let mut arrays = Arrays::default();
    arrays.push(Kind::Pair, owner, &columns.map(|column| column as u32));
    if !x.is_row_order() {
        arrays.push(Kind::CodesInOrder, owner, &codes);
        if !y.is_row_order() {
            arrays.push(Kind::CodesAcross, owner, &codes_in_order(&x, &y));
        }
    }
    arrays.push(Kind::Maxima, owner, &maxima);
    arrays.push(Kind::Grid, owner, &grid::build(x.runs(), y.runs(), &codes));
    arrays.push(Kind::Front, owner, &front);
    arrays.push(Kind::Staircase, owner, &staircase);
    let deepest = layers.iter().filter(|&&layer| layer != u32::MAX).max();
    if deepest.is_none_or(|&deepest| deepest < u16::MAX.into()) {
        let layers: Vec<u16> = layers.iter().map(|&layer| layer as u16).collect();
        arrays.push(Kind::Layers, owner, &layers);
    } else {
        arrays.push(Kind::Layers, owner, &layers);
    }
    arrays
}

/// The codes of a column in the order of another.
fn codes_in_order(column: &ColumnIndex<'_>, order: &ColumnIndex<'_>) -> Vec<u16> {
    let rows = order.stretch(0..order.present());
    let codes = rows.iter().map(|row| column.codes().get(row as usize));
    codes
        .map(|code| code.copied().unwrap_or_default())
        .collect()
}

/// The front in ascending order of x, and each row's non-domination rank (`u32::MAX` where x or y is missing).
fn layers(x: &ColumnIndex<'_>, y: &ColumnIndex<'_>) -> (Vec<u32>, Vec<u32>) {
    let mut points: Vec<(f64, f64, u32)> = x
        .stretch(0..x.present())
        .iter()
        .map(|row| (x.value(row), y.value(row), row))
        .filter(|(_, y, _)| !y.is_nan())
        .collect();
    // In order of x already; of equal x, the greatest y first, so that whatever dominates a row comes before it.
    for group in points.chunk_by_mut(|a, b| a.0 == b.0) {
        // -0 equals 0, and there is no NaN.
        group.sort_by(|a, b| b.1.partial_cmp(&a.1).unwrap_or(Ordering::Equal));
    }
    let mut ranks = vec![u32::MAX; x.values().len()];
    // The greatest y on each layer so far; it falls from layer to layer.
    let mut greatest: Vec<f64> = Vec::new();
    let mut front = Vec::new();
    let mut previous: Option<(f64, f64, usize)> = None;
    for (x, y, row) in points {
        let layer = match previous {
            Some((same_x, same_y, layer)) if (same_x, same_y) == (x, y) => layer,
            _ => greatest.partition_point(|&best| best >= y),
        };
        match greatest.get_mut(layer) {
            Some(best) => *best = y,
            None => greatest.push(y),
        }
        previous = Some((x, y, layer));
        if layer == 0 {
            front.push(row);
        }
        if let Some(rank) = ranks.get_mut(row as usize) {
            *rank = layer as u32;
        }
    }
    (front, ranks)
}

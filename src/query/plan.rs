//! How a query finds its rows: which index drives, and what is checked row by row.

use std::ops::Range;

use super::QueryError;
use super::explain::Trace;
use super::found::Found;
use super::range::{Bounded, Query};
use crate::index::{ColumnIndex, PairIndex, RowBits, RowSet};
use crate::snapshot::ViewIndex;

/// Where an index finds at most one row in so many, rows are looked at one by one; else 64 at once.
const SPARSE: usize = 64;
/// Where an index finds at most one row in so many, in another order than that of rows, they are sorted.
const SORTED: usize = 512;

/// The number of rows, where an index knows it without finding them.
pub(super) fn count(query: &Query<'_, '_>) -> Result<Option<usize>, QueryError> {
    explain_count(query, &mut Trace::off())
}

/// As [`count`], with notes.
pub(super) fn explain_count(
    query: &Query<'_, '_>,
    trace: &mut Trace,
) -> Result<Option<usize>, QueryError> {
    if query.never {
        return Ok(Some(0));
    }
    if query.within.is_some() || !query.features.is_empty() {
        return Ok(None);
    }
    let Some(index) = query.view.index()? else {
        return Ok(None);
    };
    let count = match query.bounds.as_slice() {
        [bound] => index.column_over(bound.name, bound.values).map(|column| {
            trace.note("rank order", 0, || bound.to_string());
            column.ranks(bound.interval).len()
        }),
        [a, b] => pair_of(index, a, b).map(|(pair, x, y)| {
            trace.note("grid", 0, || format!("{x} and {y}"));
            pair.count(x.interval, y.interval) as usize
        }),
        _ => None,
    };
    Ok(count)
}

/// The pair of two bounds, in the pair's own order.
fn pair_of<'i, 's, 'b, 'v>(
    index: &'i ViewIndex<'s>,
    a: &'b Bounded<'v>,
    b: &'b Bounded<'v>,
) -> Option<(&'i PairIndex<'s>, &'b Bounded<'v>, &'b Bounded<'v>)> {
    let pair = |x: &'b Bounded<'v>, y: &'b Bounded<'v>| {
        let pair = index.budget.pair_over(x.values, y.values)?;
        Some((pair, x, y))
    };
    pair(a, b).or_else(|| pair(b, a))
}

/// Finds the rows of a query.
pub(super) fn find(query: &Query<'_, '_>, trace: &mut Trace) -> Result<Found, QueryError> {
    if query.never || query.bounds.iter().any(|bound| bound.interval.is_empty()) {
        return Ok(Found::NONE);
    }
    let filter = filter(query, trace)?;
    if query.bounds.is_empty() {
        let present = query.view.row_set();
        return Ok(Found::Set(match filter {
            Some(filter) => &filter & &present,
            None => present,
        }));
    }
    let rows = query.view.len();
    match filter {
        Some(filter) if filter.len() * SPARSE <= rows => {
            trace.note("row set", filter.len(), || bounds_text(&query.bounds));
            let rows = filter.iter().map(|row| row.0);
            Ok(Found::Sorted(
                rows.filter(|&row| query.holds(row)).collect(),
            ))
        }
        filter => {
            let found = match query.view.index()? {
                Some(index) => with_index(query, index, trace)?,
                None => by_scan(query, 0..rows as u32, &query.bounds, trace),
            };
            Ok(match filter {
                Some(filter) => found.among(&filter),
                None => found,
            })
        }
    }
}

/// The rows that the conditions on structure and the given sets leave; `None` where there are no such conditions.
fn filter(query: &Query<'_, '_>, trace: &mut Trace) -> Result<Option<RowSet>, QueryError> {
    let mut left = query.within.clone();
    for (feature, values) in &query.features {
        let index = query.view.index()?;
        let category = index.and_then(|index| index.of_table()?.category(feature.name()));
        let rows = match category {
            Some(category) => category.rows(values.clone())?,
            None => {
                let rows = query.view.rows();
                let rows = rows.filter(|row| {
                    let value = row.cell().map(|cell| cell.feature(*feature));
                    value.is_some_and(|value| values.contains(&value))
                });
                rows.map(|row| row.id()).collect()
            }
        };
        let (structure, touched) = match category {
            Some(_) => ("bitmaps", 0),
            None => ("scan", query.view.len()),
        };
        trace.note(structure, touched, || {
            format!("{}<={}<={}", values.start(), feature.name(), values.end())
        });
        left = Some(match left {
            Some(left) => &left & &rows,
            None => rows,
        });
    }
    Ok(left)
}

/// A bound, the index of its column, and the places in its order that it leaves.
struct Indexed<'i, 's, 'b, 'v> {
    column: &'i ColumnIndex<'s>,
    bound: &'b Bounded<'v>,
    places: Range<u32>,
}

fn with_index(
    query: &Query<'_, '_>,
    index: &ViewIndex<'_>,
    trace: &mut Trace,
) -> Result<Found, QueryError> {
    let rows = query.view.len();
    let indexed: Vec<Indexed<'_, '_, '_, '_>> = query
        .bounds
        .iter()
        .filter_map(|bound| {
            let column = index.column_over(bound.name, bound.values)?;
            Some(Indexed {
                column,
                bound,
                places: column.ranks(bound.interval),
            })
        })
        .collect();
    let Some(narrowest) = indexed.iter().min_by_key(|indexed| indexed.places.len()) else {
        return Ok(by_scan(query, 0..rows as u32, &query.bounds, trace));
    };
    if narrowest.places.is_empty() {
        trace.note("rank order", 0, || narrowest.bound.to_string());
        return Ok(Found::NONE);
    }
    let others = |known: &[&str]| -> Vec<Bounded<'_>> {
        let others = query.bounds.iter();
        let others = others.filter(|bound| !known.contains(&bound.name));
        others.copied().collect()
    };
    if narrowest.places.len() * SPARSE <= rows {
        trace.note("rank order", narrowest.places.len(), || {
            bounds_text(&query.bounds)
        });
        let others = others(&[narrowest.bound.name]);
        let stretch = narrowest.column.stretch(narrowest.places.clone());
        return Ok(sparse(stretch.iter(), &others, narrowest.column));
    }
    // Rows that are numbered in the order of a bounded column form a window.
    let ordered = indexed.iter().find(|other| other.column.is_row_order());
    if let (None, Some(pair)) = (ordered, best_pair(query, index)) {
        let others = others(&[pair.x.name, pair.y.name]);
        if pair.count * SORTED <= rows {
            trace.note("maxima, codes in order", pair.count, || {
                bounds_text(&query.bounds)
            });
            let found = pair.index.ascending(pair.x.interval, pair.y.interval);
            return Ok(sparse(found, &others, pair.index.x()));
        }
        // With a third coded column, codes are quicker than the order of the pair.
        if others.iter().all(|other| {
            index
                .column_over(other.name, other.values)
                .is_none_or(|own| !own.is_coded())
        }) {
            trace.note("codes in order", pair.places, || {
                format!("{} and {}", pair.x, pair.y)
            });
            let bits = pair.index.bits(pair.x.interval, pair.y.interval);
            return Ok(checked(bits, &others, trace));
        }
    }
    if ordered.is_some() || indexed.iter().any(|other| other.column.is_coded()) {
        return Ok(by_codes(query, ordered, &indexed, trace));
    }
    if let ([only], [_]) = (indexed.as_slice(), query.bounds.as_slice()) {
        trace.note("quantile buckets", only.places.len(), || {
            only.bound.to_string()
        });
        return Ok(Found::Set(only.column.rows(only.bound.interval)?));
    }
    trace.note("rank order", narrowest.places.len(), || {
        narrowest.bound.to_string()
    });
    let mut bits = RowBits::window(0..rows as u32);
    let stretch = narrowest.column.stretch(narrowest.places.clone());
    stretch.iter().for_each(|row| bits.set(row));
    Ok(checked(bits, &others(&[narrowest.bound.name]), trace))
}

/// Two bounds that an indexed pair answers.
struct Paired<'i, 's, 'b, 'v> {
    index: &'i PairIndex<'s>,
    x: &'b Bounded<'v>,
    y: &'b Bounded<'v>,
    /// How many rows lie within the bound on x.
    places: usize,
    /// How many rows lie within both.
    count: usize,
}

/// The indexed pair that leaves the fewest rows.
fn best_pair<'i, 's, 'b, 'v>(
    query: &'b Query<'v, '_>,
    index: &'i ViewIndex<'s>,
) -> Option<Paired<'i, 's, 'b, 'v>> {
    let pairs = query.bounds.iter().enumerate().flat_map(|(number, a)| {
        let later = query.bounds.iter().skip(number + 1);
        later.filter_map(move |b| pair_of(index, a, b))
    });
    let counted = pairs.map(|(index, x, y)| Paired {
        index,
        x,
        y,
        places: index.x().ranks(x.interval).len(),
        count: index.count(x.interval, y.interval) as usize,
    });
    counted.min_by_key(|pair| pair.count)
}

/// 64 rows at once by the codes of their columns, in the window that a bound on the order of rows leaves, if there is one;
/// then one by one.
fn by_codes(
    query: &Query<'_, '_>,
    ordered: Option<&Indexed<'_, '_, '_, '_>>,
    indexed: &[Indexed<'_, '_, '_, '_>],
    trace: &mut Trace,
) -> Found {
    let mut window = 0..query.view.len() as u32;
    let mut known = Vec::new();
    if let Some(ordered) = ordered {
        window = ordered.places.clone();
        trace.note("row order", 0, || ordered.bound.to_string());
        if query.bounds.len() == 1 {
            return Found::Set(RowSet::from_range(window));
        }
        known.push(ordered.bound.name);
    }
    let mut bits: Option<RowBits> = None;
    for other in indexed.iter().filter(|other| other.column.is_coded()) {
        if known.contains(&other.bound.name) {
            continue;
        }
        let Some(marked) = other.column.marked(other.bound.interval, window.clone()) else {
            continue;
        };
        trace.note("codes", window.len(), || other.bound.to_string());
        match &mut bits {
            Some(bits) => bits.intersect(&marked),
            None => bits = Some(marked),
        }
        known.push(other.bound.name);
    }
    let others = query.bounds.iter();
    let others = others.filter(|bound| !known.contains(&bound.name));
    let others: Vec<Bounded<'_>> = others.copied().collect();
    match bits {
        Some(bits) => checked(bits, &others, trace),
        None => by_scan(query, window, &others, trace),
    }
}

/// Keeps the rows for which the bounds hold, one by one.
fn checked(mut bits: RowBits, bounds: &[Bounded<'_>], trace: &mut Trace) -> Found {
    if !bounds.is_empty() {
        trace.note("values", bits.len(), || bounds_text(bounds));
        for bound in bounds {
            let [least, greatest] = bound.interval.ends();
            bits.retain(|row| {
                let value = bound.values.get(row as usize);
                value.is_some_and(|&value| (least <= value) & (value <= greatest))
            });
        }
    }
    Found::Bits(bits)
}

/// Rows in the order of a column, ascending, for which the bounds hold.
fn sparse(
    rows: impl Iterator<Item = u32>,
    bounds: &[Bounded<'_>],
    order: &ColumnIndex<'_>,
) -> Found {
    let rows = rows.filter(|&row| bounds.iter().all(|bound| bound.holds(row)));
    let mut rows: Vec<u32> = rows.collect();
    if !order.is_row_order() {
        rows.sort_unstable();
    }
    Found::Sorted(rows)
}

/// The rows of a window for which the bounds hold.
fn by_scan(
    query: &Query<'_, '_>,
    window: Range<u32>,
    bounds: &[Bounded<'_>],
    trace: &mut Trace,
) -> Found {
    debug_assert!(window.end as usize <= query.view.len());
    trace.note("scan", window.len(), || bounds_text(bounds));
    let mut bits = RowBits::window(window.clone());
    let Some((first, others)) = bounds.split_first() else {
        bits.set_range(window);
        return Found::Bits(bits);
    };
    let values = first.values.get(window.start as usize..window.end as usize);
    for (row, &value) in window.zip(values.unwrap_or_default()) {
        if first.interval.contains(value) && others.iter().all(|bound| bound.holds(row)) {
            bits.set(row);
        }
    }
    Found::Bits(bits)
}

fn bounds_text(bounds: &[Bounded<'_>]) -> String {
    let bounds: Vec<String> = bounds.iter().map(ToString::to_string).collect();
    bounds.join(" and ")
}

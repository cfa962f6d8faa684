//! Indexes over columns: what lies between bounds, what lies in a box, what dominates what.
//!
//! An index is built once, over plain slices with one `f64` per row (NaN where missing), into bytes that are read in place:
//! in a snapshot at sealing, or over any table of your own with [`IndexBuilder`]. It sees no file and no cell.
//!
//! | structure | of | answers |
//! | --- | --- | --- |
//! | rank order, codes | a column | how many rows, and which, lie between two bounds; iteration in order |
//! | quantile buckets (roaring) | a column | the rows between two bounds as a set, when they are many |
//! | grid | a pair | how many rows lie in a box |
//! | codes in order, their maxima | a pair | which rows lie in a box, in order; the front of a box |
//! | staircase, layers | a pair | the front, what is dominated, non-domination ranks |
//! | roaring bitmap for each value | a category | the rows with these values |
//!
//! Bounds are exact, open or closed: a bound that falls into a bucket is refined among the bucket's rows.

mod bitmaps;
mod bits;
mod build;
mod bytes;
mod category;
mod column;
mod error;
mod grid;
mod interval;
mod pair;
mod rows;
mod scan;
mod search;
mod verify;

pub(crate) use bits::RowBits;
pub use build::IndexBuilder;
pub use bytes::IndexBytes;
pub use category::CategoryIndex;
pub use column::ColumnIndex;
pub use error::IndexError;
pub use interval::Interval;
pub use pair::PairIndex;
pub use rows::{RowId, RowSet};

use bytes::{Kind, arrays};
use pair::PairArrays;

/// An index that is read in place.
#[derive(Debug, Clone, Default)]
pub struct Index<'a> {
    bytes: &'a [u8],
    rows: usize,
    columns: Vec<(&'a str, ColumnIndex<'a>)>,
    pairs: Vec<([usize; 2], PairIndex<'a>)>,
    categories: Vec<(&'a str, CategoryIndex<'a>)>,
    sizes: Vec<(Kind, usize, usize)>,
}

/// What a part of an index takes.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct IndexSize {
    /// What is indexed: a column, a pair of columns, or a category.
    pub of: String,
    /// The structure.
    pub structure: &'static str,
    /// Its bytes.
    pub bytes: usize,
}

impl<'a> Index<'a> {
    /// Opens an index over the columns that it was built over, each found by its name. Bytes must start at an address that
    /// is a multiple of 8.
    ///
    /// Arrays are trusted as far as lengths go: damaged bytes give wrong answers or errors, never undefined behaviour or a
    /// panic. [`verify`](Self::verify) checks the rest.
    ///
    /// # Errors
    /// The bytes are no index, or a column is missing or has another number of rows.
    ///
    /// # Complexity
    /// O(columns), whatever the rows: about a microsecond.
    pub fn open(
        bytes: &'a [u8],
        column: impl Fn(&str) -> Option<&'a [f64]>,
    ) -> Result<Self, IndexError> {
        let (rows, arrays) = arrays(bytes)?;
        let mut index = Self {
            bytes,
            rows,
            ..Self::default()
        };
        let mut pairs: Vec<PairArrays<'a>> = Vec::new();
        for array in arrays {
            let array = array?;
            index
                .sizes
                .push((array.kind, array.owner, array.bytes.len()));
            let next = |have: usize| {
                if array.owner == have {
                    return Ok(());
                }
                Err(IndexError::Malformed {
                    what: format!("expected {:?} {have}", array.kind),
                    found: array.owner.to_string(),
                })
            };
            match array.kind {
                Kind::Name => {
                    next(index.columns.len())?;
                    let name = array.text()?;
                    let values = column(name).ok_or_else(|| IndexError::NoSuchColumn {
                        column: name.to_owned(),
                    })?;
                    if values.len() != rows {
                        return Err(IndexError::Rows {
                            column: name.to_owned(),
                            expected: rows,
                            found: values.len(),
                        });
                    }
                    index.columns.push((name, ColumnIndex::over(values)));
                    continue;
                }
                Kind::Pair => {
                    next(pairs.len())?;
                    pairs.push(PairArrays::default());
                }
                Kind::CategoryName => {
                    next(index.categories.len())?;
                    index
                        .categories
                        .push((array.text()?, CategoryIndex::default()));
                    continue;
                }
                _ => {}
            }
            let column = index.columns.get_mut(array.owner);
            let category = index.categories.get_mut(array.owner);
            let taken = column.map_or(Ok(false), |(_, column)| column.take(&array))?
                || pairs
                    .get_mut(array.owner)
                    .map_or(Ok(false), |pair| pair.take(&array))?
                || category.map_or(Ok(false), |(_, category)| category.take(&array))?;
            if !taken {
                next(usize::MAX)?;
            }
        }
        for (_, column) in &mut index.columns {
            column.check()?;
        }
        for arrays in pairs {
            let [x, y] = *arrays.columns else {
                continue;
            };
            let numbers = [x, y].map(|number| number as usize);
            let [x, y] = numbers.map(|number| index.columns.get(number));
            let (Some((_, x)), Some((_, y))) = (x, y) else {
                return Err(IndexError::Malformed {
                    what: format!("expected a pair of {} columns", index.columns.len()),
                    found: format!("{numbers:?}"),
                });
            };
            let pair = PairIndex::new(*x, *y, arrays)?;
            index.pairs.push((numbers, pair));
        }
        Ok(index)
    }

    /// Number of rows.
    #[must_use]
    pub const fn rows(&self) -> usize {
        self.rows
    }

    /// The index of a column.
    #[must_use]
    pub fn column(&self, name: &str) -> Option<&ColumnIndex<'a>> {
        let mut columns = self.columns.iter();
        columns
            .find(|(own, _)| *own == name)
            .map(|(_, column)| column)
    }

    /// The index of a pair of columns.
    #[must_use]
    pub fn pair(&self, x: &str, y: &str) -> Option<&PairIndex<'a>> {
        let name = |number: usize| self.columns.get(number).map(|(name, _)| *name);
        let mut pairs = self.pairs.iter();
        let found = pairs.find(|([a, b], _)| name(*a) == Some(x) && name(*b) == Some(y));
        found.map(|(_, pair)| pair)
    }

    /// The index of the column with these very values: told by where they lie, without a look at a name.
    pub(crate) fn column_over(&self, values: &[f64]) -> Option<&ColumnIndex<'a>> {
        let mut columns = self.columns.iter();
        columns
            .find(|(_, column)| std::ptr::eq(column.values(), values))
            .map(|(_, column)| column)
    }

    /// The index of the pair of columns with these very values.
    pub(crate) fn pair_over(&self, x: &[f64], y: &[f64]) -> Option<&PairIndex<'a>> {
        let is = |column: &ColumnIndex<'_>, values: &[f64]| std::ptr::eq(column.values(), values);
        let mut pairs = self.pairs.iter();
        pairs
            .find(|(_, pair)| is(pair.x(), x) && is(pair.y(), y))
            .map(|(_, pair)| pair)
    }

    /// The index of a category.
    #[must_use]
    pub fn category(&self, name: &str) -> Option<&CategoryIndex<'a>> {
        let mut categories = self.categories.iter();
        categories
            .find(|(own, _)| *own == name)
            .map(|(_, category)| category)
    }

    /// The names of the categories.
    pub fn categories(&self) -> impl ExactSizeIterator<Item = &'a str> {
        self.categories.iter().map(|(name, _)| *name)
    }

    /// What each part takes: columns, then pairs, then categories.
    #[must_use]
    pub fn sizes(&self) -> Vec<IndexSize> {
        let column = |number: usize| self.columns.get(number).map_or("", |(name, _)| *name);
        let mut sizes: Vec<IndexSize> = Vec::new();
        let mut parts = self.sizes.clone();
        parts.sort_by_key(|&(kind, owner, _)| {
            (kind >= Kind::Pair, kind >= Kind::CategoryName, owner, kind)
        });
        for (kind, owner, bytes) in parts {
            let Some(structure) = kind.structure() else {
                continue;
            };
            let of = if kind < Kind::Pair {
                column(owner).to_owned()
            } else if kind < Kind::CategoryName {
                let pair = self.pairs.get(owner).map(|(columns, _)| *columns);
                let [x, y] = pair.unwrap_or_default();
                format!("{} x {}", column(x), column(y))
            } else {
                self.categories
                    .get(owner)
                    .map_or("", |(name, _)| *name)
                    .to_owned()
            };
            let mut known = sizes.iter_mut();
            match known.find(|size| size.of == of && size.structure == structure) {
                Some(size) => size.bytes += bytes,
                None => sizes.push(IndexSize {
                    of,
                    structure,
                    bytes,
                }),
            }
        }
        sizes
    }
}

use std::fmt;

use super::bytes::{Arrays, IndexBytes};
use super::column::{self, Built};
use super::{IndexError, category, pair};
use crate::short::Short;

/// Builds the bytes of an index over columns.
///
/// ```
/// use ecnas::index::{Index, IndexBuilder, Interval};
/// let price = [3.0, 1.0, 2.0, f64::NAN];
/// let quality = [0.9, 0.5, 0.8, 0.7];
/// let bytes = IndexBuilder::new(4)
///     .column("price", &price)?
///     .column("quality", &quality)?
///     .pair("price", "quality")?
///     .build()?;
/// let index = Index::open(bytes.as_ref(), |name| match name {
///     "price" => Some(&price),
///     "quality" => Some(&quality),
///     _ => None,
/// })?;
/// let pair = index.pair("price", "quality").unwrap();
/// assert_eq!(pair.count(Interval::new(..=2.0)?, Interval::new(0.6..)?), 1);
/// assert_eq!(pair.front(), [1, 2, 0]);
/// # Ok::<(), ecnas::index::IndexError>(())
/// ```
#[derive(Clone)]
pub struct IndexBuilder<'a> {
    rows: usize,
    columns: Vec<(String, &'a [f64])>,
    pairs: Vec<[usize; 2]>,
    categories: Vec<(String, Vec<Option<u8>>)>,
}

impl<'a> IndexBuilder<'a> {
    /// Of tables with so many rows.
    #[must_use]
    pub const fn new(rows: usize) -> Self {
        Self {
            rows,
            columns: Vec::new(),
            pairs: Vec::new(),
            categories: Vec::new(),
        }
    }

    /// Adds a column: one value for each row, NaN where missing.
    ///
    /// # Errors
    /// The column has another number of rows.
    pub fn column(
        mut self,
        name: impl Into<String>,
        values: &'a [f64],
    ) -> Result<Self, IndexError> {
        let name = name.into();
        self.fits(&name, values.len())?;
        self.columns.push((name, values));
        Ok(self)
    }

    /// Adds a pair of columns, for boxes, fronts and dominance where less x and more y is better. For another sense, add
    /// a column with its values negated.
    ///
    /// # Errors
    /// One of the columns has not been added.
    pub fn pair(mut self, x: &str, y: &str) -> Result<Self, IndexError> {
        let number = |wanted: &str| {
            let place = self.columns.iter().position(|(name, _)| name == wanted);
            place.ok_or_else(|| IndexError::NoSuchColumn {
                column: wanted.to_owned(),
            })
        };
        self.pairs.push([number(x)?, number(y)?]);
        Ok(self)
    }

    /// Adds a property with few values: one for each row, `None` where it is not known.
    ///
    /// # Errors
    /// The property has another number of rows.
    pub fn category(
        mut self,
        name: impl Into<String>,
        values: Vec<Option<u8>>,
    ) -> Result<Self, IndexError> {
        let name = name.into();
        self.fits(&name, values.len())?;
        self.categories.push((name, values));
        Ok(self)
    }

    fn fits(&self, column: &str, found: usize) -> Result<(), IndexError> {
        if found == self.rows {
            return Ok(());
        }
        Err(IndexError::Rows {
            column: column.to_owned(),
            expected: self.rows,
            found,
        })
    }

    /// Builds the index, on all cores.
    ///
    /// # Errors
    /// There are more rows than `u32` can number.
    ///
    /// # Complexity
    /// O(n log n) for each column and each pair.
    pub fn build(self) -> Result<IndexBytes, IndexError> {
        const LIMIT: u32 = u32::MAX - 1;
        if self.rows > LIMIT as usize {
            return Err(IndexError::TooLarge {
                what: "rows",
                limit: LIMIT.into(),
                found: self.rows as u64,
            });
        }
        let columns = parallel(self.columns.len(), |number| {
            let (name, values) = self.columns.get(number)?;
            let coded = self.pairs.iter().any(|pair| pair.contains(&number));
            Some(column::build(number, name, values, coded))
        });
        let mut columns: Vec<Built> = columns.into_iter().collect::<Result<_, _>>()?;
        let pairs = parallel(self.pairs.len(), |number| {
            let &[x, y] = self.pairs.get(number)?;
            let values = [self.columns.get(x)?.1, self.columns.get(y)?.1];
            let built = [columns.get(x)?, columns.get(y)?];
            Some(pair::build(number, [x, y], values, built))
        });
        let mut arrays = Arrays::default();
        for column in &mut columns {
            arrays.append(std::mem::take(&mut column.arrays));
        }
        for pair in pairs {
            arrays.append(pair);
        }
        for (number, (name, values)) in self.categories.iter().enumerate() {
            arrays.append(category::build(number, name, values.iter().copied())?);
        }
        Ok(arrays.finish(self.rows))
    }
}

/// The results of `work` for 0, 1, 2, …, computed on all cores.
fn parallel<R: Send>(count: usize, work: impl Fn(usize) -> Option<R> + Sync) -> Vec<R> {
    let results = crate::parallel::each((0..count).collect(), work);
    results.into_iter().flatten().collect()
}

/// What it will index.
impl fmt::Debug for IndexBuilder<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let columns: Vec<_> = self.columns.iter().map(|(name, _)| name).collect();
        let categories: Vec<_> = self.categories.iter().map(|(name, _)| name).collect();
        f.debug_struct("IndexBuilder")
            .field("rows", &self.rows)
            .field("columns", &Short(&columns))
            .field("pairs", &Short(&self.pairs))
            .field("categories", &Short(&categories))
            .finish()
    }
}

use std::ops::RangeInclusive;

use super::bitmaps::{Bitmaps, BitmapsBuilder};
use super::bytes::{Array, Arrays, Kind};
use super::{IndexError, RowSet};

/// The index of a property with few values: one roaring bitmap for each of them.
#[derive(Debug, Clone, Copy, Default)]
pub struct CategoryIndex<'a> {
    values: &'a [u8],
    rows: Bitmaps<'a>,
}

impl<'a> CategoryIndex<'a> {
    /// Takes an array that belongs to the category; whether it does.
    pub(super) fn take(&mut self, array: &Array<'a>) -> Result<bool, IndexError> {
        match array.kind {
            Kind::CategoryValues => self.values = array.slice()?,
            Kind::CategoryRows => self.rows.bytes = array.bytes,
            Kind::CategoryEnds => self.rows.ends = array.slice()?,
            _ => return Ok(false),
        }
        Ok(true)
    }

    /// The values that rows have, ascending.
    #[must_use]
    pub const fn values(&self) -> &'a [u8] {
        self.values
    }

    /// The rows whose value lies in a range.
    ///
    /// # Errors
    /// The bytes of a bitmap are damaged.
    ///
    /// # Complexity
    /// Decodes one bitmap for each value: n / 8 bytes at most.
    pub fn rows(&self, range: RangeInclusive<u8>) -> Result<RowSet, IndexError> {
        let sets = self.values.iter().enumerate();
        let sets = sets.filter(|(_, value)| range.contains(value));
        let sets: Vec<RowSet> = sets
            .map(|(number, _)| self.rows.get(number))
            .collect::<Result<_, _>>()?;
        Ok(RowSet::union_of(sets))
    }

    /// The value of each row; `None` where it has none.
    pub(super) fn by_row(&self, rows: usize) -> Result<Vec<Option<u8>>, IndexError> {
        let mut by_row = vec![None; rows];
        for (number, &value) in self.values.iter().enumerate() {
            for row in self.rows.get(number)?.iter() {
                if let Some(slot) = by_row.get_mut(row.index()) {
                    *slot = Some(value);
                }
            }
        }
        Ok(by_row)
    }
}

/// Builds the index of a category: a value for each row, `None` where it has none.
pub(super) fn build(
    owner: usize,
    name: &str,
    values: impl Iterator<Item = Option<u8>>,
) -> Result<Arrays, IndexError> {
    let mut rows: Vec<Vec<u32>> = vec![Vec::new(); 256];
    for (row, value) in values.enumerate() {
        if let Some(list) = value.and_then(|value| rows.get_mut(usize::from(value))) {
            list.push(row as u32);
        }
    }
    let mut bitmaps = BitmapsBuilder::default();
    let mut values = Vec::new();
    for (value, rows) in rows
        .into_iter()
        .enumerate()
        .filter(|(_, rows)| !rows.is_empty())
    {
        values.push(value as u8);
        bitmaps.push(rows)?;
    }
    let mut arrays = Arrays::default();
    arrays.push(Kind::CategoryName, owner, name.as_bytes());
    arrays.push(Kind::CategoryValues, owner, &values);
    arrays.push(Kind::CategoryRows, owner, &bitmaps.bytes);
    arrays.push(Kind::CategoryEnds, owner, &bitmaps.ends);
    Ok(arrays)
}

//! Roaring bitmaps in a row: framed, each decoded only when it is asked for.

use roaring::RoaringBitmap;

use super::{IndexError, RowSet};

/// A list of bitmaps that is read in place.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Bitmaps<'a> {
    pub bytes: &'a [u8],
    pub ends: &'a [u32],
}

impl Bitmaps<'_> {
    pub const fn len(&self) -> usize {
        self.ends.len()
    }

    /// Decodes a bitmap; an error where there is none or its bytes are damaged.
    ///
    /// # Complexity
    /// O(bytes of the bitmap): about 2 bytes a row where they are sparse.
    pub fn get(&self, number: usize) -> Result<RowSet, IndexError> {
        let end = self.ends.get(number).copied();
        let start = match number.checked_sub(1) {
            Some(before) => self.ends.get(before).copied(),
            None => Some(0),
        };
        let bytes = start
            .zip(end)
            .and_then(|(start, end)| self.bytes.get(start as usize..end as usize));
        let malformed = |found: String| IndexError::Malformed {
            what: format!("expected bitmap {number} of {}", self.len()),
            found,
        };
        let mut bytes = bytes.ok_or_else(|| malformed("none".to_owned()))?;
        let bitmap = RoaringBitmap::deserialize_from(&mut bytes)
            .map_err(|error| malformed(error.to_string()))?;
        if bytes.is_empty() {
            Ok(bitmap.into())
        } else {
            Err(malformed(format!("{} bytes behind it", bytes.len())))
        }
    }
}

/// Collects bitmaps.
#[derive(Debug, Default)]
pub(super) struct BitmapsBuilder {
    pub bytes: Vec<u8>,
    pub ends: Vec<u32>,
}

impl BitmapsBuilder {
    /// Adds a bitmap of rows in any order.
    ///
    /// # Complexity
    /// O(n log n).
    pub fn push(&mut self, mut rows: Vec<u32>) -> Result<(), IndexError> {
        rows.sort_unstable();
        rows.dedup();
        let mut bitmap = RoaringBitmap::from_sorted_iter(rows).unwrap_or_default();
        bitmap.optimize();
        let too_large = |found: usize| IndexError::TooLarge {
            what: "bytes of bitmaps",
            limit: u32::MAX.into(),
            found: found as u64,
        };
        bitmap
            .serialize_into(&mut self.bytes)
            .map_err(|_| too_large(self.bytes.len()))?;
        let end = u32::try_from(self.bytes.len()).map_err(|_| too_large(self.bytes.len()))?;
        self.ends.push(end);
        Ok(())
    }
}

use std::fmt;
use std::ops::{BitAnd, BitOr, BitXor, RangeBounds, Sub};

use roaring::{MultiOps, RoaringBitmap};

/// The number of a row: dense from 0, the same at every budget of a table, ordered by energy at its largest budget.
#[derive(
    Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, bytemuck::Pod, bytemuck::Zeroable,
)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
#[repr(transparent)]
pub struct RowId(pub u32);

impl RowId {
    /// The row's place in a column.
    #[must_use]
    pub const fn index(self) -> usize {
        self.0 as usize
    }
}

/// A set of rows, compressed, in ascending order.
///
/// Rows have the same numbers at every budget of a table, so that sets of two budgets can be cut.
///
/// ```
/// use ecnas::index::{RowId, RowSet};
/// let cheap: RowSet = [1, 2, 3, 70_000].into_iter().map(RowId).collect();
/// let good: RowSet = [2, 3, 5].into_iter().map(RowId).collect();
/// assert_eq!((&cheap & &good).to_vec(), [2, 3]);
/// assert_eq!((&cheap - &good).len(), 2);
/// assert!((&cheap | &good).contains(RowId(5)));
/// ```
#[derive(Clone, PartialEq, Default)]
pub struct RowSet {
    bitmap: RoaringBitmap,
}

impl RowSet {
    /// The empty set.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// The first `rows` rows: all rows of a view of that length.
    #[must_use]
    pub fn all(rows: usize) -> Self {
        Self::from_range(0..u32::try_from(rows).unwrap_or(u32::MAX))
    }

    /// The rows of a range of numbers.
    #[must_use]
    pub fn from_range(range: impl RangeBounds<u32>) -> Self {
        let mut bitmap = RoaringBitmap::new();
        bitmap.insert_range(range);
        Self { bitmap }
    }

    /// From row numbers in strictly ascending order; `None` where they are not.
    #[must_use]
    pub fn from_sorted(rows: &[u32]) -> Option<Self> {
        let bitmap = RoaringBitmap::from_sorted_iter(rows.iter().copied()).ok()?;
        Some(Self { bitmap })
    }

    /// From bits: row `base + i` is in the set where bit `i % 64` of word `i / 64` is set; `base` is a multiple of 64.
    pub(crate) fn from_words(base: u32, words: &[u64]) -> Self {
        let used = words.iter().rposition(|&word| word != 0);
        let words = words.get(..used.map_or(0, |last| last + 1));
        let words = words.unwrap_or_default();
        let bitmap = if cfg!(target_endian = "little") {
            RoaringBitmap::from_lsb0_bytes(base, bytemuck::cast_slice(words))
        } else {
            let bytes: Vec<u8> = words.iter().flat_map(|word| word.to_le_bytes()).collect();
            RoaringBitmap::from_lsb0_bytes(base, &bytes)
        };
        Self { bitmap }
    }

    /// The rows that are in one of the sets.
    pub(crate) fn union_of(sets: impl IntoIterator<Item = Self>) -> Self {
        Self {
            bitmap: sets.into_iter().map(|set| set.bitmap).union(),
        }
    }

    /// Number of rows.
    #[must_use]
    pub fn len(&self) -> usize {
        self.bitmap.len() as usize
    }

    /// Whether there is none.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.bitmap.is_empty()
    }

    /// Whether a row is in the set.
    ///
    /// # Complexity
    /// O(log n).
    #[must_use]
    pub fn contains(&self, row: RowId) -> bool {
        self.bitmap.contains(row.0)
    }

    /// Adds a row; whether it was not there.
    pub fn insert(&mut self, row: RowId) -> bool {
        self.bitmap.insert(row.0)
    }

    /// Takes a row out; whether it was there.
    pub fn remove(&mut self, row: RowId) -> bool {
        self.bitmap.remove(row.0)
    }

    /// The row with so many rows of the set before it.
    #[must_use]
    pub fn nth(&self, place: usize) -> Option<RowId> {
        self.bitmap.select(u32::try_from(place).ok()?).map(RowId)
    }

    /// The rows, ascending.
    pub fn iter(&self) -> impl DoubleEndedIterator<Item = RowId> + '_ {
        self.bitmap.iter().map(RowId)
    }

    /// The rows' numbers, ascending.
    #[must_use]
    pub fn to_vec(&self) -> Vec<u32> {
        self.bitmap.iter().collect()
    }

    /// The rows below `rows` that are not in the set.
    #[must_use]
    pub fn complement(&self, rows: usize) -> Self {
        &Self::all(rows) - self
    }

    /// How many rows two sets share, without building their intersection.
    #[must_use]
    pub fn intersection_len(&self, other: &Self) -> usize {
        self.bitmap.intersection_len(&other.bitmap) as usize
    }

    /// Whether two sets share no row.
    #[must_use]
    pub fn is_disjoint(&self, other: &Self) -> bool {
        self.bitmap.is_disjoint(&other.bitmap)
    }

    /// Whether every row of this set is in the other.
    #[must_use]
    pub fn is_subset(&self, other: &Self) -> bool {
        self.bitmap.is_subset(&other.bitmap)
    }
}

impl fmt::Debug for RowSet {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.len() <= 16 {
            f.debug_set().entries(&self.bitmap).finish()
        } else {
            let ends = (self.bitmap.min(), self.bitmap.max());
            write!(f, "RowSet({} rows, {ends:?})", self.len())
        }
    }
}

impl From<RoaringBitmap> for RowSet {
    fn from(bitmap: RoaringBitmap) -> Self {
        Self { bitmap }
    }
}

impl From<RowSet> for RoaringBitmap {
    fn from(set: RowSet) -> Self {
        set.bitmap
    }
}

impl FromIterator<RowId> for RowSet {
    fn from_iter<I: IntoIterator<Item = RowId>>(rows: I) -> Self {
        Self {
            bitmap: rows.into_iter().map(|row| row.0).collect(),
        }
    }
}

macro_rules! algebra {
    ($($trait:ident $method:ident $what:literal;)*) => {$(
        impl $trait for &RowSet {
            type Output = RowSet;
            #[doc = $what]
            fn $method(self, other: Self) -> RowSet {
                RowSet { bitmap: $trait::$method(&self.bitmap, &other.bitmap) }
            }
        }

        impl $trait for RowSet {
            type Output = RowSet;
            #[doc = $what]
            fn $method(self, other: Self) -> RowSet {
                RowSet { bitmap: $trait::$method(self.bitmap, other.bitmap) }
            }
        }
    )*};
}

algebra! {
    BitAnd bitand "The rows of both sets.";
    BitOr bitor "The rows of either set.";
    BitXor bitxor "The rows of one set but not of both.";
    Sub sub "The rows of the first set that are not in the second.";
}

/// The numbers of its rows.
#[cfg(feature = "serde")]
impl serde::Serialize for RowSet {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_seq(self.iter())
    }
}

#[cfg(feature = "serde")]
impl<'de> serde::Deserialize<'de> for RowSet {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        Vec::<RowId>::deserialize(deserializer).map(Self::from_iter)
    }
}

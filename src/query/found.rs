use crate::index::{RowBits, RowSet};

/// The rows that were found, in the form in which they were.
#[derive(Debug)]
pub(super) enum Found {
    /// As bits.
    Bits(RowBits),
    /// Their numbers, ascending.
    Sorted(Vec<u32>),
    /// As a set.
    Set(RowSet),
}

impl Found {
    pub const NONE: Self = Self::Sorted(Vec::new());

    pub fn len(&self) -> usize {
        match self {
            Self::Bits(bits) => bits.len(),
            Self::Sorted(rows) => rows.len(),
            Self::Set(set) => set.len(),
        }
    }

    pub fn into_set(self) -> RowSet {
        match self {
            Self::Bits(bits) => bits.to_set(),
            // They ascend, so that this does not fail.
            Self::Sorted(rows) => RowSet::from_sorted(&rows).unwrap_or_default(),
            Self::Set(set) => set,
        }
    }

    pub fn append_ids(self, out: &mut Vec<u32>) {
        match self {
            Self::Bits(bits) => bits.append_ids(out),
            Self::Sorted(mut rows) if out.is_empty() => std::mem::swap(out, &mut rows),
            Self::Sorted(rows) => out.extend(rows),
            Self::Set(set) => out.extend(set.iter().map(|row| row.0)),
        }
    }

    /// Keeps the rows of a set.
    pub fn among(self, set: &RowSet) -> Self {
        match self {
            Self::Sorted(mut rows) => {
                rows.retain(|&row| set.contains(crate::index::RowId(row)));
                Self::Sorted(rows)
            }
            other => Self::Set(&other.into_set() & set),
        }
    }
}

//! The bytes of an index: a header, a list of arrays, the arrays. `docs/design.md` draws them.

use bytemuck::Pod;

use super::IndexError;

const MAGIC: [u8; 4] = *b"ECIX";
const VERSION: u32 = 1;
const HEADER_LEN: usize = 24;
const ENTRY_LEN: usize = 24;
/// Alignment of every array, so that no record of 64 bytes straddles two cache lines.
const ALIGN: usize = 64;

/// What an array holds.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
#[repr(u32)]
pub(super) enum Kind {
    /// Of a column: its name, UTF-8.
    Name = 1,
    /// Of a column: rows in ascending order of value, u32; absent where that is the order of rows.
    Order = 2,
    /// Of a column: the runs that its order is cut into, `Run`.
    Runs = 3,
    /// Of a column: the least value of each run, f64.
    RunLeast = 4,
    /// Of a column: the least value of each code, f64.
    Edges = 5,
    /// Of a column: the place in the order where each code begins, u32, and the end.
    Starts = 6,
    /// Of a column: each row's code, counted from 1, u16; 0 where missing.
    Codes = 7,
    /// Of a column: roaring bitmaps over quantile buckets, one behind the other.
    Buckets = 8,
    /// Of a column: where each bucket's bitmap ends, u32.
    BucketEnds = 9,
    /// Of a pair: the numbers of its two columns, u32.
    Pair = 10,
    /// Of a pair: codes of y in the order of x, u16; absent where that is the order of rows.
    CodesInOrder = 11,
    /// Of a pair: codes of x in the order of y, u16; absent where x or y is the order of rows.
    CodesAcross = 12,
    /// Of a pair: the greatest of every 64 codes in the order of x, u16.
    Maxima = 13,
    /// Of a pair: how many rows lie before each two ends of runs, u32.
    Grid = 14,
    /// Of a pair: the rows that none dominates, in ascending order of x, u32.
    Front = 15,
    /// Of a pair: x and y of each row of the front, f64.
    Staircase = 16,
    /// Of a pair: each row's non-domination rank, u16 or, where that does not suffice, u32; all ones where missing.
    Layers = 17,
    /// Of a category: its name, UTF-8.
    CategoryName = 18,
    /// Of a category: its values in ascending order, u8.
    CategoryValues = 19,
    /// Of a category: one roaring bitmap for each value, one behind the other.
    CategoryRows = 20,
    /// Of a category: where each value's bitmap ends, u32.
    CategoryEnds = 21,
}

impl Kind {
    const ALL: [Self; 21] = [
        Self::Name,
        Self::Order,
        Self::Runs,
        Self::RunLeast,
        Self::Edges,
        Self::Starts,
        Self::Codes,
        Self::Buckets,
        Self::BucketEnds,
        Self::Pair,
        Self::CodesInOrder,
        Self::CodesAcross,
        Self::Maxima,
        Self::Grid,
        Self::Front,
        Self::Staircase,
        Self::Layers,
        Self::CategoryName,
        Self::CategoryValues,
        Self::CategoryRows,
        Self::CategoryEnds,
    ];

    /// The structure that an array is part of, in words; `None` for names.
    pub const fn structure(self) -> Option<&'static str> {
        match self {
            Self::Name | Self::Pair | Self::CategoryName | Self::CategoryValues => None,
            Self::Order => Some("rank order"),
            Self::Runs | Self::RunLeast | Self::Edges | Self::Starts | Self::Codes => Some("codes"),
            Self::Buckets | Self::BucketEnds => Some("quantile buckets"),
            Self::CodesInOrder | Self::CodesAcross => Some("codes in order"),
            Self::Maxima => Some("maxima"),
            Self::Grid => Some("grid"),
            Self::Front | Self::Staircase => Some("staircase"),
            Self::Layers => Some("layers"),
            Self::CategoryRows | Self::CategoryEnds => Some("bitmaps"),
        }
    }
}

/// An array of an index that is read.
#[derive(Debug, Clone, Copy)]
pub(super) struct Array<'a> {
    pub kind: Kind,
    /// The column, pair or category that it belongs to.
    pub owner: usize,
    /// Where it begins.
    pub offset: usize,
    pub bytes: &'a [u8],
}

impl<'a> Array<'a> {
    /// The array's elements.
    pub fn slice<T: Pod>(&self) -> Result<&'a [T], IndexError> {
        bytemuck::try_cast_slice(self.bytes).map_err(|error| IndexError::Malformed {
            what: format!(
                "{:?} {}: expected whole aligned elements",
                self.kind, self.owner
            ),
            found: error.to_string(),
        })
    }

    pub fn text(&self) -> Result<&'a str, IndexError> {
        std::str::from_utf8(self.bytes).map_err(|error| IndexError::Malformed {
            what: format!("{:?} {}: expected UTF-8", self.kind, self.owner),
            found: error.to_string(),
        })
    }
}

/// Reads the list of arrays: known kinds, aligned, in order of offset, inside the bytes. Returns the number of rows too.
///
/// # Complexity
/// O(arrays), whatever the rows.
pub(super) fn arrays(
    bytes: &[u8],
) -> Result<(usize, impl Iterator<Item = Result<Array<'_>, IndexError>>), IndexError> {
    let malformed = |what: &str, found: String| IndexError::Malformed {
        what: what.to_owned(),
        found,
    };
    if bytes.get(..4) != Some(&MAGIC) || u32_at(bytes, 4) != Some(VERSION) {
        return Err(malformed(
            "expected an index of version 1",
            format!("{:02x?}", bytes.get(..8).unwrap_or(bytes)),
        ));
    }
    let rows = u32_at(bytes, 8).unwrap_or_default() as usize;
    let count = u32_at(bytes, 12).unwrap_or_default() as usize;
    let len = u64_at(bytes, 16);
    if len != Some(bytes.len() as u64) {
        return Err(malformed(
            &format!("expected {} bytes", len.unwrap_or_default()),
            bytes.len().to_string(),
        ));
    }
    let table = count
        .checked_mul(ENTRY_LEN)
        .and_then(|len| bytes.get(HEADER_LEN..)?.get(..len))
        .ok_or_else(|| malformed("expected a list of arrays", format!("{count} entries")))?;
    let mut free_from = HEADER_LEN + table.len();
    let arrays = table.chunks_exact(ENTRY_LEN).map(move |entry| {
        let code = u32_at(entry, 0).unwrap_or_default();
        let kind = Kind::ALL.get((code as usize).wrapping_sub(1)).copied();
        let offset = u64_at(entry, 8).and_then(|offset| usize::try_from(offset).ok());
        let len = u64_at(entry, 16).and_then(|len| usize::try_from(len).ok());
        let found = offset.zip(len).and_then(|(offset, len)| {
            let end = offset.checked_add(len)?;
            let fits = offset.is_multiple_of(ALIGN) && offset >= free_from;
            free_from = end;
            bytes
                .get(offset..end)
                .filter(|_| fits)
                .map(|own| (offset, own))
        });
        match (kind, found) {
            (Some(kind), Some((own_offset, bytes))) => Ok(Array {
                kind,
                owner: u32_at(entry, 4).unwrap_or_default() as usize,
                offset: own_offset,
                bytes,
            }),
            _ => Err(malformed(
                "expected known arrays, aligned and in order",
                format!("kind {code} at {offset:?} of {len:?} bytes"),
            )),
        }
    });
    Ok((rows, arrays))
}

/// Bytes of an index, at an address that suits its arrays.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct IndexBytes {
    // An index is a multiple of 64 bytes long.
    words: Vec<[u64; 8]>,
}

impl AsRef<[u8]> for IndexBytes {
    fn as_ref(&self) -> &[u8] {
        bytemuck::cast_slice(&self.words)
    }
}

/// Collects arrays and lays them out.
#[derive(Debug, Default)]
pub(super) struct Arrays {
    arrays: Vec<(Kind, u32, Vec<u8>)>,
}

impl Arrays {
    pub fn push<T: Pod>(&mut self, kind: Kind, owner: usize, elements: &[T]) {
        let bytes = bytemuck::cast_slice(elements).to_vec();
        self.arrays.push((kind, owner as u32, bytes));
    }

    pub fn append(&mut self, mut other: Self) {
        self.arrays.append(&mut other.arrays);
    }

    /// Small arrays stand first, together, then the grids: so that opening and a first count touch few pages.
    pub fn finish(mut self, rows: usize) -> IndexBytes {
        self.arrays
            .sort_by_key(|(kind, _, bytes)| match bytes.len() {
                // Names are among those, before what they name.
                ..=256 => 0,
                257..=16_384 => 1,
                _ if *kind == Kind::Grid => 2,
                _ => 3,
            });
        let table_end = HEADER_LEN + self.arrays.len() * ENTRY_LEN;
        let mut head = Vec::with_capacity(table_end);
        let mut end = table_end;
        let mut offsets = Vec::with_capacity(self.arrays.len());
        for (_, _, bytes) in &self.arrays {
            let offset = end.next_multiple_of(ALIGN);
            offsets.push(offset);
            end = offset + bytes.len();
        }
        let len = end.next_multiple_of(ALIGN);
        head.extend(MAGIC);
        head.extend(VERSION.to_le_bytes());
        head.extend((rows as u32).to_le_bytes());
        head.extend((self.arrays.len() as u32).to_le_bytes());
        head.extend((len as u64).to_le_bytes());
        for ((kind, owner, bytes), &offset) in self.arrays.iter().zip(&offsets) {
            head.extend((*kind as u32).to_le_bytes());
            head.extend(owner.to_le_bytes());
            head.extend((offset as u64).to_le_bytes());
            head.extend((bytes.len() as u64).to_le_bytes());
        }
        let mut words = vec![[0_u64; 8]; len / ALIGN];
        let all: &mut [u8] = bytemuck::cast_slice_mut(&mut words);
        let parts = std::iter::once((0, &head)).chain(
            offsets
                .iter()
                .copied()
                .zip(self.arrays.iter().map(|(_, _, bytes)| bytes)),
        );
        for (offset, bytes) in parts {
            if let Some(slot) = all.get_mut(offset..offset + bytes.len()) {
                slot.copy_from_slice(bytes);
            }
        }
        IndexBytes { words }
    }
}

fn u32_at(bytes: &[u8], at: usize) -> Option<u32> {
    let field = bytes.get(at..at + 4)?;
    Some(u32::from_le_bytes(field.try_into().ok()?))
}

fn u64_at(bytes: &[u8], at: usize) -> Option<u64> {
    let field = bytes.get(at..at + 8)?;
    Some(u64::from_le_bytes(field.try_into().ok()?))
}

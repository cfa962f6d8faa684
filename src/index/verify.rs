//! Whether an index is what its columns make of it.

use super::bytes::{Array, IndexBytes, Kind, arrays};
use super::{Index, IndexBuilder, IndexError};

/// Where bytes are not those of an index.
#[derive(Debug)]
pub(crate) struct Difference {
    /// The first byte that differs.
    pub byte: usize,
    /// What it belongs to: `bitmaps of `depth``.
    pub part: String,
}

impl Index<'_> {
    /// Builds the index anew over its columns, and compares every byte. Which rows have which value of a category is taken
    /// from the index, since nothing else says it.
    ///
    /// # Errors
    /// The first thing that is wrong.
    ///
    /// # Complexity
    /// That of [`IndexBuilder::build`].
    pub fn verify(&self) -> Result<(), IndexError> {
        let mut builder = IndexBuilder::new(self.rows);
        for (name, column) in &self.columns {
            builder = builder.column(*name, column.values())?;
        }
        let name = |number: usize| self.columns.get(number).map_or("", |(name, _)| *name);
        for ([x, y], _) in &self.pairs {
            builder = builder.pair(name(*x), name(*y))?;
        }
        for (name, category) in &self.categories {
            builder = builder.category(*name, category.by_row(self.rows)?)?;
        }
        match builder.build()?.difference(self.bytes) {
            None => Ok(()),
            Some(Difference { byte, part }) => Err(IndexError::Malformed {
                what: format!("byte {byte}: expected the {part} as its columns make it"),
                found: "another byte".to_owned(),
            }),
        }
    }
}

impl IndexBytes {
    /// Where other bytes first differ from these.
    pub(crate) fn difference(&self, found: &[u8]) -> Option<Difference> {
        let own = self.as_ref();
        if own == found {
            return None;
        }
        let pairs = own.iter().zip(found);
        let byte = pairs.take_while(|(a, b)| a == b).count();
        let part = part(own, byte).unwrap_or_else(|| "list of arrays".to_owned());
        Some(Difference { byte, part })
    }
}

/// What a byte of an index belongs to; `None` for those of its list.
fn part(index: &[u8], byte: usize) -> Option<String> {
    let (_, arrays) = arrays(index).ok()?;
    let arrays: Vec<Array<'_>> = arrays.flatten().collect();
    // Zeros between arrays belong to the one before them.
    let array = arrays.iter().rfind(|array| array.offset <= byte)?;
    let owned = |kind: Kind, owner: usize| {
        let mut own = arrays.iter();
        own.find(|array| array.kind == kind && array.owner == owner)
    };
    let name = |kind: Kind, owner: usize| {
        let name = owned(kind, owner).and_then(|array| array.text().ok());
        format!("`{}`", name.unwrap_or_default())
    };
    let owner = if array.kind < Kind::Pair {
        name(Kind::Name, array.owner)
    } else if array.kind < Kind::CategoryName {
        let columns = owned(Kind::Pair, array.owner)?.slice::<u32>().ok()?;
        let names = columns
            .iter()
            .map(|&column| name(Kind::Name, column as usize));
        names.collect::<Vec<_>>().join(" x ")
    } else {
        name(Kind::CategoryName, array.owner)
    };
    Some(format!(
        "{} of {owner}",
        array.kind.structure().unwrap_or("name")
    ))
}

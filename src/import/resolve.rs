//! The cells of hashes that a source gives without their graphs.

use std::sync::OnceLock;

use crate::cell::{Cell, CellHash, Space};

/// Up to so many vertices are looked at first: 2,532 cells instead of 423,624.
const FEW_VERTICES: usize = 5;

/// The cell with this hash, of up to so many vertices, drawn as NAS-Bench-101 draws it; none if the search space does not
/// hold it.
///
/// # Complexity
/// The first call that gets to 6 or 7 vertices enumerates and hashes the search space, as [`Space::new`]; what it finds is
/// kept, 12 MB, until the program ends. Else less than a microsecond.
pub(super) fn cell(hash: CellHash, max_vertices: usize) -> Option<Cell> {
    static SPACES: [OnceLock<Space>; Cell::MAX_VERTICES + 1] =
        [const { OnceLock::new() }; Cell::MAX_VERTICES + 1];
    let look = |vertices: usize| {
        let space = SPACES.get(vertices)?;
        let space = space.get_or_init(|| Space::new(vertices, Cell::MAX_EDGES));
        space.cell(hash)
    };
    let most = max_vertices.min(Cell::MAX_VERTICES);
    let few = most.min(FEW_VERTICES);
    look(few).or_else(|| if few < most { look(most) } else { None })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn hashes_are_found_up_to_the_number_of_vertices_that_is_asked_for() {
        let six = Cell::from_bits(
            "010000001000000100000010000001000000",
            "input,conv3x3-bn-relu,conv3x3-bn-relu,conv3x3-bn-relu,conv3x3-bn-relu,output",
        )
        .unwrap();
        let two = Cell::from_bits("0100", "input,output").unwrap();
        assert_eq!(cell(two.hash(), 7), Some(two));
        assert_eq!(cell(six.hash(), 5), None);
        assert_eq!(cell(six.hash(), 6), Some(six));
        assert_eq!(cell(CellHash::from_bytes([0; 16]), 6), None);
        assert_eq!(cell(two.hash(), 0), None);
    }
}

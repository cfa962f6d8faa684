//! The search space with its hashes.

use std::fmt;

use super::batch::hash_into;
use super::{Cell, CellHash, enumerate};
use crate::parallel;
use crate::random::SplitMix;

/// All cells of up to some vertices and edges, found by their hash.
///
/// ```
/// use ecnas::cell::{Cell, Space};
///
/// let space = Space::new(5, 9);
/// assert_eq!(space.len(), 2_532);
/// let cell: Cell = "0110001100010000:input,conv1x1-bn-relu,conv3x3-bn-relu,output".parse()?;
/// assert_eq!(space.cell(cell.hash()), Some(cell));
/// # Ok::<(), ecnas::cell::CellError>(())
/// ```
#[derive(Clone)]
pub struct Space {
    /// In the order of [`enumerate`].
    cells: Vec<Cell>,
    hashes: Vec<CellHash>,
    /// Places of the cells in the order of their hashes.
    by_hash: Vec<u32>,
}

impl Space {
    /// Enumerates and hashes the cells of up to `max_vertices` vertices and `max_edges` edges, on all cores.
    ///
    /// # Complexity
    /// That of [`hash_all`](super::hash_all): 0.6 s for NAS-Bench-101's 423,624 cells on 2 cores with AVX-512, more than
    /// twice as long without vector instructions. 28 bytes a cell.
    #[must_use]
    pub fn new(max_vertices: usize, max_edges: usize) -> Self {
        let cells: Vec<Cell> = enumerate(max_vertices, max_edges).collect();
        let mut hashes = vec![CellHash::from_bytes([0; 16]); cells.len()];
        // Later cells have more vertices and take longer: many stretches, which the threads take as they come.
        let stretch = (cells.len() / (8 * parallel::cores())).max(1);
        let stretches = cells.chunks(stretch).zip(hashes.chunks_mut(stretch));
        parallel::each(stretches.collect(), |(cells, hashes)| {
            hash_into(cells, hashes);
        });
        let mut by_hash: Vec<u32> = (0..cells.len() as u32).collect();
        by_hash.sort_unstable_by_key(|&place| hashes.get(place as usize));
        Self {
            cells,
            hashes,
            by_hash,
        }
    }

    /// Number of cells.
    #[must_use]
    pub fn len(&self) -> usize {
        self.cells.len()
    }

    /// Whether there are none: fewer than 2 vertices, or no edges.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.cells.is_empty()
    }

    /// The cells with their hashes, in the order of [`enumerate`].
    pub fn iter(&self) -> impl ExactSizeIterator<Item = (CellHash, Cell)> + '_ {
        self.hashes.iter().copied().zip(self.cells.iter().copied())
    }

    /// The cells, in the order of [`enumerate`].
    #[must_use]
    pub fn cells(&self) -> &[Cell] {
        &self.cells
    }

    /// The cell with this hash, drawn as NAS-Bench-101 draws it; `None` if it is outside the space.
    ///
    /// # Complexity
    /// O(log n): less than a microsecond.
    #[must_use]
    pub fn cell(&self, hash: CellHash) -> Option<Cell> {
        let at = |place: u32| self.hashes.get(place as usize).copied();
        let found = self
            .by_hash
            .binary_search_by(|&place| at(place).cmp(&Some(hash)))
            .ok()?;
        let place = *self.by_hash.get(found)?;
        self.cells.get(place as usize).copied()
    }

    /// Cells without end, each drawn from the whole space with the same chance; the same for the same seed on every machine.
    /// None where the space is empty.
    pub fn random(&self, seed: u64) -> impl Iterator<Item = Cell> + '_ {
        let mut random = SplitMix(seed);
        std::iter::from_fn(move || {
            let count = self.cells.len() as u64;
            let place = (count > 0).then(|| random.below(count))?;
            self.cells.get(place as usize).copied()
        })
    }
}

/// The number of its cells.
impl fmt::Debug for Space {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Space({} cells)", self.len())
    }
}

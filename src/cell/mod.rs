//! Cells: the architectures of NAS-Bench-101.
//!
//! A [`Cell`] is a directed acyclic graph of up to 7 vertices and 9 edges that
//! leads from an input to an output; each vertex between them is one of three
//! operations ([`Op`]). The network built from it is a stem, three stacks of
//! three copies of the cell, and a classifier (Ying et al., *NAS-Bench-101:
//! Towards Reproducible Neural Architecture Search*, ICML 2019).
//!
//! - [`Cell::new`], [`Cell::from_bits`], [`Cell::from_labels`] and
//!   [`Cell::from_code`] build and prune.
//! - Cells compare by isomorphism; [`CellHash`] is the key that the benchmarks
//!   publish for each class.
//! - [`Cell::trainable_parameters`] and [`Cell::macs`] tell the size and work
//!   of the network.
//! - [`Cell::edits_to`] tells how to turn one cell into another.
//! - [`enumerate()`] lists the search space, [`Space`] finds cells by their hash, [`Cell::neighbours`] what is near a cell.
//! - [`Cell::draw`] and [`Cell::to_dot`] show a cell.
//!
//! ```
//! use ecnas::cell::{Cell, CellHash};
//!
//! let cell = Cell::from_bits("0110001100010000", "input,conv1x1-bn-relu,conv3x3-bn-relu,output")?;
//! let redrawn: Cell = cell.to_string().parse()?;
//! assert_eq!(cell, redrawn);
//! assert_eq!(CellHash::from(cell).to_string(), "5529e1779433733d1145e20de5d8604e");
//! # Ok::<(), ecnas::cell::CellError>(())
//! ```

mod batch;
mod build;
mod canonical;
mod cost;
mod draft;
mod edit;
mod enumerate;
mod error;
mod feature;
mod graph;
mod hash;
mod mapping;
mod md5;
mod neighbours;
mod op;
mod picture;
#[cfg(feature = "serde")]
mod serde;
mod space;

use std::fmt;
use std::hash::{Hash, Hasher};

pub use batch::hash_all;
pub use cost::Macs;
pub(crate) use cost::{stack_channels, vertex_channels};
pub use edit::{Edit, Edits, Vertex};
pub use enumerate::enumerate;
pub use error::CellError;
pub use feature::Feature;
pub use graph::Graph;
pub use hash::{CellHash, HashError};
pub use op::Op;
pub use space::Space;

/// A cell: 8 bytes, copied freely.
///
/// It holds the drawing as it was given and which of its vertices are on a
/// path from input to output. Only these matter: [`Cell::graph`] shows them.
///
/// Two cells are equal if their pruned graphs are isomorphic, operations
/// included; `Hash` agrees with that. Text ([`Display`](fmt::Display) and
/// [`FromStr`](std::str::FromStr)) and [`Cell::code`] keep the drawing, so
/// equal cells may differ in both; take [`Cell::canonical`] first where that matters.
///
/// ```
/// use ecnas::cell::Cell;
///
/// // Vertex 2 leads nowhere, so it is pruned.
/// let cell = Cell::from_bits("0110000100000000", "input,maxpool3x3,conv3x3-bn-relu,output")?;
/// assert_eq!(cell.given().vertices(), 4);
/// assert_eq!(cell.graph().vertices(), 3);
/// assert_eq!(cell, "010001000:input,maxpool3x3,output".parse()?);
/// # Ok::<(), ecnas::cell::CellError>(())
/// ```
#[derive(Clone, Copy)]
pub struct Cell(u64);

impl Cell {
    /// Most vertices, input and output included.
    pub const MAX_VERTICES: usize = graph::MAX;
    /// Most edges after pruning.
    pub const MAX_EDGES: usize = 9;

    /// Bits of a code that are used.
    const CODE_BITS: u32 = 41;

    /// The packed form: one number that keeps the drawing. It is stable and
    /// may be stored; [`Cell::from_code`] is the way back.
    ///
    /// | bits | content |
    /// | --- | --- |
    /// | 0 to 9 | operations of vertices 1 to 5, as label numbers: vertex `v` at bits `10 - 2v` and `11 - 2v` |
    /// | 10 to 30 | edges: the one from `i` to `j` at bit `10 + j(j - 1)/2 + i` |
    /// | 31 to 33 | number of vertices given |
    /// | 34 to 40 | kept vertices: vertex `v` at bit `34 + v`, set if it is on a path from input to output |
    /// | 41 to 63 | zero |
    ///
    /// Bits of vertices that do not exist are zero. The order of the codes of
    /// pruned drawings is: by number of vertices, then by matrix, then by operations.
    pub const fn code(self) -> u64 {
        self.0
    }

    /// Packs a drawing and the mask of its kept vertices.
    const fn pack(graph: Graph, kept: u8) -> Cell {
        Cell(
            graph.packed_ops() as u64
                | (graph.packed_edges() as u64) << 10
                | (graph.vertices() as u64) << 31
                | (kept as u64) << 34,
        )
    }

    /// Packs a drawing in which every vertex is on a path from input to output.
    const fn pack_pruned(graph: Graph) -> Cell {
        Cell::pack(graph, ((1_u16 << graph.vertices()) - 1) as u8)
    }

    /// The drawing as it was given, before pruning.
    pub const fn given(&self) -> Graph {
        let edges = self.0 >> 10 & ((1 << 21) - 1);
        let ops = self.0 & ((1 << 10) - 1);
        Graph::from_parts((self.0 >> 31 & 7) as usize, edges as u32, ops as u16)
    }

    /// The drawing after pruning: the vertices on a path from input to output,
    /// in the order given.
    pub fn graph(&self) -> Graph {
        self.given().restrict(self.kept())
    }

    /// Mask of the given vertices that pruning keeps.
    const fn kept(&self) -> u8 {
        (self.0 >> 34) as u8
    }

    /// Whether vertex `vertex` of the drawing given is on a path from input to output.
    pub const fn keeps(&self, vertex: usize) -> bool {
        vertex < Cell::MAX_VERTICES && self.kept() >> vertex & 1 == 1
    }

    /// Whether the drawing given has nothing to prune, so that [`Cell::given`] is [`Cell::graph`].
    pub const fn is_pruned(&self) -> bool {
        self.kept().count_ones() as usize == self.given().vertices()
    }

    /// The same cell without the vertices that are on no path.
    pub fn pruned(&self) -> Cell {
        Cell::pack_pruned(self.graph())
    }

    /// The same cell in its canonical drawing: of all numberings of the pruned
    /// graph the one with the smallest [code](Cell::code). NAS-Bench-101 draws its cells so too: it tries matrices
    /// and labels in this order, and keeps the first drawing of each cell.
    ///
    /// Two cells are equal if and only if their canonical drawings have the same code.
    ///
    /// # Complexity
    /// At most 120 numberings are tried: 0.15 microseconds on average over the
    /// search space. No allocation.
    pub fn canonical(&self) -> Cell {
        Cell::pack_pruned(canonical::canonical(self.graph()))
    }
}

/// By isomorphism of the pruned graphs: exact, and without hashing.
impl PartialEq for Cell {
    fn eq(&self, other: &Cell) -> bool {
        if self.0 == other.0 {
            return true;
        }
        let (a, b) = (self.graph(), other.graph());
        let count = |graph: Graph, op| graph.iter_ops().filter(|&o| o == op).count();
        a == b
            || a.vertices() == b.vertices()
                && a.edges() == b.edges()
                && Op::ALL.iter().all(|&op| count(a, op) == count(b, op))
                && canonical::canonical(a) == canonical::canonical(b)
    }
}

impl Eq for Cell {}

/// By the canonical drawing, so that equal cells hash equally.
impl Hash for Cell {
    fn hash<H: Hasher>(&self, state: &mut H) {
        self.canonical().code().hash(state);
    }
}

/// Writes the drawing given as adjacency digits, a colon and operations:
/// `010001000:input,conv3x3-bn-relu,output`.
impl fmt::Display for Cell {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(&self.given(), f)
    }
}

impl fmt::Debug for Cell {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Cell({self})")
    }
}

//! A drawing of a cell: numbered vertices, edges, operations.
// Fixed arrays of 7 are indexed by vertex numbers below `vertices <= 7`.
#![allow(clippy::indexing_slicing)]

use std::fmt;

use super::Op;

/// Vertices that fit.
pub(super) const MAX: usize = 7;

/// One drawing of a cell: its vertices in a fixed order, its edges, its operations.
///
/// Vertex 0 is the input, vertex `vertices() - 1` the output, and every edge
/// leads from a lower to a higher number. Get one from [`Cell::given`] (all
/// that was given) or [`Cell::graph`] (what pruning left).
///
/// Two graphs are equal if they are the same drawing, vertex by vertex. Whether
/// two *cells* are the same whatever the numbering is for [`Cell`] to say.
///
/// ```
/// use ecnas::cell::{Cell, Op};
///
/// let graph = Cell::from_bits("011001000", "input,conv3x3-bn-relu,output")?.graph();
/// assert_eq!((graph.vertices(), graph.edges()), (3, 3));
/// assert_eq!(graph.op(1), Some(Op::Conv3x3));
/// assert!(graph.iter_edges().eq([(0, 1), (0, 2), (1, 2)]));
/// # Ok::<(), ecnas::cell::CellError>(())
/// ```
///
/// [`Cell`]: super::Cell
/// [`Cell::given`]: super::Cell::given
/// [`Cell::graph`]: super::Cell::graph
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub struct Graph {
    /// Number of vertices, 2 to 7.
    vertices: u8,
    /// Two bits for each interior vertex, see [`op_shift`].
    ops: u16,
    /// One bit for each possible edge, see [`column`].
    edges: u32,
}

/// Lowest bit of the edges that end at vertex `j`; the edge from `i` is `i` bits above.
///
/// The output's column is the highest. NAS-Bench-101 numbers matrices in the same way.
pub(super) const fn column(j: usize) -> usize {
    (j * j - j) / 2
}

/// Lowest bit of the operation of interior vertex `v`, in 1 to 5; vertex 1 has the highest bits.
pub(super) const fn op_shift(v: usize) -> usize {
    10 - 2 * v
}

/// Where the edge of each bit starts and ends.
const ENDS: [(u8, u8); column(MAX)] = {
    let mut ends = [(0, 0); column(MAX)];
    let mut to = 1;
    while to < MAX {
        let mut from = 0;
        while from < to {
            ends[column(to) + from] = (from as u8, to as u8);
            from += 1;
        }
        to += 1;
    }
    ends
};

/// The bit of each edge where edges are numbered by row and column, eight to a row.
const BY_ROW: [u64; column(MAX)] = {
    let mut bits = [0; column(MAX)];
    let mut edge = 0;
    while edge < ENDS.len() {
        let (from, to) = ENDS[edge];
        bits[edge] = 1 << (8 * from + to);
        edge += 1;
    }
    bits
};

/// The set bits of a mask, lowest first.
pub(super) fn bits(mask: impl Into<u64>) -> impl Iterator<Item = usize> + Clone {
    let mut mask = mask.into();
    std::iter::from_fn(move || {
        let bit = mask.trailing_zeros() as usize;
        (mask != 0).then(|| mask &= mask - 1).map(|()| bit)
    })
}

impl Graph {
    /// From packed parts; the caller has checked them.
    pub(super) const fn from_parts(vertices: usize, edges: u32, ops: u16) -> Graph {
        Graph {
            vertices: vertices as u8,
            ops,
            edges,
        }
    }

    /// The packed edges.
    pub(super) const fn packed_edges(self) -> u32 {
        self.edges
    }

    /// The packed operations.
    pub(super) const fn packed_ops(self) -> u16 {
        self.ops
    }

    /// Number of vertices, input and output included: 2 to 7.
    pub const fn vertices(self) -> usize {
        self.vertices as usize
    }

    /// Number of edges: 1 to 21, and at most 9 in a pruned graph.
    pub const fn edges(self) -> usize {
        self.edges.count_ones() as usize
    }

    /// Number of the output vertex: `vertices() - 1`.
    pub const fn output(self) -> usize {
        self.vertices() - 1
    }

    /// Whether an edge leads from vertex `from` to vertex `to`; no if there are no such vertices.
    pub const fn has_edge(self, from: usize, to: usize) -> bool {
        from < to && to < self.vertices() && self.edges >> (column(to) + from) & 1 == 1
    }

    /// The operation of a vertex: none for the input, the output, or a number out of range.
    pub const fn op(self, vertex: usize) -> Option<Op> {
        if 0 < vertex && vertex < self.output() {
            Op::from_label((self.ops >> op_shift(vertex) & 3) as i8)
        } else {
            None
        }
    }

    /// The label number of a vertex, as in the released graph files: -1 for the
    /// input, -2 for the output, else [`Op::label`]. None if out of range.
    pub const fn label(self, vertex: usize) -> Option<i8> {
        match self.op(vertex) {
            Some(op) => Some(op.label()),
            None if vertex == 0 => Some(-1),
            None if vertex == self.output() => Some(-2),
            None => None,
        }
    }

    /// The name of a vertex: `input`, `output` or [`Op::name`]. None if out of range.
    pub const fn name(self, vertex: usize) -> Option<&'static str> {
        match self.op(vertex) {
            Some(op) => Some(op.name()),
            None if vertex == 0 => Some("input"),
            None if vertex == self.output() => Some("output"),
            None => None,
        }
    }

    /// Mask of the vertices with an edge to `vertex`.
    pub(crate) const fn ins(self, vertex: usize) -> u8 {
        debug_assert!(vertex < MAX);
        (self.edges >> column(vertex)) as u8 & ((1 << vertex) - 1)
    }

    /// Masks of the vertices with each operation, by its label number.
    pub(super) fn vertices_by_op(self) -> [u8; 4] {
        let mut masks = [0; 4];
        for vertex in 1..self.output() {
            masks[usize::from(self.ops >> op_shift(vertex) & 3)] |= 1 << vertex;
        }
        masks
    }

    /// Mask of the vertices to which `vertex` has an edge.
    pub(super) fn outs(self, vertex: usize) -> u8 {
        (vertex + 1..self.vertices())
            .map(|to| ((self.edges >> (column(to) + vertex) & 1) as u8) << to)
            .sum()
    }

    /// The vertices with an edge to `vertex`, in increasing order.
    pub fn predecessors(self, vertex: usize) -> impl Iterator<Item = usize> + Clone {
        let known = vertex < self.vertices();
        bits(if known { self.ins(vertex) } else { 0 })
    }

    /// The vertices to which `vertex` has an edge, in increasing order.
    pub fn successors(self, vertex: usize) -> impl Iterator<Item = usize> + Clone {
        bits(self.outs(vertex))
    }

    /// The edges as (from, to), by row and then by column of the adjacency matrix.
    pub fn iter_edges(self) -> impl Iterator<Item = (usize, usize)> + Clone {
        // The bits of the edges stand column by column: they are put into rows of eight first.
        let by_row = bits(self.edges).fold(0, |rows, edge| rows | BY_ROW[edge]);
        bits(by_row).map(|edge| (edge / 8, edge % 8))
    }

    /// The operations of the interior vertices, in vertex order.
    pub fn iter_ops(self) -> impl Iterator<Item = Op> + Clone {
        (1..self.output()).filter_map(move |vertex| self.op(vertex))
    }

    /// This graph and another, with the edges alone that no edge of the other answers, given which vertex of the other each
    /// vertex becomes.
    pub(super) fn edges_not_shared(self, other: Graph, images: &[Option<u8>; MAX]) -> [Graph; 2] {
        let (mut own, mut others) = (self.edges, other.edges);
        for edge in bits(self.edges) {
            let (from, to) = ENDS[edge];
            let images = images[usize::from(from)].zip(images[usize::from(to)]);
            let Some((from, to)) = images.filter(|(from, to)| from < to) else {
                continue;
            };
            let image = column(to.into()) + usize::from(from);
            if other.edges >> image & 1 == 1 {
                own &= !(1 << edge);
                others &= !(1 << image);
            }
        }
        let with = |graph: Graph, edges| Graph { edges, ..graph };
        [with(self, own), with(other, others)]
    }

    /// Edges on the longest path from input to output.
    pub fn depth(self) -> usize {
        let mut depth = [0; MAX];
        for vertex in 1..self.vertices() {
            let before = bits(self.ins(vertex)).map(|v| depth[v]).max();
            depth[vertex] = before.map_or(0, |depth| depth + 1);
        }
        depth[self.output()]
    }

    /// The row-major adjacency matrix as `0` and `1`, as in the released files.
    pub fn adjacency_bits(self) -> String {
        let n = self.vertices();
        (0..n * n)
            .map(|k| {
                if self.has_edge(k / n, k % n) {
                    '1'
                } else {
                    '0'
                }
            })
            .collect()
    }

    /// The comma-separated names of all vertices, as in the released files.
    pub fn operations(self) -> String {
        let names: Vec<_> = (0..self.vertices()).filter_map(|v| self.name(v)).collect();
        names.join(",")
    }

    /// Mask of the vertices on a path from input to output; 0 if there is no such path.
    pub(super) fn on_path(self) -> u8 {
        let output = self.output();
        let mut reached = 1;
        let mut reaching = 1 << output;
        for v in 1..=output {
            if self.ins(v) & reached != 0 {
                reached |= 1 << v;
            }
        }
        for v in (1..=output).rev() {
            if reaching >> v & 1 == 1 {
                reaching |= self.ins(v);
            }
        }
        let kept = reached & reaching;
        if kept & 1 == 1 { kept } else { 0 }
    }

    /// The part between the vertices of a mask which holds input and output.
    pub(super) fn restrict(self, kept: u8) -> Graph {
        if u32::from(self.vertices) == kept.count_ones() {
            return self;
        }
        let (mut n, mut edges, mut ops) = (0, 0, 0);
        for v in bits(kept) {
            let ins = bits(kept)
                .enumerate()
                .filter(|&(_, u)| self.ins(v) >> u & 1 == 1);
            edges |= ins.fold(0, |edges, (k, _)| edges | 1 << (column(n) + k));
            if let Some(op) = self.op(v) {
                ops |= (op as u16) << op_shift(n);
            }
            n += 1;
        }
        Graph::from_parts(n, edges, ops)
    }
}

/// Writes the adjacency digits, a colon and the operations.
impl fmt::Display for Graph {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:{}", self.adjacency_bits(), self.operations())
    }
}

impl fmt::Debug for Graph {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Graph({self})")
    }
}

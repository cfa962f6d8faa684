//! The fewest edits that turn one cell into another.
// Fixed arrays of 7, and the names of all vertices, are indexed by vertex numbers.
#![allow(clippy::indexing_slicing)]

use std::fmt;

use super::draft::Draft;
use super::graph::{Graph, MAX, bits, column};
use super::{Cell, CellError, Op};

/// A vertex in an [`Edit`].
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub enum Vertex {
    /// A vertex of the cell that is edited, by its number in the pruned drawing.
    Old(u8),
    /// A vertex that the edits add: the first, the second, and so on, from 0.
    New(u8),
}

/// Writes the number of an old vertex, or the letter of a new one: `a`, `b`, ...
impl fmt::Display for Vertex {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Vertex::Old(number) => write!(f, "{number}"),
            Vertex::New(index) => write!(f, "{}", char::from(b'a'.saturating_add(*index))),
        }
    }
}

/// One step from a cell to another. Each counts as one edit.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub enum Edit {
    /// Give an interior vertex another operation.
    Swap {
        /// The vertex.
        vertex: Vertex,
        /// Its operation before.
        from: Op,
        /// Its operation afterwards.
        to: Op,
    },
    /// Remove an edge.
    DropEdge {
        /// Where it starts.
        from: Vertex,
        /// Where it ends.
        to: Vertex,
    },
    /// Remove an interior vertex whose edges are gone.
    DropVertex {
        /// The vertex.
        vertex: Vertex,
        /// Its operation.
        op: Op,
    },
    /// Add an interior vertex, without edges.
    AddVertex {
        /// The vertex.
        vertex: Vertex,
        /// Its operation.
        op: Op,
    },
    /// Add an edge.
    AddEdge {
        /// Where it starts.
        from: Vertex,
        /// Where it ends.
        to: Vertex,
    },
}

impl fmt::Display for Edit {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Edit::Swap { vertex, from, to } => write!(f, "swap vertex {vertex} {from} -> {to}"),
            Edit::DropEdge { from, to } => write!(f, "drop edge {from}->{to}"),
            Edit::DropVertex { vertex, op } => write!(f, "drop vertex {vertex} {op}"),
            Edit::AddVertex { vertex, op } => write!(f, "add vertex {vertex} {op}"),
            Edit::AddEdge { from, to } => write!(f, "add edge {from}->{to}"),
        }
    }
}

/// The fewest edits that turn one cell into another, in an order in which they
/// can be made: operations swapped, edges dropped, vertices dropped, vertices
/// added, edges added.
///
/// Get them from [`Cell::edits_to`]; [`Edits::apply`] makes them. Written as
/// text they are separated by semicolons; no edits are written as `no edits`.
#[derive(Clone, PartialEq, Eq, Hash, Debug, Default)]
pub struct Edits(Vec<Edit>);

impl Edits {
    /// Number of edits; 0 if and only if the cells are equal.
    pub fn len(&self) -> usize {
        self.0.len()
    }

    /// Whether the cells are equal.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// The edits in order.
    pub fn iter(&self) -> std::slice::Iter<'_, Edit> {
        self.0.iter()
    }

    /// Makes the edits on the pruned drawing of `cell`.
    ///
    /// On the cell that [`Cell::edits_to`] was asked, this gives one equal to
    /// its target. The vertices are numbered anew: every edge must lead upwards.
    ///
    /// # Errors
    /// [`CellError::Edit`] if an edit does not fit another cell than that, and
    /// what [`Cell::new`] says if the result is not a cell.
    pub fn apply(&self, cell: &Cell) -> Result<Cell, CellError> {
        let mut draft = Draft::new(cell.graph());
        for &edit in &self.0 {
            if !draft.make(edit) {
                return Err(CellError::Edit { edit });
            }
        }
        draft.finish()
    }
}

impl<'a> IntoIterator for &'a Edits {
    type Item = &'a Edit;
    type IntoIter = std::slice::Iter<'a, Edit>;

    fn into_iter(self) -> Self::IntoIter {
        self.iter()
    }
}

impl fmt::Display for Edits {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.is_empty() {
            return f.write_str("no edits");
        }
        for (k, edit) in self.iter().enumerate() {
            let separator = if k == 0 { "" } else { "; " };
            write!(f, "{separator}{edit}")?;
        }
        Ok(())
    }
}

impl Cell {
    /// The fewest edits that turn this cell into one equal to `other`.
    ///
    /// Swapping an operation, adding or dropping an edge, and adding or
    /// dropping an interior vertex count one each; a vertex that comes or goes
    /// costs its edges as well. Both cells are taken as pruned and up to
    /// isomorphism, and no drawing needs to stay in order meanwhile. This is
    /// the graph edit distance with unit costs. Where several sets of edits are
    /// smallest, the choice depends on the two drawings only.
    ///
    /// ```
    /// use ecnas::cell::Cell;
    ///
    /// let cell: Cell = "0110001100010000:input,conv3x3-bn-relu,conv3x3-bn-relu,output".parse()?;
    /// let other: Cell = "0110000100010000:input,conv1x1-bn-relu,conv3x3-bn-relu,output".parse()?;
    /// let edits = cell.edits_to(&other);
    /// assert_eq!(
    ///     edits.to_string(),
    ///     "swap vertex 1 conv3x3-bn-relu -> conv1x1-bn-relu; drop edge 1->2",
    /// );
    /// assert_eq!(edits.apply(&cell)?, other);
    /// # Ok::<(), ecnas::cell::CellError>(())
    /// ```
    ///
    /// # Complexity
    /// Every mapping between the interior vertices is tried unless it is certain to be worse,
    /// at most 120: a few microseconds.
    pub fn edits_to(&self, other: &Cell) -> Edits {
        let (a, b) = (self.graph(), other.graph());
        let to_b = smallest_mapping(a, b);
        Edits(list(a, b, &to_b))
    }

    /// The number of edits between two cells: [`Edits::len`] of [`Cell::edits_to`], without the list.
    pub fn edit_distance(&self, other: &Cell) -> usize {
        let (a, b) = (self.graph(), other.graph());
        let mut search = Search::new(a, b);
        search.map(1, 0);
        let vertices = a.vertices().abs_diff(b.vertices());
        (a.edges() + b.edges() + vertices).saturating_add_signed(-search.best.0)
    }
}

impl Cell {
    /// Whether at most so many edits turn this cell into the other.
    ///
    /// # Complexity
    /// As [`Cell::edit_distance`], but most cells that are far away are told by counting operations and edges: some
    /// nanoseconds.
    pub fn is_within_edits(&self, other: &Cell, most: usize) -> bool {
        let (a, b) = (self.graph(), other.graph());
        let count = |graph: Graph, op: Op| graph.iter_ops().filter(|&own| own == op).count();
        let ops: usize = Op::ALL
            .iter()
            .map(|&op| count(a, op).abs_diff(count(b, op)))
            .sum();
        let vertices = a.vertices().abs_diff(b.vertices());
        // A swap takes from one operation what it gives to another.
        let swaps = (ops - vertices) / 2;
        let least = vertices + swaps + a.edges().abs_diff(b.edges());
        least <= most && self.edit_distance(other) <= most
    }
}

/// Which vertex of the other graph each vertex becomes, if any.
type Mapping = [Option<u8>; MAX];

/// The mapping from `a` to `b` with the fewest edits.
fn smallest_mapping(a: Graph, b: Graph) -> Mapping {
    let mut search = Search::new(a, b);
    search.map(1, 0);
    let small_to_large = search.best.1;
    let mut mapping = [None; MAX];
    for (small, &large) in small_to_large
        .iter()
        .enumerate()
        .take(search.small.vertices())
    {
        if a.vertices() <= b.vertices() {
            mapping[small] = Some(large);
        } else {
            mapping[usize::from(large)] = Some(small as u8);
        }
    }
    mapping
}

/// Looks for the mapping with the fewest edits, from the graph with fewer
/// vertices into the other.
///
/// Every vertex of the smaller graph is mapped: were `v` dropped and `w` added
/// instead, that would cost two and all their edges, while making `w` of `v`
/// costs at most one and those edges. So the edits are the difference in
/// vertices, the operations that differ, and the edges of both graphs less
/// twice those in common: the score to maximise is twice the common edges less
/// the operations that differ.
struct Search {
    small: Graph,
    large: Graph,
    /// Vertex of the large graph for each vertex mapped so far.
    image: [u8; MAX],
    /// Mask of the interior vertices of the large graph that are taken.
    taken: u8,
    best: (isize, [u8; MAX]),
}

impl Search {
    fn new(a: Graph, b: Graph) -> Search {
        let (small, large) = if a.vertices() <= b.vertices() {
            (a, b)
        } else {
            (b, a)
        };
        let mut image = [0; MAX];
        image[small.output()] = large.output() as u8;
        let taken = 1 | 1 << large.output();
        Search {
            small,
            large,
            image,
            taken,
            best: (isize::MIN, image),
        }
    }

    /// Maps vertex `v` and all after it; `score` is that of the vertices before it.
    fn map(&mut self, v: usize, score: isize) {
        if v == self.small.output() {
            let score = score + 2 * self.common(v);
            if score > self.best.0 {
                self.best = (score, self.image);
            }
            return;
        }
        // At best all edges that end at `v` or later are common.
        let later = self.small.packed_edges() & ((1 << column(v - 1)) - 1);
        if score + 2 * later.count_ones() as isize <= self.best.0 {
            return;
        }
        for w in bits(((1 << self.large.output()) - 1) & !self.taken) {
            self.image[v] = w as u8;
            self.taken |= 1 << w;
            let swap = isize::from(self.small.op(v) != self.large.op(w));
            let gain = 2 * self.common(v);
            self.map(v + 1, score + gain - swap);
            self.taken &= !(1 << w);
        }
    }

    /// The edges that end at `v` in both graphs.
    fn common(&self, v: usize) -> isize {
        let ins = self.large.ins(usize::from(self.image[v]));
        let both = bits(self.small.ins(v)).filter(|&u| ins >> self.image[u] & 1 == 1);
        both.count() as isize
    }
}

/// The edits of a mapping from `a` to `b`.
fn list(a: Graph, b: Graph, to_b: &Mapping) -> Vec<Edit> {
    let old = |v: usize| Vertex::Old(v as u8);
    // What the vertices of `b` are called in terms of `a`; those without a
    // counterpart are new.
    let mut fresh = (0..).map(Vertex::New);
    let names: Vec<Vertex> = (0..b.vertices())
        .filter_map(|w| {
            let v = to_b.iter().position(|&image| image == Some(w as u8));
            v.map(old).or_else(|| fresh.next())
        })
        .collect();
    let image = |v: usize| to_b[v].map(usize::from);

    let swaps = (1..a.output()).filter_map(|v| {
        let (from, to) = (a.op(v)?, b.op(image(v)?)?);
        (from != to).then_some(Edit::Swap {
            vertex: old(v),
            from,
            to,
        })
    });
    let dropped_edges = a.iter_edges().filter_map(|(from, to)| {
        let kept = image(from)
            .zip(image(to))
            .is_some_and(|(x, y)| b.has_edge(x, y));
        (!kept).then_some(Edit::DropEdge {
            from: old(from),
            to: old(to),
        })
    });
    let dropped = (1..a.output()).filter(|&v| image(v).is_none());
    let dropped_vertices = dropped.filter_map(|v| {
        Some(Edit::DropVertex {
            vertex: old(v),
            op: a.op(v)?,
        })
    });
    let added_vertices = (1..b.output()).filter_map(|w| match names[w] {
        Vertex::Old(_) => None,
        vertex => Some(Edit::AddVertex {
            vertex,
            op: b.op(w)?,
        }),
    });
    let added_edges = b.iter_edges().filter_map(|(from, to)| {
        let (from, to) = (names[from], names[to]);
        let had = match (from, to) {
            (Vertex::Old(x), Vertex::Old(y)) => a.has_edge(x.into(), y.into()),
            _ => false,
        };
        (!had).then_some(Edit::AddEdge { from, to })
    });
    swaps
        .chain(dropped_edges)
        .chain(dropped_vertices)
        .chain(added_vertices)
        .chain(added_edges)
        .collect()
}

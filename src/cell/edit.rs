//! The fewest edits that turn one cell into another.
// Fixed arrays of 7 are indexed by vertex numbers.
#![allow(clippy::indexing_slicing)]

use std::fmt;

use super::draft::Draft;
use super::graph::{Graph, MAX};
use super::mapping::{Mapping, best_mapping};
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
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
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
    /// All 120 mappings between the interior vertices are compared at once: less than a microsecond.
    pub fn edits_to(&self, other: &Cell) -> Edits {
        let (a, b) = (self.graph(), other.graph());
        let (count, to_b) = best_mapping(a, b);
        Edits(list(a, b, &to_b, count))
    }

    /// The number of edits between two cells: [`Edits::len`] of [`Cell::edits_to`], without the list.
    pub fn edit_distance(&self, other: &Cell) -> usize {
        best_mapping(self.graph(), other.graph()).0
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

/// The edits of a mapping from `a` to `b`, so many.
fn list(a: Graph, b: Graph, to_b: &Mapping, count: usize) -> Vec<Edit> {
    // What the vertices of `b` are called in terms of `a`; those without a
    // counterpart are new.
    let mut names = [None; MAX];
    for (v, w) in (0..).zip(to_b) {
        if let Some(w) = w {
            names[usize::from(*w)] = Some(Vertex::Old(v));
        }
    }
    let is_new = names.map(|name| name.is_none());
    let mut fresh = 0;
    let names = names.map(|name| {
        name.unwrap_or_else(|| {
            fresh += 1;
            Vertex::New(fresh - 1)
        })
    });
    let old = |v: usize| Vertex::Old(v as u8);
    let [only_a, only_b] = a.edges_not_shared(b, to_b);

    let mut edits = Vec::with_capacity(count);
    for (v, w) in to_b.iter().enumerate() {
        let image = w.and_then(|w| b.op(w.into()));
        if let (Some(from), Some(to)) = (a.op(v), image)
            && from != to
        {
            let vertex = old(v);
            edits.push(Edit::Swap { vertex, from, to });
        }
    }
    for (from, to) in only_a.iter_edges() {
        let (from, to) = (old(from), old(to));
        edits.push(Edit::DropEdge { from, to });
    }
    for v in (1..a.output()).filter(|&v| to_b[v].is_none()) {
        let dropped = a.op(v).map(|op| (old(v), op));
        edits.extend(dropped.map(|(vertex, op)| Edit::DropVertex { vertex, op }));
    }
    for w in (1..b.output()).filter(|&w| is_new[w]) {
        let added = b.op(w).map(|op| (names[w], op));
        edits.extend(added.map(|(vertex, op)| Edit::AddVertex { vertex, op }));
    }
    for (from, to) in only_b.iter_edges() {
        let (from, to) = (names[from], names[to]);
        edits.push(Edit::AddEdge { from, to });
    }
    edits
}

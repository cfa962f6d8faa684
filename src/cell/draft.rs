//! Making edits: a graph whose vertices may be out of order for a while.
// Fixed arrays are indexed by slots below `SLOTS`, which `Draft::slot` checks.
#![allow(clippy::indexing_slicing)]

use super::graph::{Graph, MAX, column, op_shift};
use super::{Cell, CellError, Edit, Op, Vertex};

/// Old vertices take the first slots of a draft, new ones those after them.
const SLOTS: usize = MAX + MAX - 2;

/// A graph while it is edited: its vertices need not be in order.
pub(super) struct Draft {
    /// The output's slot; the input's is 0.
    output: usize,
    ops: [Option<Op>; SLOTS],
    /// For each slot the mask of those with an edge to it.
    ins: [u16; SLOTS],
}

impl Draft {
    pub(super) fn new(graph: Graph) -> Draft {
        let mut draft = Draft {
            output: graph.output(),
            ops: [None; SLOTS],
            ins: [0; SLOTS],
        };
        for v in 0..graph.vertices() {
            draft.ops[v] = graph.op(v);
            draft.ins[v] = u16::from(graph.ins(v));
        }
        draft
    }

    /// The slot of a vertex, whether or not it exists.
    fn slot(vertex: Vertex) -> Option<usize> {
        match vertex {
            Vertex::Old(number) => Some(usize::from(number)).filter(|&slot| slot < MAX),
            Vertex::New(index) => Some(MAX + usize::from(index)).filter(|&slot| slot < SLOTS),
        }
    }

    fn exists(&self, slot: usize) -> bool {
        slot == 0 || slot == self.output || self.ops[slot].is_some()
    }

    /// Makes an edit, or returns false if it does not fit.
    pub(super) fn make(&mut self, edit: Edit) -> bool {
        match edit {
            Edit::Swap { vertex, from, to } => self.set_op(vertex, Some(from), Some(to)),
            Edit::DropVertex { vertex, op } => self.set_op(vertex, Some(op), None),
            Edit::AddVertex { vertex, op } => self.set_op(vertex, None, Some(op)),
            Edit::DropEdge { from, to } => self.set_edge(from, to, false),
            Edit::AddEdge { from, to } => self.set_edge(from, to, true),
        }
    }

    fn set_op(&mut self, vertex: Vertex, before: Option<Op>, after: Option<Op>) -> bool {
        let Some(slot) = Draft::slot(vertex) else {
            return false;
        };
        let fits = slot != 0 && slot != self.output && self.ops[slot] == before;
        let edges = self.ins[slot] != 0 || self.ins.iter().any(|ins| ins >> slot & 1 == 1);
        if !fits || after.is_none() && edges {
            return false;
        }
        self.ops[slot] = after;
        true
    }

    fn set_edge(&mut self, from: Vertex, to: Vertex, after: bool) -> bool {
        let (Some(from), Some(to)) = (Draft::slot(from), Draft::slot(to)) else {
            return false;
        };
        let had = self.ins[to] >> from & 1 == 1;
        let fits = self.exists(from) && self.exists(to) && from != self.output && to != 0;
        if fits && had != after {
            self.ins[to] ^= 1 << from;
            return true;
        }
        false
    }

    /// Numbers the vertices in topological order and builds the cell.
    pub(super) fn finish(self) -> Result<Cell, CellError> {
        let interior = (1..SLOTS).filter(|&slot| slot != self.output && self.exists(slot));
        let found = interior.clone().count() + 2;
        if found > MAX {
            return Err(CellError::VertexCount { found });
        }
        let mut order = [0; MAX];
        let mut placed = 1;
        for position in order.iter_mut().take(found - 1).skip(1) {
            let ready = |slot: &usize| placed >> slot & 1 == 0 && self.ins[*slot] & !placed == 0;
            let Some(slot) = interior.clone().find(ready) else {
                return Err(CellError::Cycle);
            };
            *position = slot;
            placed |= 1_u16 << slot;
        }
        order[found - 1] = self.output;

        let (mut edges, mut ops) = (0, 0);
        for (v, &slot) in order.iter().enumerate().take(found) {
            let ins = (0..v).filter(|&u| self.ins[slot] >> order[u] & 1 == 1);
            edges |= ins.map(|u| 1 << (column(v) + u)).sum::<u32>();
            if let Some(op) = self.ops[slot] {
                ops |= (op as u16) << op_shift(v);
            }
        }
        Cell::from_given(Graph::from_parts(found, edges, ops))
    }
}

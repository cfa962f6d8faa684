//! The smallest drawing among all that show the same cell: the one that NAS-Bench-101 met first, and published.
// Fixed arrays of 7 are indexed by vertex numbers below `vertices <= 7`.
#![allow(clippy::indexing_slicing)]

use super::graph::{Graph, MAX, bits, column, op_shift};

/// An order of vertices: the vertex that comes first, second, and so on.
pub(super) type Order = [u8; MAX];

/// The isomorphic drawing with the smallest (edges, operations).
pub(super) fn canonical(graph: Graph) -> Graph {
    let mut best = (u32::MAX, u16::MAX);
    smallest_orders(graph, u32::MAX, |edges, order| {
        if edges <= best.0 {
            best = best.min((edges, reorder_ops(graph, order)));
        }
    });
    Graph::from_parts(graph.vertices(), best.0, best.1)
}

/// The packed operations once the vertices are put into another order.
pub(super) fn reorder_ops(graph: Graph, order: &Order) -> u16 {
    let ops = u32::from(graph.packed_ops());
    let interior = 1..graph.output();
    let moved = interior.map(|v| (ops >> op_shift(usize::from(order[v])) & 3) << op_shift(v));
    moved.sum::<u32>() as u16
}

/// Visits the topological orders of a graph with their packed edges, leaving
/// out those which are certain to be larger than `bound` or than one visited before.
///
/// Whatever comes later only adds edges, so that what is known of them is a lower bound; the column of the output weighs
/// most.
pub(super) fn smallest_orders(graph: Graph, bound: u32, visit: impl FnMut(u32, &Order)) {
    let n = graph.vertices();
    let mut ins = [0; MAX];
    let mut outs = [0; MAX];
    for (v, ins) in ins.iter_mut().enumerate().take(n) {
        *ins = graph.ins(v);
        bits(*ins).for_each(|u| outs[u] |= 1 << (8 * v));
    }
    let mut search = Search {
        n,
        ins,
        outs,
        bound,
        order: [0; MAX],
        visit,
    };
    search.place(1, 1, outs[0], 0);
}

struct Search<F> {
    n: usize,
    /// For each vertex the mask of its predecessors.
    ins: [u8; MAX],
    /// For each vertex one byte for each successor.
    outs: [u64; MAX],
    /// The smallest packed edges so far.
    bound: u32,
    order: Order,
    visit: F,
}

impl<F: FnMut(u32, &Order)> Search<F> {
    /// Chooses the vertex at `position`. `placed` is the mask of the vertices
    /// chosen before; byte `v` of `columns` is the mask of the positions of
    /// those that have an edge to `v`; `edges` holds their packed columns.
    fn place(&mut self, position: usize, placed: u8, columns: u64, edges: u32) {
        let column_of = |v: usize| (columns >> (8 * v)) as u8;
        let last = self.n - 1;
        if position == last {
            let edges = edges | u32::from(column_of(last)) << column(last);
            if edges <= self.bound {
                self.bound = edges;
                self.order[last] = last as u8;
                (self.visit)(edges, &self.order);
            }
            return;
        }
        if edges | u32::from(column_of(last)) << column(last) > self.bound {
            return;
        }
        let free = bits(((1 << last) - 1) & !placed);
        for v in free {
            if self.ins[v] & !placed != 0 {
                continue;
            }
            let edges = edges | u32::from(column_of(v)) << column(position);
            self.order[position] = v as u8;
            let columns = columns | self.outs[v] << position;
            self.place(position + 1, placed | 1 << v, columns, edges);
        }
    }
}

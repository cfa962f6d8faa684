//! The search space, cell by cell.

use super::canonical::{Order, reorder_ops, smallest_orders};
use super::graph::{Graph, op_shift};
use super::{Cell, Op};

/// Every cell of up to `max_vertices` vertices and `max_edges` edges, each once.
///
/// No two of them are equal, and each is drawn canonically and without anything
/// to prune. They come in increasing order of [`Cell::code`]: by number of
/// vertices, then by matrix, then by operations. The order is stable.
///
/// Arguments above [`Cell::MAX_VERTICES`] and [`Cell::MAX_EDGES`] stand for
/// these limits; fewer than 2 vertices or 1 edge give no cells. With both
/// limits, NAS-Bench-101's 423,624 cells come out: 1, 6, 84, 2,441, 62,010 and
/// 359,082 of 2 to 7 vertices.
///
/// # Complexity
/// Lazy. A drawing is kept if it is its own canonical form, so that nothing
/// needs to be remembered or hashed; the whole space takes some 35 milliseconds.
///
/// ```
/// use ecnas::cell::enumerate;
///
/// assert_eq!(enumerate(4, 9).count(), 1 + 6 + 84);
/// assert!(enumerate(4, 9).is_sorted_by_key(|cell| cell.code()));
/// ```
pub fn enumerate(max_vertices: usize, max_edges: usize) -> impl Iterator<Item = Cell> {
    let max_edges = max_edges.min(Cell::MAX_EDGES);
    (2..=max_vertices.min(Cell::MAX_VERTICES))
        .flat_map(move |n| matrices(n, max_edges))
        .flat_map(labelings)
}

/// A canonical matrix and the orders of its vertices that leave it as it is.
struct Matrix {
    graph: Graph,
    symmetries: Vec<Order>,
}

/// The canonical matrices of `n` vertices in which every vertex is on a path.
fn matrices(n: usize, max_edges: usize) -> impl Iterator<Item = Matrix> {
    let possible = n * (n - 1) / 2;
    let all = ((1_u16 << n) - 1) as u8;
    (0..1_u32 << possible)
        .filter(move |edges| edges.count_ones() as usize <= max_edges)
        .map(move |edges| Graph::from_parts(n, edges, 0))
        .filter(move |graph| graph.on_path() == all)
        .filter_map(canonical_matrix)
}

/// The symmetries of a matrix, if no order of its vertices gives a smaller one.
fn canonical_matrix(graph: Graph) -> Option<Matrix> {
    let own = graph.packed_edges();
    let mut canonical = true;
    let mut symmetries = Vec::new();
    smallest_orders(graph, own, |edges, order| {
        canonical &= edges == own;
        symmetries.push(*order);
    });
    canonical.then_some(Matrix { graph, symmetries })
}

/// The cells of a matrix whose operations no symmetry makes smaller.
fn labelings(matrix: Matrix) -> impl Iterator<Item = Cell> {
    let Matrix { graph, symmetries } = matrix;
    let n = graph.vertices();
    let kinds = Op::ALL.len();
    (0..kinds.pow(n as u32 - 2)).filter_map(move |mut number| {
        let mut ops = 0;
        for vertex in (1..n - 1).rev() {
            ops |= ((number % kinds) as u16) << op_shift(vertex);
            number /= kinds;
        }
        let graph = Graph::from_parts(n, graph.packed_edges(), ops);
        let smallest = symmetries
            .iter()
            .all(|order| ops <= reorder_ops(graph, order));
        smallest.then(|| Cell::pack_pruned(graph))
    })
}

//! Cells against slow and simple twins.

use std::collections::HashSet;
use std::hash::{DefaultHasher, Hash, Hasher};

use ecnas::cell::{Cell, Graph, Op};
use proptest::prelude::*;

/// Rows of an adjacency matrix, and labels.
type Drawing = (Vec<Vec<u8>>, Vec<i8>);

/// Any upper triangular drawing of 2 to `max` vertices, legal or not.
fn drawings(max: usize) -> impl Strategy<Value = Drawing> {
    (2..=max, 0.25..0.8).prop_flat_map(|(n, density)| {
        let edges = prop::collection::vec(prop::bool::weighted(density), n * n);
        let labels = prop::collection::vec(0..3_i8, n);
        (edges, labels).prop_map(move |(edges, mut labels)| {
            let edge = |i, j| u8::from(i < j && edges[i * n + j]);
            let rows = (0..n)
                .map(|i| (0..n).map(|j| edge(i, j)).collect())
                .collect();
            (labels[0], labels[n - 1]) = (-1, -2);
            (rows, labels)
        })
    })
}

/// Any cell of up to `max` given vertices.
fn cells(max: usize) -> impl Strategy<Value = Cell> {
    drawings(max).prop_filter_map("not a cell", |(rows, labels)| {
        Cell::from_labels(&rows, &labels).ok()
    })
}

/// A cell and another one a few changes away, so that near misses are common.
fn pairs(max: usize) -> impl Strategy<Value = (Cell, Cell)> {
    let near = (
        cells(max),
        any::<prop::sample::Index>(),
        any::<prop::sample::Index>(),
    );
    let near = near.prop_map(|(cell, first, second)| {
        let step = |cell: Cell, index: prop::sample::Index| match cell.neighbours() {
            none if none.is_empty() => cell,
            some => some[index.index(some.len())],
        };
        (cell, step(step(cell, first), second))
    });
    prop_oneof![(cells(max), cells(max)), near]
}

fn drawing(graph: Graph) -> Drawing {
    let n = graph.vertices();
    let row = |i| (0..n).map(|j| u8::from(graph.has_edge(i, j))).collect();
    (
        (0..n).map(row).collect(),
        (0..n).map(|v| graph.label(v).unwrap()).collect(),
    )
}

/// The same drawing with its interior vertices in another topological order.
fn redraw(graph: Graph, priorities: &[u32]) -> Cell {
    let n = graph.vertices();
    let mut order = vec![0];
    while order.len() < n - 1 {
        let ready = (1..n - 1)
            .filter(|v| !order.contains(v) && graph.predecessors(*v).all(|u| order.contains(&u)));
        order.push(ready.min_by_key(|&v| priorities[v]).unwrap());
    }
    order.push(n - 1);
    let (rows, labels) = drawing(graph);
    let moved: Vec<Vec<u8>> = order
        .iter()
        .map(|&i| order.iter().map(|&j| rows[i][j]).collect())
        .collect();
    let labels: Vec<i8> = order.iter().map(|&v| labels[v]).collect();
    Cell::from_labels(&moved, &labels).unwrap()
}

/// Calls `visit` with every injective partial mapping from `0..from` to `0..to`.
fn mappings(from: usize, to: usize, visit: &mut impl FnMut(&[Option<usize>])) {
    fn extend(
        map: &mut Vec<Option<usize>>,
        from: usize,
        to: usize,
        visit: &mut impl FnMut(&[Option<usize>]),
    ) {
        if map.len() == from {
            return visit(map);
        }
        for image in (0..to).map(Some).chain([None]) {
            if image.is_none() || !map.contains(&image) {
                map.push(image);
                extend(map, from, to, visit);
                map.pop();
            }
        }
    }
    extend(&mut Vec::new(), from, to, visit);
}

/// The edit distance by its definition: each mapping, each vertex, each edge.
fn slow_distance(a: Graph, b: Graph) -> usize {
    let mut best = usize::MAX;
    mappings(a.vertices() - 2, b.vertices() - 2, &mut |interior| {
        let mut map = vec![Some(0)];
        map.extend(interior.iter().map(|image| image.map(|w| w + 1)));
        map.push(Some(b.vertices() - 1));
        let mut cost = (1..b.vertices() - 1)
            .filter(|w| !map.contains(&Some(*w)))
            .count();
        let changed = |v: &usize| map[*v].is_none_or(|w| a.op(*v) != b.op(w));
        cost += (1..a.vertices() - 1).filter(changed).count();
        let image = |(u, v): (usize, usize)| Some((map[u]?, map[v]?));
        let images: HashSet<_> = a.iter_edges().filter_map(image).collect();
        let targets: HashSet<_> = b.iter_edges().collect();
        let common = images.intersection(&targets).count();
        best = best.min(cost + a.edges() + b.edges() - 2 * common);
    });
    best
}

/// Isomorphism by its definition.
fn slow_equal(a: Graph, b: Graph) -> bool {
    let n = a.vertices();
    let mut equal = false;
    if n == b.vertices() {
        mappings(n - 2, n - 2, &mut |interior| {
            let Some(interior) = interior.iter().copied().collect::<Option<Vec<_>>>() else {
                return;
            };
            let map = |v: usize| {
                if v == 0 || v == n - 1 {
                    v
                } else {
                    interior[v - 1] + 1
                }
            };
            equal |= (0..n).all(|v| a.op(v) == b.op(map(v)))
                && (0..n).all(|u| (0..n).all(|v| a.has_edge(u, v) == b.has_edge(map(u), map(v))));
        });
    }
    equal
}

fn std_hash(cell: &Cell) -> u64 {
    let mut hasher = DefaultHasher::new();
    Hash::hash(cell, &mut hasher);
    hasher.finish()
}

proptest! {
    #[test]
    fn redrawn_cells_are_the_same(cell in cells(7), priorities in prop::array::uniform7(any::<u32>())) {
        for graph in [cell.given(), cell.graph()] {
            let other = redraw(graph, &priorities);
            prop_assert_eq!(cell, other);
            prop_assert_eq!(std_hash(&cell), std_hash(&other));
            prop_assert_eq!(cell.hash(), other.hash());
            prop_assert_eq!(cell.canonical().code(), other.canonical().code());
        }
    }

    #[test]
    fn equality_agrees_with_its_definition((a, b) in pairs(7)) {
        let equal = slow_equal(a.graph(), b.graph());
        prop_assert_eq!(a == b, equal);
        prop_assert_eq!(a.hash() == b.hash(), equal);
        prop_assert_eq!(a.canonical().code() == b.canonical().code(), equal);
    }

    #[test]
    fn pruning_keeps_what_is_on_a_path((rows, labels) in drawings(7)) {
        let n = rows.len();
        let direct = |i: usize, j: usize| i == j || rows[i][j] == 1;
        let mut reaches: Vec<Vec<bool>> =
            (0..n).map(|i| (0..n).map(|j| direct(i, j)).collect()).collect();
        for via in 0..n {
            for i in 0..n {
                for j in 0..n {
                    reaches[i][j] |= reaches[i][via] && reaches[via][j];
                }
            }
        }
        let kept: Vec<usize> = (0..n).filter(|&v| reaches[0][v] && reaches[v][n - 1]).collect();
        let expected: Vec<Vec<u8>> =
            kept.iter().map(|&i| kept.iter().map(|&j| rows[i][j]).collect()).collect();
        let edges = expected.iter().flatten().filter(|&&bit| bit == 1).count();
        match Cell::from_labels(&rows, &labels) {
            Ok(cell) => {
                prop_assert!(edges <= 9);
                let labels: Vec<i8> = kept.iter().map(|&v| labels[v]).collect();
                prop_assert_eq!(drawing(cell.graph()), (expected, labels));
                prop_assert_eq!(cell.is_pruned(), kept.len() == n);
                for v in 0..9 {
                    prop_assert_eq!(cell.keeps(v), kept.contains(&v));
                }
                prop_assert!(cell.pruned().is_pruned());
                prop_assert_eq!(cell.pruned(), cell);
            }
            Err(_) => prop_assert!(kept.is_empty() || edges > 9),
        }
    }

    #[test]
    fn every_form_keeps_the_drawing(cell in cells(7)) {
        let given = cell.given();
        let (rows, labels) = drawing(given);
        let names: Vec<_> = (0..given.vertices()).map(|v| given.name(v).unwrap()).collect();
        for other in [
            cell.to_string().parse(),
            Cell::from_code(cell.code()),
            Cell::from_bits(&given.adjacency_bits(), &given.operations()),
            Cell::from_labels(&rows, &labels),
            Cell::new(&rows, &names),
        ] {
            prop_assert_eq!(other.map(Cell::code), Ok(cell.code()));
        }
    }

    #[test]
    fn hostile_codes_are_refused_or_exact(noise in any::<u64>(), cell in cells(7), bit in 0..64_u64) {
        for code in [noise, noise >> 23, cell.code() ^ (1 << bit)] {
            if let Ok(cell) = Cell::from_code(code) {
                prop_assert_eq!(cell.code(), code);
                prop_assert_eq!(cell.to_string().parse::<Cell>().map(Cell::code), Ok(code));
            }
        }
    }

    #[test]
    fn hostile_text_is_refused(text in "[01é:]{0,20}(input|output|,|maxpool3x3){0,6}") {
        if let Ok(cell) = text.parse::<Cell>() {
            prop_assert_eq!(cell.to_string(), text);
        }
    }

    #[test]
    fn edits_lead_to_the_other_cell((a, b) in pairs(7)) {
        let edits = a.edits_to(&b);
        prop_assert_eq!(edits.apply(&a), Ok(b), "{}", edits);
        prop_assert_eq!(edits.len(), a.edit_distance(&b));
        prop_assert_eq!(edits.len(), b.edits_to(&a).len());
        prop_assert_eq!(edits.is_empty(), a == b);
        // On any other cell they may fail, but do not panic.
        let _ = edits.apply(&b);
    }

    #[test]
    fn edits_are_fewest((a, b) in pairs(6)) {
        prop_assert_eq!(a.edit_distance(&b), slow_distance(a.graph(), b.graph()));
    }

    #[test]
    fn graphs_agree_with_their_matrix(cell in cells(7)) {
        let graph = cell.given();
        let (rows, _) = drawing(graph);
        prop_assert_eq!(graph.edges(), rows.iter().flatten().filter(|&&bit| bit == 1).count());
        for v in 0..9 {
            let column: Vec<_> = (0..rows.len()).filter(|&u| v < rows.len() && rows[u][v] == 1).collect();
            let row: Vec<_> = (0..rows.len()).filter(|&w| v < rows.len() && rows[v][w] == 1).collect();
            prop_assert_eq!(graph.predecessors(v).collect::<Vec<_>>(), column);
            prop_assert_eq!(graph.successors(v).collect::<Vec<_>>(), row);
            prop_assert_eq!(graph.name(v).is_some(), v < rows.len());
        }
        let longest = cell.graph().depth();
        prop_assert!((1..cell.graph().vertices()).contains(&longest));
    }

    #[test]
    fn pictures_show_every_edge(cell in cells(7)) {
        let dots = cell.draw().matches(['●', '○']).count();
        prop_assert_eq!(dots, cell.given().edges());
        prop_assert_eq!(cell.graph().draw().matches('●').count(), cell.graph().edges());
        prop_assert_eq!(cell.to_dot().matches("->").count(), cell.given().edges());
        prop_assert_eq!(cell.draw().lines().count(), cell.given().vertices());
    }

    #[test]
    fn work_and_parameters_grow_with_the_kernel(cell in cells(7)) {
        let swapped = |op: &Op| {
            let graph = cell.graph();
            let (rows, mut labels) = drawing(graph);
            let interior = 1..graph.vertices() - 1;
            labels[interior].fill(op.label());
            Cell::from_labels(&rows, &labels).unwrap()
        };
        let [large, small, pool] = Op::ALL.each_ref().map(swapped);
        prop_assert!(large.trainable_parameters() >= cell.trainable_parameters());
        prop_assert!(cell.trainable_parameters() >= pool.trainable_parameters());
        prop_assert!(large.macs().total() >= small.macs().total());
        prop_assert!(small.macs().total() >= pool.macs().total());
    }
}

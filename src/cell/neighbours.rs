//! The cells one step away.

use super::draft::Draft;
use super::graph::Graph;
use super::{Cell, Edit, Op, Vertex};

impl Cell {
    /// The cells one step away. A step swaps, adds or drops one thing:
    ///
    /// - the operation of a vertex is swapped for another;
    /// - an edge is added or dropped;
    /// - a vertex with one edge to it and one from it is added, beside what is there or in place of an edge; or such a vertex
    ///   is dropped, and leaves nothing or an edge in its place.
    ///
    /// A step starts from the pruned drawing and ends at a cell of at most 7 vertices and 9 edges with nothing to prune. Each
    /// step can be undone by another: `b` is a neighbour of `a` if and only if `a` is a neighbour of `b`. Every cell of the
    /// search space can be reached from every other.
    ///
    /// Neighbours are drawn canonically, and each comes once; the cell itself is not among them. They are sorted by
    /// [`Cell::code`] and do not depend on the drawing. There are 4 to 104 of them, 20.1 on average over the search space.
    ///
    /// ```
    /// use ecnas::cell::Cell;
    ///
    /// let cell: Cell = "0100:input,output".parse()?;
    /// let texts: Vec<_> = cell.neighbours().iter().map(Cell::to_string).collect();
    /// assert_eq!(texts, [
    ///     "010001000:input,conv3x3-bn-relu,output",
    ///     "010001000:input,conv1x1-bn-relu,output",
    ///     "010001000:input,maxpool3x3,output",
    ///     "011001000:input,conv3x3-bn-relu,output",
    ///     "011001000:input,conv1x1-bn-relu,output",
    ///     "011001000:input,maxpool3x3,output",
    /// ]);
    /// # Ok::<(), ecnas::cell::CellError>(())
    /// ```
    ///
    /// # Complexity
    /// Some 60 steps are tried for 7 vertices, up to some 160 for 6, each with a search for the canonical drawing: some 10
    /// microseconds.
    pub fn neighbours(&self) -> Vec<Cell> {
        let graph = self.graph();
        let mut cells = Vec::new();
        let mut step = |edits: &[Edit]| cells.extend(made(graph, edits));
        for vertex in 1..graph.output() {
            swaps(graph, vertex, &mut step);
            drops(graph, vertex, &mut step);
        }
        for from in 0..graph.vertices() {
            for to in (0..graph.vertices()).filter(|&to| to != from) {
                let (edge, _) = edge(graph, from, to);
                step(&[edge]);
                additions(graph, from, to, &mut step);
            }
        }
        cells.sort_unstable_by_key(|cell| cell.code());
        cells.dedup_by_key(|cell| cell.code());
        cells
    }
}

/// The cell that edits make of a graph, if it is one and nothing of it has to be pruned.
fn made(graph: Graph, edits: &[Edit]) -> Option<Cell> {
    let mut draft = Draft::new(graph);
    let made = edits.iter().all(|&edit| draft.make(edit));
    let cell = made.then(|| draft.finish().ok()).flatten()?;
    cell.is_pruned().then(|| cell.canonical())
}

fn old(vertex: usize) -> Vertex {
    Vertex::Old(vertex as u8)
}

/// The edit that drops the edge between two vertices or adds it; whether it is there.
fn edge(graph: Graph, from: usize, to: usize) -> (Edit, bool) {
    let is_there = graph.has_edge(from, to);
    let (from, to) = (old(from), old(to));
    if is_there {
        (Edit::DropEdge { from, to }, true)
    } else {
        (Edit::AddEdge { from, to }, false)
    }
}

/// Swaps the operation of a vertex.
fn swaps(graph: Graph, vertex: usize, step: &mut impl FnMut(&[Edit])) {
    let Some(from) = graph.op(vertex) else { return };
    let vertex = old(vertex);
    for to in Op::ALL.into_iter().filter(|&to| to != from) {
        step(&[Edit::Swap { vertex, from, to }]);
    }
}

/// Drops a vertex with one edge to it and one from it: alone, and for an edge in its place.
fn drops(graph: Graph, vertex: usize, step: &mut impl FnMut(&[Edit])) {
    let only = |mask: u8| (mask.count_ones() == 1).then(|| mask.trailing_zeros() as usize);
    let ends = only(graph.ins(vertex)).zip(only(graph.outs(vertex)));
    let (Some((from, to)), Some(op)) = (ends, graph.op(vertex)) else {
        return;
    };
    let (edge, is_there) = edge(graph, from, to);
    let (from, vertex, to) = (old(from), old(vertex), old(to));
    let (into, out) = ((from, vertex), (vertex, to));
    let [into, out] = [into, out].map(|(from, to)| Edit::DropEdge { from, to });
    let alone = [into, out, Edit::DropVertex { vertex, op }];
    step(&alone);
    if !is_there {
        let [into, out, vertex] = alone;
        step(&[into, out, vertex, edge]);
    }
}

/// Adds a vertex between two others: beside the edge between them, if there is one, and in its place.
fn additions(graph: Graph, from: usize, to: usize, step: &mut impl FnMut(&[Edit])) {
    if graph.vertices() == Cell::MAX_VERTICES {
        return;
    }
    let (edge, is_there) = edge(graph, from, to);
    let (from, vertex, to) = (old(from), Vertex::New(0), old(to));
    let (into, out) = ((from, vertex), (vertex, to));
    let [into, out] = [into, out].map(|(from, to)| Edit::AddEdge { from, to });
    for op in Op::ALL {
        let vertex = Edit::AddVertex { vertex, op };
        step(&[vertex, into, out]);
        if is_there {
            step(&[edge, vertex, into, out]);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::parallel;
    use crate::random::SplitMix;

    /// Which cells are joined by steps.
    struct Joined(Vec<u32>);

    impl Joined {
        fn root(&mut self, mut place: u32) -> u32 {
            while self.0[place as usize] != place {
                let above = self.0[place as usize];
                self.0[place as usize] = self.0[above as usize];
                place = above;
            }
            place
        }

        fn join(&mut self, a: u32, b: u32) {
            let (a, b) = (self.root(a), self.root(b));
            self.0[a.max(b) as usize] = a.min(b);
        }
    }

    #[test]
    fn in_the_whole_space_steps_lead_there_and_back_and_from_every_cell_to_every_other() {
        let codes: Vec<u64> = crate::cell::enumerate(7, 9).map(Cell::code).collect();
        let places: Vec<u32> = (0..codes.len() as u32).collect();
        let near = parallel::each(places.chunks(4096).collect(), |places| {
            let near = |&place: &u32| -> Vec<u32> {
                let own = codes[place as usize];
                let cells = Cell::from_code(own).unwrap().neighbours();
                assert!(cells.is_sorted_by(|a, b| a.code() < b.code()));
                assert!(cells.iter().all(|cell| cell.code() != own));
                let place = |cell: &Cell| codes.binary_search(&cell.code()).unwrap() as u32;
                cells.iter().map(place).collect()
            };
            places.iter().map(near).collect::<Vec<_>>()
        });
        let near: Vec<Vec<u32>> = near.into_iter().flatten().collect();
        let mut joined = Joined(places.clone());
        // Of the pairs in either direction: equal sums of random numbers stand for equal sets.
        let (mut there, mut back) = (0_u64, 0_u64);
        for (&from, near) in places.iter().zip(&near) {
            for &to in near {
                let number = |a: u32, b: u32| SplitMix(u64::from(a) << 32 | u64::from(b)).next();
                there = there.wrapping_add(number(from, to));
                back = back.wrapping_add(number(to, from));
                joined.join(from, to);
            }
        }
        assert_eq!(there, back);
        assert!(places.iter().all(|&place| joined.root(place) == 0));
        let counts = || near.iter().map(Vec::len);
        let (least, most) = (counts().min().unwrap(), counts().max().unwrap());
        let mean = counts().sum::<usize>() as f64 / near.len() as f64;
        assert_eq!((least, (10.0 * mean).round(), most), (4, 201.0, 104));
    }
}

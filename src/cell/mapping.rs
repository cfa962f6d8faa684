//! Which vertex of one graph stands for which of another, so that the fewest edits are left.
// Fixed arrays are indexed by vertex numbers, sets of vertices and numbers of permutations.
#![allow(clippy::indexing_slicing)]

use super::graph::{Graph, MAX};

/// Which vertex of the other graph each vertex becomes, if any.
pub(super) type Mapping = [Option<u8>; MAX];

/// Interior vertices that a graph has at most.
const INTERIOR: usize = MAX - 2;
const PERMUTATIONS: usize = 120;
/// Sets of interior vertices.
const SETS: usize = 1 << INTERIOR;

/// A set of permutations of the interior vertices: a bit each.
type Lanes = u128;

/// All permutations of the interior vertices, in lexicographic order.
const IMAGES: [[u8; INTERIOR]; PERMUTATIONS] = permutations();

/// For each interior vertex and each set of them: the permutations that map the vertex into the set.
static INTO: [[Lanes; SETS]; INTERIOR] = into();

const fn permutations() -> [[u8; INTERIOR]; PERMUTATIONS] {
    let mut all = [[0; INTERIOR]; PERMUTATIONS];
    let mut number = 0;
    while number < PERMUTATIONS {
        // The digits of the number in the factorial system choose among the vertices that are left.
        let mut left = [0_u8, 1, 2, 3, 4];
        let (mut rest, mut weight) = (number, PERMUTATIONS);
        let mut place = 0;
        while place < INTERIOR {
            weight /= INTERIOR - place;
            let mut chosen = rest / weight;
            rest %= weight;
            all[number][place] = left[chosen];
            while chosen + 1 < INTERIOR {
                left[chosen] = left[chosen + 1];
                chosen += 1;
            }
            place += 1;
        }
        number += 1;
    }
    all
}

const fn into() -> [[Lanes; SETS]; INTERIOR] {
    let mut into = [[0; SETS]; INTERIOR];
    let mut v = 0;
    while v < INTERIOR {
        let mut set = 0;
        while set < SETS {
            let mut lane = 0;
            while lane < PERMUTATIONS {
                let is_in = (set >> IMAGES[lane][v]) & 1 == 1;
                into[v][set] |= (is_in as Lanes) << lane;
                lane += 1;
            }
            set += 1;
        }
        v += 1;
    }
    into
}

/// The fewest edits that turn one graph into another, and what the vertices become.
///
/// Every vertex of the smaller graph is mapped: were `v` dropped and `w` added
/// instead, that would cost two and all their edges, while making `w` of `v`
/// costs at most one and those edges. So the edits are the difference in
/// vertices, the operations that differ, and the edges of both graphs less
/// twice those in common: the score to maximise is twice the common edges plus
/// the operations in common. Of several best mappings the first permutation wins.
pub(super) fn best_mapping(a: Graph, b: Graph) -> (usize, Mapping) {
    let swapped = a.vertices() > b.vertices();
    let (small, large) = if swapped { (b, a) } else { (a, b) };
    let (best, lane) = scores(small, large).greatest();
    let images = IMAGES[lane];

    let mut mapping = [None; MAX];
    let mut map = |v: usize, w: usize| {
        let (from, to) = if swapped { (w, v) } else { (v, w) };
        mapping[from] = Some(to as u8);
    };
    map(0, 0);
    for (v, &w) in (1..small.output()).zip(&images) {
        map(v, usize::from(w) + 1);
    }
    map(small.output(), large.output());
    let most = a.edges() + b.edges() + large.vertices() - 2;
    (most - best, mapping)
}

/// A score for each permutation of a set, in binary: the digits of one weight of all permutations stand in one word, so that
/// they are added up at once.
struct Scores {
    lanes: Lanes,
    digits: [Lanes; Self::DIGITS],
}

impl Scores {
    /// Nine common edges and five common operations make 23.
    const DIGITS: usize = 5;

    /// Adds a power of two to some permutations.
    fn add(&mut self, weight: usize, lanes: Lanes) {
        let mut carry = lanes;
        for digit in &mut self.digits[weight..] {
            (*digit, carry) = (*digit ^ carry, *digit & carry);
        }
    }

    /// The greatest score, and the first permutation that has it.
    fn greatest(&self) -> (usize, usize) {
        let (mut score, mut lanes) = (0, self.lanes);
        for &digit in self.digits.iter().rev() {
            let with = lanes & digit;
            score = 2 * score + usize::from(with != 0);
            lanes = if with == 0 { lanes } else { with };
        }
        (score, lanes.trailing_zeros() as usize % PERMUTATIONS)
    }
}

/// Twice the edges and once the operations that both graphs have, under each permutation that maps the interior vertices of
/// the smaller into those of the larger.
fn scores(small: Graph, large: Graph) -> Scores {
    const OPERATION: usize = 0;
    const EDGE: usize = 1;
    let interior = (1 << (large.vertices() - 2)) - 1;
    // Masks of vertices begin with the input.
    let set = |mask: u8| usize::from(mask >> 1) & interior;
    let mut scores = Scores {
        lanes: (1 << PERMUTATIONS) - 1,
        digits: [0; Scores::DIGITS],
    };
    let (end, large_end) = (small.output(), large.output());
    let to_large = [set(large.outs(0)), set(large.ins(large_end))];
    let at_ends = [small.outs(0), small.ins(end)];
    let with_op = large.vertices_by_op().map(set);
    let large_edges = (2..large_end).map(|to| (1 << (to - 1), set(large.ins(to))));
    for (v, into) in (1..end).zip(&INTO) {
        scores.lanes &= into[interior];
        if let Some(op) = small.op(v) {
            scores.add(OPERATION, into[with_op[op as usize]]);
        }
        for (edges, to) in at_ends.into_iter().zip(to_large) {
            if edges >> v & 1 == 1 {
                scores.add(EDGE, into[to]);
            }
        }
        for from in small.predecessors(v).filter(|&from| from > 0) {
            let from = &INTO[from - 1];
            let both = large_edges.clone().map(|(to, ins)| into[to] & from[ins]);
            scores.add(EDGE, both.fold(0, |all, lanes| all | lanes));
        }
    }
    if small.has_edge(0, end) && large.has_edge(0, large_end) {
        scores.add(EDGE, scores.lanes);
    }
    scores
}

//! Which vertex of one graph stands for which of another, so that the fewest edits are left.
// Fixed arrays are indexed by vertex numbers and by numbers of permutations.
#![allow(clippy::indexing_slicing)]

use super::graph::{Graph, MAX};

/// Which vertex of the other graph each vertex becomes, if any.
pub(super) type Mapping = [Option<u8>; MAX];

/// Interior vertices that a graph has at most.
const INTERIOR: usize = MAX - 2;
const PERMUTATIONS: usize = 120;
/// The permutations, and some lanes to fill whole registers.
const LANES: usize = 128;

/// All permutations of the interior vertices, in lexicographic order.
const IMAGES: [[u8; INTERIOR]; PERMUTATIONS] = permutations();

/// For each two interior vertices: -1 in the lanes of the permutations that map the first to the second, else 0.
static MAPS: [[[i8; LANES]; INTERIOR]; INTERIOR] = maps();

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

const fn maps() -> [[[i8; LANES]; INTERIOR]; INTERIOR] {
    let mut maps = [[[0; LANES]; INTERIOR]; INTERIOR];
    let mut lane = 0;
    while lane < PERMUTATIONS {
        let mut v = 0;
        while v < INTERIOR {
            maps[v][IMAGES[lane][v] as usize][lane] = -1;
            v += 1;
        }
        lane += 1;
    }
    maps
}

/// The fewest edits that turn one graph into another, and what the vertices become.
///
/// Every vertex of the smaller graph is mapped: were `v` dropped and `w` added
/// instead, that would cost two and all their edges, while making `w` of `v`
/// costs at most one and those edges. So the edits are the difference in
/// vertices, the operations that differ, and the edges of both graphs less
/// twice those in common: the score to maximise is twice the common edges less
/// the operations that differ. Of several best mappings the first permutation wins.
pub(super) fn best_mapping(a: Graph, b: Graph) -> (usize, Mapping) {
    let swapped = a.vertices() > b.vertices();
    let (small, large) = if swapped { (b, a) } else { (a, b) };
    let scores = scores(small, large);
    let scores = scores.iter().take(PERMUTATIONS);
    let best = scores.clone().max().copied().unwrap_or_default();
    let lane = scores.clone().position(|&own| own == best);
    let images = IMAGES[lane.unwrap_or_default()];

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
    let most = a.edges() + b.edges() + (large.vertices() - small.vertices());
    (most.saturating_add_signed(-isize::from(best)), mapping)
}

/// The score of each permutation. Where a graph has fewer interior vertices than fit, others stand in for the rest.
fn scores(small: Graph, large: Graph) -> [i8; LANES] {
    /// Worse than anything that can be gained.
    const NEVER: i8 = -24;
    let both = |a: (usize, usize), b: (usize, usize)| {
        2 * i8::from(small.has_edge(a.0, a.1) && large.has_edge(b.0, b.1))
    };
    let (end, large_end) = (small.output(), large.output());
    let mut scores = [both((0, end), (0, large_end)); LANES];
    // Operations, and edges at input and output.
    for (v, maps) in (1..end).zip(&MAPS) {
        for (w, maps) in (1..=INTERIOR).zip(maps) {
            let gain = if w < large_end {
                let swap = i8::from(small.op(v) != large.op(w));
                both((0, v), (0, w)) + both((v, end), (w, large_end)) - swap
            } else {
                NEVER
            };
            if gain != 0 {
                for (score, map) in scores.iter_mut().zip(maps) {
                    *score += gain & map;
                }
            }
        }
    }
    // Edges between interior vertices.
    for to in 2..end {
        for from in small.predecessors(to).filter(|&from| from > 0) {
            for large_to in 2..large_end {
                for large_from in large.predecessors(large_to).filter(|&from| from > 0) {
                    let from = &MAPS[from - 1][large_from - 1];
                    let to = &MAPS[to - 1][large_to - 1];
                    for (score, (from, to)) in scores.iter_mut().zip(from.iter().zip(to)) {
                        *score += 2 & from & to;
                    }
                }
            }
        }
    }
    scores
}

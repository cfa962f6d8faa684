use std::collections::BTreeMap;

use super::{at, dominates, front, lexicographic, no_worse};

/// Whether the first point, were it better by `epsilon` in each objective, would be no worse than the second in all of
/// them: additive epsilon-dominance (Laumanns, Thiele, Deb, Zitzler 2002).
#[must_use]
pub fn epsilon_dominates<const D: usize>(a: &[f64; D], b: &[f64; D], epsilon: &[f64; D]) -> bool {
    let pairs = a.iter().zip(b).zip(epsilon);
    // Written so that infinities compare: a value is no worse than itself.
    pairs
        .into_iter()
        .all(|((a, b), epsilon)| a <= b || a - epsilon <= *b)
}

/// A few members of the front, such that every point is epsilon-dominated by one of them: the one nearest to its corner in
/// each box of edges `epsilon` that no other box dominates. In the order of the front.
///
/// An epsilon of 0 asks for exact dominance in an objective. `None` where one is negative, infinite or NaN.
///
/// # Complexity
/// As [`front`], then O(f b) for f points of the front in b boxes.
#[must_use]
pub fn epsilon_front<const D: usize>(points: &[[f64; D]], epsilon: &[f64; D]) -> Option<Vec<u32>> {
    if !epsilon
        .iter()
        .all(|epsilon| epsilon.is_finite() && *epsilon >= 0.0)
    {
        return None;
    }
    let members: Vec<(u32, [f64; D])> = front(points)
        .into_iter()
        .filter_map(|place| Some((place, *points.get(place as usize)?)))
        .collect();
    let box_of = |point: &[f64; D]| -> [f64; D] {
        std::array::from_fn(|objective| match at(epsilon, objective) {
            0.0 => at(point, objective),
            epsilon => (at(point, objective) / epsilon).floor(),
        })
    };
    // How far a point is from the corner of its box, in boxes.
    let remainder = |point: &[f64; D]| -> f64 {
        let corner = box_of(point);
        let parts = (0..D).filter(|&objective| at(epsilon, objective) > 0.0);
        parts
            .map(|objective| at(point, objective) / at(epsilon, objective) - at(&corner, objective))
            .filter(|part| part.is_finite())
            .sum()
    };
    let mut boxes: BTreeMap<Corner<D>, (f64, u32, [f64; D])> = BTreeMap::new();
    for (place, point) in &members {
        let own = (remainder(point), *place, *point);
        let held = boxes.entry(Corner(box_of(point))).or_insert(own);
        if own.0 < held.0 {
            *held = own;
        }
    }
    let corners: Vec<[f64; D]> = boxes.keys().map(|corner| corner.0).collect();
    boxes.retain(|corner, _| !corners.iter().any(|other| dominates(other, &corner.0)));
    let mut chosen: Vec<(u32, [f64; D])> = boxes
        .into_values()
        .map(|(_, place, point)| (place, point))
        .collect();
    // Where values are so great that boxes are finer than their digits, a member may be left out: it speaks for itself.
    for (place, point) in &members {
        if !chosen
            .iter()
            .any(|(_, own)| no_worse(own, point) || epsilon_dominates(own, point, epsilon))
        {
            chosen.push((*place, *point));
        }
    }
    chosen.sort_unstable_by(|a, b| lexicographic(&a.1, &b.1).then(a.0.cmp(&b.0)));
    Some(chosen.into_iter().map(|(place, _)| place).collect())
}

/// A box's number in each objective.
#[derive(Debug, Clone, Copy, PartialEq)]
struct Corner<const D: usize>([f64; D]);

impl<const D: usize> Eq for Corner<D> {}

impl<const D: usize> PartialOrd for Corner<D> {
    fn partial_cmp(&self, other: &Self) -> Option<std::cmp::Ordering> {
        Some(self.cmp(other))
    }
}

impl<const D: usize> Ord for Corner<D> {
    fn cmp(&self, other: &Self) -> std::cmp::Ordering {
        lexicographic(&self.0, &other.0)
    }
}

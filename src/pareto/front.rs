use super::sweep::Sweep;
use super::{at, is_complete, lexicographic};

/// The points that none dominates, in ascending order of the first objective, ties by the others, then by place.
///
/// # Complexity
/// O(n log n) time for 2 objectives; O(n log n + n f) at worst for 3, with a front of f points; O(n f) for more. Most
/// points are passed over before anything is sorted, and points in ascending order are swept as they come. Source: Kung,
/// Luccio, Preparata 1975.
#[must_use]
pub fn front<const D: usize>(points: &[[f64; D]]) -> Vec<u32> {
    let in_order = || {
        points
            .iter()
            .zip(0..)
            .filter(|(point, _)| is_complete(point))
    };
    // Where rows are numbered by the first objective, nothing need be sorted or kept.
    if in_order().is_sorted_by(|a, b| lexicographic(a.0, b.0).is_le()) {
        return sweep(in_order().map(|(&point, place)| (point, place)));
    }
    let mut sorted = survivors(points);
    sort(&mut sorted);
    sweep(sorted.into_iter())
}

/// The places of the points that none dominates, of points in lexicographic order.
fn sweep<const D: usize>(sorted: impl Iterator<Item = ([f64; D], u32)>) -> Vec<u32> {
    let mut front = Vec::new();
    let mut sweep: Option<Sweep<D>> = None;
    let mut previous: Option<([f64; D], bool)> = None;
    for (point, place) in sorted {
        let on_front = match (previous, &mut sweep) {
            (Some((same, on_front)), _) if same == point => on_front,
            (_, Some(sweep)) => {
                let on_front = !sweep.beats_and_learns(&point);
                if on_front {
                    sweep.add(&point);
                }
                on_front
            }
            (_, none) => {
                *none = Some(Sweep::of(&point));
                true
            }
        };
        previous = Some((point, on_front));
        if on_front {
            front.push(place);
        }
    }
    front
}

/// Each point's non-domination rank: 0 on the front, 1 on the front of the rest, and so on; `None` where it has a NaN.
///
/// # Complexity
/// O(n log l), O(n log l log n) or O(n^2) at worst for 2, 3 or more objectives and l layers. Source: efficient
/// non-dominated sort with binary search, Zhang, Tian, Cheng, Jin 2015.
#[must_use]
pub fn layers<const D: usize>(points: &[[f64; D]]) -> Vec<Option<u32>> {
    let mut sorted = complete(points);
    sort(&mut sorted);
    let mut ranks = vec![None; points.len()];
    let mut layers: Layers<D> = Layers::new();
    let mut previous: Option<([f64; D], usize)> = None;
    for (point, place) in sorted {
        let rank = match previous {
            Some((same, rank)) if same == point => rank,
            _ => layers.add(&point),
        };
        previous = Some((point, rank));
        if let Some(slot) = ranks.get_mut(place as usize) {
            *slot = Some(rank as u32);
        }
    }
    ranks
}

/// The layers so far, as a sweep meets their points in lexicographic order.
enum Layers<const D: usize> {
    /// For two objectives: the least second coordinate of each.
    Least(Vec<f64>),
    /// Else what a sweep of each knows.
    Sweeps(Vec<Sweep<D>>),
}

impl<const D: usize> Layers<D> {
    fn new() -> Self {
        if D == 2 {
            Self::Least(Vec::new())
        } else {
            Self::Sweeps(Vec::new())
        }
    }

    /// Adds a point to the first layer that does not beat it: which one that is.
    fn add(&mut self, point: &[f64; D]) -> usize {
        // What a layer beats, all layers before it beat.
        match self {
            Self::Least(layers) => {
                let own = at(point, 1);
                let rank = layers.partition_point(|&least| least <= own);
                match layers.get_mut(rank) {
                    Some(least) => *least = own,
                    None => layers.push(own),
                }
                rank
            }
            Self::Sweeps(layers) => {
                let rank = layers.partition_point(|layer| layer.beats(point));
                match layers.get_mut(rank) {
                    Some(layer) => layer.add(point),
                    None => layers.push(Sweep::of(point)),
                }
                rank
            }
        }
    }
}

fn sort<const D: usize>(points: &mut [([f64; D], u32)]) {
    points.sort_unstable_by(|a, b| lexicographic(&a.0, &b.0).then(a.1.cmp(&b.1)));
}

/// The points without NaN, with their places.
fn complete<const D: usize>(points: &[[f64; D]]) -> Vec<([f64; D], u32)> {
    let points = points.iter().copied().zip(0..);
    points.filter(|(point, _)| is_complete(point)).collect()
}

/// The complete points that a few strong ones do not dominate: all of the front, and little more.
fn survivors<const D: usize>(points: &[[f64; D]]) -> Vec<([f64; D], u32)> {
    let strong = strong_points(points);
    // Without branches: which of the strong points beats a point cannot be foreseen.
    let beaten = |point: &[f64; D]| {
        let by = |strong: &[f64; D]| {
            let objectives = strong.iter().zip(point);
            let (no_worse, better) = objectives
                .fold((true, false), |(no_worse, better), (a, b)| {
                    (no_worse & (a <= b), better | (a < b))
                });
            no_worse & better
        };
        strong
            .iter()
            .fold(false, |beaten, strong| beaten | by(strong))
    };
    let points = points.iter().copied().zip(0..);
    points
        .filter(|(point, _)| !beaten(point) && is_complete(point))
        .collect()
}

/// Points that are good in all objectives together, each by other weights; they are likely to dominate many. They are
/// the best of a sample, since the very best ones would not pay for looking at all.
fn strong_points<const D: usize>(points: &[[f64; D]]) -> Vec<[f64; D]> {
    const SAMPLE: usize = 4096;
    let sample = points.iter().step_by(points.len() / SAMPLE + 1);
    let mut least = [f64::INFINITY; D];
    let mut greatest = [f64::NEG_INFINITY; D];
    for point in sample.clone() {
        for ((least, greatest), &value) in least.iter_mut().zip(&mut greatest).zip(point) {
            if value.is_finite() {
                *least = least.min(value);
                *greatest = greatest.max(value);
            }
        }
    }
    // Twice the weight on one objective, or none more than the others.
    let weights: Vec<[f64; D]> = (0..=D)
        .map(|heavy| std::array::from_fn(|own| if own == heavy { 4.0 } else { 1.0 }))
        .collect();
    let scales: [f64; D] = std::array::from_fn(|objective| {
        let spread = at(&greatest, objective) - at(&least, objective);
        if spread > 0.0 && spread.is_finite() {
            1.0 / spread
        } else {
            0.0
        }
    });
    let mut best: Vec<Option<(f64, [f64; D])>> = vec![None; weights.len()];
    for point in sample.filter(|point| is_complete(point)) {
        let offsets: [f64; D] = std::array::from_fn(|objective| {
            (at(point, objective) - at(&least, objective)) * at(&scales, objective)
        });
        for (weights, best) in weights.iter().zip(&mut best) {
            let sum: f64 = weights.iter().zip(&offsets).map(|(w, o)| w * o).sum();
            if best.is_none_or(|(least, _)| sum < least) {
                *best = Some((sum, *point));
            }
        }
    }
    best.into_iter().flatten().map(|(_, point)| point).collect()
}

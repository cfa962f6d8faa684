//! The volume that points dominate.
//!
//! Inside, a point is what it gains over the reference in each objective, which is more than 0; more is better.

use super::{at, order};

/// The volume of what the points dominate and the reference bounds, exactly but for rounding: points that are not better
/// than the reference in every objective add nothing. Infinite if such a point has a value of minus infinity.
///
/// # Complexity
/// O(n log n) for 2 objectives, O(n log n) and a little more for 3; for d > 3, O(n^(d-2) log n) at worst, by slices as in
/// WFG (While, Bradstreet, Barone 2012), in practice far less.
#[must_use]
pub fn hypervolume<const D: usize>(points: &[[f64; D]], reference: &[f64; D]) -> f64 {
    let mut gains: Vec<[f64; D]> = points.iter().filter_map(|p| gain(p, reference)).collect();
    if gains.iter().any(is_endless) {
        return f64::INFINITY;
    }
    volume(&mut gains, D)
}

/// What each point alone adds to the hypervolume, the others being there: 0 for one that another point dominates or equals.
///
/// # Complexity
/// That of [`hypervolume`] for each point of the front.
#[must_use]
pub fn hypervolume_contributions<const D: usize>(
    points: &[[f64; D]],
    reference: &[f64; D],
) -> Vec<f64> {
    let gains: Vec<Option<[f64; D]>> = points.iter().map(|p| gain(p, reference)).collect();
    let front = super::front(points);
    let mut contributions = vec![0.0; points.len()];
    let mut limited = Vec::new();
    for &place in &front {
        let place = place as usize;
        let Some(own) = gains.get(place).copied().flatten() else {
            continue;
        };
        limited.clear();
        let others = gains.iter().enumerate();
        let others = others.filter(|(other, _)| *other != place);
        limited.extend(others.filter_map(|(_, other)| Some(limit(&(*other)?, &own))));
        let contribution = if limited.contains(&own) {
            0.0
        } else if is_endless(&own) {
            f64::INFINITY
        } else {
            (own.iter().product::<f64>() - volume(&mut limited, D)).max(0.0)
        };
        if let Some(slot) = contributions.get_mut(place) {
            *slot = contribution;
        }
    }
    contributions
}

/// What a point gains over the reference; `None` unless it gains in every objective.
fn gain<const D: usize>(point: &[f64; D], reference: &[f64; D]) -> Option<[f64; D]> {
    let gain: [f64; D] =
        std::array::from_fn(|objective| at(reference, objective) - at(point, objective));
    gain.iter().all(|gain| *gain > 0.0).then_some(gain)
}

fn is_endless<const D: usize>(gain: &[f64; D]) -> bool {
    gain.iter().any(|gain| gain.is_infinite())
}

/// The point that both dominate and that gains the most.
fn limit<const D: usize>(a: &[f64; D], b: &[f64; D]) -> [f64; D] {
    std::array::from_fn(|objective| at(a, objective).min(at(b, objective)))
}

/// The volume in the first `dimensions` objectives.
fn volume<const D: usize>(gains: &mut [[f64; D]], dimensions: usize) -> f64 {
    match dimensions {
        0 => 0.0,
        1 => gains.iter().map(|gain| at(gain, 0)).fold(0.0, f64::max),
        2 => area(gains),
        3 => by_heights(gains),
        _ => by_slices(gains, dimensions),
    }
}

/// Two objectives: from the greatest gain in the first to the least.
fn area<const D: usize>(gains: &mut [[f64; D]]) -> f64 {
    gains.sort_unstable_by(|a, b| order(at(b, 0), at(a, 0)));
    let mut area = 0.0;
    let mut height = 0.0;
    for gain in gains {
        let own = at(gain, 1);
        if own > height {
            area += at(gain, 0) * (own - height);
            height = own;
        }
    }
    area
}

/// Three objectives: from the greatest gain in the third to the least, the area of the first two grows.
fn by_heights<const D: usize>(gains: &mut [[f64; D]]) -> f64 {
    gains.sort_unstable_by(|a, b| order(at(b, 2), at(a, 2)));
    let mut volume = 0.0;
    let mut area = 0.0;
    // First coordinates ascending, second ones descending: what nothing above beats.
    let mut steps: Vec<(f64, f64)> = Vec::new();
    let mut top = gains.first().map_or(0.0, |gain| at(gain, 2));
    for gain in gains {
        volume += area * (top - at(gain, 2));
        top = at(gain, 2);
        let (x, y) = (at(gain, 0), at(gain, 1));
        let end = steps.partition_point(|&(own, _)| own <= x);
        let behind = steps.get(end).map_or(0.0, |&(_, height)| height);
        if behind >= y {
            continue;
        }
        // The steps that the new one covers: no farther, and no higher.
        let start = steps.partition_point(|&(own, height)| own <= x && height > y);
        let equal = steps
            .get(start.wrapping_sub(1))
            .is_some_and(|&(own, height)| own >= x && height >= y);
        if equal {
            continue;
        }
        // Where x is reached by the steps before, their heights; the new step rises to y over all that is lower.
        let mut left = match start.checked_sub(1).and_then(|last| steps.get(last)) {
            Some(&(own, _)) => own,
            None => 0.0,
        };
        for &(own, height) in steps.get(start..end).unwrap_or_default() {
            area += (own - left) * (y - height);
            left = own;
        }
        area += (x - left) * (y - behind);
        steps.splice(start..end, [(x, y)]);
    }
    volume + area * top
}

/// More objectives: each point's slice of what those that gain more in the last objective do not cover.
fn by_slices<const D: usize>(gains: &mut [[f64; D]], dimensions: usize) -> f64 {
    let last = dimensions - 1;
    gains.sort_unstable_by(|a, b| order(at(a, last), at(b, last)));
    let mut volume_so_far = 0.0;
    let mut limited: Vec<[f64; D]> = Vec::new();
    for (place, own) in gains.iter().enumerate() {
        limited.clear();
        for other in gains.iter().skip(place + 1) {
            let other = limit(other, own);
            let covers = |a: &[f64; D], b: &[f64; D]| {
                (0..last).all(|objective| at(a, objective) >= at(b, objective))
            };
            if !limited.iter().any(|kept| covers(kept, &other)) {
                limited.retain(|kept| !covers(&other, kept));
                limited.push(other);
            }
        }
        let inclusive: f64 = own.iter().take(last).product();
        let exclusive = inclusive - volume(&mut limited, last);
        volume_so_far += exclusive.max(0.0) * at(own, last);
    }
    volume_so_far
}

use super::{at, order};

/// How far apart the neighbours of each point are: the sum over the objectives of the difference between the next and the
/// previous value, divided by the spread of the front. The ends of every objective are infinitely far.
///
/// Of equal values, the one with the lesser place comes first; an objective without a finite spread adds nothing. A point
/// with a NaN gets NaN and is nobody's neighbour. Source: Deb, Pratap, Agarwal, Meyarivan 2002 (NSGA-II).
///
/// # Complexity
/// O(n log n) for each objective.
#[must_use]
pub fn crowding_distance<const D: usize>(front: &[[f64; D]]) -> Vec<f64> {
    let is_complete = |point: &[f64; D]| super::is_complete(point);
    let mut distances: Vec<f64> = front
        .iter()
        .map(|point| if is_complete(point) { 0.0 } else { f64::NAN })
        .collect();
    let mut order_of: Vec<(f64, usize)> = Vec::with_capacity(front.len());
    for objective in 0..D {
        order_of.clear();
        let points = front.iter().enumerate();
        let points = points.filter(|(_, point)| is_complete(point));
        order_of.extend(points.map(|(place, point)| (at(point, objective), place)));
        order_of.sort_by(|a, b| order(a.0, b.0));
        let (Some(&first), Some(&last)) = (order_of.first(), order_of.last()) else {
            break;
        };
        for end in [first.1, last.1] {
            if let Some(distance) = distances.get_mut(end) {
                *distance = f64::INFINITY;
            }
        }
        let spread = last.0 - first.0;
        if spread <= 0.0 || !spread.is_finite() {
            continue;
        }
        for three in order_of.windows(3) {
            let &[before, (_, place), after] = three else {
                continue;
            };
            if let Some(distance) = distances.get_mut(place) {
                *distance += (after.0 - before.0) / spread;
            }
        }
    }
    distances
}

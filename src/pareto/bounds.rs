use super::{at, front, is_complete, lexicographic};

/// The corners of a front, in which hypervolumes are stated.
#[derive(Debug, Clone, Copy, PartialEq)]
#[non_exhaustive]
pub struct Bounds<const D: usize> {
    /// The least value of the front in each objective.
    pub ideal: [f64; D],
    /// The greatest value of the front in each objective.
    pub nadir: [f64; D],
    /// The greatest finite value of all points in each objective; NaN where there is none.
    pub reference: [f64; D],
}

impl<const D: usize> Bounds<D> {
    /// The volume between ideal and reference: what a hypervolume is divided by to be comparable.
    #[must_use]
    pub fn volume(&self) -> f64 {
        let sides = self.reference.iter().zip(&self.ideal);
        sides.map(|(reference, ideal)| reference - ideal).product()
    }
}

/// The corners of the points' front; `None` where no point is complete.
///
/// # Complexity
/// As [`front`].
#[must_use]
pub fn bounds<const D: usize>(points: &[[f64; D]]) -> Option<Bounds<D>> {
    let front = front(points);
    let members = || front.iter().filter_map(|&place| points.get(place as usize));
    members().next()?;
    let fold = |from: f64, pick: fn(f64, f64) -> f64| -> [f64; D] {
        std::array::from_fn(|objective| {
            let values = members().map(|point| at(point, objective));
            values.fold(from, pick)
        })
    };
    let reference = std::array::from_fn(|objective| {
        let complete = points.iter().filter(|point| is_complete(point));
        let values = complete.map(|point| at(point, objective));
        let values = values.filter(|value| value.is_finite());
        values.reduce(f64::max).unwrap_or(f64::NAN)
    });
    Some(Bounds {
        ideal: fold(f64::INFINITY, f64::min),
        nadir: fold(f64::NEG_INFINITY, f64::max),
        reference,
    })
}

/// For each objective the point that is best in it; of several the best in the next objective, and so on in a circle; then
/// the first. `None` where no point is complete.
///
/// # Complexity
/// O(n).
#[must_use]
pub fn extremes<const D: usize>(points: &[[f64; D]]) -> Option<[u32; D]> {
    let mut best = [0; D];
    for (objective, best) in best.iter_mut().enumerate() {
        let turned = |point: &[f64; D]| -> [f64; D] {
            std::array::from_fn(|place| at(point, (objective + place) % D))
        };
        let points = points.iter().zip(0..);
        let points = points.filter(|(point, _)| is_complete(point));
        let points = points.map(|(point, place)| (turned(point), place));
        *best = points.min_by(|a, b| lexicographic(&a.0, &b.0))?.1;
    }
    Some(best)
}

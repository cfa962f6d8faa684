use super::{at, no_worse};

/// The points of a front so far, as a sweep meets them in lexicographic order: whether one of them is no worse than the
/// next point.
///
/// Since points come in the order of the first objective, that one need not be compared. What is left is, for two
/// objectives, a number; for three, a staircase; else the points themselves, those that beat the most in front.
#[derive(Debug, Clone)]
pub(super) enum Sweep<const D: usize> {
    /// The least second coordinate.
    Least(f64),
    /// Second and third coordinates, the one ascending and the other descending.
    Staircase(Vec<(f64, f64)>),
    /// The points.
    Points(Vec<[f64; D]>),
}

impl<const D: usize> Sweep<D> {
    /// Of one point.
    pub fn of(point: &[f64; D]) -> Self {
        let mut sweep = match D {
            2 => Self::Least(f64::INFINITY),
            3 => Self::Staircase(Vec::new()),
            _ => Self::Points(Vec::new()),
        };
        sweep.add(point);
        sweep
    }

    /// Whether a point that was added is no worse than this one in every objective.
    ///
    /// # Complexity
    /// O(1), O(log n) or O(n) for 2, 3 or more objectives.
    pub fn beats(&self, point: &[f64; D]) -> bool {
        match self {
            Self::Least(least) => *least <= at(point, 1),
            Self::Staircase(steps) => {
                let behind = steps.partition_point(|&(y, _)| y <= at(point, 1));
                let step = behind.checked_sub(1).and_then(|last| steps.get(last));
                step.is_some_and(|&(_, z)| z <= at(point, 2))
            }
            Self::Points(points) => points.iter().any(|own| no_worse(own, point)),
        }
    }

    /// As [`beats`](Self::beats); a point that beats one moves forwards, since it is likely to beat more.
    pub fn beats_and_learns(&mut self, point: &[f64; D]) -> bool {
        let Self::Points(points) = self else {
            return self.beats(point);
        };
        let place = points.iter().position(|own| no_worse(own, point));
        if let Some(place) = place {
            points.swap(place, place / 2);
        }
        place.is_some()
    }

    /// Adds a point that none beats.
    pub fn add(&mut self, point: &[f64; D]) {
        match self {
            Self::Least(least) => *least = at(point, 1),
            Self::Staircase(steps) => {
                let (y, z) = (at(point, 1), at(point, 2));
                let start = steps.partition_point(|&(own, _)| own < y);
                let beaten = steps.iter().skip(start).take_while(|(_, own)| *own >= z);
                let end = start + beaten.count();
                steps.splice(start..end, [(y, z)]);
            }
            Self::Points(points) => points.push(*point),
        }
    }
}

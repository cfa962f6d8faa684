//! Multi-objective computations over points: fronts, layers, hypervolume, knees.
//!
//! A point is an array with one value for each objective, all of which are to be minimised; negate what is to be
//! maximised. Two to five objectives are what this is made for. Answers name points by their place in the slice.
//!
//! A point dominates another if it is no worse in every objective and better in at least one. Equal points do not dominate
//! each other: a front holds all its ties. A point with a NaN is out of everything. -0 equals 0; infinities are values.
//!
//! ```
//! use ecnas::pareto;
//! let points = [[1.0, 5.0], [2.0, 2.0], [3.0, 3.0], [4.0, 1.0]];
//! assert_eq!(pareto::front(&points), [0, 1, 3]);
//! assert_eq!(pareto::layers(&points)[2], Some(1));
//! assert_eq!(pareto::hypervolume(&points, &[5.0, 6.0]), 14.0);
//! assert_eq!(pareto::knee(&points[..2]), None);
//! ```

mod bounds;
mod crowding;
mod epsilon;
mod front;
mod hypervolume;
mod knee;
mod sweep;

pub use bounds::{Bounds, bounds, extremes};
pub use crowding::crowding_distance;
pub use epsilon::{epsilon_dominates, epsilon_front};
pub use front::{front, layers};
pub use hypervolume::{hypervolume, hypervolume_contributions};
pub use knee::knee;

use std::cmp::Ordering;

/// Whether the first point dominates the second.
///
/// ```
/// assert!(ecnas::pareto::dominates(&[1.0, 2.0], &[1.0, 3.0]));
/// assert!(!ecnas::pareto::dominates(&[1.0, 2.0], &[1.0, 2.0]));
/// ```
#[must_use]
pub fn dominates<const D: usize>(a: &[f64; D], b: &[f64; D]) -> bool {
    no_worse(a, b) && a != b
}

/// Whether the first point is no worse than the second in every objective.
fn no_worse<const D: usize>(a: &[f64; D], b: &[f64; D]) -> bool {
    a.iter().zip(b).all(|(a, b)| a <= b)
}

/// A coordinate; NaN where there is none.
fn at<const D: usize>(point: &[f64; D], objective: usize) -> f64 {
    point.get(objective).copied().unwrap_or(f64::NAN)
}

/// The order of numbers that are no NaN; -0 equals 0.
fn order(a: f64, b: f64) -> Ordering {
    a.partial_cmp(&b).unwrap_or(Ordering::Equal)
}

/// By the first objective, then the second, and so on.
fn lexicographic<const D: usize>(a: &[f64; D], b: &[f64; D]) -> Ordering {
    a.partial_cmp(b).unwrap_or(Ordering::Equal)
}

fn is_complete<const D: usize>(point: &[f64; D]) -> bool {
    point.iter().all(|value| !value.is_nan())
}

use super::{Objective, order};
use crate::snapshot::{RowId, SnapshotError, View};

/// The rows that no other row dominates.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Front {
    /// The front's rows, best in the first objective first; rows that tie in both objectives are all there.
    pub rows: Vec<RowId>,
    /// How many rows were compared.
    pub compared: usize,
    /// How many rows have a trial at the view's budget but lack a value in an objective.
    pub missing: usize,
}

/// The Pareto front of a view over two objectives, usually [`Objective::ENERGY`] and [`Objective::VALIDATION_ACCURACY`].
///
/// A row dominates another when it is no worse in both objectives and better in one. Equal rows do not dominate each other.
///
/// # Errors
/// The view lacks a column; the error names those that it has.
///
/// # Complexity
/// O(n log n) time, O(n) memory.
pub fn front(view: &View<'_>, objectives: [&Objective; 2]) -> Result<Front, SnapshotError> {
    let [first, second] = objectives;
    let xs = view.column(&first.column)?;
    let ys = view.column(&second.column)?;
    let mut points: Vec<(f64, f64, RowId)> = xs
        .iter()
        .zip(ys)
        .enumerate()
        .filter(|(_, (x, y))| !x.is_nan() && !y.is_nan())
        .map(|(row, (&x, &y))| {
            (
                first.direction.cost(x),
                second.direction.cost(y),
                RowId(row as u32),
            )
        })
        .collect();
    let present = view.rows().count();
    let compared = points.len();
    points.sort_unstable_by(|a, b| order(a.0, b.0).then(order(a.1, b.1)).then(a.2.cmp(&b.2)));
    let mut rows = Vec::new();
    let mut best = None;
    for (x, y, row) in points {
        match best {
            // The last row of the front is at (x, y) or dominates: cheaper or equal, and at least as good.
            Some((front_x, front_y)) if y > front_y || (y == front_y && x > front_x) => {}
            _ => {
                best = Some((x, y));
                rows.push(row);
            }
        }
    }
    Ok(Front {
        rows,
        compared,
        missing: present.saturating_sub(compared),
    })
}

//! Questions to a view: which cells are not dominated, and which are cheaper and as good?
//!
//! Answers come from one pass over the view's columns. A row whose value is missing (NaN) in a metric of the question is
//! out of that question, and counted as such.

mod front;
mod recipe;

pub use front::{Direction, Front, Objective, front};
pub use recipe::{Recipe, RecipeBook, RecipeError, RecipeQuery, recipes};

/// The order of numbers that are no NaN; -0 equals 0.
fn order(a: f64, b: f64) -> std::cmp::Ordering {
    a.partial_cmp(&b).unwrap_or(std::cmp::Ordering::Equal)
}

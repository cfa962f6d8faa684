//! Questions to a view: which cells lie within bounds, which are not dominated, which are cheaper and as good?
//!
//! | question | entry |
//! | --- | --- |
//! | which rows satisfy conditions on metrics and structure; how many; the best of them; a sample; the nearest | [`View::query`](crate::snapshot::View::query) |
//! | the Pareto front over 2 to 5 objectives, what dominates what, layers, hypervolume, knee | [`View::dominance`](crate::snapshot::View::dominance) |
//! | cells that cost less and are as good, with the edits that lead there | [`View::recipes`](crate::snapshot::View::recipes) |
//!
//! Answers come from the view's indexes where there are some, and from a scan where not; they are the same. A row whose
//! value is missing (NaN) in a metric of the question is out of that question, and counted as such.

mod best;
mod cautious;
mod dominance;
mod error;
mod explain;
mod found;
mod objective;
mod plan;
mod predicate;
mod range;
mod recipe;
mod sample;
mod scale;

pub use best::Ordered;
pub use dominance::{Candidate, Dominance};
pub use error::QueryError;
pub use explain::{Explanation, Step};
pub use objective::{Direction, Objective};
pub use predicate::Predicate;
pub use range::Query;
pub use recipe::{
    Baseline, Elsewhere, Loss, Recipe, RecipeBook, RecipeError, RecipeQuery, RecipeSearch,
    Reference, Tolerance, recipes,
};
pub use scale::Scale;

/// The order of numbers that are no NaN; -0 equals 0.
fn order(a: f64, b: f64) -> std::cmp::Ordering {
    a.partial_cmp(&b).unwrap_or(std::cmp::Ordering::Equal)
}

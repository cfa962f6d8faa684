//! Which values a metric can have.

use super::Fault;
use crate::metrics::{Metric, Unit, Values};

/// Refuses what no run can have observed: NaN, infinities, accuracies outside [0, 1], anything below zero.
pub(super) fn check(
    metric: Metric,
    value: f64,
    field: impl FnOnce() -> String,
) -> Result<f64, Fault> {
    let expected = match metric.unit() {
        _ if !value.is_finite() => "a finite number",
        Unit::Fraction if !(0.0..=1.0).contains(&value) => "a fraction from 0 to 1",
        _ if value < 0.0 => "a number that is not negative",
        _ => return Ok(value),
    };
    Err(Fault::Value {
        field: field(),
        expected,
        found: value.to_string(),
    })
}

/// Sets the checked values that are there.
pub(super) fn set_checked(
    values: &mut Values,
    fields: &[(Metric, &str, Option<f64>)],
    path: impl Fn() -> String,
) -> Result<(), Fault> {
    values.reserve(fields.len());
    for &(metric, name, value) in fields {
        if let Some(value) = value {
            let field = || format!("{}{name}", path());
            values.set(metric, check(metric, value, field)?);
        }
    }
    Ok(())
}

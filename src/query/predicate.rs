use std::borrow::Cow;
use std::fmt;
use std::ops::{Bound, RangeInclusive};
use std::str::FromStr;

use super::QueryError;
use crate::cell::Feature;
use crate::index::Interval;
use crate::metrics::{Metric, Provenance};

/// One condition on a cell, as people write it: `energy_kwh<=0.3`, `validation_accuracy>=0.93`, `vertices=5`,
/// `conv3x3>=2`, `input_output_edge=1`, `energy_kwh=measured`.
///
/// ```
/// use ecnas::query::Predicate;
/// let cheap: Predicate = "energy_kwh <= 0.3".parse()?;
/// assert_eq!(cheap.to_string(), "energy_kwh<=0.3");
/// # Ok::<(), ecnas::query::QueryError>(())
/// ```
#[derive(Debug, Clone, PartialEq)]
#[non_exhaustive]
pub enum Predicate {
    /// A column's value lies in an interval; a missing value lies in none.
    Within {
        /// The column's name.
        column: Cow<'static, str>,
        /// Where its value lies.
        interval: Interval,
    },
    /// A feature of the cell's graph lies in a range; a cell that is known by its hash alone has none.
    Structure {
        /// The feature.
        feature: Feature,
        /// Where its value lies.
        values: RangeInclusive<u8>,
    },
    /// A column's values have this provenance.
    Provenance {
        /// The column's name.
        column: Cow<'static, str>,
        /// Where its values come from.
        provenance: Provenance,
    },
}

impl FromStr for Predicate {
    type Err = QueryError;

    /// Reads a name, one of `<=`, `>=`, `<`, `>`, `=`, and a number or, behind `=`, a provenance. Spaces do not count.
    fn from_str(text: &str) -> Result<Self, QueryError> {
        let wrong = |expected: &'static str| QueryError::Predicate {
            text: text.to_owned(),
            expected,
        };
        let at = text.find(['<', '>', '=']);
        let (name, rest) = at
            .and_then(|at| text.split_at_checked(at))
            .ok_or_else(|| wrong("a name, one of <= >= < > =, and a value"))?;
        let operator = ["<=", ">=", "==", "<", ">", "="]
            .into_iter()
            .find(|operator| rest.starts_with(operator))
            .unwrap_or("=");
        let (name, value) = (name.trim(), rest.get(operator.len()..).unwrap_or_default());
        let value = value.trim();
        if name.is_empty() {
            return Err(wrong("a name before the operator"));
        }
        let column: Cow<'static, str> = match Metric::from_name(name) {
            Some(metric) => Cow::Borrowed(metric.name()),
            None => Cow::Owned(name.to_owned()),
        };
        let is_equation = operator.starts_with('=');
        if is_equation && let Some(provenance) = Provenance::parse(value) {
            return Ok(Self::Provenance { column, provenance });
        }
        let number: f64 = value
            .parse()
            .ok()
            .filter(|number: &f64| !number.is_nan())
            .ok_or_else(|| wrong("a number (or, behind =, a provenance) as value"))?;
        if let Some(feature) = Feature::from_name(name) {
            let values = whole_numbers(operator, number);
            return Ok(Self::Structure { feature, values });
        }
        let bounds = match operator {
            "<=" => (Bound::Unbounded, Bound::Included(number)),
            ">=" => (Bound::Included(number), Bound::Unbounded),
            "<" => (Bound::Unbounded, Bound::Excluded(number)),
            ">" => (Bound::Excluded(number), Bound::Unbounded),
            _ => (Bound::Included(number), Bound::Included(number)),
        };
        let interval = Interval::new(bounds)?;
        Ok(Self::Within { column, interval })
    }
}

/// The whole numbers that an inequality leaves; an empty range where there are none.
fn whole_numbers(operator: &str, number: f64) -> RangeInclusive<u8> {
    let holds = |value: u8| {
        let value = f64::from(value);
        match operator {
            "<=" => value <= number,
            ">=" => value >= number,
            "<" => value < number,
            ">" => value > number,
            _ => value == number,
        }
    };
    let mut values = (0..=u8::MAX).filter(|&value| holds(value));
    match values.next() {
        Some(first) => first..=values.next_back().unwrap_or(first),
        None => RangeInclusive::new(1, 0),
    }
}

impl fmt::Display for Predicate {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Within { column, interval } => interval.write_about(column, f),
            Self::Structure { feature, values } if values.start() == values.end() => {
                write!(f, "{}={}", feature.name(), values.start())
            }
            Self::Structure { feature, values } => {
                write!(
                    f,
                    "{}<={}<={}",
                    values.start(),
                    feature.name(),
                    values.end()
                )
            }
            Self::Provenance { column, provenance } => write!(f, "{column}={provenance}"),
        }
    }
}

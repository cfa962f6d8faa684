//! What the columns of a header mean.

use std::collections::BTreeMap;

use super::unit::{Scale, allowed, needs_none, stem};
use crate::export::of_csv_cell;
use crate::import::{Fault, ImportOptions};
use crate::metrics::{Budget, Metric, is_reserved_name, plain_name};

/// The most columns that a file may have.
const MOST_COLUMNS: usize = 10_000;

/// The meaning of one column.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum Column {
    Hash,
    Adjacency,
    Operations,
    Budget,
    Repeat,
    /// Whether the row holds estimates.
    IsEstimate,
    Metric {
        metric: Metric,
        scale: Scale,
        /// The budget that the header holds.
        budget: Option<Budget>,
    },
    Other,
}

/// Where the budget of a trial stands.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum Budgets {
    /// In a column of its own.
    Column,
    /// It is the same for all rows.
    Fixed(Budget),
    /// In the headers of the metrics: one trial for each.
    Headers(Vec<Budget>),
}

/// A header.
#[derive(Debug)]
pub(super) struct Columns {
    /// In the order of the file, with their names.
    pub columns: Vec<(String, Column)>,
    pub budgets: Budgets,
}

impl Columns {
    pub(super) fn new<'a>(
        header: impl Iterator<Item = &'a str>,
        options: &ImportOptions,
    ) -> Result<Self, Fault> {
        let mut columns: Vec<(String, Column)> = Vec::new();
        let header: Vec<&str> = header.collect();
        let found = header.len();
        if found > MOST_COLUMNS {
            return Err(Fault::TooMany {
                what: "columns",
                limit: MOST_COLUMNS,
                found,
            });
        }
        for (index, name) in header.into_iter().enumerate() {
            let name = of_csv_cell(name.trim_start_matches('\u{feff}').trim());
            // Data frames are often written with an index that has no name.
            let name = match name {
                "" => format!("column_{}", index + 1),
                name => name.to_owned(),
            };
            let column = column(&name, &options.units)?;
            let twice = columns.iter().find(|(other, known)| match &column {
                Column::Other => *other == name,
                Column::Metric { metric, budget, .. } => {
                    matches!(known, Column::Metric { metric: m, budget: b, .. } if m == metric && b == budget)
                }
                key => known == key,
            });
            if let Some((other, _)) = twice {
                return Err(header_fault(format!(
                    "has {other:?} and {name:?}, expected one column of that meaning; remove one"
                )));
            }
            columns.push((name, column));
        }
        if let Some(unknown) = options
            .units
            .keys()
            .find(|unit| columns.iter().all(|(name, _)| name != *unit))
        {
            return Err(header_fault(format!(
                "has no column {unknown:?}, for which a unit is given; correct the unit's column"
            )));
        }
        let columns = Self {
            budgets: budgets(&columns, options.budget)?,
            columns,
        };
        columns.check_keys()?;
        Ok(columns)
    }

    /// Whether a user's own column has this name.
    pub(super) fn has_own(&self, name: &str) -> bool {
        let mut columns = self.columns.iter();
        columns.any(|(own, column)| own == name && *column == Column::Other)
    }

    pub(super) fn has(&self, column: &Column) -> bool {
        self.columns.iter().any(|(_, own)| own == column)
    }

    fn check_keys(&self) -> Result<(), Fault> {
        let adjacency = self.has(&Column::Adjacency);
        let operations = self.has(&Column::Operations);
        let missing = match (self.has(&Column::Hash), adjacency, operations) {
            (false, false, false) => "hash`, or columns `adjacency` and `operations",
            (_, true, false) => "operations` beside `adjacency",
            (_, false, true) => "adjacency` beside `operations",
            _ => return Ok(()),
        };
        Err(header_fault(format!(
            "names no cell: expected a column `{missing}`; add it"
        )))
    }
}

fn header_fault(problem: String) -> Fault {
    Fault::Header { problem }
}

fn budgets(columns: &[(String, Column)], given: Option<Budget>) -> Result<Budgets, Fault> {
    let metrics = || {
        columns.iter().filter_map(|(name, column)| match column {
            Column::Metric { metric, budget, .. } => Some((name, metric, *budget)),
            _ => None,
        })
    };
    let mut headers: Vec<Budget> = metrics().filter_map(|(_, _, budget)| budget).collect();
    headers.sort();
    headers.dedup();
    let own = columns.iter().any(|(_, column)| *column == Column::Budget);
    if headers.is_empty() {
        return match given {
            _ if own => Ok(Budgets::Column),
            Some(budget) => Ok(Budgets::Fixed(budget)),
            None => Err(header_fault(
                "names no budget: expected a column `budget_epochs` or metrics such as `energy_kwh_4_epochs`; add it, or give the budget in the options".to_owned(),
            )),
        };
    }
    if own {
        return Err(header_fault(
            "has a column for the budget and budgets in the names of metrics, expected one of both; split the table".to_owned(),
        ));
    }
    let unplaced =
        metrics().find(|(_, metric, budget)| budget.is_none() && !metric.is_structural());
    if let Some((name, ..)) = unplaced {
        return Err(header_fault(format!(
            "has budgets in the names of metrics, but none in {name:?}; add it there, as in `{name}_108_epochs`"
        )));
    }
    Ok(Budgets::Headers(headers))
}

fn column(name: &str, units: &BTreeMap<String, String>) -> Result<Column, Fault> {
    if let Some(key) = key(name) {
        return Ok(key);
    }
    let lower = name.to_lowercase();
    let (base, bracketed) = match lower.split_once('(') {
        Some((base, rest)) => (base.trim_end(), rest.trim_end().strip_suffix(')')),
        None => (lower.as_str(), None),
    };
    let (base, number) = take_number(base);
    for metric in Metric::ALL {
        let Some(rest) = base.strip_prefix(stem(metric)) else {
            continue;
        };
        let own = rest.strip_prefix('_');
        let budget = number.map(budget).transpose();
        let unit = match (rest, own) {
            ("", _) => bracketed.or_else(|| units.get(name).map(String::as_str)),
            (_, Some(own)) if bracketed.is_none() && Scale::from(own, metric).is_some() => {
                Some(own)
            }
            // Another name that begins alike.
            _ => continue,
        };
        let scale = match unit {
            Some(unit) => Scale::from(unit, metric).ok_or_else(|| {
                header_fault(format!(
                    "has {name:?} in {unit}, expected {}; convert the column",
                    allowed(metric)
                ))
            })?,
            None if needs_none(metric) => Scale::ONE,
            None => {
                return Err(header_fault(format!(
                    "has {name:?} without a unit, expected {}; rename it as in `{}`, or give the unit in the options",
                    allowed(metric),
                    metric.name()
                )));
            }
        };
        return Ok(Column::Metric {
            metric,
            scale,
            budget: budget?,
        });
    }
    if is_reserved_name(name) {
        return Err(header_fault(format!(
            "has {name:?}, a name that outputs use for something else; rename the column, for example to \"own_{}\"",
            plain_name(name)
        )));
    }
    Ok(Column::Other)
}

/// The columns that say what a row is of, by any of their names.
fn key(name: &str) -> Option<Column> {
    const LONGEST: usize = 64;
    if name.len() > LONGEST {
        return None;
    }
    Some(match plain_name(name).as_str() {
        "hash" | "module_hash" => Column::Hash,
        "adjacency" | "module_adjacency" => Column::Adjacency,
        "operations" | "module_operations" => Column::Operations,
        "budget" | "epochs" | "budget_epochs" => Column::Budget,
        "repeat" => Column::Repeat,
        "is_estimate" => Column::IsEstimate,
        _ => return None,
    })
}

/// Whether a column of this name names cells: by their hashes or their graphs.
pub(super) fn names_cells(name: &str) -> bool {
    matches!(key(name), Some(Column::Hash | Column::Adjacency))
}

fn budget(number: &str) -> Result<Budget, Fault> {
    let found = || number.to_owned();
    number.parse().map_err(|_| Fault::Budget { found: found() })
}

/// Takes the number out of `_108` or `_108_epochs` in a name, and writes what is left with underscores.
fn take_number(name: &str) -> (String, Option<&str>) {
    let mut parts: Vec<&str> = name.split(['_', ' ', '-']).collect();
    let digits = |part: &&str| !part.is_empty() && part.bytes().all(|b| b.is_ascii_digit());
    let Some(at) = parts.iter().position(digits) else {
        return (parts.join("_"), None);
    };
    let number = parts.remove(at);
    if matches!(parts.get(at), Some(&("epochs" | "epoch"))) {
        parts.remove(at);
    }
    (parts.join("_"), Some(number))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn metric(name: &str) -> Option<(Metric, f64, Option<u32>)> {
        match column(name, &BTreeMap::new()).unwrap() {
            Column::Metric {
                metric,
                scale,
                budget,
            } => Some((metric, scale.apply(1.0), budget.map(Budget::get))),
            _ => None,
        }
    }

    #[test]
    fn headers_are_read() {
        for metric in Metric::ALL {
            assert_eq!(
                super::tests::metric(metric.name()),
                Some((metric, 1.0, None))
            );
        }
        for (name, expected) in [
            ("energy_wh", (Metric::Energy, 1e-3, None)),
            ("Energy (J)", (Metric::Energy, 1.0 / 3.6e6, None)),
            ("training_time (min)", (Metric::TrainingTime, 60.0, None)),
            ("training_time_h", (Metric::TrainingTime, 3600.0, None)),
            ("test_accuracy (%)", (Metric::TestAccuracy, 0.01, None)),
            ("test_accuracy_percent", (Metric::TestAccuracy, 0.01, None)),
            ("energy_kwh_4_epochs", (Metric::Energy, 1.0, Some(4))),
            (
                "training_time_108_s",
                (Metric::TrainingTime, 1.0, Some(108)),
            ),
            (
                "validation_accuracy_12",
                (Metric::ValidationAccuracy, 1.0, Some(12)),
            ),
            (
                "carbon_intensity_kg_per_kwh",
                (Metric::CarbonIntensity, 1e3, None),
            ),
        ] {
            assert_eq!(metric(name), Some(expected), "{name}");
        }
        for name in [
            "latency_ms",
            "energy_gpu",
            "note",
            "energy_budget",
            "column_1",
        ] {
            assert_eq!(metric(name), None, "{name}");
        }
        for name in [
            "energy",
            "total_time",
            "energy (BTU)",
            "energy_kwh_0_epochs",
        ] {
            assert!(column(name, &BTreeMap::new()).is_err(), "{name}");
        }
    }
}

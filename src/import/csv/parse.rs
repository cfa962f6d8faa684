//! From a row to its trials.

use std::hash::{DefaultHasher, Hash, Hasher};

use csv::StringRecord;

use super::columns::{Budgets, Column, Columns};
use crate::cell::{Cell, CellHash};
use crate::import::check::check;
use crate::import::facts::{facts, set_cell};
use crate::import::pipeline::{Parse, Parsed};
use crate::import::{Fault, ImportError, Place, resolve};
use crate::metrics::{Budget, Checkpoint, Provenance, Provenances, Trial};

pub(in crate::import) struct RowParser {
    pub(super) columns: Columns,
    /// The provenances that the caller or the file states.
    pub(super) stated: Provenances,
}

impl Parse<StringRecord> for RowParser {
    fn parse(&self, place: &Place, row: StringRecord) -> Result<Vec<Parsed>, ImportError> {
        self.row(&row).map_err(|fault| place.clone().fault(fault))
    }
}

impl RowParser {
    fn row(&self, row: &StringRecord) -> Result<Vec<Parsed>, Fault> {
        let (hash, cell) = self.key(row)?;
        let repeat = match self.field(row, &Column::Repeat) {
            Some((name, text)) => {
                text.parse()
                    .ok()
                    .filter(|&n: &u32| n > 0)
                    .ok_or_else(|| Fault::Value {
                        field: name.to_owned(),
                        expected: "a whole number from 1",
                        found: text.to_owned(),
                    })?
            }
            None if self.columns.has(&Column::Repeat) => return Err(missing("repeat")),
            None => 1,
        };
        match &self.columns.budgets {
            Budgets::Column => {
                let (_, text) = self
                    .field(row, &Column::Budget)
                    .ok_or_else(|| missing("the budget"))?;
                let budget = text.parse().map_err(|_| Fault::Budget {
                    found: text.to_owned(),
                })?;
                let trial = Trial::new(hash, budget, repeat);
                Ok(vec![self.trial(trial, cell, row, None)?])
            }
            Budgets::Fixed(budget) => {
                let trial = Trial::new(hash, *budget, repeat);
                Ok(vec![self.trial(trial, cell, row, None)?])
            }
            Budgets::Headers(budgets) => budgets
                .iter()
                .filter(|&&budget| self.has_values(row, budget))
                .map(|&budget| {
                    self.trial(Trial::new(hash, budget, repeat), cell, row, Some(budget))
                })
                .collect(),
        }
    }

    /// Columns and their texts; missing ones are left out.
    fn fields<'a>(
        &'a self,
        row: &'a StringRecord,
    ) -> impl Iterator<Item = (&'a str, &'a Column, &'a str)> {
        self.columns
            .columns
            .iter()
            .zip(row)
            .map(|((name, column), text)| (name.as_str(), column, text.trim()))
            .filter(|(_, _, text)| !matches!(*text, "" | "NA"))
    }

    fn field<'a>(&'a self, row: &'a StringRecord, column: &Column) -> Option<(&'a str, &'a str)> {
        self.fields(row)
            .find_map(|(name, own, text)| (own == column).then_some((name, text)))
    }

    fn has_values(&self, row: &StringRecord, budget: Budget) -> bool {
        self.fields(row).any(
            |(_, column, _)| matches!(column, Column::Metric { budget: Some(own), .. } if *own == budget),
        )
    }

    fn key(&self, row: &StringRecord) -> Result<(CellHash, Option<Cell>), Fault> {
        let text = |column| self.field(row, column).map(|(_, text)| text);
        let cell = match (text(&Column::Adjacency), text(&Column::Operations)) {
            (Some(adjacency), Some(operations)) => Some(Cell::from_bits(adjacency, operations)?),
            (None, None) => None,
            (None, _) => return Err(missing("adjacency")),
            (_, None) => return Err(missing("operations")),
        };
        match (text(&Column::Hash), cell) {
            (Some(hash), None) => {
                let hash = hash.parse()?;
                Ok((hash, resolve::cell(hash, Cell::MAX_VERTICES)))
            }
            (Some(hash), cell) => Ok((hash.parse()?, cell)),
            (None, Some(cell)) => Ok((facts(cell).hash, Some(cell))),
            (None, None) => Err(missing("hash")),
        }
    }

    /// Fills a trial with the values that are of its budget, or of none.
    fn trial(
        &self,
        mut trial: Trial,
        cell: Option<Cell>,
        row: &StringRecord,
        own: Option<Budget>,
    ) -> Result<Parsed, Fault> {
        let mut checkpoint = Checkpoint::default();
        for (name, column, text) in self.fields(row) {
            match column {
                Column::Metric {
                    metric,
                    scale,
                    budget,
                } if budget.is_none() || *budget == own => {
                    let value = scale.apply(number(name, text)?);
                    let value = check(*metric, value, || name.to_owned())?;
                    let values = if metric.is_of_whole_run() {
                        &mut trial.totals
                    } else {
                        &mut checkpoint.values
                    };
                    values.set(*metric, value);
                }
                Column::Other => match number(name, text) {
                    Ok(value) if value.is_finite() => trial.other.push((name.to_owned(), value)),
                    _ => trial.unrecognised.push((name.to_owned(), text.to_owned())),
                },
                _ => {}
            }
        }
        if !checkpoint.values.is_empty() {
            trial.checkpoints.push(checkpoint);
        }
        let parameters = match cell {
            Some(cell) => set_cell(&mut trial, cell)?,
            None => None,
        };
        let mut fingerprint = DefaultHasher::new();
        row.as_slice().hash(&mut fingerprint);
        trial.budget.hash(&mut fingerprint);
        Ok(Parsed {
            trial,
            is_left_out: self.would_pass_for_observed(row)?,
            fingerprint: Some(fingerprint.finish()),
            parameters,
        })
    }

    /// Whether the row holds estimates, in columns that are not stated to be estimated.
    fn would_pass_for_observed(&self, row: &StringRecord) -> Result<bool, Fault> {
        let Some((name, text)) = self.field(row, &Column::IsEstimate) else {
            return Ok(false);
        };
        let is_estimate = match text {
            "0" | "0.0" => false,
            "1" | "1.0" => true,
            other => {
                return Err(Fault::Value {
                    field: name.to_owned(),
                    expected: "1 for an estimate, else 0",
                    found: other.to_owned(),
                });
            }
        };
        let is_stated = |(name, column, _): (&str, &Column, &str)| {
            let name = match column {
                Column::Metric { metric, .. } => metric.name(),
                Column::Other => name,
                _ => return true,
            };
            match self.stated.of(name) {
                Provenance::Predicted { .. } | Provenance::Computed => true,
                // A user's own column is seldom spoken of.
                Provenance::Unstated => *column == Column::Other,
                _ => false,
            }
        };
        Ok(is_estimate && !self.fields(row).all(is_stated))
    }
}

fn missing(column: &str) -> Fault {
    Fault::Missing {
        column: column.to_owned(),
    }
}

fn number(name: &str, text: &str) -> Result<f64, Fault> {
    text.parse().map_err(|_| Fault::Value {
        field: name.to_owned(),
        expected: "a number",
        found: text.to_owned(),
    })
}

//! From the trials of a table to CSV and JSON.
//!
//! TFRecord, the released form, is written by [`write_tfrecord`](crate::import::tfrecord::write_tfrecord), which gives an
//! imported TFRecord file back byte for byte. The forms here are for other tools: names with units as CSV headers and JSON
//! keys, one line or object per trial, cells as their source drew them.
//!
//! A number is written with as many digits as it takes to read the same `f64` back. What is missing, or no finite number,
//! is an empty field in CSV and `null` in JSON; checkpoints and power have the keys of what they report.

use std::borrow::Cow;
use std::io::{self, Write};

use serde_json::to_string as quoted;

use crate::cell::Cell;
use crate::import::csv::write_preamble as write_info;
use crate::metrics::{Metric, Trial, Unit, Values};
use crate::snapshot::{SnapshotError, Table};

/// What can go wrong while exporting. What was written before stays there.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ExportError {
    /// The trials cannot be read.
    #[error(transparent)]
    Snapshot(#[from] SnapshotError),
    /// The output failed.
    #[error("the output cannot be written; check the space and the permissions there")]
    Io(#[from] io::Error),
}

/// Writes a table's [`lines`] as CSV, and before them, in comment lines, [what the table says of them](write_preamble).
///
/// The columns are `hash`, `budget_epochs`, `repeat`, `adjacency`, `operations`, then those of [`line_columns`]. The output
/// should be buffered.
///
/// ```no_run
/// use std::{fs::File, io::BufWriter};
/// let snapshot = ecnas::snapshot::Snapshot::open("ec-nas.ecnas")?;
/// let out = BufWriter::new(File::create("ec-nas.csv")?);
/// ecnas::export::write_csv(snapshot.only_table()?, out)?;
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
///
/// # Errors
/// The table is damaged, or the output fails.
///
/// # Complexity
/// As [`Table::trials_as_imported`].
pub fn write_csv(table: Table<'_>, out: impl Write) -> Result<(), ExportError> {
    let mut out = out;
    let columns = line_columns(table)?;
    write_preamble(table, &columns, &mut out)?;
    write_csv_trials(&columns, lines(table), out)
}

/// Writes what is known of a table as comment lines that go before its CSV: search space, data set, device, origin, licence,
/// PUE, and where the values of these columns come from, as [`csv`](crate::import::csv) reads them. Imported again, the table
/// says the same of itself.
///
/// ```text
/// # search_space: NAS-Bench-101
/// # device: Quadro RTX 6000
/// # pue: 1.59
/// # provenance: measured
/// # provenance trainable_parameters: unstated
/// ```
///
/// Other readers have to be told: `pandas.read_csv(file, comment="#")`, `polars.read_csv(file, comment_prefix="#")`,
/// `read.csv(file, comment.char = "#")`, DuckDB's `read_csv(file, comment = '#')`.
///
/// # Errors
/// The table is damaged, or the output fails.
pub fn write_preamble(
    table: Table<'_>,
    columns: &[&str],
    mut out: impl Write,
) -> Result<(), ExportError> {
    let (has_trials, has_estimates) = (table.trial_count() > 0, table.has_estimates());
    let info = table.info()?;
    Ok(write_info(
        &info,
        columns,
        has_trials,
        has_estimates,
        &mut out,
    )?)
}

/// The first columns of exported CSV, and the first keys of exported JSON.
pub const KEY: [&str; 5] = ["hash", "budget_epochs", "repeat", "adjacency", "operations"];

/// The column that is 1 where a line holds estimates, and 0 where it holds a trial. No table has a column of that name.
const IS_ESTIMATE: &str = "is_estimate";

/// What is exported of a table: its trials in the order in which they were imported, then the
/// [estimates](Table::estimated_trials) of cells that have none. In a table with estimates, a value `is_estimate` tells them
/// apart: 1 or 0.
pub fn lines(table: Table<'_>) -> impl Iterator<Item = Result<Trial, SnapshotError>> {
    let marked = move |mut trial: Trial, is_estimate: bool| {
        if table.has_estimates() {
            let mark = f64::from(u8::from(is_estimate));
            trial.other.push((IS_ESTIMATE.to_owned(), mark));
        }
        trial
    };
    let trials = table.trials_as_imported();
    let trials = trials.map(move |trial| Ok(marked(trial?.to_trial(), false)));
    let estimates = table.estimated_trials();
    trials.chain(estimates.map(move |trial| Ok(marked(trial, true))))
}

/// The columns of a table's [`lines`]: [`columns`], and `is_estimate` in a table with estimates.
///
/// # Errors
/// The table is damaged.
pub fn line_columns(table: Table<'_>) -> Result<Vec<&str>, SnapshotError> {
    let mut columns = columns(table)?;
    columns.extend(table.has_estimates().then_some(IS_ESTIMATE));
    Ok(columns)
}

/// The columns of a table at any of its budgets: metrics in the order of [`Metric::ALL`], then others by name.
///
/// # Errors
/// The table is damaged.
pub fn columns(table: Table<'_>) -> Result<Vec<&str>, SnapshotError> {
    let mut columns = Vec::new();
    for budget in table.budgets() {
        columns.extend(table.view(budget)?.column_names());
    }
    columns.sort_by_key(|name| (Metric::from_name(name).map_or(u8::MAX, |m| m as u8), *name));
    columns.dedup();
    Ok(columns)
}

/// As [`write_csv`], of any trials and with these columns, without what is known of a table.
///
/// # Errors
/// The first error of the trials, or the output fails.
pub fn write_csv_trials(
    columns: &[&str],
    trials: impl IntoIterator<Item = Result<Trial, SnapshotError>>,
    out: impl Write,
) -> Result<(), ExportError> {
    let mut csv = csv::Writer::from_writer(out);
    let header = KEY.iter().chain(columns).map(|name| csv_cell(name));
    csv.write_record(header.map(Cow::into_owned))
        .map_err(io_error)?;
    for trial in trials {
        let trial = trial?;
        let (adjacency, operations) = drawing(trial.cell);
        let key = [
            trial.hash.to_string(),
            trial.budget.get().to_string(),
            trial.repeat.to_string(),
            adjacency,
            operations,
        ];
        let values = columns.iter().map(|name| {
            let value = result(&trial, name);
            value
                .and_then(|value| number(value, Unit::of_name(name)))
                .unwrap_or_default()
        });
        csv.write_record(key.into_iter().chain(values))
            .map_err(io_error)?;
    }
    csv.flush()?;
    Ok(())
}

/// Writes a table's [`lines`] as one JSON array: every trial with its results, checkpoints, power per device and time
/// stamps. The output should be buffered.
///
/// # Errors
/// The table is damaged, or the output fails.
///
/// # Complexity
/// As [`Table::trials_as_imported`].
pub fn write_json(table: Table<'_>, out: impl Write) -> Result<(), ExportError> {
    write_json_trials(&line_columns(table)?, lines(table), out)
}

/// As [`write_json`], of any trials and with these columns.
///
/// # Errors
/// The first error of the trials, or the output fails.
pub fn write_json_trials(
    columns: &[&str],
    trials: impl IntoIterator<Item = Result<Trial, SnapshotError>>,
    mut out: impl Write,
) -> Result<(), ExportError> {
    let mut separator = "[\n";
    for trial in trials {
        out.write_all(separator.as_bytes())?;
        out.write_all(json_trial(columns, &trial?)?.as_bytes())?;
        separator = ",\n";
    }
    let end = if separator == "[\n" { "[]\n" } else { "\n]\n" };
    out.write_all(end.as_bytes())?;
    Ok(out.flush()?)
}

/// A number as text that reads back as the same `f64`: counts without a fraction. `None` where it is no finite number.
#[must_use]
pub fn number(value: f64, unit: Unit) -> Option<String> {
    const EXACT: f64 = (1_u64 << 53) as f64;
    let whole = value.fract() == 0.0 && value.is_sign_positive() && value < EXACT;
    if !value.is_finite() {
        None
    } else if whole && matches!(unit, Unit::Count | Unit::Epoch) {
        Some(format!("{value:.0}"))
    } else {
        Some(format!("{value:?}"))
    }
}

/// A text as a cell of CSV that no spreadsheet takes for a formula: where it begins with `=`, `+`, `-`, `@`, a tab or a
/// carriage return and is no number, an apostrophe goes before it, as [OWASP](https://owasp.org/www-community/attacks/CSV_Injection)
/// advises. So it does where apostrophes stand before such a character already; the importer takes one away from both.
///
/// ```
/// assert_eq!(ecnas::export::csv_cell("=SUM(A1)"), "'=SUM(A1)");
/// assert_eq!(ecnas::export::csv_cell("-1.5"), "-1.5");
/// ```
#[must_use]
pub fn csv_cell(text: &str) -> Cow<'_, str> {
    if is_formula(text) {
        Cow::Owned(format!("'{text}"))
    } else {
        Cow::Borrowed(text)
    }
}

/// The text of a cell that [`csv_cell`] wrote.
pub(crate) fn of_csv_cell(cell: &str) -> &str {
    match cell.strip_prefix('\'') {
        Some(text) if is_formula(text) => text,
        _ => cell,
    }
}

fn is_formula(text: &str) -> bool {
    let start = text.trim_start_matches('\'');
    start.starts_with(['=', '+', '-', '@', '\t', '\r']) && text.parse::<f64>().is_err()
}

/// The digits and operations of a drawing; empty where the source had the hash alone.
fn drawing(cell: Option<Cell>) -> (String, String) {
    let given = cell.as_ref().map(Cell::given);
    given.map_or_else(Default::default, |graph| {
        (graph.adjacency_bits(), graph.operations())
    })
}

/// The trial's result in a column.
fn result(trial: &Trial, column: &str) -> Option<f64> {
    match Metric::from_name(column) {
        Some(metric) => trial.result(metric),
        None => {
            let mut other = trial.other.iter();
            other.find_map(|(name, value)| (name == column).then_some(*value))
        }
    }
}

fn json_trial(columns: &[&str], trial: &Trial) -> io::Result<String> {
    let mut fields = Fields::default();
    let given = trial.cell.as_ref().map(Cell::given);
    fields.text_or_null("hash", Some(trial.hash.to_string()))?;
    fields.raw("budget_epochs", &trial.budget.get().to_string())?;
    fields.raw("repeat", &trial.repeat.to_string())?;
    fields.text_or_null("adjacency", given.map(|graph| graph.adjacency_bits()))?;
    fields.text_or_null("operations", given.map(|graph| graph.operations()))?;
    for column in columns {
        fields.number(column, result(trial, column).unwrap_or(f64::NAN))?;
    }
    fields.text("started", trial.started.as_deref())?;
    fields.text("stopped", trial.stopped.as_deref())?;
    let checkpoints = trial.checkpoints.iter().map(|checkpoint| {
        let mut fields = Fields::default();
        fields.values(&checkpoint.values)?;
        fields.text("started", checkpoint.started.as_deref())?;
        fields.text("stopped", checkpoint.stopped.as_deref())?;
        Ok(fields.object())
    });
    fields.list("checkpoints", checkpoints)?;
    let power = trial.power.iter().map(|usage| {
        let mut fields = Fields::default();
        fields.text("component", Some(usage.component.name()))?;
        fields.text("device", usage.device.as_deref())?;
        for (name, value) in [("power_w", usage.power_w), ("energy_j", usage.energy_j)] {
            value.map_or(Ok(()), |value| fields.number(name, value))?;
        }
        Ok(fields.object())
    });
    fields.list("power", power)?;
    if !trial.unrecognised.is_empty() {
        let mut kept = Fields::default();
        for (path, text) in &trial.unrecognised {
            kept.text(path, Some(text))?;
        }
        fields.raw("unrecognised", &kept.object())?;
    }
    Ok(fields.object())
}

/// The fields of a JSON object, in the order in which they are added.
#[derive(Default)]
struct Fields(String);

impl Fields {
    fn raw(&mut self, key: &str, json: &str) -> io::Result<()> {
        if !self.0.is_empty() {
            self.0.push(',');
        }
        self.0.push_str(&quoted(key)?);
        self.0.push(':');
        self.0.push_str(json);
        Ok(())
    }

    fn text_or_null(&mut self, key: &str, text: Option<String>) -> io::Result<()> {
        let json = text.map_or(Ok("null".to_owned()), |text| quoted(&text))?;
        self.raw(key, &json)
    }

    fn text(&mut self, key: &str, text: Option<&str>) -> io::Result<()> {
        text.map_or(Ok(()), |text| self.raw(key, &quoted(text)?))
    }

    fn number(&mut self, key: &str, value: f64) -> io::Result<()> {
        let text = number(value, Unit::of_name(key));
        self.raw(key, text.as_deref().unwrap_or("null"))
    }

    fn values(&mut self, values: &Values) -> io::Result<()> {
        values
            .iter()
            .try_for_each(|(metric, value)| self.number(metric.name(), value))
    }

    fn list(
        &mut self,
        key: &str,
        items: impl Iterator<Item = io::Result<String>>,
    ) -> io::Result<()> {
        let items: Vec<_> = items.collect::<Result<_, _>>()?;
        self.raw(key, &format!("[{}]", items.join(",")))
    }

    fn object(self) -> String {
        format!("{{{}}}", self.0)
    }
}

fn io_error(error: csv::Error) -> io::Error {
    match error.into_kind() {
        csv::ErrorKind::Io(error) => error,
        other => io::Error::other(format!("{other:?}")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_cell_that_looks_like_a_formula_is_marked_and_comes_back() {
        for (text, cell) in [
            ("=1+1", "'=1+1"),
            ("+cmd|' /C calc'!A0", "'+cmd|' /C calc'!A0"),
            ("-x", "'-x"),
            ("@SUM(A1)", "'@SUM(A1)"),
            ("\tx", "'\tx"),
            ("'=x", "''=x"),
            ("''-1", "'''-1"),
            ("-1.5e3", "-1.5e3"),
            ("+7", "+7"),
            ("'quoted'", "'quoted'"),
            ("energy_kwh", "energy_kwh"),
            ("", ""),
        ] {
            assert_eq!(csv_cell(text), cell);
            assert_eq!(of_csv_cell(cell), text);
        }
    }
}

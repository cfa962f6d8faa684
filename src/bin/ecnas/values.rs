//! What machines read: JSON and CSV, keyed by the columns' names with their units.

use std::io::Write;
use std::str::FromStr;

use ecnas::cell::{Cell, CellHash};
use ecnas::export::{csv_cell, number};
use ecnas::metrics::{TableInfo, Unit};
use ecnas::snapshot::{Repeats, Row, View};
use serde_json::{Map, Value};

use crate::failure::Failure;
use crate::screen;
pub use crate::screen::page as stdout;

/// A JSON object, in the order in which its keys were added.
pub type Object = Map<String, Value>;

/// An object of these keys and values.
macro_rules! object {
    ($($key:literal: $value:expr),* $(,)?) => {{
        let mut object = $crate::values::Object::new();
        $(object.insert($key.to_owned(), serde_json::Value::from($value));)*
        object
    }};
}
pub(crate) use object;

/// A column's value: counts as integers, what is missing or not finite as null.
pub fn value(column: &str, value: Option<f64>) -> Value {
    let text = value.and_then(|value| number(value, Unit::of_name(column)));
    let number = text.and_then(|text| serde_json::Number::from_str(&text).ok());
    number.map_or(Value::Null, Value::Number)
}

/// The keys of a cell: its hash, and its drawing where it is known.
pub fn cell(hash: CellHash, cell: Option<Cell>) -> Object {
    let given = cell.map(|cell| cell.given());
    object! {
        "hash": hash.to_string(),
        "adjacency": given.map(|graph| graph.adjacency_bits()),
        "operations": given.map(|graph| graph.operations()),
    }
}

/// The key under which the rows of a mixed view name the columns whose values are estimates.
const ESTIMATED: &str = "estimated";

/// Adds all columns of a row.
pub fn add_columns(object: &mut Object, row: Row<'_, '_>) {
    let names = || row.view().column_names();
    for name in names() {
        object.insert(name.to_owned(), value(name, row.get_named(name)));
    }
    if row.view().is_mixed() {
        let estimated = names().filter(|name| row.is_estimate(name));
        let estimated: Vec<Value> = estimated.map(Value::from).collect();
        object.insert(ESTIMATED.to_owned(), estimated.into());
    }
}

/// Where the values of a view's columns come from; where from several places, with the number of rows of each.
pub fn provenance(view: &View<'_>) -> Result<Object, Failure> {
    let mut object = Object::new();
    for name in view.column_names() {
        let value = match view.provenance(name)?.as_slice() {
            [(only, _)] => only.to_string().into(),
            parts => parts
                .iter()
                .map(|(provenance, rows)| (provenance.to_string(), Value::from(*rows)))
                .collect::<Object>()
                .into(),
        };
        object.insert(name.to_owned(), value);
    }
    Ok(object)
}

/// As [`provenance`], of the values at checkpoints before the last one.
pub fn checkpoint_provenance(view: &View<'_>, info: &TableInfo) -> Object {
    let text = |name: &str| info.provenance.of_checkpoint(name).to_string();
    view.column_names()
        .map(|name| (name.to_owned(), text(name).into()))
        .collect()
}

/// A policy as it is written on the command line.
pub fn repeats(policy: Repeats) -> String {
    match policy {
        Repeats::Min => "min".to_owned(),
        Repeats::Max => "max".to_owned(),
        Repeats::Given(number) => number.to_string(),
        Repeats::Draw { seed } => format!("draw:{seed}"),
        _ => "mean".to_owned(),
    }
}

/// The rows of a table, with what is true of all of them.
pub struct Section<'a> {
    /// JSON: the keys beside the rows.
    pub head: Object,
    /// CSV: columns that are the same in all rows.
    pub constants: Object,
    /// JSON: the key of the rows.
    pub key: &'static str,
    /// The rows.
    pub rows: Box<dyn Iterator<Item = Object> + 'a>,
}

/// Prints one JSON value.
pub fn print(value: &Object) -> Result<(), Failure> {
    let mut out = screen::json();
    serde_json::to_writer_pretty(&mut out, value)?;
    Ok(writeln!(out).and_then(|()| out.flush())?)
}

/// Prints sections as JSON, a row on each line: one object, or a list of objects where they are several.
pub fn print_json(sections: Vec<Section<'_>>) -> Result<(), Failure> {
    let mut out = screen::json();
    let several = sections.len() > 1;
    for (number, section) in sections.into_iter().enumerate() {
        let start = ["[", ",\n"].get(number.min(1)).filter(|_| several);
        write!(out, "{}{{", start.unwrap_or(&""))?;
        for (key, value) in &section.head {
            write!(out, "\n  {}: {value},", Value::from(key.as_str()))?;
        }
        write!(out, "\n  \"{}\": [", section.key)?;
        for (number, row) in section.rows.enumerate() {
            let separator = if number == 0 { "" } else { "," };
            write!(out, "{separator}\n    {}", Value::from(row))?;
        }
        write!(out, "\n  ]\n}}")?;
    }
    writeln!(out, "{}", if several { "]" } else { "" })?;
    Ok(out.flush()?)
}

/// Prints the rows of sections as CSV with these columns.
pub fn print_csv(columns: &[String], sections: Vec<Section<'_>>) -> Result<(), Failure> {
    let mut csv = csv::Writer::from_writer(screen::csv());
    csv.write_record(columns.iter().map(|name| csv_cell(name).into_owned()))?;
    for section in sections {
        for row in section.rows {
            let value = |name| row.get(name).or_else(|| section.constants.get(name));
            csv.write_record(
                columns
                    .iter()
                    .map(|name| value(name).map(text).unwrap_or_default()),
            )?;
        }
    }
    Ok(csv.flush()?)
}

/// The names of the views' columns, each once.
pub fn column_names<'s>(views: &[View<'s>]) -> Vec<&'s str> {
    let mut names = Vec::new();
    for name in views.iter().flat_map(View::column_names) {
        if !names.contains(&name) {
            names.push(name);
        }
    }
    if views.iter().any(View::is_mixed) {
        names.push(ESTIMATED);
    }
    names
}

fn text(value: &Value) -> String {
    match value {
        Value::Null => String::new(),
        Value::String(text) => csv_cell(text).into_owned(),
        Value::Array(items) => items.iter().map(text).collect::<Vec<_>>().join("; "),
        other => other.to_string(),
    }
}

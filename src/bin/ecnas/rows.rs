//! Rows of a view, for people and for machines.

use std::ops::Range;

use ecnas::metrics::{Metric, Provenance, Unit};
use ecnas::query::{Direction, Predicate, Query};
use ecnas::snapshot::{Row, RowId, View};

use crate::failure::Failure;
use crate::show;
use crate::values::{self, Object};

/// What people see of a row besides what they asked about.
const USUAL: [Metric; 5] = [
    Metric::Energy,
    Metric::ValidationAccuracy,
    Metric::TestAccuracy,
    Metric::TrainingTime,
    Metric::TrainableParameters,
];

/// The columns to show: those that were asked about, and up to `more` usual ones.
pub fn columns<'a>(view: &View<'a>, asked: &[&'a str], more: usize) -> Vec<&'a str> {
    let mut columns: Vec<&str> = Vec::new();
    let has = |name: &&str| view.column_names().any(|other| other == *name);
    let usual = USUAL.map(Metric::name);
    let usual = usual.into_iter().filter(|name| !asked.contains(name));
    for name in asked.iter().copied().chain(usual.filter(has).take(more)) {
        if !columns.contains(&name) {
            columns.push(name);
        }
    }
    columns
}

/// A table of rows, each with its hash and a mark before it.
pub fn table(
    view: &View<'_>,
    columns: &[&str],
    rows: &[RowId],
    mark: impl Fn(RowId) -> &'static str,
) -> Result<comfy_table::Table, Failure> {
    let header = columns.iter().map(|name| header(view, name));
    let mut header: Vec<String> = header.collect::<Result<_, Failure>>()?;
    header.insert(0, String::new());
    let right: Range<usize> = 1..header.len();
    header.push("cell".to_owned());
    let mut table = show::table(header, right);
    show::keep_whole(&mut table, columns.len() + 1);
    let in_view = || rows.iter().filter_map(|&id| view.at(id));
    let decimals: Vec<usize> = columns
        .iter()
        .map(|name| {
            let values = in_view().filter_map(|row| row.get_named(name));
            show::decimals(values, Unit::of_name(name))
        })
        .collect();
    for row in in_view() {
        let figures = columns.iter().zip(&decimals).map(|(name, &decimals)| {
            let figure = show::figure(row.get_named(name), Unit::of_name(name), decimals);
            show::estimate(figure, row, name)
        });
        let start = [mark(row.id()).to_owned()].into_iter();
        table.add_row(start.chain(figures).chain([row.hash().to_string()]));
    }
    Ok(table)
}

/// A column's title, unit and provenance.
fn header(view: &View<'_>, name: &str) -> Result<String, Failure> {
    let unit = show::unit(Unit::of_name(name));
    let mut text = format!("{}\n{unit}", show::title(name));
    for (provenance, _) in view.provenance(name)? {
        let is_predicted = matches!(provenance, Provenance::Predicted { .. });
        let mark = if view.is_mixed() && is_predicted {
            "~"
        } else {
            ""
        };
        text += &format!("\n{mark}{provenance}");
    }
    Ok(text)
}

/// All that a row says.
pub fn object(row: Row<'_, '_>) -> Object {
    let mut object = values::cell(row.hash(), row.cell());
    values::add_columns(&mut object, row);
    object
}

/// More is better for accuracies, less for all others.
pub fn direction(column: &str) -> Direction {
    match Unit::of_name(column) {
        Unit::Fraction => Direction::Maximize,
        _ => Direction::Minimize,
    }
}

/// A query of these conditions.
pub fn query<'v, 's>(
    view: &'v View<'s>,
    conditions: &[Predicate],
) -> Result<Query<'v, 's>, Failure> {
    let mut query = view.query();
    for condition in conditions {
        query = query.matching(condition)?;
    }
    Ok(query)
}

/// What to tell of cells that conditions on structure cannot find.
pub fn unknown_structure(count: usize) -> Option<String> {
    (count > 0).then(|| {
        format!(
            "{} with an unknown structure left out: given by hashes alone that the search space does not hold",
            show::plural(count, "cell")
        )
    })
}

/// Conditions as they are written on the command line.
pub fn condition(text: &str) -> Result<Predicate, String> {
    text.parse()
        .map_err(|error: ecnas::query::QueryError| error.to_string())
}

//! Rows of a view, for people and for machines.

use std::borrow::Cow;
use std::ops::{Bound, RangeBounds};

use ecnas::index::Interval;
use ecnas::metrics::{Metric, Provenance, Unit};
use ecnas::query::{Direction, Objective, Predicate, Query, QueryError, Scale};
use ecnas::snapshot::{Row, RowId, View};

use crate::ask;
use crate::failure::Failure;
use crate::layout::{Column, Table};
use crate::screen;
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
) -> Result<Table, Failure> {
    let titles = columns.iter().map(|name| header(view, name));
    let titles: Vec<String> = titles.collect::<Result<_, Failure>>()?;
    let numbers = titles.into_iter().map(Column::number);
    let cell = Column::name("cell").starts_line();
    let mut table = Table::new([Column::name("")].into_iter().chain(numbers).chain([cell]));
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
        table.row(start.chain(figures).chain([show::hash(row.hash())]));
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

/// Whether a view has estimates with intervals in one of these metrics; if not, says that caution changes nothing.
pub fn check_cautious(view: &View<'_>, objectives: &[Objective]) -> bool {
    let has_ends = |own: &Objective| matches!(view.worse_end(own), Ok(Cow::Owned(_)));
    let is_cautious = objectives.iter().any(has_ends);
    if !is_cautious {
        screen::note(format!(
            "--cautious changes nothing in `{}` at {}: none of the compared values is predicted with an interval",
            view.table().name(),
            view.budget()
        ));
    }
    is_cautious
}

/// As [`check_cautious`], of energy and an accuracy in some views: whether one of them has intervals.
pub fn any_cautious(views: &[View<'_>], accuracy: Metric) -> bool {
    let objectives = [Objective::ENERGY, Objective::maximize(accuracy)];
    let checked = views.iter().map(|view| check_cautious(view, &objectives));
    checked.fold(false, |any, own| any | own)
}

/// Refuses a choice of values that a view has none of in a column.
pub fn check_scale(view: &View<'_>, scale: Option<Scale>, column: &str) -> Result<(), Failure> {
    let Some(scale) = scale else { return Ok(()) };
    let values = view.column(column)?.iter();
    let all = values.filter(|value| !value.is_nan()).count();
    let estimated = view.estimated_rows(column)?.len();
    let (chosen, what) = match scale {
        Scale::Trials => (all - estimated, "values of trials"),
        Scale::Estimates => (estimated, "estimates"),
    };
    match chosen {
        0 => Err(Failure::usage(format!(
            "table `{}` has no {what} of `{column}` at {}; leave --scale out",
            view.table().name(),
            view.budget()
        ))),
        _ => Ok(()),
    }
}

/// A query of these conditions.
pub fn query<'v, 's>(
    view: &'v View<'s>,
    conditions: &[Predicate],
) -> Result<Query<'v, 's>, Failure> {
    let mut query = view.query();
    for condition in conditions {
        check_fraction(view, condition)?;
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

/// Refuses a bound above 1 for accuracies that all lie below it: percent were meant.
fn check_fraction(view: &View<'_>, condition: &Predicate) -> Result<(), Failure> {
    let Predicate::Within { column, interval } = condition else {
        return Ok(());
    };
    let bound = |bound: Bound<&f64>| match bound {
        Bound::Included(&bound) | Bound::Excluded(&bound) => Some(bound),
        Bound::Unbounded => None,
    };
    let bounds = [interval.start_bound(), interval.end_bound()].map(bound);
    let above = |value: f64| value.is_finite() && value > 1.0;
    if Unit::of_name(column) != Unit::Fraction || !bounds.into_iter().flatten().any(above) {
        return Ok(());
    }
    if view.column(column)?.iter().any(|&value| value > 1.0) {
        return Ok(());
    }
    let part = |bound: Bound<&f64>| bound.map(|&bound| ask::meant_fraction(bound).unwrap_or(bound));
    let meant = (part(interval.start_bound()), part(interval.end_bound()));
    let hint = Interval::new(meant).ok().filter(|meant| meant != interval);
    let hint = hint.map(|interval| {
        let column = column.clone();
        format!(": write {}", Predicate::Within { column, interval })
    });
    Err(Failure::usage(format!(
        "--where {condition}: accuracies are fractions from 0 to 1{}",
        hint.unwrap_or_default()
    )))
}

/// Conditions as they are written on the command line.
pub fn condition(text: &str) -> Result<Predicate, String> {
    let condition: Result<Predicate, QueryError> = text.parse();
    let percent = || text.trim_end().strip_suffix('%');
    condition.map_err(|error| {
        let without = percent().and_then(|text| text.parse().ok());
        match without {
            Some(Predicate::Within { column, .. }) if Unit::of_name(&column) == Unit::Fraction => {
                "accuracies are fractions from 0 to 1: write 0.93 for 93 %".to_owned()
            }
            Some(_) => "expected a number without %".to_owned(),
            None => error.to_string(),
        }
    })
}

//! `ecnas front`: the cells that no other cell beats.

use std::borrow::Cow;
use std::io::Write;

use ecnas::metrics::{Metric, Unit};
use ecnas::query::{Direction, Front, Objective, front};
use ecnas::snapshot::{Row, View};
use serde_json::Value;

use crate::ask::Ask;
use crate::cache::Given;
use crate::failure::Failure;
use crate::show;
use crate::values::{self, Section, object};

/// List the cells that no other cell beats: the Pareto front of two metrics
#[derive(clap::Args)]
pub struct Args {
    #[command(flatten)]
    ask: Ask,
    /// First metric; more is better for accuracies, less for all others
    #[arg(long, value_name = "METRIC", default_value = Metric::Energy.name())]
    x: String,
    /// Second metric
    #[arg(long, value_name = "METRIC", default_value = Metric::ValidationAccuracy.name())]
    y: String,
}

/// Runs the command.
pub fn run(args: &Args) -> Result<(), Failure> {
    let given = Given::open(&args.ask.inputs)?;
    let views = args.ask.views(&given)?;
    let objectives = [&args.x, &args.y].map(|column| objective(column));
    let fronts = views
        .iter()
        .map(|view| Ok((view, front(view, objectives.each_ref())?)));
    let fronts: Vec<(&View<'_>, Front)> = fronts.collect::<Result<_, Failure>>()?;
    if !args.ask.choice.json && !args.ask.choice.csv {
        return human(args, &fronts, &objectives);
    }
    let sections = fronts
        .iter()
        .map(|(view, front)| section(view, front, &objectives));
    let sections = sections.collect::<Result<Vec<_>, Failure>>()?;
    if args.ask.choice.json {
        return values::print_json(sections);
    }
    let mut header = ["table", "budget_epochs", "hash", "adjacency", "operations"].to_vec();
    header.extend(values::column_names(&views));
    let header: Vec<_> = header.into_iter().map(str::to_owned).collect();
    values::print_csv(&header, sections)
}

fn objective(column: &str) -> Objective {
    let direction = match Unit::of_name(column) {
        Unit::Fraction => Direction::Maximize,
        _ => Direction::Minimize,
    };
    Objective {
        column: Cow::Owned(column.to_owned()),
        direction,
    }
}

const fn word(direction: Direction) -> &'static str {
    match direction {
        Direction::Minimize => "min",
        Direction::Maximize => "max",
    }
}

fn rows<'v, 's>(view: &'v View<'s>, front: &'v Front) -> impl Iterator<Item = Row<'v, 's>> {
    front.rows.iter().filter_map(|&id| view.at(id))
}

fn section<'v>(
    view: &'v View<'_>,
    front: &'v Front,
    objectives: &[Objective; 2],
) -> Result<Section<'v>, Failure> {
    let constants = object! {
        "table": view.table().name(),
        "budget_epochs": view.budget().get(),
    };
    let objectives = objectives.iter().map(|objective| {
        object! { "column": objective.column.as_ref(), "direction": word(objective.direction) }
            .into()
    });
    let mut head = constants.clone();
    head.extend(object! {
        "repeats": values::repeats(view.repeats()),
        "objectives": objectives.collect::<Vec<Value>>(),
        "provenance": values::provenance(view, &view.table().info()?),
        "compared": front.compared,
        "missing": front.missing,
    });
    let rows = rows(view, front).map(|row| {
        let mut object = values::cell(row.hash(), row.cell());
        values::add_columns(&mut object, row);
        object
    });
    Ok(Section {
        head,
        constants,
        key: "front",
        rows: Box::new(rows),
    })
}

fn human(
    args: &Args,
    fronts: &[(&View<'_>, Front)],
    objectives: &[Objective; 2],
) -> Result<(), Failure> {
    let mut out = values::stdout();
    for (number, (view, front)) in fronts.iter().enumerate() {
        let gap = if number == 0 { "" } else { "\n\n" };
        writeln!(
            out,
            "{gap}{}",
            show::heading(view, args.ask.choice.budget.is_some())
        )?;
        let info = view.table().info()?;
        let [x, y] = objectives
            .each_ref()
            .map(|objective| objective.column.as_ref());
        let usual = [
            Metric::Energy,
            Metric::ValidationAccuracy,
            Metric::TestAccuracy,
            Metric::TrainingTime,
            Metric::TrainableParameters,
        ];
        let usual = usual.map(Metric::name);
        let usual = usual.into_iter().filter(|&name| name != x && name != y);
        let has = |name: &str| view.column_names().any(|other| other == name);
        let columns: Vec<&str> = [x, y]
            .into_iter()
            .chain(usual.filter(|name| has(name)).take(3))
            .collect();
        let mut header: Vec<String> = columns.iter().map(|name| header(name, &info)).collect();
        let right = 0..header.len();
        header.push("cell".to_owned());
        let mut table = show::table(header, right);
        show::keep_whole(&mut table, columns.len());
        let decimals: Vec<usize> = columns
            .iter()
            .map(|name| {
                let values = rows(view, front).filter_map(|row| row.get_named(name));
                show::decimals(values, Unit::of_name(name))
            })
            .collect();
        for row in rows(view, front) {
            let figures = columns.iter().zip(&decimals).map(|(name, &decimals)| {
                show::figure(row.get_named(name), Unit::of_name(name), decimals)
            });
            table.add_row(figures.chain([row.hash().to_string()]));
        }
        writeln!(out, "\n{}\n", table.trim_fmt())?;
        let objective = |objective: &Objective| {
            let side = match objective.direction {
                Direction::Minimize => "less",
                Direction::Maximize => "more",
            };
            format!("{side} {}", show::title(&objective.column))
        };
        let [x, y] = objectives.each_ref().map(objective);
        writeln!(
            out,
            "No other cell has both {x} and {y}: {} of {}.",
            front.rows.len(),
            show::count(front.compared)
        )?;
        if front.missing > 0 {
            writeln!(
                out,
                "Left out for a missing value: {}.",
                show::plural(front.missing, "cell")
            )?;
        }
    }
    Ok(out.flush()?)
}

/// A column's title, unit and provenance.
fn header(name: &str, info: &ecnas::metrics::TableInfo) -> String {
    let unit = show::unit(Unit::of_name(name));
    format!(
        "{}\n{unit}\n{}",
        show::title(name),
        info.provenance.of(name)
    )
}

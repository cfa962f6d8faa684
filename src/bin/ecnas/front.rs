//! `ecnas front`: the cells that no other cell beats.

use std::borrow::Cow;
use std::io::Write;

use ecnas::index::RowSet;
use ecnas::metrics::Metric;
use ecnas::query::{Direction, Dominance, Objective, Predicate, Scale};
use ecnas::snapshot::{RowId, View};
use serde_json::Value;

use crate::ask::{self, Ask};
use crate::cache::Given;
use crate::failure::Failure;
use crate::rows;
use crate::screen;
use crate::show;
use crate::values::{self, Object, Section, object};

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
    /// Condition on the cells to compare, as often as needed: energy_kwh<=0.3, vertices=5, conv3x3>=2
    #[arg(long = "where", short = 'w', value_name = "CONDITION", value_parser = rows::condition)]
    conditions: Vec<Predicate>,
    /// Take estimates at the worse end of their intervals: more energy, less accuracy; measured values
    /// have none and stay as they are
    #[arg(long)]
    cautious: bool,
    /// Which values are compared, where a table holds measured ones and estimates on two scales: of trials, or estimates
    #[arg(long, value_name = "TRIALS|ESTIMATES", value_parser = ask::scale)]
    scale: Option<Scale>,
    /// How many cells to print, from the least of the first metric, 0 for all [default: all]
    #[arg(long, short = 'n', value_name = "N", value_parser = ask::limit, allow_negative_numbers = true)]
    limit: Option<usize>,
}

impl Args {
    /// How many cells to print.
    fn shown(&self) -> usize {
        match self.limit {
            None | Some(0) => usize::MAX,
            Some(limit) => limit,
        }
    }
}

/// The front of a view.
struct Front<'v, 's> {
    view: &'v View<'s>,
    /// Whether estimates were taken at the worse ends of their intervals.
    is_cautious: bool,
    rows: Vec<RowId>,
    compared: usize,
    missing: usize,
    /// How many cells are left out because their structure is unknown.
    unknown_structure: usize,
    /// Of the whole view, where there are no conditions.
    whole: Option<Whole>,
}

/// What is published of the front of a whole view.
struct Whole {
    knee: Option<RowId>,
    bounds: Option<ecnas::pareto::Bounds<2>>,
    hypervolume: Option<f64>,
    normalised: Option<f64>,
}

/// Runs the command.
pub fn run(args: &Args) -> Result<(), Failure> {
    let given = Given::open(&args.ask.inputs)?;
    let views = args.ask.views(&given)?;
    let objectives = [&args.x, &args.y].map(|column| Objective {
        column: Cow::Owned(column.clone()),
        direction: rows::direction(column),
    });
    let fronts = views.iter().map(|view| front(view, &objectives, args));
    let fronts: Vec<Front<'_, '_>> = fronts.collect::<Result<_, Failure>>()?;
    if !args.ask.choice.json && !args.ask.choice.csv {
        return human(args, &fronts, &objectives);
    }
    if args.ask.choice.csv {
        let unknown = fronts.iter().map(|front| front.unknown_structure);
        unknown
            .filter_map(rows::unknown_structure)
            .for_each(screen::note);
    }
    let sections = fronts.iter().map(|front| section(args, front, &objectives));
    let sections = sections.collect::<Result<Vec<_>, Failure>>()?;
    if args.ask.choice.json {
        return values::print_json(sections);
    }
    let mut header = ["table", "budget_epochs", "hash", "adjacency", "operations"].to_vec();
    header.extend(values::column_names(&views));
    let header: Vec<_> = header.into_iter().map(str::to_owned).collect();
    values::print_csv(&header, sections)
}

fn front<'v, 's>(
    view: &'v View<'s>,
    objectives: &[Objective; 2],
    args: &Args,
) -> Result<Front<'v, 's>, Failure> {
    let is_cautious = args.cautious && rows::check_cautious(view, objectives);
    let dominance: Dominance<'_, '_, 2> = match is_cautious {
        true => view.cautious_dominance(objectives.clone())?,
        false => view.dominance(objectives.clone())?,
    };
    let on_scale = on_scale(view, objectives, args.scale)?;
    if args.conditions.is_empty() && on_scale.is_none() {
        let bounds = dominance.bounds();
        let reference = bounds.map(|bounds| bounds.reference);
        return Ok(Front {
            view,
            is_cautious,
            rows: dominance.front().to_vec(),
            compared: dominance.compared(),
            missing: dominance.missing(),
            unknown_structure: 0,
            whole: Some(Whole {
                knee: dominance.knee(),
                bounds,
                hypervolume: reference.map(|reference| dominance.hypervolume(reference)),
                normalised: dominance.normalised_hypervolume(),
            }),
        });
    }
    let mut query = rows::query(view, &args.conditions)?;
    if let Some(rows) = &on_scale {
        query = query.among(rows);
    }
    let found = query.count()?;
    let unknown_structure = query.unknown_structure()?;
    let query = query.has(&args.x)?.has(&args.y)?;
    let compared = query.count()?;
    Ok(Front {
        view,
        is_cautious,
        rows: dominance.front_in(&query)?,
        compared,
        missing: found.saturating_sub(compared),
        unknown_structure,
        whole: None,
    })
}

/// The rows whose values are of the scale that was chosen, in the objectives that are on two; `None` where all are compared.
fn on_scale(
    view: &View<'_>,
    objectives: &[Objective; 2],
    scale: Option<Scale>,
) -> Result<Option<RowSet>, Failure> {
    let Some(scale) = scale else { return Ok(None) };
    let columns = objectives.iter().map(|own| own.column.as_ref());
    let all = view.rows_of_scale(columns, scale)?;
    if let ([first, _], None) = (objectives, &all) {
        rows::check_scale(view, Some(scale), &first.column)?;
    }
    Ok(all)
}

const fn word(direction: Direction) -> &'static str {
    match direction {
        Direction::Minimize => "min",
        Direction::Maximize => "max",
    }
}

fn section<'v>(
    args: &Args,
    front: &'v Front<'_, '_>,
    objectives: &[Objective; 2],
) -> Result<Section<'v>, Failure> {
    let view = front.view;
    let constants = object! {
        "table": view.table().name(),
        "budget_epochs": view.budget().get(),
    };
    let names = objectives.each_ref().map(|own| own.column.as_ref());
    let objectives = objectives.iter().map(|objective| {
        object! { "column": objective.column.as_ref(), "direction": word(objective.direction) }
            .into()
    });
    let mut two_scales: Vec<Value> = Vec::new();
    for name in names {
        if view.two_scales(name)?.is_some() {
            two_scales.push(name.into());
        }
    }
    let mut head = constants.clone();
    head.extend(object! {
        "repeats": values::repeats(view.repeats()),
        "objectives": objectives.collect::<Vec<Value>>(),
        "cautious": args.cautious,
        "scale": args.scale.map(Scale::name),
        "two_scales": two_scales,
        "provenance": values::provenance(view)?,
        "compared": front.compared,
        "missing": front.missing,
        "unknown_structure": front.unknown_structure,
        "found": front.rows.len(),
    });
    if let Some(whole) = &front.whole {
        let hash = |row: RowId| view.at(row).map(|row| row.hash().to_string());
        let corner = |pick: fn(&ecnas::pareto::Bounds<2>) -> [f64; 2]| -> Value {
            let corner = whole.bounds.as_ref().map(pick);
            let object = |corner: [f64; 2]| -> Object {
                let values = names.into_iter().zip(corner);
                values
                    .map(|(name, value)| (name.to_owned(), values::value(name, Some(value))))
                    .collect()
            };
            corner.map_or(Value::Null, |corner| object(corner).into())
        };
        head.extend(object! {
            "knee": whole.knee.and_then(hash),
            "ideal": corner(|bounds| bounds.ideal),
            "nadir": corner(|bounds| bounds.nadir),
            "reference": corner(|bounds| bounds.reference),
            "hypervolume": whole.hypervolume,
            "normalised_hypervolume": whole.normalised,
        });
    }
    let rows = front.rows.iter().take(args.shown());
    let rows = rows.filter_map(|&id| view.at(id));
    Ok(Section {
        head,
        constants,
        key: "front",
        rows: Box::new(rows.map(rows::object)),
    })
}

fn human(
    args: &Args,
    fronts: &[Front<'_, '_>],
    objectives: &[Objective; 2],
) -> Result<(), Failure> {
    let mut out = values::stdout();
    for (number, front) in fronts.iter().enumerate() {
        let view = front.view;
        let gap = if number == 0 { "" } else { "\n\n" };
        let asked = args.ask.choice.budget.is_some();
        writeln!(out, "{gap}{}", show::heading(view, asked)?)?;
        let names = objectives.each_ref().map(|own| own.column.as_ref());
        // Of a cautious front, the ends that were compared come first.
        let ends = objectives.iter().filter(|_| front.is_cautious);
        let ends: Vec<String> = ends.map(Objective::worse_column).collect();
        let asked: Vec<&str> = ends
            .iter()
            .map(String::as_str)
            .chain(names)
            .filter_map(|name| view.column_names().find(|other| *other == name))
            .collect();
        let columns = rows::columns(view, &asked, if front.is_cautious { 0 } else { 2 });
        let knee = front.whole.as_ref().and_then(|whole| whole.knee);
        let mark = |row| if Some(row) == knee { "knee" } else { "" };
        let shown = front.rows.get(..args.shown()).unwrap_or(&front.rows);
        if !shown.is_empty() {
            let table = rows::table(view, &columns, shown, mark)?;
            writeln!(out, "\n{table}")?;
        }
        let more = front.rows.len() - shown.len();
        if more > 0 {
            writeln!(out, "{} more: --limit 0 shows all", show::count(more))?;
        }
        writeln!(out)?;
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
            "{} of {} {} on the front: no other cell has both {x} and {y}{}.",
            show::count(front.rows.len()),
            show::plural(front.compared, "cell"),
            if front.rows.len() == 1 { "is" } else { "are" },
            if front.is_cautious {
                " at the worse ends of their intervals"
            } else {
                ""
            },
        )?;
        if front.is_cautious {
            writeln!(out, "{}", show::INTERVALS)?;
        }
        if front.missing > 0 {
            writeln!(
                out,
                "Left out for a missing value: {}.",
                show::plural(front.missing, "cell")
            )?;
        }
        if let Some(note) = rows::unknown_structure(front.unknown_structure) {
            writeln!(out, "{note}.")?;
        }
        if let Some(whole) = &front.whole {
            write!(out, "{}", corners(whole, names))?;
        }
        if !front.rows.is_empty() {
            write!(out, "{}", show::hashes_note())?;
        }
    }
    Ok(out.flush()?)
}

/// In which box the front lies, and how much of it it takes.
fn corners(whole: &Whole, names: [&str; 2]) -> String {
    let (Some(bounds), Some(share)) = (&whole.bounds, whole.normalised) else {
        return String::new();
    };
    let point = |corner: [f64; 2]| {
        let values = corner.into_iter().zip(names).map(|(value, name)| {
            let unit = ecnas::metrics::Unit::of_name(name);
            format!("{} {}", show::alone(value, unit), show::unit(unit))
        });
        values
            .map(|text| text.trim().to_owned())
            .collect::<Vec<_>>()
            .join(", ")
    };
    format!(
        "Ideal point ({}), nadir ({}), worst of all cells ({}).\nHypervolume: {:.2} % of the box from the ideal to the worst.\n",
        point(bounds.ideal),
        point(bounds.nadir),
        point(bounds.reference),
        100.0 * share
    )
}

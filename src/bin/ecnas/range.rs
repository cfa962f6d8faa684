//! `ecnas range`: the cells that satisfy conditions.

use std::io::Write;

use ecnas::metrics::Metric;
use ecnas::query::{Direction, Explanation, Predicate, Query};
use ecnas::snapshot::{RowId, View};
use serde_json::Value;

use crate::ask::{self, Ask};
use crate::cache::Given;
use crate::failure::Failure;
use crate::rows;
use crate::screen;
use crate::show;
use crate::values::{self, Section, object};

/// How many cells people are shown unless they say how many.
const USUAL_LIMIT: usize = 20;

/// List or count the cells that satisfy conditions on metrics, structure and provenance
#[derive(clap::Args)]
pub struct Args {
    #[command(flatten)]
    ask: Ask,
    /// Condition, as often as needed: energy_kwh<=0.3, vertices=5, conv3x3>=2, input_output_edge=1, energy_kwh=measured
    #[arg(long = "where", short = 'w', value_name = "CONDITION", value_parser = rows::condition)]
    conditions: Vec<Predicate>,
    /// Print how many there are, and no cell
    #[arg(long)]
    count: bool,
    /// Order by this metric, the best first: more for accuracies, less for all others [default: energy_kwh, or the first
    /// column of a table without it]
    #[arg(long, value_name = "METRIC")]
    by: Option<String>,
    /// How many cells to print, 0 for all [default: 20 for people, all in JSON and CSV]
    #[arg(long, short = 'n', value_name = "N", value_parser = ask::limit, allow_negative_numbers = true)]
    limit: Option<usize>,
    /// Say which index answered, and how many rows it touched
    #[arg(long)]
    explain: bool,
}

impl Args {
    /// The metric by which a view is ordered.
    fn by<'a>(&'a self, view: &'a View<'_>) -> &'a str {
        let usual = Metric::Energy.name();
        let mut names = view.column_names();
        match (&self.by, names.next()) {
            (Some(by), _) => by,
            (None, Some(first)) if first != usual && !names.any(|name| name == usual) => first,
            (None, _) => usual,
        }
    }
}

/// What was found in a view.
struct Answer {
    count: usize,
    /// How many cells are left out because their structure is unknown.
    unknown_structure: usize,
    rows: Vec<RowId>,
    explanation: Option<Explanation>,
}

/// Runs the command.
pub fn run(args: &Args) -> Result<(), Failure> {
    let given = Given::open(&args.ask.inputs)?;
    let views = args.ask.views(&given)?;
    let machine = args.ask.choice.json || args.ask.choice.csv;
    let limit = match args.limit {
        _ if args.count => 0,
        None if !machine => USUAL_LIMIT,
        None | Some(0) => usize::MAX,
        Some(limit) => limit,
    };
    let answers = views.iter().map(|view| {
        let query = rows::query(view, &args.conditions)?;
        Ok((view, answer(args, args.by(view), &query, limit)?))
    });
    let answers: Vec<(&View<'_>, Answer)> = answers.collect::<Result<_, Failure>>()?;
    if !args.ask.choice.json && (args.count || args.ask.choice.csv) {
        // Standard output has no place for it.
        let unknown = answers.iter().map(|(_, answer)| answer.unknown_structure);
        unknown
            .filter_map(rows::unknown_structure)
            .for_each(screen::note);
    }
    if !machine {
        return human(args, &answers);
    }
    let sections = answers
        .iter()
        .map(|(view, answer)| section(args, view, answer));
    let sections = sections.collect::<Result<Vec<_>, Failure>>()?;
    if args.ask.choice.json {
        return values::print_json(sections);
    }
    let mut header = ["table", "budget_epochs"].to_vec();
    if args.count {
        header.push("count");
    } else {
        header.extend(["hash", "adjacency", "operations"]);
        header.extend(values::column_names(&views));
    }
    let header: Vec<_> = header.into_iter().map(str::to_owned).collect();
    values::print_csv(&header, sections)
}

fn answer(args: &Args, by: &str, query: &Query<'_, '_>, limit: usize) -> Result<Answer, Failure> {
    let rows = if limit == 0 {
        Vec::new()
    } else {
        in_order(query, by, rows::direction(by), limit)?
    };
    Ok(Answer {
        count: query.count()?,
        unknown_structure: query.unknown_structure()?,
        rows,
        explanation: args.explain.then(|| query.explain()).transpose()?,
    })
}

/// The rows in the order of a metric; those that lack it last.
fn in_order(
    query: &Query<'_, '_>,
    by: &str,
    direction: Direction,
    limit: usize,
) -> Result<Vec<RowId>, Failure> {
    let mut rows = query.page(by, direction, 0, limit)?;
    if rows.len() < limit {
        let ordered = rows.iter().copied().collect();
        let others = &query.rows()? - &ordered;
        rows.extend(others.iter().take(limit - rows.len()));
    }
    Ok(rows)
}

fn section<'v>(
    args: &Args,
    view: &'v View<'_>,
    answer: &'v Answer,
) -> Result<Section<'v>, Failure> {
    let constants = object! {
        "table": view.table().name(),
        "budget_epochs": view.budget().get(),
    };
    let conditions = args.conditions.iter().map(ToString::to_string);
    let conditions: Vec<Value> = conditions.map(Value::from).collect();
    let mut head = constants.clone();
    head.extend(object! {
        "repeats": values::repeats(view.repeats()),
        "where": conditions,
        "by": args.by(view),
        "provenance": values::provenance(view)?,
        "count": answer.count,
        "unknown_structure": answer.unknown_structure,
    });
    if let Some(explanation) = &answer.explanation {
        let steps = explanation.steps.iter().map(|step| {
            object! { "structure": step.structure, "of": step.of.as_str(), "touched": step.touched }
                .into()
        });
        head.extend(object! { "steps": steps.collect::<Vec<Value>>() });
    }
    let count = object! { "count": answer.count };
    let counted = args.count && args.ask.choice.csv;
    let found = answer.rows.iter().filter_map(|&id| view.at(id));
    let rows = found.map(rows::object).chain(counted.then_some(count));
    Ok(Section {
        head,
        constants,
        key: "rows",
        rows: Box::new(rows),
    })
}

fn human(args: &Args, answers: &[(&View<'_>, Answer)]) -> Result<(), Failure> {
    let mut out = values::stdout();
    for (number, (view, answer)) in answers.iter().enumerate() {
        if args.count {
            match answers {
                [_] => writeln!(out, "{}", answer.count)?,
                _ => writeln!(out, "{}: {}", view.table().name(), answer.count)?,
            }
        } else {
            let gap = if number == 0 { "" } else { "\n\n" };
            let asked = args.ask.choice.budget.is_some();
            writeln!(out, "{gap}{}", show::heading(view, asked)?)?;
            let by = args.by(view);
            let asked: Vec<&str> = std::iter::once(by)
                .chain(
                    args.conditions
                        .iter()
                        .filter_map(|condition| match condition {
                            Predicate::Within { column, .. } => Some(column.as_ref()),
                            _ => None,
                        }),
                )
                .collect();
            // Names that live as long as the snapshot.
            let asked = view.column_names().filter(|name| asked.contains(name));
            let asked: Vec<&str> = asked.take(5).collect();
            let columns = rows::columns(view, &asked, 4_usize.saturating_sub(asked.len()));
            if !answer.rows.is_empty() {
                let table = rows::table(view, &columns, &answer.rows, |_| "")?;
                writeln!(out, "\n{table}")?;
            }
            let conditions: Vec<String> = args.conditions.iter().map(ToString::to_string).collect();
            let conditions = match conditions.as_slice() {
                [] if answer.count == 1 => "has values at this budget".to_owned(),
                [] => "have values at this budget".to_owned(),
                conditions => format!("satisfy {}", conditions.join(" and ")),
            };
            let found = show::count(answer.count);
            writeln!(
                out,
                "\n{found} of {} {conditions}.",
                show::plural(view.len(), "cell")
            )?;
            if let Some(note) = rows::unknown_structure(answer.unknown_structure) {
                writeln!(out, "{note}.")?;
            }
            let more = answer.count.saturating_sub(answer.rows.len());
            if more > 0 {
                writeln!(out, "{} more: --limit 0 shows all", show::count(more))?;
            }
            if !answer.rows.is_empty() {
                write!(out, "{}", show::hashes_note())?;
            }
        }
        if let Some(explanation) = &answer.explanation {
            for step in &explanation.steps {
                writeln!(
                    out,
                    "{} of {}: {} touched",
                    step.structure,
                    step.of,
                    show::plural(step.touched, "row")
                )?;
            }
        }
    }
    Ok(out.flush()?)
}

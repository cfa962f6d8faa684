//! `ecnas get`: one cell.

use std::io::Write;
use std::path::{Path, PathBuf};

use ecnas::cell::CellHash;
use ecnas::export::{columns, write_csv_trials, write_json_trials};
use ecnas::metrics::{Budget, Checkpoint, Metric, TableInfo, Trial, TrialRef, Unit, Values};
use ecnas::snapshot::{self, Row, RowId, SnapshotError, View};
use serde_json::Value;

use crate::ask::{self, Choice};
use crate::cache::Given;
use crate::failure::Failure;
use crate::info;
use crate::layout::{Column, Table};
use crate::open::{self, Kind, Mapped};
use crate::screen;
use crate::show;
use crate::values::{self, Object, Section, object};

/// Look a cell up: its drawing, and its values at each budget
#[derive(clap::Args)]
pub struct Args {
    /// The snapshot [default: all 423,624 cells of NAS-Bench-101, predicted], and the cell: its hash, or any drawing of it
    /// as DIGITS:OPERATION,… with row-major adjacency digits
    #[arg(value_names = ["SNAPSHOT", "HASH|CELL"], num_args = 1..=2, required = true)]
    snapshot_and_cell: Vec<String>,
    #[command(flatten)]
    choice: Choice,
    /// Show every trial, with its checkpoints and power
    #[arg(long)]
    trials: bool,
}

/// Runs the command.
pub fn run(args: &Args) -> Result<(), Failure> {
    let (path, cell) = match args.snapshot_and_cell.as_slice() {
        [path, cell] => (Some(PathBuf::from(path)), cell.as_str()),
        [cell, ..] => (None, cell.as_str()),
        [] => (None, ""),
    };
    let hash = ask::cell(cell).map_err(|error| not_a_cell(path.as_deref(), cell, &error))?;
    let paths: Vec<PathBuf> = path.into_iter().collect();
    let given = Given::sealed(&paths)?;
    let tables = find(&given.snapshot, hash, &args.choice)?;
    if args.choice.json {
        json(args, hash, &tables)
    } else if args.choice.csv {
        csv(args, &tables)
    } else {
        human(args, hash, &tables)
    }
}

/// Why the word that should be a cell is none; the snapshot may stand alone, or in its place.
fn not_a_cell(path: Option<&Path>, cell: &str, error: &str) -> Failure {
    let is_file = open::kind(Path::new(cell)) != Kind::Absent;
    match path {
        None if is_file => Failure::usage(format!(
            "{cell} is a file, and no cell is named; write ecnas get {cell} HASH, or DIGITS:OPERATION,… for HASH"
        )),
        Some(path) if is_file => Failure::usage(format!(
            "{cell} is a file; the snapshot goes first: ecnas get {cell} {}",
            path.display()
        )),
        _ => Failure::usage(error),
    }
}

/// A table that holds the cell, and its views at the budgets to show.
struct Found<'s> {
    table: snapshot::Table<'s>,
    id: RowId,
    views: Vec<View<'s>>,
}

impl<'s> Found<'s> {
    fn rows(&self) -> impl Iterator<Item = Row<'_, 's>> {
        let rows = self.views.iter().filter_map(|view| view.at(self.id));
        rows.filter(Row::is_present)
    }
}

fn find<'s>(
    snapshot: &'s Mapped,
    cell: CellHash,
    choice: &Choice,
) -> Result<Vec<Found<'s>>, Failure> {
    let tables: Vec<_> = match &choice.table {
        Some(name) => vec![snapshot.table(name)?],
        None => snapshot.tables().collect(),
    };
    let mut found = Vec::new();
    for &table in &tables {
        let Some(id) = table.row(cell) else {
            continue;
        };
        let of_cell: Vec<Budget> = table.budgets_of(id).collect();
        let wanted = of_cell
            .into_iter()
            .filter(|&own| choice.budget.is_none_or(|budget| own == budget));
        let views = wanted.map(|budget| table.view_with(budget, choice.repeats));
        let views = views.collect::<Result<Vec<_>, _>>()?;
        let found_here = Found { table, id, views };
        if found_here.rows().next().is_some() {
            found.push(found_here);
        }
    }
    if !found.is_empty() {
        return Ok(found);
    }
    // One table says best what it has instead.
    if let [table] = tables.as_slice() {
        choice.view(*table)?.require(cell)?;
    }
    let names: Vec<_> = tables
        .iter()
        .map(|table| format!("`{}`", table.name()))
        .collect();
    let budget = choice
        .budget
        .map(|budget| format!(" at {budget}"))
        .unwrap_or_default();
    Err(Failure::not_found(format!(
        "no table holds cell {cell}{budget} as asked; the snapshot has {}",
        show::list(&names)
    )))
}

fn json(args: &Args, hash: CellHash, tables: &[Found<'_>]) -> Result<(), Failure> {
    let drawing = tables.iter().find_map(|found| found.table.cell(found.id));
    let mut object = values::cell(hash, drawing);
    object.extend(object! { "repeats": values::repeats(args.choice.repeats) });
    let mut rows = Vec::new();
    for found in tables {
        let info = found.table.info()?;
        for row in found.rows() {
            let mut object = own(row);
            values::add_columns(&mut object, row);
            object.extend(object! { "provenance": provenance(row)? });
            if args.trials {
                let mut bytes = Vec::new();
                write_json_trials(&columns(found.table)?, trials(row), &mut bytes)?;
                let trials: Value = serde_json::from_slice(&bytes)?;
                object.extend(object! {
                    "checkpoint_provenance": values::checkpoint_provenance(row.view(), &info),
                    "trials": trials,
                });
            }
            rows.push(Value::from(object));
        }
    }
    object.extend(object! { "rows": rows });
    values::print(&object)
}

fn csv(args: &Args, tables: &[Found<'_>]) -> Result<(), Failure> {
    if args.trials {
        let [found] = tables else {
            return Err(Failure::usage(
                "which table? Several hold the cell, and their trials have other columns",
            )
            .hint("name one with --table"));
        };
        let trials = found.rows().flat_map(|row| trials(row).collect::<Vec<_>>());
        return Ok(write_csv_trials(
            &columns(found.table)?,
            trials,
            screen::csv(),
        )?);
    }
    let head = [
        "table",
        "budget_epochs",
        "hash",
        "adjacency",
        "operations",
        "trial_count",
    ];
    let mut header: Vec<_> = head.map(str::to_owned).to_vec();
    for name in tables
        .iter()
        .flat_map(|found| values::column_names(&found.views))
    {
        if !header.iter().any(|other| other == name) {
            header.push(name.to_owned());
        }
    }
    let rows = tables.iter().flat_map(Found::rows).map(|row| {
        let mut object = own(row);
        object.extend(values::cell(row.hash(), row.cell()));
        values::add_columns(&mut object, row);
        object
    });
    let section = Section {
        head: Object::new(),
        constants: Object::new(),
        key: "rows",
        rows: Box::new(rows),
    };
    values::print_csv(&header, vec![section])
}

/// Where the values of a row come from.
fn provenance(row: Row<'_, '_>) -> Result<Object, SnapshotError> {
    let mut object = Object::new();
    for name in row.view().column_names() {
        let own = row.provenance(name)?;
        object.insert(name.to_owned(), own.map(|own| own.to_string()).into());
    }
    Ok(object)
}

fn trials<'s>(row: Row<'_, 's>) -> impl Iterator<Item = Result<Trial, SnapshotError>> + use<'s> {
    let trials: Vec<_> = row.trials().collect();
    let owned = trials.into_iter();
    owned.map(|trial| trial.map(TrialRef::to_trial))
}

/// What says which row this is.
fn own(row: Row<'_, '_>) -> Object {
    object! {
        "table": row.view().table().name(),
        "budget_epochs": row.view().budget().get(),
        "trial_count": row.trial_count(),
    }
}

fn human(args: &Args, hash: CellHash, tables: &[Found<'_>]) -> Result<(), Failure> {
    let mut out = values::stdout();
    writeln!(out, "cell {hash}")?;
    match tables.iter().find_map(|found| found.table.cell(found.id)) {
        Some(cell) => write!(out, "\n{}\n{cell}\n", cell.draw())?,
        None => writeln!(
            out,
            "its source has the hash alone, and the search space does not hold it"
        )?,
    }
    for found in tables {
        let info = found.table.info()?;
        let rows: Vec<_> = found.rows().collect();
        let Some(first) = rows.first() else { continue };
        writeln!(
            out,
            "\n{}, {}",
            found.table.name(),
            show::repeats(first.view())
        )?;
        let budgets = rows.iter().map(|row| row.view().budget().to_string());
        let mut table = metrics_table(budgets);
        let mut trials = vec!["trials".to_owned(), String::new(), String::new()];
        trials.extend(rows.iter().map(|row| row.trial_count().to_string()));
        if rows.iter().any(|row| row.trial_count() > 0) {
            table.row(trials);
        }
        for name in columns(found.table)? {
            let unit = Unit::of_name(name);
            let mut line = vec![show::title(name), show::unit(unit).to_owned()];
            let mut words: Vec<&str> = Vec::new();
            for row in &rows {
                let word = row.provenance(name)?.map(|own| own.word());
                words.extend(word.filter(|word| !words.contains(word)));
            }
            line.push(words.join(" or "));
            line.extend(rows.iter().map(|row| match row.get_named(name) {
                None => "-".to_owned(),
                Some(value) => show::estimate(show::alone(value, unit), *row, name),
            }));
            table.row(line);
        }
        writeln!(out, "{table}")?;
        write!(out, "{}", info::models(&columns(found.table)?, &info))?;
        for row in rows.iter().filter(|_| args.trials) {
            for trial in row.trials() {
                write!(out, "{}", trial_text(trial?, &info))?;
            }
        }
    }
    Ok(out.flush()?)
}

/// A table of metrics, with numbers below these titles.
fn metrics_table(titles: impl Iterator<Item = String>) -> Table {
    let texts = ["metric", "unit", "provenance"].map(Column::text);
    let numbers = titles.enumerate().map(|(place, title)| {
        let column = Column::number(title);
        if place == 0 {
            column.starts_line()
        } else {
            column
        }
    });
    Table::new(texts.into_iter().chain(numbers))
}

/// Where the values of a metric come from: those of earlier checkpoints first, where there are any and they differ.
fn origins(metric: Metric, trial: &Trial, info: &TableInfo) -> String {
    let result = info.provenance.of(metric);
    let earlier = info.provenance.of_checkpoint(metric);
    let has = |checkpoint: &Checkpoint| checkpoint.values.get(metric).is_some();
    if earlier == result
        || trial
            .checkpoints
            .iter()
            .filter(|checkpoint| has(checkpoint))
            .count()
            < 2
    {
        result.word().to_owned()
    } else {
        format!("{}, last {}", earlier.word(), result.word())
    }
}

/// A trial: its checkpoints side by side with the whole run, then power and time stamps.
fn trial_text(trial: TrialRef<'_>, info: &TableInfo) -> String {
    let trial: Trial = trial.to_trial();
    let checkpoints = trial.checkpoints.iter().map(|checkpoint| {
        let epoch = checkpoint.values.get(Metric::Epoch);
        epoch.map_or_else(|| "checkpoint".to_owned(), |epoch| format!("epoch {epoch}"))
    });
    let mut table = metrics_table(checkpoints.chain(["whole run".to_owned()]));
    let parts = || {
        trial
            .checkpoints
            .iter()
            .map(|checkpoint| &checkpoint.values)
    };
    let parts = || parts().chain(std::iter::once(&trial.totals));
    for metric in Metric::ALL {
        let any = parts().any(|values| values.get(metric).is_some());
        if any && metric != Metric::Epoch {
            let figure = |values: &Values| match values.get(metric) {
                Some(value) => show::alone(value, metric.unit()),
                None => String::new(),
            };
            let mut line = vec![
                show::title(metric.name()),
                show::unit(metric.unit()).to_owned(),
            ];
            line.push(origins(metric, &trial, info));
            line.extend(parts().map(figure));
            table.row(line);
        }
    }
    let mut text = format!("\n{}, repeat {}", trial.budget, trial.repeat);
    text += &span(trial.started.as_deref(), trial.stopped.as_deref());
    text += &format!("\n{table}\n");
    for (name, value) in &trial.other {
        let value = show::alone(*value, Unit::of_name(name));
        text += &format!("  {} {value}\n", screen::one_line(name));
    }
    for usage in &trial.power {
        let power = usage.power_w.map(|power| format!(" {power:.1} W"));
        let energy = usage.energy_j.map(|energy| format!(" {energy:.0} J"));
        let parts = [
            usage
                .device
                .as_ref()
                .map(|name| format!(" {}", screen::one_line(name))),
            power,
            energy,
        ];
        let parts: String = parts.into_iter().flatten().collect();
        text += &format!("  {}{parts}\n", usage.component.name());
    }
    let metered = |checkpoint: &Checkpoint| {
        span(checkpoint.started.as_deref(), checkpoint.stopped.as_deref())
    };
    if let Some(times) = trial
        .checkpoints
        .last()
        .map(metered)
        .filter(|times| !times.is_empty())
    {
        text += &format!("  metered{times}\n");
    }
    text
}

fn span(started: Option<&str>, stopped: Option<&str>) -> String {
    let from = started.map(|started| format!(" from {}", screen::one_line(started)));
    let to = stopped.map(|stopped| format!(" to {}", screen::one_line(stopped)));
    [from, to].into_iter().flatten().collect()
}

//! `ecnas info`: what a snapshot or a store holds.

use std::collections::BTreeMap;
use std::io::Write;
use std::path::{Path, PathBuf};

use ecnas::export::columns;
use ecnas::metrics::{Budget, Metric, Provenance, TableInfo, Unit};
use ecnas::snapshot::{SnapshotError, Table, View};
use serde_json::Value;

use crate::cache::{Given, hex};
use crate::failure::Failure;
use crate::layout::{self, Column};
use crate::open::{self, Kind};
use crate::screen;
use crate::show;
use crate::values::{self, Object, object};

/// Show what a snapshot or a store holds: tables, budgets, columns, sources
#[derive(clap::Args)]
pub struct Args {
    /// A sealed snapshot, or a store [default: all 423,624 cells of NAS-Bench-101, predicted]
    #[arg(value_name = "SNAPSHOT|STORE")]
    path: Option<PathBuf>,
    /// Print JSON
    #[arg(long)]
    json: bool,
}

/// Runs the command.
pub fn run(args: &Args) -> Result<(), Failure> {
    match &args.path {
        Some(path) if open::kind(path) == Kind::Store => store(args, path),
        path => snapshot(args, &Given::sealed(path.as_slice())?),
    }
}

fn snapshot(args: &Args, given: &Given) -> Result<(), Failure> {
    let (snapshot, path) = (&given.snapshot, given.path.display());
    let bytes = snapshot.as_bytes().len();
    if args.json {
        let tables = snapshot.tables().map(|table| Ok(table_json(table)?.into()));
        let tables: Vec<Value> = tables.collect::<Result<_, SnapshotError>>()?;
        return values::print(&object! {
            "path": path.to_string(),
            "kind": "snapshot",
            "bytes": bytes,
            "tables": tables,
        });
    }
    let mut out = values::stdout();
    let tables = show::plural(snapshot.tables().len(), "table");
    let bytes = show::bytes(bytes as u64);
    writeln!(out, "{path}: sealed snapshot, {tables}, {bytes}")?;
    for table in snapshot.tables() {
        let info = table.info()?;
        let trials = match table.trial_count() {
            0 => "all predicted,".to_owned(),
            trials => show::plural(trials, "trial"),
        };
        let cells = show::plural(table.len(), "cell");
        let budgets = show::budgets(table.budgets());
        writeln!(
            out,
            "\n{}: {cells}, {trials} at {budgets} epochs",
            table.name()
        )?;
        write!(out, "{}", facts(&info))?;
        write!(out, "{}", estimates(table, &info))?;
        let unknown = table.unknown_structure();
        if unknown > 0 {
            let cells = show::plural(unknown, "cell");
            writeln!(
                out,
                "  structure     unknown of {cells}, given by hashes alone that the search space does not hold"
            )?;
        }
        writeln!(out, "\n{}", column_table(table, &info)?)?;
        write!(out, "{}", models(&columns(table)?, &info))?;
        writeln!(out, "\n{}", index_table(table)?)?;
        let bytes: usize = index_costs(table)?.iter().map(|cost| cost.bytes).sum();
        let places = table.len() * table.budgets().len();
        writeln!(
            out,
            "Indexes: {}, {} for each row and budget.",
            show::bytes(bytes as u64),
            per_row(bytes, places)
        )?;
    }
    Ok(out.flush()?)
}

/// What an index costs at all budgets together.
struct IndexCost {
    of: String,
    structure: &'static str,
    bytes: usize,
    /// At how many budgets there is one; 0: once for the table.
    budgets: usize,
}

fn index_costs(table: Table<'_>) -> Result<Vec<IndexCost>, SnapshotError> {
    let mut costs: Vec<IndexCost> = Vec::new();
    for (budget, size) in table.index_sizes()? {
        let at = usize::from(budget.is_some());
        let mut known = costs.iter_mut();
        match known.find(|cost| cost.of == size.of && cost.structure == size.structure) {
            Some(cost) => {
                cost.bytes += size.bytes;
                cost.budgets += at;
            }
            None => costs.push(IndexCost {
                of: size.of,
                structure: size.structure,
                bytes: size.bytes,
                budgets: at,
            }),
        }
    }
    Ok(costs)
}

fn per_row(bytes: usize, rows: usize) -> String {
    format!("{:.1} bytes", bytes as f64 / rows.max(1) as f64)
}

/// The indexes of a table, and what each costs.
fn index_table(table: Table<'_>) -> Result<layout::Table, SnapshotError> {
    let mut rows = layout::Table::new([
        Column::text("index of"),
        Column::text("structure"),
        Column::text("for"),
        Column::number("bytes"),
        Column::number("bytes a row"),
    ]);
    for cost in index_costs(table)? {
        let places = table.len() * cost.budgets.max(1);
        rows.row([
            cost.of,
            cost.structure.to_owned(),
            match cost.budgets {
                0 => "the table".to_owned(),
                budgets => show::plural(budgets, "budget"),
            },
            show::count(cost.bytes),
            format!("{:.1}", cost.bytes as f64 / places.max(1) as f64),
        ]);
    }
    Ok(rows)
}

fn store(args: &Args, path: &Path) -> Result<(), Failure> {
    let tables = open::store(path)?.tables()?;
    if args.json {
        let json = tables.iter().map(|table| {
            let mut object = object! { "table": table.info.name.as_str(), "trials": table.trials };
            object.extend(facts_json(&table.info));
            object.into()
        });
        return values::print(&object! {
            "path": path.display().to_string(),
            "kind": "store",
            "tables": json.collect::<Vec<Value>>(),
        });
    }
    let mut out = values::stdout();
    let number = show::plural(tables.len(), "table");
    writeln!(
        out,
        "{}: store, {number}; seal it to ask: ecnas seal -s {} -o SNAPSHOT",
        path.display(),
        name(path)
    )?;
    for table in &tables {
        writeln!(
            out,
            "\n{}: {}",
            table.info.name,
            show::plural(table.trials, "trial")
        )?;
        write!(out, "{}", facts(&table.info))?;
    }
    Ok(out.flush()?)
}

fn name(path: &Path) -> String {
    path.display().to_string()
}

/// What is known of a table, a line each.
fn facts(info: &TableInfo) -> String {
    let pue = info.pue.map(|pue| format!("{pue} contained in the energy"));
    let facts = [
        ("search space", &info.search_space),
        ("data set", &info.data_set),
        ("device", &info.device),
        ("origin", &info.origin),
        ("licence", &info.licence),
        ("PUE", &pue),
    ];
    let mut text = String::new();
    for (what, fact) in facts {
        if let Some(fact) = fact {
            text += &format!("  {what:<13} {}\n", screen::one_line(fact));
        }
    }
    for source in &info.sources {
        let (trials, bytes) = (
            show::plural(source.trials, "trial"),
            show::bytes(source.bytes),
        );
        text += &format!(
            "  source        {} ({}, {trials}, {bytes})\n",
            screen::one_line(&source.name),
            screen::one_line(&source.format)
        );
        text += &format!("                sha256 {}\n", hex(&source.sha256));
    }
    text
}

/// For which circumstances values are estimated that no trial stands behind.
fn estimates(table: Table<'_>, info: &TableInfo) -> String {
    if !table.has_estimates() {
        return String::new();
    }
    format!("  estimates for {}\n", info.estimates.setting)
}

/// A line for each model that predicted values of these columns; and what its intervals are worth, if they are among them.
pub fn models(columns: &[&str], info: &TableInfo) -> String {
    let mut lines = Vec::new();
    for column in columns {
        for is_estimate in [false, true] {
            if let Provenance::Predicted { model } = info.provenance_of(column, is_estimate) {
                let line = format!("predicted: by {}\n", screen::one_line(&model));
                if !lines.contains(&line) {
                    lines.push(line);
                }
            }
        }
    }
    let has_ends = columns.iter().any(|&column| {
        let own = column.strip_prefix("low_");
        own.is_some_and(|own| columns.contains(&own))
    });
    if has_ends {
        lines.push(format!("{}\n", show::INTERVALS));
    }
    lines.concat()
}

fn facts_json(info: &TableInfo) -> Object {
    let sources = info.sources.iter().map(|source| {
        object! {
            "name": source.name.as_str(),
            "format": source.format.as_str(),
            "sha256": hex(&source.sha256),
            "bytes": source.bytes,
            "trials": source.trials,
        }
        .into()
    });
    object! {
        "search_space": info.search_space.clone(),
        "data_set": info.data_set.clone(),
        "device": info.device.clone(),
        "origin": info.origin.clone(),
        "licence": info.licence.clone(),
        "pue": info.pue,
        "sources": sources.collect::<Vec<Value>>(),
    }
}

/// The columns of a table, and which budgets have them.
fn column_table(table: Table<'_>, info: &TableInfo) -> Result<layout::Table, SnapshotError> {
    let mut at: BTreeMap<(u8, &str), Vec<Budget>> = BTreeMap::new();
    for budget in table.budgets() {
        for name in table.view(budget)?.column_names() {
            let place = Metric::from_name(name).map_or(u8::MAX, |metric| metric as u8);
            at.entry((place, name)).or_default().push(budget);
        }
    }
    let all = table.budgets().len();
    let mut rows = layout::Table::new([
        Column::name("column"),
        Column::text("unit"),
        Column::text("epochs"),
        Column::text("provenance").starts_line(),
        Column::text("at earlier checkpoints"),
    ]);
    for ((_, name), budgets) in at {
        let words = words(table, info, name, &budgets)?;
        let results = info.provenance.of(name);
        let earlier = info.provenance.of_checkpoint(name);
        let differs = earlier != results && earlier != Provenance::Unstated;
        let everywhere = budgets.len() == all;
        rows.row([
            name,
            unit(Unit::of_name(name)),
            &if everywhere {
                "all".to_owned()
            } else {
                show::budgets(budgets.into_iter())
            },
            &words,
            if differs { earlier.word() } else { "" },
        ]);
    }
    Ok(rows)
}

/// Where a column's values come from, in a word; in two where trials and estimates stand side by side.
fn words(
    table: Table<'_>,
    info: &TableInfo,
    name: &str,
    budgets: &[Budget],
) -> Result<String, SnapshotError> {
    let mut sources = [false, false];
    for &budget in budgets {
        for (is_there, found) in sources
            .iter_mut()
            .zip(sources_of(&table.view(budget)?, name)?)
        {
            *is_there |= found;
        }
    }
    let word = |is_estimate| info.provenance_of(name, is_estimate).word();
    Ok(match sources {
        [true, true] if word(false) != word(true) => {
            format!("{}, else {}", word(false), word(true))
        }
        [false, true] => word(true).to_owned(),
        _ => word(false).to_owned(),
    })
}

/// Whether a column has values of trials, and whether it has estimates.
fn sources_of(view: &View<'_>, name: &str) -> Result<[bool; 2], SnapshotError> {
    if !view.is_mixed() {
        return Ok([view.trial_count() > 0, view.trial_count() == 0]);
    }
    let values = view.column(name)?.iter();
    let all = values.filter(|value| !value.is_nan()).count();
    let estimated = view.estimated_rows(name)?.len();
    Ok([estimated < all, estimated > 0])
}

fn table_json(table: Table<'_>) -> Result<Object, SnapshotError> {
    let info = table.info()?;
    let mut object = object! {
        "table": table.name(),
        "rows": table.len(),
        "trials": table.trial_count(),
        "unknown_structure": table.unknown_structure(),
    };
    object.extend(facts_json(&info));
    if table.has_estimates() {
        let setting = &info.estimates.setting;
        object.extend(object! {
            "estimates": object! {
                "data_set": setting.data_set.clone(),
                "device": setting.device.clone(),
                "pue": setting.pue,
            },
        });
    }
    let mut budgets = Vec::new();
    for budget in table.budgets() {
        let view = table.view(budget)?;
        let columns = view.column_names().map(|name| {
            let [of_trials, estimated] = sources_of(&view, name)?;
            let source = |is_estimate| info.provenance_of(name, is_estimate).to_string();
            Ok(Value::from(object! {
                "name": name,
                "unit": unit(Unit::of_name(name)),
                "provenance": source(!of_trials),
                "estimates": estimated.then(|| source(true)),
                "checkpoint_provenance": info.provenance.of_checkpoint(name).to_string(),
            }))
        });
        let columns: Vec<Value> = columns.collect::<Result<_, SnapshotError>>()?;
        budgets.push(Value::from(object! {
            "budget_epochs": budget.get(),
            "trials": view.trial_count(),
            "columns": columns,
        }));
    }
    object.extend(object! { "budgets": budgets });
    let mut indexes: Vec<Value> = Vec::new();
    for (budget, size) in table.index_sizes()? {
        let index = object! {
            "budget_epochs": budget.map(Budget::get),
            "of": size.of,
            "structure": size.structure,
            "bytes": size.bytes,
        };
        indexes.push(index.into());
    }
    object.extend(object! { "indexes": indexes });
    Ok(object)
}

fn unit(unit: Unit) -> &'static str {
    match unit {
        Unit::Fraction => "fraction",
        Unit::Count => "count",
        Unit::Unstated => "unstated",
        other => other.symbol(),
    }
}

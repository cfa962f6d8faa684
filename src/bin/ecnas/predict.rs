//! `ecnas predict`: energy, time and accuracy of cells that nobody trained.

use std::fs::File;
use std::io::Write;
use std::path::{Path, PathBuf};

use ecnas::benchmark;
use ecnas::cell::{Cell, CellHash};
use ecnas::metrics::Budget;
use ecnas::surrogate::{BudgetPrediction, Estimate, Surrogate};

use crate::ask;
use crate::cache::Given;
use crate::failure::Failure;
use crate::show;
use crate::values::{self, Object, object};

/// Predict energy, time and accuracy of cells, each with the interval that holds nine in ten
#[derive(clap::Args)]
pub struct Args {
    /// Cells: a hash, or a drawing as DIGITS:OPERATION,… with row-major adjacency digits
    #[arg(value_name = "HASH|CELL", value_parser = asked)]
    cells: Vec<Asked>,
    /// CSV file of cells, with a column `hash` or `module_hash`, or with `adjacency` and `operations`
    #[arg(long, short, value_name = "FILE")]
    file: Vec<PathBuf>,
    /// Budget, in epochs, as often as needed [default: 4, 12, 36 and 108]
    #[arg(long, short, value_name = "EPOCHS")]
    budget: Vec<Budget>,
    /// Print JSON
    #[arg(long, conflicts_with = "csv")]
    json: bool,
    /// Print CSV
    #[arg(long)]
    csv: bool,
}

/// A cell as it was asked for.
#[derive(Clone, Copy)]
enum Asked {
    Drawn(Cell),
    Hash(CellHash),
}

fn asked(text: &str) -> Result<Asked, String> {
    if text.contains(':') {
        let cell: Result<Cell, _> = text.parse();
        cell.map(Asked::Drawn).map_err(|error| error.to_string())
    } else {
        ask::cell(text).map(Asked::Hash)
    }
}

/// The name of a column, and what it holds.
type Quantity = (&'static str, fn(&BudgetPrediction) -> Estimate);

const QUANTITIES: [Quantity; 5] = [
    ("energy_kwh", |at| at.energy_kwh),
    ("linear_energy_kwh", |at| at.linear_energy_kwh),
    ("training_time_s", |at| at.training_time_s),
    ("tpu_training_time_s", |at| at.tpu_training_time_s),
    ("validation_accuracy", |at| at.validation_accuracy),
];

/// Runs the command.
pub fn run(args: &Args) -> Result<(), Failure> {
    let mut cells = args.cells.clone();
    for path in &args.file {
        read(path, &mut cells)?;
    }
    if cells.is_empty() {
        return Err(Failure::usage(
            "expected cells to predict, or --file with cells",
        ));
    }
    let cells = resolve(&cells)?;
    let surrogate = Surrogate::embedded();
    let mut budgets = args.budget.clone();
    if budgets.is_empty() {
        let all = Surrogate::EPOCHS.map(|epochs| Budget::epochs(epochs).ok());
        budgets.extend(all.into_iter().flatten());
    }
    let mut found = Vec::with_capacity(cells.len() * budgets.len());
    for (&cell, prediction) in cells.iter().zip(surrogate.predict_all(&cells)) {
        for &budget in &budgets {
            let at = prediction.at(budget).map_err(Failure::not_found)?;
            found.push((cell, budget, at));
        }
    }
    if args.json {
        let rows: Vec<_> = found
            .iter()
            .map(|row| serde_json::Value::from(json(row)))
            .collect();
        return values::print(&object! {
            "provenance": surrogate.provenance().to_string(),
            "predictions": rows,
        });
    }
    if args.csv {
        csv(&found)
    } else {
        human(surrogate, &found)
    }
}

type Found = (Cell, Budget, BudgetPrediction);

fn json((cell, budget, at): &Found) -> Object {
    let mut object = values::cell(cell.hash(), Some(*cell));
    object.extend(object! { "budget_epochs": budget.get() });
    for (name, of) in QUANTITIES {
        let estimate = of(at);
        object.insert(name.to_owned(), estimate.value.into());
        object.insert(format!("low_{name}"), estimate.low.into());
        object.insert(format!("high_{name}"), estimate.high.into());
    }
    object
}

fn csv(found: &[Found]) -> Result<(), Failure> {
    let mut out = csv::Writer::from_writer(values::stdout());
    let mut header = ["hash", "adjacency", "operations", "budget_epochs"]
        .map(str::to_owned)
        .to_vec();
    for (name, _) in QUANTITIES {
        header.extend([
            name.to_owned(),
            format!("low_{name}"),
            format!("high_{name}"),
        ]);
    }
    out.write_record(&header)?;
    for (cell, budget, at) in found {
        let graph = cell.graph();
        let mut record = vec![
            cell.hash().to_string(),
            graph.adjacency_bits(),
            graph.operations(),
            budget.get().to_string(),
        ];
        for (_, of) in QUANTITIES {
            let estimate = of(at);
            record.extend(
                [estimate.value, estimate.low, estimate.high].map(|value| value.to_string()),
            );
        }
        out.write_record(&record)?;
    }
    Ok(out.flush()?)
}

fn empty() -> comfy_table::Table {
    let header = [
        "epochs",
        "energy, kWh",
        "time, s",
        "time on the TPU, s",
        "validation accuracy, %",
    ];
    show::table(header.map(str::to_owned).to_vec(), 0..header.len())
}

fn human(surrogate: &Surrogate, found: &[Found]) -> Result<(), Failure> {
    let mut table = empty();
    let mut out = values::stdout();
    let mut at_cell = None;
    let range = |estimate: Estimate, scale: f64, digits: usize| {
        let [value, low, high] =
            [estimate.value, estimate.low, estimate.high].map(|own| scale * own);
        format!("{value:.digits$} ({low:.digits$} to {high:.digits$})")
    };
    for (number, (cell, budget, at)) in found.iter().enumerate() {
        if at_cell != Some(*cell) {
            writeln!(out, "{}  {cell}", cell.hash())?;
            at_cell = Some(*cell);
        }
        table.add_row(vec![
            budget.get().to_string(),
            range(at.energy_kwh, 1.0, 4),
            range(at.training_time_s, 1.0, 0),
            range(at.tpu_training_time_s, 1.0, 0),
            range(at.validation_accuracy, 100.0, 2),
        ]);
        if found.get(number + 1).is_none_or(|next| next.0 != *cell) {
            writeln!(out, "{}\n", table.trim_fmt())?;
            table = empty();
        }
    }
    writeln!(
        out,
        "All of it is predicted by {}; in brackets, where nine in ten cells lie.",
        surrogate.name()
    )?;
    Ok(out.flush()?)
}

/// Hashes are looked up in the benchmark of the whole search space.
fn resolve(asked: &[Asked]) -> Result<Vec<Cell>, Failure> {
    let mut given = None;
    let mut cells = Vec::with_capacity(asked.len());
    for asked in asked {
        let hash = match asked {
            Asked::Drawn(cell) => {
                cells.push(*cell);
                continue;
            }
            Asked::Hash(hash) => *hash,
        };
        if given.is_none() {
            given = Some(Given::open(&[])?);
        }
        let table = given
            .as_ref()
            .map(|given| given.snapshot.table(benchmark::TABLE))
            .transpose()?;
        let cell = table.and_then(|table| table.cell(table.row(hash)?));
        cells.push(cell.ok_or_else(|| {
            Failure::not_found(format!(
                "no cell of up to 7 vertices and 9 edges has the hash {hash}; give its drawing, as DIGITS:OPERATION,…"
            ))
        })?);
    }
    Ok(cells)
}

/// Reads cells from a CSV file.
fn read(path: &Path, cells: &mut Vec<Asked>) -> Result<(), Failure> {
    let failed =
        |error: &dyn std::fmt::Display| Failure::error(format!("{}: {error}", path.display()));
    let file = File::open(path).map_err(|error| failed(&error))?;
    let mut reader = csv::ReaderBuilder::new()
        .comment(Some(b'#'))
        .from_reader(file);
    let header = reader.headers().map_err(|error| failed(&error))?.clone();
    let place = |name: &str| header.iter().position(|own| own.trim() == name);
    let hash = place("hash").or_else(|| place("module_hash"));
    let drawing = place("adjacency").zip(place("operations"));
    if hash.is_none() && drawing.is_none() {
        return Err(failed(
            &"expected a column `hash` or `module_hash`, or `adjacency` and `operations`",
        ));
    }
    for (number, record) in reader.records().enumerate() {
        let record = record.map_err(|error| failed(&error))?;
        let field = |place: usize| record.get(place).unwrap_or_default().trim();
        let cell = match (drawing, hash) {
            (Some((adjacency, operations)), _) => {
                Cell::from_bits(field(adjacency), field(operations))
                    .map(Asked::Drawn)
                    .map_err(|error| error.to_string())
            }
            (None, Some(hash)) => ask::cell(field(hash)).map(Asked::Hash),
            (None, None) => continue,
        };
        cells.push(cell.map_err(|error| failed(&format!("record {}: {error}", number + 1)))?);
    }
    Ok(())
}

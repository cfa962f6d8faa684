//! `ecnas predict`: energy, time and accuracy of cells that nobody trained.

use std::cell::Cell as Shared;
use std::fs::File;
use std::io::{self, Read, Write};
use std::path::{Path, PathBuf};

use ecnas::benchmark;
use ecnas::cell::{Cell, CellHash};
use ecnas::metrics::{Budget, high_column, low_column};
use ecnas::surrogate::{BudgetPrediction, Device, Estimate, Surrogate};

use crate::ask;
use crate::cache::Given;
use crate::device;
use crate::failure::Failure;
use crate::layout::{Column, NO_BREAK, Table};
use crate::screen;
use crate::show;
use crate::values::{self, Object, object};

/// Predict energy, time and accuracy of cells, each with an interval: nine in ten training runs like those learned from
#[derive(clap::Args)]
pub struct Args {
    /// Cells: a hash, or a drawing as DIGITS:OPERATION,… with row-major adjacency digits
    #[arg(value_name = "HASH|CELL", value_parser = asked)]
    cells: Vec<Asked>,
    /// CSV file of cells, with a column `hash` or `module_hash`, or with `adjacency` and `operations`
    #[arg(long, short, value_name = "FILE")]
    file: Vec<PathBuf>,
    /// Budget, in epochs, as often as needed [default: 4, 12, 36 and 108]
    #[arg(long, short, value_name = "EPOCHS", allow_negative_numbers = true)]
    budget: Vec<Budget>,
    /// File or folder of a few dozen cells that were measured on a device of your own: energy there is predicted too
    #[arg(long, value_name = "FILE")]
    device: Option<PathBuf>,
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
    let device = args.device.as_ref();
    let device = device.map(|path| device::learn(path, surrogate));
    let device = device.transpose()?;
    let mut found = Vec::with_capacity(cells.len() * budgets.len());
    for (&cell, prediction) in cells.iter().zip(surrogate.predict_all(&cells)) {
        for &budget in &budgets {
            let at = prediction.at(budget).map_err(Failure::not_found)?;
            let there = device.as_ref();
            let there = there.map(|device| device.energy_kwh(&prediction, budget));
            found.push(Found {
                cell,
                budget,
                at,
                there: there.transpose().map_err(Failure::not_found)?,
            });
        }
    }
    if args.json {
        let rows: Vec<_> = found
            .iter()
            .map(|row| serde_json::Value::from(json(row)))
            .collect();
        return values::print(&object! {
            "provenance": surrogate.provenance().to_string(),
            "interval_runs": Surrogate::INTERVAL_RUNS,
            "device": device.as_ref().map(|device| serde_json::Value::from(object! {
                "name": device.name(),
                "budget_epochs": device.budget().get(),
                "mean_relative_error": device.mean_error(),
            })),
            "predictions": rows,
        });
    }
    if args.csv {
        csv(&found)
    } else {
        human(surrogate, device.as_ref(), &found)
    }
}

/// A cell at a budget.
struct Found {
    cell: Cell,
    budget: Budget,
    at: BudgetPrediction,
    /// Energy on the user's own device, in kWh.
    there: Option<Estimate>,
}

/// The name of the column of energies on the user's own device.
const THERE: &str = "device_energy_kwh";

impl Found {
    /// All quantities, by name.
    fn quantities(&self) -> impl Iterator<Item = (&'static str, Estimate)> {
        let own = QUANTITIES.iter().map(|(name, of)| (*name, of(&self.at)));
        own.chain(self.there.map(|there| (THERE, there)))
    }
}

fn json(found: &Found) -> Object {
    let mut object = values::cell(found.cell.hash(), Some(found.cell));
    object.extend(object! { "budget_epochs": found.budget.get() });
    for (name, estimate) in found.quantities() {
        object.insert(name.to_owned(), estimate.value.into());
        object.insert(low_column(name), estimate.low.into());
        object.insert(high_column(name), estimate.high.into());
    }
    object
}

fn csv(found: &[Found]) -> Result<(), Failure> {
    let mut out = csv::Writer::from_writer(screen::csv());
    let mut header = ["hash", "adjacency", "operations", "budget_epochs"]
        .map(str::to_owned)
        .to_vec();
    let there = found.iter().any(|found| found.there.is_some());
    let names = QUANTITIES.iter().map(|(name, _)| *name);
    for name in names.chain(there.then_some(THERE)) {
        header.extend([name.to_owned(), low_column(name), high_column(name)]);
    }
    out.write_record(&header)?;
    for found in found {
        let graph = found.cell.graph();
        let mut record = vec![
            found.cell.hash().to_string(),
            graph.adjacency_bits(),
            graph.operations(),
            found.budget.get().to_string(),
        ];
        for (_, estimate) in found.quantities() {
            record.extend(
                [estimate.value, estimate.low, estimate.high].map(|value| value.to_string()),
            );
        }
        out.write_record(&record)?;
    }
    Ok(out.flush()?)
}

/// A table of predictions: its first columns, then energy, times and accuracy, and energy on the user's own device.
fn table(first: impl IntoIterator<Item = Column>, device: Option<&Device>) -> Table {
    let quantities = [
        "energy, kWh",
        "time, s",
        "time on the TPU, s",
        "validation accuracy, %",
    ];
    let there = device.map(|device| format!("energy on {}, kWh", device.name()));
    let titles = quantities.map(str::to_owned).into_iter().chain(there);
    let columns = titles.map(|title| Column::text(title).right());
    Table::new(first.into_iter().chain(columns))
}

/// The figures of a prediction, in the order of [`table`]'s columns.
fn figures(found: &Found, figure: impl Fn(Estimate, f64, usize) -> String) -> Vec<String> {
    let at = &found.at;
    let there = found.there.map(|there| figure(there, 1.0, 4));
    let figures = [
        figure(at.energy_kwh, 1.0, 4),
        figure(at.training_time_s, 1.0, 0),
        figure(at.tpu_training_time_s, 1.0, 0),
        figure(at.validation_accuracy, 100.0, 2),
    ];
    figures.into_iter().chain(there).collect()
}

fn human(surrogate: &Surrogate, device: Option<&Device>, found: &[Found]) -> Result<(), Failure> {
    let mut out = values::stdout();
    let by = surrogate.name();
    match found.split_first() {
        Some((first, rest)) if rest.iter().all(|row| row.cell == first.cell) => {
            writeln!(out, "{}  {}", first.cell.hash(), first.cell)?;
            writeln!(out, "{}\n", one(device, found))?;
            writeln!(
                out,
                "All of it is predicted by {by}; in brackets, where nine in ten lie of {}.\nRuns that are trained or metered \
                 otherwise lie elsewhere.",
                Surrogate::INTERVAL_RUNS
            )?;
        }
        _ => {
            writeln!(out, "{}\n", many(device, found))?;
            writeln!(
                out,
                "All of it is predicted by {by}; --csv and --json print the intervals."
            )?;
            write!(out, "{}", show::hashes_note())?;
        }
    }
    if let Some(device) = device {
        writeln!(
            out,
            "Learned from energies at {} on {}: off by {:.0} % on average where a cell was left out.",
            device.budget(),
            device.name(),
            100.0 * device.mean_error()
        )?;
    }
    Ok(out.flush()?)
}

/// One cell: a row for each budget, with intervals.
fn one(device: Option<&Device>, found: &[Found]) -> Table {
    let mut table = table([Column::number("epochs")], device);
    for row in found {
        let figures = figures(row, |estimate, scale, digits| {
            let ends = [estimate.value, estimate.low, estimate.high];
            let [value, low, high] = ends.map(|own| scale * own);
            let interval = format!("({low:.digits$} to {high:.digits$})");
            format!(
                "{value:.digits$} {}",
                interval.replace(' ', &NO_BREAK.to_string())
            )
        });
        table.row([row.budget.get().to_string()].into_iter().chain(figures));
    }
    table
}

/// Several cells: a row for each cell and budget.
fn many(device: Option<&Device>, found: &[Found]) -> Table {
    let mut table = table([Column::name("cell"), Column::number("epochs")], device);
    for row in found {
        let figures = figures(row, |estimate, scale, digits| {
            format!("{:.digits$}", scale * estimate.value)
        });
        let place = [show::hash(row.cell.hash()), row.budget.get().to_string()];
        table.row(place.into_iter().chain(figures));
    }
    table
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

/// Refuses a record that does not end: a quote that nobody closes would take the whole file into memory.
struct Bounded<'a> {
    input: File,
    /// Bytes that may be read before the record must end.
    left: &'a Shared<usize>,
}

impl Bounded<'_> {
    const LONGEST: usize = 1 << 20;
}

impl Read for Bounded<'_> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        if self.left.get() == 0 {
            let text = "expected records of at most 1 MiB, found one that does not end; a quote may not be closed";
            return Err(io::Error::other(text));
        }
        let len = self.input.read(buffer)?;
        self.left.set(self.left.get().saturating_sub(len));
        Ok(len)
    }
}

/// Reads cells from a CSV file.
fn read(path: &Path, cells: &mut Vec<Asked>) -> Result<(), Failure> {
    let failed =
        |error: &dyn std::fmt::Display| Failure::error(format!("{}: {error}", path.display()));
    let left = Shared::new(Bounded::LONGEST);
    let input = Bounded {
        input: File::open(path).map_err(|error| failed(&error))?,
        left: &left,
    };
    let mut reader = csv::ReaderBuilder::new()
        .comment(Some(b'#'))
        .from_reader(input);
    let header = reader.headers().map_err(|error| failed(&error))?.clone();
    let place = |name: &str| header.iter().position(|own| own.trim() == name);
    let hash = place("hash").or_else(|| place("module_hash"));
    let drawing = place("adjacency").zip(place("operations"));
    if hash.is_none() && drawing.is_none() {
        return Err(failed(
            &"expected a column `hash` or `module_hash`, or `adjacency` and `operations`",
        ));
    }
    for (number, record) in (1..).zip(reader.records()) {
        let record = record.map_err(|error| failed(&error))?;
        left.set(Bounded::LONGEST);
        let field = |place: Option<usize>| {
            let text = place.and_then(|place| record.get(place));
            text.map(str::trim).filter(|text| !text.is_empty())
        };
        let drawn =
            drawing.map(|(adjacency, operations)| [Some(adjacency), Some(operations)].map(&field));
        let cell = of_line(drawn.unwrap_or_default(), field(hash));
        let line = record.position().map_or(0, csv::Position::line);
        let place = |error| failed(&format!("record {number}, line {line}: {error}"));
        cells.push(cell.map_err(place)?);
    }
    Ok(())
}

/// The cell of a line with a drawing, a hash, or both, which must be of the same cell.
fn of_line(
    [adjacency, operations]: [Option<&str>; 2],
    hash: Option<&str>,
) -> Result<Asked, String> {
    let hash = hash.map(ask::cell).transpose()?;
    let (adjacency, operations) = match (adjacency, operations, hash) {
        (None, None, Some(hash)) => return Ok(Asked::Hash(hash)),
        (None, None, None) => return Err("expected a hash or a graph, found neither".to_owned()),
        (adjacency, operations, _) => (
            adjacency.unwrap_or_default(),
            operations.unwrap_or_default(),
        ),
    };
    let cell = Cell::from_bits(adjacency, operations).map_err(|error| error.to_string())?;
    match hash {
        Some(found) if found != cell.hash() => Err(format!(
            "the graph's hash is {}, the line says {found}; they are of different cells: correct one of them",
            cell.hash()
        )),
        _ => Ok(Asked::Drawn(cell)),
    }
}

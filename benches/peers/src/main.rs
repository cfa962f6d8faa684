//! The same questions about the same table in the same run: to `ecnas` and to other ways to ask. See the README.

mod cases;
mod data;
mod maps;
mod ours;
mod python;
mod report;
mod scan;
mod sorted;
mod sqlite;
mod timing;

use std::process::ExitCode;
use std::time::Instant;

use cases::{Case, Questions};
use data::{BUDGETS, SEED, Table};
use report::Column;
use timing::{Keys, Outcome};

/// A way to ask.
trait Peer {
    /// Answers and times the questions; `None` for what the peer is not asked.
    fn run(&mut self, questions: &Questions, cold: bool, keys: &Keys) -> Option<Outcome>;
}

/// What is asked of the program.
struct Options {
    rows: usize,
    budget: u32,
    without: Vec<String>,
}

const USAGE: &str = "usage: peers [ROWS] [--budget 4|12|36|108] [--without PEER,PEER,...]";

fn options() -> Option<Options> {
    let mut options = Options {
        rows: 423_624,
        budget: 108,
        without: Vec::new(),
    };
    let mut arguments = std::env::args().skip(1);
    while let Some(argument) = arguments.next() {
        match argument.as_str() {
            "--budget" => options.budget = arguments.next()?.parse().ok()?,
            "--without" => {
                options.without = arguments.next()?.split(',').map(str::to_owned).collect()
            }
            rows => options.rows = rows.replace('_', "").parse().ok()?,
        }
    }
    (options.rows >= 10_000 && BUDGETS.contains(&options.budget)).then_some(options)
}

fn main() -> ExitCode {
    let Some(options) = options() else {
        eprintln!("{USAGE}\nat least 10,000 rows");
        return ExitCode::from(2);
    };
    let folder = tempfile::tempdir().expect("a temporary folder");
    eprintln!("generating and sealing {} rows", options.rows);
    let table = Table::generate(options.rows, options.budget);
    let keys = table.shuffled();
    let path = folder.path().join("table.ecnas");
    let bytes = ours::seal(&table, &path);
    println!(
        "seed {SEED}, {} rows x {BUDGETS:?} epochs, asked at {}; snapshot of {bytes} bytes; one thread\n",
        table.len(),
        options.budget
    );
    let cases = cases::all(&table);

    let mut columns: Vec<Column> = Vec::new();
    let mut notes: Vec<String> = Vec::new();
    type Make<'t> = Box<dyn Fn() -> Box<dyn Peer + 't> + 't>;
    let (table, path, folder) = (&table, &path, folder.path());
    let peers: Vec<(&str, Make<'_>)> = vec![
        ("ecnas", Box::new(|| Box::new(ours::Ours::new(table, path)))),
        ("scan", Box::new(|| Box::new(scan::Scan(table)))),
        ("sorted", Box::new(|| Box::new(sorted::Sorted::new(table)))),
        ("HashMap", Box::new(|| Box::new(maps::map(table)))),
        (
            "HashMap of hashes",
            Box::new(|| Box::new(maps::map_of_hashes(table))),
        ),
        (
            "redb",
            Box::new(|| Box::new(maps::Redb::new(table, folder))),
        ),
        (
            "LMDB",
            Box::new(|| Box::new(maps::Lmdb::new(table, folder))),
        ),
        (
            "SQLite",
            Box::new(|| Box::new(sqlite::Sqlite::new(table, folder))),
        ),
    ];
    for (name, make) in &peers {
        if options.without.iter().any(|own| own == name) {
            notes.push(format!("{name}: left out"));
            continue;
        }
        let start = Instant::now();
        let mut peer = make();
        let built = start.elapsed().as_secs_f64();
        if built > 0.01 {
            notes.push(format!(
                "{name}: {built:.1} s to build from columns in memory"
            ));
        }
        let run = |case: &Case| peer.run(&case.questions, case.cold, &keys);
        let outcomes = cases.iter().map(run).collect();
        columns.push(Column {
            name: (*name).to_owned(),
            outcomes,
        });
        eprintln!("{name}: {:.1} s", start.elapsed().as_secs_f64());
    }

    let asked = table
        .write(folder, &keys)
        .map_err(|error| error.to_string());
    match asked.and_then(|()| python::run(table, &cases, &options.without, folder)) {
        Ok(told) => {
            notes.extend(told.notes);
            for name in ["NumPy", "DuckDB", "Polars", "moocore", "pymoo"] {
                let own = told.peers.get(name);
                let outcome = |number| own.and_then(|own| own.get(&number)).cloned();
                let outcomes = (0..cases.len()).map(outcome).collect();
                if options.without.iter().any(|own| own == name) {
                    notes.push(format!("{name}: left out"));
                    continue;
                }
                columns.push(Column {
                    name: name.to_owned(),
                    outcomes,
                });
            }
        }
        Err(error) => notes.push(format!("no Python peers: {error}")),
    }

    let wrong = report::disagreements(&cases, &columns);
    for line in &wrong {
        eprintln!("answers differ: {line}");
    }
    print!("{}", report::table(&cases, &columns));
    println!("\nIn brackets: how many times the time of ecnas.");
    for note in notes {
        println!("- {note}");
    }
    if wrong.is_empty() {
        println!("- all answers are equal");
        ExitCode::SUCCESS
    } else {
        ExitCode::FAILURE
    }
}

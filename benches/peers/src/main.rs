//! The same queries on the same table, in the same run: of ecnas, of engines in this process, and of Python's.
//!
//! `cargo run --release --manifest-path benches/peers/Cargo.toml`; see the README beside it.

mod engines;
mod ours;
mod report;
mod table;

use std::process::Command;

use report::{Measured, Report};
use table::{Questions, Table};

fn main() {
    let rows = std::env::var("ROWS").ok().and_then(|text| text.parse().ok());
    let folder = tempfile::tempdir().unwrap();
    let table = Table::generate(rows.unwrap_or(423_624), folder.path());
    let questions = Questions::about(&table);
    let mut report = Report::default();
    ours::ask(&table, &questions, &mut report);
    engines::ask(&table, &questions, folder.path(), &mut report);
    python(&table, &questions, folder.path(), &mut report);
    report.print();
    if !report.agrees() {
        std::process::exit(1);
    }
}

/// Runs the Python peers as a child, if there is a Python that has them.
fn python(table: &Table, questions: &Questions, folder: &std::path::Path, report: &mut Report) {
    table.write_columns(folder);
    let asked = folder.join("questions.json");
    std::fs::write(&asked, serde_json::to_vec(questions).unwrap()).unwrap();
    let python = std::env::var("PYTHON").unwrap_or_else(|_| "python3".to_owned());
    let script = concat!(env!("CARGO_MANIFEST_DIR"), "/peers.py");
    let output = Command::new(&python)
        .arg(script)
        .arg(folder)
        .envs([("POLARS_MAX_THREADS", "1"), ("OMP_NUM_THREADS", "1")])
        .stderr(std::process::Stdio::inherit())
        .output();
    match output {
        Ok(output) if output.status.success() => {
            let measured: Vec<Measured> = serde_json::from_slice(&output.stdout).unwrap();
            measured.into_iter().for_each(|one| report.add(one));
        }
        Ok(output) => println!("{python} failed ({}): its columns are left out", output.status),
        Err(error) => println!("no {python} ({error}): its columns are left out"),
    }
}

//! The Python peers: a child process that gets the columns and the questions as files, and answers in one.

use std::collections::BTreeMap;
use std::path::Path;
use std::process::Command;

use serde::{Deserialize, Serialize};

use crate::cases::Case;
use crate::data::{BUDGETS, Table};
use crate::timing::{BATCH, COMPARED, Outcome};

#[derive(Serialize)]
struct Ask<'c> {
    rows: usize,
    budgets: [u32; 4],
    asked: u32,
    batch: usize,
    compared: usize,
    without: &'c [String],
    cases: &'c [Case],
}

/// What the script wrote.
#[derive(Deserialize)]
pub struct Told {
    /// By peer, then by the number of the case.
    pub peers: BTreeMap<String, BTreeMap<usize, Outcome>>,
    /// Packages that are missing, and what else there is to say.
    pub notes: Vec<String>,
}

pub fn run(
    table: &Table,
    cases: &[Case],
    without: &[String],
    folder: &Path,
) -> Result<Told, String> {
    let ask = Ask {
        rows: table.len(),
        budgets: BUDGETS,
        asked: BUDGETS[table.asked],
        batch: BATCH,
        compared: COMPARED,
        without,
        cases,
    };
    let text = serde_json::to_string(&ask).map_err(|error| error.to_string())?;
    std::fs::write(folder.join("cases.json"), text).map_err(|error| error.to_string())?;
    let python = std::env::var("PYTHON").unwrap_or_else(|_| "python3".to_owned());
    let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("peers.py");
    let status = Command::new(&python)
        .arg(script)
        .arg(folder)
        .envs([
            ("POLARS_MAX_THREADS", "1"),
            ("OMP_NUM_THREADS", "1"),
            ("OPENBLAS_NUM_THREADS", "1"),
        ])
        .status()
        .map_err(|error| format!("{python}: {error}"))?;
    if !status.success() {
        return Err(format!("{python}: {status}"));
    }
    let text =
        std::fs::read_to_string(folder.join("told.json")).map_err(|error| error.to_string())?;
    serde_json::from_str(&text).map_err(|error| error.to_string())
}

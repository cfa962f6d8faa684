//! What `get`, `front` and `recipe` share: which table, at which budget, and how to print the answer.

use std::path::PathBuf;

use clap::Args;
use ecnas::cell::{Cell, CellHash};
use ecnas::metrics::Budget;
use ecnas::snapshot::{Repeats, Table, View};

use crate::cache::Given;
use crate::failure::Failure;
use crate::open;

/// Which trials to look at, and how to print what they say.
#[derive(Args)]
pub struct Choice {
    /// Table to look at
    #[arg(long, short, value_name = "NAME")]
    pub table: Option<String>,
    /// Budget to look at, in epochs
    #[arg(long, short, value_name = "EPOCHS")]
    pub budget: Option<Budget>,
    /// How repeats become one value: mean, min, max, a repeat's number, or draw:SEED
    #[arg(long, value_name = "POLICY", default_value = "mean", value_parser = repeats)]
    pub repeats: Repeats,
    /// Print JSON
    #[arg(long, conflicts_with = "csv")]
    pub json: bool,
    /// Print CSV
    #[arg(long)]
    pub csv: bool,
}

impl Choice {
    /// A table at the budget that was asked for, or else at its largest.
    pub fn view<'s>(&self, table: Table<'s>) -> Result<View<'s>, Failure> {
        let budget = self.budget.or_else(|| table.budgets().last());
        let budget = budget.ok_or_else(|| {
            Failure::not_found(format!("table `{}` has no trials", table.name()))
                .hint("choose another table with --table")
        })?;
        Ok(table.view_with(budget, self.repeats)?)
    }
}

/// What to ask, and whom.
#[derive(Args)]
pub struct Ask {
    /// A sealed snapshot; or released files, folders of results, or CSV files, which are imported and sealed into the
    /// cache folder ($ECNAS_CACHE, or the user's own) for the next time [default: all 423,624 cells of NAS-Bench-101,
    /// predicted]
    #[arg(value_name = "SNAPSHOT|FILE")]
    pub inputs: Vec<PathBuf>,
    #[command(flatten)]
    pub choice: Choice,
}

impl Ask {
    /// The views to ask: of the table that was named, of the only one, or of all tables of files given directly.
    pub fn views<'s>(&self, given: &'s Given) -> Result<Vec<View<'s>>, Failure> {
        let tables = match (&self.choice.table, given.direct) {
            (None, true) => given.snapshot.tables().collect(),
            (name, _) => vec![open::table(&given.snapshot, name.as_deref())?],
        };
        tables
            .into_iter()
            .map(|table| self.choice.view(table))
            .collect()
    }
}

/// Reads a cell: its hash, or a drawing of it.
pub fn cell(text: &str) -> Result<CellHash, String> {
    if text.contains(':') {
        let cell: Result<Cell, _> = text.parse();
        cell.map(CellHash::from).map_err(|error| error.to_string())
    } else {
        text.parse()
            .map_err(|error: ecnas::cell::HashError| error.to_string())
    }
}

fn repeats(text: &str) -> Result<Repeats, String> {
    let number = |text: &str| text.parse().ok().filter(|&number: &u32| number > 0);
    let seed = |text: &str| text.strip_prefix("draw:")?.parse().ok();
    match text {
        "mean" => Ok(Repeats::Mean),
        "min" => Ok(Repeats::Min),
        "max" => Ok(Repeats::Max),
        _ => number(text)
            .map(Repeats::Given)
            .or_else(|| seed(text).map(|seed| Repeats::Draw { seed }))
            .ok_or("expected mean, min, max, a repeat from 1, or draw:SEED".to_owned()),
    }
}

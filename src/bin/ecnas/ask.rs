//! What `get`, `front` and `recipe` share: which table, at which budget, and how to print the answer.

use std::path::PathBuf;

use clap::Args;
use ecnas::cell::{Cell, CellHash};
use ecnas::metrics::Budget;
use ecnas::query::{Loss, Scale};
use ecnas::snapshot::{Repeats, Table, View};

use crate::cache::Given;
use crate::failure::Failure;
use crate::open;
use crate::show;

/// Which trials to look at, and how to print what they say.
#[derive(Args)]
pub struct Choice {
    /// Table to look at
    #[arg(long, short, value_name = "NAME")]
    pub table: Option<String>,
    /// Budget to look at, in epochs
    #[arg(long, short, value_name = "EPOCHS", allow_negative_numbers = true)]
    pub budget: Option<Budget>,
    /// How repeats become one value: mean, min, max, a repeat's number, or draw:SEED
    #[arg(long, value_name = "POLICY", default_value = "mean", value_parser = repeats,
          allow_negative_numbers = true)]
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

/// Reads how many lines to print.
pub fn limit(text: &str) -> Result<usize, String> {
    let limit = text.trim().parse();
    limit.map_err(|_| "expected how many to print: a whole number, 0 for all".to_owned())
}

/// Reads a number that is neither NaN nor infinite.
pub fn number(text: &str) -> Result<f64, String> {
    let number = text.trim().parse().ok();
    number
        .filter(|number: &f64| number.is_finite())
        .ok_or_else(|| "expected a number such as 0.3".to_owned())
}

/// Reads `trials` or `estimates`.
pub fn scale(text: &str) -> Result<Scale, String> {
    let named = Scale::ALL.into_iter().find(|scale| scale.name() == text);
    named.ok_or_else(|| "expected `trials` or `estimates`".to_owned())
}

/// Reads how much may be lost: `0.01` or `1%`.
pub fn loss(text: &str) -> Result<Loss, String> {
    let percent = text.trim().strip_suffix('%');
    let loss = number(percent.unwrap_or(text)).ok();
    let loss = loss.filter(|loss| *loss >= 0.0).ok_or(
        "expected a number of 0 or more such as 0.01, or a share of the reference's value such as 1%",
    )?;
    Ok(match percent {
        Some(_) => Loss::Relative(loss / 100.0),
        None => Loss::Absolute(loss),
    })
}

/// Reads how much accuracy may be lost. Accuracies are fractions: to lose 1 of it is to lose all.
pub fn accuracy_loss(text: &str) -> Result<Loss, String> {
    let advice = "write 0.01 for one percentage point, 1% for 1 % of the reference's accuracy, or 100% for any loss";
    match loss(text)? {
        Loss::Absolute(loss) if loss >= 1.0 => {
            let points = show::count(hundredths(loss * 1e4));
            Err(format!(
                "accuracies are fractions, so that this is {points} percentage points; {advice}"
            ))
        }
        Loss::Relative(loss) if loss > 1.0 => Err(format!(
            "no more than 100% of an accuracy can be lost; {advice}"
        )),
        loss => Ok(loss),
    }
}

/// What was meant by an accuracy above 1, as a fraction: percent. `None` where it is no percentage either.
pub fn meant_fraction(found: f64) -> Option<f64> {
    (found > 1.0 && found <= 100.0).then(|| hundredths(found))
}

/// A hundredth of a number, as people would write it.
fn hundredths(number: f64) -> f64 {
    // Of 94.3, not 0.9430000000000001.
    format!("{:.12}", number / 100.0).parse().unwrap_or(number)
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

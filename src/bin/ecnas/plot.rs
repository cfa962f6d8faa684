//! `ecnas plot`: a picture of energy and accuracy.

use std::io::Write;
use std::path::PathBuf;

use ecnas::cell::CellHash;
use ecnas::plot;
use ecnas::query::{Loss, RecipeQuery, Reference};
use ecnas::snapshot::View;

use crate::ask::{self, Ask};
use crate::cache::Given;
use crate::failure::Failure;
use crate::recipe;
use crate::values;

/// Draw energy and accuracy of all cells, the front, its knee, a reference and its recipes, as SVG or PNG
#[derive(clap::Args)]
pub struct Args {
    #[command(flatten)]
    ask: Ask,
    /// Where the picture goes: a name that ends with .svg or .png, as often as needed
    #[arg(long, short, value_name = "FILE", default_values = ["ecnas.svg"])]
    output: Vec<PathBuf>,
    /// Reference cell: its hash, or a drawing of it [default: the most accurate cell]
    #[arg(long, short, value_name = "HASH|CELL", value_parser = ask::cell)]
    reference: Option<CellHash>,
    /// Accuracy that may be lost, as a fraction: 0.01 is one percentage point; 1% is 1 % of the reference's
    #[arg(long, value_name = "LOSS", default_value = "0.01", value_parser = recipe::loss)]
    tolerance: Loss,
    /// Take estimates at the worse end of their intervals, in the front and in the recipes
    #[arg(long)]
    cautious: bool,
}

/// Runs the command.
pub fn run(args: &Args) -> Result<(), Failure> {
    let given = Given::open(&args.ask.inputs)?;
    let views = args.ask.views(&given)?;
    let mut query = RecipeQuery::default();
    query.tolerated_loss = args.tolerance;
    query.cautious = args.cautious;
    if let Some(hash) = args.reference {
        query.reference = Reference::Cell(hash);
    }
    draw(&views, &query, &args.output)?;
    let mut out = values::stdout();
    for path in &args.output {
        writeln!(out, "{}", path.display())?;
    }
    Ok(out.flush()?)
}

/// Draws the one view into files.
pub fn draw(views: &[View<'_>], query: &RecipeQuery, paths: &[PathBuf]) -> Result<(), Failure> {
    let [view] = views else {
        let message = "expected one table to draw; choose it with --table";
        return Err(Failure::usage(message));
    };
    for path in paths {
        plot::draw(view, query, path).map_err(Failure::of)?;
    }
    Ok(())
}

//! `ecnas plot`: a picture of energy and accuracy.

use std::io::Write;
use std::path::PathBuf;

use ecnas::cell::CellHash;
use ecnas::metrics::Metric;
use ecnas::plot;
use ecnas::query::{Loss, RecipeQuery, Reference, Scale};
use ecnas::snapshot::View;

use crate::ask::{self, Ask};
use crate::cache::Given;
use crate::failure::Failure;
use crate::output::{self, Force, Kind};
use crate::rows;
use crate::values::{self, object};

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
    #[arg(long, value_name = "LOSS", default_value = "0.01", value_parser = ask::accuracy_loss,
          allow_negative_numbers = true)]
    tolerance: Loss,
    /// Take estimates at the worse end of their intervals, in the front and in the recipes; measured values
    /// have none and stay as they are
    #[arg(long)]
    cautious: bool,
    #[command(flatten)]
    force: Force,
    /// Which values are compared, where a table holds measured ones and estimates on two scales: of trials, or estimates
    #[arg(long, value_name = "TRIALS|ESTIMATES", value_parser = ask::scale)]
    scale: Option<Scale>,
}

/// Runs the command.
pub fn run(args: &Args) -> Result<(), Failure> {
    if args.ask.choice.csv {
        let message = "--csv: a picture has no rows; ask `front` or `recipe` for them";
        return Err(Failure::usage(message));
    }
    check(&args.output, &args.ask, &args.force)?;
    let given = Given::open(&args.ask.inputs)?;
    let views = args.ask.views(&given)?;
    let mut query = RecipeQuery::default();
    query.tolerated_loss = args.tolerance;
    query.cautious = args.cautious;
    query.scale = args.scale;
    if let Some(hash) = args.reference {
        query.reference = Reference::Cell(hash);
    }
    for view in &views {
        rows::check_scale(view, args.scale, Metric::Energy.name())?;
    }
    query.cautious = query.cautious && rows::any_cautious(&views, query.accuracy);
    draw(&views, &query, &args.output)?;
    let paths = args.output.iter().map(|path| path.display().to_string());
    if args.ask.choice.json {
        return values::print(&object! { "pictures": paths.collect::<Vec<String>>() });
    }
    let mut out = values::stdout();
    for path in paths {
        writeln!(out, "{path}")?;
    }
    Ok(out.flush()?)
}

/// Refuses paths that pictures are not to be written to, before there is anything to draw.
pub fn check(paths: &[PathBuf], ask: &Ask, force: &Force) -> Result<(), Failure> {
    paths.iter().try_for_each(|path| {
        let inputs = ask.inputs.iter().map(PathBuf::as_path);
        output::check(path, Kind::Picture, inputs, force)
    })
}

/// Draws the one view into files.
pub fn draw(views: &[View<'_>], query: &RecipeQuery, paths: &[PathBuf]) -> Result<(), Failure> {
    let [view] = views else {
        let message = "expected one table to draw; choose it with --table";
        return Err(Failure::usage(message));
    };
    for path in paths {
        plot::draw(view, query, path)?;
    }
    Ok(())
}

//! `ecnas recipe`: cells that cost less energy and are as good.

mod print;

use clap::builder::PossibleValuesParser;
use ecnas::carbon::{Site, WORLD_INTENSITY_G_PER_KWH};
use ecnas::cell::CellHash;
use ecnas::metrics::Metric;
use ecnas::query::{Recipe, RecipeBook, RecipeQuery, recipes};
use ecnas::snapshot::View;

use crate::ask::{self, Ask};
use crate::cache::Given;
use crate::failure::Failure;
use crate::values::{self, Object, Section, object};

const ACCURACIES: [Metric; 3] = [
    Metric::ValidationAccuracy,
    Metric::TestAccuracy,
    Metric::TrainAccuracy,
];

/// How many recipes people are shown unless they say how many.
const USUAL_LIMIT: usize = 20;

/// List cells that cost less energy than a reference and are as good, with the edits that lead there
#[derive(clap::Args)]
pub struct Args {
    #[command(flatten)]
    ask: Ask,
    /// Reference cell: its hash, or a drawing of it [default: the most accurate cell]
    #[arg(long, short, value_name = "HASH|CELL", value_parser = ask::cell)]
    reference: Option<CellHash>,
    /// Accuracy that may be lost, as a fraction: 0.01 is one percentage point
    #[arg(long, value_name = "FRACTION", default_value_t = 0.01)]
    tolerance: f64,
    /// Accuracy that counts
    #[arg(long, value_name = "METRIC", default_value = Metric::ValidationAccuracy.name(),
          value_parser = PossibleValuesParser::new(ACCURACIES.map(Metric::name)))]
    accuracy: String,
    /// Carbon intensity of the electricity, in gCO2e/kWh; the world's average of 2018 unless given
    #[arg(long, value_name = "G_PER_KWH", default_value_t = WORLD_INTENSITY_G_PER_KWH)]
    intensity: f64,
    /// Power usage effectiveness to restate the energy for [default: the one that it contains]
    #[arg(long, value_name = "FACTOR")]
    pue: Option<f64>,
    /// How many recipes to print, 0 for all [default: 20 for people, all in JSON and CSV]
    #[arg(long, short = 'n', value_name = "N")]
    limit: Option<usize>,
}

/// Runs the command.
pub fn run(args: &Args) -> Result<(), Failure> {
    let mut query = RecipeQuery::default();
    query.reference = args.reference;
    query.tolerated_loss = args.tolerance;
    query.accuracy = Metric::from_name(&args.accuracy).unwrap_or(query.accuracy);
    query.site = Site::new(args.intensity, args.pue).map_err(Failure::usage)?;
    let given = Given::open(&args.ask.inputs)?;
    let views = args.ask.views(&given)?;
    let books = views.iter().map(|view| Ok((view, recipes(view, &query)?)));
    let books: Vec<(&View<'_>, RecipeBook)> = books.collect::<Result<_, Failure>>()?;
    let machine = args.ask.choice.json || args.ask.choice.csv;
    let limit = match args.limit {
        None if !machine => USUAL_LIMIT,
        None | Some(0) => usize::MAX,
        Some(limit) => limit,
    };
    if !machine {
        let asked = args.ask.choice.budget.is_some();
        return print::books(&books, &query, limit, asked);
    }
    let sections = books
        .iter()
        .map(|(view, book)| section(view, book, &query, limit));
    let sections = sections.collect::<Result<Vec<_>, Failure>>()?;
    if args.ask.choice.json {
        return values::print_json(sections);
    }
    let first = [
        "table",
        "budget_epochs",
        "reference_hash",
        "hash",
        "adjacency",
        "operations",
    ];
    let last = [
        "saving_fraction",
        "accuracy_change",
        "on_front",
        "co2e_at_site_g",
        "edit_count",
        "edits",
    ];
    let header = first
        .into_iter()
        .chain(values::column_names(&views))
        .chain(last);
    values::print_csv(&header.map(str::to_owned).collect::<Vec<_>>(), sections)
}

fn section<'v>(
    view: &'v View<'_>,
    book: &'v RecipeBook,
    query: &RecipeQuery,
    limit: usize,
) -> Result<Section<'v>, Failure> {
    let head = object! {
        "table": view.table().name(),
        "budget_epochs": view.budget().get(),
    };
    let mut constants = head.clone();
    constants.extend(object! { "reference_hash": book.reference.hash.to_string() });
    let mut provenance = values::provenance(view, &view.table().info()?);
    provenance.extend(object! { "co2e_at_site_g": format!("recomputed from energy ({})", view.table().info()?.provenance.of(Metric::Energy)) });
    let mut head = head;
    head.extend(object! {
        "repeats": values::repeats(view.repeats()),
        "accuracy": query.accuracy.name(),
        "tolerated_loss": query.tolerated_loss,
        "intensity_g_per_kwh": query.site.intensity_g_per_kwh(),
        "pue": query.site.pue(),
        "contained_pue": book.contained_pue,
        "provenance": provenance,
        "compared": book.compared,
        "missing": book.missing,
        "found": book.recipes.len(),
        "reference": object(view, &book.reference),
    });
    let rows = book
        .recipes
        .iter()
        .take(limit)
        .map(|recipe| object(view, recipe));
    Ok(Section {
        head,
        constants,
        key: "recipes",
        rows: Box::new(rows),
    })
}

/// All columns of a recipe's cell, and what it is beside the reference.
fn object(view: &View<'_>, recipe: &Recipe) -> Object {
    let mut object = values::cell(recipe.hash, recipe.cell);
    if let Some(row) = view.at(recipe.row) {
        values::add_columns(&mut object, row);
    }
    let edits = recipe.edits.as_ref().map(|edits| {
        let edits = edits.iter().map(ToString::to_string);
        edits.collect::<Vec<_>>()
    });
    object.extend(object! {
        "saving_fraction": recipe.saving,
        "accuracy_change": recipe.accuracy_change,
        "on_front": recipe.on_front,
        "co2e_at_site_g": recipe.co2e_g,
        "edit_count": edits.as_ref().map(Vec::len),
        "edits": edits,
    });
    object
}

//! `ecnas recipe`: cells that cost less energy and are as good.

mod print;

use std::borrow::Cow;
use std::path::PathBuf;

use clap::builder::PossibleValuesParser;
use ecnas::carbon::{GRIDS, GRIDS_SOURCE, Grid, Site, WORLD_INTENSITY_G_PER_KWH};
use ecnas::cell::CellHash;
use ecnas::metrics::{Budget, Metric, Unit};
use ecnas::query::{
    Baseline, Loss, Objective, Recipe, RecipeBook, RecipeQuery, Reference, Scale, Tolerance,
};
use ecnas::snapshot::View;

use serde_json::Value;

use crate::ask::{self, Ask};
use crate::cache::Given;
use crate::failure::Failure;
use crate::import;
use crate::output::Force;
use crate::plot;
use crate::rows;
use crate::show;
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
    /// Reference that is no cell: its values, as energy_kwh=0.3,validation_accuracy=0.93
    #[arg(long, value_name = "METRIC=VALUE,...", value_delimiter = ',', value_parser = metric_value,
          conflicts_with = "reference")]
    point: Vec<(String, f64)>,
    /// Accuracy that may be lost, as a fraction: 0.01 is one percentage point; 1% is 1 % of the reference's
    #[arg(long, value_name = "LOSS", default_value = "0.01", value_parser = ask::accuracy_loss,
          allow_negative_numbers = true)]
    tolerance: Loss,
    /// Another metric of which no more may be lost than this, as often as needed: training_time_s=10%
    #[arg(long, value_name = "METRIC=LOSS", value_parser = tolerance)]
    tolerate: Vec<Tolerance>,
    /// Most edits that may lead from the reference to a recipe
    #[arg(long, value_name = "N", value_parser = edits, allow_negative_numbers = true)]
    max_edits: Option<usize>,
    /// Take estimates of the recipes at the worse end of their intervals: more energy, less accuracy; measured values
    /// have none and stay as they are
    #[arg(long)]
    cautious: bool,
    /// Which values are compared, where a table holds measured ones and estimates on two scales: of trials, or estimates
    #[arg(long, value_name = "TRIALS|ESTIMATES", value_parser = ask::scale)]
    scale: Option<Scale>,
    /// Another budget at which a cell must be a recipe too, as often as needed
    #[arg(long, value_name = "EPOCHS", allow_negative_numbers = true)]
    also_at: Vec<Budget>,
    /// Another table in which a cell must be a recipe too, such as that of another device, as often as needed
    #[arg(long, value_name = "TABLE")]
    also_in: Vec<String>,
    /// Accuracy that counts
    #[arg(long, value_name = "METRIC", default_value = Metric::ValidationAccuracy.name(),
          value_parser = PossibleValuesParser::new(ACCURACIES.map(Metric::name)))]
    accuracy: String,
    /// Carbon intensity of the electricity, in gCO2e/kWh, or a country: DK, Germany [default: 475, the world's average of
    /// 2018]
    #[arg(long, value_name = "G_PER_KWH|COUNTRY", value_parser = intensity, allow_negative_numbers = true)]
    intensity: Option<Intensity>,
    /// Power usage effectiveness to restate the energy for [default: the one that it contains]
    #[arg(long, value_name = "FACTOR", value_parser = import::pue, allow_negative_numbers = true)]
    pue: Option<f64>,
    /// How many recipes to print, 0 for all [default: 20 for people, all in JSON and CSV]
    #[arg(long, short = 'n', value_name = "N", value_parser = ask::limit, allow_negative_numbers = true)]
    limit: Option<usize>,
    /// Draw it too: a name that ends with .svg or .png, as often as needed
    #[arg(long, value_name = "FILE")]
    plot: Vec<PathBuf>,
    #[command(flatten)]
    force: Force,
}

/// Runs the command.
pub fn run(args: &Args) -> Result<(), Failure> {
    check_point(args)?;
    let mut query = RecipeQuery::default();
    query.reference = match args.reference {
        Some(hash) => Reference::Cell(hash),
        None if args.point.is_empty() => Reference::MostAccurate,
        None => {
            let values = args.point.iter();
            Reference::Point(
                values
                    .map(|(name, value)| (Cow::Owned(name.clone()), *value))
                    .collect(),
            )
        }
    };
    query.tolerated_loss = args.tolerance;
    query.tolerances.clone_from(&args.tolerate);
    query.most_edits = args.max_edits;
    query.cautious = args.cautious;
    query.scale = args.scale;
    query.accuracy = Metric::from_name(&args.accuracy).unwrap_or(query.accuracy);
    query.site =
        Site::new(intensity_g_per_kwh(args.intensity), args.pue).map_err(Failure::usage)?;
    plot::check(&args.plot, &args.ask, &args.force)?;
    let given = Given::open(&args.ask.inputs)?;
    let views = args.ask.views(&given)?;
    for view in &views {
        rows::check_scale(view, args.scale, Metric::Energy.name())?;
    }
    query.cautious = query.cautious && rows::any_cautious(&views, query.accuracy);
    if !args.plot.is_empty() {
        plot::draw(&views, &query, &args.plot)?;
    }
    let books = views.iter().map(|view| {
        let others = others(args, &given, view)?;
        let mut search = view.recipes(&query)?;
        for other in &others {
            search = search.also_in(other)?;
        }
        Ok((view, search.book()?))
    });
    let books: Vec<(&View<'_>, RecipeBook)> = books.collect::<Result<_, Failure>>()?;
    let machine = args.ask.choice.json || args.ask.choice.csv;
    let limit = match args.limit {
        None if !machine => USUAL_LIMIT,
        None | Some(0) => usize::MAX,
        Some(limit) => limit,
    };
    if !machine {
        let asked = args.ask.choice.budget.is_some();
        return print::books(
            &books,
            &query,
            limit,
            asked,
            intensity_source(args.intensity).as_deref(),
        );
    }
    let sections = books
        .iter()
        .map(|(view, book)| section(args, view, book, &query, limit));
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
        "time_saving_fraction",
        "accuracy_change",
        "on_front",
        "co2e_at_site_g",
        "co2e_saved_g",
        "edit_count",
        "edits",
    ];
    let header = first
        .into_iter()
        .chain(values::column_names(&views))
        .chain(last);
    values::print_csv(&header.map(str::to_owned).collect::<Vec<_>>(), sections)
}

/// Refuses names of a point that nothing is compared in, and names that come twice.
fn check_point(args: &Args) -> Result<(), Failure> {
    let tolerances = args.tolerate.iter();
    let tolerances = tolerances.map(|own| own.objective.column.as_ref());
    let mut compared = vec![Metric::Energy.name(), args.accuracy.as_str()];
    compared.extend(tolerances);
    for (place, (name, _)) in args.point.iter().enumerate() {
        let mut before = args.point.iter().take(place);
        if before.any(|(other, _)| other == name) {
            return Err(Failure::usage(format!(
                "--point: `{name}` twice; give it once"
            )));
        }
        if !compared.contains(&name.as_str()) {
            return Err(Failure::usage(format!(
                "--point: nothing is compared in `{name}`, expected {}; leave it out, or name it with --accuracy or --tolerate",
                show::list(
                    &compared
                        .iter()
                        .map(|name| format!("`{name}`"))
                        .collect::<Vec<_>>()
                )
            )));
        }
    }
    Ok(())
}

/// The other views in which a cell must be a recipe too.
fn others<'s>(args: &Args, given: &'s Given, view: &View<'s>) -> Result<Vec<View<'s>>, Failure> {
    let mut views = Vec::new();
    for &budget in &args.also_at {
        views.push(view.table().view_with(budget, args.ask.choice.repeats)?);
    }
    for name in &args.also_in {
        let table = given.snapshot.table(name)?;
        views.push(table.view_with(view.budget(), args.ask.choice.repeats)?);
    }
    Ok(views)
}

/// A carbon intensity, and the country that it was looked up for.
#[derive(Clone, Copy)]
struct Intensity {
    g_per_kwh: f64,
    grid: Option<&'static Grid>,
}

fn intensity_g_per_kwh(given: Option<Intensity>) -> f64 {
    given.map_or(WORLD_INTENSITY_G_PER_KWH, |own| own.g_per_kwh)
}

/// Reads `475`, `DK` or `Denmark`.
fn intensity(text: &str) -> Result<Intensity, String> {
    if let Ok(g_per_kwh) = text.trim().parse() {
        return Ok(Intensity {
            g_per_kwh,
            grid: None,
        });
    }
    let grid = Grid::of(text.trim()).ok_or_else(|| {
        let codes: Vec<_> = GRIDS.iter().map(|grid| grid.code).collect();
        format!(
            "expected a number of g/kWh, or one of these countries: {}",
            codes.join(" ")
        )
    })?;
    Ok(Intensity {
        g_per_kwh: grid.intensity_g_per_kwh,
        grid: Some(grid),
    })
}

/// Where an intensity comes from, in words.
fn intensity_source(given: Option<Intensity>) -> Option<String> {
    match given {
        None => Some("world's average of 2018, IEA".to_owned()),
        Some(Intensity { grid: None, .. }) => None,
        Some(Intensity {
            grid: Some(grid), ..
        }) => Some(format!("{} in {}, {GRIDS_SOURCE}", grid.country, grid.year)),
    }
}

/// Reads `METRIC=VALUE`.
fn metric_value(text: &str) -> Result<(String, f64), String> {
    let expected = "expected METRIC=VALUE, such as energy_kwh=0.3";
    let (name, value) = text.split_once('=').ok_or(expected)?;
    let name = name.trim();
    let percent = value.trim().strip_suffix('%');
    let is_fraction = Unit::of_name(name) == Unit::Fraction;
    let value = ask::number(percent.unwrap_or(value)).map_err(|_| expected)?;
    if is_fraction && (percent.is_some() || value > 1.0) {
        let meant = ask::meant_fraction(value);
        let meant = meant.map(|meant| format!(": write {name}={meant}"));
        return Err(format!(
            "accuracies are fractions from 0 to 1{}",
            meant.unwrap_or_default()
        ));
    }
    match percent {
        Some(_) => Err(expected.to_owned()),
        None => Ok((name.to_owned(), value)),
    }
}

/// Reads a number of edits.
fn edits(text: &str) -> Result<usize, String> {
    let edits = text.trim().parse();
    edits.map_err(|_| "expected a whole number of edits, 0 or more".to_owned())
}

/// Reads `METRIC=LOSS`.
fn tolerance(text: &str) -> Result<Tolerance, String> {
    let expected = "expected METRIC=LOSS, such as training_time_s=10%";
    let (name, value) = text.split_once('=').ok_or(expected)?;
    let name = name.trim();
    Ok(Tolerance {
        objective: Objective {
            column: Cow::Owned(name.to_owned()),
            direction: rows::direction(name),
        },
        loss: match Unit::of_name(name) {
            Unit::Fraction => ask::accuracy_loss(value)?,
            _ => ask::loss(value)?,
        },
    })
}

fn section<'v>(
    args: &Args,
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
    constants
        .extend(object! { "reference_hash": book.reference.hash.map(|hash| hash.to_string()) });
    let mut provenance = values::provenance(view)?;
    provenance.extend(object! { "co2e_at_site_g": format!("recomputed from energy ({})", print::origin(view, query, Metric::Energy)?) });
    let number = |loss: Loss| match loss {
        Loss::Absolute(loss) | Loss::Relative(loss) => loss,
    };
    let tolerances = query.tolerances.iter().map(|own| {
        object! {
            "column": own.objective.column.as_ref(),
            "loss": number(own.loss),
            "is_relative": matches!(own.loss, Loss::Relative(_)),
        }
        .into()
    });
    let unknown = query.most_edits.map(|_| view.table().unknown_structure());
    let mut head = head;
    head.extend(object! {
        "repeats": values::repeats(view.repeats()),
        "accuracy": query.accuracy.name(),
        "tolerated_loss": number(query.tolerated_loss),
        "tolerated_loss_is_relative": matches!(query.tolerated_loss, Loss::Relative(_)),
        "tolerances": tolerances.collect::<Vec<Value>>(),
        "most_edits": query.most_edits,
        "unknown_structure": unknown,
        "cautious": args.cautious,
        "scale": query.scale.map(Scale::name),
        "intensity_g_per_kwh": query.site.intensity_g_per_kwh(),
        "intensity_source": intensity_source(args.intensity),
        "pue": query.site.pue(),
        "contained_pue": book.contained_pue,
        "provenance": provenance,
        "compared": book.compared,
        "missing": book.missing,
        "found": book.recipes.len(),
        "reference": baseline(view, &book.reference),
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

/// All columns of the reference cell; of one that is none, the values that were given.
fn baseline(view: &View<'_>, baseline: &Baseline) -> Object {
    let mut object = match baseline.row.and_then(|row| view.at(row)) {
        Some(row) => rows::object(row),
        None => object! {
            "energy_kwh": baseline.energy_kwh,
            "accuracy": baseline.accuracy,
        },
    };
    object.extend(object! { "co2e_at_site_g": baseline.co2e_g });
    object
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
        "time_saving_fraction": recipe.time_saving,
        "accuracy_change": recipe.accuracy_change,
        "on_front": recipe.on_front,
        "co2e_at_site_g": recipe.co2e_g,
        "co2e_saved_g": recipe.co2e_saved_g,
        "edit_count": edits.as_ref().map(Vec::len),
        "edits": edits,
    });
    if !recipe.elsewhere.is_empty() {
        let elsewhere = recipe.elsewhere.iter().map(|other| {
            object! {
                "table": other.table.as_str(),
                "budget_epochs": other.budget.get(),
                "energy_kwh": other.energy_kwh,
                "accuracy": other.accuracy,
                "saving_fraction": other.saving,
                "accuracy_change": other.accuracy_change,
            }
            .into()
        });
        object.extend(object! { "elsewhere": elsewhere.collect::<Vec<Value>>() });
    }
    object
}

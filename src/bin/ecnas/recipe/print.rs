//! A recipe book for people.

use std::io::Write;

use ecnas::carbon::DANE_KWH_PER_YEAR;
use ecnas::metrics::{Metric, Unit};
use ecnas::query::{Baseline, Loss, Recipe, RecipeBook, RecipeQuery, Reference};
use ecnas::snapshot::View;

use crate::failure::Failure;
use crate::layout::{Column, NO_BREAK, Table};
use crate::show;
use crate::values;

/// Prints a section per table.
pub fn books(
    books: &[(&View<'_>, RecipeBook)],
    query: &RecipeQuery,
    limit: usize,
    asked: bool,
    intensity: Option<&str>,
) -> Result<(), Failure> {
    let mut out = values::stdout();
    for (number, (view, book)) in books.iter().enumerate() {
        let gap = if number == 0 { "" } else { "\n\n" };
        writeln!(out, "{gap}{}", show::heading(view, asked)?)?;
        write!(out, "\n{}", reference(&book.reference, query))?;
        if book.recipes.is_empty() {
            writeln!(
                out,
                "\nNo cell costs less and loses at most {}{}.",
                tolerated(query),
                within_edits(query)
            )?;
        } else {
            writeln!(out, "\n{}", table(view, query, book, limit))?;
            writeln!(out, "{}\n", legend(book, limit))?;
            writeln!(out, "{}", summary(book, query))?;
        }
        write!(out, "{}", conditions(view, book, query, intensity)?)?;
    }
    Ok(out.flush()?)
}

/// The reference in one line, and its drawing.
fn reference(reference: &Baseline, query: &RecipeQuery) -> String {
    let why = match query.reference {
        Reference::MostAccurate => "reference, the most accurate cell",
        _ => "reference",
    };
    let name = reference.hash.map(|hash| hash.to_string());
    let mut text = format!(
        "{why}: {}\n{} kWh, {} % {}, {} gCO2e\n",
        name.as_deref().unwrap_or("a point, no cell"),
        show::alone(reference.energy_kwh, Unit::KilowattHour),
        show::alone(reference.accuracy, Unit::Fraction),
        show::title(query.accuracy.name()),
        show::alone(reference.co2e_g, Unit::Gram),
    );
    if let Some(cell) = reference.cell {
        for line in cell.pruned().draw().lines() {
            text += &format!("  {line}\n");
        }
    }
    text
}

fn table(view: &View<'_>, query: &RecipeQuery, book: &RecipeBook, limit: usize) -> Table {
    let mut table = Table::new([
        Column::name(""),
        Column::number("saving\n%"),
        Column::number("accuracy\nchange"),
        Column::number("accuracy\n%"),
        Column::number("energy\nkWh"),
        Column::number("CO2e\ng"),
        Column::text("cell, and the edits that lead to it").starts_line(),
    ]);
    let shown = || book.recipes.iter().take(limit);
    let energy = show::decimals(shown().map(|recipe| recipe.energy_kwh), Unit::KilowattHour);
    let co2e = show::decimals(shown().map(|recipe| recipe.co2e_g), Unit::Gram);
    for recipe in shown() {
        let figure = |value, unit, decimals, column: &str| {
            let figure = show::figure(Some(value), unit, decimals);
            match view.at(recipe.row) {
                Some(row) => show::estimate(figure, row, column),
                None => figure,
            }
        };
        table.row([
            if recipe.on_front { "*" } else { "" }.to_owned(),
            format!("{:.1}", recipe.saving * 100.0),
            format!("{:+.2}", recipe.accuracy_change * 100.0),
            figure(recipe.accuracy, Unit::Fraction, 2, query.accuracy.name()),
            figure(
                recipe.energy_kwh,
                Unit::KilowattHour,
                energy,
                Metric::Energy.name(),
            ),
            show::figure(Some(recipe.co2e_g), Unit::Gram, co2e),
            format!("{}\n{}", recipe.hash, edits(recipe)),
        ]);
    }
    table
}

/// How many edits, and which; operations by their short names. Lines end between edits.
fn edits(recipe: &Recipe) -> String {
    let Some(edits) = &recipe.edits else {
        return "edits not known: a graph is missing".to_owned();
    };
    let text = format!("{}: {edits}", show::plural(edits.len(), "edit")).replace("-bn-relu", "");
    let edits = text.split("; ");
    let whole = edits.map(|edit| edit.replace(' ', &NO_BREAK.to_string()));
    whole.collect::<Vec<_>>().join("; ")
}

fn legend(book: &RecipeBook, limit: usize) -> String {
    let mark = "* no recipe is cheaper and at least as accurate";
    match book.recipes.len().saturating_sub(limit) {
        0 => mark.to_owned(),
        more => format!(
            "{mark}\n{} more with less saving: --limit 0 shows all",
            show::count(more)
        ),
    }
}

/// The best saving, and the best without any loss.
fn summary(book: &RecipeBook, query: &RecipeQuery) -> String {
    let sentence = |recipe: &Recipe| {
        let change = recipe.accuracy_change;
        let price = if change < 0.0 {
            format!("for {} of accuracy", points(-change))
        } else {
            format!("and {} of accuracy gained", points(change))
        };
        format!("{:.1} % {price} ({})", recipe.saving * 100.0, recipe.hash)
    };
    let mut text = format!(
        "{} of {} cells cost less and lose at most {}{}.",
        show::count(book.recipes.len()),
        show::count(book.compared),
        tolerated(query),
        within_edits(query)
    );
    let best = book.recipes.first();
    if let Some(best) = best {
        text += &format!("\nBest saving: {}.", sentence(best));
    }
    let free = book
        .recipes
        .iter()
        .find(|recipe| recipe.accuracy_change >= 0.0);
    if let Some(free) = free.filter(|free| Some(free.hash) != best.map(|best| best.hash)) {
        text += &format!("\nWithout loss: {}.", sentence(free));
    }
    text
}

/// What the numbers rest on.
fn conditions(
    view: &View<'_>,
    book: &RecipeBook,
    query: &RecipeQuery,
    intensity: Option<&str>,
) -> Result<String, Failure> {
    let also: Vec<String> = book.recipes.first().map_or_else(Vec::new, |recipe| {
        let others = recipe.elsewhere.iter();
        others
            .map(|other| format!("`{}` at {}", other.table, other.budget))
            .collect()
    });
    let pue = match (query.site.pue(), book.contained_pue) {
        (Some(pue), Some(contained)) => format!("restated from PUE {contained} to PUE {pue}"),
        (_, Some(contained)) => format!("PUE {contained} as contained in it"),
        _ => "with the PUE that it contains, which is not stated".to_owned(),
    };
    let mut text = format!(
        "Energy {}, {} {}.\nCO2e computed from energy at {} g/kWh, {pue}.\n",
        origin(view, query, Metric::Energy)?,
        show::title(query.accuracy.name()),
        origin(view, query, query.accuracy)?,
        query.site.intensity_g_per_kwh(),
    );
    if let Some(source) = intensity {
        text += &format!("Carbon intensity: {source}.\n");
    }
    if !also.is_empty() {
        text += &format!("The same holds in {}.\n", also.join(", "));
    }
    let unknown = query.most_edits.map(|_| view.table().unknown_structure());
    if let Some(unknown) = unknown.filter(|unknown| *unknown > 0) {
        text += &format!(
            "Left out, since their structure is unknown and edits cannot be counted: {}.\n",
            show::plural(unknown, "cell")
        );
    }
    if book.missing > 0 {
        text += &format!(
            "Left out for a missing value: {}.\n",
            show::plural(book.missing, "cell")
        );
    }
    let table = view.table();
    if table.trial_count() == 0 {
        // What was not spent.
        let mut all = 0.0;
        for budget in table.budgets() {
            let energies = table
                .view(budget)?
                .column(Metric::Energy)?
                .iter()
                .sum::<f64>();
            all += energies;
        }
        text += &format!(
            "To train them all at every budget would take {} kWh, what a Dane uses in {:.0} years.\n",
            show::count(all.round()),
            all / DANE_KWH_PER_YEAR
        );
    }
    if query.cautious {
        text +=
            "Cautious: estimates of the recipes are taken at the worse end of their intervals.\n";
        text += &format!("{}\n", show::INTERVALS);
    }
    Ok(text)
}

/// Where the values of a metric come from, of the rows that are compared.
pub fn origin(view: &View<'_>, query: &RecipeQuery, metric: Metric) -> Result<String, Failure> {
    let parts = match query.rows_on_scale(view)? {
        Some(rows) => view.provenance_in(metric, &rows)?,
        None => view.provenance(metric)?,
    };
    Ok(show::origin(&parts))
}

/// The limit on edits, behind a sentence.
fn within_edits(query: &RecipeQuery) -> String {
    let most = query.most_edits.map(|most| show::plural(most, "edit"));
    most.map_or_else(String::new, |most| format!(", within {most}"))
}

/// How much may be lost.
fn tolerated(query: &RecipeQuery) -> String {
    match query.tolerated_loss {
        Loss::Absolute(loss) => points(loss),
        Loss::Relative(loss) => format!("{} % of the reference's accuracy", decimal(loss)),
    }
}

/// A fraction in hundredths, without zeros at its end.
fn decimal(fraction: f64) -> String {
    let text = format!("{:.2}", fraction * 100.0);
    text.trim_end_matches('0').trim_end_matches('.').to_owned()
}

/// A fraction as percentage points.
fn points(fraction: f64) -> String {
    let points = decimal(fraction);
    format!("{points} point{}", if points == "1" { "" } else { "s" })
}

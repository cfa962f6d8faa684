//! What people read: numbers, lists and sentences.

use std::io::Write;

use ecnas::cell::CellHash;
use ecnas::metrics::{Budget, Provenance, Unit};
use ecnas::snapshot::{Repeats, Row, Sealed, View};

use crate::failure::Failure;
use crate::layout::NARROW;
use crate::screen;
use crate::values::{self, object};

/// A hash in a table: on a narrow screen, its first digits.
pub fn hash(hash: CellHash) -> String {
    let whole = hash.to_string();
    match whole.get(..8) {
        Some(start) if screen::width() < NARROW => format!("{start}…"),
        _ => whole,
    }
}

/// A line that says so where tables hold shortened hashes.
pub fn hashes_note() -> &'static str {
    match screen::width() < NARROW {
        true => {
            "Hashes are shortened on screens below 90 columns; --csv and --json print whole ones.\n"
        }
        false => "",
    }
}

/// How a unit is shown: accuracies in percent.
pub fn unit(unit: Unit) -> &'static str {
    match unit {
        Unit::Fraction => "%",
        other => other.symbol(),
    }
}

/// A column's name for people, without its unit.
pub fn title(column: &str) -> String {
    let symbol = match Unit::of_name(column) {
        Unit::KilowattHour => "_kwh",
        Unit::GramPerKilowattHour => "_g_per_kwh",
        Unit::Gram => "_g",
        Unit::Second => "_s",
        _ => "",
    };
    match column.strip_suffix(symbol).unwrap_or(column) {
        "macs" => "MACs".to_owned(),
        name => name.replace('_', " ").replace("co2e", "CO2e"),
    }
}

/// How many decimals a column needs so that its smallest value has four digits.
pub fn decimals(values: impl IntoIterator<Item = f64>, unit: Unit) -> usize {
    let mut least = f64::INFINITY;
    let mut whole = true;
    for value in values.into_iter().filter(|value| value.is_finite()) {
        whole &= value.fract() == 0.0;
        if value != 0.0 {
            least = least.min(value.abs());
        }
    }
    match unit {
        Unit::Fraction => 2,
        Unit::Count | Unit::Epoch if whole => 0,
        _ if least.is_infinite() => 0,
        _ => (3.0 - least.log10().floor()).clamp(0.0, 8.0) as usize,
    }
}

/// A value with so many decimals, thousands grouped, accuracies in percent; a dash where it is missing.
pub fn figure(value: Option<f64>, unit: Unit, decimals: usize) -> String {
    match value.filter(|value| value.is_finite()) {
        None => "-".to_owned(),
        Some(value) if unit == Unit::Fraction => format!("{:.2}", value * 100.0),
        Some(value) => group(&format!("{value:.decimals$}")),
    }
}

/// A number by itself; great counts in millions.
pub fn alone(value: f64, unit: Unit) -> String {
    if unit == Unit::Count && value >= 1e8 {
        return group(&format!("{:.1}", value / 1e6)) + " M";
    }
    figure(Some(value), unit, decimals([value], unit))
}

/// A count with its thousands grouped.
pub fn count(value: impl ToString) -> String {
    group(&value.to_string())
}

fn group(number: &str) -> String {
    let (whole, rest) = number
        .find('.')
        .map_or((number, ""), |dot| number.split_at(dot));
    let digits = whole.trim_start_matches('-').len();
    let mut grouped = String::new();
    let mut left = digits;
    for character in whole.chars() {
        if character != '-' {
            if left != digits && left.is_multiple_of(3) {
                grouped.push(',');
            }
            left -= 1;
        }
        grouped.push(character);
    }
    grouped + rest
}

/// So many of a thing, with an `s` where they are not one.
pub fn plural(number: impl ToString, thing: &str) -> String {
    let number = count(number);
    let plural = if number == "1" { "" } else { "s" };
    format!("{number} {thing}{plural}")
}

/// A number of bytes.
pub fn bytes(bytes: u64) -> String {
    indicatif::HumanBytes(bytes).to_string()
}

/// `4, 12 and 36`.
pub fn list(items: &[String]) -> String {
    match items {
        [] => "none".to_owned(),
        [only] => only.clone(),
        [first @ .., last] => format!("{} and {last}", first.join(", ")),
    }
}

/// The numbers of budgets as a list.
pub fn budgets(budgets: impl Iterator<Item = Budget>) -> String {
    list(
        &budgets
            .map(|budget| budget.get().to_string())
            .collect::<Vec<_>>(),
    )
}

/// How repeats became one value.
pub fn repeats(view: &View<'_>) -> String {
    match view.repeats() {
        _ if view.trial_count() == 0 => "no trials".to_owned(),
        Repeats::Min => "least of the repeats".to_owned(),
        Repeats::Max => "greatest of the repeats".to_owned(),
        Repeats::Given(number) => format!("repeat {number}"),
        Repeats::Draw { seed } => format!("one repeat each, drawn with seed {seed}"),
        _ if view.trial_count() == view.rows().count() => "one trial each".to_owned(),
        _ => "mean of the repeats".to_owned(),
    }
}

/// A figure of a row, marked where it is an estimate beside values of trials.
pub fn estimate(figure: String, row: Row<'_, '_>, column: &str) -> String {
    if row.view().is_mixed() && row.is_estimate(column) {
        format!("~{figure}")
    } else {
        figure
    }
}

/// Where the values of a column come from; where from several places, with the number of cells of each.
pub fn origin(parts: &[(Provenance, usize)]) -> String {
    match parts {
        [(only, _)] => only.to_string(),
        parts => {
            let parts = parts.iter();
            let parts = parts.map(|(own, rows)| format!("{own} ({})", plural(rows, "cell")));
            list(&parts.collect::<Vec<_>>())
        }
    }
}

/// What the ends of intervals are worth; said wherever they are used.
pub const INTERVALS: &str = "Intervals hold nine in ten training runs like those that the model learned from; runs that are \
trained or metered\notherwise lie elsewhere.";

/// Prints what was sealed: in one line, or as JSON.
pub fn sealed(sealed: &Sealed, json: bool) -> Result<(), Failure> {
    if json {
        return values::print(&object! {
            "snapshot": sealed.path.display().to_string(),
            "bytes": sealed.bytes,
            "tables": sealed.tables,
            "trials": sealed.trials,
        });
    }
    let mut out = values::stdout();
    let trials = match sealed.trials {
        0 => "no trials: all predicted".to_owned(),
        trials => plural(trials, "trial"),
    };
    writeln!(
        out,
        "{}: {}, {trials}, {}",
        sealed.path.display(),
        plural(sealed.tables, "table"),
        bytes(sealed.bytes)
    )?;
    Ok(out.flush()?)
}

/// Which view this is: table, budget, rows and repeats; and which other budgets there are, where none was asked for.
/// Below it, the columns whose trials and estimates are on two scales.
pub fn heading(view: &View<'_>, asked: bool) -> Result<String, Failure> {
    let others = || {
        view.table()
            .budgets()
            .filter(|&budget| budget != view.budget())
    };
    let others = match others().count() {
        0 => String::new(),
        _ if asked => String::new(),
        _ => format!(" (its largest budget; it also has {})", budgets(others())),
    };
    let trials = match view.trial_count() {
        0 => "all predicted: none was trained".to_owned(),
        trials if view.is_mixed() => {
            format!("{}; ~ marks what is predicted", plural(trials, "trial"))
        }
        1 => "1 trial".to_owned(),
        trials if trials == view.rows().count() => format!("{}, one each", plural(trials, "trial")),
        trials => format!("{}, {}", plural(trials, "trial"), repeats(view)),
    };
    Ok(format!(
        "{} at {}{others}\n{}, {trials}{}",
        view.table().name(),
        view.budget(),
        plural(view.rows().count(), "cell"),
        two_scales(view)?,
    ))
}

/// A line on the columns whose trials and estimates cannot be compared, and why; nothing where there are none.
fn two_scales(view: &View<'_>) -> Result<String, Failure> {
    let mut columns = Vec::new();
    let mut why = String::new();
    for name in view.column_names() {
        if let Some([trials, estimates]) = view.two_scales(name)? {
            columns.push(name.to_owned());
            why = format!("trials ({trials}), estimates ({estimates})");
        }
    }
    Ok(match columns.is_empty() {
        true => String::new(),
        false => format!(
            "\nTwo scales, not to be compared, in {}: {why}",
            list(&columns)
        ),
    })
}

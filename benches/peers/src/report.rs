//! One table: medians, and their ratios to those of `ecnas`.

use std::fmt::Write;

use crate::cases::Case;
use crate::timing::Outcome;

/// A peer's outcomes, one for each case.
pub struct Column {
    pub name: String,
    pub outcomes: Vec<Option<Outcome>>,
}

/// Every answer that differs from the scan's or, where it gave none, from that of the first peer that gave one.
pub fn disagreements(cases: &[Case], columns: &[Column]) -> Vec<String> {
    let mut found = Vec::new();
    for (number, case) in cases.iter().enumerate() {
        let told = |column: &&Column| {
            column.outcomes[number]
                .as_ref()
                .is_some_and(|own| !own.answers.is_empty())
        };
        let scan = columns
            .iter()
            .filter(told)
            .find(|column| column.name == "scan");
        let Some(judge) = scan.or_else(|| columns.iter().find(told)) else {
            continue;
        };
        let expected = &judge.outcomes[number].as_ref().expect("told").answers;
        for column in columns.iter().filter(told) {
            let answers = &column.outcomes[number].as_ref().expect("told").answers;
            let pairs = expected.iter().zip(answers);
            let wrong = pairs.clone().position(|(a, b)| !a.agrees(b));
            if let Some(place) = wrong {
                found.push(format!(
                    "{}, question {place}: {} says {:?}, {} says {:?}",
                    case.title, judge.name, expected[place], column.name, answers[place]
                ));
            } else if expected.len() != answers.len() {
                found.push(format!(
                    "{}: {} answers by {}, {} by {}",
                    case.title,
                    expected.len(),
                    judge.name,
                    answers.len(),
                    column.name
                ));
            }
        }
    }
    found
}

fn seconds(time: f64) -> String {
    let (scale, unit) = match time {
        ..1e-6 => (1e9, "ns"),
        ..1e-3 => (1e6, "us"),
        ..1.0 => (1e3, "ms"),
        _ => (1.0, "s"),
    };
    let number = time * scale;
    let digits = if number < 9.95 { 1 } else { 0 };
    format!("{number:.digits$} {unit}")
}

fn ratio(times: f64) -> String {
    match times {
        ..0.1 => format!("{times:.3}x"),
        ..9.95 => format!("{times:.2}x"),
        _ => format!("{times:.0}x"),
    }
}

/// The first column is that of `ecnas`.
pub fn table(cases: &[Case], columns: &[Column]) -> String {
    let mut text = String::from("| query | goal |");
    for column in columns {
        let _ = write!(text, " {} |", column.name);
    }
    text += "\n| --- | --- |";
    text += &" --- |".repeat(columns.len());
    text += "\n";
    let mut row = |title: &str, goal: &str, figures: Vec<Option<f64>>| {
        let _ = write!(text, "| {title} | {goal} |");
        let ours = figures.first().copied().flatten();
        for (number, figure) in figures.iter().enumerate() {
            let _ = match (figure, ours) {
                (Some(figure), Some(ours)) if number > 0 => {
                    write!(text, " {} ({}) |", seconds(*figure), ratio(figure / ours))
                }
                (Some(figure), _) => write!(text, " {} |", seconds(*figure)),
                _ => write!(text, " |"),
            };
        }
        text += "\n";
    };
    for (number, case) in cases.iter().enumerate() {
        let outcomes = || {
            columns
                .iter()
                .map(|column| column.outcomes[number].as_ref())
        };
        row(
            &case.title,
            case.goal,
            outcomes().map(|own| Some(own?.median)).collect(),
        );
        if case.cold {
            let cold = outcomes().map(|own| own?.cold).collect();
            row(&format!("{}, cold", case.title), case.goal, cold);
        }
    }
    text
}

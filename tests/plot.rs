//! Pictures: ticks on both axes, labels that do not cover each other, cells as points where they are few, and XML that is
//! valid whatever names are in a table.
#![cfg(all(feature = "import", feature = "plot"))]

use std::path::Path;

use ecnas::cell::Space;
use ecnas::metrics::{Budget, Checkpoint, Metric, Provenance, Provenances, TableInfo, Trial};
use ecnas::plot;
use ecnas::query::RecipeQuery;
use ecnas::snapshot::{Snapshot, SnapshotWriter};

mod common;

/// A snapshot's only table at its largest budget, as SVG.
fn svg_of(snapshot: &Path) -> String {
    let snapshot = Snapshot::open(snapshot).unwrap();
    let table = snapshot.only_table().unwrap();
    let view = table.view(table.budgets().last().unwrap()).unwrap();
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("picture.svg");
    plot::draw(&view, &RecipeQuery::default(), &path).unwrap();
    std::fs::read_to_string(path).unwrap()
}

/// The picture of a table of cells with these energies and accuracies.
fn svg(info: TableInfo, values: impl IntoIterator<Item = (f64, f64)>) -> String {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("table.ecnas");
    let mut writer = SnapshotWriter::create(&path).unwrap();
    writer.begin_table(info).unwrap();
    let space = Space::new(6, 9);
    for ((hash, cell), (energy, accuracy)) in space.iter().zip(values) {
        let mut trial = Trial::new(hash, Budget::epochs(108).unwrap(), 1);
        trial.cell = Some(cell);
        let mut last = Checkpoint::default();
        last.values.set(Metric::Energy, energy);
        last.values.set(Metric::ValidationAccuracy, accuracy);
        trial.checkpoints = vec![last];
        writer.add(&trial).unwrap();
    }
    writer.finish().unwrap();
    svg_of(&path)
}

fn named(name: &str) -> TableInfo {
    TableInfo {
        name: name.to_owned(),
        ..TableInfo::default()
    }
}

/// A text of a picture, and the box it takes.
#[derive(Debug)]
struct Label {
    text: String,
    left: f64,
    right: f64,
    top: f64,
    bottom: f64,
    is_turned: bool,
}

fn labels(svg: &str) -> Vec<Label> {
    let document = roxmltree::Document::parse(svg).unwrap();
    let texts = document
        .descendants()
        .filter(|node| node.has_tag_name("text"));
    let labels = texts.map(|node| {
        let number = |name: &str| -> f64 { node.attribute(name).unwrap().parse().unwrap() };
        let text = node.text().unwrap_or_default().trim().to_owned();
        let size = number("font-size");
        // Most letters of sans-serif fonts are narrower.
        let width = 0.55 * size * text.chars().count() as f64;
        let left = number("x")
            - match node.attribute("text-anchor") {
                Some("middle") => width / 2.0,
                Some("end") => width,
                _ => 0.0,
            };
        let below = match node.attribute("dy") {
            Some("0.76em") => 0.76,
            Some("0.5ex") => 0.25,
            _ => 0.0,
        };
        let bottom = number("y") + below * size;
        Label {
            text,
            left,
            right: left + width,
            top: bottom - 0.8 * size,
            bottom,
            is_turned: node.attribute("transform").is_some(),
        }
    });
    labels.collect()
}

/// Checks the ticks and the places of all labels.
fn check(svg: &str) {
    let labels = labels(svg);
    let upright: Vec<&Label> = labels.iter().filter(|label| !label.is_turned).collect();
    for (number, one) in upright.iter().enumerate() {
        assert!(one.left >= 0.0 && one.right <= 1200.0, "{one:?}");
        for other in &upright[number + 1..] {
            let apart = one.right < other.left
                || other.right < one.left
                || one.bottom < other.top
                || other.bottom < one.top;
            assert!(apart, "{one:?}\n{other:?}");
        }
    }
    let ticks = |is_axis: fn(&Label) -> bool| {
        let ticks = upright
            .iter()
            .filter(|label| label.text.parse::<f64>().is_ok());
        ticks.filter(|label| is_axis(label)).count()
    };
    let (x, y) = (
        ticks(|label| label.top > 725.0),
        ticks(|label| label.right < 84.0),
    );
    assert!(
        (3..=12).contains(&x) && (3..=12).contains(&y),
        "{x}, {y}: {labels:?}"
    );
}

fn circles(svg: &str) -> usize {
    svg.matches("<circle").count()
}

#[test]
fn both_axes_have_ticks_and_no_label_covers_another() {
    let spread = |count: usize| {
        (0..count).map(move |number| {
            let part = number as f64 / count as f64;
            (0.1 + part, 0.8 + 0.15 * part * (2.0 - part))
        })
    };
    for values in [
        vec![(0.2, 0.9)],
        vec![(0.2, 0.9), (0.2, 0.9)],
        vec![(1e-9, 0.1), (1.0, 0.8), (1e9, 0.9)],
        vec![(1e-300, 0.0), (1e300, 1.0)],
        vec![(0.13, 0.93), (0.65, 0.931)],
        spread(91).collect(),
        spread(4000).collect(),
    ] {
        check(&svg(named("table"), values));
    }
    check(&svg(named(&"long name ".repeat(60)), spread(91)));
}

#[test]
fn pictures_of_the_released_files_are_legible() {
    for (file, budgets) in [
        ("energy_4V9E_4epochs", &[4, 12, 36, 108][..]),
        ("energy_5V9E_4epochs", &[4]),
    ] {
        let Some(path) = common::data(&format!("ec-nas/{file}.tfrecord")) else {
            return;
        };
        let folder = tempfile::tempdir().unwrap();
        let mut store = ecnas::store::Store::open(folder.path().join("store")).unwrap();
        let go_on = |_| std::ops::ControlFlow::Continue(());
        let refuse = ecnas::store::OnDuplicate::Refuse;
        ecnas::ingest(&mut store, &path, None, &Default::default(), refuse, go_on).unwrap();
        let sealed = folder.path().join("sealed");
        ecnas::seal_tables(&mut store, &[], &sealed, |_| {
            std::ops::ControlFlow::Continue(())
        })
        .unwrap();
        let snapshot = Snapshot::open(&sealed).unwrap();
        for &budget in budgets {
            let view = snapshot
                .view(file, Budget::epochs(budget).unwrap())
                .unwrap();
            let picture = folder.path().join("picture.svg");
            plot::draw(&view, &RecipeQuery::default(), &picture).unwrap();
            check(&std::fs::read_to_string(picture).unwrap());
        }
    }
}

#[test]
fn few_cells_are_drawn_as_points_alone_and_many_as_squares() {
    let values = |count: usize| (0..count).map(move |number| (1.0 + number as f64, 0.9));
    let few = svg(named("few"), values(91));
    // The frame of the reference and the page, and no square; a point for each cell, and marks.
    assert!(few.matches("<rect").count() <= 6, "{few}");
    assert!(circles(&few) >= 91);
    let many = svg(named("many"), values(4000));
    assert!(many.matches("<rect").count() > 100);
    assert!(circles(&many) < 91);
}

#[test]
fn names_with_control_characters_make_valid_svg() {
    let model = "a <b> & \"c\" \u{1}\u{1b}[31m\u{7f}\u{9b}\u{202e}\u{ffff}ä".to_owned();
    let predicted = Provenance::Predicted { model };
    let info = TableInfo {
        provenance: Provenances::uniform(predicted),
        ..named("table \u{0}\u{1b}]0;x\u{7} \u{fffe} <&>")
    };
    let svg = svg(info, [(0.2, 0.9), (0.1, 0.895)]);
    let labels = labels(&svg);
    let texts: Vec<&str> = labels.iter().map(|label| label.text.as_str()).collect();
    assert!(
        texts[0].contains("table \u{fffd}\u{fffd}]0;x\u{fffd} \u{fffd} <&>"),
        "{texts:?}"
    );
    assert!(
        texts[1].contains("a <b> & \"c\" \u{fffd}\u{fffd}[31m"),
        "{texts:?}"
    );
    let acts = |c: char| c != '\n' && (c.is_control() || matches!(c, '\u{202e}' | '\u{ffff}'));
    assert!(!svg.contains(acts));
}

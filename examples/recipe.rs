//! What costs less energy than my best cell, and loses at most one point of accuracy?
//!
//! `cargo run --release --features import --example recipe`

use std::{error::Error, ops::ControlFlow};

use ecnas::{import::ImportOptions, query::RecipeQuery, snapshot::Snapshot, store::Store};

fn main() -> Result<(), Box<dyn Error>> {
    let folder = tempfile::tempdir()?;
    let (file, sealed) = (
        "examples/nine-cells.csv".as_ref(),
        folder.path().join("nine.ecnas"),
    );

    // Once: from a released file, or your own measurements, to a sealed snapshot.
    let mut store = Store::open(folder.path().join("nine.redb"))?;
    let go_on = |_| ControlFlow::Continue(());
    ecnas::ingest(
        &mut store,
        file,
        None,
        &ImportOptions::default(),
        Default::default(),
        go_on,
    )?;
    ecnas::seal(&mut store, &sealed)?;

    // From then on, in any number of processes: open, and ask.
    let snapshot = Snapshot::open(&sealed)?;
    let view = snapshot.view("nine-cells", "108".parse()?)?;
    let book = ecnas::query::recipes(&view, &RecipeQuery::default())?;
    println!(
        "reference: {} at {} kWh",
        book.reference.hash.ok_or("no cell")?,
        book.reference.energy_kwh
    );
    for recipe in &book.recipes {
        let (saving, change) = (100.0 * recipe.saving, 100.0 * recipe.accuracy_change);
        println!(
            "{saving:.0} % less energy for {change:+.2} points: {}",
            recipe.edits.as_ref().ok_or("no graph")?
        );
    }
    Ok(())
}

//! `ecnas import`: from files to a store.

use std::fs;
use std::path::{Path, PathBuf};

use clap::ValueEnum;
use ecnas::Ingested;
use ecnas::carbon::check_pue;
use ecnas::import::{Import, ImportOptions, Imported, Note};
use ecnas::metrics::{Budget, Provenance, Provenances, Trial};
use ecnas::store::{Counts, OnDuplicate, Store};
use serde_json::Value;

use crate::cache::hex;
use crate::failure::Failure;
use crate::open::{self, Kind};
use crate::screen;
use crate::show;
use crate::values::{self, Object, object};
use crate::work::{self, Work};

/// Import released files, folders of results, or CSV into a store
///
/// Each file or folder is one transaction: all of it, or nothing. Importing the same file again changes nothing.
#[derive(clap::Args)]
pub struct Args {
    /// The store; made where there is none
    #[arg(long, short)]
    store: PathBuf,
    /// TFRecord files of EC-NAS or NAS-Bench-101, folders of results.json files, or CSV files with named columns
    #[arg(required = true, value_name = "FILE|FOLDER")]
    sources: Vec<PathBuf>,
    /// Name of the table, for a single source [default: the file's name without its extension]
    #[arg(long, short, value_name = "NAME")]
    table: Option<String>,
    /// File of generated graphs that a folder of results belongs to
    #[arg(long, value_name = "FILE")]
    graphs: Option<PathBuf>,
    /// Budget of CSV rows that name none, in epochs
    #[arg(long, value_name = "EPOCHS")]
    budget: Option<Budget>,
    /// Unit of a CSV column whose header names none, such as energy=Wh
    #[arg(long = "unit", value_name = "HEADER=UNIT", value_parser = unit)]
    units: Vec<(String, String)>,
    /// Where the values come from: measured, scaled, averaged, copied, computed, unstated, or `predicted by MODEL`
    #[arg(long, value_name = "WORD", value_parser = provenance)]
    provenance: Option<Provenance>,
    /// Device that trained the networks
    #[arg(long, value_name = "TEXT")]
    device: Option<String>,
    /// Data set that they were trained on
    #[arg(long, value_name = "TEXT")]
    data_set: Option<String>,
    /// Who published the values, and where
    #[arg(long, value_name = "TEXT")]
    origin: Option<String>,
    /// Licence of the values
    #[arg(long, value_name = "TEXT")]
    licence: Option<String>,
    /// Power usage effectiveness that the energies contain: the energy of the whole data center, divided by that of its
    /// devices
    #[arg(long, value_name = "FACTOR", value_parser = pue)]
    pue: Option<f64>,
    /// What to do with a cell, budget and repeat that the table has with other values
    #[arg(long, value_enum, default_value = "refuse")]
    on_duplicate: Duplicate,
    /// Print JSON
    #[arg(long)]
    json: bool,
}

#[derive(Clone, Copy, ValueEnum)]
enum Duplicate {
    /// An error
    Refuse,
    /// The table's trial stays
    Keep,
    /// The new trial takes its place
    Replace,
    /// The new trial becomes the cell's next repeat
    Renumber,
}

/// Hands every trial of a source to `each`, with progress; Ctrl-C ends it. What is known of the source comes back.
pub fn each_trial(
    path: &Path,
    options: &ImportOptions,
    mut each: impl FnMut(&Trial) -> Result<(), Failure>,
) -> Result<Imported, Failure> {
    let mut import = Import::open(path, options).map_err(Failure::of)?;
    let work = Work::of(&path.display().to_string(), 0, "bytes");
    while let Some(batch) = import.next() {
        batch.map_err(Failure::of)?.iter().try_for_each(&mut each)?;
        let so_far = import.progress();
        if work.at(so_far.bytes_read, so_far.bytes_total).is_break() || work::interrupted() {
            return Err(Failure::error("interrupted"));
        }
    }
    import.finish().map_err(Failure::of)
}

/// Says on standard error what was left out of a source that is not kept as a table of its own.
pub fn tell_left_out(path: &Path, notes: &[Note]) {
    for note in notes.iter().filter(|note| note.is_left_out()) {
        screen::note(format!("{}: {note}", path.display()));
    }
}

/// Runs the command.
pub fn run(args: &Args) -> Result<(), Failure> {
    if args.table.is_some() && args.sources.len() > 1 {
        return Err(Failure::usage(
            "--table names the table of one source, found several; import them one by one, or leave it out",
        ));
    }
    let new = open::kind(&args.store) == Kind::Absent;
    let mut done = Vec::new();
    let mut store = Store::open(&args.store)?;
    let outcome = import(&mut store, args, &mut done);
    if new && store.tables().is_ok_and(|tables| tables.is_empty()) {
        // A store that nothing came into: leave the folder as it was, while no other process can have it open. If that
        // fails, the error to tell is the first.
        let _ = fs::remove_file(&args.store);
    }
    drop(store);
    if args.json {
        let imported: Vec<Value> = done.iter().map(|done| json(done).into()).collect();
        let store = args.store.display().to_string();
        values::print(&object! { "store": store, "imported": imported })?;
    }
    outcome
}

fn import<'a>(
    store: &mut Store,
    args: &'a Args,
    done: &mut Vec<(&'a Path, Ingested)>,
) -> Result<(), Failure> {
    let mut options = ImportOptions::default();
    options.graphs.clone_from(&args.graphs);
    options.budget = args.budget;
    options.units = args.units.iter().cloned().collect();
    options.provenance = args.provenance.clone().map(Provenances::uniform);
    options.device.clone_from(&args.device);
    options.data_set.clone_from(&args.data_set);
    options.origin.clone_from(&args.origin);
    options.licence.clone_from(&args.licence);
    options.pue = args.pue;
    let on_duplicate = match args.on_duplicate {
        Duplicate::Refuse => OnDuplicate::Refuse,
        Duplicate::Keep => OnDuplicate::Keep,
        Duplicate::Replace => OnDuplicate::Replace,
        Duplicate::Renumber => OnDuplicate::Renumber,
    };
    for source in &args.sources {
        let work = Work::of(&format!("importing {}", source.display()), 0, "bytes");
        let table = args.table.as_deref();
        let ingested = ecnas::ingest(store, source, table, &options, on_duplicate, |so_far| {
            work.at(so_far.bytes_read, so_far.bytes_total)
        })?;
        drop(work);
        if !args.json {
            tell(&ingested)?;
        }
        done.push((source, ingested));
        if work::interrupted() {
            return Err(Failure::error("interrupted before the next source"));
        }
    }
    Ok(())
}

fn tell(ingested: &Ingested) -> Result<(), Failure> {
    use std::io::Write;
    let mut out = values::stdout();
    write!(out, "{}: {}", ingested.table, counts(ingested.counts))?;
    for source in &ingested.info.sources {
        write!(out, " ({}, {})", source.format, show::bytes(source.bytes))?;
    }
    writeln!(out)?;
    for note in &ingested.notes {
        writeln!(out, "  note: {note}")?;
    }
    Ok(out.flush()?)
}

fn counts(counts: Counts) -> String {
    let mut text = format!("{} added", show::plural(counts.added, "trial"));
    for (number, what) in [
        (counts.renumbered, "of them renumbered"),
        (counts.replaced, "replaced"),
        (counts.kept, "with other values left out"),
        (counts.unchanged, "there already"),
    ] {
        if number > 0 {
            text += &format!(", {} {what}", show::count(number));
        }
    }
    text
}

fn json((source, ingested): &(&Path, Ingested)) -> Object {
    let counts = ingested.counts;
    let mut object = object! {
        "source": source.display().to_string(),
        "table": ingested.table.as_str(),
        "added": counts.added,
        "unchanged": counts.unchanged,
        "kept": counts.kept,
        "replaced": counts.replaced,
        "renumbered": counts.renumbered,
    };
    if let Some(source) = ingested.info.sources.last() {
        object.extend(object! {
            "format": source.format.as_str(),
            "bytes": source.bytes,
            "sha256": hex(&source.sha256),
            "trials": source.trials,
        });
    }
    let notes: Vec<_> = ingested.notes.iter().map(ToString::to_string).collect();
    object.extend(object! { "notes": notes });
    object
}

pub fn pue(text: &str) -> Result<f64, String> {
    let pue = text.parse().map_err(|_| "expected a number".to_owned())?;
    check_pue(pue).map_err(|error| error.to_string())
}

fn unit(text: &str) -> Result<(String, String), String> {
    let pair = text.split_once('=');
    let pair = pair.map(|(header, unit)| (header.to_owned(), unit.to_owned()));
    pair.ok_or("expected HEADER=UNIT, such as energy=Wh".to_owned())
}

pub fn provenance(text: &str) -> Result<Provenance, String> {
    Provenance::parse(text).ok_or(
        "expected measured, scaled, averaged, copied, computed, unstated, or `predicted by MODEL`"
            .to_owned(),
    )
}

//! `ecnas build`: a benchmark of the whole search space.

use std::io::Write;
use std::ops::ControlFlow;
use std::path::PathBuf;

use ecnas::benchmark::Builder;
use ecnas::import::{Import, ImportOptions};
use ecnas::metrics::{Provenance, Provenances};
use ecnas::surrogate::Surrogate;

use crate::cache;
use crate::failure::Failure;
use crate::import;
use crate::show;
use crate::values;
use crate::work::{self, Work};

/// Build a benchmark of all 423,624 cells: predicted, and measured where files say more
#[derive(clap::Args)]
pub struct Args {
    /// Where the snapshot goes
    #[arg(long, short, value_name = "FILE")]
    output: PathBuf,
    /// NAS-Bench-101 file whose accuracies and times are taken, so that only the energy is predicted
    #[arg(long, value_name = "FILE", conflicts_with = "overlay")]
    accuracy: Option<PathBuf>,
    /// File or folder of measured trials that go before predictions, cell by cell
    #[arg(long, value_name = "FILE")]
    overlay: Option<PathBuf>,
    /// Where the values of those trials come from, if the file does not say: measured, scaled, averaged, copied, computed,
    /// unstated, or `predicted by MODEL`
    #[arg(long, value_name = "WORD", value_parser = import::provenance)]
    provenance: Option<Provenance>,
}

/// Runs the command.
pub fn run(args: &Args) -> Result<(), Failure> {
    let measured = args.accuracy.as_ref().or(args.overlay.as_ref());
    let surrogate = Surrogate::embedded();
    let mut options = ImportOptions::default();
    options.provenance = args.provenance.clone().map(Provenances::uniform);
    let info = match measured {
        // What is known of a source is known at its end: it is read twice, and kept in memory never.
        Some(path) => {
            let _work = Work::open_ended("reading what is known of the source");
            let import = Import::open(path, &options).map_err(Failure::error)?;
            Some(import.finish().map_err(Failure::error)?.info)
        }
        None => None,
    };
    let mut builder = Builder::new(&args.output, surrogate, info)?;
    if args.accuracy.is_some() {
        builder = builder.energy_only();
    }
    if let Some(path) = measured {
        let mut import = Import::open(path, &options).map_err(Failure::error)?;
        let work = Work::of(&path.display().to_string(), 0, "bytes");
        while let Some(batch) = import.next() {
            for trial in batch.map_err(Failure::error)? {
                builder.add(&trial)?;
            }
            let progress = import.progress();
            if work.at(progress.bytes_read, progress.bytes_total) == ControlFlow::Break(())
                || work::interrupted()
            {
                return Err(Failure::error("interrupted"));
            }
        }
    }
    let sealed = builder.finish(cache::watch())?;
    let mut out = values::stdout();
    writeln!(
        out,
        "{}: {}, {}, {}",
        sealed.path.display(),
        show::plural(sealed.tables, "table"),
        show::plural(sealed.trials, "measured trial"),
        show::bytes(sealed.bytes)
    )?;
    Ok(out.flush()?)
}

//! `ecnas fit`: the surrogate's weights anew.

use std::path::{Path, PathBuf};

use ecnas::cell::Space;
use ecnas::import::{Import, ImportOptions};
use ecnas::surrogate::fit::{self, FitData, FitOptions, Trials};

use crate::failure::Failure;
use crate::work::{self, Work};

/// Fit the surrogate to measured cells, and report its errors on cells kept aside
#[derive(clap::Args)]
pub struct Args {
    /// File or folder whose energy at 4 epochs is to be predicted, as often as needed
    #[arg(long, value_name = "FILE", required = true)]
    energy: Vec<PathBuf>,
    /// File or folder with trials on the GPU: time at 4 epochs, and how energy and time grow with the epochs
    #[arg(long, value_name = "FILE", required = true)]
    gpu: Vec<PathBuf>,
    /// File or folder with accuracies, and the time of 108 epochs on the TPU
    #[arg(long, value_name = "FILE", required = true)]
    accuracy: Vec<PathBuf>,
    /// Where the weights go
    #[arg(long, short, value_name = "FILE")]
    output: PathBuf,
    /// The model's name, which stands in the provenance of all that it predicts
    #[arg(long, value_name = "NAME")]
    name: Option<String>,
    /// Everything random depends on it
    #[arg(long, value_name = "NUMBER", default_value_t = FitOptions::default().seed)]
    seed: u64,
    /// Passes over the rows
    #[arg(long, value_name = "NUMBER", default_value_t = FitOptions::default().epochs)]
    epochs: usize,
}

/// Runs the command.
pub fn run(args: &Args) -> Result<(), Failure> {
    let [energy, gpu, accuracy] = [
        trials(&args.energy)?,
        trials(&args.gpu)?,
        trials(&args.accuracy)?,
    ];
    let space = {
        let _work = Work::open_ended("hashing the search space");
        Space::new(7, 9)
    };
    let data = FitData::from_trials(&space, &energy, &gpu, &accuracy);
    let mut options = FitOptions::default();
    (options.seed, options.epochs) = (args.seed, args.epochs);
    if let Some(name) = &args.name {
        options.name.clone_from(name);
    }
    let (surrogate, report) = {
        let work = Work::of("fitting", 0, "passes");
        fit::fit(&data, &options, |progress| {
            work.at(progress.done, progress.total)
        })
        .map_err(Failure::error)?
    };
    let bytes = surrogate
        .to_bytes()
        .map_err(|error| Failure::error(error.to_string()))?;
    std::fs::write(&args.output, &bytes).map_err(|error| {
        Failure::error(format!("cannot write {}: {error}", args.output.display()))
    })?;
    println!("{report}");
    println!(
        "{}: {} bytes, seed {}",
        args.output.display(),
        bytes.len(),
        surrogate.seed()
    );
    Ok(())
}

fn trials(paths: &[PathBuf]) -> Result<Trials, Failure> {
    let mut trials = Trials::default();
    for path in paths {
        read(path, &mut trials)?;
    }
    Ok(trials)
}

fn read(path: &Path, trials: &mut Trials) -> Result<(), Failure> {
    let mut import = Import::open(path, &ImportOptions::default()).map_err(Failure::error)?;
    let work = Work::of(&path.display().to_string(), 0, "bytes");
    while let Some(batch) = import.next() {
        let batch = batch.map_err(Failure::error)?;
        batch.iter().for_each(|trial| trials.add(trial));
        let progress = import.progress();
        if work
            .at(progress.bytes_read, progress.bytes_total)
            .is_break()
            || work::interrupted()
        {
            return Err(Failure::error("interrupted"));
        }
    }
    Ok(())
}

//! `ecnas fit`: the surrogate's weights anew.

use std::io::Write;
use std::path::PathBuf;

use ecnas::cell::Space;
use ecnas::files;
use ecnas::import::ImportOptions;
use ecnas::surrogate::fit::{self, FitData, FitOptions, Trials};

use crate::failure::Failure;
use crate::import;
use crate::output::{self, Force, Kind};
use crate::values;
use crate::work::Work;

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
    #[command(flatten)]
    force: Force,
}

/// Runs the command.
pub fn run(args: &Args) -> Result<(), Failure> {
    let inputs = [&args.energy, &args.gpu, &args.accuracy];
    let inputs = inputs.into_iter().flatten().map(PathBuf::as_path);
    output::check(&args.output, Kind::Weights, inputs, &args.force)?;
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
        .map_err(Failure::of)?
    };
    let bytes = surrogate.to_bytes().map_err(Failure::of)?;
    files::whole(&args.output, |mut file| {
        Ok::<(), Failure>(file.write_all(&bytes)?)
    })
    .map_err(|failure| failure.within(&args.output))?;
    let mut out = values::stdout();
    writeln!(
        out,
        "{report}\n{}: {} bytes, seed {}",
        args.output.display(),
        bytes.len(),
        surrogate.seed()
    )?;
    Ok(out.flush()?)
}

fn trials(paths: &[PathBuf]) -> Result<Trials, Failure> {
    let mut trials = Trials::default();
    for path in paths {
        let imported = import::each_trial(path, &ImportOptions::default(), |trial| {
            trials.add(trial);
            Ok(())
        })?;
        import::tell_left_out(path, &imported.notes);
    }
    Ok(trials)
}

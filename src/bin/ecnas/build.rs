//! `ecnas build`: a benchmark of the whole search space.

use std::path::PathBuf;

use ecnas::benchmark::Builder;
use ecnas::import::ImportOptions;
use ecnas::metrics::{Metric, Provenance, Provenances, Setting, TableInfo, Unit};
use ecnas::surrogate::Surrogate;

use crate::cache;
use crate::failure::Failure;
use crate::import;
use crate::output::{self, Force, Kind};
use crate::screen;
use crate::show;

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
    #[command(flatten)]
    force: Force,
    /// Print JSON
    #[arg(long)]
    json: bool,
}

/// Runs the command.
pub fn run(args: &Args) -> Result<(), Failure> {
    let measured = args.accuracy.as_ref().or(args.overlay.as_ref());
    let inputs = measured.map(PathBuf::as_path);
    output::check(&args.output, Kind::Snapshot, inputs, &args.force)?;
    let surrogate = Surrogate::embedded();
    let mut options = ImportOptions::default();
    options.provenance = args.provenance.clone().map(Provenances::uniform);
    // What is known of a source is known at its end: it is read twice, and kept in memory never.
    let info = measured.map(|path| {
        let imported = import::each_trial(path, &options, |_| Ok(()))?;
        import::tell_left_out(path, &imported.notes);
        Ok::<_, Failure>(imported.info)
    });
    let info = info.transpose()?;
    let setting = info.as_ref().map(TableInfo::trial_setting);
    let mut builder = Builder::new(&args.output, surrogate, info)?;
    if args.accuracy.is_some() {
        builder = builder.energy_only();
    }
    if let Some(path) = measured {
        let mut with_energy = false;
        import::each_trial(path, &options, |trial| {
            with_energy |= trial.result(Metric::Energy).is_some();
            Ok(builder.add(trial)?)
        })?;
        if let Some(trials) = setting.filter(|_| with_energy) {
            note_scales(&trials, &surrogate.setting());
        }
    }
    let sealed = builder.finish(cache::watch())?;
    show::sealed(&sealed, args.json)
}

/// Says that measured and predicted energies cannot be compared, where that is so.
fn note_scales(trials: &Setting, predictions: &Setting) {
    if !trials.shares_scale(predictions, Unit::KilowattHour) {
        screen::note(format!(
            "trials ({trials}) and predictions ({predictions}) are on two scales of energy; recipes compare one of them: \
             --scale trials, or --scale estimates"
        ));
    }
}

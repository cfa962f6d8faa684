//! `ecnas`: import, seal, look up, and ask for recipes, from the command line.
//!
//! Each command parses its arguments, calls the library and prints; the rest is here: [`failure`] says what went wrong
//! and with which exit code, [`work`] shows progress and listens to Ctrl-C, [`open`] opens what was given, [`cache`] keeps
//! what was sealed of files given directly, [`show`] lays values out.
#![warn(missing_docs)]
#![deny(unsafe_code)]
#![warn(clippy::unwrap_used, clippy::expect_used, clippy::indexing_slicing)]

mod ask;
mod build;
mod cache;
mod device;
mod export;
mod failure;
#[cfg(feature = "fit")]
mod fit;
mod front;
mod get;
mod import;
mod info;
mod open;
mod plot;
mod predict;
mod range;
mod recipe;
mod rows;
mod seal;
mod show;
mod values;
mod verify;
mod work;

use std::process::ExitCode;

use clap::{Parser, Subcommand};

use failure::Failure;

const AFTER_HELP: &str = "\
Alone, it prints the recipe book of all 423,624 cells of NAS-Bench-101, predicted; the first time it builds it in the
cache folder, which takes some seconds.

Two commands from released files to answers that take microseconds:
  ecnas import -s STORE energy_4V9E_4epochs.tfrecord && ecnas seal -s STORE -o SNAPSHOT
  ecnas recipe SNAPSHOT
Or at once, with a copy in the cache folder: ecnas recipe energy_4V9E_4epochs.tfrecord

Environment:
  ECNAS_CACHE  folder of the default benchmark and of such copies, instead of the user's own cache folder
  ECNAS_MAP    whether snapshots are mapped into memory: `automatic` (not on network file systems), `always`, `never`

Exit codes:
  0    done
  1    an error in the data or in a file
  2    the command line makes no sense
  3    not found: no such cell, table, budget or column
  130  interrupted";

/// An embedded, energy-aware benchmark database of neural architectures
#[derive(Parser)]
#[command(name = "ecnas", version, after_help = AFTER_HELP)]
struct Cli {
    #[command(subcommand)]
    command: Option<Command>,
}

/// `ecnas` alone: the recipe book of the default benchmark.
#[derive(Parser)]
struct Bare {
    #[command(flatten)]
    recipe: recipe::Args,
}

#[derive(Subcommand)]
enum Command {
    Import(import::Args),
    Seal(seal::Args),
    Info(info::Args),
    Verify(verify::Args),
    Get(get::Args),
    Range(range::Args),
    Front(front::Args),
    Recipe(recipe::Args),
    Predict(predict::Args),
    Build(build::Args),
    Plot(plot::Args),
    Export(export::Args),
    #[cfg(feature = "fit")]
    Fit(fit::Args),
}

fn run(cli: Cli) -> Result<(), Failure> {
    work::listen()?;
    open::mapping()?;
    match cli.command {
        None => recipe::run(&Bare::parse_from(["ecnas"]).recipe),
        Some(Command::Import(args)) => import::run(&args),
        Some(Command::Seal(args)) => seal::run(&args),
        Some(Command::Info(args)) => info::run(&args),
        Some(Command::Verify(args)) => verify::run(&args),
        Some(Command::Get(args)) => get::run(&args),
        Some(Command::Range(args)) => range::run(&args),
        Some(Command::Front(args)) => front::run(&args),
        Some(Command::Recipe(args)) => recipe::run(&args),
        Some(Command::Predict(args)) => predict::run(&args),
        Some(Command::Build(args)) => build::run(&args),
        Some(Command::Plot(args)) => plot::run(&args),
        Some(Command::Export(args)) => export::run(&args),
        #[cfg(feature = "fit")]
        Some(Command::Fit(args)) => fit::run(&args),
    }
}

fn main() -> ExitCode {
    ecnas::store::silence_caught_panics();
    match run(Cli::parse()) {
        Ok(()) => ExitCode::SUCCESS,
        Err(failure) => failure.report(),
    }
}

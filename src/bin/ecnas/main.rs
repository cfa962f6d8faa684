//! `ecnas`: import, seal, look up, and ask for recipes, from the command line.
//!
//! Each command parses its arguments, calls the library and prints; the rest is here: [`failure`] says what went wrong
//! and with which exit code, [`work`] shows progress and listens to signals, [`open`] opens what was given, [`cache`] keeps
//! what was sealed of files given directly, [`output`] says where files may be written. Text leaves through [`screen`],
//! [`layout`] makes tables of it, and [`show`] words values.
#![warn(missing_docs)]
#![deny(unsafe_code)]
#![warn(clippy::unwrap_used, clippy::expect_used, clippy::indexing_slicing)]
// Text leaves through `screen`.
#![deny(clippy::print_stdout, clippy::print_stderr)]

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
mod layout;
mod open;
mod output;
mod plot;
mod predict;
mod range;
mod recipe;
mod rows;
mod screen;
mod seal;
mod show;
mod values;
mod verify;
mod work;

use std::ffi::OsString;
use std::process::ExitCode;

use clap::{Parser, Subcommand};

use failure::Failure;

const USAGE: &str = "ecnas [OPTIONS OF recipe]\n       ecnas <COMMAND>";

const AFTER_HELP: &str = "\
Alone, or with options of `recipe` alone, it prints the recipe book of all 423,624 cells of NAS-Bench-101, predicted; the
first time it builds it in the cache folder, which takes some seconds.

Two commands from released files to answers that take microseconds:
  ecnas import -s STORE energy_4V9E_4epochs.tfrecord && ecnas seal -s STORE -o SNAPSHOT
  ecnas recipe SNAPSHOT
Or at once, with a copy in the cache folder: ecnas recipe energy_4V9E_4epochs.tfrecord

Environment:
  ECNAS_CACHE  folder of the default benchmark and of such copies, instead of the user's own cache folder
  COLUMNS      width of what is printed for people, instead of the terminal's
  ECNAS_MAP    whether snapshots are mapped into memory: `automatic` (not on network file systems), `always`, `never`

Exit codes:
  0    done
  1    an error in the data or in a file
  2    the command line makes no sense
  3    not found: no such cell, table, budget or column
  130  interrupted; 143 and 129 by SIGTERM and SIGHUP";

/// An embedded, energy-aware benchmark database of neural architectures
#[derive(Parser)]
#[command(name = "ecnas", version, after_help = AFTER_HELP, override_usage = USAGE)]
struct Cli {
    #[command(subcommand)]
    command: Command,
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
    Cache(cache::Args),
    #[cfg(feature = "fit")]
    Fit(fit::Args),
}

fn run(cli: Cli) -> Result<(), Failure> {
    work::listen()?;
    open::mapping()?;
    match cli.command {
        Command::Import(args) => import::run(&args),
        Command::Seal(args) => seal::run(&args),
        Command::Info(args) => info::run(&args),
        Command::Verify(args) => verify::run(&args),
        Command::Get(args) => get::run(&args),
        Command::Range(args) => range::run(&args),
        Command::Front(args) => front::run(&args),
        Command::Recipe(args) => recipe::run(&args),
        Command::Predict(args) => predict::run(&args),
        Command::Build(args) => build::run(&args),
        Command::Plot(args) => plot::run(&args),
        Command::Export(args) => export::run(&args),
        Command::Cache(args) => cache::run(&args),
        #[cfg(feature = "fit")]
        Command::Fit(args) => fit::run(&args),
    }
}

/// The words of the command line; `recipe` is understood where options stand in its place.
fn words() -> Vec<OsString> {
    let mut words: Vec<OsString> = std::env::args_os().collect();
    let of_all = ["-h", "--help", "-V", "--version"];
    let is_recipe = words.get(1).is_none_or(|first| {
        first.as_encoded_bytes().starts_with(b"-") && !of_all.iter().any(|word| first == word)
    });
    if is_recipe {
        words.insert(words.len().min(1), "recipe".into());
    }
    words
}

fn main() -> ExitCode {
    ecnas::store::silence_caught_panics();
    let cli = match Cli::try_parse_from(words()) {
        Ok(cli) => cli,
        Err(error) if error.use_stderr() => {
            screen::complain(error.render().to_string().trim_end());
            return ExitCode::from(2);
        }
        // Help and version.
        Err(error) => error.exit(),
    };
    match run(cli) {
        Ok(()) => ExitCode::SUCCESS,
        Err(failure) => failure.report(),
    }
}

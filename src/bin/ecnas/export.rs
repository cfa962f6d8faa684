//! `ecnas export`: a table as TFRecord, CSV or JSON.

use std::fs::{self, OpenOptions};
use std::io::{self, BufWriter, Write};
use std::path::{Path, PathBuf};

use clap::ValueEnum;
use clap::builder::PossibleValue;
use ecnas::export::{line_columns, lines, write_csv_trials, write_json_trials, write_preamble};
use ecnas::files;
use ecnas::import::tfrecord::write_tfrecord;
use ecnas::snapshot::Table;

use crate::cache::Given;
use crate::failure::Failure;
use crate::open;
use crate::output::{self, Force, Kind};
use crate::screen;
use crate::values::{self, object};
use crate::work::{Hold, Stoppable, Work};

/// Export a table with all of its trials; an imported TFRecord file comes back byte for byte
#[derive(clap::Args)]
pub struct Args {
    /// The snapshot [default: all 423,624 cells of NAS-Bench-101, predicted]
    snapshot: Option<PathBuf>,
    /// Table to export, if there are several
    #[arg(long, short, value_name = "NAME")]
    table: Option<String>,
    /// Format to write
    #[arg(long, short, value_enum)]
    format: Format,
    /// File to write, or - for standard output; a file that is there is replaced when all is written
    #[arg(long, short, value_name = "OUT")]
    output: PathBuf,
    #[command(flatten)]
    force: Force,
    /// Print JSON: what was written
    #[arg(long)]
    json: bool,
}

#[derive(Clone, Copy, ValueEnum)]
enum Format {
    /// As EC-NAS releases it
    Tfrecord,
    /// One line per trial; comment lines before the header say what is known of the table
    Csv,
    /// One object per trial, with checkpoints and power
    Json,
}

/// Runs the command.
pub fn run(args: &Args) -> Result<(), Failure> {
    let path = &args.output;
    let is_stdout = [Path::new("-"), Path::new("/dev/stdout")].contains(&path.as_path());
    if !is_stdout {
        let inputs = args.snapshot.as_deref();
        output::check(path, args.format.kind(), inputs, &args.force)?;
    }
    let given = Given::sealed(args.snapshot.as_slice())?;
    let table = open::table(&given.snapshot, args.table.as_deref())?;
    if is_stdout {
        if args.json {
            return Err(Failure::usage(
                "--json and the exported table cannot both go to standard output; name a file with --output",
            ));
        }
        return match args.format {
            Format::Tfrecord => write(table, args.format, screen::bytes()?),
            Format::Csv => write(table, args.format, screen::csv_file()),
            Format::Json => write(table, args.format, screen::json()),
        };
    }
    if fs::metadata(path).is_ok_and(|found| !found.is_file()) {
        // A device or a pipe is not to be replaced.
        let file = OpenOptions::new().write(true).open(path);
        let file = file.map_err(|error| unwritable(path, error))?;
        write(table, args.format, file)?;
    } else {
        let _hold = Hold::new();
        files::whole(path, |file| write(table, args.format, file))
            .map_err(|failure: Failure| failure.within(path))?;
    }
    if args.json { tell(table, args) } else { Ok(()) }
}

impl Format {
    const fn kind(self) -> Kind {
        match self {
            Self::Tfrecord => Kind::TfRecord,
            Self::Csv => Kind::Csv,
            Self::Json => Kind::Json,
        }
    }
}

/// Prints what was written, as JSON. A device has no length.
fn tell(table: Table<'_>, args: &Args) -> Result<(), Failure> {
    let metadata = fs::metadata(&args.output).ok();
    let bytes = metadata.filter(fs::Metadata::is_file);
    let trials = table.trial_count() as u64;
    let format = args.format.to_possible_value();
    values::print(&object! {
        "output": args.output.display().to_string(),
        "format": format.as_ref().map(PossibleValue::get_name),
        "bytes": bytes.map(|metadata| metadata.len()),
        "table": table.name(),
        "trials": trials,
        "estimates": lines_of(table)?.saturating_sub(trials),
    })
}

fn write(table: Table<'_>, format: Format, out: impl Write) -> Result<(), Failure> {
    let work = Work::of("exporting", lines_of(table)?, "trials");
    let mut out = BufWriter::with_capacity(1 << 18, Stoppable(out));
    let lines = lines(table).inspect(|_| work.one());
    match format {
        Format::Tfrecord => {
            if table.has_estimates() {
                let message = "the format has no place to say what is predicted: when you import the file, say so with --provenance";
                screen::note(message);
            }
            write_tfrecord(lines, out)?;
        }
        Format::Csv => {
            let columns = line_columns(table)?;
            write_preamble(table, &columns, &mut out)?;
            write_csv_trials(&columns, lines, out)?;
        }
        Format::Json => write_json_trials(&line_columns(table)?, lines, out)?,
    }
    Ok(())
}

/// How many lines there will be: trials, and rows at a budget without any.
fn lines_of(table: Table<'_>) -> Result<u64, Failure> {
    let mut lines = table.trial_count();
    if table.has_estimates() {
        for budget in table.budgets() {
            let view = table.view(budget)?;
            lines += view.rows().filter(|row| row.trial_count() == 0).count();
        }
    }
    Ok(lines as u64)
}

fn unwritable(path: &Path, error: io::Error) -> Failure {
    Failure::from(error).within(path)
}

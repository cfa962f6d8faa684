//! `ecnas verify`: every byte of a snapshot.

use std::io::Write;
use std::path::{Path, PathBuf};

use crate::cache::Given;
use crate::failure::Failure;
use crate::open::{self, Kind};
use crate::show;
use crate::values::{self, object};
use crate::work::Work;

/// Check every byte and every structure of a snapshot, or of a store
#[derive(clap::Args)]
pub struct Args {
    /// The snapshot, or a store [default: all 423,624 cells of NAS-Bench-101, predicted]
    #[arg(value_name = "SNAPSHOT|STORE")]
    snapshot: Option<PathBuf>,
    /// Print JSON
    #[arg(long)]
    json: bool,
}

/// Runs the command.
pub fn run(args: &Args) -> Result<(), Failure> {
    let work = Work::open_ended("verifying");
    if let Some(path) = &args.snapshot
        && open::kind(path) == Kind::Store
    {
        return store(args, path);
    }
    let given = Given::sealed(args.snapshot.as_slice())?;
    let path = given.path.display();
    let failed = |failure: Failure| failure.within(&given.path);
    let verified = given
        .snapshot
        .verify()
        .map_err(|error| failed(error.into()))?;
    drop(work);
    if args.json {
        return values::print(&object! {
            "snapshot": path.to_string(),
            "valid": true,
            "bytes": verified.bytes,
            "blocks": verified.blocks,
            "sections": verified.sections,
            "tables": verified.tables,
            "trials": verified.trials,
        });
    }
    let mut out = values::stdout();
    writeln!(
        out,
        "{path}: in order\nchecked: header, catalog, padding, {} with checksums over {}, {}, {}, {}",
        show::plural(verified.blocks, "block"),
        show::bytes(verified.bytes),
        show::plural(verified.sections, "section"),
        show::plural(verified.tables, "table"),
        show::plural(verified.trials, "trial"),
    )?;
    Ok(out.flush()?)
}

fn store(args: &Args, path: &Path) -> Result<(), Failure> {
    let verified = open::store(path)?.verify()?;
    if args.json {
        return values::print(&object! {
            "store": path.display().to_string(),
            "valid": true,
            "tables": verified.tables,
            "trials": verified.trials,
        });
    }
    let mut out = values::stdout();
    writeln!(
        out,
        "{}: in order\nchecked: every page with its checksum, {}, {} with their keys",
        path.display(),
        show::plural(verified.tables, "table"),
        show::plural(verified.trials, "trial"),
    )?;
    Ok(out.flush()?)
}

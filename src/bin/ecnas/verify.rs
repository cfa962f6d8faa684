//! `ecnas verify`: every byte of a snapshot.

use std::io::Write;
use std::path::PathBuf;

use crate::failure::Failure;
use crate::open;
use crate::show;
use crate::values::{self, object};
use crate::work::Work;

/// Check every byte and every structure of a snapshot
#[derive(clap::Args)]
pub struct Args {
    /// The snapshot
    snapshot: PathBuf,
    /// Print JSON
    #[arg(long)]
    json: bool,
}

/// Runs the command.
pub fn run(args: &Args) -> Result<(), Failure> {
    let work = Work::open_ended("verifying");
    let path = args.snapshot.display();
    let failed = |failure: Failure| failure.within(&args.snapshot);
    let verified = open::snapshot(&args.snapshot)?
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

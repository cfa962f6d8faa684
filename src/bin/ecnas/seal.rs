//! `ecnas seal`: from a store to a snapshot.

use std::path::PathBuf;

use crate::failure::Failure;
use crate::open;
use crate::output::{self, Force, Kind};
use crate::show;
use crate::work::Work;

/// Seal a store into a snapshot: one immutable file that answers without a load phase
#[derive(clap::Args)]
pub struct Args {
    /// The store
    #[arg(long, short)]
    store: PathBuf,
    /// The snapshot; one that is there is replaced, and those who read it keep the old one
    #[arg(long, short, value_name = "SNAPSHOT")]
    output: PathBuf,
    /// Tables to seal [default: all of them]
    #[arg(long = "table", short, value_name = "NAME")]
    tables: Vec<String>,
    #[command(flatten)]
    force: Force,
    /// Print JSON
    #[arg(long)]
    json: bool,
}

/// Runs the command.
pub fn run(args: &Args) -> Result<(), Failure> {
    let inputs = [args.store.as_path()];
    output::check(&args.output, Kind::Snapshot, inputs, &args.force)?;
    let mut store = open::store(&args.store)?;
    let tables: Vec<_> = args.tables.iter().map(String::as_str).collect();
    let work = Work::of("sealing", 0, "trials");
    let sealed = ecnas::seal_tables(&mut store, &tables, &args.output, |so_far| {
        work.at(so_far.done, so_far.total)
    })?;
    drop(work);
    show::sealed(&sealed, args.json)
}

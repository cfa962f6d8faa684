//! `ecnas cache`: what the cache folder holds.

use std::io::Write;
use std::time::{Duration, SystemTime};

use ecnas::cache::{Cache, Contents, Entry, MOST_BYTES, MOST_FILES};
use indicatif::HumanDuration;
use serde_json::Value;

use crate::failure::Failure;
use crate::layout::{Column, Table};
use crate::open;
use crate::screen;
use crate::show;
use crate::values::{self, Object, object};

/// List the cache: the default benchmark, and copies of files that were given directly; or empty it
#[derive(clap::Args)]
pub struct Args {
    /// Remove all of its files; what is needed is made again
    #[arg(long)]
    clear: bool,
    /// Print JSON
    #[arg(long)]
    json: bool,
}

/// Runs the command.
pub fn run(args: &Args) -> Result<(), Failure> {
    let cache = Cache::of_user()?;
    let entries = cache.entries()?;
    // Removed files cannot be looked into.
    let sources: Vec<Vec<String>> = entries.iter().map(sources).collect();
    if args.clear {
        cache.clear()?;
    }
    let bytes: u64 = entries.iter().map(|entry| entry.bytes).sum();
    if args.json {
        let files = entries.iter().zip(&sources);
        let files: Vec<Value> = files
            .map(|(entry, sources)| json(entry, sources).into())
            .collect();
        return values::print(&object! {
            "folder": cache.folder().display().to_string(),
            "cleared": args.clear,
            "bytes": bytes,
            "most_files": MOST_FILES,
            "most_bytes": MOST_BYTES,
            "files": files,
        });
    }
    let (count, size) = (show::plural(entries.len(), "file"), show::bytes(bytes));
    let folder = cache.folder().display();
    let mut out = screen::page();
    if args.clear {
        writeln!(out, "{folder}: {count} removed, {size}")?;
        return Ok(out.flush()?);
    }
    writeln!(out, "{folder}: {count}, {size}")?;
    if !entries.is_empty() {
        let mut table = Table::new([
            Column::name("name"),
            Column::text("contents"),
            Column::number("size"),
            Column::name("last used"),
        ]);
        for (entry, sources) in entries.iter().zip(&sources) {
            table.row([
                name(entry),
                contents(entry, sources),
                show::bytes(entry.bytes),
                ago(entry.last_used),
            ]);
        }
        writeln!(out, "\n{table}")?;
    }
    writeln!(
        out,
        "\nBeyond {MOST_FILES} files or {}, those that were used least recently go when another one is made; the default benchmark of this version stays. `ecnas cache --clear` removes all.",
        show::bytes(MOST_BYTES)
    )?;
    Ok(out.flush()?)
}

/// The name; of a digest, its beginning.
fn name(entry: &Entry) -> String {
    match (entry.contents, entry.name.get(..12)) {
        (Contents::Copy, Some(start)) => format!("{start}….ecnas"),
        _ => entry.name.clone(),
    }
}

fn contents(entry: &Entry, sources: &[String]) -> String {
    match entry.contents {
        Contents::Benchmark => "default benchmark".to_owned(),
        Contents::Copy if sources.is_empty() => "copy that this version does not read".to_owned(),
        _ => format!("copy of {}", sources.join(", ")),
    }
}

/// The names of the files that a copy was made of.
fn sources(entry: &Entry) -> Vec<String> {
    let Ok(snapshot) = open::map(&entry.path) else {
        return Vec::new();
    };
    let infos = snapshot.tables().filter_map(|table| table.info().ok());
    let sources = infos.flat_map(|info| info.sources);
    sources.map(|source| source.name).collect()
}

fn json(entry: &Entry, sources: &[String]) -> Object {
    let used = entry.last_used.duration_since(SystemTime::UNIX_EPOCH);
    object! {
        "name": entry.name.as_str(),
        "path": entry.path.display().to_string(),
        "contents": match entry.contents {
            Contents::Benchmark => "default benchmark",
            _ => "copy",
        },
        "sources": sources.to_vec(),
        "bytes": entry.bytes,
        "last_used_unix_s": used.unwrap_or_default().as_secs(),
    }
}

fn ago(time: SystemTime) -> String {
    match time.elapsed() {
        Ok(elapsed) if elapsed >= Duration::from_secs(1) => {
            format!("{} ago", HumanDuration(elapsed))
        }
        _ => "just now".to_owned(),
    }
}

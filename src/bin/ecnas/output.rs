//! Where files may be written: the one rule for every command that writes one.
//!
//! An output replaces a file of its own kind: a snapshot a snapshot, a picture a picture, exported CSV exported CSV. A file
//! of another kind is replaced with `--force` alone. An input, a store, a file of the cache and a folder are never replaced.
//! What a file is follows from its first bytes, and whether it is an input from its place on the disk: names may lie.

use std::fs::{self, File};
use std::io::Read;
use std::path::{Path, PathBuf};

use ecnas::cache::Cache;
use ecnas::import::tfrecord;
use ecnas::{export, files};

use crate::failure::Failure;
use crate::open;

/// The option that lets an output replace a file of another kind.
#[derive(clap::Args)]
pub struct Force {
    /// Replace a file of another kind too; inputs and stores are never replaced
    #[arg(long)]
    force: bool,
}

/// What a command writes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// A sealed snapshot.
    Snapshot,
    /// SVG or PNG.
    Picture,
    /// Exported TFRecord.
    TfRecord,
    /// Exported CSV.
    Csv,
    /// Exported JSON.
    Json,
    /// Weights of the surrogate.
    #[cfg(feature = "fit")]
    Weights,
}

impl Kind {
    const fn name(self) -> &'static str {
        match self {
            Self::Snapshot => "a snapshot",
            Self::Picture => "a picture",
            Self::TfRecord => "a TFRecord file",
            Self::Csv => "exported CSV",
            Self::Json => "exported JSON",
            #[cfg(feature = "fit")]
            Self::Weights => "weights",
        }
    }

    /// Whether it is a stream, which pipes and devices take.
    const fn streams(self) -> bool {
        matches!(self, Self::TfRecord | Self::Csv | Self::Json)
    }

    /// What a file is by its beginning, if it is of a kind that commands write.
    fn of(start: &[u8]) -> Option<Self> {
        let text = || String::from_utf8_lossy(start);
        if start.starts_with(&ecnas::snapshot::MAGIC) {
            return Some(Self::Snapshot);
        }
        #[cfg(feature = "fit")]
        if start.starts_with(&ecnas::surrogate::MAGIC) {
            return Some(Self::Weights);
        }
        if start.starts_with(b"\x89PNG\r\n\x1a\n") || is_svg(&text()) {
            Some(Self::Picture)
        } else if tfrecord::is_header(start) {
            Some(Self::TfRecord)
        } else if is_exported_json(&text()) {
            Some(Self::Json)
        } else {
            is_exported_csv(&text()).then_some(Self::Csv)
        }
    }
}

fn is_svg(text: &str) -> bool {
    text.starts_with("<svg") || (text.starts_with("<?xml") && text.contains("<svg"))
}

/// Whether the header behind the preamble begins as that of an export.
fn is_exported_csv(text: &str) -> bool {
    let mut lines = text.lines().filter(|line| !line.starts_with('#'));
    lines
        .next()
        .is_some_and(|header| header.starts_with(&export::KEY.join(",")))
}

/// Whether it is a list of objects that begin as those of an export.
fn is_exported_json(text: &str) -> bool {
    let [first, ..] = export::KEY;
    text == "[]\n" || text.starts_with(&format!("[\n{{\"{first}\":"))
}

/// Refuses a path that a file of this kind is not to be written to.
pub fn check<'a>(
    path: &Path,
    kind: Kind,
    inputs: impl IntoIterator<Item = &'a Path>,
    force: &Force,
) -> Result<(), Failure> {
    let refused = |why: &str, advice: &str| {
        let path = path.display();
        Err(Failure::error(format!("{path}: {why}; {advice}")))
    };
    let rename = "choose another name";
    for input in inputs {
        if is_part(path, input) {
            return refused(&format!("it is an input too ({})", input.display()), rename);
        }
    }
    if Cache::of_user().is_ok_and(|cache| cache.holds(path)) {
        return refused(
            "it is a file of the cache (`ecnas cache` lists them)",
            rename,
        );
    }
    let expected = format!("expected {} to replace or a new name, found", kind.name());
    if path.as_os_str() == "-" && !kind.streams() {
        return refused("standard output takes exports alone", "name a file");
    }
    match open::kind(path) {
        open::Kind::Absent => return Ok(()),
        open::Kind::Store => return refused(&format!("{expected} a store"), rename),
        open::Kind::Folder => return refused(&format!("{expected} a folder"), rename),
        _ => {}
    }
    if fs::metadata(path).is_ok_and(|found| !found.is_file()) {
        return match kind.streams() {
            true => Ok(()),
            false => refused(
                &format!("{expected} a pipe or a device, and no regular file"),
                rename,
            ),
        };
    }
    let what = match beginning(path) {
        // Nothing is lost.
        Ok(start) if start.is_empty() => return Ok(()),
        Ok(start) => Kind::of(&start),
        Err(error) => {
            return refused(&format!("what is there cannot be read: {error}"), rename);
        }
    };
    match what {
        _ if force.force => Ok(()),
        Some(found) if found == kind => Ok(()),
        found => {
            let found = found.map_or("another file", Kind::name);
            refused(
                &format!("{expected} {found}"),
                "choose another name, or replace it with --force",
            )
        }
    }
}

/// Whether an output is an input, or one of the files that are read of a folder of inputs: its results, and the generated graphs
/// in it or near it. Those may be reached through links too, so that their names tell.
fn is_part(path: &Path, input: &Path) -> bool {
    let name = |path: PathBuf| Some(path.file_name()?.to_string_lossy().into_owned());
    let is_read = fs::canonicalize(path).ok().and_then(name);
    let is_read =
        is_read.is_some_and(|name| name == "results.json" || name.starts_with("generated_graphs"));
    files::is_same(path, input) || (input.is_dir() && is_read)
}

/// As much of a file as tells what it is; a preamble may be long.
fn beginning(path: &Path) -> std::io::Result<Vec<u8>> {
    let mut start = Vec::new();
    File::open(path)?.take(1 << 16).read_to_end(&mut start)?;
    Ok(start)
}

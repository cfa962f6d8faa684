//! Snapshots of files that were given directly: sealed once into the user's cache folder, found again by digest. And
//! `ecnas cache`, which lists and empties that folder.

mod command;

use std::fs;
use std::io;
use std::ops::ControlFlow;
use std::path::{Path, PathBuf};

use ecnas::benchmark::{self, BenchmarkError, BuildProgress, Stage};
use ecnas::cache::{Cache, CacheError, Cached};
use ecnas::import::ImportOptions;
use ecnas::store::{OnDuplicate, Store};
use sha2::{Digest, Sha256};
use tempfile::TempDir;

pub use command::{Args, run};

use crate::failure::{Failure, explain};
use crate::import;
use crate::open::{self, Kind, Mapped};
use crate::screen;
use crate::work::{self, Hold, Work};

/// A snapshot to ask.
pub struct Given {
    /// The snapshot.
    pub snapshot: Mapped,
    /// Where it lies.
    pub path: PathBuf,
    /// Whether files were given in its place.
    pub direct: bool,
    /// Where it lies if it cannot be kept.
    _temporary: Option<TempDir>,
}

impl Given {
    /// Opens the one snapshot that was given, or the default benchmark.
    pub fn sealed(paths: &[PathBuf]) -> Result<Self, Failure> {
        match paths {
            [] => default_benchmark(),
            [path, ..] => Ok(Self {
                snapshot: open::snapshot(path)?,
                path: path.clone(),
                direct: false,
                _temporary: None,
            }),
        }
    }

    /// Opens the one snapshot that was given, or what is sealed of the files that were; the default benchmark where nothing
    /// was given.
    pub fn open(paths: &[PathBuf]) -> Result<Self, Failure> {
        let sealed = |path: &PathBuf| matches!(open::kind(path), Kind::Snapshot | Kind::Store);
        match paths {
            [] => Self::sealed(paths),
            [path] if sealed(path) => Self::sealed(paths),
            paths => match paths.iter().find(|path| sealed(path)) {
                None => sources(paths),
                Some(path) => Err(Failure::usage(format!(
                    "{}: expected one snapshot, or released files only; import them into one store and seal it",
                    path.display()
                ))),
            },
        }
    }
}

fn default_benchmark() -> Result<Given, Failure> {
    let _hold = Hold::new();
    let given = |path: &Path, temporary| -> Result<Given, Failure> {
        // It is quickly checked, at its ends alone: sealing leaves whole files.
        Ok(Given {
            snapshot: open::map(path)?,
            path: path.to_owned(),
            direct: false,
            _temporary: temporary,
        })
    };
    let unusable = match benchmark::default_path(watch()) {
        Ok(path) => {
            let damaged = "delete the file: it will be built again";
            return given(&path, None).map_err(|failure| failure.hint(damaged));
        }
        Err(BenchmarkError::Cache(error)) => error,
        Err(error) => return Err(error.into()),
    };
    let scratch = temporary(&unusable)?;
    let path = benchmark::default_path_in(scratch.path(), watch())?;
    given(&path, Some(scratch))
}

/// Shows how far the building of a benchmark is.
pub fn watch() -> impl FnMut(BuildProgress) -> ControlFlow<()> {
    const WHOLE: u64 = 100;
    let work = Work::of("building the benchmark of the search space", WHOLE, "%");
    let stages = Stage::ALL.len() as u64;
    let mut told = false;
    move |at| {
        if at.stage == Stage::Waiting && !std::mem::replace(&mut told, true) {
            work.tell("waiting for another process that builds the benchmark");
        }
        let before = Stage::ALL.iter().position(|stage| *stage == at.stage);
        let before = WHOLE * before.unwrap_or_default() as u64 / stages;
        work.at(before + WHOLE * at.done / (stages * at.total.max(1)), WHOLE)
    }
}

/// A file or folder to import, with the name of its table.
struct Source<'a> {
    path: &'a Path,
    table: String,
    sha256: [u8; 32],
}

fn sources(paths: &[PathBuf]) -> Result<Given, Failure> {
    let mut sources: Vec<Source<'_>> = Vec::new();
    for path in paths {
        let work = Work::open_ended("looking for a copy sealed before");
        let digest = ecnas::import::digest(path, &ImportOptions::default(), |_| work.at(0, 0));
        let sha256 = digest?;
        if sources.iter().all(|source| source.sha256 != sha256) {
            let taken = |name: &str| sources.iter().any(|source| source.table == name);
            let table = table_name(path, taken);
            sources.push(Source {
                path,
                table,
                sha256,
            });
        }
    }
    let mut key = Sha256::new();
    key.update(env!("CARGO_PKG_VERSION"));
    for source in &sources {
        key.update(source.sha256);
        key.update(Sha256::digest(&source.table));
    }
    let name = format!("{}.ecnas", hex(&key.finalize()));
    let given = |snapshot, path: &Path, temporary| Given {
        snapshot,
        path: path.to_owned(),
        direct: true,
        _temporary: temporary,
    };
    let _hold = Hold::new();
    // One that cannot be opened is of another version, or damaged: it is made again.
    let usable = |path: &Path| open::map(path).is_ok();
    let cached = Cache::of_user().and_then(|cache| cache.find_or_make(&name, usable, wait()));
    match cached {
        Ok(Cached::There(path)) => match open::map(&path) {
            Ok(snapshot) => Ok(given(snapshot, &path, None)),
            // Another process cleared the cache meanwhile.
            Err(_) if !path.exists() => self::sources(paths),
            Err(failure) => Err(failure),
        },
        Ok(Cached::Absent(making)) => {
            let made = making.scratch().join("new.ecnas");
            make(&sources, making.scratch(), &made)?;
            // Opened before it is put there: whoever has a file open keeps it.
            let snapshot = open::snapshot(&made)?;
            let path = making.keep(&made)?;
            Ok(given(snapshot, &path, None))
        }
        Err(error @ CacheError::Interrupted) => Err(error.into()),
        Err(error) => {
            let scratch = temporary(&error)?;
            let sealed = scratch.path().join(name);
            make(&sources, scratch.path(), &sealed)?;
            Ok(given(open::snapshot(&sealed)?, &sealed, Some(scratch)))
        }
    }
}

/// Says that another process is waited for, and goes on until a signal asks to stop.
fn wait() -> impl FnMut() -> ControlFlow<()> {
    let mut told = false;
    move || {
        if !std::mem::replace(&mut told, true) {
            screen::note("waiting for another process that seals the same files");
        }
        match work::interrupted() {
            true => ControlFlow::Break(()),
            false => ControlFlow::Continue(()),
        }
    }
}

/// A folder to answer from where the cache cannot be used.
fn temporary(unusable: &CacheError) -> Result<TempDir, Failure> {
    screen::note(format!(
        "{}; answering from a temporary copy that is not kept",
        explain(unusable)
    ));
    let mut builder = tempfile::Builder::new();
    #[cfg(unix)]
    {
        // Whatever the umask: what others may write to is not trusted.
        use std::os::unix::fs::PermissionsExt;
        builder.permissions(fs::Permissions::from_mode(0o700));
    }
    let folder = builder.tempdir();
    folder.map_err(|error| unwritable(&std::env::temp_dir(), &error))
}

/// Imports the sources into a store in `scratch`, and seals that.
fn make(sources: &[Source<'_>], scratch: &Path, sealed: &Path) -> Result<(), Failure> {
    let mut store = Store::open(scratch.join("store.redb"))?;
    for source in sources {
        let work = Work::of(&format!("reading {}", source.table), 0, "bytes");
        let options = ImportOptions::default();
        let table = Some(source.table.as_str());
        let ingested = ecnas::ingest(
            &mut store,
            source.path,
            table,
            &options,
            OnDuplicate::Refuse,
            |so_far| work.at(so_far.bytes_read, so_far.bytes_total),
        )?;
        import::tell_left_out(source.path, &ingested.notes);
        // Else these values would be found again under the digest of others.
        let mut read = ingested.info.sources.iter();
        if read.any(|read| read.sha256 != source.sha256) {
            let changed = "it was changed or replaced while it was read; run this again when it stays as it is";
            return Err(Failure::error(changed).within(source.path));
        }
    }
    let work = Work::of("sealing", 0, "trials");
    ecnas::seal_tables(&mut store, &[], sealed, |so_far| {
        work.at(so_far.done, so_far.total)
    })?;
    Ok(())
}

/// The file's name without its extension, or the folder's name; numbered where it is taken.
fn table_name(path: &Path, taken: impl Fn(&str) -> bool) -> String {
    let whole = fs::canonicalize(path).unwrap_or_else(|_| path.to_owned());
    let named = if path.file_name().is_some() {
        path
    } else {
        &whole
    };
    let part = match path.is_dir() {
        true => named.file_name(),
        false => named.file_stem(),
    };
    let name = part.map_or_else(
        || "table".to_owned(),
        |part| part.to_string_lossy().into_owned(),
    );
    if !taken(&name) {
        return name;
    }
    let mut numbered = (2_u32..).map(|number| format!("{name}-{number}"));
    numbered.find(|name| !taken(name)).unwrap_or(name)
}

fn unwritable(path: &Path, error: &io::Error) -> Failure {
    Failure::error(format!("{}: cannot be written: {error}", path.display())).hint("check TMPDIR")
}

/// Bytes as hexadecimal digits.
pub fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

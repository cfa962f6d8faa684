//! Snapshots of files that were given directly: sealed once into the user's cache folder, found again by digest.

use std::fs::{self, File};
use std::io::{self, Read};
use std::ops::ControlFlow;
use std::path::{Path, PathBuf};

use ecnas::benchmark::{self, BenchmarkError, BuildProgress, Stage};
use ecnas::import::ImportOptions;
use ecnas::store::{OnDuplicate, Store};
use sha2::{Digest, Sha256};
use tempfile::TempDir;

use crate::failure::{Failure, explain};
use crate::open::{self, Kind, Mapped};
use crate::work::{Hold, Work};

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
    let unwritable = match benchmark::default_path(watch()) {
        Ok(path) => {
            let damaged = "delete the file: it will be built again";
            return given(&path, None).map_err(|failure| failure.hint(damaged));
        }
        Err(error @ (BenchmarkError::NoCacheFolder | BenchmarkError::Cache { .. })) => error,
        Err(error) => return Err(error.into()),
    };
    let scratch = tempfile::tempdir().map_err(|error| unreadable(&std::env::temp_dir(), &error))?;
    let unwritable = explain(&unwritable);
    eprintln!("note: {unwritable}; answering from a temporary copy that is not kept");
    let path = benchmark::default_path_in(scratch.path(), watch())?;
    given(&path, Some(scratch))
}

/// Shows how far the building of a benchmark is.
pub fn watch() -> impl FnMut(BuildProgress) -> ControlFlow<()> {
    const WHOLE: u64 = 100;
    let work = Work::of("building the benchmark of the search space", WHOLE, "%");
    let stages = Stage::ALL.len() as u64;
    move |at| {
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
        let sha256 = digest(path).map_err(|error| unreadable(path, &error))?;
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
    match folder() {
        Ok((folder, scratch)) => {
            let sealed = folder.join(name);
            // One that does not open is of another version, or damaged: it is made again.
            if let Ok(snapshot) = open::map(&sealed) {
                return Ok(given(snapshot, &sealed, None));
            }
            make(&sources, scratch.path(), &sealed)?;
            Ok(given(open::snapshot(&sealed)?, &sealed, None))
        }
        Err(reason) => {
            let scratch =
                tempfile::tempdir().map_err(|error| unreadable(&std::env::temp_dir(), &error))?;
            eprintln!("note: {reason}; answering from a temporary copy that is not kept");
            let sealed = scratch.path().join(name);
            make(&sources, scratch.path(), &sealed)?;
            Ok(given(open::snapshot(&sealed)?, &sealed, Some(scratch)))
        }
    }
}

/// Imports the sources into a store in `scratch`, and seals that.
fn make(sources: &[Source<'_>], scratch: &Path, sealed: &Path) -> Result<(), Failure> {
    let mut store = Store::open(scratch.join("store.redb"))?;
    for source in sources {
        let work = Work::of(&format!("reading {}", source.table), 0, "bytes");
        let options = ImportOptions::default();
        let table = Some(source.table.as_str());
        ecnas::ingest(
            &mut store,
            source.path,
            table,
            &options,
            OnDuplicate::Refuse,
            |so_far| work.at(so_far.bytes_read, so_far.bytes_total),
        )?;
    }
    let work = Work::of("sealing", 0, "trials");
    ecnas::seal_tables(&mut store, &[], sealed, |so_far| {
        work.at(so_far.done, so_far.total)
    })?;
    Ok(())
}

/// The cache folder and a scratch folder in it, which shows that it can be written; or why there is none.
fn folder() -> Result<(PathBuf, TempDir), String> {
    let folder = benchmark::cache_folder().ok_or("no cache folder is known (set ECNAS_CACHE)")?;
    let scratch = fs::create_dir_all(&folder).and_then(|()| {
        tempfile::Builder::new()
            .prefix(".making-")
            .tempdir_in(&folder)
    });
    match scratch {
        Ok(scratch) => Ok((folder, scratch)),
        Err(error) => Err(format!(
            "cannot write the cache folder {}: {error}",
            folder.display()
        )),
    }
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

/// SHA-256 of a file's bytes; of a folder: of the paths, lengths and bytes of its results.
fn digest(path: &Path) -> io::Result<[u8; 32]> {
    let work = Work::open_ended("looking for a copy sealed before");
    let mut sha256 = Sha256::new();
    if path.is_dir() {
        results(path, path, &mut sha256, &work)?;
    } else {
        add(path, &mut sha256, &work)?;
    }
    Ok(sha256.finalize().into())
}

/// Adds a file's bytes to a digest, and counts them. A pipe is not waited for.
fn add(path: &Path, sha256: &mut Sha256, work: &Work) -> io::Result<u64> {
    if !fs::metadata(path)?.is_file() {
        return Err(io::Error::other("expected a regular file or a folder"));
    }
    let mut file = File::open(path)?;
    let mut buffer = vec![0; 1 << 16];
    let mut len = 0;
    loop {
        let read = file.read(&mut buffer)?;
        if read == 0 {
            return Ok(len);
        }
        sha256.update(buffer.get(..read).unwrap_or_default());
        len += read as u64;
        check(work)?;
    }
}

fn results(root: &Path, folder: &Path, sha256: &mut Sha256, work: &Work) -> io::Result<()> {
    let mut entries = fs::read_dir(folder)?.collect::<io::Result<Vec<_>>>()?;
    entries.sort_by_key(fs::DirEntry::path);
    for entry in entries {
        let path = entry.path();
        check(work)?;
        if entry.file_type()?.is_dir() {
            results(root, &path, sha256, work)?;
        } else if entry.file_name() == "results.json" {
            let name = path
                .strip_prefix(root)
                .unwrap_or(&path)
                .as_os_str()
                .as_encoded_bytes();
            sha256.update((name.len() as u64).to_le_bytes());
            sha256.update(name);
            let len = add(&path, sha256, work)?;
            sha256.update(len.to_le_bytes());
        }
    }
    Ok(())
}

fn check(work: &Work) -> io::Result<()> {
    match work.at(0, 0) {
        ControlFlow::Break(()) => Err(io::Error::other("interrupted")),
        ControlFlow::Continue(()) => Ok(()),
    }
}

fn unreadable(path: &Path, error: &io::Error) -> Failure {
    Failure::error(format!("{}: cannot be read: {error}", path.display())).hint("check the path")
}

/// Bytes as hexadecimal digits.
pub fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

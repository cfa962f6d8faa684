//! The default benchmark in the user's cache folder.

use std::fs::{self, File};
use std::ops::ControlFlow;
use std::path::{Path, PathBuf};

use directories::ProjectDirs;

use super::{BenchmarkError, Builder, Stage};
use crate::metrics::layout_fingerprint;
use crate::surrogate::Surrogate;

/// Where built benchmarks are kept: `$ECNAS_CACHE`, or the user's own cache folder. `None` where neither is known.
#[must_use]
pub fn cache_folder() -> Option<PathBuf> {
    let own = std::env::var_os("ECNAS_CACHE").filter(|path| !path.is_empty());
    own.map(PathBuf::from).or_else(|| {
        let all = ProjectDirs::from("", "", "ecnas")?;
        Some(all.cache_dir().to_owned())
    })
}

/// The path of the default benchmark in the user's cache folder; it is built first if it is not there.
///
/// Any number of processes may ask at once: one builds, the others wait for it. What is at the path is whole, and is never
/// changed: map it, or open a copy.
///
/// # Errors
/// As [`default_path_in`], and if no cache folder is known.
pub fn default_path(
    progress: impl FnMut(Stage) -> ControlFlow<()>,
) -> Result<PathBuf, BenchmarkError> {
    let folder = cache_folder().ok_or(BenchmarkError::NoCacheFolder)?;
    default_path_in(&folder, progress)
}

/// As [`default_path`], in a folder of your own.
///
/// # Errors
/// The folder cannot be made or written to, the disk is full, or `progress` ended it.
///
/// # Complexity
/// Microseconds where it is there; else as [`Builder::finish`].
pub fn default_path_in(
    folder: &Path,
    progress: impl FnMut(Stage) -> ControlFlow<()>,
) -> Result<PathBuf, BenchmarkError> {
    let surrogate = Surrogate::embedded();
    // Another surrogate, another version or layout of the file: another name.
    let name = format!(
        "nas-bench-101-{}-{:08x}-{:08x}.ecnas",
        env!("CARGO_PKG_VERSION"),
        surrogate.fingerprint(),
        layout_fingerprint()
    );
    let path = folder.join(name);
    if is_there(&path) {
        return Ok(path);
    }
    let unwritable = |source| BenchmarkError::Cache {
        folder: folder.to_owned(),
        source,
    };
    fs::create_dir_all(folder).map_err(unwritable)?;
    let lock = File::create(path.with_extension("lock")).map_err(unwritable)?;
    // Where the file system has no locks, several may build; the last one to rename wins, with the same bytes.
    let _ = lock.lock();
    if is_there(&path) {
        return Ok(path);
    }
    // What is unfinished is in a folder of its own. One that is there is of a builder that was killed: the lock is ours.
    let workshop = path.with_extension("making");
    let _ = fs::remove_dir_all(&workshop);
    fs::create_dir(&workshop).map_err(unwritable)?;
    let making = workshop.join("new.ecnas");
    let built = Builder::new(&making, surrogate, None).and_then(|builder| builder.finish(progress));
    let placed = built.and_then(|_| fs::rename(&making, &path).map_err(unwritable));
    let _ = fs::remove_dir_all(&workshop);
    placed.map(|()| path)
}

/// Sealing renames a whole file into place: one that is there is whole.
fn is_there(path: &Path) -> bool {
    fs::metadata(path).is_ok_and(|metadata| metadata.is_file() && metadata.len() > 0)
}

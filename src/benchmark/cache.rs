//! The default benchmark in the user's cache folder.

use std::fs::{self, File};
use std::ops::ControlFlow;
use std::path::{Path, PathBuf};

use directories::ProjectDirs;

use super::{BenchmarkError, BuildProgress, Builder};
use crate::files::sync_folder_of;
use crate::metrics::layout_fingerprint;
use crate::snapshot;
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
    progress: impl FnMut(BuildProgress) -> ControlFlow<()>,
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
    progress: impl FnMut(BuildProgress) -> ControlFlow<()>,
) -> Result<PathBuf, BenchmarkError> {
    let surrogate = Surrogate::embedded();
    // Another surrogate, another version or layout of the file: another name.
    let name = format!(
        "nas-bench-101-{}-{:08x}-{:08x}.ecnas",
        env!("CARGO_PKG_VERSION"),
        surrogate.fingerprint(),
        layout_fingerprint()
    );
    let path = folder.join(&name);
    // Sealing renames a whole file into place: one of another length than it says was damaged from outside, and is made again.
    if snapshot::has_its_length(&path) {
        return Ok(path);
    }
    let unwritable = |source| BenchmarkError::Cache {
        folder: folder.to_owned(),
        source,
    };
    fs::create_dir_all(folder).map_err(unwritable)?;
    let lock = File::create(path.with_extension("lock")).map_err(unwritable)?;
    // Where the file system has no locks, several may build; the last one to rename wins, with the same bytes.
    let is_ours = lock.lock().is_ok();
    if snapshot::has_its_length(&path) {
        return Ok(path);
    }
    // What is unfinished is in a folder of its own.
    let unfinished = format!("{name}.making-");
    if is_ours {
        remove_all(folder, &unfinished);
    }
    let workshop = tempfile::Builder::new()
        .prefix(&unfinished)
        .tempdir_in(folder)
        .map_err(unwritable)?;
    let making = workshop.path().join("new.ecnas");
    Builder::new(&making, surrogate, None)?.finish(progress)?;
    fs::rename(&making, &path).map_err(unwritable)?;
    sync_folder_of(&path).map_err(unwritable)?;
    Ok(path)
}

/// Removes what builders left that were killed.
fn remove_all(folder: &Path, unfinished: &str) {
    for entry in fs::read_dir(folder).into_iter().flatten().flatten() {
        if entry.file_name().to_string_lossy().starts_with(unfinished) {
            let _ = fs::remove_dir_all(entry.path());
        }
    }
}

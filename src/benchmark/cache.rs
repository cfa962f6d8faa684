//! The default benchmark in the user's cache folder.

use std::ops::ControlFlow;
use std::path::{Path, PathBuf};

use super::{BenchmarkError, BuildProgress, Builder, Stage};
use crate::cache::{Cache, Cached, OWN_BENCHMARK};
use crate::metrics::layout_fingerprint;
use crate::snapshot;
use crate::surrogate::Surrogate;

/// The path of the default benchmark in the [user's cache folder](Cache::of_user); it is built first if it is not there.
///
/// Any number of processes may ask at once: one builds, the others [wait](Stage::Waiting) for it. What is at the path is whole,
/// and is never changed: map it, or open a copy.
///
/// # Errors
/// As [`default_path_in`], and if no cache folder is known.
pub fn default_path(
    progress: impl FnMut(BuildProgress) -> ControlFlow<()>,
) -> Result<PathBuf, BenchmarkError> {
    default_path_in(Cache::of_user()?.folder(), progress)
}

/// As [`default_path`], in a folder of your own.
///
/// # Errors
/// The folder cannot be made or written to, somebody else may change it, the disk is full, or `progress` ended it.
///
/// # Complexity
/// Below 0.1 ms where it is there; else as [`Builder::finish`].
pub fn default_path_in(
    folder: &Path,
    mut progress: impl FnMut(BuildProgress) -> ControlFlow<()>,
) -> Result<PathBuf, BenchmarkError> {
    let surrogate = Surrogate::embedded();
    // Another surrogate, another version or layout of the file: another name.
    let name = format!(
        "{OWN_BENCHMARK}{:08x}-{:08x}.ecnas",
        surrogate.fingerprint(),
        layout_fingerprint()
    );
    // Sealing renames a whole file into place: one of another length than it says was damaged from outside, and is made again.
    let waiting = || {
        progress(BuildProgress {
            stage: Stage::Waiting,
            done: 0,
            total: 0,
        })
    };
    match Cache::at(folder).find_or_make(&name, snapshot::has_its_length, waiting)? {
        Cached::There(path) => Ok(path),
        Cached::Absent(making) => {
            let made = making.scratch().join("new.ecnas");
            Builder::new(&made, surrogate, None)?.finish(progress)?;
            Ok(making.keep(&made)?)
        }
    }
}

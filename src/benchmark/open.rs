//! The default benchmark, mapped once for the whole process.

use std::ops::ControlFlow;
use std::sync::{Mutex, OnceLock, PoisonError};

use super::{BenchmarkError, BuildProgress, default_path};
use crate::snapshot::{MappedBytes, Snapshot};

/// The default benchmark, mapped into memory: it is built first if it is not there. All callers share one map, and with it
/// the pages of every other process that does the same.
///
/// ```no_run
/// use ecnas::{benchmark, metrics::Budget};
/// use std::ops::ControlFlow;
///
/// let snapshot = benchmark::open(|at| {
///     eprintln!("{:?}: {} of {}", at.stage, at.done, at.total);
///     ControlFlow::Continue(())
/// })?;
/// let view = snapshot.view(benchmark::TABLE, Budget::epochs(108)?)?;
/// println!("{} cells", view.len());
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
///
/// Mapping needs no `unsafe` here, because the file is this crate's own: it lies in the cache folder under a name of the
/// crate's choice, is whole when it appears there, and is never changed in place. Do not write into that folder by other
/// means while a program uses it. On network file systems it is a private copy, as with [`Snapshot::map`].
///
/// `progress` is as in [`Builder::finish`](super::Builder::finish); it must not call this function.
///
/// # Errors
/// As [`default_path`], and if the file cannot be mapped. Nothing is kept then: the next call tries again.
///
/// # Complexity
/// The first call as [`default_path`] and [`Snapshot::map`], the others some nanoseconds.
pub fn open(
    progress: impl FnMut(BuildProgress) -> ControlFlow<()>,
) -> Result<&'static Snapshot<MappedBytes>, BenchmarkError> {
    static SHARED: OnceLock<Snapshot<MappedBytes>> = OnceLock::new();
    static OPENING: Mutex<()> = Mutex::new(());
    if let Some(snapshot) = SHARED.get() {
        return Ok(snapshot);
    }
    let _one_at_a_time = OPENING.lock().unwrap_or_else(PoisonError::into_inner);
    if let Some(snapshot) = SHARED.get() {
        return Ok(snapshot);
    }
    let path = default_path(progress)?;
    // SAFETY: the file must not be changed or cut off while it is mapped. It is in the crate's own cache folder; the crate
    // puts whole files there by renaming and never opens one to write. Replacing or removing it leaves the map as it is.
    #[allow(unsafe_code)]
    let snapshot = unsafe { Snapshot::map(path) }?;
    Ok(SHARED.get_or_init(|| snapshot))
}

//! Damage that the storage engine does not expect.

use std::cell::Cell;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::Path;
use std::sync::Once;

use super::StoreError;

thread_local! {
    /// Whether a panic of this thread will be caught here.
    static IS_CAUGHT: Cell<bool> = const { Cell::new(false) };
}

/// Keeps panics that a store catches from being printed.
///
/// Where damage to a store's file leads the storage engine astray, it may panic. The store catches that and returns
/// [`StoreError::Damaged`], but the program's panic hook has printed the panic by then. This replaces the hook, once for the
/// process, by one that says nothing of such a panic and hands every other one to the hook that was there.
///
/// The hook belongs to the program: call this at its start, after it has set a hook of its own. The library never does.
pub fn silence_caught_panics() {
    static ONCE: Once = Once::new();
    ONCE.call_once(|| {
        let before = std::panic::take_hook();
        std::panic::set_hook(Box::new(move |panic| {
            if !IS_CAUGHT.try_with(Cell::get).unwrap_or(false) {
                before(panic);
            }
        }));
    });
}

/// Runs what may panic, and catches that.
fn caught<T>(work: impl FnOnce() -> T) -> std::thread::Result<T> {
    let before = IS_CAUGHT.replace(true);
    let outcome = catch_unwind(AssertUnwindSafe(work));
    IS_CAUGHT.set(before);
    outcome
}

/// Runs what reads pages of the file. The storage engine trusts pages whose checksums it has not compared, and panics where
/// damage from outside leads it astray: here that becomes an error. (Not in programs that abort at panics.)
pub(super) fn guarded<T>(
    path: &Path,
    work: impl FnOnce() -> Result<T, StoreError>,
) -> Result<T, StoreError> {
    caught(work).unwrap_or_else(|panic| {
        let text = panic.downcast_ref::<String>().map(String::as_str);
        let text = text.or_else(|| panic.downcast_ref::<&str>().copied());
        Err(StoreError::Damaged {
            path: path.to_owned(),
            expected: "pages that make sense",
            reason: text.unwrap_or("the storage engine stopped").to_owned(),
        })
    })
}

/// A database or transaction whose closing cannot panic.
pub(super) struct Guarded<T>(Option<T>);

impl<T> Guarded<T> {
    pub fn new(inner: T) -> Self {
        Self(Some(inner))
    }

    /// What is guarded; it is there until this is dropped.
    pub fn get(&self) -> Result<&T, StoreError> {
        self.0.as_ref().ok_or_else(closed)
    }

    /// As [`get`](Self::get).
    pub fn get_mut(&mut self) -> Result<&mut T, StoreError> {
        self.0.as_mut().ok_or_else(closed)
    }

    /// What is guarded, to be closed by other means.
    pub fn take(mut self) -> Result<T, StoreError> {
        self.0.take().ok_or_else(closed)
    }
}

fn closed() -> StoreError {
    StoreError::Storage {
        path: std::path::PathBuf::new(),
        reason: "it is closed".to_owned(),
    }
}

impl<T> Drop for Guarded<T> {
    fn drop(&mut self) {
        let inner = self.0.take();
        let _ = caught(|| drop(inner));
    }
}

//! Damage that the storage engine does not expect.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::Path;

use super::StoreError;

/// Runs what reads pages of the file. The storage engine trusts pages whose checksums it has not compared, and panics where
/// damage from outside leads it astray: here that becomes an error. (Not in programs that abort at panics.)
pub(super) fn guarded<T>(
    path: &Path,
    work: impl FnOnce() -> Result<T, StoreError>,
) -> Result<T, StoreError> {
    let outcome = catch_unwind(AssertUnwindSafe(work));
    outcome.unwrap_or_else(|panic| {
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
        let _ = catch_unwind(AssertUnwindSafe(|| drop(inner)));
    }
}

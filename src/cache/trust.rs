//! Whose files are used.

use std::fs::Metadata;
use std::path::Path;

use super::CacheError;

/// Refuses what somebody else may have changed: it must belong to this user or to root, and nobody else may write to it.
pub(super) fn check(path: &Path, found: &Metadata) -> Result<(), CacheError> {
    reason(found).map_or(Ok(()), |reason| {
        Err(CacheError::Untrusted {
            path: path.to_owned(),
            reason,
        })
    })
}

/// Whether [`check`] lets it through.
pub(super) fn is_trusted(found: &Metadata) -> bool {
    reason(found).is_none()
}

#[cfg(unix)]
fn reason(found: &Metadata) -> Option<String> {
    use std::os::unix::fs::MetadataExt;
    let (owner, mode) = (found.uid(), found.mode() & 0o7777);
    if owner != 0 && owner != rustix::process::geteuid().as_raw() {
        return Some(format!("it belongs to another user (number {owner})"));
    }
    let writable = mode & 0o022 != 0;
    writable.then(|| format!("others may write to it (mode {mode:04o}; `chmod go-w` ends that)"))
}

/// Elsewhere a user's cache folder is the user's own.
#[cfg(not(unix))]
fn reason(_: &Metadata) -> Option<String> {
    None
}

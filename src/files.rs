//! Files that appear whole: written beside their target, synced, and renamed.

use std::fs::File;
use std::io;
use std::path::Path;

use tempfile::NamedTempFile;

/// A temporary file in the target's folder, with the permissions of an ordinary new file.
pub(crate) fn temporary_beside(target: &Path) -> io::Result<NamedTempFile> {
    let mut builder = tempfile::Builder::new();
    builder.prefix(".ecnas-").suffix(".tmp");
    #[cfg(unix)]
    {
        // As any new file: the user's mask takes away from it.
        use std::os::unix::fs::PermissionsExt;
        builder.permissions(std::fs::Permissions::from_mode(0o666));
    }
    builder.tempfile_in(folder_of(target))
}

/// Makes a rename to the target durable.
pub(crate) fn sync_folder_of(target: &Path) -> io::Result<()> {
    if cfg!(unix) {
        File::open(folder_of(target))?.sync_all()?;
    }
    Ok(())
}

fn folder_of(target: &Path) -> &Path {
    match target.parent() {
        Some(folder) if folder != Path::new("") => folder,
        _ => Path::new("."),
    }
}

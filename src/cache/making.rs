//! Making a file of the cache: a folder that is owned by a lock.

use std::fs::{self, DirBuilder, File, OpenOptions, TryLockError};
use std::io;
use std::ops::ControlFlow;
use std::path::{Path, PathBuf};
use std::thread;
use std::time::Duration;

use tempfile::TempDir;

use super::{Cache, CacheError, contents, trust};
use crate::files;

/// What ends the names of folders in which files are made, or which are being removed; the latter have more behind it.
const MAKING: &str = ".making";
/// The lock in such a folder.
const LOCK: &str = "lock";
/// How long to wait before the lock is tried again.
const PAUSE: Duration = Duration::from_millis(50);

/// A file of the cache while it is made. Dropped before it is [kept](Self::keep), it leaves nothing; if the process is killed,
/// the next one that makes a file removes what is left.
#[derive(Debug)]
pub struct Making {
    cache: Cache,
    name: String,
    folder: PathBuf,
    /// None where the file system has no locks: several processes may make the file then, and the last one to finish wins.
    lock: Option<File>,
    scratch: TempDir,
}

impl Making {
    /// Begins to make a file when no other process does.
    pub(super) fn begin(
        cache: &Cache,
        name: &str,
        mut waiting: impl FnMut() -> ControlFlow<()>,
    ) -> Result<Self, CacheError> {
        let failed = |error| cache.io(error);
        own_folder()
            .recursive(true)
            .create(&cache.folder)
            .map_err(failed)?;
        cache.is_there()?;
        let folder = cache.folder.join(format!("{name}{MAKING}"));
        let lock = loop {
            match own_folder().create(&folder) {
                Err(error) if error.kind() != io::ErrorKind::AlreadyExists => {
                    return Err(failed(error));
                }
                _ => {}
            }
            let Some(file) = open_lock(cache, &folder)? else {
                // The folder was removed between two looks at it.
                continue;
            };
            match file.try_lock() {
                // Else its folder was removed while this process waited.
                Ok(()) if is_at(&file, &folder.join(LOCK)) => break Some(file),
                Ok(()) => {}
                Err(TryLockError::WouldBlock) => {
                    if waiting().is_break() {
                        return Err(CacheError::Interrupted);
                    }
                    thread::sleep(PAUSE);
                }
                Err(TryLockError::Error(_)) => break None,
            }
        };
        if lock.is_some() {
            empty(&folder);
        }
        let scratch = TempDir::new_in(&folder).map_err(failed)?;
        Ok(Self {
            cache: cache.clone(),
            name: name.to_owned(),
            folder,
            lock,
            scratch,
        })
    }

    /// A folder for everything that is needed on the way. It goes when this is kept or dropped.
    #[must_use]
    pub fn scratch(&self) -> &Path {
        self.scratch.path()
    }

    /// Puts a whole, synced file of the scratch folder into the cache, and gives its path there. What the cache holds beyond
    /// its bound is removed.
    ///
    /// # Errors
    /// The folder cannot be written to.
    pub fn keep(self, made: &Path) -> Result<PathBuf, CacheError> {
        let failed = |error| self.cache.io(error);
        let path = self.cache.folder.join(&self.name);
        let put = || {
            deny_others(made)?;
            fs::rename(made, &path)?;
            files::sync_folder_of(&path)
        };
        put().map_err(failed)?;
        self.cache.evict(&self.name);
        Ok(path)
    }
}

impl Drop for Making {
    fn drop(&mut self) {
        if self.lock.is_some() {
            remove(&self.cache, &self.folder);
        } else {
            // Others may be at work in the same folder: it goes with the last of them.
            let _ = fs::remove_dir_all(self.scratch.path());
            let _ = fs::remove_file(self.folder.join(LOCK));
            let _ = fs::remove_dir(&self.folder);
        }
    }
}

/// Removes the folders of processes that no longer live.
pub(super) fn sweep(cache: &Cache) {
    for entry in fs::read_dir(&cache.folder).into_iter().flatten().flatten() {
        let name = entry.file_name().to_string_lossy().into_owned();
        // Nothing before it: as an earlier version named them.
        let of = name.split_once(MAKING).map(|(of, _)| of);
        let is_own = of.is_some_and(|of| of.is_empty() || contents(of).is_some());
        let folder = entry.path();
        if !is_own || !folder.is_dir() {
            continue;
        }
        if let Ok(Some(file)) = open_lock(cache, &folder)
            && file.try_lock().is_ok()
            && is_at(&file, &folder.join(LOCK))
        {
            remove(cache, &folder);
        }
    }
}

/// Opens the lock of a folder, made if it is not there; `None` if the folder is not there.
///
/// A lock is opened without truncating it and without following a link, and never waits for the other end of a pipe.
fn open_lock(cache: &Cache, folder: &Path) -> Result<Option<File>, CacheError> {
    let not = |path: &Path, expected| CacheError::NotALock {
        path: path.to_owned(),
        expected,
    };
    match fs::symlink_metadata(folder) {
        Err(_) => return Ok(None),
        Ok(found) if !found.is_dir() => return Err(not(folder, "a folder")),
        Ok(found) => trust::check(folder, &found)?,
    }
    let path = folder.join(LOCK);
    let mut options = OpenOptions::new();
    options.read(true).write(true).create(true).truncate(false);
    #[cfg(unix)]
    {
        use std::os::unix::fs::OpenOptionsExt;
        let flags = rustix::fs::OFlags::NOFOLLOW | rustix::fs::OFlags::NONBLOCK;
        options.mode(0o600).custom_flags(flags.bits() as i32);
    }
    match options.open(&path) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
        // The system's own message on a link would be that there are too many.
        Err(_) if fs::symlink_metadata(&path).is_ok_and(|found| !found.is_file()) => {
            Err(not(&path, "a regular file as the lock"))
        }
        Err(error) => Err(cache.io(error)),
        Ok(file) => {
            let found = file.metadata().map_err(|error| cache.io(error))?;
            if !found.is_file() {
                return Err(not(&path, "a regular file as the lock"));
            }
            trust::check(&path, &found)?;
            Ok(Some(file))
        }
    }
}

/// Whether an open file is the one at a path.
fn is_at(file: &File, path: &Path) -> bool {
    #[cfg(unix)]
    let same = |one: &fs::Metadata, other: &fs::Metadata| files::inode(one) == files::inode(other);
    #[cfg(not(unix))]
    let same = |_: &fs::Metadata, _: &fs::Metadata| true;
    let found = file
        .metadata()
        .and_then(|own| Ok((own, fs::symlink_metadata(path)?)));
    found.is_ok_and(|(own, there)| same(&own, &there))
}

/// Removes what is in a folder beside its lock, which is held.
fn empty(folder: &Path) {
    for entry in fs::read_dir(folder).into_iter().flatten().flatten() {
        if entry.file_name() != LOCK {
            let path = entry.path();
            let _ = fs::remove_dir_all(&path).or_else(|_| fs::remove_file(&path));
        }
    }
}

/// Removes a folder whose lock is held. It is moved away first: whoever waits for the lock finds that its folder is gone, and
/// makes another one.
fn remove(cache: &Cache, folder: &Path) {
    let name = folder.file_name().unwrap_or_default().to_string_lossy();
    let of = name.split_once(MAKING).map_or("", |(of, _)| of);
    let away = tempfile::Builder::new()
        .prefix(&format!("{of}{MAKING}-"))
        .tempdir_in(&cache.folder);
    if let Ok(away) = away {
        let _ = fs::rename(folder, away.path().join("old"));
    }
}

/// Makes folders that others cannot look into.
fn own_folder() -> DirBuilder {
    let mut builder = DirBuilder::new();
    #[cfg(unix)]
    {
        use std::os::unix::fs::DirBuilderExt;
        builder.mode(0o700);
    }
    builder
}

/// Takes the permission to write from everybody but the owner.
fn deny_others(path: &Path) -> io::Result<()> {
    #[cfg(unix)]
    {
        use std::os::unix::fs::PermissionsExt;
        let mode = fs::metadata(path)?.permissions().mode();
        fs::set_permissions(path, fs::Permissions::from_mode(mode & !0o022))?;
    }
    #[cfg(not(unix))]
    let _ = path;
    Ok(())
}

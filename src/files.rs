//! Files that appear whole: written beside their target, synced, and renamed; and files that are read.
//!
//! Every file that this crate writes at a path of the caller's is written this way, but for stores. [`whole`] does the same
//! for writers of your own.

use std::fs::{self, File, Metadata};
use std::io::{self, Read, Seek, SeekFrom, Write};
use std::path::{Path, PathBuf};

use tempfile::NamedTempFile;

/// Opens a regular file to read it. A pipe or a device is refused: one that nobody writes to would be waited for, and one
/// without end would be read for ever.
pub(crate) fn open(path: &Path) -> io::Result<File> {
    if !fs::metadata(path)?.is_file() {
        let found = "expected a regular file, found a pipe, a device or a folder";
        return Err(io::Error::new(io::ErrorKind::InvalidInput, found));
    }
    File::open(path)
}

/// Writes a file that appears whole: `write` fills a file beside `path`, which is synced and then takes its place. Until
/// then, and whenever something fails, a file that is there keeps its contents.
///
/// A file that is replaced passes its permissions on (a mode of 0600 stays 0600). Where `path` is a symbolic link, the file
/// that it leads to is replaced, or made; the link stays. Folders, pipes and devices are refused.
///
/// ```no_run
/// use std::io::Write;
/// ecnas::files::whole("notes.txt".as_ref(), |mut file| file.write_all(b"all of it, or nothing"))?;
/// # Ok::<(), std::io::Error>(())
/// ```
///
/// # Errors
/// Those of `write`, and of files.
pub fn whole<E: From<io::Error>>(
    path: &Path,
    write: impl FnOnce(&File) -> Result<(), E>,
) -> Result<(), E> {
    let beside = Whole::beside(path)?;
    write(beside.file())?;
    beside.sync()?;
    Ok(beside.put()?)
}

/// Whether two paths lead to one file: the same path, a hard link, or a symbolic link. Not where one of them leads nowhere.
#[must_use]
pub fn is_same(one: &Path, other: &Path) -> bool {
    #[cfg(unix)]
    let identity = |path: &Path| fs::metadata(path).map(|found| inode(&found));
    #[cfg(not(unix))]
    let identity = |path: &Path| fs::canonicalize(path);
    matches!((identity(one), identity(other)), (Ok(one), Ok(other)) if one == other)
}

/// What tells a file from all others: its device and its number there.
#[cfg(unix)]
pub(crate) fn inode(found: &Metadata) -> (u64, u64) {
    use std::os::unix::fs::MetadataExt;
    (found.dev(), found.ino())
}

/// A file beside its target, whose place it takes when it is complete. Dropped before, it is removed.
pub(crate) struct Whole {
    file: NamedTempFile,
    target: PathBuf,
}

impl Whole {
    /// A new file in the folder of the target, or of what the target leads to if it is a symbolic link. It has the
    /// permissions of the file that it will replace, or of an ordinary new file.
    pub fn beside(target: &Path) -> io::Result<Self> {
        let target = behind_links(target)?;
        let replaced = match fs::metadata(&target) {
            Ok(found) => Some(found),
            Err(error) if error.kind() == io::ErrorKind::NotFound => None,
            Err(error) => return Err(error),
        };
        if replaced.as_ref().is_some_and(|found| !found.is_file()) {
            let found = "expected a regular file to replace or a new name, found a folder, a pipe or a device";
            return Err(io::Error::new(io::ErrorKind::InvalidInput, found));
        }
        let mut builder = tempfile::Builder::new();
        builder.prefix(".ecnas-").suffix(".tmp");
        #[cfg(unix)]
        if replaced.is_none() {
            // As any new file: the user's mask takes away from it.
            use std::os::unix::fs::PermissionsExt;
            builder.permissions(fs::Permissions::from_mode(0o666));
        }
        faults::call()?;
        let file = builder.tempfile_in(folder_of(&target))?;
        if let Some(replaced) = replaced {
            // Until now, and before it has any content, nobody else could read it.
            faults::call()?;
            file.as_file().set_permissions(replaced.permissions())?;
        }
        Ok(Self { file, target })
    }

    pub fn path(&self) -> &Path {
        self.file.path()
    }

    pub fn file(&self) -> &File {
        self.file.as_file()
    }

    pub fn sync(&self) -> io::Result<()> {
        faults::call()?;
        self.file().sync_all()
    }

    /// Takes the target's place, durably. The file must be synced.
    pub fn put(self) -> io::Result<()> {
        faults::call()?;
        self.file.persist(&self.target)?;
        sync_folder_of(&self.target)
    }

    /// As [`put`](Self::put), if there is nothing at the target; else what is there stays.
    pub fn put_if_absent(self) -> io::Result<()> {
        let new = self.file.into_temp_path();
        match new.persist_noclobber(&self.target) {
            Err(error) if error.error.kind() == io::ErrorKind::AlreadyExists => {}
            // Some file systems have neither such a renaming nor hard links: look, and rename.
            Err(error) if !self.target.exists() => error.path.persist(&self.target)?,
            Err(error) => return Err(error.error),
            Ok(()) => {}
        }
        sync_folder_of(&self.target)
    }
}

impl Write for Whole {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let len = faults::transfer(bytes.len())?;
        self.file.write(bytes.get(..len).unwrap_or(bytes))
    }

    fn flush(&mut self) -> io::Result<()> {
        self.file.flush()
    }
}

impl Read for Whole {
    fn read(&mut self, bytes: &mut [u8]) -> io::Result<usize> {
        let len = faults::transfer(bytes.len())?;
        self.file.read(bytes.get_mut(..len).unwrap_or_default())
    }
}

impl Seek for Whole {
    fn seek(&mut self, to: SeekFrom) -> io::Result<u64> {
        faults::call()?;
        self.file.seek(to)
    }
}

/// Makes a rename to the target durable.
pub(crate) fn sync_folder_of(target: &Path) -> io::Result<()> {
    faults::call()?;
    if cfg!(unix) {
        File::open(folder_of(target))?.sync_all()?;
    }
    Ok(())
}

/// Follows symbolic links to where a file is, or would be made.
fn behind_links(path: &Path) -> io::Result<PathBuf> {
    /// As many as Linux follows.
    const MOST: usize = 40;
    let mut path = path.to_owned();
    for _ in 0..MOST {
        match fs::read_link(&path) {
            // A relative link starts at its own folder.
            Ok(next) => path = folder_of(&path).join(next),
            // It is no link, or there is nothing.
            Err(_) => return Ok(path),
        }
    }
    let found = "expected a file or a new name, found symbolic links that lead to each other";
    Err(io::Error::new(io::ErrorKind::InvalidInput, found))
}

pub(crate) fn folder_of(target: &Path) -> &Path {
    match target.parent() {
        Some(folder) if folder != Path::new("") => folder,
        _ => Path::new("."),
    }
}

/// No calls fail but those that the operating system fails.
#[cfg(not(test))]
mod faults {
    pub fn call() -> std::io::Result<()> {
        Ok(())
    }

    pub fn transfer(len: usize) -> std::io::Result<usize> {
        Ok(len)
    }
}

/// Calls that fail on purpose, in tests.
#[cfg(test)]
pub(crate) mod faults {
    use std::cell::Cell;
    use std::io::{Error, ErrorKind, Result};

    /// How the calls of this thread fail.
    #[derive(Debug, Clone, Copy, PartialEq, Eq)]
    pub enum Fault {
        /// The call of this number fails.
        Once(u32),
        /// It fails, and all after it.
        FromThenOn(u32),
        /// It asks to be called again.
        Interrupted(u32),
        /// It does a part, and the next one fails; all after that do too.
        Short(u32),
    }

    thread_local! {
        static FAULT: Cell<Option<Fault>> = const { Cell::new(None) };
        static CALLS: Cell<u32> = const { Cell::new(0) };
    }

    /// Counts calls from here, and makes one fail. Gives how many there were before.
    pub fn set(fault: Option<Fault>) -> u32 {
        FAULT.set(fault);
        CALLS.replace(0)
    }

    pub fn call() -> Result<()> {
        transfer(1).map(|_| ())
    }

    pub fn transfer(len: usize) -> Result<usize> {
        let call = CALLS.get();
        CALLS.set(call + 1);
        let failed = || Err(Error::new(ErrorKind::StorageFull, "it fails on purpose"));
        match FAULT.get() {
            Some(Fault::Once(k)) if call == k => failed(),
            Some(Fault::FromThenOn(k)) if call >= k => failed(),
            Some(Fault::Short(k)) if call > k => failed(),
            Some(Fault::Short(k)) if call == k => Ok(len.div_ceil(2)),
            // Only reading and writing are called again by those who call them.
            Some(Fault::Interrupted(k)) if call == k && len > 1 => {
                Err(Error::from(ErrorKind::Interrupted))
            }
            _ => Ok(len),
        }
    }
}

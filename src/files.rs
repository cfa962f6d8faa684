//! Files that appear whole: written beside their target, synced, and renamed; and files that are read.

use std::fs::File;
use std::io::{self, Read, Seek, SeekFrom, Write};
use std::path::{Path, PathBuf};

use tempfile::NamedTempFile;

/// Opens a regular file to read it. A pipe or a device is refused: one that nobody writes to would be waited for, and one
/// without end would be read for ever.
pub(crate) fn open(path: &Path) -> io::Result<File> {
    if !std::fs::metadata(path)?.is_file() {
        let found = "expected a regular file, found a pipe, a device or a folder";
        return Err(io::Error::new(io::ErrorKind::InvalidInput, found));
    }
    File::open(path)
}

/// A file beside its target, whose place it takes when it is complete. Dropped before, it is removed.
pub(crate) struct Whole {
    file: NamedTempFile,
    target: PathBuf,
}

impl Whole {
    /// A new file in the target's folder, with the permissions of an ordinary new file.
    pub fn beside(target: &Path) -> io::Result<Self> {
        let mut builder = tempfile::Builder::new();
        builder.prefix(".ecnas-").suffix(".tmp");
        #[cfg(unix)]
        {
            // As any new file: the user's mask takes away from it.
            use std::os::unix::fs::PermissionsExt;
            builder.permissions(std::fs::Permissions::from_mode(0o666));
        }
        faults::call()?;
        Ok(Self {
            file: builder.tempfile_in(folder_of(target))?,
            target: target.to_owned(),
        })
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

fn folder_of(target: &Path) -> &Path {
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

//! The cache folder: snapshots that were made once and are found again, by name.
//!
//! It holds the default benchmark of [`benchmark::default_path`](crate::benchmark::default_path), and copies of sources that
//! were given to the program directly. Any number of processes may use it at once. [`Cache::find_or_make`] gives the path of a
//! file that is there, or the right to make it: one process makes it, and others wait.
//!
//! ```text
//! NAME             a whole snapshot; it is never changed, only replaced or removed
//! NAME.making/     what one process is making NAME in
//!   lock           held by that process while it lives; whoever can lock it may remove the folder
//!   …/             the scratch folder
//! ```
//!
//! **Trust.** What a file in the cache says is believed, so that the folder and the files must belong to this user or to root,
//! and nobody else may write to them. A folder of others is refused ([`CacheError::Untrusted`]); a file of others in a folder
//! that is trusted is made again, in its place. What the cache makes has no write permission for others, whatever the umask.
//!
//! **Bound.** Beyond [`MOST_FILES`] files or [`MOST_BYTES`] bytes, those that were used least recently are removed when another
//! one is made. The default benchmark of this version does not count, and stays.

mod making;
mod trust;

use std::fs;
use std::io;
use std::ops::ControlFlow;
use std::path::{Path, PathBuf};
use std::time::SystemTime;

use directories::ProjectDirs;

pub use making::Making;

/// The most files that stay in the cache, beside the default benchmark of this version.
pub const MOST_FILES: usize = 32;

/// The most bytes that they take together: 4 GiB. A single larger one stays until another one is made.
pub const MOST_BYTES: u64 = 4 << 30;

/// How the names of all default benchmarks begin, and those of this version.
const BENCHMARK: &str = "nas-bench-101-";
pub(crate) const OWN_BENCHMARK: &str = concat!("nas-bench-101-", env!("CARGO_PKG_VERSION"), "-");

/// Why the cache cannot be used. Nothing in it is changed then.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum CacheError {
    /// No cache folder is known.
    #[error("no cache folder is known; set ECNAS_CACHE to a folder of your own")]
    NoFolder,
    /// The operating system refused.
    #[error("cannot write the cache folder {}; set ECNAS_CACHE to a folder of your own", folder.display())]
    Io {
        /// The folder.
        folder: PathBuf,
        /// What the operating system said.
        source: io::Error,
    },
    /// Somebody else may have changed what is there.
    #[error("{}: not used as a cache, because {reason}; set ECNAS_CACHE to a folder of your own, or make this yours alone", path.display())]
    Untrusted {
        /// The folder or file.
        path: PathBuf,
        /// Whose it is, or who may write to it.
        reason: String,
    },
    /// Where a lock belongs, there is something else.
    #[error("{}: expected {expected} of the cache, found something else; remove it", path.display())]
    NotALock {
        /// The file or folder.
        path: PathBuf,
        /// What was expected.
        expected: &'static str,
    },
    /// The caller ended waiting for another process.
    #[error("waiting for another process was interrupted")]
    Interrupted,
}

/// What [`Cache::find_or_make`] found.
#[derive(Debug)]
pub enum Cached {
    /// The file is there.
    There(PathBuf),
    /// It is not: the caller makes it now, and nobody else does.
    Absent(Making),
}

/// What a file in the cache is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Contents {
    /// A default benchmark, of this version or another.
    Benchmark,
    /// A sealed copy of sources that were given directly.
    Copy,
}

/// A file in the cache.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct Entry {
    /// Where it is.
    pub path: PathBuf,
    /// Its name.
    pub name: String,
    /// What it is.
    pub contents: Contents,
    /// Its length.
    pub bytes: u64,
    /// When it was last found or made: its time of modification.
    pub last_used: SystemTime,
}

/// A cache folder.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Cache {
    folder: PathBuf,
}

impl Cache {
    /// The user's: `$ECNAS_CACHE`, or else `ecnas` in the user's own cache folder.
    ///
    /// # Errors
    /// Neither is known.
    pub fn of_user() -> Result<Self, CacheError> {
        let own = std::env::var_os("ECNAS_CACHE").filter(|path| !path.is_empty());
        let folder = own.map(PathBuf::from).or_else(|| {
            let all = ProjectDirs::from("", "", "ecnas")?;
            Some(all.cache_dir().to_owned())
        });
        folder.map(Self::at).ok_or(CacheError::NoFolder)
    }

    /// The one in this folder, which is made when it is first needed.
    #[must_use]
    pub fn at(folder: impl Into<PathBuf>) -> Self {
        let folder = folder.into();
        Self { folder }
    }

    /// The folder.
    #[must_use]
    pub fn folder(&self) -> &Path {
        &self.folder
    }

    /// The path of a file if it is there and `usable`, or the right to make it. While another process makes it, `waiting` is
    /// asked every 50 ms whether to go on. What processes left that were killed while they made a file is removed first.
    ///
    /// # Errors
    /// The folder cannot be made or written to, or is not trusted; or `waiting` broke.
    ///
    /// # Complexity
    /// Below 0.1 ms if the file is there: the folder is listed, and the file's time is set.
    pub fn find_or_make(
        &self,
        name: &str,
        usable: impl Fn(&Path) -> bool,
        waiting: impl FnMut() -> ControlFlow<()>,
    ) -> Result<Cached, CacheError> {
        if self.is_there()? {
            making::sweep(self);
            if let Some(path) = self.find(name, &usable) {
                return Ok(Cached::There(path));
            }
        }
        let making = Making::begin(self, name, waiting)?;
        // Another process may have made it meanwhile.
        Ok(match self.find(name, &usable) {
            Some(path) => Cached::There(path),
            None => Cached::Absent(making),
        })
    }

    /// A file of a folder that is trusted.
    fn find(&self, name: &str, usable: impl Fn(&Path) -> bool) -> Option<PathBuf> {
        let path = self.folder.join(name);
        // A link leads to where others may write.
        let trusted = fs::symlink_metadata(&path)
            .is_ok_and(|found| found.is_file() && trust::is_trusted(&found));
        if !trusted || !usable(&path) {
            return None;
        }
        // This fails where the file is root's; then nothing is removed by this user either.
        let _ = fs::File::open(&path).and_then(|file| file.set_modified(SystemTime::now()));
        Some(path)
    }

    /// Whether the folder is there. One of others is an error.
    fn is_there(&self) -> Result<bool, CacheError> {
        match fs::metadata(&self.folder) {
            Ok(found) if !found.is_dir() => Err(self.io(io::ErrorKind::NotADirectory.into())),
            Ok(found) => trust::check(&self.folder, &found).map(|()| true),
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(false),
            Err(error) => Err(self.io(error)),
        }
    }

    /// The files of the cache, the most recently used first. What others keep in the folder is none of them.
    ///
    /// # Errors
    /// The folder cannot be read, or is not trusted.
    pub fn entries(&self) -> Result<Vec<Entry>, CacheError> {
        if !self.is_there()? {
            return Ok(Vec::new());
        }
        let mut entries = Vec::new();
        for entry in fs::read_dir(&self.folder).map_err(|error| self.io(error))? {
            let entry = entry.map_err(|error| self.io(error))?;
            let name = entry.file_name().to_string_lossy().into_owned();
            let Some(contents) = contents(&name) else {
                continue;
            };
            // It may have been removed meanwhile.
            let Ok(found) = entry.metadata() else {
                continue;
            };
            if found.is_file() {
                entries.push(Entry {
                    path: entry.path(),
                    name,
                    contents,
                    bytes: found.len(),
                    last_used: found.modified().unwrap_or(SystemTime::UNIX_EPOCH),
                });
            }
        }
        entries.sort_by(|a, b| (b.last_used, &a.name).cmp(&(a.last_used, &b.name)));
        Ok(entries)
    }

    /// Removes all files of the cache, and what processes left that were killed while they made one. What a living process is
    /// making stays, and so do files that are not the cache's. Processes that have a removed file open keep it.
    ///
    /// Gives the files that were removed.
    ///
    /// # Errors
    /// The folder cannot be read or written to, or is not trusted.
    pub fn clear(&self) -> Result<Vec<Entry>, CacheError> {
        let entries = self.entries()?;
        for entry in &entries {
            self.remove(entry)?;
        }
        making::sweep(self);
        Ok(entries)
    }

    /// Whether a path is that of one of the cache's files, or leads to one.
    #[must_use]
    pub fn holds(&self, path: &Path) -> bool {
        let whole = path.canonicalize();
        let path = whole.as_deref().unwrap_or(path);
        let name = path.file_name().map(|name| name.to_string_lossy());
        let own = name.is_some_and(|name| contents(&name).is_some());
        own && crate::files::is_same(crate::files::folder_of(path), &self.folder)
    }

    /// Removes what is beyond the bound, but for one file. What cannot be removed stays.
    fn evict(&self, kept: &str) {
        let mut entries = self.entries().unwrap_or_default();
        entries.retain(|entry| !entry.name.starts_with(OWN_BENCHMARK));
        // It counts first, however large it is.
        entries.sort_by_key(|entry| entry.name != kept);
        let mut total = 0;
        for (number, entry) in entries.iter().enumerate() {
            total += entry.bytes;
            if entry.name != kept && (number >= MOST_FILES || total > MOST_BYTES) {
                let _ = self.remove(entry);
            }
        }
    }

    fn remove(&self, entry: &Entry) -> Result<(), CacheError> {
        match fs::remove_file(&entry.path) {
            Err(error) if error.kind() != io::ErrorKind::NotFound => Err(self.io(error)),
            _ => Ok(()),
        }
    }

    fn io(&self, source: io::Error) -> CacheError {
        CacheError::Io {
            folder: self.folder.clone(),
            source,
        }
    }
}

/// What a file of this name is, if it is one of the cache's: `nas-bench-101-VERSION-WEIGHTS-LAYOUT.ecnas`, or the SHA-256 of
/// what was copied.
fn contents(name: &str) -> Option<Contents> {
    let stem = name.strip_suffix(".ecnas")?;
    let is_hex = |text: &str, digits: usize| {
        text.len() == digits && text.bytes().all(|byte| byte.is_ascii_hexdigit())
    };
    if is_hex(stem, 64) {
        return Some(Contents::Copy);
    }
    let (rest, layout) = stem.strip_prefix(BENCHMARK)?.rsplit_once('-')?;
    let (_version, weights) = rest.rsplit_once('-')?;
    (is_hex(weights, 8) && is_hex(layout, 8)).then_some(Contents::Benchmark)
}

#[cfg(test)]
mod tests {
    use std::sync::Barrier;
    use std::sync::atomic::{AtomicU32, Ordering};
    use std::thread;

    use super::*;

    fn go_on() -> ControlFlow<()> {
        ControlFlow::Continue(())
    }

    fn make(cache: &Cache, name: &str, text: &str) -> PathBuf {
        match cache.find_or_make(name, |_| true, go_on).unwrap() {
            Cached::There(path) => path,
            Cached::Absent(making) => {
                let made = making.scratch().join("made");
                fs::write(&made, text).unwrap();
                making.keep(&made).unwrap()
            }
        }
    }

    #[test]
    fn one_makes_a_file_and_all_others_wait_for_it() {
        let folder = tempfile::tempdir().unwrap();
        let cache = Cache::at(folder.path().join("cache"));
        let name = format!("{:064x}.ecnas", 7);
        let (made, start) = (AtomicU32::new(0), Barrier::new(8));
        thread::scope(|scope| {
            for _ in 0..8 {
                scope.spawn(|| {
                    start.wait();
                    match cache.find_or_make(&name, |_| true, go_on).unwrap() {
                        Cached::There(path) => assert_eq!(fs::read(path).unwrap(), b"whole"),
                        Cached::Absent(making) => {
                            made.fetch_add(1, Ordering::SeqCst);
                            let new = making.scratch().join("made");
                            fs::write(&new, "part").unwrap();
                            thread::sleep(std::time::Duration::from_millis(100));
                            fs::write(&new, "whole").unwrap();
                            making.keep(&new).unwrap();
                        }
                    }
                });
            }
        });
        assert_eq!(made.into_inner(), 1);
        assert_eq!(fs::read_dir(cache.folder()).unwrap().count(), 1);
    }

    #[test]
    fn waiting_can_be_interrupted_and_a_dropped_attempt_leaves_nothing() {
        let folder = tempfile::tempdir().unwrap();
        let cache = Cache::at(folder.path().join("cache"));
        let making = cache.find_or_make("a.ecnas", |_| true, go_on).unwrap();
        let mut asked = 0;
        let waiting = || {
            asked += 1;
            if asked < 3 {
                go_on()
            } else {
                ControlFlow::Break(())
            }
        };
        let stopped = cache.find_or_make("a.ecnas", |_| true, waiting);
        assert!(matches!(stopped, Err(CacheError::Interrupted)));
        assert_eq!(asked, 3);
        // Another file is made meanwhile.
        make(&cache, "b.ecnas", "b");
        drop(making);
        assert_eq!(fs::read_dir(cache.folder()).unwrap().count(), 1);
    }

    #[test]
    fn what_is_not_usable_is_made_again() {
        let folder = tempfile::tempdir().unwrap();
        let cache = Cache::at(folder.path().join("cache"));
        let path = make(&cache, "a.ecnas", "old");
        let usable = |path: &Path| fs::read(path).unwrap() == b"new";
        let Cached::Absent(making) = cache.find_or_make("a.ecnas", usable, go_on).unwrap() else {
            panic!("it was taken");
        };
        let made = making.scratch().join("made");
        fs::write(&made, "new").unwrap();
        assert_eq!(making.keep(&made).unwrap(), path);
        assert_eq!(make(&cache, "a.ecnas", "newer"), path);
        assert_eq!(fs::read(path).unwrap(), b"new");
    }

    #[test]
    fn only_the_caches_own_names_are_its_own() {
        let digest = "0123456789abcdef".repeat(4);
        for (name, expected) in [
            (format!("{digest}.ecnas"), Some(Contents::Copy)),
            (format!("{digest}0.ecnas"), None),
            (format!("{digest}.redb"), None),
            (
                format!("{OWN_BENCHMARK}01234567-89abcdef.ecnas"),
                Some(Contents::Benchmark),
            ),
            (
                "nas-bench-101-0.0.1-rc-01234567-89abcdef.ecnas".to_owned(),
                Some(Contents::Benchmark),
            ),
            ("nas-bench-101-mine.ecnas".to_owned(), None),
            ("nas-bench-101-01234567-89abcdef.ecnas".to_owned(), None),
            ("mine.ecnas".to_owned(), None),
        ] {
            assert_eq!(contents(&name), expected, "{name}");
        }
    }
}

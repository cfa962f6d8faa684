//! Where a snapshot's bytes are kept: a private copy, or a map of the file.

use std::fs::File;
use std::path::Path;

use super::SnapshotError;
use super::format::BLOCK_LEN;

/// Bytes in memory at an address that is a multiple of 16, as snapshots need them.
#[derive(Debug, Clone, Default)]
pub struct AlignedBytes {
    words: Vec<u128>,
    len: usize,
}

impl AlignedBytes {
    /// Copies bytes.
    #[must_use]
    pub fn copy_from(bytes: &[u8]) -> Self {
        let mut copy = Self::zeroed(bytes.len());
        copy.as_mut().copy_from_slice(bytes);
        copy
    }

    /// Reads a whole file.
    ///
    /// # Errors
    /// The file cannot be opened or read, or its length changes meanwhile.
    pub fn read(path: &Path) -> Result<Self, SnapshotError> {
        let failed = |action| {
            move |source| SnapshotError::Io {
                path: path.to_owned(),
                action,
                source,
            }
        };
        let file = File::open(path).map_err(failed("open"))?;
        let metadata = file.metadata().map_err(failed("read"))?;
        if !metadata.is_file() {
            return Err(SnapshotError::NotASnapshot {
                found: "something other than a regular file".to_owned(),
            }
            .at(path));
        }
        let len = usize::try_from(metadata.len()).unwrap_or(usize::MAX);
        let mut bytes = Self::zeroed(len);
        fill(&file, bytes.as_mut()).map_err(failed("read"))?;
        Ok(bytes)
    }

    fn zeroed(len: usize) -> Self {
        Self {
            words: vec![0; len.div_ceil(16)],
            len,
        }
    }

    fn as_mut(&mut self) -> &mut [u8] {
        let bytes: &mut [u8] = bytemuck::cast_slice_mut(&mut self.words);
        bytes.get_mut(..self.len).unwrap_or_default()
    }
}

/// Reads a file from its start, each core its part: most of the time goes to memory that is touched first.
#[cfg(unix)]
fn fill(file: &File, bytes: &mut [u8]) -> std::io::Result<()> {
    use std::os::unix::fs::FileExt;

    let share = share(bytes.len());
    std::thread::scope(|scope| {
        let parts = bytes.chunks_mut(share).zip((0_u64..).step_by(share));
        let threads =
            parts.map(|(part, offset)| scope.spawn(move || file.read_exact_at(part, offset)));
        // All of them start before the first is waited for.
        let threads: Vec<_> = threads.collect();
        let mut results = threads.into_iter();
        results.try_for_each(|thread| {
            let stopped = |_| Err(std::io::Error::other("a reading thread stopped"));
            thread.join().unwrap_or_else(stopped)
        })
    })
}

#[cfg(not(unix))]
fn fill(mut file: &File, bytes: &mut [u8]) -> std::io::Result<()> {
    use std::io::Read;

    file.read_exact(bytes)
}

/// How many of so many bytes each core takes, a multiple of a block; few bytes are not worth a thread.
pub(super) fn share(bytes: usize) -> usize {
    const LEAST: usize = 4 << 20;
    let cores = std::thread::available_parallelism().map_or(1, std::num::NonZero::get);
    bytes.div_ceil(cores).max(LEAST).next_multiple_of(BLOCK_LEN)
}

impl AsRef<[u8]> for AlignedBytes {
    fn as_ref(&self) -> &[u8] {
        let bytes: &[u8] = bytemuck::cast_slice(&self.words);
        bytes.get(..self.len).unwrap_or_default()
    }
}

/// The bytes of a file mapped into memory, read-only.
#[derive(Debug)]
pub struct MappedBytes(memmap2::Mmap);

impl MappedBytes {
    /// Maps a file.
    ///
    /// # Safety
    /// See [`Snapshot::map`](super::Snapshot::map), which hands the caller's promise on.
    #[allow(unsafe_code)]
    pub(super) unsafe fn map(path: &Path) -> Result<Self, SnapshotError> {
        let failed = |action| {
            move |source| SnapshotError::Io {
                path: path.to_owned(),
                action,
                source,
            }
        };
        let file = File::open(path).map_err(failed("open"))?;
        // SAFETY: the caller promises that nobody changes or truncates the file while it is mapped. This module is the
        // only one that maps files.
        let map = unsafe { memmap2::Mmap::map(&file) }.map_err(failed("map"))?;
        Ok(Self(map))
    }
}

impl AsRef<[u8]> for MappedBytes {
    fn as_ref(&self) -> &[u8] {
        &self.0
    }
}

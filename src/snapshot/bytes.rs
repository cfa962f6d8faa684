//! Where a snapshot's bytes are kept: a private copy, or a map of the file.

use std::fmt;
use std::fs::File;
use std::io::{ErrorKind, Read};
use std::path::Path;

use super::SnapshotError;
use super::format::{BLOCK_LEN, HEADER_LEN, Header};
use super::frame::Frame;
use crate::{files, parallel};

/// Bytes in memory at an address that is a multiple of 16, as snapshots need them.
#[derive(Clone, Default)]
pub struct AlignedBytes {
    words: Box<[u128]>,
    len: usize,
}

impl AlignedBytes {
    /// Copies bytes.
    #[must_use]
    pub fn copy_from(bytes: &[u8]) -> Self {
        let words = vec![0; bytes.len().div_ceil(16)].into_boxed_slice();
        let len = bytes.len();
        let mut copy = Self { words, len };
        copy.as_mut().copy_from_slice(bytes);
        copy
    }

    /// Reads a whole snapshot file. Only its header is looked at.
    ///
    /// # Errors
    /// The file cannot be opened or read, does not begin as a snapshot of its length does, or changes its length meanwhile;
    /// or there is not enough memory.
    pub fn read(path: &Path) -> Result<Self, SnapshotError> {
        let failed = |action| {
            move |source| SnapshotError::Io {
                path: path.to_owned(),
                action,
                source,
            }
        };
        let file = files::open(path).map_err(failed("open"))?;
        Self::read_file(&file, path)
    }

    /// As [`read`](Self::read), of a file that is open; the path is for errors.
    fn read_file(mut file: &File, path: &Path) -> Result<Self, SnapshotError> {
        let failed = |action| {
            move |source| SnapshotError::Io {
                path: path.to_owned(),
                action,
                source,
            }
        };
        let metadata = file.metadata().map_err(failed("read"))?;
        // What is no snapshot of this length is not read to its end, however long it is.
        let mut start = Vec::new();
        let head = file
            .by_ref()
            .take(HEADER_LEN as u64)
            .read_to_end(&mut start);
        head.map_err(failed("read"))?;
        Header::decode(&start)
            .and_then(|header| header.check_len(metadata.len()))
            .map_err(|error| error.at(path))?;
        let too_long = || failed("read")(ErrorKind::OutOfMemory.into());
        let len = usize::try_from(metadata.len()).map_err(|_| too_long())?;
        let mut bytes = Self::zeroed(len).ok_or_else(too_long)?;
        fill(file, bytes.as_mut()).map_err(failed("read"))?;
        Ok(bytes)
    }

    /// Reads a stretch of a file.
    pub(super) fn read_at(file: &File, offset: u64, len: usize) -> std::io::Result<Self> {
        let mut bytes = Self::zeroed(len).ok_or(ErrorKind::OutOfMemory)?;
        read_exact_at(file, bytes.as_mut(), offset)?;
        Ok(bytes)
    }

    /// `None` where there is not that much memory.
    fn zeroed(len: usize) -> Option<Self> {
        let words = bytemuck::allocation::try_zeroed_slice_box(len.div_ceil(16)).ok()?;
        Some(Self { words, len })
    }

    fn as_mut(&mut self) -> &mut [u8] {
        let bytes: &mut [u8] = bytemuck::cast_slice_mut(&mut self.words);
        bytes.get_mut(..self.len).unwrap_or_default()
    }
}

/// Reads a file from its start, each core its part: most of the time goes to memory that is touched first.
#[cfg(unix)]
fn fill(file: &File, bytes: &mut [u8]) -> std::io::Result<()> {
    let share = share(bytes.len());
    let parts = bytes.chunks_mut(share).zip((0_u64..).step_by(share));
    let read = parallel::each(parts.collect(), |(part, offset)| {
        read_exact_at(file, part, offset)
    });
    read.into_iter().collect()
}

#[cfg(unix)]
fn read_exact_at(file: &File, bytes: &mut [u8], offset: u64) -> std::io::Result<()> {
    std::os::unix::fs::FileExt::read_exact_at(file, bytes, offset)
}

#[cfg(not(unix))]
fn fill(file: &File, bytes: &mut [u8]) -> std::io::Result<()> {
    read_exact_at(file, bytes, 0)
}

#[cfg(not(unix))]
fn read_exact_at(mut file: &File, bytes: &mut [u8], offset: u64) -> std::io::Result<()> {
    use std::io::{Seek, SeekFrom};

    file.seek(SeekFrom::Start(offset))?;
    file.read_exact(bytes)
}

/// How many of so many bytes each core takes, a multiple of a block; few bytes are not worth a thread.
pub(super) fn share(bytes: usize) -> usize {
    const LEAST: usize = 4 << 20;
    bytes
        .div_ceil(parallel::cores())
        .max(LEAST)
        .next_multiple_of(BLOCK_LEN)
}

impl AsRef<[u8]> for AlignedBytes {
    fn as_ref(&self) -> &[u8] {
        let bytes: &[u8] = bytemuck::cast_slice(&self.words);
        bytes.get(..self.len).unwrap_or_default()
    }
}

/// Their number alone.
impl fmt::Debug for AlignedBytes {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "AlignedBytes({} bytes)", self.len)
    }
}

/// Whether a snapshot's file is mapped into memory, or read into a private copy.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
#[non_exhaustive]
pub enum Mapping {
    /// Mapped, but on network file systems a private copy: there, a file may be cut off or replaced by another machine, and
    /// a connection that breaks ends a process that reads a mapped page. They are told by the file system's type (NFS, SMB,
    /// Lustre, GPFS, BeeGFS, Ceph, AFS, 9P, OrangeFS, OCFS2, GFS2, and all of FUSE), on Linux alone; elsewhere files are
    /// mapped.
    #[default]
    Automatic,
    /// Mapped, wherever the file lies.
    Always,
    /// A private copy, wherever the file lies.
    Never,
}

impl Mapping {
    /// All of them.
    pub const ALL: [Self; 3] = [Self::Automatic, Self::Always, Self::Never];

    /// Its name: `automatic`, `always`, `never`.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Automatic => "automatic",
            Self::Always => "always",
            Self::Never => "never",
        }
    }

    fn maps(self, file: &File) -> bool {
        match self {
            Self::Automatic => !is_on_network(file),
            Self::Always => true,
            Self::Never => false,
        }
    }
}

/// The bytes of a file mapped into memory, read-only, or a private copy of them; see [`Mapping`].
pub struct MappedBytes(Kept);

enum Kept {
    Map(memmap2::Mmap),
    Copy(AlignedBytes),
}

impl MappedBytes {
    /// Maps a file, or copies it, and reads its frame.
    ///
    /// # Safety
    /// See [`Snapshot::map`](super::Snapshot::map), which hands the caller's promise on.
    #[allow(unsafe_code)]
    pub(super) unsafe fn map(
        path: &Path,
        mapping: Mapping,
    ) -> Result<(Self, Frame), SnapshotError> {
        let failed = |action| {
            move |source| SnapshotError::Io {
                path: path.to_owned(),
                action,
                source,
            }
        };
        let file = files::open(path).map_err(failed("open"))?;
        if !mapping.maps(&file) {
            let copy = AlignedBytes::read_file(&file, path)?;
            let frame = Frame::of_bytes(copy.as_ref()).map_err(|error| error.at(path))?;
            return Ok((Self(Kept::Copy(copy)), frame));
        }
        // SAFETY: the caller promises that nobody changes or truncates the file while it is mapped. This module is the
        // only one that maps files.
        let map = unsafe { memmap2::Mmap::map(&file) }.map_err(failed("map"))?;
        let frame =
            Frame::of_file(&file, map.len() as u64, path).map_err(|error| error.at(path))?;
        Ok((Self(Kept::Map(map)), frame))
    }

    /// Whether the bytes are the file's own, mapped; else they are a private copy.
    #[must_use]
    pub const fn is_mapped(&self) -> bool {
        matches!(self.0, Kept::Map(_))
    }
}

impl AsRef<[u8]> for MappedBytes {
    fn as_ref(&self) -> &[u8] {
        match &self.0 {
            Kept::Map(map) => map,
            Kept::Copy(copy) => copy.as_ref(),
        }
    }
}

/// Their number, and whether they are mapped.
impl fmt::Debug for MappedBytes {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mapped = if self.is_mapped() { "mapped" } else { "copied" };
        write!(f, "MappedBytes({} bytes, {mapped})", self.as_ref().len())
    }
}

/// Whether a file lies on a file system of another machine. Where that cannot be told, it does not.
#[cfg(target_os = "linux")]
fn is_on_network(file: &File) -> bool {
    rustix::fs::fstatfs(file).is_ok_and(|found| is_of_network(found.f_type as u32))
}

#[cfg(not(target_os = "linux"))]
fn is_on_network(_: &File) -> bool {
    false
}

/// Whether a file system of this type, as `statfs` names it, may lie on another machine.
#[cfg(any(target_os = "linux", test))]
fn is_of_network(magic: u32) -> bool {
    // Of linux/magic.h and statfs(2); Lustre, GPFS and BeeGFS of their own sources.
    const NETWORK: [u32; 17] = [
        0x0000_6969, // NFS
        0x0000_517B, // SMB
        0xFF53_4D42, // CIFS
        0xFE53_4D42, // SMB2
        0x0BD0_0BD0, // Lustre
        0x4750_4653, // GPFS
        0x1983_0326, // BeeGFS
        0x00C3_6400, // Ceph
        0x5346_414F, // AFS
        0x6B41_4653, // AFS of the kernel
        0x7375_7245, // Coda
        0x0000_564C, // NCP
        0x0102_1997, // 9P
        0x2003_0528, // OrangeFS
        0x7461_636F, // OCFS2
        0x0116_1970, // GFS2
        0x6573_5546, // FUSE: sshfs, Gluster and others
    ];
    NETWORK.contains(&magic)
}

#[cfg(test)]
mod tests {
    use super::is_of_network;

    #[test]
    fn network_file_systems_are_told_from_local_ones() {
        // NFS, Lustre, GPFS; ext4, XFS, Btrfs, tmpfs, ZFS, overlayfs.
        for magic in [0x6969, 0x0BD0_0BD0, 0x4750_4653] {
            assert!(is_of_network(magic));
        }
        let local = [
            0xEF53,
            0x5846_5342,
            0x9123_683E,
            0x0102_1994,
            0x2FC1_2FC1,
            0x794C_7630,
        ];
        for magic in local {
            assert!(!is_of_network(magic));
        }
    }
}

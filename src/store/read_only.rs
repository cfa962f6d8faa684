//! A store's file that is read and never written.
//!
//! The storage engine writes whenever it opens a database, if only to note that it is in use, and it repairs one that was
//! not closed. Here those writes stay in memory, so that a store can be read without the permission to write, on read-only
//! media, and as a process that was killed left it, while not one byte of the file changes.

use std::collections::BTreeMap;
use std::fs::File;
use std::io::{Error, ErrorKind, Result};
use std::ops::Bound;
use std::sync::{Mutex, MutexGuard, PoisonError};

use redb::StorageBackend;
use redb::backends::FileBackend;

/// The unit in which changes are kept, in bytes.
const PAGE: usize = 4096;

/// A file opened for reading, under a shared lock, with the changes that the storage engine believes to have made.
#[derive(Debug)]
pub(super) struct ReadOnlyFile {
    file: FileBackend,
    changes: Mutex<Changes>,
}

#[derive(Debug)]
struct Changes {
    /// The length that the storage engine sees.
    len: u64,
    /// The bytes below this are the file's, unless a page says otherwise; above it, they are zero.
    file_len: u64,
    pages: BTreeMap<u64, Box<[u8; PAGE]>>,
}

impl ReadOnlyFile {
    /// Takes a shared lock, where the file system has locks. `None` if a writer has the file open.
    pub fn lock(file: File) -> Result<Option<Self>> {
        let len = file.metadata()?.len();
        let file = FileBackend::new(file).map_err(Error::other)?;
        // Writers lock parts of the file, so that a lock of the whole excludes them. Without locks, reading goes on: a writer
        // on such a file system has none either.
        if let Ok(false) = file.try_lock_shared_range(Bound::Unbounded, Bound::Unbounded) {
            return Ok(None);
        }
        let changes = Changes {
            len,
            file_len: len,
            pages: BTreeMap::new(),
        };
        Ok(Some(Self {
            file,
            changes: Mutex::new(changes),
        }))
    }

    fn changes(&self) -> MutexGuard<'_, Changes> {
        self.changes.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The bytes from `offset` on, as the storage engine left them.
    fn read_at(&self, changes: &Changes, offset: u64, out: &mut [u8]) -> Result<()> {
        let end = end_of(offset, out.len())?;
        if end > changes.len {
            return Err(ErrorKind::UnexpectedEof.into());
        }
        let own = changes.file_len.saturating_sub(offset);
        let own = usize::try_from(own).unwrap_or(usize::MAX).min(out.len());
        let (of_file, zero) = out.split_at_mut(own);
        self.file.read(offset, of_file)?;
        zero.fill(0);
        for (&number, page) in changes.pages.range(offset / PAGE as u64..) {
            let start = number * PAGE as u64;
            if start >= end {
                break;
            }
            let (from, to) = (start.max(offset), (start + PAGE as u64).min(end));
            let target = out.get_mut((from - offset) as usize..(to - offset) as usize);
            let source = page.get((from - start) as usize..(to - start) as usize);
            if let (Some(target), Some(source)) = (target, source) {
                target.copy_from_slice(source);
            }
        }
        Ok(())
    }

    fn write_at(&self, changes: &mut Changes, mut offset: u64, mut bytes: &[u8]) -> Result<()> {
        if end_of(offset, bytes.len())? > changes.len {
            return Err(ErrorKind::UnexpectedEof.into());
        }
        while !bytes.is_empty() {
            let (number, within) = (offset / PAGE as u64, (offset % PAGE as u64) as usize);
            if !changes.pages.contains_key(&number) {
                let mut page = Box::new([0; PAGE]);
                let start = number * PAGE as u64;
                let there = (changes.len - start).min(PAGE as u64) as usize;
                let there = page.get_mut(..there).unwrap_or_default();
                self.read_at(changes, start, there)?;
                changes.pages.insert(number, page);
            }
            let (now, later) = bytes.split_at(bytes.len().min(PAGE - within));
            let page = changes.pages.get_mut(&number);
            if let Some(part) = page.and_then(|page| page.get_mut(within..within + now.len())) {
                part.copy_from_slice(now);
            }
            offset += now.len() as u64;
            bytes = later;
        }
        Ok(())
    }
}

fn end_of(offset: u64, len: usize) -> Result<u64> {
    let end = offset.checked_add(len as u64);
    end.ok_or_else(|| ErrorKind::InvalidInput.into())
}

impl StorageBackend for ReadOnlyFile {
    fn len(&self) -> Result<u64> {
        Ok(self.changes().len)
    }

    fn read(&self, offset: u64, out: &mut [u8]) -> Result<()> {
        self.read_at(&self.changes(), offset, out)
    }

    fn set_len(&self, len: u64) -> Result<()> {
        let mut changes = self.changes();
        if len < changes.len {
            // What is cut off is zero when the file grows again.
            changes.file_len = changes.file_len.min(len);
            changes.pages.split_off(&len.div_ceil(PAGE as u64));
            let last = changes.pages.get_mut(&(len / PAGE as u64));
            if let Some(rest) = last.and_then(|page| page.get_mut((len % PAGE as u64) as usize..)) {
                rest.fill(0);
            }
        }
        changes.len = len;
        Ok(())
    }

    fn sync_data(&self) -> Result<()> {
        Ok(())
    }

    fn write(&self, offset: u64, data: &[u8]) -> Result<()> {
        self.write_at(&mut self.changes(), offset, data)
    }

    fn close(&self) -> Result<()> {
        self.file.close()
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[derive(Debug, Clone)]
    enum Step {
        Write(u64, Vec<u8>),
        SetLen(u64),
        Read(u64, usize),
    }

    fn steps() -> impl Strategy<Value = Vec<Step>> {
        const MOST: u64 = 5 * PAGE as u64;
        let bytes = prop::collection::vec(any::<u8>(), 0..2 * PAGE);
        let step = prop_oneof![
            (0..MOST, bytes).prop_map(|(offset, bytes)| Step::Write(offset, bytes)),
            (0..MOST).prop_map(Step::SetLen),
            (0..MOST, 0..3 * PAGE).prop_map(|(offset, len)| Step::Read(offset, len)),
        ];
        prop::collection::vec(step, 1..24)
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(64))]

        #[test]
        fn what_is_written_is_read_back_and_the_file_stays_as_it_was(
            bytes in prop::collection::vec(any::<u8>(), 0..4 * PAGE),
            steps in steps(),
        ) {
            let file = tempfile::NamedTempFile::new().unwrap();
            std::fs::write(file.path(), &bytes).unwrap();
            let opened = File::open(file.path()).unwrap();
            let view = ReadOnlyFile::lock(opened).unwrap().unwrap();
            let mut model = bytes.clone();
            for step in steps {
                match step {
                    Step::Write(offset, new) => {
                        let place = model.get_mut(offset as usize..offset as usize + new.len());
                        prop_assert_eq!(view.write(offset, &new).is_ok(), place.is_some());
                        if let Some(place) = place {
                            place.copy_from_slice(&new);
                        }
                    }
                    Step::SetLen(len) => {
                        view.set_len(len).unwrap();
                        model.resize(len as usize, 0);
                    }
                    Step::Read(offset, len) => {
                        let mut out = vec![1; len];
                        let expected = model.get(offset as usize..offset as usize + len);
                        prop_assert_eq!(view.read(offset, &mut out).is_ok(), expected.is_some());
                        if let Some(expected) = expected {
                            prop_assert_eq!(&out, expected);
                        }
                    }
                }
                prop_assert_eq!(view.len().unwrap(), model.len() as u64);
            }
            let mut all = vec![0; model.len()];
            view.read(0, &mut all).unwrap();
            prop_assert_eq!(all, model);
            prop_assert_eq!(std::fs::read(file.path()).unwrap(), bytes);
        }
    }
}

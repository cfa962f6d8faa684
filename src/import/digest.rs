//! The digest of a source, made while it is read.

use std::io::{self, Read};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::Ordering;

use sha2::{Digest as _, Sha256};

use super::pipeline::Counters;

/// SHA-256 and length of what was read.
pub(super) struct Digest {
    pub sha256: [u8; 32],
    pub bytes: u64,
}

/// Passes bytes on, digesting and counting them.
pub(super) struct Digesting<R> {
    input: R,
    sha256: Sha256,
    bytes: u64,
    counters: Arc<Counters>,
}

impl<R: Read> Digesting<R> {
    pub(super) fn new(input: R, counters: Arc<Counters>) -> Self {
        Self {
            input,
            sha256: Sha256::new(),
            bytes: 0,
            counters,
        }
    }

    pub(super) fn finish(self) -> Digest {
        Digest {
            sha256: self.sha256.finalize().into(),
            bytes: self.bytes,
        }
    }
}

impl<R: Read> Read for Digesting<R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let read = self.input.read(buffer)?;
        self.sha256.update(buffer.get(..read).unwrap_or_default());
        self.bytes += read as u64;
        self.counters.bytes.store(self.bytes, Ordering::Relaxed);
        Ok(read)
    }
}

/// The digest of a tree of files, which are added in order of path.
pub(super) struct TreeDigest {
    folder: PathBuf,
    sha256: Sha256,
    bytes: u64,
}

impl TreeDigest {
    pub(super) fn new(folder: PathBuf) -> Self {
        Self {
            folder,
            sha256: Sha256::new(),
            bytes: 0,
        }
    }

    /// Adds a file, and gives how many bytes there are so far.
    pub(super) fn add(&mut self, path: &Path, bytes: &[u8]) -> u64 {
        let relative = path.strip_prefix(&self.folder).unwrap_or(path);
        for (index, part) in relative.iter().enumerate() {
            if index > 0 {
                self.sha256.update(b"/");
            }
            self.sha256.update(part.as_encoded_bytes());
        }
        self.sha256.update(b"\0");
        self.sha256.update((bytes.len() as u64).to_le_bytes());
        self.sha256.update(bytes);
        self.bytes += bytes.len() as u64;
        self.bytes
    }

    pub(super) fn finish(self) -> Digest {
        Digest {
            sha256: self.sha256.finalize().into(),
            bytes: self.bytes,
        }
    }
}

#[cfg(test)]
mod tests {
    use std::ops::ControlFlow;

    use crate::import::{Import, ImportError, ImportOptions, digest};

    #[test]
    fn the_digest_of_a_source_is_the_one_that_its_import_has() {
        let folder = tempfile::tempdir().unwrap();
        let options = ImportOptions::default();
        let file = folder.path().join("own.csv");
        let rows = "b49ac8c578b4561d79ac7087988f1c61,0.5,4\n".repeat(5000);
        std::fs::write(&file, format!("hash,energy_kwh,epochs\n{rows}")).unwrap();
        let tree = folder.path().join("tree");
        for repeat in [1, 2, 10] {
            let run = format!("3V9E/4_epochs/b4/b49ac8c578b4561d79ac7087988f1c61/repeat_{repeat}");
            let run = tree.join(run);
            std::fs::create_dir_all(&run).unwrap();
            let text = format!(
                "{{\"evaluation_results\": [{{\"epochs\": 4, \"training_time\": {repeat}}}]}}"
            );
            std::fs::write(run.join("results.json"), text).unwrap();
            std::fs::write(run.join("notes.txt"), "not read").unwrap();
        }
        for path in [&file, &tree] {
            let mut told = 0;
            let found = digest(path, &options, |bytes| {
                told = bytes;
                ControlFlow::Continue(())
            });
            let imported = Import::open(path, &options).unwrap().finish().unwrap();
            let source = &imported.info.sources[0];
            assert_eq!((found.unwrap(), told), (source.sha256, source.bytes));
            let stopped = digest(path, &options, |_| ControlFlow::Break(()));
            assert!(matches!(stopped, Err(ImportError::Cancelled)));
        }
    }
}

//! The digest of a source, made while it is read.

use std::io::{self, Read};
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

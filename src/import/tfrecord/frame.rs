//! TFRecord framing: length (u64), its masked CRC32C, payload, its masked CRC32C; all little-endian.

use std::io::{self, Read, Write};

use crate::import::Fault;

/// Bytes of a frame before its payload.
pub(super) const HEADER: u64 = 12;
/// Bytes of a frame after its payload.
pub(super) const TRAILER: u64 = 4;

/// TFRecord's masked CRC32C.
pub(super) fn masked_crc(bytes: &[u8]) -> u32 {
    crc32c::crc32c(bytes)
        .rotate_right(15)
        .wrapping_add(0xa282_ead8)
}

/// Writes a frame around the payload.
pub(super) fn write_frame(out: &mut impl Write, payload: &[u8]) -> io::Result<()> {
    let length = (payload.len() as u64).to_le_bytes();
    out.write_all(&length)?;
    out.write_all(&masked_crc(&length).to_le_bytes())?;
    out.write_all(payload)?;
    out.write_all(&masked_crc(payload).to_le_bytes())
}

/// Why there is no next frame.
#[derive(Debug)]
pub(super) enum FrameError {
    Io(io::Error),
    Fault(Fault),
}

/// Reads frame after frame.
pub(super) struct Frames<R> {
    input: R,
    /// Where the next frame begins.
    offset: u64,
    /// How long the file is.
    length: u64,
    limit: u64,
}

impl<R: Read> Frames<R> {
    pub(super) const fn new(input: R, length: u64, limit: u64) -> Self {
        Self {
            input,
            offset: 0,
            length,
            limit,
        }
    }

    /// Where the next frame begins, or the one that was found broken.
    pub(super) const fn offset(&self) -> u64 {
        self.offset
    }

    pub(super) fn into_input(self) -> R {
        self.input
    }

    /// The next payload; at the end of the file there is none.
    pub(super) fn next_payload(&mut self) -> Result<Option<Vec<u8>>, FrameError> {
        let mut header = [0; HEADER as usize];
        match self.fill(&mut header)? {
            0 => return Ok(None),
            found if found < HEADER => return truncated(HEADER, found),
            _ => {}
        }
        let [l0, l1, l2, l3, l4, l5, l6, l7, c0, c1, c2, c3] = header;
        let length = [l0, l1, l2, l3, l4, l5, l6, l7];
        check(&length, [c0, c1, c2, c3], |expected, found| {
            Fault::LengthChecksum { expected, found }
        })?;
        let declared = u64::from_le_bytes(length);
        if declared > self.limit {
            let limit = self.limit;
            return Err(FrameError::Fault(Fault::TooLong { declared, limit }));
        }
        let left = self.length.saturating_sub(self.offset + HEADER);
        if left < TRAILER || declared > left - TRAILER {
            return truncated(declared.saturating_add(TRAILER), left);
        }

        // At most the limit and what the file has left: that bounds what is allocated.
        let mut payload = vec![0; declared as usize];
        let found = self.fill(&mut payload)?;
        if found < declared {
            return truncated(declared + TRAILER, found);
        }
        let mut crc = [0; TRAILER as usize];
        let found = self.fill(&mut crc)?;
        if found < TRAILER {
            return truncated(declared + TRAILER, declared + found);
        }
        check(&payload, crc, |expected, found| Fault::PayloadChecksum {
            expected,
            found,
        })?;
        self.offset += HEADER + declared + TRAILER;
        Ok(Some(payload))
    }

    /// Reads until the buffer is full or the file ends; returns how much.
    fn fill(&mut self, mut buffer: &mut [u8]) -> Result<u64, FrameError> {
        let mut filled = 0;
        while !buffer.is_empty() {
            match self.input.read(buffer) {
                Ok(0) => break,
                Ok(n) => {
                    filled += n as u64;
                    buffer = buffer.get_mut(n..).unwrap_or_default();
                }
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                Err(error) => return Err(FrameError::Io(error)),
            }
        }
        Ok(filled)
    }
}

fn truncated<T>(expected: u64, found: u64) -> Result<T, FrameError> {
    Err(FrameError::Fault(Fault::Truncated { expected, found }))
}

fn check(bytes: &[u8], stored: [u8; 4], fault: fn(u32, u32) -> Fault) -> Result<(), FrameError> {
    let (expected, found) = (masked_crc(bytes), u32::from_le_bytes(stored));
    if expected == found {
        return Ok(());
    }
    Err(FrameError::Fault(fault(expected, found)))
}

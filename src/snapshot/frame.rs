//! What is read when a snapshot is opened: header, section table and catalog.

use std::fs::File;
use std::path::Path;

use super::SnapshotError;
use super::bytes::AlignedBytes;
use super::catalog::Layout;
use super::format::{HEADER_LEN, Header, Section};
use crate::metrics::layout_fingerprint;

/// The checked frame of a snapshot.
#[derive(Debug)]
pub(super) struct Frame {
    pub header: Header,
    pub sections: Vec<Section>,
    pub layout: Layout,
}

impl Frame {
    /// Of a snapshot in memory.
    pub fn of_bytes(file: &[u8]) -> Result<Self, SnapshotError> {
        let header = Header::decode(file.get(..HEADER_LEN).unwrap_or(file))?;
        let misaligned = file.as_ptr().addr() % 16;
        if misaligned != 0 {
            return Err(SnapshotError::Misaligned { found: misaligned });
        }
        let part = |offset: usize, len: usize| {
            let end = offset.checked_add(len);
            let part = end.and_then(|end| file.get(offset..end));
            Ok(part.unwrap_or_default())
        };
        Self::decode(header, file.len() as u64, part)
    }

    /// Of a snapshot's file of this length, which is read where the frame is: a fraction of a microsecond for each part. The
    /// first touch of a mapped page takes several.
    pub fn of_file(file: &File, len: u64, path: &Path) -> Result<Self, SnapshotError> {
        let failed = |source| SnapshotError::Io {
            path: path.to_owned(),
            action: "read",
            source,
        };
        let part = |offset: usize, len: usize| {
            AlignedBytes::read_at(file, offset as u64, len).map_err(failed)
        };
        let start = part(0, len.min(HEADER_LEN as u64) as usize)?;
        let header = Header::decode(start.as_ref())?;
        Self::decode(header, len, part)
    }

    fn decode<P: AsRef<[u8]>>(
        header: Header,
        len: u64,
        part: impl Fn(usize, usize) -> Result<P, SnapshotError>,
    ) -> Result<Self, SnapshotError> {
        header.check_len(len)?;
        let expected = layout_fingerprint();
        if header.layout != expected {
            return Err(SnapshotError::ArchiveLayout {
                expected,
                found: header.layout,
            });
        }
        let (offset, table) = header.section_table();
        let sections = header.sections(part(offset, table)?.as_ref())?;
        let catalog = Layout::section(&sections)?;
        let bytes = part(catalog.offset, catalog.len)?;
        let layout = Layout::decode(bytes.as_ref(), catalog, &sections, header.catalog_crc)?;
        Ok(Self {
            header,
            sections,
            layout,
        })
    }
}

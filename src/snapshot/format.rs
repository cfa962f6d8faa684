//! The bytes of a snapshot's frame: header, section table and block checksums. `docs/design.md` draws them.

use super::SnapshotError;

/// First bytes of every snapshot. The high bit and the line ends show transfers that mangle text.
pub(crate) const MAGIC: [u8; 8] = *b"\x89ECNAS\r\n";
/// The version of the format that this crate writes, and the only one that it reads.
pub(crate) const VERSION: u32 = 1;
/// Reads as another number where the bytes of an integer are stored in the other order.
const ENDIAN_MARK: u32 = 0x0A0B_0C0D;
/// Length of the header in bytes.
pub(crate) const HEADER_LEN: usize = 128;
/// Length of an entry of the section table in bytes.
const SECTION_LEN: usize = 24;
/// Bytes that one checksum covers.
pub(crate) const BLOCK_LEN: usize = 1 << 16;
/// Alignment of every section.
pub(crate) const SECTION_ALIGN: usize = 64;

// What opening a snapshot reads and keeps has limits, so that a file made to mislead costs little memory. A table of four
// budgets and thirty columns takes some 250 sections and 6 KB of the catalog.

/// Most sections of a snapshot.
pub(crate) const MAX_SECTIONS: u32 = 1 << 18;
/// Most bytes of a catalog.
pub(crate) const MAX_CATALOG_LEN: usize = 4 << 20;
/// Most columns of a table at a budget.
pub(crate) const MAX_COLUMNS: usize = 1 << 14;

/// What a section holds.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[repr(u32)]
pub(crate) enum Kind {
    /// rkyv archive: tables, budgets, columns, and the numbers of their sections.
    Catalog = 1,
    /// rkyv archive of a `TableInfo`.
    Info = 2,
    /// Cell hashes, each with its row and the packed drawing of its cell, where a perfect hash puts them: `Slot`.
    Slots = 3,
    /// What the perfect hash takes to tell keys apart, u16.
    Pilots = 4,
    /// The slot of each row, u32.
    RowSlots = 5,
    /// Archived trials, each at a multiple of 16 bytes.
    Records = 6,
    /// Where each trial of a budget lies, by row and repeat: `Entry`.
    Entries = 7,
    /// Where the trials of each row begin among the entries, u32, and one more.
    Starts = 8,
    /// One value per trial of a budget, in the order of the entries, f64; NaN where missing.
    TrialValues = 9,
    /// One value per row: the mean over the row's trials, f64; NaN where missing.
    RowMeans = 10,
    /// Indexes over columns, in their own format: see `index`.
    Index = 11,
    /// The rows of a budget that have a value no trial stands behind: one bit for each row, u64.
    Estimated = 12,
}

impl Kind {
    const ALL: [Self; 12] = [
        Self::Catalog,
        Self::Info,
        Self::Slots,
        Self::Pilots,
        Self::RowSlots,
        Self::Records,
        Self::Entries,
        Self::Starts,
        Self::TrialValues,
        Self::RowMeans,
        Self::Index,
        Self::Estimated,
    ];

    fn from_code(code: u32) -> Option<Self> {
        Self::ALL.into_iter().find(|&kind| kind as u32 == code)
    }
}

/// A stretch of the file.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Section {
    pub kind: Kind,
    pub offset: usize,
    pub len: usize,
}

/// What the header says.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Header {
    pub file_len: u64,
    pub section_count: u32,
    pub sections_offset: u64,
    pub sections_crc: u32,
    /// Of the archives' layout, see `metrics::layout_fingerprint`.
    pub layout: u32,
    pub blocks_offset: u64,
    pub blocks_crc: u32,
    pub catalog_crc: u32,
}

impl Header {
    /// Lays the header out as bytes.
    pub fn encode(&self) -> [u8; HEADER_LEN] {
        let mut bytes = [0; HEADER_LEN];
        let mut put = |at: usize, field: &[u8]| {
            if let Some(slot) = bytes.get_mut(at..at + field.len()) {
                slot.copy_from_slice(field);
            }
        };
        put(0, &MAGIC);
        put(8, &VERSION.to_le_bytes());
        put(12, &ENDIAN_MARK.to_le_bytes());
        put(16, &self.file_len.to_le_bytes());
        put(24, &self.section_count.to_le_bytes());
        put(28, &(BLOCK_LEN as u32).to_le_bytes());
        put(32, &self.sections_offset.to_le_bytes());
        put(40, &self.sections_crc.to_le_bytes());
        put(44, &self.layout.to_le_bytes());
        put(48, &self.blocks_offset.to_le_bytes());
        put(56, &self.blocks_crc.to_le_bytes());
        put(60, &self.catalog_crc.to_le_bytes());
        let crc = crc32c::crc32c(bytes.get(..HEADER_LEN - 4).unwrap_or_default());
        if let Some(slot) = bytes.get_mut(HEADER_LEN - 4..) {
            slot.copy_from_slice(&crc.to_le_bytes());
        }
        bytes
    }

    /// Reads the header, with which a file starts, and checks what it says of itself; [`check_len`](Self::check_len) holds
    /// it against the file.
    pub fn decode(file: &[u8]) -> Result<Self, SnapshotError> {
        let magic = file.get(..MAGIC.len()).unwrap_or(file);
        if magic != MAGIC {
            return Err(SnapshotError::NotASnapshot {
                found: describe_start(file),
            });
        }
        if file.len() < HEADER_LEN {
            return Err(SnapshotError::Length {
                expected: HEADER_LEN as u64,
                found: file.len() as u64,
            });
        }
        if cfg!(target_endian = "big") || u32_at(file, 12) == Some(ENDIAN_MARK.swap_bytes()) {
            return Err(SnapshotError::Endianness);
        }
        // Version before checksum: a later format may place its checksum elsewhere.
        let version = u32_at(file, 8).unwrap_or_default();
        if version != VERSION {
            return Err(SnapshotError::Version {
                expected: VERSION,
                found: version,
            });
        }
        let expected = u32_at(file, HEADER_LEN - 4).unwrap_or_default();
        let found = crc32c::crc32c(file.get(..HEADER_LEN - 4).unwrap_or_default());
        if expected != found {
            return Err(SnapshotError::Checksum {
                what: "header".to_owned(),
                offset: 0,
                expected,
                found,
            });
        }
        let malformed = |what: &str, found: u64| SnapshotError::Malformed {
            what: what.to_owned(),
            found: found.to_string(),
        };
        let mark = u32_at(file, 12).unwrap_or_default();
        if mark != ENDIAN_MARK {
            return Err(malformed(
                "header: expected the byte-order mark",
                mark.into(),
            ));
        }
        let block_len = u32_at(file, 28).unwrap_or_default();
        if block_len as usize != BLOCK_LEN {
            return Err(malformed(
                "header: expected blocks of 65536 bytes",
                block_len.into(),
            ));
        }
        if file
            .get(64..HEADER_LEN - 4)
            .unwrap_or_default()
            .iter()
            .any(|&byte| byte != 0)
        {
            return Err(malformed("header: expected zeros from byte 64 on", 1));
        }
        Ok(Self {
            file_len: u64_at(file, 16).unwrap_or_default(),
            section_count: u32_at(file, 24).unwrap_or_default(),
            sections_offset: u64_at(file, 32).unwrap_or_default(),
            sections_crc: u32_at(file, 40).unwrap_or_default(),
            layout: u32_at(file, 44).unwrap_or_default(),
            blocks_offset: u64_at(file, 48).unwrap_or_default(),
            blocks_crc: u32_at(file, 56).unwrap_or_default(),
            catalog_crc: u32_at(file, 60).unwrap_or_default(),
        })
    }

    /// Checks that a file of this length has room for what the header says, where it says.
    pub fn check_len(&self, found: u64) -> Result<(), SnapshotError> {
        let malformed = |what: &str, found: u64| SnapshotError::Malformed {
            what: what.to_owned(),
            found: found.to_string(),
        };
        if self.file_len != found {
            return Err(SnapshotError::Length {
                expected: self.file_len,
                found,
            });
        }
        if self.section_count > MAX_SECTIONS {
            return Err(malformed(
                &format!("header: expected at most {MAX_SECTIONS} sections"),
                self.section_count.into(),
            ));
        }
        let table_end = u64::from(self.section_count)
            .checked_mul(SECTION_LEN as u64)
            .and_then(|len| self.sections_offset.checked_add(len));
        let blocks_end = self
            .block_count()
            .and_then(|blocks| blocks.checked_mul(4))
            .and_then(|len| self.blocks_offset.checked_add(len));
        if table_end.is_none_or(|end| end > self.blocks_offset)
            || self.sections_offset < HEADER_LEN as u64
        {
            return Err(malformed(
                "header: expected the section table between header and checksums",
                self.sections_offset,
            ));
        }
        if blocks_end != Some(self.file_len) {
            return Err(malformed(
                "header: expected the checksums at the end of the file",
                self.blocks_offset,
            ));
        }
        Ok(())
    }

    /// Where the section table begins, and its length in bytes.
    pub const fn section_table(&self) -> (usize, usize) {
        let len = self.section_count as usize * SECTION_LEN;
        (self.sections_offset as usize, len)
    }

    /// How many blocks have a checksum: those from the end of the header to the start of the checksums.
    pub fn block_count(&self) -> Option<u64> {
        let covered = self.blocks_offset.checked_sub(HEADER_LEN as u64)?;
        Some(covered.div_ceil(BLOCK_LEN as u64))
    }

    /// Reads the section table: known kinds, in order of offset, aligned, inside the file, not overlapping.
    pub fn sections(&self, table: &[u8]) -> Result<Vec<Section>, SnapshotError> {
        let found = crc32c::crc32c(table);
        if found != self.sections_crc {
            return Err(SnapshotError::Checksum {
                what: "section table".to_owned(),
                offset: self.sections_offset,
                expected: self.sections_crc,
                found,
            });
        }
        let mut sections = Vec::with_capacity(self.section_count as usize);
        let mut free_from = HEADER_LEN as u64;
        for (number, entry) in table.chunks_exact(SECTION_LEN).enumerate() {
            let malformed = |what: &str, found: u64| SnapshotError::Malformed {
                what: format!("section {number}: {what}"),
                found: found.to_string(),
            };
            let code = u32_at(entry, 0).unwrap_or_default();
            let kind = Kind::from_code(code)
                .ok_or_else(|| malformed("expected a known kind (1 to 12)", code.into()))?;
            let align = u32_at(entry, 4).unwrap_or_default();
            if align as usize != SECTION_ALIGN {
                return Err(malformed("expected an alignment of 64", align.into()));
            }
            let offset = u64_at(entry, 8).unwrap_or_default();
            let len = u64_at(entry, 16).unwrap_or_default();
            let end = offset.checked_add(len);
            if offset < free_from
                || !offset.is_multiple_of(SECTION_ALIGN as u64)
                || end.is_none_or(|end| end > self.sections_offset)
            {
                return Err(malformed(
                    "expected an aligned offset behind the section before it, and its end before the section table",
                    offset,
                ));
            }
            free_from = end.unwrap_or(u64::MAX);
            sections.push(Section {
                kind,
                offset: offset as usize,
                len: len as usize,
            });
        }
        Ok(sections)
    }
}

/// Lays the section table out as bytes.
pub(crate) fn encode_sections(sections: &[Section]) -> Vec<u8> {
    let mut bytes = Vec::with_capacity(sections.len() * SECTION_LEN);
    for section in sections {
        bytes.extend((section.kind as u32).to_le_bytes());
        bytes.extend((SECTION_ALIGN as u32).to_le_bytes());
        bytes.extend((section.offset as u64).to_le_bytes());
        bytes.extend((section.len as u64).to_le_bytes());
    }
    bytes
}

/// Where a trial's archive lies: 24 bytes, in the order of row and repeat.
#[derive(Debug, Clone, Copy, PartialEq, Eq, bytemuck::Pod, bytemuck::Zeroable)]
#[repr(C)]
pub(crate) struct Entry {
    /// From the start of the table's records.
    pub offset: u64,
    /// The trial's place in the order of import.
    pub sequence: u64,
    pub len: u32,
    pub repeat: u32,
}

fn u32_at(bytes: &[u8], at: usize) -> Option<u32> {
    let field = bytes.get(at..at + 4)?;
    Some(u32::from_le_bytes(field.try_into().ok()?))
}

fn u64_at(bytes: &[u8], at: usize) -> Option<u64> {
    let field = bytes.get(at..at + 8)?;
    Some(u64::from_le_bytes(field.try_into().ok()?))
}

/// Whether a file begins as a store does.
pub(super) fn is_store(start: &[u8]) -> bool {
    start.starts_with(b"redb\x1A\x0A")
}

/// Says in words what a file that is no snapshot begins with.
fn describe_start(file: &[u8]) -> String {
    if file.is_empty() {
        return "an empty file".to_owned();
    }
    if is_store(file) {
        return "an ecnas store (seal it first: ecnas seal -s STORE -o SNAPSHOT)".to_owned();
    }
    if file.starts_with(b"version https://git-lfs") {
        return "a Git-LFS pointer instead of the data (fetch it: git lfs pull)".to_owned();
    }
    if file.get(4..8) == Some(&[0; 4]) && file.get(12..14) == Some(b"[\"") {
        return "a TFRecord file (import it first: ecnas import -s STORE FILE, then ecnas seal)"
            .to_owned();
    }
    let start = file.get(..file.len().min(8)).unwrap_or_default();
    format!("the bytes {}", start.escape_ascii())
}

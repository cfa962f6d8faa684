//! Checking every byte and every structure of a snapshot.

use rkyv::rancor;

use super::bytes::share;
use super::catalog::{StoredCatalog, TableLayout};
use super::format::{BLOCK_LEN, HEADER_LEN, Header, SECTION_ALIGN, Section};
use super::frame::Frame;
use super::table::Table;
use super::{SnapshotError, derived};
use crate::metrics::rkyv_error;
use crate::parallel;

/// What a verification found in order.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct Verified {
    /// Bytes of the file.
    pub bytes: u64,
    /// Blocks whose checksum was compared.
    pub blocks: u64,
    /// Sections.
    pub sections: usize,
    /// Tables.
    pub tables: usize,
    /// Archived trials that were read.
    pub trials: u64,
}

pub(super) fn verify(file: &[u8], frame: &Frame) -> Result<Verified, SnapshotError> {
    let blocks = bytes(file, frame)?;
    arrangement(file, frame)?;
    let mut trials = 0;
    for table_layout in &frame.layout.tables {
        trials += derived::check(Table::new(file, table_layout), table_layout)?;
    }
    Ok(Verified {
        bytes: file.len() as u64,
        blocks,
        sections: frame.sections.len(),
        tables: frame.layout.tables.len(),
        trials,
    })
}

/// Compares every byte with the checksum that covers it, on all cores; says how many blocks there are.
pub(super) fn bytes(file: &[u8], frame: &Frame) -> Result<u64, SnapshotError> {
    let blocks = checksums(file, &frame.header, &frame.sections)?;
    padding(file, &frame.header, &frame.sections)?;
    Ok(blocks)
}

/// Compares the checksum of every block, and of the checksums.
fn checksums(file: &[u8], header: &Header, sections: &[Section]) -> Result<u64, SnapshotError> {
    let start = header.blocks_offset as usize;
    let stored = file.get(start..).unwrap_or_default();
    let found = crc32c::crc32c(stored);
    if found != header.blocks_crc {
        return Err(SnapshotError::Checksum {
            what: "block checksums".to_owned(),
            offset: header.blocks_offset,
            expected: header.blocks_crc,
            found,
        });
    }
    let covered = file.get(HEADER_LEN..start).unwrap_or_default();
    let share = share(covered.len());
    // The first damage of each part; parts are whole blocks.
    let first_wrong = |part: usize, covered: &[u8], stored: &[u8]| {
        let blocks = covered.chunks(BLOCK_LEN).zip(stored.chunks_exact(4));
        blocks.enumerate().find_map(|(number, (block, expected))| {
            let expected = expected
                .try_into()
                .map(u32::from_le_bytes)
                .unwrap_or_default();
            let found = crc32c::crc32c(block);
            let offset = HEADER_LEN + part * share + number * BLOCK_LEN;
            (found != expected).then(|| SnapshotError::Checksum {
                what: part_of(sections, offset, offset + block.len()),
                offset: offset as u64,
                expected,
                found,
            })
        })
    };
    let parts = covered
        .chunks(share)
        .zip(stored.chunks(share / BLOCK_LEN * 4));
    let wrong = parallel::each(parts.enumerate().collect(), |(part, (covered, stored))| {
        first_wrong(part, covered, stored)
    });
    match wrong.into_iter().flatten().next() {
        Some(error) => Err(error),
        None => Ok(covered.len().div_ceil(BLOCK_LEN) as u64),
    }
}

/// Names the sections that a block touches.
fn part_of(sections: &[Section], start: usize, end: usize) -> String {
    let touched: Vec<_> = sections
        .iter()
        .enumerate()
        .filter(|(_, section)| section.offset < end && start < section.offset + section.len)
        .map(|(number, section)| format!("section {number} ({:?})", section.kind))
        .collect();
    match touched.as_slice() {
        [] => "block of the section table".to_owned(),
        [only] => format!("block of {only}"),
        [first, .., last] => format!("block of {first} to {last}"),
    }
}

/// Bytes between sections are zero.
fn padding(file: &[u8], header: &Header, sections: &[Section]) -> Result<(), SnapshotError> {
    let mut ranges: Vec<_> = sections
        .iter()
        .map(|s| (s.offset, s.offset + s.len))
        .collect();
    ranges.push((
        header.sections_offset as usize,
        header.blocks_offset as usize,
    ));
    ranges.sort_unstable();
    let mut end = HEADER_LEN;
    for (next, next_end) in ranges {
        let gap = file.get(end..next).unwrap_or_default();
        if let Some(place) = gap.iter().position(|&byte| byte != 0) {
            return Err(SnapshotError::Malformed {
                what: format!(
                    "byte {}: expected zero padding between sections",
                    end + place
                ),
                found: "another byte".to_owned(),
            });
        }
        end = next_end;
    }
    Ok(())
}

/// Header, catalog and section table are what a writer makes of this catalog: its sections, and no others, stand in its order,
/// one behind the other.
fn arrangement(file: &[u8], frame: &Frame) -> Result<(), SnapshotError> {
    let malformed = |what: &str, found: String| SnapshotError::Malformed {
        what: what.to_owned(),
        found,
    };
    let mut end = HEADER_LEN;
    for (number, section) in frame.sections.iter().enumerate() {
        let expected = end.next_multiple_of(SECTION_ALIGN);
        if section.offset != expected {
            let what = format!("section {number}: expected it at byte {expected}");
            return Err(malformed(&what, section.offset.to_string()));
        }
        end = section.offset + section.len;
    }
    let (table, len) = frame.header.section_table();
    if table != end.next_multiple_of(SECTION_ALIGN)
        || frame.header.blocks_offset != (table + len) as u64
    {
        let what = "header: expected section table and checksums behind the last section";
        return Err(malformed(
            what,
            format!("{table}, {}", frame.header.blocks_offset),
        ));
    }
    let catalog = frame.sections.last().copied();
    let tables = frame.layout.tables.iter().flat_map(TableLayout::sections);
    if !tables.chain(catalog).eq(frame.sections.iter().copied()) {
        let what = "expected the sections of the catalog in its order, and no others";
        return Err(malformed(
            what,
            format!("{} sections", frame.sections.len()),
        ));
    }
    let bytes = catalog.and_then(|own| file.get(own.offset..own.offset + own.len));
    let bytes = bytes.unwrap_or_default();
    let stored = rkyv::from_bytes::<StoredCatalog, rancor::Error>(bytes);
    let again = stored.and_then(|stored| rkyv::to_bytes::<rancor::Error>(&stored));
    let again = again.map_err(|error| malformed("expected a catalog", rkyv_error(&error)))?;
    if again.as_slice() != bytes {
        let what = "expected the catalog as it is written";
        return Err(malformed(what, "other bytes that mean the same".to_owned()));
    }
    Ok(())
}

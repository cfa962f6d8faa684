//! Checking every byte and every structure of a snapshot.

use super::RowId;
use super::SnapshotError;
use super::bytes::share;
use super::catalog::{BudgetLayout, TableLayout};
use super::format::{BLOCK_LEN, HEADER_LEN, Header, Section};
use super::frame::Frame;
use super::keys::Slot;
use super::table::Table;
use crate::parallel;

/// What a verification found in order.
#[derive(Debug, Clone, PartialEq, Eq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
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
    let mut trials = 0;
    for table_layout in &frame.layout.tables {
        let table = Table::new(file, table_layout);
        structure(table, table_layout)?;
        for trial in table.trials() {
            trial?;
            trials += 1;
        }
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

/// The arrays of a table fit each other.
fn structure<'a>(table: Table<'a>, layout: &'a TableLayout) -> Result<(), SnapshotError> {
    let malformed = |what: &str, found: String| SnapshotError::Malformed {
        what: format!("table `{}`: {what}", layout.name),
        found,
    };
    let info = table.info()?;
    if info.name != layout.name {
        return Err(malformed(
            "expected its own name in its description",
            info.name,
        ));
    }
    let keys = table.keys();
    let row_slots: &[u32] = table.slice(layout.row_slots);
    let mut filled = 0;
    for (place, slot) in keys.slots.iter().enumerate() {
        let wrong = |what: &str| malformed(what, format!("slot {place}: {slot:?}"));
        if !slot.is_sound() {
            return Err(wrong("expected zeros where a slot holds nothing"));
        }
        if slot.row == Slot::EMPTY {
            continue;
        }
        filled += 1;
        if row_slots.get(slot.row as usize).map(|&own| own as usize) != Some(place) {
            return Err(wrong("expected rows and slots to be numbered one to one"));
        }
        if keys.find(&slot.key) != Some(slot) {
            return Err(wrong("expected the hash to lead to every key"));
        }
        if slot.drawing != 0 && table.cell(RowId(slot.row)).is_none() {
            return Err(wrong("expected the drawing of a cell"));
        }
    }
    if filled != table.len() {
        return Err(malformed(
            &format!("expected {} keys", table.len()),
            filled.to_string(),
        ));
    }
    let wrong =
        |error: crate::index::IndexError| malformed("expected its indexes", error.to_string());
    table.index()?.verify().map_err(wrong)?;
    let verified = parallel::each(layout.budgets.iter().collect(), |budget| {
        table.budget_index(budget)?.verify().map_err(wrong)
    });
    verified.into_iter().collect::<Result<(), _>>()?;
    let mut taken = 0;
    for budget in &layout.budgets {
        taken += entries_of(table, budget)
            .map_err(|found| malformed("expected the trials of its rows in order", found))?;
        // Else each could be a large part of the file.
        if taken > layout.records.len as u64 {
            return Err(malformed(
                &format!("expected trials of at most {} bytes", layout.records.len),
                taken.to_string(),
            ));
        }
    }
    layout.budgets.iter().try_for_each(|budget| {
        trials_of(table, budget)
            .map_err(|found| malformed("expected the trials of its rows", found))
    })
}

/// The entries of a budget are in the order of rows and repeats, each repeat once; says how many bytes their trials take.
fn entries_of(table: Table<'_>, layout: &BudgetLayout) -> Result<u64, String> {
    let starts: &[u32] = table.slice(layout.starts);
    let bounds = (starts.first().copied(), starts.last().copied());
    if bounds != (Some(0), u32::try_from(layout.trials).ok()) || !starts.is_sorted() {
        return Err(format!("starts from {:?} to {:?}", bounds.0, bounds.1));
    }
    let entries = table.entries(layout);
    for row in (0..table.len() as u32).map(RowId) {
        let own = entries.get(table.entry_range(layout, row));
        let own = own.unwrap_or_default();
        if !own.is_sorted_by(|a, b| a.repeat < b.repeat) {
            return Err(format!(
                "{}, repeats of row {} that do not ascend",
                layout.budget, row.0
            ));
        }
    }
    Ok(entries.iter().map(|entry| u64::from(entry.len)).sum())
}

/// Every entry of a budget is a trial of its row, at this budget, with the repeat that the entry names.
fn trials_of(table: Table<'_>, layout: &BudgetLayout) -> Result<(), String> {
    let entries = table.entries(layout);
    for row in (0..table.len() as u32).map(RowId) {
        let hash = table.hash(row);
        for number in table.entry_range(layout, row) {
            let trial = table
                .trial(layout, number)
                .map_err(|error| error.to_string())?;
            let repeat = entries.get(number).map(|entry| entry.repeat);
            if Some(trial.hash()) != hash
                || trial.budget() != layout.budget
                || Some(trial.repeat()) != repeat
            {
                return Err(format!("{}, trial {number} of another row", layout.budget));
            }
        }
    }
    Ok(())
}

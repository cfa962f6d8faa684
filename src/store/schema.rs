//! The tables inside the redb file.
//!
//! | table | key | value |
//! | --- | --- | --- |
//! | `meta` | name | number: format version, layout of the archives, next table's number |
//! | `names` | a table's name | its number |
//! | `tables` | a table's number | archived [`StoredTable`] |
//! | `trials` | table, sequence | archived trial; sequences count up in the order of import |
//! | `keys` | table, hash, budget, repeat (28 bytes, big-endian) | the trial's sequence |
//!
//! Trials are appended, so that importing and sealing write and read the file from front to back; only the small keys are
//! inserted in random places.

use std::fs::File;
use std::io::Read;
use std::ops::RangeInclusive;
use std::path::Path;

use redb::TableDefinition;
use rkyv::{Archive, Deserialize, Serialize};

use super::StoreError;
use crate::cell::CellHash;
use crate::files;
use crate::metrics::{TableInfo, layout_fingerprint};

pub(super) const META: TableDefinition<'_, &str, u64> = TableDefinition::new("meta");
pub(super) const NAMES: TableDefinition<'_, &str, u32> = TableDefinition::new("names");
pub(super) const TABLES: TableDefinition<'_, u32, &[u8]> = TableDefinition::new("tables");
pub(super) const TRIALS: TableDefinition<'_, (u32, u64), &[u8]> = TableDefinition::new("trials");
pub(super) const KEYS: TableDefinition<'_, &[u8], u64> = TableDefinition::new("keys");

/// Table, hash, budget and repeat of a trial.
pub(super) type Key = [u8; 28];

pub(super) const VERSION_KEY: &str = "version";
pub(super) const LAYOUT_KEY: &str = "archive layout";
pub(super) const NEXT_TABLE_KEY: &str = "next table";
pub(super) const VERSION: u64 = 1;

/// What the store knows of a table.
#[derive(Archive, Serialize, Deserialize, Clone)]
pub(super) struct StoredTable {
    pub info: TableInfo,
    pub trials: u64,
    pub next_sequence: u64,
}

/// The layout of the archives in this build.
pub(super) fn layout() -> u64 {
    layout_fingerprint().into()
}

/// The key of a trial; keys sort by table, hash, budget and repeat.
pub(super) fn key(table: u32, hash: CellHash, budget: u32, repeat: u32) -> Key {
    let mut key = [0; 28];
    let (id, rest) = key.split_at_mut(4);
    let (cell, rest) = rest.split_at_mut(16);
    let (epochs, number) = rest.split_at_mut(4);
    id.copy_from_slice(&table.to_be_bytes());
    cell.copy_from_slice(hash.as_bytes());
    epochs.copy_from_slice(&budget.to_be_bytes());
    number.copy_from_slice(&repeat.to_be_bytes());
    key
}

/// The repeat that a key ends with.
pub(super) fn repeat_of(key: &[u8]) -> u32 {
    key.last_chunk().copied().map_or(0, u32::from_be_bytes)
}

/// All trials of a table.
pub(super) const fn table_range(table: u32) -> RangeInclusive<(u32, u64)> {
    (table, 0)..=(table, u64::MAX)
}

/// All keys of a table.
pub(super) fn table_keys(table: u32) -> RangeInclusive<Key> {
    let [first, last] = [[0; 16], [0xFF; 16]].map(CellHash::from_bytes);
    key(table, first, 0, 0)..=key(table, last, u32::MAX, u32::MAX)
}

/// Refuses names that cannot be typed or printed.
pub(super) fn check_name(name: &str) -> Result<(), StoreError> {
    if name.trim().is_empty() || name.chars().any(char::is_control) {
        return Err(StoreError::BadName {
            found: name.to_owned(),
        });
    }
    Ok(())
}

/// How a file begins.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Start {
    /// There is no file.
    Nothing,
    /// It is empty: the storage engine makes a store of it, under its lock.
    Empty,
    /// As a store does.
    Store,
}

/// Says clearly what a file is that is no store, before the storage engine sees it. A missing or empty file becomes a
/// new store.
pub(super) fn check_start(path: &Path) -> Result<Start, StoreError> {
    match files::open(path) {
        Ok(file) => start_of(&file, path),
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => Ok(Start::Nothing),
        Err(source) => Err(StoreError::Io {
            path: path.to_owned(),
            source,
        }),
    }
}

/// As [`check_start`], of a file that is open.
pub(super) fn start_of(file: &File, path: &Path) -> Result<Start, StoreError> {
    const STORE: &[u8] = b"redb\x1A\x0A\xA9\x0D\x0A";
    let mut start = Vec::new();
    let read = file.take(16).read_to_end(&mut start);
    read.map_err(|source| StoreError::Io {
        path: path.to_owned(),
        source,
    })?;
    if start.is_empty() {
        return Ok(Start::Empty);
    }
    if start.starts_with(STORE) {
        return Ok(Start::Store);
    }
    let found = if start.starts_with(b"\x89ECNAS\r\n") {
        "a sealed snapshot (read it with `info`, `get`, `front` or `recipe`)".to_owned()
    } else {
        format!("a file that begins with {}", start.escape_ascii())
    };
    Err(StoreError::NotAStore {
        path: path.to_owned(),
        found,
    })
}

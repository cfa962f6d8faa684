//! Maps from keys to rows: `HashMap`, redb, LMDB.

use std::collections::HashMap;
use std::hash::{BuildHasherDefault, Hasher};
use std::path::{Path, PathBuf};

use heed::types::{Bytes, U32};
use heed::{Database, Env, EnvOpenOptions, byteorder::LittleEndian};
use redb::{ReadableDatabase, TableDefinition};

use crate::Peer;
use crate::cases::Questions;
use crate::data::Table;
use crate::timing::{Keys, Outcome, time};

/// Look-ups one by one and in batches.
fn look_ups(
    questions: &Questions,
    keys: &Keys,
    mut find: impl FnMut(&[u8; 16]) -> Option<u32>,
) -> Option<Outcome> {
    match questions {
        Questions::LookUp => Some(keys.time_chain(find)),
        Questions::Batch => Some(keys.time_batches(
            |key| key,
            |row| *row,
            |keys, found| found.extend(keys.iter().map(&mut find)),
        )),
        _ => None,
    }
}

/// Keys are hashes already: their first bytes serve.
#[derive(Default)]
pub struct FirstBytes(u64);

impl Hasher for FirstBytes {
    fn finish(&self) -> u64 {
        self.0
    }

    fn write(&mut self, bytes: &[u8]) {
        if let Some(first) = bytes.first_chunk() {
            self.0 = u64::from_le_bytes(*first);
        }
    }

    fn write_usize(&mut self, _: usize) {}
}

pub struct Map<S>(HashMap<[u8; 16], u32, S>);

/// With the standard library's hasher.
pub fn map(table: &Table) -> Map<std::hash::RandomState> {
    Map(table.keys.iter().copied().zip(0..).collect())
}

/// With keys as their own hashes.
pub fn map_of_hashes(table: &Table) -> Map<BuildHasherDefault<FirstBytes>> {
    Map(table.keys.iter().copied().zip(0..).collect())
}

impl<S: std::hash::BuildHasher> Peer for Map<S> {
    fn run(&mut self, questions: &Questions, _: bool, keys: &Keys) -> Option<Outcome> {
        look_ups(questions, keys, |key| self.0.get(key).copied())
    }
}

const ROWS: TableDefinition<'_, [u8; 16], u32> = TableDefinition::new("rows");

/// Keys in ascending order, as bulk loading wants them.
fn ascending(table: &Table) -> Vec<([u8; 16], u32)> {
    let mut keys: Vec<_> = table.keys.iter().copied().zip(0..).collect();
    keys.sort_unstable();
    keys
}

pub struct Redb(PathBuf);

impl Redb {
    pub fn new(table: &Table, folder: &Path) -> Self {
        let path = folder.join("peer.redb");
        let database = redb::Database::create(&path).unwrap();
        let transaction = database.begin_write().unwrap();
        {
            let mut rows = transaction.open_table(ROWS).unwrap();
            for (key, row) in ascending(table) {
                rows.insert(key, row).unwrap();
            }
        }
        transaction.commit().unwrap();
        Self(path)
    }
}

impl Peer for Redb {
    fn run(&mut self, questions: &Questions, _: bool, keys: &Keys) -> Option<Outcome> {
        let find = |rows: &redb::ReadOnlyTable<[u8; 16], u32>, key: &[u8; 16]| {
            rows.get(key).unwrap().map(|row| row.value())
        };
        if let Questions::OpenLookUp = questions {
            return Some(time(&keys.keys[..64], |key| {
                let database = redb::ReadOnlyDatabase::open(&self.0).unwrap();
                let rows = database.begin_read().unwrap().open_table(ROWS).unwrap();
                find(&rows, key)
            }));
        }
        let database = redb::Database::open(&self.0).unwrap();
        let rows = database.begin_read().unwrap().open_table(ROWS).unwrap();
        look_ups(questions, keys, |key| find(&rows, key))
    }
}

pub struct Lmdb(PathBuf);

type Rows = Database<Bytes, U32<LittleEndian>>;

impl Lmdb {
    pub fn new(table: &Table, folder: &Path) -> Self {
        let path = folder.join("lmdb");
        std::fs::create_dir_all(&path).unwrap();
        let lmdb = Self(path);
        let env = lmdb.open();
        let mut transaction = env.write_txn().unwrap();
        let rows: Rows = env.create_database(&mut transaction, None).unwrap();
        for (key, row) in ascending(table) {
            rows.put(&mut transaction, &key, &row).unwrap();
        }
        transaction.commit().unwrap();
        env.prepare_for_closing().wait();
        lmdb
    }

    fn open(&self) -> Env {
        let mut options = EnvOpenOptions::new();
        options.map_size(4 << 30);
        // SAFETY: no other process uses the folder, and it is not open twice.
        unsafe { options.open(&self.0) }.unwrap()
    }
}

impl Peer for Lmdb {
    fn run(&mut self, questions: &Questions, _: bool, keys: &Keys) -> Option<Outcome> {
        let rows_of = |env: &Env, transaction: &heed::RoTxn<'_>| -> Rows {
            env.open_database(transaction, None).unwrap().unwrap()
        };
        if let Questions::OpenLookUp = questions {
            return Some(time(&keys.keys[..64], |key| {
                let env = self.open();
                let transaction = env.read_txn().unwrap();
                let row = rows_of(&env, &transaction).get(&transaction, key).unwrap();
                drop(transaction);
                env.prepare_for_closing().wait();
                row
            }));
        }
        let env = self.open();
        let transaction = env.read_txn().unwrap();
        let rows = rows_of(&env, &transaction);
        let outcome = look_ups(questions, keys, |key| rows.get(&transaction, key).unwrap());
        drop(transaction);
        env.prepare_for_closing().wait();
        outcome
    }
}

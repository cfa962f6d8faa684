//! A store under calls that fail, against a map in memory: what was acknowledged is there, and nothing else.

use std::collections::BTreeMap;
use std::io::Error;
use std::sync::{Arc, Mutex, PoisonError};

use arbitrary::{Result, Unstructured};
use ecnas::cell::CellHash;
use ecnas::metrics::{Budget, Metric, TableInfo, Trial};
use ecnas::store::{OnDuplicate, Store, StoreError};
use redb::StorageBackend;

const CACHE: usize = 1 << 16;

/// Bytes in memory; after so many calls that change them, all further ones fail.
#[derive(Debug, Clone, Default)]
struct Memory(Arc<Mutex<(Vec<u8>, Option<u32>)>>);

impl Memory {
    fn with<T>(&self, work: impl FnOnce(&mut Vec<u8>, &mut Option<u32>) -> T) -> T {
        let mut state = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let (bytes, left) = &mut *state;
        work(bytes, left)
    }

    fn change<T>(
        &self,
        work: impl FnOnce(&mut Vec<u8>) -> std::io::Result<T>,
    ) -> std::io::Result<T> {
        self.with(|bytes, left| {
            match left {
                Some(0) => return Err(Error::other("it fails on purpose")),
                Some(left) => *left -= 1,
                None => {}
            }
            work(bytes)
        })
    }
}

fn range(bytes: &mut [u8], offset: u64, len: usize) -> std::io::Result<&mut [u8]> {
    let start = offset as usize;
    let found = start
        .checked_add(len)
        .and_then(|end| bytes.get_mut(start..end));
    found.ok_or_else(|| Error::from(std::io::ErrorKind::UnexpectedEof))
}

impl StorageBackend for Memory {
    fn len(&self) -> std::io::Result<u64> {
        self.with(|bytes, _| Ok(bytes.len() as u64))
    }

    fn read(&self, offset: u64, out: &mut [u8]) -> std::io::Result<()> {
        self.with(|bytes, _| {
            out.copy_from_slice(range(bytes, offset, out.len())?);
            Ok(())
        })
    }

    fn set_len(&self, len: u64) -> std::io::Result<()> {
        self.change(|bytes| {
            bytes.resize(len as usize, 0);
            Ok(())
        })
    }

    fn sync_data(&self) -> std::io::Result<()> {
        self.change(|_| Ok(()))
    }

    fn write(&self, offset: u64, data: &[u8]) -> std::io::Result<()> {
        self.change(|bytes| {
            range(bytes, offset, data.len())?.copy_from_slice(data);
            Ok(())
        })
    }
}

type Key = (CellHash, Budget, u32);
/// Trials of each table, by key.
type Model = BTreeMap<String, BTreeMap<Key, Trial>>;

/// Runs operations that the bytes spell.
pub fn run(data: &[u8]) {
    let _ = operations(&mut Unstructured::new(data));
}

fn operations(bytes: &mut Unstructured<'_>) -> Result<()> {
    let memory = Memory::default();
    let mut model = Model::new();
    let mut store = open(&memory).expect("a new store");
    for _ in 0..bytes.int_in_range(1..=12)? {
        let before = model.clone();
        if bytes.ratio(1, 3)? {
            let left = bytes.int_in_range(0..=40)?;
            memory.with(|_, own| *own = Some(left));
        }
        let outcome = operation(bytes, &mut store, &mut model)?;
        let failed = memory.with(|_, left| left.take() == Some(0));
        match outcome {
            Ok(()) => assert_eq!(contents(&store).ok().as_ref(), Some(&model)),
            Err(error) => {
                assert!(!error.to_string().is_empty());
                drop(store);
                memory.with(|_, left| *left = None);
                store = open(&memory).expect("a store after a failure");
                store.verify().expect("a whole store");
                let found = contents(&store).expect("a store that can be read");
                // The last call may have done its work, and failed afterwards.
                if !(failed && found == model) {
                    assert!(found == before, "{error}");
                    model = before;
                }
            }
        }
    }
    Ok(())
}

fn open(memory: &Memory) -> std::result::Result<Store, StoreError> {
    Store::open_on(memory.clone(), "memory", CACHE)
}

fn name(bytes: &mut Unstructured<'_>) -> Result<String> {
    Ok((*bytes.choose(&["a", "b", "c"])?).to_owned())
}

fn trial(bytes: &mut Unstructured<'_>) -> Result<Trial> {
    let hash = CellHash::from_bytes([bytes.int_in_range(0..=5)?; 16]);
    let budget = Budget::epochs(bytes.int_in_range(1..=2)?).expect("a budget");
    let mut trial = Trial::new(hash, budget, bytes.int_in_range(1..=3)?);
    let value: u8 = bytes.int_in_range(0..=3)?;
    trial.totals.set(Metric::Energy, f64::from(value));
    if bytes.ratio(1, 16)? {
        trial.verbatim = Some(vec![value; bytes.int_in_range(0..=20_000)?]);
    }
    Ok(trial)
}

/// One operation. The model changes as the store must if it succeeds.
fn operation(
    bytes: &mut Unstructured<'_>,
    store: &mut Store,
    model: &mut Model,
) -> Result<std::result::Result<(), StoreError>> {
    Ok(match bytes.int_in_range(0..=5)? {
        0 => {
            let (from, to) = (name(bytes)?, name(bytes)?);
            let is_possible = model.contains_key(&from) && (from == to || !model.contains_key(&to));
            if is_possible && let Some(table) = model.remove(&from) {
                model.insert(to.clone(), table);
            }
            let outcome = store.rename_table(&from, &to);
            assert!(is_possible || outcome.is_err());
            outcome
        }
        1 => {
            let table = name(bytes)?;
            let was_there = model.remove(&table).is_some();
            let outcome = store.drop_table(&table);
            assert!(was_there || outcome.is_err());
            outcome
        }
        _ => {
            let table = name(bytes)?;
            let rules = [
                OnDuplicate::Refuse,
                OnDuplicate::Keep,
                OnDuplicate::Replace,
                OnDuplicate::Renumber,
            ];
            let rule = *bytes.choose(&rules)?;
            let mut batches = Vec::new();
            for _ in 0..bytes.int_in_range(0..=3)? {
                let count = bytes.int_in_range(0..=8)?;
                let batch: Result<Vec<Trial>> = (0..count).map(|_| trial(bytes)).collect();
                batches.push(batch?);
            }
            let is_refused = !add(model, &table, batches.concat(), rule);
            let outcome = append(store, &table, &batches, rule);
            assert!(!is_refused || outcome.is_err());
            outcome
        }
    })
}

fn append(
    store: &mut Store,
    table: &str,
    batches: &[Vec<Trial>],
    rule: OnDuplicate,
) -> std::result::Result<(), StoreError> {
    let mut append = store.append(table)?;
    for batch in batches {
        append.add(batch, rule)?;
    }
    append.commit(TableInfo::default())?;
    Ok(())
}

/// What an append does, on the model; whether it is not refused.
fn add(model: &mut Model, table: &str, trials: Vec<Trial>, rule: OnDuplicate) -> bool {
    let mut own = model.get(table).cloned().unwrap_or_default();
    for mut trial in trials {
        let key = (trial.hash, trial.budget, trial.repeat);
        match own.get(&key) {
            Some(known) if *known == trial => continue,
            Some(_) => match rule {
                OnDuplicate::Keep => continue,
                OnDuplicate::Renumber => {
                    let of_cell = own.keys().filter(|own| (own.0, own.1) == (key.0, key.1));
                    trial.repeat = 1 + of_cell.map(|own| own.2).max().unwrap_or(0);
                }
                OnDuplicate::Replace => {}
                _ => return false,
            },
            None => {}
        }
        own.insert((trial.hash, trial.budget, trial.repeat), trial);
    }
    // A transaction that changes nothing makes no table.
    if !own.is_empty() {
        model.insert(table.to_owned(), own);
    }
    true
}

fn contents(store: &Store) -> std::result::Result<Model, StoreError> {
    let mut all = Model::new();
    for table in store.tables()? {
        let mut own = BTreeMap::new();
        store.for_each_trial(&table.info.name, |trial| {
            own.insert((trial.hash, trial.budget, trial.repeat), trial);
            Ok::<(), StoreError>(())
        })?;
        assert_eq!(own.len() as u64, table.trials);
        all.insert(table.info.name, own);
    }
    Ok(all)
}

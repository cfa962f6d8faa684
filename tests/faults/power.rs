//! Power loss while a store is written: what was not synced is dropped, reordered, or torn at 512 bytes.

use std::fmt;
use std::sync::{Arc, Mutex, OnceLock};

use ecnas::metrics::{TableInfo, Trial};
use ecnas::store::{OnDuplicate, Store, StoreError};
use rand::Rng;
use rand::rngs::StdRng;
use rand::seq::SliceRandom;
use std::io::Error as BackendIoError;

use redb::StorageBackend;

use crate::kit::{self, report, trials};

const SECTOR: usize = 512;
const CACHE: usize = 1 << 20;

/// What was done to the disk since the last sync.
#[derive(Clone)]
enum Pending {
    Write(u64, Vec<u8>),
    SetLen(u64),
}

#[derive(Default)]
struct Disk {
    /// What programs see.
    seen: Vec<u8>,
    /// What is on the medium for certain.
    synced: Vec<u8>,
    pending: Vec<Pending>,
    /// Calls that change something, until the power fails.
    left: Option<u64>,
    calls: u64,
    /// How that call fails.
    way: Way,
    /// A disk that lies: it says that it synced, and has not.
    forgets: bool,
}

/// How a call fails.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
enum Way {
    /// It fails, and all after it.
    #[default]
    ForEver,
    /// It alone fails.
    Once,
    /// It is interrupted.
    Interrupted,
    /// It writes the first half, and fails.
    Short,
}

impl Disk {
    fn call(&mut self) -> Result<(), BackendIoError> {
        self.calls += 1;
        if let Some(left) = &mut self.left {
            if *left == 0 {
                if self.way != Way::ForEver {
                    self.left = None;
                }
                return Err(match self.way {
                    Way::Interrupted => BackendIoError::from(std::io::ErrorKind::Interrupted),
                    _ => BackendIoError::other("the power is off"),
                });
            }
            *left -= 1;
        }
        Ok(())
    }

    /// What is on the medium after the power has failed.
    fn after_power_loss(&self, random: &mut StdRng) -> Vec<u8> {
        let mut image = self.synced.clone();
        let mut pending = self.pending.clone();
        // Any of them may have come through, in any order, and of writes any sectors.
        let order = random.random_range(0..3);
        if order == 0 {
            pending.shuffle(random);
        }
        let share = *[0.0, 0.1, 0.5, 0.9, 1.0]
            .as_slice()
            .get(random.random_range(0..5))
            .unwrap();
        for pending in pending {
            match pending {
                Pending::SetLen(len) => {
                    if random.random_bool(share) {
                        image.resize(len as usize, 0);
                    }
                }
                Pending::Write(offset, data) => {
                    let tears = random.random_bool(0.5);
                    let whole = random.random_bool(share);
                    for (number, sector) in data.chunks(SECTOR).enumerate() {
                        let comes = if tears {
                            random.random_bool(share)
                        } else {
                            whole
                        };
                        if comes {
                            let at = offset as usize + number * SECTOR;
                            if image.len() < at + sector.len() {
                                image.resize(at + sector.len(), 0);
                            }
                            image[at..at + sector.len()].copy_from_slice(sector);
                        }
                    }
                }
            }
        }
        image
    }
}

#[derive(Clone, Default)]
struct Medium(Arc<Mutex<Disk>>);

impl fmt::Debug for Medium {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a disk that loses power")
    }
}

impl Medium {
    fn of(image: Vec<u8>) -> Self {
        let disk = Disk {
            seen: image.clone(),
            synced: image,
            ..Disk::default()
        };
        Self(Arc::new(Mutex::new(disk)))
    }

    fn disk(&self) -> std::sync::MutexGuard<'_, Disk> {
        self.0
            .lock()
            .unwrap_or_else(std::sync::PoisonError::into_inner)
    }
}

impl StorageBackend for Medium {
    fn len(&self) -> Result<u64, BackendIoError> {
        Ok(self.disk().seen.len() as u64)
    }

    fn read(&self, offset: u64, out: &mut [u8]) -> Result<(), BackendIoError> {
        let disk = self.disk();
        if disk.left == Some(0) {
            return Err(std::io::Error::other("the power is off"));
        }
        let start = offset as usize;
        let bytes = disk.seen.get(start..start + out.len());
        let bytes = bytes.ok_or(std::io::Error::from(std::io::ErrorKind::UnexpectedEof))?;
        out.copy_from_slice(bytes);
        Ok(())
    }

    fn set_len(&self, len: u64) -> Result<(), BackendIoError> {
        let mut disk = self.disk();
        disk.call()?;
        disk.seen.resize(len as usize, 0);
        disk.pending.push(Pending::SetLen(len));
        Ok(())
    }

    fn sync_data(&self) -> Result<(), BackendIoError> {
        let mut disk = self.disk();
        disk.call()?;
        if !disk.forgets {
            disk.synced = disk.seen.clone();
            disk.pending.clear();
        }
        Ok(())
    }

    fn write(&self, offset: u64, data: &[u8]) -> Result<(), BackendIoError> {
        let mut disk = self.disk();
        let call = disk.call();
        let data = match &call {
            Ok(()) => data,
            Err(_) if disk.way == Way::Short => &data[..data.len() / 2],
            Err(_) => return call,
        };
        let start = offset as usize;
        let end = start + data.len();
        if disk.seen.len() < end {
            return Err(std::io::Error::from(std::io::ErrorKind::UnexpectedEof));
        }
        disk.seen[start..end].copy_from_slice(data);
        disk.pending.push(Pending::Write(offset, data.to_vec()));
        call
    }
}

/// Imports, one after the other: each a batch of trials into one of two tables.
fn imports(random: &mut StdRng) -> Vec<(&'static str, Vec<Trial>)> {
    let cells = kit::cells();
    let count = random.random_range(1..6);
    let mut number = 0;
    let mut import = || {
        let table = if random.random_bool(0.7) { "a" } else { "b" };
        let trials = (0..random.random_range(1..60)).map(|_| {
            number += 1;
            let cell = cells[number as usize % cells.len()];
            kit::trial(cell, 4, 1 + number as u32, number)
        });
        (table, trials.collect())
    };
    (0..count).map(|_| import()).collect()
}

fn run(store: &mut Store, table: &str, trials: &[Trial]) -> Result<(), StoreError> {
    let mut append = store.append(table)?;
    append.add(trials, OnDuplicate::Refuse)?;
    append.commit(TableInfo::default())?;
    Ok(())
}

type Contents = Vec<(String, Vec<Trial>)>;

fn contents(store: &Store) -> Result<Contents, StoreError> {
    let mut all = Vec::new();
    for table in store.tables()? {
        let mut trials = Vec::new();
        store.for_each_trial(&table.info.name, |trial| {
            trials.push(trial);
            Ok::<(), StoreError>(())
        })?;
        assert_eq!(trials.len() as u64, table.trials);
        all.push((table.info.name, trials));
    }
    Ok(all)
}

/// What a store holds after the first imports.
fn model(imports: &[(&str, Vec<Trial>)]) -> Contents {
    let mut all: Contents = Vec::new();
    for name in ["a", "b"] {
        let of_table = imports.iter().filter(|(table, _)| *table == name);
        let trials: Vec<Trial> = of_table.flat_map(|(_, trials)| trials.clone()).collect();
        if !trials.is_empty() {
            all.push((name.to_owned(), trials));
        }
    }
    all
}

/// A new store. Files get theirs by renaming one that is whole.
fn fresh() -> Vec<u8> {
    static FRESH: OnceLock<Vec<u8>> = OnceLock::new();
    let image = FRESH.get_or_init(|| {
        let medium = Medium::default();
        drop(Store::open_on(medium.clone(), "a disk", CACHE).unwrap());
        medium.disk().seen.clone()
    });
    image.clone()
}

/// One power loss: whether what came back is a prefix of the imports that holds all that were acknowledged.
fn survives(seed: u64, forgets: bool) -> Result<(), String> {
    let mut random = kit::random(seed);
    let imports = imports(&mut random);
    // A first run tells how many calls there are.
    let calls = {
        let medium = Medium::of(fresh());
        let mut store =
            Store::open_on(medium.clone(), "a disk", CACHE).map_err(|e| e.to_string())?;
        for (table, trials) in &imports {
            run(&mut store, table, trials).map_err(|error| error.to_string())?;
        }
        drop(store);
        medium.disk().calls
    };
    let medium = Medium::of(fresh());
    medium.disk().left = Some(random.random_range(0..calls));
    medium.disk().forgets = forgets;
    let mut acknowledged = 0;
    let opened = Store::open_on(medium.clone(), "a disk", CACHE);
    if let Ok(mut store) = opened {
        for (table, trials) in &imports {
            if run(&mut store, table, trials).is_err() {
                break;
            }
            acknowledged += 1;
        }
    }
    let mut image = medium.disk().after_power_loss(&mut random);
    // Power may fail again, while the store recovers.
    for _ in 0..random.random_range(0..3) {
        let medium = Medium::of(image);
        medium.disk().left = Some(random.random_range(0..30));
        medium.disk().forgets = forgets;
        drop(Store::open_on(medium.clone(), "a disk", CACHE));
        image = medium.disk().after_power_loss(&mut random);
    }
    let mut store = Store::open_on(Medium::of(image), "a disk", CACHE)
        .map_err(|error| format!("seed {seed}: cannot be opened: {error}"))?;
    store
        .verify()
        .map_err(|error| format!("seed {seed}: {error}"))?;
    let found = contents(&store).map_err(|error| format!("seed {seed}: {error}"))?;
    // The one that was cut short may be there as a whole.
    let prefixes = acknowledged..=imports.len().min(acknowledged + 1);
    let is_prefix = prefixes
        .into_iter()
        .any(|count| model(&imports[..count]) == found);
    if !is_prefix {
        return Err(format!(
            "seed {seed}: {acknowledged} imports were acknowledged, and other trials are there"
        ));
    }
    // And it goes on.
    let more = [kit::trial(kit::cells()[0], 36, 1, 1)];
    run(&mut store, "c", &more).map_err(|error| format!("seed {seed}: {error}"))
}

#[test]
fn what_was_acknowledged_survives_power_loss() {
    let count = trials(5_000, 200_000);
    let failed = |range: std::ops::Range<u64>, forgets: bool| -> Vec<String> {
        let outcome = |seed| {
            std::panic::catch_unwind(|| survives(seed, forgets))
                .unwrap_or_else(|_| Err(format!("seed {seed}: a panic")))
        };
        range.filter_map(|seed| outcome(seed).err()).collect()
    };
    let half = count / 2;
    let failures = std::thread::scope(|scope| {
        let other = scope.spawn(|| failed(0..half, false));
        let mut failures = failed(half..count, false);
        failures.extend(other.join().unwrap());
        failures
    });
    assert!(
        failures.is_empty(),
        "{} failures, such as {}",
        failures.len(),
        failures[0]
    );
    // The control: on a disk that forgets what it was told to keep, imports are lost.
    let control = failed(0..60, true).len();
    assert!(control > 0, "the control did not fail");
    let control = format!("control: a disk that forgets lost {control} of 60");
    report("power loss while importing and recovering", count, &control);
}

#[test]
fn every_call_that_fails_once_or_for_ever_ends_in_an_error() {
    let mut random = kit::random(11);
    let imports = imports(&mut random);
    let mut count = 0;
    for way in [Way::ForEver, Way::Once, Way::Interrupted, Way::Short] {
        for k in 0.. {
            let medium = Medium::of(fresh());
            medium.disk().left = Some(k);
            medium.disk().way = way;
            let mut acknowledged = 0;
            let mut failed = false;
            match Store::open_on(medium.clone(), "a disk", CACHE) {
                Ok(mut store) => {
                    for (table, trials) in &imports {
                        if run(&mut store, table, trials).is_err() {
                            failed = true;
                            break;
                        }
                        acknowledged += 1;
                    }
                }
                Err(_) => failed = true,
            }
            let reached = medium.disk().left.is_none_or(|left| left == 0);
            if !reached {
                assert!(!failed, "{way:?}, call {k}: an error without a cause");
                break;
            }
            // What programs saw when the calls failed is what is there.
            let image = medium.disk().seen.clone();
            let mut store = Store::open_on(Medium::of(image), "a disk", CACHE).unwrap();
            store.verify().unwrap();
            let found = contents(&store).unwrap();
            let mut prefixes = acknowledged..=imports.len().min(acknowledged + 1);
            assert!(
                prefixes.any(|count| model(&imports[..count]) == found),
                "{way:?}, call {k}"
            );
            count += 1;
        }
    }
    report(
        "a store whose k-th call fails, alone or with all later ones, is interrupted or cut short, every k",
        count,
        "",
    );
}

//! Bytes that are not what they were: replaced, cut off, appended, flipped, zeroed, swapped.

use ecnas::metrics::TableInfo;
use ecnas::snapshot::{AlignedBytes, Snapshot, SnapshotError};
use ecnas::store::{OnDuplicate, Store};
use rand::Rng;

use crate::kit::{self, report, trials};

fn quick(bytes: &[u8]) -> Result<Snapshot, SnapshotError> {
    Snapshot::from_bytes(AlignedBytes::copy_from(bytes))
}

/// As [`Snapshot::open`] does with a file.
fn verified(bytes: &[u8]) -> Result<Snapshot, SnapshotError> {
    let snapshot = quick(bytes)?;
    snapshot.verify_checksums()?;
    Ok(snapshot)
}

/// The smallest snapshot of 64 KiB or more.
fn small() -> Vec<u8> {
    let mut all = (80..).map(|cells| kit::snapshot(cells, 1));
    let bytes = all.find(|bytes| bytes.len() >= 1 << 16).unwrap();
    verified(&bytes).unwrap();
    bytes
}

#[test]
fn every_single_byte_that_is_replaced_is_found() {
    let mut bytes = small();
    let mut random = kit::random(2);
    let (mut count, mut quietly) = (0, 0);
    for place in 0..bytes.len() {
        let own = bytes[place];
        let others: Vec<u8> = if kit::is_long() {
            (0..=u8::MAX).filter(|other| *other != own).collect()
        } else {
            vec![own ^ random.random_range(1..=u8::MAX)]
        };
        for other in others {
            bytes[place] = other;
            assert!(verified(&bytes).is_err(), "byte {place}: {own} -> {other}");
            // The control: a quick opening does not look at everything.
            quietly += u64::from(quick(&bytes).is_ok());
            count += 1;
        }
        bytes[place] = own;
    }
    verified(&bytes).unwrap();
    assert!(quietly > 0, "the control did not fail");
    let control = format!("control: quick opening let {quietly} through");
    report("a byte of a snapshot replaced, verified", count, &control);
}

#[test]
fn every_other_length_is_refused_at_once() {
    let bytes = small();
    let mut count = 0;
    for length in 0..bytes.len() {
        assert!(quick(&bytes[..length]).is_err(), "{length} bytes");
        count += 1;
    }
    for more in 1..=64 {
        for filling in [0, 0xFF] {
            let mut longer = bytes.clone();
            longer.resize(bytes.len() + more, filling);
            assert!(quick(&longer).is_err(), "{more} more");
            count += 1;
        }
    }
    report("a snapshot cut off or extended, opened quickly", count, "");
}

/// Damages some bytes in one of four ways; says which and where, or nothing if nothing changed.
fn damage(bytes: &mut [u8], random: &mut impl Rng) -> Option<(&'static str, Vec<usize>)> {
    const PAGE: usize = 4096;
    let before = bytes.to_vec();
    let pages = bytes.len() / PAGE;
    let page = |number: usize| number * PAGE..(number + 1) * PAGE;
    let (what, places) = match random.random_range(0..4) {
        0 => {
            let place = random.random_range(0..bytes.len());
            bytes[place] ^= 1 << random.random_range(0..8);
            ("a bit", vec![place])
        }
        1 => {
            let place = page(random.random_range(0..pages));
            random.fill(&mut bytes[place.clone()]);
            ("a page", vec![place.start])
        }
        2 => {
            let place = page(random.random_range(0..pages));
            bytes[place.clone()].fill(0);
            ("a zeroed block", vec![place.start])
        }
        _ => {
            let (a, b) = (
                page(random.random_range(0..pages)),
                page(random.random_range(0..pages)),
            );
            bytes.copy_within(a.clone(), b.start);
            bytes[a.clone()].copy_from_slice(&before[b.clone()]);
            ("swapped blocks", vec![a.start, b.start])
        }
    };
    (bytes != before).then_some((what, places))
}

/// Whether an error names a part of the file that was damaged: 4 KiB from one of the places on, or less.
fn is_named(error: &SnapshotError, places: &[usize]) -> bool {
    const PAGE: u64 = 4096;
    // What one checksum covers; the section table and the list of checksums are shorter here.
    const BLOCK: u64 = 1 << 16;
    const HEADER: u64 = 128;
    let mut places = places.iter().map(|place| *place as u64);
    match error {
        SnapshotError::Checksum { what, offset, .. } => {
            !what.is_empty()
                && error.to_string().contains(&format!("byte {offset}"))
                && places.any(|place| place < offset + BLOCK && offset < &(place + PAGE))
        }
        // What the header says of itself no longer makes sense.
        _ => places.any(|place| place < HEADER),
    }
}

#[test]
fn damage_to_a_large_snapshot_is_found_and_named() {
    let bytes = kit::snapshot(40_000, 3);
    let mut random = kit::random(4);
    let mut count = 0;
    while count < trials(500, 20_000) {
        let mut damaged = bytes.clone();
        let Some((what, places)) = damage(&mut damaged, &mut random) else {
            continue;
        };
        let error = match verified(&damaged) {
            Ok(_) => panic!("{what} at {places:?} was not found"),
            Err(error) => error,
        };
        assert!(is_named(&error, &places), "{what} at {places:?}: {error}");
        count += 1;
    }
    let size = format!("{} bytes", bytes.len());
    report("random damage to a large snapshot, verified", count, &size);
}

#[test]
fn a_damaged_store_is_refused_or_intact() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("store.redb");
    let cells = kit::cells();
    let own: Vec<_> = (0..2000_u64)
        .map(|number| {
            let cell = cells[number as usize % cells.len()];
            kit::trial(cell, 4, 1 + (number as usize / cells.len()) as u32, number)
        })
        .collect();
    {
        let mut store = Store::open(&path).unwrap();
        let mut append = store.append("t").unwrap();
        append.add(&own, OnDuplicate::Refuse).unwrap();
        append.commit(TableInfo::default()).unwrap();
        assert_eq!(store.verify().unwrap().trials, 2000);
    }
    let bytes = std::fs::read(&path).unwrap();
    let mut random = kit::random(5);
    let (mut count, mut refused, mut quietly) = (0, 0, 0);
    while count < trials(500, 20_000) {
        let mut damaged = bytes.clone();
        let Some((what, places)) = damage(&mut damaged, &mut random) else {
            continue;
        };
        std::fs::write(&path, &damaged).unwrap();
        let all = |store: &Store| -> Result<Vec<_>, ecnas::store::StoreError> {
            let mut found = Vec::new();
            store.for_each_trial("t", |trial| {
                found.push(trial);
                Ok::<(), ecnas::store::StoreError>(())
            })?;
            Ok(found)
        };
        // As sealing does.
        let read = Store::open(&path).and_then(|mut store| {
            store.verify()?;
            all(&store)
        });
        match read {
            Ok(found) => assert!(found == own, "{what} at {places:?} was not found"),
            Err(_) => refused += 1,
        }
        // The control: reading without verifying.
        std::fs::write(&path, &damaged).unwrap();
        let unverified = std::panic::catch_unwind(|| all(&Store::open(&path)?));
        quietly += u64::from(matches!(unverified, Ok(Ok(found)) if found != own));
        count += 1;
    }
    assert!(refused > 0 && quietly > 0, "the control did not fail");
    let control = format!("{refused} refused; control: {quietly} read wrong without verifying");
    report("a damaged store, verified", count, &control);
}

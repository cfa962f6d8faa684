//! Files that were made to mislead: a change anywhere, all checksums made right, and `verify` names what does not follow from
//! the trials.
#![cfg(feature = "import")]

#[path = "../fuzz/src/snapshot.rs"]
#[allow(dead_code)]
mod forge;
#[path = "faults/kit.rs"]
#[allow(dead_code)]
mod kit;

use std::ops::Range;

use ecnas::cell::{Cell, CellHash};
use ecnas::metrics::{Budget, Metric, TableInfo, Trial};
use ecnas::snapshot::{AlignedBytes, Snapshot, SnapshotWriter};
use proptest::prelude::*;
use rand::Rng;
use roaring::RoaringBitmap;

/// Codes of kinds of sections.
const SLOTS: u32 = 3;
const PILOTS: u32 = 4;
const ROW_SLOTS: u32 = 5;
const RECORDS: u32 = 6;
const ENTRIES: u32 = 7;
const STARTS: u32 = 8;
const TRIAL_VALUES: u32 = 9;
const ROW_MEANS: u32 = 10;
const INDEX: u32 = 11;
const ESTIMATED: u32 = 12;

fn u32_at(bytes: &[u8], at: usize) -> u32 {
    u32::from_le_bytes(bytes[at..at + 4].try_into().unwrap())
}

fn u64_at(bytes: &[u8], at: usize) -> usize {
    u64::from_le_bytes(bytes[at..at + 8].try_into().unwrap()) as usize
}

/// The kind and the bytes of each item of a list of kind, number, offset, length: of sections, and of arrays of an index.
fn listed(bytes: &[u8], start: usize, count: usize, base: usize) -> Vec<(u32, Range<usize>)> {
    let entry = |number: usize| {
        let at = start + number * 24;
        let offset = base + u64_at(bytes, at + 8);
        (u32_at(bytes, at), offset..offset + u64_at(bytes, at + 16))
    };
    (0..count).map(entry).collect()
}

fn sections(bytes: &[u8], kind: u32) -> Vec<Range<usize>> {
    let all = listed(bytes, u64_at(bytes, 32), u32_at(bytes, 24) as usize, 0);
    let own = all.into_iter().filter(|section| section.0 == kind);
    own.map(|section| section.1).collect()
}

fn arrays(bytes: &[u8], index: &Range<usize>) -> Vec<(u32, Range<usize>)> {
    let count = u32_at(bytes, index.start + 12) as usize;
    listed(bytes, index.start + 24, count, index.start)
}

fn written(write: impl FnOnce(&mut SnapshotWriter)) -> Vec<u8> {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("t.ecnas");
    let mut writer = SnapshotWriter::create(&path).unwrap();
    write(&mut writer);
    writer.finish().unwrap();
    let bytes = std::fs::read(path).unwrap();
    assert_eq!(verified(&bytes), Ok(()));
    bytes
}

fn begin(writer: &mut SnapshotWriter, name: &str) {
    let info = TableInfo {
        name: name.to_owned(),
        device: Some("a device".to_owned()),
        ..TableInfo::default()
    };
    writer.begin_table(info).unwrap();
}

/// The trials of a cell: repeats, missing values, columns of its own, cells without a drawing; dearer the later it comes.
fn trials(number: usize, cell: Cell) -> Vec<Trial> {
    let mut trials = Vec::new();
    for (epochs, repeats) in [
        (4, 1 + number % 3),
        (108, usize::from(!number.is_multiple_of(7))),
    ] {
        for repeat in 1..=repeats {
            let mut trial = kit::trial(cell, epochs, repeat as u32, (number * 2 + repeat) as u64);
            if number.is_multiple_of(5) {
                trial.cell = None;
            }
            trial.started = Some(format!("2024-01-01 00:00:{number:02}"));
            if number.is_multiple_of(4) {
                trial
                    .other
                    .push(("own_kwh".to_owned(), 0.1 * number as f64));
            }
            trials.push(trial);
        }
    }
    trials
}

/// Two tables of trials alone.
fn measured(count: usize) -> Vec<u8> {
    written(|writer| {
        for name in ["t", "u"] {
            begin(writer, name);
            for (number, cell) in ecnas::cell::enumerate(7, 9).take(count).enumerate() {
                let own = trials(number, cell);
                // In the other table every row has one trial.
                let all = own
                    .iter()
                    .filter(|trial| name == "t" || (trial.budget.get(), trial.repeat) == (4, 1));
                all.for_each(|trial| writer.add(trial).unwrap());
            }
        }
    })
}

/// Trials of some cells, and estimates of all, with ends of their intervals.
fn mixed() -> Vec<u8> {
    written(|writer| {
        begin(writer, "t");
        let cells: Vec<Cell> = ecnas::cell::enumerate(5, 9).take(300).collect();
        let keyed: Vec<(CellHash, Cell)> = cells.iter().map(|cell| (cell.hash(), *cell)).collect();
        let energies: Vec<f64> = (0..300).map(|number| 0.001 * f64::from(number)).collect();
        for epochs in [4, 108] {
            let columns: Vec<(&str, &[f64])> = [
                "energy_kwh",
                "low_energy_kwh",
                "high_energy_kwh",
                "validation_accuracy",
            ]
            .map(|name| (name, &energies[..]))
            .into();
            writer
                .add_estimates(Budget::epochs(epochs).unwrap(), &keyed, &columns)
                .unwrap();
        }
        for (number, cell) in cells.into_iter().enumerate().step_by(3) {
            let mut trial = kit::trial(cell, 4, 1, number as u64);
            trial.cell = trial.cell.filter(|_| number % 2 == 0);
            trial.checkpoints[0]
                .values
                .set_some(Metric::ValidationAccuracy, (number % 4 == 0).then_some(0.5));
            writer.add(&trial).unwrap();
        }
    })
}

/// What opening and verifying say, checksums made right.
fn verified(bytes: &[u8]) -> Result<(), String> {
    let mut bytes = bytes.to_vec();
    forge::correct(&mut bytes);
    let snapshot =
        Snapshot::from_bytes(AlignedBytes::copy_from(&bytes)).map_err(|error| error.to_string())?;
    snapshot
        .verify()
        .map(drop)
        .map_err(|error| error.to_string())
}

/// What verifying says of a changed file.
fn found(whole: &[u8], change: impl FnOnce(&mut [u8])) -> String {
    let mut bytes = whole.to_vec();
    change(&mut bytes);
    assert_ne!(bytes, whole);
    verified(&bytes).expect_err("the change was not found")
}

fn assert_names(text: &str, parts: &[&str]) {
    for part in parts {
        assert!(text.contains(part), "{part}: {text}");
    }
}

#[test]
fn a_category_that_lost_a_row_is_found() {
    let whole = measured(300);
    let index = sections(&whole, INDEX);
    // Of the table: behind those of its two budgets.
    let arrays = arrays(&whole, &index[2]);
    let mut lost = 0;
    for (number, (_, range)) in arrays.iter().enumerate().filter(|(_, array)| array.0 == 20) {
        let ends = arrays
            .iter()
            .filter(|array| array.0 == 21)
            .nth(before(&arrays, number))
            .unwrap();
        let mut start = range.start;
        for end in ends.1.clone().step_by(4) {
            let end = range.start + u32_at(&whole, end) as usize;
            let mut set = RoaringBitmap::deserialize_from(&whole[start..end]).unwrap();
            set.remove(set.max().unwrap());
            let mut less = Vec::new();
            set.serialize_into(&mut less).unwrap();
            // A run that is shorter by one takes as many bytes.
            if less.len() == end - start && !set.is_empty() {
                let text = found(&whole, |bytes| bytes[start..end].copy_from_slice(&less));
                assert_names(
                    &text,
                    &["table `t`, all budgets", "Index at byte", "bitmaps of `"],
                );
                lost += 1;
            }
            start = end;
        }
    }
    assert!(lost > 0);
}

/// How many arrays of bitmaps of categories stand before one.
fn before(arrays: &[(u32, Range<usize>)], number: usize) -> usize {
    arrays[..number]
        .iter()
        .filter(|array| array.0 == 20)
        .count()
}

#[test]
fn a_byte_of_any_array_of_an_index_is_found_and_named() {
    let whole = measured(300);
    let structures = [
        "name",
        "rank order",
        "codes",
        "codes",
        "codes",
        "codes",
        "codes",
        "quantile buckets",
        "quantile buckets",
        "name",
        "codes in order",
        "codes in order",
        "maxima",
        "grid",
        "staircase",
        "staircase",
        "layers",
        "name",
        "name",
        "bitmaps",
        "bitmaps",
    ];
    let mut seen = [false; 22];
    for index in sections(&whole, INDEX) {
        for (kind, range) in arrays(&whole, &index) {
            for place in [range.start, range.start.midpoint(range.end), range.end - 1] {
                let text = found(&whole, |bytes| bytes[place] ^= 1);
                seen[kind as usize] = true;
                // Opening an index looks at names and lengths already.
                let looked_at = [1, 6, 10, 18].contains(&kind);
                if !looked_at || text.contains("Index at byte") {
                    let byte = format!(
                        "Index at byte {place}: expected the {} of `",
                        structures[kind as usize - 1]
                    );
                    assert_names(&text, &["table `", &byte]);
                }
            }
        }
    }
    assert_eq!(seen.iter().filter(|seen| **seen).count(), 21);
}

#[test]
fn a_value_that_differs_in_its_last_bit_is_found_and_its_column_named() {
    let whole = measured(200);
    for (kind, name) in [(TRIAL_VALUES, "TrialValues"), (ROW_MEANS, "RowMeans")] {
        let sections = sections(&whole, kind);
        assert!(!sections.is_empty());
        for section in sections {
            for place in [section.start, section.end - 8] {
                let text = found(&whole, |bytes| bytes[place] ^= 1);
                let byte = format!("{name} at byte {place}: expected");
                assert_names(&text, &["table `", "epochs, column `", &byte]);
            }
        }
    }
}

#[test]
fn entries_in_another_order_are_found() {
    let whole = measured(200);
    for section in sections(&whole, ENTRIES) {
        // The first trials of two cells.
        let first = |at: &usize| u32_at(&whole, at + 20) == 1;
        let b = section.clone().step_by(24).rfind(first);
        let (a, b) = (section.start, b.unwrap());
        let swapped = |fields: Range<usize>| {
            found(&whole, |bytes| {
                for field in fields {
                    bytes.swap(a + field, b + field);
                }
            })
        };
        assert_names(
            &swapped(0..24),
            &["table `", "trial 0: expected a trial of row 0"],
        );
        // The order of import alone.
        assert_names(&swapped(8..16), &["table `", "one behind the other"]);
        assert_names(
            &found(&whole, |bytes| bytes[b + 8] ^= 1),
            &["Entries at byte", "numbered from 0"],
        );
    }
    for section in sections(&whole, STARTS) {
        found(&whole, |bytes| bytes[section.start + 4] ^= 1);
        found(&whole, |bytes| bytes[section.end - 4] ^= 1);
    }
}

#[test]
fn a_look_up_that_is_not_that_of_the_keys_is_found() {
    let whole = measured(200);
    for (kind, name) in [
        (PILOTS, "table `"),
        (SLOTS, "table `"),
        (ROW_SLOTS, "row 0"),
    ] {
        for section in sections(&whole, kind) {
            assert_names(&found(&whole, |bytes| bytes[section.start] ^= 1), &[name]);
        }
    }
    // A pilot of a bucket without keys, an empty slot.
    let pilots = sections(&whole, PILOTS)[0].clone();
    for place in pilots {
        found(&whole, |bytes| bytes[place] ^= 1);
    }
    let slots = sections(&whole, SLOTS)[0].clone();
    let mut empty = slots
        .step_by(32)
        .filter(|&slot| u32_at(&whole, slot + 24) == u32::MAX);
    let empty = empty.next().unwrap();
    let text = found(&whole, |bytes| bytes[empty + 3] = 1);
    assert_names(
        &text,
        &[&format!(
            "Slots at byte {}: expected 0x00, found 0x01",
            empty + 3
        )],
    );
}

#[test]
fn a_drawing_that_is_not_that_of_the_first_trial_is_found() {
    let whole = measured(200);
    let slots = sections(&whole, SLOTS)[0].clone();
    let drawings: Vec<usize> = slots.step_by(32).map(|slot| slot + 16).collect();
    let mut changed = 0;
    for &at in &drawings {
        let other = Cell::from_code(u64_at(&whole, at) as u64).map(|cell| cell.neighbours()[0]);
        // Also one where no trial has any.
        let other = other
            .unwrap_or(ecnas::cell::enumerate(3, 9).next().unwrap())
            .code();
        if u32_at(&whole, at + 8) != u32::MAX && changed < 40 {
            let text = found(&whole, |bytes| {
                bytes[at..at + 8].copy_from_slice(&other.to_le_bytes())
            });
            assert_names(
                &text,
                &["table `t`: row ", "expected the drawing of its first trial"],
            );
            changed += 1;
        }
    }
}

#[test]
fn bytes_between_sections_and_trials_are_zero() {
    let whole = measured(100);
    let all = listed(&whole, u64_at(&whole, 32), u32_at(&whole, 24) as usize, 0);
    let mut count = 0;
    for pair in all.windows(2) {
        for place in pair[0].1.end..pair[1].1.start {
            let text = found(&whole, |bytes| bytes[place] = 1);
            assert_names(
                &text,
                &[&format!(
                    "byte {place}: expected zero padding between sections"
                )],
            );
            count += 1;
        }
    }
    assert!(count > 100);
    let records = sections(&whole, RECORDS)[0].start;
    let entries = sections(&whole, ENTRIES)[0].clone();
    for entry in entries.step_by(24) {
        let end = records + u64_at(&whole, entry) + u32_at(&whole, entry + 16) as usize;
        for place in end..end.next_multiple_of(16) {
            let text = found(&whole, |bytes| bytes[place] = 1);
            assert_names(
                &text,
                &[&format!(
                    "byte {place}: expected zero padding between trials"
                )],
            );
        }
    }
}

#[test]
fn estimates_stand_where_no_trial_has_a_value_and_nowhere_else() {
    let whole = mixed();
    for section in sections(&whole, ESTIMATED) {
        for place in section.clone() {
            let text = found(&whole, |bytes| bytes[place] ^= 0x40);
            assert_names(&text, &["table `t`", "epochs, Estimated"]);
        }
    }
    let snapshot = Snapshot::from_bytes(AlignedBytes::copy_from(&whole)).unwrap();
    let view = snapshot.view("t", Budget::epochs(4).unwrap()).unwrap();
    let means = sections(&whole, ROW_MEANS);
    let mut given = 0;
    for (name, section) in view.column_names().zip(means) {
        let of_energy = name.contains("energy_kwh");
        for (row, place) in section.step_by(8).enumerate().filter(|_| of_energy) {
            let tried = view
                .at(ecnas::snapshot::RowId(row as u32))
                .unwrap()
                .trial_count()
                > 0;
            for other in [0.5, f64::NAN] {
                let mut bytes = whole.clone();
                bytes[place..place + 8].copy_from_slice(&f64::to_le_bytes(other));
                if bytes != whole && tried {
                    verified(&bytes).expect_err("an estimate beside a trial");
                }
                // What is indexed, and the order of rows, follows from estimates too.
                given += u32::from(!tried && name != "energy_kwh" && verified(&bytes).is_ok());
            }
        }
    }
    assert!(given > 0);
}

/// A trial's fields that columns, keys or rows show; the drawing that they show is the first trial's.
fn shown(bytes: &[u8]) -> Vec<String> {
    let snapshot = Snapshot::from_bytes(AlignedBytes::copy_from(bytes)).unwrap();
    let trials = snapshot.tables().flat_map(|table| table.trials());
    let trials = trials.map(|trial| {
        let trial = trial.unwrap().to_trial();
        let shown = Metric::ALL
            .into_iter()
            .filter(|metric| *metric != Metric::Epoch);
        let results: Vec<_> = shown
            .map(|metric| trial.result(metric).map(f64::to_bits))
            .collect();
        let key = (trial.hash, trial.budget, trial.repeat);
        format!("{key:?} {results:?} {:?}", trial.other)
    });
    trials.collect()
}

fn infos(bytes: &[u8]) -> Vec<TableInfo> {
    let snapshot = Snapshot::from_bytes(AlignedBytes::copy_from(bytes)).unwrap();
    snapshot
        .tables()
        .map(|table| table.info().unwrap())
        .collect()
}

#[test]
fn whatever_bytes_are_changed_the_file_is_refused_or_shows_the_same() {
    let whole = measured(40);
    let expected = shown(&whole);
    let records = sections(&whole, RECORDS);
    let mut random = kit::random(41);
    let (count, mut unseen) = (kit::trials(6_000, 60_000), 0);
    for _ in 0..count {
        let mut bytes = whole.clone();
        let len = random.random_range(1..=8);
        let at = random.random_range(0..bytes.len() - len);
        match random.random_range(0..3) {
            0 => bytes[at] ^= 1 << random.random_range(0..8),
            1 => random.fill(&mut bytes[at..at + len]),
            _ => {
                let from = random.random_range(0..bytes.len() - len);
                bytes.copy_within(from..from + len, at);
            }
        }
        forge::correct(&mut bytes);
        if bytes != whole && verified(&bytes).is_ok() {
            // Another description is another table's; else nothing that is shown has changed.
            if infos(&bytes) == infos(&whole) {
                assert!(records.iter().any(|own| own.contains(&at)), "byte {at}");
                assert!(shown(&bytes) == expected, "byte {at}");
            }
            unseen += 1;
        }
    }
    // Time stamps, what else no column shows, and descriptions.
    assert!(unseen > 0);
    let unseen = format!("{unseen} of them in what nothing follows from");
    kit::report(
        "changes to a snapshot, checksums made right, verified",
        count,
        &unseen,
    );
}

/// Missing, infinite, of both zeros, too large to add up.
fn odd() -> impl Strategy<Value = f64> {
    let special = vec![
        f64::NAN,
        f64::INFINITY,
        f64::NEG_INFINITY,
        -0.0,
        0.0,
        0.5,
        0.7,
        1.7e308,
    ];
    prop::sample::select(special)
}

prop_compose! {
    /// Of a cell at a budget: the values of its trials, whether they draw it, and its estimates, if there are any.
    fn known()(
        trials in prop::collection::vec(prop::array::uniform3(odd()), 0..3),
        is_drawn in any::<bool>(),
        estimates in prop::option::of(prop::array::uniform3(odd())),
    ) -> (Vec<[f64; 3]>, bool, Option<[f64; 3]>) {
        (trials, is_drawn, estimates)
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(1_000))]

    #[test]
    fn whatever_is_sealed_is_in_order(
        rows in prop::collection::vec(prop::array::uniform2(known()), 0..20),
        estimates_first in any::<bool>(),
        with_estimates in any::<bool>(),
    ) {
        const COLUMNS: [&str; 3] = ["energy_kwh", "high_energy_kwh", "own"];
        let cells: Vec<Cell> = ecnas::cell::enumerate(5, 9).take(rows.len()).collect();
        let estimate = |writer: &mut SnapshotWriter| {
            for (at, epochs) in [4, 108].into_iter().enumerate() {
                let own = rows.iter().zip(&cells).filter_map(|(row, cell)| Some((row[at].2?, cell)));
                let own: Vec<_> = own.collect();
                let keyed: Vec<_> = own.iter().map(|(_, cell)| (cell.hash(), **cell)).collect();
                let column = |number: usize| own.iter().map(|(values, _)| values[number]).collect::<Vec<f64>>();
                let values = [0, 1, 2].map(column);
                let columns: Vec<_> = COLUMNS.into_iter().zip(values.iter().map(Vec::as_slice)).collect();
                writer.add_estimates(Budget::epochs(epochs).unwrap(), &keyed, &columns).unwrap();
            }
        };
        written(|writer| {
            begin(writer, "t");
            if with_estimates && estimates_first {
                estimate(writer);
            }
            for (row, &cell) in rows.iter().zip(&cells) {
                for ((trials, is_drawn, _), epochs) in row.iter().zip([4, 108]) {
                    for (values, repeat) in trials.iter().zip(1..) {
                        let mut trial = Trial::new(cell.hash(), Budget::epochs(epochs).unwrap(), repeat);
                        trial.cell = is_drawn.then_some(cell);
                        trial.totals.set(Metric::Energy, values[0]);
                        trial.other = COLUMNS[1..].iter().map(|name| (*name).to_owned()).zip(values[1..].iter().copied()).collect();
                        writer.add(&trial).unwrap();
                    }
                }
            }
            if with_estimates && !estimates_first {
                estimate(writer);
            }
        });
    }
}

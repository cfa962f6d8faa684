//! The fuzz targets without a fuzzer: with their seeds, with what once crashed them, and with random changes of both.
//!
//! Coverage-guided runs are those of `.ci/fuzz`. `ECNAS_FAULTS=long` or a number runs more changes here.
#![cfg(feature = "import")]

#[path = "../fuzz/src/lib.rs"]
mod fuzz;
#[path = "faults/kit.rs"]
#[allow(dead_code)]
mod kit;

use std::fs;
use std::path::{Path, PathBuf};

use rand::Rng;
use rand::rngs::StdRng;
use rand::seq::IndexedRandom;

fn folder(kind: &str, target: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("fuzz")
        .join(kind)
        .join(target)
}

/// The files of a folder, by name; none where there is no folder.
fn files(folder: &Path) -> Vec<(String, Vec<u8>)> {
    let entries = fs::read_dir(folder).into_iter().flatten().flatten();
    let mut files: Vec<_> = entries
        .map(|entry| {
            let name = entry.path().display().to_string();
            (name, fs::read(entry.path()).unwrap())
        })
        .collect();
    files.sort();
    files
}

/// One to four of the usual changes.
fn changed(seeds: &[(String, Vec<u8>)], random: &mut StdRng) -> Vec<u8> {
    let mut bytes = seeds.choose(random).unwrap().1.clone();
    for _ in 0..random.random_range(1..=4) {
        let at = random.random_range(0..=bytes.len());
        let len = random.random_range(0..=16).min(bytes.len() - at);
        match random.random_range(0..6) {
            0 => bytes.truncate(at),
            1 => drop(bytes.drain(at..at + len)),
            2 => bytes[at..at + len]
                .iter_mut()
                .for_each(|byte| *byte = random.random()),
            3 => {
                let new: Vec<u8> = (0..len).map(|_| random.random()).collect();
                bytes.splice(at..at, new);
            }
            4 => {
                let other = &seeds.choose(random).unwrap().1;
                let from = random.random_range(0..=other.len());
                bytes.truncate(at);
                bytes.extend_from_slice(&other[from..]);
            }
            _ => {
                if let Some(byte) = bytes.get_mut(at) {
                    *byte ^= 1 << random.random_range(0..8);
                }
            }
        }
    }
    bytes
}

/// Runs a target, and names the input where it panics.
fn run(target: fuzz::Target, input: &[u8], what: &str) {
    let (name, run) = target;
    let outcome = std::panic::catch_unwind(|| run(input));
    let shown: String = input
        .iter()
        .take(4000)
        .map(|byte| format!("{byte:02x}"))
        .collect();
    assert!(outcome.is_ok(), "{name}: {what}: {shown}");
}

fn target(name: &str) {
    let target = *fuzz::TARGETS
        .iter()
        .find(|target| target.0 == name)
        .unwrap();
    let seeds = files(&folder("seeds", name));
    assert!(!seeds.is_empty(), "{name} has no seeds");
    let regressions = files(&folder("regressions", name));
    for (path, bytes) in seeds.iter().chain(&regressions) {
        run(target, bytes, path);
    }
    let all = [seeds, regressions].concat();
    let mut random = kit::random(31);
    let count = kit::trials(500, 300_000);
    for number in 0..count {
        run(
            target,
            &changed(&all, &mut random),
            &format!("change {number}"),
        );
    }
    kit::report(&format!("random changes of the seeds of {name}"), count, "");
}

#[test]
fn csv() {
    target("csv");
}

#[test]
fn queries() {
    target("queries");
}

#[test]
fn results() {
    target("results");
}

#[test]
fn snapshot() {
    target("snapshot");
}

#[test]
fn store() {
    target("store");
}

#[test]
fn tfrecord() {
    target("tfrecord");
}

/// With checksums made right, only looking at the structure tells.
#[test]
fn trials_that_stand_twice_or_take_more_than_there_is_are_found() {
    use ecnas::metrics::TableInfo;
    use ecnas::snapshot::{AlignedBytes, Snapshot, SnapshotWriter};

    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("t.ecnas");
    let mut writer = SnapshotWriter::create(&path).unwrap();
    writer.begin_table(TableInfo::default()).unwrap();
    for repeat in 1..=3 {
        let trial = kit::trial(kit::cells()[0], 4, repeat, repeat.into());
        writer.add(&trial).unwrap();
    }
    writer.finish().unwrap();
    let whole = fs::read(path).unwrap();
    let number = |at: usize| u64::from_le_bytes(whole[at..at + 8].try_into().unwrap()) as usize;
    // The section of kind 7: 24 bytes an entry, first where its trial is, at byte 16 how long.
    let mut table = (number(32)..number(48)).step_by(24);
    let entries = number(table.find(|&at| whole[at] == 7).unwrap() + 8);
    let found = |bytes: &[u8]| {
        let mut bytes = bytes.to_vec();
        fuzz::snapshot::correct(&mut bytes);
        let snapshot = Snapshot::from_bytes(AlignedBytes::copy_from(&bytes)).unwrap();
        let verified = snapshot.verify().map(|verified| verified.trials);
        verified.map_err(|error| error.to_string())
    };
    assert_eq!(found(&whole), Ok(3));
    let mut twice = whole.clone();
    twice.copy_within(entries..entries + 24, entries + 24);
    let text = found(&twice).unwrap_err();
    assert!(text.contains("do not ascend"), "{text}");
    // The last trial takes the others in.
    let mut overlapping = whole.clone();
    let len = number(entries + 48) + number(entries + 64) % (1 << 32);
    overlapping[entries + 48..entries + 56].fill(0);
    overlapping[entries + 64..entries + 68].copy_from_slice(&(len as u32).to_le_bytes());
    let text = found(&overlapping).unwrap_err();
    assert!(text.contains("expected trials of at most"), "{text}");
}

/// Run by hand; the files are committed.
#[test]
#[ignore = "writes the seeds"]
fn make_the_seeds() {
    let write = |target: &str, name: &str, bytes: &[u8]| {
        fs::create_dir_all(folder("seeds", target)).unwrap();
        fs::write(folder("seeds", target).join(name), bytes).unwrap();
    };
    let cells = kit::cells();
    let trials: Vec<_> = (0..3)
        .map(|number| kit::trial(cells[number], 4, 1, number as u64))
        .collect();

    let mut tfrecord = Vec::new();
    ecnas::import::tfrecord::write_tfrecord(
        trials.iter().cloned().map(Ok::<_, std::io::Error>),
        &mut tfrecord,
    )
    .unwrap();
    write("tfrecord", "file", &[&[0], &tfrecord[..]].concat());
    for (number, trial) in trials.iter().enumerate() {
        let record = ecnas::import::tfrecord::encode_record(trial).unwrap();
        write(
            "tfrecord",
            &format!("record{number}"),
            &[&[1], &record[..]].concat(),
        );
    }
    write("csv", "graphs", b"adjacency,operations,energy_kwh,budget,repeat\n010001000,\"input,maxpool3x3,output\",0.5,4,1\n010001000,\"input,conv1x1-bn-relu,output\",1e-3,108,1\n");
    write("csv", "hashes", b"# device: a device\n# pue: 1.5\nhash;energy_wh;validation_accuracy_percent;epochs\nb49ac8c578b4561d79ac7087988f1c61;500;93.5;4\n");
    write(
        "csv",
        "odd",
        b"hash,energy_kwh,own,own\n53cee42601ad14d661bb6878031d6acb,nan,inf,\n,,,\n",
    );
    write("results", "run", br#"{"trainable_params": 8555530, "total_time": 12, "total_energy (kWh)": 0.5, "start_emission": "2022-05-24 17:40:24", "avg_power_usages:": {"gpu": {"devices": ["a"], "avg_power_usages (W)": [[250.5]], "avg_energy_usages (J)": [[9e5]]}}, "evaluation_results": [{"epochs": 0.5, "energy (kWh)": 0.1}, {"epochs": 4.0, "energy (kWh)": 0.25, "validation_accuracy": 0.9, "loss": 1.5}]}"#);
    write("results", "empty", b"{}");
    write("snapshot", "whole", &[&[0], fuzz::snapshot::BASE].concat());
    write(
        "snapshot",
        "changes",
        &[1, 0x80, 0x3A, 0, 7, 0x10, 0x20, 3, 2],
    );
    let mut random = kit::random(32);
    for number in 0..4 {
        let bytes: Vec<u8> = (0..400).map(|_| random.random()).collect();
        write("store", &format!("random{number}"), &bytes);
        write("queries", &format!("random{number}"), &bytes);
    }
}

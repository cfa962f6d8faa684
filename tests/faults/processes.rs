//! Whole processes: killed at any moment, out of disk space, out of memory, and many of them at once.

use std::fs::{self, File};
use std::io::{BufWriter, Write};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Output, Stdio};
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::{Duration, Instant};

use ecnas::import::tfrecord;
use ecnas::snapshot::Snapshot;
use ecnas::store::Store;
use rand::Rng;
use tempfile::TempDir;

use crate::kit::{self, report, trials};

/// A folder with its own cache.
struct Place(TempDir);

impl Place {
    fn new() -> Self {
        Self(tempfile::tempdir().unwrap())
    }

    fn path(&self, name: &str) -> PathBuf {
        self.0.path().join(name)
    }

    fn command(&self, words: &[&str]) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_ecnas"));
        self.prepare(&mut command);
        command.args(words);
        command
    }

    fn prepare(&self, command: &mut Command) {
        command
            .current_dir(self.0.path())
            .env("ECNAS_CACHE", self.path("cache"))
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped());
    }

    /// Runs it where it must succeed.
    fn run(&self, words: &[&str]) -> String {
        let output = self.command(words).output().unwrap();
        let error = String::from_utf8_lossy(&output.stderr).into_owned();
        assert!(output.status.success(), "{words:?}: {error}");
        String::from_utf8(output.stdout).unwrap()
    }

    /// Runs it under a limit of the shell: `-f` blocks of 512 bytes to write, `-v` KiB of memory.
    fn run_limited(&self, limit: &str, words: &[&str]) -> Output {
        let script = format!("trap '' XFSZ; ulimit {limit}; exec \"$0\" \"$@\"");
        let mut command = Command::new("sh");
        self.prepare(&mut command);
        command
            .args(["-c", &script, env!("CARGO_BIN_EXE_ecnas")])
            .args(words);
        command.output().unwrap()
    }

    /// Starts it and kills it after some time; says whether it had ended by itself.
    fn killed_after(&self, words: &[&str], time: Duration) -> bool {
        let mut child: Child = self.command(words).spawn().unwrap();
        std::thread::sleep(time);
        let ended = child.try_wait().unwrap().is_some();
        child.kill().unwrap();
        child.wait().unwrap();
        ended
    }

    /// A TFRecord file of so many trials.
    fn source(&self, name: &str, repeats: u32, epochs: u32) -> u64 {
        let out = BufWriter::new(File::create(self.path(name)).unwrap());
        let cells = kit::cells();
        let all = (0..repeats).flat_map(|repeat| {
            let numbered = cells.iter().zip(u64::from(repeat)..);
            numbered.map(move |(cell, number)| kit::trial(*cell, epochs, repeat + 1, number))
        });
        let written = tfrecord::write_tfrecord(all.map(Ok::<_, std::io::Error>), out).unwrap();
        written.records
    }
}

/// The trials of each table of a store that must be whole.
fn tables(path: &Path) -> Vec<(String, u64)> {
    let mut store = Store::open(path).unwrap();
    store.verify().unwrap();
    let tables = store.tables().unwrap().into_iter();
    tables
        .map(|table| (table.info.name, table.trials))
        .collect()
}

fn moment(random: &mut impl Rng, longest: Duration) -> Duration {
    longest.mul_f64(random.random_range(0.0..1.2))
}

#[test]
fn killed_imports_are_there_as_a_whole_or_not_at_all() {
    let place = Place::new();
    let first = place.source("first.tfrecord", 1, 4);
    let second = place.source("second.tfrecord", 8, 108);
    place.run(&["import", "-s", "base.redb", "first.tfrecord"]);
    fs::copy(place.path("base.redb"), place.path("own.redb")).unwrap();
    let words = ["import", "-s", "own.redb", "second.tfrecord"];
    let start = Instant::now();
    place.run(&words);
    let longest = start.elapsed();
    let mut random = kit::random(21);
    let (count, mut ended, mut there) = (trials(40, 2_000), 0, 0);
    for _ in 0..count {
        fs::copy(place.path("base.redb"), place.path("own.redb")).unwrap();
        // Every third into a store that is not there yet.
        let is_new = random.random_range(0..3) == 0;
        if is_new {
            fs::remove_file(place.path("own.redb")).unwrap();
        }
        let acknowledged = place.killed_after(&words, moment(&mut random, longest));
        let mut expected = vec![("first".to_owned(), first), ("second".to_owned(), second)];
        if is_new {
            expected.remove(0);
        }
        let found = match place.path("own.redb").exists() {
            true => tables(&place.path("own.redb")),
            false => Vec::new(),
        };
        let whole = found == expected;
        expected.pop();
        assert!(whole || (found == expected && !acknowledged), "{found:?}");
        ended += u64::from(acknowledged);
        there += u64::from(whole);
        // It goes on.
        place.run(&words);
    }
    let more = format!("{ended} ended before, {there} were there");
    report("kill -9 while importing", count, &more);
}

#[test]
fn killed_seals_leave_the_old_snapshot_or_the_new_one() {
    let place = Place::new();
    place.source("first.tfrecord", 2, 4);
    place.source("second.tfrecord", 8, 108);
    place.run(&["import", "-s", "a.redb", "first.tfrecord"]);
    place.run(&["import", "-s", "b.redb", "second.tfrecord"]);
    place.run(&["seal", "-s", "a.redb", "-o", "old.ecnas"]);
    let words = ["seal", "-s", "b.redb", "-o", "own.ecnas"];
    let start = Instant::now();
    place.run(&words);
    let longest = start.elapsed();
    let [old, new] = ["old.ecnas", "own.ecnas"].map(|name| fs::read(place.path(name)).unwrap());
    let mut random = kit::random(22);
    let (count, mut replaced) = (trials(40, 2_000), 0);
    for _ in 0..count {
        fs::write(place.path("own.ecnas"), &old).unwrap();
        let ended = place.killed_after(&words, moment(&mut random, longest));
        let found = fs::read(place.path("own.ecnas")).unwrap();
        assert!(
            found == new || (found == old && !ended),
            "{} bytes",
            found.len()
        );
        replaced += u64::from(found == new);
        tables(&place.path("b.redb"));
    }
    report(
        "kill -9 while sealing",
        count,
        &format!("{replaced} were replaced"),
    );
}

#[test]
fn the_default_benchmark_is_built_once_and_whole() {
    // Eight at once: one builds, all answer.
    let place = Place::new();
    let start = Instant::now();
    let children: Vec<Child> = (0..8)
        .map(|_| place.command(&["recipe", "-n", "1"]).spawn().unwrap())
        .collect();
    let outputs: Vec<Output> = children
        .into_iter()
        .map(|child| child.wait_with_output().unwrap())
        .collect();
    let longest = start.elapsed();
    for output in &outputs {
        assert!(
            output.status.success(),
            "{}",
            String::from_utf8_lossy(&output.stderr)
        );
        assert_eq!(output.stdout, outputs[0].stdout);
    }
    assert_eq!(fs::read_dir(place.path("cache")).unwrap().count(), 2);
    report(
        "processes that build the default benchmark at once",
        8,
        "one built it",
    );

    let mut random = kit::random(23);
    let (count, mut there) = (trials(8, 500), 0);
    for _ in 0..count {
        let place = Place::new();
        place.killed_after(&["recipe", "-n", "1"], moment(&mut random, longest));
        let names = fs::read_dir(place.path("cache"))
            .into_iter()
            .flatten()
            .flatten();
        for entry in names {
            if entry.file_name().to_string_lossy().ends_with(".ecnas") {
                Snapshot::open(entry.path()).unwrap();
                there += 1;
            }
        }
    }
    report(
        "kill -9 while building the default benchmark",
        count,
        &format!("{there} were there"),
    );
}

#[test]
fn a_full_disk_is_an_error_and_nothing_else() {
    let place = Place::new();
    let first = place.source("first.tfrecord", 1, 4);
    place.source("second.tfrecord", 8, 108);
    place.run(&["import", "-s", "base.redb", "first.tfrecord"]);
    fs::copy(place.path("base.redb"), place.path("b.redb")).unwrap();
    place.run(&["import", "-s", "b.redb", "second.tfrecord"]);
    place.run(&["seal", "-s", "b.redb", "-o", "whole.ecnas"]);
    let mut random = kit::random(24);
    let blocks = |name: &str| fs::metadata(place.path(name)).unwrap().len() / 512;
    let (store, sealed) = (blocks("b.redb"), blocks("whole.ecnas"));
    let line = |output: &Output| {
        let text = String::from_utf8_lossy(&output.stderr).into_owned();
        assert_eq!(output.status.code(), Some(1), "{text}");
        assert!(text.starts_with("error: "), "{text}");
    };
    let mut count = 0;
    for _ in 0..trials(25, 500) {
        fs::copy(place.path("base.redb"), place.path("own.redb")).unwrap();
        let limit = format!("-f {}", random.random_range(0..store));
        let words = ["import", "-s", "own.redb", "second.tfrecord"];
        let output = place.run_limited(&limit, &words);
        let found = tables(&place.path("own.redb"));
        if output.status.success() {
            assert_eq!(found.len(), 2);
        } else {
            line(&output);
            assert_eq!(found, [("first".to_owned(), first)]);
        }
        count += 1;
    }
    // The k-th 64 KiB of a snapshot, every k.
    for limit in (0..sealed).step_by(128) {
        let before = tables(&place.path("b.redb"));
        let words = ["seal", "-s", "b.redb", "-o", "own.ecnas"];
        line(&place.run_limited(&format!("-f {limit}"), &words));
        assert!(!place.path("own.ecnas").exists());
        assert_eq!(tables(&place.path("b.redb")), before);
        count += 1;
    }
    let left = fs::read_dir(place.0.path()).unwrap().flatten();
    let mut left = left.filter(|entry| entry.file_name().to_string_lossy().ends_with(".tmp"));
    assert!(left.next().is_none());
    report("a full disk while importing and sealing", count, "");
}

#[test]
fn readers_see_one_generation_whole() {
    let place = Place::new();
    place.source("first.tfrecord", 2, 4);
    place.source("second.tfrecord", 3, 4);
    place.run(&["import", "-s", "a.redb", "-t", "t", "first.tfrecord"]);
    place.run(&["import", "-s", "b.redb", "-t", "t", "second.tfrecord"]);
    let front = ["range", "own.ecnas", "--json", "--limit", "0"];
    let expected: Vec<String> = ["a.redb", "b.redb"]
        .map(|store| {
            place.run(&["seal", "-s", store, "-o", "own.ecnas"]);
            place.run(&front)
        })
        .into();
    assert_ne!(expected[0], expected[1]);
    let seconds = if kit::is_long() { 1800 } else { 15 };
    let (over, reads, seals) = (AtomicBool::new(false), AtomicU64::new(0), AtomicU64::new(0));
    std::thread::scope(|scope| {
        for _ in 0..8 {
            scope.spawn(|| {
                while !over.load(Ordering::Relaxed) {
                    let found = place.run(&front);
                    assert!(expected.contains(&found), "a mixed generation");
                    reads.fetch_add(1, Ordering::Relaxed);
                }
            });
        }
        let end = Instant::now() + Duration::from_secs(seconds);
        while Instant::now() < end {
            for store in ["a.redb", "b.redb"] {
                place.run(&["seal", "-s", store, "-o", "own.ecnas"]);
                seals.fetch_add(1, Ordering::Relaxed);
            }
        }
        over.store(true, Ordering::Relaxed);
    });
    let more = format!("{} seals meanwhile", seals.into_inner());
    report(
        "reads by 8 processes of a file that is replaced",
        reads.into_inner(),
        &more,
    );
}

#[test]
fn hostile_files_end_in_an_error_within_little_memory() {
    let place = Place::new();
    let write = |name: &str, parts: &[&[u8]]| {
        let path = place.path(name);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        let mut file = BufWriter::new(File::create(path).unwrap());
        parts.iter().for_each(|part| file.write_all(part).unwrap());
        file.flush().unwrap();
    };
    // Declared lengths, with the checksum that such a length has.
    for (number, length) in [u64::MAX, 1 << 63, 1 << 40, 3 << 30]
        .into_iter()
        .enumerate()
    {
        let bytes = length.to_le_bytes();
        let crc = crc32c::crc32c(&bytes);
        let masked = crc.rotate_right(15).wrapping_add(0xa282_ead8);
        write(
            &format!("length{number}.tfrecord"),
            &[&bytes, &masked.to_le_bytes(), b"[]"],
        );
    }
    let deep = "[".repeat(1_000_000);
    let framed = |payload: &[u8]| {
        let mask = |bytes: &[u8]| {
            crc32c::crc32c(bytes)
                .rotate_right(15)
                .wrapping_add(0xa282_ead8)
                .to_le_bytes()
        };
        let length = (payload.len() as u64).to_le_bytes();
        [&length[..], &mask(&length), payload, &mask(payload)].concat()
    };
    write("deep.tfrecord", &[&framed(deep.as_bytes())]);
    let run = "results/5V9E/4_epochs/00/00000000000000000000000000000000/repeat_1";
    write(&format!("{run}/results.json"), &[deep.as_bytes()]);
    write(
        "deep.csv",
        &[b"hash,energy_kwh\n", "\"".repeat(1_000_000).as_bytes()],
    );
    write("wide.csv", &["hash,".repeat(1_000_000).as_bytes(), b"\n"]);
    write(
        "endless.csv",
        &[b"hash,energy_kwh\n", &vec![b'a'; 100 << 20]],
    );
    let sources = [
        "length0.tfrecord",
        "length1.tfrecord",
        "length2.tfrecord",
        "length3.tfrecord",
        "deep.tfrecord",
        "results",
        "deep.csv",
        "wide.csv",
        "endless.csv",
    ];
    for source in sources {
        // 512 MB of addresses, of which the program and its threads take a part.
        let output = place.run_limited("-v 524288", &["import", "-s", "own.redb", source]);
        let text = String::from_utf8_lossy(&output.stderr).into_owned();
        assert_eq!(output.status.code(), Some(1), "{source}: {text}");
        assert!(
            text.contains("error: ") && !text.contains("panicked"),
            "{source}: {text}"
        );
        assert_eq!(tables(&place.path("own.redb")), []);
    }
    let hostile = [&b"\x89ECNAS\r\n"[..], &[0xFF; 4096]].concat();
    fs::write(place.path("hostile.ecnas"), hostile).unwrap();
    let output = place.run_limited("-v 524288", &["info", "hostile.ecnas"]);
    assert_eq!(output.status.code(), Some(1));
    report(
        "hostile files under 512 MB of addresses",
        sources.len() as u64 + 1,
        "",
    );
}

//! Processes that are killed at any moment.

use std::fs;
use std::io::{BufRead, BufReader};
use std::process::Child;
use std::sync::LazyLock;
use std::time::{Duration, Instant};

use ecnas::metrics::TableInfo;
use ecnas::snapshot::Snapshot;
use ecnas::store::{OnDuplicate, Store};
use rand::Rng;

use crate::kit::{self, report, trials};
use crate::place::{Place, given_path, killed_after, moment, own_child, tables};

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

/// Each of these many trials is a transaction of its own.
const APPENDS: u32 = 2_000;

/// Appends, and says after each that it is done.
#[test]
#[ignore = "is killed by another test"]
fn appends() {
    let Some(path) = given_path() else { return };
    let mut store = Store::open(path).unwrap();
    let cells = kit::cells();
    for number in 1..=APPENDS {
        let mut append = store.append("t").unwrap();
        let own = kit::trial(cells[0], 4, number, number.into());
        append.add(&[own], OnDuplicate::Refuse).unwrap();
        append.commit(TableInfo::default()).unwrap();
        println!("done {number}");
    }
}

#[test]
fn what_was_appended_before_a_kill_is_there() {
    let place = Place::new();
    let path = place.path("own.redb");
    let mut random = kit::random(26);
    let (count, mut all) = (trials(20, 1_000), 0);
    for _ in 0..count {
        let _ = fs::remove_file(&path);
        let mut child = own_child("kills::appends", &path).spawn().unwrap();
        let out = BufReader::new(child.stdout.take().unwrap());
        let reader = std::thread::spawn(move || {
            let lines = out.lines().map_while(Result::ok);
            lines.filter(|line| line.contains("done ")).count() as u64
        });
        killed_after(child, moment(&mut random, Duration::from_millis(400)));
        let acknowledged = reader.join().unwrap();
        if !path.exists() {
            assert_eq!(acknowledged, 0);
            continue;
        }
        let mut store = Store::open(&path).unwrap();
        store.verify().unwrap();
        let mut found = Vec::new();
        if !store.tables().unwrap().is_empty() {
            let each = |trial| {
                found.push(trial);
                Ok::<(), ecnas::store::StoreError>(())
            };
            store.for_each_trial("t", each).unwrap();
        }
        let there = found.len() as u64;
        assert!(
            there == acknowledged || there == acknowledged + 1,
            "{there} of {acknowledged}"
        );
        let cells = kit::cells();
        let expected = (1..).map(|number: u32| kit::trial(cells[0], 4, number, number.into()));
        assert!(found.into_iter().eq(expected.take(there as usize)));
        all += acknowledged;
    }
    report(
        "kill -9 while appending",
        count,
        &format!("{all} transactions were acknowledged"),
    );
}

/// The control: a program that writes its file in place leaves parts of it when it is killed.
#[test]
fn a_careless_writer_leaves_parts() {
    let place = Place::new();
    place.source("second.tfrecord", 8, 108);
    place.run(&["import", "-s", "b.redb", "second.tfrecord"]);
    place.run(&["seal", "-s", "b.redb", "-o", "b.ecnas"]);
    let words = ["export", "b.ecnas", "-f", "csv", "-o", "-"];
    let whole = place.run(&words).into_bytes();
    let start = Instant::now();
    place.run(&words);
    let longest = start.elapsed();
    let mut random = kit::random(27);
    let mut parts = 0;
    for _ in 0..20 {
        let child = place.careless(&words, "own.csv").spawn().unwrap();
        killed_after(child, moment(&mut random, longest));
        let found = fs::read(place.path("own.csv")).unwrap_or_default();
        parts += u64::from(!found.is_empty() && found != whole);
    }
    assert!(parts > 0, "the control did not fail");
    println!("control: a careless writer left parts in {parts} of 20 kills");
}

/// Each imports a file of its own into the same store, which is not there yet: one at a time can, and what it imported
/// stays.
#[test]
fn stores_made_at_once_lose_nothing() {
    let place = Place::new();
    let names: Vec<String> = (0..8).map(|number| format!("t{number}.tfrecord")).collect();
    let own = place.source("t0.tfrecord", 1, 4);
    for name in &names[1..] {
        fs::copy(place.path("t0.tfrecord"), place.path(name)).unwrap();
    }
    let (count, mut imported) = (trials(10, 500), 0);
    for _ in 0..count {
        let _ = fs::remove_file(place.path("own.redb"));
        let start = |name: &String| {
            let words = ["import", "-s", "own.redb", name.as_str()];
            place.command(&words).spawn().unwrap()
        };
        let children: Vec<Child> = names.iter().map(start).collect();
        let mut expected = Vec::new();
        for (number, child) in children.into_iter().enumerate() {
            let output = child.wait_with_output().unwrap();
            if output.status.success() {
                expected.push((format!("t{number}"), own));
            } else {
                let error = String::from_utf8_lossy(&output.stderr).into_owned();
                assert!(error.contains("in use"), "{error}");
            }
        }
        assert!(!expected.is_empty());
        assert_eq!(tables(&place.path("own.redb")), expected);
        imported += expected.len();
    }
    report(
        "8 processes that import into the same new store at once",
        count,
        &format!("{imported} imports were acknowledged"),
    );
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
    let (count, mut replaced) = (trials(30, 1_500), 0);
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
fn killed_runs_on_files_given_directly_leave_nothing_that_the_next_does_not_remove() {
    let place = Place::new();
    place.source("first.tfrecord", 8, 108);
    place.source("second.tfrecord", 1, 4);
    let words = ["front", "first.tfrecord"];
    let start = Instant::now();
    let expected = place.run(&words);
    let longest = start.elapsed();
    let other = place.run(&["front", "second.tfrecord"]);
    let mut random = kit::random(25);
    let (count, mut left) = (trials(20, 1_000), 0);
    let files = || fs::read_dir(place.path("cache")).unwrap().count();
    for number in 0..count {
        place.run(&["cache", "--clear"]);
        assert_eq!(files(), 0);
        place.killed_after(&words, moment(&mut random, longest));
        left += u64::from(place.run(&["cache"]).contains(": 0 files") && files() > 0);
        // Whether the next one asks the same or something else.
        if number % 2 == 0 {
            assert_eq!(place.run(&words), expected);
            assert_eq!(files(), 1);
        } else {
            assert_eq!(place.run(&["front", "second.tfrecord"]), other);
            let mut names = fs::read_dir(place.path("cache")).unwrap().flatten();
            assert!(names.all(|entry| entry.file_name().to_string_lossy().ends_with(".ecnas")));
        }
    }
    assert!(left > 0, "no kill came while a copy was made");
    let more = format!("{left} left a part, which was removed");
    report("kill -9 while sealing files given directly", count, &more);
}

/// A question to the default benchmark, which builds it where it is not there yet.
const QUESTION: [&str; 3] = ["recipe", "-n", "1"];

/// Its answer, and how long building takes.
static ANSWER: LazyLock<(String, Duration)> = LazyLock::new(|| {
    let start = Instant::now();
    let answer = Place::new().run(&QUESTION);
    (answer, start.elapsed())
});

/// Eight at once, again and again where there is none yet: one builds it, all answer.
#[test]
fn the_default_benchmark_is_built_once() {
    let (expected, _) = &*ANSWER;
    let seconds = if kit::is_long() { 1800 } else { 10 };
    let end = Instant::now() + Duration::from_secs(seconds);
    let mut rounds = 0;
    while Instant::now() < end {
        let place = Place::new();
        let start = |_| place.command(&QUESTION).spawn().unwrap();
        let children: Vec<Child> = (0..8).map(start).collect();
        for child in children {
            let output = child.wait_with_output().unwrap();
            let error = String::from_utf8_lossy(&output.stderr);
            assert!(output.status.success(), "{error}");
            assert_eq!(String::from_utf8_lossy(&output.stdout), *expected);
        }
        assert_eq!(fs::read_dir(place.path("cache")).unwrap().count(), 1);
        rounds += 1;
    }
    report(
        "processes that ask for the default benchmark, 8 at once",
        8 * rounds,
        &format!("{rounds} were built"),
    );
}

#[test]
fn killed_builds_of_the_default_benchmark_leave_it_whole_or_absent() {
    let (expected, longest) = &*ANSWER;
    let mut random = kit::random(23);
    let (count, mut there) = (trials(10, 100), 0);
    for number in 0..count {
        let place = Place::new();
        place.killed_after(&QUESTION, moment(&mut random, *longest));
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
        // Whoever asks next gets the answer, and nothing of the killed one stays.
        if number % 10 == 0 {
            assert_eq!(place.run(&QUESTION), *expected);
            assert_eq!(fs::read_dir(place.path("cache")).unwrap().count(), 1);
        }
    }
    report(
        "kill -9 while building the default benchmark",
        count,
        &format!("{there} were there"),
    );
}

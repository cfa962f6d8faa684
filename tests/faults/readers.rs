//! Readers of a file that is replaced, overwritten or cut off meanwhile.

use std::fs::{self, File};
use std::io::{BufRead, BufReader, Write};
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::{Duration, Instant};

use ecnas::metrics::{Budget, Metric};
use ecnas::snapshot::{MappedBytes, Mapping, Snapshot};
use rand::Rng;

use crate::kit::{self, report, trials};
use crate::place::{Place, given_path, own_child};

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
    let seconds = if kit::is_long() { 1800 } else { 30 };
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

/// The control: readers of a file that is written in place see parts of it.
#[test]
fn readers_of_a_careless_writer_see_parts() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("t.ecnas");
    let both = [kit::snapshot(2_000, 1), kit::snapshot(2_100, 2)];
    fs::write(&path, &both[0]).unwrap();
    let over = AtomicBool::new(false);
    let (mut reads, mut wrong) = (0, 0);
    std::thread::scope(|scope| {
        scope.spawn(|| {
            for bytes in both.iter().cycle() {
                fs::write(&path, bytes).unwrap();
                if over.load(Ordering::Relaxed) {
                    break;
                }
            }
        });
        let end = Instant::now() + Duration::from_secs(20);
        while wrong == 0 && Instant::now() < end {
            reads += 1;
            wrong += u64::from(Snapshot::open(&path).is_err());
        }
        over.store(true, Ordering::Relaxed);
    });
    assert!(wrong > 0, "the control did not fail");
    println!("control: a careless writer was seen in read {reads}");
}

#[allow(unsafe_code)]
fn mapped(path: &std::path::Path) -> Snapshot<MappedBytes> {
    // SAFETY: these tests replace the file by renaming; where one cuts it off, that is what it is about, and a process of
    // its own reads it.
    unsafe { Snapshot::map_with(path, Mapping::Always).unwrap() }
}

/// The sum of all energies: every answer of it reads them all.
fn energy<B: AsRef<[u8]>>(snapshot: &Snapshot<B>) -> f64 {
    let view = snapshot.view("t", Budget::epochs(4).unwrap()).unwrap();
    view.rows().filter_map(|row| row.get(Metric::Energy)).sum()
}

#[test]
fn open_snapshots_stay_what_they_were() {
    let folder = tempfile::tempdir().unwrap();
    let [path, beside] = ["t.ecnas", "beside"].map(|name| folder.path().join(name));
    let both = [kit::snapshot(2_000, 3), kit::snapshot(2_000, 4)];
    let energies = both.each_ref().map(|bytes| {
        fs::write(&path, bytes).unwrap();
        energy(&Snapshot::open(&path).unwrap())
    });
    assert_ne!(energies[0], energies[1]);
    let mut random = kit::random(28);
    let count = trials(150, 4_000);
    for number in 0..count {
        fs::write(&beside, &both[0]).unwrap();
        fs::rename(&beside, &path).unwrap();
        if number % 2 == 0 {
            // Replaced by renaming: a map keeps the old file.
            let open = mapped(&path);
            fs::write(&beside, &both[1]).unwrap();
            fs::rename(&beside, &path).unwrap();
            open.verify().unwrap();
            assert_eq!(energy(&open), energies[0]);
            assert_eq!(energy(&mapped(&path)), energies[1]);
        } else {
            // Overwritten or cut off: a copy is nobody else's.
            let open = Snapshot::open(&path).unwrap();
            if random.random_bool(0.5) {
                fs::write(&path, &both[1]).unwrap();
            } else {
                let file = File::options().write(true).open(&path).unwrap();
                file.set_len(random.random_range(0..both[0].len() as u64))
                    .unwrap();
            }
            open.verify().unwrap();
            assert_eq!(energy(&open), energies[0]);
        }
    }
    report(
        "a snapshot replaced, overwritten or cut off while open",
        count,
        "half mapped, half copied",
    );
}

/// Maps a snapshot, says so, waits for a line, and reads every byte.
#[test]
#[ignore = "is killed by another test"]
fn maps() {
    let Some(path) = given_path() else { return };
    let snapshot = mapped(&path);
    println!("mapped");
    std::io::stdin().lines().next();
    snapshot.verify().unwrap();
    println!("whole");
}

/// As documented: who reads a page that was cut off is killed by SIGBUS; nobody gets a wrong answer.
#[cfg(unix)]
#[test]
fn cutting_a_mapped_file_off_kills_its_readers() {
    use std::os::unix::process::ExitStatusExt;
    const SIGBUS: i32 = 7;

    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("t.ecnas");
    let bytes = kit::snapshot(2_000, 5);
    let mut random = kit::random(29);
    let (count, mut killed, mut refused) = (trials(50, 1_000), 0, 0);
    for number in 0..=count {
        fs::write(&path, &bytes).unwrap();
        let mut child = own_child("readers::maps", &path).spawn().unwrap();
        let mut out = BufReader::new(child.stdout.take().unwrap());
        let mut text = String::new();
        while !text.contains("mapped") {
            assert!(out.read_line(&mut text).unwrap() > 0, "{text}");
        }
        // The last one is the control: left alone, it reads all.
        if number < count {
            let file = File::options().write(true).open(&path).unwrap();
            file.set_len(random.random_range(0..bytes.len() as u64))
                .unwrap();
        }
        writeln!(child.stdin.take().unwrap()).unwrap();
        std::io::Read::read_to_string(&mut out, &mut text).unwrap();
        let status = child.wait().unwrap();
        if number == count {
            assert!(status.success() && text.contains("whole"), "{text}");
        } else if status.signal() == Some(SIGBUS) {
            killed += 1;
        } else {
            // Cut off within the last page, whose rest reads as zeros.
            assert!(!status.success() && !text.contains("whole"), "{text}");
            refused += 1;
        }
    }
    let more = format!("{killed} killed by SIGBUS, {refused} refused what they read");
    report("a mapped snapshot cut off", count, &more);
}

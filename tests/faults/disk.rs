//! Disks that are full.

use std::fs;
use std::process::Output;

use rand::Rng;

use crate::kit::{self, report, trials};
use crate::place::{Place, tables};

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
    for _ in 0..trials(25, 1_000) {
        fs::copy(place.path("base.redb"), place.path("own.redb")).unwrap();
        let limit = format!("-f {}", random.random_range(0..store));
        let words = ["import", "-s", "own.redb", "second.tfrecord"];
        let output = place.run_limited(&[&limit], &words);
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
        line(&place.run_limited(&[&format!("-f {limit}")], &words));
        assert!(!place.path("own.ecnas").exists());
        assert_eq!(tables(&place.path("b.redb")), before);
        count += 1;
    }
    let left = fs::read_dir(place.path(".")).unwrap().flatten();
    let mut left = left.filter(|entry| entry.file_name().to_string_lossy().ends_with(".tmp"));
    assert!(left.next().is_none());
    // The control: a program that writes its file in place leaves a part of it.
    let words = [
        "export",
        "whole.ecnas",
        "-t",
        "second",
        "-f",
        "csv",
        "-o",
        "-",
    ];
    let script = "trap '' XFSZ; ulimit -f 64; exec \"$0\" \"$@\" > careless.csv";
    let mut command = std::process::Command::new("sh");
    place.prepare(&mut command);
    command
        .args(["-c", script, env!("CARGO_BIN_EXE_ecnas")])
        .args(words);
    let output = command.output().unwrap();
    let said = String::from_utf8_lossy(&output.stderr);
    assert!(said.contains("File too large"), "{said}");
    assert_eq!(blocks("careless.csv"), 64, "the control did not fail");
    let control = "control: a careless writer left a part";
    report("a full disk while importing and sealing", count, control);
}

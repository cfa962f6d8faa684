//! What people read fits their screen, and no number is cut.

use std::collections::BTreeMap;

use crate::common::data;
use crate::predicted::built;
use crate::program::{DEEP, FLAT, Folder, Run, hash};

fn print(folder: &Folder, width: usize, words: &[&str]) -> String {
    let mut command = folder.command(env!("CARGO_BIN_EXE_ecnas"));
    command.env("COLUMNS", width.to_string()).args(words);
    let run = Run::from(command.output().unwrap());
    assert_eq!(run.code, 0, "{words:?}: {}", run.err);
    run.out
}

/// How often each number stands in a text.
fn numbers(text: &str) -> BTreeMap<&str, usize> {
    let mut numbers = BTreeMap::new();
    let is_part = |c: char| c.is_ascii_digit() || matches!(c, '.' | ',' | '+' | '-');
    for word in text.split_whitespace() {
        let word =
            word.trim_matches(|c| matches!(c, '(' | ')' | ',' | ';' | ':' | '.' | '*' | '~'));
        if word.contains(|c: char| c.is_ascii_digit()) && word.chars().all(is_part) {
            *numbers.entry(word).or_default() += 1;
        }
    }
    numbers
}

/// Checks a command on screens of several widths.
fn check(folder: &Folder, words: &[&str]) {
    let wide = print(folder, 140, words);
    for width in [60, 80, 100, 140] {
        let text = print(folder, width, words);
        for line in text.lines() {
            // A word alone, such as a path or a drawing, cannot be divided.
            let is_word = !line.trim().contains(' ');
            let length = line.chars().count();
            assert!(length <= width || is_word, "{words:?} at {width}: {line:?}");
        }
        let found = numbers(&text);
        for (number, count) in numbers(&wide) {
            let found = found.get(number).copied().unwrap_or(0);
            assert!(found >= count, "{words:?} at {width}: {number}\n{text}");
        }
    }
}

#[test]
fn answers_about_the_search_space_fit_every_screen() {
    let folder = built();
    let cell = hash(DEEP);
    for words in [
        &[][..],
        &["recipe", "-n", "3", "--cautious"],
        &["front"],
        &["front", "--cautious", "-n", "5"],
        &[
            "range",
            "--where",
            "energy_kwh<=0.1",
            "--where",
            "macs>=1",
            "--explain",
        ],
        &["get", &cell],
        &["info"],
        &["predict", DEEP],
        &["predict", DEEP, FLAT],
        &["predict", DEEP, FLAT, "-b", "108"],
    ] {
        check(folder, words);
    }
}

#[test]
fn answers_about_released_files_fit_every_screen() {
    let Some(file) = data("ec-nas/energy_4V9E_4epochs.tfrecord") else {
        return;
    };
    let folder = Folder::new();
    let file = file.to_str().unwrap();
    folder.print(&["import", "-s", "own.redb", file]);
    folder.print(&["seal", "-s", "own.redb", "-o", "own.ecnas"]);
    let cell = hash(DEEP);
    for words in [
        &["recipe", "own.ecnas"][..],
        &["recipe", "own.ecnas", "--also-at", "36", "--max-edits", "4"],
        &["front", "own.ecnas"],
        &[
            "range",
            "own.ecnas",
            "-w",
            "validation_accuracy>=0.9",
            "--by",
            "total_energy_kwh",
        ],
        &["get", "own.ecnas", &cell],
        &["get", "own.ecnas", &cell, "--trials", "--budget", "108"],
        &["info", "own.ecnas"],
        &["info", "own.redb"],
        &["verify", "own.ecnas"],
        &["import", "-s", "own.redb", file],
        &["predict", DEEP, "--device", file, "-b", "4"],
    ] {
        check(&folder, words);
    }
}

#[test]
fn hashes_are_shortened_below_90_columns_and_a_line_says_so() {
    let folder = Folder::new();
    let small = folder.small(1);
    let note = "Hashes are shortened";
    for words in [&["front", small][..], &["range", small]] {
        let narrow = print(&folder, 80, words);
        let short = format!("{}…", &hash(FLAT)[..8]);
        assert!(narrow.contains(&short) && narrow.contains(note), "{narrow}");
        for width in [90, 100] {
            let wide = print(&folder, width, words);
            assert!(wide.contains(&hash(FLAT)) && !wide.contains(note), "{wide}");
        }
    }
    // Without a terminal and `COLUMNS`, tables have 100, and sentences stand on one line.
    let table = |text: &str| text.split("\n\n").nth(1).map(str::to_owned);
    let usual = folder.print(&["front", small]);
    assert_eq!(
        table(&usual),
        table(&print(&folder, 100, &["front", small]))
    );
}

//! Sentences hold of every table: predicted, measured, unstated, of hashes alone, without energy, of one row.

use std::fs;

use serde_json::{Value, json};

use crate::predicted::built;
use crate::program::{BARE, DEEP, FLAT, Folder, hash};

#[test]
fn a_table_without_trials_is_not_said_to_have_them() {
    let folder = built();
    let text = folder.print(&["range", "-n", "1"]);
    assert!(
        text.contains("423,624 of 423,624 cells have values at this budget."),
        "{text}"
    );
    assert!(!text.contains("trial"), "{text}");
    for words in [&["info"][..], &["get", DEEP], &["recipe", "-n", "1"]] {
        let text = folder.print(words);
        assert!(!text.contains("0 trials"), "{text}");
    }
}

#[test]
fn tables_of_one_row_and_without_energy_are_answered_in_plain_words() {
    let folder = Folder::new();
    let text = format!("hash,test_accuracy,budget\n{},0.9,4\n", hash(DEEP));
    fs::write(folder.path("own.csv"), text).unwrap();
    let text = folder.print(&["range", "own.csv"]);
    for part in [
        "own at 4 epochs\n1 cell, 1 trial\n",
        "90.00",
        "1 of 1 cell has values at this budget.",
    ] {
        assert!(text.contains(part), "{text}");
    }
    let json = folder.json(&["range", "own.csv", "--json"]);
    assert_eq!(
        (&json["by"], &json["count"]),
        (&json!("test_accuracy"), &json!(1))
    );
    let (code, line) = folder.fail(&["range", "own.csv", "--by", "energy_kwh"]);
    assert_eq!(code, 3, "{line}");
}

#[test]
fn caution_about_measured_values_says_that_it_changes_nothing() {
    let folder = Folder::new();
    let small = folder.small(1);
    for command in ["front", "recipe"] {
        let usual = folder.print(&[command, small]);
        let run = folder.run(&[command, small, "--cautious"]);
        assert_eq!((run.code, run.out), (0, usual));
        assert_eq!(run.err.lines().count(), 1, "{}", run.err);
        assert!(
            run.err
                .starts_with("note: --cautious changes nothing in `small` at 12 epochs"),
            "{}",
            run.err
        );
    }
    let run = folder.run(&["plot", small, "--cautious", "-o", "a.svg"]);
    assert_eq!(run.code, 0);
    assert!(run.err.contains("changes nothing"), "{}", run.err);
    let svg = fs::read_to_string(folder.path("a.svg")).unwrap();
    assert!(!svg.contains("worse ends"));
}

#[test]
fn a_build_names_its_trials_and_prints_json() {
    let folder = Folder::new();
    let (adjacency, operations) = FLAT.split_once(':').unwrap();
    let text = format!(
        "adjacency,operations,budget,validation_accuracy\n{adjacency},\"{operations}\",4,0.6\n"
    );
    fs::write(folder.path("own.csv"), text).unwrap();
    let said = folder.print(&["build", "-o", "mixed.ecnas", "--overlay", "own.csv"]);
    assert!(
        said.contains(" 1 trial,") && !said.contains("measured"),
        "{said}"
    );
    let json = folder.json(&[
        "build",
        "-o",
        "mixed.ecnas",
        "--overlay",
        "own.csv",
        "--json",
    ]);
    let bytes = fs::metadata(folder.path("mixed.ecnas")).unwrap().len();
    assert_eq!(
        json,
        json!({"snapshot": "mixed.ecnas", "bytes": bytes, "tables": 1, "trials": 1})
    );
}

#[test]
fn an_export_prints_what_was_written_as_json() {
    let folder = Folder::new();
    let small = folder.small(1);
    for (format, name) in [
        ("csv", "a.csv"),
        ("json", "a.json"),
        ("tfrecord", "a.tfrecord"),
    ] {
        let words = ["export", small, "-f", format, "-o", name];
        let json = folder.json(&[&words[..], &["--json"]].concat());
        let bytes = fs::metadata(folder.path(name)).unwrap().len();
        assert_eq!(
            json,
            json!({"output": name, "format": format, "bytes": bytes, "table": "small", "trials": 9, "estimates": 0})
        );
        assert_eq!(folder.print(&words), "");
    }
    let run = folder.run(&["export", small, "-f", "csv", "-o", "-", "--json"]);
    assert_eq!((run.code, run.out.as_str()), (2, ""));
    assert!(run.err.contains("standard output"), "{}", run.err);
}

#[test]
fn several_cells_are_predicted_in_one_table() {
    let folder = built();
    let many = folder.print(&["predict", DEEP, FLAT, BARE, "-b", "108"]);
    assert_eq!(many.matches("─\n").count(), 1, "{many}");
    for cell in [DEEP, FLAT, BARE] {
        let row = many.lines().find(|line| line.starts_with(&hash(cell)));
        assert!(
            row.is_some_and(|row| row.split_whitespace().nth(1) == Some("108")),
            "{many}"
        );
    }
    assert!(
        many.contains("--csv and --json print the intervals"),
        "{many}"
    );
    let one = folder.print(&["predict", DEEP, "-b", "108"]);
    assert!(
        one.contains(&format!("{}  {DEEP}", hash(DEEP))) && one.contains(" to "),
        "{one}"
    );
}

#[test]
fn a_device_is_learned_from_hashes_alone() {
    let folder = built();
    let mut space = ecnas::cell::enumerate(4, 9);
    let mut drawn = "adjacency,operations,budget,energy_kwh\n".to_owned();
    let mut hashed = "hash,budget,energy_kwh\n".to_owned();
    for (number, cell) in space.by_ref().take(40).enumerate() {
        let energy = 0.01 + 0.001 * number as f64;
        let graph = cell.given();
        drawn += &format!(
            "{},\"{}\",4,{energy}\n",
            graph.adjacency_bits(),
            graph.operations()
        );
        hashed += &format!("{},4,{energy}\n", cell.hash());
    }
    for (name, text) in [("drawn/own.csv", &drawn), ("hashed/own.csv", &hashed)] {
        let path = folder.path(name);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, text).unwrap();
    }
    let predict = |file: &str| folder.json(&["predict", DEEP, "--device", file, "--json"]);
    assert_eq!(predict("hashed/own.csv"), predict("drawn/own.csv"));
    fs::write(
        folder.path("unknown.csv"),
        format!("{hashed}{},4,1\n", "0".repeat(32)),
    )
    .unwrap();
    let (code, line) = folder.fail(&["predict", DEEP, "--device", "unknown.csv"]);
    assert_eq!(code, 1);
    assert!(
        line.contains("has the hash 0000") && line.contains("adjacency and operations"),
        "{line}"
    );
}

/// Ends of intervals are a model's: a user's own column of such a name says nothing of measured values.
#[test]
fn a_measured_value_has_no_interval_whatever_its_columns_are_called() {
    let folder = Folder::new();
    let text = format!(
        "hash,budget,energy_kwh,validation_accuracy,high_energy_kwh\n{},4,0.3,0.9,9\n{},4,0.2,0.895,9\n",
        hash(DEEP),
        hash(FLAT)
    );
    fs::write(folder.path("own.csv"), text).unwrap();
    let plain = folder.json(&["front", "own.csv", "--json"]);
    let run = folder.run(&["front", "own.csv", "--json", "--cautious"]);
    assert!(
        run.err.contains("--cautious changes nothing"),
        "{}",
        run.err
    );
    let cautious: Value = serde_json::from_str(&run.out).unwrap();
    assert_eq!(plain["front"], cautious["front"]);
}

#[test]
fn a_limit_on_edits_says_of_how_many_cells_the_structure_is_unknown() {
    let folder = Folder::new();
    let text = format!(
        "hash,budget,energy_kwh,validation_accuracy\n{},4,0.3,0.9\n{},4,0.2,0.895\n",
        hash(DEEP),
        "0".repeat(31) + "1"
    );
    fs::write(folder.path("own.csv"), text).unwrap();
    let text = folder.print(&["recipe", "own.csv", "--max-edits", "2"]);
    for part in [
        "No cell costs less and loses at most 1 point, within 2 edits.",
        "their structure is unknown and edits cannot be counted: 1 cell.",
    ] {
        assert!(text.contains(part), "{text}");
    }
    let book = folder.json(&["recipe", "own.csv", "--max-edits", "2", "--json"]);
    assert_eq!(book["unknown_structure"], 1);
}

//! Natural mistakes: the program says what was meant and how to write it.

use std::fs;

use crate::predicted::built;
use crate::program::{BARE, DEEP, FLAT, Folder, hash};

/// Runs it where it must refuse the command line, and gives what it says.
fn refused(folder: &Folder, words: &[&str]) -> String {
    let run = folder.run(words);
    assert_eq!(
        (run.code, run.out.as_str()),
        (2, ""),
        "{words:?}: {}",
        run.err
    );
    assert!(run.err.starts_with("error: "), "{words:?}: {}", run.err);
    run.err
}

#[test]
fn accuracies_in_percent_are_refused_with_the_fraction_that_was_meant() {
    let folder = Folder::new();
    let small = folder.small(1);
    for (words, part) in [
        (
            &["recipe", small, "--tolerance", "1"][..],
            "100 percentage points; write 0.01",
        ),
        (
            &["recipe", small, "--tolerance", "5"],
            "500 percentage points",
        ),
        (
            &["recipe", small, "--tolerance", "inf"],
            "expected a number of 0 or more",
        ),
        (
            &["recipe", small, "--tolerance", "NaN"],
            "expected a number of 0 or more",
        ),
        (
            &["recipe", small, "--tolerance", "-1"],
            "expected a number of 0 or more",
        ),
        (
            &["recipe", small, "--tolerance=-1%"],
            "expected a number of 0 or more",
        ),
        (
            &["recipe", small, "--tolerance", "150%"],
            "no more than 100%",
        ),
        (&["plot", small, "--tolerance", "1"], "write 0.01"),
        (
            &["recipe", small, "--tolerate", "validation_accuracy=2"],
            "200 percentage points",
        ),
        (
            &["recipe", small, "--tolerate", "training_time_s=inf"],
            "expected a number of 0 or more",
        ),
        (
            &[
                "recipe",
                small,
                "--point",
                "energy_kwh=13,validation_accuracy=93",
            ],
            "write validation_accuracy=0.93",
        ),
        (
            &[
                "recipe",
                small,
                "--point",
                "energy_kwh=13,validation_accuracy=94.3%",
            ],
            "write validation_accuracy=0.943",
        ),
        (
            &[
                "recipe",
                small,
                "--point",
                "energy_kwh=5%,validation_accuracy=0.9",
            ],
            "METRIC=VALUE",
        ),
        (
            &[
                "recipe",
                small,
                "--point",
                "energy_kwh=inf,validation_accuracy=0.9",
            ],
            "METRIC=VALUE",
        ),
        (
            &["range", small, "--where", "validation_accuracy>=93"],
            "write validation_accuracy>=0.93",
        ),
        (
            &["range", small, "--where", "validation_accuracy<94.3"],
            "write validation_accuracy<0.943",
        ),
        (
            &["front", small, "--where", "validation_accuracy>=93"],
            "write validation_accuracy>=0.93",
        ),
        (
            &["range", small, "--where", "validation_accuracy>=500"],
            "fractions from 0 to 1",
        ),
        (
            &["range", small, "--where", "validation_accuracy>=93%"],
            "0.93 for 93 %",
        ),
        (&["range", small, "--where", "energy_kwh<=5%"], "without %"),
        (&["recipe", small, "--pue", "120%"], "expected a number"),
    ] {
        let said = refused(&folder, words);
        assert!(said.contains(part), "{words:?}: {said}");
    }
    let found = |words: &[&str]| {
        let words = [&["recipe", small, "--json"], words].concat();
        folder.json(&words)["found"].clone()
    };
    // Any loss, if it is said clearly.
    assert_eq!(found(&["--tolerance", "100%"]), 1);
    assert_eq!(found(&["--tolerance", "0.999"]), 1);
    assert_eq!(
        found(&["--point", "energy_kwh=13,validation_accuracy=1"]),
        0
    );
    assert_eq!(
        folder.print(&["range", small, "-w", "validation_accuracy<=1", "--count"]),
        "2\n"
    );
    assert_eq!(
        folder.print(&["range", small, "-w", "validation_accuracy<inf", "--count"]),
        "2\n"
    );
}

#[test]
fn bounds_above_one_hold_for_a_column_that_has_such_values() {
    let folder = Folder::new();
    let text = format!(
        "hash,energy_kwh,top_accuracy,budget\n{},1,93,4\n{},1,80,4\n",
        hash(DEEP),
        hash(FLAT)
    );
    fs::write(folder.path("own.csv"), text).unwrap();
    let words = ["range", "own.csv", "--where", "top_accuracy>=90", "--count"];
    assert_eq!(folder.print(&words), "1\n");
}

#[test]
fn numbers_below_zero_are_understood_as_numbers_and_refused() {
    let folder = Folder::new();
    let small = folder.small(1);
    for words in [
        &["range", small, "-n", "-1"][..],
        &["front", small, "-n", "-1"],
        &["recipe", small, "-n", "-1"],
    ] {
        let said = refused(&folder, words);
        assert!(
            said.contains("expected how many to print"),
            "{words:?}: {said}"
        );
    }
    for (option, part) in [
        ("--max-edits", "whole number of edits"),
        ("--budget", "a budget is a whole number"),
        ("--pue", "power usage effectiveness"),
        ("--intensity", "intensity"),
        ("--repeats", "a repeat from 1"),
        ("--also-at", "a budget is a whole number"),
    ] {
        let said = refused(&folder, &["recipe", small, option, "-1"]);
        assert!(said.contains(part), "{option}: {said}");
        assert!(!said.contains("unexpected argument"), "{option}: {said}");
    }
}

#[test]
fn get_without_a_cell_says_that_the_cell_is_missing() {
    let folder = Folder::new();
    let small = folder.small(1);
    let said = refused(&folder, &["get", small]);
    assert!(
        said.contains("no cell is named") && said.contains("ecnas get small.ecnas HASH"),
        "{said}"
    );
    let said = refused(&folder, &["get", BARE, small]);
    assert!(said.contains("the snapshot goes first"), "{said}");
    let said = refused(&folder, &["get", "nonsense"]);
    assert!(
        said.contains("hexadecimal") || said.contains("expected"),
        "{said}"
    );
}

#[test]
fn front_prints_as_many_cells_as_asked() {
    let folder = Folder::new();
    let small = folder.small(1);
    let all = folder.json(&["front", small, "--json"]);
    assert_eq!(all["front"].as_array().unwrap().len(), 2);
    for limit in ["1", "0"] {
        let some = folder.json(&["front", small, "--json", "-n", limit]);
        let shown = if limit == "0" { 2 } else { 1 };
        assert_eq!(
            some["front"].as_array().unwrap().as_slice(),
            &all["front"].as_array().unwrap()[..shown]
        );
        let csv = folder.print(&["front", small, "--csv", "--limit", limit]);
        assert_eq!(csv.lines().count(), 1 + shown);
    }
    let text = folder.print(&["front", small, "-n", "1"]);
    assert!(
        text.contains("1 more: --limit 0 shows all")
            && text.contains("2 of 2 cells are on the front"),
        "{text}"
    );
}

#[test]
fn the_bare_program_takes_the_options_of_recipe() {
    let folder = built();
    for options in [
        &["--max-edits", "1"][..],
        &["--json", "-n", "2"],
        &["-n", "1", "--tolerance", "2%", "--csv"],
    ] {
        let bare = folder.print(options);
        assert_eq!(bare, folder.print(&[&["recipe"], options].concat()));
    }
    let help = folder.print(&["--help"]);
    for part in [
        "Commands:",
        "import",
        "recipe",
        "OPTIONS OF recipe",
        "COLUMNS",
        "Exit codes",
    ] {
        assert!(help.contains(part), "{help}");
    }
    assert!(folder.print(&["--version"]).starts_with("ecnas "));
    assert!(refused(folder, &["--nonsense"]).contains("--nonsense"));
    assert!(refused(folder, &["recpie"]).contains("recipe"));
}

#[test]
fn a_point_names_what_is_compared_once() {
    let folder = Folder::new();
    folder.small(1);
    for (point, part) in [
        (
            "energy_kwh=0.3,validation_accuracy=0.9,foo=5",
            "nothing is compared in `foo`",
        ),
        (
            "energy_kwh=0.3,accuracy=0.9",
            "nothing is compared in `accuracy`",
        ),
        (
            "energy_kwh=0.3,energy_kwh=0.4,validation_accuracy=0.9",
            "`energy_kwh` twice",
        ),
    ] {
        let (code, line) = folder.fail(&["recipe", "small.ecnas", "--point", point]);
        assert!(code == 2 && line.contains(part), "{line}");
    }
}

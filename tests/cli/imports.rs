//! What comes in by `import`, and what the outputs say of it.

use std::collections::BTreeSet;
use std::fs;

use ecnas::metrics::RESERVED_NAMES;
use serde_json::Value;

use crate::program::{BARE, DEEP, FLAT, Folder, hash};

/// A hash that no cell has.
const NOBODY: &str = "0000000000000000000000000000000f";

/// A snapshot of two cells that are known by their hashes, and one that nobody knows.
fn by_hash(folder: &Folder) -> &'static str {
    let rows: String = [hash(DEEP), hash(BARE), NOBODY.to_owned()]
        .iter()
        .zip(1..)
        .map(|(hash, n)| format!("{hash},4,0.{n},0.9{n},{n}\n"))
        .collect();
    let header = "hash,budget,energy_kwh,validation_accuracy,latency_ms\n";
    fs::write(folder.path("own.csv"), format!("{header}{rows}")).unwrap();
    let said = folder.print(&["import", "-s", "own.redb", "own.csv"]);
    assert!(
        said.contains("note: 1 cells are given by hashes alone"),
        "{said}"
    );
    folder.print(&["seal", "-s", "own.redb", "-o", "own.ecnas"]);
    "own.ecnas"
}

#[test]
fn answers_about_structure_say_how_many_cells_they_know_nothing_of() {
    let folder = Folder::new();
    let own = by_hash(&folder);
    let answer = folder.json(&["range", own, "--where", "vertices>=2", "--json"]);
    assert_eq!(
        (&answer["count"], &answer["unknown_structure"]),
        (&2.into(), &1.into())
    );
    let words = [
        "range",
        own,
        "--where",
        "vertices=4",
        "--where",
        "energy_kwh<=0.25",
    ];
    let answer = folder.json(&[&words[..], &["--json"]].concat());
    // The unknown one costs more: no structure would bring it in.
    assert_eq!(
        (&answer["count"], &answer["unknown_structure"]),
        (&1.into(), &0.into())
    );
    let answer = folder.json(&["range", own, "--where", "energy_kwh<=1", "--json"]);
    assert_eq!(
        (&answer["count"], &answer["unknown_structure"]),
        (&3.into(), &0.into())
    );

    let unknown = "1 cell with an unknown structure left out";
    let text = folder.print(&["range", own, "--where", "vertices=4"]);
    assert!(text.contains(unknown), "{text}");
    let text = folder.print(&["front", own, "--where", "vertices=4"]);
    assert!(text.contains(unknown), "{text}");
    let front = folder.json(&["front", own, "--where", "vertices=4", "--json"]);
    assert_eq!(front["unknown_structure"], 1);
    for words in [
        ["range", own, "--where=edges>=1", "--count"],
        ["front", own, "--where=edges>=1", "--csv"],
    ] {
        let run = folder.run(&words);
        assert!(
            run.code == 0 && run.err.starts_with("note: ") && run.err.contains(unknown),
            "{}",
            run.err
        );
        assert!(!run.out.contains("unknown"), "{}", run.out);
    }

    let text = folder.print(&["info", own]);
    assert!(text.contains("unknown of 1 cell, given by"), "{text}");
    assert_eq!(
        folder.json(&["info", own, "--json"])["tables"][0]["unknown_structure"],
        1
    );
    let text = folder.print(&["get", own, NOBODY]);
    assert!(text.contains("the search space does not hold it"), "{text}");
}

#[test]
fn a_pue_or_an_intensity_that_is_none_is_a_usage_error() {
    let folder = Folder::new();
    let small = folder.small(1);
    fs::write(
        folder.path("own.csv"),
        format!("hash,budget,energy_kwh\n{},4,1\n", hash(DEEP)),
    )
    .unwrap();
    for bad in ["0", "nan", "inf", "-1", "0.99", "much"] {
        let own = format!("--pue={bad}");
        let run = folder.run(&["import", "-s", "new.redb", &own, "own.csv"]);
        assert_eq!((run.code, run.out.as_str()), (2, ""), "{bad}: {}", run.err);
        let says = ["divided by that of its devices", "expected a number"];
        assert!(
            says.iter().any(|part| run.err.contains(part)),
            "{}",
            run.err
        );
        assert_eq!(folder.run(&["recipe", small, &own]).code, 2, "{bad}");
    }
    for bad in ["nan", "inf", "-1", "much"] {
        let own = format!("--intensity={bad}");
        assert_eq!(folder.run(&["recipe", small, &own]).code, 2, "{bad}");
    }
    assert!(!folder.path("new.redb").exists());
    let stated = format!("# pue: nan\nhash,budget,energy_kwh\n{},4,1\n", hash(DEEP));
    fs::write(folder.path("own.csv"), stated).unwrap();
    let (code, line) = folder.fail(&["import", "-s", "new.redb", "own.csv"]);
    assert!(
        code == 1 && line.contains("line 1") && line.contains("a number from 1"),
        "{line}"
    );
}

#[test]
fn predict_refuses_lines_whose_hash_and_graph_disagree() {
    let folder = Folder::new();
    let (adjacency, operations) = DEEP.split_once(':').unwrap();
    let line = |hash: &str| format!("{hash},{adjacency},\"{operations}\"\n");
    let header = "# cells\nhash,adjacency,operations\n";
    let (own, other) = (hash(DEEP), hash(FLAT));
    fs::write(
        folder.path("a.csv"),
        format!("{header}{}{}", line(&own), line(&other)),
    )
    .unwrap();
    let (code, error) = folder.fail(&["predict", "-f", "a.csv"]);
    assert_eq!(code, 1, "{error}");
    for part in ["a.csv", "line 4", &own, &other, "correct one of them"] {
        assert!(error.contains(part), "{part}: {error}");
    }
    // One of both is enough.
    fs::write(
        folder.path("b.csv"),
        format!("{header}{}{}", line(&own), line("")),
    )
    .unwrap();
    let csv = folder.print(&["predict", "-f", "b.csv", "--csv", "-b", "4"]);
    let lines: Vec<&str> = csv.lines().collect();
    assert_eq!((lines.len(), lines[1]), (3, lines[2]));
    fs::write(folder.path("c.csv"), format!("{header},,\n")).unwrap();
    let (_, error) = folder.fail(&["predict", "-f", "c.csv"]);
    assert!(
        error.contains("line 3") && error.contains("found neither"),
        "{error}"
    );
    fs::write(folder.path("d.csv"), "hash\n1.1E+14\n").unwrap();
    let (_, error) = folder.fail(&["predict", "-f", "d.csv"]);
    assert!(
        error.contains("line 2") && error.contains("spreadsheet"),
        "{error}"
    );
}

#[test]
fn exports_as_csv_say_what_is_known_of_the_table_and_other_csv_does_not() {
    let folder = Folder::new();
    let own = by_hash(&folder);
    let csv = folder.print(&["export", own, "--format", "csv", "-o", "-"]);
    assert!(
        csv.starts_with("# search_space: NAS-Bench-101\n# provenance: unstated\n"),
        "{csv}"
    );
    let header = csv.lines().find(|line| !line.starts_with('#')).unwrap();
    assert!(header.starts_with("hash,budget_epochs,repeat,"), "{csv}");
    for words in [
        &["range", own, "--csv"][..],
        &["front", own, "--csv"],
        &["recipe", own, "--csv"],
        &["get", own, NOBODY, "--csv"],
        &["get", own, NOBODY, "--csv", "--trials"],
    ] {
        let csv = folder.print(words);
        assert!(!csv.contains('#'), "{words:?}: {csv}");
    }
}

#[test]
fn every_key_beside_a_users_columns_is_a_reserved_name() {
    let folder = Folder::new();
    let own = by_hash(&folder);
    let columns = [
        "energy_kwh",
        "validation_accuracy",
        "latency_ms",
        "trainable_parameters",
        "macs",
    ];
    let mut keys: BTreeSet<String> = BTreeSet::new();
    // Objects and headers that hold the user's column are where it might collide.
    fn gather(value: &Value, keys: &mut BTreeSet<String>) {
        match value {
            Value::Object(object) => {
                if object.contains_key("latency_ms") {
                    keys.extend(object.keys().cloned());
                }
                object.values().for_each(|value| gather(value, keys));
            }
            Value::Array(values) => values.iter().for_each(|value| gather(value, keys)),
            _ => {}
        }
    }
    let deep = hash(DEEP);
    let asked: [&[&str]; 6] = [
        &["range", own],
        &["front", own],
        &["recipe", own, "--tolerance", "0.1"],
        &["recipe", own, "--tolerance", "0.1", "--also-at", "4"],
        &["get", own, &deep],
        &["get", own, &deep, "--trials"],
    ];
    for words in asked {
        let json = folder.json(&[words, &["--json"]].concat());
        gather(&json, &mut keys);
        let csv = folder.print(&[words, &["--csv"]].concat());
        let header = csv.lines().next().unwrap();
        assert!(header.contains("latency_ms"), "{header}");
        keys.extend(header.split(',').map(str::to_owned));
    }
    let json = folder.print(&["export", own, "-f", "json", "-o", "-"]);
    gather(&serde_json::from_str(&json).unwrap(), &mut keys);
    let csv = folder.print(&["export", own, "-f", "csv", "-o", "-"]);
    let header = csv.lines().find(|line| !line.starts_with('#')).unwrap();
    keys.extend(header.split(',').map(str::to_owned));
    for key in &keys {
        let is_column = columns.contains(&key.as_str());
        assert!(is_column || RESERVED_NAMES.contains(&key.as_str()), "{key}");
    }
    for expected in ["elsewhere", "edits", "trials", "checkpoints", "provenance"] {
        assert!(keys.contains(expected), "{expected}: {keys:?}");
    }
}

#[test]
fn what_is_left_out_of_files_that_are_asked_directly_is_said() {
    let folder = Folder::new();
    let rows = format!(
        "hash,budget,energy_kwh,validation_accuracy,is_estimate\n{},4,1,0.9,0\n{},4,2,0.95,1\n",
        hash(DEEP),
        hash(FLAT)
    );
    fs::write(folder.path("own.csv"), rows).unwrap();
    let run = folder.run(&["range", "own.csv", "--count"]);
    assert_eq!((run.code, run.out.as_str()), (0, "1\n"), "{}", run.err);
    assert!(
        run.err.starts_with("note: own.csv: 1 lines hold estimates"),
        "{}",
        run.err
    );
}

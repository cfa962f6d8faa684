//! Real data. The expected values were computed with an independent reader: Python's json, base64 and struct.

use std::fs;

use crate::common::data;
use crate::program::Folder;

fn near(value: &serde_json::Value, expected: f64) -> bool {
    value
        .as_f64()
        .is_some_and(|value| (value - expected).abs() < 1e-12)
}

#[test]
fn the_recipe_book_of_91_measured_cells() {
    let Some(file) = data("ec-nas/energy_4V9E_4epochs.tfrecord") else {
        return;
    };
    let folder = Folder::new();
    let file = file.canonicalize().unwrap();
    let words = ["recipe", file.to_str().unwrap(), "--budget", "108"];
    let book = folder.json(&[&words[..], &["--json"]].concat());
    assert_eq!(
        (&book["compared"], &book["missing"]),
        (&91.into(), &0.into())
    );
    assert_eq!(book["provenance"]["energy_kwh"], "measured");
    let reference = &book["reference"];
    assert_eq!(reference["hash"], "ea9270f536a1f1094f446246dad4fe89");
    assert!(near(&reference["energy_kwh"], 0.885_574));
    assert!(near(
        &reference["validation_accuracy"],
        0.942_474_643_389_383_9
    ));
    let recipes = book["recipes"].as_array().unwrap();
    assert_eq!(recipes.len(), 23);
    assert_eq!(recipes[0]["hash"], "1af995a92568cf42af2c2668f72834ea");
    assert!(near(
        &recipes[0]["saving_fraction"],
        0.638_602_759_340_269_7
    ));
    assert!(near(
        &recipes[0]["accuracy_change"],
        -0.009_849_091_370_900_398
    ));
    let text = folder.print(&words);
    for part in [
        "91 cells, 273 trials",
        "23 of 91 cells",
        "Best saving: 63.9 % for 0.98 points",
        "Energy measured",
    ] {
        assert!(text.contains(part), "{text}");
    }
    assert!(
        text.lines().all(|line| line.chars().count() <= 100),
        "{text}"
    );
    let front = folder.json(&["front", file.to_str().unwrap(), "--json"]);
    assert_eq!(front["front"].as_array().unwrap().len(), 15);
    assert_eq!(
        front["front"][0]["hash"],
        "043721b9c7fe8c5fad811d47d83132ec"
    );
}

#[test]
fn the_recipe_book_of_the_results_tree() {
    let Some(tree) = data("ec-nas/results") else {
        return;
    };
    let folder = Folder::new();
    let tree = tree.canonicalize().unwrap();
    let book = folder.json(&[
        "recipe",
        tree.to_str().unwrap(),
        "--budget",
        "108",
        "--json",
    ]);
    assert_eq!(
        (&book["compared"], &book["missing"]),
        (&700.into(), &0.into())
    );
    assert_eq!(
        book["reference"]["hash"],
        "3376541da921d226548290ba1e4f9819"
    );
    let recipes = book["recipes"].as_array().unwrap();
    assert_eq!(recipes.len(), 97);
    assert_eq!(recipes[0]["hash"], "e03687f460a3ae2e1c3f56caffe31ce8");
    assert!(near(
        &recipes[0]["saving_fraction"],
        0.608_335_216_097_602_4
    ));
    let hash = book["reference"]["hash"].as_str().unwrap();
    let cached = fs::read_dir(folder.path("cache"))
        .unwrap()
        .next()
        .unwrap()
        .unwrap()
        .path();
    let cell = folder.json(&["get", cached.to_str().unwrap(), hash, "--json"]);
    assert_eq!(cell["rows"][0]["trial_count"], 3);
}

#[test]
fn five_files_come_back_byte_for_byte_and_twice_is_once() {
    let names = [
        "energy_4V9E_4epochs",
        "energy_4V9E_linscale",
        "energy_4V9E_quadrortx6000",
        "energy_4V9E_rtx3090",
        "energy_5V9E_4epochs",
    ];
    let files: Option<Vec<_>> = names
        .iter()
        .map(|name| data(&format!("ec-nas/{name}.tfrecord")))
        .collect();
    let Some(files) = files else { return };
    let folder = Folder::new();
    let files: Vec<_> = files
        .iter()
        .map(|file| file.canonicalize().unwrap())
        .collect();
    let mut words = vec!["import", "-s", "all.redb", "--json"];
    words.extend(files.iter().map(|file| file.to_str().unwrap()));
    let first = folder.json(&words);
    assert_eq!(first["imported"][0]["added"], 1092);
    folder.print(&["seal", "-s", "all.redb", "-o", "all.ecnas"]);
    for (name, file) in names.iter().zip(&files) {
        let words = [
            "export",
            "all.ecnas",
            "--table",
            name,
            "--format",
            "tfrecord",
            "-o",
            "out",
        ];
        assert_eq!(folder.print(&words), "");
        let same = fs::read(folder.path("out")).unwrap() == fs::read(file).unwrap();
        assert!(same, "{name}");
    }
    let again = folder.json(&words);
    for (name, import) in names.iter().zip(again["imported"].as_array().unwrap()) {
        assert_eq!(
            (&import["table"], &import["added"]),
            (&(*name).into(), &0.into())
        );
        assert_eq!(import["unchanged"], import["trials"]);
    }
    folder.print(&["seal", "-s", "all.redb", "-o", "again.ecnas"]);
    let [once, twice] =
        ["all.ecnas", "again.ecnas"].map(|name| fs::read(folder.path(name)).unwrap());
    assert!(once == twice, "the snapshots differ");
    // Scaled values say so.
    let words = [
        "front",
        "all.ecnas",
        "--table",
        "energy_4V9E_linscale",
        "--json",
    ];
    let provenance = &folder.json(&words)["provenance"];
    assert_eq!(provenance["energy_kwh"], "scaled");
    assert_eq!(provenance["validation_accuracy"], "averaged");
}

//! Each command on a small snapshot.

use std::process::Stdio;

use serde_json::{Value, json};

use crate::program::{BARE, DEEP, FLAT, Folder, Run, hash};

#[test]
fn help_says_what_there_is() {
    let folder = Folder::new();
    let help = folder.print(&["-h"]);
    for word in [
        "import", "seal", "info", "verify", "get", "range", "front", "recipe", "predict", "build",
        "plot", "export", "cache",
    ] {
        assert!(help.contains(word), "{word}");
    }
    let long = folder.print(&["--help"]);
    assert!(long.contains("Exit codes") && long.contains("130  interrupted"));
    assert_eq!(folder.run(&["--nonsense"]).code, 2);
    assert_eq!(folder.run(&["export"]).code, 2);
}

#[test]
fn info_tells_tables_columns_and_provenance() {
    let folder = Folder::new();
    let small = folder.small(2);
    let info = folder.json(&["info", small, "--json"]);
    assert_eq!(info["kind"], "snapshot");
    assert_eq!(info["tables"][1]["table"], "other");
    let table = &info["tables"][0];
    assert_eq!((&table["rows"], &table["trials"]), (&json!(3), &json!(9)));
    assert_eq!(
        (&table["device"], &table["licence"]),
        (&json!("a device"), &Value::Null)
    );
    let budgets = table["budgets"].as_array().unwrap();
    let epochs: Vec<_> = budgets
        .iter()
        .map(|budget| &budget["budget_epochs"])
        .collect();
    assert_eq!(epochs, [&json!(4), &json!(12)]);
    let energy = &budgets[0]["columns"][0];
    assert_eq!(energy["name"], "energy_kwh");
    assert_eq!(
        (&energy["unit"], &energy["provenance"]),
        (&json!("kWh"), &json!("scaled"))
    );
    let indexes = table["indexes"].as_array().unwrap();
    assert!(indexes.iter().any(|index| {
        index["of"] == "energy_kwh x validation_accuracy"
            && index["structure"] == "grid"
            && index["budget_epochs"] == 12
            && index["bytes"].as_u64() > Some(0)
    }));
    let text = folder.print(&["info", small]);
    for part in [
        "small: 3 cells, 9 trials at 4 and 12 epochs",
        "quantile buckets",
        "for each row and budget",
    ] {
        assert!(text.contains(part), "{text}");
    }
}

#[test]
fn verify_says_what_was_checked() {
    let folder = Folder::new();
    let small = folder.small(1);
    let json = folder.json(&["verify", small, "--json"]);
    assert_eq!((&json["valid"], &json["trials"]), (&json!(true), &json!(9)));
    assert!(folder.print(&["verify", small]).contains("in order"));
    let mut bytes = std::fs::read(folder.path(small)).unwrap();
    let middle = bytes.len() / 2;
    bytes[middle] ^= 1;
    std::fs::write(folder.path("damaged.ecnas"), bytes).unwrap();
    let (code, line) = folder.fail(&["verify", "damaged.ecnas"]);
    assert_eq!(code, 1);
    assert!(
        line.starts_with("damaged.ecnas: ") && line.contains("checksum"),
        "{line}"
    );
}

#[test]
fn get_finds_a_cell_by_hash_and_by_drawing() {
    let folder = Folder::new();
    let small = folder.small(1);
    let by_hash = folder.json(&["get", small, &hash(FLAT), "--json"]);
    // The same cell with a vertex that leads nowhere.
    let redrawn = "0110000100000000:input,conv1x1-bn-relu,maxpool3x3,output";
    assert_eq!(folder.json(&["get", small, redrawn, "--json"]), by_hash);
    assert_eq!(by_hash["hash"], hash(FLAT));
    assert_eq!(by_hash["adjacency"], "010001000");
    assert_eq!(by_hash["operations"], "input,conv1x1-bn-relu,output");
    let rows = by_hash["rows"].as_array().unwrap();
    assert_eq!(rows.len(), 2);
    assert_eq!(
        (&rows[1]["budget_epochs"], &rows[1]["energy_kwh"]),
        (&json!(12), &json!(12.5))
    );
    assert_eq!(rows[1]["provenance"]["energy_kwh"], "scaled");
    assert!(rows[0]["trainable_parameters"].is_u64());
    let one = |repeats| {
        let words = [
            "get",
            small,
            &hash(FLAT),
            "--budget",
            "12",
            "--repeats",
            repeats,
            "--json",
        ];
        folder.json(&words)["rows"][0]["energy_kwh"].clone()
    };
    assert_eq!(
        [one("min"), one("max"), one("1"), one("2")],
        [12.0, 13.0, 12.0, 13.0]
    );
    assert_eq!(one("draw:7"), one("draw:7"));
}

#[test]
fn what_is_missing_is_null_or_empty_and_never_zero() {
    let folder = Folder::new();
    let small = folder.small(1);
    let words = ["get", small, &hash(BARE), "--budget", "12"];
    let json = folder.json(&[&words[..], &["--json"]].concat());
    assert_eq!(json["rows"][0]["validation_accuracy"], Value::Null);
    let csv = folder.print(&[&words[..], &["--csv"]].concat());
    let lines: Vec<_> = csv.lines().collect();
    assert!(lines[0].starts_with(
        "table,budget_epochs,hash,adjacency,operations,trial_count,energy_kwh,validation_accuracy,"
    ));
    assert!(lines[1].contains(",2,6.25,,"), "{csv}");
    assert!(folder.print(&words).contains(" -\n"));
}

#[test]
fn get_shows_trials_with_their_checkpoints() {
    let folder = Folder::new();
    let small = folder.small(2);
    let words = ["get", small, &hash(DEEP), "--budget", "12", "--trials"];
    let json = folder.json(&[&words[..], &["--json"]].concat());
    assert_eq!(json["rows"].as_array().unwrap().len(), 2);
    let trials = json["rows"][0]["trials"].as_array().unwrap();
    assert_eq!((trials.len(), &trials[1]["repeat"]), (2, &json!(2)));
    assert_eq!(trials[1]["checkpoints"][1]["energy_kwh"], 26.0);
    assert!(folder.print(&words).contains("12 epochs, repeat 2"));
    let (code, line) = folder.fail(&[&words[..], &["--csv"]].concat());
    assert_eq!(code, 2, "{line}");
    let csv = folder.print(&[&words[..], &["--csv", "--table", "other"]].concat());
    assert_eq!(csv.lines().count(), 3);
}

#[test]
fn front_has_all_columns_and_counts_what_is_left_out() {
    let folder = Folder::new();
    let small = folder.small(1);
    let front = folder.json(&["front", small, "--json"]);
    assert_eq!(
        (&front["table"], &front["budget_epochs"]),
        (&json!("small"), &json!(12))
    );
    let objectives = json!([
        {"column": "energy_kwh", "direction": "min"},
        {"column": "validation_accuracy", "direction": "max"},
    ]);
    assert_eq!(front["objectives"], objectives);
    assert_eq!(
        (&front["compared"], &front["missing"]),
        (&json!(2), &json!(1))
    );
    let hashes: Vec<_> = front["front"]
        .as_array()
        .unwrap()
        .iter()
        .map(|row| &row["hash"])
        .collect();
    assert_eq!(hashes, [&hash(FLAT), &hash(DEEP)]);
    assert_eq!(front["front"][0]["energy_kwh"], 12.5);
    assert_eq!(front["provenance"]["energy_kwh"], "scaled");
    let csv = folder.print(&[
        "front",
        small,
        "--budget",
        "4",
        "--csv",
        "--y",
        "trainable_parameters",
    ]);
    assert_eq!(csv.lines().count(), 2, "{csv}");
    let text = folder.print(&["front", small]);
    for part in [
        "its largest budget; it also has 4",
        "scaled",
        "Left out for a missing value: 1 cell",
    ] {
        assert!(text.contains(part), "{text}");
    }
}

#[test]
fn front_publishes_its_corners_and_takes_conditions() {
    let folder = Folder::new();
    let small = folder.small(1);
    let front = folder.json(&["front", small, "--json"]);
    let (flat, deep) = (&front["front"][0], &front["front"][1]);
    assert_eq!(front["knee"], Value::Null);
    for (corner, energy, accuracy) in [
        ("ideal", flat, deep),
        ("nadir", deep, flat),
        ("reference", deep, flat),
    ] {
        assert_eq!(
            (
                &front[corner]["energy_kwh"],
                &front[corner]["validation_accuracy"]
            ),
            (&energy["energy_kwh"], &accuracy["validation_accuracy"]),
            "{corner}"
        );
    }
    // Both members lie on an edge of the box.
    assert_eq!(
        (&front["hypervolume"], &front["normalised_hypervolume"]),
        (&json!(0.0), &json!(0.0))
    );
    let words = ["front", small, "--where", "energy_kwh>13", "--json"];
    let dear = folder.json(&words);
    assert_eq!(
        (&dear["compared"], &dear["front"][0]["hash"]),
        (&json!(1), &json!(hash(DEEP)))
    );
    assert!(dear.get("knee").is_none());
}

#[test]
fn range_lists_and_counts_what_satisfies_conditions() {
    let folder = Folder::new();
    let small = folder.small(1);
    let all = folder.json(&["range", small, "--json"]);
    let hashes: Vec<_> = all["rows"]
        .as_array()
        .unwrap()
        .iter()
        .map(|row| &row["hash"])
        .collect();
    // By energy: 6.25, 12.5 and 25 kWh.
    assert_eq!(hashes, [&hash(BARE), &hash(FLAT), &hash(DEEP)]);
    let words = [
        "range",
        small,
        "--table",
        "small",
        "--budget",
        "12",
        "--where",
        "energy_kwh<=12.5",
        "--where",
        "validation_accuracy>=0.5",
    ];
    let found = folder.json(&[&words[..], &["--json", "--explain"]].concat());
    assert_eq!(
        found["where"],
        json!(["energy_kwh<=12.5", "validation_accuracy>=0.5"])
    );
    assert_eq!(
        (&found["count"], &found["rows"][0]["hash"]),
        (&json!(1), &json!(hash(FLAT)))
    );
    assert_eq!(found["steps"][0]["structure"], "grid");
    let count = folder.json(&[&words[..], &["--json", "--count"]].concat());
    assert_eq!((&count["count"], &count["rows"]), (&json!(1), &json!([])));
    assert_eq!(folder.print(&[&words[..], &["--count"]].concat()), "1\n");
    let csv = folder.print(&[&words[..], &["--count", "--csv"]].concat());
    assert_eq!(csv, "table,budget_epochs,count\nsmall,12,1\n");
    let text = folder.print(&words);
    for part in [
        &hash(FLAT),
        "1 of 3 cells satisfy energy_kwh<=12.5 and validation_accuracy>=0.5",
        "scaled",
    ] {
        assert!(text.contains(part), "{text}");
    }
    let count = |condition: &str| folder.print(&["range", small, "-w", condition, "--count"]);
    assert_eq!(count("energy_kwh=scaled"), "3\n");
    assert_eq!(count("energy_kwh=measured"), "0\n");
    assert_eq!(count("vertices=3"), "1\n");
    // What lacks the metric to order by comes last.
    let by = folder.json(&["range", small, "--by", "validation_accuracy", "--json"]);
    assert_eq!(
        (&by["rows"][0]["hash"], &by["rows"][2]["hash"]),
        (&json!(hash(DEEP)), &json!(hash(BARE)))
    );
    let few = folder.print(&["range", small, "-n", "1"]);
    assert!(few.contains("2 more: --limit 0 shows all"), "{few}");
    for (condition, code, part) in [
        ("energy_kwh<=cheap", 2, "expected a number"),
        ("energy", 2, "expected a name"),
        ("power<=3", 3, "no column `power`"),
    ] {
        let run = folder.run(&["range", small, "--where", condition]);
        assert_eq!(run.code, code, "{}", run.err);
        assert!(run.err.contains(part), "{}", run.err);
    }
    let (code, line) = folder.fail(&["range", small, "--by", "power"]);
    assert_eq!(code, 3, "{line}");
}

#[test]
fn recipe_takes_points_edits_tolerances_and_several_budgets() {
    let folder = Folder::new();
    let small = folder.small(2);
    let ask = |more: &[&str]| {
        let words = ["recipe", small, "--table", "small", "--json"];
        folder.json(&[&words[..], more].concat())
    };
    let found = |more: &[&str]| ask(more)["found"].clone();
    assert_eq!(found(&[]), 1);
    assert_eq!(
        (found(&["--max-edits", "4"]), found(&["--max-edits", "5"])),
        (json!(0), json!(1))
    );
    assert_eq!(
        (
            found(&["--tolerance", "1%"]),
            found(&["--tolerance", "0.1%"])
        ),
        (json!(1), json!(0))
    );
    let tolerated = ask(&["--tolerate", "trainable_parameters=0"]);
    assert_eq!(
        (&tolerated["found"], &tolerated["tolerances"][0]["column"]),
        (&json!(1), &json!("trainable_parameters"))
    );
    let both = ask(&["--also-at", "4", "--also-in", "other"]);
    let elsewhere = both["recipes"][0]["elsewhere"].as_array().cloned();
    assert_eq!(both["found"], json!(elsewhere.map_or(0, |_| 1)));
    let point = ask(&["--point", "energy_kwh=13,validation_accuracy=0.8"]);
    assert_eq!(
        (&point["found"], &point["recipes"][0]["edits"]),
        (&json!(1), &Value::Null)
    );
    assert_eq!(point["reference"]["energy_kwh"], 13.0);
    for (more, code, part) in [
        (["--point", "energy_kwh=13"], 2, "validation_accuracy"),
        (["--point", "energy_kwh"], 2, "METRIC=VALUE"),
        (["--tolerance", "much"], 2, "expected a number"),
        (["--tolerate", "training_time_s"], 2, "METRIC=LOSS"),
        (["--also-at", "7"], 3, "4"),
        (["--also-in", "third"], 3, "`other`"),
    ] {
        let words = ["recipe", small, "--table", "small"];
        let run = folder.run(&[&words[..], &more].concat());
        assert_eq!(run.code, code, "{}", run.err);
        assert!(run.err.contains(part), "{}", run.err);
    }
}

#[test]
fn recipe_has_the_agreed_shape() {
    let folder = Folder::new();
    let small = folder.small(1);
    let words = ["recipe", small, "--intensity", "100", "--pue", "3"];
    let book = folder.json(&[&words[..], &["--json"]].concat());
    for (key, value) in [
        ("table", json!("small")),
        ("budget_epochs", json!(12)),
        ("repeats", json!("mean")),
        ("tolerated_loss", json!(0.01)),
        ("intensity_g_per_kwh", json!(100.0)),
        ("pue", json!(3.0)),
        ("contained_pue", json!(1.5)),
        ("compared", json!(2)),
        ("missing", json!(1)),
    ] {
        assert_eq!(book[key], value, "{key}");
    }
    assert_eq!(book["provenance"]["energy_kwh"], "scaled");
    assert_eq!(book["reference"]["hash"], hash(DEEP));
    assert_eq!(book["recipes"].as_array().unwrap().len(), 1);
    let recipe = &book["recipes"][0];
    assert_eq!(
        (&recipe["hash"], &recipe["saving_fraction"]),
        (&json!(hash(FLAT)), &json!(0.5))
    );
    assert_eq!(
        (&recipe["on_front"], &recipe["edit_count"]),
        (&json!(true), &json!(5))
    );
    assert_eq!(recipe["edits"].as_array().unwrap().len(), 5);
    // 12.5 kWh contain a PUE of 1.5.
    assert_eq!(recipe["co2e_at_site_g"], 2500.0);
    let change = recipe["accuracy_change"].as_f64().unwrap();
    assert!((change + 0.005).abs() < 1e-12);
    let text = folder.print(&words);
    for part in [
        "Best saving: 50.0 % for 0.5 points",
        "Energy scaled",
        "100 g/kWh",
        "PUE 1.5 to PUE 3",
    ] {
        assert!(text.contains(part), "{text}");
    }
    assert!(
        text.lines().all(|line| line.chars().count() <= 100),
        "{text}"
    );
    let none = ["recipe", small, "--tolerance", "0", "--csv"];
    assert_eq!(folder.print(&none).lines().count(), 1);
    let by_flat = folder.json(&["recipe", small, "-r", FLAT, "--budget", "4", "--json"]);
    assert_eq!(
        (&by_flat["reference"]["hash"], &by_flat["found"]),
        (&json!(hash(FLAT)), &json!(0))
    );
}

#[test]
fn export_writes_csv_and_json_of_every_trial() {
    let folder = Folder::new();
    let small = folder.small(1);
    assert_eq!(
        folder.print(&["export", small, "--format", "csv", "-o", "out.csv"]),
        ""
    );
    let csv = std::fs::read_to_string(folder.path("out.csv")).unwrap();
    assert_eq!(
        csv,
        folder.print(&["export", small, "--format", "csv", "-o", "-"])
    );
    let mut lines = csv.lines().skip_while(|line| line.starts_with('#'));
    let header = "hash,budget_epochs,repeat,adjacency,operations,energy_kwh,validation_accuracy,trainable_parameters";
    assert_eq!(lines.next(), Some(header));
    let first = format!(
        "{},4,1,0100001000010000,\"input,conv3x3-bn-relu,conv3x3-bn-relu,output\",8.0,0.9,",
        hash(DEEP)
    );
    assert!(lines.next().unwrap().starts_with(&first), "{csv}");
    let json = folder.json(&["export", small, "--format", "json", "-o", "-"]);
    let trials = json.as_array().unwrap();
    assert_eq!(trials.len(), 9);
    assert_eq!(trials[8]["validation_accuracy"], Value::Null);
    assert_eq!(
        trials[8]["checkpoints"][1],
        json!({"energy_kwh": 6.5, "epoch": 12})
    );
    assert_eq!(folder.files(), ["out.csv", "small.ecnas"]);
    // What was exported can be imported again.
    folder.print(&["import", "-s", "again.redb", "out.csv"]);
    folder.print(&["seal", "-s", "again.redb", "-o", "again.ecnas"]);
    assert_eq!(
        folder.json(&["info", "again.ecnas", "--json"])["tables"][0]["trials"],
        9
    );
}

#[test]
fn tables_are_named_where_there_are_several() {
    let folder = Folder::new();
    let small = folder.small(2);
    for command in ["front", "recipe"] {
        let (code, line) = folder.fail(&[command, small]);
        assert_eq!(code, 2);
        assert!(
            line.contains("`small`, `other`") && line.contains("--table"),
            "{line}"
        );
        let json = folder.json(&[command, small, "--table", "other", "--json"]);
        assert_eq!(json["table"], "other");
    }
    assert_eq!(
        folder
            .fail(&["export", small, "--format", "csv", "-o", "-"])
            .0,
        2
    );
}

#[test]
fn files_given_directly_are_sealed_once_into_the_cache() {
    let folder = Folder::new();
    let text = format!(
        "hash,energy_kwh,validation_accuracy,budget\n{},2,0.9,4\n{},1,0.895,4\n",
        hash(DEEP),
        hash(FLAT)
    );
    std::fs::write(folder.path("own.csv"), &text).unwrap();
    let book = folder.json(&["recipe", "own.csv", "--json"]);
    assert_eq!(
        (&book["table"], &book["recipes"][0]["hash"]),
        (&json!("own"), &json!(hash(FLAT)))
    );
    let cached = || {
        let entries = std::fs::read_dir(folder.path("cache")).unwrap();
        entries
            .map(|entry| entry.unwrap().path())
            .collect::<Vec<_>>()
    };
    let before = cached();
    assert_eq!(before.len(), 1);
    std::fs::hard_link(&before[0], folder.path("kept")).unwrap();
    assert_eq!(folder.json(&["recipe", "own.csv", "--json"]), book);
    assert_eq!(cached(), before);
    assert!(
        ecnas::files::is_same(&before[0], &folder.path("kept")),
        "it was made again"
    );
    // The same bytes twice are one table; other bytes of the same name are another.
    std::fs::create_dir(folder.path("more")).unwrap();
    std::fs::write(folder.path("more/own.csv"), text.replace(",2,", ",3,")).unwrap();
    let both = folder.json(&["front", "own.csv", "more/own.csv", "own.csv", "--json"]);
    let names: Vec<_> = both
        .as_array()
        .unwrap()
        .iter()
        .map(|one| &one["table"])
        .collect();
    assert_eq!(names, ["own", "own-2"]);
    let csv = folder.print(&["front", "own.csv", "more/own.csv", "--csv"]);
    assert_eq!(
        csv.lines()
            .filter(|line| line.starts_with("own-2,4,"))
            .count(),
        2
    );
}

#[test]
fn a_cache_that_cannot_be_written_is_done_without() {
    let folder = Folder::new();
    std::fs::write(folder.path("cache"), "a file, no folder").unwrap();
    let text = format!(
        "hash,energy_kwh,validation_accuracy,budget\n{},2,0.9,4\n",
        hash(DEEP)
    );
    std::fs::write(folder.path("own.csv"), text).unwrap();
    let run = folder.run(&["front", "own.csv"]);
    assert_eq!(run.code, 0);
    assert!(
        run.err.starts_with("note: cannot write the cache folder"),
        "{}",
        run.err
    );
    assert!(run.out.contains(&hash(DEEP)));
}

/// A copy is verified as a whole, a map is not: damage in records that nothing reads tells them apart.
#[test]
fn snapshots_are_mapped_or_copied_as_asked() {
    let folder = Folder::new();
    let small = folder.small(1);
    let mut bytes = std::fs::read(folder.path(small)).unwrap();
    let record = 160;
    bytes[record] ^= 1;
    std::fs::write(folder.path("damaged.ecnas"), bytes).unwrap();
    let run = |mapping: &str, name: &str| {
        let mut command = folder.command(env!("CARGO_BIN_EXE_ecnas"));
        command.env("ECNAS_MAP", mapping).args(["info", name]);
        Run::from(command.output().unwrap())
    };
    for mapping in ["", "automatic", "always"] {
        let whole = run(mapping, small);
        assert_eq!(whole.code, 0, "{mapping}: {}", whole.err);
        let quick = run(mapping, "damaged.ecnas");
        assert_eq!(quick.code, 0, "{mapping}: {}", quick.err);
    }
    assert_eq!(run("never", small).code, 0);
    let copied = run("never", "damaged.ecnas");
    assert_eq!(copied.code, 1);
    assert!(copied.err.contains("checksum"), "{}", copied.err);
    let nonsense = run("sometimes", small);
    assert_eq!(nonsense.code, 2);
    assert!(
        nonsense
            .err
            .contains("ECNAS_MAP: expected `automatic`, `always` or `never`, found `sometimes`")
    );
}

#[test]
fn a_closed_pipe_ends_quietly() {
    let folder = Folder::new();
    let small = folder.small(1);
    for words in [
        &["info", small][..],
        &["export", small, "-f", "json", "-o", "-"],
    ] {
        let mut command = folder.command(env!("CARGO_BIN_EXE_ecnas"));
        let mut child = command
            .args(words)
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap();
        drop(child.stdout.take());
        let output = child.wait_with_output().unwrap();
        assert_eq!(
            (output.status.code(), output.stderr.as_slice()),
            (Some(0), &b""[..])
        );
    }
}

#[cfg(unix)]
#[test]
fn an_interrupted_program_says_so_by_its_exit_code() {
    let folder = Folder::new();
    let mut text = "adjacency,operations,energy_kwh,budget,repeat\n".to_owned();
    for repeat in 1..=5000 {
        text += &format!("010001000,\"input,maxpool3x3,output\",{repeat},4,{repeat}\n");
    }
    std::fs::write(folder.path("many.csv"), text).unwrap();
    folder.print(&["import", "-s", "many.redb", "many.csv"]);
    folder.print(&["seal", "-s", "many.redb", "-o", "many.ecnas"]);
    // More than a pipe and a buffer hold: it is at work until somebody reads.
    let mut child = folder
        .command(env!("CARGO_BIN_EXE_ecnas"))
        .args(["export", "many.ecnas", "-f", "json", "-o", "-"])
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    std::io::Read::read_exact(child.stdout.as_mut().unwrap(), &mut [0; 1]).unwrap();
    let status = loop {
        let mut kill = folder.command("kill");
        kill.args(["-INT", &child.id().to_string()])
            .status()
            .unwrap();
        if let Some(status) = child.try_wait().unwrap() {
            break status;
        }
        std::thread::sleep(std::time::Duration::from_millis(20));
    };
    assert_eq!(status.code(), Some(130));
}

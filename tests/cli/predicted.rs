//! What needs no file: the recipe book of the search space, predictions, pictures.

use std::path::Path;
use std::sync::OnceLock;

use ecnas::benchmark::TABLE;
use ecnas::cell::Cell;
use ecnas::metrics::{Budget, Checkpoint, Metric, Trial};
use serde_json::{Value, json};

use crate::common::data;
use crate::program::{DEEP, FLAT, Folder, Run, hash};

/// A cell that the space does not hold: ten edges.
const TOO_MANY_EDGES: &str =
    "0111100111000110000100000:input,conv3x3-bn-relu,conv3x3-bn-relu,conv3x3-bn-relu,output";

/// A folder whose cache holds the default benchmark, built once for all tests.
pub fn built() -> &'static Folder {
    static BUILT: OnceLock<Folder> = OnceLock::new();
    BUILT.get_or_init(|| {
        let folder = Folder::new();
        let run = folder.run(&[]);
        assert_eq!((run.code, run.err.as_str()), (0, ""));
        assert!(
            run.out.contains("all predicted: none was trained"),
            "{}",
            run.out
        );
        folder
    })
}

/// Runs in a folder with its own cache, and gives the one line of standard error.
fn line(run: &Run) -> &str {
    assert_eq!(run.err.lines().count(), 1, "{}", run.err);
    run.err.trim_end()
}

#[test]
fn the_recipe_book_says_that_it_is_predicted() {
    let folder = built();
    let text = folder.print(&[]);
    for part in [
        "423,624 cells, all predicted: none was trained",
        "Energy predicted by ecnas surrogate 1, validation accuracy predicted by ecnas surrogate 1.",
        "what a Dane uses in 4",
        "Best saving: 7",
    ] {
        assert!(text.contains(part), "{part}\n{text}");
    }
    let usual = folder.json(&["recipe", "--json"]);
    let cautious = folder.json(&["recipe", "--json", "--cautious"]);
    let saving = |book: &Value| book["recipes"][0]["saving_fraction"].as_f64().unwrap();
    assert!(saving(&cautious) < saving(&usual) && saving(&cautious) > 0.5);
    assert!(cautious["found"].as_u64() < usual["found"].as_u64());
    let danish = folder.json(&["recipe", "--json", "-n", "1", "--intensity", "Denmark"]);
    assert_eq!(danish["intensity_g_per_kwh"], 149.7);
    assert!(
        danish["intensity_source"]
            .as_str()
            .unwrap()
            .contains("2021")
    );
    assert_eq!(folder.run(&["recipe", "--intensity", "Atlantis"]).code, 2);

    let front = folder.json(&["front", "--json"]);
    let cautious = folder.json(&["front", "--json", "--cautious"]);
    assert_eq!(
        (&front["cautious"], &cautious["cautious"]),
        (&false.into(), &true.into())
    );
    assert_ne!(front["front"], cautious["front"]);
    let count = folder.print(&["range", "-w", "energy_kwh=measured", "--count"]);
    assert_eq!(count.trim(), "0");
}

#[test]
fn every_command_knows_the_default_benchmark() {
    let folder = built();
    let info = folder.json(&["info", "--json"]);
    assert_eq!(info["tables"][0]["table"], TABLE);
    assert_eq!(info["tables"][0]["rows"], 423_624);
    let get = folder.json(&["get", DEEP, "--json"]);
    assert_eq!(get["hash"], hash(DEEP));
    assert_eq!(
        get["rows"][0]["provenance"]["energy_kwh"],
        "predicted by ecnas surrogate 1"
    );
    assert_eq!(folder.json(&["verify", "--json"])["valid"], true);
    let nowhere = "00000000000000000000000000000000";
    let (code, error) = folder.fail(&["get", nowhere]);
    assert_eq!(code, 3);
    assert!(
        error.contains(nowhere) && error.contains("holds this cell at no budget"),
        "{error}"
    );
    let (code, error) = folder.fail(&["get", DEEP, "--budget", "5"]);
    assert_eq!(code, 3);
    assert!(error.contains('5'), "{error}");
    folder.print(&["export", "--format", "csv", "-o", "all.csv"]);
    let csv = std::fs::read_to_string(folder.path("all.csv")).unwrap();
    let mut lines = csv.lines().skip_while(|line| line.starts_with('#'));
    assert!(lines.next().unwrap().ends_with(",is_estimate"));
    assert!(lines.next().unwrap().ends_with(",1.0"));
    assert_eq!(lines.count(), 4 * 423_624 - 1);
    let run = folder.run(&["export", "--format", "tfrecord", "-o", "all.tfrecord"]);
    assert_eq!(run.code, 0);
    assert!(line(&run).starts_with("note: ") && run.err.contains("--provenance"));
}

#[test]
fn predict_takes_hashes_drawings_and_files() {
    let folder = built();
    let own = hash(DEEP);
    let by_drawing = folder.json(&["predict", DEEP, "--json"]);
    assert_eq!(by_drawing, folder.json(&["predict", &own, "--json"]));
    assert_eq!(by_drawing["provenance"], "predicted by ecnas surrogate 1");
    let rows = by_drawing["predictions"].as_array().unwrap();
    let epochs: Vec<_> = rows
        .iter()
        .map(|row| row["budget_epochs"].as_u64().unwrap())
        .collect();
    assert_eq!(epochs, [4, 12, 36, 108]);
    for row in rows {
        for quantity in [
            "energy_kwh",
            "training_time_s",
            "tpu_training_time_s",
            "validation_accuracy",
        ] {
            let at = |name: String| row[name].as_f64().unwrap();
            let [low, value, high] =
                ["low_", "", "high_"].map(|end| at(format!("{end}{quantity}")));
            assert!(0.0 < low && low < value && value < high, "{row}");
        }
    }
    std::fs::write(
        folder.path("hashes.csv"),
        format!("module_hash,x\n{own},1\n{own},2\n"),
    )
    .unwrap();
    let csv = folder.print(&["predict", "--file", "hashes.csv", "--csv", "-b", "108"]);
    assert_eq!(csv.lines().count(), 3);
    let (adjacency, operations) = DEEP.split_once(':').unwrap();
    std::fs::write(
        folder.path("drawings.csv"),
        format!("adjacency,operations\n{adjacency},\"{operations}\"\n"),
    )
    .unwrap();
    let drawn = folder.print(&["predict", "--file", "drawings.csv", "--csv", "-b", "108"]);
    assert_eq!(drawn.lines().nth(1), csv.lines().nth(1));
    assert!(
        folder
            .print(&["predict", DEEP])
            .contains("All of it is predicted by ecnas surrogate 1")
    );

    assert_eq!(folder.run(&["predict"]).code, 2);
    let (code, error) = folder.fail(&["predict", "00000000000000000000000000000000"]);
    assert_eq!(code, 3);
    assert!(
        error.contains("no cell of up to 7 vertices and 9 edges"),
        "{error}"
    );
    let run = folder.run(&["predict", TOO_MANY_EDGES]);
    assert!(run.code == 2 && run.err.contains("edges"), "{}", run.err);
    let (code, error) = folder.fail(&["predict", DEEP, "-b", "5"]);
    assert_eq!(code, 3);
    assert!(error.contains("108"), "{error}");
    std::fs::write(folder.path("bad.csv"), "hash\nzz\n").unwrap();
    let (code, error) = folder.fail(&["predict", "-f", "bad.csv"]);
    assert!(
        code == 1 && error.contains("bad.csv") && error.contains("record 1"),
        "{error}"
    );
    std::fs::write(folder.path("no.csv"), "a,b\n1,2\n").unwrap();
    assert!(
        folder
            .fail(&["predict", "-f", "no.csv"])
            .1
            .contains("module_hash")
    );
}

#[test]
fn a_device_is_learned_from_its_measurements() {
    let Some(measured) = data("ec-nas/energy_4V9E_rtx3090.tfrecord") else {
        return;
    };
    let folder = built();
    let words = ["predict", DEEP, "--device", measured.to_str().unwrap()];
    let json = folder.json(&[words.as_slice(), &["--json"]].concat());
    assert_eq!(json["device"]["name"], "energy_4V9E_rtx3090");
    assert_eq!(json["device"]["budget_epochs"], 4);
    let row = &json["predictions"][0];
    let at = |name: &str| row[name].as_f64().unwrap();
    assert!(
        at("low_device_energy_kwh") < at("device_energy_kwh"),
        "{row}"
    );
    assert_ne!(at("device_energy_kwh"), at("energy_kwh"));
    let text = folder.print(&words);
    assert!(text.contains("where a cell was left out"), "{text}");
    std::fs::write(
        folder.path("few.csv"),
        format!("module_hash,adjacency,operations,budget_epochs,energy_kwh\n{},0100,\"input,output\",4,0.01\n", hash("0100:input,output")),
    )
    .unwrap();
    let (code, error) = folder.fail(&["predict", DEEP, "--device", "few.csv"]);
    assert!(
        code == 1 && error.contains('8') && error.contains("few"),
        "{error}"
    );
    assert_eq!(
        folder.fail(&["predict", DEEP, "--device", "absent.csv"]).0,
        1
    );
}

#[test]
fn pictures_are_drawn_in_both_formats() {
    let folder = built();
    folder.print(&["plot", "-o", "a.svg", "-o", "a.png"]);
    folder.print(&["plot", "-o", "cautious.svg", "--cautious"]);
    folder.print(&["recipe", "--plot", "b.svg"]);
    let svg = std::fs::read_to_string(folder.path("a.svg")).unwrap();
    for text in [
        "423,624 cells",
        "predicted by ecnas surrogate 1",
        "training energy, kWh (logarithmic)",
        "usual choice: the reference",
        "good trade-off",
        "knee",
        "best recipe: 7",
    ] {
        assert!(svg.contains(text), "{text}");
    }
    assert_eq!(svg, std::fs::read_to_string(folder.path("b.svg")).unwrap());
    let cautious = std::fs::read_to_string(folder.path("cautious.svg")).unwrap();
    assert!(cautious.contains("worse ends of their intervals"));
    let png = std::fs::read(folder.path("a.png")).unwrap();
    assert!(png.starts_with(b"\x89PNG\r\n\x1a\n"));
    // Width and height, and not one colour only: it compresses to more than a blank page would.
    assert_eq!(&png[16..24], [0, 0, 4, 176, 0, 0, 3, 32]);
    assert!(png.len() > 50_000, "{}", png.len());
    let (code, error) = folder.fail(&["plot", "-o", "a.jpg"]);
    assert!(code == 1 && error.contains(".svg or .png"), "{error}");
    assert_ne!(folder.run(&["plot", "-o", "no/such/folder/a.svg"]).code, 0);
}

#[test]
fn a_cache_that_is_damaged_or_cannot_be_written_does_no_harm() {
    let whole = built();
    let name = |folder: &Path| {
        let entries = std::fs::read_dir(folder).unwrap();
        let mut names = entries.map(|entry| entry.unwrap().file_name().into_string().unwrap());
        names.find(|name| name.ends_with(".ecnas")).unwrap()
    };
    let name = name(&whole.path("cache"));
    let bytes = std::fs::read(whole.path("cache").join(&name)).unwrap();
    let expected = whole.print(&["recipe", "-n", "3"]);

    // Half of it, as after a copy that was interrupted; and what a killed builder leaves.
    let folder = Folder::new();
    std::fs::create_dir(folder.path("cache")).unwrap();
    let path = folder.path("cache").join(&name);
    std::fs::write(&path, &bytes[..bytes.len() / 2]).unwrap();
    let left = folder.path("cache").join(format!("{name}.making-left"));
    std::fs::create_dir(&left).unwrap();
    std::fs::write(left.join("part"), b"left").unwrap();
    assert_eq!(folder.print(&["recipe", "-n", "3"]), expected);
    assert_eq!(std::fs::read(&path).unwrap().len(), bytes.len());
    assert!(!left.exists());

    // A file in the place of the folder.
    let folder = Folder::new();
    std::fs::write(folder.path("cache"), b"a file").unwrap();
    let run = folder.run(&["recipe", "-n", "3"]);
    assert_eq!((run.code, run.out.as_str()), (0, expected.as_str()));
    assert!(
        line(&run).starts_with("note: cannot write the cache folder"),
        "{}",
        run.err
    );
}

#[test]
fn accuracies_are_taken_from_a_nas_bench_101_file() {
    let folder = Folder::new();
    // As NAS-Bench-101 writes it: accuracy and time at half and at the end, no energy.
    let trials = [DEEP, FLAT]
        .into_iter()
        .zip([0.91, 0.87])
        .flat_map(|(cell, accuracy)| {
            [1, 2, 3].map(|repeat| {
                let cell: Cell = cell.parse().unwrap();
                let mut trial = Trial::new(cell.hash(), Budget::epochs(108).unwrap(), repeat);
                trial.cell = Some(cell);
                for (epoch, part) in [(54.0, 0.5), (108.0, 1.0)] {
                    let mut checkpoint = Checkpoint::default();
                    checkpoint.values.set(Metric::Epoch, epoch);
                    checkpoint.values.set(Metric::TrainingTime, 1000.0 * part);
                    checkpoint
                        .values
                        .set(Metric::ValidationAccuracy, accuracy * part);
                    trial.checkpoints.push(checkpoint);
                }
                let parameters = cell.trainable_parameters() as f64;
                trial.totals.set(Metric::TrainableParameters, parameters);
                Ok::<_, std::io::Error>(trial)
            })
        });
    let file = std::fs::File::create(folder.path("nasbench.tfrecord")).unwrap();
    ecnas::import::tfrecord::write_tfrecord(trials, file).unwrap();
    let said = folder.print(&[
        "build",
        "-o",
        "nas.ecnas",
        "--accuracy",
        "nasbench.tfrecord",
    ]);
    assert!(said.contains("6 trials"), "{said}");
    let row = folder.json(&["get", "nas.ecnas", DEEP, "-b", "108", "--json"]);
    let row = &row["rows"][0];
    assert_eq!(row["validation_accuracy"], 0.91);
    assert_eq!(row["training_time_s"], 1000.0);
    assert_eq!(
        row["provenance"]["energy_kwh"],
        "predicted by ecnas surrogate 1"
    );
    assert_ne!(
        row["provenance"]["validation_accuracy"],
        "predicted by ecnas surrogate 1"
    );
    assert!(row["energy_kwh"].as_f64() > Some(0.0));
    // Of the others the energy alone is known: nothing is made up.
    let book = folder.json(&["recipe", "nas.ecnas", "--json", "--tolerance", "0.05"]);
    assert_eq!(
        (&book["compared"], &book["reference"]["hash"]),
        (&2.into(), &hash(DEEP).into())
    );
    assert_eq!(book["recipes"][0]["hash"], hash(FLAT));
    for words in [
        ["build", "-o", "x.ecnas", "--accuracy", "absent.tfrecord"],
        [
            "build",
            "-o",
            "no/x.ecnas",
            "--accuracy",
            "nasbench.tfrecord",
        ],
    ] {
        assert_eq!(folder.fail(&words).0, 1);
    }
}

#[test]
fn measured_trials_are_laid_over_predictions() {
    let Some(measured) = data("ec-nas/energy_4V9E_4epochs.tfrecord") else {
        return;
    };
    let folder = Folder::new();
    let measured = measured.to_str().unwrap();
    let built = folder.run(&["build", "-o", "mixed.ecnas", "--overlay", measured]);
    assert_eq!(built.code, 0, "{}", built.err);
    let front = folder.json(&["front", "mixed.ecnas", "--json"]);
    let energy = &front["provenance"]["energy_kwh"];
    assert_eq!(energy["predicted by ecnas surrogate 1"], 423_624 - 91);
    assert_eq!(
        energy["scaled"].as_u64().or(energy["measured"].as_u64()),
        Some(91)
    );
    let estimated = |row: &Value| {
        let list = row["estimated"].as_array().unwrap();
        list.iter().any(|name| name == "energy_kwh")
    };
    let row = folder.json(&["get", "mixed.ecnas", DEEP, "-b", "108", "--json"]);
    assert!(!estimated(&row["rows"][0]), "{row}");
    assert!(row["rows"][0]["high_energy_kwh"].is_null(), "{row}");
    assert!(front["front"].as_array().unwrap().iter().any(estimated));
    let text = folder.print(&["front", "mixed.ecnas"]);
    assert!(
        text.contains("~ marks what is predicted") && text.contains(" ~0."),
        "{text}"
    );
    let measured = folder.print(&[
        "range",
        "mixed.ecnas",
        "-b",
        "4",
        "-w",
        "energy_kwh=measured",
        "--count",
    ]);
    assert_eq!(measured.trim(), "91");
}

/// Energies that contain a PUE, laid over predictions that state none: a saving across the two would be that of the PUE too.
#[test]
fn a_recipe_across_two_scales_is_refused_with_the_reason() {
    let Some(measured) = data("ec-nas/energy_5V9E_4epochs.tfrecord") else {
        return;
    };
    let folder = Folder::new();
    let measured = measured.to_str().unwrap();
    let run = folder.run(&["build", "-o", "mixed.ecnas", "--overlay", measured]);
    assert_eq!(run.code, 0);
    assert!(line(&run).contains("two scales of energy"), "{}", run.err);
    let scales = "trials (Quadro RTX 6000, PUE 1.59, CIFAR-10), estimates (Quadro RTX 6000, PUE not stated, CIFAR-10)";
    for words in [
        &["recipe", "mixed.ecnas", "-b", "4"][..],
        &["plot", "mixed.ecnas", "-b", "4"],
    ] {
        let (code, error) = folder.fail(words);
        assert_eq!(code, 2, "{error}");
        for part in ["two scales", scales, "--scale trials, or --scale estimates"] {
            assert!(error.contains(part), "{part}\n{error}");
        }
    }
    // Each on its own scale: as the measured file alone, and as the predictions alone.
    let saving = |words: &[&str]| {
        let book = folder.json(&[&["recipe", "-b", "4", "--json"], words].concat());
        let best = book["recipes"][0]["saving_fraction"].as_f64();
        let compared = book["compared"].as_u64();
        (
            best,
            compared,
            book["contained_pue"].clone(),
            book["reference"]["hash"].clone(),
        )
    };
    let trials = saving(&["mixed.ecnas", "--scale", "trials"]);
    let estimates = saving(&["mixed.ecnas", "--scale", "estimates"]);
    assert_eq!(trials, saving(&[measured]));
    assert_eq!(trials.2, 1.59);
    assert_eq!(estimates.1, Some(423_624 - 2_532));
    assert!(estimates.2.is_null());
    println!(
        "saved: {:?} measured, {:?} predicted",
        trials.0, estimates.0
    );
    let text = folder.print(&["recipe", "mixed.ecnas", "-b", "36"]);
    assert!(!text.contains("Two scales"), "predictions alone\n{text}");
    folder.print(&["plot", "mixed.ecnas", "-b", "4", "--scale", "trials"]);
    let text = folder.print(&["recipe", "mixed.ecnas", "-b", "4", "--scale", "trials"]);
    assert!(
        text.contains("\nEnergy measured, validation accuracy measured.\n"),
        "{text}"
    );
    // So is a front; without a choice it has both, and says that they cannot be compared.
    let front = |words: &[&str]| {
        let front = folder.json(&[&["front", "-b", "4", "--json"], words].concat());
        let hashes = front["front"].as_array().unwrap().iter();
        let hashes: Vec<String> = hashes.map(|row| row["hash"].to_string()).collect();
        (hashes, front["two_scales"].clone())
    };
    let alone = front(&[measured]);
    let trials = front(&["mixed.ecnas", "--scale", "trials"]);
    assert_eq!((&trials.0, trials.1), (&alone.0, json!(["energy_kwh"])));
    assert_eq!(alone.1, json!([]));
    assert_ne!(front(&["mixed.ecnas"]).0, alone.0);
    // A choice that a table has no values for is no choice.
    for words in [
        &["recipe", measured, "--scale", "estimates"][..],
        &["plot", "--scale", "trials"],
    ] {
        let (code, line) = folder.fail(words);
        assert!(code == 2 && line.contains("leave --scale out"), "{line}");
    }
    let text = folder.print(&["front", "mixed.ecnas", "-b", "4"]);
    let said = "Two scales, not to be compared, in training_time_s";
    assert!(!text.contains(said), "seconds of one device\n{text}");
    assert!(
        text.contains("Two scales, not to be compared, in energy_kwh: trials"),
        "{text}"
    );
    let info = folder.json(&["info", "mixed.ecnas", "--json"]);
    let table = &info["tables"][0];
    assert_eq!(
        (&table["device"], &table["pue"]),
        (&"Quadro RTX 6000".into(), &1.59.into())
    );
    assert_eq!(table["estimates"]["device"], "Quadro RTX 6000");
    assert!(table["estimates"]["pue"].is_null(), "{table}");
    let text = folder.print(&["info", "mixed.ecnas"]);
    let said = "estimates for Quadro RTX 6000, PUE not stated, CIFAR-10";
    assert!(
        text.contains(said) && text.contains("PUE           1.59"),
        "{text}"
    );
}

/// Intervals are never said to hold all cells there are.
#[test]
fn intervals_say_of_which_training_runs_they_speak() {
    let folder = built();
    for words in [
        &["predict", DEEP][..],
        &["get", DEEP],
        &["info"],
        &["recipe", "--cautious"],
        &["front", "--cautious"],
    ] {
        let text = folder.print(words);
        assert!(text.contains("training runs like those that"), "{text}");
        assert!(
            text.replace('\n', " ")
                .contains("trained or metered otherwise lie elsewhere"),
            "{text}"
        );
    }
}

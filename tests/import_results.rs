//! Results trees, as the training harness writes them.
//! Expected values were computed from the files by an independent reader in Python.
#![cfg(feature = "import")]

mod common;

use std::fs;
use std::path::{Path, PathBuf};

use ecnas::import::results::read_graphs;
use ecnas::import::{Fault, Format, Import, ImportError, ImportOptions, Imported, NotASource};
use ecnas::metrics::{Metric, Provenance, Trial};

const HASH: &str = "b12a7b8c9330fbdcd133dbce1a2d69d2";

fn read(path: &Path) -> Result<(Vec<Trial>, Imported), ImportError> {
    let mut import = Import::open(path, &ImportOptions::default())?;
    assert_eq!(import.format(), Format::ResultsTree);
    let mut trials = Vec::new();
    for batch in import.by_ref() {
        trials.extend(batch?);
    }
    Ok((trials, import.finish()?))
}

#[test]
fn the_whole_tree_is_read() {
    let Some(path) = common::data("ec-nas/results") else {
        return;
    };
    let (trials, imported) = read(&path).unwrap();
    assert_eq!(trials.len(), 2100);
    let sum = |metric| -> f64 { trials.iter().map(|t| t.result(metric).unwrap()).sum() };
    assert!((sum(Metric::TotalEnergy) - 1013.010118).abs() < 1e-9);
    assert!((sum(Metric::Energy) - 1000.448999).abs() < 1e-9);
    let source = &imported.info.sources[0];
    assert_eq!((source.bytes, source.trials), (4_001_698, 2100));
    let digest: String = source.sha256.iter().map(|b| format!("{b:02x}")).collect();
    assert_eq!(
        digest,
        "f33180faceae489fcff8dee5205d77ba749de00698d032e5932f1ec05141df5c"
    );
    assert_eq!(source.name, "results");
    assert_eq!(imported.notes, []);
    assert_eq!(
        imported.info.provenance.of(Metric::Energy),
        Provenance::Measured
    );

    let ends = |t: &Trial| (t.hash.to_string(), t.repeat);
    assert_eq!(
        ends(&trials[0]),
        ("007ad06305fb03005ee8db9bd3760d40".to_owned(), 1)
    );
    assert_eq!(
        ends(&trials[2099]),
        ("ffc6db829d9e764bd1a9d177391e76d4".to_owned(), 3)
    );
    for trial in &trials {
        let cell = trial.cell.unwrap();
        assert_eq!(cell.hash(), trial.hash);
        let parameters = Some(cell.trainable_parameters() as f64);
        assert_eq!(trial.totals.get(Metric::TrainableParameters), parameters);
    }
}

#[test]
fn every_field_of_a_run_is_there() {
    let Some(path) = common::data("ec-nas/results/5V9E/108_epochs") else {
        return;
    };
    let (trials, _) = read(&path).unwrap();
    let mut trials = trials.iter();
    let trial = trials
        .find(|t| t.hash.to_string() == HASH && t.repeat == 2)
        .unwrap();
    assert_eq!(trial.totals.get(Metric::TotalTime), Some(3408.507312297821));
    assert_eq!(trial.totals.get(Metric::TotalCo2e), Some(47.772144));
    assert_eq!(trial.totals.get(Metric::TotalCarbonIntensity), Some(83.75));
    assert_eq!(trial.started.as_deref(), Some("2022-05-24 17:40:24"));
    let last = [
        (Metric::Energy, 0.563738),
        (Metric::Co2e, 47.174632),
        (Metric::TrainingTime, 3320.6171875),
        (Metric::TrainAccuracy, 1.0),
        (Metric::ValidationAccuracy, 0.8793069124221802),
        (Metric::TestAccuracy, 0.8694911599159241),
        (Metric::CarbonIntensity, 83.75),
        (Metric::PredictedEnergy, 0.60465),
        (Metric::PredictedCo2e, 51.619835),
        (Metric::PredictedTrainingTime, 4697.0),
        (Metric::PredictedCarbonIntensity, 85.37),
        (Metric::TrainingSteps, 16875.0),
        (Metric::EvaluationTime, 2.8663363456726074),
        (Metric::Epoch, 108.0),
    ];
    assert_eq!(trial.checkpoints[2].values, last.into_iter().collect());
    let power: Vec<_> = trial
        .power
        .iter()
        .map(|p| (p.device.as_deref(), p.power_w))
        .collect();
    assert_eq!(
        power,
        [
            (Some("Quadro RTX 6000"), Some(253.06716129)),
            (Some("cpu:0"), Some(60.2293632)),
            (Some(" cpu:1"), Some(65.61125803)),
        ]
    );
    assert!(trial.unrecognised.is_empty());
}

#[test]
fn generated_graphs_are_read() {
    for (name, count) in [("4V9E", 91), ("5V9E", 2532)] {
        let Some(path) = common::data(&format!("ec-nas/generated_graphs_{name}.json")) else {
            return;
        };
        assert_eq!(read_graphs(&path).unwrap().len(), count);
    }
}

/// A tree of one run, without generated graphs beside it.
fn tree(space: &str, hash: &str, json: &str) -> (tempfile::TempDir, PathBuf) {
    let dir = tempfile::tempdir().unwrap();
    let run = dir
        .path()
        .join(format!("{space}/4_epochs/{}/{hash}/repeat_1", &hash[..2]));
    fs::create_dir_all(&run).unwrap();
    let file = run.join("results.json");
    fs::write(&file, json).unwrap();
    (dir, file)
}

const RUN: &str = r#"{"total_energy (kWh)": 0.5, "lab": {"room": 7},
    "evaluation_results": [{"epochs": 4.0, "energy (kWh)": 0.25, "loss": 1.5}]}"#;

#[test]
fn graphs_are_enumerated_if_there_are_none() {
    let (dir, _) = tree("5V9E", HASH, RUN);
    let (trials, imported) = read(dir.path()).unwrap();
    let [trial] = trials.as_slice() else { panic!() };
    assert_eq!(trial.cell.unwrap().hash().to_string(), HASH);
    assert_eq!(trial.result(Metric::Energy), Some(0.25));
    // The sample's file says 3667594 for this cell.
    assert_eq!(
        trial.totals.get(Metric::TrainableParameters),
        Some(3667594.0)
    );
    let kept = [
        ("evaluation_results[0].loss".to_owned(), "1.5".to_owned()),
        ("lab".to_owned(), r#"{"room":7}"#.to_owned()),
    ];
    assert_eq!(trial.unrecognised, kept);
    assert_eq!(imported.notes.len(), 1);
    assert!(
        imported.notes[0]
            .to_string()
            .contains("evaluation_results[0].loss")
    );
}

fn fault(path: &Path) -> (Fault, String) {
    let error = read(path).unwrap_err();
    (
        error.fault().unwrap_or_else(|| panic!("{error}")).clone(),
        error.to_string(),
    )
}

#[test]
fn a_hash_without_a_graph_is_named() {
    let hash = "00000000000000000000000000000000";
    let (dir, _) = tree("4V9E", hash, RUN);
    let (fault, text) = fault(dir.path());
    assert!(matches!(fault, Fault::UnknownHash { vertices: 4, .. }));
    assert!(
        text.contains(hash) && text.contains("results.json: record 1"),
        "{text}"
    );
}

#[test]
fn broken_runs_are_refused() {
    let (dir, file) = tree("5V9E", HASH, "");
    let check = |json: &str, expected: fn(&Fault) -> bool, says: &str| {
        fs::write(&file, json).unwrap();
        let (fault, text) = fault(dir.path());
        assert!(expected(&fault), "{json}: {fault:?}");
        assert!(
            text.contains("results.json: record 1") && text.contains(says),
            "{text}"
        );
    };
    check("", |f| matches!(f, Fault::Json { .. }), "byte 0");
    check(
        "{\"total_time\":\n1",
        |f| matches!(f, Fault::Json { .. }),
        "line 2, byte 15",
    );
    check("[]", |f| matches!(f, Fault::Value { .. }), "an object");
    check(
        "{}",
        |f| matches!(f, Fault::NoEvaluations),
        "did not finish",
    );
    let value: fn(&Fault) -> bool = |f| matches!(f, Fault::Value { .. });
    check(
        &RUN.replace("0.25", "-1"),
        value,
        "evaluation_results[0].energy (kWh)",
    );
    check(&RUN.replace("0.25", "\"much\""), value, "a number");
    check(
        &RUN.replace("0.25", "1e999"),
        |f| matches!(f, Fault::Json { .. }),
        "out of range",
    );
    let unfinished: fn(&Fault) -> bool = |f| matches!(f, Fault::Unfinished { .. });
    check(&RUN.replace("4.0", "2.0"), unfinished, "epoch 2");
    check(
        &RUN.replace("\"epochs\"", "\"x\""),
        |f| matches!(f, Fault::Missing { .. }),
        "epochs",
    );
}

#[test]
fn a_file_in_the_wrong_place_is_refused() {
    let (dir, file) = tree("5V9E", HASH, RUN);
    let wrong = dir.path().join("5V9E/4_epochs/00");
    fs::create_dir_all(&wrong).unwrap();
    fs::rename(file, wrong.join("results.json")).unwrap();
    assert_eq!(fault(dir.path()).0, Fault::Path);
}

#[test]
fn the_same_run_twice_names_both() {
    let (dir, file) = tree("5V9E", HASH, RUN);
    let other = dir.path().join(format!("7V9E/4_epochs/b1/{HASH}/repeat_1"));
    fs::create_dir_all(&other).unwrap();
    fs::copy(&file, other.join("results.json")).unwrap();
    let (fault, text) = fault(dir.path());
    assert!(matches!(fault, Fault::Duplicate { repeat: 1, .. }));
    assert!(text.contains("5V9E/") && text.contains("7V9E/"), "{text}");
}

#[test]
fn a_folder_without_results_is_refused() {
    let dir = tempfile::tempdir().unwrap();
    let error = read(dir.path()).unwrap_err();
    let ImportError::NotASource { reason, .. } = &error else {
        panic!("{error}")
    };
    assert_eq!(*reason, NotASource::NoResults);
    assert!(error.to_string().contains(dir.path().to_str().unwrap()));
}

#[test]
fn stated_graphs_must_fit() {
    let (dir, _) = tree("5V9E", HASH, RUN);
    let graphs = dir.path().join("mine.json");
    let check = |json: &str, expected: fn(&Fault) -> bool| {
        fs::write(&graphs, json).unwrap();
        let error = read_graphs(&graphs).unwrap_err();
        assert!(expected(error.fault().unwrap()), "{error}");
        assert!(error.to_string().contains("mine.json"), "{error}");
    };
    check(
        &format!(r#"{{"{HASH}": [[[0, 1], [0, 0]], [-1, -2]]}}"#),
        |f| matches!(f, Fault::HashMismatch { .. }),
    );
    check(
        &format!(r#"{{"{HASH}": [[[0, 1], [0, 0]], [-1, 7]]}}"#),
        |f| matches!(f, Fault::Cell(_)),
    );
    check(r#"{"x": [[[0, 1], [0, 0]], [-1, -2]]}"#, |f| {
        matches!(f, Fault::Hash(_))
    });
    check(r#"{"x": [1, 2"#, |f| matches!(f, Fault::Json { .. }));
}

/// Makes a symbolic link from `link` to `to`.
#[cfg(unix)]
fn link(to: impl AsRef<Path>, link: impl AsRef<Path>) {
    std::os::unix::fs::symlink(to, link).unwrap();
}

#[cfg(unix)]
#[test]
fn folders_behind_symbolic_links_are_read() {
    let (elsewhere, _) = tree("5V9E", HASH, RUN);
    let (whole, file) = tree("5V9E", HASH, RUN);
    let expected = read(whole.path()).unwrap();
    // Every folder on the way may be a link, and the file too.
    let mut folder = file.parent().unwrap();
    while folder != whole.path() {
        let dir = tempfile::tempdir().unwrap();
        let below = folder.strip_prefix(whole.path()).unwrap();
        let linked = dir.path().join(below);
        fs::create_dir_all(linked.parent().unwrap()).unwrap();
        link(elsewhere.path().join(below), &linked);
        assert_eq!(
            read(dir.path()).unwrap().0,
            expected.0,
            "{}",
            below.display()
        );
        let sha256 = expected.1.info.sources[0].sha256;
        assert_eq!(read(dir.path()).unwrap().1.info.sources[0].sha256, sha256);
        let go_on = |_| std::ops::ControlFlow::Continue(());
        let digest = ecnas::import::digest(dir.path(), &ImportOptions::default(), go_on);
        assert_eq!(digest.unwrap(), sha256);
        folder = folder.parent().unwrap();
    }
}

#[cfg(unix)]
#[test]
fn links_that_lead_in_circles_or_nowhere_are_refused() {
    for to in ["..", "../..", "loop"] {
        let (dir, _) = tree("5V9E", HASH, RUN);
        let path = dir.path().join("5V9E/4_epochs/loop");
        link(to, &path);
        let text = read(dir.path()).unwrap_err().to_string();
        assert!(text.contains("loop"), "{to}: {text}");
    }
    let (dir, _) = tree("5V9E", HASH, RUN);
    link("not-there", dir.path().join("5V9E/4_epochs/lost"));
    let text = read(dir.path()).unwrap_err().to_string();
    assert!(
        text.contains("lost") && text.contains("leads to nothing"),
        "{text}"
    );
}

#[test]
fn broken_graphs_that_nobody_named_are_left_out_with_a_note() {
    let (dir, _) = tree("5V9E", HASH, RUN);
    let graphs = dir.path().join("generated_graphs_5V9E.json");
    for (broken, says) in [
        ("{\"x\": [1, 2", "generated graphs"),
        (
            &*format!("{{\"{HASH}\": [[[0, 1], [0, 0]], [-1, -2]]}}"),
            "do not belong together",
        ),
        (
            &*format!("{{\"{}\": []}}", "x".repeat(100_000)),
            "at most 65536 bytes",
        ),
    ] {
        fs::write(&graphs, broken).unwrap();
        let (trials, imported) = read(&dir.path().join("5V9E/4_epochs")).unwrap();
        assert_eq!(trials[0].cell.unwrap().hash(), trials[0].hash);
        let notes: Vec<String> = imported.notes.iter().map(ToString::to_string).collect();
        let own = notes
            .iter()
            .find(|note| note.contains("generated_graphs_5V9E.json"));
        assert!(own.is_some_and(|note| note.contains(says)), "{notes:?}");
        // Where it is named, it must be in order.
        let mut options = ImportOptions::default();
        options.graphs = Some(graphs.clone());
        let import = Import::open(dir.path(), &options);
        assert!(import.and_then(Import::finish).is_err());
    }
}

#[test]
fn a_file_of_graphs_that_was_only_found_is_not_read_beyond_128_mib() {
    let (dir, _) = tree("5V9E", HASH, RUN);
    let graphs = fs::File::create(dir.path().join("generated_graphs.json")).unwrap();
    // Sparse: it takes no space.
    graphs.set_len(531 << 20).unwrap();
    let imported = read(dir.path()).unwrap().1;
    let notes: Vec<String> = imported.notes.iter().map(ToString::to_string).collect();
    assert!(
        notes.iter().any(|note| note.contains("at most 134217728")),
        "{notes:?}"
    );
}

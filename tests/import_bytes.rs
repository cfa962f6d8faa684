//! Reading from memory: what an import of the file gives.
//!
//! That errors are the same too is held by every input of `import_bad_input.rs` and `import_csv.rs`.
#![cfg(feature = "import")]

mod common;

use std::fs;

use ecnas::import::results::read_run;
use ecnas::import::{Fault, Import, ImportError, ImportOptions, read_bytes};

#[test]
fn released_files_are_the_same_from_memory() {
    for name in [
        "ec-nas/energy_4V9E_4epochs.tfrecord",
        "ec-nas/energy_4V9E_linscale.tfrecord",
        "ec-nas/energy_4V9E_quadrortx6000.tfrecord",
        "ec-nas/energy_4V9E_rtx3090.tfrecord",
        "ec-nas/energy_5V9E_4epochs.tfrecord",
        "ec-nas/energy_7V9E_4epochs_measured.csv",
        "nasbench101/validation_accuracy_sample.csv",
    ] {
        let Some(path) = common::data(name) else {
            continue;
        };
        let options = ImportOptions::default();
        let mut import = Import::open(&path, &options).unwrap();
        let trials: Vec<_> = import.by_ref().flat_map(|batch| batch.unwrap()).collect();
        let imported = import.finish().unwrap();
        let (own, of_all) = read_bytes(&path, &fs::read(&path).unwrap(), &options).unwrap();
        assert!(!trials.is_empty() && own == trials, "{name}");
        assert_eq!(of_all, imported, "{name}");
    }
}

#[test]
fn runs_are_the_same_from_memory() {
    let Some(folder) = common::data("ec-nas/results") else {
        return;
    };
    for batch in Import::open(&folder, &ImportOptions::default()).unwrap() {
        for trial in batch.unwrap() {
            let (hash, epochs) = (trial.hash.to_string(), trial.budget.get());
            let (head, repeat) = (&hash[..2], trial.repeat);
            let path = folder.join(format!(
                "5V9E/{epochs}_epochs/{head}/{hash}/repeat_{repeat}/results.json"
            ));
            let own = read_run(&path, trial.cell.unwrap(), &fs::read(&path).unwrap());
            assert_eq!(own.unwrap(), trial);
        }
    }
}

#[test]
fn a_run_is_read_with_its_path_and_its_graph() {
    let path = "4_epochs/b4/b49ac8c578b4561d79ac7087988f1c61/repeat_2/results.json";
    let cell = |operation: &str| {
        let operations = format!("input,{operation},output");
        ecnas::cell::Cell::from_bits("010001000", &operations).unwrap()
    };
    let own = cell("conv3x3-bn-relu");
    let json = br#"{"evaluation_results": [{"epochs": 4, "energy (kWh)": 0.25}]}"#;
    let trial = read_run(path.as_ref(), own, json).unwrap();
    assert_eq!(
        (trial.hash, trial.repeat, trial.cell),
        (own.hash(), 2, Some(own))
    );

    let fault = |outcome: Result<_, ImportError>| outcome.unwrap_err().fault().unwrap().clone();
    let elsewhere = read_run("results.json".as_ref(), own, json);
    assert_eq!(fault(elsewhere), Fault::Path);
    let of_another = read_run(path.as_ref(), cell("maxpool3x3"), json);
    assert!(matches!(fault(of_another), Fault::HashMismatch { .. }));
    let broken = read_run(path.as_ref(), own, b"{");
    assert!(matches!(fault(broken), Fault::Json { .. }));
}

//! TFRecord files: what is read, and that they are written again byte for byte.
//! Expected values were computed from the files by an independent reader in Python.
#![cfg(feature = "import")]

mod common;

use std::collections::HashMap;
use std::path::Path;

use ecnas::import::tfrecord::{decode_record, encode_record, write_tfrecord};
use ecnas::import::{Format, Import, ImportOptions, Imported};
use ecnas::metrics::{Component, Metric, Provenance, Trial};
use sha2::{Digest, Sha256};

const FILES: [(&str, u64, &str); 5] = [
    (
        "energy_4V9E_4epochs",
        1092,
        "eba6c177999103d7c938028e410836c1b62213a076b0e7436de85da8f81d974c",
    ),
    (
        "energy_4V9E_linscale",
        364,
        "e18becd6aac719a9af4c816940a6bf7bf5fb0a16870d531e78a27c1d8cf89010",
    ),
    (
        "energy_5V9E_4epochs",
        2532,
        "0be8df1e21dac4e7a927ee13823fb3f30fd900f8dee2a41f1572319e8af702cc",
    ),
    (
        "energy_4V9E_quadrortx6000",
        364,
        "b50e93e1ef94275ece211533fe954a7a6629157a4e94bb963f0e896d8bc7be09",
    ),
    (
        "energy_4V9E_rtx3090",
        364,
        "55a89f91f4906e8c3c2e2578e64b0a62133d25b2e2e8e00f30513c7623f0a2f6",
    ),
];

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

fn read(path: &Path) -> (Vec<Trial>, Imported, Format) {
    let mut import = Import::open(path, &ImportOptions::default()).unwrap();
    let format = import.format();
    let trials = import.by_ref().flat_map(|batch| batch.unwrap()).collect();
    (trials, import.finish().unwrap(), format)
}

fn released(name: &str) -> Option<(Vec<Trial>, Imported, Format)> {
    common::data(&format!("ec-nas/{name}.tfrecord")).map(|path| read(&path))
}

#[test]
fn released_files_are_written_again_byte_for_byte() {
    for (name, records, sha256) in FILES {
        let Some((trials, imported, format)) = released(name) else {
            return;
        };
        assert_eq!(format, Format::EcNasTfRecord);
        assert_eq!(trials.len() as u64, records, "{name}");
        let source = &imported.info.sources[0];
        assert_eq!(source.trials, records);
        assert_eq!(source.name, format!("{name}.tfrecord"));
        assert_eq!(hex(&source.sha256), sha256);
        assert_eq!(imported.notes, [], "{name}");
        assert!(trials.iter().all(|trial| trial.verbatim.is_none()));

        let mut bytes = Vec::new();
        let written = write_tfrecord(trials.into_iter().map(Ok::<_, std::fmt::Error>), &mut bytes);
        let written = written.unwrap();
        assert_eq!(
            (written.records, written.bytes),
            (records, bytes.len() as u64)
        );
        assert_eq!(source.bytes, written.bytes);
        assert_eq!(hex(&Sha256::digest(&bytes)), sha256, "{name}");
    }
}

/// The import itself refuses hashes that are not their graphs'; here the released numbers of parameters.
#[test]
fn hashes_and_parameters_are_the_graphs() {
    for (name, ..) in FILES {
        let Some((trials, ..)) = released(name) else {
            return;
        };
        for trial in trials {
            let cell = trial.cell.unwrap();
            assert_eq!(cell.hash(), trial.hash);
            let stated = trial.result(Metric::TrainableParameters);
            assert_eq!(stated, Some(cell.trainable_parameters() as f64));
            assert_eq!(trial.result(Metric::Macs), Some(cell.macs().total() as f64));
        }
    }
}

//! TFRecord files: what is read, and that they are written again byte for byte.
//! Expected values were computed from the files by an independent reader in Python.
#![cfg(feature = "import")]

mod common;

use std::path::Path;

use ecnas::cell::Cell;
use ecnas::import::tfrecord::{decode_record, encode_record, write_tfrecord};
use ecnas::import::{Format, Import, ImportOptions, Imported, Note};
use ecnas::metrics::{
    Budget, Checkpoint, Component, Metric, PowerUsage, Provenance, Trial, Values,
};
use proptest::prelude::*;
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

fn sum(trials: &[Trial], metric: Metric) -> f64 {
    trials
        .iter()
        .map(|trial| trial.result(metric).unwrap())
        .sum()
}

#[test]
fn sums_over_the_files_are_right() {
    // Energy at the last checkpoint, total energy, validation accuracy, trainable parameters.
    let expected = [
        (166.141593, 171.245229, 824.4625408053398, 5746704552.0),
        (63.79296, 8.088408, 252.72485987097025, 1915568184.0),
        (50.525512, 64.758545, 1087.3996406309307, 13185940382.0),
        (63.79296, 80.88408, 252.72485987097025, 1915568184.0),
        (52.50332, 64.21728, 252.72485987097025, 1915568184.0),
    ];
    for ((name, ..), (energy, total, accuracy, parameters)) in FILES.into_iter().zip(expected) {
        let Some((trials, ..)) = released(name) else {
            return;
        };
        let near = |metric, expected: f64| {
            let sum = sum(&trials, metric);
            assert!(
                (sum / expected - 1.0).abs() < 1e-12,
                "{name} {metric}: {sum}"
            );
        };
        near(Metric::Energy, energy);
        near(Metric::TotalEnergy, total);
        near(Metric::ValidationAccuracy, accuracy);
        near(Metric::TrainableParameters, parameters);
    }
}

#[test]
fn every_field_of_a_record_is_there() {
    let Some((trials, ..)) = released("energy_4V9E_4epochs") else {
        return;
    };
    let trial = &trials[0];
    assert_eq!(trial.hash.to_string(), "5529e1779433733d1145e20de5d8604e");
    assert_eq!((trial.budget.get(), trial.repeat), (36, 1));
    let totals = [
        (Metric::TrainableParameters, 3468426.0),
        (Metric::TotalTime, 746.1661584377289),
        (Metric::TotalEnergy, 0.11943),
        (Metric::TotalCo2e, 13.495563),
        (Metric::TotalCarbonIntensity, 113.0),
    ];
    for (metric, value) in totals {
        assert_eq!(trial.totals.get(metric), Some(value), "{metric}");
    }
    assert_eq!(trial.checkpoints.len(), 3);
    let last = [
        (Metric::Energy, 0.113109),
        (Metric::Co2e, 13.649362),
        (Metric::TrainingTime, 668.5900268554688),
        (Metric::TrainAccuracy, 0.9977964758872986),
        (Metric::ValidationAccuracy, 0.9174679517745972),
        (Metric::TestAccuracy, 0.9093549847602844),
        (Metric::CarbonIntensity, 121.0),
        (Metric::PredictedEnergy, 0.125847),
        (Metric::PredictedCo2e, 13.906105),
        (Metric::PredictedTrainingTime, 1112.0),
        (Metric::PredictedCarbonIntensity, 110.5),
        (Metric::Epoch, 36.0),
    ];
    assert_eq!(trial.checkpoints[2].values, last.into_iter().collect());
    assert_eq!(
        trial.checkpoints[0].started.as_deref(),
        Some("2022-05-29 06:03:58")
    );
    assert_eq!(
        trial.checkpoints[2].stopped.as_deref(),
        Some("2022-05-29 06:16:11")
    );
    // A zero that was written is there; a prediction that was not is absent.
    assert_eq!(
        trial.checkpoints[0].values.get(Metric::TrainingTime),
        Some(0.0)
    );
    assert_eq!(
        trial.checkpoints[0].values.get(Metric::PredictedEnergy),
        None
    );
    let power = |component, device: &str, power_w, energy_j| PowerUsage {
        component,
        device: Some(device.to_owned()),
        power_w: Some(power_w),
        energy_j: Some(energy_j),
    };
    assert_eq!(
        trial.power,
        [
            power(
                Component::Gpu,
                "NVIDIA Quadro RTX 6000",
                234.46920588,
                174949.197967362
            ),
            power(Component::Cpu, "cpu:0", 54.38502672, 40579.387687128),
        ]
    );
}

#[test]
fn repeats_count_from_one_in_order() {
    let Some((trials, ..)) = released("energy_4V9E_4epochs") else {
        return;
    };
    let of = |repeat| trials.iter().filter(|trial| trial.repeat == repeat).count();
    assert_eq!([of(1), of(2), of(3), of(4)], [364, 364, 364, 0]);
}

#[test]
fn released_files_are_known() {
    let provenance = |name: &str| released(name).map(|(_, imported, _)| imported.info);
    let Some(info) = provenance("energy_5V9E_4epochs") else {
        return;
    };
    assert_eq!(info.device.as_deref(), Some("Quadro RTX 6000"));
    assert_eq!(info.data_set.as_deref(), Some("CIFAR-10"));
    assert_eq!(info.licence.as_deref(), Some("MIT"));
    assert_eq!(info.provenance.of(Metric::Energy), Provenance::Measured);
    assert_eq!(info.provenance.of(Metric::Macs), Provenance::Computed);
    assert_eq!(
        info.provenance.of(Metric::PredictedEnergy).word(),
        "predicted"
    );

    let scaled = provenance("energy_4V9E_linscale").unwrap().provenance;
    assert_eq!(scaled.of(Metric::Energy), Provenance::Scaled);
    assert_eq!(scaled.of(Metric::TrainingTime), Provenance::Scaled);
    assert_eq!(scaled.of(Metric::TotalEnergy), Provenance::Copied);
    assert_eq!(scaled.of(Metric::ValidationAccuracy), Provenance::Averaged);
    assert_eq!(
        scaled.of_checkpoint(Metric::ValidationAccuracy),
        Provenance::Copied
    );
    assert_eq!(scaled.of_checkpoint(Metric::Energy), Provenance::Copied);

    let gpu = provenance("energy_4V9E_rtx3090").unwrap();
    assert_eq!(gpu.device.as_deref(), Some("GeForce RTX 3090"));
    assert_eq!(gpu.provenance.of(Metric::TotalEnergy), Provenance::Scaled);
    assert_eq!(
        gpu.provenance.of_checkpoint(Metric::Energy),
        Provenance::Scaled
    );
}

#[test]
fn unknown_files_are_judged_by_their_content() {
    let dir = tempfile::tempdir().unwrap();
    let copy = |name: &str| {
        let (mut trials, ..) = released(name)?;
        trials.pop();
        Some(read(&write(dir.path(), &trials)).1.info)
    };
    let Some(measured) = copy("energy_4V9E_4epochs") else {
        return;
    };
    assert_eq!(
        measured.device.as_deref(),
        Some("NVIDIA Quadro RTX 6000, Quadro RTX 6000")
    );
    assert_eq!((&measured.licence, &measured.data_set), (&None, &None));
    assert_eq!(measured.provenance.of(Metric::Energy), Provenance::Unstated);
    assert_eq!(
        measured.provenance.of(Metric::TrainableParameters),
        Provenance::Computed
    );
    let scaled = copy("energy_4V9E_linscale").unwrap().provenance;
    assert_eq!(scaled.of(Metric::Energy), Provenance::Scaled);
    assert_eq!(scaled.of(Metric::ValidationAccuracy), Provenance::Averaged);
    assert_eq!(
        scaled.of_checkpoint(Metric::ValidationAccuracy),
        Provenance::Copied
    );
    assert_eq!(scaled.of(Metric::TotalEnergy), Provenance::Unstated);
}

fn write(folder: &Path, trials: &[Trial]) -> std::path::PathBuf {
    let path = folder.join("written.bin");
    let trials = trials.iter().cloned().map(Ok::<_, std::fmt::Error>);
    write_tfrecord(trials, std::fs::File::create(&path).unwrap()).unwrap();
    path
}

fn cell() -> Cell {
    Cell::from_bits(
        "0110001100010000",
        "input,conv1x1-bn-relu,conv3x3-bn-relu,output",
    )
    .unwrap()
}

/// A trial as NAS-Bench-101 has it: no energy, and a path per evaluation.
fn nas_bench_101(repeat: u32) -> Trial {
    let mut trial = Trial::new(cell().hash(), Budget::epochs(108).unwrap(), repeat);
    trial.cell = Some(cell());
    trial.totals.set(
        Metric::TrainableParameters,
        cell().trainable_parameters() as f64,
    );
    trial.totals.set(Metric::Macs, cell().macs().total() as f64);
    trial.totals.set(Metric::TotalTime, 1234.5);
    for (index, epoch) in [0.0, 54.0, 108.0].into_iter().enumerate() {
        let values = [
            (Metric::Epoch, epoch),
            (Metric::TrainingTime, 10.0 * epoch),
            (Metric::TestAccuracy, 0.9 - f64::from(repeat) / 100.0),
        ];
        trial.checkpoints.push(Checkpoint {
            values: values.into_iter().collect(),
            ..Checkpoint::default()
        });
        let name = format!("evaluation_data[{index}].checkpoint_path");
        trial
            .unrecognised
            .push((name, format!("model.ckpt-{epoch}")));
    }
    trial
}

#[test]
fn nas_bench_101_is_told_apart() {
    let dir = tempfile::tempdir().unwrap();
    let trials = [nas_bench_101(1), nas_bench_101(2), nas_bench_101(3)];
    let path = write(dir.path(), &trials);
    let (read, imported, format) = read(&path);
    assert_eq!(format, Format::NasBench101TfRecord);
    assert_eq!(read, trials);
    assert_eq!(imported.info.sources[0].format, "nas-bench-101 tfrecord");
    assert!(read.iter().all(|trial| trial.verbatim.is_none()));

    // Without paths the fields are shared by both messages; without energy it is NAS-Bench-101's.
    let mut plain = nas_bench_101(1);
    plain.unrecognised.clear();
    assert_eq!(
        self::read(&write(dir.path(), &[plain])).2,
        Format::NasBench101TfRecord
    );
}

#[test]
fn identical_records_are_kept_and_noted() {
    let dir = tempfile::tempdir().unwrap();
    let trials = [nas_bench_101(1), nas_bench_101(2), nas_bench_101(1)];
    let (read, imported, _) = read(&write(dir.path(), &trials));
    assert_eq!(
        read.iter().map(|trial| trial.repeat).collect::<Vec<_>>(),
        [1, 2, 3]
    );
    let [Note::IdenticalRepeats { count: 1, first }] = imported.notes.as_slice() else {
        panic!("{:?}", imported.notes);
    };
    assert_eq!(first.record, 3);
}

/// What the fields do not hold (other spacing, an unknown protobuf field) is kept as it was.
#[test]
fn other_forms_are_kept_verbatim() {
    let payload = String::from_utf8(encode_record(&nas_bench_101(1)).unwrap()).unwrap();
    let spaced = payload.replace(", ", ",");
    let trial = decode_record(spaced.as_bytes()).unwrap();
    assert_eq!(trial.verbatim.as_deref(), Some(spaced.as_bytes()));
    assert_eq!(encode_record(&trial).unwrap(), spaced.as_bytes());
    assert_eq!(
        decode_record(payload.as_bytes()).unwrap().checkpoints,
        trial.checkpoints
    );

    // Field 15, a varint, is in neither message.
    let unknown = payload
        .rsplit_once(", \"")
        .map(|(head, _)| format!("{head}, \"CgkJAAAAAAAAAAB4AQ==\\n\"]"));
    let unknown = unknown.unwrap();
    let trial = decode_record(unknown.as_bytes()).unwrap();
    assert_eq!(encode_record(&trial).unwrap(), unknown.as_bytes());
}

#[test]
fn stated_options_go_first() {
    let dir = tempfile::tempdir().unwrap();
    let path = write(dir.path(), &[nas_bench_101(1)]);
    let mut options = ImportOptions::default();
    options.device = Some("abacus".to_owned());
    options.provenance = Some(ecnas::metrics::Provenances::uniform(Provenance::Measured));
    let imported = Import::open(&path, &options).unwrap().finish().unwrap();
    assert_eq!(imported.info.device.as_deref(), Some("abacus"));
    assert_eq!(
        imported.info.provenance.of(Metric::TestAccuracy),
        Provenance::Measured
    );
}

#[test]
fn dropping_an_import_stops_it() {
    let dir = tempfile::tempdir().unwrap();
    let path = write(dir.path(), &vec![nas_bench_101(1); 50_000]);
    let mut import = Import::open(&path, &ImportOptions::default()).unwrap();
    assert_eq!(import.default_table_name(), "written");
    import.next().unwrap().unwrap();
    assert!(import.progress().bytes_read < import.progress().bytes_total);
    drop(import);
}

fn values(metrics: &'static [Metric]) -> impl Strategy<Value = Values> {
    proptest::collection::vec(proptest::option::of(0.0..=1.0), metrics.len()).prop_map(|values| {
        let pairs = metrics.iter().zip(values);
        pairs.filter_map(|(&m, v)| Some((m, v?))).collect()
    })
}

const AT_CHECKPOINTS: &[Metric] = &[
    Metric::Energy,
    Metric::Co2e,
    Metric::TrainingTime,
    Metric::TrainAccuracy,
    Metric::ValidationAccuracy,
    Metric::TestAccuracy,
    Metric::CarbonIntensity,
    Metric::PredictedEnergy,
    Metric::PredictedCo2e,
    Metric::PredictedTrainingTime,
    Metric::PredictedCarbonIntensity,
    Metric::Epoch,
];
const TOTALS: &[Metric] = &[
    Metric::TotalEnergy,
    Metric::TotalCo2e,
    Metric::TotalTime,
    Metric::TotalCarbonIntensity,
];

prop_compose! {
    fn trials()(
        epochs in 1..u32::MAX,
        totals in values(TOTALS),
        checkpoints in proptest::collection::vec(
            (values(AT_CHECKPOINTS), proptest::option::of(".*"), proptest::option::of(".*")),
            1..4,
        ),
        gpus in proptest::collection::vec((".*", 0.0..1e3, 0.0..1e9), 0..3),
        started in proptest::option::of(".*"),
        drawing in 0_usize..91,
    ) -> Trial {
        let cell = ecnas::cell::enumerate(4, 9).nth(drawing).unwrap();
        let mut trial = Trial::new(cell.hash(), Budget::epochs(epochs).unwrap(), 1);
        trial.cell = Some(cell);
        trial.totals = totals;
        trial.totals.set(Metric::TrainableParameters, cell.trainable_parameters() as f64);
        trial.totals.set(Metric::Macs, cell.macs().total() as f64);
        trial.checkpoints = checkpoints
            .into_iter()
            .map(|(values, started, stopped)| Checkpoint { values, started, stopped })
            .collect();
        trial.power = gpus
            .into_iter()
            .map(|(device, power_w, energy_j)| PowerUsage {
                component: Component::Gpu,
                device: Some(device),
                power_w: Some(power_w),
                energy_j: Some(energy_j),
            })
            .collect();
        trial.started = started;
        trial
    }
}

proptest! {
    #[test]
    fn any_trial_survives(trial in trials()) {
        let payload = encode_record(&trial).unwrap();
        let read = decode_record(&payload).unwrap();
        prop_assert_eq!(&read, &trial);
        prop_assert_eq!(encode_record(&read).unwrap(), payload);
    }

    #[test]
    fn no_payload_panics(payload in proptest::collection::vec(any::<u8>(), 0..400)) {
        let _ = decode_record(&payload);
    }

    #[test]
    fn no_changed_payload_panics(at in 0_usize..400, to in any::<u8>()) {
        let mut payload = encode_record(&nas_bench_101(1)).unwrap();
        let at = at % payload.len();
        payload[at] = to;
        if let Ok(trial) = decode_record(&payload) {
            prop_assert_eq!(encode_record(&trial).unwrap(), payload);
        }
    }
}

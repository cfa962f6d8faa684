//! CSV with named columns. Expected values of the released files were computed by an independent reader in Python.
#![cfg(feature = "import")]

mod common;

use std::fs;
use std::path::Path;

use ecnas::import::{
    Fault, Format, Import, ImportError, ImportOptions, Imported, NotASource, Note, read_bytes,
};
use ecnas::metrics::{Budget, Metric, Provenance, Trial};

const HASH: &str = "5529e1779433733d1145e20de5d8604e";
const GRAPH: &str = "0110001100010000,\"input,conv1x1-bn-relu,conv3x3-bn-relu,output\"";

fn read(path: &Path, options: &ImportOptions) -> Result<(Vec<Trial>, Imported), ImportError> {
    let mut import = Import::open(path, options)?;
    assert_eq!(import.format(), Format::Csv);
    let mut trials = Vec::new();
    for batch in import.by_ref() {
        trials.extend(batch?);
    }
    Ok((trials, import.finish()?))
}

/// From a file and from memory, which must agree.
fn read_text(text: &str, options: &ImportOptions) -> Result<(Vec<Trial>, Imported), ImportError> {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("own.txt");
    fs::write(&path, text).unwrap();
    let found = read(&path, options);
    let in_memory = read_bytes(&path, text.as_bytes(), options);
    match (&found, &in_memory) {
        (Ok(found), Ok(in_memory)) => assert_eq!(in_memory, found),
        (Err(found), Err(in_memory)) => assert_eq!(in_memory.to_string(), found.to_string()),
        _ => panic!("{found:?}, in memory {in_memory:?}"),
    }
    found
}

fn trials(text: &str) -> Vec<Trial> {
    read_text(text, &ImportOptions::default()).unwrap().0
}

#[test]
fn the_measured_seven_vertex_cells_are_read() {
    let Some(path) = common::data("ec-nas/energy_7V9E_4epochs_measured.csv") else {
        return;
    };
    let (trials, imported) = read(&path, &ImportOptions::default()).unwrap();
    assert_eq!(trials.len(), 3457);
    let sum = |metric| -> f64 { trials.iter().map(|t| t.result(metric).unwrap()).sum() };
    assert!((sum(Metric::Energy) - 53.43891002028249).abs() < 1e-10);
    assert_eq!(sum(Metric::TrainableParameters), 28818218160.0);
    for trial in &trials {
        let cell = trial.cell.unwrap();
        assert_eq!(trial.budget.get(), 4);
        assert_eq!(cell.hash(), trial.hash);
    }
    // None differs from the graph's.
    assert_eq!(imported.notes, []);
    assert_eq!(
        imported.info.provenance.of(Metric::Energy),
        Provenance::Unstated
    );
}

#[test]
fn the_nas_bench_101_sample_is_read() {
    let Some(path) = common::data("nasbench101/validation_accuracy_sample.csv") else {
        return;
    };
    let (trials, _) = read(&path, &ImportOptions::default()).unwrap();
    assert_eq!(trials.len(), 4 * 24_022);
    for (budget, expected) in [
        (4, 6705.827623244375),
        (12, 12682.698617398739),
        (36, 20239.37369866669),
        (108, 21868.991787679493),
    ] {
        let own = || trials.iter().filter(|trial| trial.budget.get() == budget);
        let sum: f64 = own()
            .map(|t| t.result(Metric::ValidationAccuracy).unwrap())
            .sum();
        assert!((sum - expected).abs() < 1e-8, "{budget}: {sum}");
        assert!(own().all(|t| t.repeat == 1 && t.cell.is_none()));
        let times = own().filter_map(|t| t.result(Metric::TrainingTime));
        assert_eq!(times.count(), if budget == 108 { 24_022 } else { 0 });
    }
}

#[test]
fn units_are_converted() {
    let text = format!(
        "hash,epochs,Energy (Wh),training_time_h,validation_accuracy (%),co2e_kg\n{HASH},12,250,0.5,92.5,0.125\n"
    );
    let trial = &trials(&text)[0];
    assert_eq!(trial.budget, Budget::epochs(12).unwrap());
    assert_eq!(trial.result(Metric::Energy), Some(0.25));
    assert_eq!(trial.result(Metric::TrainingTime), Some(1800.0));
    assert_eq!(trial.result(Metric::ValidationAccuracy), Some(0.925));
    assert_eq!(trial.result(Metric::Co2e), Some(125.0));
}

#[test]
fn what_is_not_there_stays_absent() {
    let text = format!(
        "\u{feff}hash;budget_epochs;energy_kwh;test_accuracy;latency_ms;note\r\n{HASH};4;NA;0.5;;\r\n{HASH};4;;;1.5;warm\r\n"
    );
    let (trials, imported) = read_text(&text, &ImportOptions::default()).unwrap();
    assert_eq!(trials[0].result(Metric::Energy), None);
    assert_eq!(trials[0].result(Metric::TestAccuracy), Some(0.5));
    assert!(trials[0].other.is_empty() && trials[0].unrecognised.is_empty());
    assert_eq!((trials[1].repeat, trials[1].checkpoints.len()), (2, 0));
    assert_eq!(trials[1].other, [("latency_ms".to_owned(), 1.5)]);
    assert_eq!(
        trials[1].unrecognised,
        [("note".to_owned(), "warm".to_owned())]
    );
    assert!(matches!(
        &imported.notes[..],
        [Note::Unrecognised { count: 1, .. }]
    ));
    assert_eq!(trials[1].totals.get(Metric::TrainableParameters), None);
}

#[test]
fn one_row_may_have_several_budgets() {
    let text = format!(
        "adjacency,operations,energy_kwh_4_epochs,energy_kwh_108_epochs,test_accuracy_108\n{GRAPH},0.5,,\n{GRAPH},1,2,0.75\n"
    );
    let trials = trials(&text);
    let of: Vec<_> = trials
        .iter()
        .map(|t| {
            (
                t.budget.get(),
                t.repeat,
                t.result(Metric::Energy),
                t.result(Metric::TestAccuracy),
            )
        })
        .collect();
    assert_eq!(
        of,
        [
            (4, 1, Some(0.5), None),
            (4, 2, Some(1.0), None),
            (108, 1, Some(2.0), Some(0.75))
        ]
    );
    assert_eq!(trials[0].hash.to_string(), HASH);
    assert_eq!(
        trials[0].totals.get(Metric::TrainableParameters),
        Some(3468426.0)
    );
}

#[test]
fn own_exports_are_read_back() {
    let names: Vec<_> = Metric::ALL.iter().map(|metric| metric.name()).collect();
    let values: Vec<_> = (0..names.len())
        .map(|n| (n as f64 / 32.0).to_string())
        .collect();
    let text = format!(
        "hash,budget_epochs,repeat,adjacency,operations,{}\n{HASH},36,7,,,{}\n",
        names.join(","),
        values.join(",")
    );
    let trial = &trials(&text)[0];
    assert_eq!((trial.budget.get(), trial.repeat), (36, 7));
    for (n, metric) in Metric::ALL.into_iter().enumerate() {
        assert_eq!(trial.result(metric), Some(n as f64 / 32.0), "{metric}");
    }
}

#[test]
fn missing_units_and_budgets_can_be_stated() {
    let text = format!("hash\tenergy\n{HASH}\t1800000\n");
    let mut options = ImportOptions::default();
    options.budget = Some(Budget::epochs(4).unwrap());
    let error = read_text(&text, &options).unwrap_err();
    assert!(matches!(error.fault(), Some(Fault::Header { .. })));
    assert!(
        error.to_string().contains("\"energy\" without a unit"),
        "{error}"
    );
    options.units.insert("energy".to_owned(), "J".to_owned());
    let (trials, _) = read_text(&text, &options).unwrap();
    assert_eq!(trials[0].result(Metric::Energy), Some(0.5));
    options.units.insert("power".to_owned(), "J".to_owned());
    assert!(
        read_text(&text, &options)
            .unwrap_err()
            .to_string()
            .contains("no column \"power\"")
    );
}

#[test]
fn differing_parameters_are_noted() {
    let text = format!("adjacency,operations,trainable_parameters,epochs\n{GRAPH},17,4\n");
    let (trials, imported) = read_text(&text, &ImportOptions::default()).unwrap();
    assert_eq!(
        trials[0].totals.get(Metric::TrainableParameters),
        Some(17.0)
    );
    let [
        Note::ParametersDiffer {
            count: 1,
            stated: 17.0,
            graph: 3468426,
            ..
        },
    ] = imported.notes[..]
    else {
        panic!("{:?}", imported.notes);
    };
    assert_eq!(
        imported.info.provenance.of(Metric::TrainableParameters),
        Provenance::Unstated
    );
}

#[test]
fn headers_that_do_not_make_sense_are_refused() {
    for (header, says) in [
        ("energy_kwh,epochs", "names no cell"),
        ("adjacency,epochs", "`operations` beside `adjacency`"),
        ("hash,energy_kwh", "names no budget"),
        ("hash,epochs,energy_kwh_4_epochs", "one of both"),
        ("hash,energy_kwh_4_epochs,co2e_g", "none in \"co2e_g\""),
        ("hash,epochs,energy_kwh,energy_wh", "remove one"),
        ("hash,epochs,energy (BTU)", "in btu"),
        ("hash,module_hash,epochs", "remove one"),
    ] {
        let error =
            read_text(&format!("{header}\n1,2,3\n"), &ImportOptions::default()).unwrap_err();
        assert!(
            matches!(error.fault(), Some(Fault::Header { .. })),
            "{header}: {error}"
        );
        let text = error.to_string();
        assert!(
            text.contains(says) && text.contains("own.txt: record 0, line 1"),
            "{text}"
        );
    }
}

#[test]
fn rows_that_do_not_make_sense_are_refused() {
    let header = "hash,adjacency,operations,epochs,repeat,energy_kwh,test_accuracy";
    let good = format!("{HASH},{GRAPH},4,1,0.5,0.5");
    let check = |row: &str, expected: fn(&Fault) -> bool, says: &str| {
        let text = format!("{header}\n{good}\n{row}\n");
        let error = read_text(&text, &ImportOptions::default()).unwrap_err();
        assert!(error.fault().is_some_and(expected), "{row}: {error:?}");
        let text = error.to_string();
        let byte = header.len() + good.len() + 2;
        assert!(
            text.contains(&format!("own.txt: record 2, line 3, byte {byte}")),
            "{text}"
        );
        assert!(text.contains(says), "{text}");
    };
    let value: fn(&Fault) -> bool = |f| matches!(f, Fault::Value { .. });
    check(
        &good.replace(",4,1,0.5,", ",4,2,nan,"),
        value,
        "energy_kwh: expected a finite number",
    );
    check(
        &good.replace(",4,1,0.5,", ",4,2,inf,"),
        value,
        "a finite number",
    );
    check(
        &good.replace(",4,1,0.5,", ",4,2,-1,"),
        value,
        "not negative",
    );
    check(&good.replace(",4,1,0.5,", ",4,2,lots,"), value, "a number");
    check(
        &good.replace(",4,1,0.5,0.5", ",4,2,0.5,1.5"),
        value,
        "from 0 to 1",
    );
    check(&good.replace(",4,1,", ",4,0,"), value, "repeat");
    check(
        &good.replace(",4,1,", ",0,2,"),
        |f| matches!(f, Fault::Budget { .. }),
        "found 0",
    );
    check(
        &good.replace(",4,1,", ",-4,2,"),
        |f| matches!(f, Fault::Budget { .. }),
        "found -4",
    );
    check(
        &good.replace(",4,1,", ",,2,"),
        |f| matches!(f, Fault::Missing { .. }),
        "budget",
    );
    check(
        &good.replace(",4,1,", ",4,,"),
        |f| matches!(f, Fault::Missing { .. }),
        "repeat",
    );
    check(
        &good,
        |f| matches!(f, Fault::Duplicate { .. }),
        "already in line 2",
    );
    check(
        &good.replace("conv3x3", "conv9x9"),
        |f| matches!(f, Fault::Cell(_)),
        "conv9x9",
    );
    check(
        &good.replace("5529", "5520"),
        |f| matches!(f, Fault::HashMismatch { .. }),
        HASH,
    );
    check(
        &good.replace("5529", "55"),
        |f| matches!(f, Fault::Hash(_)),
        "32",
    );
    check(
        "1,2",
        |f| matches!(f, Fault::Csv { .. }),
        "expected 7 fields",
    );
}

#[test]
fn a_quote_that_is_never_closed_does_not_fill_memory() {
    let row = format!("{HASH},4,x\n");
    let text = format!(
        "hash,epochs,note\n{row}{HASH},4,\"x\n{}",
        row.repeat(50_000)
    );
    let mut options = ImportOptions::default();
    options.max_record_bytes = 1 << 16;
    let error = read_text(&text, &options).unwrap_err();
    assert!(
        matches!(error.fault(), Some(Fault::TooLong { limit: 65536, .. })),
        "{error:?}"
    );
}

#[test]
fn a_header_without_rows_is_refused() {
    let error = read_text("hash,epochs\n", &ImportOptions::default()).unwrap_err();
    assert!(matches!(
        error,
        ImportError::NotASource {
            reason: NotASource::NoRows,
            ..
        }
    ));
}

#[test]
fn a_file_states_what_its_values_have_in_common() {
    let text = format!(
        "# Free text: of no meaning here.\n# device: Jetson\n#data_set:CIFAR-10\n# pue: 1.2\n# provenance: averaged\n\
         adjacency,operations,budget_epochs,energy_kwh\n# between rows\n{GRAPH},4,0.5\n"
    );
    let (trials, imported) = read_text(&text, &ImportOptions::default()).unwrap();
    assert_eq!(trials.len(), 1);
    let info = imported.info;
    assert_eq!(info.device.as_deref(), Some("Jetson"));
    assert_eq!(info.data_set.as_deref(), Some("CIFAR-10"));
    assert_eq!((info.pue, info.licence), (Some(1.2), None));
    assert_eq!(info.provenance.of(Metric::Energy), Provenance::Averaged);
    assert_eq!(
        info.provenance.of(Metric::TrainableParameters),
        Provenance::Computed
    );

    // What the caller states goes before it.
    let mut options = ImportOptions::default();
    options.device = Some("RTX 6000".to_owned());
    options.provenance = Some(ecnas::metrics::Provenances::uniform(Provenance::Measured));
    let info = read_text(&text, &options).unwrap().1.info;
    assert_eq!(info.device.as_deref(), Some("RTX 6000"));
    assert_eq!(info.provenance.of(Metric::Energy), Provenance::Measured);

    for (line, says) in [
        ("# pue: 0.9", "line 1"),
        ("# provenance: guessed", "\"guessed\""),
    ] {
        let text =
            format!("{line}\nadjacency,operations,budget_epochs,energy_kwh\n{GRAPH},4,0.5\n");
        let error = read_text(&text, &ImportOptions::default()).unwrap_err();
        assert!(
            matches!(error.fault(), Some(Fault::Header { .. })),
            "{error}"
        );
        assert!(error.to_string().contains(says), "{error}");
    }
}

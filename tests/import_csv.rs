//! CSV with named columns. Expected values of the released files were computed by an independent reader in Python.
#![cfg(feature = "import")]

mod common;

use std::fs;
use std::path::Path;

use ecnas::cell::{CellHash, enumerate, hash_all};
use ecnas::import::{
    Fault, Format, Import, ImportError, ImportOptions, Imported, NotASource, Note, read_bytes,
};
use ecnas::metrics::{Budget, Metric, Provenance, Provenances, RESERVED_NAMES, Trial};

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
        assert!(own().all(|t| t.repeat == 1));
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
    // It follows from the graph, which follows from the hash.
    let parameters = trials[1].totals.get(Metric::TrainableParameters);
    assert_eq!(parameters, Some(3468426.0));
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
        // Multiply-accumulates are always those of the graph.
        let stated = metric != Metric::Macs;
        assert_eq!(
            trial.result(metric) == Some(n as f64 / 32.0),
            stated,
            "{metric}"
        );
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

#[test]
fn cells_that_are_given_by_hashes_alone_are_found_in_the_search_space() {
    let Some(path) = common::data("nasbench101/validation_accuracy_sample.csv") else {
        return;
    };
    let dir = tempfile::tempdir().unwrap();
    let mut store = ecnas::store::Store::open(dir.path().join("s.redb")).unwrap();
    let options = ImportOptions::default();
    let refuse = ecnas::store::OnDuplicate::Refuse;
    let go_on = |_| std::ops::ControlFlow::Continue(());
    let done = ecnas::ingest(&mut store, &path, None, &options, refuse, go_on).unwrap();
    assert_eq!(done.notes, [], "the search space holds all of them");
    ecnas::seal(&mut store, dir.path().join("s.ecnas")).unwrap();
    let snapshot = ecnas::snapshot::Snapshot::open(dir.path().join("s.ecnas")).unwrap();
    let table = snapshot.only_table().unwrap();
    assert_eq!((table.len(), table.unknown_structure()), (24_022, 0));

    // Independently: how many of the file's hashes are those of cells of 7 vertices.
    let text = fs::read_to_string(&path).unwrap();
    let listed: std::collections::HashSet<&str> = text
        .lines()
        .skip(1)
        .filter_map(|line| line.split(',').next())
        .collect();
    let seven: Vec<_> = enumerate(7, 9)
        .filter(|cell| cell.graph().vertices() == 7)
        .collect();
    let hashes = hash_all(&seven).into_iter();
    let seven = hashes.filter(|hash| listed.contains(hash.to_string().as_str()));
    let expected = seven.count();
    assert!((20_000..24_022).contains(&expected), "{expected}");
    for budget in table.budgets() {
        let view = table.view(budget).unwrap();
        let query = view
            .query()
            .matching(&"vertices=7".parse().unwrap())
            .unwrap();
        assert_eq!(query.count().unwrap(), expected);
        assert_eq!(query.unknown_structure().unwrap(), 0);
    }
}

#[test]
fn hashes_that_the_search_space_does_not_hold_stay_unknown_and_are_counted() {
    let nobody = "0000000000000000000000000000000f";
    let text = format!("hash,epochs,energy_kwh\n{HASH},4,1\n{nobody},4,1\n{nobody},12,2\n");
    let (trials, imported) = read_text(&text, &ImportOptions::default()).unwrap();
    let known: Vec<bool> = trials.iter().map(|trial| trial.cell.is_some()).collect();
    assert_eq!(known, [true, false, false]);
    let hash: CellHash = nobody.parse().unwrap();
    let [
        Note::UnknownCells {
            count: 1,
            first,
            hash: own,
        },
    ] = &imported.notes[..]
    else {
        panic!("{:?}", imported.notes);
    };
    assert_eq!((first.line, *own), (Some(3), hash));
    assert!(imported.notes[0].to_string().contains(nobody));
}

#[test]
fn columns_named_like_those_of_outputs_are_refused() {
    let keys = [
        "hash",
        "adjacency",
        "operations",
        "budget",
        "epochs",
        "budget_epochs",
        "repeat",
        "module_hash",
        "module_adjacency",
        "module_operations",
        "is_estimate",
    ];
    for name in RESERVED_NAMES {
        let spelled = name.to_uppercase().replace('_', " ");
        for own in [name, spelled.as_str()] {
            let text = format!("# a comment\nhash,epochs,energy_kwh,{own}\n{HASH},4,1,1\n");
            let found = read_text(&text, &ImportOptions::default());
            if keys.contains(&name) {
                // It means here what it means there: it becomes no column of the user's own.
                assert!(
                    found.is_err() || found.unwrap().0[0].other.is_empty(),
                    "{own}"
                );
                continue;
            }
            let error = found.unwrap_err().to_string();
            for part in [own, "line 2", "rename the column"] {
                assert!(error.contains(part), "{own}: {error}");
            }
        }
    }
    // Names that only begin alike are a user's own.
    let text = format!("hash,epochs,tables,my_hash,row\n{HASH},4,1,2,3\n");
    assert_eq!(trials(&text)[0].other.len(), 3);
}

#[test]
fn estimates_are_never_imported_as_observations() {
    let rows =
        format!("hash,epochs,energy_kwh,own_w,is_estimate\n{HASH},4,1,5,0\n{HASH},12,3,5,1\n");
    for stated in ["", "# provenance: measured\n", "# provenance: unstated\n"] {
        let (trials, imported) =
            read_text(&format!("{stated}{rows}"), &ImportOptions::default()).unwrap();
        assert_eq!(trials.len(), 1, "{stated}");
        assert_eq!(trials[0].other, [("own_w".to_owned(), 5.0)]);
        let [Note::EstimatesLeftOut { count: 1, first }] = &imported.notes[..] else {
            panic!("{:?}", imported.notes);
        };
        assert_eq!(first.record, 2);
    }

    let predicted = format!("# provenance: predicted by \"a model\"\n{rows}");
    let (trials, imported) = read_text(&predicted, &ImportOptions::default()).unwrap();
    assert_eq!((trials.len(), imported.notes.len()), (2, 0));
    let model = "\"a model\"".to_owned();
    let predicted = Provenance::Predicted { model };
    assert_eq!(imported.info.provenance.of(Metric::Energy), predicted);

    // What the caller states goes before the file's word.
    let mut options = ImportOptions::default();
    options.provenance = Some(Provenances::uniform(Provenance::Measured));
    let text = format!("# provenance: predicted by m\n{rows}");
    assert_eq!(read_text(&text, &options).unwrap().0.len(), 1);

    let only = format!("hash,epochs,energy_kwh,is_estimate\n{HASH},12,3,1\n");
    let error = read_text(&only, &ImportOptions::default()).unwrap_err();
    assert!(error.to_string().contains("predicted by MODEL"), "{error}");
    let odd = only.replace(",1\n", ",yes\n");
    let error = read_text(&odd, &ImportOptions::default())
        .unwrap_err()
        .to_string();
    assert!(
        error.contains("is_estimate") && error.contains("line 2"),
        "{error}"
    );
}

#[test]
fn a_pue_is_a_finite_number_from_1() {
    let text = format!("hash,epochs,energy_kwh\n{HASH},4,1\n");
    for pue in [0.0, -1.0, 0.999, f64::NAN, f64::INFINITY] {
        let mut options = ImportOptions::default();
        options.pue = Some(pue);
        let error = read_text(&text, &options).unwrap_err().to_string();
        assert!(error.contains("power usage effectiveness"), "{error}");
        let stated = format!("# pue: {pue}\n{text}");
        let error = read_text(&stated, &ImportOptions::default()).unwrap_err();
        assert!(error.to_string().contains("a number from 1"), "{error}");
    }
    let mut options = ImportOptions::default();
    options.pue = Some(1.0);
    assert_eq!(read_text(&text, &options).unwrap().1.info.pue, Some(1.0));
}

#[test]
fn provenance_is_stated_for_all_columns_and_for_single_ones() {
    let text = format!(
        "# provenance: measured\n# provenance energy_kwh: scaled\n# provenance \"a:b\": averaged\n\
         # checkpoint_provenance energy_kwh: copied\nhash,epochs,energy_wh,test_accuracy,a:b\n{HASH},4,1,0.5,2\n"
    );
    let info = read_text(&text, &ImportOptions::default()).unwrap().1.info;
    assert_eq!(info.provenance.of(Metric::Energy), Provenance::Scaled);
    assert_eq!(
        info.provenance.of(Metric::TestAccuracy),
        Provenance::Measured
    );
    assert_eq!(info.provenance.of("a:b"), Provenance::Averaged);
    let earlier = info.provenance.of_checkpoint(Metric::Energy);
    assert_eq!(earlier, Provenance::Copied);
    for (from, to, says) in [
        (
            "energy_kwh: scaled",
            "enrgy_kwh: scaled",
            "no column \"enrgy_kwh\"",
        ),
        ("energy_kwh: scaled", "energy_kwh: scald", "\"scald\""),
        (
            "# provenance: measured",
            "# search_space: NAS-Bench-201",
            "NAS-Bench-101",
        ),
    ] {
        let error = read_text(&text.replace(from, to), &ImportOptions::default()).unwrap_err();
        let error = error.to_string();
        assert!(
            error.contains(says) && error.contains("record 0, line"),
            "{error}"
        );
    }
}

#[test]
fn hashes_that_a_spreadsheet_has_changed_are_recognised() {
    for damaged in ["1.1E+14", "\"1,1E+14\"", "110000000000000", "718e7"] {
        let text = format!("hash;epochs;energy_kwh\n{HASH};4;1\n{damaged};4;1\n");
        let error = read_text(&text, &ImportOptions::default()).unwrap_err();
        let error = error.to_string();
        let number = damaged.trim_matches('"');
        for part in [
            "line 3",
            number,
            "a spreadsheet",
            "format the column as text",
        ] {
            assert!(error.contains(part), "{error}");
        }
    }
    let short = format!("hash,epochs,energy_kwh\n{},4,1\n", &HASH[4..]);
    let error = read_text(&short, &ImportOptions::default()).unwrap_err();
    assert!(
        error
            .to_string()
            .contains("32 hexadecimal digits, found 28"),
        "{error}"
    );
}

/// Rows of one cell at budgets 1, 2, …, with so many columns of the user's own.
fn wide(columns: usize, budgets: usize, repeats: usize) -> String {
    let names: Vec<String> = (0..columns).map(|number| format!("own_{number}")).collect();
    let values = ",1".repeat(columns);
    let mut text = format!("hash,epochs,{}\n", names.join(","));
    for budget in 1..=budgets {
        for _ in 0..repeats {
            text += &format!("{HASH},{budget}{values}\n");
        }
    }
    text
}

#[test]
fn more_columns_than_a_snapshot_has_room_for_are_refused_while_they_are_read() {
    let text = wide(9_990, 30, 1);
    let (found, imported) = match read_bytes(
        "wide.csv".as_ref(),
        text.as_bytes(),
        &ImportOptions::default(),
    ) {
        Ok(found) => found,
        Err(error) => {
            assert!(
                matches!(
                    error.fault(),
                    Some(Fault::TooManyColumns { budgets: 10, .. })
                ),
                "{error}"
            );
            let error = error.to_string();
            for part in [
                "wide.csv: record 10, line 11",
                "100000",
                "at the first 10 budgets",
                "import them as several tables",
            ] {
                assert!(error.contains(part), "{error}");
            }
            return;
        }
    };
    panic!("{} trials, {:?}", found.len(), imported.notes);
}

#[test]
fn as_many_columns_as_are_imported_can_be_sealed() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("wide.csv");
    fs::write(&path, wide(3_310, 30, 2)).unwrap();
    let mut store = ecnas::store::Store::open(dir.path().join("s.redb")).unwrap();
    let options = ImportOptions::default();
    let refuse = ecnas::store::OnDuplicate::Refuse;
    let go_on = |_| std::ops::ControlFlow::Continue(());
    ecnas::ingest(&mut store, &path, None, &options, refuse, go_on).unwrap();
    let sealed = ecnas::seal(&mut store, dir.path().join("s.ecnas")).unwrap();
    assert_eq!(sealed.trials, 60);
    ecnas::snapshot::Snapshot::open(sealed.path).unwrap();
}

//! What errors and `Debug` say: each cause once, and nothing that fills the screen.

use std::error::Error;
use std::fmt::Debug;
use std::io;
use std::path::PathBuf;

use ecnas::SealError;
use ecnas::benchmark::BenchmarkError;
use ecnas::cache::CacheError;
use ecnas::cell::{Cell, Space};
use ecnas::index::{Index, IndexBuilder};
use ecnas::metrics::{Budget, Checkpoint, Metric, RecordError, TableInfo, Trial, encode_trial};
use ecnas::query::{Objective, QueryError, RecipeError, RecipeQuery};
use ecnas::snapshot::{AlignedBytes, Mapping, Snapshot, SnapshotError, SnapshotWriter};
use ecnas::store::{Store, StoreError};
use ecnas::surrogate::Surrogate;

const CAUSE: &str = "what the operating system said";

/// The texts of an error and its causes, none of which may be in another.
fn chain(error: &dyn Error) -> Vec<String> {
    let mut texts = vec![error.to_string()];
    let mut cause = error.source();
    while let Some(error) = cause {
        texts.push(error.to_string());
        cause = error.source();
    }
    for (place, outer) in texts.iter().enumerate() {
        for inner in texts.iter().skip(place + 1) {
            assert!(
                !outer.contains(inner.as_str()),
                "`{inner}` twice: {texts:?}"
            );
        }
    }
    texts
}

/// That one text of the chain has the words.
fn says(error: &dyn Error, words: &[&str]) {
    let texts = chain(error);
    for word in words {
        let count = texts.iter().filter(|text| text.contains(word)).count();
        assert_eq!(count, 1, "`{word}`: {texts:?}");
    }
}

fn path() -> PathBuf {
    "some/where".into()
}

fn system() -> io::Error {
    io::Error::other(CAUSE)
}

fn record() -> RecordError {
    RecordError::Field {
        expected: "a budget",
        found: "0".to_owned(),
    }
}

#[test]
fn no_error_repeats_its_cause() {
    let budget = Budget::epochs(4).unwrap();
    let in_file = || SnapshotError::In {
        path: path(),
        error: Box::new(SnapshotError::Record {
            table: "t".to_owned(),
            budget,
            entry: 3,
            error: record(),
        }),
    };
    let of_system = || SnapshotError::Io {
        path: path(),
        action: "open",
        source: system(),
    };
    says(&in_file(), &["some/where", "trial 3", "expected a budget"]);
    says(&of_system(), &["some/where", "cannot open", CAUSE]);
    let store = StoreError::Io {
        path: path(),
        source: system(),
    };
    says(&store, &["some/where", CAUSE]);
    says(&SealError::from(store), &["some/where", CAUSE]);
    let unreadable = StoreError::Record {
        path: path(),
        error: record(),
    };
    says(&unreadable, &["some/where", "expected a budget"]);
    let cache = BenchmarkError::Cache(CacheError::Io {
        folder: path(),
        source: system(),
    });
    says(&cache, &["some/where", "ECNAS_CACHE", CAUSE]);
    says(&BenchmarkError::from(of_system()), &["cannot open", CAUSE]);
    let nested = RecipeError::from(QueryError::from(of_system()));
    says(&nested, &["cannot open", CAUSE]);
    says(
        &QueryError::from(in_file()),
        &["trial 3", "expected a budget"],
    );
}

#[cfg(feature = "import")]
#[test]
fn no_error_of_reading_and_writing_files_repeats_its_cause() {
    use ecnas::IngestError;
    use ecnas::export::ExportError;
    use ecnas::import::tfrecord::WriteTfRecordError;
    use ecnas::import::{Import, ImportError, ImportOptions};

    let unreadable = ImportError::Io {
        path: path(),
        error: system(),
    };
    says(&unreadable, &["some/where", "check the medium", CAUSE]);
    says(&IngestError::from(unreadable), &["cannot be read", CAUSE]);
    says(&ExportError::from(system()), &["check the space", CAUSE]);
    let write: WriteTfRecordError<SnapshotError> = system().into();
    says(&write, &["check the space", CAUSE]);

    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("own.csv");
    std::fs::write(&file, "hash,energy_kwh,budget\nabc,1,4\n").unwrap();
    let error = Import::open(&file, &ImportOptions::default())
        .and_then(|mut import| import.next().unwrap().map(|_| ()))
        .unwrap_err();
    says(&error, &["own.csv", "record 1"]);
    let absent = folder.path().join("absent.csv");
    let error = Import::open(&absent, &ImportOptions::default()).unwrap_err();
    says(&error, &["absent.csv", "os error 2"]);
}

#[test]
fn no_error_of_a_real_file_repeats_its_cause() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("file");
    std::fs::write(&file, "no store").unwrap();
    says(
        &Snapshot::open(folder.path().join("absent")).unwrap_err(),
        &["absent", "os error 2"],
    );
    says(
        &Snapshot::open(&file).unwrap_err(),
        &["expected a sealed snapshot"],
    );
    says(
        &Store::open(&file).unwrap_err(),
        &["expected an ecnas store"],
    );
    says(&Store::open(folder.path()).unwrap_err(), &["regular file"]);
    let nowhere = SnapshotWriter::create(file.join("t.ecnas")).err().unwrap();
    says(&nowhere, &["create a temporary file"]);
    let error = ecnas::benchmark::default_path_in(&file, |_| std::ops::ControlFlow::Continue(()));
    says(
        &error.unwrap_err(),
        &["cannot write the cache folder", "not a directory"],
    );
}

#[test]
fn errors_that_list_thousands_of_names_are_short() {
    let names: Vec<String> = (0..9_996).map(|number| format!("table {number}")).collect();
    let budgets: Vec<Budget> = (1..=9_996)
        .map(|own| Budget::epochs(own).unwrap())
        .collect();
    let (table, budget, column) = (String::new(), budgets[0], String::new());
    let errors: [Box<dyn Error>; 6] = [
        Box::new(SnapshotError::NoSuchTable {
            table: table.clone(),
            tables: names.clone(),
        }),
        Box::new(SnapshotError::Ambiguous {
            tables: names.clone(),
        }),
        Box::new(SnapshotError::NoSuchColumn {
            table: table.clone(),
            budget,
            column,
            columns: names.clone(),
        }),
        Box::new(StoreError::NoSuchTable {
            table: table.clone(),
            tables: names,
        }),
        Box::new(SnapshotError::NoSuchBudget {
            table: table.clone(),
            budget,
            budgets: budgets.clone(),
        }),
        Box::new(SnapshotError::NoSuchCell {
            table,
            hash: Cell::from_bits("0100", "input,output").unwrap().hash(),
            budget,
            cell_budgets: budgets.clone(),
            budgets,
        }),
    ];
    for error in errors {
        let text = error.to_string();
        assert!(
            text.len() < 600 && text.contains("… and 9,980 more"),
            "{text}"
        );
    }
}

/// That the `Debug` of something large is short, pretty or not.
fn short(value: &dyn Debug, words: &[&str]) {
    for text in [format!("{value:?}"), format!("{value:#?}")] {
        assert!(text.len() < 6_000, "{} bytes: {text:.500}", text.len());
        for word in words {
            assert!(text.contains(word), "{word}: {text}");
        }
    }
}

#[test]
fn debug_of_what_is_large_is_short() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("t.ecnas");
    let budget = Budget::epochs(4).unwrap();
    let space = Space::new(6, 9);
    let mut writer = SnapshotWriter::create(&path).unwrap();
    let name = "t".to_owned();
    writer
        .begin_table(TableInfo {
            name,
            ..TableInfo::default()
        })
        .unwrap();
    for (number, cell) in space.cells().iter().take(5_000).enumerate() {
        let mut trial = Trial::new(cell.hash(), budget, 1);
        trial.cell = Some(*cell);
        trial.totals.set(Metric::Energy, number as f64);
        trial.totals.set(
            Metric::ValidationAccuracy,
            0.5 + (number % 997) as f64 / 2_000.0,
        );
        writer.add(&trial).unwrap();
    }
    writer.finish().unwrap();

    let snapshot = Snapshot::open(&path).unwrap();
    short(&snapshot, &["Snapshot", "\"t\"", "bytes"]);
    short(&AlignedBytes::read(&path).unwrap(), &["bytes"]);
    // SAFETY: nobody changes the file.
    let mapped = unsafe { Snapshot::map_with(&path, Mapping::Always) }.unwrap();
    short(&mapped, &["Snapshot"]);
    let table = snapshot.table("t").unwrap();
    let view = table.view(budget).unwrap();
    let dominance = view
        .dominance([Objective::ENERGY, Objective::VALIDATION_ACCURACY])
        .unwrap();
    assert!(!dominance.front().is_empty());
    let query = RecipeQuery::default();
    short(&table, &["rows: 5000"]);
    short(&table.join(table), &["Join"]);
    short(&view, &["View"]);
    short(&view.rows().next().unwrap(), &["energy_kwh"]);
    short(&dominance, &["Dominance", "energy_kwh"]);
    short(&view.recipes(&query).unwrap(), &["RecipeSearch"]);
    short(&space, &["64542 cells"]);

    let energy: Vec<f64> = (0..5_000).map(f64::from).collect();
    let builder = IndexBuilder::new(5_000).column("energy", &energy).unwrap();
    let builder = builder
        .column("again", &energy)
        .unwrap()
        .pair("energy", "again")
        .unwrap();
    short(&builder, &["energy", "5000"]);
    let bytes = builder.build().unwrap();
    short(&bytes, &["IndexBytes"]);
    let index = Index::open(bytes.as_ref(), |_| Some(energy.as_slice())).unwrap();
    short(&index, &["energy", "again"]);
    short(&index.column("energy").unwrap(), &["5000"]);
    short(&index.pair("energy", "again").unwrap(), &["PairIndex"]);

    let surrogate = Surrogate::embedded();
    short(surrogate, &[surrogate.name()]);
    short(&surrogate.predict(space.cells()[0]), &[surrogate.name()]);
    let mut trial = Trial::new(space.cells()[0].hash(), budget, 1);
    trial.checkpoints = vec![Checkpoint::default(); 5_000];
    trial.other = (0..5_000)
        .map(|number| (format!("c{number}"), 1.0))
        .collect();
    trial.verbatim = Some(vec![7; 100_000]);
    short(&trial, &["… and 4,984 more", "… and 99,984 more"]);
    assert!(!encode_trial(&trial).unwrap().as_ref().is_empty());
}

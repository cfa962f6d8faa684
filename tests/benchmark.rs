//! The benchmark of the whole search space: built once, predicted, with measured trials laid over it.

use std::collections::HashSet;
use std::ops::ControlFlow;
use std::path::Path;
use std::sync::OnceLock;
use std::sync::atomic::{AtomicUsize, Ordering};

use ecnas::benchmark::{self, BenchmarkError, BuildProgress, Builder, Stage, TABLE};
use ecnas::cell::{Cell, Space};
use ecnas::metrics::{Budget, Metric, Provenance, Provenances, Setting, TableInfo, Trial};
use ecnas::query::{Objective, RecipeQuery, Reference, Scale};
use ecnas::snapshot::{AlignedBytes, Repeats, RowId, Snapshot, View};
use ecnas::surrogate::Surrogate;
use tempfile::TempDir;

fn budget(epochs: u32) -> Budget {
    Budget::epochs(epochs).unwrap()
}

fn go_on(_: BuildProgress) -> ControlFlow<()> {
    ControlFlow::Continue(())
}

fn open(path: &Path) -> Snapshot {
    Snapshot::from_bytes(AlignedBytes::read(path).unwrap()).unwrap()
}

/// Built once for all tests, by four threads that ask at the same time.
fn built() -> &'static Snapshot {
    static BUILT: OnceLock<Snapshot> = OnceLock::new();
    BUILT.get_or_init(|| {
        let folder = tempfile::tempdir().unwrap();
        let stages = AtomicUsize::new(0);
        let ask = || {
            benchmark::default_path_in(&folder.path().join("cache"), |at| {
                let begins = at.stage != Stage::Waiting && at.done == 0;
                stages.fetch_add(usize::from(begins), Ordering::Relaxed);
                ControlFlow::Continue(())
            })
            .unwrap()
        };
        let paths = std::thread::scope(|scope| {
            let all: Vec<_> = (0..4).map(|_| scope.spawn(ask)).collect();
            all.into_iter()
                .map(|one| one.join().unwrap())
                .collect::<Vec<_>>()
        });
        assert!(paths.iter().all(|path| *path == paths[0]));
        assert_eq!(
            stages.into_inner(),
            Stage::ALL.len(),
            "one builds, the others wait"
        );
        let files = std::fs::read_dir(folder.path().join("cache"));
        let files = files.unwrap().count();
        assert_eq!(files, 1, "the snapshot, nothing unfinished");
        open(&paths[0])
    })
}

#[test]
fn it_holds_every_cell_with_its_size_at_every_budget() {
    let snapshot = built();
    snapshot.verify().unwrap();
    let table = snapshot.table(TABLE).unwrap();
    assert_eq!((table.len(), table.trial_count()), (423_624, 0));
    assert!(table.budgets().eq(Surrogate::EPOCHS.map(budget)));
    let view = table.view(budget(108)).unwrap();
    assert_eq!(view.row_set().len(), 423_624);
    let space = Space::new(7, 9);
    let hashes: HashSet<_> = space.iter().map(|(hash, _)| hash).collect();
    assert_eq!(hashes.len(), 423_624);
    for (hash, cell) in space.iter().step_by(997) {
        let row = view.get(hash).unwrap();
        assert_eq!(row.cell(), Some(cell));
        assert_eq!(row.trial_count(), 0);
        assert_eq!(
            row.get(Metric::TrainableParameters),
            Some(cell.trainable_parameters() as f64)
        );
        assert_eq!(row.get(Metric::Macs), Some(cell.macs().total() as f64));
        let own = Surrogate::embedded().predict(cell).at(budget(108)).unwrap();
        assert_eq!(row.get(Metric::Energy), Some(own.energy_kwh.value));
        assert_eq!(row.get_named("high_energy_kwh"), Some(own.energy_kwh.high));
        assert_eq!(
            row.get_named("low_validation_accuracy"),
            Some(own.validation_accuracy.low)
        );
        assert!(row.is_estimate("energy_kwh") && !row.is_estimate("test_accuracy"));
    }
    // Every policy finds an estimate: it has no repeats.
    for policy in [Repeats::Min, Repeats::Given(3), Repeats::Draw { seed: 1 }] {
        let other = table.view_with(budget(108), policy).unwrap();
        assert_eq!(
            other.column(Metric::Energy).unwrap(),
            view.column(Metric::Energy).unwrap()
        );
    }
}

#[test]
fn it_says_that_everything_is_predicted() {
    let info = built().table(TABLE).unwrap().info().unwrap();
    let predicted = Surrogate::embedded().provenance();
    for column in [
        "energy_kwh",
        "validation_accuracy",
        "training_time_s",
        "tpu_training_time_s",
    ] {
        assert_eq!(info.estimates.provenance.of(column), predicted, "{column}");
    }
    assert_ne!(info.estimates.provenance.of("linear_energy_kwh"), predicted);
    assert_eq!(
        info.estimates.provenance.of(Metric::Macs),
        Provenance::Computed
    );
    // No trial, nothing to say of trials.
    assert_eq!(info.provenance, Provenances::default());
    assert_eq!(info.trial_setting(), Setting::default());
}

#[test]
fn training_them_all_would_take_what_the_article_says() {
    // 263,000 kWh: energy of 4 epochs times (1 + 3 + 9 + 27), over all cells.
    let sum = |column: &str| -> f64 {
        let views = Surrogate::EPOCHS.map(|epochs| built().view(TABLE, budget(epochs)).unwrap());
        views
            .iter()
            .map(|view| view.column(column).unwrap().iter().sum::<f64>())
            .sum()
    };
    let (linear, measured) = (sum("linear_energy_kwh"), sum("energy_kwh"));
    println!("linear scaling {linear:.0} kWh, measured scaling {measured:.0} kWh");
    assert!((linear / 263_000.0 - 1.0).abs() < 0.02, "{linear}");
    assert!((0.85..0.92).contains(&(measured / linear)), "{measured}");
}

#[test]
fn recipes_save_what_the_article_says() {
    let view = built().view(TABLE, budget(108)).unwrap();
    let query = RecipeQuery::default();
    let search = view.recipes(&query).unwrap();
    let best = view.at(search.best().unwrap().unwrap()).unwrap();
    let reference = view.at(search.reference().unwrap()).unwrap();
    let saving = 1.0 - best.get(Metric::Energy).unwrap() / reference.get(Metric::Energy).unwrap();
    println!("{:.1} % saved for at most one point", 100.0 * saving);
    assert!((0.65..0.85).contains(&saving), "{saving}");
    // The cautious front: the worse end of each interval.
    let cautious = [
        Objective {
            column: "high_energy_kwh".into(),
            ..Objective::ENERGY
        },
        Objective {
            column: "low_validation_accuracy".into(),
            ..Objective::VALIDATION_ACCURACY
        },
    ];
    let front = view.dominance(cautious).unwrap().front().len();
    assert!(front > 10, "{front}");
}

/// Exported as TFRecord and read again, every record says what the benchmark says.
#[cfg(feature = "import")]
#[test]
fn it_comes_back_from_a_tfrecord() {
    use ecnas::import::{Import, ImportOptions, tfrecord};
    use std::fs::File;
    use std::io::BufWriter;

    let table = built().table(TABLE).unwrap();
    let folder = TempDir::new().unwrap();
    let path = folder.path().join("all.tfrecord");
    let out = BufWriter::new(File::create(&path).unwrap());
    let written = tfrecord::write_tfrecord(ecnas::export::lines(table), out).unwrap();
    assert_eq!(written.records, 4 * 423_624);
    let views = Surrogate::EPOCHS.map(|epochs| table.view(budget(epochs)).unwrap());
    let mut seen = 0;
    for batch in Import::open(&path, &ImportOptions::default()).unwrap() {
        for trial in batch.unwrap() {
            let view = views
                .iter()
                .find(|view| view.budget() == trial.budget)
                .unwrap();
            let row = view.get(trial.hash).unwrap();
            assert_eq!(
                row.cell().map(|cell| cell.code()),
                trial.cell.map(|cell| cell.code())
            );
            for metric in [
                Metric::Energy,
                Metric::TrainingTime,
                Metric::ValidationAccuracy,
                Metric::TrainableParameters,
            ] {
                assert_eq!(trial.result(metric), row.get(metric), "{metric:?}");
            }
            seen += 1;
        }
    }
    assert_eq!(seen, 4 * 423_624);
}

/// Measured trials go before predictions, value by value.
#[test]
fn measured_trials_replace_predictions() {
    let folder = TempDir::new().unwrap();
    let path = folder.path().join("overlay.ecnas");
    let info = TableInfo {
        provenance: Provenances::uniform(Provenance::Measured),
        ..TableInfo::default()
    };
    let mut builder = Builder::new(&path, Surrogate::embedded(), Some(info)).unwrap();
    let cell: Cell = "0110001100010000:input,conv1x1-bn-relu,conv3x3-bn-relu,output"
        .parse()
        .unwrap();
    for (repeat, kwh) in [(1, 0.3), (2, 0.5)] {
        let mut trial = Trial::new(cell.hash(), budget(108), repeat);
        trial.totals.set(Metric::Energy, kwh);
        builder.add(&trial).unwrap();
    }
    let sealed = builder.finish(go_on).unwrap();
    assert_eq!(sealed.trials, 2);
    let snapshot = open(&path);
    snapshot.verify().unwrap();
    let table = snapshot.table(TABLE).unwrap();
    assert_eq!((table.len(), table.trial_count()), (423_624, 2));
    let view = table.view(budget(108)).unwrap();
    let row = view.get(cell).unwrap();
    assert_eq!((row.get(Metric::Energy), row.trial_count()), (Some(0.4), 2));
    assert!(!row.is_estimate("energy_kwh"));
    let predicted = Surrogate::embedded().predict(cell).at(budget(108)).unwrap();
    assert_eq!(
        row.get(Metric::ValidationAccuracy),
        Some(predicted.validation_accuracy.value)
    );
    assert!(row.is_estimate("validation_accuracy"));
    let least = table.view_with(budget(108), Repeats::Min).unwrap();
    assert_eq!(least.get(cell).unwrap().get(Metric::Energy), Some(0.3));
    // At another budget, and for other cells, predictions stay; indexes see what columns hold.
    assert!(
        table
            .view(budget(36))
            .unwrap()
            .get(cell)
            .unwrap()
            .is_estimate("energy_kwh")
    );
    let by_index = view
        .query()
        .within(
            Metric::Energy,
            ecnas::index::Interval::new(0.4..=0.4).unwrap(),
        )
        .unwrap();
    assert!(by_index.rows().unwrap().contains(row.id()));
    // Nobody said for which device, or with which PUE, it was measured: it is on a scale of its own.
    let mut query = RecipeQuery::default();
    query.reference = Reference::Cell(cell.hash());
    let refused = view.recipes(&query).unwrap_err().to_string();
    assert!(
        refused.contains("two scales: trials (device not stated, PUE not stated), estimates (Quadro RTX 6000, PUE not stated, CIFAR-10)"),
        "{refused}"
    );
    query.scale = Some(Scale::Trials);
    assert_eq!(view.recipes(&query).unwrap().best().unwrap(), None);
    query.scale = Some(Scale::Estimates);
    assert!(view.recipes(&query).is_err(), "it is measured");
    query.reference = Reference::MostAccurate;
    let search = view.recipes(&query).unwrap();
    assert!(search.best().unwrap().is_some());
    let predicted_alone = built().view(TABLE, budget(108)).unwrap();
    let alone = RecipeQuery::default();
    let alone = predicted_alone.recipes(&alone).unwrap();
    let hash = |view: &View<'_>, row: Option<RowId>| view.at(row.unwrap()).unwrap().hash();
    assert_eq!(
        hash(&view, search.best().unwrap()),
        hash(&predicted_alone, alone.best().unwrap())
    );
}

/// What nobody stated of a trial is unstated: never what the predictions beside it are.
#[test]
fn trials_without_a_description_are_not_called_predicted() {
    let folder = TempDir::new().unwrap();
    let path = folder.path().join("overlay.ecnas");
    let mut builder = Builder::new(&path, Surrogate::embedded(), None).unwrap();
    let cell: Cell = "0110001100010000:input,conv1x1-bn-relu,conv3x3-bn-relu,output"
        .parse()
        .unwrap();
    let mut trial = Trial::new(cell.hash(), budget(108), 1);
    trial.totals.set(Metric::Energy, 0.4);
    // As NAS-Bench-101 gives it: seconds of a TPU.
    trial.totals.set(Metric::TrainingTime, 1000.0);
    builder.add(&trial).unwrap();
    // Of the best recipe, the time alone.
    let best = built().view(TABLE, budget(108)).unwrap();
    let query = RecipeQuery::default();
    let best = best
        .at(best.recipes(&query).unwrap().best().unwrap().unwrap())
        .unwrap()
        .hash();
    let mut timed = Trial::new(best, budget(108), 1);
    timed.totals.set(Metric::TrainingTime, 1000.0);
    builder.add(&timed).unwrap();
    builder.finish(go_on).unwrap();
    let snapshot = open(&path);
    let view = snapshot.view(TABLE, budget(108)).unwrap();
    let row = view.get(cell).unwrap();
    for column in ["energy_kwh", "training_time_s"] {
        let provenance = row.provenance(column).unwrap();
        assert_eq!(provenance, Some(Provenance::Unstated), "{column}");
        let parts = view.provenance(column).unwrap();
        let predicted = Surrogate::embedded().provenance();
        let tried = if column == "energy_kwh" { 1 } else { 2 };
        let expected = [(predicted, 423_624 - tried), (Provenance::Unstated, tried)];
        assert_eq!(parts, expected, "{column}");
        let [trials, estimates] = view.two_scales(column).unwrap().unwrap();
        assert_eq!(trials, Setting::default(), "{column}");
        assert_eq!(estimates, Surrogate::embedded().setting(), "{column}");
    }
    assert_eq!(row.get(Metric::TrainingTime), Some(1000.0));
    // Of accuracy there are predictions alone.
    let accuracy = Metric::ValidationAccuracy;
    assert_eq!(view.two_scales(accuracy).unwrap(), None);
    // Times of two scales are not compared.
    let mut query = RecipeQuery::default();
    query.scale = Some(Scale::Estimates);
    let search = view.recipes(&query).unwrap();
    let book = search.book().unwrap();
    assert_eq!(book.recipes[0].hash, best);
    assert_eq!(book.recipes[0].training_time_s, Some(1000.0));
    assert_eq!(book.recipes[0].time_saving, None);
    assert!(
        book.recipes[1..]
            .iter()
            .all(|own| own.time_saving.is_some())
    );
}

#[test]
fn what_cannot_be_built_leaves_nothing() {
    let folder = TempDir::new().unwrap();
    let cache = folder.path().join("cache");
    for last in Stage::ALL {
        // In the middle of a stage.
        let stop = |at: BuildProgress| {
            if at.stage == last && at.done > at.total / 3 {
                ControlFlow::Break(())
            } else {
                ControlFlow::Continue(())
            }
        };
        let error = benchmark::default_path_in(&cache, stop).unwrap_err();
        assert!(matches!(error, BenchmarkError::Interrupted), "{error}");
        let left: Vec<_> = std::fs::read_dir(&cache)
            .unwrap()
            .map(|entry| entry.unwrap().file_name())
            .collect();
        assert!(left.is_empty(), "{left:?}");
    }
    let file = folder.path().join("file");
    std::fs::write(&file, "no folder").unwrap();
    let error = benchmark::default_path_in(&file, go_on).unwrap_err();
    assert!(matches!(error, BenchmarkError::Cache { .. }), "{error}");
    assert!(error.to_string().contains("ECNAS_CACHE"), "{error}");
}

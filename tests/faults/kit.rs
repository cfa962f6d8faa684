//! Numbers of trials, random numbers, small tables, and the line that says how it went.

use ecnas::cell::{Cell, enumerate};
use ecnas::metrics::{Budget, Checkpoint, Metric, TableInfo, Trial};
use ecnas::snapshot::SnapshotWriter;
use rand::rngs::StdRng;
use rand::{Rng, SeedableRng};

/// How many trials to run.
pub fn trials(short: u64, long: u64) -> u64 {
    match std::env::var("ECNAS_FAULTS").as_deref() {
        Ok("long") => long,
        Ok(factor) => short * factor.parse::<u64>().unwrap_or(1),
        Err(_) => short,
    }
}

pub fn is_long() -> bool {
    std::env::var("ECNAS_FAULTS").is_ok_and(|mode| mode == "long")
}

/// One line: no failure in so many trials bounds the rate, at a confidence of 95 %, by 3 in that many.
pub fn report(what: &str, trials: u64, more: &str) {
    println!(
        "{what}: {trials} trials, 0 failures (rate below {:.1e}){}{more}",
        3.0 / trials.max(1) as f64,
        if more.is_empty() { "" } else { "; " },
    );
}

pub fn random(seed: u64) -> StdRng {
    StdRng::seed_from_u64(seed)
}

/// A few hundred cells.
pub fn cells() -> Vec<Cell> {
    enumerate(5, 9).collect()
}

/// A trial whose values follow from its number.
pub fn trial(cell: Cell, epochs: u32, repeat: u32, number: u64) -> Trial {
    let mut trial = Trial::new(cell.hash(), Budget::epochs(epochs).unwrap(), repeat);
    trial.cell = Some(cell);
    let parameters = cell.trainable_parameters() as f64;
    trial.totals.set(Metric::TrainableParameters, parameters);
    let mut last = Checkpoint::default();
    last.values.set(Metric::Energy, 0.001 * (number + 1) as f64);
    last.values.set(
        Metric::ValidationAccuracy,
        0.5 + (number % 401) as f64 / 1000.0,
    );
    last.values.set(Metric::Epoch, f64::from(epochs));
    trial.checkpoints = vec![last];
    trial
}

/// The bytes of a snapshot of so many cells at two budgets.
pub fn snapshot(count: usize, seed: u64) -> Vec<u8> {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("t.ecnas");
    let mut writer = SnapshotWriter::create(&path).unwrap();
    let info = TableInfo {
        name: "t".to_owned(),
        ..TableInfo::default()
    };
    writer.begin_table(info).unwrap();
    let mut random = random(seed);
    for cell in enumerate(7, 9).take(count) {
        for epochs in [4, 108] {
            writer
                .add(&trial(cell, epochs, 1, random.random_range(0..100_000)))
                .unwrap();
        }
    }
    writer.finish().unwrap();
    std::fs::read(path).unwrap()
}

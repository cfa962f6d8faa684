//! A seeded synthetic table, and what is asked of it.

use std::path::Path;

use ecnas::cell::CellHash;
use ecnas::metrics::{Budget, Metric, TableInfo, Trial};
use ecnas::snapshot::{Snapshot, SnapshotWriter};
use rand::rngs::StdRng;
use rand::seq::SliceRandom;
use rand::{Rng, SeedableRng};
use rand_distr::{Distribution, LogNormal};
use serde::Serialize;

pub const SEED: u64 = 101;
pub const EPOCHS: u32 = 108;
/// Shares of the rows that boxes hold.
pub const SHARES: [f64; 5] = [0.000_01, 0.001, 0.01, 0.1, 0.5];

/// A sealed table, and the columns that other engines get: rows in the order of energy.
pub struct Table {
    pub path: std::path::PathBuf,
    pub hashes: Vec<CellHash>,
    pub energy: Vec<f64>,
    pub accuracy: Vec<f64>,
    pub time: Vec<f64>,
    pub parameters: Vec<f64>,
}

impl Table {
    /// Cells of the search space at four budgets; beyond their number, random hashes at one.
    pub fn generate(rows: usize, folder: &Path) -> Self {
        let path = folder.join("peers.ecnas");
        let mut writer = SnapshotWriter::create(&path).unwrap();
        let info = TableInfo {
            name: "peers".to_owned(),
            ..TableInfo::default()
        };
        writer.begin_table(info).unwrap();
        let whole = rows <= 423_624;
        let budgets: &[u32] = if whole { &[4, 12, 36, EPOCHS] } else { &[EPOCHS] };
        let mut random = StdRng::seed_from_u64(SEED);
        let energy_of_4_epochs = LogNormal::new(-4.2, 0.5).unwrap();
        let mut cells = ecnas::cell::enumerate(7, 9);
        for _ in 0..rows {
            let cell = if whole { cells.next() } else { None };
            let hash = match cell {
                Some(cell) => cell.hash(),
                None => CellHash::from_bytes(random.random()),
            };
            let energy: f64 = energy_of_4_epochs.sample(&mut random);
            let quality = (energy * 50.0).tanh() * 0.05 + random.random_range(0.0..0.08);
            let parameters = (energy * 4e8 * random.random_range(0.5..1.5)).round();
            for &epochs in budgets {
                let energy = energy * f64::from(epochs) / 4.0 * random.random_range(0.97..1.03);
                let accuracy = 0.82 + quality + 0.02 * f64::from(epochs).ln() / 108_f64.ln();
                let accuracy = accuracy + random.random_range(-0.003..0.003);
                let mut trial = Trial::new(hash, Budget::epochs(epochs).unwrap(), 1);
                trial.cell = cell;
                for (metric, value) in [
                    (Metric::Energy, energy),
                    (Metric::ValidationAccuracy, (accuracy * 9984.0).round() / 9984.0),
                    (Metric::TrainingTime, 5000.0 * energy * random.random_range(0.9..1.1)),
                    (Metric::TrainableParameters, parameters),
                ] {
                    trial.totals.set(metric, value);
                }
                writer.add(&trial).unwrap();
            }
        }
        let sealed = writer.finish().unwrap();
        println!(
            "seed {SEED}, {rows} rows at {budgets:?} epochs, snapshot of {} bytes, warm, one thread",
            sealed.bytes
        );
        // SAFETY: nothing changes the file while it is mapped.
        let snapshot = unsafe { Snapshot::map(&path) }.unwrap();
        let view = snapshot.view("peers", Budget::epochs(EPOCHS).unwrap()).unwrap();
        let column = |metric| view.column(metric).unwrap().to_vec();
        Self {
            hashes: view.rows().map(|row| row.hash()).collect(),
            energy: column(Metric::Energy),
            accuracy: column(Metric::ValidationAccuracy),
            time: column(Metric::TrainingTime),
            parameters: column(Metric::TrainableParameters),
            path: path.clone(),
        }
    }

    /// Little-endian values, one file a column.
    pub fn write_columns(&self, folder: &Path) {
        let columns = [
            ("energy", &self.energy),
            ("accuracy", &self.accuracy),
            ("time", &self.time),
            ("parameters", &self.parameters),
        ];
        for (name, values) in columns {
            let bytes: Vec<u8> = values.iter().flat_map(|value| value.to_le_bytes()).collect();
            std::fs::write(folder.join(format!("{name}.f64")), bytes).unwrap();
        }
    }
}

/// What every engine is asked, in the same words.
#[derive(Serialize)]
pub struct Questions {
    pub rows: usize,
    /// By share of the rows: boxes of at most so much energy and at least so much accuracy.
    pub boxes: Vec<(String, Vec<[f64; 2]>)>,
    /// Boxes of about 1 % of the rows, with at least so much training time.
    pub three: Vec<[f64; 3]>,
    /// Accuracies of which the ten cheapest rows are wanted.
    pub accuracies: Vec<f64>,
    /// Points of energy and accuracy.
    pub points: Vec<[f64; 2]>,
    /// All rows in random order.
    #[serde(skip)]
    pub order: Vec<u32>,
}

impl Questions {
    pub fn about(table: &Table) -> Self {
        let mut random = StdRng::seed_from_u64(SEED + 1);
        let rows = table.energy.len();
        let sorted = |values: &[f64]| {
            let mut values = values.to_vec();
            values.sort_by(f64::total_cmp);
            values
        };
        let (accuracies, times) = (sorted(&table.accuracy), sorted(&table.time));
        // Rows are in the order of energy: a prefix, and the accuracy that leaves the share of it.
        let mut box_of = |share: f64| {
            let end = (rows as f64 * random.random_range(share * 1.02..1.0)) as usize;
            let most = table.energy[end.min(rows - 1)];
            let left = sorted(&table.accuracy[..end.max(1)]);
            let wanted = ((share * rows as f64) as usize).clamp(1, left.len());
            [most, left[left.len() - wanted]]
        };
        let boxes = SHARES
            .iter()
            .map(|&share| {
                let boxes = (0..16).map(|_| box_of(share)).collect();
                (format!("{} %", 100.0 * share), boxes)
            })
            .collect();
        let three = (0..16)
            .map(|_| {
                let [most, least] = box_of(0.015);
                [most, least, times[rows / 3]]
            })
            .collect();
        let mut order: Vec<u32> = (0..rows as u32).collect();
        order.shuffle(&mut StdRng::seed_from_u64(SEED + 2));
        let quantile = |values: &[f64], number: usize| values[(rows - 1) * number / 1000];
        Self {
            rows,
            boxes,
            three,
            accuracies: (0..64).map(|n| quantile(&accuracies, 200 + 12 * n)).collect(),
            points: (0..64)
                .map(|n| [quantile(&table.energy, 20 + 15 * n), quantile(&accuracies, n * 389 % 1000)])
                .collect(),
            order,
        }
    }
}

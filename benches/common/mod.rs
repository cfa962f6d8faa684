//! A seeded synthetic benchmark with the shape of EC-NAS's files, for timings at any size.

// Each benchmark uses its own part of this.
#![allow(dead_code)]

use ecnas::cell::{self, Cell};
use ecnas::metrics::{Budget, Checkpoint, Component, Metric, PowerUsage, TableInfo, Trial};
use ecnas::snapshot::{AlignedBytes, Snapshot, SnapshotWriter};
use rand::rngs::StdRng;
use rand::{Rng, SeedableRng};
use rand_distr::{Distribution, LogNormal};

/// The seed of every synthetic table.
pub const SEED: u64 = 101;
/// The budgets of every synthetic table.
pub const BUDGETS: [u32; 4] = [4, 12, 36, 108];

/// Trials of so many cells, one per cell and budget, with checkpoints, time stamps and power as EC-NAS's files have them.
/// Energy is log-normal; accuracy grows with energy and budget, with ties.
pub fn trials(cells: usize) -> impl Iterator<Item = Trial> {
    trials_from(
        cell::enumerate(7, 9)
            .map(|cell| (cell, cell.hash()))
            .take(cells),
    )
}

/// As [`trials`], over cells whose hashes are known.
pub fn trials_from(
    cells: impl Iterator<Item = (Cell, ecnas::cell::CellHash)>,
) -> impl Iterator<Item = Trial> {
    let mut random = StdRng::seed_from_u64(SEED);
    let energy_of_4_epochs = LogNormal::new(-4.2, 0.5).unwrap();
    cells.flat_map(move |(cell, hash)| {
        let energy: f64 = energy_of_4_epochs.sample(&mut random);
        let quality = (energy * 50.0).tanh() * 0.05 + random.random_range(0.0..0.08);
        let trials: Vec<Trial> = BUDGETS
            .iter()
            .map(|&epochs| trial(&mut random, cell, hash, epochs, energy, quality))
            .collect();
        trials
    })
}

fn trial(
    random: &mut StdRng,
    cell: Cell,
    hash: ecnas::cell::CellHash,
    epochs: u32,
    energy_of_4_epochs: f64,
    quality: f64,
) -> Trial {
    let scale = f64::from(epochs) / 4.0;
    let mut trial = Trial::new(hash, Budget::epochs(epochs).unwrap(), 1);
    trial.cell = Some(cell);
    let final_accuracy = 0.82 + quality + 0.02 * f64::from(epochs).ln() / 108_f64.ln();
    for (epoch, share) in [
        (0.0, 0.02),
        (f64::from(epochs / 2), 0.5),
        (f64::from(epochs), 1.0),
    ] {
        let energy = energy_of_4_epochs * scale * share;
        let accuracy = if epoch == 0.0 {
            0.1
        } else {
            final_accuracy * (0.9 + 0.1 * share)
        };
        let accuracy = (accuracy * 9984.0).round() / 9984.0;
        let intensity = random.random_range(44.0..201.0_f64).round();
        let mut checkpoint = Checkpoint {
            started: Some("2022-05-29 06:03:58".to_owned()),
            stopped: Some("2022-05-29 06:04:11".to_owned()),
            ..Checkpoint::default()
        };
        for (metric, value) in [
            (Metric::Epoch, epoch),
            (Metric::TrainingTime, 5000.0 * energy),
            (Metric::TrainAccuracy, accuracy),
            (Metric::ValidationAccuracy, accuracy),
            (Metric::TestAccuracy, accuracy),
            (Metric::Energy, energy),
            (Metric::Co2e, energy * intensity),
            (Metric::CarbonIntensity, intensity),
        ] {
            checkpoint.values.set(metric, value);
        }
        if share == 1.0 {
            checkpoint.values.set(Metric::PredictedEnergy, energy * 1.1);
            checkpoint
                .values
                .set(Metric::PredictedCo2e, energy * 1.1 * intensity);
            checkpoint
                .values
                .set(Metric::PredictedTrainingTime, 5500.0 * energy);
            checkpoint
                .values
                .set(Metric::PredictedCarbonIntensity, intensity);
        }
        trial.checkpoints.push(checkpoint);
    }
    let energy = energy_of_4_epochs * scale;
    for (metric, value) in [
        (
            Metric::TrainableParameters,
            cell.trainable_parameters() as f64,
        ),
        (Metric::Macs, cell.macs().total() as f64),
        (Metric::TotalTime, 5600.0 * energy),
        (Metric::TotalEnergy, energy * 1.2),
        (Metric::TotalCo2e, energy * 120.0),
        (Metric::TotalCarbonIntensity, 100.0),
    ] {
        trial.totals.set(metric, value);
    }
    for (component, device) in [
        (Component::Gpu, "NVIDIA Quadro RTX 6000"),
        (Component::Cpu, "cpu:0"),
    ] {
        trial.power.push(PowerUsage {
            component,
            device: Some(device.to_owned()),
            power_w: Some(random.random_range(50.0..250.0)),
            energy_j: Some(energy * 1e6),
        });
    }
    trial
}

/// A snapshot in memory with one small trial for each of so many cells and every budget: energy log-normal, accuracy
/// growing with it, with ties, time nearly proportional to energy.
pub fn sealed_columns(cells: usize) -> Snapshot {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("synthetic.ecnas");
    let mut writer = SnapshotWriter::create(&path).unwrap();
    let info = TableInfo {
        name: "synthetic".to_owned(),
        ..TableInfo::default()
    };
    writer.begin_table(info).unwrap();
    let mut random = StdRng::seed_from_u64(SEED);
    let energy_of_4_epochs = LogNormal::new(-4.2, 0.5).unwrap();
    for cell in cell::enumerate(7, 9).take(cells) {
        let hash = cell.hash();
        let energy: f64 = energy_of_4_epochs.sample(&mut random);
        let quality = (energy * 50.0).tanh() * 0.05 + random.random_range(0.0..0.08);
        for epochs in BUDGETS {
            let energy = energy * f64::from(epochs) / 4.0 * random.random_range(0.97..1.03);
            let mut trial = Trial::new(hash, Budget::epochs(epochs).unwrap(), 1);
            trial.cell = Some(cell);
            let accuracy = 0.82 + quality + 0.02 * f64::from(epochs).ln() / 108_f64.ln();
            let mut noisy = |noise: f64| {
                let accuracy = accuracy + random.random_range(-noise..noise);
                (accuracy * 9984.0).round() / 9984.0
            };
            let accuracies = [noisy(0.003), noisy(0.003), noisy(0.001)];
            let [validation, test, train] = accuracies;
            for (metric, value) in [
                (Metric::Energy, energy),
                (Metric::ValidationAccuracy, validation),
                (Metric::TestAccuracy, test),
                (Metric::TrainAccuracy, train),
                (
                    Metric::TrainingTime,
                    5000.0 * energy * random.random_range(0.9..1.1),
                ),
                (Metric::Co2e, energy * random.random_range(44.0..201.0)),
                (
                    Metric::TrainableParameters,
                    cell.trainable_parameters() as f64,
                ),
                (Metric::Macs, cell.macs().total() as f64),
            ] {
                trial.totals.set(metric, value);
            }
            writer.add(&trial).unwrap();
        }
    }
    let sealed = writer.finish().unwrap();
    println!(
        "seed {SEED}, {cells} cells x {BUDGETS:?} epochs, {} bytes, warm, one thread",
        sealed.bytes
    );
    Snapshot::from_bytes(AlignedBytes::read(&path).unwrap()).unwrap()
}

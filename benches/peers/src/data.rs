//! A seeded synthetic table, and the questions about it.

use std::path::Path;

use rand::rngs::StdRng;
use rand::seq::SliceRandom;
use rand::{Rng, SeedableRng};
use rand_distr::{Distribution, LogNormal};

use crate::timing::{COMPARED, Keys};

pub const SEED: u64 = 101;
pub const BUDGETS: [u32; 4] = [4, 12, 36, 108];

/// Columns of one budget, one value for each row.
#[derive(Default)]
pub struct Columns {
    pub energy: Vec<f64>,
    pub accuracy: Vec<f64>,
    pub test: Vec<f64>,
    pub time: Vec<f64>,
}

impl Columns {
    pub fn named(&self) -> [(&'static str, &[f64]); 4] {
        [
            ("energy_kwh", &self.energy),
            ("validation_accuracy", &self.accuracy),
            ("test_accuracy", &self.test),
            ("training_time_s", &self.time),
        ]
    }
}

/// Rows are numbered by energy at the largest budget.
pub struct Table {
    pub keys: Vec<[u8; 16]>,
    /// The cell of each row, where there are enough of them.
    pub cells: Vec<Option<ecnas::cell::Cell>>,
    pub budgets: [Columns; 4],
    pub parameters: Vec<f64>,
    /// The budget that is asked about.
    pub asked: usize,
}

/// A row before it has its number.
struct Draft {
    key: [u8; 16],
    cell: Option<ecnas::cell::Cell>,
    parameters: f64,
    /// Energy, accuracy, test accuracy, time.
    values: [[f64; 4]; 4],
}

impl Table {
    /// The cells of the whole space come first, then random keys. Energy is log-normal, accuracy grows with it, with ties;
    /// time is nearly proportional to energy; the order by energy differs a little between budgets.
    pub fn generate(rows: usize, asked: u32) -> Self {
        let mut random = StdRng::seed_from_u64(SEED);
        let mut keys = StdRng::seed_from_u64(SEED + 1);
        let energy_of_4_epochs = LogNormal::new(-4.2, 0.5).unwrap();
        // Cells do not suffice for more rows than the space has.
        let cells: Vec<Option<ecnas::cell::Cell>> = if rows <= 423_624 {
            ecnas::cell::enumerate(7, 9).take(rows).map(Some).collect()
        } else {
            vec![None; rows]
        };
        let mut drafts: Vec<Draft> = cells
            .into_iter()
            .map(|cell| {
                let energy: f64 = energy_of_4_epochs.sample(&mut random);
                let quality = (energy * 50.0).tanh() * 0.05 + random.random_range(0.0..0.08);
                let some_parameters =
                    (random.random_range(12.0..18.0_f64).exp() / 640.0).round() * 640.0;
                let values = BUDGETS.map(|epochs| {
                    let energy = energy * f64::from(epochs) / 4.0 * random.random_range(0.97..1.03);
                    let accuracy = 0.82 + quality + 0.02 * f64::from(epochs).ln() / 108_f64.ln();
                    let mut noisy = || {
                        let accuracy = accuracy + random.random_range(-0.003..0.003);
                        (accuracy * 9984.0).round() / 9984.0
                    };
                    let accuracies = [noisy(), noisy()];
                    let time = 5000.0 * energy * random.random_range(0.9..1.1);
                    [energy, accuracies[0], accuracies[1], time]
                });
                Draft {
                    key: cell.map_or_else(|| keys.random(), |cell| cell.hash().to_bytes()),
                    cell,
                    parameters: cell
                        .map_or(some_parameters, |cell| cell.trainable_parameters() as f64),
                    values,
                }
            })
            .collect();
        let order = |draft: &Draft| (draft.values[3][0].to_bits(), draft.key);
        drafts.sort_unstable_by_key(order);
        let mut table = Self {
            keys: drafts.iter().map(|draft| draft.key).collect(),
            cells: drafts.iter().map(|draft| draft.cell).collect(),
            budgets: Default::default(),
            parameters: drafts.iter().map(|draft| draft.parameters).collect(),
            asked: BUDGETS
                .iter()
                .position(|&own| own == asked)
                .expect("a budget of 4, 12, 36, 108"),
        };
        for (budget, columns) in table.budgets.iter_mut().enumerate() {
            let column = |number: usize| drafts.iter().map(|d| d.values[budget][number]).collect();
            *columns = Columns {
                energy: column(0),
                accuracy: column(1),
                test: column(2),
                time: column(3),
            };
        }
        table
    }

    pub fn len(&self) -> usize {
        self.keys.len()
    }

    /// The columns that are asked about.
    pub fn columns(&self) -> &Columns {
        &self.budgets[self.asked]
    }

    /// Keys in random order, with some that are not there.
    pub fn shuffled(&self) -> Keys {
        let mut random = StdRng::seed_from_u64(SEED + 2);
        let mut keys = self.keys.clone();
        keys.shuffle(&mut random);
        let absent = (0..COMPARED).map(|_| random.random()).collect();
        Keys { keys, absent }
    }

    /// Writes the columns as little-endian numbers, for the Python script.
    pub fn write(&self, folder: &Path, keys: &Keys) -> std::io::Result<()> {
        let write = |name: String, values: &[f64]| {
            let bytes: Vec<u8> = values
                .iter()
                .flat_map(|value| value.to_le_bytes())
                .collect();
            std::fs::write(folder.join(name), bytes)
        };
        for (epochs, columns) in BUDGETS.iter().zip(&self.budgets) {
            for (name, values) in columns.named() {
                write(format!("{name}.{epochs}.f64"), values)?;
            }
        }
        write("trainable_parameters.f64".to_owned(), &self.parameters)?;
        std::fs::write(folder.join("keys.bin"), self.keys.as_flattened())?;
        std::fs::write(folder.join("shuffled.bin"), keys.keys.as_flattened())?;
        std::fs::write(folder.join("absent.bin"), keys.absent.as_flattened())
    }
}

//! From cells and predictions to a snapshot.

use std::ops::ControlFlow;
use std::path::PathBuf;

use super::{BenchmarkError, TABLE};
use crate::cell::{Cell, CellHash, enumerate, hash_all};
use crate::metrics::{Budget, Estimates, Metric, Provenance, Provenances, TableInfo, Trial};
use crate::parallel;
use crate::snapshot::{Sealed, SnapshotError, SnapshotWriter};
use crate::surrogate::{BudgetPrediction, Prediction, Surrogate, SurrogateError};

/// What a [`Builder`] is doing.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum Stage {
    /// Another process builds the same: it is waited for. This is told again and again.
    Waiting,
    /// Cells are enumerated and hashed.
    Enumerating,
    /// Energy, time and accuracy are predicted.
    Predicting,
    /// Indexes are built, and the file is written and read back.
    Sealing,
}

impl Stage {
    /// The stages of building, in their order.
    pub const ALL: [Self; 3] = [Self::Enumerating, Self::Predicting, Self::Sealing];
}

/// How far a [`Builder`] has come.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub struct BuildProgress {
    /// What it is doing.
    pub stage: Stage,
    /// Steps of the stage that are done.
    pub done: u64,
    /// Steps of the stage, of about the same length each.
    pub total: u64,
}

/// Cells that are predicted together, or whose predictions are handed on: some milliseconds.
const SHARE: usize = 512;

/// What building takes at most on 2 cores, in bytes of addresses: 480 MB were measured, the rest is a margin.
const MEMORY: usize = 512 << 20;
/// What it takes at most for each further core, in bytes: a stack, and what the allocator sets aside for a thread.
const MEMORY_OF_CORE: usize = 66 << 20;
/// What it takes at most for each measured trial, in bytes.
const MEMORY_OF_TRIAL: usize = 512;

/// A predicted column: its name, what kind of figure it is, and how to take it from a prediction.
struct Column {
    name: &'static str,
    kind: Kind,
    of: fn(&BudgetPrediction) -> f64,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Kind {
    Energy,
    LinearEnergy,
    Other,
}

const fn column(name: &'static str, kind: Kind, of: fn(&BudgetPrediction) -> f64) -> Column {
    Column { name, kind, of }
}

const COLUMNS: [Column; 9] = [
    column("energy_kwh", Kind::Energy, |at| at.energy_kwh.value),
    column("low_energy_kwh", Kind::Energy, |at| at.energy_kwh.low),
    column("high_energy_kwh", Kind::Energy, |at| at.energy_kwh.high),
    column("linear_energy_kwh", Kind::LinearEnergy, |at| {
        at.linear_energy_kwh.value
    }),
    column("training_time_s", Kind::Other, |at| {
        at.training_time_s.value
    }),
    column("tpu_training_time_s", Kind::Other, |at| {
        at.tpu_training_time_s.value
    }),
    column("validation_accuracy", Kind::Other, |at| {
        at.validation_accuracy.value
    }),
    column("low_validation_accuracy", Kind::Other, |at| {
        at.validation_accuracy.low
    }),
    column("high_validation_accuracy", Kind::Other, |at| {
        at.validation_accuracy.high
    }),
];

/// Builds a snapshot of the search space.
pub struct Builder<'m> {
    surrogate: &'m Surrogate,
    writer: SnapshotWriter,
    energy_only: bool,
    trials: usize,
}

impl<'m> Builder<'m> {
    /// Starts a snapshot that will be at `target`, with one table: [`TABLE`], or the name in `info`. `info` says what is known of the
    /// trials that are laid over the predictions, if there will be any: what it does not say of them is unstated. What the
    /// predictions are, and for which device, stands beside it as [`TableInfo::estimates`].
    ///
    /// # Errors
    /// The folder does not exist or cannot be written to.
    pub fn new(
        target: impl Into<PathBuf>,
        surrogate: &'m Surrogate,
        info: Option<TableInfo>,
    ) -> Result<Self, BenchmarkError> {
        let mut info = info.unwrap_or_default();
        if info.name.is_empty() {
            TABLE.clone_into(&mut info.name);
        }
        let space = &mut info.search_space;
        space.get_or_insert_with(|| "NAS-Bench-101".to_owned());
        info.estimates = estimates(surrogate);
        reserve(0)?;
        let mut writer = SnapshotWriter::create(target)?;
        writer.begin_table(info)?;
        Ok(Self {
            surrogate,
            writer,
            energy_only: false,
            trials: 0,
        })
    }

    /// Predicts the energy alone: for tables that take accuracy and time from trials.
    #[must_use]
    pub fn energy_only(mut self) -> Self {
        self.energy_only = true;
        self
    }

    /// Lays a measured trial over the predictions: where it has a value, that goes before. Its provenance and setting are
    /// those of the `info` given to [`new`](Self::new); energy and time of trials on another device than the predictions'
    /// are on [another scale](crate::snapshot::View::two_scales).
    ///
    /// # Errors
    /// The disk is full, or there is not enough memory to go on.
    pub fn add(&mut self, trial: &Trial) -> Result<(), BenchmarkError> {
        self.writer.add(trial)?;
        self.trials += 1;
        if self.trials.is_multiple_of(TRIALS_AT_ONCE) {
            reserve(0)?;
        }
        Ok(())
    }

    /// Predicts what is missing, and puts the snapshot at its target. `progress` is told how far it is, many times in each
    /// stage and always on this thread, and may end it.
    ///
    /// # Errors
    /// There is not enough memory, the disk is full, two trials have the same cell, budget and repeat, or `progress` ended
    /// it. Then the target is as before. (A limit on memory is noticed before anything is done; where the machine gives
    /// memory that it does not have, as Linux usually does, it may end the process later.)
    ///
    /// # Complexity
    /// Some seconds on 2 cores, 0.5 GB of memory, 0.3 GB on disk.
    pub fn finish(
        mut self,
        mut progress: impl FnMut(BuildProgress) -> ControlFlow<()>,
    ) -> Result<Sealed, BenchmarkError> {
        reserve(self.trials)?;
        let mut watch = |stage, done: usize, total: usize| {
            let (done, total) = (done as u64, total as u64);
            progress(BuildProgress { stage, done, total })
        };
        let cells = enumerated(&mut watch)?;
        self.predict(&cells, &mut watch)?;
        let sealed = self.writer.finish_watched(|done, total| {
            progress(BuildProgress {
                stage: Stage::Sealing,
                done,
                total,
            })
        });
        sealed.map_err(|error| match error {
            SnapshotError::Interrupted => BenchmarkError::Interrupted,
            error => error.into(),
        })
    }

    /// Adds the predictions of all cells at all budgets.
    fn predict(
        &mut self,
        cells: &[(CellHash, Cell)],
        watch: &mut impl FnMut(Stage, usize, usize) -> ControlFlow<()>,
    ) -> Result<(), BenchmarkError> {
        // Predicting a cell takes about as long as handing its values on at all budgets.
        let shares = cells.len().div_ceil(SHARE);
        let total = 2 * shares;
        let stage = Stage::Predicting;
        go_on(watch(stage, 0, total))?;
        let surrogate = self.surrogate;
        let predicted = parallel::each_watched(
            cells.chunks(SHARE).collect(),
            |cells| {
                let drawn: Vec<Cell> = cells.iter().map(|(_, cell)| *cell).collect();
                Predicted {
                    cells,
                    predictions: surrogate.predict_all(&drawn),
                    parameters: of_cells(&drawn, |cell| cell.trainable_parameters()),
                    macs: of_cells(&drawn, |cell| cell.macs().total()),
                }
            },
            |done| watch(stage, done, total),
        );
        let predicted = predicted.ok_or(BenchmarkError::Interrupted)?;
        for (number, epochs) in Surrogate::EPOCHS.into_iter().enumerate() {
            let budget = Budget::epochs(epochs).map_err(|_| SurrogateError::Damaged {
                found: "a budget of 0 epochs".to_owned(),
            })?;
            for (share, own) in predicted.iter().enumerate() {
                self.add_estimates(budget, own)?;
                let done = (number * shares + share) / Surrogate::EPOCHS.len();
                go_on(watch(stage, shares + done, total))?;
            }
        }
        Ok(())
    }

    fn add_estimates(
        &mut self,
        budget: Budget,
        predicted: &Predicted<'_>,
    ) -> Result<(), BenchmarkError> {
        let at: Vec<BudgetPrediction> = predicted
            .predictions
            .iter()
            .map(|prediction| prediction.at(budget))
            .collect::<Result<_, _>>()?;
        let wanted = COLUMNS
            .iter()
            .filter(|column| !self.energy_only || column.kind != Kind::Other);
        let values: Vec<(&str, Vec<f64>)> = wanted
            .map(|column| (column.name, at.iter().map(column.of).collect()))
            .collect();
        let mut columns: Vec<(&str, &[f64])> = values
            .iter()
            .map(|(name, values)| (*name, values.as_slice()))
            .collect();
        columns.push((Metric::TrainableParameters.name(), &predicted.parameters));
        columns.push((Metric::Macs.name(), &predicted.macs));
        Ok(self
            .writer
            .add_estimates(budget, predicted.cells, &columns)?)
    }
}

/// Some cells, and what the surrogate and their arithmetic say of them.
struct Predicted<'c> {
    cells: &'c [(CellHash, Cell)],
    predictions: Vec<Prediction<'c>>,
    parameters: Vec<f64>,
    macs: Vec<f64>,
}

fn of_cells(cells: &[Cell], of: fn(&Cell) -> u64) -> Vec<f64> {
    cells.iter().map(|cell| of(cell) as f64).collect()
}

fn go_on(flow: ControlFlow<()>) -> Result<(), BenchmarkError> {
    match flow {
        ControlFlow::Continue(()) => Ok(()),
        ControlFlow::Break(()) => Err(BenchmarkError::Interrupted),
    }
}

/// After so many trials, memory is asked for again.
const TRIALS_AT_ONCE: usize = 1 << 16;

/// Asks for the memory that building takes and gives it back, so that too little of it is an error now. Later, it would end
/// the process.
fn reserve(trials: usize) -> Result<(), BenchmarkError> {
    let of_cores = parallel::cores().saturating_sub(2) * MEMORY_OF_CORE;
    let bytes = trials
        .saturating_mul(MEMORY_OF_TRIAL)
        .saturating_add(MEMORY + of_cores);
    let mut memory = Vec::<u8>::new();
    let reserved = memory.try_reserve_exact(bytes);
    // Without this, the compiler may leave out memory that nobody looks at.
    std::hint::black_box(&mut memory);
    reserved.map_err(|_| BenchmarkError::Memory {
        needed_bytes: bytes as u64,
    })
}

/// All cells with their hashes, in the order of [`enumerate`].
fn enumerated(
    watch: &mut impl FnMut(Stage, usize, usize) -> ControlFlow<()>,
) -> Result<Vec<(CellHash, Cell)>, BenchmarkError> {
    const ALL: usize = 423_624;
    // Hashing takes far longer than enumerating.
    const TIMES: usize = 8;
    let stage = Stage::Enumerating;
    let total = (1 + TIMES) * ALL.div_ceil(SHARE);
    let mut cells = Vec::with_capacity(ALL);
    for cell in enumerate(Cell::MAX_VERTICES, Cell::MAX_EDGES) {
        if cells.len().is_multiple_of(SHARE) {
            go_on(watch(stage, cells.len() / SHARE, total))?;
        }
        cells.push(cell);
    }
    let before = cells.len().div_ceil(SHARE);
    let hashes = parallel::each_watched(cells.chunks(SHARE).collect(), hash_all, |done| {
        watch(stage, before + TIMES * done, total)
    });
    let hashes = hashes.ok_or(BenchmarkError::Interrupted)?;
    Ok(hashes.into_iter().flatten().zip(cells).collect())
}

fn estimates(surrogate: &Surrogate) -> Estimates {
    let mut provenance = Provenances::default();
    for column in &COLUMNS {
        let own = match column.kind {
            Kind::LinearEnergy => surrogate.linear_provenance(),
            Kind::Energy | Kind::Other => surrogate.provenance(),
        };
        provenance.results.insert(column.name.to_owned(), own);
    }
    for metric in [Metric::TrainableParameters, Metric::Macs] {
        let name = metric.name().to_owned();
        provenance.results.insert(name, Provenance::Computed);
    }
    Estimates {
        provenance,
        setting: surrogate.setting(),
    }
}

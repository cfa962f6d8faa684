//! From cells and predictions to a snapshot.

use std::ops::ControlFlow;
use std::path::PathBuf;

use super::{BenchmarkError, TABLE};
use crate::cell::{Cell, CellHash, Space};
use crate::metrics::{Budget, Estimates, Metric, Provenance, Provenances, TableInfo, Trial};
use crate::parallel;
use crate::snapshot::{Sealed, SnapshotWriter};
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
        let mut writer = SnapshotWriter::create(target)?;
        writer.begin_table(info)?;
        Ok(Self {
            surrogate,
            writer,
            energy_only: false,
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
    /// The disk is full.
    pub fn add(&mut self, trial: &Trial) -> Result<(), BenchmarkError> {
        Ok(self.writer.add(trial)?)
    }

    /// Predicts what is missing, and puts the snapshot at its target. `progress` is told which stage begins, and may end it.
    ///
    /// # Errors
    /// The disk is full, two trials have the same cell, budget and repeat, or `progress` ended it. Then the target is as
    /// before.
    ///
    /// # Complexity
    /// Some seconds on 2 cores, 0.6 GB of memory, 0.3 GB on disk.
    pub fn finish(
        mut self,
        mut progress: impl FnMut(Stage) -> ControlFlow<()>,
    ) -> Result<Sealed, BenchmarkError> {
        let mut begin = |stage| match progress(stage) {
            ControlFlow::Continue(()) => Ok(()),
            ControlFlow::Break(()) => Err(BenchmarkError::Interrupted),
        };
        begin(Stage::Enumerating)?;
        let space = Space::new(Cell::MAX_VERTICES, Cell::MAX_EDGES);
        let cells: Vec<(CellHash, Cell)> = space.iter().collect();
        begin(Stage::Predicting)?;
        let predictions = predict(self.surrogate, space.cells());
        let parameters: Vec<f64> = of_cells(&cells, |cell| cell.trainable_parameters());
        let macs: Vec<f64> = of_cells(&cells, |cell| cell.macs().total());
        for epochs in Surrogate::EPOCHS {
            let budget = Budget::epochs(epochs).map_err(|_| SurrogateError::Damaged {
                found: "a budget of 0 epochs".to_owned(),
            })?;
            let at: Vec<BudgetPrediction> = predictions
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
            columns.push((Metric::TrainableParameters.name(), &parameters));
            columns.push((Metric::Macs.name(), &macs));
            self.writer.add_estimates(budget, &cells, &columns)?;
        }
        drop(predictions);
        begin(Stage::Sealing)?;
        Ok(self.writer.finish()?)
    }
}

fn of_cells(cells: &[(CellHash, Cell)], of: fn(&Cell) -> u64) -> Vec<f64> {
    cells.iter().map(|(_, cell)| of(cell) as f64).collect()
}

/// Predictions of all cells, on all cores.
fn predict<'m>(surrogate: &'m Surrogate, cells: &[Cell]) -> Vec<Prediction<'m>> {
    let share = cells.len().div_ceil(parallel::cores()).max(1);
    let parts = cells.chunks(share).collect();
    parallel::each(parts, |cells| surrogate.predict_all(cells)).concat()
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

//! `ecnas`: a sealed snapshot, asked through its views.

use std::path::{Path, PathBuf};

use ecnas::cell::CellHash;
use ecnas::index::{IndexBuilder, RowId, RowSet};
use ecnas::metrics::Metric::{
    Energy, TestAccuracy, TrainableParameters, TrainingTime, ValidationAccuracy,
};
use ecnas::metrics::{Budget, TableInfo, Trial};
use ecnas::pareto;
use ecnas::query::{Dominance, Objective, Query, RecipeQuery};
use ecnas::snapshot::{Snapshot, SnapshotWriter, View};

use crate::Peer;
use crate::cases::{Bounds, Questions, Third};
use crate::data::{BUDGETS, Table};
use crate::timing::{Answer, Keys, Outcome, ToAnswer, time, time_cold, time_ids};

/// Tables with more rows are sealed at the budget that is asked about and at the largest.
const FEW: usize = 2_000_000;

/// Seals the table; the file's length.
pub fn seal(table: &Table, path: &Path) -> u64 {
    let mut writer = SnapshotWriter::create(path).unwrap();
    let info = TableInfo {
        name: "synthetic".to_owned(),
        ..TableInfo::default()
    };
    writer.begin_table(info).unwrap();
    let budgets = BUDGETS.iter().zip(&table.budgets).enumerate();
    let budgets =
        budgets.filter(|(number, _)| table.len() <= FEW || *number == table.asked || *number == 3);
    let budgets: Vec<_> = budgets.map(|(_, budget)| budget).collect();
    for row in 0..table.len() {
        for (epochs, columns) in &budgets {
            let hash = CellHash::from_bytes(table.keys[row]);
            let mut trial = Trial::new(hash, Budget::epochs(**epochs).unwrap(), 1);
            trial.cell = table.cells[row];
            for (metric, value) in [
                (Energy, columns.energy[row]),
                (ValidationAccuracy, columns.accuracy[row]),
                (TestAccuracy, columns.test[row]),
                (TrainingTime, columns.time[row]),
                (TrainableParameters, table.parameters[row]),
            ] {
                trial.totals.set(metric, value);
            }
            writer.add(&trial).unwrap();
        }
    }
    writer.finish().unwrap().bytes
}

pub struct Ours<'t> {
    table: &'t Table,
    path: PathBuf,
    budget: Budget,
}

impl<'t> Ours<'t> {
    pub fn new(table: &'t Table, path: &Path) -> Self {
        let budget = Budget::epochs(BUDGETS[table.asked]).unwrap();
        Self {
            table,
            path: path.to_owned(),
            budget,
        }
    }

    fn open(&self) -> Snapshot<ecnas::snapshot::MappedBytes> {
        // SAFETY: nothing changes the file while the program runs.
        unsafe { Snapshot::map(&self.path) }.unwrap()
    }
}

fn query<'v, 's>(view: &'v View<'s>, bounds: &Bounds) -> Query<'v, 's> {
    let [least, most] = bounds.energy;
    let [low, high] = bounds.accuracy;
    let query = view.query().between(Energy, least..=most).unwrap();
    query.between(ValidationAccuracy, low..=high).unwrap()
}

impl ToAnswer for RowSet {
    fn to_answer(&self) -> Answer {
        Answer::rows(self.iter().map(|row| row.0))
    }
}

impl ToAnswer for Vec<RowId> {
    fn to_answer(&self) -> Answer {
        Answer::rows(self.iter().map(|row| row.0))
    }
}

impl ToAnswer for &[RowId] {
    fn to_answer(&self) -> Answer {
        Answer::rows(self.iter().map(|row| row.0))
    }
}

impl ToAnswer for Option<RowId> {
    fn to_answer(&self) -> Answer {
        self.map(|row| row.0).to_answer()
    }
}

impl Peer for Ours<'_> {
    fn run(&mut self, questions: &Questions, cold: bool, keys: &Keys) -> Option<Outcome> {
        let snapshot = self.open();
        let table = snapshot.only_table().unwrap();
        let view = table.view(self.budget).unwrap();
        let usual = view
            .dominance([Objective::ENERGY, Objective::VALIDATION_ACCURACY])
            .unwrap();
        // Costs, for what is computed from plain points.
        let columns = self.table.columns();
        let points = || -> Vec<[f64; 2]> {
            let points = columns.energy.iter().zip(&columns.accuracy);
            points
                .map(|(&energy, &accuracy)| [energy, -accuracy])
                .collect()
        };
        Some(match questions {
            Questions::LookUp => {
                keys.time_chain(|key| table.row(CellHash::from_bytes(*key)).map(|row| row.0))
            }
            Questions::Batch => keys.time_batches(
                CellHash::from_bytes,
                |row: &RowId| row.0,
                |keys, found| table.rows_into(keys, found),
            ),
            Questions::OpenLookUp => time(&keys.keys[..64], |key| {
                let snapshot = self.open();
                let row = snapshot
                    .only_table()
                    .unwrap()
                    .row(CellHash::from_bytes(*key));
                row.map(|row| row.0)
            }),
            Questions::OpenCount(boxes) => time(boxes, |bounds| {
                let snapshot = self.open();
                let view = snapshot.only_table().unwrap().view(self.budget).unwrap();
                query(&view, bounds).count().unwrap()
            }),
            Questions::Count(boxes) if cold => {
                time_cold(boxes, |bounds| query(&view, bounds).count().unwrap())
            }
            Questions::Count(boxes) => time(boxes, |bounds| query(&view, bounds).count().unwrap()),
            Questions::RowSet(boxes) => time(boxes, |bounds| query(&view, bounds).rows().unwrap()),
            Questions::Ids(boxes) => time_ids(boxes, |bounds, out| {
                query(&view, bounds).ids_into(out).unwrap()
            }),
            Questions::Three(three) => time(three, |three| {
                let third = match three.third {
                    Third::Time => TrainingTime,
                    Third::Parameters => TrainableParameters,
                };
                let [least, most] = three.between;
                let query = query(&view, &three.bounds).between(third, least..=most);
                query.unwrap().rows().unwrap()
            }),
            Questions::IsDominated(points) => time(points, |point| usual.is_dominated(*point)),
            Questions::DominatorCount(points) => {
                time(points, |point| usual.dominator_count(*point))
            }
            Questions::Dominators(points) => time(points, |point| usual.dominators(*point)),
            Questions::Front => time(&[()], |()| usual.front()),
            Questions::FrontComputed => {
                let points = points();
                time(&[()], |()| pareto::front(&points))
            }
            Questions::FrontIn(boxes) => time(boxes, |bounds| {
                usual.front_in(&query(&view, bounds)).unwrap()
            }),
            Questions::Front3 => time(&[()], |()| {
                let parameters = Objective::minimize(TrainableParameters);
                let three = [
                    Objective::ENERGY,
                    Objective::VALIDATION_ACCURACY,
                    parameters,
                ];
                let three: Dominance<'_, '_, 3> = view.dominance(three).unwrap();
                three.front().to_vec()
            }),
            Questions::Layer(rows) => time(rows, |row| usual.layer(RowId(*row))),
            Questions::Layers => {
                let points = points();
                let layers = pareto::layers(&points)
                    .into_iter()
                    .map(|layer| layer.unwrap_or(u32::MAX));
                let answers = vec![Answer::places(layers)];
                Outcome {
                    answers,
                    ..time(&[()], |()| pareto::layers(&points).len())
                }
            }
            Questions::Hypervolume(references) => {
                time(references, |reference| usual.hypervolume(*reference))
            }
            Questions::HypervolumeOfFront(references) => {
                let front = usual.front().iter();
                let front =
                    front.map(|row| [columns.energy[row.index()], -columns.accuracy[row.index()]]);
                let front: Vec<[f64; 2]> = front.collect();
                time(references, |[energy, accuracy]| {
                    pareto::hypervolume(&front, &[*energy, -accuracy])
                })
            }
            Questions::Cheapest(accuracies) => time(accuracies, |accuracy| {
                let query = view
                    .query()
                    .at_least(ValidationAccuracy, *accuracy)
                    .unwrap();
                query.lowest(Energy, 10).unwrap()
            }),
            Questions::Recipe(rows) => {
                let ask = RecipeQuery::default();
                let search = view.recipes(&ask).unwrap();
                time(rows, |row| search.best_for(RowId(*row)))
            }
            Questions::Build => time(&[()], |()| {
                for columns in &self.table.budgets {
                    let mut builder = IndexBuilder::new(self.table.len());
                    for (name, values) in columns.named() {
                        builder = builder.column(name, values).unwrap();
                    }
                    for accuracy in ["validation_accuracy", "test_accuracy"] {
                        builder = builder.pair("energy_kwh", accuracy).unwrap();
                    }
                    std::hint::black_box(builder.build().unwrap());
                }
                let builder = IndexBuilder::new(self.table.len());
                let builder = builder.column("trainable_parameters", &self.table.parameters);
                std::hint::black_box(builder.unwrap().build().unwrap());
                true
            }),
        })
    }
}

//! Plain Rust: columns sorted beforehand, found by binary search. The strongest simple rival.

use roaring::RoaringBitmap;

use crate::Peer;
use crate::cases::{Bounds, Questions, Third};
use crate::data::Table;
use crate::scan::{front_of, hypervolume_of, layers_of};
use crate::timing::{Answer, Keys, Outcome, median, time, time_cold, time_ids};

/// A column's values in ascending order, with the rows and the other column in the same order.
struct Order {
    values: Vec<f64>,
    others: Vec<f64>,
    rows: Vec<u32>,
}

fn ascending(values: &[f64]) -> Vec<u32> {
    let mut rows: Vec<u32> = (0..values.len() as u32).collect();
    rows.sort_unstable_by(|&a, &b| {
        values[a as usize]
            .total_cmp(&values[b as usize])
            .then(a.cmp(&b))
    });
    rows
}

impl Order {
    fn new(values: &[f64], others: &[f64]) -> Self {
        let rows = ascending(values);
        let in_order = |column: &[f64]| rows.iter().map(|&row| column[row as usize]).collect();
        Self {
            values: in_order(values),
            others: in_order(others),
            rows,
        }
    }

    fn places(&self, [least, most]: [f64; 2]) -> std::ops::Range<usize> {
        let start = self.values.partition_point(|&value| value < least);
        start
            ..self
                .values
                .partition_point(|&value| value <= most)
                .max(start)
    }
}

pub struct Sorted<'t> {
    table: &'t Table,
    energy: Order,
    accuracy: Order,
    /// The greatest accuracy at most so far in the order of energy, and the least energy that it costs.
    most_accurate: Vec<(f64, u32)>,
    keys: Vec<([u8; 16], u32)>,
    layers: Vec<u32>,
}

impl<'t> Sorted<'t> {
    pub fn new(table: &'t Table) -> Self {
        let columns = table.columns();
        let energy = Order::new(&columns.energy, &columns.accuracy);
        let accuracy = Order::new(&columns.accuracy, &columns.energy);
        let mut best = (f64::NEG_INFINITY, 0);
        let steps = energy.others.iter().zip(&energy.rows).map(|(&own, &row)| {
            if own > best.0 {
                best = (own, row);
            }
            best
        });
        let most_accurate = steps.collect();
        let mut keys: Vec<([u8; 16], u32)> = table.keys.iter().copied().zip(0..).collect();
        keys.sort_unstable();
        let mut sorted = Self {
            table,
            energy,
            accuracy,
            most_accurate,
            keys,
            layers: Vec::new(),
        };
        sorted.layers = layers_of(table.len(), sorted.points(0..table.len()));
        sorted
    }

    fn find(&self, key: &[u8; 16]) -> Option<u32> {
        let place = self.keys.binary_search_by(|(own, _)| own.cmp(key));
        place.ok().map(|place| self.keys[place].1)
    }

    /// Points in ascending order of energy.
    fn points(&self, places: std::ops::Range<usize>) -> impl Iterator<Item = (u32, f64, f64)> {
        let energy = &self.energy;
        let values = energy.values[places.clone()]
            .iter()
            .zip(&energy.others[places.clone()]);
        energy.rows[places]
            .iter()
            .zip(values)
            .map(|(&row, (&energy, &accuracy))| (row, energy, accuracy))
    }

    /// The shorter stretch of the two, and the bounds of the other column.
    fn stretch(&self, bounds: &Bounds) -> (&Order, std::ops::Range<usize>, [f64; 2]) {
        let places = [
            self.energy.places(bounds.energy),
            self.accuracy.places(bounds.accuracy),
        ];
        let [by_energy, by_accuracy] = places;
        if by_energy.len() <= by_accuracy.len() {
            (&self.energy, by_energy, bounds.accuracy)
        } else {
            (&self.accuracy, by_accuracy, bounds.energy)
        }
    }

    fn count(&self, bounds: &Bounds) -> usize {
        let (order, places, [least, most]) = self.stretch(bounds);
        // Without branches, so that the compiler can take several rows at once.
        let held = order.others[places]
            .iter()
            .map(|&other| u32::from((least <= other) & (other <= most)));
        held.sum::<u32>() as usize
    }

    /// In the order of the stretch.
    fn ids(&self, bounds: &Bounds, out: &mut Vec<u32>) {
        let (order, places, [least, most]) = self.stretch(bounds);
        // Written always, kept if it is inside: no branch to guess.
        let start = out.len();
        out.resize(start + places.len(), 0);
        let mut end = start;
        for (&row, &other) in order.rows[places.clone()].iter().zip(&order.others[places]) {
            out[end] = row;
            end += usize::from((least <= other) & (other <= most));
        }
        out.truncate(end);
    }

    fn dominators(&self, point: &[f64; 2], out: &mut Vec<u32>) {
        let [x, y] = *point;
        self.ids(
            &Bounds {
                energy: [f64::NEG_INFINITY, x],
                accuracy: [y, f64::INFINITY],
            },
            out,
        );
        let columns = self.table.columns();
        out.retain(|&row| columns.energy[row as usize] < x || columns.accuracy[row as usize] > y);
    }
}

/// Rows in any order as a set.
fn set(mut rows: Vec<u32>) -> RoaringBitmap {
    if !rows.is_sorted() {
        rows.sort_unstable();
    }
    RoaringBitmap::from_sorted_iter(rows).expect("ascending")
}

impl Peer for Sorted<'_> {
    fn run(&mut self, questions: &Questions, cold: bool, keys: &Keys) -> Option<Outcome> {
        let columns = self.table.columns();
        let rows = self.table.len();
        let point = |row: u32| (columns.energy[row as usize], columns.accuracy[row as usize]);
        Some(match questions {
            Questions::LookUp => keys.time_chain(|key| self.find(key)),
            Questions::Batch => keys.time_batches(
                |key| key,
                |row| *row,
                |keys, found| found.extend(keys.iter().map(|key| self.find(key))),
            ),
            Questions::Count(boxes) if cold => time_cold(boxes, |bounds| self.count(bounds)),
            Questions::Count(boxes) => time(boxes, |bounds| self.count(bounds)),
            Questions::RowSet(boxes) => time(boxes, |bounds| {
                let mut ids = Vec::new();
                self.ids(bounds, &mut ids);
                set(ids)
            }),
            Questions::Ids(boxes) => time_ids(boxes, |bounds, out| self.ids(bounds, out)),
            Questions::Three(three) => time(three, |three| {
                let values = match three.third {
                    Third::Time => &columns.time,
                    Third::Parameters => &self.table.parameters,
                };
                let [least, most] = three.between;
                let mut ids = Vec::new();
                self.ids(&three.bounds, &mut ids);
                ids.retain(|&row| least <= values[row as usize] && values[row as usize] <= most);
                set(ids)
            }),
            Questions::IsDominated(points) => time(points, |&[x, y]| {
                let end = self.energy.values.partition_point(|&value| value <= x);
                let best = end.checked_sub(1).map(|last| self.most_accurate[last]);
                best.is_some_and(|(best, row)| best > y || (best == y && point(row).0 < x))
            }),
            Questions::DominatorCount(points) => time(points, |&[x, y]| {
                let count =
                    |energy: [f64; 2], accuracy: [f64; 2]| self.count(&Bounds { energy, accuracy });
                count([f64::NEG_INFINITY, x], [y, f64::INFINITY]) - count([x, x], [y, y])
            }),
            Questions::Dominators(points) => time(points, |point| {
                let mut ids = Vec::new();
                self.dominators(point, &mut ids);
                set(ids)
            }),
            Questions::Front | Questions::FrontComputed => {
                time(&[()], |()| front_of(self.points(0..rows)))
            }
            Questions::FrontIn(boxes) => time(boxes, |bounds| {
                let [low, high] = bounds.accuracy;
                let held = self.points(self.energy.places(bounds.energy));
                front_of(held.filter(|(_, _, own)| low <= *own && *own <= high))
            }),
            Questions::Layer(rows) => time(rows, |&row| Some(self.layers[row as usize])),
            Questions::Layers => {
                let layers = || layers_of(rows, self.points(0..rows));
                let answers = vec![Answer::places(layers())];
                Outcome {
                    answers,
                    ..time(&[()], |()| layers().len())
                }
            }
            Questions::Hypervolume(references) => time(references, |reference| {
                hypervolume_of(
                    front_of(self.points(0..rows)).into_iter().map(point),
                    reference,
                )
            }),
            Questions::Cheapest(accuracies) => time(accuracies, |accuracy| {
                let held = self.points(0..rows).filter(|(_, _, own)| own >= accuracy);
                held.take(10).map(|(row, ..)| row).collect::<Vec<u32>>()
            }),
            Questions::Recipe(rows) => time(rows, |&row| {
                let (energy, accuracy) = point(row);
                let place = self
                    .most_accurate
                    .partition_point(|(best, _)| *best < accuracy - 0.01);
                let best = self.most_accurate.get(place).map(|(_, row)| *row);
                best.filter(|&best| point(best).0 < energy)
            }),
            Questions::Build => {
                let sort = || {
                    let columns = self
                        .table
                        .budgets
                        .iter()
                        .flat_map(|columns| columns.named());
                    let sorted: usize = columns.map(|(_, values)| ascending(values).len()).sum();
                    sorted + ascending(&self.table.parameters).len()
                };
                let times = (0..3).map(|_| {
                    let start = std::time::Instant::now();
                    std::hint::black_box(sort());
                    start.elapsed().as_secs_f64()
                });
                Outcome {
                    median: median(times.collect()),
                    cold: None,
                    answers: Vec::new(),
                }
            }
            _ => return None,
        })
    }
}

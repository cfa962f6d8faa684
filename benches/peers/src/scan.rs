//! Plain Rust: a linear scan of the columns as they are.

use roaring::RoaringBitmap;

use crate::Peer;
use crate::cases::{Bounds, Questions, Third, dominates, inside};
use crate::data::Table;
use crate::timing::{Answer, Keys, Outcome, time, time_cold, time_ids};

pub struct Scan<'t>(pub &'t Table);

impl Scan<'_> {
    fn points(&self) -> impl Iterator<Item = (u32, f64, f64)> {
        let columns = self.0.columns();
        let points = columns.energy.iter().zip(&columns.accuracy);
        (0..)
            .zip(points)
            .map(|(row, (&energy, &accuracy))| (row, energy, accuracy))
    }

    fn within(&self, bounds: &Bounds) -> impl Iterator<Item = u32> {
        let points = self.points();
        points
            .filter(|(_, energy, accuracy)| inside(bounds, *energy, *accuracy))
            .map(|(row, ..)| row)
    }

    fn count(&self, bounds: &Bounds) -> usize {
        // Without branches, so that the compiler can take several rows at once.
        self.points()
            .map(|(_, energy, accuracy)| usize::from(inside(bounds, energy, accuracy)))
            .sum()
    }

    /// Points in ascending order of energy; of equal ones, those with more accuracy first.
    fn ordered(&self, points: impl Iterator<Item = (u32, f64, f64)>) -> Vec<(u32, f64, f64)> {
        let mut points: Vec<_> = points.collect();
        points.sort_by(|a, b| {
            a.1.total_cmp(&b.1)
                .then(b.2.total_cmp(&a.2))
                .then(a.0.cmp(&b.0))
        });
        points
    }
}

/// The front of points in ascending order of energy, those with more accuracy first.
pub fn front_of(points: impl Iterator<Item = (u32, f64, f64)>) -> Vec<u32> {
    let mut front = Vec::new();
    let mut best = (f64::NAN, f64::NEG_INFINITY);
    for (row, energy, accuracy) in points {
        if accuracy > best.1 || (energy, accuracy) == best {
            best = (energy, accuracy);
            front.push(row);
        }
    }
    front
}

/// The non-domination rank of each row, from points in the same order: each goes to the first layer none of whose points
/// dominates it, of which the last one is the most accurate.
pub fn layers_of(rows: usize, points: impl Iterator<Item = (u32, f64, f64)>) -> Vec<u32> {
    let mut layers = vec![u32::MAX; rows];
    let mut best: Vec<(f64, f64)> = Vec::new();
    for (row, energy, accuracy) in points {
        let dominates = |own: &(f64, f64)| dominates(own.0, own.1, &[energy, accuracy]);
        let layer = best.partition_point(dominates);
        match best.get_mut(layer) {
            Some(own) => *own = (energy, accuracy),
            None => best.push((energy, accuracy)),
        }
        layers[row as usize] = layer as u32;
    }
    layers
}

/// What a front in ascending order of energy dominates within a reference.
pub fn hypervolume_of(front: impl Iterator<Item = (f64, f64)>, [worst, least]: &[f64; 2]) -> f64 {
    let mut volume = 0.0;
    let mut height = *least;
    for (energy, accuracy) in front.filter(|(energy, _)| energy < worst) {
        if accuracy > height {
            volume += (worst - energy) * (accuracy - height);
            height = accuracy;
        }
    }
    volume
}

/// The front by energy, accuracy and a third column of which less is better; from points as above.
fn front3_of(points: impl Iterator<Item = (u32, f64, f64)>, third: &[f64]) -> Vec<u32> {
    let mut front = Vec::new();
    // Accuracy and third column of the points so far, both ascending: what none beats in both.
    let mut steps: Vec<(f64, f64, f64)> = Vec::new();
    let mut points: Vec<(f64, f64, f64, u32)> = points
        .map(|(row, energy, accuracy)| (energy, accuracy, third[row as usize], row))
        .collect();
    points.sort_by(|a, b| {
        a.0.total_cmp(&b.0)
            .then(b.1.total_cmp(&a.1))
            .then(a.2.total_cmp(&b.2))
    });
    for (energy, accuracy, own, row) in points {
        let place = steps.partition_point(|step| step.0 < accuracy);
        match steps.get(place) {
            Some(&(other, least, spent)) if least <= own => {
                if (other, least, spent) == (accuracy, own, energy) {
                    front.push(row);
                }
                continue;
            }
            _ => front.push(row),
        }
        let end = steps.partition_point(|step| step.0 <= accuracy);
        let beaten = steps[..end]
            .iter()
            .rev()
            .take_while(|step| step.1 >= own)
            .count();
        steps.splice(end - beaten..end, [(accuracy, own, energy)]);
    }
    front
}

impl Peer for Scan<'_> {
    fn run(&mut self, questions: &Questions, cold: bool, _: &Keys) -> Option<Outcome> {
        let columns = self.0.columns();
        let point = |row: u32| (columns.energy[row as usize], columns.accuracy[row as usize]);
        Some(match questions {
            Questions::Count(boxes) if cold => time_cold(boxes, |bounds| self.count(bounds)),
            Questions::Count(boxes) => time(boxes, |bounds| self.count(bounds)),
            Questions::RowSet(boxes) => time(boxes, |bounds| {
                RoaringBitmap::from_sorted_iter(self.within(bounds)).expect("ascending")
            }),
            Questions::Ids(boxes) => time_ids(boxes, |bounds, out| out.extend(self.within(bounds))),
            Questions::Three(three) => time(three, |three| {
                let values = match three.third {
                    Third::Time => &columns.time,
                    Third::Parameters => &self.0.parameters,
                };
                let [least, most] = three.between;
                let rows = self.within(&three.bounds).filter(|&row| {
                    let value = values[row as usize];
                    least <= value && value <= most
                });
                RoaringBitmap::from_sorted_iter(rows).expect("ascending")
            }),
            Questions::IsDominated(points) => time(points, |point| {
                self.points()
                    .any(|(_, energy, accuracy)| dominates(energy, accuracy, point))
            }),
            Questions::DominatorCount(points) => time(points, |point| {
                let dominating = self
                    .points()
                    .map(|(_, e, a)| usize::from(dominates(e, a, point)));
                dominating.sum::<usize>()
            }),
            Questions::Dominators(points) => time(points, |point| {
                let rows = self.points().filter(|(_, e, a)| dominates(*e, *a, point));
                RoaringBitmap::from_sorted_iter(rows.map(|(row, ..)| row)).expect("ascending")
            }),
            Questions::Front | Questions::FrontComputed => time(&[()], |()| {
                front_of(self.ordered(self.points()).into_iter())
            }),
            Questions::FrontIn(boxes) => time(boxes, |bounds| {
                let held = self.points().filter(|(_, e, a)| inside(bounds, *e, *a));
                front_of(self.ordered(held).into_iter())
            }),
            Questions::Front3 => time(&[()], |()| front3_of(self.points(), &self.0.parameters)),
            Questions::Layers => {
                let layers = || layers_of(self.0.len(), self.ordered(self.points()).into_iter());
                let answers = vec![Answer::places(layers())];
                Outcome {
                    answers,
                    ..time(&[()], |()| layers().len())
                }
            }
            Questions::Hypervolume(references) => time(references, |reference| {
                let front = front_of(self.ordered(self.points()).into_iter());
                hypervolume_of(front.into_iter().map(point), reference)
            }),
            Questions::HypervolumeOfFront(references) => {
                let front = front_of(self.ordered(self.points()).into_iter());
                let front: Vec<(f64, f64)> = front.into_iter().map(point).collect();
                time(references, |reference| {
                    hypervolume_of(front.iter().copied(), reference)
                })
            }
            Questions::Cheapest(accuracies) => time(accuracies, |accuracy| {
                let held = self.points().filter(|(_, _, own)| own >= accuracy);
                let mut held: Vec<(f64, u32)> =
                    held.map(|(row, energy, _)| (energy, row)).collect();
                let order =
                    |a: &(f64, u32), b: &(f64, u32)| a.0.total_cmp(&b.0).then(a.1.cmp(&b.1));
                if held.len() > 10 {
                    held.select_nth_unstable_by(9, order);
                    held.truncate(10);
                }
                held.sort_by(order);
                held.into_iter().map(|(_, row)| row).collect::<Vec<u32>>()
            }),
            Questions::Recipe(rows) => time(rows, |&row| {
                let (energy, accuracy) = point(row);
                let held = self
                    .points()
                    .filter(|(_, e, a)| *a >= accuracy - 0.01 && *e < energy);
                let best = held.min_by(|a, b| a.1.total_cmp(&b.1).then(b.2.total_cmp(&a.2)));
                best.map(|(row, ..)| row)
            }),
            _ => return None,
        })
    }
}

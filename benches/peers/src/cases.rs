//! The questions: of every kind several, with random bounds, so that nothing is a constant.

use rand::rngs::StdRng;
use rand::{Rng, SeedableRng};
use serde::Serialize;

use crate::data::{SEED, Table};

/// Bounds, both ends included.
#[derive(Debug, Clone, Copy, Serialize)]
pub struct Bounds {
    pub energy: [f64; 2],
    pub accuracy: [f64; 2],
}

/// Bounds in three columns.
#[derive(Debug, Clone, Copy, Serialize)]
pub struct Three {
    pub bounds: Bounds,
    pub third: Third,
    pub between: [f64; 2],
}

#[derive(Debug, Clone, Copy, Serialize)]
pub enum Third {
    Time,
    Parameters,
}

/// Questions of one kind. Rows that dominate have less energy and more accuracy.
#[derive(Debug, Clone, Serialize)]
#[serde(tag = "kind", content = "questions")]
pub enum Questions {
    /// Rows of keys in random order, each depending on the last.
    LookUp,
    /// The same in batches, per key.
    Batch,
    /// Opening a file and looking a key up.
    OpenLookUp,
    /// Opening a file and counting the rows in a box.
    OpenCount(Vec<Bounds>),
    Count(Vec<Bounds>),
    RowSet(Vec<Bounds>),
    Ids(Vec<Bounds>),
    Three(Vec<Three>),
    IsDominated(Vec<[f64; 2]>),
    DominatorCount(Vec<[f64; 2]>),
    Dominators(Vec<[f64; 2]>),
    /// The front of the whole view, by energy and accuracy.
    Front,
    /// The same from the columns, with nothing prepared.
    FrontComputed,
    FrontIn(Vec<Bounds>),
    /// Energy, accuracy, fewest parameters.
    Front3,
    /// Non-domination rank of a row.
    Layer(Vec<u32>),
    /// Non-domination ranks of all rows, from the columns.
    Layers,
    /// Hypervolume of the view within a reference.
    Hypervolume(Vec<[f64; 2]>),
    /// The same where the front is given.
    HypervolumeOfFront(Vec<[f64; 2]>),
    /// The 10 rows with the least energy of those with at least so much accuracy.
    Cheapest(Vec<f64>),
    /// The cheapest row with less energy than a row's and an accuracy of at least its own less 0.01.
    Recipe(Vec<u32>),
    /// Everything that is indexed, at four budgets.
    Build,
}

#[derive(Debug, Clone, Serialize)]
pub struct Case {
    pub title: String,
    /// What the project wants of itself.
    pub goal: &'static str,
    /// Whether to time with cold caches too.
    pub cold: bool,
    #[serde(flatten)]
    pub questions: Questions,
}

struct Maker<'t> {
    table: &'t Table,
    random: StdRng,
    /// The rows in ascending order of energy.
    order: Vec<u32>,
}

impl Maker<'_> {
    fn row(&mut self) -> usize {
        self.random.random_range(0..self.table.len())
    }

    /// A box that holds about such a share of the rows: every other one has bounds on one side alone.
    fn bounds(&mut self, share: f64, one_sided: bool) -> Bounds {
        let columns = self.table.columns();
        let rows = self.table.len();
        let wanted = ((share * rows as f64).round() as usize).max(1);
        let mut best = (f64::INFINITY, None);
        for _ in 0..200 {
            let widest = (share * 1000.0).min(1.0);
            let slice = share * (widest / share).powf(self.random.random());
            let width = ((slice * rows as f64) as usize).clamp(1, rows);
            let first = if one_sided {
                0
            } else {
                self.random.random_range(0..=rows - width)
            };
            let last = first + width - 1;
            let step = width.div_ceil(50_000);
            let mut sample: Vec<f64> = (first..=last)
                .step_by(step)
                .map(|place| columns.accuracy[self.order[place] as usize])
                .collect();
            sample.sort_by(f64::total_cmp);
            let kept = (wanted / step).clamp(1, sample.len());
            let place = if one_sided {
                sample.len() - kept
            } else {
                self.random.random_range(0..=sample.len() - kept)
            };
            let energy = |place: usize| columns.energy[self.order[place] as usize];
            let bounds = Bounds {
                energy: [if one_sided { 0.0 } else { energy(first) }, energy(last)],
                accuracy: [
                    sample[place],
                    if one_sided {
                        1.0
                    } else {
                        sample[place + kept - 1]
                    },
                ],
            };
            let held = (first..=last).filter(|&place| {
                let accuracy = columns.accuracy[self.order[place] as usize];
                bounds.accuracy[0] <= accuracy && accuracy <= bounds.accuracy[1]
            });
            // Ties make boxes larger than wanted.
            let off = (held.count().max(1) as f64 / wanted as f64).ln().abs();
            if off < best.0 {
                best = (off, Some(bounds));
            }
            if off < 0.2 {
                break;
            }
        }
        best.1.expect("a table with rows")
    }

    fn boxes(&mut self, share: f64, count: usize) -> Vec<Bounds> {
        (0..count)
            .map(|number| self.bounds(share, number.is_multiple_of(2)))
            .collect()
    }

    /// Points: every other one is a row's own, the others are free and better.
    fn points(&mut self, count: usize) -> Vec<[f64; 2]> {
        let point = |number: usize| {
            let row = self.row();
            let columns = self.table.columns();
            let point = [columns.energy[row], columns.accuracy[row]];
            let better = self.random.random_range(0.0..0.04);
            if number.is_multiple_of(2) {
                point
            } else {
                [point[0], point[1] + better]
            }
        };
        (0..count).map(point).collect()
    }
}

/// All questions, in the order of the table that is printed.
pub fn all(table: &Table) -> Vec<Case> {
    let columns = table.columns();
    let mut order: Vec<u32> = (0..table.len() as u32).collect();
    order.sort_unstable_by_key(|&row| (columns.energy[row as usize].to_bits(), row));
    let mut maker = Maker {
        table,
        random: StdRng::seed_from_u64(SEED + 3),
        order,
    };
    let mut cases = Vec::new();
    let mut add = |title: &str, goal: &'static str, questions: Questions| {
        let cold = matches!(questions, Questions::Count(_));
        cases.push(Case {
            title: title.to_owned(),
            goal,
            cold,
            questions,
        });
    };
    add(
        "look-up by hash, each depending on the last",
        "<= 0.75 x HashMap, >= 5 x redb",
        Questions::LookUp,
    );
    add(
        "look-up by hash, in batches of 1,024, per key",
        "<= 0.3 x HashMap",
        Questions::Batch,
    );
    add(
        "open a file, look a hash up",
        "<= 15 us",
        Questions::OpenLookUp,
    );
    let few = maker.boxes(0.01, 16);
    add(
        "open a file, count in a box of 1 %",
        "<= 15 us, >= 500 x DuckDB",
        Questions::OpenCount(few),
    );
    let shares = [0.00001, 0.001, 0.01, 0.1, 0.5];
    for share in shares {
        let boxes = maker.boxes(share, 64);
        let title = format!("count in a box of {} %", 100.0 * share);
        add(&title, "<= 0.7 us; cold <= 10 us", Questions::Count(boxes));
    }
    for share in [0.001, 0.1, 0.5] {
        let boxes = maker.boxes(share, 16);
        let title = format!("row set of a box of {} %", 100.0 * share);
        add(
            &title,
            "<= 2 x sorted scan",
            Questions::RowSet(boxes.clone()),
        );
        let title = format!("ids of a box of {} %", 100.0 * share);
        add(
            &title,
            "<= 2 x sorted scan, >= 30 x DuckDB, >= 15 x Polars",
            Questions::Ids(boxes),
        );
    }
    for (title, third) in [
        ("three-way, with time, row set, 1 %", Third::Time),
        (
            "three-way, with parameters, row set, 1 %",
            Third::Parameters,
        ),
    ] {
        // The third column leaves about half of what the others do.
        let values = match third {
            Third::Time => &columns.time,
            Third::Parameters => &table.parameters,
        };
        let three = maker.boxes(0.02, 16).into_iter().map(|bounds| {
            let mut held: Vec<f64> = (0..table.len())
                .filter(|&row| inside(&bounds, columns.energy[row], columns.accuracy[row]))
                .map(|row| values[row])
                .collect();
            held.sort_by(f64::total_cmp);
            let (first, last) = (held.len() / 4, held.len() * 3 / 4);
            Three {
                bounds,
                third,
                between: [held[first], held[last]],
            }
        });
        add(title, "<= 50 us", Questions::Three(three.collect()));
    }
    let points = maker.points(256);
    add(
        "is a point dominated",
        "<= 10 ns",
        Questions::IsDominated(points.clone()),
    );
    add(
        "how many rows dominate a point",
        "<= 0.7 us",
        Questions::DominatorCount(points[..64].to_vec()),
    );
    add(
        "which rows dominate a point",
        "<= 30 us",
        Questions::Dominators(points[..16].to_vec()),
    );
    add(
        "front of the view (ecnas: stored)",
        "<= 100 ns",
        Questions::Front,
    );
    add(
        "front of the view, from the columns",
        "",
        Questions::FrontComputed,
    );
    let rows: Vec<u32> = (0..256).map(|_| maker.row() as u32).collect();
    add(
        "non-domination rank of a row (ecnas: stored)",
        "<= 100 ns",
        Questions::Layer(rows.clone()),
    );
    add(
        "non-domination ranks of all rows, from the columns",
        "",
        Questions::Layers,
    );
    let boxes = maker.boxes(0.1, 16);
    add(
        "front inside a box of 10 %",
        "<= 30 us",
        Questions::FrontIn(boxes),
    );
    add("front over 3 objectives", "< moocore", Questions::Front3);
    let worst = [
        columns.energy.iter().copied().fold(0.0, f64::max),
        columns.accuracy.iter().copied().fold(1.0, f64::min),
    ];
    let references: Vec<[f64; 2]> = [1.0, 0.5, 0.25, 0.1]
        .map(|part| [worst[0] * part, worst[1]])
        .into();
    add(
        "hypervolume of the view (ecnas: stored front)",
        "",
        Questions::Hypervolume(references.clone()),
    );
    add(
        "hypervolume of a given front",
        "",
        Questions::HypervolumeOfFront(references),
    );
    let accuracies = (0..64).map(|_| columns.accuracy[maker.row()]).collect();
    add(
        "10 cheapest with accuracy >= a",
        "<= 2 us",
        Questions::Cheapest(accuracies),
    );
    add(
        "best recipe: cheapest with accuracy >= own - 0.01",
        "<= 0.1 us",
        Questions::Recipe(rows),
    );
    add(
        "build all indexes, 4 budgets (ecnas: all cores)",
        "<= 1 s",
        Questions::Build,
    );
    cases
}

/// Whether a point lies in a box.
pub fn inside(bounds: &Bounds, energy: f64, accuracy: f64) -> bool {
    let [least, most] = bounds.energy;
    let [low, high] = bounds.accuracy;
    (least <= energy) & (energy <= most) & (low <= accuracy) & (accuracy <= high)
}

/// Whether a point is dominated by another.
pub fn dominates(energy: f64, accuracy: f64, point: &[f64; 2]) -> bool {
    let [x, y] = *point;
    (energy <= x) & (accuracy >= y) & ((energy < x) | (accuracy > y))
}

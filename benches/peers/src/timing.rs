//! Medians, and answers that can be compared between peers and languages.

use std::hint::black_box;
use std::time::{Duration, Instant};

use serde::{Deserialize, Serialize};

/// How long one figure may take.
const LIMIT: Duration = Duration::from_millis(300);
/// What one sample takes at least, so that reading the clock does not count.
const SAMPLE: Duration = Duration::from_micros(20);
/// Caches are evicted by walking so many numbers: more than the last level holds.
const WALK: usize = (384 << 20) / 8;
/// How many cold answers are timed.
const COLD: usize = 24;

/// What a peer answered, in a form that is cheap to compare.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub enum Answer {
    Number(u64),
    /// How many rows, and a number that depends on which, but not on their order.
    Rows {
        count: u64,
        mix: u64,
    },
    Volume(f64),
}

impl Answer {
    /// Whether two answers are the same; volumes to twelve digits, since sums differ in their order.
    pub fn agrees(&self, other: &Self) -> bool {
        match (self, other) {
            (Self::Volume(a), Self::Volume(b)) => (a - b).abs() <= 1e-12 * a.abs().max(b.abs()),
            _ => self == other,
        }
    }

    pub fn rows(rows: impl IntoIterator<Item = u32>) -> Self {
        Self::mixed(rows.into_iter().map(u64::from))
    }

    /// One number for each place.
    pub fn places(numbers: impl IntoIterator<Item = u32>) -> Self {
        let places = (0_u64..).zip(numbers);
        Self::mixed(places.map(|(place, number)| place << 32 | u64::from(number)))
    }

    fn mixed(numbers: impl Iterator<Item = u64>) -> Self {
        let (mut count, mut mix) = (0, 0_u64);
        for number in numbers {
            count += 1;
            mix = mix.wrapping_add(splitmix(number));
        }
        Self::Rows { count, mix }
    }
}

/// Vigna's splitmix64: the Python script computes the same.
fn splitmix(number: u64) -> u64 {
    let mut z = number.wrapping_add(0x9E37_79B9_7F4A_7C15);
    z = (z ^ (z >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
    z = (z ^ (z >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
    z ^ (z >> 31)
}

pub trait ToAnswer {
    fn to_answer(&self) -> Answer;
}

impl ToAnswer for usize {
    fn to_answer(&self) -> Answer {
        Answer::Number(*self as u64)
    }
}

impl ToAnswer for bool {
    fn to_answer(&self) -> Answer {
        Answer::Number(u64::from(*self))
    }
}

impl ToAnswer for f64 {
    fn to_answer(&self) -> Answer {
        Answer::Volume(*self)
    }
}

/// A row or none.
impl ToAnswer for Option<u32> {
    fn to_answer(&self) -> Answer {
        Answer::Number(self.map_or(0, |row| u64::from(row) + 1))
    }
}

impl ToAnswer for Vec<u32> {
    fn to_answer(&self) -> Answer {
        Answer::rows(self.iter().copied())
    }
}

impl ToAnswer for roaring::RoaringBitmap {
    fn to_answer(&self) -> Answer {
        Answer::rows(self.iter())
    }
}

impl ToAnswer for Answer {
    fn to_answer(&self) -> Answer {
        *self
    }
}

/// What a peer answered to a case, and how long one answer took.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Outcome {
    /// In seconds: the median over passes of the mean over the questions.
    pub median: f64,
    /// In seconds: the median over questions, each after the caches were evicted.
    pub cold: Option<f64>,
    pub answers: Vec<Answer>,
}

pub fn median(mut values: Vec<f64>) -> f64 {
    values.sort_by(f64::total_cmp);
    values.get(values.len() / 2).copied().unwrap_or(f64::NAN)
}

/// Times answers to questions, one after the other, over and over.
pub fn time<Q, A: ToAnswer>(questions: &[Q], mut ask: impl FnMut(&Q) -> A) -> Outcome {
    let answers = questions.iter().map(|q| ask(q).to_answer()).collect();
    let mut pass = |times: u32| {
        let start = Instant::now();
        for _ in 0..times {
            for question in questions {
                black_box(ask(black_box(question)));
            }
        }
        start.elapsed()
    };
    let once = pass(1).max(Duration::from_nanos(1));
    let times = (SAMPLE.as_nanos() / once.as_nanos()) as u32 + 1;
    let samples = (LIMIT.as_nanos() / (once.as_nanos() * u128::from(times))).min(401);
    let mut taken: Vec<f64> = (0..samples).map(|_| pass(times).as_secs_f64()).collect();
    if taken.is_empty() {
        // What takes longer than all samples may has been timed already.
        taken.push(once.as_secs_f64());
    }
    let each = 1.0 / (f64::from(times) * questions.len() as f64);
    Outcome {
        median: median(taken) * each,
        cold: None,
        answers,
    }
}

/// As [`time`], for answers that are lists of rows, written into memory that is there already.
pub fn time_ids<Q>(questions: &[Q], mut ask: impl FnMut(&Q, &mut Vec<u32>)) -> Outcome {
    let mut answers = Vec::new();
    let mut ids = Vec::new();
    for question in questions {
        ids.clear();
        ask(question, &mut ids);
        answers.push(ids.to_answer());
    }
    let timed = time(questions, |question| {
        ids.clear();
        ask(question, &mut ids);
        black_box(ids.as_ptr());
        ids.len()
    });
    Outcome { answers, ..timed }
}

/// As [`time`], and once more with cold caches.
pub fn time_cold<Q, A: ToAnswer>(questions: &[Q], mut ask: impl FnMut(&Q) -> A) -> Outcome {
    let mut outcome = time(questions, &mut ask);
    let walk = vec![1_u64; WALK];
    let cold = |ask: &mut dyn FnMut()| {
        black_box(walk.iter().sum::<u64>());
        let start = Instant::now();
        ask();
        start.elapsed().as_secs_f64()
    };
    // To read the clock takes long too, when caches are cold.
    let clock = median((0..COLD).map(|_| cold(&mut || ())).collect());
    let questions = questions.iter().cycle().take(COLD);
    let times = questions.map(|question| cold(&mut || drop(black_box(ask(black_box(question))))));
    outcome.cold = Some(median(times.collect()) - clock);
    outcome
}

/// What look-ups are asked for: keys in random order, and some that are not there.
pub struct Keys {
    pub keys: Vec<[u8; 16]>,
    pub absent: Vec<[u8; 16]>,
}

/// How many keys stand in a batch.
pub const BATCH: usize = 1024;
/// How many keys of each kind are compared between peers.
pub const COMPARED: usize = 1024;

impl Keys {
    fn compared(&self) -> impl Iterator<Item = &[u8; 16]> {
        self.keys.iter().take(COMPARED).chain(&self.absent)
    }

    /// Times look-ups of which each depends on the last, so that reads do not overlap; through all keys if there is time.
    pub fn time_chain(&self, mut find: impl FnMut(&[u8; 16]) -> Option<u32>) -> Outcome {
        let found = self.compared().map(|key| find(key).unwrap_or(u32::MAX));
        let answers = vec![Answer::places(found.collect::<Vec<u32>>())];
        let mut at = 0;
        let mut steps = |count: usize| {
            let start = Instant::now();
            for _ in 0..count {
                at += 1 + (find(&self.keys[at]).unwrap_or_default() & 7) as usize;
                if at >= self.keys.len() {
                    at -= self.keys.len();
                }
            }
            start.elapsed().as_secs_f64() / count as f64
        };
        let each = steps(1000);
        let count = ((0.01 / each) as usize).clamp(10, 20_000);
        let samples = ((1.0 / each) as usize / count).clamp(5, 101);
        Outcome {
            median: median((0..samples).map(|_| steps(count)).collect()),
            cold: None,
            answers,
        }
    }

    /// Times look-ups in batches, of keys and rows in a peer's own form: the figure is that of one key.
    pub fn time_batches<K: Clone, R>(
        &self,
        key: impl Fn([u8; 16]) -> K,
        row: impl Fn(&R) -> u32,
        mut find: impl FnMut(&[K], &mut Vec<Option<R>>),
    ) -> Outcome {
        let mut found = Vec::new();
        let compared: Vec<K> = self.compared().map(|&bytes| key(bytes)).collect();
        find(&compared, &mut found);
        let rows = found
            .iter()
            .map(|found| found.as_ref().map_or(u32::MAX, &row));
        let answers = vec![Answer::places(rows)];
        let keys: Vec<K> = self.keys.iter().map(|&bytes| key(bytes)).collect();
        let batches = keys.chunks_exact(BATCH.min(keys.len()));
        let mut times = Vec::new();
        let start = Instant::now();
        for batch in batches.cycle() {
            let begin = Instant::now();
            found.clear();
            find(black_box(batch), &mut found);
            black_box(found.as_ptr());
            times.push(begin.elapsed().as_secs_f64() / batch.len() as f64);
            if start.elapsed() > 2 * LIMIT {
                break;
            }
        }
        Outcome {
            median: median(times),
            cold: None,
            answers,
        }
    }
}

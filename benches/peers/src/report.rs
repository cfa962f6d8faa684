//! Medians, answers, and one table of them.

use std::collections::BTreeMap;
use std::time::Instant;

use serde::Deserialize;

/// What an engine took for a query, and what it answered.
#[derive(Deserialize)]
pub struct Measured {
    pub query: String,
    pub engine: String,
    /// Median, in nanoseconds; NaN where it was only asked for its answer.
    pub nanoseconds: f64,
    /// A digest of the answers to all questions; the same for every engine. `None` where there is nothing to compare.
    pub answer: Option<f64>,
}

/// Everything that was measured, in the order in which queries were first asked.
#[derive(Default)]
pub struct Report {
    queries: Vec<String>,
    engines: Vec<String>,
    cells: BTreeMap<(usize, usize), Measured>,
}

pub const OURS: &str = "ecnas";

impl Report {
    pub fn add(&mut self, measured: Measured) {
        let place = |names: &mut Vec<String>, name: &str| {
            names.iter().position(|own| own == name).unwrap_or_else(|| {
                names.push(name.to_owned());
                names.len() - 1
            })
        };
        let query = place(&mut self.queries, &measured.query);
        let engine = place(&mut self.engines, &measured.engine);
        self.cells.insert((query, engine), measured);
    }

    /// Asks questions round and round, for about a second; the median over rounds of a question's time.
    pub fn time<Q: Copy>(
        &mut self,
        engine: &str,
        query: &str,
        questions: &[Q],
        mut ask: impl FnMut(Q) -> f64,
    ) {
        let start = Instant::now();
        let answer: f64 = questions.iter().map(|&question| ask(question)).sum();
        let round = start.elapsed().as_secs_f64();
        let rounds = (1.0 / round.max(1e-9)).clamp(3.0, 2000.0) as usize;
        let mut times: Vec<f64> = (0..rounds)
            .map(|_| {
                let start = Instant::now();
                for &question in questions {
                    std::hint::black_box(ask(question));
                }
                start.elapsed().as_secs_f64() * 1e9 / questions.len() as f64
            })
            .collect();
        times.sort_by(f64::total_cmp);
        self.add(Measured {
            query: query.to_owned(),
            engine: engine.to_owned(),
            nanoseconds: times[times.len() / 2],
            answer: Some(answer),
        });
    }

    /// A figure whose answer is of another kind than the others'.
    pub fn figure(&mut self, engine: &str, query: &str, nanoseconds: f64) {
        self.add(Measured {
            query: query.to_owned(),
            engine: engine.to_owned(),
            nanoseconds,
            answer: None,
        });
    }

    /// Says that an engine was asked fewer questions than the others, so that its answer is not to be compared.
    pub fn figure_only(&mut self, engine: &str, query: &str) {
        for cell in self.cells.values_mut() {
            if cell.engine == engine && cell.query == query {
                cell.answer = None;
            }
        }
    }

    /// Whether all engines gave the same answers.
    pub fn agrees(&self) -> bool {
        let mut agrees = true;
        for (query, name) in self.queries.iter().enumerate() {
            let answers: Vec<(&str, f64)> = (0..self.engines.len())
                .filter_map(|engine| self.cells.get(&(query, engine)))
                .filter_map(|own| Some((own.engine.as_str(), own.answer?)))
                .collect();
            let Some(&(_, first)) = answers.first() else { continue };
            let near = |answer: f64| (answer - first).abs() <= 1e-9 * first.abs().max(1.0);
            if !answers.iter().all(|&(_, answer)| near(answer)) {
                println!("answers differ: {name}: {answers:?}");
                agrees = false;
            }
        }
        agrees
    }

    /// One table: times, and how many times ecnas' own each is.
    pub fn print(&self) {
        print!("\n| query |");
        self.engines.iter().for_each(|engine| print!(" {engine} |"));
        println!("\n|{}", " --- |".repeat(self.engines.len() + 1));
        let ours = self.engines.iter().position(|engine| engine == OURS);
        for (query, name) in self.queries.iter().enumerate() {
            print!("| {name} |");
            let own = ours.and_then(|ours| self.cells.get(&(query, ours)));
            for engine in 0..self.engines.len() {
                let Some(cell) = self.cells.get(&(query, engine)) else {
                    print!(" |");
                    continue;
                };
                print!(" {}", time(cell.nanoseconds));
                if let Some(own) = own.filter(|own| own.engine != cell.engine) {
                    print!(" ({:.3}x)", cell.nanoseconds / own.nanoseconds);
                }
                print!(" |");
            }
            println!();
        }
        println!();
    }
}

fn time(nanoseconds: f64) -> String {
    match nanoseconds {
        n if n < 1e3 => format!("{n:.1} ns"),
        n if n < 1e6 => format!("{:.2} us", n / 1e3),
        n if n < 1e9 => format!("{:.2} ms", n / 1e6),
        n => format!("{:.2} s", n / 1e9),
    }
}

//! Random trials, and a slow model of what a table answers.

// Each test file uses its own part of this.
#![allow(dead_code)]

use std::collections::BTreeMap;

use ecnas::cell::CellHash;
use ecnas::metrics::{Budget, Checkpoint, Component, Metric, PowerUsage, Trial, Values};
use proptest::prelude::*;

/// A few hashes, so that trials share cells, with prefixes that collide in the directory.
pub fn hash(number: u8) -> CellHash {
    let mut bytes = [number.wrapping_mul(37); 16];
    bytes[0] = number % 3;
    bytes[15] = number;
    CellHash::from_bytes(bytes)
}

pub fn budget(epochs: u32) -> Budget {
    Budget::epochs(epochs).unwrap()
}

/// Values with ties, zeros of both signs, infinities and NaN among them.
fn value() -> impl Strategy<Value = f64> {
    prop_oneof![
        8 => (0..20_i32).prop_map(|value| f64::from(value) / 10.0),
        4 => 0.0..1.0_f64,
        1 => prop::sample::select(vec![-0.0, f64::INFINITY, f64::NEG_INFINITY, f64::NAN, 5e-324]),
    ]
}

fn values() -> impl Strategy<Value = Values> {
    let metrics = Metric::ALL.to_vec();
    prop::collection::vec((prop::sample::select(metrics), value()), 0..8)
        .prop_map(|pairs| pairs.into_iter().collect())
}

fn text() -> impl Strategy<Value = Option<String>> {
    prop::option::of("[a-zäß0-9: ]{0,12}")
}

prop_compose! {
    fn checkpoint()(values in values(), started in text(), stopped in text()) -> Checkpoint {
        Checkpoint { values, started, stopped }
    }
}

prop_compose! {
    fn power()(
        gpu in any::<bool>(),
        device in text(),
        power_w in prop::option::of(0.0..300.0_f64),
        energy_j in prop::option::of(0.0..1e6_f64),
    ) -> PowerUsage {
        let component = if gpu { Component::Gpu } else { Component::Cpu };
        PowerUsage { component, device, power_w, energy_j }
    }
}

prop_compose! {
    pub fn trial()(
        number in 0..12_u8,
        epochs in prop::sample::select(vec![4_u32, 12, 108]),
        repeat in 1..5_u32,
        totals in values(),
        checkpoints in prop::collection::vec(checkpoint(), 0..4),
        power in prop::collection::vec(power(), 0..3),
        times in (text(), text()),
        other in prop::collection::vec(("[a-c]{1,2}_kwh", value()), 0..3),
        unrecognised in prop::collection::vec(("[a-z]{1,4}", "[a-z]{0,9}"), 0..2),
        verbatim in prop::option::of(prop::collection::vec(any::<u8>(), 0..40)),
    ) -> Trial {
        let mut trial = Trial::new(hash(number), budget(epochs), repeat);
        trial.totals = totals;
        trial.checkpoints = checkpoints;
        trial.power = power;
        (trial.started, trial.stopped) = times;
        trial.other = other;
        trial.unrecognised = unrecognised;
        trial.verbatim = verbatim;
        trial
    }
}

/// Trials, one per cell, budget and repeat.
pub fn trials(most: usize) -> impl Strategy<Value = Vec<Trial>> {
    prop::collection::vec(trial(), 0..most).prop_map(|trials| {
        let mut seen = BTreeMap::new();
        let mut kept = Vec::new();
        for trial in trials {
            let key = (trial.hash, trial.budget, trial.repeat);
            if seen.insert(key, ()).is_none() {
                kept.push(trial);
            }
        }
        kept
    })
}

/// The trials of a cell at a budget, by repeat.
pub fn repeats_of(trials: &[Trial], hash: CellHash, budget: Budget) -> Vec<&Trial> {
    let mut found: Vec<_> = trials
        .iter()
        .filter(|trial| trial.hash == hash && trial.budget == budget)
        .collect();
    found.sort_by_key(|trial| trial.repeat);
    found
}

/// A trial's value in a column; NaN counts as missing.
pub fn column_value(trial: &Trial, column: &str) -> Option<f64> {
    let value = match Metric::from_name(column) {
        Some(metric) => trial.result(metric),
        None => {
            let first = trial.other.iter().find(|(name, _)| name == column);
            first.map(|(_, value)| *value)
        }
    };
    value.filter(|value| !value.is_nan())
}

/// Whether two results are the same number, NaN standing for missing.
pub fn same(found: Option<f64>, expected: Option<f64>) -> bool {
    match (found, expected) {
        (None, None) => true,
        (Some(a), Some(b)) => a == b || (a - b).abs() <= 1e-12 * b.abs(),
        (None, Some(b)) => b.is_nan(), // infinities of both signs have no mean
        (Some(_), None) => false,
    }
}

/// Bytes of two trials, to compare NaN too.
pub fn encoded(trial: &Trial) -> Vec<u8> {
    ecnas::metrics::encode_trial(trial)
        .unwrap()
        .as_ref()
        .to_vec()
}

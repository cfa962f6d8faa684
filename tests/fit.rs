//! Fitting: the same data and seed give the same weights, what is simple is learned, and what cannot be fitted is refused.
#![cfg(feature = "fit")]

use std::ops::ControlFlow;

use ecnas::cell::{Cell, Space};
use ecnas::metrics::Budget;
use ecnas::surrogate::fit::{FitData, FitError, FitOptions, FitProgress, fit};
use ecnas::surrogate::{Surrogate, SurrogateError};

/// Values that follow a rule from the work of the network.
fn data(cells: usize) -> FitData {
    let space = Space::new(6, 9);
    let cells: Vec<Cell> = space.random(5).take(cells).collect();
    let work = |cell: &Cell| cell.macs().total() as f64 / 1e9;
    let of = |rule: &dyn Fn(f64) -> f64| -> Vec<(Cell, f64)> {
        cells.iter().map(|cell| (*cell, rule(work(cell)))).collect()
    };
    let growth = |ratio: f64| vec![ratio; 50];
    FitData {
        energy_kwh: of(&|work| 0.01 + 0.02 * work),
        training_time_s: of(&|work| 50.0 + 100.0 * work),
        tpu_training_time_s: of(&|work| 500.0 + 900.0 * work),
        validation_accuracy: [0.6, 0.8, 0.9, 0.93]
            .map(|best| of(&|work| best * (1.0 - 0.1 * (-work).exp()))),
        energy_growth: [1.0, 0.9, 0.85, 0.8].map(growth),
        time_growth: [1.0, 0.99, 0.98, 0.97].map(growth),
    }
}

fn options(epochs: usize) -> FitOptions {
    let mut options = FitOptions::default();
    (options.name, options.epochs) = ("a trial".to_owned(), epochs);
    options.taught = 50;
    options
}

fn go_on(_: FitProgress) -> ControlFlow<()> {
    ControlFlow::Continue(())
}

#[test]
fn a_rule_is_learned_the_same_way_every_time() {
    let data = data(600);
    let once = || fit(&data, &options(12), go_on).unwrap();
    let ((surrogate, report), (again, _)) = std::thread::scope(|scope| {
        let other = scope.spawn(once);
        (once(), other.join().unwrap())
    });
    let bytes = surrogate.to_bytes().unwrap();
    assert_eq!(bytes, again.to_bytes().unwrap());
    assert_eq!(report.fitted + report.aside, {
        let mut hashes: Vec<_> = data
            .energy_kwh
            .iter()
            .map(|(cell, _)| cell.hash())
            .collect();
        hashes.sort();
        hashes.dedup();
        hashes.len()
    });
    let read = Surrogate::from_bytes(&bytes).unwrap();
    assert_eq!((read.name(), read.seed()), ("a trial", 101));
    // Measured growth: the medians that were given.
    let cell = data.energy_kwh[0].0;
    let at = |epochs| {
        read.predict(cell)
            .at(Budget::epochs(epochs).unwrap())
            .unwrap()
    };
    let ratio = at(108).energy_kwh.value / at(4).energy_kwh.value;
    assert!((ratio / (27.0 * 0.8) - 1.0).abs() < 1e-6, "{ratio}");
    let mean = data.energy_kwh.iter().map(|own| own.1).sum::<f64>() / data.energy_kwh.len() as f64;
    let spread = data
        .energy_kwh
        .iter()
        .map(|own| (own.1 - mean).abs())
        .sum::<f64>()
        / data.energy_kwh.len() as f64;
    let (name, energy, _) = &report.quantities[0];
    // Not only the mean was learned, from a few passes.
    assert!(
        energy.mean_absolute_error < 0.5 * 1000.0 * spread,
        "{name}: {energy:?}, spread {spread}"
    );
    assert!(energy.kendall_tau > 0.8, "{energy:?}");
}

#[test]
fn what_cannot_be_fitted_is_refused() {
    let refused = |change: &dyn Fn(&mut FitData)| {
        let mut data = data(100);
        change(&mut data);
        match fit(&data, &options(1), go_on) {
            Err(FitError::Data(error)) => error,
            other => panic!("{:?}", other.map(|fit| fit.1)),
        }
    };
    let few = refused(&|data| data.energy_kwh.truncate(39));
    assert!(
        matches!(
            few,
            SurrogateError::TooFew {
                least: 40,
                found: 39,
                ..
            }
        ),
        "{few}"
    );
    assert!(few.to_string().contains("energy"), "{few}");
    let few = refused(&|data| data.energy_growth[3].clear());
    assert!(few.to_string().contains("108"), "{few}");
    for value in [f64::NAN, f64::INFINITY, -1.0] {
        let error = refused(&|data| data.energy_kwh[3].1 = value);
        assert!(
            matches!(error, SurrogateError::Degenerate { .. }),
            "{error}"
        );
        assert!(error.to_string().contains(&value.to_string()), "{error}");
    }
    let error = refused(&|data| data.validation_accuracy[3][0].1 = 1.5);
    assert!(error.to_string().contains("1.5"), "{error}");
    let error = refused(&|data| {
        data.tpu_training_time_s
            .iter_mut()
            .for_each(|own| own.1 = 7.0)
    });
    assert!(
        matches!(error, SurrogateError::Degenerate { .. }),
        "{error}"
    );
    let stopped = fit(&data(100), &options(1), |_| ControlFlow::Break(()));
    assert!(matches!(stopped, Err(FitError::Interrupted)));
}

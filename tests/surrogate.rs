//! Predictions: on cells kept aside when the weights were fitted, of isomorphic drawings, one by one and together.

mod common;

use ecnas::cell::{Cell, CellHash, enumerate};
use ecnas::metrics::Budget;
use ecnas::surrogate::{BudgetPrediction, Device, Estimate, Surrogate, SurrogateError};

fn budget(epochs: u32) -> Budget {
    Budget::epochs(epochs).unwrap()
}

fn at(cell: Cell, epochs: u32) -> BudgetPrediction {
    Surrogate::embedded()
        .predict(cell)
        .at(budget(epochs))
        .unwrap()
}

/// Cells that were kept aside: every eighth value of the hash's last byte.
fn is_aside(hash: CellHash) -> bool {
    hash.to_bytes()[15].is_multiple_of(8)
}

/// Mean absolute error, Kendall's tau-b, share within the interval; by double loops.
fn errors(pairs: &[(f64, Estimate)]) -> (f64, f64, f64) {
    let count = pairs.len() as f64;
    let error = pairs
        .iter()
        .map(|(truth, own)| (truth - own.value).abs())
        .sum::<f64>()
        / count;
    let within = pairs
        .iter()
        .filter(|(truth, own)| (own.low..=own.high).contains(truth))
        .count();
    let (mut sum, mut ties) = (0.0, [0.0, 0.0]);
    for (i, (a, own_a)) in pairs.iter().enumerate() {
        for (b, own_b) in &pairs[..i] {
            let truth = a.partial_cmp(b).unwrap() as i8;
            let predicted = own_a.value.partial_cmp(&own_b.value).unwrap() as i8;
            sum += f64::from(truth * predicted);
            ties[0] += f64::from(truth.abs());
            ties[1] += f64::from(predicted.abs());
        }
    }
    (
        error,
        sum / (ties[0] * ties[1]).sqrt(),
        within as f64 / count,
    )
}

#[test]
fn energy_of_cells_kept_aside_is_predicted_well() {
    let Some(path) = common::data("ec-nas/energy_7V9E_4epochs_measured.csv") else {
        return;
    };
    let text = std::fs::read_to_string(path).unwrap();
    let pairs: Vec<(f64, Estimate)> = text
        .lines()
        .skip(1)
        .filter_map(|line| {
            let (left, right) = line.split_once('"').unwrap();
            let (operations, right) = right.split_once('"').unwrap();
            let (_, adjacency) = left.trim_end_matches(',').split_once(',').unwrap();
            let cell = Cell::from_bits(adjacency, operations).unwrap();
            let kwh: f64 = right.rsplit(',').next().unwrap().parse().unwrap();
            is_aside(cell.hash()).then(|| (kwh, at(cell, 4).energy_kwh))
        })
        .collect();
    assert_eq!(pairs.len(), 424);
    let (error, tau, within) = errors(&pairs);
    println!(
        "energy of 4 epochs: {} kWh, tau {tau}, {within} within",
        error
    );
    assert!(error <= 0.000_24, "{error}");
    assert!(tau >= 0.96, "{tau}");
    assert!((0.87..0.95).contains(&within), "{within}");
}

/// Trained and metered by another harness than what was learned from: the intervals do not speak of them.
#[cfg(feature = "import")]
#[test]
fn intervals_hold_no_runs_of_another_harness() {
    use ecnas::import::{Import, ImportOptions};
    use ecnas::metrics::Metric;
    use std::collections::BTreeMap;

    let Some(path) = common::data("ec-nas/results/5V9E") else {
        return;
    };
    let mut cells: BTreeMap<CellHash, (Cell, Vec<[f64; 2]>)> = BTreeMap::new();
    for batch in Import::open(&path, &ImportOptions::default()).unwrap() {
        for trial in batch.unwrap() {
            let values = [Metric::Energy, Metric::ValidationAccuracy];
            let values = values.map(|metric| trial.result(metric).unwrap());
            let own = cells.entry(trial.hash);
            own.or_insert((trial.cell.unwrap(), Vec::new()))
                .1
                .push(values);
        }
    }
    let of = |metric: usize, predicted: fn(BudgetPrediction) -> Estimate| -> Vec<(f64, Estimate)> {
        let pair = |(cell, runs): &(Cell, Vec<[f64; 2]>)| {
            let mean = runs.iter().map(|run| run[metric]).sum::<f64>() / runs.len() as f64;
            (mean, predicted(at(*cell, 108)))
        };
        cells.values().map(pair).collect()
    };
    assert_eq!(cells.len(), 700);
    let (_, _, energies) = errors(&of(0, |at| at.energy_kwh));
    let (_, _, accuracies) = errors(&of(1, |at| at.validation_accuracy));
    println!("within the intervals: {energies} of energies, {accuracies} of accuracies");
    assert_eq!(energies, 0.0);
    assert!((0.3..0.45).contains(&accuracies), "{accuracies}");
    assert!(Surrogate::INTERVAL_RUNS.contains("like those that it learned from"));
}

#[test]
fn accuracy_and_tpu_time_of_cells_kept_aside_are_predicted_well() {
    let Some(path) = common::data("nasbench101/validation_accuracy_sample.csv") else {
        return;
    };
    let space = ecnas::cell::Space::new(7, 9);
    let text = std::fs::read_to_string(path).unwrap();
    let (mut accuracies, mut times) = (Vec::new(), Vec::new());
    let mut relative = 0.0;
    for line in text.lines().skip(1) {
        let fields: Vec<&str> = line.split(',').collect();
        let cell = space.cell(fields[0].parse().unwrap()).unwrap();
        if is_aside(cell.hash()) {
            let at = at(cell, 108);
            let seconds: f64 = fields[2].parse().unwrap();
            relative += (at.tpu_training_time_s.value / seconds - 1.0).abs();
            times.push((seconds, at.tpu_training_time_s));
            accuracies.push((fields[6].parse().unwrap(), at.validation_accuracy));
        }
    }
    assert_eq!(accuracies.len(), 2_976);
    let (error, tau, within) = errors(&accuracies);
    println!("accuracy at 108 epochs: {error}, tau {tau}, {within} within");
    assert!(error <= 0.004_9 && tau >= 0.85, "{error} {tau}");
    assert!((0.87..0.93).contains(&within), "{within}");
    let (_, tau, within) = errors(&times);
    relative /= times.len() as f64;
    println!("time on the TPU: {relative}, tau {tau}, {within} within");
    assert!(relative <= 0.013 && tau >= 0.97, "{relative} {tau}");
    assert!((0.87..0.95).contains(&within), "{within}");
}

#[test]
fn equal_cells_and_any_company_give_equal_predictions() {
    let surrogate = Surrogate::embedded();
    let cells: Vec<Cell> = enumerate(7, 9).step_by(9_973).collect();
    let together = surrogate.predict_all(&cells);
    assert_eq!(together.len(), cells.len());
    for (cell, prediction) in cells.iter().zip(&together) {
        for epochs in Surrogate::EPOCHS {
            let own = prediction.at(budget(epochs)).unwrap();
            assert_eq!(own, at(*cell, epochs), "{cell}");
            for estimate in [
                own.energy_kwh,
                own.training_time_s,
                own.tpu_training_time_s,
                own.linear_energy_kwh,
            ] {
                assert!(
                    estimate.low <= estimate.value && estimate.value <= estimate.high,
                    "{cell} {estimate:?}"
                );
                assert!(
                    estimate.low > 0.0 && estimate.high.is_finite(),
                    "{cell} {estimate:?}"
                );
            }
            let accuracy = own.validation_accuracy;
            assert!(
                0.0 <= accuracy.low && accuracy.low <= accuracy.value,
                "{cell} {accuracy:?}"
            );
            assert!(
                accuracy.value <= accuracy.high && accuracy.high <= 1.0,
                "{cell} {accuracy:?}"
            );
        }
    }
    let labels = [-1, 0, 1, -2];
    // The two operations, exchanged: isomorphic, since they stand side by side.
    let redrawn = [[0, 1, 1, 0], [0, 0, 0, 1], [0, 0, 0, 1], [0, 0, 0, 0]];
    let swapped = Cell::from_labels(&redrawn, &[-1, 1, 0, -2]).unwrap();
    let redrawn = Cell::from_labels(&redrawn, &labels).unwrap();
    assert_eq!(redrawn, swapped);
    assert_eq!(at(redrawn, 108), at(swapped, 108));
    assert!(surrogate.predict_all(&[]).is_empty());
}

#[test]
fn linear_and_measured_scaling_differ_as_documented() {
    let cell: Cell = "010001000:input,conv3x3-bn-relu,output".parse().unwrap();
    let base = at(cell, 4);
    assert_eq!(base.energy_kwh, base.linear_energy_kwh);
    for (epochs, growth) in [(12, 0.922), (36, 0.876), (108, 0.876)] {
        let own = at(cell, epochs);
        let times = f64::from(epochs) / 4.0;
        assert!((own.linear_energy_kwh.value / base.energy_kwh.value - times).abs() < 1e-9);
        let found = own.energy_kwh.value / own.linear_energy_kwh.value;
        assert!((found - growth).abs() < 0.001, "{epochs}: {found}");
    }
    let error = Surrogate::embedded()
        .predict(cell)
        .at(budget(5))
        .unwrap_err();
    assert!(error.to_string().contains("4, 12, 36 or 108"), "{error}");
}

#[test]
fn damaged_weights_are_refused() {
    let bytes = include_bytes!("../src/surrogate/weights.bin");
    assert!(Surrogate::from_bytes(bytes).is_ok());
    for length in [0, 8, 15, 16, 17, 1_000, bytes.len() - 1] {
        assert!(Surrogate::from_bytes(&bytes[..length]).is_err(), "{length}");
    }
    for place in (0..bytes.len()).step_by(997).chain([8, 12]) {
        let mut changed = bytes.to_vec();
        changed[place] ^= 0x10;
        let error = Surrogate::from_bytes(&changed).unwrap_err();
        let is_format = matches!(error, SurrogateError::Format { .. });
        assert_eq!(is_format, place < 12, "{place}: {error}");
    }
}

#[test]
fn weights_that_are_no_numbers_are_refused_and_never_predict_nan() {
    let bytes = include_bytes!("../src/surrogate/weights.bin");
    let cells: Vec<Cell> = enumerate(7, 9).step_by(60_000).collect();
    let check = |surrogate: &Surrogate| {
        for prediction in surrogate.predict_all(&cells) {
            for epochs in Surrogate::EPOCHS {
                let at = prediction.at(budget(epochs)).unwrap();
                let values = [at.energy_kwh, at.training_time_s, at.validation_accuracy];
                assert!(values.iter().all(|own| own.low <= own.high), "{at:?}");
            }
        }
    };
    check(Surrogate::embedded());
    let mut refused = 0;
    // Numbers all over the archive, and all of its end, where the scales are.
    let last = (bytes.len() - 500) / 4 * 4;
    let places: Vec<usize> = (16..last)
        .step_by(4 * 97)
        .chain((last..bytes.len() - 4).step_by(4))
        .collect();
    for &place in &places {
        let mut changed = bytes.to_vec();
        changed[place..place + 4].copy_from_slice(&f32::NAN.to_le_bytes());
        let checksum = crc32c::crc32c(&changed[16..]);
        changed[12..16].copy_from_slice(&checksum.to_le_bytes());
        match Surrogate::from_bytes(&changed) {
            Ok(surrogate) => check(&surrogate),
            Err(error) => {
                assert!(matches!(error, SurrogateError::Damaged { .. }), "{error}");
                refused += 1;
            }
        }
    }
    assert!(refused > places.len() / 2, "{refused} of {}", places.len());
}

#[test]
fn too_few_or_degenerate_measurements_make_no_device() {
    let surrogate = Surrogate::embedded();
    let cells: Vec<Cell> = enumerate(5, 9).step_by(200).collect();
    let fit = |measured: &[(Cell, f64)]| Device::fit(surrogate, "own", budget(4), measured);
    let measured: Vec<(Cell, f64)> = cells.iter().map(|&cell| (cell, 0.01)).collect();
    assert!(matches!(
        fit(&measured[..7]),
        Err(SurrogateError::TooFew {
            least: 8,
            found: 7,
            ..
        })
    ));
    assert!(matches!(
        fit(&[measured[0]; 9]),
        Err(SurrogateError::Degenerate { .. })
    ));
    for wrong in [0.0, -1.0, f64::NAN, f64::INFINITY] {
        let mut changed = measured.clone();
        changed[3].1 = wrong;
        assert!(
            matches!(fit(&changed), Err(SurrogateError::Degenerate { .. })),
            "{wrong}"
        );
    }
    assert!(Device::fit(surrogate, "own", budget(5), &measured).is_err());
}

/// Energy on another GPU, learned from some of its cells, tried on the others. The released figures of the two GPUs differ
/// by a factor that itself varies by a third from cell to cell, so that even energies measured on the one tell little of the
/// other: that is what the surrogate is held against.
#[cfg(feature = "import")]
#[test]
fn another_device_is_learned_as_well_as_from_measurements() {
    use ecnas::import::{Import, ImportOptions};
    use ecnas::metrics::Metric;

    let read = |name: &str| -> Option<Vec<(Cell, f64)>> {
        let import = Import::open(&common::data(name)?, &ImportOptions::default()).unwrap();
        let trials = import
            .flat_map(|batch| batch.unwrap())
            .filter(|trial| trial.budget == budget(4));
        let mut cells: Vec<(Cell, f64)> = trials
            .map(|trial| (trial.cell.unwrap(), trial.result(Metric::Energy).unwrap()))
            .collect();
        cells.sort_by_key(|(cell, _)| cell.hash());
        Some(cells)
    };
    let Some(measured) = read("ec-nas/energy_4V9E_rtx3090.tfrecord") else {
        return;
    };
    let Some(there) = read("ec-nas/energy_4V9E_quadrortx6000.tfrecord") else {
        return;
    };
    assert_eq!((measured.len(), there.len()), (91, 91));
    let surrogate = Surrogate::embedded();
    // Mean relative errors by the surrogate, and by one factor on the other GPU's measurements.
    let errors_of = |count: usize| {
        let parts = 91 / count;
        let (mut own, mut other) = (Vec::new(), Vec::new());
        for part in 0..parts {
            let is_fitted = |place: &usize| place % parts == part && place / parts < count;
            let (fitted, rest): (Vec<usize>, Vec<usize>) = (0..91).partition(is_fitted);
            let pairs: Vec<(Cell, f64)> = fitted.iter().map(|&place| measured[place]).collect();
            let device = Device::fit(surrogate, "RTX 3090", budget(4), &pairs).unwrap();
            let logs = fitted
                .iter()
                .map(|&place| (measured[place].1 / there[place].1).ln());
            let factor = (logs.sum::<f64>() / fitted.len() as f64).exp();
            for place in rest {
                let (cell, kwh) = measured[place];
                let prediction = surrogate.predict(cell);
                let estimate = device.energy_kwh(&prediction, budget(4)).unwrap();
                own.push((estimate.value / kwh - 1.0).abs());
                other.push((there[place].1 * factor / kwh - 1.0).abs());
            }
        }
        let mean = |errors: &[f64]| errors.iter().sum::<f64>() / errors.len() as f64;
        (mean(&own), mean(&other))
    };
    let found = [8, 15, 30, 45].map(|count| (count, errors_of(count)));
    println!("cells measured, mean relative error, the same from measurements: {found:?}");
    let [(_, few), .., (_, many)] = found;
    assert!(many.0 < few.0, "{found:?}");
    assert!(many.0 < 1.1 * many.1, "{found:?}");
}

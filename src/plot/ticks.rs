//! Where an axis has ticks, and what stands beside them.

/// A tick of an axis.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Tick {
    pub at: f64,
    pub label: String,
}

impl Tick {
    /// `number` times ten to the power `exponent`.
    fn new(number: i64, exponent: i32) -> Self {
        // Read from text, a decimal number is the nearest there is.
        let text = format!("{number}e{exponent}");
        let at: f64 = text.parse().unwrap_or(0.0);
        let size = at.abs();
        let label = if at == 0.0 {
            "0".to_owned()
        } else if (1e-4..1e6).contains(&size) {
            format!("{at:.*}", (-exponent).max(0) as usize)
        } else {
            format!("{at:e}")
        };
        Self { at, label }
    }
}

/// Multiples of 1, 2 or 5 times a power of ten, at most `most`.
pub(super) fn linear([low, high]: [f64; 2], most: usize) -> Vec<Tick> {
    let span = high - low;
    if !(span > 0.0 && span.is_finite()) {
        return Vec::new();
    }
    let least_step = span / most.max(1) as f64;
    let power = least_step.log10().floor() as i32;
    let steps = [
        (1, power),
        (2, power),
        (5, power),
        (1, power + 1),
        (2, power + 1),
    ];
    for (digit, exponent) in steps {
        let step = Tick::new(digit, exponent).at;
        let (first, last) = ((low / step).ceil(), (high / step).floor());
        // Beyond it, neighbours are the same number.
        let is_exact = first.abs().max(last.abs()) < 1e15;
        if is_exact && last - first + 1.0 <= most as f64 {
            let numbers = first as i64..=last as i64;
            return numbers
                .map(|number| Tick::new(number * digit, exponent))
                .collect();
        }
    }
    Vec::new()
}

/// For a logarithmic axis: 1, 2 and 5 times powers of ten, or powers of ten alone, at most `most`; within a narrow range
/// those of a linear axis.
pub(super) fn logarithmic([low, high]: [f64; 2], most: usize) -> Vec<Tick> {
    if !(low > 0.0 && high.is_finite()) {
        return Vec::new();
    }
    let (first, last) = (low.log10().floor() as i32, high.log10().ceil() as i32);
    let of = |digits: &[i64], every: i32| -> Vec<Tick> {
        let exponents = (first..=last).filter(|exponent| exponent.rem_euclid(every) == 0);
        let ticks = exponents.flat_map(|exponent| {
            let digits = digits.iter();
            digits.map(move |&digit| Tick::new(digit, exponent))
        });
        ticks
            .filter(|tick| (low..=high).contains(&tick.at))
            .collect()
    };
    let dense = of(&[1, 2, 5], 1);
    match dense.len() {
        0..5 if high / low < 10.0 => return linear([low, high], most),
        count if count <= most => return dense,
        _ => {}
    }
    let steps = [1, 2, 3, 5, 10, 20, 30, 50, 100, 200];
    let sparse = steps.into_iter().map(|every| of(&[1], every));
    let mut fitting = sparse.filter(|ticks| ticks.len() <= most);
    fitting.next().unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn labels(ticks: Vec<Tick>) -> Vec<String> {
        ticks.into_iter().map(|tick| tick.label).collect()
    }

    #[test]
    fn ticks_are_round_numbers() {
        assert_eq!(
            labels(linear([92.9, 94.2], 8)),
            ["93.0", "93.2", "93.4", "93.6", "93.8", "94.0", "94.2"]
        );
        assert_eq!(
            labels(logarithmic([0.12, 0.65], 12)),
            [
                "0.15", "0.20", "0.25", "0.30", "0.35", "0.40", "0.45", "0.50", "0.55", "0.60",
                "0.65"
            ]
        );
        assert_eq!(
            labels(logarithmic([0.03, 2.2], 12)),
            ["0.05", "0.1", "0.2", "0.5", "1", "2"]
        );
        assert_eq!(
            labels(logarithmic([1e-9, 1e9], 12)),
            [
                "1e-8", "1e-6", "0.0001", "0.01", "1", "100", "10000", "1e6", "1e8"
            ]
        );
    }

    #[test]
    fn every_range_has_a_few_ticks_and_not_too_many() {
        for exponent in (-300..300).step_by(7) {
            let low = 10_f64.powi(exponent) * 1.3;
            for ratio in [1.32, 2.0, 9.0, 40.0, 1e4, 1e12] {
                for ticks in [linear, logarithmic] {
                    let range = [low, (low * ratio).min(1e305)];
                    let found = ticks(range, 12);
                    assert!((2..=12).contains(&found.len()), "{range:?}: {found:?}");
                    let [low, high] = [range[0] * (1.0 - 1e-9), range[1] * (1.0 + 1e-9)];
                    let within = |tick: &Tick| (low..=high).contains(&tick.at);
                    assert!(found.iter().all(within), "{range:?}: {found:?}");
                }
            }
        }
        assert!(linear([1.0, 1.0], 12).is_empty() && logarithmic([0.0, 1.0], 12).is_empty());
    }
}

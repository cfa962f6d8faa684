//! Units in headers.

use crate::metrics::{Metric, Unit};

/// A factor to the standard unit, as a fraction so that it is exact where it can be.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Scale {
    times: f64,
    over: f64,
}

impl Scale {
    pub(super) const ONE: Self = Self {
        times: 1.0,
        over: 1.0,
    };

    pub(super) fn apply(self, value: f64) -> f64 {
        value * self.times / self.over
    }

    /// The scale from a unit's text to the metric's own unit; without one if the text is no unit of it.
    pub(super) fn from(text: &str, metric: Metric) -> Option<Self> {
        let text = text.trim().to_lowercase().replace("_per_", "/");
        let (times, over) = match (metric.unit(), text.as_str()) {
            (Unit::KilowattHour, "kwh") => (1.0, 1.0),
            (Unit::KilowattHour, "wh") => (1.0, 1e3),
            (Unit::KilowattHour, "j") => (1.0, 3.6e6),
            (Unit::KilowattHour, "kj") => (1.0, 3.6e3),
            (Unit::Gram, "g") => (1.0, 1.0),
            (Unit::Gram, "kg") => (1e3, 1.0),
            (Unit::Gram, "mg") => (1.0, 1e3),
            (Unit::GramPerKilowattHour, "g/kwh" | "gco2/kwh" | "gco2e/kwh") => (1.0, 1.0),
            (Unit::GramPerKilowattHour, "kg/kwh") => (1e3, 1.0),
            (Unit::Second, "s" | "sec" | "seconds") => (1.0, 1.0),
            (Unit::Second, "ms") => (1.0, 1e3),
            (Unit::Second, "min" | "minutes") => (60.0, 1.0),
            (Unit::Second, "h" | "hours") => (3600.0, 1.0),
            (Unit::Fraction, "fraction") => (1.0, 1.0),
            (Unit::Fraction, "%" | "percent") => (1.0, 100.0),
            (Unit::Count, "count") | (Unit::Epoch, "epochs") => (1.0, 1.0),
            _ => return None,
        };
        Some(Self { times, over })
    }
}

/// Whether values of the metric mean something without a unit.
pub(super) const fn needs_none(metric: Metric) -> bool {
    matches!(metric.unit(), Unit::Fraction | Unit::Count | Unit::Epoch)
}

/// The units that a metric's column may have, for messages.
pub(super) const fn allowed(metric: Metric) -> &'static str {
    match metric.unit() {
        Unit::KilowattHour => "kWh, Wh, J or kJ",
        Unit::Gram => "g, kg or mg",
        Unit::GramPerKilowattHour => "g/kWh or kg/kWh",
        Unit::Second => "s, ms, min or h",
        Unit::Fraction => "fraction or percent",
        _ => "no unit",
    }
}

/// The metric's name without its unit.
pub(super) fn stem(metric: Metric) -> &'static str {
    let name = metric.name();
    ["_g_per_kwh", "_kwh", "_g", "_s"]
        .iter()
        .find_map(|suffix| name.strip_suffix(suffix))
        .unwrap_or(name)
}

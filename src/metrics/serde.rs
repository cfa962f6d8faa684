//! `Serialize` and `Deserialize`: a budget is its number, what has a name is its name, a digest is hexadecimal digits.

use serde::de::Error;
use serde::{Deserialize, Deserializer, Serialize, Serializer};

use super::{Budget, Component, Metric, Provenance, Unit, Values};

/// The number of epochs.
impl Serialize for Budget {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_u32(self.get())
    }
}

impl<'de> Deserialize<'de> for Budget {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Budget, D::Error> {
        Budget::epochs(u32::deserialize(deserializer)?).map_err(D::Error::custom)
    }
}

/// A type that is written as text, and read back from it.
macro_rules! as_text {
    ($type:ty, $doc:literal, $to:expr, $from:expr, $expected:literal) => {
        #[doc = $doc]
        impl Serialize for $type {
            fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
                let to: fn(&$type) -> _ = $to;
                serializer.collect_str(&to(self))
            }
        }

        impl<'de> Deserialize<'de> for $type {
            fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<$type, D::Error> {
                let text = String::deserialize(deserializer)?;
                let from: fn(&str) -> Option<$type> = $from;
                from(&text).ok_or_else(|| {
                    D::Error::custom(format_args!(
                        concat!("expected ", $expected, ", found {:?}"),
                        text
                    ))
                })
            }
        }
    };
}

as_text!(
    Metric,
    "By [`Metric::name`].",
    |metric| metric.name(),
    |text| Metric::from_name(text),
    "a metric's name with its unit, such as energy_kwh"
);
as_text!(
    Provenance,
    "One word, or `predicted by MODEL`.",
    Provenance::to_string,
    Provenance::parse,
    "measured, scaled, averaged, copied, computed, unstated or `predicted by MODEL`"
);
as_text!(
    Component,
    "By [`Component::name`].",
    |component| component.name(),
    |text| [Component::Gpu, Component::Cpu]
        .into_iter()
        .find(|component| component.name() == text),
    "gpu or cpu"
);
as_text!(
    Unit,
    "By its symbol, or `fraction`, `count`, `unstated`.",
    |unit| word(*unit),
    |text| UNITS.into_iter().find(|unit| word(*unit) == text),
    "kWh, g, g/kWh, s, epochs, fraction, count or unstated"
);

const UNITS: [Unit; 8] = [
    Unit::KilowattHour,
    Unit::Gram,
    Unit::GramPerKilowattHour,
    Unit::Second,
    Unit::Fraction,
    Unit::Count,
    Unit::Epoch,
    Unit::Unstated,
];

const fn word(unit: Unit) -> &'static str {
    match unit {
        Unit::Fraction => "fraction",
        Unit::Count => "count",
        Unit::Unstated => "unstated",
        unit => unit.symbol(),
    }
}

/// A map from metrics to numbers. Formats without NaN and infinities, such as JSON, have null in their place, which is read
/// as NaN.
impl Serialize for Values {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_map(self.iter())
    }
}

impl<'de> Deserialize<'de> for Values {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Values, D::Error> {
        let values = std::collections::BTreeMap::<Metric, Option<f64>>::deserialize(deserializer)?;
        let values = values.into_iter();
        Ok(values
            .map(|(metric, value)| (metric, value.unwrap_or(f64::NAN)))
            .collect())
    }
}

/// Named values, null standing for NaN.
pub(super) mod named {
    use serde::{Deserialize, Deserializer, Serialize, Serializer};

    pub fn serialize<S: Serializer>(
        values: &[(String, f64)],
        serializer: S,
    ) -> Result<S::Ok, S::Error> {
        values.serialize(serializer)
    }

    pub fn deserialize<'de, D: Deserializer<'de>>(
        deserializer: D,
    ) -> Result<Vec<(String, f64)>, D::Error> {
        let values = Vec::<(String, Option<f64>)>::deserialize(deserializer)?;
        let values = values.into_iter();
        Ok(values
            .map(|(name, value)| (name, value.unwrap_or(f64::NAN)))
            .collect())
    }
}

/// A digest: hexadecimal digits in human-readable formats, else bytes.
pub(super) mod digest {
    use serde::de::Error;
    use serde::{Deserialize, Deserializer, Serialize, Serializer};

    pub fn serialize<S: Serializer>(bytes: &[u8; 32], serializer: S) -> Result<S::Ok, S::Error> {
        if !serializer.is_human_readable() {
            return bytes.serialize(serializer);
        }
        let digits: String = bytes.iter().map(|byte| format!("{byte:02x}")).collect();
        serializer.serialize_str(&digits)
    }

    pub fn deserialize<'de, D: Deserializer<'de>>(deserializer: D) -> Result<[u8; 32], D::Error> {
        if !deserializer.is_human_readable() {
            return <[u8; 32]>::deserialize(deserializer);
        }
        let text = String::deserialize(deserializer)?;
        let digit = |byte: &u8| char::from(*byte).to_digit(16);
        let bytes: Option<Vec<u8>> = text
            .as_bytes()
            .chunks(2)
            .map(|pair| match pair {
                [high, low] => Some((digit(high)? << 4 | digit(low)?) as u8),
                _ => None,
            })
            .collect();
        let bytes = bytes.and_then(|bytes| bytes.try_into().ok());
        let wrong = || {
            D::Error::custom(format_args!(
                "expected 64 hexadecimal digits, found {text:?}"
            ))
        };
        bytes.ok_or_else(wrong)
    }
}

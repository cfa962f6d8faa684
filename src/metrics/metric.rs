use std::fmt;

/// The unit of a metric.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Unit {
    /// Kilowatt hours.
    KilowattHour,
    /// Grams (of CO2 equivalents).
    Gram,
    /// Grams (of CO2 equivalents) per kilowatt hour.
    GramPerKilowattHour,
    /// Seconds.
    Second,
    /// A fraction in `[0, 1]`.
    Fraction,
    /// A whole number of things.
    Count,
    /// Training epochs.
    Epoch,
    /// Not stated: a user's own column whose name carries no unit that is known here.
    Unstated,
}

impl Unit {
    /// The unit's usual symbol, empty for fractions, counts and unstated units.
    #[must_use]
    pub const fn symbol(self) -> &'static str {
        match self {
            Self::KilowattHour => "kWh",
            Self::Gram => "g",
            Self::GramPerKilowattHour => "g/kWh",
            Self::Second => "s",
            Self::Epoch => "epochs",
            Self::Fraction | Self::Count | Self::Unstated => "",
        }
    }

    /// The unit that a column's name ends with (`inference_energy_kwh` is in kWh), or [`Unit::Unstated`].
    #[must_use]
    pub fn of_name(name: &str) -> Self {
        if let Some(metric) = Metric::from_name(name) {
            return metric.unit();
        }
        // Longest suffix first: `_g_per_kwh` also ends in `_kwh`.
        const SUFFIXES: [(&str, Unit); 7] = [
            ("_g_per_kwh", Unit::GramPerKilowattHour),
            ("_accuracy", Unit::Fraction),
            ("_kwh", Unit::KilowattHour),
            ("_epochs", Unit::Epoch),
            ("_parameters", Unit::Count),
            ("_g", Unit::Gram),
            ("_s", Unit::Second),
        ];
        SUFFIXES
            .iter()
            .find(|(suffix, _)| name.ends_with(suffix))
            .map_or(Self::Unstated, |&(_, unit)| unit)
    }
}

impl fmt::Display for Unit {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.symbol())
    }
}

macro_rules! metrics {
    ($($code:literal $variant:ident $name:literal $unit:ident, $doc:literal;)*) => {
        /// A metric that the released benchmarks report.
        ///
        /// A metric's [`name`](Metric::name) ends with its unit and is its column's name everywhere: in snapshots, CSV
        /// headers and JSON keys. Columns with other names are legal too; they have no variant here.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
        #[non_exhaustive]
        #[repr(u8)]
        pub enum Metric {
            $(#[doc = $doc] $variant = $code,)*
        }

        impl Metric {
            /// All metrics, in the order of their codes.
            pub const ALL: [Self; [$($code),*].len()] = [$(Self::$variant),*];

            /// The name of the metric's column, with its unit: `energy_kwh`.
            #[must_use]
            pub const fn name(self) -> &'static str {
                match self { $(Self::$variant => $name,)* }
            }

            /// The metric's unit.
            #[must_use]
            pub const fn unit(self) -> Unit {
                match self { $(Self::$variant => Unit::$unit,)* }
            }
        }
    };
}

// The codes are stored in files: never reuse or reorder one. Below 32, see `Values`.
metrics! {
    0 Energy "energy_kwh" KilowattHour,
        "Energy of training up to the checkpoint, in kWh. Of a trial: of its last checkpoint, which is the figure that EC-NAS reports and scales; evaluation is left out.";
    1 Co2e "co2e_g" Gram,
        "Stored CO2 equivalents of that energy, in g, at the carbon intensity of the hour when the run took place: not comparable between cells.";
    2 TrainingTime "training_time_s" Second,
        "Time spent training up to the checkpoint, in s.";
    3 TrainAccuracy "train_accuracy" Fraction,
        "Accuracy on the training set, a fraction.";
    4 ValidationAccuracy "validation_accuracy" Fraction,
        "Accuracy on the validation set, a fraction.";
    5 TestAccuracy "test_accuracy" Fraction,
        "Accuracy on the test set, a fraction.";
    6 TrainableParameters "trainable_parameters" Count,
        "Number of trainable parameters of the whole network.";
    7 Macs "macs" Count,
        "Multiply-accumulate operations of one forward pass of the whole network on one image.";
    8 TotalEnergy "total_energy_kwh" KilowattHour,
        "Energy of the whole run with start and evaluations, in kWh.";
    9 TotalCo2e "total_co2e_g" Gram,
        "Stored CO2 equivalents of the whole run, in g.";
    10 TotalTime "total_time_s" Second,
        "Wall-clock time of the whole run, in s.";
    11 CarbonIntensity "carbon_intensity_g_per_kwh" GramPerKilowattHour,
        "Average carbon intensity of the grid up to the checkpoint, in g/kWh.";
    12 TotalCarbonIntensity "total_carbon_intensity_g_per_kwh" GramPerKilowattHour,
        "Average carbon intensity of the grid over the whole run, in g/kWh.";
    13 PredictedEnergy "predicted_energy_kwh" KilowattHour,
        "Energy that the energy meter's software predicted from the first epochs, in kWh. Never a measurement.";
    14 PredictedCo2e "predicted_co2e_g" Gram,
        "CO2 equivalents that the energy meter's software predicted, in g.";
    15 PredictedTrainingTime "predicted_training_time_s" Second,
        "Training time that the energy meter's software predicted, in s.";
    16 PredictedCarbonIntensity "predicted_carbon_intensity_g_per_kwh" GramPerKilowattHour,
        "Carbon intensity that the energy meter's software predicted, in g/kWh.";
    17 TrainingSteps "training_steps" Count,
        "Number of optimiser steps up to the checkpoint.";
    18 EvaluationTime "evaluation_time_s" Second,
        "Time spent evaluating at the checkpoint, in s.";
    19 Epoch "epoch" Epoch,
        "Epoch at which the checkpoint was taken.";
}

impl Metric {
    /// The metric with this column name.
    #[must_use]
    pub fn from_name(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|metric| metric.name() == name)
    }

    /// Whether the value was predicted by the energy meter's software rather than observed.
    #[must_use]
    pub const fn is_prediction(self) -> bool {
        matches!(
            self,
            Self::PredictedEnergy
                | Self::PredictedCo2e
                | Self::PredictedTrainingTime
                | Self::PredictedCarbonIntensity
        )
    }

    /// Whether the value is of the whole run or of the architecture, so that a single checkpoint has none.
    #[must_use]
    pub const fn is_of_whole_run(self) -> bool {
        self.is_structural()
            || matches!(
                self,
                Self::TotalEnergy | Self::TotalCo2e | Self::TotalTime | Self::TotalCarbonIntensity
            )
    }

    /// Whether the value follows from the architecture alone and cannot differ between trials.
    #[must_use]
    pub const fn is_structural(self) -> bool {
        matches!(self, Self::TrainableParameters | Self::Macs)
    }
}

impl AsRef<str> for Metric {
    fn as_ref(&self) -> &str {
        self.name()
    }
}

impl fmt::Display for Metric {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_and_codes_are_consistent() {
        for (code, metric) in Metric::ALL.into_iter().enumerate() {
            assert_eq!(metric as usize, code);
            assert!(code < 32);
            assert_eq!(Metric::from_name(metric.name()), Some(metric));
            assert_eq!(Unit::of_name(metric.name()), metric.unit());
        }
        assert_eq!(Metric::from_name("energy"), None);
        assert_eq!(Unit::of_name("inference_energy_kwh"), Unit::KilowattHour);
        assert_eq!(
            Unit::of_name("grid_intensity_g_per_kwh"),
            Unit::GramPerKilowattHour
        );
        assert_eq!(Unit::of_name("latency"), Unit::Unstated);
    }
}

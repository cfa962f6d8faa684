use std::collections::BTreeMap;
use std::fmt;

use rkyv::{Archive, Deserialize, Serialize};

use super::Metric;

/// Where a value comes from.
///
/// It is stated by whoever supplies the values, or follows from them beyond doubt (a "halfway" accuracy that equals the
/// final one in every trial of a file is a copy). It is never guessed: what nobody stated is [`Provenance::Unstated`].
#[derive(Debug, Clone, PartialEq, Eq, Hash, Default, Archive, Serialize, Deserialize)]
#[non_exhaustive]
pub enum Provenance {
    /// Nobody said.
    #[default]
    Unstated,
    /// Observed in the trial itself.
    Measured,
    /// Observed at a smaller budget and multiplied by the ratio of the epochs.
    Scaled,
    /// The mean over several trials of another source.
    Averaged,
    /// The same number as elsewhere in the source, not an observation of its own: at a checkpoint, that of the last one; in
    /// a run that was scaled from a shorter one, that of the shorter one.
    Copied,
    /// Follows exactly from the architecture.
    Computed,
    /// Estimated by a model.
    Predicted {
        /// The model's name.
        model: String,
    },
}

impl Provenance {
    /// One word for it: `measured`, `scaled`, `averaged`, `copied`, `computed`, `predicted`, `unstated`.
    #[must_use]
    pub const fn word(&self) -> &'static str {
        match self {
            Self::Unstated => "unstated",
            Self::Measured => "measured",
            Self::Scaled => "scaled",
            Self::Averaged => "averaged",
            Self::Copied => "copied",
            Self::Computed => "computed",
            Self::Predicted { .. } => "predicted",
        }
    }

    /// The reverse of [`Display`](fmt::Display): a word, or `predicted by MODEL`.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        Some(match text {
            "unstated" => Self::Unstated,
            "measured" => Self::Measured,
            "scaled" => Self::Scaled,
            "averaged" => Self::Averaged,
            "copied" => Self::Copied,
            "computed" => Self::Computed,
            _ => Self::Predicted {
                model: text.strip_prefix("predicted by ")?.to_owned(),
            },
        })
    }
}

impl fmt::Display for Provenance {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Predicted { model } => write!(f, "predicted by {model}"),
            other => f.write_str(other.word()),
        }
    }
}

/// The provenance of every metric of a table: of its results, and of the checkpoints before the last one.
#[derive(Debug, Clone, PartialEq, Eq, Default, Archive, Serialize, Deserialize)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
pub struct Provenances {
    /// By column name: the values that the table reports, which are those of the last checkpoint and of the whole run.
    pub results: BTreeMap<String, Provenance>,
    /// By column name: the values at checkpoints before the last one.
    pub checkpoints: BTreeMap<String, Provenance>,
}

impl Provenances {
    /// Every metric that is observed in training is of the same provenance, at every checkpoint. What a meter's software
    /// predicted stays predicted, and what follows from the architecture stays computed.
    #[must_use]
    pub fn uniform(provenance: Provenance) -> Self {
        let mut all = Self::default();
        for metric in Metric::ALL {
            let own = if metric.is_prediction() {
                Provenance::Predicted {
                    model: "the energy meter's software".to_owned(),
                }
            } else if metric.is_structural() {
                Provenance::Computed
            } else {
                provenance.clone()
            };
            all.results.insert(metric.name().to_owned(), own.clone());
            if !metric.is_of_whole_run() {
                all.checkpoints.insert(metric.name().to_owned(), own);
            }
        }
        all
    }

    /// States the provenance of some results.
    #[must_use]
    pub fn with_results(mut self, metrics: &[Metric], provenance: &Provenance) -> Self {
        for metric in metrics {
            self.results
                .insert(metric.name().to_owned(), provenance.clone());
        }
        self
    }

    /// States the provenance of some values at checkpoints before the last one.
    #[must_use]
    pub fn with_checkpoints(mut self, metrics: &[Metric], provenance: &Provenance) -> Self {
        for metric in metrics {
            self.checkpoints
                .insert(metric.name().to_owned(), provenance.clone());
        }
        self
    }

    /// The provenance of a column; [`Provenance::Unstated`] where nobody said.
    #[must_use]
    pub fn of(&self, column: impl AsRef<str>) -> Provenance {
        self.results
            .get(column.as_ref())
            .cloned()
            .unwrap_or_default()
    }

    /// The provenance of a value at a checkpoint before the last one.
    #[must_use]
    pub fn of_checkpoint(&self, column: impl AsRef<str>) -> Provenance {
        self.checkpoints
            .get(column.as_ref())
            .cloned()
            .unwrap_or_default()
    }
}

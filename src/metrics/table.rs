use rkyv::{Archive, Deserialize, Serialize};

use super::{Provenance, Provenances, Setting};

/// A file or folder that a table's trials came from.
#[derive(Debug, Clone, PartialEq, Eq, Archive, Serialize, Deserialize)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
pub struct SourceInfo {
    /// The file's or folder's name.
    pub name: String,
    /// The format it was read as: `ec-nas tfrecord`, `nas-bench-101 tfrecord`, `results tree`, `csv`, ….
    pub format: String,
    /// SHA-256 of its bytes; of a folder: of its files' relative paths, lengths and bytes in order of path.
    #[cfg_attr(feature = "serde", serde(with = "super::serde::digest"))]
    pub sha256: [u8; 32],
    /// Its length in bytes; of a folder: of its files together.
    pub bytes: u64,
    /// How many trials it brought.
    pub trials: u64,
}

/// What the trials of a table have in common. What nobody stated is absent.
#[derive(Debug, Clone, PartialEq, Default, Archive, Serialize, Deserialize)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
#[cfg_attr(feature = "serde", serde(default))]
pub struct TableInfo {
    /// The table's name, unique in its store and snapshot.
    pub name: String,
    /// The search space, for example `NAS-Bench-101`.
    pub search_space: Option<String>,
    /// The data set that the trials' networks were trained on, for example `CIFAR-10`.
    pub data_set: Option<String>,
    /// The device of the trials.
    pub device: Option<String>,
    /// Who published the values, and where.
    pub origin: Option<String>,
    /// The licence of the values.
    pub licence: Option<String>,
    /// Power usage effectiveness that the trials' energies contain (1.59 in EC-NAS's). Power figures never contain it.
    pub pue: Option<f64>,
    /// Where the trials' values come from, by metric.
    pub provenance: Provenances,
    /// What is known of the values that no trial stands behind.
    pub estimates: Estimates,
    /// The files and folders that were imported, in order.
    pub sources: Vec<SourceInfo>,
}

/// What the estimates of a table have in common: values that no trial stands behind.
#[derive(Debug, Clone, PartialEq, Default, Archive, Serialize, Deserialize)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
pub struct Estimates {
    /// Where they come from, by metric.
    pub provenance: Provenances,
    /// For which circumstances they are estimated.
    pub setting: Setting,
}

impl TableInfo {
    /// The circumstances of the trials.
    #[must_use]
    pub fn trial_setting(&self) -> Setting {
        Setting {
            data_set: self.data_set.clone(),
            device: self.device.clone(),
            pue: self.pue,
        }
    }

    /// Where a value of a column comes from that a trial stands behind, or that is an estimate.
    #[must_use]
    pub fn provenance_of(&self, column: &str, is_estimate: bool) -> Provenance {
        match is_estimate {
            true => self.estimates.provenance.of(column),
            false => self.provenance.of(column),
        }
    }
}
